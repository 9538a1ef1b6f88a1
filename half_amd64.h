// Conversions between float32 and the formats of 16 bits, for AVX2 with F16C and
// for AVX-512.
//
// Use of registers:
//
//	DI  dst          SI  src         CX  elements left
//	Y0-Y3 or Z0-Z3   elements        Y4-Y7 or Z4-Z7  scratch
//	Y8 or Z8         maximum         Y9, Y10 or Z9, Z10  constants

#define REPEATED(name, value) \
	DATA name<>+0(SB)/4, $value  \
	DATA name<>+4(SB)/4, $value  \
	DATA name<>+8(SB)/4, $value  \
	DATA name<>+12(SB)/4, $value \
	DATA name<>+16(SB)/4, $value \
	DATA name<>+20(SB)/4, $value \
	DATA name<>+24(SB)/4, $value \
	DATA name<>+28(SB)/4, $value \
	GLOBL name<>(SB), RODATA|NOPTR, $32

REPEATED(negativeInfinity, 0xFF800000)
REPEATED(belowHalf, 0x00007FFF)       // less than half of the last place of a bfloat16
REPEATED(lastPlace, 1)

// ALL converts the CX elements at SI, at least a vector: groups of four vectors, then
// vectors, then what is left as a vector that ends where it does. FOUR and ONE do them,
// and move nothing. Elements at SI have from bytes, those at DI have to bytes.
#define ALL(FOUR, ONE, width, from, to, groups, vectors, vector, rest, done) \
	SUBQ $(4*width), CX \
	JLT vectors \
groups: \
	FOUR \
	ADDQ $(4*width*from), SI \
	ADDQ $(4*width*to), DI \
	SUBQ $(4*width), CX \
	JGE groups \
vectors: \
	ADDQ $(3*width), CX \
	JLT rest \
vector: \
	ONE \
	ADDQ $(width*from), SI \
	ADDQ $(width*to), DI \
	SUBQ $width, CX \
	JGE vector \
rest: \
	ADDQ $width, CX \
	JEQ done \
	LEAQ -(width*from)(SI)(CX*from), SI \
	LEAQ -(width*to)(DI)(CX*to), DI \
	ONE \
done:

// MAXIMUM4 adds four vectors to the maximum.
#define MAXIMUM4(A, B, C, D, M) \
	VMAXPS B, A, A \
	VMAXPS D, C, C \
	VMAXPS C, A, A \
	VMAXPS A, M, M

// LARGEST sets X0 to the maximum in Y8, and LARGESTZ to that in Z8.
#define LARGEST \
	VEXTRACTF128 $1, Y8, X1 \
	VMAXPS X1, X8, X0 \
	VPERMILPS $0x4E, X0, X1 \
	VMAXPS X1, X0, X0 \
	VPERMILPS $0xB1, X0, X1 \
	VMAXSS X1, X0, X0

// WIDENB converts bfloat16 at P to float32 in Y.
#define WIDENB(P, Y) \
	VPMOVZXWD P, Y \
	VPSLLD $16, Y, Y

// ROUNDB rounds Y to bfloat16, in the low 16 bits of each element. Ties go to an even last
// place. T is needed.
#define ROUNDB(Y, T) \
	VPSRLD $16, Y, T \
	VPAND Y10, T, T \
	VPADDD Y9, Y, Y \
	VPADDD T, Y, Y \
	VPSRLD $16, Y, Y
#define ROUNDBZ(Z, T) \
	VPSRLD $16, Z, T \
	VPANDD Z10, T, T \
	VPADDD Z9, Z, Z \
	VPADDD T, Z, Z \
	VPSRLD $16, Z, Z

#define LARGESTZ \
	VEXTRACTF64X4 $1, Z8, Y0 \
	VMAXPS Y0, Y8, Y8 \
	LARGEST

