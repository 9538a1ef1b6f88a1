package main

// This file reads files, and writes files that are complete or absent.

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
)

// ioSize is how many bytes are read or written between two reports of progress.
const ioSize = 16 << 20

// readFile returns the content of the file called name.
func readFile(name string, p *progress) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size := 0 // unknown, as of a pipe
	if info, err := f.Stat(); err == nil && info.Size() == int64(int(info.Size())) {
		size = int(info.Size())
	}
	p.begin("reading", size)
	content := make([]byte, 0, size+1) // one more, to meet the end of the file
	for {
		content = slices.Grow(content, 1)
		n, err := f.Read(content[len(content):min(cap(content), len(content)+ioSize)])
		content = content[:len(content)+n]
		p.add(n)
		if errors.Is(err, io.EOF) {
			return content, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// replaceFile makes content, which must not be empty, the content of the file
// called name. Until that is done the old file, or none, stays in place.
func replaceFile(name string, content []byte, p *progress) (err error) {
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

	// An interrupt waits for the part being written, and then is cleaned up after.
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
	p.begin("writing", len(content))
	for part := range slices.Chunk(content, ioSize) {
		if _, err := f.Write(part); err != nil {
			return err
		}
		// Progress is what has reached the disk.
		if err := f.Sync(); err != nil {
			return err
		}
		p.add(len(part))
		select {
		case s := <-interrupts:
			return errors.New(s.String())
		default:
		}
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(temp, target)
}
