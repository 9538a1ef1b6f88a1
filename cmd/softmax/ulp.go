package main

// This file measures accuracy in ULP, units in the last place of a float32.

import "math"

// ulpDistance returns how many steps from one float32 to the next lead from a
// to b. Both must be positive or +0.
func ulpDistance(a, b float32) int {
	d := int64(math.Float32bits(a)) - int64(math.Float32bits(b))
	return int(max(d, -d))
}

// ulpError returns the error of p in ULP of the exact value, which must be
// positive.
func ulpError(p float32, exact float64) float64 {
	_, exponent := math.Frexp(exact)
	ulp := math.Ldexp(1, max(exponent-24, -149))
	return math.Abs(float64(p)-exact) / ulp
}
