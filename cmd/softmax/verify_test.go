package main

import (
	"encoding/json"
	"io"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/seed174f7dca/softmax"
)

// workerThat starts a worker inside this process that changes its answers.
func workerThat(t *testing.T, name string, change func(task, *result)) *kernel {
	taskReader, tasks := io.Pipe()
	answers, answerWriter := io.Pipe()
	done := make(chan error, 1)
	go func() {
		in, out := json.NewDecoder(taskReader), json.NewEncoder(answerWriter)
		for {
			var t task
			if err := in.Decode(&t); err != nil {
				answerWriter.CloseWithError(err)
				done <- err
				return
			}
			r, err := t.run()
			if err != nil {
				answerWriter.CloseWithError(err)
				done <- err
				return
			}
			if change != nil {
				change(t, &r)
			}
			if err := out.Encode(r); err != nil {
				done <- err
				return
			}
		}
	}()
	k := newKernel(name, tasks, answers, func() error { return <-done })
	t.Cleanup(func() { stopKernels([]*kernel{k}) })
	return k
}

// flip returns a change of the answer to one check: a bit of one result differs.
func flip(wrong check, function string, at int) func(task, *result) {
	return func(t task, r *result) {
		asked := *t.Check
		asked.Bits = false
		if asked != wrong {
			return
		}
		outputs, err := asked.outputs()
		if err != nil {
			panic(err)
		}
		i := slices.IndexFunc(outputs, func(o output) bool { return o.Function == function })
		outputs[i].Bits[at*outputs[i].Size] ^= 1
		r.Hash = hashOutputs(outputs)
		if t.Check.Bits {
			r.Outputs = outputs
		}
	}
}

// TestVerifyPart compares a part of the checks of rows and of axes with its hash on record.
func TestVerifyPart(t *testing.T) {
	const step = 59 // which comes upon every length and every axis
	kernels, _ := startAll(t)
	for i, hash := range []string{
		"466646f4fbe25b87bd9aea159161cfa6a852e544cbda03eda89aafcc136164b0",
		"5fd3ca103a15f91c9238455cba082ec1bb34bb820cb6465788b11529a962c059",
	} {
		all := verifyParts(true)[i]
		some := verifyPart{name: all.name, hash: hash}
		for j := 0; j < len(all.checks); j += step {
			some.checks = append(some.checks, all.checks[j])
		}
		if _, err := some.verify(kernels, &progress{}); err != nil {
			t.Error(err)
		}
	}
}

// hashOf returns the hash that verify prints if all is well.
func hashOf(parts []verifyPart) string {
	var hashes []string
	for _, part := range parts {
		hashes = append(hashes, part.hash)
	}
	return hashOfHashes(hashes)
}

// TestReadmeHash checks that the README has the hash that verify prints.
func TestReadmeHash(t *testing.T) {
	readme := readContent(t, "README.md")
	if want := hashOf(verifyParts(false)); !strings.Contains(string(readme), want) {
		t.Errorf("README lacks the hash %s", want)
	}
}

func TestVerify(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long with -short: TestVerifyPart has a part of it")
	}
	report := runOK(t, "verify", "-quick")
	for _, want := range []string{"as on every computer with --quick,\n" + hashOf(verifyParts(true)),
		"rows: 5084 checks, the same bits", "axes: 1240 checks", "parallel: 4 checks", softmax.Kernel(), "mask-first"} {
		if !strings.Contains(report, want) {
			t.Errorf("report lacks %q:\n%s", want, report)
		}
	}
}

