// Command classify turns the logits of a classifier into labels and probabilities, and
// tells how far these can be trusted:
//
//	go run ./examples/classify                           # 450 handwritten digits
//	go run ./examples/classify logits.npy                # others, as numpy.save writes them
//	go run ./examples/classify logits.npy labels.npy     # with the true labels
//
// Logits have a row for each object, and a column for each label.
package main

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"github.com/alecthomas/kong"

	"github.com/seed174f7dca/softmax"
)

var (
	//go:embed data/digits_logits.npy
	digitsLogits []byte
	//go:embed data/digits_labels.npy
	digitsLabels []byte
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "classify:", err)
		os.Exit(1)
	}
}

// run carries out the command line and writes a report to out.
func run(args []string, out io.Writer) error {
	var cli struct {
		Logits string `arg:"" optional:"" help:"A .npy file of float32 or float64: rows of logits. Without it, 450 handwritten digits."`
		Labels string `arg:"" optional:"" help:"A .npy file of int32 or int64: the true label of each row, from 0."`
	}
	parser, err := kong.New(&cli, kong.Name("classify"), kong.Writers(out, os.Stderr),
		kong.Description("Turns logits into labels and probabilities, and tells how far these can be trusted."))
	if err != nil {
		return err
	}
	if _, err := parser.Parse(args); err != nil {
		return err
	}
	c, err := load(cli.Logits, cli.Labels)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(out)
	c.report(w)
	return w.Flush()
}

// classified is what is known of objects and their labels.
type classified struct {
	probabilities, logarithms softmax.Matrix[float64] // softmax and log-softmax of the rows of logits
	likeliest                 []int                   // the column of the largest probability of each row
	labels                    []int64                 // the true column of each row; nil if it is not known
}

// load reads files of logits and labels and applies softmax. Without a name for logits it
// takes the embedded digits; labels may be left out.
func load(logitsName, labelsName string) (*classified, error) {
	if logitsName == "" {
		return classify("embedded logits", digitsLogits, "embedded labels", digitsLabels)
	}
	logits, err := os.ReadFile(logitsName)
	if err != nil {
		return nil, err
	}
	if labelsName == "" {
		return classify(logitsName, logits, "", nil)
	}
	labels, err := os.ReadFile(labelsName)
	if err != nil {
		return nil, err
	}
	return classify(logitsName, logits, labelsName, labels)
}

// classify makes probabilities of a .npy file of logits. That of labels may be nil. The
// names are for errors.
func classify(logitsName string, logitsFile []byte, labelsName string, labelsFile []byte) (*classified, error) {
	logits, err := parseLogits(logitsFile)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", logitsName, err)
	}
	c := &classified{probabilities: logits, logarithms: logits, likeliest: make([]int, logits.Rows)}
	c.probabilities.Data = make([]float64, len(logits.Data))
	softmax.SoftmaxRows(c.probabilities, logits)
	// The log-softmax may take the place of the logits. It is accurate also where a
	// probability is too small for its logarithm to be.
	softmax.LogSoftmaxRows(c.logarithms, logits)
	for r := range c.likeliest {
		p := row(c.probabilities, r)
		if math.IsNaN(p[0]) {
			return nil, fmt.Errorf("%s: row %d has a NaN, a +Inf or nothing but -Inf, expected finite logits", logitsName, r)
		}
		c.likeliest[r] = slices.Index(p, slices.Max(p))
	}
	if labelsFile == nil {
		return c, nil
	}
	if c.labels, err = parseLabels(labelsFile); err != nil {
		return nil, fmt.Errorf("%s: %w", labelsName, err)
	}
	if len(c.labels) != logits.Rows {
		return nil, fmt.Errorf("%s: there are %d labels, expected one for each of %d rows of logits", labelsName, len(c.labels), logits.Rows)
	}
	for r, label := range c.labels {
		if label < 0 || label >= int64(logits.Cols) {
			return nil, fmt.Errorf("%s: label %d is %d, expected 0 to %d", labelsName, r, label, logits.Cols-1)
		}
	}
	return c, nil
}

// row returns a row of a matrix.
func row(m softmax.Matrix[float64], r int) []float64 { return m.Data[r*m.Stride:][:m.Cols] }

// confidence returns the probability of the likeliest label of a row.
func (c *classified) confidence(r int) float64 { return row(c.probabilities, r)[c.likeliest[r]] }

// correct reports whether the likeliest label of a row is the true one.
func (c *classified) correct(r int) bool { return int64(c.likeliest[r]) == c.labels[r] }
