// Folders of arith ops: the identities that hold exactly, else the kernel when all operands are
// constant.
#include "dialects/arith/arith_ops.h"
#include "dialects/eval/kernel.h"

// --- constants that are one value in every lane ---

static bool splat_int(dl_attr constant, int64_t *value) {
  if (!constant) return false;
  if (constant->kind == DL_ATTR_INTEGER && !constant->bytes.len) {
    *value = constant->integer;
    return true;
  }
  return constant->kind == DL_ATTR_DENSE && constant->splat && dl_dense_i64(constant, 0, value);
}

static bool is_int(dl_attr constant, int64_t value) {
  int64_t found;
  return splat_int(constant, &found) && found == value;
}

static bool is_all_ones(dl_attr constant) {
  int64_t found;
  if (!splat_int(constant, &found)) return false;
  dl_type element = dl_element_type(constant->type);
  bool is_bool = dl_is_integer(element) && element->width == 1;
  return is_bool ? found != 0 : found == -1;
}

static bool is_float(dl_attr constant, double value) {
  double found;
  if (!constant) return false;
  if (constant->kind == DL_ATTR_FLOAT && !constant->bytes.len)
    found = constant->number;
  else if (constant->kind != DL_ATTR_DENSE || !constant->splat ||
           !dl_dense_f64(constant, 0, &found))
    return false;
  return memcmp(&found, &value, sizeof found) == 0;
}

// --- outcomes ---

static bool to_value(dl_folded *results, dl_value *value) {
  results[0].value = value;
  return true;
}

static bool to_constant(dl_folded *results, dl_attr constant) {
  results[0].constant = constant;
  return true;
}

static bool to_zero(const dl_op *op, dl_folded *results) {
  static const char zeros[16];
  dl_type type = dl_value_type(dl_result(op, 0)), element = dl_element_type(type);
  if (element == type) return to_constant(results, dl_int_attr(type, 0));
  size_t size = dl_element_bytes(element);
  if (!dl_has_static_shape(type) || size > sizeof zeros) return false;
  return to_constant(results, dl_dense_attr(type, (dl_str){zeros, size}, true));
}

static bool same_operands(const dl_op *op) { return dl_operand(op, 0) == dl_operand(op, 1); }

// x op neutral = x, and for commutative ops neutral op x = x.
static bool int_neutral(dl_op *op, const dl_attr *c, int64_t neutral, dl_folded *results) {
  if (is_int(c[1], neutral)) return to_value(results, dl_operand(op, 0));
  if (dl_has_trait(op, DL_COMMUTATIVE) && is_int(c[0], neutral))
    return to_value(results, dl_operand(op, 1));
  return false;
}

static bool float_neutral(dl_op *op, const dl_attr *c, double neutral, dl_folded *results) {
  if (is_float(c[1], neutral)) return to_value(results, dl_operand(op, 0));
  if (dl_has_trait(op, DL_COMMUTATIVE) && is_float(c[0], neutral))
    return to_value(results, dl_operand(op, 1));
  return false;
}

// --- integers ---

// The operand of `value`, made by `def`, that is left when its other operand is `known`; NULL when
// it is not so made. `either`: the place of `known` does not matter, else it is operand `place`.
static dl_value *other_operand(const dl_value *value, const dl_op_def *def, const dl_value *known,
                               bool either, size_t place) {
  const dl_op *inner = dl_value_def(value);
  if (!inner || dl_op_def_of(inner) != def) return NULL;
  for (size_t i = 0; i < 2; i++)
    if ((either || i == place) && dl_operand(inner, i) == known) return dl_operand(inner, 1 - i);
  return NULL;
}

static bool to_value_if(dl_folded *results, dl_value *value) {
  return value && to_value(results, value);
}

bool arith_addi_fold(dl_op *op, const dl_attr *constants, dl_folded *results) {
  dl_value *lhs = dl_operand(op, 0), *rhs = dl_operand(op, 1);
  // (a - b) + b = b + (a - b) = a
  if (to_value_if(results, other_operand(lhs, &arith_subi, rhs, false, 1))) return true;
  if (to_value_if(results, other_operand(rhs, &arith_subi, lhs, false, 1))) return true;
  return int_neutral(op, constants, 0, results) || dl_fold_with_kernel(op, constants, results);
}

bool arith_subi_fold(dl_op *op, const dl_attr *constants, dl_folded *results) {
  if (int_neutral(op, constants, 0, results)) return true;
  if (same_operands(op) && to_zero(op, results)) return true;
  // (a + b) - b = a, (a + b) - a = b
  if (to_value_if(results,
                  other_operand(dl_operand(op, 0), &arith_addi, dl_operand(op, 1), true, 0)))
    return true;
  return dl_fold_with_kernel(op, constants, results);
}

