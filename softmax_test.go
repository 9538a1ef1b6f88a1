package softmax

// This file checks what the package comment promises of Softmax.

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

var nan32 = math.Float32frombits(nanBits)

// TestSpecialValues lists results that are exact.
func TestSpecialValues(t *testing.T) {
	const lowest, largest = -math.MaxFloat32, math.MaxFloat32
	negZero := float32(math.Copysign(0, -1))
	otherNaN := math.Float32frombits(0xffc12345)
	tests := []struct{ logits, want []float32 }{
		{[]float32{0}, []float32{1}},
		{[]float32{negZero}, []float32{1}},
		{[]float32{1}, []float32{1}},
		{[]float32{-87.5}, []float32{1}},
		{[]float32{0x1p-149}, []float32{1}},
		{[]float32{8192}, []float32{1}},
		{[]float32{16384}, []float32{1}},
		{[]float32{-16384}, []float32{1}},
		{[]float32{largest}, []float32{1}},
		{[]float32{lowest}, []float32{1}},

		{[]float32{0, 0}, []float32{0.5, 0.5}},
		{[]float32{0, negZero}, []float32{0.5, 0.5}},
		{[]float32{7, 7, 7, 7}, []float32{0.25, 0.25, 0.25, 0.25}},
		{[]float32{largest, largest}, []float32{0.5, 0.5}},
		{[]float32{lowest, lowest}, []float32{0.5, 0.5}},
		{[]float32{largest, lowest}, []float32{1, 0}},
		{[]float32{1e30, 1e29, 1e30}, []float32{0.5, 0, 0.5}},

		{[]float32{0, negInf}, []float32{1, 0}},
		{[]float32{0, lowest}, []float32{1, 0}},
		{[]float32{-3.4e38, 5, 5}, []float32{0, 0.5, 0.5}},
		{[]float32{negInf, lowest}, []float32{0, 1}},
		{[]float32{negInf, -1e6, negInf}, []float32{0, 1, 0}},
		// Half of 2^-149 is e^-103.97; below, the result is 0.
		{[]float32{0, -103.9}, []float32{1, 0x1p-149}},
		{[]float32{0, -104.1}, []float32{1, 0}},
		{[]float32{300, 196.1, 195.9}, []float32{1, 0x1p-149, 0}},
		{[]float32{20000, 20000 - 103.875, 20000 - 104.125}, []float32{1, 0x1p-149, 0}},

		{[]float32{negInf}, []float32{nan32}},
		{[]float32{posInf}, []float32{nan32}},
		{[]float32{otherNaN}, []float32{nan32}},
		{[]float32{negInf, negInf}, []float32{nan32, nan32}},
		{[]float32{posInf, negInf}, []float32{nan32, nan32}},
		{[]float32{posInf, posInf}, []float32{nan32, nan32}},
		{[]float32{0, posInf, 0}, []float32{nan32, nan32, nan32}},
		{[]float32{0, otherNaN}, []float32{nan32, nan32}},
		{[]float32{otherNaN, negInf}, []float32{nan32, nan32}},
		{[]float32{posInf, otherNaN}, []float32{nan32, nan32}},
	}
	forEachKernel(t, func(t *testing.T, k kernel) {
		useKernel(t, k)
		for _, test := range tests {
			got := make([]float32, len(test.logits))
			Softmax(got, test.logits)
			checkBits(t, got, test.want, test.logits, "%v", test.logits)
		}
	})
}

