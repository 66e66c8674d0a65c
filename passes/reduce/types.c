// Strategies that make what types hold smaller: the values of constants, sizes, widths of elements.
#include "passes/reduce/reduce_internal.h"

// How types and attributes are rewritten, wherever they are.
typedef struct rewrite {
  int64_t size, new_size;      // a dimension and what it becomes; 0: none
  dl_type scalar, new_scalar;  // or a type of elements
  bool uniform;                // or: constants become one element
  dl_reduction *one_by_one;    // the constants are targets
} rewrite;

static dl_attr rewrite_attr(const rewrite *w, dl_attr attr);
static dl_type rewrite_type(const rewrite *w, dl_type type);

static dl_attr optional_attr(const rewrite *w, dl_attr attr) {
  return attr ? rewrite_attr(w, attr) : NULL;
}

static dl_type rewrite_shaped(const rewrite *w, dl_type type) {
  dl_type element = rewrite_type(w, type->element);
  int64_t *shape = dl_malloc((type->rank + 1) * sizeof(*shape));
  for (size_t i = 0; i < type->rank; i++)
    shape[i] = w->size && type->shape[i] == w->size ? w->new_size : type->shape[i];
  dl_type made;
  if (type->kind == DL_TYPE_VECTOR)
    made = dl_vector_type(element, type->rank, shape, type->scalable);
  else if (type->kind == DL_TYPE_TENSOR)
    made = type->unranked
               ? dl_unranked_tensor_type(element)
               : dl_tensor_type(element, type->rank, shape, optional_attr(w, type->encoding));
  else
    made = type->unranked ? dl_unranked_memref_type(element, type->space)
                          : dl_memref_type(element, type->rank, shape, type->layout, type->space);
  free(shape);
  return made;
}

static void rewrite_types(const rewrite *w, size_t count, const dl_type *from, dl_type *to) {
  for (size_t i = 0; i < count; i++) to[i] = rewrite_type(w, from[i]);
}

static dl_type rewrite_list(const rewrite *w, dl_type type) {
  size_t inputs = type->num_inputs, results = type->num_results;
  dl_type *types = dl_malloc((inputs + results + 1) * sizeof(*types));
  rewrite_types(w, inputs, type->inputs, types);
  rewrite_types(w, results, type->results, types + inputs);
  dl_type made = type->kind == DL_TYPE_TUPLE
                     ? dl_tuple_type(type->ctx, results, types)
                     : dl_function_type(type->ctx, inputs, types, results, types + inputs);
  free(types);
  return made;
}

static dl_attr *rewrite_attrs(const rewrite *w, size_t count, const dl_attr *from) {
  dl_attr *to = dl_malloc((count + 1) * sizeof(*to));
  for (size_t i = 0; i < count; i++) to[i] = rewrite_attr(w, from[i]);
  return to;
}

static dl_type rewrite_type(const rewrite *w, dl_type type) {
  if (w->scalar && type == w->scalar) return w->new_scalar;
  switch (type->kind) {
    case DL_TYPE_TENSOR:
    case DL_TYPE_MEMREF:
    case DL_TYPE_VECTOR:
      return rewrite_shaped(w, type);
    case DL_TYPE_FUNCTION:
    case DL_TYPE_TUPLE:
      return rewrite_list(w, type);
    case DL_TYPE_COMPLEX: {
      dl_type element = rewrite_type(w, type->element);
      return dl_is_index(element) ? type : dl_complex_type(element);
    }
    case DL_TYPE_DIALECT: {
      dl_attr *params = rewrite_attrs(w, type->num_params, type->params);
      dl_type made =
          dl_dialect_type(type->ctx, type->dialect, type->name, type->num_params, params);
      free(params);
      return made;
    }
    default:
      return type;
  }
}

// --- constants ---

