// target.c: the module's interface: the target `cpu`.
#include <errno.h>
#include <stdio.h>

#include "ir/plugin.h"
#include "targets/llvm/describe.h"
#include "targets/llvm/files.h"
#include "targets/llvm/objects.h"
#include "targets/llvm/weights.h"

typedef struct emission {
  dl_op *module;
  dl_loc loc;
  const char *path, *prefix, *header;
  dl_codegen codegen;
  dl_emit_options options;
} emission;

static dl_status write_file(dl_loc loc, const char *path, const void *bytes, size_t size) {
  dl_workdir dir;
  DL_TRY(dl_workdir_create(&dir, loc, path));
  const char *file = dl_workdir_file(&dir, "out");
  dl_status status = dl_workdir_write(&dir, file, bytes, size);
  if (status == DL_OK) status = dl_workdir_publish(&dir, file);
  dl_workdir_remove(&dir);
  return status;
}

static dl_status write_text(emission *e, dl_unit_list *units, bool assembly) {
  if (assembly) {
    LLVMMemoryBufferRef buffer = NULL;
    dl_status status = dl_compile_units(&e->codegen, e->loc, units, LLVMAssemblyFile, &buffer);
    if (status == DL_OK)
      status = write_file(e->loc, e->path, LLVMGetBufferStart(buffer), LLVMGetBufferSize(buffer));
    if (buffer) LLVMDisposeMemoryBuffer(buffer);
    return status;
  }
  DL_TRY(dl_optimize(&e->codegen, e->loc, &units->data[0]));
  char *text = LLVMPrintModuleToString(units->data[0].module);
  dl_status status = write_file(e->loc, e->path, text, strlen(text));
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

static dl_status build_binary(emission *e, dl_workdir *dir, bool shared) {
  dl_path_list objects = {0};
  const char *weights, *out = dl_workdir_file(dir, "out");
  dl_status status = dl_write_weights(e->module, &e->codegen, e->prefix, dir, &weights);
  if (status == DL_OK)
    status = dl_write_objects(e->module, &e->codegen, &e->options, dir, "model", &objects);
  if (status == DL_OK && weights) DL_PUSH(&objects, weights);
  if (status == DL_OK)
    status = shared ? dl_link_shared(e->loc, &objects, e->prefix, out)
                    : dl_link_relocatable(e->loc, &objects, out);
  if (status == DL_OK) status = dl_workdir_publish(dir, out);
  DL_VEC_FREE(&objects);
  return status;
}

// The runtime archive and libc at hand are those of this machine.
static dl_status check_linkable(const emission *e) {
  char *host = LLVMGetDefaultTargetTriple();
  size_t arch = strcspn(host, "-") + 1;
  bool same = !strncmp(host, e->codegen.triple, arch);
  LLVMDisposeMessage(host);
  if (same) return DL_OK;
  return dl_error(e->loc,
                  "a library for '%s' cannot be linked here; emit obj, and link it there with that "
                  "machine's libdlir_rt.a",
                  e->codegen.triple);
}

static dl_status emit_binary(emission *e, bool shared) {
  if (shared) DL_TRY(check_linkable(e));
  dl_workdir dir;
  DL_TRY(dl_workdir_create(&dir, e->loc, e->path));
  dl_status status = build_binary(e, &dir, shared);
  dl_workdir_remove(&dir);
  return status;
}

// The interface of all models, then the one function of this one.
static dl_status write_header(emission *e) {
  char *interface = dl_beside_module("dlir_model.h");
  FILE *file = fopen(interface, "rb");
  dl_status status =
      file ? DL_OK : dl_error(e->loc, "cannot read '%s': %s", interface, strerror(errno));
  dl_buffer text = {0};
  if (file) {
    char chunk[4096];
    size_t got;
    while ((got = fread(chunk, 1, sizeof(chunk), file)) > 0) dl_buffer_append(&text, chunk, got);
    fclose(file);
    dl_buffer_printf(&text,
                     "\n#ifdef __cplusplus\nextern \"C\"\n#endif\n"
                     "const dlir_model *%s_query(uint32_t version);\n",
                     e->prefix);
    status = write_file(e->loc, e->header, text.data, text.len);
  }
  dl_buffer_free(&text);
  free(interface);
  return status;
}

static dl_status emit_kind(emission *e, const char *kind) {
  if (!strcmp(kind, "llvm")) return emit_text(e, false);
  if (!strcmp(kind, "asm")) return emit_text(e, true);
  if (!strcmp(kind, "obj")) return emit_binary(e, false);
  if (!strcmp(kind, "so")) return emit_binary(e, true);
  return dl_error(e->loc, "the target 'cpu' does not emit '%s', only llvm, asm, obj and so", kind);
}

static dl_status weights_size(dl_op *module, uint64_t *size) {
  uint64_t *offsets;
  size_t count;
  DL_TRY(dl_weight_offsets(module, &offsets, &count));
  *size = offsets ? offsets[count] : 0;
  free(offsets);
  return DL_OK;
}

// Options: `prefix` (of the exported symbol; default "model"), `opt` (0 to 3, default 2), `header`
// (write a C header there).
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
  dl_status status = weights_size(module, &e.options.weights_size);
  if (status == DL_OK) status = emit_kind(&e, kind);
  if (status == DL_OK && e.header) status = write_header(&e);
  dl_codegen_destroy(&e.codegen);
  return status;
}

static const dl_target_def cpu = {.name = "cpu",
                                  .summary = "Native code through LLVM for x86-64 and AArch64",
                                  .emit = emit,
                                  .describe = dl_describe_machine};
static const dl_target_def *const targets[] = {&cpu};
static const dl_module_def module_def = {.version = DL_PLUGIN_VERSION,
                                         .name = "llvm",
                                         .num_targets = DL_COUNT(targets),
                                         .targets = targets};

DL_API const dl_module_def *dl_module_query(uint32_t host_version);
DL_API const dl_module_def *dl_module_query(uint32_t host_version) {
  return host_version == DL_PLUGIN_VERSION ? &module_def : NULL;
}
