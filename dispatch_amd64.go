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

// narrowLen is the length of float32 rows that AVX2 does for AVX-512 too. Wider
// registers would not make them quicker: they are bound by latency, and a masked
// load waits for stores to what it leaves out.
const narrowLen = 32

func softmaxBlocks32(k kernel, dst, src []float32, cols, rows, dstStride, srcStride int) {
	switch {
	case k != kernelGeneric && cols <= narrowLen:
		softmaxShortAVX2(&dst[0], &src[0], cols, rows, dstStride, srcStride)
	case k == kernelAVX512:
		softmaxBlocksAVX512(&dst[0], &src[0], cols, rows, dstStride, srcStride)
	case k == kernelAVX2:
		softmaxBlocksAVX2(&dst[0], &src[0], cols, rows, dstStride, srcStride)
	default:
		softmaxBlocksGeneric(dst, src, cols, rows, dstStride, srcStride)
	}
}

func maxBlock32(k kernel, src []float32) float32 {
	switch k {
	case kernelAVX512:
		return maxBlockAVX512(&src[0], len(src))
	case kernelAVX2:
		return maxBlockAVX2(&src[0], len(src))
	default:
		return maxGeneric(src)
	}
}

func hasNaNBlock32(k kernel, src []float32) bool {
	switch k {
	case kernelAVX512:
		return hasNaNBlockAVX512(&src[0], len(src))
	case kernelAVX2:
		return hasNaNBlockAVX2(&src[0], len(src))
	default:
		return hasNaNGeneric(src)
	}
}

func expBlock32(k kernel, dst, src []float32, ref *reference[float32]) (sum doubleDouble, large bool) {
	switch k {
	case kernelAVX512:
		sum.hi, large = expBlockAVX512(&dst[0], &src[0], len(src), ref)
		return sum, large
	case kernelAVX2:
		sum.hi, large = expBlockAVX2(&dst[0], &src[0], len(src), ref)
		return sum, large
	default:
		return expBlockGeneric(dst, src, ref)
	}
}

func sumBlock32(k kernel, src []float32, ref *reference[float32]) (sum doubleDouble, large bool) {
	switch k {
	case kernelAVX512:
		sum.hi, large = sumBlockAVX512(&src[0], len(src), ref)
		return sum, large
	case kernelAVX2:
		sum.hi, large = sumBlockAVX2(&src[0], len(src), ref)
		return sum, large
	default:
		return sumBlockGeneric(src, ref)
	}
}

func sumRows32(k kernel, sums []rowSum[float32], src []float32, cols, stride int) {
	switch {
	case k == kernelAVX512 && cols > narrowLen:
		sumRowsAVX512(&sums[0], &src[0], cols, len(sums), stride)
	case k != kernelGeneric:
		sumRowsAVX2(&sums[0], &src[0], cols, len(sums), stride)
	default:
		sumRowsGeneric(sums, src, cols, stride)
	}
}

func scaleBlock32(k kernel, dst []float32, f *factor[float32]) {
	switch k {
	case kernelAVX512:
		scaleBlockAVX512(&dst[0], len(dst), f)
	case kernelAVX2:
		scaleBlockAVX2(&dst[0], len(dst), f)
	default:
		scaleBlockGeneric(dst, f)
	}
}

