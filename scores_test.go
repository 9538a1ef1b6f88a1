package softmax

// This file checks attention scores against the same steps in loops of their own.

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"unsafe"
)

// referenceScores is Scores.Softmax in separate loops, each step rounded on its own.
func referenceScores(s *Scores, dst, src Matrix[float32]) {
	negInf := infinity[float32](-1)
	for r := range src.Rows {
		row := slices.Clone(src.Data[r*src.Stride:][:src.Cols])
		position := s.Offset + r
		removed := make([]bool, len(row))
		if s.Scale != 0 {
			for c, x := range row {
				row[c] = float32(x * s.Scale)
			}
		}
		if s.Softcap != 0 {
			for c, x := range row {
				y := tanh32(float32(x / s.Softcap))
				row[c] = float32(s.Softcap * y)
			}
		}
		if s.Slope != 0 {
			for c, x := range row {
				less := float32(s.Slope * float32(max(position-c, c-position)))
				row[c] = float32(x - less)
			}
		}
		if s.Bias.Rows > 0 {
			bias := s.Bias.Data[:src.Cols]
			if s.Bias.Rows > 1 {
				bias = s.Bias.Data[r*s.Bias.Stride:][:src.Cols]
			}
			for c, x := range row {
				row[c] = float32(x + bias[c])
				removed[c] = bias[c] == negInf
			}
		}
		switch len(s.Keep) {
		case 0:
		case src.Cols:
			for c, kept := range s.Keep {
				removed[c] = removed[c] || !kept
			}
		default:
			for c := range row {
				removed[c] = removed[c] || !s.Keep[r*src.Cols+c]
			}
		}
		if s.Causal {
			for c := range row {
				removed[c] = removed[c] || c > position || s.Window > 0 && c <= position-s.Window
			}
		}
		for c := range row {
			if removed[c] {
				row[c] = negInf
			}
		}
		empty := maxOf(row) == negInf
		if s.Sink == nil {
			softmaxRow(kernelGeneric, row, row)
		} else {
			softmaxWithSink(row, *s.Sink)
		}
		for c := range removed {
			if empty || removed[c] && isNaN(row[c]) {
				row[c] = 0
			}
		}
		copy(dst.Data[r*dst.Stride:][:dst.Cols], row)
	}
}

// softmaxWithSink computes the softmax of a row, and of a sink as a shard of its own.
func softmaxWithSink(row []float32, sink float32) {
	scan := newScan[float32]()
	for _, shard := range [][]float32{row, {sink}} {
		addRow(kernelGeneric, &scan, rowSource[float32, float32]{elements: shard})
	}
	total := scan.total()
	total.write(kernelGeneric, row, row, false)
}

// attention is a Scores and the logits for it, which lie without gaps.
type attention struct {
	Scores
	name       string
	logits     []float32
	rows, cols int
}

// newAttention returns one whose fields are not set.
func newAttention(f family[float32], rows, cols int, seed uint64) *attention {
	a := &attention{rows: rows, cols: cols, logits: make([]float32, rows*cols)}
	a.name = fmt.Sprintf("%s, seed %d, %d x %d", f.Name, seed, rows, cols)
	for row := range rows {
		f.FillRow(a.logits[row*cols:][:cols], seed+uint64(row))
	}
	return a
}

// A set of fields has a bit for each.
const (
	withScale = 1 << iota
	withSoftcap
	withSlope
	withBias
	withKeep
	withCausal
	withWindow
	withSink
	allFields = 1<<iota - 1
)

// sinks are logits from one that adds nothing to one that leaves nothing to the
// others, on both sides of exactLimit and its half.
var sinks = []float32{
	float32(math.Inf(-1)), -math.MaxFloat32, -20000, -200, -5, 0, 3, 30, 200, 9000, 20000, 1e30, math.MaxFloat32,
}

// set sets fields, to values that the generator chooses.
func (a *attention) set(r *rng, fields int) {
	rows, cols := a.rows, a.cols
	numbers := &scoringNumbers
	if fields&withScale != 0 {
		a.Scale = choose(r, numbers.scales, true)
	}
	if fields&withSoftcap != 0 {
		a.Softcap = choose(r, numbers.softcaps, true)
	}
	if fields&withSlope != 0 {
		a.Slope = choose(r, numbers.slopes, true)
	}
	if fields&withBias != 0 {
		a.Bias = Matrix[float32]{Rows: rows, Cols: cols, Stride: cols + r.Intn(9)}
		if r.Intn(2) == 0 {
			a.Bias.Rows = 1
		}
		a.Bias.Data = make([]float32, a.Bias.Rows*a.Bias.Stride)
		families := familiesOf[float32]()
		f := familyNamed[float32]("mask-inf")
		if r.Intn(3) == 0 {
			f = families[r.Intn(len(families))]
		}
		for row := range a.Bias.Rows {
			f.FillRow(a.Bias.Data[row*a.Bias.Stride:][:a.Bias.Stride], r.Next())
		}
	}
	if fields&withKeep != 0 {
		a.Keep = makeKeep(r, cols*(1+r.Intn(2)*(rows-1)))
	}
	if fields&(withCausal|withSlope) != 0 && r.Intn(3) > 0 {
		a.Offset = r.Intn(cols + 3)
	}
	if fields&withCausal != 0 {
		a.Causal = true
		if fields&withWindow != 0 {
			a.Window = 1 + r.Intn(cols+5)
		}
	}
	if fields&withSink != 0 {
		a.Sink = &sinks[r.Intn(len(sinks))]
	}
}

