package main

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
)

// The kinds of mutants. A rounding is one that can change a result on amd64: the
// compiler fuses nothing there, so that dropping a conversion changes none.
const (
	kindConstant    = "constant"
	kindComparison  = "comparison"
	kindRounding    = "rounding"
	kindOperator    = "operator"
	kindInstruction = "instruction"
)

// A Mutant is one change of a file: New instead of the bytes from start to end.
type Mutant struct {
	ID   string `json:"id"` // the same wherever in the file the lines around it go
	File string `json:"file"`
	Line int    `json:"line"`
	In   string `json:"in"` // function, macro, or name of a constant
	Kind string `json:"kind"`
	Old  string `json:"old"` // the line, without its comment
	New  string `json:"new"` // what becomes of it

	start, end  int
	replacement string
}

// A slot is a mutant to test, and those to try instead, in this order, if it does
// not build.
type slot []Mutant

// newMutant describes the replacement of src[start:end].
func newMutant(file string, src []byte, in, kind string, start, end int, replacement string) Mutant {
	from := strings.LastIndexByte(string(src[:start]), '\n') + 1
	to := len(src)
	if i := strings.IndexByte(string(src[end:]), '\n'); i >= 0 {
		to = end + i
	}
	oneLine := func(parts ...string) string {
		code, _, _ := strings.Cut(strings.Join(strings.Fields(strings.Join(parts, "")), " "), " // ")
		return strings.TrimSpace(strings.TrimSuffix(code, `\`))
	}
	return Mutant{
		File: file, In: in, Kind: kind,
		Line:        1 + strings.Count(string(src[:start]), "\n"),
		Old:         oneLine(string(src[from:to])),
		New:         oneLine(string(src[from:start]), replacement, string(src[end:to])),
		start:       start,
		end:         end,
		replacement: replacement,
	}
}

// apply returns src with the change.
func (m *Mutant) apply(src []byte) []byte {
	return slices.Concat(src[:m.start], []byte(m.replacement), src[m.end:])
}

// identify sets the IDs of the mutants of a file. Equal changes of equal lines are
// told apart by their number.
func identify(mutants []Mutant) {
	slices.SortStableFunc(mutants, func(a, b Mutant) int { return cmp.Compare(a.start, b.start) })
	seen := map[string]int{}
	for i := range mutants {
		m := &mutants[i]
		key := strings.Join([]string{m.File, m.In, m.Kind, m.Old, m.New}, "\n")
		seen[key]++
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%d", key, seen[key]))
		m.ID = fmt.Sprintf("%x", sum[:6])
	}
}

// choose returns slots for at most limit mutants of each function, evenly spread
// over it; for all if limit is 0. The mutants must be in order.
func choose(mutants []Mutant, limit int) (slots []slot) {
	const tries = 5
	var names []string
	unit := map[string][]Mutant{}
	for _, m := range mutants {
		if unit[m.In] == nil {
			names = append(names, m.In)
		}
		unit[m.In] = append(unit[m.In], m)
	}
	for _, name := range names {
		all := unit[name]
		n := len(all)
		if limit > 0 {
			n = min(n, limit)
		}
		for i := range n {
			part := all[i*len(all)/n : (i+1)*len(all)/n]
			middle := len(part) / 2
			s := slices.Concat(slot(part[middle:]), slot(part[:middle]))
			slots = append(slots, s[:min(len(s), tries)])
		}
	}
	return slots
}