func expScaleBlock32(k kernel, dst, src []float32, ref *reference[float32], f *factor[float32]) {
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

// expScaleStream32 is expScaleBlock32 that stores past the caches. f must not be
// careful, dst aligned to streamAlign bytes, and its length a multiple of 64.
func expScaleStream32(k kernel, dst, src []float32, ref *reference[float32], f *factor[float32]) {
	switch k {
	case kernelAVX512:
		expScaleStreamBlockAVX512(&dst[0], &src[0], len(src), ref, f)
	case kernelAVX2:
		expScaleStreamBlockAVX2(&dst[0], &src[0], len(src), ref, f)
	default:
		expScaleBlockGeneric(dst, src, ref, f)
	}
}

func subtractBlock32(k kernel, dst, src []float32, m, rest float32) {
	switch k {
	case kernelAVX512:
		subtractBlockAVX512(&dst[0], &src[0], len(src), m, rest)
	case kernelAVX2:
		subtractBlockAVX2(&dst[0], &src[0], len(src), m, rest)
	default:
		subtractBlockGeneric(dst, src, m, rest)
	}
}

func softmaxBlocks64(k kernel, dst, src []float64, cols, rows, dstStride, srcStride int) {
	switch k {
	case kernelAVX512:
		softmaxBlocks64AVX512(&dst[0], &src[0], cols, rows, dstStride, srcStride)
	case kernelAVX2:
		softmaxBlocks64AVX2(&dst[0], &src[0], cols, rows, dstStride, srcStride)
	default:
		softmaxBlocksGeneric(dst, src, cols, rows, dstStride, srcStride)
	}
}

func maxBlock64(k kernel, src []float64) float64 {
	switch k {
	case kernelAVX512:
		return maxBlock64AVX512(&src[0], len(src))
	case kernelAVX2:
		return maxBlock64AVX2(&src[0], len(src))
	default:
		return maxGeneric(src)
	}
}

func hasNaNBlock64(k kernel, src []float64) bool {
	switch k {
	case kernelAVX512:
		return hasNaNBlock64AVX512(&src[0], len(src))
	case kernelAVX2:
		return hasNaNBlock64AVX2(&src[0], len(src))
	default:
		return hasNaNGeneric(src)
	}
}

func expBlock64(k kernel, dst, src []float64, ref *reference[float64]) (sum doubleDouble, large bool) {
	switch k {
	case kernelAVX512:
		return expBlock64AVX512(&dst[0], &src[0], len(src), ref)
	case kernelAVX2:
		return expBlock64AVX2(&dst[0], &src[0], len(src), ref)
	default:
		return expBlockGeneric(dst, src, ref)
	}
}

func sumBlock64(k kernel, src []float64, ref *reference[float64]) (sum doubleDouble, large bool) {
	switch k {
	case kernelAVX512:
		return sumBlock64AVX512(&src[0], len(src), ref)
	case kernelAVX2:
		return sumBlock64AVX2(&src[0], len(src), ref)
	default:
		return sumBlockGeneric(src, ref)
	}
}

func sumRows64(k kernel, sums []rowSum[float64], src []float64, cols, stride int) {
	switch k {
	case kernelAVX512:
		sumRows64AVX512(&sums[0], &src[0], cols, len(sums), stride)
	case kernelAVX2:
		sumRows64AVX2(&sums[0], &src[0], cols, len(sums), stride)
	default:
		sumRowsGeneric(sums, src, cols, stride)
	}
}

func scaleBlock64(k kernel, dst []float64, f *factor[float64]) {
	switch k {
	case kernelAVX512:
		scaleBlock64AVX512(&dst[0], len(dst), f)
	case kernelAVX2:
		scaleBlock64AVX2(&dst[0], len(dst), f)
	default:
		scaleBlockGeneric(dst, f)
	}
}

func expScaleBlock64(k kernel, dst, src []float64, ref *reference[float64], f *factor[float64]) {
	switch {
	case k == kernelAVX512 && f.careful:
		expScaleCareBlock64AVX512(&dst[0], &src[0], len(src), ref, f)
	case k == kernelAVX512:
		expScaleBlock64AVX512(&dst[0], &src[0], len(src), ref, f)
	case k == kernelAVX2 && f.careful:
		expScaleCareBlock64AVX2(&dst[0], &src[0], len(src), ref, f)
	case k == kernelAVX2:
		expScaleBlock64AVX2(&dst[0], &src[0], len(src), ref, f)
	default:
		expScaleBlockGeneric(dst, src, ref, f)
	}
}

// expScaleStream64 is expScaleBlock64 that stores past the caches, likewise.
func expScaleStream64(k kernel, dst, src []float64, ref *reference[float64], f *factor[float64]) {
	switch k {
	case kernelAVX512:
		expScaleStreamBlock64AVX512(&dst[0], &src[0], len(src), ref, f)
	case kernelAVX2:
		expScaleStreamBlock64AVX2(&dst[0], &src[0], len(src), ref, f)
	default:
		expScaleBlockGeneric(dst, src, ref, f)
	}
}

func subtractBlock64(k kernel, dst, src []float64, m, rest float64) {
	switch k {
	case kernelAVX512:
		subtractBlock64AVX512(&dst[0], &src[0], len(src), m, rest)
	case kernelAVX2:
		subtractBlock64AVX2(&dst[0], &src[0], len(src), m, rest)
	default:
		subtractBlockGeneric(dst, src, m, rest)
	}
}

// transposeSide is the side of a square that transpose32 and transpose64 take, in
// bytes. They transpose whole squares, along the longer side.
const transposeSide = 32

func transpose32(dst, src []float32, rows, cols, dstStride, srcStride int) {
	if lines := rows &^ 15; cols > rows && lines > 0 {
		transposeLinesAVX2(&dst[0], &src[0], lines, cols, dstStride, srcStride)
		if lines == rows {
			return
		}
		dst, src, rows = dst[lines:], src[lines*srcStride:], rows-lines
	}
	transposeAVX2(&dst[0], &src[0], rows, cols, dstStride, srcStride)
}

func transpose64(dst, src []float64, rows, cols, dstStride, srcStride int) {
	if lines := rows &^ 7; cols > rows && lines > 0 {
		transposeLines64AVX2(&dst[0], &src[0], lines, cols, dstStride, srcStride)
		if lines == rows {
			return
		}
		dst, src, rows = dst[lines:], src[lines*srcStride:], rows-lines
	}
	transpose64AVX2(&dst[0], &src[0], rows, cols, dstStride, srcStride)
}

//go:noescape
func softmaxBlocksAVX512(dst, src *float32, cols, rows, dstStride, srcStride int)

//go:noescape
func maxBlockAVX512(src *float32, n int) float32

//go:noescape
func hasNaNBlockAVX512(src *float32, n int) bool

//go:noescape
func expBlockAVX512(dst, src *float32, n int, ref *reference[float32]) (sum float64, large bool)

//go:noescape
func sumBlockAVX512(src *float32, n int, ref *reference[float32]) (sum float64, large bool)

//go:noescape
func sumRowsAVX512(sums *rowSum[float32], src *float32, cols, rows, stride int)

//go:noescape
func scaleBlockAVX512(dst *float32, n int, f *factor[float32])

//go:noescape
func expScaleBlockAVX512(dst, src *float32, n int, ref *reference[float32], f *factor[float32])

//go:noescape
func expScaleStreamBlockAVX512(dst, src *float32, n int, ref *reference[float32], f *factor[float32])

//go:noescape
func expScaleCareBlockAVX512(dst, src *float32, n int, ref *reference[float32], f *factor[float32])

//go:noescape
func subtractBlockAVX512(dst, src *float32, n int, m, rest float32)

//go:noescape
func softmaxBlocks64AVX512(dst, src *float64, cols, rows, dstStride, srcStride int)

//go:noescape
func maxBlock64AVX512(src *float64, n int) float64

//go:noescape
func hasNaNBlock64AVX512(src *float64, n int) bool

//go:noescape
func expBlock64AVX512(dst, src *float64, n int, ref *reference[float64]) (sum doubleDouble, large bool)

//go:noescape
func sumBlock64AVX512(src *float64, n int, ref *reference[float64]) (sum doubleDouble, large bool)

//go:noescape
func sumRows64AVX512(sums *rowSum[float64], src *float64, cols, rows, stride int)

//go:noescape
func scaleBlock64AVX512(dst *float64, n int, f *factor[float64])

//go:noescape
func expScaleBlock64AVX512(dst, src *float64, n int, ref *reference[float64], f *factor[float64])

//go:noescape
func expScaleStreamBlock64AVX512(dst, src *float64, n int, ref *reference[float64], f *factor[float64])

//go:noescape
func expScaleCareBlock64AVX512(dst, src *float64, n int, ref *reference[float64], f *factor[float64])

//go:noescape
func subtractBlock64AVX512(dst, src *float64, n int, m, rest float64)

//go:noescape
func softmaxBlocksAVX2(dst, src *float32, cols, rows, dstStride, srcStride int)

//go:noescape
func softmaxShortAVX2(dst, src *float32, cols, rows, dstStride, srcStride int)

//go:noescape
func maxBlockAVX2(src *float32, n int) float32

//go:noescape
func hasNaNBlockAVX2(src *float32, n int) bool

//go:noescape
func expBlockAVX2(dst, src *float32, n int, ref *reference[float32]) (sum float64, large bool)

//go:noescape
func sumBlockAVX2(src *float32, n int, ref *reference[float32]) (sum float64, large bool)

//go:noescape
func sumRowsAVX2(sums *rowSum[float32], src *float32, cols, rows, stride int)

//go:noescape
func scaleBlockAVX2(dst *float32, n int, f *factor[float32])

//go:noescape
func expScaleBlockAVX2(dst, src *float32, n int, ref *reference[float32], f *factor[float32])

//go:noescape
func expScaleStreamBlockAVX2(dst, src *float32, n int, ref *reference[float32], f *factor[float32])

//go:noescape
func expScaleCareBlockAVX2(dst, src *float32, n int, ref *reference[float32], f *factor[float32])

//go:noescape
func subtractBlockAVX2(dst, src *float32, n int, m, rest float32)

//go:noescape
func softmaxBlocks64AVX2(dst, src *float64, cols, rows, dstStride, srcStride int)

//go:noescape
func maxBlock64AVX2(src *float64, n int) float64

//go:noescape
func hasNaNBlock64AVX2(src *float64, n int) bool

//go:noescape
func expBlock64AVX2(dst, src *float64, n int, ref *reference[float64]) (sum doubleDouble, large bool)

//go:noescape
func sumBlock64AVX2(src *float64, n int, ref *reference[float64]) (sum doubleDouble, large bool)

//go:noescape
func sumRows64AVX2(sums *rowSum[float64], src *float64, cols, rows, stride int)

//go:noescape
func scaleBlock64AVX2(dst *float64, n int, f *factor[float64])

//go:noescape
func expScaleBlock64AVX2(dst, src *float64, n int, ref *reference[float64], f *factor[float64])

//go:noescape
func expScaleStreamBlock64AVX2(dst, src *float64, n int, ref *reference[float64], f *factor[float64])

//go:noescape
func expScaleCareBlock64AVX2(dst, src *float64, n int, ref *reference[float64], f *factor[float64])

//go:noescape
func subtractBlock64AVX2(dst, src *float64, n int, m, rest float64)

//go:noescape
func transposeAVX2(dst, src *float32, rows, cols, dstStride, srcStride int)

//go:noescape
func transpose64AVX2(dst, src *float64, rows, cols, dstStride, srcStride int)

//go:noescape
func transposeLinesAVX2(dst, src *float32, rows, cols, dstStride, srcStride int)

//go:noescape
func transposeLines64AVX2(dst, src *float64, rows, cols, dstStride, srcStride int)
