package softmax

// This file is the algorithm on one row, for every kernel.
//
// A row is cut into blocks of blockLen elements. Each block has a reference
// exponent of its own, taken from its maximum: with it the kernel computes
//
//	e[i] = e^x[i] * 2^shift
//
// so that the largest e[i] of the block is about 2^topExponent. The block's sum
// is then a property of its values alone. Sums of blocks are brought to the
// largest reference by exact powers of two, and added in index order.
//
// Three ways lead from there to the same bits. A row of one block is done whole
// by the kernel, many rows per call. A longer row that fits the caches stores
// its e[i] in dst and multiplies them when the sum is known. Beyond that
// computing e[i] again costs less than storing and loading it.
//
// Where every |x| that matters is below exactLimit, e[i] is a function of x[i]
// and the reference's power of two. Beyond, the row's maximum is subtracted
// first; that is exact, by Sterbenz's lemma, for every element that does not
// vanish.

import (
	"math"
	"unsafe"
)

const (
	blockLen    = 4096 // elements per block: 16 KiB, a part of every L1 data cache
	topExponent = 64   // the largest e of a block is within a factor of 2 of 2^topExponent
	vanish      = 154  // e^x is 0 in the end where it is 2^-vanish of the block's maximum
	exactLimit  = 16384
	careShift   = 126 // a careful factor is 2^careShift too large

	streamAlign = 64 // bytes to which dst is aligned where it is stored past the caches

	storedLen = 1 << 20 // no kernel stores the exponentials of a longer row
)

// reference says how a block's exponentials are scaled. Assembly reads it.
type reference struct {
	bias   float32 // added to each x: tiny, or the row's maximum negated
	cutoff float32 // x + bias is raised to this: what is below vanishes anyway
	magic  float32 // intMagic + 8*shift: rounds x*log2e8 and adds the shift
	offset uint32  // 8*shift
	shift  int32   // topExponent less the reference exponent
}

// factor is what a block's exponentials are multiplied by. Assembly reads it.
type factor struct {
	hi, lo  float32 // the factor is hi + lo
	cutoff  float32 // if careful, e is raised to this: what is below becomes 0
	careful bool    // probabilities may be subnormal, and the factor is 2^careShift too large
}

// newReference returns the reference of a block with maximum m in a row with
// the given bias.
func newReference(m, bias float32) reference {
	top := max(float32(m+bias), -exactLimit)
	exponent := float32(fma32(top, log2e, intMagic) - intMagic)
	return shiftReference(topExponent-int32(exponent), bias)
}

func shiftReference(shift int32, bias float32) reference {
	exponent := float32(topExponent - shift)
	return reference{
		bias:   bias,
		cutoff: fma32(exponent, ln2, -vanish*ln2),
		magic:  intMagic + float32(8*shift),
		offset: uint32(8 * shift),
		shift:  shift,
	}
}

// rowBias returns what is added to the elements of a row with maximum m.
func rowBias(m float32) float32 {
	if math.Abs(float64(m)) >= exactLimit {
		return -m
	}
	return tiny
}

// newFactor returns 2^delta / sum, where sum is a row's sum. Its low part is cut
// to 32 bits behind the leading bit of the high part: then no product with it
// is subnormal unless careful is called for.
func newFactor(sum float64, delta int32, careful bool) factor {
	inverse := 1 / sum
	high := float64(float32(inverse))
	cut := high * 0x1p20
	low := float64(float64(inverse-high)+cut) - cut
	scale := pow2(delta)
	f := factor{cutoff: float32(sum / scale * 0x1p-153), careful: careful}
	if careful {
		scale *= 1 << 63
		scale *= 1 << (careShift - 63)
	}
	f.hi, f.lo = float32(high*scale), float32(low*scale)
	return f
}

// needsCare reports whether exponentials of a block could have a subnormal
// product with its factor. large tells that all of them are at least 2.
func needsCare(sum float64, delta int32, large bool) bool {
	return !large || pow2(delta) < 0x1p-94*sum
}

// vanishes reports whether a block's probabilities are all 0.
func vanishes(sum float64, delta int32) bool {
	return pow2(delta)*0x1p66 < 0x1p-151*sum
}

// pow2 returns 2^e, or 0 if that is not a normal number. e is at most 0.
func pow2(e int32) float64 {
	if e < -1022 {
		return 0
	}
	return math.Float64frombits(uint64(1023+e) << 52)
}

// rowScan is what the first pass over a row finds out.
type rowScan struct {
	bias     float32
	sum      float64 // of the exponentials, scaled by 2^shift
	shift    int32   // smallest shift of a block
	maxShift int32   // largest shift of a block
	large    bool    // every exponential is at least 2 in its block
}

