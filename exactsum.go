package softmax

// This file is the sum of numbers that does not depend on their order.
//
// Numbers are cut into pieces at fixed places: every 64 bits, counted from 2^0.
// Pieces of the same place are added as integers, in a bin that is wide enough for
// ever, and nothing is carried from one bin to another. So a bin holds the exact
// sum of its pieces, in whatever order they came. Only the bins below the largest
// number so far are kept; those that drop out, when a larger one comes, do so for
// every order.
//
// Source: J. Demmel and H. D. Nguyen, "Parallel Reproducible Summation" (2015),
// whose bins are floating-point numbers; the idea of fixed-point sums is U. W.
// Kulisch's.

import (
	"math"
	"math/bits"
)

const (
	binWidth  = 64 // bits of a piece
	binsKept  = 4  // what is dropped is below 2^-192 of the largest number
	fractions = 52 // bits of a float64 behind its leading one
)

// bin is a 128-bit integer in two's complement.
type bin struct{ lo, hi uint64 }

// exactSum is the sum of numbers of which each is positive, normal, and a
// doubleDouble times a power of two. A single number is kept as it is. The zero
// value is the empty sum; equal sums of the same numbers are equal structs.
type exactSum struct {
	count exactCount
	power int32         // the exponent that goes with only
	only  doubleDouble  // the number, if there is one
	place int32         // of bins[0], whose pieces are multiples of 2^(binWidth*place)
	bins  [binsKept]bin // each a place below the one before; 0 unless there are several numbers
}

// exactCount tells how many numbers an exactSum has.
type exactCount uint8

const (
	noNumber exactCount = iota
	oneNumber
	manyNumbers
)

// add adds d * 2^power.
func (s *exactSum) add(d doubleDouble, power int32) {
	if s.count == noNumber {
		s.count, s.only, s.power = oneNumber, d, power
		return
	}
	s.spread()
	s.addToBins(d, power)
}

// merge adds the numbers of another sum.
func (s *exactSum) merge(other *exactSum) {
	switch {
	case other.count == noNumber:
	case s.count == noNumber:
		*s = *other
	case other.count == oneNumber:
		s.add(other.only, other.power)
	default:
		s.spread()
		s.raise(other.place)
		for i, j := 0, int(s.place-other.place); j < binsKept; i, j = i+1, j+1 {
			b := &s.bins[j]
			var carry uint64
			b.lo, carry = bits.Add64(b.lo, other.bins[i].lo, 0)
			b.hi += other.bins[i].hi + carry
		}
	}
}

// spread moves a single number to the bins.
func (s *exactSum) spread() {
	if s.count == oneNumber {
		d, power := s.only, s.power
		*s = exactSum{count: manyNumbers, place: placeOf(d.hi, power)}
		s.addToBins(d, power)
	}
}

func (s *exactSum) addToBins(d doubleDouble, power int32) {
	s.raise(placeOf(d.hi, power))
	s.addPieces(d.hi, power)
	s.addPieces(d.lo, power)
}

// placeOf returns the place of the leading bit of x * 2^power.
func placeOf(x float64, power int32) int32 { return (exponentOf(x) + power) >> 6 }

// raise makes place the highest one, unless it is lower.
func (s *exactSum) raise(place int32) {
	if place <= s.place {
		return
	}
	by := int(min(place-s.place, binsKept))
	copy(s.bins[by:], s.bins[:])
	clear(s.bins[:by])
	s.place = place
}

// addPieces adds x * 2^power, where x is 0 or normal.
func (s *exactSum) addPieces(x float64, power int32) {
	if x == 0 {
		return
	}
	number := math.Float64bits(x)
	integer := number&(1<<fractions-1) | 1<<fractions
	last := int32(number>>fractions&0x7FF) - 1023 - fractions + power // the exponent of its last bit
	at, shift := int(s.place-last>>6), uint(last&(binWidth-1))
	s.addPiece(at, integer<<shift, x < 0)
	s.addPiece(at-1, integer>>(binWidth-shift), x < 0)
}

// addPiece adds a piece to a bin, or subtracts it, unless the bin has dropped out.
func (s *exactSum) addPiece(at int, piece uint64, negative bool) {
	if uint(at) >= binsKept {
		return
	}
	b := &s.bins[at]
	var carry uint64
	if negative {
		b.lo, carry = bits.Sub64(b.lo, piece, 0)
		b.hi -= carry
	} else {
		b.lo, carry = bits.Add64(b.lo, piece, 0)
		b.hi += carry
	}
}

// words returns the bins as one integer, in two's complement: the last but two has the
// place of the last bin, the two behind it are 0.
func (s *exactSum) words() (words [binsKept + 3]uint64) {
	var carry uint64
	for i := binsKept - 1; i >= 0; i-- {
		sign, over := uint64(int64(carry)>>63), uint64(0)
		words[i+1], over = bits.Add64(s.bins[i].lo, carry, 0)
		carry, _ = bits.Add64(s.bins[i].hi, sign, over)
	}
	words[0] = carry
	return words
}

// scaled returns the sum times 2^power. Of several numbers hi + lo is within 2^-105 of
// it, and lo at most half a unit in the last place of hi.
func (s *exactSum) scaled(power int32) doubleDouble {
	switch s.count {
	case noNumber:
		return doubleDouble{}
	case oneNumber:
		return s.only.scaled(pow2(s.power + power))
	}
	words := s.words()
	first := 0
	for words[first] == 0 && first < binsKept { // 0 is what only bytes from elsewhere can give
		first++
	}
	// The 128 bits from the leading one on.
	skip := uint(bits.LeadingZeros64(words[first]))
	top := words[first]<<skip | words[first+1]>>(64-skip)
	next := words[first+1]<<skip | words[first+2]>>(64-skip)
	// The first 53 of them are exact; the others are rounded.
	const rest = 64 - fractions - 1
	high := float64(top &^ (1<<rest - 1))
	low := float64(top<<(64-rest)|next>>rest) * (1.0 / (1 << (64 - rest)))
	// T. J. Dekker's FastTwoSum.
	hi := high + low
	sum := doubleDouble{hi, low - float64(hi-high)}
	return sum.scaled(pow2(binWidth*(s.place+1-int32(first)) - int32(skip) + power))
}
