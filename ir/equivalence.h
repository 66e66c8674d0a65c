// ir/equivalence.h: when two ops compute the same.
#ifndef DLIR_IR_EQUIVALENCE_H
#define DLIR_IR_EQUIVALENCE_H

#include "ir/op.h"

// Whether both ops have the same definition, operands (the first two of a commutative op in any
// order), attributes, result types, successors and equivalent regions. Locations and names do not
// matter. Ops with equal inputs and no effects then have equal results.
DL_API bool dl_ops_equivalent(const dl_op *a, const dl_op *b);
// Equal for equivalent ops.
DL_API uint64_t dl_op_hash(const dl_op *op);

#endif
