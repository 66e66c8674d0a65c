#include "ir/op.h"

#include "ir/context_internal.h"
#include "ir/op_internal.h"

dl_context *dl_op_context(const dl_op *op) { return op->info->ctx; }
const dl_op_def *dl_op_def_of(const dl_op *op) { return op->info->def; }
const char *dl_op_name(const dl_op *op) { return op->info->def->name; }
dl_loc dl_op_loc(const dl_op *op) { return dl_place_loc(op->info->ctx, op->loc); }
void dl_op_set_loc(dl_op *op, dl_loc loc) { op->loc = dl_place_of(loc); }
dl_block *dl_op_block(const dl_op *op) { return op->block; }
dl_op *dl_op_parent(const dl_op *op) { return dl_parent(op); }
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
  return &dl_filled_regions(op)[i];
}

dl_block *dl_successor(const dl_op *op, size_t i) {
  check_index(op, i, op->num_successors, "successor");
  return dl_successors(op)[i];
}

void dl_set_successor(dl_op *op, size_t i, dl_block *block) {
  check_index(op, i, op->num_successors, "successor");
  dl_successors(op)[i] = block;
}

// --- creating ---

// Operands and attributes have room in the op for as many as it is created with, or none where that
// is very many.
static uint16_t inline_count(size_t count) { return count <= UINT16_MAX ? (uint16_t)count : 0; }

static size_t op_size(const dl_op *op) {
  return (size_t)((char *)(dl_inline_attrs(op) + op->inline_attrs) - (char *)op);
}

static size_t size_for(const dl_op_state *state) {
  return sizeof(dl_op) + state->num_results * sizeof(dl_value) +
         state->num_regions * sizeof(dl_region) + state->num_successors * sizeof(dl_block *) +
         inline_count(state->num_operands) * sizeof(dl_use) +
         inline_count(state->num_attrs + state->num_inherent) * sizeof(dl_named_attr);
}

static void init_results(dl_op *op, const dl_op_state *state) {
  for (uint32_t i = 0; i < op->num_results; i++)
    op->results[i] = (dl_value){.type = state->result_types[i], .position = i << 1};
}

static void init_operands(dl_op *op, const dl_op_state *state) {
  if (op->num_operands > op->inline_operands)
    op->operands = dl_outer_alloc(op->info->ctx, op->num_operands, sizeof(dl_use));
  for (uint32_t i = 0; i < op->num_operands; i++) {
    op->operands[i] = (dl_use){.owner = op};
    if (state->operands) dl_use_assign(&op->operands[i], state->operands[i]);
  }
}

static void init_regions(dl_op *op, const dl_op_state *state) {
  dl_region *regions = dl_regions(op);
  for (uint32_t i = 0; i < op->num_regions; i++) {
    regions[i] = (dl_region){.parent = op, .ctx = op->info->ctx};
    if (!state->regions) continue;
    dl_region_take(&regions[i], state->regions[i]);
    dl_region_destroy(state->regions[i]);
  }
}

static void check_counts(const dl_op_info *info, const dl_op_state *state) {
  size_t num_attrs = state->num_attrs + state->num_inherent;
  if (state->num_regions > DL_MAX_REGIONS || state->num_successors > DL_MAX_SUCCESSORS ||
      num_attrs > DL_MAX_OP_ATTRS || state->num_operands > DL_MAX_VALUES ||
      state->num_results > DL_MAX_VALUES)
    dl_bug(NULL, "too many parts for an op '%s'", info->def->name);
}

dl_op *dl_op_create_bare(const dl_op_info *info, dl_place loc, const dl_op_state *state) {
  check_counts(info, state);
  dl_op *op = dl_slab_alloc(info->ctx, size_for(state));
  *op = (dl_op){.info = info,
                .loc = loc,
                .num_results = (uint32_t)state->num_results,
                .num_operands = (uint32_t)state->num_operands,
                .num_regions = (uint32_t)state->num_regions,
                .num_successors = (uint32_t)state->num_successors,
                .inline_operands = inline_count(state->num_operands),
                .inline_attrs = inline_count(state->num_attrs + state->num_inherent)};
  op->operands = dl_inline_operands(op);
  op->attrs = dl_inline_attrs(op);
  init_results(op, state);
  init_operands(op, state);
  init_regions(op, state);
  for (size_t i = 0; i < state->num_successors; i++)
    dl_successors(op)[i] = state->successors ? state->successors[i] : NULL;
  return op;
}

