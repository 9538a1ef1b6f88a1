package softmax

// This file compares every kernel with the one in Go, bit for bit.

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"unsafe"

	"github.com/seed174f7dca/softmax/internal/corpus"
)

// shortLen is the largest length of which no one is left out.
const shortLen = 1100

// longLens are lengths around those where something changes.
func longLens[T native]() []int {
	block := blockLen[T]()
	lens := []int{1500, 2047, 2048, 2049, 3000, 4000}
	for n := block - 17; n <= block+35; n++ {
		lens = append(lens, n)
	}
	for _, blocks := range []int{2, 3, 4, 5, 8, 16} {
		lens = append(lens, blocks*block-1, blocks*block, blocks*block+1)
	}
	if !reduced() { // computed twice from here on
		stored := storedLen[T]()
		lens = append(lens, stored, stored+1, stored+block+17)
	}
	slices.Sort(lens)
	return slices.Compact(lens)
}

// storedLen returns the length of the longest row whose exponentials are stored.
func storedLen[T native]() int { return storedBytes * alignments[T]() / 64 }

// TestKernelRows is the promise of the same bits, for every length up to
// shortLen, every alignment, in place and not.
func TestKernelRows(t *testing.T) {
	forEachKernelAndType(t, testKernelRows[float32], testKernelRows[float64])
}

func testKernelRows[T native](t *testing.T, k kernel) {
	src, dst := newBuffer[T](shortLen), newBuffer[T](shortLen)
	want := make([]T, shortLen)
	all := alignments[T]()
	for n := 1; n <= shortLen; n++ {
		for i, family := range familiesOf[T]() {
			if n > 100 && !chosen(n+i, 7) {
				continue
			}
			row, want := family.MakeRow(n, 1), want[:n]
			for j, function := range rowFunctions[T]() {
				// The logarithms have little of their own.
				if j > 0 && n > 100 && (n+i)%5 > 0 {
					continue
				}
				function.run(kernelGeneric, want, row)
				// Above some lengths each family sees a few of the alignments, and all
				// families together see all.
				first, step := 0, 1
				switch {
				case k == kernelGeneric || j > 0:
					first, step = (n+i)%all, all
				case n > 100 && !*exhaustive:
					first, step = (n+i)%(all/2), all/2
				}
				for offset := first; offset < all; offset += step {
					from := src.slice(n, offset)
					copy(from, row)
					to := dst.slice(n, offset*7+n)
					function.run(k, to, from)
					checkBits(t, to, want, row, "%s of %s, n=%d, offset %d", function.name, family.Name, n, offset)
					dst.check(t, "%s of %s, n=%d, offset %d", function.name, family.Name, n, offset)
					checkBits(t, from, row, row, "%s of %s, n=%d, offset %d: src changed", function.name, family.Name, n, offset)
					function.run(k, from, from)
					checkBits(t, from, want, row, "%s of %s, n=%d, offset %d, in place", function.name, family.Name, n, offset)
					src.check(t, "%s of %s, n=%d, offset %d, in place", function.name, family.Name, n, offset)
				}
			}
		}
	}
}

func TestKernelLongRows(t *testing.T) {
	forEachKernelAndType(t, testKernelLongRows[float32], testKernelLongRows[float64])
}

func testKernelLongRows[T native](t *testing.T, k kernel) {
	lens, families := longLens[T](), familiesOf[T]()
	largest := lens[len(lens)-1]
	src, dst := newBuffer[T](largest), newBuffer[T](largest)
	row, want := make([]T, largest), make([]T, largest)
	for i, n := range lens {
		// The longest each have a part of the families.
		step := max(1, n/(16*blockLen[T]()))
		if *exhaustive {
			step = 1
		}
		for j := i % step; j < len(families); j += step {
			if !chosen(i+j, 7) {
				continue
			}
			row, want, name := row[:n], want[:n], families[j].Name
			families[j].FillRow(row, 2)
			for l, function := range rowFunctions[T]() {
				if l > 0 && (i+j+l)%5 > 0 {
					continue
				}
				function.run(kernelGeneric, want, row)
				from := src.slice(n, i+j)
				copy(from, row)
				if k != kernelGeneric { // that would be the same again
					to := dst.slice(n, i+3*j)
					function.run(k, to, from)
					checkBits(t, to, want, row, "%s of %s, n=%d", function.name, name, n)
					dst.check(t, "%s of %s, n=%d", function.name, name, n)
				}
				function.run(k, from, from)
				checkBits(t, from, want, row, "%s of %s, n=%d, in place", function.name, name, n)
				src.check(t, "%s of %s, n=%d, in place", function.name, name, n)
			}
		}
	}
}