// The first element of a constant as an attribute of the type, everywhere.
static dl_attr uniform(dl_attr attr, dl_type type) {
  dl_type element = type->element;
  if (dl_num_elements(type) <= 0) return dl_zero_attr(type);
  int64_t integer = 0;
  double number = 0;
  char bytes[16] = {0};
  size_t size = dl_element_bytes(element);
  if (size > sizeof(bytes)) return dl_zero_attr(type);
  if (dl_is_float(element) && dl_float_width(element->float_kind) <= 64 &&
      dl_dense_f64(attr, 0, &number)) {
    uint64_t bits = dl_float_encode(element->float_kind, number);
    memcpy(bytes, &bits, size);
  } else if (!dl_is_float(element) && size <= 8 && dl_dense_i64(attr, 0, &integer)) {
    dl_attr value = dl_is_index(element) ? NULL : dl_int_attr(element, integer);
    if (value) integer = value->integer;
    memcpy(bytes, &integer, size);
  }
  return dl_dense_attr(type, (dl_str){bytes, size}, true);
}

static dl_attr rewrite_dense(const rewrite *w, dl_attr attr) {
  dl_type type = rewrite_type(w, attr->type);
  bool is_number = type->element->kind != DL_TYPE_COMPLEX;
  if (!is_number) return attr;
  bool take =
      w->uniform && !attr->splat && dl_num_elements(type) > 1 && dl_take_target(w->one_by_one);
  if (take) w->one_by_one->changed = true;
  return take || type != attr->type ? uniform(attr, type) : attr;
}

static dl_attr rewrite_number(const rewrite *w, dl_attr attr) {
  dl_type type = rewrite_type(w, attr->type);
  if (type == attr->type || attr->bytes.len) return attr;
  return attr->kind == DL_ATTR_FLOAT ? dl_float_attr(type, attr->number)
                                     : dl_int_attr(type, attr->integer);
}

static dl_attr rewrite_dict(const rewrite *w, dl_attr attr) {
  dl_named_attr *entries = dl_malloc((attr->count + 1) * sizeof(*entries));
  for (size_t i = 0; i < attr->count; i++)
    entries[i] = (dl_named_attr){attr->entries[i].name, rewrite_attr(w, attr->entries[i].value)};
  dl_attr made = dl_dict_attr(attr->ctx, attr->count, entries);
  free(entries);
  return made;
}

static dl_attr rewrite_parts(const rewrite *w, dl_attr attr) {
  dl_attr *parts = rewrite_attrs(w, attr->count, attr->elements), made = attr;
  if (attr->kind == DL_ATTR_ARRAY)
    made = dl_array_attr(attr->ctx, attr->count, parts);
  else if (attr->kind == DL_ATTR_CALL)
    made = dl_call_attr(attr->ctx, attr->name, attr->count, parts);
  else if (attr->kind == DL_ATTR_KEYED)
    made = dl_keyed_attr(attr->ctx, attr->name, parts[0]);
  else
    made = dl_dialect_attr(attr->ctx, attr->dialect, attr->name, attr->count, parts);
  free(parts);
  return made;
}

static dl_attr rewrite_attr(const rewrite *w, dl_attr attr) {
  switch (attr->kind) {
    case DL_ATTR_INTEGER:
    case DL_ATTR_FLOAT:
      return rewrite_number(w, attr);
    case DL_ATTR_TYPE:
      return dl_type_attr(rewrite_type(w, attr->type));
    case DL_ATTR_DENSE:
    case DL_ATTR_RESOURCE:
      return rewrite_dense(w, attr);
    case DL_ATTR_DICT:
      return rewrite_dict(w, attr);
    case DL_ATTR_ARRAY:
    case DL_ATTR_CALL:
    case DL_ATTR_KEYED:
    case DL_ATTR_DIALECT:
      return rewrite_parts(w, attr);
    default:
      return attr;
  }
}

// --- modules ---

static void rewrite_value(const rewrite *w, dl_value *value) {
  dl_value_set_type(value, rewrite_type(w, dl_value_type(value)));
}

static void rewrite_op_attrs(const rewrite *w, dl_op *op) {
  for (size_t i = 0; i < dl_num_inherent_attrs(op); i++) {
    dl_named_attr attr = dl_inherent_attr(op, i);
    dl_set_inherent_attr(op, attr.name, rewrite_attr(w, attr.value));
  }
  for (size_t i = 0; i < dl_num_discardable_attrs(op); i++) {
    dl_named_attr attr = dl_discardable_attr(op, i);
    dl_set_discardable_attr(op, attr.name, rewrite_attr(w, attr.value));
  }
}

