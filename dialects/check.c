#include "dialects/check.h"

#include "dialects/check_internal.h"

// --- evaluating ---

// Native code of a level where memory can be overwritten does not run in this process.
static bool may_crash(const dl_checker *checker, const dl_op *module) {
  if (!checker->engine) return false;
  DL_FOR_OPS(function, dl_region_first(dl_op_region(module, 0))) {
    if (dl_has_trait(function, DL_FUNCTION) && dl_interp_is_large(function)) return true;
  }
  return false;
}

// The program is kept: comparing may have to run it again.
static void *evaluate(void *user, dl_op *module) {
  dl_checker *checker = user;
  dl_interp_options options = {.engine = checker->engine};
  dl_check_result *result = may_crash(checker, module)
                                ? dl_check_run_forked(checker, module, &options)
                                : dl_check_run(checker, module, &options);
  if (result) result->module = dl_op_clone(module, NULL);
  return result;
}

static void release(void *user, void *result) {
  (void)user;
  dl_check_free_result(result);
}

static const dl_check_inputs *kept_inputs(const dl_checker *checker, dl_ident function,
                                          dl_input_set set) {
  size_t i = 0;
  while (checker->inputs.data[i]->function != function || checker->inputs.data[i]->set != set) i++;
  return checker->inputs.data[i];
}

// Runs both versions again, since values are kept only now that they are needed.
static void explain(dl_checker *checker, const dl_check_result *before,
                    const dl_check_result *after, size_t f, dl_contract contract, dl_buffer *why) {
  const dl_function_outputs *outcome = &before->outcomes.data[f];
  const dl_check_inputs *inputs = kept_inputs(checker, outcome->function, outcome->set);
  dl_op *const modules[] = {before->module, after->module};
  dl_trace *traces[2];
  for (size_t i = 0; i < 2; i++) {
    traces[i] = dl_trace_create(contract == DL_EXACT);
    dl_interp_options options = {
        .observe = dl_trace_observe, .user = traces[i], .engine = checker->engine};
    dl_function_outputs outcome = {0};
    dl_check_run_function(modules[i], inputs, &options, &outcome);
    dl_check_release_outputs(&outcome);
  }
  dl_trace_explain(traces[0], traces[1], why);
  for (size_t i = 0; i < 2; i++) dl_trace_destroy(traces[i]);
}

// --- comparing ---

// In units of the deviations seen with random roundings (docs/passes.md). Passes of ours take up to
// 0.6 of these on the outputs of whole networks, and 1e-9 in double precision; where outputs have
// few elements, their deviations may have been small by chance.
static double float_margin(const dl_checker *checker) { return checker->is_small ? 8 : 4; }
static double double_margin(const dl_checker *checker) { return checker->is_small ? 0.5 : 0.25; }

static bool compare_structure(const dl_check_result *a, const dl_check_result *b, dl_buffer *why) {
  if (a->outcomes.len != b->outcomes.len) {
    dl_buffer_puts(why, "it has other public functions");
    return false;
  }
  for (size_t f = 0; f < a->outcomes.len; f++) {
    const dl_function_outputs *x = &a->outcomes.data[f], *y = &b->outcomes.data[f];
    bool same = x->function == y->function && x->set == y->set && x->outputs.len == y->outputs.len;
    for (size_t i = 0; same && i < x->outputs.len; i++)
      same = dl_same_shape(x->outputs.data[i], y->outputs.data[i]);
    if (same) continue;
    dl_buffer_printf(why, "@%s gives outputs of other types or sizes", x->function);
    return false;
  }
  return true;
}

// Runs the version before with noise and collects each output's deviations.
static void measure_spreads(dl_checker *checker, const dl_check_result *before, size_t f,
                            dl_function_spreads *spreads) {
  const dl_function_outputs *exact = &before->outcomes.data[f];
  const dl_check_inputs *inputs = kept_inputs(checker, exact->function, exact->set);
  uint64_t runs = checker->is_small ? 6 : 4;
  for (size_t i = 0; i < exact->outputs.len; i++)
    DL_PUSH(&spreads->outputs, dl_spreads_create(exact->outputs.data[i]));
  for (uint64_t run = 1; run <= runs; run++) {
    dl_interp_options options = {.noise = checker->seed + run, .engine = checker->engine};
    dl_function_outputs noisy = {0};
    if (dl_check_run_function(before->module, inputs, &options, &noisy) == DL_OK) {
      for (size_t i = 0; i < exact->outputs.len; i++)
        dl_spreads_add(&spreads->outputs.data[i], exact->outputs.data[i], noisy.outputs.data[i]);
    }
    dl_check_release_outputs(&noisy);
  }
  for (size_t i = 0; i < exact->outputs.len; i++)
    dl_spreads_finish(&spreads->outputs.data[i], exact->outputs.data[i]);
}

