// Package asmcheck has the tests of the package's assembly files that read the
// files themselves: instructions encoded by hand are what their comments say,
// and the rules of Go's assembly are kept. It is a module of its own because it
// needs a disassembler, which users of the package do not.
//
// Run them with go test -count=1: the files are outside of this module, so that
// a cached result does not know of their changes.
package asmcheck

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// A macro is a #define of a file.
type macro struct {
	name    string
	comment string   // the comment line directly above
	params  []string // nil if it is used without parentheses
	body    string
}

// A function is a TEXT with all macros expanded. Labels are among its
// instructions.
type function struct {
	name         string
	instructions []string
}

var (
	lineComment = regexp.MustCompile(`//.*`)
	include     = regexp.MustCompile(`^#include "(\w+\.h)"`)
	define      = regexp.MustCompile(`^#define (\w+)(\(([^)]*)\))?\s?((?s).*)`)
	identifier  = regexp.MustCompile(`[\pL_·][\w·]*`)
	text        = regexp.MustCompile(`^TEXT ·(\w+)\(SB\)`)
	label       = regexp.MustCompile(`^(\w+):\s*`)
)

// readFile returns the macros of a file, with those of local files it includes
// first, and its other lines.
func readFile(path string) (macros []macro, lines []string, err error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	comment := ""
	raw := strings.Split(string(content), "\n")
	for i := 0; i < len(raw); i++ {
		if strings.HasPrefix(raw[i], "//") {
			comment = strings.TrimSpace(strings.TrimPrefix(raw[i], "//"))
			continue
		}
		line := lineComment.ReplaceAllString(raw[i], "")
		for strings.HasSuffix(line, `\`) && i+1 < len(raw) {
			i++
			line = strings.TrimSuffix(line, `\`) + "\n" + lineComment.ReplaceAllString(raw[i], "")
		}
		if m := include.FindStringSubmatch(line); m != nil && m[1] != "textflag.h" && m[1] != "go_asm.h" {
			inner, _, err := readFile(filepath.Join(filepath.Dir(path), m[1]))
			if err != nil {
				return nil, nil, err
			}
			macros = append(macros, inner...)
		} else if m := define.FindStringSubmatch(line); m != nil {
			d := macro{name: m[1], comment: comment, body: m[4]}
			if m[2] != "" {
				d.params = splitArguments(m[3])
			}
			macros = append(macros, d)
		} else if !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
		comment = ""
	}
	return macros, lines, nil
}

// readFunctions returns the functions of a file.
func readFunctions(path string) ([]function, error) {
	list, lines, err := readFile(path)
	if err != nil {
		return nil, err
	}
	macros := map[string]macro{}
	for _, m := range list {
		macros[m.name] = m
	}
	var functions []function
	for _, line := range lines {
		if m := text.FindStringSubmatch(line); m != nil {
			functions = append(functions, function{name: m[1]})
			continue
		}
		if strings.HasPrefix(line, "TEXT") {
			return nil, fmt.Errorf("%s: cannot read %q", path, line)
		}
		if len(functions) == 0 {
			continue
		}
		f := &functions[len(functions)-1]
		expanded, err := expand(line, macros, 0)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", path, f.name, err)
		}
		for _, s := range strings.FieldsFunc(expanded, func(r rune) bool { return r == '\n' || r == ';' }) {
			s = strings.TrimSpace(s)
			if m := label.FindString(s); m != "" {
				f.instructions = append(f.instructions, strings.TrimSpace(m))
				s = s[len(m):]
			}
			if s != "" {
				f.instructions = append(f.instructions, s)
			}
		}
	}
	return functions, nil
}

// expand replaces the macros in s, and those in what it puts there.
func expand(s string, macros map[string]macro, depth int) (string, error) {
	if depth > 20 {
		return "", fmt.Errorf("macros nest too deep in %q", s)
	}
	var out strings.Builder
	for {
		at := identifier.FindStringIndex(s)
		if at == nil {
			return out.String() + s, nil
		}
		name := s[at[0]:at[1]]
		m, ok := macros[name]
		out.WriteString(s[:at[0]])
		s = s[at[1]:]
		if !ok || m.params != nil && !strings.HasPrefix(s, "(") {
			out.WriteString(name)
			continue
		}
		body := m.body
		if m.params != nil {
			end := closing(s)
			if end < 0 {
				return "", fmt.Errorf("no closing parenthesis for %s", name)
			}
			arguments := splitArguments(s[1:end])
			s = s[end+1:]
			if len(arguments) != len(m.params) {
				return "", fmt.Errorf("%s has %d arguments, not %d", name, len(m.params), len(arguments))
			}
			body = substitute(body, m.params, arguments)
		}
		body, err := expand(body, macros, depth+1)
		if err != nil {
			return "", err
		}
		out.WriteString(body)
	}
}

// substitute puts arguments in the place of parameters.
func substitute(body string, params, arguments []string) string {
	return identifier.ReplaceAllStringFunc(body, func(name string) string {
		for i, p := range params {
			if p == name {
				return arguments[i]
			}
		}
		return name
	})
}

// closing returns the index of the parenthesis that closes the one s starts with.
func closing(s string) int {
	depth := 0
	for i, r := range s {
		switch r {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// splitArguments splits at commas outside of parentheses and brackets.
func splitArguments(s string) []string {
	parts, depth, start := []string{}, 0, 0
	for i, r := range s {
		switch r {
		case '(', '[':
			depth++
		case ')', ']':
			depth--
		case ',':
			if depth == 0 {
				parts = append(parts, strings.TrimSpace(s[start:i]))
				start = i + 1
			}
		}
	}
	return append(parts, strings.TrimSpace(s[start:]))
}
