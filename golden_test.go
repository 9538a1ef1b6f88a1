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
type golden[T native] struct {
	path    string
	results string // what they are
	longest int    // the largest length
	hashes  func(k kernel, logits []T, n int) []uint64
}

// goldenFiles returns one for softmax and one for its logarithm, and for float32 those
// of elements of 16 bits and of scores, too.
func goldenFiles[T native]() []golden[T] {
	suffix := ""
	var more []golden[T]
	if is32[T]() {
		more = castSlice[golden[T]]([]golden[float32]{goldenHalf, goldenScores})
	} else {
		suffix = "64"
	}
	return append([]golden[T]{
		{"testdata/golden" + suffix + ".txt", "probabilities", 1 << 24, func(k kernel, logits []T, n int) []uint64 {
			rows := len(logits) / n
			softmaxRows(k, logits, logits, n, rows, n, n)
			return []uint64{hashBits(logits)}
		}},
		{"testdata/golden" + suffix + "_log.txt", "log-softmax, of the log-sum-exp", 1 << 24, func(k kernel, logits []T, n int) []uint64 {
			rows := len(logits) / n
			sums := make([]T, rows)
			for row := range sums {
				sums[row] = logSumExpRow(k, logits[row*n:][:n])
			}
			logSoftmaxRows(k, logits, logits, n, rows, n, n)
			return []uint64{hashBits(logits), hashBits(sums)}
		}},
	}, more...)
}

// goldenHalf is for the logits rounded to 16 bits.
var goldenHalf = golden[float32]{
	"testdata/golden_half.txt", "three results in Float16 and in BFloat16", 20_000,
	func(k kernel, logits []float32, n int) []uint64 {
		return append(hashHalf[Float16](k, logits, n), hashHalf[BFloat16](k, logits, n)...)
	},
}

func hashHalf[T half](k kernel, logits []float32, n int) (hashes []uint64) {
	src, rows := roundedRow[T](logits), len(logits)/n
	for _, op := range []operation{opSoftmax, opLogSoftmax, opLogSumExp} {
		dst := make([]T, len(src))
		rowsAlong(k, op, dst, src, n, rows, n, n)
		hashes = append(hashes, hashBits(dst))
	}
	return hashes
}

// goldenScores is for scores made of the logits in several ways.
var goldenScores = golden[float32]{
	"testdata/golden_scores.txt", "weights in seven ways", 20_000,
	func(k kernel, logits []float32, n int) (hashes []uint64) {
		rows := len(logits) / n
		r, sink := rng(n), float32(2)
		bias := Matrix[float32]{familyNamed[float32]("mask-inf").MakeRow(n, 40), 1, n, n}
		keep := makeKeep(&r, n)
		dst, src := Matrix[float32]{make([]float32, len(logits)), rows, n, n}, Matrix[float32]{logits, rows, n, n}
		for _, s := range []Scores{
			{Scale: 0x1.6a09e6p-4},
			{Softcap: 30},
			{Slope: -0.0625, Offset: n / 2},
			{Bias: bias, Keep: keep},
			{Causal: true, Offset: n / 2, Window: n/3 + 1},
			{Sink: &sink},
			{Scale: 0x1.6a09e6p-4, Softcap: 50, Slope: 0.01, Bias: bias, Keep: keep, Causal: true, Offset: n - n/4 - 1, Window: n/2 + 1, Sink: &sink},
		} {
			s.softmaxRows(k, &dst, &src)
			hashes = append(hashes, hashBits(dst.Data))
		}
		return hashes
	},
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
	return slices.DeleteFunc(slices.Compact(lens), func(n int) bool { return n > g.longest })
}

// line returns the line of a family and length. Short lengths have many rows, one
// behind the other.
func (g *golden[T]) line(k kernel, f family[T], n int) string {
	rows := max(1, 1024/n)
	logits := make([]T, rows*n)
	for row := range rows {
		f.FillRow(logits[row*n:][:n], uint64(1000+row))
	}
	line := fmt.Sprintf("%s %d %016x", f.Name, n, hashBits(logits))
	for _, hash := range g.hashes(k, logits, n) {
		line += fmt.Sprintf(" %016x", hash)
	}
	return line
}

func hashBits[T Float](row []T) uint64 {
	data := make([]byte, 0, sizeOf(row))
	for _, v := range row {
		switch {
		case is32[T]():
			data = binary.LittleEndian.AppendUint32(data, uint32(bitsOf(v)))
		case is64[T]():
			data = binary.LittleEndian.AppendUint64(data, bitsOf(v))
		default:
			data = binary.LittleEndian.AppendUint16(data, uint16(bitsOf(v)))
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

func updateGolden[T native](t *testing.T) {
	for _, g := range goldenFiles[T]() {
		text := g.header()
		for _, family := range familiesOf[T]() {
			for _, n := range g.lens(family.Name) {
				text += g.line(kernelGeneric, family, n) + "\n"
			}
		}
		if err := os.WriteFile(g.path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func testGolden[T native](t *testing.T, k kernel) {
	for _, g := range goldenFiles[T]() {
		text, err := goldenText.ReadFile(g.path)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(strings.TrimPrefix(string(text), g.header())), "\n")
		i := 0
		for _, family := range familiesOf[T]() {
			for _, n := range g.lens(family.Name) {
				if i == len(lines) {
					t.Fatalf("%s ends before %s, n=%d", g.path, family.Name, n)
				}
				line := lines[i]
				i++
				if g.longest < 1<<20 && !chosen(i, 4) {
					continue // these files have many hashes to compute
				}
				got, want := strings.Fields(g.line(k, family, n)), strings.Fields(line)
				switch {
				case slices.Equal(got, want):
				case len(want) != len(got) || !slices.Equal(got[:2], want[:2]):
					t.Fatalf("%s has %q where %s, n=%d belongs", g.path, want, family.Name, n)
				case got[2] != want[2]:
					t.Errorf("%s: %s, n=%d: the logits are not those on record", g.path, family.Name, n)
				default:
					t.Errorf("%s: %s, n=%d: the %s are not those on record", g.path, family.Name, n, g.results)
				}
			}
		}
		if i != len(lines) {
			t.Errorf("%s has %d lines, want %d", g.path, len(lines), i)
		}
	}
}
