// Entry points: binding, inference, and access to operands and attributes by their declarations.
#include "ir/spec.h"

#include "ir/spec_bind.h"

typedef struct bound_holder {
  dl_bound_spec bound;
  dl_arena *arena;
} bound_holder;

// --- binding ---

static dl_status add_result(dl_binder *b, size_t group, size_t entry, size_t number) {
  const dl_value_spec *spec = &b->spec->def->results[group];
  dl_type type;
  const dl_expr *sizes = NULL;
  b->part = dl_intern_f(b->ctx, "result '%s'", spec->name);
  DL_TRY(dl_result_type(b, b->spec->results[group], entry, &type, &sizes));
  if (!type || !sizes) return dl_spec_fail(b, "its type does not follow from the operands");
  dl_ident name = spec->arity == DL_VARIADIC ? dl_intern_f(b->ctx, "%s.%zu", spec->name, entry)
                                             : dl_intern_z(b->ctx, spec->name);
  dl_bound_tensor tensor = {DL_BOUND_RESULT, number, name, type->element, type->rank, sizes};
  DL_PUSH(&b->tensors, tensor);
  return DL_OK;
}

static dl_status add_results(dl_binder *b) {
  for (size_t i = 0; i < b->spec->def->num_results; i++) {
    size_t count, first = dl_result_group(b->op, i, &count);
    for (size_t k = 0; k < count; k++) DL_TRY(add_result(b, i, k, first + k));
  }
  return DL_OK;
}

static dl_bound_spec *make_bound(dl_binder *b) {
  bound_holder *holder = dl_arena_alloc(b->arena, sizeof *holder);
  holder->arena = b->arena;
  holder->bound = (dl_bound_spec){
      .op = b->op,
      .num_symbols = b->symbols.len,
      .symbols = dl_binder_copy(b, b->symbols.data, b->symbols.len * sizeof *b->symbols.data),
      .num_tensors = b->tensors.len,
      .tensors = dl_binder_copy(b, b->tensors.data, b->tensors.len * sizeof *b->tensors.data),
      .num_statements = b->statements.len,
      .statements =
          dl_binder_copy(b, b->statements.data, b->statements.len * sizeof *b->statements.data),
      .num_reads = b->reads.len,
      .reads = dl_binder_copy(b, b->reads.data, b->reads.len * sizeof *b->reads.data),
  };
  b->arena = NULL;
  return &holder->bound;
}

dl_bound_spec *dl_spec_bind(const dl_op *op) {
  const dl_spec *spec = dl_spec_of(op);
  if (!spec) return NULL;
  if (dl_check_counts(op)) return NULL;
  dl_binder b;
  dl_bound_spec *bound = NULL;
  if (!dl_binder_start(&b, op, spec) && !add_results(&b) && !dl_bind_statements(&b))
    bound = make_bound(&b);
  dl_binder_finish(&b);
  return bound;
}

void dl_bound_destroy(dl_bound_spec *bound) {
  if (bound) dl_arena_destroy(((bound_holder *)bound)->arena);
}

// --- inference ---

static dl_status infer_results(dl_binder *b, dl_type *types) {
  for (size_t i = 0; i < b->spec->def->num_results; i++) {
    size_t count, first = dl_result_group(b->op, i, &count);
    b->part = dl_intern_f(b->ctx, "result '%s'", b->spec->def->results[i].name);
    for (size_t k = 0; k < count; k++)
      DL_TRY(dl_result_type(b, b->spec->results[i], k, &types[first + k], NULL));
  }
  return DL_OK;
}

dl_status dl_spec_infer(const dl_op *op, dl_type *types) {
  const dl_op_def *def = dl_op_def_of(op);
  for (size_t i = 0; i < dl_num_results(op); i++) types[i] = NULL;
  DL_TRY(dl_check_counts(op));
  if (def->infer) return def->infer((dl_op *)op, types);
  const dl_spec *spec = dl_spec_of(op);
  if (!spec) return DL_FAILED;
  dl_binder b;
  dl_status status = DL_FAILED;
  if (!dl_binder_start(&b, op, spec) && !dl_check_conditions(&b)) status = infer_results(&b, types);
  dl_binder_finish(&b);
  return status;
}

// --- access ---

dl_value *dl_spec_operand(const dl_op *op, size_t i) {
  size_t count, first = dl_operand_group(op, i, &count);
  return count ? dl_operand(op, first) : NULL;
}

