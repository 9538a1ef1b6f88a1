package softmax

import (
	"math"
	"math/big"
	"testing"
)

// term is a number that an exactSum can add: d * 2^power.
type term struct {
	d     doubleDouble
	power int32
}

// big returns the term without rounding.
func (x term) big() *big.Float {
	sum := new(big.Float).SetPrec(4000).SetFloat64(x.d.hi)
	sum.Add(sum, new(big.Float).SetFloat64(x.d.lo))
	return sum.SetMantExp(sum, int(x.power))
}

// makeTerms returns positive numbers whose exponents are up to spread apart.
func makeTerms(r *rng, n, spread int) []term {
	terms := make([]term, n)
	base := int32(r.Intn(40000) - 20000)
	for i := range terms {
		hi := math.Float64frombits(r.Next()&(1<<52-1) | uint64(1023+r.Intn(200)-100)<<52)
		lo := hi * (float64(r.Intn(1<<20)-1<<19) * 0x1p-70)
		switch r.Intn(4) {
		case 0:
			lo = 0
		case 1: // few bits: pieces that are 0
			hi, lo = 1, -0x1p-60
		}
		terms[i] = term{doubleDouble{hi, lo}, base + int32(r.Intn(spread))}
	}
	return terms
}

// TestExactSum adds in many orders, and compares with exact arithmetic.
func TestExactSum(t *testing.T) {
	r := rng(31)
	trials := 3000
	if reduced() {
		trials = 300
	}
	for trial := range trials {
		terms := makeTerms(&r, 1+r.Intn(12), 1+r.Intn(1<<r.Intn(11)))
		exact := new(big.Float).SetPrec(4000)
		for _, x := range terms {
			exact.Add(exact, x.big())
		}
		var want exactSum
		for _, x := range terms {
			want.add(x.d, x.power)
		}
		for range 5 {
			if got := mergedTerms(&r, terms); got != want {
				t.Fatalf("trial %d: %v in another order: %+v, want %+v", trial, terms, got, want)
			}
		}
		// Scaled to about 1.
		power := -int32(exact.MantExp(nil))
		got := want.scaled(power)
		sum := term{got, -power}.big()
		off, _ := sum.Sub(sum, exact).Quo(sum, exact).Float64()
		if len(terms) == 1 && off != 0 || !(math.Abs(off) <= 0x1p-104) {
			t.Fatalf("trial %d: %v: %v * 2^%d, off by %g", trial, terms, got, -power, off)
		}
		rounded, _ := exact.SetMantExp(exact, int(power)).Float64()
		if len(terms) > 1 && got.hi != rounded {
			t.Fatalf("trial %d: %v: hi is %x, the sum rounded %x", trial, terms, got.hi, rounded)
		}
	}
}

// mergedTerms adds terms in any order: singly, or merging the sums of parts.
func mergedTerms(r *rng, terms []term) exactSum {
	var sum exactSum
	if len(terms) == 1 {
		sum.add(terms[0].d, terms[0].power)
		return sum
	}
	shuffled := make([]term, len(terms))
	for i, x := range terms {
		j := r.Intn(i + 1)
		shuffled[i] = shuffled[j]
		shuffled[j] = x
	}
	cut := r.Intn(len(terms) + 1)
	if cut == 0 || cut == len(terms) {
		for _, x := range shuffled {
			sum.add(x.d, x.power)
		}
		return sum
	}
	sum = mergedTerms(r, shuffled[:cut])
	other := mergedTerms(r, shuffled[cut:])
	sum.merge(&other)
	return sum
}

// TestExactSumHolds adds so often that a sum of 64 bits would overflow.
func TestExactSumHolds(t *testing.T) {
	var sum exactSum
	sum.add(doubleDouble{hi: 0x1.fffffffffffffp+0}, 62)
	sum.add(doubleDouble{hi: 0x1.fffffffffffffp+0}, 62)
	const doublings = 60
	for range doublings {
		other := sum
		sum.merge(&other)
	}
	if got, want := sum.scaled(-63-doublings), (doubleDouble{hi: 0x1.fffffffffffffp+0}); got != want {
		t.Errorf("2^%d times %x: got %x", doublings+1, want, got)
	}
}
