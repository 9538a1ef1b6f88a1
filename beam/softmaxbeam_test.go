package softmaxbeam

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/mtime"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/window"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/passert"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/ptest"
	"github.com/seed174f7dca/softmax"
)

// TestMain makes ptest run pipelines on Prism, Beam's local runner, in this
// process.
func TestMain(m *testing.M) {
	log.LogLevel = "error"
	ptest.Main(m)
}

func init() {
	register.Function2x0(shards)
	register.Emitter1[int]()
	registerTestsFor[float32]()
	registerTestsFor[float64]()
}

func registerTestsFor[T float32 | float64]() {
	register.DoFn2x0[int, func(int, T)](&generate[T]{})
	register.DoFn1x2[sample[T], string, T](&split[T]{})
	register.DoFn1x3[sample[T], beam.EventTime, place, T](&splitTimed[T]{})
	register.DoFn1x1[sample[T], T](&dropKey[T]{})
	register.DoFn2x1[beam.X, T, string](&describe[T]{})
	register.DoFn1x1[T, string](&describeGlobal[T]{})
	register.DoFn2x1[int, *softmax.Accumulator[T], string](&describeState[T]{})
	register.Emitter2[int, T]()
}

// sample is an element of a small collection.
type sample[T float32 | float64] struct {
	Key    string
	Second int
	Logit  T
}

type split[T float32 | float64] struct{}

func (*split[T]) ProcessElement(s sample[T]) (string, T) { return s.Key, s.Logit }

type dropKey[T float32 | float64] struct{}

func (*dropKey[T]) ProcessElement(s sample[T]) T { return s.Logit }

// place is a key that is a struct.
type place struct {
	Document string
	Line     int
}

type splitTimed[T float32 | float64] struct{}

func (*splitTimed[T]) ProcessElement(s sample[T]) (beam.EventTime, place, T) {
	return mtime.FromTime(time.Unix(int64(s.Second), 0)), place{s.Key, len(s.Key)}, s.Logit
}

// The following DoFns turn results into lines, which are compared: they have the
// bits of a result, where -0 is not 0 and a NaN is itself.

type describe[T float32 | float64] struct{}

func (*describe[T]) ProcessElement(key beam.X, x T) string { return line(key, x) }

type describeGlobal[T float32 | float64] struct{}

func (*describeGlobal[T]) ProcessElement(x T) string { return line("all", x) }

type describeState[T float32 | float64] struct{}

func (*describeState[T]) ProcessElement(key int, a *softmax.Accumulator[T]) string {
	return stateLine(key, a)
}

func line[T float32 | float64](key any, x T) string {
	return fmt.Sprintf("%v: %v = %#x", key, x, bitsOf(x))
}

func stateLine[T float32 | float64](key int, a *softmax.Accumulator[T]) string {
	data, _ := a.MarshalBinary()
	return fmt.Sprintf("%d: %x", key, data)
}

func bitsOf[T float32 | float64](x T) uint64 {
	if x, ok := any(x).(float32); ok {
		return uint64(math.Float32bits(x))
	}
	return math.Float64bits(float64(x))
}

// oneByOne returns an accumulator to which logits were added as by AddInput.
func oneByOne[T float32 | float64](logits []T) *softmax.Accumulator[T] {
	a := new(softmax.Accumulator[T])
	for i := range logits {
		a.Add(logits[i : i+1])
	}
	return a
}

// transforms are the functions that are tested, with what they shall return for a
// key.
func transforms[T float32 | float64]() []transform[T] {
	return []transform[T]{
		{"LogSumExpPerKey", LogSumExpPerKey, func(a *softmax.Accumulator[T], _ []T) []T { return []T{a.LogSumExp()} }},
		{"SoftmaxPerKey", SoftmaxPerKey, func(a *softmax.Accumulator[T], logits []T) []T {
			p := make([]T, len(logits))
			a.Softmax(p, logits)
			return p
		}},
		{"LogSoftmaxPerKey", LogSoftmaxPerKey, func(a *softmax.Accumulator[T], logits []T) []T {
			y := make([]T, len(logits))
			a.LogSoftmax(y, logits)
			return y
		}},
	}
}

