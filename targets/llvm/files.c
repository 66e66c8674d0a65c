#define _GNU_SOURCE  // dladdr
#include "targets/llvm/files.h"

#include <dlfcn.h>

#include "ir/base.h"

const char *dl_file_of(const void *address) {
  Dl_info info;
  return dladdr(address, &info) ? info.dli_fname : NULL;
}

char *dl_beside_module(const char *name) {
  const char *self = dl_file_of((const void *)&dl_beside_module);
  const char *slash = self ? strrchr(self, '/') : NULL;
  dl_buffer path = {0};
  if (slash) dl_buffer_append(&path, self, (size_t)(slash - self) + 1);
  dl_buffer_puts(&path, name);
  return path.data;
}
