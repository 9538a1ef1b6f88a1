package softmax

// This file is the algorithm on one row, for every kernel and element type.
//
// A row is cut into blocks of blockLen elements. Each block has a reference
// exponent of its own, taken from its maximum: with it the kernel computes
//
//	e[i] = e^x[i] * 2^shift
//
// so that the largest e[i] of the block is about 2^topExponent. The block's sum
// is then a property of its values alone. Sums of blocks are added exactly, by
// exactsum.go: their order does not matter.
//
// What becomes of a row before its first pass, if it is not that of float32 or
// float64 logits, is in logits.go.
//
// Three ways lead from there to the same probabilities. A row of one block is
// done whole by the kernel, many rows per call. A longer row that fits the caches
// stores its e[i] in dst and multiplies them when the sum is known. Beyond that
// computing e[i] again costs less than storing and loading it.
//
// Where every |x| that matters is below exactLimit, e[i] is a function of x[i]
// and the reference's power of two. Beyond, an anchor is subtracted first: the
// multiple of anchorStep that is next to the maximum, towards 0. That is exact, by
// Sterbenz's lemma, for every element that does not vanish. Blocks of one row may
// have different anchors; only two of them can matter.

import (
	"math"
	"unsafe"
)

const (
	blockBytes = 16 << 10       // of a block: a part of every L1 data cache
	block32    = blockBytes / 4 // elements of float32 in it
	block64    = blockBytes / 8 // elements of float64
	exactLimit = 16384
	anchorStep = exactLimit / 2

	streamAlign = 64 // bytes to which dst is aligned where it is stored past the caches

	storedBytes = 4 << 20 // of a row whose exponentials are stored: a part of a last-level cache
)

// blockLen returns the number of elements in a block.
func blockLen[T native]() int { return blockBytes / int(unsafe.Sizeof(T(0))) }

// sizeOf returns the bytes of the elements of s.
func sizeOf[T Float](s []T) int { return len(s) * int(unsafe.Sizeof(T(0))) }

// limits are the powers of two that depend on the range of an element type.
type limits struct {
	topExponent int32 // the largest e of a block is within a factor of 2 of 2^topExponent
	vanish      int32 // e^x is 0 in the end where it is 2^-vanish of the block's maximum
	zero        int32 // a probability of 2^-zero is 0
	care        int32 // below 2^-care, a factor of exponentials that are at least 2 wants care
}

func limitsOf[T native]() limits {
	if is32[T]() {
		return limits{topExponent: topExponent, vanish: vanish, zero: 151, care: 94}
	}
	return limits{topExponent: wideTopExponent, vanish: wideVanish, zero: 1076, care: 900}
}

// reference says how a block's exponentials are scaled. Assembly reads the first
// three.
type reference[T native] struct {
	bias   T     // added to each x: tiny, or an anchor negated
	cutoff T     // x + bias is raised to this: what is below vanishes anyway
	magic  T     // rounds x*log2e8 to an integer and adds offset to it
	offset int32 // 8*shift, and 8 times the exponent bias of the element type
	shift  int32 // topExponent less the reference exponent
}

// factor is what a block's exponentials are multiplied by. Assembly reads it.
type factor[T native] struct {
	hi, lo  T    // the factor is hi + lo
	cutoff  T    // if careful, e is raised to this: what is below becomes 0
	careful bool // probabilities may be subnormal, and the factor is 2^careShift too large
}

// doubleDouble is the number hi + lo, as a sum that may have more digits than a
// float64. The exponentials of float32 rows need no lo.
type doubleDouble struct{ hi, lo float64 }

// add returns d + e, whose hi is the plain sum: lo takes what that loses.
func (d doubleDouble) add(e doubleDouble) doubleDouble {
	// D. Knuth's TwoSum.
	hi := float64(d.hi + e.hi)
	eRounded := float64(hi - d.hi)
	dRounded := float64(hi - eRounded)
	lost := float64(d.hi-dRounded) + float64(e.hi-eRounded)
	return doubleDouble{hi, float64(d.lo+e.lo) + lost}
}

// scaled returns d times a power of two.
func (d doubleDouble) scaled(power float64) doubleDouble {
	return doubleDouble{d.hi * power, d.lo * power}
}

