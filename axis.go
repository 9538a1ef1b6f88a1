package softmax

// This file is for arrays of any rank, along any axis.

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"unsafe"
)

// SoftmaxAxis writes the softmax along one axis of the array src to dst. Both are
// row-major (C order) with the given shape; their lengths are the product of its
// dimensions. A negative axis counts from the end: -1 is the last.
//
// dst and src may be the same slice; any other overlap panics. An array without
// elements is left as it is. Each lane along the axis gets the bits that
// [Softmax] returns for its values alone, with the same accuracy and special
// values.
//
// The last axis is the quickest. Lanes along another are gathered in a buffer on
// the stack, 16 or more at a time where they have up to 1024 elements (float32)
// or 512 (float64), and fewer where they are longer.
//
// SoftmaxAxis panics, before anything is written, if a dimension is negative, if
// the lengths are not those of the shape, if there is no such axis, or if dst and
// src overlap without being the same slice.
//
// Source: it is scipy.special.softmax(src, axis), tf.nn.softmax(src, axis) and
// torch.nn.Softmax(axis)(src).
func SoftmaxAxis[T Float](dst, src []T, shape []int, axis int) {
	a := checkAxis("SoftmaxAxis", src, shape, axis)
	if checkVectors("SoftmaxAxis", dst, src) {
		alongAxis(active, opSoftmax, dst, src, a)
	}
}

// LogSoftmaxAxis writes the log-softmax along one axis of the array src to dst.
// What [SoftmaxAxis] says of shapes, aliasing, speed and panics holds here too.
// Each lane gets the bits that [LogSoftmax] returns for its values alone.
//
// Source: it is scipy.special.log_softmax(src, axis), tf.nn.log_softmax(src,
// axis) and torch.nn.LogSoftmax(axis)(src).
func LogSoftmaxAxis[T Float](dst, src []T, shape []int, axis int) {
	a := checkAxis("LogSoftmaxAxis", src, shape, axis)
	if checkVectors("LogSoftmaxAxis", dst, src) {
		alongAxis(active, opLogSoftmax, dst, src, a)
	}
}

// LogSumExpAxis writes the log-sum-exp along one axis of the array src to dst,
// which has that shape without the axis, and shares no element with src. What
// [SoftmaxAxis] says of shapes and speed holds here too. Each element gets the
// bits that [LogSumExp] returns for the values of its lane alone: -Inf if the
// axis has no elements.
//
// LogSumExpAxis panics, before anything is written, if a dimension is negative,
// if a length is not that of its shape, if there is no such axis, or if dst and
// src overlap.
//
// Source: it is scipy.special.logsumexp(src, axis), tf.reduce_logsumexp(src,
// axis) and torch.logsumexp(src, axis).
func LogSumExpAxis[T Float](dst, src []T, shape []int, axis int) {
	a := checkAxis("LogSumExpAxis", src, shape, axis)
	if len(dst) != a.outer*a.inner {
		panic(fmt.Sprintf("softmax: LogSumExpAxis: len(dst)=%d, shape %v without axis %d holds %d",
			len(dst), slices.Clone(shape), axis, a.outer*a.inner))
	}
	if overlap(dst, src) {
		panic("softmax: LogSumExpAxis: dst and src overlap")
	}
	if len(src) == 0 {
		fill(dst, fromFloat[T](math.Inf(-1)))
		return
	}
	alongAxis(active, opLogSumExp, dst, src, a)
}

// axisLanes are the lanes along an axis: element r of lane (o, i) stands at
// (o*n + r)*inner + i.
type axisLanes struct{ outer, n, inner int }

// checkAxis panics unless src has the shape, and the shape the axis. It returns
// the lanes along it.
func checkAxis[T Float](function string, src []T, shape []int, axis int) axisLanes {
	// Messages get a copy of shape, so that the caller's does not escape.
	along := axis
	if axis < 0 {
		along += len(shape)
	}
	if along < 0 || along >= len(shape) {
		panic(fmt.Sprintf("softmax: %s: axis %d, shape %v has %d axes", function, axis, slices.Clone(shape), len(shape)))
	}
	for _, n := range shape {
		if n < 0 {
			panic(fmt.Sprintf("softmax: %s: shape %v has a negative dimension", function, slices.Clone(shape)))
		}
	}
	a := axisLanes{volume(shape[:along]), shape[along], volume(shape[along+1:])}
	if volume(shape) != len(src) || volume([]int{a.outer, a.inner}) < 0 {
		panic(fmt.Sprintf("softmax: %s: len(src)=%d does not match shape %v", function, len(src), slices.Clone(shape)))
	}
	return a
}

