package softmax

// This file is for attention scores: scaled, capped, biased and masked logits.

import (
	"fmt"
	"math"
)

// Scores says how the products of queries and keys become attention weights. The
// zero value changes nothing: its Softmax is that of [SoftmaxRows], but for rows
// of nothing but -Inf.
//
// The rows of a matrix are queries, its columns are keys. A score is made of a
// logit in these steps, each rounded to float32 on its own: it is multiplied by
// Scale, capped by Softcap, then what Slope says is subtracted and Bias is added; then
// keys are removed by Keep, Causal and Window. What is left is normalised together
// with the Sink.
type Scores struct {
	// Scale multiplies each logit; 0 means 1. It is 1/sqrt(d) in scaled
	// dot-product attention with keys of d elements, and 1/t for sampling at
	// temperature t.
	Scale float32

	// Softcap, if it is not 0, bounds scores: x becomes Softcap*tanh(x/Softcap).
	// The hyperbolic tangent is within 1.01 ULP of the exact one and never
	// decreases as x grows.
	Softcap float32

	// Slope subtracts Slope*|position of the query - column|: ALiBi's linear bias for
	// one head. Without Causal that lowers later keys as much as earlier ones, as
	// encoders have it.
	Slope float32

	// Bias is added: element by element, or its only row to every row. An element
	// of -Inf removes the key, whatever its logit. The zero Matrix adds nothing.
	Bias Matrix[float32]

	// Keep removes the keys for which it is false: it has Rows*Cols elements, or Cols
	// for all rows. An empty one removes none.
	Keep []bool

	// Causal removes the keys behind the query: row r, whose position is Offset+r,
	// keeps the columns up to Offset+r. They are not computed.
	Causal bool

	// Offset is the position of the first query among the keys: the number of keys
	// that a cache holds from before.
	Offset int

	// Window, with Causal, keeps only as many columns up to that of the query; 0
	// means all.
	Window int

	// Sink, if it is not nil, is another logit of every row. It takes its part of
	// the probability, and gets no column.
	Sink *float32
}

// Softmax writes the attention weights of each row of src to the same row of dst.
// The matrices must have the same Rows and Cols; their strides may differ. What
// [SoftmaxRows] says of elements between rows and of aliasing holds here too: dst
// may be src. dst must not share memory with Keep, with Bias from its first to its last
// element, or with the Sink, which may stand between rows of dst.
//
// Weights have the bits that the steps have as loops of their own followed by
// [Softmax]; with a Sink, those of an [Accumulator] to which the row was added and then the
// sink, so that its place does not depend on the number of columns. Where scores are exact,
// weights are as accurate as Softmax is.
//
// The weight of a key that is removed is exactly 0. A row of which no key is left,
// or only scores of -Inf, is all zeros, also with a Sink. In a row with a score that
// is NaN or +Inf the weights of all keys that are left are NaN, with the bits
// 0x7FC00000. The logits of keys that are removed do not matter.
//
// Nothing is allocated, and no other memory than dst is written to. Different
// goroutines may use the same Scores at the same time.
//
// Softmax panics, before anything is written, if a matrix is not valid, if the
// sizes differ, if dst overlaps src in another way, or Bias, Keep or Sink; if Bias is not
// 1 or Rows rows of Cols columns; if Keep is not empty and has another length than
// Cols or Rows*Cols; if Scale, Softcap or Slope are not finite, or Softcap is
// negative; if Offset or Window is negative, or Window is set without Causal; if,
// with Slope, Offset+Rows or Cols is 2^31 or more; if the Sink is NaN or +Inf.
//
// Sources: scaled_dot_product_attention of PyTorch; Attention of ONNX; O. Press, N.
// Smith and M. Lewis, "Train Short, Test Long" (2021), for ALiBi; Gemma Team, "Gemma
// 2" (2024), for soft-capping; G. Xiao and others, "Efficient Streaming Language
// Models with Attention Sinks" (2023), and OpenAI's gpt-oss for sinks.
func (s *Scores) Softmax(dst, src Matrix[float32]) {
	if s.check(&dst, &src) {
		s.softmaxRows(active, &dst, &src)
	}
}

