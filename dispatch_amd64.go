//go:build !purego

package softmax

// This file connects the kernels in assembly for amd64.

import (
	"math"
	"unsafe"

	"github.com/klauspost/cpuid/v2"
	"golang.org/x/sys/cpu"
)

// availableKernels returns the kernels that run here, the best first.
func availableKernels() []kernel {
	var kernels []kernel
	// AVX512VBMI2 stands for Ice Lake, Zen 4 and newer: processors that do not
	// lower their clock for 512-bit registers.
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL &&
		cpu.X86.HasAVX512VBMI2 && cpu.X86.HasBMI2 {
		kernels = append(kernels, kernelAVX512)
	}
	// Every processor with AVX2 is known to have F16C; package cpu does not tell.
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA && cpuid.CPU.Supports(cpuid.F16C) {
		kernels = append(kernels, kernelAVX2)
	}
	return append(kernels, kernelGeneric)
}

// Rows of so many elements stay in registers: those of float32 with AVX-512 and AVX2.
// AVX2 does rows of one of its vectors for AVX-512 too. For rows of more than longRow float32
// elements it pays to load the control register, so that subnormal numbers count as 0.
const (
	vectorAVX2  = 8
	shortAVX512 = 64
	shortAVX2   = 32
	longRow     = 512
	shortLog    = shortAVX2 // there logSoftmaxShort and logSumExpShort do something
)

func softmaxBlocks32(k kernel, dst, src *float32, cols, rows, dstStride, srcStride int) {
	switch {
	case k == kernelAVX512 && vectorAVX2 < cols && cols <= shortAVX512:
		softmaxShortAVX512(dst, src, cols, rows, dstStride, srcStride)
	case k != kernelGeneric && cols <= shortAVX2:
		softmaxShortAVX2(dst, src, cols, rows, dstStride, srcStride)
	case k != kernelGeneric && cols > longRow:
		softmaxLongRows(k, dst, src, cols, rows, dstStride, srcStride)
	case k == kernelAVX512:
		softmaxBlocksAVX512(dst, src, cols, rows, dstStride, srcStride)
	case k == kernelAVX2:
		softmaxBlocksAVX2(dst, src, cols, rows, dstStride, srcStride)
	default:
		softmaxBlocksGeneric(dst, src, cols, rows, dstStride, srcStride)
	}
}

// softmaxLongRows computes rows of more than longRow elements.
func softmaxLongRows(k kernel, dst, src *float32, cols, rows, dstStride, srcStride int) {
	for row := range rows {
		d, s := elementAt(dst, row*dstStride), elementAt(src, row*srcStride)
		switch {
		case k == kernelAVX512 && !softmaxLongAVX512(d, s, cols):
			softmaxBlocksAVX512(d, s, cols, 1, 0, 0)
		case k == kernelAVX2 && !softmaxLongAVX2(d, s, cols):
			softmaxBlocksAVX2(d, s, cols, 1, 0, 0)
		}
	}
}

