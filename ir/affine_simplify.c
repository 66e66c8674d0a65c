// Interval arithmetic over affine expressions, and the simplifications that bounds allow.
#include "ir/affine_internal.h"

typedef struct bounds {
  const dl_range *dims, *symbols;
  size_t num_dims, num_symbols;
} bounds;

static const dl_range anything = {INT64_MIN, INT64_MAX};

static bool is_bounded(dl_range r) { return r.min != INT64_MIN && r.max != INT64_MAX; }

static int64_t clamp(__int128 value) {
  return value <= INT64_MIN ? INT64_MIN : value >= INT64_MAX ? INT64_MAX : (int64_t)value;
}

static bool is_infinite(int64_t bound) { return bound == INT64_MIN || bound == INT64_MAX; }

static int64_t add_bounds(int64_t a, int64_t b) {
  if (is_infinite(a)) return a;
  return is_infinite(b) ? b : clamp((__int128)a + b);
}

static int64_t mul_bounds(int64_t a, int64_t b) {
  if (a && b && (is_infinite(a) || is_infinite(b)))
    return (a < 0) == (b < 0) ? INT64_MAX : INT64_MIN;
  return clamp((__int128)a * b);
}

static dl_range range_mul(dl_range a, dl_range b) {
  bool constant = a.min == a.max || b.min == b.max;
  if (!constant && (!is_bounded(a) || !is_bounded(b)) && (a.min < 0 || b.min < 0)) return anything;
  int64_t corners[] = {mul_bounds(a.min, b.min), mul_bounds(a.min, b.max), mul_bounds(a.max, b.min),
                       mul_bounds(a.max, b.max)};
  dl_range r = {corners[0], corners[0]};
  for (size_t i = 1; i < DL_COUNT(corners); i++) {
    if (corners[i] < r.min) r.min = corners[i];
    if (corners[i] > r.max) r.max = corners[i];
  }
  return r;
}

static int64_t div_bound(int64_t bound, int64_t n, bool up) {
  if (is_infinite(bound)) return bound;
  return dl_floor_div(bound, n) + (up && dl_floor_mod(bound, n) != 0);
}

static dl_range range_div(dl_range a, dl_range b, bool up) {
  if (b.min > 0 && b.min == b.max)
    return (dl_range){div_bound(a.min, b.min, up), div_bound(a.max, b.min, up)};
  if (b.min > 0 && a.min >= 0) return (dl_range){0, div_bound(a.max, b.min, up)};
  return anything;
}

static dl_range range_mod(dl_range a, dl_range b) {
  if (b.min <= 0) return anything;
  if (b.min != b.max) {
    dl_range r = {0, b.max == INT64_MAX ? INT64_MAX : b.max - 1};
    if (a.min >= 0 && a.max < r.max) r.max = a.max;
    return r;
  }
  int64_t n = b.min;
  if (is_bounded(a) && dl_floor_div(a.min, n) == dl_floor_div(a.max, n))
    return (dl_range){dl_floor_mod(a.min, n), dl_floor_mod(a.max, n)};
  return (dl_range){0, n - 1};
}

static dl_range leaf_range(dl_expr expr, const dl_range *ranges, size_t count) {
  return ranges && (uint64_t)expr->value < count ? ranges[expr->value] : anything;
}

static dl_range range_of(dl_expr expr, const bounds *in) {
  switch (expr->kind) {
    case DL_EXPR_CONST:
      return (dl_range){expr->value, expr->value};
    case DL_EXPR_DIM:
      return leaf_range(expr, in->dims, in->num_dims);
    case DL_EXPR_SYMBOL:
      return leaf_range(expr, in->symbols, in->num_symbols);
    default:
      break;
  }
  dl_range a = range_of(expr->lhs, in), b = range_of(expr->rhs, in);
  switch (expr->kind) {
    case DL_EXPR_ADD:
      return (dl_range){add_bounds(a.min, b.min), add_bounds(a.max, b.max)};
    case DL_EXPR_MUL:
      return range_mul(a, b);
    case DL_EXPR_FLOORDIV:
      return range_div(a, b, false);
    case DL_EXPR_CEILDIV:
      return range_div(a, b, true);
    default:
      return range_mod(a, b);
  }
}

dl_range dl_expr_range(dl_expr expr, const dl_range *dims, size_t num_dims, const dl_range *symbols,
                       size_t num_symbols) {
  return range_of(expr, &(bounds){dims, symbols, num_dims, num_symbols});
}

