//go:build !purego

package softmax

// This file connects the kernel in assembly for arm64. Every processor that Go
// supports there has NEON.

// availableKernels returns the kernels that run here, the best first.
func availableKernels() []kernel { return []kernel{kernelNEON, kernelGeneric} }

func softmaxBlocks(k kernel, dst, src []float32, cols, rows, dstStride, srcStride int) {
	switch k {
	case kernelNEON:
		if 4 <= cols && cols <= 32 {
			softmaxShortNEON(&dst[0], &src[0], cols, rows, dstStride, srcStride)
			return
		}
		softmaxBlocksNEON(&dst[0], &src[0], cols, rows, dstStride, srcStride)
	default:
		softmaxBlocksGeneric(dst, src, cols, rows, dstStride, srcStride)
	}
}

func maxBlock(k kernel, src []float32) float32 {
	switch k {
	case kernelNEON:
		return maxBlockNEON(&src[0], len(src))
	default:
		return maxGeneric(src)
	}
}

func expBlock(k kernel, dst, src []float32, ref *reference) (sum float64, large bool) {
	switch k {
	case kernelNEON:
		return expBlockNEON(&dst[0], &src[0], len(src), ref)
	default:
		return expBlockGeneric(dst, src, ref)
	}
}

func sumBlock(k kernel, src []float32, ref *reference) (sum float64, large bool) {
	switch k {
	case kernelNEON:
		return sumBlockNEON(&src[0], len(src), ref)
	default:
		return sumBlockGeneric(src, ref)
	}
}

func scaleBlock(k kernel, dst []float32, f *factor) {
	switch k {
	case kernelNEON:
		scaleBlockNEON(&dst[0], len(dst), f)
	default:
		scaleBlockGeneric(dst, f)
	}
}

func expScaleBlock(k kernel, dst, src []float32, ref *reference, f *factor) {
	switch {
	case k == kernelNEON && f.careful:
		expScaleCareBlockNEON(&dst[0], &src[0], len(src), ref, f)
	case k == kernelNEON:
		expScaleBlockNEON(&dst[0], &src[0], len(src), ref, f)
	default:
		expScaleBlockGeneric(dst, src, ref, f)
	}
}

// expScaleStream is expScaleBlock: canStream says that no kernel here stores past
// the caches.
func expScaleStream(k kernel, dst, src []float32, ref *reference, f *factor) {
	expScaleBlock(k, dst, src, ref, f)
}

//go:noescape
func softmaxBlocksNEON(dst, src *float32, cols, rows, dstStride, srcStride int)

//go:noescape
func softmaxShortNEON(dst, src *float32, cols, rows, dstStride, srcStride int)

//go:noescape
func maxBlockNEON(src *float32, n int) float32

//go:noescape
func expBlockNEON(dst, src *float32, n int, ref *reference) (sum float64, large bool)

//go:noescape
func sumBlockNEON(src *float32, n int, ref *reference) (sum float64, large bool)

//go:noescape
func scaleBlockNEON(dst *float32, n int, f *factor)

//go:noescape
func expScaleBlockNEON(dst, src *float32, n int, ref *reference, f *factor)

//go:noescape
func expScaleCareBlockNEON(dst, src *float32, n int, ref *reference, f *factor)
