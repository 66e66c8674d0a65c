// Where two versions of a program begin to differ. Values are found again by the names of their
// ops, and by what they are: a pass may give a name to another value (a folded convolution is
// called like the convolution and gives what the normalization gave).
#include <math.h>

#include "dialects/check_internal.h"
#include "dialects/layout.h"

enum { MAX_STORES = 1 << 17 };

typedef struct record {
  dl_ident name;
  const char *op;
  bool is_memory;  // behind a pointer: what follows the value may be anything
  dl_ndarray *logical, *stored;
} record;

struct dl_trace {
  bool exact;
  DL_VEC(record) values;
  DL_VEC(record) stores;
  dl_ptr_map last;   // name -> 1 + index of its last value: what an op's ops end with
  dl_ptr_map fused;  // the same for the further names of ops that were fused
};

dl_trace *dl_trace_create(bool exact) {
  dl_trace *trace = dl_calloc(1, sizeof(*trace));
  trace->exact = exact;
  return trace;
}

static void release_record(record *r) {
  dl_ndarray_release(r->logical);
  dl_ndarray_release(r->stored);
}

void dl_trace_destroy(dl_trace *trace) {
  for (size_t i = 0; i < trace->values.len; i++) release_record(&trace->values.data[i]);
  for (size_t i = 0; i < trace->stores.len; i++) release_record(&trace->stores.data[i]);
  DL_VEC_FREE(&trace->values);
  DL_VEC_FREE(&trace->stores);
  dl_ptr_map_free(&trace->last);
  dl_ptr_map_free(&trace->fused);
  free(trace);
}

// --- recording ---

// Names of values come last: what becomes memory loses them.
static dl_ident name_of(const dl_op *op, size_t result) {
  dl_loc loc = dl_op_loc(op);
  dl_ident name = dl_loc_first_name(loc);
  if (!name && loc->kind == DL_LOC_FILE)
    name = dl_intern_f(dl_op_context(op), "line %llu", (unsigned long long)loc->line);
  if (!name && result != DL_INTERP_MEMORY) name = dl_value_name(dl_result(op, result));
  return name;
}

// Says that the latest value recorded has the names of a fused location too.
static void add_names(dl_trace *t, dl_loc loc) {
  for (size_t i = 0; loc->kind == DL_LOC_FUSED && i < loc->num_locs; i++) {
    dl_ident name = dl_loc_first_name(loc->locs[i]);
    if (name) dl_ptr_map_set(&t->fused, name, (void *)t->values.len);
    add_names(t, loc->locs[i]);
  }
}

static void copy_stored(const dl_ndarray *from, dl_map map, dl_ndarray *to) {
  int64_t *index = dl_calloc(from->rank + 1, sizeof(int64_t));
  size_t size = dl_element_bytes(from->element);
  for (int64_t i = 0; i < from->count; i++) {
    int64_t rest = i, at = 0, stored = 0;
    for (size_t d = from->rank; d-- > 0; rest /= from->shape[d]) index[d] = rest % from->shape[d];
    for (size_t d = 0; d < to->rank; d++) {
      dl_expr_eval(map->results[d], index, NULL, &stored);
      at = at * to->shape[d] + stored;
    }
    memcpy(to->data + (size_t)at * size, from->data + (size_t)i * size, size);
  }
  free(index);
}

// A logical array as its layout has it in memory, with zeros in lanes of padding.
static dl_ndarray *stored_form(const dl_op *op, dl_type type, dl_ndarray *array) {
  dl_layout layout;
  if (!dl_is_tensor(type) || !dl_type_layout(type) ||
      dl_layout_of_type(dl_op_loc(op), type, &layout) != DL_OK)
    return dl_ndarray_retain(array);
  int64_t shape[DL_LAYOUT_MAX_DIMS];
  for (size_t i = 0; i < layout.num_dims; i++) {
    const dl_layout_dim *dim = &layout.dims[i];
    int64_t tile = layout.tile[dim->dim], size = array->shape[dim->dim];
    shape[i] = dim->block ? dim->block : (size + tile - 1) / tile;
  }
  dl_ndarray *stored = dl_ndarray_create(array->element, layout.num_dims, shape);
  if (!stored) return dl_ndarray_retain(array);
  copy_stored(array, dl_layout_map(dl_op_context(op), &layout), stored);
  return stored;
}

