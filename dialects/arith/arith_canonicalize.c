// Canonicalization of arith ops beyond folding: constants of nested sums, differences and products
// meet, as in MLIR. Overflow flags are dropped, since the new op's steps are other ones.
#include "dialects/arith/arith.h"
#include "dialects/arith/arith_ops.h"
#include "ir/rewrite.h"

typedef enum step { ADD, SUB, MUL } step;

// --- constants ---

static bool is_number(dl_attr attr) {
  return attr && attr->kind == DL_ATTR_INTEGER && !attr->bytes.len;
}

static bool is_splat(dl_attr attr) {
  dl_type element = attr ? dl_element_type(attr->type) : NULL;
  bool narrow =
      element && (dl_is_index(element) || (dl_is_integer(element) && element->width <= 64));
  return narrow && attr->kind == DL_ATTR_DENSE && attr->splat;
}

static uint64_t combine(step how, uint64_t a, uint64_t b) {
  return how == ADD ? a + b : how == SUB ? a - b : a * b;
}

// a and b combined modulo 2^width; NULL where they are not one number each.
static dl_attr constant_of(step how, dl_attr a, dl_attr b) {
  if (is_number(a) && is_number(b))
    return dl_int_attr(a->type, (int64_t)combine(how, (uint64_t)a->integer, (uint64_t)b->integer));
  int64_t left, right;
  if (!is_splat(a) || !is_splat(b) || !dl_dense_i64(a, 0, &left) || !dl_dense_i64(b, 0, &right))
    return NULL;
  int64_t value = (int64_t)combine(how, (uint64_t)left, (uint64_t)right);
  dl_type element = dl_element_type(a->type);
  if (dl_is_integer(element) && element->width == 1) value &= 1;
  return dl_dense_attr(a->type, (dl_str){(const char *)&value, dl_element_bytes(element)}, true);
}

static bool is_minus_one(dl_attr attr) {
  int64_t value;
  if (is_number(attr)) return attr->integer == -1;
  return is_splat(attr) && dl_dense_i64(attr, 0, &value) && value == -1;
}

// --- rewriting ---

// An op and its operands, with what is constant among them.
typedef struct binary {
  dl_value *lhs, *rhs;
  dl_attr left, right;
} binary;

static bool match(const dl_op *op, const dl_op_def *def, binary *out) {
  if (!op || dl_op_def_of(op) != def) return false;
  *out = (binary){.lhs = dl_operand(op, 0), .rhs = dl_operand(op, 1)};
  out->left = dl_constant_value(out->lhs);
  out->right = dl_constant_value(out->rhs);
  return true;
}

static bool match_value(const dl_value *value, const dl_op_def *def, binary *out) {
  return match(dl_value_def(value), def, out);
}

static dl_outcome replace(dl_rewriter *rw, dl_op *op, const dl_op_def *def, dl_value *lhs,
                          dl_value *rhs) {
  dl_value *operands[] = {lhs, rhs};
  dl_type type = dl_value_type(dl_result(op, 0));
  dl_op *made = dl_rw_build(rw, &(dl_op_state){.def = def,
                                               .num_operands = 2,
                                               .operands = operands,
                                               .num_results = 1,
                                               .result_types = &type});
  dl_replace(rw, op, dl_result(made, 0));
  return DL_CHANGED;
}

// x def c, where c is `a how b`.
static dl_outcome with_right(dl_rewriter *rw, dl_op *op, const dl_op_def *def, dl_value *x,
                             step how, dl_attr a, dl_attr b) {
  dl_attr constant = constant_of(how, a, b);
  if (!constant) return DL_NO_MATCH;
  return replace(rw, op, def, x, dl_arith_constant(dl_rw_builder(rw), constant));
}

