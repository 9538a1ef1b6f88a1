package main

// This file is the arithmetic of vectors and matrices. Where a product is added to a sum
// there is a conversion around it: it keeps the compiler from fusing the two, as it does
// for some processors, and so the bits are the same on all.

import (
	"math"
	"math/rand/v2"

	"github.com/seed174f7dca/softmax"
)

type matrix = softmax.Matrix[float32]

func newMatrix(rows, cols int) matrix {
	return matrix{Data: make([]float32, rows*cols), Rows: rows, Cols: cols, Stride: cols}
}

// oneRow returns a matrix that shares its only row with x.
func oneRow(x []float32) matrix { return matrix{Data: x, Rows: 1, Cols: len(x), Stride: len(x)} }

func appendRow(m matrix, x []float32) matrix {
	m.Data = append(m.Data, x...)
	m.Rows++
	return m
}

// randomMatrix returns a matrix of random elements, evenly distributed around 0 with the
// given standard deviation.
func randomMatrix(random *rand.Rand, rows, cols int, deviation float64) matrix {
	m := newMatrix(rows, cols)
	largest := float32(math.Sqrt(3) * deviation)
	for i := range m.Data {
		m.Data[i] = largest * (2*random.Float32() - 1)
	}
	return m
}

func row(m matrix, r int) []float32 { return m.Data[r*m.Stride:][:m.Cols] }

// part returns what belongs to a head in a vector of all heads.
func part(x []float32, head int) []float32 { return x[head*headWidth:][:headWidth] }

func dot(a, b []float32) float32 {
	var sum float32
	for i, x := range a {
		sum += float32(x * b[i])
	}
	return sum
}

// multiply returns the product of a matrix and a vector.
func multiply(m matrix, x []float32) []float32 {
	product := make([]float32, m.Rows)
	for r := range product {
		product[r] = dot(row(m, r), x)
	}
	return product
}

// add adds y to x.
func add(x, y []float32) {
	for i, v := range y {
		x[i] += v
	}
}

// normalise returns x divided by its root mean square (RMSNorm).
func normalise(x []float32) []float32 {
	const epsilon = 1e-6
	rms := float32(math.Sqrt(float64(dot(x, x)/float32(len(x)) + epsilon)))
	normal := make([]float32, len(x))
	for i, v := range x {
		normal[i] = v / rms
	}
	return normal
}