void dl_trace_observe(void *user, const dl_op *op, size_t result, const dl_ndarray *value) {
  dl_trace *t = user;
  record r = {
      .name = name_of(op, result), .op = dl_op_name(op), .is_memory = result == DL_INTERP_MEMORY};
  bool is_store = r.is_memory && dl_num_operands(op) && !strcmp(r.op, "loop.store");
  if (!r.name || (is_store && t->stores.len == MAX_STORES)) return;
  r.logical = dl_copy_array(value);
  r.stored = r.is_memory ? dl_ndarray_retain(r.logical)
                         : stored_form(op, dl_value_type(dl_result(op, result)), r.logical);
  if (is_store) {
    DL_PUSH(&t->stores, r);
  } else {
    DL_PUSH(&t->values, r);
    dl_ptr_map_set(&t->last, r.name, (void *)t->values.len);
    add_names(t, dl_op_loc(op));
  }
}

// --- comparing ---

// By more than rounding's share: that the difference matters is known already, only not where it
// begins.
static bool close_elements(const dl_ndarray *a, const dl_ndarray *b, int64_t count, bool exact) {
  double allowed = 1e-5 * dl_max_magnitude(a);
  for (int64_t i = 0; i < count; i++) {
    double x = dl_ndarray_f64(a, i), y = dl_ndarray_f64(b, i);
    if (exact && !isnan(x) && (x != y || signbit(x) != signbit(y))) return false;
    if (x != y && !(isnan(x) && isnan(y)) && !(fabs(x - y) <= allowed)) return false;
  }
  return true;
}

static bool comparable(const record *a, const record *b) {
  if (a->logical->element != b->logical->element) return false;
  if (dl_same_shape(a->logical, b->logical)) return true;
  if (a->is_memory || b->is_memory)
    return a->is_memory ? b->is_memory || b->stored->count <= a->stored->count
                        : a->stored->count <= b->stored->count;
  return dl_same_shape(a->stored, b->stored);
}

static bool same(const record *a, const record *b, bool exact) {
  if (!comparable(a, b)) return false;
  if (dl_same_shape(a->logical, b->logical))
    return close_elements(a->logical, b->logical, a->logical->count, exact);
  int64_t count = a->stored->count < b->stored->count ? a->stored->count : b->stored->count;
  return close_elements(a->stored, b->stored, count, exact);
}

static bool has_value(const dl_trace *trace, const record *r) {
  for (size_t i = 0; i < trace->values.len; i++)
    if (same(&trace->values.data[i], r, trace->exact)) return true;
  return false;
}

static const record *last_of(const dl_trace *trace, dl_ident name) {
  size_t index = (size_t)dl_ptr_map_get(&trace->last, name);
  return index ? &trace->values.data[index - 1] : NULL;
}

// Where no op is called so any more, what it was fused into.
static const record *counterpart(const dl_trace *trace, dl_ident name) {
  const record *last = last_of(trace, name);
  size_t index = last ? 0 : (size_t)dl_ptr_map_get(&trace->fused, name);
  return index ? &trace->values.data[index - 1] : last;
}

// The first op whose last value has another one in its place. With `strict`, the old one must not
// have moved elsewhere, nor the new one come from there.
static const record *first_value(const dl_trace *old, const dl_trace *new, bool strict) {
  for (size_t i = 0; i < old->values.len; i++) {
    const record *x = &old->values.data[i], *y = counterpart(new, x->name);
    if (x != last_of(old, x->name) || !y || !comparable(x, y) || same(x, y, old->exact)) continue;
    if (!strict || (!has_value(new, x) && !has_value(old, y))) return x;
  }
  return NULL;
}

// As long as both versions store in the same places, in order.
static const record *first_store(const dl_trace *old, const dl_trace *new) {
  for (size_t i = 0; i < old->stores.len && i < new->stores.len; i++) {
    const record *x = &old->stores.data[i], *y = &new->stores.data[i];
    if (x->name != y->name || !dl_same_shape(x->logical, y->logical)) return NULL;
    if (!same(x, y, old->exact)) return x;
  }
  return NULL;
}

void dl_trace_explain(const dl_trace *before, const dl_trace *after, dl_buffer *why) {
  const record *first = first_value(before, after, true);
  if (!first) first = first_store(before, after);
  if (!first) first = first_value(before, after, false);
  if (first)
    dl_buffer_printf(why, "; the first value that differs is that of '%s' ('%s')", first->name,
                     first->op);
}
