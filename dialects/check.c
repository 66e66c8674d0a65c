#include "dialects/check.h"

#include "dialects/check_internal.h"

// --- evaluating ---

static bool is_checked(const dl_op *op, bool has_main) {
  if (!dl_has_trait(op, DL_FUNCTION) || !dl_num_regions(op)) return false;
  if (dl_region_empty(dl_op_region(op, 0))) return false;
  if (has_main) return !strcmp(dl_symbol_name(op), "main");
  return !dl_str_is(dl_get_str(op, "sym_visibility"), "private");
}

static void add_outputs(dl_function_outputs *outcome, size_t count, dl_ndarray **arrays) {
  for (size_t i = 0; i < count; i++) DL_PUSH(&outcome->outputs, arrays[i]);
}

// Runs one function on copies of its inputs; buffers are outputs as well.
static dl_status run_function(dl_op *module, const dl_check_inputs *inputs,
                              const dl_interp_options *options, dl_function_outputs *outcome) {
  dl_ndarray **copies = dl_calloc(inputs->count, sizeof(*copies)), **outputs;
  for (size_t i = 0; i < inputs->count; i++) copies[i] = dl_copy_array(inputs->arrays[i]);
  size_t num_outputs;
  dl_status status = dl_interp_run(module, inputs->function, inputs->count, copies, &num_outputs,
                                   &outputs, options);
  outcome->function = inputs->function;
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

static void release_outcome(dl_function_outputs *outcome) {
  for (size_t i = 0; i < outcome->outputs.len; i++) dl_ndarray_release(outcome->outputs.data[i]);
  DL_VEC_FREE(&outcome->outputs);
}

static void ignore(void *user, const dl_diagnostic *diagnostic) { (void)user, (void)diagnostic; }

// Whether the function runs on the inputs; quietly.
static bool runs(dl_op *module, const dl_check_inputs *inputs) {
  dl_diag_handler handler;
  void *user;
  dl_context *ctx = dl_op_context(module);
  dl_get_diag_handler(ctx, &handler, &user);
  dl_set_diag_handler(ctx, ignore, NULL);
  dl_function_outputs outcome = {0};
  bool ok = run_function(module, inputs, NULL, &outcome) == DL_OK;
  release_outcome(&outcome);
  dl_set_diag_handler(ctx, handler, user);
  return ok;
}

static dl_check_inputs *find_inputs(dl_checker *checker, dl_ident function) {
  for (size_t i = 0; i < checker->inputs.len; i++) {
    if (checker->inputs.data[i]->function == function) return checker->inputs.data[i];
  }
  return NULL;
}

// The inputs kept for a function, or new ones: of those that make it run, or the first.
static dl_check_inputs *inputs_for(dl_checker *checker, dl_op *module, const dl_op *function) {
  dl_check_inputs *inputs = find_inputs(checker, dl_symbol_name(function));
  for (int style = 0; !inputs && style <= DL_NUM_INTEGER_STYLES; style++) {
    bool last = style == DL_NUM_INTEGER_STYLES;
    inputs = dl_make_inputs(function, checker->seed, last ? 0 : (dl_integer_style)style);
    if (!inputs || last || runs(module, inputs)) break;
    dl_free_inputs(inputs);
    inputs = NULL;
  }
  if (inputs && !find_inputs(checker, inputs->function)) DL_PUSH(&checker->inputs, inputs);
  return inputs;
}

static void free_result(dl_check_result *result) {
  for (size_t i = 0; i < result->outcomes.len; i++) release_outcome(&result->outcomes.data[i]);
  DL_VEC_FREE(&result->outcomes);
  if (result->module) dl_op_destroy_tree(result->module);
  free(result);
}

static dl_status run_all(dl_checker *checker, dl_op *module, const dl_interp_options *options,
                         dl_check_result *result) {
  bool has_main = dl_symbol_lookup(module, dl_intern_z(checker->ctx, "main")) != NULL;
  DL_FOR_OPS(function, dl_region_first(dl_op_region(module, 0))) {
    if (!is_checked(function, has_main)) continue;
    dl_check_inputs *inputs = inputs_for(checker, module, function);
    if (!inputs) continue;
    dl_function_outputs outcome = {0};
    dl_status status = run_function(module, inputs, options, &outcome);
    DL_PUSH(&result->outcomes, outcome);
    DL_TRY(status);
  }
  if (result->outcomes.len) return DL_OK;
  return dl_error(dl_op_loc(module), "there is no public function that can be run to check passes");
}

static dl_check_result *run_module(dl_checker *checker, dl_op *module,
                                   const dl_interp_options *options) {
  dl_check_result *result = dl_calloc(1, sizeof(*result));
  if (run_all(checker, module, options, result) == DL_OK) return result;
  free_result(result);
  return NULL;
}

// The program is kept: comparing may have to run it again.
static void *evaluate(void *user, dl_op *module) {
  dl_check_result *result = run_module(user, module, NULL);
  if (result) result->module = dl_op_clone(module, NULL);
  return result;
}

static void release(void *user, void *result) {
  (void)user;
  free_result(result);
}

// Runs both versions again, since values are kept only now that they are needed.
static void explain(dl_checker *checker, const dl_check_result *before,
                    const dl_check_result *after, dl_buffer *why) {
  dl_op *const modules[] = {before->module, after->module};
  dl_trace *traces[2];
  for (size_t i = 0; i < 2; i++) {
    traces[i] = dl_trace_create();
    dl_interp_options options = {.observe = dl_trace_observe, .user = traces[i]};
    dl_check_result *result = run_module(checker, modules[i], &options);
    if (result) free_result(result);
  }
  dl_trace_explain(traces[0], traces[1], why);
  for (size_t i = 0; i < 2; i++) dl_trace_destroy(traces[i]);
}

// --- comparing ---

static bool compare_structure(const dl_check_result *a, const dl_check_result *b, dl_buffer *why) {
  if (a->outcomes.len != b->outcomes.len) {
    dl_buffer_puts(why, "it has other public functions");
    return false;
  }
  for (size_t f = 0; f < a->outcomes.len; f++) {
    const dl_function_outputs *x = &a->outcomes.data[f], *y = &b->outcomes.data[f];
    bool same = x->function == y->function && x->outputs.len == y->outputs.len;
    for (size_t i = 0; same && i < x->outputs.len; i++)
      same = dl_same_shape(x->outputs.data[i], y->outputs.data[i]);
    if (same) continue;
    dl_buffer_printf(why, "@%s gives outputs of other types or sizes", x->function);
    return false;
  }
  return true;
}

// Runs the version before with noise and collects each output's deviations.
static dl_spreads measure_spread(dl_checker *checker, const dl_check_result *before, size_t f,
                                 size_t i) {
  enum { RUNS = 6 };
  const dl_ndarray *exact = before->outcomes.data[f].outputs.data[i];
  dl_spreads spreads = dl_spreads_create(exact);
  for (uint64_t run = 1; run <= RUNS; run++) {
    dl_interp_options options = {.noise = checker->seed + run};
    dl_check_result *noisy = run_module(checker, before->module, &options);
    if (!noisy) continue;
    dl_spreads_add(&spreads, exact, noisy->outcomes.data[f].outputs.data[i]);
    free_result(noisy);
  }
  dl_spreads_finish(&spreads, exact);
  return spreads;
}

static bool compare_output(dl_checker *checker, const dl_check_result *before,
                           const dl_check_result *after, size_t f, size_t i, dl_contract contract,
                           double bound, dl_buffer *why) {
  const dl_ndarray *a = before->outcomes.data[f].outputs.data[i];
  const dl_ndarray *b = after->outcomes.data[f].outputs.data[i];
  if (dl_same_bits(a, b)) return true;
  dl_spreads spreads = {0};
  if (contract != DL_EXACT) spreads = measure_spread(checker, before, f, i);
  if (contract == DL_APPROXIMATE) spreads.everywhere += bound * dl_max_magnitude(a);
  dl_buffer what = {0};
  bool equal = dl_compare_arrays(a, b, &spreads, &what);
  if (!equal)
    dl_buffer_printf(why, "@%s, result #%zu: %s", before->outcomes.data[f].function, i, what.data);
  dl_buffer_free(&what);
  dl_spreads_free(&spreads);
  return equal;
}

static bool equal(void *user, void *before_result, void *after_result, dl_contract contract,
                  double bound, dl_buffer *why) {
  const dl_check_result *before = before_result, *after = after_result;
  if (!compare_structure(before, after, why)) return false;
  for (size_t f = 0; f < before->outcomes.len; f++) {
    for (size_t i = 0; i < before->outcomes.data[f].outputs.len; i++) {
      if (compare_output(user, before, after, f, i, contract, bound, why)) continue;
      explain(user, before, after, why);
      return false;
    }
  }
  return true;
}

// --- the checker ---

dl_checker *dl_checker_create(dl_context *ctx, uint64_t seed) {
  dl_checker *checker = dl_calloc(1, sizeof(*checker));
  checker->ctx = ctx;
  checker->seed = seed;
  checker->executor = (dl_executor){checker, evaluate, equal, release};
  return checker;
}

void dl_checker_destroy(dl_checker *checker) {
  if (!checker) return;
  for (size_t i = 0; i < checker->inputs.len; i++) dl_free_inputs(checker->inputs.data[i]);
  DL_VEC_FREE(&checker->inputs);
  free(checker);
}

void dl_checker_set_inputs(dl_checker *checker, size_t count, dl_ndarray *const *inputs) {
  dl_check_inputs *given = dl_inputs_create(dl_intern_z(checker->ctx, "main"), count);
  for (size_t i = 0; i < count; i++) given->arrays[i] = dl_ndarray_retain(inputs[i]);
  DL_PUSH(&checker->inputs, given);
}

const dl_executor *dl_checker_executor(const dl_checker *checker) { return &checker->executor; }
