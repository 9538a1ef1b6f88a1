package softmax

// This file checks what the package comment promises of the functions on one row.

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"unsafe"

	"github.com/seed174f7dca/softmax/internal/corpus"
)

// TestSpecialValues lists results that are exact.
func TestSpecialValues(t *testing.T) {
	forEachKernelAndType(t, testSpecialValues[float32], testSpecialValues[float64])
}

func testSpecialValues[T native](t *testing.T, k kernel) {
	var (
		negZero  = T(math.Copysign(0, -1))
		negInf   = infinity[T](-1)
		posInf   = infinity[T](1)
		largest  = largest[T]()
		lowest   = -largest
		smallest = smallest[T]()
		nan      = nan[T]()
		otherNaN = fromBits[T](bitsOf(nan) | formatOf[T]().Sign | 0x12345)
		ln2      = T(math.Ln2)
	)
	// Between these distances is that of a probability of half the smallest number.
	kept, gone := T(103.875), T(104.125)
	if !is32[T]() {
		kept, gone = 745.125, 745.25
	}
	tests := []struct {
		logits, softmax, logSoftmax []T
		logSumExp                   T
	}{
		{[]T{0}, []T{1}, []T{0}, 0},
		{[]T{negZero}, []T{1}, []T{0}, 0},
		{[]T{1}, []T{1}, []T{0}, 1},
		{[]T{-87.5}, []T{1}, []T{0}, -87.5},
		{[]T{smallest}, []T{1}, []T{0}, smallest},
		{[]T{-smallest}, []T{1}, []T{0}, -smallest},
		{[]T{8192}, []T{1}, []T{0}, 8192},
		{[]T{16384}, []T{1}, []T{0}, 16384},
		{[]T{-16384}, []T{1}, []T{0}, -16384},
		{[]T{largest}, []T{1}, []T{0}, largest},
		{[]T{lowest}, []T{1}, []T{0}, lowest},

		{[]T{0, 0}, []T{0.5, 0.5}, []T{-ln2, -ln2}, ln2},
		{[]T{0, negZero}, []T{0.5, 0.5}, []T{-ln2, -ln2}, ln2},
		{[]T{7, 7, 7, 7}, []T{0.25, 0.25, 0.25, 0.25}, []T{-2 * ln2, -2 * ln2, -2 * ln2, -2 * ln2}, T(7 + 2*math.Ln2)},
		{[]T{largest, largest}, []T{0.5, 0.5}, []T{-ln2, -ln2}, largest},
		{[]T{lowest, lowest}, []T{0.5, 0.5}, []T{-ln2, -ln2}, lowest},
		{[]T{largest, lowest}, []T{1, 0}, []T{0, negInf}, largest},
		{[]T{1e30, 1e29, 1e30}, []T{0.5, 0, 0.5}, []T{-ln2, T(1e29) - T(1e30), -ln2}, 1e30},

		{[]T{0, negInf}, []T{1, 0}, []T{0, negInf}, 0},
		{[]T{0, lowest}, []T{1, 0}, []T{0, lowest}, 0},
		{[]T{-3.4e38, 5, 5}, []T{0, 0.5, 0.5}, []T{-3.4e38, -ln2, -ln2}, T(5 + math.Ln2)},
		{[]T{negInf, lowest}, []T{0, 1}, []T{negInf, 0}, lowest},
		{[]T{negInf, -1e6, negInf}, []T{0, 1, 0}, []T{negInf, 0, negInf}, -1e6},
		{[]T{0, -kept}, []T{1, smallest}, []T{0, -kept}, 0},
		{[]T{0, -gone}, []T{1, 0}, []T{0, -gone}, 0},
		{[]T{300, 300 - kept, 300 - gone}, []T{1, smallest, 0}, []T{0, -kept, -gone}, 300},
		{[]T{20000, 20000 - kept, 20000 - gone}, []T{1, smallest, 0}, []T{0, -kept, -gone}, 20000},

		{[]T{negInf}, []T{nan}, []T{nan}, negInf},
		{[]T{posInf}, []T{nan}, []T{nan}, posInf},
		{[]T{otherNaN}, []T{nan}, []T{nan}, nan},
		{[]T{negInf, negInf}, []T{nan, nan}, []T{nan, nan}, negInf},
		{[]T{posInf, negInf}, []T{nan, nan}, []T{nan, nan}, posInf},
		{[]T{posInf, posInf}, []T{nan, nan}, []T{nan, nan}, posInf},
		{[]T{0, posInf, 0}, []T{nan, nan, nan}, []T{nan, nan, nan}, posInf},
		{[]T{0, otherNaN}, []T{nan, nan}, []T{nan, nan}, nan},
		{[]T{otherNaN, negInf}, []T{nan, nan}, []T{nan, nan}, nan},
		{[]T{posInf, otherNaN}, []T{nan, nan}, []T{nan, nan}, nan},
		{[]T{otherNaN, posInf, 0}, []T{nan, nan, nan}, []T{nan, nan, nan}, nan},
	}
	useKernel(t, k)
	for _, test := range tests {
		got := make([]T, len(test.logits))
		Softmax(got, test.logits)
		checkBits(t, got, test.softmax, test.logits, "Softmax of %v", test.logits)
		LogSoftmax(got, test.logits)
		checkBits(t, got, test.logSoftmax, test.logits, "LogSoftmax of %v", test.logits)
		checkBits(t, []T{LogSumExp(test.logits)}, []T{test.logSumExp}, test.logits, "LogSumExp of %v", test.logits)
	}
}

