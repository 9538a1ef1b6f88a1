//go:build !purego

// Sums of attention outputs times their weights, for AVX2 with FMA and for AVX-512.
// Operation for operation it is the Go code in weighted_generic.go. The sums of a
// few columns stay in registers for all parts.
//
// Use of registers, in every function that adds:
//
//	DI  sums         DX  sums to start from      SI  what a part at 0 has from here on
//	R8  parts        R9  how many                CX  columns left
//	R10 part         R11 parts left              AX  its output, or scratch
//	Y0-Y7 or Z0-Z3   sums of float32             Y8-Y11 or Z4-Z7   elements
//	Y0-Y3 or Z0-Z3   sums of float64: two of hi, two of lo
//	Y4-Y11 or Z4-Z11 elements of float64, and scratch
//	Y14 or K1        mask of a vector            Y15 or Z15  weight
//
// and in every function that rounds:
//
//	DI  dst          SI  sums                    CX  columns left
//	Y0 or Z0  hi, or elements                    Y1 or Z1  lo
//	Y2 or Z2  NaN                                Y3 or Z3  0, or 1/sumScale
//	Y4 or K2  scratch                K1  mask of a vector

#include "go_asm.h"
#include "textflag.h"
#include "tail_amd64.h"

// The NaN of every undefined result.
DATA nanBits<>+0(SB)/4, $0x7FC00000
GLOBL nanBits<>(SB), RODATA|NOPTR, $4
DATA wideNaNBits<>+0(SB)/8, $0x7FF8000000000000
GLOBL wideNaNBits<>(SB), RODATA|NOPTR, $8

// 1/sumScale of float32.
DATA perSumScale<>+0(SB)/8, $0x3370000000000000
GLOBL perSumScale<>(SB), RODATA|NOPTR, $8

// GRADUAL has the processor keep subnormal numbers, whatever the thread's mode, which
// RESTORE restores. It uses AX. The mode is in BX and in memory; 0x8040 is FTZ and DAZ.
#define GRADUAL \
	STMXCSR mode-4(SP) \
	MOVL mode-4(SP), BX \
	TESTL $0x8040, BX \
	JEQ 5(PC) \
	MOVL BX, AX \
	ANDL $0xFFFF7FBF, AX \
	MOVL AX, gradual-8(SP) \
	LDMXCSR gradual-8(SP)
#define RESTORE \
	TESTL $0x8040, BX \
	JEQ 2(PC) \
	LDMXCSR mode-4(SP)

#define ARGUMENTS \
	GRADUAL \
	MOVQ to+0(FP), DI \
	MOVQ from+8(FP), DX \
	MOVQ parts+16(FP), R8 \
	MOVQ n+24(FP), R9 \
	MOVQ src+32(FP), SI \
	MOVQ cols+40(FP), CX
#define ROUNDARGUMENTS \
	GRADUAL \
	MOVQ dst+0(FP), DI \
	MOVQ sums+8(FP), SI \
	MOVQ n+16(FP), CX

// PARTS does ADD for each part, with its weight in W. Elements have size bytes.
#define PARTS(ADD, size, W, loop) \
	MOVQ R8, R10 \
	MOVQ R9, R11 \
loop: \
	VBROADCASTSD weightedPart_weight(R10), W \
	MOVQ weightedPart_at(R10), AX \
	LEAQ (SI)(AX*size), AX \
	ADD \
	ADDQ $weightedPart__size, R10 \
	DECQ R11 \
	JNE loop

// NEXT moves on by n columns.
#define NEXT(n, size) \
	ADDQ $(8*n), DX \
	ADDQ $(8*n), DI \
	ADDQ $(size*n), SI

// MASK4 sets Y14 to a mask of the CX columns left, but at most four of them. MASK8 sets K1
// to that of at most eight.
#define MASK4(size) \
	MOVQ $4, AX \
	CMPQ CX, AX \
	CMOVQLT CX, AX \
	NEGQ AX \
	LEAQ tailMask<>+32(SB), R10 \
	VMOVUPD (R10)(AX*size), Y14
#define MASK8 \
	MOVL $-1, AX \
	BZHIL CX, AX, AX \
	KMOVB AX, K1

