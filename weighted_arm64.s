//go:build !purego

// Sums of attention outputs times their weights, for NEON. It gives the bits of the Go
// code in weighted_generic.go. The sums of a few columns stay in registers for all
// parts.
//
// Use of registers, in the functions that add:
//
//	R0  sums         R1  sums to start from      R2  what a part at 0 has from here on
//	R3  parts        R4  how many                R5  columns left
//	R6  part         R7  parts left              R8  its output
//	V0-V7    sums of float32; of float64 V0 and V1 are hi, V2 and V3 lo
//	V16-V27  elements, and scratch
//	V31      weight, twice
//
// and in those that round:
//
//	R0  dst          R1  sums                    R2  columns left        R3  scratch
//	V0, V1   hi; of float64 V0 is hi and V1 lo
//	V2, V3   scratch; of float32 V2 is the elements
//	V4       NaN                                 V5  the smallest positive float64
//	V6       of float32 1/sumScale
//
// The mode of the thread is in R23.

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"
#include "subnormal_arm64.h"

#define ARGUMENTS \
	MOVD to+0(FP), R0 \
	MOVD from+8(FP), R1 \
	MOVD parts+16(FP), R3 \
	MOVD n+24(FP), R4 \
	MOVD src+32(FP), R2 \
	MOVD cols+40(FP), R5 \
	GRADUAL
#define ROUNDARGUMENTS \
	MOVD dst+0(FP), R0 \
	MOVD sums+8(FP), R1 \
	MOVD n+16(FP), R2 \
	GRADUAL

// PARTS does MULTIPLYADD for each part. Elements have 2^size bytes.
#define PARTS(MULTIPLYADD, size, loop) \
	MOVD R3, R6 \
	MOVD R4, R7 \
loop: \
	VLD1R (R6), [V31.D2] \
	MOVD weightedPart_at(R6), R8 \
	ADD R8<<size, R2, R8 \
	MULTIPLYADD \
	ADD $weightedPart__size, R6 \
	SUBS $1, R7 \
	BNE loop

// NEXT moves on by n columns.
#define NEXT(n, size) \
	ADD $(8*n), R1 \
	ADD $(8*n), R0 \
	ADD $(n<<size), R2

// WIDEN4 adds the four elements in x times the weight to the sums s and t. It uses y and
// z.
#define WIDEN4(x, y, z, s, t) \
	VFCVTL(x, y) \
	VFCVTL2(x, z) \
	VFMLAD(31, y, s) \
	VFMLAD(31, z, t)
#define ADD16 \
	VLDPQ(0, 8, 16, 17) \
	VLDPQ(32, 8, 18, 19) \
	WIDEN4(16, 20, 21, 0, 1) \
	WIDEN4(17, 22, 23, 2, 3) \
	WIDEN4(18, 24, 25, 4, 5) \
	WIDEN4(19, 26, 27, 6, 7)
#define ADD2 \
	FMOVD (R8), F16 \
	VFCVTL(16, 20) \
	VFMLAD(31, 20, 0)
#define ADD1 \
	FMOVS (R8), F16 \
	VFCVTL(16, 20) \
	VFMLAD(31, 20, 0)

// func addWeightedNEON(to, from *columnSums, parts *weightedPart, n int, src *float32, cols int)
TEXT ·addWeightedNEON(SB), NOSPLIT, $0-48
	ARGUMENTS
	SUBS $16, R5
	BLT pairs
groups:
	VLDPQ(0, 1, 0, 1)
	VLDPQ(32, 1, 2, 3)
	VLDPQ(64, 1, 4, 5)
	VLDPQ(96, 1, 6, 7)
	PARTS(ADD16, 2, group)
	VSTPQ(0, 1, 0, 0)
	VSTPQ(2, 3, 32, 0)
	VSTPQ(4, 5, 64, 0)
	VSTPQ(6, 7, 96, 0)
	NEXT(16, 2)
	SUBS $16, R5
	BGE groups
pairs:
	ADDS $14, R5
	BLT rest
pair:
	FMOVQ (R1), F0
	PARTS(ADD2, 2, two)
	FMOVQ F0, (R0)
	NEXT(2, 2)
	SUBS $2, R5
	BGE pair
rest:
	TBZ $0, R5, done
	FMOVQ (R1), F0
	PARTS(ADD1, 2, one)
	FMOVQ F0, (R0)
done:
	RESTORE
	RET

