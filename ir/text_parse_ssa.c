// SSA names while parsing: scopes, forward references, resolution.
//
// A name used before its definition stands for placeholder values: results of detached ops,
// replaced when the definition comes.

#include "ir/text_internal.h"

void dl_push_ssa_scope(dl_parser *p, dl_ssa_scope *scope) {
  *scope = (dl_ssa_scope){.parent = p->scope};
  p->scope = scope;
}

static dl_status report_undefined(dl_parser *p, const dl_ssa_scope *scope) {
  dl_status status = DL_OK;
  for (size_t i = 0; i < scope->entries.len; i++) {
    const dl_ssa_entry *entry = scope->entries.data[i];
    if (entry && !entry->defined)
      status =
          dl_error(dl_loc_at(p, entry->at), "use of undeclared SSA value name '%%%s'", entry->name);
  }
  return status;
}

// Placeholders of names that stay undefined live until the text that uses them is destroyed.
dl_status dl_pop_ssa_scope(dl_parser *p) {
  dl_ssa_scope *scope = p->scope;
  dl_status status = p->failed ? DL_FAILED : report_undefined(p, scope);
  for (size_t i = 0; i < scope->entries.len; i++) {
    dl_ssa_entry *entry = scope->entries.data[i];
    if (!entry || entry->defined) continue;
    for (size_t k = 0; k < entry->count; k++)
      if (entry->values[k]) DL_PUSH(&p->orphans, dl_value_def(entry->values[k]));
  }
  p->scope = scope->parent;
  DL_VEC_FREE(&scope->entries);
  dl_ptr_map_free(&scope->by_name);
  return status;
}

size_t dl_mark_names(const dl_parser *p) { return p->scope->entries.len; }

void dl_forget_names(dl_parser *p, size_t mark) {
  dl_ssa_scope *scope = p->scope;
  size_t kept = mark;
  for (size_t i = mark; i < scope->entries.len; i++) {
    dl_ssa_entry *entry = scope->entries.data[i];
    if (!entry) continue;
    if (entry->defined) {
      dl_ptr_map_remove(&scope->by_name, entry->name);
    } else {
      entry->position = kept;
      scope->entries.data[kept++] = entry;
    }
  }
  scope->entries.len = kept;
}

static dl_ssa_entry *new_entry(dl_parser *p, const dl_unresolved *value) {
  dl_ssa_entry *entry = dl_arena_alloc(p->arena, sizeof *entry);
  *entry =
      (dl_ssa_entry){.name = value->name, .at = value->position, .position = p->scope->entries.len};
  dl_ptr_map_set(&p->scope->by_name, value->name, entry);
  DL_PUSH(&p->scope->entries, entry);
  return entry;
}

// A forward reference that an inner region made belongs to the region that defines it: it becomes
// the newest.
static void move_to_end(dl_ssa_scope *scope, dl_ssa_entry *entry) {
  scope->entries.data[entry->position] = NULL;
  entry->position = scope->entries.len;
  DL_PUSH(&scope->entries, entry);
}

static dl_status replace_placeholder(dl_parser *p, dl_ssa_entry *entry, dl_position at, size_t i,
                                     dl_value *value) {
  dl_value *placeholder = entry->values[i];
  if (dl_value_type(placeholder) != dl_value_type(value)) {
    dl_buffer text = {0};
    dl_print_type(&text, dl_value_type(value));
    dl_error(dl_loc_at(p, at), "definition of SSA value '%%%s#%zu' has type %s", entry->name, i,
             text.data);
    text.len = 0;
    dl_print_type(&text, dl_value_type(placeholder));
    dl_note(dl_loc_at(p, entry->at), "previously used here with type %s", text.data);
    dl_buffer_free(&text);
    return DL_FAILED;
  }
  dl_op *op = dl_value_def(placeholder);
  dl_replace_all_uses(placeholder, value);
  dl_op_destroy_tree(op);
  entry->values[i] = NULL;
  return DL_OK;
}

static dl_status define_forward(dl_parser *p, dl_ssa_entry *entry, dl_position at, size_t count,
                                dl_value *const *values) {
  for (size_t i = 0; i < entry->count; i++) {
    if (!entry->values[i]) continue;
    if (i >= count) {
      dl_error(dl_loc_at(p, at), "'%%%s' has %zu values", entry->name, count);
      dl_note(dl_loc_at(p, entry->at), "value number %zu is used here", i);
      return DL_FAILED;
    }
    DL_TRY(replace_placeholder(p, entry, at, i, values[i]));
  }
  entry->at = at;
  move_to_end(p->scope, entry);
  return DL_OK;
}

