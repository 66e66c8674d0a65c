// target.c: the module's interface: the target `opencl`. Kernels become one SPIR-V module; the host
// program, which holds it, is native code as for the target `cpu`.
#include "ir/plugin.h"
#include "targets/llvm/binary.h"
#include "targets/llvm/describe.h"
#include "targets/spirv/legality.h"
#include "targets/spirv/spirv.h"

typedef struct emission {
  dl_op *module;
  dl_loc loc;
  const char *path, *prefix, *header, *weights;
  int opt_level;
} emission;

// The host program asks for no more than every processor of its architecture has.
static dl_machine host_machine(void) { return (dl_machine){.vector_bits = 128}; }

static dl_status emit_kernels(const emission *e, LLVMTargetMachineRef machine,
                              dl_unit_list *units) {
  dl_emit_options options = {
      .prefix = e->prefix, .main = "main", .target = machine, .triple = DL_SPIRV_TRIPLE};
  return dl_emit_device_kernels(e->module, &options, dl_check_spirv, units);
}

static dl_status translate(const emission *e, dl_buffer *binary) {
  LLVMTargetMachineRef machine = dl_spirv_machine(e->loc);
  if (!machine) return DL_FAILED;
  dl_unit_list units = {0};
  dl_status status = emit_kernels(e, machine, &units);
  if (status == DL_OK)
    status = dl_spirv_translate(e->loc, machine, &units.data[0], e->opt_level, binary);
  dl_units_dispose(&units);
  LLVMDisposeTargetMachine(machine);
  if (status == DL_OK) dl_spirv_validate(binary);
  return status;
}

static dl_status write_llvm(const emission *e) {
  LLVMTargetMachineRef machine = dl_spirv_machine(e->loc);
  if (!machine) return DL_FAILED;
  dl_unit_list units = {0};
  dl_status status = emit_kernels(e, machine, &units);
  if (status == DL_OK) {
    char *text = LLVMPrintModuleToString(units.data[0].module);
    status = dl_write_file(e->loc, e->path, text, strlen(text));
    LLVMDisposeMessage(text);
  }
  dl_units_dispose(&units);
  LLVMDisposeTargetMachine(machine);
  return status;
}

static dl_status write_host(const emission *e, const dl_buffer *binary, bool shared) {
  dl_codegen codegen;
  DL_TRY(dl_codegen_create(&codegen, e->loc, host_machine(), e->opt_level));
  dl_device_code device = {.driver = "dlrt_opencl", .bytes = {binary->data, binary->len}};
  dl_emit_options options = {.prefix = e->prefix,
                             .main = "main",
                             .target = codegen.target,
                             .triple = codegen.triple,
                             .machine = codegen.machine,
                             .device = &device};
  dl_status status = dl_weights_size(e->module, &options.weights_size);
  options.separate_weights = dl_separates_weights(e->weights, options.weights_size);
  if (status == DL_OK) status = dl_write_binary(e->module, &codegen, &options, e->path, shared);
  if (status == DL_OK && e->header) status = dl_write_header(e->loc, e->prefix, e->header);
  dl_codegen_destroy(&codegen);
  return status;
}

static dl_status emit_kind(const emission *e, const char *kind) {
  if (!strcmp(kind, "llvm")) return write_llvm(e);
  bool spirv = !strcmp(kind, "spirv"), shared = !strcmp(kind, "so");
  if (!spirv && !shared && strcmp(kind, "obj"))
    return dl_error(e->loc, "the target 'opencl' does not emit '%s', only llvm, spirv, obj and so",
                    kind);
  dl_buffer binary = {0};
  dl_status status = translate(e, &binary);
  if (status == DL_OK)
    status = spirv ? dl_write_file(e->loc, e->path, binary.data, binary.len)
                   : write_host(e, &binary, shared);
  dl_buffer_free(&binary);
  return status;
}

// Options: as the target `cpu` (targets/llvm/target.c).
static dl_status emit(dl_op *module, const char *kind, const char *path,
                      const dl_named_text *options, size_t num_options) {
  emission e = {.module = module,
                .loc = dl_op_loc(module),
                .path = path,
                .prefix = dl_option_text(options, num_options, "prefix", "model"),
                .header = dl_option_text(options, num_options, "header", NULL),
                .weights = dl_option_text(options, num_options, "weights", NULL),
                .opt_level = atoi(dl_option_text(options, num_options, "opt", "2"))};
  return emit_kind(&e, kind);
}

static dl_status describe(dl_op *module, const dl_named_text *options, size_t num_options) {
  if (num_options)
    return dl_error(dl_op_loc(module), "the target 'opencl' has no --%s: '%s'", options[0].name,
                    options[0].text);
  const dl_named_text any = {"mcpu", "opencl"};
  return dl_describe_machine(module, &any, 1);
}

static const dl_target_def opencl = {.name = "opencl",
                                     .summary = "SPIR-V kernels for OpenCL devices",
                                     .emit = emit,
                                     .describe = describe};
static const dl_target_def *const targets[] = {&opencl};
static const dl_module_def module_def = {.version = DL_PLUGIN_VERSION,
                                         .name = "spirv",
                                         .num_targets = DL_COUNT(targets),
                                         .targets = targets};

DL_API const dl_module_def *dl_module_query(uint32_t host_version);
DL_API const dl_module_def *dl_module_query(uint32_t host_version) {
  return host_version == DL_PLUGIN_VERSION ? &module_def : NULL;
}
