//go:build !purego

package softmax

// This file connects the kernel in assembly for arm64. Every processor that Go
// supports there has NEON.

// availableKernels returns the kernels that run here, the best first.
func availableKernels() []kernel { return []kernel{kernelNEON, kernelGeneric} }

func softmaxBlocks32(k kernel, dst, src *float32, cols, rows, dstStride, srcStride int) {
	switch {
	case k == kernelNEON && 4 <= cols && cols <= 32:
		softmaxShortNEON(dst, src, cols, rows, dstStride, srcStride)
	case k == kernelNEON:
		softmaxBlocksNEON(dst, src, cols, rows, dstStride, srcStride)
	default:
		softmaxBlocksGeneric(dst, src, cols, rows, dstStride, srcStride)
	}
}

func maxBlock32(k kernel, src []float32) float32 {
	if k == kernelNEON {
		return maxBlockNEON(&src[0], len(src))
	}
	return maxGeneric(src)
}

func hasNaNBlock32(k kernel, src []float32) bool {
	if k == kernelNEON {
		return hasNaNBlockNEON(&src[0], len(src))
	}
	return hasNaNGeneric(src)
}

func expBlock32(k kernel, dst, src []float32, ref *reference[float32]) (sum doubleDouble, large bool) {
	if k == kernelNEON {
		sum.hi, large = expBlockNEON(&dst[0], &src[0], len(src), ref)
		return sum, large
	}
	return expBlockGeneric(dst, src, ref)
}

func sumBlock32(k kernel, src []float32, ref *reference[float32]) (sum doubleDouble, large bool) {
	if k == kernelNEON {
		sum.hi, large = sumBlockNEON(&src[0], len(src), ref)
		return sum, large
	}
	return sumBlockGeneric(src, ref)
}

func expBlocks32(_ kernel, dst, src *float32, blocks int, scans *blockScan[float32]) (done int) {
	return expBlocksNEON(dst, src, blocks, scans)
}

func sumBlocks32(_ kernel, src *float32, blocks int, scans *blockScan[float32]) (done int) {
	return sumBlocksNEON(src, blocks, scans)
}

func sumRows32(k kernel, sums *rowSum[float32], src *float32, cols, rows, stride int) {
	if k == kernelNEON {
		sumRowsNEON(sums, src, cols, rows, stride)
		return
	}
	sumRowsGeneric(sums, src, cols, rows, stride)
}

// shortLog is 0 because logSoftmaxShort and logSumExpShort do nothing here.
const shortLog = 0

func logSoftmaxShort(_ kernel, dst, src *float32, cols, rows, dstStride, srcStride int) (done int) {
	return 0
}

func logSumExpShort(_ kernel, dst, src *float32, cols, rows, stride int) (done int) { return 0 }

func scaleBlock32(k kernel, dst []float32, f *factor[float32]) {
	if k == kernelNEON {
		scaleBlockNEON(&dst[0], len(dst), f)
		return
	}
	scaleBlockGeneric(dst, f)
}

func expScaleBlock32(k kernel, dst, src []float32, ref *reference[float32], f *factor[float32]) {
	switch {
	case k == kernelNEON && f.careful:
		expScaleCareBlockNEON(&dst[0], &src[0], len(src), ref, f)
	case k == kernelNEON:
		expScaleBlockNEON(&dst[0], &src[0], len(src), ref, f)
	default:
		expScaleBlockGeneric(dst, src, ref, f)
	}
}

// expScaleStream32 is expScaleBlock32: canStream says that no kernel here stores
// past the caches.
func expScaleStream32(k kernel, dst, src []float32, ref *reference[float32], f *factor[float32]) {
	expScaleBlock32(k, dst, src, ref, f)
}

func subtractBlock32(k kernel, dst, src []float32, m, rest float32) {
	if k == kernelNEON {
		subtractBlockNEON(&dst[0], &src[0], len(src), m, rest)
		return
	}
	subtractBlockGeneric(dst, src, m, rest)
}