// TestKernelLimits has maxima at and next to the limits of row.go.
func TestKernelLimits(t *testing.T) {
	forEachKernelAndType(t, testKernelLimits[float32], testKernelLimits[float64])
}

func testKernelLimits[T native](t *testing.T, k kernel) {
	r := rng(11)
	block := blockLen[T]()
	for _, limit := range []T{-exactLimit, -exactLimit / 2, exactLimit / 2, exactLimit, 2 * exactLimit} {
		for ulp := -2; ulp <= 2; ulp++ {
			m := fromBits[T](bitsOf(limit) + uint64(ulp))
			for _, n := range []int{1, 2, 3, 5, 8, 16, 31, 33, 100, 1000, block + 1, 3 * block} {
				for _, at := range []int{0, n / 2, n - 1} {
					row, want, got := make([]T, n), make([]T, n), make([]T, n)
					for i := range row {
						row[i] = m - corpus.Number[T](&r, 64*corpus.One+r.Uniform(64*corpus.One))
					}
					row[at] = m
					for _, function := range rowFunctions[T]() {
						function.run(kernelGeneric, want, row)
						function.run(k, got, row)
						checkBits(t, got, want, row, "%s, maximum %x at %d of %d", function.name, m, at, n)
					}
				}
			}
		}
	}
}

// TestKernelMatrices runs many rows per call, each of another family.
func TestKernelMatrices(t *testing.T) {
	forEachKernelAndType(t, testKernelMatrices[float32], testKernelMatrices[float64])
}

func testKernelMatrices[T native](t *testing.T, k kernel) {
	check := func(rows, cols, srcGap, dstGap int) {
		t.Helper()
		checkMatrix[T](t, k, rows, cols, cols+srcGap, cols+dstGap)
	}
	for cols := 1; cols <= 80; cols++ {
		for i, rows := range []int{1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33, 67} {
			if !chosen(i+cols, 3) {
				continue
			}
			check(rows, cols, 0, 0)
			check(rows, cols, (i+cols)%18, (3*i+cols)%18)
		}
	}
	block := blockLen[T]()
	for _, cols := range []int{127, 128, 129, 255, 256, 257, 1000, block - 1, block, block + 1} {
		check(3, cols, 0, 0)
		check(4, cols, 5, 0)
		check(5, cols, 1, 11)
	}
	// More elements than one call of a kernel works on.
	for _, cols := range []int{1, 2, 3, 10, 31, 64, 1000} {
		rows := maxPerCall/cols + 2
		check(rows, cols, 0, 0)
		check(rows, cols, 1, 3)
		check(2*rows, cols, 0, 1)
	}
}

