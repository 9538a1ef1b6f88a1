package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/seed174f7dca/softmax"
)

// makeNPY returns a .npy file of version 1.0 with the given dictionary, padded
// as NumPy pads it.
func makeNPY(dictionary string, data any) []byte {
	size := (10 + len(dictionary) + 1 + 63) / 64 * 64
	file := []byte("\x93NUMPY\x01\x00")
	file = binary.LittleEndian.AppendUint16(file, uint16(size-10))
	file = fmt.Appendf(file, "%-*s\n", size-11, dictionary)
	file, err := binary.Append(file, binary.LittleEndian, data)
	if err != nil {
		panic(err)
	}
	return file
}

func float32File(shape string, data []float32) []byte {
	return makeNPY("{'descr': '<f4', 'fortran_order': False, 'shape': "+shape+", }", data)
}

// writeFile writes a file into a new directory and returns its path.
func writeFile(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func readContent(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func rewriteFile(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// checkDirectory checks that the directory of path holds files of these names
// and no others.
func checkDirectory(t *testing.T, path string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("directory holds %q, want %q", got, want)
	}
}

var shapes = []struct {
	shape      string
	rows, cols int
}{
	{"()", 1, 1},
	{"(1,)", 1, 1},
	{"(5,)", 1, 5},
	{"(0,)", 1, 0},
	{"(3, 4)", 3, 4},
	{"(3, 1)", 3, 1},
	{"(0, 4)", 0, 4},
	{"(3, 0)", 3, 0},
	{"(2, 3, 5)", 6, 5},
	{"(2, 3, 2, 257)", 12, 257},
	{"(0, 1000000)", 0, 1000000},
}

func TestApply(t *testing.T) {
	for _, test := range shapes {
		t.Run(test.shape, func(t *testing.T) {
			logits := normalValues[float32](test.rows * test.cols)
			want := make([]float32, len(logits))
			for r := range test.rows {
				softmax.Softmax(want[r*test.cols:][:test.cols], logits[r*test.cols:][:test.cols])
			}
			in := writeFile(t, "in.npy", float32File(test.shape, logits))
			out := filepath.Join(filepath.Dir(in), "out.npy")

			if report := runOK(t, "apply", in, out); report != "" {
				t.Errorf("printed %q, want nothing", report)
			}
			// Comparing files compares bits.
			if !bytes.Equal(readContent(t, out), float32File(test.shape, want)) {
				t.Error("out.npy differs from Softmax row by row")
			}
			if !bytes.Equal(readContent(t, in), float32File(test.shape, logits)) {
				t.Error("in.npy was changed")
			}
			runOK(t, "apply", in, in)
			if !bytes.Equal(readContent(t, in), float32File(test.shape, want)) {
				t.Error("in place: file differs from Softmax row by row")
			}
			checkDirectory(t, in, "in.npy", "out.npy")
		})
	}
}

// TestApplySpecialValues checks that values pass through the files unchanged.
func TestApplySpecialValues(t *testing.T) {
	inf := float32(math.Inf(1))
	in := writeFile(t, "in.npy", float32File("(2, 2)", []float32{0, -inf, inf, 0}))
	runOK(t, "apply", in, in)
	nan := math.Float32frombits(0x7FC00000)
	if !bytes.Equal(readContent(t, in), float32File("(2, 2)", []float32{1, 0, nan, nan})) {
		t.Error("softmax of (0, -Inf) and (+Inf, 0) is not (1, 0) and (NaN, NaN)")
	}

	float16File := func(data ...uint16) []byte {
		return makeNPY("{'descr': '<f2', 'fortran_order': False, 'shape': (2, 2), }", data)
	}
	rewriteFile(t, in, float16File(0, 0xFC00, 0x7C00, 0))
	runOK(t, "apply", in, in)
	if !bytes.Equal(readContent(t, in), float16File(0x3C00, 0, 0x7E00, 0x7E00)) {
		t.Error("float16: softmax of (0, -Inf) and (+Inf, 0) is not (1, 0) and (NaN, NaN)")
	}
}

// TestApplyVersion2 checks the other format version that NumPy writes.
func TestApplyVersion2(t *testing.T) {
	version2 := func(data []float32) []byte {
		file := float32File("(2,)", data)
		return slices.Concat([]byte("\x93NUMPY\x02\x00"), file[8:10], []byte{0, 0}, file[10:])
	}
	in := writeFile(t, "in.npy", version2([]float32{7, 7}))
	runOK(t, "apply", in, in)
	if !bytes.Equal(readContent(t, in), version2([]float32{0.5, 0.5})) {
		t.Error("softmax of (7, 7) is not (0.5, 0.5)")
	}
}

func TestApplyBrokenInput(t *testing.T) {
	good := float32File("(2, 3)", make([]float32, 6))
	dictionary := func(d string) []byte { return makeNPY(d, make([]float32, 6)) }
	for _, test := range []struct {
		name    string
		content []byte
		want    []string // parts of the message
	}{
		{"empty", nil, []string{"not a .npy file", `expected "\x93NUMPY"`}},
		{"no magic", []byte("PK\x03\x04 zip archive"), []string{"not a .npy file", `expected "\x93NUMPY"`}},
		{"magic only", good[:6], []string{"header is truncated", "6 bytes, expected 10"}},
		{"no length, version 2", []byte("\x93NUMPY\x02\x00\x00\x00"), []string{"header is truncated", "10 bytes, expected 12"}},
		{"truncated header", good[:50], []string{"header is truncated", "50 bytes, expected 128"}},
		{"header of 4 GiB", []byte("\x93NUMPY\x02\x00\xff\xff\xff\xff{}"), []string{"header is truncated", "expected 4294967307"}},
		{"no dictionary, version 3", []byte("\x93NUMPY\x03\x00\x00\x00\x00\x00"), []string{"header is malformed", "expected '{'"}},
		{"version 1.1", []byte("\x93NUMPY\x01\x01\x00\x00"), []string{"version is 1.1", "expected 1.0, 2.0 or 3.0"}},
		{"version 4", []byte("\x93NUMPY\x04\x00\x00\x00\x00\x00"), []string{"version is 4.0", "expected 1.0, 2.0 or 3.0"}},
		{"version 0", []byte("\x93NUMPY\x00\x00\x00\x00\x00\x00"), []string{"version is 0.0", "expected 1.0, 2.0 or 3.0"}},
		{"version 3, not UTF-8", []byte("\x93NUMPY\x03\x00\x01\x00\x00\x00\xff"), []string{"header is malformed", `"\xff"`, "expected UTF-8"}},
		{"no dictionary", []byte("\x93NUMPY\x01\x00\x00\x00"), []string{"header is malformed", "expected"}},
		{"no keys", []byte("\x93NUMPY\x01\x00\x02\x00{}"), []string{"header is malformed: its keys are []", `expected ["descr" "fortran_order" "shape"]`}},
		{"other keys", dictionary("{'a': 1}"), []string{"header is malformed", "expected"}},
		{"shape without its end", dictionary("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3"), []string{"header is malformed", "expected"}},
		{"shape of no number", dictionary("{'descr': '<f4', 'fortran_order': False, 'shape': (2, x), }"), []string{"header is malformed", "expected"}},
		{"float64, truncated", makeNPY("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }", make([]float32, 6)), []string{"24 bytes follow the header", "expected 48 for shape (2, 3) of '<f8'"}},
		{"float16, truncated", makeNPY("{'descr': '<f2', 'fortran_order': False, 'shape': (2, 3), }", make([]byte, 11)), []string{"11 bytes follow the header", "expected 12 for shape (2, 3) of '<f2'"}},
		{"int32", dictionary("{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), }"), []string{"dtype is '<i4'", "expected float16, float32, float64 or bfloat16"}},
		{"int16", dictionary("{'descr': '<i2', 'fortran_order': False, 'shape': (12,), }"), []string{"dtype is '<i2'", "expected float16, float32, float64 or bfloat16"}},
		{"bfloat16 without its flag", dictionary("{'descr': '<V2', 'fortran_order': False, 'shape': (12,), }"), []string{"dtype is '<V2'", "expected float16, float32, float64 or bfloat16", "with --dtype bfloat16 elements of 16 bits are read as that"}},
		{"uint16 without the flag", dictionary("{'descr': '>u2', 'fortran_order': False, 'shape': (12,), }"), []string{"dtype is '>u2'", "expected float16, float32, float64 or bfloat16", "with --dtype bfloat16 elements of 16 bits are read as that"}},
		{"void", dictionary("{'descr': '|V4', 'fortran_order': False, 'shape': (6,), }"), []string{"dtype is '|V4'", "expected float16, float32, float64 or bfloat16"}},
		{"complex", dictionary("{'descr': '<c8', 'fortran_order': False, 'shape': (3,), }"), []string{"dtype is '<c8'", "expected float16, float32, float64 or bfloat16"}},
		{"two byte orders", dictionary("{'descr': '<>f4', 'fortran_order': False, 'shape': (2, 3), }"), []string{"dtype is '<>f4'", "expected float16, float32, float64 or bfloat16"}},
		{"no dtype", dictionary("{'descr': '', 'fortran_order': False, 'shape': (2, 3), }"), []string{"dtype is ''", "expected float16, float32, float64 or bfloat16"}},
		{"nothing but a byte order", dictionary("{'descr': '<', 'fortran_order': False, 'shape': (2, 3), }"), []string{"dtype is '<'", "expected float16, float32, float64 or bfloat16"}},
		{"structured", dictionary("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 3), }"), []string{"dtype is [('a', '<f4')]", "expected float16, float32, float64 or bfloat16"}},
		{"subarrays", dictionary("{'descr': ('<f4', (3,)), 'fortran_order': False, 'shape': (2,), }"), []string{"dtype is ('<f4', (3,))", "expected float16, float32, float64 or bfloat16"}},
		{"big-endian, truncated", makeNPY("{'descr': '>f8', 'fortran_order': False, 'shape': (2, 3), }", make([]float32, 6)), []string{"24 bytes follow the header", "expected 48 for shape (2, 3) of '>f8'"}},
		{"Fortran order, truncated", makeNPY("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", make([]float32, 5)), []string{"20 bytes follow the header", "expected 24 for shape (2, 3)"}},
		{"order of no truth", dictionary("{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 3), }"), []string{"header is malformed", "expected"}},
		{"truncated data", good[:len(good)-1], []string{"23 bytes follow the header", "expected 24 for shape (2, 3)"}},
		{"no data", good[:128], []string{"0 bytes follow the header", "expected 24 for shape (2, 3)"}},
		{"trailing data", append(slices.Clone(good), 0), []string{"25 bytes follow the header", "expected 24 for shape (2, 3)"}},
		{"huge shape", dictionary("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000000), }"), []string{"24 bytes follow the header", "expected 4000000000000 "}},
		{"impossible shape", dictionary("{'descr': '<f4', 'fortran_order': False, 'shape': (2147483647, 2147483647, 2147483647), }"), []string{"shape (2147483647, 2147483647, 2147483647) is impossible", "expected"}},
		{"negative shape", dictionary("{'descr': '<f4', 'fortran_order': False, 'shape': (-2, -3), }"), []string{"shape (-2, -3) is impossible", "expected"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := writeFile(t, "in.npy", test.content)
			out := filepath.Join(filepath.Dir(in), "out.npy")
			checkError(t, run([]string{"apply", in, out}, io.Discard), append(test.want, in)...)
			checkDirectory(t, in, "in.npy")

			// In place the broken file stays as it is.
			checkError(t, run([]string{"apply", in, in}, io.Discard), append(test.want, in)...)
			checkDirectory(t, in, "in.npy")
			if !bytes.Equal(readContent(t, in), test.content) {
				t.Error("in.npy was changed")
			}
		})
	}
}

// checkError checks that the message of err has all the parts.
func checkError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q lacks %q", err, part)
		}
	}
}

