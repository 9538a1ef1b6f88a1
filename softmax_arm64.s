//go:build !purego

// The kernel for NEON. It gives the bits of the Go code in softmax_generic.go,
// four elements per vector.
//
// Use of general registers, in every function:
//
//	R0  dst             R1  src        R2  elements left
//	R3, R4  scratch     R5  constants  R6, R7  row in dst and in src
//	R8  columns         R9  rows       R10, R11  strides in bytes
//	R12-R15  where the last vectors of a short row start, in bytes
//	R19-R22  their indices in shifts

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"
#include "subnormal_arm64.h"

// Use of vector registers. The macros in neon_arm64.h take these numbers; where
// Go's assembler has the instruction and wants a name, V13 is fact, and so on.
#define x0 0       // x0-x3: logit, then r, then q
#define x1 1
#define x2 2
#define x3 3
#define t0 4       // t0-t3: rounded multiple of log2e8, with magic
#define t1 5
#define t2 6
#define t3 7
#define p0 8       // p0-p3: exponential
#define p1 9
#define p2 10
#define p3 11
#define tmp 12
#define sum0 13    // sum0-sum7: lane sums in float64, lanes 0 and 1, 2 and 3, ...
#define sum1 14
#define sum2 15
#define sum3 16
#define sum4 17
#define sum5 18
#define sum6 19
#define sum7 20
#define all 21     // conjunction of the bits of all exponentials
#define coef 22    // log2e8, ln2Hi, ln2Lo, expC3
#define magic 23
#define cutoff 24
#define bias 25
#define table 26   // expTable by bytes: see below
#define table1 27
#define spread 28  // index that copies byte 0 of each element to all its bytes
#define plane 29   // 8*k in byte k of each element
#define low3 30    // 7 in each byte

// Where the lane sums are not in use.
#define fact 13    // factor: hi, lo, and 2^-careShift
#define careCut 14 // cutoff of a careful factor
#define tmp1 15
#define first 16   // what SUBTRACT subtracts first, and second
#define second 17

// A vector of four times the same value.
#define VECTOR(name, offset, value) \
	DATA name<>+(offset+0)(SB)/4, $value \
	DATA name<>+(offset+4)(SB)/4, $value \
	DATA name<>+(offset+8)(SB)/4, $value \
	DATA name<>+(offset+12)(SB)/4, $value

// The constants of softmax_generic.go and row.go. VECTOR counts its offset from
// the start of this table; so do the names of places in it.
#define atCoef 0
DATA constants<>+0(SB)/4, $0x4138AA3B   // log2e8
DATA constants<>+4(SB)/4, $0x3DB17218   // ln2Hi
DATA constants<>+8(SB)/4, $0xAF82E308   // ln2Lo
DATA constants<>+12(SB)/4, $0x3E2AB10F  // expC3

// expTable, byte k of entry j at 8*k+j. Only the low 20 bits of what this table
// gives count.
#define atTable 16
DATA constants<>+16(SB)/8, $0x29DEDABE4502243E
DATA constants<>+24(SB)/8, $0x5826B7E58E92D43A
DATA constants<>+32(SB)/8, $0x8F8A86848485878B
DATA constants<>+40(SB)/8, $0

#define atSpread 48
DATA constants<>+48(SB)/8, $0x0404040400000000
DATA constants<>+56(SB)/8, $0x0C0C0C0C08080808
#define atPlane 64
VECTOR(constants, atPlane, 0x18100800)
#define atC2 80
VECTOR(constants, atC2, 0x3F000458)          // expC2
// What follows is used once per row.
#define atRow 96
DATA constants<>+96(SB)/4, $0x3FB8AA3B       // log2e
DATA constants<>+100(SB)/4, $0xC1000000      // -8
DATA constants<>+104(SB)/4, $0x3F317218      // ln2
DATA constants<>+108(SB)/4, $0
#define atLimit 112
VECTOR(constants, atLimit, 0x46800000)       // exactLimit
#define atTiny 128
VECTOR(constants, atTiny, 0x21800000)
#define atIntMagic 144
VECTOR(constants, atIntMagic, 0x4B400000)
#define atTopMagic 160
VECTOR(constants, atTopMagic, 0x4B4005F8)    // intMagic + 8*(topExponent + 127)
#define atVanish 176
VECTOR(constants, atVanish, 0xC2D57D45)      // -vanish*ln2

// For maxima in the window.
#define atWindowMagic 192
VECTOR(constants, atWindowMagic, 0x4B400598) // intMagic + 8*(windowShift + 127)
#define atWindowCutoff 208
VECTOR(constants, atWindowCutoff, 0xC2DDCE9E)
#define atWindowLowest 224
DATA constants<>+224(SB)/4, $0xC0980000
#define atWindowTop 228
DATA constants<>+228(SB)/4, $0x41A00000
DATA constants<>+232(SB)/8, $0

// For maxima that are far from 0.
#define atPerAnchor 240
VECTOR(constants, atPerAnchor, 0x39000000)   // 1/anchorStep
#define atMinusAnchor 256
VECTOR(constants, atMinusAnchor, 0xC6000000) // -anchorStep

// Masks of the first 1, 2 and 3 elements.
#define atMask 272
DATA constants<>+272(SB)/8, $0x00000000FFFFFFFF
DATA constants<>+280(SB)/8, $0
DATA constants<>+288(SB)/8, $-1
DATA constants<>+296(SB)/8, $0
DATA constants<>+304(SB)/8, $-1
DATA constants<>+312(SB)/8, $0x00000000FFFFFFFF

// Indices for SHIFT: the bytes of a vector, and then none.
#define atShifts 320
DATA constants<>+320(SB)/8, $0x0706050403020100
DATA constants<>+328(SB)/8, $0x0F0E0D0C0B0A0908
DATA constants<>+336(SB)/8, $-1
DATA constants<>+344(SB)/8, $-1
GLOBL constants<>(SB), RODATA|NOPTR, $352

// CONSTANTS loads what EXP needs of every reference, and sets R5.
#define CONSTANTS \
	MOVD $constants<>(SB), R5 \
	FMOVQ atCoef(R5), F(coef) \
	FMOVQ atTable(R5), F(table) \
	FMOVQ (atTable+16)(R5), F(table1) \
	FMOVQ atSpread(R5), F(spread) \
	FMOVQ atPlane(R5), F(plane) \
	VMOVI $7, V30.B16

