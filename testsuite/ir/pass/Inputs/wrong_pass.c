// A plugin with passes that change constants.
#include "ir/plugin.h"

static bool scale_constant(dl_op *op, void *user) {
  const double *factor = user;
  dl_attr value = dl_has_trait(op, DL_CONSTANT) ? dl_get_attr(op, "value") : NULL;
  if (value && value->kind == DL_ATTR_FLOAT)
    dl_set_attr(op, "value", dl_float_attr(value->type, *factor * value->number));
  return true;
}

static dl_status scale(dl_pass *pass, dl_op *op, double factor) {
  dl_walk(op, scale_constant, &factor);
  dl_pass_changed(pass);
  return DL_OK;
}

static dl_status twice(dl_pass *pass, dl_op *op) { return scale(pass, op, 2); }
static dl_status nudge(dl_pass *pass, dl_op *op) { return scale(pass, op, 1 + 0x1p-23); }

DL_PASS(twice, "test-double", "func.func", "Double constants", DL_REASSOCIATES, twice);
DL_PASS(nudge, "test-nudge", "func.func", "Change constants a little", DL_REASSOCIATES, nudge);
DL_PASS(exact, "test-nudge-exactly", "func.func", "The same, promising not to", DL_EXACT, nudge);

static const dl_pass_def *const passes[] = {&dl_pass_twice, &dl_pass_nudge, &dl_pass_exact};

DL_API const dl_module_def *dl_module_query(uint32_t host_version) {
  static const dl_module_def module = {.version = DL_PLUGIN_VERSION,
                                       .name = "wrong",
                                       .num_passes = DL_COUNT(passes),
                                       .passes = passes};
  return host_version == DL_PLUGIN_VERSION ? &module : NULL;
}
