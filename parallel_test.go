package softmax

// This file checks that work spread over goroutines gives the same bits.

import (
	"fmt"
	"slices"
	"testing"
)

// useWorkerLen has workers start for n elements each until the test ends.
func useWorkerLen(t *testing.T, n int) {
	previous := workerLen
	workerLen = n
	t.Cleanup(func() { workerLen = previous })
}

func TestParallel(t *testing.T) {
	forEachKernelAndFloat(t, testParallel[float32], testParallel[float64], testParallel[Float16], testParallel[BFloat16])
}

func testParallel[T Float](t *testing.T, k kernel) {
	useKernel(t, k)
	useWorkerLen(t, 1<<12)
	shapes := []struct{ rows, cols, gap int }{
		{1, 1, 0}, {7, 100, 3}, {100, 1000, 0}, {40, 4097, 1}, {7000, 10, 2},
		{1, splitLen - 1, 0}, {1, splitLen, 0}, {1, splitLen + 4*blockBytes + 5, 0},
	}
	if !reduced() {
		shapes = append(shapes, struct{ rows, cols, gap int }{3, splitLen + 77, 9})
	}
	for i, s := range shapes {
		for j, kind := range arrayKinds {
			if s.rows*s.cols > 1000 && (i+j)%len(arrayKinds) != 3 {
				continue
			}
			stride := s.cols + s.gap
			src := Matrix[T]{makeArray[T](s.rows*stride, kind.value), s.rows, s.cols, stride}
			want, wantLog := src, src
			want.Data, wantLog.Data = slices.Clone(src.Data), slices.Clone(src.Data)
			SoftmaxRows(want, src)
			LogSoftmaxRows(wantLog, src)
			for workers := range 9 {
				// Elements of 16 bits are shared out in the same way: a part will do.
				if !chosen(workers, 4) || !is32[T]() && !is64[T]() && workers%4 != 0 {
					continue
				}
				name := fmt.Sprintf("%s, %d x %d, %d workers", kind.name, s.rows, s.cols, workers)
				got := src
				got.Data = slices.Clone(src.Data)
				ParallelSoftmaxRows(got, src, workers)
				checkBits(t, got.Data, want.Data, want.Data, "ParallelSoftmaxRows, %s", name)
				ParallelLogSoftmaxRows(got, src, workers)
				checkBits(t, got.Data, wantLog.Data, wantLog.Data, "ParallelLogSoftmaxRows, %s", name)
				copy(got.Data, src.Data)
				ParallelSoftmaxRows(got, got, workers)
				checkBits(t, got.Data, want.Data, want.Data, "ParallelSoftmaxRows in place, %s", name)
				copy(got.Data, src.Data)
				ParallelLogSoftmaxRows(got, got, workers)
				checkBits(t, got.Data, wantLog.Data, wantLog.Data, "ParallelLogSoftmaxRows in place, %s", name)
			}
		}
	}
}

// TestParallelStream splits a row whose probabilities are stored past the caches.
func TestParallelStream(t *testing.T) {
	previous := streamBytes
	streamBytes = splitLen
	t.Cleanup(func() { streamBytes = previous })
	forEachKernel(t, func(t *testing.T, k kernel) {
		useKernel(t, k)
		useWorkerLen(t, 1<<12)
		src := makeArray[float32](splitLen+1001, arrayKinds[0].value)
		want, got := make([]float32, len(src)), make([]float32, len(src)+3)[3:]
		softmaxStored(kernelGeneric, want, src)
		m := func(data []float32) Matrix[float32] { return Matrix[float32]{data, 1, len(src), len(src)} }
		ParallelSoftmaxRows(m(got), m(src), 4)
		checkBits(t, got, want, want, "streamed")
	})
}

// TestParallelStarts checks that no goroutine is started where it cannot pay, and
// that one is where it can: that allocates.
func TestParallelStarts(t *testing.T) {
	m := Matrix[float32]{make([]float32, 1000), 10, 100, 100}
	allocations := func() float64 {
		return testing.AllocsPerRun(10, func() { ParallelSoftmaxRows(m, m, 8) })
	}
	if allocs := allocations(); allocs != 0 {
		t.Errorf("%v allocations for 10 x 100", allocs)
	}
	useWorkerLen(t, 100)
	if allocations() == 0 {
		t.Error("no allocations, so no workers, with 100 elements for each")
	}
}

func TestParallelPanics(t *testing.T) {
	memory := makeArray[float32](100, arrayKinds[0].value)
	before := slices.Clone(memory)
	good := Matrix[float32]{memory[50:], 3, 4, 5}
	for name, f := range map[string]func(dst, src Matrix[float32], workers int){
		"ParallelSoftmaxRows": ParallelSoftmaxRows[float32], "ParallelLogSoftmaxRows": ParallelLogSoftmaxRows[float32],
	} {
		for _, test := range []struct {
			dst  Matrix[float32]
			want string
		}{
			{Matrix[float32]{memory[:50], 3, 4, 3}, "dst has Rows=3, Cols=4, Stride=3"},
			{Matrix[float32]{memory[:13], 3, 4, 5}, "dst has len(Data)=13, too short for Rows=3, Cols=4, Stride=5"},
			{Matrix[float32]{memory[:50], 2, 4, 5}, "dst is 2 x 4, src is 3 x 4"},
			{Matrix[float32]{memory[51:], 3, 4, 5}, "dst (Stride 5) and src (Stride 5) overlap without being the same matrix"},
		} {
			want := "softmax: " + name + ": " + test.want
			if got := panicOf(func() { f(test.dst, good, 2) }); got != want {
				t.Errorf("panic %q, want %q", got, want)
			}
			checkBits(t, memory, before, before, "written before the panic")
		}
	}
}
