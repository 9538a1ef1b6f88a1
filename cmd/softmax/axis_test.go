package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed174f7dca/softmax"
)

// array is an array with the elements in C order, from which a .npy file of
// either order is made.
type array[T softmax.Float] struct {
	shape []int
	data  []T
}

func newArray[T softmax.Float](shape ...int) array[T] {
	return array[T]{shape, normalValues[T](product(shape))}
}

// indices calls f for each index of an array, in C order.
func indices(shape []int, f func(index []int)) {
	index := make([]int, len(shape))
	for range product(shape) {
		f(index)
		for axis := len(shape) - 1; axis >= 0; axis-- {
			if index[axis]++; index[axis] < shape[axis] {
				break
			}
			index[axis] = 0
		}
	}
}

// offset returns where an element stands in C order.
func offset(shape, index []int) int {
	at := 0
	for axis, n := range shape {
		at = at*n + index[axis]
	}
	return at
}

// dictionary returns that of the header of the array's file.
func (a array[T]) dictionary(fortran bool) string {
	var element dtype
	switch any(a.data).(type) {
	case []softmax.Float16:
		element = float16Type
	case []softmax.BFloat16:
		element = bfloat16Type
	case []float32:
		element = float32Type
	case []float64:
		element = float64Type
	}
	dictionary := fmt.Sprintf("{'descr': '<%s', 'fortran_order': False, 'shape': %s, }", element.code, shapeString(a.shape))
	if fortran {
		dictionary = strings.Replace(dictionary, "False", "True", 1)
	}
	return dictionary
}

// file returns the array as a .npy file.
func (a array[T]) file(fortran bool) []byte {
	data := a.data
	if fortran {
		data = make([]T, len(a.data))
		reversed := slices.Clone(a.shape)
		slices.Reverse(reversed)
		indices(a.shape, func(index []int) {
			mirrored := slices.Clone(index)
			slices.Reverse(mirrored)
			data[offset(reversed, mirrored)] = a.data[offset(a.shape, index)]
		})
	}
	return makeNPY(a.dictionary(fortran), data)
}

// appendTo appends the elements in a byte order to b.
func (a array[T]) appendTo(b []byte, order byteOrder) []byte {
	var encoding binary.ByteOrder = binary.LittleEndian
	if order == bigEndian {
		encoding = binary.BigEndian
	}
	b, err := binary.Append(b, encoding, a.data)
	if err != nil {
		panic(err)
	}
	return b
}

// apply returns what op makes of the array, lane by lane along an axis.
func (a array[T]) apply(op string, axis int) array[T] {
	out := array[T]{a.shape, make([]T, len(a.data))}
	if op == opLogSumExp {
		out.shape = slices.Delete(slices.Clone(a.shape), axis, axis+1)
		out.data = make([]T, product(out.shape))
	}
	first := slices.Clone(a.shape)
	first[axis] = 1
	indices(first, func(index []int) {
		lane, at := make([]T, a.shape[axis]), make([]int, a.shape[axis])
		for i := range lane {
			index[axis] = i
			at[i] = offset(a.shape, index)
			lane[i] = a.data[at[i]]
		}
		index[axis] = 0
		switch op {
		case opSoftmax:
			softmax.Softmax(lane, lane)
		case opLogSoftmax:
			softmax.LogSoftmax(lane, lane)
		case opLogSumExp:
			out.data[offset(out.shape, slices.Delete(slices.Clone(index), axis, axis+1))] = softmax.LogSumExp(lane)
			return
		}
		for i, v := range lane {
			out.data[at[i]] = v
		}
	})
	return out
}

func TestApplyAxis(t *testing.T) {
	t.Run("float16", testApplyAxis[softmax.Float16])
	t.Run("bfloat16", testApplyAxis[softmax.BFloat16])
	t.Run("float32", testApplyAxis[float32])
	t.Run("float64", testApplyAxis[float64])
}

func testApplyAxis[T softmax.Float](t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.npy"), filepath.Join(dir, "out.npy")
	for _, shape := range [][]int{{1}, {5}, {0}, {3, 4}, {4, 1}, {0, 4}, {3, 0}, {2, 3, 5}, {2, 0, 3}, {2, 3, 4, 37}, {2, 1, 2, 1, 3}} {
		a := newArray[T](shape...)
		for axis := -len(shape); axis < len(shape); axis++ {
			for _, op := range operations {
				for _, fortran := range []bool{false, true} {
					want := a.apply(op, (axis+len(shape))%len(shape))
					wantFile := want.file(fortran && (op != opLogSumExp || !oneOrder(want.shape)))
					rewriteFile(t, in, a.file(fortran))
					result := out
					if axis < 0 { // in place
						result = in
					}
					runOK(t, "apply", "--op", op, "--axis", fmt.Sprint(axis), in, result)
					// Comparing files compares bits.
					if !bytes.Equal(readContent(t, result), wantFile) {
						t.Errorf("%s of shape %v along axis %d, Fortran order %v: %s differs from lane by lane", op, shape, axis, fortran, filepath.Base(result))
					}
				}
			}
		}
	}
	checkDirectory(t, in, "in.npy", "out.npy")
}

func TestOneOrder(t *testing.T) {
	for _, test := range []struct {
		shape []int
		want  bool
	}{
		{nil, true},
		{[]int{5}, true},
		{[]int{1, 5, 1}, true},
		{[]int{3, 0}, true},
		{[]int{3, 4}, false},
		{[]int{2, 1, 2}, false},
	} {
		if got := oneOrder(test.shape); got != test.want {
			t.Errorf("oneOrder(%v) = %v, want %v", test.shape, got, test.want)
		}
	}
}

