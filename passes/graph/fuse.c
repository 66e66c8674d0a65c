// graph-fuse: puts every dense computation into a graph.group, together with the elementwise ops
// that follow it: a convolution with its bias, normalization, activation and residual addition
// becomes one kernel. Greedy, in program order: a group grows while its value has one use, by an op
// that is elementwise in it and no relayout. Contract: exact.
#include "dialects/graph/graph_ops.h"
#include "ir/pass.h"
#include "ir/steps.h"
#include "passes/graph/structure.h"

typedef DL_VEC(dl_op *) op_list;
typedef DL_VEC(dl_value *) value_list;

static dl_bound_spec *bind(const dl_op *op) {
  return dl_op_def_of(op)->compute ? dl_spec_bind(op) : NULL;
}

static bool starts_group(const dl_op *op) {
  dl_bound_spec *bound = bind(op);
  bool starts = bound && dl_is_dense_compute(bound);
  if (bound) dl_bound_destroy(bound);
  return starts;
}

static bool joins_group(const dl_op *op, size_t operand) {
  dl_bound_spec *bound = bind(op);
  bool joins = bound && dl_is_elementwise_in(bound, operand);
  if (bound) dl_bound_destroy(bound);
  return joins;
}

static op_list grow(dl_op *first) {
  op_list ops = {0};
  DL_PUSH(&ops, first);
  for (dl_op *last = first; dl_num_results(last) == 1 && dl_has_one_use(dl_result(last, 0));) {
    dl_use *use = dl_first_use(dl_result(last, 0));
    dl_op *next = dl_use_owner(use);
    if (dl_op_block(next) != dl_op_block(first) || dl_is(next, graph_relayout)) break;
    if (!joins_group(next, dl_use_index(use))) break;
    DL_PUSH(&ops, next);
    last = next;
  }
  return ops;
}

static dl_loc group_loc(dl_context *ctx, const op_list *ops) {
  DL_VEC(dl_loc) locs = {0};
  for (size_t i = 0; i < ops->len; i++) DL_PUSH(&locs, dl_op_loc(ops->data[i]));
  dl_loc loc = ops->len == 1 ? locs.data[0] : dl_loc_fused(ctx, locs.len, locs.data, NULL);
  DL_VEC_FREE(&locs);
  return loc;
}

typedef struct group_body {
  dl_block *block;
  dl_ptr_map arguments;  // outside value -> block argument
  dl_ptr_map members;    // ops of the group
  value_list operands;
} group_body;

static dl_value *argument_for(group_body *body, dl_value *value) {
  dl_value *argument = dl_ptr_map_get(&body->arguments, value);
  if (argument) return argument;
  argument = dl_add_arg(body->block, dl_value_type(value), dl_value_loc(value));
  dl_value_set_name(argument, dl_value_name(value));
  dl_ptr_map_set(&body->arguments, value, argument);
  DL_PUSH(&body->operands, value);
  return argument;
}

// Constants that decide what the op computes (axes, shapes), rather than being read by it, come
// along: behind an argument they would not be known.
static void copy_deciding_constants(group_body *body, dl_op *op) {
  dl_bound_spec *bound = bind(op);
  for (size_t n = 0; bound && n < dl_num_operands(op); n++) {
    dl_op *def = dl_value_def(dl_operand(op, n));
    if (!def || !dl_is(def, graph_constant) || dl_depends_on(bound, n)) continue;
    dl_op *copy = dl_op_clone(def, NULL);
    dl_op_append(body->block, copy);
    dl_ptr_map_set(&body->members, copy, copy);
    dl_set_operand(op, n, dl_result(copy, 0));
  }
  if (bound) dl_bound_destroy(bound);
}

// Moves ops into the body; values from outside become arguments, once each.
static void fill_body(group_body *body, const op_list *ops) {
  for (size_t i = 0; i < ops->len; i++) {
    dl_op *op = ops->data[i];
    copy_deciding_constants(body, op);
    dl_op_unlink(op);
    dl_op_append(body->block, op);
    dl_ptr_map_set(&body->members, op, op);
    for (size_t n = 0; n < dl_num_operands(op); n++) {
      dl_value *value = dl_operand(op, n);
      bool inside = dl_value_def(value) && dl_ptr_map_has(&body->members, dl_value_def(value));
      if (!inside) dl_set_operand(op, n, argument_for(body, value));
    }
  }
}

static void make_group(const op_list *ops) {
  dl_op *last = ops->data[ops->len - 1];
  dl_builder b = dl_builder_after(last);
  dl_loc loc = group_loc(b.ctx, ops);
  group_body body = {.block = dl_block_create(b.ctx)};
  fill_body(&body, ops);
  DL_VEC(dl_type) types = {0};
  value_list yielded = {0};
  for (size_t i = 0; i < dl_num_results(last); i++) {
    DL_PUSH(&types, dl_value_type(dl_result(last, i)));
    DL_PUSH(&yielded, dl_result(last, i));
  }
  dl_op *group = dl_build(&b, &(dl_op_state){.def = &graph_group,
                                             .loc = loc,
                                             .num_operands = body.operands.len,
                                             .operands = body.operands.data,
                                             .num_results = types.len,
                                             .result_types = types.data,
                                             .num_regions = 1});
  dl_block_append(dl_op_region(group, 0), body.block);
  for (size_t i = 0; i < types.len; i++) {
    dl_value_set_name(dl_result(group, i), dl_value_name(yielded.data[i]));
    dl_replace_all_uses(yielded.data[i], dl_result(group, i));
  }
  dl_builder end = dl_builder_at_end(body.block, loc);
  dl_build(&end, &(dl_op_state){
                     .def = &graph_yield, .num_operands = yielded.len, .operands = yielded.data});
  dl_ptr_map_free(&body.arguments);
  dl_ptr_map_free(&body.members);
  DL_VEC_FREE(&body.operands);
  DL_VEC_FREE(&types);
  DL_VEC_FREE(&yielded);
}

// Returns the number of groups made.
static int64_t group_block(dl_block *block) {
  int64_t groups = 0;
  op_list all = {0};
  DL_FOR_OPS(op, block) DL_PUSH(&all, op);
  for (size_t i = 0; i < all.len; i++) {
    bool taken = dl_op_block(all.data[i]) != block;
    if (taken || !starts_group(all.data[i])) continue;
    op_list ops = grow(all.data[i]);
    if (dl_may_step(all.data[i], "group")) {
      make_group(&ops);
      groups++;
    }
    DL_VEC_FREE(&ops);
  }
  DL_VEC_FREE(&all);
  return groups;
}

static dl_status run(dl_pass *pass, dl_op *func) {
  int64_t groups = 0;
  DL_FOR_BLOCKS(block, dl_op_region(func, 0)) groups += group_block(block);
  dl_count(pass, "groups", groups);
  if (groups) dl_pass_changed(pass);
  return DL_OK;
}

static const char *const statistics[] = {"groups"};

const dl_pass_def dl_pass_graph_fuse = {.name = "graph-fuse",
                                        .summary = "Group ops that become one kernel",
                                        .anchor = "func.func",
                                        .contract = DL_EXACT,
                                        .num_statistics = DL_COUNT(statistics),
                                        .statistics = statistics,
                                        .run = run};