// describe returns what the fields are, for a message.
func (a *attention) describe() string {
	sink := "none"
	if a.Sink != nil {
		sink = fmt.Sprint(*a.Sink)
	}
	return fmt.Sprintf("%s, Scale=%g, Softcap=%g, Slope=%g, %d rows of Bias, len(Keep)=%d, Causal=%t, Offset=%d, Window=%d, Sink=%s",
		a.name, a.Scale, a.Softcap, a.Slope, a.Bias.Rows, len(a.Keep), a.Causal, a.Offset, a.Window, sink)
}

// check compares Softmax with the reference, out of place and in place, at alignments
// and with strides that depend on layout. Nothing else may be written.
func (a *attention) check(t *testing.T, layout int) {
	t.Helper()
	rows, cols := a.rows, a.cols
	results := make([]float32, rows*cols)
	tight := func(data []float32) Matrix[float32] { return Matrix[float32]{data, rows, cols, cols} }
	referenceScores(&a.Scores, tight(results), tight(a.logits))

	before := a.Scores
	before.Bias.Data, before.Keep = slices.Clone(a.Bias.Data), slices.Clone(a.Keep)
	place := func(stride, offset int) (*buffer[float32], Matrix[float32]) {
		size := (rows-1)*stride + cols
		b := newBuffer[float32](size)
		return b, Matrix[float32]{b.slice(size, offset), rows, cols, stride}
	}
	fill := func(m Matrix[float32], from []float32) {
		for row := range rows {
			copy(m.Data[row*m.Stride:][:cols], from[row*cols:])
		}
	}
	srcBuffer, src := place(cols+layout%5, layout)
	dstBuffer, dst := place(cols+layout%7, layout*3)
	want, wantInPlace := slices.Clone(dst.Data), slices.Clone(src.Data)
	fill(src, a.logits)
	logits := slices.Clone(src.Data)
	fill(Matrix[float32]{want, rows, cols, dst.Stride}, results)
	fill(Matrix[float32]{wantInPlace, rows, cols, src.Stride}, results)

	a.Softmax(dst, src)
	if difference(dst.Data, want) >= 0 {
		for row := range rows {
			at := row * dst.Stride
			checkBits(t, dst.Data[at:][:cols], want[at:][:cols], a.logits[row*cols:], "%s: row %d", a.describe(), row)
		}
		t.Fatalf("%s: wrote between rows", a.describe())
	}
	dstBuffer.check(t, "%s", a.describe())
	checkBits(t, src.Data, logits, logits, "%s: src changed", a.describe())
	checkBits(t, a.Bias.Data, before.Bias.Data, before.Bias.Data, "%s: Bias changed", a.describe())
	if !slices.Equal(a.Keep, before.Keep) {
		t.Fatalf("%s: Keep changed", a.describe())
	}
	checkSubnormals(t, a.describe())
	a.Softmax(src, src)
	checkBits(t, src.Data, wantInPlace, logits, "%s, in place", a.describe())
	srcBuffer.check(t, "%s, in place", a.describe())
}

// TestScores combines all fields on small matrices.
func TestScores(t *testing.T) {
	forEachKernel(t, func(t *testing.T, k kernel) {
		useKernel(t, k)
		r := rng(18)
		families := familiesOf[float32]()
		for fields := range allFields + 1 {
			for i := range 24 {
				f := families[r.Intn(len(families))]
				if i%2 == 0 {
					f = familyNamed[float32]("normal3")
				}
				a := newAttention(f, 1+r.Intn(20)>>r.Intn(3), 1+r.Intn(300)>>r.Intn(4), uint64(i))
				a.set(&r, fields)
				if chosen(i, 24) {
					a.check(t, fields+i)
				}
			}
		}
	})
}

// TestScoresLong has rows of about a block and of several, and very long ones.
func TestScoresLong(t *testing.T) {
	forEachKernel(t, func(t *testing.T, k kernel) {
		useKernel(t, k)
		r := rng(19)
		families := familiesOf[float32]()
		const block = blockBytes / 4
		lens := []int{1000, block - 32, block - 1, block, block + 1, block + 31, 2*block - 1, 2 * block, 2*block + 1, 3 * block, 3*block + 77}
		for i := range 110 {
			cols := lens[i%len(lens)]
			a := newAttention(families[r.Intn(len(families))], 1+r.Intn(3), cols, uint64(i))
			a.set(&r, int(r.Next())&allFields)
			if chosen(i, 10) {
				a.check(t, i)
			}
		}
		if reduced() {
			return
		}
		const stored = storedBytes / 4
		for i, test := range []struct {
			family string
			fields int
		}{
			{"normal3", 0}, {"uniform1000", withScale | withSoftcap | withBias | withSink}, {"limits", withKeep | withSlope}, {"offset1e6", withSink},
			{"minus-inf", withKeep}, {"nan", withBias},
		} {
			a := newAttention(familyNamed[float32](test.family), 1, stored+1+i*900, uint64(i))
			a.set(&r, test.fields)
			switch i { // windows from column 302 and from column 32 on
			case 2:
				a.Causal, a.Offset, a.Window = true, stored+801, stored+500
			case 3:
				a.Causal, a.Offset, a.Window = true, stored+31, stored
			}
			a.check(t, i)
		}
	})
}

