package softmax

// This file calls every exported function in ways that its result must not depend on:
// operands at any byte, threads that flush subnormal numbers, operands that share
// memory, several goroutines at once. TestContractNames fails for a function that
// contracts does not have.

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/seed174f7dca/softmax/internal/corpus"
	"github.com/seed174f7dca/softmax/internal/fpcontrol"
)

// contract is how to call an exported function.
type contract struct {
	name string // as go doc has it
	lens []int  // what make is called with
	make func(n int, c contents) invocation
}

// invocation is a function and its operands, whose addresses call gets.
type invocation struct {
	operands []operand
	call     func(at []unsafe.Pointer)
}

// operand is memory of an argument, of a field of one, or of a result.
type operand struct {
	name    string
	content []byte // before the call
	written bool
}

// contents are kinds of rows.
type contents int

const (
	ordinary    contents = iota
	tinyNumbers          // subnormal numbers and zeros
	tinyResults          // probabilities are subnormal
	tinyAlone            // a subnormal number far above all others
)

func (c contents) String() string {
	return [...]string{"ordinary", "tiny numbers", "tiny results", "tiny alone"}[c]
}

// contentRow makes a row.
func contentRow[T Float](c contents, n int) []T {
	r := rng(n)
	tinyNumber := func() T { return fromBits[T](r.Next() & (formatOf[T]().Fraction | formatOf[T]().Sign)) }
	row := make([]T, n)
	far := []float64{30, 60, 640, 1000}[r.Intn(4)] // the others have a part in the sum, or none
	for i := range row {
		switch c {
		case ordinary:
			row[i] = number[T](float64(r.Normal()) * 3 / float64(corpus.One))
		case tinyNumbers:
			if row[i] = tinyNumber(); r.Intn(4) == 0 {
				row[i] = 0
			}
		case tinyResults:
			spread := 1100
			if is64[T]() {
				spread = 7500
			}
			row[i] = number[T](-float64(r.Intn(spread)) / 10)
		case tinyAlone:
			row[i] = number[T](-far - float64(r.Intn(100)))
		}
	}
	if c == tinyAlone && n > 0 {
		row[r.Intn(n)] = tinyNumber()
	}
	return row
}

// number returns x rounded to an element.
func number[T Float](x float64) T {
	if is64[T]() {
		return *cast[T](&x)
	}
	return fromNative[T](float32(x))
}

// bytesOf returns a copy of the memory of elements.
func bytesOf[E any](s []E) []byte {
	return slices.Clone(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(*new(E)))))
}

// input and output make operands, and at views one.
func input[E any](name string, s []E) operand  { return operand{name, bytesOf(s), false} }
func output[E any](name string, n int) operand { return operand{name, bytesOf(make([]E, n)), true} }
func at[E any](p unsafe.Pointer, n int) []E    { return unsafe.Slice((*E)(p), n) }

var (
	shortLens = []int{1, 3, 8, 17, 64, 200}
	rowLens   = append(slices.Clone(shortLens), 5000, 3*4096, longLen) // one block, several, stored, computed twice
)

// longLen is that of float32 rows that are computed twice, and parallel.
const longLen = storedBytes/4 + 5

