//go:build !purego

// Conversions between float32 and the formats of 16 bits, for NEON. In every
// function elements that are no whole group or vector are done last, as a vector
// that ends where they do.
//
// Use of registers, in every function:
//
//	R0  dst        R1  src       R2  elements left   R3  scratch
//	V0-V3  elements before, V4-V7 after conversion
//	V8  maximum    V9  0x7FFF    V10  0x10000

#include "textflag.h"
#include "neon_arm64.h"

// ALL does the R2 >= 4 elements at R1: groups of 16, then vectors, then what is left
// as a vector. SIXTEEN and FOUR do them, and move nothing. Elements at R1 have 2^from
// bytes, those at R0 have 2^to bytes.
#define ALL(SIXTEEN, FOUR, from, to) \
	SUBS $16, R2 \
	BLT vectors \
groups: \
	SIXTEEN \
	ADD $(16<<from), R1 \
	ADD $(16<<to), R0 \
	SUBS $16, R2 \
	BGE groups \
vectors: \
	ADDS $12, R2 \
	BLT rest \
vector: \
	FOUR \
	ADD $(4<<from), R1 \
	ADD $(4<<to), R0 \
	SUBS $4, R2 \
	BGE vector \
rest: \
	ADDS $4, R2 \
	BEQ done \
	SUB $4, R2 \
	ADD R2<<from, R1 \
	ADD R2<<to, R0 \
	FOUR \
done:

// LOWEST sets the maximum to -Inf.
#define LOWEST \
	MOVD $0xFF800000, R3 \
	VDUP R3, V8.S4

// MAXIMUM16 adds V4-V7, which it stores, to the maximum.
#define MAXIMUM16 \
	VSTPQ(4, 5, 0, 0) \
	VSTPQ(6, 7, 32, 0) \
	VFMAX(5, 4, 4) \
	VFMAX(7, 6, 6) \
	VFMAX(6, 4, 4) \
	VFMAX(4, 8, 8)
#define MAXIMUM4 \
	FMOVQ F4, (R0) \
	VFMAX(4, 8, 8)

// ACROSS sets F8 to the maximum.
#define ACROSS \
	VFMAXP(8, 8, 8) \
	VFMAXP(8, 8, 8)

#define WIDEN16 \
	VLDPQ(0, 1, 0, 1) \
	VFCVTLH(0, 4) \
	VFCVTL2H(0, 5) \
	VFCVTLH(1, 6) \
	VFCVTL2H(1, 7) \
	MAXIMUM16
#define WIDEN4 \
	FMOVD (R1), F0 \
	VFCVTLH(0, 4) \
	MAXIMUM4

// func widenFloat16NEON(dst *float32, src *Float16, n int) float32
TEXT ·widenFloat16NEON(SB), NOSPLIT, $0-28
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD n+16(FP), R2
	LOWEST
	ALL(WIDEN16, WIDEN4, 1, 2)
	ACROSS
	FMOVS F8, ret+24(FP)
	RET

#define WIDENB16 \
	VLDPQ(0, 1, 0, 1) \
	VSHLL(0, 4) \
	VSHLL2(0, 5) \
	VSHLL(1, 6) \
	VSHLL2(1, 7) \
	MAXIMUM16
#define WIDENB4 \
	FMOVD (R1), F0 \
	VSHLL(0, 4) \
	MAXIMUM4

// func widenBFloat16NEON(dst *float32, src *BFloat16, n int) float32
TEXT ·widenBFloat16NEON(SB), NOSPLIT, $0-28
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD n+16(FP), R2
	LOWEST
	ALL(WIDENB16, WIDENB4, 1, 2)
	ACROSS
	FMOVS F8, ret+24(FP)
	RET

#define NARROW16 \
	VLDPQ(0, 1, 0, 1) \
	VLDPQ(32, 1, 2, 3) \
	VFCVTNH(0, 4) \
	VFCVTNH(2, 5) \
	VFCVTN2H(1, 4) \
	VFCVTN2H(3, 5) \
	VSTPQ(4, 5, 0, 0)
#define NARROW4 \
	FMOVQ (R1), F0 \
	VFCVTNH(0, 4) \
	FMOVD F4, (R0)

// func narrowFloat16NEON(dst *Float16, src *float32, n int)
TEXT ·narrowFloat16NEON(SB), NOSPLIT, $0-24
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD n+16(FP), R2
	ALL(NARROW16, NARROW4, 2, 1)
	RET

// HALFWAY sets t to what rounds x to bfloat16 when it is added: less than half of the
// last place, or exactly half if that place is odd. Then CMTST gives -1.
#define HALFWAY(x, t) \
	VCMTSTS(10, x, t) \
	VSUBS(t, 9, t)
#define NARROWB16 \
	VLDPQ(0, 1, 0, 1) \
	VLDPQ(32, 1, 2, 3) \
	HALFWAY(0, 4) \
	HALFWAY(1, 5) \
	HALFWAY(2, 6) \
	HALFWAY(3, 7) \
	VADDHN(4, 0, 4) \
	VADDHN2(5, 1, 4) \
	VADDHN(6, 2, 6) \
	VADDHN2(7, 3, 6) \
	VSTPQ(4, 6, 0, 0)
#define NARROWB4 \
	FMOVQ (R1), F0 \
	HALFWAY(0, 4) \
	VADDHN(4, 0, 4) \
	FMOVD F4, (R0)

// func narrowBFloat16NEON(dst *BFloat16, src *float32, n int)
TEXT ·narrowBFloat16NEON(SB), NOSPLIT, $0-24
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD n+16(FP), R2
	MOVD $0x7FFF, R3
	VDUP R3, V9.S4
	MOVD $0x10000, R3
	VDUP R3, V10.S4
	ALL(NARROWB16, NARROWB4, 2, 1)
	RET
