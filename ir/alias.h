// ir/alias.h: which pointers may point into the same memory.
#ifndef DLIR_IR_ALIAS_H
#define DLIR_IR_ALIAS_H

#include "ir/analysis.h"
#include "ir/effects.h"
#include "ir/op.h"

typedef enum dl_alias {
  DL_NO_ALIAS,  // not one byte in common
  DL_MAY_ALIAS,
  DL_MUST_ALIAS,  // the same pointer
} dl_alias;

typedef struct dl_aliases dl_aliases;

// NULL stands for any memory. Pointers are followed through views to what made them: an allocation
// shares nothing with another one, nor with an argument of a function.
DL_API dl_alias dl_alias_of(dl_aliases *aliases, const dl_value *a, const dl_value *b);
// Whether a write among the accesses may change what `reads` reads.
DL_API bool dl_may_clobber(dl_aliases *aliases, size_t count, const dl_access *writes,
                           const dl_access_list *reads);

// The result is a dl_aliases *. It holds while no op is added or gets other operands.
extern DL_API const dl_analysis_def dl_alias_analysis;

#endif
