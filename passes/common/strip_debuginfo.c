// strip-debuginfo: replaces every location by the unknown one.
#include "ir/pass.h"

static void strip_args(dl_pass *pass, dl_block *block, dl_loc unknown) {
  for (size_t i = 0; i < dl_num_args(block); i++) {
    dl_value *arg = dl_arg(block, i);
    if (dl_value_loc(arg) == unknown) continue;
    dl_value_set_arg_loc(arg, unknown);
    dl_pass_changed(pass);
  }
}

static bool strip(dl_op *op, void *user) {
  dl_pass *pass = user;
  dl_loc unknown = dl_loc_unknown(dl_op_context(op));
  if (dl_op_loc(op) != unknown) {
    dl_op_set_loc(op, unknown);
    dl_pass_changed(pass);
  }
  for (size_t i = 0; i < dl_num_regions(op); i++)
    DL_FOR_BLOCKS(block, dl_op_region(op, i)) strip_args(pass, block, unknown);
  return true;
}

static dl_status run_strip(dl_pass *pass, dl_op *root) {
  dl_walk(root, strip, pass);
  return DL_OK;
}

DL_PASS(strip_debuginfo, "strip-debuginfo", NULL, "Replace every location by the unknown one",
        DL_EXACT, run_strip);
