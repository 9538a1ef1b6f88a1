//go:build cgo_peers && cgo

package bench

// This file calls ONNX Runtime, through the wrapper that Go programs use.

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	ort "github.com/yalue/onnxruntime_go"
	"google.golang.org/protobuf/encoding/protowire"
)

var onnxRuntime = sync.OnceValue(func() (l cLibrary) {
	if l.missing = openONNXRuntime(os.Getenv("ONNXRUNTIME_LIB")); l.missing == "" {
		l.about = fmt.Sprintf("ONNX Runtime %s, Softmax of opset %d, called with onnxruntime_go, one thread", ort.GetVersion(), onnxOpset)
	}
	return l
})

// openONNXRuntime returns why the library with this path cannot be used, or "".
func openONNXRuntime(library string) string {
	if library == "" {
		return "set ONNXRUNTIME_LIB to libonnxruntime.so, which the npm package onnxruntime-node carries"
	}
	ort.SetSharedLibraryPath(library)
	if err := ort.InitializeEnvironment(); err != nil {
		return fmt.Sprintf("ONNXRUNTIME_LIB=%s: %v", library, err)
	}
	return ""
}

// onnxRuntimePeer returns the peer. Its calls are a loop in Go: the wrapper has none in C.
func onnxRuntimePeer[T native]() peer[T] {
	var s onnxSession[T]
	return peer[T]{name: "onnxruntime", about: onnxRuntime().about, missing: onnxRuntime().missing, softmax: s.softmax}
}

// onnxSession is a session for matrices of rows * cols, and is made again for others.
type onnxSession[T native] struct {
	rows, cols int
	session    *ort.DynamicAdvancedSession
}

// softmax is that of a peer. The session and what binds it to dst and src are made
// before time counts.
func (s *onnxSession[T]) softmax(dst, src []T, cols, calls int) (elapsed time.Duration, err error) {
	rows := len(src) / cols
	defer func() {
		if err != nil {
			err = fmt.Errorf("ONNX Runtime: %d elements in rows of %d: %w", len(src), cols, err)
		}
	}()
	if err := s.prepare(rows, cols); err != nil {
		return 0, err
	}
	// The library keeps the addresses of the slices until binding is destroyed.
	var pinner runtime.Pinner
	defer pinner.Unpin()
	pinner.Pin(&dst[0])
	pinner.Pin(&src[0])
	shape := ort.NewShape(int64(rows), int64(cols))
	in, err := ort.NewTensor(shape, src)
	if err != nil {
		return 0, err
	}
	defer in.Destroy()
	out, err := ort.NewTensor(shape, dst)
	if err != nil {
		return 0, err
	}
	defer out.Destroy()
	binding, err := s.session.CreateIoBinding()
	if err != nil {
		return 0, err
	}
	defer binding.Destroy()
	if err := errors.Join(binding.BindInput(onnxInput, in), binding.BindOutput(onnxOutput, out)); err != nil {
		return 0, err
	}
	start := time.Now()
	for range calls {
		if err := s.session.RunWithBinding(binding); err != nil {
			return 0, err
		}
	}
	return time.Since(start), nil
}

// prepare makes the session, unless it is that of the call before.
func (s *onnxSession[T]) prepare(rows, cols int) error {
	if s.session != nil {
		if s.rows == rows && s.cols == cols {
			return nil
		}
		s.session.Destroy()
		s.session = nil
	}
	options, err := ort.NewSessionOptions()
	if err != nil {
		return err
	}
	defer options.Destroy()
	if err := errors.Join(
		options.SetIntraOpNumThreads(1),
		options.SetInterOpNumThreads(1),
		options.SetExecutionMode(ort.ExecutionModeSequential),
	); err != nil {
		return err
	}
	s.rows, s.cols = rows, cols
	s.session, err = ort.NewDynamicAdvancedSessionWithONNXData(onnxSoftmax[T](rows, cols),
		[]string{onnxInput}, []string{onnxOutput}, options)
	return err
}

const (
	onnxOpset  = 13 // the first whose Softmax is along one axis
	onnxInput  = "logits"
	onnxOutput = "probabilities"
)

// onnxSoftmax returns a model in ONNX's format, a message ModelProto of onnx.proto. It has
// one node, a Softmax without attributes: its axis is then the last one.
func onnxSoftmax[T native](rows, cols int) []byte {
	// These append a field to a message: a number, a string or a message.
	number := func(b []byte, field protowire.Number, v int) []byte {
		return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), uint64(v))
	}
	text := func(b []byte, field protowire.Number, v string) []byte {
		return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), v)
	}
	message := func(b []byte, field protowire.Number, v []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), v)
	}

	elements := 1 // FLOAT of TensorProto.DataType
	if typeName[T]() == "float64" {
		elements = 11 // DOUBLE
	}
	var shape []byte // TensorShapeProto
	for _, n := range []int{rows, cols} {
		shape = message(shape, 1, number(nil, 1, n)) // dim: dim_value
	}
	matrix := message(number(nil, 1, elements), 2, shape) // TypeProto.Tensor: elem_type, shape
	value := func(name string) []byte {                   // ValueInfoProto
		return message(text(nil, 1, name), 2, message(nil, 1, matrix)) // name, type: tensor_type
	}

	node := text(nil, 1, onnxInput) // NodeProto: input
	node = text(node, 2, onnxOutput)
	node = text(node, 4, "Softmax") // op_type

	graph := message(nil, 1, node)  // GraphProto: node
	graph = text(graph, 2, "graph") // name, which is required
	graph = message(graph, 11, value(onnxInput))
	graph = message(graph, 12, value(onnxOutput))

	model := number(nil, 1, 7) // ir_version, that of the time of the opset
	model = message(model, 7, graph)
	return message(model, 8, number(nil, 2, onnxOpset)) // opset_import: version
}
