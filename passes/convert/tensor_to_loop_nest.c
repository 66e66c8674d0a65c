// Walking the loops of a nest, outermost first.
//
// The loops from `first_register` on hold only parallel axes that are unrolled or vectorized: the
// points of these make a tile whose accumulators are values. Reduce axes further out carry
// accumulators through memory.
#include "dialects/arith/arith_ops.h"
#include "dialects/loop/loop_ops.h"
#include "passes/convert/nest_walk_internal.h"

static dl_axis *axis_at(const dl_walk_state *w, size_t level) {
  return &w->nest->axes.data[w->nest->loops[level]];
}

dl_expr dl_walk_temp(const dl_walk_state *w, size_t axis) { return w->temp[axis]; }

// --- values of axes ---

static size_t child_of(const dl_walk_state *w, size_t axis, dl_axis_kind *kind) {
  for (size_t i = axis + 1; i < w->nest->axes.len; i++) {
    const dl_axis *a = &w->nest->axes.data[i];
    *kind = a->kind;
    if (a->source == axis && a->kind != DL_AXIS_INNER) return i;
    if (a->kind == DL_AXIS_FUSED && a->partner == axis) return i;
  }
  dl_bug(w->stage->op, "axis %zu is no loop", axis);
}

static dl_expr axis_value(const dl_walk_state *w, size_t axis);

// Where the tile that an outer axis is at starts.
static dl_expr tile_start(const dl_walk_state *w, size_t outer) {
  const dl_axis *a = &w->nest->axes.data[outer];
  if (a->leaf && w->value[outer]) return w->value[outer];
  return dl_expr_mul_const(axis_value(w, outer), a->tile);
}

// The value over what is open, and over a further dimension for each axis whose loop is not.
static dl_expr axis_value(const dl_walk_state *w, size_t axis) {
  const dl_axis *a = &w->nest->axes.data[axis];
  if (a->leaf) return w->value[axis] ? w->value[axis] : dl_walk_temp(w, axis);
  dl_axis_kind kind;
  size_t child = child_of(w, axis, &kind);
  const dl_axis *c = &w->nest->axes.data[child];
  if (kind == DL_AXIS_OUTER) return dl_expr_add(tile_start(w, child), axis_value(w, c->partner));
  dl_expr fused = dl_emit_named(w->e, axis_value(w, child));
  dl_expr inner = dl_expr_const(w->e->ctx, w->nest->axes.data[c->partner].extent);
  return axis == c->source ? dl_expr_floordiv(fused, inner) : dl_expr_mod(fused, inner);
}

void dl_walk_iterators(const dl_walk_state *w, dl_expr *iterators) {
  const dl_expr *first = w->stage->first;
  for (size_t i = 0; i < w->nest->num_iterators; i++) {
    iterators[i] = axis_value(w, i);
    if (first) iterators[i] = dl_expr_add(first[i], iterators[i]);
  }
}

dl_range dl_walk_range(const dl_walk_state *w, dl_expr expr, size_t axis, dl_range of_axis) {
  for (size_t i = 0; i < w->nest->axes.len; i++) {
    int64_t extent = w->extent[i];
    dl_range whole = {0, extent == DL_DYNAMIC ? INT64_MAX : extent - 1};
    w->e->ranges.data[w->temp[i]->value] = i == axis ? of_axis : whole;
  }
  return dl_emit_range(w->e, expr);
}

dl_expr dl_walk_extent(const dl_walk_state *w, size_t axis) {
  const dl_axis *a = &w->nest->axes.data[axis];
  dl_context *ctx = w->e->ctx;
  if (a->extent != DL_DYNAMIC) return dl_expr_const(ctx, a->extent);
  switch (a->kind) {
    case DL_AXIS_ITERATOR:
      return w->stage->counts ? w->stage->counts[axis] : w->stage->extents[axis];
    case DL_AXIS_OUTER:
      return dl_expr_ceildiv(dl_walk_extent(w, a->source), dl_expr_const(ctx, a->tile));
    case DL_AXIS_INNER:
      return dl_expr_const(ctx, a->tile);
    case DL_AXIS_FUSED:
      break;
  }
  return dl_expr_mul(dl_walk_extent(w, a->source), dl_walk_extent(w, a->partner));
}

