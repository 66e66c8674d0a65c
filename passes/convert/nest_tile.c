// The accumulators of a tile: how they start, what joins them, and where they go.
#include "dialects/loop/loop_ops.h"
#include "passes/convert/nest_walk_internal.h"

// Booleans count as unsigned: true is the larger one.
static bool is_unsigned(const dl_stage *s) {
  dl_type element = s->c.result->element;
  return element->signedness == DL_UNSIGNED || (dl_is_integer(element) && element->width == 1);
}

dl_value *dl_tile_combine(dl_walk_state *w, dl_value *earlier, dl_value *value) {
  const dl_stage *s = w->stage;
  return dl_emit_combine(w->e, s->c.combiner, is_unsigned(s), earlier, value);
}

const dl_expr *dl_tile_root_iterators(const dl_walk_state *w, const dl_expr *iterators) {
  for (const dl_stage *s = w->stage; s != w->root; s = s->reader) {
    size_t count = s->reader->c.num_iterators;
    dl_expr *next = dl_arena_alloc(w->k->arena, (count + 1) * sizeof(dl_expr));
    dl_reader_iterators(w->k, s, iterators, next);
    iterators = next;
  }
  return iterators;
}

// The result of the driver is stored, or what its readers make of it.
static void finish_point(dl_walk_state *w, const dl_expr *iterators) {
  dl_kernel *k = w->k;
  dl_value *value = dl_point_result(k, w->stage, iterators, w->acc[w->acc_index]);
  const dl_expr *at = dl_tile_root_iterators(w, iterators);
  k->active = w->stage;
  k->accumulator = value;
  k->added = w->added;
  k->addend = w->nest->addend;
  if (w->root != w->stage) value = dl_point_value(k, w->root, at);
  k->active = NULL;
  k->added = NULL;
  dl_emit_store(w->e, value, w->root->result->pointer, dl_point_offset(k, w->root, at));
}

// Where the accumulator at hand waits between rounds.
static dl_expr carry_offset(const dl_walk_state *w, const dl_expr *iterators) {
  dl_loop_emitter *e = w->e;
  if (!w->carries_tile) return dl_point_offset(w->k, w->stage, iterators);
  dl_expr start = dl_expr_const(e->ctx, (int64_t)w->acc_index * e->lanes);
  return e->lanes == 1 ? start : dl_expr_add(dl_expr_dim(e->ctx, DL_LANE), start);
}

static void spill_point(dl_walk_state *w, const dl_expr *iterators) {
  dl_emit_store(w->e, w->acc[w->acc_index], w->carry, carry_offset(w, iterators));
}

static dl_value *emit_carried(dl_walk_state *w, const dl_expr *iterators) {
  size_t mark = w->e->emitted.len;
  dl_value *value = dl_emit_load(w->e, w->carry, carry_offset(w, iterators));
  w->e->emitted.len = mark;
  return w->e->lanes > 1 ? dl_emit_splat(w->e, value) : value;
}

static void reload_point(dl_walk_state *w, const dl_expr *iterators) {
  w->acc[w->acc_index] = emit_carried(w, iterators);
}

static void add_to_accumulator(dl_walk_state *w, dl_value *earlier) {
  dl_value **acc = &w->acc[w->acc_index];
  *acc = dl_tile_combine(w, earlier, *acc);
}

static void add_carried_point(dl_walk_state *w, const dl_expr *iterators) {
  add_to_accumulator(w, emit_carried(w, iterators));
}

// What the reader adds to the result.
static void add_addend_point(dl_walk_state *w, const dl_expr *iterators) {
  const dl_expr *at = dl_tile_root_iterators(w, iterators);
  add_to_accumulator(w, dl_read_input(w->k, w->root, w->nest->addend, at));
}

static void start_constants(dl_walk_state *w, dl_attr start) {
  w->e->lanes = w->vector_acc ? w->vector_acc : 1;
  dl_value *value = dl_emit_constant(w->e, start, w->vector_acc > 0);
  for (size_t i = 0; i < w->num_acc; i++) w->acc[i] = value;
  w->e->lanes = 1;
}

// Whether every reduce loop around the tile is at its first (last) index.
static dl_condition at_end(dl_walk_state *w, bool last) {
  dl_expr_list zero = {0};
  for (size_t l = 0; l < w->first_register; l++) {
    size_t axis = w->nest->loops[l];
    const dl_axis *a = &w->nest->axes.data[axis];
    if (!a->reduce) continue;
    dl_expr end = dl_expr_add_const(dl_walk_extent(w, axis), -1);
    if (a->kind == DL_AXIS_OUTER) end = dl_expr_mul_const(end, a->tile);
    DL_PUSH(&zero, last ? dl_expr_sub(w->value[axis], end) : dl_expr_mul_const(w->value[axis], -1));
  }
  dl_condition condition = dl_emit_condition(w->e, zero.len, zero.data);
  DL_VEC_FREE(&zero);
  return condition;
}

