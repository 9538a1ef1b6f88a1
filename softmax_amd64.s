//go:build !purego

// The kernel for AVX2 with FMA. Operation for operation it is the Go code in
// softmax_generic.go, eight elements at a time.
//
// Use of registers, in every function:
//
//	DI  dst          SI  src          CX  elements left
//	Y0-Y7   four vectors between the two halves of the exponential
//	Y8, Y9  exponentials, and scratch
//	Y10, Y11  lane sums in float64 of lanes 0-3 and 8-11, or the high and low part of the factor
//	Y12     conjunction of the bits of all exponentials, or the factor's cutoff
//	Y7, Y12  of a short row: mask, and indices that turn its last vector
//	Y13     magic          Y14  cutoff          Y15  bias, or scale
//	(R11)   lane sums of lanes 4-7 and 12-15: in memory, for want of registers
//
// Constants that are used once per vector stay in memory.

#include "go_asm.h"
#include "textflag.h"
#include "tail_amd64.h"
#include "half_amd64.h"
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

// The constants of softmax_generic.go and row.go.
VECTOR(log2e8, 0x4138AA3B)
VECTOR(ln2Hi, 0x3DB17218)
VECTOR(ln2Lo, 0xAF82E308)
VECTOR(expC2, 0x3F000458)
VECTOR(expC3, 0x3E2AB10F)
VECTOR(unit, 0x3F800000)       // 2^careShift times the least normal number
VECTOR(liftBits, 0x3F000000)
VECTOR(log2e, 0x3FB8AA3B)
VECTOR(ln2, 0x3F317218)
VECTOR(vanishLn2, 0xC2D57D45)  // -vanish*ln2
VECTOR(intMagic, 0x4B400000)
VECTOR(topMagic, 0x4B4005F8)   // intMagic + 8*(topExponent + 127)
VECTOR(minusEight, 0xC1000000)
VECTOR(exactLimit, 0x46800000)
VECTOR(perAnchor, 0x39000000)   // 1/anchorStep
VECTOR(minusAnchor, 0xC6000000) // -anchorStep
VECTOR(nearLimit, 0x46000000)   // exactLimit/2
VECTOR(tiny, 0x21800000)
VECTOR(absMask, 0x7FFFFFFF)
VECTOR(nanBits, 0x7FC00000)
VECTOR(lift, 0x7E800000)       // 2^careShift
VECTOR(windowMagic, 0x4B400598) // intMagic + 8*(windowShift + 127)
VECTOR(windowCutoff, 0xC2DDCE9E)
VECTOR(windowLowest, 0xC0980000)
VECTOR(windowTop, 0x41A00000)
VECTOR(sinkAbove, 0x41800000)  // 16
DATA one<>+0(SB)/8, $1.0
GLOBL one<>(SB), RODATA|NOPTR, $8
DATA half<>+0(SB)/8, $0.5
GLOBL half<>(SB), RODATA|NOPTR, $8
DATA two<>+0(SB)/8, $2.0
GLOBL two<>(SB), RODATA|NOPTR, $8
DATA lowCut<>+0(SB)/8, $1048576.0 // 2^20
GLOBL lowCut<>(SB), RODATA|NOPTR, $8
DATA vanishScale<>+0(SB)/8, $0x3660000000000000 // 2^-153
GLOBL vanishScale<>(SB), RODATA|NOPTR, $8

DATA expTable<>+0(SB)/4, $0xB3A3E
DATA expTable<>+4(SB)/4, $0x7D424
DATA expTable<>+8(SB)/4, $0x59202
DATA expTable<>+12(SB)/4, $0x48E45
DATA expTable<>+16(SB)/4, $0x4E5BE
DATA expTable<>+20(SB)/4, $0x6B7DA
DATA expTable<>+24(SB)/4, $0xA26DE
DATA expTable<>+28(SB)/4, $0xF5829
GLOBL expTable<>(SB), RODATA|NOPTR, $32

// The constants of logarithm.go: ln2Hi and ln2Lo, and l1 to l7.
DATA logarithm<>+0(SB)/8, $0x3FE62E42FEE00000
DATA logarithm<>+8(SB)/8, $0x3DEA39EF35793C76
DATA logarithm<>+16(SB)/8, $0x3FE5555555555593
DATA logarithm<>+24(SB)/8, $0x3FD999999997FA04
DATA logarithm<>+32(SB)/8, $0x3FD2492494229359
DATA logarithm<>+40(SB)/8, $0x3FCC71C51D8E78AF
DATA logarithm<>+48(SB)/8, $0x3FC7466496CB03DE
DATA logarithm<>+56(SB)/8, $0x3FC39A09D078C69F
DATA logarithm<>+64(SB)/8, $0x3FC2F112DF3E5244
GLOBL logarithm<>(SB), RODATA|NOPTR, $72

// turn has the indices of the elements of a vector, twice: from element 8 - k on they turn
// a vector by k places.
DATA turn<>+0(SB)/8, $0x100000000
DATA turn<>+8(SB)/8, $0x300000002
DATA turn<>+16(SB)/8, $0x500000004
DATA turn<>+24(SB)/8, $0x700000006
DATA turn<>+32(SB)/8, $0x100000000
DATA turn<>+40(SB)/8, $0x300000002
DATA turn<>+48(SB)/8, $0x500000004
DATA turn<>+56(SB)/8, $0x700000006
GLOBL turn<>(SB), RODATA|NOPTR, $64

// FRONT is the first half of the exponential of the logits at X0: it leaves the
// reduced argument r in X, and n + magic in T. It uses Y9. PLAINFRONT is the same where
// the anchor is 0 and subnormal numbers count as 0: it needs no bias. SCALEDFRONT is that
// for logits times Y15.
#define FRONT(X0, X, T) \
	VADDPS X0, Y15, X \
	PLAINFRONT(X, X, T)
#define SCALEDFRONT(X0, X, T) \
	VMULPS X0, Y15, X \
	PLAINFRONT(X, X, T)
#define PLAINFRONT(X0, X, T) \
	VMAXPS X0, Y14, X \
	VMOVAPS Y13, T \
	VFMADD231PS log2e8<>(SB), X, T \
	VSUBPS Y13, T, Y9 \
	VFNMADD231PS ln2Hi<>(SB), Y9, X \
	VFNMADD231PS ln2Lo<>(SB), Y9, X

// BACK is the second half: the exponentials go to P. It uses X and T up.
#define BACK(X, T, P) \
	VMOVUPS expC3<>(SB), P \
	VFMADD213PS expC2<>(SB), X, P \
	VMULPS X, P, P \
	VFMADD213PS X, X, P \
	VPERMPS expTable<>(SB), T, X \
	VPSLLD $20, T, T \
	VPADDD T, X, X \
	VFMADD213PS X, X, P

// SPLIT sets R9 to the number of whole vectors in the CX < 32 elements left, R8
// to the number of elements behind them, and R10 to where those are from SI on.
#define SPLIT \
	MOVQ CX, R9 \
	MOVQ CX, R8 \
	SHRQ $3, R9 \
	ANDQ $7, R8 \
	MOVQ R9, R10 \
	SHLQ $5, R10

// LOADPART loads the R8 elements at P to Y0 and fills up with the first of them.
// AX then points to their mask. Uses Y1 and Y9.
#define LOADPART(P) \
	LEAQ tailMask<>+32(SB), AX \
	SHLQ $2, R8 \
	SUBQ R8, AX \
	SHRQ $2, R8 \
	VBROADCASTSS P, Y0 \
	VMOVUPS (AX), Y1 \
	VMASKMOVPS P, Y1, Y9 \
	VBLENDVPS Y1, Y9, Y0, Y0

// STOREPART stores the first R8 elements of Y at R10 bytes from DI on. X is the
// low half of Y; both are destroyed, and R10 is moved.
#define STOREPART(Y, X) \
	TESTB $4, R8 \
	JEQ 4(PC) \
	VMOVUPS X, (DI)(R10*1) \
	VEXTRACTF128 $1, Y, X \
	ADDQ $16, R10 \
	TESTB $2, R8 \
	JEQ 4(PC) \
	VMOVLPS X, (DI)(R10*1) \
	VPERMILPS $0x0E, X, X \
	ADDQ $8, R10 \
	TESTB $1, R8 \
	JEQ 2(PC) \
	VMOVSS X, (DI)(R10*1)

// ADDPAIR adds the pair sums in Y8 to four lanes in ACC and the next four in MORE. It uses Y9.
#define ADDPAIR(ACC, MORE) \
	VEXTRACTF128 $1, Y8, X9 \
	VCVTPS2PD X8, Y8 \
	VCVTPS2PD X9, Y9 \
	VADDPD Y8, ACC, ACC \
	VADDPD MORE, Y9, Y9 \
	VMOVUPD Y9, MORE

