// topological-sort: puts the ops of blocks whose order says nothing (graph regions) in an order in
// which definitions come before uses, where there is one; otherwise keeps the order of the text.
// Ops on a cycle stay where they are among each other.
#include "ir/op_def.h"
#include "ir/pass.h"

// Whether all that op, or what is in it, uses of this block has been placed.
typedef struct readiness {
  const dl_block *block;
  const dl_op *op;
  const dl_ptr_map *placed;
  bool ready;
} readiness;

static const dl_op *ancestor_in(const dl_block *block, const dl_op *op) {
  while (op && dl_op_block(op) != block) op = dl_op_parent(op);
  return op;
}

static bool check_operands(dl_op *op, void *user) {
  readiness *r = user;
  for (size_t i = 0; i < dl_num_operands(op) && r->ready; i++) {
    const dl_op *def = dl_value_def(dl_operand(op, i));
    const dl_op *here = def ? ancestor_in(r->block, def) : NULL;
    r->ready = !here || here == r->op || dl_ptr_map_has(r->placed, here);
  }
  return r->ready;
}

static bool is_ready(const dl_block *block, dl_op *op, const dl_ptr_map *placed) {
  readiness r = {block, op, placed, true};
  dl_walk(op, check_operands, &r);
  return r.ready;
}

// The first op from `from` on that can come next; with a cycle, simply the first.
static dl_op *choose(dl_block *block, dl_op *from, const dl_ptr_map *placed) {
  for (dl_op *op = from; op; op = dl_op_next(op))
    if (op != dl_block_terminator(block) && is_ready(block, op, placed)) return op;
  return from;
}

static bool sort_block(dl_block *block) {
  dl_ptr_map placed = {0};
  bool changed = false;
  for (dl_op *at = dl_block_first(block); at;) {
    dl_op *next = choose(block, at, &placed);
    dl_ptr_map_set(&placed, next, next);
    if (next == at) {
      at = dl_op_next(at);
      continue;
    }
    dl_op_move_before(next, at);
    changed = true;
  }
  dl_ptr_map_free(&placed);
  return changed;
}

static bool sort_regions(dl_op *op, void *user) {
  if (!dl_has_trait(op, DL_UNREGISTERED | DL_NO_TERMINATOR)) return true;
  for (size_t i = 0; i < dl_num_regions(op); i++) DL_FOR_BLOCKS(block, dl_op_region(op, i)) {
      if (sort_block(block)) dl_pass_changed(user);
    }
  return true;
}

static dl_status run(dl_pass *pass, dl_op *root) {
  dl_walk(root, sort_regions, pass);
  return DL_OK;
}

DL_PASS(topological_sort, "topological-sort", NULL,
        "Put definitions before uses where blocks have no order", DL_EXACT, run);
