// Parsing of operations: the generic form, quoted or not, and the dispatch to pretty forms.

#include "ir/suggest.h"
#include "ir/text_internal.h"

// --- states ---

static dl_op_arrays *take_arrays(dl_parser *p) {
  if (p->pool_used == p->pool.len) {
    dl_op_arrays *fresh = dl_calloc(1, sizeof *fresh);
    DL_PUSH(&p->pool, fresh);
  }
  dl_op_arrays *a = p->pool.data[p->pool_used++];
  a->operands.len = a->results.len = a->attrs.len = a->inherent.len = a->regions.len = 0;
  a->successors.len = a->unresolved.len = a->result_names.len = 0;
  a->passed.len = 0;
  return a;
}

void dl_free_arrays(dl_parser *p) {
  for (size_t i = 0; i < p->pool.len; i++) {
    dl_op_arrays *a = p->pool.data[i];
    for (size_t k = 0; k < a->groups.len; k++) {
      DL_VEC_FREE(&a->groups.data[k].values);
      DL_VEC_FREE(&a->groups.data[k].types);
    }
    DL_VEC_FREE(&a->groups);
    DL_VEC_FREE(&a->operands);
    DL_VEC_FREE(&a->results);
    DL_VEC_FREE(&a->attrs);
    DL_VEC_FREE(&a->inherent);
    DL_VEC_FREE(&a->regions);
    DL_VEC_FREE(&a->successors);
    DL_VEC_FREE(&a->passed);
    DL_VEC_FREE(&a->unresolved);
    DL_VEC_FREE(&a->result_names);
    free(a);
  }
  DL_VEC_FREE(&p->pool);
}

void dl_sync_state(dl_parser *p, dl_op_state *state) {
  const dl_op_arrays *a = p->state;
  state->num_operands = a->operands.len;
  state->operands = a->operands.data;
  state->num_results = a->results.len;
  state->result_types = a->results.data;
  state->num_attrs = a->attrs.len;
  state->attrs = a->attrs.data;
  state->num_inherent = a->inherent.len;
  state->inherent = a->inherent.data;
  state->num_regions = a->regions.len;
  state->regions = a->regions.len ? a->regions.data : NULL;
  state->num_successors = a->successors.len;
  state->successors = a->successors.data;
}

// --- names ---

static const dl_op_def *find_in_dialect_of(dl_parser *p, const char *neighbour, dl_str name) {
  char full[256];
  const char *dot = strchr(neighbour, '.');
  if (!dot || (size_t)(dot - neighbour) + name.len + 2 > sizeof full) return NULL;
  size_t prefix = (size_t)(dot - neighbour) + 1;
  memcpy(full, neighbour, prefix);
  memcpy(full + prefix, name.data, name.len);
  return dl_find_op_def(p->ctx, (dl_str){full, prefix + name.len});
}

// A name without dialect is looked up in the dialects of the ops around, innermost first.
static const dl_op_def *find_def(dl_parser *p, dl_str name) {
  if (memchr(name.data, '.', name.len)) return dl_find_op_def(p->ctx, name);
  for (size_t i = p->enclosing.len; i-- > 0;) {
    const dl_op_def *def = find_in_dialect_of(p, p->enclosing.data[i]->name, name);
    if (def) return def;
  }
  return find_in_dialect_of(p, DL_TOP_LEVEL_OP, name);
}

static const char *similar_op(dl_str name, const dl_dialect_def *dialect) {
  dl_suggestion suggestion = dl_suggest(name);
  for (size_t i = 0; i < dialect->num_ops; i++)
    dl_suggest_offer(&suggestion, dialect->ops[i]->name);
  return suggestion.best;
}

static dl_status unknown_op(dl_parser *p, dl_str name) {
  int len = (int)name.len;
  const char *dot = memchr(name.data, '.', name.len);
  if (!dot)
    return dl_p_error(p, "unknown operation '%.*s' (no dialect before a '.')", len, name.data);
  size_t prefix = (size_t)(dot - name.data);
  const dl_dialect_def *dialect = dl_find_dialect(p->ctx, (dl_str){name.data, prefix});
  if (!dialect)
    return dl_p_error(p,
                      "operation '%.*s' is of an unknown dialect (unregistered operations are "
                      "not allowed here)",
                      len, name.data);
  const char *similar = similar_op(name, dialect);
  return dl_p_error(p, "dialect '%s' has no operation '%.*s'%s%s%s", dialect->name,
                    (int)(name.len - prefix - 1), dot + 1, similar ? "; did you mean '" : "",
                    similar ? similar : "", similar ? "'?" : "");
}

