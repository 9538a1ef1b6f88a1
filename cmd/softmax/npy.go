package main

// This file reads and makes .npy files.

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// magic is what a .npy file begins with.
const magic = "\x93NUMPY"

// dtype is an element type.
type dtype struct {
	code string // as NumPy spells it in a header, after the byte order
	name string
	size uint64 // in bytes
}

var (
	float16Type = dtype{"f2", "float16", 2}
	float32Type = dtype{"f4", "float32", 4}
	float64Type = dtype{"f8", "float64", 8}
	int32Type   = dtype{"i4", "int32", 4}

	// NumPy has no bfloat16. Package ml_dtypes adds it, but writes it as void.
	bfloat16Type = dtype{"bfloat16", "bfloat16", 2}
	void16Type   = dtype{"V2", "void16", 2}
	uint16Type   = dtype{"u2", "uint16", 2}
)

// dtypes are the element types by what NumPy reads in a header, after the byte order.
var dtypes = map[string]dtype{
	"f2": float16Type, "e": float16Type, "half": float16Type, "float16": float16Type,
	"f4": float32Type, "f": float32Type, "single": float32Type, "float32": float32Type,
	"f8": float64Type, "d": float64Type, "double": float64Type, "float64": float64Type, "float": float64Type,
	"i4": int32Type,
	"u2": uint16Type, "H": uint16Type, "ushort": uint16Type, "uint16": uint16Type,
	"V2": void16Type, "bfloat16": bfloat16Type,
}

// npyFile is a .npy file whose header agrees with what follows it.
type npyFile struct {
	header   []byte
	elements []byte // nil if they are not in memory
	descr    string // as the header spells the element type
	dtype    dtype
	order    byteOrder
	fortran  bool
	shape    []int
}

// parseNPY parses a .npy file with elements of one of the given types. Errors
// leave it to the caller to name the file.
func parseNPY(file []byte, types ...dtype) (*npyFile, error) {
	fields, start, err := headerSize(file)
	if err != nil {
		return nil, err
	}
	header, err := parseDictionary(string(file[fields:start]))
	if err != nil {
		return nil, err
	}
	f := &npyFile{header: file[:start], elements: file[start:], fortran: header.fortran, shape: header.shape}
	f.descr, _ = header.descr.value.(string)
	f.dtype, f.order = parseDescr(f.descr)
	if !slices.Contains(types, f.dtype) {
		return nil, dtypeError(header.descr, f.dtype, types)
	}
	// Compare sizes before anything is allocated: the shape may claim anything.
	have := uint64(len(f.elements))
	want, ok := f.byteSize()
	if !ok {
		return nil, fmt.Errorf("shape %s is impossible, expected dimensions that are not negative and fit in memory", shapeString(f.shape))
	}
	if have != want {
		return nil, fmt.Errorf("%d bytes follow the header, expected %d for shape %s of '%s'", have, want, shapeString(f.shape), f.descr)
	}
	return f, nil
}

// parseDescr returns the element type that a header describes, which is none if it is not
// one of dtypes. As in NumPy, a byte order that is not given is that of the processor.
func parseDescr(descr string) (dtype, byteOrder) {
	order := nativeOrder()
	switch {
	case strings.HasPrefix(descr, "<"):
		order = littleEndian
	case strings.HasPrefix(descr, ">"):
		order = bigEndian
	}
	if descr != "" && strings.Contains("<>=|", descr[:1]) {
		descr = descr[1:]
	}
	return dtypes[descr], order
}

// dtypeError returns the error for an element type that is none of the expected ones.
func dtypeError(descr literal, got dtype, expected []dtype) error {
	var names []string
	for _, t := range expected {
		names = append(names, t.name)
	}
	hint := ""
	if (got == void16Type || got == uint16Type) && slices.Contains(expected, bfloat16Type) {
		hint = "; with --dtype bfloat16 elements of 16 bits are read as that"
	}
	return fmt.Errorf("dtype is %.200s, expected %s%s", descr.text, alternatives(names), hint)
}

// checkAxis returns an axis counted from the first one. A scalar counts as a row
// of one.
func (f *npyFile) checkAxis(axis int) (int, error) {
	rank := max(1, len(f.shape))
	if axis < -rank || axis >= rank {
		return 0, fmt.Errorf("axis is %d, expected %d to %d for shape %s of rank %d",
			axis, -rank, rank-1, shapeString(f.shape), len(f.shape))
	}
	if axis < 0 {
		axis += rank
	}
	return axis, nil
}

// along returns the array along an axis.
func (f *npyFile) along(axis int) along {
	shape := f.shape
	if len(shape) == 0 {
		shape = []int{1}
	}
	before, after := product(shape[:axis]), product(shape[axis+1:])
	if f.fortran { // the axes stand in memory in reverse
		before, after = after, before
	}
	return along{before, shape[axis], after}
}

