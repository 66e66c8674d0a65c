// Evaluates the expressions of a spec for one op.
#include "ir/spec_bind.h"

enum { MAX_DEPTH = 500, MAX_LIST = 1 << 16 };

dl_status dl_spec_fail(dl_binder *b, const char *format, ...) {
  va_list args;
  va_start(args, format);
  dl_buffer text = {0};
  dl_buffer_vprintf(&text, format, args);
  va_end(args);
  dl_error(dl_op_loc(b->op), "'%s': in %s: %s", dl_op_name(b->op), b->part, text.data);
  dl_buffer_free(&text);
  return DL_FAILED;
}

void *dl_binder_copy(dl_binder *b, const void *data, size_t size) {
  void *copy = dl_arena_alloc(b->arena, size + 1);
  if (size) memcpy(copy, data, size);
  return copy;
}

dl_bound_value dl_list_value(dl_binder *b, size_t count, const dl_bound_value *items) {
  (void)b;
  return (dl_bound_value){.kind = DL_BV_LIST, .count = count, .items = items};
}

// --- names ---

static dl_bound_value attr_value(dl_binder *b, dl_attr attr);

static dl_bound_value attr_list(dl_binder *b, dl_attr attr) {
  size_t count = dl_array_len(attr);
  dl_bound_value *items = dl_arena_alloc(b->arena, (count + 1) * sizeof *items);
  for (size_t i = 0; i < count; i++) {
    if (attr->kind == DL_ATTR_ARRAY)
      items[i] = attr_value(b, attr->elements[i]);
    else if (dl_is_float(attr->type))
      items[i] = (dl_bound_value){.kind = DL_BV_FLOAT, .number = dl_f64_at(attr, i)};
    else
      items[i] = dl_int_value(dl_expr_const(b->ctx, dl_i64_at(attr, i)));
  }
  return dl_list_value(b, count, items);
}

// The elements of a small dense attribute, with their type.
static dl_bound_value dense_list(dl_binder *b, dl_attr attr) {
  int64_t count = dl_num_elements(attr->type);
  if (count < 0 || count > MAX_LIST) return (dl_bound_value){.kind = DL_BV_OTHER};
  dl_bound_value *items = dl_arena_alloc(b->arena, (size_t)(count + 1) * sizeof *items);
  dl_type element = attr->type->element;
  for (size_t i = 0; i < (size_t)count; i++) {
    double number;
    int64_t integer;
    dl_attr constant = NULL;
    if (dl_is_float(element) && dl_dense_f64(attr, i, &number))
      constant = dl_float_attr(element, number);
    else if (!dl_is_float(element) && dl_dense_i64(attr, i, &integer))
      constant = dl_int_attr(element, integer);
    if (!constant) return (dl_bound_value){.kind = DL_BV_OTHER};
    items[i] = dl_scalar_value(dl_make_const(b, constant));
  }
  return dl_list_value(b, (size_t)count, items);
}

static dl_bound_value attr_value(dl_binder *b, dl_attr attr) {
  switch (attr->kind) {
    case DL_ATTR_INTEGER:
      if (dl_is_integer(attr->type) && attr->type->width == 1)
        return dl_bool_value(attr->integer != 0);
      return dl_int_value(dl_expr_const(b->ctx, attr->integer));
    case DL_ATTR_FLOAT:
      return (dl_bound_value){.kind = DL_BV_FLOAT, .number = attr->number};
    case DL_ATTR_STRING:
      return (dl_bound_value){.kind = DL_BV_STRING, .text = attr->bytes};
    case DL_ATTR_TYPE:
      return (dl_bound_value){.kind = DL_BV_TYPE, .type = attr->type};
    case DL_ATTR_UNIT:
      return dl_bool_value(true);
    case DL_ATTR_ARRAY:
    case DL_ATTR_DENSE_ARRAY:
      return attr_list(b, attr);
    case DL_ATTR_DENSE:
    case DL_ATTR_RESOURCE:
      return dense_list(b, attr);
    default:
      return (dl_bound_value){.kind = DL_BV_OTHER};
  }
}

