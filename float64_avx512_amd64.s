//go:build !purego

// The kernel of float64 for AVX-512 (F, BW, DQ, VL, VBMI2). Operation for
// operation it is the Go code in float64_generic.go and blocks_generic.go, eight
// elements at a time.
//
// Use of registers, in every function:
//
//	DI  dst          SI  src          CX  elements left
//	Z0-Z7    four vectors between the two halves of the exponential
//	Z8-Z11   exponentials              Z12, Z13  scratch
//	Z14-Z15  expC7, expC6
//	Z16  bias        Z17  cutoff       Z18  magic
//	Z19  log2e8      Z20  ln2Hi        Z21  ln2Lo
//	Z22-Z25  expC5, expC4, expC3, expC2
//	Z26  table, 15 bits to the left
//	Z27  conjunction of the bits of all exponentials; or minNorm
//	Z28, Z29  sums of lanes 0-7 and 8-15; or high and low part of the factor
//	Z30, Z31  what those sums lost; or Z30 the factor's cutoff
//	K1, K2   elements of a partial vector      K3  scratch

#include "go_asm.h"
#include "textflag.h"

#define SCALAR(name, value) \
	DATA name<>+0(SB)/8, $value \
	GLOBL name<>(SB), RODATA|NOPTR, $8

// The constants of float64_generic.go and row.go.
SCALAR(log2e8, 0x40271547652B82FE)
SCALAR(ln2Hi, 0x3FB62E42FEFA39EF)
SCALAR(ln2Lo, 0x3C4ABC9E3B39803F)
SCALAR(expC2, 0x3FE000000000010E)
SCALAR(expC3, 0x3FC5555555555660)
SCALAR(expC4, 0x3FA55555547FC743)
SCALAR(expC5, 0x3F811111107D1A08)
SCALAR(expC6, 0x3F56C1CC08DB03E1)
SCALAR(expC7, 0x3F2A0207783C3E7F)
SCALAR(accStart, 0x60C0000000000000)
SCALAR(minNorm, 0x0010000000000000)
SCALAR(liftBits, 0x3FE0000000000000)
SCALAR(log2e, 0x3FF71547652B82FE)
SCALAR(ln2, 0x3FE62E42FEFA39EF)
SCALAR(vanishLn2, 0xC08764CAA8EBE91A) // -wideVanish*ln2
SCALAR(intMagic, 0x4338000000000000)
SCALAR(topMagic, 0x4338000000002FF8)  // intMagic + 8*(wideTopExponent + 1023)
SCALAR(minusEight, 0xC020000000000000)
SCALAR(exactLimit, 0x40D0000000000000)
SCALAR(perAnchor, 0x3F20000000000000)   // 1/anchorStep
SCALAR(minusAnchor, 0xC0C0000000000000) // -anchorStep
SCALAR(nearLimit, 0x40C0000000000000)   // exactLimit/2
SCALAR(tiny, 0x3870000000000000)
SCALAR(absMask, 0x7FFFFFFFFFFFFFFF)
SCALAR(nanBits, 0x7FF8000000000000)
SCALAR(lift, 0x7FD0000000000000)      // 2^wideCareShift
SCALAR(one, 0x3FF0000000000000)
SCALAR(lowCut, 0x3EB0000000000000)    // 2^-20
SCALAR(cutoffScale, 0x3C70000000000000) // 2^-56

// wideTable, 15 bits to the left: SHLD takes bits from the top.
DATA expTable<>+0(SB)/8, $0xB2DDDF6566500000
DATA expTable<>+8(SB)/8, $0x7C6A540DD9F38000
DATA expTable<>+16(SB)/8, $0x5834A9893BEB8000
DATA expTable<>+24(SB)/8, $0x47E388D32A648000
DATA expTable<>+32(SB)/8, $0x4D43DBEDD36A8000
DATA expTable<>+40(SB)/8, $0x6A4C443A29130000
DATA expTable<>+48(SB)/8, $0xA120E108AB6A8000
DATA expTable<>+56(SB)/8, $0xF4176DA580670000
GLOBL expTable<>(SB), RODATA|NOPTR, $64

