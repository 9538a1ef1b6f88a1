package main

import (
	"slices"
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

// TestKeptRows asks for rows that differ from those before in one way each.
func TestKeptRows(t *testing.T) {
	checkKept[float32](t, "normal3", 3, 40)
	checkKept[float32](t, "normal3", 3, 40)
	checkKept[float32](t, "zeros", 3, 40)
	checkKept[float64](t, "zeros", 3, 40)
	checkKept[softmax.BFloat16](t, "normal3", 3, 40)
	checkKept[softmax.Float16](t, "normal3", 3, 40)
	checkKept[softmax.Float16](t, "normal3", 4, 40)
	checkKept[softmax.Float16](t, "normal3", 4, 30)
	if _, err := keptRows[float32]("uniform", 1, 1); err == nil {
		t.Error("no error for a family that is not there")
	}
	checkKept[float32](t, "normal3", 1, 1)
}

func checkKept[T softmax.Float](t *testing.T, family string, rows, n int) {
	t.Helper()
	got, err := keptRows[T](family, rows, n)
	if err != nil {
		t.Fatal(err)
	}
	want, err := familyRows[T](family, rows, n)
	if err != nil {
		t.Fatal(err)
	}
	if got.Rows != rows || got.Cols != n || !slices.Equal(viewBytes(got.Data), viewBytes(want.Data)) {
		t.Errorf("%s, %d rows of %d: other rows than those of familyRows", family, rows, n)
	}
}