// TestVerifyFindsOneBit checks that one wrong bit of one result is found and named.
func TestVerifyFindsOneBit(t *testing.T) {
	checks := []check{{Dtype: "float64", Family: "normal3", Length: 5}, {Dtype: "float32", Family: "levels", Length: 33},
		{Dtype: "bfloat16", Family: "limits", Length: 1000}, {Dtype: "float32", First: 0x3f800000},
		{Dtype: "float16", Family: "nan", Shape: [3]int{2, 4, 3}, Axis: 1}, {Dtype: "float64", Family: "equal", Rows: 9, Length: 4}}
	for _, test := range []struct {
		wrong    check
		function string
		index    int
		want     string
	}{
		{checks[0], "LogSoftmax", 4, "the first: float64, family normal3, length 5, LogSoftmax, index 4: 0x"},
		{checks[0], "Accumulator.AppendBinary", 0, "float64, family normal3, length 5, Accumulator.AppendBinary, index 0: 0x"},
		{checks[1], "Scores(softcap).Softmax", 32, "float32, family levels, length 33, Scores(softcap).Softmax, index 32: 0x"},
		{checks[2], "SoftmaxToFloat32", 999, "bfloat16, family limits, length 1000, SoftmaxToFloat32, index 999: 0x"},
		{checks[3], "SoftmaxRows", everyLen - 1, "float32 from bits 0x3f800000 on, SoftmaxRows, index 4194303: 0x"},
		{checks[4], "LogSumExpAxis", 5, "float16, family nan, shape [2 4 3], axis 1, LogSumExpAxis, index 5: 0x"},
		{checks[5], "ParallelLogSoftmaxRows(workers=3)", 35, "float64, family equal, 9 rows of length 4, ParallelLogSoftmaxRows(workers=3), index 35: 0x"},
	} {
		good, bad := workerThat(t, "generic", nil), workerThat(t, "bad", flip(test.wrong, test.function, test.index))
		_, err := verifyPart{name: "part", checks: checks}.verify([]*kernel{bad, good}, &progress{})
		checkError(t, err, "kernel bad: bits differ from those of kernel generic in 1 of 6 checks, expected the same")
		checkError(t, err, test.want)
	}
}

// TestVerifyFindsHash checks that results that are wrong on all kernels are found.
func TestVerifyFindsHash(t *testing.T) {
	c := check{Dtype: "float32", Family: "normal3", Length: 7}
	part := verifyPart{name: "part", hash: "1234", checks: []check{c}}
	_, err := part.verify([]*kernel{workerThat(t, "only", nil)}, &progress{})
	checkError(t, err, "part: kernels only: the hash of all results is ")
	checkError(t, err, ", expected 1234, as on every other computer")
	text := err.Error()
	part.hash = strings.TrimPrefix(text[:strings.Index(text, ", expected")], "part: kernels only: the hash of all results is ")
	if hash, err := part.verify([]*kernel{workerThat(t, "only", nil)}, &progress{}); err != nil || hash != part.hash {
		t.Errorf("hash is %q, error %v, want %q", hash, err, part.hash)
	}
	_, err = part.verify([]*kernel{workerThat(t, "bad", flip(c, "Softmax", 6))}, &progress{})
	checkError(t, err, "part: kernels bad: the hash of all results is ")
}

func TestVerifyUnsteady(t *testing.T) {
	c := check{Dtype: "float32", Family: "normal3", Length: 7}
	bad := workerThat(t, "bad", func(t task, r *result) { r.Hash = strings.Repeat("0", 64) })
	_, err := verifyPart{name: "part", checks: []check{c}}.verify([]*kernel{bad, workerThat(t, "generic", nil)}, &progress{})
	checkError(t, err, "length 7, but not when it is done again")
}

func TestVerifyBrokenWorker(t *testing.T) {
	part := verifyPart{name: "part", checks: []check{{Dtype: "int8", Family: "normal3", Length: 7}}}
	_, err := part.verify([]*kernel{workerThat(t, "broken", nil), workerThat(t, "generic", nil)}, &progress{})
	checkError(t, err, "worker for kernel broken: ")
	checkError(t, err, `dtype "int8", expected float32, float64, float16 or bfloat16`)
}

