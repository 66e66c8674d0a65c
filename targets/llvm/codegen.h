// codegen.h: from LLVM modules to machine code, several at a time.
#ifndef DLIR_TARGETS_LLVM_CODEGEN_H
#define DLIR_TARGETS_LLVM_CODEGEN_H

#include "ir/diag.h"
#include "targets/llvm/emit.h"

typedef struct dl_codegen {
  dl_machine machine;
  char *triple;
  int opt_level;                // 0 to 3
  LLVMTargetMachineRef target;  // the calling thread's
} dl_codegen;

// DL_FAILED after a diagnostic, for a triple that LLVM does not know.
dl_status dl_codegen_create(dl_codegen *codegen, dl_loc loc, dl_machine machine, int opt_level);
void dl_codegen_destroy(dl_codegen *codegen);

// This process's processor with all its features, as far as code generation goes.
dl_machine dl_host_processor(dl_context *ctx, dl_machine described);

// The middle-end passes for a unit, as LLVM's pass pipelines are written.
const char *dl_middle_end_passes(const dl_codegen *codegen, const dl_unit *unit);
// Runs the middle-end passes on one module.
dl_status dl_optimize(const dl_codegen *codegen, dl_loc loc, dl_unit *unit);
// Optimizes and compiles the units in parallel; buffers[i] (to be disposed of, or NULL) is the
// object or assembly of unit i. Which thread compiles what does not show in the result.
dl_status dl_compile_units(const dl_codegen *codegen, dl_loc loc, dl_unit_list *units,
                           LLVMCodeGenFileType kind, LLVMMemoryBufferRef *buffers);

#endif
