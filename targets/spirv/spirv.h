// spirv.h: from LLVM modules of OpenCL kernels to SPIR-V, and its validation.
#ifndef DLIR_TARGETS_SPIRV_SPIRV_H
#define DLIR_TARGETS_SPIRV_SPIRV_H

#include "targets/llvm/emit.h"

// 64-bit addresses, SPIR-V 1.2: what OpenCL 2.2 and later devices must take.
#define DL_SPIRV_TRIPLE "spirv64v1.2-unknown-unknown"

// A target machine for kernels; dispose of it. NULL after a diagnostic.
LLVMTargetMachineRef dl_spirv_machine(dl_loc loc);
// Optimizes (from level 1 on) and translates a module. LLVM does it in a child process: what it
// cannot translate ends the child, and becomes a diagnostic at `loc`.
dl_status dl_spirv_translate(dl_loc loc, LLVMTargetMachineRef machine, const dl_unit *unit,
                             int opt_level, dl_buffer *binary);
// Whether a module follows the rules of SPIR-V in OpenCL's environment; a bug of ours if not.
void dl_spirv_validate(const dl_buffer *binary);

#endif
