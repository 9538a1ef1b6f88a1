package main

// This file writes files that are complete or absent.

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

// replaceFile makes content the content of the file called name. Until that is
// done the old file, or none, stays in place.
func replaceFile(name string, content []byte) (err error) {
	// Write through a symbolic link instead of replacing it.
	target := name
	if resolved, err := filepath.EvalSymlinks(name); err == nil {
		target = resolved
	}
	old, err := os.Stat(target)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: cannot be written: %w", name, err)
	}
	// A rename would replace a device such as /dev/null by a file.
	if old != nil && !old.Mode().IsRegular() {
		return fmt.Errorf("%s: is not a regular file, expected one, or none", name)
	}

	// An interrupt waits until there is nothing left to clean up.
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(interrupts)

	temp := fmt.Sprintf("%s.%08x.tmp", target, rand.Uint32())
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return fmt.Errorf("%s: cannot be written, expected a writable directory: %w", name, err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(temp)
			err = fmt.Errorf("%s: not written: %w", name, err)
		}
	}()
	if old != nil {
		if err := f.Chmod(old.Mode().Perm()); err != nil {
			return err
		}
	}
	if _, err := f.Write(content); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	select {
	case s := <-interrupts:
		return errors.New(s.String())
	default:
		return os.Rename(temp, target)
	}
}
