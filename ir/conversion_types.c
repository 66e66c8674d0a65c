#include "ir/conversion_internal.h"

// --- types ---

static bool convert_type(const dl_conversion *cv, dl_type type, dl_type_list *into) {
  const dl_type_converter *types = cv->config->types;
  if (types) return types->convert(type, into, cv->config->user);
  DL_PUSH(into, type);
  return true;
}

dl_type dl_cv_type(dl_conversion *cv, dl_type type) {
  dl_type_list list = {0};
  bool one = convert_type(cv, type, &list) && list.len == 1;
  dl_type result = one ? list.data[0] : NULL;
  DL_VEC_FREE(&list);
  return result;
}

static bool stays(const dl_conversion *cv, dl_type type) {
  dl_type_list list = {0};
  bool same = convert_type(cv, type, &list) && list.len == 1 && list.data[0] == type;
  DL_VEC_FREE(&list);
  return same;
}

static dl_type function_type_of(const dl_op *op) {
  dl_attr attr = dl_has_trait(op, DL_FUNCTION) ? dl_get_attr(op, "function_type") : NULL;
  return attr && attr->kind == DL_ATTR_TYPE && attr->type->kind == DL_TYPE_FUNCTION ? attr->type
                                                                                    : NULL;
}

static bool all_stay(const dl_conversion *cv, size_t count, const dl_type *types) {
  for (size_t i = 0; i < count; i++)
    if (!stays(cv, types[i])) return false;
  return true;
}

static bool arguments_stay(const dl_conversion *cv, const dl_block *block) {
  size_t converted = (size_t)(uintptr_t)dl_ptr_map_get(&cv->converted, block);
  for (size_t i = converted ? converted - 1 : 0; i < dl_num_args(block); i++)
    if (!stays(cv, dl_value_type(dl_arg(block, i)))) return false;
  return true;
}

bool dl_types_are_legal(const dl_conversion *cv, const dl_op *op) {
  dl_type function = function_type_of(op);
  if (function && !(all_stay(cv, function->num_inputs, function->inputs) &&
                    all_stay(cv, function->num_results, function->results)))
    return false;
  for (size_t i = 0; i < dl_num_operands(op); i++)
    if (!stays(cv, dl_value_type(dl_operand(op, i)))) return false;
  for (size_t i = 0; i < dl_num_results(op); i++)
    if (!stays(cv, dl_value_type(dl_result(op, i)))) return false;
  for (size_t r = 0; r < dl_num_regions(op); r++) DL_FOR_BLOCKS(block, dl_op_region(op, r)) {
      if (!arguments_stay(cv, block)) return false;
    }
  return true;
}

// --- casts ---

static bool same_types(const dl_value_list *values, const dl_type_list *types) {
  bool same = values->len == types->len;
  for (size_t i = 0; i < values->len && same; i++)
    same = dl_value_type(values->data[i]) == types->data[i];
  return same;
}

static dl_op *build_unrealized(dl_builder *b, const dl_value_list *inputs,
                               const dl_type_list *types) {
  const dl_op_def *def = dl_find_op_def(b->ctx, DL_STR("builtin.unrealized_conversion_cast"));
  if (!def) dl_bug(NULL, "types are converted without the builtin dialect");
  return dl_build(b, &(dl_op_state){.def = def,
                                    .num_operands = inputs->len,
                                    .operands = inputs->data,
                                    .num_results = types->len,
                                    .result_types = types->data});
}

bool dl_materialize_unrealized_cast(dl_builder *b, const dl_value_list *inputs,
                                    const dl_type_list *types, dl_value **results, void *user) {
  (void)user;
  dl_op *cast = build_unrealized(b, inputs, types);
  for (size_t i = 0; i < types->len; i++) results[i] = dl_result(cast, i);
  return true;
}

void dl_build_cast(dl_conversion *cv, dl_op *before, dl_loc loc, const dl_value_list *inputs,
                   const dl_type_list *types, dl_value_list *results) {
  dl_builder b = dl_builder_before(before);
  b.loc = loc;
  dl_op *cast = build_unrealized(&b, inputs, types);
  DL_PUSH(&cv->casts, cast);
  for (size_t i = 0; i < types->len; i++) DL_PUSH(results, dl_result(cast, i));
}