bool arith_muli_fold(dl_op *op, const dl_attr *constants, dl_folded *results) {
  if (int_neutral(op, constants, 1, results)) return true;
  for (size_t i = 0; i < 2; i++)
    if (is_int(constants[i], 0)) return to_constant(results, constants[i]);
  return dl_fold_with_kernel(op, constants, results);
}

bool arith_division_fold(dl_op *op, const dl_attr *constants, dl_folded *results) {
  return int_neutral(op, constants, 1, results) || dl_fold_with_kernel(op, constants, results);
}

bool arith_shift_fold(dl_op *op, const dl_attr *constants, dl_folded *results) {
  return int_neutral(op, constants, 0, results) || dl_fold_with_kernel(op, constants, results);
}

bool arith_same_operands_fold(dl_op *op, const dl_attr *constants, dl_folded *results) {
  if (same_operands(op)) return to_value(results, dl_operand(op, 0));
  return dl_fold_with_kernel(op, constants, results);
}

bool arith_andi_fold(dl_op *op, const dl_attr *constants, dl_folded *results) {
  if (same_operands(op)) return to_value(results, dl_operand(op, 0));
  for (size_t i = 0; i < 2; i++) {
    if (is_int(constants[i], 0)) return to_constant(results, constants[i]);
    if (is_all_ones(constants[i])) return to_value(results, dl_operand(op, 1 - i));
  }
  return dl_fold_with_kernel(op, constants, results);
}

bool arith_ori_fold(dl_op *op, const dl_attr *constants, dl_folded *results) {
  if (same_operands(op)) return to_value(results, dl_operand(op, 0));
  for (size_t i = 0; i < 2; i++) {
    if (is_all_ones(constants[i])) return to_constant(results, constants[i]);
    if (is_int(constants[i], 0)) return to_value(results, dl_operand(op, 1 - i));
  }
  return dl_fold_with_kernel(op, constants, results);
}

bool arith_xori_fold(dl_op *op, const dl_attr *constants, dl_folded *results) {
  dl_value *lhs = dl_operand(op, 0), *rhs = dl_operand(op, 1);
  if (int_neutral(op, constants, 0, results)) return true;
  // (a ^ b) ^ b = a
  if (to_value_if(results, other_operand(lhs, &arith_xori, rhs, true, 0))) return true;
  if (to_value_if(results, other_operand(rhs, &arith_xori, lhs, true, 0))) return true;
  if (same_operands(op) && to_zero(op, results)) return true;
  return dl_fold_with_kernel(op, constants, results);
}

bool arith_cmpi_fold(dl_op *op, const dl_attr *constants, dl_folded *results) {
  // eq, sle, sge, ule, uge hold for a value and itself.
  static const bool reflexive[] = {true, false, false, true, false, true, false, true, false, true};
  int64_t predicate = dl_get_i64(op, "predicate", -1);
  bool scalar = dl_is_integer(dl_value_type(dl_result(op, 0)));
  if (same_operands(op) && scalar && predicate >= 0 && predicate < (int64_t)DL_COUNT(reflexive))
    return to_constant(results, dl_bool_attr(dl_op_context(op), reflexive[predicate]));
  return dl_fold_with_kernel(op, constants, results);
}

bool arith_select_fold(dl_op *op, const dl_attr *constants, dl_folded *results) {
  if (dl_operand(op, 1) == dl_operand(op, 2)) return to_value(results, dl_operand(op, 1));
  int64_t condition;
  if (splat_int(constants[0], &condition))
    return to_value(results, dl_operand(op, condition ? 1 : 2));
  return dl_fold_with_kernel(op, constants, results);
}

// --- floats: only what is exact for every x, signed zeros and infinities included ---

bool arith_addf_fold(dl_op *op, const dl_attr *constants, dl_folded *results) {
  return float_neutral(op, constants, -0.0, results) || dl_fold_with_kernel(op, constants, results);
}

bool arith_subf_fold(dl_op *op, const dl_attr *constants, dl_folded *results) {
  return float_neutral(op, constants, 0.0, results) || dl_fold_with_kernel(op, constants, results);
}

bool arith_mulf_fold(dl_op *op, const dl_attr *constants, dl_folded *results) {
  return float_neutral(op, constants, 1.0, results) || dl_fold_with_kernel(op, constants, results);
}

bool arith_divf_fold(dl_op *op, const dl_attr *constants, dl_folded *results) {
  return float_neutral(op, constants, 1.0, results) || dl_fold_with_kernel(op, constants, results);
}
