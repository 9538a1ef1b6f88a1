//go:build !purego

// The kernel of float64 for AVX2 with FMA. Operation for operation it is the Go
// code in float64_generic.go and blocks_generic.go, four elements at a time.
//
// Use of registers, in every function:
//
//	DI  dst          SI  src          CX  elements left
//	Y0-Y7   four vectors between the two halves of the exponential
//	Y8, Y9  exponentials, Y9 also scratch
//	Y10, Y11  scratch, or the high and low part of the factor
//	Y12     conjunction of the bits of all exponentials, or the factor's cutoff
//	Y13     magic          Y14  cutoff          Y15  bias
//	(R11)   lane sums, what they lost, and the last group: in memory, for want of
//	        registers
//
// Constants that are used once per vector stay in memory.

#include "go_asm.h"
#include "textflag.h"
#include "tail_amd64.h"

#define VECTOR(name, value) \
	DATA name<>+0(SB)/8, $value  \
	DATA name<>+8(SB)/8, $value  \
	DATA name<>+16(SB)/8, $value \
	DATA name<>+24(SB)/8, $value \
	GLOBL name<>(SB), RODATA|NOPTR, $32

// The constants of float64_generic.go and row.go.
VECTOR(log2e8, 0x40271547652B82FE)
VECTOR(ln2Hi, 0x3FB62E42FEFA39EF)
VECTOR(ln2Lo, 0x3C4ABC9E3B39803F)
VECTOR(expC2, 0x3FE000000000010E)
VECTOR(expC3, 0x3FC5555555555660)
VECTOR(expC4, 0x3FA55555547FC743)
VECTOR(expC5, 0x3F811111107D1A08)
VECTOR(expC6, 0x3F56C1CC08DB03E1)
VECTOR(expC7, 0x3F2A0207783C3E7F)
VECTOR(accStart, 0x60C0000000000000)
VECTOR(minNorm, 0x0010000000000000)
VECTOR(twoMinNorm, 0x0020000000000000)
VECTOR(log2e, 0x3FF71547652B82FE)
VECTOR(ln2, 0x3FE62E42FEFA39EF)
VECTOR(vanishLn2, 0xC08764CAA8EBE91A) // -wideVanish*ln2
VECTOR(intMagic, 0x4338000000000000)
VECTOR(topMagic, 0x4338000000002FF8)  // intMagic + 8*(wideTopExponent + 1023)
VECTOR(minusEight, 0xC020000000000000)
VECTOR(exactLimit, 0x40D0000000000000)
VECTOR(perAnchor, 0x3F20000000000000)   // 1/anchorStep
VECTOR(minusAnchor, 0xC0C0000000000000) // -anchorStep
VECTOR(nearLimit, 0x40C0000000000000)   // exactLimit/2
VECTOR(tiny, 0x3870000000000000)
VECTOR(absMask, 0x7FFFFFFFFFFFFFFF)
VECTOR(lift, 0x7FD0000000000000)      // 2^wideCareShift
VECTOR(one, 0x3FF0000000000000)
VECTOR(lowCut, 0x3EB0000000000000)    // 2^-20
VECTOR(cutoffScale, 0x3C70000000000000) // 2^-56
DATA nanBits<>+0(SB)/8, $0x7FF8000000000000
GLOBL nanBits<>(SB), RODATA|NOPTR, $8

// The lower and the upper 32 bits of wideTable.
DATA tableLow<>+0(SB)/4, $0xBECACCA0
DATA tableLow<>+4(SB)/4, $0xA81BB3E7
DATA tableLow<>+8(SB)/4, $0x531277D7
DATA tableLow<>+12(SB)/4, $0x11A654C9
DATA tableLow<>+16(SB)/4, $0xB7DBA6D5
DATA tableLow<>+20(SB)/4, $0x88745226
DATA tableLow<>+24(SB)/4, $0xC21156D5
DATA tableLow<>+28(SB)/4, $0xDB4B00CE
GLOBL tableLow<>(SB), RODATA|NOPTR, $32
DATA tableHigh<>+0(SB)/4, $0x000165BB
DATA tableHigh<>+4(SB)/4, $0x0000F8D4
DATA tableHigh<>+8(SB)/4, $0x0000B069
DATA tableHigh<>+12(SB)/4, $0x00008FC7
DATA tableHigh<>+16(SB)/4, $0x00009A87
DATA tableHigh<>+20(SB)/4, $0x0000D498
DATA tableHigh<>+24(SB)/4, $0x00014241
DATA tableHigh<>+28(SB)/4, $0x0001E82E
GLOBL tableHigh<>(SB), RODATA|NOPTR, $32

