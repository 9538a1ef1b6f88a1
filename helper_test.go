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
)

// exhaustive makes TestExp, TestTanh and TestToHalfOfAll visit every float32,
// TestKernelRows every pair of length and alignment, and TestAccuracy rows of 2^24. It
// takes minutes.
var exhaustive = flag.Bool("exhaustive", false, "check every float32, alignment and length")

// reduced tells that tests shall do a part of their work: with -short, and where
// the kernel in Go is many times slower than on any processor, as it is on an
// emulated one, or with the race detector.
var reduced = sync.OnceValue(func() bool {
	const slow = 100 * time.Nanosecond // per element
	row := make([]float32, blockLen[float32]())
	best := time.Duration(math.MaxInt64)
	for range 5 {
		start := time.Now()
		softmaxRow(kernelGeneric, row, row)
		best = min(best, time.Since(start)/time.Duration(len(row)))
	}
	return !*exhaustive && (testing.Short() || best >= slow)
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

// format describes an element type as IEEE 754 does.
type format struct {
	fractionBits int    // of the significand, without the leading one
	minExponent  int    // of the normal numbers
	sign         uint64 // the sign bit
	fraction     uint64 // the bits of the fraction
	infinity     uint64 // the bits of +Inf
}

func formatOf[T Float]() format {
	switch {
	case is32[T]():
		return format{23, -126, 1 << 31, 1<<23 - 1, 0xff << 23}
	case is64[T]():
		return format{52, -1022, 1 << 63, 1<<52 - 1, 0x7ff << 52}
	case isFloat16[T]():
		return format{10, -14, 1 << 15, 1<<10 - 1, 0x1f << 10}
	default:
		return format{7, -126, 1 << 15, 1<<7 - 1, 0xff << 7}
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
func largest[T Float]() T { return fromBits[T](formatOf[T]().infinity - 1) }

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

// rng is the generator splitmix64. Test data is made of its integers by exact
// operations and one rounding, so that it is the same on every architecture.
//
// Source: G. Steele, D. Lea and C. Flood, "Fast Splittable Pseudorandom Number
// Generators" (2014).
type rng uint64

func (r *rng) next() uint64 {
	*r += 0x9e3779b97f4a7c15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// intn returns an integer in [0, n), where n is below 2^31.
func (r *rng) intn(n int) int { return int(r.next() >> 33 % uint64(n)) }

// fixed is a number of steps of 2^-30.
type fixed int64

const one fixed = 1 << 30

// uniform returns a number in [-limit, limit).
func (r *rng) uniform(limit fixed) fixed { return fixed(r.next()%uint64(2*limit)) - limit }

// normal returns a number with mean 0 and variance 1: the sum of twelve uniform
// ones, within 6 of the mean.
func (r *rng) normal() fixed {
	const mask = 1<<20 - 1
	sum, bits := fixed(-6<<20), uint64(0)
	for range 4 {
		bits = r.next()
		sum += fixed(bits&mask) + fixed(bits>>20&mask) + fixed(bits>>40&mask)
	}
	return sum<<10 + fixed(bits>>54)
}

// number returns x, and for float64 a random part of a step more, so that no bit
// of the fraction is always 0. All products are exact: one operation rounds.
func number[T native](r *rng, x fixed) T {
	if is32[T]() {
		return T(float64(x) * 0x1p-30)
	}
	return T(float64(float64(x)*0x1p-30) + float64(float64(r.next()>>11)*0x1p-83))
}

// family is a kind of row.
type family[T Float] struct {
	name string
	fill func(r *rng, row []T)
}

// each fills a row with independent values.
func each[T native](value func(r *rng) T) func(r *rng, row []T) {
	return func(r *rng, row []T) {
		for i := range row {
			row[i] = value(r)
		}
	}
}

// eachNumber fills a row with independent numbers.
func eachNumber[T native](value func(r *rng) fixed) func(r *rng, row []T) {
	return each(func(r *rng) T { return number[T](r, value(r)) })
}

// normalTimes fills a row with the distribution N(mean, sigma).
func normalTimes[T native](sigma, mean fixed) func(r *rng, row []T) {
	return eachNumber[T](func(r *rng) fixed { return mean*one + sigma*r.normal() })
}

// uniformAround fills a row with numbers within width of a mean.
func uniformAround[T native](mean, width fixed) func(r *rng, row []T) {
	return eachNumber[T](func(r *rng) fixed { return mean*one + r.uniform(width*one) })
}

// masked sets each element to mask or to N(0, 3).
func masked[T native](mask T) func(r *rng, row []T) {
	return each(func(r *rng) T {
		if r.next()>>63 == 0 {
			return mask
		}
		return number[T](r, 3*r.normal())
	})
}

// spoiled is N(0, 3) but for one element.
func spoiled[T native](value func(r *rng) T) func(r *rng, row []T) {
	return func(r *rng, row []T) {
		normalTimes[T](3, 0)(r, row)
		row[r.intn(len(row))] = value(r)
	}
}

// ramp rises, or falls for direction -1, by up to an eighth per element.
func ramp[T native](direction fixed) func(r *rng, row []T) {
	return func(r *rng, row []T) {
		step := direction * one >> (3 + r.intn(8))
		start := -step * fixed(len(row)/2)
		for i := range row {
			row[i] = number[T](r, start+step*fixed(i)+r.normal())
		}
	}
}

// eachBlock fills the blocks of a row, one after the other.
func eachBlock[T native](r *rng, row []T, fill func(i int) func(r *rng, row []T)) {
	for i := 0; len(row) > 0; i++ {
		n := min(blockLen[T](), len(row))
		fill(i)(r, row[:n])
		row = row[n:]
	}
}

// limitCenters are where the rules of row.go change.
var limitCenters = [...]fixed{-16384, -8192, 0, 8190, 8192, 16380, 16384, 16390}

// depths are distances between logits that matter to an element type.
type depths struct {
	subnormal fixed // a result so far below the largest is nearly subnormal
	zero      fixed // one so far below is 0
	dominant  fixed // halfway to that
	wide      fixed // a block so wide has exponentials below 2
}

func depthsOf[T native]() depths {
	if is32[T]() {
		return depths{subnormal: 86, zero: 106, dominant: 60, wide: 64}
	}
	return depths{subnormal: 707, zero: 747, dominant: 400, wide: 512}
}

// familiesOf returns the kinds of rows that every comparison covers.
func familiesOf[T Float]() []family[T] {
	switch {
	case is32[T]():
		return castSlice[family[T]](nativeFamilies[float32]())
	case is64[T]():
		return castSlice[family[T]](nativeFamilies[float64]())
	case isFloat16[T]():
		return castSlice[family[T]](halfFamilies[Float16]())
	default:
		return castSlice[family[T]](halfFamilies[BFloat16]())
	}
}

// halfFamilies are those of float32, rounded to 16 bits, and any bits.
func halfFamilies[T half]() (families []family[T]) {
	for _, f := range nativeFamilies[float32]() {
		families = append(families, family[T]{f.name, func(r *rng, row []T) {
			wide := make([]float32, len(row))
			f.fill(r, wide)
			copy(row, roundedRow[T](wide))
		}})
	}
	return append(families, family[T]{"bits16", func(r *rng, row []T) {
		for i := range row {
			row[i] = T(r.next())
		}
	}})
}

func nativeFamilies[T native]() []family[T] {
	f, depth := formatOf[T](), depthsOf[T]()
	negInf := infinity[T](-1)
	return []family[T]{
		{"normal1", normalTimes[T](1, 0)},
		{"normal3", normalTimes[T](3, 0)},
		{"normal10", normalTimes[T](10, 0)},
		{"uniform50", uniformAround[T](0, 50)},
		{"uniform1000", uniformAround[T](0, 1000)},
		{"offset1000", normalTimes[T](3, 1000)},
		{"offset1e6", normalTimes[T](8, 1e6)},
		{"equal", func(r *rng, row []T) { fill(row, number[T](r, r.uniform(20000*one))) }},
		{"dominant", spoiled(func(r *rng) T { return number[T](r, depth.dominant*one+r.uniform(depth.dominant*one)) })},
		{"subnormal-logits", each(func(r *rng) T { return fromBits[T](r.next() & (f.sign | f.fraction)) })},
		{"subnormal-results", func(r *rng, row []T) {
			uniformAround[T](-(depth.zero+depth.subnormal)/2, (depth.zero-depth.subnormal)/2)(r, row)
			row[r.intn(len(row))] = number[T](r, r.uniform(one))
		}},
		{"mask-inf", masked(negInf)},
		{"mask-lowest", masked(-largest[T]())},
		{"mask-3.4e38", masked[T](-3.4e38)},
		{"mask-first", func(r *rng, row []T) {
			normalTimes[T](3, 0)(r, row)
			fill(row[:len(row)-len(row)/4-1], negInf)
		}},
		{"zeros", each(func(r *rng) T { return fromBits[T](r.next() & f.sign) })},
		{"magnitudes", each(func(r *rng) T { // up to 2^14, the smallest below the last place of 1
			least := 8 + f.fractionBits
			bits := r.next() & (f.sign | f.fraction)
			return fromBits[T](bits | uint64(1-f.minExponent-least+r.intn(14+least))<<f.fractionBits)
		})},
		{"ramp-up", ramp[T](1)},
		{"ramp-down", ramp[T](-1)},
		{"limits", func(r *rng, row []T) { // one center per block
			eachBlock(r, row, func(int) func(*rng, []T) {
				return normalTimes[T](3, limitCenters[r.intn(len(limitCenters))])
			})
		}},
		{"limits-rising", func(r *rng, row []T) { // from block to block
			eachBlock(r, row, func(i int) func(*rng, []T) {
				return normalTimes[T](3, limitCenters[min(i, len(limitCenters)-1)])
			})
		}},
		{"limits-mixed", eachNumber[T](func(r *rng) fixed {
			return limitCenters[r.intn(len(limitCenters))]*one + 3*r.normal()
		})},
		{"anchors", func(r *rng, row []T) { // blocks on both sides of a place where anchors change
			multiples := [...]fixed{-123, -3, -2, 2, 3, 4, 123}
			change := multiples[r.intn(len(multiples))] * anchorStep
			eachBlock(r, row, func(int) func(*rng, []T) {
				return normalTimes[T](fixed(r.intn(4)), change+fixed(r.intn(41)-20))
			})
		}},
		{"levels", func(r *rng, row []T) {
			// Three kinds: narrow blocks, every second with subnormal results; a wide
			// block and then narrow ones; any mixture.
			kind := r.intn(3)
			eachBlock(r, row, func(i int) func(*rng, []T) {
				top, width := -fixed(r.intn(3)), fixed(1)<<r.intn(4)
				last := len(row) <= (i+1)*blockLen[T]()
				if kind == 0 && i%2 == 0 && !last || kind == 2 && r.intn(2) == 0 {
					top -= depth.subnormal - 11 + fixed(r.intn(10))
				}
				if kind == 1 && i == 0 || kind == 2 && r.intn(2) == 0 {
					width = depth.wide
				}
				return uniformAround[T](top-width, width)
			})
		}},
		{"last-max", func(r *rng, row []T) {
			normalTimes[T](1, 0)(r, row)
			row[len(row)-1] = number[T](r, 20*one+r.uniform(one<<r.intn(16)))
		}},
		{"huge", each(func(r *rng) T { // one of the two largest exponents
			return fromBits[T](r.next()&(f.sign|f.fraction<<1|1) | (f.infinity - 3*(f.fraction+1)))
		})},
		{"bits-finite", each(func(r *rng) T {
			bits := r.next()
			if bits&f.infinity == f.infinity {
				bits ^= f.sign >> 1
			}
			return fromBits[T](bits)
		})},
		{"bits", each(func(r *rng) T { return fromBits[T](r.next()) })},
		{"minus-inf", each(func(*rng) T { return negInf })},
		{"plus-inf", spoiled(func(*rng) T { return infinity[T](1) })},
		{"nan", spoiled(func(r *rng) T { // any payload and sign
			return fromBits[T](f.infinity + 1 | r.next()&(f.sign|f.fraction))
		})},
	}
}

// makeRow returns a row of a family that depends on seed and n.
func (f family[T]) makeRow(n int, seed uint64) []T {
	row := make([]T, n)
	f.fillRow(row, seed)
	return row
}

func (f family[T]) fillRow(row []T, seed uint64) {
	r := rng(seed<<32 + uint64(len(row)))
	f.fill(&r, row)
}

func familyNamed[T Float](name string) family[T] {
	families := familiesOf[T]()
	return families[slices.IndexFunc(families, func(f family[T]) bool { return f.name == name })]
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
