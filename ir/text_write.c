// Writing of modules: to buffers and files, with the resources they use.

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ir/text_internal.h"

enum { RESOURCE_ALIGNMENT = 64 };

// --- resources inside the text ---

static void write_blob(dl_printer *o, const dl_resource *resource, bool first) {
  unsigned char alignment[4] = {RESOURCE_ALIGNMENT};
  dl_buffer_puts(o->out, first ? "      " : ",\n      ");
  dl_write_keyword_or_string(o->out, resource->name);
  dl_buffer_puts(o->out, ": \"0x");
  dl_write_hex(o->out, (dl_str){(const char *)alignment, sizeof alignment});
  dl_write_hex(o->out, (dl_str){resource->data, resource->size});
  dl_buffer_putc(o->out, '"');
}

static void write_inline_resources(dl_printer *o) {
  bool any = false;
  for (size_t i = 0; i < o->resources.len; i++) {
    const dl_resource *resource = dl_find_resource(o->ctx, o->resources.data[i]);
    if (!resource) continue;
    if (!any) dl_buffer_puts(o->out, "\n{-#\n  dialect_resources: {\n    builtin: {\n");
    write_blob(o, resource, !any);
    any = true;
  }
  if (any) dl_buffer_puts(o->out, "\n    }\n  }\n#-}\n");
}

void dl_print_op(dl_buffer *out, const dl_op *op, const dl_print_options *options) {
  dl_printer o = {.out = out};
  if (options) o.options = *options;
  dl_write_top_level(&o, op);
  if (o.options.print_resources) write_inline_resources(&o);
  dl_printer_free(&o);
}

// --- files ---

typedef struct output {
  dl_context *ctx;
  const char *path;
  char *temporary;  // NULL: the path is a device or a pipe, which no file may replace
  FILE *file;
} output;

static dl_status output_error(output *out, const char *what) {
  int error = errno;
  return dl_error(dl_loc_file(out->ctx, dl_intern_z(out->ctx, out->path), 0, 0), "cannot %s: %s",
                  what, strerror(error));
}

static bool is_special(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 && !S_ISREG(info.st_mode);
}

static dl_status open_output(output *out, dl_context *ctx, const char *path) {
  dl_buffer name = {0};
  if (!is_special(path)) dl_buffer_printf(&name, "%s.%ld.tmp", path, (long)getpid());
  *out = (output){.ctx = ctx, .path = path, .temporary = name.data};
  out->file = fopen(out->temporary ? out->temporary : path, "wb");
  return out->file ? DL_OK : output_error(out, "create the file");
}

// Moves the finished file into place; after a failure nothing is left behind.
static dl_status close_output(output *out, dl_status status) {
  if (out->file) {
    bool written = !ferror(out->file);
    written = fclose(out->file) == 0 && written;
    if (status == DL_OK && !written) status = output_error(out, "write the file");
    if (status == DL_OK && out->temporary && rename(out->temporary, out->path) != 0)
      status = output_error(out, "rename the file");
    if (status != DL_OK && out->temporary) unlink(out->temporary);
  }
  free(out->temporary);
  return status;
}

static dl_status write_bytes(output *out, const void *data, size_t size) {
  if (size == 0 || fwrite(data, 1, size, out->file) == size) return DL_OK;
  return output_error(out, "write the file");
}

static dl_status write_file(dl_context *ctx, const char *path, const dl_buffer *text) {
  output out;
  dl_status status = open_output(&out, ctx, path);
  if (status == DL_OK) status = write_bytes(&out, text->data, text->len);
  return close_output(&out, status);
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

static dl_status write_padded(output *out, const dl_resource *resource, uint64_t *offset) {
  static const char zeros[RESOURCE_ALIGNMENT];
  DL_TRY(write_bytes(out, resource->data, resource->size));
  size_t padding = -resource->size % RESOURCE_ALIGNMENT;
  *offset += resource->size + padding;
  return write_bytes(out, zeros, padding);
}

// Writes the bytes to the side file and their list to the text.
static dl_status write_external(dl_printer *o, output *side, const char *path) {
  const char *slash = strrchr(path, '/');
  uint64_t offset = 0;
  dl_buffer_puts(o->out, "\n{-#\n  external_resources: {\n    dlir: {\n      file: ");
  dl_write_string(o->out, dl_str_of(slash ? slash + 1 : path));
  for (size_t i = 0; i < o->resources.len; i++) {
    const dl_resource *resource = dl_find_resource(o->ctx, o->resources.data[i]);
    if (!resource) continue;
    dl_buffer_puts(o->out, ",\n      ");
    dl_write_keyword_or_string(o->out, resource->name);
    dl_buffer_printf(o->out, ": \"%" PRIu64 ":%zu\"", offset, resource->size);
    DL_TRY(write_padded(side, resource, &offset));
  }
  dl_buffer_puts(o->out, "\n    }\n  }\n#-}\n");
  return DL_OK;
}

static bool uses_resources(const dl_printer *o) {
  for (size_t i = 0; i < o->resources.len; i++)
    if (dl_find_resource(o->ctx, o->resources.data[i])) return true;
  return false;
}

static dl_status write_side_file(dl_printer *o, const char *path) {
  if (!uses_resources(o)) return DL_OK;
  char *side = side_path(path);
  output out;
  dl_status status = open_output(&out, o->ctx, side);
  if (status == DL_OK) status = write_external(o, &out, side);
  status = close_output(&out, status);
  free(side);
  return status;
}

dl_status dl_write_module(dl_op *module, const char *path, const dl_print_options *options) {
  dl_buffer text = {0};
  dl_printer o = {.out = &text};
  if (options) o.options = *options;
  dl_write_top_level(&o, module);
  dl_status status = DL_OK;
  if (strcmp(path, "-") == 0) {
    write_inline_resources(&o);
    if (fwrite(text.data, 1, text.len, stdout) != text.len || fflush(stdout) != 0)
      status = dl_error(dl_op_loc(module), "cannot write to standard output: %s", strerror(errno));
  } else {
    status = write_side_file(&o, path);
    if (status == DL_OK) status = write_file(o.ctx, path, &text);
  }
  dl_printer_free(&o);
  dl_buffer_free(&text);
  return status;
}
