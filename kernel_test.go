package softmax

// This file compares every kernel with the one in Go, bit for bit.

import (
	"fmt"
	"math"
	"testing"
)

// shortLen is the largest length of which no one is left out.
const shortLen = 1100

// longLens are lengths around those where something changes.
func longLens() []int {
	lens := []int{1500, 2047, 2048, 2049, 3000, 4000}
	for n := blockLen - 17; n <= blockLen+35; n++ {
		lens = append(lens, n)
	}
	for _, blocks := range []int{2, 3, 4, 5, 8, 16} {
		lens = append(lens, blocks*blockLen-1, blocks*blockLen, blocks*blockLen+1)
	}
	// Some kernels compute twice from here on.
	lens = append(lens, 1<<18-1, 1<<18, 1<<18+1, 1<<18+blockLen+17)
	if !reduced() {
		lens = append(lens, storedLen, storedLen+1)
	}
	return lens
}

// TestKernelRows is the promise of the same bits, for every length up to
// shortLen, every alignment, in place and not.
func TestKernelRows(t *testing.T) {
	forEachKernel(t, func(t *testing.T, k kernel) {
		src, dst := newBuffer(shortLen), newBuffer(shortLen)
		want := make([]float32, shortLen)
		for n := 1; n <= shortLen; n++ {
			for i, family := range families {
				if n > 100 && !chosen(n+i, 7) {
					continue
				}
				row, want := family.makeRow(n, 1), want[:n]
				softmaxRow(kernelGeneric, want, row)
				// Above some lengths each family sees a few of the 16 alignments, and all
				// families together see all.
				first, step := 0, 1
				switch {
				case k == kernelGeneric:
					first, step = (n+i)%16, 16
				case n > 100 && !*exhaustive:
					first, step = (n+i)%8, 8
				}
				for offset := first; offset < 16; offset += step {
					from := src.slice(n, offset)
					copy(from, row)
					to := dst.slice(n, (offset*7+n)%16)
					softmaxRow(k, to, from)
					checkBits(t, to, want, row, "%s, n=%d, offset %d", family.name, n, offset)
					dst.check(t, "%s, n=%d, offset %d", family.name, n, offset)
					checkBits(t, from, row, row, "%s, n=%d, offset %d: src changed", family.name, n, offset)
					softmaxRow(k, from, from)
					checkBits(t, from, want, row, "%s, n=%d, offset %d, in place", family.name, n, offset)
					src.check(t, "%s, n=%d, offset %d, in place", family.name, n, offset)
				}
			}
		}
	})
}

func TestKernelLongRows(t *testing.T) {
	lens := longLens()
	largest := lens[len(lens)-1]
	forEachKernel(t, func(t *testing.T, k kernel) {
		src, dst := newBuffer(largest), newBuffer(largest)
		row, want := make([]float32, largest), make([]float32, largest)
		for i, n := range lens {
			// The longest each have a part of the families.
			step := max(1, n>>16)
			if *exhaustive {
				step = 1
			}
			for j := i % step; j < len(families); j += step {
				if !chosen(i+j, 7) {
					continue
				}
				row, want, name := row[:n], want[:n], families[j].name
				families[j].fillRow(row, 2)
				softmaxRow(kernelGeneric, want, row)
				from := src.slice(n, (i+j)%16)
				copy(from, row)
				if k != kernelGeneric { // that would be the same again
					to := dst.slice(n, (i+3*j)%16)
					softmaxRow(k, to, from)
					checkBits(t, to, want, row, "%s, n=%d", name, n)
					dst.check(t, "%s, n=%d", name, n)
				}
				softmaxRow(k, from, from)
				checkBits(t, from, want, row, "%s, n=%d, in place", name, n)
				src.check(t, "%s, n=%d, in place", name, n)
			}
		}
	})
}