type transform[T float32 | float64] struct {
	name string
	of   func(beam.Scope, beam.PCollection) beam.PCollection
	want func(a *softmax.Accumulator[T], logits []T) []T
}

const (
	keys   = 1000
	shares = 50 // parts of the input, each of which is generated at once
)

// generated returns element i of the input of TestMillions. Some keys have logits
// close together, and some so far apart that most do not count.
func generated[T float32 | float64](i int) (key int, logit T) {
	// The finaliser of SplitMix64.
	h := uint64(i+1) * 0x9E3779B97F4A7C15
	h = (h ^ h>>30) * 0xBF58476D1CE4E5B9
	h = (h ^ h>>27) * 0x94D049BB133111EB
	h ^= h >> 31
	spread := [...]float64{1, 40, 700, 30000}[h%4]
	return int(h % keys), T(float64(int64(h)>>11) * 0x1p-52 * spread)
}

// shards emits the numbers of the shares.
func shards(_ []byte, emit func(int)) {
	for i := range shares {
		emit(i)
	}
}

// bundles is the number of bundles of generate that were started.
var bundles atomic.Int64

// generate emits a share of the input.
type generate[T float32 | float64] struct {
	Length  int // of the share
	Bundles int // how many there shall be
}

func (g *generate[T]) StartBundle(func(int, T)) { bundles.Add(1) }

func (g *generate[T]) ProcessElement(share int, emit func(int, T)) {
	// Prism makes all shares one bundle, and splits a bundle only when it gets
	// stuck.
	for giveUp := time.Now().Add(time.Minute); bundles.Load() < int64(g.Bundles) && time.Now().Before(giveUp); {
		time.Sleep(time.Millisecond)
	}
	for i := range g.Length {
		emit(generated[T](share*g.Length + i))
	}
}

// TestMillions compares the results for millions of logits of a thousand keys with
// those of one machine.
func TestMillions(t *testing.T) {
	t.Run("float32", func(t *testing.T) { testMillions[float32](t, 10_000_000) })
	t.Run("float64", func(t *testing.T) { testMillions[float64](t, 1_000_000) })
}

func testMillions[T float32 | float64](t *testing.T, count int) {
	length := count / shares
	if testing.Short() {
		length = 100_000 / shares
		t.Logf("-short: %d logits instead of %d", shares*length, count)
	}
	const atLeast = 3
	bundles.Store(0)
	gathered := make([][]T, keys)
	for i := range shares * length {
		key, logit := generated[T](i)
		gathered[key] = append(gathered[key], logit)
	}
	var results, states []string
	neighbours := 0
	for key, logits := range gathered {
		a := oneByOne(logits)
		results = append(results, line(key, a.LogSumExp()))
		states = append(states, stateLine(key, a))
		// It adds exponentials in blocks, so that its bits are not promised.
		switch got, want := a.LogSumExp(), softmax.LogSumExp(logits); apart(got, want) {
		case 0:
		case 1:
			neighbours++
		default:
			t.Errorf("key %d: log-sum-exp %v of logits one by one, softmax.LogSumExp %v", key, got, want)
		}
	}
	t.Logf("%d of %d log-sum-exps differ from those of softmax.LogSumExp in the last place", neighbours, keys)

	p, s := beam.NewPipelineWithRoot()
	numbers := beam.Reshuffle(s, beam.ParDo(s, shards, beam.Impulse(s)))
	logits := beam.ParDo(s, &generate[T]{length, atLeast}, numbers)
	passert.EqualsList(s, beam.ParDo(s, &describe[T]{}, LogSumExpPerKey(s, logits)), results)
	passert.EqualsList(s, beam.ParDo(s, &describeState[T]{}, beam.CombinePerKey(s, &AccumulateFn[T]{}, logits)), states)
	ptest.RunAndValidate(t, p)
	if n := bundles.Load(); n < atLeast {
		t.Errorf("the runner made %d bundles, want at least %d: accumulators were not merged", n, atLeast)
	}
}

