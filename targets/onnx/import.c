// Imports a model: @main with the graph's inputs and outputs, one graph operation or a few per
// node.
#include "targets/onnx/import.h"

#include "ir/spec.h"

// --- options ---

static const char *find_override(const dl_onnx_importer *importer, const char *name) {
  size_t len = strlen(name);
  for (size_t i = 0; i < importer->num_options; i++) {
    const dl_named_text *option = &importer->options[i];
    if (strcmp(option->name, "shape") == 0 && strncmp(option->text, name, len) == 0 &&
        option->text[len] == '=')
      return option->text + len + 1;
  }
  return NULL;
}

// Reads "1x3x224x224"; an empty text is rank 0. False when it is malformed.
static bool parse_shape(const char *text, int64_t *shape, size_t *rank) {
  *rank = 0;
  while (*text) {
    char *end;
    if (*rank == DL_ONNX_MAX_RANK || *text < '0' || *text > '9') return false;
    shape[(*rank)++] = strtoll(text, &end, 10);
    if (*end == 'x' && end[1])
      end++;
    else if (*end)
      return false;
    text = end;
  }
  return true;
}

// The size that some override gives to a named dimension, or DL_DYNAMIC.
static int64_t override_of_symbol(const dl_onnx_importer *importer, const char *symbol) {
  const dl_onnx_graph *graph = &importer->model.graph;
  for (size_t i = 0; i < graph->inputs.len; i++) {
    const Onnx__ValueInfoProto *info = graph->inputs.data[i];
    const char *text = find_override(importer, dl_onnx_text(info->name));
    int64_t shape[DL_ONNX_MAX_RANK];
    size_t rank;
    if (!text || !parse_shape(text, shape, &rank) || !info->type || !info->type->tensor_type ||
        !info->type->tensor_type->shape || info->type->tensor_type->shape->n_dim != rank)
      continue;
    for (size_t d = 0; d < rank; d++) {
      const Onnx__TensorShapeProto__Dimension *dim = info->type->tensor_type->shape->dim[d];
      if (!dim->has_dim_value && dim->dim_param && strcmp(dim->dim_param, symbol) == 0)
        return shape[d];
    }
  }
  return DL_DYNAMIC;
}

// --- inputs ---

// The declared type with overrides of named dimensions applied.
static dl_type bind_symbols(const dl_onnx_importer *importer, dl_type type,
                            const Onnx__TensorShapeProto *proto) {
  int64_t shape[DL_ONNX_MAX_RANK];
  dl_ident names[DL_ONNX_MAX_RANK] = {NULL};
  for (size_t i = 0; i < type->rank; i++) {
    const char *symbol = dl_onnx_text(proto->dim[i]->dim_param);
    shape[i] = type->shape[i];
    if (shape[i] != DL_DYNAMIC || !symbol[0]) continue;
    shape[i] = override_of_symbol(importer, symbol);
    if (shape[i] == DL_DYNAMIC) names[i] = dl_onnx_mangle(importer->ctx, symbol);
  }
  return dl_tensor_type(type->element, type->rank, shape,
                        dl_onnx_dims_attr(importer->ctx, type->rank, names));
}

static dl_type input_type(dl_onnx_importer *importer, const Onnx__ValueInfoProto *info) {
  dl_type type = dl_onnx_value_type(importer, info);
  const char *text = find_override(importer, dl_onnx_text(info->name));
  int64_t shape[DL_ONNX_MAX_RANK];
  size_t rank;
  if (!type) return NULL;
  if (!text) {
    if (!type->unranked) return bind_symbols(importer, type, info->type->tensor_type->shape);
    dl_error(importer->model.loc, "input '%s' has no shape; give one with --shape %s=…", info->name,
             info->name);
    return NULL;
  }
  if (!parse_shape(text, shape, &rank)) {
    dl_error(importer->model.loc, "'%s' is no shape: expected sizes with x between them", text);
    return NULL;
  }
  if (type->unranked || type->rank == rank) return dl_tensor_type(type->element, rank, shape, NULL);
  dl_error(importer->model.loc, "the shape %s for input '%s' has %zu dimensions, the model %zu",
           text, info->name, rank, type->rank);
  return NULL;
}

