package softmax

// This file is what the first pass over a row reads: blocks in the type that they
// are computed in, whatever they are made of.

import "math"

// rowSource is a row. Its elements are of type T and computed in type C. Blocks of
// elements that are not the logits themselves, but converted to C or made scores
// of, are read into dst, if there is one, or else into buffer.
type rowSource[T Float, C native] struct {
	elements []T
	buffer   []C

	// Only for attention scores, of type float32.
	scores *scoreRow // how elements become logits; nil if they are
	masked bool      // nothing but -Inf is allowed
	column int       // of the first element
	sink   *float32  // another logit, if not nil: a block of its own
}

// largest returns the maximum of a row, if m is that of its elements.
func (s *rowSource[T, C]) largest(m C) C {
	if s.sink != nil {
		return max(m, C(*s.sink))
	}
	return m
}

// isNear reports whether a block with maximum m, and the sink, say nothing against
// an anchor of 0 for the row.
func (s *rowSource[T, C]) isNear(m C) bool { return isNear(m) && (s.sink == nil || isNear(C(*s.sink))) }

// blockEnd returns the index at which the block of the element at an index ends.
// Blocks are counted from column 0.
func (s *rowSource[T, C]) blockEnd(at int) int {
	return (at+s.column)/blockLen[C]()*blockLen[C]() + blockLen[C]() - s.column
}

// wholeBlocks returns the logits from index at on if a whole block of them starts there, and
// if they are what is added; or else nothing.
func (s *rowSource[T, C]) wholeBlocks(at int) []C {
	if !isNative[C, T]() || s.scores != nil || s.sink != nil || s.column != 0 || at%blockLen[C]() != 0 || len(s.elements)-at < blockLen[C]() {
		return nil
	}
	return castSlice[C](s.elements[at:])
}

// read returns the part of a block from index at on, and its maximum: any value if
// there is a NaN.
func (s *rowSource[T, C]) read(k kernel, dst []C, at int) (block []C, m C) {
	end := min(s.blockEnd(at), len(s.elements))
	if s.scores != nil {
		return dst[at:end], C(s.scores.block(k, as32(dst[at:end]), as32(s.elements[at:end]), s.column+at))
	}
	if dst != nil {
		return readBlock(k, dst[at:end], s.elements[at:end])
	}
	return readBlock(k, s.buffer, s.elements[at:end])
}

// maxFrom returns the largest element from index at on, which it reads.
func (s *rowSource[T, C]) maxFrom(k kernel, dst []C, at int) C {
	m := C(math.Inf(-1))
	for at < len(s.elements) {
		block, top := s.read(k, dst, at)
		m = max(m, top)
		at += len(block)
	}
	return m
}

// readBlock returns what nativeBlock does, and its maximum: any value if there is a
// NaN.
func readBlock[C native, T Float](k kernel, buffer []C, src []T) (block []C, m C) {
	if isNative[C, T]() {
		block = castSlice[C](src)
		return block, maxBlock(k, block)
	}
	block = buffer[:len(src)]
	return block, C(widen(k, as32(block), src))
}

// nativeBlock returns the elements of a block in the type that they are computed in,
// converted in buffer if that is another one.
func nativeBlock[C native, T Float](k kernel, buffer []C, src []T) []C {
	if isNative[C, T]() {
		return castSlice[C](src)
	}
	widen(k, as32(buffer), src)
	return buffer[:len(src)]
}

// storeBlock converts a block back if nativeBlock has converted it.
func storeBlock[T Float, C native](k kernel, dst []T, block []C) {
	if !isNative[C, T]() {
		narrow(k, dst, as32(block))
	}
}

// sumOffAnchor is scanBlock of a block whose anchor is not that of the row, whose maximum
// is top.
func sumOffAnchor[C native](k kernel, block []C, m, top C) blockScan[C] {
	if math.IsInf(float64(m), 0) || anchorsApart(anchorOf(top), anchorOf(m)) > 1 {
		return infiniteBlock(k, block, C(math.Inf(-1)))
	}
	return scanBlock(k, block, m)
}

// expScan stores the exponentials of a block with maximum m in dst and adds them.
func expScan[C native](k kernel, dst, block []C, m, bias C) blockScan[C] {
	ref := newReference(m, bias)
	sum, large := expBlock(k, dst[:len(block)], block, &ref)
	if sum.undefined() {
		m = nan[C]()
	}
	return blockScan[C]{m, sum, ref.shift, large}
}

// addSink adds the sink. It has no probability of its own that could want care.
func (s *rowSource[T, C]) addSink(k kernel, r *rowScan[C]) {
	if s.sink != nil {
		sink := [1]C{C(*s.sink)}
		r.observe(sink[0], -farShift, true)
		r.sum.add(scanBlock(k, sink[:], sink[0]))
	}
}
