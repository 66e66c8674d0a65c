// The lexer: splits text into tokens without copying. Lines are counted as whitespace is skipped,
// so that a token knows its position at no further cost.

#define _GNU_SOURCE
#include <stdio.h>
#include <sys/mman.h>

#include "ir/context_internal.h"
#include "ir/text_internal.h"

enum { LETTER = 1, DIGIT = 2, IDENT = 4, SUFFIX = 8, HEX = 16, TEXT = 32 };

// TEXT: what strings hold as it is.
static const unsigned char classes[256] = {
    [' ' ... '!'] = TEXT,
    ['#'] = TEXT,
    ['%' ... ','] = TEXT,
    ['/'] = TEXT,
    [':' ... '@'] = TEXT,
    ['['] = TEXT,
    [']' ... '^'] = TEXT,
    ['`'] = TEXT,
    ['{' ... '~'] = TEXT,
    ['0' ... '9'] = DIGIT | IDENT | SUFFIX | HEX | TEXT,
    ['a' ... 'f'] = LETTER | IDENT | SUFFIX | HEX | TEXT,
    ['g' ... 'z'] = LETTER | IDENT | SUFFIX | TEXT,
    ['A' ... 'F'] = LETTER | IDENT | SUFFIX | HEX | TEXT,
    ['G' ... 'Z'] = LETTER | IDENT | SUFFIX | TEXT,
    ['_'] = LETTER | IDENT | SUFFIX | TEXT,
    ['$'] = IDENT | SUFFIX | TEXT,
    ['.'] = IDENT | SUFFIX | TEXT,
    ['-'] = SUFFIX | TEXT,
};

static inline bool has_class(char c, unsigned mask) { return classes[(unsigned char)c] & mask; }

bool dl_is_suffix_char(char c) { return has_class(c, SUFFIX); }

bool dl_is_bare_identifier(dl_str text) {
  if (text.len == 0 || !has_class(text.data[0], LETTER)) return false;
  for (size_t i = 1; i < text.len; i++)
    if (!has_class(text.data[i], IDENT)) return false;
  return true;
}

bool dl_is_numbered_label(const char *label) {
  if (strncmp(label, "bb", 2) != 0 || !label[2]) return false;
  return label[2 + strspn(label + 2, "0123456789")] == 0;
}

enum { DROP_STEP = 1 << 22, DROP_KEEP = 1 << 20, PAGE = 1 << 16 };

// What lies well behind the cursor leaves memory; the file has it.
void dl_lexer_drop(dl_lexer *lexer) {
  uintptr_t begin = ((uintptr_t)lexer->drop_at - DROP_STEP) & ~(uintptr_t)(PAGE - 1);
  uintptr_t end = ((uintptr_t)lexer->cursor - DROP_KEEP) & ~(uintptr_t)(PAGE - 1);
  uintptr_t first = ((uintptr_t)lexer->begin + PAGE - 1) & ~(uintptr_t)(PAGE - 1);
  if (begin > DROP_KEEP) begin -= DROP_KEEP;
  if (begin < first) begin = first;
  if (begin < end) madvise((void *)begin, end - begin, MADV_DONTNEED);
  lexer->drop_at = lexer->cursor + DROP_STEP;
}

void dl_lexer_init(dl_lexer *lexer, dl_context *ctx, dl_str text, dl_ident path) {
  *lexer = (dl_lexer){.ctx = ctx,
                      .cursor = text.data,
                      .end = text.data + text.len,
                      .line = 1,
                      .line_start = text.data,
                      .path = path,
                      .path_index = dl_path_index(ctx, path),
                      .begin = text.data,
                      .drop_at = dl_is_mapped_source(ctx, text) ? text.data + DROP_STEP : NULL};
}

dl_loc dl_lexer_loc(const dl_lexer *lexer, uint64_t line, const char *line_start, const char *at) {
  return dl_loc_file(lexer->ctx, lexer->path, line, (uint64_t)(at - line_start) + 1);
}

// Lines are found by walking from the cursor, since what is asked for is mostly near it.
dl_place dl_lexer_place(const dl_lexer *lexer, const char *at) {
  uint64_t line = lexer->line;
  const char *start = lexer->line_start;
  while (start > at) {
    const char *newline = memrchr(lexer->begin, '\n', (size_t)(start - 1 - lexer->begin));
    start = newline ? newline + 1 : lexer->begin;
    line--;
  }
  for (const char *newline; (newline = memchr(start, '\n', (size_t)(at - start))); line++)
    start = newline + 1;
  uint64_t column = (uint64_t)(at - start) + 1;
  if (lexer->path_index != DL_NO_PATH)
    return dl_place_file(lexer->ctx, lexer->path_index, line, column);
  return dl_place_of(dl_loc_file(lexer->ctx, lexer->path, line, column));
}

static void lex_error(dl_lexer *lexer, dl_token *token, const char *at, const char *message) {
  token->kind = DL_TOK_ERROR;
  if (!lexer->quiet)
    dl_error(dl_lexer_loc(lexer, lexer->line, lexer->line_start, at), "%s", message);
  lexer->cursor = lexer->end;
}