// product returns d * e.
func (d doubleDouble) product(e doubleDouble) doubleDouble {
	hi := float64(d.hi * e.hi)
	lost := fma64(d.hi, e.hi, -hi)
	return doubleDouble{hi, lost + float64(float64(d.hi*e.lo)+float64(d.lo*e.hi))}
}

// undefined reports whether d is a NaN: a sum or its logarithm is one if the row
// holds a NaN or a +Inf, or nothing but -Inf.
func (d doubleDouble) undefined() bool { return d.hi != d.hi }

// newReference returns the reference of a block with maximum m in a row with
// the given bias.
func newReference[T native](m, bias T) reference[T] {
	ref := shiftReference(shiftOf(m, bias), bias)
	if is32[T]() && bias == tinyOf[T]() && windowLowest <= m && m <= windowTop {
		ref.cutoff = windowCutoff
	}
	return ref
}

// Where a float32 block has its maximum in the window, between windowLowest and windowTop,
// its cutoff is always the same. Then powers of two are all that its reference puts into its
// exponentials and their sum, and a kernel may take 2^windowShift for it, which does not
// have to wait for the maximum: all exponentials are normal numbers, and a sum of 4096 is
// below 2^94, as a factor wants it that needs no care.
const (
	windowLowest = -4.75           // what is raised has a probability below 2^-153 there
	windowTop    = 20              // where the sum, and the exponential of the cutoff, have their limits
	windowShift  = 52              // makes that sum 2^93 at most
	windowCutoff = -160 * math.Ln2 // its exponential is above 2^-126 with every reference
)

// shiftOf returns the shift of this reference.
func shiftOf[T native](m, bias T) int32 {
	top := max(T(m+bias), -exactLimit)
	exponent := fma(top, T(math.Log2E), integerMagic[T]()) - integerMagic[T]()
	return limitsOf[T]().topExponent - int32(exponent)
}

func shiftReference[T native](shift int32, bias T) reference[T] {
	l := limitsOf[T]()
	exponent := T(l.topExponent - shift)
	offset := 8 * (shift + exponentBias[T]())
	return reference[T]{
		bias:   bias,
		cutoff: fma(exponent, T(math.Ln2), T(-l.vanish)*T(math.Ln2)),
		magic:  integerMagic[T]() + T(offset),
		offset: offset,
		shift:  shift,
	}
}

// anchorOf returns the number that is subtracted from elements of a row, or of a
// block, with maximum m.
func anchorOf[T native](m T) T {
	if math.Abs(float64(m)) < exactLimit {
		return 0
	}
	return T(math.Trunc(float64(m)/anchorStep)) * anchorStep
}

// biasOf returns what is added to the elements instead.
func biasOf[T native](anchor T) T {
	if anchor == 0 {
		return tinyOf[T]()
	}
	return -anchor
}

// rowBias returns what is added to elements of a row with maximum m.
func rowBias[T native](m T) T { return biasOf(anchorOf(m)) }

// needsCare reports whether exponentials of a block could have a subnormal
// product with its factor 2^delta / sum. large tells that all of them are at
// least 2.
func needsCare[T native](sum doubleDouble, delta int32, large bool) bool {
	return !large || delta+limitsOf[T]().care <= exponentOf(sum.hi)
}

// vanishes reports whether a block's probabilities are all 0.
func vanishes[T native](sum doubleDouble, delta int32) bool {
	l := limitsOf[T]()
	return delta+l.topExponent+2+l.zero <= exponentOf(sum.hi)
}

// exponentOf returns the exponent of a positive normal number.
func exponentOf(x float64) int32 { return int32(math.Float64bits(x)>>52) - 1023 }

// pow2 returns 2^e, or 0 if that is below the normal numbers.
func pow2(e int32) float64 {
	if e < -1022 {
		return 0
	}
	return math.Float64frombits(uint64(1023+e) << 52)
}

// blockScan is the first pass's summary of a block. Its maximum is NaN if the
// block holds one; sum and shift mean nothing if it is NaN or infinite. Assembly writes it.
type blockScan[T native] struct {
	top   T
	sum   doubleDouble // of the exponentials, scaled by 2^shift
	shift int32
	large bool // every exponential is at least 2
}

// rowScan is the first pass's summary of a row.
type rowScan[T native] struct {
	sum      expSum[T]
	maxShift int32 // largest shift of a block
	large    bool  // every exponential is at least 2 in its block, and no anchor differs
}

