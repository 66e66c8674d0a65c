// Parsing of dialect types and attributes, `dialect.name<parameters>`: the structured grammar of
// ir/attrs.h where the text fits it, else the text itself.

#include <stdio.h>

#include "ir/text_internal.h"

typedef DL_VEC(dl_attr) attr_vec;

static dl_status parse_param(dl_parser *p, dl_attr *param);

static dl_status parse_param_list(dl_parser *p, const char *close, attr_vec *params) {
  if (dl_p_accept(p, close)) return DL_OK;
  do {
    dl_attr param;
    DL_TRY(parse_param(p, &param));
    DL_PUSH(params, param);
  } while (dl_accept_punct(p, ','));
  return dl_p_expect(p, close);
}

static dl_status parse_list(dl_parser *p, dl_attr *param) {
  attr_vec elements = {0};
  dl_advance(p);
  dl_status status = parse_param_list(p, "]", &elements);
  if (status == DL_OK) *param = dl_array_attr(p->ctx, elements.len, elements.data);
  DL_VEC_FREE(&elements);
  return status;
}

static dl_status parse_call(dl_parser *p, dl_ident name, dl_attr *param) {
  attr_vec params = {0};
  dl_advance(p);
  dl_status status = parse_param_list(p, ")", &params);
  if (status == DL_OK) *param = dl_call_attr(p->ctx, name, params.len, params.data);
  DL_VEC_FREE(&params);
  return status;
}

// The identifier at the next token with the dashes that may continue it.
static dl_str keyword_at(const dl_parser *p) {
  const char *at = p->token.text, *end = at;
  while (end < p->lexer.end && dl_is_suffix_char(*end)) {
    if (*end == '-' && (end + 1 == p->lexer.end || end[1] == '>')) break;
    end++;
  }
  return (dl_str){at, (size_t)(end - at)};
}

// A name with a dash is a keyword; so is one followed by `(` or `=`, and any that is no attribute
// or type.
static dl_status parse_word(dl_parser *p, dl_attr *param) {
  dl_str word = keyword_at(p);
  char next = word.data + word.len < p->lexer.end ? word.data[word.len] : 0;
  bool dashed = word.len != p->token.len;
  bool call = next == '(' && !dl_str_is(word, "loc");
  dl_checkpoint start = dl_save(p);
  if (!dashed && !call) {
    dl_advance(p);
    bool keyed = dl_at_punct(p, '=');
    dl_restore(p, start);
    if (!keyed) {
      p->lexer.quiet++;
      dl_status status = dl_parse_attr(p, NULL, param);
      p->lexer.quiet--;
      if (status == DL_OK) return DL_OK;
      dl_restore(p, start);
      if (next == '<') return DL_FAILED;
    }
  }
  dl_ident name = dl_intern(p->ctx, word);
  dl_relex_from(p, word.data + word.len);
  if (call) return parse_call(p, name, param);
  if (dl_accept_punct(p, '=')) {
    dl_attr value;
    DL_TRY(parse_param(p, &value));
    *param = dl_keyed_attr(p->ctx, name, value);
    return DL_OK;
  }
  *param = dl_keyword_attr(p->ctx, name);
  return DL_OK;
}

static dl_status parse_param(dl_parser *p, dl_attr *param) {
  DL_TRY(dl_enter(p));
  dl_status status = p->token.kind == DL_TOK_IDENT ? parse_word(p, param)
                     : dl_at_punct(p, '[')         ? parse_list(p, param)
                                                   : dl_parse_attr(p, NULL, param);
  dl_leave(p);
  return status;
}

// Whether the parameters print exactly as they were written, from `text` on.
static bool prints_as(dl_parser *p, const attr_vec *params, const char *text) {
  dl_buffer out = {0};
  dl_printer o = {.ctx = p->ctx, .out = &out};
  dl_write_params(&o, NULL, params->len, params->data);
  size_t len = out.len - 1, left = (size_t)(p->lexer.end - text);
  bool same = len <= left && memcmp(out.data + 1, text, len) == 0;
  dl_buffer_free(&out);
  dl_printer_free(&o);
  return same;
}

