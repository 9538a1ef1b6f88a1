// The softmax of C and C++ libraries. Each function computes that of rows * cols elements,
// row by row; dst and src share nothing.
//
// Libraries are loaded at run time, so that this compiles, links and runs without
// them. An open function returns NULL, or why its library cannot be used. Eigen is
// all in its headers: eigen_missing does that for those.

#include <stddef.h>

const char *onednn_open(const char *library);
const char *onednn_version(void);
// Returns 0, or the status of the library. A primitive is made when rows or cols
// are not those of the call before.
int onednn_softmax_float32(float *dst, const float *src, size_t rows, size_t cols);

const char *xnnpack_open(const char *library);
// Returns 0, or the status of the library, or -1 if there is no memory. An operator is
// made when cols is not that of the call before.
int xnnpack_softmax_float32(float *dst, const float *src, size_t rows, size_t cols);

const char *eigen_missing(void);
const char *eigen_about(void);
void eigen_softmax_float32(float *dst, const float *src, size_t rows, size_t cols);
void eigen_softmax_float64(double *dst, const double *src, size_t rows, size_t cols);

const char *sleef_open(const char *library);
const char *sleef_functions(void);
void sleef_softmax_float32(float *dst, const float *src, size_t rows, size_t cols);
void sleef_softmax_float64(double *dst, const double *src, size_t rows, size_t cols);

// Returns NULL where the C library is not glibc.
const char *libmvec_version(void);
void libmvec_softmax_float32(float *dst, const float *src, size_t rows, size_t cols);
void libmvec_softmax_float64(double *dst, const double *src, size_t rows, size_t cols);
