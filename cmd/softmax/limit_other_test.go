//go:build !linux

package main

import (
	"runtime"
	"testing"
)

const (
	memoryLimit = ""
	fileLimit   = ""
)

// needLimits skips a test where processes cannot be limited.
func needLimits(t *testing.T) {
	t.Helper()
	skipLoudly(t, runtime.GOOS+" does not limit a process as Linux does")
}
