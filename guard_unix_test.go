//go:build unix

package softmax

// This file puts buffers next to pages that may not be touched.

import (
	"fmt"
	"runtime/debug"
	"slices"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// guarded is memory between two pages that fault on any access.
type guarded[T Float] struct{ mem []T }

// newGuarded returns room for at least n elements.
func newGuarded[T Float](t *testing.T, n int) guarded[T] {
	t.Helper()
	width := int(unsafe.Sizeof(T(0)))
	page := unix.Getpagesize()
	size := (width*n + page - 1) / page * page
	mapped, err := unix.Mmap(-1, 0, size+2*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Skipf("guard pages: mmap: %v", err)
	}
	t.Cleanup(func() { unix.Munmap(mapped) })
	for _, guard := range [][]byte{mapped[:page], mapped[page+size:]} {
		if err := unix.Mprotect(guard, unix.PROT_NONE); err != nil {
			t.Skipf("guard pages: mprotect: %v", err)
		}
	}
	g := guarded[T]{unsafe.Slice((*T)(unsafe.Pointer(&mapped[page])), size/width)}
	fill(g.mem, fenceOf[T]())
	return g
}

// slice returns n elements right after the first guard page, or right before the
// last.
func (g guarded[T]) slice(n int, atEnd bool) []T {
	if atEnd {
		return g.mem[len(g.mem)-n:]
	}
	return g.mem[:n:n]
}

// checkRest fails the test if anything but the slice was written to.
func (g guarded[T]) checkRest(t *testing.T, n int, atEnd bool, name string) {
	t.Helper()
	rest := g.mem[n:]
	if atEnd {
		rest = g.mem[:len(g.mem)-n]
	}
	fence := bitsOf(fenceOf[T]())
	for i, v := range rest {
		if bitsOf(v) != fence {
			t.Fatalf("%s, n=%d, at the end %v: wrote outside, element %d of the rest", name, n, atEnd, i)
		}
	}
}

// failOnFault turns an access to a guard page into a test failure that names the
// case. To be deferred.
func failOnFault(t *testing.T, k kernel, name *string, n *int, srcAtEnd, dstAtEnd *bool) {
	if r := recover(); r != nil {
		t.Fatalf("kernel %s: %s, n=%d, src at the end %v, dst at the end %v: %v", k, *name, *n, *srcAtEnd, *dstAtEnd, r)
	}
}

// TestGuardPages runs rows and primitives between guard pages.
func TestGuardPages(t *testing.T) {
	forEachKernelAndType(t, testGuardPages[float32], testGuardPages[float64])
}

func testGuardPages[T native](t *testing.T, k kernel) {
	block := blockLen[T]()
	var lens []int
	for n := 1; n <= 300; n++ {
		lens = append(lens, n)
	}
	lens = append(lens, 511, 1000, 1023, 1024, 1025, 4000, block-33, block-1, block, block+1, block+31, 2*block-1, 2*block, 2*block+17)
	longest := slices.Max(lens)
	// One needs no care, the other does; the third leaves the range of exactLimit.
	kinds := []family[T]{familyNamed[T]("normal3"), familyNamed[T]("subnormal-results"), familyNamed[T]("offset1e6")}
	var name string
	var n int
	var srcAtEnd, dstAtEnd bool
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer failOnFault(t, k, &name, &n, &srcAtEnd, &dstAtEnd)
	src, dst := newGuarded[T](t, longest+1), newGuarded[T](t, longest+1)
	want := make([]T, longest)
	for _, n = range lens {
		for i, family := range kinds {
			if n > 100 && !chosen(n+i, 3) {
				continue
			}
			row, want := family.MakeRow(n, 1), want[:n]
			for _, srcAtEnd = range []bool{false, true} {
				from := src.slice(n, srcAtEnd)
				for _, dstAtEnd = range []bool{false, true} {
					to := dst.slice(n, dstAtEnd)
					run := func(step string, inPlace bool, expect, compute func(dst, src []T)) {
						name = family.Name + ", " + step
						copy(want, row)
						expect(want, row)
						copy(from, row)
						compute(to, from)
						checkBits(t, to, want, row, "%s, n=%d", name, n)
						if inPlace {
							compute(from, from)
							checkBits(t, from, want, row, "%s, n=%d, in place", name, n)
						}
						copy(to, row)
					}
					for _, function := range rowFunctions[T]() {
						run(function.name, true,
							func(dst, src []T) { function.run(kernelGeneric, dst, src) },
							func(dst, src []T) { function.run(k, dst, src) })
					}
					run("streamed", true,
						func(dst, src []T) { softmaxRow(kernelGeneric, dst, src) },
						func(dst, src []T) {
							useStreamLen[T](t, 64)
							softmaxRecomputed(k, dst, src)
						})
					if n <= block {
						m := maxOf(row)
						ref := newReference(m, rowBias(m))
						sum, large := sumBlockGeneric(row, &ref)
						run("primitives", false,
							func(dst, src []T) { expBlockGeneric(dst, src, &ref) },
							func(dst, src []T) {
								if maxBlock(k, src) != m {
									t.Fatalf("%s, n=%d: wrong maximum", name, n)
								}
								gotSum, gotLarge := sumBlock(k, src, &ref)
								checkSums(t, name, gotSum, sum, gotLarge, large)
								expBlock(k, dst, src, &ref)
							})
						run("difference", true,
							func(dst, src []T) { subtractBlockGeneric(dst, src, m, 0) },
							func(dst, src []T) { subtractBlock(k, dst, src, m, 0) })
						for _, careful := range []bool{false, true} {
							if !careful && needsCare[T](sum, 0, large) {
								continue
							}
							f := newFactor[T](sum, 0, careful)
							run("scale", true,
								func(dst, src []T) { expScaleBlockGeneric(dst, src, &ref, &f) },
								func(dst, src []T) { expScaleBlock(k, dst, src, &ref, &f) })
							run("scale stored", false,
								func(dst, src []T) { expScaleBlockGeneric(dst, src, &ref, &f) },
								func(dst, src []T) {
									expBlock(k, dst, src, &ref)
									scaleBlock(k, dst, &f)
								})
						}
					}
					dst.checkRest(t, n, dstAtEnd, name)
					fill(to, fenceOf[T]())
				}
				src.checkRest(t, n, srcAtEnd, family.Name)
				fill(from, fenceOf[T]())
			}
		}
	}
}

// TestGuardPagesMatrix puts matrices between guard pages, with elements between
// the rows that may be neither read nor written: their NaN would show.
func TestGuardPagesMatrix(t *testing.T) {
	forEachKernelAndType(t, testGuardPagesMatrix[float32], testGuardPagesMatrix[float64])
}

func testGuardPagesMatrix[T native](t *testing.T, k kernel) {
	name := "matrix"
	var cols int
	var srcAtEnd, dstAtEnd bool
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer failOnFault(t, k, &name, &cols, &srcAtEnd, &dstAtEnd)
	const most = 9 * 100
	src, dst := newGuarded[T](t, most), newGuarded[T](t, most)
	families := familiesOf[T]()
	for _, cols = range []int{1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 20, 24, 28, 31, 32, 33, 40, 48, 63, 64, 65, 80} {
		for rows := 1; rows <= 9; rows++ {
			for _, gap := range []int{0, 1, 3, 8, 20} {
				for _, srcAtEnd = range []bool{false, true} {
					for _, dstAtEnd = range []bool{false, true} {
						srcStride, dstStride := cols+gap, cols+(gap*7)%20
						from := src.slice((rows-1)*srcStride+cols, srcAtEnd)
						to := dst.slice((rows-1)*dstStride+cols, dstAtEnd)
						want, wantInPlace := slices.Clone(to), slices.Clone(from)
						for row := range rows {
							logits := from[row*srcStride:][:cols]
							families[(rows+cols+row)%3].FillRow(logits, uint64(row))
							softmaxRow(kernelGeneric, want[row*dstStride:][:cols], logits)
							copy(wantInPlace[row*srcStride:], want[row*dstStride:][:cols])
						}
						softmaxRows(k, to, from, cols, rows, dstStride, srcStride)
						checkBits(t, to, want, want, "%d x %d, strides %d and %d", rows, cols, dstStride, srcStride)
						sums, wantSums := make([]T, rows), make([]T, rows)
						logSumExpRows(k, sums, from, cols, rows, srcStride)
						logSumExpRows(kernelGeneric, wantSums, from, cols, rows, srcStride)
						checkBits(t, sums, wantSums, wantSums, "log-sum-exp, %d x %d, stride %d", rows, cols, srcStride)
						logSoftmaxRows(kernelGeneric, want, from, cols, rows, dstStride, srcStride)
						logSoftmaxRows(k, to, from, cols, rows, dstStride, srcStride)
						checkBits(t, to, want, want, "log-softmax, %d x %d, strides %d and %d", rows, cols, dstStride, srcStride)
						softmaxRows(k, from, from, cols, rows, srcStride, srcStride)
						checkBits(t, from, wantInPlace, want, "%d x %d, stride %d, in place", rows, cols, srcStride)
						src.checkRest(t, len(from), srcAtEnd, name)
						dst.checkRest(t, len(to), dstAtEnd, name)
						fill(from, fenceOf[T]())
						fill(to, fenceOf[T]())
					}
				}
			}
		}
	}
}

// guardLens are the lengths of blocks and short rows that stand between guard pages.
func guardLens() (lens []int) {
	for n := 1; n <= 200; n++ {
		lens = append(lens, n)
	}
	return append(lens, 255, 257, 1000, 1023, 1025, block32-33, block32-1, block32)
}

// TestGuardPagesScores puts logits, scores, bias and keep between guard pages.
func TestGuardPagesScores(t *testing.T) { forEachKernel(t, testGuardPagesScores) }

func testGuardPagesScores(t *testing.T, k kernel) {
	var name string
	var n int
	var srcAtEnd, dstAtEnd bool
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer failOnFault(t, k, &name, &n, &srcAtEnd, &dstAtEnd)
	src, dst, biases := newGuarded[float32](t, block32+1), newGuarded[float32](t, block32+1), newGuarded[float32](t, block32+1)
	keepMemory := newGuarded[float32](t, block32/4+1).mem
	keeps := unsafe.Slice((*bool)(unsafe.Pointer(&keepMemory[0])), 4*len(keepMemory))
	want := make([]float32, block32)
	r := rng(21)
	for _, n = range guardLens() {
		row, want := familyNamed[float32]("normal3").MakeRow(n, 1), want[:n]
		for steps := range 8 {
			if n > 100 && !chosen(n+steps, 5) {
				continue
			}
			s := Scores{Scale: 0.125}
			if steps&1 != 0 {
				s.Softcap, s.Slope = 30, -0.01
			}
			for _, srcAtEnd = range []bool{false, true} {
				from := src.slice(n, srcAtEnd)
				if steps&2 != 0 {
					s.Bias = Matrix[float32]{biases.slice(n, srcAtEnd), 1, n, n}
					familyNamed[float32]("mask-inf").FillRow(s.Bias.Data, 2)
				}
				for _, dstAtEnd = range []bool{false, true} {
					to := dst.slice(n, dstAtEnd)
					if steps&4 != 0 {
						s.Keep = keeps[:n]
						if dstAtEnd {
							s.Keep = keeps[len(keeps)-n:]
						}
						copy(s.Keep, makeKeep(&r, n))
					}
					matrix := func(data []float32) Matrix[float32] { return Matrix[float32]{data, 1, n, n} }
					name = fmt.Sprintf("steps %#b", steps)
					copy(from, row)
					referenceScores(&s, matrix(want), matrix(row))
					x, y := matrix(from), matrix(to)
					s.softmaxRows(k, &y, &x)
					checkBits(t, to, want, row, "%s, n=%d", name, n)
					s.softmaxRows(k, &x, &x)
					checkBits(t, from, want, row, "%s, n=%d, in place", name, n)

					name += ", primitives"
					copy(from, row)
					copy(to, row)
					m := maxOf(row)
					ref := newReference(m, rowBias(m))
					wantSum, wantLarge := expBlockGeneric(want, row, &ref)
					softmaxBlock(k, to, m)
					sum, large := expBlock(k, to, from, &ref)
					checkSums(t, name, sum, wantSum, large, wantLarge)
					checkBits(t, to, want, row, "%s, n=%d", name, n)
					src.checkRest(t, n, srcAtEnd, name)
					dst.checkRest(t, n, dstAtEnd, name)
					fill(to, fenceOf[float32]())
				}
				fill(from, fenceOf[float32]())
			}
		}
	}
}

// TestGuardPagesHalf puts elements of 16 bits and of float32 between guard pages.
func TestGuardPagesHalf(t *testing.T) {
	forEachKernelAndHalf(t, testGuardPagesHalf[Float16], testGuardPagesHalf[BFloat16])
}

func testGuardPagesHalf[T half](t *testing.T, k kernel) {
	useKernel(t, k)
	var name string
	var n int
	var srcAtEnd, dstAtEnd bool
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer failOnFault(t, k, &name, &n, &srcAtEnd, &dstAtEnd)
	lens := append(guardLens(), block32+5)
	src, dst, wide := newGuarded[T](t, block32+6), newGuarded[T](t, block32+6), newGuarded[float32](t, block32+6)
	want := make([]float32, block32+5)
	for _, n = range lens {
		row, want := familyNamed[T]("normal3").MakeRow(n, 1), want[:n]
		single := wideRow(row)
		softmaxRow(kernelGeneric, want, single)
		for _, srcAtEnd = range []bool{false, true} {
			from := src.slice(n, srcAtEnd)
			for _, dstAtEnd = range []bool{false, true} {
				to, out := dst.slice(n, dstAtEnd), wide.slice(n, dstAtEnd)
				copy(from, row)
				if n <= block32 {
					name = "widen"
					widen(k, out, from)
					checkBits(t, out, single, single, "%s, n=%d", name, n)
					name = "narrow"
					narrow(k, to, out)
					checkBits(t, to, row, row, "%s, n=%d", name, n)
				}
				name = "SoftmaxToFloat32"
				SoftmaxToFloat32(out, from)
				checkBits(t, out, want, single, "%s, n=%d", name, n)
				name = "SoftmaxFromFloat32"
				copy(out, single)
				SoftmaxFromFloat32(to, out)
				checkBits(t, to, roundedRow[T](want), row, "%s, n=%d", name, n)
				name = "rows"
				for _, function := range halfFunctions[T]() {
					copy(from, row)
					function.run(to, from)
					function.run(from, from)
					checkBits(t, to, from, row, "%s in place, n=%d", function.name, n)
				}
				src.checkRest(t, n, srcAtEnd, name)
				dst.checkRest(t, n, dstAtEnd, name)
				wide.checkRest(t, n, dstAtEnd, name)
				fill(to, fenceOf[T]())
				fill(out, fenceOf[float32]())
			}
			fill(from, fenceOf[T]())
		}
	}
}
