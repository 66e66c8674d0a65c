#include "passes/convert/stored_iterators.h"

// A base iterator is a logical one or the one that replaces a mixed radix; it becomes one stored
// iterator or, when it has radices, 1 + num_radices of them, the outermost first.
typedef struct base_iterator {
  dl_ident name;
  dl_expr extent;
  bool parallel, dropped;
  size_t num_radices;
  int64_t radices[DL_LAYOUT_MAX_DIMS];
  int64_t tile;  // product of the radices
  size_t first;  // stored iterator of the outer part; those of the radices follow in `inner`
  size_t inner[DL_LAYOUT_MAX_DIMS];
} base_iterator;

typedef struct splitter {
  const dl_bound_spec *bound;
  const dl_bound_statement *statement;
  const dl_layout *layouts;
  dl_arena *arena;
  dl_context *ctx;
  size_t num_base;
  base_iterator *base;  // the logical ones first
  dl_expr *to_base;     // value of each logical iterator over base iterators
} splitter;

// --- iterators of extent 1 ---

static void drop_units(splitter *s) {
  const dl_bound_statement *st = s->statement;
  size_t kept_reduce = 0;
  for (size_t i = st->num_iterators; i-- > 0;) {
    bool last_reduce = i == st->num_parallel && !kept_reduce;
    bool drop = dl_expr_is_const(s->base[i].extent, 1) && !last_reduce;
    s->base[i].dropped = drop;
    kept_reduce += !drop && i >= st->num_parallel;
    if (drop) s->to_base[i] = dl_expr_const(s->ctx, 0);
  }
}

// --- splitting along blocked dimensions ---

// The iterator that takes the values index, index+1, … of a dimension whose tile divides everything
// else.
static base_iterator *aligned_iterator(splitter *s, dl_expr index, int64_t tile) {
  dl_expr over_base = dl_expr_substitute(index, s->statement->num_iterators, s->to_base, 0, NULL);
  for (size_t i = 0; i < s->num_base; i++) {
    int64_t coefficient;
    dl_expr rest;
    if (s->base[i].dropped || !dl_expr_split_dim(over_base, (unsigned)i, &coefficient, &rest))
      continue;
    if (coefficient == 1 && dl_expr_is_multiple(rest, tile)) return &s->base[i];
  }
  return NULL;
}

static void split_base(base_iterator *it, const dl_layout *layout, unsigned dim) {
  it->tile = layout->tile[dim];
  for (size_t i = 0; i < layout->num_dims; i++)
    if (layout->dims[i].dim == dim && layout->dims[i].block)
      it->radices[it->num_radices++] = layout->dims[i].block;
}

// The slot for an iterator that replaces those of an index: that of the first of them, or a new
// one.
static unsigned merged_slot(splitter *s, dl_expr index) {
  for (unsigned i = 0; i < s->statement->num_parallel; i++)
    if (dl_expr_uses_dim(index, i)) return i;
  s->base[s->num_base].name = dl_intern_z(s->ctx, "lane");
  return (unsigned)s->num_base++;
}

// Replaces the iterators of a mixed-radix index by one that runs over the whole dimension.
static base_iterator *merge_index(splitter *s, dl_expr index, dl_expr size) {
  unsigned slot = merged_slot(s, index);
  dl_expr whole = dl_expr_dim(s->ctx, slot);
  for (unsigned i = 0; i < s->statement->num_parallel; i++) {
    int64_t coefficient;
    dl_expr rest;
    if (s->base[i].dropped || !dl_expr_uses_dim(index, i)) continue;
    if (!dl_expr_split_dim(index, i, &coefficient, &rest))
      dl_bug(s->bound->op, "not a mixed radix");
    dl_expr digit = dl_expr_floordiv(whole, dl_expr_const(s->ctx, coefficient));
    s->to_base[i] = dl_expr_mod(digit, s->base[i].extent);
    s->base[i].dropped = true;
  }
  s->base[slot] = (base_iterator){.name = s->base[slot].name, .extent = size, .parallel = true};
  return &s->base[slot];
}

static void split_result(splitter *s) {
  const dl_bound_tensor *target = &s->bound->tensors[s->statement->target];
  const dl_layout *layout = &s->layouts[s->statement->target];
  for (unsigned d = 0; d < target->rank; d++) {
    if (layout->tile[d] == 1) continue;
    base_iterator *it = aligned_iterator(s, s->statement->out[d], layout->tile[d]);
    if (!it) it = merge_index(s, s->statement->out[d], target->sizes[d]);
    if (!it->num_radices) split_base(it, layout, d);
  }
}

