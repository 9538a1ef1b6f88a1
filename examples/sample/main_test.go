package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/seed174f7dca/softmax/examples/internal/golden"
)

func TestOutput(t *testing.T) {
	var out strings.Builder
	if err := run(nil, &out); err != nil {
		t.Fatal(err)
	}
	golden.Check(t, out.String())
}

func TestWrongArguments(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"--vocabulary 0", "--vocabulary is 0, expected 1 to 4194304"},
		{"--vocabulary 4194305", "--vocabulary is 4194305, expected 1 to 4194304"},
		{"--vocabulary many", "--vocabulary"},
		{"logits.npy", "unexpected argument logits.npy"},
	} {
		err := run(strings.Fields(test.args), io.Discard)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error is %v, want it to contain %q", test.args, err, test.want)
		}
	}
}

func TestCandidates(t *testing.T) {
	logits := []float32{2, 2, 1, 1, -200} // probabilities 0.366, 0.366, 0.134, 0.134 and 0
	for _, test := range []struct {
		setting
		want int
	}{
		{setting{}, 5},
		{setting{topK: 3}, 3},
		{setting{topK: 9}, 5},
		{setting{topP: 0.3}, 1},
		{setting{topP: 0.5}, 2},
		{setting{topP: 0.8}, 3},
		{setting{topP: 0.9}, 4},
		{setting{minP: 1}, 2},
		{setting{minP: 0.3}, 4},
		{setting{topK: 4, topP: 0.8, minP: 0.5}, 2},
	} {
		test.temperature = 1
		if n, _ := test.candidates(logits); n != test.want {
			t.Errorf("%+v leaves %d tokens, want %d", test.setting, n, test.want)
		}
	}
}

// The entropy of 8 equally likely tokens is 3 bits, but for the rounding of ln(8).
func TestEntropy(t *testing.T) {
	s := setting{temperature: 0.5}
	for _, test := range []struct {
		logits []float32
		want   string
	}{
		{[]float32{7}, "0.000"},
		{[]float32{1, 1, 1, 1, 1, 1, 1, 1}, "3.000"},
		{[]float32{0, -300}, "0.000"},
		{[]float32{0.5 * math.Ln2, 0, 0}, "1.500"}, // 1/2, 1/4, 1/4
	} {
		if entropy := fmt.Sprintf("%.3f", s.entropy(test.logits, s.probabilities(test.logits))); entropy != test.want {
			t.Errorf("%v have an entropy of %s bits, want %s", test.logits, entropy, test.want)
		}
	}
}

func TestDraw(t *testing.T) {
	p := []float32{0.5, 0, 0.25, 0.125} // as if rounded down
	for _, test := range []struct {
		chance float64
		want   int
	}{{0, 0}, {math.Nextafter(0.5, 0), 0}, {0.5, 2}, {0.75, 3}, {0.9, 0}} {
		if i := draw(p, test.chance); i != test.want {
			t.Errorf("draw(%v, %v) = %d, want %d", p, test.chance, i, test.want)
		}
	}
}
