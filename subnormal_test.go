package softmax

// This file is for threads that flush subnormal numbers, and for the operations of
// subnormal.go, which do without them. contract_test.go calls every function on such
// threads.

import (
	"math"
	"math/big"
	"testing"

	"github.com/seed174f7dca/softmax/internal/fpcontrol"
)

// forEachMode runs a test for every kernel, on the usual thread and on those that flush
// subnormal numbers. run calls a function on that thread.
func forEachMode(t *testing.T, test func(t *testing.T, run func(func()))) {
	forEachKernel(t, func(t *testing.T, k kernel) {
		useKernel(t, k)
		test(t, func(f func()) { f() })
		for _, mode := range fpcontrol.Modes() {
			test(t, func(f func()) { fpcontrol.With(mode, f) })
		}
	})
}

// TestFlushingThreads has results that threads with DAZ, FTZ or both once changed.
func TestFlushingThreads(t *testing.T) {
	forEachMode(t, func(t *testing.T, run func(func())) {
		check := func(name string, got, want uint64) {
			t.Helper()
			if got != want {
				t.Errorf("%s: got %#x, want %#x", name, got, want)
			}
		}
		p := []float64{0, -730}
		run(func() { Softmax(p, p) })
		check("probability e^-730", math.Float64bits(p[1]), 0x1c7ea3)

		var sum float32
		run(func() { sum = LogSumExp([]float32{1e-42}) })
		check("log-sum-exp of 1e-42", uint64(math.Float32bits(sum)), 0x2ca)

		dst, outputs := make([]float32, 1), Matrix[float32]{[]float32{1e-42, 1e-42}, 2, 1, 1}
		run(func() { WeightedMerge(dst, outputs, []float32{0, 0}) })
		check("mean of two 1e-42", uint64(math.Float32bits(dst[0])), 0x2ca)

		dst64, outputs64 := make([]float64, 1), Matrix[float64]{[]float64{0x3p-1074, -0x1p-1074}, 2, 1, 1}
		run(func() { WeightedMerge(dst64, outputs64, []float64{0, 0}) })
		check("mean of 3 and -1 steps", math.Float64bits(dst64[0]), 2) // 1.5 and -0.5, rounded to even one by one

		// More parts than are weighed at a time: small sums of the first go on with the others.
		many, logSumExps := Matrix[float64]{make([]float64, 128), 128, 1, 1}, make([]float64, 128)
		many.Data[0] = 0x28p-1074
		fill(logSumExps[1:], -800)
		run(func() { WeightedMerge(dst64, many, logSumExps) })
		check("small sum and zeros", math.Float64bits(dst64[0]), 0x28)
		logSumExps[1], logSumExps[100] = 0, 0
		many.Data[1], many.Data[100] = 0x1p-200, -0x1p-200
		run(func() { WeightedMerge(dst64, many, logSumExps) })
		check("small sum and two numbers that cancel", math.Float64bits(dst64[0]), 0xd)

		logs := []float64{0, -740}
		run(func() { LogSoftmax(logs, logs) })
		check("log-softmax of 0 beside -740", math.Float64bits(logs[0]), 0)

		one := make([]float32, 1)
		run(func() {
			var a Accumulator[float32]
			a.Add([]float32{1e-42})
			a.Softmax(one, []float32{1e-42})
		})
		check("probability of one subnormal logit", uint64(math.Float32bits(one[0])), 0x3f800000)
	})
}

// gradualNumbers are numbers of all magnitudes, most of them small.
func gradualNumbers(r *rng, n int) []float64 {
	numbers := make([]float64, n)
	for i := range numbers {
		x := math.Float64frombits(r.Next()&(1<<63|1<<52-1) | uint64(r.Intn(300))<<52)
		switch r.Intn(8) {
		case 0:
			x = math.Float64frombits(r.Next() & (1<<63 | 1<<uint(r.Intn(52)) - 1))
		case 1:
			x = math.Copysign(0, x)
		case 2:
			x = math.Ldexp(x, r.Intn(1500))
		}
		numbers[i] = x
	}
	return numbers
}

