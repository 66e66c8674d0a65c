// What computes make that are computed inside of another's loop (compute_at).
//
// The region that one iteration of the loop needs is a box: per dimension of the result a first
// index and a size. It comes from the readers' indexing maps, with the indices of the loops further
// in running over their whole ranges. Boxes of constant size are moved so that they lie in the
// result, rather than cut off: loops over them have constant bounds and no remainder.
#include "dialects/arith/arith_ops.h"
#include "dialects/tensor/tensor_ops.h"
#include "passes/convert/nest_walk_internal.h"

#define MAX_LOCAL_BYTES (256 << 10)  // of a thread's stack

// An index, and what it is once it is moved so that `last` is the most.
typedef struct moved_index {
  dl_expr index, moved;
  int64_t last;
} moved_index;

// The larger or smaller of two indices.
typedef struct chosen_index {
  const dl_op_def *def;
  dl_expr a, b, result;
} chosen_index;

// A place inside of a loop of a nest, where a region is wanted.
typedef struct place {
  dl_kernel *k;
  dl_walk_state *w;  // the nest's walk, with the loops around the place open
  size_t axis;       // the innermost of these
  bool emits;        // there is code at the place, to which minima and maxima are added
  dl_ptr_map inner;  // dimensions (dl_expr) of further loops -> their extent
  DL_VEC(moved_index) moved;
  DL_VEC(chosen_index) chosen;
} place;

// Values first … first + width - 1; the width is DL_DYNAMIC where it is not known.
typedef struct interval {
  dl_expr first;
  int64_t width;
} interval;

static void add_inner(place *p, dl_expr dim, int64_t extent) {
  dl_ptr_map_set(&p->inner, dim, (void *)(intptr_t)(extent ? extent : 1));
}

// --- intervals of indices ---

static interval unknown(dl_expr expr) { return (interval){expr, DL_DYNAMIC}; }

static interval sum(interval a, interval b) {
  if (a.width == DL_DYNAMIC || b.width == DL_DYNAMIC) return unknown(a.first);
  return (interval){dl_expr_add(a.first, b.first), a.width + b.width - 1};
}

static interval scaled(interval a, int64_t factor) {
  if (a.width == DL_DYNAMIC) return a;
  int64_t span = (a.width - 1) * (factor < 0 ? -factor : factor);
  dl_expr first = factor < 0 ? dl_expr_add_const(a.first, a.width - 1) : a.first;
  return (interval){dl_expr_mul_const(first, factor), span + 1};
}

static interval quotient(interval a, dl_expr by, bool up) {
  int64_t divisor = by->value, span = a.width - 1;
  dl_expr first = up ? dl_expr_ceildiv(a.first, by) : dl_expr_floordiv(a.first, by);
  int64_t more = dl_expr_is_multiple(a.first, divisor) && !up ? 0 : divisor - 1;
  return (interval){first, (span + more) / divisor + 1};
}

static interval residue(interval a, dl_expr by) {
  bool stays = dl_expr_is_multiple(a.first, by->value) && a.width <= by->value;
  return (interval){dl_expr_const(by->ctx, 0), stays ? a.width : by->value};
}

static dl_expr rebuilt(dl_expr_kind kind, dl_expr a, dl_expr b) {
  switch (kind) {
    case DL_EXPR_MUL:
      return dl_expr_mul(a, b);
    case DL_EXPR_FLOORDIV:
      return dl_expr_floordiv(a, b);
    case DL_EXPR_CEILDIV:
      return dl_expr_ceildiv(a, b);
    default:
      return dl_expr_mod(a, b);
  }
}

static interval interval_of(const place *p, dl_expr expr) {
  void *extent;
  switch (expr->kind) {
    case DL_EXPR_CONST:
    case DL_EXPR_SYMBOL:
      return (interval){expr, 1};
    case DL_EXPR_DIM:
      extent = dl_ptr_map_get(&p->inner, expr);
      if (!extent) return (interval){expr, 1};
      return (interval){dl_expr_const(expr->ctx, 0), (int64_t)(intptr_t)extent};
    default:
      break;
  }
  interval a = interval_of(p, expr->lhs), b = interval_of(p, expr->rhs);
  if (expr->kind == DL_EXPR_ADD) return sum(a, b);
  if (a.width == 1 && b.width == 1) return (interval){rebuilt(expr->kind, a.first, b.first), 1};
  bool by_constant = expr->rhs->kind == DL_EXPR_CONST && a.width != DL_DYNAMIC;
  if (!by_constant) return unknown(expr);
  if (expr->kind == DL_EXPR_MUL) return scaled(a, expr->rhs->value);
  if (expr->rhs->value <= 0) return unknown(expr);
  if (expr->kind == DL_EXPR_MOD) return residue(a, expr->rhs);
  return quotient(a, expr->rhs, expr->kind == DL_EXPR_CEILDIV);
}

