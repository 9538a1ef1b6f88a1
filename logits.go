package softmax

// This file is what the first pass over a row reads: blocks in the type that they
// are computed in, whatever they are made of.

import "math"

// logits is a row. Its elements are of type T and computed in type C. Blocks of
// elements that are not the logits themselves, but converted to C or made scores
// of, are read into dst, if there is one, or else into buffer.
type logits[T Float, C native] struct {
	elements []T
	buffer   []C

	// Only for attention scores, of type float32.
	scores *scoreRow // how elements become logits; nil if they are
	masked bool      // nothing but -Inf is allowed
	column int       // of the first element
	sink   *float32  // another logit, if not nil
	sinkAt int       // its index, which is not below len(elements)
}

// largest returns the maximum of a row, if m is that of its elements.
func (l *logits[T, C]) largest(m C) C {
	if l.sink != nil {
		return max(m, C(*l.sink))
	}
	return m
}

// isNear reports whether a block with maximum m, and the sink, say nothing against
// an anchor of 0 for the row.
func (l *logits[T, C]) isNear(m C) bool { return isNear(m) && (l.sink == nil || isNear(C(*l.sink))) }

// blockEnd returns the index at which the block of the element at an index ends.
// Blocks are counted from column 0.
func (l *logits[T, C]) blockEnd(at int) int {
	return (at+l.column)/blockLen[C]()*blockLen[C]() + blockLen[C]() - l.column
}

// read returns the part of a block from index at on, and its maximum: any value if
// there is a NaN.
func (l *logits[T, C]) read(k kernel, dst []C, at int) (block []C, m C) {
	end := min(l.blockEnd(at), len(l.elements))
	if l.scores != nil {
		return dst[at:end], C(l.scores.block(k, as32(dst[at:end]), as32(l.elements[at:end]), l.column+at))
	}
	if dst != nil {
		return readBlock(k, dst[at:end], l.elements[at:end])
	}
	return readBlock(k, l.buffer, l.elements[at:end])
}

// maxFrom returns the largest element from index at on, which it reads.
func (l *logits[T, C]) maxFrom(k kernel, dst []C, at int) C {
	m := C(math.Inf(-1))
	for at < len(l.elements) {
		block, top := l.read(k, dst, at)
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

// holdsSink reports whether the sink belongs to the block of the element at an index.
func (l *logits[T, C]) holdsSink(at int) bool { return l.sink != nil && l.sinkAt < l.blockEnd(at) }

// withSink returns the maximum of the block of the element at an index, if m is that
// of its elements.
func (l *logits[T, C]) withSink(at int, m C) C {
	if l.holdsSink(at) {
		return max(m, C(*l.sink))
	}
	return m
}

// scanBlock adds the exponentials of a block with maximum m, the sink's included, that
// stands at an index.
func (l *logits[T, C]) scanBlock(k kernel, block []C, at int, m C) blockScan[C] {
	if !l.holdsSink(at) || math.IsInf(float64(m), 0) {
		return scanBlock(k, block, m)
	}
	return l.expBlock(k, l.buffer, block, at, m, rowBias(m))
}

// otherSum is scanBlock of a block whose anchor is not that of the row, whose maximum
// is top. It needs no buffer.
func (l *logits[T, C]) otherSum(k kernel, block []C, at int, m, top C) blockScan[C] {
	switch {
	case math.IsInf(float64(m), 0) || anchorsApart(anchorOf(top), anchorOf(m)) > 1:
		return infiniteBlock(k, block, C(math.Inf(-1)))
	case l.holdsSink(at):
		var buffer [blockBytes / 8]float64
		return l.expBlock(k, viewed[C](buffer[:]), block, at, m, rowBias(m))
	default:
		return scanBlock(k, block, m)
	}
}

// expBlock stores the exponentials of a block in dst and adds them.
func (l *logits[T, C]) expBlock(k kernel, dst, block []C, at int, m, bias C) blockScan[C] {
	ref := newReference(m, bias)
	b := blockScan[C]{top: m, shift: ref.shift}
	if dst = dst[:len(block)]; l.holdsSink(at) {
		b.sum, b.large = expWithSink(k, as32(dst), as32(block), float32(m), *l.sink, l.sinkAt-at, cast[reference[float32]](&ref))
	} else {
		short, differs := shortSum(k, block, m, &ref) // before dst is written, which may be block
		if b.sum, b.large = expBlock(k, dst, block, &ref); differs {
			b.sum = short
		}
	}
	if b.sum.undefined() {
		b.top = nan[C]()
	}
	return b
}

// addSink adds a sink that has no other element in its block.
func (l *logits[T, C]) addSink(k kernel, r *rowScan[C]) {
	if l.sink != nil && !l.holdsSink(len(l.elements)-1) {
		sink := [1]C{C(*l.sink)}
		r.add(scanBlock(k, sink[:], sink[0]))
	}
}

// softmaxWithSink is softmaxBlock for a block that has another logit at index at, which is
// not below len(x).
func softmaxWithSink(k kernel, x []float32, m, sink float32, at int) {
	m = max(m, sink)
	if at < fewElements {
		var buffer [fewElements]float32
		row := buffer[:at+1]
		end := copy(row, x)
		fill(row[end:], float32(math.Inf(-1)))
		row[at] = sink
		softmaxBlock(k, row, m)
		copy(x, row)
		return
	}
	ref := newReference(m, rowBias(m))
	sum, large := expWithSink(k, x, x, m, sink, at, &ref)
	if sum.undefined() {
		fillNaN(x)
		return
	}
	f := newFactor[float32](sum, 0, needsCare[float32](sum, 0, large))
	scaleBlock(k, x, &f)
}

// expWithSink is expBlock for a block with maximum m that has another logit at index at,
// which is not below len(src): its exponential counts in the sum.
func expWithSink(k kernel, dst, src []float32, m, sink float32, at int, ref *reference[float32]) (sum doubleDouble, large bool) {
	lanes, large := newLaneSums[float32](), true
	group := at &^ 31
	before := min(group, len(src))
	if before > 0 {
		_, large = expLanes(k, dst[:before], src[:before], ref, &lanes)
	}
	var last [32]float32
	end := copy(last[:], src[before:])
	fill(last[end:], float32(math.Inf(-1)))
	last[at-group] = sink
	rest := last[:at-group+1]
	short, differs := doubleDouble{}, false
	if group == 0 {
		short, differs = shortSum(k, rest, m, ref)
	}
	sum, lastLarge := expLanes(k, rest, rest, ref, &lanes)
	if differs {
		sum = short
	}
	copy(dst[before:], last[:end])
	return sum, large && lastLarge
}
