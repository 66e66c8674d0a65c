// Parses the texts of an op definition: patterns, rules, attribute constraints, statements.
#include <ctype.h>
#include <pthread.h>
#include <stdatomic.h>

#include "ir/op_internal.h"
#include "ir/spec_internal.h"

// --- type classes and patterns ---

static const dl_spec_class *parse_classes(dl_spec_parser *p);

static const dl_spec_class *parse_class(dl_spec_parser *p) {
  if (p->depth++ > 50) return dl_spec_syntax(p, "less nesting"), NULL;
  dl_spec_class *c = dl_context_alloc(p->ctx, sizeof *c);
  if (dl_spec_accept(p, "!"))
    if (dl_spec_name(p, &c->dialect) || dl_spec_expect(p, ".")) return NULL;
  if (dl_spec_name(p, &c->name)) return NULL;
  if (dl_spec_accept(p, "<")) {
    c->inner = parse_classes(p);
    if (!c->inner || dl_spec_expect(p, ">")) return NULL;
  }
  p->depth--;
  return c;
}

static const dl_spec_class *parse_classes(dl_spec_parser *p) {
  const dl_spec_class *first = parse_class(p), *last = first;
  while (last && dl_spec_accept(p, "|")) {
    const dl_spec_class *next = parse_class(p);
    ((dl_spec_class *)last)->next = next;
    last = next;
  }
  return last ? first : NULL;
}

// Whether the name at the parser is followed by the text and the end of a dimension.
static bool is_marked_dim(const dl_spec_parser *p, const char *mark) {
  if (p->token != DL_TOK_NAME) return false;
  const char *at = p->at + strspn(p->at, " \n");
  if (strncmp(at, mark, strlen(mark)) != 0) return false;
  at += strlen(mark);
  at += strspn(at, " \n");
  return *at == ',' || *at == ']';
}

static dl_status parse_dim(dl_spec_parser *p, dl_spec_dim *dim) {
  *dim = (dl_spec_dim){.pack = is_marked_dim(p, "..."), .each = is_marked_dim(p, "*")};
  if (dim->pack || dim->each) {
    DL_TRY(dl_spec_name(p, &dim->name));
    dl_spec_next(p);
    return DL_OK;
  }
  dim->expr = dl_spec_parse_expr(p);
  if (!dim->expr) return DL_FAILED;
  if (dim->expr->kind == DL_NODE_NAME) dim->name = dim->expr->name;
  return DL_OK;
}

static dl_status parse_dims(dl_spec_parser *p, dl_spec_pattern *pattern) {
  DL_VEC(dl_spec_dim) dims = {0};
  const char *start = p->token_start - 1;
  dl_status status = DL_OK;
  while (status == DL_OK && !dl_spec_is(p, "]")) {
    dl_spec_dim dim;
    status = parse_dim(p, &dim);
    if (status == DL_OK) DL_PUSH(&dims, dim);
    if (status == DL_OK && !dl_spec_accept(p, ",")) break;
  }
  const char *end = p->at;
  if (status == DL_OK) status = dl_spec_expect(p, "]");
  dl_spec_dim *copy = dl_context_alloc(p->ctx, (dims.len + 1) * sizeof *copy);
  if (dims.len) memcpy(copy, dims.data, dims.len * sizeof *copy);
  pattern->is_tensor = true;
  pattern->num_dims = dims.len;
  pattern->dims = copy;
  pattern->dims_text = dl_intern(p->ctx, (dl_str){start, (size_t)(end - start)});
  DL_VEC_FREE(&dims);
  return status;
}

static const dl_spec_pattern *parse_pattern(dl_spec_parser *p) {
  dl_spec_pattern *pattern = dl_context_alloc(p->ctx, sizeof *pattern);
  pattern->classes = parse_classes(p);
  if (!pattern->classes) return NULL;
  if (dl_spec_accept(p, "[") && parse_dims(p, pattern)) return NULL;
  if (dl_spec_accept(p, "if")) {
    pattern->condition = dl_spec_parse_condition(p);
    if (!pattern->condition || dl_spec_expect(p, "else")) return NULL;
    pattern->otherwise = parse_pattern(p);
    if (!pattern->otherwise) return NULL;
  }
  return pattern;
}

