package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/seed174f7dca/softmax"
)

// digitTypes are the element types of the digits.
var digitTypes = []string{float32Type.name, float64Type.name}

// startAll is startKernels for a test. It logs the note and returns it.
func startAll(t *testing.T) (kernels []*kernel, note string) {
	t.Helper()
	kernels, note, err := startKernels()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopKernels(kernels) })
	if note != "" {
		t.Log(note)
	}
	return kernels, note
}

func TestKernelsReturnTheSameBits(t *testing.T) {
	kernels, note := startAll(t)
	if note == "" && !slices.Contains(names(kernels), "generic") {
		t.Errorf("kernels are %q, want generic among them", names(kernels))
	}
	if !slices.Contains(names(kernels), softmax.Kernel()) {
		t.Errorf("kernels are %q, want %s among them", names(kernels), softmax.Kernel())
	}
	var tasks []task
	for _, dtype := range rowTypes {
		if slices.Contains(digitTypes, dtype) {
			tasks = append(tasks, task{Dtype: dtype})
		}
		for _, op := range operations {
			for _, length := range []int{1, 7, 64, 1000, 100000} {
				tasks = append(tasks, task{Op: op, Dtype: dtype, Length: length})
			}
		}
	}
	for _, task := range tasks {
		// This process has a kernel as well.
		want, err := task.run()
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range kernels {
			got, err := k.run(task)
			if err != nil {
				t.Fatal(err)
			}
			if got.Hash != want.Hash {
				t.Errorf("%+v: bits of kernel %s differ from those of kernel %s", task, k.name, softmax.Kernel())
			}
			if len(got.Nanoseconds) == 0 || got.GHz <= 0 {
				t.Errorf("%+v: kernel %s was not timed: %+v", task, k.name, got)
			}
		}
	}
}

// TestTasksDiffer checks that a task does what it asks for: all results differ.
func TestTasksDiffer(t *testing.T) {
	hashes := make(map[string]task)
	for _, dtype := range rowTypes {
		for _, op := range append(operations, "") {
			task := task{Op: op, Dtype: dtype, Length: 100}
			if op == "" && !slices.Contains(digitTypes, dtype) {
				continue
			}
			r, err := task.run()
			if err != nil {
				t.Fatal(err)
			}
			if other, ok := hashes[r.Hash]; ok {
				t.Errorf("%+v and %+v have the same result", task, other)
			}
			hashes[r.Hash] = task
		}
	}
}

func TestTaskUnknown(t *testing.T) {
	_, err := task{Op: "cosine", Dtype: "float32", Length: 8}.run()
	checkError(t, err, `operation "cosine", expected softmax, log-softmax or log-sum-exp`)
	_, err = task{Op: opSoftmax, Dtype: "int8", Length: 8}.run()
	checkError(t, err, `dtype "int8", expected float32, float64, float16 or bfloat16`)
	_, err = task{Dtype: "float16"}.run()
	checkError(t, err, `operation "", expected softmax, log-softmax or log-sum-exp`)
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
	if _, err := k.run(task{Op: opSoftmax, Dtype: "float32", Length: 8}); err != nil {
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