// --- loops ---

static void emit_level(dl_walk_state *w, size_t level);
static void emit_inner_nest(dl_kernel *k, dl_stage *root);

static void emit_point(dl_walk_state *w) {
  dl_expr *iterators = dl_arena_alloc(w->k->arena, (w->nest->num_iterators + 1) * sizeof(dl_expr));
  dl_walk_iterators(w, iterators);
  dl_value *value = dl_point_value(w->k, w->stage, iterators);
  if (!w->reduces) {
    dl_emit_store(w->e, value, w->stage->result->pointer,
                  dl_point_offset(w->k, w->stage, iterators));
    return;
  }
  if (!value) return;
  if (w->vector_acc) value = dl_emit_splat(w->e, value);
  if (w->reduce_lanes) value = dl_emit_counted(w->e, value, dl_stage_identity(w->stage));
  dl_value **acc = &w->acc[w->acc_index];
  *acc = dl_tile_combine(w, *acc, value);
}

// Number of values that an axis has in the numbering of accumulators.
static int64_t acc_radix(const dl_walk_state *w, size_t axis) {
  const dl_axis *a = &w->nest->axes.data[axis];
  bool tiled_here = false;
  for (size_t l = w->first_register; l < w->nest->num_loops; l++) {
    tiled_here |= a->kind == DL_AXIS_INNER && w->nest->loops[l] == a->partner;
  }
  return tiled_here ? a->extent : w->extent[axis];
}

// The computes that are made inside of a loop, at its index now.
static void emit_inside(dl_walk_state *w, size_t axis) {
  dl_kernel *k = w->k;
  bool any = false;
  for (size_t i = 0; i < k->stages.len; i++) {
    const dl_stage *s = k->stages.data[i];
    any |= s->host == w->stage && s->host_axis == axis;
  }
  if (!any || w->visit) return;
  dl_region_open(w, axis);
  for (size_t i = 0; i < k->stages.len; i++) {
    dl_stage *s = k->stages.data[i];
    if (s->host == w->stage && s->host_axis == axis) emit_inner_nest(k, s);
  }
}

// Opens an axis at one index, runs the loops inside, and closes it.
static void at_index(dl_walk_state *w, size_t level, const dl_segment *s, dl_expr index,
                     int64_t position) {
  size_t axis = w->nest->loops[level], acc_index = w->acc_index;
  const dl_axis *a = axis_at(w, level);
  int64_t inner_extent = 0;
  if (a->kind == DL_AXIS_OUTER) {
    inner_extent = w->extent[a->partner];
    w->extent[a->partner] = s->inner;
    w->value[axis] = dl_segment_start(w, a, s, index);
    if (s->count) w->count[a->partner] = s->count;
  } else {
    w->value[axis] = index;
  }
  if (w->in_tile && !a->reduce) {
    w->acc_index = acc_index * (size_t)acc_radix(w, axis) + (size_t)position;
  }
  emit_inside(w, axis);
  emit_level(w, level + 1);
  w->acc_index = acc_index;
  w->value[axis] = NULL;
  if (a->kind != DL_AXIS_OUTER) return;
  w->extent[a->partner] = inner_extent;
  w->count[a->partner] = NULL;
}

static void emit_singles(dl_walk_state *w, size_t level, const dl_segment *s) {
  for (int64_t i = s->lo->value; i < s->hi->value; i++) {
    at_index(w, level, s, dl_expr_const(w->e->ctx, i), i);
  }
}

static dl_range loop_range(const dl_walk_state *w, dl_expr lo, dl_expr hi) {
  dl_range first = dl_emit_range(w->e, lo), end = dl_emit_range(w->e, hi);
  int64_t max = end.max == INT64_MAX ? INT64_MAX : end.max - 1;
  return (dl_range){first.min, max < first.min ? first.min : max};
}

