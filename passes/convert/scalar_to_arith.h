// passes/convert/scalar_to_arith.h: scalar trees and index expressions of a bound spec as arith and
// math ops.
#ifndef DLIR_PASSES_CONVERT_SCALAR_TO_ARITH_H
#define DLIR_PASSES_CONVERT_SCALAR_TO_ARITH_H

#include "ir/op.h"
#include "ir/spec.h"

// How the leaves of a tree become values; each function may be NULL where no such leaf occurs.
typedef struct dl_scalar_leaves {
  void *user;
  dl_value *(*read)(void *user, dl_builder *b, size_t read);
  dl_value *(*index)(void *user, dl_builder *b, dl_expr index);
  dl_value *(*gather)(void *user, dl_builder *b, size_t tensor, dl_value *const *indices);
} dl_scalar_leaves;

// Builds the ops of a tree. Values have signless types (dl_compute_scalar_type); a node's
// signedness chooses among the ops.
dl_value *dl_scalar_to_arith(dl_builder *b, const dl_scalar *scalar,
                             const dl_scalar_leaves *leaves);

#endif
