// dialects/tensor/sizes.h: sizes of tensors as values.
#ifndef DLIR_DIALECTS_TENSOR_SIZES_H
#define DLIR_DIALECTS_TENSOR_SIZES_H

#include "ir/op.h"

// Dimension `dim` of a tensor: a constant, the operand or the expression from which its definition
// computes it, or else tensor.dim.
DL_API dl_value *dl_tensor_size(dl_builder *b, dl_value *tensor, size_t dim);

#endif
