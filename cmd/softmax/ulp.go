package main

// This file measures accuracy in ULP, units in the last place.

import (
	"math"

	"github.com/seed174f7dca/softmax/internal/corpus"
)

// native is the set of element types that Go computes in.
type native interface{ float32 | float64 }

// ulpDistance returns how many steps from one number of type T to the next lead
// from a to b. Both must be positive or +0.
func ulpDistance[T native](a, b T) int64 {
	var d int64
	switch a := any(a).(type) {
	case float32:
		d = int64(math.Float32bits(a)) - int64(math.Float32bits(float32(b)))
	case float64:
		d = int64(math.Float64bits(a)) - int64(math.Float64bits(float64(b)))
	}
	return max(d, -d)
}

// ulpError returns the error of v in ULP of the exact value, or of unit if that
// is nearer to 0.
func ulpError[T native](v T, exact, unit float64) float64 {
	return math.Abs(float64(v)-exact) / corpus.ULP[T](max(math.Abs(exact), unit))
}
