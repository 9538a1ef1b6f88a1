package main

// This file does an operation on the lanes of an array that may be larger than
// memory.
//
// Lanes are worked on whole, as many at a time as make a piece, unless they are too
// long for that. Then they are read in chunks, and twice: once for their sums, and
// once to be normalised. A softmax.Accumulator makes the same bits of that. Either
// way memory is needed for no more than a few pieces.

import (
	"context"
	"errors"
	"io"
	"iter"
	"unsafe"

	"github.com/seed174f7dca/softmax"
)

// along is an array in C order along an axis: element i of lane (o, j) stands at
// (o*length + i)*inner + j.
type along struct{ outer, length, inner int }

// piece is a part of an array along an axis: elements first to first+rows of outers
// times inners lanes, of which (outer, inner) is the first. There is one outer only,
// unless the lanes are whole and all inner ones.
type piece struct{ outer, outers, first, rows, inner, inners int }

func (p piece) len() int { return p.outers * p.rows * p.inners }

// runs returns how the elements of a piece stand in the array: from element at on
// there are count runs of n elements, inner apart.
func (a along) runs(p piece) (at, count, n int) {
	at = (p.outer*a.length+p.first)*a.inner + p.inner
	if p.inners == a.inner {
		return at, 1, p.len()
	}
	return at, p.rows, p.inners
}

// sizes tells how large pieces are.
type sizes struct {
	piece  int // elements of a piece, unless lanes are longer
	beside int // lanes that are worked on together, if they lie side by side
}

// sizesOf returns the sizes for elements that are computed in type C. A piece of rows
// stays in the second cache until it is written. Of each row of lanes side by side a
// page or half of one is read and written at a time.
func sizesOf[C native]() sizes {
	const piece, page = 256 << 10, 4 << 10
	size := int(unsafe.Sizeof(C(0)))
	return sizes{piece / size, page / size}
}

// blockLen is a multiple of the length of blocks of a softmax.Accumulator, of every
// type.
const blockLen = 4096

// most is the largest number of elements of a piece.
func (s sizes) most() int { return max(s.piece, s.beside*blockLen) }

// areLong reports whether lanes are too long to be worked on whole.
func (s sizes) areLong(a along) bool { return a.length > s.most()/min(a.inner, s.beside) }

// wholeLanes cuts an array, which must not be empty, into pieces of whole lanes.
func (s sizes) wholeLanes(a along) iter.Seq[piece] {
	return func(yield func(piece) bool) {
		outers, inners := max(1, s.piece/(a.length*a.inner)), min(a.inner, s.most()/a.length)
		for o := 0; o < a.outer; o += outers {
			for j := 0; j < a.inner; j += inners {
				if !yield(piece{o, min(outers, a.outer-o), 0, a.length, j, min(inners, a.inner-j)}) {
					return
				}
			}
		}
	}
}

// longLanes cuts an array into groups of lanes that are worked on together.
func (s sizes) longLanes(a along) iter.Seq[piece] {
	return func(yield func(piece) bool) {
		for o := range a.outer {
			for j := 0; j < a.inner; j += s.beside {
				if !yield(piece{o, 1, 0, a.length, j, min(s.beside, a.inner-j)}) {
					return
				}
			}
		}
	}
}

// chunks cuts a group of long lanes into pieces that begin at a multiple of blockLen.
func (s sizes) chunks(group piece) iter.Seq[piece] {
	return func(yield func(piece) bool) {
		rows := max(1, s.piece/group.inners/blockLen) * blockLen
		for chunk := group; chunk.first < group.rows; chunk.first += rows {
			if chunk.rows = min(rows, group.rows-chunk.first); !yield(chunk) {
				return
			}
		}
	}
}

// job is an operation on the lanes of an array, which must not be empty. Its elements
// have type T and are computed in type C.
type job[T softmax.Float, C native] struct {
	op    string
	dst   io.WriterAt // for the elements of the result
	src   []byte      // the elements
	order byteOrder   // of dst and src
	array along
	sizes
	progress *progress

	// These are parts of a piece, kept to be used again.
	elements []T
	numbers  []C // the elements converted, if C is not T
	lanes    []C // the numbers transposed
}

