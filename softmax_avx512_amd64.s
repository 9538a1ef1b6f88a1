//go:build !purego

// The kernel for AVX-512 (F, BW, DQ, VL). Operation for operation it is the Go
// code in softmax_generic.go, sixteen elements at a time: one register holds all
// lanes. dispatch_amd64.go says which rows the functions for AVX2 do instead.
//
// Use of registers, in every function:
//
//	DI  dst          SI  src          CX  elements left
//	Z0-Z7    four vectors between the two halves of the exponential
//	Z8-Z11   exponentials              Z12, Z13, Z15  scratch
//	Z14  indices that turn the last vector of a row that stays in registers
//	Z16  bias, or scale                Z17  cutoff      Z18  magic
//	Z19  log2e8      Z20  ln2Hi        Z21  ln2Lo
//	Z22  expC2       Z23  expC3        Z24  table, twice
//	Z25, Z26  lane sums in float64, of lanes 0-7 and 8-15
//	Z27  conjunction of the bits of all exponentials
//	Z28, Z29  high and low part of the factor      Z30  its cutoff
//	Z31  unit
//	K1  elements of the last vector of a row that stays in registers
//	K1, K2   elements of a partial vector      K3, K4  scratch

#include "go_asm.h"
#include "textflag.h"
#include "half_amd64.h"
#include "subnormal_amd64.h"

#define SCALAR(name, value) \
	DATA name<>+0(SB)/4, $value \
	GLOBL name<>(SB), RODATA|NOPTR, $4

// The constants of softmax_generic.go and row.go.
SCALAR(log2e8, 0x4138AA3B)
SCALAR(ln2Hi, 0x3DB17218)
SCALAR(ln2Lo, 0xAF82E308)
SCALAR(expC2, 0x3F000458)
SCALAR(expC3, 0x3E2AB10F)
SCALAR(unit, 0x3F800000)       // 2^careShift times the least normal number
SCALAR(liftBits, 0x3F000000)
SCALAR(log2e, 0x3FB8AA3B)
SCALAR(ln2, 0x3F317218)
SCALAR(vanishLn2, 0xC2D57D45)  // -vanish*ln2
SCALAR(intMagic, 0x4B400000)
SCALAR(topMagic, 0x4B4005F8)   // intMagic + 8*(topExponent + 127)
SCALAR(minusEight, 0xC1000000)
SCALAR(exactLimit, 0x46800000)
SCALAR(perAnchor, 0x39000000)   // 1/anchorStep
SCALAR(minusAnchor, 0xC6000000) // -anchorStep
SCALAR(nearLimit, 0x46000000)   // exactLimit/2
SCALAR(tiny, 0x21800000)
SCALAR(absMask, 0x7FFFFFFF)
SCALAR(bitOf2, 0x40000000)
SCALAR(nanBits, 0x7FC00000)
SCALAR(lift, 0x7E800000)       // 2^careShift
SCALAR(windowMagic, 0x4B400598) // intMagic + 8*(windowShift + 127)
SCALAR(windowCutoff, 0xC2DDCE9E)
SCALAR(windowLowest, 0xC0980000)
SCALAR(windowTop, 0x41A00000)
SCALAR(sinkAbove, 0x41800000)  // 16
DATA one<>+0(SB)/8, $1.0
GLOBL one<>(SB), RODATA|NOPTR, $8
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

// iota has the index of each element of a vector.
DATA iota<>+0(SB)/8, $0x100000000
DATA iota<>+8(SB)/8, $0x300000002
DATA iota<>+16(SB)/8, $0x500000004
DATA iota<>+24(SB)/8, $0x700000006
DATA iota<>+32(SB)/8, $0x900000008
DATA iota<>+40(SB)/8, $0xB0000000A
DATA iota<>+48(SB)/8, $0xD0000000C
DATA iota<>+56(SB)/8, $0xF0000000E
GLOBL iota<>(SB), RODATA|NOPTR, $64

// CONSTANTS loads what FRONT and BACK want.
#define CONSTANTS \
	VBROADCASTSS log2e8<>(SB), Z19 \
	VBROADCASTSS ln2Hi<>(SB), Z20 \
	VBROADCASTSS ln2Lo<>(SB), Z21 \
	VBROADCASTSS expC2<>(SB), Z22 \
	VBROADCASTSS expC3<>(SB), Z23 \
	VBROADCASTF32X8 expTable<>(SB), Z24

// FRONT is the first half of the exponential of the logits at X0: it leaves the
// reduced argument r in X, and n + magic in T. It uses Z12. PLAINFRONT is the same where
// the anchor is 0 and subnormal numbers count as 0: it needs no bias. SCALEDFRONT is that
// for logits times Z16.
#define FRONT(X0, X, T) \
	VADDPS X0, Z16, X \
	PLAINFRONT(X, X, T)
#define SCALEDFRONT(X0, X, T) \
	VMULPS X0, Z16, X \
	PLAINFRONT(X, X, T)
#define PLAINFRONT(X0, X, T) \
	VMAXPS X0, Z17, X \
	VMOVAPS Z18, T \
	VFMADD231PS Z19, X, T \
	VSUBPS Z18, T, Z12 \
	VFNMADD231PS Z20, Z12, X \
	VFNMADD231PS Z21, Z12, X

// BACK is the second half: the exponentials go to P. It uses X and T up.
#define BACK(X, T, P) \
	VMOVAPS Z23, P \
	VFMADD213PS Z22, X, P \
	VMULPS X, P, P \
	VFMADD213PS X, X, P \
	VPERMPS Z24, T, X \
	VPSLLD $20, T, T \
	VPADDD T, X, X \
	VFMADD213PS X, X, P

// LOADPART loads to Z the elements at P that the mask K tells, and fills up with
// the row's element at SI.
#define LOADPART(P, K, Z) \
	VBROADCASTSS (SI), Z \
	VMOVUPS P, K, Z

// MASKS sets K1 and K2 to the elements of the first and the second vector among
// the CX elements left. It uses AX and R8.
#define MASKS \
	MOVL $-1, AX \
	BZHIL CX, AX, R8 \
	KMOVW R8, K1 \
	LEAQ -16(CX), R8 \
	BZHIL R8, AX, R8 \
	KMOVW R8, K2