// TestVerifyParts checks that the parts cover what they say.
func TestVerifyParts(t *testing.T) {
	parts := verifyParts(false)
	lines := len(rowTypes) * len(familyNames())
	for i, want := range []int{lines * len(verifyLengths), lines * len(verifyAxes), 4, 48, 8} {
		if n := len(parts[i].checks); n != want {
			t.Errorf("%s: %d checks, want %d", parts[i].name, n, want)
		}
	}
	for _, c := range slices.Concat(parts[2].checks, parts[3].checks) {
		if n := c.Rows * c.Length; n < sharedLen {
			t.Errorf("%s: %d elements, want %d or more", c, n, sharedLen)
		}
	}
	every := parts[5].checks
	for i, c := range every {
		if want := uint32(i) * everyLen; c.First != want {
			t.Fatalf("check %d begins at %d, want %d", i, c.First, want)
		}
	}
	if n := int64(len(every)) * everyLen; n != 1<<32 {
		t.Errorf("%d float32, want 2^32", n)
	}
	got := everyOutputs(0x40000000)[0].Bits[5*everyRow*4:][:everyRow*4]
	row := make([]float32, everyRow)
	for i := range row {
		row[i] = math.Float32frombits(0x40000000 + uint32(5*everyRow+i))
	}
	softmax.Softmax(row, row)
	if !slices.Equal(got, encodeElements(row, littleEndian)) {
		t.Error("every float32: a row differs from Softmax")
	}
}

// TestLongOutputs compares what is checked of a long row with what the functions return.
func TestLongOutputs(t *testing.T) {
	src := normalValues[float64](5000)
	outputs := longOutputs(softmax.Matrix[float64]{Data: slices.Clone(src), Rows: 1, Cols: len(src), Stride: len(src)})
	p, y := make([]float64, len(src)), make([]float64, len(src))
	softmax.Softmax(p, src)
	softmax.LogSoftmax(y, src)
	want := [][]byte{encodeElements(p, littleEndian), encodeElements(y, littleEndian), encodeElements([]float64{softmax.LogSumExp(src)}, littleEndian)}
	for i, o := range outputs {
		if o.Size != 8 || !slices.Equal(o.Bits, want[i]) {
			t.Errorf("%s: %d bytes in elements of %d, want %d that are what the function returns", o.Function, len(o.Bits), o.Size, len(want[i]))
		}
	}
	if testing.Short() {
		t.Log("left out with -short: a whole check of a long row")
		return
	}
	all, err := verifyParts(false)[4].checks[7].outputs()
	if err != nil || len(all) != len(want) || len(all[0].Bits) != 8*(longLen+5) {
		t.Errorf("%d outputs, error %v: want %d of %d elements", len(all), err, len(want), longLen+5)
	}
}

// TestAxisOutputs compares what is checked of arrays with the functions for rows.
func TestAxisOutputs(t *testing.T) {
	for _, a := range verifyAxes[:6] {
		c := check{Dtype: "float32", Family: "normal3", Shape: a.shape, Axis: a.axis}
		outputs, err := c.outputs()
		if err != nil {
			t.Fatal(err)
		}
		logits, err := checkArray[float32](c)
		if err != nil {
			t.Fatal(err)
		}
		for i, op := range operations {
			want := array[float32]{c.Shape[:], logits}.apply(op, c.Axis)
			if !slices.Equal(outputs[i].Bits, encodeElements(want.data, littleEndian)) {
				t.Errorf("%s: %s differs from that of each lane", c, outputs[i].Function)
			}
		}
		n := c.Shape[c.Axis]
		lanes, err := familyRows[float32]("normal3", len(logits)/n, n)
		if err != nil {
			t.Fatal(err)
		}
		sums := make([]float32, lanes.Rows)
		if softmax.LogSumExpRows(sums, lanes); !slices.Equal(outputs[2].Bits, encodeElements(sums, littleEndian)) {
			t.Errorf("%s: the lanes are not the rows of the family", c)
		}
	}
}