#define WIDEN4 \
	VCVTPH2PS (SI), Y0 \
	VCVTPH2PS 16(SI), Y1 \
	VCVTPH2PS 32(SI), Y2 \
	VCVTPH2PS 48(SI), Y3 \
	VMOVUPS Y0, (DI) \
	VMOVUPS Y1, 32(DI) \
	VMOVUPS Y2, 64(DI) \
	VMOVUPS Y3, 96(DI) \
	MAXIMUM4(Y0, Y1, Y2, Y3, Y8)
#define WIDEN1 \
	VCVTPH2PS (SI), Y0 \
	VMOVUPS Y0, (DI) \
	VMAXPS Y0, Y8, Y8

#define WIDENB4 \
	WIDENB((SI), Y0) \
	WIDENB(16(SI), Y1) \
	WIDENB(32(SI), Y2) \
	WIDENB(48(SI), Y3) \
	VMOVUPS Y0, (DI) \
	VMOVUPS Y1, 32(DI) \
	VMOVUPS Y2, 64(DI) \
	VMOVUPS Y3, 96(DI) \
	MAXIMUM4(Y0, Y1, Y2, Y3, Y8)
#define WIDENB1 \
	WIDENB((SI), Y0) \
	VMOVUPS Y0, (DI) \
	VMAXPS Y0, Y8, Y8

// The immediate 0 rounds to nearest even.
#define NARROW4 \
	VMOVUPS (SI), Y0 \
	VMOVUPS 32(SI), Y1 \
	VMOVUPS 64(SI), Y2 \
	VMOVUPS 96(SI), Y3 \
	VCVTPS2PH $0, Y0, (DI) \
	VCVTPS2PH $0, Y1, 16(DI) \
	VCVTPS2PH $0, Y2, 32(DI) \
	VCVTPS2PH $0, Y3, 48(DI)
#define NARROW1 \
	VMOVUPS (SI), Y0 \
	VCVTPS2PH $0, Y0, (DI)

// Packing leaves the quarters of two vectors in the order 0, 2, 1, 3.
#define NARROWB4 \
	VMOVUPS (SI), Y0 \
	VMOVUPS 32(SI), Y1 \
	VMOVUPS 64(SI), Y2 \
	VMOVUPS 96(SI), Y3 \
	ROUNDB(Y0, Y4) \
	ROUNDB(Y1, Y5) \
	ROUNDB(Y2, Y6) \
	ROUNDB(Y3, Y7) \
	VPACKUSDW Y1, Y0, Y0 \
	VPACKUSDW Y3, Y2, Y2 \
	VPERMQ $0xD8, Y0, Y0 \
	VPERMQ $0xD8, Y2, Y2 \
	VMOVDQU Y0, (DI) \
	VMOVDQU Y2, 32(DI)
#define NARROWB1 \
	VMOVUPS (SI), Y0 \
	ROUNDB(Y0, Y4) \
	VEXTRACTI128 $1, Y0, X1 \
	VPACKUSDW X1, X0, X0 \
	VMOVDQU X0, (DI)

#define WIDENZ4 \
	VCVTPH2PS (SI), Z0 \
	VCVTPH2PS 32(SI), Z1 \
	VCVTPH2PS 64(SI), Z2 \
	VCVTPH2PS 96(SI), Z3 \
	VMOVUPS Z0, (DI) \
	VMOVUPS Z1, 64(DI) \
	VMOVUPS Z2, 128(DI) \
	VMOVUPS Z3, 192(DI) \
	MAXIMUM4(Z0, Z1, Z2, Z3, Z8)
#define WIDENZ1 \
	VCVTPH2PS (SI), Z0 \
	VMOVUPS Z0, (DI) \
	VMAXPS Z0, Z8, Z8

#define WIDENBZ4 \
	WIDENB((SI), Z0) \
	WIDENB(32(SI), Z1) \
	WIDENB(64(SI), Z2) \
	WIDENB(96(SI), Z3) \
	VMOVUPS Z0, (DI) \
	VMOVUPS Z1, 64(DI) \
	VMOVUPS Z2, 128(DI) \
	VMOVUPS Z3, 192(DI) \
	MAXIMUM4(Z0, Z1, Z2, Z3, Z8)
