package softmax

// This file checks which kernel runs.

import (
	"os"
	"slices"
	"testing"
)

func TestChooseKernel(t *testing.T) {
	available := availableKernels()
	t.Logf("available: %v", available)
	if last := available[len(available)-1]; last != kernelGeneric {
		t.Errorf("the last available kernel is %s, want generic", last)
	}
	for i, k := range available {
		if slices.Contains(available[:i], k) {
			t.Errorf("%s is there twice", k)
		}
	}
	for i, name := range kernelNames {
		want := available[0]
		if slices.Contains(available, kernel(i)) {
			want = kernel(i)
		}
		if got := chooseKernel(name); got != want {
			t.Errorf("%q chooses %s, want %s", name, got, want)
		}
	}
	for _, name := range []string{"", "best", "AVX2", "Generic", " generic", "generic ", "avx", "avx512f", "avx2,generic", "0", "\x00"} {
		if got := chooseKernel(name); got != available[0] {
			t.Errorf("%q chooses %s, want the best, %s", name, got, available[0])
		}
	}
}

// TestActiveKernel proves which kernel the other tests of this run used: the one that
// SOFTMAX_WANT_KERNEL names, where a run is meant to test a certain one.
func TestActiveKernel(t *testing.T) {
	if want := os.Getenv("SOFTMAX_WANT_KERNEL"); want != "" && Kernel() != want {
		t.Errorf("Kernel() is %q, but SOFTMAX_WANT_KERNEL is %q", Kernel(), want)
	}
	name := os.Getenv("SOFTMAX_KERNEL")
	t.Logf("SOFTMAX_KERNEL=%q, kernel %s, available %v, tests reduced: %v", name, Kernel(), availableKernels(), reduced())
	if want := chooseKernel(name).String(); Kernel() != want {
		t.Errorf("Kernel() is %q, want %q", Kernel(), want)
	}
	for _, k := range availableKernels() {
		if k.String() == name && active != k {
			t.Errorf("kernel %s is asked for and available, but %s is in use", name, active)
		}
		t.Run("kernel="+k.String(), func(t *testing.T) {
			useKernel(t, k)
			if Kernel() != k.String() {
				t.Errorf("Kernel() is %q, want %q", Kernel(), k)
			}
		})
	}
}
