// Pipeline text to pass managers and back.
//
//   pipeline := anchor '(' list ')'
//   list     := (element (',' element)*)?
//   element  := pass options? | named-pipeline | anchor '(' list ')'
//   anchor   := op-name | 'any'
//   options  := '{' (name ('=' value)?)* '}'
//   value    := text without spaces and braces | "…" | '…' | '{' … '}'
#include <ctype.h>

#include "ir/pass_internal.h"
#include "ir/suggest.h"

// Named pipelines may name others; a cycle shall not overflow the stack.
#define MAX_DEPTH 100

typedef struct parser {
  dl_context *ctx;
  dl_ident path;  // of the text in diagnostics
  dl_str text;
  size_t pos;
  unsigned depth;
} parser;

static dl_status parse_list(parser *p, dl_pipeline *into, char end);

static dl_loc loc_at(const parser *p, size_t pos) {
  uint64_t line = 1, column = 1;
  for (size_t i = 0; i < pos; i++) {
    column++;
    if (p->text.data[i] == '\n') line++, column = 1;
  }
  return dl_loc_file(p->ctx, p->path, line, column);
}

static char peek(parser *p) {
  while (p->pos < p->text.len && isspace((unsigned char)p->text.data[p->pos])) p->pos++;
  return p->pos < p->text.len ? p->text.data[p->pos] : '\0';
}

static bool accept(parser *p, char c) {
  if (peek(p) != c) return false;
  p->pos++;
  return true;
}

static bool is_name_char(char c) {
  return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '.';
}

static dl_str parse_name(parser *p) {
  peek(p);
  size_t start = p->pos;
  while (p->pos < p->text.len && is_name_char(p->text.data[p->pos])) p->pos++;
  return (dl_str){p->text.data + start, p->pos - start};
}

static size_t offset_of(const parser *p, dl_str part) { return (size_t)(part.data - p->text.data); }

static dl_status unknown_pass(parser *p, dl_str name) {
  dl_suggestion near = dl_suggest(name);
  for (size_t i = 0; i < dl_num_passes(p->ctx); i++)
    dl_suggest_offer(&near, dl_get_pass(p->ctx, i)->name);
  for (size_t i = 0; i < dl_num_pipelines(p->ctx); i++)
    dl_suggest_offer(&near, dl_get_pipeline(p->ctx, i)->name);
  dl_loc loc = loc_at(p, offset_of(p, name));
  if (near.best)
    return dl_error(loc, "no pass or pipeline is named '%.*s'; did you mean '%s'?", (int)name.len,
                    name.data, near.best);
  return dl_error(loc, "no pass or pipeline is named '%.*s'", (int)name.len, name.data);
}

static dl_status unknown_option(parser *p, const dl_pass_def *def, dl_str name) {
  dl_suggestion near = dl_suggest(name);
  for (size_t i = 0; i < def->num_options; i++) dl_suggest_offer(&near, def->options[i].name);
  dl_loc loc = loc_at(p, offset_of(p, name));
  if (near.best)
    return dl_error(loc, "pass '%s' has no option '%.*s'; did you mean '%s'?", def->name,
                    (int)name.len, name.data, near.best);
  return dl_error(loc, "pass '%s' has no option '%.*s'", def->name, (int)name.len, name.data);
}

// The text up to the closing character of what has been opened; braces nest.
static dl_status parse_delimited(parser *p, char open, char close, dl_str *value) {
  size_t start = ++p->pos, depth = 1;
  for (; p->pos < p->text.len; p->pos++) {
    char c = p->text.data[p->pos];
    if (c == close && --depth == 0) {
      *value = (dl_str){p->text.data + start, p->pos++ - start};
      return DL_OK;
    }
    if (c == open) depth++;
  }
  return dl_error(loc_at(p, start - 1), "'%c' is not closed", open);
}

static dl_status parse_value(parser *p, dl_str *value) {
  char c = p->pos < p->text.len ? p->text.data[p->pos] : '\0';
  if (c == '"' || c == '\'') return parse_delimited(p, c, c, value);
  if (c == '{') return parse_delimited(p, '{', '}', value);
  size_t start = p->pos;
  for (; p->pos < p->text.len; p->pos++) {
    c = p->text.data[p->pos];
    if (isspace((unsigned char)c) || c == '{' || c == '}') break;
  }
  *value = (dl_str){p->text.data + start, p->pos - start};
  return DL_OK;
}

static dl_status parse_option(parser *p, dl_pass *pass) {
  dl_str name = parse_name(p);
  if (!name.len) return dl_error(loc_at(p, p->pos), "the name of an option is expected");
  size_t option = 0;
  while (option < pass->def->num_options && !dl_str_is(name, pass->def->options[option].name))
    option++;
  if (option == pass->def->num_options) return unknown_option(p, pass->def, name);
  if (pass->options[option].set)
    return dl_error(loc_at(p, offset_of(p, name)), "option '%.*s' is given twice", (int)name.len,
                    name.data);
  char *text = NULL;
  size_t where = offset_of(p, name);
  if (accept(p, '=')) {
    where = p->pos;
    dl_str value;
    DL_TRY(parse_value(p, &value));
    text = strndup(value.data, value.len);
  }
  const char *wrong = dl_pass_set_option(pass, option, text);
  free(text);
  if (wrong)
    return dl_error(loc_at(p, where), "option '%s' of pass '%s': %s",
                    pass->def->options[option].name, pass->def->name, wrong);
  return DL_OK;
}

