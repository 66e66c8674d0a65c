#define _GNU_SOURCE
#include "tools/dlopt/expected.h"

#include <ctype.h>
#include <regex.h>
#include <stdio.h>

typedef struct expectation {
  dl_severity severity;
  uint64_t line;  // 0: unknown place
  dl_str text;
  bool is_regex, met;
  regex_t regex;
} expectation;

struct expected {
  dl_str text;
  const char *path;
  DL_VEC(expectation) list;
  DL_VEC(size_t) waiting;  // for the next line without a comment (@below)
  size_t failures;
};

static const char *const severity_names[] = {
    [DL_ERROR] = "error", [DL_WARNING] = "warning", [DL_NOTE] = "note", [DL_REMARK] = "remark"};

static void complain(expected *all, uint64_t line, const char *format, ...) DL_PRINTF(3, 4);

static void complain(expected *all, uint64_t line, const char *format, ...) {
  va_list args;
  va_start(args, format);
  fprintf(stderr, "%s:%llu: error: ", all->path, (unsigned long long)line);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  va_end(args);
  all->failures++;
}

// --- reading the comments ---

typedef struct scanner {
  const char *at, *end;  // the rest of a line
  uint64_t line;
  uint64_t last_plain_line;
} scanner;

static bool accept(scanner *s, const char *word) {
  size_t len = strlen(word);
  if ((size_t)(s->end - s->at) < len || memcmp(s->at, word, len)) return false;
  s->at += len;
  return true;
}

static bool scan_severity(scanner *s, dl_severity *severity) {
  for (size_t i = 0; i < DL_COUNT(severity_names); i++)
    if (accept(s, severity_names[i])) {
      *severity = (dl_severity)i;
      return true;
    }
  return false;
}

static bool scan_offset(scanner *s, uint64_t *line) {
  bool down = accept(s, "+");
  if (!down && !accept(s, "-")) return false;
  uint64_t offset = 0;
  if (s->at == s->end || !isdigit((unsigned char)*s->at)) return false;
  while (s->at < s->end && isdigit((unsigned char)*s->at))
    offset = 10 * offset + (uint64_t)(*s->at++ - '0');
  *line = down ? s->line + offset : s->line - offset;
  return true;
}

// After "@". *below is set when the line is not known yet.
static bool scan_place(scanner *s, uint64_t *line, bool *below) {
  if (accept(s, "unknown")) return *line = 0, true;
  if (accept(s, "above")) return *line = s->last_plain_line, true;
  if (accept(s, "below")) return *below = true;
  return scan_offset(s, line);
}

// {{text}}; a regex has braces in it, which nest.
static bool scan_text(scanner *s, dl_str *text) {
  while (s->at < s->end && (*s->at == ' ' || *s->at == '\t')) s->at++;
  if (!accept(s, "{{")) return false;
  const char *start = s->at;
  for (size_t depth = 1; s->at + 1 < s->end;) {
    if (accept(s, "{{")) {
      depth++;
    } else if (accept(s, "}}")) {
      // Of "}}}" the last two close: the text may end with a brace.
      while (depth == 1 && s->at < s->end && *s->at == '}') s->at++;
      if (--depth) continue;
      *text = (dl_str){start, (size_t)(s->at - 2 - start)};
      return true;
    } else {
      s->at++;
    }
  }
  return false;
}

static bool compile(expectation *e) {
  dl_buffer pattern = {0};
  bool inside = false;
  for (size_t i = 0; i < e->text.len; i++) {
    const char *at = e->text.data + i;
    if (i + 1 < e->text.len && !memcmp(at, inside ? "}}" : "{{", 2)) {
      dl_buffer_putc(&pattern, inside ? ')' : '(');
      inside = !inside;
      i++;
      continue;
    }
    if (!inside && strchr(".[]{}()*+?^$|\\", *at)) dl_buffer_putc(&pattern, '\\');
    dl_buffer_putc(&pattern, *at);
  }
  bool ok = regcomp(&e->regex, pattern.data ? pattern.data : "", REG_EXTENDED | REG_NOSUB) == 0;
  dl_buffer_free(&pattern);
  return ok;
}

