// How the range of a loop falls into segments.
#include "dialects/arith/arith_ops.h"
#include "passes/convert/nest_walk_internal.h"

#define MAX_MARKED_BORDERS 64  // what fits the mask
#define MAX_BORDER_COPIES 8    // copies of a loop's body for indices at a border
#define MAX_PARALLEL_COPIES 4  // likewise, where each copy holds whole kernels
#define MAX_BORDER_POINTS 512  // for which it is worked out when which is out of range

dl_expr dl_segment_start(dl_walk_state *w, const dl_axis *outer, const dl_segment *s,
                         dl_expr index) {
  if (s->single) return index;
  dl_expr start = dl_expr_mul_const(index, outer->tile);
  if (!s->overlap) return start;
  int64_t last = w->extent[outer->source] - outer->tile;
  if (start->kind == DL_EXPR_CONST) {
    return dl_expr_const(w->e->ctx, start->value < last ? start->value : last);
  }
  dl_value *limit = dl_emit_index(w->e, dl_expr_const(w->e->ctx, last));
  dl_value *value = dl_emit_binary(w->e, &arith_minsi, dl_emit_index(w->e, start), limit);
  return dl_emit_dim(w->e, value, (dl_range){0, last});
}

static void push(dl_walk_state *w, dl_segment_list *out, int64_t lo, int64_t hi, dl_segment like) {
  if (lo >= hi) return;
  like.lo = dl_expr_const(w->e->ctx, lo);
  like.hi = dl_expr_const(w->e->ctx, hi);
  DL_PUSH(out, like);
}

// --- tiles ---

// Lanes of a reduction are always masked, because accumulators keep their size.
static bool masks(const dl_walk_state *w, const dl_axis *a) {
  if (!w->nest->axes.data[a->partner].vectorize) return false;
  return a->reduce || a->remainder == DL_REMAINDER_MASK;
}

static void static_tiles(dl_walk_state *w, const dl_axis *a, int64_t whole, dl_segment_list *out) {
  int64_t full = whole / a->tile, rest = whole % a->tile;
  bool masked = masks(w, a);
  bool overlap = a->remainder == DL_REMAINDER_OVERLAP && rest > 0;
  push(w, out, 0, full + overlap, (dl_segment){.inner = a->tile, .overlap = overlap});
  if (rest == 0 || overlap) return;
  dl_segment partial = {.inner = masked ? a->tile : rest};
  if (masked) partial.count = dl_expr_const(w->e->ctx, rest);
  push(w, out, full, full + 1, partial);
}

static void dynamic_tiles(dl_walk_state *w, const dl_axis *a, dl_segment_list *out) {
  dl_context *ctx = w->e->ctx;
  dl_expr whole = dl_walk_extent(w, a->source), tile = dl_expr_const(ctx, a->tile);
  dl_expr full = dl_expr_floordiv(whole, tile), zero = dl_expr_const(ctx, 0);
  DL_PUSH(out, (dl_segment){.lo = zero, .hi = full, .inner = a->tile});
  dl_expr done = dl_expr_mul(full, tile);
  if (masks(w, a)) {
    DL_PUSH(out, (dl_segment){.lo = full,
                              .hi = dl_expr_ceildiv(whole, tile),
                              .inner = a->tile,
                              .count = dl_expr_sub(whole, done)});
  } else {
    DL_PUSH(out, (dl_segment){.lo = done, .hi = whole, .inner = 1, .single = true});
  }
}

static void whole_range(dl_walk_state *w, size_t axis, dl_segment_list *out) {
  const dl_axis *a = &w->nest->axes.data[axis];
  if (a->kind == DL_AXIS_OUTER) {
    int64_t whole = w->extent[a->source];
    if (whole == DL_DYNAMIC) {
      dynamic_tiles(w, a, out);
    } else {
      static_tiles(w, a, whole, out);
    }
  } else if (w->extent[axis] != DL_DYNAMIC) {
    push(w, out, 0, w->extent[axis], (dl_segment){0});
  } else {
    dl_expr zero = dl_expr_const(w->e->ctx, 0);
    DL_PUSH(out, (dl_segment){.lo = zero, .hi = dl_walk_extent(w, axis)});
  }
}

