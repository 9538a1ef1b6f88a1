package softmax_test

import (
	"fmt"

	"github.com/seed174f7dca/softmax"
)

// Rounding is to nearest, ties to even; what is too large becomes infinite.
func ExampleFloat16() {
	for _, x := range []float32{0.1, 2049, 65519, 65520, 1e-8} {
		h := softmax.ToFloat16(x)
		fmt.Printf("%g is %#04x, %g\n", x, uint16(h), h.Float32())
	}
	// Output:
	// 0.1 is 0x2e66, 0.099975586
	// 2049 is 0x6800, 2048
	// 65519 is 0x7bff, 65504
	// 65520 is 0x7c00, +Inf
	// 1e-08 is 0x0000, 0
}

// Softmax of bfloat16 logits: computed in float32, rounded once.
func ExampleBFloat16() {
	p := []softmax.BFloat16{0x4000, 0x3F80, 0xBF80} // 2, 1, -1
	softmax.Softmax(p, p)
	for _, b := range p {
		fmt.Printf("%#04x %.4f\n", uint16(b), b.Float32())
	}
	// Output:
	// 0x3f35 0.7070
	// 0x3e85 0.2598
	// 0x3d10 0.0352
}

// The second and third numbers stand halfway between two of bfloat16.
func ExampleToBFloat16() {
	for _, x := range []float32{3.14159265, 1.00390625, 1.01171875, 3.4e38} {
		b := softmax.ToBFloat16(x)
		fmt.Printf("%g is %#04x, %g\n", x, uint16(b), b.Float32())
	}
	// Output:
	// 3.1415927 is 0x4049, 3.140625
	// 1.0039062 is 0x3f80, 1
	// 1.0117188 is 0x3f82, 1.015625
	// 3.4e+38 is 0x7f80, +Inf
}

// Another package's type for the same numbers, such as that of
// github.com/x448/float16.
func ExampleAsFloat16() {
	type Float16 uint16
	logits := []Float16{0x4000, 0x3C00, 0x3C00} // 2, 1, 1
	p := make([]Float16, len(logits))
	softmax.Softmax(softmax.AsFloat16(p), softmax.AsFloat16(logits))
	fmt.Printf("%#04x\n", p)
	// Output: [0x389c 0x32c8 0x32c8]
}

// Words of a tensor file that hold bfloat16 numbers.
func ExampleAsBFloat16() {
	words := []uint16{0x4040, 0x4040, 0xFF80} // 3, 3, -Inf
	fmt.Println(softmax.LogSumExp(softmax.AsBFloat16(words)).Float32())
	// Output: 3.6875
}

// The logits of a model in bfloat16, as probabilities with all the accuracy of
// float32.
func ExampleSoftmaxToFloat32() {
	logits := []softmax.BFloat16{0x4000, 0x3F80, 0x3DCD} // 2, 1, 0.10009766
	p := make([]float32, len(logits))
	softmax.SoftmaxToFloat32(p, logits)
	fmt.Printf("%.4f\n", p)
	// Output: [0.6590 0.2424 0.0986]
}

// Attention weights for a product with values in float16.
func ExampleSoftmaxFromFloat32() {
	scores := []float32{2, 1, 0.1}
	weights := make([]softmax.Float16, len(scores))
	softmax.SoftmaxFromFloat32(weights, scores)
	for _, h := range weights {
		fmt.Printf("%#04x %.4f\n", uint16(h), h.Float32())
	}
	// Output:
	// 0x3946 0.6592
	// 0x33c2 0.2424
	// 0x2e4f 0.0986
}
