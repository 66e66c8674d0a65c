// The tables of a binary module: strings, types, attributes, locations, resources.
#include "ir/attrs.h"
#include "ir/binary_reader.h"
#include "ir/text_internal.h"

typedef unsigned long long ull;

static void *table(dl_binary *file, uint64_t count, size_t size) {
  return dl_arena_alloc(file->arena, count * size + 1);
}

// --- strings ---

dl_status dl_binary_read_strings(dl_binary *file) {
  dl_bytes in = file->sections[DL_SECTION_STRINGS];
  size_t size = dl_bytes_left(&in), words = size / sizeof(uint64_t);
  const uint64_t *head = (const uint64_t *)in.at;
  if (!words || *head > words - 1)
    return dl_binary_error(file, in.at, "the strings do not fit into their section");
  file->num_strings = *head;
  file->string_ends = head + 1;
  file->strings = (const char *)(head + 1 + *head);
  uint64_t room = size - (1 + *head) * sizeof(uint64_t), at = 0;
  for (uint64_t i = 0; i < *head; i++) {
    uint64_t end = file->string_ends[i];
    if (end < at || end > room)
      return dl_binary_error(file, file->string_ends + i, "string %llu ends outside of the strings",
                             (ull)i);
    at = end;
  }
  if (at != room) return dl_binary_error(file, file->strings + at, "bytes follow the strings");
  file->idents = table(file, *head, sizeof(*file->idents));
  file->name_numbers = table(file, *head, sizeof(*file->name_numbers));
  return DL_OK;
}

dl_status dl_binary_string(const dl_binary *file, const void *at, uint64_t index, dl_str *text) {
  if (index >= file->num_strings)
    return dl_binary_error(file, at, "string %llu of %llu", (ull)index, (ull)file->num_strings);
  uint64_t start = index ? file->string_ends[index - 1] : 0;
  *text = (dl_str){file->strings + start, file->string_ends[index] - start};
  return DL_OK;
}

dl_status dl_binary_name(dl_binary *file, const void *at, uint64_t index, dl_ident *name) {
  dl_str text;
  if (index < file->num_strings) {
    *name = atomic_load_explicit(&file->idents[index], memory_order_relaxed);
    if (*name) return DL_OK;
  }
  DL_TRY(dl_binary_string(file, at, index, &text));
  if (text.len && memchr(text.data, 0, text.len))
    return dl_binary_error(file, at, "a name holds a NUL byte");
  *name = dl_intern(file->ctx, text);
  atomic_store_explicit(&file->idents[index], *name, memory_order_relaxed);
  return DL_OK;
}

static dl_status get_string(const dl_binary *file, dl_bytes *in, dl_str *text) {
  const uint8_t *at = in->at;
  return dl_binary_string(file, at, dl_get(in), text);
}

static dl_status get_name(dl_binary *file, dl_bytes *in, dl_ident *name) {
  const uint8_t *at = in->at;
  return dl_binary_name(file, at, dl_get(in), name);
}

// --- types ---

static dl_status read_type(dl_binary *file, dl_bytes *in, dl_parser *p, dl_type *type) {
  dl_str text;
  const uint8_t *at = in->at;
  DL_TRY(get_string(file, in, &text));
  dl_parser_restart(p, text);
  *type = dl_parse_whole_type(p);
  return *type ? DL_OK : dl_binary_error(file, at, "this type cannot be read");
}

static dl_status read_types(dl_binary *file, dl_parser *p) {
  dl_bytes in = file->sections[DL_SECTION_TYPES];
  uint64_t count;
  DL_TRY(dl_binary_count(file, &in, 1, &count));
  file->types = table(file, count, sizeof(dl_type));
  for (; file->num_types < count; file->num_types++)
    DL_TRY(read_type(file, &in, p, &file->types[file->num_types]));
  return dl_binary_end(file, &in, "types");
}

dl_status dl_binary_read_types(dl_binary *file) {
  dl_parser p;
  dl_parser_init(&p, file->ctx, DL_STR(""), dl_intern_z(file->ctx, "<type>"));
  dl_status status = read_types(file, &p);
  dl_parser_finish(&p);
  return status;
}