static dl_status parse_options(parser *p, dl_pass *pass) {
  size_t open = p->pos;
  if (!accept(p, '{')) return DL_OK;
  while (!accept(p, '}')) {
    if (!peek(p)) return dl_error(loc_at(p, open), "'{' is not closed");
    DL_TRY(parse_option(p, pass));
  }
  return DL_OK;
}

static dl_status check_anchor(parser *p, const dl_pass_def *def, dl_str name, dl_ident anchor) {
  if (!def->anchor || (anchor && !strcmp(def->anchor, anchor))) return DL_OK;
  return dl_error(loc_at(p, offset_of(p, name)),
                  "pass '%s' runs on '%s', not on '%s': write '%s(%s)'", def->name, def->anchor,
                  anchor ? anchor : "any", def->anchor, def->name);
}

static dl_status parse_named(parser *p, const dl_named_pipeline *named, dl_pipeline *into) {
  if (p->depth == MAX_DEPTH)
    return dl_error(loc_at(p, p->pos), "pipelines are nested too deeply in '%s'", named->name);
  dl_str text = dl_str_of(named->text);
  parser inner = {p->ctx, dl_intern_f(p->ctx, "<pipeline %s>", named->name), text, 0, p->depth + 1};
  dl_add_source(p->ctx, inner.path, text);
  return parse_list(&inner, into, '\0');
}

// An anchor must be a known, isolated op: passes on different ops of it must not see each other's
// work.
static dl_status resolve_anchor(parser *p, dl_str name, dl_ident *anchor) {
  *anchor = NULL;
  if (dl_str_is(name, "any")) return DL_OK;
  *anchor = dl_intern(p->ctx, name);
  const dl_op_def *def = dl_find_op_def(p->ctx, name);
  dl_loc loc = loc_at(p, offset_of(p, name));
  if (!def && dl_allows_unregistered(p->ctx)) return DL_OK;
  if (!def) return dl_error(loc, "no op is named '%s'", *anchor);
  if (!(def->traits & DL_ISOLATED))
    return dl_error(loc, "'%s' is not isolated from what is around it: no passes run on it",
                    *anchor);
  return DL_OK;
}

static dl_status parse_anchored(parser *p, dl_str name, dl_pipeline **out) {
  size_t open = p->pos;
  if (p->depth == MAX_DEPTH) return dl_error(loc_at(p, open), "pipelines are nested too deeply");
  dl_ident anchor;
  DL_TRY(resolve_anchor(p, name, &anchor));
  accept(p, '(');
  dl_pipeline *pipeline = dl_calloc(1, sizeof(*pipeline));
  *out = pipeline;
  pipeline->anchor = anchor;
  p->depth++;
  DL_TRY(parse_list(p, pipeline, ')'));
  p->depth--;
  if (accept(p, ')')) return DL_OK;
  return dl_error(loc_at(p, open), "'(' is not closed");
}

static dl_status parse_pass(parser *p, const dl_pass_def *def, dl_str name, dl_pipeline *into) {
  DL_TRY(check_anchor(p, def, name, into->anchor));
  dl_pass *pass = dl_pass_create(def);
  DL_PUSH(&into->stages, (dl_stage){.pass = pass});
  return parse_options(p, pass);
}

static dl_status parse_element(parser *p, dl_pipeline *into) {
  dl_str name = parse_name(p);
  if (!name.len) return dl_error(loc_at(p, p->pos), "the name of a pass or an op is expected");
  if (peek(p) == '(') {
    dl_pipeline *nested = NULL;
    dl_status status = parse_anchored(p, name, &nested);
    if (nested) DL_PUSH(&into->stages, (dl_stage){.nested = nested});
    return status;
  }
  const dl_pass_def *def = dl_find_pass(p->ctx, name);
  if (def) return parse_pass(p, def, name, into);
  const dl_named_pipeline *named = dl_find_pipeline(p->ctx, name);
  return named ? parse_named(p, named, into) : unknown_pass(p, name);
}

static dl_status parse_list(parser *p, dl_pipeline *into, char end) {
  if (peek(p) == end) return DL_OK;
  do DL_TRY(parse_element(p, into));
  while (accept(p, ','));
  if (peek(p) == end || !peek(p)) return DL_OK;
  return dl_error(loc_at(p, p->pos), "',' or ')' is expected");
}

