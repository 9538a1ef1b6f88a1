//go:build cgo_peers && cgo

package bench

// This file calls C libraries.

// #cgo CFLAGS: -O3 -march=native -ffast-math
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
		{"onednn", oneDNN().about, oneDNN().missing, oneDNNRows},
		{"sleef", sleef().about, sleef().missing, timed(func(dst, src []float32, cols int) {
			C.sleef_softmax_float32(float(dst), float(src), rows(src, cols), C.size_t(cols))
		})},
		{"libmvec", libmvec().about, libmvec().missing, timed(func(dst, src []float32, cols int) {
			C.libmvec_softmax_float32(float(dst), float(src), rows(src, cols), C.size_t(cols))
		})},
	}
}

func cPeers64() []peer[float64] {
	return []peer[float64]{
		{name: "onednn", missing: "has no softmax of float64"},
		{"sleef", sleef().about, sleef().missing, timed(func(dst, src []float64, cols int) {
			C.sleef_softmax_float64(double(dst), double(src), rows(src, cols), C.size_t(cols))
		})},
		{"libmvec", libmvec().about, libmvec().missing, timed(func(dst, src []float64, cols int) {
			C.libmvec_softmax_float64(double(dst), double(src), rows(src, cols), C.size_t(cols))
		})},
	}
}

func oneDNNRows(dst, src []float32, cols, calls int) (time.Duration, error) {
	start := time.Now()
	for range calls {
		if status := C.onednn_softmax_float32(float(dst), float(src), rows(src, cols), C.size_t(cols)); status != 0 {
			return 0, fmt.Errorf("oneDNN: dnnl_status_t %d for %d elements in rows of %d, want 0", status, len(src), cols)
		}
	}
	return time.Since(start), nil
}

func float(v []float32) *C.float { return (*C.float)(unsafe.SliceData(v)) }

func double(v []float64) *C.double { return (*C.double)(unsafe.SliceData(v)) }

func rows[T native](src []T, cols int) C.size_t { return C.size_t(len(src) / cols) }