// blockScale is what the first pass stores about a block.
type blockScale struct {
	shift int32
	large bool
}

// farShift stands for the shift of a block that vanishes.
const farShift = 1 << 24

// scan computes the exponentials of src block by block and adds them. It stores
// them in dst, and their scales in scales, unless dst is nil.
func scan(k kernel, dst, src []float32, scales []blockScale) rowScan {
	r := rowScan{bias: tiny, shift: farShift, maxShift: -farShift, large: true}
	top, settled := float32(math.Inf(-1)), false
	for i, at := 0, 0; at < len(src); i, at = i+1, at+blockLen {
		s := src[at:min(at+blockLen, len(src))]
		m := maxBlock(k, s)
		if !settled && !(-exactLimit/2 < m && m < exactLimit/2) {
			// The bias depends on the whole row: look ahead, as dst may be src.
			settled = true
			for rest := src[at:]; len(rest) > 0; rest = rest[min(blockLen, len(rest)):] {
				top = max(top, maxBlock(k, rest[:min(blockLen, len(rest))]))
			}
			if r.bias = rowBias(top); r.bias != tiny {
				// Every element so far is exactLimit/2 or more below the maximum: its
				// block vanishes. Only a NaN stays in the sum when that is scaled next.
				for j := range scales[:min(i, len(scales))] {
					scales[j].shift = farShift
				}
				r.shift, r.large = farShift, false
			}
		}
		top = max(top, m)
		ref := newReference(m, r.bias)
		var sum float64
		var large bool
		if dst == nil {
			sum, large = sumBlock(k, s, &ref)
		} else {
			sum, large = expBlock(k, dst[at:at+len(s)], s, &ref)
			scales[i] = blockScale{ref.shift, large}
		}
		r.large = r.large && large
		r.maxShift = max(r.maxShift, ref.shift)
		if ref.shift < r.shift {
			r.sum *= pow2(ref.shift - r.shift)
			r.shift = ref.shift
		}
		r.sum += sum * pow2(r.shift-ref.shift)
	}
	return r
}

// softmaxRow computes one row of any length but 0.
func softmaxRow(k kernel, dst, src []float32) {
	switch {
	case len(src) <= blockLen:
		softmaxBlocks(k, dst, src, len(src), 1, 0, 0)
	case len(src) <= storedLimit(k):
		softmaxStored(k, dst, src)
	default:
		softmaxRecomputed(k, dst, src)
	}
}

// softmaxStored keeps the exponentials in dst until their sum is known.
func softmaxStored(k kernel, dst, src []float32) {
	var scales [storedLen / blockLen]blockScale
	r := scan(k, dst, src, scales[:])
	if r.sum != r.sum {
		fillNaN(dst)
		return
	}
	for i := 0; len(dst) > 0; i++ {
		n := min(len(dst), blockLen)
		delta := r.shift - scales[i].shift
		if vanishes(r.sum, delta) {
			clear(dst[:n])
		} else {
			f := newFactor(r.sum, delta, needsCare(r.sum, delta, scales[i].large))
			scaleBlock(k, dst[:n], &f)
		}
		dst = dst[n:]
	}
}

// softmaxRecomputed only adds the exponentials in the first pass and computes
// them again in the second.
func softmaxRecomputed(k kernel, dst, src []float32) {
	r := scan(k, nil, src, nil)
	if r.sum != r.sum {
		fillNaN(dst)
		return
	}
	ref := shiftReference(r.shift, r.bias)
	f := newFactor(r.sum, 0, needsCare(r.sum, r.shift-r.maxShift, r.large))
	if canStream(k) && len(src) >= streamLen && !f.careful && &dst[0] != &src[0] {
		// The first elements, at least one, bring dst to a multiple of streamAlign.
		n := streamAlign/4 - int(uintptr(unsafe.Pointer(&dst[0]))%streamAlign)/4
		expScaleBlock(k, dst[:n], src[:n], &ref, &f)
		for dst, src = dst[n:], src[n:]; len(src) >= blockLen; dst, src = dst[blockLen:], src[blockLen:] {
			expScaleStream(k, dst[:blockLen], src[:blockLen], &ref, &f)
		}
	}
	for len(src) > 0 {
		n := min(len(src), blockLen)
		expScaleBlock(k, dst[:n], src[:n], &ref, &f)
		dst, src = dst[n:], src[n:]
	}
}

// fillNaN makes a row all NaN.
func fillNaN(dst []float32) {
	dst[0] = math.Float32frombits(nanBits)
	for n := 1; n < len(dst); {
		n += copy(dst[n:], dst[:min(n, blockLen)])
	}
}
