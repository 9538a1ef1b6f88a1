package main

// This file is the transformer block: its weights, its cache, and its attention.

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/seed174f7dca/softmax"
)

const (
	width     = 256 // elements of a token's vector
	heads     = 4
	headWidth = width / heads // elements of a query, key or value of one head
	hidden    = 512           // elements inside the feed-forward network
	scale     = 0.125         // of the products of queries and keys: 1/sqrt(headWidth)
)

// block is a transformer block, with embeddings before it and logits behind it. Its
// weights are random but not meaningless: long random vectors are nearly orthogonal,
// so that each is most like itself. The key of a token tells which token came before
// it. So a query finds what followed the same word earlier, and the heads write that
// to where the next word is read from. Such a block goes on with what repeats.
//
// Source: C. Olsson and others, "In-context Learning and Induction Heads" (2022), found
// that trained models do this. One block can, if a key knows the token before, as their
// "smeared keys" do.
type block struct {
	embeddings matrix // a row for each word
	lookUp     matrix // makes queries of tokens, and keys of the tokens before
	value      matrix // makes values
	output     matrix // takes what the heads return back to where embeddings are
	up, down   matrix // the feed-forward network

	pageSize int
	cache    []page
	tokens   int       // in the cache
	last     []float32 // the last of them, normalised
}

// page is a part of the cache: a row for each of up to pageSize tokens, with the keys
// or values of all heads side by side.
type page struct{ keys, values matrix }

func newBlock(words, pageSize int, seed uint64) *block {
	random := rand.New(rand.NewPCG(seed, 0))
	b := &block{
		embeddings: randomMatrix(random, words, width, 1),
		lookUp:     randomMatrix(random, width, width, 1/math.Sqrt(width)),
		value:      randomMatrix(random, width, width, 1/math.Sqrt(width)),
		output:     newMatrix(width, width),
		up:         randomMatrix(random, hidden, width, 1/math.Sqrt(width)),
		down:       randomMatrix(random, width, hidden, 0.25/math.Sqrt(hidden)),
		pageSize:   pageSize,
		last:       make([]float32, width),
	}
	for r := range width {
		for c := range width {
			// The transpose nearly undoes value. The heads are louder than the token itself.
			row(b.output, r)[c] = 3 * row(b.value, c)[r]
		}
	}
	return b
}

// remember adds a token to the cache. It returns the queries of all heads.
func (b *block) remember(token int) []float32 {
	if b.tokens%b.pageSize == 0 {
		b.cache = append(b.cache, page{newMatrix(0, width), newMatrix(0, width)})
	}
	x := normalise(row(b.embeddings, token))
	p := &b.cache[len(b.cache)-1]
	p.keys = appendRow(p.keys, multiply(b.lookUp, b.last))
	p.values = appendRow(p.values, multiply(b.value, x))
	b.tokens++
	b.last = x
	return multiply(b.lookUp, x)
}

// prefill adds the tokens of a prompt to the empty cache. It returns the attention
// weights of each head, with a row for each token, and the attention of the last token:
// in a model of one block, that of the others is not needed.
func (b *block) prefill(prompt []int) (weights [heads]matrix, attention []float32) {
	queries := make([][]float32, len(prompt))
	for i, token := range prompt {
		queries[i] = b.remember(token)
	}
	for head := range heads {
		m := newMatrix(len(prompt), len(prompt))
		for r, query := range queries {
			copy(row(m, r), b.products(head, query))
		}
		scores := softmax.Scores{Scale: scale, Slope: slope(head), Causal: true}
		scores.Softmax(m, m)
		weights[head] = m
		attention = append(attention, b.weigh(head, row(m, m.Rows-1))...)
	}
	return weights, attention
}

// decode adds a token to the cache. It returns the attention weights of each head, and
// the attention, computed over all keys at once and in pages.
func (b *block) decode(token int) (weights [heads][]float32, atOnce, inPages []float32) {
	query := b.remember(token)
	for head := range heads {
		m := oneRow(b.products(head, query))
		scores := softmax.Scores{Scale: scale, Slope: slope(head), Offset: b.tokens - 1}
		scores.Softmax(m, m)
		weights[head] = m.Data
		atOnce = append(atOnce, b.weigh(head, m.Data)...)
		inPages = append(inPages, b.attendInPages(head, query)...)
	}
	return weights, atOnce, inPages
}

// attendInPages returns the attention of the last token in the cache. Each page is
// worked on without the others: they may be on several cores or machines.
func (b *block) attendInPages(head int, query []float32) []float32 {
	outputs := newMatrix(len(b.cache), headWidth)
	logSumExps := make([]float32, len(b.cache))
	for i, p := range b.cache {
		// These are the steps of softmax.Scores. The log-sum-exp is that of the scores.
		scores := p.products(head, query)
		for key := range scores {
			distance := i*b.pageSize + key - (b.tokens - 1)
			scores[key] = float32(scores[key]*scale) + float32(slope(head)*float32(distance))
		}
		logSumExps[i] = softmax.LogSumExp(scores)
		softmax.Softmax(scores, scores)
		p.weigh(row(outputs, i), head, scores)
	}
	merged := make([]float32, headWidth)
	softmax.WeightedMerge(merged, outputs, logSumExps)
	return merged
}

// next returns the probability of each word to come after a token with this attention.
func (b *block) next(token int, attention []float32) []float32 {
	x := slices.Clone(row(b.embeddings, token))
	add(x, multiply(b.output, attention))
	inner := multiply(b.up, normalise(x))
	for i, v := range inner {
		v = max(v, 0) // squared ReLU
		inner[i] = v * v
	}
	add(x, multiply(b.down, inner))
	m := oneRow(multiply(b.embeddings, normalise(x)))
	scores := softmax.Scores{Scale: 1.0 / 32}
	scores.Softmax(m, m)
	return m.Data
}

// slope returns ALiBi's slope of a head, 1/4 to 1/256: the first looks near, the last far.
func slope(head int) float32 { return float32(math.Ldexp(1, -2*(head+1))) }

// products returns the products of the query of a head with all keys in the cache.
func (b *block) products(head int, query []float32) []float32 {
	var products []float32
	for _, p := range b.cache {
		products = append(products, p.products(head, query)...)
	}
	return products
}

func (p *page) products(head int, query []float32) []float32 {
	products := make([]float32, p.keys.Rows)
	for r := range products {
		products[r] = dot(part(query, head), part(row(p.keys, r), head))
	}
	return products
}

// weigh returns the sum of all values of a head in the cache, each times its weight.
func (b *block) weigh(head int, weights []float32) []float32 {
	sum := make([]float32, headWidth)
	for _, p := range b.cache {
		p.weigh(sum, head, weights[:p.values.Rows])
		weights = weights[p.values.Rows:]
	}
	return sum
}

// weigh adds the values of a head in the page, each times its weight, to sum.
func (p *page) weigh(sum []float32, head int, weights []float32) {
	for r, weight := range weights {
		for i, v := range part(row(p.values, r), head) {
			sum[i] += float32(weight * v)
		}
	}
}