static dl_status expect_end(dl_spec_parser *p) {
  return p->token == DL_TOK_END ? DL_OK : dl_spec_syntax(p, "the end");
}

static dl_status parse_patterns(dl_spec_parser *p, const char *kind, size_t count,
                                const dl_value_spec *specs, const dl_spec_pattern *const **out) {
  const dl_spec_pattern **patterns = dl_context_alloc(p->ctx, (count + 1) * sizeof *patterns);
  for (size_t i = 0; i < count; i++) {
    p->what = dl_intern_f(p->ctx, "%s '%s'", kind, specs[i].name);
    dl_spec_start(p, specs[i].constraint);
    patterns[i] = parse_pattern(p);
    if (!patterns[i]) return DL_FAILED;
    DL_TRY(expect_end(p));
  }
  *out = patterns;
  return DL_OK;
}

// --- attributes ---

static dl_status parse_choices(dl_spec_parser *p, dl_spec_attr_rule *rule) {
  DL_VEC(dl_ident) choices = {0};
  dl_status status;
  do {
    dl_ident choice;
    status = dl_spec_name(p, &choice);
    if (status == DL_OK) DL_PUSH(&choices, choice);
  } while (status == DL_OK && dl_spec_accept(p, "|"));
  dl_ident *copy = dl_context_alloc(p->ctx, (choices.len + 1) * sizeof *copy);
  if (choices.len) memcpy(copy, choices.data, choices.len * sizeof *copy);
  rule->num_choices = choices.len;
  rule->choices = copy;
  DL_VEC_FREE(&choices);
  return status ? status : dl_spec_expect(p, ")");
}

static bool is_attr_base(dl_ident name) {
  static const char *const bases[] = {"i64",   "i32",  "i8",    "i1",      "index", "integer",
                                      "f32",   "f64",  "float", "bool",    "unit",  "string",
                                      "type",  "map",  "set",   "symbol",  "dense", "elements",
                                      "array", "dict", "typed", "dialect", "any",   "dense_array"};
  for (size_t i = 0; i < DL_COUNT(bases); i++)
    if (!strcmp(bases[i], name)) return true;
  return false;
}

static dl_status parse_attr(dl_spec_parser *p, const dl_attr_spec *spec, dl_spec_attr_rule *rule) {
  p->what = dl_intern_f(p->ctx, "attribute '%s'", spec->name);
  rule->name = dl_intern_z(p->ctx, spec->name);
  dl_spec_start(p, spec->constraint);
  dl_str base = p->spelling;
  DL_TRY(dl_spec_name(p, &rule->base));
  if (!is_attr_base(rule->base))
    return dl_error(p->loc, "in %s: unknown kind of attribute '%.*s'", p->what, (int)base.len,
                    base.data);
  rule->number = dl_scalar_type_by_name(p->ctx, rule->base);
  if (dl_spec_accept(p, "[")) {
    rule->is_array = true;
    if (!dl_spec_is(p, "]") && !(rule->count = dl_spec_parse_expr(p))) return DL_FAILED;
    DL_TRY(dl_spec_expect(p, "]"));
  }
  if (dl_spec_accept(p, "(")) DL_TRY(parse_choices(p, rule));
  DL_TRY(expect_end(p));
  if (!spec->default_value) return DL_OK;
  dl_spec_start(p, spec->default_value);
  rule->otherwise = dl_spec_parse_expr(p);
  return rule->otherwise ? expect_end(p) : DL_FAILED;
}

static dl_status parse_attrs(dl_spec_parser *p, const dl_op_def *def, dl_spec *spec) {
  dl_spec_attr_rule *rules = dl_context_alloc(p->ctx, (def->num_attrs + 1) * sizeof *rules);
  for (size_t i = 0; i < def->num_attrs; i++) DL_TRY(parse_attr(p, &def->attrs[i], &rules[i]));
  spec->attrs = rules;
  return DL_OK;
}

// --- rules ---

static bool is_identifier(const char *text) {
  if (!isalpha((unsigned char)*text) && *text != '_') return false;
  while (isalnum((unsigned char)*text) || *text == '_') text++;
  return !*text;
}

static bool classes_name(const dl_spec_class *classes, dl_ident name) {
  for (; classes; classes = classes->next)
    if (classes->name == name || classes_name(classes->inner, name)) return true;
  return false;
}

