// Canonical sums: what dl_expr_add, _mul, _floordiv, _ceildiv and _mod build. Identities used,
// which hold for all integers and positive divisors:
//   (n*q + r) floordiv n = q + r floordiv n
//   (g*x + k) floordiv (g*c) = (x + k floordiv g) floordiv c
//   (x floordiv a + k) floordiv b = (x + k*a) floordiv (a*b)
//   (n*q + r) mod n = r mod n
//   (g*x + k) mod (g*c) = g*((x + k floordiv g) mod c) + k mod g
//   (x mod (n*k)) mod n = x mod n
//   (x floordiv n)*n + x mod n = x
#include "ir/affine_internal.h"

enum { MAX_PRODUCT_TERMS = 64 };  // larger products of sums stay products

int64_t dl_gcd(int64_t a, int64_t b) {
  uint64_t x = a < 0 ? -(uint64_t)a : (uint64_t)a, y = b < 0 ? -(uint64_t)b : (uint64_t)b;
  while (y) {
    uint64_t remainder = x % y;
    x = y;
    y = remainder;
  }
  return x > INT64_MAX ? 1 : (int64_t)x;
}

static void remove_term(dl_sum *sum, size_t i) {
  memmove(sum->terms.data + i, sum->terms.data + i + 1, (sum->terms.len - i - 1) * sizeof(dl_term));
  sum->terms.len--;
}

void dl_sum_add_term(dl_sum *sum, dl_expr expr, int64_t coefficient) {
  if (!coefficient) return;
  size_t i = 0;
  while (i < sum->terms.len && dl_expr_compare(sum->terms.data[i].expr, expr) < 0) i++;
  if (i < sum->terms.len && sum->terms.data[i].expr == expr) {
    int64_t *present = &sum->terms.data[i].coefficient;
    sum->overflow |= __builtin_add_overflow(*present, coefficient, present);
    if (!*present) remove_term(sum, i);
    return;
  }
  DL_PUSH(&sum->terms, (dl_term){expr, coefficient});
  memmove(sum->terms.data + i + 1, sum->terms.data + i, (sum->terms.len - i - 1) * sizeof(dl_term));
  sum->terms.data[i] = (dl_term){expr, coefficient};
}

void dl_sum_add_const(dl_sum *sum, int64_t constant) {
  sum->overflow |= __builtin_add_overflow(sum->constant, constant, &sum->constant);
}

void dl_sum_add(dl_sum *sum, dl_expr expr, int64_t factor) {
  int64_t scaled;
  if (expr->kind == DL_EXPR_ADD) {
    dl_sum_add(sum, expr->lhs, factor);
    dl_sum_add(sum, expr->rhs, factor);
  } else if (expr->kind == DL_EXPR_CONST) {
    sum->overflow |= __builtin_mul_overflow(expr->value, factor, &scaled);
    dl_sum_add_const(sum, scaled);
  } else if (expr->kind == DL_EXPR_MUL && expr->rhs->kind == DL_EXPR_CONST) {
    sum->overflow |= __builtin_mul_overflow(expr->rhs->value, factor, &scaled);
    dl_sum_add(sum, expr->lhs, scaled);
  } else {
    dl_sum_add_term(sum, expr, factor);
  }
}

// The position of a term, or the number of terms.
static size_t find_term(const dl_sum *sum, dl_expr expr) {
  size_t i = 0;
  while (i < sum->terms.len && sum->terms.data[i].expr != expr) i++;
  return i;
}

// (x floordiv n)*n*c + (x mod n)*c = x*c, once.
static bool recombine_one(dl_sum *sum) {
  for (size_t i = 0; i < sum->terms.len; i++) {
    dl_term term = sum->terms.data[i];
    int64_t whole;
    if (term.expr->kind != DL_EXPR_MOD || term.expr->rhs->kind != DL_EXPR_CONST) continue;
    if (__builtin_mul_overflow(term.coefficient, term.expr->rhs->value, &whole)) continue;
    dl_expr quotient = dl_expr_floordiv(term.expr->lhs, term.expr->rhs);
    size_t at = find_term(sum, quotient);
    if (at == sum->terms.len || sum->terms.data[at].coefficient != whole) continue;
    remove_term(sum, at);
    remove_term(sum, find_term(sum, term.expr));
    dl_sum_add(sum, term.expr->lhs, term.coefficient);
    return true;
  }
  return false;
}