// elementAt returns a pointer to element i of those from p on.
func elementAt[T any](p *T, i int) *T {
	return (*T)(unsafe.Add(unsafe.Pointer(p), i*int(unsafe.Sizeof(*p))))
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

func expBlocks32(k kernel, dst, src *float32, blocks int, scans *blockScan[float32]) (done int) {
	if k == kernelAVX512 {
		return expBlocksAVX512(dst, src, blocks, scans)
	}
	return expBlocksAVX2(dst, src, blocks, scans)
}

func sumBlocks32(k kernel, src *float32, blocks int, scans *blockScan[float32]) (done int) {
	if k == kernelAVX512 {
		return sumBlocksAVX512(src, blocks, scans)
	}
	return sumBlocksAVX2(src, blocks, scans)
}

func sumRows32(k kernel, sums *rowSum[float32], src *float32, cols, rows, stride int) {
	switch {
	case k != kernelGeneric && cols <= shortAVX2:
		sumShortAVX2(sums, src, cols, rows, stride)
	case k != kernelGeneric && cols > longRow:
		sumLongRows(k, sums, src, cols, rows, stride)
	case k == kernelAVX512:
		sumRowsAVX512(sums, src, cols, rows, stride)
	case k == kernelAVX2:
		sumRowsAVX2(sums, src, cols, rows, stride)
	default:
		sumRowsGeneric(sums, src, cols, rows, stride)
	}
}

// sumLongRows is sumRows32 for rows of more than longRow elements.
func sumLongRows(k kernel, sums *rowSum[float32], src *float32, cols, rows, stride int) {
	for row := range rows {
		sum, s := elementAt(sums, row), elementAt(src, row*stride)
		switch {
		case k == kernelAVX512 && !sumLongAVX512(sum, s, cols):
			sumRowsAVX512(sum, s, cols, 1, 0)
		case k == kernelAVX2 && !sumLongAVX2(sum, s, cols):
			sumRowsAVX2(sum, s, cols, 1, 0)
		}
	}
}

// logSoftmaxShort computes the log-softmax of short rows of float32, and returns how many it has
// done: it stops before one that logSumRows has to do, and may do none.
func logSoftmaxShort(k kernel, dst, src *float32, cols, rows, dstStride, srcStride int) (done int) {
	if k == kernelGeneric || cols > shortLog {
		return 0
	}
	return logSoftmaxShortAVX2(dst, src, cols, rows, dstStride, srcStride)
}

// logSumExpShort is that for the log-sum-exp, one element of dst for each row.
func logSumExpShort(k kernel, dst, src *float32, cols, rows, stride int) (done int) {
	if k == kernelGeneric || cols > shortLog {
		return 0
	}
	return logSumExpShortAVX2(dst, src, cols, rows, stride)
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
	switch {
	case k == kernelAVX512 && len(src) > shortAVX2:
		subtractBlockAVX512(&dst[0], &src[0], len(src), m, rest)
	case k != kernelGeneric:
		subtractBlockAVX2(&dst[0], &src[0], len(src), m, rest)
	default:
		subtractBlockGeneric(dst, src, m, rest)
	}
}

func softmaxBlocks64(k kernel, dst, src *float64, cols, rows, dstStride, srcStride int) {
	switch k {
	case kernelAVX512:
		softmaxBlocks64AVX512(dst, src, cols, rows, dstStride, srcStride)
	case kernelAVX2:
		softmaxBlocks64AVX2(dst, src, cols, rows, dstStride, srcStride)
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

func expBlocks64(k kernel, dst, src *float64, blocks int, scans *blockScan[float64]) (done int) {
	if k == kernelAVX512 {
		return expBlocks64AVX512(dst, src, blocks, scans)
	}
	return expBlocks64AVX2(dst, src, blocks, scans)
}

func sumBlocks64(k kernel, src *float64, blocks int, scans *blockScan[float64]) (done int) {
	if k == kernelAVX512 {
		return sumBlocks64AVX512(src, blocks, scans)
	}
	return sumBlocks64AVX2(src, blocks, scans)
}

func sumRows64(k kernel, sums *rowSum[float64], src *float64, cols, rows, stride int) {
	switch k {
	case kernelAVX512:
		sumRows64AVX512(sums, src, cols, rows, stride)
	case kernelAVX2:
		sumRows64AVX2(sums, src, cols, rows, stride)
	default:
		sumRowsGeneric(sums, src, cols, rows, stride)
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

// expScaleStream64 is expScaleStream32 for float64: n must be a multiple of 32.
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

// tanhTwice has each row of tanhTable twice, for registers of sixteen elements.
//
//lint:ignore U1000 Only assembly reads it.
var tanhTwice = func() (twice [len(tanhTable)][16]float32) {
	for i, row := range tanhTable {
		copy(twice[i][:8], row[:])
		copy(twice[i][8:], row[:])
	}
	return twice
}()

// scoreBlock is scoreBlockGeneric. The functions in assembly want a whole vector, and
// take subnormal numbers for 0.
func scoreBlock(k kernel, dst, src []float32, s *scoring) float32 {
	switch {
	case s.flush == 0:
		return scoreBlockGeneric(dst, src, s)
	case k == kernelAVX512 && len(src) >= 16:
		return scoreBlockAVX512(&dst[0], &src[0], len(src), s)
	case k != kernelGeneric && len(src) >= 8:
		return scoreBlockAVX2(&dst[0], &src[0], len(src), s)
	default:
		return scoreBlockGeneric(dst, src, s)
	}
}

// undefinedBlock is undefinedBlockGeneric.
func undefinedBlock(k kernel, dst []float32, s *scoring) {
	switch {
	case k == kernelAVX512 && len(dst) >= 16:
		undefinedBlockAVX512(&dst[0], len(dst), s)
	case k != kernelGeneric && len(dst) >= 8:
		undefinedBlockAVX2(&dst[0], len(dst), s)
	default:
		undefinedBlockGeneric(dst, s)
	}
}

func softmaxBlock(k kernel, x []float32, m float32) {
	switch {
	case k == kernelGeneric:
		softmaxBlockGeneric(x, m)
	case len(x) <= longRow || !(math.Abs(float64(m)) < exactLimit):
		// To look for the maximum again costs less than loading the control register.
		softmaxBlocks32(k, &x[0], &x[0], len(x), 1, 0, 0)
	case k == kernelAVX512:
		softmaxBlockAVX512(&x[0], len(x), m)
	default:
		softmaxBlockAVX2(&x[0], len(x), m)
	}
}

// softmaxScaled computes the softmax of rows whose scores are src times a scale for
// which mayFlush is true, with a sink whose anchor is 0, or -Inf for none. The first has n
// elements, each further one step more but at most cols, and what is behind them is set to
// 0. It returns how many rows are done: it may stop before any row.
func softmaxScaled(k kernel, dst, src []float32, cols, rows, dstStride, srcStride, n, step int, scale, sink float32) (done int) {
	switch k {
	case kernelAVX512:
		return softmaxScaledAVX512(&dst[0], &src[0], cols, rows, dstStride, srcStride, n, step, scale, sink)
	case kernelAVX2:
		return softmaxScaledAVX2(&dst[0], &src[0], cols, rows, dstStride, srcStride, n, step, scale, sink)
	default:
		return 0
	}
}

// elementFormat names an element type to assembly.
type elementFormat uint8

const (
	formatFloat32 elementFormat = iota
	formatFloat16
	formatBFloat16
)

func elementFormatOf[T Float]() elementFormat {
	switch {
	case is32[T]():
		return formatFloat32
	case isFloat16[T]():
		return formatFloat16
	default:
		return formatBFloat16
	}
}

// softmaxHalf computes the softmax of a block, dst or src or both of elements of 16
// bits. It may return false, and has done nothing then.
func softmaxHalf[D, S Float](k kernel, dst []D, src []S) bool {
	switch {
	case k == kernelAVX512 && len(src) >= 16:
		softmaxHalfAVX512(unsafe.Pointer(&dst[0]), unsafe.Pointer(&src[0]), len(src), elementFormatOf[S](), elementFormatOf[D]())
	case k != kernelGeneric && len(src) >= 8:
		softmaxHalfAVX2(unsafe.Pointer(&dst[0]), unsafe.Pointer(&src[0]), len(src), elementFormatOf[S](), elementFormatOf[D]())
	default:
		return false
	}
	return true
}

func widenFloat16(k kernel, dst []float32, src []Float16) float32 {
	switch {
	case k == kernelAVX512 && len(src) >= 16:
		return widenFloat16AVX512(&dst[0], &src[0], len(src))
	case k != kernelGeneric && len(src) >= 8:
		return widenFloat16AVX2(&dst[0], &src[0], len(src))
	default:
		return widenFloat16Generic(dst, src)
	}
}

func widenBFloat16(k kernel, dst []float32, src []BFloat16) float32 {
	switch {
	case k == kernelAVX512 && len(src) >= 16:
		return widenBFloat16AVX512(&dst[0], &src[0], len(src))
	case k != kernelGeneric && len(src) >= 8:
		return widenBFloat16AVX2(&dst[0], &src[0], len(src))
	default:
		return widenBFloat16Generic(dst, src)
	}
}

func narrowFloat16(k kernel, dst []Float16, src []float32) {
	switch {
	case k == kernelAVX512 && len(src) >= 16:
		narrowFloat16AVX512(&dst[0], &src[0], len(src))
	case k != kernelGeneric && len(src) >= 8:
		narrowFloat16AVX2(&dst[0], &src[0], len(src))
	default:
		narrowFloat16Generic(dst, src)
	}
}

func narrowBFloat16(k kernel, dst []BFloat16, src []float32) {
	switch {
	case k == kernelAVX512 && len(src) >= 16:
		narrowBFloat16AVX512(&dst[0], &src[0], len(src))
	case k != kernelGeneric && len(src) >= 8:
		narrowBFloat16AVX2(&dst[0], &src[0], len(src))
	default:
		narrowBFloat16Generic(dst, src)
	}
}

// transposeSide is the side of a square that transpose32 and the other transpositions take, in
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

// transpose16 goes by strips of a square's width.
func transpose16(dst, src []uint16, rows, cols, dstStride, srcStride int) {
	strip := cols
	if cols > rows {
		strip = 8
	}
	for c := 0; c < cols; c += strip {
		transpose16AVX2(&dst[c*dstStride], &src[c], rows, strip, dstStride, srcStride)
	}
}

//go:noescape
func softmaxBlocksAVX512(dst, src *float32, cols, rows, dstStride, srcStride int)

//go:noescape
func softmaxShortAVX512(dst, src *float32, cols, rows, dstStride, srcStride int)

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
func expBlocks64AVX512(dst, src *float64, blocks int, scans *blockScan[float64]) (done int)

//go:noescape
func sumBlocks64AVX512(src *float64, blocks int, scans *blockScan[float64]) (done int)

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
func logSoftmaxShortAVX2(dst, src *float32, cols, rows, dstStride, srcStride int) (done int)

//go:noescape
func logSumExpShortAVX2(dst, src *float32, cols, rows, stride int) (done int)

//go:noescape
func sumShortAVX2(sums *rowSum[float32], src *float32, cols, rows, stride int)

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
func expBlocks64AVX2(dst, src *float64, blocks int, scans *blockScan[float64]) (done int)

//go:noescape
func sumBlocks64AVX2(src *float64, blocks int, scans *blockScan[float64]) (done int)

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
func scoreBlockAVX512(dst, src *float32, n int, s *scoring) float32

//go:noescape
func expBlocksAVX512(dst, src *float32, blocks int, scans *blockScan[float32]) (done int)

//go:noescape
func sumBlocksAVX512(src *float32, blocks int, scans *blockScan[float32]) (done int)

//go:noescape
func softmaxLongAVX512(dst, src *float32, n int) (done bool)

//go:noescape
func sumLongAVX512(sum *rowSum[float32], src *float32, n int) (done bool)

//go:noescape
func softmaxBlockAVX512(x *float32, n int, m float32)

//go:noescape
func softmaxScaledAVX512(dst, src *float32, cols, rows, dstStride, srcStride, n, step int, scale, sink float32) (done int)

//go:noescape
func softmaxHalfAVX512(dst, src unsafe.Pointer, n int, from, to elementFormat)

//go:noescape
func widenFloat16AVX512(dst *float32, src *Float16, n int) float32

//go:noescape
func widenBFloat16AVX512(dst *float32, src *BFloat16, n int) float32

//go:noescape
func narrowFloat16AVX512(dst *Float16, src *float32, n int)

//go:noescape
func narrowBFloat16AVX512(dst *BFloat16, src *float32, n int)

//go:noescape
func scoreBlockAVX2(dst, src *float32, n int, s *scoring) float32

//go:noescape
func undefinedBlockAVX512(dst *float32, n int, s *scoring)

//go:noescape
func undefinedBlockAVX2(dst *float32, n int, s *scoring)

//go:noescape
func expBlocksAVX2(dst, src *float32, blocks int, scans *blockScan[float32]) (done int)

//go:noescape
func sumBlocksAVX2(src *float32, blocks int, scans *blockScan[float32]) (done int)

//go:noescape
func softmaxLongAVX2(dst, src *float32, n int) (done bool)

//go:noescape
func sumLongAVX2(sum *rowSum[float32], src *float32, n int) (done bool)

//go:noescape
func softmaxBlockAVX2(x *float32, n int, m float32)

//go:noescape
func softmaxScaledAVX2(dst, src *float32, cols, rows, dstStride, srcStride, n, step int, scale, sink float32) (done int)

//go:noescape
func softmaxHalfAVX2(dst, src unsafe.Pointer, n int, from, to elementFormat)

//go:noescape
func widenFloat16AVX2(dst *float32, src *Float16, n int) float32

//go:noescape
func widenBFloat16AVX2(dst *float32, src *BFloat16, n int) float32

//go:noescape
func narrowFloat16AVX2(dst *Float16, src *float32, n int)

//go:noescape
func narrowBFloat16AVX2(dst *BFloat16, src *float32, n int)

//go:noescape
func transposeAVX2(dst, src *float32, rows, cols, dstStride, srcStride int)

//go:noescape
func transpose64AVX2(dst, src *float64, rows, cols, dstStride, srcStride int)

//go:noescape
func transposeLinesAVX2(dst, src *float32, rows, cols, dstStride, srcStride int)

//go:noescape
func transposeLines64AVX2(dst, src *float64, rows, cols, dstStride, srcStride int)

//go:noescape
func transpose16AVX2(dst, src *uint16, rows, cols, dstStride, srcStride int)

func addWeighted32(k kernel, to, from *columnSums, parts []weightedPart, src []float32, cols int) {
	switch k {
	case kernelAVX512:
		addWeightedAVX512(to, from, &parts[0], len(parts), &src[0], cols)
	case kernelAVX2:
		addWeightedAVX2(to, from, &parts[0], len(parts), &src[0], cols)
	default:
		addWeightedGeneric(to, from, parts, src, cols)
	}
}

func addWeighted64(k kernel, to, from *columnSums, parts []weightedPart, src []float64, cols int) {
	switch k {
	case kernelAVX512:
		addWeighted64AVX512(to, from, &parts[0], len(parts), &src[0], cols)
	case kernelAVX2:
		addWeighted64AVX2(to, from, &parts[0], len(parts), &src[0], cols)
	default:
		addWeightedGeneric(to, from, parts, src, cols)
	}
}

// roundSums32 is roundSumsGeneric, and so is roundSums64. The functions for AVX2 want a
// whole vector.
func roundSums32(k kernel, dst []float32, sums *columnSums) {
	switch {
	case k == kernelAVX512:
		roundSumsAVX512(&dst[0], sums, len(dst))
	case k == kernelAVX2 && len(dst) >= 4:
		roundSumsAVX2(&dst[0], sums, len(dst))
	default:
		roundSumsGeneric(dst, sums)
	}
}

func roundSums64(k kernel, dst []float64, sums *columnSums) {
	switch {
	case k == kernelAVX512:
		roundSums64AVX512(&dst[0], sums, len(dst))
	case k == kernelAVX2 && len(dst) >= 4:
		roundSums64AVX2(&dst[0], sums, len(dst))
	default:
		roundSumsGeneric(dst, sums)
	}
}

//go:noescape
func addWeightedAVX512(to, from *columnSums, parts *weightedPart, n int, src *float32, cols int)

//go:noescape
func addWeightedAVX2(to, from *columnSums, parts *weightedPart, n int, src *float32, cols int)

//go:noescape
func addWeighted64AVX512(to, from *columnSums, parts *weightedPart, n int, src *float64, cols int)

//go:noescape
func addWeighted64AVX2(to, from *columnSums, parts *weightedPart, n int, src *float64, cols int)

//go:noescape
func roundSumsAVX512(dst *float32, sums *columnSums, n int)

//go:noescape
func roundSumsAVX2(dst *float32, sums *columnSums, n int)

//go:noescape
func roundSums64AVX512(dst *float64, sums *columnSums, n int)

//go:noescape
func roundSums64AVX2(dst *float64, sums *columnSums, n int)
