// dce: erases ops without effects whose results nobody uses, with all that becomes unused by that.
#include "ir/effects.h"
#include "ir/pass.h"
#include "ir/steps.h"

static void erase_dead_in(dl_pass *pass, dl_op *op);

// Users come after what they use, so going backwards finds whole chains.
static void erase_dead_in_block(dl_pass *pass, dl_block *block) {
  for (dl_op *op = dl_block_last(block), *before; op; op = before) {
    before = dl_op_prev(op);
    if (!dl_op_is_dead(op) || !dl_may_step(op, "erase")) {
      erase_dead_in(pass, op);
      continue;
    }
    dl_op_erase(op);
    dl_count(pass, "erased", 1);
    dl_pass_changed(pass);
  }
}

static void erase_dead_in(dl_pass *pass, dl_op *op) {
  for (size_t i = 0; i < dl_num_regions(op); i++)
    DL_FOR_BLOCKS(block, dl_op_region(op, i)) erase_dead_in_block(pass, block);
}

static dl_status run_dce(dl_pass *pass, dl_op *root) {
  erase_dead_in(pass, root);
  return DL_OK;
}

static const char *const dce_statistics[] = {"erased"};

const dl_pass_def dl_pass_dce = {
    .name = "dce",
    .summary = "Erase ops without effects whose results are unused",
    .contract = DL_EXACT,
    .num_statistics = DL_COUNT(dce_statistics),
    .statistics = dce_statistics,
    .run = run_dce,
};
