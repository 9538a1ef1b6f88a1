//go:build !purego

// The kernel for NEON and float64. It gives the bits of the Go code in
// float64_generic.go, two elements per vector.
//
// Sixteen lanes and what they lost would fill 16 registers. So a block's sum is
// made in two halves: first the lanes 0-7 go over the whole block, then the lanes
// 8-15. Before that, the elements behind the last whole group of 32 have their
// exponentials computed and kept on the stack, where +0 stands for those that are
// missing.
//
// Use of general registers, in every function:
//
//	R0  dst             R1  src        R2  elements left
//	R3, R4  scratch     R5  constants  R6, R7  row in dst and in src
//	R8  columns         R9  rows       R10, R11  strides in bytes
//	R12  groups left    R13  stack: 256 bytes for exponentials, 128 for half a sum
//	R14  place in the exponentials there

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
#define t0 4       // t0-t3: rounded multiple of wideLog2e8, with magic
#define t1 5
#define t2 6
#define t3 7
#define p0 8       // p0-p3: exponential
#define p1 9
#define p2 10
#define p3 11
#define tmp 12
#define acc0 13    // acc0-acc3: sums of the lanes 0-7, or 8-15
#define acc1 14
#define acc2 15
#define acc3 16
#define lost0 17   // lost0-lost3: what these lost
#define lost1 18
#define lost2 19
#define lost3 20
#define all 21     // conjunction of the bits of all exponentials
#define coef 22    // wideLog2e8, wideLn2Hi
#define coef1 23   // wideLn2Lo, wideC7
#define magic 24
#define cutoff 25
#define bias 26
#define tableLo 27 // two registers: low halves of wideTable by bytes
#define tableHi 29 // two registers: high halves
#define low3 31    // 7 in each byte

// Where the lane sums are not in use.
#define fact 13    // factor: hi, lo
#define careCut 14 // cutoff of a careful factor
#define down 15    // 2^-careShift
#define tmp1 16
#define first 17   // what SUBTRACT subtracts first, and second
#define second 18

// A vector of twice the same value.
#define VECTOR(name, offset, value) \
	DATA name<>+(offset+0)(SB)/8, $value \
	DATA name<>+(offset+8)(SB)/8, $value

// The constants of float64_generic.go and row.go. VECTOR counts its offset from
// the start of this table; so do the names of places in it.
#define atCoef 0
DATA constants<>+0(SB)/8, $0x40271547652B82FE   // wideLog2e8
DATA constants<>+8(SB)/8, $0x3FB62E42FEFA39EF   // wideLn2Hi
DATA constants<>+16(SB)/8, $0x3C4ABC9E3B39803F  // wideLn2Lo
DATA constants<>+24(SB)/8, $0x3F2A0207783C3E7F  // wideC7

// wideTable, byte k of entry j at 8*k+j. Only the low 49 bits of what this table
// gives count.
#define atTable 32
DATA constants<>+32(SB)/8, $0xCED526D5C9D7E7A0
DATA constants<>+40(SB)/8, $0x005652A65477B3CC
DATA constants<>+48(SB)/8, $0x4B1174DBA6121BCA
DATA constants<>+56(SB)/8, $0xDBC288B71153A8BE
DATA constants<>+64(SB)/8, $0x2E419887C769D4BB
DATA constants<>+72(SB)/8, $0xE842D49A8FB0F865
DATA constants<>+80(SB)/8, $0x0101000000000001
DATA constants<>+88(SB)/8, $0

// Index that copies byte 0 of each half of an element to all bytes of the half.
#define atSpread 96
DATA constants<>+96(SB)/8, $0x0404040400000000
DATA constants<>+104(SB)/8, $0x0C0C0C0C08080808
#define atPlane 112
VECTOR(constants, atPlane, 0x1810080018100800) // 8*k in byte k of each half
#define atC6 128
VECTOR(constants, atC6, 0x3F56C1CC08DB03E1)    // wideC6
#define atC5 144
VECTOR(constants, atC5, 0x3F811111107D1A08)    // wideC5
#define atC4 160
VECTOR(constants, atC4, 0x3FA55555547FC743)    // wideC4
#define atC3 176
VECTOR(constants, atC3, 0x3FC5555555555660)    // wideC3
#define atC2 192
VECTOR(constants, atC2, 0x3FE000000000010E)    // wideC2
#define atAccStart 208
VECTOR(constants, atAccStart, 0x60C0000000000000)

// What follows is used once per row.
#define atRow 224
DATA constants<>+224(SB)/8, $0x3FF71547652B82FE // log2e
DATA constants<>+232(SB)/8, $0xC020000000000000 // -8
DATA constants<>+240(SB)/8, $0x3FE62E42FEFA39EF // ln2
DATA constants<>+248(SB)/8, $0
#define atLimit 256
VECTOR(constants, atLimit, 0x40D0000000000000)    // exactLimit
#define atTiny 272
VECTOR(constants, atTiny, 0x3870000000000000)
#define atIntMagic 288
VECTOR(constants, atIntMagic, 0x4338000000000000)
#define atTopMagic 304
VECTOR(constants, atTopMagic, 0x4338000000002FF8) // intWide + 8*(wideTopExponent + 1023)
#define atVanish 320
VECTOR(constants, atVanish, 0xC08764CAA8EBE91A)   // -wideVanish*ln2

