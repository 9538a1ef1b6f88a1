package softmax

// This file compares the ways of row.go with each other, bit for bit.

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/seed174f7dca/softmax/internal/corpus"
)

// useStreamLen makes rows of n elements and more be stored past the caches until
// the test ends.
func useStreamLen[T native](t *testing.T, n int) {
	previous := streamBytes
	streamBytes = n * 64 / alignments[T]()
	t.Cleanup(func() { streamBytes = previous })
}

// TestWays forces every way through row.go on rows of every length.
func TestWays(t *testing.T) {
	forEachKernelAndType(t, testWays[float32], testWays[float64])
}

func testWays[T native](t *testing.T, k kernel) {
	block := blockLen[T]()
	lens := []int{1, 2, 3, 5, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 129, 500, 1000, 2000,
		block - 1, block, block + 1, 2*block - 1, 2 * block, 2*block + 1, 3*block + 5, 6*block + 63, 12*block + 100}
	const never = 1 << 24
	ways := []struct {
		name      string
		run       func(k kernel, dst, src []T)
		streamLen int
		inPlace   bool
	}{
		{"stored", softmaxStored[T], never, false},
		{"stored in place", softmaxStored[T], never, true},
		{"recomputed", softmaxRecomputed[T], never, false},
		{"recomputed in place", softmaxRecomputed[T], 100, true},
		{"streamed", softmaxRecomputed[T], 100, false},
	}
	longest := lens[len(lens)-1]
	src, dst := newBuffer[T](longest), newBuffer[T](longest)
	want := make([]T, longest)
	for _, n := range lens {
		for i, family := range familiesOf[T]() {
			if n > block && !chosen(n/block+i, 5) {
				continue
			}
			row, want := family.MakeRow(n, 6), want[:n]
			softmaxRow(kernelGeneric, want, row)
			for j, way := range ways {
				useStreamLen[T](t, way.streamLen)
				from := src.slice(n, n+i)
				copy(from, row)
				to := from
				if !way.inPlace {
					to = dst.slice(n, i+j)
				}
				way.run(k, to, from)
				checkBits(t, to, want, row, "%s, n=%d, %s", family.Name, n, way.name)
				src.check(t, "%s, n=%d, %s", family.Name, n, way.name)
				if !way.inPlace {
					dst.check(t, "%s, n=%d, %s", family.Name, n, way.name)
				}
			}
		}
	}
}

// TestReferenceIsFree shows that the reference exponent changes nothing but the
// exponents, as long as nothing leaves the range.
func TestReferenceIsFree(t *testing.T) {
	forEachKernelAndType(t, testReferenceIsFree[float32], testReferenceIsFree[float64])
}

func testReferenceIsFree[T native](t *testing.T, k kernel) {
	for _, family := range familiesOf[T]() {
		row := family.MakeRow(1000, 7)
		m := maxOf(row)
		bias := rowBias(m)
		ref := newReference(m, bias)
		want := make([]T, len(row))
		got := make([]T, len(row))
		if sum, _ := expBlock(k, want, row, &ref); sum.undefined() {
			continue
		}
		compared := 0
		for delta := int32(-30); delta <= 30; delta++ {
			shifted := shiftReference(ref.shift+delta, bias)
			expBlock(k, got, row, &shifted)
			for i, x := range row {
				if x := T(x + bias); x <= ref.cutoff || x <= shifted.cutoff {
					continue
				}
				compared++
				if bitsOf(got[i]) != bitsOf(scaleByPower(want[i], delta)) {
					t.Fatalf("%s, shift %d instead of %d: logit %v: got %x, want %x * 2^%d",
						family.Name, shifted.shift, ref.shift, x, got[i], want[i], delta)
				}
			}
		}
		if compared == 0 {
			t.Errorf("%s: nothing compared", family.Name)
		}
	}
}

// scaleByPower returns x * 2^power by adding to its exponent.
func scaleByPower[T native](x T, power int32) T {
	return fromBits[T](bitsOf(x) + uint64(power)<<formatOf[T]().FractionBits)
}

