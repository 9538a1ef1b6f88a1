//go:build cgo_peers

// Eigen's tensors, with the expression that TensorFlow's kernel for CPUs consists of:
// tensorflow/core/kernels/softmax_op_functor.h.

extern "C" {
#include "cgo_peers.h"
}

#if __has_include(<unsupported/Eigen/CXX11/Tensor>)

#include <unsupported/Eigen/CXX11/Tensor>

#ifdef __SSE2__
#include <xmmintrin.h>

#define SUBNORMAL "flushed"

// TensorFlow computes with 0 for subnormal arguments and results. Go's code, which
// runs on the same thread afterwards, does not.
class FlushSubnormal {
	unsigned before = _mm_getcsr();

public:
	FlushSubnormal() { _mm_setcsr(before | 0x8040); } // FTZ and DAZ
	~FlushSubnormal() { _mm_setcsr(before); }
};
#else
#define SUBNORMAL "kept"

struct FlushSubnormal {};
#endif

// A call of its own, so that no arithmetic moves out of the scope of FlushSubnormal.
template <typename T>
__attribute__((noinline)) static void computeSoftmax(T *dst, const T *src, size_t rows, size_t cols) {
	using Matrix = Eigen::Tensor<T, 2, Eigen::RowMajor>;
	Eigen::TensorMap<const Matrix> logits(src, rows, cols);
	Eigen::TensorMap<Matrix> softmax(dst, rows, cols);
	Eigen::IndexList<Eigen::type2index<1>> alongClass;
	Eigen::IndexList<int, Eigen::type2index<1>> batchByOne;
	batchByOne.set(0, rows);
	Eigen::IndexList<Eigen::type2index<1>, int> oneByClass;
	oneByClass.set(1, cols);
	Eigen::DefaultDevice thisThread;
	softmax.device(thisThread) =
		(logits - logits.maximum(alongClass).eval().reshape(batchByOne).broadcast(oneByClass)).exp();
	softmax.device(thisThread) =
		softmax * softmax.sum(alongClass).inverse().eval().reshape(batchByOne).broadcast(oneByClass);
}

extern "C" const char *eigen_missing(void) { return nullptr; }

#define TEXT(X) #X
#define VERSION(WORLD, MAJOR, MINOR) TEXT(WORLD) "." TEXT(MAJOR) "." TEXT(MINOR)

extern "C" const char *eigen_about(void) {
	return "Eigen " VERSION(EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION)
		" (the expression of TensorFlow's kernel), one thread, subnormal numbers " SUBNORMAL;
}

extern "C" void eigen_softmax_float32(float *dst, const float *src, size_t rows, size_t cols, size_t calls) {
	FlushSubnormal now;
	REPEAT(calls, computeSoftmax(dst, src, rows, cols))
}

extern "C" void eigen_softmax_float64(double *dst, const double *src, size_t rows, size_t cols, size_t calls) {
	FlushSubnormal now;
	REPEAT(calls, computeSoftmax(dst, src, rows, cols))
}

#else

extern "C" const char *eigen_missing(void) {
	return "unsupported/Eigen/CXX11/Tensor was missing when this was compiled; go test -a compiles again";
}
extern "C" const char *eigen_about(void) { return ""; }
extern "C" void eigen_softmax_float32(float *dst, const float *src, size_t rows, size_t cols, size_t calls) {}
extern "C" void eigen_softmax_float64(double *dst, const double *src, size_t rows, size_t cols, size_t calls) {}

#endif
