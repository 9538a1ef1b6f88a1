//go:build cgo_peers

// oneDNN's softmax primitive. The C interface of versions 2 and 3 differs.

#include "cgo_peers.h"

#if __has_include(<oneapi/dnnl/dnnl.h>)

#include <dlfcn.h>
#include <oneapi/dnnl/dnnl.h>
#include <stdio.h>

#define COMMON_FUNCTIONS(F)                                                                  \
	F(dnnl_engine_create)                                                                \
	F(dnnl_memory_create)                                                                \
	F(dnnl_memory_destroy)                                                               \
	F(dnnl_memory_set_data_handle)                                                       \
	F(dnnl_primitive_create)                                                             \
	F(dnnl_primitive_desc_destroy)                                                       \
	F(dnnl_primitive_destroy)                                                            \
	F(dnnl_primitive_execute)                                                            \
	F(dnnl_stream_create)                                                                \
	F(dnnl_stream_wait)                                                                  \
	F(dnnl_version)

#if DNNL_VERSION_MAJOR >= 3
#define FUNCTIONS(F)                                                                         \
	COMMON_FUNCTIONS(F)                                                                  \
	F(dnnl_memory_desc_create_with_tag)                                                  \
	F(dnnl_memory_desc_destroy)                                                          \
	F(dnnl_softmax_forward_primitive_desc_create)
#else
#define FUNCTIONS(F)                                                                         \
	COMMON_FUNCTIONS(F)                                                                  \
	F(dnnl_memory_desc_init_by_tag)                                                      \
	F(dnnl_primitive_desc_create)                                                        \
	F(dnnl_softmax_v2_forward_desc_init)
#endif

// The functions of the library, by their names.
static struct {
#define FIELD(NAME) __typeof__(NAME) *NAME;
	FUNCTIONS(FIELD)
} library;

static dnnl_engine_t engine;
static dnnl_stream_t stream;

const char *onednn_open(const char *name) {
	void *l = dlopen(name, RTLD_NOW);
	if (l == NULL)
		return dlerror();
#define LOAD(NAME)                                                                           \
	if ((library.NAME = (__typeof__(NAME) *)dlsym(l, #NAME)) == NULL)                    \
		return "it has no " #NAME;
	FUNCTIONS(LOAD)
	if (library.dnnl_version()->major != DNNL_VERSION_MAJOR)
		return "its version is not that of oneapi/dnnl/dnnl.h";
	if (library.dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success)
		return "dnnl_engine_create failed";
	if (library.dnnl_stream_create(&stream, engine, dnnl_stream_default_flags) != dnnl_success)
		return "dnnl_stream_create failed";
	return NULL;
}

const char *onednn_version(void) {
	static char text[32];
	const dnnl_version_t *v = library.dnnl_version();
	snprintf(text, sizeof text, "%d.%d.%d", v->major, v->minor, v->patch);
	return text;
}

// The primitive for matrices of rows * cols, and two of those matrices.
static struct {
	size_t rows, cols;
	dnnl_primitive_t primitive;
	dnnl_memory_t src, dst;
} made;

#define TRY(CALL)                                                                            \
	if ((status = CALL) != dnnl_success)                                                 \
		return status;

static dnnl_status_t make(size_t rows, size_t cols) {
	const int columns = 1; // the axis
	dnnl_status_t status;
	if (made.primitive != NULL) {
		library.dnnl_primitive_destroy(made.primitive);
		library.dnnl_memory_destroy(made.src);
		library.dnnl_memory_destroy(made.dst);
		made.primitive = NULL;
	}
	dnnl_dims_t dims = {rows, cols};
	dnnl_primitive_desc_t description;
#if DNNL_VERSION_MAJOR >= 3
	dnnl_memory_desc_t matrix;
	TRY(library.dnnl_memory_desc_create_with_tag(&matrix, 2, dims, dnnl_f32, dnnl_ab))
	TRY(library.dnnl_softmax_forward_primitive_desc_create(&description, engine, dnnl_forward_inference,
		dnnl_softmax_accurate, matrix, matrix, columns, NULL))
	TRY(library.dnnl_memory_create(&made.src, matrix, engine, DNNL_MEMORY_NONE))
	TRY(library.dnnl_memory_create(&made.dst, matrix, engine, DNNL_MEMORY_NONE))
	TRY(library.dnnl_memory_desc_destroy(matrix))
#else
	dnnl_memory_desc_t matrix;
	dnnl_softmax_v2_desc_t softmax;
	TRY(library.dnnl_memory_desc_init_by_tag(&matrix, 2, dims, dnnl_f32, dnnl_ab))
	TRY(library.dnnl_softmax_v2_forward_desc_init(&softmax, dnnl_forward_inference,
		dnnl_softmax_accurate, &matrix, &matrix, columns))
	TRY(library.dnnl_primitive_desc_create(&description, &softmax, NULL, engine, NULL))
	TRY(library.dnnl_memory_create(&made.src, &matrix, engine, DNNL_MEMORY_NONE))
	TRY(library.dnnl_memory_create(&made.dst, &matrix, engine, DNNL_MEMORY_NONE))
#endif
	TRY(library.dnnl_primitive_create(&made.primitive, description))
	TRY(library.dnnl_primitive_desc_destroy(description))
	made.rows = rows;
	made.cols = cols;
	return dnnl_success;
}

int onednn_softmax_float32(float *dst, const float *src, size_t rows, size_t cols, size_t calls) {
	dnnl_status_t status;
	if (made.primitive == NULL || made.rows != rows || made.cols != cols)
		TRY(make(rows, cols))
	TRY(library.dnnl_memory_set_data_handle(made.src, (void *)src))
	TRY(library.dnnl_memory_set_data_handle(made.dst, dst))
	dnnl_exec_arg_t arguments[] = {{DNNL_ARG_SRC, made.src}, {DNNL_ARG_DST, made.dst}};
	REPEAT(calls,
		TRY(library.dnnl_primitive_execute(made.primitive, stream, 2, arguments))
		TRY(library.dnnl_stream_wait(stream)))
	// C may not keep pointers to Go's memory.
	TRY(library.dnnl_memory_set_data_handle(made.src, DNNL_MEMORY_NONE))
	return library.dnnl_memory_set_data_handle(made.dst, DNNL_MEMORY_NONE);
}

#else

const char *onednn_open(const char *name) {
	return "oneapi/dnnl/dnnl.h was missing when this was compiled; go test -a compiles again";
}
const char *onednn_version(void) { return ""; }
int onednn_softmax_float32(float *dst, const float *src, size_t rows, size_t cols, size_t calls) { return -1; }

#endif
