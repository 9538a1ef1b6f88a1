package softmax

// This file checks the elements of 16 bits: their conversions against the definition
// in IEEE 754, and everything that is computed of them against float32.

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"
	"unsafe"
)

// numberOf returns the number that the bits of an element of 16 bits stand for. The
// bits of infinity stand for the number that would follow the largest.
func numberOf[T half](bits uint64) float64 {
	f := formatOf[T]()
	fraction := bits & f.Fraction
	exponent := int(bits & f.Infinity >> f.FractionBits)
	if exponent > 0 {
		fraction += f.Fraction + 1
		exponent--
	}
	x := math.Ldexp(float64(fraction), exponent+f.MinExponent-f.FractionBits)
	if bits&f.Sign != 0 {
		return -x
	}
	return x
}

// roundedBits returns the bits of the element next to x, which is no NaN.
func roundedBits[T half](x float32) uint64 {
	f := formatOf[T]()
	a, sign := math.Abs(float64(x)), uint64(0)
	if math.Signbit(float64(x)) {
		sign = f.Sign
	}
	if math.IsInf(a, 0) {
		return sign | f.Infinity
	}
	exponent := max(int(exponentOf(a)), f.MinExponent)
	places := uint64(math.RoundToEven(a * pow2(int32(f.FractionBits-exponent))))
	// The leading bit, if there is one, counts for the exponent.
	return sign | min(places+uint64(exponent-f.MinExponent)<<f.FractionBits, f.Infinity)
}

// TestHalfToFloat32 converts every number there is.
func TestHalfToFloat32(t *testing.T) {
	forEachHalf(t, testHalfToFloat32[Float16], testHalfToFloat32[BFloat16])
}

func testHalfToFloat32[T half](t *testing.T) {
	f := formatOf[T]()
	for bits := range uint64(1 << 16) {
		want := math.Float32bits(float32(numberOf[T](bits)))
		if bits&f.Infinity == f.Infinity {
			want = uint32(bits&f.Sign)<<16 | 0x7F800000 | uint32(bits&f.Fraction)<<(23-f.FractionBits)
			if bits&f.Fraction != 0 {
				want |= 0x00400000 // quiet
			}
		}
		if got := math.Float32bits(T(bits).Float32()); got != want {
			t.Fatalf("%#04x: got %#08x, want %#08x", bits, got, want)
		}
	}
}

// TestToHalf rounds every number of 16 bits, the middle between each and the next,
// and their neighbours; and NaN.
func TestToHalf(t *testing.T) {
	forEachHalf(t, testToHalf[Float16], testToHalf[BFloat16])
}

func testToHalf[T half](t *testing.T) {
	f := formatOf[T]()
	check := func(x float32, want uint64) {
		t.Helper()
		for _, sign := range []uint64{0, f.Sign} {
			x := math.Float32frombits(math.Float32bits(x) | uint32(sign)<<16)
			if got := bitsOf(rounded[T](x)); got != want|sign {
				t.Fatalf("%x (%#08x): got %#04x, want %#04x", x, math.Float32bits(x), got, want|sign)
			}
		}
	}
	for bits := range f.Infinity {
		x := float32(numberOf[T](bits))
		middle := float32((numberOf[T](bits) + numberOf[T](bits+1)) / 2)
		even := bits + bits&1
		check(x, bits)
		check(math.Nextafter32(x, infinity[float32](1)), bits)
		check(math.Nextafter32(middle, 0), bits)
		check(middle, even)
		check(math.Nextafter32(middle, infinity[float32](1)), bits+1)
	}
	check(infinity[float32](1), f.Infinity)
	check(largest[float32](), f.Infinity)
	check(smallest[float32](), 0)
	r := rng(16)
	for i := range 1000 {
		payload := uint32(r.Next())&0x007FFFFF | 1
		if i < 23 {
			payload = 1 << i
		}
		quiet := f.Fraction &^ (f.Fraction >> 1)
		check(math.Float32frombits(0x7F800000|payload), f.Infinity|quiet|uint64(payload)>>(23-f.FractionBits))
	}
}

