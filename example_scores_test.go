package softmax_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/seed174f7dca/softmax"
)

// Scaled dot-product attention with a causal mask: softmax(Q*K'/sqrt(d)) * V.
func ExampleScores() {
	const tokens, d = 4, 4
	q := []float32{
		1, 0, 2, -1,
		0, 1, 1, 0,
		-2, 1, 0, 1,
		1, 1, -1, 2,
	}
	k := []float32{
		0, 1, 1, 0,
		1, -1, 0, 2,
		-1, 0, 1, 1,
		2, 1, 0, 1,
	}
	v := []float32{
		1, 0, 0, 0.5,
		0, 1, 0, 0.5,
		0, 0, 1, 0.5,
		1, 1, 1, 0.5,
	}

	// Row r holds the products of query r with each key, then its weights.
	weights := softmax.Matrix[float32]{
		Data: make([]float32, tokens*tokens),
		Rows: tokens, Cols: tokens, Stride: tokens,
	}
	for r := range tokens {
		for c := range tokens {
			for i := range d {
				weights.Data[r*tokens+c] += q[r*d+i] * k[c*d+i]
			}
		}
	}
	attention := softmax.Scores{Scale: float32(1 / math.Sqrt(d)), Causal: true}
	attention.Softmax(weights, weights)
	output := make([]float32, tokens*d)
	for r := range tokens {
		for c := range r + 1 {
			for i := range d {
				output[r*d+i] += weights.Data[r*tokens+c] * v[c*d+i]
			}
		}
	}
	for r := range tokens {
		fmt.Printf("%.4f\n", weights.Data[r*tokens:][:tokens])
	}

	// The same in float64.
	var largest float64
	for r := range tokens {
		var sum float64
		exact := make([]float64, d)
		for c := range r + 1 {
			var product float64
			for i := range d {
				product += float64(q[r*d+i]) * float64(k[c*d+i])
			}
			e := math.Exp(product / math.Sqrt(d))
			for i := range d {
				exact[i] += e * float64(v[c*d+i])
			}
			sum += e
		}
		for i := range d {
			largest = max(largest, math.Abs(float64(output[r*d+i])-exact[i]/sum))
		}
	}
	fmt.Println("output within 1e-6:", largest <= 1e-6)
	// Output:
	// [1.0000 0.0000 0.0000 0.0000]
	// [0.8176 0.1824 0.0000 0.0000]
	// [0.2447 0.0900 0.6652 0.0000]
	// [0.0464 0.3425 0.0464 0.5647]
	// output within 1e-6: true
}

// The next token of a language model with a vocabulary of 128,256: the likeliest
// one, one drawn at a temperature, and one drawn from the nucleus, the fewest
// tokens whose probabilities add up to 0.9 (top-p).
func ExampleScores_sampling() {
	const vocabulary, temperature, topP = 128256, 0.8, 0.9
	random := rand.New(rand.NewPCG(5, 6))
	logits := make([]float32, vocabulary)
	for i := range logits {
		// The sum of four numbers of 16 bits is nearly normal, and exact.
		u := random.Uint64()
		logits[i] = float32(int(u>>48+u>>32&0xFFFF+u>>16&0xFFFF+u&0xFFFF)-2<<16) / (1 << 13)
	}
	row := func(data []float32) softmax.Matrix[float32] {
		return softmax.Matrix[float32]{Data: data, Rows: 1, Cols: len(data), Stride: len(data)}
	}

	greedy := slices.Index(logits, slices.Max(logits))

	p := make([]float32, vocabulary)
	sampling := softmax.Scores{Scale: 1 / temperature}
	sampling.Softmax(row(p), row(logits))

	tokens := make([]int, vocabulary)
	for i := range tokens {
		tokens[i] = i
	}
	slices.SortStableFunc(tokens, func(a, b int) int { return cmp.Compare(p[b], p[a]) })

	// draw returns one of the tokens, whose probabilities add up to total. The
	// conversion to float64 makes the product round on its own on every processor.
	draw := func(tokens []int, total float64) int {
		u := float64(random.Float64() * total)
		for _, token := range tokens {
			if u -= float64(p[token]); u < 0 {
				return token
			}
		}
		return tokens[0]
	}
	drawn := draw(tokens, 1)

	var mass float64
	size := 0
	for mass < topP {
		mass += float64(p[tokens[size]])
		size++
	}
	fromNucleus := draw(tokens[:size], mass)

	fmt.Println("greedy:", greedy)
	fmt.Println("temperature 0.8:", drawn)
	fmt.Printf("top-p 0.9: %d, from a nucleus of %d\n", fromNucleus, size)

	// The same probabilities in float64.
	var sum, largest float64
	for _, x := range logits {
		sum += math.Exp(float64(x) / temperature)
	}
	for i, x := range logits {
		exact := math.Exp(float64(x)/temperature) / sum
		largest = max(largest, math.Abs(float64(p[i])/exact-1))
	}
	fmt.Println("relative error within 1e-6:", largest <= 1e-6)
	// Output:
	// greedy: 1998
	// temperature 0.8: 45991
	// top-p 0.9: 79309, from a nucleus of 956
	// relative error within 1e-6: true
}

