// dialects/eval/kernel_internal.h: the type of the functions behind the kernels.
#ifndef DLIR_DIALECTS_EVAL_KERNEL_INTERNAL_H
#define DLIR_DIALECTS_EVAL_KERNEL_INTERNAL_H

#include "dialects/eval/kernel.h"

typedef void (*dl_kernel_fn)(const dl_kernel *kernel, void *out, const void *const *in,
                             size_t count);

#endif
