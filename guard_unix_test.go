//go:build unix

package softmax

// This file puts buffers next to pages that may not be touched.

import (
	"math"
	"runtime/debug"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// guarded is memory between two pages that fault on any access.
type guarded struct{ mem []float32 }

// newGuarded returns room for at least n elements.
func newGuarded(t *testing.T, n int) guarded {
	t.Helper()
	page := unix.Getpagesize()
	size := (4*n + page - 1) / page * page
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
	g := guarded{unsafe.Slice((*float32)(unsafe.Pointer(&mapped[page])), size/4)}
	g.restore(g.mem)
	return g
}

// restore fills part with fences.
func (g guarded) restore(part []float32) {
	for i := range part {
		part[i] = math.Float32frombits(fence)
	}
}

// slice returns n elements right after the first guard page, or right before the
// last.
func (g guarded) slice(n int, atEnd bool) []float32 {
	if atEnd {
		return g.mem[len(g.mem)-n:]
	}
	return g.mem[:n:n]
}

// checkRest fails the test if anything but the slice was written to.
func (g guarded) checkRest(t *testing.T, n int, atEnd bool, name string) {
	t.Helper()
	rest := g.mem[n:]
	if atEnd {
		rest = g.mem[:len(g.mem)-n]
	}
	for i, v := range rest {
		if math.Float32bits(v) != fence {
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
	var lens []int
	for n := 1; n <= 300; n++ {
		lens = append(lens, n)
	}
	lens = append(lens, 511, 1000, 1023, 1024, 1025, 4000, blockLen-33, blockLen-1, blockLen, blockLen+1, blockLen+31, 2*blockLen-1, 2*blockLen+17)
	longest := lens[len(lens)-1]
	// One needs no care, the other does; the third leaves the range of exactLimit.
	kinds := []family{familyNamed("normal3"), familyNamed("subnormal-results"), familyNamed("offset1e6")}
	forEachKernel(t, func(t *testing.T, k kernel) {
		var name string
		var n int
		var srcAtEnd, dstAtEnd bool
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
		defer failOnFault(t, k, &name, &n, &srcAtEnd, &dstAtEnd)
		src, dst := newGuarded(t, longest+1), newGuarded(t, longest+1)
		want := make([]float32, longest)
		for _, n = range lens {
			for i, family := range kinds {
				if n > 100 && !chosen(n+i, 3) {
					continue
				}
				row, want := family.makeRow(n, 1), want[:n]
				for _, srcAtEnd = range []bool{false, true} {
					from := src.slice(n, srcAtEnd)
					for _, dstAtEnd = range []bool{false, true} {
						to := dst.slice(n, dstAtEnd)
						run := func(step string, inPlace bool, expect, compute func(dst, src []float32)) {
							name = family.name + ", " + step
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
						run("row", true,
							func(dst, src []float32) { softmaxRow(kernelGeneric, dst, src) },
							func(dst, src []float32) { softmaxRow(k, dst, src) })
						run("streamed", true,
							func(dst, src []float32) { softmaxRow(kernelGeneric, dst, src) },
							func(dst, src []float32) {
								useStreamLen(t, 64)
								softmaxRecomputed(k, dst, src)
							})
						m := maxOf(row)
						ref := newReference(m, rowBias(m))
						sum, large := sumBlockGeneric(row, &ref)
						if n <= blockLen {
							run("primitives", false,
								func(dst, src []float32) { expBlockGeneric(dst, src, &ref) },
								func(dst, src []float32) {
									if maxBlock(k, src) != m {
										t.Fatalf("%s, n=%d: wrong maximum", name, n)
									}
									gotSum, gotLarge := sumBlock(k, src, &ref)
									checkSums(t, name, gotSum, sum, gotLarge, large)
									expBlock(k, dst, src, &ref)
								})
						}
						for _, careful := range []bool{false, true} {
							if n > blockLen || !careful && needsCare(sum, 0, large) {
								continue
							}
							f := newFactor(sum, 0, careful)
							run("scale", true,
								func(dst, src []float32) { expScaleBlockGeneric(dst, src, &ref, &f) },
								func(dst, src []float32) { expScaleBlock(k, dst, src, &ref, &f) })
							run("scale stored", false,
								func(dst, src []float32) { expScaleBlockGeneric(dst, src, &ref, &f) },
								func(dst, src []float32) {
									expBlock(k, dst, src, &ref)
									scaleBlock(k, dst, &f)
								})
						}
						dst.checkRest(t, n, dstAtEnd, name)
						dst.restore(to)
					}
					src.checkRest(t, n, srcAtEnd, family.name)
					src.restore(from)
				}
			}
		}
	})
}

// TestGuardPagesMatrix puts matrices between guard pages, with elements between
// the rows that may be neither read nor written: their NaN would show.
func TestGuardPagesMatrix(t *testing.T) {
	forEachKernel(t, func(t *testing.T, k kernel) {
		name := "matrix"
		var cols int
		var srcAtEnd, dstAtEnd bool
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
		defer failOnFault(t, k, &name, &cols, &srcAtEnd, &dstAtEnd)
		const most = 9 * 100
		src, dst := newGuarded(t, most), newGuarded(t, most)
		for _, cols = range []int{1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 20, 24, 28, 31, 32, 33, 40, 48, 63, 64, 65, 80} {
			for rows := 1; rows <= 9; rows++ {
				for _, gap := range []int{0, 1, 3, 8, 20} {
					for _, srcAtEnd = range []bool{false, true} {
						for _, dstAtEnd = range []bool{false, true} {
							srcStride, dstStride := cols+gap, cols+(gap*7)%20
							from := src.slice((rows-1)*srcStride+cols, srcAtEnd)
							to := dst.slice((rows-1)*dstStride+cols, dstAtEnd)
							want := append([]float32(nil), to...)
							wantInPlace := append([]float32(nil), from...)
							for row := range rows {
								logits := from[row*srcStride:][:cols]
								families[(rows+cols+row)%3].fillRow(logits, uint64(row))
								softmaxRow(kernelGeneric, want[row*dstStride:][:cols], logits)
								copy(wantInPlace[row*srcStride:], want[row*dstStride:][:cols])
							}
							softmaxRows(k, to, from, cols, rows, dstStride, srcStride)
							checkBits(t, to, want, want, "%d x %d, strides %d and %d", rows, cols, dstStride, srcStride)
							softmaxRows(k, from, from, cols, rows, srcStride, srcStride)
							checkBits(t, from, wantInPlace, want, "%d x %d, stride %d, in place", rows, cols, srcStride)
							src.checkRest(t, len(from), srcAtEnd, name)
							dst.checkRest(t, len(to), dstAtEnd, name)
							src.restore(from)
							dst.restore(to)
						}
					}
				}
			}
		}
	})
}
