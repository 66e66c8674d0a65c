#include "targets/llvm/weights.h"

#include <dlfcn.h>
#include <elf.h>

#include "targets/llvm/elf_writer.h"
#include "targets/llvm/objects.h"
#include "targets/runtime/dlir_model.h"

// @init is compiled as a model of its own, without inputs, and loaded into this process.
static dl_status build_library(dl_op *module, const dl_codegen *codegen, dl_workdir *dir,
                               const char **library) {
  dl_loc loc = dl_op_loc(module);
  dl_codegen host;
  dl_machine machine = dl_host_processor(dl_op_context(module), codegen->machine);
  DL_TRY(dl_codegen_create(&host, loc, machine, codegen->opt_level));
  dl_emit_options options = {.prefix = "dlir_init",
                             .main = "init",
                             .target = host.target,
                             .triple = host.triple,
                             .machine = machine,
                             .in_process = true};
  dl_path_list objects = {0};
  *library = dl_workdir_file(dir, "init.so");
  dl_status status = dl_write_objects(module, &host, &options, dir, "init", &objects);
  if (status == DL_OK) status = dl_link_shared(loc, &objects, options.prefix, *library);
  DL_VEC_FREE(&objects);
  dl_codegen_destroy(&host);
  return status;
}

static dl_status stream(dl_elf_writer *writer, size_t count, const dlir_value *values) {
  for (size_t i = 0; i < count; i++) {
    const DLTensor *t = values[i].u.tensor;
    size_t bytes = (t->dtype.bits + 7u) / 8u;
    for (int32_t d = 0; d < t->ndim; d++) bytes *= (size_t)t->shape[d];
    DL_TRY(dl_elf_append(writer, t->data, bytes));
    DL_TRY(dl_elf_align(writer, 64));
  }
  return DL_OK;
}

static dl_status run_and_stream(dl_loc loc, const dlir_model *model, dl_elf_writer *writer) {
  dlir_session *session;
  dlir_value *values = dl_calloc(model->num_outputs + 1, sizeof(*values));
  dlir_status failed = model->open(model, NULL, &session);
  if (!failed) failed = model->run(session, 0, NULL, model->num_outputs, values);
  dl_status status = failed ? dl_error(loc, "computing the weights: %s", model->last_error(session))
                            : stream(writer, model->num_outputs, values);
  model->close(session);
  free(values);
  return status;
}

static dl_status run_library(dl_loc loc, const char *library, dl_elf_writer *writer) {
  void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (!handle) return dl_error(loc, "computing the weights: %s", dlerror());
  dlir_query_fn query = (dlir_query_fn)dlsym(handle, "dlir_init_query");
  const dlir_model *model = query ? query(DLIR_MODEL_VERSION) : NULL;
  dl_status status =
      model ? run_and_stream(loc, model, writer) : dl_error(loc, "'@init' has no table");
  dlclose(handle);
  return status;
}

static dl_status write_object(dl_loc loc, const char *library, const char *object,
                              const char *prefix, uint16_t machine) {
  dl_elf_writer *writer = dl_elf_create(loc, object, machine);
  if (!writer) return DL_FAILED;
  dl_buffer symbol = {0};
  dl_buffer_printf(&symbol, "%s.weights", prefix);
  dl_status status = run_library(loc, library, writer);
  if (status == DL_OK) status = dl_elf_finish(writer, symbol.data);
  dl_buffer_free(&symbol);
  dl_elf_destroy(writer);
  return status;
}

dl_status dl_write_weights(dl_op *module, const dl_codegen *codegen, const char *prefix,
                           dl_workdir *dir, const char **object) {
  *object = NULL;
  dl_op *init = dl_symbol_lookup(module, dl_intern_z(dl_op_context(module), "init"));
  if (!init) return DL_OK;
  const char *library;
  DL_TRY(build_library(module, codegen, dir, &library));
  *object = dl_workdir_file(dir, "weights.o");
  uint16_t machine = strncmp(codegen->triple, "aarch64", 7) ? EM_X86_64 : EM_AARCH64;
  return write_object(dl_op_loc(module), library, *object, prefix, machine);
}
