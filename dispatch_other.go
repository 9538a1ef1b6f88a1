//go:build purego || !(amd64 || arm64)

package softmax

// This file is for processors without a kernel in assembly.

// availableKernels returns the kernels that run here, the best first.
func availableKernels() []kernel { return []kernel{kernelGeneric} }

func softmaxBlocks[T Float](_ kernel, dst, src []T, cols, rows, dstStride, srcStride int) {
	softmaxBlocksGeneric(dst, src, cols, rows, dstStride, srcStride)
}

func maxBlock[T Float](_ kernel, src []T) T { return maxGeneric(src) }

func hasNaNBlock[T Float](_ kernel, src []T) bool { return hasNaNGeneric(src) }

func expBlock[T Float](_ kernel, dst, src []T, ref *reference[T]) (sum doubleDouble, large bool) {
	return expBlockGeneric(dst, src, ref)
}

func sumBlock[T Float](_ kernel, src []T, ref *reference[T]) (sum doubleDouble, large bool) {
	return sumBlockGeneric(src, ref)
}

func sumRows[T Float](_ kernel, sums []rowSum[T], src []T, cols, stride int) {
	sumRowsGeneric(sums, src, cols, stride)
}

func scaleBlock[T Float](_ kernel, dst []T, f *factor[T]) { scaleBlockGeneric(dst, f) }

func expScaleBlock[T Float](_ kernel, dst, src []T, ref *reference[T], f *factor[T]) {
	expScaleBlockGeneric(dst, src, ref, f)
}

func expScaleStream[T Float](_ kernel, dst, src []T, ref *reference[T], f *factor[T]) {
	expScaleBlockGeneric(dst, src, ref, f)
}

func subtractBlock[T Float](_ kernel, dst, src []T, m, rest T) {
	subtractBlockGeneric(dst, src, m, rest)
}

func transpose[T Float](_ kernel, dst, src []T, rows, cols, dstStride, srcStride int) {
	transposeGeneric(dst, src, rows, cols, dstStride, srcStride)
}
