#include "ir/plugin.h"
#include "targets/onnx/import.h"

static const dl_target_def target = {
    .name = "onnx",
    .summary = "Imports ONNX models",
    .suffix = ".onnx",
    .import = dl_onnx_import,
};

DL_API const dl_module_def *dl_module_query(uint32_t host_version);

const dl_module_def *dl_module_query(uint32_t host_version) {
  static const dl_target_def *const targets[] = {&target};
  static const dl_module_def module = {
      .version = DL_PLUGIN_VERSION,
      .name = "onnx",
      .num_targets = DL_COUNT(targets),
      .targets = targets,
  };
  (void)host_version;
  return &module;
}