// The smallest interval around both.
static interval hull(interval a, interval b) {
  if (a.width == DL_DYNAMIC || b.width == DL_DYNAMIC) return unknown(a.first);
  dl_expr distance = dl_expr_sub(b.first, a.first);
  if (distance->kind != DL_EXPR_CONST) return unknown(a.first);
  if (distance->value < 0) return hull(b, a);
  int64_t end = distance->value + b.width;
  return (interval){a.first, end > a.width ? end : a.width};
}

// --- boxes ---

static dl_stage *root_of(dl_stage *s) { return s->role == DL_ROLE_DRIVER ? s->reader : s; }

static dl_stage *loops_of(dl_stage *root) { return root->driver ? root->driver : root; }

// The iterator of the loops behind dimension d of a root's result, or SIZE_MAX where it is not one
// iterator for itself.
static size_t iterator_behind(const dl_stage *root, size_t d) {
  dl_expr index = root->c.out_map->results[d];
  for (size_t i = 0; i < root->c.out_map->num_results; i++) {
    if (index->kind != DL_EXPR_DIM) return SIZE_MAX;
    if (i != d && dl_expr_uses_dim(root->c.out_map->results[i], (unsigned)index->value))
      return SIZE_MAX;
  }
  const dl_stage *driver = root->driver;
  if (!driver) return (size_t)index->value;
  for (size_t i = 0; i < root->c.num_inputs; i++) {
    if (root->c.inputs[i] != dl_result(driver->op, 0)) continue;
    dl_map map = root->c.in_maps[i];
    for (size_t r = 0; r < map->num_results; r++)
      if (map->results[r] == index) return iterator_behind(&(dl_stage){.c = driver->c}, r);
  }
  return SIZE_MAX;
}

static dl_box_side whole_side(dl_expr size) {
  dl_expr zero = dl_expr_const(size->ctx, 0);
  bool constant = size->kind == DL_EXPR_CONST;
  return (dl_box_side){zero, size, constant ? size->value : DL_DYNAMIC, zero, zero};
}

static dl_expr emit_of_two(place *p, const dl_op_def *def, dl_expr a, dl_expr b, dl_range range) {
  dl_loop_emitter *e = &p->k->e;
  bool largest = def == &arith_maxsi;
  if (a->kind == DL_EXPR_CONST && b->kind == DL_EXPR_CONST)
    return (a->value > b->value) == largest ? a : b;
  for (size_t i = 0; i < p->chosen.len; i++) {
    const chosen_index *known = &p->chosen.data[i];
    if (known->def == def && known->a == a && known->b == b) return known->result;
  }
  dl_value *value = NULL;
  if (p->emits) value = dl_emit_binary(e, def, dl_emit_index(e, a), dl_emit_index(e, b));
  dl_expr result = dl_emit_dim(e, value, range);
  DL_PUSH(&p->chosen, ((chosen_index){def, a, b, result}));
  return result;
}

// An index between 0 and `last`: itself, or the one of these that is nearest to it.
static dl_expr moved(place *p, dl_expr index, int64_t last) {
  dl_loop_emitter *e = &p->k->e;
  index = dl_emit_simplify(e, index);
  for (size_t i = 0; i < p->moved.len; i++) {
    const moved_index *known = &p->moved.data[i];
    if (known->index == index && known->last == last) return known->moved;
  }
  dl_expr first = index;
  dl_range range = dl_emit_range(e, index);
  if (range.min < 0) {
    dl_range above = {0, range.max < 0 ? 0 : range.max};
    first = emit_of_two(p, &arith_maxsi, first, dl_expr_const(e->ctx, 0), above);
  }
  if (range.max > last) {
    dl_range below = {range.min < 0 ? 0 : range.min > last ? last : range.min, last};
    first = emit_of_two(p, &arith_minsi, first, dl_expr_const(e->ctx, last), below);
  }
  DL_PUSH(&p->moved, (moved_index){index, first, last});
  return first;
}