// apart returns how many numbers there are from a to b, which have the same sign.
func apart[T float32 | float64](a, b T) uint64 {
	low, high := bitsOf(a), bitsOf(b)
	return max(low, high) - min(low, high)
}

// TestNormalize compares keys with few and with many logits with one machine.
func TestNormalize(t *testing.T) {
	t.Run("float32", testNormalize[float32])
	t.Run("float64", testNormalize[float64])
}

func testNormalize[T float32 | float64](t *testing.T) {
	rows := map[string][]T{}
	random := rand.New(rand.NewPCG(1, 2))
	for i, n := range []int{1, 2, 3, 10, 255, 256, 257, 512, 10000} {
		row := make([]T, n)
		for j := range row {
			row[j] = T(random.NormFloat64() * 5)
		}
		rows[fmt.Sprintf("key %d", i)] = row
	}
	testRows(t, rows)
}

// TestSpecialValues covers NaN, infinities, zeros, and logits for which e^x is
// infinite or 0.
func TestSpecialValues(t *testing.T) {
	t.Run("float32", testSpecialValues[float32])
	t.Run("float64", testSpecialValues[float64])
}

func testSpecialValues[T float32 | float64](t *testing.T) {
	inf, nan := T(math.Inf(1)), T(math.NaN())
	rows := map[string][]T{
		"NaN":           {1, nan, 2},
		"NaN, +Inf":     {inf, nan, -inf},
		"+Inf":          {1, inf, -inf},
		"+Inf twice":    {inf, inf},
		"-Inf":          {-inf},
		"-Inf twice":    {-inf, -inf},
		"masked":        {-inf, 1, -inf, 2},
		"zeros":         {0, T(math.Copysign(0, -1))},
		"large":         {10000, 10001, 9000, -10000},
		"small":         {-10000, -10001, -20000},
		"largest":       {T(math.MaxFloat32), -T(math.MaxFloat32)},
		"far apart":     {0, -50, -100, -700, -800},
		"far, then top": {-30000, -20000, 0, 30000},
	}
	testRows(t, rows)

	for key, want := range map[string]T{"NaN": nan, "NaN, +Inf": nan, "+Inf": inf, "-Inf": -inf, "-Inf twice": -inf} {
		if got := oneByOne(rows[key]).LogSumExp(); got != want && (got == got || want == want) {
			t.Errorf("log-sum-exp of %v: %v, want %v", rows[key], got, want)
		}
	}
}

// testRows compares the results of all transforms for rows with one machine.
func testRows[T float32 | float64](t *testing.T, rows map[string][]T) {
	var samples []sample[T]
	for key, row := range rows {
		for _, x := range row {
			samples = append(samples, sample[T]{Key: key, Logit: x})
		}
	}
	rand.Shuffle(len(samples), func(i, j int) { samples[i], samples[j] = samples[j], samples[i] })
	for _, f := range transforms[T]() {
		t.Run(f.name, func(t *testing.T) {
			var want []string
			for key, row := range rows {
				for _, x := range f.want(oneByOne(row), row) {
					want = append(want, line(key, x))
				}
			}
			p, s := beam.NewPipelineWithRoot()
			logits := beam.ParDo(s, &split[T]{}, beam.CreateList(s, samples))
			passert.EqualsList(s, beam.ParDo(s, &describe[T]{}, f.of(s, logits)), want)
			ptest.RunAndValidate(t, p)
		})
	}
}

