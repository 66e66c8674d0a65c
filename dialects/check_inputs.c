#include <math.h>

#include "dialects/check_internal.h"
#include "dialects/eval/kernel.h"
#include "dialects/loop/loop.h"

enum { POINTER_ELEMENTS = 1 << 16 };

// Sizes of dynamic dimensions: below, and above, what vectors and tiles hold, and divided by none.
static const int64_t first_dynamic_size[] = {
    [DL_INPUTS_PLAIN] = 3, [DL_INPUTS_WIDE] = 17, [DL_INPUTS_SPECIAL] = 5};

dl_check_inputs *dl_inputs_create(dl_ident function, size_t count) {
  dl_check_inputs *inputs = dl_calloc(1, sizeof(*inputs));
  *inputs = (dl_check_inputs){.function = function,
                              .count = count,
                              .arrays = dl_calloc(count, sizeof(dl_ndarray *)),
                              .is_buffer = dl_calloc(count, sizeof(bool))};
  return inputs;
}

void dl_free_inputs(dl_check_inputs *inputs) {
  for (size_t i = 0; i < inputs->count; i++) dl_ndarray_release(inputs->arrays[i]);
  free(inputs->arrays);
  free(inputs->is_buffer);
  free(inputs);
}

typedef struct maker {
  uint64_t random;
  dl_input_set set;
  dl_integer_style style;
  DL_VEC(dl_ident) dims;  // names of dynamic dimensions met so far
  DL_VEC(int64_t) sizes;  // theirs
} maker;

static double uniform(uint64_t *state) { return (double)(dl_random(state) >> 11) * 0x1p-53; }

static double plain_number(maker *m) {
  double number = 4 * uniform(&m->random) - 2;
  return dl_random(&m->random) % 16 ? number : 0;
}

// Of either sign; magnitudes from 2^-10 to 2^7.
static double wide_number(maker *m) {
  double number = plain_number(m);
  return ldexp(number, (int)(dl_random(&m->random) % 17) - 10);
}

static double special_number(maker *m) {
  static const double numbers[] = {NAN, INFINITY, -INFINITY, -0.0, 0x1p-140, -0x1p-149, 3e38, -3e38,
                                   0.5, 1.5,      -2.5,      1,    -1,       0x1p24,    88.8, -104};
  uint64_t choice = dl_random(&m->random);
  return choice % 8 ? plain_number(m) : numbers[(choice >> 3) % DL_COUNT(numbers)];
}

static double number_of(maker *m) {
  return m->set == DL_INPUTS_WIDE      ? wide_number(m)
         : m->set == DL_INPUTS_SPECIAL ? special_number(m)
                                       : plain_number(m);
}

static int64_t integer_of(const maker *m, uint64_t bits) {
  if (m->style == DL_INTEGERS_WIDE) return (int64_t)(bits % 201) - 100;
  return m->style == DL_INTEGERS_RANDOM ? (int64_t)(bits % 3) : m->style == DL_INTEGERS_ONE;
}

static void fill(maker *m, dl_ndarray *array) {
  dl_type element = array->element;
  size_t size = dl_element_bytes(element);
  for (int64_t i = 0; i < array->count; i++) {
    double number = number_of(m);
    uint64_t bits = dl_random(&m->random);
    int64_t small = integer_of(m, bits);
    dl_scalar_value value = {0};
    switch (dl_lane_of(element)) {
      case DL_LANE_F32:
        value.f = (float)number;
        break;
      case DL_LANE_F64:
        value.d = number;
        break;
      default:
        value.i = size > 1 ? small : (int64_t)bits;
    }
    if (element->kind == DL_TYPE_INTEGER && element->width == 1) value.i &= 1;
    dl_lanes_store(element, &value, array->data + (size_t)i * size, 1, 1);
  }
}

// The name of a dimension in a tensor's encoding, `dims = [N, _]`, or NULL.
static dl_ident dimension_name(dl_type tensor, size_t dim) {
  dl_attr dims = tensor->encoding && tensor->encoding->kind == DL_ATTR_DIALECT
                     ? dl_keyed_param(tensor->encoding, "dims")
                     : NULL;
  if (!dims || dims->kind != DL_ATTR_ARRAY || dim >= dims->count) return NULL;
  dl_ident name = dims->elements[dim]->name;
  return name && strcmp(name, "_") ? name : NULL;
}

// Tensors that would hold little otherwise are made longer, so that rare numbers meet each other.
static int64_t dynamic_size(maker *m, dl_type type, size_t dim) {
  enum { FEW = 8, LONGER = 13 };
  dl_ident name = dimension_name(type, dim);
  int64_t first = first_dynamic_size[m->set], others = 1;
  for (size_t i = 0; i < type->rank; i++)
    if (i != dim) others *= type->shape[i] == DL_DYNAMIC ? first : type->shape[i];
  if (m->set != DL_INPUTS_PLAIN && others <= FEW) first *= LONGER;
  if (!name) return first;
  for (size_t i = 0; i < m->dims.len; i++) {
    if (m->dims.data[i] == name) return m->sizes.data[i];
  }
  DL_PUSH(&m->dims, name);
  DL_PUSH(&m->sizes, first + (int64_t)m->dims.len - 1);
  return m->sizes.data[m->sizes.len - 1];
}

static dl_ndarray *make_tensor(maker *m, dl_type type) {
  int64_t *shape = dl_calloc(type->rank, sizeof(*shape));
  for (size_t i = 0; i < type->rank; i++) {
    bool dynamic = type->shape[i] == DL_DYNAMIC;
    shape[i] = dynamic ? dynamic_size(m, type, i) : type->shape[i];
  }
  dl_ndarray *array = dl_ndarray_create(type->element, type->rank, shape);
  free(shape);
  return array;
}

static dl_ndarray *make_array(maker *m, dl_type type) {
  dl_ndarray *array = NULL;
  int64_t elements = POINTER_ELEMENTS;
  if (dl_is_loop_ptr(type)) {
    array = dl_ndarray_create(dl_loop_ptr_element(type), 1, &elements);
  } else if (dl_is_tensor(type) && !type->unranked && dl_lane_of(type->element)) {
    array = make_tensor(m, type);
  } else if (type->kind == DL_TYPE_VECTOR && dl_has_static_shape(type)) {
    array = dl_ndarray_create(type->element, type->rank, type->shape);
  } else if (dl_lane_of(type)) {
    array = dl_ndarray_create(type, 0, NULL);
  }
  if (array) fill(m, array);
  return array;
}

dl_check_inputs *dl_make_inputs(const dl_op *function, uint64_t seed, dl_input_set set,
                                dl_integer_style style) {
  dl_type type = dl_interp_signature(function);
  maker m = {.random = seed + (uint64_t)set, .set = set, .style = style};
  dl_check_inputs *inputs = dl_inputs_create(dl_symbol_name(function), type->num_inputs);
  inputs->set = set;
  bool complete = true;
  for (size_t i = 0; i < type->num_inputs && complete; i++) {
    inputs->arrays[i] = make_array(&m, type->inputs[i]);
    inputs->is_buffer[i] = dl_is_loop_ptr(type->inputs[i]);
    complete = inputs->arrays[i] != NULL;
  }
  DL_VEC_FREE(&m.dims);
  DL_VEC_FREE(&m.sizes);
  if (complete) return inputs;
  dl_free_inputs(inputs);
  return NULL;
}
