package softmax

// This file checks the merge of attention outputs.

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/seed174f7dca/softmax/internal/corpus"
)

// weightedCase are the arguments of WeightedMerge, and the memory they are in.
type weightedCase[T native] struct {
	outputs    Matrix[T]
	logSumExps []T
	memory     *buffer[T]
}

// newWeightedCase makes outputs of one family and log-sum-exps of another. Between the rows
// there are fences.
func newWeightedCase[T native](outputs, logSumExps family[T], rows, cols, gap int, seed uint64) weightedCase[T] {
	stride := cols + gap
	length := max(0, (rows-1)*stride+cols)
	c := weightedCase[T]{memory: newBuffer[T](length), logSumExps: make([]T, rows)}
	c.outputs = Matrix[T]{c.memory.slice(length, int(seed)), rows, cols, stride}
	for row := range rows {
		if cols > 0 {
			outputs.FillRow(c.row(row), seed+uint64(row))
		}
	}
	if rows > 0 {
		logSumExps.FillRow(c.logSumExps, seed)
	}
	return c
}

func (c *weightedCase[T]) row(i int) []T { return c.outputs.Data[i*c.outputs.Stride:][:c.outputs.Cols] }

// check compares what kernels return, out of place and in place.
func (c *weightedCase[T]) check(t *testing.T, k kernel, format string, args ...any) {
	t.Helper()
	name := fmt.Sprintf(format, args...) + fmt.Sprintf(", %d parts of %d columns, stride %d", c.outputs.Rows, c.outputs.Cols, c.outputs.Stride)
	before, cols := slices.Clone(c.outputs.Data), c.outputs.Cols
	out := newBuffer[T](cols)
	want, got := make([]T, cols), out.slice(cols, c.outputs.Rows)
	wantSum := weightedMerge(kernelGeneric, want, &c.outputs, c.logSumExps)
	gotSum := weightedMerge(k, got, &c.outputs, c.logSumExps)
	checkBits(t, got, want, want, "%s", name)
	checkBits(t, []T{gotSum}, []T{wantSum}, []T{wantSum}, "%s: returned", name)
	out.check(t, "%s", name)
	checkBits(t, c.outputs.Data, before, before, "%s: wrote to outputs", name)
	if c.outputs.Rows > 0 {
		row := c.outputs.Rows / 2
		weightedMerge(k, c.row(row), &c.outputs, c.logSumExps)
		copy(before[row*c.outputs.Stride:], want)
		checkBits(t, c.outputs.Data, before, before, "%s: in place", name)
		c.memory.check(t, "%s: in place", name)
	}
}

// TestWeightedMerge compares kernels at every number of columns.
func TestWeightedMerge(t *testing.T) {
	forEachKernelAndType(t, testWeightedMerge[float32], testWeightedMerge[float64])
}

func testWeightedMerge[T native](t *testing.T, k kernel) {
	numbers, logs := familyNamed[T]("normal3"), familyNamed[T]("normal10")
	for cols := range 301 {
		for _, rows := range []int{1, 2, 3, cols % 7, 5 + cols%60, 60 + cols%9} {
			if !chosen(cols+rows, 7) {
				continue
			}
			c := newWeightedCase(numbers, logs, rows, cols, (cols*rows)%5, uint64(cols))
			c.check(t, k, "numbers")
		}
	}
	for _, rows := range []int{64, 65, 127, 128, 129, 1000, 4096, 4097, 5000} {
		for _, cols := range []int{1, 8, 37, 129} {
			if rows*cols < 100_000 || chosen(rows+cols, 4) {
				c := newWeightedCase(numbers, logs, rows, cols, rows%3, uint64(rows))
				c.check(t, k, "many parts")
			}
		}
	}
}

// TestWeightedMergeFamilies has every kind of number, infinities and NaN among them.
func TestWeightedMergeFamilies(t *testing.T) {
	forEachKernelAndType(t, testWeightedMergeFamilies[float32], testWeightedMergeFamilies[float64])
}

func testWeightedMergeFamilies[T native](t *testing.T, k kernel) {
	families := familiesOf[T]()
	for i, outputs := range families {
		for j, logSumExps := range families {
			if !chosen(i+j, 9) {
				continue
			}
			c := newWeightedCase(outputs, logSumExps, 1+(i*j)%70, 1+(7*i+3*j)%150, (i+j)%4, uint64(i+j))
			c.check(t, k, "outputs %s, log-sum-exps %s", outputs.Name, logSumExps.Name)
		}
	}
}

