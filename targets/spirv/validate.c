#include <spirv-tools/libspirv.h>

#include "targets/spirv/spirv.h"

enum { HEADER_WORDS = 5, OP_CAPABILITY = 17, CAPABILITY_FLOAT16 = 9 };

// Whether the module does arithmetic on halves. Capabilities come first in a module, each as an
// instruction of two words: its length and opcode, then the capability.
static bool uses_half(const uint32_t *words, size_t count) {
  for (size_t i = HEADER_WORDS; i + 1 < count && words[i] == (2u << 16 | OP_CAPABILITY); i += 2)
    if (words[i + 1] == CAPABILITY_FLOAT16) return true;
  return false;
}

// OpenCL's environment knows halves as an extension (cl_khr_fp16) only, which the validator cannot
// be told of.
void dl_spirv_validate(const dl_buffer *binary) {
  spv_const_binary_t code = {(const uint32_t *)(const void *)binary->data, binary->len / 4};
  bool half = uses_half(code.code, code.wordCount);
  spv_context context = spvContextCreate(half ? SPV_ENV_UNIVERSAL_1_2 : SPV_ENV_OPENCL_2_2);
  spv_diagnostic diagnostic = NULL;
  if (spvValidate(context, &code, &diagnostic) != SPV_SUCCESS)
    dl_bug(NULL, "an invalid SPIR-V module was emitted: %s",
           diagnostic ? diagnostic->error : "no reason given");
  spvDiagnosticDestroy(diagnostic);
  spvContextDestroy(context);
}