// TestUndefinedRows puts one NaN or +Inf at every place, and fills with -Inf.
func TestUndefinedRows(t *testing.T) {
	forEachKernelAndType(t, testUndefinedRows[float32], testUndefinedRows[float64])
}

func testUndefinedRows[T native](t *testing.T, k kernel) {
	f, block := formatOf[T](), blockLen[T]()
	negInf, posInf, nan := infinity[T](-1), infinity[T](1), nan[T]()
	spoilers := []T{posInf, nan, fromBits[T](bitsOf(nan) | f.Sign),
		fromBits[T](f.Infinity + 1), fromBits[T](math.MaxUint64), fromBits[T](bitsOf(nan) - 1)}
	useKernel(t, k)
	for _, n := range []int{1, 2, 3, 7, 8, 9, 16, 17, 31, 32, 33, 63, 64, 65, 100, 500, block + 1, 3*block + 2, 100_000} {
		logits, got := make([]T, n), make([]T, n)
		want := slices.Repeat([]T{nan}, n)
		check := func(logSumExp T, format string, args ...any) {
			t.Helper()
			Softmax(got, logits)
			checkBits(t, got, want, logits, "Softmax: "+format, args...)
			LogSoftmax(got, logits)
			checkBits(t, got, want, logits, "LogSoftmax: "+format, args...)
			checkBits(t, []T{LogSumExp(logits)}, []T{logSumExp}, logits, "LogSumExp: "+format, args...)
		}
		for _, others := range []T{0, -1e30, negInf, -8192, 16384, largest[T]()} {
			if n > 10*block && others != 0 {
				continue
			}
			fill(logits, others)
			// Up to 100 places, the first and the last among them.
			for i := range min(n, 100) {
				place := i
				if n > 100 {
					place = i * (n - 1) / 99
				}
				if n > 1000 && i%33 != 0 {
					continue
				}
				spoiler := spoilers[i%len(spoilers)]
				logits[place] = spoiler
				logSumExp := nan
				if spoiler == posInf {
					logSumExp = posInf
				}
				check(logSumExp, "%#x at %d of %d, others %v", bitsOf(spoiler), place, n, others)
				logits[place] = others
			}
		}
		fill(logits, negInf)
		check(negInf, "%d times -Inf", n)
		// A NaN in a block that a later one makes vanish.
		if n > block {
			for place := range 40 {
				fill(logits, 0)
				logits[n-1] = 20000
				logits[place] = spoilers[1+place%(len(spoilers)-1)]
				check(nan, "%#x at %d of %d, maximum 20000", bitsOf(logits[place]), place, n)
			}
		}
	}
}

// TestMasks checks that masked elements get +0, and the others what they would
// get without them but for the order of the sum.
func TestMasks(t *testing.T) { forEachKernelAndType(t, testMasks[float32], testMasks[float64]) }

func testMasks[T native](t *testing.T, k kernel) {
	useKernel(t, k)
	for _, n := range []int{2, 3, 10, 64, 100, 1000, blockLen[T]() + 50, 3*blockLen[T]() + 1} {
		for _, mask := range []T{infinity[T](-1), -largest[T](), -3.4e38, -1e9, -1e4} {
			r := rng(n)
			logits, got := make([]T, n), make([]T, n)
			corpus.Masked(mask)(&r, logits)
			logits[n/2] = 1
			logits[n/2-1] = mask
			Softmax(got, logits)
			exact := exactRowOf(logits)
			for i, p := range got {
				if logits[i] == mask && bitsOf(p) != 0 {
					t.Fatalf("n=%d: mask %v: got %v (%#x), want +0", n, mask, p, bitsOf(p))
				}
				if d := ulps(p, exact.softmax(logits[i])); !(d <= maxULP) {
					t.Fatalf("n=%d: mask %v: logit %v: off by %v ULP", n, mask, logits[i], d)
				}
			}
		}
	}
}