// TestScoresFamilies has logits of every family.
func TestScoresFamilies(t *testing.T) {
	forEachKernel(t, func(t *testing.T, k kernel) {
		useKernel(t, k)
		for i, f := range familiesOf[float32]() {
			for j, cols := range []int{1, 5, 33, 300, blockBytes/4 + 5, 2*blockBytes/4 + 100} {
				if !chosen(i+j, 6) {
					continue
				}
				for set, s := range []Scores{{}, {Scale: 0.125}, {Scale: -3, Softcap: 30}, {Scale: 0.7, Slope: -0.01, Sink: &sinks[6]}, {Softcap: 1e-30}, {Scale: 1e30}} {
					a := newAttention(f, 2, cols, uint64(j))
					a.Scores = s
					a.check(t, i+set)
				}
			}
		}
	})
}

// TestScoresScaled has scores that are scaled logits, which kernels compute many rows
// at a time: more than one call does, each of another family, and cut by masks.
func TestScoresScaled(t *testing.T) {
	forEachKernel(t, func(t *testing.T, k kernel) {
		useKernel(t, k)
		families := familiesOf[float32]()
		for i, size := range [][2]int{{700, 30}, {500, 40}, {300, 64}, {40, 1000}, {90, 333}, {9, blockBytes / 4}, {3, blockBytes/4 + 1}} {
			for seed := range 4 {
				if !chosen(i+seed, 4) {
					continue
				}
				a := newAttention(familyNamed[float32]("normal3"), size[0], size[1], uint64(seed))
				for row := 0; row < a.rows && seed > 0; row += 1 + row*seed%11 {
					families[(i+row+seed)%len(families)].FillRow(a.logits[row*a.cols:][:a.cols], uint64(row))
				}
				a.Scale = []float32{0.125, 0, 0x1.6a09e6p-4, 2}[seed]
				a.check(t, i)
				a.Causal, a.Offset = true, seed*a.cols/5
				a.check(t, i)
				a.Window = 1 + a.cols/(1+seed)
				a.check(t, i)
			}
		}
	})
}

// TestScoresWindow has windows of every size, on squares that are cut at any column
// and on rows that cross the border of blocks.
func TestScoresWindow(t *testing.T) {
	forEachKernel(t, func(t *testing.T, k kernel) {
		useKernel(t, k)
		normal := familyNamed[float32]("normal3")
		for window := range 76 {
			if !chosen(window, 8) {
				continue
			}
			a := newAttention(normal, 70, 70, uint64(window))
			a.Scores = Scores{Causal: true, Window: window}
			a.check(t, window)
			a.Scale, a.Offset = 0.125, window%9*5
			a.check(t, window)
			a.Softcap, a.Sink = 50, &sinks[window%len(sinks)]
			a.check(t, window)
		}
		const block = blockBytes / 4
		for i := range 60 {
			a := newAttention(normal, 3, 2*block+200, uint64(i))
			a.Scores = Scores{Causal: true, Offset: block - 3 + i*i*2, Window: 1 + i*i*i/25}
			if i%3 == 0 {
				a.Sink = &sinks[i/3%len(sinks)]
			}
			if chosen(i, 8) {
				a.check(t, i)
			}
		}
	})
}

// TestScoresSink has sinks of every size at every place of a block, in rows that
// end there and in rows that a causal mask ends blocks before.
func TestScoresSink(t *testing.T) {
	forEachKernel(t, func(t *testing.T, k kernel) {
		useKernel(t, k)
		const block = blockBytes / 4
		for i, cols := range []int{1, 15, 16, 17, 31, 32, 33, 63, 64, 100, block - 32, block - 31, block - 1, block, block + 1, 2 * block, 2*block + 32, 3*block - 5} {
			for j := range sinks {
				for l, name := range []string{"normal3", "limits-mixed", "subnormal-results", "minus-inf", "offset1e6", "mask-first"} {
					if !chosen(i+j+l, 8) || l > 0 && (i+j+l)%3 > 0 {
						continue
					}
					a := newAttention(familyNamed[float32](name), 2, cols, uint64(l))
					a.Sink = &sinks[j]
					if l%2 == 0 {
						a.Scale = 0.5
					}
					a.check(t, i)
					a.Causal, a.Offset = true, cols/(2+l)
					a.check(t, i)
				}
			}
		}
	})
}

// TestScoresSinkAnchors has a sink and a last block whose anchor is not that of the row.
func TestScoresSinkAnchors(t *testing.T) {
	forEachKernel(t, func(t *testing.T, k kernel) {
		useKernel(t, k)
		const block = blockBytes / 4
		for i, change := range []float32{-3 * anchorStep, -exactLimit, exactLimit, 3 * anchorStep} {
			for j, sink := range []float32{-30, -3, -1, 1, 30} {
				a := newAttention(familyNamed[float32]("normal1"), 1, block+40*(1+j), uint64(i))
				for c := range a.logits {
					a.logits[c] += change + 10
					if c >= block {
						a.logits[c] -= 20
					}
				}
				sink += change
				a.Sink = &sink
				a.check(t, i)
			}
		}
	})
}

