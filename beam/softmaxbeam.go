// Package softmaxbeam is softmax for Apache Beam: the log-sum-exp, the softmax and
// the log-softmax of logits that are grouped by a key, on any of Beam's runners.
//
//	logits := ...                                        // PCollection<KV<K, float32>> or float64
//	sums := softmaxbeam.LogSumExpPerKey(s, logits)       // PCollection<KV<K, float32>>
//	p := softmaxbeam.SoftmaxPerKey(s, logits)            // PCollection<KV<K, float32>>
//	all := beam.Combine(s, &softmaxbeam.LogSumExpFn[float32]{}, beam.DropKey(s, logits))
//
// # Bits
//
// A runner cuts its input into bundles, gives them to workers, and adds up what
// they return, each time in another way. Sums of floating-point numbers change with
// it; those of this package do not. Every logit is added to a [softmax.Accumulator]
// on its own, which rounds its exponential and nothing else, and accumulators are
// merged exactly. So the result always has the bits that one Accumulator gives on
// one machine, after one call of Add for each logit. Its accuracy is that of
// [softmax.LogSumExp] and [softmax.Softmax]; its bits nearly always are theirs too,
// and seldom differ in the last place, because they add the exponentials of a block
// first.
//
// # Keys, windows and pipelines
//
// K is any type that Beam can group by. Totals are those of a key and window.
// Windows must fire once, as they do by default: see [SoftmaxPerKey]. A collection
// without elements gives one without elements.
//
// Wrong types of collections panic where the pipeline is built.
package softmaxbeam

import (
	"encoding"
	"fmt"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/typex"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/seed174f7dca/softmax"
)

func init() {
	registerFor[float32]()
	registerFor[float64]()
}

// registerFor tells Beam what it has to know of types before a pipeline runs.
func registerFor[T float32 | float64]() {
	beam.RegisterCoder(reflect.TypeFor[*softmax.Accumulator[T]](), encode, decode)
	register.Combiner2[*softmax.Accumulator[T], T](&AccumulateFn[T]{})
	register.Combiner2[*softmax.Accumulator[T], T](&LogSumExpFn[T]{})
	register.DoFn4x1[beam.X, func(**softmax.Accumulator[T]) bool, func(*T) bool, func(beam.X, T), error](&normalizeFn[T]{})
	register.Iter1[T]()
	register.Iter1[*softmax.Accumulator[T]]()
	register.Emitter2[beam.X, T]()
}

// encode is half of the coder of accumulators. It is not generic, because Beam
// finds functions by name, and those of a generic function all have the same.
func encode(accumulator beam.T) ([]byte, error) {
	return accumulator.(encoding.BinaryMarshaler).MarshalBinary()
}

// decode is the other half. pointer is the type of the result.
func decode(pointer reflect.Type, data []byte) (beam.T, error) {
	accumulator := reflect.New(pointer.Elem()).Interface()
	if err := accumulator.(encoding.BinaryUnmarshaler).UnmarshalBinary(data); err != nil {
		return nil, fmt.Errorf("softmaxbeam: decoding a %v: %w", pointer, err)
	}
	return accumulator, nil
}

// AccumulateFn is a CombineFn of logits whose result is the accumulator itself: for
// [beam.Combine] of a PCollection<T>, or [beam.CombinePerKey] of a
// PCollection<KV<K, T>>. It is for what [SoftmaxPerKey] does not do, such as
// keeping totals, or normalising where they are a side input. An accumulator that
// Beam hands out is shared: only read it.
//
// Workers exchange accumulators in the binary format of
// [softmax.Accumulator.AppendBinary], of at most 156 bytes. This package registers
// it as the coder of *softmax.Accumulator[float32] and
// *softmax.Accumulator[float64].
type AccumulateFn[T float32 | float64] struct{}

// CreateAccumulator returns an empty accumulator.
func (*AccumulateFn[T]) CreateAccumulator() *softmax.Accumulator[T] {
	return new(softmax.Accumulator[T])
}

// AddInput adds one logit to a, and returns a.
func (*AccumulateFn[T]) AddInput(a *softmax.Accumulator[T], logit T) *softmax.Accumulator[T] {
	a.Add([]T{logit})
	return a
}

// MergeAccumulators adds the logits of b to a, and returns a.
func (*AccumulateFn[T]) MergeAccumulators(a, b *softmax.Accumulator[T]) *softmax.Accumulator[T] {
	a.Merge(b)
	return a
}

// LogSumExpFn is a CombineFn of logits whose result is their log-sum-exp: for
// [beam.Combine] of a PCollection<T>, or [beam.CombinePerKey] of a
// PCollection<KV<K, T>>, as in [LogSumExpPerKey]. The result is that of
// [softmax.Accumulator.LogSumExp], with its special values: -Inf if there is no
// logit but -Inf, +Inf if there is a +Inf, and NaN if there is a NaN.
type LogSumExpFn[T float32 | float64] struct{ AccumulateFn[T] }

// ExtractOutput returns the log-sum-exp of what was added to a.
func (*LogSumExpFn[T]) ExtractOutput(a *softmax.Accumulator[T]) T { return a.LogSumExp() }

