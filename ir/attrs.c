#include "ir/attrs.h"

#include "ir/context_internal.h"
#include "ir/floats.h"

typedef struct dl_attr_data attr_data;

// --- uniquing ---

// STRIDED counts strides where the other kinds count elements.
static size_t num_elements(dl_attr a) { return a->elements ? a->count : 0; }
static size_t num_entries(dl_attr a) { return a->entries ? a->count : 0; }
static size_t num_strides(dl_attr a) { return a->strides ? a->count : 0; }
static size_t num_flags(dl_attr a) { return a->is_equality ? a->map->num_results : 0; }

static bool same(const void *a, const void *b, size_t size) { return !size || !memcmp(a, b, size); }

static uint64_t double_bits(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return bits;
}

static bool same_scalars(dl_attr a, dl_attr b) {
  return a->kind == b->kind && a->type == b->type && a->integer == b->integer &&
         double_bits(a->number) == double_bits(b->number) && a->splat == b->splat &&
         a->dialect == b->dialect && a->name == b->name && a->count == b->count &&
         a->map == b->map && a->offset == b->offset && a->loc == b->loc;
}

static bool attr_equal(const void *key, const void *object) {
  dl_attr a = key, b = object;
  return same_scalars(a, b) && dl_str_equal(a->bytes, b->bytes) &&
         num_elements(a) == num_elements(b) && num_entries(a) == num_entries(b) &&
         same(a->elements, b->elements, num_elements(a) * sizeof(dl_attr)) &&
         same(a->entries, b->entries, num_entries(a) * sizeof(dl_named_attr)) &&
         same(a->strides, b->strides, num_strides(a) * sizeof(int64_t)) &&
         same(a->is_equality, b->is_equality, num_flags(a) * sizeof(bool));
}

static uint64_t attr_hash(dl_attr a) {
  uint64_t hash = dl_hash_mix((uint64_t)a->kind << 8 | a->splat, (uintptr_t)a->type);
  hash = dl_hash_mix(hash ^ (uint64_t)a->integer, double_bits(a->number));
  hash = dl_hash_mix(hash ^ (uintptr_t)a->dialect, (uintptr_t)a->name);
  hash = dl_hash_mix(hash ^ (uintptr_t)a->map, (uintptr_t)a->loc ^ (uint64_t)a->offset);
  hash = dl_hash_bytes(hash, a->bytes.data, a->bytes.len);
  hash = dl_hash_bytes(hash, a->elements, num_elements(a) * sizeof(dl_attr));
  hash = dl_hash_bytes(hash, a->entries, num_entries(a) * sizeof(dl_named_attr));
  return dl_hash_bytes(hash, a->strides, num_strides(a) * sizeof(int64_t));
}

static const void *copy(dl_arena *arena, const void *from, size_t size) {
  if (!size) return from ? dl_arena_alloc(arena, 1) : NULL;
  void *to = dl_arena_alloc(arena, size);
  memcpy(to, from, size);
  return to;
}

static bool loc_holds_alias(dl_loc loc) {
  if (!loc || loc->kind == DL_LOC_FILE) return false;
  for (size_t i = 0; i < loc->num_locs; i++)
    if (loc_holds_alias(loc->locs[i])) return true;
  return (loc->metadata && loc->metadata->has_alias) || loc_holds_alias(loc->child) ||
         loc_holds_alias(loc->caller);
}

static bool holds_alias(dl_attr attr) {
  if (attr->kind == DL_ATTR_MAP || attr->kind == DL_ATTR_SET) return true;
  if (attr->kind == DL_ATTR_LOC) return loc_holds_alias(attr->loc);
  for (size_t i = 0; i < num_elements(attr); i++)
    if (attr->elements[i]->has_alias) return true;
  for (size_t i = 0; i < num_entries(attr); i++)
    if (attr->entries[i].value->has_alias) return true;
  return attr->type && attr->type->has_alias;
}

// Leaves the bytes where they are.
static void *make_attr_in_place(dl_context *ctx, dl_arena *arena, const void *key) {
  dl_attr from = key;
  attr_data *attr = dl_arena_alloc(arena, sizeof(*attr));
  *attr = *from;
  attr->ctx = ctx;
  attr->has_alias = holds_alias(attr);
  return attr;
}