// An interval moved into a dimension, if that is wider and of constant size. A single index that is
// known to be in the dimension stays.
static interval moved_into(place *p, interval need, dl_expr size, bool exact) {
  bool wider = size->kind == DL_EXPR_CONST && need.width < size->value;
  if (!wider || need.width == DL_DYNAMIC || (exact && need.width == 1)) return need;
  return (interval){moved(p, need.first, size->value - need.width), need.width};
}

// An interval cut off at the ends of a dimension of unknown size.
static dl_box_side cut_side(place *p, interval need, dl_expr size) {
  dl_context *ctx = p->k->e.ctx;
  dl_range counts = {0, need.width}, firsts = {0, INT64_MAX};
  dl_expr zero = dl_expr_const(ctx, 0);
  dl_expr end = dl_expr_add_const(need.first, need.width);
  dl_expr first = emit_of_two(p, &arith_maxsi, need.first, zero, firsts);
  dl_expr stop = emit_of_two(p, &arith_minsi, end, size, (dl_range){INT64_MIN, INT64_MAX});
  dl_expr count = emit_of_two(p, &arith_maxsi, dl_expr_sub(stop, first), zero, counts);
  return (dl_box_side){first, count, need.width, need.first, need.first};
}

// `exact`: every index needed is known to be in the dimension.
static dl_box_side side_of(place *p, interval need, dl_expr size, bool exact) {
  bool constant = size->kind == DL_EXPR_CONST;
  if (need.width == DL_DYNAMIC || (constant && need.width >= size->value)) return whole_side(size);
  if (constant) {
    dl_expr first = moved_into(p, need, size, exact).first;
    return (dl_box_side){first, dl_expr_const(size->ctx, need.width), need.width, first, first};
  }
  if (need.width > 1 || !exact) return cut_side(p, need, size);
  return (dl_box_side){need.first, dl_expr_const(size->ctx, 1), 1, need.first, need.first};
}

static dl_expr before_moved(const place *p, dl_expr index) {
  for (size_t i = 0; i < p->moved.len; i++)
    if (p->moved.data[i].moved == index) return p->moved.data[i].index;
  return index;
}

static const dl_expr *iterators_at(place *p, dl_stage *s);

typedef struct needs {
  interval *sides;
  bool any, whole, exact;
} needs;

static void add_read(place *p, dl_stage *reader, size_t input, const dl_tensor_ref *ref,
                     needs *out) {
  const dl_expr *iterators = iterators_at(p, reader);
  dl_expr *indices = dl_input_indices(p->k, reader, input, iterators);
  bool exact = !reader->c.in_else[input] && !reader->c.where;
  out->exact &= exact;
  for (size_t d = 0; d < ref->rank; d++) {
    interval need = interval_of(p, dl_emit_flatten(&p->k->e, indices[d]));
    need = moved_into(p, need, ref->sizes[d], exact);
    out->sides[d] = out->any ? hull(out->sides[d], need) : need;
  }
  out->any = true;
}

// What the readers of a root need at a place.
static dl_box_side *box_at(place *p, dl_stage *root) {
  size_t rank = root->result->rank;
  needs n = {.sides = dl_arena_alloc(p->k->arena, (rank + 1) * sizeof(interval)), .exact = true};
  dl_box_side *box = dl_arena_alloc(p->k->arena, (rank + 1) * sizeof(dl_box_side));
  dl_use *use = dl_first_use(dl_result(root->op, 0));
  for (; use; use = dl_next_use(use)) {
    dl_stage *reader = dl_kernel_ref(p->k, dl_result(dl_use_owner(use), 0))->stage;
    if (dl_use_index(use) < reader->c.num_inputs)
      add_read(p, reader, dl_use_index(use), root->result, &n);
    else
      n.whole = true;
  }
  for (size_t d = 0; d < rank; d++) {
    bool whole = n.whole || !n.any || iterator_behind(root, d) == SIZE_MAX;
    dl_expr size = root->result->sizes[d];
    box[d] = whole ? whole_side(size) : side_of(p, n.sides[d], size, n.exact);
    box[d].need = before_moved(p, box[d].before);
  }
  return box;
}

// --- iterators ---

