#include <ctype.h>

#include "ir/spec_internal.h"

static const char *const punctuation[] = {"...", "==", "!=", "<=", ">=", "(", ")", "[",
                                          "]",   ",",  ":",  ";",  "=",  "<", ">", "+",
                                          "-",   "*",  "/",  "|",  "!",  ".", "?"};

void dl_spec_start(dl_spec_parser *p, const char *text) {
  p->text = p->at = text;
  p->depth = 0;
  dl_spec_next(p);
}

static void take(dl_spec_parser *p, dl_spec_token token, size_t len) {
  p->token = token;
  p->spelling = (dl_str){p->at, len};
  p->at += len;
}

// Digits, then a fraction unless it is the start of `...`, then an exponent.
static void lex_number(dl_spec_parser *p) {
  size_t len = strspn(p->at, "0123456789");
  dl_spec_token token = DL_TOK_INT;
  if (p->at[len] == '.' && p->at[len + 1] != '.') {
    token = DL_TOK_FLOAT;
    len++;
    len += strspn(p->at + len, "0123456789");
  }
  if (p->at[len] == 'e' || p->at[len] == 'E') {
    size_t digits = len + 1;
    if (p->at[digits] == '-' || p->at[digits] == '+') digits++;
    if (isdigit((unsigned char)p->at[digits])) {
      token = DL_TOK_FLOAT;
      len = digits + strspn(p->at + digits, "0123456789");
    }
  }
  take(p, token, len);
}

static void lex_string(dl_spec_parser *p) {
  const char *end = strchr(p->at + 1, *p->at);
  size_t len = end ? (size_t)(end - p->at) + 1 : strlen(p->at);
  take(p, end ? DL_TOK_STRING : DL_TOK_PUNCT, len);
  if (end) p->spelling = (dl_str){p->spelling.data + 1, len - 2};
}

void dl_spec_next(dl_spec_parser *p) {
  while (isspace((unsigned char)*p->at)) p->at++;
  p->token_start = p->at;
  unsigned char c = (unsigned char)*p->at;
  if (!c) {
    take(p, DL_TOK_END, 0);
  } else if (isdigit(c)) {
    lex_number(p);
  } else if (c == '\'' || c == '"') {
    lex_string(p);
  } else if (isalpha(c) || c == '_') {
    size_t len = 1;
    while (isalnum((unsigned char)p->at[len]) || p->at[len] == '_') len++;
    take(p, DL_TOK_NAME, len);
  } else {
    size_t len = 1;
    for (size_t i = DL_COUNT(punctuation); i-- > 0;)
      if (!strncmp(p->at, punctuation[i], strlen(punctuation[i]))) len = strlen(punctuation[i]);
    take(p, DL_TOK_PUNCT, len);
  }
}

bool dl_spec_is(const dl_spec_parser *p, const char *text) {
  return (p->token == DL_TOK_PUNCT || p->token == DL_TOK_NAME) && dl_str_is(p->spelling, text);
}

bool dl_spec_accept(dl_spec_parser *p, const char *text) {
  if (!dl_spec_is(p, text)) return false;
  dl_spec_next(p);
  return true;
}

dl_status dl_spec_syntax(dl_spec_parser *p, const char *expected) {
  int column = (int)(p->token_start - p->text) + 1;
  if (p->token == DL_TOK_END)
    return dl_error(p->loc, "in %s: expected %s at the end of '%s'", p->what, expected, p->text);
  return dl_error(p->loc, "in %s: expected %s, found '%.*s' at character %d of '%s'", p->what,
                  expected, (int)p->spelling.len, p->spelling.data, column, p->text);
}

dl_status dl_spec_expect(dl_spec_parser *p, const char *text) {
  if (dl_spec_accept(p, text)) return DL_OK;
  char expected[32];
  snprintf(expected, sizeof expected, "'%s'", text);
  return dl_spec_syntax(p, expected);
}

dl_status dl_spec_name(dl_spec_parser *p, dl_ident *name) {
  if (p->token != DL_TOK_NAME) return dl_spec_syntax(p, "a name");
  *name = dl_intern(p->ctx, p->spelling);
  dl_spec_next(p);
  return DL_OK;
}
