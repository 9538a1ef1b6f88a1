package softmax_test

import (
	"fmt"

	"github.com/seed174f7dca/softmax"
)

// The logits of a vocabulary come in shards, as tensor parallelism has them.
func ExampleAccumulator() {
	shards := [][]float32{{2, 1, 0.1}, {-1, 3}, {0.5}}
	var whole softmax.Accumulator[float32]
	for _, shard := range shards {
		whole.Add(shard)
	}
	fmt.Printf("log-sum-exp %.4f\n", whole.LogSumExp())
	for _, shard := range shards {
		whole.Softmax(shard, shard)
		fmt.Printf("%.4f\n", shard)
	}
	// Output:
	// log-sum-exp 3.5060
	// [0.2218 0.0816 0.0332]
	// [0.0110 0.6029]
	// [0.0495]
}

// Log-likelihoods can be added one at a time, for as long as it takes.
func ExampleAccumulator_Add() {
	var evidence softmax.Accumulator[float64]
	for i := range 1000 {
		evidence.Add([]float64{-1000 - float64(i)})
	}
	fmt.Printf("%.10f\n", evidence.LogSumExp())
	// Output: -999.5413248546
}

// Each worker has an accumulator of its own. The order of merging does not matter.
func ExampleAccumulator_Merge() {
	shards := [][]float64{{0, 100}, {-20000}, {100.5, 3}}
	parts := make([]softmax.Accumulator[float64], len(shards))
	for i, shard := range shards {
		parts[i].Add(shard)
	}
	var forwards, backwards softmax.Accumulator[float64]
	for i := range parts {
		forwards.Merge(&parts[i])
		backwards.Merge(&parts[len(parts)-1-i])
	}
	fmt.Println(forwards.LogSumExp(), forwards == backwards)
	// Output: 100.9740769841801 true
}

func ExampleAccumulator_LogSumExp() {
	var a softmax.Accumulator[float64]
	fmt.Println(a.LogSumExp())
	a.Add([]float64{-5})
	fmt.Println(a.LogSumExp())
	// Output:
	// -Inf
	// -5
}

func ExampleAccumulator_Softmax() {
	keys, sink := []float32{1, 2, 3}, []float32{4}
	var all softmax.Accumulator[float32]
	all.Add(keys)
	all.Add(sink)
	all.Softmax(keys, keys)
	fmt.Printf("%.4f\n", keys)
	// Output: [0.0321 0.0871 0.2369]
}

func ExampleAccumulator_LogSoftmax() {
	shard := []float64{1, 2, -2000}
	var all softmax.Accumulator[float64]
	all.Add(shard)
	all.Add([]float64{2})
	all.LogSoftmax(shard, shard)
	fmt.Printf("%.4f\n", shard)
	// Output: [-1.8620 -0.8620 -2002.8620]
}

func ExampleAccumulator_Reset() {
	var row softmax.Accumulator[float32]
	for _, logits := range [][]float32{{1, 2}, {5}} {
		row.Reset()
		row.Add(logits)
		fmt.Printf("%.4f\n", row.LogSumExp())
	}
	// Output:
	// 2.3133
	// 5.0000
}

// A shard's state travels as bytes.
func ExampleAccumulator_MarshalBinary() {
	var there, here softmax.Accumulator[float32]
	there.Add([]float32{1, 2, 3})
	message, err := there.MarshalBinary()
	if err != nil {
		panic(err)
	}
	fmt.Println(len(message), "bytes")
	if err := here.UnmarshalBinary(message); err != nil {
		panic(err)
	}
	fmt.Println(here == there)
	// Output:
	// 40 bytes
	// true
}

func ExampleAccumulator_AppendBinary() {
	var a softmax.Accumulator[float64]
	a.Add([]float64{1})
	message := []byte("key 7: ")
	message, _ = a.AppendBinary(message)
	fmt.Printf("%q...\n", message[:11])
	// Output: "key 7: smax"...
}

func ExampleAccumulator_UnmarshalBinary() {
	var a softmax.Accumulator[float64]
	err := a.UnmarshalBinary([]byte("not the state of an accumulator"))
	fmt.Println(err)
	// Output: softmax: Accumulator.UnmarshalBinary: 31 bytes are not the state of an accumulator
}
