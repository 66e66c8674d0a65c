// Resources of a file: the section {-# dialect_resources: …, external_resources: … #-}.
//
// A blob is a hexadecimal string: four bytes of alignment, little-endian, then the data, as
// mlir-opt has it. Resources in a side file are listed under external_resources, dlir: `file` names
// the side file, relative to the text, and each other entry is "offset:size" in bytes, or
// "offset:size:alignment" where the alignment is not 64.

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ir/text_internal.h"

// --- entries: name: value ---

static dl_status parse_key(dl_parser *p, dl_ident *key) {
  if (p->token.kind == DL_TOK_STRING)
    DL_TRY(dl_parse_name_string(p, key));
  else
    DL_TRY(dl_p_keyword(p, key));
  return dl_p_expect(p, ":");
}

typedef dl_status (*entry_parser)(dl_parser *p, dl_ident group, dl_ident key, void *user);

// `{ key: …, … }`, each entry read by `parse`.
static dl_status parse_entries(dl_parser *p, dl_ident group, entry_parser parse, void *user) {
  DL_TRY(dl_expect_punct(p, '{', "before resources"));
  if (dl_accept_punct(p, '}')) return DL_OK;
  do {
    dl_ident key;
    DL_TRY(parse_key(p, &key));
    DL_TRY(parse(p, group, key, user));
  } while (dl_accept_punct(p, ','));
  return dl_expect_punct(p, '}', "after resources");
}

// --- blobs in the text ---

static dl_status parse_blob(dl_parser *p, dl_ident group, dl_ident key, void *user) {
  (void)group, (void)user;
  if (p->token.kind != DL_TOK_STRING) return dl_p_error(p, "expected a hexadecimal string");
  dl_buffer bytes = {0};
  dl_str text = {p->token.text + 1, p->token.len - 2};
  if (!dl_decode_hex(text, &bytes) || bytes.len < 4) {
    dl_buffer_free(&bytes);
    return dl_p_error(p, "expected \"0x\" and four bytes of alignment before the data");
  }
  uint32_t alignment;
  memcpy(&alignment, bytes.data, sizeof alignment);
  if (alignment & (alignment - 1)) {
    dl_buffer_free(&bytes);
    return dl_p_error(p, "the alignment in the first four bytes must be a power of two");
  }
  size_t size = bytes.len - 4;
  memmove(bytes.data, bytes.data + 4, size);
  dl_add_resource(p->ctx, key, bytes.data, size, free, bytes.data);
  dl_set_resource_alignment(p->ctx, key, alignment);
  dl_advance(p);
  return DL_OK;
}

// --- side files ---

typedef struct side_file {
  char *data;  // mapped; NULL before `file` is read
  size_t size;
} side_file;

static char *beside(dl_parser *p, dl_ident name) {
  const char *slash = strrchr(p->path, '/');
  size_t folder = name[0] == '/' || !slash ? 0 : (size_t)(slash - p->path) + 1;
  char *path = dl_arena_alloc(p->arena, folder + strlen(name) + 1);
  memcpy(path, p->path, folder);
  strcpy(path + folder, name);
  return path;
}

typedef struct mapping {
  void *data;
  size_t size;
} mapping;

static void unmap(void *owner) {
  mapping *m = owner;
  if (m->size) munmap(m->data, m->size);
  free(m);
}

// The mapping lives as long as the context.
static dl_status map_side_file(dl_parser *p, const char *path, side_file *side) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  struct stat info;
  if (fd < 0 || fstat(fd, &info) != 0) {
    int error = errno;
    if (fd >= 0) close(fd);
    return dl_p_error(p, "cannot open '%s': %s", path, strerror(error));
  }
  side->size = (size_t)info.st_size;
  side->data = side->size ? mmap(NULL, side->size, PROT_READ, MAP_PRIVATE, fd, 0) : "";
  int error = errno;
  close(fd);
  if (side->data == MAP_FAILED) return dl_p_error(p, "cannot map '%s': %s", path, strerror(error));
  mapping *m = dl_malloc(sizeof *m);
  *m = (mapping){side->data, side->size};
  dl_context_set_cache(p->ctx, dl_context_alloc(p->ctx, 1), m, unmap);
  return DL_OK;
}

typedef struct slice {
  uint64_t offset, size, alignment;
} slice;

