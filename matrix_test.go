package softmax

// This file checks SoftmaxRows.

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

type matrix = Matrix[float32]

// TestSoftmaxRows compares with Softmax, row by row; the rest of the data stays.
func TestSoftmaxRows(t *testing.T) {
	forEachKernel(t, func(t *testing.T, k kernel) {
		useKernel(t, k)
		for _, cols := range []int{1, 2, 5, 10, 16, 31, 32, 33, 64, 100, 257, blockLen, blockLen + 1, 2*blockLen + 9} {
			for _, rows := range []int{1, 2, 3, 17} {
				for _, gap := range []int{0, 1, 7, 16} {
					src := matrix{Rows: rows, Cols: cols, Stride: cols + gap}
					dst := matrix{Rows: rows, Cols: cols, Stride: cols + (gap*3)%17}
					src.Data = slices.Repeat([]float32{nan32}, rows*src.Stride+5)
					dst.Data = slices.Repeat([]float32{-77}, rows*dst.Stride+5)
					want, wantInPlace := slices.Clone(dst.Data), slices.Clone(src.Data)
					for row := range rows {
						logits := src.Data[row*src.Stride:][:cols]
						families[(row+cols+gap)%len(families)].fillRow(logits, uint64(rows))
						Softmax(want[row*dst.Stride:][:cols], logits)
						copy(wantInPlace[row*src.Stride:], want[row*dst.Stride:][:cols])
					}
					before := slices.Clone(src.Data)
					SoftmaxRows(dst, src)
					checkBits(t, dst.Data, want, want, "%d x %d, strides %d and %d", rows, cols, dst.Stride, src.Stride)
					checkBits(t, src.Data, before, before, "%d x %d: src changed", rows, cols)
					SoftmaxRows(src, src)
					checkBits(t, src.Data, wantInPlace, before, "%d x %d, stride %d, in place", rows, cols, src.Stride)
				}
			}
		}
	})
}

// TestMatrixColumns writes to other columns of the matrix that is read.
func TestMatrixColumns(t *testing.T) {
	const rows, cols, stride = 9, 5, 12
	forEachKernel(t, func(t *testing.T, k kernel) {
		useKernel(t, k)
		for _, at := range [][2]int{{0, 5}, {5, 0}, {0, 7}, {7, 0}, {1, 6}} {
			data := familyNamed("normal3").makeRow(rows*stride, 1)
			want := slices.Clone(data)
			for row := range rows {
				Softmax(want[at[0]+row*stride:][:cols], data[at[1]+row*stride:][:cols])
			}
			SoftmaxRows(matrix{data[at[0]:], rows, cols, stride}, matrix{data[at[1]:], rows, cols, stride})
			checkBits(t, data, want, want, "columns from %d to %d", at[1], at[0])
		}
	})
}

// TestMatrixOverlap tries every layout of two small matrices in one array.
func TestMatrixOverlap(t *testing.T) {
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
	for _, l := range layouts {
		rows, cols, stride, offset := l.rows, l.cols, l.stride, l.offset
		for otherStride := cols; otherStride <= 6; otherStride++ {
			for otherOffset := 0; otherOffset+(rows-1)*otherStride+cols <= size; otherOffset++ {
				data := familyNamed("normal3").makeRow(size, 1)
				before := slices.Clone(data)
				dst := matrix{data[offset:], rows, cols, stride}
				src := matrix{data[otherOffset:], rows, cols, otherStride}
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
					want = fmt.Sprintf("softmax: SoftmaxRows: dst (Stride %d) and src (Stride %d) overlap without being the same matrix", stride, otherStride)
				} else {
					allowed++
				}
				if got := panicOf(func() { SoftmaxRows(dst, src) }); got != want {
					t.Fatalf("%d x %d, strides %d and %d, offsets %d and %d: panic %q, want %q",
						rows, cols, stride, otherStride, offset, otherOffset, got, want)
				}
				if refuse {
					checkBits(t, data, before, before, "written before the panic")
					continue
				}
				expected := slices.Clone(before)
				for row := range rows {
					Softmax(expected[offset+row*stride:][:cols], slices.Clone(before[otherOffset+row*otherStride:][:cols]))
				}
				checkBits(t, data, expected, before, "%d x %d, strides %d and %d, offsets %d and %d", rows, cols, stride, otherStride, offset, otherOffset)
			}
		}
	}
	if allowed == 0 || refused == 0 {
		t.Errorf("%d layouts allowed, %d refused", allowed, refused)
	}
}

