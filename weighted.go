package softmax

// This file merges attention outputs over parts of the keys.

import (
	"fmt"
	"math"
	"unsafe"
)

// WeightedMerge combines attention outputs over parts of the keys into that over all
// keys, as flash-decoding does. Row i of outputs is the output over part i: its values
// times the softmax of its scores. logSumExps[i] is the log-sum-exp of these scores, as
// [LogSumExp] and [Accumulator.LogSumExp] return it, in natural-logarithm units. With
// w the softmax of logSumExps, this is
//
//	dst[j] = w[0]*outputs(0, j) + w[1]*outputs(1, j) + ...
//
// dst must have outputs.Cols elements, and logSumExps outputs.Rows; there may be any
// number of either. WeightedMerge returns the log-sum-exp of logSumExps, which is that
// of all scores: what was merged is a part again, so that merges may be nested.
//
// dst may be one of the rows of outputs. Any other overlap of dst with Data from the
// first to the last element of outputs, also between rows, and any with logSumExps
// panics.
//
// # Special values
//
// A part whose log-sum-exp is -Inf has no keys, or none that a mask leaves. Its output
// is not read: it may hold anything, such as the NaN that a softmax of nothing gives. So
// it is with a part whose weight is below 2^-900, which counts as 0: its log-sum-exp is
// 624 or more below the largest. Without any parts, or if all are -Inf, dst becomes all
// zeros, and -Inf is returned: attention without keys, as in [Scores.Softmax].
//
// If a log-sum-exp is NaN or +Inf, dst becomes all NaN, and what [LogSumExp] returns for
// such a row is returned. A NaN in the output of a part that counts makes its column
// NaN, and so do infinities of both signs in a column. Otherwise an infinity gives that
// infinity. A NaN has the bits 0x7FC00000, or 0x7FF8000000000000 for float64.
//
// If only one part counts, its weight is 1, and dst gets its output as it is, also -0.
//
// # Accuracy
//
// The exact result is that for outputs and logSumExps as they are given, of the parts that
// count. For float32, weights and sums are float64, and dst is rounded once. In a column
// of one sign it is within 0.51 ULP of the exact result, for up to a million parts; in
// general the error is at most half an ULP, and 2^-30 of the sum of all
// |w[i]*outputs(i, j)|. For float64, weights are as accurate as those of [Softmax], and
// the sum is made as if in twice the precision and rounded once. In a column of one sign
// dst is within 4 ULP of the exact result; in general the error is at most half an ULP,
// and 2^-50 of the sum of magnitudes. Subnormal products of float64 are rounded to
// multiples of 2^-1074, one by one. The log-sum-exp is as accurate as that of [LogSumExp].
//
// A log-sum-exp that was rounded has moved the weight of its part. One of float32 between
// 8 and 16 is rounded by up to 2^-21, and the weight is by as much of it too large or too
// small: that is 4 to 8 ULP. Twice the log-sum-exp makes it twice as much.
//
// No result of float32 overflows; one of float64 may if it is within 2^-30 of the
// largest number.
//
// The order of parts may change the last place of a result, but not its accuracy. For
// equal arguments the bits are the same on every processor and kernel.
//
// Nothing is allocated, and arguments do not escape. No values are slower than others, but
// for subnormal outputs of float64, which take up to three and a half times as long.
//
// WeightedMerge panics, before anything is written, if outputs is not valid, if a
// length is not right, or if dst overlaps in another way.
//
// Source: T. Dao, D. Haziza, F. Massa and G. Sizov, "Flash-Decoding for long-context
// inference" (2023); merging by log-sum-exps is also that of Z. Ye and others,
// "FlashInfer" (2025).
func WeightedMerge[T float32 | float64](dst []T, outputs Matrix[T], logSumExps []T) T {
	checkWeightedMerge(dst, &outputs, logSumExps)
	return weightedMerge(active, dst, &outputs, logSumExps)
}

