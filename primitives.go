//go:build !purego && (amd64 || arm64)

package softmax

// This file leads from the primitives of a kernel, for any element type, to those
// of one. CONTRIBUTING.md has their contracts.

import "unsafe"

func softmaxBlocks[T native](k kernel, dst, src *T, cols, rows, dstStride, srcStride int) {
	if is32[T]() {
		softmaxBlocks32(k, cast[float32](dst), cast[float32](src), cols, rows, dstStride, srcStride)
		return
	}
	softmaxBlocks64(k, cast[float64](dst), cast[float64](src), cols, rows, dstStride, srcStride)
}

func maxBlock[T native](k kernel, src []T) T {
	if is32[T]() {
		return T(maxBlock32(k, as32(src)))
	}
	return T(maxBlock64(k, as64(src)))
}

func hasNaNBlock[T native](k kernel, src []T) bool {
	if is32[T]() {
		return hasNaNBlock32(k, as32(src))
	}
	return hasNaNBlock64(k, as64(src))
}

func expBlock[T native](k kernel, dst, src []T, ref *reference[T]) (sum doubleDouble, large bool) {
	if is32[T]() {
		return expBlock32(k, as32(dst), as32(src), cast[reference[float32]](ref))
	}
	return expBlock64(k, as64(dst), as64(src), cast[reference[float64]](ref))
}

func sumBlock[T native](k kernel, src []T, ref *reference[T]) (sum doubleDouble, large bool) {
	if is32[T]() {
		return sumBlock32(k, as32(src), cast[reference[float32]](ref))
	}
	return sumBlock64(k, as64(src), cast[reference[float64]](ref))
}

// expBlocks computes the exponentials of whole blocks, at most len(scans) of them, and returns
// how many it has done: it ends before a block whose maximum is not near 0.
func expBlocks[T native](k kernel, dst, src []T, scans *[blocksPerCall]blockScan[T]) (done int) {
	blocks := min(len(src)/blockLen[T](), len(scans))
	switch {
	case k == kernelGeneric || blocks == 0:
		return 0
	case is32[T]():
		return expBlocks32(k, first[float32](dst), first[float32](src), blocks, cast[blockScan[float32]](&scans[0]))
	default:
		return expBlocks64(k, first[float64](dst), first[float64](src), blocks, cast[blockScan[float64]](&scans[0]))
	}
}

// sumBlocks is expBlocks without storing.
func sumBlocks[T native](k kernel, src []T, scans *[blocksPerCall]blockScan[T]) (done int) {
	blocks := min(len(src)/blockLen[T](), len(scans))
	switch {
	case k == kernelGeneric || blocks == 0:
		return 0
	case is32[T]():
		return sumBlocks32(k, first[float32](src), blocks, cast[blockScan[float32]](&scans[0]))
	default:
		return sumBlocks64(k, first[float64](src), blocks, cast[blockScan[float64]](&scans[0]))
	}
}

func sumRows[T native](k kernel, sums *rowSum[T], src *T, cols, rows, stride int) {
	if is32[T]() {
		sumRows32(k, cast[rowSum[float32]](sums), cast[float32](src), cols, rows, stride)
		return
	}
	sumRows64(k, cast[rowSum[float64]](sums), cast[float64](src), cols, rows, stride)
}

func scaleBlock[T native](k kernel, dst []T, f *factor[T]) {
	if is32[T]() {
		scaleBlock32(k, as32(dst), cast[factor[float32]](f))
		return
	}
	scaleBlock64(k, as64(dst), cast[factor[float64]](f))
}

func expScaleBlock[T native](k kernel, dst, src []T, ref *reference[T], f *factor[T]) {
	if is32[T]() {
		expScaleBlock32(k, as32(dst), as32(src), cast[reference[float32]](ref), cast[factor[float32]](f))
		return
	}
	expScaleBlock64(k, as64(dst), as64(src), cast[reference[float64]](ref), cast[factor[float64]](f))
}

func expScaleStream[T native](k kernel, dst, src []T, ref *reference[T], f *factor[T]) {
	if is32[T]() {
		expScaleStream32(k, as32(dst), as32(src), cast[reference[float32]](ref), cast[factor[float32]](f))
		return
	}
	expScaleStream64(k, as64(dst), as64(src), cast[reference[float64]](ref), cast[factor[float64]](f))
}

func subtractBlock[T native](k kernel, dst, src []T, m, rest T) {
	if is32[T]() {
		subtractBlock32(k, as32(dst), as32(src), float32(m), float32(rest))
		return
	}
	subtractBlock64(k, as64(dst), as64(src), float64(m), float64(rest))
}

// transpose is transposeGeneric: whole squares in assembly, and what is left of
// them in Go.
func transpose[T Float](k kernel, dst, src []T, rows, cols, dstStride, srcStride int) {
	side := transposeSide / int(unsafe.Sizeof(dst[0]))
	r, c := rows&-side, cols&-side
	if k == kernelGeneric || r == 0 || c == 0 {
		transposeGeneric(dst, src, rows, cols, dstStride, srcStride)
		return
	}
	switch {
	case is32[T]():
		transpose32(as32(dst), as32(src), r, c, dstStride, srcStride)
	case is64[T]():
		transpose64(as64(dst), as64(src), r, c, dstStride, srcStride)
	default:
		transpose16(castSlice[uint16](dst), castSlice[uint16](src), r, c, dstStride, srcStride)
	}
	if r < rows {
		transposeGeneric(dst[r:], src[r*srcStride:], rows-r, cols, dstStride, srcStride)
	}
	if c < cols {
		transposeGeneric(dst[c*dstStride:], src[c:], r, cols-c, dstStride, srcStride)
	}
}

// addWeighted is addWeightedGeneric, for at least one part and one column.
func addWeighted[T native](k kernel, to, from *columnSums, parts []weightedPart, src []T, cols int) {
	if is32[T]() {
		addWeighted32(k, to, from, parts, as32(src), cols)
		return
	}
	addWeighted64(k, to, from, parts, as64(src), cols)
}

// roundSums is roundSumsGeneric, for at least one column.
func roundSums[T native](k kernel, dst []T, sums *columnSums) {
	if is32[T]() {
		roundSums32(k, as32(dst), sums)
		return
	}
	roundSums64(k, as64(dst), sums)
}
