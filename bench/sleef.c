//go:build cgo_peers

// SLEEF's exponential of a vector, within 1.0 ULP, in loops of which the compiler
// makes vectors as it does in libmvec.c.

#include "cgo_peers.h"

#include <dlfcn.h>
#include <string.h>

#if defined(__AVX512F__)
#define BYTES 64
#define EXPF "Sleef_expf16_u10avx512f"
#define EXP "Sleef_expd8_u10avx512f"
#elif defined(__AVX2__) && defined(__FMA__)
#define BYTES 32
#define EXPF "Sleef_expf8_u10avx2"
#define EXP "Sleef_expd4_u10avx2"
#elif defined(__x86_64__)
#define BYTES 16
#define EXPF "Sleef_expf4_u10sse2"
#define EXP "Sleef_expd2_u10sse2"
#elif defined(__aarch64__)
#define BYTES 16
#define EXPF "Sleef_expf4_u10advsimd"
#define EXP "Sleef_expd2_u10advsimd"
#endif

#ifdef BYTES

typedef float floats __attribute__((vector_size(BYTES)));
typedef double doubles __attribute__((vector_size(BYTES)));

static floats (*exp_floats)(floats);
static doubles (*exp_doubles)(doubles);

const char *sleef_open(const char *library) {
	void *l = dlopen(library, RTLD_NOW);
	if (l == NULL)
		return dlerror();
	exp_floats = (floats(*)(floats))dlsym(l, EXPF);
	exp_doubles = (doubles(*)(doubles))dlsym(l, EXP);
	if (exp_floats == NULL || exp_doubles == NULL)
		return "it has no " EXPF " or no " EXP;
	return NULL;
}

const char *sleef_functions(void) { return EXPF ", " EXP; }

#define SOFTMAX(NAME, REAL, VECTOR, EXP)                                                     \
	static void NAME##_once(REAL *restrict dst, const REAL *restrict src, size_t rows, size_t cols) { \
		const size_t lanes = sizeof(VECTOR) / sizeof(REAL);                          \
		for (; rows > 0; rows--, dst += cols, src += cols) {                         \
			REAL largest = src[0], sum = 0;                                      \
			for (size_t i = 0; i < cols; i++)                                    \
				largest = src[i] > largest ? src[i] : largest;               \
			VECTOR x, sums = {0};                                                \
			size_t i = 0;                                                        \
			for (; i + lanes <= cols; i += lanes) {                              \
				memcpy(&x, src + i, sizeof x);                               \
				x = EXP(x - largest);                                        \
				memcpy(dst + i, &x, sizeof x);                               \
				sums += x;                                                   \
			}                                                                    \
			if (i < cols) {                                                      \
				x = (VECTOR){0} + largest;                                    \
				memcpy(&x, src + i, (cols - i) * sizeof(REAL));              \
				x = EXP(x - largest);                                        \
				memcpy(dst + i, &x, (cols - i) * sizeof(REAL));              \
			}                                                                    \
			for (size_t j = 0; j < lanes; j++)                                   \
				sum += sums[j];                                              \
			for (; i < cols; i++)                                                \
				sum += dst[i];                                               \
			for (size_t j = 0; j < cols; j++)                                    \
				dst[j] /= sum;                                               \
		}                                                                            \
	}                                                                                    \
	void NAME(REAL *dst, const REAL *src, size_t rows, size_t cols, size_t calls) {      \
		REPEAT(calls, NAME##_once(dst, src, rows, cols))                             \
	}

SOFTMAX(sleef_softmax_float32, float, floats, exp_floats)
SOFTMAX(sleef_softmax_float64, double, doubles, exp_doubles)

#else

const char *sleef_open(const char *library) { return "not used on this processor"; }
const char *sleef_functions(void) { return ""; }
void sleef_softmax_float32(float *dst, const float *src, size_t rows, size_t cols, size_t calls) {}
void sleef_softmax_float64(double *dst, const double *src, size_t rows, size_t cols, size_t calls) {}

#endif
