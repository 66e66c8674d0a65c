// passes/graph/blocking.h: which dimensions of an op's tensors are stored in blocks, found from the
// index structure of its bound spec alone.
#ifndef DLIR_PASSES_GRAPH_BLOCKING_H
#define DLIR_PASSES_GRAPH_BLOCKING_H

#include "dialects/layout.h"
#include "ir/op.h"
#include "ir/spec.h"

// Flags per tensor of the bound spec and dimension.
typedef struct dl_blocking {
  const dl_bound_spec *bound;
  int64_t block;  // elements, 0: nothing is blocked
  bool *blocked;  // [tensor * DL_LAYOUT_MAX_DIMS + dim]
  size_t
      feature;  // contractions: the weight operand's dimension that the result's features run along
  size_t weight;  // contractions: tensor number of the weight, else SIZE_MAX
} dl_blocking;

// For a contraction (a sum of products of an activation and a tensor for which `is_constant` says
// so) of enough features and channels: blocks the result's features, the activation's channels, and
// the weight along both. Results of less than three dimensions stay as they are, only the weight is
// blocked. False when the op is no such thing. `current` has the layout of each tensor that is an
// operand. Arrays come from `arena`.
bool dl_block_contraction(const dl_bound_spec *bound, int64_t block, const dl_layout *current,
                          const bool *is_constant, dl_arena *arena, dl_blocking *blocking);
// Continues the blocking of the op's operands to its other tensors; false when no operand is
// blocked or the op's indices do not go along with it.
bool dl_block_alike(const dl_bound_spec *bound, int64_t block, const dl_layout *current,
                    const bool *is_constant, dl_arena *arena, dl_blocking *blocking);
// The layout keyword of a tensor, NULL: row-major.
dl_ident dl_blocked_layout(const dl_blocking *blocking, size_t tensor, bool is_constant);

#endif