// TestUndefinedRows puts one NaN or +Inf at every place, and fills with -Inf.
func TestUndefinedRows(t *testing.T) {
	spoilers := []float32{posInf, nan32, -nan32,
		math.Float32frombits(0x7f800001), math.Float32frombits(0xffffffff), math.Float32frombits(0x7fbfffff)}
	forEachKernel(t, func(t *testing.T, k kernel) {
		useKernel(t, k)
		for _, n := range []int{1, 2, 3, 7, 8, 9, 16, 17, 31, 32, 33, 63, 64, 65, 100, 500, blockLen + 1, 3*blockLen + 2, 100_000} {
			logits, got := make([]float32, n), make([]float32, n)
			want := slices.Repeat([]float32{nan32}, n)
			fill := func(v float32) {
				for i := range logits {
					logits[i] = v
				}
			}
			for _, others := range []float32{0, -1e30, negInf, -8192, 16384, math.MaxFloat32} {
				if n > 10*blockLen && others != 0 {
					continue
				}
				fill(others)
				// Up to 100 places, the first and the last among them.
				for i := range min(n, 100) {
					place := i
					if n > 100 {
						place = i * (n - 1) / 99
					}
					if n > 1000 && i%33 != 0 {
						continue
					}
					logits[place] = spoilers[i%len(spoilers)]
					Softmax(got, logits)
					checkBits(t, got, want, logits, "%#08x at %d of %d, others %v", math.Float32bits(logits[place]), place, n, others)
					logits[place] = others
				}
			}
			fill(negInf)
			Softmax(got, logits)
			checkBits(t, got, want, logits, "%d times -Inf", n)
			// A NaN in a block that a later one makes vanish.
			if n > blockLen {
				for place := range 40 {
					fill(0)
					logits[n-1] = 20000
					logits[place] = spoilers[place%len(spoilers)]
					Softmax(got, logits)
					checkBits(t, got, want, logits, "%#08x at %d of %d, maximum 20000", math.Float32bits(logits[place]), place, n)
				}
			}
		}
	})
}

// TestMasks checks that masked elements get +0, and the others what they would
// get without them but for the order of the sum.
func TestMasks(t *testing.T) {
	forEachKernel(t, func(t *testing.T, k kernel) {
		useKernel(t, k)
		for _, n := range []int{2, 3, 10, 64, 100, 1000, blockLen + 50, 3*blockLen + 1} {
			for _, mask := range []float32{negInf, -math.MaxFloat32, -3.4e38, -1e9, -1e4} {
				r := rng(n)
				logits := make([]float32, n)
				masked(mask)(&r, logits)
				logits[n/2] = 1
				logits[n/2-1] = mask
				got := make([]float32, n)
				Softmax(got, logits)
				exact := make([]float64, n)
				exactSoftmax(exact, logits)
				for i, p := range got {
					if logits[i] == mask && math.Float32bits(p) != 0 {
						t.Fatalf("n=%d: mask %v: got %v (%#08x), want +0", n, mask, p, math.Float32bits(p))
					}
					if d := ulps(p, exact[i]); d > maxULP {
						t.Fatalf("n=%d: mask %v: logit %v: off by %v ULP", n, mask, logits[i], d)
					}
				}
			}
		}
	})
}

// TestSubnormalResults checks that probabilities below 2^-126 are kept and
// rounded to the nearest: what remains of the error before is little.
func TestSubnormalResults(t *testing.T) {
	forEachKernel(t, func(t *testing.T, k kernel) {
		useKernel(t, k)
		for _, n := range []int{2, 9, 100, 1000, blockLen + 100} {
			logits, got, exact := make([]float32, n), make([]float32, n), make([]float64, n)
			subnormal := 0
			for seed := range uint64(20) {
				familyNamed("subnormal-results").fillRow(logits, seed)
				Softmax(got, logits)
				exactSoftmax(exact, logits)
				for i, want := range exact {
					if want > 0x1p-130 {
						continue
					}
					if got[i] > 0 {
						subnormal++
					}
					if d := ulps(got[i], want); d > 0.8 {
						t.Fatalf("n=%d: got %x, want %x: %.3f units of 2^-149", n, got[i], want, d)
					}
				}
			}
			if subnormal == 0 {
				t.Errorf("n=%d: no result was subnormal", n)
			}
		}
	})
}

