// dialects/check.h: what --check-each-pass runs: the interpreter on seeded inputs, before and after
// each pass.
//
// The program is @main, or, where there is none, every public function with a body whose inputs can
// be made. Inputs are made once per function from its first version and kept: floats in [-2, 2),
// 8-bit integers over their range, other integers small (so that they are valid indices of most
// dimensions), dynamic dimensions 3 (named ones: 3, 4, … by name), pointers to buffers of
// POINTER_ELEMENTS elements, whose contents after the run are outputs too.
//
// Contracts. `exact`: the same bits (any NaN equals any NaN). `reassociates`: the version before
// the pass is run again several times with each rounding moved at random; the spread of an output
// over these runs estimates what another order of operations may do to it, which is the statistical
// form of 4 sqrt(K) 2^-24 sum|terms| and needs no bookkeeping of terms. An output may differ by 8
// times the largest deviation seen for it, plus 8 times their root mean square over its tensor, or
// 32 times that of the relative ones where this is less.
// `approximate(bound)`: that, plus bound * the tensor's largest magnitude.
#ifndef DLIR_DIALECTS_CHECK_H
#define DLIR_DIALECTS_CHECK_H

#include "dialects/engine.h"
#include "dialects/ndarray.h"
#include "ir/pass.h"

typedef struct dl_checker dl_checker;

DL_API dl_checker *dl_checker_create(dl_context *ctx, uint64_t seed);
DL_API void dl_checker_destroy(dl_checker *checker);
// Inputs of @main instead of random ones; takes a reference to each.
DL_API void dl_checker_set_inputs(dl_checker *checker, size_t count, dl_ndarray *const *inputs);
// Lets large programs run natively; NULL: never. The engine must outlive the checker.
DL_API void dl_checker_set_engine(dl_checker *checker, dl_engine *engine);
// To be installed as dl_instrumentation.check; valid as long as the checker.
DL_API const dl_executor *dl_checker_executor(const dl_checker *checker);

#endif
