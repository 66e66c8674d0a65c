#include "targets/onnx/model.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "targets/onnx/wire.h"

const char *dl_onnx_text(const char *text) { return text ? text : ""; }

const char *dl_onnx_domain(const char *domain) {
  return !domain || strcmp(domain, "ai.onnx") == 0 ? "" : domain;
}

// --- files ---

static dl_status map_open_file(dl_loc loc, const char *path, int fd, dl_str *bytes) {
  struct stat info;
  if (fstat(fd, &info) != 0) return dl_error(loc, "cannot read '%s': %s", path, strerror(errno));
  if (!S_ISREG(info.st_mode)) return dl_error(loc, "'%s' is no regular file", path);
  if (info.st_size == 0) return dl_error(loc, "'%s' is empty", path);
  void *data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (data == MAP_FAILED) return dl_error(loc, "cannot map '%s': %s", path, strerror(errno));
  *bytes = (dl_str){data, (size_t)info.st_size};
  return DL_OK;
}

dl_onnx_file *dl_onnx_file_map(dl_loc loc, const char *path) {
  dl_str bytes;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    dl_error(loc, "cannot open '%s': %s", path, strerror(errno));
    return NULL;
  }
  dl_status status = map_open_file(loc, path, fd, &bytes);
  close(fd);
  if (status != DL_OK) return NULL;
  dl_onnx_file *file = dl_malloc(sizeof(*file));
  *file = (dl_onnx_file){1, bytes};
  return file;
}

dl_onnx_file *dl_onnx_file_retain(dl_onnx_file *file) {
  file->refs++;
  return file;
}

void dl_onnx_file_release(void *owner) {
  dl_onnx_file *file = owner;
  if (--file->refs > 0) return;
  munmap((void *)file->bytes.data, file->bytes.len);
  free(file);
}

// --- messages ---

static void *arena_alloc(void *arena, size_t size) {
  return dl_arena_alloc(arena, size ? size : 1);
}
static void arena_free(void *arena, void *memory) { (void)arena, (void)memory; }

// Unpacks a message into the model's arena. NULL after a diagnostic.
static void *unpack(dl_onnx_model *model, const ProtobufCMessageDescriptor *type, dl_str bytes) {
  ProtobufCAllocator allocator = {arena_alloc, arena_free, model->arena};
  void *message =
      protobuf_c_message_unpack(type, &allocator, bytes.len, (const uint8_t *)bytes.data);
  if (!message)
    dl_error(model->loc, "the %s at byte %zu is malformed", type->short_name,
             (size_t)(bytes.data - model->file->bytes.data));
  return message;
}

#define PUSH_UNPACKED(model, list, descriptor, bytes)        \
  do {                                                       \
    void *message = unpack((model), &(descriptor), (bytes)); \
    if (!message) return DL_FAILED;                          \
    DL_PUSH(list, message);                                  \
  } while (0)

static dl_status read_initializer(dl_onnx_model *model, dl_onnx_graph *graph, dl_str bytes) {
  dl_onnx_tensor tensor;
  const char *wrong = dl_onnx_read_tensor(bytes, &tensor);
  if (wrong)
    return dl_error(model->loc, "initializer '%.*s' (%s) %s", (int)tensor.name.len,
                    tensor.name.data, dl_onnx_type_name(tensor.type), wrong);
  if (memchr(tensor.name.data, '\0', tensor.name.len)) {
    dl_onnx_release_tensor(&tensor);
    return dl_error(model->loc, "the name of an initializer holds a NUL byte");
  }
  DL_PUSH(&graph->initializers, tensor);
  return DL_OK;
}

static dl_status read_graph_field(dl_onnx_model *model, dl_onnx_graph *graph, uint32_t number,
                                  dl_str bytes) {
  switch (number) {
    case 1:
      PUSH_UNPACKED(model, &graph->nodes, onnx__node_proto__descriptor, bytes);
      break;
    case 5:
      return read_initializer(model, graph, bytes);
    case 11:
      PUSH_UNPACKED(model, &graph->inputs, onnx__value_info_proto__descriptor, bytes);
      break;
    case 12:
      PUSH_UNPACKED(model, &graph->outputs, onnx__value_info_proto__descriptor, bytes);
      break;
    case 13:
      PUSH_UNPACKED(model, &graph->value_infos, onnx__value_info_proto__descriptor, bytes);
      break;
    case 15:
      return dl_error(model->loc, "sparse initializers are not supported");
    default:
      break;
  }
  return DL_OK;
}