// TestToFloat16Limits lists numbers that the format is known by.
func TestToFloat16Limits(t *testing.T) {
	for _, test := range []struct {
		x       float32
		float16 Float16
	}{
		{1, 0x3C00}, {-2, 0xC000}, {1. / 3, 0x3555}, {65504, 0x7BFF}, {65519.996, 0x7BFF}, {65520, 0x7C00}, {-1e6, 0xFC00},
		{0x1p-14, 0x0400}, {0x1.ff8p-15, 0x03FF}, {0x1.ffcp-15, 0x0400}, {0x1p-24, 0x0001}, {0x1p-25, 0}, {0x1.000002p-25, 1}, {-0x1p-25, 0x8000},
	} {
		if got := ToFloat16(test.x); got != test.float16 {
			t.Errorf("ToFloat16(%v) = %#04x, want %#04x", test.x, uint16(got), uint16(test.float16))
		}
	}
}

// TestToHalfOfAll rounds every float32 with -exhaustive, else a sample.
func TestToHalfOfAll(t *testing.T) {
	forEachHalf(t, testToHalfOfAll[Float16], testToHalfOfAll[BFloat16])
}

func testToHalfOfAll[T half](t *testing.T) {
	step := uint64(2003)
	switch {
	case *exhaustive:
		step = 1
	case reduced():
		step = 100_003
	}
	t.Logf("checking one float32 in %d", step)
	workers := uint64(runtime.GOMAXPROCS(0))
	for worker := range workers {
		t.Run("part", func(t *testing.T) {
			t.Parallel()
			for bits := worker * step; bits < 1<<32; bits += workers * step {
				x := math.Float32frombits(uint32(bits))
				if x != x {
					continue
				}
				if got, want := bitsOf(rounded[T](x)), roundedBits[T](x); got != want {
					t.Fatalf("%x (%#08x): got %#04x, want %#04x", x, bits, got, want)
				}
			}
		})
	}
}

// halfOfOthers is a type as other packages have one.
type halfOfOthers uint16

func TestHalfViews(t *testing.T) {
	others := []halfOfOthers{0x3C00, 0x7E00, 1}
	views := [][]uint16{
		castSlice[uint16](AsFloat16(others)), castSlice[uint16](AsBFloat16(others)), castSlice[uint16](AsFloat16(castSlice[uint16](others))),
	}
	for i, view := range views {
		if len(view) != len(others) || cap(view) != cap(others) || unsafe.Pointer(&view[0]) != unsafe.Pointer(&others[0]) {
			t.Errorf("view %d does not share the memory of the slice", i)
		}
	}
	if view := AsFloat16[uint16](nil); view != nil {
		t.Errorf("the view of nil is %v", view)
	}
	if x := AsFloat16(others)[0].Float32(); x != 1 {
		t.Errorf("the bits 0x3C00 viewed as Float16 are %v, want 1", x)
	}
	if x := AsBFloat16(others)[0].Float32(); x != 0.0078125 {
		t.Errorf("the bits 0x3C00 viewed as BFloat16 are %v, want 0.0078125", x)
	}
}

// TestWiden compares the conversion of blocks with that of elements, and the maximum.
func TestWiden(t *testing.T) { forEachKernelAndHalf(t, testWiden[Float16], testWiden[BFloat16]) }

func testWiden[T half](t *testing.T, k kernel) {
	src, dst := newBuffer[T](block32), newBuffer[float32](block32)
	check := func(row []T, offset int, name string) {
		t.Helper()
		n := len(row)
		from, to, want := src.slice(n, offset), dst.slice(n, n*3+offset), wideRow(row)
		if !isFloat16[T]() {
			for i, b := range row {
				want[i] = math.Float32frombits(uint32(b) << 16) // a NaN is not made quiet
			}
		}
		copy(from, row)
		m := widen(k, to, from)
		checkBits(t, to, want, want, "%s, n=%d, offset %d", name, n, offset)
		dst.check(t, "%s, n=%d, offset %d", name, n, offset)
		checkBits(t, from, row, row, "%s, n=%d, offset %d: src changed", name, n, offset)
		if top := maxOf(want); !isNaN(top) && m != top {
			t.Fatalf("%s, n=%d, offset %d: maximum is %v, want %v", name, n, offset, m, top)
		}
	}
	for _, n := range primitiveLens[float32]() {
		for i, family := range familiesOf[T]() {
			if chosen(n+i, 7) {
				check(family.MakeRow(n, 3), n+i, family.Name)
			}
		}
		// The maximum at every place.
		row := make([]T, n)
		fill(row, rounded[T](-2))
		for i := range row {
			if n > 200 && i%97 != 0 && i < n-40 {
				continue
			}
			row[i] = rounded[T](-1)
			check(row, i, "one element is larger")
			row[i] = rounded[T](-2)
		}
	}
	all := make([]T, block32)
	for first := 0; first < 1<<16; first += len(all) {
		for i := range all {
			all[i] = T(first + i)
		}
		check(all, 0, fmt.Sprintf("from %#04x on", first))
	}
}