#define ADD32 \
	VCVTPS2PD 0(AX), Y8 \
	VCVTPS2PD 16(AX), Y9 \
	VCVTPS2PD 32(AX), Y10 \
	VCVTPS2PD 48(AX), Y11 \
	VFMADD231PD Y8, Y15, Y0 \
	VFMADD231PD Y9, Y15, Y1 \
	VFMADD231PD Y10, Y15, Y2 \
	VFMADD231PD Y11, Y15, Y3 \
	VCVTPS2PD 64(AX), Y8 \
	VCVTPS2PD 80(AX), Y9 \
	VCVTPS2PD 96(AX), Y10 \
	VCVTPS2PD 112(AX), Y11 \
	VFMADD231PD Y8, Y15, Y4 \
	VFMADD231PD Y9, Y15, Y5 \
	VFMADD231PD Y10, Y15, Y6 \
	VFMADD231PD Y11, Y15, Y7
#define ADD4 \
	VMASKMOVPS (AX), X14, X8 \
	VCVTPS2PD X8, Y8 \
	VFMADD231PD Y8, Y15, Y0

// func addWeightedAVX2(to, from *columnSums, parts *weightedPart, n int, src *float32, cols int)
TEXT ·addWeightedAVX2(SB), NOSPLIT, $8-48
	ARGUMENTS
	SUBQ $32, CX
	JLT vectors
groups:
	VMOVUPD 0(DX), Y0
	VMOVUPD 32(DX), Y1
	VMOVUPD 64(DX), Y2
	VMOVUPD 96(DX), Y3
	VMOVUPD 128(DX), Y4
	VMOVUPD 160(DX), Y5
	VMOVUPD 192(DX), Y6
	VMOVUPD 224(DX), Y7
	PARTS(ADD32, 4, Y15, group)
	VMOVUPD Y0, 0(DI)
	VMOVUPD Y1, 32(DI)
	VMOVUPD Y2, 64(DI)
	VMOVUPD Y3, 96(DI)
	VMOVUPD Y4, 128(DI)
	VMOVUPD Y5, 160(DI)
	VMOVUPD Y6, 192(DI)
	VMOVUPD Y7, 224(DI)
	NEXT(32, 4)
	SUBQ $32, CX
	JGE groups
vectors:
	ADDQ $32, CX
	JEQ done
vector:
	MASK4(4)
	VMOVUPD (DX), Y0
	PARTS(ADD4, 4, Y15, part)
	VMOVUPD Y0, (DI)
	NEXT(4, 4)
	SUBQ $4, CX
	JGT vector
done:
	RESTORE
	VZEROUPPER
	RET

#define ADD32Z \
	VCVTPS2PD 0(AX), Z4 \
	VCVTPS2PD 32(AX), Z5 \
	VCVTPS2PD 64(AX), Z6 \
	VCVTPS2PD 96(AX), Z7 \
	VFMADD231PD Z4, Z15, Z0 \
	VFMADD231PD Z5, Z15, Z1 \
	VFMADD231PD Z6, Z15, Z2 \
	VFMADD231PD Z7, Z15, Z3
#define ADD8Z \
	VCVTPS2PD.Z (AX), K1, Z4 \
	VFMADD231PD Z4, Z15, Z0

// func addWeightedAVX512(to, from *columnSums, parts *weightedPart, n int, src *float32, cols int)
TEXT ·addWeightedAVX512(SB), NOSPLIT, $8-48
	ARGUMENTS
	SUBQ $32, CX
	JLT vectors
groups:
	VMOVUPD 0(DX), Z0
	VMOVUPD 64(DX), Z1
	VMOVUPD 128(DX), Z2
	VMOVUPD 192(DX), Z3
	PARTS(ADD32Z, 4, Z15, group)
	VMOVUPD Z0, 0(DI)
	VMOVUPD Z1, 64(DI)
	VMOVUPD Z2, 128(DI)
	VMOVUPD Z3, 192(DI)
	NEXT(32, 4)
	SUBQ $32, CX
	JGE groups
vectors:
	ADDQ $32, CX
	JEQ done
vector:
	MASK8
	VMOVUPD (DX), Z0
	PARTS(ADD8Z, 4, Z15, part)
	VMOVUPD Z0, (DI)
	NEXT(8, 4)
	SUBQ $8, CX
	JGT vector
