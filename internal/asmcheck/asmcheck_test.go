package asmcheck

import (
	"encoding/binary"
	"fmt"
	"go/constant"
	"go/token"
	"go/types"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/arch/arm64/arm64asm"
)

// files returns the package's files that match pattern, and fails if there are
// none.
func files(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", "..", pattern))
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 {
		t.Fatalf("no file matches %s", pattern)
	}
	return paths
}

// forEachFunction calls check for each function in the files that match pattern,
// and fails if a file has none.
func forEachFunction(t *testing.T, pattern string, check func(t *testing.T, f function)) {
	for _, path := range files(t, pattern) {
		functions, err := readFunctions(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(functions) == 0 {
			t.Errorf("%s: no functions found", path)
		}
		for _, f := range functions {
			t.Run(f.name, func(t *testing.T) {
				if len(f.instructions) < 5 {
					t.Fatalf("found no more than %q", f.instructions)
				}
				check(t, f)
			})
		}
	}
}

// word returns the value of a constant expression of the assembler, whose
// operators have Go's precedence.
func word(expression string) (uint32, error) {
	v, err := types.Eval(token.NewFileSet(), nil, token.NoPos, expression)
	if err != nil {
		return 0, err
	}
	w, ok := constant.Uint64Val(v.Value)
	if !ok || w > 0xFFFFFFFF {
		return 0, fmt.Errorf("%s is not a 32-bit value", expression)
	}
	return uint32(w), nil
}

// decode returns an instruction in Arm's notation, without spaces.
func decode(w uint32) (string, error) {
	i, err := arm64asm.Decode(binary.LittleEndian.AppendUint32(nil, w))
	return strings.ReplaceAll(i.String(), " ", ""), err
}

// registerName is a register in the comment of an encoding, such as Vd, Qt, Dd
// and Vn+1: its number is that of the macro's argument d, t, d or n plus 1.
var registerName = regexp.MustCompile(`\b([VQDX])([a-z])(\+1)?\b`)

// TestEncodings decodes what each macro that makes an instruction makes, and
// compares with the comment over the macro.
func TestEncodings(t *testing.T) {
	found := 0
	for _, path := range files(t, "neon_arm64.h") {
		macros, _, err := readFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range macros {
			expression, ok := strings.CutPrefix(m.body, "WORD $")
			if !ok {
				t.Errorf("%s: %s is no WORD", path, m.name)
				continue
			}
			found++
			t.Run(m.name, func(t *testing.T) { checkEncoding(t, m, expression) })
		}
	}
	if found == 0 {
		t.Error("no encodings found")
	}
}

func checkEncoding(t *testing.T, m macro, expression string) {
	for _, p := range m.params {
		if p != "offset" && !strings.Contains(m.comment, p) {
			t.Errorf("parameter %s is not in %q", p, m.comment)
		}
	}
	// Each parameter runs through its values while the others stand at odd ones,
	// all different.
	for vary := range m.params {
		for value := range 32 {
			values := map[string]int{}
			arguments := make([]string, len(m.params))
			for i, p := range m.params {
				values[p] = 5 + 7*i
				if i == vary {
					values[p] = value
				}
				if p == "offset" {
					values[p] = 16 * (2*values[p] - 32)
				}
				arguments[i] = fmt.Sprint(values[p])
			}
			w, err := word(substitute(expression, m.params, arguments))
			if err != nil {
				t.Fatal(err)
			}
			got, err := decode(w)
			if err != nil {
				t.Fatalf("%08X: %v", w, err)
			}
			if want := withRegisters(m.comment, values); got != want {
				t.Fatalf("%s(%s) makes %08X, which is %s, not %s", m.name, strings.Join(arguments, ", "), w, got, want)
			}
		}
	}
}

// withRegisters puts numbers to the registers of a comment. It returns what
// decode would.
func withRegisters(comment string, values map[string]int) string {
	s := registerName.ReplaceAllStringFunc(comment, func(r string) string {
		n := values[r[1:2]]
		if strings.HasSuffix(r, "+1") {
			n = (n + 1) % 32
		}
		if r[0] == 'X' && n == 31 {
			return "SP"
		}
		return fmt.Sprint(r[:1], n)
	})
	s = strings.ReplaceAll(s, "#offset", fmt.Sprintf("#%d", values["offset"]))
	return strings.ReplaceAll(strings.ReplaceAll(s, " ", ""), ",#0]", "]")
}

// TestWords decodes every instruction in the functions that is encoded by hand.
func TestWords(t *testing.T) {
	found := 0
	forEachFunction(t, "*_arm64.s", func(t *testing.T, f function) {
		for _, instruction := range f.instructions {
			expression, ok := strings.CutPrefix(instruction, "WORD $")
			if !ok {
				continue
			}
			found++
			w, err := word(expression)
			if err != nil {
				t.Fatal(err)
			}
			if s, err := decode(w); err != nil {
				t.Errorf("%08X: %s %v", w, s, err)
			}
		}
	})
	if found == 0 {
		t.Error("no WORD found")
	}
}

// TestVZEROUPPER wants the upper halves of the vector registers clean at each
// return: dirty ones slow down the rest of the program.
func TestVZEROUPPER(t *testing.T) {
	wide := regexp.MustCompile(`\b[YZ]([0-9]|[12][0-9]|3[01])\b`)
	found := 0
	forEachFunction(t, "*_amd64.s", func(t *testing.T, f function) {
		if !wide.MatchString(strings.Join(f.instructions, "\n")) {
			return
		}
		returns := 0
		for i, instruction := range f.instructions {
			if instruction != "RET" {
				continue
			}
			returns++
			if i == 0 || f.instructions[i-1] != "VZEROUPPER" {
				t.Errorf("RET after %q", f.instructions[max(i-1, 0)])
			}
		}
		if returns == 0 {
			t.Error("no RET found")
		}
		found++
	})
	if found == 0 {
		t.Error("no function with Y or Z registers found")
	}
}

// TestReservedRegisters keeps off the registers that belong to Go's runtime and
// assembler or to the operating system.
func TestReservedRegisters(t *testing.T) {
	for pattern, reserved := range map[string]*regexp.Regexp{
		"*_amd64.s": regexp.MustCompile(`\b(R14|R15|BP)[BWL]?\b`),
		"*_arm64.s": regexp.MustCompile(`\b(R18|R18_PLATFORM|R27|REGTMP|R28|g|R29)\b|\bR\((18|27|28|29)\)`),
	} {
		forEachFunction(t, pattern, func(t *testing.T, f function) {
			for _, instruction := range f.instructions {
				if register := reserved.FindString(instruction); register != "" {
					t.Errorf("%s in %q", register, instruction)
				}
			}
		})
	}
}