void dl_op_init_attrs(dl_op *op, const dl_op_state *state) {
  for (size_t i = 0; i < state->num_inherent; i++)
    dl_set_inherent_attr(op, state->inherent[i].name, state->inherent[i].value);
  for (size_t i = 0; i < state->num_attrs; i++)
    dl_set_attr_ident(op, state->attrs[i].name, state->attrs[i].value);
}

dl_op *dl_op_create(dl_context *ctx, const dl_op_state *state) {
  dl_loc loc = state->loc ? state->loc : ctx->unknown_loc;
  dl_op *op = dl_op_create_bare(dl_op_info_of(ctx, state->def), dl_place_of(loc), state);
  dl_op_init_attrs(op, state);
  return op;
}

void *dl_outer_alloc(dl_context *ctx, uint32_t count, size_t size) {
  uint64_t *memory = dl_slab_alloc(ctx, sizeof(*memory) + count * size);
  *memory = count;
  return memory + 1;
}

uint32_t dl_outer_capacity(const void *array) { return (uint32_t)((const uint64_t *)array)[-1]; }

void dl_outer_free(dl_context *ctx, void *array, size_t size) {
  uint64_t *memory = (uint64_t *)array - 1;
  dl_slab_free(ctx, memory, sizeof(*memory) + *memory * size);
}

// --- destroying ---

void dl_drop_operands(dl_op *op) {
  for (uint32_t i = 0; i < op->num_operands; i++) dl_use_assign(&op->operands[i], NULL);
  for (uint32_t i = 0; i < op->num_regions; i++) {
    DL_FOR_BLOCKS(block, &dl_regions(op)[i]) {
      for (dl_op *inner = block->first; inner; inner = inner->next) dl_drop_operands(inner);
    }
  }
}

static void free_regions(dl_op *op) {
  for (uint32_t i = 0; i < op->num_regions; i++) {
    for (dl_block *block = dl_regions(op)[i].first, *next; block; block = next) {
      next = block->next;
      dl_block_free(block);
    }
  }
}

void dl_op_free(dl_op *op) {
  dl_context *ctx = dl_op_context(op);
  if (op->lazy) dl_forget_lazy_body(op);
  free_regions(op);
  if (op->operands != dl_inline_operands(op)) dl_outer_free(ctx, op->operands, sizeof(dl_use));
  if (op->attrs != dl_inline_attrs(op)) dl_outer_free(ctx, op->attrs, sizeof(dl_named_attr));
  dl_slab_free(ctx, op, op_size(op));
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
  dl_symbols_changed(op->block);
  *(op->prev ? &op->prev->next : &op->block->first) = op->next;
  *(op->next ? &op->next->prev : &op->block->last) = op->prev;
  op->prev = op->next = NULL;
  op->block = NULL;
}

static void link_between(dl_op *op, dl_block *block, dl_op *prev, dl_op *next) {
  dl_symbols_changed(block);
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
// list", 1987). At the end of the range the whole block is numbered anew, more closely.
enum { ORDER_STRIDE = 1 << 10, FIRST_ORDER = 1 << 26 };

static void relabel_block(dl_block *block) {
  uint64_t count = 0, label = 0;
  for (dl_op *op = block->first; op; op = op->next) count++;
  uint64_t step = (uint64_t)UINT32_MAX / (2 * count + 2);
  if (step == 0) dl_bug(dl_block_parent(block), "a block of %zu ops", (size_t)count);
  if (step > ORDER_STRIDE) step = ORDER_STRIDE;
  for (dl_op *op = block->first; op; op = op->next) op->order = (uint32_t)(label += step);
}

static void relabel_after(dl_op *op, uint64_t base) {
  uint64_t count = 1;
  dl_op *end = op->next;
  while (end && end->order - base <= count * count) {
    count++;
    end = end->next;
  }
  uint64_t step = end ? (end->order - base) / (count + 1) : ORDER_STRIDE, label = base;
  if (base + step * count > UINT32_MAX) {
    relabel_block(op->block);
    return;
  }
  for (dl_op *each = op; each != end; each = each->next) each->order = (uint32_t)(label += step);
}

void dl_assign_order(dl_op *op) {
  uint32_t base = op->prev ? op->prev->order : 0;
  if (!op->next) {
    if (base > UINT32_MAX - ORDER_STRIDE)
      relabel_block(op->block);
    else
      op->order = op->prev ? base + ORDER_STRIDE : FIRST_ORDER;
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
  dl_error(dl_op_loc(op), "'%s' op %s", op->info->def->name, message.data);
  dl_buffer_free(&message);
  return DL_FAILED;
}