// FRONT is the first half of the exponential of the logits at X0: it leaves the
// reduced argument r in X, and n + magic in T. It uses TMP.
#define FRONT(X0, X, T, TMP) \
	VADDPD X0, Y15, X \
	VMAXPD X, Y14, X \
	VMOVAPD Y13, T \
	VFMADD231PD log2e8<>(SB), X, T \
	VSUBPD Y13, T, TMP \
	VFNMADD231PD ln2Hi<>(SB), TMP, X \
	VFNMADD231PD ln2Lo<>(SB), TMP, X

// BACK is the second half: the exponentials go to P. It uses X and T up, and TMP.
#define BACK(X, T, P, TMP) \
	VMOVUPD expC7<>(SB), P \
	VFMADD213PD expC6<>(SB), X, P \
	VPSHUFD $0xA0, T, TMP \
	VFMADD213PD expC5<>(SB), X, P \
	VFMADD213PD expC4<>(SB), X, P \
	VPSLLQ $49, T, T \
	VFMADD213PD expC3<>(SB), X, P \
	VFMADD213PD expC2<>(SB), X, P \
	VMULPD X, P, P \
	VFMADD213PD X, X, P \
	VPERMPS tableHigh<>(SB), TMP, X \
	VPERMPS tableLow<>(SB), TMP, TMP \
	VBLENDPS $0xAA, X, TMP, X \
	VPOR T, X, X \
	VFMADD213PD X, X, P

// Where things are from R11 on: four vectors of lane sums, four of what they lost,
// and the last group, which may be a partial one.
#define LOST 128
#define GROUP 256

// ADDPAIR adds the pair sums in P to the lanes at offset. It uses Y10 and Y11.
#define ADDPAIR(P, offset) \
	VADDPD offset(R11), P, Y10 \
	VSUBPD offset(R11), Y10, Y11 \
	VSUBPD Y11, P, P \
	VADDPD (LOST+offset)(R11), P, P \
	VMOVUPD P, (LOST+offset)(R11) \
	VMOVUPD Y10, offset(R11)

// What becomes of the exponentials in Y, where T may be used: stored or not, and
// their bits noted; and of pairs 16 elements apart, in Y8 and Y9.
#define EXPKEEP(Y, T, offset) VMOVUPD Y, offset(DI); VANDPD Y, Y12, Y12
#define SUMKEEP(Y, T, offset) VANDPD Y, Y12, Y12
#define SUMPAIR(offset) VADDPD Y9, Y8, Y8; ADDPAIR(Y8, offset)

// What becomes of the last exponentials, in Y8: stored or not, whole or the first
// R8 of them.
#define EXPWHOLE VMOVUPD Y8, (DI)
#define EXPPART VMOVAPD Y8, Y9; STOREPART(Y9, X9)
#define SUMLAST

// PREFETCH asks for the logits one block ahead, for rows that come from memory.
#define PREFETCH \
	PREFETCHT0 16384(SI) \
	PREFETCHT0 16448(SI) \
	PREFETCHT0 16512(SI) \
	PREFETCHT0 16576(SI)
#define NOPREFETCH

// GROUPS does all groups of 32 among the CX elements at SI, and leaves CX < 32.
// While one pair of vectors is in the second half the next is in the first: so a
// chain of dependent operations that is longer than a pair does not hold it up.
// The second exponentials of a pair go to Q, and T is scratch.
#define GROUPS(KEEP, PAIR, AHEAD, Q, T) \
	SUBQ $32, CX \
	JLT none \
	FRONT(0(SI), Y0, Y1, T) \
	FRONT(128(SI), Y2, Y3, T) \
	FRONT(32(SI), Y4, Y5, T) \
	FRONT(160(SI), Y6, Y7, T) \
	ADDQ $256, SI \
	SUBQ $32, CX \
	JLT last \
