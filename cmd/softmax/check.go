package main

// This file is what a worker computes for verify.

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"

	"github.com/seed174f7dca/softmax"
	"github.com/seed174f7dca/softmax/internal/corpus"
)

// check asks for the results of functions for rows of one family and length, for an array
// whose lanes are such rows, for a matrix that workers share, or for the softmax of
// consecutive float32.
type check struct {
	Dtype  string
	Family string // or "" for consecutive float32
	Length int    // of a row
	Rows   int    // of a matrix that is shared; 0 for a few rows that are not
	Shape  [3]int // of an array; zeros for rows
	Axis   int    // of an array
	First  uint32 // bits of the first of everyLen consecutive float32
	Bits   bool   // whether the results themselves are wanted, not only their hash
}

// output is what one function has written: its results, little-endian.
type output struct {
	Function string
	Size     int // of an element, in bytes
	Bits     []byte
}

// longLen is more than the caches of most computers hold. So long rows are stored past
// the caches, and are checked for fewer functions.
const longLen = 1 << 23

// everyLen is how many consecutive float32 are a check, in rows of everyRow.
const (
	everyLen = 1 << 22
	everyRow = 4096
)

func (c check) String() string {
	switch {
	case c.Family == "":
		return fmt.Sprintf("%s from bits 0x%08x on", c.Dtype, c.First)
	case c.isArray():
		return fmt.Sprintf("%s, family %s, shape %d, axis %d", c.Dtype, c.Family, c.Shape, c.Axis)
	case c.Rows > 0:
		return fmt.Sprintf("%s, family %s, %d rows of length %d", c.Dtype, c.Family, c.Rows, c.Length)
	}
	return fmt.Sprintf("%s, family %s, length %d", c.Dtype, c.Family, c.Length)
}

func (c check) isArray() bool { return c.Shape != [3]int{} }

// run answers a check with the kernel in use.
func (c check) run() (result, error) {
	outputs, err := c.outputs()
	if err != nil {
		return result{}, err
	}
	r := result{Hash: hashOutputs(outputs)}
	if c.Bits {
		r.Outputs = outputs
	}
	return r, nil
}

