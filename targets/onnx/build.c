// Building graph operations whose result types are inferred from their declarations.
#include "ir/floats.h"
#include "ir/spec.h"
#include "targets/onnx/import.h"

// Integer results of at most this many elements are folded while importing, because shapes depend
// on them.
#define MAX_FOLDED_ELEMENTS 64

static const dl_op_def *find_def(dl_onnx_node *node, const char *op) {
  const dl_op_def *def = dl_find_op_def(node->ctx, dl_str_of(op));
  if (!def) dl_onnx_error(node, "there is no operation '%s'", op);
  return def;
}

// What an operation is made of while it is being assembled.
typedef struct assembly {
  DL_VEC(dl_value *) operands;
  DL_VEC(dl_named_attr) attrs;
  DL_VEC(dl_type) types;
  DL_VEC(int32_t) outputs;  // per result: the node's output
} assembly;

static void assembly_free(assembly *a) {
  DL_VEC_FREE(&a->operands);
  DL_VEC_FREE(&a->attrs);
  DL_VEC_FREE(&a->types);
  DL_VEC_FREE(&a->outputs);
}

// How many entries of a list are not exactly one value; from two on, segment sizes tell them apart.
static size_t count_flexible(size_t count, const dl_value_spec *specs) {
  size_t flexible = 0;
  for (size_t i = 0; i < count; i++) flexible += specs[i].arity != DL_ONE;
  return flexible;
}

static void add_segments(dl_onnx_node *node, assembly *a, const char *name, size_t count,
                         const int32_t *sizes) {
  dl_attr value = dl_i32_array_attr(node->ctx, count, sizes);
  DL_PUSH(&a->attrs, (dl_named_attr){dl_intern_z(node->ctx, name), value});
}

static dl_status assemble_operands(dl_onnx_node *node, const dl_op_def *def, assembly *a) {
  DL_VEC(int32_t) sizes = {0};
  size_t next = 0, count = node->inputs.len;
  dl_status status = DL_OK;
  for (size_t i = 0; i < def->num_operands && status == DL_OK; i++) {
    size_t before = a->operands.len;
    size_t take = def->operands[i].arity == DL_VARIADIC ? count - next : next < count;
    for (; take > 0; take--, next++)
      if (node->inputs.data[next]) DL_PUSH(&a->operands, node->inputs.data[next]);
    if (def->operands[i].arity == DL_ONE && a->operands.len == before)
      status = dl_onnx_error(node, "input '%s' is missing", def->operands[i].name);
    DL_PUSH(&sizes, (int32_t)(a->operands.len - before));
  }
  for (; next < count && status == DL_OK; next++)
    if (node->inputs.data[next])
      status = dl_onnx_error(node, "has %zu inputs, of which %s takes %zu", count, def->name,
                             def->num_operands);
  if (count_flexible(def->num_operands, def->operands) > 1)
    add_segments(node, a, "operandSegmentSizes", sizes.len, sizes.data);
  DL_VEC_FREE(&sizes);
  return status;
}

static dl_status assemble_results(dl_onnx_node *node, const dl_op_def *def, assembly *a) {
  DL_VEC(int32_t) sizes = {0};
  size_t next = 0;
  for (size_t i = 0; i < def->num_results; i++) {
    size_t before = a->outputs.len;
    size_t take = def->results[i].arity == DL_VARIADIC && next < node->num_outputs
                      ? node->num_outputs - next
                      : 1;
    for (; take > 0; take--, next++)
      if (def->results[i].arity != DL_OPTIONAL || dl_onnx_has_output(node, next)) {
        DL_PUSH(&a->outputs, (int32_t)next);
        DL_PUSH(&a->types, dl_none_type(node->ctx));
      }
    DL_PUSH(&sizes, (int32_t)(a->outputs.len - before));
  }
  if (count_flexible(def->num_results, def->results) > 1)
    add_segments(node, a, "resultSegmentSizes", sizes.len, sizes.data);
  DL_VEC_FREE(&sizes);
  if (next >= node->num_outputs) return DL_OK;
  return dl_onnx_error(node, "output '%s' is not supported", node->proto->output[next]);
}

static const dl_attr_spec *find_attr_spec(const dl_op_def *def, const char *name) {
  for (size_t i = 0; i < def->num_attrs; i++)
    if (strcmp(def->attrs[i].name, name) == 0) return &def->attrs[i];
  return NULL;
}

static dl_status assemble_attrs(dl_onnx_node *node, const dl_op_def *def, assembly *a) {
  for (size_t i = 0; i < node->attrs.len; i++) {
    dl_named_attr attr = node->attrs.data[i];
    const dl_attr_spec *spec = find_attr_spec(def, attr.name);
    if (!spec) return dl_onnx_error(node, "attribute '%s' is not supported", attr.name);
    if (strcmp(spec->constraint, "bool") == 0 && attr.value->kind == DL_ATTR_INTEGER)
      attr.value = dl_bool_attr(node->ctx, attr.value->integer != 0);
    DL_PUSH(&a->attrs, attr);
  }
  return DL_OK;
}

// --- types ---

// Refines what inference said by what the file declares for an output: where nothing is known of
// it, the declared type stands.
static dl_status set_result_type(dl_onnx_node *node, dl_value *result, dl_type inferred,
                                 const char *output) {
  if (!inferred) inferred = dl_onnx_declared_type(node->importer, output);
  if (!inferred)
    return dl_onnx_error(
        node, "the shape of output '%s' depends on the inputs' elements, which is not supported",
        output);
  dl_value_set_type(result, inferred);
  return DL_OK;
}

