#include "dialects/index_math.h"

#include "dialects/arith/arith_ops.h"

static dl_value *build_op(dl_builder *b, const dl_op_def *def, size_t count,
                          dl_value *const *operands, const dl_named_attr *attr) {
  dl_type index = dl_index_type(b->ctx);
  return dl_result(dl_build(b, &(dl_op_state){.def = def,
                                              .num_operands = count,
                                              .operands = operands,
                                              .num_results = 1,
                                              .result_types = &index,
                                              .num_attrs = attr != NULL,
                                              .attrs = attr}),
                   0);
}

dl_value *dl_index_constant(dl_builder *b, int64_t value) {
  dl_named_attr attr = {dl_intern_z(b->ctx, "value"), dl_index_attr(b->ctx, value)};
  return build_op(b, &arith_constant, 0, NULL, &attr);
}

static dl_value *binary(dl_builder *b, const dl_op_def *def, dl_value *x, dl_value *y) {
  return build_op(b, def, 2, (dl_value *[]){x, y}, NULL);
}

static const dl_op_def *op_of(dl_expr_kind kind) {
  switch (kind) {
    case DL_EXPR_ADD:
      return &arith_addi;
    case DL_EXPR_MUL:
      return &arith_muli;
    case DL_EXPR_CEILDIV:
      return &arith_ceildivsi;
    default:
      return &arith_floordivsi;
  }
}

dl_value *dl_expr_to_arith(dl_builder *b, dl_expr expr, dl_value *const *dims,
                           dl_value *const *symbols) {
  switch (expr->kind) {
    case DL_EXPR_CONST:
      return dl_index_constant(b, expr->value);
    case DL_EXPR_DIM:
      return dims[expr->value];
    case DL_EXPR_SYMBOL:
      return symbols[expr->value];
    default:
      break;
  }
  dl_value *lhs = dl_expr_to_arith(b, expr->lhs, dims, symbols);
  dl_value *rhs = dl_expr_to_arith(b, expr->rhs, dims, symbols);
  dl_value *value = binary(b, op_of(expr->kind), lhs, rhs);
  if (expr->kind != DL_EXPR_MOD) return value;
  return binary(b, &arith_subi, lhs, binary(b, &arith_muli, value, rhs));
}

dl_value *dl_to_index(dl_builder *b, dl_value *value, dl_type element) {
  if (dl_is_index(dl_value_type(value))) return value;
  bool is_unsigned = dl_is_integer(element) && element->signedness == DL_UNSIGNED;
  return build_op(b, is_unsigned ? &arith_index_castui : &arith_index_cast, 1, &value, NULL);
}
