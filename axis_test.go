package softmax

// This file checks the functions along an axis against a plain triple loop.

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/seed174f7dca/softmax/internal/corpus"
)

// arrayKinds fill an array: with ordinary values, with lanes whose maximum is
// subtracted or that need careful factors, and with undefined lanes.
var arrayKinds = []struct {
	name  string
	value func(r *rng) float64
}{
	{"normal", func(r *rng) float64 { return float64(3*r.Normal()) * 0x1p-30 }},
	{"wide", func(r *rng) float64 { return float64(r.Uniform(900*corpus.One)) * 0x1p-30 }},
	{"far", func(r *rng) float64 { return 20000 + float64(900*r.Normal())*0x1p-30 }},
	{"masked", func(r *rng) float64 {
		if r.Intn(3) > 0 {
			return math.Inf(-1)
		}
		return float64(3*r.Normal()) * 0x1p-30
	}},
	{"undefined", func(r *rng) float64 {
		switch r.Intn(2000) {
		case 0:
			return math.NaN()
		case 1:
			return math.Inf(1)
		case 2:
			return -1e30
		case 3:
			return 1e30
		}
		return float64(3*r.Normal()) * 0x1p-30
	}},
}

func makeArray[T Float](size int, value func(r *rng) float64) []T {
	r := rng(size)
	array := make([]T, size)
	for i := range array {
		array[i] = fromFloat[T](value(&r))
	}
	return array
}

// eachLane calls f with the index of each lane along an axis and the indices of
// its elements.
func eachLane(shape []int, axis int, f func(lane int, indices []int)) {
	outer, n, inner := 1, shape[axis], 1
	for _, m := range shape[:axis] {
		outer *= m
	}
	for _, m := range shape[axis+1:] {
		inner *= m
	}
	indices := make([]int, n)
	for o := range outer {
		for i := range inner {
			for r := range n {
				indices[r] = (o*n+r)*inner + i
			}
			f(o*inner+i, indices)
		}
	}
}

// axisShapes are the shapes that are tested along every axis: some small, some
// with more lanes than are gathered at a time, some with lanes of several blocks.
func axisShapes() [][]int {
	shapes := [][]int{
		{1}, {5}, {1, 1}, {3, 4}, {4, 1, 7}, {2, 3, 4}, {17, 33}, {16, 64}, {3, 2, 5, 7}, {2, 1, 2, 1, 3},
		{100, 50}, {2, 129, 20}, {50, 8, 2}, {1100, 24}, {1, 3000, 3}, {8300, 2},
	}
	if !reduced() {
		shapes = append(shapes, []int{2, 700, 37}, []int{1024, 33}, []int{5000, 5}, []int{2, 9000, 3})
	}
	return shapes
}

func TestAxis(t *testing.T) {
	forEachKernelAndFloat(t, testAxis[float32], testAxis[float64], testAxis[Float16], testAxis[BFloat16])
}

func testAxis[T Float](t *testing.T, k kernel) {
	useKernel(t, k)
	for i, shape := range axisShapes() {
		size := volume(shape)
		for j, kind := range arrayKinds {
			if size > 1000 && ((i+j)%2 != 0 || !chosen(i+j, 4)) {
				continue
			}
			src := makeArray[T](size, kind.value)
			for axis := range shape {
				want, wantLog := make([]T, size), make([]T, size)
				wantSum := make([]T, size/shape[axis])
				eachLane(shape, axis, func(lane int, indices []int) {
					row, out := make([]T, len(indices)), make([]T, len(indices))
					for r, i := range indices {
						row[r] = src[i]
					}
					Softmax(out, row)
					for r, i := range indices {
						want[i] = out[r]
					}
					LogSoftmax(out, row)
					for r, i := range indices {
						wantLog[i] = out[r]
					}
					wantSum[lane] = LogSumExp(row)
				})
				name := fmt.Sprintf("%s, shape %v, axis %d", kind.name, shape, axis)
				negative := axis - len(shape)

				got := make([]T, size)
				SoftmaxAxis(got, src, shape, axis)
				checkBits(t, got, want, want, "SoftmaxAxis, %s", name)
				LogSoftmaxAxis(got, src, shape, negative)
				checkBits(t, got, wantLog, wantLog, "LogSoftmaxAxis, %s", name)
				sums := make([]T, len(wantSum))
				LogSumExpAxis(sums, src, shape, axis)
				checkBits(t, sums, wantSum, wantSum, "LogSumExpAxis, %s", name)
				LogSumExpAxis(sums, src, shape, negative)
				checkBits(t, sums, wantSum, wantSum, "LogSumExpAxis, %s", name)

				copy(got, src)
				SoftmaxAxis(got, got, shape, negative)
				checkBits(t, got, want, want, "SoftmaxAxis in place, %s", name)
				copy(got, src)
				LogSoftmaxAxis(got, got, shape, axis)
				checkBits(t, got, wantLog, wantLog, "LogSoftmaxAxis in place, %s", name)
			}
		}
	}
}

// TestTranspose compares with the definition, for whole squares and what is left
// of them, and looks for elements written between the rows of dst.
func TestTranspose(t *testing.T) {
	forEachKernelAndFloat(t, testTranspose[float32], testTranspose[float64], testTranspose[Float16], testTranspose[BFloat16])
}