static dl_status get_type(const dl_binary *file, dl_bytes *in, dl_type *type) {
  uint64_t index;
  DL_TRY(dl_binary_index(file, in, file->num_types, "type", &index));
  *type = file->types[index];
  return DL_OK;
}

// --- attributes ---

// Attributes that are being read, and how deep each one is nested.
typedef struct attr_reader {
  dl_binary *file;
  dl_bytes in;
  dl_parser *parser;  // of those that are text
  uint16_t *depths;
  uint16_t depth;  // of the deepest element of the one being read
} attr_reader;

static dl_status get_attr(attr_reader *r, dl_attr *attr) {
  uint64_t index;
  const uint8_t *at = r->in.at;
  DL_TRY(dl_binary_index(r->file, &r->in, r->file->num_attrs, "attribute", &index));
  *attr = r->file->attrs[index];
  if (r->depths[index] > r->depth) r->depth = r->depths[index];
  if (r->depth < DL_MAX_NESTING) return DL_OK;
  return dl_binary_error(r->file, at, "nested too deeply (more than %d levels)", DL_MAX_NESTING);
}

static dl_status bad_type(const attr_reader *r, const uint8_t *at) {
  return dl_binary_error(r->file, at, "an attribute of this kind cannot have this type");
}

static bool is_narrow_int(dl_type type) {
  return dl_is_index(type) || (dl_is_integer(type) && type->width <= 64);
}

static dl_status read_text(attr_reader *r, dl_attr *attr) {
  dl_str text;
  const uint8_t *at = r->in.at;
  DL_TRY(get_string(r->file, &r->in, &text));
  dl_parser_restart(r->parser, text);
  *attr = dl_parse_whole_attr(r->parser);
  return *attr ? DL_OK : dl_binary_error(r->file, at, "this attribute cannot be read");
}

static dl_status read_integer(attr_reader *r, dl_attr *attr) {
  dl_type type;
  const uint8_t *at = r->in.at;
  DL_TRY(get_type(r->file, &r->in, &type));
  if (!is_narrow_int(type)) return bad_type(r, at);
  *attr = dl_int_attr(type, dl_unzigzag(dl_get(&r->in)));
  return DL_OK;
}

static dl_status read_float(attr_reader *r, dl_attr *attr) {
  dl_type type;
  const uint8_t *at = r->in.at;
  DL_TRY(get_type(r->file, &r->in, &type));
  if (!dl_is_float(type) || dl_float_width(type->float_kind) > 64) return bad_type(r, at);
  uint64_t bits = __builtin_bswap64(dl_get(&r->in));
  double value;
  memcpy(&value, &bits, sizeof(value));
  *attr = dl_float_attr(type, value);
  return DL_OK;
}

static dl_status read_array(attr_reader *r, dl_attr *attr) {
  uint64_t count;
  DL_TRY(dl_binary_count(r->file, &r->in, 1, &count));
  dl_attr *elements = dl_arena_alloc(r->file->arena, count * sizeof(dl_attr) + 1);
  for (uint64_t i = 0; i < count; i++) DL_TRY(get_attr(r, &elements[i]));
  *attr = dl_array_attr(r->file->ctx, count, elements);
  return DL_OK;
}

static dl_status read_dict(attr_reader *r, dl_attr *attr) {
  uint64_t count;
  DL_TRY(dl_binary_count(r->file, &r->in, 2, &count));
  dl_named_attr *entries = dl_arena_alloc(r->file->arena, count * sizeof(dl_named_attr) + 1);
  for (uint64_t i = 0; i < count; i++) {
    const uint8_t *at = r->in.at;
    DL_TRY(get_name(r->file, &r->in, &entries[i].name));
    if (i && strcmp(entries[i - 1].name, entries[i].name) >= 0)
      return dl_binary_error(r->file, at, "the keys of a dictionary are not in order");
    DL_TRY(get_attr(r, &entries[i].value));
  }
  *attr = dl_dict_attr(r->file->ctx, count, entries);
  return DL_OK;
}