// LOADREF loads the reference at R3.
#define LOADREF \
	FMOVS 0(R3), F(bias) \
	FMOVS 4(R3), F(cutoff) \
	FMOVS 8(R3), F(magic) \
	VDUP V25.S[0], V25.S4 \
	VDUP V24.S[0], V24.S4 \
	VDUP V23.S[0], V23.S4 \
	FMOVQ F(magic), copy-16(SP)

// LOADFACTOR loads the factor at R3, and sets R4 to whether it is a careful one.
#define LOADFACTOR \
	FMOVD 0(R3), F(fact) \
	FMOVS 8(R3), F(careCut) \
	MOVD $0x00800000, R4 \
	VMOV R4, V13.S[2] \
	VDUP V14.S[0], V14.S4 \
	MOVBU 12(R3), R4

// LOAD2 loads two vectors at R1, and STORE2 stores two at R0.
#define LOAD2(offset, x, y) VLDPQ(offset, 1, x, y)
#define STORE2(p, q, offset) VSTPQ(p, q, offset, 0)

// LOGITS2 loads two vectors of logits to x and y, and magic to t and u, for
// FRONT2. This magic and the expC2 of BACK2 come from memory because copies of
// registers cost as much as arithmetic on some processors.
#define LOGITS2(offset, x, t, y, u) \
	LOAD2(offset, x, y) \
	FMOVQ copy-16(SP), F(t) \
	FMOVQ copy-16(SP), F(u)

// FRONT2 reduces the logits x, y to r in place, and makes of magic in t, u their
// multiples of ln2/8, with magic. It uses p and q.
#define FRONT2(x, t, p, y, u, q) \
	VFADD(bias, x, x) \
	VFADD(bias, y, y) \
	VFMAX(cutoff, x, x) \
	VFMAX(cutoff, y, y) \
	VFMLA0(coef, x, t) \
	VFMLA0(coef, y, u) \
	VFSUB(magic, t, p) \
	VFSUB(magic, u, q) \
	VFMLS1(coef, p, x) \
	VFMLS1(coef, q, y) \
	VFMLS2(coef, p, x) \
	VFMLS2(coef, q, y)

// BACK2 computes the exponentials p, q from what FRONT2 left, and destroys that.
#define BACK2(x, t, p, y, u, q) \
	FMOVQ atC2(R5), F(p) \
	FMOVQ atC2(R5), F(q) \
	VFMLA3(coef, x, p) \
	VFMLA3(coef, y, q) \
	VFMUL(x, p, p) \
	VFMUL(y, q, q) \
	VFMLAV(x, p, x) \
	VFMLAV(y, q, y) \
	VTBL1(spread, t, p) \
	VTBL1(spread, u, q) \
	VBIFV(low3, plane, p) \
	VBIFV(low3, plane, q) \
	VTBL2(p, table, p) \
	VTBL2(q, table, q) \
	VSLI20(t, p) \
	VSLI20(u, q) \
	VFMLAV(p, x, p) \
	VFMLAV(q, y, q)

// FRONT1 and BACK1 do the same for one vector.
#define FRONT1(x, t, p) \
	VFADD(bias, x, x) \
	VFMAX(cutoff, x, x) \
	VFMLA0(coef, x, t) \
	VFSUB(magic, t, p) \
	VFMLS1(coef, p, x) \
	VFMLS2(coef, p, x)
#define BACK1(x, t, p) \
	FMOVQ atC2(R5), F(p) \
	VFMLA3(coef, x, p) \
	VFMUL(x, p, p) \
	VFMLAV(x, p, x) \
	VTBL1(spread, t, p) \
	VBIFV(low3, plane, p) \
	VTBL2(p, table, p) \
	VSLI20(t, p) \
	VFMLAV(p, x, p)

// LOADPART loads the R3 = 1, 2 or 3 elements at R1 to V and fills up with the
// first of them. It moves R1.
#define LOADPART(V) \
	VLD1R (R1), [V.S4] \
	TBZ $1, R3, 4(PC) \
	VLD1.P 8(R1), V.D[0] \
	TBZ $0, R3, 2(PC) \
	VLD1 (R1), V.S[2]

// STOREPART stores the first R3 = 1, 2 or 3 elements of V at R0, which it moves.
#define STOREPART(V) \
	TBZ $1, R3, 5(PC) \
	VST1.P V.D[0], 8(R0) \
	TBZ $0, R3, 4(PC) \
	VST1 V.S[2], (R0) \
	B 2(PC) \
	VST1 V.S[0], (R0)

// ADDPAIR adds the pair sums in p to the lanes in low and high. It destroys p.
#define ADDPAIR(p, low, high) \
	VFCVTL2(p, tmp) \
	VFCVTL(p, p) \
	VFADDD(p, low, low) \
	VFADDD(tmp, high, high)

// What becomes of two vectors of exponentials: stored or not, and their bits
// noted; and of p0-p3, where p2 and p3 stand 16 elements behind p0 and p1.
#define EXPKEEP2(p, q, offset) \
	STORE2(p, q, offset) \
	SUMKEEP2(p, q, offset)
#define SUMKEEP2(p, q, offset) \
	VANDV(p, all, all) \
	VANDV(q, all, all)
#define SUMPAIRS(low, high, lowNext, highNext) \
	VFADD(p2, p0, p0) \
	VFADD(p3, p1, p1) \
	ADDPAIR(p0, low, high) \
	ADDPAIR(p1, lowNext, highNext)

// The same for one vector, and for a partial one, in x3 = V3. Then R3 is the
// number of its elements, and x3 keeps only those.
#define EXPKEEP1(p) FMOVQ F(p), (R0); SUMKEEP1(p)
#define SUMKEEP1(p) VANDV(p, all, all)
#define EXPPART STOREPART(V3); SUMPART
#define SUMPART \
	VANDV(x3, all, all) \
	ADD R3<<4, R5, R4 \
	FMOVQ (atMask-16)(R4), F(tmp) \
	VANDV(tmp, x3, x3)

