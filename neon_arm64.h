// Instructions that Go's assembler lacks, or that it does not take with the
// number of a register as operand. Operands are numbers of registers, in Go's
// order: the destination is last. An offset is a multiple of 16.
//
// The comment over each macro is the instruction as Arm writes it. The tests in
// internal/asmcheck decode what the macro makes and compare.

// LDP Qt, Qu, [Xn, #offset]
#define VLDPQ(offset, n, t, u) WORD $(0xAD400000 | ((offset)>>4&0x7F)<<15 | (u)<<10 | (n)<<5 | (t))

// STP Qt, Qu, [Xn, #offset]
#define VSTPQ(t, u, offset, n) WORD $(0xAD000000 | ((offset)>>4&0x7F)<<15 | (u)<<10 | (n)<<5 | (t))

// FADD Vd.4S, Vn.4S, Vm.4S
#define VFADD(m, n, d) WORD $(0x4E20D400 | (m)<<16 | (n)<<5 | (d))

// FSUB Vd.4S, Vn.4S, Vm.4S
#define VFSUB(m, n, d) WORD $(0x4EA0D400 | (m)<<16 | (n)<<5 | (d))

// FMUL Vd.4S, Vn.4S, Vm.4S
#define VFMUL(m, n, d) WORD $(0x6E20DC00 | (m)<<16 | (n)<<5 | (d))

// FDIV Vd.4S, Vn.4S, Vm.4S
#define VFDIV(m, n, d) WORD $(0x6E20FC00 | (m)<<16 | (n)<<5 | (d))

// FMLA Vd.4S, Vn.4S, Vm.4S
#define VFMLAV(m, n, d) WORD $(0x4E20CC00 | (m)<<16 | (n)<<5 | (d))

// FMUL Vd.4S, Vn.4S, Vm.S[0]
#define VFMUL0(m, n, d) WORD $(0x4F809000 | (m)<<16 | (n)<<5 | (d))

// FMUL Vd.4S, Vn.4S, Vm.S[1]
#define VFMUL1(m, n, d) WORD $(0x4FA09000 | (m)<<16 | (n)<<5 | (d))

// FMUL Vd.4S, Vn.4S, Vm.S[2]
#define VFMUL2(m, n, d) WORD $(0x4F809800 | (m)<<16 | (n)<<5 | (d))

// FMUL Vd.4S, Vn.4S, Vm.S[3]
#define VFMUL3(m, n, d) WORD $(0x4FA09800 | (m)<<16 | (n)<<5 | (d))

// FMLA Vd.4S, Vn.4S, Vm.S[0]
#define VFMLA0(m, n, d) WORD $(0x4F801000 | (m)<<16 | (n)<<5 | (d))

// FMLA Vd.4S, Vn.4S, Vm.S[1]
#define VFMLA1(m, n, d) WORD $(0x4FA01000 | (m)<<16 | (n)<<5 | (d))

// FMLA Vd.4S, Vn.4S, Vm.S[2]
#define VFMLA2(m, n, d) WORD $(0x4F801800 | (m)<<16 | (n)<<5 | (d))

// FMLA Vd.4S, Vn.4S, Vm.S[3]
#define VFMLA3(m, n, d) WORD $(0x4FA01800 | (m)<<16 | (n)<<5 | (d))

// FMLS Vd.4S, Vn.4S, Vm.S[1]
#define VFMLS1(m, n, d) WORD $(0x4FA05000 | (m)<<16 | (n)<<5 | (d))

// FMLS Vd.4S, Vn.4S, Vm.S[2]
#define VFMLS2(m, n, d) WORD $(0x4F805800 | (m)<<16 | (n)<<5 | (d))

// FNEG Vd.4S, Vn.4S
#define VFNEG(n, d) WORD $(0x6EA0F800 | (n)<<5 | (d))

// FRINTZ Vd.4S, Vn.4S
#define VFRINTZ(n, d) WORD $(0x4EA19800 | (n)<<5 | (d))

// FABS Vd.4S, Vn.4S
#define VFABS(n, d) WORD $(0x4EA0F800 | (n)<<5 | (d))

// FCMEQ Vd.4S, Vn.4S, Vm.4S
#define VFCMEQ(m, n, d) WORD $(0x4E20E400 | (m)<<16 | (n)<<5 | (d))

