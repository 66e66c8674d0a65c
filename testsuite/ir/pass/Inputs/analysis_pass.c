// A plugin with passes that keep, drop and spoil analyses.
#include "ir/dominance.h"
#include "ir/plugin.h"

// The number of ops below, and how often it was computed, told by a remark.
static bool count(dl_op *op, void *user) {
  (void)op;
  ++*(size_t *)user;
  return true;
}

static void *compute(dl_op *root) {
  size_t *ops = dl_calloc(1, sizeof(*ops));
  dl_walk(root, count, ops);
  dl_remark(dl_op_loc(root), "%zu ops are counted", *ops);
  return ops;
}

static bool holds(dl_op *root, void *kept, void *fresh) {
  (void)root;
  return *(size_t *)kept == *(size_t *)fresh;
}

static const dl_analysis_def size_analysis = {"size", compute, free, holds};
static const dl_analysis_def *const both[] = {&size_analysis, &dl_dominance_analysis};

static dl_status ask(dl_pass *pass, dl_op *op) {
  dl_get_analysis(pass, &size_analysis, op);
  dl_dominance *dominance = dl_get_analysis(pass, &dl_dominance_analysis, op);
  dl_region *body = dl_op_region(op, 0);
  dl_block_dominates(dominance, dl_region_first(body), dl_region_last(body));
  return DL_OK;
}

static const dl_pass_def ask_pass = {.name = "test-ask",
                                     .summary = "Ask for two analyses",
                                     .run = ask,
                                     .num_analyses = DL_COUNT(both),
                                     .analyses = both};

static dl_status undeclared(dl_pass *pass, dl_op *op) {
  dl_get_analysis(pass, &size_analysis, op);
  return DL_OK;
}

DL_PASS(undeclared, "test-undeclared", NULL, "Ask without saying so", DL_EXACT, undeclared);

static dl_status touch(dl_pass *pass, dl_op *op) {
  dl_set_attr(op, "touched", dl_unit_attr(dl_op_context(op)));
  dl_pass_changed(pass);
  return DL_OK;
}

static const dl_pass_def touch_pass = {.name = "test-touch",
                                       .summary = "Set an attribute; all analyses hold",
                                       .run = touch,
                                       .num_preserved = DL_COUNT(both),
                                       .preserved = both};
DL_PASS(forget, "test-forget", NULL, "Set an attribute; no analysis holds", DL_EXACT, touch);

static dl_status drop_block(dl_pass *pass, dl_op *op) {
  dl_block *entry = dl_region_first(dl_op_region(op, 0));
  dl_op *branch = dl_block_last(entry);
  dl_set_successor(branch, 1, dl_successor(branch, 0));
  dl_pass_changed(pass);
  return DL_OK;
}

static const dl_pass_def spoil_pass = {.name = "test-spoil",
                                       .summary = "Branch elsewhere and say that dominance holds",
                                       .anchor = "func.func",
                                       .run = drop_block,
                                       .num_preserved = DL_COUNT(both),
                                       .preserved = both};

static const dl_pass_def *const passes[] = {&ask_pass, &dl_pass_undeclared, &touch_pass,
                                            &dl_pass_forget, &spoil_pass};

DL_API const dl_module_def *dl_module_query(uint32_t host_version) {
  static const dl_module_def module = {.version = DL_PLUGIN_VERSION,
                                       .name = "analysis",
                                       .num_passes = DL_COUNT(passes),
                                       .passes = passes};
  return host_version == DL_PLUGIN_VERSION ? &module : NULL;
}
