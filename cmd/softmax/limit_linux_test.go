package main

// This file limits what a process of these tests may use.

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// The variables of the environment that limit a process, in bytes.
const (
	memoryLimit = "SOFTMAX_TEST_MEMORY"    // what it may take, besides what it has at its start
	fileLimit   = "SOFTMAX_TEST_FILE_SIZE" // the size of files that it writes
)

// init comes before main: it limits the process that it is in.
func init() {
	if err := setLimits(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
}

func setLimits() error {
	if limit := os.Getenv(memoryLimit); limit != "" {
		n, err := strconv.ParseUint(limit, 10, 64)
		if err != nil {
			return err
		}
		status, err := os.ReadFile("/proc/self/status")
		if err != nil {
			return err
		}
		_, rest, _ := bytes.Cut(status, []byte("VmData:"))
		var kib uint64
		if _, err := fmt.Sscan(string(rest), &kib); err != nil {
			return err
		}
		// Mappings of files that are only read do not count as data.
		n += kib << 10
		if err := unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: n, Max: n}); err != nil {
			return err
		}
	}
	if limit := os.Getenv(fileLimit); limit != "" {
		n, err := strconv.ParseUint(limit, 10, 64)
		if err != nil {
			return err
		}
		return unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: n, Max: n})
	}
	return nil
}

// needLimits skips a test where processes cannot be limited.
func needLimits(*testing.T) {}
