#include <spirv-tools/libspirv.h>

#include "targets/spirv/spirv.h"

void dl_spirv_validate(const dl_buffer *binary) {
  spv_context context = spvContextCreate(SPV_ENV_OPENCL_2_2);
  spv_const_binary_t code = {(const uint32_t *)(const void *)binary->data, binary->len / 4};
  spv_diagnostic diagnostic = NULL;
  if (spvValidate(context, &code, &diagnostic) != SPV_SUCCESS)
    dl_bug(NULL, "an invalid SPIR-V module was emitted: %s",
           diagnostic ? diagnostic->error : "no reason given");
  spvDiagnosticDestroy(diagnostic);
  spvContextDestroy(context);
}
