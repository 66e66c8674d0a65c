#include "ir/steps.h"

#include "ir/context_internal.h"

void dl_count_steps(dl_context *ctx, dl_step_counter *counter) { ctx->steps = counter; }

bool dl_may_step(const dl_op *op, const char *what) {
  dl_context *ctx = dl_op_context(op);
  dl_step_counter *counter = ctx->steps;
  if (!counter) return true;
  if (counter->num_taken >= counter->limit) return false;
  counter->num_taken++;
  counter->what = what;
  counter->op = dl_intern_z(ctx, dl_op_name(op));
  counter->loc = dl_op_loc(op);
  return true;
}

dl_step_counter dl_steps_so_far(dl_context *ctx) {
  return ctx->steps ? *ctx->steps : (dl_step_counter){0};
}

void dl_untake_step(dl_context *ctx, const dl_step_counter *before) {
  if (ctx->steps) *ctx->steps = *before;
}
