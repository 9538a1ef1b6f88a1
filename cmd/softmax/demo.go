package main

// This file is the subcommand demo, which runs if there is none.

import (
	"fmt"
	"io"
	"maps"
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
	fmt.Fprintf(out, "Largest error against the softmax computed in float64: %.2f ULP.\n", inaccuracy)
	wide, logarithm := d.wide.largestDistances()
	fmt.Fprintf(out, "Largest distance to SciPy in float64: softmax %d ULP (SciPy rounds x - max(x)),\n"+
		"log-softmax %.0f ULP (ULP of 1 for values above -1).\n\n", wide, logarithm)
	return compareKernels(out, kernels, note, p.Rows)
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
// whether its bits are those of the kernel in use, and its time.
func compareKernels(out io.Writer, kernels []*kernel, note string, rows int) error {
	fmt.Fprintf(out, "Kernel in use: %s. All kernels of this CPU:\n\n", softmax.Kernel())
	dtypes := []string{float32Type.name, float64Type.name}
	times := make(map[string][]float64) // by dtype and kernel
	differ := make(map[string]bool)     // by kernel
	for _, dtype := range dtypes {
		t := task{Dtype: dtype, Time: 10 * time.Millisecond}
		want, err := t.run()
		if err != nil {
			return err
		}
		for range rounds {
			for _, k := range kernels {
				r, err := k.run(t)
				if err != nil {
					return err
				}
				times[dtype+k.name] = append(times[dtype+k.name], r.Nanoseconds...)
				if r.Hash != want.Hash {
					differ[k.name] = true
				}
			}
		}
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "kernel\t%s\tbits\t\n", strings.Join(dtypes, "\t"))
	for _, k := range kernels {
		fmt.Fprintf(w, "%s\t", k.name)
		for _, dtype := range dtypes {
			fmt.Fprintf(w, "%.1f ns per row\t", median(times[dtype+k.name])/float64(rows))
		}
		bits := "equal"
		if differ[k.name] {
			bits = "DIFFERENT"
		}
		fmt.Fprintf(w, "%s\t\n", bits)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if note != "" {
		fmt.Fprintf(out, "\nNote: %s.\n", note)
	}
	if len(differ) > 0 {
		return fmt.Errorf("kernel %s: bits differ from those of kernel %s, expected the same",
			strings.Join(slices.Sorted(maps.Keys(differ)), ", "), softmax.Kernel())
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
func largestErrors(d *digits, p softmax.Matrix[float32]) (scipy int64, exact float64) {
	for r := range p.Rows {
		var sum float64
		for _, x := range row(d.logits, r) {
			sum += math.Exp(float64(x))
		}
		for c, x := range row(d.logits, r) {
			v := row(p, r)[c]
			scipy = max(scipy, ulpDistance(v, d.scipy[r*p.Cols+c]))
			exact = max(exact, ulpError(v, math.Exp(float64(x))/sum, 0))
		}
	}
	return scipy, exact
}

// largestDistances returns the largest distance of a float64 probability from
// SciPy's, and that of its logarithm, in ULP.
func (d *wideDigits) largestDistances() (scipy int64, logarithm float64) {
	dst := d.logits
	dst.Data = make([]float64, len(d.logits.Data))
	softmax.SoftmaxRows(dst, d.logits)
	for i, v := range dst.Data {
		scipy = max(scipy, ulpDistance(v, d.scipy[i]))
	}
	softmax.LogSoftmaxRows(dst, d.logits)
	for i, v := range dst.Data {
		logarithm = max(logarithm, ulpError(v, d.scipyLogarithm[i], 1))
	}
	return scipy, logarithm
}
