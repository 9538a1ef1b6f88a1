package softmax

// This file checks the exponential that all kernels share: every float32, and of
// float64 a sample and all places where its order is in question.
//
// Let x be a float64 and x' the next. If both have the same n, they are in order: r
// comes of correctly rounded steps that never decrease; the term that q adds to r is
// at most 0.022*|r| and its rounding errors are less than a tenth of the distance to
// the next r; and s + q*s is rounded once. Where n changes, near (n+1/2) * ln(2)/8,
// their exact results differ by a relative x'-x, and the errors before the last
// rounding are below 2^-56 each: the order cannot change where |x| is 1/8 or more.

import (
	"math"
	"runtime"
	"sync"
	"testing"
	"time"
)

// expRange says which numbers below exactLimit are checked, and how exact their
// exponentials must be.
type expRange struct {
	tiny       int64   // index of a number below which all have the same exponential
	last       int64   // index of the largest
	stride     int64   // distance of those checked by default
	tinyStride int64   // that of those below tiny
	maxULP     float64 // the worst known are 0.997 and 0.600
}

func expRangeOf[T native]() expRange {
	last := int64(bitsOf[T](exactLimit)) - 1
	if is32[T]() {
		return expRange{tiny: int64(bitsOf[T](0x1p-30)), last: last, stride: 101, tinyStride: 4099, maxULP: 1}
	}
	return expRange{tiny: int64(bitsOf[T](0x1p-60)), last: last, stride: 1<<37 - 25, tinyStride: 1<<46 - 21, maxULP: 0.625}
}

// indexed returns the number with an index. They are in ascending order: that of
// +0 is 0, that of -x is minus that of x.
func indexed[T native](i int64) T {
	if i < 0 {
		return -fromBits[T](uint64(-i))
	}
	return fromBits[T](uint64(i))
}

// span is a range of indices.
type span struct{ first, last, stride int64 }

// spans cuts the range into spans. The last of one is the first of the next, so
// that no pair of neighbours is left out.
func (e *expRange) spans(stride int64) (spans []span) {
	cut := func(first, last, stride int64) {
		for first < last {
			next := last
			if (last-first)/stride > 1<<20 {
				next = first + stride<<20
			}
			spans = append(spans, span{first, next, stride})
			first = next
		}
	}
	cut(-e.last, -e.tiny, stride)
	cut(-e.tiny, e.tiny, e.tinyStride)
	cut(e.tiny, e.last, stride)
	return spans
}

// boundarySpans are the neighbours of the float64 where n changes, of either sign:
// of all those below 2 many, and of a sample of the others some.
func boundarySpans(t *testing.T) (spans []span) {
	add := func(n int, neighbours int64) {
		at := int64(math.Float64bits((float64(n) + 0.5) * math.Ln2 / 8))
		first, last := at-neighbours, at+neighbours
		x, y := indexed[float64](first), indexed[float64](last)
		if math.RoundToEven(x*wideLog2e8) != float64(n) || math.RoundToEven(y*wideLog2e8) != float64(n+1) {
			t.Fatalf("n does not change from %d to %d between %x and %x", n, n+1, x, y)
		}
		spans = append(spans, span{first, last, 1}, span{-last, -first, 1})
	}
	for n := range 24 {
		add(n, 20_000)
	}
	r := rng(13)
	for range 2000 {
		add(24+r.Intn(189_000-24), 50) // below exactLimit
	}
	return spans
}

// expWorst is the largest error found.
type expWorst[T native] struct {
	ulps float64
	at   T
}

// checkExpSpan checks the exponentials of a span: their error and their order in
// the kernel in Go, and that the other kernels return the same bits.
func checkExpSpan[T native](t *testing.T, s span, kernels []kernel) (worst expWorst[T]) {
	block := blockLen[T]()
	x, e, other := make([]T, block), make([]T, block), make([]T, block)
	scale := float64(expScale)
	if !is32[T]() {
		scale = wideScale
	}
	var previous T
	var previousShift int32
	for i := s.first; ; {
		// As many as lie within 32 of each other: then nothing is near the cutoff.
		n := 0
		for n < block && i <= s.last {
			x[n] = indexed[T](i)
			if x[n]-x[0] > 32 {
				break
			}
			n++
			if i < s.last && s.last-i < s.stride {
				i = s.last
			} else {
				i += s.stride
			}
		}
		if n == 0 {
			return worst
		}
		x, e, other := x[:n], e[:n], other[:n]
		ref := newReference(x[n-1], tinyOf[T]())
		sum, large := expBlock(kernelGeneric, e, x, &ref)
		for _, k := range kernels {
			otherSum, otherLarge := expBlock(k, other, x, &ref)
			checkSums(t, k.String(), otherSum, sum, otherLarge, large)
			checkBits(t, other, e, x, "kernel %s", k)
		}
		if previous > 0 {
			previous = scaleByPower(previous, ref.shift-previousShift)
		}
		previousShift = ref.shift
		for j, x := range x {
			if e[j] < previous {
				t.Fatalf("e^%x is less than that of the number before", x)
			}
			previous = e[j]
			exact := exactExp(accurate{float64(x), 0})
			want := exactValue{exact.times(accurate{scale, 0}), exact.exponent + int(ref.shift)}
			if d := ulps(e[j], want); d > worst.ulps {
				worst = expWorst[T]{d, x}
			}
		}
	}
}

// TestExp visits every float32 below exactLimit with -exhaustive, else a sample.
// -0 counts as +0.
func TestExp(t *testing.T) { forEachType(t, testExp[float32], testExp[float64]) }

func testExp[T native](t *testing.T) {
	const patience = 5 * time.Minute // for an exhaustive run
	numbers := expRangeOf[T]()
	stride := numbers.stride
	switch {
	case reduced():
		stride *= 5
	case *exhaustive && is32[T]():
		const probes = 1 << 16
		start := time.Now()
		checkExpSpan[T](t, span{numbers.tiny, numbers.tiny + probes, 1}, availableKernels())
		total := time.Since(start) / probes * time.Duration(2*(numbers.last-numbers.tiny)/int64(runtime.GOMAXPROCS(0)))
		if stride = 1; total > patience {
			stride = 5 * numbers.stride
			t.Logf("every float32 would take %v here, perhaps under an emulator: checking a sample", total.Round(time.Second))
		}
	case *exhaustive:
		stride /= 16
	}
	t.Logf("checking one %T in %d, and one in %d below %v", T(0), stride, numbers.tinyStride, indexed[T](numbers.tiny))
	spans := numbers.spans(stride)
	if !is32[T]() {
		spans = append(spans, boundarySpans(t)...)
	}
	work := make(chan span, len(spans))
	for _, s := range spans {
		work <- s
	}
	close(work)
	var all sync.Mutex
	var worst expWorst[T]
	// As subtests, so that each may call Fatal.
	t.Run("all", func(t *testing.T) {
		for range runtime.GOMAXPROCS(0) {
			t.Run("part", func(t *testing.T) {
				t.Parallel()
				for s := range work {
					found := checkExpSpan[T](t, s, availableKernels())
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
	if !(worst.ulps <= numbers.maxULP) || worst.ulps < 0.5 {
		t.Errorf("error of %.4f ULP, want between 0.5 and %v", worst.ulps, numbers.maxULP)
	}
}