// contractsOf are those of generic functions, for elements of one type.
func contractsOf[T Float]() []contract {
	vectors := func(name string, lens []int, function func(dst, src []T)) contract {
		return contract{name, lens, func(n int, c contents) invocation {
			return invocation{
				[]operand{output[T]("dst", n), input("src", contentRow[T](c, n))},
				func(p []unsafe.Pointer) { function(at[T](p[0], n), at[T](p[1], n)) },
			}
		}}
	}
	matrix := func(data []T, rows, cols, stride int) Matrix[T] { return Matrix[T]{data, rows, cols, stride} }
	matrices := func(name string, rows int, function func(dst, src Matrix[T])) contract {
		return contract{name, rowLens, func(n int, c contents) invocation {
			size := rows * (n + 3)
			return invocation{
				[]operand{output[T]("dst", size), input("src", contentRow[T](c, size))},
				func(p []unsafe.Pointer) {
					function(matrix(at[T](p[0], size), rows, n, n+3), matrix(at[T](p[1], size), rows, n, n+3))
				},
			}
		}}
	}
	axes := func(name string, function func(dst, src []T, shape []int, axis int)) contract {
		return contract{name, []int{1, 5, 40, 1500, 5000}, func(n int, c contents) invocation {
			size := 2 * n * 3
			return invocation{
				[]operand{output[T]("dst", size), input("src", contentRow[T](c, size)), input("shape", []int{2, n, 3})},
				func(p []unsafe.Pointer) { function(at[T](p[0], size), at[T](p[1], size), at[int](p[2], 3), 1) },
			}
		}}
	}
	return []contract{
		vectors("Softmax", rowLens, Softmax[T]),
		vectors("LogSoftmax", rowLens, LogSoftmax[T]),
		{"LogSumExp", rowLens, func(n int, c contents) invocation {
			return invocation{
				[]operand{output[T]("result", 1), input("src", contentRow[T](c, n))},
				func(p []unsafe.Pointer) { at[T](p[0], 1)[0] = LogSumExp(at[T](p[1], n)) },
			}
		}},
		matrices("SoftmaxRows", 3, SoftmaxRows[T]),
		matrices("LogSoftmaxRows", 3, LogSoftmaxRows[T]),
		matrices("ParallelSoftmaxRows", 2, func(dst, src Matrix[T]) { ParallelSoftmaxRows(dst, src, 2) }),
		matrices("ParallelLogSoftmaxRows", 2, func(dst, src Matrix[T]) { ParallelLogSoftmaxRows(dst, src, 2) }),
		{"LogSumExpRows", shortLens, func(n int, c contents) invocation {
			return invocation{
				[]operand{output[T]("dst", 5), input("src", contentRow[T](c, 5*n))},
				func(p []unsafe.Pointer) { LogSumExpRows(at[T](p[0], 5), matrix(at[T](p[1], 5*n), 5, n, n)) },
			}
		}},
		axes("SoftmaxAxis", SoftmaxAxis[T]),
		axes("LogSoftmaxAxis", LogSoftmaxAxis[T]),
		axes("LogSumExpAxis", func(dst, src []T, shape []int, axis int) { LogSumExpAxis(dst[:6], src, shape, axis) }),
	}
}

// contractsOfNative are those of generic functions for float32 and float64 only.
func contractsOfNative[T native]() []contract {
	type accumulator = Accumulator[T]
	// parts is a row in an accumulator, cut in two.
	parts := func(row []T) (a, b accumulator) {
		a.Add(row[:len(row)/2])
		b.Add(row[len(row)/2:])
		return a, b
	}
	// normalising is a method with the row that was added.
	normalising := func(name string, method func(a *accumulator, dst, src []T)) contract {
		return contract{name, rowLens, func(n int, c contents) invocation {
			return invocation{
				[]operand{output[T]("dst", n), input("src", contentRow[T](c, n))},
				func(p []unsafe.Pointer) {
					a, b := parts(at[T](p[1], n))
					a.Merge(&b)
					method(&a, at[T](p[0], n), at[T](p[1], n))
				},
			}
		}}
	}
	// state is a method that does something with the row's accumulators: what it returns
	// is compared as bytes.
	state := func(name string, method func(a, b accumulator) []byte) contract {
		return contract{name, rowLens, func(n int, c contents) invocation {
			return invocation{
				[]operand{output[byte]("result", 256), input("src", contentRow[T](c, n))},
				func(p []unsafe.Pointer) { copy(at[byte](p[0], 256), method(parts(at[T](p[1], n)))) },
			}
		}}
	}
	marshalled := func(a accumulator) []byte {
		data, err := a.MarshalBinary()
		if err != nil {
			panic(err)
		}
		return data
	}
	return []contract{
		normalising("Accumulator.Softmax", (*accumulator).Softmax),
		normalising("Accumulator.LogSoftmax", (*accumulator).LogSoftmax),
		state("Accumulator.Add", func(a, _ accumulator) []byte { return marshalled(a) }),
		state("Accumulator.MarshalBinary", func(_, b accumulator) []byte { return marshalled(b) }),
		state("Accumulator.Merge", func(a, b accumulator) []byte {
			// The order does not matter.
			c := b
			c.Merge(&a)
			if a.Merge(&b); a != c {
				panic("a merged with b is not b merged with a")
			}
			return marshalled(a)
		}),
		state("Accumulator.Reset", func(a, _ accumulator) []byte {
			a.Reset()
			return marshalled(a)
		}),
		state("Accumulator.LogSumExp", func(a, b accumulator) []byte {
			a.Merge(&b)
			return bytesOf([]T{a.LogSumExp(), b.LogSumExp()})
		}),
		state("Accumulator.UnmarshalBinary", func(a, _ accumulator) []byte {
			var again accumulator
			if err := again.UnmarshalBinary(marshalled(a)); err != nil || again != a {
				panic(fmt.Sprintf("read %v as %v: %v", a, again, err))
			}
			return bytesOf([]T{again.LogSumExp()})
		}),
		{"Accumulator.AppendBinary", rowLens, func(n int, c contents) invocation {
			return invocation{
				[]operand{output[byte]("data", 256), input("src", contentRow[T](c, n))},
				func(p []unsafe.Pointer) {
					a, _ := parts(at[T](p[1], n))
					a.AppendBinary(at[byte](p[0], 256)[:0])
				},
			}
		}},
		{"WeightedMerge", []int{1, 2, 5, 100}, func(n int, c contents) invocation {
			const cols = 37
			logSumExps := contentRow[T](min(c, tinyResults), n)
			return invocation{
				[]operand{
					output[T]("dst", cols), output[T]("result", 1),
					input("outputs", contentRow[T](c, n*cols)), input("logSumExps", logSumExps),
				},
				func(p []unsafe.Pointer) {
					outputs := Matrix[T]{at[T](p[2], n*cols), n, cols, cols}
					at[T](p[1], 1)[0] = WeightedMerge(at[T](p[0], cols), outputs, at[T](p[3], n))
				},
			}
		}},
	}
}