// TestSubnormalResults checks that subnormal probabilities are kept and rounded
// to the nearest: what remains of the error before is little.
func TestSubnormalResults(t *testing.T) {
	forEachKernelAndType(t, testSubnormalResults[float32], testSubnormalResults[float64])
}

func testSubnormalResults[T native](t *testing.T, k kernel) {
	useKernel(t, k)
	for _, n := range []int{2, 9, 100, 1000, blockLen[T]() + 100} {
		logits, got := make([]T, n), make([]T, n)
		subnormal := 0
		for seed := range uint64(20) {
			familyNamed[T]("subnormal-results").FillRow(logits, seed)
			Softmax(got, logits)
			exact := exactRowOf(logits)
			for i, x := range logits {
				want := exact.softmax(x)
				if want.log2() > formatOf[T]().MinExponent-4 {
					continue
				}
				if got[i] > 0 {
					subnormal++
				}
				if d := ulps(got[i], want); !(d <= 0.8) {
					t.Fatalf("n=%d: got %x, want %x * 2^%d: off by %.3f of the smallest number", n, got[i], want.hi, want.exponent, d)
				}
			}
		}
		if subnormal == 0 {
			t.Errorf("n=%d: no result was subnormal", n)
		}
	}
}

// TestVanishingBlocks has blocks whose probabilities are subnormal, or 0, or half
// the smallest number, where each is to be rounded to the nearest, too.
func TestVanishingBlocks(t *testing.T) {
	forEachKernelAndType(t, testVanishingBlocks[float32], testVanishingBlocks[float64])
}

func testVanishingBlocks[T native](t *testing.T, k kernel) {
	block, depth := blockLen[T](), corpus.DepthsOf[T]()
	logits, got := make([]T, 2*block+5), make([]T, 2*block+5)
	zeros := 0
	for eighths := 8 * depth.Subnormal; eighths <= 8*depth.Zero; eighths++ {
		fill(logits[:block], -T(eighths)/8)
		logits[block-1] -= 0.5
		for _, way := range []func(k kernel, dst, src []T){softmaxStored[T], softmaxRecomputed[T]} {
			way(k, got, logits)
			exact := exactRowOf(logits)
			for _, i := range []int{0, block - 1} {
				if got[i] == 0 {
					zeros++
				}
				if d := ulps(got[i], exact.softmax(logits[i])); !(d <= 0.8) {
					t.Fatalf("logit %v, maximum 0: got %x: off by %.3f of the smallest number", logits[i], got[i], d)
				}
			}
		}
	}
	if zeros == 0 {
		t.Errorf("no result was 0")
	}
}

// checkUndefined reports whether the logits have no softmax, and checks that row
// is all NaN then.
func checkUndefined[T native](t *testing.T, row, logits []T) bool {
	t.Helper()
	m := maxOf(logits)
	if !isNaN(m) && !math.IsInf(float64(m), 0) {
		return false
	}
	for i, p := range row {
		if want := bitsOf(nan[T]()); bitsOf(p) != want {
			t.Fatalf("maximum %v: element %d is %v (%#x), want NaN (%#x)", m, i, p, bitsOf(p), want)
		}
	}
	return true
}

// checkOrder checks that row has the order of the logits.
func checkOrder[T native](t *testing.T, row, logits []T) {
	t.Helper()
	order := make([]int, len(row))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		switch {
		case logits[i] < logits[j]:
			return -1
		case logits[i] > logits[j]:
			return 1
		}
		return 0
	})
	for at, j := range order[1:] {
		i := order[at]
		if row[i] > row[j] || logits[i] == logits[j] && row[i] != row[j] {
			t.Fatalf("logits %d and %d are %v and %v, results %v and %v", i, j, logits[i], logits[j], row[i], row[j])
		}
	}
}

