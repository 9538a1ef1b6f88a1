package softmax

// This file decides which kernel runs.

import (
	"os"

	"github.com/klauspost/cpuid/v2"
)

// kernel names an implementation of the primitives in row.go. It is a number,
// and calls go through a switch, because arguments of a call through a function
// variable would escape to the heap.
type kernel uint8

const (
	kernelGeneric kernel = iota
	kernelAVX2
	kernelAVX512
	kernelNEON
)

var kernelNames = [...]string{"generic", "avx2", "avx512", "neon"}

func (k kernel) String() string { return kernelNames[k] }

// active is the kernel that the public functions use.
var active = chooseKernel(os.Getenv("SOFTMAX_KERNEL"))

// chooseKernel returns the available kernel called name, or else the best.
func chooseKernel(name string) kernel {
	kernels := availableKernels()
	for _, k := range kernels {
		if k.String() == name {
			return k
		}
	}
	return kernels[0]
}

// Kernel returns the name of the kernel in use: "avx512", "avx2", "neon" or
// "generic". All return the same bits; they differ in speed. The package
// comment says how to choose one.
func Kernel() string { return active.String() }

// canStream reports whether expScaleStream really stores past the caches.
func canStream(k kernel) bool { return k == kernelAVX512 || k == kernelAVX2 }

// streamBytes is the size of rows so long that dst would fill the last-level
// cache: their probabilities are stored past the caches.
var streamBytes = max(cpuid.CPU.Cache.L3, 16<<20) / 2