// contractsOfHalf are those of functions for elements of 16 bits only.
func contractsOfHalf[T half]() []contract {
	return []contract{
		{"SoftmaxToFloat32", rowLens, func(n int, c contents) invocation {
			return invocation{
				[]operand{output[float32]("dst", n), input("src", contentRow[T](c, n))},
				func(p []unsafe.Pointer) { SoftmaxToFloat32(at[float32](p[0], n), at[T](p[1], n)) },
			}
		}},
		{"SoftmaxFromFloat32", rowLens, func(n int, c contents) invocation {
			return invocation{
				[]operand{output[T]("dst", n), input("src", contentRow[float32](c, n))},
				func(p []unsafe.Pointer) { SoftmaxFromFloat32(at[T](p[0], n), at[float32](p[1], n)) },
			}
		}},
		{halfName[T]() + ".Float32", []int{100}, func(n int, c contents) invocation {
			return invocation{
				[]operand{output[float32]("results", n), input("src", contentRow[T](c, n))},
				func(p []unsafe.Pointer) {
					for i, x := range at[T](p[1], n) {
						at[float32](p[0], n)[i] = x.Float32()
					}
				},
			}
		}},
		{"To" + halfName[T](), []int{100}, func(n int, c contents) invocation {
			return invocation{
				[]operand{output[T]("results", n), input("src", contentRow[float32](c, n))},
				func(p []unsafe.Pointer) {
					for i, x := range at[float32](p[1], n) {
						at[T](p[0], n)[i] = rounded[T](x)
					}
				},
			}
		}},
		{"As" + halfName[T](), []int{100}, func(n int, c contents) invocation {
			return invocation{
				[]operand{output[T]("results", n), input("src", contentRow[T](c, n))},
				func(p []unsafe.Pointer) {
					copy(at[Float16](p[0], n), AsFloat16(at[uint16](p[1], n)))
					copy(at[BFloat16](p[0], n), AsBFloat16(at[uint16](p[1], n)))
				},
			}
		}},
	}
}

func halfName[T half]() string {
	if isFloat16[T]() {
		return "Float16"
	}
	return "BFloat16"
}

