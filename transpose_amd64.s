//go:build !purego

// Transposition for AVX2. Loads put rows that are half a square apart side by
// side: then no element has to cross the middle of a register.
//
// There are two functions for each size of element. One goes along the rows of src
// and uses up their cache lines; the other goes along the columns and fills whole
// cache lines of dst, if dst is aligned so. It matters where a stride is so long
// that the cache holds few lines that far apart.
//
// Use of registers, in every function:
//
//	SI, DI  place in src and in dst     BX, DX  where this round started
//	R8, R9  strides in bytes            R10, R11  three strides
//	R12, R13  rows and columns          CX  what is left of a round
//	AX      four rows further on, in src or dst

#include "textflag.h"

// START loads the arguments. Strides count elements of 2^shift bytes.
#define START(shift) \
	MOVQ dst+0(FP), DX \
	MOVQ src+8(FP), BX \
	MOVQ rows+16(FP), R12 \
	MOVQ cols+24(FP), R13 \
	MOVQ dstStride+32(FP), R9 \
	MOVQ srcStride+40(FP), R8 \
	SHLQ $shift, R8 \
	SHLQ $shift, R9 \
	LEAQ (R8)(R8*2), R10 \
	LEAQ (R9)(R9*2), R11

// func transposeAVX2(dst, src *float32, rows, cols, dstStride, srcStride int)
//
// rows and cols are multiples of 8.
TEXT ·transposeAVX2(SB), NOSPLIT, $0-48
	START(2)

squares:
	MOVQ BX, SI
	MOVQ DX, DI
	MOVQ R13, CX

square:
	LEAQ (SI)(R8*4), AX
	VMOVUPS (SI), X0
	VMOVUPS (SI)(R8*1), X1
	VMOVUPS (SI)(R8*2), X2
	VMOVUPS (SI)(R10*1), X3
	VMOVUPS 16(SI), X4
	VMOVUPS 16(SI)(R8*1), X5
	VMOVUPS 16(SI)(R8*2), X6
	VMOVUPS 16(SI)(R10*1), X7
	VINSERTF128 $1, (AX), Y0, Y0
	VINSERTF128 $1, (AX)(R8*1), Y1, Y1
	VINSERTF128 $1, (AX)(R8*2), Y2, Y2
	VINSERTF128 $1, (AX)(R10*1), Y3, Y3
	VINSERTF128 $1, 16(AX), Y4, Y4
	VINSERTF128 $1, 16(AX)(R8*1), Y5, Y5
	VINSERTF128 $1, 16(AX)(R8*2), Y6, Y6
	VINSERTF128 $1, 16(AX)(R10*1), Y7, Y7
	VUNPCKLPS Y1, Y0, Y8
	VUNPCKHPS Y1, Y0, Y9
	VUNPCKLPS Y3, Y2, Y10
	VUNPCKHPS Y3, Y2, Y11
	VUNPCKLPS Y5, Y4, Y12
	VUNPCKHPS Y5, Y4, Y13
	VUNPCKLPS Y7, Y6, Y14
	VUNPCKHPS Y7, Y6, Y15
	VSHUFPS $0x44, Y10, Y8, Y0
	VSHUFPS $0xEE, Y10, Y8, Y1
	VSHUFPS $0x44, Y11, Y9, Y2
	VSHUFPS $0xEE, Y11, Y9, Y3
	VSHUFPS $0x44, Y14, Y12, Y4
	VSHUFPS $0xEE, Y14, Y12, Y5
	VSHUFPS $0x44, Y15, Y13, Y6
	VSHUFPS $0xEE, Y15, Y13, Y7
	LEAQ (DI)(R9*4), AX
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, (DI)(R9*1)
	VMOVUPS Y2, (DI)(R9*2)
	VMOVUPS Y3, (DI)(R11*1)
	VMOVUPS Y4, (AX)
	VMOVUPS Y5, (AX)(R9*1)
	VMOVUPS Y6, (AX)(R9*2)
	VMOVUPS Y7, (AX)(R11*1)
	ADDQ $32, SI
	LEAQ (AX)(R9*4), DI
	SUBQ $8, CX
	JNE square

	LEAQ (BX)(R8*8), BX
	ADDQ $32, DX
	SUBQ $8, R12
	JNE squares
	VZEROUPPER
	RET

// func transpose64AVX2(dst, src *float64, rows, cols, dstStride, srcStride int)
//
// rows and cols are multiples of 4.
TEXT ·transpose64AVX2(SB), NOSPLIT, $0-48
	START(3)

squares:
	MOVQ BX, SI
	MOVQ DX, DI
	MOVQ R13, CX

