package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// changes returns what the mutants make of their lines.
func changes(mutants []Mutant) (list []string) {
	for _, m := range mutants {
		list = append(list, m.Kind+": "+m.New)
	}
	return list
}

func expectChanges(t *testing.T, got []Mutant, want ...string) {
	t.Helper()
	if g := changes(got); !slices.Equal(g, want) {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(g, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func goMutants(t *testing.T, body string) []Mutant {
	t.Helper()
	p, err := parsePackage(map[string][]byte{"x.go": []byte("package softmax\n\n" + body)})
	if err != nil {
		t.Fatal(err)
	}
	return p.mutants("x.go")
}

func TestGoMutants(t *testing.T) {
	expectChanges(t, goMutants(t, "const a float32 = 0x1.5p+3 // why"), "constant: const a float32 = 0x1.500002p+03")
	expectChanges(t, goMutants(t, "const a float64 = 0x1.5p+3"), "constant: const a float64 = 0x1.5000000000001p+03")
	expectChanges(t, goMutants(t, "var a = [2]uint32{0xF, 9}"),
		"constant: var a = [2]uint32{0x10, 9}", "constant: var a = [2]uint32{0xF, 10}")
	expectChanges(t, goMutants(t, "func f(a, b int) bool {\n\treturn a < b && !(a == b)\n}"),
		"comparison: return a <= b && !(a == b)", "comparison: return a < b || !(a == b)",
		"comparison: return a < b && (a == b)", "comparison: return a < b && !(a != b)")
	expectChanges(t, goMutants(t, "func f(a, b int) int {\n\ta += b\n\treturn min(a, b)\n}"),
		"operator: a -= b", "comparison: return max(a, b)")
	expectChanges(t, goMutants(t, "func f(a string) {\n\tif a+a == a {\n\t\tpanic(a + a)\n\t}\n}"), "comparison: if a+a != a {")
	expectChanges(t, goMutants(t, "func fma64(a, b, c float64) float64\nfunc f(a float64) float64 {\n\treturn fma64(-a, a, a)\n}"),
		"rounding: return (float64((-a)*(a)) + (a))")
	expectChanges(t, goMutants(t, "func f(a float32, b float64) (float64, float64) {\n\treturn float64(float32(a*a)), float64(float32(b))\n}"),
		"rounding: return float64(float64(a) * float64(a)), float64(float32(b))",
		"operator: return float64(float32(a/a)), float64(float32(b))",
		"rounding: return float64(float32(a*a)), float64(b)")
}

func TestFunctionNames(t *testing.T) {
	for _, m := range goMutants(t, "type s[T any] struct{}\n\nfunc (l *s[T]) add() int { return 1 }") {
		if m.In != "s.add" || m.Line != 5 {
			t.Errorf("got line %d in %s, want line 5 in s.add", m.Line, m.In)
		}
	}
}

func TestAsmMutants(t *testing.T) {
	for _, test := range []struct {
		source string
		want   []string
	}{
		{"VECTOR(a, 0x4138AA3B)\n", []string{"constant: VECTOR(a, 0x4138AA3A)"}},
		{"DATA a<>+8(SB)/8, $1.0 // why\n", []string{"constant: DATA a<>+8(SB)/8, $0x3FF0000000000001"}},
		{"#define A(X) \\\n\tVADDPS X, Y0, Y0 \\\n\tVPSLLD $20, Y0, Y0\n", []string{
			"instruction: VSUBPS X, Y0, Y0", "instruction: VPSRLD $20, Y0, Y0", "instruction: VPSLLD $21, Y0, Y0"}},
		{"#define A(X) VMOVUPS X, 32(DI); VANDPS X, Y1, Y1\n", []string{
			"instruction: #define A(X) VMOVUPS X, 36(DI); VANDPS X, Y1, Y1",
			"instruction: #define A(X) VMOVUPS X, 32(DI); VORPS X, Y1, Y1"}},
		{"#define VFADD(m, n, d) WORD $(0x0E20D400 | (m)<<16)\n", []string{
			"instruction: #define VFADD(m, n, d) WORD $(0x0E20D401 | (m)<<16)"}},
		{"TEXT ·f(SB), NOSPLIT, $0-28\n\tMOVQ dst+0(FP), DI\n\tVXORPS Y0, Y0, Y0\nloop:\n\tJLT loop\n\tRET\n", []string{
			"instruction: JLE loop"}},
	} {
		expectChanges(t, asmMutants("x_amd64.s", []byte(test.source)), test.want...)
	}
}

// TestApply looks at all that a mutant changes: its bytes, and nothing else.
func TestApply(t *testing.T) {
	source := []byte("#define A \\\n\tJLT a \\ \n\tJLT a\n")
	mutants := asmMutants("x_amd64.s", source)
	if got, want := string(mutants[0].apply(source)), "#define A \\\n\tJLE a \\ \n\tJLT a\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if mutants[0].ID == mutants[1].ID {
		t.Error("two mutants have one ID")
	}
}

func TestChoose(t *testing.T) {
	var mutants []Mutant
	for i := range 10 {
		mutants = append(mutants, Mutant{In: "f", Line: i})
	}
	mutants = append(mutants, Mutant{In: "g"})
	for limit, want := range map[int][]int{0: {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0}, 1: {5, 0}, 2: {2, 7, 0}} {
		var lines []int
		for _, s := range choose(mutants, limit) {
			lines = append(lines, s[0].Line)
		}
		if !slices.Equal(lines, want) {
			t.Errorf("limit %d: got %v, want %v", limit, lines, want)
		}
	}
}

func TestHeaderOverlay(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.h": "#define A JLT a\n",
		"x.s": "#include \"a.h\"\nTEXT\n",
		"y.s": "TEXT\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	m := asmMutants("a.h", []byte("#define A JLT a\n"))[0]
	files, err := m.overlay(dir)
	if err != nil {
		t.Fatal(err)
	}
	if names := slices.Collect(maps.Keys(files)); !slices.Equal(names, []string{"x.s"}) || string(files["x.s"]) != "#define A JLE a\nTEXT\n" {
		t.Errorf("got %q", files)
	}
}

func TestReport(t *testing.T) {
	mutants := asmMutants("x_amd64.s", []byte("#define A \\\n\tJLT a \\\n\tJEQ a\n#define B JGE b\n#define C JGT c\n"))
	slots := choose(mutants, 1)
	results := map[string]*Result{
		mutants[1].ID: {Result: notBuilt},
		mutants[0].ID: {Result: killed},
		mutants[2].ID: {Result: alive},
	}
	explained, err := parseExplanations("# why\n\nfile: x_amd64.s\nin: B\nold: #define B JGE b\nnew: #define B JGT b\nwhy: Never so.\n")
	if err != nil {
		t.Fatal(err)
	}
	if err := unmatched(explained, mutants); err != nil {
		t.Error(err)
	}
	var report bytes.Buffer
	if err := writeReport(&report, slots, results, explained); err != nil {
		t.Error(err)
	}
	if want := "| `x_amd64.s` | 3 | 1 | 1 | 1 | 0 | 1 |\n"; !strings.Contains(report.String(), want) {
		t.Errorf("%q is not in the report:\n%s", want, &report)
	}
	results[mutants[2].ID].Result = killed
	if err := writeReport(&report, slots, results, explained); err == nil {
		t.Error("an explanation of a killed mutant is accepted")
	}
	explained[0].in = "C"
	if err := unmatched(explained, mutants); err == nil {
		t.Error("an explanation without a mutant is accepted")
	}
}

func TestExplanationErrors(t *testing.T) {
	for _, text := range []string{"file: a\n", "in: f\n", "file:\n", "file: a\n\nin: f\nold: o\nnew: n\nwhy: w\n"} {
		if list, err := parseExplanations(text); err == nil {
			t.Errorf("%q is read as %v", text, list)
		}
	}
}

// TestRepository reads all files that are changed, and explained.txt.
func TestRepository(t *testing.T) {
	o := options{files: "*", perFunction: 2, perMacro: 1, shard: "1/1"}
	slots, all, err := collect(filepath.Join("..", ".."), &o)
	if err != nil {
		t.Fatal(err)
	}
	explained, err := parseExplanations(explainedText)
	if err != nil {
		t.Fatal(err)
	}
	if err := unmatched(explained, all); err != nil {
		t.Error(err)
	}
	ids := map[string]bool{}
	for i := range all {
		ids[all[i].ID] = true
	}
	if len(slots) == 0 || len(ids) != len(all) {
		t.Errorf("%d mutants, %d IDs, %d to test", len(all), len(ids), len(slots))
	}
}
