// dialects/tensor/group.h: building and dissolving tensor.group.
#ifndef DLIR_DIALECTS_TENSOR_GROUP_H
#define DLIR_DIALECTS_TENSOR_GROUP_H

#include "ir/op.h"

// Moves ops (computes and reinterprets of one block, in block order) into a new group, which takes
// the place of the last one. Values they use from outside become operands, equal ones once. The
// group's results are `results`, values that the ops define; NULL: all that have uses outside. Uses
// outside become uses of the group's results. Labels of computes are made unique in the group. No
// op between the first and the last that stays outside may use a result of one that moves.
DL_API dl_op *dl_group_build(size_t count, dl_op *const *ops, size_t num_results,
                             dl_value *const *results, dl_ident label, dl_loc loc);
DL_API dl_block *dl_group_body(const dl_op *group);

#endif
