#include "dialects/eval/box_internal.h"

// Writes expr = sum of coefficients * iterators + constant; false if it has no such form.
static bool affine_form(dl_expr expr, size_t num_iterators, int64_t *coefficients,
                        int64_t *constant) {
  for (size_t i = 0; i < num_iterators; i++) {
    if (!dl_expr_split_dim(expr, (unsigned)i, &coefficients[i], &expr)) return false;
  }
  *constant = expr->value;
  return expr->kind == DL_EXPR_CONST;
}

static void init_axis(dl_axis *axis, dl_box *box, dl_expr index, size_t strip) {
  size_t count = box->num_iterators;
  int64_t *coefficients = dl_arena_alloc(box->arena, count * sizeof(int64_t) + 1);
  if (affine_form(index, count, coefficients, &axis->constant)) {
    axis->coefficients = coefficients;
    axis->step = strip < count ? coefficients[strip] : 0;
  } else if (strip == count) {
    axis->rest = index;
  } else if (!dl_expr_split_dim(index, (unsigned)strip, &axis->step, &axis->rest)) {
    axis->rest = NULL;
  }
}

void dl_access_init(dl_access *access, dl_box *box, const dl_ndarray *array, const dl_expr *indices,
                    size_t strip) {
  *access = (dl_access){.rank = array->rank};
  access->axes = dl_arena_alloc(box->arena, array->rank * sizeof(dl_axis) + 1);
  int64_t stride = 1;
  for (size_t i = array->rank; i-- > 0;) {
    dl_axis *axis = &access->axes[i];
    axis->size = array->shape[i];
    axis->stride = stride;
    stride *= array->shape[i];
    init_axis(axis, box, indices[i], strip);
    access->per_lane |= !axis->coefficients && !axis->rest;
  }
  for (size_t i = 0; i < array->rank && access->per_lane; i++)
    access->axes[i].lanes = dl_box_expr(box, indices[i]);
}

static bool index_at(const dl_axis *axis, const int64_t *point, size_t num_iterators,
                     int64_t strip_value, int64_t *index) {
  if (axis->coefficients) {
    *index = axis->constant;
    for (size_t i = 0; i < num_iterators; i++) *index += axis->coefficients[i] * point[i];
    return true;
  }
  if (!dl_expr_eval(axis->rest, point, NULL, index)) return false;
  *index += axis->step * strip_value;
  return true;
}

// Narrows the span to the lanes with 0 <= index + step * lane < size.
static void narrow(dl_span *span, int64_t index, int64_t step, int64_t size) {
  if (step == 0) {
    if (index < 0 || index >= size) span->hi = span->lo;
    return;
  }
  // The first lane that is in range, and the first after it that is not.
  int64_t enter = step > 0 ? -index : index - size + 1, leave = step > 0 ? size - index : index + 1;
  int64_t magnitude = step > 0 ? step : -step;
  int64_t lo = enter <= 0 ? 0 : (enter + magnitude - 1) / magnitude;
  int64_t hi = leave <= 0 ? 0 : (leave + magnitude - 1) / magnitude;
  if (lo > (int64_t)span->lo) span->lo = (size_t)lo;
  if (hi < (int64_t)span->hi) span->hi = (size_t)hi;
  if (span->lo > span->hi) span->lo = span->hi;
}

dl_span dl_access_span(const dl_access *access, const int64_t *point, size_t num_iterators,
                       size_t strip, size_t count) {
  dl_span span = {.hi = count};
  int64_t strip_value = strip < num_iterators ? point[strip] : 0;
  for (size_t i = 0; i < access->rank; i++) {
    const dl_axis *axis = &access->axes[i];
    int64_t index;
    if (!index_at(axis, point, num_iterators, strip_value, &index)) return (dl_span){0};
    narrow(&span, index, axis->step, axis->size);
    span.first += index * axis->stride;
    span.step += axis->step * axis->stride;
  }
  return span;
}
