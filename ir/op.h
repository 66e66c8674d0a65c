// ir/op.h: operations, values, blocks, regions: the mutable IR, with use lists.
//
// Ownership: a region owns its blocks, a block its ops, an op its regions. A detached op, block or
// region belongs to whoever detached it. Erasing an op whose results are still used is a bug.
#ifndef DLIR_IR_OP_H
#define DLIR_IR_OP_H

#include "ir/attrs.h"
#include "ir/base.h"
#include "ir/context.h"
#include "ir/diag.h"
#include "ir/types.h"

typedef struct dl_op dl_op;
typedef struct dl_value dl_value;  // an op result or a block argument
typedef struct dl_block dl_block;
typedef struct dl_region dl_region;
typedef struct dl_use dl_use;  // one operand slot

// True if the op is an instance of the definition, e.g. dl_is(op, graph_conv2d).
#define dl_is(op, def) (dl_op_def_of(op) == &(def))

// --- ops ---
DL_API dl_context *dl_op_context(const dl_op *op);
DL_API const dl_op_def *dl_op_def_of(const dl_op *op);
DL_API const char *dl_op_name(const dl_op *op);  // "graph.conv2d"
DL_API dl_loc dl_op_loc(const dl_op *op);
DL_API void dl_op_set_loc(dl_op *op, dl_loc loc);
DL_API dl_block *dl_op_block(const dl_op *op);  // NULL when detached
DL_API dl_op *dl_op_parent(const dl_op *op);    // the op whose region holds it, or NULL
DL_API dl_op *dl_op_next(const dl_op *op);
DL_API dl_op *dl_op_prev(const dl_op *op);

DL_API size_t dl_num_operands(const dl_op *op);
DL_API dl_value *dl_operand(const dl_op *op, size_t i);
DL_API void dl_set_operand(dl_op *op, size_t i, dl_value *value);
// Replaces all operands (the count may change).
DL_API void dl_set_operands(dl_op *op, size_t count, dl_value *const *values);

DL_API size_t dl_num_results(const dl_op *op);
DL_API dl_value *dl_result(const dl_op *op, size_t i);

// Inherent attributes (properties, printed in <{}>) are those that the op's definition declares,
// and for unregistered ops those that were read or set as such. dl_get_attr looks in both sets,
// inherent first.
DL_API dl_attr dl_get_attr(const dl_op *op, const char *name);  // NULL when absent
DL_API dl_attr dl_get_attr_ident(const dl_op *op, dl_ident name);
// Sets (value NULL: removes) in the set where the definition says the name belongs.
DL_API void dl_set_attr(dl_op *op, const char *name, dl_attr value);
DL_API void dl_set_inherent_attr(dl_op *op, dl_ident name, dl_attr value);
DL_API void dl_set_discardable_attr(dl_op *op, dl_ident name, dl_attr value);
DL_API size_t dl_num_inherent_attrs(const dl_op *op);  // sorted by name
DL_API dl_named_attr dl_inherent_attr(const dl_op *op, size_t i);
DL_API size_t dl_num_discardable_attrs(const dl_op *op);
DL_API dl_named_attr dl_discardable_attr(const dl_op *op, size_t i);
// Shorthands with a default for an absent attribute.
DL_API int64_t dl_get_i64(const dl_op *op, const char *name, int64_t otherwise);
DL_API dl_str dl_get_str(const dl_op *op, const char *name);  // empty when absent

DL_API size_t dl_num_regions(const dl_op *op);
DL_API dl_region *dl_op_region(const dl_op *op, size_t i);
DL_API size_t dl_num_successors(const dl_op *op);
DL_API dl_block *dl_successor(const dl_op *op, size_t i);
DL_API void dl_set_successor(dl_op *op, size_t i, dl_block *block);

// Everything an op is made of. The regions given are taken over (moved into the op).
typedef struct dl_op_state {
  const dl_op_def *def;
  dl_loc loc;
  size_t num_operands;
  dl_value *const *operands;
  size_t num_results;
  const dl_type *result_types;
  size_t num_attrs;  // each goes where the definition says (see dl_set_attr)
  const dl_named_attr *attrs;
  size_t num_inherent;  // forced to be inherent
  const dl_named_attr *inherent;
  size_t num_regions;  // empty regions are created when `regions` is NULL
  dl_region *const *regions;
  size_t num_successors;
  dl_block *const *successors;
} dl_op_state;

DL_API dl_op *dl_op_create(dl_context *ctx, const dl_op_state *state);  // detached
DL_API void dl_op_erase(dl_op *op);  // unlinks and destroys; results must be unused
// Destroys a detached root and all below, in any use order.
DL_API void dl_op_destroy_tree(dl_op *op);
DL_API void dl_op_unlink(dl_op *op);  // detaches from its block
DL_API void dl_op_insert_before(dl_op *op, dl_op *before);
DL_API void dl_op_append(dl_block *block, dl_op *op);
DL_API void dl_op_move_before(dl_op *op, dl_op *before);
// A deep copy, detached. `mapping` maps dl_value* and dl_block* of the original to those of the
// copy; give the outside values to be replaced in it; results and block arguments are added. May be
// NULL.
DL_API dl_op *dl_op_clone(const dl_op *op, dl_ptr_map *mapping);
// Replaces every use of op's results by the values, then erases op.
DL_API void dl_op_replace(dl_op *op, size_t count, dl_value *const *values);
// Same results, operands, regions, but another definition: a new op in its place; op is erased.
DL_API bool dl_op_is_before(const dl_op *a, const dl_op *b);  // in the same block; amortized O(1)
DL_API bool dl_op_is_ancestor(const dl_op *ancestor, const dl_op *op);  // reflexive