// TestNarrow compares the rounding of blocks with that of elements.
func TestNarrow(t *testing.T) { forEachKernelAndHalf(t, testNarrow[Float16], testNarrow[BFloat16]) }

func testNarrow[T half](t *testing.T, k kernel) {
	src, dst := newBuffer[float32](block32), newBuffer[T](block32)
	check := func(row []float32, offset int, name string) {
		t.Helper()
		n := len(row)
		for i, x := range row {
			if x != x {
				row[i] = nan[float32]()
			}
		}
		from, to, want := src.slice(n, offset), dst.slice(n, n*3+offset), roundedRow[T](row)
		copy(from, row)
		narrow(k, to, from)
		checkBits(t, to, want, want, "%s, n=%d, offset %d", name, n, offset)
		dst.check(t, "%s, n=%d, offset %d", name, n, offset)
		checkBits(t, from, row, row, "%s, n=%d, offset %d: src changed", name, n, offset)
	}
	f := formatOf[T]()
	// nearMiddle returns what lies next to the middle between two elements.
	nearMiddle := func(bits uint64, neighbour int) float32 {
		middle := float32((numberOf[T](bits) + numberOf[T](bits+1)) / 2)
		return math.Float32frombits(math.Float32bits(middle) + uint32(neighbour))
	}
	middles := family[float32]{Name: "middles", Fill: func(r *rng, row []float32) {
		for i := range row {
			row[i] = nearMiddle(r.Next()%f.Infinity|r.Next()&f.Sign, r.Intn(3)-1)
		}
	}}
	for _, n := range primitiveLens[float32]() {
		for i, family := range append(familiesOf[float32](), middles) {
			if chosen(n+i, 7) {
				check(family.MakeRow(n, 3), n+i, family.Name)
			}
		}
	}
	all := make([]float32, block32)
	for first := uint64(0); first < 1<<16; first += block32 {
		for neighbour := -1; neighbour <= 1; neighbour++ {
			for i := range all {
				all[i] = nan[float32]()
				if bits := first + uint64(i); bits&f.Infinity != f.Infinity {
					all[i] = nearMiddle(bits, neighbour)
				}
			}
			check(all, 0, fmt.Sprintf("from %#04x on, neighbour %d", first, neighbour))
		}
	}
}

// halfLens are the lengths of rows of 16 bits that are tested.
func halfLens() (lens []int) {
	for n := 1; n <= 130; n++ {
		lens = append(lens, n)
	}
	return append(lens, 255, 256, 257, 511, 512, 513, 1000, 2048, block32-17, block32-1, block32, block32+1,
		block32+40, 2*block32, 3*block32+77)
}

// halfFunction is a function of a row of 16 bits, and what it is made of.
type halfFunction[T half] struct {
	name   string
	run    func(dst, src []T)
	single func(k kernel, dst, src []float32)
}

func halfFunctions[T half]() (functions []halfFunction[T]) {
	runs := []func(dst, src []T){Softmax[T], LogSoftmax[T], func(dst, src []T) { fill(dst, LogSumExp(src)) }}
	for i, f := range rowFunctions[float32]() {
		functions = append(functions, halfFunction[T]{f.name, runs[i], f.run})
	}
	return functions
}

