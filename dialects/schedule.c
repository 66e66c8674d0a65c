#include "dialects/schedule.h"

#include <string.h>

#include "ir/context.h"
#include "ir/types.h"

// --- the attribute ---

typedef struct primitive_row {
  const char *name;
  size_t min_names, max_names;
  bool number;  // an integer may follow the names
  bool needs_number;
  bool word;  // the last argument is a word
} primitive_row;

static const primitive_row rows[] = {
    [DL_PRIM_TILE] = {"tile", 1, 1, true, true, false},
    [DL_PRIM_FUSE] = {"fuse", 2, 2, false, false, false},
    [DL_PRIM_ORDER] = {"order", 1, SIZE_MAX, false, false, false},
    [DL_PRIM_VECTORIZE] = {"vectorize", 1, 1, false, false, false},
    [DL_PRIM_UNROLL] = {"unroll", 1, 1, true, false, false},
    [DL_PRIM_PARALLEL] = {"parallel", 1, SIZE_MAX, false, false, false},
    [DL_PRIM_COMPUTE_AT] = {"compute_at", 2, 2, false, false, false},
    [DL_PRIM_BIND] = {"bind", 1, 1, false, false, true},
    [DL_PRIM_STAGE] = {"stage", 1, 1, true, true, true},
    [DL_PRIM_BORDER] = {"border", 0, 0, false, false, true},
    [DL_PRIM_TENSORIZE] = {"tensorize", 1, SIZE_MAX, false, false, true},
    [DL_PRIM_PARTIAL] = {"partial", 1, 1, false, false, false},
    [DL_PRIM_ACCUMULATE] = {"accumulate", 1, 1, true, true, false},
};

static bool find_row(dl_ident name, dl_primitive_kind *kind) {
  for (size_t i = 0; i < DL_COUNT(rows); i++) {
    if (strcmp(rows[i].name, name)) continue;
    *kind = (dl_primitive_kind)i;
    return true;
  }
  return false;
}

static bool parse_remainder(dl_ident word, dl_remainder *remainder) {
  static const char *const words[] = {[DL_REMAINDER_PEEL] = "peel",
                                      [DL_REMAINDER_MASK] = "mask",
                                      [DL_REMAINDER_OVERLAP] = "overlap"};
  for (size_t i = 0; i < DL_COUNT(words); i++) {
    if (strcmp(words[i], word)) continue;
    *remainder = (dl_remainder)i;
    return true;
  }
  return false;
}

static bool at_word(dl_attr call, size_t i) {
  return i < call->count && call->elements[i]->kind == DL_ATTR_KEYWORD;
}

// Reads the optional or required number at argument *i.
static dl_status parse_number(dl_loc loc, dl_attr call, const primitive_row *row, size_t *i,
                              dl_primitive *out) {
  if (row->number && *i < call->count && call->elements[*i]->kind == DL_ATTR_INTEGER) {
    out->factor = call->elements[(*i)++]->integer;
    bool input = out->kind == DL_PRIM_STAGE || out->kind == DL_PRIM_ACCUMULATE;
    if (out->factor < (input ? 0 : 1))
      return dl_error(loc, "'%s' needs a positive number", row->name);
  } else if (row->needs_number) {
    bool input = out->kind == DL_PRIM_STAGE || out->kind == DL_PRIM_ACCUMULATE;
    return dl_error(loc, "'%s' needs a number after the %s", row->name,
                    input ? "compute" : "iterator");
  }
  return DL_OK;
}

static dl_status parse_primitive(dl_loc loc, dl_attr call, dl_arena *arena, dl_primitive *out) {
  if (call->kind != DL_ATTR_CALL || !find_row(call->name, &out->kind)) {
    dl_buffer text = {0};
    dl_print_attr(&text, call);
    dl_error(loc, "'%s' is no schedule primitive", text.data);
    dl_buffer_free(&text);
    return DL_FAILED;
  }
  const primitive_row *row = &rows[out->kind];
  dl_ident *names = dl_arena_alloc(arena, (call->count + 1) * sizeof(dl_ident));
  size_t i = 0;
  // The last of several words is not a name.
  size_t most =
      row->word && row->max_names == SIZE_MAX && call->count ? call->count - 1 : row->max_names;
  for (; at_word(call, i) && i < most; i++) names[i] = call->elements[i]->name;
  out->names = names;
  out->num_names = i;
  if (i < row->min_names) {
    return dl_error(loc, "'%s' needs %zu name%s", row->name, row->min_names,
                    row->min_names == 1 ? "" : "s");
  }
  DL_TRY(parse_number(loc, call, row, &i, out));
  if (row->word) {
    if (!at_word(call, i))
      return dl_error(loc, "'%s' needs a word as its last argument", row->name);
    out->word = call->elements[i++]->name;
  }
  if (out->kind == DL_PRIM_STAGE && at_word(call, i)) {
    names[out->num_names++] = call->elements[i++]->name;
  }
  if (out->kind == DL_PRIM_TILE && at_word(call, i)) {
    if (!parse_remainder(call->elements[i]->name, &out->remainder)) {
      return dl_error(loc, "a tile's remainder is handled by peel, mask or overlap");
    }
    i++;
  }
  if (i != call->count) return dl_error(loc, "'%s' has too many arguments", row->name);
  return DL_OK;
}