// checkWeightedMerge panics unless the arguments fit together.
func checkWeightedMerge[T native](dst []T, outputs *Matrix[T], logSumExps []T) {
	const function = "WeightedMerge"
	outputs.check(function, "outputs")
	if len(dst) != outputs.Cols || len(logSumExps) != outputs.Rows {
		panic(fmt.Sprintf("softmax: %s: len(dst)=%d, len(logSumExps)=%d, outputs is %d x %d",
			function, len(dst), len(logSumExps), outputs.Rows, outputs.Cols))
	}
	if len(dst) == 0 || len(logSumExps) == 0 {
		return
	}
	if overlap(dst, logSumExps) {
		panic("softmax: " + function + ": dst and logSumExps overlap")
	}
	if all := outputs.span(); overlap(dst, all) {
		apart := int(uintptr(unsafe.Pointer(&dst[0])) - uintptr(unsafe.Pointer(&all[0])))
		if apart%(outputs.Stride*int(unsafe.Sizeof(dst[0]))) != 0 {
			panic("softmax: " + function + ": dst overlaps outputs without being one of its rows")
		}
	}
}

// partsPerCall is the number of parts whose weights are known at a time.
const partsPerCall = 64

// leastWeight is the least weight of a part. Weights below it would have subnormal
// products, which are slow, and show only where all other outputs are 0 or nearly so.
const leastWeight = safeLimit

func weightedMerge[T native](k kernel, dst []T, outputs *Matrix[T], logSumExps []T) T {
	if len(logSumExps) == 0 {
		clearAll(dst)
		return T(math.Inf(-1))
	}
	var weights [partsPerCall]float64
	var room [partsPerCall]weightedPart
	var parts []weightedPart
	var total rowTotal[float64]
	var m float64
	var log doubleDouble
	// Up to partsPerCall parts are weighed once. The weights of more are computed for
	// every columnsPerCall columns anew.
	few := len(logSumExps) <= partsPerCall
	if few {
		x := widened(weights[:], logSumExps)
		m, log = logSumRow(k, x)
		softmaxRow(k, weights[:len(x)], x)
		parts = weighted[T](room[:0], weights[:len(x)], 0, outputs.Stride)
	} else {
		scan := newScan[float64]()
		for at := 0; at < len(logSumExps); at += partsPerCall {
			x := widened(weights[:], logSumExps[at:min(at+partsPerCall, len(logSumExps))])
			scan.add(scanBlock(k, x, maxBlock(k, x)))
		}
		total = scan.total()
		m, log = total.top, total.logSum()
	}
	switch {
	case m == math.Inf(-1):
		clearAll(dst)
		return fromFloat[T](m)
	case log.undefined():
		fillNaN(dst)
		return fromFloat[T](m)
	}
	var sums columnSums
	for column := 0; column < len(dst); column += columnsPerCall {
		d := dst[column:min(column+columnsPerCall, len(dst))]
		from := &emptySums
		for at := 0; at < len(logSumExps); at += partsPerCall {
			if !few {
				x := widened(weights[:], logSumExps[at:min(at+partsPerCall, len(logSumExps))])
				total.write(k, weights[:len(x)], x, false)
				parts = weighted[T](room[:0], weights[:len(x)], at, outputs.Stride)
			}
			if len(parts) > 0 {
				addWeighted(k, &sums, from, parts, outputs.Data[column:], len(d))
				from = &sums
			}
		}
		roundSums(k, d, &sums)
	}
	return roundTo[T](logSumExpFrom(m, log))
}

// widened returns elements as float64: in buffer, if they are not.
func widened[T native](buffer []float64, elements []T) []float64 {
	if is64[T]() {
		return as64(elements)
	}
	for i, x := range as32(elements) {
		buffer[i] = wide32(x)
	}
	return buffer[:len(elements)]
}

// weighted appends the parts from a row on that have a weight.
func weighted[T native](parts []weightedPart, weights []float64, row, stride int) []weightedPart {
	for i, weight := range weights {
		if weight >= leastWeight {
			parts = append(parts, weightedPart{weight * sumScale[T](), (row + i) * stride})
		}
	}
	return parts
}
