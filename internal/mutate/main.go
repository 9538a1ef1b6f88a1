// Command mutate finds out what the tests of package softmax would miss: it changes
// one constant, comparison, operator, rounding or instruction at a time and runs
// them. What no test notices is a mutant that lives.
//
// Run it in the root of the repository, whose files it does not change:
//
//	go run ./internal/mutate -o mutants.jsonl          # hours; goes on where it stopped
//	go run ./internal/mutate -o mutants.jsonl -report  # what came out, as Markdown
//	go run ./internal/mutate -o mutants.jsonl -again   # after new tests: those alive, once more
//
// The files in Go that define the result are changed wherever possible, the others
// and those in assembly in some places of each function, macro and table. Results
// in the file -o are of the sources and tests of their time: begin a new file after
// a change that may let a killed mutant live.
//
// Mutants in Go run on amd64 with every kernel that the processor has, those in
// assembly for amd64 want one with AVX-512, and those for arm64 run emulated by
// qemu-aarch64-static. explained.txt says why some live: they change no result.
package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

//go:embed explained.txt
var explainedText string

// options are those that choose mutants.
type options struct {
	files       string
	kind        string
	perFunction int
	perMacro    int
	shard       string
	n           int
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func run() error {
	var o options
	flag.StringVar(&o.files, "files", "*", "only files whose name matches this `pattern`")
	flag.StringVar(&o.kind, "kind", "", "only mutants of this `kind`: constant, comparison, operator, rounding or instruction")
	flag.IntVar(&o.perFunction, "per-function", 2, "mutants of a function in Go, where not all are made")
	flag.IntVar(&o.perMacro, "per-macro", 1, "mutants of a macro, function or table in assembly")
	flag.StringVar(&o.shard, "shard", "1/1", "only every n-th mutant, from the i-th on: `i/n`")
	flag.IntVar(&o.n, "n", 0, "at most so many mutants; 0 for all")
	workers := flag.Int("j", runtime.NumCPU(), "mutants to test at the same time")
	least := flag.Duration("timeout", 30*time.Second, "what any part of the tests may take, and otherwise five times what it takes without a mutant")
	output := flag.String("o", "", "`file` for the results; mutants that it has are not tested again")
	list := flag.Bool("list", false, "list the mutants only")
	report := flag.Bool("report", false, "write a report of the results in the file -o only")
	again := flag.Bool("again", false, "test those again that the file -o says are alive, and no others")
	flag.Parse()
	if flag.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flag.Arg(0))
	}
	if (*report || *again) && *output == "" {
		return errors.New("-report and -again want -o")
	}

	dir, err := filepath.Abs(".")
	if err != nil {
		return err
	}
	slots, all, err := collect(dir, &o)
	if err != nil {
		return err
	}
	explained, err := parseExplanations(explainedText)
	if err != nil {
		return err
	}
	if err := unmatched(explained, all); err != nil {
		return err
	}
	results := map[string]*Result{}
	if *output != "" {
		if results, err = readResults(*output); err != nil {
			return err
		}
	}

	switch {
	case *list:
		for _, s := range slots {
			m := &s[0]
			fmt.Printf("%s:%d: %s, %s: %s -> %s\n", m.File, m.Line, m.In, m.Kind, m.Old, m.New)
		}
		return nil
	case *report:
		return writeReport(os.Stdout, slots, results, explained)
	}
	slots = slices.DeleteFunc(slots, func(s slot) bool {
		r := outcome(s, results)
		if *again {
			return r == nil || r.Result != alive
		}
		return r != nil
	})
	if *again {
		for _, s := range slots {
			delete(results, outcome(s, results).ID)
		}
	}
	if len(slots) == 0 {
		return nil
	}
	return save(dir, slots, results, *output, *workers, *least)
}

// outcome returns the result on record that settles a slot, or nil.
func outcome(s slot, results map[string]*Result) (r *Result) {
	for i := range s {
		if r = results[s[i].ID]; r == nil || r.Result != notBuilt {
			break
		}
	}
	return r
}

// save tests mutants, prints their results and appends them to a file.
func save(dir string, slots []slot, results map[string]*Result, output string, workers int, least time.Duration) error {
	file, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if output != "" {
		file, err = os.OpenFile(output, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	}
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err = runAll(ctx, dir, slots, results, workers, least, func(r *Result) error {
		fmt.Printf("%s:%d: %s, %s: %s -> %s: %s", r.File, r.Line, r.In, r.Kind, r.Old, r.New, r.Result)
		if r.By != "" {
			fmt.Printf(" by %s", r.By)
		}
		fmt.Printf(" (%.1f s)\n", r.Seconds)
		line, err := json.Marshal(r)
		if err != nil {
			return err
		}
		_, err = file.Write(append(line, '\n'))
		return err
	})
	return errors.Join(err, file.Close())
}

// left are the files in Go that are not changed: they choose a kernel, which others
// test on processors that lack some.
func left(name string) bool {
	return strings.HasPrefix(name, "dispatch") || name == "primitives.go"
}

// collect returns the slots that the options choose, and all mutants there are.
func collect(dir string, o *options) (slots []slot, all []Mutant, err error) {
	if _, err := filepath.Match(o.files, ""); err != nil {
		return nil, nil, err
	}
	var index, parts int
	if _, err := fmt.Sscanf(o.shard, "%d/%d", &index, &parts); err != nil || index < 1 || index > parts {
		return nil, nil, fmt.Errorf("-shard %s is not i/n with 1 <= i <= n", o.shard)
	}
	p, err := loadPackage(dir)
	if err != nil {
		return nil, nil, err
	}
	var names []string
	for name := range p.src {
		if !left(name) {
			names = append(names, name)
		}
	}
	for _, pattern := range []string{"*.s", "*.h"} {
		paths, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return nil, nil, err
		}
		for _, path := range paths {
			names = append(names, filepath.Base(path))
		}
	}
	slices.Sort(names)
	for _, name := range names {
		var mutants []Mutant
		limit := o.perFunction
		if strings.HasSuffix(name, "_generic.go") {
			limit = 0
		}
		if p.src[name] != nil {
			mutants = p.mutants(name)
		} else {
			src, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				return nil, nil, err
			}
			mutants, limit = asmMutants(name, src), o.perMacro
		}
		all = append(all, mutants...)
		if ok, _ := filepath.Match(o.files, name); ok {
			mutants = slices.DeleteFunc(mutants, func(m Mutant) bool { return o.kind != "" && m.Kind != o.kind })
			slots = append(slots, choose(mutants, limit)...)
		}
	}
	var chosen []slot
	for i, s := range slots {
		if i%parts == index-1 {
			chosen = append(chosen, s)
		}
	}
	if o.n > 0 && len(chosen) > o.n {
		chosen = chosen[:o.n]
	}
	return chosen, all, nil
}
