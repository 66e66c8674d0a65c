// Matches operand types against the patterns of a spec and so binds its variables.
#include <ctype.h>

#include "ir/spec_bind.h"

// --- variables ---

dl_spec_variable *dl_find_variable(dl_binder *b, dl_ident name) {
  for (size_t i = 0; i < b->variables.len; i++)
    if (b->variables.data[i].name == name) return &b->variables.data[i];
  return NULL;
}

static dl_spec_variable *add_variable(dl_binder *b, dl_ident name) {
  dl_spec_variable *found = dl_find_variable(b, name);
  if (found) return found;
  DL_PUSH(&b->variables, (dl_spec_variable){.name = name});
  return &b->variables.data[b->variables.len - 1];
}

static bool starts_upper(dl_ident name) { return isupper((unsigned char)*name); }

static bool names_part(const dl_op_def *def, dl_ident name) {
  for (size_t i = 0; i < def->num_attrs; i++)
    if (!strcmp(def->attrs[i].name, name)) return true;
  for (size_t i = 0; i < def->num_operands; i++)
    if (!strcmp(def->operands[i].name, name)) return true;
  return false;
}

static void add_names(dl_binder *b, const dl_spec_node *node) {
  if (node->kind == DL_NODE_NAME && starts_upper(node->name) &&
      !names_part(b->spec->def, node->name))
    add_variable(b, node->name);
  for (size_t i = 0; i < node->num_args; i++) add_names(b, node->args[i]);
}

static void add_class_variables(dl_binder *b, const dl_spec_class *c) {
  for (; c; c = c->next) {
    if (!c->dialect && starts_upper(c->name)) add_variable(b, c->name);
    add_class_variables(b, c->inner);
  }
}

static void add_pattern_variables(dl_binder *b, const dl_spec_pattern *pattern) {
  for (; pattern; pattern = pattern->otherwise) {
    add_class_variables(b, pattern->classes);
    for (size_t i = 0; i < pattern->num_dims; i++) {
      if (pattern->dims[i].expr)
        add_names(b, pattern->dims[i].expr);
      else
        add_variable(b, pattern->dims[i].name);
    }
  }
}

static void collect_variables(dl_binder *b) {
  const dl_spec *spec = b->spec;
  for (size_t i = 0; i < spec->num_rules; i++) {
    const dl_spec_rule *rule = &spec->rules[i];
    if (rule->kind == DL_RULE_CLASS || rule->kind == DL_RULE_DEFINITION)
      add_variable(b, rule->name)->rule = rule;
  }
  for (size_t i = 0; i < spec->def->num_operands; i++) add_pattern_variables(b, spec->operands[i]);
  for (size_t i = 0; i < spec->def->num_results; i++) add_pattern_variables(b, spec->results[i]);
}

static bool is_open(const dl_spec_variable *v) {
  return v->state == DL_VAR_UNSET && (!v->rule || v->rule->kind == DL_RULE_CLASS);
}

static void set_variable(dl_spec_variable *v, dl_bound_value value) {
  v->value = value;
  v->state = DL_VAR_SET;
}

// --- type classes ---

dl_type dl_scalar_type_by_name(dl_context *ctx, const char *name) {
  if (!strcmp(name, "index")) return dl_index_type(ctx);
  if (!strcmp(name, "bool")) return dl_int_type(ctx, 1);
  for (dl_float_kind kind = DL_F16; kind <= DL_F4E2M1FN; kind++)
    if (!strcmp(name, dl_float_name(kind))) return dl_float_type(ctx, kind);
  dl_signedness sign = DL_SIGNLESS;
  const char *digits = name + 1;
  if (name[0] == 's' && name[1] == 'i')
    sign = DL_SIGNED, digits++;
  else if (name[0] == 'u' && name[1] == 'i')
    sign = DL_UNSIGNED, digits++;
  else if (name[0] != 'i')
    return NULL;
  size_t count = strlen(digits);
  if (!count || count > 5 || strspn(digits, "0123456789") != count || *digits == '0') return NULL;
  return dl_integer_type(ctx, (unsigned)atoi(digits), sign);
}