// TestAddWeighted compares the sums before they are rounded, where no bit is hidden.
func TestAddWeighted(t *testing.T) {
	forEachKernelAndType(t, testAddWeighted[float32], testAddWeighted[float64])
}

func testAddWeighted[T native](t *testing.T, k kernel) {
	r := rng(45)
	for cols := 1; cols <= columnsPerCall; cols++ {
		for _, family := range []string{"normal3", "magnitudes", "bits-finite", "bits"} {
			if !chosen(cols+len(family), 5) {
				continue
			}
			rows := 1 + r.Intn(20)
			c := newWeightedCase(familyNamed[T](family), familyNamed[T]("normal3"), rows, cols, r.Intn(4), uint64(cols))
			var parts []weightedPart
			for row := range rows {
				if row == 0 || r.Intn(3) > 0 {
					parts = append(parts, weightedPart{math.Ldexp(float64(r.Next()>>11), -53-r.Intn(100)), row * c.outputs.Stride})
				}
			}
			var got, want columnSums
			compare := func(got, want []float64, name string) {
				t.Helper()
				for j := range want {
					if math.Float64bits(got[j]) != math.Float64bits(want[j]) && (got[j] == got[j] || want[j] == want[j]) {
						t.Fatalf("%s, %d parts of %d columns, column %d: %s is %x, want %x", family, len(parts), cols, j, name, got[j], want[j])
					}
				}
			}
			from, wantFrom := &emptySums, &emptySums
			for range 3 {
				addWeightedGeneric(&want, wantFrom, parts, c.outputs.Data, cols)
				addWeighted(k, &got, from, parts, c.outputs.Data, cols)
				compare(got.hi[:cols], want.hi[:cols], "hi")
				if is64[T]() {
					compare(got.lo[:cols], want.lo[:cols], "lo")
				}
				from, wantFrom = &got, &want
			}
		}
	}
}

// TestRoundSums has sums of any bits.
func TestRoundSums(t *testing.T) {
	forEachKernelAndType(t, testRoundSums[float32], testRoundSums[float64])
}

func testRoundSums[T native](t *testing.T, k kernel) {
	zero := math.Copysign(0, -1)
	special := []float64{0, zero, math.Inf(1), math.Inf(-1), math.NaN(), -math.NaN(), math.MaxFloat64, -math.MaxFloat64,
		math.MaxFloat32, 0x1.fffffefffffffp127, 0x1.ffffffp127, 0x1p-149, 0x1p-150, 0x1.0000000000001p-150, 0x1p-1074, -0x1p-1074, 1, -1, 0x1p-54}
	r := rng(41)
	number := func() float64 {
		if r.Intn(2) == 0 {
			return special[r.Intn(len(special))]
		}
		return math.Float64frombits(r.Next())
	}
	for n := 1; n <= columnsPerCall; n++ {
		for range 4 {
			var sums columnSums
			for j := range sums.hi {
				sums.hi[j], sums.lo[j] = number(), number()
			}
			out := newBuffer[T](n)
			want, got := make([]T, n), out.slice(n, n)
			roundSumsGeneric(want, &sums)
			roundSums(k, got, &sums)
			checkBits(t, got, want, want, "%d columns", n)
			out.check(t, "%d columns", n)
		}
	}
}

// TestMultiplyAdd compares the emulated operation with the instruction, or with what the
// standard library makes of it: also for numbers that emulatedFMA is not for.
func TestMultiplyAdd(t *testing.T) {
	r, count := rng(42), 300_000
	if reduced() {
		count = 20_000
	}
	special := []float64{0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), math.NaN(), math.MaxFloat64, -math.MaxFloat64,
		0x1p-1074, -0x1p-1074, 0x1p-1022, 0x1.fffffffffffffp-1023, 1, -1}
	number := func(exponent int) float64 {
		if r.Intn(50) == 0 {
			return special[r.Intn(len(special))]
		}
		return math.Ldexp(math.Float64frombits(r.Next()&(1<<63|1<<52-1)|1023<<52), exponent)
	}
	outside := 0
	for range count {
		a := math.Abs(number(-1 - r.Intn(1<<(1+r.Intn(10)))))
		if !(a <= 1) {
			a = 1
		}
		b := number(r.Intn(2098) - 1074)
		product := float64(a * b)
		c := number(r.Intn(2098) - 1074)
		switch r.Intn(3) {
		case 0:
			c = -product // what is left is what product lost
		case 1:
			c = -product * (1 + float64(r.Intn(9)-4)*0x1p-52)
		}
		if p := math.Abs(product); p < 0x1p-968 || p > 0x1p996 {
			outside++
		}
		want, got := math.FMA(a, b, c), emulatedMultiplyAdd(a, b, c)
		if math.Float64bits(got) != math.Float64bits(want) && (got == got || want == want) {
			t.Fatalf("%x * %x + %x = %x, want %x", a, b, c, got, want)
		}
	}
	t.Logf("%d of %d products were outside the range of emulatedFMA", outside, count)
	if outside < count/20 || outside > count/2 {
		t.Error("those are too few, or too many")
	}
}