// ADDPAIR adds the pair sums in Z13 to the lanes. It uses Z12.
#define ADDPAIR \
	VEXTRACTF64X4 $1, Z13, Y12 \
	VCVTPS2PD Y13, Z13 \
	VCVTPS2PD Y12, Z12 \
	VADDPD Z13, Z25, Z25 \
	VADDPD Z12, Z26, Z26

// What becomes of the exponentials P and Q of a group of 32: stored or not, and
// added to the lanes.
#define EXPKEEP(P, Q, offset) \
	VMOVUPS P, offset(DI) \
	VMOVUPS Q, (offset+64)(DI) \
	SUMKEEP(P, Q, offset)
#define SUMKEEP(P, Q, offset) \
	VPTERNLOGD $0x80, P, Q, Z27 \
	VADDPS Q, P, Z13 \
	ADDPAIR

// The same for a partial group: P under mask K1, or P whole and Q under K2.
#define EXPPART1(P) VMOVUPS P, K1, (DI); SUMPART1(P)
#define SUMPART1(P) \
	VPANDD P, Z27, Z27 \
	VMOVAPS.Z P, K1, Z13 \
	ADDPAIR
#define EXPPART2(P, Q) VMOVUPS P, (DI); VMOVUPS Q, K2, 64(DI); SUMPART2(P, Q)
#define SUMPART2(P, Q) \
	VPTERNLOGD $0x80, P, Q, Z27 \
	VMOVAPS P, Z13 \
	VADDPS Q, P, K2, Z13 \
	ADDPAIR

// PREFETCH asks for the logits one block ahead, for rows that come from memory.
#define PREFETCH \
	PREFETCHT0 16384(SI) \
	PREFETCHT0 16448(SI) \
	PREFETCHT0 16512(SI) \
	PREFETCHT0 16576(SI)
#define NOPREFETCH

// WHOLEGROUPS does groups of 64 of the CX elements at SI. While two groups of 32
// are in the second half of the exponential the next two are in FRONT, the first.
#define WHOLEGROUPS(FRONT, KEEP, AHEAD) \
	SUBQ $64, CX \
	JLT none \
	FRONT(0(SI), Z0, Z1) \
	FRONT(64(SI), Z2, Z3) \
	FRONT(128(SI), Z4, Z5) \
	FRONT(192(SI), Z6, Z7) \
	ADDQ $256, SI \
	SUBQ $64, CX \
	JLT last \
loop: \
	AHEAD \
	BACK(Z0, Z1, Z8) \
	FRONT(0(SI), Z0, Z1) \
	BACK(Z2, Z3, Z9) \
	FRONT(64(SI), Z2, Z3) \
	KEEP(Z8, Z9, 0) \
	BACK(Z4, Z5, Z10) \
	FRONT(128(SI), Z4, Z5) \
	BACK(Z6, Z7, Z11) \
	FRONT(192(SI), Z6, Z7) \
	KEEP(Z10, Z11, 128) \
	ADDQ $256, SI \
	ADDQ $256, DI \
	SUBQ $64, CX \
	JGE loop \
last: \
	BACK(Z0, Z1, Z8) \
	BACK(Z2, Z3, Z9) \
	KEEP(Z8, Z9, 0) \
	BACK(Z4, Z5, Z10) \
	BACK(Z6, Z7, Z11) \
	KEEP(Z10, Z11, 128) \
	ADDQ $256, DI \
none: \
	ADDQ $64, CX

// GROUPS does all of them.
#define GROUPS(FRONT, KEEP, PART1, PART2, AHEAD) \
	WHOLEGROUPS(FRONT, KEEP, AHEAD) \
	JEQ finished \
part: \
	MASKS \
	LOADPART((SI), K1, Z0) \
	FRONT(Z0, Z0, Z1) \
	CMPQ CX, $16 \
	JGT part2 \
	BACK(Z0, Z1, Z8) \
	PART1(Z8) \
	JMP finished \
part2: \
	LOADPART(64(SI), K2, Z2) \
	FRONT(Z2, Z2, Z3) \
	BACK(Z0, Z1, Z8) \
	BACK(Z2, Z3, Z9) \
	PART2(Z8, Z9) \
	ADDQ $128, SI \
	ADDQ $128, DI \
	SUBQ $32, CX \
	JGT part \
finished:

// LANES clears the lanes.
#define LANES \
	VPXORD Z25, Z25, Z25 \
	VPXORD Z26, Z26, Z26 \
	VPTERNLOGD $0xFF, Z27, Z27, Z27

// TOTAL adds the lanes 8, 4, 2 and 1 apart to X0. It uses X1.
#define TOTAL \
	VADDPD Z26, Z25, Z0 \
	FOLD

// FOLD adds the float64 lanes 4, 2 and 1 apart in Z0 to X0. It uses X1.
#define FOLD \
	VEXTRACTF64X4 $1, Z0, Y1 \
	VADDPD Y1, Y0, Y0 \
	VEXTRACTF128 $1, Y0, X1 \
	VADDPD X1, X0, X0 \
	VPERMILPD $1, X0, X1 \
	VADDSD X1, X0, X0

// ACROSS sets every element of Z to the maximum of all. It uses T.
#define ACROSS(Z, T) \
	VSHUFF64X2 $0x4E, Z, Z, T \
	VMAXPS T, Z, Z \
	VSHUFF64X2 $0xB1, Z, Z, T \
	VMAXPS T, Z, Z \
	VPERMILPS $0x4E, Z, T \
	VMAXPS T, Z, Z \
	VPERMILPS $0xB1, Z, T \
	VMAXPS T, Z, Z

// MAXIMA sets Z0 to maxima of the CX elements at SI, of which one is that of all. It
// moves SI, and uses AX, CX, R8, Z1-Z3. MAXIMUM sets every element of Z0 to that.
#define MAXIMA \
	VBROADCASTSS (SI), Z0 \
	SUBQ $64, CX \
	JLT maxTail \
	VMOVAPS Z0, Z1 \
	VMOVAPS Z0, Z2 \
	VMOVAPS Z0, Z3 \
maxLoop: \
	VMAXPS (SI), Z0, Z0 \
	VMAXPS 64(SI), Z1, Z1 \
	VMAXPS 128(SI), Z2, Z2 \
	VMAXPS 192(SI), Z3, Z3 \
	ADDQ $256, SI \
	SUBQ $64, CX \
	JGE maxLoop \
	VMAXPS Z1, Z0, Z0 \
	VMAXPS Z3, Z2, Z2 \
	VMAXPS Z2, Z0, Z0 \
