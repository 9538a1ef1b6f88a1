package main

// This file is the hidden subcommand worker: one kernel at work on tasks.

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"

	"github.com/seed174f7dca/softmax"
)

// task asks for an operation on one input, and for its time.
type task struct {
	Op     string        // or "" for softmax of the digits
	Dtype  string        // float32 or float64, or for rows also float16 or bfloat16
	Length int           // of a row of N(0,3) values
	Time   time.Duration // for all samples together
}

// result is the answer to a task.
type result struct {
	Hash        string    // of the bits of what was computed
	Nanoseconds []float64 // of one call, in each sample
	GHz         float64   // of the core meanwhile
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
	case dtype == bfloat16Name:
		return runRow[softmax.BFloat16](t)
	}
	return result{}, fmt.Errorf("dtype %q, expected %s", t.Dtype,
		alternatives([]string{float32Type.name, float64Type.name, float16Type.name, bfloat16Name}))
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
	call, values, err := rowCall(t.Op, normalValues[T](t.Length))
	if err != nil {
		return result{}, err
	}
	return timeCall(t, call, values)
}

// timeCall measures a call that writes values.
func timeCall[T softmax.Float](t task, call func(), values []T) (result, error) {
	samples, ghz := measure(call, t.Time)
	hash, err := hashBits(values)
	return result{hash, samples, ghz}, err
}

// normalValues returns values from the normal distribution with mean 0 and
// standard deviation 3, the same in every process.
func normalValues[T softmax.Float](n int) []T {
	r := rand.New(rand.NewPCG(1, 2))
	v := make([]T, n)
	for i := range v {
		v[i] = elementOf[T](3 * r.NormFloat64())
	}
	return v
}

// hashBits returns a hash of the bits of v.
func hashBits[T softmax.Float](v []T) (string, error) {
	h := sha256.New()
	if err := binary.Write(h, binary.LittleEndian, v); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