static void *make_attr(dl_context *ctx, dl_arena *arena, const void *key) {
  dl_attr from = key;
  attr_data *attr = make_attr_in_place(ctx, arena, key);
  attr->bytes.data = dl_arena_copy_str(arena, from->bytes);
  attr->elements = copy(arena, from->elements, num_elements(from) * sizeof(dl_attr));
  attr->entries = copy(arena, from->entries, num_entries(from) * sizeof(dl_named_attr));
  attr->strides = copy(arena, from->strides, num_strides(from) * sizeof(int64_t));
  attr->is_equality = copy(arena, from->is_equality, num_flags(from) * sizeof(bool));
  return attr;
}

static dl_attr unique_attr(const attr_data *key) {
  return dl_unique(key->ctx, DL_UNIQUE_ATTR, attr_hash(key), key, attr_equal, make_attr);
}

// --- constructors ---

dl_attr dl_unit_attr(dl_context *ctx) {
  return unique_attr(&(attr_data){.ctx = ctx, .kind = DL_ATTR_UNIT});
}

dl_attr dl_bool_attr(dl_context *ctx, bool value) {
  return dl_int_attr(dl_int_type(ctx, 1), value);
}

// The value that a type of at most 64 bits can hold, in its normal form.
static int64_t normalize(dl_type type, int64_t value) {
  if (type->kind != DL_TYPE_INTEGER || type->width >= 64) return value;
  unsigned unused = 64 - type->width;
  if (type->width == 0) return 0;
  bool zero_extended =
      type->signedness == DL_UNSIGNED || (type->width == 1 && type->signedness == DL_SIGNLESS);
  uint64_t high = (uint64_t)value << unused;
  return zero_extended ? (int64_t)(high >> unused) : (int64_t)high >> unused;
}

static bool is_wide(dl_type type) {
  return (type->kind == DL_TYPE_INTEGER && type->width > 64) ||
         (type->kind == DL_TYPE_FLOAT && dl_float_width(type->float_kind) > 64);
}

dl_attr dl_wide_attr(dl_type type, dl_str bits) {
  bool is_number = type->kind == DL_TYPE_FLOAT;
  return unique_attr(
      &(attr_data){.ctx = type->ctx,
                   .kind = is_number ? DL_ATTR_FLOAT : DL_ATTR_INTEGER,
                   .type = type,
                   .number = is_number ? dl_float_load(type->float_kind, bits.data) : 0,
                   .bytes = bits});
}

static dl_attr wide_int(dl_type type, int64_t value) {
  size_t size = (type->width + 7) / 8;
  char *bits = dl_malloc(size);
  memset(bits, value < 0 ? 0xff : 0, size);
  memcpy(bits, &value, sizeof(value));
  dl_attr attr = dl_wide_attr(type, (dl_str){bits, size});
  free(bits);
  return attr;
}

dl_attr dl_int_attr(dl_type type, int64_t value) {
  if (is_wide(type)) return wide_int(type, value);
  return unique_attr(&(attr_data){
      .ctx = type->ctx, .kind = DL_ATTR_INTEGER, .type = type, .integer = normalize(type, value)});
}

dl_attr dl_i64_attr(dl_context *ctx, int64_t value) {
  return dl_int_attr(dl_int_type(ctx, 64), value);
}

dl_attr dl_index_attr(dl_context *ctx, int64_t value) {
  return dl_int_attr(dl_index_type(ctx), value);
}

dl_attr dl_float_attr(dl_type type, double value) {
  if (is_wide(type)) {
    char bits[16];
    dl_float_store(type->float_kind, value, bits);
    return dl_wide_attr(type, (dl_str){bits, (dl_float_width(type->float_kind) + 7) / 8});
  }
  return unique_attr(&(attr_data){.ctx = type->ctx,
                                  .kind = DL_ATTR_FLOAT,
                                  .type = type,
                                  .number = dl_float_round(type->float_kind, value)});
}

