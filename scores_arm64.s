//go:build !purego

// Attention scores for NEON. Operation for operation it is the Go code in
// scores_generic.go, four elements per vector. Subnormal numbers never count as 0.
//
// Use of general registers:
//
//	R0  dst        R1  src       R2  elements left   R3, R4  scratch
//	R5  constants  R6  tanhTable
//	R7  bias       R8  keep      in step with dst and src
//	R9  softcap    R10  slope    R11  bias           R12  keep
//	                             not 0 if wanted
//	R13  those four ORed         R14  elements before the first whole vector

#include "textflag.h"
#include "neon_arm64.h"
#include "subnormal_arm64.h"

// Use of vector registers. The macros in neon_arm64.h take these numbers; where
// Go's assembler has the instruction and wants a name, V24 is terms, and so on.
#define x0 0        // x0-x3: scores
#define x1 1
#define x2 2
#define x3 3
#define r0 4        // r0-r3: magnitudes, then their distances from a center
#define r1 5
#define r2 6
#define r3 7
#define j0 8        // j0-j3: indices in a row of tanhTable, by bytes
#define j1 9
#define j2 10
#define j3 11
#define p0 12       // p0-p3, q0-q3: hyperbolic tangents; scratch elsewhere
#define p1 13
#define p2 14
#define p3 15
#define q0 16
#define q1 17
#define q2 18
#define q3 19
#define row 20      // row of tanhTable
#define row1 21
#define top 22      // maximum
#define first 23    // scores of the first vector
#define terms 24    // scale, tanhSpread, softcap, slope
#define removed 25  // -Inf
#define distance 26 // integers
#define four 27
#define spread 28   // index that copies byte 0 of each element to all its bytes
#define plane 29    // k in byte k of each element
#define index5 30   // 0x1C in each byte
#define cap 31      // softcap

// A vector of four times the same value.
#define VECTOR(name, offset, value) \
	DATA name<>+(offset+0)(SB)/4, $value \
	DATA name<>+(offset+4)(SB)/4, $value \
	DATA name<>+(offset+8)(SB)/4, $value \
	DATA name<>+(offset+12)(SB)/4, $value

// The constants of scores_generic.go, but for tanhSpread.
#define atLimit 0
VECTOR(constants, atLimit, 0x41102D0E) // tanhLimit
#define atStart 16
VECTOR(constants, atStart, 0x3F100000) // tanhStart
#define atSign 32
VECTOR(constants, atSign, 0x80000000)

#define atSpread 48
DATA constants<>+48(SB)/8, $0x0404040400000000
DATA constants<>+56(SB)/8, $0x0C0C0C0C08080808
#define atPlane 64
VECTOR(constants, atPlane, 0x03020100)
#define atIota 80
DATA constants<>+80(SB)/8, $0x0000000100000000
DATA constants<>+88(SB)/8, $0x0000000300000002

// Indices that copy each byte of a quarter of a vector to the bytes of an element.
#define atWiden 96
DATA constants<>+96(SB)/8, $0x0101010100000000
DATA constants<>+104(SB)/8, $0x0303030302020202
DATA constants<>+112(SB)/8, $0x0505050504040404
DATA constants<>+120(SB)/8, $0x0707070706060606
DATA constants<>+128(SB)/8, $0x0909090908080808
DATA constants<>+136(SB)/8, $0x0B0B0B0B0A0A0A0A
DATA constants<>+144(SB)/8, $0x0D0D0D0D0C0C0C0C
DATA constants<>+152(SB)/8, $0x0F0F0F0F0E0E0E0E
GLOBL constants<>(SB), RODATA|NOPTR, $160

// INTERVAL divides the scores x by softcap. Their magnitudes, limited by row, go to
// r, and the intervals to j.
#define INTERVAL(x, r, j) \
	FMOVQ atStart(R5), F(j) \
	VFDIV(cap, x, x) \
	VFABS(x, r) \
	VFMIN(row, r, r) \
	VFMLA1(terms, r, j) \
	VUSHR20(j, j) \
	VTBL1(spread, j, j) \
	VBIFV(index5, plane, j)

// ROW loads a row of tanhTable. CENTER and TERM use it.
#define ROW(k) VLDPQ(32*k, 6, row, row1)
#define CENTER(r, j, p) \
	VTBL2(j, row, p) \
	VFSUB(p, r, r)
#define TERM(r, j, p, q) \
	VTBL2(j, row, q) \
	VFMLAV(r, p, q)

// CAPPED joins the hyperbolic tangent p, which is not negative, with the sign of x,
// whose mask is in row, and multiplies it by softcap.
#define CAPPED(x, p) \
	VBITV(row, x, p) \
	VFMUL2(terms, p, x)

