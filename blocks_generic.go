package softmax

// This file is the part of the kernel in Go that is the same for every element
// type: maximum, sum, and whole blocks.

import "unsafe"

// softmaxBlocksGeneric computes rows of at most blockLen elements.
func softmaxBlocksGeneric[T native](dst, src *T, cols, rows, dstStride, srcStride int) {
	to := unsafe.Slice(dst, (rows-1)*dstStride+cols)
	from := unsafe.Slice(src, (rows-1)*srcStride+cols)
	for row := range rows {
		s := from[row*srcStride:][:cols]
		softmaxBlockFrom(to[row*dstStride:][:cols], s, maxGeneric(s))
	}
}

// softmaxBlockFrom computes a row of at most blockLen elements with maximum m.
func softmaxBlockFrom[T native](dst, src []T, m T) {
	ref := newReference(m, rowBias(m))
	sum, large := expBlockGeneric(dst, src, &ref)
	if sum.undefined() {
		fillNaN(dst)
		return
	}
	f := newFactor[T](sum, 0, needsCare[T](sum, 0, large))
	scaleBlockGeneric(dst, &f)
}

// softmaxBlockGeneric does it in place.
func softmaxBlockGeneric(x []float32, m float32) { softmaxBlockFrom(x, x, m) }

// maxGeneric returns the largest element; with a NaN among them, any value.
func maxGeneric[T native](src []T) T {
	m := src[0]
	for _, x := range src[1:] {
		if x > m {
			m = x
		}
	}
	return m
}

// hasNaNGeneric reports whether an element is a NaN.
func hasNaNGeneric[T native](src []T) bool {
	for _, x := range src {
		if x != x {
			return true
		}
	}
	return false
}

// expBlockGeneric stores the exponentials of a block. It returns their sum and
// whether all are at least 2.
func expBlockGeneric[T native](dst, src []T, ref *reference[T]) (sum doubleDouble, large bool) {
	lanes, large := newLaneSums[T](), true
	for len(src) > 0 {
		n := min(len(src), 32)
		large = expGroup(dst[:n], src[:n], ref) && large
		addGroup(&lanes, dst[:n])
		dst, src = dst[n:], src[n:]
	}
	return totalOf[T](&lanes), large
}

// sumBlockGeneric is expBlockGeneric without storing.
func sumBlockGeneric[T native](src []T, ref *reference[T]) (sum doubleDouble, large bool) {
	lanes, large := newLaneSums[T](), true
	var group [32]T
	for len(src) > 0 {
		n := min(len(src), 32)
		large = expGroup(group[:n], src[:n], ref) && large
		addGroup(&lanes, group[:n])
		src = src[n:]
	}
	return totalOf[T](&lanes), large
}

// sumRowsGeneric finds out about rows of at most blockLen elements.
func sumRowsGeneric[T native](sums *rowSum[T], src *T, cols, rows, stride int) {
	from := unsafe.Slice(src, (rows-1)*stride+cols)
	to := unsafe.Slice(sums, rows)
	for row := range to {
		s := from[row*stride:][:cols]
		m := maxGeneric(s)
		ref := newReference(m, rowBias(m))
		sum, _ := sumBlockGeneric(s, &ref)
		to[row] = rowSum[T]{m, expGeneric(m, &ref), sum}
	}
}

// expGroup stores exponentials and returns whether all are at least 2.
func expGroup[T native](dst, src []T, ref *reference[T]) (large bool) {
	if is32[T]() {
		return expGroup32(as32(dst), as32(src), cast[reference[float32]](ref))
	}
	return expGroup64(as64(dst), as64(src), cast[reference[float64]](ref))
}

func scaleBlockGeneric[T native](dst []T, f *factor[T]) {
	if is32[T]() {
		scaleBlockGeneric32(as32(dst), cast[factor[float32]](f))
	} else {
		scaleBlockGeneric64(as64(dst), cast[factor[float64]](f))
	}
}

func expScaleBlockGeneric[T native](dst, src []T, ref *reference[T], f *factor[T]) {
	expGroup(dst, src, ref)
	scaleBlockGeneric(dst, f)
}

// subtractBlockGeneric writes (x - m) - rest for each x. The conversion of rest
// keeps a caller's multiplication from being fused with the subtraction.
func subtractBlockGeneric[T native](dst, src []T, m, rest T) {
	for i, x := range src {
		dst[i] = T(x-m) - T(rest)
	}
}

// laneSums adds the exponentials of a block in the order that suits vector
// registers. Element i goes to lane i mod 16; elements 16 apart are added in
// pairs, and each pair to the lane. Lanes are float64. Those of a float64 row
// keep what an addition loses.
type laneSums struct {
	acc  [16]float64
	lost [16]float64
}

func newLaneSums[T native]() (l laneSums) {
	if is64[T]() {
		for i := range l.acc {
			l.acc[i] = wideAccStart
		}
	}
	return l
}

// addGroup adds a group of at most 32 exponentials. Missing ones count as +0.
func addGroup[T native](l *laneSums, group []T) {
	if len(group) < 32 {
		var padded [32]T
		copy(padded[:], group)
		group = padded[:]
	}
	v := (*[32]T)(group)
	for i := range l.acc {
		pair := float64(T(v[i] + v[i+16]))
		acc := l.acc[i] + pair
		if is64[T]() {
			// T. J. Dekker's FastTwoSum: acc starts above any pair.
			l.lost[i] += float64(pair - float64(acc-l.acc[i]))
		}
		l.acc[i] = acc
	}
}

// totalOf returns the sum of the lanes, added 8, 4, 2 and 1 apart.
func totalOf[T native](l *laneSums) doubleDouble {
	hi, lo := l.acc, l.lost
	if is64[T]() {
		for i := range hi {
			hi[i] -= wideAccStart
		}
	}
	for width := 8; width > 0; width /= 2 {
		for i := range width {
			hi[i] += hi[i+width]
			lo[i] += lo[i+width]
		}
	}
	return doubleDouble{hi[0], lo[0]}
}

// transposeGeneric sets dst[c*dstStride+r] to src[r*srcStride+c], for all r below
// rows and c below cols. It goes by squares, for the sake of the caches.
func transposeGeneric[T Float](dst, src []T, rows, cols, dstStride, srcStride int) {
	const side = 16
	for top := 0; top < rows; top += side {
		for left := 0; left < cols; left += side {
			bottom := min(top+side, rows)
			for c := left; c < min(left+side, cols); c++ {
				for r := top; r < bottom; r++ {
					dst[c*dstStride+r] = src[r*srcStride+c]
				}
			}
		}
	}
}