dl_status dl_schedule_parse(dl_loc loc, dl_attr attr, dl_arena *arena, dl_schedule *schedule) {
  if (!dl_is_dialect_attr(attr, "tensor", "schedule")) {
    return dl_error(loc, "expected a #tensor.schedule");
  }
  bool empty =
      attr->count == 1 && attr->elements[0]->kind == DL_ATTR_RAW && !attr->elements[0]->bytes.len;
  schedule->count = empty ? 0 : attr->count;
  schedule->primitives = dl_arena_alloc(arena, (attr->count + 1) * sizeof(dl_primitive));
  for (size_t i = 0; i < schedule->count; i++) {
    DL_TRY(parse_primitive(loc, attr->elements[i], arena, &schedule->primitives[i]));
  }
  return DL_OK;
}

dl_attr dl_prim_tile(dl_context *ctx, dl_ident iterator, int64_t size, dl_remainder remainder) {
  static const char *const words[] = {"peel", "mask", "overlap"};
  dl_attr params[] = {dl_keyword_attr(ctx, iterator), dl_i64_attr(ctx, size),
                      dl_keyword_attr(ctx, dl_intern_z(ctx, words[remainder]))};
  return dl_call_attr(ctx, dl_intern_z(ctx, "tile"), remainder == DL_REMAINDER_PEEL ? 2 : 3,
                      params);
}

dl_attr dl_prim_unroll(dl_context *ctx, dl_ident iterator, int64_t factor) {
  dl_attr params[] = {dl_keyword_attr(ctx, iterator), dl_i64_attr(ctx, factor)};
  return dl_call_attr(ctx, dl_intern_z(ctx, "unroll"), factor ? 2 : 1, params);
}

dl_attr dl_prim_accumulate(dl_context *ctx, dl_ident compute, size_t input) {
  dl_attr params[] = {dl_keyword_attr(ctx, compute), dl_i64_attr(ctx, (int64_t)input)};
  return dl_call_attr(ctx, dl_intern_z(ctx, "accumulate"), DL_COUNT(params), params);
}

dl_attr dl_prim_bind(dl_context *ctx, dl_ident iterator, const char *word) {
  dl_attr params[] = {dl_keyword_attr(ctx, iterator), dl_keyword_attr(ctx, dl_intern_z(ctx, word))};
  return dl_call_attr(ctx, dl_intern_z(ctx, "bind"), DL_COUNT(params), params);
}

dl_attr dl_prim_names(dl_context *ctx, dl_primitive_kind kind, size_t count,
                      const dl_ident *iterators) {
  DL_VEC(dl_attr) params = {0};
  for (size_t i = 0; i < count; i++) DL_PUSH(&params, dl_keyword_attr(ctx, iterators[i]));
  dl_attr call = dl_call_attr(ctx, dl_intern_z(ctx, rows[kind].name), count, params.data);
  DL_VEC_FREE(&params);
  return call;
}

dl_attr dl_schedule_attr(dl_context *ctx, size_t count, const dl_attr *primitives) {
  return dl_dialect_attr(ctx, dl_intern_z(ctx, "tensor"), dl_intern_z(ctx, "schedule"), count,
                         primitives);
}

// --- nests ---

void dl_nest_init(dl_nest *nest, dl_ident label, size_t num_iterators, size_t num_parallel,
                  const dl_ident *names, const int64_t *extents) {
  *nest = (dl_nest){.label = label,
                    .num_iterators = num_iterators,
                    .num_loops = num_iterators,
                    .addend = DL_NO_AXIS,
                    .host = DL_NO_AXIS};
  nest->loops = dl_calloc(num_iterators + 1, sizeof(size_t));
  for (size_t i = 0; i < num_iterators; i++) {
    DL_PUSH(&nest->axes, (dl_axis){.name = names[i],
                                   .source = DL_NO_AXIS,
                                   .partner = DL_NO_AXIS,
                                   .extent = extents[i],
                                   .reduce = i >= num_parallel,
                                   .leaf = true,
                                   .unroll = 1});
    nest->loops[i] = i;
  }
}

