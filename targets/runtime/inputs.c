// inputs.c: checks what a caller passes in, and makes it compact.
#include <stdio.h>
#include <string.h>

#include "targets/runtime/session.h"

typedef struct text {
  char data[256];
  size_t len;
} text;

static void put(text *t, const char *string) {
  int written = snprintf(t->data + t->len, sizeof(t->data) - t->len, "%s", string);
  size_t room = sizeof(t->data) - t->len - 1;
  t->len += (size_t)written < room ? (size_t)written : room;
}

static text shape_text(int32_t rank, const int64_t *shape, const char *const *symbols) {
  text t = {0};
  put(&t, "[");
  for (int32_t i = 0; i < rank; i++) {
    char number[24];
    snprintf(number, sizeof(number), "%lld", (long long)shape[i]);
    if (i) put(&t, ", ");
    put(&t, shape[i] >= 0 || !symbols ? number : symbols[i] ? symbols[i] : "?");
  }
  put(&t, "]");
  return t;
}

static text dtype_text(DLDataType type) {
  static const char *const names[] = {"int",    "uint",    "float", "handle",
                                      "bfloat", "complex", "bool"};
  text t = {0};
  put(&t, type.code <= DLIR_BOOL_CODE ? names[type.code] : "type code ");
  char number[16];
  snprintf(number, sizeof(number), "%d", type.code <= DLIR_BOOL_CODE ? type.bits : type.code);
  if (type.code != DLIR_BOOL_CODE) put(&t, number);
  return t;
}

static dlir_status refuse_shape(dlir_session *s, const dlir_value_info *info, const DLTensor *t) {
  text want = shape_text(info->rank, info->shape, info->symbols);
  text got = shape_text(t->ndim, t->shape, NULL);
  return dlrt_fail(s, DLIR_INVALID_ARGUMENT, "input '%s': expected shape %s, got %s", info->name,
                   want.data, got.data);
}

// Before DLPack had a code for booleans, they went as uint1, or as plain bytes.
static bool same_dtype(DLDataType want, DLDataType got) {
  if (want.code == DLIR_BOOL_CODE && got.code == kDLUInt && (got.bits == 1 || got.bits == 8))
    return got.lanes == 1;
  return want.code == got.code && want.bits == got.bits && got.lanes == 1;
}

static size_t element_bytes(DLDataType type) { return (type.bits + 7u) / 8u; }

// The number of elements; -1 when a size is negative or the tensor exceeds the address space.
static int64_t element_count(const DLTensor *t, size_t bytes_each) {
  int64_t count = 1;
  for (int32_t i = 0; i < t->ndim; i++) {
    if (t->shape[i] < 0) return -1;
    if (__builtin_mul_overflow(count, t->shape[i], &count)) return -1;
  }
  int64_t bytes;
  return __builtin_mul_overflow(count, (int64_t)bytes_each, &bytes) ? -1 : count;
}

static bool is_compact(const DLTensor *t) {
  if (!t->strides) return true;
  int64_t stride = 1;
  for (int32_t i = t->ndim - 1; i >= 0; i--) {
    if (t->shape[i] != 1 && t->strides[i] != stride) return false;
    stride *= t->shape[i];
  }
  return true;
}

static char *copy_strided(char *to, const char *from, const DLTensor *t, int32_t dim,
                          size_t bytes) {
  if (dim == t->ndim) {
    memcpy(to, from, bytes);
    return to + bytes;
  }
  for (int64_t i = 0; i < t->shape[dim]; i++)
    to = copy_strided(to, from + i * t->strides[dim] * (int64_t)bytes, t, dim + 1, bytes);
  return to;
}

