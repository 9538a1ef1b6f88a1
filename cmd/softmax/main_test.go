package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// asCommand makes the test binary act as the command, which starts workers from
// its own executable.
const asCommand = "SOFTMAX_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	// The workers of go test -fuzz inherit the variable, but have to test.
	testFlag := func(arg string) bool { return strings.HasPrefix(arg, "-test.") }
	if os.Getenv(asCommand) != "" && !slices.ContainsFunc(os.Args, testFlag) {
		main()
		return
	}
	os.Setenv(asCommand, "1")
	os.Setenv("GORACE", "atexit_sleep_ms=0") // or each worker lingers for a second under -race
	os.Exit(m.Run())
}

// runProcess runs the command in a process and returns its exit status.
func runProcess(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	return runProcessOn(t, nil, args...)
}

// runProcessOn is runProcess with a standard input.
func runProcessOn(t *testing.T, stdin io.Reader, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &out, &errs
	err = cmd.Run()
	if errors.Is(err, syscall.ENOEXEC) {
		t.Skip("an emulator runs this test, and the kernel cannot start another program for it")
	}
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// runOK runs the command in this process and returns its report.
func runOK(t *testing.T, args ...string) string {
	t.Helper()
	var out strings.Builder
	if err := run(args, &out); err != nil {
		t.Fatalf("softmax %q: %v", args, err)
	}
	return out.String()
}

func TestExitStatus(t *testing.T) {
	for _, test := range []struct {
		args           []string
		status         int
		stdout, stderr string // parts of the output
	}{
		{[]string{}, 0, "Accuracy of the classifier", ""},
		{[]string{"--help"}, 0, "apply <in> <out>", ""},
		{[]string{"info"}, 0, "in use", ""},
		{[]string{"bench", "--n=8", "--time=1ms"}, 0, "cycles/element", ""},
		{[]string{"bench", "-lengths=8", "-time=1ms", "-op", "log-sum-exp", "-dtype", "float64"}, 0, "log-sum-exp", ""},
		{[]string{"nonsense"}, 1, "", "softmax: unexpected argument nonsense"},
		{[]string{"bench", "--n=0"}, 1, "", "softmax: bench: --n: 0, expected 1 to"},
		{[]string{"bench", "--time=0s"}, 1, "", "softmax: bench: --time: 0s, expected more than 0"},
		{[]string{"bench", "--kernel=vax"}, 1, "", "softmax: --kernel: vax, expected kernels that run here: "},
		{[]string{"compare", "missing.json"}, 1, "", "softmax: open missing.json: "},
		{[]string{"compare"}, 1, "", "softmax: expected \"<file> ...\""},
		{[]string{"verify", "--slow"}, 1, "", "softmax: unknown flag --slow"},
		{[]string{"apply", "missing.npy", "out.npy"}, 1, "", "softmax: open missing.npy: "},
		{[]string{"apply", "-axis", "-1", "missing.npy", "out.npy"}, 1, "", "softmax: open missing.npy: "},
		{[]string{"apply", "--op=softmin", "in.npy", "out.npy"}, 1, "", "softmax: --op must be one of \"softmax\",\"log-softmax\",\"log-sum-exp\" but got \"softmin\""},
		{[]string{"apply", "--axis=last", "in.npy", "out.npy"}, 1, "", "softmax: --axis: expected a valid "},
		{[]string{"apply", "-axes", "1", "in.npy", "out.npy"}, 1, "", "softmax: unknown flag --axes"},
		{[]string{"apply", "missing.npy"}, 1, "", "softmax: expected \"<out>\""},
	} {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			status, stdout, stderr := runProcess(t, test.args...)
			if status != test.status {
				t.Errorf("exit status %d, want %d", status, test.status)
			}
			if !strings.Contains(stdout, test.stdout) {
				t.Errorf("standard output %q lacks %q", stdout, test.stdout)
			}
			if !strings.HasPrefix(stderr, test.stderr) || test.stderr == "" && stderr != "" {
				t.Errorf("standard error %q, want %q", stderr, test.stderr)
			}
		})
	}
}

func TestWithTwoDashes(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"", ""},
		{"apply -axis -1 in.npy out.npy", "apply --axis -1 in.npy out.npy"},
		{"bench -n 8 -n=9 -h", "bench --n 8 --n=9 -h"},
		{"apply -axis=1 -op=log-softmax", "apply --axis=1 --op=log-softmax"},
		{"apply --axis -12 -h - -", "apply --axis -12 -h - -"},
		{"apply -op softmax -- -in.npy -out.npy", "apply --op softmax -- -in.npy -out.npy"},
	} {
		args := strings.Fields(test.args)
		if got := strings.Join(withTwoDashes(args), " "); got != test.want {
			t.Errorf("%q became %q, want %q", test.args, got, test.want)
		}
		if strings.Join(args, " ") != test.args {
			t.Errorf("%q was changed", test.args)
		}
	}
}