// TestWeightedMergeWithoutFMA has the kernel in Go do without the instruction.
func TestWeightedMergeWithoutFMA(t *testing.T) {
	forEachType(t, testWeightedMergeWithoutFMA[float32], testWeightedMergeWithoutFMA[float64])
}

func testWeightedMergeWithoutFMA[T native](t *testing.T) {
	previous := fastFMA
	t.Cleanup(func() { fastFMA = previous })
	const rows, cols = 9, 20
	logFamilies := []family[T]{familyNamed[T]("normal3"), familyNamed[T]("subnormal-results"), familyNamed[T]("mask-inf")}
	for i, outputs := range familiesOf[T]() {
		for j, logs := range logFamilies {
			c := newWeightedCase(outputs, logs, rows, cols, 0, uint64(i+j))
			want, got := make([]T, cols), make([]T, cols)
			fastFMA = true
			wantSum := weightedMerge(kernelGeneric, want, &c.outputs, c.logSumExps)
			fastFMA = false
			gotSum := weightedMerge(kernelGeneric, got, &c.outputs, c.logSumExps)
			checkBits(t, got, want, want, "%s, %s", outputs.Name, logs.Name)
			checkBits(t, []T{gotSum}, []T{wantSum}, []T{wantSum}, "%s, %s: returned", outputs.Name, logs.Name)
		}
	}
}

// exactMerge returns the exact results of columns, and the sums of the magnitudes that
// were added, in exact arithmetic.
func exactMerge[T native](outputs *Matrix[T], logSumExps []T) (sums, magnitudes []*big.Float, logSum exactValue) {
	logs := make([]float64, len(logSumExps))
	for i, x := range logSumExps {
		logs[i] = float64(x)
	}
	exact := exactRowOf(logs)
	for range outputs.Cols {
		sums, magnitudes = append(sums, bigFloat(0)), append(magnitudes, bigFloat(0))
	}
	for i, x := range logs {
		weight := exact.softmax(x).big()
		for j, y := range outputs.Data[i*outputs.Stride:][:outputs.Cols] {
			product := bigFloat(float64(y))
			product.Mul(product, weight)
			sums[j].Add(sums[j], product)
			magnitudes[j].Add(magnitudes[j], product.Abs(product))
		}
	}
	return sums, magnitudes, exact.logSumExp()
}

// positive makes the numbers of a family so.
func positive[T native](f family[T]) family[T] {
	return family[T]{Name: "positive " + f.Name, Fill: func(r *rng, row []T) {
		f.Fill(r, row)
		for i, x := range row {
			row[i] = max(x, -x)
		}
	}}
}

// TestWeightedMergeAccuracy is the promise of the documentation.
func TestWeightedMergeAccuracy(t *testing.T) {
	forEachType(t, testWeightedMergeAccuracy[float32], testWeightedMergeAccuracy[float64])
}