// A default such as `1` for "i64[2]": the value, repeated where the attribute is an array.
static dl_status default_value(dl_binder *b, const dl_spec_attr_rule *rule, dl_bound_value *out) {
  DL_TRY(dl_eval(b, rule->otherwise, out));
  if (rule->base == dl_intern_z(b->ctx, "bool") && dl_is_const_int(out))
    *out = dl_bool_value(out->expr->value != 0);
  if (!rule->is_array || out->kind == DL_BV_LIST) return DL_OK;
  int64_t count;
  if (!rule->count) return dl_spec_fail(b, "the default of an array of any length is a list");
  DL_TRY(dl_eval_int(b, rule->count, &count));
  if (count < 0 || count > MAX_LIST) return dl_spec_fail(b, "%lld entries", (long long)count);
  dl_bound_value *items = dl_arena_alloc(b->arena, (size_t)(count + 1) * sizeof *items);
  for (int64_t i = 0; i < count; i++) items[i] = *out;
  *out = dl_list_value(b, (size_t)count, items);
  return DL_OK;
}

static dl_status find_attr(dl_binder *b, dl_ident name, bool *found, dl_bound_value *out) {
  const dl_op_def *def = b->spec->def;
  for (size_t i = 0; i < def->num_attrs; i++) {
    const dl_spec_attr_rule *rule = &b->spec->attrs[i];
    if (rule->name != name) continue;
    *found = true;
    dl_attr attr = dl_get_attr_ident(b->op, name);
    if (attr) {
      *out = attr_value(b, attr);
      return DL_OK;
    }
    *out = (dl_bound_value){.kind = DL_BV_ABSENT};
    if (rule->base == dl_intern_z(b->ctx, "unit")) *out = dl_bool_value(false);
    return rule->otherwise ? default_value(b, rule, out) : DL_OK;
  }
  return DL_OK;
}

static bool find_operand(dl_binder *b, dl_ident name, dl_bound_value *out) {
  const dl_op_def *def = b->spec->def;
  for (size_t i = 0; i < def->num_operands; i++) {
    if (strcmp(def->operands[i].name, name) != 0) continue;
    size_t count, first = dl_operand_group(b->op, i, &count);
    if (def->operands[i].arity == DL_VARIADIC)
      *out = (dl_bound_value){.kind = DL_BV_GROUP, .tensor = first, .count = count};
    else
      *out = (dl_bound_value){.kind = count ? DL_BV_TENSOR : DL_BV_ABSENT, .tensor = first};
    return true;
  }
  return false;
}

// The results of a variadic entry, of which only the number is known.
static bool find_results(dl_binder *b, dl_ident name, dl_bound_value *out) {
  const dl_op_def *def = b->spec->def;
  for (size_t i = 0; i < def->num_results; i++) {
    if (def->results[i].arity != DL_VARIADIC || strcmp(def->results[i].name, name)) continue;
    *out = (dl_bound_value){.kind = DL_BV_GROUP, .tensor = SIZE_MAX};
    dl_result_group(b->op, i, &out->count);
    return true;
  }
  return false;
}

// Temporaries, and results that earlier statements have written.
static bool find_tensor(dl_binder *b, dl_ident name, dl_bound_value *out) {
  for (size_t i = b->tensors.len; i-- > 0;)
    if (b->tensors.data[i].name == name && b->tensors.data[i].kind != DL_BOUND_OPERAND) {
      *out = (dl_bound_value){.kind = DL_BV_TENSOR, .tensor = i};
      return true;
    }
  return false;
}

static bool find_constant(dl_binder *b, dl_ident name, dl_bound_value *out) {
  if (!strcmp(name, "true") || !strcmp(name, "false")) {
    *out = dl_bool_value(*name == 't');
    return true;
  }
  if (!strcmp(name, "inf") || !strcmp(name, "nan")) {
    *out = (dl_bound_value){.kind = DL_BV_FLOAT,
                            .number = *name == 'i' ? __builtin_inf() : __builtin_nan("")};
    return true;
  }
  *out = (dl_bound_value){.kind = DL_BV_TYPE, .type = dl_scalar_type_by_name(b->ctx, name)};
  return out->type != NULL;
}