// GROUPS does all groups of 32 among the R2 elements at R1, and leaves R2 < 32.
// While one half of a group is in BACK2 the next half is in FRONT2: so a chain
// of dependent operations that is longer than a half does not hold it up.
#define GROUPS(KEEP, PAIRS) \
	SUBS $32, R2 \
	BLT none \
	LOGITS2(0, x0, t0, x1, t1) \
	FRONT2(x0, t0, p0, x1, t1, p1) \
	LOGITS2(64, x2, t2, x3, t3) \
	FRONT2(x2, t2, p2, x3, t3, p3) \
	SUBS $32, R2 \
	BLT last \
loop: \
	BACK2(x0, t0, p0, x1, t1, p1) \
	KEEP(p0, p1, 0) \
	LOGITS2(32, x0, t0, x1, t1) \
	FRONT2(x0, t0, p2, x1, t1, p3) \
	BACK2(x2, t2, p2, x3, t3, p3) \
	KEEP(p2, p3, 64) \
	PAIRS(sum0, sum1, sum2, sum3) \
	LOGITS2(96, x2, t2, x3, t3) \
	FRONT2(x2, t2, p2, x3, t3, p3) \
	ADD $128, R1 \
	BACK2(x0, t0, p0, x1, t1, p1) \
	KEEP(p0, p1, 32) \
	LOGITS2(0, x0, t0, x1, t1) \
	FRONT2(x0, t0, p2, x1, t1, p3) \
	BACK2(x2, t2, p2, x3, t3, p3) \
	KEEP(p2, p3, 96) \
	PAIRS(sum4, sum5, sum6, sum7) \
	LOGITS2(64, x2, t2, x3, t3) \
	FRONT2(x2, t2, p2, x3, t3, p3) \
	ADD $128, R0 \
	SUBS $32, R2 \
	BGE loop \
last: \
	BACK2(x0, t0, p0, x1, t1, p1) \
	KEEP(p0, p1, 0) \
	LOGITS2(32, x0, t0, x1, t1) \
	FRONT2(x0, t0, p2, x1, t1, p3) \
	BACK2(x2, t2, p2, x3, t3, p3) \
	KEEP(p2, p3, 64) \
	PAIRS(sum0, sum1, sum2, sum3) \
	LOGITS2(96, x2, t2, x3, t3) \
	FRONT2(x2, t2, p2, x3, t3, p3) \
	ADD $128, R1 \
	BACK2(x0, t0, p0, x1, t1, p1) \
	KEEP(p0, p1, 32) \
	BACK2(x2, t2, p2, x3, t3, p3) \
	KEEP(p2, p3, 96) \
	PAIRS(sum4, sum5, sum6, sum7) \
	ADD $128, R0 \
none: \
	ADDS $32, R2

// LANES clears the lanes.
#define LANES \
	VZERO(sum0) \
	VZERO(sum1) \
	VZERO(sum2) \
	VZERO(sum3) \
	VZERO(sum4) \
	VZERO(sum5) \
	VZERO(sum6) \
	VZERO(sum7) \
	VMOVI $255, V21.B16

// EXPSUM computes the exponentials of the R2 elements at R1 and adds them to cleared lanes. The
// pairs of the last group gather in p0-p3. Of the at most seven elements at its end, x2 holds
// the first vector and x3 the second.
#define EXPSUM(KEEP2, KEEP1, PART) \
	LANES \
	GROUPS(KEEP2, SUMPAIRS) \
	BEQ summed \
	VZERO(p0) \
	VZERO(p1) \
	VZERO(p2) \
	VZERO(p3) \
	TBZ $4, R2, below16 \
	LOGITS2(0, x0, t0, x1, t1) \
	LOGITS2(32, x2, t2, x3, t3) \
	FRONT2(x0, t0, p0, x1, t1, p1) \
	FRONT2(x2, t2, p2, x3, t3, p3) \
	BACK2(x0, t0, p0, x1, t1, p1) \
	BACK2(x2, t2, p2, x3, t3, p3) \
	KEEP2(p0, p1, 0) \
	KEEP2(p2, p3, 32) \
	ADD $64, R1 \
	ADD $64, R0 \
below16: \
	TBZ $3, R2, below8 \
	LOGITS2(0, x0, t0, x1, t1) \
	FRONT2(x0, t0, x2, x1, t1, x3) \
	BACK2(x0, t0, x2, x1, t1, x3) \
	KEEP2(x2, x3, 0) \
	VFADD(x2, p0, p0) \
	VFADD(x3, p1, p1) \
	ADD $32, R1 \
	ADD $32, R0 \
below8: \
	VZERO(x2) \
	VZERO(x3) \
	TBZ $2, R2, below4 \
	FMOVQ (R1), F(x0) \
	FMOVQ copy-16(SP), F(t0) \
	FRONT1(x0, t0, x2) \
	BACK1(x0, t0, x2) \
	KEEP1(x2) \
	ADD $16, R1 \
	ADD $16, R0 \
below4: \
	ANDS $3, R2, R3 \
	BEQ gathered \
	LOADPART(V1) \
	FMOVQ copy-16(SP), F(t1) \
	FRONT1(x1, t1, x3) \
	BACK1(x1, t1, x3) \
	PART \
	TBNZ $2, R2, gathered \
	VCOPY(x3, x2) \
	VZERO(x3) \
gathered: \
	TBNZ $3, R2, behind8 \
	VFADD(x2, p0, p0) \
	VFADD(x3, p1, p1) \
	B pairs \
behind8: \
	VFADD(x2, p2, p2) \
	VFADD(x3, p3, p3) \
pairs: \
	ADDPAIR(p0, sum0, sum1) \
	ADDPAIR(p1, sum2, sum3) \
	ADDPAIR(p2, sum4, sum5) \
	ADDPAIR(p3, sum6, sum7) \
summed:

// FOLD4, FOLD8 and FOLD16 add 4, 8 and 16 lanes of float64, two per register
// from V0 on, to F0.
#define FOLD4 \
	VFADDD(1, 0, 0) \
	VFADDPD(0, 0)
#define FOLD8 \
	VFADDD(2, 0, 0) \
	VFADDD(3, 1, 1) \
	FOLD4
#define FOLD16 \
	VFADDD(4, 0, 0) \
	VFADDD(5, 1, 1) \
	VFADDD(6, 2, 2) \
	VFADDD(7, 3, 3) \
	FOLD8

// TOTAL adds the lanes 8, 4, 2 and 1 apart to F0. It uses V0-V3.
#define TOTAL \
	VFADDD(sum4, sum0, 0) \
	VFADDD(sum5, sum1, 1) \
	VFADDD(sum6, sum2, 2) \
	VFADDD(sum7, sum3, 3) \
	FOLD8

