package main

// This file leads from elements in files, which are little-endian, to elements in
// memory.

import (
	"slices"
	"unsafe"

	"golang.org/x/sys/cpu"

	"github.com/seed174f7dca/softmax"
)

// viewElements views all of src as elements, where they are elements as they stand: in
// the byte order of the processor and aligned.
func viewElements[T softmax.Float](src []byte) (elements []T, ok bool) {
	var element T
	first := unsafe.Pointer(unsafe.SliceData(src))
	if cpu.IsBigEndian || uintptr(first)%unsafe.Alignof(element) != 0 {
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
func decodeElements[T softmax.Float](dst []T, src []byte) {
	copy(viewBytes(dst), src)
	swapBytes(dst)
}

// encodeElements returns elements as they stand in a file, in the same memory.
func encodeElements[T softmax.Float](elements []T) []byte {
	swapBytes(elements)
	return viewBytes(elements)
}

// swapBytes changes the byte order of elements from little-endian to that of the
// processor, or back.
func swapBytes[T softmax.Float](elements []T) {
	if cpu.IsBigEndian {
		var element T
		for e := range slices.Chunk(viewBytes(elements), int(unsafe.Sizeof(element))) {
			slices.Reverse(e)
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
	if halves, ok := any(elements).([]softmax.Float16); ok {
		for i, h := range halves {
			numbers[i] = C(h.Float32())
		}
	}
	return numbers
}

// narrowElements rounds numbers, which asNumbers has returned for elements, to them.
func narrowElements[T softmax.Float, C native](elements []T, numbers []C) {
	if halves, ok := any(elements).([]softmax.Float16); ok {
		for i, x := range numbers {
			halves[i] = softmax.ToFloat16(float32(x))
		}
	}
}

// resize returns a slice of n elements that have any value, and keeps it in buffer.
func resize[T any](buffer *[]T, n int) []T {
	*buffer = slices.Grow((*buffer)[:0], n)[:n]
	return *buffer
}
