package main

// This file is the hidden subcommand worker: one kernel at work on tasks.

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/seed174f7dca/softmax"
)

// task asks for an operation on one input, and for its time.
type task struct {
	Op     string        // or "" for softmax of the digits
	Dtype  string        // float32 or float64, or for rows also float16 or bfloat16
	Length int           // of a row
	Rows   int           // in each call; 0 is 1
	Family string        // of the rows; "" is normal3
	Time   time.Duration // for all samples together
	Check  *check        // if this is not nil, it is the task, and all else is ignored
}

// result is the answer to a task.
type result struct {
	Hash        string    // of the bits of what was computed
	Nanoseconds []float64 // of one call, in each sample
	GHz         float64   // of the core meanwhile
	Outputs     []output  // of a check that asks for them
}

type workerCmd struct{}

// Run answers tasks until standard input ends.
func (workerCmd) Run(out io.Writer) error {
	return work(os.Stdin, out)
}

// work writes the name of the kernel in use, then a result for each task, all
// as JSON.
func work(tasks io.Reader, results io.Writer) error {
	in, out := json.NewDecoder(tasks), json.NewEncoder(results)
	if err := out.Encode(softmax.Kernel()); err != nil {
		return err
	}
	for {
		var t task
		if err := in.Decode(&t); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		r, err := t.run()
		if err != nil {
			return err
		}
		if err := out.Encode(r); err != nil {
			return err
		}
	}
}

// run carries out the task with the kernel in use.
func (t task) run() (result, error) {
	if t.Check != nil {
		return t.Check.run()
	}
	switch dtype := t.Dtype; {
	case dtype == float32Type.name && t.Op == "":
		return runDigits[float32](t)
	case dtype == float32Type.name:
		return runRow[float32](t)
	case dtype == float64Type.name && t.Op == "":
		return runDigits[float64](t)
	case dtype == float64Type.name:
		return runRow[float64](t)
	case dtype == float16Type.name:
		return runRow[softmax.Float16](t)
	case dtype == bfloat16Type.name:
		return runRow[softmax.BFloat16](t)
	}
	return result{}, fmt.Errorf("dtype %q, expected %s", t.Dtype,
		alternatives(rowTypes))
}

func runDigits[T native](t task) (result, error) {
	logits, err := loadLogits[T]()
	if err != nil {
		return result{}, err
	}
	dst := logits
	dst.Data = make([]T, len(logits.Data))
	return timeCall(t, func() { softmax.SoftmaxRows(dst, logits) }, dst.Data)
}

func runRow[T softmax.Float](t task) (result, error) {
	logits, err := keptRows[T](cmp.Or(t.Family, "normal3"), max(t.Rows, 1), t.Length)
	if err != nil {
		return result{}, err
	}
	call, values, err := rowsCall(t.Op, logits)
	if err != nil {
		return result{}, err
	}
	return timeCall(t, call, values)
}

// timeCall measures a call that writes values.
func timeCall[T softmax.Float](t task, call func(), values []T) (result, error) {
	samples, ghz := measure(call, t.Time)
	hash, err := hashBits(values)
	return result{Hash: hash, Nanoseconds: samples, GHz: ghz}, err
}

// familyMatrix is a matrix that familyRows has made.
type familyMatrix struct {
	family string
	matrix any
}

// kept is the last one of keptRows. Nothing writes to it.
var kept atomic.Pointer[familyMatrix]

// keptRows is familyRows for many calls in a row with the same arguments, as in the rounds
// of bench: making long rows takes longer than their softmax.
func keptRows[T softmax.Float](family string, rows, n int) (softmax.Matrix[T], error) {
	if k := kept.Load(); k != nil && k.family == family {
		if m, ok := k.matrix.(softmax.Matrix[T]); ok && m.Rows == rows && m.Cols == n {
			return m, nil
		}
	}
	m, err := familyRows[T](family, rows, n)
	if err == nil {
		kept.Store(&familyMatrix{family, m})
	}
	return m, err
}

// familyRows returns rows of a family, the same in every process.
func familyRows[T softmax.Float](family string, rows, n int) (m softmax.Matrix[T], err error) {
	m = softmax.Matrix[T]{Data: make([]T, rows*n), Rows: rows, Cols: n, Stride: n}
	if wide, ok := any(m.Data).([]float64); ok {
		return m, fillRows(family, wide, rows, n)
	}
	if narrow, ok := any(m.Data).([]float32); ok {
		return m, fillRows(family, narrow, rows, n)
	}
	numbers, err := familyRows[float32](family, rows, n)
	return converted[T](numbers), err
}

// converted returns numbers as elements of another type.
func converted[T softmax.Float](numbers softmax.Matrix[float32]) softmax.Matrix[T] {
	m := softmax.Matrix[T]{Data: make([]T, len(numbers.Data)), Rows: numbers.Rows, Cols: numbers.Cols, Stride: numbers.Stride}
	for i, x := range numbers.Data {
		m.Data[i] = elementOf[T](float64(x))
	}
	return m
}

// fillRows fills rows of n elements from a family.
func fillRows[T native](family string, data []T, rows, n int) error {
	f, err := familyNamed[T](family)
	if err != nil {
		return err
	}
	for r := range rows {
		f.FillRow(data[r*n:][:n], uint64(r))
	}
	return nil
}

// hashBits returns a hash of the bits of v.
func hashBits[T softmax.Float](v []T) (string, error) {
	h := sha256.New()
	if err := binary.Write(h, binary.LittleEndian, v); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
