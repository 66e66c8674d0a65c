// binary.h: what a target writes for a model, whatever its kernels run on.
#ifndef DLIR_TARGETS_LLVM_BINARY_H
#define DLIR_TARGETS_LLVM_BINARY_H

#include "targets/llvm/codegen.h"

// The bytes that the results of @init take in the library.
dl_status dl_weights_size(dl_op *module, uint64_t *size);
// Writes a file atomically.
dl_status dl_write_file(dl_loc loc, const char *path, const void *bytes, size_t size);
enum { DL_LARGEST_EMBEDDED = 1500000000 };  // bytes of weights

// Whether weights of this size go to a file of their own, by a target's option `weights`: "embed",
// "separate", or NULL, which embeds up to the size above.
bool dl_separates_weights(const char *option, uint64_t size);

// Computes the weights, compiles what dl_emit_program emits, and links both into a shared library
// (with the runtime) or a relocatable object (without). With options->separate_weights they go to
// a file beside `path`, named like it with the suffix .weights instead.
dl_status dl_write_binary(dl_op *module, const dl_codegen *codegen, const dl_emit_options *options,
                          const char *path, bool shared);
// The C header of a model: the interface of all models, then the one function of this one.
dl_status dl_write_header(dl_loc loc, const char *prefix, const char *path);

#endif
