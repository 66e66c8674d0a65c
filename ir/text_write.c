// Writing of modules: to buffers and files, with the resources they use beside them.

#include <errno.h>

#include "ir/binary.h"
#include "ir/files.h"
#include "ir/text_internal.h"

void dl_print_op(dl_buffer *out, const dl_op *op, const dl_print_options *options) {
  dl_printer o = {.out = out};
  if (options) o.options = *options;
  dl_write_top_level(&o, op);
  if (o.options.print_resources) dl_write_resource_sections(&o, NULL);
  dl_printer_free(&o);
}

// --- files ---

static dl_status cannot_write(dl_context *ctx, const char *path) {
  return dl_error(dl_loc_file(ctx, dl_intern_z(ctx, path), 0, 0), "cannot write the file: %s",
                  strerror(errno));
}

static bool write_bytes(dl_output_file *out, const void *data, size_t size) {
  return size == 0 || fwrite(data, 1, size, out->file) == size;
}

static dl_status write_file(dl_context *ctx, const char *path, const dl_buffer *text) {
  dl_output_file out;
  bool ok = dl_output_open(&out, dl_get_temporaries(ctx), path);
  if (ok) {
    write_bytes(&out, text->data, text->len);
    ok = dl_output_close(&out, true);
  }
  return ok ? DL_OK : cannot_write(ctx, path);
}

// --- the side file ---

static char *side_path(const char *path) {
  const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
  size_t stem = dot && (!slash || dot > slash) ? (size_t)(dot - path) : strlen(path);
  dl_buffer name = {0};
  dl_buffer_append(&name, path, stem);
  dl_buffer_puts(&name, ".dlw");
  return name.data;
}

static bool write_padded(dl_output_file *out, const dl_resource *resource) {
  static const char zeros[DL_SIDE_ALIGNMENT];
  return write_bytes(out, resource->data, resource->size) &&
         write_bytes(out, zeros, -resource->size % DL_SIDE_ALIGNMENT);
}

static bool write_blobs(dl_printer *o, dl_output_file *side) {
  for (size_t i = 0; i < o->resources.len; i++) {
    const dl_resource *resource = dl_find_resource(o->ctx, o->resources.data[i]);
    if (resource && !write_padded(side, resource)) return false;
  }
  return true;
}

static bool uses_resources(const dl_printer *o) {
  for (size_t i = 0; i < o->resources.len; i++)
    if (dl_find_resource(o->ctx, o->resources.data[i])) return true;
  return false;
}

static dl_status write_side_file(dl_printer *o, const char *path) {
  if (!uses_resources(o) || dl_is_special_file(path)) {
    dl_write_resource_sections(o, NULL);
    return DL_OK;
  }
  char *side = side_path(path);
  const char *slash = strrchr(side, '/');
  dl_write_resource_sections(o, slash ? slash + 1 : side);
  dl_output_file out;
  bool ok = dl_output_open(&out, dl_get_temporaries(o->ctx), side);
  if (ok) {
    bool written = write_blobs(o, &out);
    int error = errno;
    ok = dl_output_close(&out, written) && written;
    if (!written) errno = error;
  }
  dl_status status = ok ? DL_OK : cannot_write(o->ctx, side);
  free(side);
  return status;
}

static bool is_binary_path(const char *path) {
  const char *dot = strrchr(path, '.');
  return dot && !strcmp(dot, ".dlbc");
}

static dl_status write_binary_module(dl_op *module, const char *path) {
  dl_buffer bytes = {0};
  dl_status status = dl_write_binary(module, &bytes);
  if (status == DL_OK) status = write_file(dl_op_context(module), path, &bytes);
  dl_buffer_free(&bytes);
  return status;
}

// The text leaves while it is made; an error of the file is noticed when it is closed.
static void flush_to_file(dl_printer *o) {
  fwrite(o->out->data, 1, o->out->len, o->file);
  o->out->len = 0;
}

static dl_status write_to_stdout(dl_printer *o, dl_op *module) {
  o->file = stdout;
  dl_write_top_level(o, module);
  dl_write_resource_sections(o, NULL);
  flush_to_file(o);
  if (fflush(stdout) == 0 && !ferror(stdout)) return DL_OK;
  return dl_error(dl_loc_unknown(o->ctx), "cannot write '<stdout>': %s", strerror(errno));
}

static dl_status write_to_path(dl_printer *o, dl_op *module, const char *path) {
  dl_output_file out;
  dl_context *ctx = dl_op_context(module);
  if (!dl_output_open(&out, dl_get_temporaries(ctx), path)) return cannot_write(ctx, path);
  o->file = out.file;
  dl_write_top_level(o, module);
  dl_status status = write_side_file(o, path);
  flush_to_file(o);
  bool closed = dl_output_close(&out, status == DL_OK);
  return status == DL_OK && !closed ? cannot_write(ctx, path) : status;
}

dl_status dl_write_module(dl_op *module, const char *path, const dl_print_options *options) {
  if (is_binary_path(path)) return write_binary_module(module, path);
  dl_buffer text = {0};
  dl_printer o = {.out = &text, .flush = flush_to_file};
  if (options) o.options = *options;
  dl_status status =
      strcmp(path, "-") == 0 ? write_to_stdout(&o, module) : write_to_path(&o, module, path);
  dl_printer_free(&o);
  dl_buffer_free(&text);
  return status;
}
