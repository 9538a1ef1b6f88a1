package main

// This file measures the accuracy for verify, against math/big.

import (
	"fmt"
	"io"
	"math"
	"math/big"
	"slices"
	"text/tabwriter"

	"github.com/ALTree/bigfloat"

	"github.com/seed174f7dca/softmax"
	"github.com/seed174f7dca/softmax/internal/corpus"
)

// accuracyLengths are those of the rows of each family, which are few: exact
// exponentials take long.
var accuracyLengths = []int{3, 10, 100, 500}

// promised are the most ULP, by element type, of softmax, log-softmax and log-sum-exp.
var promised = map[string][3]float64{
	float32Type.name: {4.5, 4, 4},
	float64Type.name: {4, 4, 4},
}

// printAccuracy prints the largest errors of each family, and returns an error if one is
// larger than is promised.
func printAccuracy(out io.Writer, p *progress) (failure error) {
	var families []string
	for _, name := range familyNames() {
		switch name {
		case "bits", "minus-inf", "plus-inf", "nan": // whose results are no numbers
		default:
			families = append(families, name)
		}
	}
	p.begin("accuracy", len(families))
	fmt.Fprintf(out, "\nLargest errors in ULP, of kernel %s for all, in rows of up to %d logits, against math/big:\n\n",
		softmax.Kernel(), slices.Max(accuracyLengths))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "\tfloat32\t\t\tfloat64\t\t\t\nfamily\tsoftmax\tlog-softmax\tlog-sum-exp\tsoftmax\tlog-softmax\tlog-sum-exp\t\n")
	for _, name := range families {
		fmt.Fprintf(w, "%s\t", name)
		for _, dtype := range []string{float32Type.name, float64Type.name} {
			measure := largestULP[float32]
			if dtype == float64Type.name {
				measure = largestULP[float64]
			}
			worst, err := measure(name)
			if err != nil {
				return err
			}
			for i, ulps := range worst {
				fmt.Fprintf(w, "%.2f\t", ulps)
				if limit := promised[dtype][i]; !(ulps <= limit) && failure == nil {
					failure = fmt.Errorf("accuracy: %s of %s, family %s: off by %.2f ULP, expected at most %g",
						operations[i], dtype, name, ulps, limit)
				}
			}
		}
		fmt.Fprint(w, "\n")
		p.add(1)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return failure
}

// largestULP returns the largest errors of softmax, log-softmax and log-sum-exp for rows
// of a family. Rows with nothing but -Inf, which have no exact result, do not count.
func largestULP[T native](family string) (worst [3]float64, err error) {
	const lastBelow1 = 0.5 // logarithms nearer to 0 are measured in ULP of this
	for _, n := range accuracyLengths {
		m, err := familyRows[T](family, 1, n)
		if err != nil {
			return worst, err
		}
		row := m.Data
		if math.IsInf(float64(slices.Max(row)), -1) {
			continue
		}
		exact := exactRowOf(row)
		probabilities, logarithms := make([]T, n), make([]T, n)
		softmax.Softmax(probabilities, row)
		softmax.LogSoftmax(logarithms, row)
		for i, x := range row {
			worst[0] = max(worst[0], bigULP(probabilities[i], exact.softmax(i), 0))
			if !math.IsInf(float64(x), -1) {
				worst[1] = max(worst[1], bigULP(logarithms[i], exact.logSoftmax(float64(x)), lastBelow1))
			}
		}
		worst[2] = max(worst[2], bigULP(softmax.LogSumExp(row), exact.logSumExp(), lastBelow1))
	}
	return worst, nil
}

// exactRow is what the exact results of a row depend on.
type exactRow struct {
	max, sum, logSum *big.Float
	exponentials     []*big.Float // e^(x-max), which add up to sum
}

// exactRowOf is for rows with a finite maximum.
func exactRowOf[T native](row []T) *exactRow {
	e := &exactRow{max: bigFloat(float64(slices.Max(row))), sum: bigFloat(0)}
	for _, x := range row {
		exponential := e.exponential(float64(x))
		e.exponentials = append(e.exponentials, exponential)
		e.sum.Add(e.sum, exponential)
	}
	e.logSum = bigfloat.Log(e.sum)
	return e
}

// difference returns x - max of a finite x.
func (e *exactRow) difference(x float64) *big.Float { return bigFloat(0).Sub(bigFloat(x), e.max) }

// exponential returns e^(x-max), or 0 where that is too small for any result.
func (e *exactRow) exponential(x float64) *big.Float {
	const lowest = -1500
	if math.IsInf(x, -1) || e.difference(x).Cmp(bigFloat(lowest)) < 0 {
		return bigFloat(0)
	}
	return bigfloat.Exp(e.difference(x))
}

// softmax returns the probability of logit i.
func (e *exactRow) softmax(i int) *big.Float { return bigFloat(0).Quo(e.exponentials[i], e.sum) }

// logSoftmax returns the logarithm of the probability of a finite logit.
func (e *exactRow) logSoftmax(x float64) *big.Float {
	d := e.difference(x)
	return d.Sub(d, e.logSum)
}

func (e *exactRow) logSumExp() *big.Float { return bigFloat(0).Add(e.max, e.logSum) }

// bigFloat returns x, to be computed with in many more bits than results have.
func bigFloat(x float64) *big.Float { return new(big.Float).SetPrec(128).SetFloat64(x) }

// bigULP returns the error of v in ULP of the exact value, or of unit if that is nearer
// to 0.
func bigULP[T native](v T, exact *big.Float, unit float64) float64 {
	rounded, _ := exact.Float64()
	if got := float64(v); math.IsInf(got, 0) || got != got {
		if T(rounded) == v { // too large for the type
			return 0
		}
		return math.Inf(1)
	}
	difference, _ := bigFloat(0).Sub(bigFloat(float64(v)), exact).Float64()
	return math.Abs(difference) / corpus.ULP[T](max(math.Abs(rounded), unit))
}
