package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/seed174f7dca/softmax"
)

// bareNPY returns a .npy file of a version with just this header.
func bareNPY(major byte, header string, elements []byte) []byte {
	file := append([]byte(magic), major, 0)
	if major == 1 {
		file = binary.LittleEndian.AppendUint16(file, uint16(len(header)))
	} else {
		file = binary.LittleEndian.AppendUint32(file, uint32(len(header)))
	}
	return slices.Concat(file, []byte(header), elements)
}

// spelledHeaders are headers of arrays of shape (2, 3), float32 and the byte order of the
// processor, as NumPy reads them.
var spelledHeaders = []struct{ name, header string }{
	{"as NumPy writes it", spelled("'%s'", "{'descr': DESCR, 'fortran_order': False, 'shape': (2, 3), }\n")},
	{"another order of keys, no new line", spelled("'%s'", "{'shape': (2, 3), 'fortran_order': False, 'descr': DESCR, }")},
	{"comma after the shape", spelled("'%s'", "{'descr': DESCR, 'fortran_order': False, 'shape': (2,3,), }\n")},
	{"no comma at the end", spelled("'%s'", "{'descr': DESCR, 'fortran_order': False, 'shape': (2, 3)}\n")},
	{"double quotes", spelled(`"%s"`, `{"descr": DESCR, "fortran_order": False, "shape": (2, 3)}`)},
	{"strings of Python 2", spelled("u'%s'", "{u'descr': DESCR, U'fortran_order': False, u\"shape\": (2, 3), }\n")},
	{"integers of Python 2", spelled("'%s'", "{'descr': DESCR, 'fortran_order': False, 'shape': (2L, 3L), }\n")},
	{"signs", spelled("'%s'", "{'descr': DESCR, 'fortran_order': False, 'shape': (+2, +3), }\n")},
	{"new lines and tabs", spelled("'%s'", " {\n'descr'\t:\tDESCR,\r\n'fortran_order':False,'shape':(\n2\n,\n3\n)\n}\n \n")},
	{"parentheses", spelled("('%s')", "{('descr'): DESCR, 'fortran_order': (False), 'shape': ((2), 3), }\n")},
	{"a key twice", spelled("'%s'", "{'shape': (7,), 'descr': '>i8', 'descr': DESCR, 'fortran_order': True, 'fortran_order': False, 'shape': (2, 3)}\n")},
	{"order =", "{'descr': '=f4', 'fortran_order': False, 'shape': (2, 3), }\n"},
	{"order |", "{'descr': '|f4', 'fortran_order': False, 'shape': (2, 3), }\n"},
	{"no order", "{'descr': 'f4', 'fortran_order': False, 'shape': (2, 3), }\n"},
	{"one letter", "{'descr': 'f', 'fortran_order': False, 'shape': (2, 3), }\n"},
	{"name", "{'descr': 'float32', 'fortran_order': False, 'shape': (2, 3), }\n"},
	{"name in C", "{'descr': 'single', 'fortran_order': False, 'shape': (2, 3), }\n"},
}

// spelled returns a header with float32 in the byte order of the processor.
func spelled(format, header string) string {
	mark := map[byteOrder]string{littleEndian: "<", bigEndian: ">"}[nativeOrder()]
	return strings.Replace(header, "DESCR", fmt.Sprintf(format, mark+"f4"), 1)
}

