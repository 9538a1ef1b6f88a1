//go:build !purego

// Attention scores for AVX2. Operation for operation it is the Go code in
// scores_generic.go, eight elements at a time.
//
// Use of registers:
//
//	DI  dst          SI  src         CX  elements       R11  index of the first element of a group
//	BX  bias, or 0   DX  keep, or 0  R8  scoring
//	R9  bits of softcap              R10  bits of slope
//	Y0-Y3    scores
//	Y4-Y7    magnitudes, and their distances from a center
//	Y8-Y11   intervals
//	Y12, Y13 hyperbolic tangents, or scratch
//	Y14      scratch     Y15  maximum
//
// The first vector waits on the stack.

#include "textflag.h"
#include "subnormal_amd64.h"

#define VECTOR(name, value) \
	DATA name<>+0(SB)/4, $value  \
	DATA name<>+4(SB)/4, $value  \
	DATA name<>+8(SB)/4, $value  \
	DATA name<>+12(SB)/4, $value \
	DATA name<>+16(SB)/4, $value \
	DATA name<>+20(SB)/4, $value \
	DATA name<>+24(SB)/4, $value \
	DATA name<>+28(SB)/4, $value \
	GLOBL name<>(SB), RODATA|NOPTR, $32

// The constants of scores_generic.go.
VECTOR(negativeInfinity, 0xFF800000)
VECTOR(absMask, 0x7FFFFFFF)
VECTOR(signMask, 0x80000000)
VECTOR(tanhLimit, 0x41102D0E)
VECTOR(tanhSpread, 0x3F533333)
VECTOR(tanhStart, 0x3F100000)
VECTOR(nanBits, 0x7FC00000)

DATA iota<>+0(SB)/8, $0x0000000100000000
DATA iota<>+8(SB)/8, $0x0000000300000002
DATA iota<>+16(SB)/8, $0x0000000500000004
DATA iota<>+24(SB)/8, $0x0000000700000006
GLOBL iota<>(SB), RODATA|NOPTR, $32

// SCALED loads the vector that stands offset bytes behind the index, and scales it.
#define SCALED(offset, Y) \
	VBROADCASTSS 16(R8), Y \
	VMULPS offset(SI)(R11*4), Y, Y

// Soft-capping two vectors is long: it takes eleven steps. CAPA does them for scores
// in Y0 and Y1, and CAPB for scores in Y2 and Y3. In between, they do the six steps
// that prepare the other two: PREPAREA and PREPAREB, or NOTHING.
//
// These divide the scores by softcap. The magnitudes, limited, go to A, and the
// intervals to I.
#define PREPARE1(offset, Y, Z) SCALED(offset, Y); SCALED((offset+32), Z)
#define PREPARE2(Y, Z, I) VBROADCASTSS 24(R8), I; VDIVPS I, Y, Y; VDIVPS I, Z, Z
#define PREPARE3(Y, Z, A, B) VANDPS absMask<>(SB), Y, A; VANDPS absMask<>(SB), Z, B
#define PREPARE4(A, B, I) VMOVUPS tanhLimit<>(SB), I; VMINPS A, I, A; VMINPS B, I, B
#define PREPARE5(A, B, I, J) VMOVUPS tanhStart<>(SB), I; VMOVAPS I, J; VFMADD231PS tanhSpread<>(SB), A, I; VFMADD231PS tanhSpread<>(SB), B, J
#define PREPARE6(I, J) VPSRLD $22, I, I; VPSRLD $22, J, J

#define PREPAREA1(offset) PREPARE1(offset, Y0, Y1)
#define PREPAREA2 PREPARE2(Y0, Y1, Y8)
#define PREPAREA3 PREPARE3(Y0, Y1, Y4, Y5)
#define PREPAREA4 PREPARE4(Y4, Y5, Y8)
#define PREPAREA5 PREPARE5(Y4, Y5, Y8, Y9)
#define PREPAREA6 PREPARE6(Y8, Y9)

#define PREPAREB1(offset) PREPARE1(offset, Y2, Y3)
#define PREPAREB2 PREPARE2(Y2, Y3, Y10)
#define PREPAREB3 PREPARE3(Y2, Y3, Y6, Y7)
#define PREPAREB4 PREPARE4(Y6, Y7, Y10)
#define PREPAREB5 PREPARE5(Y6, Y7, Y10, Y11)
#define PREPAREB6 PREPARE6(Y10, Y11)

#define NOTHING

// CENTER, FIRST and TERM use a row of tanhTable: the distance from the center, in place
// of the magnitude, and two steps of the polynomial.
#define CENTER(A, I) VPERMPS ·tanhTable+0(SB), I, Y14; VSUBPS Y14, A, A
#define FIRST(I, P) VPERMPS ·tanhTable+32(SB), I, P
#define TERM(row, A, I, P) VPERMPS ·tanhTable+(32*row)(SB), I, Y14; VFMADD213PS Y14, A, P
#define TERMS(row, A, B, I, J) TERM(row, A, I, Y12); TERM(row, B, J, Y13)