// For maxima that are far from 0.
#define atPerAnchor 336
VECTOR(constants, atPerAnchor, 0x3F20000000000000)   // 1/anchorStep
#define atMinusAnchor 352
VECTOR(constants, atMinusAnchor, 0xC0C0000000000000) // -anchorStep
GLOBL constants<>(SB), RODATA|NOPTR, $368

// CONSTANTS loads what EXP needs of every reference, and sets R5.
#define CONSTANTS \
	MOVD $constants<>(SB), R5 \
	VLDPQ(atCoef, 5, coef, coef1) \
	VLDPQ(atTable, 5, tableLo, tableLo+1) \
	VLDPQ((atTable+32), 5, tableHi, tableHi+1) \
	VMOVI $7, V31.B16

// ROOM sets R13 and clears the exponentials there.
#define ROOM \
	MOVD $room-400(SP), R13 \
	VZERO(x0) \
	VSTPQ(x0, x0, 0, 13) \
	VSTPQ(x0, x0, 32, 13) \
	VSTPQ(x0, x0, 64, 13) \
	VSTPQ(x0, x0, 96, 13) \
	VSTPQ(x0, x0, 128, 13) \
	VSTPQ(x0, x0, 160, 13) \
	VSTPQ(x0, x0, 192, 13) \
	VSTPQ(x0, x0, 224, 13)

// LOADREF loads the reference at R3.
#define LOADREF \
	FMOVD 0(R3), F(bias) \
	FMOVD 8(R3), F(cutoff) \
	FMOVD 16(R3), F(magic) \
	VDUP V26.D[0], V26.D2 \
	VDUP V25.D[0], V25.D2 \
	VDUP V24.D[0], V24.D2 \
	FMOVQ F(magic), copy-16(SP)

// LOADFACTOR loads the factor at R3, and sets R4 to whether it is a careful one.
#define LOADFACTOR \
	FMOVQ 0(R3), F(fact) \
	FMOVD 16(R3), F(careCut) \
	VDUP V14.D[0], V14.D2 \
	LOADDOWN \
	MOVBU 24(R3), R4

// LOADDOWN uses R4.
#define LOADDOWN \
	MOVD $0x0010000000000000, R4 \
	VDUP R4, V15.D2

// LOAD2 loads two vectors at R1, and STORE2 stores two at R0.
#define LOAD2(offset, x, y) VLDPQ(offset, 1, x, y)
#define STORE2(p, q, offset) VSTPQ(p, q, offset, 0)

// MAGIC2 loads magic to t and u, for FRONT2, and LOGITS2 also two vectors of
// logits to x and y. Magic, the coefficients and the indices of BACK2 come from
// memory because copies of registers cost as much as arithmetic on some
// processors.
#define MAGIC2(t, u) \
	FMOVQ copy-16(SP), F(t) \
	FMOVQ copy-16(SP), F(u)
#define LOGITS2(offset, x, t, y, u) \
	LOAD2(offset, x, y) \
	MAGIC2(t, u)

// FRONT2 reduces the logits x, y to r in place, and makes of magic in t, u their
// multiples of ln2/8, with magic. It uses p and q.
#define FRONT2(x, t, p, y, u, q) \
	VFADDD(bias, x, x) \
	VFADDD(bias, y, y) \
	VFMAXD(cutoff, x, x) \
	VFMAXD(cutoff, y, y) \
	VFMLAD0(coef, x, t) \
	VFMLAD0(coef, y, u) \
	VFSUBD(magic, t, p) \
	VFSUBD(magic, u, q) \
	VFMLSD1(coef, p, x) \
	VFMLSD1(coef, q, y) \
	VFMLSD0(coef1, p, x) \
	VFMLSD0(coef1, q, y)

// BACK2 computes the exponentials p, q from what FRONT2 left, and destroys that.
// The lookup is one for all four elements: t holds the low halves of both
// multiples, low halves of the table's entries go to u and high halves to q, where
// t joins them.
#define BACK2(x, t, p, y, u, q) \
	VUZP1S(u, t, t) \
	FMOVQ atC6(R5), F(p) \
	FMOVQ atC6(R5), F(q) \
	VFMLAD1(coef1, x, p) \
	VFMLAD1(coef1, y, q) \
	HORNER2(atC5, x, p, tmp, y, q, u) \
	HORNER2(atC4, x, tmp, p, y, u, q) \
	HORNER2(atC3, x, p, tmp, y, q, u) \
	HORNER2(atC2, x, tmp, p, y, u, q) \
	VFMULD(x, p, p) \
	VFMULD(y, q, q) \
	VFMLAD(x, p, x) \
	VFMLAD(y, q, y) \
	FMOVQ atSpread(R5), F(u) \
	FMOVQ atPlane(R5), F(p) \
	VTBL1(u, t, u) \
	VBITV(low3, u, p) \
	VTBL2(p, tableHi, q) \
	VTBL2(p, tableLo, u) \
	VSLI17(t, q) \
	VZIP1S(q, u, p) \
	VZIP2S(q, u, q) \
	VFMLAD(p, x, p) \
	VFMLAD(q, y, q)

