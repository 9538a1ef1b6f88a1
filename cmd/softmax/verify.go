package main

// This file is the subcommand verify.

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
)

type verifyCmd struct {
	Quick bool `help:"Leave out every float32, the long rows and most of what is parallel, which take most of the time, and some hundred megabytes for each kernel."`
}

// The hashes of all results, which are the same on every computer: see hashOfHashes.
// They change only with the definition of the results or with the checks.
const (
	rowsHash          = "1e1347ba7ee86da88a544076fe0b881aceee3dcba50d821714412ba3cf2fd788"
	axesHash          = "0ec989b2af0c069b9d867567c340025c74bb8638f1bbc4469e7e28825df107aa"
	parallelHash      = "1cdab9789427197c64b6bac5f04d48d6f8f7b6b68fb570be3d98fba12471301b"
	otherParallelHash = "7be36a62fdf2830de6d394a146fb3353f8f54c4316a57e7b5ce287d76035c81b"
	longHash          = "a290e5707f9fc85bb7c17e100077dd0d08f928d90825653f13ba8fa3c1340a21"
	everyHash         = "70877d3675ba2ee7b74f1c93d45fac9dc0931348910c5b241df67e6daf3f0255"
)

// verifyLengths are on both sides of where kernels change their ways: groups of rows,
// vectors, blocks, and rows that do not fit the first caches.
var verifyLengths = []int{1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 127, 128, 129,
	255, 256, 257, 511, 512, 513, 1000, 1023, 1024, 1025, 2047, 2048, 2049, 4095, 4096, 4097, 8192, 10007, 65537, 262147}

// verifyAxes are axes whose lanes are taken in every way there is: as rows, or gathered all
// at once, some at a time, or block by block. The number of lanes side by side is no
// multiple of a vector, but in one shape.
var verifyAxes = []struct {
	shape [3]int
	axis  int
}{
	{[3]int{40, 8, 3}, 2},
	{[3]int{5, 3, 67}, 1},
	{[3]int{17, 2, 31}, 0},
	{[3]int{2, 33, 15}, 1},
	{[3]int{1, 64, 32}, 1},
	{[3]int{100, 7, 9}, 0},
	{[3]int{1, 257, 19}, 1},
	{[3]int{1025, 1, 17}, 0},
	{[3]int{2, 4145, 3}, 1}, // halves are gathered whole
	{[3]int{1, 8289, 2}, 1},
}

// sharedLen is the number of elements from which on three workers share a matrix, with
// every kernel.
const sharedLen = 3 << 18

// The matrices that workers share: they take turns at rows, or at parts of very long ones
// if those are few.
var (
	shortRows = check{Rows: sharedLen/100 + 1, Length: 100}
	longRows  = check{Rows: 12, Length: sharedLen/12 + 1}
	splitRows = check{Rows: 3, Length: sharedLen/3 + 3}
	splitRow  = check{Rows: 1, Length: sharedLen + 5}
)

// verifyPart is a set of checks with the hash of all their results.
type verifyPart struct {
	name   string
	hash   string
	checks []check
}

// add adds a check of a family, for an element type.
func (v *verifyPart) add(c check, dtype, family string) {
	c.Dtype, c.Family = dtype, family
	v.checks = append(v.checks, c)
}

// verifyParts returns the parts of verify.
func verifyParts(quick bool) []verifyPart {
	rows, axes := verifyPart{name: "rows", hash: rowsHash}, verifyPart{name: "axes", hash: axesHash}
	for _, dtype := range rowTypes {
		for _, family := range familyNames() {
			for _, n := range verifyLengths {
				rows.add(check{Length: n}, dtype, family)
			}
			for _, a := range verifyAxes {
				axes.add(check{Shape: a.shape, Axis: a.axis}, dtype, family)
			}
		}
	}
	parallel := verifyPart{name: "parallel", hash: parallelHash}
	for i, dtype := range rowTypes {
		parallel.add([]check{shortRows, splitRow}[i%2], dtype, "normal3")
	}
	if quick {
		return []verifyPart{rows, axes, parallel}
	}
	others := verifyPart{name: "parallel, other families", hash: otherParallelHash}
	for _, dtype := range rowTypes {
		for _, family := range []string{"mask-first", "anchors", "levels", "nan"} {
			for _, matrix := range []check{longRows, splitRows, splitRow} {
				others.add(matrix, dtype, family)
			}
		}
	}
	long := verifyPart{name: "long rows", hash: longHash}
	for _, dtype := range []string{float32Type.name, float64Type.name} {
		for _, family := range []string{"normal3", "uniform1000", "subnormal-results", "levels"} {
			long.add(check{Length: longLen + 5}, dtype, family)
		}
	}
	every := verifyPart{name: "every float32", hash: everyHash}
	for first := uint64(0); first < 1<<32; first += everyLen {
		every.checks = append(every.checks, check{Dtype: float32Type.name, First: uint32(first)})
	}
	return []verifyPart{rows, axes, parallel, others, long, every}
}