// LARGE sets R3 to 1 if every exponential was at least 2, else to 0.
#define LARGE \
	VMOV V21.D[0], R3 \
	VMOV V21.D[1], R4 \
	AND R4, R3 \
	AND R3>>32, R3 \
	UBFX $30, R3, $1, R3

// MAXIMUM sets every element of p0 to the maximum of the R2 elements at R1. Where
// the end is no whole vector it takes elements twice. It uses R1, R3, V0-V15.
#define MAXIMUM \
	ADD R2<<2, R1, R3 \
	CMP $32, R2 \
	BLT max31 \
	LOAD2(0, 0, 1) \
	LOAD2(32, 2, 3) \
	LOAD2(64, 4, 5) \
	LOAD2(96, 6, 7) \
	ADD $128, R1 \
	SUB $128, R3 \
	CMP R3, R1 \
	BHS maxEnd \
maxLoop: \
	MAX8 \
	ADD $128, R1 \
	CMP R3, R1 \
	BLO maxLoop \
maxEnd: \
	MOVD R3, R1 \
	MAX8 \
	B max8 \
max31: \
	TBZ $4, R2, max15 \
	LOAD2(0, 0, 1) \
	LOAD2(32, 2, 3) \
	SUB $64, R3, R1 \
	LOAD2(0, 4, 5) \
	LOAD2(32, 6, 7) \
max8: \
	VFMAX(4, 0, 0) \
	VFMAX(5, 1, 1) \
	VFMAX(6, 2, 2) \
	VFMAX(7, 3, 3) \
	B max4 \
max15: \
	TBZ $3, R2, max7 \
	LOAD2(0, 0, 1) \
	SUB $32, R3, R1 \
	LOAD2(0, 2, 3) \
max4: \
	VFMAX(2, 0, 0) \
	VFMAX(3, 1, 1) \
	B max2 \
max7: \
	TBZ $2, R2, max3 \
	FMOVQ (R1), F0 \
	FMOVQ -16(R3), F1 \
max2: \
	VFMAX(1, 0, 0) \
	B max1 \
max3: \
	MOVD R2, R3 \
	LOADPART(V0) \
max1: \
	ACROSS(0)
#define MAX8 \
	LOAD2(0, 8, 9) \
	LOAD2(32, 10, 11) \
	LOAD2(64, 12, 13) \
	LOAD2(96, 14, 15) \
	VFMAX(8, 0, 0) \
	VFMAX(9, 1, 1) \
	VFMAX(10, 2, 2) \
	VFMAX(11, 3, 3) \
	VFMAX(12, 4, 4) \
	VFMAX(13, 5, 5) \
	VFMAX(14, 6, 6) \
	VFMAX(15, 7, 7)

// ACROSS sets every element of p0 to the maximum of those in v.
#define ACROSS(v) \
	VFMAXP(v, v, p0) \
	VFMAXP(p0, p0, p0)

// REFERENCE makes bias, magic and cutoff of the row maximum in p0, as rowBias
// and newReference do. It uses p0-p3 and t0-t1.
#define REFERENCE(far, near) \
	FMOVQ atLimit(R5), F(p1) \
	FMOVQ atTiny(R5), F(bias) \
	FABSS F(p0), F(p2) \
	FMOVQ atRow(R5), F(p3) \
	FMOVQ atIntMagic(R5), F(t0) \
	FMOVQ atIntMagic(R5), F(t1) \
	FMOVQ atTopMagic(R5), F(magic) \
	FMOVQ atVanish(R5), F(cutoff) \
	FCMPS F(p1), F(p2) \
	BGE far \
near: \
	VFADD(bias, p0, p0) \
	VFMLA0(p3, p0, t1) \
	VFSUB(t0, t1, t1) \
	VFMLA1(p3, t1, magic) \
	VFMLA2(p3, t1, cutoff)

// ANYREFERENCE makes it, or another for a maximum in the window: then nothing waits for that,
// unless a branch is predicted wrongly.
#define ANYREFERENCE(far, near, other, done) \
	FMOVS atWindowLowest(R5), F(p1) \
	FMOVS atWindowTop(R5), F(p2) \
	FCMPS F(p1), F(p0) \
	BLT other \
	FCMPS F(p2), F(p0) \
	BGT other \
	FMOVQ atWindowMagic(R5), F(magic) \
	FMOVQ atWindowCutoff(R5), F(cutoff) \
	FMOVQ atTiny(R5), F(bias) \
	B done \
other: \
	REFERENCE(far, near) \
done:

// FAR is its rare part: the maximum is far from 0, and an anchor is subtracted.
#define FAR(far, near) \
far: \
	FMOVQ atPerAnchor(R5), F(p1) \
	FMOVQ atMinusAnchor(R5), F(p2) \
	VFMUL(p1, p0, bias) \
	VFRINTZ(bias, bias) \
	VFMUL(p2, bias, bias) \
	B near

// FACTOR makes fact of the sum in F0, as newFactor does, with 2^20 in F4. It uses
// F1-F4.
#define FACTOR \
	FMOVD $1.0, F1 \
	FDIVD F0, F1, F1 \
	FCVTDS F1, F2 \
	FCVTSD F2, F3 \
	MOVD $0x4130000000000000, R3 \
	FMOVD R3, F4 \
	FMULD F3, F4, F4 \
	FSUBD F3, F1, F1 \
	FADDD F4, F1, F1 \
	FSUBD F4, F1, F1 \
	FCVTDS F1, F1 \
	VMOV V2.S[0], V13.S[0] \
	VMOV V1.S[0], V13.S[1]

// CAREFACTOR makes of it, and of the sum in F0, a careful factor: 2^careShift,
// 2^-careShift and 2^-153 go through R3. It uses F1.
#define CAREFACTOR \
	MOVD $0x7E800000, R3 \
	VDUP R3, V1.S4 \
	VFMUL(1, fact, fact) \
	MOVD $0x00800000, R3 \
	VMOV R3, V13.S[2] \
	MOVD $0x3660000000000000, R3 \
	FMOVD R3, F1 \
	FMULD F1, F0, F0 \
	FCVTDS F0, F0 \
	VDUP V0.S[0], V14.S4

