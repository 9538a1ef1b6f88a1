//go:build !purego

// Conversions between float32 and the formats of 16 bits, for AVX2 with F16C and
// for AVX-512. The functions want at least one vector of elements.

#include "textflag.h"
#include "half_amd64.h"

// func widenFloat16AVX2(dst *float32, src *Float16, n int) float32
TEXT ·widenFloat16AVX2(SB), NOSPLIT, $0-28
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	WIDENFLOAT16(groups, vectors, vector, rest, done)
	LARGEST
	VMOVSS X0, ret+24(FP)
	VZEROUPPER
	RET

// func widenBFloat16AVX2(dst *float32, src *BFloat16, n int) float32
TEXT ·widenBFloat16AVX2(SB), NOSPLIT, $0-28
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	WIDENBFLOAT16(groups, vectors, vector, rest, done)
	LARGEST
	VMOVSS X0, ret+24(FP)
	VZEROUPPER
	RET

// func narrowFloat16AVX2(dst *Float16, src *float32, n int)
TEXT ·narrowFloat16AVX2(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	NARROWFLOAT16(groups, vectors, vector, rest, done)
	VZEROUPPER
	RET

// func narrowBFloat16AVX2(dst *BFloat16, src *float32, n int)
TEXT ·narrowBFloat16AVX2(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	NARROWBFLOAT16(groups, vectors, vector, rest, done)
	VZEROUPPER
	RET

// func widenFloat16AVX512(dst *float32, src *Float16, n int) float32
TEXT ·widenFloat16AVX512(SB), NOSPLIT, $0-28
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	WIDENFLOAT16Z(groups, vectors, vector, rest, done)
	LARGESTZ
	VMOVSS X0, ret+24(FP)
	VZEROUPPER
	RET

// func widenBFloat16AVX512(dst *float32, src *BFloat16, n int) float32
TEXT ·widenBFloat16AVX512(SB), NOSPLIT, $0-28
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	WIDENBFLOAT16Z(groups, vectors, vector, rest, done)
	LARGESTZ
	VMOVSS X0, ret+24(FP)
	VZEROUPPER
	RET

// func narrowFloat16AVX512(dst *Float16, src *float32, n int)
TEXT ·narrowFloat16AVX512(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	NARROWFLOAT16Z(groups, vectors, vector, rest, done)
	VZEROUPPER
	RET

// func narrowBFloat16AVX512(dst *BFloat16, src *float32, n int)
TEXT ·narrowBFloat16AVX512(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	NARROWBFLOAT16Z(groups, vectors, vector, rest, done)
	VZEROUPPER
	RET
