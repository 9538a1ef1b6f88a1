// Instructions that Go's assembler lacks, as in neon_arm64.h.

// FCVTN Vd.2S, Vn.2D
#define VFCVTN(n, d) WORD $(0x0E616800 | (n)<<5 | (d))

// FCVTN2 Vd.4S, Vn.2D
#define VFCVTN2(n, d) WORD $(0x4E616800 | (n)<<5 | (d))
