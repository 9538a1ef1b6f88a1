//go:build !(cgo_peers && cgo)

package bench

// This file stands for cgo_peers.go where C libraries are not asked for.

const noC = "needs cgo and -tags cgo_peers"

func cPeers32() []peer[float32] { return cPeers[float32]() }

func cPeers64() []peer[float64] { return cPeers[float64]() }

func cPeers[T native]() []peer[T] {
	return []peer[T]{
		{name: "onednn", missing: noC},
		{name: "xnnpack", missing: noC},
		{name: "onnxruntime", missing: noC},
		{name: "eigen", missing: noC},
		{name: "sleef", missing: noC},
		{name: "libmvec", missing: noC},
	}
}