// Makes the reads of a scalar that was evaluated elsewhere (`reads`: in an outer frame, or outside
// of statements) reads of the present frame.
static const dl_scalar *import_scalar(dl_binder *b, const dl_bound_read *reads,
                                      const dl_scalar *s) {
  dl_scalar *copy = dl_binder_copy(b, s, sizeof *s);
  if (s->op == DL_SCALAR_READ) {
    size_t i = 0;
    const dl_bound_read *read = &reads[s->read];
    while (i < b->frame->reads.len && (b->frame->reads.data[i].tensor != read->tensor ||
                                       b->frame->reads.data[i].otherwise != read->otherwise ||
                                       b->frame->reads.data[i].indices != read->indices))
      i++;
    if (i == b->frame->reads.len) DL_PUSH(&b->frame->reads, *read);
    copy->read = i;
  }
  const dl_scalar **args = dl_binder_copy(b, s->args, s->num_args * sizeof *args);
  for (size_t i = 0; i < s->num_args; i++) args[i] = import_scalar(b, reads, s->args[i]);
  copy->args = args;
  return copy;
}

static dl_bound_value import_value(dl_binder *b, const dl_bound_read *reads,
                                   const dl_bound_value *value) {
  dl_bound_value copy = *value;
  if (value->kind == DL_BV_SCALAR) copy.scalar = import_scalar(b, reads, value->scalar);
  if (value->kind != DL_BV_LIST) return copy;
  dl_bound_value *items = dl_arena_alloc(b->arena, (value->count + 1) * sizeof *items);
  for (size_t i = 0; i < value->count; i++) items[i] = import_value(b, reads, &value->items[i]);
  copy.items = items;
  return copy;
}

static dl_status eval_name(dl_binder *b, dl_ident name, dl_bound_value *out) {
  for (size_t i = b->scope.len; i-- > 0;)
    if (b->scope.data[i].name == name) {
      const dl_scope_entry *entry = &b->scope.data[i];
      bool outer = entry->frame && entry->frame != b->frame;
      *out = outer ? import_value(b, entry->frame->reads.data, &entry->value) : entry->value;
      return DL_OK;
    }
  dl_spec_variable *variable = dl_find_variable(b, name);
  if (variable) return dl_eval_variable(b, variable, out);
  bool found = false;
  DL_TRY(find_attr(b, name, &found, out));
  if (found || find_operand(b, name, out) || find_tensor(b, name, out) ||
      find_results(b, name, out) || find_constant(b, name, out))
    return DL_OK;
  return dl_spec_fail(b, "unknown name '%s'", name);
}

// --- variables ---

// Index-typed trees outside of statements become integers: computed symbols.
static dl_status settle(dl_binder *b, dl_bound_value *value) {
  if (value->kind == DL_BV_LIST) {
    dl_bound_value *items = dl_binder_copy(b, value->items, value->count * sizeof *items);
    for (size_t i = 0; i < value->count; i++) DL_TRY(settle(b, &items[i]));
    value->items = items;
  }
  if (value->kind != DL_BV_SCALAR || !dl_is_index(value->scalar->type)) return DL_OK;
  dl_expr expr;
  DL_TRY(dl_to_expr(b, value, &expr));
  *value = dl_int_value(expr);
  return DL_OK;
}

static dl_status define(dl_binder *b, dl_ident name, const dl_spec_rule *rule,
                        dl_bound_value *out) {
  dl_binder inner = *b;
  inner.frame = NULL;
  inner.part = dl_intern_f(b->ctx, "rule '%s'", name);
  memset(&inner.scope, 0, sizeof inner.scope);
  dl_status status = dl_eval(&inner, rule->expr, out);
  if (status == DL_OK) status = settle(&inner, out);
  DL_VEC_FREE(&inner.scope);
  b->symbols = inner.symbols;
  b->reads = inner.reads;
  b->variables = inner.variables;
  return status;
}

dl_status dl_eval_variable(dl_binder *b, dl_spec_variable *variable, dl_bound_value *out) {
  dl_ident name = variable->name;
  if (variable->state == DL_VAR_ACTIVE)
    return dl_spec_fail(b, "'%s' is defined through itself", name);
  if (variable->state == DL_VAR_UNSET) {
    if (!variable->rule || variable->rule->kind != DL_RULE_DEFINITION)
      return dl_spec_fail(b, "nothing says what '%s' is", name);
    size_t index = (size_t)(variable - b->variables.data);
    variable->state = DL_VAR_ACTIVE;
    dl_bound_value value;
    dl_status status = define(b, name, variable->rule, &value);
    variable = &b->variables.data[index];
    variable->state = status ? DL_VAR_UNSET : DL_VAR_SET;
    if (status) return status;
    variable->value = value;
  }
  *out = b->frame ? import_value(b, b->reads.data, &variable->value) : variable->value;
  return DL_OK;
}