static dl_status parse_root(parser *p, dl_pipeline **root) {
  dl_str name = parse_name(p);
  if (!name.len || peek(p) != '(')
    return dl_error(loc_at(p, offset_of(p, name)),
                    "a pipeline starts with the op it runs on: 'builtin.module(…)'");
  DL_TRY(parse_anchored(p, name, root));
  if (peek(p)) return dl_error(loc_at(p, p->pos), "nothing may follow the pipeline");
  return DL_OK;
}

dl_pass_manager *dl_parse_pipeline(dl_context *ctx, dl_str text) {
  char *copy = dl_context_alloc(ctx, text.len + 1);
  memcpy(copy, text.data, text.len);
  parser p = {ctx, dl_intern_z(ctx, "<pass-pipeline>"), {copy, text.len}, 0, 0};
  dl_add_source(ctx, p.path, p.text);
  dl_pipeline *root = NULL;
  if (parse_root(&p, &root) != DL_OK) {
    if (root) dl_pipeline_destroy(root);
    return NULL;
  }
  dl_pass_manager *pm = dl_calloc(1, sizeof(*pm));
  *pm = (dl_pass_manager){.ctx = ctx, .root = root};
  return pm;
}

void dl_pipeline_destroy(dl_pipeline *pipeline) {
  for (size_t i = 0; i < pipeline->stages.len; i++) {
    dl_stage stage = pipeline->stages.data[i];
    if (stage.pass) dl_pass_destroy(stage.pass);
    if (stage.nested) dl_pipeline_destroy(stage.nested);
  }
  DL_VEC_FREE(&pipeline->stages);
  free(pipeline);
}

static dl_pass *clone_pass(const dl_pass *pass) {
  dl_pass *clone = dl_pass_create(pass->def);
  for (size_t i = 0; i < pass->def->num_options; i++)
    if (pass->options[i].set) dl_pass_set_option(clone, i, pass->options[i].text);
  return clone;
}

dl_pipeline *dl_pipeline_clone(const dl_pipeline *pipeline) {
  dl_pipeline *clone = dl_calloc(1, sizeof(*clone));
  clone->anchor = pipeline->anchor;
  for (size_t i = 0; i < pipeline->stages.len; i++) {
    dl_stage stage = pipeline->stages.data[i];
    if (stage.pass) stage.pass = clone_pass(stage.pass);
    if (stage.nested) stage.nested = dl_pipeline_clone(stage.nested);
    DL_PUSH(&clone->stages, stage);
  }
  return clone;
}

static void add_up(dl_pipeline *pipeline, const dl_pipeline *clone) {
  for (size_t i = 0; i < pipeline->stages.len; i++) {
    dl_stage to = pipeline->stages.data[i], from = clone->stages.data[i];
    if (to.nested) add_up(to.nested, from.nested);
    if (!to.pass) continue;
    to.pass->seconds += from.pass->seconds;
    for (size_t k = 0; k < to.pass->def->num_statistics; k++)
      to.pass->statistics[k] += from.pass->statistics[k];
  }
}

void dl_pipeline_merge(dl_pipeline *pipeline, dl_pipeline *clone) {
  add_up(pipeline, clone);
  dl_pipeline_destroy(clone);
}

void dl_pass_manager_destroy(dl_pass_manager *pm) {
  dl_pipeline_destroy(pm->root);
  free(pm);
}

// --- printing ---

static void print_value(dl_buffer *out, const char *text) {
  bool plain = *text && !strpbrk(text, " \t\n{}\"'");
  if (plain)
    dl_buffer_puts(out, text);
  else
    dl_buffer_printf(out, strchr(text, '"') ? "'%s'" : "\"%s\"", text);
}

static void print_pass(dl_buffer *out, const dl_pass *pass) {
  dl_buffer_puts(out, pass->def->name);
  char before = '{';
  for (size_t i = 0; i < pass->def->num_options; i++) {
    if (!pass->options[i].set) continue;
    dl_buffer_printf(out, "%c%s=", before, pass->def->options[i].name);
    print_value(out, pass->options[i].text);
    before = ' ';
  }
  if (before == ' ') dl_buffer_putc(out, '}');
}

static void print_pipeline(dl_buffer *out, const dl_pipeline *pipeline) {
  dl_buffer_printf(out, "%s(", pipeline->anchor ? pipeline->anchor : "any");
  for (size_t i = 0; i < pipeline->stages.len; i++) {
    dl_stage stage = pipeline->stages.data[i];
    if (i) dl_buffer_putc(out, ',');
    if (stage.pass)
      print_pass(out, stage.pass);
    else
      print_pipeline(out, stage.nested);
  }
  dl_buffer_putc(out, ')');
}

void dl_print_pipeline(dl_buffer *out, const dl_pass_manager *pm) { print_pipeline(out, pm->root); }

void dl_for_each_pass(const dl_pipeline *pipeline, void (*visit)(dl_pass *pass, void *user),
                      void *user) {
  for (size_t i = 0; i < pipeline->stages.len; i++) {
    dl_stage stage = pipeline->stages.data[i];
    if (stage.pass)
      visit(stage.pass, user);
    else
      dl_for_each_pass(stage.nested, visit, user);
  }
}
