// loop-form-fma: forms fused multiply-adds: a product that only sums use becomes one math.fma
// with each of them. The only pass that forms FMAs. Contract: reassociates, because an FMA rounds
// once. Does nothing for a machine without FMA units.
#include "dialects/arith/arith_ops.h"
#include "dialects/machine.h"
#include "dialects/math/math_ops.h"
#include "ir/pass.h"

// The product behind a value that only sums use: all of these become FMAs, so it is not computed
// twice.
static dl_op *summed_product(const dl_value *value) {
  dl_op *op = dl_value_def(value);
  if (!op || !dl_is(op, arith_mulf)) return NULL;
  for (dl_use *use = dl_first_use(value); use; use = dl_next_use(use))
    if (!dl_is(dl_use_owner(use), arith_addf)) return NULL;
  return op;
}

static dl_outcome form_fma(dl_rewriter *rw, dl_op *sum) {
  if (dl_machine_of(sum).fma_per_cycle <= 0) return DL_NO_MATCH;
  size_t side = summed_product(dl_operand(sum, 1)) ? 1 : 0;
  dl_op *product = summed_product(dl_operand(sum, side));
  if (!product) return DL_NO_MATCH;
  dl_value *operands[] = {dl_operand(product, 0), dl_operand(product, 1),
                          dl_operand(sum, 1 - side)};
  dl_type type = dl_value_type(dl_result(sum, 0));
  dl_op *fma = dl_rw_build(rw, &(dl_op_state){.def = &math_fma,
                                              .num_operands = DL_COUNT(operands),
                                              .operands = operands,
                                              .num_results = 1,
                                              .result_types = &type});
  dl_replace(rw, sum, dl_result(fma, 0));
  if (!dl_has_uses(dl_result(product, 0))) dl_erase(rw, product);
  return DL_CHANGED;
}

DL_REWRITE_PASS(loop_form_fma, "loop-form-fma", "func.func",
                "Fuse products into the sums that use them", DL_REASSOCIATES,
                DL_PATTERN(arith_addf, form_fma));