static dl_status check_overrides(const dl_onnx_importer *importer) {
  const dl_onnx_graph *graph = &importer->model.graph;
  for (size_t i = 0; i < importer->num_options; i++) {
    const dl_named_text *option = &importer->options[i];
    const char *equal = strrchr(option->text, '=');
    bool found = strcmp(option->name, "shape") != 0;
    for (size_t k = 0; k < graph->inputs.len && equal && !found; k++) {
      dl_str name = dl_str_of(dl_onnx_text(graph->inputs.data[k]->name));
      found = dl_str_equal(name, (dl_str){option->text, (size_t)(equal - option->text)});
    }
    if (!found && !equal)
      return dl_error(importer->model.loc, "the shape '%s' is not of the form NAME=1x3x224x224",
                      option->text);
    if (!found)
      return dl_error(importer->model.loc, "the shape '%s' names no input of the model",
                      option->text);
  }
  return DL_OK;
}

static dl_status add_input(dl_onnx_importer *importer, const Onnx__ValueInfoProto *info) {
  dl_ident name = dl_intern_z(importer->ctx, dl_onnx_text(info->name));
  if (dl_ptr_map_has(&importer->initializers, name))
    return DL_OK;  // a constant with a declared type
  if (dl_ptr_map_has(&importer->values, name))
    return dl_error(importer->model.loc, "two inputs are called '%s'", name);
  dl_type type = input_type(importer, info);
  if (!type) return DL_FAILED;
  dl_loc loc = dl_loc_name(importer->ctx, name, NULL);
  dl_value *value = dl_add_arg(importer->builder.block, type, loc);
  dl_value_set_name(value, dl_onnx_mangle(importer->ctx, name));
  dl_ptr_map_set(&importer->values, name, value);
  return DL_OK;
}

// --- values ---

static dl_value *build_initializer(dl_onnx_importer *importer, dl_ident name,
                                   dl_onnx_tensor *tensor) {
  dl_onnx_node holder = {.importer = importer,
                         .ctx = importer->ctx,
                         .op_type = "initializer",
                         .loc = dl_loc_name(importer->ctx, name, NULL)};
  dl_attr attr =
      dl_onnx_tensor_attr(importer, tensor, name, dl_onnx_file_loc(importer, holder.loc));
  if (!attr) return NULL;
  dl_value *value = dl_onnx_constant(&holder, attr);
  dl_value_set_name(value, dl_onnx_mangle(importer->ctx, name));
  return value;
}

dl_value *dl_onnx_lookup(dl_onnx_importer *importer, const char *text, dl_loc loc) {
  dl_ident name = dl_intern_z(importer->ctx, text);
  dl_value *value = dl_ptr_map_get(&importer->values, name);
  if (value) return value;
  dl_onnx_tensor *tensor = dl_ptr_map_get(&importer->initializers, name);
  if (!tensor) {
    dl_error(loc, "'%s' is used, but no input, initializer or earlier node provides it", name);
    return NULL;
  }
  value = build_initializer(importer, name, tensor);
  if (value) dl_ptr_map_set(&importer->values, name, value);
  return value;
}

// --- nodes ---

static bool uses_failed_value(const dl_onnx_importer *importer, const Onnx__NodeProto *proto) {
  for (size_t i = 0; i < proto->n_input; i++)
    if (proto->input[i][0] &&
        dl_ptr_map_has(&importer->failed, dl_intern_z(importer->ctx, proto->input[i])))
      return true;
  return false;
}

