// From the model of a nest to the primitives of its schedule.
#include "passes/tensor/schedule_model_internal.h"

#define MIN_TASK_POINTS 32768  // below, handing out a task costs more than it saves
#define TASKS_PER_CORE 8
#define CHUNK_POINTS 8192       // of an elementwise range, per task
#define MAX_VECTOR_REGISTERS 4  // for the lanes of one point
#define MAX_UNROLLED_TAPS 5
#define MIN_ROWS 8  // whose sums are made side by side

// Loops from the outermost one.
typedef struct loop_list {
  DL_VEC(dl_ident) names;
  DL_VEC(int64_t) extents;
} loop_list;

static void add_loop(loop_list *loops, dl_ident name, int64_t extent) {
  DL_PUSH(&loops->names, name);
  DL_PUSH(&loops->extents, extent);
}

static void free_loops(loop_list *loops) {
  DL_VEC_FREE(&loops->names);
  DL_VEC_FREE(&loops->extents);
}

static void emit(dl_model *m, dl_attr primitive) { DL_PUSH(m->out, primitive); }

static dl_ident part(dl_model *m, dl_ident name, const char *suffix) {
  return dl_intern_f(m->k->e.ctx, "%s.%s", name, suffix);
}

static void emit_name(dl_model *m, dl_primitive_kind kind, dl_ident name) {
  emit(m, dl_prim_names(m->k->e.ctx, kind, 1, &name));
}

static dl_model_axis *axis(dl_model *m, size_t i) { return &m->axes.data[i]; }

static double points(const dl_model *m) {
  double count = 1;
  for (size_t i = 0; i < m->axes.len; i++) {
    int64_t extent = m->axes.data[i].extent;
    count *= extent == DL_DYNAMIC ? 64 : (double)extent;
  }
  return count;
}

// The outermost loops become the grid, as long as tasks are few and large.
static void emit_grid(dl_model *m, const loop_list *loops, size_t candidates) {
  double tasks = 1, work = points(m);
  size_t count = 0;
  if (m->root->role == DL_ROLE_INSIDE) return;
  if (m->held) candidates = m->held, work = m->work;
  for (; count < candidates; count++) {
    int64_t extent = loops->extents.data[count];
    double next = tasks * (extent == DL_DYNAMIC ? 64 : (double)extent);
    if (extent != 1 && work / next < MIN_TASK_POINTS) break;
    if (tasks >= (double)(TASKS_PER_CORE * m->machine->cores)) break;
    tasks = next;
  }
  if (count) emit(m, dl_prim_names(m->k->e.ctx, DL_PRIM_PARALLEL, count, loops->names.data));
}

static void emit_order(dl_model *m, const loop_list *loops) {
  emit(m, dl_prim_names(m->k->e.ctx, DL_PRIM_ORDER, loops->names.len, loops->names.data));
}

// The parallel axis along which the result is contiguous, if points along it are neighbours or
// equal in what is read; failing that, one with strided reads; DL_NO_AXIS when there is none.
static size_t contiguous_axis(const dl_model *m, bool *gathers) {
  for (size_t i = 0; i < m->axes.len; i++) {
    const dl_model_axis *a = &m->axes.data[i];
    if (a->reduce || a->strides[0] != 1 || a->extent == 1) continue;
    *gathers = false;
    for (size_t r = 1; r < m->num_driver_reads; r++) {
      *gathers |= a->strides[r] != 0 && a->strides[r] != 1;
    }
    return i;
  }
  return DL_NO_AXIS;
}

// A reduce axis along which everything that is read is contiguous.
static size_t contiguous_reduction(const dl_model *m) {
  for (size_t i = m->axes.len; i-- > 0;) {
    const dl_model_axis *a = &m->axes.data[i];
    bool fits = a->reduce && !a->guarded && a->extent != DL_DYNAMIC && a->extent >= m->lanes;
    bool reads = false;
    for (size_t r = 1; r < m->num_driver_reads; r++) {
      fits &= a->strides[r] == 0 || a->strides[r] == 1;
      reads |= a->strides[r] == 1;
    }
    if (fits && reads) return i;
  }
  return DL_NO_AXIS;
}

