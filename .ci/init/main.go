// Command init is the first process of the small Linux guest that
// run-avx512 boots. It mounts the usual file systems, runs /t/test with the
// arguments and the environment that the initramfs carries, writes the exit
// status on a line of its own, and ends the guest.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

func main() {
	fmt.Println("@@start@@") // run-avx512 shows what comes after this line
	status, err := run()
	if err != nil {
		fmt.Println("init:", err)
	}
	// The line break keeps the status at the start of a line even when the
	// test's own output does not end with one.
	fmt.Printf("\n@@exit-status %d@@\n", status)

	// Wait until the serial line has sent everything: the emulator stops at
	// once when the guest restarts, and what is still queued would be lost.
	const tcsbrk = 0x5409 // with argument 1: drain the output
	syscall.Syscall(syscall.SYS_IOCTL, 1, tcsbrk, 1)
	syscall.Reboot(syscall.LINUX_REBOOT_CMD_RESTART)
	select {} // the kernel panics when its first process ends
}

func run() (int, error) {
	for _, m := range [][2]string{
		{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"tmpfs", "/tmp"},
	} {
		if err := os.MkdirAll(m[1], 0o755); err != nil {
			return 125, err
		}
		if err := syscall.Mount(m[0], m[1], m[0], 0, ""); err != nil {
			return 125, fmt.Errorf("mount %s: %w", m[1], err)
		}
	}
	args, err := list("/args")
	if err != nil {
		return 125, err
	}
	env, err := list("/env")
	if err != nil {
		return 125, err
	}
	cmd := exec.Command("/t/test", args...)
	cmd.Dir = "/t"
	cmd.Env = append([]string{"PATH=/", "HOME=/tmp", "TMPDIR=/tmp"}, env...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		ws := exit.Sys().(syscall.WaitStatus)
		if ws.Signaled() {
			return 128 + int(ws.Signal()), err // as a shell reports it
		}
		return ws.ExitStatus(), nil
	}
	if err != nil {
		return 125, err
	}
	return 0, nil
}

// list reads a file of strings, each ended by a NUL byte.
func list(name string) ([]string, error) {
	b, err := os.ReadFile(name)
	if err != nil || len(b) == 0 {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00"), nil
}
