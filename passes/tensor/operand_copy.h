// Copies of what a compute reads, as computes of their own: what stage and border(pad) are made of.
#ifndef DLIR_PASSES_TENSOR_OPERAND_COPY_H
#define DLIR_PASSES_TENSOR_OPERAND_COPY_H

#include "dialects/tensor/compute.h"
#include "ir/pass.h"

typedef DL_VEC(dl_attr) dl_attr_list;

// Inserts before a compute another one that holds all elements that the compute's input is read at,
// those outside of the tensor being its `else` value, and lets the compute read from it without
// `else`. Returns the label of the copy, unique in the block, or NULL after a diagnostic at `loc`:
// the range of an index is not known.
dl_ident dl_copy_operand(dl_loc loc, dl_op *compute, size_t input);
// Whether an input is read outside of the tensor, as far as is known.
bool dl_reads_outside(const dl_op *compute, size_t input);

// Appends what gives the loops of such a copy vectors along its last dimension; `spread`: and
// divides them over threads or the ND-range.
void dl_schedule_copy(const dl_op *compute, size_t input, dl_ident label, bool spread,
                      dl_attr_list *out);

// Calls `change` for the schedule of each group and kernel function below `root`, with the block it
// is about. Fails when one of the calls does.
typedef dl_status (*dl_change_schedule)(dl_pass *pass, dl_op *op, dl_attr schedule,
                                        const dl_block *body);
dl_status dl_for_schedules(dl_pass *pass, dl_op *root, dl_change_schedule change);
void dl_set_schedule(dl_op *op, const dl_attr_list *primitives);

#endif
