// The greedy driver works off a worklist: all ops in the order of the text at first, then whatever
// a change may have made foldable or matchable. Rounds repeat until one changes nothing, since a
// pattern may look at more than the neighbours of its root.
#include "ir/rewrite.h"

#include "ir/constants.h"
#include "ir/effects.h"
#include "ir/op_internal.h"
#include "ir/simplify_regions.h"
#include "ir/steps.h"

#define DEFAULT_ROUNDS 10
// Visits in one round, per op at its start; a slack for small inputs that expand.
#define VISITS_PER_OP 64
#define VISITS_SLACK 10000

struct dl_rewriter {
  dl_op *root;
  const dl_rewrite_config *config;
  size_t num_patterns;
  const dl_pattern *patterns;
  unsigned *order;  // of the patterns: by benefit, then as given

  DL_VEC(dl_op *) worklist;  // a stack; NULL where an op has been taken off
  dl_constants constants;

  dl_builder builder;  // without a location until someone builds
  dl_op *matched;      // whose location that is
  // What a pattern builds lies between these two (either may be NULL: the ends of the block).
  dl_block *built_block;
  dl_op *built_after, *built_before;
  bool changed;  // in this round
  int64_t num_rewrites;
  const char *last;  // pattern applied, for the message about those that never end
};

// --- worklist ---

static void push(dl_rewriter *rw, dl_op *op) {
  if (op->listed) return;
  DL_PUSH(&rw->worklist, op);
  op->listed = (uint32_t)rw->worklist.len;
}

static void take_off(dl_rewriter *rw, dl_op *op) {
  if (!op->listed) return;
  rw->worklist.data[op->listed - 1] = NULL;
  op->listed = 0;
}

static dl_op *pop(dl_rewriter *rw) {
  while (rw->worklist.len) {
    dl_op *op = rw->worklist.data[--rw->worklist.len];
    if (!op) continue;
    op->listed = 0;
    return op;
  }
  return NULL;
}

static bool push_visited(dl_op *op, void *user) {
  push(user, op);
  return true;
}

static void push_users(dl_rewriter *rw, const dl_value *value) {
  for (dl_use *use = dl_first_use(value); use; use = dl_next_use(use)) push(rw, dl_use_owner(use));
}

static void push_def(dl_rewriter *rw, const dl_value *value) {
  dl_op *def = dl_value_def(value);
  if (def && def != rw->root && dl_op_is_ancestor(rw->root, def)) push(rw, def);
}

static void push_operand_defs(dl_rewriter *rw, const dl_op *op) {
  for (size_t i = 0; i < dl_num_operands(op); i++) push_def(rw, dl_operand(op, i));
}

static size_t fill(dl_rewriter *rw) {
  rw->worklist.len = 0;
  dl_walk(rw->root, push_visited, rw);
  take_off(rw, rw->root);
  // The stack is worked off from its end: turn it, so that it starts with the first op of the text.
  size_t len = rw->worklist.len;
  for (size_t i = 0; i < len / 2; i++) {
    dl_op *op = rw->worklist.data[i];
    rw->worklist.data[i] = rw->worklist.data[len - 1 - i];
    rw->worklist.data[len - 1 - i] = op;
  }
  for (size_t i = 0; i < len; i++)
    if (rw->worklist.data[i]) rw->worklist.data[i]->listed = (uint32_t)i + 1;
  return len;
}

// --- changes ---

dl_builder *dl_rw_builder(dl_rewriter *rw) {
  if (!rw->builder.loc && rw->matched) rw->builder.loc = dl_op_loc(rw->matched);
  return &rw->builder;
}

void *dl_rw_user(dl_rewriter *rw) { return rw->config->user; }

dl_op *dl_rw_build(dl_rewriter *rw, const dl_op_state *state) {
  dl_op *op = dl_build(dl_rw_builder(rw), state);
  rw->changed = true;
  push(rw, op);
  return op;
}

static bool push_defs_of(dl_op *op, void *user) {
  push_operand_defs(user, op);
  return true;
}

static bool forget(dl_op *op, void *user) {
  dl_rewriter *rw = user;
  take_off(rw, op);
  dl_constants_forget(&rw->constants, op);
  return true;
}

static void step_over(dl_rewriter *rw, dl_op *op) {
  if (rw->built_after == op) rw->built_after = dl_op_prev(op);
  if (rw->built_before == op) rw->built_before = dl_op_next(op);
  if (rw->builder.before == op) rw->builder.before = dl_op_next(op);
  if (rw->matched != op) return;
  dl_rw_builder(rw);
  rw->matched = NULL;
}

