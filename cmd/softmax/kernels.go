package main

// This file runs every kernel. The package has no function to do that, and
// reads SOFTMAX_KERNEL once at start-up; so each kernel gets a process of its
// own, a worker, that runs this program again.

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/seed174f7dca/softmax"
)

// kernelNames are the values of SOFTMAX_KERNEL, the fastest kernel first.
var kernelNames = []string{"avx512", "avx2", "neon", "generic"}

// kernel is a connection to a worker.
type kernel struct {
	name   string
	tasks  io.WriteCloser
	send   *json.Encoder
	answer *json.Decoder
	wait   func() error
}

// startKernels starts a worker for each kernel that this CPU and this build can
// run. Where no process can be started, as under an emulator, only the kernel
// in use is there, and note says so.
func startKernels() (kernels []*kernel, note string, err error) {
	program, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	for _, name := range kernelNames {
		k, err := startProcess(program, name)
		if err != nil {
			stopKernels(kernels)
			only, startErr := startInside()
			return []*kernel{only}, fmt.Sprintf("other kernels cannot be tried: %v", err), startErr
		}
		var runs string
		if err := k.answer.Decode(&runs); err != nil {
			stopKernels(append(kernels, k))
			return nil, "", fmt.Errorf("worker for kernel %s: %w, expected the name of its kernel", name, err)
		}
		// A kernel that cannot run here leaves the best one in place.
		if runs != name {
			stopKernels([]*kernel{k})
			continue
		}
		kernels = append(kernels, k)
	}
	return kernels, "", nil
}

// startProcess starts a worker that asks for the kernel called name.
func startProcess(program, name string) (*kernel, error) {
	cmd := exec.Command(program, "worker")
	cmd.Env = append(os.Environ(), "SOFTMAX_KERNEL="+name)
	cmd.Stderr = os.Stderr
	tasks, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	answers, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return newKernel(name, tasks, answers, cmd.Wait), nil
}

// startInside starts a worker in this process, for the kernel in use.
func startInside() (*kernel, error) {
	taskReader, tasks := io.Pipe()
	answers, answerWriter := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := work(taskReader, answerWriter)
		taskReader.CloseWithError(err)
		answerWriter.CloseWithError(err)
		done <- err
	}()
	k := newKernel(softmax.Kernel(), tasks, answers, func() error { return <-done })
	var runs string
	return k, k.answer.Decode(&runs)
}

func newKernel(name string, tasks io.WriteCloser, answers io.Reader, wait func() error) *kernel {
	return &kernel{name, tasks, json.NewEncoder(tasks), json.NewDecoder(answers), wait}
}

// run has the worker carry out a task.
func (k *kernel) run(t task) (result, error) {
	var r result
	if err := k.send.Encode(t); err != nil {
		return r, fmt.Errorf("worker for kernel %s: %w", k.name, err)
	}
	if err := k.answer.Decode(&r); err != nil {
		return r, fmt.Errorf("worker for kernel %s: %w, expected a result", k.name, err)
	}
	return r, nil
}

// stopKernels ends workers. They have given their answers, so nothing is left
// to go wrong.
func stopKernels(kernels []*kernel) {
	for _, k := range kernels {
		k.tasks.Close()
		k.wait()
	}
}

// names returns the names of kernels.
func names(kernels []*kernel) []string {
	var s []string
	for _, k := range kernels {
		s = append(s, k.name)
	}
	return s
}
