#include "ir/op.h"

#include "ir/context_internal.h"
#include "ir/op_internal.h"

dl_context *dl_op_context(const dl_op *op) { return op->loc->ctx; }
const dl_op_def *dl_op_def_of(const dl_op *op) { return op->def; }
const char *dl_op_name(const dl_op *op) { return op->def->name; }
dl_loc dl_op_loc(const dl_op *op) { return op->loc; }
void dl_op_set_loc(dl_op *op, dl_loc loc) { op->loc = loc; }
dl_block *dl_op_block(const dl_op *op) { return op->block; }
dl_op *dl_op_parent(const dl_op *op) { return op->block ? dl_block_parent(op->block) : NULL; }
dl_op *dl_op_next(const dl_op *op) { return op->next; }
dl_op *dl_op_prev(const dl_op *op) { return op->prev; }
size_t dl_num_results(const dl_op *op) { return op->num_results; }
size_t dl_num_regions(const dl_op *op) { return op->num_regions; }
size_t dl_num_successors(const dl_op *op) { return op->num_successors; }

static void check_index(const dl_op *op, size_t i, size_t count, const char *what) {
  if (i >= count) dl_bug(op, "%s %zu of an op that has %zu", what, i, count);
}

dl_value *dl_result(const dl_op *op, size_t i) {
  check_index(op, i, op->num_results, "result");
  return (dl_value *)&op->results[i];
}

dl_region *dl_op_region(const dl_op *op, size_t i) {
  check_index(op, i, op->num_regions, "region");
  return &op->regions[i];
}

dl_block *dl_successor(const dl_op *op, size_t i) {
  check_index(op, i, op->num_successors, "successor");
  return op->successors[i];
}

void dl_set_successor(dl_op *op, size_t i, dl_block *block) {
  check_index(op, i, op->num_successors, "successor");
  op->successors[i] = block;
}

// --- creating ---

typedef struct layout {
  size_t operands, attrs, regions, successors, size;
} layout;

static layout lay_out(const dl_op_state *state) {
  layout at;
  at.operands = sizeof(dl_op) + state->num_results * sizeof(dl_value);
  at.attrs = at.operands + state->num_operands * sizeof(dl_use);
  size_t num_attrs = state->num_attrs + state->num_inherent;
  at.regions = at.attrs + num_attrs * sizeof(dl_named_attr);
  at.successors = at.regions + state->num_regions * sizeof(dl_region);
  at.size = at.successors + state->num_successors * sizeof(dl_block *);
  return at;
}

static void init_results(dl_op *op, const dl_op_state *state) {
  op->num_results = (uint32_t)state->num_results;
  for (uint32_t i = 0; i < op->num_results; i++)
    op->results[i] = (dl_value){.type = state->result_types[i], .index = i};
}

static void init_operands(dl_op *op, const dl_op_state *state) {
  op->num_operands = op->operands_capacity = (uint32_t)state->num_operands;
  for (uint32_t i = 0; i < op->num_operands; i++) {
    op->operands[i] = (dl_use){.owner = op};
    if (state->operands) dl_use_assign(&op->operands[i], state->operands[i]);
  }
}

static void init_attrs(dl_op *op, const dl_op_state *state) {
  for (size_t i = 0; i < state->num_inherent; i++)
    dl_set_inherent_attr(op, state->inherent[i].name, state->inherent[i].value);
  for (size_t i = 0; i < state->num_attrs; i++)
    dl_set_attr_ident(op, state->attrs[i].name, state->attrs[i].value);
}

static void init_regions(dl_op *op, dl_context *ctx, const dl_op_state *state) {
  op->num_regions = (uint32_t)state->num_regions;
  for (uint32_t i = 0; i < op->num_regions; i++) {
    op->regions[i] = (dl_region){.parent = op, .ctx = ctx};
    if (!state->regions) continue;
    dl_region_take(&op->regions[i], state->regions[i]);
    dl_region_destroy(state->regions[i]);
  }
}

dl_op *dl_op_create_bare(dl_context *ctx, const dl_op_state *state) {
  layout at = lay_out(state);
  char *memory = dl_slab_alloc(ctx, at.size);
  dl_op *op = (dl_op *)memory;
  *op = (dl_op){.def = state->def,
                .loc = state->loc ? state->loc : ctx->unknown_loc,
                .operands = (dl_use *)(memory + at.operands),
                .attrs = (dl_named_attr *)(memory + at.attrs),
                .regions = (dl_region *)(memory + at.regions),
                .successors = (dl_block **)(memory + at.successors),
                .attrs_capacity = (uint32_t)(state->num_attrs + state->num_inherent),
                .num_successors = (uint32_t)state->num_successors,
                .size = (uint32_t)at.size};
  init_results(op, state);
  init_operands(op, state);
  init_regions(op, ctx, state);
  for (size_t i = 0; i < state->num_successors; i++) op->successors[i] = state->successors[i];
  return op;
}

