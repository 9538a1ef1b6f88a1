package main

// This file leads from names of operations and element types to the functions of
// the package.

import (
	"fmt"

	"github.com/seed174f7dca/softmax"
)

// The operations, as the flag --op names them.
const (
	opSoftmax    = "softmax"
	opLogSoftmax = "log-softmax"
	opLogSumExp  = "log-sum-exp"

	opCopy = "copy" // of bench only, which asks for it by itself
)

var operations = []string{opSoftmax, opLogSoftmax, opLogSumExp}

// alongAxis does op to the array src along one axis. For log-sum-exp dst lacks
// that axis.
func alongAxis[T softmax.Float](op string, dst, src []T, shape []int, axis int) {
	switch op {
	case opSoftmax:
		softmax.SoftmaxAxis(dst, src, shape, axis)
	case opLogSoftmax:
		softmax.LogSoftmaxAxis(dst, src, shape, axis)
	case opLogSumExp:
		softmax.LogSumExpAxis(dst, src, shape, axis)
	}
}

// normalise does op, which is not log-sum-exp, to some logits of those that were added
// to an accumulator.
func normalise[T native](op string, logits *softmax.Accumulator[T], dst, src []T) {
	switch op {
	case opSoftmax:
		logits.Softmax(dst, src)
	case opLogSoftmax:
		logits.LogSoftmax(dst, src)
	}
}

// rowsCall returns a function that does op to every row, and the slice of what it
// writes. The operation copy is no softmax: it shows what memory allows.
func rowsCall[T softmax.Float](op string, src softmax.Matrix[T]) (call func(), written []T, err error) {
	dst := src
	dst.Data = make([]T, len(src.Data))
	sums := make([]T, src.Rows)
	// One row takes the functions for one row, which have less to find out.
	oneRow := src.Rows == 1
	switch {
	case op == opSoftmax && oneRow:
		return func() { softmax.Softmax(dst.Data, src.Data) }, dst.Data, nil
	case op == opSoftmax:
		return func() { softmax.SoftmaxRows(dst, src) }, dst.Data, nil
	case op == opLogSoftmax && oneRow:
		return func() { softmax.LogSoftmax(dst.Data, src.Data) }, dst.Data, nil
	case op == opLogSoftmax:
		return func() { softmax.LogSoftmaxRows(dst, src) }, dst.Data, nil
	case op == opLogSumExp && oneRow:
		return func() { sums[0] = softmax.LogSumExp(src.Data) }, sums, nil
	case op == opLogSumExp:
		return func() { softmax.LogSumExpRows(sums, src) }, sums, nil
	case op == opCopy:
		return func() { copy(dst.Data, src.Data) }, dst.Data, nil
	}
	return nil, nil, fmt.Errorf("operation %q, expected %s, %s or %s", op, opSoftmax, opLogSoftmax, opLogSumExp)
}

// rowTypes are the element types of rows that are timed and verified.
var rowTypes = []string{float32Type.name, float64Type.name, float16Type.name, bfloat16Type.name}

// elementOf returns x rounded to an element, by way of float32 if that has 16 bits.
func elementOf[T softmax.Float](x float64) T {
	var element T
	switch p := any(&element).(type) {
	case *float32:
		*p = float32(x)
	case *float64:
		*p = x
	case *softmax.Float16:
		*p = softmax.ToFloat16(float32(x))
	case *softmax.BFloat16:
		*p = softmax.ToBFloat16(float32(x))
	}
	return element
}
