// The cf dialect: which way a branch goes, and how branches are simplified.
#include "dialects/cf/cf_ops.h"
#include "ir/rewrite.h"

enum { TRUE_DEST, FALSE_DEST, CONDITION_GROUP = 0 };

typedef DL_VEC(dl_value *) value_list;

// A block and what is passed to it.
typedef struct destination {
  dl_block *block;
  value_list passed;
} destination;

static destination destination_of(const dl_op *op, size_t successor) {
  destination d = {.block = dl_successor(op, successor)};
  size_t first, count;
  dl_successor_operands(op, successor, &first, &count);
  for (size_t i = 0; i < count; i++) DL_PUSH(&d.passed, dl_operand(op, first + i));
  return d;
}

static void build_br(dl_rewriter *rw, dl_op *replaced, const destination *to) {
  dl_op_state state = {.def = &cf_br,
                       .num_operands = to->passed.len,
                       .operands = to->passed.data,
                       .num_successors = 1,
                       .successors = (dl_block *[]){to->block}};
  dl_rw_build(rw, &state);
  dl_erase(rw, replaced);
}

static void build_cond_br(dl_rewriter *rw, dl_op *replaced, const destination to[2]) {
  value_list operands = {0};
  DL_PUSH(&operands, dl_operand(replaced, CONDITION_GROUP));
  for (size_t k = 0; k < 2; k++)
    for (size_t i = 0; i < to[k].passed.len; i++) DL_PUSH(&operands, to[k].passed.data[i]);
  int32_t sizes[3] = {1, (int32_t)to[0].passed.len, (int32_t)to[1].passed.len};
  dl_context *ctx = dl_op_context(replaced);
  dl_attr weights = dl_get_attr(replaced, "branch_weights");
  dl_named_attr attrs[2] = {
      {dl_intern_z(ctx, "operandSegmentSizes"), dl_i32_array_attr(ctx, 3, sizes)},
      {dl_intern_z(ctx, "branch_weights"), weights}};
  dl_op_state state = {.def = &cf_cond_br,
                       .num_operands = operands.len,
                       .operands = operands.data,
                       .num_attrs = weights ? 2 : 1,
                       .attrs = attrs,
                       .num_successors = 2,
                       .successors = (dl_block *[]){to[0].block, to[1].block}};
  dl_rw_build(rw, &state);
  dl_erase(rw, replaced);
  DL_VEC_FREE(&operands);
}

static bool is_argument_of(const dl_value *value, const dl_block *block) {
  return dl_value_block(value) == block && block;
}

// Whether nothing but `block`'s own branch uses its arguments.
static bool arguments_stay(const dl_block *block, const dl_op *branch) {
  for (size_t i = 0; i < dl_num_args(block); i++)
    for (dl_use *use = dl_first_use(dl_arg(block, i)); use; use = dl_next_use(use))
      if (dl_use_owner(use) != branch) return false;
  return true;
}

// Steps over a block that does nothing but branch on.
static bool pass_through(destination *to) {
  dl_op *branch = dl_block_first(to->block);
  if (!branch || !dl_is(branch, cf_br) || dl_successor(branch, 0) == to->block) return false;
  if (!arguments_stay(to->block, branch)) return false;
  destination next = destination_of(branch, 0);
  for (size_t i = 0; i < next.passed.len; i++) {
    dl_value *value = next.passed.data[i];
    if (is_argument_of(value, to->block))
      next.passed.data[i] = to->passed.data[dl_value_index(value)];
  }
  DL_VEC_FREE(&to->passed);
  *to = next;
  return true;
}

static bool same_destination(const destination *a, const destination *b) {
  bool same = a->block == b->block && a->passed.len == b->passed.len;
  for (size_t i = 0; same && i < a->passed.len; i++) same = a->passed.data[i] == b->passed.data[i];
  return same;
}

dl_outcome cf_br_canonicalize(dl_rewriter *rw, dl_op *op) {
  destination to = destination_of(op, 0);
  bool passed = pass_through(&to);
  if (passed) build_br(rw, op, &to);
  DL_VEC_FREE(&to.passed);
  return passed ? DL_CHANGED : DL_NO_MATCH;
}

size_t cf_cond_br_branch(const dl_op *op, const dl_attr *operand_constants) {
  dl_attr condition = operand_constants[CONDITION_GROUP];
  if (!condition || condition->kind != DL_ATTR_INTEGER) return dl_num_successors(op);
  return condition->integer ? TRUE_DEST : FALSE_DEST;
}

dl_outcome cf_cond_br_canonicalize(dl_rewriter *rw, dl_op *op) {
  destination to[2] = {destination_of(op, TRUE_DEST), destination_of(op, FALSE_DEST)};
  dl_attr condition = dl_constant_value(dl_operand(op, CONDITION_GROUP));
  size_t taken = cf_cond_br_branch(op, &condition);
  dl_outcome outcome = DL_CHANGED;
  if (taken < 2) {
    build_br(rw, op, &to[taken]);
  } else if (same_destination(&to[0], &to[1])) {
    build_br(rw, op, &to[0]);
  } else {
    bool first = pass_through(&to[0]), second = pass_through(&to[1]);
    if (first || second)
      build_cond_br(rw, op, to);
    else
      outcome = DL_NO_MATCH;
  }
  DL_VEC_FREE(&to[0].passed);
  DL_VEC_FREE(&to[1].passed);
  return outcome;
}

dl_outcome cf_assert_canonicalize(dl_rewriter *rw, dl_op *op) {
  dl_attr condition = dl_constant_value(dl_operand(op, 0));
  if (!condition || condition->kind != DL_ATTR_INTEGER || !condition->integer) return DL_NO_MATCH;
  dl_erase(rw, op);
  return DL_CHANGED;
}
