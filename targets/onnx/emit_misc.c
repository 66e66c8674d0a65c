// Operators that need more than a change of name.
#include "targets/onnx/import.h"

// --- values ---

static dl_attr list_as_tensor(dl_attr list) {
  int64_t count = (int64_t)list->count;
  return dl_dense_attr(dl_tensor_type(list->type, 1, &count, NULL), list->bytes, false);
}

static dl_attr scalar_as_tensor(dl_attr scalar) {
  dl_type type = dl_tensor_type(scalar->type, 0, NULL, NULL);
  float f32 = (float)scalar->number;
  dl_str bytes = scalar->kind == DL_ATTR_FLOAT ? (dl_str){(const char *)&f32, sizeof(f32)}
                                               : (dl_str){(const char *)&scalar->integer, 8};
  return dl_dense_attr(type, bytes, false);
}

static bool is_tensor_attr(dl_attr attr) {
  return attr->kind == DL_ATTR_DENSE || attr->kind == DL_ATTR_RESOURCE;
}

dl_status dl_onnx_emit_constant(dl_onnx_node *node, dl_value **results) {
  if (node->attrs.len != 1) return dl_onnx_error(node, "exactly one attribute must give the value");
  dl_attr value = node->attrs.data[0].value;
  if (value->kind == DL_ATTR_DENSE_ARRAY) value = list_as_tensor(value);
  if (value->kind == DL_ATTR_INTEGER || value->kind == DL_ATTR_FLOAT)
    value = scalar_as_tensor(value);
  if (!is_tensor_attr(value))
    return dl_onnx_error(node, "attribute '%s' is not supported", node->attrs.data[0].name);
  results[0] = dl_onnx_constant(node, value);
  return DL_OK;
}

dl_status dl_onnx_emit_identity(dl_onnx_node *node, dl_value **results) {
  DL_TRY(dl_onnx_require_input(node, 0));
  results[0] = dl_onnx_input(node, 0);
  return DL_OK;
}

// --- element types ---

dl_status dl_onnx_emit_cast(dl_onnx_node *node, dl_value **results) {
  dl_value *like = dl_onnx_input(node, 1);  // CastLike
  int64_t to = dl_onnx_int(node, "to", 0);
  dl_type type = like ? dl_element_type(dl_value_type(like)) : dl_onnx_element_type(node->ctx, to);
  if (!type)
    return dl_onnx_error(node, "the element type %s is not supported",
                         dl_onnx_type_name((int32_t)to));
  dl_onnx_set_attr(node, "to", dl_type_attr(type));
  node->inputs.len = node->inputs.len > 0;
  return dl_onnx_build(node, "graph.cast", results);
}

// --- normalization ---

// Before operator set 13, Softmax and its like saw the input as a matrix, split at `axis` (by
// default 1).
static dl_status emit_softmax_of_matrix(dl_onnx_node *node, const char *op, dl_value **results) {
  dl_value *x = dl_onnx_input(node, 0);
  int64_t rank = dl_onnx_rank(x), axis = dl_onnx_int(node, "axis", 1);
  if (rank < 0) return dl_onnx_error(node, "the rank of the input is unknown");
  if (axis < 0) axis += rank;
  if (axis < 0 || axis > rank) return dl_onnx_error(node, "attribute 'axis' is out of range");
  dl_attr last = dl_i64_attr(node->ctx, -1);
  dl_onnx_set_attr(node, "axis", last);
  if (axis == rank - 1) return dl_onnx_build(node, op, results);
  dl_named_attr flatten = {dl_intern_z(node->ctx, "axis"), dl_i64_attr(node->ctx, axis)};
  dl_named_attr along = {flatten.name, last};
  dl_value *shape = dl_onnx_build_one(node, "graph.shape", 1, &x, 0, NULL);
  dl_value *matrix = dl_onnx_build_one(node, "graph.flatten", 1, &x, 1, &flatten);
  dl_value *soft = matrix ? dl_onnx_build_one(node, op, 1, &matrix, 1, &along) : NULL;
  if (!shape || !soft) return DL_FAILED;
  results[0] = dl_onnx_build_one(node, "graph.reshape", 2, (dl_value *[]){soft, shape}, 0, NULL);
  return results[0] ? DL_OK : DL_FAILED;
}

dl_status dl_onnx_emit_softmax(dl_onnx_node *node, dl_value **results) {
  const char *op = dl_onnx_find_operator(node->ctx, node->proto)->op;
  DL_TRY(dl_onnx_require_input(node, 0));
  if (node->opset < 13) return emit_softmax_of_matrix(node, op, results);
  return dl_onnx_build(node, op, results);
}

