package softmax

// This file is the kernel in Go for float64, as softmax_generic.go is for
// float32: the same steps, with a longer polynomial.

import "math"

// Over the range of r the polynomial's relative error is at most 2^-58.2. The
// float64 result never decreases as x grows: exp_test.go says why.
const (
	wideLog2e8   float64 = 0x1.71547652b82fep+3  // 8*log2(e)
	wideLn2Hi    float64 = 0x1.62e42fefa39efp-4  // ln(2)/8, leading bits: x - n*wideLn2Hi is exact
	wideLn2Lo    float64 = 0x1.abc9e3b39803fp-59 // ln(2)/8 - wideLn2Hi
	wideC2       float64 = 0x1.000000000010ep-1  // coefficients of r^2 to r^7, fitted for accuracy
	wideC3       float64 = 0x1.555555555566p-3
	wideC4       float64 = 0x1.55555547fc743p-5
	wideC5       float64 = 0x1.11111107d1a08p-7
	wideC6       float64 = 0x1.6c1cc08db03e1p-10
	wideC7       float64 = 0x1.a0207783c3e7fp-13
	wideTiny     float64 = 0x1p-120            // as tiny
	wideNaNBits  uint64  = 0x7FF8000000000000  // the NaN of every undefined result
	wideOneBits  uint64  = 1023 << 52          // bits of 1
	wideBitOf2   uint64  = 1 << 62             // as bitOf2
	wideAccStart float64 = 0x1p525             // 2^(wideTopExponent+13): above the sum of a block
	wideLiftBits uint64  = wideCareShift << 52 // wideCareShift where the exponent of a float64 stands

	wideTopExponent = 512 // the powers of two that row.go describes
	wideVanish      = 1080
	wideCareShift   = 1022
)

// wideScale is the a of softmax_generic.go for float64: every a*2^(j/8) is within
// 0.018 * 2^-52 of a float64. Found by trying 4e10 neighbours.
const wideScale = 0x1.165bbbecacca0p+0

// wideTable[j] holds the low 49 bits of float64(wideScale * 2^(j/8)). The three
// above are j, as in expTable.
var wideTable = [8]uint64{
	0x165bbbecacca0, 0xf8d4a81bb3e7, 0xb069531277d7, 0x8fc711a654c9,
	0x9a87b7dba6d5, 0xd49888745226, 0x14241c21156d5, 0x1e82edb4b00ce,
}

// expGeneric64 returns wideScale * e^(x+ref.bias) * 2^ref.shift.
func expGeneric64(x float64, ref *reference[float64]) float64 {
	x = float64(x + ref.bias)
	x = max(x, ref.cutoff) // without a branch, which masks would make slow
	t := fma64(x, wideLog2e8, ref.magic)
	n := t - ref.magic
	r := fma64(-n, wideLn2Lo, fma64(-n, wideLn2Hi, x))
	p := fma64(wideC7, r, wideC6)
	p = fma64(p, r, wideC5)
	p = fma64(p, r, wideC4)
	p = fma64(p, r, wideC3)
	p = fma64(p, r, wideC2)
	q := fma64(float64(p*r), r, r)
	bits := math.Float64bits(t)
	s := math.Float64frombits(bits<<49 | wideTable[bits&7])
	return fma64(q, s, s)
}

// expGroup64 stores exponentials and returns whether all are at least 2.
func expGroup64(dst, src []float64, ref *reference[float64]) (large bool) {
	all := ^uint64(0)
	for i, x := range src {
		e := expGeneric64(x, ref)
		dst[i] = e
		all &= math.Float64bits(e)
	}
	return all&wideBitOf2 != 0
}

// newFactor64 returns 2^delta / sum, where sum is a row's sum. Its low part is
// cut to 72 bits behind the leading bit of the high part: then no product with it
// is subnormal unless careful is called for.
func newFactor64(sum doubleDouble, delta int32, careful bool) factor[float64] {
	high := 1 / sum.hi
	rest := fma64(-sum.lo, high, fma64(-sum.hi, high, 1))
	cut := high * 0x1p-20
	low := float64(float64(rest*high)+cut) - cut
	f := factor[float64]{careful: careful}
	if careful {
		f.cutoff = sum.hi * 0x1p-1022 * pow2(-56-delta) // 2^-1078 of the sum
		delta += wideCareShift
	}
	f.hi, f.lo = high*pow2(delta), low*pow2(delta)
	return f
}

func scaleBlockGeneric64(dst []float64, f *factor[float64]) {
	for i, e := range dst {
		dst[i] = scaleGeneric64(e, f)
	}
}

// scaleGeneric64 returns e * f, as scaleGeneric32 does.
func scaleGeneric64(e float64, f *factor[float64]) float64 {
	if !f.careful {
		return fma64(e, f.hi, float64(e*f.lo))
	}
	if e < f.cutoff {
		e = f.cutoff
	}
	v := fma64(e, f.hi, float64(e*f.lo))
	if v >= 1 {
		return math.Float64frombits(math.Float64bits(v) - wideLiftBits)
	}
	// As there, where 2^-52 is as far below 1.
	return math.Float64frombits(math.Float64bits(v+1) - wideOneBits)
}