static void add_axis(dl_model *m, loop_list *loops, size_t i) {
  add_loop(loops, axis(m, i)->name, axis(m, i)->extent);
}

// Tiles an axis and says which loop is the grid's and which the tile's. The tile's name is NULL for
// one.
static dl_ident tile_axis(dl_model *m, size_t a, int64_t size, dl_remainder remainder,
                          loop_list *outer) {
  dl_ident name = axis(m, a)->name;
  int64_t extent = axis(m, a)->extent;
  if (size <= 1) {
    add_loop(outer, name, extent);
    return NULL;
  }
  emit(m, dl_prim_tile(m->k->e.ctx, name, size, remainder));
  add_loop(outer, part(m, name, "out"),
           extent == DL_DYNAMIC ? DL_DYNAMIC : (extent + size - 1) / size);
  return part(m, name, "in");
}

// --- elementwise ---

// Lanes from an axis of any size: whole, or in vectors with a masked remainder. Adds its loops.
static dl_ident vectorize(dl_model *m, dl_ident name, int64_t extent, loop_list *loops) {
  bool whole =
      extent != DL_DYNAMIC &&
      (extent <= m->lanes || (extent % m->lanes == 0 && extent <= MAX_VECTOR_REGISTERS * m->lanes));
  if (whole) return name;
  dl_remainder remainder = extent == DL_DYNAMIC     ? DL_REMAINDER_MASK
                           : extent % m->lanes == 0 ? DL_REMAINDER_PEEL
                                                    : DL_REMAINDER_OVERLAP;
  emit(m, dl_prim_tile(m->k->e.ctx, name, m->lanes, remainder));
  int64_t outer = extent == DL_DYNAMIC ? DL_DYNAMIC : (extent + m->lanes - 1) / m->lanes;
  add_loop(loops, part(m, name, "out"), outer);
  return part(m, name, "in");
}

static void choose_elementwise(dl_model *m) {
  dl_model_fuse(m, DL_NO_AXIS);
  bool gathers = false;
  size_t vector = contiguous_axis(m, &gathers);
  loop_list loops = {0};
  size_t grid = 0;
  for (size_t i = 0; i < m->axes.len; i++) {
    if (i == vector) continue;
    dl_ident rows = i + 1 == m->held ? tile_axis(m, i, m->rows, DL_REMAINDER_PEEL, &loops) : NULL;
    if (rows)
      add_loop(&loops, rows, m->rows);
    else if (i + 1 != m->held)
      add_axis(m, &loops, i);
  }
  grid = loops.names.len;
  if (vector != DL_NO_AXIS) {
    dl_ident name = axis(m, vector)->name;
    int64_t extent = axis(m, vector)->extent;
    if (extent != DL_DYNAMIC && extent >= 2 * CHUNK_POINTS) {
      emit(m, dl_prim_tile(m->k->e.ctx, name, CHUNK_POINTS, DL_REMAINDER_PEEL));
      add_loop(&loops, part(m, name, "out"), (extent + CHUNK_POINTS - 1) / CHUNK_POINTS);
      grid++;
      name = part(m, name, "in");
      dl_ident inner = part(m, name, "in");
      emit(m, dl_prim_tile(m->k->e.ctx, name, m->lanes, DL_REMAINDER_PEEL));
      add_loop(&loops, part(m, name, "out"), CHUNK_POINTS / m->lanes);
      name = inner;
    } else {
      name = vectorize(m, name, extent, &loops);
    }
    add_loop(&loops, name, m->lanes);
    emit_order(m, &loops);
    emit_name(m, DL_PRIM_VECTORIZE, name);
  }
  emit_grid(m, &loops, grid);
  free_loops(&loops);
}

// --- reductions ---

static bool reads_along(const dl_model *m, size_t a, size_t access) {
  return m->axes.data[a].strides[access] != 0;
}