// scoresContracts are the method of Scores with several fields.
func scoresContracts() (all []contract) {
	for _, s := range []Scores{
		{},
		{Scale: 0.125, Softcap: 30, Slope: 0.5, Causal: true, Window: 100},
		{Scale: 0x1p-140},               // a subnormal number is not 0
		{Softcap: 0x1p-140, Slope: 0.1}, // likewise
		{Scale: 0x1p+120},               // makes numbers of subnormal ones
		{Scale: 0x1p-10, Softcap: 0x1p+120},
		{Scale: 0x1p+100, Softcap: 0x1p-20},
		{Slope: 0x1p-140},
	} {
		all = append(all, contract{"Scores.Softmax", []int{1, 8, 33, 200, 5000, longLen}, func(n int, c contents) invocation {
			const rows = 2
			keep, r := make([]bool, n), rng(n)
			for i := range keep {
				keep[i] = r.Intn(3) > 0
			}
			return invocation{
				[]operand{
					output[float32]("dst", rows*n), input("src", contentRow[float32](c, rows*n)),
					input("Bias", contentRow[float32](min(c, tinyNumbers), n)), input("Keep", keep), input("Sink", []float32{1e-40}),
				},
				func(p []unsafe.Pointer) {
					s := s
					s.Bias = Matrix[float32]{at[float32](p[2], n), 1, n, n}
					s.Keep = at[bool](p[3], n)
					s.Sink = (*float32)(p[4])
					s.Softmax(Matrix[float32]{at[float32](p[0], rows*n), rows, n, n}, Matrix[float32]{at[float32](p[1], rows*n), rows, n, n})
				},
			}
		}})
	}
	return append(all, contract{"Kernel", []int{0}, func(int, contents) invocation {
		return invocation{nil, func([]unsafe.Pointer) { _ = Kernel() }}
	}})
}

// contracts are all, by the name of the element type.
func contracts() map[string][]contract {
	return map[string][]contract{
		"float32":  slices.Concat(contractsOf[float32](), contractsOfNative[float32](), scoresContracts()),
		"float64":  slices.Concat(contractsOf[float64](), contractsOfNative[float64]()),
		"float16":  slices.Concat(contractsOf[Float16](), contractsOfHalf[Float16]()),
		"bfloat16": slices.Concat(contractsOf[BFloat16](), contractsOfHalf[BFloat16]()),
	}
}

// TestContractNames finds exported functions that contracts does not have.
func TestContractNames(t *testing.T) {
	called := map[string]bool{}
	for _, all := range contracts() {
		for _, c := range all {
			called[c.name] = true
		}
	}
	files, err := os.ReadDir(".")
	if err != nil {
		t.Skipf("no source to compare with: %v", err)
	}
	exported := map[string]bool{}
	for _, file := range files {
		if name := file.Name(); !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file.Name(), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range parsed.Decls {
			if f, ok := declaration.(*ast.FuncDecl); ok && f.Name.IsExported() {
				if receiver := receiverOf(f); receiver == "" {
					exported[f.Name.Name] = true
				} else if ast.IsExported(receiver) {
					exported[receiver+"."+f.Name.Name] = true
				}
			}
		}
	}
	if len(exported) == 0 {
		t.Skip("no source to compare with")
	}
	for name := range exported {
		if !called[name] {
			t.Errorf("%s is exported, and contracts does not have it", name)
		}
	}
	for name := range called {
		if !exported[name] {
			t.Errorf("contracts has %s, which is not exported", name)
		}
	}
}

// receiverOf returns the name of a method's type, or nothing.
func receiverOf(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	expression := f.Recv.List[0].Type
	if pointer, ok := expression.(*ast.StarExpr); ok {
		expression = pointer.X
	}
	if instance, ok := expression.(*ast.IndexExpr); ok {
		expression = instance.X
	}
	return expression.(*ast.Ident).Name
}

// placed is memory with operands in it, each between guards, and where they start.
type placed struct {
	memory []byte
	starts []int
	at     []unsafe.Pointer
}

// guard stands before and behind each operand.
var guard = bytes.Repeat([]byte{0xA5}, 64)

