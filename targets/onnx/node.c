// Reading an ONNX node, and building graph operations from one.
#include "ir/spec.h"
#include "targets/onnx/import.h"

dl_loc dl_onnx_file_loc(const dl_onnx_importer *importer, dl_loc loc) {
  return dl_loc_name(importer->ctx, dl_loc_first_name(loc), importer->model.loc);
}

dl_status dl_onnx_error(const dl_onnx_node *node, const char *format, ...) {
  dl_buffer text = {0};
  va_list args;
  va_start(args, format);
  dl_buffer_vprintf(&text, format, args);
  va_end(args);
  dl_error(dl_onnx_file_loc(node->importer, node->loc), "%s '%s': %s", node->op_type,
           dl_loc_first_name(node->loc), text.data);
  dl_buffer_free(&text);
  return DL_FAILED;
}

// --- reading ---

dl_ident dl_onnx_node_name(dl_context *ctx, const Onnx__NodeProto *proto) {
  if (proto->name && proto->name[0]) return dl_intern_z(ctx, proto->name);
  for (size_t i = 0; i < proto->n_output; i++)
    if (proto->output[i][0]) return dl_intern_z(ctx, proto->output[i]);
  return dl_intern_z(ctx, dl_onnx_text(proto->op_type));
}

static dl_attr strings_attr(dl_context *ctx, const Onnx__AttributeProto *proto) {
  DL_VEC(dl_attr) list = {0};
  for (size_t i = 0; i < proto->n_strings; i++) {
    dl_str text = {(const char *)proto->strings[i].data, proto->strings[i].len};
    DL_PUSH(&list, dl_string_attr(ctx, text));
  }
  dl_attr attr = dl_array_attr(ctx, list.len, list.data);
  DL_VEC_FREE(&list);
  return attr;
}

static dl_attr tensor_value(dl_onnx_node *node, const Onnx__AttributeProto *proto) {
  dl_onnx_tensor tensor;
  const char *wrong =
      dl_onnx_read_tensor((dl_str){(const char *)proto->t.data, proto->t.len}, &tensor);
  if (wrong) {
    dl_onnx_error(node, "attribute '%s' (%s) %s", proto->name, dl_onnx_type_name(tensor.type),
                  wrong);
    return NULL;
  }
  // The bytes lie in the model's arena, which the attribute outlives.
  dl_str bytes = tensor.data;
  if (!tensor.owned && bytes.len > 0) {
    tensor.owned = memcpy(dl_malloc(bytes.len), bytes.data, bytes.len);
    tensor.data = (dl_str){tensor.owned, bytes.len};
  }
  dl_attr attr =
      dl_onnx_tensor_attr(node->importer, &tensor, dl_loc_first_name(node->loc), node->loc);
  dl_onnx_release_tensor(&tensor);
  return attr;
}

static int32_t attribute_type(const Onnx__AttributeProto *proto) {
  if (proto->has_type && proto->type != ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__UNDEFINED)
    return proto->type;
  if (proto->has_f) return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT;
  if (proto->has_i) return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
  if (proto->has_s) return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING;
  if (proto->has_t) return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR;
  if (proto->n_floats) return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS;
  if (proto->n_strings) return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS;
  return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS;
}

static dl_attr attribute_value(dl_onnx_node *node, const Onnx__AttributeProto *proto) {
  dl_context *ctx = node->ctx;
  switch (attribute_type(proto)) {
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT:
      return dl_float_attr(dl_f32_type(ctx), (double)proto->f);
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT:
      return dl_i64_attr(ctx, proto->i);
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING:
      return dl_string_attr(ctx, (dl_str){(const char *)proto->s.data, proto->s.len});
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS:
      return dl_dense_array_attr(dl_f32_type(ctx), proto->n_floats,
                                 (dl_str){(const char *)proto->floats, 4 * proto->n_floats});
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS:
      return dl_i64_array_attr(ctx, proto->n_ints, proto->ints);
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS:
      return strings_attr(ctx, proto);
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR:
      return tensor_value(node, proto);
    default:
      break;
  }
  dl_onnx_error(node, "attribute '%s' has a kind that is not supported", proto->name);
  return NULL;
}