// TestRowsOfOneValue puts the maximum of a row, or its only finite elements,
// into one block after the other.
func TestRowsOfOneValue(t *testing.T) {
	forEachKernelAndType(t, testRowsOfOneValue[float32], testRowsOfOneValue[float64])
}

func testRowsOfOneValue[T native](t *testing.T, k kernel) {
	block := blockLen[T]()
	n := 5*block + 10
	row, want, got := make([]T, n), make([]T, n), make([]T, n)
	count := 0
	for _, rest := range []T{infinity[T](-1), -largest[T](), -16390, -16384, -16383, -8193, -8192, -700, -200, -1, 0, 8191, 8193, 16383} {
		for _, peak := range []T{-16385, -16384, -8192, -1, 0, 2, 90, 8192, 16383.9, 16384, 16385, 20000, 1e30, largest[T]()} {
			if peak < rest {
				continue
			}
			for peakBlock := range 6 {
				if count++; !chosen(count, 7) {
					continue
				}
				fill(row, rest)
				at := peakBlock*block + 3
				row[at] = peak
				functions := rowFunctions[T]()
				if count%5 > 0 {
					functions = functions[:1]
				}
				for _, function := range slices.Backward(functions) { // softmax last
					function.run(kernelGeneric, want, row)
					function.run(k, got, row)
					checkBits(t, got, want, row, "%s: %v in block %d among %v", function.name, peak, peakBlock, rest)
				}
				softmaxRecomputed(k, got, row)
				checkBits(t, got, want, row, "recomputed: %v in block %d among %v", peak, peakBlock, rest)
				exact := exactRowOf(row)
				for _, i := range []int{at, at + 1} {
					if d := ulps(got[i], exact.softmax(row[i])); !(d <= maxULP) {
						t.Fatalf("%v in block %d among %v: %v got %v, off by %v ULP", peak, peakBlock, rest, row[i], got[i], d)
					}
				}
			}
		}
	}
}

// TestLevels repeats TestWays for rows whose blocks differ in what care they need.
func TestLevels(t *testing.T) {
	forEachKernelAndType(t, testLevels[float32], testLevels[float64])
}

func testLevels[T native](t *testing.T, k kernel) {
	n := 4*blockLen[T]() + 100
	want, got := make([]T, n), make([]T, n)
	for seed := range uint64(60) {
		if !chosen(int(seed), 6) {
			continue
		}
		row := familyNamed[T]("levels").MakeRow(n, seed)
		softmaxStored(kernelGeneric, want, row)
		softmaxStored(k, got, row)
		checkBits(t, got, want, row, "seed %d, stored", seed)
		softmaxRecomputed(k, got, row)
		checkBits(t, got, want, row, "seed %d, recomputed", seed)
	}
}

// TestAnchors has blocks on both sides of a place where anchors change, at distances
// from no difference to one that leaves nothing, and two anchors apart.
func TestAnchors(t *testing.T) {
	forEachKernelAndType(t, testAnchors[float32], testAnchors[float64])
}

func testAnchors[T native](t *testing.T, k kernel) {
	useKernel(t, k)
	r, depth, count := rng(36), corpus.DepthsOf[T](), 0
	subnormal, zero := T(depth.Subnormal), T(depth.Zero)
	n := 2*blockLen[T]() + 100
	got, want := make([]T, n), make([]T, n)
	for _, multiple := range []T{-123, -4, -3, -2, 2, 3, 4, 123} {
		change := multiple * anchorStep
		for _, distance := range []T{0.5, 20, subnormal + 2, (subnormal + zero) / 2, zero - 1, zero + 5, 900, anchorStep + 1} {
			for _, above := range []T{0, 0.25, distance / 2} {
				high, low := change+above, change+above-distance
				for _, tops := range [][3]T{{high, low, low}, {low, high, low}, {low, low, high}, {high, low, high}} {
					if count++; !chosen(count, 7) {
						continue
					}
					row := make([]T, n)
					for i := range row {
						row[i] = tops[i/blockLen[T]()] - corpus.Number[T](&r, r.Uniform(corpus.One)+corpus.One)/4
					}
					name := fmt.Sprintf("blocks at %v", tops)
					softmaxStored(kernelGeneric, want, row)
					softmaxStored(k, got, row)
					checkBits(t, got, want, row, "%s: stored", name)
					softmaxRecomputed(k, got, row)
					checkBits(t, got, want, row, "%s: recomputed", name)
					a := accumulated(&r, cutAt(&r, row, blockLen[T](), true))
					a.Softmax(got, row)
					checkBits(t, got, want, row, "%s: accumulated", name)
					exact := exactRowOf(row)
					for i := 0; i < n; i += 97 {
						if d := ulps(got[i], exact.softmax(row[i])); !(d <= maxULP) {
							t.Fatalf("%s: %v got %v, off by %v ULP", name, row[i], got[i], d)
						}
					}
					sum := a.LogSumExp()
					checkBits(t, []T{sum}, []T{LogSumExp(row)}, row, "%s: log-sum-exp", name)
					if d := logULPs(sum, exact.logSumExp()); !(d <= maxULP) {
						t.Fatalf("%s: log-sum-exp %v, off by %v ULP", name, sum, d)
					}
				}
			}
		}
	}
}

