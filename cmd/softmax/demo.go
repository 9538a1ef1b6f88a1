package main

// This file is the subcommand demo, which runs if there is none.

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/seed174f7dca/softmax"
)

type demoCmd struct{}

// Run turns the logits of the digits into probabilities and reports on them.
func (demoCmd) Run(out io.Writer) error {
	d, err := loadDigits()
	if err != nil {
		return err
	}
	kernels, note, err := startKernels()
	if err != nil {
		return err
	}
	defer stopKernels(kernels)

	p := d.logits
	p.Data = make([]float32, len(p.Data))
	softmax.SoftmaxRows(p, d.logits)

	fmt.Fprintf(out, "Softmax of %d rows of %d logits: a classifier's view of %d handwritten digits.\n\n", p.Rows, p.Cols, p.Rows)
	if err := printRows(out, d, p, 6); err != nil {
		return err
	}
	correct := countCorrect(d, p)
	distance, inaccuracy := largestErrors(d, p)
	fmt.Fprintf(out, "\nAccuracy of the classifier: %.1f%%, %d of %d digits.\n", 100*float64(correct)/float64(p.Rows), correct, p.Rows)
	fmt.Fprintf(out, "Largest distance to SciPy's softmax of the same logits, both as float32: %d ULP.\n", distance)
	fmt.Fprintf(out, "Largest error against the softmax computed in float64: %.2f ULP.\n\n", inaccuracy)

	hash, err := hashBits(p.Data)
	if err != nil {
		return err
	}
	return compareKernels(out, kernels, note, p.Rows, hash)
}

// printRows prints the first count rows of p.
func printRows(out io.Writer, d *digits, p softmax.Matrix[float32], count int) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "row\t")
	for c := range p.Cols {
		fmt.Fprintf(w, "P(%d)\t", c)
	}
	fmt.Fprint(w, "likeliest\ttrue\t\n")
	for r := range count {
		fmt.Fprintf(w, "%d\t", r)
		for _, v := range row(p, r) {
			fmt.Fprintf(w, "%.4f\t", v)
		}
		fmt.Fprintf(w, "%d\t%d\t\n", likeliest(p, r), d.labels[r])
	}
	return w.Flush()
}

// compareKernels has each kernel compute the rows of the digits, and prints
// whether its bits have the given hash, and its time.
func compareKernels(out io.Writer, kernels []*kernel, note string, rows int, hash string) error {
	times := make([][]float64, len(kernels))
	hashes := make([]string, len(kernels))
	for range rounds {
		for i, k := range kernels {
			r, err := k.run(task{Time: 10 * time.Millisecond})
			if err != nil {
				return err
			}
			hashes[i] = r.Hash
			for _, ns := range r.Nanoseconds {
				times[i] = append(times[i], ns/float64(rows))
			}
		}
	}

	fmt.Fprintf(out, "Kernel in use: %s. All kernels of this CPU:\n\n", softmax.Kernel())
	var unequal []string
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "kernel\tns per row\tbits\t\n")
	for i, k := range kernels {
		bits := "equal"
		if hashes[i] != hash {
			bits = "DIFFERENT"
			unequal = append(unequal, k.name)
		}
		fmt.Fprintf(w, "%s\t%.1f\t%s\t\n", k.name, median(times[i]), bits)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if note != "" {
		fmt.Fprintf(out, "\nNote: %s.\n", note)
	}
	if unequal != nil {
		return fmt.Errorf("kernel %s: bits differ from those of kernel %s, expected the same", strings.Join(unequal, ", "), softmax.Kernel())
	}
	return nil
}

func row(m softmax.Matrix[float32], r int) []float32 {
	return m.Data[r*m.Stride:][:m.Cols]
}

// likeliest returns the column of the largest probability in row r.
func likeliest(p softmax.Matrix[float32], r int) int {
	return slices.Index(row(p, r), slices.Max(row(p, r)))
}

// countCorrect returns for how many rows the likeliest digit is the true one.
func countCorrect(d *digits, p softmax.Matrix[float32]) int {
	n := 0
	for r := range p.Rows {
		if likeliest(p, r) == int(d.labels[r]) {
			n++
		}
	}
	return n
}

// largestErrors returns the largest distance of a probability from SciPy's, and
// the largest error against math.Exp in float64, both in ULP.
func largestErrors(d *digits, p softmax.Matrix[float32]) (scipy int, exact float64) {
	for r := range p.Rows {
		var sum float64
		for _, x := range row(d.logits, r) {
			sum += math.Exp(float64(x))
		}
		for c, x := range row(d.logits, r) {
			v := row(p, r)[c]
			scipy = max(scipy, ulpDistance(v, d.scipy[r*p.Cols+c]))
			exact = max(exact, ulpError(v, math.Exp(float64(x))/sum))
		}
	}
	return scipy, exact
}
