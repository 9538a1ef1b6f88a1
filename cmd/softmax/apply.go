package main

// This file is the subcommand apply.

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"github.com/seed174f7dca/softmax"
)

type applyCmd struct {
	Op    string `enum:"softmax,log-softmax,log-sum-exp" default:"softmax" placeholder:"NAME" help:"Operation: softmax, log-softmax or log-sum-exp; by default ${default}."`
	Axis  int    `default:"-1" placeholder:"N" help:"Axis along which it is done, by default the last one. As in NumPy, a negative one counts from the end."`
	Dtype string `enum:"auto,bfloat16" default:"auto" placeholder:"NAME" help:"auto takes the type that the file names; bfloat16 reads elements of 16 bits, which the file calls V2 or uint16, as bfloat16, for which NumPy has no name of its own."`
	In    string `arg:"" help:"A .npy file of float16, float32, float64 or bfloat16, of either byte order, in C or Fortran order, of any rank. It may be larger than memory, unless it is a pipe. A scalar counts as a row of one."`
	Out   string `arg:"" help:"Where to write the result; may be the same file. Nothing is written unless all went well."`
}

// Run does the operation along an axis of a file.
func (c *applyCmd) Run() error {
	p := newProgress(os.Stderr, 1)
	defer p.end()
	in, err := openFile(c.In, p)
	if err != nil {
		return fmt.Errorf("%w, expected a .npy file", err)
	}
	defer in.close()
	var t *transformation
	err = in.use(func() (err error) {
		if t, err = newTransformation(in.content, c.Op, c.Axis, c.Dtype); err != nil {
			return fmt.Errorf("%s: %w", c.In, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return replaceFile(c.Out, func(ctx context.Context, out io.WriterAt) error {
		defer in.close() // Windows replaces no file that is open
		return in.use(func() error { return t.write(ctx, out, p) })
	})
}

// applyTypes are the element types of files to which operations can be applied.
var applyTypes = []dtype{float16Type, float32Type, float64Type, bfloat16Type}

// bfloat16Types are what files call elements that may be bfloat16.
var bfloat16Types = []dtype{bfloat16Type, void16Type, uint16Type}

// transformation makes one .npy file of another.
type transformation struct {
	op      string
	in, out *npyFile
	array   along
}

// newTransformation prepares op along an axis of a .npy file. The element type is that of
// the file, or bfloat16 if dtype says so. Errors leave it to the caller to name the file.
func newTransformation(file []byte, op string, axis int, dtype string) (*transformation, error) {
	types := applyTypes
	if dtype == bfloat16Type.name {
		types = bfloat16Types
	}
	in, err := parseNPY(file, types...)
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
	return &transformation{op, in, out, in.along(axis)}, nil
}

// write writes the file that is made.
func (t *transformation) write(ctx context.Context, dst io.WriterAt, p *progress) error {
	if _, err := dst.WriteAt(t.out.header, 0); err != nil {
		return err
	}
	elements := io.NewOffsetWriter(dst, int64(len(t.out.header)))
	switch t.in.dtype {
	case float16Type:
		return writeElements[softmax.Float16, float32](ctx, elements, t, p)
	case float32Type:
		return writeElements[float32, float32](ctx, elements, t, p)
	case float64Type:
		return writeElements[float64, float64](ctx, elements, t, p)
	default:
		return writeElements[softmax.BFloat16, float32](ctx, elements, t, p)
	}
}

// writeElements writes the elements of the file, which are computed in type C.
func writeElements[T softmax.Float, C native](ctx context.Context, dst io.WriterAt, t *transformation, p *progress) error {
	j := job[T, C]{op: t.op, dst: dst, src: t.in.elements, order: t.in.order, array: t.array, sizes: sizesOf[C](), progress: p}
	if len(j.src) > 0 {
		return j.run(ctx)
	}
	if t.op == opLogSumExp {
		// withoutAxis limits how many there are.
		sums := slices.Repeat([]T{elementOf[T](math.Inf(-1))}, product(t.out.shape))
		_, err := dst.WriteAt(encodeElements(sums, t.in.order), 0)
		return err
	}
	return nil
}