// checkMatrix compares with the rows alone, and in place with both.
func checkMatrix[T native](t *testing.T, k kernel, rows, cols, srcStride, dstStride int) {
	t.Helper()
	families := familiesOf[T]()
	src, dst := newBuffer[T](rows*srcStride), newBuffer[T](rows*dstStride)
	offset := rows + cols
	from := src.slice((rows-1)*srcStride+cols, offset)
	to := dst.slice((rows-1)*dstStride+cols, offset*5)
	wantTo, wantFrom := slices.Clone(to), slices.Clone(from)
	for row := range rows {
		logits := families[(row*11+cols+rows)%len(families)].MakeRow(cols, uint64(row))
		copy(from[row*srcStride:], logits)
		softmaxRow(kernelGeneric, wantTo[row*dstStride:][:cols], logits)
		copy(wantFrom[row*srcStride:], wantTo[row*dstStride:][:cols])
	}
	logits := slices.Clone(from)
	softmaxRows(k, to, from, cols, rows, dstStride, srcStride)
	for row := range rows {
		got, want := to[row*dstStride:][:cols], wantTo[row*dstStride:][:cols]
		checkBits(t, got, want, logits[row*srcStride:], "%d x %d, row %d, strides %d and %d", rows, cols, row, dstStride, srcStride)
	}
	checkBits(t, to, wantTo, wantTo, "%d x %d, strides %d and %d: between rows", rows, cols, dstStride, srcStride)
	dst.check(t, "%d x %d, strides %d and %d", rows, cols, dstStride, srcStride)
	softmaxRows(k, from, from, cols, rows, srcStride, srcStride)
	checkBits(t, from, wantFrom, logits, "%d x %d, stride %d, in place", rows, cols, srcStride)
	src.check(t, "%d x %d, stride %d, in place", rows, cols, srcStride)
}

// primitiveLens are the lengths of blocks that the primitives are called with.
func primitiveLens[T native]() []int {
	var lens []int
	for n := 1; n <= 200; n++ {
		lens = append(lens, n)
	}
	lens = append(lens, 255, 256, 257, 511, 512, 1000, 1023, 1025, 2048, 4000, blockLen[T]()-1, blockLen[T]())
	return slices.DeleteFunc(lens, func(n int) bool { return n > blockLen[T]() })
}

func TestMaxBlock(t *testing.T) {
	forEachKernelAndType(t, testMaxBlock[float32], testMaxBlock[float64])
}

func testMaxBlock[T native](t *testing.T, k kernel) {
	src := newBuffer[T](blockLen[T]() + 1)
	for _, n := range primitiveLens[T]() {
		for i, family := range familiesOf[T]() {
			from := src.slice(n, n+i)
			family.FillRow(from, 3)
			want := maxOf(from)
			// The maximum of a row with a NaN is of no use: it is its sum that tells.
			if got := maxBlock(k, from); !isNaN(want) && got != want {
				t.Fatalf("%s, n=%d: got %v, want %v", family.Name, n, got, want)
			}
		}
		// The maximum at every place, and beyond the end.
		from := src.slice(n+1, n)
		for i := range from {
			from[i] = -T(1 + i)
		}
		from[n] = 1e30
		for i := range n {
			saved := from[i]
			from[i] = 7
			if got := maxBlock(k, from[:n]); got != 7 {
				t.Fatalf("n=%d: maximum at %d: got %v, want 7", n, i, got)
			}
			from[i] = saved
		}
	}
}

// maxOf returns the maximum of a row, or NaN if it has one.
func maxOf[T native](row []T) T {
	m := row[0]
	for _, x := range row {
		m = max(m, x)
	}
	return m
}

// references are those that a block with maximum m may get.
func references[T native](m T) []reference[T] {
	refs := []reference[T]{newReference(m, rowBias(m)), newReference(m, -max(m, exactLimit))}
	if math.Abs(float64(m)) < exactLimit {
		tiny, depth := tinyOf[T](), corpus.DepthsOf[T]()
		refs = append(refs, newReference(m, tiny),
			newReference(min(m+T(depth.Dominant), exactLimit), tiny), // the row's maximum is larger
			newReference(min(m+T(2*depth.Zero), exactLimit), tiny))
	}
	return refs
}

// TestExpBlock compares the exponentials, their sum and large, of expBlock and
// of sumBlock.
func TestExpBlock(t *testing.T) {
	forEachKernelAndType(t, testExpBlock[float32], testExpBlock[float64])
}

