//go:build cgo_peers

// The softmax of TensorFlow's kernel for the CPU, which is an expression of Eigen:
// softmax_op_functor.h there.

extern "C" {
#include "cgo_peers.h"
}

#if __has_include(<unsupported/Eigen/CXX11/Tensor>)

#include <unsupported/Eigen/CXX11/Tensor>

#ifdef __SSE__
#include <xmmintrin.h>

// TensorFlow's threads take subnormal numbers for 0 on x86, as arguments and as results.
struct Flush {
	unsigned before = _mm_getcsr();
	Flush() { _mm_setcsr(before | 0x8040); }
	~Flush() { _mm_setcsr(before); }
};
#else
struct Flush {
	~Flush() {}
};
#endif

template <typename T> using Matrix = Eigen::TensorMap<Eigen::Tensor<T, 2, Eigen::RowMajor>>;

template <typename T> static void softmax(T *dst, const T *src, size_t rows, size_t cols) {
	Flush flush;
	Matrix<const T> logits(src, rows, cols);
	Matrix<T> probabilities(dst, rows, cols);
	Eigen::IndexList<Eigen::type2index<1>> along;
	Eigen::IndexList<int, Eigen::type2index<1>> column;
	Eigen::IndexList<Eigen::type2index<1>, int> wide;
	column.set(0, int(rows));
	wide.set(1, int(cols));
	probabilities = (logits - logits.maximum(along).eval().reshape(column).broadcast(wide)).exp();
	probabilities = probabilities * probabilities.sum(along).inverse().eval().reshape(column).broadcast(wide);
}

extern "C" {
#define TEXT(X) #X
#define VERSION(A, B, C) TEXT(A) "." TEXT(B) "." TEXT(C)
const char *eigen_version(void) { return VERSION(EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION); }
void eigen_softmax_float32(float *dst, const float *src, size_t rows, size_t cols) { softmax(dst, src, rows, cols); }
void eigen_softmax_float64(double *dst, const double *src, size_t rows, size_t cols) { softmax(dst, src, rows, cols); }
}

#else

extern "C" {
const char *eigen_version(void) { return nullptr; }
void eigen_softmax_float32(float *dst, const float *src, size_t rows, size_t cols) {}
void eigen_softmax_float64(double *dst, const double *src, size_t rows, size_t cols) {}
}

#endif
