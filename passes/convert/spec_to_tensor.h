// passes/convert/spec_to_tensor.h: lowers one op, through its bound spec, to tensor ops.
#ifndef DLIR_PASSES_CONVERT_SPEC_TO_TENSOR_H
#define DLIR_PASSES_CONVERT_SPEC_TO_TENSOR_H

#include "ir/op.h"
#include "ir/spec.h"

// The type at the tensor level of a value of graph type: as stored, without a layout. Names of
// symbolic dimensions stay where the type is row-major. Fails with a diagnostic at `loc` for a
// layout that does not fit.
dl_status dl_stored_tensor_type(dl_loc loc, dl_type type, dl_type *stored);

// Builds the tensor ops of `op` at the builder. `operands` are the values at the tensor level for
// op's operands (NULL: absent); `results` gets those for its results.
dl_status dl_lower_bound_spec(dl_builder *b, const dl_op *op, dl_value *const *operands,
                              dl_value **results);

#endif