loop: \
	AHEAD \
	FIRSTPAIRS(KEEP, PAIR, Q, T) \
	BACK(Y0, Y1, Y8, T) \
	KEEP(Y8, T, 64) \
	FRONT(0(SI), Y0, Y1, T) \
	BACK(Y2, Y3, Q, T) \
	KEEP(Q, T, 192) \
	PAIR(64) \
	FRONT(128(SI), Y2, Y3, T) \
	BACK(Y4, Y5, Y8, T) \
	KEEP(Y8, T, 96) \
	FRONT(32(SI), Y4, Y5, T) \
	BACK(Y6, Y7, Q, T) \
	KEEP(Q, T, 224) \
	PAIR(96) \
	FRONT(160(SI), Y6, Y7, T) \
	ADDQ $256, SI \
	ADDQ $256, DI \
	SUBQ $32, CX \
	JGE loop \
last: \
	FIRSTPAIRS(KEEP, PAIR, Q, T) \
	BACK(Y0, Y1, Y8, T) \
	KEEP(Y8, T, 64) \
	BACK(Y2, Y3, Q, T) \
	KEEP(Q, T, 192) \
	PAIR(64) \
	BACK(Y4, Y5, Y8, T) \
	KEEP(Y8, T, 96) \
	BACK(Y6, Y7, Q, T) \
	KEEP(Q, T, 224) \
	PAIR(96) \
	ADDQ $256, DI \
none: \
	ADDQ $32, CX

// FIRSTPAIRS finishes the first two pairs of the group before SI, and begins its
// other two.
#define FIRSTPAIRS(KEEP, PAIR, Q, T) \
	BACK(Y0, Y1, Y8, T) \
	KEEP(Y8, T, 0) \
	FRONT(-192(SI), Y0, Y1, T) \
	BACK(Y2, Y3, Q, T) \
	KEEP(Q, T, 128) \
	PAIR(0) \
	FRONT(-64(SI), Y2, Y3, T) \
	BACK(Y4, Y5, Y8, T) \
	KEEP(Y8, T, 32) \
	FRONT(-160(SI), Y4, Y5, T) \
	BACK(Y6, Y7, Q, T) \
	KEEP(Q, T, 160) \
	PAIR(32) \
	FRONT(-32(SI), Y6, Y7, T)

// LOADPART loads the R8 elements at P to Y0 and fills up with the first of them.
// AX then points to their mask. Uses Y1 and Y9.
#define LOADPART(P) \
	LEAQ tailMask<>+32(SB), AX \
	SHLQ $3, R8 \
	SUBQ R8, AX \
	SHRQ $3, R8 \
	VBROADCASTSD P, Y0 \
	VMOVUPD (AX), Y1 \
	VMASKMOVPD P, Y1, Y9 \
	VBLENDVPD Y1, Y9, Y0, Y0

// STOREPART stores the first R8 elements of Y at DI. X is the low half of Y; both
// are destroyed.
#define STOREPART(Y, X) \
	TESTB $2, R8 \
	JEQ 7(PC) \
	VMOVUPD X, (DI) \
	TESTB $1, R8 \
	JEQ 5(PC) \
	VEXTRACTF128 $1, Y, X \
	VMOVSD X, 16(DI) \
	JMP 2(PC) \
	VMOVSD X, (DI)

// ROOM sets R11 to room for lanes and a group, clears the lanes, and Y12.
#define ROOM \
	LEAQ room-544(SP), R11 \
	ADDQ $31, R11 \
	ANDQ $-32, R11 \
	VXORPD Y0, Y0, Y0 \
	VMOVUPD accStart<>(SB), Y1 \
	VMOVUPD Y1, 0(R11) \
	VMOVUPD Y1, 32(R11) \
	VMOVUPD Y1, 64(R11) \
	VMOVUPD Y1, 96(R11) \
	VMOVUPD Y0, (LOST+0)(R11) \
	VMOVUPD Y0, (LOST+32)(R11) \
	VMOVUPD Y0, (LOST+64)(R11) \
	VMOVUPD Y0, (LOST+96)(R11) \
	VPCMPEQD Y12, Y12, Y12

// CLEARGROUP sets the last group to 0.
#define CLEARGROUP \
	VXORPD Y0, Y0, Y0 \
	VMOVUPD Y0, (GROUP+0)(R11) \
	VMOVUPD Y0, (GROUP+32)(R11) \
	VMOVUPD Y0, (GROUP+64)(R11) \
	VMOVUPD Y0, (GROUP+96)(R11) \
	VMOVUPD Y0, (GROUP+128)(R11) \
	VMOVUPD Y0, (GROUP+160)(R11) \
	VMOVUPD Y0, (GROUP+192)(R11) \
	VMOVUPD Y0, (GROUP+224)(R11)

