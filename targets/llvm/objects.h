// objects.h: emits a program and writes its objects to files.
#ifndef DLIR_TARGETS_LLVM_OBJECTS_H
#define DLIR_TARGETS_LLVM_OBJECTS_H

#include "targets/llvm/codegen.h"
#include "targets/llvm/link.h"
#include "targets/llvm/workdir.h"

// Appends the paths of the objects to `objects`: files <stem>-<number>.o of the folder, which owns
// them.
dl_status dl_write_objects(dl_op *module, const dl_codegen *codegen, const dl_emit_options *options,
                           dl_workdir *dir, const char *stem, dl_path_list *objects);

#endif
