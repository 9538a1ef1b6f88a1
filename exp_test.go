package softmax

// This file checks the exponential that all kernels share over every float32.

import (
	"math"
	"runtime"
	"sync"
	"testing"
	"time"
)

const (
	// maxExpULP bounds the error of an exponential. The worst is 0.997.
	maxExpULP = 1.0

	// sampleStride is the distance of the float32 that are checked by default, and
	// tinyStride that of those below 2^-30, which all have the same exponential.
	sampleStride = 101
	tinyStride   = 4099

	// patience is how long an exhaustive run may take.
	patience = 5 * time.Minute
)

// Every float32 below exactLimit has an index, in ascending order: that of +0
// is 0, that of -x is minus that of x.
var (
	lastIndex = int64(math.Float32bits(exactLimit)) - 1
	tinyIndex = int64(math.Float32bits(0x1p-30))
)

func indexed(i int64) float32 {
	if i < 0 {
		return -math.Float32frombits(uint32(-i))
	}
	return math.Float32frombits(uint32(i))
}

// span is a range of indices.
type span struct{ first, last, stride int64 }

// expSpans cuts the float32 below exactLimit into spans. The last of one is the
// first of the next, so that no pair of neighbours is left out.
func expSpans(stride int64) (spans []span) {
	cut := func(first, last, stride int64) {
		for first < last {
			next := min(first+stride<<20, last)
			spans = append(spans, span{first, next, stride})
			first = next
		}
	}
	cut(-lastIndex, -tinyIndex, stride)
	cut(-tinyIndex, tinyIndex, tinyStride)
	cut(tinyIndex, lastIndex, stride)
	return spans
}

// expWorst is the largest error found.
type expWorst struct {
	ulps float64
	at   float32
}

// checkExpSpan checks the exponentials of a span: their error and their order in
// the kernel in Go, and that the other kernels return the same bits.
func checkExpSpan(t *testing.T, s span, kernels []kernel) (worst expWorst) {
	x, e, other := make([]float32, blockLen), make([]float32, blockLen), make([]float32, blockLen)
	previous := int64(math.MinInt64)
	for i := s.first; ; {
		// As many as lie within 32 of each other: then nothing is near the cutoff.
		n := 0
		for n < blockLen && i <= s.last {
			x[n] = indexed(i)
			if x[n]-x[0] > 32 {
				break
			}
			n++
			if i < s.last && i+s.stride > s.last {
				i = s.last
			} else {
				i += s.stride
			}
		}
		if n == 0 {
			return worst
		}
		x, e, other := x[:n], e[:n], other[:n]
		ref := newReference(x[n-1], tiny)
		sum, large := expBlock(kernelGeneric, e, x, &ref)
		for _, k := range kernels {
			otherSum, otherLarge := expBlock(k, other, x, &ref)
			checkSums(t, k.String(), otherSum, sum, otherLarge, large)
			checkBits(t, other, e, x, "kernel %s", k)
		}
		for j, x := range x {
			// All e are normal: these integers are in their order, without the shift.
			order := int64(math.Float32bits(e[j])) - int64(ref.shift)<<23
			if order < previous {
				t.Fatalf("e^%x is less than that of the float32 before", x)
			}
			previous = order
			if d := expULP(x, e[j], ref.shift); d > worst.ulps {
				worst = expWorst{d, x}
			}
		}
	}
}

// expULP returns how far e is from expScale * e^x * 2^shift.
func expULP(x, e float32, shift int32) float64 {
	const (
		wideMagic = 0x1.8p+52
		ln2High   = 0x1.62e42feep-1 // its product with n is exact
		ln2Low    = 0x1.a39ef35793c76p-33
	)
	wide := float64(float64(x)*math.Log2E) + wideMagic
	n := wide - wideMagic
	exact := expScale * math.Exp(float64(x)-n*ln2High-n*ln2Low)
	got := math.Float64frombits(math.Float64bits(float64(e)) - uint64(int64(n)+int64(shift))<<52)
	unit := 0x1p+23
	if exact < 1 {
		unit = 0x1p+24
	}
	return math.Abs(got-exact) * unit
}

// TestExp visits every float32 below exactLimit with -exhaustive, else a sample.
// -0 counts as +0.
func TestExp(t *testing.T) {
	stride := int64(sampleStride)
	if reduced() {
		stride *= 5
	}
	if *exhaustive {
		stride = 1
		const probes = 1 << 16
		start := time.Now()
		checkExpSpan(t, span{tinyIndex, tinyIndex + probes, 1}, availableKernels())
		total := time.Since(start) / probes * time.Duration(2*(lastIndex-tinyIndex)/int64(runtime.GOMAXPROCS(0)))
		if total > patience {
			stride = 5 * sampleStride
			t.Logf("every float32 would take %v here, perhaps under an emulator: checking a sample", total.Round(time.Second))
		}
	}
	t.Logf("checking one float32 in %d, and one in %d below 2^-30", stride, tinyStride)
	spans := expSpans(stride)
	work := make(chan span, len(spans))
	for _, s := range spans {
		work <- s
	}
	close(work)
	var all sync.Mutex
	var worst expWorst
	// As subtests, so that each may call Fatal.
	t.Run("all", func(t *testing.T) {
		for range runtime.GOMAXPROCS(0) {
			t.Run("part", func(t *testing.T) {
				t.Parallel()
				for s := range work {
					found := checkExpSpan(t, s, availableKernels())
					all.Lock()
					if found.ulps > worst.ulps {
						worst = found
					}
					all.Unlock()
				}
			})
		}
	})
	t.Logf("at most %.4f ULP, at %x", worst.ulps, worst.at)
	if !(worst.ulps <= maxExpULP) || worst.ulps < 0.5 {
		t.Errorf("error of %.4f ULP, want between 0.5 and %v", worst.ulps, maxExpULP)
	}
}
