#include "targets/llvm/objects.h"

static dl_status write_buffers(dl_unit_list *units, LLVMMemoryBufferRef *buffers, dl_workdir *dir,
                               const char *stem, dl_path_list *objects) {
  dl_status status = DL_OK;
  for (size_t i = 0; i < units->len; i++) {
    if (!buffers[i]) continue;
    dl_buffer name = {0};
    dl_buffer_printf(&name, "%s-%zu.o", stem, i);
    const char *file = dl_workdir_file(dir, name.data);
    dl_buffer_free(&name);
    DL_PUSH(objects, file);
    if (status == DL_OK)
      status = dl_workdir_write(dir, file, LLVMGetBufferStart(buffers[i]),
                                LLVMGetBufferSize(buffers[i]));
    LLVMDisposeMemoryBuffer(buffers[i]);
  }
  return status;
}

dl_status dl_write_objects(dl_op *module, const dl_codegen *codegen, const dl_emit_options *options,
                           dl_workdir *dir, const char *stem, dl_path_list *objects) {
  dl_unit_list units = {0};
  dl_status status = dl_emit_program(module, options, &units);
  if (status == DL_OK) {
    LLVMMemoryBufferRef *buffers = dl_calloc(units.len, sizeof(*buffers));
    status = dl_compile_units(codegen, dl_op_loc(module), &units, LLVMObjectFile, buffers);
    dl_status written = write_buffers(&units, buffers, dir, stem, objects);
    if (status == DL_OK) status = written;
    free(buffers);
  }
  dl_units_dispose(&units);
  return status;
}