// checkProbabilities checks that row has the order of the logits, lies in [0, 1]
// and adds up to 1; or is all NaN, where the logits say so.
func checkProbabilities(t *testing.T, row, logits []float32) {
	t.Helper()
	m := maxOf(logits)
	if isNaN(m) || math.IsInf(float64(m), 0) {
		for i, p := range row {
			if math.Float32bits(p) != nanBits {
				t.Fatalf("maximum %v: element %d is %v (%#08x), want NaN (%#08x)", m, i, p, math.Float32bits(p), nanBits)
			}
		}
		return
	}
	order := make([]int, len(row))
	sum := 0.0
	for i, p := range row {
		order[i] = i
		if !(p >= 0 && p <= 1) || math.Signbit(float64(p)) {
			t.Fatalf("logit %v: got %v, outside [0, 1]", logits[i], p)
		}
		sum += float64(p)
	}
	// Up to maxULP each, of a probability or of the smallest subnormal number.
	if bound := maxULP*0x1p-23 + float64(len(row))*maxULP*0x1p-149; !(math.Abs(sum-1) <= bound) {
		t.Fatalf("the sum is 1 + %g, want within %g", sum-1, bound)
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
			t.Fatalf("logits %d and %d are %v and %v, probabilities %v and %v", i, j, logits[i], logits[j], row[i], row[j])
		}
	}
}

// TestOrderAndSum is the promise that order is kept, in rows of every kind, and
// in rows of neighbours, where it is hardest.
func TestOrderAndSum(t *testing.T) {
	neighbours := family{"neighbours", func(r *rng, row []float32) {
		start := math.Float32bits((20*one + r.uniform(19*one)).float())
		if r.intn(2) == 0 {
			start |= 1 << 31
		}
		for i := range row {
			row[i] = math.Float32frombits(start + uint32(i*7%len(row)))
		}
	}}
	forEachKernel(t, func(t *testing.T, k kernel) {
		useKernel(t, k)
		for _, n := range []int{1, 2, 3, 10, 33, 100, 1000, blockLen, 3*blockLen + 1, 20_001} {
			for _, family := range append([]family{neighbours}, families...) {
				t.Run(fmt.Sprintf("%s/n=%d", family.name, n), func(t *testing.T) {
					for seed := range uint64(max(1, 1000/n)) {
						logits, got := family.makeRow(n, 20+seed), make([]float32, n)
						Softmax(got, logits)
						checkProbabilities(t, got, logits)
					}
				})
			}
		}
	})
}

// TestEqualLogits checks that equal logits get equal probabilities in blocks of
// different maximum, where they are scaled differently.
func TestEqualLogits(t *testing.T) {
	forEachKernel(t, func(t *testing.T, k kernel) {
		useKernel(t, k)
		for _, n := range []int{3 * blockLen, storedLimit(k) + 3*blockLen} {
			family := familyNamed("normal3")
			logits, got := make([]float32, n), make([]float32, n)
			family.fillRow(logits[:1000], 1)
			for at := 1000; at < n; at += 1000 {
				copy(logits[at:], logits[:1000])
			}
			for at := 0; at < n; at += blockLen { // different maxima
				logits[at] = float32(at % 37)
			}
			Softmax(got, logits)
			seen := map[float32]float32{}
			for i, x := range logits {
				if p, ok := seen[x]; ok && p != got[i] {
					t.Fatalf("n=%d: logit %v got %v and %v", n, x, p, got[i])
				}
				seen[x] = got[i]
			}
		}
	})
}

