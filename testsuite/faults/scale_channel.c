// A plugin with a pass that is a little wrong: it multiplies one channel of one convolution's
// result by 1.001. How small a fault the check still sees (sensitivity.py).
#include "ir/attrs.h"
#include "ir/plugin.h"

typedef struct search {
  int64_t left;
  dl_op *found;
} search;

static bool find(dl_op *op, void *user) {
  search *s = user;
  if (!strcmp(dl_op_name(op), "graph.conv2d") && s->left-- == 0) s->found = op;
  return !s->found;
}

// 1 for every channel but one.
static dl_attr factors(dl_context *ctx, int64_t channels, int64_t chosen) {
  const int64_t shape[] = {1, channels, 1, 1};
  float *values = dl_malloc((size_t)channels * sizeof(*values));
  for (int64_t i = 0; i < channels; i++) values[i] = i == chosen % channels ? 1.001f : 1;
  dl_str bytes = {(const char *)values, (size_t)channels * sizeof(*values)};
  dl_attr attr = dl_dense_attr(dl_tensor_type(dl_f32_type(ctx), 4, shape, NULL), bytes, false);
  free(values);
  return attr;
}

static dl_value *build(dl_builder *b, const char *name, size_t count, dl_value *const *operands,
                       dl_type type, dl_attr value) {
  dl_context *ctx = type->ctx;
  dl_named_attr attr = {dl_intern_z(ctx, "value"), value};
  dl_op_state state = {.def = dl_find_op_def(ctx, dl_str_of(name)),
                       .loc = b->loc,
                       .num_operands = count,
                       .operands = operands,
                       .num_results = 1,
                       .result_types = &type,
                       .num_attrs = value != NULL,
                       .attrs = &attr};
  return dl_result(dl_build(b, &state), 0);
}

static dl_status scale(dl_pass *pass, dl_op *root) {
  search s = {.left = dl_option_int(pass, "conv")};
  dl_walk(root, find, &s);
  if (!s.found) return dl_error(dl_op_loc(root), "there is no such convolution");
  dl_value *result = dl_result(s.found, 0);
  dl_type type = dl_value_type(result);
  dl_builder b = dl_builder_after(s.found);
  dl_attr value = factors(type->ctx, type->shape[1], dl_option_int(pass, "channel"));
  dl_value *factor = build(&b, "graph.constant", 0, NULL, value->type, value);
  dl_value *scaled = build(&b, "graph.mul", 2, (dl_value *[]){result, factor}, type, NULL);
  dl_replace_all_uses(result, scaled);
  dl_set_operand(dl_value_def(scaled), 0, result);
  dl_pass_changed(pass);
  return DL_OK;
}

static const dl_option_def options[] = {
    {"conv", "Number of the convolution", DL_OPTION_INT, "0"},
    {"channel", "Number of the channel", DL_OPTION_INT, "0"},
};
static const dl_pass_def pass = {.name = "test-scale-channel",
                                 .summary = "Scale a channel by 1.001",
                                 .anchor = "func.func",
                                 .contract = DL_REASSOCIATES,
                                 .num_options = DL_COUNT(options),
                                 .options = options,
                                 .run = scale};
static const dl_pass_def *const passes[] = {&pass};

DL_API const dl_module_def *dl_module_query(uint32_t host_version) {
  static const dl_module_def module = {.version = DL_PLUGIN_VERSION,
                                       .name = "scale",
                                       .num_passes = DL_COUNT(passes),
                                       .passes = passes};
  return host_version == DL_PLUGIN_VERSION ? &module : NULL;
}
