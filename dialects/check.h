// dialects/check.h: what --check-each-pass runs, on which inputs, and what it allows to differ
// (docs/checking.md).
//
// The program is @main, or, where there is none, every public function with a body whose inputs can
// be made. Inputs are made once per function from its first version and kept. Behind pointers are
// buffers of 2^16 elements, whose contents after the run are outputs too.
//
// Contracts. `exact`: the same bits (any NaN equals any NaN). `reassociates`: the version before
// the pass is run again several times with each rounding moved at random; an output may differ by a
// multiple of its largest deviation, plus that of their root mean square over its tensor, or 4
// times that of the relative ones where this is less. In double precision both versions have to
// agree to a part of that. `approximate(bound)`: the first, plus bound * the tensor's largest
// magnitude.
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
// Runs what a module became on the inputs: outputs as from dl_interp_run. Called in a child
// process.
typedef bool (*dl_check_runner)(void *user, size_t num_inputs, dl_ndarray *const *inputs,
                                size_t *num_outputs, dl_ndarray ***outputs);
// Whether the code made from the module, the last version of the program, computes what the program
// does. DL_FAILED after a diagnostic.
DL_API dl_status dl_checker_compare_code(dl_checker *checker, dl_op *module, dl_check_runner run,
                                         void *user);
// Whether @main gives these outputs for its given inputs; a NULL among them is not known. To within
// 1e-4 of the largest magnitude of each. DL_FAILED after a diagnostic.
DL_API dl_status dl_checker_compare_outputs(dl_checker *checker, dl_op *module, size_t count,
                                            dl_ndarray *const *expected);
// To be installed as dl_instrumentation.check; valid as long as the checker.
DL_API const dl_executor *dl_checker_executor(const dl_checker *checker);

#endif