// Iterators of a root's loops over a box: first + a further dimension each. What is cut off counts,
// so that boxes of computes that read each other can be compared.
static dl_expr *iterators_over(place *p, dl_stage *root, const dl_box_side *box) {
  dl_stage *loops = loops_of(root);
  dl_loop_emitter *e = &p->k->e;
  dl_expr *out = dl_arena_alloc(p->k->arena, (loops->c.num_iterators + 1) * sizeof(dl_expr));
  int64_t *extents = dl_arena_alloc(p->k->arena, (loops->c.num_iterators + 1) * sizeof(int64_t));
  for (size_t i = 0; i < loops->c.num_iterators; i++) {
    dl_expr extent = loops->extents[i];
    out[i] = dl_expr_const(e->ctx, 0);
    extents[i] = extent->kind == DL_EXPR_CONST ? extent->value : DL_DYNAMIC;
  }
  for (size_t d = 0; d < root->result->rank; d++) {
    size_t i = iterator_behind(root, d);
    if (i == SIZE_MAX) continue;
    out[i] = box[d].before;
    extents[i] = box[d].width;
  }
  for (size_t i = 0; i < loops->c.num_iterators; i++) {
    dl_expr dim = dl_emit_dim(e, NULL, (dl_range){0, INT64_MAX});
    add_inner(p, dim, extents[i]);
    out[i] = dl_expr_add(out[i], dim);
  }
  return out;
}

// The iterators of a stage that is read from or computed at a place.
static const dl_expr *iterators_at(place *p, dl_stage *s) {
  dl_stage *root = root_of(s), *loops = loops_of(root);
  dl_expr *iterators;
  if (loops == p->w->stage) {
    iterators = dl_arena_alloc(p->k->arena, (loops->c.num_iterators + 1) * sizeof(dl_expr));
    dl_walk_iterators(p->w, iterators);
  } else {
    bool open = root->host == p->w->stage && root->host_axis == p->axis;
    iterators = iterators_over(p, root, open ? root->box : box_at(p, root));
  }
  if (s == loops) return iterators;
  dl_expr *out = dl_arena_alloc(p->k->arena, (s->c.num_iterators + 1) * sizeof(dl_expr));
  dl_reader_iterators(p->k, loops, iterators, out);
  return out;
}

static place open_place(dl_walk_state *w, size_t axis, bool emits) {
  place p = {.k = w->k, .w = w, .axis = axis, .emits = emits};
  for (size_t i = 0; i < w->nest->axes.len; i++)
    add_inner(&p, w->temp[i], w->nest->axes.data[i].extent);
  return p;
}

// --- opening regions ---

static void set_ref(dl_kernel *k, dl_tensor_ref *ref, size_t d, const dl_box_side *side) {
  if (!ref->first) {
    ref->first = dl_arena_alloc(k->arena, (ref->rank + 1) * sizeof(dl_expr));
    ref->held = dl_arena_alloc(k->arena, (ref->rank + 1) * sizeof(dl_expr));
  }
  bool constant = side->width != DL_DYNAMIC;
  ref->first[d] = side->first;
  ref->held[d] = constant ? dl_expr_const(k->e.ctx, side->width) : ref->sizes[d];
}

static bool fits_locally(const dl_stage *root) {
  int64_t bytes = (int64_t)dl_element_bytes(dl_storage_type(root->c.result->element));
  for (size_t d = 0; d < root->result->rank; d++) {
    if (root->box[d].width == DL_DYNAMIC) return false;
    if (__builtin_mul_overflow(bytes, root->box[d].width, &bytes)) return false;
  }
  return bytes <= MAX_LOCAL_BYTES;
}