// Lanes beyond a parallel extent would have no place in a result that is not blocked alike.
static bool may_split(const base_iterator *it, int64_t tile) {
  return !it->parallel || (it->extent->kind == DL_EXPR_CONST && it->extent->value % tile == 0);
}

static void split_reads(splitter *s) {
  for (size_t r = 0; r < s->statement->num_reads; r++) {
    const dl_bound_read *read = &s->statement->reads[r];
    const dl_layout *layout = &s->layouts[read->tensor];
    for (unsigned d = 0; d < layout->rank; d++) {
      if (layout->tile[d] == 1) continue;
      base_iterator *it = aligned_iterator(s, read->indices[d], layout->tile[d]);
      if (it && !it->num_radices && may_split(it, layout->tile[d])) split_base(it, layout, d);
    }
  }
}

// --- lanes beyond the extent ---

static bool divides(const base_iterator *it) {
  return it->extent->kind == DL_EXPR_CONST && it->extent->value % it->tile == 0;
}

// Whether a read gives zero where iterator i is beyond its extent: the lanes are the padding of the
// tensor.
static bool reads_padding(const splitter *s, const dl_bound_read *read, size_t i) {
  const dl_layout *layout = &s->layouts[read->tensor];
  for (size_t d = 0; d < layout->rank; d++) {
    dl_expr index =
        dl_expr_substitute(read->indices[d], s->statement->num_iterators, s->to_base, 0, NULL);
    if (index->kind == DL_EXPR_DIM && index->value == (int64_t)i &&
        layout->tile[d] == s->base[i].tile &&
        s->bound->tensors[read->tensor].sizes[d] == s->base[i].extent)
      return true;
  }
  return false;
}

static bool is_product_of_padding(const splitter *s, const dl_scalar *e, size_t i) {
  if (e->op == DL_SCALAR_READ) return reads_padding(s, &s->statement->reads[e->read], i);
  return e->op == DL_SCALAR_MUL && is_product_of_padding(s, e->args[0], i) &&
         is_product_of_padding(s, e->args[1], i);
}

// --- assembly ---

static size_t add_stored(dl_stored_iterators *out, dl_ident name, dl_expr extent) {
  out->names[out->count] = name;
  out->extents[out->count] = extent;
  return out->count++;
}

static bool name_taken(const dl_stored_iterators *out, dl_ident name) {
  for (size_t i = 0; i < out->count; i++)
    if (out->names[i] == name) return true;
  return false;
}

static dl_ident inner_name(splitter *s, const dl_stored_iterators *out, dl_ident outer) {
  dl_ident name = dl_intern_f(s->ctx, "%si", outer);
  while (name_taken(out, name)) name = dl_intern_f(s->ctx, "%si", name);
  return name;
}

static void add_kind(splitter *s, dl_stored_iterators *out, bool parallel) {
  for (size_t i = 0; i < s->num_base; i++) {
    base_iterator *it = &s->base[i];
    if (it->dropped || it->parallel != parallel) continue;
    dl_expr tile = dl_expr_const(s->ctx, it->num_radices ? it->tile : 1);
    it->first = add_stored(out, it->name, dl_expr_ceildiv(it->extent, tile));
  }
  for (size_t i = 0; i < s->num_base; i++) {
    base_iterator *it = &s->base[i];
    if (it->dropped || it->parallel != parallel) continue;
    for (size_t r = 0; r < it->num_radices; r++)
      it->inner[r] =
          add_stored(out, inner_name(s, out, it->name), dl_expr_const(s->ctx, it->radices[r]));
  }
}

static dl_expr base_value(const splitter *s, const base_iterator *it) {
  dl_expr value = dl_expr_dim(s->ctx, (unsigned)it->first);
  for (size_t r = 0; r < it->num_radices; r++)
    value = dl_expr_add(dl_expr_mul_const(value, it->radices[r]),
                        dl_expr_dim(s->ctx, (unsigned)it->inner[r]));
  return value;
}

