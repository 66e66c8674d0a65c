// The parser's basics: tokens, punctuation, names, numbers, and the hooks that expose them to
// dialects.

#include <inttypes.h>

#include "ir/text_internal.h"

void dl_parser_init(dl_parser *p, dl_context *ctx, dl_str text, dl_ident path) {
  *p = (dl_parser){.ctx = ctx, .arena = dl_arena_create(), .kept = dl_arena_create(), .path = path};
  dl_lexer_init(&p->lexer, ctx, text, path);
  dl_advance(p);
}

void dl_parser_finish(dl_parser *p) {
  dl_arena_destroy(p->arena);
  dl_arena_destroy(p->kept);
  free(p->types);
  free(p->attrs);
  free(p->infos);
  free(p->names);
  DL_VEC_FREE(&p->type_stack);
  DL_VEC_FREE(&p->entry_stack);
  DL_VEC_FREE(&p->loc_aliases);
  dl_ptr_map_free(&p->attr_aliases);
  dl_ptr_map_free(&p->type_aliases);
  dl_ptr_map_free(&p->formats);
  DL_VEC_FREE(&p->enclosing);
  DL_VEC_FREE(&p->deferred_locs);
}

void dl_advance(dl_parser *p) { dl_lex(&p->lexer, &p->token); }

dl_checkpoint dl_save(const dl_parser *p) { return (dl_checkpoint){p->token, p->lexer, p->depth}; }

void dl_restore(dl_parser *p, dl_checkpoint checkpoint) {
  unsigned quiet = p->lexer.quiet;
  p->token = checkpoint.token;
  p->lexer = checkpoint.lexer;
  p->lexer.quiet = quiet;
  p->depth = checkpoint.depth;
}

void dl_relex_from(dl_parser *p, const char *at) {
  p->lexer.cursor = at;
  p->lexer.line = p->token.line;
  p->lexer.line_start = p->token.line_start;
  dl_advance(p);
}

dl_context *dl_p_context(dl_parser *p) { return p->ctx; }

dl_loc dl_p_loc(dl_parser *p) {
  return dl_lexer_loc(&p->lexer, p->token.line, p->token.line_start, p->token.text);
}

dl_position dl_position_of(const dl_parser *p) { return p->token.text; }

dl_loc dl_loc_at(dl_parser *p, dl_position position) {
  return dl_place_loc(p->ctx, dl_lexer_place(&p->lexer, position));
}

dl_position dl_p_here(dl_parser *p) { return p->token.text; }
dl_loc dl_p_loc_at(dl_parser *p, dl_position position) { return dl_loc_at(p, position); }
dl_loc dl_p_loc_of(dl_parser *p, dl_unresolved value) { return dl_loc_at(p, value.position); }

dl_status dl_p_error(dl_parser *p, const char *format, ...) {
  if (p->token.kind == DL_TOK_ERROR || p->lexer.quiet) return DL_FAILED;
  dl_buffer message = {0};
  va_list args;
  va_start(args, format);
  dl_buffer_vprintf(&message, format, args);
  va_end(args);
  dl_status status = dl_error(dl_p_loc(p), "%s", message.data ? message.data : "");
  dl_buffer_free(&message);
  return status;
}

dl_status dl_enter(dl_parser *p) {
  if (++p->depth <= DL_MAX_NESTING) return DL_OK;
  return dl_p_error(p, "nested too deeply (more than %d levels)", DL_MAX_NESTING);
}

void dl_leave(dl_parser *p) { p->depth--; }

dl_str dl_token_str(const dl_parser *p) { return (dl_str){p->token.text, p->token.len}; }

bool dl_accept_punct(dl_parser *p, char c) {
  if (!dl_at_punct(p, c)) return false;
  dl_advance(p);
  return true;
}

dl_status dl_expect_punct(dl_parser *p, char c, const char *where) {
  if (dl_accept_punct(p, c)) return DL_OK;
  return dl_p_error(p, "expected '%c' %s", c, where);
}

bool dl_at_keyword(const dl_parser *p, const char *keyword) {
  size_t len = strlen(keyword);
  return p->token.kind == DL_TOK_IDENT && p->token.len == len &&
         memcmp(p->token.text, keyword, len) == 0;
}

bool dl_p_peek(dl_parser *p, const char *punctuation) {
  size_t len = strlen(punctuation);
  if (p->token.kind != DL_TOK_PUNCT || p->token.len > len) return false;
  if ((size_t)(p->lexer.end - p->token.text) < len) return false;
  return memcmp(p->token.text, punctuation, len) == 0;
}

bool dl_p_accept(dl_parser *p, const char *punctuation) {
  if (!dl_p_peek(p, punctuation)) return false;
  size_t len = strlen(punctuation);
  if (p->token.len == len)
    dl_advance(p);
  else
    dl_relex_from(p, p->token.text + len);
  return true;
}

dl_status dl_p_expect(dl_parser *p, const char *punctuation) {
  if (dl_p_accept(p, punctuation)) return DL_OK;
  return dl_p_error(p, "expected '%s'", punctuation);
}

bool dl_p_accept_keyword(dl_parser *p, const char *keyword) {
  if (!dl_at_keyword(p, keyword)) return false;
  dl_advance(p);
  return true;
}

dl_status dl_p_expect_keyword(dl_parser *p, const char *keyword) {
  if (dl_p_accept_keyword(p, keyword)) return DL_OK;
  return dl_p_error(p, "expected '%s'", keyword);
}