// SCALE sets d to the exponentials in e times the factor, and SCALECARE to that
// for a careful factor: its last multiplication is exact or rounds to a
// subnormal number. SCALECARE destroys e.
#define SCALE(e, d) \
	VFMUL1(fact, e, d) \
	VFMLA0(fact, e, d)
#define SCALECARE(e, d) \
	VFMAX(careCut, e, e) \
	VFMUL1(fact, e, d) \
	VFMLA0(fact, e, d) \
	VFMUL2(fact, d, d)

// SUBTRACT sets d to x less what subtractBlock subtracts.
#define SUBTRACT(x, d) \
	VFSUB(first, x, d) \
	VFSUB(second, d, d)

// MAP applies OPERATION to the R2 elements at R1, and stores at R0, which may be
// the same place. It uses R3, V0-V12.
#define MAP(OPERATION, loop, below16, vectors, part, done) \
	SUBS $16, R2 \
	BLT below16 \
loop: \
	LOAD2(0, 0, 1) \
	LOAD2(32, 2, 3) \
	ADD $64, R1 \
	OPERATION(0, 8) \
	OPERATION(1, 9) \
	OPERATION(2, 10) \
	OPERATION(3, 11) \
	STORE2(8, 9, 0) \
	STORE2(10, 11, 32) \
	ADD $64, R0 \
	SUBS $16, R2 \
	BGE loop \
below16: \
	ADDS $16, R2 \
	BEQ done \
	SUBS $4, R2 \
	BLT part \
vectors: \
	FMOVQ.P 16(R1), F0 \
	OPERATION(0, 8) \
	FMOVQ.P F8, 16(R0) \
	SUBS $4, R2 \
	BGE vectors \
part: \
	ADDS $4, R2, R3 \
	BEQ done \
	LOADPART(V0) \
	OPERATION(0, 8) \
	STOREPART(V8) \
done:

// What becomes of exponentials in EXPSCALE.
#define SCALEKEEP2(p, q, offset) \
	SCALE(p, tmp) \
	SCALE(q, tmp1) \
	STORE2(tmp, tmp1, offset)
#define CAREKEEP2(p, q, offset) \
	SCALECARE(p, tmp) \
	SCALECARE(q, tmp1) \
	STORE2(tmp, tmp1, offset)
#define NOPAIRS(low, high, lowNext, highNext)

// EXPSCALE writes the R2 probabilities of the logits at R1.
#define EXPSCALE(KEEP2, MULTIPLY) \
	GROUPS(KEEP2, NOPAIRS) \
	BEQ done \
	SUBS $8, R2 \
	BLT below8 \
pairs: \
	LOGITS2(0, x0, t0, x1, t1) \
	FRONT2(x0, t0, p0, x1, t1, p1) \
	BACK2(x0, t0, p0, x1, t1, p1) \
	KEEP2(p0, p1, 0) \
	ADD $32, R1 \
	ADD $32, R0 \
	SUBS $8, R2 \
	BGE pairs \
below8: \
	TBZ $2, R2, below4 \
	FMOVQ.P 16(R1), F(x0) \
	FMOVQ copy-16(SP), F(t0) \
	FRONT1(x0, t0, p0) \
	BACK1(x0, t0, p0) \
	MULTIPLY(p0, tmp) \
	FMOVQ.P F(tmp), 16(R0) \
below4: \
	ANDS $3, R2, R3 \
	BEQ done \
	LOADPART(V0) \
	FMOVQ copy-16(SP), F(t0) \
	FRONT1(x0, t0, p0) \
	BACK1(x0, t0, p0) \
	MULTIPLY(p0, tmp) \
	STOREPART(V12) \
done:

// ROWS loads the arguments of a function for rows.
#define ROWS \
	MOVD dst+0(FP), R6 \
	MOVD src+8(FP), R7 \
	MOVD cols+16(FP), R8 \
	MOVD rows+24(FP), R9 \
	MOVD dstStride+32(FP), R10 \
	MOVD srcStride+40(FP), R11 \
	LSL $2, R10 \
	LSL $2, R11 \
	CONSTANTS

// NEXTROW goes to the next row, at label, if there is one.
#define NEXTROW(label) \
	ADD R10, R6 \
	ADD R11, R7 \
	SUBS $1, R9 \
	BNE label

// Short rows are kept in registers: logits in V0-V3 and V13-V16, exponentials in
// V8-V11 and V17-V20, probabilities in V0-V7. Where the end is no whole vector,
// the last one is made of the last four elements, and shares some with the one
// before. SHIFT then moves its elements to their lanes, in the sum.

// LASTS sets offset to where vector k of a row starts in bytes: at 16*k, but so
// that it ends in the row; and index to the place of its indices in shifts.
#define LASTS(k, offset, index) \
	LSL $2, R8, R3 \
	SUB $16, R3 \
	MOVD $(16*k), offset \
	CMP offset, R3 \
	CSEL LT, R3, offset, offset \
	MOVD $(16*k), R4 \
	SUB offset, R4, index \
	MOVD $16, R4 \
	CMP R4, index \
	CSEL GT, R4, index, index \
	ADD R5, index, index \
	ADD $atShifts, index

// LOADAT loads a vector of the row in src that starts offset bytes in.
#define LOADAT(offset, x) \
	ADD offset, R7, R3 \
	FMOVQ (R3), F(x)

// STOREAT stores a vector of the row in dst that starts offset bytes in.
#define STOREAT(offset, p) \
	ADD offset, R6, R3 \
	FMOVQ F(p), (R3)

// SHIFT sets d to the elements of p that no vector before has, in their lanes.
#define SHIFT(index, p, d) \
	FMOVQ (index), F(tmp) \
	VTBL1(tmp, p, d)

// EXP1 and EXP2 compute exponentials of logits x and y, in p and q. They use t
// and u, and destroy x and y.
#define EXP1(x, t, p) \
	VCOPY(magic, t) \
	FRONT1(x, t, p) \
	BACK1(x, t, p)
#define EXP2(x, t, p, y, u, q) \
	VCOPY(magic, t) \
	VCOPY(magic, u) \
	FRONT2(x, t, p, y, u, q) \
	BACK2(x, t, p, y, u, q)

// DOUBLE sets lo and hi to the lanes of p, in float64. A lane that has taken one
// pair has that pair as its sum.
#define DOUBLE(p, lo, hi) \
	VFCVTL(p, lo) \
	VFCVTL2(p, hi)

