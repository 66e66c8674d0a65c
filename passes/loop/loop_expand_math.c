// loop-expand-math: writes exp, log, tanh and erf of f32 as polynomials, which work on all lanes of
// a vector at once; the code generator would call libm lane by lane. Machines with subgroups have
// these functions and keep them. Contract: approximate. Errors
// measured over the whole range, against the exact values: exp 1.0, log 0.9, tanh 1.4, erf 1.1
// units in the last place. NaN and infinities as in libm.
//
// Methods: argument reduction after Cody and Waite, Software Manual for the Elementary Functions,
// 1980; the polynomials are minimax ones, made with Remez's exchange algorithm for the intervals
// given below.
#include <math.h>

#include "dialects/arith/arith.h"
#include "dialects/arith/arith_ops.h"
#include "dialects/machine.h"
#include "dialects/math/math_ops.h"
#include "ir/pass.h"

typedef struct expansion {
  dl_rewriter *rw;
  dl_type type;  // f32 or a vector of f32
  bool fuses;    // the machine has fused multiply-adds
} expansion;

// --- building ---

static dl_value *apply(const expansion *x, const dl_op_def *def, dl_type type, size_t count,
                       dl_value *const *operands) {
  dl_op *op = dl_rw_build(x->rw, &(dl_op_state){.def = def,
                                                .num_operands = count,
                                                .operands = operands,
                                                .num_results = 1,
                                                .result_types = &type});
  return dl_result(op, 0);
}

static dl_value *unary(const expansion *x, const dl_op_def *def, dl_type type, dl_value *a) {
  return apply(x, def, type, 1, &a);
}

static dl_value *binary(const expansion *x, const dl_op_def *def, dl_value *a, dl_value *b) {
  return apply(x, def, dl_value_type(a), 2, (dl_value *[]){a, b});
}

static dl_value *add(const expansion *x, dl_value *a, dl_value *b) {
  return binary(x, &arith_addf, a, b);
}
static dl_value *sub(const expansion *x, dl_value *a, dl_value *b) {
  return binary(x, &arith_subf, a, b);
}
static dl_value *mul(const expansion *x, dl_value *a, dl_value *b) {
  return binary(x, &arith_mulf, a, b);
}
static dl_value *fma_of(const expansion *x, dl_value *a, dl_value *b, dl_value *c) {
  if (!x->fuses) return add(x, mul(x, a, b), c);
  return apply(x, &math_fma, x->type, 3, (dl_value *[]){a, b, c});
}

static dl_value *constant(const expansion *x, dl_attr scalar, const void *bytes, size_t size) {
  dl_type type = dl_with_element(x->type, scalar->type);
  dl_builder *b = dl_rw_builder(x->rw);
  if (type == scalar->type) return dl_arith_constant(b, scalar);
  return dl_arith_constant(b, dl_dense_attr(type, (dl_str){bytes, size}, true));
}

static dl_value *real(const expansion *x, double value) {
  float rounded = (float)value;
  return constant(x, dl_float_attr(dl_element_type(x->type), value), &rounded, sizeof(rounded));
}

static dl_type i32_type(const expansion *x) {
  return dl_with_element(x->type, dl_int_type(x->type->ctx, 32));
}

static dl_value *integer(const expansion *x, int32_t value) {
  return constant(x, dl_int_attr(dl_int_type(x->type->ctx, 32), value), &value, sizeof(value));
}

static dl_value *bits_of(const expansion *x, dl_value *a) {
  return unary(x, &arith_bitcast, i32_type(x), a);
}
static dl_value *float_of(const expansion *x, dl_value *a) {
  return unary(x, &arith_bitcast, x->type, a);
}

// Numbers of arith.cmpf's predicates.
enum { OEQ = 1, OGT = 2, OLT = 4 };

static dl_value *choose(const expansion *x, int predicate, dl_value *a, dl_value *b, dl_value *yes,
                        dl_value *no) {
  dl_context *ctx = x->type->ctx;
  dl_type type = dl_with_element(x->type, dl_int_type(ctx, 1));
  dl_named_attr attr = {dl_intern_z(ctx, "predicate"), dl_i64_attr(ctx, predicate)};
  dl_op *compare = dl_rw_build(x->rw, &(dl_op_state){.def = &arith_cmpf,
                                                     .num_operands = 2,
                                                     .operands = (dl_value *[]){a, b},
                                                     .num_results = 1,
                                                     .result_types = &type,
                                                     .num_attrs = 1,
                                                     .attrs = &attr});
  dl_value *operands[] = {dl_result(compare, 0), yes, no};
  return apply(x, &arith_select, dl_value_type(yes), 3, operands);
}

