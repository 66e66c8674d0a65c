// ir/verify_internal.h: the part of the verifier that follows from an op's traits.
#ifndef DLIR_IR_VERIFY_INTERNAL_H
#define DLIR_IR_VERIFY_INTERNAL_H

#include "ir/op.h"

// Checks op (not what is inside) against the traits of its definition; reports at op.
dl_status dl_verify_traits(const dl_op *op);

#endif
