#include "ir/types.h"

#include "ir/attrs.h"
#include "ir/context_internal.h"

static bool same_bytes(const void *a, const void *b, size_t size) {
  return a == b || (a && b && (!size || !memcmp(a, b, size)));
}

static bool type_equal(const void *key, const void *object) {
  dl_type a = key, b = object;
  if (a->kind != b->kind || a->width != b->width || a->signedness != b->signedness ||
      a->float_kind != b->float_kind || a->element != b->element || a->unranked != b->unranked ||
      a->rank != b->rank || a->encoding != b->encoding || a->layout != b->layout ||
      a->space != b->space || a->num_inputs != b->num_inputs || a->num_results != b->num_results ||
      a->dialect != b->dialect || a->name != b->name || a->num_params != b->num_params)
    return false;
  return same_bytes(a->shape, b->shape, a->rank * sizeof(int64_t)) &&
         same_bytes(a->scalable, b->scalable, a->rank * sizeof(bool)) &&
         same_bytes(a->inputs, b->inputs, a->num_inputs * sizeof(dl_type)) &&
         same_bytes(a->results, b->results, a->num_results * sizeof(dl_type)) &&
         same_bytes(a->params, b->params, a->num_params * sizeof(dl_attr));
}

static const void *copy(dl_arena *arena, const void *from, size_t size) {
  if (!from) return NULL;
  void *to = dl_arena_alloc(arena, size ? size : 1);
  memcpy(to, from, size);
  return to;
}

static bool any_alias(size_t count, const dl_type *types) {
  for (size_t i = 0; i < count; i++)
    if (types[i]->has_alias) return true;
  return false;
}

static bool holds_alias(dl_type type) {
  const dl_attr attrs[] = {type->encoding, type->layout, type->space};
  for (size_t i = 0; i < DL_COUNT(attrs); i++)
    if (attrs[i] && attrs[i]->has_alias) return true;
  for (size_t i = 0; i < type->num_params; i++)
    if (type->params[i]->has_alias) return true;
  return (type->element && type->element->has_alias) || any_alias(type->num_inputs, type->inputs) ||
         any_alias(type->num_results, type->results);
}

static void *make_type(dl_context *ctx, dl_arena *arena, const void *key) {
  dl_type from = key;
  struct dl_type_data *type = dl_arena_alloc(arena, sizeof(*type));
  *type = *from;
  type->ctx = ctx;
  type->shape = copy(arena, from->shape, from->rank * sizeof(int64_t));
  type->scalable = copy(arena, from->scalable, from->rank * sizeof(bool));
  type->inputs = copy(arena, from->inputs, from->num_inputs * sizeof(dl_type));
  type->results = copy(arena, from->results, from->num_results * sizeof(dl_type));
  type->params = copy(arena, from->params, from->num_params * sizeof(dl_attr));
  type->has_alias = holds_alias(type);
  return type;
}

static uint64_t hash_array(uint64_t hash, const void *array, size_t size) {
  return array ? dl_hash_bytes(hash, array, size) : hash;
}

// An empty array is stored as a pointer that is not NULL only where NULL means something else
// (flags of scalable vectors), so callers pass NULL for empty lists.
static dl_type unique_type(const struct dl_type_data *key) {
  uint64_t hash = dl_hash_mix((uint64_t)key->kind << 40 ^ (uint64_t)key->signedness << 36 ^
                                  (uint64_t)key->float_kind << 48 ^ key->width,
                              (uintptr_t)key->element);
  hash = dl_hash_mix(hash, (uintptr_t)key->encoding ^ (uintptr_t)key->layout ^ key->unranked);
  hash = dl_hash_mix(hash, (uintptr_t)key->space ^ (uintptr_t)key->name);
  hash = hash_array(hash, key->shape, key->rank * sizeof(int64_t));
  hash = hash_array(hash, key->inputs, key->num_inputs * sizeof(dl_type));
  hash = hash_array(hash, key->results, key->num_results * sizeof(dl_type));
  hash = hash_array(hash, key->params, key->num_params * sizeof(dl_attr));
  return dl_unique(key->ctx, DL_UNIQUE_TYPE, hash, key, type_equal, make_type);
}

dl_type dl_none_type(dl_context *ctx) {
  return unique_type(&(struct dl_type_data){.ctx = ctx, .kind = DL_TYPE_NONE});
}

dl_type dl_index_type(dl_context *ctx) {
  return unique_type(&(struct dl_type_data){.ctx = ctx, .kind = DL_TYPE_INDEX});
}

dl_type dl_int_type(dl_context *ctx, unsigned width) {
  return dl_integer_type(ctx, width, DL_SIGNLESS);
}

dl_type dl_integer_type(dl_context *ctx, unsigned width, dl_signedness signedness) {
  return unique_type(&(struct dl_type_data){
      .ctx = ctx, .kind = DL_TYPE_INTEGER, .width = width, .signedness = signedness});
}

dl_type dl_float_type(dl_context *ctx, dl_float_kind kind) {
  return unique_type(&(struct dl_type_data){.ctx = ctx, .kind = DL_TYPE_FLOAT, .float_kind = kind});
}

dl_type dl_f32_type(dl_context *ctx) { return dl_float_type(ctx, DL_F32); }

dl_type dl_complex_type(dl_type element) {
  return unique_type(
      &(struct dl_type_data){.ctx = element->ctx, .kind = DL_TYPE_COMPLEX, .element = element});
}

