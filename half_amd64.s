//go:build !purego

// Conversions between float32 and the formats of 16 bits, for AVX2 with F16C and
// for AVX-512. The functions want at least one vector of elements.

#include "textflag.h"
#include "half_amd64.h"

// WIDENED and NARROWED are the bodies of the functions.
#define WIDENED(CONVERT, LARGEST) \
	MOVQ dst+0(FP), DI \
	MOVQ src+8(FP), SI \
	MOVQ n+16(FP), CX \
	CONVERT(groups, vectors, vector, rest, done) \
	LARGEST \
	VMOVSS X0, ret+24(FP) \
	VZEROUPPER \
	RET
#define NARROWED(CONVERT) \
	MOVQ dst+0(FP), DI \
	MOVQ src+8(FP), SI \
	MOVQ n+16(FP), CX \
	CONVERT(groups, vectors, vector, rest, done) \
	VZEROUPPER \
	RET

// func widenFloat16AVX2(dst *float32, src *Float16, n int) float32
TEXT ·widenFloat16AVX2(SB), NOSPLIT, $0-28
	WIDENED(WIDENFLOAT16, LARGEST)

// func widenBFloat16AVX2(dst *float32, src *BFloat16, n int) float32
TEXT ·widenBFloat16AVX2(SB), NOSPLIT, $0-28
	WIDENED(WIDENBFLOAT16, LARGEST)

// func narrowFloat16AVX2(dst *Float16, src *float32, n int)
TEXT ·narrowFloat16AVX2(SB), NOSPLIT, $0-24
	NARROWED(NARROWFLOAT16)

// func narrowBFloat16AVX2(dst *BFloat16, src *float32, n int)
TEXT ·narrowBFloat16AVX2(SB), NOSPLIT, $0-24
	NARROWED(NARROWBFLOAT16)

// func widenFloat16AVX512(dst *float32, src *Float16, n int) float32
TEXT ·widenFloat16AVX512(SB), NOSPLIT, $0-28
	WIDENED(WIDENFLOAT16Z, LARGESTZ)

// func widenBFloat16AVX512(dst *float32, src *BFloat16, n int) float32
TEXT ·widenBFloat16AVX512(SB), NOSPLIT, $0-28
	WIDENED(WIDENBFLOAT16Z, LARGESTZ)

// func narrowFloat16AVX512(dst *Float16, src *float32, n int)
TEXT ·narrowFloat16AVX512(SB), NOSPLIT, $0-24
	NARROWED(NARROWFLOAT16Z)

// func narrowBFloat16AVX512(dst *BFloat16, src *float32, n int)
TEXT ·narrowBFloat16AVX512(SB), NOSPLIT, $0-24
	NARROWED(NARROWBFLOAT16Z)
