//go:build !purego

// Attention scores for AVX-512. Operation for operation it is the Go code in
// scores_generic.go, sixteen elements at a time.
//
// Use of registers:
//
//	DI  dst          SI  src         CX  elements       R11  index of the first element of a group
//	BX  bias, or 0   DX  keep, or 0
//	R9  bits of softcap              R10  bits of slope
//	Z0-Z3    scores
//	Z4-Z7    magnitudes, and their distances from a center
//	Z8-Z11   intervals               Z12-Z15  hyperbolic tangents
//	Z16  scale       Z17  step of distances     Z18  softcap
//	Z19  slope       Z20  distances, integers   Z21  the first vector
//	Z22  -Inf        Z23  maximum               Z24  absMask
//	Z25  tanhLimit   Z26  tanhSpread            Z27  tanhStart
//	Z30, Z31, K1  scratch

#include "textflag.h"
#include "subnormal_amd64.h"

#define SCALAR(name, value) \
	DATA name<>+0(SB)/4, $value \
	GLOBL name<>(SB), RODATA|NOPTR, $4

// The constants of scores_generic.go.
SCALAR(negativeInfinity, 0xFF800000)
SCALAR(absMask, 0x7FFFFFFF)
SCALAR(tanhLimit, 0x41102D0E)
SCALAR(tanhSpread, 0x3F533333)
SCALAR(tanhStart, 0x3F100000)
SCALAR(nanBits, 0x7FC00000)

DATA iota<>+0(SB)/8, $0x0000000100000000
DATA iota<>+8(SB)/8, $0x0000000300000002
DATA iota<>+16(SB)/8, $0x0000000500000004
DATA iota<>+24(SB)/8, $0x0000000700000006
DATA iota<>+32(SB)/8, $0x0000000900000008
DATA iota<>+40(SB)/8, $0x0000000B0000000A
DATA iota<>+48(SB)/8, $0x0000000D0000000C
DATA iota<>+56(SB)/8, $0x0000000F0000000E
GLOBL iota<>(SB), RODATA|NOPTR, $64

// SCALED loads the vector that stands offset bytes behind the index, and scales it.
#define SCALED(offset, Z) VMULPS offset(SI)(R11*4), Z16, Z

// Soft-capping two vectors is long: it takes eleven steps. CAPA does them for scores
// in Z0 and Z1, and CAPB for scores in Z2 and Z3. In between, they do the six steps
// that prepare the other two: PREPAREA and PREPAREB, or NOTHING.
//
// These divide the scores by softcap. The magnitudes, limited, go to A, and the
// intervals to I.
#define PREPARE1(offset, Y, Z) SCALED(offset, Y); SCALED((offset+64), Z)
#define PREPARE2(Y, Z) VDIVPS Z18, Y, Y; VDIVPS Z18, Z, Z
#define PREPARE3(Y, Z, A, B) VPANDD Z24, Y, A; VPANDD Z24, Z, B
#define PREPARE4(A, B) VMINPS A, Z25, A; VMINPS B, Z25, B
#define PREPARE5(A, B, I, J) VMOVAPS Z27, I; VMOVAPS Z27, J; VFMADD231PS Z26, A, I; VFMADD231PS Z26, B, J
#define PREPARE6(I, J) VPSRLD $22, I, I; VPSRLD $22, J, J

#define PREPAREA1(offset) PREPARE1(offset, Z0, Z1)
#define PREPAREA2 PREPARE2(Z0, Z1)
#define PREPAREA3 PREPARE3(Z0, Z1, Z4, Z5)
#define PREPAREA4 PREPARE4(Z4, Z5)
#define PREPAREA5 PREPARE5(Z4, Z5, Z8, Z9)
#define PREPAREA6 PREPARE6(Z8, Z9)

#define PREPAREB1(offset) PREPARE1(offset, Z2, Z3)
#define PREPAREB2 PREPARE2(Z2, Z3)
#define PREPAREB3 PREPARE3(Z2, Z3, Z6, Z7)
#define PREPAREB4 PREPARE4(Z6, Z7)
#define PREPAREB5 PREPARE5(Z6, Z7, Z10, Z11)
#define PREPAREB6 PREPARE6(Z10, Z11)

#define NOTHING

// CENTERS, FIRST and TERMS use a row of tanhTwice: the distances from the centers, in
// place of the magnitudes, and two steps of the polynomials.
#define CENTERS(A, B, I, J) \
	VPERMPS ·tanhTwice+0(SB), I, Z30 \
	VPERMPS ·tanhTwice+0(SB), J, Z31 \
	VSUBPS Z30, A, A \
	VSUBPS Z31, B, B
#define FIRST(I, J, P, Q) \
	VPERMPS ·tanhTwice+64(SB), I, P \
	VPERMPS ·tanhTwice+64(SB), J, Q
#define TERMS(row, A, B, I, J, P, Q) \
	VPERMPS ·tanhTwice+(64*row)(SB), I, Z30 \
	VPERMPS ·tanhTwice+(64*row)(SB), J, Z31 \
	VFMADD213PS Z30, A, P \
	VFMADD213PS Z31, B, Q

