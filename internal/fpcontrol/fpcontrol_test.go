package fpcontrol

import (
	"math"
	"testing"
)

var half, smallest = 0.5, math.SmallestNonzeroFloat64

// TestWith shows that a mode is in force inside With, and not behind it.
func TestWith(t *testing.T) {
	if len(Modes()) == 0 {
		t.Skip("this build cannot set the mode of a thread")
	}
	for _, m := range Modes() {
		With(m, func() {
			if flushes := smallest*(1/half) == 0; flushes != (m.Operands || m.Results) {
				t.Errorf("%+v: a subnormal product is flushed: %t", m, flushes)
			}
			if flushes := smallest == 0; flushes != m.Operands {
				t.Errorf("%+v: a subnormal operand is flushed: %t", m, flushes)
			}
			if normal := 0x1p-1022; math.Float64bits(normal*half) == 0 != m.Results {
				t.Errorf("%+v: a subnormal result is not as it should be", m)
			}
		})
		if smallest == 0 || smallest*2 == 0 {
			t.Errorf("%+v: goes on behind With", m)
		}
	}
}
