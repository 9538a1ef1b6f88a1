package softmax

// This file is for elements of 16 bits. They are computed in float32.

import (
	"fmt"
	"math"
)

// Float16 is a number in the IEEE 754 format binary16: 5 bits of exponent, 11 of
// significand. From 65520 on float32 values round to infinity; the smallest
// positive number is 2^-24.
type Float16 uint16

// BFloat16 is a number in the format bfloat16: the first 16 bits of a float32.
type BFloat16 uint16

const (
	nan16      = 0x7E00 // the NaN of every undefined result, for Float16
	infinity16 = 0x7C00
	nanB16     = 0x7FC0 // that NaN for BFloat16
)

// Float32 returns h, exactly. A NaN becomes a quiet one with the same sign and
// payload.
func (h Float16) Float32() float32 {
	const quiet, infinity = 0x00400000, 0x7F800000
	sign := uint32(h>>15) << 31
	magnitude := uint32(h & 0x7FFF)
	switch {
	case magnitude < 1<<10: // subnormal, or 0
		return math.Float32frombits(sign | math.Float32bits(float32(magnitude)*0x1p-24))
	case magnitude > infinity16: // NaN
		return math.Float32frombits(sign | infinity | quiet | magnitude<<13)
	case magnitude == infinity16: // infinity
		return math.Float32frombits(sign | infinity)
	}
	return math.Float32frombits(sign | magnitude<<13 + (127-15)<<23)
}

// Float32 returns b, exactly. A NaN becomes a quiet one with the same sign and
// payload.
func (b BFloat16) Float32() float32 {
	const quiet, infinity = 0x0040, 0x7F80
	if b&0x7FFF > infinity {
		b |= quiet
	}
	return math.Float32frombits(uint32(b) << 16)
}

// ToFloat16 returns x rounded to nearest, ties to even. A NaN stays one, with the
// same sign and the leading bits of its payload, and is quiet.
func ToFloat16(x float32) Float16 {
	bits := math.Float32bits(x)
	sign := Float16(bits>>31) << 15
	bits &= 1<<31 - 1
	switch {
	case bits > 0x7F800000:
		return sign | nan16 | Float16(bits>>13&0x3FF)
	case bits >= (127+16)<<23: // 65536
		return sign | infinity16
	case bits < (127-14)<<23: // 2^-14: adding 1/2 rounds to a multiple of 2^-24
		const oneHalf = 0.5
		rounded := math.Float32frombits(bits) + oneHalf
		return sign | Float16(math.Float32bits(rounded)-math.Float32bits(oneHalf))
	}
	bits += 1<<12 - 1 + bits>>13&1
	return sign | Float16(bits>>13-(127-15)<<10)
}

// ToBFloat16 returns x rounded to nearest, ties to even. A NaN stays one, with the
// same sign and the leading bits of its payload, and is quiet.
func ToBFloat16(x float32) BFloat16 {
	bits := math.Float32bits(x)
	if x != x {
		return BFloat16(bits>>16) | nanB16
	}
	return BFloat16((bits + 1<<15 - 1 + bits>>16&1) >> 16)
}

// AsFloat16 views the elements of s, which hold IEEE 754 binary16 numbers, as
// Float16. Nothing is copied: the slices share their memory. So the slices of
// other packages, like those of github.com/x448/float16, can be passed to the
// functions of this one.
func AsFloat16[S ~uint16](s []S) []Float16 { return castSlice[Float16](s) }

// AsBFloat16 views the elements of s, which hold bfloat16 numbers, as BFloat16.
// Nothing is copied: the slices share their memory.
func AsBFloat16[S ~uint16](s []S) []BFloat16 { return castSlice[BFloat16](s) }

