// Command softmax shows and measures the package
// github.com/seed174f7dca/softmax, and applies it to .npy files.
package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// cli is the command line; kong derives the parser and the help from it.
type cli struct {
	Demo    demoCmd    `cmd:"" default:"1" help:"Turn 450 rows of real logits into probabilities and compare all kernels (the default)."`
	Apply   applyCmd   `cmd:"" help:"Apply softmax, log-softmax or log-sum-exp along an axis of a .npy file."`
	Info    infoCmd    `cmd:"" help:"Show the CPU, its kernels, and which one is in use and why."`
	Bench   benchCmd   `cmd:"" help:"Time every kernel at many row lengths."`
	Compare compareCmd `cmd:"" help:"Compare what bench has measured on several machines."`
	Verify  verifyCmd  `cmd:"" help:"Check that every kernel returns the bits that every computer does, and how accurate they are."`
	Worker  workerCmd  `cmd:"" hidden:"" help:"Run tasks from standard input with one kernel."`
}

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "softmax:", err)
		os.Exit(1)
	}
}

// run carries out the command line and writes its report to out.
func run(args []string, out io.Writer) error {
	parser, err := kong.New(&cli{},
		kong.Name("softmax"),
		kong.Description("Softmax with SIMD kernels that return the same bits on every processor.\n\n"+
			"The environment variable SOFTMAX_KERNEL=generic|avx2|avx512|neon selects the kernel."),
		kong.Writers(out, os.Stderr),
		kong.Vars{"families": strings.Join(familyNames(), ", ")},
		kong.WithHyphenPrefixedParameters(true), // for --axis -1
		kong.BindTo(out, (*io.Writer)(nil)))
	if err != nil {
		return err
	}
	command, err := parser.Parse(withTwoDashes(args))
	if err != nil {
		return fmt.Errorf("%w; softmax --help lists what is possible", err)
	}
	return command.Run()
}

// withTwoDashes returns args with long flags as kong wants them: -axis, as Go
// programs often have it, becomes --axis, and -n becomes --n.
func withTwoDashes(args []string) []string {
	args = slices.Clone(args)
	oneDash := regexp.MustCompile(`^-([a-z]{2}|n(=|$))`)
	for i, arg := range args {
		if arg == "--" {
			break
		}
		if oneDash.MatchString(arg) {
			args[i] = "-" + arg
		}
	}
	return args
}
