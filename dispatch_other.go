//go:build purego || !(amd64 || arm64)

package softmax

// This file is for processors without a kernel in assembly.

// availableKernels returns the kernels that run here, the best first.
func availableKernels() []kernel { return []kernel{kernelGeneric} }

func softmaxBlocks[T native](_ kernel, dst, src *T, cols, rows, dstStride, srcStride int) {
	softmaxBlocksGeneric(dst, src, cols, rows, dstStride, srcStride)
}

func softmaxBlocks32(_ kernel, dst, src *float32, cols, rows, dstStride, srcStride int) {
	softmaxBlocksGeneric(dst, src, cols, rows, dstStride, srcStride)
}

func softmaxBlocks64(_ kernel, dst, src *float64, cols, rows, dstStride, srcStride int) {
	softmaxBlocksGeneric(dst, src, cols, rows, dstStride, srcStride)
}

func maxBlock[T native](_ kernel, src []T) T { return maxGeneric(src) }

func hasNaNBlock[T native](_ kernel, src []T) bool { return hasNaNGeneric(src) }

func expBlock[T native](_ kernel, dst, src []T, ref *reference[T]) (sum doubleDouble, large bool) {
	return expBlockGeneric(dst, src, ref)
}

func sumBlock[T native](_ kernel, src []T, ref *reference[T]) (sum doubleDouble, large bool) {
	return sumBlockGeneric(src, ref)
}

func expBlocks[T native](kernel, []T, []T, *[blocksPerCall]blockScan[T]) (done int) { return 0 }

func sumBlocks[T native](kernel, []T, *[blocksPerCall]blockScan[T]) (done int) { return 0 }

func sumRows[T native](_ kernel, sums *rowSum[T], src *T, cols, rows, stride int) {
	sumRowsGeneric(sums, src, cols, rows, stride)
}

func sumRows32(_ kernel, sums *rowSum[float32], src *float32, cols, rows, stride int) {
	sumRowsGeneric(sums, src, cols, rows, stride)
}

func sumRows64(_ kernel, sums *rowSum[float64], src *float64, cols, rows, stride int) {
	sumRowsGeneric(sums, src, cols, rows, stride)
}

// shortLog is 0 because logSoftmaxShort and logSumExpShort do nothing here.
const shortLog = 0

func logSoftmaxShort(_ kernel, dst, src *float32, cols, rows, dstStride, srcStride int) (done int) {
	return 0
}

func logSumExpShort(_ kernel, dst, src *float32, cols, rows, stride int) (done int) { return 0 }

func scaleBlock[T native](_ kernel, dst []T, f *factor[T]) { scaleBlockGeneric(dst, f) }

func expScaleBlock[T native](_ kernel, dst, src []T, ref *reference[T], f *factor[T]) {
	expScaleBlockGeneric(dst, src, ref, f)
}

func expScaleStream[T native](_ kernel, dst, src []T, ref *reference[T], f *factor[T]) {
	expScaleBlockGeneric(dst, src, ref, f)
}

func subtractBlock[T native](_ kernel, dst, src []T, m, rest T) {
	subtractBlockGeneric(dst, src, m, rest)
}

func scoreBlock(_ kernel, dst, src []float32, s *scoring) float32 {
	return scoreBlockGeneric(dst, src, s)
}

func undefinedBlock(_ kernel, dst []float32, s *scoring) { undefinedBlockGeneric(dst, s) }

func softmaxBlock(_ kernel, x []float32, m float32) { softmaxBlockGeneric(x, m) }

func softmaxScaled(_ kernel, dst, src []float32, cols, rows, dstStride, srcStride, n, step int, scale, sink float32) (done int) {
	return 0
}

func softmaxHalf[D, S Float](kernel, []D, []S) bool { return false }

func widenFloat16(_ kernel, dst []float32, src []Float16) float32 {
	return widenFloat16Generic(dst, src)
}

func widenBFloat16(_ kernel, dst []float32, src []BFloat16) float32 {
	return widenBFloat16Generic(dst, src)
}

func narrowFloat16(_ kernel, dst []Float16, src []float32) { narrowFloat16Generic(dst, src) }

func narrowBFloat16(_ kernel, dst []BFloat16, src []float32) { narrowBFloat16Generic(dst, src) }

func transpose[T Float](_ kernel, dst, src []T, rows, cols, dstStride, srcStride int) {
	transposeGeneric(dst, src, rows, cols, dstStride, srcStride)
}

func addWeighted[T native](_ kernel, to, from *columnSums, parts []weightedPart, src []T, cols int) {
	addWeightedGeneric(to, from, parts, src, cols)
}

func roundSums[T native](_ kernel, dst []T, sums *columnSums) { roundSumsGeneric(dst, sums) }
