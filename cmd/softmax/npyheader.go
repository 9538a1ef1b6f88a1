package main

// This file parses the dictionary in the header of a .npy file: a Python literal, which
// other programs than NumPy spell in other ways.

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// npyHeader is what the dictionary tells of an array.
type npyHeader struct {
	descr   literal
	fortran bool
	shape   []int
}

// literal is a value in Python.
type literal struct {
	text  string // as it is spelled
	value any    // a string, bool, int or tuple; nil if it is a list
}

type tuple []literal

// parseDictionary parses the part of a header after its length.
func parseDictionary(text string) (h npyHeader, err error) {
	p := literalParser{text: text}
	entries, err := p.dictionary()
	if err != nil {
		return h, err
	}
	keys := []string{"descr", "fortran_order", "shape"}
	if got := slices.Sorted(maps.Keys(entries)); !slices.Equal(got, keys) {
		return h, fmt.Errorf("header is malformed: its keys are %.200q, expected %q", got, keys)
	}
	h.descr = entries["descr"]
	order, shape := entries["fortran_order"], entries["shape"]
	var ok bool
	if h.fortran, ok = order.value.(bool); !ok {
		return h, fmt.Errorf("header is malformed: fortran_order is %.200s, expected True or False", order.text)
	}
	dimensions, ok := shape.value.(tuple)
	for _, d := range dimensions {
		n, isInt := d.value.(int)
		h.shape = append(h.shape, n)
		ok = ok && isInt
	}
	if !ok {
		return h, fmt.Errorf("header is malformed: shape is %.200s, expected a tuple of integers such as (2, 3), (2,) or ()", shape.text)
	}
	return h, nil
}

// literalParser parses a literal in Python.
type literalParser struct {
	text  string
	at    int // what was parsed
	depth int // of brackets
}

// maxDepth is far more than the description of any type needs.
const maxDepth = 100

// dictionary parses all of the text. Of values with the same key the last counts, as in
// Python.
func (p *literalParser) dictionary() (map[string]literal, error) {
	if !p.skip('{') {
		return nil, p.malformed("'{'")
	}
	entries := make(map[string]literal)
	_, err := p.items('}', func() error {
		key, err := p.literal()
		if err != nil {
			return err
		}
		name, ok := key.value.(string)
		if !ok {
			return fmt.Errorf("header is malformed: a key is %.200s, expected a string", key.text)
		}
		if !p.skip(':') {
			return p.malformed("':'")
		}
		entries[name], err = p.literal()
		return err
	})
	if err != nil {
		return nil, err
	}
	if p.skipSpace(); p.at < len(p.text) {
		return nil, p.malformed("its end")
	}
	return entries, nil
}

// items parses items up to a closing bracket, and reports whether there was a comma.
func (p *literalParser) items(closing byte, item func() error) (comma bool, err error) {
	if p.depth++; p.depth > maxDepth {
		return false, p.malformed(fmt.Sprintf("at most %d brackets in each other", maxDepth))
	}
	defer func() { p.depth-- }()
	for !p.skip(closing) {
		if err := item(); err != nil {
			return false, err
		}
		if p.skip(',') {
			comma = true
		} else if p.skip(closing) {
			break
		} else {
			return false, p.malformed(fmt.Sprintf("',' or '%c'", closing))
		}
	}
	return comma, nil
}

// literal parses a value.
func (p *literalParser) literal() (literal, error) {
	p.skipSpace()
	start := p.at
	value, err := p.value()
	return literal{p.text[start:p.at], value}, err
}

func (p *literalParser) value() (any, error) {
	switch {
	case p.skip('('):
		values, comma, err := p.literals(')')
		if len(values) == 1 && !comma {
			return values[0].value, err
		}
		return tuple(values), err
	case p.skip('['):
		_, _, err := p.literals(']')
		return nil, err
	}
	rest := p.text[p.at:]
	if prefix := stringPattern.FindString(rest); prefix != "" {
		p.at += len(prefix)
		return p.string(prefix[len(prefix)-1])
	}
	word := wordPattern.FindString(rest)
	integer := integerPattern.FindStringSubmatch(word)
	if word != "True" && word != "False" && integer == nil {
		return nil, p.malformed("a string, an integer, a tuple, True or False")
	}
	p.at += len(word)
	if integer == nil {
		return word == "True", nil
	}
	n, err := strconv.Atoi(strings.ReplaceAll(integer[1], "_", ""))
	if err != nil {
		return nil, fmt.Errorf("header is malformed: a number is %.200s, expected one that fits in %d bits", word, strconv.IntSize)
	}
	return n, nil
}

var (
	stringPattern  = regexp.MustCompile(`^[uU]?['"]`)
	wordPattern    = regexp.MustCompile(`^[-+]?[0-9A-Za-z_]+`)
	integerPattern = regexp.MustCompile(`^([-+]?(?:0+|[1-9](?:_?[0-9])*))L?$`) // Python 2 wrote the L
)

// literals parses values up to a closing bracket, and reports whether there was a comma.
func (p *literalParser) literals(closing byte) (values []literal, comma bool, err error) {
	comma, err = p.items(closing, func() error {
		v, err := p.literal()
		values = append(values, v)
		return err
	})
	return values, comma, err
}

// string parses the rest of a string.
func (p *literalParser) string(quote byte) (string, error) {
	var s []byte
	for ; p.at < len(p.text) && p.text[p.at] != '\n'; p.at++ {
		c := p.text[p.at]
		if c == quote {
			p.at++
			return string(s), nil
		}
		if c == '\\' {
			escaped := p.text[p.at+1:]
			if escaped == "" || !strings.ContainsRune(`\'"`, rune(escaped[0])) {
				return "", p.malformed(`no escapes but \\, \' and \"`)
			}
			p.at++
			c = escaped[0]
		}
		s = append(s, c)
	}
	return "", p.malformed(fmt.Sprintf("the end of a string: %c", quote))
}

// skip skips white space, and after it the byte c, if that is next.
func (p *literalParser) skip(c byte) bool {
	p.skipSpace()
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *literalParser) skipSpace() {
	for p.at < len(p.text) && strings.IndexByte(" \t\n\r\f", p.text[p.at]) >= 0 {
		p.at++
	}
}

// malformed returns an error for what is next.
func (p *literalParser) malformed(expected string) error {
	next := "its end"
	if rest := strings.TrimSpace(p.text[p.at:]); rest != "" {
		next = fmt.Sprintf("%.40q", rest)
	}
	return fmt.Errorf("header is malformed at %s: expected %s", next, expected)
}
