package main

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/seed174f7dca/softmax"
)

func TestBench(t *testing.T) {
	report := runOK(t, "bench", "--kernels="+softmax.Kernel(), "--lengths=1,8,1000", "--time=1ms")
	var rows [][]string
	for line := range strings.Lines(report) {
		if fields := strings.Fields(line); len(fields) == 6 && fields[1] == softmax.Kernel() {
			rows = append(rows, fields)
		}
	}
	if len(rows) != 3 || rows[0][0] != "1" || rows[1][0] != "8" || rows[2][0] != "1000" {
		t.Errorf("rows are %q, want one for each length:\n%s", rows, report)
	}
	if !strings.Contains(report, "GHz") {
		t.Errorf("report lacks the clock:\n%s", report)
	}
}

func TestBenchFlags(t *testing.T) {
	for _, test := range []struct{ flag, want string }{
		{"--kernels=vax", "--kernels: vax, expected kernels that run here: "},
		{"--lengths=-1", "--lengths: -1, expected 1 to 268435456"},
		{"--lengths=1000000000", "--lengths: 1000000000, expected 1 to 268435456"},
		{"--lengths=many", "--lengths"},
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
