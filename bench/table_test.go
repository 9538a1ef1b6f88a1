package bench

// This file prints what was measured as tables, in Markdown.

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"

	"gonum.org/v1/gonum/stat"
)

// sample is what one benchmark measured.
type sample struct {
	nanoseconds float64 // for an element
	errors      ulpErrors
	noErrors    bool // there was no reference
}

// measurements are all samples, and the peers that are missing.
type measurements struct {
	samples []caseSample
	missing []missingPeer
}

type caseSample struct {
	typeName, peer string
	benchCase
	sample
}

type missingPeer struct{ typeName, peer, reason string }

// measured is what this run measured.
var measured measurements

// print writes two tables for each element type: one row in each call, and many.
func (m measurements) print(w io.Writer) {
	for _, typeName := range []string{"float32", "float64"} {
		var single, many []caseSample
		for _, s := range m.samples {
			switch {
			case s.typeName != typeName:
			case s.rows == 1:
				single = append(single, s)
			default:
				many = append(many, s)
			}
		}
		printTable(w, typeName+", one row in each call: ns per element of N(0,1), or of what is named, and errors in ULP: largest/mean", single)
		printTable(w, fmt.Sprintf("%s, rows of %d elements together in each call: ns per element of N(0,1)", typeName, batch), many)
		for _, p := range m.missing {
			if p.typeName == typeName && len(single)+len(many) > 0 {
				fmt.Fprintf(w, "Missing: %s: %s\n", p.peer, p.reason)
			}
		}
	}
}

// printTable has a line for each peer, a column for the time of each case, and after
// them columns for errors, which are those of single rows.
func printTable(w io.Writer, title string, samples []caseSample) {
	if len(samples) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n\n", title)
	var peers []string
	var speed, accuracy []benchCase
	for _, s := range samples {
		peers = appendNew(peers, s.peer)
		speed = appendNew(speed, s.benchCase)
		if slices.Contains(accuracyCases, s.benchCase) {
			accuracy = appendNew(accuracy, s.benchCase)
		}
	}
	head := []string{"peer"}
	for _, c := range speed {
		title := strconv.Itoa(c.cols)
		if c.family != normal {
			title += " " + c.family.title
		}
		head = append(head, title)
	}
	for _, c := range accuracy {
		head = append(head, fmt.Sprintf("ULP %d %s", c.cols, c.family.title))
	}
	table := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	line := func(cells []string) { fmt.Fprintf(table, "| %s\t|\n", strings.Join(cells, "\t| ")) }
	line(head)
	line(slices.Repeat([]string{"---"}, len(head)))
	for _, peer := range peers {
		cells := []string{peer}
		for _, c := range speed {
			cells = append(cells, speedCell(samples, peer, c))
		}
		for _, c := range accuracy {
			cells = append(cells, errorCell(samples, peer, c))
		}
		line(cells)
	}
	table.Flush()
	fmt.Fprintln(w)
}

func appendNew[E comparable](list []E, e E) []E {
	if slices.Contains(list, e) {
		return list
	}
	return append(list, e)
}

// speedCell returns the median.
func speedCell(samples []caseSample, peer string, c benchCase) string {
	var nanoseconds []float64
	for _, s := range samples {
		if s.peer == peer && s.benchCase == c {
			nanoseconds = append(nanoseconds, s.nanoseconds)
		}
	}
	if nanoseconds == nil {
		return "-"
	}
	slices.Sort(nanoseconds)
	return number(stat.Quantile(0.5, stat.Empirical, nanoseconds, nil))
}

// errorCell returns the errors, which are those of the same logits in each round.
func errorCell(samples []caseSample, peer string, c benchCase) string {
	for _, s := range samples {
		if s.peer == peer && s.benchCase == c && !s.noErrors {
			return number(s.errors.worst) + "/" + number(s.errors.mean)
		}
	}
	return "-"
}

// number returns a number with three digits, or all before the point if they are more.
func number(x float64) string {
	switch {
	case x >= 100:
		return strconv.FormatFloat(x, 'f', 0, 64)
	case x >= 10:
		return strconv.FormatFloat(x, 'f', 1, 64)
	case x >= 1:
		return strconv.FormatFloat(x, 'f', 2, 64)
	default:
		return strconv.FormatFloat(x, 'f', 3, 64)
	}
}

// TestTable prints measurements that are made up.
func TestTable(t *testing.T) {
	one, many, accurate := benchCase{normal, 8, 1}, benchCase{normal, 8, 4096}, benchCase{spread, 1024, 1}
	m := measurements{
		samples: []caseSample{
			{"float64", "fast", one, sample{nanoseconds: 3}},
			{"float64", "slow", one, sample{nanoseconds: 20}},
			{"float64", "fast", one, sample{nanoseconds: 2}},
			{"float64", "fast", one, sample{nanoseconds: 1}},
			{"float64", "slow", accurate, sample{nanoseconds: 300, errors: ulpErrors{123.4, 0.5}}},
			{"float64", "fast", accurate, sample{nanoseconds: 20, noErrors: true}},
			{"float64", "slow", many, sample{nanoseconds: 0.25}},
		},
		missing: []missingPeer{{"float32", "none", "not shown"}, {"float64", "gone", "not here"}},
	}
	const want = `
float64, one row in each call: ns per element of N(0,1), or of what is named, and errors in ULP: largest/mean

| peer | 8    | 1024 U(-50,50) | ULP 1024 U(-50,50) |
| ---  | ---  | ---            | ---                |
| fast | 2.00 | 20.0           | -                  |
| slow | 20.0 | 300            | 123/0.500          |


float64, rows of 32768 elements together in each call: ns per element of N(0,1)

| peer | 8     |
| ---  | ---   |
| slow | 0.250 |

Missing: gone: not here
`
	var got strings.Builder
	m.print(&got)
	if got.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", got.String(), want)
	}
}
