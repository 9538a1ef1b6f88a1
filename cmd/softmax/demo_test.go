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
}

func TestULP(t *testing.T) {
	const smallest = math.SmallestNonzeroFloat32
	for _, test := range []struct {
		a, b     float32
		distance int
	}{
		{1, 1, 0},
		{1, math.Nextafter32(1, 0), 1},
		{0, 3 * smallest, 3},
		{0.5, 1, 1 << 23},
	} {
		if d := ulpDistance(test.a, test.b); d != test.distance {
			t.Errorf("ulpDistance(%v, %v) = %d, want %d", test.a, test.b, d, test.distance)
		}
		if d := ulpDistance(test.b, test.a); d != test.distance {
			t.Errorf("ulpDistance(%v, %v) = %d, want %d", test.b, test.a, d, test.distance)
		}
	}
	for _, test := range []struct {
		p           float32
		exact, want float64
	}{
		{1, 1, 0},
		{1, 1 + 0x1p-24, 0.5},
		{1, 1 - 0x1p-24, 1}, // below 1 a ULP is half as large
		{smallest, 1.25 * smallest, 0.25},
	} {
		if e := ulpError(test.p, test.exact); e != test.want {
			t.Errorf("ulpError(%v, %v) = %v, want %v", test.p, test.exact, e, test.want)
		}
	}
}