maxTail: \
	ADDQ $64, CX \
	JEQ maxAcross \
maxPart: \
	MOVL $-1, AX \
	BZHIL CX, AX, R8 \
	KMOVW R8, K1 \
	VMAXPS (SI), Z0, K1, Z0 \
	ADDQ $64, SI \
	SUBQ $16, CX \
	JGT maxPart \
maxAcross:
#define MAXIMUM \
	MAXIMA \
	ACROSS(Z0, Z1)

// SCALE multiplies the exponentials in P by the factor Z28 + Z29, and SCALECARE
// by one that is 2^126 too large, with cutoff Z30. Both use T.
#define SCALE(P, T) \
	VMULPS Z29, P, T \
	VFMADD213PS T, Z28, P
#define SCALECARE(P, T) \
	VMAXPS Z30, P, P \
	VMULPS Z29, P, T \
	VFMADD213PS T, Z28, P \
	VADDPS Z31, P, T \
	VPSUBD Z31, T, T \
	VPSUBD.BCST liftBits<>(SB), P, P \
	VPMAXSD T, P, P

// SCALEALL multiplies the CX elements at DI in place. It uses AX, CX, R8.
#define SCALEALL(MULTIPLY, loop, tail, part, done) \
	SUBQ $64, CX \
	JLT tail \
loop: \
	VMOVUPS (DI), Z0 \
	VMOVUPS 64(DI), Z1 \
	VMOVUPS 128(DI), Z2 \
	VMOVUPS 192(DI), Z3 \
	MULTIPLY(Z0, Z4) \
	MULTIPLY(Z1, Z5) \
	MULTIPLY(Z2, Z6) \
	MULTIPLY(Z3, Z7) \
	VMOVUPS Z0, (DI) \
	VMOVUPS Z1, 64(DI) \
	VMOVUPS Z2, 128(DI) \
	VMOVUPS Z3, 192(DI) \
	ADDQ $256, DI \
	SUBQ $64, CX \
	JGE loop \
tail: \
	ADDQ $64, CX \
	JEQ done \
part: \
	MOVL $-1, AX \
	BZHIL CX, AX, R8 \
	KMOVW R8, K1 \
	VMOVUPS.Z (DI), K1, Z0 \
	MULTIPLY(Z0, Z4) \
	VMOVUPS Z0, K1, (DI) \
	ADDQ $64, DI \
	SUBQ $16, CX \
	JGT part \
done:

// What becomes of exponentials that are scaled at once: whole groups, one vector
// under K1, and two of which the second is under K2.
#define SCALEKEEP(P, Q, offset) \
	SCALE(P, Z12) \
	SCALE(Q, Z13) \
	VMOVUPS P, offset(DI) \
	VMOVUPS Q, (offset+64)(DI)
#define STREAMKEEP(P, Q, offset) \
	SCALE(P, Z12) \
	SCALE(Q, Z13) \
	VMOVNTPS P, offset(DI) \
	VMOVNTPS Q, (offset+64)(DI)
#define SCALEPART1(P) SCALE(P, Z12); VMOVUPS P, K1, (DI)
#define SCALEPART2(P, Q) SCALE(P, Z12); SCALE(Q, Z13); VMOVUPS P, (DI); VMOVUPS Q, K2, 64(DI)
#define CAREKEEP(P, Q, offset) \
	SCALECARE(P, Z12) \
	SCALECARE(Q, Z13) \
	VMOVUPS P, offset(DI) \
	VMOVUPS Q, (offset+64)(DI)
#define CAREPART1(P) SCALECARE(P, Z12); VMOVUPS P, K1, (DI)
#define CAREPART2(P, Q) SCALECARE(P, Z12); SCALECARE(Q, Z13); VMOVUPS P, (DI); VMOVUPS Q, K2, 64(DI)

// LOADREF loads the reference at AX, and LOADFACTOR the factor.
#define LOADREF \
	VBROADCASTSS 0(AX), Z16 \
	VBROADCASTSS 4(AX), Z17 \
	VBROADCASTSS 8(AX), Z18
#define LOADFACTOR \
	VBROADCASTSS 0(AX), Z28 \
	VBROADCASTSS 4(AX), Z29 \
	VBROADCASTSS 8(AX), Z30 \
	VBROADCASTSS unit<>(SB), Z31

// LARGE sets the carry flag if every exponential was at least 2.
#define LARGE \
	VPSLLD $1, Z27, Z27 \
	VPMOVD2M Z27, K3 \
	KORTESTW K3, K3

// REFERENCE computes a row's reference from its maximum, in every element of M,
// which it destroys. It uses T. NEARREFERENCE is its part without the bias.
#define REFERENCE(M, T, XT, far, near) \
	VPANDD.BCST absMask<>(SB), M, T \
	VBROADCASTSS tiny<>(SB), Z16 \
	VUCOMISS exactLimit<>(SB), XT \
	JCC far \
near: \
	VADDPS Z16, M, M \
	NEARREFERENCE(M, T)
#define NEARREFERENCE(M, T) \
	VBROADCASTSS intMagic<>(SB), T \
	VFMADD231PS.BCST log2e<>(SB), M, T \
	VSUBPS.BCST intMagic<>(SB), T, T \
	VBROADCASTSS topMagic<>(SB), Z18 \
	VFMADD231PS.BCST minusEight<>(SB), T, Z18 \
	VBROADCASTSS vanishLn2<>(SB), Z17 \
	VFMADD231PS.BCST ln2<>(SB), T, Z17

// FAR is its rare part: the maximum is far from 0, and an anchor is subtracted.
#define FAR(M, far, near) \
far: \
	VMULPS.BCST perAnchor<>(SB), M, Z16 \
	VRNDSCALEPS $3, Z16, Z16 \
	VMULPS.BCST minusAnchor<>(SB), Z16, Z16 \
	JMP near

// FACTOR sets Z28 and Z29 to the factor of a row with sum X0. It uses X1-X3.
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
	VBROADCASTSS X2, Z28 \
	VBROADCASTSS X1, Z29

// CAREFACTOR makes that a careful factor, with its cutoff in Z30.
#define CAREFACTOR \
	VMULPS.BCST lift<>(SB), Z28, Z28 \
	VMULPS.BCST lift<>(SB), Z29, Z29 \
	VMULSD vanishScale<>(SB), X0, X0 \
	VCVTSD2SS X0, X0, X0 \
	VBROADCASTSS X0, Z30 \
	VBROADCASTSS unit<>(SB), Z31

