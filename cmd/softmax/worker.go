package main

// This file is the hidden subcommand worker: one kernel at work on tasks.

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"time"

	"github.com/seed174f7dca/softmax"
)

// task asks for the softmax of one input, and for its time.
type task struct {
	Length int           // of a row of N(0,3) values; 0 asks for the digits
	Time   time.Duration // for all samples together
}

// result is the answer to a task.
type result struct {
	Hash        string    // of the bits of the probabilities
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
	var probabilities []float32
	var call func()
	if t.Length == 0 {
		d, err := loadDigits()
		if err != nil {
			return result{}, err
		}
		probabilities = make([]float32, len(d.logits.Data))
		dst := d.logits
		dst.Data = probabilities
		call = func() { softmax.SoftmaxRows(dst, d.logits) }
	} else {
		logits := normalValues(t.Length)
		probabilities = make([]float32, t.Length)
		call = func() { softmax.Softmax(probabilities, logits) }
	}
	samples, ghz := measure(call, t.Time)
	hash, err := hashBits(probabilities)
	return result{hash, samples, ghz}, err
}

// normalValues returns values from the normal distribution with mean 0 and
// standard deviation 3, the same in every process.
func normalValues(n int) []float32 {
	r := rand.New(rand.NewPCG(1, 2))
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(3 * r.NormFloat64())
	}
	return v
}

// hashBits returns a hash of the bits of v.
func hashBits(v []float32) (string, error) {
	h := sha256.New()
	if err := binary.Write(h, binary.LittleEndian, v); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
