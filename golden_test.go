package softmax

// This file compares with results on record: the promise of the same bits on
// every architecture and in every version.

import (
	_ "embed"
	"encoding/binary"
	"flag"
	"fmt"
	"hash/fnv"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/golden.txt anew from the generic kernel")

// golden.txt has a line for every family and length: its name, the length, and
// hashes of the logits and of their probabilities.
//
//go:embed testdata/golden.txt
var golden string

const goldenHeader = `# family, length, FNV-1a of the logits, FNV-1a of the probabilities; over the
# bits of float32 in little-endian order. Written by: go test -run Golden -update .
`

// goldenLens are the lengths on record for a family.
func goldenLens(name string) []int {
	lens := []int{1, 2, 3, 4, 5, 7, 8, 9, 10, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 127, 128, 129, 255, 256, 257,
		512, 1000, 1023, 1024, 2049, blockLen - 1, blockLen, blockLen + 1, 2*blockLen + 1, 20_000}
	switch name {
	case "normal3":
		lens = append(lens, 1<<18+1, 1<<20+1)
	case "normal10", "uniform1000", "offset1e6", "mask-inf", "ramp-up", "limits-rising":
		lens = append(lens, 1<<18+1)
	}
	return lens
}

// goldenLine returns the line of a family and length. Short lengths have many
// rows, one behind the other.
func goldenLine(k kernel, f family, n int) string {
	rows := max(1, 1024/n)
	logits := make([]float32, rows*n)
	for row := range rows {
		f.fillRow(logits[row*n:][:n], uint64(1000+row))
	}
	before := hashBits(logits)
	softmaxRowsOf(k, logits, n)
	return fmt.Sprintf("%s %d %016x %016x", f.name, n, before, hashBits(logits))
}

// softmaxRowsOf computes rows of n elements in place.
func softmaxRowsOf(k kernel, rows []float32, n int) {
	softmaxRows(k, rows, rows, n, len(rows)/n, n, n)
}

func hashBits(row []float32) uint64 {
	data := make([]byte, 0, 4*len(row))
	for _, v := range row {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	hash := fnv.New64a()
	hash.Write(data)
	return hash.Sum64()
}

func TestGolden(t *testing.T) {
	if *update {
		text := goldenHeader
		for _, family := range families {
			for _, n := range goldenLens(family.name) {
				text += goldenLine(kernelGeneric, family, n) + "\n"
			}
		}
		if err := os.WriteFile("testdata/golden.txt", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		golden = text
	}
	lines := strings.Split(strings.TrimSpace(strings.TrimPrefix(golden, goldenHeader)), "\n")
	forEachKernel(t, func(t *testing.T, k kernel) {
		i := 0
		for _, family := range families {
			for _, n := range goldenLens(family.name) {
				if i == len(lines) {
					t.Fatalf("golden.txt ends before %s, n=%d", family.name, n)
				}
				got, want := strings.Fields(goldenLine(k, family, n)), strings.Fields(lines[i])
				i++
				switch {
				case slices.Equal(got, want):
				case len(want) != len(got) || !slices.Equal(got[:2], want[:2]):
					t.Fatalf("golden.txt has %q where %s, n=%d belongs", want, family.name, n)
				case got[2] != want[2]:
					t.Errorf("%s, n=%d: the logits are not those on record", family.name, n)
				default:
					t.Errorf("%s, n=%d: the probabilities are not those on record", family.name, n)
				}
			}
		}
		if i != len(lines) {
			t.Errorf("golden.txt has %d lines, want %d", len(lines), i)
		}
	})
}