bool dl_cv_operands(dl_conversion *cv, dl_op *op, size_t i, dl_value_list *values) {
  dl_value_list now = {0};
  dl_type_list wanted = {0};
  dl_value *operand = dl_operand(op, i);
  dl_remap(cv, operand, &now);
  bool possible = convert_type(cv, dl_value_type(operand), &wanted);
  bool same = possible && same_types(&now, &wanted);
  if (possible && !same) dl_build_cast(cv, op, dl_op_loc(op), &now, &wanted, values);
  for (size_t k = 0; same && k < now.len; k++) DL_PUSH(values, now.data[k]);
  DL_VEC_FREE(&now);
  DL_VEC_FREE(&wanted);
  return possible;
}

dl_value *dl_cv_operand(dl_conversion *cv, dl_op *op, size_t i) {
  dl_value_list values = {0};
  if (!dl_cv_operands(cv, op, i, &values) || values.len != 1)
    dl_bug(op, "operand %zu has not become exactly one value", i);
  dl_value *value = values.data[0];
  DL_VEC_FREE(&values);
  return value;
}

// --- ops that only change types ---

// Everything of the op that follows, under construction.
typedef struct rebuilt {
  dl_value_list operands;
  dl_type_list results;
  DL_VEC(int32_t) operand_groups, result_groups;  // sizes; empty: the op has no such attribute
  DL_VEC(dl_named_attr) inherent;
  size_t *counts;  // of what each result becomes
} rebuilt;

static void rebuilt_free(rebuilt *r) {
  DL_VEC_FREE(&r->operands);
  DL_VEC_FREE(&r->results);
  DL_VEC_FREE(&r->operand_groups);
  DL_VEC_FREE(&r->result_groups);
  DL_VEC_FREE(&r->inherent);
  free(r->counts);
}

static bool convert_values(dl_conversion *cv, dl_op *op, rebuilt *r) {
  size_t *operand_counts = dl_calloc(dl_num_operands(op) + 1, sizeof(size_t));
  r->counts = dl_calloc(dl_num_results(op) + 1, sizeof(size_t));
  bool possible = true;
  for (size_t i = 0; i < dl_num_operands(op) && possible; i++) {
    size_t before = r->operands.len;
    possible = dl_cv_operands(cv, op, i, &r->operands);
    operand_counts[i] = r->operands.len - before;
  }
  for (size_t i = 0; i < dl_num_results(op) && possible; i++) {
    size_t before = r->results.len;
    possible = convert_type(cv, dl_value_type(dl_result(op, i)), &r->results);
    r->counts[i] = r->results.len - before;
  }
  const dl_op_def *def = dl_op_def_of(op);
  for (size_t g = 0; g < def->num_operands && possible; g++) {
    size_t count, first = dl_operand_group(op, g, &count), sum = 0;
    for (size_t i = 0; i < count; i++) sum += operand_counts[first + i];
    DL_PUSH(&r->operand_groups, (int32_t)sum);
  }
  for (size_t g = 0; g < def->num_results && possible; g++) {
    size_t count, first = dl_result_group(op, g, &count), sum = 0;
    for (size_t i = 0; i < count; i++) sum += r->counts[first + i];
    DL_PUSH(&r->result_groups, (int32_t)sum);
  }
  free(operand_counts);
  return possible;
}

static void copy_attrs(const dl_op *op, rebuilt *r) {
  dl_context *ctx = dl_op_context(op);
  for (size_t i = 0; i < dl_num_inherent_attrs(op); i++) {
    dl_named_attr attr = dl_inherent_attr(op, i);
    if (!strcmp(attr.name, "operandSegmentSizes"))
      attr.value = dl_i32_array_attr(ctx, r->operand_groups.len, r->operand_groups.data);
    if (!strcmp(attr.name, "resultSegmentSizes"))
      attr.value = dl_i32_array_attr(ctx, r->result_groups.len, r->result_groups.data);
    DL_PUSH(&r->inherent, attr);
  }
}

static dl_op *build_anew(dl_conversion *cv, dl_op *op, const rebuilt *r) {
  DL_VEC(dl_block *) successors = {0};
  for (size_t i = 0; i < dl_num_successors(op); i++) DL_PUSH(&successors, dl_successor(op, i));
  dl_op *to = dl_build(dl_cv_builder(cv), &(dl_op_state){.def = dl_op_def_of(op),
                                                         .num_operands = r->operands.len,
                                                         .operands = r->operands.data,
                                                         .num_results = r->results.len,
                                                         .result_types = r->results.data,
                                                         .num_inherent = r->inherent.len,
                                                         .inherent = r->inherent.data,
                                                         .num_regions = dl_num_regions(op),
                                                         .num_successors = successors.len,
                                                         .successors = successors.data});
  for (size_t i = 0; i < dl_num_discardable_attrs(op); i++)
    dl_set_discardable_attr(to, dl_discardable_attr(op, i).name, dl_discardable_attr(op, i).value);
  DL_VEC_FREE(&successors);
  return to;
}