static void mark_failed(dl_onnx_importer *importer, const Onnx__NodeProto *proto) {
  for (size_t i = 0; i < proto->n_output; i++)
    if (proto->output[i][0])
      dl_ptr_map_set(&importer->failed, dl_intern_z(importer->ctx, proto->output[i]), importer);
}

static dl_status define_outputs(dl_onnx_node *node, dl_value *const *results) {
  for (size_t i = 0; i < node->num_outputs; i++) {
    if (!dl_onnx_has_output(node, i)) continue;
    dl_ident name = dl_intern_z(node->ctx, node->proto->output[i]);
    if (!results[i]) return dl_onnx_error(node, "output '%s' is not supported", name);
    if (dl_ptr_map_has(&node->importer->values, name))
      return dl_onnx_error(node, "'%s' has been defined before", name);
    dl_ptr_map_set(&node->importer->values, name, results[i]);
    if (!dl_value_name(results[i])) dl_value_set_name(results[i], dl_onnx_mangle(node->ctx, name));
  }
  return DL_OK;
}

static void drop_ignored(dl_onnx_node *node, const char *names) {
  for (const char *at = names; at && *at;) {
    size_t len = strcspn(at, ",");
    dl_onnx_set_attr(node, dl_intern(node->ctx, (dl_str){at, len}), NULL);
    at += len + (at[len] == ',');
  }
}

static dl_status emit_node(dl_onnx_node *node) {
  const dl_onnx_operator *row = dl_onnx_find_operator(node->ctx, node->proto);
  DL_TRY(dl_onnx_upgrade(node));
  drop_ignored(node, row->ignored);
  dl_value **results = dl_calloc(node->num_outputs, sizeof(*results));
  dl_status status = row->emit ? row->emit(node, results) : dl_onnx_build(node, row->op, results);
  if (status == DL_OK) status = define_outputs(node, results);
  free(results);
  return status;
}

static dl_status import_node(dl_onnx_importer *importer, const Onnx__NodeProto *proto) {
  if (uses_failed_value(importer, proto)) {
    mark_failed(importer, proto);
    return DL_OK;
  }
  dl_onnx_node node;
  dl_status status = dl_onnx_node_read(importer, proto, &node);
  if (status == DL_OK) status = emit_node(&node);
  if (status != DL_OK) mark_failed(importer, proto);
  dl_onnx_node_release(&node);
  return status;
}

// Reports every operator that is not supported at once: one error, a note for each node.
static dl_status check_operators(const dl_onnx_importer *importer) {
  const dl_onnx_graph *graph = &importer->model.graph;
  DL_VEC(const Onnx__NodeProto *) missing = {0};
  for (size_t i = 0; i < graph->nodes.len; i++)
    if (!dl_onnx_find_operator(importer->ctx, graph->nodes.data[i]))
      DL_PUSH(&missing, graph->nodes.data[i]);
  if (missing.len > 0)
    dl_error(importer->model.loc, "%zu of %zu nodes have operators that are not supported",
             missing.len, graph->nodes.len);
  for (size_t i = 0; i < missing.len; i++) {
    const char *domain = dl_onnx_domain(missing.data[i]->domain);
    dl_note(importer->model.loc, "node '%s': operator %s of domain %s, operator set %lld",
            dl_onnx_node_name(importer->ctx, missing.data[i]),
            dl_onnx_text(missing.data[i]->op_type), domain[0] ? domain : "ai.onnx",
            (long long)dl_onnx_model_opset(&importer->model, domain));
  }
  dl_status status = missing.len ? DL_FAILED : DL_OK;
  DL_VEC_FREE(&missing);
  return status;
}

static dl_status check_opset(const dl_onnx_importer *importer) {
  int64_t version = dl_onnx_model_opset(&importer->model, "");
  if (version <= DL_ONNX_MAX_OPSET) return DL_OK;
  return dl_error(importer->model.loc, "operator set %lld is not supported; the newest one is %d",
                  (long long)version, DL_ONNX_MAX_OPSET);
}