// --- borders ---

// A border at this point of the walk: its index over open loops and temps.
typedef struct open_border {
  dl_expr index, limit;  // in range: 0 <= index <= limit
  size_t last;           // level of the innermost loop still to open that it depends on
  bool clips;            // that loop can leave out the indices that are out of range
} open_border;

static bool in_range(const dl_walk_state *w, const open_border *b, size_t axis, dl_range at) {
  dl_range index = dl_walk_range(w, b->index, axis, at);
  dl_range room = dl_walk_range(w, dl_expr_sub(b->limit, b->index), axis, at);
  return index.min >= 0 && room.min >= 0;
}

static bool depends(const dl_walk_state *w, const open_border *b, size_t level) {
  return dl_expr_uses_dim(b->index, (unsigned)dl_walk_temp(w, w->nest->loops[level])->value);
}

// False when nothing is to be done about it at this level.
static bool open_at(dl_walk_state *w, const dl_border *border, const dl_expr *iterators,
                    size_t level, open_border *out) {
  if (border->satisfied) return false;
  const dl_stage *s = w->stage;
  dl_tensor_ref *ref = dl_kernel_ref(w->k, s->c.inputs[border->input]);
  out->index = dl_emit_flatten(w->e, dl_border_index(s, border, iterators));
  out->limit = dl_expr_add_const(ref->sizes[border->dim], -1);
  if (!depends(w, out, level) || in_range(w, out, DL_NO_AXIS, (dl_range){0, 0})) return false;
  out->last = level;
  for (size_t l = level; l < w->nest->num_loops; l++) {
    if (depends(w, out, l)) out->last = l;
  }
  size_t axis = w->nest->loops[out->last];
  const dl_axis *a = &w->nest->axes.data[axis];
  int64_t coefficient;
  dl_expr rest;
  out->clips =
      a->reduce && !a->vectorize && a->kind != DL_AXIS_OUTER && s->vanishes[border->input] &&
      dl_expr_split_dim(out->index, (unsigned)dl_walk_temp(w, axis)->value, &coefficient, &rest) &&
      coefficient > 0;
  return true;
}

typedef DL_VEC(open_border) open_list;

static void find_open(dl_walk_state *w, size_t level, open_list *out) {
  size_t count = w->nest->num_iterators;
  dl_expr *iterators = dl_arena_alloc(w->k->arena, (count + 1) * sizeof(dl_expr));
  dl_walk_iterators(w, iterators);
  for (size_t i = 0; i < w->stage->borders.len; i++) {
    open_border border;
    if (open_at(w, &w->stage->borders.data[i], iterators, level, &border)) DL_PUSH(out, border);
  }
}

static bool clean_at(const dl_walk_state *w, const open_list *borders, size_t axis, int64_t index) {
  for (size_t i = 0; i < borders->len; i++) {
    const open_border *b = &borders->data[i];
    if (!b->clips && !in_range(w, b, axis, (dl_range){index, index})) return false;
  }
  return true;
}

// Splits a segment into indices at the borders, each for itself, and those between.
static void split(dl_walk_state *w, size_t level, const open_list *borders, dl_segment s,
                  dl_segment_list *out) {
  size_t axis = w->nest->loops[level];
  const dl_axis *a = &w->nest->axes.data[axis];
  int64_t lo = s.lo->value, hi = s.hi->value, first, end, inner = 0;
  if (a->kind == DL_AXIS_OUTER) inner = w->extent[a->partner], w->extent[a->partner] = s.inner;
  for (first = lo; first < hi && !clean_at(w, borders, axis, first); first++) continue;
  for (end = first; end < hi && clean_at(w, borders, axis, end); end++) continue;
  if (a->kind == DL_AXIS_OUTER) w->extent[a->partner] = inner;
  int64_t copies = (first - lo) + (hi - end);
  if (copies == 0 || copies > (a->parallel ? MAX_PARALLEL_COPIES : MAX_BORDER_COPIES)) {
    DL_PUSH(out, s);
    return;
  }
  for (int64_t i = lo; i < first; i++) push(w, out, i, i + 1, s);
  push(w, out, first, end, s);
  for (int64_t i = end; i < hi; i++) push(w, out, i, i + 1, s);
}