static bool is_container(dl_type type, const char *name) {
  if (type->kind == DL_TYPE_TENSOR)
    return !strcmp(name, "tensor") || (!strcmp(name, "ranked_tensor") && !type->unranked);
  return (type->kind == DL_TYPE_VECTOR && !strcmp(name, "vector")) ||
         (type->kind == DL_TYPE_MEMREF && !strcmp(name, "memref")) ||
         (type->kind == DL_TYPE_COMPLEX && !strcmp(name, "complex"));
}

static bool is_kind(dl_type type, const char *name) {
  static const struct {
    const char *name;
    dl_type_kind kind;
  } kinds[] = {{"integer", DL_TYPE_INTEGER}, {"float", DL_TYPE_FLOAT},
               {"none", DL_TYPE_NONE},       {"index", DL_TYPE_INDEX},
               {"tuple", DL_TYPE_TUPLE},     {"function", DL_TYPE_FUNCTION}};
  for (size_t i = 0; i < DL_COUNT(kinds); i++)
    if (!strcmp(kinds[i].name, name)) return type->kind == kinds[i].kind;
  return false;
}

// number: integer, index or float; x_like: x, or a vector or tensor of x.
static bool is_class(dl_context *ctx, dl_type type, const char *name) {
  size_t len = strlen(name);
  if (len > 5 && !strcmp(name + len - 5, "_like")) {
    dl_str base = {name, len - 5};
    return is_class(ctx, dl_element_type(type), dl_intern(ctx, base));
  }
  if (!strcmp(name, "any") || is_kind(type, name)) return true;
  if (!strcmp(name, "number"))
    return is_kind(type, "integer") || is_kind(type, "index") || is_kind(type, "float");
  if (!strcmp(name, "scalar"))
    return is_class(ctx, type, "number") || is_container(type, "complex");
  if (!strcmp(name, "signless"))
    return dl_is_index(type) || (dl_is_integer(type) && type->signedness == DL_SIGNLESS);
  return dl_scalar_type_by_name(ctx, name) == type;
}

static bool match_type_variable(dl_binder *b, dl_spec_variable *v, dl_type type) {
  if (v->state == DL_VAR_SET) return v->value.kind == DL_BV_TYPE && v->value.type == type;
  if (v->rule && v->rule->kind == DL_RULE_DEFINITION) {
    dl_bound_value value;
    return !dl_eval_variable(b, v, &value) && value.kind == DL_BV_TYPE && value.type == type;
  }
  if (v->rule && !dl_classes_match(b, v->rule->classes, type)) return false;
  set_variable(v, (dl_bound_value){.kind = DL_BV_TYPE, .type = type});
  return true;
}

static bool class_matches(dl_binder *b, const dl_spec_class *c, dl_type type) {
  if (c->dialect) {
    if (!dl_is_dialect_type(type, c->dialect, c->name)) return false;
    if (!c->inner) return true;
    return type->num_params && type->params[0]->kind == DL_ATTR_TYPE &&
           dl_classes_match(b, c->inner, type->params[0]->type);
  }
  if (is_container(type, c->name)) return !c->inner || dl_classes_match(b, c->inner, type->element);
  dl_spec_variable *v = starts_upper(c->name) ? dl_find_variable(b, c->name) : NULL;
  return v ? match_type_variable(b, v, type) : !c->inner && is_class(b->ctx, type, c->name);
}

bool dl_classes_match(dl_binder *b, const dl_spec_class *classes, dl_type type) {
  for (; classes; classes = classes->next)
    if (class_matches(b, classes, type)) return true;
  return false;
}

// --- messages ---

