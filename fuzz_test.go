package softmax

// This file lets the fuzzer choose bits.

import (
	"encoding/binary"
	"math"
	"testing"
)

// bitsToRow reads little-endian float32 values; what is left over is dropped.
func bitsToRow(data []byte) []float32 {
	row := make([]float32, len(data)/4)
	for i := range row {
		row[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return row
}

func rowToBits(row []float32) []byte {
	var data []byte
	for _, v := range row {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	return data
}

// FuzzSoftmax takes any bytes for logits. The row is computed by every kernel at
// some alignment, in every way, and once more as rows of a matrix.
func FuzzSoftmax(f *testing.F) {
	seeds := [][]float32{
		{}, {0}, {1, 2, 3}, {negInf}, {negInf, 0}, {posInf, 0}, {nan32, 1}, {-math.MaxFloat32, 0, math.MaxFloat32},
		{8191, 8192, 8193, 16383, 16384, 16385}, {-16384, -16383, -16385}, {0, -87, -88, -103, -104, -105},
		{0x1p-149, -0x1p-149, 0x1p-126}, {float32(math.Copysign(0, -1)), 0},
	}
	for i, seed := range seeds {
		f.Add(rowToBits(seed), uint8(i))
	}
	for i, family := range families {
		f.Add(rowToBits(family.makeRow(40+i, 1)), uint8(i*7))
	}
	for i, name := range []string{"normal3", "uniform1000", "limits-mixed"} { // long ones slow the fuzzer down
		f.Add(rowToBits(familyNamed(name).makeRow(blockLen+5+i, 1)), uint8(i*5))
	}
	f.Fuzz(func(t *testing.T, data []byte, layout uint8) {
		const most = 3 * blockLen
		row := bitsToRow(data[:min(len(data), 4*most)])
		n := len(row)
		if n == 0 {
			return
		}
		want := make([]float32, n)
		softmaxRow(kernelGeneric, want, row)
		checkProbabilities(t, want, row)

		cols := 1 + int(layout)*7%n
		rows := n / cols
		wantRows := make([]float32, rows*cols)
		for i := range rows {
			softmaxRow(kernelGeneric, wantRows[i*cols:][:cols], row[i*cols:][:cols])
		}
		useStreamLen(t, 16)
		src, dst := newBuffer(n), newBuffer(n)
		for _, k := range availableKernels() {
			from := src.slice(n, int(layout%16))
			to := dst.slice(n, int(layout/16))
			copy(from, row)
			for name, way := range map[string]func(k kernel, dst, src []float32){
				"row": softmaxRow, "stored": softmaxStored, "recomputed": softmaxRecomputed,
			} {
				way(k, to, from)
				checkBits(t, to, want, row, "kernel %s, %s", k, name)
				dst.check(t, "kernel %s, %s", k, name)
			}
			softmaxRows(k, to[:rows*cols], from, cols, rows, cols, cols)
			checkBits(t, to[:rows*cols], wantRows, row, "kernel %s, %d rows of %d", k, rows, cols)
			softmaxRow(k, from, from)
			checkBits(t, from, want, row, "kernel %s, in place", k)
			src.check(t, "kernel %s, in place", k)
		}
	})
}
