// passes/reduce/reduce_internal.h: what reduction strategies share.
#ifndef DLIR_PASSES_REDUCE_REDUCE_INTERNAL_H
#define DLIR_PASSES_REDUCE_REDUCE_INTERNAL_H

#include "ir/attrs.h"
#include "ir/op_def.h"
#include "passes/reduce/reduce.h"

// One run of a strategy over a module: it changes the targets numbered from `first` to before
// `last`.
typedef struct dl_reduction {
  size_t first, last;
  size_t num_targets;  // seen so far
  bool changed;
} dl_reduction;

// Counts a target; whether it is one to change.
static inline bool dl_take_target(dl_reduction *r) {
  size_t number = r->num_targets++;
  return number >= r->first && number < r->last;
}

typedef void (*dl_strategy)(dl_reduction *r, dl_op *module);

void dl_reduce_symbols(dl_reduction *r, dl_op *module);
void dl_reduce_bodies(dl_reduction *r, dl_op *module);
void dl_reduce_regions(dl_reduction *r, dl_op *module);
void dl_reduce_ops_to_values(dl_reduction *r, dl_op *module);
void dl_reduce_ops_to_constants(dl_reduction *r, dl_op *module);
void dl_reduce_blocks(dl_reduction *r, dl_op *module);
void dl_reduce_signatures(dl_reduction *r, dl_op *module);
void dl_reduce_results(dl_reduction *r, dl_op *module);
void dl_reduce_operands(dl_reduction *r, dl_op *module);
void dl_reduce_attributes(dl_reduction *r, dl_op *module);
void dl_reduce_constants(dl_reduction *r, dl_op *module);
void dl_reduce_sizes(dl_reduction *r, dl_op *module);
void dl_reduce_widths(dl_reduction *r, dl_op *module);

// Ops below the module, those inside of an op and those after it before it.
typedef DL_VEC(dl_op *) dl_op_list;
void dl_collect_backwards(dl_op *module, dl_op_list *ops);

// Another value that can stand for `value`, a result of `op` or an argument of one of its blocks,
// where op stands: of the same type, and there already; NULL if none is found.
dl_value *dl_other_value(dl_op *op, const dl_value *value);
// Zero, as an op before `op`; NULL if no dialect makes such a constant.
dl_value *dl_zero_before(dl_op *op, dl_type type);
// The constant zero of a type, or NULL.
dl_attr dl_zero_attr(dl_type type);
// Whether an attribute below the module, other than the op's own, names the symbol.
bool dl_symbol_is_used(dl_op *module, const dl_op *symbol);
// Calls `visit` for all symbol references below the module until it returns false.
bool dl_walk_symbol_refs(dl_op *module, bool (*visit)(dl_op *op, dl_attr ref, void *user),
                         void *user);
// `attr`, an array of one entry per value, without entry i; itself if it is none.
dl_attr dl_without_entry(dl_attr attr, size_t i);
// Takes entry `number` out of the segment that holds it in the attribute called `name`, if there.
void dl_shrink_segment(dl_op *op, const char *name, size_t number);

#endif
