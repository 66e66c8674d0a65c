#include "ir/affine.h"

#include <criterion/criterion.h>

static dl_context *ctx;
static dl_expr d0, d1, s0;

static void setup(void) {
  ctx = dl_context_create();
  d0 = dl_expr_dim(ctx, 0);
  d1 = dl_expr_dim(ctx, 1);
  s0 = dl_expr_symbol(ctx, 0);
}
static void teardown(void) { dl_context_destroy(ctx); }

TestSuite(affine, .init = setup, .fini = teardown);

static dl_expr constant(int64_t value) { return dl_expr_const(ctx, value); }
static dl_expr floordiv(dl_expr a, int64_t b) { return dl_expr_floordiv(a, constant(b)); }
static dl_expr ceildiv(dl_expr a, int64_t b) { return dl_expr_ceildiv(a, constant(b)); }
static dl_expr mod(dl_expr a, int64_t b) { return dl_expr_mod(a, constant(b)); }
static dl_expr mul(dl_expr a, int64_t b) { return dl_expr_mul_const(a, b); }
static dl_expr add(dl_expr a, dl_expr b) { return dl_expr_add(a, b); }

static void expect(dl_expr actual, dl_expr expected, int line) {
  dl_buffer text = {0};
  dl_print_expr(&text, actual, NULL, NULL);
  dl_buffer_puts(&text, " instead of ");
  dl_print_expr(&text, expected, NULL, NULL);
  cr_expect_eq(actual, expected, "line %d: %s", line, text.data);
  dl_buffer_free(&text);
}
#define EXPECT(actual, expected) expect(actual, expected, __LINE__)

Test(affine, sums_collect_coefficients) {
  dl_expr e = add(mul(d0, 16), d1);
  EXPECT(dl_expr_sub(e, mul(d0, 16)), d1);
  EXPECT(dl_expr_sub(e, e), constant(0));
  EXPECT(add(add(s0, d1), d0), add(d0, add(d1, s0)));
  EXPECT(dl_expr_add_const(dl_expr_add_const(d0, 3), -3), d0);
}

Test(affine, products_distribute) {
  dl_expr size = dl_expr_mul(add(d0, constant(2)), s0);
  EXPECT(size, add(dl_expr_mul(d0, s0), mul(s0, 2)));
  EXPECT(dl_expr_mul(dl_expr_mul(s0, d0), d1), dl_expr_mul(d1, dl_expr_mul(d0, s0)));
  EXPECT(mul(size, 0), constant(0));
}

Test(affine, division_takes_out_multiples) {
  dl_expr e = add(mul(d0, 16), d1);
  EXPECT(floordiv(e, 16), add(d0, floordiv(d1, 16)));
  EXPECT(floordiv(mul(d0, 32), 16), mul(d0, 2));
  EXPECT(floordiv(add(mul(d0, 2), constant(1)), 4), floordiv(d0, 2));
  EXPECT(floordiv(dl_expr_add_const(d0, 5), 3),
         dl_expr_add_const(floordiv(dl_expr_add_const(d0, 2), 3), 1));
  EXPECT(floordiv(floordiv(d0, 3), 4), floordiv(d0, 12));
  EXPECT(floordiv(d0, 1), d0);
  EXPECT(ceildiv(add(mul(d0, 8), constant(1)), 8), dl_expr_add_const(d0, 1));
  EXPECT(ceildiv(mul(d0, 8), 4), mul(d0, 2));
}

Test(affine, modulo) {
  EXPECT(mod(add(mul(d0, 16), d1), 16), mod(d1, 16));
  EXPECT(mod(mul(d0, 4), 16), mul(mod(d0, 4), 4));
  EXPECT(mod(mod(d0, 12), 4), mod(d0, 4));
  EXPECT(mod(d0, 1), constant(0));
  EXPECT(dl_expr_mod(dl_expr_mul(d0, s0), s0), constant(0));
  EXPECT(dl_expr_floordiv(add(dl_expr_mul(d0, s0), s0), s0), dl_expr_add_const(d0, 1));
}

Test(affine, quotient_and_remainder_recombine) {
  EXPECT(add(mul(floordiv(d0, 7), 7), mod(d0, 7)), d0);
  dl_expr delinearized =
      add(add(mul(floordiv(d0, 12), 12), mul(mod(floordiv(d0, 4), 3), 4)), mod(d0, 4));
  EXPECT(delinearized, d0);
  dl_expr x = add(mul(d0, 6), add(mul(d1, 3), constant(2)));
  EXPECT(add(mul(floordiv(x, 9), 9), mod(x, 9)), x);
}

Test(affine, constants_fold_and_bad_divisions_stay) {
  EXPECT(floordiv(constant(-7), 2), constant(-4));
  EXPECT(mod(constant(-7), 4), constant(1));
  EXPECT(ceildiv(constant(-7), 2), constant(-3));
  int64_t value;
  cr_assert_not(dl_expr_eval(floordiv(d0, 0), (int64_t[]){1}, NULL, &value));
  dl_expr huge = add(constant(INT64_MAX), constant(1));
  cr_assert_not(dl_expr_eval(huge, NULL, NULL, &value));
  cr_assert_not(dl_expr_eval(mul(d0, INT64_MAX), (int64_t[]){2}, NULL, &value));
}

