// convert-graph-to-tensor: every graph op with a dense computation becomes tensor.compute,
// tensor.reinterpret or tensor.from_elements, from its spec; constants become tensor.constant,
// graph.group becomes tensor.group. Layouts disappear: values get the shapes in which they are
// stored, and sums run in the order of the blocks. Contract: reassociates.
#include "dialects/graph/graph_ops.h"
#include "dialects/layout.h"
#include "dialects/tensor/compute.h"
#include "dialects/tensor/group.h"
#include "dialects/tensor/tensor_ops.h"
#include "ir/conversion.h"
#include "ir/pass.h"
#include "passes/convert/spec_to_tensor.h"

#define MAX_TABLE_ELEMENTS 64

typedef struct converter {
  dl_conversion *cv;
  dl_ptr_map values;  // of the group being lowered: graph value -> tensor value
} converter;

static dl_value *converted(converter *c, dl_op *op, size_t i) {
  dl_value *inside = dl_ptr_map_get(&c->values, dl_operand(op, i));
  return inside ? inside : dl_cv_operand(c->cv, op, i);
}

static dl_status lower_constant(dl_builder *b, dl_op *op, dl_value **result) {
  dl_type type = dl_value_type(dl_result(op, 0)), stored;
  DL_TRY(dl_stored_tensor_type(dl_op_loc(op), type, &stored));
  if (stored->rank != type->rank || dl_type_layout(type))
    return dl_error(dl_op_loc(op), "a constant must be row-major; a relayout changes that");
  *result = dl_result(tensor_materialize_constant(b, dl_get_attr(op, "value"), stored), 0);
  return DL_OK;
}

static dl_status lower_compute(converter *c, dl_builder *b, dl_op *op, dl_value **results) {
  size_t num_operands = dl_num_operands(op);
  dl_value **operands = dl_calloc(num_operands + 1, sizeof(dl_value *));
  for (size_t i = 0; i < num_operands; i++) operands[i] = converted(c, op, i);
  dl_status status = dl_lower_bound_spec(b, op, operands, results);
  free(operands);
  return status;
}

static dl_status lower(converter *c, dl_builder *b, dl_op *op, dl_value **results) {
  if (dl_is(op, graph_constant)) return lower_constant(b, op, results);
  if (dl_op_def_of(op)->compute) return lower_compute(c, b, op, results);
  return dl_error(dl_op_loc(op), "'%s' is no dense computation", dl_op_name(op));
}

// Tables that a computation is unrolled over belong to its kernel; larger constants are weights.
static bool is_table(const dl_op *op) {
  return dl_is(op, tensor_constant) &&
         dl_num_elements(dl_value_type(dl_result(op, 0))) <= MAX_TABLE_ELEMENTS;
}

static bool belongs_in_group(const dl_op *op) {
  return dl_is(op, tensor_compute) || dl_is(op, tensor_reinterpret) || is_table(op);
}

typedef DL_VEC(dl_op *) op_list;

// The ops that belong in a group between two points of a block, the first exclusive (NULL: its
// start).
static op_list new_ops(dl_op *group, dl_op *after) {
  op_list ops = {0};
  dl_op *op = after ? dl_op_next(after) : dl_block_first(dl_op_block(group));
  for (; op != group; op = dl_op_next(op))
    if (belongs_in_group(op)) DL_PUSH(&ops, op);
  return ops;
}

// The group's name: that of the first op with an ONNX name, else of its first compute.
static dl_ident group_label(const dl_op *group, const op_list *ops) {
  dl_ident name = dl_loc_first_name(dl_op_loc(group));
  if (name) return name;
  dl_str label = DL_STR("reinterpret");
  for (size_t i = ops->len; i-- > 0;)
    if (dl_is(ops->data[i], tensor_compute)) label = dl_get_str(ops->data[i], "label");
  return dl_intern(dl_op_context(group), label);
}

static bool is_defined_by(const op_list *ops, const dl_value *value) {
  for (size_t i = 0; i < ops->len; i++)
    if (dl_value_def(value) == ops->data[i]) return true;
  return false;
}