static dl_status read_named(attr_reader *r, dl_attr_record record, dl_attr *attr) {
  dl_ident name;
  dl_type type = NULL;
  const uint8_t *at = r->in.at;
  if (record == DL_RECORD_RESOURCE) {
    DL_TRY(get_type(r->file, &r->in, &type));
    if (dl_element_type(type) == type) return bad_type(r, at);
  }
  DL_TRY(get_name(r->file, &r->in, &name));
  *attr = type ? dl_resource_attr(type, name) : dl_symbol_attr(r->file->ctx, name);
  return DL_OK;
}

static bool dense_size_fits(dl_type type, bool splat, uint64_t size) {
  uint64_t count = (uint64_t)dl_num_elements(type), one = dl_element_bytes(type->element), all;
  if (splat) return size == one && count > 0;
  return !__builtin_mul_overflow(count, one, &all) && size == all;
}

// `size` bytes of the record itself.
static dl_status take_bytes(attr_reader *r, uint64_t size, dl_str *bytes) {
  if (r->in.failed || size > dl_bytes_left(&r->in))
    return dl_binary_error(r->file, r->in.at, "the attributes end too early");
  *bytes = (dl_str){(const char *)r->in.at, size};
  r->in.at += size;
  return DL_OK;
}

static dl_status bytes_in_data(dl_binary *file, dl_bytes *in, uint64_t size, dl_str *bytes) {
  const dl_bytes *data = &file->sections[DL_SECTION_DATA];
  const uint8_t *at = in->at;
  uint64_t offset = dl_get(in), room = dl_bytes_left(data);
  if (in->failed || offset % DL_BINARY_ALIGNMENT || offset > room || size > room - offset)
    return dl_binary_error(file, at,
                           "bytes %llu to %llu of the data are outside of it or unaligned",
                           (ull)offset, (ull)(offset + size));
  *bytes = (dl_str){(const char *)data->at + offset, size};
  file->borrowed = true;
  return DL_OK;
}

static dl_status read_dense(attr_reader *r, bool in_data, dl_attr *attr) {
  dl_type type;
  dl_str bytes;
  const uint8_t *at = r->in.at;
  DL_TRY(get_type(r->file, &r->in, &type));
  if (dl_elements_type_problem(type) || !dl_element_bytes(type->element)) return bad_type(r, at);
  bool splat = dl_get(&r->in);
  uint64_t size = dl_get(&r->in);
  if (!dense_size_fits(type, splat, size))
    return dl_binary_error(r->file, at, "%llu bytes do not fit the type of a constant", (ull)size);
  DL_TRY(in_data ? bytes_in_data(r->file, &r->in, size, &bytes) : take_bytes(r, size, &bytes));
  *attr = in_data ? dl_dense_attr_in_place(type, bytes, splat) : dl_dense_attr(type, bytes, splat);
  return DL_OK;
}

static dl_status read_dense_array(attr_reader *r, dl_attr *attr) {
  dl_type type;
  dl_str bytes;
  const uint8_t *at = r->in.at;
  DL_TRY(get_type(r->file, &r->in, &type));
  if (!dl_is_array_element(type)) return bad_type(r, at);
  uint64_t count, size = dl_element_bytes(type);
  DL_TRY(dl_binary_count(r->file, &r->in, size, &count));
  DL_TRY(take_bytes(r, count * size, &bytes));
  *attr = dl_dense_array_attr(type, count, bytes);
  return DL_OK;
}

static dl_status read_string(attr_reader *r, dl_attr *attr) {
  dl_str text;
  DL_TRY(get_string(r->file, &r->in, &text));
  *attr = dl_string_attr(r->file->ctx, text);
  return DL_OK;
}

static dl_status read_type_attr(attr_reader *r, dl_attr *attr) {
  dl_type type;
  DL_TRY(get_type(r->file, &r->in, &type));
  *attr = dl_type_attr(type);
  return DL_OK;
}

