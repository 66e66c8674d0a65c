// emit_affine.c: affine expressions as integer arithmetic.
#include "ir/op_def.h"
#include "targets/llvm/emit_internal.h"

// What is known about an index value: induction variables of constant bounds, and constants.
static dl_range range_of(dl_value *value) {
  const dl_range unknown = {INT64_MIN, INT64_MAX};
  dl_attr constant = dl_constant_value(value);
  if (constant && constant->kind == DL_ATTR_INTEGER)
    return (dl_range){constant->integer, constant->integer};
  dl_block *block = dl_value_block(value);
  dl_op *loop = block ? dl_block_parent(block) : NULL;
  if (!loop) return unknown;
  int64_t bounds[8], lower;
  dl_attr upper = dl_get_attr(loop, "upper"), from = dl_get_attr(loop, "lower");
  size_t index = dl_value_index(value);
  if (!upper || upper->kind != DL_ATTR_MAP) return unknown;
  bool known =
      upper->map->num_results <= DL_COUNT(bounds) && dl_map_is_constant(upper->map, bounds);
  if (!strcmp(dl_op_name(loop), "loop.parallel"))
    return (dl_range){0, known && index < upper->map->num_results ? bounds[index] - 1 : INT64_MAX};
  if (strcmp(dl_op_name(loop), "loop.for") || index || !from || from->kind != DL_ATTR_MAP ||
      from->map->num_results != 1 || !dl_map_is_constant(from->map, &lower))
    return unknown;
  return (dl_range){lower, known ? bounds[0] - 1 : INT64_MAX};
}

static bool is_not_negative(dl_expr expr, const dl_op *op, size_t first) {
  enum { MAX_DIMS = 16 };
  dl_range ranges[MAX_DIMS];
  for (unsigned i = 0; i < MAX_DIMS; i++) ranges[i] = (dl_range){INT64_MIN, INT64_MAX};
  for (size_t i = first; i < dl_num_operands(op) && i - first < MAX_DIMS; i++)
    ranges[i - first] = range_of(dl_operand(op, i));
  return dl_expr_range(expr, ranges, MAX_DIMS, NULL, 0).min >= 0;
}

typedef struct division {
  LLVMValueRef quotient, remainder;  // rounded towards minus infinity
} division;

static division divide(dl_emitter *e, dl_expr expr, const dl_op *op, size_t first) {
  LLVMValueRef n = dl_emit_expr(e, expr->lhs, op, first), d = dl_emit_expr(e, expr->rhs, op, first);
  LLVMBuilderRef b = e->b;
  if (is_not_negative(expr->lhs, op, first) && is_not_negative(expr->rhs, op, first))
    return (division){LLVMBuildUDiv(b, n, d, ""), LLVMBuildURem(b, n, d, "")};
  LLVMValueRef zero = dl_llvm_const_i64(e, 0), one = dl_llvm_const_i64(e, 1);
  LLVMValueRef quotient = LLVMBuildSDiv(b, n, d, ""), rest = LLVMBuildSRem(b, n, d, "");
  LLVMValueRef opposite = LLVMBuildICmp(b, LLVMIntSLT, LLVMBuildXor(b, rest, d, ""), zero, "");
  LLVMValueRef inexact = LLVMBuildICmp(b, LLVMIntNE, rest, zero, "");
  LLVMValueRef adjust = LLVMBuildAnd(b, opposite, inexact, "");
  return (division){LLVMBuildSub(b, quotient, LLVMBuildSelect(b, adjust, one, zero, ""), ""),
                    LLVMBuildAdd(b, rest, LLVMBuildSelect(b, adjust, d, zero, ""), "")};
}

LLVMValueRef dl_emit_expr(dl_emitter *e, dl_expr expr, const dl_op *op, size_t first) {
  switch (expr->kind) {
    case DL_EXPR_CONST:
      return dl_llvm_const_i64(e, expr->value);
    case DL_EXPR_DIM:
    case DL_EXPR_SYMBOL:
      return dl_emitted(e, dl_operand(op, first + (size_t)expr->value));
    case DL_EXPR_ADD:
      return LLVMBuildNSWAdd(e->b, dl_emit_expr(e, expr->lhs, op, first),
                             dl_emit_expr(e, expr->rhs, op, first), "");
    case DL_EXPR_MUL:
      return LLVMBuildNSWMul(e->b, dl_emit_expr(e, expr->lhs, op, first),
                             dl_emit_expr(e, expr->rhs, op, first), "");
    case DL_EXPR_FLOORDIV:
      return divide(e, expr, op, first).quotient;
    case DL_EXPR_MOD:
      return divide(e, expr, op, first).remainder;
    case DL_EXPR_CEILDIV: {
      division floor = divide(e, expr, op, first);
      LLVMValueRef inexact =
          LLVMBuildICmp(e->b, LLVMIntNE, floor.remainder, dl_llvm_const_i64(e, 0), "");
      return LLVMBuildAdd(e->b, floor.quotient,
                          LLVMBuildZExt(e->b, inexact, LLVMInt64TypeInContext(e->ctx), ""), "");
    }
  }
  dl_bug(op, "an affine expression of an unknown kind");
}

static dl_map map_of(dl_op *op, const char *attribute) {
  dl_attr map = dl_get_attr(op, attribute);
  if (!map || map->kind != DL_ATTR_MAP) dl_bug(op, "'%s' is no map", attribute);
  return map->map;
}

size_t dl_map_results(dl_op *op, const char *attribute) {
  return map_of(op, attribute)->num_results;
}

LLVMValueRef dl_emit_map(dl_emitter *e, dl_op *op, const char *attribute, size_t operand_group,
                         size_t result) {
  size_t count;
  return dl_emit_expr(e, map_of(op, attribute)->results[result], op,
                      dl_operand_group(op, operand_group, &count));
}
