// ir/affine_internal.h: sums of terms, the form in which affine expressions are built and
// simplified.
#ifndef DLIR_IR_AFFINE_INTERNAL_H
#define DLIR_IR_AFFINE_INTERNAL_H

#include "ir/affine.h"

// coefficient * expr; expr is no sum, no constant, and no product with a constant.
typedef struct dl_term {
  dl_expr expr;
  int64_t coefficient;
} dl_term;

// sum of terms + constant. Terms are kept in canonical order, without repetitions or zeros.
typedef struct dl_sum {
  DL_VEC(dl_term) terms;
  int64_t constant;
  bool overflow;  // some coefficient left int64_t: the sum is meaningless
} dl_sum;

static inline void dl_sum_free(dl_sum *sum) { DL_VEC_FREE(&sum->terms); }
// sum += factor * expr
void dl_sum_add(dl_sum *sum, dl_expr expr, int64_t factor);
void dl_sum_add_term(dl_sum *sum, dl_expr expr, int64_t coefficient);
void dl_sum_add_const(dl_sum *sum, int64_t constant);
// The canonical expression; frees the sum. NULL on overflow.
dl_expr dl_sum_build(dl_context *ctx, dl_sum *sum);

// A node as it is, without simplification.
dl_expr dl_expr_node(dl_expr_kind kind, dl_expr lhs, dl_expr rhs);
// The simplified expression of a binary kind.
dl_expr dl_expr_binary(dl_expr_kind kind, dl_expr lhs, dl_expr rhs);
// The expression built anew from its leaves, simplified.
dl_expr dl_expr_canonical(dl_expr expr);
// A total order by structure (dimensions, symbols, then compound expressions).
int dl_expr_compare(dl_expr a, dl_expr b);

static inline int64_t dl_floor_div(int64_t a, int64_t b) {
  int64_t quotient = a / b;
  return quotient - (a % b != 0 && (a < 0) != (b < 0));
}
static inline int64_t dl_floor_mod(int64_t a, int64_t b) {
  int64_t remainder = a % b;
  return remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder;
}
int64_t dl_gcd(int64_t a, int64_t b);  // of magnitudes; gcd(0, b) = |b|

#endif
