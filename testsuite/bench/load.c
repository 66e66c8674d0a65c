// Loads a module, visits and verifies every op, and prints how many ops there are and the CPU
// seconds it took, as the smallest of several rounds in contexts of their own.
#include <stdio.h>
#include <time.h>

#include "ir/context.h"
#include "ir/op_def.h"
#include "ir/text.h"

dl_status dl_register_builtin_dialects(dl_context *ctx);

static bool count_op(dl_op *op, void *user) {
  (void)op;
  ++*(size_t *)user;
  return true;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static bool load(const char *path, double *seconds, size_t *ops) {
  dl_context *ctx = dl_context_create();
  dl_set_diag_handler(ctx, dl_print_diagnostic, stderr);
  dl_register_builtin_dialects(ctx);
  dl_allow_unregistered(ctx, true);
  double start = now();
  dl_op *module = dl_parse_file(ctx, path);
  *ops = 0;
  bool ok = module && dl_verify(module) == DL_OK && dl_walk(module, count_op, ops);
  *seconds = now() - start;
  if (module) dl_op_destroy_tree(module);
  dl_context_destroy(ctx);
  return ok;
}

int main(int argc, char **argv) {
  double best = 0, seconds;
  size_t ops;
  if (argc != 3) return 2;
  for (int i = 0; i < atoi(argv[2]); i++) {
    if (!load(argv[1], &seconds, &ops)) return 1;
    if (i == 0 || seconds < best) best = seconds;
  }
  printf("%zu %.6f\n", ops, best);
  return 0;
}
