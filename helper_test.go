package softmax

// This file is for what several tests share: test data, kernels, comparison.

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

// exhaustive makes TestExp visit every float32, TestKernelRows every pair of
// length and alignment, and TestAccuracy rows of 2^24. It takes minutes.
var exhaustive = flag.Bool("exhaustive", false, "check every float32, alignment and length")

// reduced tells that tests shall do a part of their work: with -short, and where
// the kernel in Go is many times slower than on any processor, as it is on an
// emulated one, or with the race detector.
var reduced = sync.OnceValue(func() bool {
	const slow = 100 * time.Nanosecond // per element
	row := make([]float32, blockLen)
	best := time.Duration(math.MaxInt64)
	for range 5 {
		start := time.Now()
		softmaxRow(kernelGeneric, row, row)
		best = min(best, time.Since(start)/blockLen)
	}
	return !*exhaustive && (testing.Short() || best >= slow)
})

// chosen reports whether a test shall do what has the number i: all, or where
// tests are reduced one in step.
func chosen(i, step int) bool { return i%step == 0 || !reduced() }

// forEachKernel runs f as a subtest for every kernel there is. Those that cannot
// run here are skipped by name, so that the log tells what was not tested.
func forEachKernel(t *testing.T, f func(t *testing.T, k kernel)) {
	for i := range kernelNames {
		k := kernel(i)
		t.Run("kernel="+k.String(), func(t *testing.T) {
			if !slices.Contains(availableKernels(), k) {
				t.Skipf("kernel %s: not available on this processor, GOARCH=%s, or in this build", k, runtime.GOARCH)
			}
			f(t, k)
		})
	}
}

// useKernel makes the public functions use k until the test ends.
func useKernel(t testing.TB, k kernel) {
	previous := active
	active = k
	t.Cleanup(func() { active = previous })
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

// float returns x as a float32. Only the conversion rounds: the product is exact.
func (x fixed) float() float32 { return float32(float64(x) * 0x1p-30) }

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

// family is a kind of row.
type family struct {
	name string
	fill func(r *rng, row []float32)
}

// each fills a row with independent values.
func each(value func(r *rng) float32) func(r *rng, row []float32) {
	return func(r *rng, row []float32) {
		for i := range row {
			row[i] = value(r)
		}
	}
}

// normalTimes returns a family's fill with the distribution N(mean, sigma).
func normalTimes(sigma, mean fixed) func(r *rng, row []float32) {
	return each(func(r *rng) float32 { return (mean*one + sigma*r.normal()).float() })
}

// masked sets each element to mask or to N(0, 3).
func masked(mask float32) func(r *rng, row []float32) {
	return each(func(r *rng) float32 {
		if r.next()>>63 == 0 {
			return mask
		}
		return (3 * r.normal()).float()
	})
}

// spoiled is N(0, 3) but for one element.
func spoiled(value func(r *rng) float32) func(r *rng, row []float32) {
	return func(r *rng, row []float32) {
		normalTimes(3, 0)(r, row)
		row[r.intn(len(row))] = value(r)
	}
}

// ramp rises, or falls for direction -1, by up to an eighth per element.
func ramp(direction fixed) func(r *rng, row []float32) {
	return func(r *rng, row []float32) {
		step := direction * one >> (3 + r.intn(8))
		start := -step * fixed(len(row)/2)
		for i := range row {
			row[i] = (start + step*fixed(i) + r.normal()).float()
		}
	}
}

var (
	negInf = float32(math.Inf(-1))
	posInf = float32(math.Inf(1))
)

// limitCenters are where the rules of row.go change.
var limitCenters = [...]fixed{-16384, -8192, 0, 8190, 8192, 16380, 16384, 16390}

// families are the kinds of rows that every comparison covers.
var families = []family{
	{"normal1", normalTimes(1, 0)},
	{"normal3", normalTimes(3, 0)},
	{"normal10", normalTimes(10, 0)},
	{"uniform50", each(func(r *rng) float32 { return r.uniform(50 * one).float() })},
	{"uniform1000", each(func(r *rng) float32 { return r.uniform(1000 * one).float() })},
	{"offset1000", normalTimes(3, 1000)},
	{"offset1e6", normalTimes(8, 1e6)},
	{"equal", func(r *rng, row []float32) {
		value := r.uniform(20000 * one).float()
		for i := range row {
			row[i] = value
		}
	}},
	{"dominant", spoiled(func(r *rng) float32 { return (60*one + r.uniform(60*one)).float() })},
	{"subnormal-logits", each(func(r *rng) float32 { return math.Float32frombits(uint32(r.next()) & 0x807fffff) })},
	{"subnormal-results", func(r *rng, row []float32) {
		each(func(r *rng) float32 { return (-96*one + r.uniform(10*one)).float() })(r, row)
		row[r.intn(len(row))] = r.uniform(one).float()
	}},
	{"mask-inf", masked(negInf)},
	{"mask-lowest", masked(-math.MaxFloat32)},
	{"mask-3.4e38", masked(-3.4e38)},
	{"mask-first", func(r *rng, row []float32) {
		normalTimes(3, 0)(r, row)
		for i := range row[:len(row)-len(row)/4-1] {
			row[i] = negInf
		}
	}},
	{"zeros", each(func(r *rng) float32 { return math.Float32frombits(uint32(r.next()) & 0x80000000) })},
	{"magnitudes", each(func(r *rng) float32 { // up to 2^14, the smallest below 2^-30
		bits := uint32(r.next())
		return math.Float32frombits(bits&0x807fffff | uint32(96+r.intn(45))<<23)
	})},
	{"ramp-up", ramp(1)},
	{"ramp-down", ramp(-1)},
	{"limits", func(r *rng, row []float32) { // one center per block
		for ; len(row) > 0; row = row[min(blockLen, len(row)):] {
			center := limitCenters[r.intn(len(limitCenters))] * one
			each(func(r *rng) float32 { return (center + 3*r.normal()).float() })(r, row[:min(blockLen, len(row))])
		}
	}},
	{"limits-rising", func(r *rng, row []float32) { // from block to block
		for i := 0; len(row) > 0; i++ {
			center := limitCenters[min(i, len(limitCenters)-1)] * one
			each(func(r *rng) float32 { return (center + 3*r.normal()).float() })(r, row[:min(blockLen, len(row))])
			row = row[min(blockLen, len(row)):]
		}
	}},
	{"limits-mixed", each(func(r *rng) float32 {
		return (limitCenters[r.intn(len(limitCenters))]*one + 3*r.normal()).float()
	})},
	{"levels", func(r *rng, row []float32) {
		// Three kinds: narrow blocks, every second with subnormal results; a wide
		// block and then narrow ones; any mixture.
		kind := r.intn(3)
		for i := 0; len(row) > 0; i++ {
			top, width := -fixed(r.intn(3))*one, one<<r.intn(4)
			if kind == 0 && i%2 == 0 && len(row) > blockLen || kind == 2 && r.intn(2) == 0 {
				top -= fixed(75+r.intn(10)) * one
			}
			if kind == 1 && i == 0 || kind == 2 && r.intn(2) == 0 {
				width = 64 * one
			}
			each(func(r *rng) float32 { return (top - width + r.uniform(width)).float() })(r, row[:min(blockLen, len(row))])
			row = row[min(blockLen, len(row)):]
		}
	}},
	{"last-max", func(r *rng, row []float32) {
		normalTimes(1, 0)(r, row)
		row[len(row)-1] = (20*one + r.uniform(one<<r.intn(16))).float()
	}},
	{"huge", each(func(r *rng) float32 { return math.Float32frombits(uint32(r.next())&0x80ffffff | 0x7e000000) })},
	{"bits-finite", each(func(r *rng) float32 {
		bits := uint32(r.next())
		if bits>>23&0xff == 0xff {
			bits ^= 1 << 30
		}
		return math.Float32frombits(bits)
	})},
	{"bits", each(func(r *rng) float32 { return math.Float32frombits(uint32(r.next())) })},
	{"minus-inf", each(func(*rng) float32 { return negInf })},
	{"plus-inf", spoiled(func(*rng) float32 { return posInf })},
	{"nan", spoiled(func(r *rng) float32 { // any payload and sign
		return math.Float32frombits(0x7f800001 | uint32(r.next())&0x807fffff)
	})},
}

// makeRow returns a row of a family that depends on seed and n.
func (f family) makeRow(n int, seed uint64) []float32 {
	row := make([]float32, n)
	f.fillRow(row, seed)
	return row
}

func (f family) fillRow(row []float32, seed uint64) {
	r := rng(seed<<32 + uint64(len(row)))
	f.fill(&r, row)
}

func familyNamed(name string) family {
	return families[slices.IndexFunc(families, func(f family) bool { return f.name == name })]
}

// isNaN reports whether x is a NaN.
func isNaN(x float32) bool { return x != x }

// difference returns the index of the first element whose bits differ, or -1.
func difference(got, want []float32) int {
	if bytes.Equal(asBytes(got), asBytes(want)) {
		return -1
	}
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			return i
		}
	}
	return -1
}

