// Package softmax computes the softmax function with SIMD kernels that return
// the same bits on every processor.
//
//	p[i] = exp(x[i]) / (exp(x[0]) + exp(x[1]) + ... + exp(x[n-1]))
//
// [Softmax] normalises one vector of logits, [SoftmaxRows] every row of a
// [Matrix]. Both choose at start-up between kernels in assembly (AVX-512, AVX2
// with FMA, NEON) and one in Go; [Kernel] tells which one runs.
//
// # Promises
//
// Same bits everywhere. The result depends on nothing but the values of the
// row: not on the processor, the kernel, GOARCH, alignment, working in place,
// the neighbouring rows of a matrix or their stride.
//
// Accuracy does not decay. Every probability is within 4 ULP of the exact
// result for finite logits of any spread and for every length up to 2^24; the
// mean error is below 0.5 ULP. ULP is the unit in the last place of the exact
// result, also where that is subnormal.
//
// Order is kept. x[i] <= x[j] implies p[i] <= p[j]; equal logits get equal
// probabilities wherever they stand.
//
// No slow inputs. Masks, subnormal logits and subnormal probabilities cost
// about what ordinary values cost.
//
// No surprises for the rest of the program. Nothing is allocated, arguments do
// not escape to the heap, and no call into assembly lasts longer than some tens
// of microseconds, so that the garbage collector can always stop the goroutine.
//
// # Special values
//
// A logit of -Inf, and one so far below the largest that its probability is
// under half the smallest subnormal number, gets exactly +0. A row that holds a
// NaN or a +Inf, or nothing but -Inf, becomes all NaN, always with the bits
// 0x7FC00000. This is what NumPy, SciPy and PyTorch return.
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
	"unsafe"
)

// Float is the set of element types of the functions in this package. It will
// grow; write code that names a member, or is itself generic over Float.
type Float interface {
	float32
}

// Softmax writes the softmax of the logits in src to dst, which must have the
// same length. dst and src may be the same slice; any other overlap panics. The
// slices may stand at any alignment. An empty src is left as it is.
//
// Logits are natural-logarithm units, as in NumPy, SciPy, TensorFlow and
// PyTorch. Probabilities are within 4 ULP of the exact result, add up to 1 but
// for their rounding, and keep the order of the logits. The package comment
// says what becomes of NaN, infinities and very small probabilities.
//
// Softmax panics, before anything is written, if the lengths differ or if dst
// and src overlap without being the same slice.
//
// Source: working on exponents instead of subtracting the maximum goes back to
// M. Dukhan and A. Ablavatski, "The Two-Pass Softmax Algorithm" (2020).
func Softmax[T Float](dst, src []T) {
	if len(dst) != len(src) {
		panic(lengthMismatch("Softmax", len(dst), len(src)))
	}
	if len(src) == 0 {
		return
	}
	d, s := unsafe.SliceData(dst), unsafe.SliceData(src)
	if d != s && spansOverlap(unsafe.Pointer(d), unsafe.Pointer(s), uintptr(len(src))*unsafe.Sizeof(*s)) {
		panic(partialOverlap("Softmax"))
	}
	softmaxRow(active, asFloat32(dst), asFloat32(src))
}

// asFloat32 views s, whose elements are float32, as what it is: in a generic
// function the compiler cannot see that.
func asFloat32[T Float](s []T) []float32 {
	return *(*[]float32)(unsafe.Pointer(&s))
}

// spansOverlap reports whether the size bytes at a and those at b share any.
func spansOverlap(a, b unsafe.Pointer, size uintptr) bool {
	return uintptr(a) < uintptr(b)+size && uintptr(b) < uintptr(a)+size
}

func lengthMismatch(function string, dst, src int) string {
	return fmt.Sprintf("softmax: %s: len(dst)=%d, len(src)=%d", function, dst, src)
}

func partialOverlap(function string) string {
	return fmt.Sprintf("softmax: %s: dst and src overlap without being the same slice", function)
}
