package softmax

// This file checks the accuracy against a reference in float64, and that against
// exact arithmetic.

import (
	_ "embed"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"testing"
)

const (
	maxULP  = 4   // promise: no probability is further from the exact one
	meanULP = 0.5 // promise: on average they are nearer
)

// ulps returns the distance of got from the exact result, in units of that one's
// last place. For subnormal results the unit is 2^-149.
func ulps(got float32, exact float64) float64 {
	exponent := int(math.Float64bits(exact)>>52) - 1023
	unit := math.Float64frombits(uint64(max(exponent, -126)-23+1023) << 52)
	return math.Abs(float64(got)-exact) / unit
}

// exactSoftmax is the softmax with a relative error of about 1e-15: a millionth
// of what a float32 can tell apart. The sum is W. Kahan's, with compensation.
func exactSoftmax(dst []float64, src []float32) {
	m := float64(src[0])
	for _, x := range src {
		m = math.Max(m, float64(x))
	}
	sum, lost := 0.0, 0.0
	for i, x := range src {
		e := math.Exp(float64(x) - m)
		dst[i] = e
		e -= lost
		next := sum + e
		lost = next - sum - e
		sum = next
	}
	for i := range src {
		dst[i] /= sum
	}
}

// bigExp returns e^x with a relative error below 2^-180.
func bigExp(x *big.Float) *big.Float {
	const precision, halvings = 320, 40
	small := new(big.Float).SetPrec(precision).SetMantExp(x, -halvings)
	sum := new(big.Float).SetPrec(precision).SetInt64(1)
	term := new(big.Float).SetPrec(precision).SetInt64(1)
	for i := int64(1); i < 20; i++ {
		term.Mul(term, small)
		term.Quo(term, new(big.Float).SetPrec(precision).SetInt64(i))
		sum.Add(sum, term)
	}
	for range halvings {
		sum.Mul(sum, sum)
	}
	return sum
}

// TestExactSoftmax checks the reference itself against math/big.
func TestExactSoftmax(t *testing.T) {
	worst := 0.0
	for _, family := range accuracyFamilies() {
		row := family.makeRow(20, 9)
		got := make([]float64, len(row))
		exactSoftmax(got, row)
		m := maxOf(row)
		sum := new(big.Float).SetPrec(320)
		e := make([]*big.Float, len(row))
		for i, x := range row {
			e[i] = new(big.Float).SetPrec(320)
			// What is further below has no probability in float32.
			if d := float64(x) - float64(m); d > -300 {
				difference := new(big.Float).SetPrec(320).SetFloat64(float64(x))
				e[i] = bigExp(difference.Sub(difference, big.NewFloat(float64(m))))
			}
			sum.Add(sum, e[i])
		}
		for i := range row {
			want, _ := e[i].Quo(e[i], sum).Float64()
			if want < 0x1p-200 && got[i] < 0x1p-200 {
				continue
			}
			worst = max(worst, math.Abs(got[i]-want)/want)
		}
	}
	t.Logf("relative error of the reference: at most %.2g", worst)
	if !(worst < 1e-13) {
		t.Errorf("relative error of the reference is %g, want below 1e-13", worst)
	}
}

// accuracyFamilies are those whose results are numbers.
func accuracyFamilies() (numbers []family) {
	for _, family := range families {
		switch family.name {
		case "bits", "minus-inf", "plus-inf", "nan", "mask-inf", "mask-first":
		default:
			numbers = append(numbers, family)
		}
	}
	return append(numbers,
		family{"masked", func(r *rng, row []float32) { // at least one is not
			masked(negInf)(r, row)
			row[r.intn(len(row))] = r.normal().float()
		}},
		familyNamed("mask-first"))
}

