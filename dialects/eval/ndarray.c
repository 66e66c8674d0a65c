#include "dialects/ndarray.h"

#include "dialects/eval/kernel.h"

static bool count_elements(size_t rank, const int64_t *shape, size_t element_bytes,
                           int64_t *count) {
  int64_t bytes;
  *count = 1;
  for (size_t i = 0; i < rank; i++) {
    if (shape[i] < 0) return false;
    if (shape[i] == 0) {
      *count = 0;
      return true;
    }
    if (__builtin_mul_overflow(*count, shape[i], count)) return false;
  }
  return !__builtin_mul_overflow(*count, (int64_t)element_bytes, &bytes);
}

static dl_ndarray *allocate(dl_type element, size_t rank, const int64_t *shape, int64_t count) {
  dl_ndarray *array = dl_calloc(1, sizeof(*array) + rank * sizeof(int64_t));
  int64_t *own_shape = (int64_t *)(array + 1);
  if (rank) memcpy(own_shape, shape, rank * sizeof(int64_t));
  array->references = 1;
  array->element = element;
  array->rank = rank;
  array->shape = own_shape;
  array->count = count;
  return array;
}

dl_ndarray *dl_ndarray_create(dl_type element, size_t rank, const int64_t *shape) {
  int64_t count;
  size_t size = dl_element_bytes(element);
  if (!count_elements(rank, shape, size, &count)) return NULL;
  char *data = calloc(count ? (size_t)count : 1, size ? size : 1);
  if (!data) return NULL;
  dl_ndarray *array = allocate(element, rank, shape, count);
  array->data = data;
  return array;
}

dl_ndarray *dl_ndarray_reshape(dl_ndarray *array, size_t rank, const int64_t *shape) {
  int64_t count;
  if (!count_elements(rank, shape, 1, &count) || count != array->count) return NULL;
  dl_ndarray *view = allocate(array->element, rank, shape, count);
  view->base = dl_ndarray_retain(array->base ? array->base : array);
  view->data = array->data;
  return view;
}

dl_ndarray *dl_ndarray_of_attr(dl_attr dense) {
  dl_str bytes;
  bool splat;
  if (!dl_dense_bytes(dense, &bytes, &splat) || !dl_has_static_shape(dense->type)) return NULL;
  dl_ndarray *array =
      dl_ndarray_create(dense->type->element, dense->type->rank, dense->type->shape);
  if (!array) return NULL;
  size_t size = dl_element_bytes(array->element);
  if (bytes.len < (splat ? size : dl_ndarray_bytes(array))) {
    dl_ndarray_release(array);
    return NULL;
  }
  if (splat) {
    for (int64_t i = 0; i < array->count; i++)
      memcpy(array->data + (size_t)i * size, bytes.data, size);
  } else if (bytes.len) {
    memcpy(array->data, bytes.data, dl_ndarray_bytes(array));
  }
  return array;
}

dl_ndarray *dl_ndarray_convert(const dl_ndarray *array, dl_type element) {
  dl_ndarray *converted = dl_ndarray_create(element, array->rank, array->shape);
  size_t size = dl_element_bytes(element);
  for (int64_t i = 0; converted && i < array->count; i++) {
    double number = dl_ndarray_f64(array, i);
    dl_scalar_value value = {.d = number};
    if (dl_lane_of(element) == DL_LANE_F32) value.f = (float)number;
    dl_lanes_store(element, &value, converted->data + (size_t)i * size, 1, 1);
  }
  return converted;
}

dl_ndarray *dl_ndarray_retain(dl_ndarray *array) {
  array->references++;
  return array;
}

void dl_ndarray_release(dl_ndarray *array) {
  if (!array || --array->references) return;
  if (array->base) {
    dl_ndarray_release(array->base);
  } else {
    free(array->data);
  }
  free(array);
}

size_t dl_ndarray_bytes(const dl_ndarray *array) {
  return (size_t)array->count * dl_element_bytes(array->element);
}

static dl_scalar_value element_at(const dl_ndarray *array, int64_t i) {
  dl_scalar_value value = {0};
  size_t size = dl_element_bytes(array->element);
  dl_lanes_load(array->element, &value, array->data + (size_t)i * size, 1, 1);
  return value;
}

double dl_ndarray_f64(const dl_ndarray *array, int64_t i) {
  dl_scalar_value value = element_at(array, i);
  switch (dl_lane_of(array->element)) {
    case DL_LANE_F32:
      return value.f;
    case DL_LANE_F64:
      return value.d;
    default:
      return (double)value.i;
  }
}

int64_t dl_ndarray_i64(const dl_ndarray *array, int64_t i) {
  if (dl_lane_of(array->element) != DL_LANE_INT) return (int64_t)dl_ndarray_f64(array, i);
  return element_at(array, i).i;
}

bool dl_ndarray_fits(const dl_ndarray *array, dl_type tensor) {
  if (!dl_is_tensor(tensor) || tensor->element != array->element) return false;
  if (tensor->unranked) return true;
  if (tensor->rank != array->rank) return false;
  for (size_t i = 0; i < array->rank; i++) {
    if (tensor->shape[i] != DL_DYNAMIC && tensor->shape[i] != array->shape[i]) return false;
  }
  return true;
}
