// jit.h: machine code in this process.
#ifndef DLIR_TARGETS_LLVM_JIT_H
#define DLIR_TARGETS_LLVM_JIT_H

#include "targets/llvm/codegen.h"

typedef struct dl_jit dl_jit;

// NULL, with the reason in `why`, where the process cannot have one.
dl_jit *dl_jit_create(dl_buffer *why);
void dl_jit_destroy(dl_jit *jit);  // and all code
// Optimizes and compiles the unit for the codegen's processor, which is this one, and returns the
// address of its function `name`; NULL with the reason in `why`. Names are not used twice. The code
// may call what the process exports.
void *dl_jit_add(dl_jit *jit, const dl_codegen *codegen, const char *passes, dl_unit *unit,
                 const char *name, dl_buffer *why);

#endif
