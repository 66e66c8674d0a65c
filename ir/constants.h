// ir/constants.h: the constants of a rewrite in progress: folding makes each only once.
#ifndef DLIR_IR_CONSTANTS_H
#define DLIR_IR_CONSTANTS_H

#include "ir/op.h"

typedef struct dl_scope_constants dl_scope_constants;

// Zero-initialize and set `root`.
typedef struct dl_constants {
  dl_op *root;                 // nothing is placed outside of it
  dl_ptr_map scopes;           // dl_region -> dl_scope_constants
  dl_scope_constants *recent;  // the one asked for last, or NULL
} dl_constants;

// A value that holds the constant and that `user` can use: an existing one, or a new one at the
// start of the scope that may share values with `user`, made by the dialect of `user`. NULL if the
// dialect cannot.
DL_API dl_value *dl_constants_get(dl_constants *constants, dl_op *user, dl_attr value,
                                  dl_type type);
// Makes the op known if it is the first of its kind; otherwise returns the value that can stand for
// its result. May move the first one up, so that it dominates op.
DL_API dl_value *dl_constants_unify(dl_constants *constants, dl_op *op);
DL_API void dl_constants_forget(dl_constants *constants, const dl_op *op);
DL_API void dl_constants_free(dl_constants *constants);

#endif