static dl_status find_or_make(dl_parser *p, dl_str name, bool quoted, const dl_op_info **info) {
  const dl_op_def *def = quoted ? dl_find_op_def(p->ctx, name) : find_def(p, name);
  if (!def) {
    bool has_dialect = memchr(name.data, '.', name.len) != NULL;
    if (!dl_allows_unregistered(p->ctx) || !(has_dialect || quoted)) return unknown_op(p, name);
    def = dl_unregistered_op_def(p->ctx, name);
  }
  *info = dl_op_info_of(p->ctx, def);
  return DL_OK;
}

// What a name with a dialect stands for does not depend on where it is.
static dl_status find_info(dl_parser *p, dl_str name, bool quoted, const dl_op_info **info) {
  if (name.len > DL_MAX_CACHED || !memchr(name.data, '.', name.len))
    return find_or_make(p, name, quoted, info);
  dl_text_key key = dl_text_key_of(name);
  *info = dl_text_cache_get(p->infos, key);
  if (*info) return DL_OK;
  DL_TRY(find_or_make(p, name, quoted, info));
  dl_text_cache_set(&p->infos, key, *info);
  return DL_OK;
}

static dl_status parse_op_name(dl_parser *p, bool *quoted) {
  *quoted = p->token.kind == DL_TOK_STRING;
  if (!*quoted && p->token.kind != DL_TOK_IDENT) return dl_p_error(p, "expected an operation");
  dl_str name = dl_token_str(p);
  if (*quoted) name = dl_unescape(p->arena, (dl_str){name.data + 1, name.len - 2});
  if (name.len == 0 || memchr(name.data, 0, name.len))
    return dl_p_error(p, "invalid operation name");
  DL_TRY(find_info(p, name, *quoted, &p->info));
  p->def = p->info->def;
  dl_advance(p);
  return DL_OK;
}

// --- the generic form ---

static dl_status parse_operand_names(dl_parser *p) {
  DL_TRY(dl_expect_punct(p, '(', "before operands"));
  DL_TRY(dl_p_value_list(p, &p->state->unresolved));
  return dl_expect_punct(p, ')', "after operands");
}

// `(%a : i32, …)` behind a successor: operands after those in front, with types of their own.
static dl_status parse_successor_operands(dl_parser *p) {
  if (!dl_accept_punct(p, '(')) return DL_OK;
  do {
    dl_unresolved name;
    dl_type type;
    dl_value *value;
    DL_TRY(dl_p_value(p, &name));
    DL_TRY(dl_p_expect(p, ":"));
    DL_TRY(dl_parse_type(p, &type));
    DL_TRY(dl_p_resolve(p, name, type, &value));
    DL_PUSH(&p->state->passed, value);
  } while (dl_accept_punct(p, ','));
  return dl_expect_punct(p, ')', "after what a successor is passed");
}

static dl_status parse_successors(dl_parser *p) {
  if (!dl_accept_punct(p, '[')) return DL_OK;
  do {
    dl_block *block;
    DL_TRY(dl_parse_successor(p, &block));
    DL_PUSH(&p->state->successors, block);
    DL_TRY(parse_successor_operands(p));
  } while (dl_accept_punct(p, ','));
  return dl_expect_punct(p, ']', "after successors");
}

static dl_status parse_generic_regions(dl_parser *p) {
  if (!dl_accept_punct(p, '(')) return DL_OK;
  do {
    dl_region *region = dl_region_create(p->ctx);
    DL_PUSH(&p->state->regions, region);
    DL_TRY(dl_parse_region(p, region, 0, NULL, NULL));
  } while (dl_accept_punct(p, ','));
  return dl_expect_punct(p, ')', "after regions");
}

static dl_status parse_generic(dl_parser *p, dl_op_state *state) {
  DL_TRY(parse_operand_names(p));
  DL_TRY(parse_successors(p));
  DL_TRY(dl_p_properties(p, state));
  DL_TRY(parse_generic_regions(p));
  DL_TRY(dl_p_attr_dict(p, state));
  DL_TRY(dl_p_signature(p, state, &p->state->unresolved));
  for (size_t i = 0; i < p->state->passed.len; i++)
    DL_PUSH(&p->state->operands, p->state->passed.data[i]);
  if (p->state->passed.len) dl_sync_state(p, state);
  return DL_OK;
}

// --- a whole operation ---

static dl_status parse_result_name(dl_parser *p, dl_result_name *result) {
  if (p->token.kind != DL_TOK_PERCENT) return dl_p_error(p, "expected an SSA value (%%name)");
  result->name =
      (dl_unresolved){.position = p->token.text, .name = {p->token.text + 1, p->token.len - 1}};
  result->count = 1;
  dl_advance(p);
  if (!dl_accept_punct(p, ':')) return DL_OK;
  uint64_t count;
  dl_checkpoint start = dl_save(p);
  DL_TRY(dl_parse_unsigned(p, &count));
  if (count == 0 || count > UINT32_MAX) {
    dl_restore(p, start);
    return dl_p_error(p, "expected a number of results of at least 1");
  }
  result->count = count;
  return DL_OK;
}