// --- outputs and the function around it all ---

typedef struct outputs {
  DL_VEC(dl_value *) values;
  DL_VEC(dl_type) types;
  DL_VEC(dl_attr) attrs;
} outputs;

static dl_attr name_attrs(dl_context *ctx, const char *name) {
  dl_named_attr entry = {dl_intern_z(ctx, "dlir.name"), dl_string_attr_z(ctx, name)};
  return dl_dict_attr(ctx, 1, &entry);
}

static dl_status add_output(dl_onnx_importer *importer, const char *name, outputs *out) {
  if (dl_ptr_map_has(&importer->failed, dl_intern_z(importer->ctx, name))) return DL_FAILED;
  dl_value *value = dl_onnx_lookup(importer, name, importer->model.loc);
  if (!value) return DL_FAILED;
  DL_PUSH(&out->values, value);
  DL_PUSH(&out->types, dl_value_type(value));
  DL_PUSH(&out->attrs, name_attrs(importer->ctx, name));
  return DL_OK;
}

// The graph's outputs, then those that the option "expose" names, separated by commas.
static dl_status collect_outputs(dl_onnx_importer *importer, outputs *out) {
  const dl_onnx_graph *graph = &importer->model.graph;
  dl_status status = DL_OK;
  for (size_t i = 0; i < graph->outputs.len; i++)
    if (add_output(importer, dl_onnx_text(graph->outputs.data[i]->name), out) != DL_OK)
      status = DL_FAILED;
  for (size_t i = 0; i < importer->num_options; i++) {
    const char *at = importer->options[i].text;
    if (strcmp(importer->options[i].name, "expose") != 0) continue;
    while (*at) {
      size_t len = strcspn(at, ",");
      if (add_output(importer, dl_intern(importer->ctx, (dl_str){at, len}), out) != DL_OK) {
        dl_note(importer->model.loc, "it is to be exposed as an output");
        return DL_FAILED;
      }
      at += len + (at[len] == ',');
    }
  }
  return status;
}

static dl_op *build_op(dl_onnx_importer *importer, const char *name, size_t num_attrs,
                       const dl_named_attr *attrs, dl_block *body) {
  const dl_op_def *def = dl_find_op_def(importer->ctx, dl_str_of(name));
  dl_region *region = dl_region_create(importer->ctx);
  dl_block_append(region, body);
  dl_op_state state = {.def = def,
                       .loc = importer->model.loc,
                       .num_attrs = num_attrs,
                       .attrs = attrs,
                       .num_regions = 1,
                       .regions = &region};
  return dl_op_create(importer->ctx, &state);
}

static dl_op *build_main(dl_onnx_importer *importer, const outputs *out) {
  dl_context *ctx = importer->ctx;
  dl_block *body = importer->builder.block;
  DL_VEC(dl_type) inputs = {0};
  DL_VEC(dl_attr) input_attrs = {0};
  for (size_t i = 0; i < dl_num_args(body); i++) {
    dl_value *arg = dl_arg(body, i);
    DL_PUSH(&inputs, dl_value_type(arg));
    DL_PUSH(&input_attrs, name_attrs(ctx, dl_loc_first_name(dl_value_loc(arg))));
  }
  dl_type type = dl_function_type(ctx, inputs.len, inputs.data, out->types.len, out->types.data);
  dl_named_attr attrs[] = {
      {dl_intern_z(ctx, "sym_name"), dl_string_attr_z(ctx, "main")},
      {dl_intern_z(ctx, "function_type"), dl_type_attr(type)},
      {dl_intern_z(ctx, "arg_attrs"), dl_array_attr(ctx, input_attrs.len, input_attrs.data)},
      {dl_intern_z(ctx, "res_attrs"), dl_array_attr(ctx, out->attrs.len, out->attrs.data)},
  };
  DL_VEC_FREE(&inputs);
  DL_VEC_FREE(&input_attrs);
  return build_op(importer, "func.func", DL_COUNT(attrs), attrs, body);
}

