package softmax

import (
	"bytes"
	"encoding"
	"encoding/binary"
	"encoding/gob"
	"fmt"
	"hash/crc32"
	"math"
	"slices"
	"strings"
	"testing"
)

var (
	_ encoding.BinaryMarshaler   = (*Accumulator[float32])(nil)
	_ encoding.BinaryAppender    = (*Accumulator[float32])(nil)
	_ encoding.BinaryUnmarshaler = (*Accumulator[float32])(nil)
)

// accumulated returns the accumulator of shards, merged in any order.
func accumulated[T native](r *rng, shards [][]T) Accumulator[T] {
	var a Accumulator[T]
	if len(shards) < 2 {
		for _, shard := range shards {
			a.Add(shard)
		}
		return a
	}
	shuffled := slices.Clone(shards)
	for i := range shuffled {
		j := r.Intn(i + 1)
		shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
	}
	if r.Intn(3) == 0 {
		for _, shard := range shuffled {
			a.Add(shard)
		}
		return a
	}
	cut := 1 + r.Intn(len(shards)-1)
	a = accumulated(r, shuffled[:cut])
	b := accumulated(r, shuffled[cut:])
	if r.Intn(2) == 0 { // through the format
		data, _ := b.MarshalBinary()
		b = Accumulator[T]{}
		if err := b.UnmarshalBinary(data); err != nil {
			panic(err)
		}
	}
	a.Merge(&b)
	return a
}

// cutAt returns the shards of a row that are of lengths up to n, or exactly that.
func cutAt[T native](r *rng, row []T, n int, exactly bool) (shards [][]T) {
	for len(row) > 0 {
		length := n
		if !exactly {
			length = 1 + r.Intn(n)
		}
		length = min(length, len(row))
		shards = append(shards, row[:length])
		row = row[length:]
	}
	return shards
}

// TestAccumulatorBits cuts rows where blocks start.
func TestAccumulatorBits(t *testing.T) {
	forEachKernelAndType(t, testAccumulatorBits[float32], testAccumulatorBits[float64])
}

func testAccumulatorBits[T native](t *testing.T, k kernel) {
	useKernel(t, k)
	r, block := rng(32), blockLen[T]()
	for i, family := range familiesOf[T]() {
		for j, n := range []int{1, 7, 100, block - 1, block, block + 1, 3*block + 5, 9 * block, storedBytes/blockBytes*block + 77} {
			if n > block && !chosen(i+j, 4) || n > 10*block && (!chosen(i, 20) || i%5 > 0) {
				continue
			}
			row := family.MakeRow(n, uint64(i))
			want, got := make([]T, n), make([]T, n)
			a := accumulated(&r, cutAt(&r, row, block*(1+r.Intn(3)), true))
			Softmax(want, row)
			normalise := func(method func(dst, src []T), name string) {
				copy(got, row)
				for _, shard := range cutAt(&r, got, max(1, n/2), false) {
					method(shard, shard)
				}
				checkBits(t, got, want, row, "%s, n=%d: %s", family.Name, n, name)
				method(got, row)
				checkBits(t, got, want, row, "%s, n=%d: %s at once", family.Name, n, name)
			}
			normalise(a.Softmax, "Softmax")
			LogSoftmax(want, row)
			normalise(a.LogSoftmax, "LogSoftmax")
			checkBits(t, []T{a.LogSumExp()}, []T{LogSumExp(row)}, row[:1], "%s, n=%d: LogSumExp", family.Name, n)
		}
	}
}

// TestAccumulatorOrder merges shards of any lengths in many orders.
func TestAccumulatorOrder(t *testing.T) {
	forEachKernelAndType(t, testAccumulatorOrder[float32], testAccumulatorOrder[float64])
}

func testAccumulatorOrder[T native](t *testing.T, k kernel) {
	r, orders := rng(33), 300
	if reduced() {
		orders = 20
	}
	for i, family := range familiesOf[T]() {
		for _, n := range []int{20, 300, 3 * blockLen[T]()} {
			useKernel(t, kernelGeneric)
			row := family.MakeRow(n, uint64(n+i))
			// Longer distances than those of a family.
			for range r.Intn(4) {
				row[r.Intn(n)] += T(r.Intn(1 << 16))
			}
			shards := append(cutAt(&r, row, max(8, n/8), false), nil)
			want := accumulated(&r, shards)
			wantBytes, _ := want.MarshalBinary()
			useKernel(t, k)
			for range orders / min(10, 1+n/100) {
				got := accumulated(&r, shards)
				data, _ := got.MarshalBinary()
				if got != want && !isNaN(want.logits.top) || !bytes.Equal(data, wantBytes) {
					t.Fatalf("%s, n=%d, another order: %+v, want %+v", family.Name, n, got, want)
				}
			}
		}
	}
}

