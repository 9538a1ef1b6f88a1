package softmax

// This file checks the emulated fused multiply-add of float64.

import (
	"math"
	"testing"
)

func TestEmulatedFMA(t *testing.T) {
	r := rng(15)
	count, rounded := 200_000, 0
	if reduced() {
		count = 20_000
	}
	number := func(span int) float64 {
		return math.Ldexp(math.Float64frombits(r.Next()&(1<<63|1<<52-1)|1023<<52), r.Intn(2*span)-span)
	}
	check := func(a, b, c float64) {
		t.Helper()
		want := math.FMA(a, b, c)
		if got := emulatedFMA(a, b, c); got != want && (got == got || want == want) {
			t.Fatalf("fma(%x, %x, %x) = %x, want %x", a, b, c, got, want)
		}
		if float64(a*b)+c != want {
			rounded++
		}
	}
	for range count {
		a, b := number(200), number(200)
		check(a, b, number(400))
		check(a, b, -a*b*(1+float64(r.Intn(9)-4)*0x1p-52)) // cancellation
		// Next to the middle between two numbers: a product that is nearly half a
		// unit in the last place of c, with few bits and with many.
		unit := math.Ldexp(1, r.Intn(200)-100)
		c := unit * (0x1p52 + float64(r.Intn(1<<30)))
		m := float64(1<<26 + r.Intn(1<<26))
		check(m, unit/(2*m), c)
		check(m, -unit/(2*m), c)
		check(unit, 0.5, c)
		check(unit*(1+0x1p-52), 0.5, c)
		check(unit*(1-0x1p-53), 0.5, c)
		check(unit*(1+0x1p-30), 0.5*(1-0x1p-30), c) // half a unit less 2^-60 of it
	}
	for _, a := range []float64{0, 1, -2, math.Inf(1), math.Inf(-1), math.NaN()} {
		for _, b := range []float64{1, -3, math.Inf(1)} {
			for _, c := range []float64{5, math.Inf(1), math.Inf(-1), math.NaN()} {
				check(a, b, c)
			}
		}
	}
	t.Logf("rounding twice would have been wrong %d times", rounded)
	if rounded < count {
		t.Errorf("only %d sums needed to be fused", rounded)
	}
}

// TestWithoutFMA has the kernel in Go do without the instruction.
func TestWithoutFMA(t *testing.T) {
	previous := fastFMA
	t.Cleanup(func() { fastFMA = previous })
	for _, family := range familiesOf[float64]() {
		row := family.MakeRow(700, 1)
		got, want := make([]float64, len(row)), make([]float64, len(row))
		for _, function := range rowFunctions[float64]() {
			fastFMA = true
			function.run(kernelGeneric, want, row)
			fastFMA = false
			function.run(kernelGeneric, got, row)
			checkBits(t, got, want, row, "%s, %s", function.name, family.Name)
		}
	}
}