// TestScoresSinkWidth has the same keys and sink in matrices with more columns, which Causal
// removes: the weights are the same.
func TestScoresSinkWidth(t *testing.T) {
	forEachKernel(t, func(t *testing.T, k kernel) {
		useKernel(t, k)
		sink := float32(1.5)
		for _, keys := range []int{1, 7, 16, 31, 32, 33, 64, 100, 4095, 4096, 4097} {
			row := familyNamed[float32]("normal3").MakeRow(keys+40, 1)
			weights := func(cols int) []float32 {
				got := make([]float32, cols)
				s := Scores{Scale: 0.125, Causal: true, Offset: keys - 1, Sink: &sink}
				s.Softmax(Matrix[float32]{got, 1, cols, cols}, Matrix[float32]{row[:cols], 1, cols, cols})
				return got[:keys]
			}
			want := weights(keys)
			for _, more := range []int{1, 16, 31, 40} {
				checkBits(t, weights(keys+more), want, row[:keys], "%d keys of %d", keys, keys+more)
			}
		}
	})
}

// TestScoresSinkAtLimit has rows on one side of -exactLimit and exactLimit, and sinks on the
// other: they have different anchors.
func TestScoresSinkAtLimit(t *testing.T) {
	forEachKernel(t, func(t *testing.T, k kernel) {
		useKernel(t, k)
		for _, sign := range []float32{-1, 1} {
			for cols := 1; cols < 100; cols++ {
				for _, apart := range []float32{0, 0.5, 3, 20, 60} {
					a := newAttention(familyNamed[float32]("normal1"), 2, cols, uint64(cols))
					for c := range a.logits {
						a.logits[c] = sign * (exactLimit - 0.5 - float32(c%3))
					}
					sink := sign * (exactLimit + apart)
					a.Sink = &sink
					a.check(t, cols)
				}
			}
		}
	})
}

// TestScoresPlain compares the zero value with SoftmaxRows.
func TestScoresPlain(t *testing.T) {
	forEachKernel(t, func(t *testing.T, k kernel) {
		useKernel(t, k)
		for i, f := range familiesOf[float32]() {
			for _, cols := range []int{1, 7, 40, 1000, blockBytes/4 + 3} {
				if f.Name == "minus-inf" || f.Name == "mask-inf" {
					continue // rows without a finite logit
				}
				rows := 3
				src := Matrix[float32]{newAttention(f, rows, cols, uint64(i)).logits, rows, cols, cols}
				got, want := src, src
				got.Data, want.Data = make([]float32, rows*cols), make([]float32, rows*cols)
				SoftmaxRows(want, src)
				new(Scores).Softmax(got, src)
				checkBits(t, got.Data, want.Data, src.Data, "%s, %d x %d", f.Name, rows, cols)
			}
		}
	})
}

// TestScoresSlopeWithoutCausal lowers keys on both sides of the query.
func TestScoresSlopeWithoutCausal(t *testing.T) {
	forEachKernel(t, func(t *testing.T, k kernel) {
		useKernel(t, k)
		for _, n := range []int{3, 40, 5000} {
			dst := Matrix[float32]{make([]float32, n*3), 3, n, n}
			(&Scores{Slope: 1, Offset: 1}).Softmax(dst, Matrix[float32]{make([]float32, n*3), 3, n, n})
			for r := range 3 {
				logits, want := make([]float32, n), make([]float32, n)
				for c := range logits {
					logits[c] = -float32(max(c-(r+1), r+1-c))
				}
				Softmax(want, logits)
				checkBits(t, dst.Data[r*n:][:n], want, logits, "row %d", r)
			}
		}
	})
}

// TestScoresSinkInDst moves the sink over dst and the gaps between its rows by single bytes: it
// panics where it shares one with an element, and is read where it does not.
func TestScoresSinkInDst(t *testing.T) {
	needMisaligned(t)
	for _, size := range [][3]int{{3, 4, 4}, {3, 4, 5}, {3, 4, 6}, {1, 4, 9}, {2, 1, 3}} {
		rows, cols, stride := size[0], size[1], size[2]
		const start = 8
		memory := make([]float32, start+rows*stride+start)
		all := (rows-1)*stride + cols
		dst := Matrix[float32]{memory[start:][:all], rows, cols, stride}
		src := Matrix[float32]{make([]float32, rows*cols), rows, cols, cols}
		want := make([]float32, cols)
		for behind := -8; behind <= 4*all+4; behind++ {
			shared := false
			for r := range rows {
				first := 4 * r * stride
				shared = shared || first-4 < behind && behind < first+4*cols
			}
			clear(memory)
			s := Scores{Sink: (*float32)(unsafe.Add(unsafe.Pointer(&dst.Data[0]), behind))}
			message := func() (message any) {
				defer func() { message = recover() }()
				s.Softmax(dst, src)
				return nil
			}()
			if shared != (message != nil) {
				t.Fatalf("%v, sink %d bytes behind dst: panic: %v", size, behind, message)
			}
			if shared && slices.ContainsFunc(memory, func(x float32) bool { return x != 0 }) {
				t.Fatalf("%v, sink %d bytes behind dst: panics when something was written already", size, behind)
			}
			if !shared {
				fill(want, 1/float32(cols+1))
				checkBits(t, dst.Data[all-cols:], want, want, "%v, sink %d bytes behind dst", size, behind)
			}
		}
	}
}