// CAPPED joins the hyperbolic tangent P with the sign of Z, and multiplies it by
// softcap.
#define CAPPED(Z, P) \
	VPTERNLOGD $0xD8, Z24, P, Z \
	VMULPS Z18, Z, Z

#define CAP(Y, Z, A, B, I, J, P, Q, STEP1, STEP2, STEP3, STEP4, STEP5, STEP6) \
	CENTERS(A, B, I, J) \
	STEP1 \
	FIRST(I, J, P, Q) \
	STEP2 \
	TERMS(2, A, B, I, J, P, Q) \
	TERMS(3, A, B, I, J, P, Q) \
	STEP3 \
	TERMS(4, A, B, I, J, P, Q) \
	STEP4 \
	TERMS(5, A, B, I, J, P, Q) \
	STEP5 \
	TERMS(6, A, B, I, J, P, Q) \
	TERMS(7, A, B, I, J, P, Q) \
	STEP6 \
	TERMS(8, A, B, I, J, P, Q) \
	CAPPED(Y, P) \
	CAPPED(Z, Q)
#define CAPA(STEP1, STEP2, STEP3, STEP4, STEP5, STEP6) \
	CAP(Z0, Z1, Z4, Z5, Z8, Z9, Z12, Z13, STEP1, STEP2, STEP3, STEP4, STEP5, STEP6)
#define CAPB(STEP1, STEP2, STEP3, STEP4, STEP5, STEP6) \
	CAP(Z2, Z3, Z6, Z7, Z10, Z11, Z14, Z15, STEP1, STEP2, STEP3, STEP4, STEP5, STEP6)

// CAP1 caps the scores in Z0.
#define CAP1 \
	VDIVPS Z18, Z0, Z0 \
	VPANDD Z24, Z0, Z4 \
	VMINPS Z4, Z25, Z4 \
	VMOVAPS Z27, Z8 \
	VFMADD231PS Z26, Z4, Z8 \
	VPSRLD $22, Z8, Z8 \
	VPERMPS ·tanhTwice+0(SB), Z8, Z30 \
	VSUBPS Z30, Z4, Z4 \
	VPERMPS ·tanhTwice+64(SB), Z8, Z12 \
	TERM1(2) \
	TERM1(3) \
	TERM1(4) \
	TERM1(5) \
	TERM1(6) \
	TERM1(7) \
	TERM1(8) \
	CAPPED(Z0, Z12)
#define TERM1(row) \
	VPERMPS ·tanhTwice+(64*row)(SB), Z8, Z30 \
	VFMADD213PS Z30, Z4, Z12

// SLOPED subtracts the distances times the slope from Z.
#define SLOPED(Z) \
	VCVTDQ2PS Z20, Z30 \
	VPANDD Z24, Z30, Z30 \
	VMULPS Z19, Z30, Z30 \
	VSUBPS Z30, Z, Z \
	VPADDD Z17, Z20, Z20

// BIASED adds the bias that stands offset bytes behind the index to Z.
#define BIASED(offset, Z) \
	VMOVUPS offset(BX)(R11*4), Z30 \
	VCMPPS $4, Z22, Z30, K1 \
	VADDPS Z, Z30, K1, Z30 \
	VMOVAPS Z30, Z

// KEPT removes the keys of Z for which keep is false.
#define KEPT(offset, Z) \
	VMOVDQU8 offset(DX)(R11*1), X30 \
	VPTESTNMB X30, X30, K1 \
	VMOVAPS Z22, K1, Z

// SCORES1 makes scores of the vector at the index, in Z0.
#define SCORES1(slope, bias, keep, done) \
	SCALED(0, Z0) \
	TESTL R9, R9 \
	JEQ slope \
	CAP1 \
slope: \
	TESTL R10, R10 \
	JEQ bias \
	DISTANCES(0) \
	SLOPED(Z0) \
bias: \
	TESTQ BX, BX \
	JEQ keep \
	BIASED(0, Z0) \
keep: \
	TESTQ DX, DX \
	JEQ done \
	KEPT(0, Z0) \
done:

// REST2 completes the scores in Y and Z, which stand that many elements behind the index.
#define REST2(elements, Y, Z, bias, keep, done) \
	TESTL R10, R10 \
	JEQ bias \
	DISTANCES(elements) \
	SLOPED(Y) \
	SLOPED(Z) \
bias: \
	TESTQ BX, BX \
	JEQ keep \
	BIASED((4*elements), Y) \
	BIASED((4*elements+64), Z) \
keep: \
	TESTQ DX, DX \
	JEQ done \
	KEPT(elements, Y) \
	KEPT((elements+16), Z) \
done: \
	VMOVUPS Y, (4*elements)(DI)(R11*4) \
	VMOVUPS Z, (4*elements+64)(DI)(R11*4) \
	VMAXPS Z, Y, Y \
	VMAXPS Y, Z23, Z23

