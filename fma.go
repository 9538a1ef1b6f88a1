package softmax

// This file is the fused multiply-add of float64.

import (
	"math"
	"runtime"

	"golang.org/x/sys/cpu"
)

// fastFMA reports whether math.FMA is an instruction here. Otherwise it takes
// hundreds of nanoseconds.
var fastFMA = func() bool {
	switch runtime.GOARCH {
	case "amd64":
		return cpu.X86.HasFMA
	case "arm64", "loong64", "ppc64", "ppc64le", "riscv64", "s390x":
		return true
	}
	return false
}()

// fma64 returns a*b + c, rounded once. The product, if it is not 0, and what
// float64 loses of it must be normal numbers.
func fma64(a, b, c float64) float64 {
	if fastFMA {
		return math.FMA(a, b, c)
	}
	return emulatedFMA(a, b, c)
}

// emulatedFMA is fma64 without the instruction. It knows the exact result as a sum
// of three numbers. Adding two of them rounds; where that could decide how the
// whole is rounded, math.FMA does.
//
// Source: T. J. Dekker, "A floating-point technique for extending the available
// precision" (1971), for the exact product and sum.
func emulatedFMA(a, b, c float64) float64 {
	const (
		splitter = 1<<27 + 1
		less     = 1 - 0x1p-51 // these two move a number by more than it was rounded
		more     = 1 + 0x1p-51
	)
	aHigh := float64(a * splitter)
	aHigh -= aHigh - a
	aLow := a - aHigh
	bHigh := float64(b * splitter)
	bHigh -= bHigh - b
	bLow := b - bHigh
	product := float64(a * b)
	lost := float64(aHigh*bHigh) - product
	lost += float64(aHigh * bLow)
	lost += float64(aLow * bHigh)
	lost += float64(aLow * bLow)

	sum := product + c
	cRounded := sum - product
	productRounded := sum - cRounded
	rest := ((product - productRounded) + (c - cRounded)) + lost
	if rest != rest {
		return sum // infinities and NaN
	}
	result := sum + float64(rest*less)
	if result != sum+float64(rest*more) {
		return math.FMA(a, b, c)
	}
	return result
}