// INWINDOW goes to other if the maximum of a row is not in the window: M holds maxima, of which
// one is that of the row. Nothing waits for that, unless a branch is predicted wrongly. It
// uses K3 and K4. WINDOW also loads the reference.
#define INWINDOW(M, other) \
	VCMPPS.BCST $0x1E, windowTop<>(SB), M, K3 \
	VCMPPS.BCST $0x1D, windowLowest<>(SB), M, K4 \
	KORTESTW K3, K3 \
	JNE other \
	KORTESTW K4, K4 \
	JEQ other
#define WINDOW(M, other) \
	INWINDOW(M, other) \
	VBROADCASTSS tiny<>(SB), Z16 \
	VBROADCASTSS windowCutoff<>(SB), Z17 \
	VBROADCASTSS windowMagic<>(SB), Z18

// EXP sets P to the exponentials of the logits in X. It uses X, Z12 and Z15.
#define EXP(X, P) \
	FRONT(X, X, Z15) \
	BACK(X, Z15, P)

// WINDOWEXP is that for the reference of WINDOW, with only the cutoff in its register:
// constants that are used once or twice in a call stay in memory.
#define WINDOWEXP(X, P) \
	VADDPS.BCST tiny<>(SB), X, X \
	VMAXPS X, Z17, X \
	VBROADCASTSS windowMagic<>(SB), Z15 \
	VFMADD231PS.BCST log2e8<>(SB), X, Z15 \
	VSUBPS.BCST windowMagic<>(SB), Z15, Z12 \
	VFNMADD231PS.BCST ln2Hi<>(SB), Z12, X \
	VFNMADD231PS.BCST ln2Lo<>(SB), Z12, X \
	VBROADCASTSS expC3<>(SB), P \
	VFMADD213PS.BCST expC2<>(SB), X, P \
	VMULPS X, P, P \
	VFMADD213PS X, X, P \
	VPERMPS Z24, Z15, X \
	VPSLLD $20, Z15, Z15 \
	VPADDD Z15, X, X \
	VFMADD213PS X, X, P

// ADDSINK adds the exponential of the sink to the sum X0, unless it is -Inf. It uses
// Z1-Z3 and Z12.
#define ADDSINK \
	CMPL sink+68(FP), $0xFF800000 \
	JEQ sunk \
	VBROADCASTSS sink+68(FP), Z1 \
	PLAINFRONT(Z1, Z1, Z3) \
	BACK(Z1, Z3, Z2) \
	VCVTSS2SD X2, X2, X2 \
	VADDSD X2, X0, X0 \
sunk:
#define NOSINK

// SINKFITS goes to out if the sink is above LIMIT. It uses X2.
#define SINKFITS(LIMIT, out) \
	VMOVSS sink+68(FP), X2 \
	VUCOMISS LIMIT, X2 \
	JHI out

// ONESUM sets Z4 to the exponentials of the logits in Z0, and X0 to their sum under mask
// K1. TWOSUM is that for Z0 and Z1, the latter with the mask, to Z4 and Z5.
#define ONESUM(EXP) \
	EXP(Z0, Z4) \
	VMOVAPS.Z Z4, K1, Z8 \
	ONEPAIR
#define TWOSUM(EXP) \
	EXP(Z0, Z4) \
	EXP(Z1, Z5) \
	VMOVAPS Z4, Z8 \
	VADDPS Z5, Z4, K1, Z8 \
	ONEPAIR

// ONEPAIR adds the pair sums in Z8, one in each lane, to X0 in float64, and TWOPAIRS those in
// Z8 and Z9. They use Z1-Z3.
#define ONEPAIR \
	VEXTRACTF64X4 $1, Z8, Y2 \
	VCVTPS2PD Y8, Z0 \
	VCVTPS2PD Y2, Z2 \
	VADDPD Z2, Z0, Z0 \
	FOLD
#define TWOPAIRS \
	VEXTRACTF64X4 $1, Z8, Y2 \
	VEXTRACTF64X4 $1, Z9, Y3 \
	VCVTPS2PD Y8, Z0 \
	VCVTPS2PD Y9, Z1 \
	VCVTPS2PD Y2, Z2 \
	VCVTPS2PD Y3, Z3 \
	VADDPD Z1, Z0, Z0 \
	VADDPD Z3, Z2, Z2 \
	VADDPD Z2, Z0, Z0 \
	FOLD

// SHORTFACTOR sets the factor of the row with sum X0, or goes to where the row is undefined,
// or where an element of P, or of numbers whose bits are combined there, is an exponential
// below 2. It uses K3.
#define SHORTFACTOR(P, careful, undefined) \
	VUCOMISD X0, X0 \
	JPS undefined \
	FACTOR \
	VPTESTNMD.BCST bitOf2<>(SB), P, K3 \
	KORTESTW K3, K3 \
	JNE careful

// NEXTROW moves on to the next row.
#define NEXTROW(again) \
	SUBQ $1, R13 \
	JEQ 6(PC) \
	MOVQ dstStride+32(FP), AX \
	LEAQ (DI)(AX*4), DI \
	MOVQ srcStride+40(FP), AX \
	LEAQ (SI)(AX*4), SI \
	JMP again \
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