func TestEmpty(t *testing.T) {
	var none []float32
	Softmax(none, none)
	Softmax(none, []float32{})
	Softmax([]float32{}, none)
	buf := []float32{1, 2, 3}
	Softmax(buf[:0], buf[:0])
	Softmax(buf[1:1], buf[2:2])
	Softmax(buf[3:], none)
	checkBits(t, buf, []float32{1, 2, 3}, buf, "empty slices")
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

func TestSoftmaxPanics(t *testing.T) {
	const n = 100
	const overlap = "softmax: Softmax: dst and src overlap without being the same slice"
	memory := familyNamed("normal3").makeRow(4*n, 1)
	before := slices.Clone(memory)
	check := func(dst, src []float32, want string) {
		t.Helper()
		if got := panicOf(func() { Softmax(dst, src) }); got != want {
			t.Errorf("panic %q, want %q", got, want)
		}
		checkBits(t, memory, before, before, "written before the panic")
	}
	check(memory[:3], memory[10:14], "softmax: Softmax: len(dst)=3, len(src)=4")
	check(memory[:4], memory[10:13], "softmax: Softmax: len(dst)=4, len(src)=3")
	check(nil, memory[:1], "softmax: Softmax: len(dst)=0, len(src)=1")
	check(memory[:1], nil, "softmax: Softmax: len(dst)=1, len(src)=0")
	check(memory[:1], memory[:2], "softmax: Softmax: len(dst)=1, len(src)=2")
	for _, shift := range []int{1, 2, 7, 8, 16, 50, n - 8, n - 1} {
		check(memory[n+shift:][:n], memory[n:][:n], overlap)
		check(memory[n-shift:][:n], memory[n:][:n], overlap)
	}
	check(memory[:2], memory[1:3], overlap)
	// Next to each other is fine.
	want := slices.Clone(memory[n:][:n])
	Softmax(want, want)
	for _, at := range []int{0, 2 * n} {
		if message := panicOf(func() { Softmax(memory[at:][:n], memory[n:][:n]) }); message != "" {
			t.Errorf("adjacent slices: panic %q", message)
		}
		checkBits(t, memory[at:][:n], want, before[n:], "adjacent slices")
	}
}

// logitsOf is a type as callers may have one.
type logitsOf[T Float] []T

// TestGenericCaller calls through a type parameter and a named slice type.
func TestGenericCaller(t *testing.T) {
	row := logitsOf[float32]{1, 1}
	Softmax(row, row)
	if row[0] != 0.5 || row[1] != 0.5 {
		t.Errorf("got %v", row)
	}
}

// kept is where results go, so that no call is left out.
var kept float32

// TestAllocations checks that nothing is allocated, and that a buffer of the
// caller's stays on its stack: if it escaped, each run would allocate it.
func TestAllocations(t *testing.T) {
	forEachKernel(t, func(t *testing.T, k kernel) {
		useKernel(t, k)
		check := func(name string, runs int, f func()) {
			t.Helper()
			if allocs := testing.AllocsPerRun(runs, f); allocs != 0 {
				t.Errorf("%s: %v allocations", name, allocs)
			}
		}
		check("Softmax", 100, func() {
			var buf, out [16]float32
			buf[3] = kept
			Softmax(out[:], buf[:])
			Softmax(buf[:], buf[:])
			kept = buf[0] + out[1]
		})
		check("SoftmaxRows", 100, func() {
			var buf, out [60]float32
			buf[3] = kept
			SoftmaxRows(Matrix[float32]{out[:], 3, 10, 20}, Matrix[float32]{buf[:], 3, 10, 20})
			SoftmaxRows(Matrix[float32]{buf[:], 3, 10, 20}, Matrix[float32]{buf[:], 3, 10, 20})
			kept = buf[0] + out[1]
		})
		check("Softmax, several blocks", 10, func() {
			var buf, out [2*blockLen + 1]float32
			buf[3] = kept
			Softmax(out[:], buf[:])
			kept = out[0]
		})
		logits := make([]float32, storedLimit(k)+1)
		probabilities := make([]float32, len(logits))
		for _, n := range []int{1, 100, blockLen, blockLen + 1, storedLimit(k), storedLimit(k) + 1} {
			check(fmt.Sprintf("Softmax, n=%d", n), 1, func() { Softmax(probabilities[:n], logits[:n]) })
		}
		logits[5] = nan32
		check("Softmax with a NaN", 1, func() { Softmax(probabilities, logits) })
	})
}