// DISTANCES sets the distances of the vector that stands that many elements behind the
// index.
#define DISTANCES(elements) \
	MOVL 32(R8), AX \
	LEAL elements(AX)(R11*1), AX \
	VPBROADCASTD AX, Z20 \
	VPADDD iota<>(SB), Z20, Z20

// func scoreBlockAVX512(dst, src *float32, n int, s *scoring) float32
//
// n is at least 16. Groups are done from the end on: so the cache still has the
// beginning when that is wanted next. The first vector is done first, because dst may
// be src, and stored last: it overlaps the one behind if n is no multiple of 16.
TEXT ·scoreBlockAVX512(SB), NOSPLIT, $8-36
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ s+24(FP), R8
	MOVQ 0(R8), BX
	MOVQ 8(R8), DX
	VBROADCASTSS 16(R8), Z16
	MOVL 24(R8), R9
	VPBROADCASTD R9, Z18
	MOVL 28(R8), R10
	VPBROADCASTD R10, Z19
	MOVL $16, AX
	VPBROADCASTD AX, Z17
	VBROADCASTSS negativeInfinity<>(SB), Z22
	VBROADCASTSS absMask<>(SB), Z24
	VBROADCASTSS tanhLimit<>(SB), Z25
	VMOVAPS Z22, Z23
	VBROADCASTSS tanhSpread<>(SB), Z26
	VBROADCASTSS tanhStart<>(SB), Z27

	FLUSH(mxcsr-4(SP), flushing-8(SP))
	XORL R11, R11
	SCORES1(slope, bias, keep, first)
	VMOVAPS Z0, Z21
	VMOVAPS Z0, Z23
	LEAQ -64(CX), R11
	TESTQ R11, R11
	JLT vectors
	TESTL R9, R9
	JNE cap

group:
	SCALED(0, Z0)
	SCALED(64, Z1)
	SCALED(128, Z2)
	SCALED(192, Z3)
	REST2(0, Z0, Z1, bias2, keep2, done2)
	REST2(32, Z2, Z3, bias4, keep4, done4)
	SUBQ $64, R11
	JGE group
	JMP vectors

cap:
	PREPAREA1(128)
	PREPAREA2
	PREPAREA3
	PREPAREA4
	PREPAREA5
	PREPAREA6

capGroup:
	CAPA(PREPAREB1(0), PREPAREB2, PREPAREB3, PREPAREB4, PREPAREB5, PREPAREB6)
	REST2(32, Z0, Z1, biasA, keepA, doneA)
	SUBQ $64, R11
	JLT capLast
	CAPB(PREPAREA1(128), PREPAREA2, PREPAREA3, PREPAREA4, PREPAREA5, PREPAREA6)
	REST2(64, Z2, Z3, biasB, keepB, doneB)
	JMP capGroup

capLast:
	CAPB(NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING)
	REST2(64, Z2, Z3, biasC, keepC, doneC)

vectors:
	ADDQ $48, R11
	JLT end

vector:
	SCORES1(slope1, bias1, keep1, done1)
	VMOVUPS Z0, (DI)(R11*4)
	VMAXPS Z0, Z23, Z23
	SUBQ $16, R11
	JGE vector

end:
	VMOVUPS Z21, (DI)

maximum:
	VEXTRACTF64X4 $1, Z23, Y0
	VMAXPS Y0, Y23, Y0
	VEXTRACTF128 $1, Y0, X1
	VMAXPS X1, X0, X0
	VPERMILPS $0x4E, X0, X1
	VMAXPS X1, X0, X0
	VPERMILPS $0xB1, X0, X1
	VMAXSS X1, X0, X0
	VMOVSS X0, ret+32(FP)
	RESTORE(mxcsr-4(SP))
	VZEROUPPER
	RET

// func undefinedBlockAVX512(dst *float32, n int, s *scoring)
//
// n is at least 16. The last vector, at the index in R9, may overlap the one before. K1 has
// the keys that are left, and Z0 NaN.
TEXT ·undefinedBlockAVX512(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ n+8(FP), R9
	MOVQ s+16(FP), R8
	MOVQ 0(R8), BX
	MOVQ 8(R8), DX
	VPBROADCASTD nanBits<>(SB), Z0
	VPBROADCASTD negativeInfinity<>(SB), Z22
	SUBQ $16, R9
	XORL R11, R11

vector:
	KXNORW K1, K1, K1
	TESTQ BX, BX
	JEQ keep
	VPCMPD $4, (BX)(R11*4), Z22, K1

keep:
	TESTQ DX, DX
	JEQ store
	VMOVDQU8 (DX)(R11*1), X30
	VPTESTMB X30, X30, K1, K1

store:
	VMOVDQA32.Z Z0, K1, Z1
	VMOVDQU32 Z1, (DI)(R11*4)
	CMPQ R11, R9
	JEQ done
	ADDQ $16, R11
	CMPQ R11, R9
	CMOVQGT R9, R11
	JMP vector

done:
	VZEROUPPER
	RET
