//go:build !purego

package softmax

// This file connects the kernels in assembly for amd64.

import "golang.org/x/sys/cpu"

// availableKernels returns the kernels that run here, the best first.
func availableKernels() []kernel {
	kernels := []kernel{kernelGeneric}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		kernels = append([]kernel{kernelAVX2}, kernels...)
	}
	return kernels
}

//go:noescape
func softmaxBlocksAVX2(dst, src *float32, cols, rows, dstStride, srcStride int)

//go:noescape
func maxBlockAVX2(src *float32, n int) float32

//go:noescape
func expBlockAVX2(dst, src *float32, n int, ref *reference) (sum float64, large bool)

//go:noescape
func sumBlockAVX2(src *float32, n int, ref *reference) (sum float64, large bool)

//go:noescape
func scaleBlockAVX2(dst *float32, n int, f *factor)

//go:noescape
func expScaleBlockAVX2(dst, src *float32, n int, ref *reference, f *factor)

//go:noescape
func expScaleCareBlockAVX2(dst, src *float32, n int, ref *reference, f *factor)

func softmaxBlocks(k kernel, dst, src []float32, cols, rows, dstStride, srcStride int) {
	switch k {
	case kernelAVX2:
		softmaxBlocksAVX2(&dst[0], &src[0], cols, rows, dstStride, srcStride)
	default:
		softmaxBlocksGeneric(dst, src, cols, rows, dstStride, srcStride)
	}
}

func maxBlock(k kernel, src []float32) float32 {
	switch k {
	case kernelAVX2:
		return maxBlockAVX2(&src[0], len(src))
	default:
		return maxGeneric(src)
	}
}

func expBlock(k kernel, dst, src []float32, ref *reference) (sum float64, large bool) {
	switch k {
	case kernelAVX2:
		return expBlockAVX2(&dst[0], &src[0], len(src), ref)
	default:
		return expBlockGeneric(dst, src, ref)
	}
}

func sumBlock(k kernel, src []float32, ref *reference) (sum float64, large bool) {
	switch k {
	case kernelAVX2:
		return sumBlockAVX2(&src[0], len(src), ref)
	default:
		return sumBlockGeneric(src, ref)
	}
}

func scaleBlock(k kernel, dst []float32, f *factor) {
	switch k {
	case kernelAVX2:
		scaleBlockAVX2(&dst[0], len(dst), f)
	default:
		scaleBlockGeneric(dst, f)
	}
}

func expScaleBlock(k kernel, dst, src []float32, ref *reference, f *factor) {
	switch {
	case k == kernelAVX2 && f.careful:
		expScaleCareBlockAVX2(&dst[0], &src[0], len(src), ref, f)
	case k == kernelAVX2:
		expScaleBlockAVX2(&dst[0], &src[0], len(src), ref, f)
	default:
		expScaleBlockGeneric(dst, src, ref, f)
	}
}
