#include "passes/convert/scalar_to_arith.h"

#include "dialects/arith/arith_ops.h"
#include "dialects/math/math_ops.h"
#include "dialects/tensor/compute.h"

static dl_value *build_op(dl_builder *b, const dl_op_def *def, size_t count,
                          dl_value *const *operands, dl_type result, const dl_named_attr *attr) {
  return dl_result(dl_build(b, &(dl_op_state){.def = def,
                                              .num_operands = count,
                                              .operands = operands,
                                              .num_results = 1,
                                              .result_types = &result,
                                              .num_attrs = attr != NULL,
                                              .attrs = attr}),
                   0);
}

static dl_value *unary(dl_builder *b, const dl_op_def *def, dl_value *a, dl_type result) {
  return build_op(b, def, 1, &a, result, NULL);
}

static dl_value *binary(dl_builder *b, const dl_op_def *def, dl_value *x, dl_value *y) {
  dl_value *operands[] = {x, y};
  return build_op(b, def, 2, operands, dl_value_type(x), NULL);
}

static dl_value *select_value(dl_builder *b, dl_value *condition, dl_value *yes, dl_value *no) {
  dl_value *operands[] = {condition, yes, no};
  return build_op(b, &arith_select, 3, operands, dl_value_type(yes), NULL);
}

static dl_value *constant(dl_builder *b, dl_attr value) {
  dl_named_attr attr = {dl_intern_z(b->ctx, "value"), value};
  return build_op(b, &arith_constant, 0, NULL, value->type, &attr);
}

static dl_value *constant_of(dl_builder *b, dl_type type, int64_t value) {
  return constant(
      b, dl_is_float(type) ? dl_float_attr(type, (double)value) : dl_int_attr(type, value));
}

// --- scalar operations ---

static bool is_unsigned(dl_type type) {
  return dl_is_integer(type) && (type->signedness == DL_UNSIGNED || type->width == 1);
}

typedef struct op_choice {
  const dl_op_def *on_float, *on_signed, *on_unsigned;
} op_choice;

static op_choice arithmetic_op(dl_scalar_op op) {
  switch (op) {
    case DL_SCALAR_ADD:
      return (op_choice){&arith_addf, &arith_addi, &arith_addi};
    case DL_SCALAR_SUB:
      return (op_choice){&arith_subf, &arith_subi, &arith_subi};
    case DL_SCALAR_MUL:
      return (op_choice){&arith_mulf, &arith_muli, &arith_muli};
    case DL_SCALAR_DIV:
      return (op_choice){&arith_divf, &arith_divsi, &arith_divui};
    case DL_SCALAR_REM:
      return (op_choice){&arith_remf, &arith_remsi, &arith_remui};
    case DL_SCALAR_FLOORDIV:
      return (op_choice){NULL, &arith_floordivsi, &arith_divui};
    case DL_SCALAR_MIN:
      return (op_choice){&arith_minimumf, &arith_minsi, &arith_minui};
    case DL_SCALAR_MAX:
      return (op_choice){&arith_maximumf, &arith_maxsi, &arith_maxui};
    case DL_SCALAR_POW:
      return (op_choice){&math_powf, &math_ipowi, &math_ipowi};
    case DL_SCALAR_AND:
      return (op_choice){NULL, &arith_andi, &arith_andi};
    case DL_SCALAR_OR:
      return (op_choice){NULL, &arith_ori, &arith_ori};
    case DL_SCALAR_XOR:
      return (op_choice){NULL, &arith_xori, &arith_xori};
    case DL_SCALAR_NEG:
      return (op_choice){&arith_negf, NULL, NULL};
    case DL_SCALAR_ABS:
      return (op_choice){&math_absf, &math_absi, NULL};
    case DL_SCALAR_FLOOR:
      return (op_choice){&math_floor, NULL, NULL};
    case DL_SCALAR_CEIL:
      return (op_choice){&math_ceil, NULL, NULL};
    case DL_SCALAR_ROUND:
      return (op_choice){&math_roundeven, NULL, NULL};
    case DL_SCALAR_EXP:
      return (op_choice){&math_exp, NULL, NULL};
    case DL_SCALAR_LOG:
      return (op_choice){&math_log, NULL, NULL};
    case DL_SCALAR_SQRT:
      return (op_choice){&math_sqrt, NULL, NULL};
    case DL_SCALAR_RSQRT:
      return (op_choice){&math_rsqrt, NULL, NULL};
    case DL_SCALAR_TANH:
      return (op_choice){&math_tanh, NULL, NULL};
    case DL_SCALAR_ERF:
      return (op_choice){&math_erf, NULL, NULL};
    case DL_SCALAR_SIN:
      return (op_choice){&math_sin, NULL, NULL};
    case DL_SCALAR_COS:
      return (op_choice){&math_cos, NULL, NULL};
    case DL_SCALAR_TAN:
      return (op_choice){&math_tan, NULL, NULL};
    case DL_SCALAR_ATAN:
      return (op_choice){&math_atan, NULL, NULL};
    default:
      return (op_choice){0};
  }
}

