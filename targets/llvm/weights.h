// weights.h: runs @init and writes what it computes to an object file.
#ifndef DLIR_TARGETS_LLVM_WEIGHTS_H
#define DLIR_TARGETS_LLVM_WEIGHTS_H

#include "targets/llvm/codegen.h"
#include "targets/llvm/workdir.h"

// The object with the weights of the module under the symbol `<prefix>.weights`, for the machine
// that `triple` names. *object is NULL (and DL_OK returned) when the model has none. @init itself
// is compiled for the processor at hand.
dl_status dl_write_weights(dl_op *module, const dl_codegen *codegen, const char *prefix,
                           dl_workdir *dir, const char **object);
// The same as a side file (targets/runtime/weights.h), with its checksum.
dl_status dl_write_side_file(dl_op *module, const dl_codegen *codegen, dl_workdir *dir,
                             const char **file, uint64_t *checksum);

#endif