func testWeightedMergeAccuracy[T native](t *testing.T) {
	bound, relative := 0.51, 0x1p-30
	if is64[T]() {
		bound, relative = maxULP, 0x1p-50
	}
	fractionBits := formatOf[T]().FractionBits
	var worst, worstSum, worstSigned errorStats
	outputs := []family[T]{familyNamed[T]("normal3"), familyNamed[T]("magnitudes"), familyNamed[T]("offset1000")}
	if is32[T]() { // products of subnormal float64 are not exact
		outputs = append(outputs, familyNamed[T]("subnormal-logits"))
	}
	logs := []family[T]{familyNamed[T]("normal1"), familyNamed[T]("normal10"), familyNamed[T]("offset1000"), familyNamed[T]("equal"),
		familyNamed[T]("ramp-up"), familyNamed[T]("uniform50")}
	for i, shape := range []struct{ rows, cols int }{{2, 300}, {3, 200}, {16, 64}, {64, 16}, {65, 16}, {300, 10}, {5000, 2}, {70_000, 1}} {
		for j, family := range outputs {
			for l, logs := range logs {
				if shape.rows > 1000 && (i+j+l)%8 > 0 || !chosen(i+j+l, 8) {
					continue
				}
				for _, signed := range []bool{true, false} {
					family := family
					if !signed {
						family = positive(family)
					}
					c := newWeightedCase(family, logs, shape.rows, shape.cols, 0, uint64(l))
					dst := make([]T, shape.cols)
					sum := WeightedMerge(dst, c.outputs, c.logSumExps)
					exact, magnitudes, exactSum := exactMerge(&c.outputs, c.logSumExps)
					for column, got := range dst {
						if exact[column].Sign() == 0 {
							continue
						}
						want := exactValue{fromBig(exact[column]), 0}
						ulp := ulps(got, want)
						if !signed {
							worst.add(ulp)
							if !(ulp <= bound) {
								t.Fatalf("%s, %s, %d parts, column %d: got %v, want %v: off by %.3f ULP",
									family.Name, logs.Name, shape.rows, column, got, want.hi, ulp)
							}
							continue
						}
						// What half an ULP does not explain, in relation to what was added.
						place := max(want.log2(), formatOf[T]().MinExponent) - fractionBits
						size, _ := magnitudes[column].Float64()
						rest := math.Ldexp(ulp-0.5, place) / size
						worstSigned.add(max(rest, 0))
						if !(rest <= relative) {
							t.Fatalf("%s, %s, %d parts, column %d: got %v, want %v of magnitude %v: off by %.3f ULP",
								family.Name, logs.Name, shape.rows, column, got, want.hi, size, ulp)
						}
					}
					ulp := logULPs(sum, exactSum)
					worstSum.add(ulp)
					if !(ulp <= maxULP) {
						t.Fatalf("%s, %d parts: returned %v, want %v: off by %.3f ULP", logs.Name, shape.rows, sum, exactSum.hi, ulp)
					}
				}
			}
		}
	}
	t.Logf("columns of one sign: at most %.4f ULP, mean %.4f, of %d", worst.worst, worst.mean(), worst.count)
	t.Logf("others: half an ULP and at most %.2g of the magnitude; log-sum-exp: at most %.4f ULP", worstSigned.worst, worstSum.worst)
}

// TestWeightedMergeNested merges merges: each rounds once more.
func TestWeightedMergeNested(t *testing.T) {
	forEachType(t, testWeightedMergeNested[float32], testWeightedMergeNested[float64])
}

func testWeightedMergeNested[T native](t *testing.T) {
	const rows, cols, groups = 24, 50, 4
	for seed := range uint64(20) {
		// Log-sum-exps below 4, which rounding moves by at most an ULP of a weight.
		c := newWeightedCase(positive(familyNamed[T]("normal3")), uniformLogs[T](), rows, cols, 2, seed)
		parts := Matrix[T]{make([]T, groups*cols), groups, cols, cols}
		logSumExps := make([]T, groups)
		const size = rows / groups
		for g := range groups {
			group := Matrix[T]{c.outputs.Data[g*size*c.outputs.Stride:], size, cols, c.outputs.Stride}
			logSumExps[g] = WeightedMerge(parts.Data[g*cols:][:cols], group, c.logSumExps[g*size:][:size])
		}
		dst := make([]T, cols)
		sum := WeightedMerge(dst, parts, logSumExps)
		exact, _, exactSum := exactMerge(&c.outputs, c.logSumExps)
		for column, got := range dst {
			if ulp := ulps(got, exactValue{fromBig(exact[column]), 0}); !(ulp <= maxULP) {
				t.Fatalf("seed %d, column %d: %v is off by %.3f ULP", seed, column, got, ulp)
			}
		}
		if ulp := logULPs(sum, exactSum); !(ulp <= maxULP) {
			t.Fatalf("seed %d: returned %v, which is off by %.3f ULP", seed, sum, ulp)
		}
	}
}

func uniformLogs[T native]() family[T] {
	return family[T]{Name: "uniform1", Fill: corpus.UniformAround[T](0, 1)}
}

// TestWeightedMergeOrder permutes parts: results stay as accurate.
func TestWeightedMergeOrder(t *testing.T) {
	forEachType(t, testWeightedMergeOrder[float32], testWeightedMergeOrder[float64])
}

