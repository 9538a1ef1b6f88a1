package main

// This file reads .npy files.

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"codeberg.org/sbinet/npyio/npy"
)

// tensor is the content of a .npy file in C order.
type tensor[T float32 | int32] struct {
	header []byte // what precedes the elements in the file
	shape  []int
	data   []T
}

// decodeNPY decodes a .npy file. Errors leave it to the caller to name the file.
func decodeNPY[T float32 | int32](file []byte) (*tensor[T], error) {
	start, err := headerSize(file)
	if err != nil {
		return nil, err
	}
	header, err := parseHeader(file[:start])
	if err != nil {
		return nil, err
	}
	var element T
	if want := dtype(element); header.Descr.Type != want {
		return nil, fmt.Errorf("dtype is %s, expected %s (little-endian %T)", header.Descr.Type, want, element)
	}
	if header.Descr.Fortran {
		return nil, errors.New("array is in Fortran order, expected C order")
	}
	// Compare sizes before allocating: the shape may claim anything.
	shape := header.Descr.Shape
	have := uint64(len(file) - start)
	want, ok := byteSize(shape, uint64(binary.Size(element)))
	if !ok {
		return nil, fmt.Errorf("shape %s is impossible, expected dimensions that are not negative and fit in memory", shapeString(shape))
	}
	if have != want {
		return nil, fmt.Errorf("%d bytes follow the header, expected %d for shape %s of %s", have, want, shapeString(shape), header.Descr.Type)
	}
	t := &tensor[T]{header: file[:start], shape: shape, data: make([]T, want/uint64(binary.Size(element)))}
	if _, err := binary.Decode(file[start:], binary.LittleEndian, t.data); err != nil {
		return nil, err
	}
	return t, nil
}

// encode returns t as a .npy file.
func (t *tensor[T]) encode() ([]byte, error) {
	return binary.Append(bytes.Clone(t.header), binary.LittleEndian, t.data)
}

// headerSize returns the size of the part of a .npy file before the elements.
func headerSize(file []byte) (int, error) {
	if !bytes.HasPrefix(file, npy.Magic[:]) {
		return 0, fmt.Errorf("not a .npy file: it starts with %q, expected %q", file[:min(len(file), len(npy.Magic))], npy.Magic[:])
	}
	// Magic, version and a length field of 2 bytes, or 4 in version 2.
	fields := 10
	if len(file) < fields {
		return 0, fmt.Errorf("header is truncated: the file has %d bytes, expected %d or more", len(file), fields)
	}
	length := uint64(binary.LittleEndian.Uint16(file[8:]))
	switch major, minor := file[6], file[7]; {
	case major == 1 && minor == 0:
	case major == 2 && minor == 0:
		fields = 12
		if len(file) < fields {
			return 0, fmt.Errorf("header is truncated: the file has %d bytes, expected %d or more", len(file), fields)
		}
		length = uint64(binary.LittleEndian.Uint32(file[8:]))
	default:
		return 0, fmt.Errorf(".npy format version is %d.%d, expected 1.0 or 2.0", major, minor)
	}
	if size := uint64(fields) + length; size > uint64(len(file)) {
		return 0, fmt.Errorf("header is truncated: the file has %d bytes, expected %d or more", len(file), size)
	}
	return fields + int(length), nil
}

// parseHeader parses the part of a .npy file before the elements. Package npy
// takes for granted that the dictionary has the form that NumPy writes, and
// otherwise panics or misses a dimension; so the form is checked.
func parseHeader(raw []byte) (h npy.Header, err error) {
	malformed := fmt.Errorf("header is malformed: %.200q, expected as NumPy writes it: "+
		"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", raw)
	defer func() {
		if recover() != nil {
			err = malformed
		}
	}()
	reader, err := npy.NewReader(bytes.NewReader(raw))
	if err != nil {
		return h, malformed
	}
	h = reader.Header
	order := "False"
	if h.Descr.Fortran {
		order = "True"
	}
	dictionary := fmt.Sprintf("{'descr': %s, 'fortran_order': %s, 'shape': %s, }", h.Descr.Type, order, shapeString(h.Descr.Shape))
	if text := strings.TrimRight(string(raw), " \n"); !strings.HasSuffix(text, dictionary) {
		return h, malformed
	}
	return h, nil
}

// dtype returns how NumPy spells the little-endian type of element in a header.
func dtype(element any) string {
	if _, ok := element.(float32); ok {
		return "'<f4'"
	}
	return "'<i4'"
}

// byteSize returns the size of an array, or false if there can be no such array.
func byteSize(shape []int, elementSize uint64) (uint64, bool) {
	size := elementSize
	for _, n := range shape {
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
