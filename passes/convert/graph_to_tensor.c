// convert-graph-to-tensor: every graph op with a dense computation becomes tensor.compute,
// tensor.reinterpret or tensor.from_elements, from its spec; constants become tensor.constant,
// graph.group becomes tensor.group. Layouts disappear: values get the shapes in which they are
// stored, and sums run in the order of the blocks. Contract: reassociates.
#include "dialects/graph/graph_ops.h"
#include "dialects/layout.h"
#include "dialects/tensor/compute.h"
#include "dialects/tensor/group.h"
#include "dialects/tensor/tensor_ops.h"
#include "ir/pass.h"
#include "passes/convert/spec_to_tensor.h"

typedef struct converter {
  dl_ptr_map values;  // graph value -> tensor value
  DL_VEC(dl_op *) dead;
} converter;

static dl_value *converted(const converter *c, dl_value *value) {
  dl_value *to = dl_ptr_map_get(&c->values, value);
  return to ? to : value;
}

static void set_result(converter *c, dl_op *op, size_t i, dl_value *to) {
  dl_value *from = dl_result(op, i);
  if (!dl_value_name(to)) dl_value_set_name(to, dl_value_name(from));
  dl_ptr_map_set(&c->values, from, to);
}

static dl_status convert_constant(converter *c, dl_builder *b, dl_op *op) {
  dl_type type = dl_value_type(dl_result(op, 0)), stored;
  DL_TRY(dl_stored_tensor_type(dl_op_loc(op), type, &stored));
  if (stored->rank != type->rank || dl_type_layout(type))
    return dl_error(dl_op_loc(op), "a constant must be row-major; a relayout changes that");
  set_result(c, op, 0,
             dl_result(tensor_materialize_constant(b, dl_get_attr(op, "value"), stored), 0));
  return DL_OK;
}

static dl_status convert_compute(converter *c, dl_builder *b, dl_op *op) {
  size_t num_operands = dl_num_operands(op), num_results = dl_num_results(op);
  dl_value **values = dl_calloc(num_operands + num_results + 1, sizeof(dl_value *));
  for (size_t i = 0; i < num_operands; i++) values[i] = converted(c, dl_operand(op, i));
  dl_value **results = values + num_operands;
  dl_status status = dl_lower_bound_spec(b, op, values, results);
  for (size_t i = 0; status == DL_OK && i < num_results; i++) set_result(c, op, i, results[i]);
  free(values);
  return status;
}

static dl_status convert_op(converter *c, dl_builder *b, dl_op *op);

// The group's name: that of the first op with an ONNX name, else of its first compute.
static dl_ident group_label(const dl_op *group, const dl_op *first) {
  dl_ident name = dl_loc_first_name(dl_op_loc(group));
  if (name) return name;
  dl_str label = dl_is(first, tensor_compute) ? dl_get_str(first, "label") : DL_STR("reinterpret");
  return dl_intern(dl_op_context(group), label);
}

static bool belongs_in_group(const dl_op *op) {
  return dl_is(op, tensor_compute) || dl_is(op, tensor_reinterpret);
}

typedef DL_VEC(dl_op *) op_list;
typedef DL_VEC(dl_value *) value_list;

// The ops that belong in a group between two points of a block, the first exclusive (NULL: its
// start).
static op_list new_ops(dl_op *group, dl_op *after) {
  op_list ops = {0};
  dl_op *op = after ? dl_op_next(after) : dl_block_first(dl_op_block(group));
  for (; op != group; op = dl_op_next(op))
    if (belongs_in_group(op)) DL_PUSH(&ops, op);
  return ops;
}

static bool is_defined_by(const op_list *ops, const dl_value *value) {
  for (size_t i = 0; i < ops->len; i++)
    if (dl_value_def(value) == ops->data[i]) return true;
  return false;
}

