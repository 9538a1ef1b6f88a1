package softmax

// This file measures. Times are of one thread, but for BenchmarkParallel, out of
// place, per element.

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"unsafe"
)

var benchLens = []int{8, 16, 32, 64, 128, 256, 512, 1024, 4096, 32768, 131072, 1 << 20, 1 << 24}

// benchKernels runs the two instances of a benchmark as sub-benchmarks for every
// kernel there is.
func benchKernels(b *testing.B, bench32, bench64 func(b *testing.B)) {
	for i := range kernelNames {
		k := kernel(i)
		b.Run("kernel="+k.String(), func(b *testing.B) {
			if !slices.Contains(availableKernels(), k) {
				b.Skipf("kernel %s: not available", k)
			}
			useKernel(b, k)
			b.Run("type=float32", bench32)
			b.Run("type=float64", bench64)
		})
	}
}

// report adds the time per element, and the bytes of the logits, to the result of
// a benchmark of n elements.
func report[T Float](b *testing.B, n int) {
	b.SetBytes(int64(n) * int64(unsafe.Sizeof(T(0))))
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/elem")
}

// logSumExpOf stores the result, as the other functions do.
func logSumExpOf[T Float](dst, src []T) { dst[0] = LogSumExp(src) }

func BenchmarkSoftmax(b *testing.B) {
	benchKernels(b, benchLengths(Softmax[float32]), benchLengths(Softmax[float64]))
}

func BenchmarkLogSoftmax(b *testing.B) {
	benchKernels(b, benchLengths(LogSoftmax[float32]), benchLengths(LogSoftmax[float64]))
}

func BenchmarkLogSumExp(b *testing.B) {
	benchKernels(b, benchLengths(logSumExpOf[float32]), benchLengths(logSumExpOf[float64]))
}

func benchLengths[T Float](function func(dst, src []T)) func(b *testing.B) {
	return func(b *testing.B) {
		for _, n := range benchLens {
			b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
				src, dst := familyNamed[T]("normal3").makeRow(n, 1), make([]T, n)
				for b.Loop() {
					function(dst, src)
				}
				report[T](b, n)
			})
		}
	}
}

func BenchmarkSoftmaxRows(b *testing.B) {
	benchKernels(b, benchRows(SoftmaxRows[float32]), benchRows(SoftmaxRows[float64]))
}

func BenchmarkLogSoftmaxRows(b *testing.B) {
	benchKernels(b, benchRows(LogSoftmaxRows[float32]), benchRows(LogSoftmaxRows[float64]))
}

func benchRows[T Float](function func(dst, src Matrix[T])) func(b *testing.B) {
	const rows = 1000
	return func(b *testing.B) {
		for _, n := range []int{8, 16, 32, 64, 128, 256} {
			b.Run(fmt.Sprintf("rows=%d/n=%d", rows, n), func(b *testing.B) {
				src := Matrix[T]{familyNamed[T]("normal3").makeRow(rows*n, 1), rows, n, n}
				dst := Matrix[T]{make([]T, rows*n), rows, n, n}
				for b.Loop() {
					function(dst, src)
				}
				report[T](b, rows*n)
			})
		}
	}
}

// BenchmarkAxis compares the axes of an array. Widths that are a power of two are
// the hardest: all elements of a column fall into the same few sets of a cache.
func BenchmarkAxis(b *testing.B) { benchKernels(b, benchAxis[float32], benchAxis[float64]) }

func benchAxis[T Float](b *testing.B) {
	for _, shape := range [][]int{{1024, 1024}, {1000, 1000}, {32, 64, 56 * 56}} {
		n := volume(shape)
		src, dst := familyNamed[T]("normal3").makeRow(n, 1), make([]T, n)
		for axis := range shape {
			b.Run(fmt.Sprintf("shape=%v/axis=%d", shape, axis), func(b *testing.B) {
				for b.Loop() {
					SoftmaxAxis(dst, src, shape, axis)
				}
				report[T](b, n)
			})
		}
	}
}

// BenchmarkParallel has many rows, and one that is split.
func BenchmarkParallel(b *testing.B) { benchKernels(b, benchParallel[float32], benchParallel[float64]) }

func benchParallel[T Float](b *testing.B) {
	for _, size := range []struct{ rows, cols int }{{1000, 4096}, {1, 1 << 24}} {
		n := size.rows * size.cols
		src := Matrix[T]{familyNamed[T]("normal3").makeRow(n, 1), size.rows, size.cols, size.cols}
		dst := Matrix[T]{make([]T, n), size.rows, size.cols, size.cols}
		for _, workers := range []int{1, 2, 4} {
			b.Run(fmt.Sprintf("rows=%d/n=%d/workers=%d", size.rows, size.cols, workers), func(b *testing.B) {
				for b.Loop() {
					ParallelSoftmaxRows(dst, src, workers)
				}
				report[T](b, n)
			})
		}
	}
}

// BenchmarkFamilies is for the promise that no input is slow: compare with
// family=normal3.
func BenchmarkFamilies(b *testing.B) { benchKernels(b, benchFamilies[float32], benchFamilies[float64]) }

func benchFamilies[T Float](b *testing.B) {
	const n = 4096
	for _, function := range []struct {
		name string
		run  func(dst, src []T)
	}{{"Softmax", Softmax[T]}, {"LogSoftmax", LogSoftmax[T]}, {"LogSumExp", logSumExpOf[T]}} {
		for _, family := range familiesOf[T]() {
			b.Run(fmt.Sprintf("function=%s/family=%s/n=%d", function.name, family.name, n), func(b *testing.B) {
				src, dst := family.makeRow(n, 1), make([]T, n)
				for b.Loop() {
					function.run(dst, src)
				}
				report[T](b, n)
			})
		}
	}
}

// BenchmarkMathExp is the loop that Go programs have without this package.
func BenchmarkMathExp(b *testing.B) {
	b.Run("type=float32", benchLengths(mathExpSoftmax[float32]))
	b.Run("type=float64", benchLengths(mathExpSoftmax[float64]))
}

func mathExpSoftmax[T Float](dst, src []T) {
	m := src[0]
	for _, x := range src[1:] {
		if x > m {
			m = x
		}
	}
	var sum T
	for i, x := range src {
		e := T(math.Exp(float64(x - m)))
		dst[i] = e
		sum += e
	}
	for i := range dst {
		dst[i] /= sum
	}
}
