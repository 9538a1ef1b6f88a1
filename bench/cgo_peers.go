//go:build cgo_peers && cgo

package bench

// This file calls C and C++ libraries.

// #cgo CFLAGS: -O3 -march=native -ffast-math
// #cgo CXXFLAGS: -O3 -march=native -DNDEBUG -I/usr/include/eigen3
// #cgo LDFLAGS: -ldl -lm
// #include <stdlib.h>
// #include "cgo_peers.h"
import "C"

import (
	"debug/elf"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
	"unsafe"
)

// cLibrary says what a library is, or why it is missing.
type cLibrary struct{ about, missing string }

var oneDNN = sync.OnceValue(func() (l cLibrary) {
	if l.missing = openOneDNN("libdnnl.so"); l.missing == "" {
		l.about = fmt.Sprintf("oneDNN %s, softmax primitive, one thread", C.GoString(C.onednn_version()))
	}
	return l
})

var xnnpack = sync.OnceValue(func() (l cLibrary) {
	if l.missing = openXNNPACK("libXNNPACK.so.0"); l.missing == "" {
		l.about = "XNNPACK, softmax operator, one thread"
	}
	return l
})

var eigen = sync.OnceValue(func() cLibrary {
	return cLibrary{C.GoString(C.eigen_about()), reason(C.eigen_missing(), "libeigen3-dev")}
})

var sleef = sync.OnceValue(func() (l cLibrary) {
	if l.missing = openSLEEF("libsleef.so"); l.missing == "" {
		l.about = "SLEEF in a C loop, " + C.GoString(C.sleef_functions())
	}
	return l
})

var libmvec = sync.OnceValue(func() cLibrary {
	version := C.libmvec_version()
	if version == nil {
		return cLibrary{missing: "the C library is not glibc"}
	}
	functions, err := vectorFunctions()
	switch {
	case err != nil:
		return cLibrary{missing: err.Error()}
	case functions == nil:
		return cLibrary{missing: "the C compiler made no vectors of the exponentials"}
	}
	return cLibrary{about: fmt.Sprintf("glibc %s in a C loop, %s", C.GoString(version), strings.Join(functions, ", "))}
})

// openOneDNN returns why the library with this file name cannot be used, or "".
func openOneDNN(library string) string {
	// OpenMP, which runs its threads, reads this when it is loaded.
	os.Setenv("OMP_NUM_THREADS", "1")
	name := C.CString(library)
	defer C.free(unsafe.Pointer(name))
	return reason(C.onednn_open(name), "libdnnl-dev")
}

// openXNNPACK does the same.
func openXNNPACK(library string) string {
	name := C.CString(library)
	defer C.free(unsafe.Pointer(name))
	return reason(C.xnnpack_open(name), "libxnnpack0")
}

// openSLEEF does the same.
func openSLEEF(library string) string {
	name := C.CString(library)
	defer C.free(unsafe.Pointer(name))
	return reason(C.sleef_open(name), "libsleef-dev")
}

func reason(message *C.char, debian string) string {
	if message == nil {
		return ""
	}
	return fmt.Sprintf("%s (Debian package %s)", C.GoString(message), debian)
}

// vectorFunctions returns the functions of libmvec that this program calls. The C
// compiler decides that. Their names tell how many lanes a vector has.
func vectorFunctions() (names []string, err error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	program, err := elf.Open(path)
	if err != nil {
		return nil, err
	}
	defer program.Close()
	symbols, err := program.ImportedSymbols()
	for _, s := range symbols {
		if strings.HasPrefix(s.Name, "_ZGV") {
			names = append(names, s.Name)
		}
	}
	slices.Sort(names)
	return names, err
}

