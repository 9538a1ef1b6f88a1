package softmax

// This file compares the ways of row.go with each other, bit for bit.

import (
	"math"
	"math/big"
	"testing"
)

// useStreamLen makes rows of n elements and more be stored past the caches until
// the test ends.
func useStreamLen(t *testing.T, n int) {
	previous := streamLen
	streamLen = n
	t.Cleanup(func() { streamLen = previous })
}

// TestWays forces every way through row.go on rows of every length.
func TestWays(t *testing.T) {
	lens := []int{1, 2, 3, 5, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 129, 500, 1000, 2000,
		blockLen - 1, blockLen, blockLen + 1, 2*blockLen - 1, 2 * blockLen, 2*blockLen + 1,
		3*blockLen + 5, 6*blockLen + 63, 12*blockLen + 100}
	ways := []struct {
		name      string
		run       func(k kernel, dst, src []float32)
		streamLen int
		inPlace   bool
	}{
		{"stored", softmaxStored, math.MaxInt, false},
		{"stored in place", softmaxStored, math.MaxInt, true},
		{"recomputed", softmaxRecomputed, math.MaxInt, false},
		{"recomputed in place", softmaxRecomputed, 100, true},
		{"streamed", softmaxRecomputed, 100, false},
	}
	forEachKernel(t, func(t *testing.T, k kernel) {
		longest := lens[len(lens)-1]
		src, dst := newBuffer(longest), newBuffer(longest)
		want := make([]float32, longest)
		for _, n := range lens {
			for i, family := range families {
				if n > blockLen && !chosen(n/blockLen+i, 5) {
					continue
				}
				row, want := family.makeRow(n, 6), want[:n]
				softmaxRow(kernelGeneric, want, row)
				for j, way := range ways {
					useStreamLen(t, way.streamLen)
					from := src.slice(n, (n+i)%16)
					copy(from, row)
					to := from
					if !way.inPlace {
						to = dst.slice(n, (i+j)%16)
					}
					way.run(k, to, from)
					checkBits(t, to, want, row, "%s, n=%d, %s", family.name, n, way.name)
					src.check(t, "%s, n=%d, %s", family.name, n, way.name)
					if !way.inPlace {
						dst.check(t, "%s, n=%d, %s", family.name, n, way.name)
					}
				}
			}
		}
	})
}

// TestReferenceIsFree shows that the reference exponent changes nothing but the
// exponents, as long as nothing leaves the range.
func TestReferenceIsFree(t *testing.T) {
	forEachKernel(t, func(t *testing.T, k kernel) {
		for _, family := range families {
			row := family.makeRow(1000, 7)
			m := maxOf(row)
			bias := rowBias(m)
			ref := newReference(m, bias)
			want := make([]float32, len(row))
			got := make([]float32, len(row))
			if sum, _ := expBlock(k, want, row, &ref); sum != sum {
				continue
			}
			compared := 0
			for delta := int32(-30); delta <= 30; delta++ {
				shifted := shiftReference(ref.shift+delta, bias)
				expBlock(k, got, row, &shifted)
				for i, x := range row {
					if x := float32(x + bias); x <= ref.cutoff || x <= shifted.cutoff {
						continue
					}
					compared++
					if math.Float32bits(got[i]) != math.Float32bits(want[i])+uint32(delta)<<23 {
						t.Fatalf("%s, shift %d instead of %d: logit %v: got %x, want %x * 2^%d",
							family.name, shifted.shift, ref.shift, x, got[i], want[i], delta)
					}
				}
			}
			if compared == 0 {
				t.Errorf("%s: nothing compared", family.name)
			}
		}
	})
}

// TestRowsOfOneValue puts the maximum of a row, or its only finite elements,
// into one block after the other.
func TestRowsOfOneValue(t *testing.T) {
	const n = 5*blockLen + 10
	forEachKernel(t, func(t *testing.T, k kernel) {
		row, want, got := make([]float32, n), make([]float32, n), make([]float32, n)
		count := 0
		for _, rest := range []float32{negInf, -math.MaxFloat32, -16390, -16384, -16383, -8193, -8192, -200, -1, 0, 8191, 8193, 16383} {
			for _, peak := range []float32{-16385, -16384, -8192, -1, 0, 2, 90, 8192, 16383.9, 16384, 16385, 20000, 1e30, math.MaxFloat32} {
				if peak < rest {
					continue
				}
				for block := range 6 {
					if count++; !chosen(count, 7) {
						continue
					}
					for i := range row {
						row[i] = rest
					}
					row[block*blockLen+3] = peak
					softmaxRow(kernelGeneric, want, row)
					softmaxRow(k, got, row)
					checkBits(t, got, want, row, "%v in block %d among %v", peak, block, rest)
					softmaxRecomputed(k, got, row)
					checkBits(t, got, want, row, "recomputed: %v in block %d among %v", peak, block, rest)
					// Each of the n-1 others is e^(rest-peak) times as probable.
					ratio := math.Exp(float64(rest) - float64(peak))
					first, other := got[block*blockLen+3], got[block*blockLen+4]
					total := 1 + (n-1)*ratio
					if d := ulps(first, 1/total); d > maxULP {
						t.Fatalf("%v in block %d among %v: got %v, off by %v ULP", peak, block, rest, first, d)
					}
					if d := ulps(other, ratio/total); d > maxULP {
						t.Fatalf("%v in block %d among %v: others got %v, off by %v ULP", peak, block, rest, other, d)
					}
				}
			}
		}
	})
}

// TestLevels repeats TestWays for rows whose blocks differ in what care they need.
func TestLevels(t *testing.T) {
	const n = 4*blockLen + 100
	forEachKernel(t, func(t *testing.T, k kernel) {
		want, got := make([]float32, n), make([]float32, n)
		for seed := range uint64(60) {
			if !chosen(int(seed), 6) {
				continue
			}
			row := familyNamed("levels").makeRow(n, seed)
			softmaxStored(kernelGeneric, want, row)
			softmaxStored(k, got, row)
			checkBits(t, got, want, row, "seed %d, stored", seed)
			softmaxRecomputed(k, got, row)
			checkBits(t, got, want, row, "seed %d, recomputed", seed)
		}
	})
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
		a := math.Float32frombits(uint32(r.next())&0x807fffff | uint32(120+r.intn(14))<<23)
		b := math.Float32frombits(uint32(r.next())&0x807fffff | uint32(120+r.intn(14))<<23)
		c := math.Float32frombits(uint32(r.next())&0x807fffff | uint32(90+r.intn(70))<<23)
		check(a, b, c)
		// Few bits: exact ties.
		check(math.Float32frombits(math.Float32bits(a)&0xffff8000),
			math.Float32frombits(math.Float32bits(b)&0xfffff000|uint32(r.intn(2))),
			math.Float32frombits(math.Float32bits(c)&0xffff0001))
		// A product next to half a unit in the last place of c.
		m := uint64(1<<23 + r.intn(1<<23))
		b = float32((1<<47 + m/2) / m)
		if rest := int64(m)*int64(b) - 1<<47; -1<<18 < rest && rest < 1<<18 {
			sign := float32(1 - 2*r.intn(2))
			c := math.Float32frombits(uint32(r.next())&0x807fffff | 127<<23)
			check(float32(m), sign*b*0x1p-71, c)
		}
	}
	t.Logf("rounding twice would have been wrong %d times", hard)
	if hard < count/1000 {
		t.Errorf("only %d sums were hard", hard)
	}
}