// TestScoresRemoved lists what becomes of keys that are removed, and of rows without a
// key.
func TestScoresRemoved(t *testing.T) {
	forEachKernel(t, func(t *testing.T, k kernel) {
		useKernel(t, k)
		negInf, posInf, nan, zero := infinity[float32](-1), infinity[float32](1), nan[float32](), float32(0)
		matrix := func(row ...float32) Matrix[float32] { return Matrix[float32]{row, 1, len(row), len(row)} }
		for _, test := range []struct {
			scores Scores
			logits []float32
			want   []float32
		}{
			{Scores{}, []float32{negInf, negInf}, []float32{0, 0}},
			{Scores{Sink: &zero}, []float32{negInf, negInf}, []float32{0, 0}},
			{Scores{Sink: &zero}, []float32{0, negInf}, []float32{0.5, 0}},
			{Scores{Sink: &negInf}, []float32{0, 0}, []float32{0.5, 0.5}},
			{Scores{Sink: &negInf}, []float32{negInf, negInf}, []float32{0, 0}},
			{Scores{Keep: []bool{false, false}}, []float32{1, nan}, []float32{0, 0}},
			{Scores{Keep: []bool{false, true}}, []float32{nan, 1}, []float32{0, 1}},
			{Scores{Keep: []bool{false, true, true}}, []float32{1, nan, negInf}, []float32{0, nan, nan}},
			{Scores{Keep: []bool{false, true, true}}, []float32{posInf, posInf, 5}, []float32{0, nan, nan}},
			{Scores{Bias: matrix(negInf, 0)}, []float32{nan, 1}, []float32{0, 1}},
			{Scores{Bias: matrix(negInf, 0)}, []float32{posInf, 1}, []float32{0, 1}},
			{Scores{Bias: matrix(negInf, negInf)}, []float32{nan, posInf}, []float32{0, 0}},
			{Scores{Bias: matrix(negInf, nan, 0)}, []float32{0, 0, 0}, []float32{0, nan, nan}},
			{Scores{Bias: matrix(posInf, 0)}, []float32{0, 0}, []float32{nan, nan}},
			{Scores{Bias: matrix(posInf, 0)}, []float32{negInf, 0}, []float32{nan, nan}},
			{Scores{Causal: true}, []float32{7, nan, posInf}, []float32{1, 0, 0}},
			{Scores{Causal: true}, []float32{nan, 0, 0}, []float32{nan, 0, 0}},
			{Scores{Causal: true, Offset: 1}, []float32{nan, 0, 0}, []float32{nan, nan, 0}},
			{Scores{Causal: true, Offset: 2, Window: 1}, []float32{nan, posInf, 0}, []float32{0, 0, 1}},
			{Scores{Causal: true, Offset: 2, Window: 2}, []float32{nan, posInf, 0}, []float32{0, nan, nan}},
			{Scores{Causal: true, Offset: 4, Window: 2}, []float32{nan, posInf, 0}, []float32{0, 0, 0}},
			{Scores{Causal: true, Offset: 4, Window: 2, Sink: &zero}, []float32{nan, posInf, 0}, []float32{0, 0, 0}},
			{Scores{Causal: true, Offset: math.MaxInt - 1, Window: math.MaxInt}, []float32{0, 0}, []float32{0.5, 0.5}},
			{Scores{Causal: true, Offset: math.MaxInt - 1, Window: 1}, []float32{0, 0}, []float32{0, 0}},
			{Scores{Softcap: 2}, []float32{posInf, posInf}, []float32{0.5, 0.5}},
			{Scores{Softcap: 2}, []float32{negInf, negInf}, []float32{0.5, 0.5}},
			{Scores{Scale: -1}, []float32{negInf, 0}, []float32{nan, nan}},
			{Scores{Slope: 1e38}, []float32{0, 0, 0}, []float32{1, 0, 0}},
		} {
			// The same behind one and two other groups of keys, which are removed.
			for _, before := range []int{0, 32, 77, blockBytes / 4} {
				s := test.scores
				n := before + len(test.logits)
				logits, want := append(slices.Repeat([]float32{nan}, before), test.logits...), append(make([]float32, before), test.want...)
				if before > 0 {
					if s.Causal || s.Slope != 0 {
						continue // their columns count
					}
					switch {
					case s.Bias.Rows > 0:
						s.Bias = matrix(append(slices.Repeat([]float32{negInf}, before), s.Bias.Data...)...)
					case len(s.Keep) > 0:
						s.Keep = append(make([]bool, before), s.Keep...)
					default:
						s.Keep = slices.Concat(make([]bool, before), slices.Repeat([]bool{true}, len(test.logits)))
					}
				}
				got := make([]float32, n)
				s.Softmax(matrix(got...), matrix(logits...))
				checkBits(t, got, want, logits, "%d keys before, %+v of %v", before, test.scores, test.logits)
			}
		}
	})
}

// TestBlockEnd checks that blocks are counted from column 0, wherever a row starts: no
// result of a few million would tell.
func TestBlockEnd(t *testing.T) {
	const block = blockBytes / 4
	for _, column := range []int{0, 32, block - 32, block, block + 64} {
		row := rowSource[float32, float32]{column: column}
		for _, at := range []int{0, 1, 31, block - 1, block, 5*block - 7} {
			if end := column + row.blockEnd(at); end%block != 0 || end <= column+at || end > column+at+block {
				t.Errorf("the block of column %d ends before column %d", column+at, end)
			}
		}
	}
}

