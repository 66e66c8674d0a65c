// A plugin with passes that take right steps and a wrong one.
#include "ir/plugin.h"
#include "ir/steps.h"

static bool is_named(const dl_op *op, const char *name) { return !strcmp(dl_op_name(op), name); }

// Right for sums, wrong for differences.
static dl_outcome commute(dl_rewriter *rw, dl_op *op) {
  bool is_sum = is_named(op, "arith.addf"), is_difference = is_named(op, "arith.subf");
  dl_op *def = is_sum || is_difference ? dl_value_def(dl_operand(op, 1)) : NULL;
  if (!def || !is_named(def, "arith.mulf")) return DL_NO_MATCH;
  dl_value *left = dl_operand(op, 0);
  dl_rw_set_operand(rw, op, 0, dl_operand(op, 1));
  dl_rw_set_operand(rw, op, 1, left);
  return DL_CHANGED;
}

static const dl_pattern patterns[] = {{NULL, commute, 1, "commute"}};

static bool turn(dl_op *op, void *user) {
  if (!is_named(op, "arith.subf") || !dl_may_step(op, "turn")) return true;
  dl_value *left = dl_operand(op, 0);
  dl_set_operand(op, 0, dl_operand(op, 1));
  dl_set_operand(op, 1, left);
  dl_pass_changed(user);
  return true;
}

static dl_status run_turn(dl_pass *pass, dl_op *root) {
  dl_walk(root, turn, pass);
  return DL_OK;
}

// Halves the buffers that functions ask for.
static bool shrink(dl_op *op, void *user) {
  dl_attr elements = is_named(op, "loop.alloc") ? dl_get_attr(op, "elements") : NULL;
  int64_t count;
  if (!elements || !dl_map_is_constant(elements->map, &count)) return true;
  count /= 2;
  dl_set_attr(op, "elements", dl_affine_map_attr(dl_constant_map(dl_op_context(op), 1, &count)));
  dl_pass_changed(user);
  return true;
}

static dl_status run_shrink(dl_pass *pass, dl_op *root) {
  dl_walk(root, shrink, pass);
  return DL_OK;
}

static const dl_pass_def rewriting = {.name = "test-commute",
                                      .summary = "Exchange operands",
                                      .anchor = "func.func",
                                      .contract = DL_EXACT,
                                      .num_patterns = DL_COUNT(patterns),
                                      .patterns = patterns};
DL_PASS(turning, "test-turn", "func.func", "Exchange operands, too", DL_EXACT, run_turn);

DL_PASS(shrinking, "test-shrink", "func.func", "Halve buffers", DL_EXACT, run_shrink);

static const dl_pass_def *const passes[] = {&rewriting, &dl_pass_turning, &dl_pass_shrinking};

DL_API const dl_module_def *dl_module_query(uint32_t host_version) {
  static const dl_module_def module = {.version = DL_PLUGIN_VERSION,
                                       .name = "wrong_steps",
                                       .num_passes = DL_COUNT(passes),
                                       .passes = passes};
  return host_version == DL_PLUGIN_VERSION ? &module : NULL;
}