// A loop over [lo, hi) whose body is made of `unroll` consecutive indices; hi - lo is a multiple of
// it.
static void emit_loop(dl_walk_state *w, size_t level, const dl_segment *s, dl_expr lo, dl_expr hi,
                      int64_t unroll) {
  dl_loop_emitter *e = w->e;
  dl_bound lower = dl_emit_bound(e, 1, &lo), upper = dl_emit_bound(e, 1, &hi);
  size_t carried = w->in_tile ? w->num_acc : 0;
  dl_op *loop = dl_build_loop_for(&e->b, lower, upper, unroll, carried, w->acc);
  dl_block *body = dl_region_first(dl_op_region(loop, 0));
  dl_emit_mark mark = dl_emit_enter(e, body, NULL);
  dl_value_set_name(dl_arg(body, 0), axis_at(w, level)->name);
  for (size_t i = 0; i < carried; i++) w->acc[i] = dl_arg(body, 1 + i);
  dl_expr index = dl_emit_dim(e, dl_arg(body, 0), loop_range(w, lo, hi));
  for (int64_t u = 0; u < unroll; u++) at_index(w, level, s, dl_expr_add_const(index, u), 0);
  dl_build_loop_yield(&e->b, carried, w->acc);
  dl_emit_leave(e, mark);
  for (size_t i = 0; i < carried; i++) w->acc[i] = dl_result(loop, i);
}

static void emit_segment(dl_walk_state *w, size_t level, const dl_segment *s) {
  const dl_axis *a = axis_at(w, level);
  dl_context *ctx = w->e->ctx;
  bool constant = s->lo->kind == DL_EXPR_CONST && s->hi->kind == DL_EXPR_CONST;
  if (!constant) {
    emit_loop(w, level, s, s->lo, s->hi, 1);
    return;
  }
  int64_t lo = s->lo->value, count = s->hi->value - lo;
  if (count <= 0) return;
  if (count == 1 || a->unroll == DL_UNROLL_FULL) {
    emit_singles(w, level, s);
    return;
  }
  int64_t unroll = a->unroll > 1 && a->unroll <= count ? a->unroll : 1;
  int64_t whole = count - count % unroll;
  dl_segment tail = *s;
  tail.lo = dl_expr_const(ctx, lo + whole);
  if (whole == unroll) {
    tail.lo = s->lo;
  } else {
    emit_loop(w, level, s, s->lo, tail.lo, unroll);
  }
  emit_singles(w, level, &tail);
}

static void emit_segments(dl_walk_state *w, size_t level) {
  dl_segment_list segments = {0};
  size_t satisfied = dl_walk_segments(w, level, &segments);
  for (size_t i = 0; i < segments.len; i++) emit_segment(w, level, &segments.data[i]);
  dl_walk_forget(w, satisfied);
  DL_VEC_FREE(&segments);
}

static void emit_lanes(dl_walk_state *w, size_t level) {
  dl_loop_emitter *e = w->e;
  size_t axis = w->nest->loops[level];
  dl_value *count = e->count;
  if (w->count[axis]) e->count = dl_emit_index(e, w->count[axis]);
  e->lanes = w->extent[axis];
  w->value[axis] = dl_expr_dim(e->ctx, DL_LANE);
  emit_level(w, level + 1);
  w->value[axis] = NULL;
  e->lanes = 1;
  e->count = count;
}

// --- tiles of accumulators ---

static bool is_tensorized(const dl_walk_state *w, size_t level) {
  return level < w->nest->num_loops && w->nest->axes.data[w->nest->loops[level]].machine_op;
}

static size_t vector_axis(const dl_walk_state *w) {
  size_t count = w->nest->num_loops;
  if (count && is_tensorized(w, count - 1)) count--;
  if (count == 0) return DL_NO_AXIS;
  size_t last = w->nest->loops[count - 1];
  bool vector = w->nest->axes.data[last].vectorize && w->extent[last] > 1;
  return vector ? last : DL_NO_AXIS;
}