// The number of bytes of the well-formed UTF-8 sequence at `at`, or 0.
static size_t utf8_length(const char *at, const char *end) {
  unsigned char c = (unsigned char)*at;
  size_t len = c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
  if (len == 0 || (size_t)(end - at) < len) return 0;
  unsigned char second = (unsigned char)at[1];
  if ((c == 0xe0 && second < 0xa0) || (c == 0xed && second > 0x9f) ||
      (c == 0xf0 && second < 0x90) || (c == 0xf4 && second > 0x8f))
    return 0;
  for (size_t i = 1; i < len; i++)
    if (((unsigned char)at[i] & 0xc0) != 0x80) return 0;
  return len;
}

size_t dl_char_len(const char *at, const char *end) {
  return (unsigned char)*at >= 0x80 ? utf8_length(at, end) : *at != 0;
}

// Checks one byte (or UTF-8 sequence) of a string or comment and steps over it; false after an
// error.
static bool step_text(dl_lexer *lexer, dl_token *token) {
  char c = *lexer->cursor;
  if (c == 0) {
    lex_error(lexer, token, lexer->cursor, "unexpected NUL byte");
    return false;
  }
  size_t len = (unsigned char)c < 0x80 ? 1 : utf8_length(lexer->cursor, lexer->end);
  if (len == 0) {
    lex_error(lexer, token, lexer->cursor, "invalid UTF-8");
    return false;
  }
  lexer->cursor += len;
  return true;
}

// Skips whitespace and comments; false after an error.
static bool skip_blank(dl_lexer *lexer, dl_token *token) {
  const char *at = lexer->cursor, *end = lexer->end;
  for (; at < end; at++) {
    if (*at == ' ' || *at == '\t' || *at == '\r') continue;
    if (*at == '\n') {
      lexer->line++;
      lexer->line_start = at + 1;
    } else if (*at == '/' && at + 1 < end && at[1] == '/') {
      lexer->cursor = at;
      while (lexer->cursor < end && *lexer->cursor != '\n')
        if (!step_text(lexer, token)) return false;
      at = lexer->cursor - 1;
    } else {
      break;
    }
  }
  lexer->cursor = at;
  return true;
}

static bool lex_escape(dl_lexer *lexer, dl_token *token) {
  const char *at = lexer->cursor;
  size_t left = (size_t)(lexer->end - at);
  if (left >= 2 && strchr("\"\\nt", at[1]) && at[1]) {
    lexer->cursor += 2;
    return true;
  }
  if (left >= 3 && has_class(at[1], HEX) && has_class(at[2], HEX)) {
    lexer->cursor += 3;
    return true;
  }
  lex_error(lexer, token, at, "unknown escape in string literal");
  return false;
}

// The cursor is after the opening quote.
static bool lex_string(dl_lexer *lexer, dl_token *token) {
  while (lexer->cursor < lexer->end) {
    char c = *lexer->cursor;
    if (has_class(c, TEXT)) {
      lexer->cursor++;
      continue;
    }
    if (c == '"') {
      lexer->cursor++;
      return true;
    }
    if (c == '\n') break;
    bool ok = c == '\\' ? lex_escape(lexer, token) : step_text(lexer, token);
    if (!ok) return false;
  }
  lex_error(lexer, token, token->text, "expected '\"' at the end of the string literal");
  return false;
}

static inline void skip_class(dl_lexer *lexer, unsigned mask) {
  const char *at = lexer->cursor, *end = lexer->end;
  while (at < end && has_class(*at, mask)) at++;
  lexer->cursor = at;
}

// [-+]?digits[.digits][e[-+]digits], or 0x…; the sign is a token of its own.
static dl_token_kind lex_number(dl_lexer *lexer) {
  const char *at = lexer->cursor, *end = lexer->end;
  if (*at == '0' && end - at > 2 && at[1] == 'x' && has_class(at[2], HEX)) {
    lexer->cursor += 2;
    skip_class(lexer, HEX);
    return DL_TOK_INTEGER;
  }
  skip_class(lexer, DIGIT);
  if (lexer->cursor == end || *lexer->cursor != '.') return DL_TOK_INTEGER;
  lexer->cursor++;
  skip_class(lexer, DIGIT);
  at = lexer->cursor;
  if (at < end && (*at == 'e' || *at == 'E')) {
    const char *digits = at + 1;
    if (digits < end && (*digits == '+' || *digits == '-')) digits++;
    if (digits < end && has_class(*digits, DIGIT)) {
      lexer->cursor = digits;
      skip_class(lexer, DIGIT);
    }
  }
  return DL_TOK_FLOAT;
}