func testExpBlock[T native](t *testing.T, k kernel) {
	src, dst := newBuffer[T](blockLen[T]()), newBuffer[T](blockLen[T]())
	want := make([]T, blockLen[T]())
	for _, n := range primitiveLens[T]() {
		for i, family := range familiesOf[T]() {
			if !chosen(n+i, 4) {
				continue
			}
			from := src.slice(n, n+i)
			family.FillRow(from, 4)
			for _, ref := range references(maxOf(from)) {
				want := want[:n]
				name := fmt.Sprintf("%s, n=%d, ref %+v", family.Name, n, ref)
				sum, large := expBlockGeneric(want, from, &ref)
				to := dst.slice(n, n*3+i)
				gotSum, gotLarge := expBlock(k, to, from, &ref)
				checkSums(t, "expBlock, "+name, gotSum, sum, gotLarge, large)
				dst.check(t, "expBlock, %s", name)
				gotSum, gotLarge = sumBlock(k, from, &ref)
				checkSums(t, "sumBlock, "+name, gotSum, sum, gotLarge, large)
				if sum.undefined() {
					continue // nobody looks at the exponentials then
				}
				checkBits(t, to, want, from, "expBlock, %s", name)
				copy(to, from)
				expBlock(k, to, to, &ref)
				checkBits(t, to, want, from, "expBlock in place, %s", name)
			}
		}
	}
}

func checkSums(t *testing.T, name string, gotSum, wantSum doubleDouble, gotLarge, wantLarge bool) {
	t.Helper()
	if wantSum.undefined() {
		if !gotSum.undefined() {
			t.Fatalf("%s: sum is %v, want NaN", name, gotSum)
		}
		return
	}
	if gotSum != wantSum || gotLarge != wantLarge {
		t.Fatalf("%s: got sum %x, large %v, want sum %x, large %v", name, gotSum, gotLarge, wantSum, wantLarge)
	}
}

// TestScaleBlock compares fast and careful products, and those of expScaleBlock
// and expScaleStream.
func TestScaleBlock(t *testing.T) {
	forEachKernelAndType(t, testScaleBlock[float32], testScaleBlock[float64])
}

func testScaleBlock[T native](t *testing.T, k kernel) {
	src, dst := newBuffer[T](blockLen[T]()), newBuffer[T](blockLen[T]())
	e, want := make([]T, blockLen[T]()), make([]T, blockLen[T]())
	for _, n := range primitiveLens[T]() {
		for i, family := range familiesOf[T]() {
			if !chosen(n+i, 12) || n > 100 && (n+i)%3 > 0 && !*exhaustive {
				continue
			}
			from := src.slice(n, n+i)
			family.FillRow(from, 5)
			e, want := e[:n], want[:n]
			m := maxOf(from)
			ref := newReference(m, rowBias(m))
			sum, large := expBlockGeneric(e, from, &ref)
			if sum.undefined() {
				continue
			}
			// The sum is that of the block, or of a row with larger blocks too.
			for _, sumScale := range []float64{1, 37.7, 1e9} {
				for _, delta := range []int32{0, -1, -20, -60, -100, -150, -380, -450, -500, -560, -1050, -3000} {
					sum := sum.scaled(sumScale)
					if vanishes[T](sum, delta) {
						continue
					}
					for _, careful := range []bool{false, true} {
						if !careful && needsCare[T](sum, delta, large) {
							continue
						}
						f := newFactor[T](sum, delta, careful)
						name := fmt.Sprintf("%s, n=%d, sum %g, factor %+v", family.Name, n, sum, f)
						copy(want, e)
						scaleBlockGeneric(want, &f)
						to := dst.slice(n, n*3+i)
						copy(to, e)
						scaleBlock(k, to, &f)
						checkBits(t, to, want, e, "scaleBlock, %s", name)
						dst.check(t, "scaleBlock, %s", name)
						to = dst.slice(n, n*5+i)
						expScaleBlock(k, to, from, &ref, &f)
						checkBits(t, to, want, from, "expScaleBlock, %s", name)
						dst.check(t, "expScaleBlock, %s", name)
						copy(to, from)
						expScaleBlock(k, to, to, &ref, &f)
						checkBits(t, to, want, from, "expScaleBlock in place, %s", name)
						if careful {
							continue
						}
						if whole := n &^ 63; whole > 0 {
							to = dst.slice(whole, 0)
							expScaleStream(k, to, from[:whole], &ref, &f)
							checkBits(t, to, want[:whole], from, "expScaleStream, %s", name)
							dst.check(t, "expScaleStream, %s", name)
						}
						// Where no care is needed it changes nothing.
						f = newFactor[T](sum, delta, true)
						to = dst.slice(n, i)
						copy(to, e)
						scaleBlock(k, to, &f)
						checkBits(t, to, want, e, "careful scaleBlock, %s", name)
					}
				}
			}
		}
	}
}