dl_expr dl_sum_build(dl_context *ctx, dl_sum *sum) {
  while (!sum->overflow && recombine_one(sum)) continue;
  dl_expr expr = NULL;
  for (size_t i = 0; i < sum->terms.len && !sum->overflow; i++) {
    dl_term term = sum->terms.data[i];
    dl_expr scaled = term.coefficient == 1 ? term.expr
                                           : dl_expr_node(DL_EXPR_MUL, term.expr,
                                                          dl_expr_const(ctx, term.coefficient));
    expr = expr ? dl_expr_node(DL_EXPR_ADD, expr, scaled) : scaled;
  }
  if (!sum->overflow && (!expr || sum->constant)) {
    dl_expr constant = dl_expr_const(ctx, sum->constant);
    expr = expr ? dl_expr_node(DL_EXPR_ADD, expr, constant) : constant;
  }
  bool overflow = sum->overflow;
  dl_sum_free(sum);
  return overflow ? NULL : expr;
}

dl_expr dl_expr_add(dl_expr a, dl_expr b) {
  dl_sum sum = {0};
  dl_sum_add(&sum, a, 1);
  dl_sum_add(&sum, b, 1);
  dl_expr result = dl_sum_build(a->ctx, &sum);
  return result ? result : dl_expr_node(DL_EXPR_ADD, a, b);
}

// --- products ---

static bool is_product(dl_expr expr) {
  return expr->kind == DL_EXPR_MUL && expr->rhs->kind != DL_EXPR_CONST;
}

// The product of two terms: factors in canonical order, as a left-leaning chain.
static dl_expr multiply_factors(dl_expr a, dl_expr b) {
  if (is_product(b)) return multiply_factors(multiply_factors(a, b->lhs), b->rhs);
  dl_expr last = is_product(a) ? a->rhs : a;
  if (dl_expr_compare(last, b) <= 0) return dl_expr_node(DL_EXPR_MUL, a, b);
  if (!is_product(a)) return dl_expr_node(DL_EXPR_MUL, b, a);
  return dl_expr_node(DL_EXPR_MUL, multiply_factors(a->lhs, b), last);
}

static void add_product(dl_sum *out, dl_term a, dl_term b) {
  int64_t coefficient;
  out->overflow |= __builtin_mul_overflow(a.coefficient, b.coefficient, &coefficient);
  dl_sum_add_term(out, multiply_factors(a.expr, b.expr), coefficient);
}

static void add_scaled(dl_sum *out, const dl_sum *sum, int64_t factor) {
  int64_t scaled;
  for (size_t i = 0; i < sum->terms.len; i++) {
    out->overflow |= __builtin_mul_overflow(sum->terms.data[i].coefficient, factor, &scaled);
    dl_sum_add_term(out, sum->terms.data[i].expr, scaled);
  }
}

dl_expr dl_expr_mul(dl_expr a, dl_expr b) {
  dl_sum x = {0}, y = {0}, product = {0};
  dl_sum_add(&x, a, 1);
  dl_sum_add(&y, b, 1);
  product.overflow = x.overflow || y.overflow || x.terms.len * y.terms.len > MAX_PRODUCT_TERMS;
  for (size_t i = 0; i < x.terms.len && !product.overflow; i++) {
    for (size_t j = 0; j < y.terms.len; j++)
      add_product(&product, x.terms.data[i], y.terms.data[j]);
  }
  add_scaled(&product, &x, y.constant);
  add_scaled(&product, &y, x.constant);
  product.overflow |= __builtin_mul_overflow(x.constant, y.constant, &product.constant);
  dl_sum_free(&x);
  dl_sum_free(&y);
  dl_expr result = dl_sum_build(a->ctx, &product);
  if (result) return result;
  return a->kind == DL_EXPR_CONST ? dl_expr_node(DL_EXPR_MUL, b, a)
                                  : dl_expr_node(DL_EXPR_MUL, a, b);
}

// --- divisions by a constant ---

// Moves the multiples of n out of sum: sum = n * quotient + sum, with term coefficients of smaller
// magnitude than n and a constant in [0, n).
static void take_multiples_once(dl_sum *sum, int64_t n, dl_sum *quotient) {
  for (size_t i = sum->terms.len; i-- > 0;) {
    dl_term *term = &sum->terms.data[i];
    dl_sum_add_term(quotient, term->expr, term->coefficient / n);
    term->coefficient %= n;
    if (!term->coefficient) remove_term(sum, i);
  }
  dl_sum_add_const(quotient, dl_floor_div(sum->constant, n));
  sum->constant = dl_floor_mod(sum->constant, n);
}