dl_type dl_function_type(dl_context *ctx, size_t num_inputs, const dl_type *inputs,
                         size_t num_results, const dl_type *results) {
  return unique_type(&(struct dl_type_data){.ctx = ctx,
                                            .kind = DL_TYPE_FUNCTION,
                                            .num_inputs = num_inputs,
                                            .inputs = num_inputs ? inputs : NULL,
                                            .num_results = num_results,
                                            .results = num_results ? results : NULL});
}

dl_type dl_tuple_type(dl_context *ctx, size_t count, const dl_type *elements) {
  return unique_type(&(struct dl_type_data){
      .ctx = ctx, .kind = DL_TYPE_TUPLE, .num_results = count, .results = count ? elements : NULL});
}

dl_type dl_tensor_type(dl_type element, size_t rank, const int64_t *shape, dl_attr encoding) {
  return unique_type(&(struct dl_type_data){.ctx = element->ctx,
                                            .kind = DL_TYPE_TENSOR,
                                            .element = element,
                                            .rank = rank,
                                            .shape = rank ? shape : NULL,
                                            .encoding = encoding});
}

dl_type dl_unranked_tensor_type(dl_type element) {
  return unique_type(&(struct dl_type_data){
      .ctx = element->ctx, .kind = DL_TYPE_TENSOR, .element = element, .unranked = true});
}

dl_type dl_memref_type(dl_type element, size_t rank, const int64_t *shape, dl_attr layout,
                       dl_attr space) {
  return unique_type(&(struct dl_type_data){.ctx = element->ctx,
                                            .kind = DL_TYPE_MEMREF,
                                            .element = element,
                                            .rank = rank,
                                            .shape = rank ? shape : NULL,
                                            .layout = layout,
                                            .space = space});
}

dl_type dl_unranked_memref_type(dl_type element, dl_attr space) {
  return unique_type(&(struct dl_type_data){.ctx = element->ctx,
                                            .kind = DL_TYPE_MEMREF,
                                            .element = element,
                                            .unranked = true,
                                            .space = space});
}

static bool any_set(const bool *flags, size_t count) {
  for (size_t i = 0; flags && i < count; i++) {
    if (flags[i]) return true;
  }
  return false;
}

dl_type dl_vector_type(dl_type element, size_t rank, const int64_t *shape, const bool *scalable) {
  return unique_type(&(struct dl_type_data){.ctx = element->ctx,
                                            .kind = DL_TYPE_VECTOR,
                                            .element = element,
                                            .rank = rank,
                                            .shape = rank ? shape : NULL,
                                            .scalable = any_set(scalable, rank) ? scalable : NULL});
}

dl_type dl_dialect_type(dl_context *ctx, dl_ident dialect, dl_ident name, size_t num_params,
                        const dl_attr *params) {
  return unique_type(&(struct dl_type_data){.ctx = ctx,
                                            .kind = DL_TYPE_DIALECT,
                                            .dialect = dialect,
                                            .name = name,
                                            .num_params = num_params,
                                            .params = num_params ? params : NULL});
}

bool dl_is_dialect_type(dl_type type, const char *dialect, const char *name) {
  return type->kind == DL_TYPE_DIALECT && type->name && !strcmp(type->dialect, dialect) &&
         !strcmp(type->name, name);
}

bool dl_has_static_shape(dl_type shaped) {
  if (shaped->unranked) return false;
  for (size_t i = 0; i < shaped->rank; i++) {
    if (shaped->shape[i] == DL_DYNAMIC) return false;
  }
  return true;
}

int64_t dl_num_elements(dl_type shaped) {
  if (!dl_has_static_shape(shaped)) return -1;
  int64_t count = 1;
  bool overflow = false;
  for (size_t i = 0; i < shaped->rank; i++) {
    if (shaped->shape[i] == 0) return 0;
    overflow |= __builtin_mul_overflow(count, shaped->shape[i], &count);
  }
  return overflow ? -1 : count;
}

size_t dl_element_bytes(dl_type scalar) {
  switch (scalar->kind) {
    case DL_TYPE_INDEX:
      return 8;
    case DL_TYPE_COMPLEX:
      return 2 * dl_element_bytes(scalar->element);
    case DL_TYPE_FLOAT: {
      unsigned width = dl_float_width(scalar->float_kind);
      return width <= 8 ? 1 : width <= 16 ? 2 : width <= 32 ? 4 : width <= 64 ? 8 : 16;
    }
    case DL_TYPE_INTEGER: {
      size_t bytes = 1;
      while (8 * bytes < scalar->width && bytes < 8) bytes *= 2;
      return 8 * bytes >= scalar->width ? bytes : (scalar->width + 63) / 64 * 8;
    }
    default:
      return 0;
  }
}

dl_type dl_element_type(dl_type type) {
  bool shaped =
      type->kind == DL_TYPE_TENSOR || type->kind == DL_TYPE_MEMREF || type->kind == DL_TYPE_VECTOR;
  return shaped ? type->element : type;
}

dl_type dl_with_element(dl_type type, dl_type element) {
  if (type->kind != DL_TYPE_TENSOR && type->kind != DL_TYPE_MEMREF && type->kind != DL_TYPE_VECTOR)
    return element;
  struct dl_type_data key = *type;
  key.element = element;
  return unique_type(&key);
}
