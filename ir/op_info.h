// ir/op_info.h (internal): what a context knows about an op definition: names interned, texts
// parsed once. Ops refer to it rather than to the definition.
#ifndef DLIR_IR_OP_INFO_H
#define DLIR_IR_OP_INFO_H

#include <stdatomic.h>

#include "ir/op_def.h"

struct dl_spec;

typedef struct dl_op_info {
  const dl_op_def *def;
  dl_context *ctx;
  uint32_t traits;             // of the definition
  const dl_ident *attr_names;  // of def->attrs, interned
  dl_str name, quoted;         // the latter as a string literal
  bool is_bare;                // the name reads as an op's name without quotes
  // Counts of operands and results that need no look at the attributes, or DL_ANY_COUNT.
  uint32_t num_operands, num_results;
  _Atomic(const dl_dialect_def *) dialect;  // NULL until dl_op_info_dialect finds it
  _Atomic(const struct dl_spec *) spec;     // NULL until dl_spec_of
} dl_op_info;

#define DL_ANY_COUNT UINT32_MAX

const dl_op_info *dl_op_info_of(dl_context *ctx, const dl_op_def *def);
const dl_dialect_def *dl_op_info_dialect(const dl_op_info *info);  // NULL when unknown
// The parsed spec; NULL with DL_OK when no dialect registers the definition.
dl_status dl_op_info_spec(const dl_op *op, const struct dl_spec **spec);

#endif