// HORNER2 sets a to p*x plus a coefficient, and b to q*y plus it.
#define HORNER2(coefficient, x, p, a, y, q, b) \
	FMOVQ coefficient(R5), F(a) \
	FMOVQ coefficient(R5), F(b) \
	VFMLAD(x, p, a) \
	VFMLAD(y, q, b)

// ADDPAIR adds the pair sums in p to the lanes in acc, and what that loses to
// lost. It destroys p.
#define ADDPAIR(p, acc, lost) \
	VFADDD(p, acc, tmp) \
	VFSUBD(acc, tmp, acc) \
	VFSUBD(acc, p, p) \
	VFADDD(p, lost, lost) \
	VCOPY(tmp, acc)

// What becomes of two vectors of exponentials: stored or not, and their bits
// noted; and of p0-p3, where p2 and p3 stand 16 elements behind p0 and p1.
#define EXPKEEP2(p, q, offset) \
	STORE2(p, q, offset) \
	SUMKEEP2(p, q, offset)
#define SUMKEEP2(p, q, offset) \
	VANDV(p, all, all) \
	VANDV(q, all, all)
#define SUMPAIRS(acc, lost, accNext, lostNext) \
	VFADDD(p2, p0, p0) \
	VFADDD(p3, p1, p1) \
	ADDPAIR(p0, acc, lost) \
	ADDPAIR(p1, accNext, lostNext)

// The same behind the last group: all go to the stack too.
#define EXPREST2(p, q) STORE2(p, q, 0); SUMREST2(p, q)
#define SUMREST2(p, q) \
	SUMKEEP2(p, q, 0) \
	VSTPQ(p, q, 0, 14) \
	ADD $32, R14

// And for the last R2 = 1, 2 or 3 elements, as REST has them.
#define EXPPART STOREPART(p0, p1); SUMPART
#define SUMPART \
	SUMKEEP2(p0, p1, 0) \
	TBZ $1, R2, 2(PC) \
	FMOVQ.P F(p0), 16(R14) \
	TBZ $0, R2, 3(PC) \
	FMOVD F(p1), F(p1) \
	FMOVQ F(p1), (R14)

// STOREPART stores R2 = 1, 2 or 3 elements at R0: two of p, one of q, or both.
#define STOREPART(p, q) \
	TBZ $1, R2, 2(PC) \
	FMOVQ.P F(p), 16(R0) \
	TBZ $0, R2, 2(PC) \
	FMOVD F(q), (R0)

// GROUPS does R12 groups of four pairs of vectors, which start at R1 and b, c and
// d bytes behind; step bytes lead to the next group. While one pair is in BACK2
// the next is in FRONT2: so a chain of dependent operations that is longer than
// a pair takes does not hold it up.
#define GROUPS(KEEP, PAIRS, b, c, d, step) \
	SUBS $1, R12 \
	BLT none \
	LOGITS2(0, x0, t0, x1, t1) \
	FRONT2(x0, t0, p0, x1, t1, p1) \
	LOGITS2(b, x2, t2, x3, t3) \
	FRONT2(x2, t2, p2, x3, t3, p3) \
	SUBS $1, R12 \
	BLT last \
loop: \
	BACK2(x0, t0, p0, x1, t1, p1) \
	KEEP(p0, p1, 0) \
	LOGITS2(c, x0, t0, x1, t1) \
	FRONT2(x0, t0, p2, x1, t1, p3) \
	BACK2(x2, t2, p2, x3, t3, p3) \
	KEEP(p2, p3, b) \
	PAIRS(acc0, lost0, acc1, lost1) \
	LOGITS2(d, x2, t2, x3, t3) \
	FRONT2(x2, t2, p2, x3, t3, p3) \
	ADD $step, R1 \
	BACK2(x0, t0, p0, x1, t1, p1) \
	KEEP(p0, p1, c) \
	LOGITS2(0, x0, t0, x1, t1) \
	FRONT2(x0, t0, p2, x1, t1, p3) \
	BACK2(x2, t2, p2, x3, t3, p3) \
	KEEP(p2, p3, d) \
	PAIRS(acc2, lost2, acc3, lost3) \
	LOGITS2(b, x2, t2, x3, t3) \
	FRONT2(x2, t2, p2, x3, t3, p3) \
	ADD $step, R0 \
	SUBS $1, R12 \
	BGE loop \
