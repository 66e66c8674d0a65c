// Integer expressions while binding: symbols for what is known only at run time, and the operations
// that quasi-affine expressions do not have.
#include "ir/spec_bind.h"

bool dl_expr_has_dims(dl_expr e) {
  if (e->kind == DL_EXPR_DIM) return true;
  return e->lhs && (dl_expr_has_dims(e->lhs) || dl_expr_has_dims(e->rhs));
}

dl_range dl_int_range(dl_binder *b, dl_expr expr) {
  size_t num_dims = b->frame ? b->frame->iterators.len : 0, num_symbols = b->symbols.len;
  dl_range *dims = dl_arena_alloc(b->arena, (num_dims + 1) * sizeof *dims);
  dl_range *symbols = dl_arena_alloc(b->arena, (num_symbols + 1) * sizeof *symbols);
  for (size_t i = 0; i < num_symbols; i++)
    symbols[i] = (dl_range){b->symbols.data[i].kind == DL_SYMBOL_DIM ? 0 : INT64_MIN, INT64_MAX};
  for (size_t i = 0; i < num_dims; i++) {
    dl_expr extent = b->frame->iterators.data[i].extent;
    dims[i] = (dl_range){0, INT64_MAX};
    if (extent->kind == DL_EXPR_CONST) dims[i].max = extent->value > 0 ? extent->value - 1 : 0;
  }
  return dl_expr_range(expr, dims, num_dims, symbols, num_symbols);
}

static bool same_symbol(const dl_bound_symbol *a, const dl_bound_symbol *b) {
  if (a->kind != b->kind) return false;
  if (a->kind == DL_SYMBOL_COMPUTED) return a->value == b->value;
  if (a->name && a->name == b->name) return true;
  return a->operand == b->operand && a->index == b->index;
}

size_t dl_add_symbol(dl_binder *b, const dl_bound_symbol *symbol) {
  for (size_t i = 0; i < b->symbols.len; i++)
    if (same_symbol(&b->symbols.data[i], symbol)) return i;
  DL_PUSH(&b->symbols, *symbol);
  return b->symbols.len - 1;
}

static bool scalar_has_dims(const dl_scalar *s) {
  if (s->op == DL_SCALAR_INDEX) return dl_expr_has_dims(s->index);
  if (s->op == DL_SCALAR_READ || s->op == DL_SCALAR_GATHER) return true;
  for (size_t i = 0; i < s->num_args; i++)
    if (scalar_has_dims(s->args[i])) return true;
  return false;
}

static bool same_scalar(const dl_scalar *a, const dl_scalar *b) {
  if (a == b) return true;
  if (a->op != b->op || a->type != b->type || a->num_args != b->num_args) return false;
  if (a->constant != b->constant || a->index != b->index || a->read != b->read) return false;
  for (size_t i = 0; i < a->num_args; i++)
    if (!same_scalar(a->args[i], b->args[i])) return false;
  return true;
}

static dl_expr computed_symbol(dl_binder *b, const dl_scalar *scalar) {
  for (size_t i = 0; i < b->symbols.len; i++) {
    const dl_bound_symbol *symbol = &b->symbols.data[i];
    if (symbol->kind == DL_SYMBOL_COMPUTED && same_scalar(symbol->value, scalar))
      return dl_expr_symbol(b->ctx, (unsigned)i);
  }
  dl_bound_symbol symbol = {.kind = DL_SYMBOL_COMPUTED, .value = scalar};
  return dl_expr_symbol(b->ctx, (unsigned)dl_add_symbol(b, &symbol));
}

dl_status dl_to_expr(dl_binder *b, const dl_bound_value *value, dl_expr *out) {
  if (value->kind == DL_BV_INT) {
    *out = value->expr;
    return DL_OK;
  }
  if (value->kind != DL_BV_SCALAR) return dl_spec_fail(b, "expected an integer");
  const dl_scalar *scalar = value->scalar;
  if (!dl_is_index(scalar->type) && !dl_is_integer(scalar->type))
    return dl_spec_fail(b, "expected an integer, not a floating-point value: cast it");
  scalar = dl_make_cast(b, scalar, dl_index_type(b->ctx));
  if (scalar->op == DL_SCALAR_CONST) {
    *out = dl_expr_const(b->ctx, scalar->constant->integer);
  } else if (scalar->op == DL_SCALAR_INDEX) {
    *out = scalar->index;
  } else {
    // Reads outside of statements are of operands at constant indices; inside, they vary.
    if (b->frame && scalar_has_dims(scalar))
      return dl_spec_fail(b, "an index computed from elements needs at(…)");
    *out = computed_symbol(b, scalar);
  }
  return DL_OK;
}

static dl_status as_tree(dl_binder *b, dl_scalar_op op, dl_type type, dl_expr lhs, dl_expr rhs,
                         dl_bound_value *out) {
  const dl_scalar *args[2];
  dl_bound_value values[2] = {dl_int_value(lhs), dl_int_value(rhs)};
  for (size_t i = 0; i < 2; i++) DL_TRY(dl_to_scalar(b, &values[i], NULL, &args[i]));
  *out = dl_scalar_value(dl_make_scalar(b, op, type, 2, args));
  if (!dl_is_index(type) || dl_expr_has_dims(lhs) || dl_expr_has_dims(rhs)) return DL_OK;
  dl_expr expr;
  DL_TRY(dl_to_expr(b, out, &expr));
  *out = dl_int_value(expr);
  return DL_OK;
}

