package main

// This file prints what there is to say about predictions.

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/seed174f7dca/softmax"
)

func (c *classified) report(w io.Writer) {
	p := c.probabilities
	fmt.Fprintf(w, "%d rows of %d logits. The first ones:\n\n", p.Rows, p.Cols)
	rows := make([]int, p.Rows)
	for r := range rows {
		rows[r] = r
	}
	c.printRows(w, rows[:min(5, len(rows))])

	fmt.Fprint(w, "\nThe least certain ones:\n\n")
	slices.SortStableFunc(rows, func(a, b int) int { return cmp.Compare(c.confidence(a), c.confidence(b)) })
	c.printRows(w, rows[:min(10, len(rows))])

	if len(c.labels) > 0 {
		c.printQuality(w)
		c.printCalibration(w)
	}
}

// printRows prints the three likeliest labels of some rows.
func (c *classified) printRows(w io.Writer, rows []int) {
	columns := make([]int, c.probabilities.Cols)
	for _, r := range rows {
		p := row(c.probabilities, r)
		for i := range columns {
			columns[i] = i
		}
		slices.SortStableFunc(columns, func(a, b int) int { return cmp.Compare(p[b], p[a]) })
		fmt.Fprintf(w, "  row %4d: ", r)
		for _, column := range columns[:min(3, len(columns))] {
			fmt.Fprintf(w, "  %d (%.4f)", column, p[column])
		}
		if len(c.labels) > 0 && !c.correct(r) {
			fmt.Fprintf(w, "   wrong: it is %d", c.labels[r])
		}
		fmt.Fprintln(w)
	}
}

// printQuality prints accuracy and mean log-loss.
func (c *classified) printQuality(w io.Writer) {
	rows, correct := len(c.labels), 0
	var loss float64
	for r, label := range c.labels {
		if c.correct(r) {
			correct++
		}
		loss -= row(c.logarithms, r)[label]
	}
	// Equal logits: the log-sum-exp of zeros is the logarithm of their number.
	guessing := softmax.LogSumExp(make([]float64, c.logarithms.Cols))
	fmt.Fprintf(w, "\nAccuracy: %.1f%%, %d of %d rows.\n", percent(correct, rows), correct, rows)
	fmt.Fprintf(w, "Mean log-loss: %.4f. Guessing has %.4f.\n", loss/float64(rows), guessing)
}

// printCalibration prints how often labels of about the same probability are
// correct. Where that is as often as the probability says, they are calibrated.
//
// Source: C. Guo and others, "On Calibration of Modern Neural Networks" (2017).
func (c *classified) printCalibration(w io.Writer) {
	const bins = 10
	var rows, correct [bins]int
	var confidence [bins]float64 // sums
	for r := range c.labels {
		p := c.confidence(r)
		bin := min(int(p*bins), bins-1)
		rows[bin]++
		confidence[bin] += p
		if c.correct(r) {
			correct[bin]++
		}
	}
	fmt.Fprint(w, "\nCalibration: do labels with a probability of 70% hold in 70% of cases?\n\n")
	fmt.Fprint(w, "  probability   rows    mean  correct\n")
	var gaps float64
	for bin, n := range rows {
		if n == 0 {
			continue
		}
		fmt.Fprintf(w, "   %.1f to %.1f  %5d  %5.1f%%   %5.1f%%\n", float64(bin)/bins, float64(bin+1)/bins,
			n, 100*confidence[bin]/float64(n), percent(correct[bin], n))
		gaps += math.Abs(confidence[bin] - float64(correct[bin]))
	}
	fmt.Fprintf(w, "\nExpected calibration error, the mean distance of the two: %.1f%%.\n", 100*gaps/float64(len(c.labels)))
}

func percent(part, whole int) float64 { return 100 * float64(part) / float64(whole) }