// CONSTANTS loads what FRONT and BACK want.
#define CONSTANTS \
	VBROADCASTSD log2e8<>(SB), Z19 \
	VBROADCASTSD ln2Hi<>(SB), Z20 \
	VBROADCASTSD ln2Lo<>(SB), Z21 \
	VBROADCASTSD expC7<>(SB), Z14 \
	VBROADCASTSD expC6<>(SB), Z15 \
	VBROADCASTSD expC5<>(SB), Z22 \
	VBROADCASTSD expC4<>(SB), Z23 \
	VBROADCASTSD expC3<>(SB), Z24 \
	VBROADCASTSD expC2<>(SB), Z25 \
	VMOVUPD expTable<>(SB), Z26

// FRONT is the first half of the exponential of the logits at X0: it leaves the
// reduced argument r in X, and n + magic in T. It uses Z12.
#define FRONT(X0, X, T) \
	VADDPD X0, Z16, X \
	VMAXPD X, Z17, X \
	VMOVAPD Z18, T \
	VFMADD231PD Z19, X, T \
	VSUBPD Z18, T, Z12 \
	VFNMADD231PD Z20, Z12, X \
	VFNMADD231PD Z21, Z12, X

// BACK is the second half: the exponentials go to P. It uses X and T up.
#define BACK(X, T, P) \
	VMOVAPD Z14, P \
	VFMADD213PD Z15, X, P \
	VFMADD213PD Z22, X, P \
	VFMADD213PD Z23, X, P \
	VFMADD213PD Z24, X, P \
	VFMADD213PD Z25, X, P \
	VMULPD X, P, P \
	VFMADD213PD X, X, P \
	VPERMPD Z26, T, X \
	VPSHLDQ $49, X, T, X \
	VFMADD213PD X, X, P

// MASK sets K to the elements of the vector that follows n elements, of the CX
// left. AX is -1; it uses R8.
#define MASK(n, K) \
	LEAQ -n(CX), R8 \
	BZHIL R8, AX, R8 \
	KMOVB R8, K

// LOADPART loads to Z the elements at P that the mask K tells, and fills up with
// the first of them.
#define LOADPART(P, K, Z) \
	VBROADCASTSD P, Z \
	VMOVUPD P, K, Z

// ADDPAIR adds the pair sums in P to the lanes in ACC, and what that loses to
// LOST. It uses Z13.
#define ADDPAIR(P, ACC, LOST) \
	VADDPD P, ACC, Z13 \
	VSUBPD ACC, Z13, ACC \
	VSUBPD ACC, P, P \
	VADDPD P, LOST, LOST \
	VMOVAPD Z13, ACC

// What becomes of the exponentials P and Q, 16 elements apart: stored or not, and
// added to the lanes.
#define EXPKEEP(P, Q, offset, ACC, LOST) \
	VMOVUPD P, offset(DI) \
	VMOVUPD Q, (offset+128)(DI) \
	SUMKEEP(P, Q, offset, ACC, LOST)
#define SUMKEEP(P, Q, offset, ACC, LOST) \
	VPTERNLOGQ $0x80, P, Q, Z27 \
	VADDPD Q, P, P \
	ADDPAIR(P, ACC, LOST)

// PREFETCH asks for the logits one block ahead, for rows that come from memory.
#define PREFETCH \
	PREFETCHT0 16384(SI) \
	PREFETCHT0 16448(SI) \
	PREFETCHT0 16512(SI) \
	PREFETCHT0 16576(SI)
#define NOPREFETCH

// FRONT2 and BACK2 are FRONT and BACK of two vectors, step by step.
#define FRONT2(A, X, T, B, Y, U) \
	VADDPD A, Z16, X \
	VADDPD B, Z16, Y \
	VMAXPD X, Z17, X \
	VMAXPD Y, Z17, Y \
	VMOVAPD Z18, T \
	VMOVAPD Z18, U \
	VFMADD231PD Z19, X, T \
	VFMADD231PD Z19, Y, U \
	VSUBPD Z18, T, Z12 \
	VSUBPD Z18, U, Z13 \
	VFNMADD231PD Z20, Z12, X \
	VFNMADD231PD Z20, Z13, Y \
	VFNMADD231PD Z21, Z12, X \
	VFNMADD231PD Z21, Z13, Y
