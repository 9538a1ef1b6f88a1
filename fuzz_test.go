package softmax

// This file lets the fuzzer choose bits.

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"testing"
	"unsafe"
)

// bytesToRow reads numbers in the processor's byte order; what is left over is
// dropped.
func bytesToRow[T Float](data []byte) []T {
	row := make([]T, len(data)/int(unsafe.Sizeof(T(0))))
	copy(asBytes(row), data)
	return row
}

// FuzzSoftmax takes any bytes for logits: of float32, and once more of each other
// type. A row is computed by every kernel at some alignment, in every way, and as
// rows of a matrix.
func FuzzSoftmax(f *testing.F) {
	addSeeds[float32](f)
	addSeeds[float64](f)
	f.Fuzz(func(t *testing.T, data []byte, layout uint8) {
		data = data[:min(len(data), 3*blockBytes)]
		checkEveryWay(t, bytesToRow[float32](data), int(layout))
		checkEveryWay(t, bytesToRow[float64](data), int(layout))
		checkFuzzedHalf(t, bytesToRow[Float16](data), int(layout))
		checkFuzzedHalf(t, bytesToRow[BFloat16](data), int(layout))
	})
}

// checkFuzzedHalf computes a row of 16 bits by every kernel.
func checkFuzzedHalf[T half](t *testing.T, row []T, layout int) {
	n := len(row)
	if n == 0 {
		return
	}
	src, dst := newBuffer[T](n), newBuffer[T](n)
	for _, k := range availableKernels() {
		useKernel(t, k)
		checkHalfRow(t, row, src, dst, layout, k.String())
	}
}

func addSeeds[T native](f *testing.F) {
	negInf, posInf, largest, smallest := infinity[T](-1), infinity[T](1), largest[T](), smallest[T]()
	seeds := [][]T{
		{}, {0}, {1, 2, 3}, {negInf}, {negInf, 0}, {posInf, 0}, {nan[T](), 1}, {-largest, 0, largest},
		{8191, 8192, 8193, 16383, 16384, 16385}, {-16384, -16383, -16385},
		{0, -87, -88, -103, -104, -105, -708, -709, -745, -746},
		{smallest, -smallest, fromBits[T](formatOf[T]().Fraction + 1)}, {T(math.Copysign(0, -1)), 0},
	}
	for i, seed := range seeds {
		f.Add(asBytes(seed), uint8(i))
	}
	for i, family := range familiesOf[T]() {
		f.Add(asBytes(family.MakeRow(40+i, 1)), uint8(i*7))
	}
	for i, name := range []string{"normal3", "uniform1000", "limits-mixed"} { // long ones slow the fuzzer down
		f.Add(asBytes(familyNamed[T](name).MakeRow(blockLen[T]()+5+i, 1)), uint8(i*5))
	}
}

func checkEveryWay[T native](t *testing.T, row []T, layout int) {
	n := len(row)
	if n == 0 {
		return
	}
	softmax, logSoftmax := make([]T, n), make([]T, n)
	softmaxRow(kernelGeneric, softmax, row)
	checkProbabilities(t, softmax, row)
	logSoftmaxRow(kernelGeneric, logSoftmax, row)
	checkLogarithms(t, logSoftmax, row)
	logSumExp := logSumExpRow(kernelGeneric, row)
	checkLogSumExp(t, logSumExp, row)

	cols := 1 + layout*7%n
	rows := n / cols
	wantRows := make([]T, rows*cols)
	for i := range rows {
		softmaxRow(kernelGeneric, wantRows[i*cols:][:cols], row[i*cols:][:cols])
	}
	ways := []struct {
		name string
		run  func(k kernel, dst, src []T)
		want []T
	}{
		{"softmax", softmaxRow[T], softmax},
		{"stored", softmaxStored[T], softmax},
		{"recomputed", softmaxRecomputed[T], softmax},
		{"log-softmax", logSoftmaxRow[T], logSoftmax},
	}
	useStreamLen[T](t, 16)
	src, dst := newBuffer[T](n), newBuffer[T](n)
	for _, k := range availableKernels() {
		for _, way := range ways {
			from, to := src.slice(n, layout%16), dst.slice(n, layout/16)
			copy(from, row)
			way.run(k, to, from)
			checkBits(t, to, way.want, row, "kernel %s, %s", k, way.name)
			dst.check(t, "kernel %s, %s", k, way.name)
			way.run(k, from, from)
			checkBits(t, from, way.want, row, "kernel %s, %s in place", k, way.name)
			src.check(t, "kernel %s, %s in place", k, way.name)
		}
		checkBits(t, []T{logSumExpRow(k, row)}, []T{logSumExp}, row, "kernel %s, log-sum-exp", k)
		got := make([]T, rows*cols)
		softmaxRows(k, got, row, cols, rows, cols, cols)
		checkBits(t, got, wantRows, row, "kernel %s, %d rows of %d", k, rows, cols)
	}
}

// FuzzAccumulator takes any bytes for logits, and adds them in shards of any lengths in
// two orders. It also takes them for the state of an accumulator, once with a checksum
// that is right.
func FuzzAccumulator(f *testing.F) {
	addSeeds[float32](f)
	addSeeds[float64](f)
	for i, row := range [][]float32{{1}, {1, 2}, {20000, -20000}, {24570, 24580, 3}} {
		state := accumulated(new(rng), cutAt(nil, row, 1, true))
		data, _ := state.MarshalBinary()
		f.Add(data[:len(data)-4], uint8(i))
	}
	f.Fuzz(func(t *testing.T, data []byte, seed uint8) {
		checkAccumulator[float32](t, data, seed)
		checkAccumulator[float64](t, data, seed)
	})
}

func checkAccumulator[T native](t *testing.T, data []byte, seed uint8) {
	r := rng(seed)
	row := bytesToRow[T](data[:min(len(data), 3*blockBytes)])
	shards := cutAt(&r, row, 1+r.Intn(len(row)+1), false)
	a, b := accumulated(&r, shards), accumulated(&r, shards)
	if a != b && !(isNaN(a.logits.top) && isNaN(b.logits.top)) {
		t.Fatalf("%v: two orders give %+v and %+v", shards, a, b)
	}
	got := make([]T, len(row))
	a.Softmax(got, row)
	a.LogSoftmax(got, row)
	for _, data := range [][]byte{data, binary.LittleEndian.AppendUint32(slices.Clone(data), checksum(data))} {
		if a.UnmarshalBinary(data) != nil {
			if a != b && !isNaN(a.logits.top) {
				t.Fatalf("%x: an error changed the receiver", data)
			}
			continue
		}
		if again, _ := a.MarshalBinary(); !bytes.Equal(again, data) {
			t.Fatalf("%x became %x", data, again)
		}
		a.LogSumExp()
		b.Merge(&a)
		b.LogSumExp()
		a = b
	}
}
