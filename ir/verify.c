#include "ir/context_internal.h"
#include "ir/dominance.h"
#include "ir/op_internal.h"
#include "ir/spec.h"
#include "ir/verify_internal.h"

typedef struct verifier {
  dl_dominance dominance;
  const dl_op *root;
  bool failed;
} verifier;

static bool has_trait(const dl_op *op, uint32_t trait) { return op->info->traits & trait; }

static void check(verifier *v, dl_status status) { v->failed |= status != DL_OK; }

// Unregistered ops may be anything, so what they hold is taken as it is; a symbol table without
// terminators is a set of declarations rather than a sequence.
static bool is_ordered(const dl_op *parent) {
  return !has_trait(parent, DL_UNREGISTERED | DL_NO_TERMINATOR);
}

static bool may_terminate(const dl_op *op) {
  return has_trait(op, DL_TERMINATOR | DL_UNREGISTERED);
}

// --- values ---

// Whether `value` is available at `user`, an op in the region that defines it.
static bool is_available(verifier *v, const dl_value *value, const dl_op *user) {
  const dl_block *block = dl_defining_block(value);
  if (!is_ordered(dl_block_parent(block))) return true;
  if (block != user->block) return dl_block_dominates(&v->dominance, block, user->block);
  return dl_is_arg(value) || dl_result_owner(value)->order < user->order;
}

// The usual case: the value is defined earlier in the same block.
static bool is_before(const dl_value *value, const dl_op *user) {
  if (dl_is_arg(value)) return dl_as_arg(value)->block == user->block && user->block;
  const dl_op *def = dl_result_owner(value);
  return def->block == user->block && def->order < user->order;
}

static void verify_operand(verifier *v, dl_op *op, uint32_t i) {
  const dl_value *value = op->operands[i].value;
  if (value && is_before(value, op)) return;
  if (!value) {
    check(v, dl_op_error(op, "operand #%u is not set", i));
    return;
  }
  const dl_block *block = dl_defining_block(value);
  const dl_op *user = op, *isolated = NULL;
  while (user && block && (!user->block || user->block->region != block->region)) {
    user = dl_op_parent(user);
    if (user && !isolated && has_trait(user, DL_ISOLATED)) isolated = user;
  }
  if (user && block && isolated) {
    check(v, dl_op_error(op, "uses a value (operand #%u) defined outside of an isolated op", i));
    dl_note(dl_op_loc(isolated), "'%s' is isolated from the values around it",
            dl_op_name(isolated));
  } else if (!user || !block || !is_available(v, value, user)) {
    check(v, dl_op_error(op, "operand #%u does not dominate this use", i));
    dl_note(dl_value_loc(value), "operand defined here");
  }
}

// --- blocks ---

static void verify_successors(verifier *v, dl_op *op) {
  if (op->num_successors && !may_terminate(op))
    check(v, dl_op_error(op, "has successors but is no terminator"));
  for (uint32_t i = 0; i < op->num_successors; i++) {
    const dl_block *block = dl_successors(op)[i];
    if (!op->block || !block || block->region != op->block->region) {
      check(v, dl_op_error(op, "successor #%u is not in its region", i));
    } else if (block == block->region->first) {
      check(v, dl_op_error(op, "branches to the entry block of its region"));
    }
  }
}

// What a branch passes to its successors must be what they take.
static void verify_passed(verifier *v, dl_op *op, size_t i) {
  const dl_block *block = dl_successor(op, i);
  size_t first, count;
  if (!block || !dl_successor_operands(op, i, &first, &count)) return;
  if (count != dl_num_args(block)) {
    check(v, dl_op_error(op, "passes %zu operands to successor #%zu, which has %zu arguments",
                         count, i, dl_num_args(block)));
    return;
  }
  for (size_t k = 0; k < count; k++)
    if (dl_value_type(dl_operand(op, first + k)) != dl_value_type(dl_arg(block, k)))
      check(v, dl_op_error(op, "type mismatch for argument #%zu of successor #%zu", k, i));
}

