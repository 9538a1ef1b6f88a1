package main

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

var (
	defineLine  = regexp.MustCompile(`^#define (\w+)(\([^)]*\))?`)
	textLine    = regexp.MustCompile(`^TEXT ·(\w+)\(SB\)`)
	dataLine    = regexp.MustCompile(`^DATA (\w+)<>\+[^,]*, \$(-?[\w.]+)`)
	tableLine   = regexp.MustCompile(`^[A-Z]+\((\w+), (?:(\w+), )?(-?\w+)\)`)
	instruction = regexp.MustCompile(`^\s*(?:\w+:\s*)?([A-Z][A-Z0-9]*)((?:\.[A-Z.]+)?)\b`)
	immediate   = regexp.MustCompile(`\$(0x[0-9A-Fa-f]+|\d+)`)
	encoding    = regexp.MustCompile(`^\s*WORD \$\((0x[0-9A-F]+)`)
	offset      = regexp.MustCompile(`\b(\d+)\((?:SI|DI|[A-D]X|R\d+)\)`)
)

// siblings has for an instruction another that takes the same operands.
var siblings = makeSiblings()

func makeSiblings() map[string]string {
	m := map[string]string{}
	both := func(a, b string) { m[a], m[b] = b, a }
	for _, t := range []string{"PS", "PD", "SS", "SD"} {
		both("VADD"+t, "VSUB"+t)
		both("VMAX"+t, "VMIN"+t)
		m["VMUL"+t], m["VDIV"+t] = "VADD"+t, "VMUL"+t
		for _, order := range []string{"132", "213", "231"} {
			both("VFMADD"+order+t, "VFNMADD"+order+t)
			m["VFMSUB"+order+t] = "VFMADD" + order + t
		}
	}
	for _, t := range []string{"PS", "PD"} {
		both("VAND"+t, "VOR"+t)
		m["VANDN"+t], m["VXOR"+t] = "VAND"+t, "VOR"+t
		both("VUNPCKL"+t, "VUNPCKH"+t)
	}
	for _, t := range []string{"B", "W", "D", "Q"} {
		both("VPADD"+t, "VPSUB"+t)
		both("VPMAXS"+t, "VPMINS"+t)
		both("VPMAXU"+t, "VPMINU"+t)
		both("VPSLL"+t, "VPSRL"+t)
		both("VPCMPEQ"+t, "VPCMPGT"+t)
		both("KAND"+t, "KOR"+t)
		m["VPSRA"+t], m["KXOR"+t] = "VPSRL"+t, "KOR"+t
	}
	for _, t := range []string{"", "D", "Q"} {
		both("VPAND"+t, "VPOR"+t)
		m["VPXOR"+t] = "VPOR" + t
	}
	for _, t := range []string{"BW", "WD", "DQ", "QDQ"} {
		both("VPUNPCKL"+t, "VPUNPCKH"+t)
	}
	for _, t := range []string{"B", "W", "L", "Q"} {
		both("ADD"+t, "SUB"+t)
		both("AND"+t, "OR"+t)
		both("SHL"+t, "SHR"+t)
		both("INC"+t, "DEC"+t)
		m["XOR"+t] = "OR" + t
	}
	for _, pair := range [][2]string{
		{"JLT", "JLE"}, {"JGE", "JGT"}, {"JEQ", "JNE"}, {"JCS", "JLS"}, {"JCC", "JHI"}, {"JPS", "JPC"},
		{"SETEQ", "SETNE"}, {"SETCS", "SETCC"}, {"CMOVQGT", "CMOVQGE"}, {"CMOVQLT", "CMOVQLE"},

		{"ADD", "SUB"}, {"ADDS", "SUBS"}, {"AND", "ORR"}, {"LSL", "LSR"}, {"CBZ", "CBNZ"}, {"TBZ", "TBNZ"},
		{"BLT", "BLE"}, {"BGE", "BGT"}, {"BEQ", "BNE"}, {"BLO", "BLS"}, {"BHS", "BHI"}, {"BVS", "BVC"}, {"CMP", "CMN"},
		{"FADDS", "FSUBS"}, {"FADDD", "FSUBD"}, {"FMADDD", "FMSUBD"}, {"FNMADDD", "FNMSUBD"},
		{"VADD", "VSUB"}, {"VAND", "VORR"}, {"VZIP1", "VZIP2"}, {"VUZP1", "VUZP2"}, {"VTRN1", "VTRN2"},

		// Macros of neon_arm64.h.
		{"VFADD", "VFSUB"}, {"VFADDD", "VFSUBD"}, {"VADDS", "VSUBS"}, {"VFMAX", "VFMIN"},
		{"VFMLA1", "VFMLS1"}, {"VFMLA2", "VFMLS2"}, {"VFMLAD0", "VFMLSD0"}, {"VFMLAD1", "VFMLSD1"},
		{"VFMUL0", "VFMUL1"}, {"VFMUL2", "VFMUL3"}, {"VFMLA0", "VFMLA3"}, {"VBIFV", "VBITV"}, {"VFABS", "VFNEG"},
		{"VZIP1S", "VZIP2S"}, {"VSHLL", "VSHLL2"}, {"VFCVTL", "VFCVTL2"}, {"VFCVTLH", "VFCVTL2H"},
		{"VFCVTN", "VFCVTN2"}, {"VFCVTNH", "VFCVTN2H"}, {"VADDHN", "VADDHN2"}, {"VLDPQ", "VSTPQ"},
	} {
		both(pair[0], pair[1])
	}
	for from, to := range map[string]string{
		"FMULS": "FDIVS", "FMULD": "FDIVD", "FDIVS": "FMULS", "FDIVD": "FMULD",
		"VFMUL": "VFADD", "VFMULD": "VFADDD", "VFDIV": "VFMUL", "VFMLAV": "VFADD", "VFMLAD": "VFADDD",
		"VFMAXD": "VFADDD", "VFMAXP": "VFMAX", "VFMAXPD": "VFMAXD", "VFMULD1": "VFMLAD1", "VFCMEQ": "VFACGE",
		"VFCMEQD": "VFACGED", "VFACGE": "VFCMEQ", "VFACGED": "VFCMEQD", "VCMTSTS": "VANDV", "VANDV": "VFMAX",
		"VBSLV": "VBITV", "VUZP1S": "VZIP1S", "VSLI20": "VSLI17", "VSLI17": "VSLI20", "VFNEGD": "VFRINTZD",
		"VFRINTZ": "VFABS", "VFRINTZD": "VFNEGD",
	} {
		m[from] = to
	}
	delete(m, "VLDPQ") // a load may be forgotten, but not be a store
	delete(m, "VSTPQ")
	return m
}

