// What pretty parsers use to build an op's state.

#include "ir/text_internal.h"

dl_status dl_p_add_operand(dl_parser *p, dl_op_state *state, dl_unresolved value, dl_type type) {
  dl_value *operand;
  DL_TRY(dl_p_resolve(p, value, type, &operand));
  DL_PUSH(&p->state->operands, operand);
  dl_sync_state(p, state);
  return DL_OK;
}

void dl_p_add_result(dl_parser *p, dl_op_state *state, dl_type type) {
  DL_PUSH(&p->state->results, type);
  dl_sync_state(p, state);
}

void dl_p_add_attr(dl_parser *p, dl_op_state *state, const char *name, dl_attr value) {
  DL_PUSH(&p->state->attrs, (dl_named_attr){dl_parse_intern(p, dl_str_of(name)), value});
  dl_sync_state(p, state);
}

static bool has_attr(const dl_op_arrays *a, dl_ident name) {
  for (size_t i = 0; i < a->attrs.len; i++)
    if (a->attrs.data[i].name == name) return true;
  for (size_t i = 0; i < a->inherent.len; i++)
    if (a->inherent.data[i].name == name) return true;
  return false;
}

static dl_status add_entries(dl_parser *p, dl_op_state *state, bool inherent) {
  dl_position at = p->token.text;
  size_t first;
  DL_TRY(dl_parse_dict_entries(p, &first));
  bool known = !(p->def->traits & DL_UNREGISTERED);
  for (size_t i = first; i < p->entry_stack.len; i++) {
    dl_named_attr entry = p->entry_stack.data[i];
    if (has_attr(p->state, entry.name))
      return dl_error(dl_loc_at(p, at), "attribute '%s' is given twice", entry.name);
    if (known) entry.value = dl_simplified_affine(entry.value);
    if (inherent)
      DL_PUSH(&p->state->inherent, entry);
    else
      DL_PUSH(&p->state->attrs, entry);
  }
  p->entry_stack.len = first;
  dl_sync_state(p, state);
  return DL_OK;
}

dl_status dl_p_properties(dl_parser *p, dl_op_state *state) {
  if (!dl_p_peek(p, "<{")) return DL_OK;
  dl_advance(p);
  DL_TRY(add_entries(p, state, true));
  return dl_expect_punct(p, '>', "after properties");
}

dl_status dl_p_attr_dict(dl_parser *p, dl_op_state *state) {
  return dl_at_punct(p, '{') ? add_entries(p, state, false) : DL_OK;
}

dl_status dl_p_attr_dict_with_keyword(dl_parser *p, dl_op_state *state) {
  if (!dl_p_accept_keyword(p, "attributes")) return DL_OK;
  if (!dl_at_punct(p, '{')) return dl_p_error(p, "expected '{' after 'attributes'");
  return add_entries(p, state, false);
}

static void add_terminator(dl_parser *p, dl_region *region, const dl_op_def *terminator) {
  dl_block *last = dl_region_last(region);
  if (!terminator || dl_block_terminator(last)) return;
  dl_op *op = dl_op_create(p->ctx, &(dl_op_state){.def = terminator});
  op->loc = p->op_loc;
  dl_op_append(last, op);
}

dl_status dl_p_region(dl_parser *p, dl_op_state *state, size_t num_args, const dl_unresolved *names,
                      const dl_type *types, const dl_op_def *terminator) {
  dl_region *region = dl_region_create(p->ctx);
  DL_PUSH(&p->state->regions, region);
  dl_sync_state(p, state);
  DL_TRY(dl_parse_region(p, region, num_args, names, types));
  bool wants_block = terminator || (p->def->traits & DL_SINGLE_BLOCK);
  if (dl_region_empty(region) && wants_block) dl_block_append(region, dl_block_create(p->ctx));
  if (!dl_region_empty(region)) add_terminator(p, region, terminator);
  return DL_OK;
}

dl_status dl_p_arg_loc(dl_parser *p, dl_unresolved *argument) {
  return dl_parse_trailing_loc(p, &argument->loc, &argument->alias);
}

void dl_p_add_region(dl_parser *p, dl_op_state *state) {
  DL_PUSH(&p->state->regions, dl_region_create(p->ctx));
  dl_sync_state(p, state);
}

dl_status dl_p_successor(dl_parser *p, dl_op_state *state) {
  dl_block *block;
  DL_TRY(dl_parse_successor(p, &block));
  DL_PUSH(&p->state->successors, block);
  dl_sync_state(p, state);
  return DL_OK;
}

static dl_status parse_signature(dl_parser *p, dl_op_state *state,
                                 const dl_unresolved_list *operands) {
  size_t first = p->type_stack.len;
  DL_TRY(dl_expect_punct(p, ':', "before the operation's type"));
  dl_position at = p->token.text;
  DL_TRY(dl_parse_type_list_parens(p));
  size_t results = p->type_stack.len, count = results - first;
  if (!dl_p_accept(p, "->")) return dl_p_error(p, "expected '->' in the operation's type");
  DL_TRY(dl_parse_result_types(p));
  if (count != operands->len)
    return dl_error(dl_loc_at(p, at), "expected %zu operand types but had %zu", operands->len,
                    count);
  for (size_t i = 0; i < count; i++) {
    dl_value *operand;
    DL_TRY(dl_p_resolve(p, operands->data[i], p->type_stack.data[first + i], &operand));
    DL_PUSH(&p->state->operands, operand);
  }
  for (size_t i = results; i < p->type_stack.len; i++)
    DL_PUSH(&p->state->results, p->type_stack.data[i]);
  dl_sync_state(p, state);
  return DL_OK;
}

dl_status dl_p_signature(dl_parser *p, dl_op_state *state, const dl_unresolved_list *operands) {
  size_t mark = p->type_stack.len;
  dl_status status = parse_signature(p, state, operands);
  p->type_stack.len = mark;
  return status;
}
