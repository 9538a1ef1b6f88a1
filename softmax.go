// Package softmax computes the softmax function with SIMD kernels that return
// the same bits on every processor.
//
//	p[i] = exp(x[i]) / (exp(x[0]) + exp(x[1]) + ... + exp(x[n-1]))
//
// [Softmax], [LogSoftmax] and [LogSumExp] work on one vector; SoftmaxRows and the
// other Rows functions on every row of a [Matrix]; SoftmaxAxis and the other Axis
// functions along any axis of an array of any rank; ParallelSoftmaxRows spreads rows
// over goroutines. Elements are float32, float64, [Float16] or [BFloat16]. [Scores]
// makes attention weights: it scales, caps, biases and masks logits on the way. An
// [Accumulator] takes logits in shards, and [WeightedMerge] puts attention outputs
// over shards together. At start-up the package chooses between kernels in assembly
// (AVX-512, AVX2 with FMA, NEON) and one in Go; [Kernel] tells which one runs.
//
// # Promises
//
// Same bits everywhere. A result depends on nothing but the values of its row:
// not on the processor, the kernel, GOARCH, alignment, working in place, the
// neighbouring rows of a matrix or their stride, the axis, the number of workers,
// the order in which shards are merged, or whether a C library makes the threads of
// the program flush subnormal numbers.
//
// Accuracy does not decay. Every probability is within 4.5 ULP of the exact
// result, or 4 for float64, for finite logits of any spread and any number: that is
// proved. Only adversarial float32 rows exceed 4; in tests of all kinds
// of rows up to 2^24 logits, the worst is 3.2 and the mean below 0.5. ULP is the unit in
// the last place of the exact result, also where that is subnormal. [LogSoftmax] and
// [LogSumExp] say how accurate they are. Results of 16 bits are those of float32,
// rounded once. docs/algorithm.md in the repository derives all this.
//
// Order is kept. x[i] <= x[j] implies p[i] <= p[j]; equal logits get equal
// probabilities wherever they stand.
//
// No slow inputs. Masks, subnormal logits and subnormal probabilities cost
// about what ordinary values cost; short rows of float32 whose largest logit is far
// from 0 take up to 1.7 times as long as others.
//
// No surprises for the rest of the program. Nothing is allocated, arguments do
// not escape to the heap (but for the functions called Parallel), and no call
// into assembly lasts longer than some tens of microseconds, so that the garbage
// collector can always stop the goroutine.
//
// # Special values
//
// A logit of -Inf, and one so far below the largest that its probability is
// under half the smallest subnormal number, gets exactly +0. A row that holds a
// NaN or a +Inf, or nothing but -Inf, becomes all NaN, always with the bits
// 0x7FC00000, or 0x7FF8000000000000 for float64, 0x7E00 for Float16 and 0x7FC0 for
// BFloat16. This is what NumPy, SciPy and PyTorch return. A log-softmax becomes all
// NaN for the same rows; log-sum-exp has a value for most of them, as SciPy's has.
// Attention weights of a row without keys are zeros: see [Scores.Softmax].
//
// # Choosing a kernel
//
// The environment variable SOFTMAX_KERNEL, read once at start-up, selects a
// kernel: generic, avx2, avx512 or neon. An unknown name, or a kernel that this
// processor cannot run, leaves the best one in place. The build tag purego
// leaves all assembly out.
//
// # Method
//
// The maximum is not subtracted from the logits, because x - max rounds.
// Instead each exponential is computed as 2^m * T[j] * (1 + q), and the sum is
// kept in range by shifting the integer m, which is exact. The file row.go
// describes the algorithm, softmax_generic.go the arithmetic.
package softmax

import (
	"fmt"
	"math"
	"unsafe"
)

// Float is the set of element types of the functions in this package. It may
// grow: do not switch exhaustively on it.
//
// Float16 and BFloat16 are integers to the compiler: convert them with their method
// Float32, [ToFloat16] and [ToBFloat16], never with Go's conversions.
type Float interface {
	float32 | float64 | Float16 | BFloat16
}

// Softmax writes the softmax of the logits in src to dst, which must have the
// same length. dst and src may be the same slice; any other overlap panics. The
// slices may stand at any address, also one that is no multiple of an element's size
// where the processor can load it. An empty src is left as it is.
//
// Logits are natural-logarithm units, as in NumPy, SciPy, TensorFlow and
// PyTorch. Probabilities are within 4.5 ULP of the exact result, or 4 for float64, add
// up to 1 but for their rounding, and keep the order of the logits. The package
// comment says what becomes of NaN, infinities and very small probabilities.
//
// Softmax panics, before anything is written, if the lengths differ or if dst
// and src overlap without being the same slice.
//
// Source: working on exponents instead of subtracting the maximum goes back to
// M. Dukhan and A. Ablavatski, "The Two-Pass Softmax Algorithm" (2020).
func Softmax[T Float](dst, src []T) {
	switch {
	case !valid(dst, src):
		refuse("Softmax", len(dst), len(src))
	case is32[T]() && len(src) <= block32:
		softmaxBlocks32(active, first[float32](dst), first[float32](src), len(src), 1, 0, 0)
	case is64[T]() && len(src) <= block64:
		softmaxBlocks64(active, first[float64](dst), first[float64](src), len(src), 1, 0, 0)
	default:
		run(active, opSoftmax, dst, src)
	}
}

