package softmax

// This file is for rows of a matrix.

import (
	"fmt"
	"math"
	"math/bits"
	"unsafe"
)

// Matrix is a row-major matrix: element (r, c) is Data[r*Stride+c]. Stride is
// at least Cols; the elements between Cols and Stride belong to no row.
//
// A Matrix is valid if Rows and Cols are not negative, Stride >= Cols, and Data
// reaches to the end of the last row: len(Data) >= (Rows-1)*Stride + Cols. If
// Rows or Cols is 0, Data may be empty.
type Matrix[T Float] struct {
	Data               []T
	Rows, Cols, Stride int
}

// SoftmaxRows writes the softmax of each row of src to the same row of dst. The
// matrices must have the same Rows and Cols; their strides may differ. Elements
// between Cols and Stride are neither read nor written. A matrix without rows
// or columns is left as it is.
//
// dst may be src: the same Data and Stride. dst and src may also be columns of
// one matrix that share no element, with the same Stride. Any other overlap
// panics.
//
// Each row gets the bits that [Softmax] returns for it alone, with the same
// accuracy and special values. Many short rows in one call cost much less than
// as many calls.
//
// SoftmaxRows panics, before anything is written, if a matrix is not valid, if
// the sizes differ, or if dst and src overlap in another way.
func SoftmaxRows[T Float](dst, src Matrix[T]) {
	if checkMatrices("SoftmaxRows", &dst, &src) {
		rowsAlong(active, opSoftmax, dst.Data, src.Data, src.Cols, src.Rows, dst.Stride, src.Stride)
	}
}

// LogSoftmaxRows writes the log-softmax of each row of src to the same row of
// dst. What [SoftmaxRows] says of sizes, strides, aliasing and panics holds here
// too. Each row gets the bits that [LogSoftmax] returns for it alone, with the
// same accuracy and special values.
func LogSoftmaxRows[T Float](dst, src Matrix[T]) {
	if checkMatrices("LogSoftmaxRows", &dst, &src) {
		rowsAlong(active, opLogSoftmax, dst.Data, src.Data, src.Cols, src.Rows, dst.Stride, src.Stride)
	}
}

// LogSumExpRows writes the log-sum-exp of each row of src to dst, which must have
// one element per row and share none with src. Elements between Cols and Stride
// are not read. Rows of no columns give -Inf.
//
// Each element gets the bits that [LogSumExp] returns for its row alone, with the
// same accuracy and special values.
//
// LogSumExpRows panics, before anything is written, if src is not valid, if the
// length of dst is not the number of rows, or if dst and src overlap.
func LogSumExpRows[T Float](dst []T, src Matrix[T]) {
	src.check("LogSumExpRows", "src")
	if len(dst) != src.Rows {
		panic(fmt.Sprintf("softmax: LogSumExpRows: len(dst)=%d, src has Rows=%d", len(dst), src.Rows))
	}
	if src.Cols == 0 {
		fill(dst, fromFloat[T](math.Inf(-1)))
		return
	}
	if src.Rows > 0 && overlap(dst, src.span()) {
		panic("softmax: LogSumExpRows: dst and src overlap")
	}
	rowsAlong(active, opLogSumExp, dst, src.Data, src.Cols, src.Rows, 0, src.Stride)
}

// checkMatrices panics unless dst and src may be the arguments of a function, and
// reports whether there is anything to do.
func checkMatrices[T Float](function string, dst, src *Matrix[T]) bool {
	dst.check(function, "dst")
	src.check(function, "src")
	if dst.Rows != src.Rows || dst.Cols != src.Cols {
		panic(fmt.Sprintf("softmax: %s: dst is %d x %d, src is %d x %d", function, dst.Rows, dst.Cols, src.Rows, src.Cols))
	}
	if src.Rows == 0 || src.Cols == 0 {
		return false
	}
	if dst.overlaps(src) {
		panic(fmt.Sprintf("softmax: %s: dst (Stride %d) and src (Stride %d) overlap without being the same matrix", function, dst.Stride, src.Stride))
	}
	return true
}

// span returns the elements from the first to the last of a matrix that is not
// empty.
func (m *Matrix[T]) span() []T { return m.Data[:(m.Rows-1)*m.Stride+m.Cols] }

// check panics unless m is valid.
func (m *Matrix[T]) check(function, name string) {
	if m.Rows < 0 || m.Cols < 0 || m.Stride < m.Cols {
		panic(fmt.Sprintf("softmax: %s: %s has Rows=%d, Cols=%d, Stride=%d", function, name, m.Rows, m.Cols, m.Stride))
	}
	if m.Rows == 0 || m.Cols == 0 {
		return
	}
	high, low := bits.Mul(uint(m.Rows-1), uint(m.Stride))
	need, carry := bits.Add(low, uint(m.Cols), 0)
	if high != 0 || carry != 0 || need > uint(len(m.Data)) {
		panic(fmt.Sprintf("softmax: %s: %s has len(Data)=%d, too short for Rows=%d, Cols=%d, Stride=%d",
			function, name, len(m.Data), m.Rows, m.Cols, m.Stride))
	}
}

