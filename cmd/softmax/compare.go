package main

// This file is the subcommand compare.

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

type compareCmd struct {
	Files  []string `arg:"" name:"file" help:"Files that bench --json has written."`
	Op     []string `placeholder:"NAME" help:"Operations to compare, by default all that were timed."`
	Dtype  []string `placeholder:"NAME" help:"Element types to compare, by default all that were timed."`
	Kernel []string `placeholder:"NAME" help:"Kernels to compare, by default all that were timed."`
	Plot   string   `placeholder:"FILE" help:"Draw all in one picture, .svg or .png."`
}

// Validate checks the flags.
func (c *compareCmd) Validate() error {
	for _, flag := range []struct {
		name          string
		values, known []string
	}{{"op", c.Op, operations}, {"dtype", c.Dtype, rowTypes}, {"kernel", c.Kernel, append(slices.Clone(kernelNames), opCopy)}} {
		for _, value := range flag.values {
			if !slices.Contains(flag.known, value) {
				return fmt.Errorf("--%s: %s, expected %s", flag.name, value, alternatives(flag.known))
			}
		}
	}
	return checkPlotName(c.Plot)
}

// Run prints one table for all files.
func (c *compareCmd) Run(out io.Writer) error {
	var reports []*report
	for _, name := range c.Files {
		r, err := readReport(name)
		if err != nil {
			return err
		}
		r.Timings = slices.DeleteFunc(r.Timings, func(t timing) bool { return !c.wants(t) })
		if len(r.Timings) == 0 {
			return fmt.Errorf("%s: has none of the timings that are asked for; compare it alone to see those it has", name)
		}
		reports = append(reports, r)
	}
	if c.Plot != "" {
		if err := writePlot(c.Plot, reports); err != nil {
			return err
		}
	}
	for i, r := range reports {
		fmt.Fprintf(out, "[%d] %s: %s, %s, %.2f GHz\n", i+1, c.Files[i], r.Machine, r.Date.Format(time.DateOnly), r.clock())
	}
	fmt.Fprint(out, "\nnanoseconds per element, and the half-width of the 95% confidence interval\n\n")
	return writeComparison(out, reports)
}

// wants tells whether the flags select a timing.
func (c *compareCmd) wants(t timing) bool {
	selects := func(values []string, value string) bool { return values == nil || slices.Contains(values, value) }
	return selects(c.Op, t.Op) && selects(c.Dtype, t.Dtype) && selects(c.Kernel, t.Kernel)
}

// writeComparison writes a table with a column for every kernel of every report.
func writeComparison(out io.Writer, reports []*report) error {
	type rowKey struct {
		panelKey
		n int
	}
	type column struct {
		report int
		kernel string
	}
	var rows []rowKey
	var columns []column
	cells := make(map[rowKey]map[column]string)
	for i, r := range reports {
		for _, t := range r.Timings {
			row, col := rowKey{t.panel(), t.N}, column{i, t.Kernel}
			if cells[row] == nil {
				cells[row] = make(map[column]string)
				rows = append(rows, row)
			}
			if !slices.Contains(columns, col) {
				columns = append(columns, col)
			}
			s := t.perElement()
			cells[row][col] = fmt.Sprintf("%.3f ±%s", s.Center, s.PctRangeString())
		}
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "op\tdtype\tfamily\trows\tn\t")
	for _, col := range columns {
		fmt.Fprintf(w, "%s\t", nameOf(col.report, col.kernel, 2))
	}
	fmt.Fprint(w, "\n")
	for _, row := range rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t", row.op, row.dtype, row.family, row.rows, row.n)
		for _, col := range columns {
			cell, ok := cells[row][col]
			if !ok {
				cell = "-"
			}
			fmt.Fprintf(w, "%s\t", cell)
		}
		fmt.Fprint(w, "\n")
	}
	return w.Flush()
}