static bool pattern_has_type(const dl_spec_pattern *pattern, dl_ident name) {
  for (; pattern; pattern = pattern->otherwise)
    if (classes_name(pattern->classes, name)) return true;
  return false;
}

static bool is_type_variable(const dl_spec *spec, dl_ident name) {
  for (size_t i = 0; i < spec->def->num_operands; i++)
    if (pattern_has_type(spec->operands[i], name)) return true;
  for (size_t i = 0; i < spec->def->num_results; i++)
    if (pattern_has_type(spec->results[i], name)) return true;
  return false;
}

// A rule for a type variable lists classes, unless it is an expression: a call, an attribute, a
// condition.
static bool lists_classes(const dl_spec_parser *p, const dl_spec *spec) {
  if (dl_spec_is(p, "!")) return true;
  if (p->token != DL_TOK_NAME) return false;
  for (size_t i = 0; i < spec->def->num_attrs; i++)
    if (dl_str_is(p->spelling, spec->def->attrs[i].name)) return false;
  const char *after = p->at + strspn(p->at, " \n");
  return *after == 0 || *after == '|' || *after == '<';
}

static dl_status parse_rule(dl_spec_parser *p, const dl_spec *spec, const dl_named_text *text,
                            dl_spec_rule *rule) {
  p->what = dl_intern_f(p->ctx, "rule '%s'", text->name);
  rule->name = dl_intern_z(p->ctx, text->name);
  size_t len = strlen(text->name);
  rule->kind = is_identifier(text->name) ? DL_RULE_DEFINITION : DL_RULE_CONDITION;
  if (!strncmp(text->name, "rank(", 5) && text->name[len - 1] == ')') {
    rule->kind = DL_RULE_RANK;
    rule->name = dl_intern(p->ctx, (dl_str){text->name + 5, len - 6});
  }
  dl_spec_start(p, text->text);
  if (rule->kind == DL_RULE_DEFINITION && is_type_variable(spec, rule->name) &&
      lists_classes(p, spec)) {
    rule->kind = DL_RULE_CLASS;
    rule->classes = parse_classes(p);
    return rule->classes ? expect_end(p) : DL_FAILED;
  }
  rule->expr = dl_spec_parse_expr(p);
  return rule->expr ? expect_end(p) : DL_FAILED;
}

static dl_status parse_rules(dl_spec_parser *p, const dl_op_def *def, dl_spec *spec) {
  dl_spec_rule *rules = dl_context_alloc(p->ctx, (def->num_where + 1) * sizeof *rules);
  for (size_t i = 0; i < def->num_where; i++)
    DL_TRY(parse_rule(p, spec, &def->where[i], &rules[i]));
  spec->num_rules = def->num_where;
  spec->rules = rules;
  return DL_OK;
}

// --- statements ---

static bool names_variadic_result(const dl_op_def *def, dl_ident name) {
  for (size_t i = 0; i < def->num_results; i++)
    if (def->results[i].arity == DL_VARIADIC && !strcmp(def->results[i].name, name)) return true;
  return false;
}

static dl_status parse_statement(dl_spec_parser *p, const dl_op_def *def, dl_spec_statement *s) {
  DL_TRY(dl_spec_name(p, &s->target));
  if (names_variadic_result(def, s->target)) {
    DL_TRY(dl_spec_expect(p, "["));
    DL_TRY(dl_spec_name(p, &s->variadic));
    DL_TRY(dl_spec_expect(p, "]"));
  }
  s->whole = !dl_spec_is(p, "[");
  if (dl_spec_accept(p, "[")) DL_TRY(dl_spec_parse_args(p, "]", &s->num_indices, &s->indices));
  DL_TRY(dl_spec_expect(p, "="));
  s->expr = dl_spec_parse_expr(p);
  if (!s->expr) return DL_FAILED;
  dl_spec_accept(p, ";");
  return DL_OK;
}

static dl_status parse_statements(dl_spec_parser *p, const dl_op_def *def, dl_spec *spec) {
  if (!def->compute) return DL_OK;
  p->what = "the computation";
  dl_spec_start(p, def->compute);
  DL_VEC(dl_spec_statement) list = {0};
  dl_status status = DL_OK;
  while (status == DL_OK && p->token != DL_TOK_END) {
    dl_spec_statement statement = {0};
    status = parse_statement(p, def, &statement);
    DL_PUSH(&list, statement);
  }
  dl_spec_statement *copy = dl_context_alloc(p->ctx, (list.len + 1) * sizeof *copy);
  if (list.len) memcpy(copy, list.data, list.len * sizeof *copy);
  spec->num_statements = list.len;
  spec->statements = copy;
  DL_VEC_FREE(&list);
  return status;
}