// They are measured once, on the first version that needs them: passes do not change what a program
// computes, so how much it depends on roundings stays about the same.
static const dl_function_spreads *spreads_of(dl_checker *checker, const dl_check_result *before,
                                             size_t f) {
  const dl_function_outputs *outcome = &before->outcomes.data[f];
  for (size_t i = 0; i < checker->spreads.len; i++) {
    const dl_function_spreads *known = &checker->spreads.data[i];
    if (known->function == outcome->function && known->set == outcome->set) return known;
  }
  dl_function_spreads spreads = {.function = outcome->function, .set = outcome->set};
  measure_spreads(checker, before, f, &spreads);
  DL_PUSH(&checker->spreads, spreads);
  return &checker->spreads.data[checker->spreads.len - 1];
}

static bool compare_output(dl_checker *checker, const dl_check_result *before,
                           const dl_check_result *after, size_t f, size_t i, dl_contract contract,
                           double bound, dl_buffer *why) {
  const dl_ndarray *a = before->outcomes.data[f].outputs.data[i];
  const dl_ndarray *b = after->outcomes.data[f].outputs.data[i];
  if (dl_same_bits(a, b)) return true;
  dl_spreads spreads = {0};
  if (contract != DL_EXACT) {
    if (before->outcomes.data[f].set == DL_INPUTS_SPECIAL) return true;
    spreads = spreads_of(checker, before, f)->outputs.data[i];
  }
  if (contract == DL_APPROXIMATE) spreads.everywhere += bound * dl_max_magnitude(a);
  dl_buffer what = {0};
  bool equal = dl_compare_arrays(a, b, &spreads, float_margin(checker), &what);
  if (!equal)
    dl_buffer_printf(why, "@%s, result #%zu: %s", before->outcomes.data[f].function, i, what.data);
  dl_buffer_free(&what);
  return equal;
}

// Both versions of a function in double precision, against what roundings of f32 do: the constants
// that a pass computes are rounded to f32 still.
static bool compare_in_double(dl_checker *checker, const dl_check_result *before,
                              const dl_check_result *after, size_t f, dl_buffer *why) {
  const dl_function_outputs *outcome = &before->outcomes.data[f];
  const dl_check_inputs *inputs = kept_inputs(checker, outcome->function, outcome->set);
  dl_function_outputs a = {0}, b = {0};
  bool equal = true;
  if (dl_check_run_in_double(checker, before->module, inputs, &a) &&
      dl_check_run_in_double(checker, after->module, inputs, &b)) {
    for (size_t i = 0; equal && i < a.outputs.len; i++) {
      const dl_spreads *spreads = &spreads_of(checker, before, f)->outputs.data[i];
      dl_buffer what = {0};
      equal = dl_compare_arrays(a.outputs.data[i], b.outputs.data[i], spreads,
                                double_margin(checker), &what);
      if (!equal)
        dl_buffer_printf(why, "@%s, result #%zu, in double precision: %s", outcome->function, i,
                         what.data);
      dl_buffer_free(&what);
    }
  }
  dl_check_release_outputs(&a);
  dl_check_release_outputs(&b);
  return equal;
}

static bool is_same_function(const dl_function_outputs *a, const dl_function_outputs *b) {
  for (size_t i = 0; i < a->outputs.len; i++)
    if (!dl_same_bits(a->outputs.data[i], b->outputs.data[i])) return false;
  return true;
}

static bool compare_function(dl_checker *checker, const dl_check_result *before,
                             const dl_check_result *after, size_t f, dl_contract contract,
                             double bound, dl_buffer *why) {
  const dl_function_outputs *a = &before->outcomes.data[f], *b = &after->outcomes.data[f];
  if (is_same_function(a, b)) return true;
  for (size_t i = 0; i < a->outputs.len; i++)
    if (!compare_output(checker, before, after, f, i, contract, bound, why)) return false;
  return contract != DL_REASSOCIATES || a->set == DL_INPUTS_SPECIAL ||
         compare_in_double(checker, before, after, f, why);
}

static bool equal(void *user, void *before_result, void *after_result, dl_contract contract,
                  double bound, dl_buffer *why) {
  const dl_check_result *before = before_result, *after = after_result;
  if (!compare_structure(before, after, why)) return false;
  for (size_t f = 0; f < before->outcomes.len; f++) {
    if (compare_function(user, before, after, f, contract, bound, why)) continue;
    explain(user, before, after, f, contract, why);
    return false;
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
  for (size_t i = 0; i < checker->spreads.len; i++) {
    dl_function_spreads *spreads = &checker->spreads.data[i];
    for (size_t k = 0; k < spreads->outputs.len; k++) dl_spreads_free(&spreads->outputs.data[k]);
    DL_VEC_FREE(&spreads->outputs);
  }
  DL_VEC_FREE(&checker->spreads);
  DL_VEC_FREE(&checker->inputs);
  free(checker);
}

void dl_checker_set_inputs(dl_checker *checker, size_t count, dl_ndarray *const *inputs) {
  dl_check_inputs *given = dl_inputs_create(dl_intern_z(checker->ctx, "main"), count);
  for (size_t i = 0; i < count; i++) given->arrays[i] = dl_ndarray_retain(inputs[i]);
  given->usable = true;
  DL_PUSH(&checker->inputs, given);
  checker->ran = true;  // on these alone
}

void dl_checker_set_engine(dl_checker *checker, dl_engine *engine) { checker->engine = engine; }

const dl_executor *dl_checker_executor(const dl_checker *checker) { return &checker->executor; }
