package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed174f7dca/softmax/examples/internal/golden"
)

func TestOutput(t *testing.T) {
	golden.Check(t, runOK(t))
}

// The digits in files of every type that is read.
func TestFiles(t *testing.T) {
	logits, err := parseLogits(digitsLogits)
	if err != nil {
		t.Fatal(err)
	}
	labels, err := parseLabels(digitsLabels)
	if err != nil {
		t.Fatal(err)
	}
	short := writeFile(t, "short.npy", digitsLogits)
	long := writeFile(t, "long.npy", makeNPY("'<f8'", "(450, 10)", logits.Data))
	shortLabels := writeFile(t, "short_labels.npy", digitsLabels)
	longLabels := writeFile(t, "long_labels.npy", makeNPY("'<i8'", "(450,)", labels))
	for _, files := range [][]string{{short, longLabels}, {long, shortLabels}} {
		golden.Check(t, runOK(t, files...))
	}
	if report := runOK(t, long); !strings.Contains(report, "row  388:   9 (0.4465)") || strings.Contains(report, "Accuracy") {
		t.Errorf("without labels the report is\n%s", report)
	}
}

// Fewer labels than are printed, and a single row.
func TestSmall(t *testing.T) {
	logits := writeFile(t, "logits.npy", makeNPY("'<f4'", "(1, 2)", []float32{float32(math.Inf(-1)), -3}))
	labels := writeFile(t, "labels.npy", makeNPY("'<i4'", "(1,)", []int32{0}))
	report := runOK(t, logits, labels)
	for _, part := range []string{"1 (1.0000)  0 (0.0000)   wrong: it is 0\n", "Accuracy: 0.0%, 0 of 1 rows.", "Mean log-loss: +Inf."} {
		if !strings.Contains(report, part) {
			t.Errorf("report lacks %q:\n%s", part, report)
		}
	}
}

func TestWrongFiles(t *testing.T) {
	good := makeNPY("'<f4'", "(2, 2)", []float32{1, 2, 3, 4})
	undefined := makeNPY("'<f4'", "(2, 2)", []float32{1, 2, float32(math.NaN()), 4})
	shape := func(shape string, count int) []byte { return makeNPY("'<f4'", shape, make([]float32, count)) }
	for _, test := range []struct {
		logits, labels []byte
		want           string // after the name of the file
	}{
		{[]byte(""), nil, `logits.npy: the file starts with "", expected "\x93NUMPY\x01\x00": .npy version 1.0`},
		{[]byte("PK\x03\x04 an archive"), nil, `logits.npy: the file starts with "PK\x03\x04 an ", expected`},
		{good[:9], nil, "logits.npy: the header is malformed, expected it as numpy.save writes it"},
		{good[:40], nil, "logits.npy: the header is malformed"},
		{[]byte(strings.Replace(string(good), "}", " ", 1)), nil, "logits.npy: the header is malformed"},
		{[]byte(strings.Replace(string(good), "\n", " ", 1)), nil, "logits.npy: the header is malformed"},
		{[]byte(strings.Replace(string(good), "'shape'", "'scale'", 1)), nil, "logits.npy: the header is malformed"},
		{[]byte(strings.Replace(string(good), "False", "True ", 1)), nil, "logits.npy: the header is malformed"},
		{[]byte(strings.Replace(string(good), "False", "True", 1)), nil, "logits.npy: elements are in Fortran order, expected C order"},
		{makeNPY("'>f4'", "(1, 1)", []float32{1}), nil, "logits.npy: dtype is '>f4', expected '<f4' or '<f8'"},
		{makeNPY("'|O'", "(1, 1)", []float32{1}), nil, "logits.npy: dtype is '|O', expected"},
		{shape("()", 1), nil, "logits.npy: shape is [], expected 2 dimensions of 1 or more"},
		{shape("(4,)", 4), nil, "logits.npy: shape is [4], expected 2 dimensions"},
		{shape("(0, 4)", 0), nil, "logits.npy: shape is [0 4], expected 2 dimensions of 1 or more"},
		{shape("(-2, -2)", 4), nil, "logits.npy: shape is [-2 -2], expected 2 dimensions of 1 or more"},
		{shape("(2, 3)", 4), nil, "logits.npy: 16 bytes follow the header, expected as many as shape [2 3] of '<f4' needs"},
		{shape("(2, 1)", 4), nil, "logits.npy: 16 bytes follow the header"},
		{shape("(2147483647, 2147483647)", 1), nil, "logits.npy: 4 bytes follow the header"},
		{good[:len(good)-1], nil, "logits.npy: 15 bytes follow the header"},
		{undefined, nil, "logits.npy: row 1 has a NaN, a +Inf or nothing but -Inf, expected finite logits"},
		{good, good, "labels.npy: dtype is '<f4', expected '<i4' or '<i8'"},
		{good, makeNPY("'<i4'", "(1, 2)", []int32{0, 0}), "labels.npy: shape is [1 2], expected 1 dimensions of 1 or more"},
		{good, makeNPY("'<i4'", "(3,)", []int32{0, 0, 0}), "labels.npy: there are 3 labels, expected one for each of 2 rows of logits"},
		{good, makeNPY("'<i4'", "(2,)", []int32{0, 2}), "labels.npy: label 1 is 2, expected 0 to 1"},
		{good, makeNPY("'<i8'", "(2,)", []int64{-1, 0}), "labels.npy: label 0 is -1, expected 0 to 1"},
	} {
		args := []string{writeFile(t, "logits.npy", test.logits)}
		if test.labels != nil {
			args = append(args, writeFile(t, "labels.npy", test.labels))
		}
		if err := run(args, io.Discard); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("error is %v, want it to contain %s", err, test.want)
		}
	}
	if err := run([]string{"absent.npy"}, io.Discard); err == nil || !strings.Contains(err.Error(), "absent.npy") {
		t.Errorf("error is %v, want it to name absent.npy", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(digitsLabels)
	f.Add(makeNPY("'<f4'", "(2, 2)", []float32{1, 2, 3, 4}))
	f.Add(makeNPY("'<f8'", "(1, 2)", []float64{1, 2}))
	f.Fuzz(func(t *testing.T, file []byte) {
		if m, err := parseLogits(file); err == nil && (len(m.Data) == 0 || len(m.Data) != m.Rows*m.Cols) {
			t.Errorf("%d logits in %d rows and %d columns", len(m.Data), m.Rows, m.Cols)
		}
		if labels, err := parseLabels(file); err == nil && len(labels) == 0 {
			t.Error("no labels")
		}
	})
}

// makeNPY returns a .npy file.
func makeNPY(descr, shape string, elements any) []byte {
	header := fmt.Sprintf("%-117s\n", fmt.Sprintf("{'descr': %s, 'fortran_order': False, 'shape': %s, }", descr, shape))
	file := append([]byte("\x93NUMPY\x01\x00"), byte(len(header)), 0)
	file, err := binary.Append(append(file, header...), binary.LittleEndian, elements)
	if err != nil {
		panic(err)
	}
	return file
}

// writeFile writes a file to a new directory and returns its name.
func writeFile(t *testing.T, name string, content []byte) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func runOK(t *testing.T, args ...string) string {
	t.Helper()
	var out strings.Builder
	if err := run(args, &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
