package main

// This file is the subcommand apply.

import (
	"fmt"
	"os"

	"github.com/seed174f7dca/softmax"
)

type applyCmd struct {
	In  string `arg:"" help:"Logits: a .npy file of float32 in C order, of any rank. A scalar counts as a row of one."`
	Out string `arg:"" help:"Where to write the probabilities; may be the same file. Nothing is written unless all went well."`
}

// Run applies softmax over the last axis of a file.
func (c *applyCmd) Run() error {
	file, err := os.ReadFile(c.In)
	if err != nil {
		return fmt.Errorf("%w, expected a .npy file", err)
	}
	t, err := decodeNPY[float32](file)
	if err != nil {
		return fmt.Errorf("%s: %w", c.In, err)
	}
	softmaxLastAxis(t)
	// The shape and the dtype stay, so the header stays as well.
	if file, err = t.encode(); err != nil {
		return fmt.Errorf("%s: %w", c.Out, err)
	}
	return replaceFile(c.Out, file)
}

// softmaxLastAxis replaces the logits in t by probabilities.
func softmaxLastAxis(t *tensor[float32]) {
	if len(t.data) == 0 {
		return
	}
	cols := 1
	if rank := len(t.shape); rank > 0 {
		cols = t.shape[rank-1]
	}
	m := softmax.Matrix[float32]{Data: t.data, Rows: len(t.data) / cols, Cols: cols, Stride: cols}
	softmax.SoftmaxRows(m, m)
}
