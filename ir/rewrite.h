// ir/rewrite.h: greedy pattern rewriting to a fixed point, as MLIR's applyPatternsGreedily.
#ifndef DLIR_IR_REWRITE_H
#define DLIR_IR_REWRITE_H

#include "ir/op.h"
#include "ir/op_def.h"

// A pattern rooted at one op definition (NULL: any op). Higher benefit first; ties in table order.
typedef struct dl_pattern {
  const dl_op_def *root;
  dl_outcome (*rewrite)(dl_rewriter *rw, dl_op *op);
  unsigned benefit;
  const char *name;
} dl_pattern;

#define DL_PATTERN(root, function) \
  { &(root), (function), 1, #function }

// Placed before the matched op, with its location.
DL_API dl_builder *dl_rw_builder(dl_rewriter *rw);
DL_API dl_op *dl_rw_build(dl_rewriter *rw, const dl_op_state *state);
// All changes go through these, so that the driver revisits what may match now.
DL_API void dl_replace(dl_rewriter *rw, dl_op *op, dl_value *value);  // op has one result
DL_API void dl_replace_many(dl_rewriter *rw, dl_op *op, size_t count, dl_value *const *values);
DL_API void dl_erase(dl_rewriter *rw, dl_op *op);
DL_API void dl_rw_set_operand(dl_rewriter *rw, dl_op *op, size_t i, dl_value *value);
// After changing op in place by other means.
DL_API void dl_rw_modified(dl_rewriter *rw, dl_op *op);
DL_API void *dl_rw_user(dl_rewriter *rw);

typedef struct dl_rewrite_config {
  unsigned max_iterations;  // rounds over all ops, 0: 10
  int64_t max_rewrites;     // patterns applied and ops folded in a round, 0: a number for each op
  bool *converged;  // told whether a round left nothing to do within these bounds; NULL: patterns
                    // that do not get there are a bug
  bool simplify_regions;  // between rounds: see ir/simplify_regions.h
  bool fold;   // also fold ops with their hooks, materialize constants, erase dead pure ops
  void *user;  // for dl_rw_user
} dl_rewrite_config;

// Rewrites everything below root (not root itself). *changed may be NULL.
DL_API dl_status dl_rewrite_greedily(dl_op *root, size_t num_patterns, const dl_pattern *patterns,
                                     const dl_rewrite_config *config, bool *changed);

#endif