static dl_status infer_types(dl_onnx_node *node, dl_op *op, const assembly *a) {
  size_t count = dl_num_results(op);
  dl_type *types = dl_calloc(count ? count : 1, sizeof(*types));
  dl_status status = dl_spec_infer(op, types);
  for (size_t i = 0; i < count && status == DL_OK; i++) {
    size_t output = a ? (size_t)a->outputs.data[i] : SIZE_MAX;
    const char *name = output < node->num_outputs ? node->proto->output[output] : "";
    status = set_result_type(node, dl_result(op, i), types[i], name);
  }
  free(types);
  return status;
}

// --- building ---

// Writes one value per result; `a` tells which outputs of the node they are, where they are.
static dl_status build_op(dl_onnx_node *node, const dl_op_def *def, const assembly *a,
                          dl_value **values) {
  dl_op_state state = {.def = def,
                       .loc = node->loc,
                       .num_operands = a->operands.len,
                       .operands = a->operands.data,
                       .num_results = a->types.len,
                       .result_types = a->types.data,
                       .num_attrs = a->attrs.len,
                       .attrs = a->attrs.data};
  dl_op *op = dl_build(&node->importer->builder, &state);
  if (infer_types(node, op, a->outputs.len ? a : NULL) != DL_OK) {
    dl_note(node->importer->model.loc, "in the node '%s' (%s) of this model",
            dl_loc_first_name(node->loc), node->op_type);
    dl_op_erase(op);
    return DL_FAILED;
  }
  for (size_t i = 0; i < a->types.len; i++) values[i] = dl_result(op, i);
  return dl_onnx_fold(node, op, values);
}

static dl_status build_assembled(dl_onnx_node *node, const dl_op_def *def, assembly *a,
                                 dl_value **results) {
  DL_TRY(assemble_operands(node, def, a));
  DL_TRY(assemble_attrs(node, def, a));
  DL_TRY(assemble_results(node, def, a));
  dl_value **values = dl_calloc(a->types.len + 1, sizeof(*values));
  dl_status status = build_op(node, def, a, values);
  for (size_t i = 0; i < a->types.len && status == DL_OK; i++)
    if ((size_t)a->outputs.data[i] < node->num_outputs) results[a->outputs.data[i]] = values[i];
  free(values);
  return status;
}

dl_status dl_onnx_build(dl_onnx_node *node, const char *op, dl_value **results) {
  const dl_op_def *def = find_def(node, op);
  if (!def) return DL_FAILED;
  assembly a = {0};
  dl_status status = build_assembled(node, def, &a, results);
  assembly_free(&a);
  return status;
}

dl_value *dl_onnx_build_one(dl_onnx_node *node, const char *op, size_t num_operands,
                            dl_value *const *operands, size_t num_attrs,
                            const dl_named_attr *attrs) {
  const dl_op_def *def = find_def(node, op);
  if (!def) return NULL;
  assembly a = {0};
  for (size_t i = 0; i < num_operands; i++) DL_PUSH(&a.operands, operands[i]);
  for (size_t i = 0; i < num_attrs; i++) DL_PUSH(&a.attrs, attrs[i]);
  DL_PUSH(&a.types, dl_none_type(node->ctx));
  dl_value *value = NULL;
  if (build_op(node, def, &a, &value) != DL_OK) value = NULL;
  assembly_free(&a);
  return value;
}

// --- short forms ---

dl_value *dl_onnx_unary(dl_onnx_node *node, const char *op, dl_value *x) {
  return x ? dl_onnx_build_one(node, op, 1, &x, 0, NULL) : NULL;
}

dl_value *dl_onnx_binary(dl_onnx_node *node, const char *op, dl_value *a, dl_value *b) {
  return a && b ? dl_onnx_build_one(node, op, 2, (dl_value *[]){a, b}, 0, NULL) : NULL;
}

dl_value *dl_onnx_cast_to(dl_onnx_node *node, dl_value *x, dl_type element) {
  dl_named_attr to = {dl_intern_z(node->ctx, "to"), dl_type_attr(element)};
  if (!x || dl_element_type(dl_value_type(x)) == element) return x;
  return dl_onnx_build_one(node, "graph.cast", 1, &x, 1, &to);
}

// --- constants ---

dl_value *dl_onnx_constant(dl_onnx_node *node, dl_attr value) {
  dl_named_attr attr = {dl_intern_z(node->ctx, "value"), value};
  dl_op_state state = {.def = find_def(node, "graph.constant"),
                       .loc = node->loc,
                       .num_results = 1,
                       .result_types = &value->type,
                       .num_attrs = 1,
                       .attrs = &attr};
  return dl_result(dl_build(&node->importer->builder, &state), 0);
}

dl_value *dl_onnx_i64_constant(dl_onnx_node *node, size_t count, const int64_t *values) {
  int64_t shape = (int64_t)count;
  dl_type type = dl_tensor_type(dl_int_type(node->ctx, 64), 1, &shape, NULL);
  dl_str bytes = {(const char *)values, count * sizeof(*values)};
  return dl_onnx_constant(node, dl_dense_attr(type, bytes, false));
}

dl_value *dl_onnx_scalar_constant(dl_onnx_node *node, dl_type element, double value) {
  char bytes[16] = {0};
  dl_type type = dl_tensor_type(element, 0, NULL, NULL);
  int64_t integer = (int64_t)value;
  if (dl_is_float(element))
    dl_float_store(element->float_kind, value, bytes);
  else
    memcpy(bytes, &integer, sizeof(integer));
  return dl_onnx_constant(node,
                          dl_dense_attr(type, (dl_str){bytes, dl_element_bytes(element)}, false));
}