static dl_status type_error(dl_binder *b, const char *what, dl_type type, const char *constraint,
                            const dl_spec_pattern *pattern) {
  dl_buffer text = {0};
  dl_print_type(&text, type);
  dl_buffer_printf(&text, ", expected '%s'", constraint);
  const dl_spec_class *c = pattern->classes;
  dl_spec_variable *v = c && !c->next ? dl_find_variable(b, c->name) : NULL;
  for (size_t i = 0; v && v->state == DL_VAR_UNSET && i < b->spec->def->num_where; i++)
    if (!strcmp(b->spec->def->where[i].name, v->name))
      dl_buffer_printf(&text, " with %s: %s", v->name, b->spec->def->where[i].text);
  if (v && v->state == DL_VAR_SET && v->value.kind == DL_BV_TYPE) {
    dl_buffer_printf(&text, " with %s = ", v->name);
    dl_print_type(&text, v->value.type);
  }
  dl_error(dl_op_loc(b->op), "'%s': %s has type %s", dl_op_name(b->op), what, text.data);
  dl_buffer_free(&text);
  return DL_FAILED;
}

// --- dimensions ---

static const dl_spec_rule *find_rank_rule(dl_binder *b, dl_ident name) {
  for (size_t i = 0; i < b->spec->num_rules; i++)
    if (b->spec->rules[i].kind == DL_RULE_RANK && b->spec->rules[i].name == name)
      return &b->spec->rules[i];
  return NULL;
}

// How many dimensions a pack stands for; -1 when nothing says.
static dl_status pack_rank(dl_binder *b, dl_ident name, int64_t *rank) {
  const dl_spec_variable *v = dl_find_variable(b, name);
  const dl_spec_rule *rule = find_rank_rule(b, name);
  *rank = -1;
  if (v->state == DL_VAR_SET) {
    *rank = (int64_t)v->value.count;
  } else if (rule) {
    b->part = dl_intern_f(b->ctx, "rule 'rank(%s)'", name);
    return dl_eval_int(b, rule->expr, rank);
  }
  return DL_OK;
}

static dl_status rank_error(dl_binder *b, const char *what, size_t rank,
                            const dl_spec_pattern *pattern, bool at_least, int64_t expected) {
  return dl_error(dl_op_loc(b->op), "'%s': %s has %zu dimension%s, expected %s%lld %s",
                  dl_op_name(b->op), what, rank, rank == 1 ? "" : "s", at_least ? "at least " : "",
                  (long long)expected, pattern->dims_text);
}

// Finds the ranks of the packs of a pattern: the single one that nothing else determines takes what
// is left.
static dl_status pack_ranks(dl_binder *b, const char *what, const dl_spec_pattern *pattern,
                            size_t rank, int64_t *ranks) {
  int64_t fixed = 0;
  size_t open = SIZE_MAX;
  for (size_t i = 0; i < pattern->num_dims; i++) {
    ranks[i] = 1;
    if (pattern->dims[i].pack) DL_TRY(pack_rank(b, pattern->dims[i].name, &ranks[i]));
    if (ranks[i] < 0 && open != SIZE_MAX)
      return dl_spec_fail(b, "nothing says how many dimensions '%s' has", pattern->dims[i].name);
    if (ranks[i] < 0)
      open = i;
    else
      fixed += ranks[i];
  }
  bool fits = open == SIZE_MAX ? fixed == (int64_t)rank : fixed <= (int64_t)rank;
  if (!fits) return rank_error(b, what, rank, pattern, open != SIZE_MAX, fixed);
  if (open != SIZE_MAX) ranks[open] = (int64_t)rank - fixed;
  return DL_OK;
}

static dl_status size_error(dl_binder *b, const char *what, size_t dim, dl_expr actual,
                            dl_expr expected, const char *name) {
  return dl_error(dl_op_loc(b->op), "'%s': %s has size %lld in dimension %zu, expected %lld (%s)",
                  dl_op_name(b->op), what, (long long)actual->value, dim,
                  (long long)expected->value, name);
}