// TestScoresOrder checks that a soft-cap keeps the order of logits.
func TestScoresOrder(t *testing.T) {
	forEachKernel(t, func(t *testing.T, k kernel) {
		useKernel(t, k)
		for i, n := range []int{10, 100, 1000, blockBytes/4 + 100} {
			for j, softcap := range []float32{30, 0.01, 1, 50, 1e4} {
				for _, neighbour := range []bool{false, true} {
					logits, got := familyNamed[float32]("normal10").MakeRow(n, uint64(j)), make([]float32, n)
					if neighbour { // of a score in any interval of the hyperbolic tangent
						start := bitsOf(softcap * float32(1+i*7+j*3) / 8)
						for c := range logits {
							logits[c] = fromBits[float32](start + uint64(c*7%n))
						}
					}
					s := Scores{Softcap: softcap}
					s.Softmax(Matrix[float32]{got, 1, n, n}, Matrix[float32]{logits, 1, n, n})
					for c, p := range got {
						if !(p >= 0 && p <= 1) {
							t.Fatalf("n=%d, Softcap=%v: logit %v: got %v", n, softcap, logits[c], p)
						}
					}
					checkOrder(t, got, logits)
				}
			}
		}
	})
}

// TestScoresAccuracy measures the weights of scores that are exact, also with a sink.
func TestScoresAccuracy(t *testing.T) {
	lens := []int{2, 10, 33, 100, 1000, blockBytes / 4, blockBytes/4 + 1, 10_000}
	var worst errorStats
	for i, f := range accuracyFamilies[float32]() {
		for j, n := range lens {
			if !chosen(i+j, 4) {
				continue
			}
			for seed := range uint64(max(1, 200/n)) {
				logits, got := f.MakeRow(n, 30+seed), make([]float32, n)
				for l, sink := range []*float32{nil, &sinks[5], &sinks[8]} {
					s := Scores{Scale: []float32{0.125, 0.5, 0x1p-6}[(i+j+l)%3], Sink: sink}
					scores := make([]float32, n, n+1)
					for c, x := range logits {
						scores[c] = float32(x * s.Scale)
					}
					if sink != nil {
						scores = append(scores, *sink)
					}
					exact := exactRowOf(scores)
					s.Softmax(Matrix[float32]{got, 1, n, n}, Matrix[float32]{logits, 1, n, n})
					for c, p := range got {
						d := ulps(p, exact.softmax(scores[c]))
						if worst.add(d); !(d <= maxULP) {
							t.Fatalf("%s, n=%d, Scale=%v: logit %d, %v: got %v: off by %.3f ULP", f.Name, n, s.Scale, c, logits[c], p, d)
						}
					}
				}
			}
		}
	}
	t.Logf("at most %.3f ULP, mean %.4f", worst.worst, worst.mean())
	if worst.worst == 0 {
		t.Error("nothing was measured")
	}
}