static dl_status parse_result_names(dl_parser *p) {
  if (p->token.kind != DL_TOK_PERCENT) return DL_OK;
  do {
    dl_result_name result;
    DL_TRY(parse_result_name(p, &result));
    DL_PUSH(&p->state->result_names, result);
  } while (dl_accept_punct(p, ','));
  return dl_expect_punct(p, '=', "after the results' names");
}

static dl_status define_results(dl_parser *p, dl_op *op) {
  const dl_op_arrays *a = p->state;
  size_t total = 0, next = 0, num_results = dl_num_results(op);
  for (size_t i = 0; i < a->result_names.len; i++) total += a->result_names.data[i].count;
  if (a->result_names.len && total != num_results)
    return dl_error(dl_p_loc_of(p, a->result_names.data[0].name),
                    "operation defines %zu results but %zu are named", num_results, total);
  for (size_t i = 0; i < a->result_names.len; i++) {
    const dl_result_name *group = &a->result_names.data[i];
    DL_TRY(dl_define_values(p, group->name, group->count, &op->results[next]));
    next += group->count;
  }
  return DL_OK;
}

static dl_status parse_form(dl_parser *p, bool quoted, dl_op_state *state) {
  if (!quoted && p->def->parse) return p->def->parse(p, state);
  if (!quoted && p->def->format) return dl_parse_op_format(p, state, p->def);
  return parse_generic(p, state);
}

// Results that the text gives no type to get theirs from the definition's hook.
static dl_status infer_results(dl_parser *p, dl_op *op) {
  if (!p->infer_results) return DL_OK;
  p->infer_results = false;
  const dl_op_def *def = dl_op_def_of(op);
  if (!def->infer) return dl_error(dl_op_loc(op), "the type of the results is not given");
  size_t count = dl_num_results(op);
  dl_type *types = dl_arena_alloc(p->arena, count * sizeof *types);
  DL_TRY(def->infer(op, types));
  for (size_t i = 0; i < count; i++) dl_value_set_type(dl_result(op, i), types[i]);
  return DL_OK;
}

// The counts that an op can hold; more than these are no sensible input.
static dl_status check_limits(dl_parser *p, const dl_op_arrays *a) {
  if (a->attrs.len + a->inherent.len <= DL_MAX_OP_ATTRS && a->regions.len <= DL_MAX_REGIONS &&
      a->successors.len <= DL_MAX_SUCCESSORS && a->operands.len <= DL_MAX_VALUES &&
      a->results.len <= DL_MAX_VALUES)
    return DL_OK;
  return dl_error(dl_place_loc(p->ctx, p->op_loc),
                  "too many attributes, regions, successors or values");
}

static dl_status build(dl_parser *p, dl_op_state *state, dl_block *block) {
  dl_position deferred;
  dl_place place = p->op_loc;
  DL_TRY(dl_parse_trailing_loc(p, &place, &deferred));
  DL_TRY(check_limits(p, p->state));
  dl_sync_state(p, state);
  dl_op *op = dl_op_create_bare(p->info, place, state);
  dl_op_init_attrs(op, state);
  p->state->regions.len = 0;
  dl_op_append(block, op);
  if (deferred) DL_PUSH(&p->deferred_locs, (dl_deferred_loc){.op = op, .where = deferred});
  DL_TRY(infer_results(p, op));
  return define_results(p, op);
}

static dl_status parse_with_state(dl_parser *p, dl_block *block) {
  bool quoted;
  DL_TRY(parse_result_names(p));
  p->op_loc = dl_lexer_place(&p->lexer, p->token.text);
  DL_TRY(parse_op_name(p, &quoted));
  dl_op_state state = {.def = p->def};
  DL_TRY(parse_form(p, quoted, &state));
  return build(p, &state, block);
}

dl_status dl_parse_op(dl_parser *p, dl_block *block) {
  dl_op_arrays *outer = p->state;
  const dl_op_info *outer_info = p->info;
  dl_place outer_loc = p->op_loc;
  dl_arena_mark mark = dl_arena_here(p->arena);
  p->state = take_arrays(p);
  if (p->lexer.drop_at && p->lexer.cursor >= p->lexer.drop_at) dl_lexer_drop(&p->lexer);
  dl_status status = parse_with_state(p, block);
  for (size_t i = 0; i < p->state->regions.len; i++) dl_region_destroy(p->state->regions.data[i]);
  dl_arena_reset(p->arena, mark);
  p->pool_used--;
  p->state = outer;
  p->info = outer_info;
  p->def = outer_info ? outer_info->def : NULL;
  p->op_loc = outer_loc;
  if (status != DL_OK) p->failed = true;
  return status;
}