// TestAccuracy is the promise of maxULP and meanULP. All kernels return the same
// bits: the one in use stands for all.
func TestAccuracy(t *testing.T) {
	lens := []int{2, 3, 5, 8, 10, 16, 33, 64, 100, 256, 1000, 1024, blockLen, blockLen + 1, 10_000, 1 << 16}
	if !reduced() {
		lens = append(lens, 1<<18, 1<<20)
	}
	if *exhaustive {
		lens = append(lens, 1<<24)
	}
	longest := lens[len(lens)-1]
	row, got, want := make([]float32, longest), make([]float32, longest), make([]float64, longest)
	for _, family := range accuracyFamilies() {
		t.Run(family.name, func(t *testing.T) {
			report, means := "", 0.0
			for _, n := range lens {
				row, got, want := row[:n], got[:n], want[:n]
				rows := min(max(1, 1<<15/n), 400)
				switch {
				case *exhaustive:
					rows = min(max(1, 1<<21/n), 2000)
				case reduced():
					rows = min(max(1, 1<<13/n), 100)
				}
				worst, total := 0.0, 0.0
				for seed := range rows {
					family.fillRow(row, uint64(100+seed))
					Softmax(got, row)
					exactSoftmax(want, row)
					sum := 0.0
					for i := range row {
						d := ulps(got[i], want[i])
						if !(d <= maxULP) {
							t.Fatalf("n=%d: logit %d, %v: got %v, want %v: off by %.3f ULP", n, i, row[i], got[i], want[i], d)
						}
						worst = max(worst, d)
						sum += d
					}
					total += sum / float64(n)
				}
				mean := total / float64(rows)
				means += mean
				report += fmt.Sprintf("\n%8d %8.3f %8.4f %8d", n, worst, mean, rows)
			}
			t.Logf("ULP\n       n      max     mean     rows%s", report)
			// A part of the error is common to a row, to all rows of equal logits even,
			// so that it takes many lengths to know the mean.
			if means /= float64(len(lens)); !(means < meanULP) {
				t.Errorf("mean over all lengths is %.4f ULP", means)
			}
		})
	}
}

// The logits are those of a classifier of handwritten digits, ten for each of
// 450 images, in float32. The probabilities are SciPy's softmax of them, in
// float32 too.
var (
	//go:embed testdata/digits_logits_f32.npy
	digitsLogits []byte
	//go:embed testdata/digits_softmax_of_f32.npy
	digitsSoftmax []byte
)

// readNPY returns the float32 elements of a version 1 .npy file.
func readNPY(t *testing.T, file []byte) []float32 {
	const magic = "\x93NUMPY\x01\x00"
	if string(file[:len(magic)]) != magic {
		t.Fatal("not a version 1 .npy file")
	}
	data := file[10+int(binary.LittleEndian.Uint16(file[8:])):]
	values := make([]float32, len(data)/4)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return values
}

// TestDigits compares real logits with SciPy's result, and with the exact one.
func TestDigits(t *testing.T) {
	const rows, cols = 450, 10
	logits, scipy := readNPY(t, digitsLogits), readNPY(t, digitsSoftmax)
	if len(logits) != rows*cols || len(scipy) != rows*cols {
		t.Fatalf("%d logits and %d probabilities, want %d", len(logits), len(scipy), rows*cols)
	}
	forEachKernel(t, func(t *testing.T, k kernel) {
		useKernel(t, k)
		got := make([]float32, rows*cols)
		SoftmaxRows(Matrix[float32]{got, rows, cols, cols}, Matrix[float32]{logits, rows, cols, cols})
		var fromSciPy, fromExact, ofSciPy float64
		exact := make([]float64, cols)
		for row := range rows {
			exactSoftmax(exact, logits[row*cols:][:cols])
			for i, want := range exact {
				i := row*cols + i
				fromSciPy = max(fromSciPy, ulps(got[i], float64(scipy[i])))
				fromExact = max(fromExact, ulps(got[i], want))
				ofSciPy = max(ofSciPy, ulps(scipy[i], want))
			}
		}
		t.Logf("at most %.2f ULP from SciPy's float32, %.2f from the exact result, which SciPy is %.2f from", fromSciPy, fromExact, ofSciPy)
		if !(fromSciPy <= maxULP) || !(fromExact <= maxULP) {
			t.Errorf("more than %d ULP", maxULP)
		}
	})
}
