#include "passes/tensor/schedule_model_internal.h"

typedef DL_VEC(dl_expr) expr_list;

// The offsets that a stage's inputs are read at; accumulators have none.
static void read_offsets(dl_kernel *k, const dl_stage *s, const dl_expr *iterators,
                         expr_list *out) {
  for (size_t i = 0; i < s->c.num_inputs; i++) {
    dl_tensor_ref *ref = dl_kernel_ref(k, s->c.inputs[i]);
    dl_expr *indices = dl_input_indices(k, s, i, iterators);
    if (ref->stage && ref->stage->role == DL_ROLE_DRIVER) continue;
    DL_PUSH(out, dl_linear_offset(k->e.ctx, ref->rank, ref->sizes, indices));
  }
}

// The inputs of the stage itself come first, then those of the readers up to the root, whose result
// is 0.
static expr_list all_offsets(dl_model *m, const dl_expr *iterators) {
  dl_kernel *k = m->k;
  expr_list out = {0};
  DL_PUSH(&out, NULL);
  read_offsets(k, m->stage, iterators, &out);
  m->num_driver_reads = out.len;
  const dl_stage *s = m->stage;
  while (s != m->root) {
    dl_expr *next = dl_arena_alloc(k->arena, (s->reader->c.num_iterators + 1) * sizeof(dl_expr));
    dl_reader_iterators(k, s, iterators, next);
    iterators = next;
    s = s->reader;
  }
  if (m->root != m->stage) read_offsets(k, m->root, iterators, &out);
  out.data[0] = dl_point_offset(k, m->root, iterators);
  return out;
}

static bool guards(const dl_model *m, size_t iterator) {
  for (size_t i = 0; i < m->stage->borders.len; i++) {
    const dl_border *b = &m->stage->borders.data[i];
    dl_expr index = m->stage->c.in_maps[b->input]->results[b->dim];
    if (dl_expr_uses_dim(index, (unsigned)iterator)) return true;
  }
  dl_attr where = m->stage->c.where;
  for (size_t i = 0; where && i < where->map->num_results; i++) {
    if (dl_expr_uses_dim(where->map->results[i], (unsigned)iterator)) return true;
  }
  return false;
}

static bool uses_iterator(dl_map map, size_t iterator) {
  for (size_t r = 0; r < map->num_results; r++) {
    if (dl_expr_uses_dim(map->results[r], (unsigned)iterator)) return true;
  }
  return false;
}

static bool uses_together(dl_map map, size_t x, size_t y) {
  for (size_t r = 0; r < map->num_results; r++) {
    dl_expr index = map->results[r];
    if (dl_expr_uses_dim(index, (unsigned)x) && dl_expr_uses_dim(index, (unsigned)y)) return true;
  }
  return false;
}

// Whether some index moves along both a parallel and a reduce iterator, and not because all inputs
// are divided by the former, as by the groups of a convolution.
static bool slides_along(const dl_compute *c, size_t parallel, size_t reduce) {
  size_t readers = 0, divided = 0;
  bool together = false;
  for (size_t i = 0; i < c->num_inputs; i++) {
    if (!uses_iterator(c->in_maps[i], reduce)) continue;
    readers++;
    divided += uses_iterator(c->in_maps[i], parallel);
    together |= uses_together(c->in_maps[i], parallel, reduce);
  }
  return together && (readers == 1 || divided < readers);
}

static bool slides(const dl_model *m, size_t iterator) {
  const dl_compute *c = &m->stage->c;
  for (size_t p = 0; p < c->num_parallel; p++) {
    if (slides_along(c, p, iterator)) return true;
  }
  return false;
}

// --- tables ---

// The least period after which an expression in a dimension repeats, as far as `mod` shows it;
// `extent` if it does not.
static int64_t period_of(dl_expr e, unsigned dim, int64_t extent) {
  if (!dl_expr_uses_dim(e, dim)) return 1;
  if (e->kind == DL_EXPR_MOD && e->rhs->kind == DL_EXPR_CONST && e->lhs->kind == DL_EXPR_DIM)
    return e->rhs->value < extent ? e->rhs->value : extent;
  if (e->kind != DL_EXPR_ADD && e->kind != DL_EXPR_MUL) return extent;
  int64_t left = period_of(e->lhs, dim, extent), right = period_of(e->rhs, dim, extent);
  return left > right ? left : right;
}