static void wrap(converter *c, dl_op *group, dl_op *after) {
  op_list ops = new_ops(group, after);
  value_list results = {0};
  for (size_t i = 0; i < dl_num_results(group); i++) {
    dl_value *result = converted(c, dl_result(group, i));
    if (is_defined_by(&ops, result)) DL_PUSH(&results, result);
  }
  if (results.len) {
    dl_ident label = group_label(group, ops.data[0]);
    dl_op *wrapped =
        dl_group_build(ops.len, ops.data, results.len, results.data, label, dl_op_loc(group));
    for (size_t i = 0, next = 0; i < dl_num_results(group); i++)
      if (next < results.len && converted(c, dl_result(group, i)) == results.data[next])
        dl_ptr_map_set(&c->values, dl_result(group, i), dl_result(wrapped, next++));
  }
  DL_VEC_FREE(&ops);
  DL_VEC_FREE(&results);
}

static dl_status convert_group(converter *c, dl_op *op) {
  dl_block *body = dl_region_first(dl_op_region(op, 0));
  dl_op *yield = dl_block_last(body), *previous = dl_op_prev(op);
  for (size_t i = 0; i < dl_num_args(body); i++)
    dl_ptr_map_set(&c->values, dl_arg(body, i), converted(c, dl_operand(op, i)));
  DL_FOR_OPS(inner, body) {
    dl_builder b = dl_builder_before(op);
    b.loc = dl_op_loc(inner);
    if (inner != yield) DL_TRY(convert_op(c, &b, inner));
  }
  for (size_t i = 0; i < dl_num_results(op); i++)
    set_result(c, op, i, converted(c, dl_operand(yield, i)));
  wrap(c, op, previous);
  return DL_OK;
}

// Dense ops of any dialect belong to the graph level.
static bool is_graph_op(const dl_op *op) {
  return dl_op_def_of(op)->compute || strncmp(dl_op_name(op), "graph.", 6) == 0;
}

static dl_status convert_op(converter *c, dl_builder *b, dl_op *op) {
  if (dl_is(op, graph_constant)) return convert_constant(c, b, op);
  if (dl_is(op, graph_group)) return convert_group(c, op);
  if (dl_op_def_of(op)->compute) return convert_compute(c, b, op);
  return dl_error(dl_op_loc(op), "'%s' is no dense computation", dl_op_name(op));
}

static void remap_operands(const converter *c, dl_op *op) {
  for (size_t i = 0; i < dl_num_operands(op); i++) {
    dl_value *to = converted(c, dl_operand(op, i));
    if (to != dl_operand(op, i)) dl_set_operand(op, i, to);
  }
}

static dl_status convert_block(converter *c, dl_block *block) {
  dl_status status = DL_OK;
  for (dl_op *op = dl_block_first(block), *next; op; op = next) {
    next = dl_op_next(op);
    if (!is_graph_op(op)) {
      remap_operands(c, op);
      continue;
    }
    dl_builder b = dl_builder_before(op);
    if (convert_op(c, &b, op) != DL_OK)
      status = DL_FAILED;
    else
      DL_PUSH(&c->dead, op);
  }
  return status;
}

// A function's signature is row-major: callers know nothing of layouts.
static dl_status check_signature(const dl_op *func, const dl_block *entry) {
  for (size_t i = 0; i < dl_num_args(entry); i++)
    if (dl_type_layout(dl_value_type(dl_arg(entry, i))))
      return dl_error(dl_op_loc(func), "argument %zu has a layout; arguments must be row-major", i);
  return DL_OK;
}

static dl_status run(dl_pass *pass, dl_op *func) {
  dl_region *region = dl_op_region(func, 0);
  if (dl_region_empty(region)) return DL_OK;
  DL_TRY(check_signature(func, dl_region_first(region)));
  converter c = {0};
  dl_status status = DL_OK;
  DL_FOR_BLOCKS(block, region)
  if (convert_block(&c, block) != DL_OK) status = DL_FAILED;
  for (size_t i = c.dead.len; status == DL_OK && i-- > 0;) dl_op_erase(c.dead.data[i]);
  if (c.dead.len) dl_pass_changed(pass);
  dl_ptr_map_free(&c.values);
  DL_VEC_FREE(&c.dead);
  return status;
}

DL_PASS(convert_graph_to_tensor, "convert-graph-to-tensor", "func.func",
        "Lower graph ops to tensor computations, from their specs", DL_REASSOCIATES, run);