// Splits dividend = g*high + low; true if low is then within [0, g) by the bounds.
static bool split_low(dl_expr dividend, int64_t g, const bounds *in, dl_expr *high, dl_expr *low) {
  dl_sum sum = {0}, upper = {0}, lower = {0};
  dl_sum_add(&sum, dividend, 1);
  for (size_t i = 0; i < sum.terms.len; i++) {
    dl_term term = sum.terms.data[i];
    bool divides = term.coefficient % g == 0;
    dl_sum_add_term(divides ? &upper : &lower, term.expr,
                    divides ? term.coefficient / g : term.coefficient);
  }
  dl_sum_add_const(&upper, dl_floor_div(sum.constant, g));
  dl_sum_add_const(&lower, dl_floor_mod(sum.constant, g));
  upper.overflow |= sum.overflow;
  dl_sum_free(&sum);
  *high = dl_sum_build(dividend->ctx, &upper);
  *low = dl_sum_build(dividend->ctx, &lower);
  if (!*high || !*low) return false;
  dl_range range = range_of(*low, in);
  return range.min >= 0 && range.max < g;
}

// Tries the divisors that the dividend's coefficients have in common with n, large ones being found
// through the terms themselves, then n itself.
static int64_t find_split(dl_expr dividend, int64_t n, const bounds *in, dl_expr *high,
                          dl_expr *low) {
  dl_sum sum = {0};
  dl_sum_add(&sum, dividend, 1);
  int64_t found = !sum.overflow && split_low(dividend, n, in, high, low) ? n : 0;
  for (size_t i = 0; i < sum.terms.len && !found && !sum.overflow; i++) {
    int64_t g = dl_gcd(sum.terms.data[i].coefficient, n);
    if (g > 1 && g < n && split_low(dividend, g, in, high, low)) found = g;
  }
  dl_sum_free(&sum);
  return found;
}

static dl_expr simplify(dl_expr expr, const bounds *in);

static dl_expr simplify_division(dl_expr_kind kind, dl_expr a, int64_t n, const bounds *in) {
  dl_context *ctx = a->ctx;
  dl_expr high, low;
  dl_range range = range_of(a, in);
  if (is_bounded(range)) {
    dl_range quotient = range_div(range, (dl_range){n, n}, kind == DL_EXPR_CEILDIV);
    if (quotient.min == quotient.max) {
      if (kind != DL_EXPR_MOD) return dl_expr_const(ctx, quotient.min);
      return dl_expr_sub(a, dl_expr_const(ctx, dl_floor_div(range.min, n) * n));
    }
  }
  if (kind == DL_EXPR_CEILDIV) return NULL;
  int64_t g = find_split(a, n, in, &high, &low);
  if (!g) return NULL;
  dl_expr rest = dl_expr_const(ctx, n / g);
  if (kind == DL_EXPR_FLOORDIV) return simplify(dl_expr_floordiv(high, rest), in);
  dl_expr scaled = dl_expr_mul_const(simplify(dl_expr_mod(high, rest), in), g);
  return dl_expr_add(scaled, low);
}

static bool is_division(dl_expr expr) {
  return expr->kind == DL_EXPR_FLOORDIV || expr->kind == DL_EXPR_CEILDIV ||
         expr->kind == DL_EXPR_MOD;
}

static dl_expr simplify(dl_expr expr, const bounds *in) {
  if (!expr->lhs) {
    dl_range range = range_of(expr, in);
    return range.min == range.max ? dl_expr_const(expr->ctx, range.min) : expr;
  }
  dl_expr a = simplify(expr->lhs, in), b = simplify(expr->rhs, in);
  dl_expr combined = a == expr->lhs && b == expr->rhs ? expr : dl_expr_binary(expr->kind, a, b);
  // Dividing a simpler dividend may leave a sum with other divisions in it.
  if (is_division(expr) && !is_division(combined)) return simplify(combined, in);
  if (!is_division(combined)) return combined;
  if (combined->rhs->kind != DL_EXPR_CONST || combined->rhs->value <= 0) return combined;
  dl_expr simpler = simplify_division(combined->kind, combined->lhs, combined->rhs->value, in);
  return simpler ? simpler : combined;
}

dl_expr dl_expr_simplify(dl_expr expr, const dl_range *dims, size_t num_dims,
                         const dl_range *symbols, size_t num_symbols) {
  return simplify(expr, &(bounds){dims, symbols, num_dims, num_symbols});
}