// GROUPPAIR adds the pairs of the last group to the lanes at offset.
#define GROUPPAIR(offset) \
	VMOVUPD (GROUP+offset)(R11), Y8 \
	VADDPD (GROUP+offset+128)(R11), Y8, Y8 \
	ADDPAIR(Y8, offset)

// EXPSUM computes the exponentials of the CX elements at SI and adds them to the
// lanes. R10 moves through the last group.
#define EXPSUM(KEEP, WHOLE, PART, AHEAD) \
	ROOM \
	GROUPS(KEEP, SUMPAIR, AHEAD, Y9, Y10) \
	JEQ summed \
	CLEARGROUP \
	MOVQ R11, R10 \
	SUBQ $4, CX \
	JLT part \
whole: \
	FRONT((SI), Y0, Y1, Y9) \
	BACK(Y0, Y1, Y8, Y9) \
	WHOLE \
	VANDPD Y8, Y12, Y12 \
	VMOVUPD Y8, GROUP(R10) \
	ADDQ $32, SI \
	ADDQ $32, DI \
	ADDQ $32, R10 \
	SUBQ $4, CX \
	JGE whole \
part: \
	ADDQ $4, CX \
	JEQ pairs \
	MOVQ CX, R8 \
	LOADPART((SI)) \
	FRONT(Y0, Y0, Y1, Y9) \
	BACK(Y0, Y1, Y8, Y9) \
	PART \
	VANDPD Y8, Y12, Y12 \
	VANDPD (AX), Y8, Y8 \
	VMOVUPD Y8, GROUP(R10) \
pairs: \
	GROUPPAIR(0) \
	GROUPPAIR(32) \
	GROUPPAIR(64) \
	GROUPPAIR(96) \
summed:

// TOTAL adds the lanes: their sum to X0, and what they lost to X1. It uses Y2-Y5.
#define TOTAL \
	VMOVUPD accStart<>(SB), Y4 \
	VMOVUPD 0(R11), Y0 \
	VMOVUPD 32(R11), Y1 \
	VMOVUPD 64(R11), Y2 \
	VMOVUPD 96(R11), Y3 \
	VSUBPD Y4, Y0, Y0 \
	VSUBPD Y4, Y1, Y1 \
	VSUBPD Y4, Y2, Y2 \
	VSUBPD Y4, Y3, Y3 \
	VADDPD Y2, Y0, Y0 \
	VADDPD Y3, Y1, Y1 \
	VADDPD Y1, Y0, Y0 \
	VMOVUPD (LOST+0)(R11), Y1 \
	VMOVUPD (LOST+32)(R11), Y2 \
	VADDPD (LOST+64)(R11), Y1, Y1 \
	VADDPD (LOST+96)(R11), Y2, Y2 \
	VADDPD Y2, Y1, Y1 \
	FOLD(Y0, X0, X2) \
	FOLD(Y1, X1, X3)

// FOLD adds the four elements of Y to X, its low half. It uses T.
#define FOLD(Y, X, T) \
	VEXTRACTF128 $1, Y, T \
	VADDPD T, X, X \
	VPERMILPD $1, X, T \
	VADDSD T, X, X

// MAXIMUM sets every element of Y9 to the maximum of the CX elements at SI. It
// moves SI, and uses AX, CX, R8, Y0-Y3, Y8.
#define MAXIMUM \
	VBROADCASTSD (SI), Y3 \
	SUBQ $16, CX \
	JLT maxTail \
	VMOVAPD Y3, Y0 \
	VMOVAPD Y3, Y1 \
	VMOVAPD Y3, Y2 \
maxLoop: \
	VMAXPD (SI), Y0, Y0 \
	VMAXPD 32(SI), Y1, Y1 \
	VMAXPD 64(SI), Y2, Y2 \
	VMAXPD 96(SI), Y3, Y3 \
	ADDQ $128, SI \
	SUBQ $16, CX \
	JGE maxLoop \
	VMAXPD Y1, Y0, Y0 \
	VMAXPD Y3, Y2, Y2 \
	VMAXPD Y2, Y0, Y3 \
maxTail: \
	ADDQ $12, CX \
	JLT maxPart \
maxWhole: \
	VMAXPD (SI), Y3, Y3 \
	ADDQ $32, SI \
	SUBQ $4, CX \
	JGE maxWhole \
maxPart: \
	ADDQ $4, CX \
	JEQ maxAcross \
	MOVQ CX, R8 \
	LOADPART((SI)) \
	VMAXPD Y0, Y3, Y3 \
