// Reading of binary modules: files, header, sections.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ir/binary_reader.h"
#include "ir/forms_internal.h"

dl_status dl_binary_error(const dl_binary *file, const void *at, const char *format, ...) {
  dl_buffer message = {0};
  va_list args;
  va_start(args, format);
  dl_buffer_vprintf(&message, format, args);
  va_end(args);
  size_t offset = (size_t)((const uint8_t *)at - file->data);
  dl_status status =
      dl_error(dl_loc_file(file->ctx, file->path, 0, 0), "at byte %zu: %s", offset, message.data);
  dl_buffer_free(&message);
  return status;
}

dl_status dl_binary_count(const dl_binary *file, dl_bytes *in, size_t bytes, uint64_t *count) {
  const uint8_t *at = in->at;
  *count = dl_get(in);
  if (!in->failed && *count <= dl_bytes_left(in) / bytes) return DL_OK;
  return dl_binary_error(file, at, "a count of %llu is more than what follows",
                         (unsigned long long)*count);
}

dl_status dl_binary_index(const dl_binary *file, dl_bytes *in, uint64_t limit, const char *what,
                          uint64_t *index) {
  const uint8_t *at = in->at;
  *index = dl_get(in);
  if (!in->failed && *index < limit) return DL_OK;
  if (in->failed) return dl_binary_error(file, at, "the section ends too early");
  return dl_binary_error(file, at, "%s %llu of %llu", what, (unsigned long long)*index,
                         (unsigned long long)limit);
}

dl_status dl_binary_end(const dl_binary *file, const dl_bytes *in, const char *what) {
  if (!in->failed && in->at == in->end) return DL_OK;
  return dl_binary_error(file, in->at, "the %s end %s", what,
                         in->at < in->end ? "before their section does" : "too early");
}

// --- header and sections ---

bool dl_is_binary(dl_str bytes) {
  return bytes.len >= sizeof(DL_BINARY_MAGIC) - 1 &&
         !memcmp(bytes.data, DL_BINARY_MAGIC, sizeof(DL_BINARY_MAGIC) - 1);
}

static const char *section_name(uint32_t kind) {
  static const char *const names[] = {"",      "strings", "types", "attributes", "locations",
                                      "forms", "bodies",  "code",  "resources",  "data"};
  _Static_assert(DL_COUNT(names) == DL_NUM_SECTIONS, "a name for each kind");
  return names[kind];
}

static dl_status check_size(const dl_binary *file, const dl_binary_header *header) {
  const uint64_t *at = (const uint64_t *)(file->data + offsetof(dl_binary_header, file_size));
  if (header->file_size > file->size)
    return dl_binary_error(file, file->data + file->size, "the file ends here; it had %llu bytes",
                           (unsigned long long)header->file_size);
  if (header->file_size < file->size)
    return dl_binary_error(file, file->data + header->file_size,
                           "bytes follow the end of the file");
  size_t room = (file->size - sizeof(*header)) / sizeof(dl_binary_section);
  if (header->num_sections <= room) return DL_OK;
  return dl_binary_error(file, at, "there is no room for %u sections", header->num_sections);
}

static dl_status check_header(const dl_binary *file, dl_binary_header *header) {
  dl_str bytes = {(const char *)file->data, file->size};
  if (!dl_is_binary(bytes)) return dl_binary_error(file, file->data, "this is no binary module");
  if (file->size < sizeof(*header))
    return dl_binary_error(file, file->data + file->size, "the file ends within its header");
  memcpy(header, file->data, sizeof(*header));
  if (header->major != DL_BINARY_MAJOR)
    return dl_binary_error(file, file->data + offsetof(dl_binary_header, major),
                           "the file has format version %u.%u; this program reads up to %d.x",
                           header->major, header->minor, DL_BINARY_MAJOR);
  return check_size(file, header);
}

static dl_status check_header_sum(const dl_binary *file, dl_binary_header header) {
  size_t size = sizeof(header) + header.num_sections * sizeof(dl_binary_section);
  uint64_t expected = header.checksum;
  char *copy = dl_malloc(size);
  header.checksum = 0;
  memcpy(copy, file->data, size);
  memcpy(copy, &header, sizeof(header));
  bool same = dl_binary_checksum(copy, size) == expected;
  free(copy);
  return same ? DL_OK : dl_binary_error(file, file->data, "the header is damaged (checksum)");
}

static dl_status check_section_sum(const dl_binary *file, const dl_binary_section *section) {
  if (section->kind == DL_SECTION_CODE || (section->kind == DL_SECTION_DATA && file->lazy))
    return DL_OK;
  const uint8_t *at = file->data + section->offset;
  if (dl_binary_checksum(at, section->size) == section->checksum) return DL_OK;
  return dl_binary_error(file, at, "the %s are damaged (checksum)", section_name(section->kind));
}