dl_status dl_eval_type(dl_binder *b, dl_ident name, dl_type *type) {
  dl_bound_value value;
  DL_TRY(eval_name(b, name, &value));
  if (value.kind != DL_BV_TYPE) return dl_spec_fail(b, "'%s' is no type", name);
  *type = value.type;
  return DL_OK;
}

// --- operators ---

static const struct {
  const char *text;
  dl_scalar_op op;
} binary_ops[] = {
    {"+", DL_SCALAR_ADD},   {"-", DL_SCALAR_SUB},   {"*", DL_SCALAR_MUL},
    {"/", DL_SCALAR_DIV},   {"mod", DL_SCALAR_MOD}, {"floordiv", DL_SCALAR_FLOORDIV},
    {"==", DL_SCALAR_EQ},   {"!=", DL_SCALAR_NE},   {"<", DL_SCALAR_LT},
    {"<=", DL_SCALAR_LE},   {">", DL_SCALAR_GT},    {">=", DL_SCALAR_GE},
    {"and", DL_SCALAR_AND}, {"or", DL_SCALAR_OR},
};

static bool same_value(const dl_bound_value *a, const dl_bound_value *b) {
  if (a->kind != b->kind) return false;
  if (a->kind == DL_BV_INT) return a->expr == b->expr;
  if (a->kind == DL_BV_STRING) return dl_str_equal(a->text, b->text);
  return a->kind == DL_BV_TYPE && a->type == b->type;
}

static dl_status eval_in_list(dl_binder *b, const dl_bound_value *v, dl_bound_value *out) {
  if (v[1].kind != DL_BV_LIST) return dl_spec_fail(b, "'in' needs a list");
  bool found = false;
  for (size_t i = 0; i < v[1].count; i++) found |= same_value(&v[0], &v[1].items[i]);
  *out = dl_bool_value(found);
  return DL_OK;
}

// ceildiv(a, b) = -((-a) floordiv b), also entry by entry.
static dl_status eval_ceildiv(dl_binder *b, const dl_bound_value *v, dl_bound_value *out) {
  if (v[0].kind == DL_BV_INT && v[1].kind == DL_BV_INT) {
    if (dl_is_const_int(&v[1]) && v[1].expr->value == 0) return dl_spec_fail(b, "division by zero");
    *out = dl_int_value(dl_expr_ceildiv(v[0].expr, v[1].expr));
    return DL_OK;
  }
  dl_bound_value pair[2] = {v[0], v[1]};
  DL_TRY(dl_apply(b, DL_SCALAR_NEG, 1, &v[0], &pair[0]));
  DL_TRY(dl_apply(b, DL_SCALAR_FLOORDIV, 2, pair, out));
  dl_bound_value negated = *out;
  return dl_apply(b, DL_SCALAR_NEG, 1, &negated, out);
}

static dl_status eval_binary(dl_binder *b, const dl_spec_node *node, dl_bound_value *out) {
  dl_bound_value v[2];
  DL_TRY(dl_eval(b, node->args[0], &v[0]));
  bool known = false, flag = false;
  bool logical = !strcmp(node->name, "and") || !strcmp(node->name, "or");
  if (logical && v[0].kind != DL_BV_LIST) DL_TRY(dl_truth(b, &v[0], &known, &flag));
  if (known && flag == !strcmp(node->name, "or")) {
    *out = dl_bool_value(flag);
    return DL_OK;
  }
  DL_TRY(dl_eval(b, node->args[1], &v[1]));
  if (!strcmp(node->name, "in")) return eval_in_list(b, v, out);
  if (!strcmp(node->name, "ceildiv")) return eval_ceildiv(b, v, out);
  size_t i = 0;
  while (strcmp(binary_ops[i].text, node->name)) i++;
  return dl_apply(b, binary_ops[i].op, 2, v, out);
}

