package softmax

// This file is for what several tests share: kernels and element types, test
// data, comparison.

import (
	"bytes"
	"flag"
	"math"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/seed174f7dca/softmax/internal/corpus"
)

// exhaustive makes TestExp, TestTanh and TestToHalfOfAll visit every float32,
// TestKernelRows every pair of length and alignment, and TestAccuracy rows of 2^24. It
// takes minutes.
var exhaustive = flag.Bool("exhaustive", false, "check every float32, alignment and length")

// reduced tells that tests shall do a part of their work: with -short, and where
// the kernel in Go is many times slower than on any processor, as it is on an
// emulated one, or with the race detector.
func reduced() bool { return !*exhaustive && (testing.Short() || emulated()) }

// emulated reports whether the kernel in Go is many times slower than on any processor.
var emulated = sync.OnceValue(func() bool {
	const slow = 100 * time.Nanosecond // per element
	row := make([]float32, blockLen[float32]())
	best := time.Duration(math.MaxInt64)
	for range 5 {
		start := time.Now()
		softmaxRow(kernelGeneric, row, row)
		best = min(best, time.Since(start)/time.Duration(len(row)))
	}
	return best >= slow
})

// chosen reports whether a test shall do what has the number i: all, or where
// tests are reduced one in step.
func chosen(i, step int) bool { return i%step == 0 || !reduced() }

// forEachKernel runs a test as a subtest for every kernel there is. Those that
// cannot run here are skipped by name, so that the log tells what was not tested.
func forEachKernel(t *testing.T, test func(t *testing.T, k kernel)) {
	for i := range kernelNames {
		k := kernel(i)
		t.Run("kernel="+k.String(), func(t *testing.T) {
			if !slices.Contains(availableKernels(), k) {
				t.Skipf("kernel %s: not available on this processor, GOARCH=%s, or in this build", k, runtime.GOARCH)
			}
			test(t, k)
		})
	}
}

// forEachType runs the two instances of a generic test as subtests.
func forEachType(t *testing.T, test32, test64 func(t *testing.T)) {
	t.Run("type=float32", test32)
	t.Run("type=float64", test64)
}

// forEachFloat runs the four instances of a generic test as subtests.
func forEachFloat(t *testing.T, test32, test64, test16, testB16 func(t *testing.T)) {
	forEachType(t, test32, test64)
	forEachHalf(t, test16, testB16)
}

// forEachHalf runs the two instances of a generic test of elements of 16 bits.
func forEachHalf(t *testing.T, test16, testB16 func(t *testing.T)) {
	t.Run("type=float16", test16)
	t.Run("type=bfloat16", testB16)
}

// forEachKernelAndType runs the two instances of a generic test for every kernel.
func forEachKernelAndType(t *testing.T, test32, test64 func(t *testing.T, k kernel)) {
	forEachKernel(t, func(t *testing.T, k kernel) {
		forEachType(t,
			func(t *testing.T) { test32(t, k) },
			func(t *testing.T) { test64(t, k) })
	})
}

// forEachKernelAndFloat runs the four instances of a generic test for every kernel.
func forEachKernelAndFloat(t *testing.T, test32, test64, test16, testB16 func(t *testing.T, k kernel)) {
	forEachKernel(t, func(t *testing.T, k kernel) {
		forEachFloat(t,
			func(t *testing.T) { test32(t, k) },
			func(t *testing.T) { test64(t, k) },
			func(t *testing.T) { test16(t, k) },
			func(t *testing.T) { testB16(t, k) })
	})
}

// forEachKernelAndHalf runs the two instances of a generic test of elements of 16
// bits for every kernel.
func forEachKernelAndHalf(t *testing.T, test16, testB16 func(t *testing.T, k kernel)) {
	forEachKernel(t, func(t *testing.T, k kernel) {
		forEachHalf(t,
			func(t *testing.T) { test16(t, k) },
			func(t *testing.T) { testB16(t, k) })
	})
}

// needMisaligned skips a test where processors cannot load numbers at any address.
func needMisaligned(t *testing.T) {
	switch runtime.GOARCH {
	case "arm", "mips", "mipsle", "mips64", "mips64le":
		t.Skipf("GOARCH=%s: numbers that are not aligned cannot be loaded", runtime.GOARCH)
	}
}

// useKernel makes the public functions use k until the test ends.
func useKernel(t testing.TB, k kernel) {
	previous := active
	active = k
	t.Cleanup(func() { active = previous })
}

// rowFunction is a function of a row with results for each element.
type rowFunction[T native] struct {
	name string
	run  func(k kernel, dst, src []T)
}

// rowFunctions are those of row.go, softmax first. So that log-sum-exp is one of
// them, it fills dst.
func rowFunctions[T native]() []rowFunction[T] {
	return []rowFunction[T]{
		{"softmax", softmaxRow[T]},
		{"log-softmax", logSoftmaxRow[T]},
		{"log-sum-exp", func(k kernel, dst, src []T) { fill(dst, logSumExpRow(k, src)) }},
	}
}

// blockOf returns the number of elements in a block of the type that T is computed in.
func blockOf[T Float]() int {
	if is64[T]() {
		return blockLen[float64]()
	}
	return blockLen[float32]()
}

// half is the set of element types of 16 bits.
type half interface {
	Float16 | BFloat16
	Float32() float32
}

func formatOf[T Float]() corpus.Format {
	switch {
	case is32[T]():
		return corpus.Binary32
	case is64[T]():
		return corpus.Binary64
	case isFloat16[T]():
		return corpus.Binary16
	default:
		return corpus.BFloat16
	}
}

func bitsOf[T Float](x T) uint64 {
	switch {
	case is32[T]():
		return uint64(math.Float32bits(float32(x)))
	case is64[T]():
		return math.Float64bits(float64(x))
	default:
		return uint64(x)
	}
}