// func softmaxShortAVX512(dst, src *float32, cols, rows, dstStride, srcStride int)
//
// It is softmaxBlocksAVX512 for 9 to 64 columns: the row stays in registers, one to
// four of them. DI and SI point to the row, R12 is cols, R13 counts rows. K1 has the
// elements in the last vector. That is loaded with what ends the row, so as not to
// wait for stores to what is behind, and turned by the indices in Z14: the elements
// behind K1 are others of the row.
TEXT ·softmaxShortAVX512(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ cols+16(FP), R12
	MOVQ rows+24(FP), R13
	VPBROADCASTD R12, Z0
	VMOVDQU32 iota<>(SB), Z14
	MOVL $-1, AX
	CMPQ R12, $32
	JGT wide
	CMPQ R12, $16
	JGT two

	// One vector: the logits in Z0, exponentials in Z4. Of the indices only the last
	// eight turn.
	BZHIL R12, AX, R8
	KMOVW R8, K1
	MOVL $0xFF00, AX
	KMOVW AX, K2
	VPSUBD Z0, Z14, K2, Z14
	VBROADCASTF32X8 expTable<>(SB), Z24

one:
	VMOVUPS (SI), Y0
	VINSERTF32X8 $1, -32(SI)(R12*4), Z0, Z0
	VPERMPS Z0, Z14, Z0
	INWINDOW(Z0, oneByMaximum)
	VBROADCASTSS windowCutoff<>(SB), Z17
	ONESUM(WINDOWEXP)

oneSummed:
	SHORTFACTOR(Z4, oneCare, oneUndefined)
	SCALE(Z4, Z0)

oneStore:
	VMOVUPS Z4, K1, (DI)

oneNext:
	NEXTROW(one)

oneCare:
	CAREFACTOR
	SCALECARE(Z4, Z0)
	JMP oneStore

oneByMaximum:
	CONSTANTS
	VMOVAPS Z0, Z8
	ACROSS(Z8, Z9)
	REFERENCE(Z8, Z9, X9, oneFar, oneNear)
	ONESUM(EXP)
	JMP oneSummed

	FAR(Z8, oneFar, oneNear)
	UNDEFINED(oneUndefined, oneNext)

	// Two: the logits in Z0 and Z1, exponentials in Z4 and Z5.
two:
	LEAQ -16(R12), R8
	BZHIL R8, AX, R8
	KMOVW R8, K1
	VPSUBD Z0, Z14, Z14
	VBROADCASTF32X8 expTable<>(SB), Z24

twoRow:
	VMOVUPS (SI), Z0
	VPERMPS -64(SI)(R12*4), Z14, Z1
	VMAXPS Z0, Z1, Z8
	INWINDOW(Z8, twoByMaximum)
	VBROADCASTSS windowCutoff<>(SB), Z17
	TWOSUM(WINDOWEXP)

twoSummed:
	VPANDD Z4, Z5, Z27
	SHORTFACTOR(Z27, twoCare, twoUndefined)
	SCALE(Z4, Z0)
	SCALE(Z5, Z1)

twoStore:
	VMOVUPS Z4, (DI)
	VMOVUPS Z5, K1, 64(DI)

twoNext:
	NEXTROW(twoRow)

twoCare:
	CAREFACTOR
	SCALECARE(Z4, Z0)
	SCALECARE(Z5, Z1)
	JMP twoStore

twoByMaximum:
	CONSTANTS
	ACROSS(Z8, Z9)
	REFERENCE(Z8, Z9, X9, twoFar, twoNear)
	TWOSUM(EXP)
	JMP twoSummed

	FAR(Z8, twoFar, twoNear)
	UNDEFINED(twoUndefined, twoNext)

	// Three: the logits in Z0-Z2, exponentials in Z4-Z6.
wide:
	CONSTANTS
	VPSUBD Z0, Z14, Z14
	LEAQ -1(R12), R8
	ANDQ $15, R8
	INCQ R8
	BZHIL R8, AX, R8
	KMOVW R8, K1
	CMPQ R12, $48
	JGT four

three:
	VMOVUPS (SI), Z0
	VMOVUPS 64(SI), Z1
	VPERMPS -64(SI)(R12*4), Z14, Z2
	VMAXPS Z0, Z1, Z8
	VMAXPS Z2, Z8, Z8
	WINDOW(Z8, threeByMaximum)

threeReferred:
	EXP(Z0, Z4)
	EXP(Z1, Z5)
	EXP(Z2, Z6)
	VPANDD Z4, Z5, Z27
	VPANDD Z6, Z27, Z27
	VADDPS Z5, Z4, Z8
	VMOVAPS.Z Z6, K1, Z9
	TWOPAIRS
	SHORTFACTOR(Z27, threeCare, threeUndefined)
	SCALE(Z4, Z0)
	SCALE(Z5, Z1)
	SCALE(Z6, Z2)

threeStore:
	VMOVUPS Z4, (DI)
	VMOVUPS Z5, 64(DI)
	VMOVUPS Z6, K1, 128(DI)

threeNext:
	NEXTROW(three)

threeCare:
	CAREFACTOR
	SCALECARE(Z4, Z0)
	SCALECARE(Z5, Z1)
	SCALECARE(Z6, Z2)
	JMP threeStore

threeByMaximum:
	ACROSS(Z8, Z9)
	REFERENCE(Z8, Z9, X9, threeFar, threeNear)
	JMP threeReferred

	FAR(Z8, threeFar, threeNear)
	UNDEFINED(threeUndefined, threeNext)

	// Four: the logits in Z0-Z3, exponentials in Z4-Z7.
four:
	VMOVUPS (SI), Z0
	VMOVUPS 64(SI), Z1
	VMOVUPS 128(SI), Z2
	VPERMPS -64(SI)(R12*4), Z14, Z3
	VMAXPS Z0, Z1, Z8
	VMAXPS Z2, Z3, Z9
	VMAXPS Z9, Z8, Z8
	WINDOW(Z8, fourByMaximum)

fourReferred:
	EXP(Z0, Z4)
	EXP(Z1, Z5)
	EXP(Z2, Z6)
	EXP(Z3, Z7)
	VPANDD Z4, Z5, Z27
	VPTERNLOGD $0x80, Z6, Z7, Z27
	VADDPS Z5, Z4, Z8
	VMOVAPS Z6, Z9
	VADDPS Z7, Z6, K1, Z9
	TWOPAIRS
	SHORTFACTOR(Z27, fourCare, fourUndefined)
	SCALE(Z4, Z0)
	SCALE(Z5, Z1)
	SCALE(Z6, Z2)
	SCALE(Z7, Z3)

fourStore:
	VMOVUPS Z4, (DI)
	VMOVUPS Z5, 64(DI)
	VMOVUPS Z6, 128(DI)
	VMOVUPS Z7, K1, 192(DI)

fourNext:
	NEXTROW(four)

fourCare:
	CAREFACTOR
	SCALECARE(Z4, Z0)
	SCALECARE(Z5, Z1)
	SCALECARE(Z6, Z2)
	SCALECARE(Z7, Z3)
	JMP fourStore

fourByMaximum:
	ACROSS(Z8, Z9)
	REFERENCE(Z8, Z9, X9, fourFar, fourNear)
	JMP fourReferred

	FAR(Z8, fourFar, fourNear)
	UNDEFINED(fourUndefined, fourNext)

// SOFTMAX computes the row of R12 elements at DX by its reference. It goes to BX. SINK adds
// something to its sum. OTHERWISE is what it jumps to.
#define SOFTMAX(FRONT, SINK) \
	MOVQ DX, SI \
	MOVQ BX, DI \
	MOVQ R12, CX \
	LANES \
	GROUPS(FRONT, EXPKEEP, EXPPART1, EXPPART2, NOPREFETCH) \
	TOTAL \
	SINK \
	MOVQ BX, DI \
	MOVQ R12, CX \
	VUCOMISD X0, X0 \
	JPS undefined \
	FACTOR \
	LARGE \
	JCC careful \
	SCALEALL(SCALE, scaleLoop, scaleTail, scalePart, scaled) \
next:
#define OTHERWISE \
careful: \
	CAREFACTOR \
	SCALEALL(SCALECARE, careLoop, careTail, carePart, cared) \
	JMP next \
undefined: \
	MOVL nanBits<>(SB), AX \
	REP; STOSL \
	JMP next

// REFER makes the reference of a row of which Z0 holds maxima, and BYMAXIMUM is what it jumps
// to. NEARMAXIMUM is that where a maximum that is far from 0 is declined.
#define REFER \
	WINDOW(Z0, byMaximum) \
referred:
#define BYMAXIMUM \
byMaximum: \
	ACROSS(Z0, Z1) \
	REFERENCE(Z0, Z1, X1, far, near) \
	JMP referred \
	FAR(Z0, far, near)
#define NEARMAXIMUM \
byMaximum: \
	ACROSS(Z0, Z1) \
	VPANDD.BCST absMask<>(SB), Z0, Z1 \
	VUCOMISS exactLimit<>(SB), X1 \
	JCC declined \
	NEARREFERENCE(Z0, Z1) \
	JMP referred

// func softmaxBlocksAVX512(dst, src *float32, cols, rows, dstStride, srcStride int)
//
// BX and DX point to the row, R12 counts columns and R13 rows.
TEXT ·softmaxBlocksAVX512(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), BX
	MOVQ src+8(FP), DX
	MOVQ cols+16(FP), R12
	MOVQ rows+24(FP), R13
	CONSTANTS

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

// func softmaxLongAVX512(dst, src *float32, n int) (done bool)
//
// It is softmaxBlocksAVX512 for a long row, unless it finds that the maximum is far from 0.
// BX and DX point to the row, R12 is n.
TEXT ·softmaxLongAVX512(SB), NOSPLIT, $8-25
	MOVQ dst+0(FP), BX
	MOVQ src+8(FP), DX
	MOVQ n+16(FP), R12
	CONSTANTS
	FLUSH(mxcsr-4(SP), flushing-8(SP))
	MOVQ DX, SI
	MOVQ R12, CX
	MAXIMA
	REFER
	SOFTMAX(PLAINFRONT, NOSINK)
	MOVB $1, done+24(FP)
	RESTORE(mxcsr-4(SP))
	VZEROUPPER
	RET

	OTHERWISE
	NEARMAXIMUM

declined:
	MOVB $0, done+24(FP)
	RESTORE(mxcsr-4(SP))
	VZEROUPPER
	RET

// func softmaxBlockAVX512(x *float32, n int, m float32)
//
// m must not be far from 0.
TEXT ·softmaxBlockAVX512(SB), NOSPLIT, $8-20
	MOVQ x+0(FP), BX
	MOVQ BX, DX
	MOVQ n+8(FP), R12
	VBROADCASTSS m+16(FP), Z0
	CONSTANTS
	FLUSH(mxcsr-4(SP), flushing-8(SP))
	WINDOW(Z0, byMaximum)

referred:
	SOFTMAX(PLAINFRONT, NOSINK)
	RESTORE(mxcsr-4(SP))
	VZEROUPPER
	RET

byMaximum:
	NEARREFERENCE(Z0, Z1)
	JMP referred

	OTHERWISE

// func softmaxScaledAVX512(dst, src *float32, cols, rows, dstStride, srcStride, n, step int, scale, sink float32) (done int)
//
// BX and DX point to the row, R12 counts the elements before the zeros and R13 rows.
TEXT ·softmaxScaledAVX512(SB), NOSPLIT, $8-80
	MOVQ dst+0(FP), BX
	MOVQ src+8(FP), DX
	MOVQ rows+24(FP), R13
	MOVQ n+48(FP), R12
	FLUSH(mxcsr-4(SP), flushing-8(SP))
	CONSTANTS

row:
	MOVQ DX, SI
	MOVQ R12, CX
	MAXIMA
	VMULPS.BCST scale+64(FP), Z0, Z0
	SINKFITS(windowTop<>(SB), byMaximum)
	WINDOW(Z0, byMaximum)

referred:
	VBROADCASTSS scale+64(FP), Z16
	SOFTMAX(SCALEDFRONT, ADDSINK)

	MOVQ cols+16(FP), CX
	SUBQ R12, CX
	LEAQ (BX)(R12*4), DI
	VPXORD Z0, Z0, Z0
	SUBQ $16, CX
	JLT zerosPart

zeros:
	VMOVUPS Z0, (DI)
	ADDQ $64, DI
	SUBQ $16, CX
	JGE zeros

zerosPart:
	ADDQ $16, CX
	JEQ zeroed
	MOVL $-1, AX
	BZHIL CX, AX, R8
	KMOVW R8, K1
	VMOVUPS Z0, K1, (DI)

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
	RESTORE(mxcsr-4(SP))
	VZEROUPPER
	RET

	// A sink may exceed the maximum in X3 by so much that the sum stays below 2^94. The cutoff
	// depends on the maximum alone.
byMaximum:
	ACROSS(Z0, Z1)
	VPANDD.BCST absMask<>(SB), Z0, Z1
	VUCOMISS exactLimit<>(SB), X1
	JCC declined
	VMOVAPS X0, X3
	VADDSS sinkAbove<>(SB), X0, X1
	SINKFITS(X1, declined)
	NEARREFERENCE(Z0, Z1)
	VUCOMISS windowLowest<>(SB), X3
	JCS referred
	VUCOMISS windowTop<>(SB), X3
	JHI referred
	VBROADCASTSS windowCutoff<>(SB), Z17
	JMP referred

	OTHERWISE

// func softmaxHalfAVX512(dst, src unsafe.Pointer, n int, from, to elementFormat)
//
// n is at least one vector. The row is computed in a buffer on the stack, at BX.
TEXT ·softmaxHalfAVX512(SB), 0, $16448-26
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ CX, R12
	LEAQ buffer-16448(SP), BX
	ADDQ $63, BX
	ANDQ $-64, BX
	MOVQ BX, DI
	MOVQ BX, DX
	CMPB from+24(FP), $const_formatFloat16
	JEQ float16
	CMPB from+24(FP), $const_formatBFloat16
	JEQ bfloat16
	MOVQ SI, DX
	MAXIMUM
	JMP logits

float16:
	WIDENFLOAT16Z(groupsF, vectorsF, vectorF, restF, doneF)
	JMP widened

bfloat16:
	WIDENBFLOAT16Z(groupsB, vectorsB, vectorB, restB, doneB)

widened:
	LARGESTZ
	VBROADCASTSS X0, Z0

logits:
	CONSTANTS
	REFER
	SOFTMAX(FRONT, NOSINK)
	MOVQ BX, SI
	MOVQ dst+0(FP), DI
	MOVQ R12, CX
	CMPB to+25(FP), $const_formatBFloat16
	JEQ narrowB
	NARROWFLOAT16Z(groups, vectors, vector, rest, done)
	VZEROUPPER
	RET

narrowB:
	NARROWBFLOAT16Z(groupsN, vectorsN, vectorN, restN, doneN)
	VZEROUPPER
	RET

	OTHERWISE
	BYMAXIMUM

// func maxBlockAVX512(src *float32, n int) float32
TEXT ·maxBlockAVX512(SB), NOSPLIT, $0-20
	MOVQ src+0(FP), SI
	MOVQ n+8(FP), CX
	MAXIMUM
	VMOVSS X0, ret+16(FP)
	VZEROUPPER
	RET

// func hasNaNBlockAVX512(src *float32, n int) bool
//
// K3 gathers what is unordered.
TEXT ·hasNaNBlockAVX512(SB), NOSPLIT, $0-17
	MOVQ src+0(FP), SI
	MOVQ n+8(FP), CX
	KXORW K3, K3, K3
	SUBQ $64, CX
	JLT tail

loop:
	VMOVUPS (SI), Z0
	VMOVUPS 128(SI), Z1
	VCMPPS $3, 64(SI), Z0, K1
	VCMPPS $3, 192(SI), Z1, K2
	KORW K1, K3, K3
	KORW K2, K3, K3
	ADDQ $256, SI
	SUBQ $64, CX
	JGE loop

tail:
	ADDQ $64, CX
	JEQ done
	MOVL $-1, AX

part:
	BZHIL CX, AX, R8
	KMOVW R8, K1
	VMOVUPS.Z (SI), K1, Z0
	VCMPPS $3, Z0, Z0, K2
	KORW K2, K3, K3
	ADDQ $64, SI
	SUBQ $16, CX
	JGT part

done:
	KORTESTW K3, K3
	SETNE ret+16(FP)
	VZEROUPPER
	RET

// func expBlockAVX512(dst, src *float32, n int, ref *reference) (sum float64, large bool)
TEXT ·expBlockAVX512(SB), NOSPLIT, $0-41
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ ref+24(FP), AX
	LOADREF
	CONSTANTS
	LANES
	GROUPS(FRONT, EXPKEEP, EXPPART1, EXPPART2, PREFETCH)
	TOTAL
	LARGE
	SETCS large+40(FP)
	VMOVSD X0, sum+32(FP)
	VZEROUPPER
	RET

// SCANBLOCKS computes exponentials of the blocks at DX, and stores at BX what is to be known of
// each, a blockScan. It ends before a block whose maximum is not near 0. R13 counts blocks.
#define SCANBLOCKS(KEEP) \
block: \
	MOVQ DX, SI \
	MOVQ $const_block32, CX \
	MAXIMUM \
	VMOVSS X0, (BX) \
	VPANDD.BCST absMask<>(SB), Z0, Z1 \
	VUCOMISS nearLimit<>(SB), X1 \
	JCC end \
	NEARREFERENCE(Z0, Z1) \
	VCMPPS.BCST $0x1D, windowLowest<>(SB), Z0, K3 \
	VCMPPS.BCST $0x12, windowTop<>(SB), Z0, K3, K3 \
	VBROADCASTSS windowCutoff<>(SB), K3, Z17 \
	VCVTTSS2SI X1, AX \
	MOVL $const_topExponent, R8 \
	SUBL AX, R8 \
	MOVL R8, 24(BX) \
	MOVQ DX, SI \
	MOVQ $const_block32, CX \
	LANES \
	WHOLEGROUPS(PLAINFRONT, KEEP, PREFETCH) \
	TOTAL \
	LARGE \
	SETCS 28(BX) \
	VMOVSD X0, 8(BX) \
	MOVQ $0, 16(BX) \
	ADDQ $32, BX \
	ADDQ $(4*const_block32), DX \
	SUBQ $1, R13 \
	JNE block \
end:

// func expBlocksAVX512(dst, src *float32, blocks int, scans *blockScan[float32]) (done int)
TEXT ·expBlocksAVX512(SB), NOSPLIT, $8-40
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), DX
	MOVQ blocks+16(FP), R13
	MOVQ scans+24(FP), BX
	CONSTANTS
	FLUSH(mxcsr-4(SP), flushing-8(SP))
	SCANBLOCKS(EXPKEEP)
	MOVQ blocks+16(FP), AX
	SUBQ R13, AX
	MOVQ AX, done+32(FP)
	RESTORE(mxcsr-4(SP))
	VZEROUPPER
	RET

