// Printing of the section {-# … #-}: the resources that a module uses, in the text or as places in
// a side file, and what other tools keep there.

#include <inttypes.h>

#include "ir/text_internal.h"

// Writes sections, groups and entries with the braces and commas between them.
typedef struct section_writer {
  dl_printer *o;
  const char *section;  // the one open, or NULL
  dl_ident group;
} section_writer;

static void close_group(section_writer *w) {
  if (w->group) dl_buffer_puts(w->o->out, "\n    }");
  w->group = NULL;
}

static void open_section(section_writer *w, const char *section) {
  if (w->section == section) return;
  close_group(w);
  dl_buffer_puts(w->o->out, w->section ? "\n  },\n" : "\n{-#\n");
  dl_buffer_printf(w->o->out, "  %s: {\n", section);
  w->section = section;
}

// Writes up to the entry's value.
static void begin_entry(section_writer *w, const char *section, dl_ident group, dl_ident key) {
  dl_buffer *out = w->o->out;
  open_section(w, section);
  if (w->group == group) {
    dl_buffer_puts(out, ",\n");
  } else {
    if (w->group) dl_buffer_puts(out, "\n    },\n");
    dl_buffer_puts(out, "    ");
    dl_write_keyword_or_string(out, group);
    dl_buffer_puts(out, ": {\n");
    w->group = group;
  }
  dl_buffer_puts(out, "      ");
  dl_write_keyword_or_string(out, key);
  dl_buffer_puts(out, ": ");
}

static void finish(section_writer *w) {
  close_group(w);
  if (w->section) dl_buffer_puts(w->o->out, "\n  }\n#-}\n");
}

const char dl_dialect_section[] = "dialect_resources", dl_external_section[] = "external_resources";

// `len` characters of a value, without quotes.
static bool too_long(const dl_printer *o, size_t len) {
  return o->options.elide_resources && len >= o->options.elide_resources;
}

static void write_blob(section_writer *w, const dl_resource *resource) {
  dl_buffer *out = w->o->out;
  if (too_long(w->o, 2 * resource->size + 10)) return;
  begin_entry(w, dl_dialect_section, dl_intern_z(w->o->ctx, "builtin"), resource->name);
  uint32_t alignment = (uint32_t)resource->alignment;
  dl_buffer_puts(out, "\"0x");
  dl_write_hex(out, (dl_str){(const char *)&alignment, sizeof alignment});
  dl_write_hex(out, (dl_str){resource->data, resource->size});
  dl_buffer_putc(out, '"');
}

static void write_places(section_writer *w, dl_ident side_file) {
  dl_context *ctx = w->o->ctx;
  dl_ident group = dl_intern_z(ctx, "dlir");
  uint64_t offset = 0;
  begin_entry(w, dl_external_section, group, dl_intern_z(ctx, "file"));
  dl_write_string(w->o->out, dl_str_of(side_file));
  for (size_t i = 0; i < w->o->resources.len; i++) {
    const dl_resource *resource = dl_find_resource(ctx, w->o->resources.data[i]);
    if (!resource) continue;
    begin_entry(w, dl_external_section, group, resource->name);
    dl_buffer_printf(w->o->out, "\"%" PRIu64 ":%zu", offset, resource->size);
    if (resource->alignment != DL_SIDE_ALIGNMENT)
      dl_buffer_printf(w->o->out, ":%zu", resource->alignment);
    dl_buffer_putc(w->o->out, '"');
    offset += resource->size + (-resource->size % DL_SIDE_ALIGNMENT);
  }
}

static void write_externals(section_writer *w, const char *section) {
  const dl_external_list *list = dl_external_entries(w->o->ctx);
  for (size_t i = 0; list && i < list->len; i++) {
    const dl_external_entry *entry = &list->data[i];
    if (entry->section != section || too_long(w->o, entry->value.len)) continue;
    begin_entry(w, section, entry->group, entry->key);
    dl_buffer_append(w->o->out, entry->value.data, entry->value.len);
  }
}

void dl_write_resource_sections(dl_printer *o, dl_ident side_file) {
  section_writer w = {.o = o};
  for (size_t i = 0; i < o->resources.len && !side_file; i++) {
    const dl_resource *resource = dl_find_resource(o->ctx, o->resources.data[i]);
    if (resource) write_blob(&w, resource);
  }
  write_externals(&w, dl_dialect_section);
  if (side_file) write_places(&w, side_file);
  write_externals(&w, dl_external_section);
  finish(&w);
}
