// Verifiers of math ops.
#include "dialects/math/math_ops.h"

static dl_type element_of(const dl_value *value) { return dl_element_type(dl_value_type(value)); }

dl_status math_float_verify(dl_op *op) {
  if (dl_is_float(element_of(dl_operand(op, 0)))) return DL_OK;
  return dl_error(dl_op_loc(op), "'%s' operands must be floats, or vectors or tensors of them",
                  dl_op_name(op));
}

dl_status math_integer_verify(dl_op *op) {
  dl_type type = element_of(dl_operand(op, 0));
  bool signless = dl_is_integer(type) && type->signedness == DL_SIGNLESS;
  if (signless || dl_is_index(type)) return DL_OK;
  return dl_error(dl_op_loc(op),
                  "'%s' operands must be signless integers or index, or vectors or tensors of them",
                  dl_op_name(op));
}

dl_status math_classify_verify(dl_op *op) {
  DL_TRY(math_float_verify(op));
  if (element_of(dl_result(op, 0)) == dl_int_type(dl_op_context(op), 1)) return DL_OK;
  return dl_error(dl_op_loc(op), "'%s' result must be i1, or a vector or tensor of it",
                  dl_op_name(op));
}

dl_status math_classify_infer(dl_op *op, dl_type *types) {
  types[0] = dl_with_element(dl_value_type(dl_operand(op, 0)), dl_int_type(dl_op_context(op), 1));
  return DL_OK;
}