static bool differ(dl_expr a, dl_expr b) {
  dl_expr difference = dl_expr_sub(a, b);
  return difference->kind == DL_EXPR_CONST && difference->value != 0;
}

// Binds a size variable, or compares with what it is bound to; a constant is preferred to a symbol.
static dl_status bind_size(dl_binder *b, const char *what, size_t dim, dl_ident name,
                           dl_bound_value *slot, bool set, dl_expr size) {
  if (!set || slot->kind != DL_BV_INT) {
    *slot = dl_int_value(size);
    return DL_OK;
  }
  bool both = slot->expr->kind == DL_EXPR_CONST && size->kind == DL_EXPR_CONST;
  if (both && slot->expr != size) return size_error(b, what, dim, size, slot->expr, name);
  if (size->kind == DL_EXPR_CONST) slot->expr = size;
  return DL_OK;
}

static dl_status bind_pack(dl_binder *b, const char *what, size_t dim, dl_spec_variable *v,
                           const dl_expr *sizes, size_t count) {
  dl_bound_value *items = dl_arena_alloc(b->arena, (count + 1) * sizeof *items);
  bool set = v->state == DL_VAR_SET;
  for (size_t i = 0; i < count; i++) {
    if (set) items[i] = v->value.items[i];
    DL_TRY(bind_size(b, what, dim + i, v->name, &items[i], set, sizes[i]));
  }
  set_variable(v, dl_list_value(b, count, items));
  return DL_OK;
}

// Sizes that differ from entry to entry of a variadic operand become a list.
static void bind_each(dl_binder *b, dl_spec_variable *v, dl_expr size) {
  size_t count = v->state == DL_VAR_SET ? v->value.count : 0;
  dl_bound_value *items = dl_arena_alloc(b->arena, (count + 1) * sizeof *items);
  if (count) memcpy(items, v->value.items, count * sizeof *items);
  items[count] = dl_int_value(size);
  set_variable(v, dl_list_value(b, count + 1, items));
}

static bool is_defined(const dl_spec_variable *v) {
  return v->rule && v->rule->kind == DL_RULE_DEFINITION;
}

static dl_status bind_dim(dl_binder *b, const char *what, size_t at, const dl_spec_dim *dim,
                          const dl_expr *sizes, size_t count) {
  dl_spec_variable *v = dim->name ? dl_find_variable(b, dim->name) : NULL;
  if (!v || is_defined(v)) return DL_OK;
  if (dim->pack) return bind_pack(b, what, at, v, sizes, count);
  if (dim->each) return bind_each(b, v, *sizes), DL_OK;
  DL_TRY(bind_size(b, what, at, v->name, &v->value, v->state == DL_VAR_SET, *sizes));
  v->state = DL_VAR_SET;
  return DL_OK;
}

static dl_status match_dims(dl_binder *b, const char *what, const dl_spec_pattern *pattern,
                            const dl_bound_tensor *tensor) {
  int64_t *ranks = dl_arena_alloc(b->arena, (pattern->num_dims + 1) * sizeof *ranks);
  DL_TRY(pack_ranks(b, what, pattern, tensor->rank, ranks));
  size_t at = 0;
  dl_status status = DL_OK;
  for (size_t i = 0; i < pattern->num_dims; at += (size_t)ranks[i++])
    if (bind_dim(b, what, at, &pattern->dims[i], tensor->sizes + at, (size_t)ranks[i]))
      status = DL_FAILED;
  return status;
}

// --- dimensions that are expressions ---

static size_t open_names(dl_binder *b, const dl_spec_node *node) {
  size_t count = 0;
  dl_spec_variable *v = node->kind == DL_NODE_NAME ? dl_find_variable(b, node->name) : NULL;
  if (v) return is_open(v);
  for (size_t i = 0; i < node->num_args; i++) count += open_names(b, node->args[i]);
  return count;
}