// dl_error at the op, the message prefixed by "'graph.conv2d' op ".
DL_API dl_status dl_op_error(const dl_op *op, const char *format, ...) DL_PRINTF(2, 3);

// --- values ---
DL_API dl_type dl_value_type(const dl_value *value);
DL_API void dl_value_set_type(dl_value *value, dl_type type);
DL_API dl_op *dl_value_def(const dl_value *value);  // the op of a result, or NULL for an argument
DL_API dl_block *dl_value_block(const dl_value *value);  // the block of an argument, or NULL
DL_API size_t dl_value_index(const dl_value *value);     // result or argument number
DL_API dl_context *dl_value_context(const dl_value *value);
// The name hint of a value: what follows % in the text read, or set by a builder; NULL if none.
DL_API dl_ident dl_value_name(const dl_value *value);
DL_API void dl_value_set_name(dl_value *value, dl_ident name);
DL_API bool dl_has_uses(const dl_value *value);
DL_API bool dl_has_one_use(const dl_value *value);
DL_API dl_use *dl_first_use(const dl_value *value);
DL_API dl_use *dl_next_use(const dl_use *use);
DL_API dl_op *dl_use_owner(const dl_use *use);
DL_API size_t dl_use_index(const dl_use *use);  // operand number in the owner
DL_API void dl_replace_all_uses(dl_value *from, dl_value *to);
DL_API dl_loc dl_value_loc(const dl_value *value);  // of the defining op or the argument
DL_API void dl_value_set_arg_loc(dl_value *argument, dl_loc loc);

// --- blocks ---
DL_API dl_block *dl_block_create(dl_context *ctx);  // detached
DL_API void dl_block_append(dl_region *region, dl_block *block);
DL_API void dl_block_insert_before(dl_block *block, dl_block *before);
DL_API void dl_block_unlink(dl_block *block);  // detaches from its region
DL_API void dl_block_erase(dl_block *block);
DL_API dl_region *dl_block_region(const dl_block *block);
DL_API dl_block *dl_block_next(const dl_block *block);
DL_API dl_op *dl_block_parent(const dl_block *block);  // the op that owns the region
DL_API dl_op *dl_block_first(const dl_block *block);
DL_API dl_op *dl_block_last(const dl_block *block);
DL_API dl_op *dl_block_terminator(const dl_block *block);  // last op if it has the terminator trait
DL_API size_t dl_num_args(const dl_block *block);
DL_API dl_value *dl_arg(const dl_block *block, size_t i);
DL_API dl_value *dl_add_arg(dl_block *block, dl_type type, dl_loc loc);
DL_API dl_value *dl_insert_arg(dl_block *block, size_t i, dl_type type, dl_loc loc);
DL_API void dl_remove_arg(dl_block *block, size_t i);   // must be unused
DL_API dl_ident dl_block_label(const dl_block *block);  // name hint, or NULL
DL_API void dl_block_set_label(dl_block *block, dl_ident label);
// Moves all ops of `from` to the end of `to`.
DL_API void dl_block_splice(dl_block *to, dl_block *from);

// --- regions ---
DL_API dl_region *dl_region_create(dl_context *ctx);  // detached
DL_API void dl_region_destroy(dl_region *region);     // detached
DL_API dl_op *dl_region_parent(const dl_region *region);
DL_API dl_block *dl_region_first(const dl_region *region);
DL_API dl_block *dl_region_last(const dl_region *region);
DL_API bool dl_region_empty(const dl_region *region);
DL_API void dl_region_take(dl_region *to, dl_region *from);  // moves all blocks

#define DL_FOR_BLOCKS(block, region) \
  for (dl_block *block = dl_region_first(region); block; block = dl_block_next(block))
// The body may erase `op` itself, nothing else that follows it.
#define DL_FOR_OPS(op, block)                                                          \
  for (dl_op *op = dl_block_first(block), *op##_next = op ? dl_op_next(op) : NULL; op; \
       op = op##_next, op##_next = op ? dl_op_next(op) : NULL)

// Calls `visit` on op and everything below, parents first (post: children first). The visited op
// may be erased in post order. Stops early when `visit` returns false; returns whether it ran to
// the end.
typedef bool (*dl_visit)(dl_op *op, void *user);
DL_API bool dl_walk(dl_op *root, dl_visit visit, void *user);
DL_API bool dl_walk_post(dl_op *root, dl_visit visit, void *user);

// --- building ---
// An insertion point with a location. Ops go before `before`, or to the end of `block` if it is
// NULL.
typedef struct dl_builder {
  dl_context *ctx;
  dl_block *block;
  dl_op *before;
  dl_loc loc;
} dl_builder;

DL_API dl_builder dl_builder_before(dl_op *op);  // location of op
DL_API dl_builder dl_builder_after(dl_op *op);
DL_API dl_builder dl_builder_at_end(dl_block *block, dl_loc loc);
DL_API dl_builder dl_builder_at_start(dl_block *block, dl_loc loc);
// The location is from b when state->loc is NULL.
DL_API dl_op *dl_build(dl_builder *b, const dl_op_state *state);
DL_API void dl_builder_insert(dl_builder *b, dl_op *op);

// --- symbols ---
// A symbol is an op with the string attribute sym_name directly in a region of a symbol table op.
// Or NULL. Linear in the body at first; in constant time when there are more while nothing changes.
DL_API dl_op *dl_symbol_lookup(const dl_op *symbol_table, dl_ident name);
DL_API dl_ident dl_symbol_name(const dl_op *op);           // NULL if it is no symbol
DL_API dl_op *dl_enclosing_symbol_table(const dl_op *op);  // nearest ancestor with the trait
DL_API dl_ident dl_symbol_unique_name(const dl_op *symbol_table, const char *hint);

#endif
