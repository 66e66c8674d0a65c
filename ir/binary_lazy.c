// Bodies that are read when something asks for them.
#include "ir/binary_reader.h"
#include "ir/op_internal.h"

typedef struct lazy_body {
  dl_binary *file;
  uint64_t body;
  unsigned depth;
} lazy_body;

void dl_binary_postpone_body(dl_binary *file, dl_op *op, uint64_t body, unsigned depth) {
  lazy_body *lazy = dl_malloc(sizeof(*lazy));
  *lazy = (lazy_body){file, body, depth};
  pthread_mutex_lock(&file->ctx->lock);
  dl_ptr_map_set(&file->ctx->lazy_bodies, op, lazy);
  pthread_mutex_unlock(&file->ctx->lock);
  op->lazy = true;
}

static lazy_body *take(dl_op *op) {
  dl_context *ctx = op->info->ctx;
  pthread_mutex_lock(&ctx->lock);
  lazy_body *lazy = dl_ptr_map_get(&ctx->lazy_bodies, op);
  dl_ptr_map_remove(&ctx->lazy_bodies, op);
  pthread_mutex_unlock(&ctx->lock);
  op->lazy = false;
  return lazy;
}

void dl_forget_lazy_body(dl_op *op) { free(take(op)); }

bool dl_op_is_lazy(const dl_op *op) { return op->lazy; }

// Ops that the body holds were not there when their module was verified.
dl_status dl_op_materialize(dl_op *op) {
  if (!op->lazy) return DL_OK;
  lazy_body *lazy = take(op);
  dl_status status = dl_binary_read_body(lazy->file, op, lazy->body, lazy->depth);
  free(lazy);
  if (status == DL_OK && dl_verify(op) != DL_OK) {
    dl_binary_empty_regions(op);
    status = DL_FAILED;
  }
  return status;
}