void dl_tile_start(dl_walk_state *w) {
  dl_loop_emitter *e = w->e;
  const dl_stage *s = w->stage;
  dl_attr start = w->reduce_lanes || w->partial ? dl_stage_identity(s) : s->c.init;
  if (w->partial) {
    start_constants(w, start);
    return;
  }
  dl_condition first = at_end(w, false);
  if (first.truth == DL_TRUTH_ALWAYS) {
    start_constants(w, start);
    return;
  }
  if (first.truth == DL_TRUTH_NEVER) {
    dl_walk_tile(w, reload_point);
    return;
  }
  dl_type element = dl_storage_type(s->c.result->element);
  DL_VEC(dl_type) types = {0};
  for (size_t i = 0; i < w->num_acc; i++) {
    DL_PUSH(&types, w->vector_acc ? dl_vector_type(element, 1, &w->vector_acc, NULL) : element);
  }
  dl_op *branch = dl_build_loop_if(&e->b, first.value, types.len, types.data, true);
  DL_VEC_FREE(&types);
  for (size_t r = 0; r < 2; r++) {
    dl_emit_mark mark = dl_emit_enter(e, dl_region_first(dl_op_region(branch, r)), NULL);
    if (r == 0) start_constants(w, start);
    if (r == 1) dl_walk_tile(w, reload_point);
    dl_build_loop_yield(&e->b, w->num_acc, w->acc);
    dl_emit_leave(e, mark);
  }
  for (size_t i = 0; i < w->num_acc; i++) w->acc[i] = dl_result(branch, i);
}

static void reduce_lanes(dl_walk_state *w) {
  for (size_t i = 0; i < w->num_acc; i++) {
    const char *combiner = dl_combiner_name(w->stage->c.combiner);
    w->acc[i] = dl_build_loop_reduce(&w->e->b, combiner, w->acc[i]);
  }
}

// The start value, for accumulators that started from the identity.
static void add_init(dl_walk_state *w) {
  const dl_stage *s = w->stage;
  if (s->c.init == dl_stage_identity(s)) return;
  w->e->lanes = w->reduce_lanes || !w->vector_acc ? 1 : w->vector_acc;
  dl_value *init = dl_emit_constant(w->e, s->c.init, w->e->lanes > 1);
  w->e->lanes = 1;
  for (w->acc_index = 0; w->acc_index < w->num_acc; w->acc_index++) add_to_accumulator(w, init);
}

// Emits one of two pieces of code, or both and a branch. Accumulators are of no use behind it.
static void emit_either(dl_walk_state *w, dl_condition condition, void (*yes)(dl_walk_state *w),
                        void (*no)(dl_walk_state *w)) {
  dl_loop_emitter *e = w->e;
  if (condition.truth != DL_TRUTH_SCALAR) {
    (condition.truth == DL_TRUTH_ALWAYS ? yes : no)(w);
    return;
  }
  dl_op *branch = dl_build_loop_if(&e->b, condition.value, 0, NULL, true);
  dl_value **before = dl_arena_alloc(w->k->arena, w->num_acc * sizeof(dl_value *));
  memcpy(before, w->acc, w->num_acc * sizeof(dl_value *));
  for (size_t r = 0; r < 2; r++) {
    dl_emit_mark mark = dl_emit_enter(e, dl_region_first(dl_op_region(branch, r)), NULL);
    (r == 0 ? yes : no)(w);
    dl_build_loop_yield(&e->b, 0, NULL);
    dl_emit_leave(e, mark);
    memcpy(w->acc, before, w->num_acc * sizeof(dl_value *));
  }
}

static void finish_points(dl_walk_state *w) { dl_walk_tile(w, finish_point); }

static void spill_points(dl_walk_state *w) { dl_walk_tile(w, spill_point); }

static void finish_or_spill(dl_walk_state *w) {
  emit_either(w, at_end(w, true), finish_points, spill_points);
}

static void add_addend(dl_walk_state *w) {
  if (w->added) dl_walk_tile(w, add_addend_point);
}

static void finish_only_round(dl_walk_state *w) {
  add_init(w);
  add_addend(w);
  finish_or_spill(w);
}

static void spill_first_round(dl_walk_state *w) {
  add_init(w);
  add_addend(w);
  spill_points(w);
}

static void finish_later_round(dl_walk_state *w) {
  dl_walk_tile(w, add_carried_point);
  finish_or_spill(w);
}

void dl_tile_finish(dl_walk_state *w) {
  if (w->reduce_lanes) reduce_lanes(w);
  if (w->partial) {
    dl_condition first = at_end(w, false);
    bool several = first.truth == DL_TRUTH_SCALAR;
    emit_either(w, first, several ? spill_first_round : finish_only_round, finish_later_round);
  } else {
    if (w->reduce_lanes) add_init(w);
    add_addend(w);
    finish_or_spill(w);
  }
}