// A name after % ^ # or !: digits, or a letter followed by letters, digits and -$._ ; `->` ends it.
static void lex_sigil(dl_lexer *lexer, dl_token *token, dl_token_kind kind) {
  token->kind = kind;
  const char *start = lexer->cursor;
  if (start < lexer->end && has_class(*start, DIGIT)) {
    skip_class(lexer, DIGIT);
    return;
  }
  while (lexer->cursor < lexer->end && has_class(*lexer->cursor, SUFFIX)) {
    if (*lexer->cursor == '-' && lexer->cursor + 1 < lexer->end && lexer->cursor[1] == '>') break;
    lexer->cursor++;
  }
  if (lexer->cursor == start)
    lex_error(lexer, token, token->text, "expected a name after the sigil");
}

static void lex_at(dl_lexer *lexer, dl_token *token) {
  token->kind = DL_TOK_AT;
  const char *start = lexer->cursor;
  if (start < lexer->end && *start == '"') {
    lexer->cursor++;
    if (!lex_string(lexer, token)) return;
  } else if (start < lexer->end && has_class(*start, LETTER)) {
    skip_class(lexer, IDENT);
  } else {
    lex_error(lexer, token, token->text, "expected a symbol name after '@'");
  }
}

static inline bool follows(const dl_lexer *lexer, const char *text) {
  size_t len = strlen(text);
  return (size_t)(lexer->end - lexer->cursor) >= len && memcmp(lexer->cursor, text, len) == 0;
}

// One character, or -> :: {-# #-}.
static void lex_punct(dl_lexer *lexer, dl_token *token) {
  token->kind = DL_TOK_PUNCT;
  size_t len = 1;
  switch (*lexer->cursor) {
    case '-':
      len = follows(lexer, "->") ? 2 : 1;
      break;
    case ':':
      len = follows(lexer, "::") ? 2 : 1;
      break;
    case '{':
      len = follows(lexer, "{-#") ? 3 : 1;
      break;
    case '#':
      len = 3;
      break;
  }
  lexer->cursor += len;
}

static void lex_other(dl_lexer *lexer, dl_token *token) {
  static const bool punctuation[256] = {
      ['('] = true, [')'] = true, ['['] = true, [']'] = true, ['{'] = true, ['}'] = true,
      ['<'] = true, ['>'] = true, [','] = true, [':'] = true, ['='] = true, ['+'] = true,
      ['-'] = true, ['*'] = true, ['?'] = true, ['|'] = true, ['/'] = true};
  char c = *lexer->cursor;
  if (punctuation[(unsigned char)c])
    lex_punct(lexer, token);
  else if (c == 0)
    lex_error(lexer, token, lexer->cursor, "unexpected NUL byte");
  else if ((unsigned char)c >= 0x80 && utf8_length(lexer->cursor, lexer->end) == 0)
    lex_error(lexer, token, lexer->cursor, "invalid UTF-8");
  else
    lex_error(lexer, token, lexer->cursor, "unexpected character");
}

static void lex_token(dl_lexer *lexer, dl_token *token) {
  char c = *lexer->cursor;
  if (has_class(c, LETTER)) {
    skip_class(lexer, IDENT);
    token->kind = DL_TOK_IDENT;
  } else if (has_class(c, DIGIT)) {
    token->kind = lex_number(lexer);
  } else if (c == '"') {
    lexer->cursor++;
    token->kind = DL_TOK_STRING;
    lex_string(lexer, token);
  } else if (c == '@') {
    lexer->cursor++;
    lex_at(lexer, token);
  } else if (c == '#' && follows(lexer, "#-}")) {
    lex_punct(lexer, token);
  } else if (c == '%' || c == '#' || c == '!' || c == '^') {
    lexer->cursor++;
    lex_sigil(lexer, token,
              c == '%'   ? DL_TOK_PERCENT
              : c == '#' ? DL_TOK_HASH
              : c == '!' ? DL_TOK_BANG
                         : DL_TOK_CARET);
  } else {
    lex_other(lexer, token);
  }
}

void dl_lex(dl_lexer *lexer, dl_token *token) {
  bool ok = skip_blank(lexer, token);
  token->text = lexer->cursor;
  token->line = lexer->line;
  token->line_start = lexer->line_start;
  if (!ok) {
    token->len = 0;
    return;
  }
  if (lexer->cursor == lexer->end)
    token->kind = DL_TOK_EOF;
  else
    lex_token(lexer, token);
  token->len = (size_t)(lexer->cursor - token->text);
}

static unsigned hex_value(char c) {
  return has_class(c, DIGIT) ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

dl_str dl_unescape(dl_arena *arena, dl_str raw) {
  if (!memchr(raw.data, '\\', raw.len)) return raw;
  char *out = dl_arena_alloc(arena, raw.len);
  size_t len = 0;
  for (size_t i = 0; i < raw.len; i++) {
    if (raw.data[i] != '\\') {
      out[len++] = raw.data[i];
      continue;
    }
    char c = raw.data[++i];
    if (has_class(c, HEX))
      out[len++] = (char)(hex_value(c) << 4 | hex_value(raw.data[++i]));
    else
      out[len++] = c == 'n' ? '\n' : c == 't' ? '\t' : c;
  }
  return (dl_str){out, len};
}
