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
)

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

// rowCall returns a function that does op to one row, and the slice of what it
// writes.
func rowCall[T softmax.Float](op string, src []T) (call func(), dst []T, err error) {
	dst = make([]T, len(src))
	switch op {
	case opSoftmax:
		return func() { softmax.Softmax(dst, src) }, dst, nil
	case opLogSoftmax:
		return func() { softmax.LogSoftmax(dst, src) }, dst, nil
	case opLogSumExp:
		dst = dst[:1]
		return func() { dst[0] = softmax.LogSumExp(src) }, dst, nil
	}
	return nil, nil, fmt.Errorf("operation %q, expected %s, %s or %s", op, opSoftmax, opLogSoftmax, opLogSumExp)
}

// bfloat16Name is the name of an element type that NumPy does not have.
const bfloat16Name = "bfloat16"

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