// TestLowered compares constants with exact exponentials.
func TestLowered(t *testing.T) {
	for i, distance := range []float64{anchorStep, exactLimit} {
		want := bigExp(bigFloat(-distance))
		got := term{lowered[i].value, lowered[i].power}.big()
		off, _ := got.Sub(got, want).Quo(got, want).Float64()
		if !(math.Abs(off) <= 0x1p-105) {
			t.Errorf("e^-%v is off by %g", distance, off)
		}
	}
}

// TestClearAll clears more and less than a piece.
func TestClearAll(t *testing.T) {
	for _, n := range []int{0, 1, 16 * block32, 16*block32 + 1, 33*block32 + 5} {
		row := make([]float32, n+1)
		fill(row, 1)
		if clearAll(row[:n]); slices.Contains(row[:n], 1) || row[n] != 1 {
			t.Errorf("%d elements were not cleared, or one more was", n)
		}
	}
}

// TestFMA32 checks the rounding of fma32 against exact arithmetic, most of all
// where the sum in float64 rounds to the middle between two float32 values.
func TestFMA32(t *testing.T) {
	r := rng(8)
	count, hard := 300_000, 0
	if reduced() {
		count = 30_000
	}
	check := func(a, b, c float32) {
		t.Helper()
		exact := new(big.Float).SetPrec(300).SetFloat64(float64(a))
		exact.Mul(exact, big.NewFloat(float64(b)))
		exact.Add(exact, big.NewFloat(float64(c)))
		want, _ := exact.Float32()
		if got := fma32(a, b, c); got != want {
			t.Fatalf("fma32(%x, %x, %x) = %x, want %x", a, b, c, got, want)
		}
		if twice := float32(float64(float64(a)*float64(b)) + float64(c)); twice != want {
			hard++
		}
	}
	for range count {
		a := math.Float32frombits(uint32(r.Next())&0x807fffff | uint32(120+r.Intn(14))<<23)
		b := math.Float32frombits(uint32(r.Next())&0x807fffff | uint32(120+r.Intn(14))<<23)
		c := math.Float32frombits(uint32(r.Next())&0x807fffff | uint32(90+r.Intn(70))<<23)
		check(a, b, c)
		// Few bits: exact ties.
		check(math.Float32frombits(math.Float32bits(a)&0xffff8000),
			math.Float32frombits(math.Float32bits(b)&0xfffff000|uint32(r.Intn(2))),
			math.Float32frombits(math.Float32bits(c)&0xffff0001))
		// A product next to half a unit in the last place of c.
		m := uint64(1<<23 + r.Intn(1<<23))
		b = float32((1<<47 + m/2) / m)
		if rest := int64(m)*int64(b) - 1<<47; -1<<18 < rest && rest < 1<<18 {
			sign := float32(1 - 2*r.Intn(2))
			c := math.Float32frombits(uint32(r.Next())&0x807fffff | 127<<23)
			check(float32(m), sign*b*0x1p-71, c)
		}
	}
	t.Logf("rounding twice would have been wrong %d times", hard)
	if hard < count/1000 {
		t.Errorf("only %d sums were hard", hard)
	}
}