// DEFINED goes to undefined where the sum F0 is NaN.
#define DEFINED(undefined) \
	FCMPD F0, F0 \
	BVS undefined

// FINISH makes the factor of the sum in F0 and goes to care if it has to be a
// careful one.
#define FINISH(care) \
	FACTOR \
	LARGE \
	CBZ R3, care

// NAN sets V to the NaN of every undefined result.
#define NAN(V) \
	MOVD $0x7FC00000, R3 \
	VDUP R3, V.S4

// ONESUM computes the exponentials of a row that is loaded, in p0, with their bits in all,
// and their sum, in F0. TWOSUM has two vectors, in p0 and p1, FOURSUM four, in p0-p3, and
// EIGHTSUM eight, in p0-p3 and V17-V20.
#define ONESUM \
	EXP1(0, t0, p0) \
	VCOPY(p0, all) \
	DOUBLE(p0, 0, 1) \
	FOLD4
#define TWOSUM \
	EXP2(0, t0, p0, 1, t1, p1) \
	VANDV(p0, p1, all) \
	SHIFT(R19, p1, 5) \
	DOUBLE(p0, 0, 1) \
	DOUBLE(5, 2, 3) \
	FOLD8
#define FOURSUM \
	EXP2(0, t0, p0, 1, t1, p1) \
	EXP2(2, t2, p2, 3, t3, p3) \
	VANDV(p0, p1, all) \
	VANDV(p2, p3, tmp) \
	VANDV(tmp, all, all) \
	SHIFT(R19, p2, 13) \
	SHIFT(R20, p3, 14) \
	DOUBLE(p0, 0, 1) \
	DOUBLE(p1, 2, 3) \
	DOUBLE(13, 4, 5) \
	DOUBLE(14, 6, 7) \
	FOLD16
#define EIGHTSUM \
	EXP2(0, t0, p0, 1, t1, p1) \
	EXP2(2, t2, p2, 3, t3, p3) \
	EXP2(13, t0, 17, 14, t1, 18) \
	EXP2(15, t2, 19, 16, t3, 20) \
	VANDV(p0, p1, all) \
	VANDV(p2, p3, 0) \
	VANDV(17, 18, 1) \
	VANDV(19, 20, 2) \
	VANDV(0, all, all) \
	VANDV(1, 2, 2) \
	VANDV(2, all, all) \
	SHIFT(R19, 17, 13) \
	SHIFT(R20, 18, 14) \
	SHIFT(R21, 19, 15) \
	SHIFT(R22, 20, 16) \
	VFADD(13, p0, 13) \
	VFADD(14, p1, 14) \
	VFADD(15, p2, 15) \
	VFADD(16, p3, 16) \
	DOUBLE(13, 0, 1) \
	DOUBLE(14, 2, 3) \
	DOUBLE(15, 4, 5) \
	DOUBLE(16, 6, 7) \
	FOLD16

// func softmaxShortNEON(dst, src *float32, cols, rows, dstStride, srcStride int)
//
// It takes rows of 4 to 32 elements.
TEXT ·softmaxShortNEON(SB), NOSPLIT, $0-48
	ROWS
	CMP $16, R8
	BGT wide
	CMP $8, R8
	BGT middle
	CMP $4, R8
	BGT pair

one:
	FMOVQ (R7), F0
	ACROSS(0)
	ANYREFERENCE(oneFar, oneNear, oneOther, oneReferred)
	ONESUM
	DEFINED(oneUndefined)
	FINISH(oneCare)
	SCALE(p0, 0)

oneStore:
	FMOVQ F0, (R6)
	NEXTROW(one)
	RET

oneCare:
	CAREFACTOR
	GRADUAL
	SCALECARE(p0, 0)
	RESTORE
	B oneStore

oneUndefined:
	NAN(V0)
	B oneStore

	// 5 to 8 elements: two vectors.
pair:
	LASTS(1, R12, R19)

two:
	FMOVQ (R7), F0
	LOADAT(R12, 1)
	VFMAX(1, 0, tmp)
	ACROSS(tmp)
	ANYREFERENCE(twoFar, twoNear, twoOther, twoReferred)
	TWOSUM
	DEFINED(twoUndefined)
	FINISH(twoCare)
	SCALE(p0, 0)
	SCALE(p1, 1)

twoStore:
	FMOVQ F0, (R6)
	STOREAT(R12, 1)
	NEXTROW(two)
	RET

twoCare:
	CAREFACTOR
	GRADUAL
	SCALECARE(p0, 0)
	SCALECARE(p1, 1)
	RESTORE
	B twoStore

twoUndefined:
	NAN(V0)
	NAN(V1)
	B twoStore

	// 9 to 16 elements: four vectors, of which the last may be the third again.
middle:
	LASTS(2, R12, R19)
	LASTS(3, R13, R20)

four:
	VLDPQ(0, 7, 0, 1)
	LOADAT(R12, 2)
	LOADAT(R13, 3)
	VFMAX(1, 0, tmp)
	VFMAX(3, 2, 4)
	VFMAX(4, tmp, tmp)
	ACROSS(tmp)
	ANYREFERENCE(fourFar, fourNear, fourOther, fourReferred)
	FOURSUM
	DEFINED(fourUndefined)
	FINISH(fourCare)
	SCALE(p0, 0)
	SCALE(p1, 1)
	SCALE(p2, 2)
	SCALE(p3, 3)

fourStore:
	VSTPQ(0, 1, 0, 6)
	STOREAT(R12, 2)
	STOREAT(R13, 3)
	NEXTROW(four)
	RET

fourCare:
	CAREFACTOR
	GRADUAL
	SCALECARE(p0, 0)
	SCALECARE(p1, 1)
	SCALECARE(p2, 2)
	SCALECARE(p3, 3)
	RESTORE
	B fourStore

fourUndefined:
	NAN(V0)
	NAN(V1)
	NAN(V2)
	NAN(V3)
	B fourStore

	// 17 to 32 elements: eight vectors, of which the last ones may be the same.
wide:
	LASTS(4, R12, R19)
	LASTS(5, R13, R20)
	LASTS(6, R14, R21)
	LASTS(7, R15, R22)