func softmaxBlocks64(k kernel, dst, src *float64, cols, rows, dstStride, srcStride int) {
	switch k {
	case kernelNEON:
		softmaxBlocks64NEON(dst, src, cols, rows, dstStride, srcStride)
	default:
		softmaxBlocksGeneric(dst, src, cols, rows, dstStride, srcStride)
	}
}

func maxBlock64(k kernel, src []float64) float64 {
	if k == kernelNEON {
		return maxBlock64NEON(&src[0], len(src))
	}
	return maxGeneric(src)
}

func hasNaNBlock64(k kernel, src []float64) bool {
	if k == kernelNEON {
		return hasNaNBlock64NEON(&src[0], len(src))
	}
	return hasNaNGeneric(src)
}

func expBlock64(k kernel, dst, src []float64, ref *reference[float64]) (sum doubleDouble, large bool) {
	if k == kernelNEON {
		return expBlock64NEON(&dst[0], &src[0], len(src), ref)
	}
	return expBlockGeneric(dst, src, ref)
}

func sumBlock64(k kernel, src []float64, ref *reference[float64]) (sum doubleDouble, large bool) {
	if k == kernelNEON {
		return sumBlock64NEON(&src[0], len(src), ref)
	}
	return sumBlockGeneric(src, ref)
}

func expBlocks64(_ kernel, dst, src *float64, blocks int, scans *blockScan[float64]) (done int) {
	return expBlocks64NEON(dst, src, blocks, scans)
}

func sumBlocks64(_ kernel, src *float64, blocks int, scans *blockScan[float64]) (done int) {
	return sumBlocks64NEON(src, blocks, scans)
}

func sumRows64(k kernel, sums *rowSum[float64], src *float64, cols, rows, stride int) {
	if k == kernelNEON {
		sumRows64NEON(sums, src, cols, rows, stride)
		return
	}
	sumRowsGeneric(sums, src, cols, rows, stride)
}

func scaleBlock64(k kernel, dst []float64, f *factor[float64]) {
	if k == kernelNEON {
		scaleBlock64NEON(&dst[0], len(dst), f)
		return
	}
	scaleBlockGeneric(dst, f)
}

func expScaleBlock64(k kernel, dst, src []float64, ref *reference[float64], f *factor[float64]) {
	switch {
	case k == kernelNEON && f.careful:
		expScaleCareBlock64NEON(&dst[0], &src[0], len(src), ref, f)
	case k == kernelNEON:
		expScaleBlock64NEON(&dst[0], &src[0], len(src), ref, f)
	default:
		expScaleBlockGeneric(dst, src, ref, f)
	}
}

// expScaleStream64 is expScaleBlock64: canStream says that no kernel here stores
// past the caches.
func expScaleStream64(k kernel, dst, src []float64, ref *reference[float64], f *factor[float64]) {
	expScaleBlock64(k, dst, src, ref, f)
}

func subtractBlock64(k kernel, dst, src []float64, m, rest float64) {
	if k == kernelNEON {
		subtractBlock64NEON(&dst[0], &src[0], len(src), m, rest)
		return
	}
	subtractBlockGeneric(dst, src, m, rest)
}

// scoreBlock is scoreBlockGeneric. The functions in assembly want a whole vector.
func scoreBlock(k kernel, dst, src []float32, s *scoring) float32 {
	if k == kernelNEON && len(src) >= 4 {
		return scoreBlockNEON(&dst[0], &src[0], len(src), s)
	}
	return scoreBlockGeneric(dst, src, s)
}

// undefinedBlock is undefinedBlockGeneric.
func undefinedBlock(k kernel, dst []float32, s *scoring) {
	if k == kernelNEON && len(dst) >= 4 {
		undefinedBlockNEON(&dst[0], len(dst), s)
		return
	}
	undefinedBlockGeneric(dst, s)
}

func softmaxBlock(k kernel, x []float32, m float32) {
	switch {
	case k == kernelNEON && 4 <= len(x) && len(x) <= 32:
		softmaxShortNEON(&x[0], &x[0], len(x), 1, 0, 0)
	case k == kernelNEON:
		softmaxBlockNEON(&x[0], len(x), m)
	default:
		softmaxBlockGeneric(x, m)
	}
}