// Run verifies this machine.
func (c *verifyCmd) Run(out io.Writer) error {
	kernels, note, err := startKernels()
	if err != nil {
		return err
	}
	defer stopKernels(kernels)
	fmt.Fprintf(out, "%s; kernels: %s\n", machine(), strings.Join(names(kernels), ", "))
	if note != "" {
		fmt.Fprintf(out, "Note: %s.\n", note)
	}
	parts := verifyParts(c.Quick)
	p := newProgress(os.Stderr, len(parts)+1)
	defer p.end()
	var failures []error
	var hashes []string
	fmt.Fprintln(out)
	for _, part := range parts {
		hash, err := part.verify(kernels, p)
		if err != nil {
			failures = append(failures, err)
			fmt.Fprintf(out, "%s: FAILED\n", part.name)
			continue
		}
		hashes = append(hashes, hash)
		fmt.Fprintf(out, "%s: %d checks, the same bits from every kernel\n", part.name, len(part.checks))
	}
	if err := printAccuracy(out, p); err != nil {
		failures = append(failures, err)
	}
	p.end()
	if failures != nil {
		return errors.Join(failures...)
	}
	without := ""
	if c.Quick {
		without = " with --quick"
	}
	fmt.Fprintf(out, "\nVerified. The SHA-256 of all results is, as on every computer%s,\n%s\n", without, hashOfHashes(hashes))
	return nil
}

// verify has the kernels carry out the checks at the same time, and compares their
// results with those of the last kernel, which is generic wherever it can be had. It
// returns the hash of all results.
func (v verifyPart) verify(kernels []*kernel, p *progress) (string, error) {
	hashes := make([][]string, len(kernels))
	errs := make([]error, len(kernels))
	done := make(chan struct{})
	var working sync.WaitGroup
	for i, k := range kernels {
		working.Go(func() {
			for _, c := range v.checks {
				r, err := k.run(task{Check: &c})
				if errs[i] = err; err != nil {
					return
				}
				hashes[i] = append(hashes[i], r.Hash)
				done <- struct{}{}
			}
		})
	}
	go func() {
		working.Wait()
		close(done)
	}()
	p.begin(v.name, len(kernels)*len(v.checks))
	for range done {
		p.add(1)
	}
	if err := errors.Join(errs...); err != nil {
		return "", err
	}
	last := len(kernels) - 1
	for i := range kernels[:last] {
		errs[i] = v.compare(kernels[i], kernels[last], hashes[i], hashes[last])
	}
	if err := errors.Join(errs...); err != nil {
		return "", err
	}
	if got := hashOfHashes(hashes[last]); got != v.hash {
		return "", fmt.Errorf("%s: kernels %s: the hash of all results is %s, expected %s, as on every other computer",
			v.name, strings.Join(names(kernels), ", "), got, v.hash)
	}
	return v.hash, nil
}

// hashOfHashes returns the SHA-256 of hashes, each in hexadecimal on a line.
func hashOfHashes(hashes []string) string {
	hash := sha256.Sum256([]byte(strings.Join(hashes, "\n") + "\n"))
	return hex.EncodeToString(hash[:])
}

// compare returns an error that names the first results of two kernels that differ, if
// hashes do, and says how many checks do.
func (v verifyPart) compare(k, reference *kernel, got, want []string) error {
	different := 0
	var first check
	for i := range slices.Backward(v.checks) {
		if got[i] != want[i] {
			different++
			first = v.checks[i]
		}
	}
	if different == 0 {
		return nil
	}
	first.Bits = true
	a, err := k.run(task{Check: &first})
	if err != nil {
		return err
	}
	b, err := reference.run(task{Check: &first})
	if err != nil {
		return err
	}
	return fmt.Errorf("kernel %s: bits differ from those of kernel %s in %d of %d checks, expected the same; the first: %s, %s",
		k.name, reference.name, different, len(v.checks), first, firstDifference(a.Outputs, b.Outputs))
}

// firstDifference says where outputs differ.
func firstDifference(got, want []output) string {
	for i, o := range want {
		if i >= len(got) || len(got[i].Bits) != len(o.Bits) || o.Size < 1 {
			return fmt.Sprintf("%s: not the same number of results", o.Function)
		}
		for at := 0; at < len(o.Bits); at += o.Size {
			a, b := slices.Clone(got[i].Bits[at:at+o.Size]), slices.Clone(o.Bits[at:at+o.Size])
			if !slices.Equal(a, b) {
				slices.Reverse(a) // to be read as a number
				slices.Reverse(b)
				return fmt.Sprintf("%s, index %d: 0x%x, expected 0x%x", o.Function, at/o.Size, a, b)
			}
		}
	}
	return "but not when it is done again"
}