// TestHasNaNBlock puts a NaN at every place, and beyond the end.
func TestHasNaNBlock(t *testing.T) {
	forEachKernelAndType(t, testHasNaNBlock[float32], testHasNaNBlock[float64])
}

func testHasNaNBlock[T native](t *testing.T, k kernel) {
	src := newBuffer[T](blockLen[T]())
	values := []T{0, infinity[T](1), infinity[T](-1), largest[T](), -smallest[T]()}
	nans := []T{nan[T](), -nan[T](), fromBits[T](formatOf[T]().Infinity + 1), fenceOf[T]()}
	for _, n := range primitiveLens[T]() {
		from := src.slice(n, n) // fences, which are NaN, stand around it
		for i := range from {
			from[i] = values[i%len(values)]
		}
		if hasNaNBlock(k, from) {
			t.Fatalf("n=%d: found a NaN where there is none", n)
		}
		for i := range from {
			saved := from[i]
			from[i] = nans[i%len(nans)]
			if !hasNaNBlock(k, from) {
				t.Fatalf("n=%d: the NaN at %d was not found", n, i)
			}
			from[i] = saved
		}
	}
}

// TestSumRows compares what is found out about many rows, each of another family,
// with the kernel in Go.
func TestSumRows(t *testing.T) {
	forEachKernelAndType(t, testSumRows[float32], testSumRows[float64])
}

func testSumRows[T native](t *testing.T, k kernel) {
	families := familiesOf[T]()
	for i, cols := range primitiveLens[T]() {
		for _, rows := range []int{1, 2, 5} {
			if !chosen(i+rows, 2) {
				continue
			}
			stride := cols + (i*rows)%19
			src := slices.Repeat([]T{nan[T]()}, (rows-1)*stride+cols)
			for row := range rows {
				families[(i*7+row)%len(families)].FillRow(src[row*stride:][:cols], uint64(rows))
			}
			got, want := make([]rowSum[T], rows), make([]rowSum[T], rows)
			sumRows(k, &got[0], &src[0], cols, len(got), stride)
			sumRowsGeneric(&want[0], &src[0], cols, len(want), stride)
			for row := range rows {
				if got, want := &got[row], &want[row]; want.sum == want.sum && got.e != want.e {
					// Its reference is the kernel's business, but nothing else is.
					power := want.e / got.e
					if fraction, _ := math.Frexp(float64(power)); fraction != 0.5 {
						t.Fatalf("%d x %d, row %d: got e %v, want it times a power of two: %v", rows, cols, row, got.e, want.e)
					}
					got.e, got.sum = want.e, got.sum.scaled(float64(power))
				}
				checkSums(t, fmt.Sprintf("%d x %d, row %d", rows, cols, row), got[row].sum, want[row].sum, true, true)
				if want[row].sum.undefined() {
					continue // nobody looks at the rest then
				}
				if got[row].top != want[row].top || got[row].e != want[row].e {
					t.Fatalf("%d x %d, row %d: got %+v, want %+v", rows, cols, row, got[row], want[row])
				}
			}
		}
	}
}

func TestSubtractBlock(t *testing.T) {
	forEachKernelAndType(t, testSubtractBlock[float32], testSubtractBlock[float64])
}

