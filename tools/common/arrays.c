#include "tools/common/arrays.h"

DLDataType dl_array_dtype(dl_type element) {
  uint8_t bits = (uint8_t)(8 * dl_element_bytes(element));
  if (dl_is_float(element))
    return (DLDataType){element->float_kind == DL_BF16 ? kDLBfloat : kDLFloat, bits, 1};
  if (dl_is_integer(element) && element->width == 1) return (DLDataType){DLIR_BOOL_CODE, bits, 1};
  bool is_unsigned = dl_is_integer(element) && element->signedness == DL_UNSIGNED;
  return (DLDataType){is_unsigned ? kDLUInt : kDLInt, bits, 1};
}

DLTensor dl_view_of_array(const dl_ndarray *array) {
  return (DLTensor){.data = array->data,
                    .device = {kDLCPU, 0},
                    .ndim = (int32_t)array->rank,
                    .dtype = dl_array_dtype(array->element),
                    .shape = (int64_t *)array->shape};
}

// The name of input or output i, which is in dlir.name or, at the loop level, in dlir.names.
static dl_attr name_attr(const dl_op *function, bool is_input, size_t i) {
  dl_context *ctx = dl_op_context(function);
  dl_attr names = dl_get_attr(function, "dlir.names"), list;
  if (names && names->kind == DL_ATTR_DICT)
    list = dl_dict_get(names, dl_intern_z(ctx, is_input ? "inputs" : "outputs"));
  else
    list = dl_get_attr(function, is_input ? "arg_attrs" : "res_attrs");
  if (!list || list->kind != DL_ATTR_ARRAY || i >= list->count) return NULL;
  dl_attr entry = list->elements[i];
  return entry->kind == DL_ATTR_DICT ? dl_dict_get(entry, dl_intern_z(ctx, "dlir.name")) : entry;
}

dl_ident dl_entry_value_name(const dl_op *function, bool is_input, size_t i) {
  dl_context *ctx = dl_op_context(function);
  dl_attr name = name_attr(function, is_input, i);
  if (name && name->kind == DL_ATTR_STRING) return dl_intern(ctx, name->bytes);
  return dl_intern_f(ctx, "%s_%zu", is_input ? "input" : "output", i);
}

void dl_append_file_name(dl_buffer *path, const char *name) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  for (; *name; name++) dl_buffer_putc(path, strchr(plain, *name) ? *name : '_');
}

static void copy_element(const DLTensor *from, size_t index, size_t width, char *to) {
  const char *at = (const char *)from->data + from->byte_offset;
  int64_t offset = 0;
  for (int32_t d = from->ndim - 1; d >= 0; d--) {
    offset += (int64_t)(index % (size_t)from->shape[d]) * from->strides[d];
    index /= (size_t)from->shape[d];
  }
  memcpy(to, at + offset * (int64_t)width, width);
}

dl_ndarray *dl_array_of_tensor(const DLTensor *from, dl_type type) {
  if (!dl_is_tensor(type) && !dl_is_float(type) && !dl_is_integer(type)) return NULL;
  DLDataType wanted = dl_array_dtype(dl_element_type(type));
  if (wanted.code != from->dtype.code || wanted.bits != from->dtype.bits) return NULL;
  dl_ndarray *array = dl_ndarray_create(dl_element_type(type), (size_t)from->ndim, from->shape);
  if (!array) return NULL;
  size_t width = dl_element_bytes(array->element);
  for (int64_t i = 0; from->strides && i < array->count; i++)
    copy_element(from, (size_t)i, width, array->data + (size_t)i * width);
  if (!from->strides && array->count)
    memcpy(array->data, (const char *)from->data + from->byte_offset, dl_ndarray_bytes(array));
  if (!dl_is_tensor(type) || dl_ndarray_fits(array, type)) return array;
  dl_ndarray_release(array);
  return NULL;
}