// What becomes of the exponentials in Y, where T is free: stored or not, and
// their bits noted; of those of a partial vector, in Y8; and of pairs 16 elements
// apart, in Y8 and Y9.
#define EXPKEEP(Y, T, offset) VMOVUPS Y, offset(DI); VANDPS Y, Y12, Y12
#define EXPPART VANDPS Y8, Y12, Y12; VANDPS (AX), Y8, Y6; STOREPART(Y8, X8)
#define SUMKEEP(Y, T, offset) VANDPS Y, Y12, Y12
#define SUMPART VANDPS Y8, Y12, Y12; VANDPS (AX), Y8, Y6
#define SUMPAIR(ACC, MORE) VADDPS Y9, Y8, Y8; ADDPAIR(ACC, MORE)

// PREFETCH asks for the logits one block ahead, for rows that come from memory.
#define PREFETCH \
	PREFETCHT0 16384(SI) \
	PREFETCHT0 16448(SI)
#define NOPREFETCH

// GROUPS does all groups of 32 among the CX elements at SI, and leaves CX < 32.
// While one group is in the second half the next is in the first: so a chain of
// dependent operations that is much longer than a group does not hold it up.
#define GROUPS(FRONT, KEEP, PAIR, AHEAD) \
	SUBQ $32, CX \
	JLT none \
	FRONT(0(SI), Y0, Y1) \
	FRONT(64(SI), Y4, Y5) \
	FRONT(32(SI), Y2, Y3) \
	FRONT(96(SI), Y6, Y7) \
	ADDQ $128, SI \
	SUBQ $32, CX \
	JLT last \
loop: \
	AHEAD \
	BACK(Y0, Y1, Y8) \
	KEEP(Y8, Y9, 0) \
	FRONT(0(SI), Y0, Y1) \
	BACK(Y4, Y5, Y9) \
	KEEP(Y9, Y8, 64) \
	PAIR(Y10, 0(R11)) \
	FRONT(64(SI), Y4, Y5) \
	BACK(Y2, Y3, Y8) \
	KEEP(Y8, Y9, 32) \
	FRONT(32(SI), Y2, Y3) \
	BACK(Y6, Y7, Y9) \
	KEEP(Y9, Y8, 96) \
	PAIR(Y11, 32(R11)) \
	FRONT(96(SI), Y6, Y7) \
	ADDQ $128, SI \
	ADDQ $128, DI \
	SUBQ $32, CX \
	JGE loop \
last: \
	BACK(Y0, Y1, Y8) \
	KEEP(Y8, Y9, 0) \
	BACK(Y4, Y5, Y9) \
	KEEP(Y9, Y8, 64) \
	PAIR(Y10, 0(R11)) \
	BACK(Y2, Y3, Y8) \
	KEEP(Y8, Y9, 32) \
	BACK(Y6, Y7, Y9) \
	KEEP(Y9, Y8, 96) \
	PAIR(Y11, 32(R11)) \
	ADDQ $128, DI \
none: \
	ADDQ $32, CX

// LANES clears the lanes.
#define LANES \
	LEAQ lanes-64(SP), R11 \
	ANDQ $-32, R11 \
	VXORPS Y10, Y10, Y10 \
	VXORPS Y11, Y11, Y11 \
	VMOVUPS Y10, 0(R11) \
	VMOVUPS Y10, 32(R11) \
	VPCMPEQD Y12, Y12, Y12

// EXPSUM computes the exponentials of the CX elements at SI and adds them to cleared lanes. The
// sums of the last pairs gather in Y4 and Y5.
#define EXPSUM(FRONT, KEEP, PART, AHEAD) \
	LANES \
	GROUPS(FRONT, KEEP, SUMPAIR, AHEAD) \
	JEQ summed \
	SPLIT \
	VXORPS Y4, Y4, Y4 \
	VXORPS Y5, Y5, Y5 \
	VXORPS Y6, Y6, Y6 \
	TESTQ R8, R8 \
	JEQ whole0 \
	LOADPART((SI)(R10*1)) \
	FRONT(Y0, Y0, Y1) \
	BACK(Y0, Y1, Y8) \
	PART \
whole0: \
	SUBQ $1, R9 \
	JLT part0 \
	FRONT((SI), Y0, Y1) \
	BACK(Y0, Y1, Y8) \
	KEEP(Y8, Y9, 0) \
	VMOVAPS Y8, Y4 \
	SUBQ $1, R9 \
	JLT part1 \
	FRONT(32(SI), Y0, Y1) \
	BACK(Y0, Y1, Y8) \
	KEEP(Y8, Y9, 32) \
	VMOVAPS Y8, Y5 \
	SUBQ $1, R9 \
	JLT part0 \
	FRONT(64(SI), Y0, Y1) \
	BACK(Y0, Y1, Y8) \
	KEEP(Y8, Y9, 64) \
	VADDPS Y8, Y4, Y4 \
part1: \
	VADDPS Y6, Y5, Y5 \
	JMP pairs \
part0: \
	VADDPS Y6, Y4, Y4 \
pairs: \
	VMOVAPS Y4, Y8 \
	ADDPAIR(Y10, 0(R11)) \
	VMOVAPS Y5, Y8 \
	ADDPAIR(Y11, 32(R11)) \
summed:

// TOTAL adds the lanes 8, 4, 2 and 1 apart to X0. It uses X1 and Y2.
#define TOTAL \
	VMOVUPD 0(R11), Y2 \
	VADDPD 32(R11), Y2, Y2 \
	VADDPD Y11, Y10, Y0 \
	FOLD

// MAXIMA sets Y9 to maxima of the CX elements at SI, of which one is that of all. It
// moves SI, and uses AX, CX, R8-R10, Y0-Y3. MAXIMUM sets every element of Y9 to that. It
// uses Y8, too.
#define MAXIMA \
	VBROADCASTSS (SI), Y0 \
	SUBQ $32, CX \
	JLT maxTail \
	VMOVAPS Y0, Y1 \
	VMOVAPS Y0, Y2 \
	VMOVAPS Y0, Y3 \
maxLoop: \
	VMAXPS (SI), Y0, Y0 \
	VMAXPS 32(SI), Y1, Y1 \
	VMAXPS 64(SI), Y2, Y2 \
	VMAXPS 96(SI), Y3, Y3 \
	ADDQ $128, SI \
	SUBQ $32, CX \
	JGE maxLoop \
	VMAXPS Y1, Y0, Y0 \
	VMAXPS Y3, Y2, Y2 \
	VMAXPS Y2, Y0, Y0 \
maxTail: \
	VMOVAPS Y0, Y3 \
	ADDQ $32, CX \
	JEQ maxDone \
	SPLIT \
	TESTQ R8, R8 \
	JEQ maxWhole \
	LOADPART((SI)(R10*1)) \
	VMAXPS Y0, Y3, Y3 \
maxWhole: \
	SUBQ $1, R9 \
	JLT maxDone \
	VMAXPS (SI), Y3, Y3 \
	ADDQ $32, SI \
	JMP maxWhole \
maxDone: \
	VMOVAPS Y3, Y9
#define MAXIMUM \
	MAXIMA \
	ACROSS

// SCALE multiplies the exponentials in Y by the factor Y10 + Y11, and SCALECARE
// by one that is 2^126 too large, with cutoff Y12. Both use T.
#define SCALE(Y, T) \
	VMULPS Y11, Y, T \
	VFMADD213PS T, Y10, Y
#define SCALECARE(Y, T) \
	VMAXPS Y12, Y, Y \
	VMULPS Y11, Y, T \
	VFMADD213PS T, Y10, Y \
	VADDPS unit<>(SB), Y, T \
	VPSUBD unit<>(SB), T, T \
	VPSUBD liftBits<>(SB), Y, Y \
	VPMAXSD T, Y, Y

// SCALEALL multiplies the CX elements at DI in place. It uses AX, CX, R8-R10.
#define SCALEALL(MULTIPLY, loop, tail, whole, done) \
	SUBQ $32, CX \
	JLT tail \
loop: \
	VMOVUPS (DI), Y0 \
	VMOVUPS 32(DI), Y1 \
	VMOVUPS 64(DI), Y2 \
	VMOVUPS 96(DI), Y3 \
	MULTIPLY(Y0, Y4) \
	MULTIPLY(Y1, Y5) \
	MULTIPLY(Y2, Y6) \
	MULTIPLY(Y3, Y7) \
	VMOVUPS Y0, (DI) \
	VMOVUPS Y1, 32(DI) \
	VMOVUPS Y2, 64(DI) \
	VMOVUPS Y3, 96(DI) \
	ADDQ $128, DI \
	SUBQ $32, CX \
	JGE loop \