done:
	RESTORE
	VZEROUPPER
	RET

// DOT2 adds the elements X times the weight W to the sums HI and LO. It uses X up, and P,
// Q and R for the product, the new sum and what is in it.
#define DOT2(X, W, HI, LO, P, Q, R) \
	VMULPD X, W, P \
	VFMSUB213PD P, W, X \
	VADDPD P, HI, Q \
	VSUBPD HI, Q, R \
	VSUBPD R, P, P \
	VSUBPD R, Q, R \
	VSUBPD R, HI, R \
	VADDPD P, R, R \
	VADDPD R, X, X \
	VADDPD X, LO, LO \
	VMOVAPD Q, HI

#define ADDWIDE8 \
	VMOVUPD (AX), Y4 \
	DOT2(Y4, Y15, Y0, Y2, Y5, Y6, Y7) \
	VMOVUPD 32(AX), Y8 \
	DOT2(Y8, Y15, Y1, Y3, Y9, Y10, Y11)
#define ADDWIDE4 \
	VMASKMOVPD (AX), Y14, Y4 \
	DOT2(Y4, Y15, Y0, Y2, Y5, Y6, Y7)

// func addWeighted64AVX2(to, from *columnSums, parts *weightedPart, n int, src *float64, cols int)
TEXT ·addWeighted64AVX2(SB), NOSPLIT, $8-48
	ARGUMENTS
	SUBQ $8, CX
	JLT vectors
groups:
	VMOVUPD (DX), Y0
	VMOVUPD 32(DX), Y1
	VMOVUPD columnSums_lo(DX), Y2
	VMOVUPD (columnSums_lo+32)(DX), Y3
	PARTS(ADDWIDE8, 8, Y15, group)
	VMOVUPD Y0, (DI)
	VMOVUPD Y1, 32(DI)
	VMOVUPD Y2, columnSums_lo(DI)
	VMOVUPD Y3, (columnSums_lo+32)(DI)
	NEXT(8, 8)
	SUBQ $8, CX
	JGE groups
vectors:
	ADDQ $8, CX
	JEQ done
vector:
	MASK4(8)
	VMOVUPD (DX), Y0
	VMOVUPD columnSums_lo(DX), Y2
	PARTS(ADDWIDE4, 8, Y15, part)
	VMOVUPD Y0, (DI)
	VMOVUPD Y2, columnSums_lo(DI)
	NEXT(4, 8)
	SUBQ $4, CX
	JGT vector
done:
	RESTORE
	VZEROUPPER
	RET

#define ADDWIDE16Z \
	VMOVUPD (AX), Z4 \
	DOT2(Z4, Z15, Z0, Z2, Z5, Z6, Z7) \
	VMOVUPD 64(AX), Z8 \
	DOT2(Z8, Z15, Z1, Z3, Z9, Z10, Z11)
#define ADDWIDE8Z \
	VMOVUPD.Z (AX), K1, Z4 \
	DOT2(Z4, Z15, Z0, Z2, Z5, Z6, Z7)

// func addWeighted64AVX512(to, from *columnSums, parts *weightedPart, n int, src *float64, cols int)
TEXT ·addWeighted64AVX512(SB), NOSPLIT, $8-48
	ARGUMENTS
	SUBQ $16, CX
	JLT vectors
groups:
	VMOVUPD (DX), Z0
	VMOVUPD 64(DX), Z1
	VMOVUPD columnSums_lo(DX), Z2
	VMOVUPD (columnSums_lo+64)(DX), Z3
	PARTS(ADDWIDE16Z, 8, Z15, group)
	VMOVUPD Z0, (DI)
	VMOVUPD Z1, 64(DI)
	VMOVUPD Z2, columnSums_lo(DI)
	VMOVUPD Z3, (columnSums_lo+64)(DI)
	NEXT(16, 8)
	SUBQ $16, CX
	JGE groups
vectors:
	ADDQ $16, CX
	JEQ done