void dl_erase(dl_rewriter *rw, dl_op *op) {
  rw->changed = true;
  dl_walk(op, push_defs_of, rw);
  dl_walk(op, forget, rw);
  step_over(rw, op);
  dl_op_erase(op);
}

static void replace_uses(dl_rewriter *rw, dl_value *from, dl_value *to) {
  if (from == to) return;
  push_users(rw, from);
  push_def(rw, to);
  if (dl_value_name(from) && !dl_value_name(to)) dl_value_set_name(to, dl_value_name(from));
  dl_replace_all_uses(from, to);
}

void dl_replace_many(dl_rewriter *rw, dl_op *op, size_t count, dl_value *const *values) {
  if (count != dl_num_results(op))
    dl_bug(op, "%zu values are to replace %zu results", count, dl_num_results(op));
  for (size_t i = 0; i < count; i++) replace_uses(rw, dl_result(op, i), values[i]);
  dl_erase(rw, op);
}

void dl_replace(dl_rewriter *rw, dl_op *op, dl_value *value) { dl_replace_many(rw, op, 1, &value); }

void dl_rw_modified(dl_rewriter *rw, dl_op *op) {
  rw->changed = true;
  push(rw, op);
  for (size_t i = 0; i < dl_num_results(op); i++) push_users(rw, dl_result(op, i));
}

void dl_rw_set_operand(dl_rewriter *rw, dl_op *op, size_t i, dl_value *value) {
  push_def(rw, dl_operand(op, i));
  dl_set_operand(op, i, value);
  dl_rw_modified(rw, op);
}

// --- folding ---

static bool is_constant(const dl_value *value) { return dl_constant_value(value) != NULL; }

// So that patterns and folders need to look for a constant on the right only.
static void move_constant_right(dl_rewriter *rw, dl_op *op) {
  if (!dl_has_trait(op, DL_COMMUTATIVE) || dl_num_operands(op) < 2) return;
  dl_value *left = dl_operand(op, 0), *right = dl_operand(op, 1);
  if (!is_constant(left) || is_constant(right)) return;
  dl_set_operand(op, 0, right);
  dl_set_operand(op, 1, left);
  dl_rw_modified(rw, op);
}

static dl_value *folded_value(dl_rewriter *rw, dl_op *op, size_t i, dl_folded folded) {
  dl_type type = dl_value_type(dl_result(op, i));
  if (!folded.value) return dl_constants_get(&rw->constants, op, folded.constant, type);
  if (dl_value_type(folded.value) != type) dl_bug(op, "folds to a value of another type");
  return folded.value;
}

static bool fold(dl_rewriter *rw, dl_op *op) {
  size_t count = dl_num_results(op);
  dl_context *ctx = dl_op_context(op);
  dl_step_counter before = dl_steps_so_far(ctx);
  if (dl_has_trait(op, DL_CONSTANT) || count == 0 || !dl_may_step(op, "fold")) return false;
  dl_folded few_folded[4], *folded = few_folded;
  dl_value *few_values[4], **values = few_values;
  bool many = count > DL_COUNT(few_values);
  if (many) folded = dl_calloc(count, sizeof(*folded));
  if (many) values = dl_calloc(count, sizeof(*values));
  bool done = dl_try_fold(op, folded);
  for (size_t i = 0; i < count && done; i++)
    done = (values[i] = folded_value(rw, op, i, folded[i]));
  if (done)
    dl_replace_many(rw, op, count, values);
  else
    dl_untake_step(ctx, &before);
  if (many) free(values);
  if (many) free(folded);
  return done;
}

// Whether op is gone afterwards.
static bool simplify(dl_rewriter *rw, dl_op *op) {
  if (!rw->config->fold) return false;
  if (dl_op_is_dead(op) && dl_may_step(op, "erase")) {
    dl_erase(rw, op);
    return true;
  }
  if (dl_has_trait(op, DL_CONSTANT)) {
    dl_value *same = dl_constants_unify(&rw->constants, op);
    if (same) dl_replace(rw, op, same);
    return same != NULL;
  }
  move_constant_right(rw, op);
  return fold(rw, op);
}

// --- patterns ---