// Whether axis a moves through what the lanes read, and not through all of what they share.
static bool is_channel(const dl_model *m, size_t a, size_t vector) {
  bool lanes = false;
  for (size_t r = 1; r < m->num_driver_reads; r++) {
    if (reads_along(m, vector, r)) {
      lanes |= reads_along(m, a, r);
    } else if (reads_along(m, a, r)) {
      return false;
    }
  }
  return lanes;
}

static bool is_pixel(const dl_model *m, size_t a, size_t vector) {
  for (size_t r = 1; r < m->num_driver_reads; r++) {
    if (!reads_along(m, vector, r) && reads_along(m, a, r)) return true;
  }
  return false;
}

static void find_axes(const dl_model *m, dl_model_tiling *t) {
  bool shares = false;
  for (size_t r = 1; r < m->num_driver_reads; r++) shares |= !reads_along(m, t->vector, r);
  t->channel = t->pixel = DL_NO_AXIS;
  for (size_t i = m->axes.len; i-- > 0;) {
    const dl_model_axis *a = &m->axes.data[i];
    if (a->reduce || i == t->vector || a->extent == 1) continue;
    if (t->pixel == DL_NO_AXIS && (shares ? is_pixel(m, i, t->vector) : true)) {
      t->pixel = i;
    } else if (shares && t->channel == DL_NO_AXIS && a->extent != DL_DYNAMIC &&
               is_channel(m, i, t->vector)) {
      t->channel = i;
    }
  }
  if (t->splits) t->channel = t->vector;
}

static void find_vector(const dl_model *m, dl_model_tiling *t) {
  int64_t extent = m->axes.data[t->vector].extent;
  bool whole = extent <= m->lanes || (extent % m->lanes == 0 && extent <= 2 * m->lanes);
  t->splits = !whole;
  t->registers = whole ? (extent + m->lanes - 1) / m->lanes : 1;
  t->overlaps = t->splits && extent % m->lanes;
}

static bool is_term(dl_model *m, size_t i) { return axis(m, i)->reduce && !axis(m, i)->window; }

// The loops outside of a partial sum; returns the innermost, or NULL if the sum is not divided.
static dl_ident add_rounds(dl_model *m, const dl_model_rounds *rounds, loop_list *loops) {
  if (rounds->cut == DL_NO_AXIS) return NULL;
  for (size_t i = 0; i < rounds->cut; i++) {
    if (is_term(m, i)) add_axis(m, loops, i);
  }
  const dl_model_axis *cut = axis(m, rounds->cut);
  if (rounds->length == 1) {
    add_axis(m, loops, rounds->cut);
    return cut->name;
  }
  emit(m, dl_prim_tile(m->k->e.ctx, cut->name, rounds->length, DL_REMAINDER_PEEL));
  dl_ident outer = part(m, cut->name, "out");
  add_loop(loops, outer, (cut->extent + rounds->length - 1) / rounds->length);
  return outer;
}

// What is inside of a partial sum and no window, innermost axis last.
static void add_terms(dl_model *m, const dl_model_rounds *rounds, loop_list *loops) {
  bool cuts = rounds->cut != DL_NO_AXIS;
  if (cuts && rounds->length > 1) {
    add_loop(loops, part(m, axis(m, rounds->cut)->name, "in"), rounds->length);
  }
  for (size_t i = cuts ? rounds->cut + 1 : 0; i <= rounds->inner; i++) {
    if (is_term(m, i)) add_axis(m, loops, i);
  }
}

// Adds the reduce loops and returns the one to be named by `partial`, or NULL. Inside of it, the
// terms of a window's position follow each other: so the order of a sum does not depend on how
// channels are divided into blocks.
static dl_ident add_reduce_loops(dl_model *m, loop_list *loops) {
  dl_model_rounds rounds = dl_model_find_rounds(m);
  dl_ident partial = add_rounds(m, &rounds, loops);
  for (size_t i = 0; i < m->axes.len; i++) {
    if (i == rounds.inner) {
      add_terms(m, &rounds, loops);
    } else if (axis(m, i)->reduce && (rounds.inner == DL_NO_AXIS || axis(m, i)->window)) {
      add_axis(m, loops, i);
    }
  }
  return partial;
}

