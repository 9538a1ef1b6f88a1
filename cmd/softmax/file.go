package main

// This file maps files into memory, and writes files that are complete or absent.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"syscall"
	"unsafe"

	"github.com/edsrzf/mmap-go"
)

// inputFile is an open file with its content.
type inputFile struct {
	*os.File
	content []byte
	mapped  mmap.MMap   // the same, or nil if the file was read
	info    os.FileInfo // from when it was opened
}

// openFile maps the file called name into memory. What cannot be mapped, as a pipe, is
// read.
func openFile(name string, p *progress) (in *inputFile, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	in = &inputFile{File: f}
	if in.info, err = f.Stat(); err != nil {
		return nil, err
	}
	size := in.info.Size()
	if size != int64(int(size)) {
		return nil, fmt.Errorf("%s: the file has %d bytes, expected at most %d on %s", name, size, math.MaxInt, runtime.GOARCH)
	}
	if in.info.Mode().IsRegular() && size > 0 {
		// Some file systems cannot map.
		if in.mapped, err = mmap.Map(f, mmap.RDONLY, 0); err == nil {
			in.content = in.mapped
			return in, nil
		}
	}
	in.content, err = readAll(f, int(size), p)
	return in, err
}

// ioSize is how many bytes are read between two reports of progress.
const ioSize = 16 << 20

// readAll reads a file of about size bytes, if that is known.
func readAll(f *os.File, size int, p *progress) ([]byte, error) {
	p.stages++
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

// use calls f, which may read the content. It returns an error if the file was changed
// since it was opened: then f had a part of each version, or none of them where the
// file has become shorter.
func (in *inputFile) use(f func() error) (err error) {
	if in.mapped == nil {
		return f()
	}
	// A page that cannot be had is a panic instead of the end of the program.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		reason := recover()
		now, statErr := in.Stat()
		fault, isFault := reason.(interface{ Addr() uintptr })
		switch {
		case err != nil:
		case statErr != nil:
			err = statErr
		case now.Size() != in.info.Size() || !now.ModTime().Equal(in.info.ModTime()):
			err = fmt.Errorf("%s: was changed meanwhile, expected the same content all the time", in.Name())
		case isFault && in.contains(fault.Addr()):
			err = fmt.Errorf("%s: a part of it cannot be read, expected %d bytes", in.Name(), in.info.Size())
		case reason != nil:
			panic(reason)
		}
	}()
	return f()
}

// contains reports whether an address is one of the content.
func (in *inputFile) contains(address uintptr) bool {
	return address-uintptr(unsafe.Pointer(unsafe.SliceData(in.content))) < uintptr(len(in.content))
}

// close unmaps the content and closes the file, if that was not done before.
func (in *inputFile) close() {
	if in.mapped != nil {
		in.mapped.Unmap()
	}
	in.Close()
}

// replaceFile makes what write writes the content of the file called name. Until that is
// done the old file, or none, stays in place. The context of write ends with an
// interrupt, which it may let wait for a while.
func replaceFile(name string, write func(ctx context.Context, out io.WriterAt) error) (err error) {
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

	// From here on an interrupt has something to clean up after.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()

	temp := fmt.Sprintf("%s.%08x.tmp", target, rand.Uint32())
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return fmt.Errorf("%s: cannot be written, expected a writable directory: %w", name, err)
	}
	out := &syncedFile{file: f}
	defer func() {
		if err != nil {
			out.wait()
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
	if err := write(ctx, out); err != nil {
		return err
	}
	if err := out.wait(); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(temp, target)
}

// syncedFile is a file that is sent to the disk while it is written, so that at no time
// much is missing there: progress would not tell the truth, and the end would take long.
type syncedFile struct {
	file     *os.File
	unsynced int
	syncing  chan error // gets the result of the part being sent; nil if there is none
}

// syncLen is how many bytes are sent at a time. At most twice as many are missing.
const syncLen = 64 << 20

// WriteAt writes to the file.
func (s *syncedFile) WriteAt(b []byte, offset int64) (int, error) {
	n, err := s.file.WriteAt(b, offset)
	if s.unsynced += n; err != nil || s.unsynced < syncLen {
		return n, err
	}
	if err := s.wait(); err != nil {
		return n, err
	}
	result := make(chan error, 1)
	go func() { result <- s.file.Sync() }()
	s.unsynced, s.syncing = 0, result
	return n, nil
}

// wait waits until the part being sent has arrived.
func (s *syncedFile) wait() error {
	if s.syncing == nil {
		return nil
	}
	err := <-s.syncing
	s.syncing = nil
	return err
}
