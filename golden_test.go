package softmax

// This file compares with results on record: the promise of the same bits on
// every architecture and in every version.

import (
	"embed"
	"encoding/binary"
	"flag"
	"fmt"
	"hash/fnv"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/golden*.txt anew from the generic kernel")

//go:embed testdata/golden*.txt
var goldenText embed.FS

// golden is a file with a line for every family and length: its name, the length,
// and hashes of the logits and of their results.
type golden[T Float] struct {
	path    string
	results string // what they are
	hashes  func(k kernel, logits []T, n int) []uint64
}

// goldenFiles returns one for softmax and one for its logarithm.
func goldenFiles[T Float]() []golden[T] {
	suffix := ""
	if !is32[T]() {
		suffix = "64"
	}
	return []golden[T]{
		{"testdata/golden" + suffix + ".txt", "probabilities", func(k kernel, logits []T, n int) []uint64 {
			rows := len(logits) / n
			softmaxRows(k, logits, logits, n, rows, n, n)
			return []uint64{hashBits(logits)}
		}},
		{"testdata/golden" + suffix + "_log.txt", "log-softmax, of the log-sum-exp", func(k kernel, logits []T, n int) []uint64 {
			rows := len(logits) / n
			sums := make([]T, rows)
			for row := range sums {
				sums[row] = logSumExpRow(k, logits[row*n:][:n])
			}
			logSoftmaxRows(k, logits, logits, n, rows, n, n)
			return []uint64{hashBits(logits), hashBits(sums)}
		}},
	}
}

func (g *golden[T]) header() string {
	return fmt.Sprintf("# family, length, FNV-1a of the logits, FNV-1a of the %s; over the\n"+
		"# bits of %T in little-endian order. Written by: go test -run Golden -update .\n", g.results, T(0))
}

// lens are the lengths on record for a family.
func (g *golden[T]) lens(family string) []int {
	block := blockLen[T]()
	lens := []int{1, 2, 3, 4, 5, 7, 8, 9, 10, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 127, 128, 129, 255, 256, 257,
		512, 1000, 1023, 1024, 2049, block - 1, block, block + 1, 2*block + 1, 20_000}
	switch family {
	case "normal3":
		lens = append(lens, 1<<18+1, 1<<20+1)
	case "normal10", "uniform1000", "offset1e6", "mask-inf", "ramp-up", "limits-rising":
		lens = append(lens, 1<<18+1)
	}
	slices.Sort(lens)
	return slices.Compact(lens)
}

// line returns the line of a family and length. Short lengths have many rows, one
// behind the other.
func (g *golden[T]) line(k kernel, f family[T], n int) string {
	rows := max(1, 1024/n)
	logits := make([]T, rows*n)
	for row := range rows {
		f.fillRow(logits[row*n:][:n], uint64(1000+row))
	}
	line := fmt.Sprintf("%s %d %016x", f.name, n, hashBits(logits))
	for _, hash := range g.hashes(k, logits, n) {
		line += fmt.Sprintf(" %016x", hash)
	}
	return line
}

func hashBits[T Float](row []T) uint64 {
	data := make([]byte, 0, sizeOf(row))
	for _, v := range row {
		if is32[T]() {
			data = binary.LittleEndian.AppendUint32(data, uint32(bitsOf(v)))
		} else {
			data = binary.LittleEndian.AppendUint64(data, bitsOf(v))
		}
	}
	hash := fnv.New64a()
	hash.Write(data)
	return hash.Sum64()
}

func TestGolden(t *testing.T) {
	if *update {
		updateGolden[float32](t)
		updateGolden[float64](t)
		t.Log("the next run compares with what was written")
		return
	}
	forEachKernelAndType(t, testGolden[float32], testGolden[float64])
}

func updateGolden[T Float](t *testing.T) {
	for _, g := range goldenFiles[T]() {
		text := g.header()
		for _, family := range familiesOf[T]() {
			for _, n := range g.lens(family.name) {
				text += g.line(kernelGeneric, family, n) + "\n"
			}
		}
		if err := os.WriteFile(g.path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func testGolden[T Float](t *testing.T, k kernel) {
	for _, g := range goldenFiles[T]() {
		text, err := goldenText.ReadFile(g.path)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(strings.TrimPrefix(string(text), g.header())), "\n")
		i := 0
		for _, family := range familiesOf[T]() {
			for _, n := range g.lens(family.name) {
				if i == len(lines) {
					t.Fatalf("%s ends before %s, n=%d", g.path, family.name, n)
				}
				got, want := strings.Fields(g.line(k, family, n)), strings.Fields(lines[i])
				i++
				switch {
				case slices.Equal(got, want):
				case len(want) != len(got) || !slices.Equal(got[:2], want[:2]):
					t.Fatalf("%s has %q where %s, n=%d belongs", g.path, want, family.name, n)
				case got[2] != want[2]:
					t.Errorf("%s: %s, n=%d: the logits are not those on record", g.path, family.name, n)
				default:
					t.Errorf("%s: %s, n=%d: the %s are not those on record", g.path, family.name, n, g.results)
				}
			}
		}
		if i != len(lines) {
			t.Errorf("%s has %d lines, want %d", g.path, len(lines), i)
		}
	}
}