// FCMEQ Vd.2D, Vn.2D, Vm.2D
#define VFCMEQD(m, n, d) WORD $(0x4E60E400 | (m)<<16 | (n)<<5 | (d))

// FACGE Vd.4S, Vn.4S, Vm.4S
#define VFACGE(m, n, d) WORD $(0x6E20EC00 | (m)<<16 | (n)<<5 | (d))

// FMAX Vd.4S, Vn.4S, Vm.4S
#define VFMAX(m, n, d) WORD $(0x4E20F400 | (m)<<16 | (n)<<5 | (d))

// FMAXP Vd.4S, Vn.4S, Vm.4S
#define VFMAXP(m, n, d) WORD $(0x6E20F400 | (m)<<16 | (n)<<5 | (d))

// FMIN Vd.4S, Vn.4S, Vm.4S
#define VFMIN(m, n, d) WORD $(0x4EA0F400 | (m)<<16 | (n)<<5 | (d))

// FCVTL Vd.2D, Vn.2S
#define VFCVTL(n, d) WORD $(0x0E617800 | (n)<<5 | (d))

// FCVTL2 Vd.2D, Vn.4S
#define VFCVTL2(n, d) WORD $(0x4E617800 | (n)<<5 | (d))

// FCVTL Vd.4S, Vn.4H
#define VFCVTLH(n, d) WORD $(0x0E217800 | (n)<<5 | (d))

// FCVTL2 Vd.4S, Vn.8H
#define VFCVTL2H(n, d) WORD $(0x4E217800 | (n)<<5 | (d))

// FCVTN Vd.4H, Vn.4S
#define VFCVTNH(n, d) WORD $(0x0E216800 | (n)<<5 | (d))

// FCVTN2 Vd.8H, Vn.4S
#define VFCVTN2H(n, d) WORD $(0x4E216800 | (n)<<5 | (d))

// SHLL Vd.4S, Vn.4H, #16
#define VSHLL(n, d) WORD $(0x2E613800 | (n)<<5 | (d))

// SHLL2 Vd.4S, Vn.8H, #16
#define VSHLL2(n, d) WORD $(0x6E613800 | (n)<<5 | (d))

// ADDHN Vd.4H, Vn.4S, Vm.4S
#define VADDHN(m, n, d) WORD $(0x0E604000 | (m)<<16 | (n)<<5 | (d))

// ADDHN2 Vd.8H, Vn.4S, Vm.4S
#define VADDHN2(m, n, d) WORD $(0x4E604000 | (m)<<16 | (n)<<5 | (d))

// SCVTF Vd.4S, Vn.4S
#define VSCVTF(n, d) WORD $(0x4E21D800 | (n)<<5 | (d))

// ADD Vd.4S, Vn.4S, Vm.4S
#define VADDS(m, n, d) WORD $(0x4EA08400 | (m)<<16 | (n)<<5 | (d))

// SUB Vd.4S, Vn.4S, Vm.4S
#define VSUBS(m, n, d) WORD $(0x6EA08400 | (m)<<16 | (n)<<5 | (d))

// CMTST Vd.4S, Vn.4S, Vm.4S
#define VCMTSTS(m, n, d) WORD $(0x4EA08C00 | (m)<<16 | (n)<<5 | (d))

// CMEQ Vd.16B, Vn.16B, #0
#define VCMEQ0B(n, d) WORD $(0x4E209800 | (n)<<5 | (d))

// FADD Vd.2D, Vn.2D, Vm.2D
#define VFADDD(m, n, d) WORD $(0x4E60D400 | (m)<<16 | (n)<<5 | (d))

// FSUB Vd.2D, Vn.2D, Vm.2D
#define VFSUBD(m, n, d) WORD $(0x4EE0D400 | (m)<<16 | (n)<<5 | (d))

// FMUL Vd.2D, Vn.2D, Vm.2D
#define VFMULD(m, n, d) WORD $(0x6E60DC00 | (m)<<16 | (n)<<5 | (d))

// FMLA Vd.2D, Vn.2D, Vm.2D
#define VFMLAD(m, n, d) WORD $(0x4E60CC00 | (m)<<16 | (n)<<5 | (d))

// FMUL Vd.2D, Vn.2D, Vm.D[1]
#define VFMULD1(m, n, d) WORD $(0x4FC09800 | (m)<<16 | (n)<<5 | (d))

// FMLA Vd.2D, Vn.2D, Vm.D[0]
#define VFMLAD0(m, n, d) WORD $(0x4FC01000 | (m)<<16 | (n)<<5 | (d))

