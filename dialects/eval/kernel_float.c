// Kernels on floats. Transcendental functions of an f32 are computed in double and rounded once:
// the interpreter is what other implementations are measured against.
#include "dialects/eval/kernel_float.h"

#include <math.h>

// arith.maximumf and minimumf propagate NaN and order the zeros; maxnumf and minnumf prefer the
// number.
static double maximum(double x, double y) {
  if (isnan(x)) return x;
  if (isnan(y)) return y;
  return x > y || (x == y && !signbit(x)) ? x : y;
}

static double minimum(double x, double y) {
  if (isnan(x)) return x;
  if (isnan(y)) return y;
  return x < y || (x == y && signbit(x)) ? x : y;
}

#define INPUTS_1(type) const type *x = in[0];
#define INPUTS_2(type) INPUTS_1(type) const type *y = in[1];
#define INPUTS_3(type) INPUTS_2(type) const type *z = in[2];
#define INPUTS_SELECT(type)         \
  const int64_t *condition = in[0]; \
  const type *x = in[1], *y = in[2];

#define LOOP(function, to, inputs, from, expression)                                  \
  void function(const dl_kernel *k, void *out, const void *const *in, size_t count) { \
    to *restrict result = out;                                                        \
    inputs(from)(void) k;                                                             \
    for (size_t i = 0; i < count; i++) result[i] = (to)(expression);                  \
  }

#define BOTH(name, inputs, expression32, expression64)    \
  LOOP(dl_f32_##name, float, inputs, float, expression32) \
  LOOP(dl_f64_##name, double, inputs, double, expression64)

#define BINARY(name, expression) BOTH(name, INPUTS_2, expression, expression)
// In double for both, rounded at the end.
#define VIA_DOUBLE_1(name, function) BOTH(name, INPUTS_1, function((double)x[i]), function(x[i]))
#define VIA_DOUBLE_2(name, function) \
  BOTH(name, INPUTS_2, function((double)x[i], (double)y[i]), function(x[i], y[i]))

BINARY(add, x[i] + y[i])
BINARY(sub, x[i] - y[i])
BINARY(mul, x[i] * y[i])
BINARY(div, x[i] / y[i])
VIA_DOUBLE_2(rem, fmod)
VIA_DOUBLE_2(max, maximum)
VIA_DOUBLE_2(min, minimum)
VIA_DOUBLE_2(maxnum, fmax)
VIA_DOUBLE_2(minnum, fmin)
VIA_DOUBLE_2(pow, pow)
VIA_DOUBLE_2(atan2, atan2)
VIA_DOUBLE_2(copysign, copysign)
BOTH(fma, INPUTS_3, fmaf(x[i], y[i], z[i]), fma(x[i], y[i], z[i]))
BOTH(neg, INPUTS_1, -x[i], -x[i])
BOTH(abs, INPUTS_1, fabsf(x[i]), fabs(x[i]))
BOTH(floor, INPUTS_1, floorf(x[i]), floor(x[i]))
BOTH(ceil, INPUTS_1, ceilf(x[i]), ceil(x[i]))
BOTH(trunc, INPUTS_1, truncf(x[i]), trunc(x[i]))
BOTH(round, INPUTS_1, roundf(x[i]), round(x[i]))
BOTH(roundeven, INPUTS_1, rintf(x[i]), rint(x[i]))
BOTH(sqrt, INPUTS_1, sqrtf(x[i]), sqrt(x[i]))
BOTH(rsqrt, INPUTS_1, 1 / sqrt((double)x[i]), 1 / sqrt(x[i]))
VIA_DOUBLE_1(exp, exp)
VIA_DOUBLE_1(exp2, exp2)
VIA_DOUBLE_1(expm1, expm1)
VIA_DOUBLE_1(log, log)
VIA_DOUBLE_1(log2, log2)
VIA_DOUBLE_1(log10, log10)
VIA_DOUBLE_1(log1p, log1p)
VIA_DOUBLE_1(cbrt, cbrt)
VIA_DOUBLE_1(sin, sin)
VIA_DOUBLE_1(cos, cos)
VIA_DOUBLE_1(tan, tan)
VIA_DOUBLE_1(asin, asin)
VIA_DOUBLE_1(acos, acos)
VIA_DOUBLE_1(atan, atan)
VIA_DOUBLE_1(sinh, sinh)
VIA_DOUBLE_1(cosh, cosh)
VIA_DOUBLE_1(tanh, tanh)
VIA_DOUBLE_1(asinh, asinh)
VIA_DOUBLE_1(acosh, acosh)
VIA_DOUBLE_1(atanh, atanh)
VIA_DOUBLE_1(erf, erf)
VIA_DOUBLE_1(erfc, erfc)

BOTH(select, INPUTS_SELECT, condition[i] ? x[i] : y[i], condition[i] ? x[i] : y[i])

#define TEST(name, expression)                              \
  LOOP(dl_f32_##name, int64_t, INPUTS_1, float, expression) \
  LOOP(dl_f64_##name, int64_t, INPUTS_1, double, expression)

TEST(isnan, isnan(x[i]))
TEST(isinf, isinf(x[i]) != 0)
TEST(isfinite, isfinite(x[i]))
TEST(isnormal, isnormal(x[i]))

// --- comparisons: the 16 predicates of arith.cmpf ---

#define COMPARE(type, name, expression) \
  static LOOP(compare_##name##_##type, int64_t, INPUTS_2, type, expression)
#define COMPARISONS(type)                           \
  COMPARE(type, false, ((void)x, (void)y, 0))       \
  COMPARE(type, oeq, x[i] == y[i])                  \
  COMPARE(type, ogt, x[i] > y[i])                   \
  COMPARE(type, oge, x[i] >= y[i])                  \
  COMPARE(type, olt, x[i] < y[i])                   \
  COMPARE(type, ole, x[i] <= y[i])                  \
  COMPARE(type, one, x[i]<y[i] || x[i]> y[i])       \
  COMPARE(type, ord, !isunordered(x[i], y[i]))      \
  COMPARE(type, ueq, !(x[i] < y[i] || x[i] > y[i])) \
  COMPARE(type, ugt, !(x[i] <= y[i]))               \
  COMPARE(type, uge, !(x[i] < y[i]))                \
  COMPARE(type, ult, !(x[i] >= y[i]))               \
  COMPARE(type, ule, !(x[i] > y[i]))                \
  COMPARE(type, une, x[i] != y[i])                  \
  COMPARE(type, uno, isunordered(x[i], y[i]))       \
  COMPARE(type, true, ((void)x, (void)y, 1))

COMPARISONS(float)
COMPARISONS(double)

#define PREDICATES(type)                                                                \
  {                                                                                     \
    compare_false_##type, compare_oeq_##type, compare_ogt_##type, compare_oge_##type,   \
        compare_olt_##type, compare_ole_##type, compare_one_##type, compare_ord_##type, \
        compare_ueq_##type, compare_ugt_##type, compare_uge_##type, compare_ult_##type, \
        compare_ule_##type, compare_une_##type, compare_uno_##type, compare_true_##type \
  }

void dl_f32_compare(const dl_kernel *k, void *out, const void *const *in, size_t count) {
  static const dl_kernel_fn by_predicate[] = PREDICATES(float);
  by_predicate[k->predicate](k, out, in, count);
}

void dl_f64_compare(const dl_kernel *k, void *out, const void *const *in, size_t count) {
  static const dl_kernel_fn by_predicate[] = PREDICATES(double);
  by_predicate[k->predicate](k, out, in, count);
}