// TestWindows wants a total for each window and key, where the key is a struct.
func TestWindows(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	type group struct {
		place
		window int
	}
	var samples []sample[float64]
	rows := map[group][]float64{}
	for range 500 {
		s := sample[float64]{Key: strings.Repeat("k", 1+random.IntN(3)), Second: random.IntN(100), Logit: random.NormFloat64()}
		samples = append(samples, s)
		g := group{place{s.Key, len(s.Key)}, s.Second / 10}
		rows[g] = append(rows[g], s.Logit)
	}
	for _, f := range transforms[float64]() {
		t.Run(f.name, func(t *testing.T) {
			var want []string
			for g, row := range rows {
				for _, x := range f.want(oneByOne(row), row) {
					want = append(want, line(g.place, x))
				}
			}
			p, s := beam.NewPipelineWithRoot()
			logits := beam.ParDo(s, &splitTimed[float64]{}, beam.CreateList(s, samples))
			windows := beam.WindowInto(s, window.NewFixedWindows(10*time.Second), logits)
			lines := beam.ParDo(s, &describe[float64]{}, f.of(s, windows))
			passert.EqualsList(s, beam.WindowInto(s, window.NewGlobalWindows(), lines), want)
			ptest.RunAndValidate(t, p)
		})
	}
}

// TestGlobal combines collections without keys.
func TestGlobal(t *testing.T) {
	t.Run("float32", testGlobal[float32])
	t.Run("float64", testGlobal[float64])
}

func testGlobal[T float32 | float64](t *testing.T) {
	var samples []sample[T]
	var logits []T
	for i := range 1000 {
		_, x := generated[T](i)
		samples, logits = append(samples, sample[T]{Logit: x}), append(logits, x)
	}
	p, s := beam.NewPipelineWithRoot()
	sum := beam.Combine(s, &LogSumExpFn[T]{}, beam.ParDo(s, &dropKey[T]{}, beam.CreateList(s, samples)))
	passert.Equals(s, beam.ParDo(s, &describeGlobal[T]{}, sum), line("all", oneByOne(logits).LogSumExp()))
	ptest.RunAndValidate(t, p)
}

// TestEmpty wants nothing for nothing.
func TestEmpty(t *testing.T) {
	p, s := beam.NewPipelineWithRoot()
	none := beam.CreateList(s, []sample[float32]{})
	for _, f := range transforms[float32]() {
		passert.Empty(s, f.of(s, beam.ParDo(s, &split[float32]{}, none)))
	}
	logits := beam.ParDo(s, &dropKey[float32]{}, none)
	passert.Empty(s, beam.Combine(s, &LogSumExpFn[float32]{}, logits))
	passert.Empty(s, beam.Combine(s, &AccumulateFn[float32]{}, logits))
	ptest.RunAndValidate(t, p)
}

// TestMergeInAnyOrder calls a CombineFn as runners do: in bundles of any size, that
// are merged in any order.
func TestMergeInAnyOrder(t *testing.T) {
	fn := &LogSumExpFn[float64]{}
	for round := range 100 {
		random := rand.New(rand.NewPCG(5, uint64(round)))
		var logits []float64
		for i := range 100 {
			_, x := generated[float64](100*round + i)
			logits = append(logits, x)
		}
		want := oneByOne(logits)
		random.Shuffle(len(logits), func(i, j int) { logits[i], logits[j] = logits[j], logits[i] })
		accumulators := []*softmax.Accumulator[float64]{fn.CreateAccumulator()}
		for _, x := range logits {
			if random.IntN(10) == 0 {
				accumulators = append(accumulators, fn.CreateAccumulator())
			}
			i := random.IntN(len(accumulators))
			accumulators[i] = fn.AddInput(accumulators[i], x)
		}
		for len(accumulators) > 1 {
			i := 1 + random.IntN(len(accumulators)-1)
			accumulators[0] = fn.MergeAccumulators(accumulators[i], accumulators[0])
			accumulators = slices.Delete(accumulators, i, i+1)
		}
		if *accumulators[0] != *want {
			t.Fatalf("round %d: %+v, want %+v", round, *accumulators[0], *want)
		}
		if got := fn.ExtractOutput(accumulators[0]); got != want.LogSumExp() {
			t.Errorf("round %d: ExtractOutput gives %v, want %v", round, got, want.LogSumExp())
		}
	}
}

// TestCoder sends accumulators through Beam's coder, and damages them on the way.
func TestCoder(t *testing.T) {
	t.Run("float32", testCoder[float32, float64])
	t.Run("float64", testCoder[float64, float32])
}

