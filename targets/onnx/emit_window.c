// Convolution and pooling: the operation depends on the number of spatial dimensions, and automatic
// padding becomes explicit.
#include "targets/onnx/import.h"

#define MAX_SPATIAL 3

// The window of a convolution or pooling, with ONNX's defaults filled in.
typedef struct window {
  size_t dims;
  int64_t kernel[MAX_SPATIAL], strides[MAX_SPATIAL], dilations[MAX_SPATIAL];
} window;

static dl_status read_list(dl_onnx_node *node, const char *name, size_t count, int64_t *values) {
  dl_attr attr = dl_onnx_attr(node, name);
  for (size_t i = 0; i < count; i++) values[i] = 1;
  if (!attr) return DL_OK;
  if (attr->kind != DL_ATTR_DENSE_ARRAY || !dl_is_integer(attr->type) || attr->count != count)
    return dl_onnx_error(node, "attribute '%s' must hold %zu integers", name, count);
  for (size_t i = 0; i < count; i++) {
    values[i] = dl_i64_at(attr, i);
    if (values[i] < 1 || values[i] > INT32_MAX)
      return dl_onnx_error(node, "attribute '%s' holds %lld", name, (long long)values[i]);
  }
  return DL_OK;
}

static dl_status read_window(dl_onnx_node *node, window *w) {
  dl_value *x = dl_onnx_input(node, 0);
  int64_t rank = x ? dl_onnx_rank(x) : -1;
  if (rank < 3 || rank > 2 + MAX_SPATIAL)
    return dl_onnx_error(node, "the input must have 1 to %d spatial dimensions", MAX_SPATIAL);
  w->dims = (size_t)rank - 2;
  DL_TRY(read_list(node, "kernel_shape", w->dims, w->kernel));
  DL_TRY(read_list(node, "strides", w->dims, w->strides));
  return read_list(node, "dilations", w->dims, w->dilations);
}

// The kernel of a convolution is its weight's shape; the attribute may only repeat it.
static dl_status read_kernel_of_weight(dl_onnx_node *node, window *w) {
  dl_value *weight = dl_onnx_input(node, 1);
  if (!weight || dl_onnx_rank(weight) != (int64_t)w->dims + 2)
    return dl_onnx_error(node, "the weight must have %zu dimensions", w->dims + 2);
  bool given = dl_onnx_take_attr(node, "kernel_shape") != NULL;
  const int64_t *shape = dl_value_type(weight)->shape + 2;
  for (size_t i = 0; i < w->dims; i++) {
    if (given && shape[i] != DL_DYNAMIC && shape[i] != w->kernel[i])
      return dl_onnx_error(node, "attribute 'kernel_shape' and the weight's shape differ");
    if (!given) w->kernel[i] = shape[i];
  }
  return DL_OK;
}

static void set_ints(dl_onnx_node *node, const char *name, size_t count, const int64_t *values) {
  dl_onnx_set_attr(node, name, dl_i64_array_attr(node->ctx, count, values));
}

// Padding that makes the output ceil(input / stride) large.
static dl_status same_padding(dl_onnx_node *node, const window *w, size_t i, int64_t *total) {
  int64_t size = dl_value_type(dl_onnx_input(node, 0))->shape[2 + i];
  if (w->kernel[i] == DL_DYNAMIC) return dl_onnx_error(node, "the kernel's size is unknown");
  int64_t reach = (w->kernel[i] - 1) * w->dilations[i] + 1;
  if (size == DL_DYNAMIC && w->strides[i] != 1)
    return dl_onnx_error(node, "automatic padding with strides needs a known input size");
  int64_t steps = size == DL_DYNAMIC ? 0 : (size + w->strides[i] - 1) / w->strides[i] - 1;
  *total = size == DL_DYNAMIC ? reach - 1 : steps * w->strides[i] + reach - size;
  if (*total < 0) *total = 0;
  return DL_OK;
}