func fromBits[T Float](bits uint64) T {
	switch {
	case is32[T]():
		return T(math.Float32frombits(uint32(bits)))
	case is64[T]():
		return T(math.Float64frombits(bits))
	default:
		return T(uint16(bits))
	}
}

func infinity[T Float](sign int) T { return fromFloat[T](math.Inf(sign)) }

// largest returns the largest finite number.
func largest[T Float]() T { return fromBits[T](formatOf[T]().Infinity - 1) }

// smallest returns the smallest positive number, which is subnormal.
func smallest[T Float]() T { return fromBits[T](1) }

// isNaN reports whether x is a NaN.
func isNaN[T native](x T) bool { return x != x }

// rounded returns x in 16 bits.
func rounded[T half](x float32) T {
	if isFloat16[T]() {
		return T(ToFloat16(x))
	}
	return T(ToBFloat16(x))
}

// roundedRow returns the elements of a row in 16 bits.
func roundedRow[T half](row []float32) []T {
	narrow := make([]T, len(row))
	for i, x := range row {
		narrow[i] = rounded[T](x)
	}
	return narrow
}

// wideRow returns the elements of a row as float32.
func wideRow[T half](row []T) []float32 {
	wide := make([]float32, len(row))
	for i, x := range row {
		wide[i] = x.Float32()
	}
	return wide
}

// rng and family make test data that is the same on every architecture.
type (
	rng             = corpus.RNG
	family[T Float] = corpus.Family[T]
)

// The corpus crosses the limits of this package: their constants are equal.
var (
	_ [corpus.AnchorStep]int = [anchorStep]int{}
	_ [corpus.BlockBytes]int = [blockBytes]int{}
)

// familiesOf returns the kinds of rows that every comparison covers.
func familiesOf[T Float]() []family[T] {
	switch {
	case is32[T]():
		return castSlice[family[T]](corpus.Families[float32]())
	case is64[T]():
		return castSlice[family[T]](corpus.Families[float64]())
	case isFloat16[T]():
		return castSlice[family[T]](halfFamilies[Float16]())
	default:
		return castSlice[family[T]](halfFamilies[BFloat16]())
	}
}

// halfFamilies are those of float32, rounded to 16 bits, and any bits.
func halfFamilies[T half]() (families []family[T]) {
	for _, f := range corpus.Families[float32]() {
		families = append(families, family[T]{Name: f.Name, Fill: func(r *rng, row []T) {
			wide := make([]float32, len(row))
			f.Fill(r, wide)
			copy(row, roundedRow[T](wide))
		}})
	}
	return append(families, family[T]{Name: "bits16", Fill: func(r *rng, row []T) {
		for i := range row {
			row[i] = T(r.Next())
		}
	}})
}

func familyNamed[T Float](name string) family[T] {
	families := familiesOf[T]()
	return families[slices.IndexFunc(families, func(f family[T]) bool { return f.Name == name })]
}

// difference returns the index of the first element whose bits differ, or -1.
func difference[T Float](got, want []T) int {
	if bytes.Equal(asBytes(got), asBytes(want)) {
		return -1
	}
	for i := range want {
		if bitsOf(got[i]) != bitsOf(want[i]) {
			return i
		}
	}
	return -1
}

func asBytes[T Float](s []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), sizeOf(s))
}

// checkBits reports the first difference between two rows.
func checkBits[T Float](t *testing.T, got, want, logits []T, format string, args ...any) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d elements, want %d", len(got), len(want))
	}
	if i := difference(got, want); i >= 0 {
		t.Errorf(format, args...)
		t.Fatalf("logit %d of %d, %v (%#x): got %v (%#x), want %v (%#x)", i, len(want),
			logits[i], bitsOf(logits[i]), got[i], bitsOf(got[i]), want[i], bitsOf(want[i]))
	}
}

// fenceOf returns what stands around a buffer: a NaN that no kernel produces.
func fenceOf[T Float]() T { return fromBits[T](bitsOf(nan[T]()) | 0x1dead) }

// fenceLen is the number of fences on either side.
const fenceLen = 32

// alignments returns how many elements 64 bytes hold: an element can stand at so
// many places in a cache line.
func alignments[T Float]() int { return 64 / int(unsafe.Sizeof(T(0))) }

// buffer is a slice that can be moved over all alignments, between fences.
type buffer[T Float] struct {
	mem []T // starts at a 64-byte boundary
	at  int
	n   int
}

func newBuffer[T Float](size int) *buffer[T] {
	a := alignments[T]()
	mem := make([]T, size+2*fenceLen+2*a)
	misaligned := int(uintptr(unsafe.Pointer(&mem[0]))%64) * a / 64
	return &buffer[T]{mem: mem[(a-misaligned)%a:]}
}

// slice returns n elements, all fences. offset, modulo alignments, is where they
// start behind a 64-byte boundary.
func (b *buffer[T]) slice(n, offset int) []T {
	b.at, b.n = fenceLen+offset%alignments[T](), n
	fill(b.mem[:b.at+n+fenceLen], fenceOf[T]())
	return b.mem[b.at:][:n:n]
}

// check fails the test if a fence around the slice was written to.
func (b *buffer[T]) check(t *testing.T, format string, args ...any) {
	t.Helper()
	fence := bitsOf(fenceOf[T]())
	for i, v := range b.mem[:b.at+b.n+fenceLen] {
		if (i < b.at || i >= b.at+b.n) && bitsOf(v) != fence {
			t.Errorf(format, args...)
			t.Fatalf("wrote outside the slice, at index %d of %d", i-b.at, b.n)
		}
	}
}
