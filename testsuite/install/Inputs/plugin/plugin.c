// A plugin with one pass.
#include "ir/plugin.h"

static bool count_op(dl_op *op, void *user) {
  (void)op;
  dl_count(user, "ops", 1);
  return true;
}

static dl_status count_ops(dl_pass *pass, dl_op *root) {
  dl_walk(root, count_op, pass);
  return DL_OK;
}

static const char *const statistics[] = {"ops"};

static const dl_pass_def pass = {
    .name = "sample-count-ops",
    .summary = "Count the ops",
    .num_statistics = DL_COUNT(statistics),
    .statistics = statistics,
    .run = count_ops,
};

static const dl_pass_def *const passes[] = {&pass};

DL_API const dl_module_def *dl_module_query(uint32_t host_version) {
  static const dl_module_def module = {
      .version = DL_PLUGIN_VERSION, .name = "sample", .num_passes = 1, .passes = passes};
  return host_version == DL_PLUGIN_VERSION ? &module : NULL;
}