func testSubtractBlock[T native](t *testing.T, k kernel) {
	src, dst := newBuffer[T](blockLen[T]()), newBuffer[T](blockLen[T]())
	want := make([]T, blockLen[T]())
	r := rng(12)
	for _, n := range primitiveLens[T]() {
		for i, family := range familiesOf[T]() {
			from, want := src.slice(n, n+i), want[:n]
			family.FillRow(from, 10)
			m := maxOf(from)
			if isNaN(m) || math.IsInf(float64(m), 0) {
				continue // such a row has no differences
			}
			for _, rest := range []T{0, corpus.Number[T](&r, 2*corpus.One+r.Uniform(2*corpus.One)), 17.3} {
				subtractBlockGeneric(want, from, m, rest)
				to := dst.slice(n, n*3+i)
				subtractBlock(k, to, from, m, rest)
				checkBits(t, to, want, from, "%s, n=%d, rest %v", family.Name, n, rest)
				dst.check(t, "%s, n=%d, rest %v", family.Name, n, rest)
				copy(to, from)
				subtractBlock(k, to, to, m, rest)
				checkBits(t, to, want, from, "%s, n=%d, rest %v, in place", family.Name, n, rest)
			}
		}
	}
}

// TestSoftmaxBlock compares with the row whose maximum is not known.
func TestSoftmaxBlock(t *testing.T) { forEachKernel(t, testSoftmaxBlock) }

func testSoftmaxBlock(t *testing.T, k kernel) {
	x, want := newBuffer[float32](blockLen[float32]()), make([]float32, blockLen[float32]())
	for _, n := range primitiveLens[float32]() {
		for i, family := range familiesOf[float32]() {
			if !chosen(n+i, 7) {
				continue
			}
			row, want := family.MakeRow(n, 11), want[:n]
			softmaxBlocksGeneric(&want[0], &row[0], n, 1, 0, 0)
			to := x.slice(n, n+i)
			copy(to, row)
			softmaxBlock(k, to, maxBlock(k, to))
			checkBits(t, to, want, row, "%s, n=%d", family.Name, n)
			x.check(t, "%s, n=%d", family.Name, n)
		}
	}
}

// subnormal is a variable, so that it is the processor that multiplies it.
var subnormal float32 = 0x1p-140

// checkSubnormals fails the test if the processor takes subnormal numbers for 0. A
// kernel may have it do so, but only until it returns.
func checkSubnormals(t *testing.T, name string) {
	t.Helper()
	if product := float32(subnormal * 0.5); bitsOf(product) != 1<<8 {
		t.Fatalf("%s: subnormal numbers count as 0 afterwards", name)
	}
}

// TestSoftmaxScaled compares with loops for scale and softmax, up to the row where the
// kernel declines.
func TestSoftmaxScaled(t *testing.T) { forEachKernel(t, testSoftmaxScaled) }

