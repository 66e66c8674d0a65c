// box_code.h: plain loops for the dense computations of the interpreter (dialects/eval/box.h). They
// are made from what the interpreter evaluates, not from what passes make of it: no tile, no
// schedule, nothing that the passes under test had a hand in.
#ifndef DLIR_TARGETS_LLVM_BOX_CODE_H
#define DLIR_TARGETS_LLVM_BOX_CODE_H

#include <llvm-c/Core.h>

#include "dialects/eval/box.h"

// Runs slices [begin, end) of the box on `arrays`: the target's elements, then each read's, then
// those of the gathers in order. Sets *failed where an index is out of range that may not be.
// Slices may run side by side; what they compute does not depend on it.
typedef void (*dl_box_fn)(char *const *arrays, int64_t begin, int64_t end, uint32_t seed,
                          uint64_t *failed);

// How many slices there are, at least 1.
int64_t dl_box_slices(const dl_box *box);

// Whether all types, kernels and sizes of the box have code.
bool dl_box_has_code(const dl_box *box);
// Adds the box as the function `name` (a dl_box_fn) to the module. Kernels without code of their
// own are called where `kernels` keeps copies of them.
void dl_emit_box(LLVMModuleRef module, const char *name, const dl_box *box, dl_arena *kernels);

#endif