// place puts operands one behind the other, each shifted by some bytes from a multiple of
// 64.
func (v *invocation) place(shift func(operand int) int) placed {
	size := 64
	for _, o := range v.operands {
		size += len(o.content) + 4*len(guard)
	}
	p := placed{memory: make([]byte, size)}
	end := -int(uintptr(unsafe.Pointer(&p.memory[0])) % 64) // behind the operand before
	for i, o := range v.operands {
		start := end + 2*len(guard) + shift(i)
		copy(p.memory[start-len(guard):], guard)
		copy(p.memory[start:], o.content)
		copy(p.memory[start+len(o.content):], guard)
		p.starts, p.at = append(p.starts, start), append(p.at, unsafe.Pointer(&p.memory[start]))
		end += 2*len(guard) + (len(o.content)+2*len(guard)-1)&^63
	}
	return p
}

// content returns what an operand has.
func (p *placed) content(v *invocation, i int) []byte {
	return p.memory[p.starts[i]:][:len(v.operands[i].content)]
}

// expected calls the function with the kernel in Go, and returns all operands.
func (v *invocation) expected(t *testing.T) [][]byte {
	previous := active
	active = kernelGeneric
	defer func() { active = previous }()
	p := v.place(func(int) int { return 0 })
	v.call(p.at)
	contents := make([][]byte, len(v.operands))
	for i, o := range v.operands {
		contents[i] = p.content(v, i)
		if !o.written && !bytes.Equal(contents[i], o.content) {
			t.Fatalf("%s was written to", o.name)
		}
	}
	return contents
}

// check compares all operands, and looks at the guards.
func (p *placed) check(t *testing.T, v *invocation, want [][]byte, format string, args ...any) {
	t.Helper()
	for i, o := range v.operands {
		if got := p.content(v, i); !bytes.Equal(got, want[i]) {
			t.Errorf(format, args...)
			at := 0
			for got[at] == want[i][at] {
				at++
			}
			at &^= 7
			t.Fatalf("%s differs at byte %d of %d: % x, want % x", o.name, at, len(got), got[at:min(at+8, len(got))], want[i][at:min(at+8, len(got))])
		}
		before, behind := p.memory[:p.starts[i]], p.memory[p.starts[i]+len(o.content):]
		if !bytes.HasSuffix(before, guard) || !bytes.HasPrefix(behind, guard) {
			t.Errorf(format, args...)
			t.Fatalf("%s: wrote outside of it", o.name)
		}
	}
}

// everyContent is all kinds of rows.
var everyContent = []contents{ordinary, tinyNumbers, tinyResults, tinyAlone}

// forEachContract runs a test for every function, length up to the longest, and some kinds
// of rows.
func forEachContract(t *testing.T, longest int, kinds []contents, test func(t *testing.T, v *invocation, n int)) {
	for element, all := range contracts() {
		for i, c := range all {
			t.Run(fmt.Sprintf("%s[%s]#%d", c.name, element, i), func(t *testing.T) {
				for _, n := range c.lens {
					if n > longest {
						continue
					}
					for _, kind := range kinds {
						if n == longLen && kind != ordinary {
							continue // shorter rows of several blocks are computed in the same way
						}
						v := c.make(n, kind)
						test(t, &v, n)
						if t.Failed() {
							t.Fatalf("n = %d, %s", n, kind)
						}
					}
				}
			})
		}
	}
}

// TestContractAlignment moves operands by single bytes: each on its own, and all.
func TestContractAlignment(t *testing.T) {
	needMisaligned(t)
	previous := streamBytes
	streamBytes = storedBytes
	defer func() { streamBytes = previous }()
	longest := longLen
	if reduced() {
		longest = 200
	}
	forEachContract(t, longest, []contents{ordinary, tinyResults}, func(t *testing.T, v *invocation, n int) {
		want := v.expected(t)
		step := 1
		switch {
		case n > 1000:
			step = 30 // 1, 31, 61
		case n > 64:
			step = 9
		case reduced():
			step = 5
		}
		for _, k := range availableKernels() {
			if k == kernelGeneric && n > 200 {
				continue // it takes a hundred times as long, and elements as they come
			}
			useKernel(t, k)
			for shift := 1; shift < 64; shift += step {
				for moved := range len(v.operands) + 1 {
					if n == longLen && moved > 0 && moved < len(v.operands) {
						continue
					}
					p := v.place(func(operand int) int {
						if operand == moved || moved == len(v.operands) {
							return shift
						}
						return 0
					})
					v.call(p.at)
					p.check(t, v, want, "kernel %s, operand %d moved by %d bytes", k, moved, shift)
				}
			}
		}
	})
}