Test(affine, bounds_simplify) {
  dl_range r[] = {{0, 99}, {0, 15}};
  dl_expr e = add(mul(d0, 16), d1);
  EXPECT(dl_expr_simplify(floordiv(e, 16), r, 2, NULL, 0), d0);
  EXPECT(dl_expr_simplify(mod(e, 16), r, 2, NULL, 0), d1);
  EXPECT(dl_expr_simplify(floordiv(e, 32), r, 2, NULL, 0), floordiv(d0, 2));
  EXPECT(dl_expr_simplify(mod(e, 32), r, 2, NULL, 0), add(mul(mod(d0, 2), 16), d1));
  EXPECT(dl_expr_simplify(mod(d1, 20), r, 2, NULL, 0), d1);
  EXPECT(dl_expr_simplify(mod(dl_expr_add_const(d1, 20), 20), r, 2, NULL, 0), d1);
  EXPECT(dl_expr_simplify(floordiv(e, 4096), r, 2, NULL, 0), constant(0));
  EXPECT(dl_expr_simplify(ceildiv(dl_expr_add_const(d1, 1), 16), r, 2, NULL, 0), constant(1));
  EXPECT(dl_expr_simplify(mod(d0, 20), r, 2, NULL, 0), mod(d0, 20));
}

Test(affine, ranges) {
  dl_range r[] = {{0, 9}, {-2, INT64_MAX}};
  dl_range sum = dl_expr_range(add(mul(d0, -3), constant(1)), r, 2, NULL, 0);
  cr_assert(sum.min == -26 && sum.max == 1);
  dl_range open = dl_expr_range(mul(d1, -1), r, 2, NULL, 0);
  cr_assert(open.min == INT64_MIN && open.max == 2);
  dl_range m = dl_expr_range(mod(d1, 5), r, 2, NULL, 0);
  cr_assert(m.min == 0 && m.max == 4);
}

// Random expressions: building and simplifying must not change what they evaluate to.
static unsigned next_random(unsigned *state) { return *state = *state * 1664525u + 1013904223u; }

static dl_expr random_expr(unsigned *state, unsigned depth) {
  unsigned kind = next_random(state) >> 16;
  if (!depth) {
    dl_expr leaves[] = {d0, d1, s0, constant((int)(next_random(state) >> 24) % 40 - 20)};
    return leaves[kind % 4];
  }
  dl_expr a = random_expr(state, depth - 1), b = random_expr(state, depth - 1);
  int64_t n = (next_random(state) >> 20) % 16 + 1;
  switch (kind % 6) {
    case 0:
      return add(a, b);
    case 1:
      return dl_expr_sub(a, b);
    case 2:
      return mul(a, n - 6);
    case 3:
      return floordiv(a, n);
    case 4:
      return ceildiv(a, n);
    default:
      return mod(a, n);
  }
}

static dl_expr rebuild_around(dl_expr e, dl_expr to) {
  return dl_expr_substitute(e, 1, (dl_expr[]){to}, 0, NULL);
}

Test(affine, simplifying_keeps_values) {
  unsigned state = 42;
  dl_range dims[] = {{0, 30}, {-8, 8}}, symbols[] = {{5, 5}};
  for (int round = 0; round < 3000; round++) {
    dl_expr inner = random_expr(&state, 2), e = random_expr(&state, 2);
    dl_expr composed = rebuild_around(e, inner);
    dl_expr simple = dl_expr_simplify(composed, dims, 2, symbols, 1);
    dl_range range = dl_expr_range(composed, dims, 2, symbols, 1);
    for (int64_t x = 0; x <= 30; x += 3) {
      for (int64_t y = -8; y <= 8; y += 2) {
        int64_t at[] = {x, y}, s[] = {5}, in, direct, once, twice;
        cr_assert(dl_expr_eval(inner, at, s, &in));
        cr_assert(dl_expr_eval(e, (int64_t[]){in, y}, s, &direct));
        cr_assert(dl_expr_eval(composed, at, s, &once));
        cr_assert(dl_expr_eval(simple, at, s, &twice));
        cr_assert(direct == once && once == twice, "round %d", round);
        cr_assert(range.min <= once && once <= range.max, "round %d", round);
      }
    }
  }
}

Test(affine, splitting_off_a_dimension) {
  int64_t coefficient;
  dl_expr rest;
  cr_assert(dl_expr_split_dim(add(mul(d0, 3), add(floordiv(d1, 2), s0)), 0, &coefficient, &rest));
  cr_assert_eq(coefficient, 3);
  EXPECT(rest, add(floordiv(d1, 2), s0));
  cr_assert_not(dl_expr_split_dim(floordiv(d0, 2), 0, &coefficient, &rest));
  cr_assert(dl_expr_split_dim(d1, 0, &coefficient, &rest));
  cr_assert_eq(coefficient, 0);
}

Test(affine, multiples) {
  cr_assert(dl_expr_is_multiple(add(mul(d0, 16), dl_expr_mul(mul(s0, 8), d1)), 8));
  cr_assert_not(dl_expr_is_multiple(add(mul(d0, 16), d1), 8));
  cr_assert_not(dl_expr_is_multiple(floordiv(mul(d0, 16), 3), 8));
  cr_assert(dl_expr_is_const(mul(d0, 0), 0));
  cr_assert_not(dl_expr_is_const(d0, 0));
}

Test(affine, maps) {
  dl_map map = dl_affine_map(ctx, 2, 0, 2, (dl_expr[]){d0, d1});
  cr_assert_eq(map, dl_identity_map(ctx, 2));
  cr_assert_neq(map, dl_affine_map(ctx, 2, 1, 2, (dl_expr[]){d0, d1}));
  int64_t values[2];
  cr_assert(dl_map_is_constant(dl_constant_map(ctx, 2, (int64_t[]){4, 5}), values));
  cr_assert(values[0] == 4 && values[1] == 5);
  cr_assert_not(dl_map_is_constant(map, NULL));
}
