package softmax

// This file checks the functions on the rows of a matrix.

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// matrixFunction is a function of a matrix and the one for its rows alone.
type matrixFunction[T Float] struct {
	name   string
	matrix func(dst, src Matrix[T])
	row    func(dst, src []T)
}

func matrixFunctions[T Float]() []matrixFunction[T] {
	return []matrixFunction[T]{
		{"SoftmaxRows", SoftmaxRows[T], Softmax[T]},
		{"LogSoftmaxRows", LogSoftmaxRows[T], LogSoftmax[T]},
	}
}

// TestMatrixRows compares with the functions of one row; the rest of the data stays.
func TestMatrixRows(t *testing.T) {
	forEachKernelAndFloat(t, testMatrixRows[float32], testMatrixRows[float64], testMatrixRows[Float16], testMatrixRows[BFloat16])
}

func testMatrixRows[T Float](t *testing.T, k kernel) {
	useKernel(t, k)
	families, block := familiesOf[T](), blockOf[T]()
	for _, function := range matrixFunctions[T]() {
		for _, cols := range []int{1, 2, 5, 10, 16, 31, 32, 33, 64, 100, 257, block, block + 1, 2*block + 9} {
			for _, rows := range []int{1, 2, 3, 17} {
				for _, gap := range []int{0, 1, 7, 16} {
					src := Matrix[T]{Rows: rows, Cols: cols, Stride: cols + gap}
					dst := Matrix[T]{Rows: rows, Cols: cols, Stride: cols + (gap*3)%17}
					src.Data = slices.Repeat([]T{nan[T]()}, rows*src.Stride+5)
					dst.Data = slices.Repeat([]T{fenceOf[T]()}, rows*dst.Stride+5)
					want, wantInPlace := slices.Clone(dst.Data), slices.Clone(src.Data)
					for row := range rows {
						logits := src.Data[row*src.Stride:][:cols]
						families[(row+cols+gap)%len(families)].FillRow(logits, uint64(rows))
						function.row(want[row*dst.Stride:][:cols], logits)
						copy(wantInPlace[row*src.Stride:], want[row*dst.Stride:][:cols])
					}
					before := slices.Clone(src.Data)
					function.matrix(dst, src)
					checkBits(t, dst.Data, want, want, "%s, %d x %d, strides %d and %d", function.name, rows, cols, dst.Stride, src.Stride)
					checkBits(t, src.Data, before, before, "%s, %d x %d: src changed", function.name, rows, cols)
					function.matrix(src, src)
					checkBits(t, src.Data, wantInPlace, before, "%s, %d x %d, stride %d, in place", function.name, rows, cols, src.Stride)
				}
			}
		}
	}
}

// TestLogSumExpRows compares with LogSumExp, row by row.
func TestLogSumExpRows(t *testing.T) {
	forEachKernelAndFloat(t, testLogSumExpRows[float32], testLogSumExpRows[float64], testLogSumExpRows[Float16], testLogSumExpRows[BFloat16])
}

func testLogSumExpRows[T Float](t *testing.T, k kernel) {
	useKernel(t, k)
	families, block := familiesOf[T](), blockOf[T]()
	for _, cols := range []int{0, 1, 2, 5, 10, 16, 31, 33, 100, block, block + 1} {
		for _, rows := range []int{0, 1, 2, 17, 200} {
			if rows*cols > 1<<17 {
				continue
			}
			for _, gap := range []int{0, 1, 16} {
				src := Matrix[T]{Rows: rows, Cols: cols, Stride: cols + gap}
				src.Data = slices.Repeat([]T{nan[T]()}, rows*src.Stride+5)
				got, want := make([]T, rows), make([]T, rows)
				for row := range rows {
					logits := src.Data[row*src.Stride:][:cols]
					if cols > 0 {
						families[(row+cols+gap)%len(families)].FillRow(logits, uint64(rows))
					}
					want[row] = LogSumExp(logits)
				}
				before := slices.Clone(src.Data)
				LogSumExpRows(got, src)
				checkBits(t, got, want, want, "%d x %d, stride %d", rows, cols, src.Stride)
				checkBits(t, src.Data, before, before, "%d x %d: src changed", rows, cols)
			}
		}
	}
}