// overlaps reports whether the non-empty matrices share an element without
// being the same matrix. Matrices of one stride are compared exactly; those of
// different strides must lie apart.
func (m *Matrix[T]) overlaps(other *Matrix[T]) bool {
	a, b := unsafe.Pointer(unsafe.SliceData(m.Data)), unsafe.Pointer(unsafe.SliceData(other.Data))
	size := unsafe.Sizeof(m.Data[0])
	aLen := uintptr((m.Rows-1)*m.Stride+m.Cols) * size
	bLen := uintptr((other.Rows-1)*other.Stride+other.Cols) * size
	if uintptr(a) >= uintptr(b)+bLen || uintptr(b) >= uintptr(a)+aLen {
		return false
	}
	if m.Stride != other.Stride && m.Rows > 1 {
		return true
	}
	if a == b {
		return false
	}
	if m.Rows == 1 {
		return true
	}
	// The columns of one must fit into the gaps between the columns of the other.
	stride, cols := uintptr(m.Stride)*size, uintptr(m.Cols)*size
	apart := max(uintptr(a), uintptr(b)) - min(uintptr(a), uintptr(b))
	apart %= stride
	return apart < cols || apart > stride-cols
}

// holds reports whether *p shares memory with an element of a matrix that is not empty.
func (m *Matrix[T]) holds(p *T) bool {
	all := m.span()
	if !overlap(all, unsafe.Slice(p, 1)) {
		return false
	}
	size := unsafe.Sizeof(*p)
	start, at := uintptr(unsafe.Pointer(&all[0])), uintptr(unsafe.Pointer(p))
	stride, cols := uintptr(m.Stride)*size, uintptr(m.Cols)*size
	behind := (at - start) % stride
	return at < start || behind < cols || behind > stride-size
}

// operation is what is done to each row.
type operation uint8

const (
	opSoftmax operation = iota
	opLogSoftmax
	opLogSumExp
)

// rowsAlong does op to non-empty rows. For opLogSumExp dst gets an element
// for each.
func rowsAlong[T Float](k kernel, op operation, dst, src []T, cols, rows, dstStride, srcStride int) {
	switch {
	case is32[T]():
		nativeRows(k, op, as32(dst), as32(src), cols, rows, dstStride, srcStride)
	case is64[T]():
		nativeRows(k, op, as64(dst), as64(src), cols, rows, dstStride, srcStride)
	default:
		halfRows(k, op, dst, src, cols, rows, dstStride, srcStride)
	}
}

// nativeRows is rowsAlong for elements that are computed in their own type.
func nativeRows[T native](k kernel, op operation, dst, src []T, cols, rows, dstStride, srcStride int) {
	switch op {
	case opSoftmax:
		softmaxRows(k, dst, src, cols, rows, dstStride, srcStride)
	case opLogSoftmax:
		logSoftmaxRows(k, dst, src, cols, rows, dstStride, srcStride)
	case opLogSumExp:
		logSumExpRows(k, dst, src, cols, rows, srcStride)
	}
}

// maxPerCall bounds the elements that one call of a kernel works on.
const maxPerCall = 16384

// softmaxRows computes non-empty rows.
func softmaxRows[T native](k kernel, dst, src []T, cols, rows, dstStride, srcStride int) {
	if cols > blockLen[T]() {
		for row := range rows {
			softmaxRow(k, dst[row*dstStride:][:cols], src[row*srcStride:][:cols])
		}
		return
	}
	batch := maxPerCall / cols
	for row := 0; row < rows; row += batch {
		softmaxBlocks(k, &dst[row*dstStride], &src[row*srcStride], cols, min(batch, rows-row), dstStride, srcStride)
	}
}

// logSoftmaxRows computes non-empty rows.
func logSoftmaxRows[T native](k kernel, dst, src []T, cols, rows, dstStride, srcStride int) {
	if is32[T]() && cols <= shortLog {
		shortRows(cols, rows,
			func(row, n int) (done int) {
				to, from := cast[float32](&dst[row*dstStride]), cast[float32](&src[row*srcStride])
				return logSoftmaxShort(k, to, from, cols, n, dstStride, srcStride)
			},
			func(row int) { logSoftmaxRow(k, dst[row*dstStride:][:cols], src[row*srcStride:][:cols]) })
		return
	}
	logSumRows(k, src, cols, rows, srcStride, func(row int, m T, log doubleDouble) {
		subtractRow(k, dst[row*dstStride:][:cols], src[row*srcStride:][:cols], m, T(log.hi+log.lo))
	})
}

// logSumExpRows computes non-empty rows.
func logSumExpRows[T native](k kernel, dst, src []T, cols, rows, stride int) {
	if is32[T]() && cols <= shortLog {
		shortRows(cols, rows,
			func(row, n int) (done int) {
				return logSumExpShort(k, cast[float32](&dst[row]), cast[float32](&src[row*stride]), cols, n, stride)
			},
			func(row int) { dst[row] = logSumExpRow(k, src[row*stride:][:cols]) })
		return
	}
	logSumRows(k, src, cols, rows, stride, func(row int, m T, log doubleDouble) {
		dst[row] = logSumExpFrom(m, log)
	})
}

// shortRows computes short rows: several does n rows from one on, and returns how many it has
// done before one that it leaves to single.
func shortRows(cols, rows int, several func(row, n int) (done int), single func(row int)) {
	for row := 0; row < rows; {
		n := min(maxPerCall/cols, rows-row)
		done := several(row, n)
		row += done
		if done < n {
			single(row)
			row++
		}
	}
}
