#include "ir/context_internal.h"
#include "ir/op_internal.h"

// --- blocks ---

dl_block *dl_block_create(dl_context *ctx) {
  dl_block *block = dl_slab_alloc(ctx, sizeof(*block));
  *block = (dl_block){.ctx = ctx};
  return block;
}

static void link_block(dl_block *block, dl_region *region, dl_block *prev, dl_block *next) {
  block->region = region;
  block->prev = prev;
  block->next = next;
  *(prev ? &prev->next : &region->first) = block;
  *(next ? &next->prev : &region->last) = block;
}

void dl_block_unlink(dl_block *block) {
  if (!block->region) return;
  *(block->prev ? &block->prev->next : &block->region->first) = block->next;
  *(block->next ? &block->next->prev : &block->region->last) = block->prev;
  block->region = NULL;
}

void dl_block_append(dl_region *region, dl_block *block) {
  link_block(block, region, region->last, NULL);
}

void dl_block_insert_before(dl_block *block, dl_block *before) {
  link_block(block, before->region, before->prev, before);
}

void dl_block_free(dl_block *block) {
  dl_symbols_changed(block);
  for (dl_op *op = block->first, *next; op; op = next) {
    next = op->next;
    dl_op_free(op);
  }
  for (uint32_t i = 0; i < block->num_args; i++)
    dl_slab_free(block->ctx, block->args[i], sizeof(dl_block_arg));
  dl_slab_free(block->ctx, block->args, block->args_capacity * sizeof(dl_block_arg *));
  dl_slab_free(block->ctx, block, sizeof(*block));
}

void dl_block_erase(dl_block *block) {
  for (dl_op *op = block->first; op; op = op->next) dl_drop_operands(op);
  dl_block_unlink(block);
  dl_block_free(block);
}

dl_region *dl_block_region(const dl_block *block) { return block->region; }
dl_block *dl_block_next(const dl_block *block) { return block->next; }
dl_op *dl_block_first(const dl_block *block) { return block->first; }
dl_op *dl_block_last(const dl_block *block) { return block->last; }
dl_ident dl_block_label(const dl_block *block) { return block->label; }
void dl_block_set_label(dl_block *block, dl_ident label) { block->label = label; }

dl_op *dl_block_parent(const dl_block *block) {
  return block->region ? block->region->parent : NULL;
}

dl_op *dl_block_terminator(const dl_block *block) {
  return block->last && dl_has_trait(block->last, DL_TERMINATOR) ? block->last : NULL;
}

void dl_block_splice(dl_block *to, dl_block *from) {
  for (dl_op *op = from->first, *next; op; op = next) {
    next = op->next;
    dl_op_unlink(op);
    dl_op_append(to, op);
  }
}

// --- arguments ---

size_t dl_num_args(const dl_block *block) { return block->num_args; }

dl_value *dl_arg(const dl_block *block, size_t i) {
  if (i >= block->num_args)
    dl_bug(dl_block_parent(block), "argument %zu of a block that has %u", i, block->num_args);
  return &block->args[i]->value;
}

static void grow_args(dl_block *block) {
  uint32_t capacity = block->args_capacity ? 2 * block->args_capacity : 4;
  dl_block_arg **args = dl_slab_alloc(block->ctx, capacity * sizeof(*args));
  if (block->num_args) memcpy(args, block->args, block->num_args * sizeof(*args));
  dl_slab_free(block->ctx, block->args, block->args_capacity * sizeof(*args));
  block->args = args;
  block->args_capacity = capacity;
}

static void renumber_args(dl_block *block, size_t from) {
  for (size_t i = from; i < block->num_args; i++)
    block->args[i]->value.position = (uint32_t)i << 1 | 1;
}

dl_value *dl_insert_arg(dl_block *block, size_t i, dl_type type, dl_loc loc) {
  if (block->num_args == block->args_capacity) grow_args(block);
  dl_block_arg *arg = dl_slab_alloc(block->ctx, sizeof(*arg));
  *arg = (dl_block_arg){.value = {.type = type, .position = 1},
                        .block = block,
                        .loc = dl_place_of(loc ? loc : block->ctx->unknown_loc)};
  memmove(block->args + i + 1, block->args + i, (block->num_args - i) * sizeof(*block->args));
  block->args[i] = arg;
  block->num_args++;
  renumber_args(block, i);
  return &arg->value;
}

dl_value *dl_add_arg(dl_block *block, dl_type type, dl_loc loc) {
  return dl_insert_arg(block, block->num_args, type, loc);
}

void dl_remove_arg(dl_block *block, size_t i) {
  if (dl_has_uses(dl_arg(block, i)))
    dl_bug(dl_block_parent(block), "removing the used argument %zu of a block", i);
  dl_slab_free(block->ctx, block->args[i], sizeof(dl_block_arg));
  block->num_args--;
  memmove(block->args + i, block->args + i + 1, (block->num_args - i) * sizeof(*block->args));
  renumber_args(block, i);
}

// --- regions ---

dl_region *dl_region_create(dl_context *ctx) {
  dl_region *region = dl_slab_alloc(ctx, sizeof(*region));
  *region = (dl_region){.ctx = ctx};
  return region;
}

void dl_region_destroy(dl_region *region) {
  DL_FOR_BLOCKS(block, region) {
    for (dl_op *op = block->first; op; op = op->next) dl_drop_operands(op);
  }
  for (dl_block *block = region->first, *next; block; block = next) {
    next = block->next;
    dl_block_free(block);
  }
  dl_slab_free(region->ctx, region, sizeof(*region));
}

dl_op *dl_region_parent(const dl_region *region) { return region->parent; }
dl_block *dl_region_first(const dl_region *region) { return region->first; }
dl_block *dl_region_last(const dl_region *region) { return region->last; }
bool dl_region_empty(const dl_region *region) { return !region->first; }

void dl_region_take(dl_region *to, dl_region *from) {
  for (dl_block *block = from->first, *next; block; block = next) {
    next = block->next;
    dl_block_unlink(block);
    dl_block_append(to, block);
  }
}
