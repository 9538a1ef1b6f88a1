package main

import (
	"fmt"
	"strings"
)

// An explanation says why a mutant changes no result that a test could see.
type explanation struct {
	file, in, old, new, why string
}

func (e *explanation) explains(m *Mutant) bool {
	return e.file == m.File && e.in == m.In && e.old == m.Old && e.new == m.New
}

// parseExplanations reads paragraphs of five lines; lines that start with # are
// comments.
func parseExplanations(text string) (list []explanation, err error) {
	var e explanation
	fields := []struct {
		name  string
		value *string
	}{{"file", &e.file}, {"in", &e.in}, {"old", &e.old}, {"new", &e.new}, {"why", &e.why}}
	next := 0
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") || line == "" && next == 0 {
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		if value = strings.TrimSpace(value); name != fields[next].name || value == "" {
			return nil, fmt.Errorf("explained.txt:%d: want a line that starts with %q", i+1, fields[next].name+":")
		}
		*fields[next].value = value
		if next++; next == len(fields) {
			list = append(list, e)
			next = 0
		}
	}
	if next != 0 {
		return nil, fmt.Errorf("explained.txt: the last paragraph ends before %q", fields[next].name+":")
	}
	return list, nil
}

// unmatched returns an error if an explanation is for none of the mutants.
func unmatched(list []explanation, mutants []Mutant) error {
	for i := range list {
		if e := &list[i]; !anyOf(mutants, e.explains) {
			return fmt.Errorf("explained.txt: there is no mutant of %s in %s that makes %q of %q", e.file, e.in, e.new, e.old)
		}
	}
	return nil
}

func anyOf(mutants []Mutant, f func(m *Mutant) bool) bool {
	for i := range mutants {
		if f(&mutants[i]) {
			return true
		}
	}
	return false
}