// TestAccumulatorAccuracy adds logits singly, and in shards of any length.
func TestAccumulatorAccuracy(t *testing.T) {
	forEachType(t, testAccumulatorAccuracy[float32], testAccumulatorAccuracy[float64])
}

func testAccumulatorAccuracy[T native](t *testing.T) {
	r := rng(34)
	for _, family := range append(accuracyFamilies[T](), familyNamed[T]("anchors")) {
		for _, n := range []int{10, 1000, 20_000} {
			if n > 1000 && reduced() {
				break
			}
			for _, length := range []int{1, n/3 + 1} {
				row := family.MakeRow(n, uint64(n))
				a := accumulated(&r, cutAt(&r, row, length, false))
				got, exact := make([]T, n), exactRowOf(row)
				a.Softmax(got, row)
				for i, x := range row {
					if d := ulps(got[i], exact.softmax(x)); !(d <= maxULP) {
						t.Fatalf("%s, n=%d, up to %d at a time: %v is off by %.3f ULP", family.Name, n, length, got[i], d)
					}
				}
				sum := a.LogSumExp()
				if d := logULPs(sum, exact.logSumExp()); !(d <= maxULP) {
					t.Fatalf("%s, n=%d, up to %d at a time: log-sum-exp %v is off by %.3f ULP", family.Name, n, length, sum, d)
				}
			}
		}
	}
}

func TestAccumulatorSpecialValues(t *testing.T) {
	forEachKernelAndType(t, testAccumulatorSpecialValues[float32], testAccumulatorSpecialValues[float64])
}

func testAccumulatorSpecialValues[T native](t *testing.T, k kernel) {
	useKernel(t, k)
	negInf, posInf, none := infinity[T](-1), infinity[T](1), []T(nil)
	for _, test := range []struct {
		name      string
		shards    [][]T
		sum       T
		undefined bool
	}{
		{"nothing", nil, negInf, true},
		{"empty shards", [][]T{none, {}}, negInf, true},
		{"-Inf", [][]T{{negInf}, {negInf, negInf}}, negInf, true},
		{"a number", [][]T{{negInf}, {-3.5}, none}, -3.5, false},
		{"a huge one", [][]T{{largest[T]()}, {-largest[T]()}}, largest[T](), false},
		{"+Inf", [][]T{{1}, {posInf, 1}, {2}}, posInf, true},
		{"NaN", [][]T{{1}, {fromBits[T](bitsOf(nan[T]()) | 5)}, {2}}, nan[T](), true},
		{"NaN and +Inf", [][]T{{posInf}, {nan[T]()}, {posInf}}, nan[T](), true},
		{"NaN beside -Inf", [][]T{{negInf, nan[T]()}}, nan[T](), true},
		{"NaN beside +Inf", [][]T{{posInf, nan[T](), posInf}}, nan[T](), true},
		{"zeros", [][]T{{T(math.Copysign(0, -1))}, {negInf}}, 0, false},
	} {
		a := accumulated(new(rng), test.shards)
		checkBits(t, []T{a.LogSumExp()}, []T{test.sum}, []T{0}, "%s: LogSumExp", test.name)
		src, dst := []T{negInf}, []T{7}
		want := []T{0}
		if test.undefined {
			want[0] = nan[T]()
		}
		a.Softmax(dst, src)
		checkBits(t, dst, want, src, "%s: Softmax", test.name)
		if !test.undefined {
			want[0] = negInf
		}
		a.LogSoftmax(dst, src)
		checkBits(t, dst, want, src, "%s: LogSoftmax", test.name)
		a.Softmax(none, none)
		if a.Reset(); a != (Accumulator[T]{}) {
			t.Errorf("%s: not empty after Reset", test.name)
		}
	}
	var a Accumulator[T]
	a.Add([]T{1, 2})
	if a.Merge(&a); a.LogSumExp() != LogSumExp([]T{1, 1, 2, 2}) {
		t.Errorf("merged with itself: %v", a.LogSumExp())
	}
}

