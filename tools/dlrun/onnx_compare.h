// tools/dlrun/onnx_compare.h: test data in .pb files, and their comparison with results.
#ifndef DLIR_TOOLS_DLRUN_ONNX_COMPARE_H
#define DLIR_TOOLS_DLRUN_ONNX_COMPARE_H

#include "tools/common/tensor.h"

// Reads a serialized TensorProto. False with the reason in `why`; free with tensor_free.
bool pb_read(const char *path, tensor *t, dl_buffer *why);

// Whether `actual` (compact) has the type, shape and elements of `expected`: floats within atol
// 1e-7 + rtol 1e-3, NaN and infinities alike, everything else exactly. The first difference goes
// into `why`.
bool tensors_equal(const DLTensor *actual, const DLTensor *expected, dl_buffer *why);

#endif