static dlir_status bind_data(dlir_session *s, size_t i, const DLTensor *t, bool with_data) {
  const dlir_value_info *info = &s->model->inputs[i];
  size_t bytes = element_bytes(t->dtype);
  int64_t count = element_count(t, bytes);
  if (count < 0)
    return dlrt_fail(s, DLIR_INVALID_ARGUMENT, "input '%s': the tensor is too large", info->name);
  if (!with_data) return DLIR_OK;
  char *data = (char *)t->data + t->byte_offset;
  if (count && !t->data)
    return dlrt_fail(s, DLIR_INVALID_ARGUMENT, "input '%s': no data", info->name);
  if ((uintptr_t)data % bytes)
    return dlrt_fail(s, DLIR_INVALID_ARGUMENT, "input '%s': data is not aligned to %zu bytes",
                     info->name, bytes);
  s->inputs[i] = data;
  if (!count || is_compact(t)) return DLIR_OK;
  s->inputs[i] = dlrt_block_reserve(&s->copies[i], (size_t)count * bytes);
  if (!s->inputs[i]) return dlrt_fail(s, DLIR_OUT_OF_MEMORY, "out of memory");
  copy_strided(s->inputs[i], data, t, 0, bytes);
  return DLIR_OK;
}

// The size that an earlier dimension with the same symbol has; -1 when there is none.
static int64_t size_of_symbol(const dlir_session *s, const char *symbol, const int64_t *end) {
  const int64_t *size = s->dims;
  for (size_t i = 0; size < end; i++) {
    const dlir_value_info *info = &s->model->inputs[i];
    for (int32_t d = 0; d < info->rank && size < end; d++) {
      if (info->shape[d] >= 0) continue;
      if (info->symbols[d] && strcmp(info->symbols[d], symbol) == 0) return *size;
      size++;
    }
  }
  return -1;
}

static dlir_status bind_shape(dlir_session *s, const dlir_value_info *info, const DLTensor *t,
                              int64_t **next) {
  if (t->ndim != info->rank) return refuse_shape(s, info, t);
  for (int32_t d = 0; d < t->ndim; d++) {
    if (info->shape[d] >= 0 ? info->shape[d] != t->shape[d] : t->shape[d] < 0)
      return refuse_shape(s, info, t);
    if (info->shape[d] >= 0) continue;
    const char *symbol = info->symbols[d];
    int64_t known = symbol ? size_of_symbol(s, symbol, *next) : -1;
    if (known >= 0 && known != t->shape[d])
      return dlrt_fail(s, DLIR_INVALID_ARGUMENT,
                       "input '%s': dimension %d (%s) is %lld here and %lld in an earlier input",
                       info->name, (int)d, symbol, (long long)t->shape[d], (long long)known);
    *(*next)++ = t->shape[d];
  }
  return DLIR_OK;
}

dlir_status dlrt_bind_inputs(dlir_session *s, size_t count, const dlir_value *inputs,
                             bool with_data) {
  if (count != s->model->num_inputs)
    return dlrt_fail(s, DLIR_INVALID_ARGUMENT, "expected %zu inputs, got %zu", s->model->num_inputs,
                     count);
  int64_t *next = s->dims;
  for (size_t i = 0; i < count; i++) {
    const dlir_value_info *info = &s->model->inputs[i];
    const DLTensor *t = inputs[i].u.tensor;
    if (inputs[i].kind != info->kind || !t)
      return dlrt_fail(s, DLIR_INVALID_ARGUMENT, "input '%s': expected a tensor", info->name);
    if (t->device.device_type != kDLCPU)
      return dlrt_fail(s, DLIR_INVALID_ARGUMENT, "input '%s': not in CPU memory", info->name);
    if (!same_dtype(info->dtype, t->dtype))
      return dlrt_fail(s, DLIR_INVALID_ARGUMENT, "input '%s': expected elements of type %s, got %s",
                       info->name, dtype_text(info->dtype).data, dtype_text(t->dtype).data);
    dlir_status status = bind_shape(s, info, t, &next);
    if (!status) status = bind_data(s, i, t, with_data);
    if (status) return status;
  }
  return DLIR_OK;
}
