#include "extra_ops.h"
#include "ir/plugin.h"

static const dl_dialect_def *const dialects[] = {&extra_dialect};

DL_API const dl_module_def *dl_module_query(uint32_t host_version) {
  static const dl_module_def module = {
      .version = DL_PLUGIN_VERSION, .name = "extra", .num_dialects = 1, .dialects = dialects};
  return host_version == DL_PLUGIN_VERSION ? &module : NULL;
}
