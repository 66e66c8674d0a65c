// tools/common/tensor.h: tensors that own their memory, and NumPy's file format.
#ifndef DLIR_TOOLS_COMMON_TENSOR_H
#define DLIR_TOOLS_COMMON_TENSOR_H

#include "ir/files.h"
#include "targets/runtime/dlir_model.h"

// dl.data (64-byte aligned), dl.shape and dl.strides belong to it.
typedef struct tensor {
  DLTensor dl;
} tensor;

// Zeroed elements, row-major; false when the size overflows.
bool tensor_create(tensor *t, DLDataType dtype, int32_t rank, const int64_t *shape);
void tensor_free(tensor *t);
int64_t tensor_elements(const DLTensor *t);
size_t tensor_element_bytes(DLDataType dtype);
// "f32", "i64", "bool", …
void tensor_print_type(dl_buffer *out, DLDataType dtype);
// "f32[1, 3, 224, 224]"; unknown sizes as their symbols or ?.
void tensor_print_shape(dl_buffer *out, DLDataType dtype, int32_t rank, const int64_t *shape,
                        const char *const *symbols);
// Element i of compact data as text.
void tensor_print_element(dl_buffer *out, const DLTensor *t, int64_t i);
// Floats in [-1, 1), integers and booleans 0 or 1; the same for the same seed.
void tensor_randomize(tensor *t, uint64_t *seed);

// NumPy's .npy, versions 1 to 3, of numbers and booleans in little-endian order; Fortran order
// becomes strides. bfloat16 is written as |V2, which ml_dtypes reads. False with the reason in
// `why`.
bool npy_read(const char *path, tensor *t, dl_buffer *why);
bool npy_write(const char *path, dl_temporaries *temporaries, const DLTensor *t, dl_buffer *why);

#endif
