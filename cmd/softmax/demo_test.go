package main

import (
	"math"
	"strings"
	"testing"

	"github.com/seed174f7dca/softmax"
)

func TestDemo(t *testing.T) {
	report := runOK(t)
	for _, part := range []string{
		"450 rows of 10 logits",
		"Accuracy of the classifier: 98.0%, 441 of 450 digits.",
		"Kernel in use: " + softmax.Kernel(),
		"  equal",
		"Largest distance to SciPy in float64: softmax ",
	} {
		if !strings.Contains(report, part) {
			t.Errorf("report lacks %q:\n%s", part, report)
		}
	}
	if explicit := runOK(t, "demo"); strings.Count(explicit, "\n") != strings.Count(report, "\n") {
		t.Errorf("softmax demo does not print what softmax prints:\n%s", explicit)
	}
}

func TestDemoAccuracy(t *testing.T) {
	d, err := loadDigits()
	if err != nil {
		t.Fatal(err)
	}
	p := d.logits
	p.Data = make([]float32, len(p.Data))
	softmax.SoftmaxRows(p, d.logits)
	if n := countCorrect(d, p); n != 441 {
		t.Errorf("%d digits are correct, want 441", n)
	}
	scipy, exact := largestErrors(d, p)
	if scipy > 4 {
		t.Errorf("distance to SciPy is %d ULP, want 4 or less", scipy)
	}
	if exact > 4 {
		t.Errorf("error is %.2f ULP, want 4 or less", exact)
	}
	// The error of SciPy's float64 probabilities is 33.6 ULP.
	wide, logarithm := d.wide.largestDistances()
	if wide > 38 {
		t.Errorf("distance to SciPy in float64 is %d ULP, want 38 or less", wide)
	}
	if logarithm > 4 {
		t.Errorf("distance to SciPy's log-softmax in float64 is %.1f ULP, want 4 or less", logarithm)
	}
}

func TestULP(t *testing.T) {
	t.Run("float32", func(t *testing.T) { testULP[float32](t, 0x1p-23, math.SmallestNonzeroFloat32) })
	t.Run("float64", func(t *testing.T) { testULP[float64](t, 0x1p-52, math.SmallestNonzeroFloat64) })
}

// testULP takes the distance from 1 to the next larger number, and the smallest.
func testULP[T native](t *testing.T, epsilon, smallest T) {
	for _, test := range []struct {
		a, b     T
		distance int64
	}{
		{1, 1, 0},
		{1, 1 + epsilon, 1},
		{1, 1 - epsilon, 2}, // below 1 a ULP is half as large
		{0, 3 * smallest, 3},
		{0.5, 1, int64(1 / epsilon)},
	} {
		if d := ulpDistance(test.a, test.b); d != test.distance {
			t.Errorf("ulpDistance(%v, %v) = %d, want %d", test.a, test.b, d, test.distance)
		}
		if d := ulpDistance(test.b, test.a); d != test.distance {
			t.Errorf("ulpDistance(%v, %v) = %d, want %d", test.b, test.a, d, test.distance)
		}
	}
	for _, test := range []struct {
		v                 T
		exact, unit, want float64
	}{
		{1, 1, 0, 0},
		{1, 1 - float64(epsilon), 0, 2},
		{1 + epsilon, 1, 0, 1},
		{-1, -1 - 2*float64(epsilon), 0, 2},
		{0, 0.25 * float64(epsilon), 1, 0.25},
		{5 * smallest, 2 * float64(smallest), 0, 3},
	} {
		if e := ulpError(test.v, test.exact, test.unit); e != test.want {
			t.Errorf("ulpError(%v, %v, %v) = %v, want %v", test.v, test.exact, test.unit, e, test.want)
		}
	}
}