dl_attr dl_string_attr(dl_context *ctx, dl_str text) {
  return unique_attr(&(attr_data){.ctx = ctx, .kind = DL_ATTR_STRING, .bytes = text});
}

dl_attr dl_string_attr_z(dl_context *ctx, const char *text) {
  return dl_string_attr(ctx, dl_str_of(text));
}

dl_attr dl_typed_string_attr(dl_type type, dl_str text) {
  return unique_attr(
      &(attr_data){.ctx = type->ctx, .kind = DL_ATTR_STRING, .type = type, .bytes = text});
}

dl_attr dl_type_attr(dl_type type) {
  return unique_attr(&(attr_data){.ctx = type->ctx, .kind = DL_ATTR_TYPE, .type = type});
}

dl_attr dl_array_attr(dl_context *ctx, size_t count, const dl_attr *elements) {
  return unique_attr(&(attr_data){
      .ctx = ctx, .kind = DL_ATTR_ARRAY, .count = count, .elements = count ? elements : NULL});
}

static int by_name(const void *a, const void *b) {
  return strcmp(((const dl_named_attr *)a)->name, ((const dl_named_attr *)b)->name);
}

dl_attr dl_dict_attr(dl_context *ctx, size_t count, const dl_named_attr *entries) {
  dl_named_attr *sorted = dl_malloc(count * sizeof(*sorted));
  if (count) memcpy(sorted, entries, count * sizeof(*sorted));
  qsort(sorted, count, sizeof(*sorted), by_name);
  dl_attr attr = unique_attr(&(attr_data){
      .ctx = ctx, .kind = DL_ATTR_DICT, .count = count, .entries = count ? sorted : NULL});
  free(sorted);
  return attr;
}

dl_attr dl_dense_attr(dl_type shaped, dl_str elements, bool splat) {
  return unique_attr(&(attr_data){.ctx = shaped->ctx,
                                  .kind = DL_ATTR_DENSE,
                                  .type = shaped,
                                  .bytes = elements,
                                  .splat = splat});
}

dl_attr dl_dense_attr_in_place(dl_type shaped, dl_str elements, bool splat) {
  attr_data key = {
      .ctx = shaped->ctx, .kind = DL_ATTR_DENSE, .type = shaped, .bytes = elements, .splat = splat};
  return dl_unique(key.ctx, DL_UNIQUE_ATTR, attr_hash(&key), &key, attr_equal, make_attr_in_place);
}

dl_attr dl_dense_string_attr(dl_type shaped, size_t count, const dl_attr *strings, bool splat) {
  return unique_attr(&(attr_data){.ctx = shaped->ctx,
                                  .kind = DL_ATTR_DENSE,
                                  .type = shaped,
                                  .count = count,
                                  .elements = count ? strings : NULL,
                                  .splat = splat});
}

dl_attr dl_splat_attr(dl_type shaped, dl_attr scalar) {
  dl_type type = scalar->type;
  uint64_t bits = type->kind == DL_TYPE_FLOAT ? dl_float_encode(type->float_kind, scalar->number)
                                              : (uint64_t)scalar->integer;
  return dl_dense_attr(shaped, (dl_str){(const char *)&bits, dl_element_bytes(type)}, true);
}

dl_attr dl_sparse_attr(dl_type shaped, dl_attr indices, dl_attr values) {
  return unique_attr(&(attr_data){.ctx = shaped->ctx,
                                  .kind = DL_ATTR_SPARSE,
                                  .type = shaped,
                                  .count = 2,
                                  .elements = (const dl_attr[]){indices, values}});
}

dl_attr dl_resource_attr(dl_type tensor, dl_ident name) {
  return unique_attr(
      &(attr_data){.ctx = tensor->ctx, .kind = DL_ATTR_RESOURCE, .type = tensor, .name = name});
}

dl_attr dl_dense_array_attr(dl_type element, size_t count, dl_str bytes) {
  return unique_attr(&(attr_data){.ctx = element->ctx,
                                  .kind = DL_ATTR_DENSE_ARRAY,
                                  .type = element,
                                  .count = count,
                                  .bytes = bytes});
}