#define BACK2(X, T, P, Y, U, Q) \
	VMOVAPD Z14, P \
	VMOVAPD Z14, Q \
	VFMADD213PD Z15, X, P \
	VFMADD213PD Z15, Y, Q \
	VFMADD213PD Z22, X, P \
	VFMADD213PD Z22, Y, Q \
	VFMADD213PD Z23, X, P \
	VFMADD213PD Z23, Y, Q \
	VFMADD213PD Z24, X, P \
	VFMADD213PD Z24, Y, Q \
	VFMADD213PD Z25, X, P \
	VFMADD213PD Z25, Y, Q \
	VMULPD X, P, P \
	VMULPD Y, Q, Q \
	VFMADD213PD X, X, P \
	VFMADD213PD Y, Y, Q \
	VPERMPD Z26, T, X \
	VPERMPD Z26, U, Y \
	VPSHLDQ $49, X, T, X \
	VPSHLDQ $49, Y, U, Y \
	VFMADD213PD X, X, P \
	VFMADD213PD Y, Y, Q

// GROUPS does all groups of 32 among the CX elements at SI, and leaves CX < 32.
// While one pair of vectors is in the second half of the exponential the next is
// in the first.
#define GROUPS(KEEP, AHEAD) \
	SUBQ $32, CX \
	JLT none \
	FRONT2(0(SI), Z0, Z1, 128(SI), Z2, Z3) \
	FRONT2(64(SI), Z4, Z5, 192(SI), Z6, Z7) \
	ADDQ $256, SI \
	SUBQ $32, CX \
	JLT last \
loop: \
	AHEAD \
	BACK2(Z0, Z1, Z8, Z2, Z3, Z9) \
	FRONT2(0(SI), Z0, Z1, 128(SI), Z2, Z3) \
	KEEP(Z8, Z9, 0, Z28, Z30) \
	BACK2(Z4, Z5, Z10, Z6, Z7, Z11) \
	FRONT2(64(SI), Z4, Z5, 192(SI), Z6, Z7) \
	KEEP(Z10, Z11, 64, Z29, Z31) \
	ADDQ $256, SI \
	ADDQ $256, DI \
	SUBQ $32, CX \
	JGE loop \
last: \
	BACK2(Z0, Z1, Z8, Z2, Z3, Z9) \
	KEEP(Z8, Z9, 0, Z28, Z30) \
	BACK2(Z4, Z5, Z10, Z6, Z7, Z11) \
	KEEP(Z10, Z11, 64, Z29, Z31) \
	ADDQ $256, DI \
none: \
	ADDQ $32, CX

// LANES clears the lanes.
#define LANES \
	VBROADCASTSD accStart<>(SB), Z28 \
	VMOVAPD Z28, Z29 \
	VPXORQ Z30, Z30, Z30 \
	VPXORQ Z31, Z31, Z31 \
	VPTERNLOGQ $0xFF, Z27, Z27, Z27

// LASTEXP computes the exponentials of the last elements: of those that follow n
// elements, of the CX left. They go to P, which keeps only them. It uses K1, AX
// and R8.
#define LASTEXP(n, P, LAST) \
	MASK(n, K1) \
	LOADPART((n*8)(SI), K1, Z0) \
	FRONT(Z0, Z0, Z1) \
	BACK(Z0, Z1, P) \
	VPANDQ P, Z27, Z27 \
	VMOVAPD.Z P, K1, P \
	LAST(n, P)

// WHOLEEXP computes eight exponentials.
#define WHOLEEXP(n, P, LAST) \
	FRONT((n*8)(SI), Z0, Z1) \
	BACK(Z0, Z1, P) \
	VPANDQ P, Z27, Z27 \
	LAST(n, P)

// What becomes of the last exponentials.
#define EXPLAST(n, P) VMOVUPD P, K1, (n*8)(DI)
#define EXPWHOLE(n, P) VMOVUPD P, (n*8)(DI)
#define SUMLAST(n, P)

// EXPSUM computes the exponentials of the CX elements at SI and adds them to the
// lanes. Of the last group, missing ones are 0.
#define EXPSUM(KEEP, WHOLE, LAST, AHEAD) \
	LANES \
	GROUPS(KEEP, AHEAD) \
	JEQ summed \
	MOVL $-1, AX \
	VPXORQ Z9, Z9, Z9 \
	VPXORQ Z10, Z10, Z10 \
	VPXORQ Z11, Z11, Z11 \
	CMPQ CX, $8 \
	JGT over8 \
	LASTEXP(0, Z8, LAST) \
	JMP pairs \
