// A plugin with passes that misbehave.
#include "ir/plugin.h"

static dl_status fail(dl_pass *pass, dl_op *op) {
  if (!dl_str_is(dl_option_str(pass, "at"), dl_symbol_name(op))) return DL_OK;
  dl_str why = dl_option_str(pass, "why");
  return dl_error(dl_op_loc(op), "fails as %.*s", (int)why.len, why.data);
}

static const dl_option_def fail_options[] = {
    {"at", "Name of the function to fail at", DL_OPTION_STRING, NULL},
    {"why", "Reason", DL_OPTION_STRING, "told"},
};

static const dl_pass_def fail_pass = {
    .name = "test-fail",
    .summary = "Fail at a function",
    .anchor = "func.func",
    .num_options = DL_COUNT(fail_options),
    .options = fail_options,
    .run = fail,
};

static dl_status lie(dl_pass *pass, dl_op *op) {
  (void)pass;
  dl_set_attr(op, "lied", dl_unit_attr(dl_op_context(op)));
  return DL_OK;
}

DL_PASS(lie, "test-lie", NULL, "Change something and keep silent", DL_EXACT, lie);

static dl_status fail_silently(dl_pass *pass, dl_op *op) {
  (void)pass, (void)op;
  return DL_FAILED;
}

DL_PASS(silent, "test-fail-silently", NULL, "Fail without a diagnostic", DL_EXACT, fail_silently);

static dl_status break_ir(dl_pass *pass, dl_op *op) {
  dl_op_erase(dl_block_last(dl_region_first(dl_op_region(op, 0))));
  dl_pass_changed(pass);
  return DL_OK;
}

DL_PASS(break_ir, "test-break", "func.func", "Erase the terminator", DL_EXACT, break_ir);

// Makes calls of the function wrong, but nothing in it.
static dl_status add_argument(dl_pass *pass, dl_op *op) {
  dl_type old = dl_get_attr(op, "function_type")->type, i32 = dl_int_type(old->ctx, 32);
  dl_type inputs[3] = {old->inputs[0], old->inputs[1], i32};
  dl_type type = dl_function_type(old->ctx, 3, inputs, old->num_results, old->results);
  dl_add_arg(dl_region_first(dl_op_region(op, 0)), i32, NULL);
  dl_set_attr(op, "function_type", dl_type_attr(type));
  dl_pass_changed(pass);
  return DL_OK;
}

DL_PASS(add_argument, "test-add-argument", "func.func", "Add an argument", DL_EXACT, add_argument);

static dl_outcome toggle(dl_rewriter *rw, dl_op *op) {
  bool set = dl_get_attr(op, "toggled") != NULL;
  dl_set_attr(op, "toggled", set ? NULL : dl_unit_attr(dl_op_context(op)));
  dl_rw_modified(rw, op);
  return DL_CHANGED;
}

DL_REWRITE_PASS(toggle, "test-toggle", "func.func", "Rewrite for ever", DL_EXACT,
                {.rewrite = toggle, .name = "toggle"});

static const dl_pass_def *const passes[] = {&fail_pass,      &dl_pass_lie,
                                            &dl_pass_silent, &dl_pass_break_ir,
                                            &dl_pass_toggle, &dl_pass_add_argument};

DL_API const dl_module_def *dl_module_query(uint32_t host_version) {
  static const dl_module_def module = {
      .version = DL_PLUGIN_VERSION,
      .name = "failing",
      .num_passes = DL_COUNT(passes),
      .passes = passes,
  };
  return host_version == DL_PLUGIN_VERSION ? &module : NULL;
}