// TERM4 does the next step of the four polynomials a, b, c, d: to e, f, g, h.
#define TERM4(k, a, b, c, d, e, f, g, h) \
	ROW(k) \
	TERM(r0, j0, a, e) \
	TERM(r1, j1, b, f) \
	TERM(r2, j2, c, g) \
	TERM(r3, j3, d, h)

// CAP4 caps the scores x0-x3, and CAP1 those in x0.
#define CAP4 \
	FMOVQ atLimit(R5), F(row) \
	INTERVAL(x0, r0, j0) \
	INTERVAL(x1, r1, j1) \
	INTERVAL(x2, r2, j2) \
	INTERVAL(x3, r3, j3) \
	ROW(0) \
	CENTER(r0, j0, p0) \
	CENTER(r1, j1, p1) \
	CENTER(r2, j2, p2) \
	CENTER(r3, j3, p3) \
	ROW(1) \
	VTBL2(j0, row, p0) \
	VTBL2(j1, row, p1) \
	VTBL2(j2, row, p2) \
	VTBL2(j3, row, p3) \
	TERM4(2, p0, p1, p2, p3, q0, q1, q2, q3) \
	TERM4(3, q0, q1, q2, q3, p0, p1, p2, p3) \
	TERM4(4, p0, p1, p2, p3, q0, q1, q2, q3) \
	TERM4(5, q0, q1, q2, q3, p0, p1, p2, p3) \
	TERM4(6, p0, p1, p2, p3, q0, q1, q2, q3) \
	TERM4(7, q0, q1, q2, q3, p0, p1, p2, p3) \
	TERM4(8, p0, p1, p2, p3, q0, q1, q2, q3) \
	FMOVQ atSign(R5), F(row) \
	CAPPED(x0, q0) \
	CAPPED(x1, q1) \
	CAPPED(x2, q2) \
	CAPPED(x3, q3)
#define CAP1 \
	FMOVQ atLimit(R5), F(row) \
	INTERVAL(x0, r0, j0) \
	ROW(0) \
	CENTER(r0, j0, p0) \
	ROW(1) \
	VTBL2(j0, row, p0) \
	ROW(2) \
	TERM(r0, j0, p0, q0) \
	ROW(3) \
	TERM(r0, j0, q0, p0) \
	ROW(4) \
	TERM(r0, j0, p0, q0) \
	ROW(5) \
	TERM(r0, j0, q0, p0) \
	ROW(6) \
	TERM(r0, j0, p0, q0) \
	ROW(7) \
	TERM(r0, j0, q0, p0) \
	ROW(8) \
	TERM(r0, j0, p0, q0) \
	FMOVQ atSign(R5), F(row) \
	CAPPED(x0, q0)

// SLOPED subtracts the distances times the slope from x.
#define SLOPED(x, p) \
	VSCVTF(distance, p) \
	VFABS(p, p) \
	VFMUL3(terms, p, p) \
	VFSUB(p, x, x) \
	VADDS(four, distance, distance)

// BIASED adds the bias p to x. What -Inf is added to does not matter.
#define BIASED(x, p, q) \
	VFCMEQ(removed, p, q) \
	VFADD(p, x, x) \
	VBITV(q, p, x)

// KEPT removes the keys of x for which keep, of which bytes 0 in row are set, is
// false. q selects four bytes.
#define KEPT(x, q) \
	VTBL1(q, row, q) \
	VBITV(q, removed, x)

// SCORES1 makes scores of the vector at R1, in x0, and moves on.
#define SCORES1(slope, bias, keep, done) \
	FMOVQ.P 16(R1), F(x0) \
	VFMUL0(terms, x0, x0) \
	CBZ R13, done \
	CBZ R9, slope \
	CAP1 \
slope: \
	CBZ R10, bias \
	SLOPED(x0, p0) \
bias: \
	CBZ R11, keep \
	FMOVQ.P 16(R7), F(p0) \
	BIASED(x0, p0, q0) \
keep: \
	CBZ R12, done \
	FMOVS.P 4(R8), F(row) \
	VCMEQ0B(row, row) \
	FMOVQ atWiden(R5), F(q0) \
	KEPT(x0, q0) \
done:

// func scoreBlockNEON(dst, src *float32, n int, s *scoring) float32
//
// n is at least 4. If it is no multiple of 4, the first vector is done first, because
// dst may be src, and stored last: it overlaps the one behind.
TEXT ·scoreBlockNEON(SB), NOSPLIT, $0-36
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD n+16(FP), R2
	MOVD s+24(FP), R4
	GRADUAL
	MOVD $constants<>(SB), R5
	MOVD $·tanhTable(SB), R6
	MOVD 0(R4), R7
	MOVD 8(R4), R8
	FMOVQ 16(R4), F(terms)
	MOVWU 24(R4), R9
	MOVWU 28(R4), R10
	MOVD R7, R11
	MOVD R8, R12
	ORR R9, R10, R13
	ORR R11, R13
	ORR R12, R13
	MOVD $0x3F533333, R3
	VMOV R3, V24.S[1]
	VDUP V24.S[2], V31.S4
	MOVWU 32(R4), R3
	VDUP R3, V26.S4
	FMOVQ atIota(R5), F(p0)
	VADDS(p0, distance, distance)
	MOVD $4, R3
	VDUP R3, V27.S4
	FMOVQ atSpread(R5), F(spread)
	FMOVQ atPlane(R5), F(plane)
	VMOVI $0x1C, V30.B16
	MOVD $0xFF800000, R3
	VDUP R3, V25.S4
	VDUP R3, V22.S4
	ANDS $3, R2, R14
	BEQ whole

	SCORES1(slope, bias, keep, done)
	VCOPY(x0, first)
	VCOPY(x0, top)
	SUB R14, R2
	ADD R14<<2, R0
	SUB $4, R14, R3
	ADD R3<<2, R1
	ADD R3<<2, R7
	ADD R3, R8
	VDUP R3, V12.S4
	VADDS(p0, distance, distance)

whole:
	SUBS $16, R2
	BLT vectors

group:
	VLDPQ(0, 1, x0, x1)
	VLDPQ(32, 1, x2, x3)
	ADD $64, R1
	VFMUL0(terms, x0, x0)
	VFMUL0(terms, x1, x1)
	VFMUL0(terms, x2, x2)
	VFMUL0(terms, x3, x3)
	CBZ R13, done4
	CBZ R9, slope4
	CAP4

slope4:
	CBZ R10, bias4
	SLOPED(x0, p0)
	SLOPED(x1, p1)
	SLOPED(x2, p2)
	SLOPED(x3, p3)

bias4:
	CBZ R11, keep4
	VLDPQ(0, 7, p0, p1)
	VLDPQ(32, 7, p2, p3)
	ADD $64, R7
	BIASED(x0, p0, q0)
	BIASED(x1, p1, q1)
	BIASED(x2, p2, q2)
	BIASED(x3, p3, q3)

keep4:
	CBZ R12, done4
	FMOVQ.P 16(R8), F(row)
	VCMEQ0B(row, row)
	VLDPQ(atWiden, 5, q0, q1)
	VLDPQ(atWiden+32, 5, q2, q3)
	KEPT(x0, q0)
	KEPT(x1, q1)
	KEPT(x2, q2)
	KEPT(x3, q3)

done4:
	VSTPQ(x0, x1, 0, 0)
	VSTPQ(x2, x3, 32, 0)
	ADD $64, R0
	VFMAX(x1, x0, x0)
	VFMAX(x3, x2, x2)
	VFMAX(x2, x0, x0)
	VFMAX(x0, top, top)
	SUBS $16, R2
	BGE group

vectors:
	ADDS $12, R2
	BLT end

vector:
	SCORES1(slope1, bias1, keep1, done1)
	FMOVQ.P F(x0), 16(R0)
	VFMAX(x0, top, top)
	SUBS $4, R2
	BGE vector

end:
	CBZ R14, maximum
	MOVD dst+0(FP), R0
	FMOVQ F(first), (R0)

maximum:
	VFMAXP(top, top, top)
	VFMAXP(top, top, top)
	FMOVS F(top), ret+32(FP)
	RESTORE
	RET

// func undefinedBlockNEON(dst *float32, n int, s *scoring)
//
// n is at least 4. The last vector, at the index in R2, may overlap the one before. The
// index is R3.
TEXT ·undefinedBlockNEON(SB), NOSPLIT, $0-24
	MOVD dst+0(FP), R0
	MOVD n+8(FP), R2
	MOVD s+16(FP), R4
	MOVD $constants<>(SB), R5
	MOVD 0(R4), R7
	MOVD 8(R4), R8
	FMOVQ atWiden(R5), F(q0)
	MOVD $0xFF800000, R6
	VDUP R6, V25.S4
	MOVD $0x7FC00000, R6
	VEOR V12.B16, V12.B16, V12.B16
	SUB $4, R2
	MOVD $0, R3

vector:
	VDUP R6, V0.S4
	CBZ R7, keep
	ADD R3<<2, R7, R9
	FMOVQ (R9), F(p1)
	VFCMEQ(removed, p1, p1)
	VBITV(p1, p0, x0)

keep:
	CBZ R8, store
	ADD R3, R8, R9
	FMOVS (R9), F(row)
	VCMEQ0B(row, row)
	VTBL1(q0, row, p1)
	VBITV(p1, p0, x0)

store:
	ADD R3<<2, R0, R9
	FMOVQ F(x0), (R9)
	CMP R2, R3
	BEQ done
	ADD $4, R3
	CMP R2, R3
	CSEL GT, R2, R3, R3
	B vector

done:
	RET