// checkProbabilities checks that row has the order of the logits, lies in [0, 1]
// and adds up to 1; or is all NaN, where the logits say so.
func checkProbabilities[T native](t *testing.T, row, logits []T) {
	t.Helper()
	if checkUndefined(t, row, logits) {
		return
	}
	var sum accurate
	for i, p := range row {
		if !(p >= 0 && p <= 1) || math.Signbit(float64(p)) {
			t.Fatalf("logit %v: got %v, outside [0, 1]", logits[i], p)
		}
		sum = sum.plus(accurate{float64(p), 0})
	}
	// Up to maxULP each, of a probability or of the smallest subnormal number.
	bound := math.Ldexp(maxULP, -formatOf[T]().FractionBits) + float64(len(row))*maxULP*float64(smallest[T]())
	if d := sum.minus(accurate{1, 0}).hi; !(math.Abs(d) <= bound) {
		t.Fatalf("the sum is 1 + %g, want within %g", d, bound)
	}
	checkOrder(t, row, logits)
}

// checkLogarithms checks that row has the order of the logits, is nowhere above 0,
// is 0 alone, and finite where the difference from the maximum is; or is all NaN,
// where the logits say so.
func checkLogarithms[T native](t *testing.T, row, logits []T) {
	t.Helper()
	if checkUndefined(t, row, logits) {
		return
	}
	m := maxOf(logits)
	if len(row) == 1 && row[0] != 0 {
		t.Fatalf("logit %v alone: got %v, want 0", m, row[0])
	}
	for i, y := range row {
		if infinite := math.IsInf(float64(logits[i]-m), -1); !(y <= 0) || infinite != math.IsInf(float64(y), -1) {
			t.Fatalf("logit %v, maximum %v: got %v", logits[i], m, y)
		}
	}
	checkOrder(t, row, logits)
}

// checkLogSumExp checks the special values, and that got is not below the maximum:
// that of one element is the element.
func checkLogSumExp[T native](t *testing.T, got T, logits []T) {
	t.Helper()
	m := maxOf(logits)
	exactly := len(logits) == 1 || math.IsInf(float64(m), 0)
	switch {
	case isNaN(m) && bitsOf(got) != bitsOf(nan[T]()), exactly && got != m && !isNaN(m), got < m:
		t.Fatalf("%d logits, maximum %v: log-sum-exp is %v (%#x)", len(logits), m, got, bitsOf(got))
	}
}

// TestOrder is the promise that order is kept, in rows of every kind, and in rows
// of neighbours, where it is hardest.
func TestOrder(t *testing.T) { forEachKernelAndType(t, testOrder[float32], testOrder[float64]) }

func testOrder[T native](t *testing.T, k kernel) {
	neighbours := family[T]{Name: "neighbours", Fill: func(r *rng, row []T) {
		start := bitsOf(corpus.Number[T](r, 20*corpus.One+r.Uniform(19*corpus.One)))
		if r.Intn(2) == 0 {
			start |= formatOf[T]().Sign
		}
		for i := range row {
			row[i] = fromBits[T](start + uint64(i*7%len(row)))
		}
	}}
	useKernel(t, k)
	for _, n := range []int{1, 2, 3, 10, 33, 100, 1000, blockLen[T](), 3*blockLen[T]() + 1, 20_001} {
		for _, family := range append(familiesOf[T](), neighbours) {
			t.Run(fmt.Sprintf("%s/n=%d", family.Name, n), func(t *testing.T) {
				for seed := range uint64(max(1, 1000/n)) {
					logits, got := family.MakeRow(n, 20+seed), make([]T, n)
					Softmax(got, logits)
					checkProbabilities(t, got, logits)
					LogSoftmax(got, logits)
					checkLogarithms(t, got, logits)
					checkLogSumExp(t, LogSumExp(logits), logits)
				}
			})
		}
	}
}

// TestEqualLogits checks that equal logits get equal probabilities in blocks of
// different maximum, where they are scaled differently.
func TestEqualLogits(t *testing.T) {
	forEachKernelAndType(t, testEqualLogits[float32], testEqualLogits[float64])
}

func testEqualLogits[T native](t *testing.T, k kernel) {
	useKernel(t, k)
	block := blockLen[T]()
	for _, n := range []int{3 * block, storedLen[T]() + 3*block} {
		logits, got := make([]T, n), make([]T, n)
		familyNamed[T]("normal3").FillRow(logits[:1000], 1)
		for at := 1000; at < n; at += 1000 {
			copy(logits[at:], logits[:1000])
		}
		for at := 0; at < n; at += block { // different maxima
			logits[at] = T(at % 37)
		}
		Softmax(got, logits)
		seen := map[T]T{}
		for i, x := range logits {
			if p, ok := seen[x]; ok && p != got[i] {
				t.Fatalf("n=%d: logit %v got %v and %v", n, x, p, got[i])
			}
			seen[x] = got[i]
		}
	}
}

