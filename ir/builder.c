#include "ir/op_internal.h"

dl_builder dl_builder_before(dl_op *op) {
  return (dl_builder){
      .ctx = dl_op_context(op), .block = op->block, .before = op, .loc = dl_op_loc(op)};
}

dl_builder dl_builder_after(dl_op *op) {
  return (dl_builder){
      .ctx = dl_op_context(op), .block = op->block, .before = op->next, .loc = dl_op_loc(op)};
}

dl_builder dl_builder_at_end(dl_block *block, dl_loc loc) {
  return (dl_builder){.ctx = block->ctx, .block = block, .loc = loc};
}

dl_builder dl_builder_at_start(dl_block *block, dl_loc loc) {
  return (dl_builder){.ctx = block->ctx, .block = block, .before = block->first, .loc = loc};
}

void dl_builder_insert(dl_builder *b, dl_op *op) {
  if (b->before) {
    dl_op_insert_before(op, b->before);
  } else {
    dl_op_append(b->block, op);
  }
}

dl_op *dl_build(dl_builder *b, const dl_op_state *state) {
  dl_op_state located = *state;
  if (!located.loc) located.loc = b->loc;
  dl_op *op = dl_op_create(b->ctx, &located);
  dl_builder_insert(b, op);
  return op;
}