// --- entry points ---

static bool all_any(size_t count, const dl_spec_pattern *const *patterns) {
  for (size_t i = 0; i < count; i++) {
    const dl_spec_pattern *p = patterns[i];
    const dl_spec_class *c = p->classes;
    if (p->condition || p->is_tensor || c->next || c->inner || c->dialect || strcmp(c->name, "any"))
      return false;
  }
  return true;
}

static bool is_free(const dl_spec *spec) {
  const dl_op_def *def = spec->def;
  for (size_t i = 0; i < def->num_attrs; i++)
    if (spec->attrs[i].count) return false;
  return !spec->num_rules && all_any(def->num_operands, spec->operands) &&
         all_any(def->num_results, spec->results);
}

const dl_spec *dl_spec_parse(dl_context *ctx, const dl_op_def *def, dl_loc loc) {
  dl_spec *spec = dl_context_alloc(ctx, sizeof *spec);
  dl_spec_parser p = {.ctx = ctx, .loc = loc};
  spec->def = def;
  if (parse_patterns(&p, "operand", def->num_operands, def->operands, &spec->operands) ||
      parse_patterns(&p, "result", def->num_results, def->results, &spec->results) ||
      parse_attrs(&p, def, spec) || parse_rules(&p, def, spec) || parse_statements(&p, def, spec)) {
    dl_note(loc, "in the definition of '%s'", def->name);
    return NULL;
  }
  spec->is_free = is_free(spec);
  return spec;
}

dl_status dl_spec_check(dl_context *ctx, const dl_op_def *def, dl_loc loc) {
  return dl_spec_parse(ctx, def, loc) ? DL_OK : DL_FAILED;
}

typedef struct spec_cache {
  pthread_mutex_t lock;
  dl_ptr_map specs;  // definition -> dl_spec
} spec_cache;

static const char cache_key;

static void destroy_cache(void *data) {
  spec_cache *cache = data;
  dl_ptr_map_free(&cache->specs);
  pthread_mutex_destroy(&cache->lock);
  free(cache);
}

void dl_spec_prepare(dl_context *ctx) {
  if (dl_context_get_cache(ctx, &cache_key)) return;
  spec_cache *cache = dl_calloc(1, sizeof *cache);
  pthread_mutex_init(&cache->lock, NULL);
  dl_context_set_cache(ctx, &cache_key, cache, destroy_cache);
}

static const dl_spec *cached_spec(dl_context *ctx, const dl_op_def *def, const dl_op *op) {
  spec_cache *cache = dl_context_get_cache(ctx, &cache_key);
  if (!cache) dl_bug(NULL, "a spec is used in a context without dialects");
  pthread_mutex_lock(&cache->lock);
  const dl_spec *spec = dl_ptr_map_get(&cache->specs, def);
  pthread_mutex_unlock(&cache->lock);
  if (spec) return spec;
  spec = dl_spec_parse(ctx, def, dl_op_loc(op));
  if (!spec) return NULL;
  pthread_mutex_lock(&cache->lock);
  dl_ptr_map_set(&cache->specs, def, (void *)spec);
  pthread_mutex_unlock(&cache->lock);
  return spec;
}

const dl_spec *dl_spec_of(const dl_op *op) {
  dl_op_info *info = (dl_op_info *)op->info;
  const dl_spec *spec = atomic_load_explicit(&info->spec, memory_order_acquire);
  if (spec) return spec;
  spec = cached_spec(info->ctx, info->def, op);
  atomic_store_explicit(&info->spec, spec, memory_order_release);
  return spec;
}

dl_status dl_op_info_spec(const dl_op *op, const dl_spec **spec) {
  *spec = atomic_load_explicit(&op->info->spec, memory_order_acquire);
  if (*spec) return DL_OK;
  if (dl_find_op_def(op->info->ctx, op->info->name) != op->info->def) return DL_OK;
  *spec = dl_spec_of(op);
  return *spec ? DL_OK : DL_FAILED;
}
