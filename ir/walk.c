#include "ir/op_internal.h"

static bool walk(dl_op *op, dl_visit visit, void *user, bool post) {
  if (!post && !visit(op, user)) return false;
  for (uint32_t i = 0; i < op->num_regions; i++) {
    DL_FOR_BLOCKS(block, &dl_filled_regions(op)[i]) {
      DL_FOR_OPS(inner, block) {
        if (!walk(inner, visit, user, post)) return false;
      }
    }
  }
  return !post || visit(op, user);
}

bool dl_walk(dl_op *root, dl_visit visit, void *user) { return walk(root, visit, user, false); }

bool dl_walk_post(dl_op *root, dl_visit visit, void *user) { return walk(root, visit, user, true); }