// TestScoresPanics sets each field to what it cannot be. The message names it, and
// nothing is written.
func TestScoresPanics(t *testing.T) {
	type matrix = Matrix[float32]
	memory := familyNamed[float32]("normal3").MakeRow(200, 1)
	before := slices.Clone(memory)
	dst, src := matrix{memory, 3, 4, 5}, matrix{memory[50:], 3, 4, 5}
	free := memory[100:]
	nan, posInf, negInf, one := nan[float32](), infinity[float32](1), infinity[float32](-1), float32(1)
	sink := func(x float32) *float32 { return &x }
	const farAway = math.MaxInt - 2
	type scoresPanic struct {
		scores   Scores
		dst, src matrix
		want     string
	}
	tests := []scoresPanic{
		{Scores{}, matrix{memory, 3, 4, 3}, src, "dst has Rows=3, Cols=4, Stride=3"},
		{Scores{}, dst, matrix{memory[190:], 3, 4, 5}, "src has len(Data)=10, too short for Rows=3, Cols=4, Stride=5"},
		{Scores{}, matrix{memory, 2, 4, 5}, src, "dst is 2 x 4, src is 3 x 4"},
		{Scores{}, matrix{memory[51:], 3, 4, 5}, src, "dst (Stride 5) and src (Stride 5) overlap without being the same matrix"},

		{Scores{Scale: nan}, dst, src, "Scale=NaN, Softcap=0, Slope=0: not finite"},
		{Scores{Scale: posInf}, dst, src, "Scale=+Inf, Softcap=0, Slope=0: not finite"},
		{Scores{Scale: negInf}, dst, src, "Scale=-Inf, Softcap=0, Slope=0: not finite"},
		{Scores{Softcap: nan}, dst, src, "Scale=0, Softcap=NaN, Slope=0: not finite"},
		{Scores{Scale: 2, Softcap: posInf}, dst, src, "Scale=2, Softcap=+Inf, Slope=0: not finite"},
		{Scores{Slope: nan}, dst, src, "Scale=0, Softcap=0, Slope=NaN: not finite"},
		{Scores{Slope: negInf}, dst, src, "Scale=0, Softcap=0, Slope=-Inf: not finite"},
		{Scores{Softcap: -30}, dst, src, "Softcap=-30 is negative"},

		{Scores{Offset: -1}, dst, src, "Offset=-1, Rows=3"},
		{Scores{Offset: math.MinInt, Causal: true}, dst, src, fmt.Sprintf("Offset=%d, Rows=3", math.MinInt)},
		{Scores{Offset: farAway}, dst, src, fmt.Sprintf("Offset=%d, Rows=3", farAway)},
		{Scores{Window: -1, Causal: true}, dst, src, "Window=-1, Causal=true"},
		{Scores{Window: -1}, dst, src, "Window=-1, Causal=false"},
		{Scores{Window: 7}, dst, src, "Window=7, Causal=false"},

		{Scores{Sink: sink(nan)}, dst, src, "Sink=NaN"},
		{Scores{Sink: sink(posInf)}, dst, src, "Sink=+Inf"},

		{Scores{Bias: matrix{free, 3, 4, 3}}, dst, src, "Bias has Rows=3, Cols=4, Stride=3"},
		{Scores{Bias: matrix{free, -1, 4, 4}}, dst, src, "Bias has Rows=-1, Cols=4, Stride=4"},
		{Scores{Bias: matrix{free[:13], 3, 4, 5}}, dst, src, "Bias has len(Data)=13, too short for Rows=3, Cols=4, Stride=5"},
		{Scores{Bias: matrix{free, 3, 5, 5}}, dst, src, "Bias is 3 x 5, src is 3 x 4"},
		{Scores{Bias: matrix{free, 1, 3, 3}}, dst, src, "Bias is 1 x 3, src is 3 x 4"},
		{Scores{Bias: matrix{free, 2, 4, 4}}, dst, src, "Bias is 2 x 4, src is 3 x 4"},
		{Scores{Bias: matrix{free, 4, 4, 4}}, dst, src, "Bias is 4 x 4, src is 3 x 4"},
		{Scores{Bias: matrix{Data: free}}, dst, src, "Bias is 0 x 0, src is 3 x 4"},
		{Scores{Bias: matrix{nil, 0, 4, 4}}, dst, src, "Bias is 0 x 4, src is 3 x 4"},
		{Scores{Bias: matrix{nil, 3, 0, 4}}, dst, src, "Bias is 3 x 0, src is 3 x 4"},
		{Scores{Bias: matrix{memory[13:], 1, 4, 4}}, dst, src, "dst and Bias overlap"},
		{Scores{Bias: dst}, dst, src, "dst and Bias overlap"},
		{Scores{Bias: matrix{memory[4:], 3, 4, 5}}, dst, src, "dst and Bias overlap"},

		{Scores{Keep: make([]bool, 3)}, dst, src, "len(Keep)=3, src is 3 x 4"},
		{Scores{Keep: make([]bool, 5)}, dst, src, "len(Keep)=5, src is 3 x 4"},
		{Scores{Keep: make([]bool, 8)}, dst, src, "len(Keep)=8, src is 3 x 4"},
		{Scores{Keep: make([]bool, 13)}, dst, src, "len(Keep)=13, src is 3 x 4"},
		{Scores{Keep: make([]bool, 15)}, dst, src, "len(Keep)=15, src is 3 x 4"},

		// Fields are checked where there is nothing to do, too.
		{Scores{Scale: nan}, matrix{}, matrix{}, "Scale=NaN, Softcap=0, Slope=0: not finite"},
		{Scores{Keep: make([]bool, 1)}, matrix{}, matrix{}, "len(Keep)=1, src is 0 x 0"},
		{Scores{Sink: sink(nan)}, matrix{nil, 0, 4, 4}, matrix{nil, 0, 4, 4}, "Sink=NaN"},
	}
	if math.MaxInt > math.MaxInt32 {
		wide := matrix{nil, 0, math.MaxInt, math.MaxInt}
		tests = append(tests, []scoresPanic{
			{Scores{Offset: math.MaxInt32 - 2, Slope: 1}, dst, src, fmt.Sprintf("Offset=%d, src is 3 x 4: too large for Slope", math.MaxInt32-2)},
			{Scores{Slope: 1}, wide, wide, fmt.Sprintf("Offset=0, src is 0 x %d: too large for Slope", math.MaxInt)},
		}...)
	}
	for _, test := range tests {
		want := "softmax: Scores.Softmax: " + test.want
		if got := panicOf(func() { test.scores.Softmax(test.dst, test.src) }); got != want {
			t.Errorf("panic %q, want %q", got, want)
		}
		checkBits(t, memory, before, before, "%q: written before the panic", want)
	}
	// The same fields at their limits.
	for _, s := range []Scores{
		{Scale: math.MaxFloat32, Softcap: math.MaxFloat32, Slope: -math.MaxFloat32},
		{Offset: math.MaxInt - 3, Causal: true, Window: math.MaxInt},
		{Offset: math.MaxInt32 - 3, Slope: 1},
		{Sink: sink(negInf)}, {Sink: sink(math.MaxFloat32)}, {Sink: &one},
		{Bias: src}, {Bias: matrix{memory[14:], 1, 4, 4}}, {Bias: matrix{free, 3, 4, 4}},
		{Keep: make([]bool, 4)}, {Keep: make([]bool, 12)}, {Keep: []bool{}},
	} {
		if message := panicOf(func() { s.Softmax(dst, src) }); message != "" {
			t.Errorf("%+v: panic %q", s, message)
		}
	}
	for _, m := range []matrix{{}, {nil, 3, 0, 0}, {nil, 0, 4, 4}} {
		s := Scores{Scale: 2, Causal: true, Sink: &one}
		s.Softmax(m, m)
	}
}

