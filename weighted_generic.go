package softmax

// This file is the sum of attention outputs times their weights, for all kernels in
// plain Go. It defines the result: a kernel in assembly performs the same roundings in
// the same order.

import "math"

// columnsPerCall is the number of columns whose sums are made together, a multiple of
// the elements in any vector.
const columnsPerCall = 128

// columnSums has a sum for each column: hi + lo, for float32 just hi. A kernel may
// leave anything in a vector behind the columns that it is asked for.
type columnSums struct{ hi, lo [columnsPerCall]float64 }

// emptySums is what sums start from. Only -0 leaves a first number as it is, also -0.
var emptySums = func() (s columnSums) {
	fill(s.hi[:], math.Copysign(0, -1))
	return s
}()

// weightedPart is a part that counts. Assembly reads it.
type weightedPart struct {
	weight float64 // times sumScale
	at     int     // where the part's output starts
}

// sumScale returns what sums are larger by. With that of float32 the product of a subnormal
// element and the least weight is a normal float64.
func sumScale[T native]() float64 {
	if is32[T]() {
		return 1 << 200
	}
	return 1
}

// addWeightedGeneric adds the first cols elements of each part's output, times its
// weight, to the sums in from, and stores them in to. Parts are added one after the
// other, in each column on its own.
//
// For float32 a product has at most 77 bits and is added to a float64 with one
// rounding. For float64 lo takes what each product and each sum in hi loses.
//
// Source: algorithm Dot2 of T. Ogita, S. M. Rump and S. Oishi, "Accurate Sum and Dot
// Product" (2005).
func addWeightedGeneric[T native](to, from *columnSums, parts []weightedPart, src []T, cols int) {
	hi, lo := to.hi[:cols], to.lo[:cols]
	copy(hi, from.hi[:])
	copy(lo, from.lo[:])
	gradual := is64[T]() && from != &emptySums && (anyBelow(hi, safe) || anyBelow(lo, safe))
	for _, part := range parts {
		output := src[part.at:][:cols]
		if is32[T]() {
			for j, x := range as32(output) {
				hi[j] = multiplyAdd(part.weight, wide32(x), hi[j])
			}
			continue
		}
		least := safe - int(exponentOf(part.weight))
		for j, x := range as64(output) {
			// From the first small number on any sum may be small.
			if gradual = gradual || isBelow(x, least); gradual {
				hi[j], lo[j] = addGradual(hi[j], lo[j], part.weight, x)
				continue
			}
			product := float64(part.weight * x)
			lost := multiplyAdd(part.weight, x, -product)
			sum := hi[j] + product
			productRounded := sum - hi[j]
			sumRounded := sum - productRounded
			lo[j] += lost + ((hi[j] - sumRounded) + (product - productRounded))
			hi[j] = sum
		}
	}
}

// addGradual adds one element of float64, whose product may be subnormal, to a sum.
func addGradual(hi, lo, weight, x float64) (newHi, newLo float64) {
	product := gradualProduct(weight, x)
	lost := gradualLoss(weight, x, product)
	sum := gradualSum(hi, product)
	productRounded := gradualSum(sum, -hi)
	sumRounded := gradualSum(sum, -productRounded)
	rest := gradualSum(gradualSum(hi, -sumRounded), gradualSum(product, -productRounded))
	return sum, gradualSum(lo, gradualSum(lost, rest))
}

// roundSumsGeneric writes the sums, rounded to elements.
func roundSumsGeneric[T native](dst []T, sums *columnSums) {
	if is32[T]() {
		for j := range dst {
			sum := sums.hi[j] / sumScale[T]()
			if dst[j] = T(round32(sum)); sum != sum {
				dst[j] = nan[T]()
			}
		}
		return
	}
	for j := range dst {
		sum := sums.hi[j]
		switch lo := sums.lo[j]; {
		case lo != lo || isZero(lo): // where hi is infinite lo is a NaN; and hi may be -0
		case isBelow(lo, safe) || isBelow(sum, safe):
			sum = gradualSum(sum, lo)
		default:
			sum += lo
		}
		if dst[j] = T(sum); sum != sum {
			dst[j] = nan[T]()
		}
	}
}

// multiplyAdd is fma64 without its precondition, for an a of at most 2^200 whose product with
// b does not overflow.
func multiplyAdd(a, b, c float64) float64 {
	if fastFMA {
		return math.FMA(a, b, c)
	}
	return emulatedMultiplyAdd(a, b, c)
}

// emulatedMultiplyAdd leaves what emulatedFMA cannot do to math.FMA, which is slow unless a
// number is 0, infinite or a NaN.
func emulatedMultiplyAdd(a, b, c float64) float64 {
	const small, large = 0x1p-900, 0x1p900
	if math.Abs(float64(a*b)) >= small && math.Abs(b) <= large {
		return emulatedFMA(a, b, c)
	}
	return math.FMA(a, b, c)
}
