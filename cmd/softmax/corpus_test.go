package main

import (
	"testing"

	"github.com/seed174f7dca/softmax"
)

// normalValues returns values from the normal distribution with standard deviation 3.
func normalValues[T softmax.Float](n int) []T {
	m, err := familyRows[T]("normal3", 1, n)
	if err != nil {
		panic(err)
	}
	return m.Data
}

func TestFamilyRows(t *testing.T) {
	for _, family := range familyNames() {
		m, err := familyRows[float32](family, 3, 40)
		if err != nil {
			t.Fatal(err)
		}
		if m.Rows != 3 || m.Cols != 40 || len(m.Data) != 120 {
			t.Errorf("%s: %d rows of %d, %d elements, want 3 of 40", family, m.Rows, m.Cols, len(m.Data))
		}
		halves, err := familyRows[softmax.BFloat16](family, 3, 40)
		if err != nil {
			t.Fatal(err)
		}
		for i, h := range halves.Data {
			if want := softmax.ToBFloat16(m.Data[i]); h != want {
				t.Errorf("%s: element %d of bfloat16 is 0x%04x, want 0x%04x", family, i, h, want)
			}
		}
	}
	_, err := familyRows[float64]("uniform", 1, 1)
	checkError(t, err, `family "uniform", expected one of normal1, normal3`)
}
