#include "ir/effects.h"

static dl_effects region_effects(const dl_op *op) {
  dl_effects strongest = DL_EFFECTS_NONE;
  for (size_t i = 0; i < dl_num_regions(op); i++) DL_FOR_BLOCKS(block, dl_op_region(op, i)) {
      DL_FOR_OPS(inner, block) {
        dl_effects effects = dl_op_effects(inner);
        if (effects > strongest) strongest = effects;
      }
    }
  return strongest;
}

dl_effects dl_op_effects(const dl_op *op) {
  if (dl_has_trait(op, DL_PURE | DL_CONSTANT | DL_TERMINATOR)) return DL_EFFECTS_NONE;
  if (dl_has_trait(op, DL_READS)) return DL_EFFECTS_READ;
  if (dl_has_trait(op, DL_RECURSIVE_EFFECTS | DL_LOOP)) return region_effects(op);
  return DL_EFFECTS_WRITE;
}

static void add_marked(const dl_op *op, bool operands, dl_access_list *into) {
  const dl_op_def *def = dl_op_def_of(op);
  const dl_value_spec *specs = operands ? def->operands : def->results;
  size_t num_specs = operands ? def->num_operands : def->num_results;
  for (size_t g = 0; g < num_specs; g++) {
    uint32_t effects = specs[g].effects & ~(uint32_t)DL_EFFECT_VIEW;
    if (!effects) continue;
    size_t count,
        first = operands ? dl_operand_group(op, g, &count) : dl_result_group(op, g, &count);
    for (size_t i = first; i < first + count; i++)
      DL_PUSH(into, (dl_access){operands ? dl_operand(op, i) : dl_result(op, i), effects});
  }
}

static void add_inner(const dl_op *op, dl_access_list *into) {
  for (size_t i = 0; i < dl_num_regions(op); i++) DL_FOR_BLOCKS(block, dl_op_region(op, i)) {
      DL_FOR_OPS(inner, block) dl_op_accesses(inner, into);
    }
}

void dl_op_accesses(const dl_op *op, dl_access_list *into) {
  if (dl_has_trait(op, DL_PURE | DL_CONSTANT | DL_TERMINATOR)) return;
  size_t before = into->len;
  add_marked(op, true, into);
  add_marked(op, false, into);
  if (into->len > before) return;
  if (dl_has_trait(op, DL_READS))
    DL_PUSH(into, (dl_access){NULL, DL_EFFECT_READ});
  else if (dl_has_trait(op, DL_RECURSIVE_EFFECTS | DL_LOOP))
    add_inner(op, into);
  else
    DL_PUSH(into, (dl_access){NULL, DL_EFFECT_READ | DL_EFFECT_WRITE});
}

bool dl_op_is_erasable(const dl_op *op) {
  return !dl_has_trait(op, DL_TERMINATOR | DL_SYMBOL) && dl_op_effects(op) != DL_EFFECTS_WRITE;
}

static bool has_used_result(const dl_op *op) {
  for (size_t i = 0; i < dl_num_results(op); i++)
    if (dl_has_uses(dl_result(op, i))) return true;
  return false;
}

bool dl_op_is_dead(const dl_op *op) { return !has_used_result(op) && dl_op_is_erasable(op); }

dl_region *dl_sharing_scope(const dl_op *op, const dl_op *root) {
  for (dl_block *block = dl_op_block(op); block;) {
    dl_region *region = dl_block_region(block);
    dl_op *parent = dl_region_parent(region);
    if (!parent) return NULL;
    if (parent == root || dl_has_trait(parent, DL_ISOLATED | DL_CLOSED)) return region;
    block = dl_op_block(parent);
  }
  return NULL;
}