// After "expected-".
static const char *scan_expectation(expected *all, scanner *s) {
  expectation e = {.line = s->line};
  bool below = false;
  if (!scan_severity(s, &e.severity))
    return "error, warning, note or remark must follow 'expected-'";
  e.is_regex = accept(s, "-re");
  if (accept(s, "@") && !scan_place(s, &e.line, &below)) return "the place after '@' is malformed";
  if (!scan_text(s, &e.text)) return "'{{text}}' is missing";
  if (e.is_regex && !compile(&e)) return "the regular expression is malformed";
  if (below) DL_PUSH(&all->waiting, all->list.len);
  DL_PUSH(&all->list, e);
  return NULL;
}

static void scan_line(expected *all, scanner *s) {
  bool plain = true;
  const char *comment;
  while ((comment = memmem(s->at, (size_t)(s->end - s->at), "expected-", 9))) {
    s->at = comment + 9;
    const char *wrong = scan_expectation(all, s);
    if (wrong) complain(all, s->line, "%s", wrong);
    plain = false;
  }
  if (!plain) return;
  s->last_plain_line = s->line;
  for (size_t i = 0; i < all->waiting.len; i++) all->list.data[all->waiting.data[i]].line = s->line;
  all->waiting.len = 0;
}

expected *expected_create(dl_str text, const char *path) {
  expected *all = dl_calloc(1, sizeof(*all));
  all->text = text;
  all->path = path;
  scanner s = {.line = 1};
  for (const char *at = text.data, *end = text.data + text.len; at < end;
       at = s.end + 1, s.line++) {
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    s.at = at;
    s.end = newline ? newline : end;
    scan_line(all, &s);
  }
  return all;
}

// --- comparing ---

// The first place in a file that the location mentions, or NULL.
static dl_loc file_loc(dl_loc loc) {
  if (!loc || loc->kind == DL_LOC_FILE) return loc;
  if (loc->kind == DL_LOC_NAME || loc->kind == DL_LOC_CALLSITE) return file_loc(loc->child);
  dl_loc found = NULL;
  for (size_t i = 0; loc->kind == DL_LOC_FUSED && i < loc->num_locs && !found; i++)
    found = file_loc(loc->locs[i]);
  return found;
}

static bool matches(const expectation *e, const dl_diagnostic *diagnostic, uint64_t line) {
  if (e->met || e->severity != diagnostic->severity || e->line != line) return false;
  if (e->is_regex) return regexec(&e->regex, diagnostic->message, 0, NULL, 0) == 0;
  return e->text.len == 0 ||
         memmem(diagnostic->message, strlen(diagnostic->message), e->text.data, e->text.len);
}

void expected_handle(void *user, const dl_diagnostic *diagnostic) {
  expected *all = user;
  dl_loc loc = file_loc(diagnostic->loc);
  uint64_t line = loc && !strcmp(loc->name, all->path) ? loc->line : 0;
  for (size_t i = 0; i < all->list.len; i++)
    if (matches(&all->list.data[i], diagnostic, line)) {
      all->list.data[i].met = true;
      return;
    }
  complain(all, line, "unexpected %s: %s", severity_names[diagnostic->severity],
           diagnostic->message);
}

bool expected_finish(expected *all) {
  for (size_t i = 0; i < all->list.len; i++) {
    expectation *e = &all->list.data[i];
    if (!e->met)
      complain(all, e->line, "expected %s \"%.*s\" was not produced", severity_names[e->severity],
               (int)e->text.len, e->text.data);
    if (e->is_regex) regfree(&e->regex);
  }
  bool ok = all->failures == 0;
  DL_VEC_FREE(&all->list);
  DL_VEC_FREE(&all->waiting);
  free(all);
  return ok;
}
