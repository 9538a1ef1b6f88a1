//go:build !purego

package fpcontrol

var modes = []Mode{{Operands: true, Results: true}, {Operands: true}, {Results: true}}

// flags returns the bits of the register MXCSR for a mode.
func flags(m Mode) (bits uint32) {
	if m.Operands {
		bits |= 1 << 6 // DAZ
	}
	if m.Results {
		bits |= 1 << 15 // FTZ
	}
	return bits
}

// control returns MXCSR, and setControl sets it.
func control() uint32
func setControl(x uint32)