void dl_nest_free(dl_nest *nest) {
  DL_VEC_FREE(&nest->axes);
  free(nest->loops);
  nest->loops = NULL;
}

static size_t loop_position(const dl_nest *nest, size_t axis) {
  for (size_t i = 0; i < nest->num_loops; i++) {
    if (nest->loops[i] == axis) return i;
  }
  return DL_NO_AXIS;
}

static size_t find_axis(const dl_nest *nest, dl_str name) {
  for (size_t i = 0; i < nest->axes.len; i++) {
    if (nest->axes.data[i].leaf && dl_str_is(name, nest->axes.data[i].name)) return i;
  }
  return DL_NO_AXIS;
}

// The name inside this compute: `name` without "label." in front, or an empty string if it has
// another.
static dl_str qualified(const dl_nest *nest, dl_ident name) {
  size_t len = nest->label ? strlen(nest->label) : 0;
  if (len && !strncmp(name, nest->label, len) && name[len] == '.') return dl_str_of(name + len + 1);
  return (dl_str){0};
}

typedef struct place {
  dl_nest *nest;
  size_t axis;
} place;

static dl_status find_place(dl_loc loc, dl_ident name, size_t num_nests, dl_nest *const *nests,
                            place *out) {
  for (size_t i = 0; i < num_nests; i++) {
    size_t axis = find_axis(nests[i], qualified(nests[i], name));
    if (axis == DL_NO_AXIS) continue;
    *out = (place){nests[i], axis};
    return DL_OK;
  }
  size_t found = 0;
  for (size_t i = 0; i < num_nests; i++) {
    size_t axis = find_axis(nests[i], dl_str_of(name));
    if (axis == DL_NO_AXIS) continue;
    *out = (place){nests[i], axis};
    found++;
  }
  if (found == 1) return DL_OK;
  if (found > 1) return dl_error(loc, "several computes have an iterator '%s'", name);
  return dl_error(loc, "no compute of the group has an iterator '%s'", name);
}

static dl_axis *axis_of(place p) { return &p.nest->axes.data[p.axis]; }

static void replace_loop(dl_nest *nest, size_t position, size_t count, const size_t *axes) {
  nest->loops = dl_realloc(nest->loops, (nest->num_loops + count + 1) * sizeof(size_t));
  memmove(&nest->loops[position + count], &nest->loops[position + 1],
          (nest->num_loops - position - 1) * sizeof(size_t));
  memcpy(&nest->loops[position], axes, count * sizeof(size_t));
  nest->num_loops = nest->num_loops + count - 1;
}

static dl_status apply_tile(dl_loc loc, const dl_primitive *p, place at) {
  dl_context *ctx = loc->ctx;
  dl_axis source = *axis_of(at);
  if (source.reduce && p->remainder == DL_REMAINDER_OVERLAP) {
    return dl_error(loc, "tile(%s, …, overlap): points of a reduction cannot be counted twice",
                    source.name);
  }
  bool known = source.extent != DL_DYNAMIC;
  int64_t size = known && source.extent < p->factor ? source.extent : p->factor;
  if (size < 1) size = 1;
  dl_axis outer = {.name = dl_intern_f(ctx, "%s.out", source.name),
                   .kind = DL_AXIS_OUTER,
                   .source = at.axis,
                   .partner = at.nest->axes.len + 1,
                   .tile = size,
                   .remainder = p->remainder,
                   .extent = known ? (source.extent + size - 1) / size : DL_DYNAMIC,
                   .reduce = source.reduce,
                   .leaf = true,
                   .unroll = 1};
  dl_axis inner = outer;
  inner.name = dl_intern_f(ctx, "%s.in", source.name);
  inner.kind = DL_AXIS_INNER;
  inner.partner = at.nest->axes.len;
  inner.extent = size;
  axis_of(at)->leaf = false;
  size_t pair[] = {at.nest->axes.len, at.nest->axes.len + 1};
  DL_PUSH(&at.nest->axes, outer);
  DL_PUSH(&at.nest->axes, inner);
  replace_loop(at.nest, loop_position(at.nest, at.axis), 2, pair);
  return DL_OK;
}