static void verify_position(verifier *v, dl_op *op) {
  if (has_trait(op, DL_TERMINATOR) && op->block && op->next)
    check(v, dl_op_error(op, "must be the last operation in its block"));
  if (op->num_successors) verify_successors(v, op);
}

static void verify_block_end(verifier *v, const dl_op *parent, const dl_block *block) {
  if (!is_ordered(parent)) return;
  if (!block->last) {
    check(v, dl_op_error(parent, "has an empty block: expected a terminator"));
  } else if (!may_terminate(block->last)) {
    check(v, dl_op_error(block->last, "ends a block but is no terminator"));
  }
}

static void verify_op(verifier *v, dl_op *op);

static void verify_regions(verifier *v, dl_op *op) {
  for (uint32_t i = 0; i < op->num_regions; i++) {
    dl_region *region = &dl_regions(op)[i];
    if (dl_has_trait(op, DL_SINGLE_BLOCK) && region->first != region->last)
      check(v, dl_op_error(op, "region #%u must have at most one block", i));
    // All ends first: dominance follows the successors of every block of the region.
    DL_FOR_BLOCKS(block, region) { verify_block_end(v, op, block); }
    DL_FOR_BLOCKS(block, region) {
      for (dl_op *inner = block->first; inner; inner = inner->next) verify_op(v, inner);
    }
  }
}

// --- ops ---

static dl_status verify_registration(const dl_op *op) {
  if (!has_trait(op, DL_UNREGISTERED) || dl_allows_unregistered(dl_op_context(op))) return DL_OK;
  return dl_op_error(op, "is not registered by any loaded dialect");
}

static dl_status verify_definition(dl_op *op) {
  if (has_trait(op, DL_UNREGISTERED)) return DL_OK;
  const dl_op_def *def = op->info->def;
  if (op->num_regions != def->num_regions)
    return dl_op_error(op, "expected %zu regions, found %u", def->num_regions, op->num_regions);
  if (op->num_successors != def->num_successors)
    return dl_op_error(op, "expected %zu successors, found %u", def->num_successors,
                       op->num_successors);
  DL_TRY(dl_spec_verify(op));
  return dl_verify_traits(op);
}

static dl_status verify_symbols(const verifier *v, dl_op *op) {
  const dl_op_def *def = dl_op_def_of(op);
  const dl_op *table = def->verify_symbols ? dl_enclosing_symbol_table(op) : NULL;
  return table && dl_op_is_ancestor(v->root, table) ? def->verify_symbols(op) : DL_OK;
}

static bool verify_symbols_of(dl_op *op, void *user) {
  check(user, verify_symbols(user, op));
  return true;
}

dl_status dl_verify_symbols(dl_op *op) {
  verifier v = {.root = op};
  dl_walk(op, verify_symbols_of, &v);
  return v.failed ? DL_FAILED : DL_OK;
}

// The hook of the definition sees only ops whose insides are in order.
static void verify_op(verifier *v, dl_op *op) {
  bool failed_before = v->failed;
  v->failed = false;
  check(v, verify_registration(op));
  for (uint32_t i = 0; i < op->num_operands; i++) verify_operand(v, op, i);
  verify_position(v, op);
  if (!v->failed) check(v, verify_definition(op));
  if (op->lazy) {  // its regions are verified once they are read
    v->failed |= failed_before;
    return;
  }
  for (uint32_t i = 0; !v->failed && i < op->num_successors; i++) verify_passed(v, op, i);
  verify_regions(v, op);
  if (!v->failed && op->info->def->verify) check(v, op->info->def->verify(op));
  if (!v->failed) check(v, verify_symbols(v, op));
  v->failed |= failed_before;
}

dl_status dl_verify(dl_op *op) {
  verifier v = {.root = op};
  verify_op(&v, op);
  dl_dominance_free(&v.dominance);
  return v.failed ? DL_FAILED : DL_OK;
}