func testWeightedMergeOrder[T native](t *testing.T) {
	const rows, cols = 100, 10
	r := rng(43)
	c := newWeightedCase(positive(familyNamed[T]("normal3")), familyNamed[T]("normal3"), rows, cols, 0, 1)
	exact, _, exactSum := exactMerge(&c.outputs, c.logSumExps)
	dst := make([]T, cols)
	for range 50 {
		for i := range rows {
			j := r.Intn(i + 1)
			c.logSumExps[i], c.logSumExps[j] = c.logSumExps[j], c.logSumExps[i]
			for column := range cols {
				a, b := &c.row(i)[column], &c.row(j)[column]
				*a, *b = *b, *a
			}
		}
		sum := WeightedMerge(dst, c.outputs, c.logSumExps)
		for column, got := range dst {
			if ulp := ulps(got, exactValue{fromBig(exact[column]), 0}); !(ulp <= maxULP) {
				t.Fatalf("column %d: %v is off by %.3f ULP", column, got, ulp)
			}
		}
		if ulp := logULPs(sum, exactSum); !(ulp <= maxULP) {
			t.Fatalf("returned %v, which is off by %.3f ULP", sum, ulp)
		}
	}
}

// TestWeightedMergeSingle has one part with a weight: the result is its output.
func TestWeightedMergeSingle(t *testing.T) {
	forEachKernelAndType(t, testWeightedMergeSingle[float32], testWeightedMergeSingle[float64])
}

func testWeightedMergeSingle[T native](t *testing.T, k kernel) {
	useKernel(t, k)
	r := rng(44)
	for i, family := range familiesOf[T]() {
		for _, rows := range []int{1, 5, 64, 65, 300} {
			for _, below := range []T{infinity[T](1), 624} {
				cols := 1 + r.Intn(200)
				c := newWeightedCase(familyNamed[T]("nan"), familyNamed[T]("normal3"), rows, cols, 1, uint64(i))
				top := corpus.Number[T](&r, r.Uniform(100*corpus.One))
				fill(c.logSumExps, top-below)
				row := r.Intn(rows)
				c.logSumExps[row] = top
				family.FillRow(c.row(row), uint64(i))
				want, got := slices.Clone(c.row(row)), make([]T, cols)
				for j, x := range want {
					if x != x {
						want[j] = nan[T]()
					}
				}
				sum := WeightedMerge(got, c.outputs, c.logSumExps)
				checkBits(t, got, want, want, "%s, part %d of %d", family.Name, row, rows)
				checkBits(t, []T{sum}, []T{top}, []T{top}, "%s, part %d of %d: returned", family.Name, row, rows)
			}
		}
	}
}

func TestWeightedMergeSpecialValues(t *testing.T) {
	forEachKernelAndType(t, testWeightedMergeSpecialValues[float32], testWeightedMergeSpecialValues[float64])
}

