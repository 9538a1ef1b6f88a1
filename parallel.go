package softmax

// This file spreads work over goroutines. It changes no bit: rows are computed
// alone anyway, and the order in which the sums of a long row's blocks are added
// does not matter.

import (
	"runtime"
	"sync"
	"sync/atomic"
)

const (
	// chunkLen is about how many elements a worker takes at a time.
	chunkLen = 1 << 16

	// splitLen is the length from which on a row is split among workers.
	splitLen = 1 << 18

	// genericFactor is about how much slower the kernel in Go is than one in assembly.
	genericFactor = 32
)

// workerLen is the number of elements for each worker from which on another one
// pays, with a kernel in assembly: they take about 60 microseconds, which an idle
// processor may need to wake up. Tests lower it.
var workerLen = 1 << 18

// ParallelSoftmaxRows is [SoftmaxRows] with the work spread over up to workers
// goroutines, of which the caller is one. If workers is 0 or negative there are as
// many as GOMAXPROCS. Small matrices are left to fewer, or to the caller alone,
// where starting another goroutine would cost more than it gains.
//
// The bits do not depend on the number of workers. Rows are shared out, and very
// long ones are split. What SoftmaxRows says of sizes, strides, aliasing, panics
// and special values holds here too; panics are raised in the caller's goroutine.
// Unlike other functions of this package it may allocate, and arguments escape to
// the heap.
func ParallelSoftmaxRows[T Float](dst, src Matrix[T], workers int) {
	if checkMatrices("ParallelSoftmaxRows", &dst, &src) {
		parallelRows(active, opSoftmax, dst, src, workers)
	}
}

// ParallelLogSoftmaxRows is [LogSoftmaxRows] with the work spread over goroutines,
// as [ParallelSoftmaxRows] describes.
func ParallelLogSoftmaxRows[T Float](dst, src Matrix[T], workers int) {
	if checkMatrices("ParallelLogSoftmaxRows", &dst, &src) {
		parallelRows(active, opLogSoftmax, dst, src, workers)
	}
}

// parallelRows computes non-empty rows with up to workers goroutines.
func parallelRows[T Float](k kernel, op operation, dst, src Matrix[T], workers int) {
	rows, cols := src.Rows, src.Cols
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	least := workerLen
	if k == kernelGeneric {
		least /= genericFactor
	}
	workers = min(workers, rows*cols/least)
	switch {
	case workers <= 1:
		rowsAlong(k, op, dst.Data, src.Data, cols, rows, dst.Stride, src.Stride)
	case cols >= splitLen && rows < 4*workers:
		for row := range rows {
			d, s := dst.Data[row*dst.Stride:][:cols], src.Data[row*src.Stride:][:cols]
			switch {
			case is32[T]():
				parallelRow[float32, float32](k, op, as32(d), as32(s), workers)
			case is64[T]():
				parallelRow[float64, float64](k, op, as64(d), as64(s), workers)
			default:
				parallelRow[T, float32](k, op, d, s, workers)
			}
		}
	default:
		// A few rows at a time, so that all workers end at about the same time.
		batch := max(1, min(chunkLen/cols, rows/(4*workers)))
		share((rows+batch-1)/batch, workers, func(part int) {
			row := part * batch
			rowsAlong(k, op, dst.Data[row*dst.Stride:], src.Data[row*src.Stride:], cols, min(batch, rows-row), dst.Stride, src.Stride)
		})
	}
}

// parallelRow computes one long row. It does not store exponentials: that would
// take the anchor before the first of them, and another pass.
func parallelRow[T Float, C native](k kernel, op operation, dst, src []T, workers int) {
	t := parallelScan[T, C](k, src, workers)
	stream := sizeOf(src) >= streamBytes
	share((len(src)+chunkLen-1)/chunkLen, workers, func(part int) {
		first := part * chunkLen
		end := min(first+chunkLen, len(src))
		writeRow(k, op, &t, dst[first:end], src[first:end], stream)
	})
}

// parallelScan is scan of a row whose exponentials are not stored.
func parallelScan[T Float, C native](k kernel, src []T, workers int) rowTotal[C] {
	r := newScan[C]()
	var guard sync.Mutex
	share((len(src)+chunkLen-1)/chunkLen, workers, func(part int) {
		var buffer []C
		if !isNative[C, T]() {
			buffer = make([]C, blockLen[C]())
		}
		chunk := newScan[C]()
		first := part * chunkLen
		addRow(k, &chunk, rowSource[T, C]{elements: src[first:min(first+chunkLen, len(src))], buffer: buffer})
		guard.Lock()
		defer guard.Unlock()
		r.merge(&chunk)
	})
	return r.total()
}

// share calls f for every part, each in one of workers goroutines, of which the
// caller is one.
func share(parts, workers int, f func(part int)) {
	var next atomic.Int64
	work := func() {
		for part := int(next.Add(1)) - 1; part < parts; part = int(next.Add(1)) - 1 {
			f(part)
		}
	}
	var others sync.WaitGroup
	for range min(workers, parts) - 1 {
		others.Go(work)
	}
	work()
	others.Wait()
}
