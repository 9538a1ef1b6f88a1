package softmax

// This file is softmax of logits that come in shards.

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"unsafe"
)

// Accumulator is a mergeable running log-sum-exp: the maximum of logits and the sum of
// their exponentials. Logits are added; accumulators of shards are merged, on one
// machine or, through [Accumulator.MarshalBinary], on several; then every shard can be
// normalised against the whole.
//
//	var whole softmax.Accumulator[float32]
//	for _, shard := range shards {
//		whole.Add(shard)
//	}
//	for _, shard := range shards {
//		whole.Softmax(shard, shard)
//	}
//
// The zero value is empty and ready to use. An Accumulator has a fixed size (about 200
// bytes) and never allocates. It may be copied, and compared with ==: after the same
// calls of Add, in any order and merged in any way, accumulators are equal. It must
// not be used by several goroutines at once, unless they only read.
//
// # Bits
//
// The sum is kept exactly, so that the order of adding and merging does not change a
// bit. What is rounded are exponentials, and their sums within a block: every call of
// Add cuts its logits into blocks of 16 KiB (4096 float32 or 2048 float64) from its
// first one on. A row whose shards start at multiples of that length gives exactly
// the results of [Softmax], [LogSoftmax] and [LogSumExp] for the whole row. Cut in
// another way, results may differ in the last place, with the same accuracy.
//
// Source: the pair of maximum and sum is that of M. Milakov and N. Gimelshein, "Online
// normalizer calculation for softmax" (2018); exact sums are those of
// exactsum.go.
type Accumulator[T float32 | float64] struct {
	logits expSum[T]
}

// Add adds logits. An empty src adds nothing, and so does -Inf. With a NaN or a +Inf
// all results are undefined, as for a row that holds one. src does not escape, and
// nothing is allocated. It takes as long as [LogSumExp].
func (a *Accumulator[T]) Add(src []T) {
	for len(src) > 0 {
		block := src[:min(len(src), blockLen[T]())]
		a.logits.add(scanBlock(active, block, maxBlock(active, block)))
		src = src[len(block):]
	}
}

// Merge adds the logits that were added to b, which is left as it is. b may be a
// itself: then they count twice. It takes some tens of nanoseconds, whatever the number
// of logits.
func (a *Accumulator[T]) Merge(b *Accumulator[T]) {
	other := b.logits
	a.logits.merge(&other)
}

// Reset makes a empty.
func (a *Accumulator[T]) Reset() { *a = Accumulator[T]{} }

// LogSumExp returns the natural logarithm of the sum of the exponentials of all
// logits, as accurately as the function [LogSumExp], and with its special values: -Inf if
// there is no logit but -Inf, +Inf if there is a +Inf, and NaN if there is a NaN.
func (a *Accumulator[T]) LogSumExp() T {
	t := a.logits.total()
	return logSumExpFrom(t.top, t.logSum())
}

// Softmax writes the probabilities of the logits in src among all that were added to
// dst, which must have the same length. src must have been added, alone or with
// others. dst and src may be the same slice; any other overlap panics. An empty src is
// left as it is.
//
// Special values and accuracy are those of the function [Softmax], for rows of any
// length: where a NaN or a +Inf was added, or nothing but -Inf, dst becomes all NaN.
//
// Softmax panics, before anything is written, if the lengths differ, if dst and src
// overlap without being the same slice, or if src cannot have been added: if it has a
// NaN, or a logit above the largest, and the accumulator knows of none.
func (a *Accumulator[T]) Softmax(dst, src []T) {
	if t := a.total("Accumulator.Softmax", dst, src); len(src) > 0 {
		t.write(active, dst, src, false) // what needs care is not stored past the caches
	}
}

// LogSoftmax writes the logarithms of the probabilities of the logits in src among
// all that were added to dst. Sizes, aliasing and panics are those of
// [Accumulator.Softmax], special values and accuracy those of the function
// [LogSoftmax].
func (a *Accumulator[T]) LogSoftmax(dst, src []T) {
	if t := a.total("Accumulator.LogSoftmax", dst, src); len(src) > 0 {
		log := t.logSum()
		subtractRow(active, dst, src, t.top, T(log.hi+log.lo))
	}
}

// total returns what is to be known for normalising src. It panics unless dst and src
// may be the arguments of a method.
func (a *Accumulator[T]) total(method string, dst, src []T) rowTotal[T] {
	checkVectors(method, dst, src)
	t := a.logits.total()
	if a.logits.isUndefined() {
		return t
	}
	for at := 0; at < len(src); at += blockLen[T]() {
		block := src[at:min(at+blockLen[T](), len(src))]
		m := maxBlock(active, block)
		if hasNaNBlock(active, block) || m > t.top && !(isTiny(m) && isTiny(t.top)) {
			panicNotAdded(method, a.logits.max(), src)
		}
	}
	return t
}

// panicNotAdded says which of the logits in src was not added to an accumulator.
func panicNotAdded[T native](method string, top T, src []T) {
	for i, x := range src {
		if !(x <= top) && !(isTiny(x) && isTiny(top)) {
			panic(fmt.Sprintf("softmax: %s: src[%d]=%v was not added: the largest logit is %v", method, i, x, top))
		}
	}
}

