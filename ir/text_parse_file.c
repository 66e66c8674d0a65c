// Parsing of whole files: aliases, top-level operations, the implicit module around them.

#include <errno.h>
#include <stdio.h>

#include "ir/binary.h"
#include "ir/text_internal.h"

static bool at_alias_definition(dl_parser *p) {
  if (p->token.kind != DL_TOK_HASH && p->token.kind != DL_TOK_BANG) return false;
  return !memchr(p->token.text, '.', p->token.len);
}

static bool is_defined(dl_parser *p, bool is_type, dl_str name) {
  return is_type ? dl_ptr_map_has(&p->type_aliases, dl_intern(p->ctx, name))
                 : dl_find_attr_alias(p, name) != NULL;
}

static dl_status parse_alias_value(dl_parser *p, bool is_type, dl_str name) {
  if (is_type) {
    dl_type type;
    DL_TRY(dl_parse_type(p, &type));
    dl_ptr_map_set(&p->type_aliases, dl_intern(p->ctx, name), (void *)type);
    return DL_OK;
  }
  if (dl_at_keyword(p, "loc")) return dl_parse_loc_alias(p, name);
  dl_attr attr;
  DL_TRY(dl_parse_attr(p, NULL, &attr));
  dl_set_attr_alias(p, name, attr);
  return DL_OK;
}

static dl_status parse_alias(dl_parser *p) {
  bool is_type = p->token.kind == DL_TOK_BANG;
  dl_str name = {p->token.text + 1, p->token.len - 1};
  if (is_defined(p, is_type, name))
    return dl_p_error(p, "redefinition of alias '%c%.*s'", *p->token.text, (int)name.len,
                      name.data);
  dl_advance(p);
  DL_TRY(dl_expect_punct(p, '=', "after an alias"));
  return parse_alias_value(p, is_type, name);
}

// The name of the alias in loc(#name), at its #.
static dl_str alias_at(const dl_parser *p, dl_position at) {
  const char *end = at + 1;
  while (end < p->lexer.end && dl_is_suffix_char(*end)) end++;
  return (dl_str){at + 1, (size_t)(end - at - 1)};
}

static dl_status resolve_deferred_locs(dl_parser *p) {
  for (size_t i = 0; i < p->deferred_locs.len; i++) {
    const dl_deferred_loc *d = &p->deferred_locs.data[i];
    dl_str name = alias_at(p, d->where);
    dl_place place;
    if (!dl_find_loc_alias(p, name, &place)) {
      bool known = dl_ptr_map_has(&p->attr_aliases, dl_intern(p->ctx, name));
      const char *format = known ? "'#%.*s' is no location" : "undefined location alias '#%.*s'";
      return dl_error(dl_loc_at(p, d->where), format, (int)name.len, name.data);
    }
    *(d->op ? &d->op->loc : &dl_as_arg(d->arg)->loc) = place;
  }
  return DL_OK;
}

static dl_status parse_top_level(dl_parser *p, dl_block *block) {
  while (p->token.kind != DL_TOK_EOF) {
    if (at_alias_definition(p))
      DL_TRY(parse_alias(p));
    else if (dl_p_peek(p, "{-#"))
      DL_TRY(dl_parse_resource_sections(p));
    else
      DL_TRY(dl_parse_op(p, block));
  }
  return resolve_deferred_locs(p);
}

dl_op *dl_create_module(dl_context *ctx, dl_loc loc, dl_block **block) {
  const dl_op_def *def = dl_find_op_def(ctx, DL_STR(DL_TOP_LEVEL_OP));
  if (!def) def = dl_unregistered_op_def(ctx, DL_STR(DL_TOP_LEVEL_OP));
  dl_region *region = dl_region_create(ctx);
  *block = dl_block_create(ctx);
  dl_block_append(region, *block);
  dl_op_state state = {.def = def, .loc = loc, .num_regions = 1, .regions = &region};
  return dl_op_create(ctx, &state);
}

