#include "dialects/tensor/compute.h"
#include "dialects/tensor/group.h"
#include "dialects/tensor/tensor_ops.h"

typedef struct grouping {
  dl_block *from, *body;
  dl_ptr_map members;    // op -> itself
  dl_ptr_map arguments;  // outside value -> block argument
  DL_VEC(dl_value *) operands;
  DL_VEC(dl_value *) results;
} grouping;

dl_block *dl_group_body(const dl_op *group) { return dl_region_first(dl_op_region(group, 0)); }

// The op of block `from` that holds `op`, or NULL.
static dl_op *ancestor_in(const dl_block *from, dl_op *op) {
  while (op && dl_op_block(op) != from) op = dl_op_parent(op);
  return op;
}

static bool is_inside(const grouping *g, const dl_value *value) {
  dl_op *def = dl_value_def(value);
  if (!def) def = dl_block_parent(dl_value_block(value));
  dl_op *member =
      dl_value_def(value) || dl_value_block(value) != g->from ? ancestor_in(g->from, def) : NULL;
  return member && dl_ptr_map_has(&g->members, member);
}

static bool take_operands(dl_op *op, void *user) {
  grouping *g = user;
  for (size_t i = 0; i < dl_num_operands(op); i++) {
    dl_value *value = dl_operand(op, i);
    if (is_inside(g, value)) continue;
    dl_value *argument = dl_ptr_map_get(&g->arguments, value);
    if (!argument) {
      argument = dl_add_arg(g->body, dl_value_type(value), dl_value_loc(value));
      dl_value_set_name(argument, dl_value_name(value));
      dl_ptr_map_set(&g->arguments, value, argument);
      DL_PUSH(&g->operands, value);
    }
    dl_set_operand(op, i, argument);
  }
  return true;
}

static void collect_results(grouping *g, dl_op *op) {
  for (size_t i = 0; i < dl_num_results(op); i++) {
    bool outside = false;
    for (dl_use *use = dl_first_use(dl_result(op, i)); use && !outside; use = dl_next_use(use)) {
      dl_op *user = ancestor_in(g->from, dl_use_owner(use));
      outside = !user || !dl_ptr_map_has(&g->members, user);
    }
    if (outside) DL_PUSH(&g->results, dl_result(op, i));
  }
}

static bool label_taken(const dl_op *compute, dl_attr label) {
  for (dl_op *op = dl_op_prev(compute); op; op = dl_op_prev(op))
    if (dl_is(op, tensor_compute) && dl_get_attr(op, "label") == label) return true;
  return false;
}

static void make_label_unique(dl_op *compute) {
  dl_context *ctx = dl_op_context(compute);
  dl_attr label = dl_get_attr(compute, "label");
  for (int n = 1; label_taken(compute, label); n++) {
    dl_str base = dl_get_str(compute, "label");
    label = dl_string_attr_z(ctx, dl_intern_f(ctx, "%.*s_%d", (int)base.len, base.data, n));
  }
  dl_set_attr(compute, "label", label);
}

static dl_op *create_group(grouping *g, dl_op *last, dl_ident label, dl_loc loc) {
  dl_builder b = dl_builder_after(last);
  dl_named_attr attr = {dl_intern_z(b.ctx, "label"), dl_string_attr_z(b.ctx, label)};
  DL_VEC(dl_type) types = {0};
  for (size_t i = 0; i < g->results.len; i++) DL_PUSH(&types, dl_value_type(g->results.data[i]));
  dl_op *group = dl_build(&b, &(dl_op_state){.def = &tensor_group,
                                             .loc = loc,
                                             .num_operands = g->operands.len,
                                             .operands = g->operands.data,
                                             .num_results = types.len,
                                             .result_types = types.data,
                                             .num_attrs = 1,
                                             .attrs = &attr,
                                             .num_regions = 1});
  dl_block_append(dl_op_region(group, 0), g->body);
  DL_VEC_FREE(&types);
  return group;
}

static void move_ops(grouping *g, size_t count, dl_op *const *ops) {
  for (size_t i = 0; i < count; i++) {
    dl_op_unlink(ops[i]);
    dl_op_append(g->body, ops[i]);
    if (dl_is(ops[i], tensor_compute)) make_label_unique(ops[i]);
  }
}

// Uses of the results outside of the group become uses of the group's results.
static void hand_out_results(grouping *g, dl_op *group) {
  for (size_t i = 0; i < g->results.len; i++) {
    dl_value *inner = g->results.data[i], *outer = dl_result(group, i);
    dl_value_set_name(outer, dl_value_name(inner));
    for (dl_use *use = dl_first_use(inner), *next; use; use = next) {
      next = dl_next_use(use);
      dl_op *owner = dl_use_owner(use);
      if (!dl_op_is_ancestor(group, owner)) dl_set_operand(owner, dl_use_index(use), outer);
    }
  }
}

dl_op *dl_group_build(size_t count, dl_op *const *ops, size_t num_results, dl_value *const *results,
                      dl_ident label, dl_loc loc) {
  dl_context *ctx = dl_op_context(ops[0]);
  grouping g = {.from = dl_op_block(ops[0]), .body = dl_block_create(ctx)};
  for (size_t i = 0; i < count; i++) dl_ptr_map_set(&g.members, ops[i], ops[i]);
  for (size_t i = 0; i < count; i++) dl_walk(ops[i], take_operands, &g);
  for (size_t i = 0; results && i < num_results; i++) DL_PUSH(&g.results, results[i]);
  for (size_t i = 0; !results && i < count; i++) collect_results(&g, ops[i]);
  dl_op *group = create_group(&g, ops[count - 1], label, loc);
  move_ops(&g, count, ops);
  dl_builder b = dl_builder_at_end(g.body, loc);
  dl_build(&b,
           &(dl_op_state){
               .def = &tensor_yield, .num_operands = g.results.len, .operands = g.results.data});
  hand_out_results(&g, group);
  dl_ptr_map_free(&g.members);
  dl_ptr_map_free(&g.arguments);
  DL_VEC_FREE(&g.operands);
  DL_VEC_FREE(&g.results);
  return group;
}
