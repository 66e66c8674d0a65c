// ir/op_internal.h: the layout of ops, values, blocks and regions, for ir/ only.
//
// An op is one allocation: the op, its results, then regions, successors, operands and attributes.
// Operands and attributes move to allocations of their own when they outgrow it.
#ifndef DLIR_IR_OP_INTERNAL_H
#define DLIR_IR_OP_INTERNAL_H

#include <stdatomic.h>

#include "ir/binary.h"
#include "ir/op.h"
#include "ir/op_def.h"
#include "ir/op_info.h"

// A place that has not become a location yet, since most are never asked for: a dl_loc, or, with
// the lowest bit set, a position in a file. Within a context, equal places have equal bits, except
// that a location that was given as dl_loc stays one.
typedef uint64_t dl_place;

// `path` is from dl_path_index. Positions that do not fit become locations.
dl_place dl_place_file(dl_context *ctx, uint32_t path, uint64_t line, uint64_t column);
static inline dl_place dl_place_of(dl_loc loc) { return (uintptr_t)loc; }
dl_loc dl_place_loc(dl_context *ctx, dl_place place);
// Takes a place apart that is a position in a file, with no end; false for other places.
bool dl_place_position(dl_context *ctx, dl_place place, dl_ident *path, uint64_t *line,
                       uint64_t *column);
// A small number for a path, or DL_NO_PATH when there are too many.
enum { DL_PATH_BITS = 10, DL_MAX_PATHS = 1 << DL_PATH_BITS, DL_NO_PATH = DL_MAX_PATHS };
uint32_t dl_path_index(dl_context *ctx, dl_ident path);

struct dl_value {
  dl_type type;
  dl_use *uses;
  uint32_t position;  // index << 1; | 1: the value is the head of a dl_block_arg
  uint32_t name;      // dl_name_index of the hint
};

typedef struct dl_block_arg {
  dl_value value;
  dl_block *block;
  dl_place loc;
  uint32_t number;  // as in dl_op
} dl_block_arg;

struct dl_use {
  dl_value *value;       // NULL: not set, in no list
  dl_use *next, **link;  // link: what points here
  dl_op *owner;
};

struct dl_region {
  dl_block *first, *last;
  dl_op *parent;
  dl_context *ctx;
};

typedef struct dl_symbol_index dl_symbol_index;

struct dl_block {
  dl_context *ctx;
  dl_region *region;
  dl_block *prev, *next;
  dl_op *first, *last;
  dl_ident label;
  dl_block_arg **args;
  uint32_t num_args, args_capacity;
  _Atomic(dl_symbol_index *) symbols;  // of its ops, or NULL: made when they are looked up often
  atomic_uint lookups;                 // of symbols since the last change
  uint32_t number;                     // as in dl_op
};

enum {
  DL_REGION_BITS = 12,
  DL_SUCCESSOR_BITS = 19,
  DL_MAX_REGIONS = (1 << DL_REGION_BITS) - 1,
  DL_MAX_SUCCESSORS = (1 << DL_SUCCESSOR_BITS) - 1,
  DL_MAX_OP_ATTRS = UINT16_MAX,
  DL_MAX_VALUES = INT32_MAX,
};

struct dl_op {
  const dl_op_info *info;
  dl_place loc;
  dl_op *prev, *next;
  dl_block *block;
  dl_use *operands;
  dl_named_attr *attrs;  // the inherent ones, sorted by name, then the others, sorted by name
  uint32_t order;        // increases along the block
  uint32_t number;       // of the results' names; belongs to who prints the op, at any time but one
  uint32_t num_results, num_operands;
  uint32_t num_regions : DL_REGION_BITS, num_successors : DL_SUCCESSOR_BITS;
  uint32_t lazy : 1;     // the regions are still to be read (ir/binary.h)
  uint32_t known : 1;    // was among the constants that a rewrite knows
  uint32_t listed : 30;  // 1 + its place in the worklist of the rewrite in progress; else 0
  uint16_t num_attrs, num_inherent;
  uint16_t inline_operands, inline_attrs;  // room inside the allocation
  dl_value results[];
};

static inline bool dl_is_arg(const dl_value *value) { return value->position & 1; }
static inline uint32_t dl_value_position(const dl_value *value) { return value->position >> 1; }
static inline dl_block_arg *dl_as_arg(const dl_value *value) { return (dl_block_arg *)value; }

static inline dl_op *dl_result_owner(const dl_value *result) {
  return (dl_op *)((const char *)(result - dl_value_position(result)) - offsetof(dl_op, results));
}

static inline const dl_block *dl_defining_block(const dl_value *value) {
  return dl_is_arg(value) ? dl_as_arg(value)->block : dl_result_owner(value)->block;
}

static inline dl_region *dl_regions(const dl_op *op) {
  return (dl_region *)(op->results + op->num_results);
}

// The regions, read if they were not: for what looks into them.
static inline dl_region *dl_filled_regions(const dl_op *op) {
  if (__builtin_expect(op->lazy, 0)) (void)!dl_op_materialize((dl_op *)op);
  return dl_regions(op);
}

static inline dl_block **dl_successors(const dl_op *op) {
  return (dl_block **)(dl_regions(op) + op->num_regions);
}

static inline dl_use *dl_inline_operands(const dl_op *op) {
  return (dl_use *)(dl_successors(op) + op->num_successors);
}

static inline dl_named_attr *dl_inline_attrs(const dl_op *op) {
  return (dl_named_attr *)(dl_inline_operands(op) + op->inline_operands);
}

static inline dl_op *dl_parent(const dl_op *op) {
  return op->block && op->block->region ? op->block->region->parent : NULL;
}

// For an op that goes with its regions unread.
void dl_forget_lazy_body(dl_op *op);
// Of one op that has room for the attributes, but none yet.
dl_op *dl_op_create_bare(const dl_op_info *info, dl_place loc, const dl_op_state *state);
// Adds the attributes of the state.
void dl_op_init_attrs(dl_op *op, const dl_op_state *state);
// Links `use` into the list of `value` (NULL: only unlinks it).
void dl_use_assign(dl_use *use, dl_value *value);
// dl_set_attr with an interned name.
void dl_set_attr_ident(dl_op *op, dl_ident name, dl_attr value);
// Whether the definition says so, or the op has an inherent attribute of that name.
bool dl_is_inherent(const dl_op *op, dl_ident name);
// Room for `count` elements of `size` bytes that is not within the op; its capacity is kept with
// it.
void *dl_outer_alloc(dl_context *ctx, uint32_t count, size_t size);
uint32_t dl_outer_capacity(const void *array);
void dl_outer_free(dl_context *ctx, void *array, size_t size);
// Finds the order of an op that was just linked into its block, between its neighbours.
void dl_assign_order(dl_op *op);
// Drops the operands of everything below and of op itself, so that it may be destroyed in any
// order.
void dl_drop_operands(dl_op *op);
// Frees op and everything below; operands have been dropped.
void dl_op_free(dl_op *op);
void dl_block_free(dl_block *block);
void dl_symbol_index_free(dl_symbol_index *index);
// After the ops of the block, or their names, have changed.
static inline void dl_symbols_changed(dl_block *block) {
  dl_symbol_index *index = atomic_load_explicit(&block->symbols, memory_order_relaxed);
  if (!index) return;
  atomic_store_explicit(&block->symbols, NULL, memory_order_relaxed);
  atomic_store_explicit(&block->lookups, 0, memory_order_relaxed);
  dl_symbol_index_free(index);
}

#endif
