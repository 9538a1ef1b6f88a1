// Command attention runs a small transformer block on a prompt. It fills a key-value cache,
// then adds words one at a time, and shows what its heads attend to:
//
//	go run ./examples/attention
//	go run ./examples/attention one two three one two
//
// The cache is in pages. Attention over each page is computed on its own, as if pages
// were on several machines, merged, and compared with attention over all keys at once.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "attention:", err)
		os.Exit(1)
	}
}

// options is the command line; kong derives the parser and the help from it.
type options struct {
	Prompt []string `arg:"" optional:"" help:"Words to go on from (do re mi fa so la ti do re mi)."`
	Words  int      `default:"8" help:"How many words to add."`
	Page   int      `default:"4" help:"How many tokens a page of the cache has."`
	Seed   uint64   `default:"1" help:"Seed of the random weights."`
}

// run carries out the command line and writes a report to out.
func run(args []string, out io.Writer) error {
	var o options
	parser, err := kong.New(&o, kong.Name("attention"), kong.Writers(out, os.Stderr),
		kong.Description("Runs a small transformer block with a key-value cache in pages."))
	if err != nil {
		return err
	}
	if _, err := parser.Parse(args); err != nil {
		return err
	}
	if len(o.Prompt) == 0 {
		o.Prompt = strings.Fields("do re mi fa so la ti do re mi")
	}
	const most = 1000
	switch {
	case len(o.Prompt) > most:
		return fmt.Errorf("the prompt has %d words, expected at most %d", len(o.Prompt), most)
	case o.Words < 1 || o.Words > most:
		return fmt.Errorf("--words is %d, expected 1 to %d", o.Words, most)
	case o.Page < 1 || o.Page > most:
		return fmt.Errorf("--page is %d, expected 1 to %d", o.Page, most)
	}
	w := bufio.NewWriter(out)
	o.report(w)
	return w.Flush()
}
