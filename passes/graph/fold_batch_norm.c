// graph-fold-batch-norm: folds an inference BatchNormalization with constant parameters into the
// convolution that feeds it, by scaling the convolution's weight and bias; where there is none,
// into one multiplication and one addition. The new parameters are graph ops on constants, computed
// at compile time. Contract: reassociates.
#include "dialects/graph/graph_ops.h"
#include "ir/pass.h"

static dl_value *build(dl_rewriter *rw, const dl_op_def *def, size_t count,
                       dl_value *const *operands, dl_type type) {
  return dl_result(dl_rw_build(rw, &(dl_op_state){.def = def,
                                                  .num_operands = count,
                                                  .operands = operands,
                                                  .num_results = 1,
                                                  .result_types = &type}),
                   0);
}

// Elementwise on two tensors of one element type, the second broadcast to the first.
static dl_value *binary(dl_rewriter *rw, const dl_op_def *def, dl_value *x, dl_value *y) {
  return build(rw, def, 2, (dl_value *[]){x, y}, dl_value_type(x));
}

static dl_value *scalar(dl_rewriter *rw, float value) {
  dl_builder *b = dl_rw_builder(rw);
  dl_type type = dl_tensor_type(dl_f32_type(b->ctx), 0, NULL, NULL);
  dl_attr splat = dl_dense_attr(type, (dl_str){(const char *)&value, sizeof value}, true);
  return dl_result(graph_materialize_constant(b, splat, type), 0);
}

static dl_value *reshape(dl_rewriter *rw, dl_value *value, size_t rank, const int64_t *shape) {
  dl_builder *b = dl_rw_builder(rw);
  int64_t count = (int64_t)rank;
  dl_type index = dl_tensor_type(dl_int_type(b->ctx, 64), 1, &count, NULL);
  dl_attr sizes =
      dl_dense_attr(index, (dl_str){(const char *)shape, rank * sizeof(int64_t)}, false);
  dl_value *operands[] = {value, dl_result(graph_materialize_constant(b, sizes, index), 0)};
  dl_type type = dl_tensor_type(dl_value_type(value)->element, rank, shape, NULL);
  return build(rw, &graph_reshape, 2, operands, type);
}

// Whether the normalization's parameters are constant vectors of f32, and its operand a tensor of
// f32.
static bool has_constant_parameters(const dl_op *norm) {
  for (size_t i = 0; i < dl_num_operands(norm); i++) {
    dl_type type = dl_value_type(dl_operand(norm, i));
    if (type->unranked || !dl_is_float(type->element) || type->element->float_kind != DL_F32)
      return false;
    if (i && (!dl_constant_value(dl_operand(norm, i)) || !dl_has_static_shape(type))) return false;
  }
  return true;
}

// What the normalization multiplies by, and what it then adds, per channel.
typedef struct affine {
  dl_value *factor, *term;
} affine;

static affine affine_of(dl_rewriter *rw, dl_op *norm) {
  dl_value *epsilon = scalar(rw, (float)graph_batch_normalization_epsilon(norm));
  dl_value *shifted = binary(rw, &graph_add, graph_batch_normalization_input_var(norm), epsilon);
  dl_value *deviation = build(rw, &graph_sqrt, 1, &shifted, dl_value_type(shifted));
  dl_value *factor = binary(rw, &graph_div, graph_batch_normalization_scale(norm), deviation);
  dl_value *mean = binary(rw, &graph_mul, graph_batch_normalization_input_mean(norm), factor);
  return (affine){factor, binary(rw, &graph_sub, graph_batch_normalization_B(norm), mean)};
}

// A vector over channels as a tensor that broadcasts along dimension `dim` of `rank`.
static dl_value *along(dl_rewriter *rw, dl_value *vector, size_t rank, size_t dim) {
  int64_t *shape = dl_malloc(rank * sizeof(int64_t));
  for (size_t i = 0; i < rank; i++) shape[i] = i == dim ? dl_value_type(vector)->shape[0] : 1;
  dl_value *value = reshape(rw, vector, rank, shape);
  free(shape);
  return value;
}

static bool is_convolution(const dl_op *op) {
  return dl_is(op, graph_conv1d) || dl_is(op, graph_conv2d) || dl_is(op, graph_conv3d);
}

static dl_outcome fold_into_convolution(dl_rewriter *rw, dl_op *norm) {
  dl_op *conv = dl_value_def(graph_batch_normalization_X(norm));
  if (!conv || !is_convolution(conv) || !dl_has_one_use(dl_result(conv, 0))) return DL_NO_MATCH;
  dl_value *weight = dl_operand(conv, 1),
           *bias = dl_num_operands(conv) > 2 ? dl_operand(conv, 2) : NULL;
  bool known = dl_constant_value(weight) && (!bias || dl_constant_value(bias));
  if (!known || !has_constant_parameters(norm)) return DL_NO_MATCH;
  affine a = affine_of(rw, norm);
  dl_value *scaled =
      binary(rw, &graph_mul, weight, along(rw, a.factor, dl_value_type(weight)->rank, 0));
  dl_value *shift =
      bias ? binary(rw, &graph_add, binary(rw, &graph_mul, bias, a.factor), a.term) : a.term;
  dl_type type = dl_value_type(dl_result(norm, 0));
  DL_VEC(dl_named_attr) attrs = {0};
  for (size_t i = 0; i < dl_num_inherent_attrs(conv); i++)
    DL_PUSH(&attrs, dl_inherent_attr(conv, i));
  dl_op *folded =
      dl_rw_build(rw, &(dl_op_state){.def = dl_op_def_of(conv),
                                     .loc = dl_op_loc(conv),
                                     .num_operands = 3,
                                     .operands = (dl_value *[]){dl_operand(conv, 0), scaled, shift},
                                     .num_results = 1,
                                     .result_types = &type,
                                     .num_attrs = attrs.len,
                                     .attrs = attrs.data});
  DL_VEC_FREE(&attrs);
  dl_replace(rw, norm, dl_result(folded, 0));
  return DL_CHANGED;
}

static dl_outcome fold_alone(dl_rewriter *rw, dl_op *norm) {
  dl_type type = dl_value_type(dl_result(norm, 0));
  if (!has_constant_parameters(norm) || type->rank < 2) return DL_NO_MATCH;
  affine a = affine_of(rw, norm);
  size_t rank = type->rank - 1;
  dl_value *operands[] = {graph_batch_normalization_X(norm), along(rw, a.factor, rank, 0)};
  operands[0] = build(rw, &graph_mul, 2, operands, type);
  operands[1] = along(rw, a.term, rank, 0);
  dl_replace(rw, norm, build(rw, &graph_add, 2, operands, type));
  return DL_CHANGED;
}

static const dl_pattern patterns[] = {
    {&graph_batch_normalization, fold_into_convolution, 2, "fold_into_convolution"},
    {&graph_batch_normalization, fold_alone, 1, "fold_alone"},
};

const dl_pass_def dl_pass_graph_fold_batch_norm = {
    .name = "graph-fold-batch-norm",
    .summary = "Fold batch normalization into convolutions",
    .anchor = "func.func",
    .contract = DL_REASSOCIATES,
    .num_patterns = DL_COUNT(patterns),
    .patterns = patterns};