over8: \
	WHOLEEXP(0, Z8, WHOLE) \
	CMPQ CX, $16 \
	JGT over16 \
	LASTEXP(8, Z9, LAST) \
	JMP pairs \
over16: \
	WHOLEEXP(8, Z9, WHOLE) \
	CMPQ CX, $24 \
	JGT over24 \
	LASTEXP(16, Z10, LAST) \
	JMP pairs \
over24: \
	WHOLEEXP(16, Z10, WHOLE) \
	LASTEXP(24, Z11, LAST) \
pairs: \
	VADDPD Z10, Z8, Z8 \
	ADDPAIR(Z8, Z28, Z30) \
	VADDPD Z11, Z9, Z9 \
	ADDPAIR(Z9, Z29, Z31) \
summed:

// TOTAL adds the lanes: their sum to X0, and what they lost to X1. It uses X2, X3.
#define TOTAL \
	VSUBPD.BCST accStart<>(SB), Z28, Z28 \
	VSUBPD.BCST accStart<>(SB), Z29, Z29 \
	VADDPD Z29, Z28, Z0 \
	VADDPD Z31, Z30, Z1 \
	FOLD(Z0, Y0, X0, Y2, X2) \
	FOLD(Z1, Y1, X1, Y3, X3)

// FOLD adds the eight elements of Z to X, its low quarter. It uses TY, whose low
// half is TX.
#define FOLD(Z, Y, X, TY, TX) \
	VEXTRACTF64X4 $1, Z, TY \
	VADDPD TY, Y, Y \
	VEXTRACTF128 $1, Y, TX \
	VADDPD TX, X, X \
	VPERMILPD $1, X, TX \
	VADDSD TX, X, X

// MAXIMUM sets every element of Z0 to the maximum of the CX elements at SI. It
// moves SI, and uses AX, CX, R8, Z1-Z3.
#define MAXIMUM \
	VBROADCASTSD (SI), Z0 \
	SUBQ $32, CX \
	JLT maxTail \
	VMOVAPD Z0, Z1 \
	VMOVAPD Z0, Z2 \
	VMOVAPD Z0, Z3 \
maxLoop: \
	VMAXPD (SI), Z0, Z0 \
	VMAXPD 64(SI), Z1, Z1 \
	VMAXPD 128(SI), Z2, Z2 \
	VMAXPD 192(SI), Z3, Z3 \
	ADDQ $256, SI \
	SUBQ $32, CX \
	JGE maxLoop \
	VMAXPD Z1, Z0, Z0 \
	VMAXPD Z3, Z2, Z2 \
	VMAXPD Z2, Z0, Z0 \
maxTail: \
	ADDQ $32, CX \
	JEQ maxAcross \
	MOVL $-1, AX \
maxPart: \
	MASK(0, K1) \
	VMAXPD (SI), Z0, K1, Z0 \
	ADDQ $64, SI \
	SUBQ $8, CX \
	JGT maxPart \
maxAcross: \
	VSHUFF64X2 $0x4E, Z0, Z0, Z1 \
	VMAXPD Z1, Z0, Z0 \
	VSHUFF64X2 $0xB1, Z0, Z0, Z1 \
	VMAXPD Z1, Z0, Z0 \
	VPERMILPD $0x55, Z0, Z1 \
	VMAXPD Z1, Z0, Z0

// SCALE multiplies the exponentials in P by the factor Z28 + Z29, and SCALECARE
// by one that is 2^1022 too large, with cutoff Z30. Both use T.
#define SCALE(P, T) \
	VMULPD Z29, P, T \
	VFMADD213PD T, Z28, P
#define SCALECARE(P, T) \
	VMAXPD Z30, P, P \
	VMULPD Z29, P, T \
	VFMADD213PD T, Z28, P \
	VMOVAPD Z27, T \
	VFMADD231PD Z27, P, T \
	VPSUBQ Z27, T, T \
	VPSUBQ.BCST liftBits<>(SB), P, P \
	VPMAXSQ T, P, P

// SCALEALL multiplies the CX elements at DI in place. It uses AX, CX, R8.
#define SCALEALL(MULTIPLY, loop, tail, part, done) \
	SUBQ $32, CX \
	JLT tail \