// c[0] + c[1] a + c[2] a^2 + …
static dl_value *polynomial(const expansion *x, dl_value *a, size_t count, const float *c) {
  dl_value *sum = real(x, c[count - 1]);
  for (size_t i = count - 1; i-- > 0;) sum = fma_of(x, sum, a, real(x, c[i]));
  return sum;
}

// --- functions ---

// The first summand has few enough bits that products with exponents are exact.
static const double ln2_high = 0.693145751953125, ln2_low = 1.428606765330187e-06;

// 2^n for the value of a float that holds an integer n: as two factors, so that neither overflows.
static dl_value *scale_by_power(const expansion *x, dl_value *a, dl_value *n) {
  dl_value *half = binary(x, &arith_shrsi, n, integer(x, 1));
  dl_value *parts[] = {half, binary(x, &arith_subi, n, half)};
  for (size_t i = 0; i < 2; i++) {
    dl_value *biased = binary(x, &arith_addi, parts[i], integer(x, 127));
    a = mul(x, a, float_of(x, binary(x, &arith_shli, biased, integer(x, 23))));
  }
  return a;
}

// exp(a) = 2^n exp(r), |r| <= ln(2)/2; exp(r) = 1 + r + r^2 P(r).
static dl_value *exp_of(const expansion *x, dl_value *a) {
  static const float p[] = {0.4999999403953552f, 0.16666515171527863f, 0.04166845604777336f,
                            0.008369418792426586f, 0.001381313893944025f};
  // Beyond these bounds the result is infinite or 0; NaN passes.
  a = choose(x, OGT, a, real(x, 89), real(x, 89), a);
  a = choose(x, OLT, a, real(x, -104), real(x, -104), a);
  // Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits.
  dl_value *magic = real(x, 0x1.8p23);
  dl_value *shifted = fma_of(x, a, real(x, M_LOG2E), magic), *whole = sub(x, shifted, magic);
  dl_value *n = binary(x, &arith_subi, bits_of(x, shifted), integer(x, 0x4b400000));
  dl_value *r = fma_of(x, whole, real(x, -ln2_high), a);
  r = fma_of(x, whole, real(x, -ln2_low), r);
  dl_value *tail = fma_of(x, mul(x, r, r), polynomial(x, r, DL_COUNT(p), p), r);
  return scale_by_power(x, add(x, tail, real(x, 1)), n);
}

// Splits a > 0 into 2^n (1 + f), 1 + f in [sqrt(1/2), sqrt(2)).
static dl_value *split(const expansion *x, dl_value *a, dl_value **n) {
  dl_value *least = real(x, 0x1p-126);
  dl_value *normal = choose(x, OLT, a, least, mul(x, a, real(x, 0x1p23)), a);
  dl_value *correction = choose(x, OLT, a, least, real(x, -23), real(x, 0));
  dl_value *bits = bits_of(x, normal);
  dl_value *exponent =
      binary(x, &arith_shrsi, binary(x, &arith_subi, bits, integer(x, 0x3f3504f3)), integer(x, 23));
  dl_value *mantissa =
      binary(x, &arith_subi, bits, binary(x, &arith_shli, exponent, integer(x, 23)));
  *n = add(x, unary(x, &arith_sitofp, x->type, exponent), correction);
  return sub(x, float_of(x, mantissa), real(x, 1));
}

// log(a) = n ln(2) + log(1 + f); log(1 + f) = f - f^2/2 + f^3 P(f).
static dl_value *log_of(const expansion *x, dl_value *a) {
  static const float p[] = {0.3333333134651184f,  -0.2500081956386566f, 0.20001226663589478f,
                            -0.1662335842847824f, 0.14201757311820984f, -0.1316017508506775f,
                            0.12761586904525757f, -0.07634530961513519f};
  dl_value *n, *f = split(x, a, &n), *square = mul(x, f, f);
  dl_value *tail = mul(x, mul(x, square, f), polynomial(x, f, DL_COUNT(p), p));
  tail = fma_of(x, n, real(x, ln2_low), tail);
  tail = fma_of(x, square, real(x, -0.5), tail);
  dl_value *result = fma_of(x, n, real(x, ln2_high), add(x, f, tail));
  result = choose(x, OEQ, a, real(x, INFINITY), a, result);
  dl_value *zero = real(x, 0);
  dl_value *special = choose(x, OEQ, a, zero, real(x, -INFINITY), real(x, NAN));
  return choose(x, OGT, a, zero, result, special);
}