func TestEmpty(t *testing.T) {
	forEachFloat(t, testEmpty[float32], testEmpty[float64], testEmpty[Float16], testEmpty[BFloat16])
}

func testEmpty[T Float](t *testing.T) {
	var none []T
	buf := []T{1, 2, 3}
	for _, function := range []func(dst, src []T){Softmax[T], LogSoftmax[T]} {
		function(none, none)
		function(none, []T{})
		function([]T{}, none)
		function(buf[:0], buf[:0])
		function(buf[1:1], buf[2:2])
		function(buf[3:], none)
	}
	checkBits(t, buf, []T{1, 2, 3}, buf, "empty slices")
	for _, src := range [][]T{none, buf[:0], buf[3:]} {
		if got := LogSumExp(src); got != infinity[T](-1) {
			t.Errorf("LogSumExp of nothing is %v, want -Inf", got)
		}
	}
}

// panicOf returns what f panics with, as a string, or "".
func panicOf(f func()) (message string) {
	defer func() {
		if r := recover(); r != nil {
			message = fmt.Sprint(r)
		}
	}()
	f()
	return ""
}

func TestPanics(t *testing.T) {
	forEachFloat(t, testPanics[float32], testPanics[float64], testPanics[Float16], testPanics[BFloat16])
}

func testPanics[T Float](t *testing.T) {
	const n = 100
	for name, function := range map[string]func(dst, src []T){"Softmax": Softmax[T], "LogSoftmax": LogSoftmax[T]} {
		overlap := "dst and src overlap without being the same slice"
		memory := familyNamed[T]("normal3").MakeRow(4*n, 1)
		before := slices.Clone(memory)
		check := func(dst, src []T, want string) {
			t.Helper()
			want = "softmax: " + name + ": " + want
			if got := panicOf(func() { function(dst, src) }); got != want {
				t.Errorf("panic %q, want %q", got, want)
			}
			checkBits(t, memory, before, before, "written before the panic")
		}
		check(memory[:3], memory[10:14], "len(dst)=3, len(src)=4")
		check(memory[:4], memory[10:13], "len(dst)=4, len(src)=3")
		check(nil, memory[:1], "len(dst)=0, len(src)=1")
		check(memory[:1], nil, "len(dst)=1, len(src)=0")
		check(memory[:1], memory[:2], "len(dst)=1, len(src)=2")
		for _, shift := range []int{1, 2, 7, 8, 16, 50, n - 8, n - 1} {
			check(memory[n+shift:][:n], memory[n:][:n], overlap)
			check(memory[n-shift:][:n], memory[n:][:n], overlap)
		}
		check(memory[:2], memory[1:3], overlap)
		// Next to each other is fine.
		want := slices.Clone(memory[n:][:n])
		function(want, want)
		for _, at := range []int{0, 2 * n} {
			if message := panicOf(func() { function(memory[at:][:n], memory[n:][:n]) }); message != "" {
				t.Errorf("%s, adjacent slices: panic %q", name, message)
			}
			checkBits(t, memory[at:][:n], want, before[n:], "%s, adjacent slices", name)
		}
	}
}

// logitsOf is a type as callers may have one.
type logitsOf[T native] []T

// TestGenericCaller calls through a type parameter and a named slice type.
func TestGenericCaller(t *testing.T) {
	forEachType(t, testGenericCaller[float32], testGenericCaller[float64])
}

func testGenericCaller[T native](t *testing.T) {
	row := logitsOf[T]{1, 1}
	if got, want := LogSumExp(row), T(1+math.Ln2); got != want {
		t.Errorf("LogSumExp: got %v, want %v", got, want)
	}
	Softmax(row, row)
	if row[0] != 0.5 || row[1] != 0.5 {
		t.Errorf("Softmax: got %v", row)
	}
	LogSoftmax(row, row)
	if want := T(-math.Ln2); row[0] != want || row[1] != want {
		t.Errorf("LogSoftmax: got %v, want %v", row, want)
	}
}

// kept is where results go, so that no call is left out.
var kept float64

// TestAllocations checks that nothing is allocated, and that a buffer of the
// caller's stays on its stack: if it escaped, each run would allocate it.
func TestAllocations(t *testing.T) {
	forEachKernelAndFloat(t, testAllocations[float32], testAllocations[float64], testAllocations[Float16], testAllocations[BFloat16])
}