func TestApplyInputMissing(t *testing.T) {
	in := filepath.Join(t.TempDir(), "in.npy")
	out := filepath.Join(filepath.Dir(in), "out.npy")
	checkError(t, run([]string{"apply", in, out}, io.Discard), in, "expected a .npy file")
	checkDirectory(t, in)
}

func TestApplyOutputImpossible(t *testing.T) {
	in := writeFile(t, "in.npy", float32File("(2,)", make([]float32, 2)))
	dir := filepath.Dir(in)

	missing := filepath.Join(dir, "missing", "out.npy")
	checkError(t, run([]string{"apply", in, missing}, io.Discard), missing, "expected a writable directory")

	checkError(t, run([]string{"apply", in, dir}, io.Discard), dir, "not a regular file, expected")

	below := filepath.Join(in, "out.npy")
	checkError(t, run([]string{"apply", in, below}, io.Discard), below)
	checkDirectory(t, in, "in.npy")

	if os.Geteuid() <= 0 {
		t.Skip("permissions do not bind this user")
	}
	locked := filepath.Join(t.TempDir(), "locked")
	if err := os.Mkdir(locked, 0o555); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(locked, "out.npy")
	checkError(t, run([]string{"apply", in, out}, io.Discard), out, "expected a writable directory")
	checkDirectory(t, out)
}

