// Brings nodes of older operator sets into the form of the newest one. Each row says from which
// operator set on its rewrite is no longer needed; rows of one operator are in ascending order.
#include "targets/onnx/import.h"

typedef struct upgrade {
  const char *op_type;
  int64_t version;  // applied to nodes of operator sets before this one
  dl_status (*apply)(dl_onnx_node *node, const struct upgrade *row);
  const char *attr;  // for rewrites of one attribute
  size_t input;      // the input it becomes
} upgrade;

// --- attributes that became inputs ---

// A float attribute as a scalar of input 0's element type, a list of floats as a vector.
static dl_value *float_constant(dl_onnx_node *node, dl_attr value) {
  if (value->kind == DL_ATTR_DENSE_ARRAY) {
    int64_t shape = (int64_t)value->count;
    dl_type type = dl_tensor_type(value->type, 1, &shape, NULL);
    return dl_onnx_constant(node, dl_dense_attr(type, value->bytes, false));
  }
  dl_value *x = dl_onnx_input(node, 0);
  dl_type element = x ? dl_element_type(dl_value_type(x)) : value->type;
  return dl_onnx_scalar_constant(node, element, value->number);
}

static dl_status float_to_input(dl_onnx_node *node, const upgrade *row) {
  dl_attr value = dl_onnx_take_attr(node, row->attr);
  if (!value) return DL_OK;
  bool list = value->kind == DL_ATTR_DENSE_ARRAY && dl_is_float(value->type);
  if (value->kind != DL_ATTR_FLOAT && !list)
    return dl_onnx_error(node, "attribute '%s' holds no floats", row->attr);
  dl_onnx_set_input(node, row->input, float_constant(node, value));
  return DL_OK;
}

static dl_status ints_to_input(dl_onnx_node *node, const upgrade *row) {
  dl_attr value = dl_onnx_take_attr(node, row->attr);
  if (!value) return DL_OK;
  if (value->kind == DL_ATTR_INTEGER) value = dl_i64_array_attr(node->ctx, 1, &value->integer);
  if (value->kind != DL_ATTR_DENSE_ARRAY || !dl_is_integer(value->type))
    return dl_onnx_error(node, "attribute '%s' holds no integers", row->attr);
  dl_value *input = dl_onnx_i64_constant(node, value->count, (const int64_t *)value->bytes.data);
  dl_onnx_set_input(node, row->input, input);
  return DL_OK;
}

// --- attributes that went away ---

static dl_status drop_attr(dl_onnx_node *node, const upgrade *row) {
  dl_onnx_set_attr(node, row->attr, NULL);
  return DL_OK;
}

// --- modes ---

// `is_test` became the attribute `training_mode`.
static dl_status batch_norm_test_mode(dl_onnx_node *node, const upgrade *row) {
  (void)row;
  bool training = dl_onnx_int(node, "is_test", 0) == 0;
  dl_onnx_set_attr(node, "is_test", NULL);
  dl_onnx_set_attr(node, "training_mode", dl_i64_attr(node->ctx, training));
  return DL_OK;
}

// More outputs than one said that it was training.
static dl_status batch_norm_mode_by_outputs(dl_onnx_node *node, const upgrade *row) {
  (void)row;
  if (!dl_onnx_attr(node, "training_mode"))
    dl_onnx_set_attr(node, "training_mode", dl_i64_attr(node->ctx, node->num_outputs > 1));
  return DL_OK;
}

// `is_test` became the input `training_mode`.
static dl_status dropout_test_mode(dl_onnx_node *node, const upgrade *row) {
  (void)row;
  bool training = dl_onnx_int(node, "is_test", 0) == 0;
  dl_onnx_set_attr(node, "is_test", NULL);
  dl_onnx_set_input(node, 2, dl_onnx_scalar_constant(node, dl_int_type(node->ctx, 1), training));
  return DL_OK;
}

// --- rules that changed ---

