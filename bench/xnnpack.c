//go:build cgo_peers

// XNNPACK's softmax operator. The library has no version, and later ones have
// functions of the same names with other arguments. The prototypes here are those up
// to 2022, when there was no xnn_reshape_softmax_nc_f32.

#include "cgo_peers.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct operator operator;

// They return an xnn_status, of which 0 is success. The last argument of setup and
// run is a pool of threads: NULL for the thread that calls.
static int (*initialize)(const void *allocator);
static int (*create)(size_t channels, size_t src_stride, size_t dst_stride, uint32_t flags, operator **made);
static int (*setup)(operator *, size_t rows, const float *src, float *dst, void *threads);
static int (*run)(operator *, void *threads);
static int (*delete)(operator *);

const char *xnnpack_open(const char *library) {
	void *l = dlopen(library, RTLD_NOW);
	if (l == NULL)
		return dlerror();
	if (dlsym(l, "xnn_reshape_softmax_nc_f32") != NULL)
		return "its interface is newer than that of 2022";
#define LOAD(FUNCTION, NAME)                                                                 \
	if ((FUNCTION = (__typeof__(FUNCTION))dlsym(l, NAME)) == NULL)                       \
		return "it has no " NAME;
	LOAD(initialize, "xnn_initialize")
	LOAD(create, "xnn_create_softmax_nc_f32")
	LOAD(setup, "xnn_setup_softmax_nc_f32")
	LOAD(run, "xnn_run_operator")
	LOAD(delete, "xnn_delete_operator")
	if (initialize(NULL) != 0)
		return "xnn_initialize failed";
	return NULL;
}

// The operator for rows of cols.
static struct {
	size_t cols;
	operator *operator;
} made;

#define TRY(CALL)                                                                            \
	if ((status = CALL) != 0)                                                            \
		return status;

static int apply(float *dst, const float *src, size_t rows, size_t cols, size_t calls) {
	int status;
	if (made.operator == NULL || made.cols != cols) {
		if (made.operator != NULL)
			TRY(delete (made.operator))
		made.operator = NULL;
		TRY(create(cols, cols, cols, 0, &made.operator))
		made.cols = cols;
	}
	TRY(setup(made.operator, rows, src, dst, NULL))
	REPEAT(calls, TRY(run(made.operator, NULL)))
	// C may not keep pointers to Go's memory.
	return setup(made.operator, rows, NULL, NULL, NULL);
}

int xnnpack_softmax_float32(float *dst, const float *src, size_t rows, size_t cols, size_t calls) {
	// It loads vectors of 16 bytes, and what is left of a row as one too, even where
	// it ends after the logits. Those are copied to where that is allowed.
	if (cols % 4 == 0)
		return apply(dst, src, rows, cols, calls);
	size_t size = rows * cols * sizeof *src;
	float *padded = calloc(1, size + 16);
	if (padded == NULL)
		return -1;
	memcpy(padded, src, size);
	int status = apply(dst, padded, rows, cols, calls);
	free(padded);
	return status;
}