static void take_multiples(dl_sum *sum, int64_t n, dl_sum *quotient) {
  do take_multiples_once(sum, n, quotient);
  while (recombine_one(sum));
}

// Divides the term coefficients, and n, by their common divisor (returned); the constant is divided
// rounding down and its remainder stored.
static int64_t take_common_factor(dl_sum *sum, int64_t *n, int64_t *remainder) {
  int64_t common = *n;
  for (size_t i = 0; i < sum->terms.len; i++)
    common = dl_gcd(common, sum->terms.data[i].coefficient);
  for (size_t i = 0; i < sum->terms.len; i++) sum->terms.data[i].coefficient /= common;
  *n /= common;
  *remainder = dl_floor_mod(sum->constant, common);
  sum->constant = dl_floor_div(sum->constant, common);
  return common;
}

// (x floordiv a + k) floordiv n as (x + k*a) floordiv (a*n); NULL if `sum` has another form.
static dl_expr merge_floordiv(const dl_sum *sum, int64_t n) {
  if (sum->terms.len != 1 || sum->terms.data[0].coefficient != 1) return NULL;
  dl_expr inner = sum->terms.data[0].expr;
  if (inner->kind != DL_EXPR_FLOORDIV || inner->rhs->kind != DL_EXPR_CONST) return NULL;
  int64_t divisor, offset, a = inner->rhs->value;
  if (a <= 0 || __builtin_mul_overflow(a, n, &divisor) ||
      __builtin_mul_overflow(a, sum->constant, &offset))
    return NULL;
  dl_expr dividend = dl_expr_add_const(inner->lhs, offset);
  return dl_expr_floordiv(dividend, dl_expr_const(inner->ctx, divisor));
}

// sum floordiv n (ceildiv n), where sum has neither multiples of n nor a factor common with it.
static dl_expr divide_rest(dl_expr_kind kind, dl_context *ctx, dl_sum *sum, int64_t n) {
  dl_expr merged = kind == DL_EXPR_FLOORDIV ? merge_floordiv(sum, n) : NULL;
  dl_expr dividend = dl_sum_build(ctx, sum);
  if (merged || !dividend) return merged;
  return dl_expr_node(kind, dividend, dl_expr_const(ctx, n));
}

static dl_expr divide_sum(dl_expr_kind kind, dl_context *ctx, dl_sum *rest, int64_t n) {
  dl_sum quotient = {0};
  take_multiples(rest, n, &quotient);
  bool up = kind == DL_EXPR_CEILDIV;
  if (!rest->terms.len) {
    dl_sum_add_const(&quotient, up && rest->constant > 0);
    return dl_sum_build(ctx, &quotient);
  }
  int64_t remainder;
  take_common_factor(rest, &n, &remainder);
  if (up && remainder) dl_sum_add_const(rest, 1);
  if (n == 1) {
    add_scaled(&quotient, rest, 1);
    dl_sum_add_const(&quotient, rest->constant);
  } else {
    dl_sum_add_const(&quotient, rest->constant / n);
    rest->constant %= n;
    dl_expr divided = divide_rest(kind, ctx, rest, n);
    quotient.overflow |= !divided;
    if (divided) dl_sum_add(&quotient, divided, 1);
  }
  return dl_sum_build(ctx, &quotient);
}

static dl_expr divide_by_const(dl_expr_kind kind, dl_expr a, int64_t n) {
  dl_sum sum = {0};
  dl_sum_add(&sum, a, 1);
  dl_expr result = sum.overflow ? NULL : divide_sum(kind, a->ctx, &sum, n);
  dl_sum_free(&sum);
  return result ? result : dl_expr_node(kind, a, dl_expr_const(a->ctx, n));
}

// x mod (n*k) becomes x inside a sum that is taken modulo n.
static bool drop_inner_mod(dl_sum *sum, int64_t n) {
  for (size_t i = 0; i < sum->terms.len; i++) {
    dl_term term = sum->terms.data[i];
    int64_t period;
    if (term.expr->kind != DL_EXPR_MOD || term.expr->rhs->kind != DL_EXPR_CONST) continue;
    if (__builtin_mul_overflow(term.expr->rhs->value, term.coefficient, &period) || period % n)
      continue;
    remove_term(sum, i);
    dl_sum_add(sum, term.expr->lhs, term.coefficient);
    return true;
  }
  return false;
}