func asBytes(s []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), 4*len(s))
}

// checkBits reports the first difference between two rows.
func checkBits(t *testing.T, got, want, logits []float32, format string, args ...any) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d elements, want %d", len(got), len(want))
	}
	if i := difference(got, want); i >= 0 {
		t.Errorf(format, args...)
		t.Fatalf("logit %d of %d, %v (%#08x): got %v (%#08x), want %v (%#08x)", i, len(want),
			logits[i], math.Float32bits(logits[i]), got[i], math.Float32bits(got[i]), want[i], math.Float32bits(want[i]))
	}
}

// fence is what stands around a buffer: a NaN that no kernel produces.
const fence = 0x7fdead00

// fenceLen is the number of fences on either side.
const fenceLen = 32

// buffer is a slice that can be moved over all alignments, between fences.
type buffer struct {
	mem []float32 // starts at a 64-byte boundary
	at  int
	n   int
}

func newBuffer(size int) *buffer {
	mem := make([]float32, size+2*fenceLen+32)
	misaligned := int(uintptr(unsafe.Pointer(&mem[0]))%64) / 4
	return &buffer{mem: mem[(16-misaligned)%16:]}
}

// slice returns n elements at offset from a 64-byte boundary, all fences.
func (b *buffer) slice(n, offset int) []float32 {
	b.at, b.n = fenceLen+offset, n
	all := b.mem[:b.at+n+fenceLen]
	for i := range all {
		all[i] = math.Float32frombits(fence)
	}
	return b.mem[b.at:][:n:n]
}

// check fails the test if a fence around the slice was written to.
func (b *buffer) check(t *testing.T, format string, args ...any) {
	t.Helper()
	for i, v := range b.mem[:b.at+b.n+fenceLen] {
		if (i < b.at || i >= b.at+b.n) && math.Float32bits(v) != fence {
			t.Errorf(format, args...)
			t.Fatalf("wrote outside the slice, at index %d of %d", i-b.at, b.n)
		}
	}
}
