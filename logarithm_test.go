package softmax

// This file checks the logarithm against math/big.

import (
	"math"
	"testing"
)

func TestLogarithm(t *testing.T) {
	if got := logarithm(1); math.Float64bits(got.hi) != 0 || math.Float64bits(got.lo) != 0 {
		t.Errorf("ln(1) is %v, want +0", got)
	}
	count := 20_000
	if reduced() {
		count = 1000
	}
	var worst, worstSum, at, atSum float64
	check := func(x float64) {
		got, want := logarithm(x), fromBig(bigLog(bigFloat(x)))
		if d := ulps(got.hi+got.lo, exactValue{want, 0}); d > worst {
			worst, at = d, x
		}
		if d := math.Abs(sumOf(got.hi, got.lo).minus(want).hi); d > worstSum {
			worstSum, atSum = d, x
		}
	}
	r := rng(14)
	for i := range count {
		fraction := math.Float64frombits(r.Next()>>12 | 1023<<52)
		switch i % 4 {
		case 0: // any number below 2^25
			check(math.Ldexp(fraction, r.Intn(25)))
		case 1: // near 1
			check(1 + math.Ldexp(fraction, -1-r.Intn(52)))
		case 2: // near a power of 2, or of 2 times its root, where the formula changes
			near := []float64{1, math.Sqrt2}[r.Intn(2)]
			check(math.Ldexp(near+math.Ldexp(float64(r.Intn(2001)-1000), -52), 1+r.Intn(24)))
		case 3: // the sum of equal logits
			check(float64(2 + r.Intn(1<<25-1)))
		}
	}
	t.Logf("at most %.4f ULP, at %x; with the lower part 2^%.2f, at %x", worst, at, math.Log2(worstSum), atSum)
	if !(worst < 1) || worst < 0.4 {
		t.Errorf("error of %.4f ULP, want between 0.4 and 1", worst)
	}
	if !(worstSum < 0x1p-55) || worstSum == 0 {
		t.Errorf("error of the sum is %g, want below 2^-55", worstSum)
	}
}
