package softmax

// This file is the kernel in Go for float32. It defines the result: every kernel
// in assembly performs the same roundings in the same order. What does not depend
// on the element type is in blocks_generic.go.

import "math"

// The exponential is
//
//	a * e^x = 2^m * a*2^(j/8) * e^r,   n = 8*m + j = round(x * 8*log2(e)),   |r| <= ln(2)/16
//
// with e^r = 1 + r + r*r*(c2 + c3*r). Softmax does not change when every
// exponential is multiplied by the same a; this one makes all eight a*2^(j/8)
// almost exact in float32. Over every float32 with |x| < 16384 the float32
// result is at most 0.997 ULP off (at x = -0x1.83d504p+11), its relative error
// at most 0.72 * 2^-23, and it never decreases as x grows.
const (
	log2e8   float32 = 0x1.715476p+3   // 8*log2(e)
	ln2Hi    float32 = 0x1.62e43p-4    // ln(2)/8, leading bits: x - n*ln2Hi is exact
	ln2Lo    float32 = -0x1.05c61p-32  // ln(2)/8 - ln2Hi
	expC2    float32 = 0x1.0008bp-1    // coefficient of r^2, fitted for accuracy and monotonicity
	expC3    float32 = 0x1.55621ep-3   // coefficient of r^3, fitted with that of r^2
	intMagic float32 = 0x1.8p+23       // adding it rounds to an integer, which the low bits then hold
	tiny     float32 = 0x1p-60         // added to x: makes subnormal logits normal, changes no result
	intWide  float64 = 0x1.8p+52       // intMagic for float64
	nanBits  uint32  = 0x7FC00000      // the NaN of every undefined result
	oneBits  uint32  = 127 << 23       // bits of 1
	bitOf2   uint32  = 1 << 30         // set in every finite float32 that is 2 or more, and in no smaller one
	liftBits uint32  = careShift << 23 // careShift where the exponent of a float32 stands

	topExponent = 64 // the powers of two that row.go describes
	vanish      = 154
	careShift   = 126
)

// expScale is a: of all float32 in [1, 2) one of the eight best (they differ by
// powers of 2^(1/8)): every a*2^(j/8) is within 0.06 * 2^-23 of a float32.
const expScale = 0x1.16747cp+0

// expTable[j] holds the low 20 bits of float32(expScale * 2^(j/8)). The three
// above are j, thanks to expScale, so that (8*(m + 127) + j)<<20 completes the
// bits of that times 2^m.
var expTable = [8]uint32{
	0xb3a3e, 0x7d424, 0x59202, 0x48e45, 0x4e5be, 0x6b7da, 0xa26de, 0xf5829,
}

// fma32 returns a*b + c, rounded once, if that is a normal number.
func fma32(a, b, c float32) float32 {
	return float32(oddSum(float64(a)*float64(b), float64(c)))
}

// oddSum returns x + y for rounding to float32: a sum that stands exactly
// between two float32 values, but only because the addition rounded, would round
// a second time the wrong way. It is moved off that place.
//
// Source: S. Boldo and G. Melquiond, "Emulation of FMA and correctly rounded
// sums: proved algorithms using rounding to odd" (2008). With x the product of
// two float32 values, which is exact, this makes a fused multiply-add.
func oddSum(x, y float64) (sum float64) {
	sum = x + y
	if math.Float64bits(sum)<<35 == 1<<63 {
		sum = roundToOdd(x, y)
	}
	return
}

// roundToOdd returns x + y if that is a float64, or else the neighbour whose last
// bit is 1. The rounded sum must have a last bit of 0.
//
//go:noinline
func roundToOdd(x, y float64) float64 {
	// D. Knuth's TwoSum: rest is what the addition loses, exactly.
	sum := x + y
	yRounded := sum - x
	xRounded := sum - yRounded
	rest := (x - xRounded) + (y - yRounded)
	switch {
	case rest == 0 || rest != rest:
		return sum
	case (rest > 0) == (sum > 0):
		return math.Float64frombits(math.Float64bits(sum) + 1)
	default:
		return math.Float64frombits(math.Float64bits(sum) - 1)
	}
}

// expGeneric32 returns expScale * e^(x+ref.bias) * 2^ref.shift.
func expGeneric32(x float32, ref *reference[float32]) float32 {
	x = float32(x + ref.bias)
	if x < ref.cutoff {
		x = ref.cutoff
	}
	// The product is exact, so that this rounds to an integer once.
	wide := float64(float64(x)*float64(log2e8)) + intWide
	n := wide - intWide
	// Both products are exact, and so is each difference before it is rounded.
	r := float32(float64(x) - float64(n*float64(ln2Hi)) - float64(n*float64(ln2Lo)))
	p := float32(oddSum(float64(expC3)*float64(r), float64(expC2)))
	q := float32(oddSum(float64(float32(p*r))*float64(r), float64(r)))
	bits := uint32(math.Float64bits(wide)) + uint32(ref.offset)
	s := math.Float32frombits(bits<<20 | expTable[bits&7])
	return float32(oddSum(float64(q)*float64(s), float64(s)))
}

// expGroup32 stores exponentials and returns whether all are at least 2.
func expGroup32(dst, src []float32, ref *reference[float32]) (large bool) {
	all := ^uint32(0)
	for i, x := range src {
		e := expGeneric32(x, ref)
		dst[i] = e
		all &= math.Float32bits(e)
	}
	return all&bitOf2 != 0
}

// newFactor32 returns 2^delta / sum, where sum is a row's sum. Its low part is
// cut to 32 bits behind the leading bit of the high part: then no product with it
// is subnormal unless careful is called for.
func newFactor32(sum float64, delta int32, careful bool) factor[float32] {
	inverse := 1 / sum
	high := float64(float32(inverse))
	cut := high * 0x1p20
	low := float64(float64(inverse-high)+cut) - cut
	scale := pow2(delta)
	f := factor[float32]{cutoff: float32(sum / scale * 0x1p-153), careful: careful}
	if careful {
		scale *= 1 << 63
		scale *= 1 << (careShift - 63)
	}
	f.hi, f.lo = float32(high*scale), float32(low*scale)
	return f
}

func scaleBlockGeneric32(dst []float32, f *factor[float32]) {
	for i, e := range dst {
		dst[i] = scaleGeneric32(e, f)
	}
}

// scaleGeneric32 returns e * f. If f.careful is set, f is 2^careShift too large:
// the product is made in the range of normal numbers and rounded from there.
func scaleGeneric32(e float32, f *factor[float32]) float32 {
	if !f.careful {
		return float32(oddSum(float64(e)*float64(f.hi), float64(float32(e*f.lo))))
	}
	if e < f.cutoff {
		e = f.cutoff
	}
	v := fma32(e, f.hi, float32(e*f.lo))
	if v >= 1 {
		return math.Float32frombits(math.Float32bits(v) - liftBits)
	}
	// Adding 1 rounds at 2^-23, as far below 1 as the smallest subnormal number is
	// below the smallest normal one, and leaves the bits of a subnormal number.
	return math.Float32frombits(math.Float32bits(v+1) - oneBits)
}