dl_op *dl_op_create(dl_context *ctx, const dl_op_state *state) {
  dl_op *op = dl_op_create_bare(ctx, state);
  init_attrs(op, state);
  return op;
}

// --- destroying ---

void dl_drop_operands(dl_op *op) {
  for (uint32_t i = 0; i < op->num_operands; i++) dl_use_assign(&op->operands[i], NULL);
  for (uint32_t i = 0; i < op->num_regions; i++) {
    DL_FOR_BLOCKS(block, &op->regions[i]) {
      for (dl_op *inner = block->first; inner; inner = inner->next) dl_drop_operands(inner);
    }
  }
}

static void free_regions(dl_op *op) {
  for (uint32_t i = 0; i < op->num_regions; i++) {
    for (dl_block *block = op->regions[i].first, *next; block; block = next) {
      next = block->next;
      dl_block_free(block);
    }
  }
}

void dl_op_free(dl_op *op) {
  dl_context *ctx = op->loc->ctx;
  free_regions(op);
  if (op->own_operands) dl_slab_free(ctx, op->operands, op->operands_capacity * sizeof(dl_use));
  if (op->own_attrs) dl_slab_free(ctx, op->attrs, op->attrs_capacity * sizeof(dl_named_attr));
  dl_slab_free(ctx, op, op->size);
}

void dl_op_destroy_tree(dl_op *op) {
  dl_drop_operands(op);
  dl_op_free(op);
}

void dl_op_erase(dl_op *op) {
  for (uint32_t i = 0; i < op->num_results; i++) {
    if (op->results[i].uses) dl_bug(op, "erasing an op whose result %u is used", i);
  }
  dl_op_unlink(op);
  dl_op_destroy_tree(op);
}

// --- position in the block ---

void dl_op_unlink(dl_op *op) {
  if (!op->block) return;
  *(op->prev ? &op->prev->next : &op->block->first) = op->next;
  *(op->next ? &op->next->prev : &op->block->last) = op->prev;
  op->prev = op->next = NULL;
  op->block = NULL;
}

static void link_between(dl_op *op, dl_block *block, dl_op *prev, dl_op *next) {
  op->block = block;
  op->prev = prev;
  op->next = next;
  *(prev ? &prev->next : &block->first) = op;
  *(next ? &next->prev : &block->last) = op;
  dl_assign_order(op);
}

void dl_op_insert_before(dl_op *op, dl_op *before) {
  if (!before->block) dl_bug(before, "inserting before an op that is in no block");
  link_between(op, before->block, before->prev, before);
}

void dl_op_append(dl_block *block, dl_op *op) { link_between(op, block, block->last, NULL); }

void dl_op_move_before(dl_op *op, dl_op *before) {
  if (op == before) return;
  dl_op_unlink(op);
  dl_op_insert_before(op, before);
}

// Orders are labels with gaps. Where a gap is used up, the labels of a run of followers are spread
// out, the run being just long enough for its room to exceed the square of its length: amortized
// O(log n) relabelings per insertion (Dietz and Sleator, "Two algorithms for maintaining order in a
// list", 1987).
enum { ORDER_STRIDE = 1 << 16 };
static const uint64_t first_order = (uint64_t)1 << 40;

static void relabel_after(dl_op *op, uint64_t base) {
  uint64_t count = 1;
  dl_op *end = op->next;
  while (end && end->order - base <= count * count) {
    count++;
    end = end->next;
  }
  uint64_t step = end ? (end->order - base) / (count + 1) : ORDER_STRIDE, label = base;
  for (dl_op *each = op; each != end; each = each->next) each->order = label += step;
}

void dl_assign_order(dl_op *op) {
  uint64_t base = op->prev ? op->prev->order : 0;
  if (!op->next) {
    op->order = op->prev ? base + ORDER_STRIDE : first_order;
  } else if (op->next->order - base > 1) {
    op->order = base + (op->next->order - base) / 2;
  } else {
    relabel_after(op, base);
  }
}

bool dl_op_is_before(const dl_op *a, const dl_op *b) {
  if (a->block != b->block || !a->block) dl_bug(a, "comparing the order of ops of two blocks");
  return a->order < b->order;
}

bool dl_op_is_ancestor(const dl_op *ancestor, const dl_op *op) {
  while (op && op != ancestor) op = dl_op_parent(op);
  return op != NULL;
}

void dl_op_replace(dl_op *op, size_t count, dl_value *const *values) {
  if (count != op->num_results) dl_bug(op, "replacing %u results by %zu", op->num_results, count);
  for (uint32_t i = 0; i < op->num_results; i++) dl_replace_all_uses(&op->results[i], values[i]);
  dl_op_erase(op);
}

dl_status dl_op_error(const dl_op *op, const char *format, ...) {
  dl_buffer message = {0};
  va_list args;
  va_start(args, format);
  dl_buffer_vprintf(&message, format, args);
  va_end(args);
  dl_error(op->loc, "'%s' op %s", op->def->name, message.data);
  dl_buffer_free(&message);
  return DL_FAILED;
}