// TestApplyScalar checks that a scalar counts as a row of one, and stays one.
func TestApplyScalar(t *testing.T) {
	for _, test := range []struct {
		op   string
		want float64
	}{
		{opSoftmax, 1},
		{opLogSoftmax, 0},
		{opLogSumExp, 7},
	} {
		for _, axis := range []string{"-1", "0"} {
			in := writeFile(t, "in.npy", array[float64]{data: []float64{7}}.file(false))
			runOK(t, "apply", "--op", test.op, "--axis", axis, in, in)
			if !bytes.Equal(readContent(t, in), array[float64]{data: []float64{test.want}}.file(false)) {
				t.Errorf("%s of the scalar 7 along axis %s is not the scalar %v", test.op, axis, test.want)
			}
		}
	}
}

// TestApplyEmptyAxis checks the log-sum-exp of no elements.
func TestApplyEmptyAxis(t *testing.T) {
	inf := float32(math.Inf(-1))
	in := writeFile(t, "in.npy", float32File("(2, 0)", nil))
	runOK(t, "apply", "--op", opLogSumExp, in, in)
	if !bytes.Equal(readContent(t, in), float32File("(2,)", []float32{inf, inf})) {
		t.Error("the log-sum-exp of two empty rows is not -Inf twice")
	}
	rewriteFile(t, in, array[softmax.Float16]{shape: []int{2, 0}}.file(false))
	runOK(t, "apply", "--op", opLogSumExp, in, in)
	if !bytes.Equal(readContent(t, in), array[softmax.Float16]{[]int{2}, []softmax.Float16{0xFC00, 0xFC00}}.file(false)) {
		t.Error("float16: the log-sum-exp of two empty rows is not -Inf twice")
	}

	// A file of 128 bytes must not ask for all memory.
	for _, shape := range []string{"(0, 2147483647)", "(0, 2147483647, 2147483647, 2147483647)"} {
		huge := float32File(shape, nil)
		in := writeFile(t, "in.npy", huge)
		checkError(t, run([]string{"apply", "--op", opLogSumExp, "--axis", "0", in, in}, io.Discard),
			in, shape, "expected at most 67108864 bytes", "axis 0")
		if !bytes.Equal(readContent(t, in), huge) {
			t.Error("in.npy was changed")
		}
	}
}

func TestApplyAxisOutOfRange(t *testing.T) {
	for _, test := range []struct {
		shape []int
		axis  string
		want  string
	}{
		{nil, "1", "axis is 1, expected -1 to 0 for shape () of rank 0"},
		{[]int{5}, "-2", "axis is -2, expected -1 to 0 for shape (5,) of rank 1"},
		{[]int{2, 3}, "2", "axis is 2, expected -2 to 1 for shape (2, 3) of rank 2"},
		{[]int{2, 3}, "-3", "axis is -3, expected -2 to 1 for shape (2, 3) of rank 2"},
		{[]int{2, 0, 3}, "2147483647", "axis is 2147483647, expected -3 to 2 for shape (2, 0, 3) of rank 3"},
	} {
		in := writeFile(t, "in.npy", newArray[float32](test.shape...).file(false))
		out := filepath.Join(filepath.Dir(in), "out.npy")
		for _, op := range operations {
			checkError(t, run([]string{"apply", "--op", op, "--axis", test.axis, in, out}, io.Discard), in, test.want)
		}
		checkDirectory(t, in, "in.npy")
	}
}

// memoryFile is a file in memory.
type memoryFile []byte

func (f *memoryFile) WriteAt(b []byte, offset int64) (int, error) {
	if missing := int(offset) + len(b) - len(*f); missing > 0 {
		*f = append(*f, make([]byte, missing)...)
	}
	return copy((*f)[offset:], b), nil
}

// transform returns the .npy file that op makes of another along an axis.
func transform(file []byte, op string, axis int, dtype string) ([]byte, error) {
	t, err := newTransformation(file, op, axis, dtype)
	if err != nil {
		return nil, err
	}
	var out memoryFile
	err = t.write(context.Background(), &out, &progress{})
	return out, err
}

// TestApplyManyAxes checks a header that is too long for version 1.0.
func TestApplyManyAxes(t *testing.T) {
	shape := slices.Repeat([]int{1}, 30000)
	parse := func(file []byte) *npyFile {
		t.Helper()
		f, err := parseNPY(file, float32Type)
		if err != nil {
			t.Fatalf("%.100q: %v", file, err)
		}
		return f
	}
	in := &npyFile{elements: make([]byte, 4), descr: "<f4", dtype: float32Type, shape: shape}
	long, err := in.withoutAxis(0)
	if err != nil {
		t.Fatal(err)
	}
	if long.header[6] != 2 {
		t.Errorf("version is %d, want 2", long.header[6])
	}
	file := slices.Concat(long.header, in.elements)
	if f := parse(file); !slices.Equal(f.shape, shape[1:]) {
		t.Errorf("rank is %d, want %d", len(f.shape), len(shape)-1)
	}
	result, err := transform(file, opLogSumExp, 5, "")
	if err != nil {
		t.Fatal(err)
	}
	if f := parse(result); len(f.shape) != len(shape)-2 {
		t.Errorf("rank is %d, want %d", len(f.shape), len(shape)-2)
	}
}