func newScan[T native]() rowScan[T] { return rowScan[T]{maxShift: -farShift, large: true} }

// farShift stands for the shift of a block that vanishes.
const farShift = 1 << 24

// add adds a block. The order does not matter.
func (r *rowScan[T]) add(b blockScan[T]) {
	r.observe(b.top, b.shift, b.large)
	r.sum.add(b)
}

// merge adds the blocks of another row.
func (r *rowScan[T]) merge(other *rowScan[T]) {
	r.observe(other.sum.max(), other.maxShift, other.large)
	r.sum.merge(&other.sum)
}

// observe takes note of blocks with maximum m.
func (r *rowScan[T]) observe(m T, maxShift int32, large bool) {
	r.large = r.large && large && (r.sum.count() == noNumber || anchorOf(m) == anchorOf(r.sum.top))
	r.maxShift = max(r.maxShift, maxShift)
}

// total returns what the second pass has to know.
func (r *rowScan[T]) total() rowTotal[T] {
	t := r.sum.total()
	t.careful = needsCare[T](t.sum, t.shift-r.maxShift, r.large)
	return t
}

// rowTotal is what the second pass over a row has to know.
type rowTotal[T native] struct {
	top     T            // the maximum, -Inf if there is nothing else, NaN if there is one
	bias    T            // that of the whole row
	shift   int32        // that of the maximum's block
	sum     doubleDouble // of the exponentials, scaled by 2^shift; NaN if the row is undefined
	careful bool         // probabilities may be subnormal
}

// isMasked reports whether the row is nothing but -Inf.
func (t *rowTotal[T]) isMasked() bool { return t.top == T(math.Inf(-1)) }

// isNear reports whether a block with maximum m says nothing against an anchor of 0
// for its row.
func isNear[T native](m T) bool { return -exactLimit/2 < m && m < exactLimit/2 }

// blockScale is what the first pass stores about a block.
type blockScale struct {
	shift int32
	large bool
}

// scan computes the exponentials of a row block by block and adds them.
func scan[T Float, C native](k kernel, src rowSource[T, C]) rowTotal[C] {
	r := newScan[C]()
	addRow(k, &r, src)
	return r.total()
}

// blocksPerCall are blocks whose exponentials one call of a kernel computes.
const blocksPerCall = maxPerCall / block32

// addRow adds the blocks of a row to those of others.
func addRow[T Float, C native](k kernel, r *rowScan[C], src rowSource[T, C]) {
	var scans [blocksPerCall]blockScan[C]
	near := true // the block before is near 0, so that the next ones are tried at once
	for at := 0; at < len(src.elements); {
		if whole := src.wholeBlocks(at); near && len(whole) > 0 {
			done := sumBlocks(k, whole, &scans)
			for i := range scans[:done] {
				scans[i].correctTop(k, whole[i*blockLen[C]():][:blockLen[C]()])
				r.add(scans[i])
			}
			at += done * blockLen[C]()
			if done == min(len(scans), len(whole)/blockLen[C]()) {
				continue
			}
		}
		block, m := src.read(k, nil, at)
		r.add(scanBlock(k, block, m))
		at += len(block)
		near = isNear(m)
	}
	src.addSink(k, r)
}

// scanStoring computes the exponentials of a row block by block, adds them, and stores them
// in dst and their scales in scales.
func scanStoring[T Float, C native](k kernel, dst []C, src rowSource[T, C], scales []blockScale) rowTotal[C] {
	r, settled := newScan[C](), false
	top, anchor := C(0), C(0) // of the row, as far as that is known to matter
	var scans [blocksPerCall]blockScan[C]
	for i, at := 0, 0; at < len(src.elements); i++ {
		if whole := src.wholeBlocks(at); !settled && len(whole) > 0 {
			done := expBlocks(k, dst[at:], whole, &scans)
			for _, b := range scans[:done] {
				if b.sum.undefined() {
					b.top = nan[C]()
				}
				scales[i] = blockScale{b.shift, b.large}
				r.add(b)
				i++
			}
			at += done * blockLen[C]()
			if at == len(src.elements) {
				break
			}
		}
		block, m := src.read(k, dst, at)
		if !settled && !src.isNear(m) {
			// The anchor depends on the whole row: look ahead, as dst may be src.
			settled = true
			top = src.largest(max(r.sum.max(), m, src.maxFrom(k, dst, at+len(block))))
			if top > C(math.Inf(-1)) {
				anchor = anchorOf(top)
			}
			if src.scores != nil {
				// From here on dst has the scores: they must not be made twice.
				src.elements, src.scores = castSlice[T](dst), nil
			}
			if anchor != 0 {
				// Every element so far is exactLimit/2 or more below the maximum.
				for j := range scales[:i] {
					scales[j].shift = farShift
				}
			}
			block, m = src.read(k, dst, at)
		}
		if anchorOf(m) == anchor {
			b := expScan(k, dst[at:], block, m, biasOf(anchor))
			scales[i] = blockScale{b.shift, b.large}
			r.add(b)
		} else {
			scales[i] = scanOffAnchor(k, dst[at:], &r, block, m, top)
		}
		at += len(block)
	}
	src.addSink(k, &r)
	return r.total()
}

