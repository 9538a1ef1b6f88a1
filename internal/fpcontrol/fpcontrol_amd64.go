//go:build !purego

package fpcontrol

var modes = []Mode{{Operands: true, Results: true}, {Operands: true}, {Results: true}}

// exceptions are the bits of MXCSR that tell what operations met: any of them may set these.
const exceptions = 0x3F

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
