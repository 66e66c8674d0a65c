// dialects/arith/arith.h: building and asking about arith ops.
#ifndef DLIR_DIALECTS_ARITH_ARITH_H
#define DLIR_DIALECTS_ARITH_ARITH_H

#include "ir/op.h"

// arith.constant with the value; the type is the value's.
DL_API dl_value *dl_arith_constant(dl_builder *b, dl_attr value);

// The names of comparison predicates as the text has them, by their number in the attribute
// `predicate`: eq, ne, slt, … and false, oeq, ogt, …. NULL for other numbers.
DL_API const char *dl_cmpi_predicate_name(int64_t predicate);
DL_API const char *dl_cmpf_predicate_name(int64_t predicate);

#endif