// TestGradual compares operations that avoid subnormal numbers with those of the processor,
// on every thread.
func TestGradual(t *testing.T) {
	r := rng(1)
	const n = 100_000
	a, b := gradualNumbers(&r, n), gradualNumbers(&r, n)
	weights := make([]float64, n)
	for i := range weights {
		weights[i] = math.Ldexp(0.5+float64(r.Intn(1<<30))/(1<<31), -r.Intn(900))
	}
	wantSum, wantProduct, wantLost := make([]float64, n), make([]float64, n), make([]float64, n)
	want32 := make([]float32, n)
	for i := range a {
		wantSum[i], wantProduct[i] = a[i]+b[i], float64(weights[i]*a[i])
		wantLost[i] = math.FMA(weights[i], a[i], -wantProduct[i])
		want32[i] = float32(math.Ldexp(a[i], 800))
	}
	test := func() {
		for i := range a {
			sum, product := gradualSum(a[i], b[i]), gradualProduct(weights[i], a[i])
			lost, single := gradualLoss(weights[i], a[i], product), float32(0)
			if !isTiny(a[i]) { // roundTo wants a normal number
				single = roundTo[float32](a[i] * 0x1p800)
			}
			switch {
			case math.Float64bits(sum) != math.Float64bits(wantSum[i]):
				t.Fatalf("%x + %x: got %x, want %x", a[i], b[i], math.Float64bits(sum), math.Float64bits(wantSum[i]))
			case math.Float64bits(product) != math.Float64bits(wantProduct[i]):
				t.Fatalf("%x * %x: got %x, want %x", weights[i], a[i], math.Float64bits(product), math.Float64bits(wantProduct[i]))
			case lost != wantLost[i]:
				t.Fatalf("%x * %x loses %x, want %x", weights[i], a[i], lost, wantLost[i])
			case !isTiny(a[i]) && math.Float32bits(single) != math.Float32bits(want32[i]):
				t.Fatalf("%x * 2^800 as float32: got %x, want %x", a[i], single, want32[i])
			}
		}
	}
	test()
	for _, mode := range fpcontrol.Modes() {
		fpcontrol.With(mode, test)
	}
}

// TestProduct32 compares products and quotients with math/big.
func TestProduct32(t *testing.T) {
	r := rng(2)
	numbers := func() float32 { return math.Float32frombits(uint32(r.Next())) }
	for range 50_000 {
		a, b := numbers(), numbers()
		if !isFinite(a) || !isFinite(b) || b == 0 {
			continue
		}
		x, y := bigFloat(float64(a)), bigFloat(float64(b))
		product, _ := new(big.Float).Mul(x, y).Float32()
		quotient, _ := new(big.Float).Quo(x, y).Float32()
		if got := product32(a, b); got != product {
			t.Fatalf("%x * %x: got %x, want %x", a, b, got, product)
		}
		if got := quotient32(a, b); got != quotient {
			t.Fatalf("%x / %x: got %x, want %x", a, b, got, quotient)
		}
	}
}

// TestExceeds compares the order of numbers by their bits with that of the processor.
func TestExceeds(t *testing.T) { forEachType(t, testExceeds[float32], testExceeds[float64]) }

func testExceeds[T native](t *testing.T) {
	r := rng(3)
	for range 10_000 {
		a, b := fromBits[T](r.Next()>>uint(r.Intn(64))), fromBits[T](r.Next()>>uint(r.Intn(64)))
		if a != a || b != b || a == 0 && b == 0 {
			continue
		}
		if got := exceeds(a, b); got != (a > b) {
			t.Fatalf("%v > %v: %t", a, b, got)
		}
	}
}

// TestSubnormalInShortRows has rows with a probability that is subnormal, at every place: a
// thread that flushes subnormal numbers makes 0 of it where a kernel does not notice that it
// wants care.
func TestSubnormalInShortRows(t *testing.T) {
	forEachKernel(t, func(t *testing.T, k kernel) {
		for n := 2; n <= 70; n++ {
			for low := range n {
				row := make([]float32, n)
				row[low] = -90 - float32(n)/8
				want, got := make([]float32, n), make([]float32, n)
				softmaxRow(kernelGeneric, want, row)
				if want[low] == 0 {
					t.Fatalf("n=%d, element %d: the probability is 0", n, low)
				}
				for _, mode := range fpcontrol.Modes() {
					fpcontrol.With(mode, func() { softmaxRow(k, got, row) })
					checkBits(t, got, want, row, "%v, n=%d, element %d", mode, n, low)
				}
			}
		}
	})
}