// CAPPED joins the hyperbolic tangent P with the sign of Y, and multiplies it by
// softcap.
#define CAPPED(Y, P) \
	VANDPS signMask<>(SB), Y, Y \
	VORPS P, Y, Y \
	VBROADCASTSS 24(R8), P \
	VMULPS P, Y, Y

#define CAP(Y, Z, A, B, I, J, STEP1, STEP2, STEP3, STEP4, STEP5, STEP6) \
	CENTER(A, I) \
	CENTER(B, J) \
	STEP1 \
	FIRST(I, Y12) \
	FIRST(J, Y13) \
	STEP2 \
	TERMS(2, A, B, I, J) \
	TERMS(3, A, B, I, J) \
	STEP3 \
	TERMS(4, A, B, I, J) \
	STEP4 \
	TERMS(5, A, B, I, J) \
	STEP5 \
	TERMS(6, A, B, I, J) \
	TERMS(7, A, B, I, J) \
	STEP6 \
	TERMS(8, A, B, I, J) \
	CAPPED(Y, Y12) \
	CAPPED(Z, Y13)
#define CAPA(STEP1, STEP2, STEP3, STEP4, STEP5, STEP6) \
	CAP(Y0, Y1, Y4, Y5, Y8, Y9, STEP1, STEP2, STEP3, STEP4, STEP5, STEP6)
#define CAPB(STEP1, STEP2, STEP3, STEP4, STEP5, STEP6) \
	CAP(Y2, Y3, Y6, Y7, Y10, Y11, STEP1, STEP2, STEP3, STEP4, STEP5, STEP6)

// CAP1 caps the scores in Y0.
#define CAP1 \
	VBROADCASTSS 24(R8), Y8 \
	VDIVPS Y8, Y0, Y0 \
	VANDPS absMask<>(SB), Y0, Y4 \
	VMOVUPS tanhLimit<>(SB), Y8 \
	VMINPS Y4, Y8, Y4 \
	VMOVUPS tanhStart<>(SB), Y8 \
	VFMADD231PS tanhSpread<>(SB), Y4, Y8 \
	VPSRLD $22, Y8, Y8 \
	CENTER(Y4, Y8) \
	FIRST(Y8, Y12) \
	TERM(2, Y4, Y8, Y12) \
	TERM(3, Y4, Y8, Y12) \
	TERM(4, Y4, Y8, Y12) \
	TERM(5, Y4, Y8, Y12) \
	TERM(6, Y4, Y8, Y12) \
	TERM(7, Y4, Y8, Y12) \
	TERM(8, Y4, Y8, Y12) \
	CAPPED(Y0, Y12)

// SLOPED subtracts the distances times the slope from Y, which stands that many elements behind the index.
#define SLOPED(elements, Y) \
	MOVL 32(R8), AX \
	LEAL elements(AX)(R11*1), AX \
	VMOVD AX, X12 \
	VPBROADCASTD X12, Y12 \
	VPADDD iota<>(SB), Y12, Y12 \
	VCVTDQ2PS Y12, Y12 \
	VANDPS absMask<>(SB), Y12, Y12 \
	VBROADCASTSS 28(R8), Y14 \
	VMULPS Y14, Y12, Y12 \
	VSUBPS Y12, Y, Y

// BIASED adds the bias that stands offset bytes behind the index to Y. What -Inf is
// added to counts as 0.
#define BIASED(offset, Y) \
	VMOVUPS offset(BX)(R11*4), Y12 \
	VCMPPS $0, negativeInfinity<>(SB), Y12, Y14 \
	VANDNPS Y, Y14, Y \
	VADDPS Y12, Y, Y

// KEPT removes the keys of Y for which keep is false.
#define KEPT(offset, Y) \
	VPMOVZXBD offset(DX)(R11*1), Y12 \
	VPXOR Y14, Y14, Y14 \
	VPCMPEQD Y14, Y12, Y12 \
	VBLENDVPS Y12, negativeInfinity<>(SB), Y, Y

// SCORES1 makes scores of the vector at the index, in Y0.
#define SCORES1(slope, bias, keep, done) \
	SCALED(0, Y0) \
	TESTL R9, R9 \
	JEQ slope \
	CAP1 \
slope: \
	TESTL R10, R10 \
	JEQ bias \
	SLOPED(0, Y0) \
bias: \
	TESTQ BX, BX \
	JEQ keep \
	BIASED(0, Y0) \
keep: \
	TESTQ DX, DX \
	JEQ done \
	KEPT(0, Y0) \
done:

// REST2 completes the scores in Y and Z, which stand that many elements behind the index.
#define REST2(elements, Y, Z, bias, keep, done) \
	TESTL R10, R10 \
	JEQ bias \
	SLOPED(elements, Y) \
	SLOPED((elements+8), Z) \
