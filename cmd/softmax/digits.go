package main

// This file holds the data of the demo: 450 images of handwritten digits, as
// the logits of a classifier, the true digits, and SciPy's softmax.

import (
	"embed"
	"fmt"

	"github.com/seed174f7dca/softmax"
)

//go:embed data/*.npy
var dataFiles embed.FS

type digits struct {
	logits softmax.Matrix[float32] // a row for each image, a column for each digit
	labels []int32                 // the true digits
	scipy  []float32               // scipy.special.softmax(logits, axis=1)
}

// loadDigits decodes the embedded files.
func loadDigits() (*digits, error) {
	logits, err := loadData[float32]("digits_logits_f32.npy")
	if err != nil {
		return nil, err
	}
	labels, err := loadData[int32]("digits_labels.npy")
	if err != nil {
		return nil, err
	}
	scipy, err := loadData[float32]("digits_softmax_of_f32.npy")
	if err != nil {
		return nil, err
	}
	rows, cols := logits.shape[0], logits.shape[1]
	return &digits{
		softmax.Matrix[float32]{Data: logits.data, Rows: rows, Cols: cols, Stride: cols},
		labels.data,
		scipy.data,
	}, nil
}

func loadData[T float32 | int32](name string) (*tensor[T], error) {
	file, err := dataFiles.ReadFile("data/" + name)
	if err != nil {
		return nil, err
	}
	t, err := decodeNPY[T](file)
	if err != nil {
		return nil, fmt.Errorf("embedded %s: %w", name, err)
	}
	return t, nil
}