// LogSumExpPerKey returns the log-sum-exp of the logits of every key and window.
// logits is a PCollection<KV<K, T>>, where T is float32 or float64, and so is the
// result. Any other type panics. Special values are those of [LogSumExpFn].
//
// It is [beam.CombinePerKey] with LogSumExpFn: runners may combine before they
// shuffle, so that a key takes some 200 bytes of a worker's memory, however many
// logits it has.
func LogSumExpPerKey(s beam.Scope, logits beam.PCollection) beam.PCollection {
	const name = "softmaxbeam.LogSumExpPerKey"
	s = s.Scope(name)
	if isFloat64(name, logits) {
		return beam.CombinePerKey(s, &LogSumExpFn[float64]{}, logits)
	}
	return beam.CombinePerKey(s, &LogSumExpFn[float32]{}, logits)
}

// SoftmaxPerKey returns the probability of every logit among those of its key and
// window. logits is a PCollection<KV<K, T>>, where T is float32 or float64, and so
// is the result, which has an element for every element of logits. Any other type
// panics. Results have the key and the window of their logits, but not the
// timestamp, and come in any order: an identity that has to survive is one for
// [AccumulateFn].
//
// A key with a NaN, a +Inf, or nothing but -Inf has NaN as all its results.
//
// # Memory
//
// Totals are combined as in [LogSumExpPerKey], and then grouped with the logits, so
// that the number of keys has no limit, and nothing is a side input, which would
// have to fit in memory. The logits of a key and window are read as a stream, by
// one worker. Of what a runner sends at once, Beam's Go SDK keeps some 170 bytes
// for each logit of the group; what it leaves in its state, as it may do with a
// large group, is read from there. For a few keys with very many logits, or for a
// collection without keys, make the result of [AccumulateFn] a side input: then
// logits are neither grouped nor held.
//
// # What logits must be like
//
// They are read twice, so that a source that may give other values the second time
// needs a [beam.Reshuffle] behind it. Their windows must fire once, because a total
// that came before some of its logits is not theirs. What is found to break this
// fails the pipeline: a key with no total or more than one, and a logit above the
// largest of the total.
func SoftmaxPerKey(s beam.Scope, logits beam.PCollection) beam.PCollection {
	return normalize(s, "softmaxbeam.SoftmaxPerKey", logits, false)
}

// LogSoftmaxPerKey returns the logarithm of the probability of every logit among
// those of its key and window: the logit less the log-sum-exp. In all else it is
// [SoftmaxPerKey].
func LogSoftmaxPerKey(s beam.Scope, logits beam.PCollection) beam.PCollection {
	return normalize(s, "softmaxbeam.LogSoftmaxPerKey", logits, true)
}

// isFloat64 reports whether logits are float64, where others than float32 panic.
func isFloat64(name string, logits beam.PCollection) bool {
	if t := logits.Type(); typex.IsKV(t) {
		switch t.Components()[1].Type() {
		case reflect.TypeFor[float32]():
			return false
		case reflect.TypeFor[float64]():
			return true
		}
	}
	panic(fmt.Sprintf("%s: logits are of type %v, want KV<K, float32> or KV<K, float64>", name, logits.Type()))
}

func normalize(s beam.Scope, name string, logits beam.PCollection, log bool) beam.PCollection {
	s = s.Scope(name)
	if isFloat64(name, logits) {
		return normalizeOf[float64](s, logits, log)
	}
	return normalizeOf[float32](s, logits, log)
}

func normalizeOf[T float32 | float64](s beam.Scope, logits beam.PCollection, log bool) beam.PCollection {
	totals := beam.CombinePerKey(s, &AccumulateFn[T]{}, logits)
	return beam.ParDo(s, &normalizeFn[T]{Log: log}, beam.CoGroupByKey(s, totals, logits))
}

// normalizeFn is a DoFn that normalises the logits of a key. Its field is exported,
// because Beam sends it to workers as JSON.
type normalizeFn[T float32 | float64] struct {
	Log bool // log-softmax instead of softmax
}

// ProcessElement emits the results of the logits of key, in their order.
func (f *normalizeFn[T]) ProcessElement(key beam.X, totals func(**softmax.Accumulator[T]) bool, logits func(*T) bool,
	emit func(beam.X, T)) error {
	var total, another *softmax.Accumulator[T]
	if !totals(&total) {
		return fmt.Errorf("softmaxbeam: key %v has logits but no total: did they change between two readings?", key)
	}
	if totals(&another) {
		return fmt.Errorf("softmaxbeam: key %v has more than one total, want one: did its window fire more than once?", key)
	}
	// A block for each call saves what a call does only for the total.
	var block [256]T
	for {
		n := 0
		for n < len(block) && logits(&block[n]) {
			n++
		}
		if f.Log {
			total.LogSoftmax(block[:n], block[:n])
		} else {
			total.Softmax(block[:n], block[:n])
		}
		for _, result := range block[:n] {
			emit(key, result)
		}
		if n < len(block) {
			return nil
		}
	}
}