// Moves what was built for a group since `after` into a tensor.group. Results that none of it
// defines stay as they are.
static void wrap(dl_op *group, dl_op *after, dl_value **results) {
  op_list ops = new_ops(group, after);
  dl_value_list defined = {0};
  for (size_t i = 0; i < dl_num_results(group); i++)
    if (is_defined_by(&ops, results[i])) DL_PUSH(&defined, results[i]);
  if (defined.len) {
    dl_ident label = group_label(group, &ops);
    dl_op *wrapped =
        dl_group_build(ops.len, ops.data, defined.len, defined.data, label, dl_op_loc(group));
    for (size_t i = 0, next = 0; i < dl_num_results(group) && next < defined.len; i++)
      if (results[i] == defined.data[next]) results[i] = dl_result(wrapped, next++);
  }
  DL_VEC_FREE(&ops);
  DL_VEC_FREE(&defined);
}

static void name_result(dl_value *from, dl_value *to) {
  if (!dl_value_name(to)) dl_value_set_name(to, dl_value_name(from));
}

static dl_status lower_inside(converter *c, dl_op *group, dl_op *inner) {
  size_t count = dl_num_results(inner);
  dl_value **results = dl_calloc(count + 1, sizeof(dl_value *));
  dl_builder b = dl_builder_before(group);
  b.loc = dl_op_loc(inner);
  dl_status status = lower(c, &b, inner, results);
  for (size_t i = 0; status == DL_OK && i < count; i++) {
    name_result(dl_result(inner, i), results[i]);
    dl_ptr_map_set(&c->values, dl_result(inner, i), results[i]);
  }
  free(results);
  return status;
}

static dl_status lower_group(converter *c, dl_op *op, dl_value **results) {
  dl_block *body = dl_region_first(dl_op_region(op, 0));
  dl_op *yield = dl_block_last(body), *previous = dl_op_prev(op);
  for (size_t i = 0; i < dl_num_args(body); i++)
    dl_ptr_map_set(&c->values, dl_arg(body, i), dl_cv_operand(c->cv, op, i));
  DL_FOR_OPS(inner, body) {
    if (inner != yield) DL_TRY(lower_inside(c, op, inner));
  }
  for (size_t i = 0; i < dl_num_results(op); i++) {
    results[i] = converted(c, yield, i);
    name_result(dl_result(op, i), results[i]);
  }
  wrap(op, previous, results);
  return DL_OK;
}

// What a failing op is has been said; the conversion goes on with the others and says of them too.
static dl_outcome convert(dl_conversion *cv, dl_op *op) {
  converter c = {.cv = cv};
  size_t count = dl_num_results(op);
  dl_value **results = dl_calloc(count + 1, sizeof(dl_value *));
  dl_status status = dl_is(op, graph_group) ? lower_group(&c, op, results)
                                            : lower(&c, dl_cv_builder(cv), op, results);
  if (status == DL_OK) dl_cv_replace(cv, op, count, results);
  free(results);
  dl_ptr_map_free(&c.values);
  return status == DL_OK ? DL_CHANGED : DL_REWRITE_FAILED;
}

static const dl_conversion_pattern patterns[] = {
    {.convert = convert, .benefit = 1, .name = "convert"}};

// Dense ops of any dialect belong to the graph level.
static bool is_no_computation(const dl_conversion *cv, const dl_op *op) {
  (void)cv;
  return !dl_op_def_of(op)->compute;
}

static const dl_legality_rule rules[] = {
    {.dialect = "graph", .legality = DL_ILLEGAL},
    {.legality = DL_LEGAL, .holds = is_no_computation},
};

static bool convert_type(dl_type type, dl_type_list *into, void *user) {
  const dl_op *func = user;
  dl_type stored;
  if (dl_stored_tensor_type(dl_op_loc(func), type, &stored) != DL_OK) return false;
  DL_PUSH(into, stored);
  return true;
}

static const dl_type_converter stored_types = {.convert = convert_type};

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
  dl_conversion_config config = {.num_rules = DL_COUNT(rules),
                                 .rules = rules,
                                 .num_patterns = DL_COUNT(patterns),
                                 .patterns = patterns,
                                 .types = &stored_types,
                                 .user = func};
  bool changed;
  dl_status status = dl_apply_full_conversion(func, &config, &changed);
  if (changed) dl_pass_changed(pass);
  return status;
}

DL_PASS(convert_graph_to_tensor, "convert-graph-to-tensor", "func.func",
        "Lower graph ops to tensor computations, from their specs", DL_REASSOCIATES, run);
