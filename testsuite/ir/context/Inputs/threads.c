// Threads that unique the same things in one context, and build and destroy ops of their own.
#include <pthread.h>
#include <stdio.h>

#include "ir/op.h"
#include "ir/op_def.h"

enum { THREADS = 4, ROUNDS = 2000, KINDS = 6 };

typedef struct worker {
  pthread_t thread;
  dl_context *ctx;
  const void *objects[ROUNDS][KINDS];
} worker;

static void make_objects(worker *w, int i) {
  dl_context *ctx = w->ctx;
  int64_t shape[] = {i, DL_DYNAMIC};
  dl_expr product = dl_expr_mul_const(dl_expr_dim(ctx, (unsigned)i), i + 2);
  dl_expr sum = dl_expr_add(product, dl_expr_symbol(ctx, 0));
  const void *made[KINDS] = {dl_intern_f(ctx, "name%d", i),
                             dl_tensor_type(dl_f32_type(ctx), 2, shape, NULL),
                             dl_i64_attr(ctx, i),
                             sum,
                             dl_affine_map(ctx, (unsigned)i + 1, 1, 1, &sum),
                             dl_loc_file(ctx, dl_intern_z(ctx, "file"), (uint64_t)i, 1)};
  memcpy(w->objects[i], made, sizeof(made));
}

static void build_ops(dl_context *ctx) {
  const dl_op_def *def = dl_unregistered_op_def(ctx, DL_STR("test.op"));
  dl_type type = dl_int_type(ctx, 32);
  dl_block *block = dl_block_create(ctx);
  dl_value *last = dl_add_arg(block, type, NULL);
  dl_builder b = dl_builder_at_end(block, dl_loc_unknown(ctx));
  for (int i = 0; i < 50; i++) {
    dl_value *operands[] = {last, last};
    dl_op_state state = {.def = def,
                         .num_operands = 2,
                         .operands = operands,
                         .num_results = 1,
                         .result_types = &type};
    last = dl_result(dl_build(&b, &state), 0);
  }
  dl_block_erase(block);
}

static void *work(void *argument) {
  worker *w = argument;
  for (int i = 0; i < ROUNDS; i++) {
    make_objects(w, i);
    if (i % 20 == 0) build_ops(w->ctx);
  }
  return NULL;
}

int main(void) {
  static worker workers[THREADS];
  dl_context *ctx = dl_context_create();
  for (int i = 0; i < THREADS; i++) {
    workers[i].ctx = ctx;
    pthread_create(&workers[i].thread, NULL, work, &workers[i]);
  }
  int different = 0;
  for (int i = 0; i < THREADS; i++) {
    pthread_join(workers[i].thread, NULL);
    different |= memcmp(workers[i].objects, workers[0].objects, sizeof(workers[0].objects));
  }
  dl_context_destroy(ctx);
  puts(different ? "threads: different objects" : "threads: ok");
  return different != 0;
}
