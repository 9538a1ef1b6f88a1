package main

import (
	"runtime"
	"strings"
	"testing"

	"github.com/seed174f7dca/softmax"
)

func TestInfo(t *testing.T) {
	report := runOK(t, "info")
	for _, part := range []string{"CPU ", runtime.GOARCH, "features ", "caches ", "kernels ", "in use    " + softmax.Kernel() + ": "} {
		if !strings.Contains(report, part) {
			t.Errorf("report lacks %q:\n%s", part, report)
		}
	}
}

func TestReason(t *testing.T) {
	foreign := "neon"
	if runtime.GOARCH == "arm64" {
		foreign = "avx2"
	}
	for _, test := range []struct{ forced, want string }{
		{"", "generic: runs everywhere"},
		{"generic", "generic: chosen by SOFTMAX_KERNEL=generic"},
		{"vax", "generic: SOFTMAX_KERNEL=vax is unknown, expected one of avx512, avx2, neon, generic; using the best"},
		{foreign, "generic: SOFTMAX_KERNEL=" + foreign + " cannot be had (it needs " + kernelArch[foreign] + ", this is " + runtime.GOARCH + "), using the best"},
	} {
		if got := reason(test.forced, "generic", []string{"generic"}); !strings.HasPrefix(got, test.want) {
			t.Errorf("SOFTMAX_KERNEL=%s: %q, want %q", test.forced, got, test.want)
		}
	}
}

func TestJoin(t *testing.T) {
	a, b, c := feature{name: "A"}, feature{name: "B"}, feature{name: "C"}
	for _, test := range []struct {
		features []feature
		want     string
	}{
		{[]feature{a}, "A"},
		{[]feature{a, b}, "A and B"},
		{[]feature{a, b, c}, "A, B and C"},
	} {
		if got := join(test.features); got != test.want {
			t.Errorf("join(%v) = %q, want %q", test.features, got, test.want)
		}
	}
}