// SoftmaxToFloat32 writes the softmax of the logits in src to dst, which must have
// the same length and share no memory with src. What [Softmax] says of accuracy and
// special values holds here too. An empty src leaves dst as it is.
//
// SoftmaxToFloat32 panics, before anything is written, if the lengths differ or if
// dst and src share memory.
func SoftmaxToFloat32[S Float16 | BFloat16](dst []float32, src []S) {
	if !checkMixed("SoftmaxToFloat32", dst, src) {
		return
	}
	switch {
	case len(src) <= block32:
		softmaxBlock(active, dst, widen(active, dst, src))
	case sizeOf(dst) <= storedBytes:
		var scales [storedBytes / blockBytes]blockScale
		scanAndScale(active, dst, rowSource[S, float32]{elements: src}, scales[:])
	default:
		widenRow(active, dst, src)
		softmaxRow(active, dst, dst)
	}
}

// SoftmaxFromFloat32 writes the softmax of the logits in src, rounded to nearest
// even from the float32 that [Softmax] returns, to dst, which must have the same
// length and share no memory with src. An empty src leaves dst as it is.
//
// SoftmaxFromFloat32 panics, before anything is written, if the lengths differ or
// if dst and src share memory.
func SoftmaxFromFloat32[D Float16 | BFloat16](dst []D, src []float32) {
	if !checkMixed("SoftmaxFromFloat32", dst, src) {
		return
	}
	switch {
	case len(src) > block32:
		halfRow(active, opSoftmax, dst, src)
	case !softmaxHalf(active, dst, src):
		fromFloat32(active, dst, src)
	}
}

// checkMixed panics unless dst and src may be the arguments of a function, and
// reports whether there is anything to do.
func checkMixed[D, S Float](function string, dst []D, src []S) bool {
	if len(dst) != len(src) {
		panic(fmt.Sprintf("softmax: %s: len(dst)=%d, len(src)=%d", function, len(dst), len(src)))
	}
	if overlap(dst, src) {
		panic("softmax: " + function + ": dst and src share memory")
	}
	return len(src) > 0
}

// widenFloat16Generic converts elements to float32. It returns the largest; with a NaN
// among them, any value. So does widenBFloat16Generic.
func widenFloat16Generic(dst []float32, src []Float16) float32 {
	for i, h := range src {
		dst[i] = h.Float32()
	}
	return maxGeneric(dst[:len(src)])
}

func widenBFloat16Generic(dst []float32, src []BFloat16) float32 {
	for i, b := range src {
		dst[i] = math.Float32frombits(uint32(b) << 16) // a NaN need not become quiet
	}
	return maxGeneric(dst[:len(src)])
}

func narrowFloat16Generic(dst []Float16, src []float32) {
	for i, x := range src {
		dst[i] = ToFloat16(x)
	}
}

func narrowBFloat16Generic(dst []BFloat16, src []float32) {
	for i, x := range src {
		dst[i] = ToBFloat16(x)
	}
}

// widen converts a block of elements of 16 bits to float32. It returns the largest;
// with a NaN among them, any value.
func widen[T Float](k kernel, dst []float32, src []T) float32 {
	if isFloat16[T]() {
		return widenFloat16(k, dst, castSlice[Float16](src))
	}
	return widenBFloat16(k, dst, castSlice[BFloat16](src))
}

// narrow rounds a block to elements of 16 bits. A NaN must have the bits nanBits.
func narrow[T Float](k kernel, dst []T, src []float32) {
	if isFloat16[T]() {
		narrowFloat16(k, castSlice[Float16](dst), src)
	} else {
		narrowBFloat16(k, castSlice[BFloat16](dst), src)
	}
}

// smallRow is the longest row for which a larger buffer would take too long to clear.
const smallRow = 512