loop: \
	VMOVUPD (DI), Z0 \
	VMOVUPD 64(DI), Z1 \
	VMOVUPD 128(DI), Z2 \
	VMOVUPD 192(DI), Z3 \
	MULTIPLY(Z0, Z4) \
	MULTIPLY(Z1, Z5) \
	MULTIPLY(Z2, Z6) \
	MULTIPLY(Z3, Z7) \
	VMOVUPD Z0, (DI) \
	VMOVUPD Z1, 64(DI) \
	VMOVUPD Z2, 128(DI) \
	VMOVUPD Z3, 192(DI) \
	ADDQ $256, DI \
	SUBQ $32, CX \
	JGE loop \
tail: \
	ADDQ $32, CX \
	JEQ done \
	MOVL $-1, AX \
part: \
	MASK(0, K1) \
	VMOVUPD.Z (DI), K1, Z0 \
	MULTIPLY(Z0, Z4) \
	VMOVUPD Z0, K1, (DI) \
	ADDQ $64, DI \
	SUBQ $8, CX \
	JGT part \
done:

// What becomes of exponentials that are scaled at once.
#define SCALEKEEP(P, Q, offset, ACC, LOST) \
	SCALE(P, Z12) \
	SCALE(Q, Z13) \
	VMOVUPD P, offset(DI) \
	VMOVUPD Q, (offset+128)(DI)
#define STREAMKEEP(P, Q, offset, ACC, LOST) \
	SCALE(P, Z12) \
	SCALE(Q, Z13) \
	VMOVNTPD P, offset(DI) \
	VMOVNTPD Q, (offset+128)(DI)
#define CAREKEEP(P, Q, offset, ACC, LOST) \
	SCALECARE(P, Z12) \
	SCALECARE(Q, Z13) \
	VMOVUPD P, offset(DI) \
	VMOVUPD Q, (offset+128)(DI)

// EXPSCALE writes the CX probabilities of the logits at SI.
#define EXPSCALE(KEEP, MULTIPLY) \
	GROUPS(KEEP, PREFETCH) \
	JEQ done \
	MOVL $-1, AX \
part: \
	MASK(0, K1) \
	LOADPART((SI), K1, Z0) \
	FRONT(Z0, Z0, Z1) \
	BACK(Z0, Z1, Z8) \
	MULTIPLY(Z8, Z12) \
	VMOVUPD Z8, K1, (DI) \
	ADDQ $64, SI \
	ADDQ $64, DI \
	SUBQ $8, CX \
	JGT part \
done:

// LOADREF loads the reference at AX, and LOADFACTOR the factor.
#define LOADREF \
	VBROADCASTSD 0(AX), Z16 \
	VBROADCASTSD 8(AX), Z17 \
	VBROADCASTSD 16(AX), Z18
#define LOADFACTOR \
	VBROADCASTSD 0(AX), Z28 \
	VBROADCASTSD 8(AX), Z29 \
	VBROADCASTSD 16(AX), Z30 \
	VBROADCASTSD minNorm<>(SB), Z27

// LARGE sets the carry flag if every exponential was at least 2.
#define LARGE \
	VPSLLQ $1, Z27, Z27 \
	VPMOVQ2M Z27, K3 \
	KORTESTB K3, K3

// REFERENCE computes a row's reference from its maximum, in every element of M,
// which it destroys. It uses T.
#define REFERENCE(M, T, XT, far, near) \
	VPANDQ.BCST absMask<>(SB), M, T \
	VBROADCASTSD tiny<>(SB), Z16 \
	VUCOMISD exactLimit<>(SB), XT \
	JCC far \
near: \
	VADDPD Z16, M, M \
	VBROADCASTSD intMagic<>(SB), T \
	VFMADD231PD.BCST log2e<>(SB), M, T \
	VSUBPD.BCST intMagic<>(SB), T, T \
	VBROADCASTSD topMagic<>(SB), Z18 \
	VFMADD231PD.BCST minusEight<>(SB), T, Z18 \
	VBROADCASTSD vanishLn2<>(SB), Z17 \
	VFMADD231PD.BCST ln2<>(SB), T, Z17

