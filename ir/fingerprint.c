#include "ir/hash.h"
#include "ir/pass_internal.h"

typedef struct hasher {
  uint64_t hash;
  dl_ptr_map numbers;  // dl_value*, dl_block* -> number in order of appearance
} hasher;

static void mix(hasher *h, uint64_t word) { h->hash = dl_hash_mix(h->hash, word); }

// Uses may come before definitions (graph regions, back edges): whoever is seen first gets a
// number.
static void mix_thing(hasher *h, const void *thing) {
  uintptr_t number = (uintptr_t)dl_ptr_map_get(&h->numbers, thing);
  if (!number) {
    number = h->numbers.len + 1;
    dl_ptr_map_set(&h->numbers, thing, (void *)number);
  }
  mix(h, number);
}

// Types, attributes, names and locations are uniqued: their addresses stand for them.
static void mix_unique(hasher *h, const void *unique) { mix(h, (uintptr_t)unique); }

static void mix_attrs(hasher *h, const dl_op *op) {
  mix(h, dl_num_inherent_attrs(op));
  for (size_t i = 0; i < dl_num_inherent_attrs(op); i++) {
    mix_unique(h, dl_inherent_attr(op, i).name);
    mix_unique(h, dl_inherent_attr(op, i).value);
  }
  mix(h, dl_num_discardable_attrs(op));
  for (size_t i = 0; i < dl_num_discardable_attrs(op); i++) {
    mix_unique(h, dl_discardable_attr(op, i).name);
    mix_unique(h, dl_discardable_attr(op, i).value);
  }
}

static void mix_value(hasher *h, const dl_value *value) {
  mix_thing(h, value);
  mix_unique(h, dl_value_type(value));
}

static void mix_op(hasher *h, const dl_op *op);

static void mix_block(hasher *h, const dl_block *block) {
  mix_thing(h, block);
  mix(h, dl_num_args(block));
  for (size_t i = 0; i < dl_num_args(block); i++) {
    mix_value(h, dl_arg(block, i));
    mix_unique(h, dl_value_loc(dl_arg(block, i)));
  }
  for (dl_op *op = dl_block_first(block); op; op = dl_op_next(op)) mix_op(h, op);
  mix(h, 1);
}

static void mix_op(hasher *h, const dl_op *op) {
  mix_unique(h, dl_op_def_of(op));
  mix_unique(h, dl_op_loc(op));
  mix(h, dl_num_operands(op));
  for (size_t i = 0; i < dl_num_operands(op); i++) mix_thing(h, dl_operand(op, i));
  mix(h, dl_num_results(op));
  for (size_t i = 0; i < dl_num_results(op); i++) mix_value(h, dl_result(op, i));
  mix_attrs(h, op);
  for (size_t i = 0; i < dl_num_successors(op); i++) mix_thing(h, dl_successor(op, i));
  for (size_t i = 0; i < dl_num_regions(op); i++) {
    DL_FOR_BLOCKS(block, dl_op_region(op, i)) mix_block(h, block);
    mix(h, 2);
  }
}

uint64_t dl_fingerprint(dl_op *op) {
  hasher h = {0};
  mix_op(&h, op);
  dl_ptr_map_free(&h.numbers);
  return h.hash;
}