// Solves size = known * v (or known + v) for the one open variable.
static dl_status solve(dl_binder *b, const char *what, size_t at, const dl_spec_node *node,
                       dl_expr size) {
  bool product = node->kind == DL_NODE_BINARY && !strcmp(node->name, "*");
  bool sum = node->kind == DL_NODE_BINARY && !strcmp(node->name, "+");
  if (!product && !sum) return DL_OK;
  size_t side = open_names(b, node->args[0]) ? 0 : 1;
  dl_expr known, rest;
  DL_TRY(dl_eval_expr(b, node->args[1 - side], &known));
  bool both = size->kind == DL_EXPR_CONST && known->kind == DL_EXPR_CONST;
  if (product && both && (known->value == 0 || size->value % known->value))
    return dl_error(dl_op_loc(b->op),
                    "'%s': %s has size %lld in dimension %zu, which is no multiple of %lld",
                    dl_op_name(b->op), what, (long long)size->value, at, (long long)known->value);
  rest = product ? dl_expr_exact_div(size, known) : dl_expr_sub(size, known);
  if (node->args[side]->kind != DL_NODE_NAME) return solve(b, what, at, node->args[side], rest);
  set_variable(dl_find_variable(b, node->args[side]->name), dl_int_value(rest));
  return DL_OK;
}

// --- one value ---

static const dl_spec_pattern *choose(dl_binder *b, const dl_spec_pattern *pattern) {
  while (pattern && pattern->condition) {
    dl_bound_value value;
    bool known, flag;
    if (dl_eval(b, pattern->condition, &value) || dl_truth(b, &value, &known, &flag)) return NULL;
    if (known && flag) break;
    pattern = pattern->otherwise;
  }
  return pattern;
}

static dl_status match_value(dl_binder *b, const char *what, const char *constraint,
                             const dl_spec_pattern *pattern, size_t tensor, dl_type type) {
  b->part = dl_intern_z(b->ctx, what);
  pattern = choose(b, pattern);
  if (!pattern) return DL_FAILED;
  bool is_tensor = pattern->is_tensor;
  bool fits = is_tensor ? dl_is_tensor(type) && dl_classes_match(b, pattern->classes, type->element)
                        : dl_classes_match(b, pattern->classes, type);
  if (!fits) return type_error(b, what, type, constraint, pattern);
  if (!is_tensor && !b->spec->def->compute) return DL_OK;
  if (dl_is_tensor(type) && type->unranked)
    return dl_error(dl_op_loc(b->op), "'%s': %s must have a known number of dimensions",
                    dl_op_name(b->op), what);
  return is_tensor ? match_dims(b, what, pattern, &b->tensors.data[tensor]) : DL_OK;
}

// --- operands and results as tensors ---

static dl_attr dim_name(dl_type type, size_t i) {
  dl_attr encoding = type->encoding;
  if (!encoding || encoding->kind != DL_ATTR_DIALECT) return NULL;
  dl_attr names = dl_keyed_param(encoding, "dims");
  if (!names || names->kind != DL_ATTR_ARRAY || i >= names->count) return NULL;
  dl_attr name = names->elements[i];
  return name->kind == DL_ATTR_KEYWORD && strcmp(name->name, "_") != 0 ? name : NULL;
}

// The first operand that is the same value.
static size_t first_use(const dl_op *op, size_t operand) {
  size_t i = 0;
  while (dl_operand(op, i) != dl_operand(op, operand)) i++;
  return i;
}

// While a result is matched with its pattern, its dimensions count as those of operands after the
// last.
static size_t symbol_operand(dl_binder *b, dl_bound_kind kind, size_t number) {
  return kind == DL_BOUND_OPERAND ? first_use(b->op, number) : dl_num_operands(b->op) + number;
}

