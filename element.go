package softmax

// This file leads from code for any element type to the functions and constants
// of one.
//
// The size of an element is known when a generic function is compiled, so that
// nothing remains of branches on it.

import (
	"math"
	"unsafe"
)

// native is the set of element types that processors compute in.
type native interface{ float32 | float64 }

// is32 reports whether T is float32, is64 whether it is float64, and isFloat16
// whether it is Float16.
func is32[T Float]() bool { return unsafe.Sizeof(T(0)) == 4 }
func is64[T Float]() bool { return unsafe.Sizeof(T(0)) == 8 }
func isFloat16[T Float]() bool {
	_, is := any(T(0)).(Float16)
	return is
}

// isNative reports whether elements of type T are computed in type C as they are.
func isNative[C native, T Float]() bool { return unsafe.Sizeof(T(0)) == unsafe.Sizeof(C(0)) }

// cast views what p points to as what it is: in a generic function the compiler
// cannot see that. So do castSlice for a slice, and first for its first element.
func cast[To, From any](p *From) *To        { return (*To)(unsafe.Pointer(p)) }
func castSlice[To, From any](s []From) []To { return *cast[[]To](&s) }
func first[To, From any](s []From) *To      { return (*To)(unsafe.Pointer(unsafe.SliceData(s))) }
func as32[T any](s []T) []float32           { return castSlice[float32](s) }
func as64[T any](s []T) []float64           { return castSlice[float64](s) }

// integerMagic returns the number that rounds to an integer when it is added.
func integerMagic[T native]() T {
	if is32[T]() {
		return T(intMagic)
	}
	return T(intWide)
}

// exponentBias returns what is added to the exponent in the bits of a number.
func exponentBias[T native]() int32 {
	if is32[T]() {
		return 127
	}
	return 1023
}

func tinyOf[T native]() T {
	if is32[T]() {
		return T(tiny)
	}
	return T(wideTiny)
}

// nan returns the NaN of every undefined result.
func nan[T Float]() T { return fromFloat[T](math.NaN()) }

// fromFloat returns x as an element: a NaN, an infinity or a float32.
func fromFloat[T Float](x float64) T {
	switch {
	case x != x && is64[T]():
		bits := wideNaNBits
		return *cast[T](&bits)
	case is64[T]():
		return *cast[T](&x)
	}
	single := float32(x)
	if x != x {
		single = math.Float32frombits(nanBits)
	}
	switch {
	case is32[T]():
		return *cast[T](&single)
	case isFloat16[T]():
		return T(ToFloat16(single))
	default:
		return T(ToBFloat16(single))
	}
}

// fromNative returns x as an element, rounded if that has 16 bits.
func fromNative[T Float, C native](x C) T {
	switch {
	case isNative[C, T]():
		return *cast[T](&x)
	case isFloat16[T]():
		return T(ToFloat16(float32(x)))
	default:
		return T(ToBFloat16(float32(x)))
	}
}

// fma returns a*b + c, rounded once.
func fma[T native](a, b, c T) T {
	if is32[T]() {
		return T(fma32(float32(a), float32(b), float32(c)))
	}
	return T(fma64(float64(a), float64(b), float64(c)))
}

func expGeneric[T native](x T, ref *reference[T]) T {
	if is32[T]() {
		return T(expGeneric32(float32(x), cast[reference[float32]](ref)))
	}
	return T(expGeneric64(float64(x), cast[reference[float64]](ref)))
}

// newFactor returns 2^delta / sum.
func newFactor[T native](sum doubleDouble, delta int32, careful bool) factor[T] {
	if is32[T]() {
		f := newFactor32(sum.hi, delta, careful)
		return *cast[factor[T]](&f)
	}
	f := newFactor64(sum, delta, careful)
	return *cast[factor[T]](&f)
}