// checkHalfRow compares the functions of a row with those of float32: rounded, the
// results are to be the same bits.
func checkHalfRow[T half](t *testing.T, row []T, src, dst *buffer[T], offset int, name string) {
	t.Helper()
	n, wide := len(row), wideRow(row)
	single := make([]float32, n)
	for _, function := range halfFunctions[T]() {
		function.single(kernelGeneric, single, wide)
		want := roundedRow[T](single)
		from, to := src.slice(n, offset), dst.slice(n, offset*7+n)
		copy(from, row)
		function.run(to, from)
		checkBits(t, to, want, row, "%s of %s, n=%d", function.name, name, n)
		dst.check(t, "%s of %s, n=%d", function.name, name, n)
		checkBits(t, from, row, row, "%s of %s, n=%d: src changed", function.name, name, n)
		function.run(from, from)
		checkBits(t, from, want, row, "%s of %s, n=%d, in place", function.name, name, n)
		src.check(t, "%s of %s, n=%d, in place", function.name, name, n)
	}
}

func TestHalfRows(t *testing.T) {
	forEachKernelAndHalf(t, testHalfRows[Float16], testHalfRows[BFloat16])
}

func testHalfRows[T half](t *testing.T, k kernel) {
	useKernel(t, k)
	lens := halfLens()
	src, dst := newBuffer[T](slices.Max(lens)), newBuffer[T](slices.Max(lens))
	for _, n := range lens {
		for i, family := range familiesOf[T]() {
			if chosen(n+i, 7) && (k != kernelGeneric || n <= 40 || (n+i)%5 == 0) {
				checkHalfRow(t, family.MakeRow(n, 1), src, dst, n+i, family.Name)
			}
		}
	}
}

// mixedLens are lengths of rows for the functions between types: of one block, of
// several, and of so many that exponentials are not stored.
func mixedLens() []int {
	lens := halfLens()
	if !reduced() {
		lens = append(lens, storedBytes/4, storedBytes/4+block32+5)
	}
	return lens
}

// TestSoftmaxToFloat32 compares with Softmax of the converted logits.
func TestSoftmaxToFloat32(t *testing.T) {
	forEachKernelAndHalf(t, testSoftmaxToFloat32[Float16], testSoftmaxToFloat32[BFloat16])
}

func testSoftmaxToFloat32[T half](t *testing.T, k kernel) {
	useKernel(t, k)
	lens := mixedLens()
	src, dst := newBuffer[T](slices.Max(lens)), newBuffer[float32](slices.Max(lens))
	for _, n := range lens {
		for i, family := range familiesOf[T]() {
			if !chosen(n+i, 7) || n > 200 && (n+i)%5 > 0 || n > 1<<18 && (n+i)%15 > 0 {
				continue
			}
			from, to := src.slice(n, n+i), dst.slice(n, n*3+i)
			family.FillRow(from, 2)
			row := slices.Clone(from)
			wide := wideRow(row)
			want := slices.Clone(wide)
			softmaxRow(kernelGeneric, want, want)
			SoftmaxToFloat32(to, from)
			checkBits(t, to, want, wide, "%s, n=%d", family.Name, n)
			dst.check(t, "%s, n=%d", family.Name, n)
			checkBits(t, from, row, row, "%s, n=%d: src changed", family.Name, n)
		}
	}
}

// TestSoftmaxFromFloat32 compares with Softmax, rounded.
func TestSoftmaxFromFloat32(t *testing.T) {
	forEachKernelAndHalf(t, testSoftmaxFromFloat32[Float16], testSoftmaxFromFloat32[BFloat16])
}

func testSoftmaxFromFloat32[T half](t *testing.T, k kernel) {
	useKernel(t, k)
	lens := mixedLens()
	src, dst := newBuffer[float32](slices.Max(lens)), newBuffer[T](slices.Max(lens))
	for _, n := range lens {
		for i, family := range familiesOf[float32]() {
			if !chosen(n+i, 7) || n > 200 && (n+i)%5 > 0 || n > 1<<18 && (n+i)%15 > 0 {
				continue
			}
			from, to := src.slice(n, n+i), dst.slice(n, n*3+i)
			family.FillRow(from, 2)
			row := slices.Clone(from)
			wide := slices.Clone(from)
			softmaxRow(kernelGeneric, wide, wide)
			want := roundedRow[T](wide)
			SoftmaxFromFloat32(to, from)
			checkBits(t, to, want, want, "%s, n=%d", family.Name, n)
			dst.check(t, "%s, n=%d", family.Name, n)
			checkBits(t, from, row, row, "%s, n=%d: src changed", family.Name, n)
		}
	}
}