static dl_status eval_unary(dl_binder *b, const dl_spec_node *node, dl_bound_value *out) {
  dl_bound_value value;
  DL_TRY(dl_eval(b, node->args[0], &value));
  if (*node->name == '-' && value.kind == DL_BV_FLOAT) {
    *out = value;
    out->number = -value.number;
    return DL_OK;
  }
  return dl_apply(b, *node->name == '-' ? DL_SCALAR_NEG : DL_SCALAR_NOT, 1, &value, out);
}

static dl_status eval_if(dl_binder *b, const dl_spec_node *node, dl_bound_value *out) {
  dl_bound_value values[3];
  bool known, flag;
  DL_TRY(dl_eval(b, node->args[1], &values[0]));
  DL_TRY(dl_truth(b, &values[0], &known, &flag));
  if (known) return dl_eval(b, node->args[flag ? 0 : 2], out);
  DL_TRY(dl_eval(b, node->args[0], &values[1]));
  DL_TRY(dl_eval(b, node->args[2], &values[2]));
  return dl_apply(b, DL_SCALAR_SELECT, 3, values, out);
}

// --- lists and subscripts ---

typedef DL_VEC(dl_bound_value) value_list;

static dl_status eval_into(dl_binder *b, const dl_spec_node *node, value_list *list) {
  dl_bound_value value;
  bool splice = node->kind == DL_NODE_SPLICE;
  DL_TRY(dl_eval(b, splice ? node->args[0] : node, &value));
  if (!splice) {
    DL_PUSH(list, value);
    return DL_OK;
  }
  if (value.kind != DL_BV_LIST) return dl_spec_fail(b, "'...' follows what is no list");
  for (size_t i = 0; i < value.count; i++) DL_PUSH(list, value.items[i]);
  return DL_OK;
}

dl_status dl_eval_args(dl_binder *b, size_t count, const dl_spec_node *const *nodes,
                       size_t *num_values, dl_bound_value **values) {
  value_list list = {0};
  dl_status status = DL_OK;
  for (size_t i = 0; i < count && status == DL_OK; i++) status = eval_into(b, nodes[i], &list);
  *num_values = list.len;
  *values = dl_binder_copy(b, list.data, list.len * sizeof *list.data);
  DL_VEC_FREE(&list);
  return status;
}

static dl_status eval_list(dl_binder *b, const dl_spec_node *node, dl_bound_value *out) {
  size_t count;
  dl_bound_value *items;
  DL_TRY(dl_eval_args(b, node->num_args, node->args, &count, &items));
  *out = dl_list_value(b, count, items);
  return DL_OK;
}

static dl_status eval_comprehension(dl_binder *b, const dl_spec_node *node, dl_bound_value *out) {
  int64_t count;
  DL_TRY(dl_eval_int(b, node->args[0], &count));
  if (count < 0 || count > MAX_LIST)
    return dl_spec_fail(b, "a list of %lld entries", (long long)count);
  dl_bound_value *items = dl_arena_alloc(b->arena, (size_t)(count + 1) * sizeof *items);
  size_t scope = b->scope.len;
  for (int64_t k = 0; k < count; k++) {
    dl_scope_entry entry = {.name = node->name, .value = dl_int_value(dl_expr_const(b->ctx, k))};
    DL_PUSH(&b->scope, entry);
    dl_status status = dl_eval(b, node->args[1], &items[k]);
    b->scope.len = scope;
    if (status) return status;
  }
  *out = dl_list_value(b, (size_t)count, items);
  return DL_OK;
}

static dl_status eval_entry(dl_binder *b, const dl_spec_node *node, const dl_bound_value *list,
                            dl_bound_value *out) {
  int64_t i = 0;
  if (node->num_args != 2) return dl_spec_fail(b, "a list has one subscript");
  DL_TRY(dl_eval_int(b, node->args[1], &i));
  if (i < 0 || (size_t)i >= list->count)
    return dl_spec_fail(b, "entry %lld of a list of %zu", (long long)i, list->count);
  if (list->kind == DL_BV_LIST)
    *out = list->items[i];
  else if (list->tensor == SIZE_MAX)
    return dl_spec_fail(b, "results cannot be read in groups");
  else
    *out = (dl_bound_value){.kind = DL_BV_TENSOR, .tensor = list->tensor + (size_t)i};
  return DL_OK;
}