func testTranspose[T Float](t *testing.T, k kernel) {
	for _, rows := range []int{1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 40, 100} {
		for _, cols := range []int{1, 2, 3, 4, 5, 8, 9, 16, 23, 24, 100} {
			for _, gap := range []int{0, 1, 16} {
				srcStride, dstStride := cols+gap, rows+gap*2
				src := makeArray[T]((rows-1)*srcStride+cols, arrayKinds[0].value)
				dst := make([]T, (cols-1)*dstStride+rows)
				fill(dst, fenceOf[T]())
				want := slices.Clone(dst)
				for r := range rows {
					for c := range cols {
						want[c*dstStride+r] = src[r*srcStride+c]
					}
				}
				transpose(k, dst, src, rows, cols, dstStride, srcStride)
				checkBits(t, dst, want, want, "%d x %d, strides %d and %d", rows, cols, dstStride, srcStride)
			}
		}
	}
}

func TestAxisPanics(t *testing.T) {
	memory := makeArray[float32](100, arrayKinds[0].value)
	before := slices.Clone(memory)
	src, dst, sums := memory[:24:24], memory[30:54:54], memory[60:72:72]
	check := func(want string, f func()) {
		t.Helper()
		if got := panicOf(f); got != want {
			t.Errorf("panic %q, want %q", got, want)
		}
		checkBits(t, memory, before, before, "written before the panic")
	}
	for name, f := range map[string]func(dst, src []float32, shape []int, axis int){
		"SoftmaxAxis": SoftmaxAxis[float32], "LogSoftmaxAxis": LogSoftmaxAxis[float32],
	} {
		prefix := "softmax: " + name + ": "
		check(prefix+"axis 3, shape [2 3 4] has 3 axes", func() { f(dst, src, []int{2, 3, 4}, 3) })
		check(prefix+"axis -4, shape [2 3 4] has 3 axes", func() { f(dst, src, []int{2, 3, 4}, -4) })
		check(prefix+"axis 0, shape [] has 0 axes", func() { f(dst[:1], src[:1], nil, 0) })
		check(prefix+"shape [2 -3 -4] has a negative dimension", func() { f(dst, src, []int{2, -3, -4}, 0) })
		check(prefix+"len(src)=24 does not match shape [2 3 5]", func() { f(dst, src, []int{2, 3, 5}, 0) })
		check(prefix+"len(src)=23 does not match shape [2 3 4]", func() { f(dst, src[:23], []int{2, 3, 4}, 0) })
		check(prefix+"len(dst)=23, len(src)=24", func() { f(dst[:23], src, []int{2, 3, 4}, 1) })
		check(prefix+"dst and src overlap without being the same slice", func() { f(memory[1:25], src, []int{2, 3, 4}, 1) })
		// These products are small modulo 2^64 and 2^32.
		const half = math.MaxInt/2 + 1
		check(fmt.Sprintf("%slen(src)=0 does not match shape [%d 4]", prefix, half), func() { f(nil, nil, []int{half, 4}, 1) })
		check(fmt.Sprintf("%slen(src)=0 does not match shape [%d 4 0]", prefix, half), func() { f(nil, nil, []int{half, 4, 0}, 2) })
	}
	const prefix = "softmax: LogSumExpAxis: "
	check(prefix+"axis 3, shape [2 3 4] has 3 axes", func() { LogSumExpAxis(sums, src, []int{2, 3, 4}, 3) })
	check(prefix+"len(src)=24 does not match shape [2 3 5]", func() { LogSumExpAxis(sums[:6], src, []int{2, 3, 5}, 2) })
	check(prefix+"len(dst)=7, shape [2 3 4] without axis -1 holds 6", func() { LogSumExpAxis(sums[:7], src, []int{2, 3, 4}, -1) })
	check(prefix+"len(dst)=8, shape [2 3 4] without axis 0 holds 12", func() { LogSumExpAxis(sums[:8], src, []int{2, 3, 4}, 0) })
	check(prefix+"dst and src overlap", func() { LogSumExpAxis(src[:6], src, []int{2, 3, 4}, 2) })
	check(prefix+"dst and src overlap", func() { LogSumExpAxis(memory[23:29], src, []int{2, 3, 4}, 2) })
}

func TestEmptyArrays(t *testing.T) {
	for _, shape := range [][]int{{0}, {0, 3}, {3, 0}, {2, 0, 4}, {0, 0}} {
		for axis := range shape {
			SoftmaxAxis[float64](nil, nil, shape, axis)
			LogSoftmaxAxis(nil, []float64{}, shape, axis)
			without := volume(slices.Delete(slices.Clone(shape), axis, axis+1))
			sums := make([]float64, without)
			LogSumExpAxis(sums, nil, shape, axis)
			for _, s := range sums {
				if !math.IsInf(s, -1) {
					t.Errorf("shape %v, axis %d: sum of nothing is %v, want -Inf", shape, axis, s)
				}
			}
		}
	}
}

// TestAxisAllocations has lanes of each kind of buffer, and a shape of the
// caller's that must stay on its stack.
func TestAxisAllocations(t *testing.T) {
	forEachKernel(t, func(t *testing.T, k kernel) {
		useKernel(t, k)
		check := func(name string, f func()) {
			t.Helper()
			if allocs := testing.AllocsPerRun(2, f); allocs != 0 {
				t.Errorf("%s: %v allocations", name, allocs)
			}
		}
		for _, n := range []int{3, 100, 1000, 3 * blockBytes / 4} {
			array := make([]float32, n*20)
			check(fmt.Sprintf("SoftmaxAxis, n=%d", n), func() { SoftmaxAxis(array, array, []int{n, 20}, 0) })
			check(fmt.Sprintf("LogSoftmaxAxis, n=%d", n), func() { LogSoftmaxAxis(array, array, []int{n, 20}, 0) })
			check(fmt.Sprintf("LogSumExpAxis, n=%d", n), func() {
				var sums [20]float32
				LogSumExpAxis(sums[:], array, []int{n, 20}, 0)
			})
		}
	})
}