// --- bodies that the grammar does not cover: any text with balanced brackets ---

// A body is scanned by bytes, since what other dialects write need not be tokens. Uses of aliases
// in it become embedded attributes.
typedef struct raw_body {
  dl_parser *p;
  const char *at;
  uint64_t line;
  const char *line_start;
  DL_VEC(char) open;  // brackets to be closed, outermost first
  dl_buffer text;
  attr_vec embedded;
} raw_body;

static dl_status raw_error(raw_body *b, const char *message) {
  dl_parser *p = b->p;
  if (p->lexer.quiet) return DL_FAILED;
  return dl_error(dl_lexer_loc(&p->lexer, b->line, b->line_start, b->at), "%s", message);
}

// A string, as the lexer has it.
static dl_status skip_raw_string(raw_body *b) {
  dl_parser *p = b->p;
  dl_token token;
  dl_lexer lexer = p->lexer;
  lexer.cursor = b->at;
  lexer.line = b->line;
  lexer.line_start = b->line_start;
  dl_lex(&lexer, &token);
  if (token.kind != DL_TOK_STRING) return DL_FAILED;
  dl_buffer_append(&b->text, token.text, token.len);
  b->at = lexer.cursor;
  return DL_OK;
}

// `#name` or `!name` where an alias of that name is defined.
static bool embed_alias(raw_body *b) {
  dl_parser *p = b->p;
  const char *start = b->at + 1, *end = start;
  while (end < p->lexer.end && dl_is_suffix_char(*end) && *end != '.') end++;
  if (end == start || (end < p->lexer.end && (*end == '.' || *end == '<'))) return false;
  dl_str name = {start, (size_t)(end - start)};
  dl_attr value;
  if (*b->at == '#') {
    value = dl_find_attr_alias(p, name);
  } else {
    dl_type type = dl_ptr_map_get(&p->type_aliases, dl_parse_intern(p, name));
    value = type ? dl_type_attr(type) : NULL;
  }
  if (!value) return false;
  DL_PUSH(&b->embedded, value);
  dl_buffer_putc(&b->text, DL_EMBEDDED_ATTR);
  b->at = end;
  return true;
}

static dl_status close_raw_bracket(raw_body *b, char c) {
  if (b->open.len && b->open.data[b->open.len - 1] == c) {
    b->open.len--;
    return DL_OK;
  }
  char message[64];
  snprintf(message, sizeof message, "unbalanced '%c' in dialect parameters", c);
  return raw_error(b, message);
}

static dl_status step_raw(raw_body *b) {
  char c = *b->at;
  if (c == '"') return skip_raw_string(b);
  if ((c == '#' || c == '!') && embed_alias(b)) return DL_OK;
  if (c && strchr("<([{", c))
    DL_PUSH(&b->open, c == '(' ? ')' : (char)(c + 2));
  else if (c && strchr(">)]}", c))
    DL_TRY(close_raw_bracket(b, c));
  size_t len = c == '-' && b->at + 1 < b->p->lexer.end && b->at[1] == '>'
                   ? 2
                   : dl_char_len(b->at, b->p->lexer.end);
  if (len == 0) return raw_error(b, c ? "invalid UTF-8" : "unexpected NUL byte");
  dl_buffer_append(&b->text, b->at, len);
  b->at += len;
  if (c != '\n') return DL_OK;
  b->line++;
  b->line_start = b->at;
  return DL_OK;
}

// Steps over the body to the `>` that closes it.
static dl_status scan_raw(raw_body *b) {
  const char *end = b->p->lexer.end;
  while (b->at < end && (*b->at != '>' || b->open.len)) DL_TRY(step_raw(b));
  return b->at < end ? DL_OK : raw_error(b, "expected '>' after dialect parameters");
}

