package corpus

// This file describes element types.

import "math"

// Format describes a binary floating-point format as IEEE 754 does.
type Format struct {
	FractionBits int    // of the significand, without the leading one
	MinExponent  int    // of the normal numbers
	Sign         uint64 // the sign bit
	Fraction     uint64 // the bits of the fraction
	Infinity     uint64 // the bits of +Inf
}

// The formats of element types, with their names in IEEE 754, which lacks BFloat16.
var (
	Binary16 = Format{10, -14, 1 << 15, 1<<10 - 1, 0x1f << 10}
	BFloat16 = Format{7, -126, 1 << 15, 1<<7 - 1, 0xff << 7}
	Binary32 = Format{23, -126, 1 << 31, 1<<23 - 1, 0xff << 23}
	Binary64 = Format{52, -1022, 1 << 63, 1<<52 - 1, 0x7ff << 52}
)

// ULP returns the unit in the last place of a number of type T near x, which is finite.
// Near 0 that is the smallest number.
func ULP[T Float](x float64) float64 {
	f := formatOf[T]()
	return math.Ldexp(1, max(math.Ilogb(x), f.MinExponent)-f.FractionBits)
}