// TestMatrixColumns writes to other columns of the matrix that is read.
func TestMatrixColumns(t *testing.T) {
	forEachKernelAndFloat(t, testMatrixColumns[float32], testMatrixColumns[float64], testMatrixColumns[Float16], testMatrixColumns[BFloat16])
}

func testMatrixColumns[T Float](t *testing.T, k kernel) {
	const rows, cols, stride = 9, 5, 12
	useKernel(t, k)
	for _, function := range matrixFunctions[T]() {
		for _, at := range [][2]int{{0, 5}, {5, 0}, {0, 7}, {7, 0}, {1, 6}} {
			data := familyNamed[T]("normal3").MakeRow(rows*stride, 1)
			want := slices.Clone(data)
			for row := range rows {
				function.row(want[at[0]+row*stride:][:cols], data[at[1]+row*stride:][:cols])
			}
			function.matrix(Matrix[T]{data[at[0]:], rows, cols, stride}, Matrix[T]{data[at[1]:], rows, cols, stride})
			checkBits(t, data, want, want, "%s, columns from %d to %d", function.name, at[1], at[0])
		}
	}
}

// TestMatrixOverlap tries every layout of two small matrices in one array.
func TestMatrixOverlap(t *testing.T) {
	forEachFloat(t, testMatrixOverlap[float32], testMatrixOverlap[float64], testMatrixOverlap[Float16], testMatrixOverlap[BFloat16])
}

func testMatrixOverlap[T Float](t *testing.T) {
	const size = 40
	allowed, refused := 0, 0
	type layout struct{ rows, cols, stride, offset int }
	var layouts []layout
	for rows := 1; rows <= 3; rows++ {
		for cols := 1; cols <= 3; cols++ {
			for stride := cols; stride <= 6; stride++ {
				for offset := 0; offset+(rows-1)*stride+cols <= size; offset += 1 + offset/8 {
					layouts = append(layouts, layout{rows, cols, stride, offset})
				}
			}
		}
	}
	logits := familyNamed[T]("normal3").MakeRow(size, 1)
	data := make([]T, size)
	for i, l := range layouts {
		rows, cols, stride, offset := l.rows, l.cols, l.stride, l.offset
		function := matrixFunctions[T]()[i%2]
		for otherStride := cols; otherStride <= 6; otherStride++ {
			for otherOffset := 0; otherOffset+(rows-1)*otherStride+cols <= size; otherOffset++ {
				copy(data, logits)
				dst := Matrix[T]{data[offset:], rows, cols, stride}
				src := Matrix[T]{data[otherOffset:], rows, cols, otherStride}
				sameStride := stride == otherStride || rows == 1
				same := offset == otherOffset && sameStride
				refuse := !same
				if sameStride {
					refuse = refuse && shareElement(dst, src, offset, otherOffset)
				} else {
					refuse = offset < otherOffset+(rows-1)*otherStride+cols && otherOffset < offset+(rows-1)*stride+cols
				}
				want := ""
				if refuse {
					refused++
					want = fmt.Sprintf("softmax: %s: dst (Stride %d) and src (Stride %d) overlap without being the same matrix",
						function.name, stride, otherStride)
				} else {
					allowed++
				}
				if got := panicOf(func() { function.matrix(dst, src) }); got != want {
					t.Fatalf("%d x %d, strides %d and %d, offsets %d and %d: panic %q, want %q",
						rows, cols, stride, otherStride, offset, otherOffset, got, want)
				}
				if refuse {
					checkBits(t, data, logits, logits, "written before the panic")
					continue
				}
				expected := slices.Clone(logits)
				for row := range rows {
					function.row(expected[offset+row*stride:][:cols], slices.Clone(logits[otherOffset+row*otherStride:][:cols]))
				}
				checkBits(t, data, expected, logits, "%s, %d x %d, strides %d and %d, offsets %d and %d",
					function.name, rows, cols, stride, otherStride, offset, otherOffset)
			}
		}
	}
	if allowed == 0 || refused == 0 {
		t.Errorf("%d layouts allowed, %d refused", allowed, refused)
	}
}

func shareElement[T Float](a, b Matrix[T], aOffset, bOffset int) bool {
	held := map[int]bool{}
	for row := range a.Rows {
		for col := range a.Cols {
			held[aOffset+row*a.Stride+col] = true
		}
	}
	for row := range b.Rows {
		for col := range b.Cols {
			if held[bOffset+row*b.Stride+col] {
				return true
			}
		}
	}
	return false
}