dl_attr dl_i64_array_attr(dl_context *ctx, size_t count, const int64_t *values) {
  dl_str bytes = {(const char *)values, count * sizeof(int64_t)};
  return dl_dense_array_attr(dl_int_type(ctx, 64), count, bytes);
}

dl_attr dl_i32_array_attr(dl_context *ctx, size_t count, const int32_t *values) {
  dl_str bytes = {(const char *)values, count * sizeof(int32_t)};
  return dl_dense_array_attr(dl_int_type(ctx, 32), count, bytes);
}

dl_attr dl_affine_map_attr(dl_map map) {
  return unique_attr(&(attr_data){.ctx = map->ctx, .kind = DL_ATTR_MAP, .map = map});
}

dl_attr dl_affine_set_attr(dl_map constraints, const bool *is_equality) {
  return unique_attr(&(attr_data){.ctx = constraints->ctx,
                                  .kind = DL_ATTR_SET,
                                  .map = constraints,
                                  .is_equality = is_equality});
}

dl_attr dl_strided_attr(dl_context *ctx, int64_t offset, size_t count, const int64_t *strides) {
  return unique_attr(&(attr_data){.ctx = ctx,
                                  .kind = DL_ATTR_STRIDED,
                                  .offset = offset,
                                  .count = count,
                                  .strides = count ? strides : NULL});
}

dl_attr dl_symbol_attr(dl_context *ctx, dl_ident name) {
  return unique_attr(&(attr_data){.ctx = ctx, .kind = DL_ATTR_SYMBOL, .name = name});
}

dl_attr dl_nested_symbol_attr(dl_context *ctx, dl_ident root, size_t count, const dl_attr *nested) {
  return unique_attr(&(attr_data){.ctx = ctx,
                                  .kind = DL_ATTR_SYMBOL,
                                  .name = root,
                                  .count = count,
                                  .elements = count ? nested : NULL});
}

dl_attr dl_loc_attr(dl_loc loc) {
  return unique_attr(&(attr_data){.ctx = loc->ctx, .kind = DL_ATTR_LOC, .loc = loc});
}

dl_attr dl_distinct_attr(dl_context *ctx, int64_t id, dl_attr referenced) {
  return unique_attr(&(attr_data){
      .ctx = ctx, .kind = DL_ATTR_DISTINCT, .integer = id, .count = 1, .elements = &referenced});
}

dl_attr dl_dialect_attr(dl_context *ctx, dl_ident dialect, dl_ident name, size_t count,
                        const dl_attr *params) {
  return unique_attr(&(attr_data){.ctx = ctx,
                                  .kind = DL_ATTR_DIALECT,
                                  .dialect = dialect,
                                  .name = name,
                                  .count = count,
                                  .elements = count ? params : NULL});
}

dl_attr dl_typed_dialect_attr(dl_attr attr, dl_type type) {
  attr_data typed = *attr;
  typed.type = type;
  return unique_attr(&typed);
}

dl_attr dl_keyword_attr(dl_context *ctx, dl_ident keyword) {
  return unique_attr(&(attr_data){.ctx = ctx, .kind = DL_ATTR_KEYWORD, .name = keyword});
}

dl_attr dl_call_attr(dl_context *ctx, dl_ident keyword, size_t count, const dl_attr *params) {
  return unique_attr(&(attr_data){.ctx = ctx,
                                  .kind = DL_ATTR_CALL,
                                  .name = keyword,
                                  .count = count,
                                  .elements = count ? params : NULL});
}

dl_attr dl_keyed_attr(dl_context *ctx, dl_ident keyword, dl_attr value) {
  return unique_attr(&(attr_data){
      .ctx = ctx, .kind = DL_ATTR_KEYED, .name = keyword, .count = 1, .elements = &value});
}

dl_attr dl_raw_attr(dl_context *ctx, dl_str text, size_t count, const dl_attr *embedded) {
  return unique_attr(&(attr_data){.ctx = ctx,
                                  .kind = DL_ATTR_RAW,
                                  .bytes = text,
                                  .count = count,
                                  .elements = count ? embedded : NULL});
}