static dl_status import_body(dl_onnx_importer *importer, outputs *out) {
  const dl_onnx_graph *graph = &importer->model.graph;
  dl_status status = DL_OK;
  for (size_t i = 0; i < graph->inputs.len; i++)
    if (add_input(importer, graph->inputs.data[i]) != DL_OK) status = DL_FAILED;
  DL_TRY(status);
  for (size_t i = 0; i < graph->nodes.len; i++)
    if (import_node(importer, graph->nodes.data[i]) != DL_OK) status = DL_FAILED;
  if (collect_outputs(importer, out) != DL_OK) status = DL_FAILED;
  DL_TRY(status);
  dl_op_state ret = {.def = dl_find_op_def(importer->ctx, DL_STR("func.return")),
                     .loc = importer->model.loc,
                     .num_operands = out->values.len,
                     .operands = out->values.data};
  dl_build(&importer->builder, &ret);
  return DL_OK;
}

static void index_names(dl_onnx_importer *importer) {
  dl_onnx_graph *graph = &importer->model.graph;
  for (size_t i = 0; i < graph->initializers.len; i++) {
    dl_onnx_tensor *tensor = &graph->initializers.data[i];
    dl_ptr_map_set(&importer->initializers, dl_intern(importer->ctx, tensor->name), tensor);
  }
  for (size_t i = 0; i < graph->value_infos.len; i++) {
    Onnx__ValueInfoProto *info = graph->value_infos.data[i];
    dl_ptr_map_set(&importer->declared, dl_intern_z(importer->ctx, dl_onnx_text(info->name)), info);
  }
  for (size_t i = 0; i < graph->outputs.len; i++) {
    Onnx__ValueInfoProto *info = graph->outputs.data[i];
    dl_ptr_map_set(&importer->declared, dl_intern_z(importer->ctx, dl_onnx_text(info->name)), info);
  }
}

static dl_op *import_model(dl_onnx_importer *importer) {
  index_names(importer);
  if (check_overrides(importer) != DL_OK || check_opset(importer) != DL_OK ||
      check_operators(importer) != DL_OK)
    return NULL;
  dl_block *body = dl_block_create(importer->ctx);
  importer->builder = dl_builder_at_end(body, importer->model.loc);
  outputs out = {0};
  dl_status status = import_body(importer, &out);
  // A function without its terminator is no use to the caller, but owns what was built.
  dl_op *function = build_main(importer, &out);
  DL_VEC_FREE(&out.values);
  DL_VEC_FREE(&out.types);
  DL_VEC_FREE(&out.attrs);
  dl_block *top = dl_block_create(importer->ctx);
  dl_op_append(top, function);
  dl_op *module = build_op(importer, "builtin.module", 0, NULL, top);
  if (status == DL_OK && dl_verify(module) == DL_OK) return module;
  dl_op_destroy_tree(module);
  return NULL;
}

static void release_files(dl_ptr_map *files) {
  for (size_t i = 0; i < files->capacity; i++)
    if (files->keys[i]) dl_onnx_file_release(files->values[i]);
  dl_ptr_map_free(files);
}

dl_op *dl_onnx_import(dl_context *ctx, const char *path, const dl_named_text *options,
                      size_t num_options) {
  dl_onnx_importer importer = {.ctx = ctx, .options = options, .num_options = num_options};
  if (dl_onnx_model_read(ctx, path, &importer.model) != DL_OK) return NULL;
  dl_op *module = import_model(&importer);
  dl_ptr_map_free(&importer.values);
  dl_ptr_map_free(&importer.failed);
  dl_ptr_map_free(&importer.initializers);
  dl_ptr_map_free(&importer.declared);
  release_files(&importer.files);
  dl_onnx_model_release(&importer.model);
  return module;
}