tail: \
	ADDQ $32, CX \
	JEQ done \
	SPLIT \
	TESTQ R8, R8 \
	JEQ whole \
	LOADPART((DI)(R10*1)) \
	MULTIPLY(Y0, Y1) \
	STOREPART(Y0, X0) \
whole: \
	SUBQ $1, R9 \
	JLT done \
	VMOVUPS (DI), Y0 \
	MULTIPLY(Y0, Y1) \
	VMOVUPS Y0, (DI) \
	ADDQ $32, DI \
	JMP whole \
done:

// EXPSCALE writes the CX probabilities of the logits at SI.
#define EXPSCALE(KEEP, MULTIPLY) \
	GROUPS(FRONT, KEEP, NOPAIR, PREFETCH) \
	JEQ done \
	SPLIT \
	TESTQ R8, R8 \
	JEQ whole \
	LOADPART((SI)(R10*1)) \
	FRONT(Y0, Y0, Y1) \
	BACK(Y0, Y1, Y8) \
	MULTIPLY(Y8, Y9) \
	STOREPART(Y8, X8) \
whole: \
	SUBQ $1, R9 \
	JLT done \
	FRONT((SI), Y0, Y1) \
	BACK(Y0, Y1, Y8) \
	KEEP(Y8, Y9, 0) \
	ADDQ $32, SI \
	ADDQ $32, DI \
	JMP whole \
done:

#define NOPAIR(ACC, MORE)
#define SCALEKEEP(Y, T, offset) SCALE(Y, T); VMOVUPS Y, offset(DI)
#define STREAMKEEP(Y, T, offset) SCALE(Y, T); VMOVNTPS Y, offset(DI)
#define CAREKEEP(Y, T, offset) SCALECARE(Y, T); VMOVUPS Y, offset(DI)

// LOADREF loads the reference at AX.
#define LOADREF \
	VBROADCASTSS 0(AX), Y15 \
	VBROADCASTSS 4(AX), Y14 \
	VBROADCASTSS 8(AX), Y13

// LOADFACTOR loads the factor at AX.
#define LOADFACTOR \
	VBROADCASTSS 0(AX), Y10 \
	VBROADCASTSS 4(AX), Y11 \
	VBROADCASTSS 8(AX), Y12

// LARGE sets AX to 1 if every exponential was at least 2, else to 0.
#define LARGE \
	VPSLLD $1, Y12, Y12 \
	VMOVMSKPS Y12, CX \
	XORL AX, AX \
	CMPL CX, $0xFF \
	SETEQ AX

// FACTOR sets Y10 and Y11 to the factor of a row with sum X0. It uses X1-X3.
#define FACTOR \
	VMOVSD one<>(SB), X1 \
	VDIVSD X0, X1, X1 \
	VCVTSD2SS X1, X1, X2 \
	VCVTSS2SD X2, X2, X3 \
	VSUBSD X3, X1, X1 \
	VMULSD lowCut<>(SB), X3, X3 \
	VADDSD X3, X1, X1 \
	VSUBSD X3, X1, X1 \
	VCVTSD2SS X1, X1, X1 \
	VBROADCASTSS X2, Y10 \
	VBROADCASTSS X1, Y11

// CAREFACTOR makes that a careful factor, with its cutoff in Y12.
#define CAREFACTOR \
	VMULPS lift<>(SB), Y10, Y10 \
	VMULPS lift<>(SB), Y11, Y11 \
	VMULSD vanishScale<>(SB), X0, X0 \
	VCVTSD2SS X0, X0, X0 \
	VBROADCASTSS X0, Y12

// REFERENCE computes a row's reference from the maximum in Y9, into Y13-Y15. It
// uses Y8. NEARREFERENCE does without the bias, Y15.
#define REFERENCE(far, near) \
	VMOVUPS tiny<>(SB), Y15 \
	VANDPS absMask<>(SB), Y9, Y8 \
	VUCOMISS exactLimit<>(SB), X8 \
	JCC far \
near: \
	NEARREFERENCE
#define NEARREFERENCE \
	VMOVUPS intMagic<>(SB), Y8 \
	VFMADD231PS log2e<>(SB), Y9, Y8 \
	VSUBPS intMagic<>(SB), Y8, Y8 \
	VMOVUPS topMagic<>(SB), Y13 \
	VFMADD231PS minusEight<>(SB), Y8, Y13 \
	VMOVUPS vanishLn2<>(SB), Y14 \
	VFMADD231PS ln2<>(SB), Y8, Y14

// INWINDOW goes to other if the maximum of a row is not in the window: M holds maxima, of which
// one is that of the row. Nothing waits for that, unless a branch is predicted wrongly. It
// uses AX and Y8. INWINDOWMASKED is that where only the elements under MASK count. WINDOW
// loads the reference.
#define INWINDOW(M, other) \
	NOTABOVE(M, other) \
	VCMPPS $0x1D, windowLowest<>(SB), M, Y8 \
	NOTBELOW(other)
#define INWINDOWMASKED(M, MASK, other) \
	NOTABOVE(M, other) \
	VCMPPS $0x1D, windowLowest<>(SB), M, Y8 \
	VANDPS MASK, Y8, Y8 \
	NOTBELOW(other)
#define NOTABOVE(M, other) \
	VCMPPS $0x1E, windowTop<>(SB), M, Y8 \
	VMOVMSKPS Y8, AX \
	TESTL AX, AX \
	JNE other
#define NOTBELOW(other) \
	VMOVMSKPS Y8, AX \
	TESTL AX, AX \
	JEQ other
#define WINDOW \
	VMOVUPS windowMagic<>(SB), Y13 \
	VMOVUPS windowCutoff<>(SB), Y14 \
	VMOVUPS tiny<>(SB), Y15

// FAR is its rare part: the maximum is far from 0, and an anchor is subtracted.
#define FAR(far, near) \
far: \
	VMULPS perAnchor<>(SB), Y9, Y15 \
	VROUNDPS $3, Y15, Y15 \
	VMULPS minusAnchor<>(SB), Y15, Y15 \
	VADDPS Y15, Y9, Y9 \
	JMP near

// ACROSS sets every element of Y9 to the maximum of all. It uses Y8.
#define ACROSS \
	VPERM2F128 $1, Y9, Y9, Y8 \
	VMAXPS Y8, Y9, Y9 \
	VPERMILPS $0x4E, Y9, Y8 \
	VMAXPS Y8, Y9, Y9 \
	VPERMILPS $0xB1, Y9, Y8 \
	VMAXPS Y8, Y9, Y9

// PAIRTOTAL adds the pair sums of lanes 0-7 in Y and of lanes 8-15 in YY, whose low
// halves are X and XX, to X0 in float64. It uses Y1-Y3.
#define PAIRTOTAL(Y, X, YY, XX) \
	VEXTRACTF128 $1, Y, X2 \
	VEXTRACTF128 $1, YY, X3 \
	VCVTPS2PD X, Y0 \
	VCVTPS2PD XX, Y1 \
	VCVTPS2PD X2, Y2 \
	VCVTPS2PD X3, Y3 \
	VADDPD Y1, Y0, Y0 \
	VADDPD Y3, Y2, Y2 \
	FOLD

// FOLD adds the float64 lanes 4, 2 and 1 apart in Y0 and Y2 to X0. It uses X1.
#define FOLD \
	VADDPD Y2, Y0, Y0 \
	VEXTRACTF128 $1, Y0, X1 \
	VADDPD X1, X0, X0 \
	VPERMILPD $1, X0, X1 \
	VADDSD X1, X0, X0

// LOADMASKED loads to Y the elements at P under MASK. The row's first element
// fills up. It uses Y9.
#define LOADMASKED(P, MASK, Y) \
	VMASKMOVPS P, MASK, Y \
	VBROADCASTSS (SI), Y9 \
	VBLENDVPS MASK, Y, Y9, Y

// DEFINED goes to undefined where the sum X0 is NaN.
#define DEFINED(undefined) \
	VUCOMISD X0, X0 \
	JPS undefined

// CHECK branches where the exponentials' bits, whose conjunction is Y9, ask for a
// careful factor.
#define CHECK(careful) \
	VPSLLD $1, Y9, Y9 \
	VMOVMSKPS Y9, CX \
	CMPL CX, $0xFF \
	JNE careful

// NEXTROW moves on to the next row.
#define NEXTROW(again) \
	ADDQ R9, DI \
	ADDQ R11, SI \
	SUBQ $1, R13 \
	JNE again \
	VZEROUPPER \
	RET

