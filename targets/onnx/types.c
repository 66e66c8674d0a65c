// ONNX's types, names and tensors as DLIR's.
#include "targets/onnx/import.h"

// Tensors of at most this many elements are attributes in the text; larger ones are resources.
#define MAX_INLINE_ELEMENTS 16

// --- names ---

static bool is_suffix_char(unsigned char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
         c == '$' || c == '.' || c == '-';
}

dl_ident dl_onnx_mangle(dl_context *ctx, const char *name) {
  dl_buffer text = {0};
  if (*name == '/') name++;
  if (*name == '\0' || (*name >= '0' && *name <= '9')) dl_buffer_putc(&text, '_');
  for (; *name; name++) dl_buffer_putc(&text, is_suffix_char((unsigned char)*name) ? *name : '_');
  dl_ident mangled = dl_intern_z(ctx, text.data);
  dl_buffer_free(&text);
  return mangled;
}

// --- types ---

static dl_type integer(dl_context *ctx, unsigned width, bool is_unsigned) {
  return dl_integer_type(ctx, width, is_unsigned ? DL_UNSIGNED : DL_SIGNLESS);
}

dl_type dl_onnx_element_type(dl_context *ctx, int64_t type) {
  switch (type) {
    case DL_ONNX_FLOAT:
      return dl_f32_type(ctx);
    case DL_ONNX_DOUBLE:
      return dl_float_type(ctx, DL_F64);
    case DL_ONNX_FLOAT16:
      return dl_float_type(ctx, DL_F16);
    case DL_ONNX_BFLOAT16:
      return dl_float_type(ctx, DL_BF16);
    case DL_ONNX_FLOAT8E4M3FN:
      return dl_float_type(ctx, DL_F8E4M3FN);
    case DL_ONNX_FLOAT8E4M3FNUZ:
      return dl_float_type(ctx, DL_F8E4M3FNUZ);
    case DL_ONNX_FLOAT8E5M2:
      return dl_float_type(ctx, DL_F8E5M2);
    case DL_ONNX_FLOAT8E5M2FNUZ:
      return dl_float_type(ctx, DL_F8E5M2FNUZ);
    case DL_ONNX_FLOAT8E8M0:
      return dl_float_type(ctx, DL_F8E8M0FNU);
    case DL_ONNX_BOOL:
      return integer(ctx, 1, false);
    case DL_ONNX_INT8:
      return integer(ctx, 8, false);
    case DL_ONNX_INT16:
      return integer(ctx, 16, false);
    case DL_ONNX_INT32:
      return integer(ctx, 32, false);
    case DL_ONNX_INT64:
      return integer(ctx, 64, false);
    case DL_ONNX_UINT8:
      return integer(ctx, 8, true);
    case DL_ONNX_UINT16:
      return integer(ctx, 16, true);
    case DL_ONNX_UINT32:
      return integer(ctx, 32, true);
    case DL_ONNX_UINT64:
      return integer(ctx, 64, true);
    default:
      return NULL;
  }
}

dl_attr dl_onnx_dims_attr(dl_context *ctx, size_t rank, const dl_ident *names) {
  DL_VEC(dl_attr) dims = {0};
  bool any = false;
  for (size_t i = 0; i < rank; i++) {
    any |= names[i] != NULL;
    DL_PUSH(&dims, dl_keyword_attr(ctx, names[i] ? names[i] : dl_intern_z(ctx, "_")));
  }
  dl_attr param = dl_keyed_attr(ctx, dl_intern_z(ctx, "dims"), dl_array_attr(ctx, rank, dims.data));
  DL_VEC_FREE(&dims);
  if (!any) return NULL;
  return dl_dialect_attr(ctx, dl_intern_z(ctx, "graph"), dl_intern_z(ctx, "enc"), 1, &param);
}

static dl_type tensor_type(dl_context *ctx, dl_type element, const Onnx__TensorShapeProto *proto) {
  int64_t shape[DL_ONNX_MAX_RANK];
  dl_ident names[DL_ONNX_MAX_RANK] = {NULL};
  for (size_t i = 0; i < proto->n_dim; i++) {
    const Onnx__TensorShapeProto__Dimension *dim = proto->dim[i];
    bool fixed = dim->has_dim_value && dim->dim_value >= 0;
    shape[i] = fixed ? dim->dim_value : DL_DYNAMIC;
    if (!fixed && dim->dim_param && dim->dim_param[0])
      names[i] = dl_onnx_mangle(ctx, dim->dim_param);
  }
  return dl_tensor_type(element, proto->n_dim, shape, dl_onnx_dims_attr(ctx, proto->n_dim, names));
}

static const char *kind_of(const Onnx__TypeProto *type) {
  if (type->has_sequence_type) return "a sequence";
  if (type->has_optional_type) return "an optional value";
  if (type->has_map_type) return "a map";
  if (type->sparse_tensor_type) return "a sparse tensor";
  return type->has_opaque_type ? "an opaque value" : "a value without a type";
}

