#include "tools/common/tensor.h"

#include <stdio.h>

#include "ir/floats.h"

enum { ALIGNMENT = 64 };

size_t tensor_element_bytes(DLDataType dtype) { return (dtype.bits + 7u) / 8u; }

int64_t tensor_elements(const DLTensor *t) {
  int64_t count = 1;
  for (int32_t i = 0; i < t->ndim; i++) count *= t->shape[i];
  return count;
}

bool tensor_create(tensor *t, DLDataType dtype, int32_t rank, const int64_t *shape) {
  int64_t bytes = (int64_t)tensor_element_bytes(dtype);
  for (int32_t i = 0; i < rank; i++)
    if (shape[i] < 0 || __builtin_mul_overflow(bytes, shape[i], &bytes)) return false;
  if (bytes > INT64_MAX / 2) return false;
  size_t size = ((size_t)bytes + ALIGNMENT) & ~(size_t)(ALIGNMENT - 1);
  void *data = aligned_alloc(ALIGNMENT, size);
  if (!data) return false;
  memset(data, 0, size);
  int64_t *sizes = dl_calloc((size_t)rank + 1, sizeof(*sizes));
  if (rank) memcpy(sizes, shape, (size_t)rank * sizeof(*sizes));
  t->dl =
      (DLTensor){.data = data, .device = {kDLCPU, 0}, .ndim = rank, .dtype = dtype, .shape = sizes};
  return true;
}

void tensor_free(tensor *t) {
  free(t->dl.data);
  free(t->dl.shape);
  free(t->dl.strides);
  *t = (tensor){0};
}

void tensor_print_type(dl_buffer *out, DLDataType dtype) {
  static const char *const prefixes[] = {"i", "u", "f", "handle", "bf", "complex"};
  if (dtype.code == DLIR_BOOL_CODE)
    dl_buffer_puts(out, "bool");
  else
    dl_buffer_printf(out, "%s%u", dtype.code < DL_COUNT(prefixes) ? prefixes[dtype.code] : "?",
                     dtype.bits);
}

void tensor_print_shape(dl_buffer *out, DLDataType dtype, int32_t rank, const int64_t *shape,
                        const char *const *symbols) {
  tensor_print_type(out, dtype);
  dl_buffer_puts(out, "[");
  for (int32_t i = 0; i < rank; i++) {
    if (i) dl_buffer_puts(out, ", ");
    if (shape[i] >= 0)
      dl_buffer_printf(out, "%lld", (long long)shape[i]);
    else
      dl_buffer_puts(out, symbols && symbols[i] ? symbols[i] : "?");
  }
  dl_buffer_puts(out, "]");
}

static int64_t read_integer(const char *bytes, unsigned bits, bool is_signed) {
  uint64_t value = 0;
  memcpy(&value, bytes, bits / 8);
  unsigned unused = 64 - bits;
  return is_signed ? (int64_t)(value << unused) >> unused : (int64_t)value;
}

static dl_float_kind float_kind(DLDataType dtype) {
  if (dtype.code == kDLBfloat) return DL_BF16;
  return dtype.bits == 16 ? DL_F16 : dtype.bits == 32 ? DL_F32 : DL_F64;
}

void tensor_print_element(dl_buffer *out, const DLTensor *t, int64_t i) {
  const char *at =
      (const char *)t->data + t->byte_offset + (size_t)i * tensor_element_bytes(t->dtype);
  if (t->dtype.code == kDLFloat || t->dtype.code == kDLBfloat)
    dl_buffer_printf(out, "%.6g", dl_float_load(float_kind(t->dtype), at));
  else if (t->dtype.code == kDLUInt)
    dl_buffer_printf(out, "%llu", (unsigned long long)read_integer(at, t->dtype.bits, false));
  else
    dl_buffer_printf(out, "%lld", (long long)read_integer(at, t->dtype.bits, true));
}

// splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
static uint64_t next_random(uint64_t *state) {
  uint64_t z = *state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

void tensor_randomize(tensor *t, uint64_t *seed) {
  DLDataType dtype = t->dl.dtype;
  size_t bytes = tensor_element_bytes(dtype);
  bool floats = dtype.code == kDLFloat || dtype.code == kDLBfloat;
  for (int64_t i = 0; i < tensor_elements(&t->dl); i++) {
    char *at = (char *)t->dl.data + (size_t)i * bytes;
    uint64_t random = next_random(seed), bit = random >> 63;
    if (floats)
      dl_float_store(float_kind(dtype), (double)(random >> 40) * 0x1p-23 - 1, at);
    else
      memcpy(at, &bit, bytes);
  }
}