// scanOffAnchor does for a block what scanStoring does, if its anchor is not that of the
// row, whose maximum is top. It is rare.
//
//go:noinline
func scanOffAnchor[C native](k kernel, dst []C, r *rowScan[C], block []C, m, top C) blockScale {
	const vanished = 1000 // e^-1000 is 2^-1443
	r.add(sumOffAnchor(k, block, m, top))
	if !(m > top-vanished) {
		return blockScale{shift: farShift}
	}
	b := expScan(k, dst, block, m, rowBias(top))
	return blockScale{b.shift, b.large}
}

// scanBlock adds the exponentials of a block with maximum m.
func scanBlock[T native](k kernel, src []T, m T) blockScan[T] {
	if math.IsInf(float64(m), 0) {
		return infiniteBlock(k, src, m)
	}
	ref := newReference(m, rowBias(m))
	sum, large := sumBlock(k, src, &ref)
	b := blockScan[T]{m, sum, ref.shift, large}
	b.correctTop(k, src)
	return b
}

// correctTop makes top the maximum of the block src where it may be another number.
func (b *blockScan[T]) correctTop(k kernel, src []T) {
	switch {
	case b.sum.undefined():
		b.top = nan[T]()
	case isTiny(b.top):
		ref := newReference(b.top, tinyOf[T]())
		b.top = exactMax(k, src, b.top, b.sum, expGeneric(b.top, &ref))
	}
}

// infiniteBlock returns what is to be known of a block with maximum m, which is an
// infinity.
func infiniteBlock[T native](k kernel, src []T, m T) blockScan[T] {
	if hasNaNBlock(k, src) {
		m = nan[T]()
	}
	return blockScan[T]{top: m}
}

// softmaxRow computes one non-empty row.
func softmaxRow[T native](k kernel, dst, src []T) {
	switch {
	case len(src) <= blockLen[T]():
		softmaxBlocks(k, &dst[0], &src[0], len(src), 1, 0, 0)
	case sizeOf(src) <= storedBytes:
		softmaxStored(k, dst, src)
	default:
		softmaxRecomputed(k, dst, src)
	}
}

// softmaxStored keeps the exponentials in dst until their sum is known.
func softmaxStored[T native](k kernel, dst, src []T) {
	var scales [storedBytes / blockBytes]blockScale
	scanAndScale(k, dst, rowSource[T, T]{elements: src}, scales[:])
}

// scanAndScale computes the softmax of a row, whose exponentials are in dst until their sum is
// known. scales has room for all blocks.
func scanAndScale[T Float, C native](k kernel, dst []C, src rowSource[T, C], scales []blockScale) {
	t := scanStoring(k, dst, src, scales)
	switch {
	case src.masked && t.isMasked():
		clearAll(dst)
		return
	case t.sum.undefined():
		fillNaN(dst)
		return
	}
	var f factor[C]
	for i, at := 0, 0; at < len(dst); i++ {
		end := min(src.blockEnd(at), len(dst))
		delta := t.shift - scales[i].shift
		if vanishes[C](t.sum, delta) {
			clear(dst[at:end])
		} else {
			if i == 0 || scales[i] != scales[i-1] {
				f = newFactor[C](t.sum, delta, needsCare[C](t.sum, delta, scales[i].large))
			}
			scaleBlock(k, dst[at:end], &f)
		}
		at = end
	}
}