// A tensor as large as the result that is added to a sum comes first, as if the sum were made where
// it is. (It costs the same, and is the order that libraries have.)
static void emit_addend(dl_model *m) {
  const dl_compute *c = &m->root->c;
  for (size_t i = 0; m->root != m->stage && i < c->num_inputs; i++) {
    bool large = dl_value_type(c->inputs[i]) == c->result && dl_is_float(c->result->element);
    if (!large || !dl_find_addition(m->stage, i)) continue;
    emit(m, dl_prim_accumulate(m->k->e.ctx, m->stage->c.label, i));
    return;
  }
}

static void emit_sum(dl_model *m, dl_ident partial) {
  if (partial) emit_name(m, DL_PRIM_PARTIAL, partial);
  emit_addend(m);
}

// Short innermost loops over taps are unrolled when they share nothing with a broadcast, so that
// overlapping reads are made once.
static void unroll_taps(dl_model *m, const dl_model_tiling *t) {
  size_t last = m->axes.len - 1;
  const dl_model_axis *a = axis(m, last);
  bool shares = false;
  for (size_t r = 1; r < m->num_driver_reads; r++) shares |= !reads_along(m, t->vector, r);
  if (!shares && a->reduce && a->extent > 1 && a->extent <= MAX_UNROLLED_TAPS) {
    emit(m, dl_prim_unroll(m->k->e.ctx, a->name, 0));
  }
}

// Bytes of what moves along an axis, of one element size.
static double footprint(const dl_model *m, size_t along) {
  double bytes = 0;
  for (size_t r = 1; along != DL_NO_AXIS && r < m->num_driver_reads; r++) {
    if (!reads_along(m, along, r)) continue;
    double elements = 1;
    for (size_t i = 0; i < m->axes.len; i++) {
      int64_t extent = m->axes.data[i].extent;
      if (reads_along(m, i, r)) elements *= extent == DL_DYNAMIC ? 64 : (double)extent;
    }
    bytes += elements;
  }
  return bytes * (double)dl_element_bytes(dl_storage_type(m->stage->c.result->element));
}

// The cost of a byte that is read again and again, by the cache that holds all of it.
static double reread_cost(const dl_model *m, double bytes) {
  if (bytes <= (double)m->machine->l1_bytes / 2) return 0.25;
  return bytes <= (double)m->machine->l2_bytes / 2 ? 1 : 4;
}

// Whether the channel tiles go inside of the pixel tiles, so that what the pixels share is read
// again for each of these, rather than what the channels share for each channel tile.
static bool channels_inside(const dl_model *m, const dl_model_tiling *t, dl_model_tile tile) {
  if (t->channel == DL_NO_AXIS || t->pixel == DL_NO_AXIS) return false;
  double channel_tiles = (double)m->axes.data[t->channel].extent / (double)tile.channels;
  if (t->splits) channel_tiles /= (double)m->lanes;
  double pixel_tiles = 1 / (double)tile.pixels;
  for (size_t i = 0; i < m->axes.len; i++) {
    const dl_model_axis *a = &m->axes.data[i];
    if (a->reduce || i == t->channel || i == t->vector) continue;
    pixel_tiles *= a->extent == DL_DYNAMIC ? 64 : (double)a->extent;
  }
  double weights = footprint(m, t->channel), image = footprint(m, t->pixel);
  double outside = 4 * weights + channel_tiles * image * reread_cost(m, image);
  double inside = 4 * image + pixel_tiles * weights * reread_cost(m, weights);
  return inside < outside;
}

static bool any_guard(const dl_model *m) { return m->stage->borders.len > 0; }

