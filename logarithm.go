package softmax

// This file is the natural logarithm. math.Log will not do: on some architectures
// it is assembly with other bits, on others the compiler fuses its operations.

import "math"

// logarithm returns ln(x) for a normal number x >= 1, as a sum: hi + lo rounded is
// less than 1 ULP off, and the absolute error of the sum is below 2^-55.
//
//	x = 2^k * (1+f),   sqrt(1/2) <= 1+f < sqrt(2),   s = f/(2+f)
//	ln(1+f) = f - f*f/2 + s*(f*f/2 + R(s*s))
//
// Source: e_log.c of FreeBSD's msun (Sun Microsystems, 1993), with its
// coefficients, whose error in R is below 2^-58.45.
func logarithm(x float64) doubleDouble {
	const (
		ln2Hi = 0x1.62e42feep-1 // its product with k is exact
		ln2Lo = 0x1.a39ef35793c76p-33

		l1 = 0x1.5555555555593p-1
		l2 = 0x1.999999997fa04p-2
		l3 = 0x1.2492494229359p-2
		l4 = 0x1.c71c51d8e78afp-3
		l5 = 0x1.7466496cb03dep-3
		l6 = 0x1.39a09d078c69fp-3
		l7 = 0x1.2f112df3e5244p-3
	)
	bits := math.Float64bits(x)
	exponent := int(bits>>52) - 1023
	f := math.Float64frombits(bits&(1<<52-1) | 1023<<52)
	if f >= math.Sqrt2 {
		f /= 2
		exponent++
	}
	f--
	k := float64(exponent)

	s := f / (2 + f)
	z := float64(s * s)
	w := float64(z * z)
	odd := float64(l7*w) + l5
	even := float64(l6*w) + l4
	odd = float64(odd*w) + l3
	even = float64(even*w) + l2
	odd = float64(odd*w) + l1
	r := float64(odd*z) + float64(even*w)
	half := float64(float64(f*f) / 2)
	low := float64(s*float64(half+r)) + float64(k*ln2Lo)
	// T. J. Dekker's FastTwoSum: k*ln2Hi is exact, and 0 or larger than f.
	hi := float64(k*ln2Hi) + f
	lost := f - float64(hi-float64(k*ln2Hi))
	return doubleDouble{hi, lost - float64(half-low)}
}