static dl_status apply_fuse(dl_loc loc, place x, place y) {
  if (x.nest != y.nest) return dl_error(loc, "fuse needs two iterators of one compute");
  size_t position = loop_position(x.nest, x.axis);
  if (loop_position(y.nest, y.axis) != position + 1) {
    return dl_error(loc, "fuse(%s, %s): the second loop must follow the first directly",
                    axis_of(x)->name, axis_of(y)->name);
  }
  dl_axis a = *axis_of(x), b = *axis_of(y);
  if (a.reduce != b.reduce) return dl_error(loc, "fuse joins two parallel or two reduce iterators");
  if (b.extent == DL_DYNAMIC) {
    return dl_error(loc, "fuse(%s, %s): the size of the second must be constant", a.name, b.name);
  }
  dl_axis fused = {.name = dl_intern_f(loc->ctx, "%s_%s", a.name, b.name),
                   .kind = DL_AXIS_FUSED,
                   .source = x.axis,
                   .partner = y.axis,
                   .extent = a.extent == DL_DYNAMIC ? DL_DYNAMIC : a.extent * b.extent,
                   .reduce = a.reduce,
                   .leaf = true,
                   .unroll = 1};
  axis_of(x)->leaf = axis_of(y)->leaf = false;
  size_t axis = x.nest->axes.len;
  DL_PUSH(&x.nest->axes, fused);
  replace_loop(x.nest, position, 1, &axis);
  memmove(&x.nest->loops[position + 1], &x.nest->loops[position + 2],
          (x.nest->num_loops - position - 2) * sizeof(size_t));
  x.nest->num_loops--;
  return DL_OK;
}

static dl_status apply_order(dl_loc loc, const dl_primitive *p, const place *places) {
  dl_nest *nest = places[0].nest;
  for (size_t i = 0; i < p->num_names; i++) {
    if (places[i].nest != nest) return dl_error(loc, "order names iterators of several computes");
    for (size_t j = 0; j < i; j++) {
      if (places[j].axis == places[i].axis) {
        return dl_error(loc, "order names '%s' twice", p->names[i]);
      }
    }
  }
  if (p->num_names != nest->num_loops) {
    return dl_error(loc, "order must name all %zu loops of the compute, it names %zu",
                    nest->num_loops, p->num_names);
  }
  for (size_t i = 0; i < p->num_names; i++) nest->loops[i] = places[i].axis;
  return DL_OK;
}

// Groups and lanes are indices of the grid alike: a launch's grid is the ND-range.
static dl_status apply_bind(dl_loc loc, const dl_primitive *p, place at) {
  if (strcmp(p->word, "group") && strcmp(p->word, "lane")) {
    return dl_error(loc, "bind(%s, %s): an iterator is bound to group or lane", axis_of(at)->name,
                    p->word);
  }
  axis_of(at)->parallel = true;
  return DL_OK;
}

static dl_status apply_partial(dl_loc loc, place at) {
  const dl_nest *nest = at.nest;
  if (!axis_of(at)->reduce) {
    return dl_error(loc, "partial(%s): the loop must be over a reduce iterator", axis_of(at)->name);
  }
  for (size_t i = 0; i < nest->num_loops; i++) {
    if (nest->axes.data[nest->loops[i]].partial)
      return dl_error(loc, "a compute has one loop of partial results, '%s' is another",
                      axis_of(at)->name);
  }
  axis_of(at)->partial = true;
  return DL_OK;
}

// The reduce iterator becomes the op's terms, the others its lanes.
static dl_status apply_tensorize(dl_loc loc, const dl_primitive *p, const place *places) {
  bool reduces = false;
  for (size_t i = 0; i < p->num_names; i++) {
    dl_axis *axis = axis_of(places[i]);
    if (axis->reduce && reduces)
      return dl_error(loc, "tensorize names two reduce iterators; a machine op has one");
    reduces |= axis->reduce;
    axis->machine_op = axis->reduce ? p->word : NULL;
    axis->vectorize |= !axis->reduce;
  }
  return reduces ? DL_OK : dl_error(loc, "tensorize needs a reduce iterator for '%s'", p->word);
}

// Tiles, orders and fused loops would change what the computes inside of the nest have to make.
static dl_status check_settled(dl_loc loc, const dl_primitive *p, const dl_nest *nest) {
  bool changes = p->kind == DL_PRIM_TILE || p->kind == DL_PRIM_FUSE || p->kind == DL_PRIM_ORDER;
  if (!changes || !nest->is_host) return DL_OK;
  return dl_error(loc, "'%s' on the loops of @%s must come before the compute_at that names them",
                  rows[p->kind].name, nest->label);
}

