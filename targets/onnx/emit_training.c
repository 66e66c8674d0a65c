// Operators that behave differently in training: Dropout and BatchNormalization.
#include "targets/onnx/import.h"

// --- random numbers ---

// The Mersenne Twister MT19937 (Matsumoto and Nishimura, 1998), from which ONNX's reference
// implementation draws: 53-bit fractions made of two outputs each.
enum { TWISTER_WORDS = 624, TWISTER_SHIFT = 397 };

typedef struct twister {
  uint32_t words[TWISTER_WORDS];
  size_t next;
} twister;

static void twister_seed(twister *t, uint32_t seed) {
  for (uint32_t i = 0; i < TWISTER_WORDS; i++) {
    t->words[i] = seed;
    seed = 1812433253u * (seed ^ (seed >> 30)) + i + 1;
  }
  t->next = TWISTER_WORDS;
}

static void twister_refill(twister *t) {
  for (size_t i = 0; i < TWISTER_WORDS; i++) {
    uint32_t mixed =
        (t->words[i] & 0x80000000u) | (t->words[(i + 1) % TWISTER_WORDS] & 0x7fffffffu);
    t->words[i] = t->words[(i + TWISTER_SHIFT) % TWISTER_WORDS] ^ (mixed >> 1) ^
                  (mixed & 1 ? 0x9908b0dfu : 0);
  }
  t->next = 0;
}

static uint32_t twister_draw(twister *t) {
  if (t->next == TWISTER_WORDS) twister_refill(t);
  uint32_t x = t->words[t->next++];
  x ^= x >> 11;
  x ^= (x << 7) & 0x9d2c5680u;
  x ^= (x << 15) & 0xefc60000u;
  return x ^ (x >> 18);
}

static double twister_fraction(twister *t) {
  uint32_t high = twister_draw(t) >> 5, low = twister_draw(t) >> 6;
  return (high * 67108864.0 + low) / 9007199254740992.0;
}

// Numbers from [0, 1) in x's shape, always the same for a seed.
static dl_value *uniform_like(dl_onnx_node *node, const dl_value *x, uint32_t seed) {
  dl_type type = dl_value_type(x);
  int64_t count = dl_num_elements(type);
  if (count < 0 || type->rank > DL_ONNX_MAX_RANK) {
    dl_onnx_error(node, "training mode with a shape known only at run time is not supported");
    return NULL;
  }
  double *numbers = dl_calloc((size_t)count + 1, sizeof(*numbers));
  twister t;
  twister_seed(&t, seed);
  for (int64_t i = 0; i < count; i++) numbers[i] = twister_fraction(&t);
  dl_onnx_tensor tensor = {.type = DL_ONNX_DOUBLE,
                           .rank = type->rank,
                           .num_elements = count,
                           .data = {(const char *)numbers, (size_t)count * sizeof(*numbers)},
                           .owned = numbers};
  memcpy(tensor.dims, type->shape, type->rank * sizeof(*tensor.dims));
  dl_attr value =
      dl_onnx_tensor_attr(node->importer, &tensor, dl_loc_first_name(node->loc), node->loc);
  dl_onnx_release_tensor(&tensor);
  return value ? dl_onnx_constant(node, value) : NULL;
}

// --- dropout ---

// False for a constant scalar that is zero: training is off for good.
static bool may_be_true(const dl_value *value) {
  dl_attr attr = dl_constant_value(value);
  dl_str bytes;
  bool splat;
  return !attr || !dl_dense_bytes(attr, &bytes, &splat) || bytes.len == 0 || bytes.data[0];
}

// A tensor of i1 in x's shape, all true: what Dropout keeps in inference.
static dl_value *all_true(dl_onnx_node *node, dl_value *x) {
  dl_type i1 = dl_int_type(node->ctx, 1);
  int64_t one = 1;
  dl_type type = dl_value_type(x);
  if (dl_has_static_shape(type))
    return dl_onnx_constant(
        node, dl_dense_attr(dl_tensor_type(i1, type->rank, type->shape, NULL), DL_STR("\1"), true));
  dl_value *shape = dl_onnx_unary(node, "graph.shape", x);
  dl_attr value = dl_dense_attr(dl_tensor_type(i1, 1, &one, NULL), DL_STR("\1"), false);
  dl_named_attr attr = {dl_intern_z(node->ctx, "value"), value};
  return shape ? dl_onnx_build_one(node, "graph.constant_of_shape", 1, &shape, 1, &attr) : NULL;
}