func TestMatrixPanics(t *testing.T) {
	forEachType(t, testMatrixPanics[float32], testMatrixPanics[float64])
}

func testMatrixPanics[T native](t *testing.T) {
	const huge = math.MaxInt
	type matrix = Matrix[T]
	memory := familyNamed[T]("normal3").MakeRow(100, 1)
	before := slices.Clone(memory)
	data, other := memory[:50], memory[50:]
	good := matrix{other, 3, 4, 5}
	tests := []struct {
		bad  matrix
		want string // after the name of the matrix
	}{
		{matrix{data, -1, 4, 5}, "has Rows=-1, Cols=4, Stride=5"},
		{matrix{data, 3, -4, 5}, "has Rows=3, Cols=-4, Stride=5"},
		{matrix{data, 3, 4, -5}, "has Rows=3, Cols=4, Stride=-5"},
		{matrix{data, 3, 4, 3}, "has Rows=3, Cols=4, Stride=3"},
		{matrix{data, 3, 4, 0}, "has Rows=3, Cols=4, Stride=0"},
		{matrix{data, 0, 4, 3}, "has Rows=0, Cols=4, Stride=3"},
		{matrix{data, -1, -1, -1}, "has Rows=-1, Cols=-1, Stride=-1"},
		{matrix{data, math.MinInt, 4, 5}, fmt.Sprintf("has Rows=%d, Cols=4, Stride=5", math.MinInt)},
		{matrix{data, 3, math.MinInt, 5}, fmt.Sprintf("has Rows=3, Cols=%d, Stride=5", math.MinInt)},
		{matrix{data[:13], 3, 4, 5}, "has len(Data)=13, too short for Rows=3, Cols=4, Stride=5"},
		{matrix{data[:3], 1, 4, 4}, "has len(Data)=3, too short for Rows=1, Cols=4, Stride=4"},
		{matrix{nil, 1, 1, 1}, "has len(Data)=0, too short for Rows=1, Cols=1, Stride=1"},
		{matrix{data, huge, 1, 1}, fmt.Sprintf("has len(Data)=50, too short for Rows=%d, Cols=1, Stride=1", huge)},
		{matrix{data, 1, huge, huge}, fmt.Sprintf("has len(Data)=50, too short for Rows=1, Cols=%d, Stride=%d", huge, huge)},
		{matrix{data, 2, 1, huge}, fmt.Sprintf("has len(Data)=50, too short for Rows=2, Cols=1, Stride=%d", huge)},
		{matrix{data, 3, 4, huge}, fmt.Sprintf("has len(Data)=50, too short for Rows=3, Cols=4, Stride=%d", huge)},
		{matrix{data, huge, huge, huge}, fmt.Sprintf("has len(Data)=50, too short for Rows=%d, Cols=%d, Stride=%d", huge, huge, huge)},
		// These sizes are small modulo 2^64 or 2^32.
		{matrix{data, huge/2 + 2, 1, 4}, fmt.Sprintf("has len(Data)=50, too short for Rows=%d, Cols=1, Stride=4", huge/2+2)},
		{matrix{data, 3, 5, huge}, fmt.Sprintf("has len(Data)=50, too short for Rows=3, Cols=5, Stride=%d", huge)},
		{matrix{data, 5, 4, huge/2 + 1}, fmt.Sprintf("has len(Data)=50, too short for Rows=5, Cols=4, Stride=%d", huge/2+1)},
	}
	for _, function := range matrixFunctions[T]() {
		check := func(dst, src matrix, want string) {
			t.Helper()
			want = "softmax: " + function.name + ": " + want
			if got := panicOf(func() { function.matrix(dst, src) }); got != want {
				t.Errorf("panic %q, want %q", got, want)
			}
			checkBits(t, memory, before, before, "written before the panic")
		}
		for _, test := range tests {
			check(test.bad, good, "dst "+test.want)
			check(good, test.bad, "src "+test.want)
			check(test.bad, test.bad, "dst "+test.want)
		}
		check(matrix{data, 3, 5, 5}, good, "dst is 3 x 5, src is 3 x 4")
		check(matrix{data, 2, 4, 5}, good, "dst is 2 x 4, src is 3 x 4")
		check(matrix{data, 4, 3, 5}, good, "dst is 4 x 3, src is 3 x 4")
		check(matrix{nil, 0, 4, 5}, good, "dst is 0 x 4, src is 3 x 4")
		check(matrix{nil, 3, 0, 5}, good, "dst is 3 x 0, src is 3 x 4")
		check(matrix{nil, 0, 3, 3}, matrix{nil, 3, 0, 3}, "dst is 0 x 3, src is 3 x 0")
		check(matrix{memory, 3, 4, 5}, matrix{memory, 3, 4, 6}, "dst (Stride 5) and src (Stride 6) overlap without being the same matrix")
		check(matrix{memory[1:], 3, 4, 5}, matrix{memory, 3, 4, 5}, "dst (Stride 5) and src (Stride 5) overlap without being the same matrix")
	}
	check := func(dst []T, src matrix, want string) {
		t.Helper()
		want = "softmax: LogSumExpRows: " + want
		if got := panicOf(func() { LogSumExpRows(dst, src) }); got != want {
			t.Errorf("panic %q, want %q", got, want)
		}
		checkBits(t, memory, before, before, "written before the panic")
	}
	for _, test := range tests {
		check(other[:3], test.bad, "src "+test.want)
	}
	check(data[:2], good, "len(dst)=2, src has Rows=3")
	check(data[:4], good, "len(dst)=4, src has Rows=3")
	check(nil, good, "len(dst)=0, src has Rows=3")
	check(data[:1], matrix{nil, 0, 4, 4}, "len(dst)=1, src has Rows=0")
	check(data[:2], matrix{nil, 3, 0, 0}, "len(dst)=2, src has Rows=3")
	for _, at := range []int{0, 4, 11, 13} { // the last element of src is 13
		check(memory[at:][:3], matrix{memory, 3, 4, 5}, "dst and src overlap")
	}
}

