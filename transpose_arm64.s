//go:build !purego

// Transposition for NEON.
//
// Use of registers, in every function:
//
//	R0, R1  square in dst and in src    R6, R7  first square of this row of squares
//	R2  rows left                       R8, R3  columns, and those left
//	R4, R5  strides in bytes            R10, R11  rows of a square

#include "textflag.h"

// START loads the arguments. Strides count elements of 2^shift bytes.
#define START(shift) \
	MOVD dst+0(FP), R6 \
	MOVD src+8(FP), R7 \
	MOVD rows+16(FP), R2 \
	MOVD cols+24(FP), R8 \
	MOVD dstStride+32(FP), R4 \
	MOVD srcStride+40(FP), R5 \
	LSL $shift, R4 \
	LSL $shift, R5

// func transposeNEON(dst, src *float32, rows, cols, dstStride, srcStride int)
//
// rows and cols are multiples of 4.
TEXT ·transposeNEON(SB), NOSPLIT, $0-48
	START(2)

squares:
	MOVD R6, R0
	MOVD R7, R1
	MOVD R8, R3

square:
	FMOVQ (R1), F0
	ADD R5, R1, R11
	FMOVQ (R11), F1
	ADD R5, R11
	FMOVQ (R11), F2
	ADD R5, R11
	FMOVQ (R11), F3
	VZIP1 V2.S4, V0.S4, V4.S4
	VZIP2 V2.S4, V0.S4, V5.S4
	VZIP1 V3.S4, V1.S4, V6.S4
	VZIP2 V3.S4, V1.S4, V7.S4
	VZIP1 V6.S4, V4.S4, V0.S4
	VZIP2 V6.S4, V4.S4, V1.S4
	VZIP1 V7.S4, V5.S4, V2.S4
	VZIP2 V7.S4, V5.S4, V3.S4
	FMOVQ F0, (R0)
	ADD R4, R0
	FMOVQ F1, (R0)
	ADD R4, R0
	FMOVQ F2, (R0)
	ADD R4, R0
	FMOVQ F3, (R0)
	ADD R4, R0
	ADD $16, R1
	SUBS $4, R3
	BNE square

	ADD R5<<2, R7
	ADD $16, R6
	SUBS $4, R2
	BNE squares
	RET

// func transpose64NEON(dst, src *float64, rows, cols, dstStride, srcStride int)
//
// rows and cols are multiples of 2.
TEXT ·transpose64NEON(SB), NOSPLIT, $0-48
	START(3)

squares:
	MOVD R6, R0
	MOVD R7, R1
	MOVD R8, R3

square:
	FMOVQ (R1), F0
	ADD R5, R1, R11
	FMOVQ (R11), F1
	VZIP1 V1.D2, V0.D2, V2.D2
	VZIP2 V1.D2, V0.D2, V3.D2
	FMOVQ F2, (R0)
	ADD R4, R0
	FMOVQ F3, (R0)
	ADD R4, R0
	ADD $16, R1
	SUBS $2, R3
	BNE square

	ADD R5<<1, R7
	ADD $16, R6
	SUBS $2, R2
	BNE squares
	RET

// SHUFFLE merges the low halves of a and b to d, and the high halves to e.
#define SHUFFLE(a, b, d, e) \
	VZIP1 b.H8, a.H8, d.H8 \
	VZIP2 b.H8, a.H8, e.H8

// func transpose16NEON(dst, src *uint16, rows, cols, dstStride, srcStride int)
//
// rows and cols are multiples of 8.
TEXT ·transpose16NEON(SB), NOSPLIT, $0-48
	START(1)

squares:
	MOVD R6, R0
	MOVD R7, R1
	MOVD R8, R3

square:
	FMOVQ (R1), F0
	ADD R5, R1, R11
	FMOVQ (R11), F1
	ADD R5, R11
	FMOVQ (R11), F2
	ADD R5, R11
	FMOVQ (R11), F3
	ADD R5, R11
	FMOVQ (R11), F4
	ADD R5, R11
	FMOVQ (R11), F5
	ADD R5, R11
	FMOVQ (R11), F6
	ADD R5, R11
	FMOVQ (R11), F7
	SHUFFLE(V0, V4, V16, V17)
	SHUFFLE(V1, V5, V18, V19)
	SHUFFLE(V2, V6, V20, V21)
	SHUFFLE(V3, V7, V22, V23)
	SHUFFLE(V16, V20, V0, V1)
	SHUFFLE(V17, V21, V2, V3)
	SHUFFLE(V18, V22, V4, V5)
	SHUFFLE(V19, V23, V6, V7)
	SHUFFLE(V0, V4, V16, V17)
	SHUFFLE(V1, V5, V18, V19)
	SHUFFLE(V2, V6, V20, V21)
	SHUFFLE(V3, V7, V22, V23)
	FMOVQ F16, (R0)
	ADD R4, R0
	FMOVQ F17, (R0)
	ADD R4, R0
	FMOVQ F18, (R0)
	ADD R4, R0
	FMOVQ F19, (R0)
	ADD R4, R0
	FMOVQ F20, (R0)
	ADD R4, R0
	FMOVQ F21, (R0)
	ADD R4, R0
	FMOVQ F22, (R0)
	ADD R4, R0
	FMOVQ F23, (R0)
	ADD R4, R0
	ADD $16, R1
	SUBS $8, R3
	BNE square

	ADD R5<<3, R7
	ADD $16, R6
	SUBS $8, R2
	BNE squares
	RET
