// Strategies that take away ops, regions, blocks and symbols.
#include "passes/reduce/reduce_internal.h"

static bool is_symbol(const dl_op *op) { return dl_symbol_name(op) != NULL; }

// Finds values for the used results of op; false when one has none.
static bool find_replacements(dl_op *op, bool constants, dl_value **values) {
  for (size_t i = 0; i < dl_num_results(op); i++) {
    dl_value *result = dl_result(op, i);
    values[i] = result;
    if (!dl_has_uses(result)) continue;
    values[i] = constants ? dl_zero_before(op, dl_value_type(result)) : dl_other_value(op, result);
    if (!values[i]) return false;
  }
  return true;
}

static bool replace_and_erase(dl_op *op, bool constants) {
  dl_value **values = dl_malloc((dl_num_results(op) + 1) * sizeof(*values));
  bool found = find_replacements(op, constants, values);
  for (size_t i = 0; found && i < dl_num_results(op); i++)
    if (values[i] != dl_result(op, i)) dl_replace_all_uses(dl_result(op, i), values[i]);
  free(values);
  if (found) dl_op_erase(op);
  return found;
}

static void reduce_ops(dl_reduction *r, dl_op *module, bool constants) {
  dl_op_list ops = {0};
  dl_collect_backwards(module, &ops);
  for (size_t i = 0; i < ops.len; i++) {
    dl_op *op = ops.data[i];
    bool is_constant =
        dl_has_trait(op, DL_CONSTANT) && dl_num_results(op) && dl_has_uses(dl_result(op, 0));
    if (is_symbol(op) || dl_has_trait(op, DL_TERMINATOR) || (constants && is_constant)) continue;
    if (dl_take_target(r)) r->changed |= replace_and_erase(op, constants);
  }
  DL_VEC_FREE(&ops);
}

void dl_reduce_ops_to_values(dl_reduction *r, dl_op *module) { reduce_ops(r, module, false); }
void dl_reduce_ops_to_constants(dl_reduction *r, dl_op *module) { reduce_ops(r, module, true); }

// --- symbols ---

static bool refers_to(dl_op *op, dl_attr ref, void *user) {
  dl_ptr_map *users = user;
  if (dl_ptr_map_has(users, ref->name)) dl_ptr_map_set(users, op, op);
  return true;
}

// Erases what refers to the names; others may be left, which the verifier finds.
static void erase_users(dl_op *module, dl_ptr_map *names) {
  dl_op_list ops = {0};
  dl_walk_symbol_refs(module, refers_to, names);
  dl_collect_backwards(module, &ops);
  for (size_t i = 0; i < ops.len; i++) {
    dl_op *op = ops.data[i];
    if (!dl_ptr_map_has(names, op) || is_symbol(op) || dl_has_trait(op, DL_TERMINATOR)) continue;
    if (!replace_and_erase(op, false)) replace_and_erase(op, true);
  }
  DL_VEC_FREE(&ops);
}

void dl_reduce_symbols(dl_reduction *r, dl_op *module) {
  dl_op_list ops = {0};
  dl_ptr_map names = {0};
  dl_collect_backwards(module, &ops);
  for (size_t i = 0; i < ops.len; i++) {
    dl_op *op = ops.data[i];
    if (!is_symbol(op) || dl_num_results(op) || !dl_take_target(r)) continue;
    dl_ident name = dl_symbol_name(op);
    dl_ptr_map_set(&names, name, (void *)name);
    dl_op_erase(op);
    r->changed = true;
  }
  if (r->changed) erase_users(module, &names);
  dl_ptr_map_free(&names);
  DL_VEC_FREE(&ops);
}

static void empty(dl_region *region) {
  dl_region *contents = dl_region_create(dl_op_context(dl_region_parent(region)));
  dl_region_take(contents, region);
  dl_region_destroy(contents);
}

void dl_reduce_bodies(dl_reduction *r, dl_op *module) {
  dl_op_list ops = {0};
  dl_collect_backwards(module, &ops);
  for (size_t i = 0; i < ops.len; i++) {
    dl_op *op = ops.data[i];
    if (!dl_has_trait(op, DL_FUNCTION) || dl_region_empty(dl_op_region(op, 0))) continue;
    if (!dl_take_target(r)) continue;
    empty(dl_op_region(op, 0));
    dl_set_attr(op, "sym_visibility", dl_string_attr_z(dl_op_context(op), "private"));
    r->changed = true;
  }
  DL_VEC_FREE(&ops);
}

// --- regions ---

// The block whose ops can take the place of op.
static dl_block *only_block(dl_op *op) {
  for (size_t i = 0; i < dl_num_regions(op); i++) {
    dl_region *region = dl_op_region(op, i);
    if (dl_region_empty(region)) continue;
    return dl_region_first(region) == dl_region_last(region) ? dl_region_first(region) : NULL;
  }
  return NULL;
}

static bool replace_args(dl_op *op, dl_block *block) {
  for (size_t i = 0; i < dl_num_args(block); i++) {
    dl_value *arg = dl_arg(block, i);
    if (!dl_has_uses(arg)) continue;
    dl_value *other = dl_other_value(op, arg);
    if (!other) other = dl_zero_before(op, dl_value_type(arg));
    if (!other) return false;
    dl_replace_all_uses(arg, other);
  }
  return true;
}