static void add_tensor(dl_binder *b, dl_bound_kind kind, size_t number, dl_ident name,
                       dl_type type) {
  dl_bound_tensor tensor = {.kind = kind, .number = number, .name = name};
  bool ranked = dl_is_tensor(type) && !type->unranked;
  tensor.element = dl_is_tensor(type) ? type->element : type;
  tensor.rank = ranked ? type->rank : 0;
  dl_expr *sizes = dl_arena_alloc(b->arena, (tensor.rank + 1) * sizeof *sizes);
  for (size_t i = 0; i < tensor.rank; i++) {
    sizes[i] = dl_expr_const(b->ctx, type->shape[i]);
    if (type->shape[i] != DL_DYNAMIC) continue;
    dl_attr symbol_name = dim_name(type, i);
    dl_bound_symbol symbol = {.kind = DL_SYMBOL_DIM,
                              .operand = symbol_operand(b, kind, number),
                              .index = i,
                              .name = symbol_name ? symbol_name->name : NULL};
    sizes[i] = dl_expr_symbol(b->ctx, (unsigned)dl_add_symbol(b, &symbol));
  }
  tensor.sizes = sizes;
  DL_PUSH(&b->tensors, tensor);
}

static dl_ident entry_name(dl_binder *b, const dl_value_spec *spec, size_t entry) {
  if (spec->arity != DL_VARIADIC) return dl_intern_z(b->ctx, spec->name);
  return dl_intern_f(b->ctx, "%s.%zu", spec->name, entry);
}

static void add_operand_tensors(dl_binder *b) {
  for (size_t i = 0; i < b->spec->def->num_operands; i++) {
    size_t count, first = dl_operand_group(b->op, i, &count);
    for (size_t k = 0; k < count; k++)
      add_tensor(b, DL_BOUND_OPERAND, first + k, entry_name(b, &b->spec->def->operands[i], k),
                 dl_value_type(dl_operand(b->op, first + k)));
  }
}

dl_status dl_match_result(dl_binder *b, size_t group, size_t number, dl_type type) {
  const dl_value_spec *spec = &b->spec->def->results[group];
  const char *what = dl_intern_f(b->ctx, "result '%s'", spec->name);
  add_tensor(b, DL_BOUND_RESULT, number, what, type);
  dl_status status =
      match_value(b, what, spec->constraint, b->spec->results[group], b->tensors.len - 1, type);
  b->tensors.len--;
  return status;
}

static dl_status match_group(dl_binder *b, size_t i) {
  const dl_value_spec *spec = &b->spec->def->operands[i];
  size_t count, first = dl_operand_group(b->op, i, &count);
  dl_status status = DL_OK;
  for (size_t k = 0; k < count; k++) {
    const char *name = b->tensors.data[first + k].name;
    const char *what = dl_intern_f(b->ctx, "operand '%s'", name);
    if (match_value(b, what, spec->constraint, b->spec->operands[i], first + k,
                    dl_value_type(dl_operand(b->op, first + k))))
      status = DL_FAILED;
  }
  return status;
}

// The expressions among the dimensions of operand `tensor`: solves them, or compares once all is
// known.
static dl_status match_expressions(dl_binder *b, size_t tensor, const dl_spec_pattern *pattern) {
  const dl_bound_tensor *t = &b->tensors.data[tensor];
  pattern = choose(b, pattern);
  if (!pattern || !pattern->is_tensor) return pattern ? DL_OK : DL_FAILED;
  const char *what = dl_intern_f(b->ctx, "operand '%s'", t->name);
  int64_t *ranks = dl_arena_alloc(b->arena, (pattern->num_dims + 1) * sizeof *ranks);
  b->part = what;
  DL_TRY(pack_ranks(b, what, pattern, t->rank, ranks));
  dl_status status = DL_OK;
  for (size_t i = 0, at = 0; i < pattern->num_dims; at += (size_t)ranks[i++]) {
    const dl_spec_node *expr = pattern->dims[i].expr;
    if (!expr) continue;
    size_t open = open_names(b, expr);
    dl_expr expected, size = t->sizes[at];
    if (open == 1 && solve(b, what, at, expr, size)) status = DL_FAILED;
    if (open) continue;
    if (dl_eval_expr(b, expr, &expected)) {
      status = DL_FAILED;
    } else if (differ(size, expected)) {
      bool both = size->kind == DL_EXPR_CONST && expected->kind == DL_EXPR_CONST;
      const char *name = pattern->dims[i].name ? pattern->dims[i].name : pattern->dims_text;
      status = both ? size_error(b, what, at, size, expected, name)
                    : dl_error(dl_op_loc(b->op), "'%s': %s does not match %s in dimension %zu",
                               dl_op_name(b->op), what, pattern->dims_text, at);
    }
  }
  return status;
}