// halfRows is rowsAlong for elements of 16 bits. A row of one block is converted in a
// buffer on the stack. A longer one is converted twice, block by block.
func halfRows[T Float](k kernel, op operation, dst, src []T, cols, rows, dstStride, srcStride int) {
	if op == opSoftmax && cols <= block32 {
		for softmaxHalf(k, dst[:cols], src[:cols]) {
			if rows--; rows == 0 {
				return
			}
			dst, src = dst[dstStride:], src[srcStride:]
		}
	}
	switch {
	case cols <= smallRow:
		var buffer [smallRow]float32
		bufferedRows(k, op, dst, src, buffer[:cols], rows, dstStride, srcStride)
	case cols <= block32:
		var buffer [block32]float32
		bufferedRows(k, op, dst, src, buffer[:cols], rows, dstStride, srcStride)
	case op == opLogSumExp:
		for row := range rows {
			dst[row] = halfLogSumExp(k, src[row*srcStride:][:cols])
		}
	default:
		for row := range rows {
			halfRow(k, op, dst[row*dstStride:][:cols], src[row*srcStride:][:cols])
		}
	}
}

// bufferedRows does op to rows of the buffer's length.
func bufferedRows[T Float](k kernel, op operation, dst, src []T, buffer []float32, rows, dstStride, srcStride int) {
	for row := range rows {
		m := widen(k, buffer, src[row*srcStride:][:len(buffer)])
		switch op {
		case opSoftmax:
			softmaxBlock(k, buffer, m)
		case opLogSoftmax:
			logSoftmaxRow(k, buffer, buffer)
		case opLogSumExp:
			dst[row] = fromNative[T](logSumExpRow(k, buffer))
			continue
		}
		narrow(k, dst[row*dstStride:][:len(buffer)], buffer)
	}
}

// fromFloat32 computes the softmax of a row of one block.
func fromFloat32[D Float](k kernel, dst []D, src []float32) {
	var buffer [block32]float32
	softmaxBlocks(k, &buffer[0], &src[0], len(src), 1, 0, 0)
	narrow(k, dst, buffer[:len(src)])
}

// widenRow converts a row of any length.
func widenRow[T Float](k kernel, dst []float32, src []T) {
	for len(src) > 0 {
		n := min(len(src), block32)
		widen(k, dst[:n], src[:n])
		dst, src = dst[n:], src[n:]
	}
}

// halfRow computes the softmax or log-softmax of a row, of which dst, src or both
// have elements of 16 bits.
func halfRow[D, S Float](k kernel, op operation, dst []D, src []S) {
	var buffer [block32]float32
	t := scan(k, rowSource[S, float32]{elements: src, buffer: buffer[:]})
	writeHalf(k, op, &t, dst, src, buffer[:])
}

func halfLogSumExp[T Float](k kernel, src []T) T {
	var buffer [block32]float32
	t := scan(k, rowSource[T, float32]{elements: src, buffer: buffer[:]})
	return fromNative[T](logSumExpFrom(t.top, t.logSum()))
}

// writeRow computes the softmax or log-softmax of a row, or of a part of it, from
// what the first pass found out. stream asks to store past the caches.
func writeRow[T Float, C native](k kernel, op operation, t *rowTotal[C], dst, src []T, stream bool) {
	switch {
	case !isNative[C, T]():
		var buffer [block32]float32
		writeHalf(k, op, cast[rowTotal[float32]](t), dst, src, buffer[:])
	case op == opLogSoftmax:
		log := t.logSum()
		subtractRow(k, castSlice[C](dst), castSlice[C](src), t.top, C(log.hi+log.lo))
	default:
		t.write(k, castSlice[C](dst), castSlice[C](src), stream)
	}
}

// writeHalf is writeRow where dst, src or both have elements of 16 bits.
func writeHalf[D, S Float](k kernel, op operation, t *rowTotal[float32], dst []D, src []S, buffer []float32) {
	log := t.logSum()
	for len(src) > 0 {
		n := min(len(src), len(buffer))
		block := nativeBlock(k, buffer, src[:n])
		if op == opLogSoftmax {
			subtractRow(k, buffer[:n], block, t.top, float32(log.hi+log.lo))
		} else {
			t.write(k, buffer[:n], block, false)
		}
		narrow(k, dst[:n], buffer[:n])
		dst, src = dst[n:], src[n:]
	}
}