typedef dl_status (*field_reader)(dl_onnx_model *model, uint32_t number, dl_str bytes);

// Calls `read` for every embedded message or string of a message.
static dl_status for_fields(dl_onnx_model *model, dl_str message, field_reader read) {
  dl_wire wire = dl_wire_open(message);
  dl_wire_field field;
  const uint8_t *start = wire.at;
  dl_wire_step step;
  while ((step = dl_wire_next(&wire, &field)) == DL_WIRE_FIELD) {
    if (field.type == DL_WIRE_BYTES) DL_TRY(read(model, field.number, field.bytes));
    start = wire.at;
  }
  if (step == DL_WIRE_END) return DL_OK;
  return dl_error(model->loc, "'%s' is no ONNX model or is truncated: malformed at byte %zu",
                  model->path, (size_t)(start - (const uint8_t *)model->file->bytes.data));
}

static dl_status read_main_graph_field(dl_onnx_model *model, uint32_t number, dl_str bytes) {
  return read_graph_field(model, &model->graph, number, bytes);
}

static dl_status read_model_field(dl_onnx_model *model, uint32_t number, dl_str bytes) {
  switch (number) {
    case 7:
      return for_fields(model, bytes, read_main_graph_field);
    case 8:
      PUSH_UNPACKED(model, &model->opsets, onnx__operator_set_id_proto__descriptor, bytes);
      break;
    case 25:
      PUSH_UNPACKED(model, &model->functions, onnx__function_proto__descriptor, bytes);
      break;
    default:
      break;
  }
  return DL_OK;
}

static dl_status check_model(const dl_onnx_model *model) {
  if (model->opsets.len == 0)
    return dl_error(model->loc, "'%s' is no ONNX model: it imports no operator set", model->path);
  if (model->graph.outputs.len == 0)
    return dl_error(model->loc, "the graph of '%s' has no outputs", model->path);
  return DL_OK;
}

dl_status dl_onnx_model_read(dl_context *ctx, const char *path, dl_onnx_model *model) {
  *model = (dl_onnx_model){.path = path, .loc = dl_loc_file(ctx, dl_intern_z(ctx, path), 0, 0)};
  model->file = dl_onnx_file_map(model->loc, path);
  if (!model->file) return DL_FAILED;
  model->arena = dl_arena_create();
  if (for_fields(model, model->file->bytes, read_model_field) == DL_OK &&
      check_model(model) == DL_OK)
    return DL_OK;
  dl_onnx_model_release(model);
  return DL_FAILED;
}

void dl_onnx_model_release(dl_onnx_model *model) {
  dl_onnx_graph *graph = &model->graph;
  for (size_t i = 0; i < graph->initializers.len; i++)
    dl_onnx_release_tensor(&graph->initializers.data[i]);
  DL_VEC_FREE(&graph->initializers);
  DL_VEC_FREE(&graph->nodes);
  DL_VEC_FREE(&graph->inputs);
  DL_VEC_FREE(&graph->outputs);
  DL_VEC_FREE(&graph->value_infos);
  DL_VEC_FREE(&model->opsets);
  DL_VEC_FREE(&model->functions);
  dl_arena_destroy(model->arena);
  dl_onnx_file_release(model->file);
}

int64_t dl_onnx_model_opset(const dl_onnx_model *model, const char *domain) {
  int64_t version = 0;
  for (size_t i = 0; i < model->opsets.len; i++) {
    const Onnx__OperatorSetIdProto *opset = model->opsets.data[i];
    if (strcmp(dl_onnx_domain(opset->domain), dl_onnx_domain(domain)) == 0 &&
        opset->version > version)
      version = opset->version;
  }
  return version;
}