static dl_status match_all_expressions(dl_binder *b) {
  dl_status status = DL_OK;
  for (size_t i = 0; i < b->spec->def->num_operands; i++) {
    size_t count, first = dl_operand_group(b->op, i, &count);
    for (size_t k = 0; k < count; k++)
      if (match_expressions(b, first + k, b->spec->operands[i])) status = DL_FAILED;
  }
  return status;
}

dl_status dl_binder_start(dl_binder *b, const dl_op *op, const dl_spec *spec) {
  *b = (dl_binder){.ctx = dl_op_context(op),
                   .arena = dl_arena_create(),
                   .op = op,
                   .spec = spec,
                   .part = "the operands"};
  collect_variables(b);
  add_operand_tensors(b);
  dl_status status = DL_OK;
  for (size_t i = 0; i < spec->def->num_operands; i++)
    if (match_group(b, i)) status = DL_FAILED;
  // Twice: the first round may solve what the second compares.
  for (size_t round = 0; round < 2 && status == DL_OK; round++) status = match_all_expressions(b);
  return status;
}

void dl_binder_finish(dl_binder *b) {
  DL_VEC_FREE(&b->variables);
  DL_VEC_FREE(&b->scope);
  DL_VEC_FREE(&b->symbols);
  DL_VEC_FREE(&b->tensors);
  DL_VEC_FREE(&b->reads);
  DL_VEC_FREE(&b->statements);
  if (b->arena) dl_arena_destroy(b->arena);
}

// --- results ---

static bool has_open_dims(dl_binder *b, const dl_spec_pattern *pattern) {
  for (size_t i = 0; i < pattern->num_dims; i++) {
    const dl_spec_dim *dim = &pattern->dims[i];
    if (dim->expr ? open_names(b, dim->expr) > 0 : is_open(dl_find_variable(b, dim->name)))
      return true;
  }
  return false;
}

static dl_status class_type(dl_binder *b, const dl_spec_class *c, dl_type *type) {
  *type = NULL;
  if (c->next || c->dialect || c->inner) return DL_OK;
  dl_spec_variable *v = dl_find_variable(b, c->name);
  if (!v) {
    *type = dl_scalar_type_by_name(b->ctx, c->name);
    return DL_OK;
  }
  if (is_open(v)) return DL_OK;
  return dl_eval_type(b, c->name, type);
}

static dl_status result_sizes(dl_binder *b, const dl_spec_pattern *pattern, size_t entry,
                              size_t *count, dl_expr **out) {
  DL_VEC(dl_expr) sizes = {0};
  dl_status status = DL_OK;
  for (size_t i = 0; i < pattern->num_dims && status == DL_OK; i++) {
    const dl_spec_dim *dim = &pattern->dims[i];
    dl_bound_value value;
    dl_expr size;
    status = dim->expr ? dl_eval(b, dim->expr, &value)
                       : dl_eval_variable(b, dl_find_variable(b, dim->name), &value);
    if (status) break;
    if (!dim->expr && (value.kind != DL_BV_LIST || (dim->each && entry >= value.count))) {
      status = dl_spec_fail(b, "'%s' is no list of sizes", dim->name);
      break;
    }
    size_t first = dim->each ? entry : 0, end = dim->pack ? value.count : first + 1;
    for (size_t k = first; k < end && status == DL_OK; k++) {
      status = dl_to_expr(b, dim->expr ? &value : &value.items[k], &size);
      if (status == DL_OK) DL_PUSH(&sizes, size);
    }
  }
  *count = sizes.len;
  *out = dl_binder_copy(b, sizes.data, sizes.len * sizeof *sizes.data);
  DL_VEC_FREE(&sizes);
  return status;
}