// softmaxScaled has no function in assembly here, and neither has softmaxHalf.
func softmaxScaled(_ kernel, dst, src []float32, cols, rows, dstStride, srcStride, n, step int, scale, sink float32) (done int) {
	return 0
}

func softmaxHalf[D, S Float](kernel, []D, []S) bool { return false }

func widenFloat16(k kernel, dst []float32, src []Float16) float32 {
	if k == kernelNEON && len(src) >= 4 {
		return widenFloat16NEON(&dst[0], &src[0], len(src))
	}
	return widenFloat16Generic(dst, src)
}

func widenBFloat16(k kernel, dst []float32, src []BFloat16) float32 {
	if k == kernelNEON && len(src) >= 4 {
		return widenBFloat16NEON(&dst[0], &src[0], len(src))
	}
	return widenBFloat16Generic(dst, src)
}

func narrowFloat16(k kernel, dst []Float16, src []float32) {
	if k == kernelNEON && len(src) >= 4 {
		narrowFloat16NEON(&dst[0], &src[0], len(src))
		return
	}
	narrowFloat16Generic(dst, src)
}

func narrowBFloat16(k kernel, dst []BFloat16, src []float32) {
	if k == kernelNEON && len(src) >= 4 {
		narrowBFloat16NEON(&dst[0], &src[0], len(src))
		return
	}
	narrowBFloat16Generic(dst, src)
}

// transposeSide is the side of a square that transpose32 and the other transpositions take, in
// bytes. They transpose whole squares, along the longer side.
const transposeSide = 16

func transpose32(dst, src []float32, rows, cols, dstStride, srcStride int) {
	strip := cols
	if cols > rows {
		strip = 4
	}
	for c := 0; c < cols; c += strip {
		transposeNEON(&dst[c*dstStride], &src[c], rows, strip, dstStride, srcStride)
	}
}

func transpose64(dst, src []float64, rows, cols, dstStride, srcStride int) {
	strip := cols
	if cols > rows {
		strip = 2
	}
	for c := 0; c < cols; c += strip {
		transpose64NEON(&dst[c*dstStride], &src[c], rows, strip, dstStride, srcStride)
	}
}

// transpose16 goes by strips, like transpose32.
func transpose16(dst, src []uint16, rows, cols, dstStride, srcStride int) {
	strip := cols
	if cols > rows {
		strip = 8
	}
	for c := 0; c < cols; c += strip {
		transpose16NEON(&dst[c*dstStride], &src[c], rows, strip, dstStride, srcStride)
	}
}

//go:noescape
func softmaxBlocksNEON(dst, src *float32, cols, rows, dstStride, srcStride int)

//go:noescape
func softmaxShortNEON(dst, src *float32, cols, rows, dstStride, srcStride int)

//go:noescape
func maxBlockNEON(src *float32, n int) float32

//go:noescape
func hasNaNBlockNEON(src *float32, n int) bool

//go:noescape
func expBlockNEON(dst, src *float32, n int, ref *reference[float32]) (sum float64, large bool)

//go:noescape
func expBlocksNEON(dst, src *float32, blocks int, scans *blockScan[float32]) (done int)

//go:noescape
func sumBlocksNEON(src *float32, blocks int, scans *blockScan[float32]) (done int)

//go:noescape
func sumBlockNEON(src *float32, n int, ref *reference[float32]) (sum float64, large bool)

//go:noescape
func sumRowsNEON(sums *rowSum[float32], src *float32, cols, rows, stride int)

//go:noescape
func scaleBlockNEON(dst *float32, n int, f *factor[float32])

//go:noescape
func expScaleBlockNEON(dst, src *float32, n int, ref *reference[float32], f *factor[float32])

//go:noescape
func expScaleCareBlockNEON(dst, src *float32, n int, ref *reference[float32], f *factor[float32])