static void count_accumulators(dl_walk_state *w) {
  w->num_acc = 1;
  for (size_t l = w->first_register; l < w->nest->num_loops; l++) {
    size_t axis = w->nest->loops[l];
    if (w->nest->axes.data[axis].reduce || axis == vector_axis(w)) continue;
    w->num_acc *= (size_t)acc_radix(w, axis);
  }
}

static void visit_tile(dl_walk_state *w, size_t level, dl_tile_visit visit) {
  if (level < w->nest->num_loops) {
    dl_axis *a = axis_at(w, level);
    if (a->reduce) {
      size_t axis = w->nest->loops[level];
      w->value[axis] = dl_expr_const(w->e->ctx, 0);
      visit_tile(w, level + 1, visit);
      w->value[axis] = NULL;
      return;
    }
    w->visit = visit;
    if (w->nest->loops[level] == vector_axis(w)) {
      emit_lanes(w, level);
    } else {
      emit_segments(w, level);
    }
    return;
  }
  dl_expr *iterators = dl_arena_alloc(w->k->arena, (w->nest->num_iterators + 1) * sizeof(dl_expr));
  dl_walk_iterators(w, iterators);
  visit(w, iterators);
}

void dl_walk_tile(dl_walk_state *w, dl_tile_visit visit) {
  w->acc_index = 0;
  visit_tile(w, w->first_register, visit);
  w->visit = NULL;
}

static void emit_tile(dl_walk_state *w, size_t level) {
  size_t vector = vector_axis(w);
  w->vector_acc = vector == DL_NO_AXIS ? 0 : w->extent[vector];
  w->reduce_lanes = vector != DL_NO_AXIS && w->nest->axes.data[vector].reduce;
  count_accumulators(w);
  w->acc = dl_calloc(w->num_acc, sizeof(dl_value *));
  w->in_tile = true;
  dl_tile_start(w);
  w->acc_index = 0;
  emit_level(w, level);
  dl_tile_finish(w);
  w->in_tile = false;
  free(w->acc);
  w->acc = NULL;
}

static void emit_parallel_level(dl_walk_state *w, size_t level);

static void emit_level(dl_walk_state *w, size_t level) {
  if (level < w->num_parallel) {
    emit_parallel_level(w, level);
  } else if (w->visit) {
    visit_tile(w, level, w->visit);
  } else if (w->reduces && !w->in_tile && level == w->first_register) {
    emit_tile(w, level);
  } else if (level == w->nest->num_loops) {
    emit_point(w);
  } else if (is_tensorized(w, level)) {
    w->acc[w->acc_index] = dl_tensorize_emit(w, w->acc[w->acc_index]);
  } else if (w->nest->loops[level] == vector_axis(w)) {
    emit_lanes(w, level);
  } else {
    emit_segments(w, level);
  }
}

// --- parallel loops ---

// The code of segment i and those after it, chosen by the index.
static void emit_choice(dl_walk_state *w, size_t level, const dl_segment_list *segments, size_t i) {
  dl_loop_emitter *e = w->e;
  const dl_segment *s = &segments->data[i];
  dl_expr index = w->indices[level];
  dl_range *range = &e->ranges.data[index->value], all = *range;
  dl_op *branch = NULL;
  dl_emit_mark mark;
  if (i + 1 < segments->len) {
    dl_expr below = dl_expr_add_const(dl_expr_sub(s->hi, index), -1);
    dl_condition inside = dl_emit_condition(e, 1, &below);
    branch = dl_build_loop_if(&e->b, inside.value, 0, NULL, true);
    mark = dl_emit_enter(e, dl_region_first(dl_op_region(branch, 0)), NULL);
  }
  if (s->single) {
    emit_segment(w, level, s);
  } else {
    *range = loop_range(w, s->lo, s->hi);
    at_index(w, level, s, range->min == range->max ? s->lo : index, 0);
    e->ranges.data[index->value] = all;
  }
  if (!branch) return;
  dl_build_loop_yield(&e->b, 0, NULL);
  dl_emit_leave(e, mark);
  mark = dl_emit_enter(e, dl_region_first(dl_op_region(branch, 1)), NULL);
  emit_choice(w, level, segments, i + 1);
  dl_build_loop_yield(&e->b, 0, NULL);
  dl_emit_leave(e, mark);
}