// At `<`: reads the text after it, spaces included, and the `>`.
static dl_status parse_raw(dl_parser *p, attr_vec *params) {
  raw_body b = {
      .p = p, .at = p->token.text + 1, .line = p->token.line, .line_start = p->token.line_start};
  dl_status status = scan_raw(&b);
  if (status == DL_OK) {
    dl_str text = {b.text.data ? b.text.data : "", b.text.len};
    params->len = 0;
    DL_PUSH(params, dl_raw_attr(p->ctx, text, b.embedded.len, b.embedded.data));
    p->lexer.cursor = b.at + 1;
    p->lexer.line = b.line;
    p->lexer.line_start = b.line_start;
    dl_advance(p);
  }
  DL_VEC_FREE(&b.open);
  DL_VEC_FREE(&b.embedded);
  dl_buffer_free(&b.text);
  return status;
}

static void keep_params(dl_parser *p, const attr_vec *params, size_t *count, dl_attr **out) {
  *count = params->len;
  *out = dl_arena_alloc(p->arena, params->len * sizeof(dl_attr) + 1);
  if (params->len) memcpy(*out, params->data, params->len * sizeof(dl_attr));
}

// At `<`. Text of a dialect that nobody knows is kept as written unless it prints the same.
static dl_status parse_body(dl_parser *p, bool structured, bool normalize, attr_vec *params) {
  const dl_checkpoint open = dl_save(p);
  const char *start = p->token.text + 1;
  if (structured) {
    p->lexer.quiet++;
    dl_advance(p);
    dl_status status = parse_param_list(p, ">", params);
    p->lexer.quiet--;
    // What was read ends where the next token begins, or some space before.
    if (status == DL_OK && params->len && (normalize || prints_as(p, params, start))) return DL_OK;
  }
  dl_restore(p, open);
  return parse_raw(p, params);
}

// The parameters in `<…>` that follow, if any.
static dl_status parse_optional_body(dl_parser *p, dl_ident dialect, bool named, size_t *count,
                                     dl_attr **params) {
  attr_vec vec = {0};
  unsigned depth = p->depth;
  dl_status status = DL_OK;
  if (dl_at_punct(p, '<')) {
    bool known = dl_find_dialect(p->ctx, dl_str_of(dialect)) != NULL;
    status = dl_enter(p);
    if (status == DL_OK) status = parse_body(p, named, known, &vec);
  }
  p->depth = depth;
  if (status == DL_OK) keep_params(p, &vec, count, params);
  DL_VEC_FREE(&vec);
  return status;
}

dl_status dl_p_dialect_attr_params(dl_parser *p, const char *dialect_name, const char *attr_name,
                                   dl_attr *attr) {
  size_t count;
  dl_attr *params;
  dl_ident dialect = dl_intern_z(p->ctx, dialect_name), name = dl_intern_z(p->ctx, attr_name);
  if (!dl_at_punct(p, '<')) return dl_p_error(p, "expected '<'");
  DL_TRY(parse_optional_body(p, dialect, true, &count, &params));
  *attr = dl_dialect_attr(p->ctx, dialect, name, count, params);
  return DL_OK;
}

dl_status dl_parse_dialect_symbol(dl_parser *p, dl_ident *dialect, dl_ident *name, size_t *count,
                                  dl_attr **params) {
  dl_str text = {p->token.text + 1, p->token.len - 1};
  const char *dot = memchr(text.data, '.', text.len);
  dl_str prefix = {text.data, dot ? (size_t)(dot - text.data) : text.len};
  *dialect = dl_intern(p->ctx, prefix);
  *name = dot ? dl_intern(p->ctx, (dl_str){dot + 1, text.len - prefix.len - 1}) : NULL;
  bool body = p->lexer.cursor < p->lexer.end && *p->lexer.cursor == '<';
  dl_advance(p);
  *count = 0;
  *params = NULL;
  return body ? parse_optional_body(p, *dialect, *name != NULL, count, params) : DL_OK;
}