last: \
	BACK2(x0, t0, p0, x1, t1, p1) \
	KEEP(p0, p1, 0) \
	LOGITS2(c, x0, t0, x1, t1) \
	FRONT2(x0, t0, p2, x1, t1, p3) \
	BACK2(x2, t2, p2, x3, t3, p3) \
	KEEP(p2, p3, b) \
	PAIRS(acc0, lost0, acc1, lost1) \
	LOGITS2(d, x2, t2, x3, t3) \
	FRONT2(x2, t2, p2, x3, t3, p3) \
	ADD $step, R1 \
	BACK2(x0, t0, p0, x1, t1, p1) \
	KEEP(p0, p1, c) \
	BACK2(x2, t2, p2, x3, t3, p3) \
	KEEP(p2, p3, d) \
	PAIRS(acc2, lost2, acc3, lost3) \
	ADD $step, R0 \
none:

// REST does the R2 elements at R1. At the end, with R2 = 1, 2 or 3, both elements
// of x1 are the last one, and x0 has two others before it if there are.
#define REST(KEEP2, PART) \
	SUBS $4, R2 \
	BLT restPart \
restLoop: \
	LOGITS2(0, x0, t0, x1, t1) \
	FRONT2(x0, t0, p0, x1, t1, p1) \
	BACK2(x0, t0, p0, x1, t1, p1) \
	KEEP2(p0, p1) \
	ADD $32, R1 \
	ADD $32, R0 \
	SUBS $4, R2 \
	BGE restLoop \
restPart: \
	ADDS $4, R2 \
	BEQ restDone \
	ADD R2<<3, R1, R3 \
	SUB $8, R3 \
	VLD1R (R3), [V1.D2] \
	VCOPY(x1, x0) \
	TBZ $1, R2, 2(PC) \
	FMOVQ (R1), F(x0) \
	MAGIC2(t0, t1) \
	FRONT2(x0, t0, p0, x1, t1, p1) \
	BACK2(x0, t0, p0, x1, t1, p1) \
	PART \
restDone:

// EXPSUM computes the R8 exponentials of the row at R7. It sets F0 and F1 to
// their sum, hi and lo. Up to 16 elements need no second half: they are all on
// the stack, and each is a pair with +0.
#define EXPSUM(KEEP2, REST2, PART) \
	VMOVI $255, V21.B16 \
	ANDS $31, R8, R2 \
	BEQ start \
	SUB R2, R8, R3 \
	ADD R3<<3, R6, R0 \
	ADD R3<<3, R7, R1 \
	MOVD R13, R14 \
	REST(REST2, PART) \
start: \
	CMP $16, R8 \
	BLE narrow \
	MOVD R6, R0 \
	MOVD R7, R1 \
	MOVD R13, R14 \
half: \
	FMOVQ atAccStart(R5), F(acc0) \
	VCOPY(acc0, acc1) \
	VCOPY(acc0, acc2) \
	VCOPY(acc0, acc3) \
	VZERO(lost0) \
	VZERO(lost1) \
	VZERO(lost2) \
	VZERO(lost3) \
	LSR $5, R8, R12 \
	GROUPS(KEEP2, SUMPAIRS, 128, 32, 160, 256) \
	TST $31, R8 \
	BEQ summed \
	VLDPQ(0, 14, p0, p1) \
	VLDPQ(128, 14, p2, p3) \
	SUMPAIRS(acc0, lost0, acc1, lost1) \
	VLDPQ(32, 14, p0, p1) \
	VLDPQ(160, 14, p2, p3) \
	SUMPAIRS(acc2, lost2, acc3, lost3) \
summed: \
	FMOVQ atAccStart(R5), F(tmp) \
	VFSUBD(tmp, acc0, acc0) \
	VFSUBD(tmp, acc1, acc1) \
	VFSUBD(tmp, acc2, acc2) \
	VFSUBD(tmp, acc3, acc3) \
	CMP R13, R14 \
	BNE join \
	VSTPQ(acc0, acc1, 256, 13) \
	VSTPQ(acc2, acc3, 288, 13) \
	VSTPQ(lost0, lost1, 320, 13) \
	VSTPQ(lost2, lost3, 352, 13) \
	ADD $64, R6, R0 \
	ADD $64, R7, R1 \
	ADD $64, R13, R14 \
	B half \
join: \
	VLDPQ(256, 13, 0, 1) \
	VLDPQ(288, 13, 2, 3) \
	VLDPQ(320, 13, 4, 5) \
	VLDPQ(352, 13, 6, 7) \
	VFADDD(0, acc0, acc0) \
	VFADDD(1, acc1, acc1) \
	VFADDD(2, acc2, acc2) \
	VFADDD(3, acc3, acc3) \
	VFADDD(4, lost0, lost0) \
	VFADDD(5, lost1, lost1) \
	VFADDD(6, lost2, lost2) \
	VFADDD(7, lost3, lost3) \
	B fold \
