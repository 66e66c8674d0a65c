// The same program in double precision, where another order of operations makes almost no
// difference: what is left of a difference then is a fault. In f32 the roundings of a deep network
// hide a channel that is off by a thousandth.
#include "dialects/check_internal.h"

static dl_type widen_element(dl_type type) {
  bool is_f32 = type->kind == DL_TYPE_FLOAT && type->float_kind == DL_F32;
  return is_f32 ? dl_float_type(type->ctx, DL_F64) : type;
}

static dl_type widen(dl_type type) {
  if (!dl_is_tensor(type) || type->unranked) return widen_element(type);
  return dl_tensor_type(widen_element(type->element), type->rank, type->shape, type->encoding);
}

// Ops that look at bits, memory, or vectors, whose constants are not converted where they are read.
static bool can_widen(const dl_op *op) {
  if (!strncmp(dl_op_name(op), "loop.", 5) || !strcmp(dl_op_name(op), "arith.bitcast"))
    return false;
  for (size_t i = 0; i < dl_num_results(op); i++)
    if (dl_value_type(dl_result(op, i))->kind == DL_TYPE_VECTOR) return false;
  return true;
}

static bool widen_op(dl_op *op, void *user) {
  bool *fits = user;
  if (!can_widen(op)) *fits = false;
  for (size_t i = 0; i < dl_num_results(op); i++)
    dl_value_set_type(dl_result(op, i), widen(dl_value_type(dl_result(op, i))));
  for (size_t i = 0; i < dl_num_regions(op); i++) DL_FOR_BLOCKS(block, dl_op_region(op, i)) {
      for (size_t k = 0; k < dl_num_args(block); k++)
        dl_value_set_type(dl_arg(block, k), widen(dl_value_type(dl_arg(block, k))));
    }
  return *fits;
}

static dl_op *widen_module(const dl_op *module) {
  dl_op *copy = dl_op_clone(module, NULL);
  bool fits = true;
  dl_walk(copy, widen_op, &fits);
  if (fits) return copy;
  dl_op_destroy_tree(copy);
  return NULL;
}

static dl_ndarray *widen_array(dl_ndarray *array) {
  dl_type element = widen_element(array->element);
  return element == array->element ? dl_ndarray_retain(array) : dl_ndarray_convert(array, element);
}

static dl_check_inputs *widen_inputs(const dl_check_inputs *inputs) {
  dl_check_inputs *wide = dl_inputs_create(inputs->function, inputs->count);
  wide->set = inputs->set;
  for (size_t i = 0; i < inputs->count; i++) {
    wide->arrays[i] = widen_array(inputs->arrays[i]);
    wide->is_buffer[i] = inputs->is_buffer[i];
  }
  return wide;
}

static void ignore(void *user, const dl_diagnostic *diagnostic) { (void)user, (void)diagnostic; }

bool dl_check_run_in_double(dl_checker *checker, dl_op *module, const dl_check_inputs *inputs,
                            dl_function_outputs *outcome) {
  dl_op *wide = widen_module(module);
  if (!wide) return false;
  dl_diag_handler handler;
  void *user;
  dl_get_diag_handler(checker->ctx, &handler, &user);
  dl_set_diag_handler(checker->ctx, ignore, NULL);
  dl_check_inputs *wide_inputs = widen_inputs(inputs);
  dl_interp_options options = {.engine = checker->engine};
  bool ok = dl_check_run_function(wide, wide_inputs, &options, outcome) == DL_OK;
  dl_free_inputs(wide_inputs);
  dl_set_diag_handler(checker->ctx, handler, user);
  dl_op_destroy_tree(wide);
  return ok;
}
