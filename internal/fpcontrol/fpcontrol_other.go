//go:build purego || (!amd64 && !arm64)

package fpcontrol

var modes []Mode

const exceptions = 0

func flags(Mode) (bits uint32) { return 0 }
func control() uint32          { return 0 }
func setControl(uint32)        {}
