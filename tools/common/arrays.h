// tools/common/arrays.h: the interpreter's arrays as tools see them: named, and as DLPack's
// tensors.
#ifndef DLIR_TOOLS_COMMON_ARRAYS_H
#define DLIR_TOOLS_COMMON_ARRAYS_H

#include "dialects/ndarray.h"
#include "ir/op.h"
#include "targets/runtime/dlir_model.h"

DLDataType dl_array_dtype(dl_type element);
// The array as a tensor that shares its elements.
DLTensor dl_view_of_array(const dl_ndarray *array);
// A compact array with the tensor's elements; NULL when it does not fit the type.
dl_ndarray *dl_array_of_tensor(const DLTensor *from, dl_type type);

// The name of an input or output of an entry function: ONNX's, at every level, or input_0, ….
dl_ident dl_entry_value_name(const dl_op *function, bool is_input, size_t i);
// Appends the name of the file for a value; characters outside [A-Za-z0-9._-] become _.
void dl_append_file_name(dl_buffer *path, const char *name);

#endif
