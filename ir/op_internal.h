// ir/op_internal.h: the layout of ops, values, blocks and regions, for ir/ only.
//
// An op is one allocation: the op, its results, then operands, attributes, regions and successors.
// Operands and attributes move to allocations of their own when they outgrow it.
#ifndef DLIR_IR_OP_INTERNAL_H
#define DLIR_IR_OP_INTERNAL_H

#include "ir/op.h"
#include "ir/op_def.h"

struct dl_value {
  dl_type type;
  dl_use *uses;
  dl_ident name;
  uint32_t index;
  bool is_arg;  // then it is the head of a dl_block_arg, else results[index] of an op
};

typedef struct dl_block_arg {
  dl_value value;
  dl_block *block;
  dl_loc loc;
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

struct dl_block {
  dl_context *ctx;
  dl_region *region;
  dl_block *prev, *next;
  dl_op *first, *last;
  dl_ident label;
  dl_block_arg **args;
  uint32_t num_args, args_capacity;
};

struct dl_op {
  const dl_op_def *def;
  dl_loc loc;
  dl_op *prev, *next;
  dl_block *block;
  uint64_t order;  // increases along the block
  dl_use *operands;
  dl_named_attr *attrs;  // the inherent ones, sorted by name, then the others, sorted by name
  dl_region *regions;
  dl_block **successors;
  uint32_t num_results, num_operands, operands_capacity, num_attrs, num_inherent, attrs_capacity;
  uint32_t num_regions, num_successors;
  uint32_t size;                 // of the allocation
  bool own_operands, own_attrs;  // in an allocation of their own
  dl_value results[];
};

static inline dl_op *dl_result_owner(const dl_value *result) {
  return (dl_op *)((const char *)(result - result->index) - offsetof(dl_op, results));
}

// dl_op_create, with room for the attributes but without them.
dl_op *dl_op_create_bare(dl_context *ctx, const dl_op_state *state);
// Links `use` into the list of `value` (NULL: only unlinks it).
void dl_use_assign(dl_use *use, dl_value *value);
// dl_set_attr with an interned name.
void dl_set_attr_ident(dl_op *op, dl_ident name, dl_attr value);
// Finds the order of an op that was just linked into its block, between its neighbours.
void dl_assign_order(dl_op *op);
// Drops the operands of everything below and of op itself, so that it may be destroyed in any
// order.
void dl_drop_operands(dl_op *op);
// Frees op and everything below; operands have been dropped.
void dl_op_free(dl_op *op);
void dl_block_free(dl_block *block);

#endif