func TestAccumulatorPanics(t *testing.T) {
	var a Accumulator[float32]
	a.Add([]float32{1, 3})
	row := []float32{1, 2, 3}
	long := make([]float32, blockLen[float32]()+3)
	long[len(long)-1] = 3.5
	negInf := float32(math.Inf(-1))
	var empty Accumulator[float32]
	for _, test := range []struct {
		a        *Accumulator[float32]
		dst, src []float32
		want     string
	}{
		{&a, row[:2], row, "len(dst)=2, len(src)=3"},
		{&a, row[:2], row[1:], "dst and src overlap without being the same slice"},
		{&a, long, long, "src[4098]=3.5 was not added: the largest logit is 3"},
		{&a, row, []float32{0, float32(math.NaN()), 0}, "src[1]=NaN was not added: the largest logit is 3"},
		{&a, row, []float32{0, 0, float32(math.Inf(1))}, "src[2]=+Inf was not added: the largest logit is 3"},
		{&empty, row, []float32{negInf, 0, 0}, "src[1]=0 was not added: the largest logit is -Inf"},
	} {
		for method, call := range map[string]func(dst, src []float32){"Softmax": test.a.Softmax, "LogSoftmax": test.a.LogSoftmax} {
			before := slices.Clone(test.dst)
			func() {
				defer func() {
					want := "softmax: Accumulator." + method + ": " + test.want
					if got := recover(); got != want {
						t.Errorf("panic %v, want %q", got, want)
					}
				}()
				call(test.dst, test.src)
			}()
			checkBits(t, test.dst, before, before, "%s: after the panic %q", method, test.want)
		}
	}
}

func TestAccumulatorBinary(t *testing.T) {
	forEachType(t, testAccumulatorBinary[float32], testAccumulatorBinary[float64])
}

func testAccumulatorBinary[T native](t *testing.T) {
	r := rng(35)
	states := []Accumulator[T]{{}}
	for i, family := range familiesOf[T]() {
		for _, n := range []int{1, 2, 40, 3 * blockLen[T]()} {
			states = append(states, accumulated(&r, cutAt(&r, family.MakeRow(n, uint64(i)), 1+n/3, false)))
		}
	}
	kept := states[len(states)/2]
	for _, a := range states {
		data, err := a.MarshalBinary()
		if err != nil || len(data) < 20 || len(data) > 156 {
			t.Fatalf("%+v: %d bytes, error %v", a, len(data), err)
		}
		appended, _ := a.AppendBinary([]byte("before"))
		if string(appended) != "before"+string(data) {
			t.Fatalf("%+v: AppendBinary gave other bytes", a)
		}
		got := kept
		if err := got.UnmarshalBinary(data); err != nil {
			t.Fatalf("%+v: %v", a, err)
		}
		if got != a && !isNaN(a.logits.top) {
			t.Fatalf("%+v became %+v", a, got)
		}
		wrong := func(data []byte, format string, args ...any) {
			t.Helper()
			got := kept
			if err := got.UnmarshalBinary(data); err == nil || !strings.HasPrefix(err.Error(), "softmax: Accumulator.UnmarshalBinary: ") {
				t.Fatalf("%+v, %s: error %v", a, fmt.Sprintf(format, args...), err)
			}
			if got != kept {
				t.Fatalf("%+v, %s: the receiver has changed", a, fmt.Sprintf(format, args...))
			}
		}
		for i := range data {
			wrong(data[:i], "%d of %d bytes", i, len(data))
			damaged := slices.Clone(data)
			damaged[i] ^= 1 << r.Intn(8)
			wrong(damaged, "byte %d damaged", i)
			// A right checksum does not make a state of any bytes.
			binary.LittleEndian.PutUint32(damaged[len(data)-4:], crc32.Checksum(damaged[:len(data)-4], binaryTable))
			got := kept
			if err := got.UnmarshalBinary(damaged); err == nil {
				got.LogSumExp()
				got.Add([]T{1, 2, 3})
				got.Merge(&kept)
			}
		}
		wrong(append(slices.Clone(data), 0), "a byte more")
	}
}

// TestAccumulatorForeign reads what other programs, types and versions write.
func TestAccumulatorForeign(t *testing.T) {
	var narrow Accumulator[float32]
	var wide Accumulator[float64]
	narrow.Add([]float32{1, 2})
	data, _ := narrow.MarshalBinary()
	if err := wide.UnmarshalBinary(data); err == nil || err.Error() != "softmax: Accumulator.UnmarshalBinary: elements of 4 bytes, want 8" {
		t.Errorf("float32 read as float64: %v", err)
	}
	data[4] = 2
	if err := narrow.UnmarshalBinary(data); err == nil || err.Error() != "softmax: Accumulator.UnmarshalBinary: version 2, want 1" {
		t.Errorf("version 2: %v", err)
	}
	if err := narrow.UnmarshalBinary([]byte("a text of some other kind")); err == nil || err.Error() != "softmax: Accumulator.UnmarshalBinary: 25 bytes are not the state of an accumulator" {
		t.Errorf("a text: %v", err)
	}
}

