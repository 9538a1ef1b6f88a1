//go:build cgo_peers

// Loops that the compiler makes vectors of, as -ffast-math allows. glibc's libmvec
// then has the exponential of a vector.

#include "cgo_peers.h"

#include <math.h>

#ifdef __GLIBC__
#include <gnu/libc-version.h>

const char *libmvec_version(void) { return gnu_get_libc_version(); }
#else
const char *libmvec_version(void) { return NULL; }
#endif

#define SOFTMAX(NAME, REAL, EXP)                                                             \
	static void NAME##_once(REAL *restrict dst, const REAL *restrict src, size_t rows, size_t cols) { \
		for (; rows > 0; rows--, dst += cols, src += cols) {                         \
			REAL largest = src[0], sum = 0;                                      \
			for (size_t i = 0; i < cols; i++)                                    \
				largest = src[i] > largest ? src[i] : largest;               \
			for (size_t i = 0; i < cols; i++)                                    \
				sum += dst[i] = EXP(src[i] - largest);                       \
			for (size_t i = 0; i < cols; i++)                                    \
				dst[i] /= sum;                                               \
		}                                                                            \
	}                                                                                    \
	void NAME(REAL *dst, const REAL *src, size_t rows, size_t cols, size_t calls) {      \
		REPEAT(calls, NAME##_once(dst, src, rows, cols))                             \
	}

SOFTMAX(libmvec_softmax_float32, float, expf)
SOFTMAX(libmvec_softmax_float64, double, exp)
