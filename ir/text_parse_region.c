// Parsing of regions and blocks.

#include "ir/text_internal.h"

enum { FEW_BLOCKS = 8 };

static dl_block_entry *find_block(dl_region_scope *scope, dl_ident name) {
  if (scope->blocks.len > FEW_BLOCKS) return dl_ptr_map_get(&scope->by_name, name);
  for (size_t i = 0; i < scope->blocks.len; i++)
    if (scope->blocks.data[i]->name == name) return scope->blocks.data[i];
  return NULL;
}

static void add_block(dl_region_scope *scope, dl_block_entry *entry) {
  DL_PUSH(&scope->blocks, entry);
  if (scope->blocks.len <= FEW_BLOCKS) return;
  for (size_t i = scope->by_name.len; i < scope->blocks.len; i++)
    dl_ptr_map_set(&scope->by_name, scope->blocks.data[i]->name, scope->blocks.data[i]);
}

static dl_block_entry *declare_block(dl_parser *p, dl_ident name, dl_position at) {
  dl_block_entry *entry = dl_arena_alloc(p->kept, sizeof *entry);
  *entry = (dl_block_entry){.name = name, .block = dl_block_create(p->ctx), .at = at};
  add_block(p->region, entry);
  return entry;
}

dl_status dl_parse_successor(dl_parser *p, dl_block **block) {
  if (p->token.kind != DL_TOK_CARET) return dl_p_error(p, "expected a block name (^name)");
  if (!p->region) return dl_p_error(p, "there are no blocks to branch to here");
  dl_ident name = dl_parse_intern(p, (dl_str){p->token.text + 1, p->token.len - 1});
  dl_block_entry *entry = find_block(p->region, name);
  if (!entry) entry = declare_block(p, name, p->token.text);
  *block = entry->block;
  dl_advance(p);
  return DL_OK;
}

static dl_status add_arg(dl_parser *p, dl_block *block, const dl_unresolved *name, dl_type type) {
  dl_value *arg = dl_add_arg(block, type, NULL);
  dl_as_arg(arg)->loc = name->loc ? name->loc : dl_lexer_place(&p->lexer, name->position);
  if (name->alias) DL_PUSH(&p->deferred_locs, (dl_deferred_loc){.arg = arg, .where = name->alias});
  return dl_define_values(p, *name, 1, arg);
}

static dl_status parse_block_args(dl_parser *p, dl_block *block) {
  if (!dl_accept_punct(p, '(') || dl_accept_punct(p, ')')) return DL_OK;
  do {
    dl_unresolved name;
    dl_type type;
    DL_TRY(dl_p_value(p, &name));
    DL_TRY(dl_p_expect(p, ":"));
    DL_TRY(dl_parse_type(p, &type));
    DL_TRY(dl_p_arg_loc(p, &name));
    DL_TRY(add_arg(p, block, &name, type));
  } while (dl_accept_punct(p, ','));
  return dl_expect_punct(p, ')', "after block arguments");
}

static dl_status parse_label(dl_parser *p, dl_region *region, dl_block **block) {
  dl_ident name = dl_parse_intern(p, (dl_str){p->token.text + 1, p->token.len - 1});
  dl_position at = p->token.text;
  dl_block_entry *entry = find_block(p->region, name);
  if (entry && entry->defined) {
    dl_p_error(p, "redefinition of block '^%s'", name);
    dl_note(dl_loc_at(p, entry->at), "previously defined here");
    return DL_FAILED;
  }
  if (!entry) entry = declare_block(p, name, at);
  entry->defined = true;
  entry->at = at;
  *block = entry->block;
  dl_block_append(region, *block);
  if (!dl_is_numbered_label(name)) dl_block_set_label(*block, name);
  dl_advance(p);
  DL_TRY(parse_block_args(p, *block));
  return dl_expect_punct(p, ':', "after a block's name");
}

static dl_status parse_ops(dl_parser *p, dl_block *block) {
  while (!dl_at_punct(p, '}') && p->token.kind != DL_TOK_CARET) {
    if (p->token.kind == DL_TOK_EOF) return dl_p_error(p, "expected '}' at the end of a region");
    DL_TRY(dl_parse_op(p, block));
  }
  return DL_OK;
}

static dl_status parse_entry(dl_parser *p, dl_region *region, size_t num_args,
                             const dl_unresolved *names, const dl_type *types) {
  bool labelled = p->token.kind == DL_TOK_CARET;
  if (num_args && labelled)
    return dl_p_error(p, "the entry block's arguments are given by the operation already");
  if (labelled || (num_args == 0 && dl_at_punct(p, '}'))) return DL_OK;
  dl_block *entry = dl_block_create(p->ctx);
  dl_block_append(region, entry);
  for (size_t i = 0; i < num_args; i++) DL_TRY(add_arg(p, entry, &names[i], types[i]));
  return parse_ops(p, entry);
}

static dl_status parse_blocks(dl_parser *p, dl_region *region, size_t num_args,
                              const dl_unresolved *names, const dl_type *types) {
  DL_TRY(dl_expect_punct(p, '{', "to begin a region"));
  DL_TRY(parse_entry(p, region, num_args, names, types));
  while (p->token.kind == DL_TOK_CARET) {
    dl_block *block;
    DL_TRY(parse_label(p, region, &block));
    DL_TRY(parse_ops(p, block));
  }
  return dl_expect_punct(p, '}', "to end a region");
}

// Blocks that were only branched to join the region too, so that they are destroyed with it.
static dl_status close_blocks(dl_parser *p, dl_region_scope *scope, dl_region *region,
                              dl_status status) {
  bool report = status == DL_OK;
  for (size_t i = 0; i < scope->blocks.len; i++) {
    dl_block_entry *entry = scope->blocks.data[i];
    if (entry->defined) continue;
    dl_block_append(region, entry->block);
    if (report)
      status =
          dl_error(dl_loc_at(p, entry->at), "reference to an undefined block '^%s'", entry->name);
  }
  DL_VEC_FREE(&scope->blocks);
  dl_ptr_map_free(&scope->by_name);
  return status;
}

static dl_status parse_in_scope(dl_parser *p, dl_region *region, size_t num_args,
                                const dl_unresolved *names, const dl_type *types) {
  dl_region_scope scope = {.parent = p->region};
  size_t mark = dl_mark_names(p);
  p->region = &scope;
  dl_status status = parse_blocks(p, region, num_args, names, types);
  p->region = scope.parent;
  dl_forget_names(p, mark);
  return close_blocks(p, &scope, region, status);
}

dl_status dl_parse_region(dl_parser *p, dl_region *region, size_t num_args,
                          const dl_unresolved *names, const dl_type *types) {
  DL_TRY(dl_enter(p));
  dl_ssa_scope scope;
  bool isolated = p->def->traits & DL_ISOLATED;
  if (isolated) dl_push_ssa_scope(p, &scope);
  DL_PUSH(&p->enclosing, p->def);
  dl_status status = parse_in_scope(p, region, num_args, names, types);
  p->enclosing.len--;
  if (status != DL_OK) p->failed = true;
  if (isolated && dl_pop_ssa_scope(p) != DL_OK) status = DL_FAILED;
  dl_leave(p);
  return status;
}
