// Parsing of dialect types and attributes, `dialect.name<parameters>`: the structured grammar of
// ir/attrs.h where the text fits it, else the text itself.

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

// Whether the parameters print exactly as they were written.
static bool prints_as(dl_context *ctx, const attr_vec *params, dl_str text) {
  dl_buffer out = {0};
  dl_printer o = {.ctx = ctx, .out = &out};
  dl_write_params(&o, NULL, params->len, params->data);
  bool same = out.len == text.len + 2 && memcmp(out.data + 1, text.data, text.len) == 0;
  dl_buffer_free(&out);
  dl_printer_free(&o);
  return same;
}

// Steps from the token after `<` to the matching `>`. Brackets must balance, as mlir-opt demands of
// text that it does not understand.
static dl_status skip_balanced(dl_parser *p, dl_str *text) {
  DL_VEC(char) open = {0};
  const char *start = p->token.text;
  dl_status status = DL_OK;
  for (;; dl_advance(p)) {
    if (p->token.kind == DL_TOK_EOF || p->token.kind == DL_TOK_ERROR) {
      status = dl_p_error(p, "expected '>' after dialect parameters");
      break;
    }
    if (p->token.kind != DL_TOK_PUNCT || p->token.len != 1) continue;
    char c = *p->token.text;
    if (c == '>' && open.len == 0) break;
    if (strchr("<([{", c)) {
      DL_PUSH(&open, c == '(' ? ')' : (char)(c + 2));
    } else if (strchr(">)]}", c)) {
      if (open.len == 0 || open.data[--open.len] != c) {
        status = dl_p_error(p, "unbalanced '%c' in dialect parameters", c);
        break;
      }
    }
  }
  DL_VEC_FREE(&open);
  *text = (dl_str){start, (size_t)(p->token.text - start)};
  return status;
}

static void keep_params(dl_parser *p, const attr_vec *params, size_t *count, dl_attr **out) {
  *count = params->len;
  *out = dl_arena_alloc(p->arena, params->len * sizeof(dl_attr) + 1);
  if (params->len) memcpy(*out, params->data, params->len * sizeof(dl_attr));
}

// The text between the brackets begins right after `<`, spaces included.
static dl_status parse_raw(dl_parser *p, const char *start, attr_vec *params) {
  dl_str text;
  DL_TRY(skip_balanced(p, &text));
  text = (dl_str){start, (size_t)(text.data + text.len - start)};
  params->len = 0;
  DL_PUSH(params, dl_raw_attr(p->ctx, text));
  dl_advance(p);
  return DL_OK;
}

static dl_status parse_body(dl_parser *p, bool structured, bool normalize, attr_vec *params) {
  const char *start = p->token.text + 1;
  dl_advance(p);
  dl_checkpoint body = dl_save(p);
  if (structured) {
    p->lexer.quiet++;
    dl_status status = parse_param_list(p, ">", params);
    p->lexer.quiet--;
    dl_checkpoint after = dl_save(p);
    if (status == DL_OK && params->len) {
      if (normalize) return DL_OK;
      dl_str text;
      dl_restore(p, body);
      DL_TRY(skip_balanced(p, &text));
      text = (dl_str){start, (size_t)(text.data + text.len - start)};
      if (prints_as(p->ctx, params, text)) {
        dl_restore(p, after);
        return DL_OK;
      }
    }
    dl_restore(p, body);
  }
  return parse_raw(p, start, params);
}

// The parameters in `<…>` that follow, if any.
static dl_status parse_optional_body(dl_parser *p, dl_ident dialect, bool named, size_t *count,
                                     dl_attr **params) {
  attr_vec vec = {0};
  unsigned depth = p->depth;
  dl_status status = DL_OK;
  if (dl_at_punct(p, '<')) {
    // Text of a dialect that nobody knows is kept as written unless it prints the same.
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
