// loop-plan-memory: gives each buffer of constant size in a host function an offset in one arena,
// such that buffers alive at the same time do not overlap, and each weight its offset in the
// weights. Contract: exact.
//
// Larger buffers are placed first, each at the lowest offset that is free during its life (greedy
// by size; Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020).
#include "dialects/func/func_ops.h"
#include "dialects/loop/loop.h"
#include "dialects/loop/loop_ops.h"
#include "ir/pass.h"

#define ALIGNMENT 64

typedef struct buffer {
  dl_op *alloc;
  int64_t bytes, offset;
  size_t first, last;  // positions of ops in the block: where it is made, its last use
} buffer;

typedef DL_VEC(buffer) buffer_list;

static int64_t align(int64_t bytes) { return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

typedef DL_VEC(const dl_op *) op_list;

static size_t position_of(const op_list *ops, const dl_op *op, const dl_block *block) {
  while (dl_op_block(op) != block) op = dl_op_parent(op);
  for (size_t i = 0; i < ops->len; i++) {
    if (ops->data[i] == op) return i;
  }
  return ops->len;
}

// The last op that uses the pointer or one derived from it.
static size_t last_use(const op_list *ops, const dl_value *pointer, const dl_block *block) {
  size_t last = 0;
  for (dl_use *use = dl_first_use(pointer); use; use = dl_next_use(use)) {
    dl_op *user = dl_use_owner(use);
    size_t at = position_of(ops, user, block);
    if (dl_is(user, loop_offset)) {
      size_t derived = last_use(ops, dl_result(user, 0), block);
      at = derived > at ? derived : at;
    }
    last = at > last ? at : last;
  }
  return last;
}

static void find_buffers(dl_block *block, buffer_list *out) {
  op_list ops = {0};
  DL_FOR_OPS(op, block) DL_PUSH(&ops, op);
  for (size_t i = 0; i < ops.len; i++) {
    dl_op *op = (dl_op *)ops.data[i];
    int64_t elements;
    if (!dl_is(op, loop_alloc) ||
        !dl_map_is_constant(dl_get_attr(op, "elements")->map, &elements)) {
      continue;
    }
    dl_value *pointer = dl_result(op, 0);
    size_t bytes = dl_element_bytes(dl_loop_ptr_element(dl_value_type(pointer)));
    DL_PUSH(out, (buffer){.alloc = op,
                          .bytes = align(elements * (int64_t)bytes),
                          .first = i,
                          .last = last_use(&ops, pointer, block)});
  }
  DL_VEC_FREE(&ops);
}

static bool overlap_in_time(const buffer *a, const buffer *b) {
  return a->first <= b->last && b->first <= a->last;
}

static int by_size(const void *a, const void *b) {
  const buffer *x = *(buffer *const *)a, *y = *(buffer *const *)b;
  if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
  return x->first < y->first ? -1 : x->first > y->first;
}

// The lowest offset at which buffer `which` overlaps none of those placed before it.
static int64_t lowest_offset(buffer *const *placed, size_t which) {
  const buffer *b = placed[which];
  int64_t offset = 0;
  for (bool moved = true; moved;) {
    moved = false;
    for (size_t i = 0; i < which; i++) {
      const buffer *other = placed[i];
      if (!overlap_in_time(b, other)) continue;
      if (offset >= other->offset + other->bytes || other->offset >= offset + b->bytes) continue;
      offset = other->offset + other->bytes;
      moved = true;
    }
  }
  return offset;
}

static int64_t place(buffer_list *buffers) {
  buffer **order = dl_malloc((buffers->len + 1) * sizeof(*order));
  for (size_t i = 0; i < buffers->len; i++) order[i] = &buffers->data[i];
  qsort(order, buffers->len, sizeof(*order), by_size);
  int64_t total = 0;
  for (size_t i = 0; i < buffers->len; i++) {
    order[i]->offset = lowest_offset(order, i);
    int64_t end = order[i]->offset + order[i]->bytes;
    total = end > total ? end : total;
  }
  free(order);
  return total;
}

static void replace(dl_value *arena, const buffer *b) {
  dl_builder at = dl_builder_before(b->alloc);
  dl_value *pointer = dl_result(b->alloc, 0);
  dl_value *slice = dl_build_loop_slice(&at, dl_loop_ptr_element(dl_value_type(pointer)), arena,
                                        dl_bound_const(at.ctx, b->offset));
  dl_op_replace(b->alloc, 1, &slice);
}

static void plan_function(dl_pass *pass, dl_op *func) {
  dl_block *block = dl_region_first(dl_op_region(func, 0));
  buffer_list buffers = {0};
  find_buffers(block, &buffers);
  if (buffers.len) {
    int64_t total = place(&buffers);
    dl_builder b = dl_builder_at_start(block, dl_op_loc(func));
    dl_value *arena = dl_build_loop_arena(&b, dl_bound_const(b.ctx, total));
    for (size_t i = 0; i < buffers.len; i++) replace(arena, &buffers.data[i]);
    dl_count(pass, "buffers", (int64_t)buffers.len);
    dl_count(pass, "arena-bytes", total);
    dl_pass_changed(pass);
  }
  DL_VEC_FREE(&buffers);
}

typedef struct weights {
  dl_pass *pass;
  DL_VEC(int64_t) offsets;
} weights;

static bool set_offset(dl_op *op, void *user) {
  const weights *w = user;
  size_t index = dl_is(op, loop_weight) ? (size_t)dl_get_i64(op, "index", 0) : SIZE_MAX;
  if (index >= w->offsets.len) return true;
  dl_attr offset = dl_i64_attr(dl_op_context(op), w->offsets.data[index]);
  if (dl_get_attr(op, "offset") == offset) return true;
  dl_set_attr(op, "offset", offset);
  dl_pass_changed(w->pass);
  return true;
}

// The results of @init lie one after the other.
static void place_weights(dl_pass *pass, dl_op *module) {
  dl_op *init = dl_symbol_lookup(module, dl_intern_z(dl_op_context(module), "init"));
  dl_attr signature = init ? dl_get_attr(init, "loop.signature") : NULL;
  if (!signature) return;
  weights w = {.pass = pass};
  int64_t offset = 0;
  for (size_t i = 0; i < signature->type->num_results; i++) {
    dl_type type = signature->type->results[i];
    DL_PUSH(&w.offsets, offset);
    offset += align(dl_num_elements(type) * (int64_t)dl_element_bytes(type->element));
  }
  dl_walk(module, set_offset, &w);
  DL_VEC_FREE(&w.offsets);
}

static dl_status run_plan_memory(dl_pass *pass, dl_op *module) {
  DL_FOR_OPS(op, dl_region_first(dl_op_region(module, 0))) {
    if (dl_is(op, func_func) && !dl_region_empty(dl_op_region(op, 0)) &&
        !dl_get_attr(op, "loop.kernel")) {
      plan_function(pass, op);
    }
  }
  place_weights(pass, module);
  return DL_OK;
}

static const char *const statistics[] = {"buffers", "arena-bytes"};

const dl_pass_def dl_pass_loop_plan_memory = {
    .name = "loop-plan-memory",
    .summary = "Place buffers in the arena and weights in the library",
    .anchor = "builtin.module",
    .contract = DL_EXACT,
    .num_statistics = DL_COUNT(statistics),
    .statistics = statistics,
    .run = run_plan_memory,
};
