package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed174f7dca/softmax"
)

func TestBench(t *testing.T) {
	for _, test := range []struct {
		flags []string
		rows  []string // how they begin
	}{
		{[]string{"--n=1,8,1000"}, []string{"softmax float32 normal3 1 1", "softmax float32 normal3 1 8", "softmax float32 normal3 1 1000"}},
		{[]string{"--n=8", "--op=softmax,log-softmax,log-sum-exp", "--dtype=float64"},
			[]string{"softmax float64 normal3 1 8", "log-softmax float64 normal3 1 8", "log-sum-exp float64 normal3 1 8"}},
		{[]string{"-lengths", "8", "-op", "log-sum-exp", "-dtype", "float64,float32"},
			[]string{"log-sum-exp float64 normal3 1 8", "log-sum-exp float32 normal3 1 8"}},
		{[]string{"--n=5000", "--op=log-sum-exp", "--dtype=float16,bfloat16"},
			[]string{"log-sum-exp float16 normal3 1 5000", "log-sum-exp bfloat16 normal3 1 5000"}},
		{[]string{"-n=10", "-rows=7", "-family=mask-inf,zeros", "-op=softmax,log-softmax,log-sum-exp"},
			[]string{"softmax float32 mask-inf 7 10", "softmax float32 zeros 7 10", "log-softmax float32 mask-inf 7 10",
				"log-softmax float32 zeros 7 10", "log-sum-exp float32 mask-inf 7 10", "log-sum-exp float32 zeros 7 10"}},
	} {
		args := append([]string{"bench", "--kernel=" + softmax.Kernel(), "--time=1ms"}, test.flags...)
		report := runOK(t, args...)
		var rows []string
		for line := range strings.Lines(report) {
			if fields := strings.Fields(line); len(fields) == 11 && fields[5] == softmax.Kernel() {
				rows = append(rows, strings.Join(fields[:5], " "))
			}
		}
		if !slices.Equal(rows, test.rows) {
			t.Errorf("%q: rows are %q, want %q:\n%s", args, rows, test.rows, report)
		}
		if !strings.Contains(report, "GHz") {
			t.Errorf("report lacks the clock:\n%s", report)
		}
	}
}

// TestBenchFiles checks that --json and --plot write files, and that --format prints the
// same as the file has.
func TestBenchFiles(t *testing.T) {
	dir := t.TempDir()
	file, picture := filepath.Join(dir, "b.json"), filepath.Join(dir, "b.svg")
	printed := runOK(t, "bench", "--n=8,64", "--count=6", "--time=1ms", "--name=A machine", "--format=json", "--json", file, "--plot", picture)
	if content := readContent(t, file); string(content) != printed {
		t.Errorf("file is %q, printed %q, want the same", content, printed)
	}
	r, err := readReport(file)
	if err != nil {
		t.Fatal(err)
	}
	if r.Machine.CPU != "A machine" {
		t.Errorf("machine is %q, want that of --name", r.Machine.CPU)
	}
	for _, timing := range r.Timings {
		if len(timing.Nanoseconds) != 6 {
			t.Errorf("%+v: %d rounds, want 6", timing, len(timing.Nanoseconds))
		}
	}
	if !bytes.Contains(readContent(t, picture), []byte("</svg>")) {
		t.Error("picture is no SVG")
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("%v, %v: want two files", entries, err)
	}
}

func TestBenchFormatGo(t *testing.T) {
	report := runOK(t, "bench", "--n=8", "--count=2", "--time=1ms", "--format=go", "--kernel="+softmax.Kernel())
	want := "\nBenchmarkRow/op=softmax/dtype=float32/family=normal3/rows=1/n=8/kernel=" + softmax.Kernel() + " 1 "
	if n := strings.Count(report, want); n != 2 {
		t.Errorf("%d lines %q, want 2:\n%s", n, want, report)
	}
}

// TestBenchNotWritten checks that a file that cannot be written is an error, after the
// report was printed.
func TestBenchNotWritten(t *testing.T) {
	var out strings.Builder
	name := filepath.Join(t.TempDir(), "missing", "b.json")
	err := run([]string{"bench", "--n=8", "--time=1ms", "--json", name}, &out)
	checkError(t, err, name+": cannot be written, expected a writable directory")
	if !strings.Contains(out.String(), "ns/element") {
		t.Errorf("printed %q, want a table", out.String())
	}
}

// TestBenchWrongBits checks that kernels that differ are an error.
func TestBenchWrongBits(t *testing.T) {
	good, bad := workerThat(t, "good", nil), workerThat(t, "bad", func(_ task, r *result) { r.Hash += "!" })
	task := task{Op: opSoftmax, Dtype: "float32", Length: 8, Family: "equal", Time: 1}
	err := new(report).time([]*kernel{good, bad}, task, 1, &progress{})
	checkError(t, err, "kernel bad: bits differ from those of kernel good for softmax of float32, family equal, at length 8, expected the same")
}

func TestBytesPerElement(t *testing.T) {
	for _, test := range []struct {
		op, dtype string
		want      float64
	}{
		{opSoftmax, "float32", 8},
		{opLogSoftmax, "float64", 16},
		{opLogSumExp, "float32", 4},
		{opLogSumExp, "float64", 8},
		{opSoftmax, "float16", 4},
		{opLogSumExp, "bfloat16", 2},
	} {
		if got := (&timing{Op: test.op, Dtype: test.dtype}).bytesPerElement(); got != test.want {
			t.Errorf("%s of %s: %v bytes per element, want %v", test.op, test.dtype, got, test.want)
		}
	}
}

func TestBenchFlags(t *testing.T) {
	for _, test := range []struct{ flag, want string }{
		{"--kernel=vax", "--kernel: vax, expected kernels that run here: "},
		{"--n=-1", "--n: -1, expected 1 to 268435456"},
		{"--n=1000000000", "--n: 1000000000, expected 1 to 268435456"},
		{"--n=many", "--n"},
		{"--rows=0", "--rows: 0 of 8 elements, expected at least one row"},
		{"--rows=100000000", "--rows: 100000000 of 8 elements, expected at least one row, and at most 268435456 elements in all"},
		{"--family=uniform", "--family: uniform, expected normal1, "},
		{"--count=0", "--count: 0, expected 1 to 1000"},
		{"--format=xml", `--format must be one of "table","go","json" but got "xml"`},
		{"--plot=out.gif", "--plot: out.gif, expected a name that ends with .svg or .png"},
		{"--op=softmin", `--op must be one of "softmax","log-softmax","log-sum-exp" but got "softmin"`},
		{"--dtype=float32,int8", `--dtype must be one of "float32","float64","float16","bfloat16" but got "int8"`},
		{"--time=-1s", "--time: -1s, expected more than 0"},
	} {
		checkError(t, run([]string{"bench", test.flag}, io.Discard), test.want)
	}
}

func TestMeasure(t *testing.T) {
	calls := 0
	samples, ghz := measure(func() { calls++ }, time.Millisecond)
	if len(samples) == 0 || calls <= len(samples) {
		t.Errorf("%d samples of %d calls, want several calls in each", len(samples), calls)
	}
	if ghz <= 0 {
		t.Errorf("clock is %v GHz", ghz)
	}
}

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{5}, 5},
		{[]float64{1, 2}, 1.5},
		{[]float64{9, 1, 2}, 2},
		{[]float64{4, 1, 9, 2}, 3},
	} {
		if m := median(test.values); m != test.want {
			t.Errorf("median(%v) = %v, want %v", test.values, m, test.want)
		}
	}
}
