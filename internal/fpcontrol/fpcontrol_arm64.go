//go:build !purego

package fpcontrol

// The flag of arm64 is for both.
var modes = []Mode{{Operands: true, Results: true}}

// exceptions is what FPCR tells of operations: nothing, which is FPSR's.
const exceptions = 0

// flags returns the bits of the register FPCR for a mode.
func flags(m Mode) (bits uint64) {
	if m.Operands && m.Results {
		bits |= 1 << 24 // FZ
	}
	return bits
}

// control returns FPCR, and setControl sets it.
func control() uint64
func setControl(x uint64)