// func sumBlocksAVX512(src *float32, blocks int, scans *blockScan[float32]) (done int)
TEXT ·sumBlocksAVX512(SB), NOSPLIT, $8-32
	MOVQ src+0(FP), DX
	MOVQ blocks+8(FP), R13
	MOVQ scans+16(FP), BX
	CONSTANTS
	FLUSH(mxcsr-4(SP), flushing-8(SP))
	SCANBLOCKS(SUMKEEP)
	MOVQ blocks+8(FP), AX
	SUBQ R13, AX
	MOVQ AX, done+24(FP)
	RESTORE(mxcsr-4(SP))
	VZEROUPPER
	RET

// func sumBlockAVX512(src *float32, n int, ref *reference) (sum float64, large bool)
TEXT ·sumBlockAVX512(SB), NOSPLIT, $0-33
	MOVQ src+0(FP), SI
	MOVQ n+8(FP), CX
	MOVQ ref+16(FP), AX
	LOADREF
	CONSTANTS
	LANES
	GROUPS(FRONT, SUMKEEP, SUMPART1, SUMPART2, PREFETCH)
	TOTAL
	LARGE
	SETCS large+32(FP)
	VMOVSD X0, sum+24(FP)
	VZEROUPPER
	RET

// func sumRowsAVX512(sums *rowSum[float32], src *float32, cols, rows, stride int)
//
// BX points to what is found out about the row, DX to the row, R12 counts columns
// and R13 rows.
TEXT ·sumRowsAVX512(SB), NOSPLIT, $0-40
	MOVQ sums+0(FP), BX
	MOVQ src+8(FP), DX
	MOVQ cols+16(FP), R12
	MOVQ rows+24(FP), R13
	CONSTANTS