eight:
	VLDPQ(0, 7, 0, 1)
	VLDPQ(32, 7, 2, 3)
	LOADAT(R12, 13)
	LOADAT(R13, 14)
	LOADAT(R14, 15)
	LOADAT(R15, 16)
	VFMAX(1, 0, 4)
	VFMAX(3, 2, 5)
	VFMAX(14, 13, 6)
	VFMAX(16, 15, 7)
	VFMAX(5, 4, 4)
	VFMAX(7, 6, 6)
	VFMAX(6, 4, 4)
	ACROSS(4)
	ANYREFERENCE(eightFar, eightNear, eightOther, eightReferred)
	EIGHTSUM
	DEFINED(eightUndefined)
	FINISH(eightCare)
	SCALE(p0, 0)
	SCALE(p1, 1)
	SCALE(p2, 2)
	SCALE(p3, 3)
	SCALE(17, 4)
	SCALE(18, 5)
	SCALE(19, 6)
	SCALE(20, 7)

eightStore:
	VSTPQ(0, 1, 0, 6)
	VSTPQ(2, 3, 32, 6)
	STOREAT(R12, 4)
	STOREAT(R13, 5)
	STOREAT(R14, 6)
	STOREAT(R15, 7)
	NEXTROW(eight)
	RET

eightCare:
	CAREFACTOR
	GRADUAL
	SCALECARE(p0, 0)
	SCALECARE(p1, 1)
	SCALECARE(p2, 2)
	SCALECARE(p3, 3)
	SCALECARE(17, 4)
	SCALECARE(18, 5)
	SCALECARE(19, 6)
	SCALECARE(20, 7)
	RESTORE
	B eightStore

eightUndefined:
	NAN(V0)
	NAN(V1)
	NAN(V2)
	NAN(V3)
	NAN(V4)
	NAN(V5)
	NAN(V6)
	NAN(V7)
	B eightStore

	FAR(oneFar, oneNear)
	FAR(twoFar, twoNear)
	FAR(fourFar, fourNear)
	FAR(eightFar, eightNear)

// SOFTMAX computes the row of R8 elements at R7 by its reference. It goes to R6.
// OTHERWISE is what it jumps to.
#define SOFTMAX \
	MOVD R6, R0 \
	MOVD R7, R1 \
	MOVD R8, R2 \
	EXPSUM(EXPKEEP2, EXPKEEP1, EXPPART) \
	TOTAL \
	MOVD R6, R0 \
	MOVD R6, R1 \
	MOVD R8, R2 \
	FCMPD F0, F0 \
	BVS undefined \
	FACTOR \
	LARGE \
	CBZ R3, careful \
	MAP(SCALE, scaleLoop, scaleBelow16, scaleVectors, scalePart, next)
#define OTHERWISE \
careful: \
	CAREFACTOR \
	GRADUAL \
	MAP(SCALECARE, careLoop, careBelow16, careVectors, carePart, cared) \
	RESTORE \
	B next \
undefined: \
	MOVD $0x7FC00000, R3 \
fill: \
	MOVW.P R3, 4(R0) \
	SUBS $1, R2 \
	BNE fill \
	B next

// func softmaxBlocksNEON(dst, src *float32, cols, rows, dstStride, srcStride int)
TEXT ·softmaxBlocksNEON(SB), NOSPLIT, $24-48
	ROWS

row:
	MOVD R7, R1
	MOVD R8, R2
	MAXIMUM
	ANYREFERENCE(far, near, other, referred)
	FMOVQ F(magic), copy-16(SP)
	SOFTMAX
	NEXTROW(row)
	RET

	OTHERWISE

	FAR(far, near)

// func softmaxBlockNEON(x *float32, n int, m float32)
TEXT ·softmaxBlockNEON(SB), NOSPLIT, $24-20
	MOVD x+0(FP), R6
	MOVD R6, R7
	MOVD n+8(FP), R8
	CONSTANTS
	FMOVS m+16(FP), F(p0)
	VDUP V8.S[0], V8.S4
	ANYREFERENCE(far, near, other, referred)
	FMOVQ F(magic), copy-16(SP)
	SOFTMAX
	RET

	OTHERWISE

	FAR(far, near)

// func maxBlockNEON(src *float32, n int) float32
TEXT ·maxBlockNEON(SB), NOSPLIT, $0-20
	MOVD src+0(FP), R1
	MOVD n+8(FP), R2
	MAXIMUM
	FMOVS F(p0), ret+16(FP)
	RET

// func hasNaNBlockNEON(src *float32, n int) bool
//
// all gathers what is equal to itself.
TEXT ·hasNaNBlockNEON(SB), NOSPLIT, $0-17
	MOVD src+0(FP), R1
	MOVD n+8(FP), R2
	VMOVI $255, V21.B16
	SUBS $16, R2
	BLT tail

loop:
	LOAD2(0, 0, 1)
	LOAD2(32, 2, 3)
	VFCMEQ(0, 0, 0)
	VFCMEQ(1, 1, 1)
	VFCMEQ(2, 2, 2)
	VFCMEQ(3, 3, 3)
	VANDV(0, 1, 0)
	VANDV(2, 3, 2)
	VANDV(0, all, all)
	VANDV(2, all, all)
	ADD $64, R1
	SUBS $16, R2
	BGE loop

tail:
	ADDS $12, R2
	BLT part

vectors:
	FMOVQ.P 16(R1), F0
	VFCMEQ(0, 0, 0)
	VANDV(0, all, all)
	SUBS $4, R2
	BGE vectors

part:
	ADDS $4, R2, R3
	BEQ done
	LOADPART(V0)
	VFCMEQ(0, 0, 0)
	VANDV(0, all, all)

done:
	VMOV V21.D[0], R3
	VMOV V21.D[1], R4
	AND R4, R3
	CMN $1, R3
	CSET NE, R3
	MOVB R3, ret+16(FP)
	RET

// func expBlockNEON(dst, src *float32, n int, ref *reference) (sum float64, large bool)
TEXT ·expBlockNEON(SB), NOSPLIT, $24-41
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD n+16(FP), R2
	MOVD ref+24(FP), R3
	CONSTANTS
	LOADREF
	EXPSUM(EXPKEEP2, EXPKEEP1, EXPPART)
	TOTAL
	LARGE
	FMOVD F0, sum+32(FP)
	MOVB R3, large+40(FP)
	RET