static const dl_op_def *op_for(dl_scalar_op op, dl_type type) {
  op_choice choice = arithmetic_op(op);
  if (dl_is_float(type)) return choice.on_float;
  return is_unsigned(type) ? choice.on_unsigned : choice.on_signed;
}

// MLIR's numbers of comparison predicates.
enum { CMPF_OEQ = 1, CMPF_OGT, CMPF_OGE, CMPF_OLT, CMPF_OLE, CMPF_UNE = 13 };
enum {
  CMPI_EQ,
  CMPI_NE,
  CMPI_SLT,
  CMPI_SLE,
  CMPI_SGT,
  CMPI_SGE,
  CMPI_ULT,
  CMPI_ULE,
  CMPI_UGT,
  CMPI_UGE
};

static int64_t float_predicate(dl_scalar_op op) {
  switch (op) {
    case DL_SCALAR_EQ:
      return CMPF_OEQ;
    case DL_SCALAR_NE:
      return CMPF_UNE;
    case DL_SCALAR_LT:
      return CMPF_OLT;
    case DL_SCALAR_LE:
      return CMPF_OLE;
    case DL_SCALAR_GT:
      return CMPF_OGT;
    default:
      return CMPF_OGE;
  }
}

static int64_t integer_predicate(dl_scalar_op op, bool without_sign) {
  switch (op) {
    case DL_SCALAR_EQ:
      return CMPI_EQ;
    case DL_SCALAR_NE:
      return CMPI_NE;
    case DL_SCALAR_LT:
      return without_sign ? CMPI_ULT : CMPI_SLT;
    case DL_SCALAR_LE:
      return without_sign ? CMPI_ULE : CMPI_SLE;
    case DL_SCALAR_GT:
      return without_sign ? CMPI_UGT : CMPI_SGT;
    default:
      return without_sign ? CMPI_UGE : CMPI_SGE;
  }
}

static dl_value *compare(dl_builder *b, dl_scalar_op op, dl_type type, dl_value *x, dl_value *y) {
  bool on_float = dl_is_float(type);
  int64_t predicate = on_float ? float_predicate(op) : integer_predicate(op, is_unsigned(type));
  dl_named_attr attr = {dl_intern_z(b->ctx, "predicate"), dl_i64_attr(b->ctx, predicate)};
  dl_value *operands[] = {x, y};
  return build_op(b, on_float ? &arith_cmpf : &arith_cmpi, 2, operands, dl_int_type(b->ctx, 1),
                  &attr);
}

// Remainder with the divisor's sign, from the one with the dividend's.
static dl_value *floor_mod(dl_builder *b, dl_type type, dl_value *x, dl_value *y) {
  if (is_unsigned(type)) return binary(b, &arith_remui, x, y);
  dl_value *zero = constant_of(b, dl_value_type(x), 0);
  dl_value *rest = binary(b, &arith_remsi, x, y);
  dl_value *inexact = compare(b, DL_SCALAR_NE, type, rest, zero);
  dl_value *rest_negative = compare(b, DL_SCALAR_LT, type, rest, zero);
  dl_value *divisor_negative = compare(b, DL_SCALAR_LT, type, y, zero);
  dl_value *signs_differ = binary(b, &arith_xori, rest_negative, divisor_negative);
  dl_value *adjust = binary(b, &arith_andi, inexact, signs_differ);
  return select_value(b, adjust, binary(b, &arith_addi, rest, y), rest);
}

// --- casts ---

