package main

// This file compares the command with SciPy, where SciPy is installed.

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed174f7dca/softmax"
)

//go:embed testdata/scipy.py
var scipyProgram string

// scipyResult is what SciPy makes of an array, as .npy files.
type scipyResult struct {
	In    string // the array
	Op    string
	Axis  int
	Want  string // computed in the type of the array
	Exact string // computed in float64 for float16 and float32, in long double for float64
}

// findPython returns a Python with SciPy, and so with NumPy, or skips the test.
func findPython(t *testing.T) string {
	t.Helper()
	// Debian's python3-scipy belongs to the latter.
	pythons := []string{"python3", "/usr/bin/python3"}
	i := slices.IndexFunc(pythons, func(python string) bool {
		return exec.Command(python, "-c", "import scipy.special").Run() == nil
	})
	if i < 0 {
		fmt.Fprintf(os.Stderr, "\n****** %s: SciPy is missing: NOT compared with SciPy. On Debian: apt-get install python3-scipy ******\n\n", t.Name())
		t.Skip("neither python3 nor /usr/bin/python3 can import scipy.special")
	}
	return pythons[i]
}

// runSciPy has SciPy make results in a directory, or skips the test.
func runSciPy(t *testing.T, dir, kind string) (results []scipyResult) {
	t.Helper()
	python := findPython(t)
	cmd := exec.Command(python, "-", dir, kind)
	cmd.Stdin = strings.NewReader(scipyProgram)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", python, err, errs.String())
	}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Scan()
	t.Log(lines.Text()) // the versions
	for lines.Scan() {
		var r scipyResult
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		results = append(results, r)
	}
	return results
}

// TestSciPy compares arrays of rank 1 to 4 along every axis. Shape, dtype and
// order must be those that NumPy writes for SciPy's result.
//
// SciPy's own error, in the type of the array, is many ULP where logits are
// spread, because it rounds x - max(x). So values are compared with what it
// computes in a wider type: float64 for float32, long double for float64. What
// remains is the error of the package, and half a ULP of rounding to float64.
// Results in float16 are computed in float32 and rounded once: they may differ from
// SciPy's, rounded once from float64, by one step.
//
// Two errors of the comparison are not to be counted. A log-softmax near 0 is the
// logarithm of a number near 1, which SciPy rounds: its error is that of 1 in the
// wider type. And a log-sum-exp near 0 is the difference of two numbers near 1.
func TestSciPy(t *testing.T) {
	limits := map[string]float64{opSoftmax: 4.5, opLogSoftmax: 2.5, opLogSumExp: 2.5}
	units := map[string]float64{
		"float32" + opLogSoftmax: 0x1p-28,
		"float64" + opLogSoftmax: 0x1p-10,
		"float32" + opLogSumExp:  1,
		"float64" + opLogSumExp:  1,
	}
	dir := t.TempDir()
	results := runSciPy(t, dir, "values")
	if want := 1944; len(results) != want {
		t.Errorf("%d results, want %d", len(results), want)
	}
	worst := make(map[string]float64)
	for _, r := range results {
		got, want := applyAsSciPy(t, dir, r)
		name := got.dtype.name + " " + r.Op
		e, limit := math.NaN(), limits[r.Op]
		switch got.dtype {
		case float16Type:
			e, limit = largestDistance(decode[softmax.Float16](got), readExact(t, r)), 1
		case float32Type:
			e = largestError(decode[float32](got), readExact(t, r), units["float32"+r.Op])
		case float64Type:
			e = largestError(decode[float64](got), readExact(t, r), units["float64"+r.Op])
		}
		if !(e <= limit) {
			t.Errorf("%+v, shape %v: error %.2f ULP, want %v or less", r, want.shape, e, limit)
		}
		worst[name] = max(worst[name], e)
	}
	for _, name := range slices.Sorted(maps.Keys(worst)) {
		t.Logf("%s: error at most %.3f ULP", name, worst[name])
	}
	if want := 3 * len(operations); len(worst) != want {
		t.Errorf("errors are of %d operations and types, want %d", len(worst), want)
	}
}

// applyAsSciPy applies the command as SciPy was, and checks shape, dtype and
// order of the result.
func applyAsSciPy(t *testing.T, dir string, r scipyResult) (got, want *npyFile) {
	t.Helper()
	out := filepath.Join(dir, "out.npy")
	runOK(t, "apply", "--op", r.Op, "--axis", fmt.Sprint(r.Axis), r.In, out)
	got, want = parseFile(t, out), parseFile(t, r.Want)
	if got.dtype != want.dtype || got.fortran != want.fortran || !slices.Equal(got.shape, want.shape) {
		t.Fatalf("%+v: result is %s, Fortran order %v, shape %v; SciPy's is %s, %v, %v",
			r, got.dtype.name, got.fortran, got.shape, want.dtype.name, want.fortran, want.shape)
	}
	return got, want
}

