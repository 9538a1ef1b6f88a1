// Package corpus makes rows of logits that cover what can go wrong in a softmax. They
// are the same on every architecture, so that results can be compared with those on
// record. Tests and the command's check of a machine use them.
package corpus

import (
	"math"
	"unsafe"
)

// Float is the set of element types.
type Float interface{ float32 | float64 }

// AnchorStep and BlockBytes are those of the package softmax: rows are made to
// cross its limits.
const (
	AnchorStep = 8192
	BlockBytes = 16 << 10
)

// RNG is the generator splitmix64. Test data is made of its integers by exact
// operations and one rounding, so that it is the same on every architecture.
//
// Source: G. Steele, D. Lea and C. Flood, "Fast Splittable Pseudorandom Number
// Generators" (2014).
type RNG uint64

// Next returns 64 random bits.
func (r *RNG) Next() uint64 {
	*r += 0x9e3779b97f4a7c15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Intn returns an integer in [0, n), where n is below 2^31.
func (r *RNG) Intn(n int) int { return int(r.Next() >> 33 % uint64(n)) }

// Fixed is a number of steps of 2^-30.
type Fixed int64

// One is 1.
const One Fixed = 1 << 30

// Uniform returns a number in [-limit, limit).
func (r *RNG) Uniform(limit Fixed) Fixed { return Fixed(r.Next()%uint64(2*limit)) - limit }

// Normal returns a number with mean 0 and variance 1: the sum of twelve uniform
// ones, within 6 of the mean.
func (r *RNG) Normal() Fixed {
	const mask = 1<<20 - 1
	sum, bits := Fixed(-6<<20), uint64(0)
	for range 4 {
		bits = r.Next()
		sum += Fixed(bits&mask) + Fixed(bits>>20&mask) + Fixed(bits>>40&mask)
	}
	return sum<<10 + Fixed(bits>>54)
}

// Number returns x, and for float64 a random part of a step more, so that no bit
// of the fraction is always 0. All products are exact: one operation rounds.
func Number[T Float](r *RNG, x Fixed) T {
	if is32[T]() {
		return T(float64(x) * 0x1p-30)
	}
	return T(float64(float64(x)*0x1p-30) + float64(float64(r.Next()>>11)*0x1p-83))
}

// Family is a kind of row.
type Family[T any] struct {
	Name string
	Fill func(r *RNG, row []T)
}

// each fills a row with independent values.
func each[T Float](value func(r *RNG) T) func(r *RNG, row []T) {
	return func(r *RNG, row []T) {
		for i := range row {
			row[i] = value(r)
		}
	}
}

// eachNumber fills a row with independent numbers.
func eachNumber[T Float](value func(r *RNG) Fixed) func(r *RNG, row []T) {
	return each(func(r *RNG) T { return Number[T](r, value(r)) })
}

// normalTimes fills a row with the distribution N(mean, sigma).
func normalTimes[T Float](sigma, mean Fixed) func(r *RNG, row []T) {
	return eachNumber[T](func(r *RNG) Fixed { return mean*One + sigma*r.Normal() })
}

// UniformAround fills a row with numbers within width of a mean.
func UniformAround[T Float](mean, width Fixed) func(r *RNG, row []T) {
	return eachNumber[T](func(r *RNG) Fixed { return mean*One + r.Uniform(width*One) })
}

// Masked sets each element to mask or to N(0, 3).
func Masked[T Float](mask T) func(r *RNG, row []T) {
	return each(func(r *RNG) T {
		if r.Next()>>63 == 0 {
			return mask
		}
		return Number[T](r, 3*r.Normal())
	})
}

// spoiled is N(0, 3) but for one element.
func spoiled[T Float](value func(r *RNG) T) func(r *RNG, row []T) {
	return func(r *RNG, row []T) {
		normalTimes[T](3, 0)(r, row)
		row[r.Intn(len(row))] = value(r)
	}
}

// ramp rises, or falls for direction -1, by up to an eighth per element.
func ramp[T Float](direction Fixed) func(r *RNG, row []T) {
	return func(r *RNG, row []T) {
		step := direction * One >> (3 + r.Intn(8))
		start := -step * Fixed(len(row)/2)
		for i := range row {
			row[i] = Number[T](r, start+step*Fixed(i)+r.Normal())
		}
	}
}

// eachBlock fills the blocks of a row, one after the other.
func eachBlock[T Float](r *RNG, row []T, fill func(i int) func(r *RNG, row []T)) {
	for i := 0; len(row) > 0; i++ {
		n := min(BlockLen[T](), len(row))
		fill(i)(r, row[:n])
		row = row[n:]
	}
}

// limitCenters are where the rules of row.go change.
var limitCenters = [...]Fixed{-16384, -8192, 0, 8190, 8192, 16380, 16384, 16390}

// Depths are distances between logits that matter to an element type.
type Depths struct {
	Subnormal Fixed // a result so far below the largest is nearly subnormal
	Zero      Fixed // one so far below is 0
	Dominant  Fixed // halfway to that
	Wide      Fixed // a block so wide has exponentials below 2
}

// DepthsOf returns the distances that matter to an element type.
func DepthsOf[T Float]() Depths {
	if is32[T]() {
		return Depths{Subnormal: 86, Zero: 106, Dominant: 60, Wide: 64}
	}
	return Depths{Subnormal: 707, Zero: 747, Dominant: 400, Wide: 512}
}

// Families returns the kinds of rows that every comparison covers.
func Families[T Float]() []Family[T] {
	f, depth := formatOf[T](), DepthsOf[T]()
	negInf := infinity[T](-1)
	return []Family[T]{
		{"normal1", normalTimes[T](1, 0)},
		{"normal3", normalTimes[T](3, 0)},
		{"normal10", normalTimes[T](10, 0)},
		{"uniform50", UniformAround[T](0, 50)},
		{"uniform1000", UniformAround[T](0, 1000)},
		{"offset1000", normalTimes[T](3, 1000)},
		{"offset1e6", normalTimes[T](8, 1e6)},
		{"equal", func(r *RNG, row []T) { fillWith(row, Number[T](r, r.Uniform(20000*One))) }},
		{"dominant", spoiled(func(r *RNG) T { return Number[T](r, depth.Dominant*One+r.Uniform(depth.Dominant*One)) })},
		{"subnormal-logits", each(func(r *RNG) T { return fromBits[T](r.Next() & (f.Sign | f.Fraction)) })},
		{"subnormal-results", func(r *RNG, row []T) {
			UniformAround[T](-(depth.Zero+depth.Subnormal)/2, (depth.Zero-depth.Subnormal)/2)(r, row)
			row[r.Intn(len(row))] = Number[T](r, r.Uniform(One))
		}},
		{"mask-inf", Masked(negInf)},
		{"mask-lowest", Masked(-largest[T]())},
		{"mask-3.4e38", Masked[T](-3.4e38)},
		{"mask-first", func(r *RNG, row []T) {
			normalTimes[T](3, 0)(r, row)
			fillWith(row[:len(row)-len(row)/4-1], negInf)
		}},
		{"zeros", each(func(r *RNG) T { return fromBits[T](r.Next() & f.Sign) })},
		{"magnitudes", each(func(r *RNG) T { // up to 2^14, the smallest below the last place of 1
			least := 8 + f.FractionBits
			bits := r.Next() & (f.Sign | f.Fraction)
			return fromBits[T](bits | uint64(1-f.MinExponent-least+r.Intn(14+least))<<f.FractionBits)
		})},
		{"ramp-up", ramp[T](1)},
		{"ramp-down", ramp[T](-1)},
		{"limits", func(r *RNG, row []T) { // one center per block
			eachBlock(r, row, func(int) func(*RNG, []T) {
				return normalTimes[T](3, limitCenters[r.Intn(len(limitCenters))])
			})
		}},
		{"limits-rising", func(r *RNG, row []T) { // from block to block
			eachBlock(r, row, func(i int) func(*RNG, []T) {
				return normalTimes[T](3, limitCenters[min(i, len(limitCenters)-1)])
			})
		}},
		{"limits-mixed", eachNumber[T](func(r *RNG) Fixed {
			return limitCenters[r.Intn(len(limitCenters))]*One + 3*r.Normal()
		})},
		{"anchors", func(r *RNG, row []T) { // blocks on both sides of a place where anchors change
			multiples := [...]Fixed{-123, -3, -2, 2, 3, 4, 123}
			change := multiples[r.Intn(len(multiples))] * AnchorStep
			eachBlock(r, row, func(int) func(*RNG, []T) {
				return normalTimes[T](Fixed(r.Intn(4)), change+Fixed(r.Intn(41)-20))
			})
		}},
		{"levels", func(r *RNG, row []T) {
			// Three kinds: narrow blocks, every second with subnormal results; a wide
			// block and then narrow ones; any mixture.
			kind := r.Intn(3)
			eachBlock(r, row, func(i int) func(*RNG, []T) {
				top, width := -Fixed(r.Intn(3)), Fixed(1)<<r.Intn(4)
				last := len(row) <= (i+1)*BlockLen[T]()
				if kind == 0 && i%2 == 0 && !last || kind == 2 && r.Intn(2) == 0 {
					top -= depth.Subnormal - 11 + Fixed(r.Intn(10))
				}
				if kind == 1 && i == 0 || kind == 2 && r.Intn(2) == 0 {
					width = depth.Wide
				}
				return UniformAround[T](top-width, width)
			})
		}},
		{"last-max", func(r *RNG, row []T) {
			normalTimes[T](1, 0)(r, row)
			row[len(row)-1] = Number[T](r, 20*One+r.Uniform(One<<r.Intn(16)))
		}},
		{"huge", each(func(r *RNG) T { // one of the two largest exponents
			return fromBits[T](r.Next()&(f.Sign|f.Fraction<<1|1) | (f.Infinity - 3*(f.Fraction+1)))
		})},
		{"bits-finite", each(func(r *RNG) T {
			bits := r.Next()
			if bits&f.Infinity == f.Infinity {
				bits ^= f.Sign >> 1
			}
			return fromBits[T](bits)
		})},
		{"bits", each(func(r *RNG) T { return fromBits[T](r.Next()) })},
		{"minus-inf", each(func(*RNG) T { return negInf })},
		{"plus-inf", spoiled(func(*RNG) T { return infinity[T](1) })},
		{"nan", spoiled(func(r *RNG) T { // any payload and sign
			return fromBits[T](f.Infinity + 1 | r.Next()&(f.Sign|f.Fraction))
		})},
	}
}

// MakeRow returns a row of a family that depends on seed and n.
func (f Family[T]) MakeRow(n int, seed uint64) []T {
	row := make([]T, n)
	f.FillRow(row, seed)
	return row
}

// FillRow fills a row as MakeRow does, by its length.
func (f Family[T]) FillRow(row []T, seed uint64) {
	r := RNG(seed<<32 + uint64(len(row)))
	f.Fill(&r, row)
}

func formatOf[T Float]() Format {
	if is32[T]() {
		return Binary32
	}
	return Binary64
}

func is32[T Float]() bool { return unsafe.Sizeof(T(0)) == 4 }

// BlockLen returns the number of elements in a block.
func BlockLen[T Float]() int { return BlockBytes / int(unsafe.Sizeof(T(0))) }

func fromBits[T Float](bits uint64) T {
	if is32[T]() {
		return T(math.Float32frombits(uint32(bits)))
	}
	return T(math.Float64frombits(bits))
}

func infinity[T Float](sign int) T { return T(math.Inf(sign)) }

func largest[T Float]() T { return fromBits[T](formatOf[T]().Infinity - 1) }

func fillWith[T Float](row []T, value T) {
	for i := range row {
		row[i] = value
	}
}