// c - x, where c is `a how b`.
static dl_outcome minus(dl_rewriter *rw, dl_op *op, step how, dl_attr a, dl_attr b, dl_value *x) {
  dl_attr constant = constant_of(how, a, b);
  if (!constant) return DL_NO_MATCH;
  return replace(rw, op, &arith_subi, dl_arith_constant(dl_rw_builder(rw), constant), x);
}

dl_outcome arith_addi_canonicalize(dl_rewriter *rw, dl_op *op) {
  binary sum = {0}, inner;
  match(op, &arith_addi, &sum);
  if (sum.right && match_value(sum.lhs, &arith_addi, &inner) && inner.right)
    return with_right(rw, op, &arith_addi, inner.lhs, ADD, inner.right, sum.right);
  if (sum.right && match_value(sum.lhs, &arith_subi, &inner) && inner.right)
    return with_right(rw, op, &arith_addi, inner.lhs, SUB, sum.right, inner.right);
  if (sum.right && match_value(sum.lhs, &arith_subi, &inner) && inner.left)
    return minus(rw, op, ADD, inner.left, sum.right, inner.rhs);
  if (match_value(sum.rhs, &arith_muli, &inner) && is_minus_one(inner.right))
    return replace(rw, op, &arith_subi, sum.lhs, inner.lhs);
  if (match_value(sum.lhs, &arith_muli, &inner) && is_minus_one(inner.right))
    return replace(rw, op, &arith_subi, sum.rhs, inner.lhs);
  return DL_NO_MATCH;
}

// x - c
static dl_outcome subtract_constant(dl_rewriter *rw, dl_op *op, const binary *outer) {
  binary inner;
  if (match_value(outer->lhs, &arith_addi, &inner) && inner.right)
    return with_right(rw, op, &arith_addi, inner.lhs, SUB, inner.right, outer->right);
  if (!match_value(outer->lhs, &arith_subi, &inner)) return DL_NO_MATCH;
  if (inner.right)
    return with_right(rw, op, &arith_subi, inner.lhs, ADD, inner.right, outer->right);
  return inner.left ? minus(rw, op, SUB, inner.left, outer->right, inner.rhs) : DL_NO_MATCH;
}

// c - x
static dl_outcome subtract_from_constant(dl_rewriter *rw, dl_op *op, const binary *outer) {
  binary inner;
  if (match_value(outer->rhs, &arith_addi, &inner) && inner.right)
    return minus(rw, op, SUB, outer->left, inner.right, inner.lhs);
  if (!match_value(outer->rhs, &arith_subi, &inner)) return DL_NO_MATCH;
  if (inner.right) return minus(rw, op, ADD, outer->left, inner.right, inner.lhs);
  if (!inner.left) return DL_NO_MATCH;
  return with_right(rw, op, &arith_addi, inner.rhs, SUB, outer->left, inner.left);
}

dl_outcome arith_subi_canonicalize(dl_rewriter *rw, dl_op *op) {
  binary difference = {0}, inner;
  match(op, &arith_subi, &difference);
  if (difference.right) return subtract_constant(rw, op, &difference);
  if (difference.left) return subtract_from_constant(rw, op, &difference);
  bool undoes = match_value(difference.lhs, &arith_subi, &inner) && inner.lhs == difference.rhs;
  if (!undoes) return DL_NO_MATCH;
  // (x - y) - x = 0 - y
  dl_type type = dl_value_type(inner.rhs);
  if (type != dl_element_type(type)) return DL_NO_MATCH;
  dl_value *zero = dl_arith_constant(dl_rw_builder(rw), dl_int_attr(type, 0));
  return replace(rw, op, &arith_subi, zero, inner.rhs);
}

dl_outcome arith_muli_canonicalize(dl_rewriter *rw, dl_op *op) {
  binary product = {0}, inner;
  match(op, &arith_muli, &product);
  if (!product.right || !match_value(product.lhs, &arith_muli, &inner) || !inner.right)
    return DL_NO_MATCH;
  return with_right(rw, op, &arith_muli, inner.lhs, MUL, inner.right, product.right);
}