static dl_status eval_subscript(dl_binder *b, const dl_spec_node *node, dl_bound_value *out) {
  dl_bound_value base;
  DL_TRY(dl_eval(b, node->args[0], &base));
  if (base.kind == DL_BV_LIST || base.kind == DL_BV_GROUP) return eval_entry(b, node, &base, out);
  if (base.kind == DL_BV_TENSOR) return dl_eval_read(b, node, base.tensor, NULL, out);
  return dl_spec_fail(b, "a subscript on what is no tensor and no list");
}

static dl_status eval_default(dl_binder *b, const dl_spec_node *node, dl_bound_value *out) {
  const dl_spec_node *read = node->args[0];
  dl_bound_value base = {0};
  if (read->kind == DL_NODE_SUBSCRIPT) DL_TRY(dl_eval(b, read->args[0], &base));
  if (read->kind != DL_NODE_SUBSCRIPT || base.kind != DL_BV_TENSOR)
    return dl_spec_fail(b, "'else' without 'if' follows what is no read of a tensor");
  return dl_eval_read(b, read, base.tensor, node->args[1], out);
}

static dl_status eval_let(dl_binder *b, const dl_spec_node *node, dl_bound_value *out) {
  dl_scope_entry entry = {.name = node->name, .frame = b->frame};
  DL_TRY(dl_eval(b, node->args[0], &entry.value));
  DL_PUSH(&b->scope, entry);
  dl_status status = dl_eval(b, node->args[1], out);
  b->scope.len--;
  return status;
}

// --- all expressions ---

static dl_status eval(dl_binder *b, const dl_spec_node *node, dl_bound_value *out) {
  switch (node->kind) {
    case DL_NODE_INT:
      *out = dl_int_value(dl_expr_const(b->ctx, node->integer));
      return DL_OK;
    case DL_NODE_FLOAT:
      *out = (dl_bound_value){.kind = DL_BV_FLOAT, .number = node->number};
      return DL_OK;
    case DL_NODE_STRING:
      *out = (dl_bound_value){.kind = DL_BV_STRING, .text = dl_str_of(node->name)};
      return DL_OK;
    case DL_NODE_NAME:
      return eval_name(b, node->name, out);
    case DL_NODE_LIST:
      return eval_list(b, node, out);
    case DL_NODE_COMPREHENSION:
      return eval_comprehension(b, node, out);
    case DL_NODE_CALL:
      return dl_call_function(b, node, out);
    case DL_NODE_REDUCE:
      return dl_eval_reduce(b, node, out);
    case DL_NODE_SUBSCRIPT:
      return eval_subscript(b, node, out);
    case DL_NODE_UNARY:
      return eval_unary(b, node, out);
    case DL_NODE_BINARY:
      return eval_binary(b, node, out);
    case DL_NODE_IF:
      return eval_if(b, node, out);
    case DL_NODE_DEFAULT:
      return eval_default(b, node, out);
    case DL_NODE_LET:
      return eval_let(b, node, out);
    case DL_NODE_SPLICE:
      break;
  }
  return dl_spec_fail(b, "'...' belongs into a list of indices");
}

dl_status dl_eval(dl_binder *b, const dl_spec_node *node, dl_bound_value *out) {
  if (b->depth >= MAX_DEPTH) return dl_spec_fail(b, "rules are nested too deeply");
  b->depth++;
  dl_status status = eval(b, node, out);
  b->depth--;
  return status;
}

dl_status dl_eval_expr(dl_binder *b, const dl_spec_node *node, dl_expr *out) {
  dl_bound_value value;
  DL_TRY(dl_eval(b, node, &value));
  return dl_to_expr(b, &value, out);
}

dl_status dl_eval_int(dl_binder *b, const dl_spec_node *node, int64_t *out) {
  dl_expr expr;
  DL_TRY(dl_eval_expr(b, node, &expr));
  if (expr->kind != DL_EXPR_CONST)
    return dl_spec_fail(b, "a value that must be known is known only at run time");
  *out = expr->value;
  return DL_OK;
}