// unchanged are instructions without a result to change.
var unchanged = regexp.MustCompile(`^(DATA|GLOBL|RET|VZEROUPPER|PREFETCH\w*|PRFM|SFENCE|REP|LDMXCSR|STMXCSR)$`)

// asmMutants returns the mutants of a file of assembly, in order: of the bodies of
// its macros and functions, and of its constants.
func asmMutants(file string, src []byte) (mutants []Mutant) {
	element := 4
	if strings.HasPrefix(file, "float64_") {
		element = 8
	}
	unit, defining, table := "", false, ""
	at := 0
	for line := range strings.SplitAfterSeq(string(src), "\n") {
		start := at
		at += len(line)
		code, _, _ := strings.Cut(line, "//")
		code = strings.TrimRight(code, " \t\n")
		continued := strings.HasSuffix(code, `\`)
		add := func(kind string, from, to int, replacement string) {
			in := unit
			if kind == kindConstant && table != "" {
				in = table
			}
			mutants = append(mutants, newMutant(file, src, in, kind, start+from, start+to, replacement))
		}
		data := dataLine.FindStringSubmatchIndex(code)
		if data == nil {
			table = ""
		}
		body := 0
		if !defining {
			switch {
			case strings.HasPrefix(code, "#define"):
				m := defineLine.FindStringSubmatchIndex(code)
				unit, body = code[m[2]:m[3]], m[1]
			case textLine.MatchString(code):
				unit = textLine.FindStringSubmatch(code)[1]
				continue
			case data != nil:
				if table == "" {
					table = code[data[2]:]
					table = table[:strings.IndexByte(table, '(')]
				}
				if changed, ok := flipped(code[data[4]:data[5]]); ok {
					add(kindConstant, data[4], data[5], changed)
				}
				continue
			case tableLine.MatchString(code):
				m := tableLine.FindStringSubmatchIndex(code)
				table = code[m[2]:m[3]]
				if m[4] >= 0 {
					table = code[m[4]:m[5]]
				}
				if changed, ok := flipped(code[m[6]:m[7]]); ok {
					add(kindConstant, m[6], m[7], changed)
				}
				table = ""
				continue
			case strings.HasPrefix(code, "#") || strings.HasPrefix(code, "GLOBL"):
				continue
			}
		}
		defining = continued && (defining || strings.HasPrefix(code, "#define"))
		if unit == "" {
			continue
		}
		for body < len(code) {
			end := len(code)
			if i := strings.IndexByte(code[body:], ';'); i >= 0 {
				end = body + i
			}
			from := body
			instructionMutants(code[from:end], element, func(kind string, start, end int, replacement string) {
				add(kind, from+start, from+end, replacement)
			})
			body = end + 1
		}
	}
	identify(mutants)
	return mutants
}

// instructionMutants calls add with the changes of one instruction.
func instructionMutants(code string, element int, add func(kind string, start, end int, replacement string)) {
	if m := encoding.FindStringSubmatchIndex(code); m != nil {
		changed, _ := flipped(code[m[2]:m[3]])
		add(kindInstruction, m[2], m[3], changed)
		return
	}
	m := instruction.FindStringSubmatchIndex(code)
	if m == nil || unchanged.MatchString(code[m[2]:m[3]]) {
		return
	}
	operation, operands := code[m[2]:m[3]], code[m[1]:]
	if to := siblings[operation]; to != "" && !clears(operation, operands) {
		add(kindInstruction, m[2], m[3], to)
	}
	if i := immediate.FindStringSubmatchIndex(operands); i != nil {
		v, err := strconv.ParseUint(operands[i[2]:i[3]], 0, 64)
		if err == nil {
			add(kindInstruction, m[1]+i[2], m[1]+i[3], changedInteger(operands[i[2]:i[3]], v))
		}
	}
	if i := offset.FindStringSubmatchIndex(operands); i != nil {
		v, err := strconv.Atoi(operands[i[2]:i[3]])
		if err == nil {
			add(kindInstruction, m[1]+i[2], m[1]+i[3], strconv.Itoa(v+element))
		}
	}
}

// clears reports whether an instruction makes zeros whatever its operands hold: its
// sibling would leave a register that may happen to hold them.
func clears(operation, operands string) bool {
	if !strings.Contains(operation, "XOR") {
		return false
	}
	list := strings.Split(strings.TrimRight(operands, ` \`), ",")
	for _, o := range list {
		if strings.TrimSpace(o) != strings.TrimSpace(list[0]) {
			return false
		}
	}
	return true
}

// flipped returns a number with another lowest bit.
func flipped(text string) (string, bool) {
	if v, err := strconv.ParseInt(text, 0, 64); err == nil {
		if strings.HasPrefix(text, "0x") {
			return fmt.Sprintf("0x%0*X", len(text)-2, v^1), true
		}
		return strconv.FormatInt(v^1, 10), true
	}
	if v, err := strconv.ParseUint(text, 0, 64); err == nil {
		return fmt.Sprintf("0x%X", v^1), true
	}
	if v, err := strconv.ParseFloat(text, 64); err == nil {
		return fmt.Sprintf("0x%X", math.Float64bits(v)^1), true
	}
	return "", false
}
