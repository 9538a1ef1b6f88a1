package main

// This file reads the .npy files that numpy.save writes.

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"codeberg.org/sbinet/npyio/npy"

	"github.com/seed174f7dca/softmax"
)

// parseLogits returns the rows of logits that a .npy file holds as float32 or float64.
func parseLogits(file []byte) (softmax.Matrix[float64], error) {
	data, shape, err := parseNPY[float32, float64](file, 2, "'<f4'", "'<f8'")
	if err != nil {
		return softmax.Matrix[float64]{}, err
	}
	return softmax.Matrix[float64]{Data: data, Rows: shape[0], Cols: shape[1], Stride: shape[1]}, nil
}

// parseLabels returns the labels that a .npy file holds as int32 or int64.
func parseLabels(file []byte) ([]int64, error) {
	labels, _, err := parseNPY[int32, int64](file, 1, "'<i4'", "'<i8'")
	return labels, err
}

type number interface {
	float32 | float64 | int32 | int64
}

// parseNPY returns the elements and the shape of the array in a .npy file, which must
// have the given number of dimensions. Elements of 4 bytes have the dtype narrow, and
// are widened, which is exact; those of 8 bytes have the dtype wide.
//
// Package npy takes for granted that a file is well-formed; otherwise it may panic or
// ask for any amount of memory. So the sizes are checked before it reads an element.
func parseNPY[Narrow, Wide number](file []byte, dimensions int, narrow, wide string) (elements []Wide, shape []int, err error) {
	// Version 1.0, which NumPy writes for every array of numbers, limits a header to 64 KiB.
	magic := append(npy.Magic[:], 1, 0)
	if !bytes.HasPrefix(file, magic) {
		return nil, nil, fmt.Errorf("the file starts with %q, expected %q: .npy version 1.0", file[:min(len(file), len(magic))], magic)
	}
	defer func() {
		if recover() != nil {
			err = errors.New("the header is malformed, expected it as numpy.save writes it")
		}
	}()
	rest := bytes.NewReader(file)
	r, err := npy.NewReader(rest)
	if err != nil {
		return nil, nil, fmt.Errorf("the header is malformed, expected it as numpy.save writes it: %w", err)
	}

	dtype, shape := r.Header.Descr.Type, r.Header.Descr.Shape
	size := 4
	switch {
	case dtype == wide:
		size = 8
	case dtype != narrow:
		return nil, nil, fmt.Errorf("dtype is %s, expected %s or %s", dtype, narrow, wide)
	}
	if len(shape) != dimensions || slices.Min(shape) < 1 {
		return nil, nil, fmt.Errorf("shape is %d, expected %d dimensions of 1 or more", shape, dimensions)
	}
	if r.Header.Descr.Fortran && dimensions > 1 {
		return nil, nil, errors.New("elements are in Fortran order, expected C order, which numpy.ascontiguousarray makes")
	}
	// Dividing does not overflow, whatever the shape is.
	whole, count := rest.Len()%size == 0, rest.Len()/size
	for _, n := range shape {
		whole = whole && count%n == 0
		count /= n
	}
	if !whole || count != 1 {
		return nil, nil, fmt.Errorf("%d bytes follow the header, expected as many as shape %d of %s needs", rest.Len(), shape, dtype)
	}

	if size == 8 {
		err = r.Read(&elements)
		return elements, shape, err
	}
	var short []Narrow
	if err := r.Read(&short); err != nil {
		return nil, nil, err
	}
	elements = make([]Wide, len(short))
	for i, x := range short {
		elements[i] = Wide(x)
	}
	return elements, shape, nil
}
