//go:build !purego

package softmax

// This file connects the kernels in assembly for amd64.

import "golang.org/x/sys/cpu"

// availableKernels returns the kernels that run here, the best first.
func availableKernels() []kernel {
	var kernels []kernel
	// AVX512VBMI2 stands for Ice Lake, Zen 4 and newer: processors that do not
	// lower their clock for 512-bit registers.
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL &&
		cpu.X86.HasAVX512VBMI2 && cpu.X86.HasBMI2 {
		kernels = append(kernels, kernelAVX512)
	}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		kernels = append(kernels, kernelAVX2)
	}
	return append(kernels, kernelGeneric)
}

func softmaxBlocks(k kernel, dst, src []float32, cols, rows, dstStride, srcStride int) {
	switch k {
	case kernelAVX512:
		if cols <= 32 {
			softmaxShortAVX512(&dst[0], &src[0], cols, rows, dstStride, srcStride)
			return
		}
		softmaxBlocksAVX512(&dst[0], &src[0], cols, rows, dstStride, srcStride)
	case kernelAVX2:
		if cols <= 32 {
			softmaxShortAVX2(&dst[0], &src[0], cols, rows, dstStride, srcStride)
			return
		}
		softmaxBlocksAVX2(&dst[0], &src[0], cols, rows, dstStride, srcStride)
	default:
		softmaxBlocksGeneric(dst, src, cols, rows, dstStride, srcStride)
	}
}

func maxBlock(k kernel, src []float32) float32 {
	switch k {
	case kernelAVX512:
		return maxBlockAVX512(&src[0], len(src))
	case kernelAVX2:
		return maxBlockAVX2(&src[0], len(src))
	default:
		return maxGeneric(src)
	}
}

func expBlock(k kernel, dst, src []float32, ref *reference) (sum float64, large bool) {
	switch k {
	case kernelAVX512:
		return expBlockAVX512(&dst[0], &src[0], len(src), ref)
	case kernelAVX2:
		return expBlockAVX2(&dst[0], &src[0], len(src), ref)
	default:
		return expBlockGeneric(dst, src, ref)
	}
}

func sumBlock(k kernel, src []float32, ref *reference) (sum float64, large bool) {
	switch k {
	case kernelAVX512:
		return sumBlockAVX512(&src[0], len(src), ref)
	case kernelAVX2:
		return sumBlockAVX2(&src[0], len(src), ref)
	default:
		return sumBlockGeneric(src, ref)
	}
}

func scaleBlock(k kernel, dst []float32, f *factor) {
	switch k {
	case kernelAVX512:
		scaleBlockAVX512(&dst[0], len(dst), f)
	case kernelAVX2:
		scaleBlockAVX2(&dst[0], len(dst), f)
	default:
		scaleBlockGeneric(dst, f)
	}
}

func expScaleBlock(k kernel, dst, src []float32, ref *reference, f *factor) {
	switch {
	case k == kernelAVX512 && f.careful:
		expScaleCareBlockAVX512(&dst[0], &src[0], len(src), ref, f)
	case k == kernelAVX512:
		expScaleBlockAVX512(&dst[0], &src[0], len(src), ref, f)
	case k == kernelAVX2 && f.careful:
		expScaleCareBlockAVX2(&dst[0], &src[0], len(src), ref, f)
	case k == kernelAVX2:
		expScaleBlockAVX2(&dst[0], &src[0], len(src), ref, f)
	default:
		expScaleBlockGeneric(dst, src, ref, f)
	}
}

// expScaleStream is expScaleBlock that stores past the caches. f must not be
// careful, dst aligned to streamAlign bytes, and its length a multiple of 64.
func expScaleStream(k kernel, dst, src []float32, ref *reference, f *factor) {
	switch k {
	case kernelAVX512:
		expScaleStreamBlockAVX512(&dst[0], &src[0], len(src), ref, f)
	case kernelAVX2:
		expScaleStreamBlockAVX2(&dst[0], &src[0], len(src), ref, f)
	default:
		expScaleBlockGeneric(dst, src, ref, f)
	}
}

//go:noescape
func softmaxBlocksAVX512(dst, src *float32, cols, rows, dstStride, srcStride int)

//go:noescape
func softmaxShortAVX512(dst, src *float32, cols, rows, dstStride, srcStride int)

//go:noescape
func maxBlockAVX512(src *float32, n int) float32

//go:noescape
func expBlockAVX512(dst, src *float32, n int, ref *reference) (sum float64, large bool)

//go:noescape
func sumBlockAVX512(src *float32, n int, ref *reference) (sum float64, large bool)

//go:noescape
func scaleBlockAVX512(dst *float32, n int, f *factor)

//go:noescape
func expScaleBlockAVX512(dst, src *float32, n int, ref *reference, f *factor)

//go:noescape
func expScaleStreamBlockAVX512(dst, src *float32, n int, ref *reference, f *factor)

//go:noescape
func expScaleCareBlockAVX512(dst, src *float32, n int, ref *reference, f *factor)

//go:noescape
func softmaxBlocksAVX2(dst, src *float32, cols, rows, dstStride, srcStride int)

//go:noescape
func softmaxShortAVX2(dst, src *float32, cols, rows, dstStride, srcStride int)

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
func expScaleStreamBlockAVX2(dst, src *float32, n int, ref *reference, f *factor)

//go:noescape
func expScaleCareBlockAVX2(dst, src *float32, n int, ref *reference, f *factor)