// run does the work, until ctx is done.
func (j *job[T, C]) run(ctx context.Context) error {
	total := j.array.outer * j.array.length * j.array.inner
	if j.areLong(j.array) {
		if j.op != opLogSumExp {
			total *= 2 // they are read twice
		}
		j.progress.begin(j.op, total)
		for group := range j.longLanes(j.array) {
			if err := j.doLong(ctx, group); err != nil {
				return err
			}
		}
		return nil
	}
	j.progress.begin(j.op, total)
	for p := range j.wholeLanes(j.array) {
		if err := j.doWhole(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// doWhole works on lanes that are whole in a piece.
func (j *job[T, C]) doWhole(ctx context.Context, p piece) error {
	src := j.read(p)
	shape := []int{p.outers, p.rows, p.inners}
	if j.op == opLogSumExp {
		sums := make([]T, p.outers*p.inners)
		alongAxis(j.op, sums, src, shape, 1)
		if err := j.writeSums(p, sums); err != nil {
			return err
		}
	} else {
		results := resize(&j.elements, p.len())
		alongAxis(j.op, results, src, shape, 1)
		if err := j.write(j.array, p, results); err != nil {
			return err
		}
	}
	return j.done(ctx, p)
}

// doLong works on a group of long lanes.
func (j *job[T, C]) doLong(ctx context.Context, group piece) error {
	accumulators := make([]softmax.Accumulator[C], group.inners)
	for chunk := range j.chunks(group) {
		lanes, stride := j.readLanes(chunk)
		for i := range accumulators {
			accumulators[i].Add(lanes[i*stride:][:chunk.rows])
		}
		if err := j.done(ctx, chunk); err != nil {
			return err
		}
	}
	if j.op == opLogSumExp {
		sums := resize(&j.elements, group.inners)
		numbers := asNumbers(&j.numbers, sums)
		for i := range accumulators {
			numbers[i] = accumulators[i].LogSumExp()
		}
		narrowElements(sums, numbers)
		return j.writeSums(group, sums)
	}
	for chunk := range j.chunks(group) {
		lanes, stride := j.readLanes(chunk)
		results := resize(&j.elements, chunk.len())
		numbers := asNumbers(&j.numbers, results)
		if chunk.inners == 1 {
			normalise(j.op, &accumulators[0], numbers, lanes)
		} else {
			for i := range accumulators {
				lane := lanes[i*stride:][:chunk.rows]
				normalise(j.op, &accumulators[i], lane, lane)
			}
			transpose(numbers, lanes, chunk.inners, chunk.rows, chunk.inners, stride)
		}
		narrowElements(results, numbers)
		if err := j.write(j.array, chunk, results); err != nil {
			return err
		}
		if err := j.done(ctx, chunk); err != nil {
			return err
		}
	}
	return nil
}

// done counts a piece as done, and returns an error if no other is wanted.
func (j *job[T, C]) done(ctx context.Context, p piece) error {
	j.progress.add(p.len())
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	return nil
}

// read returns the elements of a piece, in C order. They are not to be changed,
// unless they are in j.elements.
func (j *job[T, C]) read(p piece) []T {
	at, count, n := j.array.runs(p)
	size := int(unsafe.Sizeof(T(0)))
	if count == 1 {
		if elements, ok := viewElements[T](j.src[at*size:][:n*size], j.order); ok {
			return elements
		}
	}
	elements := resize(&j.elements, p.len())
	for r := range count {
		decodeElements(elements[r*n:][:n], j.src[(at+r*j.array.inner)*size:], j.order)
	}
	return elements
}

// readLanes returns numbers of a piece of which each lane is contiguous, and the
// distance from one lane to the next. A single lane is not to be changed.
func (j *job[T, C]) readLanes(p piece) (lanes []C, stride int) {
	numbers := widenElements(&j.numbers, j.read(p))
	if p.inners == 1 {
		return numbers, p.rows
	}
	// Numbers a power of two apart would share a few sets of each cache.
	const pad = 16
	stride = p.rows + pad
	lanes = resize(&j.lanes, p.inners*stride)
	transpose(lanes, numbers, p.rows, p.inners, stride, p.inners)
	return lanes, stride
}

// write writes the elements of a piece of an array, whose memory it uses.
func (j *job[T, C]) write(array along, p piece, elements []T) error {
	at, count, n := array.runs(p)
	encoded, size := encodeElements(elements, j.order), int(unsafe.Sizeof(T(0)))
	for r := range count {
		if _, err := j.dst.WriteAt(encoded[r*n*size:][:n*size], int64(at+r*array.inner)*int64(size)); err != nil {
			return err
		}
	}
	return nil
}

// writeSums writes an element for each lane of a piece.
func (j *job[T, C]) writeSums(p piece, sums []T) error {
	p.first, p.rows = 0, 1
	return j.write(along{j.array.outer, 1, j.array.inner}, p, sums)
}

// transpose writes a matrix to dst, which gets its columns as rows.
func transpose[C native](dst, src []C, rows, cols, dstStride, srcStride int) {
	const tile = 8 // columns: what is written of each row fills a cache line in time
	for c := 0; c < cols; c += tile {
		for r := range rows {
			for i, x := range src[r*srcStride+c:][:min(tile, cols-c)] {
				dst[(c+i)*dstStride+r] = x
			}
		}
	}
}