func TestEmptyMatrix(t *testing.T) {
	forEachFloat(t, testEmptyMatrix[float32], testEmptyMatrix[float64], testEmptyMatrix[Float16], testEmptyMatrix[BFloat16])
}

func testEmptyMatrix[T Float](t *testing.T) {
	memory := []T{1, 2, 3, 4}
	for _, m := range []Matrix[T]{
		{}, {nil, 0, 0, 5}, {nil, 0, 3, 3}, {nil, 3, 0, 0}, {nil, 3, 0, 7}, {memory, 0, 2, 2}, {memory, 2, 0, 2},
		{memory[:0], 0, 2, 2}, {memory, math.MaxInt, 0, math.MaxInt}, {memory, 0, math.MaxInt, math.MaxInt},
	} {
		for _, function := range matrixFunctions[T]() {
			function.matrix(m, m)
			function.matrix(m, Matrix[T]{nil, m.Rows, m.Cols, m.Stride})
		}
		if m.Rows == 0 {
			LogSumExpRows(nil, m)
			LogSumExpRows(memory[:0], m)
		}
		checkBits(t, memory, []T{1, 2, 3, 4}, memory, "%d x %d", m.Rows, m.Cols)
	}
	LogSumExpRows(memory, Matrix[T]{nil, 4, 0, 0})
	checkBits(t, memory, slices.Repeat([]T{infinity[T](-1)}, 4), memory, "LogSumExpRows, 4 x 0")
}

// TestMatrixEnd has Data that ends with the last row, before its stride does.
func TestMatrixEnd(t *testing.T) {
	forEachKernelAndType(t, testMatrixEnd[float32], testMatrixEnd[float64])
}

func testMatrixEnd[T native](t *testing.T, k kernel) {
	useKernel(t, k)
	memory := slices.Repeat([]T{2}, 30)
	m := Matrix[T]{memory[:24:24], 3, 4, 10}
	sums := make([]T, 3)
	LogSumExpRows(sums, m)
	for _, sum := range sums {
		if want := T(2 + 2*math.Ln2); sum != want {
			t.Fatalf("LogSumExpRows: got %v, want %v", sum, want)
		}
	}
	SoftmaxRows(m, m)
	for i, v := range memory {
		want := T(2)
		if i < 24 && i%10 < 4 {
			want = 0.25
		}
		if v != want {
			t.Fatalf("element %d is %v, want %v", i, v, want)
		}
	}
}