// volume returns the product of dimensions, or a negative number if that is more
// than an int can tell.
func volume(shape []int) int {
	if slices.Contains(shape, 0) {
		return 0
	}
	v := 1
	for _, n := range shape {
		high, low := bits.Mul(uint(v), uint(n))
		if high != 0 || low > math.MaxInt {
			return math.MinInt
		}
		v = int(low)
	}
	return v
}

const (
	// Lanes are gathered in a buffer on the stack: one that costs little to clear
	// if that is enough for all, or one for 16 lanes of 1024 float32.
	smallBuffer = 4 << 10
	largeBuffer = 16 * (1024*4 + lanePad)

	// lanePad bytes stand between gathered lanes, so that elements of one index do
	// not all fall into the same set of a cache.
	lanePad = 64

	// fewestLanes are gathered at a time. Longer ones go block by block.
	fewestLanes = 4
)

// alongAxis computes all lanes. No dimension is 0.
func alongAxis[T Float](k kernel, op operation, dst, src []T, a axisLanes) {
	switch pitch := a.pitch(int(unsafe.Sizeof(src[0]))); {
	case a.inner == 1:
		rowsAlong(k, op, dst, src, a.n, a.outer, a.n, a.n)
	case a.outer*a.inner <= smallBuffer/pitch:
		var buffer [smallBuffer / 8]float64
		gatherLanes(k, op, dst, src, viewed[T](buffer[:]), a)
	case fewestLanes <= largeBuffer/pitch:
		var buffer [largeBuffer / 8]float64
		gatherLanes(k, op, dst, src, viewed[T](buffer[:]), a)
	case is32[T]():
		gatherBlocks[float32, float32](k, op, as32(dst), as32(src), a)
	case is64[T]():
		gatherBlocks[float64, float64](k, op, as64(dst), as64(src), a)
	default:
		gatherBlocks[T, float32](k, op, dst, src, a)
	}
}

// pitch returns the bytes from one gathered lane to the next.
func (a *axisLanes) pitch(size int) int {
	if a.n < 16 {
		return a.n * size
	}
	return a.n*size + lanePad
}

// viewed views a buffer as elements of another type.
func viewed[T Float](buffer []float64) []T {
	var element T
	return unsafe.Slice((*T)(unsafe.Pointer(&buffer[0])), len(buffer)*8/int(unsafe.Sizeof(element)))
}

// gatherLanes computes lanes whole, as many at a time as the buffer holds.
func gatherLanes[T Float](k kernel, op operation, dst, src, buffer []T, a axisLanes) {
	size := int(unsafe.Sizeof(src[0]))
	stride := a.pitch(size) / size
	most := len(buffer) / stride
	if most > 16 {
		most &^= 15 // whole cache lines of src
	}
	lanes := a.outer * a.inner
	for first := 0; first < lanes; first += most {
		count := min(most, lanes-first)
		a.eachRun(first, count, func(lane, at, run int) {
			transpose(k, buffer[(lane-first)*stride:], src[at:], a.n, run, stride, a.inner)
		})
		if op == opLogSumExp {
			rowsAlong(k, op, dst[first:], buffer, a.n, count, 0, stride)
			continue
		}
		rowsAlong(k, op, buffer, buffer, a.n, count, stride, stride)
		a.eachRun(first, count, func(lane, at, run int) {
			transpose(k, dst[at:], buffer[(lane-first)*stride:], run, a.n, a.inner, stride)
		})
	}
}

// eachRun calls f for each run of lanes that lie side by side, among count lanes
// from first on, with its first lane and where that starts.
func (a *axisLanes) eachRun(first, count int, f func(lane, at, run int)) {
	for lane, end := first, first+count; lane < end; {
		i := lane % a.inner
		run := min(a.inner-i, end-lane)
		f(lane, lane/a.inner*a.n*a.inner+i, run)
		lane += run
	}
}