// Gives `value` trailing dimensions of size 1, so that numpy's broadcasting aligns its first
// dimension with dimension `axis` of a tensor of rank `rank`.
static dl_value *align_to_axis(dl_onnx_node *node, dl_value *value, int64_t rank, int64_t axis) {
  int64_t own = dl_onnx_rank(value), axes[DL_ONNX_MAX_RANK];
  if (axis < 0) axis += rank;
  if (axis < 0 || axis + own > rank || own < 0 || rank > DL_ONNX_MAX_RANK) {
    dl_onnx_error(node, "the inputs cannot be broadcast at axis %lld", (long long)axis);
    return NULL;
  }
  int64_t missing = rank - axis - own;
  if (missing == 0) return value;
  for (int64_t i = 0; i < missing; i++) axes[i] = own + i;
  dl_value *operands[] = {value, dl_onnx_i64_constant(node, (size_t)missing, axes)};
  return dl_onnx_build_one(node, "graph.unsqueeze", 2, operands, 0, NULL);
}

// Binary operators once broadcast the second input only, on request, aligned at an axis.
static dl_status broadcast_at_axis(dl_onnx_node *node, const upgrade *row) {
  (void)row;
  dl_attr axis = dl_onnx_take_attr(node, "axis");
  bool broadcast = dl_onnx_int(node, "broadcast", 0) != 0;
  dl_value *a = dl_onnx_input(node, 0), *b = dl_onnx_input(node, 1);
  dl_onnx_set_attr(node, "broadcast", NULL);
  if (!broadcast || !axis || axis->kind != DL_ATTR_INTEGER || !a || !b) return DL_OK;
  dl_value *aligned = align_to_axis(node, b, dl_onnx_rank(a), axis->integer);
  if (!aligned) return DL_FAILED;
  dl_onnx_set_input(node, 1, aligned);
  return DL_OK;
}

// The slope of PRelu was per channel (dimension 1), whatever the rank.
static dl_status prelu_slope_per_channel(dl_onnx_node *node, const upgrade *row) {
  (void)row;
  dl_value *x = dl_onnx_input(node, 0), *slope = dl_onnx_input(node, 1);
  if (!x || !slope || dl_onnx_rank(slope) != 1 || dl_onnx_rank(x) < 3) return DL_OK;
  if (dl_value_type(slope)->shape[0] == 1) return DL_OK;
  dl_value *aligned = align_to_axis(node, slope, dl_onnx_rank(x), 1);
  if (!aligned) return DL_FAILED;
  dl_onnx_set_input(node, 1, aligned);
  return DL_OK;
}

// Resize by scales alone, without the modes that came later.
static dl_status resize_without_modes(dl_onnx_node *node, const upgrade *row) {
  (void)row;
  dl_onnx_set_attr(node, "coordinate_transformation_mode",
                   dl_string_attr_z(node->ctx, "asymmetric"));
  dl_onnx_set_attr(node, "nearest_mode", dl_string_attr_z(node->ctx, "floor"));
  dl_onnx_set_input(node, 2, dl_onnx_input(node, 1));
  dl_onnx_set_input(node, 1, NULL);
  return DL_OK;
}

// The parameters of GroupNormalization were per group, now they are per channel.
static dl_value *repeat_per_channel(dl_onnx_node *node, dl_value *of_groups, int64_t channels) {
  int64_t groups = dl_value_type(of_groups)->shape[0], one = 1, flat = -1;
  if (groups <= 0 || channels % groups != 0) {
    dl_onnx_error(node, "%lld channels cannot be %lld groups", (long long)channels,
                  (long long)groups);
    return NULL;
  }
  int64_t shape[] = {groups, channels / groups};
  dl_value *column[] = {of_groups, dl_onnx_i64_constant(node, 1, &one)};
  dl_value *wide[] = {dl_onnx_build_one(node, "graph.unsqueeze", 2, column, 0, NULL),
                      dl_onnx_i64_constant(node, 2, shape)};
  if (!wide[0]) return NULL;
  dl_value *all[] = {dl_onnx_build_one(node, "graph.expand", 2, wide, 0, NULL),
                     dl_onnx_i64_constant(node, 1, &flat)};
  return all[0] ? dl_onnx_build_one(node, "graph.reshape", 2, all, 0, NULL) : NULL;
}