func testWeightedMergeSpecialValues[T native](t *testing.T, k kernel) {
	useKernel(t, k)
	negInf, posInf, undefined, negZero := infinity[T](-1), infinity[T](1), nan[T](), fromBits[T](formatOf[T]().Sign)
	negNaN, least, most := fromBits[T](bitsOf(nan[T]())|formatOf[T]().Sign|5), smallest[T](), largest[T]()
	two := LogSumExp([]T{1, 1}) // of parts with equal weights
	ofHalves, ofThreeHalves := least, 2*least
	if is64[T]() { // each product is rounded
		ofHalves, ofThreeHalves = 0, least
	}
	for _, test := range []struct {
		name       string
		logSumExps []T
		column     []T // an output of each part
		want, sum  T
	}{
		{"no parts", nil, nil, 0, negInf},
		{"-Inf", []T{negInf}, []T{5}, 0, negInf},
		{"all -Inf, NaN outputs", []T{negInf, negInf, negInf}, []T{undefined, posInf, 1}, 0, negInf},
		{"NaN", []T{1, undefined}, []T{1, 2}, undefined, undefined},
		{"a negative NaN", []T{1, negNaN}, []T{1, 2}, undefined, undefined},
		{"NaN and +Inf", []T{posInf, negNaN}, []T{1, 2}, undefined, undefined},
		{"NaN and -Inf", []T{negInf, negNaN}, []T{1, 2}, undefined, undefined},
		{"+Inf", []T{1, posInf}, []T{1, 2}, undefined, posInf},
		{"+Inf twice", []T{posInf, posInf}, []T{1, 1}, undefined, posInf},
		{"-Inf with NaN", []T{1, negInf}, []T{7, negNaN}, 7, 1},
		{"no weight with NaN", []T{1, -624}, []T{7, negNaN}, 7, 1},
		{"a weight with NaN", []T{1, -622}, []T{7, negNaN}, undefined, 1},
		{"an infinity", []T{1, 1}, []T{posInf, -3}, posInf, two},
		{"equal infinities", []T{1, 1}, []T{negInf, negInf}, negInf, two},
		{"infinities", []T{1, 1}, []T{posInf, negInf}, undefined, two},
		{"an infinity without weight", []T{1, -624}, []T{7, negInf}, 7, 1},
		{"zeros", []T{1, 1}, []T{negZero, negZero}, negZero, two},
		{"zeros of both signs", []T{1, 1}, []T{negZero, 0}, 0, two},
		{"nothing left", []T{1, 1}, []T{3, -3}, 0, two},
		{"half of the smallest", []T{1, 1}, []T{least, 0}, 0, two},
		{"the smallest", []T{1, 1}, []T{least, least}, ofHalves, two},
		{"1.5 times the smallest", []T{1, 1}, []T{2 * least, least}, ofThreeHalves, two},
		{"the largest", []T{1, 1}, []T{most, most}, most, two},
		{"the largest of both signs", []T{1, 1}, []T{most, -most}, 0, two},
		{"huge log-sum-exps", []T{most, most}, []T{3, 5}, 4, most},
	} {
		for _, more := range []int{0, 70} { // parts without keys
			logSumExps := slices.Clone(test.logSumExps)
			outputs := Matrix[T]{slices.Clone(test.column), len(test.column) + more, 1, 1}
			for range more {
				logSumExps, outputs.Data = append(logSumExps, negInf), append(outputs.Data, undefined)
			}
			for _, cols := range []int{1, 6, 131} {
				wide := Matrix[T]{make([]T, outputs.Rows*cols), outputs.Rows, cols, cols}
				for i, x := range outputs.Data {
					fill(wide.Data[i*cols:][:cols], x)
				}
				got, want := make([]T, cols), make([]T, cols)
				fill(got, 9)
				fill(want, test.want)
				sum := WeightedMerge(got, wide, logSumExps)
				checkBits(t, got, want, want, "%s, %d columns", test.name, cols)
				checkBits(t, []T{sum}, []T{test.sum}, []T{test.sum}, "%s: returned", test.name)
			}
			if sum := WeightedMerge(nil, Matrix[T]{Rows: len(logSumExps)}, logSumExps); bitsOf(sum) != bitsOf(test.sum) {
				t.Errorf("%s, no columns: returned %v, want %v", test.name, sum, test.sum)
			}
		}
	}
}

// TestWeightedMergeSubnormal has small products, also below the normal numbers of float64.
func TestWeightedMergeSubnormal(t *testing.T) {
	forEachKernel(t, func(t *testing.T, k kernel) {
		useKernel(t, k)
		for _, test := range []struct{ distance, output float64 }{
			{600, 1}, {600, 0x1p-50}, {600, 0x1p-150}, {600, 0x1p-180}, {623, 0x1p-100}, {623, 0x1p1000},
			{100, 0x1p-900}, {100, 0x1p-1000}, {0.25, 0x1.23456789p-1030},
		} {
			logs := []float64{0, -test.distance}
			outputs := Matrix[float64]{[]float64{0, test.output}, 2, 1, 1}
			var dst [1]float64
			WeightedMerge(dst[:], outputs, logs)
			exact, _, _ := exactMerge(&outputs, logs)
			want, _ := exact[0].Float64()
			if d := math.Abs(dst[0] - want); !(d <= max(want*0x1p-50, 0x1p-1074)) {
				t.Errorf("e^-%v * %v: got %v, want %v", test.distance, test.output, dst[0], want)
			}
		}
	})
}

// TestWeightedMergeLargest has outputs for which sums may exceed the largest number on the
// way: only in float64 they become infinite, and only next to it.
func TestWeightedMergeLargest(t *testing.T) {
	forEachKernelAndType(t, testWeightedMergeLargest[float32], testWeightedMergeLargest[float64])
}