func parseFile(t *testing.T, path string) *npyFile {
	t.Helper()
	f, err := parseNPY(readContent(t, path), applyTypes...)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return f
}

// decode returns the elements of f in the order of the file.
func decode[T softmax.Float](f *npyFile) []T {
	data := make([]T, len(f.elements)/binary.Size(T(0)))
	decodeElements(data, f.elements, f.order)
	return data
}

func readExact(t *testing.T, r scipyResult) []float64 {
	t.Helper()
	return decode[float64](parseFile(t, r.Exact))
}

// largestError returns the largest error in ULP, NaN if there is a NaN.
func largestError[T native](got []T, exact []float64, unit float64) (largest float64) {
	for i, v := range got {
		largest = max(largest, ulpError(v, exact[i], unit))
	}
	return largest
}

// largestDistance returns the largest number of steps from one float16 number to
// the next that lead to the exact values rounded to float16, NaN if there is a NaN.
func largestDistance(got []softmax.Float16, exact []float64) (largest float64) {
	// The numbers in order, from 0 on; both zeros are 0.
	position := func(h softmax.Float16) float64 {
		if x := h.Float32(); x != x {
			return math.NaN()
		}
		return math.Copysign(float64(h&0x7FFF), float64(h.Float32()))
	}
	for i, h := range got {
		largest = max(largest, math.Abs(position(h)-position(roundToFloat16(exact[i]))))
	}
	return largest
}

// roundToFloat16 rounds once: to a float32 that is odd unless it is exact, which
// rounds as the exact value does.
func roundToFloat16(x float64) softmax.Float16 {
	single := float32(x)
	if bits := math.Float32bits(single); float64(single) != x && bits&1 == 0 {
		if math.Abs(float64(single)) > math.Abs(x) {
			bits--
		} else {
			bits++
		}
		single = math.Float32frombits(bits)
	}
	return softmax.ToFloat16(single)
}

// TestSciPySpecialValues compares rows with infinities and NaN. SciPy's values
// must be ours, but where the difference is listed.
func TestSciPySpecialValues(t *testing.T) {
	type value struct {
		op       string
		row, col int
	}
	nan, inf := math.NaN(), math.Inf(1)
	// SciPy's log-softmax of (1, +Inf, 2) is (-Inf, NaN, -Inf): it takes the +Inf for
	// the maximum of an ordinary row. Its softmax of that is NaN as a whole, and so
	// is the package's log-softmax.
	differences := map[value]struct{ scipy, got float64 }{
		{opLogSoftmax, 3, 0}: {-inf, nan},
		{opLogSoftmax, 3, 2}: {-inf, nan},
	}
	dir := t.TempDir()
	results := runSciPy(t, dir, "special")
	if want := 3 * len(operations); len(results) != want {
		t.Errorf("%d results, want %d", len(results), want)
	}
	for _, r := range results {
		got, want := applyAsSciPy(t, dir, r)
		values, scipy := widen(t, got), widen(t, want)
		cols := 1
		if len(got.shape) == 2 {
			cols = got.shape[1]
		}
		for i, v := range values {
			at := value{r.Op, i / cols, i % cols}
			difference, listed := differences[at]
			switch {
			case listed && (!same(scipy[i], difference.scipy) || !same(v, difference.got)):
				t.Errorf("%s %+v: %v, SciPy has %v; want the difference that is listed: %+v", got.dtype.name, at, v, scipy[i], difference)
			case !listed && !same(v, scipy[i]):
				t.Errorf("%s %+v: %v, SciPy has %v", got.dtype.name, at, v, scipy[i])
			}
		}
	}
}

// widen returns the elements of f as float64.
func widen(t *testing.T, f *npyFile) (wide []float64) {
	switch f.dtype {
	case float16Type:
		for _, h := range decode[softmax.Float16](f) {
			wide = append(wide, float64(h.Float32()))
		}
	case float32Type:
		for _, x := range decode[float32](f) {
			wide = append(wide, float64(x))
		}
	case float64Type:
		wide = decode[float64](f)
	}
	return wide
}

// same reports whether a and b are equal, or both NaN.
func same(a, b float64) bool { return a == b || a != a && b != b }