// DOT2 adds the elements x times the weight to the sums hi and lo. It uses p, q and r for
// the product, the new sum and what is in it, and e for what is lost.
#define DOT2(x, hi, lo, p, q, r, e) \
	VFMULD(31, x, p) \
	VFNEGD(p, e) \
	VFMLAD(31, x, e) \
	VFADDD(p, hi, q) \
	VFSUBD(hi, q, r) \
	VFSUBD(r, p, p) \
	VFSUBD(r, q, r) \
	VFSUBD(r, hi, r) \
	VFADDD(p, r, r) \
	VFADDD(r, e, e) \
	VFADDD(e, lo, lo) \
	VCOPY(q, hi)
#define ADDWIDE4 \
	VLDPQ(0, 8, 16, 17) \
	DOT2(16, 0, 2, 18, 19, 20, 21) \
	DOT2(17, 1, 3, 22, 23, 24, 25)
#define ADDWIDE2 \
	FMOVQ (R8), F16 \
	DOT2(16, 0, 2, 18, 19, 20, 21)
#define ADDWIDE1 \
	FMOVD (R8), F16 \
	DOT2(16, 0, 2, 18, 19, 20, 21)

// func addWeighted64NEON(to, from *columnSums, parts *weightedPart, n int, src *float64, cols int)
TEXT ·addWeighted64NEON(SB), NOSPLIT, $0-48
	ARGUMENTS
	SUBS $4, R5
	BLT pairs
groups:
	VLDPQ(0, 1, 0, 1)
	FMOVQ columnSums_lo(R1), F2
	FMOVQ (columnSums_lo+16)(R1), F3
	PARTS(ADDWIDE4, 3, group)
	VSTPQ(0, 1, 0, 0)
	FMOVQ F2, columnSums_lo(R0)
	FMOVQ F3, (columnSums_lo+16)(R0)
	NEXT(4, 3)
	SUBS $4, R5
	BGE groups
pairs:
	TBZ $1, R5, rest
	FMOVQ (R1), F0
	FMOVQ columnSums_lo(R1), F2
	PARTS(ADDWIDE2, 3, two)
	FMOVQ F0, (R0)
	FMOVQ F2, columnSums_lo(R0)
	NEXT(2, 3)
rest:
	TBZ $0, R5, done
	FMOVQ (R1), F0
	FMOVQ columnSums_lo(R1), F2
	PARTS(ADDWIDE1, 3, one)
	FMOVQ F0, (R0)
	FMOVQ F2, columnSums_lo(R0)
done:
	RESTORE
	RET

// ROUNDALL does ROUND for all of the R2 columns, at least n: vectors of n, then what is
// left as a vector that ends where they do. Elements have 2^size bytes.
#define ROUNDALL(ROUND, n, size) \
	ROUNDARGUMENTS \
	SUB $n, R2 \
vector: \
	ROUND \
	ADD $(n<<size), R0 \
	ADD $(8*n), R1 \
	SUBS $n, R2 \
	BGE vector \
	ADDS $n, R2 \
	BEQ done \
	SUB $n, R2 \
	ADD R2<<size, R0 \
	ADD R2<<3, R1 \
	ROUND \
done: \
	RESTORE \
	RET

#define ROUND4 \
	VLDPQ(0, 1, 0, 1) \
	VFMULD(6, 0, 0) \
	VFMULD(6, 1, 1) \
	VFCVTN(0, 2) \
	VFCVTN2(1, 2) \
	VFCMEQ(2, 2, 3) \
	VBIFV(3, 4, 2) \
	FMOVQ F2, (R0)

// func roundSumsNEON(dst *float32, sums *columnSums, n int)
TEXT ·roundSumsNEON(SB), NOSPLIT, $0-24
	MOVD $0x7FC00000, R3
	VDUP R3, V4.S4
	MOVD $0x3370000000000000, R3 // 1/sumScale
	VDUP R3, V6.D2
	ROUNDALL(ROUND4, 4, 2)

#define ROUNDWIDE2 \
	FMOVQ (R1), F0 \
	FMOVQ columnSums_lo(R1), F1 \
	VFACGED(5, 1, 3) \
	VFADDD(1, 0, 2) \
	VBITV(3, 2, 0) \
	VFCMEQD(0, 0, 3) \
	VBIFV(3, 4, 0) \
	FMOVQ F0, (R0)

// func roundSums64NEON(dst *float64, sums *columnSums, n int)
TEXT ·roundSums64NEON(SB), NOSPLIT, $0-24
	MOVD $0x7FF8000000000000, R3
	VDUP R3, V4.D2
	MOVD $1, R3
	VDUP R3, V5.D2
	ROUNDALL(ROUNDWIDE2, 2, 3)