func testCoder[T, Other float32 | float64](t *testing.T) {
	kind := reflect.TypeFor[*softmax.Accumulator[T]]()
	decode := func(kind reflect.Type, data []byte) (any, error) {
		return beam.NewElementDecoder(kind).Decode(bytes.NewReader(data))
	}
	for _, logits := range [][]T{nil, {1}, {1, 2, -30000}, {T(math.Inf(1))}, {T(math.NaN())}} {
		want := oneByOne(logits)
		var encoded bytes.Buffer
		if err := beam.NewElementEncoder(kind).Encode(want, &encoded); err != nil {
			t.Fatal(err)
		}
		data := encoded.Bytes()
		got, err := decode(kind, data)
		if err != nil {
			t.Fatal(err)
		}
		if a, b := stateLine(0, got.(*softmax.Accumulator[T])), stateLine(0, want); a != b {
			t.Errorf("%v: came back as %s, want %s", logits, a, b)
		}
		for i := range 8 * len(data) {
			data[i/8] ^= 1 << (i % 8)
			if got, err := decode(kind, data); err == nil {
				t.Errorf("%v, bit %d flipped: decoded as %v, want an error", logits, i, got)
			}
			data[i/8] ^= 1 << (i % 8)
		}
		for n := range data {
			if got, err := decode(kind, data[:n]); err == nil {
				t.Errorf("%v, first %d of %d bytes: decoded as %v, want an error", logits, n, len(data), got)
			}
		}
		if got, err := decode(reflect.TypeFor[*softmax.Accumulator[Other]](), data); err == nil {
			t.Errorf("%v: decoded as a %T, want an error", logits, got)
		}
	}
}

// TestWrongTypes wants a panic for collections that are not of keyed logits.
func TestWrongTypes(t *testing.T) {
	_, s := beam.NewPipelineWithRoot()
	for _, logits := range []beam.PCollection{
		beam.Create(s, float32(1)),
		beam.AddFixedKey(s, beam.Create(s, 1)),
		beam.GroupByKey(s, beam.AddFixedKey(s, beam.Create(s, float32(1)))),
	} {
		for _, f := range transforms[float32]() {
			want := fmt.Sprintf("softmaxbeam.%s: logits are of type %v, want KV<K, float32> or KV<K, float64>", f.name, logits.Type())
			if got := panicOf(func() { f.of(s, logits) }); got != want {
				t.Errorf("%s of %v: panic %q, want %q", f.name, logits.Type(), got, want)
			}
		}
	}
}

// TestWrongTotals wants logits to fail that are not those of the total.
func TestWrongTotals(t *testing.T) {
	run := func(logits []float32, totals ...*softmax.Accumulator[float32]) (emitted int, err error) {
		err = (&normalizeFn[float32]{}).ProcessElement("key", over(totals), over(logits), func(beam.X, float32) { emitted++ })
		return emitted, err
	}
	total := oneByOne([]float32{1, 2})
	if n, err := run([]float32{1, 2}, total); n != 2 || err != nil {
		t.Errorf("right total: %d results, error %v", n, err)
	}
	if n, err := run([]float32{1, 2}); n != 0 || err == nil || !strings.Contains(err.Error(), "has logits but no total") {
		t.Errorf("no total: %d results, error %v", n, err)
	}
	if n, err := run([]float32{1, 2}, total, total); n != 0 || err == nil || !strings.Contains(err.Error(), "more than one total") {
		t.Errorf("two totals: %d results, error %v", n, err)
	}
	got := panicOf(func() { _, _ = run([]float32{1, 3}, total) })
	if !strings.Contains(got, "src[1]=3 was not added") {
		t.Errorf("another logit: panic %q", got)
	}
}

// over returns an iterator of Beam's kind.
func over[E any](elements []E) func(*E) bool {
	return func(e *E) bool {
		if len(elements) == 0 {
			return false
		}
		*e, elements = elements[0], elements[1:]
		return true
	}
}

// panicOf returns what f panics with.
func panicOf(f func()) (message string) {
	defer func() { message = fmt.Sprint(recover()) }()
	f()
	return ""
}
