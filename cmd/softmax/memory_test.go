package main

// This file applies the command where there is little memory, or room on the disk.

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/seed174f7dca/softmax"
)

// memory is how many bytes a process may use in these tests, besides those of every
// program in Go.
const memory = 128 << 20

// limitMemory limits the memory of processes that a test starts, or skips the test.
func limitMemory(t *testing.T) {
	t.Helper()
	needLimits(t)
	runProcess(t, "--help") // skips the test where no process can be started
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		skipLoudly(t, "the race detector takes more memory than the limit")
	}
	t.Setenv(memoryLimit, fmt.Sprint(memory))
	t.Setenv("GOMAXPROCS", "2") // the stacks of threads count
}

// skipLoudly skips a test, also where skipped ones are not listed.
func skipLoudly(t *testing.T, reason string) {
	t.Helper()
	fmt.Fprintf(os.Stderr, "\n****** %s: NOT run: %s ******\n\n", t.Name(), reason)
	t.Skip(reason)
}

// largeSize is the size of files that do not fit in memory.
func largeSize() int {
	if testing.Short() {
		return memory * 5 / 4
	}
	return memory * 4
}

// writeLarge writes a file of largeSize bytes into a new directory. It has as many rows
// as make that size, or one if cols is 0.
func writeLarge[T softmax.Float](t *testing.T, cols int) (path string, a array[T]) {
	t.Helper()
	a.shape = []int{largeSize() / binary.Size(T(0))}
	if cols > 0 {
		a.shape = []int{a.shape[0] / cols, cols}
	}
	a.data = make([]T, product(a.shape))
	// What is repeated is no multiple of rows or blocks.
	values := normalValues[T](1<<20 + 7)
	for part := range slices.Chunk(a.data, len(values)) {
		copy(part, values)
	}
	path = filepath.Join(t.TempDir(), "in.npy")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, part := range [][]byte{makeNPY(a.dictionary(false), []byte{}), encodeElements(a.data, littleEndian)} {
		if _, err := f.Write(part); err != nil {
			t.Fatal(err)
		}
	}
	swapBytes(a.data, littleEndian) // as they were before encodeElements
	return path, a
}

// TestApplyMemory applies the command to files that are larger than the memory it may
// use, and compares bits with those of one call for the whole array.
func TestApplyMemory(t *testing.T) {
	limitMemory(t)
	t.Run("rows", func(t *testing.T) { testApplyMemory[float32](t, opSoftmax, 4096, 1) })
	t.Run("one row", func(t *testing.T) { testApplyMemory[float32](t, opSoftmax, 0, 0) })
	t.Run("one row of float16", func(t *testing.T) { testApplyMemory[softmax.Float16](t, opLogSoftmax, 0, 0) })
	t.Run("one row of bfloat16", func(t *testing.T) { testApplyMemory[softmax.BFloat16](t, opSoftmax, 0, 0) })
	t.Run("short columns", func(t *testing.T) { testApplyMemory[float32](t, opLogSoftmax, largeSize()/400, 0) })
	t.Run("long columns", func(t *testing.T) { testApplyMemory[float32](t, opSoftmax, 2000, 0) })
	t.Run("sums", func(t *testing.T) { testApplyMemory[softmax.Float16](t, opLogSumExp, 50, 1) })
	if !testing.Short() {
		t.Run("long columns of float64", func(t *testing.T) { testApplyMemory[float64](t, opLogSoftmax, 2000, 0) })
	}
}

func testApplyMemory[T softmax.Float](t *testing.T, op string, cols, axis int) {
	path, a := writeLarge[T](t, cols)
	out := filepath.Join(filepath.Dir(path), "out.npy")
	if status, _, stderr := runProcess(t, "apply", "--op", op, "--axis", fmt.Sprint(axis), path, out); status != 0 {
		t.Fatalf("exit status %d: %.1000s", status, stderr)
	}
	in, err := openFile(out, &progress{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.close()
	want := a
	if op == opLogSumExp {
		want.shape = slices.Delete(slices.Clone(a.shape), axis, axis+1)
		want.data = make([]T, product(want.shape))
	}
	alongAxis(op, want.data, a.data, a.shape, axis)
	header := makeNPY(want.dictionary(false), []byte{})
	elements, ok := bytes.CutPrefix(in.content, header)
	if !ok || !bytes.Equal(elements, encodeElements(want.data, littleEndian)) {
		t.Errorf("%s of shape %v along axis %d: the file is not that of one call for the whole array", op, a.shape, axis)
	}
}

// TestApplyMemoryLimit checks that the limit of TestApplyMemory bites: a pipe cannot be
// mapped, and what comes from it does not fit in memory.
func TestApplyMemoryLimit(t *testing.T) {
	limitMemory(t)
	path, _ := writeLarge[float32](t, 4096)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	pipe := struct{ io.Reader }{f}
	status, _, stderr := runProcessOn(t, pipe, "apply", "/dev/stdin", filepath.Join(filepath.Dir(path), "out.npy"))
	// The last is what is said when it is a new thread that finds no room.
	tooLittle := regexp.MustCompile("out of memory|cannot allocate memory|pthread_create failed")
	if status == 0 || !tooLittle.MatchString(stderr) {
		t.Errorf("exit status %d, standard error %.1000q, want too little memory", status, stderr)
	}
	checkDirectory(t, path, "in.npy")
}

// TestApplyDiskFull checks what is left when there is no room for the result.
func TestApplyDiskFull(t *testing.T) {
	needLimits(t)
	content := newArray[float32](1000, 1000).file(false)
	in := writeFile(t, "in.npy", content)
	t.Setenv(fileLimit, fmt.Sprint(len(content)/2))
	for _, out := range []string{in, filepath.Join(filepath.Dir(in), "out.npy")} {
		status, _, stderr := runProcess(t, "apply", in, out)
		want := "softmax: " + out + ": not written: write "
		if status != 1 || !strings.HasPrefix(stderr, want) || !strings.Contains(stderr, "file too large") {
			t.Errorf("exit status %d, standard error %q, want 1 and %q", status, stderr, want)
		}
		checkDirectory(t, in, "in.npy")
	}
	if !bytes.Equal(readContent(t, in), content) {
		t.Error("in.npy was changed")
	}
}
