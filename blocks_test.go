package softmax

// This file tests what kernels do where they need not wait for a maximum, and several
// blocks at once.

import (
	"fmt"
	"math"
	"testing"
)

// TestWindow has rows whose maximum is at an end of the window in which a kernel takes a
// fixed reference, or one unit in the last place beside it, at any place in the row.
func TestWindow(t *testing.T) { forEachKernel(t, testWindow) }

func testWindow(t *testing.T, k kernel) {
	inf := float32(math.Inf(1))
	r := rng(51)
	for _, n := range []int{1, 2, 7, 8, 9, 16, 17, 24, 31, 32, 33, 48, 49, 64, 65, 100, 129, 512, 513, 1000, block32} {
		src, got, want := make([]float32, n), make([]float32, n), make([]float32, n)
		for i, end := range []float32{windowLowest, windowTop} {
			for _, top := range []float32{math.Nextafter32(end, -inf), end, math.Nextafter32(end, inf)} {
				for _, depth := range []float32{0, 1, 30, 60, 110, 112, 130, 200, inf} {
					for j := range src {
						src[j] = top - depth*float32(r.Intn(1000))/1000
					}
					at := r.Intn(n)
					src[at], src[(at+n/2)%n] = top, top-depth
					for _, function := range rowFunctions[float32]() {
						function.run(kernelGeneric, want, src)
						function.run(k, got, src)
						checkBits(t, got, want, src, "%s, n=%d, end %d, top %v, depth %v", function.name, n, i, top, depth)
					}
				}
			}
		}
	}
}

// TestScoresSinkWindow has sinks around the end of the window, beside maxima on both sides
// of both ends.
func TestScoresSinkWindow(t *testing.T) {
	forEachKernel(t, func(t *testing.T, k kernel) {
		useKernel(t, k)
		for _, cols := range []int{1, 8, 20, 33, 64, 100, 600} {
			for _, top := range []float32{-20, windowLowest - 1, windowLowest, 3, windowTop, windowTop + 1, 40} {
				for _, sink := range []float32{-130, top - 1, windowTop - 1, windowTop, windowTop + 0.5, top + 15.5, top + 16.5, 60} {
					a := newAttention(familyNamed[float32]("normal1"), 2, cols, uint64(cols))
					for c := range a.logits {
						a.logits[c] = top - float32(c%3)
					}
					a.Sink = &sink
					a.check(t, cols)
				}
			}
		}
	})
}

// TestShortLogRows has matrices of short rows among which some are undefined, or have a maximum
// that is 0 or subnormal, alone or among equals: kernels leave these to others.
func TestShortLogRows(t *testing.T) { forEachKernel(t, testShortLogRows) }

func testShortLogRows(t *testing.T, k kernel) {
	useKernel(t, k)
	inf, tiny := float32(math.Inf(1)), math.Float32frombits(3)
	maxima := []float32{0, float32(math.Copysign(0, -1)), tiny, -tiny, math.Float32frombits(0x00800000), inf, -inf, nan[float32]()}
	families := familiesOf[float32]()
	for cols := 1; cols <= 40; cols++ {
		const rows = 70
		for stride := cols; stride <= cols+3; stride += 3 {
			src := Matrix[float32]{make([]float32, rows*stride), rows, cols, stride}
			for row := range rows {
				x := src.Data[row*stride:][:cols]
				families[(cols*7+row)%len(families)].FillRow(x, uint64(row))
				if row%3 != 1 {
					continue
				}
				top := maxima[row/3%len(maxima)]
				for i := range x {
					x[i] = -float32(i % 5 * (row % 2 * 60)) // others next to it, or far below, or equal
				}
				x[row%cols] = top
			}
			dst := Matrix[float32]{make([]float32, rows*stride), rows, cols, stride}
			sums, want := make([]float32, rows), make([]float32, cols)
			LogSoftmaxRows(dst, src)
			LogSumExpRows(sums, src)
			for row := range rows {
				x := src.Data[row*stride:][:cols]
				useKernel(t, kernelGeneric)
				LogSoftmax(want, x)
				sum := LogSumExp(x)
				useKernel(t, k)
				checkBits(t, dst.Data[row*stride:][:cols], want, x, "log-softmax of row %d of %d x %d", row, rows, cols)
				checkBits(t, sums[row:row+1], []float32{sum}, x, "log-sum-exp of row %d of %d x %d", row, rows, cols)
				checkBits(t, []float32{LogSumExp(x)}, []float32{sum}, x, "log-sum-exp of a row of %d", cols)
			}
			LogSoftmaxRows(src, src)
			for row := range rows {
				checkBits(t, src.Data[row*stride:][:cols], dst.Data[row*stride:][:cols], want, "log-softmax in place, row %d of %d x %d", row, rows, cols)
			}
		}
	}
}

// TestExpBlocks compares what expBlocks and sumBlocks tell of blocks with what expBlock does,
// and where they stop.
func TestExpBlocks(t *testing.T) {
	forEachKernelAndType(t, testExpBlocks[float32], testExpBlocks[float64])
}

func testExpBlocks[T native](t *testing.T, k kernel) {
	if k == kernelGeneric {
		t.Skip("kernel generic: it does one block per call")
	}
	length := blockLen[T]()
	n := blocksPerCall*length + length/2
	src, dst := newBuffer[T](n), newBuffer[T](n)
	want := make([]T, length)
	for i, family := range familiesOf[T]() {
		from, to := src.slice(n, i), dst.slice(n, 3*i+1)
		family.FillRow(from, uint64(i))
		var scans, sums [blocksPerCall]blockScan[T]
		done := expBlocks(k, to, from, &scans)
		dst.check(t, "expBlocks, %s", family.Name)
		if summed := sumBlocks(k, from, &sums); summed != done {
			t.Fatalf("%s: sumBlocks has done %d blocks, expBlocks %d", family.Name, summed, done)
		}
		for j := range blocksPerCall {
			block := from[j*length:][:length]
			m, undefined := maxGeneric(block), hasNaNGeneric(block)
			if j == done {
				if isNear(m) && !undefined {
					t.Fatalf("%s: expBlocks stops before block %d, whose maximum is %v", family.Name, j, m)
				}
				break
			}
			name := fmt.Sprintf("%s, block %d", family.Name, j)
			ref := newReference(m, tinyOf[T]())
			sum, large := expBlockGeneric(want, block, &ref)
			for _, b := range []*blockScan[T]{&scans[j], &sums[j]} {
				checkSums(t, name, b.sum, sum, b.large, large)
				if !undefined && (b.shift != ref.shift || b.top != m && !(isTiny(b.top) && isTiny(m))) {
					t.Fatalf("%s: got maximum %v, shift %d, want %v, %d", name, b.top, b.shift, m, ref.shift)
				}
			}
			if !undefined {
				checkBits(t, to[j*length:][:length], want, block, "expBlocks, %s", name)
			}
		}
		again := src.slice(n, i)
		family.FillRow(again, uint64(i))
		expBlocks(k, again, again, &sums)
		checkBits(t, again[:done*length], to[:done*length], to, "expBlocks in place, %s", family.Name)
		src.check(t, "expBlocks in place, %s", family.Name)
	}
}
