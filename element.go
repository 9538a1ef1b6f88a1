package softmax

// This file leads from code for any element type to the functions and constants
// of one.
//
// The type of an element is known when a generic function is compiled, so that
// nothing remains of these branches.

import "unsafe"

// is32 reports whether T is float32.
func is32[T Float]() bool { return unsafe.Sizeof(T(0)) == 4 }

// cast views what p points to as what it is: in a generic function the compiler
// cannot see that. So does castSlice for a slice.
func cast[To, From any](p *From) *To        { return (*To)(unsafe.Pointer(p)) }
func castSlice[To, From any](s []From) []To { return *cast[[]To](&s) }
func as32[T Float](s []T) []float32         { return castSlice[float32](s) }
func as64[T Float](s []T) []float64         { return castSlice[float64](s) }

// integerMagic returns the number that rounds to an integer when it is added.
func integerMagic[T Float]() T {
	if is32[T]() {
		return T(intMagic)
	}
	return T(intWide)
}

// exponentBias returns what is added to the exponent in the bits of a number.
func exponentBias[T Float]() int32 {
	if is32[T]() {
		return 127
	}
	return 1023
}

func tinyOf[T Float]() T {
	if is32[T]() {
		return T(tiny)
	}
	return T(wideTiny)
}

// laneStart returns what the lanes of laneSums start at.
func laneStart[T Float]() T {
	if is32[T]() {
		return T(accStart)
	}
	start := wideAccStart // a constant would have to fit float32
	return T(start)
}

// nan returns the NaN of every undefined result.
func nan[T Float]() T {
	if is32[T]() {
		bits := nanBits
		return *cast[T](&bits)
	}
	bits := wideNaNBits
	return *cast[T](&bits)
}

// fma returns a*b + c, rounded once.
func fma[T Float](a, b, c T) T {
	if is32[T]() {
		return T(fma32(float32(a), float32(b), float32(c)))
	}
	return T(fma64(float64(a), float64(b), float64(c)))
}

func expGeneric[T Float](x T, ref *reference[T]) T {
	if is32[T]() {
		return T(expGeneric32(float32(x), cast[reference[float32]](ref)))
	}
	return T(expGeneric64(float64(x), cast[reference[float64]](ref)))
}

// newFactor returns 2^delta / sum.
func newFactor[T Float](sum doubleDouble, delta int32, careful bool) factor[T] {
	if is32[T]() {
		f := newFactor32(sum.hi, delta, careful)
		return *cast[factor[T]](&f)
	}
	f := newFactor64(sum, delta, careful)
	return *cast[factor[T]](&f)
}
