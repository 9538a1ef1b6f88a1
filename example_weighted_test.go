package softmax_test

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/seed174f7dca/softmax"
)

// One query attends to the keys of a cache. They are split in pages, which could be
// computed on different processors; then their outputs are merged.
func ExampleWeightedMerge() {
	const keys, page, d, scale = 100, 32, 16, 0.25 // scale is 1/sqrt(d)
	random := rand.New(rand.NewPCG(7, 8))
	numbers := func(n int, offset float32) []float32 {
		data := make([]float32, n)
		for i := range data {
			data[i] = float32(random.IntN(257)-128)/64 + offset // products of such numbers are exact
		}
		return data
	}
	q, k := numbers(d, 0), numbers(keys*d, 0)
	v := numbers(keys*d, 3) // positive: nothing cancels, so that ULP tell how good an output is

	// attend computes the output over some of the keys, and the log-sum-exp of their scores.
	attend := func(output []float32, first, end int) float32 {
		n := end - first
		scores, weights := make([]float32, n), make([]float32, n)
		for i := range scores {
			for j := range d {
				scores[i] += q[j] * k[(first+i)*d+j]
			}
		}
		attention := softmax.Scores{Scale: scale}
		attention.Softmax(
			softmax.Matrix[float32]{Data: weights, Rows: 1, Cols: n, Stride: n},
			softmax.Matrix[float32]{Data: scores, Rows: 1, Cols: n, Stride: n})
		for j := range output {
			var sum float64
			for i, weight := range weights {
				sum += float64(weight) * float64(v[(first+i)*d+j])
			}
			output[j] = float32(sum)
		}
		for i := range scores {
			scores[i] *= scale
		}
		return softmax.LogSumExp(scores)
	}

	const pages = (keys + page - 1) / page
	outputs := softmax.Matrix[float32]{Data: make([]float32, pages*d), Rows: pages, Cols: d, Stride: d}
	logSumExps := make([]float32, pages)
	for i := range pages {
		logSumExps[i] = attend(outputs.Data[i*d:][:d], i*page, min((i+1)*page, keys))
	}
	merged, whole := make([]float32, d), make([]float32, d)
	logSumExp := softmax.WeightedMerge(merged, outputs, logSumExps)
	wholeLogSumExp := attend(whole, 0, keys)

	// The bits of positive numbers are in the order of the numbers, an ULP apart.
	ulp := func(a, b float32) int {
		difference := int(math.Float32bits(a)) - int(math.Float32bits(b))
		return max(difference, -difference)
	}
	largest := ulp(logSumExp, wholeLogSumExp)
	for j := range merged {
		largest = max(largest, ulp(merged[j], whole[j]))
	}
	fmt.Printf("log-sum-exps of pages %.4f, of all %.4f\n", logSumExps, logSumExp)
	fmt.Printf("output %.4f ...\n", merged[:4])
	fmt.Println("largest difference from unsplit attention within 4 ULP:", largest <= 4)
	// Output:
	// log-sum-exps of pages [4.3697 4.3079 3.9921 1.6435], of all 5.3596
	// output [2.8313 3.2740 3.0239 2.9666] ...
	// largest difference from unsplit attention within 4 ULP: true
}