static void emit_parallel_level(dl_walk_state *w, size_t level) {
  dl_segment_list segments = {0};
  size_t satisfied = dl_walk_segments(w, level, &segments);
  if (segments.len) emit_choice(w, level, &segments, 0);
  dl_walk_forget(w, satisfied);
  DL_VEC_FREE(&segments);
}

// Memory of the code of one parallel iteration, at its start.
static dl_value *task_memory(dl_kernel *k, const dl_stage *s, int64_t elements) {
  dl_builder start = dl_builder_at_start(k->task, k->e.b.loc);
  return dl_build_loop_local(&start, dl_storage_type(s->c.result->element), elements);
}

static dl_value *result_memory(dl_kernel *k, const dl_stage *s) {
  return task_memory(k, s, dl_ref_elements(k, s->result)->value);
}

// Room for the accumulators of a whole tile.
static dl_value *tile_memory(dl_walk_state *w) {
  size_t vector = vector_axis(w);
  bool lanes = vector != DL_NO_AXIS && !w->nest->axes.data[vector].reduce;
  count_accumulators(w);
  return task_memory(w->k, w->stage, (int64_t)w->num_acc * (lanes ? w->extent[vector] : 1));
}

static dl_op *emit_parallel(dl_walk_state *w) {
  dl_loop_emitter *e = w->e;
  size_t count = 0;
  while (count < w->nest->num_loops && axis_at(w, count)->parallel) count++;
  dl_expr *extents = dl_arena_alloc(w->k->arena, (count + 1) * sizeof(dl_expr));
  w->indices = dl_arena_alloc(w->k->arena, (count + 1) * sizeof(dl_expr));
  for (size_t i = 0; i < count; i++) extents[i] = dl_walk_extent(w, w->nest->loops[i]);
  dl_op *loop = dl_build_loop_parallel(&e->b, dl_emit_bound(e, count, extents));
  dl_block *body = dl_region_first(dl_op_region(loop, 0));
  dl_emit_mark mark = dl_emit_enter(e, body, dl_block_terminator(body));
  dl_expr zero = dl_expr_const(e->ctx, 0);
  for (size_t i = 0; i < count; i++) {
    dl_value_set_name(dl_arg(body, i), axis_at(w, i)->name);
    w->indices[i] = dl_emit_dim(e, dl_arg(body, i), loop_range(w, zero, extents[i]));
  }
  w->num_parallel = count;
  w->k->task = body;
  if (w->carries_tile) w->carry = tile_memory(w);
  emit_level(w, 0);
  dl_emit_leave(e, mark);
  return loop;
}

// --- preparation ---

static void find_registers(dl_walk_state *w) {
  dl_nest *nest = w->nest;
  w->first_register = nest->num_loops;
  if (!w->reduces) return;
  while (w->first_register > 0) {
    const dl_axis *a = axis_at(w, w->first_register - 1);
    bool in_register = (a->unroll == DL_UNROLL_FULL || a->vectorize) && a->extent != DL_DYNAMIC;
    if (a->parallel || a->partial || !(a->reduce || in_register)) break;
    w->first_register--;
  }
}

// The first loop of at least `level` outside of the tile that is (not) over a reduce axis, or
// first_register.
static size_t next_carrying(const dl_walk_state *w, size_t level, bool reduce) {
  while (level < w->first_register && axis_at(w, level)->reduce != reduce) level++;
  return level;
}

