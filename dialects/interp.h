// dialects/interp.h: the reference interpreter. Runs functions of every level as the ops are
// defined, one op after the other; made to be right and to say where a program is wrong, not to be
// fast (though dense computations run at about 10^8 points per second).
//
// graph ops are evaluated from their specs, not through the lowering to the tensor level. Pointers
// at the loop level are checked against their buffers; memory that was never written holds a NaN
// pattern (all bits set).
#ifndef DLIR_DIALECTS_INTERP_H
#define DLIR_DIALECTS_INTERP_H

#include "dialects/ndarray.h"
#include "ir/op.h"

#define DL_INTERP_MEMORY SIZE_MAX

typedef struct dl_interp_options {
  // Called with every tensor that an op computes, and, `result` being DL_INTERP_MEMORY, with what
  // loop.store stores, and what a call or launch finds afterwards behind each pointer that it may
  // have written through, up to the end of the memory. May be NULL.
  void (*observe)(void *user, const dl_op *op, size_t result, const dl_ndarray *value);
  void *user;
  // Not 0: every rounding of a float is moved at random by up to a unit in the last place, which
  // shows how much the results depend on roundings.
  uint64_t noise;
  // Runs what is large natively: dense computations; without noise also functions of the loop
  // level, whose memory is not checked then. NULL: nothing.
  struct dl_engine *engine;
  double *work;  // NULL, or where ops and points of dense computations that ran are added up
} dl_interp_options;

// Runs function `name` of a module that verifies. Inputs and outputs are those of the function's
// type: tensors; scalars as arrays of rank 0; vectors as arrays of their shape; `!loop.ptr` as an
// array whose elements the function may change. A function with the attribute `loop.signature`
// takes and gives the tensors of that type instead. If the module has a function @init, it runs
// first and makes the weights. *outputs is a malloc'ed array of *num_outputs arrays, to be released
// with dl_interp_release. `options` may be NULL. Fails with a diagnostic at the op that cannot be
// run.
DL_API dl_status dl_interp_run(dl_op *module, dl_ident name, size_t num_inputs,
                               dl_ndarray *const *inputs, size_t *num_outputs,
                               dl_ndarray ***outputs, const dl_interp_options *options);
DL_API void dl_interp_release(size_t count, dl_ndarray **arrays);

// Whether an engine would run a call in this function, or the function itself, natively.
DL_API bool dl_interp_is_large(const dl_op *function);

// The type of the tensors that a function takes and gives (see above): loop.signature, else its own
// type.
DL_API dl_type dl_interp_signature(const dl_op *function);

#endif