// Patterns may build with dl_rw_builder and any builder function; those ops are found by their
// place.
static void push_built(dl_rewriter *rw) {
  dl_op *op = rw->built_after ? dl_op_next(rw->built_after) : dl_block_first(rw->built_block);
  for (; op && op != rw->built_before; op = dl_op_next(op)) dl_walk(op, push_visited, rw);
}

static dl_status apply_patterns(dl_rewriter *rw, dl_op *op) {
  for (size_t i = 0; i < rw->num_patterns; i++) {
    const dl_pattern *pattern = &rw->patterns[rw->order[i]];
    if (pattern->root && pattern->root != dl_op_def_of(op)) continue;
    rw->builder = (dl_builder){.ctx = dl_op_context(op), .block = dl_op_block(op), .before = op};
    rw->matched = op;
    rw->built_block = dl_op_block(op);
    rw->built_after = dl_op_prev(op);
    rw->built_before = dl_op_next(op);
    dl_context *ctx = dl_op_context(op);
    dl_step_counter before = dl_steps_so_far(ctx);
    if (!dl_may_step(op, pattern->name)) return DL_OK;
    dl_outcome outcome = pattern->rewrite(rw, op);
    if (outcome == DL_NO_MATCH) {
      dl_untake_step(ctx, &before);
      continue;
    }
    if (outcome == DL_REWRITE_FAILED) return DL_FAILED;
    rw->changed = true;
    rw->num_rewrites++;
    rw->last = pattern->name;
    push_built(rw);
    return DL_OK;
  }
  return DL_OK;
}

static void sort_patterns(dl_rewriter *rw) {
  rw->order = dl_malloc((rw->num_patterns + 1) * sizeof(*rw->order));
  for (unsigned i = 0; i < rw->num_patterns; i++) {
    unsigned at = i;
    while (at && rw->patterns[rw->order[at - 1]].benefit < rw->patterns[i].benefit) {
      rw->order[at] = rw->order[at - 1];
      at--;
    }
    rw->order[at] = i;
  }
}

// Leaves *ended false when the round was broken off.
static dl_status run_round(dl_rewriter *rw, bool *ended) {
  size_t visits = VISITS_PER_OP * fill(rw) + VISITS_SLACK;
  int64_t max_rewrites = rw->config->max_rewrites;
  rw->num_rewrites = 0;
  dl_op *op;
  while ((op = pop(rw))) {
    if (visits-- == 0 || (max_rewrites && rw->num_rewrites >= max_rewrites)) return DL_OK;
    if (simplify(rw, op))
      rw->num_rewrites++;
    else
      DL_TRY(apply_patterns(rw, op));
  }
  *ended = true;
  return DL_OK;
}

// The constants known may have been in blocks that are gone.
static void simplify_regions(dl_rewriter *rw) {
  if (!rw->config->simplify_regions || !dl_simplify_regions(rw->root)) return;
  rw->changed = true;
  dl_constants_free(&rw->constants);
  rw->constants = (dl_constants){.root = rw->root};
}

static dl_status run_rounds(dl_rewriter *rw, bool *changed, bool *converged) {
  unsigned rounds = rw->config->max_iterations ? rw->config->max_iterations : DEFAULT_ROUNDS;
  for (unsigned i = 0; i < rounds; i++) {
    bool ended = false;
    rw->changed = false;
    dl_status status = run_round(rw, &ended);
    if (status == DL_OK) simplify_regions(rw);
    *changed |= rw->changed;
    *converged = ended && !rw->changed;
    if (status != DL_OK || *converged) return status;
    if (!ended && rw->config->max_rewrites == 0) break;
  }
  return DL_OK;
}

dl_status dl_rewrite_greedily(dl_op *root, size_t num_patterns, const dl_pattern *patterns,
                              const dl_rewrite_config *config, bool *changed) {
  dl_rewriter rw = {
      .root = root, .config = config, .num_patterns = num_patterns, .patterns = patterns};
  rw.constants.root = root;
  sort_patterns(&rw);
  bool any = false, converged = false;
  dl_status status = run_rounds(&rw, &any, &converged);
  if (status == DL_OK && !converged && !config->converged)
    dl_bug(root, "rewriting does not come to an end; the last pattern applied is %s",
           rw.last ? rw.last : "folding");
  if (changed) *changed = any;
  if (config->converged) *config->converged = converged;
  dl_constants_free(&rw.constants);
  while (pop(&rw)) continue;  // after a failure
  DL_VEC_FREE(&rw.worklist);
  free(rw.order);
  return status;
}
