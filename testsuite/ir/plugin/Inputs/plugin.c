// A plugin with a dialect and a rewrite pass.
#include "ir/plugin.h"

#ifndef VERSION
#define VERSION DL_PLUGIN_VERSION
#endif

static const dl_op_def sample_single = {.name = "sample.single", .summary = "An op"};
static const dl_op_def sample_double_me = {.name = "sample.double_me", .summary = "Two ops"};
static const dl_op_def *const ops[] = {&sample_single, &sample_double_me};
static const dl_dialect_def dialect = {
    .name = "sample", .summary = "A dialect from a plugin", .num_ops = DL_COUNT(ops), .ops = ops};
static const dl_dialect_def *const dialects[] = {&dialect};

static dl_outcome expand(dl_rewriter *rw, dl_op *op) {
  dl_op_state state = {.def = &sample_single};
  dl_rw_build(rw, &state);
  dl_rw_build(rw, &state);
  dl_erase(rw, op);
  return DL_CHANGED;
}

DL_REWRITE_PASS(sample, "sample-rewrite", NULL, "Expand ops of the sample dialect", DL_EXACT,
                DL_PATTERN(sample_double_me, expand));
static const dl_pass_def *const passes[] = {&dl_pass_sample};

#ifndef NO_QUERY
DL_API const dl_module_def *dl_module_query(uint32_t host_version) {
  static const dl_module_def module = {.version = VERSION,
                                       .name = "sample",
                                       .num_dialects = DL_COUNT(dialects),
                                       .dialects = dialects,
                                       .num_passes = DL_COUNT(passes),
                                       .passes = passes};
#ifdef REFUSE
  return host_version == 0 ? &module : NULL;
#else
  (void)host_version;
  return &module;
#endif
}
#endif