func testAllocations[T Float](t *testing.T, k kernel) {
	useKernel(t, k)
	check := func(name string, runs int, f func()) {
		t.Helper()
		if allocs := testing.AllocsPerRun(runs, f); allocs != 0 {
			t.Errorf("%s: %v allocations", name, allocs)
		}
	}
	check("Softmax", 100, func() {
		var buf, out [16]T
		buf[3] = T(kept)
		Softmax(out[:], buf[:])
		Softmax(buf[:], buf[:])
		kept = float64(buf[0] + out[1])
	})
	check("LogSoftmax", 100, func() {
		var buf, out [16]T
		buf[3] = T(kept)
		LogSoftmax(out[:], buf[:])
		LogSoftmax(buf[:], buf[:])
		kept = float64(buf[0] + out[1])
	})
	check("LogSumExp", 100, func() {
		var buf [16]T
		buf[3] = T(kept)
		kept = float64(LogSumExp(buf[:]))
	})
	check("SoftmaxRows", 100, func() {
		var buf, out [60]T
		buf[3] = T(kept)
		SoftmaxRows(Matrix[T]{out[:], 3, 10, 20}, Matrix[T]{buf[:], 3, 10, 20})
		SoftmaxRows(Matrix[T]{buf[:], 3, 10, 20}, Matrix[T]{buf[:], 3, 10, 20})
		kept = float64(buf[0] + out[1])
	})
	check("LogSoftmaxRows", 100, func() {
		var buf, out [60]T
		buf[3] = T(kept)
		LogSoftmaxRows(Matrix[T]{out[:], 3, 10, 20}, Matrix[T]{buf[:], 3, 10, 20})
		LogSoftmaxRows(Matrix[T]{buf[:], 3, 10, 20}, Matrix[T]{buf[:], 3, 10, 20})
		kept = float64(buf[0] + out[1])
	})
	check("LogSumExpRows", 100, func() {
		var buf [60]T
		var out [3]T
		buf[3] = T(kept)
		LogSumExpRows(out[:], Matrix[T]{buf[:], 3, 10, 20})
		kept = float64(out[0])
	})
	check("several blocks", 10, func() {
		var buf, out [2*blockBytes/4 + 1]T
		buf[3] = T(kept)
		Softmax(out[:], buf[:])
		LogSoftmax(buf[:], out[:])
		kept = float64(buf[0] + LogSumExp(out[:]))
	})
	block := blockOf[T]()
	stored := 2 * block // only float32 and float64 have rows that are stored
	if is32[T]() || is64[T]() {
		stored = storedBytes / blockBytes * block
	}
	logits, results := make([]T, stored+1), make([]T, stored+1)
	for _, n := range []int{1, 100, block, block + 1, stored, stored + 1} {
		check(fmt.Sprintf("n=%d", n), 1, func() {
			Softmax(results[:n], logits[:n])
			LogSoftmax(results[:n], logits[:n])
			kept = float64(LogSumExp(logits[:n]))
		})
	}
	logits[5] = nan[T]()
	check("a NaN", 1, func() {
		Softmax(results, logits)
		LogSoftmax(results, logits)
		kept = float64(LogSumExp(logits))
	})
}

// TestMisalignedDst stores long rows past the caches where dst is no multiple of its
// element's size.
func TestMisalignedDst(t *testing.T) {
	needMisaligned(t)
	forEachKernelAndType(t, testMisalignedDst[float32], testMisalignedDst[float64])
}

func testMisalignedDst[T native](t *testing.T, k kernel) {
	useKernel(t, k)
	size := int(unsafe.Sizeof(T(0)))
	n := 2 * streamBytes / size // a power of two
	if reduced() || n&(n-1) != 0 {
		previous := streamBytes
		streamBytes, n = storedBytes, 2*storedBytes/size
		defer func() { streamBytes = previous }()
	}
	src, memory := make([]T, n), make([]byte, n*size+128)
	memory = memory[64-int(uintptr(unsafe.Pointer(&memory[0]))%64):]
	for _, shift := range []int{2, 61} {
		dst := unsafe.Slice((*T)(unsafe.Pointer(&memory[shift])), n)
		clear(dst)
		Softmax(dst, src)
		for i, p := range dst {
			if p != T(1/float64(n)) {
				t.Fatalf("%d bytes behind a multiple of 64: p[%d] = %v, want 1/%d", shift, i, p, n)
			}
		}
	}
}
