#include "tools/dlrun/onnx_compare.h"

#include <math.h>

#include "ir/floats.h"
#include "targets/onnx/tensor.h"
#include "tools/common/cli.h"

#define RTOL 1e-3
#define ATOL 1e-7

// --- reading ---

static DLDataType dlpack_type(int32_t type) {
  uint8_t bits = (uint8_t)(8 * dl_onnx_type_bytes(type));
  switch (type) {
    case DL_ONNX_FLOAT:
    case DL_ONNX_DOUBLE:
    case DL_ONNX_FLOAT16:
      return (DLDataType){kDLFloat, bits, 1};
    case DL_ONNX_BFLOAT16:
      return (DLDataType){kDLBfloat, bits, 1};
    case DL_ONNX_INT8:
    case DL_ONNX_INT16:
    case DL_ONNX_INT32:
    case DL_ONNX_INT64:
      return (DLDataType){kDLInt, bits, 1};
    case DL_ONNX_UINT8:
    case DL_ONNX_UINT16:
    case DL_ONNX_UINT32:
    case DL_ONNX_UINT64:
      return (DLDataType){kDLUInt, bits, 1};
    case DL_ONNX_BOOL:
      return (DLDataType){DLIR_BOOL_CODE, bits, 1};
    default:
      return (DLDataType){kDLOpaqueHandle, bits, 1};
  }
}

static const char *fill(tensor *t, const dl_onnx_tensor *from) {
  DLDataType dtype = dlpack_type(from->type);
  if (from->external) return "keeps its elements in another file";
  if (dtype.code == kDLOpaqueHandle) return "has an element type that is not supported";
  if (!tensor_create(t, dtype, (int32_t)from->rank, from->dims)) return "does not fit into memory";
  if (from->data.len) memcpy(t->dl.data, from->data.data, from->data.len);
  return NULL;
}

bool pb_read(const char *path, tensor *t, dl_buffer *why) {
  dl_buffer file = {0};
  dl_onnx_tensor from;
  if (!dl_cli_read_file("dlrun", path, &file)) {
    dl_buffer_printf(why, "cannot read '%s'", path);
    return false;
  }
  const char *wrong = dl_onnx_read_tensor((dl_str){file.data, file.len}, &from);
  if (!wrong) wrong = fill(t, &from);
  if (wrong) dl_buffer_printf(why, "'%s' (%s) %s", path, dl_onnx_type_name(from.type), wrong);
  dl_onnx_release_tensor(&from);
  dl_buffer_free(&file);
  return !wrong;
}

// --- comparison ---

static bool same_type(const DLTensor *a, const DLTensor *b) {
  bool same_shape = a->ndim == b->ndim;
  for (int32_t i = 0; same_shape && i < a->ndim; i++) same_shape = a->shape[i] == b->shape[i];
  return same_shape && a->dtype.code == b->dtype.code && a->dtype.bits == b->dtype.bits;
}

static const char *element(const DLTensor *t, int64_t i) {
  return (const char *)t->data + t->byte_offset + (size_t)i * tensor_element_bytes(t->dtype);
}

static double float_at(const DLTensor *t, int64_t i) {
  dl_float_kind kind = t->dtype.bits == 64 ? DL_F64 : t->dtype.bits == 32 ? DL_F32 : DL_F16;
  return dl_float_load(kind, element(t, i));
}

static bool close_enough(double actual, double expected) {
  if (isnan(expected)) return isnan(actual);
  if (isinf(expected) || isinf(actual)) return actual == expected;
  return fabs(actual - expected) <= ATOL + RTOL * fabs(expected);
}

static bool equal_at(const DLTensor *actual, const DLTensor *expected, int64_t i) {
  if (expected->dtype.code == kDLFloat)
    return close_enough(float_at(actual, i), float_at(expected, i));
  return memcmp(element(actual, i), element(expected, i), tensor_element_bytes(expected->dtype)) ==
         0;
}

bool tensors_equal(const DLTensor *actual, const DLTensor *expected, dl_buffer *why) {
  if (!same_type(actual, expected)) {
    tensor_print_shape(why, actual->dtype, actual->ndim, actual->shape, NULL);
    dl_buffer_puts(why, ", expected ");
    tensor_print_shape(why, expected->dtype, expected->ndim, expected->shape, NULL);
    return false;
  }
  int64_t count = tensor_elements(expected), wrong = 0, first = 0;
  for (int64_t i = 0; i < count; i++)
    if (!equal_at(actual, expected, i) && wrong++ == 0) first = i;
  if (wrong == 0) return true;
  dl_buffer_printf(why, "%lld of %lld elements differ; element %lld is ", (long long)wrong,
                   (long long)count, (long long)first);
  tensor_print_element(why, actual, first);
  dl_buffer_puts(why, ", expected ");
  tensor_print_element(why, expected, first);
  return false;
}
