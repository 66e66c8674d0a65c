// The driver follows the order of the text, parents first. An op that is not legal is folded or
// rewritten by the first pattern that succeeds; a pattern succeeds when all that it built becomes
// legal too, which is tried at once and taken back if it fails.
#include "ir/conversion_internal.h"

// How deep patterns may apply to what patterns built.
#define MAX_DEPTH 200

static bool legalize(dl_conversion *cv, dl_op *op);

// --- legality ---

static bool rule_names(const dl_legality_rule *rule, const dl_op *op) {
  if (rule->op) return rule->op == dl_op_def_of(op);
  size_t len = rule->dialect ? strlen(rule->dialect) : 0;
  const char *name = dl_op_name(op);
  return !rule->dialect || (!strncmp(name, rule->dialect, len) && name[len] == '.');
}

static int specificity(const dl_legality_rule *rule) {
  return rule->op ? 2 : rule->dialect != NULL;
}

static const dl_legality_rule *rule_for(const dl_conversion *cv, const dl_op *op) {
  const dl_legality_rule *best = NULL;
  for (size_t i = 0; i < cv->config->num_rules; i++) {
    const dl_legality_rule *rule = &cv->config->rules[i];
    if (rule_names(rule, op) && (!best || specificity(rule) > specificity(best))) best = rule;
  }
  return best;
}

static dl_legality legality_of(const dl_conversion *cv, const dl_op *op, bool *recursive) {
  const dl_legality_rule *rule = rule_for(cv, op);
  *recursive = false;
  if (!rule || rule->legality == DL_UNKNOWN_LEGALITY) return DL_UNKNOWN_LEGALITY;
  bool holds = !rule->holds || rule->holds(cv, op);
  bool legal = (rule->legality == DL_LEGAL) == holds;
  *recursive = legal && rule->recursive;
  return legal ? DL_LEGAL : DL_ILLEGAL;
}

// --- reasons ---

static void add_reason(dl_conversion *cv, dl_loc loc, const char *text) {
  const dl_reason *last = cv->reasons.len ? &cv->reasons.data[cv->reasons.len - 1] : NULL;
  if (last && last->loc == loc && !strcmp(last->text, text)) return;
  char *copy = dl_malloc(strlen(text) + 1);
  strcpy(copy, text);
  DL_PUSH(&cv->reasons, (dl_reason){loc, copy});
}

static void clear_reasons(dl_conversion *cv) {
  for (size_t i = 0; i < cv->reasons.len; i++) free(cv->reasons.data[i].text);
  cv->reasons.len = 0;
}

dl_outcome dl_cv_no_match(dl_conversion *cv, const char *format, ...) {
  dl_buffer text = {0};
  dl_buffer_printf(&text, "pattern '%s' does not apply: ", cv->pattern);
  va_list args;
  va_start(args, format);
  dl_buffer_vprintf(&text, format, args);
  va_end(args);
  add_reason(cv, cv->builder.loc, text.data);
  dl_buffer_free(&text);
  return DL_NO_MATCH;
}

static void blame_built(dl_conversion *cv, const char *pattern, const dl_op *op) {
  dl_buffer text = {0};
  dl_buffer_printf(&text, "pattern '%s' builds '%s', which is not legal", pattern, dl_op_name(op));
  add_reason(cv, dl_op_loc(op), text.data);
  dl_buffer_free(&text);
}

// --- what patterns built ---

void *dl_cv_user(const dl_conversion *cv) { return cv->config->user; }
dl_builder *dl_cv_builder(dl_conversion *cv) { return &cv->builder; }

// New ops below `op`, itself included, parents first. Ops that were there before have their turn.
static void list_new(const dl_conversion *cv, dl_op *op, dl_op_list *ops) {
  if (dl_ptr_map_has(&cv->original, op)) return;
  DL_PUSH(ops, op);
  for (size_t i = 0; i < dl_num_regions(op); i++) DL_FOR_BLOCKS(block, dl_op_region(op, i)) {
      DL_FOR_OPS(inner, block) list_new(cv, inner, ops);
    }
}

// What the changes from `mark` on leave to be made legal.
static void list_unsettled(const dl_conversion *cv, size_t mark, dl_op_list *ops) {
  for (size_t i = mark; i < cv->journal.len; i++) {
    const dl_change *change = &cv->journal.data[i];
    if (change->kind == DL_CHANGE_MODIFIED) DL_PUSH(ops, change->op);
    if (change->kind != DL_CHANGE_BUILT) continue;
    dl_op *op = change->previous ? dl_op_next(change->previous) : dl_block_first(change->block);
    for (; op != change->op; op = dl_op_next(op)) list_new(cv, op, ops);
  }
}