// check panics unless the arguments and all fields fit together, and reports
// whether there is anything to do.
func (s *Scores) check(dst, src *Matrix[float32]) bool {
	const function = "Scores.Softmax"
	some := checkMatrices(function, dst, src)
	if !isFinite(s.Scale) || !isFinite(s.Softcap) || !isFinite(s.Slope) {
		panic(fmt.Sprintf("softmax: %s: Scale=%v, Softcap=%v, Slope=%v: not finite", function, s.Scale, s.Softcap, s.Slope))
	}
	if math.Signbit(float64(s.Softcap)) && !isZero(s.Softcap) {
		panic(fmt.Sprintf("softmax: %s: Softcap=%v is negative", function, s.Softcap))
	}
	if s.Offset < 0 || s.Offset > math.MaxInt-src.Rows {
		panic(fmt.Sprintf("softmax: %s: Offset=%d, Rows=%d", function, s.Offset, src.Rows))
	}
	if !isZero(s.Slope) && max(s.Offset+src.Rows, src.Cols) > math.MaxInt32 {
		panic(fmt.Sprintf("softmax: %s: Offset=%d, src is %d x %d: too large for Slope", function, s.Offset, src.Rows, src.Cols))
	}
	if s.Window < 0 || s.Window > 0 && !s.Causal {
		panic(fmt.Sprintf("softmax: %s: Window=%d, Causal=%t", function, s.Window, s.Causal))
	}
	if s.Sink != nil && !(*s.Sink <= math.MaxFloat32) {
		panic(fmt.Sprintf("softmax: %s: Sink=%v", function, *s.Sink))
	}
	if s.hasBias() {
		s.Bias.check(function, "Bias")
		if s.Bias.Cols != src.Cols || s.Bias.Rows != src.Rows && s.Bias.Rows != 1 {
			panic(fmt.Sprintf("softmax: %s: Bias is %d x %d, src is %d x %d", function, s.Bias.Rows, s.Bias.Cols, src.Rows, src.Cols))
		}
	}
	if n := len(s.Keep); n > 0 && n != src.Cols && (src.Cols == 0 || n/src.Cols != src.Rows || n%src.Cols != 0) {
		panic(fmt.Sprintf("softmax: %s: len(Keep)=%d, src is %d x %d", function, n, src.Rows, src.Cols))
	}
	if !some {
		return false
	}
	switch all := dst.span(); {
	case s.hasBias() && overlap(all, s.Bias.span()):
		panic("softmax: " + function + ": dst and Bias overlap")
	case overlap(all, s.Keep):
		panic("softmax: " + function + ": dst and Keep overlap")
	case s.Sink != nil && dst.holds(s.Sink):
		panic("softmax: " + function + ": dst and Sink overlap")
	}
	return true
}

func isFinite(x float32) bool { return x-x == 0 }

// hasBias reports whether the Bias is not the zero Matrix.
func (s *Scores) hasBias() bool {
	return s.Bias.Rows != 0 || s.Bias.Cols != 0 || len(s.Bias.Data) != 0
}

// softmaxRows computes non-empty rows.
func (s *Scores) softmaxRows(k kernel, dst, src *Matrix[float32]) {
	w := scoreRow{scoring: scoring{scale: 1}}
	// -0 is 0, and a subnormal number is not, whatever comparisons say.
	if !isZero(s.Scale) {
		w.scale = s.Scale
	}
	if !isZero(s.Softcap) {
		w.softcap = s.Softcap
	}
	if !isZero(s.Slope) {
		w.slope = s.Slope
	}
	if mayFlush(max(w.scale, -w.scale)) && (isZero(w.softcap) || mayFlush(w.softcap)) {
		w.flush = 1
	}
	hasBias := s.hasBias()
	onlyScaled := mayFlush(w.scale) && src.Cols <= block32 && isZero(w.softcap) && isZero(w.slope) && !hasBias && len(s.Keep) == 0 &&
		(s.Sink == nil || anchorOf(*s.Sink) == 0 || math.IsInf(float64(*s.Sink), -1))
	for r := 0; r < src.Rows; r++ {
		if onlyScaled {
			if r += s.scaledRows(k, dst, src, r, w.scale); r == src.Rows {
				break
			}
		}
		d, x := dst.Data[r*dst.Stride:][:dst.Cols], src.Data[r*src.Stride:][:src.Cols]
		w.position = s.Offset + r
		w.first, w.end = s.columns(w.position, src.Cols)
		switch {
		case hasBias && s.Bias.Rows == 1:
			w.biases = s.Bias.Data[:src.Cols]
		case hasBias:
			w.biases = s.Bias.Data[r*s.Bias.Stride:][:src.Cols]
		}
		switch len(s.Keep) {
		case 0:
		case src.Cols:
			w.keeps = s.Keep
		default:
			w.keeps = s.Keep[r*src.Cols:][:src.Cols]
		}
		w.softmax(k, d, x, s.Sink)
	}
}