// TestScoresAllocations has buffers and a Scores that must stay on the caller's stack.
func TestScoresAllocations(t *testing.T) {
	forEachKernel(t, func(t *testing.T, k kernel) {
		useKernel(t, k)
		check := func(name string, runs int, f func()) {
			t.Helper()
			if allocs := testing.AllocsPerRun(runs, f); allocs != 0 {
				t.Errorf("%s: %v allocations", name, allocs)
			}
		}
		check("on the stack", 100, func() {
			var buf, out, bias [60]float32
			var keep [10]bool
			sink := float32(kept)
			buf[3], keep[3] = sink, true
			s := Scores{Scale: 0.125, Softcap: 30, Slope: 0.5, Causal: true, Offset: 7, Window: 5, Sink: &sink,
				Bias: Matrix[float32]{bias[:], 3, 10, 20}, Keep: keep[:]}
			s.Softmax(Matrix[float32]{out[:], 3, 10, 20}, Matrix[float32]{buf[:], 3, 10, 20})
			kept = float64(out[3])
		})
		for _, n := range []int{100, 2*blockBytes/4 + 5, storedBytes/4 + 1} {
			data, bias := make([]float32, n), make([]float32, n)
			m, b := Matrix[float32]{data, 1, n, n}, Matrix[float32]{bias, 1, n, n}
			sink := float32(1)
			check(fmt.Sprintf("n=%d", n), 1, func() {
				s := Scores{Scale: 0.125, Bias: b}
				s.Softmax(m, m)
				s.Sink, s.Softcap = &sink, 50
				s.Softmax(m, m)
			})
		}
	})
}

// TestScoresConcurrent has goroutines share a Scores.
func TestScoresConcurrent(t *testing.T) {
	r := rng(20)
	a := newAttention(familyNamed[float32]("normal3"), 20, 300, 1)
	a.set(&r, allFields)
	want := make([]float32, len(a.logits))
	src := Matrix[float32]{a.logits, a.rows, a.cols, a.cols}
	a.Softmax(Matrix[float32]{want, a.rows, a.cols, a.cols}, src)
	var all sync.WaitGroup
	results := make([][]float32, 4)
	for i := range results {
		results[i] = make([]float32, len(a.logits))
		all.Go(func() {
			for range 20 {
				a.Softmax(Matrix[float32]{results[i], a.rows, a.cols, a.cols}, src)
			}
		})
	}
	all.Wait()
	for _, got := range results {
		checkBits(t, got, want, a.logits, "%s", a.describe())
	}
}

// FuzzScores lets the fuzzer choose logits, bias and fields.
func FuzzScores(f *testing.F) {
	for i, family := range familiesOf[float32]() {
		f.Add(asBytes(family.MakeRow(40+i*3, 1)), uint16(i*37), uint16(7+i), uint16(i*3), float32(i)/8, float32(i), -1/float32(i+1), sinks[i%len(sinks)])
	}
	f.Add(asBytes(familyNamed[float32]("normal3").MakeRow(3*blockBytes/4+50, 1)), uint16(allFields), uint16(blockBytes/4+33), uint16(4000), float32(0.125), float32(50), float32(0.01), float32(3))
	f.Add(asBytes(familyNamed[float32]("limits-mixed").MakeRow(2*blockBytes/4+50, 1)), uint16(withSink|withCausal), uint16(math.MaxUint16), uint16(9000), float32(0), float32(0), float32(0), float32(20000))
	f.Fuzz(func(t *testing.T, data []byte, fields, cols, offset uint16, scale, softcap, slope, sink float32) {
		numbers := bytesToRow[float32](data[:min(len(data), 4*blockBytes)])
		if len(numbers) == 0 {
			return
		}
		a := &attention{cols: 1 + int(cols)%len(numbers)}
		a.rows = len(numbers) / a.cols
		a.logits = numbers[:a.rows*a.cols]
		finite := func(x float32) float32 {
			if !isFinite(x) {
				return 0
			}
			return x
		}
		a.Scale, a.Softcap, a.Slope = finite(scale), max(finite(softcap), -finite(softcap)), finite(slope)
		a.Offset = int(offset)
		r := rng(fields)
		if fields&withBias != 0 {
			// The logits again, in another order.
			a.Bias = Matrix[float32]{slices.Clone(numbers), 1 + int(fields>>8&1)*(a.rows-1), a.cols, a.cols}
			slices.Reverse(a.Bias.Data)
		}
		if fields&withKeep != 0 {
			a.Keep = makeKeep(&r, a.cols*(1+r.Intn(2)*(a.rows-1)))
		}
		if fields&withCausal != 0 {
			a.Causal = true
			a.Offset %= a.cols + 3
		}
		if a.Causal && fields&withWindow != 0 {
			a.Window = 1 + r.Intn(a.cols+5)
		}
		if fields&withSink != 0 && sink <= math.MaxFloat32 {
			a.Sink = &sink
		}
		for _, k := range availableKernels() {
			useKernel(t, k)
			a.name = k.String()
			a.check(t, int(fields))
		}
	})
}
