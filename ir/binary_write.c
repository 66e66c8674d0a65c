// Writing of binary modules: the sections and the header before them.
#include "ir/binary_writer.h"
#include "ir/text_internal.h"

typedef struct image {
  dl_buffer *out;
  size_t start;  // of the file in `out`
  dl_binary_section sections[DL_NUM_SECTIONS - 1];
  uint32_t num_sections;
} image;

static void pad(image *file, size_t at_least) {
  static const char zeros[DL_BINARY_ALIGNMENT + DL_BINARY_SLACK];
  size_t end = file->out->len - file->start + at_least;
  dl_buffer_append(file->out, zeros, at_least + -end % DL_BINARY_ALIGNMENT);
}

static size_t begin_section(image *file) { return file->out->len - file->start; }

static void end_section(image *file, dl_section_kind kind, size_t offset) {
  size_t size = file->out->len - file->start - offset;
  const char *bytes = file->out->data + file->start + offset;
  uint64_t checksum = kind == DL_SECTION_CODE ? 0 : dl_binary_checksum(bytes, size);
  file->sections[file->num_sections++] = (dl_binary_section){kind, 0, offset, size, checksum};
  pad(file, DL_BINARY_SLACK);
}

static void add_section(image *file, dl_section_kind kind, const dl_buffer *bytes) {
  size_t offset = begin_section(file);
  dl_buffer_append(file->out, bytes->data, bytes->len);
  end_section(file, kind, offset);
}

// A count, then the records.
static void add_table(image *file, dl_section_kind kind, uint64_t count, const dl_buffer *records) {
  size_t offset = begin_section(file);
  dl_put(file->out, count);
  dl_buffer_append(file->out, records->data, records->len);
  end_section(file, kind, offset);
}

// The count as a whole word, where each string ends, then the bytes.
static void add_strings(image *file, const dl_binary_writer *w) {
  size_t offset = begin_section(file);
  dl_buffer_append(file->out, &w->strings.count, sizeof(w->strings.count));
  dl_buffer_append(file->out, w->string_ends.data, w->string_ends.len);
  dl_buffer_append(file->out, w->strings.records.data, w->strings.records.len);
  end_section(file, DL_SECTION_STRINGS, offset);
}

static void add_bodies(image *file, const dl_binary_writer *w) {
  size_t offset = begin_section(file);
  dl_buffer_append(file->out, w->bodies.data, w->bodies.len * sizeof(*w->bodies.data));
  end_section(file, DL_SECTION_BODIES, offset);
}

// Those that the context does not know are left to whoever reads the module, as in text.
static void collect_resources(dl_binary_writer *w, dl_buffer *records, uint64_t *count) {
  for (size_t i = 0; i < w->resources.len; i++) {
    const dl_resource *resource = dl_find_resource(w->ctx, w->resources.data[i]);
    if (!resource) continue;
    dl_put(records, dl_write_string_ref(w, resource->name));
    dl_put(records, resource->alignment);
    dl_put(records, resource->size);
    dl_put(records, dl_write_data(w, (dl_str){resource->data, resource->size}));
    ++*count;
  }
}

// What other tools keep, after our resources.
static void add_externals(dl_binary_writer *w, dl_buffer *records) {
  const dl_external_list *list = dl_external_entries(w->ctx);
  dl_put(records, list ? list->len : 0);
  for (size_t i = 0; list && i < list->len; i++) {
    const dl_external_entry *entry = &list->data[i];
    dl_put(records, entry->section == dl_external_section);
    dl_put(records, dl_write_string_ref(w, entry->group));
    dl_put(records, dl_write_string_ref(w, entry->key));
    dl_put(records, dl_write_string_ref(w, dl_intern(w->ctx, entry->value)));
  }
}

static void write_header(image *file) {
  dl_binary_header header = {.major = DL_BINARY_MAJOR,
                             .minor = DL_BINARY_MINOR,
                             .num_sections = file->num_sections,
                             .file_size = file->out->len - file->start};
  memcpy(header.magic, DL_BINARY_MAGIC, sizeof(header.magic));
  char *at = file->out->data + file->start;
  size_t size = sizeof(header) + file->num_sections * sizeof(*file->sections);
  memcpy(at, &header, sizeof(header));
  memcpy(at + sizeof(header), file->sections, size - sizeof(header));
  header.checksum = dl_binary_checksum(at, size);
  memcpy(at, &header, sizeof(header));
}

static void assemble(dl_binary_writer *w, dl_buffer *out) {
  image file = {.out = out, .start = out->len};
  dl_buffer resources = {0};
  uint64_t num_resources = 0;
  collect_resources(w, &resources, &num_resources);
  add_externals(w, &resources);
  pad(&file, sizeof(dl_binary_header));
  for (size_t i = 0; i < DL_COUNT(file.sections); i++) {
    static const dl_binary_section none;
    dl_buffer_append(out, &none, sizeof(none));
  }
  pad(&file, 0);
  add_strings(&file, w);
  add_table(&file, DL_SECTION_TYPES, w->types.count, &w->types.records);
  add_table(&file, DL_SECTION_ATTRS, w->attrs.count, &w->attrs.records);
  add_table(&file, DL_SECTION_LOCS, w->locs.count, &w->locs.records);
  add_table(&file, DL_SECTION_FORMS, w->num_forms, &w->forms);
  add_bodies(&file, w);
  add_section(&file, DL_SECTION_CODE, &w->code);
  add_table(&file, DL_SECTION_RESOURCES, num_resources, &resources);
  add_section(&file, DL_SECTION_DATA, &w->data);
  write_header(&file);
  dl_buffer_free(&resources);
}

static void free_table(dl_table_writer *table) {
  dl_ptr_map_free(&table->indices);
  dl_buffer_free(&table->records);
}

static void free_writer(dl_binary_writer *w) {
  free_table(&w->strings);
  free_table(&w->types);
  free_table(&w->attrs);
  free_table(&w->locs);
  dl_buffer_free(&w->string_ends);
  dl_buffer_free(&w->forms);
  free(w->known_forms);
  DL_VEC_FREE(&w->bodies);
  DL_VEC_FREE(&w->resources);
  dl_buffer_free(&w->code);
  dl_buffer_free(&w->data);
}

dl_status dl_write_binary(dl_op *module, dl_buffer *out) {
  dl_binary_writer w = {.ctx = dl_op_context(module)};
  dl_status status = dl_write_bodies(&w, module);
  if (status == DL_OK) assemble(&w, out);
  free_writer(&w);
  return status;
}
