// The graph ops that are no dense computations: constants and groups.
#include "dialects/graph/graph_ops.h"

// --- graph.constant ---

static bool is_elements(dl_attr value) {
  return value->kind == DL_ATTR_DENSE || value->kind == DL_ATTR_RESOURCE ||
         value->kind == DL_ATTR_SPARSE;
}

dl_op *graph_materialize_constant(dl_builder *b, dl_attr value, dl_type type) {
  if (!is_elements(value) || !dl_is_tensor(type) || value->type != type) return NULL;
  dl_named_attr attr = {dl_intern_z(b->ctx, "value"), value};
  return dl_build(b, &(dl_op_state){.def = &graph_constant,
                                    .num_results = 1,
                                    .result_types = &type,
                                    .num_attrs = 1,
                                    .attrs = &attr});
}

dl_status graph_infer_constant(dl_op *op, dl_type *types) {
  dl_attr value = graph_constant_value(op);
  if (!value || !value->type) return dl_error(dl_op_loc(op), "'graph.constant': has no value");
  types[0] = value->type;
  return DL_OK;
}

// The result may carry an encoding; shape and elements are the value's.
dl_status graph_verify_constant(dl_op *op) {
  dl_type value = graph_constant_value(op)->type, result = dl_value_type(graph_constant_output(op));
  bool same = !result->unranked && result->element == value->element &&
              result->rank == value->rank && dl_is_tensor(value);
  for (size_t i = 0; same && i < result->rank; i++) same = result->shape[i] == value->shape[i];
  if (same) return DL_OK;
  return dl_error(dl_op_loc(op), "'graph.constant': the value and the result have different types");
}

// --- graph.group ---

// The graph.yield that gives the group's results.
static dl_status find_yield(dl_op *op, dl_op **yield) {
  dl_block *body = dl_region_first(graph_group_body(op));
  *yield = body ? dl_block_last(body) : NULL;
  if (*yield && dl_is(*yield, graph_yield) && dl_num_operands(*yield) == dl_num_results(op))
    return DL_OK;
  return dl_error(dl_op_loc(op),
                  "'graph.group': the region must end with a graph.yield of %zu values",
                  dl_num_results(op));
}

dl_status graph_infer_group(dl_op *op, dl_type *types) {
  dl_op *yield;
  DL_TRY(find_yield(op, &yield));
  for (size_t i = 0; i < dl_num_results(op); i++) types[i] = dl_value_type(dl_operand(yield, i));
  return DL_OK;
}

static dl_status verify_inputs(dl_op *op) {
  dl_block *body = dl_region_first(graph_group_body(op));
  if (dl_num_args(body) != dl_num_operands(op))
    return dl_error(dl_op_loc(op), "'graph.group': %zu operands, but the region has %zu arguments",
                    dl_num_operands(op), dl_num_args(body));
  for (size_t i = 0; i < dl_num_args(body); i++)
    if (dl_value_type(dl_arg(body, i)) != dl_value_type(dl_operand(op, i)))
      return dl_error(dl_op_loc(op), "'graph.group': operand %zu and its argument differ in type",
                      i);
  return DL_OK;
}

dl_status graph_verify_group(dl_op *op) {
  DL_TRY(verify_inputs(op));
  dl_op *yield;
  DL_TRY(find_yield(op, &yield));
  for (size_t i = 0; i < dl_num_results(op); i++)
    if (dl_value_type(dl_operand(yield, i)) != dl_value_type(dl_result(op, i)))
      return dl_error(dl_op_loc(yield),
                      "'graph.yield': value %zu and the group's result differ in type", i);
  return DL_OK;
}
