package softmax

// This file checks the accuracy against the reference in exact_test.go.

import (
	_ "embed"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/seed174f7dca/softmax/internal/corpus"
)

const (
	maxULP  = 4   // no result of a family's rows is further from the exact one
	meanULP = 0.5 // promise: on average probabilities are nearer
)

// ulps returns the distance of a probability from the exact one, in units of
// that one's last place. For subnormal results the unit is the smallest number.
func ulps[T native](got T, want exactValue) float64 {
	return distance(got, want, formatOf[T]().MinExponent)
}

// logULPs does so for a logarithm. Between -1 and 1 the unit is the last place of
// the number below 1: 2^-24, or 2^-53 for float64.
func logULPs[T native](got T, want exactValue) float64 {
	if rounded := T(want.hi); math.IsInf(float64(rounded), 0) && got == rounded {
		return 0
	}
	return distance(got, want, -1)
}

// distance returns how far got is from want, in units of the last place of want,
// or of 2^lowest if that is larger.
func distance[T native](got T, want exactValue, lowest int) float64 {
	place := max(want.log2(), lowest) - formatOf[T]().FractionBits
	scaled := math.Ldexp(float64(got), -want.exponent)
	return math.Ldexp(math.Abs((scaled-want.hi)-want.lo), want.exponent-place)
}

// accuracyFamilies are those whose results are numbers.
func accuracyFamilies[T native]() (numbers []family[T]) {
	for _, family := range familiesOf[T]() {
		switch family.Name {
		case "bits", "minus-inf", "plus-inf", "nan", "mask-inf", "mask-first":
		default:
			numbers = append(numbers, family)
		}
	}
	return append(numbers,
		family[T]{Name: "masked", Fill: func(r *rng, row []T) { // at least one is not
			corpus.Masked(infinity[T](-1))(r, row)
			row[r.Intn(len(row))] = corpus.Number[T](r, r.Normal())
		}},
		familyNamed[T]("mask-first"),
		family[T]{Name: "log-probabilities", Fill: func(r *rng, row []T) { // their log-sum-exp is almost 0
			corpus.UniformAround[T](0, 1)(r, row)
			LogSoftmax(row, row)
		}})
}

// errorStats are the errors of a function, in ULP.
type errorStats struct {
	worst, sum float64
	count      int
}

func (e *errorStats) add(ulps float64) {
	e.worst = max(e.worst, ulps)
	e.sum += ulps
	e.count++
}

func (e *errorStats) mean() float64 { return e.sum / float64(e.count) }

// accuracy is that of softmax, of log-softmax and of log-sum-exp.
type accuracy [3]errorStats

// measureRows computes rows of n elements. An error above maxULP is fatal.
func measureRows[T native](t *testing.T, f family[T], n, rows int) (a accuracy) {
	row, got := make([]T, n), make([]T, n)
	add := func(stats *errorStats, function string, i int, got T, want exactValue, ulps float64) {
		if stats.add(ulps); !(ulps <= maxULP) {
			t.Fatalf("%s, n=%d: logit %d, %v: got %v, want %v * 2^%d: off by %.3f ULP", function, n, i, row[i], got, want.hi, want.exponent, ulps)
		}
	}
	for seed := range rows {
		f.FillRow(row, uint64(100+seed))
		exact := exactRowOf(row)
		Softmax(got, row)
		for i, x := range row {
			want := exact.softmax(x)
			add(&a[0], "Softmax", i, got[i], want, ulps(got[i], want))
		}
		LogSoftmax(got, row)
		for i, x := range row {
			want := exact.logSoftmax(x)
			add(&a[1], "LogSoftmax", i, got[i], want, logULPs(got[i], want))
		}
		sum, want := LogSumExp(row), exact.logSumExp()
		add(&a[2], "LogSumExp", 0, sum, want, logULPs(sum, want))
	}
	return a
}

// TestAccuracy is the promise of maxULP and meanULP. All kernels return the same
// bits: the one in use stands for all.
func TestAccuracy(t *testing.T) { forEachType(t, testAccuracy[float32], testAccuracy[float64]) }