// FAR is its rare part: the maximum is far from 0, and an anchor is subtracted.
#define FAR(M, far, near) \
far: \
	VMULPD.BCST perAnchor<>(SB), M, Z16 \
	VRNDSCALEPD $3, Z16, Z16 \
	VMULPD.BCST minusAnchor<>(SB), Z16, Z16 \
	JMP near

// FACTOR sets Z28 and Z29 to the factor of a row with sum X0 + X1. It uses X2-X4.
#define FACTOR \
	VMOVSD one<>(SB), X3 \
	VDIVSD X0, X3, X2 \
	VFNMADD231SD X2, X0, X3 \
	VFNMADD231SD X2, X1, X3 \
	VMULSD X2, X3, X3 \
	VMULSD lowCut<>(SB), X2, X4 \
	VADDSD X4, X3, X3 \
	VSUBSD X4, X3, X3 \
	VBROADCASTSD X2, Z28 \
	VBROADCASTSD X3, Z29

// CAREFACTOR makes that a careful factor, with its cutoff in Z30.
#define CAREFACTOR \
	VMULPD.BCST lift<>(SB), Z28, Z28 \
	VMULPD.BCST lift<>(SB), Z29, Z29 \
	VMULSD minNorm<>(SB), X0, X0 \
	VMULSD cutoffScale<>(SB), X0, X0 \
	VBROADCASTSD X0, Z30 \
	VBROADCASTSD minNorm<>(SB), Z27

// func softmaxBlocks64AVX512(dst, src *float64, cols, rows, dstStride, srcStride int)
//
// BX and DX point to the row, R12 counts columns and R13 rows.
TEXT ·softmaxBlocks64AVX512(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), BX
	MOVQ src+8(FP), DX
	MOVQ cols+16(FP), R12
	MOVQ rows+24(FP), R13
	CONSTANTS

row:
	MOVQ DX, SI
	MOVQ R12, CX
	MAXIMUM
	REFERENCE(Z0, Z1, X1, far, near)
	MOVQ DX, SI
	MOVQ BX, DI
	MOVQ R12, CX
	EXPSUM(EXPKEEP, EXPWHOLE, EXPLAST, NOPREFETCH)
	TOTAL
	MOVQ BX, DI
	MOVQ R12, CX
	VUCOMISD X0, X0
	JPS undefined

	FACTOR
	LARGE
	JCC careful
	SCALEALL(SCALE, scaleLoop, scaleTail, scalePart, scaled)

next:
	MOVQ dstStride+32(FP), AX
	LEAQ (BX)(AX*8), BX
	MOVQ srcStride+40(FP), AX
	LEAQ (DX)(AX*8), DX
	SUBQ $1, R13
	JNE row
	VZEROUPPER
	RET

careful:
	CAREFACTOR
	SCALEALL(SCALECARE, careLoop, careTail, carePart, cared)
	JMP next

undefined:
	MOVQ nanBits<>(SB), AX
	REP; STOSQ
	JMP next

	FAR(Z0, far, near)

// func maxBlock64AVX512(src *float64, n int) float64
TEXT ·maxBlock64AVX512(SB), NOSPLIT, $0-24
	MOVQ src+0(FP), SI
	MOVQ n+8(FP), CX
	MAXIMUM
	VMOVSD X0, ret+16(FP)
	VZEROUPPER
	RET

// func hasNaNBlock64AVX512(src *float64, n int) bool
//
// K3 gathers what is unordered.
TEXT ·hasNaNBlock64AVX512(SB), NOSPLIT, $0-17
	MOVQ src+0(FP), SI
	MOVQ n+8(FP), CX
	KXORW K3, K3, K3
	SUBQ $32, CX
	JLT tail

loop:
	VMOVUPD (SI), Z0
	VMOVUPD 128(SI), Z1
	VCMPPD $3, 64(SI), Z0, K1
	VCMPPD $3, 192(SI), Z1, K2
	KORW K1, K3, K3
	KORW K2, K3, K3
	ADDQ $256, SI
	SUBQ $32, CX
	JGE loop

tail:
	ADDQ $32, CX
	JEQ done
	MOVL $-1, AX

part:
	MASK(0, K1)
	VMOVUPD.Z (SI), K1, Z0
	VCMPPD $3, Z0, Z0, K2
	KORW K2, K3, K3
	ADDQ $64, SI
	SUBQ $8, CX
	JGT part

