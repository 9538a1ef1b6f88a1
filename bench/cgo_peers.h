// The softmax of C and C++ libraries. Each function computes that of rows * cols elements,
// row by row, so many times: what a C program gets is a loop in C. dst and src share nothing.
//
// Libraries are loaded at run time, so that this compiles, links and runs without
// them. An open function returns NULL, or why its library cannot be used. Eigen is
// all in its headers: eigen_missing does that for those.

#include <stddef.h>

// REPEAT does something so many times. The compiler must not see that it is always the same.
#define REPEAT(calls, something)                                                             \
	for (; calls > 0; calls--) {                                                         \
		something;                                                                   \
		__asm__ volatile("" ::: "memory");                                           \
	}

const char *onednn_open(const char *library);
const char *onednn_version(void);
// Returns 0, or the status of the library. A primitive is made when rows or cols
// are not those of the call before.
int onednn_softmax_float32(float *dst, const float *src, size_t rows, size_t cols, size_t calls);

const char *xnnpack_open(const char *library);
// Returns 0, or the status of the library, or -1 if there is no memory. An operator is
// made when cols is not that of the call before.
int xnnpack_softmax_float32(float *dst, const float *src, size_t rows, size_t cols, size_t calls);

const char *eigen_missing(void);
const char *eigen_about(void);
void eigen_softmax_float32(float *dst, const float *src, size_t rows, size_t cols, size_t calls);
void eigen_softmax_float64(double *dst, const double *src, size_t rows, size_t cols, size_t calls);

const char *sleef_open(const char *library);
const char *sleef_functions(void);
void sleef_softmax_float32(float *dst, const float *src, size_t rows, size_t cols, size_t calls);
void sleef_softmax_float64(double *dst, const double *src, size_t rows, size_t cols, size_t calls);

// Returns NULL where the C library is not glibc.
const char *libmvec_version(void);
void libmvec_softmax_float32(float *dst, const float *src, size_t rows, size_t cols, size_t calls);
void libmvec_softmax_float64(double *dst, const double *src, size_t rows, size_t cols, size_t calls);
