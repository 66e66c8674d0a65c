#include "ir/attrs.h"
#include "ir/floats.h"

bool dl_is_dialect_attr(dl_attr attr, const char *dialect, const char *name) {
  return attr->kind == DL_ATTR_DIALECT && !strcmp(attr->dialect, dialect) &&
         !strcmp(attr->name, name);
}

dl_attr dl_keyed_param(dl_attr attr, const char *keyword) {
  for (size_t i = 0; i < attr->count; i++) {
    dl_attr param = attr->elements[i];
    if (param->kind == DL_ATTR_KEYED && !strcmp(param->name, keyword)) return param->elements[0];
  }
  return NULL;
}

dl_attr dl_dict_get(dl_attr dict, dl_ident name) {
  for (size_t i = 0; i < dict->count; i++) {
    if (dict->entries[i].name == name) return dict->entries[i].value;
  }
  return NULL;
}

size_t dl_array_len(dl_attr array) { return array->count; }

static int64_t load_integer(const void *bytes, dl_type type) {
  uint64_t bits = 0;
  size_t size = dl_element_bytes(type);
  memcpy(&bits, bytes, size < sizeof(bits) ? size : sizeof(bits));
  if (size >= sizeof(bits) || type->signedness == DL_UNSIGNED ||
      (type->width == 1 && type->signedness == DL_SIGNLESS))
    return (int64_t)bits;
  unsigned unused = 64 - 8 * (unsigned)size;
  return (int64_t)(bits << unused) >> unused;
}

int64_t dl_i64_at(dl_attr dense_array, size_t i) {
  size_t size = dl_element_bytes(dense_array->type);
  return load_integer(dense_array->bytes.data + i * size, dense_array->type);
}

double dl_f64_at(dl_attr dense_array, size_t i) {
  size_t size = dl_element_bytes(dense_array->type);
  return dl_float_load(dense_array->type->float_kind, dense_array->bytes.data + i * size);
}

bool dl_dense_bytes(dl_attr dense, dl_str *bytes, bool *splat) {
  if (dense->kind == DL_ATTR_DENSE && !dense->elements) {
    *bytes = dense->bytes;
    *splat = dense->splat;
    return true;
  }
  if (dense->kind != DL_ATTR_RESOURCE) return false;
  const dl_resource *resource = dl_find_resource(dense->ctx, dense->name);
  if (!resource) return false;
  *bytes = (dl_str){resource->data, resource->size};
  *splat = false;
  return true;
}

// The storage of element i, or NULL.
static const char *element_at(dl_attr dense, size_t i) {
  dl_str bytes;
  bool splat;
  if (!dl_dense_bytes(dense, &bytes, &splat)) return NULL;
  size_t size = dl_element_bytes(dense->type->element);
  int64_t count = dl_num_elements(dense->type);
  if (splat) return count > 0 && i < (size_t)count && size <= bytes.len ? bytes.data : NULL;
  return size && i < bytes.len / size ? bytes.data + i * size : NULL;
}

bool dl_dense_i64(dl_attr dense, size_t i, int64_t *value) {
  const char *element = element_at(dense, i);
  if (!element || !(dl_is_integer(dense->type->element) || dl_is_index(dense->type->element)))
    return false;
  *value = load_integer(element, dense->type->element);
  return true;
}

bool dl_dense_f64(dl_attr dense, size_t i, double *value) {
  const char *element = element_at(dense, i);
  if (!element || !dl_is_float(dense->type->element)) return false;
  *value = dl_float_load(dense->type->element->float_kind, element);
  return true;
}