static bool rewrite_op(dl_op *op, void *user) {
  rewrite_op_attrs(user, op);
  for (size_t i = 0; i < dl_num_results(op); i++) rewrite_value(user, dl_result(op, i));
  for (size_t i = 0; i < dl_num_regions(op); i++) DL_FOR_BLOCKS(block, dl_op_region(op, i)) {
      for (size_t k = 0; k < dl_num_args(block); k++) rewrite_value(user, dl_arg(block, k));
    }
  return true;
}

void dl_reduce_constants(dl_reduction *r, dl_op *module) {
  rewrite w = {.uniform = true, .one_by_one = r};
  dl_walk(module, rewrite_op, &w);
}

// --- what sizes and elements there are, in the order in which values have them ---

typedef struct found {
  DL_VEC(int64_t) sizes;
  DL_VEC(dl_type) scalars;
} found;

static void add_size(found *f, int64_t size) {
  for (size_t i = 0; i < f->sizes.len; i++)
    if (f->sizes.data[i] == size) return;
  if (size > 1) DL_PUSH(&f->sizes, size);
}

static void add_scalar(found *f, dl_type type) {
  for (size_t i = 0; i < f->scalars.len; i++)
    if (f->scalars.data[i] == type) return;
  if (dl_is_integer(type) || dl_is_float(type)) DL_PUSH(&f->scalars, type);
}

static void look_at(found *f, dl_type type) {
  bool shaped =
      type->kind == DL_TYPE_TENSOR || type->kind == DL_TYPE_VECTOR || type->kind == DL_TYPE_MEMREF;
  for (size_t i = 0; shaped && i < type->rank; i++) add_size(f, type->shape[i]);
  add_scalar(f, dl_element_type(type));
}

static bool look_at_op(dl_op *op, void *user) {
  for (size_t i = 0; i < dl_num_results(op); i++) look_at(user, dl_value_type(dl_result(op, i)));
  for (size_t i = 0; i < dl_num_regions(op); i++) DL_FOR_BLOCKS(block, dl_op_region(op, i)) {
      for (size_t k = 0; k < dl_num_args(block); k++)
        look_at(user, dl_value_type(dl_arg(block, k)));
    }
  return true;
}

static found look(dl_op *module) {
  found f = {0};
  dl_walk(module, look_at_op, &f);
  return f;
}

// One size at a time, since what becomes of it may be one of the next ones.
void dl_reduce_sizes(dl_reduction *r, dl_op *module) {
  found f = look(module);
  for (size_t i = 0; i < f.sizes.len; i++) {
    int64_t size = f.sizes.data[i], smaller[] = {1, 2, 3, 4, size / 2};
    for (size_t k = 0; k < DL_COUNT(smaller); k++) {
      if (smaller[k] >= size || (k == 4 && smaller[k] <= 4) || !dl_take_target(r) || r->changed)
        continue;
      rewrite w = {.size = size, .new_size = smaller[k]};
      dl_walk(module, rewrite_op, &w);
      r->changed = true;
    }
  }
  DL_VEC_FREE(&f.sizes);
  DL_VEC_FREE(&f.scalars);
}

// Floats of up to 32 bits are as simple as they get.
static size_t narrower(dl_type type, dl_type *types) {
  static const unsigned widths[] = {1, 8, 16, 32};
  size_t count = 0;
  for (size_t i = 0; dl_is_integer(type) && i < DL_COUNT(widths); i++)
    if (widths[i] < type->width)
      types[count++] = dl_integer_type(type->ctx, widths[i], type->signedness);
  if (dl_is_float(type) && dl_float_width(type->float_kind) > 32)
    types[count++] = dl_f32_type(type->ctx);
  return count;
}

void dl_reduce_widths(dl_reduction *r, dl_op *module) {
  found f = look(module);
  for (size_t i = 0; i < f.scalars.len; i++) {
    dl_type types[4];
    size_t count = narrower(f.scalars.data[i], types);
    for (size_t k = 0; k < count; k++) {
      if (!dl_take_target(r) || r->changed) continue;
      rewrite w = {.scalar = f.scalars.data[i], .new_scalar = types[k]};
      dl_walk(module, rewrite_op, &w);
      r->changed = true;
    }
  }
  DL_VEC_FREE(&f.sizes);
  DL_VEC_FREE(&f.scalars);
}