static bool convert_region(dl_conversion *cv, dl_region *region) {
  DL_FOR_BLOCKS(block, region) {
    if (!dl_cv_convert_arguments(cv, block)) return false;
  }
  return true;
}

static bool take_regions(dl_conversion *cv, dl_op *to, dl_op *from) {
  for (size_t i = 0; i < dl_num_regions(from); i++) {
    dl_cv_take_region(cv, dl_op_region(to, i), dl_op_region(from, i));
    if (!convert_region(cv, dl_op_region(to, i))) return false;
  }
  return true;
}

static dl_outcome rebuild(dl_conversion *cv, dl_op *op) {
  rebuilt r = {0};
  dl_outcome outcome = DL_NO_MATCH;
  if (convert_values(cv, op, &r)) {
    copy_attrs(op, &r);
    dl_op *to = build_anew(cv, op, &r);
    DL_VEC(dl_value *) values = {0};
    for (size_t i = 0; i < r.results.len; i++) DL_PUSH(&values, dl_result(to, i));
    if (take_regions(cv, to, op)) {
      dl_cv_replace_by_many(cv, op, r.counts, values.data);
      outcome = DL_CHANGED;
    }
    DL_VEC_FREE(&values);
  }
  rebuilt_free(&r);
  return outcome;
}

static bool convert_list(dl_conversion *cv, size_t count, const dl_type *types,
                         dl_type_list *into) {
  for (size_t i = 0; i < count; i++)
    if (!convert_type(cv, types[i], into)) return false;
  return true;
}

static dl_outcome convert_function(dl_conversion *cv, dl_op *op, dl_type type) {
  dl_type_list inputs = {0}, results = {0};
  bool possible = convert_list(cv, type->num_inputs, type->inputs, &inputs) &&
                  convert_list(cv, type->num_results, type->results, &results);
  if (possible) {
    dl_cv_modify(cv, op);
    dl_type to = dl_function_type(type->ctx, inputs.len, inputs.data, results.len, results.data);
    dl_set_attr(op, "function_type", dl_type_attr(to));
    // Dictionaries for each argument or result say nothing once these are others in number.
    if (inputs.len != type->num_inputs) dl_set_attr(op, "arg_attrs", NULL);
    if (results.len != type->num_results) dl_set_attr(op, "res_attrs", NULL);
    possible = convert_region(cv, dl_op_region(op, 0));
  }
  DL_VEC_FREE(&inputs);
  DL_VEC_FREE(&results);
  return possible ? DL_CHANGED : DL_NO_MATCH;
}

dl_outcome dl_convert_types_only(dl_conversion *cv, dl_op *op) {
  dl_type function = function_type_of(op);
  dl_outcome outcome = function ? convert_function(cv, op, function) : rebuild(cv, op);
  return outcome == DL_CHANGED ? outcome : dl_cv_no_match(cv, "a type cannot be converted");
}

// --- the end of a conversion ---

// Connects the uses of a value that has become others, by ops that stay.
static void connect_value(dl_conversion *cv, dl_value *value, dl_op *before) {
  DL_VEC(dl_use *) uses = {0};
  for (dl_use *use = dl_first_use(value); use; use = dl_next_use(use))
    if (!dl_is_replaced(cv, dl_use_owner(use))) DL_PUSH(&uses, use);
  dl_value_list now = {0};
  dl_type_list type = {0};
  dl_remap(cv, value, &now);
  DL_PUSH(&type, dl_value_type(value));
  if (uses.len && !same_types(&now, &type)) {
    dl_value_list cast = {0};
    dl_note_building(cv, before);
    dl_build_cast(cv, before, dl_value_loc(value), &now, &type, &cast);
    DL_VEC_FREE(&now);
    now = cast;
  }
  for (size_t i = 0; i < uses.len; i++) {
    dl_op *user = dl_use_owner(uses.data[i]);
    dl_cv_modify(cv, user);
    dl_set_operand(user, dl_use_index(uses.data[i]), now.data[0]);
  }
  DL_VEC_FREE(&uses);
  DL_VEC_FREE(&now);
  DL_VEC_FREE(&type);
}