static dl_value *with_sign(const expansion *x, dl_value *magnitude, dl_value *a) {
  return binary(x, &math_copysign, magnitude, a);
}

// a + a^3 P(a^2) below 0.625, else 1 - 2 / (exp(2 |a|) + 1).
static dl_value *tanh_of(const expansion *x, dl_value *a) {
  static const float p[] = {-0.33333277702331543f, 0.13331328332424164f, -0.05372922867536545f,
                            0.02060200460255146f, -0.005660786759108305f};
  dl_value *magnitude = unary(x, &math_absf, x->type, a), *square = mul(x, a, a);
  dl_value *small = fma_of(x, mul(x, square, a), polynomial(x, square, DL_COUNT(p), p), a);
  dl_value *e = exp_of(x, add(x, magnitude, magnitude)), *one = real(x, 1);
  dl_value *quotient = binary(x, &arith_divf, real(x, 2), add(x, e, one));
  dl_value *large = sub(x, one, quotient);
  return with_sign(x, choose(x, OLT, magnitude, real(x, 0.625), small, large), a);
}

// a + a P(a^2) below 1, else 1 - exp(Q(|a|)), Q approximating log(erfc) up to 3.95, where erf
// becomes 1.
static dl_value *erf_of(const expansion *x, dl_value *a) {
  static const float p[] = {0.12837916612625122f,   -0.3761262595653534f,  0.11283600330352783f,
                            -0.026854444295167923f, 0.005189535673707724f, -0.0008020843379199505f,
                            7.88912657299079e-05f};
  static const float q[] = {-0.0003537323500495404f, -1.1270400285720825f,  -0.638225793838501f,
                            -0.1030372902750969f,    0.021805280819535255f, -0.0029395977035164833f,
                            0.00018557302246335894f};
  dl_value *magnitude = unary(x, &math_absf, x->type, a), *square = mul(x, a, a);
  dl_value *small = fma_of(x, a, polynomial(x, square, DL_COUNT(p), p), a);
  dl_value *end = real(x, 3.95), *inside = choose(x, OGT, magnitude, end, end, magnitude);
  dl_value *rest = exp_of(x, polynomial(x, inside, DL_COUNT(q), q));
  dl_value *large = with_sign(x, sub(x, real(x, 1), rest), a);
  return choose(x, OLT, magnitude, real(x, 1), small, large);
}

// --- patterns ---

static dl_outcome expand(dl_rewriter *rw, dl_op *op,
                         dl_value *(*function)(const expansion *x, dl_value *a)) {
  dl_type type = dl_value_type(dl_result(op, 0)), element = dl_element_type(type);
  if (!dl_is_float(element) || element->float_kind != DL_F32) return DL_NO_MATCH;
  dl_machine machine = dl_machine_of(op);
  if (machine.subgroup_size) return DL_NO_MATCH;
  expansion x = {rw, type, machine.fma_per_cycle > 0};
  dl_replace(rw, op, function(&x, dl_operand(op, 0)));
  return DL_CHANGED;
}

static dl_outcome expand_exp(dl_rewriter *rw, dl_op *op) { return expand(rw, op, exp_of); }
static dl_outcome expand_log(dl_rewriter *rw, dl_op *op) { return expand(rw, op, log_of); }
static dl_outcome expand_tanh(dl_rewriter *rw, dl_op *op) { return expand(rw, op, tanh_of); }
static dl_outcome expand_erf(dl_rewriter *rw, dl_op *op) { return expand(rw, op, erf_of); }

static const dl_pattern patterns[] = {
    DL_PATTERN(math_exp, expand_exp),
    DL_PATTERN(math_log, expand_log),
    DL_PATTERN(math_tanh, expand_tanh),
    DL_PATTERN(math_erf, expand_erf),
};

const dl_pass_def dl_pass_loop_expand_math = {
    .name = "loop-expand-math",
    .summary = "Write exp, log, tanh and erf as polynomials",
    .anchor = "func.func",
    .contract = DL_APPROXIMATE,
    .bound = 1e-5,
    .num_patterns = DL_COUNT(patterns),
    .patterns = patterns,
};
