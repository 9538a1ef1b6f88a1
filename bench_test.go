package softmax

// This file measures. Times are of one thread, out of place, per element.

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

var benchLens = []int{8, 16, 32, 64, 128, 256, 512, 1024, 4096, 32768, 131072, 1 << 20, 1 << 24}

// benchKernels runs f as a sub-benchmark for every kernel there is.
func benchKernels(b *testing.B, f func(b *testing.B)) {
	for i := range kernelNames {
		k := kernel(i)
		b.Run("kernel="+k.String(), func(b *testing.B) {
			if !slices.Contains(availableKernels(), k) {
				b.Skipf("kernel %s: not available", k)
			}
			useKernel(b, k)
			f(b)
		})
	}
}

// report adds the time per element, and the bytes read and written, to the result
// of a benchmark of n elements.
func report(b *testing.B, n int) {
	b.SetBytes(int64(8 * n))
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/elem")
}

func BenchmarkSoftmax(b *testing.B) {
	benchKernels(b, func(b *testing.B) {
		for _, n := range benchLens {
			b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
				src, dst := familyNamed("normal3").makeRow(n, 1), make([]float32, n)
				for b.Loop() {
					Softmax(dst, src)
				}
				report(b, n)
			})
		}
	})
}

func BenchmarkSoftmaxRows(b *testing.B) {
	const rows = 1000
	benchKernels(b, func(b *testing.B) {
		for _, n := range []int{8, 16, 32, 64, 128, 256} {
			b.Run(fmt.Sprintf("rows=%d/n=%d", rows, n), func(b *testing.B) {
				src := Matrix[float32]{familyNamed("normal3").makeRow(rows*n, 1), rows, n, n}
				dst := Matrix[float32]{make([]float32, rows*n), rows, n, n}
				for b.Loop() {
					SoftmaxRows(dst, src)
				}
				report(b, rows*n)
			})
		}
	})
}

// BenchmarkFamilies is for the promise that no input is slow: compare with
// family=normal3.
func BenchmarkFamilies(b *testing.B) {
	const n = 4096
	benchKernels(b, func(b *testing.B) {
		for _, family := range families {
			b.Run(fmt.Sprintf("family=%s/n=%d", family.name, n), func(b *testing.B) {
				src, dst := family.makeRow(n, 1), make([]float32, n)
				for b.Loop() {
					Softmax(dst, src)
				}
				report(b, n)
			})
		}
	})
}

// BenchmarkMathExp is the loop that Go programs have without this package.
func BenchmarkMathExp(b *testing.B) {
	for _, n := range benchLens {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			src, dst := familyNamed("normal3").makeRow(n, 1), make([]float32, n)
			for b.Loop() {
				mathExpSoftmax(dst, src)
			}
			report(b, n)
		})
	}
}

func mathExpSoftmax(dst, src []float32) {
	m := src[0]
	for _, x := range src[1:] {
		if x > m {
			m = x
		}
	}
	var sum float32
	for i, x := range src {
		e := float32(math.Exp(float64(x - m)))
		dst[i] = e
		sum += e
	}
	for i := range dst {
		dst[i] /= sum
	}
}
