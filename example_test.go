package softmax_test

import (
	"fmt"
	"slices"

	"github.com/seed174f7dca/softmax"
)

func ExampleSoftmax() {
	logits := []float32{2, 1, 0.1}
	probabilities := make([]float32, len(logits))
	softmax.Softmax(probabilities, logits)
	fmt.Printf("%.4f\n", probabilities)
	// Output: [0.6590 0.2424 0.0986]
}

func ExampleSoftmax_inPlace() {
	row := []float32{1000, 1000, -3.4e38}
	softmax.Softmax(row, row)
	fmt.Println(row)
	// Output: [0.5 0.5 0]
}

func ExampleSoftmaxRows() {
	m := softmax.Matrix[float32]{
		Data: []float32{
			0, 0, 0, 0,
			1, 2, 3, 4,
		},
		Rows: 2, Cols: 4, Stride: 4,
	}
	softmax.SoftmaxRows(m, m)
	for row := range m.Rows {
		fmt.Printf("%.4f\n", m.Data[row*m.Stride:][:m.Cols])
	}
	// Output:
	// [0.2500 0.2500 0.2500 0.2500]
	// [0.0321 0.0871 0.2369 0.6439]
}

// The first three columns of a matrix with five, read and written where they are.
func ExampleMatrix() {
	data := []float32{
		1, 1, 1, 70, 80,
		5, 5, 5, 70, 80,
	}
	logits := softmax.Matrix[float32]{Data: data, Rows: 2, Cols: 3, Stride: 5}
	softmax.SoftmaxRows(logits, logits)
	fmt.Printf("%.3f\n", data[:5])
	fmt.Printf("%.3f\n", data[5:])
	// Output:
	// [0.333 0.333 0.333 70.000 80.000]
	// [0.333 0.333 0.333 70.000 80.000]
}

func ExampleKernel() {
	known := []string{"avx512", "avx2", "neon", "generic"}
	fmt.Println(slices.Contains(known, softmax.Kernel()))
	// Output: true
}
