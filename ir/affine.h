// ir/affine.h: quasi-affine expressions and maps over dimensions d0… and symbols s0…, as in MLIR's
// affine dialect. Uniqued and simplified when built: constants fold, sums are canonically ordered
// (symbols and dimensions with collected integer coefficients, constant last). Products of two
// non-constants, and division by a symbol, are allowed (semi-affine).
#ifndef DLIR_IR_AFFINE_H
#define DLIR_IR_AFFINE_H

#include "ir/base.h"
#include "ir/context.h"

typedef const struct dl_affine_expr_data *dl_expr;
typedef const struct dl_affine_map_data *dl_map;

typedef enum dl_expr_kind {
  DL_EXPR_CONST, DL_EXPR_DIM, DL_EXPR_SYMBOL,
  DL_EXPR_ADD, DL_EXPR_MUL, DL_EXPR_FLOORDIV, DL_EXPR_CEILDIV, DL_EXPR_MOD,
} dl_expr_kind;

struct dl_affine_expr_data {
  dl_context *ctx;
  dl_expr_kind kind;
  int64_t value;     // CONST: the value; DIM, SYMBOL: the position
  dl_expr lhs, rhs;  // binary kinds
};

struct dl_affine_map_data {
  dl_context *ctx;
  unsigned num_dims, num_symbols;
  size_t num_results;
  const dl_expr *results;
};

DL_API dl_expr dl_expr_const(dl_context *ctx, int64_t value);
DL_API dl_expr dl_expr_dim(dl_context *ctx, unsigned position);
DL_API dl_expr dl_expr_symbol(dl_context *ctx, unsigned position);
DL_API dl_expr dl_expr_add(dl_expr a, dl_expr b);
DL_API dl_expr dl_expr_sub(dl_expr a, dl_expr b);
DL_API dl_expr dl_expr_mul(dl_expr a, dl_expr b);
DL_API dl_expr dl_expr_floordiv(dl_expr a, dl_expr b);
DL_API dl_expr dl_expr_ceildiv(dl_expr a, dl_expr b);
DL_API dl_expr dl_expr_mod(dl_expr a, dl_expr b);  // result has the sign of b
DL_API dl_expr dl_expr_mul_const(dl_expr a, int64_t b);
DL_API dl_expr dl_expr_add_const(dl_expr a, int64_t b);

// Replaces dimension i by dims[i] and symbol i by symbols[i] (a NULL entry, or a NULL array, keeps it).
DL_API dl_expr dl_expr_substitute(dl_expr expr, size_t num_dims, const dl_expr *dims,
                                  size_t num_symbols, const dl_expr *symbols);
// The value for given dimensions and symbols; false on division by zero or overflow.
DL_API bool dl_expr_eval(dl_expr expr, const int64_t *dims, const int64_t *symbols, int64_t *value);
// Whether the expression mentions the dimension (symbol).
DL_API bool dl_expr_uses_dim(dl_expr expr, unsigned position);
DL_API bool dl_expr_uses_symbol(dl_expr expr, unsigned position);
// Whether the expression is this constant.
DL_API bool dl_expr_is_const(dl_expr expr, int64_t value);
// Whether every value is a multiple of the positive `of`, as far as sums and products show it.
DL_API bool dl_expr_is_multiple(dl_expr expr, int64_t of);
// Writes expr = coefficient * d[position] + rest with constant coefficient; false if it has no such form
// (the dimension appears under a division, modulo or non-constant product). Coefficient 0 when absent.
DL_API bool dl_expr_split_dim(dl_expr expr, unsigned position, int64_t *coefficient, dl_expr *rest);

// Bounds: inclusive ranges of dimensions; DL_RANGE_UNBOUNDED where unknown.
typedef struct dl_range { int64_t min, max; } dl_range;  // INT64_MIN / INT64_MAX: unknown
DL_API dl_range dl_expr_range(dl_expr expr, const dl_range *dims, size_t num_dims,
                              const dl_range *symbols, size_t num_symbols);
// Simplifies floordiv/mod with the ranges: (16*a + b) floordiv 16 = a when b is in [0, 15], and so on.
DL_API dl_expr dl_expr_simplify(dl_expr expr, const dl_range *dims, size_t num_dims,
                                const dl_range *symbols, size_t num_symbols);

DL_API dl_map dl_affine_map(dl_context *ctx, unsigned num_dims, unsigned num_symbols,
                            size_t num_results, const dl_expr *results);
DL_API dl_map dl_identity_map(dl_context *ctx, unsigned num_dims);
DL_API dl_map dl_constant_map(dl_context *ctx, size_t count, const int64_t *values);  // () -> (values)
// Whether the map is () -> (constants) after folding; writes the values when `values` is not NULL.
DL_API bool dl_map_is_constant(dl_map map, int64_t *values);

// Prints with the given names for dimensions and symbols, or d0, s0 where the arrays are NULL.
DL_API void dl_print_expr(dl_buffer *out, dl_expr expr, const char *const *dim_names,
                          const char *const *symbol_names);
DL_API void dl_print_map(dl_buffer *out, dl_map map);  // (d0, d1)[s0] -> (d0 + s0)

#endif