static dl_status apply_one(dl_loc loc, const dl_primitive *p, const place *places) {
  for (size_t i = 0; i < p->num_names; i++) {
    DL_TRY(check_settled(loc, p, places[i].nest));
    places[i].nest->scheduled = true;
    if (p->kind == DL_PRIM_PARALLEL) axis_of(places[i])->parallel = true;
  }
  switch (p->kind) {
    case DL_PRIM_TILE:
      return apply_tile(loc, p, places[0]);
    case DL_PRIM_FUSE:
      return apply_fuse(loc, places[0], places[1]);
    case DL_PRIM_ORDER:
      return apply_order(loc, p, places);
    case DL_PRIM_VECTORIZE:
      axis_of(places[0])->vectorize = true;
      return DL_OK;
    case DL_PRIM_UNROLL:
      axis_of(places[0])->unroll = p->factor ? p->factor : DL_UNROLL_FULL;
      return DL_OK;
    case DL_PRIM_PARALLEL:
      return DL_OK;
    case DL_PRIM_BIND:
      return apply_bind(loc, p, places[0]);
    case DL_PRIM_PARTIAL:
      return apply_partial(loc, places[0]);
    case DL_PRIM_TENSORIZE:
      return apply_tensorize(loc, p, places);
    default:
      dl_bug(NULL, "'%s' is not about iterators alone", rows[p->kind].name);
  }
}

static size_t nest_number(const dl_nest *nest, size_t num_nests, dl_nest *const *nests) {
  for (size_t i = 0; i < num_nests; i++) {
    if (nests[i] == nest) return i;
  }
  return DL_NO_AXIS;
}

static size_t find_nest(dl_ident label, size_t num_nests, dl_nest *const *nests) {
  for (size_t i = 0; i < num_nests; i++) {
    if (nests[i]->label && !strcmp(nests[i]->label, label)) return i;
  }
  return DL_NO_AXIS;
}

// Whether nest `inner` is `outer` or inside of it.
static bool is_inside(dl_nest *const *nests, size_t inner, size_t outer) {
  while (inner != outer && inner != DL_NO_AXIS) inner = nests[inner]->host;
  return inner == outer;
}

static dl_status apply_compute_at(dl_loc loc, const dl_primitive *p, size_t num_nests,
                                  dl_nest *const *nests, const dl_region_hook *hook) {
  size_t number = find_nest(p->names[0], num_nests, nests);
  if (number == DL_NO_AXIS) return dl_error(loc, "the group has no compute @%s", p->names[0]);
  dl_nest *nest = nests[number];
  place at;
  DL_TRY(find_place(loc, p->names[1], num_nests, nests, &at));
  size_t host = nest_number(at.nest, num_nests, nests);
  if (is_inside(nests, host, number)) {
    return dl_error(loc, "compute_at(%s, %s): @%s cannot be computed inside of itself", p->names[0],
                    p->names[1], nest->label);
  }
  if (nest->host != DL_NO_AXIS) {
    return dl_error(loc, "@%s is computed at '%s' already", nest->label,
                    nests[nest->host]->axes.data[nest->host_axis].name);
  }
  at.nest->scheduled = at.nest->is_host = true;
  nest->host = host;
  nest->host_axis = at.axis;
  return hook->resize(hook->user, loc, number);
}

static dl_status apply_accumulate(dl_loc loc, const dl_primitive *p, size_t num_nests,
                                  dl_nest *const *nests) {
  size_t number = find_nest(p->names[0], num_nests, nests);
  if (number == DL_NO_AXIS) return dl_error(loc, "the group has no compute @%s", p->names[0]);
  nests[number]->scheduled = true;
  nests[number]->addend = (size_t)p->factor;
  return DL_OK;
}

static dl_status apply_border(dl_loc loc, const dl_primitive *p, size_t num_nests,
                              dl_nest *const *nests) {
  if (!strcmp(p->word, "pad")) {
    return dl_error(loc,
                    "border(pad) is applied by tensor-materialize-padding, before loops are "
                    "made");
  }
  if (strcmp(p->word, "peel")) {
    return dl_error(loc, "border(%s) is unknown; it is pad or peel", p->word);
  }
  for (size_t i = 0; i < num_nests; i++) nests[i]->peel_borders = true;
  return DL_OK;
}

