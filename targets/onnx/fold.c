// Shape arithmetic is evaluated while importing, so that the shapes that depend on it are known
// right away.
#include "dialects/eval/eval.h"
#include "targets/onnx/import.h"

#define MAX_FOLDED_ELEMENTS 64

typedef DL_VEC(dl_ndarray *) array_list;

static bool is_small_integer(dl_type type) {
  if (!dl_is_tensor(type) || !dl_is_integer(type->element) || !dl_has_static_shape(type))
    return false;
  int64_t count = dl_num_elements(type);
  return count >= 0 && count <= MAX_FOLDED_ELEMENTS;
}

// Whether the op needs an operand's shape only, not its elements.
static bool reads_shapes_only(const dl_op *op) {
  return strcmp(dl_op_name(op), "graph.shape") == 0 || strcmp(dl_op_name(op), "graph.size") == 0;
}

static bool is_known(const dl_op *op, const dl_value *operand) {
  dl_attr constant = dl_constant_value(operand);
  if (reads_shapes_only(op)) return dl_has_static_shape(dl_value_type(operand));
  return constant && dl_num_elements(constant->type) <= MAX_FOLDED_ELEMENTS;
}

static bool is_foldable(const dl_op *op) {
  if (!dl_op_def_of(op)->compute) return false;
  for (size_t i = 0; i < dl_num_results(op); i++)
    if (!is_small_integer(dl_value_type(dl_result(op, i)))) return false;
  for (size_t i = 0; i < dl_num_operands(op); i++)
    if (!is_known(op, dl_operand(op, i))) return false;
  return true;
}

static void release(array_list *arrays) {
  for (size_t i = 0; i < arrays->len; i++) dl_ndarray_release(arrays->data[i]);
  DL_VEC_FREE(arrays);
}

static void use_constants(dl_onnx_node *node, dl_op *op, const array_list *results,
                          dl_value **values) {
  for (size_t i = 0; i < results->len; i++) {
    const dl_ndarray *array = results->data[i];
    dl_type type = dl_tensor_type(array->element, array->rank, array->shape, NULL);
    dl_str bytes = {array->data, dl_ndarray_bytes(array)};
    values[i] = dl_onnx_constant(node, dl_dense_attr(type, bytes, false));
  }
  dl_op_erase(op);
}

dl_status dl_onnx_fold(dl_onnx_node *node, dl_op *op, dl_value **values) {
  array_list operands = {0}, results = {0};
  if (!is_foldable(op)) return DL_OK;
  for (size_t i = 0; i < dl_num_operands(op); i++) {
    dl_attr constant = dl_constant_value(dl_operand(op, i));
    DL_PUSH(&operands, constant ? dl_ndarray_of_attr(constant) : NULL);
  }
  for (size_t i = 0; i < dl_num_results(op); i++) DL_PUSH(&results, NULL);
  dl_status status = dl_eval_spec(op, operands.data, results.data, &(dl_eval_options){0});
  if (status == DL_OK) use_constants(node, op, &results, values);
  release(&operands);
  release(&results);
  return status;
}