maxAcross: \
	VPERM2F128 $1, Y3, Y3, Y8 \
	VMAXPD Y8, Y3, Y9 \
	VPERMILPD $0x05, Y9, Y8 \
	VMAXPD Y8, Y9, Y9

// SCALE multiplies the exponentials in Y by the factor Y10 + Y11, and SCALECARE
// by one that is 2^1022 too large, with cutoff Y12. Both use T. The last steps of
// SCALECARE are those of integers: less than 1 is what becomes negative.
#define SCALE(Y, T) \
	VMULPD Y11, Y, T \
	VFMADD213PD T, Y10, Y
#define SCALECARE(Y, T) \
	VMAXPD Y12, Y, Y \
	VMULPD Y11, Y, T \
	VFMADD213PD T, Y10, Y \
	VMOVUPD minNorm<>(SB), T \
	VFMADD231PD minNorm<>(SB), Y, T \
	VPSUBQ twoMinNorm<>(SB), T, T \
	VPSUBQ one<>(SB), Y, Y \
	VBLENDVPD Y, T, Y, Y \
	VPADDQ minNorm<>(SB), Y, Y

// SCALEALL multiplies the CX elements at DI in place. It uses AX, CX, R8.
#define SCALEALL(MULTIPLY, loop, tail, whole, part, done) \
	SUBQ $16, CX \
	JLT tail \
loop: \
	VMOVUPD (DI), Y0 \
	VMOVUPD 32(DI), Y1 \
	VMOVUPD 64(DI), Y2 \
	VMOVUPD 96(DI), Y3 \
	MULTIPLY(Y0, Y4) \
	MULTIPLY(Y1, Y5) \
	MULTIPLY(Y2, Y6) \
	MULTIPLY(Y3, Y7) \
	VMOVUPD Y0, (DI) \
	VMOVUPD Y1, 32(DI) \
	VMOVUPD Y2, 64(DI) \
	VMOVUPD Y3, 96(DI) \
	ADDQ $128, DI \
	SUBQ $16, CX \
	JGE loop \
tail: \
	ADDQ $12, CX \
	JLT part \
whole: \
	VMOVUPD (DI), Y0 \
	MULTIPLY(Y0, Y1) \
	VMOVUPD Y0, (DI) \
	ADDQ $32, DI \
	SUBQ $4, CX \
	JGE whole \
part: \
	ADDQ $4, CX \
	JEQ done \
	MOVQ CX, R8 \
	LOADPART((DI)) \
	MULTIPLY(Y0, Y1) \
	STOREPART(Y0, X0) \
done:

// EXPSCALE writes the CX probabilities of the logits at SI.
#define EXPSCALE(KEEP, MULTIPLY) \
	GROUPS(KEEP, NOPAIR, PREFETCH, Y8, Y9) \
	SUBQ $4, CX \
	JLT part \
whole: \
	FRONT((SI), Y0, Y1, Y9) \
	BACK(Y0, Y1, Y8, Y9) \
	KEEP(Y8, Y9, 0) \
	ADDQ $32, SI \
	ADDQ $32, DI \
	SUBQ $4, CX \
	JGE whole \
part: \
	ADDQ $4, CX \
	JEQ done \
	MOVQ CX, R8 \
	LOADPART((SI)) \
	FRONT(Y0, Y0, Y1, Y9) \
	BACK(Y0, Y1, Y8, Y9) \
	MULTIPLY(Y8, Y9) \
	STOREPART(Y8, X8) \
done:

#define NOPAIR(offset)
#define SCALEKEEP(Y, T, offset) SCALE(Y, T); VMOVUPD Y, offset(DI)
#define STREAMKEEP(Y, T, offset) SCALE(Y, T); VMOVNTPD Y, offset(DI)
#define CAREKEEP(Y, T, offset) SCALECARE(Y, T); VMOVUPD Y, offset(DI)

// LOADREF loads the reference at AX.
#define LOADREF \
	VBROADCASTSD 0(AX), Y15 \
	VBROADCASTSD 8(AX), Y14 \
	VBROADCASTSD 16(AX), Y13

// LOADFACTOR loads the factor at AX.
#define LOADFACTOR \
	VBROADCASTSD 0(AX), Y10 \
	VBROADCASTSD 8(AX), Y11 \
	VBROADCASTSD 16(AX), Y12

// LARGE sets the zero flag if every exponential was at least 2. It uses AX.
#define LARGE \
	VPSLLQ $1, Y12, Y12 \
	VMOVMSKPD Y12, AX \
	CMPL AX, $0x0F