// How far the elements of known tensors that a stage reads go along an iterator.
static int64_t table_along(dl_kernel *k, const dl_stage *s, unsigned iterator) {
  int64_t extent = s->nest.axes.data[iterator].extent, along = 0;
  for (size_t i = 0; i < s->c.num_inputs && extent != DL_DYNAMIC; i++) {
    const dl_tensor_ref *ref = dl_kernel_ref(k, s->c.inputs[i]);
    dl_map map = s->c.in_maps[i];
    for (size_t d = 0; ref->constant && d < map->num_results; d++) {
      if (!dl_expr_uses_dim(map->results[d], iterator)) continue;
      int64_t period = period_of(map->results[d], iterator, extent);
      if (period > along) along = period;
    }
  }
  return along;
}

bool dl_model_reads_table(const dl_model *m) {
  for (size_t i = 0; i < m->axes.len; i++)
    if (m->axes.data[i].table) return true;
  return false;
}

void dl_model_read(dl_model *m, dl_kernel *k, dl_stage *root, const dl_machine *machine,
                   dl_primitive_list *out) {
  const dl_stage *s = root->driver ? root->driver : root;
  *m = (dl_model){.k = k, .stage = s, .root = root, .machine = machine, .out = out};
  m->lanes = dl_machine_lanes(machine, dl_storage_type(s->c.result->element));
  dl_expr *iterators = dl_arena_alloc(k->arena, (s->c.num_iterators + 1) * sizeof(dl_expr));
  for (size_t i = 0; i < s->c.num_iterators; i++) {
    iterators[i] = dl_emit_dim(&k->e, NULL, (dl_range){0, INT64_MAX});
  }
  expr_list offsets = all_offsets(m, iterators);
  m->num_accesses = offsets.len;
  for (size_t i = 0; i < s->c.num_iterators; i++) {
    int64_t *strides = dl_arena_alloc(k->arena, (offsets.len + 1) * sizeof(int64_t));
    for (size_t a = 0; a < offsets.len; a++) {
      dl_expr rest;
      unsigned dim = (unsigned)iterators[i]->value;
      if (!dl_expr_split_dim(offsets.data[a], dim, &strides[a], &rest)) {
        strides[a] = DL_MODEL_NONLINEAR;
      }
    }
    const dl_axis *axis = &s->nest.axes.data[i];
    DL_PUSH(&m->axes,
            ((dl_model_axis){dl_intern_f(k->e.ctx, "%s.%s", s->c.label, axis->name), axis->extent,
                             axis->reduce, guards(m, i), axis->reduce && slides(m, i),
                             table_along(k, s, (unsigned)i), strides}));
  }
  DL_VEC_FREE(&offsets);
}

void dl_model_free(dl_model *m) { DL_VEC_FREE(&m->axes); }

static bool fusable(const dl_model *m, const dl_model_axis *x, const dl_model_axis *y) {
  if (x->reduce != y->reduce || x->window != y->window) return false;
  if (x->guarded || y->guarded || x->table || y->table || y->extent == DL_DYNAMIC) return false;
  if (x->extent == 1 || y->extent == 1) return false;
  for (size_t a = 0; a < m->num_accesses; a++) {
    if (x->strides[a] == DL_MODEL_NONLINEAR || y->strides[a] == DL_MODEL_NONLINEAR) return false;
    if (x->strides[a] != y->strides[a] * y->extent) return false;
  }
  return true;
}

