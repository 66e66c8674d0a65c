// dialects/index_math.h: index expressions as arith ops.
#ifndef DLIR_DIALECTS_INDEX_MATH_H
#define DLIR_DIALECTS_INDEX_MATH_H

#include "ir/affine.h"
#include "ir/op.h"

// arith.constant of type index.
DL_API dl_value *dl_index_constant(dl_builder *b, int64_t value);
// Builds an expression over given values of its dimensions and symbols (of type index).
DL_API dl_value *dl_expr_to_arith(dl_builder *b, dl_expr expr, dl_value *const *dims,
                                  dl_value *const *symbols);
// A scalar integer as an index. `element` says whether it is unsigned; the value's own type is
// signless.
DL_API dl_value *dl_to_index(dl_builder *b, dl_value *value, dl_type element);

#endif