//go:noescape
func subtractBlockNEON(dst, src *float32, n int, m, rest float32)

//go:noescape
func softmaxBlocks64NEON(dst, src *float64, cols, rows, dstStride, srcStride int)

//go:noescape
func maxBlock64NEON(src *float64, n int) float64

//go:noescape
func hasNaNBlock64NEON(src *float64, n int) bool

//go:noescape
func expBlock64NEON(dst, src *float64, n int, ref *reference[float64]) (sum doubleDouble, large bool)

//go:noescape
func expBlocks64NEON(dst, src *float64, blocks int, scans *blockScan[float64]) (done int)

//go:noescape
func sumBlocks64NEON(src *float64, blocks int, scans *blockScan[float64]) (done int)

//go:noescape
func sumBlock64NEON(src *float64, n int, ref *reference[float64]) (sum doubleDouble, large bool)

//go:noescape
func sumRows64NEON(sums *rowSum[float64], src *float64, cols, rows, stride int)

//go:noescape
func scaleBlock64NEON(dst *float64, n int, f *factor[float64])

//go:noescape
func expScaleBlock64NEON(dst, src *float64, n int, ref *reference[float64], f *factor[float64])

//go:noescape
func expScaleCareBlock64NEON(dst, src *float64, n int, ref *reference[float64], f *factor[float64])

//go:noescape
func subtractBlock64NEON(dst, src *float64, n int, m, rest float64)

//go:noescape
func scoreBlockNEON(dst, src *float32, n int, s *scoring) float32

//go:noescape
func undefinedBlockNEON(dst *float32, n int, s *scoring)

//go:noescape
func softmaxBlockNEON(x *float32, n int, m float32)

//go:noescape
func widenFloat16NEON(dst *float32, src *Float16, n int) float32

//go:noescape
func widenBFloat16NEON(dst *float32, src *BFloat16, n int) float32

//go:noescape
func narrowFloat16NEON(dst *Float16, src *float32, n int)

//go:noescape
func narrowBFloat16NEON(dst *BFloat16, src *float32, n int)

//go:noescape
func transposeNEON(dst, src *float32, rows, cols, dstStride, srcStride int)

//go:noescape
func transpose64NEON(dst, src *float64, rows, cols, dstStride, srcStride int)

//go:noescape
func transpose16NEON(dst, src *uint16, rows, cols, dstStride, srcStride int)

func addWeighted32(k kernel, to, from *columnSums, parts []weightedPart, src []float32, cols int) {
	if k == kernelNEON {
		addWeightedNEON(to, from, &parts[0], len(parts), &src[0], cols)
		return
	}
	addWeightedGeneric(to, from, parts, src, cols)
}

func addWeighted64(k kernel, to, from *columnSums, parts []weightedPart, src []float64, cols int) {
	if k == kernelNEON {
		addWeighted64NEON(to, from, &parts[0], len(parts), &src[0], cols)
		return
	}
	addWeightedGeneric(to, from, parts, src, cols)
}

// roundSums32 is roundSumsGeneric, and so is roundSums64. The functions in assembly want a
// whole vector.
func roundSums32(k kernel, dst []float32, sums *columnSums) {
	if k == kernelNEON && len(dst) >= 4 {
		roundSumsNEON(&dst[0], sums, len(dst))
		return
	}
	roundSumsGeneric(dst, sums)
}

func roundSums64(k kernel, dst []float64, sums *columnSums) {
	if k == kernelNEON && len(dst) >= 2 {
		roundSums64NEON(&dst[0], sums, len(dst))
		return
	}
	roundSumsGeneric(dst, sums)
}

//go:noescape
func addWeightedNEON(to, from *columnSums, parts *weightedPart, n int, src *float32, cols int)

//go:noescape
func addWeighted64NEON(to, from *columnSums, parts *weightedPart, n int, src *float64, cols int)

//go:noescape
func roundSumsNEON(dst *float32, sums *columnSums, n int)

//go:noescape
func roundSums64NEON(dst *float64, sums *columnSums, n int)