func testAccuracy[T native](t *testing.T) {
	lens := []int{2, 3, 5, 8, 10, 16, 33, 64, 100, 256, 1000, 1024, blockLen[T](), blockLen[T]() + 1, 10_000, 1 << 16}
	if !reduced() {
		lens = append(lens, 1<<18, 1<<20)
	}
	if *exhaustive {
		lens = append(lens, 1<<24)
	}
	var all sync.Mutex
	var worst accuracy
	t.Run("family", func(t *testing.T) {
		for i, family := range accuracyFamilies[T]() {
			t.Run(family.Name, func(t *testing.T) {
				t.Parallel()
				report, means, count := "", 0.0, 0.0
				for j, n := range lens {
					// Each of the longest has a part of the families.
					if n > 1<<16 && (i+j)%3 > 0 && !*exhaustive {
						continue
					}
					rows := min(max(1, 1<<15/n), 400)
					switch {
					case *exhaustive:
						rows = min(max(1, 1<<21/n), 2000)
					case reduced():
						rows = min(max(1, 1<<13/n), 100)
					}
					a := measureRows(t, family, n, rows)
					means += a[0].mean()
					count++
					report += fmt.Sprintf("\n%8d %8d", n, rows)
					all.Lock()
					for i, stats := range a {
						report += fmt.Sprintf(" %8.3f %8.4f", stats.worst, stats.mean())
						worst[i].worst = max(worst[i].worst, stats.worst)
					}
					all.Unlock()
				}
				t.Logf("ULP              softmax            log-softmax       log-sum-exp\n       n     rows      max     mean      max     mean      max     mean%s", report)
				// A part of the error is common to a row, to all rows of equal logits even,
				// so that it takes many lengths to know the mean.
				if means /= count; !(means < meanULP) {
					t.Errorf("mean of the probabilities over all lengths is %.4f ULP", means)
				}
			})
		}
	})
	t.Logf("at most %.3f ULP for softmax, %.3f for log-softmax, %.3f for log-sum-exp",
		worst[0].worst, worst[1].worst, worst[2].worst)
}

// TestAccuracyLimit has rows in which all errors add up: docs/algorithm.md says how
// they were found, and proves that no row is worse than 4.5 ULP.
func TestAccuracyLimit(t *testing.T) {
	const limit = 4.5
	makeRow := func(groups int, v, w, x float32) (row []float32) {
		for range groups {
			row = append(append(row, slices.Repeat([]float32{v}, 16)...), slices.Repeat([]float32{w}, 16)...)
		}
		return append(row, x)
	}
	row := makeRow(65, -0x1.7901aep-1, -0x1.169cep+4, -0x1.a658f8p+3)
	got := make([]float32, len(row))
	Softmax(got, row)
	last, exact := len(row)-1, exactRowOf(row)
	if off := ulps(got[last], exact.softmax(row[last])); !(maxULP < off && off <= limit) {
		t.Errorf("Softmax of the row made for it is off by %.3f ULP, want 4 to %v", off, limit)
	}
	row = makeRow(20, -0x1.9205aep+2, -0x1.6f563ep+4, -0x1.91039p+2)
	exact = exactRowOf(row)
	if off := logULPs(LogSumExp(row), exact.logSumExp()); !(maxULP < off && off <= limit) {
		t.Errorf("LogSumExp of the row made for it is off by %.3f * 2^-24, want 4 to %v", off, limit)
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
func TestDigits(t *testing.T) { forEachKernelAndType(t, testDigits[float32], testDigits[float64]) }

func testDigits[T native](t *testing.T, k kernel) {
	const rows, cols = 450, 10
	narrow, scipy := readNPY(t, digitsLogits), readNPY(t, digitsSoftmax)
	if len(narrow) != rows*cols || len(scipy) != rows*cols {
		t.Fatalf("%d logits and %d probabilities, want %d", len(narrow), len(scipy), rows*cols)
	}
	useKernel(t, k)
	logits, got := make([]T, rows*cols), make([]T, rows*cols)
	for i, x := range narrow {
		logits[i] = T(x)
	}
	SoftmaxRows(Matrix[T]{got, rows, cols, cols}, Matrix[T]{logits, rows, cols, cols})
	var fromSciPy, fromExact, ofSciPy float64
	for row := range rows {
		exact := exactRowOf(logits[row*cols:][:cols])
		for i := row * cols; i < (row+1)*cols; i++ {
			want := exact.softmax(logits[i])
			fromSciPy = max(fromSciPy, ulps(float32(got[i]), exactValue{accurate{float64(scipy[i]), 0}, 0}))
			fromExact = max(fromExact, ulps(got[i], want))
			ofSciPy = max(ofSciPy, ulps(scipy[i], want))
		}
	}
	t.Logf("at most %.2f ULP from the exact result; in float32 %.2f ULP from SciPy's, which is %.2f from the exact one", fromExact, fromSciPy, ofSciPy)
	if !(fromSciPy <= maxULP) || !(fromExact <= maxULP) {
		t.Errorf("more than %d ULP", maxULP)
	}
}