// TestHalfSpecialValues lists results that are exact.
func TestHalfSpecialValues(t *testing.T) {
	forEachKernelAndHalf(t, testHalfSpecialValues[Float16], testHalfSpecialValues[BFloat16])
}

func testHalfSpecialValues[T half](t *testing.T, k kernel) {
	useKernel(t, k)
	f := formatOf[T]()
	ln2 := rounded[T](math.Ln2)
	minusLn2 := ln2 | T(f.Sign)
	zero, one, oneHalf, minusZero := T(0), rounded[T](1), rounded[T](0.5), T(f.Sign)
	negInf, posInf, nan := infinity[T](-1), infinity[T](1), T(0x7E00)
	if !isFloat16[T]() {
		nan = 0x7FC0
	}
	largest, smallest, signalling := largest[T](), smallest[T](), T(f.Sign|f.Infinity|1)
	minus := func(x float32) T { return rounded[T](-x) }
	// Between these distances is that of a probability of half the smallest number. The
	// logarithm of the largest is next to minus that, or too small for float32.
	kept, gone, nearZero := minus(17.25), minus(17.375), minusZero|smallest
	if !isFloat16[T]() {
		kept, gone, nearZero = minus(92.5), minus(93.5), zero
	}
	for _, test := range []struct {
		logits, softmax, logSoftmax []T
		logSumExp                   T
	}{
		{[]T{one}, []T{one}, []T{zero}, one},
		{[]T{minusZero}, []T{one}, []T{zero}, zero},
		{[]T{smallest}, []T{one}, []T{zero}, smallest},
		{[]T{largest}, []T{one}, []T{zero}, largest},
		{[]T{largest, largest}, []T{oneHalf, oneHalf}, []T{minusLn2, minusLn2}, largest},
		{[]T{zero, zero}, []T{oneHalf, oneHalf}, []T{minusLn2, minusLn2}, ln2},
		{[]T{zero, negInf}, []T{one, zero}, []T{zero, negInf}, zero},
		{[]T{zero, kept, gone}, []T{one, smallest, zero}, []T{nearZero, kept, gone}, nearZero &^ minusZero},
		{[]T{negInf}, []T{nan}, []T{nan}, negInf},
		{[]T{posInf}, []T{nan}, []T{nan}, posInf},
		{[]T{signalling}, []T{nan}, []T{nan}, nan},
		{[]T{negInf, negInf}, []T{nan, nan}, []T{nan, nan}, negInf},
		{[]T{posInf, zero}, []T{nan, nan}, []T{nan, nan}, posInf},
		{[]T{posInf, signalling}, []T{nan, nan}, []T{nan, nan}, nan},
	} {
		got := make([]T, len(test.logits))
		Softmax(got, test.logits)
		checkBits(t, got, test.softmax, test.logits, "Softmax of %#04x", test.logits)
		LogSoftmax(got, test.logits)
		checkBits(t, got, test.logSoftmax, test.logits, "LogSoftmax of %#04x", test.logits)
		checkBits(t, []T{LogSumExp(test.logits)}, []T{test.logSumExp}, test.logits, "LogSumExp of %#04x", test.logits)
	}
}

// TestHalfUndefinedLong puts +Inf and NaN into blocks of a long row, before and
// behind each other.
func TestHalfUndefinedLong(t *testing.T) {
	forEachKernelAndHalf(t, testHalfUndefinedLong[Float16], testHalfUndefinedLong[BFloat16])
}

func testHalfUndefinedLong[T half](t *testing.T, k kernel) {
	useKernel(t, k)
	n := 2*block32 + 9
	src, dst := newBuffer[T](n), newBuffer[T](n)
	row := make([]T, n)
	for i, others := range []T{0, infinity[T](-1), rounded[T](20000)} {
		for _, at := range [][2]int{{0, n - 1}, {n - 1, 0}, {block32, block32 + 1}, {5, 5}} {
			fill(row, others)
			checkHalfRow(t, row, src, dst, i, "equal logits")
			row[at[0]] = infinity[T](1)
			checkHalfRow(t, row, src, dst, i, "with +Inf")
			row[at[1]] = fenceOf[T]()
			checkHalfRow(t, row, src, dst, i, "with a NaN")
		}
	}
}

