// ir/steps.h: debug counters. What a pass does piece by piece, a pattern applied, an op folded, two
// ops merged, is a step. Steps are counted when somebody wants to know which of them is wrong; then
// all after the first few are left out (--mlir-debug-counter, --bisect-numerics).
#ifndef DLIR_IR_STEPS_H
#define DLIR_IR_STEPS_H

#include "ir/op.h"

typedef struct dl_step_counter {
  uint64_t limit;  // no more than so many may be taken
  uint64_t num_taken;
  // The last one taken.
  const char *what;
  dl_ident op;
  dl_loc loc;
} dl_step_counter;

// For passes: whether the next step may be taken, which is about to begin at `op`; `what` names it
// ("merge") and lives as long as the pass. Always true while nobody counts.
DL_API bool dl_may_step(const dl_op *op, const char *what);

// Takes back the last step, which turned out to do nothing; `before` is the counter as it was then.
DL_API void dl_untake_step(dl_context *ctx, const dl_step_counter *before);
// The counter as it is, to be given to dl_untake_step; all zero while nobody counts.
DL_API dl_step_counter dl_steps_so_far(dl_context *ctx);

// Steps in this context are counted there from now on; NULL: not. One pass at a time: steps of
// passes that run side by side would be counted in any order.
DL_API void dl_count_steps(dl_context *ctx, dl_step_counter *counter);

#endif