done:
	KORTESTW K3, K3
	SETNE ret+16(FP)
	VZEROUPPER
	RET

// func expBlock64AVX512(dst, src *float64, n int, ref *reference[float64]) (sum doubleDouble, large bool)
TEXT ·expBlock64AVX512(SB), NOSPLIT, $0-49
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ ref+24(FP), AX
	LOADREF
	CONSTANTS
	EXPSUM(EXPKEEP, EXPWHOLE, EXPLAST, PREFETCH)
	TOTAL
	LARGE
	SETCS large+48(FP)
	VMOVSD X0, sum_hi+32(FP)
	VMOVSD X1, sum_lo+40(FP)
	VZEROUPPER
	RET

// SCANBLOCKS computes exponentials of the blocks at DX, and stores at BX what is to be known of
// each, a blockScan. It ends before a block whose maximum is not near 0. R13 counts blocks.
#define SCANBLOCKS(KEEP) \
block: \
	MOVQ DX, SI \
	MOVQ $const_block64, CX \
	MAXIMUM \
	VMOVSD X0, (BX) \
	VPANDQ.BCST absMask<>(SB), Z0, Z1 \
	VUCOMISD nearLimit<>(SB), X1 \
	JCC end \
	REFERENCE(Z0, Z1, X1, end, near) \
	VCVTTSD2SI X1, AX \
	MOVL $const_wideTopExponent, R8 \
	SUBL AX, R8 \
	MOVL R8, 24(BX) \
	MOVQ DX, SI \
	MOVQ $const_block64, CX \
	LANES \
	GROUPS(KEEP, PREFETCH) \
	TOTAL \
	LARGE \
	SETCS 28(BX) \
	VMOVSD X0, 8(BX) \
	VMOVSD X1, 16(BX) \
	ADDQ $32, BX \
	ADDQ $(8*const_block64), DX \
	SUBQ $1, R13 \
	JNE block \
end:

// func expBlocks64AVX512(dst, src *float64, blocks int, scans *blockScan[float64]) (done int)
TEXT ·expBlocks64AVX512(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), DX
	MOVQ blocks+16(FP), R13
	MOVQ scans+24(FP), BX
	CONSTANTS
	SCANBLOCKS(EXPKEEP)
	MOVQ blocks+16(FP), AX
	SUBQ R13, AX
	MOVQ AX, done+32(FP)
	VZEROUPPER
	RET

// func sumBlocks64AVX512(src *float64, blocks int, scans *blockScan[float64]) (done int)
TEXT ·sumBlocks64AVX512(SB), NOSPLIT, $0-32
	MOVQ src+0(FP), DX
	MOVQ blocks+8(FP), R13
	MOVQ scans+16(FP), BX
	CONSTANTS
	SCANBLOCKS(SUMKEEP)
	MOVQ blocks+8(FP), AX
	SUBQ R13, AX
	MOVQ AX, done+24(FP)
	VZEROUPPER
	RET

// func sumBlock64AVX512(src *float64, n int, ref *reference[float64]) (sum doubleDouble, large bool)
TEXT ·sumBlock64AVX512(SB), NOSPLIT, $0-41
	MOVQ src+0(FP), SI
	MOVQ n+8(FP), CX
	MOVQ ref+16(FP), AX
	LOADREF
	CONSTANTS
	EXPSUM(SUMKEEP, SUMLAST, SUMLAST, PREFETCH)
	TOTAL
	LARGE
	SETCS large+40(FP)
	VMOVSD X0, sum_hi+24(FP)
	VMOVSD X1, sum_lo+32(FP)
	VZEROUPPER
	RET

// func sumRows64AVX512(sums *rowSum[float64], src *float64, cols, rows, stride int)
//
// BX points to what is found out about the row, DX to the row, R12 counts columns
// and R13 rows.
TEXT ·sumRows64AVX512(SB), NOSPLIT, $0-40
	MOVQ sums+0(FP), BX
	MOVQ src+8(FP), DX
	MOVQ cols+16(FP), R12
	MOVQ rows+24(FP), R13
	CONSTANTS