// FACTOR sets Y10 and Y11 to the factor of a row with sum X0 + X1. It uses X2-X4.
#define FACTOR \
	VMOVSD one<>(SB), X3 \
	VDIVSD X0, X3, X2 \
	VFNMADD231SD X2, X0, X3 \
	VFNMADD231SD X2, X1, X3 \
	VMULSD X2, X3, X3 \
	VMULSD lowCut<>(SB), X2, X4 \
	VADDSD X4, X3, X3 \
	VSUBSD X4, X3, X3 \
	VBROADCASTSD X2, Y10 \
	VBROADCASTSD X3, Y11

// CAREFACTOR makes that a careful factor, with its cutoff in Y12.
#define CAREFACTOR \
	VMULPD lift<>(SB), Y10, Y10 \
	VMULPD lift<>(SB), Y11, Y11 \
	VMULSD minNorm<>(SB), X0, X0 \
	VMULSD cutoffScale<>(SB), X0, X0 \
	VBROADCASTSD X0, Y12

// REFERENCE computes a row's reference from the maximum in Y9, into Y13-Y15. It
// uses Y8.
#define REFERENCE(far, near) \
	VMOVUPD tiny<>(SB), Y15 \
	VANDPD absMask<>(SB), Y9, Y8 \
	VUCOMISD exactLimit<>(SB), X8 \
	JCC far \
near: \
	VADDPD Y15, Y9, Y9 \
	VMOVUPD intMagic<>(SB), Y8 \
	VFMADD231PD log2e<>(SB), Y9, Y8 \
	VSUBPD intMagic<>(SB), Y8, Y8 \
	VMOVUPD topMagic<>(SB), Y13 \
	VFMADD231PD minusEight<>(SB), Y8, Y13 \
	VMOVUPD vanishLn2<>(SB), Y14 \
	VFMADD231PD ln2<>(SB), Y8, Y14

// FAR is its rare part: the maximum is far from 0, and an anchor is subtracted.
#define FAR(far, near) \
far: \
	VMULPD perAnchor<>(SB), Y9, Y15 \
	VROUNDPD $3, Y15, Y15 \
	VMULPD minusAnchor<>(SB), Y15, Y15 \
	JMP near

// func softmaxBlocks64AVX2(dst, src *float64, cols, rows, dstStride, srcStride int)
//
// BX and DX point to the row, R12 counts columns and R13 rows.
TEXT ·softmaxBlocks64AVX2(SB), NOSPLIT, $544-48
	MOVQ dst+0(FP), BX
	MOVQ src+8(FP), DX
	MOVQ cols+16(FP), R12
	MOVQ rows+24(FP), R13

row:
	MOVQ DX, SI
	MOVQ R12, CX
	MAXIMUM
	REFERENCE(far, near)
	MOVQ DX, SI
	MOVQ BX, DI
	MOVQ R12, CX
	EXPSUM(EXPKEEP, EXPWHOLE, EXPPART, NOPREFETCH)
	TOTAL
	MOVQ BX, DI
	MOVQ R12, CX
	VUCOMISD X0, X0
	JPS undefined

	FACTOR
	LARGE
	JNE careful
	SCALEALL(SCALE, scaleLoop, scaleTail, scaleWhole, scalePart, scaled)

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
	SCALEALL(SCALECARE, careLoop, careTail, careWhole, carePart, cared)
	JMP next

	FAR(far, near)

undefined:
	MOVQ nanBits<>(SB), AX
	REP; STOSQ
	JMP next

// func maxBlock64AVX2(src *float64, n int) float64
TEXT ·maxBlock64AVX2(SB), NOSPLIT, $0-24
	MOVQ src+0(FP), SI
	MOVQ n+8(FP), CX
	MAXIMUM
	VMOVSD X9, ret+16(FP)
	VZEROUPPER
	RET

// func hasNaNBlock64AVX2(src *float64, n int) bool
//
// Y3 gathers what is unordered.
TEXT ·hasNaNBlock64AVX2(SB), NOSPLIT, $0-17
	MOVQ src+0(FP), SI
	MOVQ n+8(FP), CX
	VXORPD Y3, Y3, Y3
	SUBQ $16, CX
	JLT tail

