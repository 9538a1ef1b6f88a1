package softmax

// This file is the reference of the accuracy tests, in double-double arithmetic:
// its errors are about a millionth of what a float64 can tell apart. Its own test
// compares it with math/big.

import (
	"math"
	"math/big"
	"sync"
	"testing"
)

// accurate is a double-double: a number hi + lo, where hi is the float64 next to it.
//
// Source: T. J. Dekker, "A floating-point technique for extending the available
// precision" (1971).
type accurate struct{ hi, lo float64 }

// sumOf returns a + b, exactly.
func sumOf(a, b float64) accurate {
	hi := a + b
	bRounded := hi - a
	aRounded := hi - bRounded
	return accurate{hi, (a - aRounded) + (b - bRounded)}
}

// productOf returns a * b, exactly.
func productOf(a, b float64) accurate {
	hi := float64(a * b)
	return accurate{hi, math.FMA(a, b, -hi)}
}

func (a accurate) plus(b accurate) accurate {
	s := sumOf(a.hi, b.hi)
	return sumOf(s.hi, s.lo+(a.lo+b.lo))
}

func (a accurate) minus(b accurate) accurate {
	return a.plus(accurate{-b.hi, -b.lo})
}

func (a accurate) times(b accurate) accurate {
	p := productOf(a.hi, b.hi)
	return sumOf(p.hi, p.lo+(float64(a.hi*b.lo)+float64(a.lo*b.hi)))
}

func (a accurate) over(b accurate) accurate {
	q := a.hi / b.hi
	rest := a.minus(b.times(accurate{q, 0}))
	return sumOf(q, rest.hi/b.hi)
}

// exactValue is a number hi + lo, times 2^exponent.
type exactValue struct {
	accurate
	exponent int
}

// log2 returns the logarithm of v to base 2, rounded down.
func (v exactValue) log2() int { return v.exponent + int(exponentOf(math.Abs(v.hi))) }

// steps is the number of entries of expSteps for each factor of 2.
const steps = 64

// expSteps returns 2^(j/steps) for each j.
var expSteps = sync.OnceValue(func() *[steps]accurate {
	var table [steps]accurate
	ln2 := bigLog(bigFloat(2))
	for j := range table {
		table[j] = fromBig(bigExp(bigFloat(0).Mul(ln2, bigFloat(float64(j)/steps))))
	}
	return &table
})

// exactExp returns e^x, or 0 if x is below -40000.
func exactExp(x accurate) exactValue {
	if !(x.hi > -40000) {
		return exactValue{exponent: -1 << 20}
	}
	ln2 := accurate{0x1.62e42fefa39efp-1 / steps, 0x1.abc9e3b39803fp-56 / steps}
	n := math.RoundToEven(x.hi * steps / math.Ln2)
	r := x.minus(ln2.times(accurate{n, 0}))
	// e^r - 1 as its series: two terms in double-double, the rest is below 2^-25.
	t := r.hi
	series := t * t * t * (1./6 + t*(1./24+t*(1./120+t*(1./720+t*(1./5040+t/40320)))))
	half := r.times(accurate{r.hi / 2, r.lo / 2})
	growth := r.plus(half.plus(accurate{series, 0}))
	step := expSteps()[int(n)&(steps-1)]
	return exactValue{step.plus(step.times(growth)), int(n) >> 6}
}

// exactLog returns the logarithm of an x of 1 or more.
func exactLog(x accurate) accurate {
	// One step of Newton's method. The error of the first value is squared.
	y := math.Log(x.hi)
	e := exactExp(accurate{-y, 0})
	scale := pow2(int32(e.exponent))
	rest := x.times(accurate{e.hi * scale, e.lo * scale}).minus(accurate{1, 0})
	return sumOf(y, 0).plus(rest.minus(rest.times(accurate{rest.hi / 2, 0})))
}

// exactRow is what the exact results of a row depend on.
type exactRow[T native] struct {
	max     float64
	sum     accurate // of all e^(x-max)
	inverse accurate // of sum
	log     accurate // of sum
}

// exactRowOf is for rows with a finite maximum.
func exactRowOf[T native](row []T) exactRow[T] {
	r := exactRow[T]{max: float64(maxOf(row))}
	var e accurate
	for i, x := range row {
		if i == 0 || x != row[i-1] { // equal logits may be many
			e = r.exp(x)
		}
		r.sum = r.sum.plus(e)
	}
	r.inverse = accurate{1, 0}.over(r.sum)
	r.log = exactLog(r.sum)
	return r
}

// exp returns e^(x-max), where that is not too small to matter in a sum.
func (r *exactRow[T]) exp(x T) accurate {
	e := exactExp(sumOf(float64(x), -r.max))
	if e.exponent < -200 {
		return accurate{}
	}
	scale := pow2(int32(e.exponent))
	return accurate{e.hi * scale, e.lo * scale}
}

