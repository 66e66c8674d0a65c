// graph-choose-algorithms: computes convolutions by Winograd's algorithm where that takes less time
// and the module allows for its error (the attribute `dlir.tolerance`): 3x3, stride 1, with
// constant weights and enough channels. The choice compares multiply-adds and bytes of weights.
// Weights are transformed at compile time. Contract: approximate. F(4x4, 3x3) multiplies rounding
// errors by a small constant (Barabasz, Anderson, Soodhalter and Gregg, Error Analysis and
// Improving the Accuracy of Winograd Convolution for Deep Neural Networks, 2020): one convolution
// is within 2e-5 of its largest magnitude; the bound is that of a network.
#include "dialects/graph/graph_ops.h"
#include "dialects/machine.h"
#include "ir/pass.h"
#include "passes/graph/structure.h"

#define WINOGRAD_BOUND 1e-3

typedef struct convolution {
  dl_op *op;
  int64_t channels, features;  // of input and output,
  int64_t rows, columns;       // and the size of the output map
} convolution;

static bool all_are(const dl_op *op, const char *name, int64_t value) {
  dl_attr array = dl_spec_attr(op, name);
  for (size_t i = 0; i < array->count; i++)
    if (dl_i64_at(array, i) != value) return false;
  return true;
}

static bool is_f32(dl_type tensor) {
  return dl_is_float(tensor->element) && tensor->element->float_kind == DL_F32;
}

// Whether it is a convolution to which the algorithm applies.
static bool read_convolution(dl_op *op, convolution *c) {
  dl_type weight = dl_value_type(graph_conv2d_weight(op)), result = dl_value_type(dl_result(op, 0));
  bool known = dl_has_static_shape(weight) && result->rank == 4 && result->shape[2] != DL_DYNAMIC &&
               result->shape[3] != DL_DYNAMIC;
  if (!known || !is_f32(weight) || !dl_is_compile_time(graph_conv2d_weight(op))) return false;
  if (weight->shape[2] != 3 || weight->shape[3] != 3 || graph_conv2d_group(op) != 1) return false;
  if (!all_are(op, "strides", 1) || !all_are(op, "dilations", 1)) return false;
  *c = (convolution){op, weight->shape[1], weight->shape[0], result->shape[2], result->shape[3]};
  return true;
}

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// What the algorithms cost, in vector operations: multiply-adds, and the transforms' additions.
// Weights come from memory at BYTES_PER_OPERATION.
#define BYTES_PER_OPERATION 8
#define INPUT_TRANSFORM 360  // operations on the vectors of a 6x6 tile, loads and stores counted
#define OUTPUT_TRANSFORM 260

static double direct_cost(const convolution *c, int64_t lanes) {
  double products = 9.0 * (double)(c->channels * c->features);
  return products * (double)(c->rows * c->columns) / (double)lanes +
         products * 4 / BYTES_PER_OPERATION;
}

static double winograd_cost(const convolution *c, int64_t tile, int64_t lanes) {
  double tiles = (double)(ceil_div(c->rows, tile) * ceil_div(c->columns, tile));
  double positions = (double)((tile + 2) * (tile + 2));
  double products = positions * (double)(c->channels * c->features);
  double transforms =
      positions / 36 * (double)(INPUT_TRANSFORM * c->channels + OUTPUT_TRANSFORM * c->features);
  return (products + transforms) * tiles / (double)lanes + products * 4 / BYTES_PER_OPERATION;
}

// The size of the tiles, or 0 for the direct algorithm.
static int64_t best_tile(const convolution *c, int64_t lanes) {
  static const int64_t sizes[] = {2, 4};
  int64_t best = 0;
  if (c->channels < lanes || c->features < lanes) return 0;
  double cost = direct_cost(c, lanes);
  for (size_t i = 0; i < DL_COUNT(sizes); i++) {
    double with = winograd_cost(c, sizes[i], lanes);
    if (with >= cost) continue;
    cost = with;
    best = sizes[i];
  }
  return best;
}