static dl_expr mod_sum(dl_context *ctx, dl_sum *rest, int64_t n) {
  dl_sum quotient = {0};
  while (drop_inner_mod(rest, n)) continue;
  if (rest->overflow) return NULL;
  take_multiples(rest, n, &quotient);
  dl_sum_free(&quotient);
  if (!rest->terms.len) return dl_expr_const(ctx, rest->constant);
  dl_sum result = {0};
  int64_t common = take_common_factor(rest, &n, &result.constant);
  dl_expr dividend = dl_sum_build(ctx, rest);
  if (!dividend) return NULL;
  dl_sum_add_term(&result, dl_expr_node(DL_EXPR_MOD, dividend, dl_expr_const(ctx, n)), common);
  return dl_sum_build(ctx, &result);
}

static dl_expr mod_const(dl_expr a, int64_t n) {
  dl_sum sum = {0};
  dl_sum_add(&sum, a, 1);
  dl_expr result = sum.overflow ? NULL : mod_sum(a->ctx, &sum, n);
  dl_sum_free(&sum);
  return result ? result : dl_expr_node(DL_EXPR_MOD, a, dl_expr_const(a->ctx, n));
}

// --- divisions by expressions ---

// Removes one factor from a product; NULL if it is not there.
static dl_expr remove_factor(dl_expr product, dl_expr factor) {
  if (product == factor) return dl_expr_const(product->ctx, 1);
  if (!is_product(product)) return NULL;
  if (product->rhs == factor) return product->lhs;
  dl_expr rest = remove_factor(product->lhs, factor);
  return rest ? dl_expr_mul(rest, product->rhs) : NULL;
}

// a / b where every term of a holds the single factor b; NULL otherwise. Division by zero being
// undefined, b counts as nonzero.
static dl_expr divide_exactly(dl_expr a, dl_expr b) {
  dl_sum sum = {0}, quotient = {0};
  dl_sum_add(&sum, a, 1);
  bool exact = !sum.overflow && !sum.constant;
  for (size_t i = 0; i < sum.terms.len && exact; i++) {
    dl_expr rest = remove_factor(sum.terms.data[i].expr, b);
    exact = rest != NULL;
    if (exact) dl_sum_add(&quotient, rest, sum.terms.data[i].coefficient);
  }
  dl_sum_free(&sum);
  if (exact) return dl_sum_build(a->ctx, &quotient);
  dl_sum_free(&quotient);
  return NULL;
}

static bool fold_constants(dl_expr_kind kind, dl_expr a, dl_expr b, dl_expr *folded) {
  int64_t value;
  if (a->kind != DL_EXPR_CONST || b->kind != DL_EXPR_CONST) return false;
  if (!dl_expr_eval(dl_expr_node(kind, a, b), NULL, NULL, &value)) return false;
  *folded = dl_expr_const(a->ctx, value);
  return true;
}

static dl_expr divide(dl_expr_kind kind, dl_expr a, dl_expr b) {
  dl_expr result;
  if (fold_constants(kind, a, b, &result)) return result;
  if (b->kind == DL_EXPR_CONST) {
    if (b->value <= 0) return dl_expr_node(kind, a, b);
    return divide_by_const(kind, a, b->value);
  }
  result = divide_exactly(a, b);
  return result ? result : dl_expr_node(kind, a, b);
}

dl_expr dl_expr_floordiv(dl_expr a, dl_expr b) { return divide(DL_EXPR_FLOORDIV, a, b); }
dl_expr dl_expr_ceildiv(dl_expr a, dl_expr b) { return divide(DL_EXPR_CEILDIV, a, b); }

dl_expr dl_expr_mod(dl_expr a, dl_expr b) {
  dl_expr folded;
  if (fold_constants(DL_EXPR_MOD, a, b, &folded)) return folded;
  if (b->kind == DL_EXPR_CONST && b->value > 0) return mod_const(a, b->value);
  if (b->kind != DL_EXPR_CONST && divide_exactly(a, b)) return dl_expr_const(a->ctx, 0);
  return dl_expr_node(DL_EXPR_MOD, a, b);
}
