package main

// This file is the subcommand apply.

import (
	"encoding/binary"
	"fmt"
	"iter"
	"math"
	"os"
	"slices"

	"github.com/seed174f7dca/softmax"
)

type applyCmd struct {
	Op   string `enum:"softmax,log-softmax,log-sum-exp" default:"softmax" placeholder:"NAME" help:"Operation: softmax, log-softmax or log-sum-exp; by default ${default}."`
	Axis int    `default:"-1" placeholder:"N" help:"Axis along which it is done, by default the last one. As in NumPy, a negative one counts from the end."`
	In   string `arg:"" help:"A .npy file of float16, float32 or float64, in C or Fortran order, of any rank. A scalar counts as a row of one."`
	Out  string `arg:"" help:"Where to write the result; may be the same file. Nothing is written unless all went well."`
}

// Run does the operation along an axis of a file.
func (c *applyCmd) Run() error {
	p := newProgress(os.Stderr, 3)
	defer p.end()
	file, err := readFile(c.In, p)
	if err != nil {
		return fmt.Errorf("%w, expected a .npy file", err)
	}
	if file, err = transform(file, c.Op, c.Axis, p); err != nil {
		return fmt.Errorf("%s: %w", c.In, err)
	}
	return replaceFile(c.Out, file, p)
}

// transform returns the .npy file that op makes of another along an axis. It may
// be the same memory. Errors leave it to the caller to name the file.
func transform(file []byte, op string, axis int, p *progress) ([]byte, error) {
	in, err := parseNPY(file, float16Type, float32Type, float64Type)
	if err != nil {
		return nil, err
	}
	if axis, err = in.checkAxis(axis); err != nil {
		return nil, err
	}
	out := in
	if op == opLogSumExp {
		if out, err = in.withoutAxis(axis); err != nil {
			return nil, err
		}
	}
	a := in.along(axis)
	p.begin(op, len(in.elements))
	switch in.dtype {
	case float16Type:
		err = applyAlong[softmax.Float16](op, out.elements, in.elements, a, pieceLen, p)
	case float32Type:
		err = applyAlong[float32](op, out.elements, in.elements, a, pieceLen, p)
	case float64Type:
		err = applyAlong[float64](op, out.elements, in.elements, a, pieceLen, p)
	}
	return out.file, err
}

// pieceLen is how many elements are worked on at a time.
const pieceLen = 1 << 18

// applyAlong decodes the elements in src, does op to them, and encodes the result
// in dst, in pieces of about pieceLen elements.
func applyAlong[T softmax.Float](op string, dst, src []byte, a along, pieceLen int, p *progress) error {
	size := binary.Size(T(0))
	if len(src) == 0 {
		empty := []T{elementOf[T](math.Inf(-1))}
		for ; len(dst) > 0; dst = dst[size:] {
			if err := encodeElements(dst, empty); err != nil {
				return err
			}
		}
		return nil
	}
	var values []T
	for piece := range a.pieces(pieceLen) {
		lanes := piece.outers * piece.inners
		values = slices.Grow(values[:0], lanes*a.length)[:lanes*a.length]
		// The lanes lie in runs of contiguous elements: one, if there are all of the
		// inner ones.
		runs, start := a.length, piece.outer*a.length*a.inner+piece.inner
		if piece.inners == a.inner {
			runs = 1
		}
		run := len(values) / runs
		for r := range runs {
			if err := decodeElements(values[r*run:][:run], src[(start+r*a.inner)*size:]); err != nil {
				return err
			}
		}
		shape := []int{piece.outers, a.length, piece.inners}
		if op == opLogSumExp {
			sums := make([]T, lanes)
			alongAxis(op, sums, values, shape, 1)
			if err := encodeElements(dst[(piece.outer*a.inner+piece.inner)*size:], sums); err != nil {
				return err
			}
		} else {
			alongAxis(op, values, values, shape, 1)
			for r := range runs {
				if err := encodeElements(dst[(start+r*a.inner)*size:], values[r*run:][:run]); err != nil {
					return err
				}
			}
		}
		p.add(len(values) * size)
	}
	return nil
}

// along is an array in C order along an axis: element i of lane (o, j) stands at
// (o*length + i)*inner + j.
type along struct{ outer, length, inner int }

// piece is a part of an array along an axis: the lanes from (outer, inner) on,
// outers times inners of them.
type piece struct{ outer, outers, inner, inners int }

// pieces cuts an array into pieces of about pieceLen elements, but of whole lanes.
func (a along) pieces(pieceLen int) iter.Seq[piece] {
	const fewestLanes = 16 // side by side: they share cache lines
	return func(yield func(piece) bool) {
		outers, inners := max(1, pieceLen/(a.length*a.inner)), a.inner
		if outers == 1 {
			inners = max(fewestLanes, pieceLen/a.length)
		}
		for o := 0; o < a.outer; o += outers {
			for j := 0; j < a.inner; j += inners {
				if !yield(piece{o, min(outers, a.outer-o), j, min(inners, a.inner-j)}) {
					return
				}
			}
		}
	}
}