narrow: \
	FMOVQ atAccStart(R5), F(tmp) \
	VLDPQ(0, 13, 0, 1) \
	VLDPQ(32, 13, 2, 3) \
	SPLIT(0, acc0, lost0) \
	SPLIT(1, acc1, lost1) \
	SPLIT(2, acc2, lost2) \
	SPLIT(3, acc3, lost3) \
	CMP $8, R8 \
	BLE fold \
	VLDPQ(64, 13, 0, 1) \
	VLDPQ(96, 13, 2, 3) \
	SPLIT(0, 4, 8) \
	SPLIT(1, 5, 9) \
	SPLIT(2, 6, 10) \
	SPLIT(3, 7, 11) \
	VFADDD(4, acc0, acc0) \
	VFADDD(5, acc1, acc1) \
	VFADDD(6, acc2, acc2) \
	VFADDD(7, acc3, acc3) \
	VFADDD(8, lost0, lost0) \
	VFADDD(9, lost1, lost1) \
	VFADDD(10, lost2, lost2) \
	VFADDD(11, lost3, lost3) \
fold: \
	FOLD(acc0, acc1, acc2, acc3, 0) \
	FOLD(lost0, lost1, lost2, lost3, 1)

// SPLIT makes of x, the only pair of its lanes, what they sum up to and lose.
#define SPLIT(x, sum, loss) \
	VFADDD(tmp, x, sum) \
	VFSUBD(tmp, sum, sum) \
	VFSUBD(sum, x, loss)

// FOLD adds the lanes in a to d, which it destroys, to sum.
#define FOLD(a, b, c, d, sum) \
	VFADDD(c, a, a) \
	VFADDD(d, b, b) \
	VFADDD(b, a, a) \
	VFADDPD(a, sum)

// LARGE sets R3 to 1 if every exponential was at least 2, else to 0.
#define LARGE \
	VMOV V21.D[0], R3 \
	VMOV V21.D[1], R4 \
	AND R4, R3 \
	UBFX $62, R3, $1, R3

// MAXIMUM sets both elements of p0 to the maximum of the R2 elements at R1. Where
// the end is no whole vector it takes elements twice. It uses R1, R3, V0-V15.
#define MAXIMUM \
	ADD R2<<3, R1, R3 \
	CMP $16, R2 \
	BLT max15 \
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
max15: \
	TBZ $3, R2, max7 \
	LOAD2(0, 0, 1) \
	LOAD2(32, 2, 3) \
	SUB $64, R3, R1 \
	LOAD2(0, 4, 5) \
	LOAD2(32, 6, 7) \
max8: \
	VFMAXD(4, 0, 0) \
	VFMAXD(5, 1, 1) \
	VFMAXD(6, 2, 2) \
	VFMAXD(7, 3, 3) \
	B max4 \
max7: \
	TBZ $2, R2, max3 \
	LOAD2(0, 0, 1) \
	SUB $32, R3, R1 \
	LOAD2(0, 2, 3) \
max4: \
	VFMAXD(2, 0, 0) \
	VFMAXD(3, 1, 1) \
	B max2 \
max3: \
	TBZ $1, R2, max1 \
	FMOVQ (R1), F0 \
	FMOVQ -16(R3), F1 \
max2: \
	VFMAXD(1, 0, 0) \
	VFMAXPD(0, 0, p0) \
	B maxDone \
max1: \
	VLD1R (R1), [V8.D2] \
maxDone:
#define MAX8 \
	LOAD2(0, 8, 9) \
	LOAD2(32, 10, 11) \
	LOAD2(64, 12, 13) \
	LOAD2(96, 14, 15) \
	VFMAXD(8, 0, 0) \
	VFMAXD(9, 1, 1) \
	VFMAXD(10, 2, 2) \
	VFMAXD(11, 3, 3) \
	VFMAXD(12, 4, 4) \
	VFMAXD(13, 5, 5) \
	VFMAXD(14, 6, 6) \
	VFMAXD(15, 7, 7)

// REFERENCE makes bias, magic and cutoff of the row maximum in p0, as rowBias
// and newReference do. It uses p0-p3 and t0-t2.
#define REFERENCE(far, near) \
	VLDPQ(atRow, 5, p3, t2) \
	VLDPQ(atLimit, 5, p1, bias) \
	FABSD F(p0), F(p2) \
	FMOVQ atIntMagic(R5), F(t0) \
	FMOVQ atIntMagic(R5), F(t1) \
	VLDPQ(atTopMagic, 5, magic, cutoff) \
	FCMPD F(p1), F(p2) \
	BGE far \
near: \
	VFADDD(bias, p0, p0) \
	VFMLAD0(p3, p0, t1) \
	VFSUBD(t0, t1, t1) \
	VFMLAD1(p3, t1, magic) \
	VFMLAD0(t2, t1, cutoff) \
	FMOVQ F(magic), copy-16(SP)