dl_status dl_p_keyword(dl_parser *p, dl_ident *keyword) {
  if (p->token.kind != DL_TOK_IDENT) return dl_p_error(p, "expected an identifier");
  *keyword = dl_parse_intern(p, dl_token_str(p));
  dl_advance(p);
  return DL_OK;
}

dl_ident dl_parse_intern(dl_parser *p, dl_str text) {
  if (text.len > DL_MAX_CACHED) return dl_intern(p->ctx, text);
  dl_text_key key = dl_text_key_of(text);
  const void *known = dl_text_cache_get(p->names, key);
  if (known) return known;
  dl_ident name = dl_intern(p->ctx, text);
  dl_text_cache_set(&p->names, key, name);
  return name;
}

dl_status dl_parse_unsigned(dl_parser *p, uint64_t *value) {
  if (p->token.kind != DL_TOK_INTEGER) return dl_p_error(p, "expected an integer");
  bool hex = p->token.len > 2 && p->token.text[1] == 'x';
  uint64_t result = 0;
  for (size_t i = hex ? 2 : 0; i < p->token.len; i++) {
    char c = p->token.text[i];
    unsigned digit = (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    if (__builtin_mul_overflow(result, hex ? 16u : 10u, &result) ||
        __builtin_add_overflow(result, digit, &result))
      return dl_p_error(p, "integer is too large");
  }
  dl_advance(p);
  *value = result;
  return DL_OK;
}

dl_status dl_parse_i64(dl_parser *p, int64_t *value) {
  dl_checkpoint start = dl_save(p);
  bool negative = dl_accept_punct(p, '-');
  uint64_t magnitude;
  DL_TRY(dl_parse_unsigned(p, &magnitude));
  if (magnitude > (uint64_t)INT64_MAX + negative) {
    dl_restore(p, start);
    return dl_p_error(p, "integer does not fit in 64 bits");
  }
  *value = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
  return DL_OK;
}

dl_status dl_p_integer(dl_parser *p, int64_t *value) { return dl_parse_i64(p, value); }

dl_status dl_parse_string(dl_parser *p, dl_str *value) {
  if (p->token.kind != DL_TOK_STRING) return dl_p_error(p, "expected a string");
  *value = dl_unescape(p->arena, (dl_str){p->token.text + 1, p->token.len - 2});
  dl_advance(p);
  return DL_OK;
}

dl_status dl_p_string(dl_parser *p, dl_str *value) { return dl_parse_string(p, value); }

dl_status dl_parse_name_string(dl_parser *p, dl_ident *name) {
  dl_checkpoint start = dl_save(p);
  dl_str text;
  DL_TRY(dl_parse_string(p, &text));
  if (memchr(text.data, 0, text.len)) {
    dl_restore(p, start);
    return dl_p_error(p, "a name cannot contain a NUL byte");
  }
  *name = dl_intern(p->ctx, text);
  return DL_OK;
}

dl_status dl_parse_symbol_name(dl_parser *p, dl_ident *name) {
  if (p->token.kind != DL_TOK_AT) return dl_p_error(p, "expected a symbol name (@name)");
  dl_str text = {p->token.text + 1, p->token.len - 1};
  if (text.data[0] == '"') text = dl_unescape(p->arena, (dl_str){text.data + 1, text.len - 2});
  if (memchr(text.data, 0, text.len))
    return dl_p_error(p, "a symbol name cannot contain a NUL byte");
  *name = dl_intern(p->ctx, text);
  dl_advance(p);
  return DL_OK;
}

dl_status dl_p_symbol(dl_parser *p, dl_ident *name) { return dl_parse_symbol_name(p, name); }

bool dl_p_peek_symbol(dl_parser *p) { return p->token.kind == DL_TOK_AT; }

dl_status dl_p_attr(dl_parser *p, dl_attr *attr) { return dl_parse_attr(p, NULL, attr); }

dl_status dl_p_typed_attr(dl_parser *p, dl_type type, dl_attr *attr) {
  return dl_parse_attr(p, type, attr);
}

dl_status dl_p_type(dl_parser *p, dl_type *type) { return dl_parse_type(p, type); }

// Whether the whole text was read.
static bool at_end(dl_parser *p) {
  if (p->token.kind == DL_TOK_EOF) return true;
  dl_p_error(p, "expected the text to end here");
  return false;
}

void dl_parser_restart(dl_parser *p, dl_str text) {
  dl_lexer_init(&p->lexer, p->ctx, text, p->path);
  p->depth = 0;
  dl_advance(p);
}

dl_type dl_parse_whole_type(dl_parser *p) {
  dl_type type = NULL;
  return dl_parse_type(p, &type) == DL_OK && at_end(p) ? type : NULL;
}

dl_attr dl_parse_whole_attr(dl_parser *p) {
  dl_attr attr = NULL;
  return dl_parse_attr(p, NULL, &attr) == DL_OK && at_end(p) ? attr : NULL;
}

dl_attr dl_parse_attr_text(dl_context *ctx, dl_str text) {
  dl_parser p;
  dl_parser_init(&p, ctx, text, dl_intern_z(ctx, "<attribute>"));
  dl_attr attr = dl_parse_whole_attr(&p);
  dl_parser_finish(&p);
  return attr;
}

dl_type dl_parse_type_text(dl_context *ctx, dl_str text) {
  dl_parser p;
  dl_parser_init(&p, ctx, text, dl_intern_z(ctx, "<type>"));
  dl_type type = dl_parse_whole_type(&p);
  dl_parser_finish(&p);
  return type;
}