loop:
	VMOVUPD (SI), Y0
	VMOVUPD 64(SI), Y1
	VCMPPD $3, 32(SI), Y0, Y0
	VCMPPD $3, 96(SI), Y1, Y1
	VORPD Y0, Y3, Y3
	VORPD Y1, Y3, Y3
	ADDQ $128, SI
	SUBQ $16, CX
	JGE loop

tail:
	ADDQ $12, CX
	JLT part

whole:
	VMOVUPD (SI), Y0
	VCMPPD $3, Y0, Y0, Y0
	VORPD Y0, Y3, Y3
	ADDQ $32, SI
	SUBQ $4, CX
	JGE whole

part:
	ADDQ $4, CX
	JEQ done
	MOVQ CX, R8
	LOADPART((SI))
	VCMPPD $3, Y0, Y0, Y0
	VORPD Y0, Y3, Y3

done:
	VMOVMSKPD Y3, AX
	TESTL AX, AX
	SETNE ret+16(FP)
	VZEROUPPER
	RET

// func expBlock64AVX2(dst, src *float64, n int, ref *reference[float64]) (sum doubleDouble, large bool)
TEXT ·expBlock64AVX2(SB), NOSPLIT, $544-49
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ ref+24(FP), AX
	LOADREF
	EXPSUM(EXPKEEP, EXPWHOLE, EXPPART, PREFETCH)
	TOTAL
	LARGE
	SETEQ large+48(FP)
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
	VMOVSD X9, (BX) \
	VANDPD absMask<>(SB), Y9, Y8 \
	VUCOMISD nearLimit<>(SB), X8 \
	JCC end \
	REFERENCE(end, near) \
	VCVTTSD2SI X8, AX \
	MOVL $const_wideTopExponent, R8 \
	SUBL AX, R8 \
	MOVL R8, 24(BX) \
	MOVQ DX, SI \
	MOVQ $const_block64, CX \
	ROOM \
	GROUPS(KEEP, SUMPAIR, PREFETCH, Y9, Y10) \
	TOTAL \
	LARGE \
	SETEQ 28(BX) \
	VMOVSD X0, 8(BX) \
	VMOVSD X1, 16(BX) \
	ADDQ $32, BX \
	ADDQ $(8*const_block64), DX \
	SUBQ $1, R13 \
	JNE block \
end:

// func expBlocks64AVX2(dst, src *float64, blocks int, scans *blockScan[float64]) (done int)
TEXT ·expBlocks64AVX2(SB), NOSPLIT, $544-40
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), DX
	MOVQ blocks+16(FP), R13
	MOVQ scans+24(FP), BX
	SCANBLOCKS(EXPKEEP)
	MOVQ blocks+16(FP), AX
	SUBQ R13, AX
	MOVQ AX, done+32(FP)
	VZEROUPPER
	RET

// func sumBlocks64AVX2(src *float64, blocks int, scans *blockScan[float64]) (done int)
TEXT ·sumBlocks64AVX2(SB), NOSPLIT, $544-32
	MOVQ src+0(FP), DX
	MOVQ blocks+8(FP), R13
	MOVQ scans+16(FP), BX
	SCANBLOCKS(SUMKEEP)
	MOVQ blocks+8(FP), AX
	SUBQ R13, AX
	MOVQ AX, done+24(FP)
	VZEROUPPER
	RET

// func sumBlock64AVX2(src *float64, n int, ref *reference[float64]) (sum doubleDouble, large bool)
TEXT ·sumBlock64AVX2(SB), NOSPLIT, $544-41
	MOVQ src+0(FP), SI
	MOVQ n+8(FP), CX
	MOVQ ref+16(FP), AX
	LOADREF
	EXPSUM(SUMKEEP, SUMLAST, SUMLAST, PREFETCH)
	TOTAL
	LARGE
	SETEQ large+40(FP)
	VMOVSD X0, sum_hi+24(FP)
	VMOVSD X1, sum_lo+32(FP)
	VZEROUPPER
	RET

// func sumRows64AVX2(sums *rowSum[float64], src *float64, cols, rows, stride int)
//
// BX points to what is found out about the row, DX to the row, R12 counts columns
// and R13 rows.
TEXT ·sumRows64AVX2(SB), NOSPLIT, $544-40
	MOVQ sums+0(FP), BX
	MOVQ src+8(FP), DX
	MOVQ cols+16(FP), R12
	MOVQ rows+24(FP), R13

