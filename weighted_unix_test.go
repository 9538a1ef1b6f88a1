//go:build unix

package softmax

// This file puts the arguments of WeightedMerge next to pages that may not be touched.

import (
	"runtime/debug"
	"slices"
	"testing"
)

func TestGuardPagesWeightedMerge(t *testing.T) {
	forEachKernelAndType(t, testGuardPagesWeightedMerge[float32], testGuardPagesWeightedMerge[float64])
}

func testGuardPagesWeightedMerge[T native](t *testing.T, k kernel) {
	name := "WeightedMerge"
	var cols int
	var outputsAtEnd, dstAtEnd bool
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer failOnFault(t, k, &name, &cols, &outputsAtEnd, &dstAtEnd)
	const mostCols, mostRows = 300, 70
	memory, dst, logs := newGuarded[T](t, mostRows*mostCols), newGuarded[T](t, mostCols), newGuarded[T](t, mostRows)
	for cols = 1; cols <= mostCols; cols++ {
		for _, rows := range []int{1, 2, 3 + cols%5, 62 + cols%9} {
			stride := cols + cols%3
			length := (rows-1)*stride + cols
			if length > mostRows*mostCols || !chosen(cols+rows, 7) {
				continue
			}
			c := newWeightedCase(familyNamed[T]("normal3"), familyNamed[T]("normal3"), rows, cols, stride-cols, uint64(cols))
			want := make([]T, cols)
			weightedMerge(kernelGeneric, want, &c.outputs, c.logSumExps)
			for _, outputsAtEnd = range []bool{false, true} {
				outputs := c.outputs
				outputs.Data = memory.slice(length, outputsAtEnd)
				copy(outputs.Data, c.outputs.Data)
				for _, dstAtEnd = range []bool{false, true} {
					x, to := logs.slice(rows, dstAtEnd), dst.slice(cols, dstAtEnd)
					copy(x, c.logSumExps)
					weightedMerge(k, to, &outputs, x)
					checkBits(t, to, want, want, "%d parts of %d columns", rows, cols)
					dst.checkRest(t, cols, dstAtEnd, name)
					logs.checkRest(t, rows, dstAtEnd, name)
					fill(to, fenceOf[T]())
					fill(x, fenceOf[T]())
				}
				// In place, the first and the last output.
				for _, row := range []int{0, rows - 1} {
					before := slices.Clone(outputs.Data)
					weightedMerge(k, outputs.Data[row*stride:][:cols], &outputs, c.logSumExps)
					copy(before[row*stride:], want)
					checkBits(t, outputs.Data, before, before, "%d parts of %d columns, in place", rows, cols)
					copy(outputs.Data, c.outputs.Data)
				}
				memory.checkRest(t, length, outputsAtEnd, name)
				fill(outputs.Data, fenceOf[T]())
			}
		}
	}
}
