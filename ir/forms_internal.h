// ir/forms_internal.h: what the textual and the binary form of modules share.
#ifndef DLIR_IR_FORMS_INTERNAL_H
#define DLIR_IR_FORMS_INTERNAL_H

#include "ir/op.h"

// The op that holds a file's top-level ops; the ops of its dialect print without prefix at top
// level.
#define DL_TOP_LEVEL_OP "builtin.module"
#define DL_TOP_LEVEL_DIALECT "builtin."

// Nesting of regions, types and attributes that is read.
enum { DL_MAX_NESTING = 400 };

// A DL_TOP_LEVEL_OP with one block, which the caller fills.
dl_op *dl_create_module(dl_context *ctx, dl_loc loc, dl_block **block);
// Why dense elements cannot have the type, or NULL.
const char *dl_elements_type_problem(dl_type type);
bool dl_is_array_element(dl_type type);  // whether array<type: …> exists

#endif