// SCANBLOCKS computes exponentials of the blocks at R7, and stores at R12 what is to be known of
// each, a blockScan. It ends before a block whose maximum is not near 0: exactLimit/2 goes
// through R3. R9 counts blocks.
#define SCANBLOCKS(KEEP2) \
block: \
	MOVD R7, R1 \
	MOVD $const_block32, R2 \
	MAXIMUM \
	FMOVS F(p0), (R12) \
	MOVD $0x46000000, R3 \
	FMOVS R3, F(p1) \
	FABSS F(p0), F(p2) \
	FCMPS F(p1), F(p2) \
	BGE end \
	REFERENCE(end, near) \
	FCVTZSSW F(t1), R3 \
	MOVD $const_topExponent, R4 \
	SUBW R3, R4 \
	MOVW R4, 24(R12) \
	FMOVS atWindowLowest(R5), F(p1) \
	FMOVS atWindowTop(R5), F(p2) \
	FCMPS F(p1), F(p0) \
	BLT outside \
	FCMPS F(p2), F(p0) \
	BGT outside \
	FMOVQ atWindowCutoff(R5), F(cutoff) \
outside: \
	FMOVQ F(magic), copy-16(SP) \
	MOVD R7, R1 \
	MOVD $const_block32, R2 \
	LANES \
	GROUPS(KEEP2, SUMPAIRS) \
	TOTAL \
	LARGE \
	MOVB R3, 28(R12) \
	FMOVD F0, 8(R12) \
	MOVD ZR, 16(R12) \
	ADD $32, R12 \
	ADD $(4*const_block32), R7 \
	SUBS $1, R9 \
	BNE block \
end:

// func expBlocksNEON(dst, src *float32, blocks int, scans *blockScan[float32]) (done int)
TEXT ·expBlocksNEON(SB), NOSPLIT, $24-40
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R7
	MOVD blocks+16(FP), R9
	MOVD scans+24(FP), R12
	CONSTANTS
	SCANBLOCKS(EXPKEEP2)
	MOVD blocks+16(FP), R3
	SUB R9, R3
	MOVD R3, done+32(FP)
	RET

// func sumBlocksNEON(src *float32, blocks int, scans *blockScan[float32]) (done int)
TEXT ·sumBlocksNEON(SB), NOSPLIT, $24-32
	MOVD src+0(FP), R7
	MOVD blocks+8(FP), R9
	MOVD scans+16(FP), R12
	CONSTANTS
	SCANBLOCKS(SUMKEEP2)
	MOVD blocks+8(FP), R3
	SUB R9, R3
	MOVD R3, done+24(FP)
	RET

// func sumBlockNEON(src *float32, n int, ref *reference) (sum float64, large bool)
TEXT ·sumBlockNEON(SB), NOSPLIT, $24-33
	MOVD src+0(FP), R1
	MOVD n+8(FP), R2
	MOVD ref+16(FP), R3
	CONSTANTS
	LOADREF
	EXPSUM(SUMKEEP2, SUMKEEP1, SUMPART)
	TOTAL
	LARGE
	FMOVD F0, sum+24(FP)
	MOVB R3, large+32(FP)
	RET

// func sumRowsNEON(sums *rowSum[float32], src *float32, cols, rows, stride int)
//
// R12 points to what is found out about the row.
TEXT ·sumRowsNEON(SB), NOSPLIT, $24-40
	MOVD sums+0(FP), R12
	MOVD src+8(FP), R7
	MOVD cols+16(FP), R8
	MOVD rows+24(FP), R9
	MOVD stride+32(FP), R11
	LSL $2, R11
	CONSTANTS

row:
	MOVD R7, R1
	MOVD R8, R2
	MAXIMUM
	FMOVS F(p0), (R12)
	ANYREFERENCE(far, near, other, referred)
	FMOVQ F(magic), copy-16(SP)
	MOVD R7, R1
	MOVD R8, R2
	EXPSUM(SUMKEEP2, SUMKEEP1, SUMPART)
	TOTAL
	FMOVD F0, 8(R12)
	VLD1R (R12), [V0.S4]
	FMOVQ copy-16(SP), F(t0)
	FRONT1(x0, t0, p0)
	BACK1(x0, t0, p0)
	FMOVS F(p0), 4(R12)
	ADD $24, R12
	ADD R11, R7
	SUBS $1, R9
	BNE row
	RET

	FAR(far, near)

// func scaleBlockNEON(dst *float32, n int, f *factor)
TEXT ·scaleBlockNEON(SB), NOSPLIT, $0-24
	MOVD dst+0(FP), R0
	MOVD dst+0(FP), R1
	MOVD n+8(FP), R2
	MOVD f+16(FP), R3
	LOADFACTOR
	CBNZ R4, careful
	MAP(SCALE, scaleLoop, scaleBelow16, scaleVectors, scalePart, scaled)
	RET

careful:
	GRADUAL
	MAP(SCALECARE, careLoop, careBelow16, careVectors, carePart, cared)
	RESTORE
	RET

// func expScaleBlockNEON(dst, src *float32, n int, ref *reference, f *factor)
//
// The factor must not be a careful one.
TEXT ·expScaleBlockNEON(SB), NOSPLIT, $24-40
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD n+16(FP), R2
	MOVD ref+24(FP), R3
	CONSTANTS
	LOADREF
	MOVD f+32(FP), R3
	LOADFACTOR
	EXPSCALE(SCALEKEEP2, SCALE)
	RET

// func expScaleCareBlockNEON(dst, src *float32, n int, ref *reference, f *factor)
//
// The factor must be a careful one.
TEXT ·expScaleCareBlockNEON(SB), NOSPLIT, $24-40
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD n+16(FP), R2
	MOVD ref+24(FP), R3
	CONSTANTS
	LOADREF
	MOVD f+32(FP), R3
	LOADFACTOR
	GRADUAL
	EXPSCALE(CAREKEEP2, SCALECARE)
	RESTORE
	RET

// func subtractBlockNEON(dst, src *float32, n int, m, rest float32)
TEXT ·subtractBlockNEON(SB), NOSPLIT, $0-32
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD n+16(FP), R2
	FMOVS m+24(FP), F(first)
	FMOVS rest+28(FP), F(second)
	VDUP V16.S[0], V16.S4
	VDUP V17.S[0], V17.S4
	MAP(SUBTRACT, loop, below16, vectors, part, done)
	RET
