// dialects/eval/eval.h: evaluating single ops on arrays.
#ifndef DLIR_DIALECTS_EVAL_EVAL_H
#define DLIR_DIALECTS_EVAL_EVAL_H

#include "dialects/ndarray.h"
#include "ir/op.h"

// How to evaluate; all zero is fine.
typedef struct dl_eval_options {
  uint64_t *noise;           // see dl_box
  struct dl_engine *engine;  // see dl_box
  double *work;              // points are added there, or NULL
} dl_eval_options;

// Evaluates an op whose definition has a `compute` text by its bound spec, statement by statement.
// operands[i] is the array of operand i of the op, or NULL when nothing depends on it (such as on
// the elements of what graph.shape is given); results[i] is new. Fails with a diagnostic.
DL_API dl_status dl_eval_spec(const dl_op *op, dl_ndarray *const *operands, dl_ndarray **results,
                              const dl_eval_options *options);

// Evaluates a tensor.compute: the arrays of its inputs and captures, the values of its symbols.
dl_status dl_eval_compute(const dl_op *op, dl_ndarray *const *inputs, dl_ndarray *const *captures,
                          const int64_t *symbols, dl_ndarray **result,
                          const dl_eval_options *options);

// Replaces symbols by values, so that only dimensions are left.
dl_expr dl_bind_symbols(dl_expr expr, size_t num_symbols, const int64_t *values);
// Evaluates expressions over symbols alone; false when one has no value.
bool dl_eval_sizes(size_t count, const dl_expr *exprs, const int64_t *symbols, int64_t *values);

#endif