// FAR is its rare part: the maximum is far from 0, and an anchor is subtracted.
#define FAR(far, near) \
far: \
	VLDPQ(atPerAnchor, 5, p1, p2) \
	VFMULD(p1, p0, bias) \
	VFRINTZD(bias, bias) \
	VFMULD(p2, bias, bias) \
	B near

// FACTOR makes fact of the sum in F0 and F1, as newFactor64 does, with 2^-20 in
// F5. It uses F2-F5.
#define FACTOR \
	FMOVD $1.0, F2 \
	FDIVD F0, F2, F3 \
	FMSUBD F3, F2, F0, F4 \
	FMSUBD F3, F4, F1, F4 \
	FMULD F3, F4, F4 \
	MOVD $0x3EB0000000000000, R3 \
	FMOVD R3, F5 \
	FMULD F3, F5, F5 \
	FADDD F5, F4, F4 \
	FSUBD F5, F4, F4 \
	VMOV V3.D[0], V13.D[0] \
	VMOV V4.D[0], V13.D[1]

// CAREFACTOR makes of it, and of the sum in F0, a careful factor: 2^careShift and
// 2^-539, whose square is 2^-1078, go through R3. It uses F1.
#define CAREFACTOR \
	MOVD $0x7FD0000000000000, R3 \
	VDUP R3, V1.D2 \
	VFMULD(1, fact, fact) \
	MOVD $0x1E40000000000000, R3 \
	FMOVD R3, F1 \
	FMULD F1, F0, F0 \
	FMULD F1, F0, F0 \
	VDUP V0.D[0], V14.D2 \
	LOADDOWN

// SCALE sets d to the exponentials in e times the factor, and SCALECARE to that
// for a careful factor: its last multiplication is exact or rounds to a
// subnormal number. SCALECARE destroys e.
#define SCALE(e, d) \
	VFMULD1(fact, e, d) \
	VFMLAD0(fact, e, d)
#define SCALECARE(e, d) \
	VFMAXD(careCut, e, e) \
	VFMULD1(fact, e, d) \
	VFMLAD0(fact, e, d) \
	VFMULD(down, d, d)

// SUBTRACT sets d to x less what subtractBlock subtracts.
#define SUBTRACT(x, d) \
	VFSUBD(first, x, d) \
	VFSUBD(second, d, d)

// MAP applies OPERATION to the R2 elements at R1, and stores at R0, which may be
// the same place. It uses V0-V12.
#define MAP(OPERATION, loop, below8, vectors, one, done) \
	SUBS $8, R2 \
	BLT below8 \
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
	SUBS $8, R2 \
	BGE loop \
below8: \
	ADDS $8, R2 \
	BEQ done \
	SUBS $2, R2 \
	BLT one \
vectors: \
	FMOVQ.P 16(R1), F0 \
	OPERATION(0, 8) \
	FMOVQ.P F8, 16(R0) \
	SUBS $2, R2 \
	BGE vectors \
one: \
	TBZ $0, R2, done \
	FMOVD (R1), F0 \
	OPERATION(0, 8) \
	FMOVD F8, (R0) \
done:

// What becomes of exponentials in EXPSCALE.
#define SCALEKEEP2(p, q, offset) \
	SCALE(p, tmp) \
	SCALE(q, tmp1) \
	STORE2(tmp, tmp1, offset)
#define SCALEREST2(p, q) SCALEKEEP2(p, q, 0)
#define SCALEPART \
	SCALE(p0, tmp) \
	SCALE(p1, tmp1) \
	STOREPART(tmp, tmp1)
#define CAREKEEP2(p, q, offset) \
	SCALECARE(p, tmp) \
	SCALECARE(q, tmp1) \
	STORE2(tmp, tmp1, offset)
#define CAREREST2(p, q) CAREKEEP2(p, q, 0)
#define CAREPART \
	SCALECARE(p0, tmp) \
	SCALECARE(p1, tmp1) \
	STOREPART(tmp, tmp1)
#define NOPAIRS(acc, lost, accNext, lostNext)

// EXPSCALE writes the R2 probabilities of the logits at R1.
#define EXPSCALE(KEEP2, REST2, PART) \
	LSR $4, R2, R12 \
	GROUPS(KEEP2, NOPAIRS, 32, 64, 96, 128) \
	AND $15, R2 \
	REST(REST2, PART)

// func softmaxBlocks64NEON(dst, src *float64, cols, rows, dstStride, srcStride int)
TEXT ·softmaxBlocks64NEON(SB), NOSPLIT, $408-48
	MOVD dst+0(FP), R6
	MOVD src+8(FP), R7
	MOVD cols+16(FP), R8
	MOVD rows+24(FP), R9
	MOVD dstStride+32(FP), R10
	MOVD srcStride+40(FP), R11
	LSL $3, R10
	LSL $3, R11
	CONSTANTS
	ROOM