// The loops run over the box, and the buffers hold no more than it.
static void take_box(dl_kernel *k, dl_stage *root, dl_box_side *box) {
  dl_stage *loops = loops_of(root);
  size_t count = loops->c.num_iterators;
  root->box = box;
  root->local = fits_locally(root);
  loops->first = dl_arena_alloc(k->arena, (count + 1) * sizeof(dl_expr));
  loops->counts = dl_arena_alloc(k->arena, (count + 1) * sizeof(dl_expr));
  for (size_t i = 0; i < count; i++) {
    loops->first[i] = dl_expr_const(k->e.ctx, 0);
    loops->counts[i] = loops->extents[i];
  }
  for (size_t d = 0; d < root->result->rank; d++) {
    size_t i = iterator_behind(root, d);
    if (root->local) set_ref(k, root->result, d, &box[d]);
    if (i == SIZE_MAX) continue;
    loops->first[i] = box[d].first;
    loops->counts[i] = box[d].extent;
  }
  if (loops == root) return;
  for (size_t r = 0; r < loops->result->rank; r++) {
    dl_expr index = loops->c.out_map->results[r];
    dl_box_side side = whole_side(loops->result->sizes[r]);
    if (index->kind == DL_EXPR_DIM && loops->counts[index->value]->kind == DL_EXPR_CONST) {
      side.first = loops->first[index->value];
      side.width = loops->counts[index->value]->value;
    }
    set_ref(k, loops->result, r, &side);
  }
}

// Readers come first, since what they make says what they need.
static void take_boxes(dl_walk_state *w, size_t axis, bool emits) {
  place p = open_place(w, axis, emits);
  for (size_t i = w->k->stages.len; i-- > 0;) {
    dl_stage *s = w->k->stages.data[i];
    if (s->host == w->stage && s->host_axis == axis) take_box(w->k, s, box_at(&p, s));
  }
  dl_ptr_map_free(&p.inner);
  DL_VEC_FREE(&p.moved);
  DL_VEC_FREE(&p.chosen);
}

void dl_region_open(dl_walk_state *w, size_t axis) { take_boxes(w, axis, true); }

// --- the schedule ---

static size_t loop_level(const dl_nest *nest, size_t axis) {
  for (size_t l = 0; l < nest->num_loops; l++)
    if (nest->loops[l] == axis) return l;
  return SIZE_MAX;
}

// Opens the loops of a nest down to an axis, without code.
static void open_loops(dl_walk_state *w, size_t axis) {
  for (size_t l = 0; l <= loop_level(w->nest, axis); l++) {
    const dl_axis *a = &w->nest->axes.data[w->nest->loops[l]];
    int64_t last = a->extent == DL_DYNAMIC ? INT64_MAX : a->extent - 1;
    dl_expr index = dl_emit_dim(w->e, NULL, (dl_range){0, last});
    bool outer = a->kind == DL_AXIS_OUTER;
    w->value[w->nest->loops[l]] = outer ? dl_expr_mul_const(index, a->tile) : index;
  }
}

// Whether a reader runs inside of the loop.
static bool reads_inside(dl_stage *reader, dl_stage *host, size_t axis) {
  dl_stage *root = root_of(reader);
  while (loops_of(root) != host) {
    if (!root->host) return false;
    if (root->host == host)
      return loop_level(&host->nest, root->host_axis) >= loop_level(&host->nest, axis);
    root = root_of(root->host);
  }
  return true;
}

static dl_status check_readers(dl_kernel *k, dl_loc loc, dl_stage *s) {
  const dl_axis *axis = &s->host->nest.axes.data[s->host_axis];
  dl_use *use = dl_first_use(dl_result(s->op, 0));
  for (; use; use = dl_next_use(use)) {
    dl_op *owner = dl_use_owner(use);
    if (!dl_is(owner, tensor_compute)) {
      return dl_error(loc, "@%s cannot be computed at '%s', because '%s' uses its whole result",
                      s->c.label, axis->name, dl_op_name(owner));
    }
    dl_stage *reader = dl_kernel_ref(k, dl_result(owner, 0))->stage;
    if (reads_inside(reader, s->host, s->host_axis)) continue;
    return dl_error(loc,
                    "@%s cannot be computed at '%s', because @%s reads it outside of that loop",
                    s->c.label, axis->name, reader->c.label);
  }
  return DL_OK;
}

static void resize_loops(dl_stage *s) {
  dl_stage *loops = loops_of(s);
  for (size_t i = 0; i < loops->c.num_iterators; i++) {
    dl_expr count = loops->counts[i];
    loops->nest.axes.data[i].extent = count->kind == DL_EXPR_CONST ? count->value : DL_DYNAMIC;
  }
}