// TestApplyKeepsLinkAndMode checks what is left of a file that is replaced.
func TestApplyKeepsLinkAndMode(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has neither")
	}
	in := writeFile(t, "in.npy", float32File("(2,)", []float32{7, 7}))
	if err := os.Chmod(in, 0o666); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(filepath.Dir(in), "link.npy")
	if err := os.Symlink("in.npy", link); err != nil {
		t.Fatal(err)
	}
	runOK(t, "apply", link, link)
	if !bytes.Equal(readContent(t, in), float32File("(2,)", []float32{0.5, 0.5})) {
		t.Error("the file behind the link was not replaced")
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v, %v", info, err)
	}
	if info, err := os.Stat(in); err != nil || info.Mode().Perm() != 0o666 {
		t.Errorf("permissions are not 0666: %v, %v", info, err)
	}
	checkDirectory(t, in, "in.npy", "link.npy")
}

// FuzzDecodeNPY looks for a file that panics, or that is not made of its header
// and its elements.
func FuzzDecodeNPY(f *testing.F) {
	addFiles(f, func(file []byte) { f.Add(file) })
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, element := range append(applyTypes, bfloat16Types...) {
			parsed, err := parseNPY(file, element)
			if err != nil {
				continue
			}
			header := makeNPY(headerDictionary(parsed.descr, parsed.fortran, parsed.shape), parsed.elements)
			again, err := parseNPY(header, element)
			if err != nil {
				t.Fatalf("%q: %v", header, err)
			}
			if parsed.dtype != element || again.dtype != element || again.order != parsed.order || again.fortran != parsed.fortran || !slices.Equal(again.shape, parsed.shape) || !bytes.Equal(again.elements, parsed.elements) {
				t.Errorf("%+v became %+v", parsed, again)
			}
			if !bytes.HasSuffix(file, parsed.elements) {
				t.Errorf("elements %q are not the end of %q", parsed.elements, file)
			}
		}
	})
}

