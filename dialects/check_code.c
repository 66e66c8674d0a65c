// What surrounds the passes: whether the program that was read gives the outputs it should, and
// whether the code that was written does what the program does.
#include "dialects/check_internal.h"

#define REFERENCE_TOLERANCE 1e-4  // relative to the largest magnitude: another implementation's
#define CODE_TOLERANCE 1e-6       // functions of libm may differ in the last place

// --- code ---

typedef struct code_run {
  dl_checker *checker;
  dl_check_runner run;
  void *user;
} code_run;

static bool run_on(const code_run *r, const dl_check_inputs *inputs, dl_check_result *result) {
  size_t count;
  dl_ndarray **outputs;
  if (!r->run(r->user, inputs->count, inputs->arrays, &count, &outputs)) return false;
  dl_function_outputs outcome = {.function = inputs->function, .set = inputs->set};
  for (size_t i = 0; i < count; i++) DL_PUSH(&outcome.outputs, outputs[i]);
  free(outputs);
  DL_PUSH(&result->outcomes, outcome);
  return true;
}

static dl_check_result *run_code(void *user) {
  const code_run *r = user;
  dl_check_result *result = dl_calloc(1, sizeof(*result));
  for (size_t i = 0; i < r->checker->inputs.len; i++) {
    const dl_check_inputs *inputs = r->checker->inputs.data[i];
    if (inputs->usable && !run_on(r, inputs, result)) return NULL;
  }
  return result;
}

static dl_status compare_outcome(dl_loc loc, const dl_function_outputs *program,
                                 const dl_function_outputs *code) {
  for (size_t i = 0; i < program->outputs.len && i < code->outputs.len; i++) {
    const dl_ndarray *a = program->outputs.data[i], *b = code->outputs.data[i];
    dl_spreads spreads = {.everywhere = CODE_TOLERANCE * dl_max_magnitude(a)};
    dl_buffer why = {0};
    bool equal = dl_same_shape(a, b) && dl_compare_arrays(a, b, &spreads, 1, &why);
    if (!equal)
      dl_error(loc,
               "the code that the target emits computes something else than the program: @%s, "
               "result #%zu: %s",
               program->function, i, why.data ? why.data : "it has another type or size");
    dl_buffer_free(&why);
    if (!equal) return DL_FAILED;
  }
  return DL_OK;
}

static const dl_function_outputs *find_outcome(const dl_check_result *result,
                                               const dl_function_outputs *like) {
  for (size_t i = 0; i < result->outcomes.len; i++) {
    const dl_function_outputs *outcome = &result->outcomes.data[i];
    if (outcome->function == like->function && outcome->set == like->set) return outcome;
  }
  return NULL;
}

dl_status dl_checker_compare_code(dl_checker *checker, dl_op *module, dl_check_runner run,
                                  void *user) {
  dl_loc loc = dl_op_loc(module);
  dl_check_result *program = checker->executor.evaluate(checker, module);
  if (!program) return DL_FAILED;
  code_run r = {checker, run, user};
  int signal_number;
  dl_check_result *code = dl_check_in_child(checker->ctx, run_code, &r, &signal_number);
  dl_status status = DL_OK;
  if (!code && signal_number)
    status = dl_error(loc, "the code that the target emits ends with signal %d", signal_number);
  else if (!code)
    status = dl_error(loc, "the code that the target emits cannot be run to check it");
  for (size_t i = 0; status == DL_OK && i < program->outcomes.len; i++) {
    const dl_function_outputs *outcome = find_outcome(code, &program->outcomes.data[i]);
    if (outcome) status = compare_outcome(loc, &program->outcomes.data[i], outcome);
  }
  if (code) dl_check_free_result(code);
  dl_check_free_result(program);
  return status;
}

// --- outputs known from elsewhere ---

dl_status dl_checker_compare_outputs(dl_checker *checker, dl_op *module, size_t count,
                                     dl_ndarray *const *expected) {
  dl_check_result *result = checker->executor.evaluate(checker, module);
  if (!result) return DL_FAILED;
  dl_status status = DL_OK;
  const dl_function_outputs *outcome = &result->outcomes.data[0];
  for (size_t i = 0; status == DL_OK && i < count && i < outcome->outputs.len; i++) {
    if (!expected[i]) continue;
    dl_spreads spreads = {.everywhere = REFERENCE_TOLERANCE * dl_max_magnitude(expected[i])};
    dl_buffer why = {0};
    if (!dl_same_shape(expected[i], outcome->outputs.data[i]))
      status = dl_error(dl_op_loc(module), "result #%zu has another shape than what is given", i);
    else if (!dl_compare_arrays(expected[i], outcome->outputs.data[i], &spreads, 1, &why))
      status = dl_error(dl_op_loc(module),
                        "the program that was read gives other outputs than those "
                        "given: @%s, result #%zu: %s",
                        outcome->function, i, why.data);
    dl_buffer_free(&why);
  }
  dl_check_free_result(result);
  return status;
}