// TestParallelOutputs compares what is checked of a shared matrix with the functions that
// do not share it.
func TestParallelOutputs(t *testing.T) {
	c := check{Dtype: "float64", Family: "levels", Rows: 3, Length: 5000}
	if !testing.Short() {
		c.Rows, c.Length = splitRows.Rows, splitRows.Length
	}
	outputs, err := c.outputs()
	if err != nil {
		t.Fatal(err)
	}
	src, err := familyRows[float64](c.Family, c.Rows, c.Length)
	if err != nil {
		t.Fatal(err)
	}
	want := [2]softmax.Matrix[float64]{src, src}
	for i := range want {
		want[i].Data = make([]float64, len(src.Data))
	}
	softmax.SoftmaxRows(want[0], src)
	softmax.LogSoftmaxRows(want[1], src)
	bits := [2][]byte{encodeElements(want[0].Data, littleEndian), encodeElements(want[1].Data, littleEndian)}
	for i, o := range outputs {
		if !slices.Equal(o.Bits, bits[i%2]) {
			t.Errorf("%s: %s differs from the function for rows", c, o.Function)
		}
	}
	if len(outputs) != 8 {
		t.Errorf("%d outputs, want 8", len(outputs))
	}
}

// TestChecksDiffer checks that functions and checks have results of their own.
func TestChecksDiffer(t *testing.T) {
	for _, dtype := range rowTypes {
		outputs, err := check{Dtype: dtype, Family: "normal3", Length: 20}.outputs()
		if err != nil {
			t.Fatal(err)
		}
		seen := make(map[string]string)
		for _, o := range outputs {
			if other, ok := seen[string(o.Bits)]; ok && (other != "Softmax" || o.Function != "SoftmaxRows") {
				t.Errorf("%s: %s and %s have the same results", dtype, other, o.Function)
			}
			seen[string(o.Bits)] = o.Function
			if len(o.Bits) == 0 || len(o.Bits)%o.Size != 0 {
				t.Errorf("%s, %s: %d bytes for elements of %d", dtype, o.Function, len(o.Bits), o.Size)
			}
		}
	}
}

func TestFirstDifferenceShape(t *testing.T) {
	got := firstDifference(nil, []output{{"Softmax", 4, make([]byte, 4)}})
	if want := "Softmax: not the same number of results"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestAccuracyFails checks that an error that is larger than is promised is found.
func TestAccuracyFails(t *testing.T) {
	before, lengths := promised, accuracyLengths
	defer func() { promised, accuracyLengths = before, lengths }()
	accuracyLengths = []int{3, 10}
	promised = map[string][3]float64{float32Type.name: {9, 9, 9}, float64Type.name: {9, 0.25, 9}}
	var out strings.Builder
	err := printAccuracy(&out, &progress{})
	checkError(t, err, "accuracy: log-softmax of float64, family ")
	checkError(t, err, "expected at most 0.25")
	if !strings.Contains(out.String(), "bits-finite") {
		t.Errorf("table is not complete:\n%s", out.String())
	}
}

func TestBigULP(t *testing.T) {
	third := new(big.Float).SetPrec(256).Quo(bigFloat(1), bigFloat(3))
	for _, test := range []struct {
		got, want float64
	}{
		{bigULP(float32(1), bigFloat(1), 0), 0},
		{bigULP(float32(1+0x1p-23), bigFloat(1), 0), 1},
		{bigULP(float32(0x1p-30), bigFloat(0), 0.5), 0x1p-6},
		{math.Round(bigULP(float32(1)/3, third, 0) * 3), 1},
		{bigULP(math.Nextafter(1, 2), bigFloat(1), 0), 1},
		{bigULP(float32(math.Inf(1)), bigFloat(1e300), 0), 0},
		{bigULP(float32(math.Inf(1)), bigFloat(1e30), 0), math.Inf(1)},
		{bigULP(math.NaN(), bigFloat(1), 0), math.Inf(1)},
	} {
		if test.got != test.want {
			t.Errorf("%v ULP, want %v", test.got, test.want)
		}
	}
}