// hashOutputs returns the SHA-256 of all results, one after the other.
func hashOutputs(outputs []output) string {
	h := sha256.New()
	for _, o := range outputs {
		h.Write(o.Bits)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// outputs computes what the check asks for.
func (c check) outputs() ([]output, error) {
	switch {
	case c.Family == "":
		return everyOutputs(c.First), nil
	case c.isArray():
		return c.byType(axisOutputs[float32], axisOutputs[float64], axisOutputs[softmax.Float16], axisOutputs[softmax.BFloat16])
	case c.Rows > 0:
		return c.byType(parallelOutputs[float32], parallelOutputs[float64], parallelOutputs[softmax.Float16], parallelOutputs[softmax.BFloat16])
	}
	return c.byType(float32Outputs, float64Outputs, halfOutputs[softmax.Float16], halfOutputs[softmax.BFloat16])
}

// byType calls the function for the element type of the check.
func (c check) byType(of32, of64, of16, ofB16 func(check) ([]output, error)) ([]output, error) {
	switch c.Dtype {
	case float32Type.name:
		return of32(c)
	case float64Type.name:
		return of64(c)
	case float16Type.name:
		return of16(c)
	case bfloat16Type.name:
		return ofB16(c)
	}
	return nil, fmt.Errorf("dtype %q, expected %s", c.Dtype, alternatives(rowTypes))
}

func float32Outputs(c check) ([]output, error) {
	return outputsOf(c, rowOutputs[float32], nativeOutputs[float32], scoreOutputs)
}

func float64Outputs(c check) ([]output, error) {
	return outputsOf(c, rowOutputs[float64], nativeOutputs[float64])
}

// outputsOf makes the rows of a check and returns the outputs of functions for them, or
// those of longOutputs for a long row.
func outputsOf[T native](c check, functions ...func(softmax.Matrix[T]) []output) (outputs []output, err error) {
	rows, err := checkRows[T](c)
	if err != nil {
		return nil, err
	}
	if c.Length >= longLen {
		functions = []func(softmax.Matrix[T]) []output{longOutputs[T]}
	}
	for _, f := range functions {
		outputs = append(outputs, f(rows)...)
	}
	return outputs, nil
}

// checkRows returns rows of a family: a number that fills the groups of every kernel
// where they are short, but for the last.
func checkRows[T softmax.Float](c check) (softmax.Matrix[T], error) {
	return familyRows[T](c.Family, min(max(1, 1024/c.Length), 17), c.Length)
}

// familyNamed returns a family of the corpus.
func familyNamed[T native](name string) (corpus.Family[T], error) {
	families := corpus.Families[T]()
	i := slices.IndexFunc(families, func(f corpus.Family[T]) bool { return f.Name == name })
	if i < 0 {
		return corpus.Family[T]{}, fmt.Errorf("family %q, expected one of %s", name, alternatives(familyNames()))
	}
	return families[i], nil
}

// familyNames returns the names of the families, which are the same for every type.
func familyNames() (names []string) {
	for _, f := range corpus.Families[float32]() {
		names = append(names, f.Name)
	}
	return names
}

// outputOf returns elements as an output, in memory of its own.
func outputOf[T softmax.Float](function string, elements []T) output {
	return output{function, binary.Size(elements[:1]), encodeElements(slices.Clone(elements), littleEndian)}
}

// rowOutputs are those of functions for any element type.
func rowOutputs[T softmax.Float](src softmax.Matrix[T]) (outputs []output) {
	dst := src
	dst.Data = make([]T, len(src.Data))
	eachRow := func(function string, f func(dst, src []T)) {
		for r := range src.Rows {
			f(dst.Data[r*dst.Stride:][:dst.Cols], src.Data[r*src.Stride:][:src.Cols])
		}
		outputs = append(outputs, outputOf(function, dst.Data))
	}
	eachRow("Softmax", softmax.Softmax[T])
	eachRow("LogSoftmax", softmax.LogSoftmax[T])
	softmax.SoftmaxRows(dst, src)
	outputs = append(outputs, outputOf("SoftmaxRows", dst.Data))
	sums := make([]T, src.Rows)
	softmax.LogSumExpRows(sums, src)
	return append(outputs, outputOf("LogSumExpRows", sums))
}

// longOutputs are those of functions for one vector, without a copy of the logits.
func longOutputs[T native](src softmax.Matrix[T]) []output {
	probabilities, logarithms := make([]T, src.Cols), make([]T, src.Cols)
	softmax.Softmax(probabilities, src.Data)
	softmax.LogSoftmax(logarithms, src.Data)
	size := binary.Size(T(0))
	return []output{{"Softmax", size, encodeElements(probabilities, littleEndian)}, {"LogSoftmax", size, encodeElements(logarithms, littleEndian)},
		outputOf("LogSumExp", []T{softmax.LogSumExp(src.Data)})}
}

// nativeOutputs are those of functions that take no halves.
func nativeOutputs[T native](src softmax.Matrix[T]) (outputs []output) {
	// The whole is one row, in three shards that are merged out of their order.
	cuts := []int{0, len(src.Data) / 3, len(src.Data) * 3 / 4, len(src.Data)}
	var shards [3]softmax.Accumulator[T]
	for i := range shards {
		shards[i].Add(src.Data[cuts[i]:cuts[i+1]])
	}
	whole := shards[2]
	whole.Merge(&shards[0])
	whole.Merge(&shards[1])
	state, _ := whole.AppendBinary(nil) // the error is always nil
	dst := make([]T, len(src.Data))
	for i := range shards {
		whole.Softmax(dst[cuts[i]:cuts[i+1]], src.Data[cuts[i]:cuts[i+1]])
	}
	outputs = []output{
		{"Accumulator.AppendBinary", 1, state},
		outputOf("Accumulator.LogSumExp", []T{whole.LogSumExp()}),
		outputOf("Accumulator.Softmax", dst),
	}

	// The rows stand for outputs of attention over parts of the keys.
	f, _ := familyNamed[T]("normal3")
	merged := make([]T, src.Cols+1)
	merged[src.Cols] = softmax.WeightedMerge(merged[:src.Cols], src, f.MakeRow(src.Rows, 0))
	return append(outputs, outputOf("WeightedMerge", merged))
}

// scoreOutputs are those of attention scores.
func scoreOutputs(src softmax.Matrix[float32]) (outputs []output) {
	r := corpus.RNG(len(src.Data))
	bias := src
	bias.Data = make([]float32, len(src.Data))
	corpus.Masked(float32(math.Inf(-1)))(&r, bias.Data)
	keep := make([]bool, len(src.Data))
	for i := range keep {
		keep[i] = r.Intn(8) > 0
	}
	sink := float32(1.5)
	for _, way := range []struct {
		name   string
		scores softmax.Scores
	}{
		{"scale", softmax.Scores{Scale: 0.125}},
		{"softcap", softmax.Scores{Scale: 0.3, Softcap: 30}},
		{"slope, causal", softmax.Scores{Slope: 0.0625, Causal: true, Offset: max(0, src.Cols-src.Rows)}},
		{"bias", softmax.Scores{Scale: 0.7, Bias: bias}},
		{"keep, sink", softmax.Scores{Keep: keep, Sink: &sink}},
		{"all", softmax.Scores{Scale: 0.3, Softcap: 50, Slope: 0.03, Bias: bias, Keep: keep,
			Causal: true, Offset: src.Cols / 2, Window: src.Cols/2 + 1, Sink: &sink}},
	} {
		dst := src
		dst.Data = make([]float32, len(src.Data))
		way.scores.Softmax(dst, src)
		outputs = append(outputs, outputOf("Scores("+way.name+").Softmax", dst.Data))
	}
	return outputs
}

// halfOutputs are those for elements of 16 bits.
func halfOutputs[T softmax.Float16 | softmax.BFloat16](c check) ([]output, error) {
	numbers, err := checkRows[float32](c)
	if err != nil {
		return nil, err
	}
	src, n := converted[T](numbers), c.Length
	wide, narrow := make([]float32, n), make([]T, n)
	softmax.SoftmaxToFloat32(wide, src.Data[:n])
	softmax.SoftmaxFromFloat32(narrow, numbers.Data[:n])
	return append(rowOutputs(src), outputOf("SoftmaxToFloat32", wide), outputOf("SoftmaxFromFloat32", narrow)), nil
}

// checkArray returns an array whose lanes are rows of a family.
func checkArray[T softmax.Float](c check) ([]T, error) {
	n, inner := c.Shape[c.Axis], product(c.Shape[c.Axis+1:])
	lanes, err := familyRows[T](c.Family, product(c.Shape[:])/n, n)
	if err != nil {
		return nil, err
	}
	array := make([]T, len(lanes.Data))
	for lane := range lanes.Rows {
		first := lane/inner*n*inner + lane%inner
		for i, x := range lanes.Data[lane*n:][:n] {
			array[first+i*inner] = x
		}
	}
	return array, nil
}

// axisOutputs are those of functions along an axis of an array.
func axisOutputs[T softmax.Float](c check) ([]output, error) {
	src, err := checkArray[T](c)
	if err != nil {
		return nil, err
	}
	probabilities, logarithms, sums := make([]T, len(src)), make([]T, len(src)), make([]T, len(src)/c.Shape[c.Axis])
	softmax.SoftmaxAxis(probabilities, src, c.Shape[:], c.Axis)
	softmax.LogSoftmaxAxis(logarithms, src, c.Shape[:], c.Axis)
	softmax.LogSumExpAxis(sums, src, c.Shape[:], c.Axis)
	return []output{outputOf("SoftmaxAxis", probabilities), outputOf("LogSoftmaxAxis", logarithms), outputOf("LogSumExpAxis", sums)}, nil
}

// parallelOutputs are those of functions that share a matrix among workers, for several
// numbers of them.
func parallelOutputs[T softmax.Float](c check) (outputs []output, err error) {
	src, err := familyRows[T](c.Family, c.Rows, c.Length)
	if err != nil {
		return nil, err
	}
	dst := src
	dst.Data = make([]T, len(src.Data))
	for _, workers := range []int{1, 2, 3, 0} {
		softmax.ParallelSoftmaxRows(dst, src, workers)
		outputs = append(outputs, outputOf(fmt.Sprintf("ParallelSoftmaxRows(workers=%d)", workers), dst.Data))
		softmax.ParallelLogSoftmaxRows(dst, src, workers)
		outputs = append(outputs, outputOf(fmt.Sprintf("ParallelLogSoftmaxRows(workers=%d)", workers), dst.Data))
	}
	return outputs, nil
}

// everyOutputs is the softmax of rows of consecutive float32, from the one with the bits
// first on. Logits below 16384 in magnitude go through the exponential as they are.
func everyOutputs(first uint32) []output {
	logits := softmax.Matrix[float32]{Data: make([]float32, everyLen), Rows: everyLen / everyRow, Cols: everyRow, Stride: everyRow}
	for i := range logits.Data {
		logits.Data[i] = math.Float32frombits(first + uint32(i))
	}
	softmax.SoftmaxRows(logits, logits)
	return []output{{"SoftmaxRows", 4, encodeElements(logits.Data, littleEndian)}}
}
