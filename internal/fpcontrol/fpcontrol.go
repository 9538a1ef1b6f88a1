// Package fpcontrol makes a thread flush subnormal numbers, as a C library that was
// linked with -ffast-math makes every thread of its program. It is for tests: results
// must not depend on it.
package fpcontrol

import (
	"fmt"
	"runtime"
)

// Mode says which subnormal numbers count as 0.
type Mode struct{ Operands, Results bool }

// Modes are those that this processor has, the usual one left out. There are none where
// Go code cannot set them.
func Modes() []Mode { return modes }

// With calls f on a thread in the mode. It panics if f has changed the control register:
// C code of the same thread may depend on it.
func With(m Mode, f func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	all := flags(Mode{true, true})
	old := control()
	defer setControl(old)
	want := old&^all | flags(m)
	setControl(want)
	f()
	if got := control(); (got^want)&^exceptions != 0 {
		panic(fmt.Sprintf("fpcontrol: the control register is %#x, want %#x, in mode %+v", got, want, m))
	}
}