// UNDEFINED makes the row of R12 elements all NaN. It uses AX, CX, R10.
#define UNDEFINED(undefined, next) \
undefined: \
	MOVQ DI, R10 \
	MOVQ R12, CX \
	MOVL nanBits<>(SB), AX \
	REP; STOSL \
	MOVQ R10, DI \
	JMP next

// ADDSINK adds the exponential of the sink to the sum X0, unless it is -Inf. It uses
// Y1-Y3 and Y9.
#define ADDSINK \
	CMPL sink+68(FP), $0xFF800000 \
	JEQ sunk \
	VBROADCASTSS sink+68(FP), Y1 \
	PLAINFRONT(Y1, Y1, Y3) \
	BACK(Y1, Y3, Y2) \
	VCVTSS2SD X2, X2, X2 \
	VADDSD X2, X0, X0 \
sunk:
#define NOSINK

// SINKFITS goes to out if the sink is above LIMIT. It uses X2.
#define SINKFITS(LIMIT, out) \
	VMOVSS sink+68(FP), X2 \
	VUCOMISS LIMIT, X2 \
	JHI out

// SHORTROW prepares for rows of R12 <= 32 elements: R8 is the number of those in a partial
// vector at the end, Y7 the mask of those in the last vector. The last of several vectors
// is loaded with what ends the row, so as not to wait for stores to what is behind, and
// turned by the indices in Y12, which DX points to: then it has other elements of the row
// where the mask has none. It uses AX and BX.
#define SHORTROW \
	MOVQ R12, R8 \
	ANDQ $7, R8 \
	MOVQ R12, AX \
	NEGQ AX \
	ANDQ $7, AX \
	LEAQ tailMask<>(SB), BX \
	VMOVUPS (BX)(AX*4), Y7 \
	LEAQ turn<>(SB), DX \
	LEAQ (DX)(AX*4), DX \
	VMOVUPS (DX), Y12

// ONELOGITS loads a row of one vector to Y0, TWOLOGITS two to Y0 and Y2, THREELOGITS and
// FOURLOGITS also to Y4 and Y6.
#define ONELOGITS LOADMASKED((SI), Y7, Y0)
#define TWOLOGITS \
	VMOVUPS (SI), Y0 \
	VPERMPS -32(SI)(R12*4), Y12, Y2
#define THREELOGITS \
	VMOVUPS (SI), Y0 \
	VMOVUPS 32(SI), Y2 \
	VPERMPS -32(SI)(R12*4), Y12, Y4
#define FOURLOGITS \
	VMOVUPS (SI), Y0 \
	VMOVUPS 32(SI), Y2 \
	VMOVUPS 64(SI), Y4 \
	VPERMPS -32(SI)(R12*4), Y12, Y6

// ONESUM sets Y4 to the exponentials of the logits in Y0, and X0 to their sum under mask
// Y7. TWOSUM is that for Y0 and Y2, to Y4 and Y5, THREESUM and FOURSUM also for Y4, to Y6,
// and for Y6, to Y8: the mask is for the last.
#define ONESUM \
	FRONT(Y0, Y0, Y1) \
	BACK(Y0, Y1, Y4) \
	VANDPS Y7, Y4, Y6 \
	VEXTRACTF128 $1, Y6, X2 \
	VCVTPS2PD X6, Y0 \
	VCVTPS2PD X2, Y2 \
	FOLD
#define TWOSUM \
	FRONT(Y0, Y0, Y1) \
	FRONT(Y2, Y2, Y3) \
	BACK(Y0, Y1, Y4) \
	BACK(Y2, Y3, Y5) \
	VANDPS Y7, Y5, Y6 \
	PAIRTOTAL(Y4, X4, Y6, X6)
#define THREESUM \
	FRONT(Y0, Y0, Y1) \
	FRONT(Y2, Y2, Y3) \
	FRONT(Y4, Y4, Y5) \
	BACK(Y4, Y5, Y6) \
	BACK(Y2, Y3, Y5) \
	BACK(Y0, Y1, Y4) \
	VANDPS Y7, Y6, Y10 \
	VADDPS Y4, Y10, Y10 \
	PAIRTOTAL(Y10, X10, Y5, X5)
#define FOURSUM \
	FRONT(Y0, Y0, Y1) \
	FRONT(Y2, Y2, Y3) \
	FRONT(Y4, Y4, Y5) \
	FRONT(Y6, Y6, Y10) \
	BACK(Y6, Y10, Y8) \
	BACK(Y4, Y5, Y6) \
	BACK(Y2, Y3, Y5) \
	BACK(Y0, Y1, Y4) \
	VANDPS Y7, Y8, Y11 \
	VADDPS Y4, Y6, Y10 \
	VADDPS Y5, Y11, Y11 \
	PAIRTOTAL(Y10, X10, Y11, X11)

// LAST stores the last vector of a row, and goes on at next.
#define LAST(Y, X, offset, whole, next) \
	TESTQ R8, R8 \
	JEQ whole \
	MOVL $offset, R10 \
	STOREPART(Y, X) \
	JMP next \
whole: \
	VMOVUPS Y, offset(DI)