bias: \
	TESTQ BX, BX \
	JEQ keep \
	BIASED((4*elements), Y) \
	BIASED((4*elements+32), Z) \
keep: \
	TESTQ DX, DX \
	JEQ done \
	KEPT(elements, Y) \
	KEPT((elements+8), Z) \
done: \
	VMOVUPS Y, (4*elements)(DI)(R11*4) \
	VMOVUPS Z, (4*elements+32)(DI)(R11*4) \
	VMAXPS Z, Y, Y \
	VMAXPS Y, Y15, Y15

// func scoreBlockAVX2(dst, src *float32, n int, s *scoring) float32
//
// n is at least 8. Groups are done from the end on: so the cache still has the
// beginning when that is wanted next. The first vector is done first, because dst may
// be src, and stored last: it overlaps the one behind if n is no multiple of 8.
TEXT ·scoreBlockAVX2(SB), NOSPLIT, $40-36
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ s+24(FP), R8
	MOVQ 0(R8), BX
	MOVQ 8(R8), DX
	MOVL 24(R8), R9
	MOVL 28(R8), R10

	FLUSH(mxcsr-36(SP), flushing-40(SP))
	XORL R11, R11
	SCORES1(slope, bias, keep, first)
	VMOVUPS Y0, first-32(SP)
	VMOVAPS Y0, Y15
	LEAQ -32(CX), R11
	TESTQ R11, R11
	JLT vectors
	TESTL R9, R9
	JNE cap

	VBROADCASTSS 16(R8), Y4

group:
	VMULPS 0(SI)(R11*4), Y4, Y0
	VMULPS 32(SI)(R11*4), Y4, Y1
	VMULPS 64(SI)(R11*4), Y4, Y2
	VMULPS 96(SI)(R11*4), Y4, Y3
	REST2(0, Y0, Y1, bias2, keep2, done2)
	REST2(16, Y2, Y3, bias4, keep4, done4)
	SUBQ $32, R11
	JGE group
	JMP vectors

cap:
	PREPAREA1(64)
	PREPAREA2
	PREPAREA3
	PREPAREA4
	PREPAREA5
	PREPAREA6

capGroup:
	CAPA(PREPAREB1(0), PREPAREB2, PREPAREB3, PREPAREB4, PREPAREB5, PREPAREB6)
	REST2(16, Y0, Y1, biasA, keepA, doneA)
	SUBQ $32, R11
	JLT capLast
	CAPB(PREPAREA1(64), PREPAREA2, PREPAREA3, PREPAREA4, PREPAREA5, PREPAREA6)
	REST2(32, Y2, Y3, biasB, keepB, doneB)
	JMP capGroup

capLast:
	CAPB(NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING)
	REST2(32, Y2, Y3, biasC, keepC, doneC)

vectors:
	ADDQ $24, R11
	JLT end

vector:
	SCORES1(slope1, bias1, keep1, done1)
	VMOVUPS Y0, (DI)(R11*4)
	VMAXPS Y0, Y15, Y15
	SUBQ $8, R11
	JGE vector

end:
	VMOVUPS first-32(SP), Y0
	VMOVUPS Y0, (DI)

	VEXTRACTF128 $1, Y15, X1
	VMAXPS X1, X15, X0
	VPERMILPS $0x4E, X0, X1
	VMAXPS X1, X0, X0
	VPERMILPS $0xB1, X0, X1
	VMAXSS X1, X0, X0
	VMOVSS X0, ret+32(FP)
	RESTORE(mxcsr-36(SP))
	VZEROUPPER
	RET

// func undefinedBlockAVX2(dst *float32, n int, s *scoring)
//
// n is at least 8. The last vector, at the index in R9, may overlap the one before.
TEXT ·undefinedBlockAVX2(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ n+8(FP), R9
	MOVQ s+16(FP), R8
	MOVQ 0(R8), BX
	MOVQ 8(R8), DX
	SUBQ $8, R9
	XORL R11, R11
	VPXOR Y14, Y14, Y14

vector:
	VMOVUPS nanBits<>(SB), Y0
	TESTQ BX, BX
	JEQ keep
	VMOVUPS (BX)(R11*4), Y12
	VPCMPEQD negativeInfinity<>(SB), Y12, Y12
	VPANDN Y0, Y12, Y0

keep:
	TESTQ DX, DX
	JEQ store
	VPMOVZXBD (DX)(R11*1), Y12
	VPCMPEQD Y14, Y12, Y12
	VPANDN Y0, Y12, Y0

store:
	VMOVUPS Y0, (DI)(R11*4)
	CMPQ R11, R9
	JEQ done
	ADDQ $8, R11
	CMPQ R11, R9
	CMOVQGT R9, R11
	JMP vector

done:
	VZEROUPPER
	RET
