// Command sample draws tokens from the logits of a vocabulary, as language models do:
//
//	go run ./examples/sample
//	go run ./examples/sample --vocabulary 128256 --seed 7
//
// It shows what temperature, top-k, top-p and min-p leave to draw from. The last line is
// a hash of all probabilities: it is the same on every processor.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "sample:", err)
		os.Exit(1)
	}
}

// run carries out the command line and writes a report to out.
func run(args []string, out io.Writer) error {
	var cli struct {
		Vocabulary int    `default:"32000" help:"Number of tokens."`
		Seed       uint64 `default:"1" help:"Seed of the logits and of what is drawn."`
	}
	parser, err := kong.New(&cli, kong.Name("sample"), kong.Writers(out, os.Stderr),
		kong.Description("Draws tokens from logits by temperature, top-k, top-p and min-p."))
	if err != nil {
		return err
	}
	if _, err := parser.Parse(args); err != nil {
		return err
	}
	const most = 1 << 22
	if cli.Vocabulary < 1 || cli.Vocabulary > most {
		return fmt.Errorf("--vocabulary is %d, expected 1 to %d", cli.Vocabulary, most)
	}
	w := bufio.NewWriter(out)
	if err := report(w, cli.Vocabulary, cli.Seed); err != nil {
		return err
	}
	return w.Flush()
}