// gatherBlocks computes long lanes, a few at a time, one block after the other.
func gatherBlocks[T Float, C native](k kernel, op operation, dst, src []T, a axisLanes) {
	var buffer [fewestLanes * (blockBytes + lanePad) / 8]float64
	var wide [blockBytes / 8]float64
	lanes := a.outer * a.inner
	for first := 0; first < lanes; first += fewestLanes {
		a.eachRun(first, min(fewestLanes, lanes-first), func(lane, at, run int) {
			var totals [fewestLanes]rowTotal[C]
			g := laneGroup[T, C]{k, src[at:], viewed[T](buffer[:]), viewed[C](wide[:]), a.n, a.inner, totals[:run]}
			g.scan()
			if op == opLogSumExp {
				g.logSumExp(dst[lane:])
			} else {
				g.write(op, dst[at:])
			}
		})
	}
}

// laneGroup is a few lanes that lie side by side in src, from its start on.
type laneGroup[T Float, C native] struct {
	k        kernel
	src      []T
	buffer   []T // room for a block of fewestLanes lanes
	wide     []C // room for a block of one, for elements that are computed in another type
	n, inner int // length of a lane, and distance of its elements
	totals   []rowTotal[C]
}

// eachBlock calls f for each block of n elements of each lane, in index order. If
// dst is not nil, what f makes of the block goes to its place in dst. The block is
// no argument of f, because it would escape to the heap.
func (g *laneGroup[T, C]) eachBlock(dst []T, f func(lane, n int)) {
	for first := 0; first < g.n; first += blockLen[C]() {
		n, at := min(blockLen[C](), g.n-first), first*g.inner
		transpose(g.k, g.buffer, g.src[at:], n, len(g.totals), g.stride(), g.inner)
		for lane := range g.totals {
			f(lane, n)
		}
		if dst != nil {
			transpose(g.k, dst[at:], g.buffer, len(g.totals), n, g.inner, g.stride())
		}
	}
}

// stride is that of the lanes in buffer.
func (g *laneGroup[T, C]) stride() int { return len(g.buffer) / fewestLanes }

// gathered is the block of a lane that eachBlock is at, block and read what
// nativeBlock and readBlock return of it.
func (g *laneGroup[T, C]) gathered(lane, n int) []T { return g.buffer[lane*g.stride():][:n] }
func (g *laneGroup[T, C]) block(lane, n int) []C {
	return nativeBlock(g.k, g.wide, g.gathered(lane, n))
}
func (g *laneGroup[T, C]) read(lane, n int) ([]C, C) {
	return readBlock(g.k, g.wide, g.gathered(lane, n))
}

// scan does for each lane what the function scan does for a row.
func (g *laneGroup[T, C]) scan() {
	var scans [fewestLanes]rowScan[C]
	for lane := range scans {
		scans[lane] = newScan[C]()
	}
	g.eachBlock(nil, func(lane, n int) {
		block, m := g.read(lane, n)
		scans[lane].add(scanBlock(g.k, block, m))
	})
	for lane := range g.totals {
		g.totals[lane] = scans[lane].total()
	}
}

// write computes the results of a softmax or log-softmax.
func (g *laneGroup[T, C]) write(op operation, dst []T) {
	var rests [fewestLanes]C
	for lane := range g.totals {
		log := g.totals[lane].logSum()
		rests[lane] = C(log.hi + log.lo)
	}
	g.eachBlock(dst, func(lane, n int) {
		t, block := &g.totals[lane], g.block(lane, n)
		if op == opSoftmax {
			t.write(g.k, block, block, false)
		} else {
			subtractRow(g.k, block, block, t.top, rests[lane])
		}
		storeBlock(g.k, g.gathered(lane, n), block)
	})
}

// logSumExp sets the first elements of dst to the log-sum-exp of the lanes.
func (g *laneGroup[T, C]) logSumExp(dst []T) {
	for lane := range g.totals {
		t := &g.totals[lane]
		dst[lane] = fromNative[T](logSumExpFrom(t.top, t.logSum()))
	}
}