static void add_where(splitter *s, dl_stored_iterators *out, const dl_expr *values) {
  out->where = dl_arena_alloc(s->arena, (s->num_base + 1) * sizeof(dl_expr));
  for (size_t i = 0; i < s->num_base; i++) {
    const base_iterator *it = &s->base[i];
    if (it->dropped || !it->num_radices || divides(it)) continue;
    bool sum = s->statement->combiner == DL_COMBINE_SUM;
    if (!it->parallel && sum && is_product_of_padding(s, s->statement->body, i)) continue;
    dl_expr last = dl_expr_add_const(it->extent, -1);
    out->where[out->num_where++] = dl_expr_sub(last, values[i]);
  }
}

static void set_ranges(splitter *s, dl_stored_iterators *out) {
  out->ranges = dl_arena_alloc(s->arena, (out->count + 1) * sizeof(dl_range));
  for (size_t i = 0; i < out->count; i++) {
    dl_expr extent = out->extents[i];
    out->ranges[i] = (dl_range){0, extent->kind == DL_EXPR_CONST ? extent->value - 1 : INT64_MAX};
  }
}

static dl_stored_iterators assemble(splitter *s) {
  size_t most = 0, logical = s->statement->num_iterators;
  for (size_t i = 0; i < s->num_base; i++) most += 1 + s->base[i].num_radices;
  dl_stored_iterators out = {.names = dl_arena_alloc(s->arena, (most + 1) * sizeof(dl_ident)),
                             .extents = dl_arena_alloc(s->arena, (most + 1) * sizeof(dl_expr)),
                             .logical = dl_arena_alloc(s->arena, (logical + 1) * sizeof(dl_expr))};
  add_kind(s, &out, true);
  out.num_parallel = out.count;
  add_kind(s, &out, false);
  dl_expr *values = dl_arena_alloc(s->arena, (s->num_base + 1) * sizeof(dl_expr));
  for (size_t i = 0; i < s->num_base; i++)
    if (!s->base[i].dropped) values[i] = base_value(s, &s->base[i]);
  for (size_t i = 0; i < logical; i++)
    out.logical[i] = dl_expr_substitute(s->to_base[i], s->num_base, values, 0, NULL);
  add_where(s, &out, values);
  set_ranges(s, &out);
  return out;
}

dl_stored_iterators dl_stored_iterators_of(const dl_bound_spec *bound,
                                           const dl_bound_statement *statement,
                                           const dl_layout *layouts, dl_arena *arena) {
  size_t n = statement->num_iterators, most = n + bound->tensors[statement->target].rank;
  splitter s = {.bound = bound,
                .statement = statement,
                .layouts = layouts,
                .arena = arena,
                .ctx = dl_op_context(bound->op),
                .num_base = n,
                .base = dl_arena_alloc(arena, (most + 1) * sizeof(base_iterator)),
                .to_base = dl_arena_alloc(arena, (n + 1) * sizeof(dl_expr))};
  for (size_t i = 0; i < n; i++) {
    s.base[i] = (base_iterator){.name = statement->iterators[i].name,
                                .extent = statement->iterators[i].extent,
                                .parallel = i < statement->num_parallel};
    s.to_base[i] = dl_expr_dim(s.ctx, (unsigned)i);
  }
  drop_units(&s);
  split_result(&s);
  split_reads(&s);
  return assemble(&s);
}

void dl_stored_indices(const dl_bound_spec *bound, const dl_bound_statement *statement,
                       const dl_stored_iterators *stored, const dl_layout *layout,
                       const dl_expr *logical, dl_expr *indices) {
  dl_context *ctx = dl_op_context(bound->op);
  dl_expr over_stored[DL_LAYOUT_MAX_DIMS];
  DL_VEC(dl_range) symbols = {0};
  for (size_t i = 0; i < bound->num_symbols; i++) DL_PUSH(&symbols, (dl_range){0, INT64_MAX});
  for (size_t d = 0; d < layout->rank; d++)
    over_stored[d] =
        dl_expr_substitute(logical[d], statement->num_iterators, stored->logical, 0, NULL);
  dl_map map = dl_layout_map(ctx, layout);
  for (size_t i = 0; i < layout->num_dims; i++) {
    dl_expr index = dl_expr_substitute(map->results[i], layout->rank, over_stored, 0, NULL);
    indices[i] = dl_expr_simplify(index, stored->ranges, stored->count, symbols.data, symbols.len);
  }
  DL_VEC_FREE(&symbols);
}
