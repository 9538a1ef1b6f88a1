// Package bench compares the softmax package with what else a Go program could
// use: Go libraries, C libraries through cgo, and Python's libraries in a process
// of their own. All is in its tests and benchmarks; the README tells how to run
// them.
package bench

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"time"

	"github.com/seed174f7dca/softmax"
	"github.com/viterin/vek/vek32"
	"gonum.org/v1/gonum/floats"
)

// native is the set of element types that Go computes in.
type native interface{ float32 | float64 }

// peer is one way to compute a softmax.
type peer[T native] struct {
	name    string // in the name of its benchmarks
	about   string // versions, functions and how they are called
	missing string // why it cannot run here; empty if it can

	// softmax makes that of each row of src, which are cols long, in dst. It does
	// this calls times and returns how long this took. dst and src share nothing.
	softmax func(dst, src []T, cols, calls int) (time.Duration, error)

	// fromGo does that with a call through cgo each time, where softmax has a loop in C.
	fromGo func(dst, src []T, cols, calls int) (time.Duration, error)
}

// peers32 returns all peers, in the order of the README. A peer that is missing is
// there and says why.
func peers32() []peer[float32] {
	return append([]peer[float32]{
		{name: "softmax", about: thisPackage(), softmax: timed(packageRows[float32])},
		{name: "math-exp", about: mathExp(), softmax: timed(eachRow(mathExpRow[float32]))},
		{name: "gonum", missing: "has no float32"},
		{name: "vek", about: "vek32: Max, SubNumber, Exp, Sum, DivNumber", softmax: timed(eachRow(vekRow))},
	}, append(cPeers32(), pythonPeers[float32]()...)...)
}

// peers64 returns the same peers for float64.
func peers64() []peer[float64] {
	return append([]peer[float64]{
		{name: "softmax", about: thisPackage(), softmax: timed(packageRows[float64])},
		{name: "math-exp", about: mathExp(), softmax: timed(eachRow(mathExpRow[float64]))},
		{name: "gonum", about: "floats.LogSumExp, then math.Exp", softmax: timed(eachRow(gonumRow))},
		{name: "vek", missing: "has no exponential of float64"},
	}, append(cPeers64(), pythonPeers[float64]()...)...)
}

func thisPackage() string { return "this package, kernel " + softmax.Kernel() }

func mathExp() string { return "loops with math.Exp, " + runtime.Version() }

// timed makes a peer's function of one that computes all rows once.
func timed[T native](rows func(dst, src []T, cols int)) func(dst, src []T, cols, calls int) (time.Duration, error) {
	return func(dst, src []T, cols, calls int) (time.Duration, error) {
		start := time.Now()
		for range calls {
			rows(dst, src, cols)
		}
		return time.Since(start), nil
	}
}

// eachRow is for peers that have nothing for many rows at a time.
func eachRow[T native](row func(dst, src []T)) func(dst, src []T, cols int) {
	return func(dst, src []T, cols int) {
		for i := 0; i < len(src); i += cols {
			row(dst[i:i+cols], src[i:i+cols])
		}
	}
}

// packageRows is the package that the others are compared with.
func packageRows[T native](dst, src []T, cols int) {
	if cols == len(src) {
		softmax.Softmax(dst, src)
		return
	}
	rows := len(src) / cols
	softmax.SoftmaxRows(
		softmax.Matrix[T]{Data: dst, Rows: rows, Cols: cols, Stride: cols},
		softmax.Matrix[T]{Data: src, Rows: rows, Cols: cols, Stride: cols})
}

// mathExpRow is what one writes in Go without a library.
func mathExpRow[T native](dst, src []T) {
	largest := slices.Max(src)
	var sum T
	for i, x := range src {
		e := T(math.Exp(float64(x - largest)))
		dst[i] = e
		sum += e
	}
	for i := range dst {
		dst[i] /= sum
	}
}

// gonumRow needs every exponential twice: LogSumExp does not keep them.
func gonumRow(dst, src []float64) {
	logSumExp := floats.LogSumExp(src)
	for i, x := range src {
		dst[i] = math.Exp(x - logSumExp)
	}
}

func vekRow(dst, src []float32) {
	vek32.SubNumber_Into(dst, src, vek32.Max(src))
	vek32.Exp_Inplace(dst)
	vek32.DivNumber_Inplace(dst, vek32.Sum(dst))
}

// typeName returns the name of the element type.
func typeName[T native]() string { return fmt.Sprintf("%T", T(0)) }