static dl_value *build(dl_rewriter *rw, const dl_op_def *def, size_t num_operands,
                       dl_value *const *operands, dl_type type, size_t num_attrs,
                       const dl_named_attr *attrs) {
  dl_op_state state = {.def = def,
                       .num_operands = num_operands,
                       .operands = operands,
                       .num_results = 1,
                       .result_types = &type,
                       .num_attrs = num_attrs,
                       .attrs = attrs};
  return dl_result(dl_rw_build(rw, &state), 0);
}

static dl_named_attr attribute(dl_context *ctx, const char *name, dl_attr value) {
  return (dl_named_attr){dl_intern_z(ctx, name), value};
}

static dl_attr sizes_attr(dl_context *ctx, int64_t rows, int64_t columns) {
  int64_t sizes[] = {rows, columns};
  return dl_dense_array_attr(dl_int_type(ctx, 64), 2, (dl_str){(const char *)sizes, sizeof sizes});
}

static void rewrite(dl_rewriter *rw, const convolution *c, int64_t tile) {
  dl_value *input = graph_conv2d_input(c->op), *weight = graph_conv2d_weight(c->op);
  dl_value *bias = graph_conv2d_bias(c->op);
  dl_type type = dl_value_type(dl_result(c->op, 0)), element = type->element;
  dl_context *ctx = element->ctx;
  int64_t positions = (tile + 2) * (tile + 2);
  int64_t tiles[] = {positions, type->shape[0], c->channels, ceil_div(c->rows, tile),
                     ceil_div(c->columns, tile)};
  int64_t weights[] = {positions, c->features, c->channels};
  dl_named_attr pads[] = {attribute(ctx, "tile", dl_i64_attr(ctx, tile)),
                          attribute(ctx, "pads", dl_spec_attr(c->op, "pads"))};
  dl_named_attr sizes[] = {attribute(ctx, "tile", dl_i64_attr(ctx, tile)),
                           attribute(ctx, "sizes", sizes_attr(ctx, c->rows, c->columns))};
  dl_value *data =
      build(rw, &graph_winograd_input, 1, &input, dl_tensor_type(element, 5, tiles, NULL), 2, pads);
  dl_value *filter = build(rw, &graph_winograd_weight, 1, &weight,
                           dl_tensor_type(element, 3, weights, NULL), 1, pads);
  tiles[2] = c->features;
  dl_value *operands[] = {build(rw, &graph_winograd_product, 2, (dl_value *[]){data, filter},
                                dl_tensor_type(element, 5, tiles, NULL), 0, NULL),
                          bias};
  dl_replace(rw, c->op, build(rw, &graph_winograd_output, bias ? 2 : 1, operands, type, 2, sizes));
}

static bool tolerates_winograd(const dl_op *op) {
  const dl_op *module = op;
  while (dl_op_parent(module)) module = dl_op_parent(module);
  dl_attr tolerance = dl_get_attr(module, "dlir.tolerance");
  return tolerance && tolerance->kind == DL_ATTR_FLOAT && tolerance->number >= WINOGRAD_BOUND;
}

static dl_outcome choose(dl_rewriter *rw, dl_op *op) {
  convolution c;
  if (!tolerates_winograd(op) || !read_convolution(op, &c)) return DL_NO_MATCH;
  dl_machine machine = dl_machine_of(op);
  int64_t tile =
      best_tile(&c, dl_machine_lanes(&machine, dl_value_type(dl_result(op, 0))->element));
  if (!tile || machine.subgroup_size) return DL_NO_MATCH;
  rewrite(rw, &c, tile);
  return DL_CHANGED;
}

static const dl_pattern patterns[] = {{&graph_conv2d, choose, 1, "winograd"}};

const dl_pass_def dl_pass_graph_choose_algorithms = {
    .name = "graph-choose-algorithms",
    .summary = "Compute convolutions by Winograd's algorithm where that is faster",
    .anchor = "func.func",
    .contract = DL_APPROXIMATE,
    .bound = WINOGRAD_BOUND,
    .num_patterns = DL_COUNT(patterns),
    .patterns = patterns};