static dl_status read_attr(attr_reader *r, dl_attr *attr) {
  uint64_t record;
  DL_TRY(dl_binary_index(r->file, &r->in, DL_NUM_RECORDS, "attribute kind", &record));
  switch ((dl_attr_record)record) {
    case DL_RECORD_UNIT:
      *attr = dl_unit_attr(r->file->ctx);
      return DL_OK;
    case DL_RECORD_INTEGER:
      return read_integer(r, attr);
    case DL_RECORD_FLOAT:
      return read_float(r, attr);
    case DL_RECORD_STRING:
      return read_string(r, attr);
    case DL_RECORD_TYPE:
      return read_type_attr(r, attr);
    case DL_RECORD_ARRAY:
      return read_array(r, attr);
    case DL_RECORD_DICT:
      return read_dict(r, attr);
    case DL_RECORD_SYMBOL:
    case DL_RECORD_RESOURCE:
      return read_named(r, (dl_attr_record)record, attr);
    case DL_RECORD_DENSE:
    case DL_RECORD_DENSE_IN_DATA:
      return read_dense(r, record == DL_RECORD_DENSE_IN_DATA, attr);
    case DL_RECORD_DENSE_ARRAY:
      return read_dense_array(r, attr);
    default:
      return read_text(r, attr);
  }
}

static dl_status read_attrs(dl_binary *file, dl_parser *p) {
  attr_reader r = {.file = file, .in = file->sections[DL_SECTION_ATTRS], .parser = p};
  uint64_t count;
  DL_TRY(dl_binary_count(file, &r.in, 1, &count));
  file->attrs = table(file, count, sizeof(dl_attr));
  r.depths = table(file, count, sizeof(*r.depths));
  for (; file->num_attrs < count; file->num_attrs++) {
    r.depth = 0;
    DL_TRY(read_attr(&r, &file->attrs[file->num_attrs]));
    r.depths[file->num_attrs] = r.depth + 1;
  }
  return dl_binary_end(file, &r.in, "attributes");
}

dl_status dl_binary_read_attrs(dl_binary *file) {
  dl_parser p;
  dl_parser_init(&p, file->ctx, DL_STR(""), dl_intern_z(file->ctx, "<attribute>"));
  dl_status status = read_attrs(file, &p);
  dl_parser_finish(&p);
  return status;
}

// --- locations ---

typedef struct loc_reader {
  dl_binary *file;
  dl_bytes in;
  uint16_t *depths;
  uint16_t depth;
} loc_reader;

static dl_status take_loc(loc_reader *r, const uint8_t *at, uint64_t index, dl_loc *loc) {
  if (index >= r->file->num_locs)
    return dl_binary_error(r->file, at, "location %llu of %llu", (ull)index,
                           (ull)r->file->num_locs);
  if (r->depths[index] > r->depth) r->depth = r->depths[index];
  if (r->depth >= DL_MAX_NESTING)
    return dl_binary_error(r->file, at, "nested too deeply (more than %d levels)", DL_MAX_NESTING);
  *loc = r->file->locs[index];
  return DL_OK;
}

static dl_status get_loc(loc_reader *r, dl_loc *loc) {
  const uint8_t *at = r->in.at;
  return take_loc(r, at, dl_get(&r->in), loc);
}

static dl_status read_file_loc(loc_reader *r, dl_loc *loc) {
  dl_ident path;
  DL_TRY(get_name(r->file, &r->in, &path));
  uint64_t line = dl_get(&r->in), column = dl_get(&r->in);
  uint64_t end_line = dl_get(&r->in), end_column = dl_get(&r->in);
  *loc = dl_loc_file_range(r->file->ctx, path, line, column, end_line, end_column);
  return DL_OK;
}

static dl_status read_name_loc(loc_reader *r, dl_loc *loc) {
  dl_ident name;
  dl_loc child = NULL;
  DL_TRY(get_name(r->file, &r->in, &name));
  const uint8_t *at = r->in.at;
  uint64_t index = dl_get(&r->in);
  if (index) DL_TRY(take_loc(r, at, index - 1, &child));
  *loc = dl_loc_name(r->file->ctx, name, child);
  return DL_OK;
}

static dl_status read_callsite(loc_reader *r, dl_loc *loc) {
  dl_loc parts[2] = {0};
  for (size_t i = 0; i < 2; i++) DL_TRY(get_loc(r, &parts[i]));
  *loc = dl_loc_callsite(r->file->ctx, parts[0], parts[1]);
  return DL_OK;
}