func testSoftmaxScaled(t *testing.T, k kernel) {
	families := familiesOf[float32]()
	scales := []float32{0.125, 1, 0x1.6a09e6p-4, 3.7, 1e-10, 0x1p41, 0x1p-41}
	done := 0
	check := func(i, rows, cols, srcStride, dstStride, n, step int) {
		t.Helper()
		size := (rows-1)*srcStride + cols
		src, dst := newBuffer[float32](size), newBuffer[float32]((rows-1)*dstStride+cols)
		from, to := src.slice(size, i), dst.slice((rows-1)*dstStride+cols, i*3)
		scale := scales[i%len(scales)]
		sink := append(sinks, float32(math.Inf(-1)), 20, 26)[i%(len(sinks)+3)]
		if anchorOf(sink) != 0 && !math.IsInf(float64(sink), -1) {
			sink = 0
		}
		want, wantInPlace := slices.Clone(to), slices.Clone(from)
		name := fmt.Sprintf("%d x %d, strides %d and %d, n=%d, step %d, scale %g, sink %g", rows, cols, srcStride, dstStride, n, step, scale, sink)
		for row := range rows {
			families[(i*5+row)%len(families)].FillRow(from[row*srcStride:][:cols], uint64(i+row))
		}
		before := slices.Clone(from)
		// expect puts the results of some rows into a matrix.
		expect := func(want []float32, stride, count int) {
			for row := range count {
				w, end := want[row*stride:][:cols], min(n+row*step, cols)
				for c, x := range before[row*srcStride:][:end] {
					w[c] = float32(x * scale)
				}
				softmaxWithSink(w[:end], sink)
				clear(w[end:])
			}
		}
		count := softmaxScaled(k, to, from, cols, rows, dstStride, srcStride, n, step, scale, sink)
		checkSubnormals(t, name)
		expect(want, dstStride, count)
		checkBits(t, to, want, want, "%s: %d rows done", name, count)
		dst.check(t, "%s", name)
		checkBits(t, from, before, before, "%s: src changed", name)
		count = softmaxScaled(k, from, from, cols, rows, srcStride, srcStride, n, step, scale, sink)
		copy(wantInPlace, before)
		expect(wantInPlace, srcStride, count)
		checkBits(t, from, wantInPlace, before, "%s, in place: %d rows done", name, count)
		src.check(t, "%s, in place", name)
		done += count
	}
	for i, cols := range primitiveLens[float32]() {
		for j, rows := range []int{1, 2, 3, 9} {
			if !chosen(i+j, 5) {
				continue
			}
			gap := (i + j) % 19
			check(i+j, 1, cols, cols, cols, cols, 0)
			check(i+3*j, rows, cols, cols+gap, cols+(i*7+j)%19, cols, 0)
			check(i+5*j, rows, cols, cols+(i*7+j)%19, cols+gap, 1+(i*31+j)%cols, 1)
		}
	}
	if done == 0 && (k == kernelAVX2 || k == kernelAVX512) {
		t.Error("declined every time")
	}
}

// scoringNumbers are what the fields of a scoring are chosen from. The first of each
// leaves out its step.
var scoringNumbers = struct {
	scales, softcaps, slopes []float32
	distances                []int32
}{
	[]float32{1, 0.125, 0x1.6a09e6p-4, -0.7, 3, 0x1p41, -0x1p41, 0x1p-41, 1e-38, -1e-38, 1e30, -1e30},
	[]float32{0, 30, 50, 1, 0.01, 7e3, 0x1p41, 0x1p-41, 1e-30, 1e30},
	[]float32{0, 0.5, -0.0625, 0x1.6a09e6p-8, 1e-30, -1e30},
	[]int32{0, -4095, -100, 7, 1 << 24, -1<<24 - 3, math.MaxInt32 - blockBytes/4, -math.MaxInt32},
}

// choose returns the first of the choices, or another if the step is wanted.
func choose[T any](r *rng, choices []T, wanted bool) T {
	if !wanted {
		return choices[0]
	}
	return choices[1+r.Intn(len(choices)-1)]
}

// makeKeep returns which of n keys are kept: most, or few.
func makeKeep(r *rng, n int) []bool {
	keep, among := make([]bool, n), 1+r.Intn(8)
	for i := range keep {
		keep[i] = r.Intn(8) < among
	}
	return keep
}

// canonical makes all NaNs of a row the same. Those of scores have any bits.
func canonical(row []float32) {
	for i, x := range row {
		if x != x {
			row[i] = nan[float32]()
		}
	}
}

// TestScoreBlock compares scores, and their maximum, for every combination of steps.
func TestScoreBlock(t *testing.T) { forEachKernel(t, testScoreBlock) }