func testWeightedMergeLargest[T native](t *testing.T, k kernel) {
	useKernel(t, k)
	most := largest[T]()
	const cols = 9
	for rows := 1; rows < 200; rows++ {
		outputs := Matrix[T]{make([]T, rows*cols), rows, cols, cols}
		dst, logs := make([]T, cols), make([]T, rows)
		fill(outputs.Data, -most)
		WeightedMerge(dst, outputs, logs)
		for _, got := range dst {
			if is32[T]() && got != -most || is64[T]() && !(got <= -most*(1-0x1p-50)) {
				t.Fatalf("%d parts of %v: got %v", rows, -most, got)
			}
		}
		next := T(float64(most) * (1 - 0x1p-30)) // the largest again in float32
		fill(outputs.Data, next)
		WeightedMerge(dst, outputs, logs)
		for _, got := range dst {
			if !(math.Abs(float64(got-next)) <= float64(next)*0x1p-50) {
				t.Fatalf("%d parts of %v: got %v", rows, next, got)
			}
		}
	}
}

// TestWeightedMergeAliasing lets dst be each row of outputs.
func TestWeightedMergeAliasing(t *testing.T) {
	forEachKernelAndType(t, testWeightedMergeAliasing[float32], testWeightedMergeAliasing[float64])
}

func testWeightedMergeAliasing[T native](t *testing.T, k kernel) {
	useKernel(t, k)
	for _, cols := range []int{1, 2, 5, 31, 128, 129, 300} {
		for _, rows := range []int{1, 2, 5, 70} {
			for row := range rows {
				if !chosen(row, 9) {
					continue
				}
				c := newWeightedCase(familyNamed[T]("normal3"), familyNamed[T]("normal3"), rows, cols, cols%4, uint64(rows))
				want := slices.Clone(c.outputs.Data)
				WeightedMerge(want[row*c.outputs.Stride:][:cols], c.outputs, c.logSumExps)
				WeightedMerge(c.row(row), c.outputs, c.logSumExps)
				checkBits(t, c.outputs.Data, want, want, "%d parts of %d columns, into row %d", rows, cols, row)
			}
		}
	}
}

func TestWeightedMergePanics(t *testing.T) {
	forEachType(t, testWeightedMergePanics[float32], testWeightedMergePanics[float64])
}

func testWeightedMergePanics[T native](t *testing.T) {
	const (
		overlap = "dst overlaps outputs without being one of its rows"
		logs    = "dst and logSumExps overlap"
		start   = 100
	)
	memory := familyNamed[T]("normal3").MakeRow(300, 1)
	before := slices.Clone(memory)
	matrix := func(rows, cols, stride int) Matrix[T] { return Matrix[T]{memory[start:], rows, cols, stride} }
	three, four := []T{1, 2, 3}, make([]T, 4)
	for _, test := range []struct {
		dst        []T
		outputs    Matrix[T]
		logSumExps []T
		want       string
	}{
		{four, matrix(-1, 4, 4), nil, "outputs has Rows=-1, Cols=4, Stride=4"},
		{four, matrix(3, 4, 3), three, "outputs has Rows=3, Cols=4, Stride=3"},
		{four, matrix(3, 4, 150), three, "outputs has len(Data)=200, too short for Rows=3, Cols=4, Stride=150"},
		{four, matrix(3, 5, 5), three, "len(dst)=4, len(logSumExps)=3, outputs is 3 x 5"},
		{four, matrix(2, 4, 4), three, "len(dst)=4, len(logSumExps)=3, outputs is 2 x 4"},
		{nil, matrix(2, 4, 4), three[:2], "len(dst)=0, len(logSumExps)=2, outputs is 2 x 4"},
		{four, Matrix[T]{}, nil, "len(dst)=4, len(logSumExps)=0, outputs is 0 x 0"},
		{memory[:4], matrix(3, 4, 4), memory[3:6], logs},
		{memory[3:7], matrix(3, 4, 4), memory[1:4], logs},
		{memory[start-3:][:4], matrix(3, 4, 6), three, overlap},
		{memory[start-4:][:6], matrix(3, 6, 6), three, overlap},
		{memory[start+1:][:4], matrix(3, 4, 6), three, overlap},
		{memory[start+4:][:4], matrix(3, 4, 9), three, overlap},
		{memory[start+13:][:4], matrix(3, 4, 6), three, overlap},
		{memory[start+15:][:4], matrix(3, 4, 6), three, overlap},
		{memory[start+1:][:4], matrix(1, 4, 4), three[:1], overlap},
	} {
		want := "softmax: WeightedMerge: " + test.want
		if got := panicOf(func() { WeightedMerge(test.dst, test.outputs, test.logSumExps) }); got != want {
			t.Errorf("panic %q, want %q", got, want)
		}
		checkBits(t, memory, before, before, "written before the panic")
		checkBits(t, four, make([]T, 4), four, "written before the panic")
	}
	// Next to outputs is fine, and so are log-sum-exps among them.
	for _, at := range []int{start - 4, start + 2*6 + 4} {
		message := panicOf(func() { WeightedMerge(memory[at:][:4], matrix(3, 4, 6), memory[start+3:][:3]) })
		if message != "" {
			t.Errorf("dst at %d, outputs at %d: panic %q", at, start, message)
		}
	}
}

