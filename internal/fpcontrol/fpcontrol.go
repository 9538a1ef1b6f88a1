// Package fpcontrol makes a thread flush subnormal numbers, as a C library that was
// linked with -ffast-math makes every thread of its program. It is for tests: results
// must not depend on it.
package fpcontrol

import "runtime"

// Mode says which subnormal numbers count as 0.
type Mode struct{ Operands, Results bool }

// Modes are those that this processor has, the usual one left out. There are none where
// Go code cannot set them.
func Modes() []Mode { return modes }

// With calls f on a thread in the mode.
func With(m Mode, f func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	old := control()
	defer setControl(old)
	setControl(old&^flags(Mode{true, true}) | flags(m))
	f()
}