static void choose_tile(dl_model *m, const dl_model_tiling *t) {
  dl_context *ctx = m->k->e.ctx;
  dl_model_tile tile = dl_model_best_tile(m, t);
  bool inside = channels_inside(m, t, tile);
  loop_list outer = {0}, last = {0};
  dl_ident channel = NULL, pixel = NULL, vector = axis(m, t->vector)->name;
  for (size_t i = 0; i < m->axes.len; i++) {
    if (axis(m, i)->reduce || i == t->pixel) continue;
    if (i == t->vector) {
      if (!t->splits) continue;
      dl_remainder remainder = t->overlaps ? DL_REMAINDER_OVERLAP : DL_REMAINDER_PEEL;
      vector = tile_axis(m, i, m->lanes * tile.channels, remainder, inside ? &last : &outer);
      if (tile.channels > 1) {
        emit(m, dl_prim_tile(ctx, vector, m->lanes, DL_REMAINDER_PEEL));
        channel = part(m, vector, "out");
        vector = part(m, vector, "in");
      }
    } else if (i == t->channel) {
      channel = tile_axis(m, i, tile.channels, DL_REMAINDER_PEEL, inside ? &last : &outer);
    } else {
      add_loop(&outer, axis(m, i)->name, axis(m, i)->extent);
    }
  }
  size_t grid = outer.names.len;
  if (t->pixel != DL_NO_AXIS) {
    bool guarded = axis(m, t->pixel)->guarded;
    pixel = tile_axis(m, t->pixel, tile.pixels, DL_REMAINDER_PEEL, &outer);
    if (!guarded) grid++;
  }
  size_t candidates = grid;
  for (size_t i = 0; i < last.names.len; i++) {
    add_loop(&outer, last.names.data[i], last.extents.data[i]);
  }
  dl_ident partial = add_reduce_loops(m, &outer);
  if (pixel) add_loop(&outer, pixel, tile.pixels);
  if (channel) add_loop(&outer, channel, tile.channels);
  add_loop(&outer, vector, m->lanes);
  emit_order(m, &outer);
  emit_name(m, DL_PRIM_VECTORIZE, vector);
  if (pixel) emit(m, dl_prim_unroll(ctx, pixel, 0));
  if (channel) emit(m, dl_prim_unroll(ctx, channel, 0));
  unroll_taps(m, t);
  emit_sum(m, partial);
  emit_grid(m, &outer, candidates);
  free_loops(&outer);
  free_loops(&last);
}

// Lanes along the reduction: dot products of rows, several at a time.
static void choose_dot(dl_model *m, size_t reduction) {
  dl_context *ctx = m->k->e.ctx;
  const int64_t rows = m->machine->vector_registers / 4;
  size_t row = DL_NO_AXIS;
  loop_list loops = {0};
  dl_ident tile = NULL;
  for (size_t i = 0; i < m->axes.len; i++) {
    if (!axis(m, i)->reduce && axis(m, i)->extent > 1) row = i;
  }
  for (size_t i = 0; i < m->axes.len; i++) {
    if (axis(m, i)->reduce) continue;
    if (i == row && axis(m, i)->extent >= rows) {
      tile = tile_axis(m, i, rows, DL_REMAINDER_PEEL, &loops);
    } else {
      add_loop(&loops, axis(m, i)->name, axis(m, i)->extent);
    }
  }
  size_t grid = loops.names.len;
  for (size_t i = 0; i < m->axes.len; i++) {
    if (axis(m, i)->reduce && i != reduction)
      add_loop(&loops, axis(m, i)->name, axis(m, i)->extent);
  }
  dl_ident name = axis(m, reduction)->name, partial = NULL;
  dl_model_rounds rounds = dl_model_find_rounds(m);
  int64_t extent = axis(m, reduction)->extent, length = rounds.length * m->lanes;
  if (rounds.cut == reduction && length < extent) {
    emit(m, dl_prim_tile(ctx, name, length, DL_REMAINDER_PEEL));
    partial = part(m, name, "out");
    add_loop(&loops, partial, extent / length);
    name = part(m, name, "in");
    extent = length;
  }
  emit(m, dl_prim_tile(ctx, name, m->lanes, DL_REMAINDER_MASK));
  add_loop(&loops, part(m, name, "out"), extent / m->lanes);
  if (tile) add_loop(&loops, tile, rows);
  add_loop(&loops, part(m, name, "in"), m->lanes);
  emit_order(m, &loops);
  if (tile) emit(m, dl_prim_unroll(ctx, tile, 0));
  emit_name(m, DL_PRIM_VECTORIZE, part(m, name, "in"));
  emit_sum(m, partial);
  emit_grid(m, &loops, grid);
  free_loops(&loops);
}