static void plan_carry(dl_walk_state *w) {
  size_t vector = vector_axis(w), first = next_carrying(w, 0, true);
  if (first == w->first_register) return;
  w->carries = true;
  w->carries_tile = next_carrying(w, first, false) == w->first_register;
  w->partial = w->added || (vector != DL_NO_AXIS && w->nest->axes.data[vector].reduce);
  for (size_t l = 0; l < w->first_register; l++) w->partial |= axis_at(w, l)->partial;
}

static dl_status check_carry(const dl_walk_state *w) {
  bool inside = w->root->role == DL_ROLE_INSIDE && w->root != w->stage && !w->root->local;
  const dl_axis *partial = NULL;
  for (size_t l = 0; l < w->first_register; l++) {
    const dl_axis *a = axis_at(w, l);
    if (!a->reduce) continue;
    bool counted = a->extent != DL_DYNAMIC || (a->kind != DL_AXIS_OUTER && !w->partial);
    if (!counted || (inside && !w->carries_tile)) {
      return dl_error(dl_op_loc(w->stage->op),
                      "loop '%s' has no constant size and must be inside of "
                      "the accumulator tile",
                      a->name);
    }
    if (partial) {
      return dl_error(dl_op_loc(w->stage->op),
                      "partial(%s): reduce loop '%s' inside of it must be inside of the "
                      "accumulator tile",
                      partial->name, a->name);
    }
    if (a->partial) partial = a;
  }
  return DL_OK;
}

// Memory for the accumulators of all points, where other loops come between the reduce loops and
// the tile: the root's buffer where each element is stored at the same place in the end, else one
// of its own.
static void prepare_carry(dl_walk_state *w) {
  dl_stage *s = w->stage;
  if (!w->carries || w->carries_tile) return;
  if (w->root == s) {
    w->carry = w->root->result->pointer;
  } else if (w->root->role == DL_ROLE_INSIDE) {
    if (!s->result->pointer) s->result->pointer = result_memory(w->k, s);
    w->carry = s->result->pointer;
  } else {
    dl_expr elements = dl_ref_elements(w->k, s->result);
    dl_bound bound = dl_emit_bound(w->e, 1, &elements);
    w->carry = dl_build_loop_alloc(&w->e->b, dl_storage_type(s->c.result->element), bound);
  }
}

// Tiles of tiles and fused tiles have no code for a partial tile.
static dl_status check_tiles(const dl_walk_state *w) {
  for (size_t i = 0; i < w->nest->axes.len; i++) {
    const dl_axis *a = &w->nest->axes.data[i];
    if (a->kind != DL_AXIS_OUTER || a->leaf) continue;
    int64_t whole = w->nest->axes.data[a->source].extent;
    if (whole == DL_DYNAMIC || whole % a->tile) {
      return dl_error(dl_op_loc(w->stage->op),
                      "'%s' cannot be tiled or fused again, because its last "
                      "tile is partial",
                      a->name);
    }
  }
  return DL_OK;
}

// Lanes must be neighbours in what is stored.
static dl_status check_lanes(dl_walk_state *w) {
  size_t vector = vector_axis(w);
  if (vector == DL_NO_AXIS || w->nest->axes.data[vector].reduce) return DL_OK;
  dl_expr *at = dl_arena_alloc(w->k->arena, (w->nest->num_iterators + 1) * sizeof(dl_expr));
  dl_walk_iterators(w, at);
  int64_t coefficient;
  dl_expr rest, offset = dl_point_offset(w->k, w->root, dl_tile_root_iterators(w, at));
  offset = dl_emit_flatten(w->e, offset);
  unsigned dim = (unsigned)dl_walk_temp(w, vector)->value;
  if (dl_expr_split_dim(offset, dim, &coefficient, &rest) && coefficient == 1) return DL_OK;
  return dl_error(dl_op_loc(w->stage->op),
                  "'%s' cannot be vectorized: its points are not next to each "
                  "other in the result",
                  w->nest->axes.data[vector].name);
}

