package main

// This file samples.

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"

	"github.com/seed174f7dca/softmax"
)

// setting says from which tokens to draw, and how evenly. Its last three fields leave
// out the less likely tokens; those that are 0 leave out none.
//
// Sources: A. Fan, M. Lewis and Y. Dauphin, "Hierarchical Neural Story Generation"
// (2018), for top-k; A. Holtzman and others, "The Curious Case of Neural Text Degeneration"
// (2020), for top-p; M. Nguyen and others, "Turning Up the Heat" (2025), for min-p.
type setting struct {
	name        string
	temperature float32 // divides the logits: below 1, what is likely becomes likelier
	topK        int     // keeps as many tokens
	topP        float64 // keeps the fewest tokens whose probabilities add up to it
	minP        float32 // keeps tokens with at least this part of the largest probability
}

var settings = []setting{
	{name: "temperature 1", temperature: 1},
	{name: "temperature 0.5", temperature: 0.5},
	{name: "temperature 1.5", temperature: 1.5},
	{name: "top-k 40", temperature: 1, topK: 40},
	{name: "top-p 0.9", temperature: 1, topP: 0.9},
	{name: "0.5, top-p 0.9", temperature: 0.5, topP: 0.9},
	{name: "1.5, top-p 0.9", temperature: 1.5, topP: 0.9},
	{name: "min-p 0.02", temperature: 1, minP: 0.02},
	{name: "1.5, min-p 0.02", temperature: 1.5, minP: 0.02},
	{name: "top-k 1: greedy", temperature: 1, topK: 1},
}

// report draws from random logits with every setting.
func report(w io.Writer, vocabulary int, seed uint64) error {
	random := rand.New(rand.NewPCG(seed, 0))
	logits := randomLogits(random, vocabulary)

	// Every way to leave out tokens keeps those with the largest logits: a first part
	// of the sorted ones.
	tokens := make([]int, vocabulary)
	for i := range tokens {
		tokens[i] = i
	}
	slices.SortStableFunc(tokens, func(a, b int) int { return cmp.Compare(logits[b], logits[a]) })
	sorted := make([]float32, vocabulary)
	for i, token := range tokens {
		sorted[i] = logits[token]
	}

	chances := make([]float64, 3)
	for i := range chances {
		chances[i] = random.Float64()
	}
	fmt.Fprintf(w, "%d tokens. Each setting leaves some of them, and draws with the same random numbers.\n\n", vocabulary)
	fmt.Fprint(w, "  setting            left  of probability  entropy        drawn, with probability\n")
	hash := sha256.New()
	for _, s := range settings {
		n, mass := s.candidates(sorted)
		p := s.probabilities(sorted[:n])
		fmt.Fprintf(w, "  %-15s  %6d          %5.1f%%  %6.3f bits", s.name, n, 100*mass, s.entropy(sorted[:n], p))
		for _, chance := range chances {
			i := draw(p, chance)
			fmt.Fprintf(w, "  %6d (%.4f)", tokens[i], p[i])
		}
		fmt.Fprintln(w)
		if err := binary.Write(hash, binary.LittleEndian, p); err != nil {
			return err
		}
	}
	fmt.Fprintf(w, "\nSHA-256 of the bits of all probabilities, the same on every processor: %.8x...\n", hash.Sum(nil))
	return nil
}

// randomLogits returns logits whose probabilities fall off as the frequencies of words
// do: by Zipf's law, roughly with the rank to the power of -1.3.
func randomLogits(random *rand.Rand, n int) []float32 {
	logits := make([]float32, n)
	for i := range logits {
		// Half as many tokens have one more leading zero, and a logit larger by 1.3*ln(2).
		halvings := float32(bits.LeadingZeros64(random.Uint64())) + random.Float32()
		logits[i] = halvings * (1.3 * math.Ln2)
	}
	return logits
}

// probabilities returns the softmax of logits at the temperature.
func (s *setting) probabilities(logits []float32) []float32 {
	p := make([]float32, len(logits))
	sampling := softmax.Scores{Scale: 1 / s.temperature}
	sampling.Softmax(row(p), row(logits))
	return p
}

// candidates returns how many of the sorted logits are left to draw from, and which
// probability they have together.
func (s *setting) candidates(sorted []float32) (n int, mass float64) {
	p := s.probabilities(sorted)
	for n < len(p) {
		if s.topK > 0 && n == s.topK || s.topP > 0 && mass >= s.topP || p[n] < float32(s.minP*p[0]) {
			break
		}
		mass += float64(p[n])
		n++
	}
	return n, mass
}

// entropy returns how many bits of information a token drawn with these probabilities
// has on average.
func (s *setting) entropy(logits, p []float32) float64 {
	logarithms := make([]float32, len(logits))
	for i, x := range logits {
		logarithms[i] = x * (1 / s.temperature)
	}
	softmax.LogSoftmax(logarithms, logarithms)
	var nats float64
	for i := range p {
		nats -= float64(float64(p[i]) * float64(logarithms[i]))
	}
	return nats / math.Ln2
}

// draw returns an index, each with its probability if chance is any number from 0 to 1
// with the same probability.
func draw(p []float32, chance float64) int {
	for i := range p {
		if chance -= float64(p[i]); chance < 0 {
			return i
		}
	}
	return 0 // the probabilities are rounded: they may add up to less than chance
}

func row(x []float32) softmax.Matrix[float32] {
	return softmax.Matrix[float32]{Data: x, Rows: 1, Cols: len(x), Stride: len(x)}
}