static void choose_scalar(dl_model *m) {
  loop_list loops = {0};
  for (size_t i = 0; i < m->axes.len; i++) {
    if (!axis(m, i)->reduce) add_axis(m, &loops, i);
  }
  size_t grid = loops.names.len;
  dl_ident partial = add_reduce_loops(m, &loops);
  if (partial) emit_order(m, &loops);
  emit_sum(m, partial);
  emit_grid(m, &loops, grid);
  free_loops(&loops);
}

// --- reductions over tables ---

#define MAX_TABLE_POINTS 4  // of a tile, beside those along the tables

static void unroll_all(dl_model *m, const loop_list *loops) {
  for (size_t i = 0; i < loops->names.len; i++)
    emit(m, dl_prim_unroll(m->k->e.ctx, loops->names.data[i], 0));
}

static void append_loops(loop_list *to, const loop_list *from) {
  for (size_t i = 0; i < from->names.len; i++)
    add_loop(to, from->names.data[i], from->extents.data[i]);
}

// The last parallel axis that runs along no table; DL_NO_AXIS when there is none.
static size_t free_axis(const dl_model *m, size_t vector) {
  for (size_t i = m->axes.len; i-- > 0;) {
    const dl_model_axis *a = &m->axes.data[i];
    if (!a->reduce && !a->table && i != vector && a->extent > 1) return i;
  }
  return DL_NO_AXIS;
}

// Unrolled along the tables, whose elements so become constants of the code: factors of zero and
// one cost nothing. As many points as leave registers for what is read make a tile.
static void choose_over_table(dl_model *m, size_t vector) {
  vector = dl_model_fuse(m, vector);
  size_t pixel = free_axis(m, vector);
  loop_list loops = {0}, reduce = {0}, taps = {0}, points = {0};
  int64_t held = 1;
  for (size_t i = 0; i < m->axes.len; i++) {
    const dl_model_axis *a = axis(m, i);
    if (a->reduce) {
      add_loop(a->table ? &taps : &reduce, a->name, a->extent);
    } else if (a->table) {
      bool whole = a->table == a->extent;
      dl_ident in = whole ? a->name : tile_axis(m, i, a->table, DL_REMAINDER_PEEL, &loops);
      if (in) add_loop(&points, in, a->table);
      held *= a->table;
    } else if (i != pixel && i != vector) {
      add_loop(&loops, a->name, a->extent);
    }
  }
  size_t grid = loops.names.len;
  int64_t along = (m->machine->vector_registers * 3 / 4) / held;
  if (along > MAX_TABLE_POINTS) along = MAX_TABLE_POINTS;
  if (pixel != DL_NO_AXIS) {
    if (!axis(m, pixel)->guarded) grid++;
    dl_ident in = tile_axis(m, pixel, along, DL_REMAINDER_PEEL, &loops);
    if (in) add_loop(&points, in, along);
  }
  append_loops(&loops, &reduce);
  append_loops(&loops, &taps);
  append_loops(&loops, &points);
  add_loop(&loops, axis(m, vector)->name, axis(m, vector)->extent);
  emit_order(m, &loops);
  emit_name(m, DL_PRIM_VECTORIZE, axis(m, vector)->name);
  unroll_all(m, &taps);
  unroll_all(m, &points);
  emit_grid(m, &loops, grid);
  free_loops(&loops);
  free_loops(&reduce);
  free_loops(&taps);
  free_loops(&points);
}

static void emit_border(dl_model *m) {
  if (!any_guard(m)) return;
  dl_attr peel = dl_keyword_attr(m->k->e.ctx, dl_intern_z(m->k->e.ctx, "peel"));
  emit(m, dl_call_attr(m->k->e.ctx, dl_intern_z(m->k->e.ctx, "border"), 1, &peel));
}