static dl_status read_attributes(dl_onnx_node *node) {
  for (size_t i = 0; i < node->proto->n_attribute; i++) {
    const Onnx__AttributeProto *proto = node->proto->attribute[i];
    if (!proto->name || !proto->name[0]) return dl_onnx_error(node, "an attribute has no name");
    dl_attr value = attribute_value(node, proto);
    if (!value) return DL_FAILED;
    dl_onnx_set_attr(node, proto->name, value);
  }
  return DL_OK;
}

dl_status dl_onnx_node_read(dl_onnx_importer *importer, const Onnx__NodeProto *proto,
                            dl_onnx_node *node) {
  *node = (dl_onnx_node){.importer = importer,
                         .ctx = importer->ctx,
                         .proto = proto,
                         .op_type = dl_onnx_text(proto->op_type),
                         .opset = dl_onnx_model_opset(&importer->model, proto->domain)};
  node->loc = dl_loc_name(node->ctx, dl_onnx_node_name(node->ctx, proto), NULL);
  importer->builder.loc = node->loc;
  node->num_outputs = proto->n_output;
  while (node->num_outputs > 0 && !proto->output[node->num_outputs - 1][0]) node->num_outputs--;
  if (node->num_outputs == 0) return dl_onnx_error(node, "the node has no outputs");
  for (size_t i = 0; i < proto->n_input; i++) {
    dl_value *value = NULL;
    if (proto->input[i][0] &&
        !(value = dl_onnx_lookup(importer, proto->input[i], dl_onnx_file_loc(importer, node->loc))))
      return DL_FAILED;
    DL_PUSH(&node->inputs, value);
  }
  return read_attributes(node);
}

void dl_onnx_node_release(dl_onnx_node *node) {
  DL_VEC_FREE(&node->inputs);
  DL_VEC_FREE(&node->attrs);
}

// --- inputs and attributes ---

dl_value *dl_onnx_input(const dl_onnx_node *node, size_t i) {
  return i < node->inputs.len ? node->inputs.data[i] : NULL;
}

void dl_onnx_set_input(dl_onnx_node *node, size_t i, dl_value *value) {
  while (node->inputs.len <= i) DL_PUSH(&node->inputs, NULL);
  node->inputs.data[i] = value;
}

dl_status dl_onnx_require_input(const dl_onnx_node *node, size_t i) {
  return dl_onnx_input(node, i) ? DL_OK : dl_onnx_error(node, "input %zu is missing", i);
}

bool dl_onnx_has_output(const dl_onnx_node *node, size_t i) {
  return i < node->num_outputs && node->proto->output[i][0];
}

int64_t dl_onnx_rank(const dl_value *value) {
  dl_type type = dl_value_type(value);
  return dl_is_tensor(type) && !type->unranked ? (int64_t)type->rank : -1;
}

static dl_named_attr *find_attr(const dl_onnx_node *node, const char *name) {
  for (size_t i = 0; i < node->attrs.len; i++)
    if (strcmp(node->attrs.data[i].name, name) == 0) return &node->attrs.data[i];
  return NULL;
}

dl_attr dl_onnx_attr(const dl_onnx_node *node, const char *name) {
  const dl_named_attr *entry = find_attr(node, name);
  return entry ? entry->value : NULL;
}

int64_t dl_onnx_int(const dl_onnx_node *node, const char *name, int64_t otherwise) {
  dl_attr attr = dl_onnx_attr(node, name);
  return attr && attr->kind == DL_ATTR_INTEGER ? attr->integer : otherwise;
}

bool dl_onnx_attr_is(const dl_onnx_node *node, const char *name, const char *text) {
  dl_attr attr = dl_onnx_attr(node, name);
  return attr && attr->kind == DL_ATTR_STRING && dl_str_is(attr->bytes, text);
}

void dl_onnx_set_attr(dl_onnx_node *node, const char *name, dl_attr value) {
  dl_named_attr *entry = find_attr(node, name);
  if (!value) {
    if (entry) *entry = node->attrs.data[--node->attrs.len];
  } else if (entry) {
    entry->value = value;
  } else {
    DL_PUSH(&node->attrs, (dl_named_attr){dl_intern_z(node->ctx, name), value});
  }
}

dl_attr dl_onnx_take_attr(dl_onnx_node *node, const char *name) {
  dl_attr value = dl_onnx_attr(node, name);
  dl_onnx_set_attr(node, name, NULL);
  return value;
}