// TestKernelLimits has maxima at and next to the limits of row.go.
func TestKernelLimits(t *testing.T) {
	forEachKernel(t, func(t *testing.T, k kernel) {
		r := rng(11)
		for _, limit := range []float32{-exactLimit, -exactLimit / 2, exactLimit / 2, exactLimit, 2 * exactLimit} {
			for ulp := -2; ulp <= 2; ulp++ {
				m := math.Float32frombits(math.Float32bits(limit) + uint32(ulp))
				for _, n := range []int{1, 2, 3, 5, 8, 16, 31, 33, 100, 1000, blockLen + 1, 3 * blockLen} {
					for _, at := range []int{0, n / 2, n - 1} {
						row, want, got := make([]float32, n), make([]float32, n), make([]float32, n)
						for i := range row {
							row[i] = m - (64*one + r.uniform(64*one)).float()
						}
						row[at] = m
						softmaxRow(kernelGeneric, want, row)
						softmaxRow(k, got, row)
						checkBits(t, got, want, row, "maximum %x at %d of %d", m, at, n)
					}
				}
			}
		}
	})
}

// TestKernelMatrices runs many rows per call, each of another family.
func TestKernelMatrices(t *testing.T) {
	rowCounts := []int{1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33, 67}
	forEachKernel(t, func(t *testing.T, k kernel) {
		check := func(rows, cols, srcGap, dstGap int) {
			t.Helper()
			checkMatrix(t, k, rows, cols, cols+srcGap, cols+dstGap)
		}
		for cols := 1; cols <= 80; cols++ {
			for i, rows := range rowCounts {
				if !chosen(i+cols, 3) {
					continue
				}
				check(rows, cols, 0, 0)
				check(rows, cols, (i+cols)%18, (3*i+cols)%18)
			}
		}
		for _, cols := range []int{127, 128, 129, 255, 256, 257, 1000, blockLen - 1, blockLen, blockLen + 1} {
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
	})
}

// checkMatrix compares with the rows alone, and in place with both.
func checkMatrix(t *testing.T, k kernel, rows, cols, srcStride, dstStride int) {
	t.Helper()
	src, dst := newBuffer(rows*srcStride), newBuffer(rows*dstStride)
	offset := (rows + cols) % 16
	from := src.slice((rows-1)*srcStride+cols, offset)
	to := dst.slice((rows-1)*dstStride+cols, (offset*5)%16)
	wantTo := append([]float32(nil), to...)
	wantFrom := append([]float32(nil), from...)
	for row := range rows {
		logits := families[(row*11+cols+rows)%len(families)].makeRow(cols, uint64(row))
		copy(from[row*srcStride:], logits)
		softmaxRow(kernelGeneric, wantTo[row*dstStride:][:cols], logits)
		copy(wantFrom[row*srcStride:], wantTo[row*dstStride:][:cols])
	}
	logits := append([]float32(nil), from...)
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
func primitiveLens() []int {
	var lens []int
	for n := 1; n <= 200; n++ {
		lens = append(lens, n)
	}
	return append(lens, 255, 256, 257, 511, 512, 1000, 1023, 1025, 2048, 4000, blockLen-1, blockLen)
}

func TestMaxBlock(t *testing.T) {
	forEachKernel(t, func(t *testing.T, k kernel) {
		src := newBuffer(blockLen)
		for _, n := range primitiveLens() {
			for i, family := range families {
				from := src.slice(n, (n+i)%16)
				family.fillRow(from, 3)
				want := maxOf(from)
				// The maximum of a row with a NaN is of no use: it is its sum that tells.
				if got := maxBlock(k, from); !isNaN(want) && got != want {
					t.Fatalf("%s, n=%d: got %v, want %v", family.name, n, got, want)
				}
			}
			// The maximum at every place, and beyond the end.
			from := src.slice(n+1, n%16)
			for i := range from {
				from[i] = -float32(1 + i)
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
	})
}

// maxOf returns the maximum of a row, or NaN if it has one.
func maxOf(row []float32) float32 {
	m := row[0]
	for _, x := range row {
		m = max(m, x)
	}
	return m
}

// references are those that a block with maximum m may get.
func references(m float32) []reference {
	refs := []reference{newReference(m, rowBias(m)), newReference(m, -max(m, exactLimit))}
	if math.Abs(float64(m)) < exactLimit {
		refs = append(refs, newReference(m, tiny),
			newReference(min(m+40, exactLimit), tiny), // the row's maximum is larger
			newReference(min(m+200, exactLimit), tiny))
	}
	return refs
}

// TestExpBlock compares the exponentials, their sum and large, of expBlock and
// of sumBlock.
func TestExpBlock(t *testing.T) {
	forEachKernel(t, func(t *testing.T, k kernel) {
		src, dst := newBuffer(blockLen), newBuffer(blockLen)
		want := make([]float32, blockLen)
		for _, n := range primitiveLens() {
			for i, family := range families {
				from := src.slice(n, (n+i)%16)
				if !chosen(n+i, 4) {
					continue
				}
				family.fillRow(from, 4)
				for _, ref := range references(maxOf(from)) {
					want := want[:n]
					name := fmt.Sprintf("%s, n=%d, ref %+v", family.name, n, ref)
					sum, large := expBlockGeneric(want, from, &ref)
					to := dst.slice(n, (n*3+i)%16)
					gotSum, gotLarge := expBlock(k, to, from, &ref)
					checkSums(t, "expBlock, "+name, gotSum, sum, gotLarge, large)
					dst.check(t, "expBlock, %s", name)
					gotSum, gotLarge = sumBlock(k, from, &ref)
					checkSums(t, "sumBlock, "+name, gotSum, sum, gotLarge, large)
					if sum != sum {
						continue // nobody looks at the exponentials then
					}
					checkBits(t, to, want, from, "expBlock, %s", name)
					copy(to, from)
					expBlock(k, to, to, &ref)
					checkBits(t, to, want, from, "expBlock in place, %s", name)
				}
			}
		}
	})
}

func checkSums(t *testing.T, name string, gotSum, wantSum float64, gotLarge, wantLarge bool) {
	t.Helper()
	if wantSum != wantSum {
		if gotSum == gotSum {
			t.Fatalf("%s: sum is %v, want NaN", name, gotSum)
		}
		return
	}
	if math.Float64bits(gotSum) != math.Float64bits(wantSum) || gotLarge != wantLarge {
		t.Fatalf("%s: got sum %x, large %v, want sum %x, large %v", name, gotSum, gotLarge, wantSum, wantLarge)
	}
}

// TestScaleBlock compares fast and careful products, and those of expScaleBlock
// and expScaleStream.
func TestScaleBlock(t *testing.T) {
	forEachKernel(t, func(t *testing.T, k kernel) {
		src, dst := newBuffer(blockLen), newBuffer(blockLen)
		e, want := make([]float32, blockLen), make([]float32, blockLen)
		for _, n := range primitiveLens() {
			for i, family := range families {
				from := src.slice(n, (n+i)%16)
				if !chosen(n+i, 12) {
					continue
				}
				family.fillRow(from, 5)
				e, want := e[:n], want[:n]
				m := maxOf(from)
				ref := newReference(m, rowBias(m))
				sum, large := expBlockGeneric(e, from, &ref)
				if sum != sum {
					continue
				}
				// The sum is that of the block, or of a row with larger blocks too.
				for _, sumScale := range []float64{1, 37.7, 1e9} {
					for _, delta := range []int32{0, -1, -20, -60, -100, -150, -1000} {
						sum := sum * sumScale
						if vanishes(sum, delta) {
							continue
						}
						for _, careful := range []bool{false, true} {
							if !careful && needsCare(sum, delta, large) {
								continue
							}
							f := newFactor(sum, delta, careful)
							name := fmt.Sprintf("%s, n=%d, sum %g, factor %+v", family.name, n, sum, f)
							copy(want, e)
							scaleBlockGeneric(want, &f)
							to := dst.slice(n, (n*3+i)%16)
							copy(to, e)
							scaleBlock(k, to, &f)
							checkBits(t, to, want, e, "scaleBlock, %s", name)
							dst.check(t, "scaleBlock, %s", name)
							to = dst.slice(n, (n*5+i)%16)
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
							f = newFactor(sum, delta, true)
							to = dst.slice(n, i%16)
							copy(to, e)
							scaleBlock(k, to, &f)
							checkBits(t, to, want, e, "careful scaleBlock, %s", name)
						}
					}
				}
			}
		}
	})
}