#define WIDENBZ1 \
	WIDENB((SI), Z0) \
	VMOVUPS Z0, (DI) \
	VMAXPS Z0, Z8, Z8

#define NARROWZ4 \
	VMOVUPS (SI), Z0 \
	VMOVUPS 64(SI), Z1 \
	VMOVUPS 128(SI), Z2 \
	VMOVUPS 192(SI), Z3 \
	VCVTPS2PH $0, Z0, (DI) \
	VCVTPS2PH $0, Z1, 32(DI) \
	VCVTPS2PH $0, Z2, 64(DI) \
	VCVTPS2PH $0, Z3, 96(DI)
#define NARROWZ1 \
	VMOVUPS (SI), Z0 \
	VCVTPS2PH $0, Z0, (DI)

#define NARROWBZ4 \
	VMOVUPS (SI), Z0 \
	VMOVUPS 64(SI), Z1 \
	VMOVUPS 128(SI), Z2 \
	VMOVUPS 192(SI), Z3 \
	ROUNDBZ(Z0, Z4) \
	ROUNDBZ(Z1, Z5) \
	ROUNDBZ(Z2, Z6) \
	ROUNDBZ(Z3, Z7) \
	VPMOVDW Z0, (DI) \
	VPMOVDW Z1, 32(DI) \
	VPMOVDW Z2, 64(DI) \
	VPMOVDW Z3, 96(DI)
#define NARROWBZ1 \
	VMOVUPS (SI), Z0 \
	ROUNDBZ(Z0, Z4) \
	VPMOVDW Z0, (DI)

// These convert the CX elements at SI: WIDEN leaves the maximum across Y8 or Z8. The
// other operands are names for labels.
#define WIDENFLOAT16(groups, vectors, vector, rest, done) \
	VMOVUPS negativeInfinity<>(SB), Y8 \
	ALL(WIDEN4, WIDEN1, 8, 2, 4, groups, vectors, vector, rest, done)
#define WIDENBFLOAT16(groups, vectors, vector, rest, done) \
	VMOVUPS negativeInfinity<>(SB), Y8 \
	ALL(WIDENB4, WIDENB1, 8, 2, 4, groups, vectors, vector, rest, done)
#define NARROWFLOAT16(groups, vectors, vector, rest, done) \
	ALL(NARROW4, NARROW1, 8, 4, 2, groups, vectors, vector, rest, done)
#define NARROWBFLOAT16(groups, vectors, vector, rest, done) \
	VMOVDQU belowHalf<>(SB), Y9 \
	VMOVDQU lastPlace<>(SB), Y10 \
	ALL(NARROWB4, NARROWB1, 8, 4, 2, groups, vectors, vector, rest, done)
#define WIDENFLOAT16Z(groups, vectors, vector, rest, done) \
	VBROADCASTSS negativeInfinity<>(SB), Z8 \
	ALL(WIDENZ4, WIDENZ1, 16, 2, 4, groups, vectors, vector, rest, done)
#define WIDENBFLOAT16Z(groups, vectors, vector, rest, done) \
	VBROADCASTSS negativeInfinity<>(SB), Z8 \
	ALL(WIDENBZ4, WIDENBZ1, 16, 2, 4, groups, vectors, vector, rest, done)
#define NARROWFLOAT16Z(groups, vectors, vector, rest, done) \
	ALL(NARROWZ4, NARROWZ1, 16, 4, 2, groups, vectors, vector, rest, done)
#define NARROWBFLOAT16Z(groups, vectors, vector, rest, done) \
	VPBROADCASTD belowHalf<>(SB), Z9 \
	VPBROADCASTD lastPlace<>(SB), Z10 \
	ALL(NARROWBZ4, NARROWBZ1, 16, 4, 2, groups, vectors, vector, rest, done)