static void choose_reduction(dl_model *m) {
  bool gathers = false;
  size_t vector = contiguous_axis(m, &gathers);
  bool dynamic = vector != DL_NO_AXIS && axis(m, vector)->extent == DL_DYNAMIC;
  size_t dot = contiguous_reduction(m);
  if (vector == DL_NO_AXIS || gathers || dynamic) {
    if (dot != DL_NO_AXIS && dl_is_float(m->stage->c.result->element)) {
      choose_dot(m, dot);
      return;
    }
    if (vector == DL_NO_AXIS || dynamic) {
      choose_scalar(m);
      return;
    }
  }
  int64_t whole = axis(m, vector)->extent;
  if (dl_model_reads_table(m) && whole % m->lanes == 0 && whole <= 2 * m->lanes) {
    choose_over_table(m, vector);
    emit_border(m);
    return;
  }
  dl_model_tiling t = {.vector = dl_model_fuse(m, vector)};
  find_vector(m, &t);
  find_axes(m, &t);
  choose_tile(m, &t);
  emit_border(m);
}

// One work-item per point: the loops along which the result is contiguous come last, so that
// neighbouring lanes touch neighbouring elements.
static void choose_bound(dl_model *m) {
  dl_model_fuse(m, DL_NO_AXIS);
  bool gathers;
  size_t lane = contiguous_axis(m, &gathers), num_bound = 0;
  loop_list loops = {0};
  for (size_t i = 0; i < m->axes.len; i++) {
    if (i != lane && !axis(m, i)->reduce) add_loop(&loops, axis(m, i)->name, axis(m, i)->extent);
  }
  if (lane != DL_NO_AXIS) add_loop(&loops, axis(m, lane)->name, axis(m, lane)->extent);
  num_bound = loops.names.len;
  dl_ident partial = add_reduce_loops(m, &loops);
  emit_order(m, &loops);
  emit_sum(m, partial);
  for (size_t i = 0; i < num_bound; i++) {
    const char *word = i + 1 < num_bound ? "group" : "lane";
    emit(m, dl_prim_bind(m->k->e.ctx, loops.names.data[i], word));
  }
  free_loops(&loops);
}

int64_t dl_choose_num_rows(dl_kernel *k, dl_stage *root, const dl_machine *machine, size_t held,
                           double work) {
  dl_model m;
  dl_model_read(&m, k, root, machine, NULL);
  double row = points(&m);
  int64_t extent = axis(&m, held - 1)->extent;
  for (size_t i = 0; i < held; i++) {
    double rows = axis(&m, i)->extent == DL_DYNAMIC ? 64 : (double)axis(&m, i)->extent;
    row /= rows > 1 ? rows : 1;
    work /= rows > 1 ? rows : 1;
  }
  row *= (double)dl_element_bytes(dl_storage_type(root->c.result->element));
  int64_t rows = (int64_t)(MIN_TASK_POINTS / (work > 1 ? work : 1)) + 1;
  int64_t fitting = (int64_t)((double)machine->l2_bytes / 2 / (row > 1 ? row : 1));
  if (rows < MIN_ROWS) rows = fitting < MIN_ROWS ? fitting : MIN_ROWS;
  dl_model_free(&m);
  if (extent != DL_DYNAMIC && rows > extent) rows = extent;
  return rows > 1 ? rows : 1;
}

dl_ident dl_choose_host(dl_kernel *k, dl_stage *root, const dl_machine *machine, size_t held,
                        int64_t rows, double work, dl_primitive_list *out) {
  dl_model m;
  dl_model_read(&m, k, root, machine, out);
  m.held = held;
  m.work = work;
  m.rows = rows;
  dl_ident name = axis(&m, held - 1)->name;
  if (rows > 1) name = part(&m, name, "out");
  choose_elementwise(&m);
  dl_model_free(&m);
  return name;
}

void dl_choose_nest(dl_kernel *k, dl_stage *root, const dl_machine *machine,
                    dl_primitive_list *out) {
  dl_model m;
  dl_model_read(&m, k, root, machine, out);
  if (m.axes.len && machine->subgroup_size) {
    choose_bound(&m);
  } else if (m.axes.len && m.stage->c.combiner) {
    choose_reduction(&m);
  } else if (m.axes.len) {
    choose_elementwise(&m);
  }
  dl_model_free(&m);
}