// FMLA Vd.2D, Vn.2D, Vm.D[1]
#define VFMLAD1(m, n, d) WORD $(0x4FC01800 | (m)<<16 | (n)<<5 | (d))

// FMLS Vd.2D, Vn.2D, Vm.D[0]
#define VFMLSD0(m, n, d) WORD $(0x4FC05000 | (m)<<16 | (n)<<5 | (d))

// FMLS Vd.2D, Vn.2D, Vm.D[1]
#define VFMLSD1(m, n, d) WORD $(0x4FC05800 | (m)<<16 | (n)<<5 | (d))

// FNEG Vd.2D, Vn.2D
#define VFNEGD(n, d) WORD $(0x6EE0F800 | (n)<<5 | (d))

// FRINTZ Vd.2D, Vn.2D
#define VFRINTZD(n, d) WORD $(0x4EE19800 | (n)<<5 | (d))

// FACGE Vd.2D, Vn.2D, Vm.2D
#define VFACGED(m, n, d) WORD $(0x6E60EC00 | (m)<<16 | (n)<<5 | (d))

// FMAX Vd.2D, Vn.2D, Vm.2D
#define VFMAXD(m, n, d) WORD $(0x4E60F400 | (m)<<16 | (n)<<5 | (d))

// FMAXP Vd.2D, Vn.2D, Vm.2D
#define VFMAXPD(m, n, d) WORD $(0x6E60F400 | (m)<<16 | (n)<<5 | (d))

// FADDP Dd, Vn.2D
#define VFADDPD(n, d) WORD $(0x7E70D800 | (n)<<5 | (d))

// AND Vd.16B, Vn.16B, Vm.16B
#define VANDV(m, n, d) WORD $(0x4E201C00 | (m)<<16 | (n)<<5 | (d))

// MOV Vd.16B, Vn.16B
#define VCOPY(n, d) WORD $(0x4EA01C00 | (n)<<16 | (n)<<5 | (d))

// MOVI Vd.2D, #0x0
#define VZERO(d) WORD $(0x6F00E400 | (d))

// BIF Vd.16B, Vn.16B, Vm.16B
#define VBIFV(m, n, d) WORD $(0x6EE01C00 | (m)<<16 | (n)<<5 | (d))

// BIT Vd.16B, Vn.16B, Vm.16B
#define VBITV(m, n, d) WORD $(0x6EA01C00 | (m)<<16 | (n)<<5 | (d))

// BSL Vd.16B, Vn.16B, Vm.16B
#define VBSLV(m, n, d) WORD $(0x6E601C00 | (m)<<16 | (n)<<5 | (d))

// USHR Vd.4S, Vn.4S, #20
#define VUSHR20(n, d) WORD $(0x6F2C0400 | (n)<<5 | (d))

// SLI Vd.4S, Vn.4S, #20
#define VSLI20(n, d) WORD $(0x6F345400 | (n)<<5 | (d))

// SLI Vd.4S, Vn.4S, #17
#define VSLI17(n, d) WORD $(0x6F315400 | (n)<<5 | (d))

// UZP1 Vd.4S, Vn.4S, Vm.4S
#define VUZP1S(m, n, d) WORD $(0x4E801800 | (m)<<16 | (n)<<5 | (d))

// ZIP1 Vd.4S, Vn.4S, Vm.4S
#define VZIP1S(m, n, d) WORD $(0x4E803800 | (m)<<16 | (n)<<5 | (d))

// ZIP2 Vd.4S, Vn.4S, Vm.4S
#define VZIP2S(m, n, d) WORD $(0x4E807800 | (m)<<16 | (n)<<5 | (d))

// TBL Vd.16B, {Vn.16B}, Vm.16B
#define VTBL1(m, n, d) WORD $(0x4E000000 | (m)<<16 | (n)<<5 | (d))

// TBL Vd.16B, {Vn.16B, Vn+1.16B}, Vm.16B
#define VTBL2(m, n, d) WORD $(0x4E002000 | (m)<<16 | (n)<<5 | (d))

// FCVTN Vd.2S, Vn.2D
#define VFCVTN(n, d) WORD $(0x0E616800 | (n)<<5 | (d))

// FCVTN2 Vd.4S, Vn.2D
#define VFCVTN2(n, d) WORD $(0x4E616800 | (n)<<5 | (d))
