package softmax

// This file is for operations that may meet subnormal numbers. A thread may count them
// as 0, operands, results or both, if a C library of its program has told the processor
// so: those linked with -ffast-math do. What is computed here does not depend on that,
// as no operation has a subnormal operand or result. The exponentials, their sums and
// the probabilities have none anyway.

import "math"

// magnitudeBits returns the bits of x, moved up to where the sign was: they rise with
// the magnitude.
func magnitudeBits[T native](x T) uint64 {
	if is32[T]() {
		return uint64(math.Float32bits(float32(x)) << 1)
	}
	return math.Float64bits(float64(x)) << 1
}

// isTiny reports whether x is 0 or subnormal.
func isTiny[T native](x T) bool {
	if is32[T]() {
		return math.Float32bits(float32(x))<<1 < 1<<24
	}
	return math.Float64bits(float64(x))<<1 < 1<<53
}

// isZero reports whether x is 0: comparing with 0 may be true for subnormal numbers.
func isZero[T native](x T) bool { return magnitudeBits(x) == 0 }

// exceeds reports whether a > b, also of subnormal numbers. Neither may be a NaN, and +0
// counts as more than -0.
func exceeds[T native](a, b T) bool { return orderKey(a) > orderKey(b) }

// orderKey returns an integer that rises with x.
func orderKey[T native](x T) int64 {
	if is32[T]() {
		bits := int32(math.Float32bits(float32(x)))
		return int64(bits ^ int32(uint32(bits>>31)>>1))
	}
	bits := int64(math.Float64bits(float64(x)))
	return bits ^ int64(uint64(bits>>63)>>1)
}

// wide32 returns x as a float64, exactly.
func wide32(x float32) float64 {
	if math.Float32bits(x)<<1-1 < 1<<24-1 {
		return wideSubnormal(x)
	}
	return float64(x)
}

func wideSubnormal(x float32) float64 {
	bits := math.Float32bits(x)
	return math.Copysign(float64(bits&(1<<31-1))*0x1p-149, float64(int32(bits)))
}

// wide is wide32, and nothing for float64.
func wide[T native](x T) float64 {
	if is32[T]() {
		return wide32(float32(x))
	}
	return float64(x)
}

// round32 returns x, which must be normal or 0, rounded to float32.
func round32(x float64) float32 {
	const least = uint64(1023-126) << 53 // magnitudeBits of the least normal float32
	if math.Float64bits(x)<<1-1 < least-1 {
		return roundSubnormal(x)
	}
	return float32(x)
}

// roundSubnormal adds 2^-97, which rounds to a multiple of 2^-149 and leaves it in the low
// bits.
func roundSubnormal(x float64) float32 {
	steps := uint32(math.Float64bits(math.Abs(x) + 0x1p-97))
	return math.Float32frombits(steps | uint32(math.Float64bits(x)>>32)&(1<<31))
}

// roundTo is round32, and nothing for float64.
func roundTo[T native](x float64) T {
	if !is32[T]() {
		return T(x)
	}
	return T(round32(x))
}

// product32 returns a*b, and quotient32 a/b. In float64 a product is exact, and a
// quotient has so many digits that rounding it a second time does no harm.
func product32(a, b float32) float32  { return round32(wide32(a) * wide32(b)) }
func quotient32(a, b float32) float32 { return round32(wide32(a) / wide32(b)) }

// exactMax returns the maximum of a block, if m is what the kernel has found, and that is
// tiny: kernels compare, and may take subnormal numbers for 0. sum is that of the
// exponentials, and e that of the maximum. Where several elements have a part in the sum
// it is no matter which of the tiny numbers is the maximum, and 0 stands for it.
func exactMax[T native](k kernel, src []T, m T, sum doubleDouble, e T) T {
	if sum.hi >= 1.5*float64(e) {
		return 0
	}
	// Only the maximum is above -ln(2).
	const less = -0.5
	for len(src) > 16 {
		half := len(src) / 2
		if maxBlock(k, src[:half]) > less {
			src = src[:half]
		} else {
			src = src[half:]
		}
	}
	for _, x := range src {
		if x > less {
			return x
		}
	}
	return m
}

// The rest is for float64 without a wider type: sums of products that are rounded as
// IEEE 754 has it, to multiples of 2^-1074 where they are below the normal numbers. They
// are made 2^raisedBy times larger in the meantime.
const (
	safe        = -900 // from this exponent on neither a product nor what it loses is subnormal
	raisedBy    = 200
	raisedNorm  = 0x1p-822 // the least normal number, raised; its last place is 2^-1074, raised
	safeLimit   = 0x1p-900 // 2^safe
	raisedSteps = 0x1p874  // steps of 2^-1074 in a raised number
)

// raise returns x * 2^raisedBy, for an x that does not overflow.
func raise(x float64) float64 {
	if isTiny(x) {
		bits := math.Float64bits(x)
		return math.Copysign(float64(int64(bits&(1<<63-1)))/raisedSteps, float64(int64(bits)))
	}
	return x * (1 << raisedBy)
}

// lower returns x / 2^raisedBy, for an x that is normal then or a whole number of steps.
func lower(x float64) float64 {
	if math.Abs(x) >= raisedNorm {
		return x * (1.0 / (1 << raisedBy))
	}
	steps := uint64(math.Abs(x) * raisedSteps)
	return math.Float64frombits(steps | math.Float64bits(x)&(1<<63))
}

// toSteps rounds a raised number that is no normal one to whole steps.
func toSteps(x float64) float64 {
	return math.Copysign((math.Abs(x)+raisedNorm)-raisedNorm, x)
}

// isBelow reports whether 0 < |x| < 2^exponent.
func isBelow(x float64, exponent int) bool {
	return math.Float64bits(x)<<1-1 < uint64(1023+exponent)<<53-1
}

// anyBelow reports whether isBelow holds for an element.
func anyBelow(s []float64, exponent int) bool {
	for _, x := range s {
		if isBelow(x, exponent) {
			return true
		}
	}
	return false
}

// gradualSum returns a + b.
func gradualSum(a, b float64) float64 {
	if !isBelow(a, safe) && !isBelow(b, safe) {
		return a + b
	}
	const large = uint64(1023-850) << 53
	if magnitudeBits(a) >= large || magnitudeBits(b) >= large {
		return a + b // what counts as 0 is far below the last place
	}
	return lower(raise(a) + raise(b))
}

// gradualProduct returns weight * x, for a weight between 2^-900 and 1.
func gradualProduct(weight, x float64) float64 {
	product := float64(weight * x)
	if isZero(x) || !(math.Abs(product) < safeLimit) {
		return product
	}
	x = raise(x)
	product = float64(weight * x)
	if math.Abs(product) < raisedNorm {
		product = math.Copysign(multiplyAdd(weight, math.Abs(x), raisedNorm)-raisedNorm, x)
	}
	return lower(product)
}

// gradualLoss returns weight*x - product, for the product that gradualProduct returns.
func gradualLoss(weight, x, product float64) float64 {
	if !(math.Abs(product) < safeLimit) {
		return multiplyAdd(weight, x, -product)
	}
	product = raise(product)
	if math.Abs(product) < raisedNorm {
		return 0 // at most half a step
	}
	lost := multiplyAdd(weight, raise(x), -product)
	if math.Abs(lost) < raisedNorm {
		lost = toSteps(lost)
	}
	return lower(lost)
}
