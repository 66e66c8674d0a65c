#include "targets/llvm/jit.h"

#include <llvm-c/Error.h>
#include <llvm-c/LLJIT.h>
#include <llvm-c/Transforms/PassBuilder.h>

struct dl_jit {
  LLVMOrcLLJITRef lljit;
};

static bool failed(LLVMErrorRef error, dl_buffer *why) {
  if (!error) return false;
  char *message = LLVMGetErrorMessage(error);
  dl_buffer_puts(why, message);
  LLVMDisposeErrorMessage(message);
  return true;
}

dl_jit *dl_jit_create(dl_buffer *why) {
  dl_jit *jit = dl_calloc(1, sizeof(*jit));
  LLVMOrcDefinitionGeneratorRef process;
  if (!failed(LLVMOrcCreateLLJIT(&jit->lljit, NULL), why)) {
    char prefix = LLVMOrcLLJITGetGlobalPrefix(jit->lljit);
    if (!failed(LLVMOrcCreateDynamicLibrarySearchGeneratorForProcess(&process, prefix, NULL, NULL),
                why)) {
      LLVMOrcJITDylibAddGenerator(LLVMOrcLLJITGetMainJITDylib(jit->lljit), process);
      return jit;
    }
  }
  dl_jit_destroy(jit);
  return NULL;
}

void dl_jit_destroy(dl_jit *jit) {
  if (jit->lljit) LLVMConsumeError(LLVMOrcDisposeLLJIT(jit->lljit));
  free(jit);
}

static LLVMMemoryBufferRef compile(const dl_codegen *codegen, const char *passes, dl_unit *unit,
                                   dl_buffer *why) {
  LLVMMemoryBufferRef object = NULL;
  char *message = NULL;
  LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
  LLVMPassBuilderOptionsSetLoopVectorization(options, true);
  bool bad = failed(LLVMRunPasses(unit->module, passes, codegen->target, options), why);
  LLVMDisposePassBuilderOptions(options);
  if (bad || !LLVMTargetMachineEmitToMemoryBuffer(codegen->target, unit->module, LLVMObjectFile,
                                                  &message, &object))
    return object;
  dl_buffer_puts(why, message);
  LLVMDisposeMessage(message);
  return NULL;
}

void *dl_jit_add(dl_jit *jit, const dl_codegen *codegen, const char *passes, dl_unit *unit,
                 const char *name, dl_buffer *why) {
  LLVMMemoryBufferRef object = compile(codegen, passes, unit, why);
  LLVMOrcJITDylibRef library = LLVMOrcLLJITGetMainJITDylib(jit->lljit);
  LLVMOrcExecutorAddress address = 0;
  if (!object || failed(LLVMOrcLLJITAddObjectFile(jit->lljit, library, object), why) ||
      failed(LLVMOrcLLJITLookup(jit->lljit, &address, name), why))
    return NULL;
  return (void *)(uintptr_t)address;
}
