// Runs programs for the checker: on which inputs, and in which process.
#include "dialects/check_internal.h"

// A program that does so much, in ops and points of dense computations, is run on plain inputs
// only.
#define SMALL_WORK 2e7

static bool is_checked(const dl_op *op, bool has_main) {
  if (!dl_has_trait(op, DL_FUNCTION) || !dl_num_regions(op)) return false;
  if (dl_region_empty(dl_op_region(op, 0))) return false;
  if (has_main) return !strcmp(dl_symbol_name(op), "main");
  return !dl_str_is(dl_get_str(op, "sym_visibility"), "private");
}

static void add_outputs(dl_function_outputs *outcome, size_t count, dl_ndarray **arrays) {
  for (size_t i = 0; i < count; i++) DL_PUSH(&outcome->outputs, arrays[i]);
}

dl_status dl_check_run_function(dl_op *module, const dl_check_inputs *inputs,
                                const dl_interp_options *options, dl_function_outputs *outcome) {
  dl_ndarray **copies = dl_calloc(inputs->count, sizeof(*copies)), **outputs;
  for (size_t i = 0; i < inputs->count; i++) copies[i] = dl_copy_array(inputs->arrays[i]);
  size_t num_outputs;
  dl_status status = dl_interp_run(module, inputs->function, inputs->count, copies, &num_outputs,
                                   &outputs, options);
  outcome->function = inputs->function;
  outcome->set = inputs->set;
  add_outputs(outcome, num_outputs, outputs);
  free(outputs);
  for (size_t i = 0; i < inputs->count; i++) {
    if (inputs->is_buffer[i]) {
      DL_PUSH(&outcome->outputs, copies[i]);
    } else {
      dl_ndarray_release(copies[i]);
    }
  }
  free(copies);
  return status;
}

void dl_check_release_outputs(dl_function_outputs *outcome) {
  for (size_t i = 0; i < outcome->outputs.len; i++) dl_ndarray_release(outcome->outputs.data[i]);
  DL_VEC_FREE(&outcome->outputs);
}

void dl_check_free_result(dl_check_result *result) {
  for (size_t i = 0; i < result->outcomes.len; i++)
    dl_check_release_outputs(&result->outcomes.data[i]);
  DL_VEC_FREE(&result->outcomes);
  if (result->module) dl_op_destroy_tree(result->module);
  free(result);
}

// --- inputs ---

static void ignore(void *user, const dl_diagnostic *diagnostic) { (void)user, (void)diagnostic; }

// Whether the function runs on the inputs; quietly.
static bool runs(const dl_checker *checker, dl_op *module, const dl_check_inputs *inputs) {
  dl_diag_handler handler;
  void *user;
  dl_get_diag_handler(checker->ctx, &handler, &user);
  dl_set_diag_handler(checker->ctx, ignore, NULL);
  dl_function_outputs outcome = {0};
  dl_interp_options options = {.engine = checker->engine};
  bool ok = dl_check_run_function(module, inputs, &options, &outcome) == DL_OK;
  dl_check_release_outputs(&outcome);
  dl_set_diag_handler(checker->ctx, handler, user);
  return ok;
}

static dl_check_inputs *find_inputs(dl_checker *checker, dl_ident function, dl_input_set set) {
  for (size_t i = 0; i < checker->inputs.len; i++) {
    dl_check_inputs *inputs = checker->inputs.data[i];
    if (inputs->function == function && inputs->set == set) return inputs;
  }
  return NULL;
}

static bool takes_integers(const dl_check_inputs *inputs) {
  for (size_t i = 0; i < inputs->count; i++)
    if (!dl_is_float(inputs->arrays[i]->element)) return true;
  return false;
}

// Floats alone hardly make a program fail: then the first inputs serve, without a run to try them.
// Plain ones serve in the end even if it does not run: its diagnostics are the user's.
static dl_check_inputs *make_inputs(dl_checker *checker, dl_op *module, const dl_op *function,
                                    dl_input_set set) {
  int first = set == DL_INPUTS_WIDE ? DL_INTEGERS_WIDE : DL_INTEGERS_RANDOM;
  dl_check_inputs *inputs = NULL;
  for (int style = first; style < DL_NUM_INTEGER_STYLES; style++) {
    inputs = dl_make_inputs(function, checker->seed, set, (dl_integer_style)style);
    if (!inputs) return NULL;
    bool is_plain = set == DL_INPUTS_PLAIN && !takes_integers(inputs);
    inputs->usable = is_plain || runs(checker, module, inputs);
    if (inputs->usable) return inputs;
    if (style + 1 < DL_NUM_INTEGER_STYLES) dl_free_inputs(inputs);
  }
  if (set != DL_INPUTS_PLAIN) return inputs;
  dl_free_inputs(inputs);
  inputs = dl_make_inputs(function, checker->seed, set, DL_INTEGERS_RANDOM);
  inputs->usable = true;
  return inputs;
}

dl_check_inputs *dl_check_inputs_for(dl_checker *checker, dl_op *module, const dl_op *function,
                                     dl_input_set set) {
  dl_check_inputs *inputs = find_inputs(checker, dl_symbol_name(function), set);
  if (inputs) return inputs;
  inputs = make_inputs(checker, module, function, set);
  if (!inputs) inputs = dl_inputs_create(dl_symbol_name(function), 0);
  inputs->set = set;
  DL_PUSH(&checker->inputs, inputs);
  return inputs;
}

// --- programs ---

static dl_status run_set(dl_checker *checker, dl_op *module, dl_input_set set,
                         const dl_interp_options *options, dl_check_result *result) {
  bool has_main = dl_symbol_lookup(module, dl_intern_z(checker->ctx, "main")) != NULL;
  DL_FOR_OPS(function, dl_region_first(dl_op_region(module, 0))) {
    if (!is_checked(function, has_main)) continue;
    const dl_check_inputs *inputs = dl_check_inputs_for(checker, module, function, set);
    if (!inputs->usable || (set != DL_INPUTS_PLAIN && !inputs->count)) continue;
    dl_function_outputs outcome = {0};
    dl_status status = dl_check_run_function(module, inputs, options, &outcome);
    DL_PUSH(&result->outcomes, outcome);
    DL_TRY(status);
  }
  return DL_OK;
}

static dl_status run_sets(dl_checker *checker, dl_op *module, const dl_interp_options *options,
                          dl_check_result *result) {
  double work = 0;
  dl_interp_options measured = *options;
  measured.work = &work;
  DL_TRY(run_set(checker, module, DL_INPUTS_PLAIN, &measured, result));
  if (!result->outcomes.len)
    return dl_error(dl_op_loc(module),
                    "there is no public function that can be run to check passes");
  if (!checker->ran) checker->is_small = work < SMALL_WORK;
  checker->ran = true;
  for (int set = DL_INPUTS_WIDE; set < DL_NUM_INPUT_SETS && checker->is_small; set++)
    DL_TRY(run_set(checker, module, (dl_input_set)set, options, result));
  return DL_OK;
}

dl_check_result *dl_check_run(dl_checker *checker, dl_op *module,
                              const dl_interp_options *options) {
  dl_check_result *result = dl_calloc(1, sizeof(*result));
  if (run_sets(checker, module, options, result) == DL_OK) return result;
  dl_check_free_result(result);
  return NULL;
}