static dl_value *cast_integer(dl_builder *b, dl_value *value, dl_type from, dl_type to,
                              dl_type result) {
  if (dl_is_index(from) || dl_is_index(to))
    return unary(b, is_unsigned(from) ? &arith_index_castui : &arith_index_cast, value, result);
  if (from->width == to->width) return value;
  if (from->width > to->width) return unary(b, &arith_trunci, value, result);
  return unary(b, is_unsigned(from) ? &arith_extui : &arith_extsi, value, result);
}

static dl_value *cast_float(dl_builder *b, dl_value *value, dl_type from, dl_type to,
                            dl_type result) {
  if (from == to) return value;
  unsigned before = dl_float_width(from->float_kind), after = dl_float_width(to->float_kind);
  if (before < after) return unary(b, &arith_extf, value, result);
  if (before > after) return unary(b, &arith_truncf, value, result);
  dl_type wide = dl_f32_type(b->ctx);
  return unary(b, &arith_truncf, unary(b, &arith_extf, value, wide), result);
}

static dl_value *cast(dl_builder *b, dl_value *value, dl_type from, dl_type to) {
  dl_type result = dl_compute_scalar_type(to), i64 = dl_int_type(b->ctx, 64);
  if (dl_is_integer(to) && to->width == 1 && !(dl_is_integer(from) && from->width == 1))
    return compare(b, DL_SCALAR_NE, from, value, constant_of(b, dl_value_type(value), 0));
  if (dl_is_float(from) && dl_is_float(to)) return cast_float(b, value, from, to, result);
  if (dl_is_float(to)) {
    if (dl_is_index(from)) value = unary(b, &arith_index_cast, value, i64);
    return unary(b, is_unsigned(from) ? &arith_uitofp : &arith_sitofp, value, result);
  }
  if (!dl_is_float(from)) return cast_integer(b, value, from, to, result);
  if (dl_is_index(to))
    return unary(b, &arith_index_cast, unary(b, &arith_fptosi, value, i64), result);
  return unary(b, is_unsigned(to) ? &arith_fptoui : &arith_fptosi, value, result);
}

// --- trees ---

static dl_value *invert(dl_builder *b, dl_value *value) {
  dl_type type = dl_value_type(value);
  int64_t ones = dl_is_integer(type) && type->width == 1 ? 1 : -1;
  return binary(b, &arith_xori, value, constant_of(b, type, ones));
}

static dl_value *operate(dl_builder *b, const dl_scalar *s, dl_value *const *args) {
  dl_type type = s->args[0]->type;
  if (s->op >= DL_SCALAR_EQ && s->op <= DL_SCALAR_GE)
    return compare(b, s->op, type, args[0], args[1]);
  if (s->op == DL_SCALAR_SELECT) return select_value(b, args[0], args[1], args[2]);
  if (s->op == DL_SCALAR_CAST) return cast(b, args[0], type, s->type);
  if (s->op == DL_SCALAR_NOT) return invert(b, args[0]);
  if (s->op == DL_SCALAR_MOD) return floor_mod(b, type, args[0], args[1]);
  const dl_op_def *def = op_for(s->op, type);
  if (s->num_args == 2) return binary(b, def, args[0], args[1]);
  if (def) return unary(b, def, args[0], dl_value_type(args[0]));
  if (s->op != DL_SCALAR_NEG) return args[0];
  return binary(b, &arith_subi, constant_of(b, dl_value_type(args[0]), 0), args[0]);
}

dl_value *dl_scalar_to_arith(dl_builder *b, const dl_scalar *s, const dl_scalar_leaves *leaves) {
  switch (s->op) {
    case DL_SCALAR_CONST:
      return constant(b, dl_signless_attr(s->constant));
    case DL_SCALAR_READ:
      return leaves->read(leaves->user, b, s->read);
    case DL_SCALAR_INDEX:
      return leaves->index(leaves->user, b, s->index);
    default:
      break;
  }
  dl_value **args = dl_malloc((s->num_args + 1) * sizeof(dl_value *));
  for (size_t i = 0; i < s->num_args; i++) args[i] = dl_scalar_to_arith(b, s->args[i], leaves);
  dl_value *value = s->op == DL_SCALAR_GATHER ? leaves->gather(leaves->user, b, s->tensor, args)
                                              : operate(b, s, args);
  free(args);
  return value;
}
