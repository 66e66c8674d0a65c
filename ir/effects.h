// ir/effects.h: what an op may do besides computing its results, as its traits tell.
#ifndef DLIR_IR_EFFECTS_H
#define DLIR_IR_EFFECTS_H

#include "ir/op.h"
#include "ir/op_def.h"

typedef enum dl_effects {
  DL_EFFECTS_NONE,
  DL_EFFECTS_READ,   // reads memory
  DL_EFFECTS_WRITE,  // may do anything: writes memory, calls, or says nothing about itself
} dl_effects;

// The strongest effect of the op. Ops with DL_RECURSIVE_EFFECTS or DL_LOOP have those of their
// regions; terminators that are not pure themselves have none of their own.
DL_API dl_effects dl_op_effects(const dl_op *op);

// Whether the op can be erased when nothing uses its results.
DL_API bool dl_op_is_erasable(const dl_op *op);
// ... and nothing does.
DL_API bool dl_op_is_dead(const dl_op *op);

// What is done to the memory behind a pointer; NULL: to any memory.
typedef struct dl_access {
  const dl_value *pointer;
  uint32_t effects;  // dl_effect
} dl_access;

typedef DL_VEC(dl_access) dl_access_list;

// Appends what op, and what it holds, does to memory: by the effects that the definition marks
// operands and results with, else by traits. What says nothing about itself may read and write
// anything.
DL_API void dl_op_accesses(const dl_op *op, dl_access_list *into);

// The innermost region around the op that values may not be moved out of, or shared with the
// outside: that of an isolated or closed op, or of `root`. NULL if root does not hold the op.
DL_API dl_region *dl_sharing_scope(const dl_op *op, const dl_op *root);

#endif