// A file whose only operation is a module is that module.
static dl_op *unwrap(dl_op *wrapper, dl_block *block) {
  dl_op *only = dl_block_first(block);
  if (!only || dl_op_next(only) || strcmp(dl_op_name(only), DL_TOP_LEVEL_OP) != 0) return wrapper;
  dl_op_unlink(only);
  dl_op_destroy_tree(wrapper);
  return only;
}

// What the top level holds, which must be one operation.
static dl_op *take_only(dl_op *wrapper, dl_block *block, dl_loc loc) {
  dl_op *only = dl_block_first(block);
  bool one = only && !dl_op_next(only);
  if (one)
    dl_op_unlink(only);
  else
    dl_error(only ? dl_op_loc(dl_op_next(only)) : loc,
             "exactly one top-level operation is expected");
  dl_op_destroy_tree(wrapper);
  return one ? only : NULL;
}

static dl_op *parse_file(dl_parser *p, bool implicit_module) {
  dl_block *block;
  dl_loc loc = dl_p_loc(p);
  dl_op *module = dl_create_module(p->ctx, loc, &block);
  dl_ssa_scope scope;
  dl_push_ssa_scope(p, &scope);
  dl_status status = parse_top_level(p, block);
  if (status != DL_OK) p->failed = true;
  if (dl_pop_ssa_scope(p) != DL_OK) status = DL_FAILED;
  if (status == DL_OK)
    return implicit_module ? unwrap(module, block) : take_only(module, block, loc);
  dl_op_destroy_tree(module);
  for (size_t i = 0; i < p->orphans.len; i++) dl_op_destroy_tree(p->orphans.data[i]);
  return NULL;
}

static dl_op *parse_text(dl_context *ctx, dl_str text, const char *path, bool implicit_module) {
  const dl_read_options options = {.no_implicit_module = !implicit_module};
  if (dl_is_binary(text)) return dl_read_binary(ctx, text, path, &options);
  dl_parser p;
  dl_parser_init(&p, ctx, text, dl_intern_z(ctx, path));
  dl_op *op = parse_file(&p, implicit_module);
  dl_free_arrays(&p);
  DL_VEC_FREE(&p.orphans);
  dl_parser_finish(&p);
  return op;
}

dl_op *dl_parse_module(dl_context *ctx, dl_str text, const char *path) {
  return parse_text(ctx, text, path, true);
}

dl_op *dl_parse_single_op(dl_context *ctx, dl_str text, const char *path) {
  return parse_text(ctx, text, path, false);
}

// --- files ---

static bool read_stream(FILE *file, dl_buffer *text) {
  char chunk[1 << 16];
  size_t count;
  while ((count = fread(chunk, 1, sizeof chunk, file)) > 0) dl_buffer_append(text, chunk, count);
  return !ferror(file);
}

static dl_status read_file(dl_context *ctx, const char *path, dl_buffer *text) {
  bool standard = strcmp(path, "-") == 0;
  FILE *file = standard ? stdin : fopen(path, "rb");
  dl_loc loc = dl_loc_file(ctx, dl_intern_z(ctx, path), 0, 0);
  if (!file) return dl_error(loc, "cannot open the file: %s", strerror(errno));
  bool ok = read_stream(file, text);
  int error = errno;
  if (!standard) fclose(file);
  return ok ? DL_OK : dl_error(loc, "cannot read the file: %s", strerror(error));
}

dl_op *dl_parse_file(dl_context *ctx, const char *path) {
  if (dl_is_binary_file(path)) return dl_read_binary_file(ctx, path, NULL);
  dl_buffer text = {0};
  dl_op *module = NULL;
  if (read_file(ctx, path, &text) == DL_OK) {
    // Diagnostics of later passes show source lines too: the text stays as long as the context.
    char *kept = dl_context_alloc(ctx, text.len + 1);
    if (text.len) memcpy(kept, text.data, text.len);
    dl_str source = {kept, text.len};
    dl_add_source(ctx, dl_intern_z(ctx, path), source);
    module = dl_parse_module(ctx, source, path);
  }
  dl_buffer_free(&text);
  return module;
}