dl_status dl_define_values(dl_parser *p, dl_unresolved name, size_t count,
                           dl_value *const *values) {
  dl_ssa_entry *entry = dl_ptr_map_get(&p->scope->by_name, name.name);
  if (entry && entry->defined) {
    dl_error(dl_p_loc_of(p, name), "redefinition of SSA value '%%%s'", name.name);
    dl_note(dl_loc_at(p, entry->at), "previously defined here");
    return DL_FAILED;
  }
  if (entry)
    DL_TRY(define_forward(p, entry, name.position, count, values));
  else
    entry = new_entry(p, &name);
  entry->defined = true;
  entry->count = count;
  entry->values = dl_arena_alloc(p->arena, count * sizeof *entry->values + 1);
  for (size_t i = 0; i < count; i++) entry->values[i] = values[i];
  if (name.name[0] < '0' || name.name[0] > '9') dl_value_set_name(values[0], name.name);
  return DL_OK;
}

static dl_value *make_placeholder(dl_parser *p, dl_loc loc, dl_type type) {
  const dl_op_def *def = dl_unregistered_op_def(p->ctx, DL_STR("builtin.forward_reference"));
  dl_op *op = dl_op_create(
      p->ctx, &(dl_op_state){.def = def, .loc = loc, .num_results = 1, .result_types = &type});
  return dl_result(op, 0);
}

// More results than this are taken for a typing error.
enum { MAX_RESULT_NUMBER = 1 << 20 };

static dl_status forward_value(dl_parser *p, dl_ssa_entry *entry, dl_unresolved value, dl_type type,
                               dl_value **out) {
  if (value.number > MAX_RESULT_NUMBER)
    return dl_error(dl_p_loc_of(p, value), "result number is too large");
  if (value.number >= entry->count) {
    dl_value **grown = dl_arena_alloc(p->arena, (value.number + 1) * sizeof *grown);
    if (entry->count) memcpy(grown, entry->values, entry->count * sizeof *grown);
    entry->values = grown;
    entry->count = value.number + 1;
  }
  if (!entry->values[value.number])
    entry->values[value.number] = make_placeholder(p, dl_p_loc_of(p, value), type);
  *out = entry->values[value.number];
  return DL_OK;
}

dl_status dl_p_resolve(dl_parser *p, dl_unresolved value, dl_type type, dl_value **out) {
  dl_ssa_entry *entry = dl_ptr_map_get(&p->scope->by_name, value.name);
  if (!entry) entry = new_entry(p, &value);
  if (!entry->defined) {
    DL_TRY(forward_value(p, entry, value, type, out));
  } else if (value.number >= entry->count) {
    dl_error(dl_p_loc_of(p, value), "reference to invalid result number %zu of '%%%s'",
             value.number, value.name);
    dl_note(dl_loc_at(p, entry->at), "'%%%s' has %zu values", value.name, entry->count);
    return DL_FAILED;
  } else {
    *out = entry->values[value.number];
  }
  if (dl_value_type(*out) == type) return DL_OK;
  dl_buffer want = {0}, have = {0};
  dl_print_type(&want, type);
  dl_print_type(&have, dl_value_type(*out));
  dl_error(dl_p_loc_of(p, value),
           "use of value '%%%s' expects different type than prior uses: '%s' vs '%s'", value.name,
           want.data, have.data);
  dl_note(dl_loc_at(p, entry->at), "prior use here");
  dl_buffer_free(&want);
  dl_buffer_free(&have);
  return DL_FAILED;
}

dl_status dl_p_value(dl_parser *p, dl_unresolved *value) {
  if (p->token.kind != DL_TOK_PERCENT) return dl_p_error(p, "expected an SSA value (%%name)");
  dl_str name = {p->token.text + 1, p->token.len - 1};
  *value = (dl_unresolved){.position = dl_position_of(p), .name = dl_intern(p->ctx, name)};
  dl_advance(p);
  if (p->token.kind != DL_TOK_HASH) return DL_OK;
  uint64_t number = 0;
  for (size_t i = 1; i < p->token.len; i++) {
    char c = p->token.text[i];
    if (c < '0' || c > '9' || number > MAX_RESULT_NUMBER)
      return dl_p_error(p, "expected a result number after '#'");
    number = 10 * number + (uint64_t)(c - '0');
  }
  value->number = number;
  dl_advance(p);
  return DL_OK;
}

bool dl_p_peek_value(dl_parser *p) { return p->token.kind == DL_TOK_PERCENT; }

dl_status dl_p_value_list(dl_parser *p, dl_unresolved_list *values) {
  if (!dl_p_peek_value(p)) return DL_OK;
  do {
    dl_unresolved value;
    DL_TRY(dl_p_value(p, &value));
    DL_PUSH(values, value);
  } while (dl_accept_punct(p, ','));
  return DL_OK;
}
