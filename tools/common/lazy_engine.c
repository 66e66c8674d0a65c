#include "tools/common/lazy_engine.h"

#include "ir/plugin.h"

typedef struct lazy_engine {
  dl_engine hooks;  // first: a pointer to one is a pointer to the other
  dl_context *ctx;
  dl_engine *real;  // NULL: not made yet, or not to be had
  bool tried;
} lazy_engine;

static dl_engine *real_engine(dl_engine *hooks) {
  lazy_engine *lazy = (lazy_engine *)hooks;
  if (lazy->tried) return lazy->real;
  lazy->tried = true;
  if (dl_load_target(lazy->ctx, "llvm") != DL_OK) return NULL;
  const dl_target_def *target = dl_find_target(lazy->ctx, "cpu");
  if (target && target->create_engine) lazy->real = target->create_engine(lazy->ctx);
  return lazy->real;
}

static bool run_box(dl_engine *hooks, dl_box *box) {
  dl_engine *real = real_engine(hooks);
  return real && real->run_box(real, box);
}

static bool run_function(dl_engine *hooks, const dl_engine_call *call) {
  dl_engine *real = real_engine(hooks);
  return real && real->run_function(real, call);
}

static void forget_functions(dl_engine *hooks) {
  dl_engine *real = ((lazy_engine *)hooks)->real;
  if (real) real->forget_functions(real);
}

static void destroy(dl_engine *hooks) {
  lazy_engine *lazy = (lazy_engine *)hooks;
  if (lazy->real) lazy->real->destroy(lazy->real);
  free(lazy);
}

dl_engine *dl_lazy_engine_create(dl_context *ctx) {
  lazy_engine *lazy = dl_calloc(1, sizeof(*lazy));
  *lazy = (lazy_engine){{run_box, run_function, forget_functions, destroy}, ctx, NULL, false};
  return &lazy->hooks;
}