row:
	MOVD R7, R1
	MOVD R8, R2
	MAXIMUM
	REFERENCE(far, near)
	EXPSUM(EXPKEEP2, EXPREST2, EXPPART)
	MOVD R6, R0
	MOVD R6, R1
	MOVD R8, R2
	FCMPD F0, F0
	BVS undefined
	FACTOR
	LARGE
	CBZ R3, careful
	MAP(SCALE, scaleLoop, scaleBelow8, scaleVectors, scaleOne, next)

	ADD R10, R6
	ADD R11, R7
	SUBS $1, R9
	BNE row
	RET

careful:
	CAREFACTOR
	GRADUAL
	MAP(SCALECARE, careLoop, careBelow8, careVectors, careOne, cared)
	RESTORE
	B next

undefined:
	MOVD $0x7FF8000000000000, R3 // wideNaNBits
fill:
	MOVD.P R3, 8(R0)
	SUBS $1, R2
	BNE fill
	B next

	FAR(far, near)

// func maxBlock64NEON(src *float64, n int) float64
TEXT ·maxBlock64NEON(SB), NOSPLIT, $0-24
	MOVD src+0(FP), R1
	MOVD n+8(FP), R2
	MAXIMUM
	FMOVD F(p0), ret+16(FP)
	RET

// func hasNaNBlock64NEON(src *float64, n int) bool
//
// all gathers what is equal to itself.
TEXT ·hasNaNBlock64NEON(SB), NOSPLIT, $0-17
	MOVD src+0(FP), R1
	MOVD n+8(FP), R2
	VMOVI $255, V21.B16
	SUBS $8, R2
	BLT tail

loop:
	LOAD2(0, 0, 1)
	LOAD2(32, 2, 3)
	VFCMEQD(0, 0, 0)
	VFCMEQD(1, 1, 1)
	VFCMEQD(2, 2, 2)
	VFCMEQD(3, 3, 3)
	VANDV(0, 1, 0)
	VANDV(2, 3, 2)
	VANDV(0, all, all)
	VANDV(2, all, all)
	ADD $64, R1
	SUBS $8, R2
	BGE loop

tail:
	ADDS $6, R2
	BLT part

vectors:
	FMOVQ.P 16(R1), F0
	VFCMEQD(0, 0, 0)
	VANDV(0, all, all)
	SUBS $2, R2
	BGE vectors

part:
	ADDS $2, R2, R3
	BEQ done
	FMOVD (R1), F0
	VFCMEQD(0, 0, 0)
	VANDV(0, all, all)

done:
	VMOV V21.D[0], R3
	VMOV V21.D[1], R4
	AND R4, R3
	CMN $1, R3
	CSET NE, R3
	MOVB R3, ret+16(FP)
	RET

// func expBlock64NEON(dst, src *float64, n int, ref *reference[float64]) (sum doubleDouble, large bool)
TEXT ·expBlock64NEON(SB), NOSPLIT, $408-49
	MOVD dst+0(FP), R6
	MOVD src+8(FP), R7
	MOVD n+16(FP), R8
	MOVD ref+24(FP), R3
	CONSTANTS
	ROOM
	LOADREF
	EXPSUM(EXPKEEP2, EXPREST2, EXPPART)
	LARGE
	FMOVD F0, sum_hi+32(FP)
	FMOVD F1, sum_lo+40(FP)
	MOVB R3, large+48(FP)
	RET

// SCANBLOCKS computes exponentials of the blocks at R7, and stores at R15 what is to be known of
// each, a blockScan. It ends before a block whose maximum is not near 0: exactLimit/2 goes
// through R3. R9 counts blocks.
#define SCANBLOCKS(KEEP2, REST2, PART) \
	MOVD $const_block64, R8 \
block: \
	MOVD R7, R1 \
	MOVD R8, R2 \
	MAXIMUM \
	FMOVD F(p0), (R15) \
	MOVD $0x40C0000000000000, R3 \
	FMOVD R3, F(p1) \
	FABSD F(p0), F(p2) \
	FCMPD F(p1), F(p2) \
	BGE end \
	REFERENCE(end, near) \
	FCVTZSDW F(t1), R3 \
	MOVD $const_wideTopExponent, R4 \
	SUBW R3, R4 \
	MOVW R4, 24(R15) \
	EXPSUM(KEEP2, REST2, PART) \
	LARGE \
	MOVB R3, 28(R15) \
	FMOVD F0, 8(R15) \
	FMOVD F1, 16(R15) \
	ADD $32, R15 \
	ADD $(8*const_block64), R6 \
	ADD $(8*const_block64), R7 \
	SUBS $1, R9 \
	BNE block \
end:

// func expBlocks64NEON(dst, src *float64, blocks int, scans *blockScan[float64]) (done int)
TEXT ·expBlocks64NEON(SB), NOSPLIT, $408-40
	MOVD dst+0(FP), R6
	MOVD src+8(FP), R7
	MOVD blocks+16(FP), R9
	MOVD scans+24(FP), R15
	CONSTANTS
	ROOM
	SCANBLOCKS(EXPKEEP2, EXPREST2, EXPPART)
	MOVD blocks+16(FP), R3
	SUB R9, R3
	MOVD R3, done+32(FP)
	RET

// func sumBlocks64NEON(src *float64, blocks int, scans *blockScan[float64]) (done int)
TEXT ·sumBlocks64NEON(SB), NOSPLIT, $408-32
	MOVD src+0(FP), R7
	MOVD blocks+8(FP), R9
	MOVD scans+16(FP), R15
	CONSTANTS
	ROOM
	SCANBLOCKS(SUMKEEP2, SUMREST2, SUMPART)
	MOVD blocks+8(FP), R3
	SUB R9, R3
	MOVD R3, done+24(FP)
	RET

// func sumBlock64NEON(src *float64, n int, ref *reference[float64]) (sum doubleDouble, large bool)
TEXT ·sumBlock64NEON(SB), NOSPLIT, $408-41
	MOVD src+0(FP), R7
	MOVD n+8(FP), R8
	MOVD ref+16(FP), R3
	CONSTANTS
	ROOM
	LOADREF
	EXPSUM(SUMKEEP2, SUMREST2, SUMPART)
	LARGE
	FMOVD F0, sum_hi+24(FP)
	FMOVD F1, sum_lo+32(FP)
	MOVB R3, large+40(FP)
	RET

// func sumRows64NEON(sums *rowSum[float64], src *float64, cols, rows, stride int)
//
// R15 points to what is found out about the row.
TEXT ·sumRows64NEON(SB), NOSPLIT, $408-40
	MOVD sums+0(FP), R15
	MOVD src+8(FP), R7
	MOVD cols+16(FP), R8
	MOVD rows+24(FP), R9
	MOVD stride+32(FP), R11
	LSL $3, R11
	CONSTANTS
	ROOM

row:
	MOVD R7, R1
	MOVD R8, R2
	MAXIMUM
	FMOVD F(p0), (R15)
	REFERENCE(far, near)
	EXPSUM(SUMKEEP2, SUMREST2, SUMPART)
	FMOVD F0, 16(R15)
	FMOVD F1, 24(R15)
	VLD1R (R15), [V0.D2]
	VLD1R (R15), [V1.D2]
	FMOVQ copy-16(SP), F(t0)
	FMOVQ copy-16(SP), F(t1)
	FRONT2(x0, t0, p0, x1, t1, p1)
	BACK2(x0, t0, p0, x1, t1, p1)
	FMOVD F(p0), 8(R15)
	ADD $32, R15
	ADD R11, R7
	SUBS $1, R9
	BNE row
	RET

	FAR(far, near)

// func scaleBlock64NEON(dst *float64, n int, f *factor[float64])
TEXT ·scaleBlock64NEON(SB), NOSPLIT, $0-24
	MOVD dst+0(FP), R0
	MOVD dst+0(FP), R1
	MOVD n+8(FP), R2
	MOVD f+16(FP), R3
	LOADFACTOR
	CBNZ R4, careful
	MAP(SCALE, scaleLoop, scaleBelow8, scaleVectors, scaleOne, scaled)
	RET

careful:
	GRADUAL
	MAP(SCALECARE, careLoop, careBelow8, careVectors, careOne, cared)
	RESTORE
	RET

// func expScaleBlock64NEON(dst, src *float64, n int, ref *reference[float64], f *factor[float64])
//
// The factor must not be a careful one.
TEXT ·expScaleBlock64NEON(SB), NOSPLIT, $24-40
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD n+16(FP), R2
	MOVD ref+24(FP), R3
	CONSTANTS
	LOADREF
	MOVD f+32(FP), R3
	LOADFACTOR
	EXPSCALE(SCALEKEEP2, SCALEREST2, SCALEPART)
	RET

// func expScaleCareBlock64NEON(dst, src *float64, n int, ref *reference[float64], f *factor[float64])
//
// The factor must be a careful one.
TEXT ·expScaleCareBlock64NEON(SB), NOSPLIT, $24-40
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD n+16(FP), R2
	MOVD ref+24(FP), R3
	CONSTANTS
	LOADREF
	MOVD f+32(FP), R3
	LOADFACTOR
	GRADUAL
	EXPSCALE(CAREKEEP2, CAREREST2, CAREPART)
	RESTORE
	RET

// func subtractBlock64NEON(dst, src *float64, n int, m, rest float64)
TEXT ·subtractBlock64NEON(SB), NOSPLIT, $0-40
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD n+16(FP), R2
	FMOVD m+24(FP), F(first)
	FMOVD rest+32(FP), F(second)
	VDUP V17.D[0], V17.D2
	VDUP V18.D[0], V18.D2
	MAP(SUBTRACT, loop, below8, vectors, one, done)
	RET