// TestApplyHeaders checks that every spelling of a header, in every version of the
// format, is read, and kept.
func TestApplyHeaders(t *testing.T) {
	logits := newArray[float32](2, 3)
	elements := logits.appendTo(nil, nativeOrder())
	for _, test := range spelledHeaders {
		t.Run(test.name, func(t *testing.T) {
			for version := byte(1); version <= 3; version++ {
				in := writeFile(t, "in.npy", bareNPY(version, test.header, elements))
				out := filepath.Join(filepath.Dir(in), "out.npy")
				runOK(t, "apply", in, out)
				if want := bareNPY(version, test.header, logits.apply(opSoftmax, 1).appendTo(nil, nativeOrder())); !bytes.Equal(readContent(t, out), want) {
					t.Errorf("version %d: out.npy is not softmax row by row, behind the same header", version)
				}
				runOK(t, "apply", "--op", opLogSumExp, "--axis", "0", in, out)
				f, err := parseNPY(readContent(t, out), float32Type)
				if err != nil {
					t.Fatal(err)
				}
				want := logits.apply(opLogSumExp, 0)
				if !slices.Equal(f.shape, want.shape) || f.fortran || !bytes.Equal(f.elements, want.appendTo(nil, nativeOrder())) {
					t.Errorf("version %d: out.npy is not log-sum-exp column by column", version)
				}
			}
		})
	}
}

// TestApplyUnalignedHeader checks the shortest header there is, after which no element is
// aligned.
func TestApplyUnalignedHeader(t *testing.T) {
	header := "{'shape': (2, 3), 'fortran_order': False, 'descr': '<f4', }"
	logits := newArray[float32](2, 3)
	in := writeFile(t, "in.npy", bareNPY(1, header, logits.appendTo(nil, littleEndian)))
	runOK(t, "apply", in, in)
	if want := bareNPY(1, header, logits.apply(opSoftmax, 1).appendTo(nil, littleEndian)); !bytes.Equal(readContent(t, in), want) {
		t.Error("in.npy is not softmax row by row, behind the same header")
	}
}

// TestParseDictionary checks shapes and strings in every spelling.
func TestParseDictionary(t *testing.T) {
	for _, test := range []struct {
		text  string
		descr string
		shape []int
	}{
		{`{'descr': 'f4', 'fortran_order': True, 'shape': ()}`, "f4", nil},
		{`{'descr': 'f4', 'fortran_order': True, 'shape': ( ), }`, "f4", nil},
		{`{'descr': 'f4', 'fortran_order': True, 'shape': (3,)}`, "f4", []int{3}},
		{`{'descr': 'f4', 'fortran_order': True, 'shape': (3L ,)}`, "f4", []int{3}},
		{`{'descr': 'f4', 'fortran_order': True, 'shape': (2_000, 00, 1_0_0)}`, "f4", []int{2000, 0, 100}},
		{`{'descr': 'f4', 'fortran_order': True, 'shape': (-3, +3)}`, "f4", []int{-3, 3}},
		{`{'descr': '\'\\\"', 'fortran_order': True, 'shape': ()}`, `'\"`, nil},
		{`{'descr': "'", 'fortran_order': True, 'shape': ()}`, "'", nil},
		{`{'descr': '"', 'fortran_order': True, 'shape': ()}`, `"`, nil},
		{`{'descr': '', 'fortran_order': True, 'shape': ()}`, "", nil},
	} {
		h, err := parseDictionary(test.text)
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
		} else if h.descr.value != test.descr || !h.fortran || !slices.Equal(h.shape, test.shape) {
			t.Errorf("%s is %+v, want descr %s, Fortran order, shape %v", test.text, h, test.descr, test.shape)
		}
	}
}

