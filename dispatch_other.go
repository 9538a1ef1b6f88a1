//go:build purego || !(amd64 || arm64)

package softmax

// This file is for processors without a kernel in assembly.

// availableKernels returns the kernels that run here, the best first.
func availableKernels() []kernel { return []kernel{kernelGeneric} }

func softmaxBlocks(k kernel, dst, src []float32, cols, rows, dstStride, srcStride int) {
	softmaxBlocksGeneric(dst, src, cols, rows, dstStride, srcStride)
}

func maxBlock(_ kernel, src []float32) float32 { return maxGeneric(src) }

func expBlock(_ kernel, dst, src []float32, ref *reference) (sum float64, large bool) {
	return expBlockGeneric(dst, src, ref)
}

func sumBlock(_ kernel, src []float32, ref *reference) (sum float64, large bool) {
	return sumBlockGeneric(src, ref)
}

func scaleBlock(_ kernel, dst []float32, f *factor) { scaleBlockGeneric(dst, f) }

func expScaleBlock(_ kernel, dst, src []float32, ref *reference, f *factor) {
	expScaleBlockGeneric(dst, src, ref, f)
}

func expScaleStream(_ kernel, dst, src []float32, ref *reference, f *factor) {
	expScaleBlockGeneric(dst, src, ref, f)
}
