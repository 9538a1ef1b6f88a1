package softmax

// This file checks the hyperbolic tangent that all kernels share.

import (
	"math"
	"runtime"
	"sync"
	"testing"
)

// tanhULP bounds the error of the hyperbolic tangent: a promise of Scores.
const tanhULP = 1.01

// tanhTop is above tanhLimit.
const tanhTop float32 = 9.1

// tanhError is the largest error found.
type tanhError struct {
	ulps float64
	at   float32
}

// checkTanhBlock checks the hyperbolic tangents of a block of rising numbers that
// are not negative: their error, their order, those of the numbers negated, and that
// all kernels return the same bits.
func checkTanhBlock(t *testing.T, x []float32, kernels []kernel) (worst tanhError) {
	t.Helper()
	want, got, capped := make([]float32, len(x)), make([]float32, len(x)), scoring{scale: 1, softcap: 1, flush: 1}
	for i, x := range x {
		y := tanh32(x)
		want[i] = y
		if d := ulps(y, exactValue{accurate{math.Tanh(float64(x)), 0}, 0}); d > worst.ulps {
			worst = tanhError{d, x}
		}
		if i > 0 && y < want[i-1] {
			t.Fatalf("tanh(%x) is less than that of the number before", x)
		}
		if minus := tanh32(-x); bitsOf(minus) != bitsOf(y)|formatOf[float32]().Sign {
			t.Fatalf("tanh(-%x) is %x, tanh(%x) is %x", x, minus, x, y)
		}
	}
	// Kernels may take subnormal numbers for 0.
	normal := 0
	for normal < len(x) && x[normal] < 0x1p-126 {
		normal++
	}
	for _, k := range kernels {
		scoreBlock(k, got, x, &capped)
		checkBits(t, got[normal:], want[normal:], x[normal:], "kernel %s", k)
	}
	return worst
}

// TestTanh visits every float32 up to tanhTop with -exhaustive, else a sample.
func TestTanh(t *testing.T) {
	stride := uint64(997)
	switch {
	case *exhaustive:
		stride = 1
	case reduced():
		stride = 19_997
	}
	t.Logf("checking one float32 in %d", stride)
	var all sync.Mutex
	var worst tanhError
	block := uint64(blockLen[float32]())
	last := bitsOf(tanhTop) / stride
	workers := uint64(runtime.GOMAXPROCS(0))
	t.Run("all", func(t *testing.T) {
		for worker := range workers {
			t.Run("part", func(t *testing.T) {
				t.Parallel()
				x := make([]float32, block)
				// The last of a block is the first of the next, so that no pair of
				// neighbours is left out.
				for first := worker * (block - 1); first <= last; first += workers * (block - 1) {
					for i := range x {
						x[i] = fromBits[float32](min(first+uint64(i), last) * stride)
					}
					found := checkTanhBlock(t, x, availableKernels())
					all.Lock()
					if found.ulps > worst.ulps {
						worst = found
					}
					all.Unlock()
				}
			})
		}
	})
	// Where one interval ends and the next begins.
	for _, edge := range []float32{0.75, 1, 1.5, 2, 3, 4, 6} {
		around := make([]float32, 33)
		for i := range around {
			around[i] = fromBits[float32](bitsOf((edge-tanhStart)/tanhSpread) + uint64(i) - 16)
		}
		checkTanhBlock(t, around, availableKernels())
	}
	// Where the table of scores_generic.go says that the error is largest.
	if found := checkTanhBlock(t, []float32{0x1.fc87c2p-6}, nil); found.ulps > worst.ulps {
		worst = found
	}
	t.Logf("at most %.4f ULP, at %x", worst.ulps, worst.at)
	if !(worst.ulps <= tanhULP) || worst.ulps < 1 {
		t.Errorf("error of %.4f ULP, want between 1 and %v", worst.ulps, tanhULP)
	}
}

// TestTanhSpecialValues has the ends of the range, and what is no number.
func TestTanhSpecialValues(t *testing.T) {
	largest, smallest, posInf := largest[float32](), smallest[float32](), infinity[float32](1)
	for _, test := range []struct{ x, want float32 }{
		{0, 0}, {smallest, smallest}, {0x1p-126, 0x1p-126}, {0x1p-20, 0x1p-20}, {tanhLimit, 1}, {tanhTop, 1}, {100, 1}, {largest, 1}, {posInf, 1},
	} {
		checkTanhBlock(t, []float32{test.x}, nil)
		if got := tanh32(test.x); bitsOf(got) != bitsOf(test.want) {
			t.Errorf("tanh(%x) = %x, want %x", test.x, got, test.want)
		}
	}
	for bits := bitsOf(tanhTop); bits <= bitsOf(posInf); bits += 100_003 {
		if x := fromBits[float32](bits); tanh32(x) != 1 || tanh32(-x) != -1 {
			t.Fatalf("tanh(%x) = %x, tanh(%x) = %x, want 1 and -1", x, tanh32(x), -x, tanh32(-x))
		}
	}
	for _, x := range []float32{nan[float32](), -nan[float32](), fenceOf[float32](), fromBits[float32](0x7F800001)} {
		if got := tanh32(x); !isNaN(got) {
			t.Errorf("tanh(%#x) = %v, want NaN", bitsOf(x), got)
		}
	}
}

// TestTanhOnRecord compares the hyperbolic tangent of millions of numbers with a hash on
// record: the last place of a coefficient changes some of them only.
func TestTanhOnRecord(t *testing.T) {
	if emulated() {
		t.Skip("it takes long where the kernel in Go is emulated")
	}
	const prime = 1099511628211 // of FNV-1a
	hash, step := uint64(14695981039346656037), uint32(3)
	for bits := math.Float32bits(0x1p-3); bits < math.Float32bits(tanhLimit); bits += step {
		hash = (hash ^ uint64(math.Float32bits(tanh32(math.Float32frombits(bits))))) * prime
	}
	const want = 0x9ca31417093b9a86
	if hash != want {
		t.Errorf("the hash is %#x, want %#x", hash, uint64(want))
	}
}
