package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/seed174f7dca/softmax"
)

func TestKernelsReturnTheSameBits(t *testing.T) {
	kernels, note, err := startKernels()
	if err != nil {
		t.Fatal(err)
	}
	defer stopKernels(kernels)
	if note != "" {
		t.Log(note)
	} else if !slices.Contains(names(kernels), "generic") {
		t.Errorf("kernels are %q, want generic among them", names(kernels))
	}
	if !slices.Contains(names(kernels), softmax.Kernel()) {
		t.Errorf("kernels are %q, want %s among them", names(kernels), softmax.Kernel())
	}
	for _, length := range []int{0, 1, 7, 64, 1000, 100000} {
		// This process has a kernel as well.
		want, err := task{Length: length}.run()
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range kernels {
			got, err := k.run(task{Length: length})
			if err != nil {
				t.Fatal(err)
			}
			if got.Hash != want.Hash {
				t.Errorf("length %d: bits of kernel %s differ from those of kernel %s", length, k.name, softmax.Kernel())
			}
			if len(got.Nanoseconds) == 0 || got.GHz <= 0 {
				t.Errorf("length %d: kernel %s was not timed: %+v", length, k.name, got)
			}
		}
	}
}

// TestStartInside checks the worker for machines that cannot start a process.
func TestStartInside(t *testing.T) {
	k, err := startInside()
	if err != nil {
		t.Fatal(err)
	}
	if k.name != softmax.Kernel() {
		t.Errorf("kernel is %s, want %s", k.name, softmax.Kernel())
	}
	if _, err := k.run(task{Length: 8}); err != nil {
		t.Error(err)
	}
	stopKernels([]*kernel{k})
}

// TestWorkerBroken checks that a worker that fails is reported.
func TestWorkerBroken(t *testing.T) {
	k, err := startInside()
	if err != nil {
		t.Fatal(err)
	}
	if err := k.send.Encode("no task"); err != nil {
		t.Fatal(err)
	}
	_, err = k.run(task{})
	checkError(t, err, "worker for kernel "+k.name)
	stopKernels([]*kernel{k})
}

func TestWorkerStopsOnNonsense(t *testing.T) {
	var out strings.Builder
	if err := work(strings.NewReader("nonsense"), &out); err == nil {
		t.Error("no error")
	}
}