// FuzzApply looks for a file that panics, or from which a file is made that
// cannot be read.
func FuzzApply(f *testing.F) {
	addFiles(f, func(file []byte) {
		for op := range operations {
			f.Add(file, byte(op), -1)
			f.Add(file, byte(op), 0)
		}
	})
	f.Fuzz(func(t *testing.T, file []byte, op byte, axis int) {
		in, err := parseNPY(file, append(applyTypes, bfloat16Types...)...)
		if err != nil {
			return
		}
		dtype := ""
		if slices.Contains(bfloat16Types, in.dtype) {
			dtype = bfloat16Type.name
		}
		result, err := transform(file, operations[int(op)%len(operations)], axis, dtype)
		if err != nil {
			return
		}
		out, err := parseNPY(result, in.dtype)
		if err != nil {
			t.Fatalf("%q became %q: %v", file, result, err)
		}
		rank := len(in.shape)
		if operations[int(op)%len(operations)] == opLogSumExp {
			rank = max(0, rank-1)
		}
		if len(out.shape) != rank {
			t.Errorf("shape %v became %v", in.shape, out.shape)
		}
	})
}

// addFiles calls add for files that are seeds of fuzz targets.
func addFiles(f *testing.F, add func(file []byte)) {
	add(float32File("(2, 3)", make([]float32, 6)))
	add(float32File("()", make([]float32, 1)))
	add(float32File("(3, 0)", nil))
	add(makeNPY("{'descr': '<f8', 'fortran_order': True, 'shape': (2, 1, 3), }", make([]float64, 6)))
	add(makeNPY("{'descr': '<f2', 'fortran_order': False, 'shape': (2, 3), }", make([]uint16, 6)))
	add(makeNPY("{'descr': '>V2', 'fortran_order': False, 'shape': (2, 3), }", make([]uint16, 6)))
	add(makeNPY("{'shape': (2, 3), 'fortran_order': False, 'descr': '>f4'}", make([]float32, 6)))
	add([]byte("\x93NUMPY\x02\x00\x02\x00\x00\x00{}"))
}
