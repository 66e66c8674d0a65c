// Kernels on integers. The lanes of an i1 hold 0 or 1, so as a signed number a true is -1.
#include "dialects/eval/kernel_int.h"

static int64_t as_signed(const dl_kernel *k, int64_t x) { return k->width == 1 ? -x : x; }

static uint64_t as_unsigned(const dl_kernel *k, int64_t x) {
  return k->width < 64 ? (uint64_t)x & (((uint64_t)1 << k->width) - 1) : (uint64_t)x;
}

static int64_t divide(int64_t x, int64_t y) {
  if (y == -1) return (int64_t)(0 - (uint64_t)x);
  return y ? x / y : 0;
}

static int64_t remainder_of(int64_t x, int64_t y) { return y == 0 || y == -1 ? 0 : x % y; }

static int64_t floor_divide(int64_t x, int64_t y) {
  int64_t rest = remainder_of(x, y);
  return divide(x, y) - (rest != 0 && (rest < 0) != (y < 0));
}

static int64_t ceil_divide(int64_t x, int64_t y) {
  int64_t rest = remainder_of(x, y);
  return divide(x, y) + (rest != 0 && (rest < 0) == (y < 0));
}

static int64_t floor_modulo(int64_t x, int64_t y) {
  int64_t rest = remainder_of(x, y);
  return rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest;
}

static int64_t power(int64_t x, int64_t y) {
  if (y < 0) return x == 1 ? 1 : x == -1 ? (y % 2 ? -1 : 1) : 0;
  uint64_t result = 1;
  for (uint64_t base = (uint64_t)x; y; y >>= 1, base *= base) {
    if (y & 1) result *= base;
  }
  return (int64_t)result;
}

// Shifts by at least the width have no defined result in MLIR; here all bits are shifted out.
static int64_t shift_right(uint64_t x, uint64_t by) { return by < 64 ? (int64_t)(x >> by) : 0; }
static int64_t shift_left(uint64_t x, uint64_t by) { return by < 64 ? (int64_t)(x << by) : 0; }
static int64_t shift_right_signed(int64_t x, uint64_t by) { return x >> (by < 63 ? by : 63); }

static int64_t leading_zeros(const dl_kernel *k, int64_t x) {
  uint64_t bits = as_unsigned(k, x);
  unsigned unused = 64 - k->width;
  return bits ? (int64_t)__builtin_clzll(bits) - unused : k->width;
}

static int64_t trailing_zeros(const dl_kernel *k, int64_t x) {
  uint64_t bits = as_unsigned(k, x);
  return bits ? (int64_t)__builtin_ctzll(bits) : k->width;
}

#define LOOP_1(function, expression)                                                  \
  void function(const dl_kernel *k, void *out, const void *const *in, size_t count) { \
    int64_t *restrict result = out;                                                   \
    const int64_t *xs = in[0];                                                        \
    (void)k;                                                                          \
    for (size_t i = 0; i < count; i++) {                                              \
      int64_t x = xs[i];                                                              \
      result[i] = (int64_t)(expression);                                              \
    }                                                                                 \
  }

#define LOOP_2(function, expression)                                                  \
  void function(const dl_kernel *k, void *out, const void *const *in, size_t count) { \
    int64_t *restrict result = out;                                                   \
    const int64_t *xs = in[0], *ys = in[1];                                           \
    (void)k;                                                                          \
    for (size_t i = 0; i < count; i++) {                                              \
      int64_t x = xs[i], y = ys[i];                                                   \
      result[i] = (int64_t)(expression);                                              \
    }                                                                                 \
  }

#define UNARY(name, expression) LOOP_1(dl_int_##name, expression)
#define BINARY(name, expression) LOOP_2(dl_int_##name, expression)
#define COMPARE(name, expression) static LOOP_2(compare_##name, expression)
#define S(v) as_signed(k, v)
#define U(v) as_unsigned(k, v)

BINARY(add, (uint64_t)x + (uint64_t)y)
BINARY(sub, (uint64_t)x - (uint64_t)y)
BINARY(mul, (uint64_t)x *(uint64_t)y)
BINARY(div_signed, divide(S(x), S(y)))
BINARY(div_unsigned, U(y) ? U(x) / U(y) : 0)
BINARY(rem_signed, remainder_of(S(x), S(y)))
BINARY(rem_unsigned, U(y) ? U(x) % U(y) : 0)
BINARY(floordiv, floor_divide(S(x), S(y)))
BINARY(ceildiv, ceil_divide(S(x), S(y)))
BINARY(ceildiv_unsigned, U(y) ? U(x) / U(y) + (U(x) % U(y) != 0) : 0)
BINARY(mod, floor_modulo(S(x), S(y)))
BINARY(pow, power(S(x), S(y)))
BINARY(and, x &y)
BINARY(or, x | y)
BINARY(xor, x ^ y)
BINARY(shl, shift_left((uint64_t)x, U(y)))
BINARY(shr_signed, shift_right_signed(S(x), U(y)))
BINARY(shr_unsigned, shift_right(U(x), U(y)))
BINARY(min_signed, S(x) < S(y) ? x : y)
BINARY(max_signed, S(x) > S(y) ? x : y)
BINARY(min_unsigned, U(x) < U(y) ? x : y)
BINARY(max_unsigned, U(x) > U(y) ? x : y)
UNARY(neg, 0 - (uint64_t)x)
UNARY(abs, S(x) < 0 ? 0 - (uint64_t)x : (uint64_t)x)
UNARY(not, ~x)
UNARY(same, x)
UNARY(count_leading_zeros, leading_zeros(k, x))
UNARY(count_trailing_zeros, trailing_zeros(k, x))
UNARY(count_ones, __builtin_popcountll(U(x)))

COMPARE(eq, x == y)
COMPARE(ne, x != y)
COMPARE(slt, S(x) < S(y))
COMPARE(sle, S(x) <= S(y))
COMPARE(sgt, S(x) > S(y))
COMPARE(sge, S(x) >= S(y))
COMPARE(ult, U(x) < U(y))
COMPARE(ule, U(x) <= U(y))
COMPARE(ugt, U(x) > U(y))
COMPARE(uge, U(x) >= U(y))

void dl_int_compare(const dl_kernel *k, void *out, const void *const *in, size_t count) {
  static const dl_kernel_fn by_predicate[] = {compare_eq,  compare_ne,  compare_slt, compare_sle,
                                              compare_sgt, compare_sge, compare_ult, compare_ule,
                                              compare_ugt, compare_uge};
  by_predicate[k->predicate](k, out, in, count);
}

void dl_int_select(const dl_kernel *k, void *out, const void *const *in, size_t count) {
  int64_t *restrict result = out;
  const int64_t *condition = in[0], *xs = in[1], *ys = in[2];
  (void)k;
  for (size_t i = 0; i < count; i++) result[i] = condition[i] ? xs[i] : ys[i];
}
