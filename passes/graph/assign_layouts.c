// graph-assign-layouts: stores activations in blocks of channels as wide as a vector register, and
// weights to match. Contractions with constant weights (convolutions, matrix products) start a
// blocked layout; every other dense computation keeps the layout of its operands where its indices
// allow; relayouts stand only where layouts change. Greedy, in program order. A function that has
// layouts or groups already stays as it is. Contract: exact (it is the conversion to tensors that
// sums block by block).
#include "dialects/graph/graph_ops.h"
#include "dialects/layout.h"
#include "dialects/machine.h"
#include "ir/pass.h"
#include "passes/graph/blocking.h"

typedef DL_VEC(dl_op *) op_list;

typedef struct assigner {
  dl_machine machine;
  dl_ptr_map constant_ops;  // ops whose results depend on constants alone
  int64_t relayouts;
} assigner;

static bool is_constant_value(const assigner *a, const dl_value *value) {
  dl_op *def = dl_value_def(value);
  return def && dl_ptr_map_has(&a->constant_ops, def);
}

static void note_constant(assigner *a, dl_op *op) {
  if (!dl_has_trait(op, DL_PURE) || dl_has_trait(op, DL_TERMINATOR)) return;
  for (size_t i = 0; i < dl_num_operands(op); i++)
    if (!is_constant_value(a, dl_operand(op, i))) return;
  dl_ptr_map_set(&a->constant_ops, op, op);
}

static dl_value *relayout(assigner *a, dl_op *user, dl_value *value, dl_ident layout) {
  dl_type type = dl_type_with_layout(dl_value_type(value), layout);
  dl_builder b = dl_builder_before(user);
  dl_ident name = dl_loc_first_name(b.loc);
  if (name) b.loc = dl_loc_name(b.ctx, dl_intern_f(b.ctx, "%s/relayout", name), b.loc);
  dl_op *op = dl_build(&b, &(dl_op_state){.def = &graph_relayout,
                                          .num_operands = 1,
                                          .operands = &value,
                                          .num_results = 1,
                                          .result_types = &type});
  note_constant(a, op);
  a->relayouts++;
  return dl_result(op, 0);
}

// Gives operand i the layout, by a relayout where it has another one.
static void set_operand_layout(assigner *a, dl_op *op, size_t i, dl_ident layout) {
  dl_value *value = dl_operand(op, i);
  if (!dl_is_tensor(dl_value_type(value)) || dl_type_layout(dl_value_type(value)) == layout) return;
  dl_set_operand(op, i, relayout(a, op, value, layout));
}

static void make_row_major(assigner *a, dl_op *op) {
  for (size_t i = 0; i < dl_num_operands(op); i++) set_operand_layout(a, op, i, NULL);
}

static void apply(assigner *a, dl_op *op, const dl_blocking *blocking, const bool *is_constant) {
  const dl_bound_spec *bound = blocking->bound;
  for (size_t t = 0; t < bound->num_tensors; t++) {
    const dl_bound_tensor *tensor = &bound->tensors[t];
    if (tensor->kind == DL_BOUND_TEMPORARY) continue;
    dl_ident layout = dl_blocked_layout(blocking, t, is_constant[t]);
    if (tensor->kind == DL_BOUND_OPERAND) {
      set_operand_layout(a, op, tensor->number, layout);
    } else {
      dl_value *result = dl_result(op, tensor->number);
      dl_value_set_type(result, dl_type_with_layout(dl_value_type(result), layout));
    }
  }
}

// Elements as wide as those of the first tensor decide how many fill a register.
static int64_t block_size(const assigner *a, const dl_bound_spec *bound) {
  return bound->num_tensors ? dl_machine_lanes(&a->machine, bound->tensors[0].element) : 1;
}

static dl_status assign_bound(assigner *a, dl_op *op, const dl_bound_spec *bound, dl_arena *arena) {
  size_t n = bound->num_tensors + 1;
  dl_layout *current = dl_arena_alloc(arena, n * sizeof(dl_layout));
  bool *is_constant = dl_arena_alloc(arena, n * sizeof(bool));
  for (size_t t = 0; t < bound->num_tensors; t++) {
    const dl_bound_tensor *tensor = &bound->tensors[t];
    if (tensor->kind != DL_BOUND_OPERAND) continue;
    dl_value *value = dl_operand(op, tensor->number);
    if (tensor->rank > DL_LAYOUT_MAX_DIMS) continue;
    DL_TRY(dl_layout_of_type(dl_op_loc(op), dl_value_type(value), &current[t]));
    is_constant[t] = is_constant_value(a, value);
  }
  dl_blocking blocking;
  int64_t block = block_size(a, bound);
  bool blocked =
      block > 1 && (dl_block_contraction(bound, block, current, is_constant, arena, &blocking) ||
                    dl_block_alike(bound, block, current, is_constant, arena, &blocking));
  if (blocked)
    apply(a, op, &blocking, is_constant);
  else
    make_row_major(a, op);
  return DL_OK;
}

static dl_status assign(assigner *a, dl_op *op) {
  note_constant(a, op);
  if (!dl_op_def_of(op)->compute || dl_is(op, graph_relayout) ||
      dl_ptr_map_has(&a->constant_ops, op)) {
    make_row_major(a, op);
    return DL_OK;
  }
  dl_bound_spec *bound = dl_spec_bind(op);
  if (!bound) return DL_FAILED;
  dl_arena *arena = dl_arena_create();
  dl_status status = assign_bound(a, op, bound, arena);
  dl_arena_destroy(arena);
  dl_bound_destroy(bound);
  return status;
}

static dl_status assign_block(assigner *a, dl_block *block) {
  op_list ops = {0};
  DL_FOR_OPS(op, block) DL_PUSH(&ops, op);
  dl_status status = DL_OK;
  for (size_t i = 0; status == DL_OK && i < ops.len; i++) status = assign(a, ops.data[i]);
  DL_VEC_FREE(&ops);
  return status;
}

// Ends the walk at an op that shows that layouts were chosen before.
static bool is_unassigned(dl_op *op, void *user) {
  bool *assigned = user;
  *assigned |= dl_is(op, graph_group) || dl_is(op, graph_relayout);
  for (size_t i = 0; i < dl_num_results(op); i++) {
    dl_type type = dl_value_type(dl_result(op, i));
    *assigned |= dl_is_tensor(type) && dl_type_layout(type);
  }
  return !*assigned;
}

static dl_status run(dl_pass *pass, dl_op *func) {
  bool assigned = false;
  dl_walk(func, is_unassigned, &assigned);
  if (assigned) return DL_OK;
  assigner a = {.machine = dl_machine_of(func)};
  dl_status status = DL_OK;
  DL_FOR_BLOCKS(block, dl_op_region(func, 0))
  if (status == DL_OK) status = assign_block(&a, block);
  dl_count(pass, "relayouts", a.relayouts);
  if (a.relayouts) dl_pass_changed(pass);
  dl_ptr_map_free(&a.constant_ops);
  return status;
}

static const char *const statistics[] = {"relayouts"};

const dl_pass_def dl_pass_graph_assign_layouts = {
    .name = "graph-assign-layouts",
    .summary = "Store channels in blocks as wide as a vector register",
    .anchor = "func.func",
    .contract = DL_EXACT,
    .num_statistics = DL_COUNT(statistics),
    .statistics = statistics,
    .run = run};
