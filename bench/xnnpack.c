//go:build cgo_peers

// XNNPACK's softmax operator. It has no header that could be asked for its version, so
// the functions are declared here, as they were from 2019 to 2022.

#include "cgo_peers.h"

#include <dlfcn.h>
#include <stdint.h>

static struct {
	int (*initialize)(const void *allocator);
	int (*create)(size_t channels, size_t input_stride, size_t output_stride, uint32_t flags, void **op);
	int (*setup)(void *op, size_t rows, const float *src, float *dst, void *threads);
	int (*run)(void *op, void *threads);
	int (*delete)(void *op);
} library;

const char *xnnpack_open(const char *name) {
	void *l = dlopen(name, RTLD_NOW);
	if (l == NULL)
		return dlerror();
	if (dlsym(l, "xnn_reshape_softmax_nc_f32") != NULL)
		return "its functions are those of a later version than 2022";
#define LOAD(FIELD, NAME)                                                                    \
	if ((library.FIELD = (__typeof__(library.FIELD))dlsym(l, NAME)) == NULL)             \
		return "it has no " NAME;
	LOAD(initialize, "xnn_initialize")
	LOAD(create, "xnn_create_softmax_nc_f32")
	LOAD(setup, "xnn_setup_softmax_nc_f32")
	LOAD(run, "xnn_run_operator")
	LOAD(delete, "xnn_delete_operator")
	return library.initialize(NULL) == 0 ? NULL : "xnn_initialize failed";
}

int xnnpack_softmax_float32(float *dst, const float *src, size_t rows, size_t cols) {
	// The operator for rows of so many elements.
	static void *made;
	static size_t channels;
	int status;
	if (made != NULL && channels != cols) {
		library.delete(made);
		made = NULL;
	}
	if (made == NULL && (status = library.create(cols, cols, cols, 0, &made)) != 0)
		return status;
	channels = cols;
	if ((status = library.setup(made, rows, src, dst, NULL)) != 0)
		return status;
	return library.run(made, NULL);
}