square:
	VMOVUPD (SI), X0
	VMOVUPD (SI)(R8*1), X1
	VMOVUPD 16(SI), X2
	VMOVUPD 16(SI)(R8*1), X3
	VINSERTF128 $1, (SI)(R8*2), Y0, Y0
	VINSERTF128 $1, (SI)(R10*1), Y1, Y1
	VINSERTF128 $1, 16(SI)(R8*2), Y2, Y2
	VINSERTF128 $1, 16(SI)(R10*1), Y3, Y3
	VUNPCKLPD Y1, Y0, Y4
	VUNPCKHPD Y1, Y0, Y5
	VUNPCKLPD Y3, Y2, Y6
	VUNPCKHPD Y3, Y2, Y7
	VMOVUPD Y4, (DI)
	VMOVUPD Y5, (DI)(R9*1)
	VMOVUPD Y6, (DI)(R9*2)
	VMOVUPD Y7, (DI)(R11*1)
	ADDQ $32, SI
	LEAQ (DI)(R9*4), DI
	SUBQ $4, CX
	JNE square

	LEAQ (BX)(R8*4), BX
	ADDQ $32, DX
	SUBQ $4, R12
	JNE squares
	VZEROUPPER
	RET

// func transposeLinesAVX2(dst, src *float32, rows, cols, dstStride, srcStride int)
//
// rows is a multiple of 16, cols one of 4.
TEXT ·transposeLinesAVX2(SB), NOSPLIT, $0-48
	START(2)

columns:
	MOVQ BX, SI
	MOVQ DX, DI
	MOVQ R12, CX

lines:
	LEAQ (SI)(R8*4), AX
	VMOVUPS (SI), X0
	VMOVUPS (SI)(R8*1), X1
	VMOVUPS (SI)(R8*2), X2
	VMOVUPS (SI)(R10*1), X3
	VINSERTF128 $1, (AX), Y0, Y0
	VINSERTF128 $1, (AX)(R8*1), Y1, Y1
	VINSERTF128 $1, (AX)(R8*2), Y2, Y2
	VINSERTF128 $1, (AX)(R10*1), Y3, Y3
	LEAQ (AX)(R8*4), SI
	LEAQ (SI)(R8*4), AX
	VMOVUPS (SI), X4
	VMOVUPS (SI)(R8*1), X5
	VMOVUPS (SI)(R8*2), X6
	VMOVUPS (SI)(R10*1), X7
	VINSERTF128 $1, (AX), Y4, Y4
	VINSERTF128 $1, (AX)(R8*1), Y5, Y5
	VINSERTF128 $1, (AX)(R8*2), Y6, Y6
	VINSERTF128 $1, (AX)(R10*1), Y7, Y7
	LEAQ (AX)(R8*4), SI
	VUNPCKLPS Y1, Y0, Y8
	VUNPCKHPS Y1, Y0, Y9
	VUNPCKLPS Y3, Y2, Y10
	VUNPCKHPS Y3, Y2, Y11
	VUNPCKLPS Y5, Y4, Y12
	VUNPCKHPS Y5, Y4, Y13
	VUNPCKLPS Y7, Y6, Y14
	VUNPCKHPS Y7, Y6, Y15
	VSHUFPS $0x44, Y10, Y8, Y0
	VSHUFPS $0x44, Y14, Y12, Y1
	VSHUFPS $0xEE, Y10, Y8, Y2
	VSHUFPS $0xEE, Y14, Y12, Y3
	VSHUFPS $0x44, Y11, Y9, Y4
	VSHUFPS $0x44, Y15, Y13, Y5
	VSHUFPS $0xEE, Y11, Y9, Y6
	VSHUFPS $0xEE, Y15, Y13, Y7
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	VMOVUPS Y2, (DI)(R9*1)
	VMOVUPS Y3, 32(DI)(R9*1)
	VMOVUPS Y4, (DI)(R9*2)
	VMOVUPS Y5, 32(DI)(R9*2)
	VMOVUPS Y6, (DI)(R11*1)
	VMOVUPS Y7, 32(DI)(R11*1)
	ADDQ $64, DI
	SUBQ $16, CX
	JNE lines

	ADDQ $16, BX
	LEAQ (DX)(R9*4), DX
	SUBQ $4, R13
	JNE columns
	VZEROUPPER
	RET

// func transposeLines64AVX2(dst, src *float64, rows, cols, dstStride, srcStride int)
//
// rows is a multiple of 8, cols one of 4.
TEXT ·transposeLines64AVX2(SB), NOSPLIT, $0-48
	START(3)

columns:
	MOVQ BX, SI
	MOVQ DX, DI
	MOVQ R12, CX