func TestWeightedMergeAllocations(t *testing.T) {
	forEachKernelAndType(t, testWeightedMergeAllocations[float32], testWeightedMergeAllocations[float64])
}

func testWeightedMergeAllocations[T native](t *testing.T, k kernel) {
	useKernel(t, k)
	if allocs := testing.AllocsPerRun(100, func() {
		var data [600]T
		var out [200]T
		var logs [3]T
		logs[1] = T(kept)
		data[3] = T(kept)
		kept = float64(WeightedMerge(out[:], Matrix[T]{data[:], 3, 200, 200}, logs[:]) + out[1])
	}); allocs != 0 {
		t.Errorf("few parts: %v allocations", allocs)
	}
	if allocs := testing.AllocsPerRun(10, func() {
		var data, logs [100]T
		var out [1]T
		logs[1], data[3] = T(kept), T(kept)
		kept = float64(WeightedMerge(out[:], Matrix[T]{data[:], 100, 1, 1}, logs[:]) + out[0])
	}); allocs != 0 {
		t.Errorf("many parts: %v allocations", allocs)
	}
}

// BenchmarkWeightedMerge merges heads of 64 and 128 columns. Times are per element of
// outputs. Compare with kernel=none, the loop of plainMerge.
func BenchmarkWeightedMerge(b *testing.B) {
	benchKernels(b, benchWeightedMerge(WeightedMerge[float32]), benchWeightedMerge(WeightedMerge[float64]))
	b.Run("kernel=none", func(b *testing.B) {
		b.Run("type=float32", benchWeightedMerge(plainMerge[float32]))
		b.Run("type=float64", benchWeightedMerge(plainMerge[float64]))
	})
}

func benchWeightedMerge[T native](merge func(dst []T, outputs Matrix[T], logSumExps []T) T) func(b *testing.B) {
	return func(b *testing.B) {
		for _, parts := range []int{4, 16, 64} {
			for _, cols := range []int{64, 128} {
				b.Run(fmt.Sprintf("parts=%d/cols=%d", parts, cols), func(b *testing.B) {
					c := newWeightedCase(familyNamed[T]("normal1"), familyNamed[T]("normal3"), parts, cols, 0, 0)
					dst := make([]T, cols)
					for b.Loop() {
						merge(dst, c.outputs, c.logSumExps)
					}
					report[T](b, parts*cols)
				})
			}
		}
	}
}

// plainMerge is the loop that Go programs have without this package.
func plainMerge[T native](dst []T, outputs Matrix[T], logSumExps []T) T {
	m := slices.Max(logSumExps)
	clear(dst)
	var sum T
	for i, x := range logSumExps {
		weight := T(math.Exp(float64(x - m)))
		sum += weight
		for j, y := range outputs.Data[i*outputs.Stride:][:outputs.Cols] {
			dst[j] += weight * y
		}
	}
	for j := range dst {
		dst[j] /= sum
	}
	return m + T(math.Log(float64(sum)))
}

// TestMergeOnRecord compares with hashes of results on record, as TestGolden
// does.
func TestMergeOnRecord(t *testing.T) {
	forEachKernel(t, func(t *testing.T, k kernel) {
		if got, want := hashMerges[float32](k), uint64(0x298916e2fd0b8164); got != want {
			t.Errorf("float32: %#x, on record is %#x", got, want)
		}
		if got, want := hashMerges[float64](k), uint64(0xfb0f61de1b22914f); got != want {
			t.Errorf("float64: %#x, on record is %#x", got, want)
		}
	})
}

// hashMerges merges 1 to 150 outputs of each family, weighted by another one.
func hashMerges[T native](k kernel) uint64 {
	var results []T
	families := familiesOf[T]()
	for i, f := range families {
		rows, cols := 1+5*i, 300-7*i
		outputs := Matrix[T]{f.MakeRow(rows*cols, 50), rows, cols, cols}
		for j := range 3 {
			dst := make([]T, cols)
			sum := weightedMerge(k, dst, &outputs, families[(i+7*j)%len(families)].MakeRow(rows, 51))
			results = append(append(results, dst...), sum)
		}
	}
	return hashBits(results)
}