func shareElement(a, b matrix, aOffset, bOffset int) bool {
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
	const huge = math.MaxInt
	memory := familyNamed("normal3").makeRow(100, 1)
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
	check := func(dst, src matrix, want string) {
		t.Helper()
		if got := panicOf(func() { SoftmaxRows(dst, src) }); got != want {
			t.Errorf("panic %q, want %q", got, want)
		}
		checkBits(t, memory, before, before, "written before the panic")
	}
	for _, test := range tests {
		check(test.bad, good, "softmax: SoftmaxRows: dst "+test.want)
		check(good, test.bad, "softmax: SoftmaxRows: src "+test.want)
		check(test.bad, test.bad, "softmax: SoftmaxRows: dst "+test.want)
	}
	check(matrix{data, 3, 5, 5}, good, "softmax: SoftmaxRows: dst is 3 x 5, src is 3 x 4")
	check(matrix{data, 2, 4, 5}, good, "softmax: SoftmaxRows: dst is 2 x 4, src is 3 x 4")
	check(matrix{data, 4, 3, 5}, good, "softmax: SoftmaxRows: dst is 4 x 3, src is 3 x 4")
	check(matrix{nil, 0, 4, 5}, good, "softmax: SoftmaxRows: dst is 0 x 4, src is 3 x 4")
	check(matrix{nil, 3, 0, 5}, good, "softmax: SoftmaxRows: dst is 3 x 0, src is 3 x 4")
	check(matrix{nil, 0, 3, 3}, matrix{nil, 3, 0, 3}, "softmax: SoftmaxRows: dst is 0 x 3, src is 3 x 0")
	check(matrix{memory, 3, 4, 5}, matrix{memory, 3, 4, 6},
		"softmax: SoftmaxRows: dst (Stride 5) and src (Stride 6) overlap without being the same matrix")
	check(matrix{memory[1:], 3, 4, 5}, matrix{memory, 3, 4, 5},
		"softmax: SoftmaxRows: dst (Stride 5) and src (Stride 5) overlap without being the same matrix")
}

func TestEmptyMatrix(t *testing.T) {
	memory := []float32{1, 2, 3, 4}
	for _, m := range []matrix{
		{}, {nil, 0, 0, 5}, {nil, 0, 3, 3}, {nil, 3, 0, 0}, {nil, 3, 0, 7}, {memory, 0, 2, 2}, {memory, 2, 0, 2},
		{memory[:0], 0, 2, 2}, {memory, math.MaxInt, 0, math.MaxInt}, {memory, 0, math.MaxInt, math.MaxInt},
	} {
		SoftmaxRows(m, m)
		SoftmaxRows(m, matrix{nil, m.Rows, m.Cols, m.Stride})
		checkBits(t, memory, []float32{1, 2, 3, 4}, memory, "%d x %d", m.Rows, m.Cols)
	}
}

// TestMatrixEnd has Data that ends with the last row, before its stride does.
func TestMatrixEnd(t *testing.T) {
	forEachKernel(t, func(t *testing.T, k kernel) {
		useKernel(t, k)
		memory := slices.Repeat([]float32{2}, 30)
		SoftmaxRows(matrix{memory[:24:24], 3, 4, 10}, matrix{memory[:24:24], 3, 4, 10})
		for i, v := range memory {
			want := float32(2)
			if i < 24 && i%10 < 4 {
				want = 0.25
			}
			if v != want {
				t.Fatalf("element %d is %v, want %v", i, v, want)
			}
		}
	})
}
