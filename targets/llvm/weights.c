#include "targets/llvm/weights.h"

#include <dlfcn.h>
#include <elf.h>
#include <string.h>

#include "targets/llvm/elf_writer.h"
#include "targets/llvm/objects.h"
#include "targets/runtime/weights.h"

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

// Where the weights go, and what is computed on the way.
typedef struct stream {
  dl_elf_writer *writer;
  dlrt_checksum sum;
} stream;

static dl_status write_values(stream *out, size_t count, const dlir_value *values) {
  for (size_t i = 0; i < count; i++) {
    const DLTensor *t = values[i].u.tensor;
    size_t bytes = (t->dtype.bits + 7u) / 8u;
    for (int32_t d = 0; d < t->ndim; d++) bytes *= (size_t)t->shape[d];
    dlrt_checksum_add(&out->sum, t->data, bytes);
    DL_TRY(dl_elf_append(out->writer, t->data, bytes));
    DL_TRY(dl_elf_align(out->writer, 64));
  }
  return DL_OK;
}

static dl_status run_and_stream(dl_loc loc, const dlir_model *model, stream *out) {
  dlir_session *session;
  dlir_value *values = dl_calloc(model->num_outputs + 1, sizeof(*values));
  dlir_status failed = model->open(model, NULL, &session);
  if (!failed) failed = model->run(session, 0, NULL, model->num_outputs, values);
  dl_status status = failed ? dl_error(loc, "computing the weights: %s", model->last_error(session))
                            : write_values(out, model->num_outputs, values);
  model->close(session);
  free(values);
  return status;
}

static dl_status run_library(dl_loc loc, const char *library, stream *out) {
  void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (!handle) return dl_error(loc, "computing the weights: %s", dlerror());
  dlir_query_fn query = (dlir_query_fn)dlsym(handle, "dlir_init_query");
  const dlir_model *model = query ? query(DLIR_MODEL_VERSION) : NULL;
  dl_status status =
      model ? run_and_stream(loc, model, out) : dl_error(loc, "'@init' has no table");
  dlclose(handle);
  return status;
}

// Runs the library into a file of the folder; finish and destroy out->writer then, in any case.
static dl_status start(dl_op *module, const dl_codegen *codegen, dl_workdir *dir, const char *file,
                       stream *out) {
  dl_loc loc = dl_op_loc(module);
  const char *library;
  *out = (stream){0};
  DL_TRY(build_library(module, codegen, dir, &library));
  uint16_t machine = strncmp(codegen->triple, "aarch64", 7) ? EM_X86_64 : EM_AARCH64;
  out->writer = dl_elf_create(loc, file, machine);
  return out->writer ? run_library(loc, library, out) : DL_FAILED;
}

static bool has_weights(dl_op *module) {
  return dl_symbol_lookup(module, dl_intern_z(dl_op_context(module), "init")) != NULL;
}

dl_status dl_write_weights(dl_op *module, const dl_codegen *codegen, const char *prefix,
                           dl_workdir *dir, const char **object) {
  *object = NULL;
  if (!has_weights(module)) return DL_OK;
  stream out;
  *object = dl_workdir_file(dir, "weights.o");
  dl_status status = start(module, codegen, dir, *object, &out);
  dl_buffer symbol = {0};
  dl_buffer_printf(&symbol, "%s.weights", prefix);
  if (status == DL_OK) status = dl_elf_finish(out.writer, symbol.data);
  dl_buffer_free(&symbol);
  dl_elf_destroy(out.writer);
  return status;
}

dl_status dl_write_side_file(dl_op *module, const dl_codegen *codegen, dl_workdir *dir,
                             const char **file, uint64_t *checksum) {
  *file = NULL;
  if (!has_weights(module)) return DL_OK;
  stream out;
  *file = dl_workdir_file(dir, "weights");
  dl_status status = start(module, codegen, dir, *file, &out);
  *checksum = dlrt_checksum_value(&out.sum);
  if (status == DL_OK) {
    dlrt_weights_header header = {.size = dl_elf_size(out.writer), .checksum = *checksum};
    memcpy(header.magic, DLRT_WEIGHTS_MAGIC, sizeof(header.magic));
    status = dl_elf_finish_plain(out.writer, &header, sizeof(header));
  }
  dl_elf_destroy(out.writer);
  return status;
}