// TestContractSubnormalNumbers calls functions on threads that flush subnormal numbers.
func TestContractSubnormalNumbers(t *testing.T) {
	if len(fpcontrol.Modes()) == 0 {
		t.Skip("this build cannot make a thread flush subnormal numbers")
	}
	longest := longLen
	if reduced() {
		longest = 3 * 4096
	}
	forEachContract(t, longest, everyContent, func(t *testing.T, v *invocation, n int) {
		want := v.expected(t)
		for _, k := range availableKernels() {
			if k == kernelGeneric && n == longLen {
				continue // it takes a hundred times as long, and the same operations as for less
			}
			useKernel(t, k)
			for _, mode := range fpcontrol.Modes() {
				if n == longLen && mode != fpcontrol.Modes()[0] {
					continue
				}
				p := v.place(func(int) int { return 0 })
				fpcontrol.With(mode, func() { v.call(p.at) })
				p.check(t, v, want, "kernel %s, %+v", k, mode)
			}
		}
	})
}

// TestContractAliasing makes each operand share memory with each one that is written. The
// result must be right, or the function panic before it writes anything.
func TestContractAliasing(t *testing.T) {
	needMisaligned(t)
	forEachContract(t, 5000, []contents{ordinary}, func(t *testing.T, v *invocation, n int) {
		for i, dst := range v.operands {
			for j, other := range v.operands {
				if i == j || !dst.written || dst.name == "results" || other.name == "result" {
					continue // results are values, which the test stores
				}
				for _, apart := range []int{0, 1, 2, 4, 8, -1, -4, -8, 64, len(dst.content) / 2, len(dst.content) - 1, 1 - len(other.content)} {
					testAliasing(t, v, i, j, apart)
				}
			}
		}
	})
}

// testAliasing places operand other some bytes behind the start of operand dst.
func testAliasing(t *testing.T, v *invocation, dst, other, apart int) {
	sizes := len(v.operands[dst].content) + len(v.operands[other].content)
	shared := make([]byte, 3*sizes+256)
	start := sizes + 128 - int(uintptr(unsafe.Pointer(&shared[sizes]))%64)
	copy(shared[start:], v.operands[dst].content)
	copy(shared[start+apart:], v.operands[other].content)
	before := slices.Clone(shared)

	separate := invocation{slices.Clone(v.operands), v.call}
	separate.operands[dst].content = slices.Clone(before[start:][:len(v.operands[dst].content)])
	want := separate.expected(t)

	p := v.place(func(int) int { return 0 })
	p.at[dst], p.at[other] = unsafe.Pointer(&shared[start]), unsafe.Pointer(&shared[start+apart])
	message := func() (message any) {
		defer func() { message = recover() }()
		v.call(p.at)
		return nil
	}()
	names := fmt.Sprintf("%s %d bytes behind %s", v.operands[other].name, apart, v.operands[dst].name)
	switch text, _ := message.(string); {
	case message != nil && !strings.HasPrefix(text, "softmax: "):
		t.Fatalf("%s: panics with %v", names, message)
	case message != nil && !bytes.Equal(shared, before):
		t.Fatalf("%s: panics when something was written already: %s", names, text)
	case message == nil && !bytes.Equal(shared[start:][:len(want[dst])], want[dst]):
		t.Fatalf("%s: the result is not that for separate memory, and there is no panic", names)
	}
}

// TestContractConcurrent calls functions from several goroutines with the same inputs. The
// race detector sees an input that is written to.
func TestContractConcurrent(t *testing.T) {
	forEachContract(t, 5000, everyContent, func(t *testing.T, v *invocation, n int) {
		want := v.expected(t)
		shared := v.place(func(int) int { return 0 })
		results := make([]placed, 4)
		var all sync.WaitGroup
		for i := range results {
			results[i] = v.place(func(int) int { return 0 })
			addresses := slices.Clone(results[i].at)
			for j, o := range v.operands {
				if !o.written {
					addresses[j] = shared.at[j]
				}
			}
			all.Go(func() { v.call(addresses) })
		}
		all.Wait()
		for i := range results {
			results[i].check(t, v, want, "goroutine %d", i)
		}
	})
}
