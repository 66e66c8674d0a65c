// loop-invariant-code-motion: moves ops out of loops (DL_LOOP) when they have no effects, cannot
// trap and use nothing that the loop defines. Inner loops first, so that an op can leave several.
#include "ir/effects.h"
#include "ir/pass.h"
#include "ir/steps.h"

typedef struct invariance {
  const dl_op *loop;
  const dl_op *op;
} invariance;

static bool defined_inside(const dl_op *holder, const dl_value *value) {
  const dl_op *def = dl_value_def(value);
  if (def) return def != holder && dl_op_is_ancestor(holder, def);
  const dl_op *parent = dl_block_parent(dl_value_block(value));
  return parent && dl_op_is_ancestor(holder, parent);
}

static bool uses_only_invariants(dl_op *op, void *user) {
  const invariance *about = user;
  if (dl_has_trait(op, DL_MAY_TRAP)) return false;
  for (size_t i = 0; i < dl_num_operands(op); i++) {
    const dl_value *value = dl_operand(op, i);
    bool own = op != about->op && defined_inside(about->op, value);
    if (!own && defined_inside(about->loop, value)) return false;
  }
  return true;
}

static bool can_leave(const dl_op *loop, dl_op *op) {
  if (!dl_op_is_erasable(op) || dl_op_effects(op) != DL_EFFECTS_NONE) return false;
  // Moving a loop may run much for nothing, when the outer one runs zero times.
  if (dl_has_trait(op, DL_LOOP)) return false;
  invariance about = {loop, op};
  return dl_walk(op, uses_only_invariants, &about);
}

static bool hoist_from(dl_op *loop, void *user) {
  dl_pass *pass = user;
  if (!dl_has_trait(loop, DL_LOOP) || dl_has_trait(loop, DL_ISOLATED | DL_CLOSED)) return true;
  DL_FOR_BLOCKS(block, dl_op_region(loop, 0)) {
    DL_FOR_OPS(op, block) {
      if (!can_leave(loop, op) || !dl_may_step(op, "hoist")) continue;
      dl_op_move_before(op, loop);
      dl_count(pass, "hoisted", 1);
      dl_pass_changed(pass);
    }
  }
  return true;
}

static dl_status run_licm(dl_pass *pass, dl_op *root) {
  dl_walk_post(root, hoist_from, pass);
  return DL_OK;
}

static const char *const licm_statistics[] = {"hoisted"};

const dl_pass_def dl_pass_loop_invariant_code_motion = {
    .name = "loop-invariant-code-motion",
    .summary = "Move what does not depend on a loop in front of it",
    .contract = DL_EXACT,
    .num_statistics = DL_COUNT(licm_statistics),
    .statistics = licm_statistics,
    .run = run_licm,
};
