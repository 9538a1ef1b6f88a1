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

var benchLens = []int{8, 16, 32, 64, 128, 256, 512, 1024, 4096, 8192, 32768, 131072, 1 << 20, 1 << 24}

// benchKernels runs the instances of a benchmark as sub-benchmarks for every kernel
// there is: for float32 and float64, and for the formats of 16 bits where there are
// more.
func benchKernels(b *testing.B, bench32, bench64 func(b *testing.B), benchHalves ...func(b *testing.B)) {
	eachKernel(b, func(b *testing.B) {
		b.Run("type=float32", bench32)
		b.Run("type=float64", bench64)
		for i, bench := range benchHalves {
			b.Run("type="+[]string{"float16", "bfloat16"}[i], bench)
		}
	})
}

// eachKernel runs a benchmark as a sub-benchmark for every kernel there is.
func eachKernel(b *testing.B, bench func(b *testing.B)) {
	for i := range kernelNames {
		k := kernel(i)
		b.Run("kernel="+k.String(), func(b *testing.B) {
			if !slices.Contains(availableKernels(), k) {
				b.Skipf("kernel %s: not available", k)
			}
			useKernel(b, k)
			bench(b)
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
	benchKernels(b, benchLengths(Softmax[float32]), benchLengths(Softmax[float64]), benchLengths(Softmax[Float16]), benchLengths(Softmax[BFloat16]))
}

func BenchmarkLogSoftmax(b *testing.B) {
	benchKernels(b, benchLengths(LogSoftmax[float32]), benchLengths(LogSoftmax[float64]), benchLengths(LogSoftmax[Float16]), benchLengths(LogSoftmax[BFloat16]))
}

func BenchmarkLogSumExp(b *testing.B) {
	benchKernels(b, benchLengths(logSumExpOf[float32]), benchLengths(logSumExpOf[float64]), benchLengths(logSumExpOf[Float16]), benchLengths(logSumExpOf[BFloat16]))
}

func benchLengths[T Float](function func(dst, src []T)) func(b *testing.B) {
	return func(b *testing.B) {
		for _, n := range benchLens {
			b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
				src, dst := familyNamed[T]("normal3").MakeRow(n, 1), make([]T, n)
				for b.Loop() {
					function(dst, src)
				}
				report[T](b, n)
			})
		}
	}
}

func BenchmarkSoftmaxRows(b *testing.B) {
	benchKernels(b, benchRows(SoftmaxRows[float32]), benchRows(SoftmaxRows[float64]), benchRows(SoftmaxRows[Float16]), benchRows(SoftmaxRows[BFloat16]))
}

func BenchmarkLogSoftmaxRows(b *testing.B) {
	benchKernels(b, benchRows(LogSoftmaxRows[float32]), benchRows(LogSoftmaxRows[float64]))
}

func benchRows[T Float](function func(dst, src Matrix[T])) func(b *testing.B) {
	const rows = 1000
	return func(b *testing.B) {
		for _, n := range []int{8, 16, 32, 64, 128, 256} {
			b.Run(fmt.Sprintf("rows=%d/n=%d", rows, n), func(b *testing.B) {
				src := Matrix[T]{familyNamed[T]("normal3").MakeRow(rows*n, 1), rows, n, n}
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
func BenchmarkAxis(b *testing.B) {
	benchKernels(b, benchAxis[float32], benchAxis[float64], benchAxis[Float16], benchAxis[BFloat16])
}

func benchAxis[T Float](b *testing.B) {
	for _, shape := range [][]int{{1024, 1024}, {1000, 1000}, {32, 64, 56 * 56}} {
		n := volume(shape)
		src, dst := familyNamed[T]("normal3").MakeRow(n, 1), make([]T, n)
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

func benchParallel[T native](b *testing.B) {
	for _, size := range []struct{ rows, cols int }{{1000, 4096}, {1, 1 << 24}} {
		n := size.rows * size.cols
		src := Matrix[T]{familyNamed[T]("normal3").MakeRow(n, 1), size.rows, size.cols, size.cols}
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
func BenchmarkFamilies(b *testing.B) {
	benchKernels(b, benchFamilies[float32], benchFamilies[float64], benchFamilies[Float16], benchFamilies[BFloat16])
}

func benchFamilies[T Float](b *testing.B) {
	type function struct {
		name string
		run  func(dst, src []T)
	}
	functions := []function{{"Softmax", Softmax[T]}, {"LogSoftmax", LogSoftmax[T]}, {"LogSumExp", logSumExpOf[T]}}
	if is32[T]() {
		functions = append(functions, function{"Scores", cappedOf[T]})
	}
	for _, function := range functions {
		for _, n := range []int{16, 64, 4096, 131072} {
			for _, family := range familiesOf[T]() {
				b.Run(fmt.Sprintf("function=%s/n=%d/family=%s", function.name, n, family.Name), func(b *testing.B) {
					src, dst := family.MakeRow(n, 1), make([]T, n)
					for b.Loop() {
						function.run(dst, src)
					}
					report[T](b, n)
				})
			}
		}
	}
}

// cappedOf scales and caps logits, which must be float32.
func cappedOf[T Float](dst, src []T) {
	s, n := Scores{Scale: 0.125, Softcap: 30}, len(src)
	s.Softmax(Matrix[float32]{as32(dst), 1, n, n}, Matrix[float32]{as32(src), 1, n, n})
}

// benchScores measures Scores of a matrix.
func benchScores(b *testing.B, name string, s Scores, src Matrix[float32]) {
	b.Run(name, func(b *testing.B) {
		dst := src
		dst.Data = make([]float32, len(src.Data))
		for b.Loop() {
			s.Softmax(dst, src)
		}
		report[float32](b, src.Rows*src.Cols)
	})
}

func normalMatrix(rows, cols int) Matrix[float32] {
	return Matrix[float32]{familyNamed[float32]("normal3").MakeRow(rows*cols, 1), rows, cols, cols}
}

// BenchmarkScores shows what each step costs. Compare with variant=softmax, which is
// Softmax itself.
func BenchmarkScores(b *testing.B) {
	eachKernel(b, func(b *testing.B) {
		const n = 4096
		src, bias := normalMatrix(1, n), normalMatrix(1, n)
		r, sink := rng(1), float32(2)
		keep := makeKeep(&r, n)
		b.Run("variant=softmax/n=4096", func(b *testing.B) {
			dst := make([]float32, n)
			for b.Loop() {
				Softmax(dst, src.Data)
			}
			report[float32](b, n)
		})
		for _, variant := range []struct {
			name   string
			scores Scores
		}{
			{"plain", Scores{}},
			{"scale", Scores{Scale: 0.125}},
			{"scale+bias", Scores{Scale: 0.125, Bias: bias}},
			{"scale+softcap", Scores{Scale: 0.125, Softcap: 30}},
			{"scale+slope", Scores{Scale: 0.125, Slope: -0.0625, Offset: n - 1}},
			{"scale+keep", Scores{Scale: 0.125, Keep: keep}},
			{"sink", Scores{Sink: &sink}},
			{"everything", Scores{Scale: 0.125, Softcap: 30, Slope: -0.0625, Bias: bias, Keep: keep, Causal: true, Offset: n - 1, Sink: &sink}},
		} {
			benchScores(b, "variant="+variant.name+"/n=4096", variant.scores, src)
		}
		// A row that becomes NaN, but where keys are removed: compare with the same without NaN.
		undefined := normalMatrix(1, n)
		undefined.Data[slices.Index(keep, true)] = float32(math.NaN())
		benchScores(b, "variant=scale+keep, a NaN/n=4096", Scores{Scale: 0.125, Keep: keep}, undefined)
		benchScores(b, "variant=scale+bias, a NaN/n=4096", Scores{Scale: 0.125, Bias: bias}, undefined)
	})
}

// BenchmarkHalf has rows of 16 bits, and such that lead to or from float32. Compare
// with to=float32/from=float32, which is Softmax.
func BenchmarkHalf(b *testing.B) {
	eachKernel(b, func(b *testing.B) {
		benchTo(b, "float32/to=float32", Softmax[float32])
		benchTo(b, "bfloat16/to=float32", SoftmaxToFloat32[BFloat16])
		benchTo(b, "float16/to=float32", SoftmaxToFloat32[Float16])
		benchTo(b, "float16/to=float16", Softmax[Float16])
		benchTo(b, "bfloat16/to=bfloat16", Softmax[BFloat16])
		benchTo(b, "float32/to=float16", SoftmaxFromFloat32[Float16])
		benchTo(b, "float32/to=bfloat16", SoftmaxFromFloat32[BFloat16])
	})
}

func benchTo[D, S Float](b *testing.B, name string, function func(dst []D, src []S)) {
	const n = 4096
	b.Run("from="+name+"/n=4096", func(b *testing.B) {
		src, dst := familyNamed[S]("normal3").MakeRow(n, 1), make([]D, n)
		for b.Loop() {
			function(dst, src)
		}
		report[S](b, n)
	})
}

// BenchmarkCausal compares squares, all of whose keys are visible, with those of which
// a causal mask removes nearly half. Times are per element of the square.
func BenchmarkCausal(b *testing.B) {
	eachKernel(b, func(b *testing.B) {
		for _, n := range []int{512, 1024} {
			src := normalMatrix(n, n)
			benchScores(b, fmt.Sprintf("n=%d/mask=none", n), Scores{Scale: 0.125}, src)
			benchScores(b, fmt.Sprintf("n=%d/mask=causal", n), Scores{Scale: 0.125, Causal: true}, src)
		}
	})
}

// BenchmarkEngines has what inference engines compute: one query for each head while
// text is generated, squares while a prompt is read, patches of an image with a bias
// for their positions, and the next token among a vocabulary.
func BenchmarkEngines(b *testing.B) {
	eachKernel(b, func(b *testing.B) {
		const heads = 32
		for _, n := range []int{128, 1024, 8192} {
			benchScores(b, fmt.Sprintf("shape=decode/heads=%d/n=%d", heads, n), Scores{Scale: 0.125}, normalMatrix(heads, n))
		}
		b.Run("shape=prefill/heads=32/n=512x512", func(b *testing.B) {
			const n = 512
			src, dst := normalMatrix(heads*n, n), make([]float32, heads*n*n)
			s := Scores{Scale: 0.125, Causal: true}
			for b.Loop() {
				for head := range heads {
					at := head * n * n
					s.Softmax(Matrix[float32]{dst[at:], n, n, n}, Matrix[float32]{src.Data[at:], n, n, n})
				}
			}
			report[float32](b, heads*n*n)
		})
		benchScores(b, "shape=vision/n=1000x1000", Scores{Scale: 0.125, Bias: normalMatrix(1000, 1000)}, normalMatrix(1000, 1000))
		for _, n := range []int{32_000, 128_256, 262_144} {
			benchVocabulary(b, "float32", n, Softmax[float32])
			benchVocabulary(b, "bfloat16", n, SoftmaxToFloat32[BFloat16])
		}
	})
}

func benchVocabulary[S Float](b *testing.B, from string, n int, function func(dst []float32, src []S)) {
	b.Run(fmt.Sprintf("shape=vocabulary/from=%s/n=%d", from, n), func(b *testing.B) {
		src, dst := familyNamed[S]("normal3").MakeRow(n, 1), make([]float32, n)
		for b.Loop() {
			function(dst, src)
		}
		report[S](b, n)
	})
}

// BenchmarkAccumulator compares with LogSumExp and Softmax of the same logits.
func BenchmarkAccumulator(b *testing.B) {
	benchKernels(b, benchAccumulator[float32], benchAccumulator[float64])
}

func benchAccumulator[T native](b *testing.B) {
	const n = 131072
	src, dst := familyNamed[T]("normal3").MakeRow(n, 1), make([]T, n)
	var whole, part Accumulator[T]
	whole.Add(src)
	part.Add(src)
	for _, function := range []struct {
		name string
		run  func()
	}{
		{"LogSumExp", func() { logSumExpOf(dst, src) }},
		{"Add", func() { whole.Add(src) }},
		{"Softmax", func() { Softmax(dst, src) }},
		{"Accumulator.Softmax", func() { part.Softmax(dst, src) }},
		{"Accumulator.LogSoftmax", func() { part.LogSoftmax(dst, src) }},
	} {
		b.Run(fmt.Sprintf("function=%s/n=%d", function.name, n), func(b *testing.B) {
			for b.Loop() {
				function.run()
			}
			report[T](b, n)
		})
	}
	b.Run("function=Merge", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			whole.Merge(&part)
		}
	})
}

// BenchmarkMathExp is the loop that Go programs have without this package.
func BenchmarkMathExp(b *testing.B) {
	b.Run("type=float32", benchLengths(mathExpSoftmax[float32]))
	b.Run("type=float64", benchLengths(mathExpSoftmax[float64]))
}

func mathExpSoftmax[T native](dst, src []T) {
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
