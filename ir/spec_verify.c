// Verifies an op against its spec.
#include "ir/op_internal.h"
#include "ir/spec_bind.h"

// --- counts ---

static dl_status check_segments(const dl_op *op, const char *kind, const char *name, size_t count,
                                const dl_value_spec *specs, size_t total) {
  dl_attr sizes = dl_get_attr(op, name);
  if (!sizes || sizes->kind != DL_ATTR_DENSE_ARRAY || dl_is_float(sizes->type) ||
      dl_array_len(sizes) != count)
    return dl_error(dl_op_loc(op), "'%s': requires attribute '%s' with %zu integers",
                    dl_op_name(op), name, count);
  int64_t sum = 0;
  for (size_t i = 0; i < count; i++) {
    int64_t size = dl_i64_at(sizes, i);
    if (size < 0 || (specs[i].arity == DL_ONE && size != 1) ||
        (specs[i].arity == DL_OPTIONAL && size > 1) || size > (int64_t)total)
      return dl_error(dl_op_loc(op), "'%s': '%s' gives %s '%s' %lld values", dl_op_name(op), name,
                      kind, specs[i].name, (long long)size);
    sum += size;
  }
  if (sum != (int64_t)total)
    return dl_error(dl_op_loc(op), "'%s': '%s' sums to %lld, but there are %zu %ss", dl_op_name(op),
                    name, (long long)sum, total, kind);
  return DL_OK;
}

static dl_status check_count(const dl_op *op, const char *kind, const char *segments, size_t count,
                             const dl_value_spec *specs, size_t total) {
  size_t single = 0, optional = 0, variadic = 0;
  for (size_t i = 0; i < count; i++) {
    single += specs[i].arity == DL_ONE;
    optional += specs[i].arity == DL_OPTIONAL;
    variadic += specs[i].arity == DL_VARIADIC;
  }
  if (optional + variadic > 1) return check_segments(op, kind, segments, count, specs, total);
  if (total >= single && (variadic || total <= single + optional)) return DL_OK;
  return dl_error(dl_op_loc(op), "'%s': expected %s%zu %s%s, found %zu", dl_op_name(op),
                  variadic                     ? "at least "
                  : optional && total > single ? "at most "
                                               : "",
                  single + (total > single ? optional : 0), kind,
                  single + (total > single ? optional : 0) == 1 ? "" : "s", total);
}

dl_status dl_check_counts(const dl_op *op) {
  const dl_op_def *def = dl_op_def_of(op);
  DL_TRY(check_count(op, "operand", "operandSegmentSizes", def->num_operands, def->operands,
                     dl_num_operands(op)));
  return check_count(op, "result", "resultSegmentSizes", def->num_results, def->results,
                     dl_num_results(op));
}

// --- attributes ---

static bool has_kind(dl_context *ctx, dl_ident base, dl_attr attr) {
  static const struct {
    const char *base;
    dl_attr_kind kind;
  } kinds[] = {
      {"unit", DL_ATTR_UNIT},   {"string", DL_ATTR_STRING},   {"type", DL_ATTR_TYPE},
      {"map", DL_ATTR_MAP},     {"set", DL_ATTR_SET},         {"symbol", DL_ATTR_SYMBOL},
      {"array", DL_ATTR_ARRAY}, {"dict", DL_ATTR_DICT},       {"integer", DL_ATTR_INTEGER},
      {"float", DL_ATTR_FLOAT}, {"dialect", DL_ATTR_DIALECT}, {"dense_array", DL_ATTR_DENSE_ARRAY}};
  if (!strcmp(base, "any")) return true;
  if (!strcmp(base, "typed")) return attr->type != NULL;
  if (!strcmp(base, "dense") || !strcmp(base, "elements"))
    return attr->kind == DL_ATTR_DENSE || attr->kind == DL_ATTR_RESOURCE ||
           attr->kind == DL_ATTR_SPARSE;
  for (size_t i = 0; i < DL_COUNT(kinds); i++)
    if (!strcmp(kinds[i].base, base)) return attr->kind == kinds[i].kind;
  dl_type type = dl_scalar_type_by_name(ctx, base);
  return (attr->kind == DL_ATTR_INTEGER || attr->kind == DL_ATTR_FLOAT) && attr->type == type;
}

static bool has_array_kind(dl_context *ctx, dl_ident base, dl_attr attr) {
  if (attr->kind == DL_ATTR_DENSE_ARRAY)
    return attr->type == dl_scalar_type_by_name(ctx, base) || !dl_array_len(attr);
  if (attr->kind != DL_ATTR_ARRAY) return false;
  for (size_t i = 0; i < attr->count; i++)
    if (!has_kind(ctx, base, attr->elements[i])) return false;
  return true;
}

static dl_status check_choice(const dl_op *op, const dl_spec_attr_rule *rule, dl_attr attr) {
  if (!rule->num_choices || attr->kind != DL_ATTR_STRING) return DL_OK;
  dl_buffer names = {0};
  for (size_t i = 0; i < rule->num_choices; i++) {
    if (dl_str_is(attr->bytes, rule->choices[i])) return dl_buffer_free(&names), DL_OK;
    dl_buffer_printf(&names, "%s%s", i ? ", " : "", rule->choices[i]);
  }
  dl_error(dl_op_loc(op), "'%s': attribute '%s' is \"%.*s\", expected one of %s", dl_op_name(op),
           rule->name, (int)attr->bytes.len, attr->bytes.data, names.data);
  dl_buffer_free(&names);
  return DL_FAILED;
}

