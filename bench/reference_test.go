package bench

// This file measures errors in ULP, units in the last place of the exact result.

import (
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/ALTree/bigfloat"
	"gonum.org/v1/gonum/floats"

	"github.com/seed174f7dca/softmax/internal/corpus"
)

// exact is a result without the error of its element type: hi + lo, where hi is the
// float64 next to it.
type exact struct{ hi, lo float64 }

// mostExact64 is the largest number of exact results of float64: one takes 0.1 ms.
const mostExact64 = 1024

// exactRows returns the exact softmax of rows. For float32 it is computed in float64,
// whose error is below 0.001 ULP of float32. For float64 there are results for the
// first mostExact64 elements only, and none if a row is longer than that.
func exactRows[T native](src []T, cols int) (results []exact) {
	for i := 0; i < len(src); i += cols {
		switch row := any(src[i : i+cols]).(type) {
		case []float32:
			results = append(results, exactRow32(row)...)
		case []float64:
			if i+cols > mostExact64 {
				return results
			}
			results = append(results, exactRow64(row)...)
		}
	}
	return results
}

func exactRow32(row []float32) []exact {
	largest := float64(slices.Max(row))
	exponentials := make([]float64, len(row))
	for i, x := range row {
		exponentials[i] = math.Exp(float64(x) - largest)
	}
	sum := floats.SumCompensated(exponentials)
	results := make([]exact, len(row))
	for i, e := range exponentials {
		results[i].hi = e / sum
	}
	return results
}

func exactRow64(row []float64) []exact {
	const bits = 128
	number := func(x float64) *big.Float { return new(big.Float).SetPrec(bits).SetFloat64(x) }
	largest, sum := number(slices.Max(row)), number(0)
	exponentials := make([]*big.Float, len(row))
	for i, x := range row {
		exponentials[i] = bigfloat.Exp(number(0).Sub(number(x), largest))
		sum.Add(sum, exponentials[i])
	}
	results := make([]exact, len(row))
	for i, e := range exponentials {
		e.Quo(e, sum)
		hi, _ := e.Float64()
		lo, _ := e.Sub(e, number(hi)).Float64()
		results[i] = exact{hi, lo}
	}
	return results
}

// ulpErrors are the errors of some results.
type ulpErrors struct{ worst, mean float64 }

// errorsOf returns the errors of the first results, as many as there are exact ones.
// They are NaN if there is a NaN.
func errorsOf[T native](got []T, want []exact) (e ulpErrors) {
	for i, w := range want {
		ulps := math.Abs((float64(got[i])-w.hi)-w.lo) / corpus.ULP[T](w.hi)
		e.worst = max(e.worst, ulps)
		e.mean += ulps / float64(len(want))
	}
	return e
}

// TestReference compares the reference of float64 with digits of 1/(1+e), and that of
// float32 with it.
func TestReference(t *testing.T) {
	got, want := exactRow64([]float64{1, 0})[1], exact{0x1.136561454ba86p-02, 0x1.35dae23bc734ap-56}
	if got.hi != want.hi || !(math.Abs(got.lo-want.lo) <= 0x1p-108) {
		t.Errorf("softmax of 1, 0 is %x, want %x", got, want)
	}
	row := logits[float32](benchCase{spread, 100, 1})
	wide := make([]float64, len(row))
	for i, x := range row {
		wide[i] = float64(x)
	}
	narrow := exactRow32(row)
	for i, want := range exactRow64(wide) {
		if e := math.Abs((narrow[i].hi-want.hi)-want.lo) / corpus.ULP[float32](want.hi); !(e < 0.001) {
			t.Errorf("element %d: reference of float32 is %v, want %v: off by %v ULP", i, narrow[i].hi, want.hi, e)
		}
	}
}

// TestErrors checks the unit of errors, also where it is that of subnormal numbers.
func TestErrors(t *testing.T) {
	up := func(x float32, steps uint32) float32 { return math.Float32frombits(math.Float32bits(x) + steps) }
	want := []exact{{0.75, 0}, {1, 0}, {0x1p-149, 0}, {0, 0}}
	got := []float32{up(0.75, 1), up(1, 3), up(0x1p-149, 6), 0, 99} // the last has no exact result
	if e := errorsOf(got, want); e != (ulpErrors{6, 2.5}) {
		t.Errorf("errors are %v, want 6 and 2.5", e)
	}
	if e := errorsOf([]float64{1}, []exact{{1, 0x1p-53}}); e != (ulpErrors{0.5, 0.5}) {
		t.Errorf("errors are %v, want 0.5 and 0.5", e)
	}
	if e := errorsOf([]float32{float32(math.NaN()), 0}, want[3:]); !math.IsNaN(e.worst) || !math.IsNaN(e.mean) {
		t.Errorf("errors of a NaN are %v, want NaN", e)
	}
}
