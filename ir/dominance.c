// Dominators by the iteration of Cooper, Harvey and Kennedy, "A simple, fast dominance algorithm"
// (2001).
#include "ir/dominance.h"

#include "ir/op_internal.h"

enum { UNREACHED = -1 };

// Blocks are numbered in postorder, so the entry has the highest number.
typedef struct dominator_tree {
  dl_ptr_map numbers;  // block -> postorder number + 1; unreachable blocks are absent
  DL_VEC(const dl_block *) blocks;
  int64_t *idom;
} dominator_tree;

typedef struct visit_frame {
  const dl_block *block;
  size_t next_successor;
} visit_frame;

static size_t num_successors(const dl_block *block) {
  return block->last ? block->last->num_successors : 0;
}

static void number_blocks(dominator_tree *tree, const dl_block *entry) {
  DL_VEC(visit_frame) stack = {0};
  dl_ptr_map seen = {0};
  dl_ptr_map_set(&seen, entry, NULL);
  DL_PUSH(&stack, (visit_frame){entry, 0});
  while (stack.len) {
    visit_frame *frame = &stack.data[stack.len - 1];
    if (frame->next_successor < num_successors(frame->block)) {
      const dl_block *next = dl_successors(frame->block->last)[frame->next_successor++];
      if (dl_ptr_map_has(&seen, next)) continue;
      dl_ptr_map_set(&seen, next, NULL);
      DL_PUSH(&stack, (visit_frame){next, 0});
      continue;
    }
    DL_PUSH(&tree->blocks, frame->block);
    dl_ptr_map_set(&tree->numbers, frame->block, (void *)tree->blocks.len);
    stack.len--;
  }
  dl_ptr_map_free(&seen);
  DL_VEC_FREE(&stack);
}

static int64_t number_of(const dominator_tree *tree, const dl_block *block) {
  return (int64_t)(uintptr_t)dl_ptr_map_get(&tree->numbers, block) - 1;
}

static int64_t intersect(const dominator_tree *tree, int64_t a, int64_t b) {
  while (a != b) {
    while (a < b) a = tree->idom[a];
    while (b < a) b = tree->idom[b];
  }
  return a;
}

// Lets block n contribute to the dominators of its successors.
static bool propagate(dominator_tree *tree, int64_t n) {
  bool changed = false;
  const dl_block *block = tree->blocks.data[n];
  int64_t entry = (int64_t)tree->blocks.len - 1;
  for (size_t i = 0; i < num_successors(block); i++) {
    int64_t successor = number_of(tree, dl_successors(block->last)[i]);
    if (successor == entry) continue;
    int64_t old = tree->idom[successor];
    int64_t idom = old == UNREACHED ? n : intersect(tree, old, n);
    tree->idom[successor] = idom;
    changed |= idom != old;
  }
  return changed;
}

static dominator_tree *build_tree(const dl_region *region) {
  dominator_tree *tree = dl_calloc(1, sizeof(*tree));
  number_blocks(tree, region->first);
  int64_t count = (int64_t)tree->blocks.len;
  tree->idom = dl_malloc((size_t)count * sizeof(*tree->idom));
  for (int64_t n = 0; n < count; n++) tree->idom[n] = UNREACHED;
  tree->idom[count - 1] = count - 1;
  for (bool changed = true; changed;) {
    changed = false;
    for (int64_t n = count; n-- > 0;) changed |= propagate(tree, n);
  }
  return tree;
}

bool dl_block_dominates(dl_dominance *dominance, const dl_block *dominator, const dl_block *block) {
  if (dominator == block) return true;
  const dl_region *region = block->region;
  dominator_tree *tree = dl_ptr_map_get(&dominance->regions, region);
  if (!tree) {
    tree = build_tree(region);
    dl_ptr_map_set(&dominance->regions, region, tree);
  }
  int64_t above = number_of(tree, dominator), n = number_of(tree, block);
  if (n < 0) return true;
  while (n < above) n = tree->idom[n];
  return n == above;
}

static void tree_free(dominator_tree *tree) {
  dl_ptr_map_free(&tree->numbers);
  DL_VEC_FREE(&tree->blocks);
  free(tree->idom);
  free(tree);
}

void dl_dominance_free(dl_dominance *dominance) {
  for (size_t i = 0; i < dominance->regions.capacity; i++)
    if (dominance->regions.keys[i]) tree_free(dominance->regions.values[i]);
  dl_ptr_map_free(&dominance->regions);
}

// --- the analysis ---

static void *compute(dl_op *root) {
  (void)root;
  return dl_calloc(1, sizeof(dl_dominance));
}

static void destroy(void *result) {
  dl_dominance_free(result);
  free(result);
}

static bool same_tree(const dominator_tree *a, const dominator_tree *b) {
  size_t count = a->blocks.len;
  return count == b->blocks.len &&
         !memcmp(a->blocks.data, b->blocks.data, count * sizeof(*a->blocks.data)) &&
         !memcmp(a->idom, b->idom, count * sizeof(*a->idom));
}

static bool region_holds(const dl_dominance *kept, const dl_region *region) {
  const dominator_tree *tree = dl_ptr_map_get(&kept->regions, region);
  if (!tree) return true;
  if (dl_region_empty(region)) return false;
  dominator_tree *fresh = build_tree(region);
  bool same = same_tree(tree, fresh);
  tree_free(fresh);
  return same;
}

static bool op_holds(dl_op *op, void *user) {
  for (size_t i = 0; i < dl_num_regions(op); i++)
    if (!region_holds(user, dl_op_region(op, i))) return false;
  return true;
}

// Trees are made when asked for, so a fresh result says nothing yet.
static bool holds(dl_op *root, void *kept, void *fresh) {
  (void)fresh;
  return dl_walk(root, op_holds, kept);
}

const dl_analysis_def dl_dominance_analysis = {
    .name = "dominance", .compute = compute, .destroy = destroy, .holds = holds};
