package main

// This file runs the block on a prompt and prints what happens.

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// shown is the head whose weights are printed.
const shown = 2

func (o *options) report(w io.Writer) {
	// Tokens are the words of the prompt, numbered as they appear first.
	var words []string
	var text []int
	for _, word := range o.Prompt {
		token := slices.Index(words, word)
		if token < 0 {
			token = len(words)
			words = append(words, word)
		}
		text = append(text, token)
	}
	fmt.Fprintf(w, "Prompt: %s\n\n", strings.Join(o.Prompt, " "))

	b := newBlock(len(words), o.Page, o.Seed)
	prompt, attention := b.prefill(text)
	var weights [][]float32 // those of the head that is shown, a row for each token
	for r := range text {
		weights = append(weights, row(prompt[shown], r))
	}
	fmt.Fprintln(w, "  keys  pages  difference  word      probabilities of the next")
	difference, largest := "prompt", 0.0
	for {
		last := text[len(text)-1]
		p := b.next(last, attention)
		order := likeliestFirst(p)
		fmt.Fprintf(w, "  %4d  %5d  %10s  %-8.8s", b.tokens, len(b.cache), difference, words[last])
		for _, token := range order[:min(3, len(order))] {
			fmt.Fprintf(w, "  %s (%.3f)", words[token], p[token])
		}
		fmt.Fprintln(w)
		if len(text) == len(o.Prompt)+o.Words {
			break
		}
		next := order[0]
		decoded, atOnce, inPages := b.decode(next)
		var ulp float64
		for head := range heads {
			ulp = max(ulp, ulpDifference(part(inPages, head), part(atOnce, head)))
		}
		difference, largest = fmt.Sprintf("%.1f ULP", ulp), max(largest, ulp)
		text, weights, attention = append(text, next), append(weights, decoded[shown]), inPages
	}
	fmt.Fprintf(w, "\nAttention in pages differs from attention over all keys at once by at most %.1f ULP\n"+
		"of the largest element of a head.\n\n", largest)
	printHeatMap(w, words, text, weights)
}

// likeliestFirst returns tokens by falling probability.
func likeliestFirst(p []float32) []int {
	tokens := make([]int, len(p))
	for i := range tokens {
		tokens[i] = i
	}
	slices.SortStableFunc(tokens, func(a, b int) int { return cmp.Compare(p[b], p[a]) })
	return tokens
}

// ulpDifference returns the largest difference between elements of a and b, in units in
// the last place of the largest element of b.
func ulpDifference(a, b []float32) float64 {
	var difference, largest float64
	for i := range b {
		difference = max(difference, math.Abs(float64(a[i])-float64(b[i])))
		largest = max(largest, math.Abs(float64(b[i])))
	}
	top := float32(largest)
	return difference / float64(math.Nextafter32(top, math.MaxFloat32)-top)
}

// printHeatMap prints weights as cells, the darker the larger: a row for each query, a
// column for each key. Of long texts it prints the end.
func printHeatMap(w io.Writer, words []string, text []int, weights [][]float32) {
	const shades, most = " .:-=+*#%@", 24
	first := max(0, len(text)-most)
	fmt.Fprintf(w, "Weights of head %d of %d, from blank (less than 0.1) to @ (0.9 and more). Each row is a word\n"+
		"that looks for what came after the same word before: a column, up to its own.\n\n%11s", shown+1, heads, "")
	for _, token := range text[first:] {
		fmt.Fprintf(w, " %-2.2s", words[token])
	}
	fmt.Fprintln(w)
	for r := first; r < len(text); r++ {
		line := fmt.Sprintf("  %-8.8s ", words[text[r]])
		for _, weight := range weights[r][first : r+1] {
			shade := shades[min(int(weight*10), 9)]
			line += fmt.Sprintf(" %c%c", shade, shade)
		}
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
}
