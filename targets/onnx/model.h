// targets/onnx/model.h: a model file in memory. The file is mapped; messages without tensors are
// unpacked into the model's arena, tensors stay slices of the map.
#ifndef DLIR_TARGETS_ONNX_MODEL_H
#define DLIR_TARGETS_ONNX_MODEL_H

#include "ir/context.h"
#include "ir/diag.h"
#include "targets/onnx/onnx.pb-c.h"
#include "targets/onnx/tensor.h"

// A mapped file, shared by the model and the resources cut out of it.
typedef struct dl_onnx_file {
  size_t refs;
  dl_str bytes;
} dl_onnx_file;

// Maps a file for reading; NULL after a diagnostic at `loc`. The caller holds one reference.
dl_onnx_file *dl_onnx_file_map(dl_loc loc, const char *path);
dl_onnx_file *dl_onnx_file_retain(dl_onnx_file *file);
void dl_onnx_file_release(void *file);  // the last reference unmaps

typedef struct dl_onnx_graph {
  DL_VEC(Onnx__NodeProto *) nodes;
  DL_VEC(Onnx__ValueInfoProto *) inputs;
  DL_VEC(Onnx__ValueInfoProto *) outputs;
  DL_VEC(Onnx__ValueInfoProto *) value_infos;
  DL_VEC(dl_onnx_tensor) initializers;
} dl_onnx_graph;

typedef struct dl_onnx_model {
  dl_onnx_file *file;
  const char *path;
  dl_loc loc;  // of the file
  dl_arena *arena;
  DL_VEC(Onnx__OperatorSetIdProto *) opsets;
  DL_VEC(Onnx__FunctionProto *) functions;
  dl_onnx_graph graph;
} dl_onnx_model;

// Reads a model file. On failure, after diagnostics, the model need not be released.
dl_status dl_onnx_model_read(dl_context *ctx, const char *path, dl_onnx_model *model);
void dl_onnx_model_release(dl_onnx_model *model);

// The imported version of an operator set ("" and "ai.onnx" are the same); 0 when it is not
// imported.
int64_t dl_onnx_model_opset(const dl_onnx_model *model, const char *domain);

// "" for absent strings, and for the default domain under either of its names.
const char *dl_onnx_text(const char *text);
const char *dl_onnx_domain(const char *domain);

#endif
