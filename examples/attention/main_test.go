package main

import (
	"io"
	"slices"
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
		{"--words 0", "--words is 0, expected 1 to 1000"},
		{"--page 0", "--page is 0, expected 1 to 1000"},
		{"--page 1001 la la", "--page is 1001, expected 1 to 1000"},
		{"--seed -1", "--seed"},
		{"--pages 3", "unknown flag --pages"},
		{strings.Repeat("la ", 1001), "the prompt has 1001 words, expected at most 1000"},
	} {
		err := run(strings.Fields(test.args), io.Discard)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.40s: error is %v, want it to contain %q", test.args, err, test.want)
		}
	}
}

// A single page has all keys: nothing is merged, and no bit changes.
func TestOnePage(t *testing.T) {
	b := newBlock(4, 7, 5)
	b.prefill([]int{0, 1, 2, 3, 0, 1})
	if _, atOnce, inPages := b.decode(2); !slices.Equal(atOnce, inPages) {
		t.Errorf("attention in one page is %v, at once %v", inPages, atOnce)
	}
}

// The same attention comes from a prompt and, a token at a time, from the cache.
func TestDecodeIsPrefill(t *testing.T) {
	text := []int{0, 1, 2, 0, 1, 2, 0, 3, 0, 3}
	decoded := newBlock(4, 4, 5)
	decoded.prefill(text[:1])
	for n := 2; n <= len(text); n++ {
		weights, atOnce, _ := decoded.decode(text[n-1])
		prompt, attention := newBlock(4, 4, 5).prefill(text[:n])
		for head := range heads {
			if want := row(prompt[head], n-1); !slices.Equal(weights[head], want) {
				t.Errorf("token %d, head %d: weights are %v, want %v", n-1, head, weights[head], want)
			}
		}
		if !slices.Equal(atOnce, attention) {
			t.Errorf("token %d: attention is %v, want %v", n-1, atOnce, attention)
		}
	}
}
