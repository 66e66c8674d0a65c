// canonicalize: folds, simplifies by the ops' algebraic traits and canonicalize hooks, merges equal
// constants and straight-line blocks, erases dead ops and unreachable blocks, to a fixed point.
#include "ir/pass.h"

// The op that makes the only operand, if it is of the same kind and shape.
static dl_op *same_op_below(dl_op *op) {
  if (dl_num_operands(op) != 1 || dl_num_results(op) != 1) return NULL;
  dl_op *inner = dl_value_def(dl_operand(op, 0));
  bool same = inner && dl_op_def_of(inner) == dl_op_def_of(op) && dl_num_operands(inner) == 1 &&
              dl_num_inherent_attrs(inner) == dl_num_inherent_attrs(op);
  for (size_t i = 0; same && i < dl_num_inherent_attrs(op); i++)
    same = dl_inherent_attr(op, i).value == dl_inherent_attr(inner, i).value;
  return same ? inner : NULL;
}

static dl_outcome replace_by(dl_rewriter *rw, dl_op *op, dl_value *value) {
  if (dl_value_type(value) != dl_value_type(dl_result(op, 0))) return DL_NO_MATCH;
  dl_replace(rw, op, value);
  return DL_CHANGED;
}

// f(f(x)) = x, f(f(x)) = f(x)
static dl_outcome simplify_twice(dl_rewriter *rw, dl_op *op) {
  if (!dl_has_trait(op, DL_INVOLUTION | DL_IDEMPOTENT)) return DL_NO_MATCH;
  dl_op *inner = same_op_below(op);
  if (!inner) return DL_NO_MATCH;
  bool involution = dl_has_trait(op, DL_INVOLUTION);
  return replace_by(rw, op, involution ? dl_operand(inner, 0) : dl_result(inner, 0));
}

static dl_outcome simplify_by_hook(dl_rewriter *rw, dl_op *op) {
  const dl_op_def *def = dl_op_def_of(op);
  return def->canonicalize ? def->canonicalize(rw, op) : DL_NO_MATCH;
}

static const dl_pattern patterns[] = {
    {.rewrite = simplify_twice, .benefit = 1, .name = "simplify_twice"},
    {.rewrite = simplify_by_hook, .benefit = 1, .name = "simplify_by_hook"},
};

static dl_status read_config(dl_pass *pass, const dl_op *root, dl_rewrite_config *config) {
  int64_t iterations = dl_option_int(pass, "max-iterations");
  dl_str regions = dl_option_str(pass, "region-simplify");
  bool disabled = dl_str_is(regions, "disabled");
  if (!disabled && !dl_str_is(regions, "normal") && !dl_str_is(regions, "aggressive"))
    return dl_error(dl_op_loc(root), "region-simplify is one of disabled, normal, aggressive");
  config->max_iterations =
      iterations < 0 || iterations > INT32_MAX ? INT32_MAX : (unsigned)iterations;
  config->max_rewrites = dl_option_int(pass, "max-num-rewrites");
  if (config->max_rewrites < 0) config->max_rewrites = INT64_MAX;
  config->simplify_regions = !disabled;
  return DL_OK;
}

static dl_status run_canonicalize(dl_pass *pass, dl_op *root) {
  bool changed = false, converged;
  dl_rewrite_config config = {.fold = true, .converged = &converged};
  DL_TRY(read_config(pass, root, &config));
  dl_status status = dl_rewrite_greedily(root, DL_COUNT(patterns), patterns, &config, &changed);
  if (changed) dl_pass_changed(pass);
  if (status == DL_OK && !converged && dl_option_bool(pass, "test-convergence"))
    return dl_op_error(root, "reaches no fixed point within the bounds of canonicalize");
  return status;
}

static const dl_option_def canonicalize_options[] = {
    {"max-iterations", "Rounds over all ops; -1: as many as it takes", DL_OPTION_INT, "10"},
    {"max-num-rewrites", "Rewrites in a round; -1: as many as it takes", DL_OPTION_INT, "-1"},
    {"region-simplify", "disabled; normal, aggressive: erase unreachable blocks, merge blocks",
     DL_OPTION_STRING, "normal"},
    {"test-convergence", "Fail when no fixed point is reached", DL_OPTION_BOOL, NULL},
};

const dl_pass_def dl_pass_canonicalize = {
    .name = "canonicalize",
    .summary = "Fold, simplify and erase dead ops to a fixed point",
    .contract = DL_EXACT,
    .num_options = DL_COUNT(canonicalize_options),
    .options = canonicalize_options,
    .run = run_canonicalize,
};
