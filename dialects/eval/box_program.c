#include "dialects/eval/box.h"

static dl_register add_register(dl_box *box, dl_box_register reg) {
  DL_PUSH(&box->registers, reg);
  return (dl_register)(box->registers.len - 1);
}

dl_register dl_box_constant(dl_box *box, dl_type type, dl_scalar_value value) {
  return add_register(
      box,
      (dl_box_register){.lane = dl_lane_of(type), .kind = DL_REGISTER_CONSTANT, .value = value});
}

dl_register dl_box_iterator(dl_box *box, size_t iterator) {
  for (size_t i = 0; i < box->registers.len; i++) {
    const dl_box_register *reg = &box->registers.data[i];
    if (reg->kind == DL_REGISTER_ITERATOR && reg->iterator == iterator) return (dl_register)i;
  }
  return add_register(
      box,
      (dl_box_register){.lane = DL_LANE_INT, .kind = DL_REGISTER_ITERATOR, .iterator = iterator});
}

static dl_register add_op(dl_box *box, dl_box_op op, dl_type type) {
  op.out = add_register(box, (dl_box_register){.lane = dl_lane_of(type)});
  DL_PUSH(&box->ops, op);
  return op.out;
}

dl_register dl_box_add_read(dl_box *box, size_t read) {
  return add_op(box, (dl_box_op){.kind = DL_BOX_READ, .read = read}, box->reads[read].type);
}

dl_register dl_box_kernel(dl_box *box, const dl_kernel *kernel, const dl_register *inputs) {
  dl_box_op op = {.kind = DL_BOX_KERNEL, .kernel = *kernel};
  memcpy(op.in, inputs, kernel->num_inputs * sizeof(*inputs));
  return add_op(box, op, kernel->to);
}

dl_register dl_box_gather(dl_box *box, const dl_ndarray *array, dl_type type,
                          const dl_register *indices) {
  dl_register *copy = dl_arena_alloc(box->arena, array->rank * sizeof(*copy) + 1);
  if (array->rank) memcpy(copy, indices, array->rank * sizeof(*copy));
  return add_op(
      box, (dl_box_op){.kind = DL_BOX_GATHER, .array = array, .type = type, .indices = copy}, type);
}

static dl_scalar_op operation(dl_expr_kind kind) {
  switch (kind) {
    case DL_EXPR_ADD:
      return DL_SCALAR_ADD;
    case DL_EXPR_MUL:
      return DL_SCALAR_MUL;
    case DL_EXPR_FLOORDIV:
      return DL_SCALAR_FLOORDIV;
    default:
      return DL_SCALAR_MOD;
  }
}

dl_register dl_box_expr(dl_box *box, dl_expr expr) {
  dl_type index = dl_index_type(expr->ctx);
  if (expr->kind == DL_EXPR_DIM) return dl_box_iterator(box, (size_t)expr->value);
  if (expr->kind == DL_EXPR_CONST)
    return dl_box_constant(box, index, (dl_scalar_value){.i = expr->value});
  if (expr->kind == DL_EXPR_SYMBOL) dl_bug(NULL, "a symbol in a box's expression");
  if (expr->kind == DL_EXPR_CEILDIV) {
    // ceil(a / b) = -floor(-a / b)
    dl_expr floor = dl_expr_floordiv(dl_expr_mul_const(expr->lhs, -1), expr->rhs);
    return dl_box_expr(box, dl_expr_mul_const(floor, -1));
  }
  dl_register inputs[] = {dl_box_expr(box, expr->lhs), dl_box_expr(box, expr->rhs)};
  dl_kernel kernel;
  dl_kernel_of_scalar(operation(expr->kind), index, index, &kernel);
  return dl_box_kernel(box, &kernel, inputs);
}

void dl_box_free(dl_box *box) {
  DL_VEC_FREE(&box->registers);
  DL_VEC_FREE(&box->ops);
}