// An encoding with the names of the dimensions that are symbols with a name, after the model of an
// operand's.
static dl_attr result_encoding(dl_binder *b, size_t rank, const dl_expr *sizes) {
  dl_attr model = NULL, *names = dl_arena_alloc(b->arena, (rank + 1) * sizeof *names);
  for (size_t i = 0; i < dl_num_operands(b->op) && !model; i++) {
    dl_type type = dl_value_type(dl_operand(b->op, i));
    dl_attr encoding = dl_is_tensor(type) ? type->encoding : NULL;
    if (encoding && encoding->kind == DL_ATTR_DIALECT && dl_keyed_param(encoding, "dims"))
      model = encoding;
  }
  bool named = false;
  for (size_t i = 0; i < rank && model; i++) {
    bool symbol = sizes[i]->kind == DL_EXPR_SYMBOL;
    dl_ident name = symbol ? b->symbols.data[sizes[i]->value].name : NULL;
    names[i] = dl_keyword_attr(b->ctx, name ? name : dl_intern_z(b->ctx, "_"));
    named |= name != NULL;
  }
  if (!named) return NULL;
  dl_attr dims =
      dl_keyed_attr(b->ctx, dl_intern_z(b->ctx, "dims"), dl_array_attr(b->ctx, rank, names));
  return dl_dialect_attr(b->ctx, model->dialect, model->name, 1, &dims);
}

dl_status dl_result_type(dl_binder *b, const dl_spec_pattern *pattern, size_t entry, dl_type *type,
                         const dl_expr **sizes) {
  *type = NULL;
  pattern = choose(b, pattern);
  if (!pattern) return DL_FAILED;
  dl_type element;
  DL_TRY(class_type(b, pattern->classes, &element));
  if (!pattern->is_tensor) {
    *type = element;
    return DL_OK;
  }
  if (!element || has_open_dims(b, pattern)) return DL_OK;
  size_t rank;
  dl_expr *exprs;
  DL_TRY(result_sizes(b, pattern, entry, &rank, &exprs));
  int64_t *shape = dl_arena_alloc(b->arena, (rank + 1) * sizeof *shape);
  for (size_t i = 0; i < rank; i++) {
    bool constant = exprs[i]->kind == DL_EXPR_CONST;
    shape[i] = constant ? exprs[i]->value : DL_DYNAMIC;
    if (constant && shape[i] < 0)
      return dl_error(dl_op_loc(b->op), "'%s': size %zu of %s would be %lld", dl_op_name(b->op), i,
                      b->part, (long long)shape[i]);
  }
  if (sizes) *sizes = exprs;
  *type = dl_tensor_type(element, rank, shape, result_encoding(b, rank, exprs));
  return DL_OK;
}

dl_status dl_check_conditions(dl_binder *b) {
  for (size_t i = 0; i < b->spec->num_rules; i++) {
    const dl_spec_rule *rule = &b->spec->rules[i];
    if (rule->kind != DL_RULE_CONDITION) continue;
    dl_bound_value value;
    bool known, flag;
    b->part = dl_intern_f(b->ctx, "rule '%s'", rule->name);
    DL_TRY(dl_eval(b, rule->expr, &value));
    DL_TRY(dl_truth(b, &value, &known, &flag));
    if (known && !flag)
      return dl_error(dl_op_loc(b->op), "'%s': %s", dl_op_name(b->op), rule->name);
  }
  return DL_OK;
}