size_t dl_model_fuse(dl_model *m, size_t keep) {
  dl_context *ctx = m->k->e.ctx;
  if (m->root->role == DL_ROLE_INSIDE) return keep;
  for (size_t i = m->axes.len; i-- > 1;) {
    dl_model_axis *x = &m->axes.data[i - 1], *y = &m->axes.data[i];
    bool kept = i - 1 == keep || (i == keep && y->extent % m->lanes == 0);
    if (kept || i <= m->held || !fusable(m, x, y)) continue;
    dl_ident pair[] = {x->name, y->name};
    DL_PUSH(m->out, dl_prim_names(ctx, DL_PRIM_FUSE, 2, pair));
    // The label stays in front; the inner name follows without it.
    const char *inner = y->name + strlen(m->stage->c.label) + 1;
    y->name = dl_intern_f(ctx, "%s_%s", x->name, inner);
    y->extent = x->extent == DL_DYNAMIC ? DL_DYNAMIC : x->extent * y->extent;
    memmove(x, y, (m->axes.len - i) * sizeof(*x));
    m->axes.len--;
    if (keep != DL_NO_AXIS && keep >= i) keep--;
  }
  return keep;
}

// --- tiles of accumulators ---

static bool uses(const dl_model *m, size_t axis, size_t access) {
  return axis != DL_NO_AXIS && m->axes.data[axis].strides[access] != 0;
}

// Half cycles per vector of an access, by the cache that holds what one tile reads of it.
static int64_t vector_load_cost(const dl_model *m, int64_t vectors) {
  double bytes = (double)(vectors * m->machine->vector_bits / 8);
  for (size_t i = 0; i < m->axes.len; i++) {
    const dl_model_axis *a = &m->axes.data[i];
    if (a->reduce && a->extent != DL_DYNAMIC) bytes *= (double)a->extent;
  }
  if (bytes <= (double)m->machine->l1_bytes) return 1;
  return bytes <= (double)m->machine->l2_bytes / 2 ? 2 : 3;
}

// How many elements or vectors of each access a step of a tile reads, and what that costs in half
// cycles.
static int64_t tile_reads(const dl_model *m, const dl_model_tiling *t, dl_model_tile tile,
                          size_t access) {
  int64_t count = uses(m, t->vector, access) ? t->registers : 1;
  if (uses(m, t->channel, access)) count *= tile.channels;
  if (uses(m, t->pixel, access)) count *= tile.pixels;
  return count;
}

// What one step of the reduction costs for a tile, in half cycles: multiply-adds and loads at two a
// cycle each, and no less than the latency of four cycles of a chain of dependent additions.
static int64_t step_cost(const dl_model *m, const dl_model_tiling *t, dl_model_tile tile) {
  int64_t fmas = t->registers * tile.channels * tile.pixels, loads = 0;
  for (size_t a = 1; a < m->num_driver_reads; a++) {
    int64_t count = tile_reads(m, t, tile, a);
    loads += uses(m, t->vector, a) ? count * vector_load_cost(m, count) : count;
  }
  int64_t cost = fmas > loads ? fmas : loads;
  return cost > 8 ? cost : 8;
}

// Registers: the accumulators, the vectors of the access with the fewest, and one for what is
// broadcast.
static bool fits(const dl_model *m, const dl_model_tiling *t, dl_model_tile tile) {
  int64_t held = INT64_MAX;
  for (size_t a = 1; a < m->num_driver_reads; a++) {
    int64_t count = tile_reads(m, t, tile, a);
    if (count < held) held = count;
  }
  if (held == INT64_MAX) held = 0;
  return t->registers * tile.channels * tile.pixels + held + 1 <= m->machine->vector_registers;
}

// Time for the whole range of pixels and channels, in half cycles per step and per point of the
// rest. Overlapping tiles are all whole.
static int64_t total_cost(const dl_model *m, const dl_model_tiling *t, int64_t channels,
                          int64_t pixels, dl_model_tile tile) {
  int64_t total = 0;
  if (t->overlaps) channels = (channels + tile.channels - 1) / tile.channels * tile.channels;
  for (int part = 0; part < 4; part++) {
    dl_model_tile at = tile;
    int64_t across = channels / tile.channels, along = pixels / tile.pixels;
    if (part & 1) across = 1, at.channels = channels % tile.channels;
    if (part & 2) along = 1, at.pixels = pixels % tile.pixels;
    if (at.channels == 0 || at.pixels == 0) continue;
    total += across * along * step_cost(m, t, at) + (part != 0);
  }
  return total;
}