row:
	MOVQ DX, SI
	MOVQ R12, CX
	MAXIMUM
	VMOVSS X0, (BX)
	VMOVAPS Z0, Z8
	REFER
	FRONT(Z8, Z0, Z1)
	BACK(Z0, Z1, Z8)
	VMOVSS X8, 4(BX)
	MOVQ DX, SI
	MOVQ R12, CX
	LANES
	GROUPS(FRONT, SUMKEEP, SUMPART1, SUMPART2, NOPREFETCH)
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

// func sumLongAVX512(sum *rowSum[float32], src *float32, n int) (done bool)
//
// It is sumRowsAVX512 for a long row, unless it finds that the maximum is far from 0.
TEXT ·sumLongAVX512(SB), NOSPLIT, $8-25
	MOVQ sum+0(FP), BX
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	CONSTANTS
	MAXIMUM
	VMOVSS X0, (BX)
	VMOVAPS Z0, Z8
	FLUSH(mxcsr-4(SP), flushing-8(SP))
	REFER
	PLAINFRONT(Z8, Z0, Z1)
	BACK(Z0, Z1, Z8)
	VMOVSS X8, 4(BX)
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	LANES
	GROUPS(PLAINFRONT, SUMKEEP, SUMPART1, SUMPART2, NOPREFETCH)
	TOTAL
	VMOVSD X0, 8(BX)
	MOVB $1, done+24(FP)
	RESTORE(mxcsr-4(SP))
	VZEROUPPER
	RET

	NEARMAXIMUM

