package main

// This file holds the data of the demo: 450 images of handwritten digits, as
// the logits of a classifier, the true digits, and SciPy's softmax and
// log-softmax.

import (
	"embed"
	"encoding/binary"
	"fmt"

	"github.com/seed174f7dca/softmax"
)

//go:embed data/*.npy
var dataFiles embed.FS

type digits struct {
	logits softmax.Matrix[float32] // a row for each image, a column for each digit
	labels []int32                 // the true digits
	scipy  []float32               // scipy.special.softmax(logits, axis=1)
	wide   wideDigits
}

// wideDigits are the logits before they were rounded to float32, and what SciPy
// makes of them.
type wideDigits struct {
	logits         softmax.Matrix[float64]
	scipy          []float64 // scipy.special.softmax(logits, axis=1)
	scipyLogarithm []float64 // scipy.special.log_softmax(logits, axis=1)
}

// loadDigits decodes the embedded files.
func loadDigits() (*digits, error) {
	var d digits
	var err error
	if d.logits, err = loadLogits[float32](); err != nil {
		return nil, err
	}
	if d.labels, _, err = loadData[int32]("digits_labels.npy", int32Type); err != nil {
		return nil, err
	}
	if d.scipy, _, err = loadData[float32]("digits_softmax_of_f32.npy", float32Type); err != nil {
		return nil, err
	}
	if d.wide.logits, err = loadLogits[float64](); err != nil {
		return nil, err
	}
	if d.wide.scipy, _, err = loadData[float64]("digits_softmax_f64.npy", float64Type); err != nil {
		return nil, err
	}
	d.wide.scipyLogarithm, _, err = loadData[float64]("digits_logsoftmax_f64.npy", float64Type)
	return &d, err
}

// loadLogits decodes the embedded logits of type T.
func loadLogits[T native]() (softmax.Matrix[T], error) {
	name, element := "digits_logits_f64.npy", float64Type
	if _, ok := any(T(0)).(float32); ok {
		name, element = "digits_logits_f32.npy", float32Type
	}
	data, shape, err := loadData[T](name, element)
	if err != nil {
		return softmax.Matrix[T]{}, err
	}
	return softmax.Matrix[T]{Data: data, Rows: shape[0], Cols: shape[1], Stride: shape[1]}, nil
}

// loadData decodes an embedded file.
func loadData[T native | int32](name string, element dtype) (data []T, shape []int, err error) {
	content, err := dataFiles.ReadFile("data/" + name)
	if err != nil {
		return nil, nil, err
	}
	f, err := parseNPY(content, element)
	if err != nil {
		return nil, nil, fmt.Errorf("embedded %s: %w", name, err)
	}
	data = make([]T, len(f.elements)/binary.Size(T(0)))
	_, err = binary.Decode(f.elements, binary.LittleEndian, data)
	return data, f.shape, err
}
