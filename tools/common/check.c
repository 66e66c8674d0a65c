#include "tools/common/check.h"

#include <inttypes.h>
#include <math.h>

#include "dialects/eval/kernel.h"
#include "dialects/interp.h"

typedef struct outcome {
  dl_ident function;
  size_t count;
  dl_ndarray **outputs;
} outcome;

typedef DL_VEC(outcome) outcomes;

// --- inputs ---

static uint64_t next_random(uint64_t *state) {
  uint64_t x = *state += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

static dl_scalar_value random_scalar(dl_type element, uint64_t *state) {
  uint64_t bits = next_random(state);
  double real = (double)(int64_t)(bits >> 39) / (1 << 24) - 1;
  dl_scalar_value value = {0};
  switch (dl_lane_of(element)) {
    case DL_LANE_F32:
      value.f = (float)real;
      break;
    case DL_LANE_F64:
      value.d = real;
      break;
    default:
      value.i = element->kind == DL_TYPE_INTEGER && (element->width == 8 || element->width == 16)
                    ? (int64_t)(bits & 15) - (element->signedness == DL_UNSIGNED ? 0 : 8)
                    : (int64_t)(bits & 1);
  }
  return value;
}

static int64_t size_of(dl_type type, size_t dimension) {
  if (type->shape[dimension] != DL_DYNAMIC) return type->shape[dimension];
  bool named = type->kind == DL_TYPE_TENSOR && type->encoding;
  dl_attr names = named ? dl_keyed_param(type->encoding, "dims") : NULL;
  if (!names || dimension >= names->count || !names->elements[dimension]->name) return 2;
  uint64_t sum = 0;
  for (const char *c = names->elements[dimension]->name; *c; c++) sum += (unsigned char)*c;
  return 2 + (int64_t)(sum % 3);
}

static bool is_shaped(dl_type type) {
  return (type->kind == DL_TYPE_TENSOR && !type->unranked) || type->kind == DL_TYPE_VECTOR;
}

static bool can_make(dl_type type) {
  return dl_lane_of(is_shaped(type) ? type->element : type) != DL_LANE_NONE;
}

static dl_ndarray *make_input(dl_type type, size_t position) {
  int64_t sizes[64];
  size_t rank = is_shaped(type) ? type->rank : 0;
  if (rank > DL_COUNT(sizes)) return NULL;
  for (size_t i = 0; i < rank; i++) sizes[i] = size_of(type, i);
  dl_type element = is_shaped(type) ? type->element : type;
  dl_ndarray *array = dl_ndarray_create(element, rank, sizes);
  if (!array) return NULL;
  uint64_t state = position;
  size_t bytes = dl_element_bytes(element);
  for (int64_t i = 0; i < array->count; i++) {
    dl_scalar_value value = random_scalar(element, &state);
    dl_lanes_store(element, &value, array->data + (size_t)i * bytes, 1, 1);
  }
  return array;
}

// --- running ---

static dl_status run_function(dl_op *module, dl_op *function, outcome *result) {
  dl_type signature = dl_interp_signature(function);
  size_t count = signature->num_inputs;
  dl_ndarray **inputs = dl_calloc(count + 1, sizeof(dl_ndarray *));
  dl_status status = DL_OK;
  for (size_t i = 0; i < count && status == DL_OK; i++)
    if (!(inputs[i] = make_input(signature->inputs[i], i)))
      status = dl_error(dl_op_loc(function), "input #%zu is too large to be checked", i);
  result->function = dl_symbol_name(function);
  if (status == DL_OK)
    status = dl_interp_run(module, result->function, count, inputs, &result->count,
                           &result->outputs, NULL);
  for (size_t i = 0; i < count; i++) dl_ndarray_release(inputs[i]);
  free(inputs);
  return status;
}

static bool can_run(dl_op *op) {
  if (!dl_has_trait(op, DL_FUNCTION) || dl_region_empty(dl_op_region(op, 0))) return false;
  if (dl_str_is(dl_get_str(op, "sym_visibility"), "private")) return false;
  dl_type signature = dl_interp_signature(op);
  if (!signature || signature->kind != DL_TYPE_FUNCTION) return false;
  for (size_t i = 0; i < signature->num_inputs; i++)
    if (!can_make(signature->inputs[i])) return false;
  return true;
}

static void release(void *user, void *result) {
  (void)user;
  outcomes *all = result;
  for (size_t i = 0; i < all->len; i++) dl_interp_release(all->data[i].count, all->data[i].outputs);
  DL_VEC_FREE(all);
  free(all);
}

static dl_status run_functions(dl_op *module, outcomes *all) {
  dl_op *main = dl_symbol_lookup(module, dl_intern_z(dl_op_context(module), "main"));
  DL_FOR_OPS(op, dl_region_first(dl_op_region(module, 0))) {
    if ((main && op != main) || !can_run(op)) continue;
    outcome result = {0};
    DL_TRY(run_function(module, op, &result));
    DL_PUSH(all, result);
  }
  if (all->len) return DL_OK;
  return dl_error(dl_op_loc(module), "there is no public function that can be run to check passes");
}

static void *evaluate(void *user, dl_op *module) {
  outcomes *all = dl_calloc(1, sizeof(*all));
  if (run_functions(module, all) == DL_OK) return all;
  release(user, all);
  return NULL;
}

// --- comparing ---

static bool is_float(const dl_ndarray *array) { return array->element->kind == DL_TYPE_FLOAT; }

static double largest_magnitude(const dl_ndarray *array) {
  double largest = 0;
  for (int64_t i = 0; i < array->count; i++) {
    double magnitude = fabs(dl_ndarray_f64(array, i));
    if (isfinite(magnitude) && magnitude > largest) largest = magnitude;
  }
  return largest;
}

// The distance of neighbouring values, relative to their size, or something a little more.
static double relative_step(dl_type element) {
  switch (element->float_kind) {
    case DL_F64:
      return 0x1p-52;
    case DL_F32:
      return 0x1p-23;
    case DL_F16:
      return 0x1p-10;
    case DL_BF16:
      return 0x1p-7;
    default:
      return 0x1p-2;
  }
}

static double tolerance(const dl_ndarray *array, dl_contract contract, double bound) {
  if (!is_float(array) || contract == DL_EXACT) return 0;
  double relative = contract == DL_APPROXIMATE ? bound : 0x1p-16 + relative_step(array->element);
  return relative * largest_magnitude(array);
}

static bool elements_equal(const dl_ndarray *a, const dl_ndarray *b, int64_t i, double allowed) {
  size_t bytes = dl_element_bytes(a->element), at = (size_t)i * bytes;
  if (!memcmp(a->data + at, b->data + at, bytes)) return true;
  if (!is_float(a)) return false;
  double x = dl_ndarray_f64(a, i), y = dl_ndarray_f64(b, i);
  return (isnan(x) && isnan(y)) || (allowed > 0 && fabs(x - y) <= allowed);
}

static bool same_shape(const dl_ndarray *a, const dl_ndarray *b) {
  return a->element == b->element && a->rank == b->rank &&
         (a->rank == 0 || !memcmp(a->shape, b->shape, a->rank * sizeof(*a->shape)));
}

static void explain(dl_buffer *why, const dl_ndarray *a, const dl_ndarray *b, int64_t i) {
  if (is_float(a))
    dl_buffer_printf(why, "element %" PRId64 " was %.9g and is %.9g", i, dl_ndarray_f64(a, i),
                     dl_ndarray_f64(b, i));
  else
    dl_buffer_printf(why, "element %" PRId64 " was %" PRId64 " and is %" PRId64, i,
                     dl_ndarray_i64(a, i), dl_ndarray_i64(b, i));
}

static bool arrays_equal(const dl_ndarray *a, const dl_ndarray *b, double allowed, dl_buffer *why) {
  if (!same_shape(a, b)) return dl_buffer_puts(why, "type or shape differs"), false;
  for (int64_t i = 0; i < a->count; i++) {
    if (elements_equal(a, b, i, allowed)) continue;
    explain(why, a, b, i);
    if (allowed > 0) dl_buffer_printf(why, " (%.3g more or less is allowed)", allowed);
    return false;
  }
  return true;
}

static const outcome *find_outcome(const outcomes *all, dl_ident function) {
  for (size_t i = 0; i < all->len; i++)
    if (all->data[i].function == function) return &all->data[i];
  return NULL;
}

static bool outcomes_equal(const outcome *a, const outcome *b, dl_contract contract, double bound,
                           dl_buffer *why) {
  dl_buffer_printf(why, "@%s", a->function);
  if (!b || a->count != b->count) {
    dl_buffer_puts(why, b ? " has another number of results" : " is gone");
    return false;
  }
  for (size_t i = 0; i < a->count; i++) {
    size_t len = why->len;
    dl_buffer_printf(why, ", result #%zu: ", i);
    double allowed = tolerance(a->outputs[i], contract, bound);
    if (!arrays_equal(a->outputs[i], b->outputs[i], allowed, why)) return false;
    why->len = len;
  }
  return true;
}

static bool equal(void *user, void *before, void *after, dl_contract contract, double bound,
                  dl_buffer *why) {
  (void)user;
  const outcomes *old = before, *new = after;
  for (size_t i = 0; i < old->len; i++) {
    const outcome *a = &old->data[i];
    why->len = 0;
    if (!outcomes_equal(a, find_outcome(new, a->function), contract, bound, why)) return false;
  }
  return true;
}

const dl_executor dl_interpreter_executor = {
    .evaluate = evaluate, .equal = equal, .release = release};