// softmaxRecomputed only adds the exponentials in the first pass and computes
// them again in the second.
func softmaxRecomputed[T native](k kernel, dst, src []T) {
	t := scan(k, rowSource[T, T]{elements: src})
	t.write(k, dst, src, sizeOf(src) >= streamBytes)
}

// write computes the probabilities of a row, or of a part of it. stream asks to
// store past the caches.
func (t *rowTotal[T]) write(k kernel, dst, src []T, stream bool) {
	if t.sum.undefined() {
		fillNaN(dst)
		return
	}
	ref := shiftReference(t.shift, t.bias)
	f := newFactor[T](t.sum, 0, t.careful)
	address, size := uintptr(unsafe.Pointer(&dst[0])), unsafe.Sizeof(dst[0])
	if stream && canStream(k) && !f.careful && &dst[0] != &src[0] && address%size == 0 {
		// The first elements, at least one, bring dst to a multiple of streamAlign.
		n := min(int((streamAlign-address%streamAlign)/size), len(src))
		expScaleBlock(k, dst[:n], src[:n], &ref, &f)
		b := blockLen[T]()
		for dst, src = dst[n:], src[n:]; len(src) >= b; dst, src = dst[b:], src[b:] {
			expScaleStream(k, dst[:b], src[:b], &ref, &f)
		}
	}
	for len(src) > 0 {
		n := min(len(src), blockLen[T]())
		expScaleBlock(k, dst[:n], src[:n], &ref, &f)
		dst, src = dst[n:], src[n:]
	}
}

// rowSum is what log-softmax and log-sum-exp need of a row. Assembly writes it.
type rowSum[T native] struct {
	top T            // the maximum; any value if there is a NaN
	e   T            // the exponential of the maximum
	sum doubleDouble // of all exponentials
}

// logSumRow returns the maximum of a non-empty row, and the logarithm of
// the sum of all exponentials relative to that of the maximum: together they are
// the log-sum-exp. The logarithm is undefined if the row holds a NaN or a +Inf, or
// nothing but -Inf. Then m is the log-sum-exp.
func logSumRow[T native](k kernel, src []T) (m T, log doubleDouble) {
	if len(src) > blockLen[T]() {
		t := scan(k, rowSource[T, T]{elements: src})
		return t.top, t.logSum()
	}
	return logSumBlock(k, &src[0], len(src))
}

// logSumBlock is logSumRow for a row of one block, of n elements.
func logSumBlock[T native](k kernel, src *T, n int) (m T, log doubleDouble) {
	var sum rowSum[T]
	if is32[T]() { // and not through sumRows: a short row notices a call
		sumRows32(k, cast[rowSum[float32]](&sum), cast[float32](src), n, 1, 0)
	} else {
		sumRows64(k, cast[rowSum[float64]](&sum), cast[float64](src), n, 1, 0)
	}
	return sum.logSum(k, src, n)
}

// logSumRows calls f with what logSumRow returns, for non-empty rows.
func logSumRows[T native](k kernel, src []T, cols, rows, stride int, f func(row int, m T, log doubleDouble)) {
	if cols > blockLen[T]() {
		for row := range rows {
			m, log := logSumRow(k, src[row*stride:][:cols])
			f(row, m, log)
		}
		return
	}
	var sums [32]rowSum[T]
	for row := 0; row < rows; {
		batch := sums[:min(len(sums), maxPerCall/cols, rows-row)]
		sumRows(k, &batch[0], &src[row*stride], cols, len(batch), stride)
		for i := range batch {
			m, log := batch[i].logSum(k, &src[row*stride], cols)
			f(row, m, log)
			row++
		}
	}
}

// logSum returns what logSumRow does, of the block of n elements from src on.
func (s *rowSum[T]) logSum(k kernel, src *T, n int) (m T, log doubleDouble) {
	m = s.top
	if s.sum.undefined() || isTiny(m) {
		m = s.exactTop(k, unsafe.Slice(src, n))
	}
	return m, logRatio(s.sum, s.e)
}

// exactTop returns the maximum of the block src where top may be another number.
func (s *rowSum[T]) exactTop(k kernel, src []T) T {
	switch {
	case !s.sum.undefined():
		return exactMax(k, src, s.top, s.sum, s.e)
	case hasNaNBlock(k, src):
		return nan[T]()
	default:
		return s.top
	}
}

// logSum returns the logarithm that logSumRow does.
func (t *rowTotal[T]) logSum() doubleDouble {
	ref := shiftReference(t.shift, t.bias)
	return logRatio(t.sum, expGeneric(t.top, &ref))
}