dl_model_tile dl_model_best_tile(const dl_model *m, const dl_model_tiling *t) {
  const int64_t unknown = 1 << 12;  // pixels of a range known only at run time
  int64_t pixels = t->pixel == DL_NO_AXIS ? 1 : m->axes.data[t->pixel].extent;
  if (pixels == DL_DYNAMIC) pixels = unknown;
  int64_t channels = t->channel == DL_NO_AXIS ? 1 : m->axes.data[t->channel].extent;
  int64_t whole = t->splits ? channels / m->lanes : channels;
  if (t->splits) channels = (channels + m->lanes - 1) / m->lanes;
  int64_t limit = m->machine->vector_registers, best_cost = INT64_MAX;
  dl_model_tile best = {1, 1};
  for (int64_t c = 1; c <= whole && c <= limit; c++) {
    for (int64_t p = 1; p <= pixels && p <= limit; p++) {
      dl_model_tile tile = {c, p};
      if (!fits(m, t, tile)) break;
      int64_t cost = total_cost(m, t, channels, pixels, tile);
      bool larger = c * p > best.channels * best.pixels;
      if (cost > best_cost || (cost == best_cost && !larger)) continue;
      best_cost = cost;
      best = tile;
    }
  }
  return best;
}

// --- partial sums ---

#define POINT_TERMS 128    // of a partial sum without windows
#define BLOCK_CHANNELS 16  // with windows, where channels are stored in blocks
#define PLANAR_TERMS 144   // with windows otherwise; of fewer than 16 channels, each is one

static int64_t window_positions(const dl_model *m) {
  int64_t positions = 1;
  for (size_t i = 0; i < m->axes.len; i++) {
    if (m->axes.data[i].window) positions *= m->axes.data[i].extent;
  }
  return positions;
}

// Whether axis `inner` runs inside of a window's: then it belongs to blocks.
static bool window_outside(const dl_model *m, size_t inner) {
  for (size_t i = 0; i < inner; i++) {
    if (m->axes.data[i].window) return true;
  }
  return false;
}

// How many channels make a partial sum.
static int64_t partial_length(const dl_model *m, size_t inner, int64_t positions) {
  if (positions == 1) return POINT_TERMS;
  if (window_outside(m, inner)) return BLOCK_CHANNELS;
  int64_t length = 1;
  if (m->axes.data[inner].extent < BLOCK_CHANNELS) return length;
  while (2 * length * positions <= PLANAR_TERMS) length *= 2;
  return length;
}

// A length that leaves no remainder, if one is not much shorter: around windows, the code for a
// remainder has all the copies for borders again.
static int64_t even_length(int64_t extent, int64_t length) {
  for (int64_t even = length; 2 * even >= length && even > 0; even--) {
    if (extent % even == 0) return even;
  }
  return length;
}

static bool sums_floats(const dl_model *m) {
  if (m->stage->c.combiner != DL_COMBINE_SUM || !dl_is_float(m->stage->c.result->element))
    return false;
  for (size_t i = 0; i < m->axes.len; i++) {
    const dl_model_axis *a = &m->axes.data[i];
    if (a->reduce && (a->extent == DL_DYNAMIC || (a->guarded && !a->window))) return false;
  }
  return true;
}

dl_model_rounds dl_model_find_rounds(const dl_model *m) {
  dl_model_rounds rounds = {DL_NO_AXIS, 1, DL_NO_AXIS};
  if (!sums_floats(m)) return rounds;
  int64_t left = 0, positions = window_positions(m);
  for (size_t i = m->axes.len; i-- > 0;) {
    const dl_model_axis *a = &m->axes.data[i];
    if (!a->reduce || a->window) continue;
    if (rounds.inner == DL_NO_AXIS) {
      left = partial_length(m, i, positions);
      rounds.inner = i;
    }
    if (a->extent > left) {
      rounds.cut = i;
      rounds.length = left < 1 ? 1 : positions > 1 ? even_length(a->extent, left) : left;
      break;
    }
    left /= a->extent;
  }
  return rounds;
}