// The negative log likelihood loss of the logarithm of softmax, which is the second output.
dl_status dl_onnx_emit_cross_entropy(dl_onnx_node *node, dl_value **results) {
  DL_TRY(dl_onnx_require_input(node, 0));
  dl_value *scores = dl_onnx_input(node, 0);
  dl_named_attr along = {dl_intern_z(node->ctx, "axis"), dl_i64_attr(node->ctx, 1)};
  dl_value *logs = dl_onnx_build_one(node, "graph.log_softmax", 1, &scores, 1, &along);
  if (!logs) return DL_FAILED;
  dl_onnx_set_input(node, 0, logs);
  size_t num_outputs = node->num_outputs;
  if (dl_onnx_has_output(node, 1)) results[1] = logs;
  node->num_outputs = 1;
  dl_status status = dl_onnx_build(node, "graph.negative_log_likelihood_loss", results);
  node->num_outputs = num_outputs;
  return status;
}

// 1 / sqrt(mean of squares + epsilon), over the dimensions from `axis` on.
static dl_value *reciprocal_rms(dl_onnx_node *node, dl_value *x, int64_t axis, double epsilon) {
  int64_t axes[DL_ONNX_MAX_RANK], rank = dl_onnx_rank(x);
  for (int64_t i = axis; i < rank; i++) axes[i - axis] = i;
  dl_type element = dl_element_type(dl_value_type(x));
  dl_value *over = dl_onnx_i64_constant(node, (size_t)(rank - axis), axes);
  dl_value *mean =
      dl_onnx_binary(node, "graph.reduce_mean", dl_onnx_binary(node, "graph.mul", x, x), over);
  dl_value *sum =
      dl_onnx_binary(node, "graph.add", mean, dl_onnx_scalar_constant(node, element, epsilon));
  return dl_onnx_unary(node, "graph.reciprocal", dl_onnx_unary(node, "graph.sqrt", sum));
}

dl_status dl_onnx_emit_rms_norm(dl_onnx_node *node, dl_value **results) {
  DL_TRY(dl_onnx_require_input(node, 0));
  DL_TRY(dl_onnx_require_input(node, 1));
  dl_value *x = dl_onnx_input(node, 0), *scale = dl_onnx_input(node, 1);
  dl_attr epsilon = dl_onnx_attr(node, "epsilon");
  int64_t rank = dl_onnx_rank(x), axis = dl_onnx_int(node, "axis", -1);
  if (axis < 0) axis += rank;
  if (axis < 0 || axis >= rank || rank > DL_ONNX_MAX_RANK)
    return dl_onnx_error(node, "attribute 'axis' is out of range");
  dl_type stash = dl_onnx_element_type(node->ctx, dl_onnx_int(node, "stash_type", DL_ONNX_FLOAT));
  if (!stash || !dl_is_float(stash))
    return dl_onnx_error(node, "attribute 'stash_type' is no float type");
  dl_value *wide = dl_onnx_cast_to(node, x, stash);
  if (!wide) return DL_FAILED;
  dl_value *factor = reciprocal_rms(node, wide, axis, epsilon ? epsilon->number : 1e-5);
  dl_value *normal = dl_onnx_binary(node, "graph.mul", wide, factor);
  results[0] =
      dl_onnx_binary(node, "graph.mul",
                     dl_onnx_cast_to(node, normal, dl_element_type(dl_value_type(scale))), scale);
  return results[0] ? DL_OK : DL_FAILED;
}

// The constant may come as a vector of one element.
dl_status dl_onnx_emit_pad(dl_onnx_node *node, dl_value **results) {
  dl_value *value = dl_onnx_input(node, 2);
  if (value && dl_onnx_rank(value) == 1) {
    int64_t first = 0;
    dl_value *scalar =
        dl_onnx_binary(node, "graph.squeeze", value, dl_onnx_i64_constant(node, 1, &first));
    if (!scalar) return DL_FAILED;
    dl_onnx_set_input(node, 2, scalar);
  }
  return dl_onnx_build(node, "graph.pad", results);
}

// --- sums of any number of inputs ---

static dl_value *sum_of_inputs(dl_onnx_node *node) {
  dl_value *sum = dl_onnx_input(node, 0);
  for (size_t i = 1; i < node->inputs.len && sum; i++) {
    dl_value *operands[] = {sum, node->inputs.data[i]};
    if (!operands[1]) return dl_onnx_error(node, "input %zu is missing", i), NULL;
    sum = dl_onnx_build_one(node, "graph.add", 2, operands, 0, NULL);
  }
  return sum;
}

dl_status dl_onnx_emit_sum(dl_onnx_node *node, dl_value **results) {
  DL_TRY(dl_onnx_require_input(node, 0));
  results[0] = sum_of_inputs(node);
  return results[0] ? DL_OK : DL_FAILED;
}

dl_status dl_onnx_emit_mean(dl_onnx_node *node, dl_value **results) {
  DL_TRY(dl_onnx_require_input(node, 0));
  dl_value *sum = sum_of_inputs(node);
  if (!sum) return DL_FAILED;
  dl_type element = dl_element_type(dl_value_type(sum));
  dl_value *operands[] = {sum, dl_onnx_scalar_constant(node, element, (double)node->inputs.len)};
  results[0] = dl_onnx_build_one(node, "graph.div", 2, operands, 0, NULL);
  return results[0] ? DL_OK : DL_FAILED;
}