// A learned sink takes its part of the probability and gets no weight, so that a
// head may attend to little: the weights add up to less than 1.
func ExampleScores_sink() {
	sink := float32(2)
	scores := softmax.Matrix[float32]{
		Data: []float32{
			1, 2, 3,
			-5, -6, -5,
		},
		Rows: 2, Cols: 3, Stride: 3,
	}
	attention := softmax.Scores{Sink: &sink}
	attention.Softmax(scores, scores)
	for r := range scores.Rows {
		weights := scores.Data[r*scores.Stride:][:scores.Cols]
		fmt.Printf("%.4f, in all %.4f\n", weights, weights[0]+weights[1]+weights[2])
	}
	// Output:
	// [0.0723 0.1966 0.5344], in all 0.8034
	// [0.0009 0.0003 0.0009], in all 0.0022
}

// Two new tokens after three that are in the key cache. Each attends to the last
// three tokens up to itself.
func ExampleScores_window() {
	scores := softmax.Matrix[float32]{
		Data: []float32{
			4, 1, 1, 1, 9,
			4, 4, 0, 0, 0,
		},
		Rows: 2, Cols: 5, Stride: 5,
	}
	attention := softmax.Scores{Causal: true, Offset: 3, Window: 3}
	attention.Softmax(scores, scores)
	for r := range scores.Rows {
		fmt.Printf("%.4f\n", scores.Data[r*scores.Stride:][:scores.Cols])
	}
	// Output:
	// [0.0000 0.3333 0.3333 0.3333 0.0000]
	// [0.0000 0.0000 0.3333 0.3333 0.3333]
}

// One step of decoding, where three query heads share the keys of one head. The
// rows are the heads, with room for eight keys. The cache holds four, of which the
// third was evicted. Scores are capped as in Gemma 2.
func ExampleScores_decode() {
	const heads, capacity, cached = 3, 8, 4
	data := make([]float32, heads*capacity)
	for head := range heads {
		copy(data[head*capacity:], []float32{0, 1, 100, float32(head)})
	}
	scores := softmax.Matrix[float32]{Data: data, Rows: heads, Cols: cached, Stride: capacity}
	attention := softmax.Scores{Softcap: 50, Keep: []bool{true, true, false, true}}
	attention.Softmax(scores, scores)
	for head := range heads {
		fmt.Printf("%.4f\n", data[head*capacity:][:cached])
	}
	// Output:
	// [0.2120 0.5761 0.0000 0.2120]
	// [0.1554 0.4223 0.0000 0.4223]
	// [0.0901 0.2449 0.0000 0.6650]
}