func cPeers32() []peer[float32] {
	return []peer[float32]{
		cPeer("onednn", oneDNN(), withStatus("oneDNN: dnnl_status_t", func(dst, src []float32, cols, calls int) C.int {
			return C.onednn_softmax_float32(float(dst), float(src), rows(src, cols), C.size_t(cols), C.size_t(calls))
		})),
		cPeer("xnnpack", xnnpack(), withStatus("XNNPACK: xnn_status", func(dst, src []float32, cols, calls int) C.int {
			return C.xnnpack_softmax_float32(float(dst), float(src), rows(src, cols), C.size_t(cols), C.size_t(calls))
		})),
		onnxRuntimePeer[float32](),
		cPeer("eigen", eigen(), withoutStatus(func(dst, src []float32, cols, calls int) {
			C.eigen_softmax_float32(float(dst), float(src), rows(src, cols), C.size_t(cols), C.size_t(calls))
		})),
		cPeer("sleef", sleef(), withoutStatus(func(dst, src []float32, cols, calls int) {
			C.sleef_softmax_float32(float(dst), float(src), rows(src, cols), C.size_t(cols), C.size_t(calls))
		})),
		cPeer("libmvec", libmvec(), withoutStatus(func(dst, src []float32, cols, calls int) {
			C.libmvec_softmax_float32(float(dst), float(src), rows(src, cols), C.size_t(cols), C.size_t(calls))
		})),
	}
}

func cPeers64() []peer[float64] {
	return []peer[float64]{
		{name: "onednn", missing: "has no softmax of float64"},
		{name: "xnnpack", missing: "has no softmax of float64"},
		onnxRuntimePeer[float64](),
		cPeer("eigen", eigen(), withoutStatus(func(dst, src []float64, cols, calls int) {
			C.eigen_softmax_float64(double(dst), double(src), rows(src, cols), C.size_t(cols), C.size_t(calls))
		})),
		cPeer("sleef", sleef(), withoutStatus(func(dst, src []float64, cols, calls int) {
			C.sleef_softmax_float64(double(dst), double(src), rows(src, cols), C.size_t(cols), C.size_t(calls))
		})),
		cPeer("libmvec", libmvec(), withoutStatus(func(dst, src []float64, cols, calls int) {
			C.libmvec_softmax_float64(double(dst), double(src), rows(src, cols), C.size_t(cols), C.size_t(calls))
		})),
	}
}

// cPeer returns a peer of a function in C that does so many calls, in a loop in C. From Go
// each of them is a call through cgo.
func cPeer[T native](name string, l cLibrary, all func(dst, src []T, cols, calls int) error) peer[T] {
	times := func(dst, src []T, cols, calls, each int) (time.Duration, error) {
		start := time.Now()
		for ; calls > 0; calls -= each {
			if err := all(dst, src, cols, each); err != nil {
				return 0, err
			}
		}
		return time.Since(start), nil
	}
	return peer[T]{
		name: name, about: l.about, missing: l.missing,
		softmax: func(dst, src []T, cols, calls int) (time.Duration, error) { return times(dst, src, cols, calls, calls) },
		fromGo:  func(dst, src []T, cols, calls int) (time.Duration, error) { return times(dst, src, cols, calls, 1) },
	}
}

// withStatus is for functions that return a status, which is 0 if all is well.
func withStatus(status string, all func(dst, src []float32, cols, calls int) C.int) func(dst, src []float32, cols, calls int) error {
	return func(dst, src []float32, cols, calls int) error {
		if got := all(dst, src, cols, calls); got != 0 {
			return fmt.Errorf("%s %d for %d elements in rows of %d, want 0", status, got, len(src), cols)
		}
		return nil
	}
}

// withoutStatus is for functions that cannot fail.
func withoutStatus[T native](all func(dst, src []T, cols, calls int)) func(dst, src []T, cols, calls int) error {
	return func(dst, src []T, cols, calls int) error {
		all(dst, src, cols, calls)
		return nil
	}
}

func float(v []float32) *C.float { return (*C.float)(unsafe.SliceData(v)) }

func double(v []float64) *C.double { return (*C.double)(unsafe.SliceData(v)) }

func rows[T native](src []T, cols int) C.size_t { return C.size_t(len(src) / cols) }
