#include <math.h>

#include "dialects/check_internal.h"

dl_ndarray *dl_copy_array(const dl_ndarray *array) {
  dl_ndarray *copy = dl_ndarray_create(array->element, array->rank, array->shape);
  if (!copy) dl_bug(NULL, "out of memory for a copy of an array");
  memcpy(copy->data, array->data, dl_ndarray_bytes(array));
  return copy;
}

bool dl_same_shape(const dl_ndarray *a, const dl_ndarray *b) {
  return a->element == b->element && a->rank == b->rank &&
         (!a->rank || !memcmp(a->shape, b->shape, a->rank * sizeof(int64_t)));
}

static bool same_element(const dl_ndarray *a, const dl_ndarray *b, int64_t i) {
  size_t size = dl_element_bytes(a->element);
  if (!memcmp(a->data + (size_t)i * size, b->data + (size_t)i * size, size)) return true;
  return dl_is_float(a->element) && isnan(dl_ndarray_f64(a, i)) && isnan(dl_ndarray_f64(b, i));
}

bool dl_same_bits(const dl_ndarray *a, const dl_ndarray *b) {
  if (!memcmp(a->data, b->data, dl_ndarray_bytes(a))) return true;
  for (int64_t i = 0; i < a->count; i++) {
    if (!same_element(a, b, i)) return false;
  }
  return true;
}

double dl_max_magnitude(const dl_ndarray *array) {
  double largest = 0;
  for (int64_t i = 0; i < array->count; i++) {
    double magnitude = fabs(dl_ndarray_f64(array, i));
    if (isfinite(magnitude) && magnitude > largest) largest = magnitude;
  }
  return largest;
}

dl_spreads dl_spreads_create(const dl_ndarray *exact) {
  return (dl_spreads){.each = dl_calloc((size_t)exact->count, sizeof(double))};
}

void dl_spreads_add(dl_spreads *spreads, const dl_ndarray *exact, const dl_ndarray *noisy) {
  for (int64_t i = 0; i < exact->count; i++) {
    double deviation = fabs(dl_ndarray_f64(exact, i) - dl_ndarray_f64(noisy, i));
    if (deviation > spreads->each[i]) spreads->each[i] = deviation;
  }
}

// Integers come from floats by rounding: where some may be off by so much, all may.
void dl_spreads_finish(dl_spreads *spreads, const dl_ndarray *exact) {
  double squares = 0, relative = 0, largest = 0;
  for (int64_t i = 0; i < exact->count; i++) {
    double deviation = isfinite(spreads->each[i]) ? spreads->each[i] : 0;
    double magnitude = fabs(dl_ndarray_f64(exact, i));
    squares += deviation * deviation;
    if (deviation > 0)
      relative += deviation / fmax(deviation, magnitude) * deviation / fmax(deviation, magnitude);
    if (deviation > largest) largest = deviation;
  }
  double count = exact->count ? (double)exact->count : 1;
  spreads->average = sqrt(squares / count);
  spreads->relative = sqrt(relative / count);
  if (!dl_is_float(exact->element)) spreads->everywhere += largest;
}

void dl_spreads_free(dl_spreads *spreads) { free(spreads->each); }

// An element may have been lucky in all runs, so the others count too: their deviations, or, where
// elements of several magnitudes stand side by side, their relative deviations if that is less.
static double allowed_at(const dl_ndarray *exact, int64_t i, const dl_spreads *spreads,
                         double margin) {
  if (!spreads->each) return spreads->everywhere;
  double magnitude = fabs(dl_ndarray_f64(exact, i));
  double usual = fmin(spreads->average, 4 * spreads->relative * magnitude);
  return spreads->everywhere + margin * (usual + spreads->each[i]);
}

// How far the elements are apart, in units of what is allowed; above 1 is too far.
static double excess(const dl_ndarray *a, const dl_ndarray *b, int64_t i, const dl_spreads *spreads,
                     double margin) {
  if (same_element(a, b, i)) return 0;
  double difference = fabs(dl_ndarray_f64(a, i) - dl_ndarray_f64(b, i));
  double allowed = allowed_at(a, i, spreads, margin);
  if (isnan(allowed)) return 0;  // the version before is not finite when perturbed
  if (isnan(difference) || allowed == 0) return INFINITY;
  return difference / allowed;
}

static void print_element(dl_buffer *out, const dl_ndarray *array, int64_t i) {
  if (dl_is_float(array->element)) {
    dl_buffer_printf(out, "%.9g", dl_ndarray_f64(array, i));
  } else {
    dl_buffer_printf(out, "%lld", (long long)dl_ndarray_i64(array, i));
  }
}

bool dl_compare_arrays(const dl_ndarray *a, const dl_ndarray *b, const dl_spreads *spreads,
                       double margin, dl_buffer *why) {
  int64_t worst = 0, count = 0;
  double largest = 0;
  for (int64_t i = 0; i < a->count; i++) {
    double by = excess(a, b, i, spreads, margin);
    count += by > 1;
    if (by <= largest) continue;
    largest = by;
    worst = i;
  }
  if (!count) return true;
  dl_buffer_printf(why, "element %lld was ", (long long)worst);
  print_element(why, a, worst);
  dl_buffer_puts(why, " and is ");
  print_element(why, b, worst);
  if (isfinite(largest)) dl_buffer_printf(why, ", %.3g times what is allowed", largest);
  if (count > 1) dl_buffer_printf(why, " (the worst of %lld that differ)", (long long)count);
  return false;
}