row:
	MOVQ DX, SI
	MOVQ R12, CX
	MAXIMUM
	VMOVSD X9, (BX)
	REFERENCE(far, near)
	MOVQ DX, SI
	MOVQ R12, CX
	EXPSUM(SUMKEEP, SUMLAST, SUMLAST, NOPREFETCH)
	TOTAL
	VMOVSD X0, 16(BX)
	VMOVSD X1, 24(BX)
	VBROADCASTSD (BX), Y0
	FRONT(Y0, Y0, Y1, Y9)
	BACK(Y0, Y1, Y8, Y9)
	VMOVSD X8, 8(BX)
	ADDQ $32, BX
	MOVQ stride+32(FP), AX
	LEAQ (DX)(AX*8), DX
	SUBQ $1, R13
	JNE row
	VZEROUPPER
	RET

	FAR(far, near)

// func scaleBlock64AVX2(dst *float64, n int, f *factor[float64])
TEXT ·scaleBlock64AVX2(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ n+8(FP), CX
	MOVQ f+16(FP), AX
	LOADFACTOR
	CMPB 24(AX), $0
	JNE careful
	SCALEALL(SCALE, scaleLoop, scaleTail, scaleWhole, scalePart, scaled)
	VZEROUPPER
	RET

careful:
	SCALEALL(SCALECARE, careLoop, careTail, careWhole, carePart, cared)
	VZEROUPPER
	RET

// func expScaleBlock64AVX2(dst, src *float64, n int, ref *reference[float64], f *factor[float64])
//
// The factor must not be a careful one.
TEXT ·expScaleBlock64AVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ ref+24(FP), AX
	LOADREF
	MOVQ f+32(FP), AX
	LOADFACTOR
	EXPSCALE(SCALEKEEP, SCALE)
	VZEROUPPER
	RET

// func expScaleCareBlock64AVX2(dst, src *float64, n int, ref *reference[float64], f *factor[float64])
//
// The factor must be a careful one.
TEXT ·expScaleCareBlock64AVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ ref+24(FP), AX
	LOADREF
	MOVQ f+32(FP), AX
	LOADFACTOR
	EXPSCALE(CAREKEEP, SCALECARE)
	VZEROUPPER
	RET

// func expScaleStreamBlock64AVX2(dst, src *float64, n int, ref *reference[float64], f *factor[float64])
//
// It stores past the caches. The factor must not be a careful one, n a multiple
// of 32, and dst aligned to 32 bytes.
TEXT ·expScaleStreamBlock64AVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ ref+24(FP), AX
	LOADREF
	MOVQ f+32(FP), AX
	LOADFACTOR
	GROUPS(STREAMKEEP, NOPAIR, PREFETCH, Y8, Y9)
	SFENCE
	VZEROUPPER
	RET

// func subtractBlock64AVX2(dst, src *float64, n int, m, rest float64)
//
// Y14 is the maximum, and Y15 the rest.
TEXT ·subtractBlock64AVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	VBROADCASTSD m+24(FP), Y14
	VBROADCASTSD rest+32(FP), Y15
	SUBQ $16, CX
	JLT tail

loop:
	VMOVUPD (SI), Y0
	VMOVUPD 32(SI), Y1
	VMOVUPD 64(SI), Y2
	VMOVUPD 96(SI), Y3
	VSUBPD Y14, Y0, Y0
	VSUBPD Y14, Y1, Y1
	VSUBPD Y14, Y2, Y2
	VSUBPD Y14, Y3, Y3
	VSUBPD Y15, Y0, Y0
	VSUBPD Y15, Y1, Y1
	VSUBPD Y15, Y2, Y2
	VSUBPD Y15, Y3, Y3
	VMOVUPD Y0, (DI)
	VMOVUPD Y1, 32(DI)
	VMOVUPD Y2, 64(DI)
	VMOVUPD Y3, 96(DI)
	ADDQ $128, SI
	ADDQ $128, DI
	SUBQ $16, CX
	JGE loop

tail:
	ADDQ $12, CX
	JLT part

whole:
	VMOVUPD (SI), Y0
	VSUBPD Y14, Y0, Y0
	VSUBPD Y15, Y0, Y0
	VMOVUPD Y0, (DI)
	ADDQ $32, SI
	ADDQ $32, DI
	SUBQ $4, CX
	JGE whole

part:
	ADDQ $4, CX
	JEQ done
	MOVQ CX, R8
	LOADPART((SI))
	VSUBPD Y14, Y0, Y0
	VSUBPD Y15, Y0, Y0
	STOREPART(Y0, X0)

done:
	VZEROUPPER
	RET
