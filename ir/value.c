#include "ir/context_internal.h"
#include "ir/op_internal.h"

dl_type dl_value_type(const dl_value *value) { return value->type; }
void dl_value_set_type(dl_value *value, dl_type type) { value->type = type; }

dl_op *dl_value_def(const dl_value *value) {
  return dl_is_arg(value) ? NULL : dl_result_owner(value);
}

dl_block *dl_value_block(const dl_value *value) {
  return dl_is_arg(value) ? dl_as_arg(value)->block : NULL;
}

size_t dl_value_index(const dl_value *value) { return dl_value_position(value); }
dl_context *dl_value_context(const dl_value *value) { return value->type->ctx; }

dl_ident dl_value_name(const dl_value *value) {
  return value->name ? dl_name_at(value->type->ctx, value->name) : NULL;
}

void dl_value_set_name(dl_value *value, dl_ident name) {
  value->name = name ? dl_name_index(value->type->ctx, name) : 0;
}

dl_loc dl_value_loc(const dl_value *value) {
  dl_place place = dl_is_arg(value) ? dl_as_arg(value)->loc : dl_result_owner(value)->loc;
  return dl_place_loc(value->type->ctx, place);
}

void dl_value_set_arg_loc(dl_value *argument, dl_loc loc) {
  dl_as_arg(argument)->loc = dl_place_of(loc);
}

bool dl_has_uses(const dl_value *value) { return value->uses != NULL; }
bool dl_has_one_use(const dl_value *value) { return value->uses && !value->uses->next; }
dl_use *dl_first_use(const dl_value *value) { return value->uses; }
dl_use *dl_next_use(const dl_use *use) { return use->next; }
dl_op *dl_use_owner(const dl_use *use) { return use->owner; }
size_t dl_use_index(const dl_use *use) { return (size_t)(use - use->owner->operands); }

void dl_use_assign(dl_use *use, dl_value *value) {
  if (use->value) {
    *use->link = use->next;
    if (use->next) use->next->link = use->link;
  }
  use->value = value;
  if (!value) return;
  use->next = value->uses;
  use->link = &value->uses;
  if (use->next) use->next->link = &use->next;
  value->uses = use;
}

void dl_replace_all_uses(dl_value *from, dl_value *to) {
  if (from == to) return;
  while (from->uses) dl_use_assign(from->uses, to);
}

size_t dl_num_operands(const dl_op *op) { return op->num_operands; }

dl_value *dl_operand(const dl_op *op, size_t i) {
  if (i >= op->num_operands) dl_bug(op, "operand %zu of an op that has %u", i, op->num_operands);
  return op->operands[i].value;
}

void dl_set_operand(dl_op *op, size_t i, dl_value *value) {
  if (i >= op->num_operands) dl_bug(op, "operand %zu of an op that has %u", i, op->num_operands);
  dl_use_assign(&op->operands[i], value);
}

static void reserve_operands(dl_op *op, uint32_t count) {
  dl_context *ctx = op->info->ctx;
  bool inner = op->operands == dl_inline_operands(op);
  if (count <= (inner ? op->inline_operands : dl_outer_capacity(op->operands))) return;
  if (!inner) dl_outer_free(ctx, op->operands, sizeof(dl_use));
  op->operands = dl_outer_alloc(ctx, count, sizeof(dl_use));
}

void dl_set_operands(dl_op *op, size_t count, dl_value *const *values) {
  for (uint32_t i = 0; i < op->num_operands; i++) dl_use_assign(&op->operands[i], NULL);
  reserve_operands(op, (uint32_t)count);
  op->num_operands = (uint32_t)count;
  for (size_t i = 0; i < count; i++) {
    op->operands[i] = (dl_use){.owner = op};
    dl_use_assign(&op->operands[i], values[i]);
  }
}