dl_status dl_region_resize(void *user, dl_loc loc, size_t number) {
  dl_kernel *k = user;
  dl_stage *s = k->stages.data[number];
  dl_stage *host = k->stages.data[s->nest.host];
  if (host->driver) {
    return dl_error(loc, "@%s has no loops: it is computed inside of @%s's", host->c.label,
                    host->driver->c.label);
  }
  dl_stage *loops = loops_of(s);
  if (loops == host) {
    return dl_error(loc, "@%s cannot be computed inside of @%s's loops, which make it", s->c.label,
                    host->c.label);
  }
  if (loops->nest.scheduled) {
    return dl_error(loc, "compute_at(%s, …) must come before the primitives on the loops of @%s",
                    s->c.label, loops->c.label);
  }
  loops->nest.host = s->nest.host;
  loops->nest.host_axis = s->nest.host_axis;
  s->role = DL_ROLE_INSIDE;
  s->host = host;
  s->host_axis = s->nest.host_axis;
  DL_TRY(check_readers(k, loc, s));
  dl_walk_state w;
  dl_walk_init(&w, k, root_of(host));
  open_loops(&w, s->host_axis);
  take_boxes(&w, s->host_axis, false);
  resize_loops(s);
  return DL_OK;
}

// --- buffers of the whole result ---

// Whether iterations along an open axis make (`needed`: need) different elements.
static bool apart(const dl_stage *s, const dl_walk_state *w, size_t axis, bool needed) {
  dl_expr dim = w->value[axis];
  int64_t coefficient;
  if (w->nest->axes.data[axis].extent == 1) return true;
  while (dim->kind == DL_EXPR_MUL) dim = dim->lhs;
  for (size_t d = 0; d < s->result->rank; d++) {
    dl_expr rest;
    const dl_box_side *side = &s->box[d];
    if (side->width == DL_DYNAMIC || iterator_behind(s, d) == SIZE_MAX) continue;
    dl_expr first = needed ? side->need : side->before;
    if (!dl_expr_split_dim(first, (unsigned)dim->value, &coefficient, &rest)) continue;
    dl_range others = dl_emit_range(w->e, rest);
    bool bounded = others.min != INT64_MIN && others.max != INT64_MAX;
    if (bounded && coefficient >= side->width + others.max - others.min) return true;
  }
  return false;
}

bool dl_region_try(dl_kernel *k, dl_stage *s, dl_stage *host, size_t axis) {
  dl_use *use = dl_first_use(dl_result(s->op, 0));
  for (; use; use = dl_next_use(use)) {
    dl_op *owner = dl_use_owner(use);
    dl_stage *reader =
        dl_is(owner, tensor_compute) ? dl_kernel_ref(k, dl_result(owner, 0))->stage : NULL;
    if (!reader || !reads_inside(reader, host, axis)) return false;
  }
  dl_walk_state w;
  dl_walk_init(&w, k, root_of(host));
  open_loops(&w, axis);
  s->role = DL_ROLE_INSIDE;
  s->host = host;
  s->host_axis = axis;
  take_boxes(&w, axis, false);
  bool good = true;
  for (size_t l = 0; l <= loop_level(w.nest, axis); l++)
    good &= apart(s, &w, w.nest->loops[l], true);
  for (size_t d = 0; d < s->result->rank; d++)
    good &= s->local || s->box[d].width == DL_DYNAMIC || s->result->sizes[d]->kind != DL_EXPR_CONST;
  if (good) {
    resize_loops(s);
  } else {
    s->role = DL_ROLE_ROOT;
    s->host = NULL;
    s->result->first = NULL;
  }
  return good;
}

dl_status dl_region_check(dl_kernel *k, dl_stage *s) {
  if (s->role != DL_ROLE_INSIDE || s->local) return DL_OK;
  dl_walk_state w;
  dl_walk_init(&w, k, root_of(s->host));
  open_loops(&w, s->host_axis);
  take_boxes(&w, s->host_axis, false);
  bool shared = root_of(s->host)->role != DL_ROLE_ROOT;
  for (size_t l = 0; l < w.nest->num_loops; l++) {
    size_t axis = w.nest->loops[l];
    if (w.nest->axes.data[axis].parallel) shared |= !w.value[axis] || !apart(s, &w, axis, false);
  }
  if (!shared) return DL_OK;
  return dl_error(dl_op_loc(s->op),
                  "what an iteration of '%s' needs of @%s has no constant size of at most %d KiB, "
                  "and parallel iterations would share it",
                  w.nest->axes.data[s->host_axis].name, s->c.label, MAX_LOCAL_BYTES >> 10);
}
