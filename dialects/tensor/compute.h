// dialects/tensor/compute.h: reading and building tensor.compute, the one dense computation.
// docs/dialects.md defines its attributes; this is the same as a C structure.
#ifndef DLIR_DIALECTS_TENSOR_COMPUTE_H
#define DLIR_DIALECTS_TENSOR_COMPUTE_H

#include "ir/op.h"
#include "ir/op_def.h"
#include "ir/spec.h"

// Everything a tensor.compute is made of, apart from its body. Dimension i of every map is iterator
// i (parallel ones first), symbol i is operand i of `symbols`.
typedef struct dl_compute {
  dl_ident label;
  size_t num_inputs, num_captures, num_symbols;
  dl_value *const *inputs;    // tensors read through in_maps, one body argument each
  dl_value *const *captures;  // tensors that the body reads with tensor.extract
  dl_value *const *symbols;   // of type index
  size_t num_iterators, num_parallel;
  const dl_ident *iterators;  // names
  dl_map sizes;               // ()[symbols] -> (extent per iterator)
  const dl_map *in_maps;      // (iterators)[symbols] -> (index per dimension of the input)
  const dl_attr
      *in_else;    // per input: NULL when the indices are in range, else the constant read outside
  dl_map out_map;  // (parallel iterators)[symbols] -> (index per dimension of the result)
  dl_map shape;    // ()[symbols] -> (sizes of the result), or NULL when the type is static
  dl_combiner combiner;
  dl_attr init;   // with a combiner: the start value
  dl_attr where;  // affine set over (iterators)[symbols], or NULL
  dl_type result;
} dl_compute;

// Reads an op that verifies; arrays come from `arena`.
DL_API dl_compute dl_compute_read(const dl_op *op, dl_arena *arena);
// Builds the op with a body block that has one scalar argument per input and no ops yet.
DL_API dl_op *dl_compute_build(dl_builder *b, const dl_compute *compute);
// The block of the body, and the value that it yields.
DL_API dl_block *dl_compute_body(const dl_op *op);
DL_API dl_value *dl_compute_yielded(const dl_op *op);

// Inclusive ranges [0, extent - 1] of the iterators; unknown upper ends where an extent is
// symbolic. `ranges` has room for num_iterators.
DL_API void dl_compute_ranges(const dl_compute *compute, dl_range *ranges);
// The ranges of symbols: [0, unknown]. `ranges` has room for num_symbols.
DL_API void dl_compute_symbol_ranges(const dl_compute *compute, dl_range *ranges);

// The type of a body's scalars for a tensor's element type: the same, but integers without a sign
// (ui8 is read and written as i8; the body's ops know how to take it).
DL_API dl_type dl_compute_scalar_type(dl_type element);
// A scalar attribute in that type.
DL_API dl_attr dl_signless_attr(dl_attr value);

// Operand counts without decoding the rest.
DL_API size_t dl_compute_num_inputs(const dl_op *op);
DL_API size_t dl_compute_num_captures(const dl_op *op);

// The combiner that dl_combiner_name (ir/spec.h) calls `name`.
DL_API bool dl_combiner_parse(dl_str name, dl_combiner *combiner);
// The value that does not change a combination, of a scalar type: 0, 1, the lowest, the highest, …
DL_API dl_attr dl_combiner_identity(dl_combiner combiner, dl_type scalar);

#endif
