package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// applySlowly runs apply in a process that has standard error there, and has to
// wait for its input longer than progressDelay.
func applySlowly(t *testing.T, stderr io.Writer) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out.npy")
	cmd := exec.Command(program, "apply", "/dev/stdin", out)
	var stdout bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); errors.Is(err, syscall.ENOEXEC) {
		t.Skip("an emulator runs this test, and the kernel cannot start another program for it")
	} else if err != nil {
		t.Fatal(err)
	}
	file := float32File("(2,)", []float32{7, 7})
	for _, part := range [][]byte{file[:50], file[50:]} {
		if _, err := in.Write(part); err != nil {
			t.Error(err)
		}
		time.Sleep(progressDelay + 200*time.Millisecond)
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if stdout.Len() > 0 {
		t.Errorf("standard output is %q, want nothing", stdout.String())
	}
	if !bytes.Equal(readContent(t, out), float32File("(2,)", []float32{0.5, 0.5})) {
		t.Error("softmax of (7, 7) is not (0.5, 0.5)")
	}
}

func TestProgressOnTerminal(t *testing.T) {
	terminal, stderr, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	defer terminal.Close()
	defer stderr.Close()
	seen := make(chan string, 1)
	go func() {
		b, _ := io.ReadAll(terminal) // ends with an error, as terminals do
		seen <- string(b)
	}()
	applySlowly(t, stderr)
	stderr.Close()
	text := <-seen
	checkWiped(t, text)
	for _, part := range []string{"\rreading   0% |", "\rsoftmax  50% |"} {
		if !strings.Contains(text, part) {
			t.Errorf("terminal showed %q, lacks %q", text, part)
		}
	}
}

func TestProgressWithoutTerminal(t *testing.T) {
	var stderr bytes.Buffer
	applySlowly(t, &stderr)
	if stderr.Len() > 0 {
		t.Errorf("standard error is %q, want nothing", stderr.String())
	}
}

// checkWiped checks that text leaves nothing to see on a terminal.
func checkWiped(t *testing.T, text string) {
	t.Helper()
	lines := strings.Split(text, "\r")
	if n := len(lines); n < 3 || lines[n-1] != "" || strings.Trim(lines[n-2], " ") != "" || len(lines[n-2]) < len([]rune(lines[n-3])) {
		t.Errorf("terminal showed %q, want spaces over the last line", text)
	}
}

// TestProgress checks which part of the work the bar shows.
func TestProgress(t *testing.T) {
	var out bytes.Buffer
	p := &progress{out: &out, stages: 2, start: time.Now().Add(-progressDelay)}
	for _, step := range []struct {
		act  func()
		want string
	}{
		{func() { p.begin("one", 200) }, "one   0% |"},
		{func() { p.add(100) }, "one  25% |"},
		{func() { p.add(100) }, "one  50% |"},
		{func() { p.begin("two", 0) }, "two  50% |"},
		{func() { p.add(1000) }, ""}, // of nobody knows how much
		{func() { p.end() }, "\r   "},
		{func() { p.add(1); p.end() }, ""},
	} {
		out.Reset()
		p.shown = time.Time{} // or it is too soon
		step.act()
		if !strings.Contains(out.String(), step.want) || step.want == "" && out.Len() > 0 {
			t.Errorf("%q was shown, want %q", out.String(), step.want)
		}
	}
}

// TestProgressOfQuickWork checks that the bar appears late, and is not drawn too
// often.
func TestProgressOfQuickWork(t *testing.T) {
	var out bytes.Buffer
	p := &progress{out: &out, stages: 1, start: time.Now()}
	p.begin("work", 2000)
	for range 1000 {
		p.add(1)
	}
	p.end()
	if out.Len() > 0 {
		t.Errorf("%q was shown, want nothing", out.String())
	}

	p = &progress{out: &out, stages: 1, start: time.Now().Add(-progressDelay)}
	for p.begin("work", 2000); p.done < 1000; p.add(1) {
	}
	if n := strings.Count(out.String(), "work"); n < 1 || n > 10 {
		t.Errorf("bar was drawn %d times, want a few times", n)
	}
}
