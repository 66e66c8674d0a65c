// A plugin with a pass that is wrong: it swaps the operands of subtractions, and does not survive a
// tanh.
#include "ir/pass.h"
#include "ir/plugin.h"

static dl_status swap(dl_pass *pass, dl_op *root) {
  for (size_t i = 0; i < dl_num_regions(root); i++) DL_FOR_BLOCKS(block, dl_op_region(root, i)) {
      DL_FOR_OPS(op, block) {
        if (!strcmp(dl_op_name(op), "math.tanh")) abort();
        if (strcmp(dl_op_name(op), "arith.subf")) continue;
        dl_value *left = dl_operand(op, 0);
        dl_set_operand(op, 0, dl_operand(op, 1));
        dl_set_operand(op, 1, left);
        dl_pass_changed(pass);
      }
    }
  return DL_OK;
}

DL_PASS(wrong, "swap-subtraction", "func.func", "Swap the operands of subtractions", DL_EXACT,
        swap);
static const dl_pass_def *const passes[] = {&dl_pass_wrong};

DL_API const dl_module_def *dl_module_query(uint32_t host_version) {
  static const dl_module_def module = {
      .version = DL_PLUGIN_VERSION, .name = "wrong", .num_passes = 1, .passes = passes};
  (void)host_version;
  return &module;
}
