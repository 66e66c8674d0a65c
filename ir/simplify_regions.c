#include "ir/simplify_regions.h"

#include "ir/op_def.h"

typedef DL_VEC(dl_block *) block_list;

static void reach(dl_ptr_map *predecessors, block_list *pending, dl_block *block) {
  uintptr_t count = (uintptr_t)dl_ptr_map_get(predecessors, block);
  dl_ptr_map_set(predecessors, block, (void *)(count + 1));
  if (count == 0) DL_PUSH(pending, block);
}

// Counts the branches to each block that can be reached; the entry has one more.
static void count_predecessors(dl_region *region, dl_ptr_map *predecessors) {
  block_list pending = {0};
  reach(predecessors, &pending, dl_region_first(region));
  while (pending.len) {
    dl_op *last = dl_block_last(pending.data[--pending.len]);
    for (size_t i = 0; last && i < dl_num_successors(last); i++)
      reach(predecessors, &pending, dl_successor(last, i));
  }
  DL_VEC_FREE(&pending);
}

static bool erase_unreachable(dl_region *region, const dl_ptr_map *predecessors) {
  block_list dead = {0};
  DL_FOR_BLOCKS(block, region) {
    if (!dl_ptr_map_has(predecessors, block)) DL_PUSH(&dead, block);
  }
  // They may use each other's values, and branch to each other, in any order.
  dl_region *grave = dl_region_create(dl_op_context(dl_region_parent(region)));
  for (size_t i = 0; i < dead.len; i++) {
    dl_block_unlink(dead.data[i]);
    dl_block_append(grave, dead.data[i]);
  }
  dl_region_destroy(grave);
  bool any = dead.len > 0;
  DL_VEC_FREE(&dead);
  return any;
}

// The block that only `block` branches to, doing nothing else, or NULL.
static dl_block *only_successor(const dl_block *block, const dl_ptr_map *predecessors) {
  dl_op *branch = dl_block_last(block);
  size_t first, count;
  if (!branch || dl_num_successors(branch) != 1 || !dl_has_trait(branch, DL_PURE)) return NULL;
  dl_block *next = dl_successor(branch, 0);
  bool only = (uintptr_t)dl_ptr_map_get(predecessors, next) == 1 && next != block;
  return only && dl_successor_operands(branch, 0, &first, &count) ? next : NULL;
}

static void merge(dl_block *block, dl_block *next) {
  dl_op *branch = dl_block_last(block);
  size_t first, count;
  dl_successor_operands(branch, 0, &first, &count);
  for (size_t i = 0; i < count; i++)
    dl_replace_all_uses(dl_arg(next, i), dl_operand(branch, first + i));
  dl_op_erase(branch);
  dl_block_splice(block, next);
  dl_block_erase(next);
}

typedef struct incoming {
  dl_op *branch;
  size_t successor;
} incoming;

typedef DL_VEC(incoming) incoming_list;

// All branches to the block; false when one does not tell what it passes.
static bool list_incoming(const dl_region *region, const dl_block *block, incoming_list *list) {
  size_t first, count;
  DL_FOR_BLOCKS(other, region) {
    dl_op *branch = dl_block_last(other);
    for (size_t i = 0; branch && i < dl_num_successors(branch); i++) {
      if (dl_successor(branch, i) != block) continue;
      if (!dl_successor_operands(branch, i, &first, &count)) return false;
      DL_PUSH(list, (incoming){branch, i});
    }
  }
  return true;
}

static bool has_unused_argument(const dl_block *block) {
  for (size_t i = 0; i < dl_num_args(block); i++)
    if (!dl_has_uses(dl_arg(block, i))) return true;
  return false;
}

static bool remove_unused_arguments(const dl_region *region, dl_block *block) {
  if (block == dl_region_first(region) || !has_unused_argument(block)) return false;
  incoming_list list = {0};
  bool known = list_incoming(region, block, &list);
  for (size_t i = dl_num_args(block); known && i-- > 0;) {
    if (dl_has_uses(dl_arg(block, i))) continue;
    for (size_t k = 0; k < list.len; k++)
      dl_erase_successor_operand(list.data[k].branch, list.data[k].successor, i);
    dl_remove_arg(block, i);
  }
  DL_VEC_FREE(&list);
  return known;
}

static bool simplify(dl_region *region) {
  dl_ptr_map predecessors = {0};
  count_predecessors(region, &predecessors);
  bool changed = erase_unreachable(region, &predecessors);
  DL_FOR_BLOCKS(block, region) {
    for (dl_block *next; (next = only_successor(block, &predecessors)); changed = true)
      merge(block, next);
  }
  dl_ptr_map_free(&predecessors);
  DL_FOR_BLOCKS(block, region) changed |= remove_unused_arguments(region, block);
  return changed;
}

static bool simplify_regions_of(dl_op *op, void *user) {
  bool *changed = user;
  if (dl_has_trait(op, DL_UNREGISTERED | DL_NO_TERMINATOR)) return true;
  for (size_t i = 0; i < dl_num_regions(op); i++) {
    dl_region *region = dl_op_region(op, i);
    if (dl_region_first(region) != dl_region_last(region)) *changed |= simplify(region);
  }
  return true;
}

bool dl_simplify_regions(dl_op *root) {
  bool changed = false;
  dl_walk_post(root, simplify_regions_of, &changed);
  return changed;
}
