package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// readResults returns the last result of each mutant in a file, which need not exist.
// The last line of an interrupted run may be incomplete.
func readResults(path string) (map[string]*Result, error) {
	results := map[string]*Result{}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return results, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var r Result
		if json.Unmarshal(lines.Bytes(), &r) == nil {
			results[r.ID] = &r
		}
	}
	return results, lines.Err()
}

// A count is a line of the report's table.
type count struct{ mutants, killed, notBuilt, explained, alive, notRun int }

func (c *count) row(name string) string {
	return fmt.Sprintf("| %s | %d | %d | %d | %d | %d | %d |\n", name, c.mutants, c.killed, c.notBuilt, c.explained, c.alive, c.notRun)
}

// writeReport writes the results of slots as Markdown. It returns an error if a mutant
// was killed that is explained.
func writeReport(w io.Writer, slots []slot, results map[string]*Result, explained []explanation) error {
	counts := map[string]*count{}
	var names []string
	var total count
	var survivors, equivalent strings.Builder
	var wrong error
	for _, s := range slots {
		c := counts[s[0].File]
		if c == nil {
			c = &count{}
			counts[s[0].File] = c
			names = append(names, s[0].File)
		}
		var one count
		for i := range s {
			m := &s[i]
			r := results[m.ID]
			if r != nil && r.Result == notBuilt {
				one.notBuilt++
				continue
			}
			one.mutants = 1
			var why string
			for _, e := range explained {
				if e.explains(m) {
					why = e.why
				}
			}
			switch {
			case r == nil:
				one.notRun = 1
			case r.Result == killed:
				one.killed = 1
				if why != "" {
					wrong = errors.Join(wrong, fmt.Errorf("explained.txt: %s killed %q in %s of %s", r.By, m.New, m.In, m.File))
				}
			case why != "":
				one.explained = 1
				fmt.Fprintf(&equivalent, "%s %s\n", item(m), why)
			default:
				one.alive = 1
				fmt.Fprintf(&survivors, "%s\n", item(m))
			}
			break
		}
		c.add(&one)
		total.add(&one)
	}
	fmt.Fprint(w, "| file | mutants | killed | do not build | alive, explained | alive | not run |\n|---|---:|---:|---:|---:|---:|---:|\n")
	for _, name := range names {
		io.WriteString(w, counts[name].row("`"+name+"`"))
	}
	io.WriteString(w, total.row("all"))
	if survivors.Len() > 0 {
		fmt.Fprintf(w, "\nAlive:\n\n%s", survivors.String())
	}
	if equivalent.Len() > 0 {
		fmt.Fprintf(w, "\nAlive, explained:\n\n%s", equivalent.String())
	}
	return wrong
}

func (c *count) add(d *count) {
	c.mutants += d.mutants
	c.killed += d.killed
	c.notBuilt += d.notBuilt
	c.explained += d.explained
	c.alive += d.alive
	c.notRun += d.notRun
}

// item is a mutant as an item of a list.
func item(m *Mutant) string {
	return fmt.Sprintf("- `%s:%d`, `%s`, %s: `%s` becomes `%s`.", m.File, m.Line, m.In, m.Kind, m.Old, m.New)
}