// withoutAxis returns a file for an array that lacks an axis, in the same order.
// Its elements are not in memory.
func (f *npyFile) withoutAxis(axis int) (*npyFile, error) {
	out := &npyFile{descr: f.descr, dtype: f.dtype, order: f.order}
	if len(f.shape) > 0 {
		out.shape = slices.Delete(slices.Clone(f.shape), axis, axis+1)
	}
	out.fortran = f.fortran && !oneOrder(out.shape)
	// An array without elements may leave many.
	const most = 64 << 20
	size, ok := out.byteSize()
	if !ok || size > max(uint64(len(f.elements)), most) {
		return nil, fmt.Errorf("shape is %s, expected at most %d bytes for what it leaves without axis %d", shapeString(f.shape), most, axis)
	}
	dictionary := headerDictionary(out.descr, out.fortran, out.shape)
	// Version 1.0, or 2.0 if 16 bits cannot tell the length. The header is padded to
	// a multiple of 64 bytes and ends in a new line.
	fields := 10
	if len(dictionary) > 65000 {
		fields = 12
	}
	start := (fields + len(dictionary) + 1 + 63) / 64 * 64
	out.header = append(out.header, magic...)
	if fields == 10 {
		out.header = append(out.header, 1, 0)
		out.header = binary.LittleEndian.AppendUint16(out.header, uint16(start-fields))
	} else {
		out.header = append(out.header, 2, 0)
		out.header = binary.LittleEndian.AppendUint32(out.header, uint32(start-fields))
	}
	out.header = fmt.Appendf(out.header, "%-*s\n", start-fields-1, dictionary)
	return out, nil
}

// headerSize returns the sizes of two parts of a .npy file: what is before the
// dictionary, and what is before the elements.
func headerSize(file []byte) (fields, size int, err error) {
	if !bytes.HasPrefix(file, []byte(magic)) {
		return 0, 0, fmt.Errorf("not a .npy file: it starts with %q, expected %q", file[:min(len(file), len(magic))], magic)
	}
	truncated := func(expected uint64) error {
		return fmt.Errorf("header is truncated: the file has %d bytes, expected %d or more", len(file), expected)
	}
	// Magic, version and a length field of 2 bytes, or 4 since version 2.
	fields = 10
	if len(file) < fields {
		return 0, 0, truncated(uint64(fields))
	}
	length := uint64(binary.LittleEndian.Uint16(file[8:]))
	major, minor := file[6], file[7]
	if major < 1 || major > 3 || minor != 0 {
		return 0, 0, fmt.Errorf(".npy format version is %d.%d, expected 1.0, 2.0 or 3.0", major, minor)
	}
	if major > 1 {
		fields = 12
		if len(file) < fields {
			return 0, 0, truncated(uint64(fields))
		}
		length = uint64(binary.LittleEndian.Uint32(file[8:]))
	}
	if size := uint64(fields) + length; size > uint64(len(file)) {
		return 0, 0, truncated(size)
	}
	size = fields + int(length)
	if major == 3 && !utf8.Valid(file[fields:size]) {
		return 0, 0, fmt.Errorf("header is malformed: %.200q, expected UTF-8 in version 3.0", file[fields:size])
	}
	return fields, size, nil
}

// headerDictionary returns the dictionary that NumPy writes into a header.
func headerDictionary(descr string, fortran bool, shape []int) string {
	order := "False"
	if fortran {
		order = "True"
	}
	return fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }", descr, order, shapeString(shape))
}

// byteSize returns the size of the elements, or false if there can be no such
// array.
func (f *npyFile) byteSize() (uint64, bool) {
	size := f.dtype.size
	for _, n := range f.shape {
		if n < 0 {
			return 0, false
		}
		var overflow uint64
		if overflow, size = bits.Mul64(size, uint64(n)); overflow != 0 {
			return 0, false
		}
	}
	return size, true
}

// oneOrder reports whether C and Fortran order are the same. NumPy calls that C
// order.
func oneOrder(shape []int) bool {
	long := slices.DeleteFunc(slices.Clone(shape), func(n int) bool { return n == 1 })
	return len(long) <= 1 || slices.Contains(long, 0)
}

// product returns the product of dimensions.
func product(shape []int) int {
	p := 1
	for _, n := range shape {
		p *= n
	}
	return p
}

// shapeString writes a shape as Python writes a tuple.
func shapeString(shape []int) string {
	if len(shape) == 1 {
		return fmt.Sprintf("(%d,)", shape[0])
	}
	dims := make([]string, len(shape))
	for i, n := range shape {
		dims[i] = strconv.Itoa(n)
	}
	return "(" + strings.Join(dims, ", ") + ")"
}

// alternatives lists names of which one is expected.
func alternatives(names []string) string {
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
