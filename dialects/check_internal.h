// dialects/check_internal.h: inputs and comparisons of the checker.
#ifndef DLIR_DIALECTS_CHECK_INTERNAL_H
#define DLIR_DIALECTS_CHECK_INTERNAL_H

#include "dialects/check.h"
#include "dialects/engine.h"
#include "dialects/interp.h"

// Kinds of inputs, each for what the others do not show. Programs that take long are run on the
// first alone.
typedef enum dl_input_set {
  DL_INPUTS_PLAIN,    // floats in [-2, 2), one in 16 of them 0; given inputs take its place
  DL_INPUTS_WIDE,     // floats of many magnitudes, larger integers, other dynamic sizes
  DL_INPUTS_SPECIAL,  // plain, but one float in 8 is NaN, infinite, -0, denormal, huge or halfway
                      // between integers; for exact passes
  DL_NUM_INPUT_SETS,
} dl_input_set;

typedef struct dl_check_inputs {
  dl_ident function;
  dl_input_set set;
  bool usable;  // the function runs on them
  size_t count;
  dl_ndarray **arrays;
  bool *is_buffer;  // behind a pointer: the function may write it
} dl_check_inputs;

// What integers of more than 8 bits are: random in [-100, 100], random below 3, or all alike.
typedef enum dl_integer_style {
  DL_INTEGERS_WIDE,
  DL_INTEGERS_RANDOM,
  DL_INTEGERS_ONE,
  DL_INTEGERS_ZERO,
  DL_NUM_INTEGER_STYLES,
} dl_integer_style;

dl_check_inputs *dl_inputs_create(dl_ident function, size_t count);  // arrays are NULL
// NULL when the function takes what cannot be made.
dl_check_inputs *dl_make_inputs(const dl_op *function, uint64_t seed, dl_input_set set,
                                dl_integer_style style);
void dl_free_inputs(dl_check_inputs *inputs);

// What one function gave on one set of inputs.
typedef struct dl_function_outputs {
  dl_ident function;
  dl_input_set set;
  DL_VEC(dl_ndarray *) outputs;
} dl_function_outputs;

typedef struct dl_check_result {
  DL_VEC(dl_function_outputs) outcomes;
  dl_op *module;  // a copy of the program
} dl_check_result;

// How much the elements of an array depend on roundings.
typedef struct dl_spreads {
  double *each;       // largest deviation per element, or NULL
  double average;     // root mean square of these
  double relative;    // the same of those relative to their elements
  double everywhere;  // allowed for all
} dl_spreads;

// The spreads of a function's outputs.
typedef struct dl_function_spreads {
  dl_ident function;
  dl_input_set set;
  DL_VEC(dl_spreads) outputs;
} dl_function_spreads;

struct dl_checker {
  dl_context *ctx;
  uint64_t seed;
  dl_executor executor;
  dl_engine *engine;  // or NULL
  DL_VEC(dl_check_inputs *) inputs;
  DL_VEC(dl_function_spreads) spreads;
  bool ran;       // once at least
  bool is_small;  // worth running on all sets of inputs
};

dl_spreads dl_spreads_create(const dl_ndarray *exact);
void dl_spreads_add(dl_spreads *spreads, const dl_ndarray *exact, const dl_ndarray *noisy);
void dl_spreads_finish(dl_spreads *spreads, const dl_ndarray *exact);  // after all were added
void dl_spreads_free(dl_spreads *spreads);

dl_ndarray *dl_copy_array(const dl_ndarray *array);
bool dl_same_shape(const dl_ndarray *a, const dl_ndarray *b);  // and element type
bool dl_same_bits(const dl_ndarray *a, const dl_ndarray *b);   // NaNs are alike
double dl_max_magnitude(const dl_ndarray *array);              // of finite elements
// Whether all elements agree within `margin` times what the spreads say; writes the worst into
// `why` if not.
bool dl_compare_arrays(const dl_ndarray *a, const dl_ndarray *b, const dl_spreads *spreads,
                       double margin, dl_buffer *why);

// --- running (check_run.c) ---
// The inputs kept for the function, or new ones; not usable where the function takes what cannot be
// made, or does not run on them.
dl_check_inputs *dl_check_inputs_for(dl_checker *checker, dl_op *module, const dl_op *function,
                                     dl_input_set set);
// Runs the function on copies of the inputs; buffers are outputs too.
dl_status dl_check_run_function(dl_op *module, const dl_check_inputs *inputs,
                                const dl_interp_options *options, dl_function_outputs *outcome);
// Runs every function that is checked. NULL after a diagnostic. The result has no module yet.
dl_check_result *dl_check_run(dl_checker *checker, dl_op *module, const dl_interp_options *options);
// The same in a child process, where native code may crash (check_fork.c).
dl_check_result *dl_check_run_forked(dl_checker *checker, dl_op *module,
                                     const dl_interp_options *options);
// What `run` gives in a child process, quietly. NULL: it gave NULL, or the signal *signal_number
// (0: none) ended it.
dl_check_result *dl_check_in_child(dl_context *ctx, dl_check_result *(*run)(void *user), void *user,
                                   int *signal_number);
// Runs the function in double precision, where that can be done: quietly, false where it cannot
// (check_double.c). The outcome is to be released in both cases.
bool dl_check_run_in_double(dl_checker *checker, dl_op *module, const dl_check_inputs *inputs,
                            dl_function_outputs *outcome);
void dl_check_release_outputs(dl_function_outputs *outcome);
void dl_check_free_result(dl_check_result *result);

// What a run computed, op by op (check_trace.c).
typedef struct dl_trace dl_trace;
// `exact`: values of the two versions are to have the same bits, else to be close.
dl_trace *dl_trace_create(bool exact);
void dl_trace_destroy(dl_trace *trace);
void dl_trace_observe(void *trace, const dl_op *op, size_t result, const dl_ndarray *value);
// Writes into `why` at which op of `before` the values begin to differ, if that can be told.
void dl_trace_explain(const dl_trace *before, const dl_trace *after, dl_buffer *why);

#endif