vector:
	MASK8
	VMOVUPD (DX), Z0
	VMOVUPD columnSums_lo(DX), Z2
	PARTS(ADDWIDE8Z, 8, Z15, part)
	VMOVUPD Z0, (DI)
	VMOVUPD Z2, columnSums_lo(DI)
	NEXT(8, 8)
	SUBQ $8, CX
	JGT vector
done:
	RESTORE
	VZEROUPPER
	RET

// ROUNDALL does ROUND for all of the CX columns, at least four: vectors of four, then
// what is left as a vector that ends where they do. Elements have size bytes.
#define ROUNDALL(ROUND, size) \
	ROUNDARGUMENTS \
	SUBQ $4, CX \
vector: \
	ROUND \
	ADDQ $(4*size), DI \
	ADDQ $32, SI \
	SUBQ $4, CX \
	JGE vector \
	ADDQ $4, CX \
	JEQ done \
	LEAQ -(4*size)(DI)(CX*size), DI \
	LEAQ -32(SI)(CX*8), SI \
	ROUND \
done: \
	RESTORE \
	VZEROUPPER \
	RET

#define ROUND4 \
	VMULPD (SI), Y3, Y0 \
	VCVTPD2PSY Y0, X0 \
	VCMPPS $3, X0, X0, X4 \
	VBLENDVPS X4, X2, X0, X0 \
	VMOVUPS X0, (DI)
#define ROUNDWIDE4 \
	VMOVUPD (SI), Y0 \
	VMOVUPD columnSums_lo(SI), Y1 \
	VCMPPD $0x0C, Y3, Y1, Y4 \
	VADDPD Y1, Y0, Y1 \
	VBLENDVPD Y4, Y1, Y0, Y0 \
	VCMPPD $3, Y0, Y0, Y4 \
	VBLENDVPD Y4, Y2, Y0, Y0 \
	VMOVUPD Y0, (DI)

// func roundSumsAVX2(dst *float32, sums *columnSums, n int)
TEXT ·roundSumsAVX2(SB), NOSPLIT, $8-24
	VBROADCASTSS nanBits<>(SB), X2
	VBROADCASTSD perSumScale<>(SB), Y3
	ROUNDALL(ROUND4, 4)

// func roundSums64AVX2(dst *float64, sums *columnSums, n int)
TEXT ·roundSums64AVX2(SB), NOSPLIT, $8-24
	VBROADCASTSD wideNaNBits<>(SB), Y2
	VXORPD Y3, Y3, Y3
	ROUNDALL(ROUNDWIDE4, 8)

// ROUNDALLZ does it eight columns at a time, the last ones under a mask.
#define ROUNDALLZ(ROUND, size) \
	ROUNDARGUMENTS \
vector: \
	MASK8 \
	ROUND \
	ADDQ $(8*size), DI \
	ADDQ $64, SI \
	SUBQ $8, CX \
	JGT vector \
	RESTORE \
	VZEROUPPER \
	RET

#define ROUND8Z \
	VMULPD (SI), Z3, Z0 \
	VCVTPD2PS Z0, Y0 \
	VCMPPS $3, Y0, Y0, K2 \
	VMOVAPS Y2, K2, Y0 \
	VMOVUPS Y0, K1, (DI)
#define ROUNDWIDE8Z \
	VMOVUPD (SI), Z0 \
	VMOVUPD columnSums_lo(SI), Z1 \
	VCMPPD $0x0C, Z3, Z1, K2 \
	VADDPD Z1, Z0, K2, Z0 \
	VCMPPD $3, Z0, Z0, K2 \
	VMOVAPD Z2, K2, Z0 \
	VMOVUPD Z0, K1, (DI)

// func roundSumsAVX512(dst *float32, sums *columnSums, n int)
TEXT ·roundSumsAVX512(SB), NOSPLIT, $8-24
	VBROADCASTSS nanBits<>(SB), Y2
	VBROADCASTSD perSumScale<>(SB), Z3
	ROUNDALLZ(ROUND8Z, 4)

// func roundSums64AVX512(dst *float64, sums *columnSums, n int)
TEXT ·roundSums64AVX512(SB), NOSPLIT, $8-24
	VBROADCASTSD wideNaNBits<>(SB), Z2
	VPXORQ Z3, Z3, Z3
	ROUNDALLZ(ROUNDWIDE8Z, 8)
