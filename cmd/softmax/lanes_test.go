package main

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"math"
	"slices"
	"testing"

	"golang.org/x/sys/cpu"

	"github.com/seed174f7dca/softmax"
)

// someSizes are as small as pieces can be, and larger.
var someSizes = []sizes{{1, 1}, {6, 16}, {100, 2}, {151, 3}, {1 << 14, 4}, sizesOf[float32]()}

// someArrays have lanes that are long for some of someSizes.
var someArrays = []along{
	{1, 1, 1}, {5, 3, 1}, {1, 3, 50}, {2, 3, 50}, {7, 2, 5}, {1, 200, 3},
	{1, blockLen, 1}, {2, blockLen + 1, 1}, {1, 3*blockLen + 5, 1}, {2, blockLen + 70, 3}, {1, 2*blockLen - 1, 20},
}

// TestPieces checks that pieces are no larger than asked for, and that every element
// is in one of them.
func TestPieces(t *testing.T) {
	long := 0
	for _, a := range someArrays {
		for _, s := range someSizes {
			pieces := s.wholeLanes(a)
			if s.areLong(a) {
				long++
				pieces = func(yield func(piece) bool) {
					for group := range s.longLanes(a) {
						for chunk := range s.chunks(group) {
							if chunk.first%blockLen != 0 || !yield(chunk) {
								return
							}
						}
					}
				}
			}
			seen := countElements(t, a, s, pieces)
			if slices.ContainsFunc(seen, func(n int) bool { return n != 1 }) {
				t.Errorf("%+v, %+v: some elements are in no piece or in several", a, s)
			}
		}
	}
	if long < 10 {
		t.Errorf("%d arrays have long lanes, want 10 or more", long)
	}
}

// countElements returns how many pieces each element is in.
func countElements(t *testing.T, a along, s sizes, pieces iter.Seq[piece]) []int {
	seen := make([]int, a.outer*a.length*a.inner)
	for p := range pieces {
		if p.len() > s.most() {
			t.Errorf("%+v, %+v: piece %+v has %d elements", a, s, p, p.len())
		}
		at, count, n := a.runs(p)
		if count*n != p.len() {
			t.Errorf("%+v, %+v: piece %+v has %d runs of %d", a, s, p, count, n)
		}
		for r := range count {
			for i := range n {
				seen[at+r*a.inner+i]++
			}
		}
	}
	return seen
}

// TestApplyPieces checks that results of pieces of every size have the bits of whole
// lanes, wherever the elements stand in memory.
func TestApplyPieces(t *testing.T) {
	t.Run("float16", testApplyPieces[softmax.Float16, float32])
	t.Run("bfloat16", testApplyPieces[softmax.BFloat16, float32])
	t.Run("float32", testApplyPieces[float32, float32])
	t.Run("float64", testApplyPieces[float64, float64])
}

func testApplyPieces[T softmax.Float, C native](t *testing.T) {
	for _, a := range someArrays {
		logits := newArray[T](a.outer, a.length, a.inner)
		for _, op := range operations {
			checkPieces[T, C](t, fmt.Sprintf("%s of %+v", op, a), op, a, logits, someSizes)
		}
	}
}

// checkPieces compares the results of some sizes with those of whole lanes.
func checkPieces[T softmax.Float, C native](t *testing.T, name, op string, a along, logits array[T], some []sizes) {
	t.Helper()
	results := logits.apply(op, 1)
	for _, s := range some {
		for _, stored := range []struct {
			order      byteOrder
			misaligned int
		}{{littleEndian, 0}, {littleEndian, 1}, {bigEndian, 0}} {
			src := logits.appendTo(make([]byte, stored.misaligned), stored.order)[stored.misaligned:]
			want := results.appendTo(nil, stored.order)
			before := bytes.Clone(src)
			var got memoryFile
			j := job[T, C]{op: op, dst: &got, src: src, order: stored.order, array: a, sizes: s, progress: &progress{}}
			if err := j.run(context.Background()); err != nil {
				t.Fatal(err)
			}
			if j.progress.done != j.progress.total {
				t.Errorf("%s, %+v: progress tells of %d elements, want all %d", name, s, j.progress.done, j.progress.total)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s, %+v, %+v: bits differ from those of whole lanes", name, s, stored)
			}
			if !bytes.Equal(src, before) {
				t.Errorf("%s, %+v, %+v: the logits were changed", name, s, stored)
			}
		}
	}
}

// TestApplySpecialPieces has values in long lanes that make more than their block
// undefined, or need another scale.
func TestApplySpecialPieces(t *testing.T) {
	t.Run("float16", testApplySpecialPieces[softmax.Float16, float32])
	t.Run("bfloat16", testApplySpecialPieces[softmax.BFloat16, float32])
	t.Run("float32", testApplySpecialPieces[float32, float32])
	t.Run("float64", testApplySpecialPieces[float64, float64])
}

func testApplySpecialPieces[T softmax.Float, C native](t *testing.T) {
	inf := math.Inf(1)
	for _, a := range []along{{1, blockLen + 9, 1}, {1, blockLen + 9, 3}} {
		for _, special := range []struct{ everywhere, once float64 }{
			{0, math.NaN()}, {0, inf}, {-inf, -inf}, {-inf, 5}, {-inf, math.NaN()}, {7, -inf}, {1, 1}, {-60000, 60000}, {60000, -60000},
		} {
			shape := []int{a.outer, a.length, a.inner}
			logits := array[T]{shape, slices.Repeat([]T{elementOf[T](special.everywhere)}, product(shape))}
			for _, at := range []int{0, blockLen * a.inner, len(logits.data) - 1} {
				special, ordinary := elementOf[T](special.once), logits.data[at]
				logits.data[at] = special
				for _, op := range operations {
					checkPieces[T, C](t, fmt.Sprintf("%s of %+v with %v, all others %v", op, a, special, ordinary), op, a, logits, []sizes{{1, 1}, {1 << 14, 4}})
				}
				logits.data[at] = ordinary
			}
		}
	}
}

// TestApplyInterrupted checks that work ends soon after its context.
func TestApplyInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, a := range []along{{10, 10, 1}, {1, 3 * blockLen, 1}, {1, 3 * blockLen, 5}} {
		for _, op := range operations {
			p, src := &progress{}, make([]byte, 4*a.outer*a.length*a.inner)
			j := job[float32, float32]{op: op, dst: new(memoryFile), src: src, array: a, sizes: sizes{1, 1}, progress: p}
			checkError(t, j.run(ctx), "interrupted")
			if p.done > 4096 {
				t.Errorf("%s of %+v: %d elements were done, want one piece", op, a, p.done)
			}
		}
	}
}

// TestViewElements checks that elements are viewed only where the processor may read
// them as they stand.
func TestViewElements(t *testing.T) {
	src := viewBytes([]float64{1, 2, 3})
	for order, native := range map[byteOrder]bool{littleEndian: !cpu.IsBigEndian, bigEndian: cpu.IsBigEndian} {
		if _, ok := viewElements[float64](src, order); ok != native {
			t.Errorf("float64 in byte order %v: viewed %v, want %v", order, ok, native)
		}
	}
	if _, ok := viewElements[softmax.Float16](src[1:23], nativeOrder()); ok {
		t.Error("float16 at an odd address are viewed")
	}
	if _, ok := viewElements[float32](src[2:22], nativeOrder()); ok {
		t.Error("float32 at an address that is no multiple of 4 are viewed")
	}
}
