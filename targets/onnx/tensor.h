// targets/onnx/tensor.h: reads a serialized TensorProto in place. Shared by the importer
// (initializers, tensor attributes) and by the tools (test data in .pb files); needs nothing but
// ir/base.h.
#ifndef DLIR_TARGETS_ONNX_TENSOR_H
#define DLIR_TARGETS_ONNX_TENSOR_H

#include "ir/base.h"

#define DL_ONNX_MAX_RANK 32

// TensorProto.DataType.
typedef enum dl_onnx_type {
  DL_ONNX_UNDEFINED = 0,
  DL_ONNX_FLOAT = 1,
  DL_ONNX_UINT8 = 2,
  DL_ONNX_INT8 = 3,
  DL_ONNX_UINT16 = 4,
  DL_ONNX_INT16 = 5,
  DL_ONNX_INT32 = 6,
  DL_ONNX_INT64 = 7,
  DL_ONNX_STRING = 8,
  DL_ONNX_BOOL = 9,
  DL_ONNX_FLOAT16 = 10,
  DL_ONNX_DOUBLE = 11,
  DL_ONNX_UINT32 = 12,
  DL_ONNX_UINT64 = 13,
  DL_ONNX_COMPLEX64 = 14,
  DL_ONNX_COMPLEX128 = 15,
  DL_ONNX_BFLOAT16 = 16,
  DL_ONNX_FLOAT8E4M3FN = 17,
  DL_ONNX_FLOAT8E4M3FNUZ = 18,
  DL_ONNX_FLOAT8E5M2 = 19,
  DL_ONNX_FLOAT8E5M2FNUZ = 20,
  DL_ONNX_UINT4 = 21,
  DL_ONNX_INT4 = 22,
  DL_ONNX_FLOAT4E2M1 = 23,
  DL_ONNX_FLOAT8E8M0 = 24,
  DL_ONNX_UINT2 = 25,
  DL_ONNX_INT2 = 26,
} dl_onnx_type;

// ONNX's name of an element type ("float", "int64"), or "unknown type".
const char *dl_onnx_type_name(int32_t type);
// Bytes per element; 0 for types without whole bytes per element (strings, 4-bit types) and unknown
// ones.
size_t dl_onnx_type_bytes(int32_t type);

typedef struct dl_onnx_tensor {
  dl_str name;  // borrowed from the message
  int32_t type;
  size_t rank;
  int64_t dims[DL_ONNX_MAX_RANK];
  int64_t num_elements;
  dl_str data;      // elements, little-endian, perhaps unaligned; empty for external data
  void *owned;      // what `data` lies in when it had to be decoded, or NULL: it is borrowed
  bool external;    // the elements lie in another file
  dl_str location;  // external: path relative to the model's folder
  uint64_t offset;  // external
  uint64_t length;  // external: bytes, or UINT64_MAX when not given
} dl_onnx_tensor;

// Reads a TensorProto. Returns NULL, or what is wrong with it: a static text fit for a diagnostic,
// e.g. "is truncated or malformed". Types without whole bytes per element are refused.
const char *dl_onnx_read_tensor(dl_str message, dl_onnx_tensor *tensor);
void dl_onnx_release_tensor(dl_onnx_tensor *tensor);  // frees `owned`

#endif