// The terminator's operands become the results where they fit.
static bool replace_results(dl_op *op, const dl_op *terminator) {
  for (size_t i = 0; i < dl_num_results(op); i++) {
    dl_value *result = dl_result(op, i), *other = NULL;
    if (!dl_has_uses(result)) continue;
    if (terminator && i < dl_num_operands(terminator)) other = dl_operand(terminator, i);
    if (!other || dl_value_type(other) != dl_value_type(result) || dl_value_def(other) == op)
      other = dl_other_value(op, result);
    if (!other) other = dl_zero_before(op, dl_value_type(result));
    if (!other) return false;
    dl_replace_all_uses(result, other);
  }
  return true;
}

static bool hoist(dl_op *op, dl_block *block) {
  if (!replace_args(op, block)) return false;
  dl_op *terminator = dl_block_terminator(block);
  DL_FOR_OPS(inner, block) {
    if (inner != terminator) dl_op_move_before(inner, op);
  }
  if (!replace_results(op, terminator)) return false;
  dl_op_erase(op);
  return true;
}

// A run that fails half way leaves a valid module or one that does not verify.
void dl_reduce_regions(dl_reduction *r, dl_op *module) {
  dl_op_list ops = {0};
  dl_collect_backwards(module, &ops);
  for (size_t i = 0; i < ops.len; i++) {
    dl_op *op = ops.data[i];
    dl_block *block = is_symbol(op) || dl_has_trait(op, DL_TERMINATOR) ? NULL : only_block(op);
    if (block && dl_take_target(r)) r->changed |= hoist(op, block);
  }
  DL_VEC_FREE(&ops);
}

// --- blocks ---

static dl_op *only_predecessor(const dl_block *block, size_t *count) {
  dl_op *found = NULL;
  *count = 0;
  DL_FOR_BLOCKS(from, dl_block_region(block)) {
    dl_op *last = dl_block_last(from);
    for (size_t i = 0; last && i < dl_num_successors(last); i++) {
      if (dl_successor(last, i) != block) continue;
      found = last;
      ++*count;
    }
  }
  return found;
}

// Appends the block to the one that alone leads to it and leads nowhere else.
static bool join(dl_block *block, dl_op *branch) {
  size_t first = 0, count = 0;
  if (dl_num_results(branch)) return false;
  bool known = dl_successor_operands(branch, 0, &first, &count);
  if (!known && (dl_num_operands(branch) || dl_num_args(block))) return false;
  if (dl_op_block(branch) == block || count != dl_num_args(block)) return false;
  for (size_t i = 0; i < count; i++)
    dl_replace_all_uses(dl_arg(block, i), dl_operand(branch, first + i));
  dl_block *to = dl_op_block(branch);
  dl_op_erase(branch);
  dl_block_splice(to, block);
  dl_block_erase(block);
  return true;
}

// Sends who goes there to another of its successors; the verifier sees whether that can be.
static bool leave_out(dl_block *block) {
  DL_FOR_BLOCKS(from, dl_block_region(block)) {
    dl_op *last = dl_block_last(from);
    dl_block *other = NULL;
    for (size_t i = 0; last && i < dl_num_successors(last) && !other; i++)
      if (dl_successor(last, i) != block) other = dl_successor(last, i);
    for (size_t i = 0; last && i < dl_num_successors(last); i++) {
      if (dl_successor(last, i) != block || from == block) continue;
      if (!other) return false;
      dl_set_successor(last, i, other);
    }
  }
  return true;
}

static bool is_used_outside(const dl_value *value, const dl_block *block) {
  for (dl_use *use = dl_first_use(value); use; use = dl_next_use(use)) {
    const dl_op *owner = dl_use_owner(use);
    while (owner && dl_op_block(owner) != block) owner = dl_op_parent(owner);
    if (!owner) return true;
  }
  return false;
}

static bool results_used_outside(const dl_op *op, const dl_block *block) {
  for (size_t i = 0; i < dl_num_results(op); i++)
    if (is_used_outside(dl_result(op, i), block)) return true;
  return false;
}

static bool is_self_contained(dl_block *block) {
  for (size_t i = 0; i < dl_num_args(block); i++)
    if (is_used_outside(dl_arg(block, i), block)) return false;
  DL_FOR_OPS(op, block) {
    if (results_used_outside(op, block)) return false;
  }
  return true;
}

static bool reduce_block(dl_block *block) {
  size_t count;
  dl_op *branch = only_predecessor(block, &count);
  bool alone = count && count == dl_num_successors(branch);
  if (alone && join(block, branch)) return true;
  if (!is_self_contained(block) || !leave_out(block)) return false;
  dl_block_erase(block);
  return true;
}

void dl_reduce_blocks(dl_reduction *r, dl_op *module) {
  dl_op_list ops = {0};
  dl_collect_backwards(module, &ops);
  for (size_t i = 0; i < ops.len; i++)
    for (size_t k = 0; k < dl_num_regions(ops.data[i]); k++) {
      dl_block *entry = dl_region_first(dl_op_region(ops.data[i], k));
      for (dl_block *block = entry ? dl_block_next(entry) : NULL, *next; block; block = next) {
        next = dl_block_next(block);
        if (!dl_take_target(r) || !reduce_block(block)) continue;
        r->changed = true;
        DL_VEC_FREE(&ops);
        return;  // the list may hold ops that went with the block
      }
    }
  DL_VEC_FREE(&ops);
}
