package bench

// This file shows what peers make of logits that are not ordinary.

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
)

// specialNames are the questions that specialValues answers.
var specialNames = []string{"a -Inf", "nothing but -Inf", "a +Inf", "a NaN", "0 from a distance of", "equal logits", "order"}

// TestSpecialValues shows in a table what each peer returns for special float32. What
// this package returns is what it promises.
func TestSpecialValues(t *testing.T) {
	var table, missing strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 1, ' ', 0)
	line := func(cells ...string) { fmt.Fprintf(w, "| %s\t|\n", strings.Join(cells, "\t| ")) }
	line(append([]string{"peer"}, specialNames...)...)
	line(slices.Repeat([]string{"---"}, len(specialNames)+1)...)
	for _, p := range peers32() {
		if p.missing != "" {
			fmt.Fprintf(&missing, "MISSING: %s: %s\n", p.name, p.missing)
			continue
		}
		answers, err := specialValues(p)
		if err != nil {
			t.Fatalf("%s: %v", p.name, err)
		}
		line(append([]string{p.name}, answers...)...)
		want := []string{"0", "all NaN", "all NaN", "all NaN", "103.98", "equal", "kept"}
		if p.name == "softmax" && !slices.Equal(answers, want) {
			t.Errorf("softmax: %q, want %q", answers, want)
		}
	}
	w.Flush()
	t.Logf("special values, one row of float32:\n\n%s\n%s", &table, &missing)
}

// specialValues answers the questions for one peer.
func specialValues(p peer[float32]) (answers []string, err error) {
	results := func(src []float32, cols int) []float32 {
		dst := make([]float32, len(src))
		if _, failed := p.softmax(dst, src, cols, 1); failed != nil {
			err = failed
		}
		return dst
	}
	const at, cols = 300, 1000
	row := logits[float32](benchCase{normal, cols, 1})
	infinity := float32(math.Inf(1))
	row[at] = -infinity
	answers = append(answers, number32(results(row, cols)[at]),
		describe(results(slices.Repeat([]float32{-infinity}, cols), cols), at))
	row[at] = infinity
	answers = append(answers, describe(results(row, cols), at))
	row[at] = float32(math.NaN())
	answers = append(answers, describe(results(row, cols), at),
		distanceOf0(results), equalKept(results), orderKept(results))
	return answers, err
}

// number32 returns a number, or how it differs from those.
func number32(x float32) string { return fmt.Sprintf("%.3g", x) }

// describe tells what a row consists of, of which element at is special.
func describe(row []float32, at int) string {
	counts := make(map[string]int)
	for _, x := range row {
		switch x := float64(x); {
		case x != x:
			counts["NaN"]++
		case math.IsInf(x, 0), x == 0:
			counts[number32(float32(x))]++
		default:
			counts["other"]++
		}
	}
	if len(counts) == 1 {
		for kind := range counts {
			return "all " + kind
		}
	}
	var parts []string
	for _, kind := range []string{"NaN", "+Inf", "-Inf", "0", "other"} {
		if n := counts[kind]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, kind))
		}
	}
	return number32(row[at]) + " there; " + strings.Join(parts, ", ")
}

// distanceOf0 returns how far below the largest logit a probability is 0, in steps of
// 0.01. The exact value is 103.97: half the smallest subnormal number is e^-103.97.
func distanceOf0(results func([]float32, int) []float32) string {
	const first, last, cols = 8000, 11000, 32
	var src []float32
	for d := first; d <= last; d++ {
		src = append(src, 0)
		src = append(src, slices.Repeat([]float32{-float32(d) / 100}, cols-1)...)
	}
	dst := results(src, cols)
	for d := last; d >= first; d-- {
		if row := dst[(d-first)*cols:][1:cols]; slices.ContainsFunc(row, func(p float32) bool { return p != 0 }) {
			if d == last {
				return "never"
			}
			return fmt.Sprintf("%.2f", float64(d+1)/100)
		}
	}
	return "less than 80"
}

// equalRows of equalCols are tried for the rules that equalKept and orderKept are about.
const equalRows, equalCols = 600, 555

// equalKept tells whether equal logits got equal probabilities.
func equalKept(results func([]float32, int) []float32) string {
	r := rand.New(rand.NewPCG(1, 1))
	src := make([]float32, equalRows*equalCols)
	for i := range src {
		src[i] = float32(r.IntN(equalCols/4))/8 - 12 // each about four times
	}
	return violations(src, results(src, equalCols), "equal", func(x, y, p, q float32) bool { return x != y || p == q })
}

// orderKept tells whether no probability of a logit is above that of a larger one.
func orderKept(results func([]float32, int) []float32) string {
	r := rand.New(rand.NewPCG(2, 2))
	src := make([]float32, equalRows*equalCols)
	for i := range src {
		switch i % equalCols {
		case 0: // by far the largest, or not
			src[i] = 6
		case 1:
			src[i] = float32(85*r.Float64() - 80)
		default: // neighbours
			src[i] = math.Nextafter32(src[i-1], 100)
		}
	}
	for row := range slices.Chunk(src, equalCols) {
		r.Shuffle(len(row), func(i, j int) { row[i], row[j] = row[j], row[i] })
	}
	return violations(src, results(src, equalCols), "kept", func(_, _, p, q float32) bool { return p <= q })
}

// violations counts the rows where a rule for neighbours in sorted order does not hold.
func violations(src, dst []float32, good string, rule func(x, y, p, q float32) bool) string {
	type pair struct{ logit, probability float32 }
	bad := 0
	for start := 0; start < len(src); start += equalCols {
		var pairs []pair
		for i := range equalCols {
			pairs = append(pairs, pair{src[start+i], dst[start+i]})
		}
		slices.SortFunc(pairs, func(a, b pair) int {
			return cmp.Or(cmp.Compare(a.logit, b.logit), cmp.Compare(a.probability, b.probability))
		})
		for i := range pairs[1:] {
			if a, b := pairs[i], pairs[i+1]; !rule(a.logit, b.logit, a.probability, b.probability) {
				bad++
				break
			}
		}
	}
	if bad == 0 {
		return good
	}
	return fmt.Sprintf("not in %d of %d rows", bad, equalRows)
}

// TestDescribe checks the words of the table, and that broken rules are found.
func TestDescribe(t *testing.T) {
	nan, infinity := float32(math.NaN()), float32(math.Inf(1))
	for _, test := range []struct {
		row  []float32
		want string
	}{
		{[]float32{nan, nan}, "all NaN"},
		{[]float32{-infinity, -infinity}, "all -Inf"},
		{[]float32{0, nan, 0.5}, "NaN there; 1 NaN, 1 0, 1 other"},
		{[]float32{1, 0, infinity}, "0 there; 1 +Inf, 1 0, 1 other"},
	} {
		if got := describe(test.row, 1); got != test.want {
			t.Errorf("%v: %q, want %q", test.row, got, test.want)
		}
	}
	unequal := func(src []float32, cols int) []float32 { // a rest that is computed otherwise
		dst := slices.Clone(src)
		for i := range dst {
			if i%cols >= cols/8*8 {
				dst[i] += 0.01
			}
		}
		return dst
	}
	if got := equalKept(unequal); !strings.HasPrefix(got, "not in ") {
		t.Errorf("equal logits: %q, want that they are not", got)
	}
	if got := orderKept(unequal); !strings.HasPrefix(got, "not in ") {
		t.Errorf("order: %q, want that it is not kept", got)
	}
	if got := distanceOf0(unequal); got != "never" {
		t.Errorf("distance: %q, want never", got)
	}
}
