#include "tools/common/library.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

// A file in memory; every offset read from it is checked against its size.
typedef struct image {
  const char *data;
  uint64_t size;
} image;

static const void *at(const image *file, uint64_t offset, uint64_t size) {
  return offset <= file->size && size <= file->size - offset ? file->data + offset : NULL;
}

static const Elf64_Shdr *section(const image *file, const Elf64_Ehdr *header, uint64_t i) {
  if (i >= header->e_shnum || header->e_shentsize != sizeof(Elf64_Shdr)) return NULL;
  return at(file, header->e_shoff + i * sizeof(Elf64_Shdr), sizeof(Elf64_Shdr));
}

static bool is_query(const char *name) {
  static const char suffix[] = "_query";
  size_t len = strlen(name);
  return len >= sizeof(suffix) && !strcmp(name + len - (sizeof(suffix) - 1), suffix);
}

// The name of the defined dynamic symbol that ends in _query; NULL when there is none, or several.
static const char *find_query(const image *file, const Elf64_Shdr *symbols,
                              const Elf64_Shdr *strings) {
  const char *names = at(file, strings->sh_offset, strings->sh_size), *found = NULL;
  if (!names || !strings->sh_size || names[strings->sh_size - 1]) return NULL;
  for (uint64_t i = 0; i < symbols->sh_size / sizeof(Elf64_Sym); i++) {
    const Elf64_Sym *s = at(file, symbols->sh_offset + i * sizeof(*s), sizeof(*s));
    if (!s || s->st_name >= strings->sh_size) return NULL;
    if (s->st_shndx == SHN_UNDEF || !is_query(names + s->st_name)) continue;
    if (found) return NULL;
    found = names + s->st_name;
  }
  return found;
}

static const char *query_of_image(const image *file) {
  const Elf64_Ehdr *header = at(file, 0, sizeof(*header));
  if (!header || memcmp(header->e_ident, ELFMAG, SELFMAG) ||
      header->e_ident[EI_CLASS] != ELFCLASS64)
    return NULL;
  for (uint64_t i = 0; i < header->e_shnum; i++) {
    const Elf64_Shdr *symbols = section(file, header, i);
    if (!symbols || symbols->sh_type != SHT_DYNSYM) continue;
    const Elf64_Shdr *strings = section(file, header, symbols->sh_link);
    return strings ? find_query(file, symbols, strings) : NULL;
  }
  return NULL;
}

// malloc'ed; NULL with the reason in `why`.
static char *query_name(const char *path, dl_buffer *why) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  struct stat info;
  if (fd < 0 || fstat(fd, &info)) {
    dl_buffer_printf(why, "cannot open '%s': %s", path, strerror(errno));
    if (fd >= 0) close(fd);
    return NULL;
  }
  image file = {.size = (uint64_t)info.st_size};
  void *data = file.size ? mmap(NULL, file.size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
  close(fd);
  char *name = NULL;
  if (data != MAP_FAILED) {
    file.data = data;
    const char *found = query_of_image(&file);
    if (found) name = strdup(found);
    munmap(data, file.size);
  }
  if (!name) dl_buffer_printf(why, "'%s' is no model library", path);
  return name;
}

// dlopen looks names without a slash up in the library path.
static void *load(const char *path, dl_buffer *why) {
  dl_buffer full = {0};
  dl_buffer_printf(&full, "%s%s", strchr(path, '/') ? "" : "./", path);
  void *handle = dlopen(full.data, RTLD_NOW | RTLD_LOCAL);
  if (!handle) dl_buffer_printf(why, "cannot load '%s': %s", path, dlerror());
  dl_buffer_free(&full);
  return handle;
}

bool library_open(library *lib, const char *path, dl_buffer *why) {
  *lib = (library){0};
  char *name = query_name(path, why);
  if (!name) return false;
  lib->handle = load(path, why);
  if (lib->handle) {
    dlir_query_fn query = (dlir_query_fn)dlsym(lib->handle, name);
    lib->model = query ? query(DLIR_MODEL_VERSION) : NULL;
    if (!lib->model) dl_buffer_printf(why, "'%s' was made for another version", path);
  }
  free(name);
  if (lib->model) return true;
  library_close(lib);
  return false;
}

void library_close(library *lib) {
  if (lib->release) lib->release(lib->model);
  if (lib->handle) dlclose(lib->handle);
  *lib = (library){0};
}