lines:
	LEAQ (SI)(R8*4), AX
	VMOVUPD (SI), X0
	VMOVUPD (SI)(R8*1), X1
	VMOVUPD 16(SI), X2
	VMOVUPD 16(SI)(R8*1), X3
	VINSERTF128 $1, (SI)(R8*2), Y0, Y0
	VINSERTF128 $1, (SI)(R10*1), Y1, Y1
	VINSERTF128 $1, 16(SI)(R8*2), Y2, Y2
	VINSERTF128 $1, 16(SI)(R10*1), Y3, Y3
	VMOVUPD (AX), X4
	VMOVUPD (AX)(R8*1), X5
	VMOVUPD 16(AX), X6
	VMOVUPD 16(AX)(R8*1), X7
	VINSERTF128 $1, (AX)(R8*2), Y4, Y4
	VINSERTF128 $1, (AX)(R10*1), Y5, Y5
	VINSERTF128 $1, 16(AX)(R8*2), Y6, Y6
	VINSERTF128 $1, 16(AX)(R10*1), Y7, Y7
	LEAQ (AX)(R8*4), SI
	VUNPCKLPD Y1, Y0, Y8
	VUNPCKLPD Y5, Y4, Y9
	VUNPCKHPD Y1, Y0, Y10
	VUNPCKHPD Y5, Y4, Y11
	VUNPCKLPD Y3, Y2, Y12
	VUNPCKLPD Y7, Y6, Y13
	VUNPCKHPD Y3, Y2, Y14
	VUNPCKHPD Y7, Y6, Y15
	VMOVUPD Y8, (DI)
	VMOVUPD Y9, 32(DI)
	VMOVUPD Y10, (DI)(R9*1)
	VMOVUPD Y11, 32(DI)(R9*1)
	VMOVUPD Y12, (DI)(R9*2)
	VMOVUPD Y13, 32(DI)(R9*2)
	VMOVUPD Y14, (DI)(R11*1)
	VMOVUPD Y15, 32(DI)(R11*1)
	ADDQ $64, DI
	SUBQ $8, CX
	JNE lines

	ADDQ $32, BX
	LEAQ (DX)(R9*4), DX
	SUBQ $4, R13
	JNE columns
	VZEROUPPER
	RET

// func transpose16AVX2(dst, src *uint16, rows, cols, dstStride, srcStride int)
//
// rows and cols are multiples of 8.
TEXT ·transpose16AVX2(SB), NOSPLIT, $0-48
	START(1)

squares:
	MOVQ BX, SI
	MOVQ DX, DI
	MOVQ R13, CX

square:
	LEAQ (SI)(R8*4), AX
	VMOVDQU (SI), X0
	VMOVDQU (SI)(R8*1), X1
	VMOVDQU (SI)(R8*2), X2
	VMOVDQU (SI)(R10*1), X3
	VMOVDQU (AX), X4
	VMOVDQU (AX)(R8*1), X5
	VMOVDQU (AX)(R8*2), X6
	VMOVDQU (AX)(R10*1), X7
	VPUNPCKLWD X1, X0, X8
	VPUNPCKHWD X1, X0, X9
	VPUNPCKLWD X3, X2, X10
	VPUNPCKHWD X3, X2, X11
	VPUNPCKLWD X5, X4, X12
	VPUNPCKHWD X5, X4, X13
	VPUNPCKLWD X7, X6, X14
	VPUNPCKHWD X7, X6, X15
	VPUNPCKLDQ X10, X8, X0
	VPUNPCKHDQ X10, X8, X1
	VPUNPCKLDQ X11, X9, X2
	VPUNPCKHDQ X11, X9, X3
	VPUNPCKLDQ X14, X12, X4
	VPUNPCKHDQ X14, X12, X5
	VPUNPCKLDQ X15, X13, X6
	VPUNPCKHDQ X15, X13, X7
	VPUNPCKLQDQ X4, X0, X8
	VPUNPCKHQDQ X4, X0, X9
	VPUNPCKLQDQ X5, X1, X10
	VPUNPCKHQDQ X5, X1, X11
	VPUNPCKLQDQ X6, X2, X12
	VPUNPCKHQDQ X6, X2, X13
	VPUNPCKLQDQ X7, X3, X14
	VPUNPCKHQDQ X7, X3, X15
	LEAQ (DI)(R9*4), AX
	VMOVDQU X8, (DI)
	VMOVDQU X9, (DI)(R9*1)
	VMOVDQU X10, (DI)(R9*2)
	VMOVDQU X11, (DI)(R11*1)
	VMOVDQU X12, (AX)
	VMOVDQU X13, (AX)(R9*1)
	VMOVDQU X14, (AX)(R9*2)
	VMOVDQU X15, (AX)(R11*1)
	ADDQ $16, SI
	LEAQ (AX)(R9*4), DI
	SUBQ $8, CX
	JNE square

	LEAQ (BX)(R8*8), BX
	ADDQ $16, DX
	SUBQ $8, R12
	JNE squares
	RET
