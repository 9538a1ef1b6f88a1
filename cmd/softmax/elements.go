package main

// This file leads from elements in files, which have a byte order, to elements in memory.

import (
	"encoding/binary"
	"slices"
	"unsafe"

	"golang.org/x/sys/cpu"

	"github.com/seed174f7dca/softmax"
)

// byteOrder is the order of the bytes of an element in a file.
type byteOrder int

const (
	littleEndian byteOrder = iota
	bigEndian
)

// nativeOrder returns the byte order of the processor.
func nativeOrder() byteOrder {
	if cpu.IsBigEndian {
		return bigEndian
	}
	return littleEndian
}

// viewElements views all of src as elements, where they are elements as they stand: in
// the byte order of the processor and aligned.
func viewElements[T softmax.Float](src []byte, order byteOrder) (elements []T, ok bool) {
	var element T
	first := unsafe.Pointer(unsafe.SliceData(src))
	if order != nativeOrder() || uintptr(first)%unsafe.Alignof(element) != 0 {
		return nil, false
	}
	return unsafe.Slice((*T)(first), len(src)/int(unsafe.Sizeof(element))), true
}

// viewBytes views elements as bytes.
func viewBytes[T softmax.Float](elements []T) []byte {
	var element T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(elements))), len(elements)*int(unsafe.Sizeof(element)))
}

// decodeElements decodes the elements that src begins with into all of dst.
func decodeElements[T softmax.Float](dst []T, src []byte, order byteOrder) {
	copy(viewBytes(dst), src)
	swapBytes(dst, order)
}

// encodeElements returns elements as they stand in a file, in the same memory.
func encodeElements[T softmax.Float](elements []T, order byteOrder) []byte {
	swapBytes(elements, order)
	return viewBytes(elements)
}

// swapBytes changes the byte order of elements from the given one to that of the
// processor, or back.
func swapBytes[T softmax.Float](elements []T, order byteOrder) {
	if order == nativeOrder() {
		return
	}
	b := viewBytes(elements)
	switch unsafe.Sizeof(T(0)) {
	case 2:
		for ; len(b) >= 2; b = b[2:] {
			binary.BigEndian.PutUint16(b, binary.LittleEndian.Uint16(b))
		}
	case 4:
		for ; len(b) >= 4; b = b[4:] {
			binary.BigEndian.PutUint32(b, binary.LittleEndian.Uint32(b))
		}
	case 8:
		for ; len(b) >= 8; b = b[8:] {
			binary.BigEndian.PutUint64(b, binary.LittleEndian.Uint64(b))
		}
	}
}

// asNumbers returns elements as numbers of the type that they are computed in, if they
// have it, or else as many in buffer.
func asNumbers[C native, T softmax.Float](buffer *[]C, elements []T) []C {
	if numbers, ok := any(elements).([]C); ok {
		return numbers
	}
	return resize(buffer, len(elements))
}

// widenElements is asNumbers with their values.
func widenElements[C native, T softmax.Float](buffer *[]C, elements []T) []C {
	numbers := asNumbers(buffer, elements)
	switch halves := any(elements).(type) {
	case []softmax.Float16:
		for i, h := range halves {
			numbers[i] = C(h.Float32())
		}
	case []softmax.BFloat16:
		for i, h := range halves {
			numbers[i] = C(h.Float32())
		}
	}
	return numbers
}

// narrowElements rounds numbers, which asNumbers has returned for elements, to them.
func narrowElements[T softmax.Float, C native](elements []T, numbers []C) {
	switch halves := any(elements).(type) {
	case []softmax.Float16:
		for i, x := range numbers {
			halves[i] = softmax.ToFloat16(float32(x))
		}
	case []softmax.BFloat16:
		for i, x := range numbers {
			halves[i] = softmax.ToBFloat16(float32(x))
		}
	}
}

// resize returns a slice of n elements that have any value, and keeps it in buffer.
func resize[T any](buffer *[]T, n int) []T {
	*buffer = slices.Grow((*buffer)[:0], n)[:n]
	return *buffer
}