// LogSoftmax writes the logarithm of the softmax of the logits in src to dst,
// which must have the same length: x[i] less the log-sum-exp of all. dst and src
// may be the same slice; any other overlap panics. An empty src is left as it is.
//
// Results are natural logarithms, never above 0, and keep the order of the
// logits. Where a result is -1 or less it is within 4 ULP of the exact one;
// nearer to 0 its absolute error is below 4 * 2^-24, or 4 * 2^-53 for float64. One of
// 16 bits is the float32 one, rounded. A single element gives 0. A logit of -Inf gives
// -Inf. A row that holds a NaN or a +Inf, or nothing but -Inf, becomes all NaN, as with
// [Softmax].
//
// The logarithm of a probability that is too small for [Softmax] is still
// accurate here; that is why one should not take the logarithm of its result.
//
// LogSoftmax panics, before anything is written, if the lengths differ or if dst
// and src overlap without being the same slice.
//
// Source: it is log_softmax of SciPy, TensorFlow and PyTorch.
func LogSoftmax[T Float](dst, src []T) {
	switch {
	case !valid(dst, src):
		refuse("LogSoftmax", len(dst), len(src))
	case is32[T]() && len(src) <= block32:
		logSoftmaxBlock(active, first[float32](dst), first[float32](src), len(src))
	case is64[T]() && len(src) <= block64:
		logSoftmaxBlock(active, first[float64](dst), first[float64](src), len(src))
	default:
		run(active, opLogSoftmax, dst, src)
	}
}

// LogSumExp returns ln(e^x[0] + e^x[1] + ... + e^x[n-1]), without overflow.
//
// A result of 1 or more in magnitude is within 4 ULP of the exact one; nearer to 0
// its absolute error is below 4.5 * 2^-24, or 4 * 2^-53 for float64. That of 16 bits is
// the float32 one, rounded. The result of a single element is that element, but that of
// -0 is 0. An element of -Inf adds nothing: nothing but -Inf gives -Inf, and so does an
// empty src. A +Inf gives +Inf, and a NaN anywhere gives NaN.
//
// Source: it is logsumexp of SciPy and PyTorch and reduce_logsumexp of
// TensorFlow, with SciPy's special values.
func LogSumExp[T Float](src []T) T {
	switch {
	case len(src) == 0:
		return fromFloat[T](math.Inf(-1))
	case is32[T]() && len(src) <= block32:
		return T(logSumExpBlock(active, first[float32](src), len(src)))
	case is64[T]() && len(src) <= block64:
		return T(logSumExpBlock(active, first[float64](src), len(src)))
	}
	var dst [1]T
	run(active, opLogSumExp, dst[:], src)
	return dst[0]
}

// run does op to one non-empty row.
func run[T Float](k kernel, op operation, dst, src []T) {
	switch {
	case is32[T]():
		nativeRow(k, op, as32(dst), as32(src))
	case is64[T]():
		nativeRow(k, op, as64(dst), as64(src))
	default:
		halfRows(k, op, dst, src, len(src), 1, len(src), len(src))
	}
}

// nativeRow is run for elements that are computed in their own type.
func nativeRow[T native](k kernel, op operation, dst, src []T) {
	switch op {
	case opSoftmax:
		softmaxRow(k, dst, src)
	case opLogSoftmax:
		logSoftmaxRow(k, dst, src)
	case opLogSumExp:
		dst[0] = logSumExpRow(k, src)
	}
}

// checkVectors panics unless dst and src may be the arguments of a function, and
// reports whether there is anything to do.
func checkVectors[T Float](function string, dst, src []T) bool {
	if valid(dst, src) {
		return true
	}
	refuse(function, len(dst), len(src))
	return false
}

// valid reports whether dst and src may be the arguments of a function, and are not
// empty. Unlike checkVectors it costs no call.
func valid[T Float](dst, src []T) bool {
	return len(dst) == len(src) && apart(unsafe.Pointer(unsafe.SliceData(dst)), unsafe.Pointer(unsafe.SliceData(src)), len(src)*int(unsafe.Sizeof(T(0))))
}

// refuse panics unless slices of these lengths, which are not valid, are just empty.
func refuse(function string, dst, src int) {
	switch {
	case dst != src:
		panic(fmt.Sprintf("softmax: %s: len(dst)=%d, len(src)=%d", function, dst, src))
	case src > 0:
		panic(fmt.Sprintf("softmax: %s: dst and src overlap without being the same slice", function))
	}
}

// apart reports whether so many bytes at two places are the same, or share none. Of no
// bytes it is false.
func apart(a, b unsafe.Pointer, bytes int) bool {
	// Where they overlap the distance is small, or nearly 2^64.
	size, distance := uintptr(bytes), uintptr(a)-uintptr(b)
	return size > 0 && (distance == 0 || distance+size-1 >= 2*size-1)
}

// overlap reports whether two slices share memory.
func overlap[A, B any](a []A, b []B) bool {
	if len(a) == 0 || len(b) == 0 {
		return false
	}
	aStart, bStart := uintptr(unsafe.Pointer(&a[0])), uintptr(unsafe.Pointer(&b[0]))
	aSize, bSize := uintptr(len(a))*unsafe.Sizeof(a[0]), uintptr(len(b))*unsafe.Sizeof(b[0])
	return aStart < bStart+bSize && bStart < aStart+aSize
}
