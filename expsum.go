package softmax

// This file is the sum of exponentials that blocks of a row have, in any order.

import "math"

// expSum is what is known of the exponentials of blocks: the largest logit, and the
// sums. Blocks have the anchor of their own maximum, so that their exponentials do
// not depend on other blocks. Only those with the anchor of the largest logit and
// with the next lower one can matter. The zero value knows of no block; equal
// blocks give equal structs, in whatever order they came.
type expSum[T native] struct {
	hasNaN bool        // there is a NaN, and all else is 0
	top    T           // the largest logit; +Inf if there is one, and then the sums are 0
	sums   [2]exactSum // of the blocks with the same anchor as top, and with the next lower one
}

// count tells how many blocks there are that count.
func (s *expSum[T]) count() exactCount { return s.sums[0].count }

// isUndefined reports whether there is a NaN or a +Inf.
func (s *expSum[T]) isUndefined() bool { return s.hasNaN || s.top == T(math.Inf(1)) }

// max returns the largest logit, or a NaN.
func (s *expSum[T]) max() T {
	switch {
	case s.hasNaN:
		return nan[T]()
	case s.count() == noNumber && !s.isUndefined():
		return T(math.Inf(-1))
	}
	return s.top
}

// add adds a block. One of nothing but -Inf adds nothing.
func (s *expSum[T]) add(b blockScan[T]) {
	if s.takes(b.top) {
		if i := s.index(b.top); i < len(s.sums) {
			s.sums[i].add(b.sum, -b.shift)
		}
	}
}

// merge adds the blocks of another sum.
func (s *expSum[T]) merge(other *expSum[T]) {
	if m := other.max(); s.takes(m) {
		first := s.index(m)
		for i := range other.sums[:max(0, len(s.sums)-first)] {
			s.sums[first+i].merge(&other.sums[i])
		}
	}
}

// takes makes room for blocks whose largest logit is m, and reports whether they can
// be added.
func (s *expSum[T]) takes(m T) bool {
	if isZero(m) {
		m = 0 // no -0, which kernels need not tell from 0
	}
	switch {
	case s.hasNaN || m == T(math.Inf(-1)):
		return false
	case m != m:
		*s = expSum[T]{hasNaN: true}
		return false
	case s.isUndefined():
		return false
	case math.IsInf(float64(m), 1):
		*s = expSum[T]{top: m}
		return false
	case s.count() == noNumber:
		s.top = m
	case exceeds(m, s.top):
		switch top := s.top; anchorsApart(anchorOf(m), anchorOf(top)) {
		case 0:
		case 1:
			s.sums[0], s.sums[1] = exactSum{}, s.sums[0]
		default:
			s.sums = [2]exactSum{}
		}
		s.top = m
	}
	return true
}

// index returns how many anchors m is below the largest logit: 2 stands for more.
func (s *expSum[T]) index(m T) int { return anchorsApart(anchorOf(s.top), anchorOf(m)) }

// anchorsApart returns how many steps from one anchor to the next it takes from low to
// high: 2 stands for more.
func anchorsApart[T native](high, low T) int {
	switch step := high - low; {
	case step == 0:
		return 0
	case step == anchorStep, step == exactLimit && (high == 0 || low == 0):
		return 1
	default:
		return 2
	}
}

// lowered are the exponentials of the negative distances between two neighbouring anchors,
// as (hi + lo) * 2^power.
var lowered = [2]struct {
	value doubleDouble
	power int32
}{
	{doubleDouble{0x1.5bd3a53cf7fd6p+0, 0x1.1c675046cad54p-56}, -11819}, // e^-anchorStep
	{doubleDouble{0x1.d89770ed15715p+0, 0x1.c8b8c53f3a97fp-54}, -23638}, // e^-exactLimit
}

// total returns the sum of all blocks. Whether probabilities may be subnormal it
// does not know.
func (s *expSum[T]) total() rowTotal[T] {
	t := rowTotal[T]{top: s.max(), sum: doubleDouble{hi: math.NaN()}, careful: true}
	if s.count() == noNumber {
		return t
	}
	if isZero(s.top) {
		t.top = T(math.Copysign(0, -1)) // either zero less this is 0, not -0
	}
	anchor := anchorOf(s.top)
	t.bias = rowBias(s.top)
	t.shift = shiftOf(s.top, t.bias)
	t.sum = s.sums[0].scaled(t.shift)
	if s.sums[1].count != noNumber {
		low := lowered[0]
		if anchor == 0 || anchor == exactLimit {
			low = lowered[1]
		}
		t.sum = t.sum.add(s.sums[1].scaled(t.shift + low.power).product(low.value))
	}
	return t
}

// isValid reports whether s can be what blocks give. It is for structs that were
// made of bytes.
func (s *expSum[T]) isValid() bool {
	const farthest = 1 << 16 // beyond every exponent of an exponential
	switch {
	case s.count() == noNumber:
		return s.sums[1].count == noNumber && (math.Float64bits(wide(s.top)) == 0 || s.isUndefined())
	case s.isUndefined() || math.IsInf(float64(s.top), -1) || isZero(s.top) && math.Signbit(float64(s.top)):
		return false
	}
	for i := range s.sums {
		switch sum := &s.sums[i]; sum.count {
		case noNumber:
		case oneNumber:
			normal := sum.only.hi >= 0x1p-1022 && sum.only.hi <= math.MaxFloat64
			if !normal || !(math.Abs(sum.only.lo) < sum.only.hi) || sum.power < -farthest || sum.power > farthest {
				return false
			}
		case manyNumbers:
			for _, b := range sum.bins {
				// As many numbers there are not, and merging must not overflow.
				if most := int64(1) << 56; int64(b.hi) >= most || int64(b.hi) < -most {
					return false
				}
			}
			words := sum.words()
			if int64(words[0]) < 0 || words == [len(words)]uint64{} || sum.place < -farthest || sum.place > farthest {
				return false
			}
		default:
			return false
		}
	}
	return true
}