dl_type dl_onnx_value_type(dl_onnx_importer *importer, const Onnx__ValueInfoProto *info) {
  dl_loc loc = importer->model.loc;
  const char *name = dl_onnx_text(info->name);
  if (!info->type || !info->type->tensor_type) {
    dl_error(loc, "'%s' is %s, which is not supported", name,
             info->type ? kind_of(info->type) : "a value without a type");
    return NULL;
  }
  const Onnx__TypeProto__Tensor *tensor = info->type->tensor_type;
  dl_type element = dl_onnx_element_type(importer->ctx, tensor->elem_type);
  if (!element) {
    dl_error(loc, "the element type %s of '%s' is not supported",
             dl_onnx_type_name(tensor->elem_type), name);
    return NULL;
  }
  if (!tensor->shape) return dl_unranked_tensor_type(element);
  if (tensor->shape->n_dim <= DL_ONNX_MAX_RANK)
    return tensor_type(importer->ctx, element, tensor->shape);
  dl_error(loc, "'%s' has %zu dimensions; at most %d are supported", name, tensor->shape->n_dim,
           DL_ONNX_MAX_RANK);
  return NULL;
}

dl_type dl_onnx_declared_type(dl_onnx_importer *importer, const char *name) {
  const Onnx__ValueInfoProto *info =
      dl_ptr_map_get(&importer->declared, dl_intern_z(importer->ctx, name));
  const Onnx__TypeProto__Tensor *tensor = info && info->type ? info->type->tensor_type : NULL;
  if (!tensor || !tensor->shape || tensor->shape->n_dim > DL_ONNX_MAX_RANK) return NULL;
  dl_type element = dl_onnx_element_type(importer->ctx, tensor->elem_type);
  return element ? tensor_type(importer->ctx, element, tensor->shape) : NULL;
}

// --- tensors ---

// The path of external data, which must lie in the model's folder or below; NULL after a
// diagnostic.
static dl_ident external_path(dl_onnx_importer *importer, dl_str location, dl_loc loc) {
  const char *slash = strrchr(importer->model.path, '/');
  int folder = slash ? (int)(slash - importer->model.path + 1) : 0;
  dl_ident path = dl_intern_f(importer->ctx, "%.*s%.*s", folder, importer->model.path,
                              (int)location.len, location.data);
  const char *relative = path + folder;
  if (location.len > 0 && relative[0] != '/' && strcmp(relative, "..") != 0 &&
      strncmp(relative, "../", 3) != 0 && !strstr(relative, "/../"))
    return path;
  dl_error(loc, "the external data '%.*s' lie outside of the model's folder", (int)location.len,
           location.data);
  return NULL;
}

static dl_onnx_file *external_file(dl_onnx_importer *importer, dl_str location, dl_loc loc) {
  dl_ident path = external_path(importer, location, loc);
  if (!path) return NULL;
  dl_onnx_file *file = dl_ptr_map_get(&importer->files, path);
  if (!file && (file = dl_onnx_file_map(loc, path))) dl_ptr_map_set(&importer->files, path, file);
  return file;
}

// Finds the elements of external data. NULL after a diagnostic.
static dl_onnx_file *find_external(dl_onnx_importer *importer, dl_onnx_tensor *tensor, dl_loc loc) {
  dl_onnx_file *file = external_file(importer, tensor->location, loc);
  uint64_t size = (uint64_t)tensor->num_elements * dl_onnx_type_bytes(tensor->type);
  if (!file) return NULL;
  if (tensor->length != UINT64_MAX && tensor->length != size) {
    dl_error(loc, "the external data of '%.*s' are %llu bytes long, its shape and type make %llu",
             (int)tensor->name.len, tensor->name.data, (unsigned long long)tensor->length,
             (unsigned long long)size);
    return NULL;
  }
  if (tensor->offset > file->bytes.len || size > file->bytes.len - tensor->offset) {
    dl_error(loc, "the external data of '%.*s' reach beyond the end of '%.*s'",
             (int)tensor->name.len, tensor->name.data, (int)tensor->location.len,
             tensor->location.data);
    return NULL;
  }
  tensor->data = (dl_str){file->bytes.data + tensor->offset, size};
  return file;
}

static dl_attr resource_attr(dl_onnx_importer *importer, dl_onnx_tensor *tensor, dl_onnx_file *file,
                             dl_type type, const char *name) {
  dl_ident handle = dl_fresh_resource_name(importer->ctx, dl_onnx_mangle(importer->ctx, name));
  if (tensor->owned)
    dl_add_resource(importer->ctx, handle, tensor->data.data, tensor->data.len, free,
                    tensor->owned);
  else
    dl_add_resource(importer->ctx, handle, tensor->data.data, tensor->data.len,
                    dl_onnx_file_release, dl_onnx_file_retain(file));
  tensor->owned = NULL;
  return dl_resource_attr(type, handle);
}

dl_attr dl_onnx_tensor_attr(dl_onnx_importer *importer, dl_onnx_tensor *tensor, const char *name,
                            dl_loc loc) {
  dl_type element = dl_onnx_element_type(importer->ctx, tensor->type);
  if (!element) {
    dl_error(loc, "the element type %s of '%s' is not supported", dl_onnx_type_name(tensor->type),
             name);
    return NULL;
  }
  dl_onnx_file *file = importer->model.file;
  if (tensor->external && !(file = find_external(importer, tensor, loc))) return NULL;
  dl_type type = dl_tensor_type(element, tensor->rank, tensor->dims, NULL);
  if (tensor->num_elements <= MAX_INLINE_ELEMENTS) return dl_dense_attr(type, tensor->data, false);
  return resource_attr(importer, tensor, file, type, name);
}
