package main

import (
	"io"
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
		{[]string{"--lengths=1,8,1000"}, []string{"softmax float32 1", "softmax float32 8", "softmax float32 1000"}},
		{[]string{"--lengths=8", "--op=softmax,log-softmax,log-sum-exp", "--dtype=float64"},
			[]string{"softmax float64 8", "log-softmax float64 8", "log-sum-exp float64 8"}},
		{[]string{"-lengths", "8", "-op", "log-sum-exp", "-dtype", "float64,float32"},
			[]string{"log-sum-exp float64 8", "log-sum-exp float32 8"}},
		{[]string{"--lengths=8,5000", "--op=softmax,log-sum-exp", "--dtype=float16,bfloat16"},
			[]string{"softmax float16 8", "softmax float16 5000", "softmax bfloat16 8", "softmax bfloat16 5000",
				"log-sum-exp float16 8", "log-sum-exp float16 5000", "log-sum-exp bfloat16 8", "log-sum-exp bfloat16 5000"}},
	} {
		args := append([]string{"bench", "--kernels=" + softmax.Kernel(), "--time=1ms"}, test.flags...)
		report := runOK(t, args...)
		var rows []string
		for line := range strings.Lines(report) {
			if fields := strings.Fields(line); len(fields) == 8 && fields[3] == softmax.Kernel() {
				rows = append(rows, strings.Join(fields[:3], " "))
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
		if got := (task{Op: test.op, Dtype: test.dtype}).bytesPerElement(); got != test.want {
			t.Errorf("%s of %s: %v bytes per element, want %v", test.op, test.dtype, got, test.want)
		}
	}
}

func TestBenchFlags(t *testing.T) {
	for _, test := range []struct{ flag, want string }{
		{"--kernels=vax", "--kernels: vax, expected kernels that run here: "},
		{"--lengths=-1", "--lengths: -1, expected 1 to 268435456"},
		{"--lengths=1000000000", "--lengths: 1000000000, expected 1 to 268435456"},
		{"--lengths=many", "--lengths"},
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