static bool legalize_changes(dl_conversion *cv, size_t mark, const char *pattern) {
  dl_op_list ops = {0};
  list_unsettled(cv, mark, &ops);
  bool legal = true;
  for (size_t i = 0; i < ops.len && legal; i++) {
    if (dl_is_replaced(cv, ops.data[i])) continue;
    legal = legalize(cv, ops.data[i]);
    if (!legal && !cv->diagnosed) blame_built(cv, pattern, ops.data[i]);
  }
  DL_VEC_FREE(&ops);
  return legal;
}

static void start_building(dl_conversion *cv, dl_op *op) {
  cv->builder = (dl_builder){.ctx = dl_op_context(op), .loc = dl_op_loc(op)};
  if (!dl_op_block(op)) return;
  cv->builder = dl_builder_before(op);
  dl_note_building(cv, op);
}

// --- folding and patterns ---

static dl_value *folded_value(dl_conversion *cv, dl_op *op, size_t i, dl_folded folded) {
  if (folded.value) return folded.value;
  const dl_dialect_def *dialect = dl_dialect_of(op);
  dl_type type = dl_value_type(dl_result(op, i));
  if (!dialect || !dialect->materialize_constant) return NULL;
  dl_op *constant = dialect->materialize_constant(&cv->builder, folded.constant, type);
  return constant ? dl_result(constant, 0) : NULL;
}

static bool replace_by_folded(dl_conversion *cv, dl_op *op, const dl_folded *folded) {
  dl_value_list values = {0};
  bool done = true;
  for (size_t i = 0; i < dl_num_results(op) && done; i++) {
    dl_value *value = folded_value(cv, op, i, folded[i]);
    done = value != NULL;
    DL_PUSH(&values, value);
  }
  if (done) dl_cv_replace(cv, op, values.len, values.data);
  DL_VEC_FREE(&values);
  return done;
}

static bool fold(dl_conversion *cv, dl_op *op) {
  size_t count = dl_num_results(op), mark = cv->journal.len;
  if (!count || dl_has_trait(op, DL_CONSTANT) || !dl_op_def_of(op)->fold) return false;
  dl_folded *folded = dl_calloc(count, sizeof(*folded));
  start_building(cv, op);
  bool done = dl_try_fold(op, folded) && replace_by_folded(cv, op, folded) &&
              legalize_changes(cv, mark, "folding");
  free(folded);
  if (!done) dl_undo(cv, mark);
  return done;
}

static bool apply(dl_conversion *cv, dl_op *op, size_t index) {
  const dl_conversion_pattern *pattern = &cv->config->patterns[index];
  size_t mark = cv->journal.len;
  bool was_active = cv->active[index];
  cv->active[index] = true;
  start_building(cv, op);
  cv->pattern = pattern->name;
  dl_outcome outcome = pattern->convert(cv, op);
  if (outcome == DL_REWRITE_FAILED) cv->diagnosed = true;
  bool done = outcome == DL_CHANGED && legalize_changes(cv, mark, pattern->name);
  if (!done) dl_undo(cv, mark);
  cv->active[index] = was_active;
  return done;
}

static bool rewrite(dl_conversion *cv, dl_op *op) {
  for (size_t i = 0; i < cv->config->num_patterns && !cv->diagnosed; i++) {
    size_t index = cv->order[i];
    const dl_conversion_pattern *pattern = &cv->config->patterns[index];
    if (pattern->root && pattern->root != dl_op_def_of(op)) continue;
    if (cv->active[index] && !pattern->recursive) continue;
    if (apply(cv, op, index)) return true;
  }
  return false;
}

static bool is_own_cast(const dl_conversion *cv, const dl_op *op) {
  for (size_t i = cv->casts.len; i-- > 0;)
    if (cv->casts.data[i] == op) return true;
  return false;
}

static bool legalize(dl_conversion *cv, dl_op *op) {
  bool recursive;
  if (legality_of(cv, op, &recursive) == DL_LEGAL) {
    if (recursive) dl_ptr_map_set(&cv->sheltered, op, op);
    return true;
  }
  if (is_own_cast(cv, op)) return true;
  if (cv->depth == MAX_DEPTH) {
    add_reason(cv, dl_op_loc(op), "patterns apply to what they build without an end");
    return false;
  }
  cv->depth++;
  bool done = fold(cv, op) || rewrite(cv, op);
  cv->depth--;
  return done;
}

