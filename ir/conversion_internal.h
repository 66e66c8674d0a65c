// ir/conversion_internal.h: the journal of a conversion and the casts between old and new types.
#ifndef DLIR_IR_CONVERSION_INTERNAL_H
#define DLIR_IR_CONVERSION_INTERNAL_H

#include "ir/conversion.h"

typedef DL_VEC(dl_op *) dl_op_list;

typedef enum dl_change_kind {
  DL_CHANGE_BUILT,      // what is between `previous` (NULL: the start of the block) and op
  DL_CHANGE_REPLACED,   // op is mapped
  DL_CHANGE_MODIFIED,   // op looked like `before`
  DL_CHANGE_ARGUMENTS,  // block has new arguments from `count` on
  DL_CHANGE_TAKEN,      // blocks went from one region to another
} dl_change_kind;

// An op's changeable parts.
typedef struct dl_op_snapshot {
  dl_loc loc;
  dl_value_list operands;
  DL_VEC(dl_named_attr) inherent, discardable;
  DL_VEC(dl_block *) successors;
} dl_op_snapshot;

typedef struct dl_change {
  dl_change_kind kind;
  dl_op *op, *previous;
  dl_block *block;
  size_t count;
  dl_region *from, *to;
  dl_op_snapshot *before;
} dl_change;

// What a value has become.
typedef struct dl_mapped {
  size_t count;
  dl_value *values[];
} dl_mapped;

typedef struct dl_reason {
  dl_loc loc;
  char *text;
} dl_reason;

struct dl_conversion {
  dl_op *root;
  const dl_conversion_config *config;
  bool full;
  unsigned *order;  // of the patterns: by benefit, then as given
  bool *active;     // patterns being applied
  unsigned depth;
  dl_builder builder;
  const char *pattern;  // being tried
  bool diagnosed;       // a pattern has failed and said why
  DL_VEC(dl_change) journal;
  dl_ptr_map mapping;   // dl_value -> dl_mapped
  dl_ptr_map replaced;  // ops
  // Blocks with new arguments -> 1 + the number of old ones, which come first.
  dl_ptr_map converted;
  dl_ptr_map original;   // ops that were there before
  dl_ptr_map sheltered;  // legal with everything that they hold
  dl_op_list worklist;
  dl_op_list casts;
  DL_VEC(dl_reason) reasons;
};

// The values that `value` has become in the end.
void dl_remap(const dl_conversion *cv, dl_value *value, dl_value_list *into);
void dl_map_value(dl_conversion *cv, dl_value *value, size_t count, dl_value *const *to);
// Whether op, or what it is in, is replaced.
bool dl_is_replaced(const dl_conversion *cv, const dl_op *op);
// Remembers that something is about to be built before op.
void dl_note_building(dl_conversion *cv, dl_op *op);
// Takes back the changes down to the first `count` ones.
void dl_undo(dl_conversion *cv, size_t count);
// A cast in front of `before`, to be resolved at the end.
void dl_build_cast(dl_conversion *cv, dl_op *before, dl_loc loc, const dl_value_list *inputs,
                   const dl_type_list *types, dl_value_list *results);
// Connects the ops that stay with what their operands have become, and resolves all casts.
void dl_connect_users(dl_conversion *cv);
dl_status dl_resolve_casts(dl_conversion *cv);
// Destroys what was replaced, and arguments and casts that are no longer needed.
void dl_commit(dl_conversion *cv);

#endif