static dl_status resolve_auto_pad(dl_onnx_node *node, const window *w) {
  bool upper = dl_onnx_attr_is(node, "auto_pad", "SAME_UPPER");
  bool lower = dl_onnx_attr_is(node, "auto_pad", "SAME_LOWER");
  bool valid = dl_onnx_attr_is(node, "auto_pad", "VALID");
  bool explicit_pads = dl_onnx_attr_is(node, "auto_pad", "NOTSET");
  int64_t pads[2 * MAX_SPATIAL] = {0};
  if (!dl_onnx_take_attr(node, "auto_pad") || explicit_pads) return DL_OK;
  if (!upper && !lower && !valid) return dl_onnx_error(node, "attribute 'auto_pad' is unknown");
  for (size_t i = 0; i < w->dims && !valid; i++) {
    int64_t total = 0;
    DL_TRY(same_padding(node, w, i, &total));
    pads[i] = upper ? total / 2 : total - total / 2;
    pads[w->dims + i] = total - pads[i];
  }
  set_ints(node, "pads", 2 * w->dims, pads);
  return DL_OK;
}

static dl_status build_for_dims(dl_onnx_node *node, const char *op, size_t dims,
                                dl_value **results) {
  char name[64];
  snprintf(name, sizeof(name), "%s%zud", op, dims);
  return dl_onnx_build(node, name, results);
}

dl_status dl_onnx_emit_conv(dl_onnx_node *node, dl_value **results) {
  window w;
  DL_TRY(read_window(node, &w));
  DL_TRY(read_kernel_of_weight(node, &w));
  DL_TRY(resolve_auto_pad(node, &w));
  return build_for_dims(node, "graph.conv", w.dims, results);
}

static dl_status emit_pool(dl_onnx_node *node, const char *op, dl_value **results) {
  window w;
  if (!dl_onnx_attr(node, "kernel_shape"))
    return dl_onnx_error(node, "attribute 'kernel_shape' is missing");
  DL_TRY(read_window(node, &w));
  DL_TRY(resolve_auto_pad(node, &w));
  return build_for_dims(node, op, w.dims, results);
}

dl_status dl_onnx_emit_average_pool(dl_onnx_node *node, dl_value **results) {
  return emit_pool(node, "graph.average_pool", results);
}

dl_status dl_onnx_emit_max_pool(dl_onnx_node *node, dl_value **results) {
  if (!dl_onnx_has_output(node, 1)) dl_onnx_set_attr(node, "storage_order", NULL);
  return emit_pool(node, "graph.max_pool", results);
}

// --- transposed convolution ---

// Padding that gives the output the size asked for. What no padding can reach is filled by more
// output padding.
static dl_status pad_to_output(dl_onnx_node *node, const window *w, const int64_t *output,
                               bool upper) {
  int64_t extra[MAX_SPATIAL] = {0}, pads[2 * MAX_SPATIAL];
  dl_attr given = dl_onnx_attr(node, "output_padding");
  for (size_t i = 0; i < w->dims; i++) {
    int64_t size = dl_value_type(dl_onnx_input(node, 0))->shape[2 + i];
    if (size == DL_DYNAMIC || w->kernel[i] == DL_DYNAMIC)
      return dl_onnx_error(node, "padding to an output shape needs a known input size");
    if (given && i < dl_array_len(given)) extra[i] = dl_i64_at(given, i);
    int64_t wanted = output ? output[i] : size * w->strides[i];
    int64_t reach = w->strides[i] * (size - 1) + (w->kernel[i] - 1) * w->dilations[i] + 1;
    int64_t total = reach + extra[i] - wanted;
    if (total < 0) {
      extra[i] -= total;
      total = 0;
    }
    pads[i] = upper ? total / 2 : total - total / 2;
    pads[w->dims + i] = total - pads[i];
  }
  set_ints(node, "pads", 2 * w->dims, pads);
  set_ints(node, "output_padding", w->dims, extra);
  return DL_OK;
}

dl_status dl_onnx_emit_conv_transpose(dl_onnx_node *node, dl_value **results) {
  window w;
  int64_t output[MAX_SPATIAL];
  DL_TRY(read_window(node, &w));
  DL_TRY(read_kernel_of_weight(node, &w));
  bool upper = dl_onnx_attr_is(node, "auto_pad", "SAME_UPPER");
  bool same = upper || dl_onnx_attr_is(node, "auto_pad", "SAME_LOWER");
  bool sized = dl_onnx_attr(node, "output_shape") != NULL;
  if (sized) DL_TRY(read_list(node, "output_shape", w.dims, output));
  dl_onnx_set_attr(node, "output_shape", NULL);
  if (sized || same) {
    dl_onnx_set_attr(node, "auto_pad", NULL);
    DL_TRY(pad_to_output(node, &w, sized ? output : NULL, upper));
  }
  DL_TRY(resolve_auto_pad(node, &w));
  return build_for_dims(node, "graph.conv_transpose", w.dims, results);
}
