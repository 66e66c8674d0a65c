#include <errno.h>

#include "ir/context_internal.h"
#include "ir/pass_internal.h"

// --- registry ---

typedef struct registry {
  DL_VEC(const dl_pass_def *) passes;  // sorted by name
  DL_VEC(dl_named_pipeline) pipelines;
} registry;

static const char registry_key;

static void registry_destroy(void *data) {
  registry *known = data;
  DL_VEC_FREE(&known->passes);
  DL_VEC_FREE(&known->pipelines);
  free(known);
}

static registry *registry_of(dl_context *ctx) {
  registry *known = dl_context_get_cache(ctx, &registry_key);
  if (known) return known;
  known = dl_calloc(1, sizeof(*known));
  dl_context_set_cache(ctx, &registry_key, known, registry_destroy);
  return known;
}

static int compare_z(dl_str name, const char *other) {
  size_t len = strlen(other);
  int order = memcmp(name.data, other, name.len < len ? name.len : len);
  return order ? order : (name.len > len) - (name.len < len);
}

// The position of the name, or where it belongs.
static size_t lower_bound(const registry *known, dl_str name) {
  size_t low = 0, high = known->passes.len;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (compare_z(name, known->passes.data[middle]->name) > 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static dl_status register_pass(dl_context *ctx, registry *known, const dl_pass_def *def) {
  size_t at = lower_bound(known, dl_str_of(def->name));
  bool found = at < known->passes.len && !strcmp(known->passes.data[at]->name, def->name);
  if (found && known->passes.data[at] == def) return DL_OK;
  if (found || dl_find_pipeline(ctx, dl_str_of(def->name)))
    return dl_error(dl_loc_unknown(ctx), "a pass named '%s' is already registered", def->name);
  DL_PUSH(&known->passes, def);
  memmove(known->passes.data + at + 1, known->passes.data + at,
          (known->passes.len - 1 - at) * sizeof(def));
  known->passes.data[at] = def;
  return DL_OK;
}

dl_status dl_register_passes(dl_context *ctx, size_t count, const dl_pass_def *const *passes) {
  for (size_t i = 0; i < count; i++) DL_TRY(register_pass(ctx, registry_of(ctx), passes[i]));
  return DL_OK;
}

const dl_pass_def *dl_find_pass(dl_context *ctx, dl_str name) {
  const registry *known = registry_of(ctx);
  size_t at = lower_bound(known, name);
  return at < known->passes.len && dl_str_is(name, known->passes.data[at]->name)
             ? known->passes.data[at]
             : NULL;
}

size_t dl_num_passes(dl_context *ctx) { return registry_of(ctx)->passes.len; }

const dl_pass_def *dl_get_pass(dl_context *ctx, size_t i) {
  return registry_of(ctx)->passes.data[i];
}

dl_status dl_register_pipeline(dl_context *ctx, const char *name, const char *summary,
                               const char *text) {
  if (dl_find_pass(ctx, dl_str_of(name)) || dl_find_pipeline(ctx, dl_str_of(name)))
    return dl_error(dl_loc_unknown(ctx), "a pass or pipeline named '%s' is already registered",
                    name);
  DL_PUSH(&registry_of(ctx)->pipelines, (dl_named_pipeline){name, summary, text});
  return DL_OK;
}

const dl_named_pipeline *dl_find_pipeline(dl_context *ctx, dl_str name) {
  const registry *known = registry_of(ctx);
  for (size_t i = 0; i < known->pipelines.len; i++)
    if (dl_str_is(name, known->pipelines.data[i].name)) return &known->pipelines.data[i];
  return NULL;
}

size_t dl_num_pipelines(dl_context *ctx) { return registry_of(ctx)->pipelines.len; }

const dl_named_pipeline *dl_get_pipeline(dl_context *ctx, size_t i) {
  return &registry_of(ctx)->pipelines.data[i];
}

// --- passes with their options ---

static const char *parse_integer(const char *text, const char **end, int64_t *value) {
  char *stop;
  errno = 0;
  *value = strtoll(text, &stop, 10);
  if (stop == text) return "an integer is expected";
  if (errno) return "the integer does not fit in 64 bits";
  *end = stop;
  return NULL;
}

static const char *parse_list(const char *text, dl_option_value *value) {
  value->list.len = 0;
  if (!*text) return NULL;
  for (;; text++) {
    int64_t element;
    const char *wrong = parse_integer(text, &text, &element);
    if (wrong) return wrong;
    DL_PUSH(&value->list, element);
    if (!*text) return NULL;
    if (*text != ',') return "a comma-separated list of integers is expected";
  }
}

static const char *parse_option(dl_option_kind kind, const char *text, dl_option_value *value) {
  const char *end = text, *wrong;
  switch (kind) {
    case DL_OPTION_STRING:
      return NULL;
    case DL_OPTION_INT_LIST:
      return parse_list(text, value);
    case DL_OPTION_INT:
      wrong = parse_integer(text, &end, &value->integer);
      return wrong ? wrong : *end ? "an integer is expected" : NULL;
    case DL_OPTION_BOOL:
      value->integer = !strcmp(text, "true") || !strcmp(text, "1");
      return value->integer || !strcmp(text, "false") || !strcmp(text, "0")
                 ? NULL
                 : "true or false is expected";
  }
  return NULL;
}

static const char *implied_text(const dl_option_def *def) {
  if (def->default_value) return def->default_value;
  return def->kind == DL_OPTION_BOOL ? "false" : def->kind == DL_OPTION_INT ? "0" : "";
}

static void store_text(dl_option_value *value, const char *text) {
  char *copy = dl_malloc(strlen(text) + 1);
  strcpy(copy, text);
  free(value->text);
  value->text = copy;
}

const char *dl_pass_set_option(dl_pass *pass, size_t option, const char *text) {
  const dl_option_def *def = &pass->def->options[option];
  if (!text && def->kind != DL_OPTION_BOOL) return "a value is expected";
  if (!text) text = "true";
  dl_option_value *value = &pass->options[option];
  const char *wrong = parse_option(def->kind, text, value);
  if (wrong) return wrong;
  store_text(value, text);
  value->set = true;
  return NULL;
}

dl_pass *dl_pass_create(const dl_pass_def *def) {
  dl_pass *pass = dl_calloc(1, sizeof(*pass));
  pass->def = def;
  pass->options = dl_calloc(def->num_options + 1, sizeof(*pass->options));
  pass->statistics = dl_calloc(def->num_statistics + 1, sizeof(*pass->statistics));
  for (size_t i = 0; i < def->num_options; i++) {
    const char *wrong = dl_pass_set_option(pass, i, implied_text(&def->options[i]));
    if (wrong)
      dl_bug(NULL, "the default of option '%s' of pass '%s': %s", def->options[i].name, def->name,
             wrong);
    pass->options[i].set = false;
  }
  return pass;
}

void dl_pass_destroy(dl_pass *pass) {
  for (size_t i = 0; i < pass->def->num_options; i++) {
    free(pass->options[i].text);
    DL_VEC_FREE(&pass->options[i].list);
  }
  free(pass->options);
  free(pass->statistics);
  free(pass);
}

const dl_pass_def *dl_pass_def_of(const dl_pass *pass) { return pass->def; }

static const dl_option_value *option_of(const dl_pass *pass, const char *name,
                                        dl_option_kind kind) {
  const dl_pass_def *def = pass->def;
  for (size_t i = 0; i < def->num_options; i++)
    if (!strcmp(def->options[i].name, name) && def->options[i].kind == kind)
      return &pass->options[i];
  dl_bug(NULL, "pass '%s' declares no option '%s' of the type asked for", def->name, name);
}

bool dl_option_bool(const dl_pass *pass, const char *name) {
  return option_of(pass, name, DL_OPTION_BOOL)->integer != 0;
}

int64_t dl_option_int(const dl_pass *pass, const char *name) {
  return option_of(pass, name, DL_OPTION_INT)->integer;
}

dl_str dl_option_str(const dl_pass *pass, const char *name) {
  return dl_str_of(option_of(pass, name, DL_OPTION_STRING)->text);
}

size_t dl_option_list(const dl_pass *pass, const char *name, const int64_t **values) {
  const dl_option_value *value = option_of(pass, name, DL_OPTION_INT_LIST);
  *values = value->list.data;
  return value->list.len;
}

void dl_count(dl_pass *pass, const char *statistic, int64_t amount) {
  for (size_t i = 0; i < pass->def->num_statistics; i++)
    if (!strcmp(pass->def->statistics[i], statistic)) {
      pass->statistics[i] += amount;
      return;
    }
  dl_bug(NULL, "pass '%s' declares no statistic '%s'", pass->def->name, statistic);
}

void dl_pass_changed(dl_pass *pass) { pass->changed = true; }

void *dl_get_analysis(dl_pass *pass, const dl_analysis_def *analysis, dl_op *op) {
  for (size_t i = 0; i < pass->def->num_analyses; i++)
    if (pass->def->analyses[i] == analysis) return dl_analyses_get(pass->kept, analysis, op);
  dl_bug(op, "pass '%s' does not declare the analysis '%s' that it asks for", pass->def->name,
         analysis->name);
}

void dl_pass_print(dl_pass *pass, const char *text) {
  if (pass->out) dl_diag_write(dl_op_context(pass->kept->root), pass->out, text);
}