static dl_status check_addition(const dl_walk_state *w) {
  if (w->nest->addend == DL_NO_AXIS || w->added) return DL_OK;
  return dl_error(dl_op_loc(w->stage->op),
                  "accumulate(%s, %zu): its reader does not add an input of this number to it",
                  w->stage->c.label, w->nest->addend);
}

void dl_walk_init(dl_walk_state *w, dl_kernel *k, dl_stage *root) {
  dl_stage *stage = root->driver ? root->driver : root;
  dl_nest *nest = &stage->nest;
  size_t count = nest->axes.len + 1;
  *w = (dl_walk_state){.k = k,
                       .e = &k->e,
                       .stage = stage,
                       .root = root,
                       .nest = nest,
                       .value = dl_arena_alloc(k->arena, count * sizeof(dl_expr)),
                       .count = dl_arena_alloc(k->arena, count * sizeof(dl_expr)),
                       .temp = dl_arena_alloc(k->arena, count * sizeof(dl_expr)),
                       .extent = dl_arena_alloc(k->arena, count * sizeof(int64_t)),
                       .reduces = stage->c.combiner != DL_COMBINE_NONE};
  for (size_t i = 0; i < nest->axes.len; i++) {
    w->extent[i] = nest->axes.data[i].extent;
    w->temp[i] = dl_emit_dim(&k->e, NULL, (dl_range){0, INT64_MAX});
  }
  if (stage != root && nest->addend != DL_NO_AXIS) {
    w->added = dl_find_addition(stage, nest->addend);
  }
  find_registers(w);
  plan_carry(w);
}

// What a loop of the tile holds is not there any more when the root takes the accumulators.
static dl_status check_root_reads(const dl_walk_state *w) {
  if (w->root == w->stage) return DL_OK;
  for (size_t i = 0; i < w->root->c.num_inputs; i++) {
    const dl_stage *s = dl_kernel_ref(w->k, w->root->c.inputs[i])->stage;
    if (!s || s->host != w->stage) continue;
    for (size_t l = w->first_register; l < w->nest->num_loops; l++) {
      if (w->nest->loops[l] != s->host_axis) continue;
      return dl_error(dl_op_loc(s->op),
                      "@%s cannot be computed at '%s', because @%s reads it outside of that loop",
                      s->c.label, w->nest->axes.data[s->host_axis].name, w->root->c.label);
    }
  }
  return DL_OK;
}

dl_status dl_kernel_check_nest(dl_kernel *k, dl_stage *root) {
  dl_walk_state w;
  dl_walk_init(&w, k, root);
  DL_TRY(check_tiles(&w));
  DL_TRY(check_lanes(&w));
  DL_TRY(check_addition(&w));
  DL_TRY(check_carry(&w));
  DL_TRY(check_root_reads(&w));
  DL_TRY(dl_tensorize_check(&w));
  return dl_region_check(k, root);
}

// Loads of what the nest writes were made for an earlier index.
static void emit_inner_nest(dl_kernel *k, dl_stage *root) {
  dl_walk_state w;
  dl_loc loc = k->e.b.loc;
  if (!root->result->pointer) root->result->pointer = result_memory(k, root);
  dl_walk_init(&w, k, root);
  k->e.b.loc = dl_op_loc(w.stage->op);
  dl_emit_forget(&k->e, root->result->pointer);
  prepare_carry(&w);
  if (w.carries_tile) w.carry = tile_memory(&w);
  emit_level(&w, 0);
  k->e.b.loc = loc;
}

void dl_kernel_emit_nest(dl_kernel *k, dl_stage *root) {
  dl_walk_state w;
  dl_walk_init(&w, k, root);
  k->e.b.loc = dl_op_loc(w.stage->op);
  prepare_carry(&w);
  dl_emit_mark mark = dl_emit_enter(&k->e, k->e.b.block, k->e.b.before);
  dl_estimate_work(k, root, emit_parallel(&w));
  dl_emit_leave(&k->e, mark);
}
