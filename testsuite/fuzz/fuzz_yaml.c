// A libFuzzer target for YAML: specs of dialects and, where the first byte is odd, descriptions of
// machines.
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ir/plugin.h"
#include "ir/spec.h"
#include "targets/llvm/describe_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_machine(dl_context *ctx, const uint8_t *data, size_t size) {
  dl_description d = {.ctx = ctx, .loc = dl_loc_unknown(ctx)};
  FILE *file = fmemopen((void *)data, size, "rb");
  if (!file) abort();
  dl_read_description(&d, file, "machine.yaml");
  fclose(file);
  DL_VEC_FREE(&d.entries);
}

static void read_dialect(dl_context *ctx, const uint8_t *data, size_t size) {
  char path[64];
  int file = memfd_create("dialect", 0);
  if (file < 0 || write(file, data, size) != (ssize_t)size) abort();
  snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
  dl_register_builtin_dialects(ctx);
  dl_load_dialect_yaml(ctx, path);
  close(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  dl_context *ctx = dl_context_create();
  (data[0] & 1 ? read_machine : read_dialect)(ctx, data + 1, size - 1);
  dl_context_destroy(ctx);
  return 0;
}