static dl_status group_norm_per_channel(dl_onnx_node *node, const upgrade *row) {
  (void)row;
  dl_value *x = dl_onnx_input(node, 0);
  int64_t channels = x && dl_onnx_rank(x) > 1 ? dl_value_type(x)->shape[1] : DL_DYNAMIC;
  if (channels == DL_DYNAMIC) return dl_onnx_error(node, "the number of channels is unknown");
  for (size_t i = 1; i <= 2; i++) {
    dl_value *of_groups = dl_onnx_input(node, i);
    if (!of_groups || dl_onnx_rank(of_groups) != 1)
      return dl_onnx_error(node, "input %zu must be a vector", i);
    dl_value *value = repeat_per_channel(node, of_groups, channels);
    if (!value) return DL_FAILED;
    dl_onnx_set_input(node, i, value);
  }
  return DL_OK;
}

static const upgrade upgrades[] = {
    {"Add", 7, broadcast_at_axis, NULL, 0},
    {"And", 7, broadcast_at_axis, NULL, 0},
    {"BatchNormalization", 7, batch_norm_test_mode, NULL, 0},
    {"BatchNormalization", 14, batch_norm_mode_by_outputs, NULL, 0},
    {"Clip", 11, float_to_input, "min", 1},
    {"Clip", 11, float_to_input, "max", 2},
    {"Div", 7, broadcast_at_axis, NULL, 0},
    {"Dropout", 7, dropout_test_mode, NULL, 0},
    {"Dropout", 12, float_to_input, "ratio", 1},
    {"Equal", 7, broadcast_at_axis, NULL, 0},
    {"Gemm", 7, drop_attr, "broadcast", 0},
    {"Greater", 7, broadcast_at_axis, NULL, 0},
    {"GroupNormalization", 21, group_norm_per_channel, NULL, 0},
    {"Less", 7, broadcast_at_axis, NULL, 0},
    {"Mul", 7, broadcast_at_axis, NULL, 0},
    {"Or", 7, broadcast_at_axis, NULL, 0},
    {"PRelu", 7, prelu_slope_per_channel, NULL, 0},
    {"Pad", 11, ints_to_input, "pads", 1},
    {"Pad", 11, float_to_input, "value", 2},
    {"Pow", 7, broadcast_at_axis, NULL, 0},
    {"ReduceL1", 18, ints_to_input, "axes", 1},
    {"ReduceL2", 18, ints_to_input, "axes", 1},
    {"ReduceLogSum", 18, ints_to_input, "axes", 1},
    {"ReduceLogSumExp", 18, ints_to_input, "axes", 1},
    {"ReduceMax", 18, ints_to_input, "axes", 1},
    {"ReduceMean", 18, ints_to_input, "axes", 1},
    {"ReduceMin", 18, ints_to_input, "axes", 1},
    {"ReduceProd", 18, ints_to_input, "axes", 1},
    {"ReduceSum", 13, ints_to_input, "axes", 1},
    {"ReduceSumSquare", 18, ints_to_input, "axes", 1},
    {"Resize", 11, resize_without_modes, NULL, 0},
    {"Slice", 10, ints_to_input, "starts", 1},
    {"Slice", 10, ints_to_input, "ends", 2},
    {"Slice", 10, ints_to_input, "axes", 3},
    {"Split", 13, ints_to_input, "split", 1},
    {"Squeeze", 13, ints_to_input, "axes", 1},
    {"Sub", 7, broadcast_at_axis, NULL, 0},
    {"TopK", 10, ints_to_input, "k", 1},
    {"Unsqueeze", 13, ints_to_input, "axes", 1},
    {"Upsample", 9, float_to_input, "scales", 1},
    {"Upsample", 10, resize_without_modes, NULL, 0},
    {"Xor", 7, broadcast_at_axis, NULL, 0},
};

dl_status dl_onnx_upgrade(dl_onnx_node *node) {
  // Part of every operator before operator set 6.
  dl_onnx_set_attr(node, "consumed_inputs", NULL);
  for (size_t i = 0; i < DL_COUNT(upgrades); i++)
    if (strcmp(upgrades[i].op_type, node->op_type) == 0 && node->opset < upgrades[i].version)
      DL_TRY(upgrades[i].apply(node, &upgrades[i]));
  return DL_OK;
}
