package softmax

// This file is the part of the kernel in Go that makes attention scores of
// logits. It defines the result, as softmax_generic.go does for the exponential.

import (
	"math"
	"unsafe"
)

// scoring says how a part of a row becomes scores. Assembly reads it.
type scoring struct {
	bias     *float32 // what is added to the first logit, before those of the others; nil for none
	keep     *bool    // whether the first key is kept, before those of the others; nil for all
	scale    float32  // multiplies each logit
	flush    uint32   // not 0: subnormal numbers may count as 0
	softcap  float32  // 0 for none
	slope    float32  // 0 for none
	distance int32    // from the query's position to the first column
}

// mayFlush reports whether subnormal numbers may count as 0 with a scale or softcap.
// No score changes by more than 2^-85 then, and such a change is never seen: it is
// less than half the last place of what is added to a score, or the score is so
// small that its exponential is that of 0. Operations with subnormal operands or
// results take some processors a hundred cycles.
func mayFlush(scale float32) bool { return 0x1p-41 <= scale && scale <= 0x1p+41 }

const negativeInfinity uint32 = 0xFF800000 // bits of the score of a key that is removed

// scoreBlockGeneric makes scores of the logits of a block. It returns the largest;
// with a NaN among them, any value. Each step is rounded on its own.
func scoreBlockGeneric(dst, src []float32, s *scoring) float32 {
	removed := math.Float32frombits(negativeInfinity)
	top := removed
	for i, x := range src {
		switch {
		case s.flush == 0:
			x = s.capped(product32(x, s.scale))
		case s.softcap != 0:
			x = float32(s.softcap * tanh32(float32(x*s.scale)/s.softcap))
		default:
			x = float32(x * s.scale)
		}
		if s.slope != 0 {
			distance := s.distance + int32(i)
			x -= float32(s.slope * float32(max(distance, -distance)))
		}
		if s.bias != nil {
			if bias := unsafe.Slice(s.bias, len(src))[i]; bias != removed {
				x += bias
			} else {
				x = removed
			}
		}
		if s.keep != nil && !unsafe.Slice(s.keep, len(src))[i] {
			x = removed
		}
		dst[i] = x
		if x > top {
			top = x
		}
	}
	return top
}

// undefinedBlockGeneric writes the weights of a block of a row that is undefined: NaN, but 0 for keys
// that are removed.
func undefinedBlockGeneric(dst []float32, s *scoring) {
	bits := castSlice[uint32](dst)
	fill(dst, nan[float32]())
	if s.bias != nil {
		for i, bias := range castSlice[uint32](unsafe.Slice(s.bias, len(dst))) {
			other := bias ^ negativeInfinity
			bits[i] &= -((other | -other) >> 31) // all ones unless other is 0
		}
	}
	if s.keep != nil {
		for i, kept := range castSlice[uint8](unsafe.Slice(s.keep, len(dst))) {
			bits[i] &= -uint32(kept) // all ones for true, which is 1
		}
	}
}

// capped applies softcap to a score, where subnormal numbers do not count as 0.
func (s *scoring) capped(x float32) float32 {
	if isZero(s.softcap) {
		return x
	}
	x = quotient32(x, s.softcap)
	if magnitudeBits(x) >= magnitudeBits(tiny) { // else it is its hyperbolic tangent
		x = tanh32(x)
	}
	return product32(s.softcap, x)
}

// The hyperbolic tangent of a >= 0 is a polynomial in the distance r to a center,
//
//	tanh(a) = c0 + c1*r + ... + c7*r^7,   r = a - center
//
// one for each of eight intervals. The bits of a*tanhSpread + tanhStart tell the
// interval: its exponent and the first bit of its fraction.
const (
	tanhLimit  float32 = 0x1.205a1cp+3 // from here on the result is 1
	tanhSpread float32 = 0x1.a66666p-1 // takes tanhLimit to just below 8
	tanhStart  float32 = 0x1.2p-1      // ends the first interval where no last place of r exceeds that of the result
)

// tanhTable has a column for each interval, at the index that the low three bits
// make: from 1.742 on (rounded), 2.955, 4.167, 6.591, and then 0, 0.227, 0.530,
// 1.136. Its rows are the center, with tanh(center) almost exact in float32, and
// the coefficients, the highest first, fitted for accuracy and monotonicity: over
// every float32 the result is at most 1.008 ULP off (at 0x1.fc87c2p-6), and it
// never decreases.
var tanhTable = [9][8]float32{
	{0x1.2c9b84p+1, 0x1.c7c1eap+1, 0x1.583faep+2, 0x1.f70406p+2, 0, 0x1.83dfb8p-2, 0x1.aaa9eep-1, 0x1.707c0cp+0},
	{-0x1.c72fc8p-15, 0x1.3f6c04p-15, 0x1.5fbf9ep-20, 0x1.64239ep-27, -0x1.6e8e7ep-5, 0x1.6b9768p-6, 0x1.e72c12p-7, -0x1.18d18cp-8},     // c7
	{-0x1.6b065ap-11, -0x1.29e14ep-13, -0x1.352d02p-18, -0x1.1400acp-25, -0x1.d60194p-9, -0x1.17acd2p-4, 0x1.fa7634p-8, 0x1.27661p-7},   // c6
	{0x1.d23f18p-9, 0x1.b7be9cp-12, 0x1.72e32p-17, 0x1.423d6p-24, 0x1.12316cp-3, 0x1.112d7cp-6, -0x1.f9f456p-5, -0x1.6d1aap-8},          // c5
	{-0x1.578ec6p-7, -0x1.1662bep-10, -0x1.cfa444p-16, -0x1.a068d6p-23, -0x1.6335fap-15, 0x1.58f5d6p-3, 0x1.2ceb28p-4, -0x1.85016p-6},   // c4
	{0x1.7254bcp-6, 0x1.18874ep-9, 0x1.dd04f6p-15, 0x1.ad49ccp-22, -0x1.5554d2p-2, -0x1.688ad8p-3, 0x1.21522ap-4, 0x1.7ff304p-4},        // c3
	{-0x1.203c4ep-5, -0x1.a6284cp-9, -0x1.65bacap-14, -0x1.40a1fcp-21, -0x1.e1d75ep-25, -0x1.41e4dcp-2, -0x1.756fd4p-2, -0x1.70cb9cp-3}, // c2
	{0x1.258d5p-5, 0x1.a6d484p-9, 0x1.64ee5ep-14, 0x1.3fd9b8p-21, 0x1p+0, 0x1.bd08fap-1, 0x1.11acfep-1, 0x1.9cb81p-3},                   // c1
	{0x1.f6be2ap-1, 0x1.ff2c6ap-1, 0x1.fffa6cp-1, 0x1.fffff6p-1, 0, 0x1.72546ep-2, 0x1.5d5106p-1, 0x1.c982b8p-1},                        // c0
}

// tanh32 returns the hyperbolic tangent of x.
func tanh32(x float32) float32 {
	const sign = 1 << 31
	bits := math.Float32bits(x)
	a := math.Float32frombits(bits &^ sign)
	if a > tanhLimit {
		a = tanhLimit
	}
	j := math.Float32bits(fma32(a, tanhSpread, tanhStart)) >> 22 & 7
	r := a - tanhTable[0][j]
	p := tanhTable[1][j]
	for _, c := range tanhTable[2:] {
		p = fma32(p, r, c[j])
	}
	return math.Float32frombits(math.Float32bits(p) | bits&sign)
}
