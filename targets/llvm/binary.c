#include "targets/llvm/binary.h"

#include <errno.h>
#include <stdio.h>

#include "targets/llvm/files.h"
#include "targets/llvm/objects.h"
#include "targets/llvm/weights.h"

dl_status dl_weights_size(dl_op *module, uint64_t *size) {
  uint64_t *offsets;
  size_t count;
  DL_TRY(dl_weight_offsets(module, &offsets, &count));
  *size = offsets ? offsets[count] : 0;
  free(offsets);
  return DL_OK;
}

dl_status dl_write_file(dl_loc loc, const char *path, const void *bytes, size_t size) {
  dl_workdir dir;
  DL_TRY(dl_workdir_create(&dir, loc, path));
  const char *file = dl_workdir_file(&dir, "out");
  dl_status status = dl_workdir_write(&dir, file, bytes, size);
  if (status == DL_OK) status = dl_workdir_publish(&dir, file);
  dl_workdir_remove(&dir);
  return status;
}

bool dl_separates_weights(const char *option, uint64_t size) {
  return option ? !strcmp(option, "separate") : size > DL_LARGEST_EMBEDDED;
}

static char *side_path(const char *output) {
  const char *slash = strrchr(output, '/'), *dot = strrchr(slash ? slash : output, '.');
  dl_buffer path = {0};
  dl_buffer_append(&path, output, dot ? (size_t)(dot - output) : strlen(output));
  dl_buffer_puts(&path, ".weights");
  return path.data;
}

// Objects, linked to `out`.
static dl_status build_code(dl_op *module, const dl_codegen *codegen,
                            const dl_emit_options *options, dl_workdir *dir, const char *weights,
                            bool shared, const char *out) {
  dl_loc loc = dl_op_loc(module);
  dl_path_list objects = {0};
  dl_status status = dl_write_objects(module, codegen, options, dir, "model", &objects);
  if (status == DL_OK && weights) DL_PUSH(&objects, weights);
  if (status == DL_OK)
    status = shared ? dl_link_shared(loc, &objects, options->prefix, out)
                    : dl_link_relocatable(loc, &objects, out);
  DL_VEC_FREE(&objects);
  return status;
}

static dl_status build_with_side_file(dl_op *module, const dl_codegen *codegen,
                                      const dl_emit_options *options, dl_workdir *dir,
                                      bool shared) {
  const char *weights, *out = dl_workdir_file(dir, "out");
  char *side = side_path(dir->output), *slash = strrchr(side, '/');
  dl_emit_options with_side = *options;
  dl_status status = dl_write_side_file(module, codegen, dir, &weights, &with_side.side_checksum);
  if (weights) with_side.side_file = slash ? slash + 1 : side;
  if (status == DL_OK) status = build_code(module, codegen, &with_side, dir, NULL, shared, out);
  if (status == DL_OK && weights) status = dl_workdir_publish_beside(dir, weights, side);
  if (status == DL_OK) status = dl_workdir_publish(dir, out);
  free(side);
  return status;
}

static dl_status build_binary(dl_op *module, const dl_codegen *codegen,
                              const dl_emit_options *options, dl_workdir *dir, bool shared) {
  if (options->separate_weights) return build_with_side_file(module, codegen, options, dir, shared);
  const char *weights, *out = dl_workdir_file(dir, "out");
  dl_status status = dl_write_weights(module, codegen, options->prefix, dir, &weights);
  if (status == DL_OK) status = build_code(module, codegen, options, dir, weights, shared, out);
  return status == DL_OK ? dl_workdir_publish(dir, out) : status;
}

// The runtime archive and libc at hand are those of this machine.
static dl_status check_linkable(dl_loc loc, const dl_codegen *codegen) {
  char *host = LLVMGetDefaultTargetTriple();
  size_t arch = strcspn(host, "-") + 1;
  bool same = !strncmp(host, codegen->triple, arch);
  LLVMDisposeMessage(host);
  if (same) return DL_OK;
  return dl_error(loc,
                  "a library for '%s' cannot be linked here; emit obj, and link it there with that "
                  "machine's libdlir_rt.a",
                  codegen->triple);
}

dl_status dl_write_binary(dl_op *module, const dl_codegen *codegen, const dl_emit_options *options,
                          const char *path, bool shared) {
  if (shared) DL_TRY(check_linkable(dl_op_loc(module), codegen));
  dl_workdir dir;
  DL_TRY(dl_workdir_create(&dir, dl_op_loc(module), path));
  dl_status status = build_binary(module, codegen, options, &dir, shared);
  dl_workdir_remove(&dir);
  return status;
}

// The interface of all models, then the one function of this one.
dl_status dl_write_header(dl_loc loc, const char *prefix, const char *path) {
  char *interface = dl_beside_module("dlir_model.h");
  FILE *file = fopen(interface, "rb");
  dl_status status =
      file ? DL_OK : dl_error(loc, "cannot read '%s': %s", interface, strerror(errno));
  dl_buffer text = {0};
  if (file) {
    char chunk[4096];
    size_t got;
    while ((got = fread(chunk, 1, sizeof(chunk), file)) > 0) dl_buffer_append(&text, chunk, got);
    fclose(file);
    dl_buffer_printf(&text,
                     "\n#ifdef __cplusplus\nextern \"C\"\n#endif\n"
                     "const dlir_model *%s_query(uint32_t version);\n",
                     prefix);
    status = dl_write_file(loc, path, text.data, text.len);
  }
  dl_buffer_free(&text);
  free(interface);
  return status;
}