static dl_status apply_primitive(dl_loc loc, const dl_primitive *p, size_t num_nests,
                                 dl_nest *const *nests, const dl_region_hook *hook) {
  if (p->kind == DL_PRIM_BORDER) return apply_border(loc, p, num_nests, nests);
  if (p->kind == DL_PRIM_COMPUTE_AT) return apply_compute_at(loc, p, num_nests, nests, hook);
  if (p->kind == DL_PRIM_ACCUMULATE) return apply_accumulate(loc, p, num_nests, nests);
  if (p->kind == DL_PRIM_STAGE) {
    return dl_error(loc, "stage is applied by tensor-stage-operands, before loops are made");
  }
  DL_VEC(place) places = {0};
  dl_status status = DL_OK;
  for (size_t i = 0; i < p->num_names && status == DL_OK; i++) {
    place at;
    status = find_place(loc, p->names[i], num_nests, nests, &at);
    if (status == DL_OK) DL_PUSH(&places, at);
  }
  if (status == DL_OK) status = apply_one(loc, p, places.data);
  DL_VEC_FREE(&places);
  return status;
}

static const dl_axis *loop_at(const dl_nest *nest, size_t position) {
  return &nest->axes.data[nest->loops[position]];
}

static dl_status check_tensorized(dl_loc loc, const dl_nest *nest, size_t position) {
  const dl_axis *axis = loop_at(nest, position);
  if (position + 1 != nest->num_loops)
    return dl_error(loc, "tensorized loop '%s' must be innermost", axis->name);
  if (!position || !loop_at(nest, position - 1)->vectorize)
    return dl_error(loc, "the loop around the tensorized '%s' must be lanes", axis->name);
  return DL_OK;
}

static dl_status check_vector(dl_loc loc, const dl_nest *nest, size_t position) {
  const dl_axis *axis = loop_at(nest, position);
  if (axis->extent == DL_DYNAMIC)
    return dl_error(loc, "vector loop '%s' must have a constant size", axis->name);
  size_t inside = nest->num_loops - position - 1;
  if (inside == 0 || (inside == 1 && loop_at(nest, position + 1)->machine_op)) return DL_OK;
  return dl_error(loc, "vector loop '%s' must be innermost", axis->name);
}

// The outer tile of every source of this axis must be an earlier loop, which order alone can break.
static dl_status check_loop(dl_loc loc, const dl_nest *nest, size_t position, bool *sequential) {
  const dl_axis *axis = &nest->axes.data[nest->loops[position]];
  if (axis->kind == DL_AXIS_INNER) {
    size_t outer = loop_position(nest, axis->partner);
    if (outer != DL_NO_AXIS && outer > position) {
      return dl_error(loc, "loop '%s' must be outside of '%s'", nest->axes.data[axis->partner].name,
                      axis->name);
    }
  }
  if (axis->parallel && nest->host != DL_NO_AXIS) {
    return dl_error(loc, "loop '%s' of @%s cannot be parallel inside of another compute's loop",
                    axis->name, nest->label);
  }
  if (axis->parallel && (*sequential || axis->reduce)) {
    return dl_error(loc, "parallel loop '%s' must be %s", axis->name,
                    axis->reduce ? "over a parallel iterator" : "outermost");
  }
  *sequential |= !axis->parallel;
  return axis->machine_op  ? check_tensorized(loc, nest, position)
         : axis->vectorize ? check_vector(loc, nest, position)
                           : DL_OK;
}

// Lanes have no place for other loops.
static dl_status check_host(dl_loc loc, const dl_nest *nest, dl_nest *const *nests) {
  if (nest->host == DL_NO_AXIS) return DL_OK;
  const dl_axis *axis = &nests[nest->host]->axes.data[nest->host_axis];
  if (!axis->vectorize) return DL_OK;
  return dl_error(loc, "@%s cannot be computed at '%s', which is vectorized", nest->label,
                  axis->name);
}

dl_status dl_schedule_apply(dl_loc loc, const dl_schedule *schedule, size_t num_nests,
                            dl_nest *const *nests, const dl_region_hook *hook) {
  for (size_t i = 0; i < schedule->count; i++) {
    DL_TRY(apply_primitive(loc, &schedule->primitives[i], num_nests, nests, hook));
  }
  for (size_t n = 0; n < num_nests; n++) {
    bool sequential = false;
    DL_TRY(check_host(loc, nests[n], nests));
    for (size_t i = 0; i < nests[n]->num_loops; i++) {
      DL_TRY(check_loop(loc, nests[n], i, &sequential));
    }
  }
  return DL_OK;
}
