// legality.h: which ops of a kernel have a SPIR-V form. LLVM's backend ends the process when it
// meets what it cannot translate, so kernels are looked at first.
#ifndef DLIR_TARGETS_SPIRV_LEGALITY_H
#define DLIR_TARGETS_SPIRV_LEGALITY_H

#include "ir/op.h"

// Fails after a diagnostic at an op that OpenCL has no code for, or that works on a type that
// OpenCL does not have. Does not look into functions that are called.
dl_status dl_check_spirv(dl_op *op);

#endif
