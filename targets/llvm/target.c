// target.c: the module's interface: the target `cpu`.
#include "ir/plugin.h"
#include "targets/llvm/binary.h"
#include "targets/llvm/describe.h"
#include "targets/llvm/engine.h"

typedef struct emission {
  dl_op *module;
  dl_loc loc;
  const char *path, *prefix, *header;
  dl_codegen codegen;
  dl_emit_options options;
} emission;

static dl_status write_text(emission *e, dl_unit_list *units, bool assembly) {
  if (assembly) {
    LLVMMemoryBufferRef buffer = NULL;
    dl_status status = dl_compile_units(&e->codegen, e->loc, units, LLVMAssemblyFile, &buffer);
    if (status == DL_OK)
      status =
          dl_write_file(e->loc, e->path, LLVMGetBufferStart(buffer), LLVMGetBufferSize(buffer));
    if (buffer) LLVMDisposeMemoryBuffer(buffer);
    return status;
  }
  DL_TRY(dl_optimize(&e->codegen, e->loc, &units->data[0]));
  char *text = LLVMPrintModuleToString(units->data[0].module);
  dl_status status = dl_write_file(e->loc, e->path, text, strlen(text));
  LLVMDisposeMessage(text);
  return status;
}

static dl_status emit_text(emission *e, bool assembly) {
  dl_unit_list units = {0};
  e->options.single = true;
  dl_status status = dl_emit_program(e->module, &e->options, &units);
  if (status == DL_OK) status = write_text(e, &units, assembly);
  dl_units_dispose(&units);
  return status;
}

static dl_status emit_kind(emission *e, const char *kind) {
  if (!strcmp(kind, "llvm")) return emit_text(e, false);
  if (!strcmp(kind, "asm")) return emit_text(e, true);
  if (!strcmp(kind, "obj"))
    return dl_write_binary(e->module, &e->codegen, &e->options, e->path, false);
  if (!strcmp(kind, "so"))
    return dl_write_binary(e->module, &e->codegen, &e->options, e->path, true);
  return dl_error(e->loc, "the target 'cpu' does not emit '%s', only llvm, asm, obj and so", kind);
}

// Options: `prefix` (of the exported symbol; default "model"), `opt` (0 to 3, default 2), `header`
// (write a C header there), `weights` (dl_separates_weights).
static dl_status emit(dl_op *module, const char *kind, const char *path,
                      const dl_named_text *options, size_t num_options) {
  emission e = {.module = module, .loc = dl_op_loc(module), .path = path};
  e.prefix = dl_option_text(options, num_options, "prefix", "model");
  e.header = dl_option_text(options, num_options, "header", NULL);
  int level = atoi(dl_option_text(options, num_options, "opt", "2"));
  DL_TRY(dl_codegen_create(&e.codegen, e.loc, dl_machine_of(module),
                           level < 0   ? 0
                           : level > 3 ? 3
                                       : level));
  e.options = (dl_emit_options){.prefix = e.prefix,
                                .main = "main",
                                .target = e.codegen.target,
                                .triple = e.codegen.triple,
                                .machine = e.codegen.machine};
  dl_status status = dl_weights_size(module, &e.options.weights_size);
  e.options.separate_weights = dl_separates_weights(
      dl_option_text(options, num_options, "weights", NULL), e.options.weights_size);
  if (status == DL_OK) status = emit_kind(&e, kind);
  if (status == DL_OK && e.header) status = dl_write_header(e.loc, e.prefix, e.header);
  dl_codegen_destroy(&e.codegen);
  return status;
}

static const dl_target_def cpu = {.name = "cpu",
                                  .summary = "Native code through LLVM for x86-64 and AArch64",
                                  .emit = emit,
                                  .describe = dl_describe_machine,
                                  .create_engine = dl_llvm_engine_create};
static const dl_target_def *const targets[] = {&cpu};
static const dl_module_def module_def = {.version = DL_PLUGIN_VERSION,
                                         .name = "llvm",
                                         .num_targets = DL_COUNT(targets),
                                         .targets = targets};

DL_API const dl_module_def *dl_module_query(uint32_t host_version);
DL_API const dl_module_def *dl_module_query(uint32_t host_version) {
  return host_version == DL_PLUGIN_VERSION ? &module_def : NULL;
}