declined:
	MOVB $0, done+24(FP)
	RESTORE(mxcsr-4(SP))
	VZEROUPPER
	RET

// func scaleBlockAVX512(dst *float32, n int, f *factor)
TEXT ·scaleBlockAVX512(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ n+8(FP), CX
	MOVQ f+16(FP), AX
	LOADFACTOR
	CMPB 12(AX), $0
	JNE careful
	SCALEALL(SCALE, scaleLoop, scaleTail, scalePart, scaled)
	VZEROUPPER
	RET

careful:
	SCALEALL(SCALECARE, careLoop, careTail, carePart, cared)
	VZEROUPPER
	RET

// func expScaleBlockAVX512(dst, src *float32, n int, ref *reference, f *factor)
//
// The factor must not be a careful one.
TEXT ·expScaleBlockAVX512(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ ref+24(FP), AX
	LOADREF
	MOVQ f+32(FP), AX
	LOADFACTOR
	CONSTANTS
	GROUPS(FRONT, SCALEKEEP, SCALEPART1, SCALEPART2, PREFETCH)
	VZEROUPPER
	RET

// func expScaleCareBlockAVX512(dst, src *float32, n int, ref *reference, f *factor)
//
// The factor must be a careful one.
TEXT ·expScaleCareBlockAVX512(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ ref+24(FP), AX
	LOADREF
	MOVQ f+32(FP), AX
	LOADFACTOR
	CONSTANTS
	GROUPS(FRONT, CAREKEEP, CAREPART1, CAREPART2, PREFETCH)
	VZEROUPPER
	RET

// func expScaleStreamBlockAVX512(dst, src *float32, n int, ref *reference, f *factor)
//
// It stores past the caches. The factor must not be a careful one, n a multiple
// of 64, and dst aligned to 64 bytes.
TEXT ·expScaleStreamBlockAVX512(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ ref+24(FP), AX
	LOADREF
	MOVQ f+32(FP), AX
	LOADFACTOR
	CONSTANTS
	WHOLEGROUPS(FRONT, STREAMKEEP, PREFETCH)
	SFENCE
	VZEROUPPER
	RET

// func subtractBlockAVX512(dst, src *float32, n int, m, rest float32)
//
// Z16 is the maximum, and Z17 the rest.
TEXT ·subtractBlockAVX512(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	VBROADCASTSS m+24(FP), Z16
	VBROADCASTSS rest+28(FP), Z17
	SUBQ $64, CX
	JLT tail

loop:
	VMOVUPS (SI), Z0
	VMOVUPS 64(SI), Z1
	VMOVUPS 128(SI), Z2
	VMOVUPS 192(SI), Z3
	VSUBPS Z16, Z0, Z0
	VSUBPS Z16, Z1, Z1
	VSUBPS Z16, Z2, Z2
	VSUBPS Z16, Z3, Z3
	VSUBPS Z17, Z0, Z0
	VSUBPS Z17, Z1, Z1
	VSUBPS Z17, Z2, Z2
	VSUBPS Z17, Z3, Z3
	VMOVUPS Z0, (DI)
	VMOVUPS Z1, 64(DI)
	VMOVUPS Z2, 128(DI)
	VMOVUPS Z3, 192(DI)
	ADDQ $256, SI
	ADDQ $256, DI
	SUBQ $64, CX
	JGE loop

tail:
	ADDQ $64, CX
	JEQ done
	MOVL $-1, AX

part:
	BZHIL CX, AX, R8
	KMOVW R8, K1
	VMOVUPS.Z (SI), K1, Z0
	VSUBPS Z16, Z0, Z0
	VSUBPS Z17, Z0, Z0
	VMOVUPS Z0, K1, (DI)
	ADDQ $64, SI
	ADDQ $64, DI
	SUBQ $16, CX
	JGT part

done:
	VZEROUPPER
	RET