dl_value *dl_spec_result(const dl_op *op, size_t i) {
  size_t count, first = dl_result_group(op, i, &count);
  return count ? dl_result(op, first) : NULL;
}

static double literal_number(const dl_spec_node *node) {
  if (node->kind == DL_NODE_UNARY) return -literal_number(node->args[0]);
  if (node->kind == DL_NODE_NAME && !strcmp(node->name, "inf")) return __builtin_inf();
  return node->kind == DL_NODE_INT ? (double)node->integer : node->number;
}

static int64_t literal_integer(const dl_spec_node *node) {
  if (node->kind == DL_NODE_UNARY) return -literal_integer(node->args[0]);
  if (node->kind == DL_NODE_NAME) return !strcmp(node->name, "true");
  return node->integer;
}

// A default as an attribute of the scalar type; for strings and types of their own kind.
static dl_attr literal_attr(dl_context *ctx, const dl_spec_attr_rule *rule,
                            const dl_spec_node *node) {
  if (!strcmp(rule->base, "string")) return dl_string_attr_z(ctx, node->name);
  if (!strcmp(rule->base, "bool")) return dl_bool_attr(ctx, literal_integer(node));
  dl_type type = dl_scalar_type_by_name(ctx, rule->base);
  if (!strcmp(rule->base, "type"))
    return dl_type_attr(dl_scalar_type_by_name(ctx, node->name ? node->name : "f32"));
  if (!type) return NULL;
  return dl_is_float(type) ? dl_float_attr(type, literal_number(node))
                           : dl_int_attr(type, literal_integer(node));
}

static dl_attr array_default(dl_context *ctx, const dl_spec_attr_rule *rule) {
  const dl_spec_node *node = rule->otherwise;
  bool is_list = node->kind == DL_NODE_LIST;
  if (!is_list && (!rule->count || rule->count->kind != DL_NODE_INT)) return NULL;
  size_t count = is_list ? node->num_args : (size_t)rule->count->integer;
  dl_type element = dl_scalar_type_by_name(ctx, rule->base);
  if (!element || count > 64) return NULL;
  int64_t integers[64];
  double numbers[64];
  float singles[64];
  for (size_t i = 0; i < count; i++) {
    const dl_spec_node *entry = is_list ? node->args[i] : node;
    integers[i] = literal_integer(entry);
    numbers[i] = literal_number(entry);
    singles[i] = (float)numbers[i];
  }
  if (element == dl_int_type(ctx, 64)) return dl_i64_array_attr(ctx, count, integers);
  if (element == dl_f32_type(ctx))
    return dl_dense_array_attr(element, count, (dl_str){(char *)singles, count * sizeof *singles});
  if (element == dl_float_type(ctx, DL_F64))
    return dl_dense_array_attr(element, count, (dl_str){(char *)numbers, count * sizeof *numbers});
  return NULL;
}

dl_attr dl_spec_attr(const dl_op *op, const char *name) {
  dl_attr attr = dl_get_attr(op, name);
  if (attr) return attr;
  const dl_op_def *def = dl_op_def_of(op);
  for (size_t i = 0; i < def->num_attrs; i++) {
    if (strcmp(def->attrs[i].name, name) || !def->attrs[i].default_value) continue;
    const dl_spec *spec = dl_spec_of(op);
    if (!spec) return NULL;
    const dl_spec_attr_rule *rule = &spec->attrs[i];
    dl_context *ctx = dl_op_context(op);
    return rule->is_array ? array_default(ctx, rule) : literal_attr(ctx, rule, rule->otherwise);
  }
  return NULL;
}

int64_t dl_spec_i64(const dl_op *op, const char *name) {
  dl_attr attr = dl_spec_attr(op, name);
  return attr && attr->kind == DL_ATTR_INTEGER ? attr->integer : 0;
}

double dl_spec_f64(const dl_op *op, const char *name) {
  dl_attr attr = dl_spec_attr(op, name);
  return attr && attr->kind == DL_ATTR_FLOAT ? attr->number : 0;
}

dl_str dl_spec_str(const dl_op *op, const char *name) {
  dl_attr attr = dl_spec_attr(op, name);
  return attr && attr->kind == DL_ATTR_STRING ? attr->bytes : (dl_str){"", 0};
}

dl_type dl_spec_type(const dl_op *op, const char *name) {
  dl_attr attr = dl_spec_attr(op, name);
  return attr && attr->kind == DL_ATTR_TYPE ? attr->type : NULL;
}