static bool parse_slice(const char *text, slice *s) {
  int used = 0;
  s->alignment = DL_SIDE_ALIGNMENT;
  if (sscanf(text, "%" SCNu64 ":%" SCNu64 "%n", &s->offset, &s->size, &used) != 2) return false;
  text += used;
  if (*text && sscanf(text, ":%" SCNu64 "%n", &s->alignment, &used) == 1) text += used;
  return *text == 0 && (s->alignment & (s->alignment - 1)) == 0;
}

static dl_status parse_side_entry(dl_parser *p, dl_ident group, dl_ident key, void *user) {
  (void)group;
  side_file *side = user;
  dl_checkpoint start = dl_save(p);
  dl_ident value;
  slice s;
  DL_TRY(dl_parse_name_string(p, &value));
  dl_checkpoint after = dl_save(p);
  dl_restore(p, start);
  if (strcmp(key, "file") == 0) {
    DL_TRY(map_side_file(p, beside(p, value), side));
  } else if (!side->data) {
    return dl_p_error(p, "the entry 'file' must come first");
  } else if (!parse_slice(value, &s)) {
    return dl_p_error(p, "expected \"offset:size\" or \"offset:size:alignment\"");
  } else if (s.offset > side->size || s.size > side->size - s.offset) {
    return dl_p_error(p, "resource '%s' reaches beyond the end of the side file", key);
  } else {
    dl_add_resource(p->ctx, key, side->data + s.offset, s.size, NULL, NULL);
    dl_set_resource_alignment(p->ctx, key, s.alignment);
  }
  dl_restore(p, after);
  return DL_OK;
}

// --- what other tools keep here: goes from the text that is read to the text that is written ---

static const char externals_key;

static void destroy_externals(void *data) {
  dl_external_list *list = data;
  DL_VEC_FREE(list);
  free(list);
}

const dl_external_list *dl_external_entries(dl_context *ctx) {
  return dl_context_get_cache(ctx, &externals_key);
}

void dl_keep_external(dl_context *ctx, dl_external_entry entry) {
  char *text = dl_context_alloc(ctx, entry.value.len);
  memcpy(text, entry.value.data, entry.value.len);
  entry.value.data = text;
  dl_external_list *list = dl_context_get_cache(ctx, &externals_key);
  if (!list) {
    list = dl_calloc(1, sizeof *list);
    dl_context_set_cache(ctx, &externals_key, list, destroy_externals);
  }
  for (size_t i = 0; i < list->len; i++) {
    const dl_external_entry *old = &list->data[i];
    if (old->section != entry.section || old->group != entry.group || old->key != entry.key)
      continue;
    list->data[i].value = entry.value;
    return;
  }
  DL_PUSH(list, entry);
}

static dl_status parse_external_entry(dl_parser *p, dl_ident group, dl_ident key, void *user) {
  const char *section = user;
  bool is_bool = dl_at_keyword(p, "true") || dl_at_keyword(p, "false");
  if (p->token.kind != DL_TOK_STRING && !is_bool)
    return dl_p_error(p, "expected a string, true or false");
  dl_keep_external(p->ctx, (dl_external_entry){section, group, key, dl_token_str(p)});
  dl_advance(p);
  return DL_OK;
}

static dl_status parse_dialect_group(dl_parser *p, dl_ident group, dl_ident key, void *user) {
  (void)group, (void)user;
  if (strcmp(key, "builtin") == 0 || dl_find_dialect(p->ctx, dl_str_of(key)))
    return parse_entries(p, key, parse_blob, NULL);
  return parse_entries(p, key, parse_external_entry, (void *)dl_dialect_section);
}

static dl_status parse_external_group(dl_parser *p, dl_ident group, dl_ident key, void *user) {
  (void)group, (void)user;
  side_file side = {0};
  if (strcmp(key, "dlir") == 0) return parse_entries(p, key, parse_side_entry, &side);
  return parse_entries(p, key, parse_external_entry, (void *)dl_external_section);
}

dl_status dl_parse_resource_sections(dl_parser *p) {
  DL_TRY(dl_p_expect(p, "{-#"));
  if (dl_p_accept(p, "#-}")) return DL_OK;
  do {
    dl_ident section;
    DL_TRY(parse_key(p, &section));
    if (strcmp(section, "dialect_resources") == 0)
      DL_TRY(parse_entries(p, section, parse_dialect_group, NULL));
    else if (strcmp(section, "external_resources") == 0)
      DL_TRY(parse_entries(p, section, parse_external_group, NULL));
    else
      return dl_p_error(p, "unknown section '%s'", section);
  } while (dl_accept_punct(p, ','));
  return dl_p_expect(p, "#-}");
}