// TestAccumulatorFormat is the format on record: it may only change with its version.
func TestAccumulatorFormat(t *testing.T) {
	var a Accumulator[float32]
	a.Add([]float32{2, 1, 0.1})
	one, _ := a.MarshalBinary()
	a.Add([]float32{3})
	a.Add([]float32{20000})
	a.Add([]float32{30000, 29999})
	a.Add([]float32{29998})
	many, _ := a.MarshalBinary()
	for _, test := range []struct{ got, want string }{
		{fmt.Sprintf("%x", one), "736d6178010401000000000000000040c3ffffff000000d45b64f8430000000000000000de943af0"},
		{fmt.Sprintf("%x", many), "736d61780104020100000000004cdd407a00000004b3030000000000000000000000000000000000000080810100000000000000" +
			"000000000000000000000000000000000000000000000000000000000000000021140000000000e048feed43000000000000000019167f3c"},
	} {
		if test.got != test.want {
			t.Errorf("got %s, want %s", test.got, test.want)
		}
	}
}

// TestAccumulatorGob sends accumulators as a part of something else.
func TestAccumulatorGob(t *testing.T) {
	type message struct {
		Shard int
		State *Accumulator[float64]
	}
	var state Accumulator[float64]
	state.Add([]float64{1, 2, 3})
	var wire bytes.Buffer
	var got message
	if err := gob.NewEncoder(&wire).Encode(message{7, &state}); err != nil {
		t.Fatal(err)
	}
	if err := gob.NewDecoder(&wire).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.Shard != 7 || *got.State != state {
		t.Errorf("got %+v", got)
	}
}

func TestAccumulatorAllocations(t *testing.T) {
	forEachKernelAndType(t, testAccumulatorAllocations[float32], testAccumulatorAllocations[float64])
}

func testAccumulatorAllocations[T native](t *testing.T, k kernel) {
	useKernel(t, k)
	if allocs := testing.AllocsPerRun(100, func() {
		var a, b Accumulator[T]
		var buffer, out [100]T
		var data [200]byte
		buffer[3] = T(kept)
		a.Add(buffer[:])
		b.Add(buffer[:50])
		a.Merge(&b)
		written, _ := a.AppendBinary(data[:0])
		if b.UnmarshalBinary(written) != nil {
			panic("UnmarshalBinary")
		}
		b.Softmax(out[:], buffer[:])
		b.LogSoftmax(buffer[:], buffer[:])
		kept = float64(buffer[0]+out[1]) + float64(b.LogSumExp())
	}); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

// TestAccumulatorEqualAfterNaN compares accumulators with a NaN as the documentation says
// that they can be compared.
func TestAccumulatorEqualAfterNaN(t *testing.T) {
	forEachType(t, testAccumulatorEqualAfterNaN[float32], testAccumulatorEqualAfterNaN[float64])
}

func testAccumulatorEqualAfterNaN[T native](t *testing.T) {
	var a, b Accumulator[T]
	a.Add([]T{1, nan[T](), 2})
	b.Add([]T{3, infinity[T](1)})
	b.Add([]T{nan[T]()})
	if copied := a; copied != a {
		t.Error("a copy is not equal")
	}
	if a != b {
		t.Error("after a NaN nothing else counts, but accumulators are not equal")
	}
	if b.Merge(&a); b != a {
		t.Error("merged accumulators are not equal")
	}
	if sum := a.LogSumExp(); bitsOf(sum) != bitsOf(nan[T]()) {
		t.Errorf("LogSumExp is %v", sum)
	}
}

// TestAccumulatorOfZeros compares the bytes of accumulators of 0 and -0.
func TestAccumulatorOfZeros(t *testing.T) {
	var a, b Accumulator[float64]
	a.Add([]float64{0})
	b.Add([]float64{math.Copysign(0, -1)})
	positive, _ := a.MarshalBinary()
	negative, _ := b.MarshalBinary()
	if !bytes.Equal(positive, negative) {
		t.Errorf("0 gives % x, -0 % x", positive, negative)
	}
	// -0 is no state of an accumulator: its bytes would be others than those of 0.
	positive[15] = 0x80
	binary.LittleEndian.PutUint32(positive[len(positive)-4:], checksum(positive[:len(positive)-4]))
	if err := b.UnmarshalBinary(positive); err == nil {
		t.Error("-0 as the largest logit is accepted")
	}
}

// TestAccumulatorNotAdded names the logit that was not added: a subnormal one above the
// largest is not known to be missing.
func TestAccumulatorNotAdded(t *testing.T) {
	var a Accumulator[float32]
	a.Add([]float32{1e-45, 2e-45})
	defer func() {
		const want = "softmax: Accumulator.Softmax: src[1]=5 was not added: the largest logit is 0"
		if got := recover(); got != want {
			t.Errorf("got %v, want %s", got, want)
		}
	}()
	a.Softmax(make([]float32, 2), []float32{3e-45, 5})
}