row:
	MOVQ DX, SI
	MOVQ R12, CX
	MAXIMUM
	VMOVSD X0, (BX)
	REFERENCE(Z0, Z1, X1, far, near)
	MOVQ DX, SI
	MOVQ R12, CX
	EXPSUM(SUMKEEP, SUMLAST, SUMLAST, NOPREFETCH)
	TOTAL
	VMOVSD X0, 16(BX)
	VMOVSD X1, 24(BX)
	VBROADCASTSD (BX), Z0
	FRONT(Z0, Z0, Z1)
	BACK(Z0, Z1, Z8)
	VMOVSD X8, 8(BX)
	ADDQ $32, BX
	MOVQ stride+32(FP), AX
	LEAQ (DX)(AX*8), DX
	SUBQ $1, R13
	JNE row
	VZEROUPPER
	RET

	FAR(Z0, far, near)

// func scaleBlock64AVX512(dst *float64, n int, f *factor[float64])
TEXT ·scaleBlock64AVX512(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ n+8(FP), CX
	MOVQ f+16(FP), AX
	LOADFACTOR
	CMPB 24(AX), $0
	JNE careful
	SCALEALL(SCALE, scaleLoop, scaleTail, scalePart, scaled)
	VZEROUPPER
	RET

careful:
	SCALEALL(SCALECARE, careLoop, careTail, carePart, cared)
	VZEROUPPER
	RET

// func expScaleBlock64AVX512(dst, src *float64, n int, ref *reference[float64], f *factor[float64])
//
// The factor must not be a careful one.
TEXT ·expScaleBlock64AVX512(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ ref+24(FP), AX
	LOADREF
	MOVQ f+32(FP), AX
	LOADFACTOR
	CONSTANTS
	EXPSCALE(SCALEKEEP, SCALE)
	VZEROUPPER
	RET

// func expScaleCareBlock64AVX512(dst, src *float64, n int, ref *reference[float64], f *factor[float64])
//
// The factor must be a careful one.
TEXT ·expScaleCareBlock64AVX512(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ ref+24(FP), AX
	LOADREF
	MOVQ f+32(FP), AX
	LOADFACTOR
	CONSTANTS
	EXPSCALE(CAREKEEP, SCALECARE)
	VZEROUPPER
	RET

// func expScaleStreamBlock64AVX512(dst, src *float64, n int, ref *reference[float64], f *factor[float64])
//
// It stores past the caches. The factor must not be a careful one, n a multiple
// of 32, and dst aligned to 64 bytes.
TEXT ·expScaleStreamBlock64AVX512(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ ref+24(FP), AX
	LOADREF
	MOVQ f+32(FP), AX
	LOADFACTOR
	CONSTANTS
	GROUPS(STREAMKEEP, PREFETCH)
	SFENCE
	VZEROUPPER
	RET

// func subtractBlock64AVX512(dst, src *float64, n int, m, rest float64)
//
// Z16 is the maximum, and Z17 the rest.
TEXT ·subtractBlock64AVX512(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	VBROADCASTSD m+24(FP), Z16
	VBROADCASTSD rest+32(FP), Z17
	SUBQ $32, CX
	JLT tail

loop:
	VMOVUPD (SI), Z0
	VMOVUPD 64(SI), Z1
	VMOVUPD 128(SI), Z2
	VMOVUPD 192(SI), Z3
	VSUBPD Z16, Z0, Z0
	VSUBPD Z16, Z1, Z1
	VSUBPD Z16, Z2, Z2
	VSUBPD Z16, Z3, Z3
	VSUBPD Z17, Z0, Z0
	VSUBPD Z17, Z1, Z1
	VSUBPD Z17, Z2, Z2
	VSUBPD Z17, Z3, Z3
	VMOVUPD Z0, (DI)
	VMOVUPD Z1, 64(DI)
	VMOVUPD Z2, 128(DI)
	VMOVUPD Z3, 192(DI)
	ADDQ $256, SI
	ADDQ $256, DI
	SUBQ $32, CX
	JGE loop

tail:
	ADDQ $32, CX
	JEQ done
	MOVL $-1, AX

part:
	MASK(0, K1)
	VMOVUPD.Z (SI), K1, Z0
	VSUBPD Z16, Z0, Z0
	VSUBPD Z17, Z0, Z0
	VMOVUPD Z0, K1, (DI)
	ADDQ $64, SI
	ADDQ $64, DI
	SUBQ $8, CX
	JGT part

done:
	VZEROUPPER
	RET