static bool fits(dl_context *ctx, const dl_spec_attr_rule *rule, dl_attr attr) {
  if (rule->number && !rule->is_array && attr->type == rule->number)
    return attr->kind == DL_ATTR_INTEGER || attr->kind == DL_ATTR_FLOAT;
  return rule->is_array ? has_array_kind(ctx, rule->base, attr) : has_kind(ctx, rule->base, attr);
}

static dl_status check_attr(const dl_op *op, const dl_spec_attr_rule *rule,
                            const dl_attr_spec *spec) {
  dl_attr attr = dl_get_attr_ident(op, rule->name);
  if (!attr) {
    if (spec->optional || spec->default_value || !strcmp(rule->base, "unit")) return DL_OK;
    return dl_error(dl_op_loc(op), "'%s': requires attribute '%s'", dl_op_name(op), spec->name);
  }
  if (fits(dl_op_context(op), rule, attr)) return check_choice(op, rule, attr);
  dl_buffer text = {0};
  dl_print_attr(&text, attr);
  dl_error(dl_op_loc(op), "'%s': attribute '%s' is %s, expected '%s'", dl_op_name(op), spec->name,
           text.data, spec->constraint);
  dl_buffer_free(&text);
  return DL_FAILED;
}

// The length of an array attribute may depend on sizes, so this comes after the operands.
static dl_status check_attr_count(dl_binder *b, const dl_spec_attr_rule *rule) {
  dl_attr attr = dl_get_attr_ident(b->op, rule->name);
  if (!attr || !rule->count) return DL_OK;
  int64_t expected;
  b->part = dl_intern_f(b->ctx, "attribute '%s'", rule->name);
  DL_TRY(dl_eval_int(b, rule->count, &expected));
  if ((int64_t)dl_array_len(attr) == expected) return DL_OK;
  return dl_error(dl_op_loc(b->op), "'%s': attribute '%s' has %zu entries, expected %lld",
                  dl_op_name(b->op), rule->name, dl_array_len(attr), (long long)expected);
}

static dl_status check_attrs(const dl_op *op, const dl_spec *spec) {
  dl_status status = DL_OK;
  for (size_t i = 0; i < spec->def->num_attrs; i++)
    if (check_attr(op, &spec->attrs[i], &spec->def->attrs[i])) status = DL_FAILED;
  return status;
}

static dl_status check_attr_counts(dl_binder *b) {
  dl_status status = DL_OK;
  for (size_t i = 0; i < b->spec->def->num_attrs; i++)
    if (check_attr_count(b, &b->spec->attrs[i])) status = DL_FAILED;
  return status;
}

// --- results ---

// Encodings are left out: the layout is nothing that the operator's mathematics speaks of.
static bool is_compatible(dl_type actual, dl_type expected) {
  if (actual == expected) return true;
  if (!dl_is_tensor(actual) || !dl_is_tensor(expected) || actual->unranked) return false;
  if (actual->element != expected->element || actual->rank != expected->rank) return false;
  for (size_t i = 0; i < actual->rank; i++)
    if (actual->shape[i] != expected->shape[i] && actual->shape[i] != DL_DYNAMIC &&
        expected->shape[i] != DL_DYNAMIC)
      return false;
  return true;
}

static dl_status check_result(dl_binder *b, size_t group, size_t entry, size_t number) {
  const dl_value_spec *spec = &b->spec->def->results[group];
  const char *what = dl_intern_f(b->ctx, "result '%s'", spec->name);
  dl_type expected, actual = dl_value_type(dl_result(b->op, number));
  b->part = what;
  DL_TRY(dl_result_type(b, b->spec->results[group], entry, &expected, NULL));
  if (!expected) return dl_match_result(b, group, number, actual);
  if (is_compatible(actual, expected)) return DL_OK;
  dl_buffer text = {0};
  dl_print_type(&text, actual);
  dl_buffer_puts(&text, ", expected ");
  dl_print_type(&text, expected);
  dl_error(dl_op_loc(b->op), "'%s': %s has type %s", dl_op_name(b->op), what, text.data);
  dl_buffer_free(&text);
  return DL_FAILED;
}

static dl_status check_results(dl_binder *b) {
  dl_status status = DL_OK;
  for (size_t i = 0; i < b->spec->def->num_results; i++) {
    size_t count, first = dl_result_group(b->op, i, &count);
    for (size_t k = 0; k < count; k++)
      if (check_result(b, i, k, first + k)) status = DL_FAILED;
  }
  return status;
}

dl_status dl_spec_verify(const dl_op *op) {
  const dl_spec *spec;
  DL_TRY(dl_op_info_spec(op, &spec));
  if (!spec) return DL_OK;
  bool counted =
      op->num_operands == op->info->num_operands && op->num_results == op->info->num_results;
  if (!counted) DL_TRY(dl_check_counts(op));
  // Rules are evaluated on attributes and operands that are sound by themselves only.
  DL_TRY(check_attrs(op, spec));
  if (spec->is_free) return DL_OK;
  dl_binder b;
  dl_status status = dl_binder_start(&b, op, spec);
  if (status == DL_OK) status = check_attr_counts(&b);
  if (status == DL_OK) status = dl_check_conditions(&b);
  if (status == DL_OK) status = check_results(&b);
  dl_binder_finish(&b);
  return status;
}
