#define _GNU_SOURCE  // O_CLOEXEC
#include "targets/runtime/weights.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

// --- checksum ---

enum { BLOCK = sizeof(dlrt_checksum) };

static uint64_t mix(uint64_t lane, uint64_t word) {
  lane = (lane ^ word) * 0x9e3779b97f4a7c15u;
  return lane ^ (lane >> 32);
}

static void add_block(dlrt_checksum *sum, const void *block) {
  uint64_t words[8];
  memcpy(words, block, BLOCK);
  for (int i = 0; i < 8; i++) sum->lanes[i] = mix(sum->lanes[i], words[i]);
}

void dlrt_checksum_add(dlrt_checksum *sum, const void *bytes, size_t size) {
  const char *at = bytes;
  for (; size >= BLOCK; at += BLOCK, size -= BLOCK) add_block(sum, at);
  if (!size) return;
  char last[BLOCK] = {0};
  memcpy(last, at, size);
  add_block(sum, last);
}

uint64_t dlrt_checksum_value(const dlrt_checksum *sum) {
  uint64_t value = 0;
  for (int i = 0; i < 8; i++) value = mix(value, sum->lanes[i]);
  return value;
}

// --- finding the file ---

// The absolute path of the file that is mapped at an address, or NULL; free it. Unlike dladdr's it
// does not depend on how the file was named when it was loaded, nor on the working directory.
static char *mapped_file(const void *address) {
  FILE *maps = fopen("/proc/self/maps", "re");
  char *line = NULL, *found = NULL;
  size_t capacity = 0;
  while (maps && !found && getline(&line, &capacity, maps) > 0) {
    unsigned long begin, end;
    char *path = strchr(line, '/');
    if (!path || sscanf(line, "%lx-%lx", &begin, &end) != 2) continue;
    path[strcspn(path, "\n")] = 0;
    if ((uintptr_t)address >= begin && (uintptr_t)address < end) found = strdup(path);
  }
  free(line);
  if (maps) fclose(maps);
  return found;
}

static char *path_beside(const char *file, const char *name) {
  const char *slash = strrchr(file, '/');
  size_t folder = slash ? (size_t)(slash - file) + 1 : 0;
  char *path = malloc(folder + strlen(name) + 1);
  if (!path) return NULL;
  memcpy(path, file, folder);
  strcpy(path + folder, name);
  return path;
}

// --- opening ---

static dlir_status damaged(dlir_session *s, const char *path, const char *how) {
  return dlrt_fail(s, DLIR_SYSTEM_ERROR, "the weights file '%s' %s", path, how);
}

static dlir_status check(dlir_session *s, const char *path) {
  const dlrt_program *program = s->program;
  const dlrt_weights_header *header = s->mapped;
  if (memcmp(header->magic, DLRT_WEIGHTS_MAGIC, sizeof(header->magic)))
    return damaged(s, path, "is no weights file");
  if (header->size != program->weights_size || header->checksum != program->side->checksum)
    return damaged(s, path, "belongs to another library");
  dlrt_checksum sum = {{0}};
  dlrt_checksum_add(&sum, (const char *)s->mapped + DLRT_WEIGHTS_OFFSET, program->weights_size);
  if (dlrt_checksum_value(&sum) != program->side->checksum) return damaged(s, path, "is damaged");
  return DLIR_OK;
}

static dlir_status map(dlir_session *s, const char *path, int fd) {
  struct stat info;
  size_t size = DLRT_WEIGHTS_OFFSET + s->program->weights_size;
  if (fstat(fd, &info)) return damaged(s, path, strerror(errno));
  if ((uint64_t)info.st_size < sizeof(dlrt_weights_header))
    return damaged(s, path, "is no weights file");
  if ((uint64_t)info.st_size != size) {
    char how[96];
    snprintf(how, sizeof(how), "has %lld bytes, expected %llu", (long long)info.st_size,
             (unsigned long long)size);
    return damaged(s, path, how);
  }
  void *mapped = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (mapped == MAP_FAILED) return damaged(s, path, strerror(errno));
  s->mapped = mapped;
  s->run.weights = (const char *)mapped + DLRT_WEIGHTS_OFFSET;
  return check(s, path);
}

static dlir_status open_file(dlir_session *s, const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return dlrt_fail(s, DLIR_SYSTEM_ERROR, "cannot open the weights file '%s': %s", path,
                     strerror(errno));
  dlir_status status = map(s, path, fd);
  close(fd);
  return status;
}

dlir_status dlrt_weights_open(dlir_session *s) {
  const dlrt_side_file *side = s->program->side;
  s->run.weights = s->program->weights;
  if (!side) return DLIR_OK;
  char *library = mapped_file(s->program);
  char *path = library ? path_beside(library, side->name) : NULL;
  free(library);
  if (!path)
    return dlrt_fail(s, DLIR_SYSTEM_ERROR, "cannot find the library that '%s' belongs to",
                     side->name);
  dlir_status status = open_file(s, path);
  free(path);
  return status;
}

void dlrt_weights_close(dlir_session *s) {
  if (s->mapped) munmap(s->mapped, DLRT_WEIGHTS_OFFSET + s->program->weights_size);
}