// Which elements are kept: all when not training, else those whose number is not below the ratio.
static dl_value *kept_elements(dl_onnx_node *node, dl_value *x, dl_value *ratio,
                               dl_value *training) {
  dl_value *numbers = uniform_like(node, x, (uint32_t)dl_onnx_int(node, "seed", 0));
  dl_value *least = dl_onnx_cast_to(node, ratio, dl_float_type(node->ctx, DL_F64));
  dl_value *drawn = dl_onnx_binary(node, "graph.greater_or_equal", numbers, least);
  return dl_onnx_binary(node, "graph.or", drawn, dl_onnx_unary(node, "graph.not", training));
}

// x / (1 - ratio) for kept elements, 0 for others; x when not training.
static dl_value *dropped(dl_onnx_node *node, dl_value *x, dl_value *ratio, dl_value *training,
                         dl_value *mask) {
  dl_type element = dl_element_type(dl_value_type(x));
  dl_value *one = dl_onnx_scalar_constant(node, element, 1);
  dl_value *rest = dl_onnx_binary(node, "graph.sub", one, dl_onnx_cast_to(node, ratio, element));
  dl_value *scale[] = {training, dl_onnx_unary(node, "graph.reciprocal", rest), one};
  if (!scale[1] || !mask) return NULL;
  dl_value *factor = dl_onnx_build_one(node, "graph.where", 3, scale, 0, NULL);
  dl_value *kept = dl_onnx_binary(node, "graph.mul", dl_onnx_cast_to(node, mask, element), x);
  return dl_onnx_binary(node, "graph.mul", kept, factor);
}

// The mask had the type of the data before operator set 10.
static dl_status set_mask(dl_onnx_node *node, dl_value *x, dl_value *mask, dl_value **results) {
  if (!dl_onnx_has_output(node, 1)) return DL_OK;
  if (node->opset < 10) mask = dl_onnx_cast_to(node, mask, dl_element_type(dl_value_type(x)));
  results[1] = mask;
  return mask ? DL_OK : DL_FAILED;
}

dl_status dl_onnx_emit_dropout(dl_onnx_node *node, dl_value **results) {
  DL_TRY(dl_onnx_require_input(node, 0));
  dl_value *x = dl_onnx_input(node, 0), *ratio = dl_onnx_input(node, 1);
  dl_value *training = dl_onnx_input(node, 2);
  if (!training || !may_be_true(training)) {
    results[0] = x;
    return dl_onnx_has_output(node, 1) ? set_mask(node, x, all_true(node, x), results) : DL_OK;
  }
  if (!ratio) ratio = dl_onnx_scalar_constant(node, dl_element_type(dl_value_type(x)), 0.5);
  dl_value *mask = kept_elements(node, x, ratio, training);
  results[0] = dropped(node, x, ratio, training, mask);
  return results[0] ? set_mask(node, x, mask, results) : DL_FAILED;
}

// --- batch normalization ---

// (x - mean) / sqrt(variance + epsilon) * scale + bias, where the parameters have x's shape
// without its first dimension, not one element per channel.
static dl_status normalize_elements(dl_onnx_node *node, dl_value **results) {
  for (size_t i = 0; i < 5; i++) DL_TRY(dl_onnx_require_input(node, i));
  dl_value *const *in = node->inputs.data;
  dl_attr given = dl_onnx_attr(node, "epsilon");
  dl_value *epsilon = dl_onnx_scalar_constant(node, dl_element_type(dl_value_type(in[0])),
                                              given ? given->number : 1e-5);
  dl_value *deviation =
      dl_onnx_unary(node, "graph.sqrt", dl_onnx_binary(node, "graph.add", in[4], epsilon));
  dl_value *x = dl_onnx_binary(node, "graph.sub", in[0], in[3]);
  x = dl_onnx_binary(node, "graph.div", x, deviation);
  x = dl_onnx_binary(node, "graph.mul", x, in[1]);
  results[0] = dl_onnx_binary(node, "graph.add", x, in[2]);
  return results[0] ? DL_OK : DL_FAILED;
}

dl_status dl_onnx_emit_batch_norm(dl_onnx_node *node, dl_value **results) {
  bool training = dl_onnx_int(node, "training_mode", 0) != 0;
  bool per_element = dl_onnx_int(node, "spatial", 1) == 0;
  dl_onnx_set_attr(node, "training_mode", NULL);
  dl_onnx_set_attr(node, "spatial", NULL);
  if (training && per_element)
    return dl_onnx_error(node, "training without attribute 'spatial' is not supported");
  if (per_element) return normalize_elements(node, results);
  if (training) return dl_onnx_build(node, "graph.batch_normalization_training", results);
  dl_onnx_set_attr(node, "momentum", NULL);
  return dl_onnx_build(node, "graph.batch_normalization", results);
}