// --- the whole ---

static bool list_op(dl_op *op, void *user) {
  dl_conversion *cv = user;
  dl_ptr_map_set(&cv->original, op, op);
  DL_PUSH(&cv->worklist, op);
  return true;
}

static bool is_sheltered(const dl_conversion *cv, const dl_op *op) {
  for (op = dl_op_parent(op); op; op = dl_op_parent(op))
    if (dl_ptr_map_has(&cv->sheltered, op)) return true;
  return false;
}

static dl_status report(const dl_conversion *cv, const dl_op *op) {
  bool recursive, illegal = legality_of(cv, op, &recursive) == DL_ILLEGAL;
  dl_error(dl_op_loc(op), "failed to legalize operation '%s'%s", dl_op_name(op),
           illegal ? " that was explicitly marked illegal" : "");
  for (size_t i = 0; i < cv->reasons.len; i++)
    dl_note(cv->reasons.data[i].loc, "%s", cv->reasons.data[i].text);
  return DL_FAILED;
}

static dl_status convert_op(dl_conversion *cv, dl_op *op) {
  bool recursive;
  clear_reasons(cv);
  cv->diagnosed = false;
  if (legalize(cv, op)) return DL_OK;
  if (cv->diagnosed) return DL_FAILED;
  bool may_stay = !cv->full && legality_of(cv, op, &recursive) == DL_UNKNOWN_LEGALITY;
  return may_stay ? DL_OK : report(cv, op);
}

// Goes on after a failure, to tell all ops that cannot be converted.
static dl_status convert_all(dl_conversion *cv) {
  dl_status status = DL_OK;
  dl_walk(cv->root, list_op, cv);
  for (size_t i = 0; i < cv->worklist.len; i++) {
    dl_op *op = cv->worklist.data[i];
    if (dl_is_replaced(cv, op) || is_sheltered(cv, op)) continue;
    if (convert_op(cv, op) != DL_OK) status = DL_FAILED;
  }
  return status;
}

static void sort_patterns(dl_conversion *cv) {
  const dl_conversion_pattern *patterns = cv->config->patterns;
  for (unsigned i = 0; i < cv->config->num_patterns; i++) {
    unsigned at = i;
    for (; at && patterns[cv->order[at - 1]].benefit < patterns[i].benefit; at--)
      cv->order[at] = cv->order[at - 1];
    cv->order[at] = i;
  }
}

static void conversion_free(dl_conversion *cv) {
  clear_reasons(cv);
  for (size_t i = 0; i < cv->mapping.capacity; i++)
    if (cv->mapping.keys && cv->mapping.keys[i]) free(cv->mapping.values[i]);
  dl_ptr_map_free(&cv->mapping);
  dl_ptr_map_free(&cv->replaced);
  dl_ptr_map_free(&cv->converted);
  dl_ptr_map_free(&cv->original);
  dl_ptr_map_free(&cv->sheltered);
  DL_VEC_FREE(&cv->journal);
  DL_VEC_FREE(&cv->worklist);
  DL_VEC_FREE(&cv->casts);
  DL_VEC_FREE(&cv->reasons);
  free(cv->order);
  free(cv->active);
}

static dl_status convert(dl_op *root, const dl_conversion_config *config, bool full,
                         bool *changed) {
  dl_conversion cv = {.root = root,
                      .config = config,
                      .full = full,
                      .order = dl_calloc(config->num_patterns + 1, sizeof(unsigned)),
                      .active = dl_calloc(config->num_patterns + 1, sizeof(bool))};
  sort_patterns(&cv);
  dl_status status = convert_all(&cv);
  if (status == DL_OK) {
    dl_connect_users(&cv);
    status = dl_resolve_casts(&cv);
  }
  bool any = cv.journal.len > 0;
  if (status == DL_OK)
    dl_commit(&cv);
  else
    dl_undo(&cv, 0);
  if (changed) *changed = any && status == DL_OK;
  conversion_free(&cv);
  return status;
}

dl_status dl_apply_partial_conversion(dl_op *root, const dl_conversion_config *config,
                                      bool *changed) {
  return convert(root, config, false, changed);
}

dl_status dl_apply_full_conversion(dl_op *root, const dl_conversion_config *config, bool *changed) {
  return convert(root, config, true, changed);
}