// func softmaxShortAVX2(dst, src *float32, cols, rows, dstStride, srcStride int)
//
// It is softmaxBlocksAVX2 for at most 32 columns: the row stays in registers, one to four
// of them. R13 counts rows, R9 and R11 are the strides in bytes, R12 is cols; SHORTROW has more.
TEXT ·softmaxShortAVX2(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ cols+16(FP), R12
	MOVQ rows+24(FP), R13
	MOVQ dstStride+32(FP), R9
	MOVQ srcStride+40(FP), R11
	SHLQ $2, R9
	SHLQ $2, R11
	SHORTROW
	CMPQ R12, $16
	JGT wide
	CMPQ R12, $8
	JGT two

one:
	VMASKMOVPS (SI), Y7, Y0
	INWINDOWMASKED(Y0, Y7, oneByMaximum)
	WINDOW

oneReferred:
	ONESUM
	DEFINED(oneUndefined)
	VMOVAPS Y4, Y9
	CHECK(oneCare)
	FACTOR
	SCALE(Y4, Y0)

oneStore:
	LAST(Y4, X4, 0, oneWhole, oneNext)

oneNext:
	NEXTROW(one)

oneCare:
	FACTOR
	CAREFACTOR
	SCALECARE(Y4, Y0)
	JMP oneStore

oneByMaximum:
	LOADMASKED((SI), Y7, Y0)
	VMOVAPS Y0, Y9
	ACROSS
	REFERENCE(oneFar, oneNear)
	JMP oneReferred

	FAR(oneFar, oneNear)
	UNDEFINED(oneUndefined, oneNext)

two:
	TWOLOGITS
	VMAXPS Y0, Y2, Y9
	INWINDOW(Y9, twoByMaximum)
	WINDOW

twoReferred:
	TWOSUM
	DEFINED(twoUndefined)
	VANDPS Y4, Y5, Y9
	CHECK(twoCare)
	FACTOR
	SCALE(Y4, Y0)
	SCALE(Y5, Y1)

twoStore:
	VMOVUPS Y4, (DI)
	LAST(Y5, X5, 32, twoWhole, twoNext)

twoNext:
	NEXTROW(two)

twoCare:
	FACTOR
	CAREFACTOR
	SCALECARE(Y4, Y0)
	SCALECARE(Y5, Y1)
	VMOVUPS (DX), Y12
	JMP twoStore

twoByMaximum:
	ACROSS
	REFERENCE(twoFar, twoNear)
	JMP twoReferred

	FAR(twoFar, twoNear)
	UNDEFINED(twoUndefined, twoNext)

wide:
	CMPQ R12, $24
	JGT four

three:
	THREELOGITS
	VMAXPS Y0, Y2, Y9
	VMAXPS Y4, Y9, Y9
	INWINDOW(Y9, threeByMaximum)
	WINDOW

threeReferred:
	THREESUM
	DEFINED(threeUndefined)
	VANDPS Y4, Y5, Y9
	VANDPS Y6, Y9, Y9
	CHECK(threeCare)
	FACTOR
	SCALE(Y4, Y0)
	SCALE(Y5, Y1)
	SCALE(Y6, Y2)

threeStore:
	VMOVUPS Y4, (DI)
	VMOVUPS Y5, 32(DI)
	LAST(Y6, X6, 64, threeWhole, threeNext)

threeNext:
	NEXTROW(three)

threeCare:
	FACTOR
	CAREFACTOR
	SCALECARE(Y4, Y0)
	SCALECARE(Y5, Y1)
	SCALECARE(Y6, Y2)
	VMOVUPS (DX), Y12
	JMP threeStore

threeByMaximum:
	ACROSS
	REFERENCE(threeFar, threeNear)
	JMP threeReferred

	FAR(threeFar, threeNear)
	UNDEFINED(threeUndefined, threeNext)

four:
	FOURLOGITS
	VMAXPS Y0, Y2, Y8
	VMAXPS Y4, Y6, Y9
	VMAXPS Y8, Y9, Y9
	INWINDOW(Y9, fourByMaximum)
	WINDOW

fourReferred:
	FOURSUM
	DEFINED(fourUndefined)
	VANDPS Y4, Y5, Y9
	VANDPS Y6, Y8, Y1
	VANDPS Y1, Y9, Y9
	CHECK(fourCare)
	FACTOR
	SCALE(Y4, Y0)
	SCALE(Y5, Y1)
	SCALE(Y6, Y2)
	SCALE(Y8, Y3)

fourStore:
	VMOVUPS Y4, (DI)
	VMOVUPS Y5, 32(DI)
	VMOVUPS Y6, 64(DI)
	LAST(Y8, X8, 96, fourWhole, fourNext)

fourNext:
	NEXTROW(four)

fourCare:
	FACTOR
	CAREFACTOR
	SCALECARE(Y4, Y0)
	SCALECARE(Y5, Y1)
	SCALECARE(Y6, Y2)
	SCALECARE(Y8, Y3)
	VMOVUPS (DX), Y12
	JMP fourStore

fourByMaximum:
	ACROSS
	REFERENCE(fourFar, fourNear)
	JMP fourReferred

	FAR(fourFar, fourNear)
	UNDEFINED(fourUndefined, fourNext)

// ONETOP to FOURTOP set Y9 to maxima of these logits, and ONEEXP to FOUREXP of the exponentials
// that ONESUM to FOURSUM leave: one of them is the maximum of all.
#define ONETOP VMOVAPS Y0, Y9
#define TWOTOP VMAXPS Y0, Y2, Y9
#define THREETOP \
	VMAXPS Y0, Y2, Y9 \
	VMAXPS Y4, Y9, Y9
#define FOURTOP \
	VMAXPS Y0, Y2, Y8 \
	VMAXPS Y4, Y6, Y9 \
	VMAXPS Y8, Y9, Y9
#define ONEEXP VMOVAPS Y4, Y9
#define TWOEXP VMAXPS Y4, Y5, Y9
#define THREEEXP \
	VMAXPS Y4, Y5, Y9 \
	VMAXPS Y6, Y9, Y9
#define FOUREXP \
	VMAXPS Y4, Y5, Y9 \
	VMAXPS Y6, Y8, Y1 \
	VMAXPS Y1, Y9, Y9

// SUMROW computes of the row at SI the maximum, whose bits go to BX, its exponential, to X9, and
// the sum of all, to X0. The exponential of the maximum is the largest. SUMROWOTHER is what
// it jumps to.
#define SUMROW(LOGITS, TOP, SUM, EXP, referred, other) \
	LOGITS \
	TOP \
	ACROSS \
	VMOVD X9, BX \
	INWINDOW(Y9, other) \
	WINDOW \
referred: \
	SUM \
	EXP \
	ACROSS
#define SUMROWOTHER(referred, other, far, near) \
other: \
	REFERENCE(far, near) \
	JMP referred \
	FAR(far, near)

// NEXTSUM stores what SUMROW has found out, and moves on to the next row.
#define NEXTSUM(again) \
	MOVL BX, (DI) \
	VMOVSS X9, 4(DI) \
	VMOVSD X0, 8(DI) \
	ADDQ $24, DI \
	ADDQ R11, SI \
	SUBQ $1, R13 \
	JNE again \
	VZEROUPPER \
	RET

// func sumShortAVX2(sums *rowSum[float32], src *float32, cols, rows, stride int)
//
// It is sumRowsAVX2 for at most 32 columns, as softmaxShortAVX2 computes them. DI points to
// what is found out about the row, R11 is the stride in bytes.
TEXT ·sumShortAVX2(SB), NOSPLIT, $0-40
	MOVQ sums+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ cols+16(FP), R12
	MOVQ rows+24(FP), R13
	MOVQ stride+32(FP), R11
	SHLQ $2, R11
	SHORTROW
	CMPQ R12, $16
	JGT wide
	CMPQ R12, $8
	JGT two

one:
	SUMROW(ONELOGITS, ONETOP, ONESUM, ONEEXP, oneReferred, oneOther)
	NEXTSUM(one)
	SUMROWOTHER(oneReferred, oneOther, oneFar, oneNear)

two:
	SUMROW(TWOLOGITS, TWOTOP, TWOSUM, TWOEXP, twoReferred, twoOther)
	NEXTSUM(two)
	SUMROWOTHER(twoReferred, twoOther, twoFar, twoNear)

wide:
	CMPQ R12, $24
	JGT four

three:
	SUMROW(THREELOGITS, THREETOP, THREESUM, THREEEXP, threeReferred, threeOther)
	NEXTSUM(three)
	SUMROWOTHER(threeReferred, threeOther, threeFar, threeNear)

four:
	SUMROW(FOURLOGITS, FOURTOP, FOURSUM, FOUREXP, fourReferred, fourOther)
	NEXTSUM(four)
	SUMROWOTHER(fourReferred, fourOther, fourFar, fourNear)

// LOGSUM goes to undefined where the row of SUMROW is, and to declined where its maximum, which
// is subnormal or 0, has to be looked for again: where it is the whole sum. Otherwise 0 will do.
// Then it sets X0 and X1 to the two parts of the logarithm of the sum divided by the exponential
// of the maximum. It uses AX, CX, R10, X2-X6, X10 and X11.
#define LOGSUM(normal, undefined) \
	VUCOMISD X0, X0 \
	JPS undefined \
	VCVTSS2SD X9, X9, X9 \
	LEAL (BX)(BX*1), AX \
	CMPL AX, $0x01000000 \
	JCC normal \
	VUCOMISD X9, X0 \
	JLS declined \
	XORL BX, BX \
normal: \
	VDIVSD X9, X0, X0 \
	LOGARITHM

// LOGARITHM is that of the number X0. 2^52 less the fraction of Sqrt2 makes the exponent of a
// number with a larger fraction one more.
#define LOGARITHM \
	VMOVQ X0, AX \
	MOVQ $0x95F619980C433, CX \
	ADDQ AX, CX \
	SHRQ $52, CX \
	SUBQ $1023, CX \
	MOVQ CX, R10 \
	SHLQ $52, R10 \
	SUBQ R10, AX \
	VMOVQ AX, X1 \
	VSUBSD one<>(SB), X1, X1 \
	VCVTSI2SDQ CX, X2, X2 \
	VADDSD two<>(SB), X1, X3 \
	VDIVSD X3, X1, X3 \
	VMULSD X3, X3, X4 \
	VMULSD X4, X4, X5 \
	VMULSD logarithm<>+64(SB), X5, X6 \
	VMULSD logarithm<>+56(SB), X5, X10 \
	VADDSD logarithm<>+48(SB), X6, X6 \
	VADDSD logarithm<>+40(SB), X10, X10 \
	VMULSD X5, X6, X6 \
	VMULSD X5, X10, X10 \
	VADDSD logarithm<>+32(SB), X6, X6 \
	VADDSD logarithm<>+24(SB), X10, X10 \
	VMULSD X5, X6, X6 \
	VADDSD logarithm<>+16(SB), X6, X6 \
	VMULSD X4, X6, X6 \
	VMULSD X5, X10, X10 \
	VADDSD X10, X6, X6 \
	VMULSD X1, X1, X11 \
	VMULSD half<>(SB), X11, X11 \
	VADDSD X6, X11, X6 \
	VMULSD X3, X6, X6 \
	VMULSD logarithm<>+8(SB), X2, X10 \
	VADDSD X10, X6, X6 \
	VMULSD logarithm<>+0(SB), X2, X2 \
	VADDSD X1, X2, X0 \
	VSUBSD X2, X0, X3 \
	VSUBSD X3, X1, X3 \
	VSUBSD X6, X11, X11 \
	VSUBSD X11, X3, X1

// REST sets Y10 to the maximum and Y11 to the logarithm, rounded: what is subtracted.
#define REST \
	VADDSD X1, X0, X0 \
	VCVTSD2SS X0, X0, X0 \
	VBROADCASTSS X0, Y11 \
	VMOVD BX, X0 \
	VBROADCASTSS X0, Y10
#define SUBTRACT(Y) \
	VSUBPS Y10, Y, Y \
	VSUBPS Y11, Y, Y

// NEXTLOG moves on to the next row, which is elements behind in dst, if there is one.
#define NEXTLOG(again) \
	ADDQ R9, DI \
	ADDQ R11, SI \
	SUBQ $1, R13 \
	JNE again \
	JMP declined

// func logSoftmaxShortAVX2(dst, src *float32, cols, rows, dstStride, srcStride int) (done int)
//
// It computes the log-softmax of rows of at most 32 columns, as softmaxShortAVX2 does the
// softmax, and stops before one of which LOGSUM declines.
TEXT ·logSoftmaxShortAVX2(SB), NOSPLIT, $0-56
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ cols+16(FP), R12
	MOVQ rows+24(FP), R13
	MOVQ dstStride+32(FP), R9
	MOVQ srcStride+40(FP), R11
	SHLQ $2, R9
	SHLQ $2, R11
	SHORTROW
	CMPQ R12, $16
	JGT wide
	CMPQ R12, $8
	JGT two

one:
	SUMROW(ONELOGITS, ONETOP, ONESUM, ONEEXP, oneReferred, oneOther)
	LOGSUM(oneNormal, oneUndefined)
	REST
	ONELOGITS
	SUBTRACT(Y0)
	LAST(Y0, X0, 0, oneWhole, oneNext)

oneNext:
	NEXTLOG(one)
	SUMROWOTHER(oneReferred, oneOther, oneFar, oneNear)
	UNDEFINED(oneUndefined, oneNext)

two:
	SUMROW(TWOLOGITS, TWOTOP, TWOSUM, TWOEXP, twoReferred, twoOther)
	LOGSUM(twoNormal, twoUndefined)
	REST
	TWOLOGITS
	SUBTRACT(Y0)
	SUBTRACT(Y2)
	VMOVUPS Y0, (DI)
	LAST(Y2, X2, 32, twoWhole, twoNext)

twoNext:
	NEXTLOG(two)
	SUMROWOTHER(twoReferred, twoOther, twoFar, twoNear)
	UNDEFINED(twoUndefined, twoNext)

wide:
	CMPQ R12, $24
	JGT four

three:
	SUMROW(THREELOGITS, THREETOP, THREESUM, THREEEXP, threeReferred, threeOther)
	LOGSUM(threeNormal, threeUndefined)
	REST
	THREELOGITS
	SUBTRACT(Y0)
	SUBTRACT(Y2)
	SUBTRACT(Y4)
	VMOVUPS Y0, (DI)
	VMOVUPS Y2, 32(DI)
	LAST(Y4, X4, 64, threeWhole, threeNext)

threeNext:
	NEXTLOG(three)
	SUMROWOTHER(threeReferred, threeOther, threeFar, threeNear)
	UNDEFINED(threeUndefined, threeNext)

four:
	SUMROW(FOURLOGITS, FOURTOP, FOURSUM, FOUREXP, fourReferred, fourOther)
	LOGSUM(fourNormal, fourUndefined)
	REST
	FOURLOGITS
	SUBTRACT(Y0)
	SUBTRACT(Y2)
	SUBTRACT(Y4)
	SUBTRACT(Y6)
	VMOVUPS Y0, (DI)
	VMOVUPS Y2, 32(DI)
	VMOVUPS Y4, 64(DI)
	LAST(Y6, X6, 96, fourWhole, fourNext)

fourNext:
	NEXTLOG(four)
	SUMROWOTHER(fourReferred, fourOther, fourFar, fourNear)
	UNDEFINED(fourUndefined, fourNext)

declined:
	MOVQ rows+24(FP), AX
	SUBQ R13, AX
	MOVQ AX, done+48(FP)
	VZEROUPPER
	RET

// ADDTOP stores the sum of the maximum and the logarithm, as logSumExpFrom makes it, and goes
// to declined if that is subnormal. It uses AX, CX and X2-X5.
#define ADDTOP \
	VMOVD BX, X2 \
	VCVTSS2SD X2, X2, X2 \
	VADDSD X2, X0, X3 \
	VSUBSD X0, X3, X4 \
	VSUBSD X4, X3, X5 \
	VSUBSD X5, X0, X0 \
	VSUBSD X4, X2, X2 \
	VADDSD X2, X0, X0 \
	VADDSD X0, X1, X1 \
	VADDSD X1, X3, X0 \
	VMOVQ X0, AX \
	LEAQ -1(AX)(AX*1), AX \
	MOVQ $((1023-126)<<53 - 1), CX \
	CMPQ AX, CX \
	JCS declined \
	VCVTSD2SS X0, X0, X0 \
	VMOVSS X0, (DI)

// func logSumExpShortAVX2(dst, src *float32, cols, rows, stride int) (done int)
//
// It computes the log-sum-exp of rows of at most 32 columns, one element of dst each, and stops
// before one of which LOGSUM or ADDTOP declines.
TEXT ·logSumExpShortAVX2(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ cols+16(FP), R12
	MOVQ rows+24(FP), R13
	MOVQ $4, R9
	MOVQ stride+32(FP), R11
	SHLQ $2, R11
	SHORTROW
	CMPQ R12, $16
	JGT wide
	CMPQ R12, $8
	JGT two

one:
	SUMROW(ONELOGITS, ONETOP, ONESUM, ONEEXP, oneReferred, oneOther)
	LOGSUM(oneNormal, declined)
	ADDTOP
	NEXTLOG(one)
	SUMROWOTHER(oneReferred, oneOther, oneFar, oneNear)

two:
	SUMROW(TWOLOGITS, TWOTOP, TWOSUM, TWOEXP, twoReferred, twoOther)
	LOGSUM(twoNormal, declined)
	ADDTOP
	NEXTLOG(two)
	SUMROWOTHER(twoReferred, twoOther, twoFar, twoNear)

wide:
	CMPQ R12, $24
	JGT four

three:
	SUMROW(THREELOGITS, THREETOP, THREESUM, THREEEXP, threeReferred, threeOther)
	LOGSUM(threeNormal, declined)
	ADDTOP
	NEXTLOG(three)
	SUMROWOTHER(threeReferred, threeOther, threeFar, threeNear)

four:
	SUMROW(FOURLOGITS, FOURTOP, FOURSUM, FOUREXP, fourReferred, fourOther)
	LOGSUM(fourNormal, declined)
	ADDTOP
	NEXTLOG(four)
	SUMROWOTHER(fourReferred, fourOther, fourFar, fourNear)

declined:
	MOVQ rows+24(FP), AX
	SUBQ R13, AX
	MOVQ AX, done+40(FP)
	VZEROUPPER
	RET

// SOFTMAX computes the row of R12 elements at DX by its reference. It goes to BX. SINK adds
// something to its sum. OTHERWISE is what it jumps to.
#define SOFTMAX(FRONT, SINK) \
	MOVQ DX, SI \
	MOVQ BX, DI \
	MOVQ R12, CX \
	EXPSUM(FRONT, EXPKEEP, EXPPART, NOPREFETCH) \
	TOTAL \
	SINK \
	MOVQ BX, DI \
	MOVQ R12, CX \
	VUCOMISD X0, X0 \
	JPS undefined \
	FACTOR \
	VPSLLD $1, Y12, Y12 \
	VMOVMSKPS Y12, AX \
	CMPL AX, $0xFF \
	JNE careful \
	SCALEALL(SCALE, scaleLoop, scaleTail, scaleWhole, scaled) \
next:
#define OTHERWISE \
careful: \
	CAREFACTOR \
	SCALEALL(SCALECARE, careLoop, careTail, careWhole, cared) \
	JMP next \
undefined: \
	MOVL nanBits<>(SB), AX \
	REP; STOSL \
	JMP next

// REFER makes the reference of a row of which Y9 holds maxima, and BYMAXIMUM is what it jumps
// to. NEARMAXIMUM is that where a maximum that is far from 0 is declined.
#define REFER \
	INWINDOW(Y9, byMaximum) \
	WINDOW \
referred:
#define BYMAXIMUM \
byMaximum: \
	ACROSS \
	REFERENCE(far, near) \
	JMP referred \
	FAR(far, near)
#define NEARMAXIMUM \
byMaximum: \
	ACROSS \
	VANDPS absMask<>(SB), Y9, Y8 \
	VUCOMISS exactLimit<>(SB), X8 \
	JCC declined \
	NEARREFERENCE \
	JMP referred

// func softmaxBlocksAVX2(dst, src *float32, cols, rows, dstStride, srcStride int)
//
// BX and DX point to the row, R12 counts columns and R13 rows.
TEXT ·softmaxBlocksAVX2(SB), NOSPLIT, $96-48
	MOVQ dst+0(FP), BX
	MOVQ src+8(FP), DX
	MOVQ cols+16(FP), R12
	MOVQ rows+24(FP), R13

row:
	MOVQ DX, SI
	MOVQ R12, CX
	MAXIMA
	REFER
	SOFTMAX(FRONT, NOSINK)
	MOVQ dstStride+32(FP), AX
	LEAQ (BX)(AX*4), BX
	MOVQ srcStride+40(FP), AX
	LEAQ (DX)(AX*4), DX
	SUBQ $1, R13
	JNE row
	VZEROUPPER
	RET

	OTHERWISE
	BYMAXIMUM

// func softmaxLongAVX2(dst, src *float32, n int) (done bool)
//
// It is softmaxBlocksAVX2 for a long row, unless it finds that the maximum is far from 0.
// BX and DX point to the row, R12 is n.
TEXT ·softmaxLongAVX2(SB), NOSPLIT, $104-25
	MOVQ dst+0(FP), BX
	MOVQ src+8(FP), DX
	MOVQ n+16(FP), R12
	FLUSH(mxcsr-100(SP), flushing-104(SP))
	MOVQ DX, SI
	MOVQ R12, CX
	MAXIMA
	REFER
	SOFTMAX(PLAINFRONT, NOSINK)
	MOVB $1, done+24(FP)
	RESTORE(mxcsr-100(SP))
	VZEROUPPER
	RET

	OTHERWISE
	NEARMAXIMUM

declined:
	MOVB $0, done+24(FP)
	RESTORE(mxcsr-100(SP))
	VZEROUPPER
	RET

// func softmaxBlockAVX2(x *float32, n int, m float32)
//
// m must not be far from 0.
TEXT ·softmaxBlockAVX2(SB), NOSPLIT, $104-20
	MOVQ x+0(FP), BX
	MOVQ BX, DX
	MOVQ n+8(FP), R12
	VBROADCASTSS m+16(FP), Y9
	FLUSH(mxcsr-100(SP), flushing-104(SP))
	INWINDOW(Y9, byMaximum)
	WINDOW

referred:
	SOFTMAX(PLAINFRONT, NOSINK)
	RESTORE(mxcsr-100(SP))
	VZEROUPPER
	RET

byMaximum:
	NEARREFERENCE
	JMP referred

	OTHERWISE

// func softmaxScaledAVX2(dst, src *float32, cols, rows, dstStride, srcStride, n, step int, scale, sink float32) (done int)
//
// BX and DX point to the row, R12 counts the elements before the zeros and R13 rows.
TEXT ·softmaxScaledAVX2(SB), NOSPLIT, $104-80
	MOVQ dst+0(FP), BX
	MOVQ src+8(FP), DX
	MOVQ rows+24(FP), R13
	MOVQ n+48(FP), R12
	FLUSH(mxcsr-100(SP), flushing-104(SP))

row:
	MOVQ DX, SI
	MOVQ R12, CX
	MAXIMA
	VBROADCASTSS scale+64(FP), Y0
	VMULPS Y0, Y9, Y9
	SINKFITS(windowTop<>(SB), byMaximum)
	INWINDOW(Y9, byMaximum)
	WINDOW

referred:
	VBROADCASTSS scale+64(FP), Y15
	SOFTMAX(SCALEDFRONT, ADDSINK)

	MOVQ cols+16(FP), CX
	SUBQ R12, CX
	LEAQ (BX)(R12*4), DI
	VXORPS Y0, Y0, Y0
	SUBQ $8, CX
	JLT zerosPart

zeros:
	VMOVUPS Y0, (DI)
	ADDQ $32, DI
	SUBQ $8, CX
	JGE zeros

zerosPart:
	ADDQ $8, CX
	JEQ zeroed

zero:
	MOVL $0, (DI)
	ADDQ $4, DI
	SUBQ $1, CX
	JNE zero

zeroed:

	MOVQ dstStride+32(FP), AX
	LEAQ (BX)(AX*4), BX
	MOVQ srcStride+40(FP), AX
	LEAQ (DX)(AX*4), DX
	MOVQ cols+16(FP), AX
	ADDQ step+56(FP), R12
	CMPQ R12, AX
	CMOVQGT AX, R12
	SUBQ $1, R13
	JNE row

declined:
	MOVQ rows+24(FP), AX
	SUBQ R13, AX
	MOVQ AX, done+72(FP)
	RESTORE(mxcsr-100(SP))
	VZEROUPPER
	RET

	// A sink may exceed the maximum in X3 by so much that the sum stays below 2^94. The cutoff
	// depends on the maximum alone.
byMaximum:
	ACROSS
	VANDPS absMask<>(SB), Y9, Y0
	VUCOMISS exactLimit<>(SB), X0
	JCC declined
	VMOVAPS X9, X3
	VADDSS sinkAbove<>(SB), X9, X1
	SINKFITS(X1, declined)
	NEARREFERENCE
	VUCOMISS windowLowest<>(SB), X3
	JCS referred
	VUCOMISS windowTop<>(SB), X3
	JHI referred
	VMOVUPS windowCutoff<>(SB), Y14
	JMP referred

	OTHERWISE

// func softmaxHalfAVX2(dst, src unsafe.Pointer, n int, from, to elementFormat)
//
// n is at least one vector. The row is computed in a buffer on the stack, at BX.
TEXT ·softmaxHalfAVX2(SB), 0, $16512-26
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ CX, R12
	LEAQ buffer-16512(SP), BX
	ADDQ $63, BX
	ANDQ $-64, BX
	MOVQ BX, DI
	MOVQ BX, DX
	CMPB from+24(FP), $const_formatFloat16
	JEQ float16
	CMPB from+24(FP), $const_formatBFloat16
	JEQ bfloat16
	MOVQ SI, DX
	MAXIMA
	JMP logits

float16:
	WIDENFLOAT16(groupsF, vectorsF, vectorF, restF, doneF)
	JMP widened

bfloat16:
	WIDENBFLOAT16(groupsB, vectorsB, vectorB, restB, doneB)

widened:
	LARGEST
	VBROADCASTSS X0, Y9

logits:
	REFER
	SOFTMAX(FRONT, NOSINK)
	MOVQ BX, SI
	MOVQ dst+0(FP), DI
	MOVQ R12, CX
	CMPB to+25(FP), $const_formatBFloat16
	JEQ narrowB
	NARROWFLOAT16(groups, vectors, vector, rest, done)
	VZEROUPPER
	RET

narrowB:
	NARROWBFLOAT16(groupsN, vectorsN, vectorN, restN, doneN)
	VZEROUPPER
	RET

	OTHERWISE
	BYMAXIMUM

// func maxBlockAVX2(src *float32, n int) float32
TEXT ·maxBlockAVX2(SB), NOSPLIT, $0-20
	MOVQ src+0(FP), SI
	MOVQ n+8(FP), CX
	MAXIMUM
	VMOVSS X9, ret+16(FP)
	VZEROUPPER
	RET

// func hasNaNBlockAVX2(src *float32, n int) bool
//
// Y3 gathers what is unordered.
TEXT ·hasNaNBlockAVX2(SB), NOSPLIT, $0-17
	MOVQ src+0(FP), SI
	MOVQ n+8(FP), CX
	VXORPS Y3, Y3, Y3
	SUBQ $32, CX
	JLT tail

loop:
	VMOVUPS (SI), Y0
	VMOVUPS 64(SI), Y1
	VCMPPS $3, 32(SI), Y0, Y0
	VCMPPS $3, 96(SI), Y1, Y1
	VORPS Y0, Y3, Y3
	VORPS Y1, Y3, Y3
	ADDQ $128, SI
	SUBQ $32, CX
	JGE loop

tail:
	ADDQ $32, CX
	JEQ done
	SPLIT
	TESTQ R8, R8
	JEQ whole
	LOADPART((SI)(R10*1))
	VCMPPS $3, Y0, Y0, Y0
	VORPS Y0, Y3, Y3

whole:
	SUBQ $1, R9
	JLT done
	VMOVUPS (SI), Y0
	VCMPPS $3, Y0, Y0, Y0
	VORPS Y0, Y3, Y3
	ADDQ $32, SI
	JMP whole

done:
	VMOVMSKPS Y3, AX
	TESTL AX, AX
	SETNE ret+16(FP)
	VZEROUPPER
	RET

// func expBlockAVX2(dst, src *float32, n int, ref *reference) (sum float64, large bool)
TEXT ·expBlockAVX2(SB), NOSPLIT, $96-41
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ ref+24(FP), AX
	LOADREF
	EXPSUM(FRONT, EXPKEEP, EXPPART, PREFETCH)
	TOTAL
	LARGE
	VMOVSD X0, sum+32(FP)
	MOVB AX, large+40(FP)
	VZEROUPPER
	RET

// SCANBLOCKS computes exponentials of the blocks at DX, and stores at BX what is to be known of
// each, a blockScan. It ends before a block whose maximum is not near 0. R13 counts blocks.
#define SCANBLOCKS(KEEP) \
block: \
	MOVQ DX, SI \
	MOVQ $const_block32, CX \
	MAXIMUM \
	VMOVSS X9, (BX) \
	VANDPS absMask<>(SB), Y9, Y8 \
	VUCOMISS nearLimit<>(SB), X8 \
	JCC end \
	NEARREFERENCE \
	VCVTTSS2SI X8, AX \
	MOVL $const_topExponent, R8 \
	SUBL AX, R8 \
	MOVL R8, 24(BX) \
	VCMPPS $0x1D, windowLowest<>(SB), Y9, Y0 \
	VCMPPS $0x12, windowTop<>(SB), Y9, Y1 \
	VANDPS Y1, Y0, Y0 \
	VMOVUPS windowCutoff<>(SB), Y1 \
	VBLENDVPS Y0, Y1, Y14, Y14 \
	MOVQ DX, SI \
	MOVQ $const_block32, CX \
	LANES \
	GROUPS(PLAINFRONT, KEEP, SUMPAIR, PREFETCH) \
	TOTAL \
	LARGE \
	MOVB AX, 28(BX) \
	VMOVSD X0, 8(BX) \
	MOVQ $0, 16(BX) \
	ADDQ $32, BX \
	ADDQ $(4*const_block32), DX \
	SUBQ $1, R13 \
	JNE block \
end:

// func expBlocksAVX2(dst, src *float32, blocks int, scans *blockScan[float32]) (done int)
TEXT ·expBlocksAVX2(SB), NOSPLIT, $104-40
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), DX
	MOVQ blocks+16(FP), R13
	MOVQ scans+24(FP), BX
	FLUSH(mxcsr-100(SP), flushing-104(SP))
	SCANBLOCKS(EXPKEEP)
	MOVQ blocks+16(FP), AX
	SUBQ R13, AX
	MOVQ AX, done+32(FP)
	RESTORE(mxcsr-100(SP))
	VZEROUPPER
	RET

// func sumBlocksAVX2(src *float32, blocks int, scans *blockScan[float32]) (done int)
TEXT ·sumBlocksAVX2(SB), NOSPLIT, $104-32
	MOVQ src+0(FP), DX
	MOVQ blocks+8(FP), R13
	MOVQ scans+16(FP), BX
	FLUSH(mxcsr-100(SP), flushing-104(SP))
	SCANBLOCKS(SUMKEEP)
	MOVQ blocks+8(FP), AX
	SUBQ R13, AX
	MOVQ AX, done+24(FP)
	RESTORE(mxcsr-100(SP))
	VZEROUPPER
	RET

// func sumBlockAVX2(src *float32, n int, ref *reference) (sum float64, large bool)
TEXT ·sumBlockAVX2(SB), NOSPLIT, $96-33
	MOVQ src+0(FP), SI
	MOVQ n+8(FP), CX
	MOVQ ref+16(FP), AX
	LOADREF
	EXPSUM(FRONT, SUMKEEP, SUMPART, PREFETCH)
	TOTAL
	LARGE
	VMOVSD X0, sum+24(FP)
	MOVB AX, large+32(FP)
	VZEROUPPER
	RET

// func sumRowsAVX2(sums *rowSum[float32], src *float32, cols, rows, stride int)
//
// BX points to what is found out about the row, DX to the row, R12 counts columns
// and R13 rows.
TEXT ·sumRowsAVX2(SB), NOSPLIT, $96-40
	MOVQ sums+0(FP), BX
	MOVQ src+8(FP), DX
	MOVQ cols+16(FP), R12
	MOVQ rows+24(FP), R13

row:
	MOVQ DX, SI
	MOVQ R12, CX
	MAXIMUM
	VMOVSS X9, (BX)
	REFER
	VBROADCASTSS (BX), Y0
	FRONT(Y0, Y0, Y1)
	BACK(Y0, Y1, Y8)
	VMOVSS X8, 4(BX)
	MOVQ DX, SI
	MOVQ R12, CX
	EXPSUM(FRONT, SUMKEEP, SUMPART, NOPREFETCH)
	TOTAL
	VMOVSD X0, 8(BX)
	ADDQ $24, BX
	MOVQ stride+32(FP), AX
	LEAQ (DX)(AX*4), DX
	SUBQ $1, R13
	JNE row
	VZEROUPPER
	RET

	BYMAXIMUM

// func sumLongAVX2(sum *rowSum[float32], src *float32, n int) (done bool)
//
// It is sumRowsAVX2 for a long row, unless it finds that the maximum is far from 0.
TEXT ·sumLongAVX2(SB), NOSPLIT, $104-25
	MOVQ sum+0(FP), BX
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	MAXIMUM
	VMOVSS X9, (BX)
	FLUSH(mxcsr-100(SP), flushing-104(SP))
	REFER
	VBROADCASTSS (BX), Y0
	PLAINFRONT(Y0, Y0, Y1)
	BACK(Y0, Y1, Y8)
	VMOVSS X8, 4(BX)
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	EXPSUM(PLAINFRONT, SUMKEEP, SUMPART, NOPREFETCH)
	TOTAL
	VMOVSD X0, 8(BX)
	MOVB $1, done+24(FP)
	RESTORE(mxcsr-100(SP))
	VZEROUPPER
	RET

	NEARMAXIMUM

declined:
	MOVB $0, done+24(FP)
	RESTORE(mxcsr-100(SP))
	VZEROUPPER
	RET

// func scaleBlockAVX2(dst *float32, n int, f *factor)
TEXT ·scaleBlockAVX2(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ n+8(FP), CX
	MOVQ f+16(FP), AX
	LOADFACTOR
	CMPB 12(AX), $0
	JNE careful
	SCALEALL(SCALE, scaleLoop, scaleTail, scaleWhole, scaled)
	VZEROUPPER
	RET

careful:
	SCALEALL(SCALECARE, careLoop, careTail, careWhole, cared)
	VZEROUPPER
	RET

// func expScaleBlockAVX2(dst, src *float32, n int, ref *reference, f *factor)
//
// The factor must not be a careful one.
TEXT ·expScaleBlockAVX2(SB), NOSPLIT, $0-40
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

// func expScaleCareBlockAVX2(dst, src *float32, n int, ref *reference, f *factor)
//
// The factor must be a careful one.
TEXT ·expScaleCareBlockAVX2(SB), NOSPLIT, $0-40
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

// func expScaleStreamBlockAVX2(dst, src *float32, n int, ref *reference, f *factor)
//
// It stores past the caches. The factor must not be a careful one, n a multiple
// of 32, and dst aligned to 32 bytes.
TEXT ·expScaleStreamBlockAVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ ref+24(FP), AX
	LOADREF
	MOVQ f+32(FP), AX
	LOADFACTOR
	GROUPS(FRONT, STREAMKEEP, NOPAIR, PREFETCH)
	SFENCE
	VZEROUPPER
	RET

// func subtractBlockAVX2(dst, src *float32, n int, m, rest float32)
//
// Y14 is the maximum, and Y15 the rest.
TEXT ·subtractBlockAVX2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	VBROADCASTSS m+24(FP), Y14
	VBROADCASTSS rest+28(FP), Y15
	SUBQ $32, CX
	JLT tail

loop:
	VMOVUPS (SI), Y0
	VMOVUPS 32(SI), Y1
	VMOVUPS 64(SI), Y2
	VMOVUPS 96(SI), Y3
	VSUBPS Y14, Y0, Y0
	VSUBPS Y14, Y1, Y1
	VSUBPS Y14, Y2, Y2
	VSUBPS Y14, Y3, Y3
	VSUBPS Y15, Y0, Y0
	VSUBPS Y15, Y1, Y1
	VSUBPS Y15, Y2, Y2
	VSUBPS Y15, Y3, Y3
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	VMOVUPS Y2, 64(DI)
	VMOVUPS Y3, 96(DI)
	ADDQ $128, SI
	ADDQ $128, DI
	SUBQ $32, CX
	JGE loop

tail:
	ADDQ $32, CX
	JEQ done
	SPLIT
	TESTQ R8, R8
	JEQ whole
	LOADPART((SI)(R10*1))
	VSUBPS Y14, Y0, Y0
	VSUBPS Y15, Y0, Y0
	STOREPART(Y0, X0)

whole:
	SUBQ $1, R9
	JLT done
	VMOVUPS (SI), Y0
	VSUBPS Y14, Y0, Y0
	VSUBPS Y15, Y0, Y0
	VMOVUPS Y0, (DI)
	ADDQ $32, SI
	ADDQ $32, DI
	JMP whole

done:
	VZEROUPPER
	RET
