//go:build cgo_peers && cgo

package bench

import (
	"strings"
	"testing"
)

// TestNoCLibrary is about libraries that do not exist. Those that do stay open.
func TestNoCLibrary(t *testing.T) {
	const nowhere = "libsoftmax-nowhere.so"
	if reason := openOneDNN(nowhere); !strings.Contains(reason, "libdnnl-dev") {
		t.Errorf("oneDNN: missing because of %q, want a reason that names libdnnl-dev", reason)
	}
	if reason := openXNNPACK(nowhere); !strings.Contains(reason, nowhere) || !strings.Contains(reason, "libxnnpack0") {
		t.Errorf("XNNPACK: missing because of %q, want a reason that names %s and libxnnpack0", reason, nowhere)
	}
	if reason := openONNXRuntime(nowhere); !strings.Contains(reason, "ONNXRUNTIME_LIB="+nowhere) {
		t.Errorf("ONNX Runtime: missing because of %q, want a reason that names ONNXRUNTIME_LIB=%s", reason, nowhere)
	}
	if reason := openONNXRuntime(""); !strings.Contains(reason, "onnxruntime-node") {
		t.Errorf("ONNX Runtime: missing because of %q, want a reason that names onnxruntime-node", reason)
	}
	if reason := openSLEEF(nowhere); !strings.Contains(reason, nowhere) || !strings.Contains(reason, "libsleef-dev") {
		t.Errorf("SLEEF: missing because of %q, want a reason that names %s and libsleef-dev", reason, nowhere)
	}
}