static bool constant_range(const dl_segment *s) {
  return s->lo->kind == DL_EXPR_CONST && s->hi->kind == DL_EXPR_CONST;
}

static void split_all(dl_walk_state *w, size_t level, dl_segment_list *segments) {
  open_list borders = {0};
  find_open(w, level, &borders);
  dl_segment_list out = {0};
  for (size_t i = 0; i < segments->len && borders.len; i++) {
    dl_segment s = segments->data[i];
    if (constant_range(&s) && !s.overlap) {
      split(w, level, &borders, s, &out);
    } else {
      DL_PUSH(&out, s);
    }
  }
  if (borders.len) {
    DL_VEC_FREE(segments);
    *segments = out;
  }
  DL_VEC_FREE(&borders);
}

// The larger (smaller) of two bounds.
static dl_expr bound_of_two(dl_walk_state *w, const dl_op_def *def, dl_expr a, dl_expr b) {
  bool largest = def == &arith_maxsi;
  dl_range ra = dl_emit_range(w->e, a), rb = dl_emit_range(w->e, b);
  if (largest ? ra.min >= rb.max : ra.max <= rb.min) return a;
  if (largest ? rb.min >= ra.max : rb.max <= ra.min) return b;
  dl_value *value = dl_emit_binary(w->e, def, dl_emit_index(w->e, a), dl_emit_index(w->e, b));
  dl_range range =
      largest ? (dl_range){ra.min > rb.min ? ra.min : rb.min, ra.max > rb.max ? ra.max : rb.max}
              : (dl_range){ra.min < rb.min ? ra.min : rb.min, ra.max < rb.max ? ra.max : rb.max};
  return dl_emit_dim(w->e, value, range);
}

// Leaves out the indices at which the border's read is out of range.
static void clip(dl_walk_state *w, const open_border *b, size_t axis, dl_segment *s) {
  dl_context *ctx = w->e->ctx;
  int64_t coefficient;
  dl_expr rest;
  dl_expr_split_dim(b->index, (unsigned)dl_walk_temp(w, axis)->value, &coefficient, &rest);
  dl_expr step = dl_expr_const(ctx, coefficient);
  dl_expr first = dl_expr_ceildiv(dl_expr_mul_const(rest, -1), step);
  dl_expr last = dl_expr_floordiv(dl_expr_sub(b->limit, rest), step);
  s->lo = bound_of_two(w, &arith_maxsi, s->lo, dl_emit_simplify(w->e, first));
  s->hi = bound_of_two(w, &arith_minsi, s->hi, dl_emit_simplify(w->e, dl_expr_add_const(last, 1)));
}

// Whether more than the indices of loops still to open are in an expression.
static bool uses_open_loops(const dl_walk_state *w, dl_expr expr) {
  unsigned first = (unsigned)w->temp[0]->value;
  for (unsigned d = 0; d < w->e->dims.len; d++) {
    bool temp = d >= first && d < first + w->nest->axes.len;
    if (!temp && dl_expr_uses_dim(expr, d)) return true;
  }
  return false;
}

// How many points of the loops still to open have an index below (above) what is in range, or may
// have.
typedef struct outside {
  int64_t below, above;
} outside;

static void pin(dl_walk_state *w, size_t axis, int64_t value) {
  w->e->ranges.data[w->temp[axis]->value] = (dl_range){value, value};
}