// TestMixedPanics has slices of wrong lengths, and such that share memory.
func TestMixedPanics(t *testing.T) {
	forEachHalf(t, testMixedPanics[Float16], testMixedPanics[BFloat16])
}

func testMixedPanics[T half](t *testing.T) {
	memory := familyNamed[float32]("normal3").MakeRow(100, 1)
	before := slices.Clone(memory)
	halves := unsafe.Slice((*T)(unsafe.Pointer(&memory[0])), 2*len(memory)) // halves[2*i] is the first of memory[i]
	check := func(want string, f func()) {
		t.Helper()
		if got := panicOf(f); got != "softmax: "+want {
			t.Errorf("panic %q, want %q", got, "softmax: "+want)
		}
		checkBits(t, memory, before, before, "written before the panic")
	}
	for _, lens := range [][2]int{{3, 4}, {4, 3}, {0, 1}, {1, 0}} {
		message := fmt.Sprintf("len(dst)=%d, len(src)=%d", lens[0], lens[1])
		check("SoftmaxToFloat32: "+message, func() { SoftmaxToFloat32(memory[:lens[0]], halves[100:][:lens[1]]) })
		check("SoftmaxFromFloat32: "+message, func() { SoftmaxFromFloat32(halves[100:][:lens[0]], memory[:lens[1]]) })
	}
	const shared = "dst and src share memory"
	for _, at := range []int{51, 60, 65, 70, 79} {
		check("SoftmaxToFloat32: "+shared, func() { SoftmaxToFloat32(memory[30:40], halves[at:][:10]) })
		check("SoftmaxFromFloat32: "+shared, func() { SoftmaxFromFloat32(halves[at:][:10], memory[30:40]) })
	}
	// Next to each other is fine.
	for _, at := range []int{50, 80} {
		if message := panicOf(func() { SoftmaxToFloat32(memory[30:40], halves[at:][:10]) }); message != "" {
			t.Errorf("adjacent slices: panic %q", message)
		}
		if message := panicOf(func() { SoftmaxFromFloat32(halves[at:][:10], memory[30:40]) }); message != "" {
			t.Errorf("adjacent slices: panic %q", message)
		}
	}
}

func TestMixedEmpty(t *testing.T) {
	single, narrow := []float32{1, 2, 3}, []Float16{1, 2, 3}
	SoftmaxToFloat32(nil, []Float16{})
	SoftmaxFromFloat32([]BFloat16{}, nil)
	SoftmaxToFloat32(single[3:], narrow[:0])
	SoftmaxFromFloat32(narrow[1:1], single[1:1])
	checkBits(t, single, []float32{1, 2, 3}, single, "empty slices")
	checkBits(t, narrow, []Float16{1, 2, 3}, narrow, "empty slices")
}

// TestMixedAllocations has buffers that must stay on the caller's stack.
func TestMixedAllocations(t *testing.T) {
	forEachKernelAndHalf(t, testMixedAllocations[Float16], testMixedAllocations[BFloat16])
}

func testMixedAllocations[T half](t *testing.T, k kernel) {
	useKernel(t, k)
	check := func(name string, runs int, f func()) {
		t.Helper()
		if allocs := testing.AllocsPerRun(runs, f); allocs != 0 {
			t.Errorf("%s: %v allocations", name, allocs)
		}
	}
	check("16 elements", 100, func() {
		var narrow, out [16]T
		var wide [16]float32
		narrow[3] = T(kept)
		SoftmaxToFloat32(wide[:], narrow[:])
		SoftmaxFromFloat32(out[:], wide[:])
		kept = float64(wide[1]) + float64(out[1])
	})
	check("several blocks", 10, func() {
		var narrow [2*block32 + 1]T
		var wide [2*block32 + 1]float32
		narrow[3] = T(kept)
		SoftmaxToFloat32(wide[:], narrow[:])
		SoftmaxFromFloat32(narrow[:], wide[:])
		kept = float64(wide[1]) + float64(narrow[1])
	})
	n := storedBytes/4 + 1
	narrow, wide := make([]T, n), make([]float32, n)
	check("recomputed", 1, func() {
		SoftmaxToFloat32(wide, narrow)
		SoftmaxFromFloat32(narrow, wide)
	})
}