// scaledRows computes rows from one on, as far as that is possible for scores that are
// scaled logits, and returns how many.
func (s *Scores) scaledRows(k kernel, dst, src *Matrix[float32], row int, scale float32) (done int) {
	first, end := s.columns(s.Offset+row, src.Cols)
	rows, step := src.Rows-row, 0
	if s.Causal {
		step = 1
	}
	if s.Window > 0 {
		rows = min(rows, s.Window-s.Offset-row) // the rows whose first column is 0
	}
	if first > 0 || rows <= 0 {
		return 0
	}
	rows = min(rows, maxPerCall/src.Cols)
	sink := float32(math.Inf(-1))
	if s.Sink != nil {
		sink = *s.Sink
	}
	return softmaxScaled(k, dst.Data[row*dst.Stride:], src.Data[row*src.Stride:], src.Cols, rows, dst.Stride, src.Stride, end, step, scale, sink)
}

// columns returns the range of columns that Causal and Window leave to a query.
func (s *Scores) columns(position, cols int) (first, end int) {
	if !s.Causal {
		return 0, cols
	}
	if s.Window > 0 {
		first = max(0, position-s.Window+1)
	}
	end = min(position, cols-1) + 1
	return min(first, end), end
}

// scoreRow is how one row becomes scores.
type scoreRow struct {
	scoring
	position   int       // of the query
	first, end int       // the columns that are left by their position
	biases     []float32 // for each column; nil for none
	keeps      []bool    // whether each column is kept; nil for all
}

// softmax computes a row. Sums have lanes by column, so it starts at a whole group
// of them.
func (w *scoreRow) softmax(k kernel, dst, src []float32, sink *float32) {
	clearAll(dst[:w.first])
	clearAll(dst[w.end:])
	if w.first == w.end {
		return
	}
	start := w.first &^ 31
	d := dst[start:w.end]
	if sink == nil && start/block32 == (w.end-1)/block32 {
		m := w.block(k, d, src[start:w.end], start)
		if m == float32(math.Inf(-1)) && !hasNaNBlock(k, d) {
			clearAll(d)
		} else {
			softmaxBlock(k, d, m)
		}
	} else {
		w.softmaxBlocks(k, d, src[start:w.end], start, sink)
	}
	clearAll(dst[start:w.first])
	if d[len(d)-1] != d[len(d)-1] && (w.biases != nil || w.keeps != nil) {
		w.undefined(k, dst)
	}
}

// softmaxBlocks computes the part of a row from a column on, of several blocks or with
// a sink.
func (w *scoreRow) softmaxBlocks(k kernel, dst, src []float32, column int, sink *float32) {
	row := rowSource[float32, float32]{
		elements: src, scores: w, masked: true,
		column: column, sink: sink,
	}
	switch {
	case len(dst) <= row.blockEnd(0):
		var scales [1]blockScale
		scanAndScale(k, dst, row, scales[:])
	case sizeOf(dst) <= storedBytes:
		var scales [storedBytes/blockBytes + 1]blockScale
		scanAndScale(k, dst, row, scales[:])
	default:
		longScores(k, dst, row)
	}
}

// block makes scores of the logits of a block, or of a part of one, from a column
// on. It returns the largest; with a NaN among them, any value.
func (w *scoreRow) block(k kernel, dst, src []float32, column int) float32 {
	before := max(0, w.first-column)
	fill(dst[:before], float32(math.Inf(-1)))
	column += before
	s := w.from(column)
	return scoreBlock(k, dst[before:], src[before:], &s)
}

// from returns the scoring from a column on. It is a copy, so that nothing that w points to
// escapes.
func (w *scoreRow) from(column int) scoring {
	s := w.scoring
	if w.biases != nil {
		s.bias = &w.biases[column]
	}
	if w.keeps != nil {
		s.keep = &w.keeps[column]
	}
	s.distance = int32(column - w.position)
	return s
}

// longScores computes a row so long that exponentials are not stored.
func longScores(k kernel, dst []float32, row rowSource[float32, float32]) {
	var buffer [block32]float32
	row.maxFrom(k, dst, 0)
	row.elements, row.scores, row.buffer = dst, nil, buffer[:]
	if t := scan(k, row); t.isMasked() {
		clearAll(dst)
	} else {
		t.write(k, dst, dst, false)
	}
}

// undefined writes the weights of a row that is undefined.
func (w *scoreRow) undefined(k kernel, dst []float32) {
	for column := w.first; column < w.end; column += block32 {
		s := w.from(column)
		undefinedBlock(k, dst[column:min(column+block32, w.end)], &s)
	}
}
