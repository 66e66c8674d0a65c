// ir/dominance.h: dominators of the blocks of a region.
#ifndef DLIR_IR_DOMINANCE_H
#define DLIR_IR_DOMINANCE_H

#include "ir/analysis.h"
#include "ir/op.h"

// Dominator trees by region, computed when first asked for. Zero-initialize; valid while no block
// or successor changes.
typedef struct dl_dominance {
  dl_ptr_map regions;
} dl_dominance;

// Whether every path from the entry to `block` goes through `dominator`; both are in one region.
// Reflexive; true for an unreachable block.
DL_API bool dl_block_dominates(dl_dominance *dominance, const dl_block *dominator,
                               const dl_block *block);
DL_API void dl_dominance_free(dl_dominance *dominance);

// The result is a dl_dominance *. It holds while no block is added, moved within its region or
// branched to otherwise; regions may go as a whole.
extern DL_API const dl_analysis_def dl_dominance_analysis;

#endif