// softmax returns the probability of a logit.
func (r *exactRow[T]) softmax(x T) exactValue {
	e := exactExp(sumOf(float64(x), -r.max))
	return exactValue{e.times(r.inverse), e.exponent}
}

// logSoftmax returns the logarithm of that.
func (r *exactRow[T]) logSoftmax(x T) exactValue {
	d := sumOf(float64(x), -r.max)
	if math.IsInf(d.hi, 0) {
		return exactValue{accurate{d.hi, 0}, 0}
	}
	return exactValue{d.minus(r.log), 0}
}

func (r *exactRow[T]) logSumExp() exactValue {
	return exactValue{r.log.plus(accurate{r.max, 0}), 0}
}

// bigPrecision is the number of bits of exact arithmetic.
const bigPrecision = 320

func bigFloat(x float64) *big.Float { return new(big.Float).SetPrec(bigPrecision).SetFloat64(x) }

// big returns v exactly.
func (v exactValue) big() *big.Float {
	sum := bigFloat(v.hi)
	sum.Add(sum, bigFloat(v.lo))
	return sum.SetMantExp(sum, v.exponent)
}

func fromBig(x *big.Float) accurate {
	hi, _ := x.Float64()
	lo, _ := new(big.Float).Sub(x, bigFloat(hi)).Float64()
	return accurate{hi, lo}
}

// bigExp returns e^x with a relative error below 2^-180.
func bigExp(x *big.Float) *big.Float {
	const halvings = 40
	small := bigFloat(0).SetMantExp(x, -halvings)
	sum, term := bigFloat(1), bigFloat(1)
	for i := 1; i < 20; i++ {
		term.Mul(term, small)
		term.Quo(term, bigFloat(float64(i)))
		sum.Add(sum, term)
	}
	for range halvings {
		sum.Mul(sum, sum)
	}
	return sum
}

// bigLog returns ln(x) with an absolute error below 2^-180, by Newton's method.
func bigLog(x *big.Float) *big.Float {
	approximate, _ := x.Float64()
	y := bigFloat(math.Log(approximate))
	for range 3 {
		// y + 2*(x - e^y) / (x + e^y): the error is cubed.
		e := bigExp(y)
		correction := bigFloat(0).Sub(x, e)
		correction.Quo(correction, e.Add(x, e))
		y.Add(y, correction.Mul(correction, bigFloat(2)))
	}
	return y
}

// errorOf returns how far got is from want, relative to want or to least if that
// is larger.
func errorOf(got exactValue, want *big.Float, least float64) float64 {
	difference := bigFloat(0).Sub(got.big(), want)
	unit := bigFloat(0).Abs(want)
	if unit.Cmp(bigFloat(least)) < 0 {
		unit.SetFloat64(least)
	}
	e, _ := difference.Quo(difference, unit).Float64()
	return math.Abs(e)
}

// TestExact checks the reference itself against math/big.
func TestExact(t *testing.T) { forEachType(t, testExact[float32], testExact[float64]) }

func testExact[T native](t *testing.T) {
	const bound = 0x1p-74
	var probability, logarithm, logSum float64
	for _, family := range accuracyFamilies[T]() {
		row := family.MakeRow(12, 9)
		exact := exactRowOf(row)
		m := bigFloat(float64(maxOf(row)))
		sum, e := bigFloat(0), make([]*big.Float, len(row))
		for i, x := range row {
			e[i] = bigFloat(0)
			// What is further below has no probability.
			if d := bigFloat(0).Sub(bigFloat(float64(x)), m); d.Cmp(bigFloat(-1500)) > 0 {
				e[i] = bigExp(d)
			}
			sum.Add(sum, e[i])
		}
		log := bigLog(sum)
		logSum = max(logSum, errorOf(exact.logSumExp(), bigFloat(0).Add(m, log), 1))
		for i, x := range row {
			if math.IsInf(float64(x), -1) || math.IsInf(float64(x)-exact.max, -1) {
				continue
			}
			if e[i].Sign() > 0 {
				probability = max(probability, errorOf(exact.softmax(x), e[i].Quo(e[i], sum), 0))
			}
			want := bigFloat(0).Sub(bigFloat(float64(x)), m)
			logarithm = max(logarithm, errorOf(exact.logSoftmax(x), want.Sub(want, log), 1))
		}
	}
	t.Logf("error of the reference: softmax %.2g, log-softmax %.2g, log-sum-exp %.2g", probability, logarithm, logSum)
	if worst := max(probability, logarithm, logSum); !(worst < bound) || worst == 0 {
		t.Errorf("error of the reference is %g, want below %g", worst, bound)
	}
}
