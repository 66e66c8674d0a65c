// A plugin with a pass that makes one op of two, and loses what the first one computes.
#include "ir/plugin.h"

static bool is_named(const dl_op *op, const char *name) { return !strcmp(dl_op_name(op), name); }

static bool fuse(dl_op *op, void *user) {
  dl_op *def = is_named(op, "graph.transpose") ? dl_value_def(dl_operand(op, 0)) : NULL;
  if (!def || !is_named(def, "graph.neg")) return true;
  dl_loc locs[] = {dl_op_loc(def), dl_op_loc(op)};
  dl_set_operand(op, 0, dl_operand(def, 0));
  dl_op_set_loc(op, dl_loc_fused(dl_op_context(op), 2, locs, NULL));
  dl_op_erase(def);
  dl_pass_changed(user);
  return true;
}

static dl_status run_fuse(dl_pass *pass, dl_op *root) {
  dl_walk(root, fuse, pass);
  return DL_OK;
}

DL_PASS(fusing, "test-fuse", "func.func", "Make one op of two", DL_EXACT, run_fuse);

static const dl_pass_def *const passes[] = {&dl_pass_fusing};

DL_API const dl_module_def *dl_module_query(uint32_t host_version) {
  static const dl_module_def module = {.version = DL_PLUGIN_VERSION,
                                       .name = "wrong_fusion",
                                       .num_passes = DL_COUNT(passes),
                                       .passes = passes};
  return host_version == DL_PLUGIN_VERSION ? &module : NULL;
}