void dl_connect_users(dl_conversion *cv) {
  for (size_t i = 0, count = cv->journal.len; i < count; i++) {
    dl_change change = cv->journal.data[i];
    if (change.kind == DL_CHANGE_REPLACED)
      for (size_t k = 0; k < dl_num_results(change.op); k++)
        connect_value(cv, dl_result(change.op, k), change.op);
    if (change.kind == DL_CHANGE_ARGUMENTS)
      for (size_t k = 0; k < change.count; k++)
        connect_value(cv, dl_arg(change.block, k), dl_block_first(change.block));
  }
}

static dl_op *cast_below(const dl_op *cast) {
  dl_op *def = dl_num_operands(cast) ? dl_value_def(dl_operand(cast, 0)) : NULL;
  if (!def || dl_op_def_of(def) != dl_op_def_of(cast)) return NULL;
  for (size_t i = 0; i < dl_num_operands(cast); i++)
    if (dl_operand(cast, i) != dl_result(def, i)) return NULL;
  return dl_num_results(def) == dl_num_operands(cast) ? def : NULL;
}

// A cast back to the types that another one came from.
static bool cancel(dl_op *cast) {
  dl_op *below = cast_below(cast);
  bool same = below && dl_num_operands(below) == dl_num_results(cast);
  for (size_t i = 0; same && i < dl_num_results(cast); i++)
    same = dl_value_type(dl_operand(below, i)) == dl_value_type(dl_result(cast, i));
  for (size_t i = 0; same && i < dl_num_results(cast); i++)
    dl_replace_all_uses(dl_result(cast, i), dl_operand(below, i));
  return same;
}

static bool is_used(const dl_conversion *cv, const dl_op *op) {
  for (size_t i = 0; i < dl_num_results(op); i++)
    for (dl_use *use = dl_first_use(dl_result(op, i)); use; use = dl_next_use(use))
      if (!dl_is_replaced(cv, dl_use_owner(use))) return true;
  return false;
}

static void print_types(dl_buffer *out, size_t count, dl_value *(*at)(const dl_op *op, size_t i),
                        const dl_op *op) {
  dl_buffer_putc(out, '(');
  for (size_t i = 0; i < count; i++) {
    if (i) dl_buffer_puts(out, ", ");
    dl_print_type(out, dl_value_type(at(op, i)));
  }
  dl_buffer_putc(out, ')');
}

static dl_status fail_cast(const dl_op *cast) {
  dl_buffer from = {0}, to = {0};
  print_types(&from, dl_num_operands(cast), dl_operand, cast);
  print_types(&to, dl_num_results(cast), dl_result, cast);
  dl_error(dl_op_loc(cast),
           "failed to legalize unresolved materialization from %s to %s that remained live after "
           "conversion",
           from.data, to.data);
  const dl_use *use = dl_first_use(dl_result(cast, 0));
  if (use) dl_note(dl_op_loc(dl_use_owner(use)), "the value is used here");
  dl_buffer_free(&from);
  dl_buffer_free(&to);
  return DL_FAILED;
}

static dl_status materialize(dl_conversion *cv, dl_op *cast) {
  const dl_type_converter *types = cv->config->types;
  dl_value_list inputs = {0};
  dl_type_list wanted = {0};
  for (size_t i = 0; i < dl_num_operands(cast); i++) DL_PUSH(&inputs, dl_operand(cast, i));
  for (size_t i = 0; i < dl_num_results(cast); i++)
    DL_PUSH(&wanted, dl_value_type(dl_result(cast, i)));
  dl_value **results = dl_calloc(wanted.len + 1, sizeof(*results));
  dl_builder b = dl_builder_before(cast);
  dl_note_building(cv, cast);
  bool done = types && types->materialize &&
              types->materialize(&b, &inputs, &wanted, results, cv->config->user);
  for (size_t i = 0; done && i < wanted.len; i++)
    dl_replace_all_uses(dl_result(cast, i), results[i]);
  DL_VEC_FREE(&inputs);
  DL_VEC_FREE(&wanted);
  free(results);
  return done ? DL_OK : fail_cast(cast);
}

dl_status dl_resolve_casts(dl_conversion *cv) {
  for (size_t i = 0; i < cv->casts.len; i++)
    if (cv->casts.data[i]) cancel(cv->casts.data[i]);
  // Users first: a cast may be there for another one only.
  for (size_t i = cv->casts.len; i-- > 0;)
    if (cv->casts.data[i] && is_used(cv, cv->casts.data[i]))
      DL_TRY(materialize(cv, cv->casts.data[i]));
  return DL_OK;
}
