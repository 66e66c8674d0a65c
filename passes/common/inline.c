// inline: replaces func.call by the body of the function called. Callees are finished before their
// callers; calls on a cycle, of declarations, of functions with several blocks and those marked
// `no_inline` (on the call or the function) stay. Inlined ops are located at callsite(callee at
// caller).
#include "dialects/func/func_ops.h"
#include "ir/pass.h"
#include "ir/steps.h"

typedef enum progress { UNSEEN, STARTED, FINISHED } progress;

typedef struct inliner {
  dl_pass *pass;
  dl_ptr_map functions;  // name -> dl_op *
  dl_ptr_map states;     // dl_op * -> progress
} inliner;

typedef DL_VEC(dl_op *) op_list;

static void inline_into(inliner *state, dl_op *function);

static bool list_calls(dl_op *op, void *user) {
  op_list *calls = user;
  if (dl_is(op, func_call)) DL_PUSH(calls, op);
  return true;
}

static progress progress_of(const inliner *state, const dl_op *function) {
  return (progress)(uintptr_t)dl_ptr_map_get(&state->states, function);
}

static void set_progress(inliner *state, const dl_op *function, progress value) {
  dl_ptr_map_set(&state->states, function, (void *)(uintptr_t)value);
}

static bool has_one_block(const dl_op *function) {
  const dl_region *body = dl_op_region(function, 0);
  return !dl_region_empty(body) && dl_region_first(body) == dl_region_last(body);
}

// The function whose body can stand in for the call, or NULL.
static dl_op *inlinable_callee(inliner *state, const dl_op *call) {
  dl_attr name = dl_get_attr(call, "callee");
  dl_op *callee = name->count ? NULL : dl_ptr_map_get(&state->functions, name->name);
  if (!callee || !has_one_block(callee)) return NULL;
  if (dl_get_attr(callee, "no_inline") || dl_get_attr(call, "no_inline")) return NULL;
  if (progress_of(state, callee) == UNSEEN) inline_into(state, callee);
  return progress_of(state, callee) == FINISHED ? callee : NULL;
}

static bool locate_at_call(dl_op *op, void *user) {
  const dl_op *call = user;
  dl_op_set_loc(op, dl_loc_callsite(dl_op_context(op), dl_op_loc(op), dl_op_loc(call)));
  return true;
}

static void replace_call(dl_op *call, dl_op *terminator, const dl_ptr_map *mapping) {
  for (size_t i = 0; i < dl_num_results(call); i++) {
    dl_value *returned = dl_operand(terminator, i);
    dl_value *copy = dl_ptr_map_get(mapping, returned);
    dl_replace_all_uses(dl_result(call, i), copy ? copy : returned);
  }
  dl_op_erase(call);
}

static void inline_call(inliner *state, dl_op *call, dl_op *callee) {
  dl_block *body = dl_region_first(dl_op_region(callee, 0));
  dl_ptr_map mapping = {0};
  for (size_t i = 0; i < dl_num_args(body); i++)
    dl_ptr_map_set(&mapping, dl_arg(body, i), dl_operand(call, i));
  dl_op *terminator = dl_block_last(body);
  for (dl_op *op = dl_block_first(body); op != terminator; op = dl_op_next(op)) {
    dl_op *copy = dl_op_clone(op, &mapping);
    dl_walk(copy, locate_at_call, call);
    dl_op_insert_before(copy, call);
  }
  replace_call(call, terminator, &mapping);
  dl_ptr_map_free(&mapping);
  dl_count(state->pass, "inlined", 1);
  dl_pass_changed(state->pass);
}

static void inline_into(inliner *state, dl_op *function) {
  set_progress(state, function, STARTED);
  op_list calls = {0};
  dl_walk(function, list_calls, &calls);
  for (size_t i = 0; i < calls.len; i++) {
    dl_op *callee = inlinable_callee(state, calls.data[i]);
    if (callee && dl_may_step(calls.data[i], "inline")) inline_call(state, calls.data[i], callee);
  }
  DL_VEC_FREE(&calls);
  set_progress(state, function, FINISHED);
}

static dl_status run_inline(dl_pass *pass, dl_op *module) {
  inliner state = {.pass = pass};
  dl_block *body = dl_region_first(dl_op_region(module, 0));
  DL_FOR_OPS(op, body) {
    if (dl_is(op, func_func)) dl_ptr_map_set(&state.functions, dl_symbol_name(op), op);
  }
  DL_FOR_OPS(function, body) {
    if (dl_is(function, func_func) && progress_of(&state, function) == UNSEEN)
      inline_into(&state, function);
  }
  dl_ptr_map_free(&state.functions);
  dl_ptr_map_free(&state.states);
  return DL_OK;
}

static const char *const inline_statistics[] = {"inlined"};

const dl_pass_def dl_pass_inline = {
    .name = "inline",
    .summary = "Replace calls by the bodies of the functions called",
    .anchor = "builtin.module",
    .contract = DL_EXACT,
    .num_statistics = DL_COUNT(inline_statistics),
    .statistics = inline_statistics,
    .run = run_inline,
};
