package bench

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed174f7dca/softmax"
)

// shapes are numbers of rows and columns: with and without a rest after the last
// whole vector, and rows of one element.
var shapes = []struct{ rows, cols int }{{1, 1}, {1, 7}, {1, 16}, {1, 1000}, {3, 1}, {3, 17}, {5, 64}, {2, 500}}

// TestPeers checks that what is compared is a softmax, with the precision of its type.
// That of this package has the bits of its function for a single row.
func TestPeers(t *testing.T) {
	t.Run("type=float32", func(t *testing.T) { testPeers(t, peers32(), 1e-5) })
	t.Run("type=float64", func(t *testing.T) { testPeers(t, peers64(), 1e-13) })
}

func testPeers[T native](t *testing.T, peers []peer[T], tolerance float64) {
	references := make([][]exact, len(shapes))
	for i, s := range shapes {
		references[i] = exactRows(logits[T](benchCase{normal, s.cols, s.rows}), s.cols)
		if len(references[i]) != s.rows*s.cols {
			t.Fatalf("%d x %d: %d exact results, want all", s.rows, s.cols, len(references[i]))
		}
	}
	for _, p := range peers {
		t.Run("peer="+p.name, func(t *testing.T) {
			if p.missing != "" {
				t.Skip("MISSING: " + p.missing)
			}
			t.Log(p.about)
			for i, s := range shapes {
				testPeer(t, p, s.rows, s.cols, references[i], tolerance)
			}
		})
	}
}

func testPeer[T native](t *testing.T, p peer[T], rows, cols int, want []exact, tolerance float64) {
	t.Helper()
	src := logits[T](benchCase{normal, cols, rows})
	original := slices.Clone(src)
	got := slices.Repeat([]T{T(math.NaN())}, len(src))
	if _, err := p.softmax(got, src, cols, 2); err != nil {
		t.Fatalf("%d x %d: %v", rows, cols, err)
	}
	if !slices.Equal(src, original) {
		t.Errorf("%d x %d: the logits have changed", rows, cols)
	}
	for i, w := range want {
		if e := math.Abs(float64(got[i]) - w.hi); !(e <= tolerance) {
			t.Fatalf("%d x %d: element %d is %v, want %v", rows, cols, i, got[i], w.hi)
		}
	}
	if p.name != "softmax" {
		return
	}
	alone := make([]T, cols)
	for i := 0; i < len(src); i += cols {
		softmax.Softmax(alone, src[i:i+cols])
		if !slices.Equal(got[i:i+cols], alone) { // there is no NaN and no -0
			t.Errorf("%d x %d: row %d is not what Softmax returns for it alone", rows, cols, i/cols)
		}
	}
}

// TestAccuracy shows the errors of all peers. That of this package has a bound, which
// would not hold for subnormal results if a library had changed how this thread
// rounds them.
func TestAccuracy(t *testing.T) {
	t.Run("type=float32", func(t *testing.T) { testAccuracy(t, peers32()) })
	t.Run("type=float64", func(t *testing.T) { testAccuracy(t, peers64()) })
}

func testAccuracy[T native](t *testing.T, peers []peer[T]) {
	// The package is the first of the peers, and comes again after the others.
	peers = append(peers, peers[0])
	for _, c := range accuracyCases {
		if testing.Short() && c.cols > 1024 {
			t.Logf("%s, n=%d: left out with -short", c.family.title, c.cols)
			continue
		}
		src := logits[T](c)
		dst := make([]T, len(src))
		reference := exactRows(src, c.cols)
		if reference == nil {
			t.Logf("%s, n=%d: no exact results for so many", c.family.title, c.cols)
			continue
		}
		for _, p := range peers {
			if p.missing != "" {
				t.Logf("%s: MISSING: %s", p.name, p.missing)
				continue
			}
			if _, err := p.softmax(dst, src, c.cols, 1); err != nil {
				t.Fatalf("%s: %v", p.name, err)
			}
			e := errorsOf(dst, reference)
			t.Logf("%s, n=%d: %s: at most %.3f ULP, mean %.4f", c.family.title, c.cols, p.name, e.worst, e.mean)
			if p.name == "softmax" && !(e.worst <= 4) {
				t.Errorf("%s, n=%d: softmax is off by %.3f ULP, want 4 or less", c.family.title, c.cols, e.worst)
			}
		}
	}
}

// TestMissing checks that all peers are named, whatever is installed, and that those
// which cannot run say why.
func TestMissing(t *testing.T) {
	want := []string{"softmax", "math-exp", "gonum", "vek", "onednn", "xnnpack", "onnxruntime", "eigen", "sleef", "libmvec", "pytorch", "numpy", "scipy"}
	checkNames(t, peers32(), want)
	checkNames(t, peers64(), want)
}

func checkNames[T native](t *testing.T, peers []peer[T], want []string) {
	t.Helper()
	var names []string
	for _, p := range peers {
		names = append(names, p.name)
		if p.missing == "" && (p.about == "" || p.softmax == nil) {
			t.Errorf("%s: neither there nor missing", p.name)
		}
	}
	if !slices.Equal(names, want) {
		t.Errorf("%s: peers are %q, want %q", typeName[T](), names, want)
	}
}

// TestNoPython is about a Python that does not exist.
func TestNoPython(t *testing.T) {
	nowhere := filepath.Join(t.TempDir(), "no-python")
	t.Setenv("PYTHON", nowhere)
	p := startPython()
	for _, name := range pythonNames {
		if reason := p.libraries[name].Missing; !strings.Contains(reason, nowhere) {
			t.Errorf("%s: missing because of %q, want a reason that names %s", name, reason, nowhere)
		}
	}
}

// TestNoLibraries hides the libraries of Python behind modules that do not load.
func TestNoLibraries(t *testing.T) {
	dir := t.TempDir()
	for _, module := range []string{"numpy", "scipy", "torch"} {
		if err := os.WriteFile(filepath.Join(dir, module+".py"), []byte("raise ImportError('hidden')\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PYTHONPATH", dir)
	p, err := newPython("python3")
	if err != nil {
		t.Skipf("MISSING: python3: %v", err)
	}
	defer p.close()
	for _, name := range pythonNames {
		if reason := p.libraries[name].Missing; !strings.Contains(reason, "hidden") {
			t.Errorf("%s: missing because of %q, want a reason with \"hidden\"", name, reason)
		}
	}
}