// logRatio returns the logarithm of a row's sum divided by e, which is the
// exponential of its maximum as it stands in the sum. So its error does not count
// where it is most of the sum, and one element alone gives exactly 0.
func logRatio[T native](sum doubleDouble, e T) doubleDouble {
	switch {
	case sum.undefined():
		return sum
	case is32[T]():
		return logarithm(sum.hi / float64(e))
	default:
		return logRatio64(sum, float64(e))
	}
}

func logRatio64(sum doubleDouble, e float64) doubleDouble {
	// The parts of sum overlap, as its additions leave them.
	hi := float64(sum.hi + sum.lo)
	lo := float64(sum.hi-hi) + sum.lo
	ratio := hi / e
	rest := fma64(-ratio, e, hi) + lo
	log := logarithm(ratio)
	if math.Abs(rest) >= hi*safeLimit { // else it could be subnormal
		log.lo += float64(rest / hi)
	}
	return log
}

// logSoftmaxRow computes one non-empty row.
func logSoftmaxRow[T native](k kernel, dst, src []T) {
	m, log := logSumRow(k, src)
	subtractRow(k, dst, src, m, T(log.hi+log.lo))
}

// logSoftmaxBlock is logSoftmaxRow for a row of one block, of n elements.
func logSoftmaxBlock[T native](k kernel, dst, src *T, n int) {
	if is32[T]() && logSoftmaxShort(k, cast[float32](dst), cast[float32](src), n, 1, 0, 0) == 1 {
		return
	}
	m, log := logSumBlock(k, src, n)
	if log.undefined() {
		fillNaN(unsafe.Slice(dst, n))
		return
	}
	subtractBlock(k, unsafe.Slice(dst, n), unsafe.Slice(src, n), m, T(log.hi+log.lo))
}

// subtractRow computes the log-softmax of a row, or of a part of it. Both
// differences have the sign of the result, so that none cancels what the other has
// rounded.
func subtractRow[T native](k kernel, dst, src []T, m, rest T) {
	if rest != rest {
		fillNaN(dst)
		return
	}
	for len(src) > 0 {
		n := min(len(src), blockLen[T]())
		subtractBlock(k, dst[:n], src[:n], m, rest)
		dst, src = dst[n:], src[n:]
	}
}

// logSumExpRow returns the log-sum-exp of a non-empty row.
func logSumExpRow[T native](k kernel, src []T) T {
	m, log := logSumRow(k, src)
	return logSumExpFrom(m, log)
}

// logSumExpBlock is logSumExpRow for a row of one block, of n elements.
func logSumExpBlock[T native](k kernel, src *T, n int) (sum T) {
	if is32[T]() && logSumExpShort(k, cast[float32](&sum), cast[float32](src), n, 1, 0) == 1 {
		return sum
	}
	return logSumExpFrom(logSumBlock(k, src, n))
}

// logSumExpFrom returns the log-sum-exp that logSumRow returns in two parts. Where
// they nearly cancel it is the lower part of the logarithm that counts.
func logSumExpFrom[T native](m T, log doubleDouble) T {
	switch {
	case log.undefined():
		return m
	case !isTiny(m):
	case log == doubleDouble{} && !isZero(m):
		return m
	default:
		m = 0 // it cannot be seen beside a logarithm, and no sum is -0
	}
	sum := log.add(doubleDouble{hi: float64(m)})
	if is32[T]() {
		return T(round32(sum.hi + sum.lo))
	}
	return T(sum.hi + sum.lo)
}

// fillNaN makes a row all NaN.
func fillNaN[T Float](dst []T) { fill(dst, nan[T]()) }

// fill sets all elements to value. Copying is quicker than a loop of stores.
func fill[T Float](dst []T, value T) {
	if len(dst) == 0 {
		return
	}
	dst[0] = value
	for n := 1; n < len(dst); {
		n += copy(dst[n:], dst[:min(n, blockBytes/8)])
	}
}

// clearAll sets all elements to 0, in pieces: the runtime clears each at once, and
// a goroutine cannot be stopped meanwhile.
func clearAll[T Float](dst []T) {
	const piece = 16 * block32
	for len(dst) > piece {
		clear(dst[:piece])
		dst = dst[piece:]
	}
	clear(dst)
}