// TestParseDictionaryMalformed checks the message for what is no dictionary, or not one of
// an array.
func TestParseDictionaryMalformed(t *testing.T) {
	entries := func(descr, order, shape string) string {
		return fmt.Sprintf("{'descr': %s, 'fortran_order': %s, 'shape': %s, }  \n", descr, order, shape)
	}
	shape := func(s string) string { return entries("'<f4'", "False", s) }
	const isNoShape = "expected a tuple of integers such as (2, 3), (2,) or ()"
	for _, test := range []struct{ text, want string }{
		{"", "malformed at its end: expected '{'"},
		{"[]", `malformed at "[]": expected '{'`},
		{"{'descr'}", `malformed at "}": expected ':'`},
		{"{,}", `malformed at ",}": expected a string, an integer`},
		{"{'a': 1, , }", `malformed at ", }": expected a string, an integer`},
		{"{'a': 1 'b': 2}", `malformed at "'b': 2}": expected ',' or '}'`},
		{"{'a': 1", "malformed at its end: expected ',' or '}'"},
		{"{'a': 1,", "malformed at its end: expected a string, an integer"},
		{"{'a", "malformed at its end: expected the end of a string: '"},
		{"{\"a\n\": 1}", "expected the end of a string: \""},
		{`{'a\`, "expected no escapes but"},
		{`{'\x66': 1}`, `malformed at "\\x66': 1}": expected no escapes but`},
		{"{1: 2}", "a key is 1, expected a string"},
		{"{'a': 1}", `its keys are ["a"], expected ["descr" "fortran_order" "shape"]`},
		{"{'descr': '<f4', 'shape': ()}", `its keys are ["descr" "shape"], expected`},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (), 'x': 1}", `its keys are ["descr" "fortran_order" "shape" "x"], expected`},
		{shape("()") + "x", `malformed at "x": expected its end`},
		{shape("()") + "\x00", `malformed at "\x00": expected its end`},
		{entries("'<f4'", "0", "()"), "fortran_order is 0, expected True or False"},
		{entries("'<f4'", "'False'", "()"), "fortran_order is 'False', expected True or False"},
		{entries("'<f4'", "false", "()"), "malformed at \"false, 'shape': (), }\": expected a string"},
		{shape("(2)"), "shape is (2), " + isNoShape},
		{shape("2"), "shape is 2, " + isNoShape},
		{shape("[2, 3]"), "shape is [2, 3], " + isNoShape},
		{shape("(2, '3')"), "shape is (2, '3'), " + isNoShape},
		{shape("(2, True)"), "shape is (2, True), " + isNoShape},
		{shape("(2, (3,))"), "shape is (2, (3,)), " + isNoShape},
		{shape("(2, None)"), `malformed at "None), }": expected a string, an integer`},
		{shape("(,)"), `malformed at ",), }": expected a string, an integer`},
		{shape("(2 3)"), `malformed at "3), }": expected ',' or ')'`},
		{shape("(2.0,)"), `malformed at ".0,), }": expected ',' or ')'`},
		{shape("(02,)"), `malformed at "02,), }": expected a string, an integer`},
		{shape("(2__0,)"), `malformed at "2__0,), }": expected a string, an integer`},
		{shape("(2x,)"), `malformed at "2x,), }": expected a string, an integer`},
		{shape("(--2,)"), `malformed at "--2,), }": expected a string, an integer`},
		{shape("(9223372036854775808,)"), "a number is 9223372036854775808, expected one that fits in " + strconv.Itoa(strconv.IntSize) + " bits"},
		{shape("(-99999999999999999999L,)"), "a number is -99999999999999999999L, expected one that fits in"},
		{shape(strings.Repeat("(", 1<<20)), "expected at most 100 brackets in each other"},
		{shape(strings.Repeat("[", 1<<20)), "expected at most 100 brackets in each other"},
	} {
		_, err := parseDictionary(test.text)
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "header is malformed") {
			t.Errorf("%.100q: error is %v, want %q", test.text, err, test.want)
		}
	}
}

// TestApplyBigEndian checks that big-endian files are read, and stay big-endian.
func TestApplyBigEndian(t *testing.T) {
	t.Run("float16", testApplyBigEndian[softmax.Float16])
	t.Run("bfloat16", testApplyBigEndian[softmax.BFloat16])
	t.Run("float32", testApplyBigEndian[float32])
	t.Run("float64", testApplyBigEndian[float64])
}

func testApplyBigEndian[T softmax.Float](t *testing.T) {
	file := func(a array[T]) []byte {
		return makeNPY(strings.Replace(a.dictionary(false), "<", ">", 1), a.appendTo(nil, bigEndian))
	}
	in := filepath.Join(t.TempDir(), "in.npy")
	for _, shape := range [][]int{{5}, {3, 400}, {2, 0}, {0, 2}} {
		a := newArray[T](shape...)
		for axis := range shape {
			for _, op := range operations {
				rewriteFile(t, in, file(a))
				runOK(t, "apply", "--op", op, "--axis", fmt.Sprint(axis), in, in)
				if !bytes.Equal(readContent(t, in), file(a.apply(op, axis))) {
					t.Errorf("%s of shape %v along axis %d: file differs from lane by lane", op, shape, axis)
				}
			}
		}
	}
}

// TestApplyDescr checks every spelling of every type in every byte order.
func TestApplyDescr(t *testing.T) {
	t.Run("float16", func(t *testing.T) { testApplyDescr[softmax.Float16](t, float16Type) })
	t.Run("float32", func(t *testing.T) { testApplyDescr[float32](t, float32Type) })
	t.Run("float64", func(t *testing.T) { testApplyDescr[float64](t, float64Type) })
	t.Run("bfloat16", func(t *testing.T) { testApplyDescr[softmax.BFloat16](t, bfloat16Type) })
	for _, bits := range []dtype{bfloat16Type, void16Type, uint16Type} {
		t.Run(bits.name+" as bfloat16", func(t *testing.T) { testApplyDescr[softmax.BFloat16](t, bits, "--dtype", "bfloat16") })
	}
}

func testApplyDescr[T softmax.Float](t *testing.T, element dtype, flags ...string) {
	a := newArray[T](3, 5)
	in := filepath.Join(t.TempDir(), "in.npy")
	orders := map[string]byteOrder{"<": littleEndian, ">": bigEndian, "=": nativeOrder(), "|": nativeOrder(), "": nativeOrder()}
	for name := range dtypes {
		if dtypes[name] != element {
			continue
		}
		for mark, order := range orders {
			file := func(a array[T]) []byte {
				return makeNPY(headerDictionary(mark+name, false, a.shape), a.appendTo(nil, order))
			}
			for _, op := range operations {
				rewriteFile(t, in, file(a))
				runOK(t, slices.Concat([]string{"apply", "--op", op}, flags, []string{in, in})...)
				if !bytes.Equal(readContent(t, in), file(a.apply(op, 1))) {
					t.Errorf("%s of '%s': file differs from row by row", op, mark+name)
				}
			}
		}
	}
}

// TestApplyOtherTypesAsBFloat16 checks that only elements of 16 bits that may be bfloat16
// are read as that.
func TestApplyOtherTypesAsBFloat16(t *testing.T) {
	for _, descr := range []string{"<f2", "<f4", ">f8", "<i2", "|V4"} {
		in := writeFile(t, "in.npy", makeNPY(headerDictionary(descr, false, []int{2}), make([]byte, 16)))
		out := filepath.Join(filepath.Dir(in), "out.npy")
		checkError(t, run([]string{"apply", "--dtype", "bfloat16", in, out}, io.Discard),
			in, "dtype is '"+descr+"', expected bfloat16, void16 or uint16")
		checkDirectory(t, in, "in.npy")
	}
	in := writeFile(t, "in.npy", float32File("(2,)", make([]float32, 2)))
	checkError(t, run([]string{"apply", "--dtype", "float32", in, in}, io.Discard), "--dtype must be one of", "bfloat16")
}

// TestApplyEmptyAxisBFloat16 checks the log-sum-exp of no elements.
func TestApplyEmptyAxisBFloat16(t *testing.T) {
	for descr, want := range map[string][]byte{"<V2": {0x80, 0xFF}, ">V2": {0xFF, 0x80}} {
		in := writeFile(t, "in.npy", makeNPY(headerDictionary(descr, false, []int{1, 0}), []byte{}))
		runOK(t, "apply", "--op", opLogSumExp, "--dtype", "bfloat16", in, in)
		if !bytes.Equal(readContent(t, in), makeNPY(headerDictionary(descr, false, []int{1}), want)) {
			t.Errorf("%s: the log-sum-exp of an empty row is not -Inf", descr)
		}
	}
}

// numpyProgram prints what NumPy reads in each file that it is told of, after a line with the
// version and the byte order.
const numpyProgram = `
import json, sys, warnings
import numpy as np
warnings.simplefilter("ignore") # of an L after an integer
print("NumPy %s, %s-endian" % (np.__version__, sys.byteorder))
for path in sys.argv[1:]:
    a = np.load(path)
    print(json.dumps({"Name": a.dtype.name, "Shape": a.shape, "Fortran": not a.flags.c_contiguous, "Values": a.ravel("K").astype(float).tolist()}))
`

// TestNumPyHeaders compares how headers are read, and those that are written, with NumPy.
func TestNumPyHeaders(t *testing.T) {
	python := findPython(t)
	dir := t.TempDir()
	var paths []string
	add := func(file []byte) {
		paths = append(paths, filepath.Join(dir, fmt.Sprintf("%d.npy", len(paths))))
		rewriteFile(t, paths[len(paths)-1], file)
	}
	elements := newArray[float32](2, 3).appendTo(nil, nativeOrder())
	for _, test := range spelledHeaders {
		add(bareNPY(1, test.header, elements))
	}
	for name, element := range dtypes {
		for _, mark := range []string{"<", ">", "=", "|", ""} {
			// NumPy has no bfloat16, and takes names as they are.
			if !slices.Contains([]dtype{float16Type, float32Type, float64Type}, element) || mark != "" && len(name) > 2 {
				continue
			}
			for _, fortran := range []bool{false, true} {
				file := makeNPY(headerDictionary(mark+name, fortran, []int{2, 3, 1}), bytes.Repeat([]byte{0x3C, 0x3D}, int(3*element.size)))
				add(file)
				for _, op := range operations {
					result, err := transform(file, op, 0, "")
					if err != nil {
						t.Fatal(err)
					}
					add(result)
				}
			}
		}
	}
	cmd := exec.Command(python, slices.Concat([]string{"-c", numpyProgram}, paths)...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", python, err, errs.String())
	}
	version, lines, _ := bytes.Cut(out, []byte("\n"))
	t.Logf("%s, reads %d files", version, len(paths))
	if bytes.HasSuffix(version, []byte("big-endian")) != (nativeOrder() == bigEndian) {
		t.Skip("an emulator runs this test, and NumPy is of the other byte order")
	}
	decoder := json.NewDecoder(bytes.NewReader(lines))
	for _, path := range paths {
		var numpy struct {
			Name    string
			Shape   []int
			Fortran bool
			Values  []float64
		}
		if err := decoder.Decode(&numpy); err != nil {
			t.Fatal(err)
		}
		f := parseFile(t, path)
		// One order is no order: NumPy tells of such an array as one in C order.
		fortran := f.fortran && !oneOrder(f.shape)
		if f.dtype.name != numpy.Name || fortran != numpy.Fortran || !slices.Equal(f.shape, numpy.Shape) || !slices.EqualFunc(widen(t, f), numpy.Values, same) {
			t.Errorf("%q: %s, Fortran order %v, shape %v; NumPy reads %+v", f.header, f.dtype.name, fortran, f.shape, numpy)
		}
	}
}

// FuzzHeader looks for a dictionary that panics, or that is not read as it is written.
func FuzzHeader(f *testing.F) {
	for _, test := range spelledHeaders {
		f.Add(test.header)
	}
	f.Add("{'descr': [('a', '<f4', (2,)), ('b', [('c', '|u1')])], 'fortran_order': True, 'shape': (), }")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := parseDictionary(text)
		if err != nil {
			return
		}
		written := "{'descr': " + h.descr.text + strings.TrimPrefix(headerDictionary("", h.fortran, h.shape), "{'descr': ''")
		again, err := parseDictionary(written)
		if err != nil {
			t.Fatalf("%q became %q: %v", text, written, err)
		}
		if again.descr.text != h.descr.text || again.fortran != h.fortran || !slices.Equal(again.shape, h.shape) {
			t.Errorf("%q is %+v, became %q, which is %+v", text, h, written, again)
		}
	})
}