static dl_status read_fused_loc(loc_reader *r, dl_loc *loc) {
  dl_attr metadata = NULL;
  const uint8_t *at = r->in.at;
  uint64_t index = dl_get(&r->in), count;
  if (index > r->file->num_attrs)
    return dl_binary_error(r->file, at, "attribute %llu of %llu", (ull)index - 1,
                           (ull)r->file->num_attrs);
  if (index) metadata = r->file->attrs[index - 1];
  DL_TRY(dl_binary_count(r->file, &r->in, 1, &count));
  dl_loc *parts = dl_arena_alloc(r->file->arena, count * sizeof(dl_loc) + 1);
  for (uint64_t i = 0; i < count; i++) DL_TRY(get_loc(r, &parts[i]));
  *loc = dl_loc_fused(r->file->ctx, count, parts, metadata);
  return DL_OK;
}

static dl_status read_loc(loc_reader *r, dl_loc *loc) {
  uint64_t kind;
  DL_TRY(dl_binary_index(r->file, &r->in, DL_LOC_FUSED + 1, "location kind", &kind));
  switch ((dl_loc_kind)kind) {
    case DL_LOC_FILE:
      return read_file_loc(r, loc);
    case DL_LOC_NAME:
      return read_name_loc(r, loc);
    case DL_LOC_CALLSITE:
      return read_callsite(r, loc);
    case DL_LOC_FUSED:
      return read_fused_loc(r, loc);
    default:
      *loc = dl_loc_unknown(r->file->ctx);
      return DL_OK;
  }
}

dl_status dl_binary_read_locs(dl_binary *file) {
  loc_reader r = {.file = file, .in = file->sections[DL_SECTION_LOCS]};
  uint64_t count;
  DL_TRY(dl_binary_count(file, &r.in, 1, &count));
  file->locs = table(file, count, sizeof(dl_loc));
  r.depths = table(file, count, sizeof(*r.depths));
  for (; file->num_locs < count; file->num_locs++) {
    r.depth = 0;
    DL_TRY(read_loc(&r, &file->locs[file->num_locs]));
    r.depths[file->num_locs] = r.depth + 1;
  }
  return dl_binary_end(file, &r.in, "locations");
}

// --- resources ---

static dl_status read_resource(dl_binary *file, dl_bytes *in) {
  dl_ident name;
  dl_str bytes = {0};
  DL_TRY(get_name(file, in, &name));
  const uint8_t *at = in->at;
  uint64_t alignment = dl_get(in);
  if (alignment & (alignment - 1))
    return dl_binary_error(file, at, "the alignment of resource '%s' is no power of two", name);
  uint64_t size = dl_get(in);
  DL_TRY(bytes_in_data(file, in, size, &bytes));
  dl_add_resource(file->ctx, name, bytes.data, bytes.len, NULL, NULL);
  dl_set_resource_alignment(file->ctx, name, alignment);
  return DL_OK;
}

static bool is_entry_value(dl_str text) {
  bool quoted = text.len >= 2 && text.data[0] == '"' && text.data[text.len - 1] == '"';
  return quoted || dl_str_is(text, "true") || dl_str_is(text, "false");
}

static dl_status read_external(dl_binary *file, dl_bytes *in) {
  dl_external_entry entry = {.section = dl_get(in) ? dl_external_section : dl_dialect_section};
  DL_TRY(get_name(file, in, &entry.group));
  DL_TRY(get_name(file, in, &entry.key));
  const uint8_t *at = in->at;
  DL_TRY(get_string(file, in, &entry.value));
  if (!is_entry_value(entry.value))
    return dl_binary_error(file, at, "entry '%s' is no string, true or false", entry.key);
  dl_keep_external(file->ctx, entry);
  return DL_OK;
}

dl_status dl_binary_read_resources(dl_binary *file) {
  dl_bytes in = file->sections[DL_SECTION_RESOURCES];
  uint64_t count;
  DL_TRY(dl_binary_count(file, &in, 4, &count));
  for (uint64_t i = 0; i < count; i++) DL_TRY(read_resource(file, &in));
  DL_TRY(dl_binary_count(file, &in, 4, &count));
  for (uint64_t i = 0; i < count; i++) DL_TRY(read_external(file, &in));
  return dl_binary_end(file, &in, "resources");
}