// The binary format of an Accumulator, whose numbers are little-endian:
//
//	4 bytes   "smax"
//	1 byte    version, 1
//	1 byte    bytes of an element, 4 or 8
//	2 bytes   for each of the two sums: how many numbers it has, 0, 1, or 2 for more
//	8 bytes   float64: the largest logit; a NaN; +Inf; or 0 if there is none
//	          for each sum of one number:
//	4 bytes     int32: exponent of a power of two, times which the number is
//	16 bytes    two float64, whose sum it is
//	          for each sum of more numbers:
//	4 bytes     int32: place of the first bin, whose unit is 2^(64*place)
//	64 bytes    four bins, each a place lower than the one before: 128-bit integers
//	4 bytes   CRC-32 (Castagnoli) of all bytes before
const (
	binaryMagic   = "smax"
	binaryVersion = 1
	binaryHeader  = len(binaryMagic) + 4 + 8
)

var binaryTable = crc32.MakeTable(crc32.Castagnoli)

// AppendBinary appends the state of a to data, in a format of 20 to 156 bytes that is
// the same on every computer: equal accumulators give equal bytes. The source code
// describes it. The error is always nil. It is [encoding.BinaryAppender].
func (a *Accumulator[T]) AppendBinary(data []byte) ([]byte, error) {
	start, little := len(data), binary.LittleEndian
	sums := &a.logits.sums
	data = append(data, binaryMagic...)
	data = append(data, binaryVersion, byte(unsafe.Sizeof(T(0))), byte(sums[0].count), byte(sums[1].count))
	top := math.Float64bits(wide(a.logits.top))
	if a.logits.hasNaN {
		top = wideNaNBits
	}
	data = little.AppendUint64(data, top)
	for i := range sums {
		switch s := &sums[i]; s.count {
		case oneNumber:
			data = little.AppendUint32(data, uint32(s.power))
			data = little.AppendUint64(data, math.Float64bits(s.only.hi))
			data = little.AppendUint64(data, math.Float64bits(s.only.lo))
		case manyNumbers:
			data = little.AppendUint32(data, uint32(s.place))
			for _, b := range s.bins {
				data = little.AppendUint64(data, b.lo)
				data = little.AppendUint64(data, b.hi)
			}
		}
	}
	return little.AppendUint32(data, checksum(data[start:])), nil
}

// checksum is crc32.Checksum, which would make data escape.
func checksum(data []byte) uint32 {
	crc := ^uint32(0)
	for _, b := range data {
		crc = binaryTable[byte(crc)^b] ^ crc>>8
	}
	return ^crc
}

// MarshalBinary returns what [Accumulator.AppendBinary] appends. It is
// [encoding.BinaryMarshaler], which encoding/gob uses too.
func (a *Accumulator[T]) MarshalBinary() ([]byte, error) { return a.AppendBinary(nil) }

// UnmarshalBinary replaces the state of a by one that MarshalBinary or AppendBinary has
// written for the same element type. Bytes of another kind, damaged ones, and those of a
// version that this package does not know give an error and leave a as it is. data is
// not kept. It is [encoding.BinaryUnmarshaler].
func (a *Accumulator[T]) UnmarshalBinary(data []byte) error {
	little := binary.LittleEndian
	switch size := int(unsafe.Sizeof(T(0))); {
	case len(data) < binaryHeader+4 || string(data[:4]) != binaryMagic:
		return fmt.Errorf("softmax: Accumulator.UnmarshalBinary: %d bytes are not the state of an accumulator", len(data))
	case data[4] != binaryVersion:
		return fmt.Errorf("softmax: Accumulator.UnmarshalBinary: version %d, want %d", data[4], binaryVersion)
	case little.Uint32(data[len(data)-4:]) != checksum(data[:len(data)-4]):
		return errors.New("softmax: Accumulator.UnmarshalBinary: the bytes are damaged: wrong checksum")
	case int(data[5]) != size:
		return fmt.Errorf("softmax: Accumulator.UnmarshalBinary: elements of %d bytes, want %d", data[5], size)
	}
	top := math.Float64frombits(little.Uint64(data[8:]))
	read := Accumulator[T]{expSum[T]{hasNaN: top != top}}
	if top == top {
		read.logits.top = roundTo[T](top)
	}
	rest := data[binaryHeader : len(data)-4]
	for i := range read.logits.sums {
		s := &read.logits.sums[i]
		s.count = exactCount(data[6+i])
		switch {
		case s.count == oneNumber && len(rest) >= 20:
			s.power = int32(little.Uint32(rest))
			s.only.hi = math.Float64frombits(little.Uint64(rest[4:]))
			s.only.lo = math.Float64frombits(little.Uint64(rest[12:]))
			rest = rest[20:]
		case s.count == manyNumbers && len(rest) >= 4+16*binsKept:
			s.place = int32(little.Uint32(rest))
			for j := range s.bins {
				s.bins[j] = bin{little.Uint64(rest[4+16*j:]), little.Uint64(rest[12+16*j:])}
			}
			rest = rest[4+16*binsKept:]
		}
	}
	// What a checksum does not tell: whether some accumulator has that state.
	var again [binaryHeader + 2*(4+16*binsKept) + 4]byte
	if written, _ := read.AppendBinary(again[:0]); len(rest) > 0 || !bytes.Equal(written, data) || !read.logits.isValid() {
		return errors.New("softmax: Accumulator.UnmarshalBinary: the bytes are not the state of an accumulator")
	}
	*a = read
	return nil
}
