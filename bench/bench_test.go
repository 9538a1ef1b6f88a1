package bench

import (
	"flag"
	"fmt"
	"os"
	"testing"
)

// rounds is how often each peer has its turn in each case. Taking turns spreads
// what else the machine does over all. It is odd, so that a median is a sample, and
// above 5, as benchstat wants it.
const rounds = 7

// TestMain prints the table of what was measured, and ends Python.
func TestMain(m *testing.M) {
	flag.Parse()
	// Go's default of a second for each sample would make an hour of so many.
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.benchtime" })
	if !given {
		flag.Set("test.benchtime", "50ms")
	}
	code := m.Run()
	measured.print(os.Stdout)
	if err := closePython(); err != nil {
		fmt.Fprintln(os.Stderr, "peers.py:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// BenchmarkSoftmax times all peers in turn, in the same process or beside it, and
// measures their errors. The README says what its output means.
func BenchmarkSoftmax(b *testing.B) {
	benchmarkType(b, peers32())
	benchmarkType(b, peers64())
}

func benchmarkType[T native](b *testing.B, peers []peer[T]) {
	typeName := typeName[T]()
	// Lines of this form are configuration in Go's benchmark format.
	for _, p := range peers {
		if p.missing == "" {
			fmt.Printf("%s: %s\n", p.name, p.about)
			continue
		}
		fmt.Printf("%s: MISSING: %s\n", p.name, p.missing)
		measured.missing = append(measured.missing, missingPeer{typeName, p.name, p.missing})
	}
	for _, c := range benchCases() {
		src := logits[T](c)
		dst := make([]T, len(src))
		reference := exactRows(src, c.cols)
		for round := range roundsNow() {
			for _, p := range peers {
				if p.missing != "" {
					continue
				}
				ways := []peer[T]{p}
				if p.fromGo != nil && c.rows == 1 {
					ways = append(ways, peer[T]{name: p.name + "-cgo", softmax: p.fromGo})
				}
				for _, p := range ways {
					name := fmt.Sprintf("type=%s/values=%s/n=%d/rows=%d/round=%d/peer=%s",
						typeName, c.family.name, c.cols, c.rows, round+1, p.name)
					var s sample // the last one: Go makes some short ones first
					b.Run(name, func(b *testing.B) { s = benchmarkPeer(b, p, c, dst, src, reference) })
					if s.nanoseconds > 0 { // it is 0 if -bench leaves this benchmark out
						measured.samples = append(measured.samples, caseSample{typeName, p.name, c, s})
					}
				}
			}
		}
	}
}

// benchmarkPeer takes one sample.
func benchmarkPeer[T native](b *testing.B, p peer[T], c benchCase, dst, src []T, reference []exact) (s sample) {
	clear(dst)
	b.ResetTimer()
	elapsed, err := p.softmax(dst, src, c.cols, b.N)
	b.StopTimer()
	if err != nil {
		b.Fatal(err)
	}
	// The peer's own time: that of the benchmark includes files for Python.
	perCall := float64(elapsed) / float64(b.N)
	s.nanoseconds = perCall / float64(len(src))
	b.ReportMetric(perCall, "ns/op")
	b.ReportMetric(s.nanoseconds, "ns/elem")
	if s.noErrors = reference == nil; !s.noErrors {
		s.errors = errorsOf(dst, reference)
		b.ReportMetric(s.errors.worst, "max-ULP")
		b.ReportMetric(s.errors.mean, "mean-ULP")
	}
	return s
}

// benchCases returns what is timed: each length alone, short ones many rows at a
// time too, and the other families. With -short it is less.
func benchCases() (cases []benchCase) {
	for _, n := range lengths {
		if testing.Short() && n != 8 && n != 1024 && n != 32768 {
			continue
		}
		cases = append(cases, benchCase{normal, n, 1})
		if n < batch {
			cases = append(cases, benchCase{normal, n, batch / n})
		}
	}
	for _, c := range accuracyCases {
		if c.family != normal && (c.cols <= 1024 || !testing.Short()) {
			cases = append(cases, c)
		}
	}
	return cases
}

func roundsNow() int {
	if testing.Short() {
		return 1
	}
	return rounds
}
