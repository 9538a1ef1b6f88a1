package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/seed174f7dca/softmax"
)

// openMapped writes a file into a new directory, and opens it, so that it is mapped.
func openMapped(t *testing.T, content []byte) *inputFile {
	t.Helper()
	in, err := openFile(writeFile(t, "in.npy", content), &progress{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(in.close)
	if in.mapped == nil {
		t.Fatal("the file was not mapped")
	}
	return in
}

// truncate makes an open file shorter.
func truncate(t *testing.T, in *inputFile, size int64) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("Windows does not truncate a file that is mapped")
	}
	if err := os.Truncate(in.Name(), size); err != nil {
		t.Fatal(err)
	}
}

// TestApplyTruncated makes the input shorter while it is read, in all the ways there
// are to read it. What is missing cannot be told from the mapping.
func TestApplyTruncated(t *testing.T) {
	large := sizesOf[float32]()
	long := large.most() + 1
	for _, test := range []struct {
		name string
		file []byte
		axis int
	}{
		{"rows", newArray[float64](100, 5000).file(false), 1},
		{"long row", newArray[float32](long).file(false), 0},
		{"long row of float16", newArray[softmax.Float16](long).file(false), 0},
		{"columns", newArray[float32](100, 5000).file(false), 0},
		{"short columns", newArray[float32](2, long).file(false), 0},
		{"long columns", newArray[float32](blockLen+1, large.beside).file(false), 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, op := range operations {
				in := openMapped(t, test.file)
				work, err := newTransformation(in.content, op, test.axis, "")
				if err != nil {
					t.Fatal(err)
				}
				out := filepath.Join(filepath.Dir(in.Name()), "out.npy")
				truncate(t, in, int64(len(test.file)/2))
				err = replaceFile(out, func(ctx context.Context, dst io.WriterAt) error {
					return in.use(func() error { return work.write(ctx, dst, &progress{}) })
				})
				checkError(t, err, out+": not written", in.Name()+": was changed meanwhile, expected")
				checkDirectory(t, out, "in.npy")
			}
		})
	}
	t.Run("header", func(t *testing.T) {
		in := openMapped(t, newArray[float32](10).file(false))
		truncate(t, in, 0)
		err := in.use(func() error {
			_, err := newTransformation(in.content, opSoftmax, 0, "")
			return err
		})
		checkError(t, err, in.Name()+": was changed meanwhile")
	})
	t.Run("disk error", func(t *testing.T) {
		in := openMapped(t, newArray[float32](10).file(false))
		truncate(t, in, 0)
		in.info, _ = in.Stat() // as if the file were the same, and its page could not be had
		needAddress(t, in)
		err := in.use(func() error {
			_, err := newTransformation(in.content, opSoftmax, 0, "")
			return err
		})
		checkError(t, err, in.Name()+": a part of it cannot be read, expected")
	})
}

// needAddress skips a test where a fault does not tell the address of what could not be
// read, and so might be any mistake of the program.
func needAddress(t *testing.T, in *inputFile) {
	t.Helper()
	first := &in.content[0]
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		fault, ok := recover().(interface{ Addr() uintptr })
		if !ok || fault.Addr() != uintptr(unsafe.Pointer(first)) {
			t.Skip("an emulator runs this test, and does not tell the address of a fault")
		}
	}()
	t.Errorf("%d was read from a file without content", *first)
}

// TestUseChanged checks that a file of the same size that was written to is not
// mistaken for the one that was opened, and that nothing else is mistaken for a change.
func TestUseChanged(t *testing.T) {
	in := openMapped(t, newArray[float32](10).file(false))
	other := errors.New("other")
	if err := in.use(func() error { return nil }); err != nil {
		t.Error(err)
	}
	if err := in.use(func() error { return other }); err != other {
		t.Errorf("error is %v, want %v", err, other)
	}
	func() {
		defer func() {
			if r := recover(); r != "other" {
				t.Errorf("panic is %v, want the other one", r)
			}
		}()
		in.use(func() error { panic("other") })
	}()
	if err := os.Chtimes(in.Name(), time.Time{}, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	// The second is the panic of a softmax.Accumulator that meets a logit it was not given.
	for _, f := range []func() error{func() error { return nil }, func() error { panic("was not added") }} {
		checkError(t, in.use(f), in.Name(), "was changed meanwhile, expected")
	}
}

// TestOpenTooLarge checks a file that has more bytes than there are addresses.
func TestOpenTooLarge(t *testing.T) {
	if math.MaxInt > math.MaxInt32 {
		t.Skip("every file can be mapped with addresses of 64 bits")
	}
	path := writeFile(t, "in.npy", nil)
	if err := os.Truncate(path, 1<<32); err != nil {
		t.Fatal(err)
	}
	_, err := openFile(path, &progress{})
	checkError(t, err, path, "4294967296 bytes, expected at most 2147483647")
}

// TestReplaceFileInterrupted checks that an interrupt ends the context, and leaves the
// old file as it was.
func TestReplaceFileInterrupted(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows does not let a process interrupt itself")
	}
	path := writeFile(t, "out.npy", []byte("old"))
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	err = replaceFile(path, func(ctx context.Context, out io.WriterAt) error {
		if _, err := out.WriteAt([]byte("new"), 0); err != nil {
			return err
		}
		if err := self.Signal(os.Interrupt); err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	})
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), path+": not written") {
		t.Errorf("error is %v, want one of the context", err)
	}
	if content := readContent(t, path); !bytes.Equal(content, []byte("old")) {
		t.Errorf("content is %q, want the old one", content)
	}
	checkDirectory(t, path, "out.npy")
}

// TestSyncedFile checks that what is written is sent to the disk from time to time,
// and that an error of that is not lost.
func TestSyncedFile(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "out.npy"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := &syncedFile{file: f}
	write := func() error {
		_, err := s.WriteAt([]byte("x"), 0)
		return err
	}
	if err := write(); err != nil || s.syncing != nil {
		t.Errorf("one byte: error %v, synced %v, want neither", err, s.syncing != nil)
	}
	for range 2 {
		s.unsynced = syncLen - 1
		if err := write(); err != nil || s.syncing == nil || s.unsynced != 0 {
			t.Errorf("the last byte of a part: error %v, synced %v, %d bytes left, want it synced", err, s.syncing != nil, s.unsynced)
		}
	}
	if err := s.wait(); err != nil || s.syncing != nil {
		t.Errorf("error %v, synced %v, want neither", err, s.syncing != nil)
	}

	broken := errors.New("broken disk")
	fail := func() {
		s.syncing = make(chan error, 1)
		s.syncing <- broken
	}
	fail()
	s.unsynced = syncLen - 1
	if err := write(); err != broken {
		t.Errorf("writing: error is %v, want %v", err, broken)
	}
	fail()
	if err := s.wait(); err != broken {
		t.Errorf("waiting: error is %v, want %v", err, broken)
	}
}