static dl_status open_section(dl_binary *file, const dl_binary_section *section,
                              const void *entry) {
  bool known = section->kind && section->kind < DL_NUM_SECTIONS;
  if (!known && section->flags & DL_SECTION_OPTIONAL) return DL_OK;
  if (!known)
    return dl_binary_error(file, entry, "section of unknown kind %u: written by a newer version",
                           section->kind);
  if (file->sections[section->kind].at)
    return dl_binary_error(file, entry, "a second section of %s", section_name(section->kind));
  uint64_t room = file->size - section->offset;
  if (section->offset > file->size || section->offset % DL_BINARY_ALIGNMENT ||
      section->size > room || room - section->size < DL_BINARY_SLACK)
    return dl_binary_error(file, entry, "the %s lie outside of the file or unaligned",
                           section_name(section->kind));
  const uint8_t *at = file->data + section->offset;
  file->sections[section->kind] = (dl_bytes){at, at + section->size, false};
  return check_section_sum(file, section);
}

static dl_status open_sections(dl_binary *file) {
  dl_binary_header header;
  DL_TRY(check_header(file, &header));
  DL_TRY(check_header_sum(file, header));
  const uint8_t *entry = file->data + sizeof(header);
  for (uint32_t i = 0; i < header.num_sections; i++, entry += sizeof(dl_binary_section)) {
    dl_binary_section section;
    memcpy(&section, entry, sizeof(section));
    DL_TRY(open_section(file, &section, entry));
  }
  for (uint32_t kind = 1; kind < DL_NUM_SECTIONS; kind++)
    if (!file->sections[kind].at)
      return dl_binary_error(file, entry, "the section of %s is missing", section_name(kind));
  return DL_OK;
}

static dl_status read_tables(dl_binary *file) {
  DL_TRY(open_sections(file));
  DL_TRY(dl_binary_read_strings(file));
  DL_TRY(dl_binary_read_types(file));
  DL_TRY(dl_binary_read_attrs(file));
  DL_TRY(dl_binary_read_locs(file));
  DL_TRY(dl_binary_read_resources(file));
  return dl_binary_read_forms(file);
}

// --- files ---

static void close_binary(void *user) {
  dl_binary *file = user;
  if (file->mapped)
    munmap((void *)file->data, file->size);
  else
    free((void *)file->data);
  if (file->arena) dl_arena_destroy(file->arena);
  free(file);
}

static dl_op *in_module(dl_op *op) {
  dl_block *block;
  if (!strcmp(dl_op_name(op), DL_TOP_LEVEL_OP)) return op;
  dl_op *module = dl_create_module(dl_op_context(op), dl_op_loc(op), &block);
  dl_op_append(block, op);
  return module;
}

// The context keeps the file when something points into it.
static dl_op *read_binary(dl_binary *file) {
  bool as_it_is = file->no_implicit_module;
  file->arena = dl_arena_create();
  dl_op *root = read_tables(file) == DL_OK ? dl_binary_read_root(file) : NULL;
  if (file->borrowed || (root && file->lazy))
    dl_context_set_cache(file->ctx, dl_context_alloc(file->ctx, 1), file, close_binary);
  else
    close_binary(file);
  return root && !as_it_is ? in_module(root) : root;
}

static dl_binary *new_binary(dl_context *ctx, const char *path, const dl_read_options *options) {
  dl_binary *file = dl_calloc(1, sizeof(*file));
  file->ctx = ctx;
  file->path = dl_intern_z(ctx, path);
  file->lazy = options && options->lazy;
  file->no_implicit_module = options && options->no_implicit_module;
  return file;
}

// Constants must be aligned, so the bytes are moved.
dl_op *dl_read_binary(dl_context *ctx, dl_str bytes, const char *path,
                      const dl_read_options *options) {
  dl_binary *file = new_binary(ctx, path, options);
  size_t rounded = (bytes.len / DL_BINARY_ALIGNMENT + 1) * DL_BINARY_ALIGNMENT;
  void *copy = aligned_alloc(DL_BINARY_ALIGNMENT, rounded);
  if (!copy) dl_bug(NULL, "out of memory for a binary module");
  if (bytes.len) memcpy(copy, bytes.data, bytes.len);
  file->data = copy;
  file->size = bytes.len;
  return read_binary(file);
}

static const char *map_file(int fd, dl_binary *file) {
  struct stat info;
  if (fd < 0 || fstat(fd, &info) != 0) return strerror(errno);
  if (!S_ISREG(info.st_mode) || info.st_size == 0) return "it is empty, or no regular file";
  file->size = (size_t)info.st_size;
  void *data = mmap(NULL, file->size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (data == MAP_FAILED) return strerror(errno);
  file->data = data;
  file->mapped = true;
  return NULL;
}

dl_op *dl_read_binary_file(dl_context *ctx, const char *path, const dl_read_options *options) {
  dl_binary *file = new_binary(ctx, path, options);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  const char *problem = map_file(fd, file);
  if (fd >= 0) close(fd);
  if (!problem) return read_binary(file);
  dl_error(dl_loc_file(ctx, file->path, 0, 0), "cannot map the file: %s", problem);
  free(file);
  return NULL;
}

bool dl_is_binary_file(const char *path) {
  char begin[sizeof(DL_BINARY_MAGIC) - 1];
  struct stat info;
  if (stat(path, &info) != 0 || !S_ISREG(info.st_mode)) return false;
  FILE *file = fopen(path, "rb");
  if (!file) return false;
  size_t len = fread(begin, 1, sizeof(begin), file);
  fclose(file);
  return dl_is_binary((dl_str){begin, len});
}