func testScoreBlock(t *testing.T, k kernel) {
	block := blockLen[float32]()
	src, dst, biases := newBuffer[float32](block), newBuffer[float32](block), newBuffer[float32](block)
	want := make([]float32, block)
	families := familiesOf[float32]()
	numbers := &scoringNumbers
	const scale, softcap, slope, bias, keep, flush = 1, 2, 4, 8, 16, 32
	r := rng(17)
	for i, n := range primitiveLens[float32]() {
		for steps := range 64 {
			if !chosen(i+steps, 5) {
				continue
			}
			s := scoring{
				scale:    choose(&r, numbers.scales, steps&scale != 0),
				softcap:  choose(&r, numbers.softcaps, steps&softcap != 0),
				slope:    choose(&r, numbers.slopes, steps&slope != 0),
				distance: choose(&r, numbers.distances, true),
			}
			if steps&flush != 0 {
				if !mayFlush(max(s.scale, -s.scale)) || s.softcap != 0 && !mayFlush(s.softcap) {
					continue
				}
				s.flush = 1
			}
			family, biasFamily := families[(i*7+steps)%len(families)], families[(i*5+steps*3)%len(families)]
			row := family.MakeRow(n, uint64(steps))
			from, to, want := src.slice(n, n+steps), dst.slice(n, n*3+steps), want[:n]
			copy(from, row)
			name := fmt.Sprintf("%s, n=%d, %+v", family.Name, n, s)
			var biasRow []float32
			var keeps, keepsBefore []bool
			if steps&bias != 0 {
				biasRow = biasFamily.MakeRow(n, 14)
				b := biases.slice(n, n*5+steps)
				copy(b, biasRow)
				s.bias = &b[0]
				name += ", bias " + biasFamily.Name
			}
			if steps&keep != 0 {
				offset := r.Intn(16) // of memory at any address
				keeps = makeKeep(&r, n+offset)[offset:]
				keepsBefore = slices.Clone(keeps)
				s.keep = &keeps[0]
			}
			top := scoreBlockGeneric(want, from, &s)
			canonical(want)
			check := func(got []float32, gotTop float32, place string) {
				canonical(got)
				for j, x := range got {
					// So small, a score may differ: its exponential is that of 0.
					if s.flush != 0 && max(x, -x, want[j], -want[j]) < tiny {
						got[j] = want[j]
					}
				}
				checkBits(t, got, want, row, "%s%s", name, place)
				if isNaN(maxOf(want)) || s.flush != 0 && max(gotTop, -gotTop, top, -top) < tiny {
					return
				}
				if gotTop != top {
					t.Fatalf("%s%s: maximum is %v, want %v", name, place, gotTop, top)
				}
			}
			gotTop := scoreBlock(k, to, from, &s)
			checkSubnormals(t, name)
			check(to, gotTop, "")
			dst.check(t, "%s", name)
			checkBits(t, from, row, row, "%s: src changed", name)
			gotTop = scoreBlock(k, from, from, &s)
			check(from, gotTop, ", in place")
			src.check(t, "%s, in place", name)
			undefinedBlockGeneric(want, &s)
			undefinedBlock(k, to, &s)
			checkBits(t, to, want, row, "%s, undefined", name)
			dst.check(t, "%s, undefined", name)
			if biasRow != nil {
				checkBits(t, unsafe.Slice(s.bias, n), biasRow, row, "%s: bias changed", name)
				biases.check(t, "%s: bias", name)
			}
			if !slices.Equal(keeps, keepsBefore) {
				t.Fatalf("%s: keep changed", name)
			}
		}
	}
}

// TestScaleRounding has exponentials whose product with the low part of a factor must be
// rounded by itself: a probability depends on it about once in 2^24 times.
func TestScaleRounding(t *testing.T) {
	cases := []struct {
		sum     float64
		e, want float32
	}{
		{0x1.b19f2fe6e336ep+62, 0x1.aeb646p+49, 0x1.fc907p-14},
		{0x1.8fe2087ab4e9cp+62, 0x1.00650ap+41, 0x1.4848p-22},
		{0x1.1d92534590e9dp+62, 0x1.78497ep+56, 0x1.51525cp-06},
		{0x1.62c30bb324167p+62, 0x1.cef1bcp+43, 0x1.4e10c8p-19},
	}
	forEachKernel(t, func(t *testing.T, k kernel) {
		for _, c := range cases {
			f := newFactor32(c.sum, 0, false)
			x := []float32{c.e}
			if scaleBlock(k, x, &f); x[0] != c.want {
				t.Errorf("%x / %x: got %x, want %x", c.e, c.sum, x[0], c.want)
			}
		}
	})
}