// Decides lhs op rhs from the range of the difference; false when it does not follow.
static bool decide(dl_scalar_op op, dl_range d, bool *flag) {
  bool below = d.max != INT64_MAX && d.max < 0, above = d.min != INT64_MIN && d.min > 0;
  bool at_most = d.max != INT64_MAX && d.max <= 0, at_least = d.min != INT64_MIN && d.min >= 0;
  bool equal = at_most && at_least;
  bool yes[] = {equal, below || above, below, at_most, above, at_least};
  bool no[] = {below || above, equal, at_least, above, at_most, below};
  *flag = yes[op - DL_SCALAR_EQ];
  return *flag || no[op - DL_SCALAR_EQ];
}

static dl_status compare(dl_binder *b, dl_scalar_op op, dl_expr lhs, dl_expr rhs,
                         dl_bound_value *out) {
  bool flag;
  if (decide(op, dl_int_range(b, dl_expr_sub(lhs, rhs)), &flag)) {
    *out = dl_bool_value(flag);
    return DL_OK;
  }
  return as_tree(b, op, dl_int_type(b->ctx, 1), lhs, rhs, out);
}

static dl_status extremum(dl_binder *b, dl_scalar_op op, dl_expr lhs, dl_expr rhs,
                          dl_bound_value *out) {
  bool less;
  if (!decide(DL_SCALAR_LE, dl_int_range(b, dl_expr_sub(lhs, rhs)), &less))
    return as_tree(b, op, dl_index_type(b->ctx), lhs, rhs, out);
  *out = dl_int_value(less == (op == DL_SCALAR_MIN) ? lhs : rhs);
  return DL_OK;
}

static dl_status divide(dl_binder *b, dl_scalar_op op, dl_expr lhs, dl_expr rhs,
                        dl_bound_value *out) {
  if (rhs->kind == DL_EXPR_CONST && rhs->value == 0) return dl_spec_fail(b, "division by zero");
  *out = dl_int_value(op == DL_SCALAR_MOD ? dl_expr_mod(lhs, rhs) : dl_expr_floordiv(lhs, rhs));
  return DL_OK;
}

dl_status dl_apply_int(dl_binder *b, dl_scalar_op op, dl_expr lhs, dl_expr rhs,
                       dl_bound_value *out) {
  switch (op) {
    case DL_SCALAR_ADD:
      *out = dl_int_value(dl_expr_add(lhs, rhs));
      return DL_OK;
    case DL_SCALAR_SUB:
      *out = dl_int_value(dl_expr_sub(lhs, rhs));
      return DL_OK;
    case DL_SCALAR_MUL:
      *out = dl_int_value(dl_expr_mul(lhs, rhs));
      return DL_OK;
    case DL_SCALAR_FLOORDIV:
    case DL_SCALAR_MOD:
      return divide(b, op, lhs, rhs, out);
    case DL_SCALAR_MIN:
    case DL_SCALAR_MAX:
      return extremum(b, op, lhs, rhs, out);
    case DL_SCALAR_EQ:
    case DL_SCALAR_NE:
    case DL_SCALAR_LT:
    case DL_SCALAR_LE:
    case DL_SCALAR_GT:
    case DL_SCALAR_GE:
      return compare(b, op, lhs, rhs, out);
    default:
      return dl_spec_fail(b, "'%s' does not apply to two sizes", dl_scalar_op_name(op));
  }
}

// --- exact division ---

typedef DL_VEC(dl_expr) factor_list;

// Splits a product into a constant and other factors.
static void collect_factors(dl_expr e, int64_t *constant, factor_list *factors) {
  if (e->kind == DL_EXPR_MUL) {
    collect_factors(e->lhs, constant, factors);
    collect_factors(e->rhs, constant, factors);
  } else if (e->kind == DL_EXPR_CONST) {
    *constant *= e->value;
  } else {
    DL_PUSH(factors, e);
  }
}

static int64_t gcd(int64_t a, int64_t b) {
  while (b) {
    int64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a < 0 ? -a : a;
}

static void cancel(factor_list *a, factor_list *b) {
  for (size_t i = 0; i < b->len; i++)
    for (size_t j = 0; j < a->len; j++) {
      if (a->data[j] != b->data[i]) continue;
      a->data[j] = a->data[--a->len];
      b->data[i--] = b->data[--b->len];
      break;
    }
}

static dl_expr product_of(dl_context *ctx, int64_t constant, const factor_list *factors) {
  dl_expr product = dl_expr_const(ctx, constant);
  for (size_t i = 0; i < factors->len; i++) product = dl_expr_mul(product, factors->data[i]);
  return product;
}

dl_expr dl_expr_exact_div(dl_expr a, dl_expr b) {
  int64_t ca = 1, cb = 1;
  factor_list fa = {0}, fb = {0};
  collect_factors(a, &ca, &fa);
  collect_factors(b, &cb, &fb);
  cancel(&fa, &fb);
  int64_t common = gcd(ca, cb);
  if (common > 1) ca /= common, cb /= common;
  if (cb < 0) ca = -ca, cb = -cb;
  dl_expr divisor = product_of(a->ctx, cb, &fb), dividend = product_of(a->ctx, ca, &fa);
  DL_VEC_FREE(&fa);
  DL_VEC_FREE(&fb);
  bool one = divisor->kind == DL_EXPR_CONST && divisor->value == 1;
  return one ? dividend : dl_expr_floordiv(dividend, divisor);
}