static void count_outside(dl_walk_state *w, const open_border *b, size_t level, outside *out) {
  while (level < w->nest->num_loops && !depends(w, b, level)) level++;
  if (level == w->nest->num_loops) {
    out->below += dl_emit_range(w->e, b->index).min < 0;
    out->above += dl_emit_range(w->e, dl_expr_sub(b->limit, b->index)).min < 0;
    return;
  }
  size_t axis = w->nest->loops[level];
  for (int64_t i = 0; i < w->extent[axis]; i++) {
    pin(w, axis, i);
    count_outside(w, b, level + 1, out);
  }
}

static bool few_points(const dl_walk_state *w, const open_border *b, size_t level) {
  int64_t points = 1;
  for (size_t l = level; l < w->nest->num_loops && points <= MAX_BORDER_POINTS; l++) {
    int64_t extent = w->extent[w->nest->loops[l]];
    if (depends(w, b, l)) points *= extent == DL_DYNAMIC ? MAX_BORDER_POINTS + 1 : extent;
  }
  return points <= MAX_BORDER_POINTS;
}

// Divides a segment of a reduce loop where other points inside come to be out of range: so there is
// one piece of code per set of points, and no more.
static void divide(dl_walk_state *w, size_t level, const open_border *b, dl_segment s,
                   dl_segment_list *out) {
  size_t axis = w->nest->loops[level];
  int64_t first = s.lo->value;
  outside before = {0, 0};
  for (int64_t i = first; i < s.hi->value; i++) {
    outside now = {0, 0};
    pin(w, axis, i);
    count_outside(w, b, level + 1, &now);
    if (now.below != before.below || now.above != before.above) {
      push(w, out, first, i, s);
      first = i;
    }
    before = now;
  }
  push(w, out, first, s.hi->value, s);
}

static void divide_all(dl_walk_state *w, size_t level, const open_border *b,
                       dl_segment_list *segments) {
  dl_segment_list out = {0};
  for (size_t i = 0; i < segments->len; i++) {
    dl_segment s = segments->data[i];
    bool outer = w->nest->axes.data[w->nest->loops[level]].kind == DL_AXIS_OUTER;
    if (outer || !constant_range(&s) || !few_points(w, b, level)) {
      DL_PUSH(&out, s);
    } else {
      divide(w, level, b, s, &out);
    }
  }
  DL_VEC_FREE(segments);
  *segments = out;
}

// A reduce loop: clipped where it can be; divided where only constant indices decide about the
// reads.
static size_t clip_all(dl_walk_state *w, size_t level, dl_segment_list *segments) {
  size_t satisfied = 0, axis = w->nest->loops[level];
  // Accumulators that wait in memory are set up and stored in the first and the last round.
  if (level < w->first_register) return 0;
  dl_expr *iterators = dl_arena_alloc(w->k->arena, (w->nest->num_iterators + 1) * sizeof(dl_expr));
  for (size_t i = 0; i < w->stage->borders.len && i < MAX_MARKED_BORDERS; i++) {
    open_border b;
    dl_walk_iterators(w, iterators);
    if (!open_at(w, &w->stage->borders.data[i], iterators, level, &b)) continue;
    if (b.clips && b.last == level && segments->len == 1) {
      clip(w, &b, axis, &segments->data[0]);
      w->stage->borders.data[i].satisfied = true;
      satisfied |= (size_t)1 << i;
    } else if (!b.clips && w->nest->peel_borders && !uses_open_loops(w, b.index)) {
      divide_all(w, level, &b, segments);
    }
  }
  return satisfied;
}

size_t dl_walk_segments(dl_walk_state *w, size_t level, dl_segment_list *segments) {
  size_t axis = w->nest->loops[level];
  whole_range(w, axis, segments);
  if (w->visit) return 0;
  if (w->nest->axes.data[axis].reduce) return clip_all(w, level, segments);
  if (w->nest->peel_borders) split_all(w, level, segments);
  return 0;
}

void dl_walk_forget(dl_walk_state *w, size_t satisfied) {
  for (size_t i = 0; i < w->stage->borders.len && i < MAX_MARKED_BORDERS; i++) {
    if (satisfied >> i & 1) w->stage->borders.data[i].satisfied = false;
  }
}
