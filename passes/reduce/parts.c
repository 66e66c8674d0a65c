// Strategies that take away parts of ops: results, operands, attributes, and what functions take
// and give.
#include "passes/reduce/reduce_internal.h"

// --- functions ---

static dl_type function_type(const dl_op *function) {
  dl_attr attr = dl_get_attr(function, "function_type");
  bool known = attr && attr->kind == DL_ATTR_TYPE && attr->type->kind == DL_TYPE_FUNCTION;
  return known ? attr->type : NULL;
}

static void set_function_type(dl_op *function, size_t num_inputs, const dl_type *inputs,
                              size_t num_results, const dl_type *results) {
  dl_type type =
      dl_function_type(dl_op_context(function), num_inputs, inputs, num_results, results);
  dl_set_attr(function, "function_type", dl_type_attr(type));
}

static dl_type *types_without(size_t count, const dl_type *types, size_t i) {
  dl_type *rest = dl_malloc(count * sizeof(*rest));
  memcpy(rest, types, i * sizeof(*rest));
  memcpy(rest + i, types + i + 1, (count - i - 1) * sizeof(*rest));
  return rest;
}

static void drop_entry(dl_op *function, const char *name, size_t i) {
  dl_attr attr = dl_get_attr(function, name);
  if (attr) dl_set_attr(function, name, dl_without_entry(attr, i));
}

static bool drop_argument(dl_op *function, size_t i) {
  dl_type type = function_type(function);
  dl_block *entry = dl_region_first(dl_op_region(function, 0));
  if (i >= dl_num_args(entry) || dl_has_uses(dl_arg(entry, i))) return false;
  dl_remove_arg(entry, i);
  dl_type *inputs = types_without(type->num_inputs, type->inputs, i);
  set_function_type(function, type->num_inputs - 1, inputs, type->num_results, type->results);
  drop_entry(function, "arg_attrs", i);
  free(inputs);
  return true;
}

static void drop_operand(dl_op *op, size_t i) {
  size_t count = dl_num_operands(op);
  dl_value **values = dl_malloc(count * sizeof(*values));
  for (size_t k = 0, at = 0; k < count; k++)
    if (k != i) values[at++] = dl_operand(op, k);
  dl_set_operands(op, count - 1, values);
  dl_shrink_segment(op, "operandSegmentSizes", i);
  free(values);
}

// What leaves the function hands one value less.
static bool drop_function_result(dl_op *function, size_t i) {
  dl_type type = function_type(function);
  DL_FOR_BLOCKS(block, dl_op_region(function, 0)) {
    dl_op *end = dl_block_last(block);
    if (end && !dl_num_successors(end) && dl_num_operands(end) == type->num_results)
      drop_operand(end, i);
  }
  dl_type *results = types_without(type->num_results, type->results, i);
  set_function_type(function, type->num_inputs, type->inputs, type->num_results - 1, results);
  drop_entry(function, "res_attrs", i);
  free(results);
  return true;
}

static void reduce_signature(dl_reduction *r, dl_op *module, dl_op *function) {
  if (dl_region_empty(dl_op_region(function, 0)) || !function_type(function)) return;
  bool counting = r->first == r->last;
  if (!counting && dl_symbol_is_used(module, function)) {
    r->num_targets += function_type(function)->num_inputs + function_type(function)->num_results;
    return;
  }
  for (size_t i = function_type(function)->num_results; i-- > 0;)
    if (dl_take_target(r)) r->changed |= drop_function_result(function, i);
  for (size_t i = function_type(function)->num_inputs; i-- > 0;)
    if (dl_take_target(r)) r->changed |= drop_argument(function, i);
}

void dl_reduce_signatures(dl_reduction *r, dl_op *module) {
  dl_op_list ops = {0};
  dl_collect_backwards(module, &ops);
  for (size_t i = 0; i < ops.len; i++)
    if (dl_has_trait(ops.data[i], DL_FUNCTION)) reduce_signature(r, module, ops.data[i]);
  DL_VEC_FREE(&ops);
}

// --- results ---

typedef DL_VEC(dl_named_attr) attr_list;

static attr_list attrs_of(const dl_op *op, bool inherent) {
  attr_list list = {0};
  size_t count = inherent ? dl_num_inherent_attrs(op) : dl_num_discardable_attrs(op);
  for (size_t i = 0; i < count; i++)
    DL_PUSH(&list, inherent ? dl_inherent_attr(op, i) : dl_discardable_attr(op, i));
  return list;
}

// Moves the regions of op into ones of their own.
static dl_region **take_regions(dl_op *op) {
  dl_region **regions = dl_malloc((dl_num_regions(op) + 1) * sizeof(*regions));
  for (size_t i = 0; i < dl_num_regions(op); i++) {
    regions[i] = dl_region_create(dl_op_context(op));
    dl_region_take(regions[i], dl_op_region(op, i));
  }
  return regions;
}

// An op like this one, before it, without result `without`.
static dl_op *rebuild(dl_op *op, size_t without) {
  size_t num_results = dl_num_results(op), num_operands = dl_num_operands(op);
  size_t num_successors = dl_num_successors(op);
  dl_type *types = dl_malloc(num_results * sizeof(*types));
  dl_value **operands = dl_malloc((num_operands + 1) * sizeof(*operands));
  dl_block **successors = dl_malloc((num_successors + 1) * sizeof(*successors));
  for (size_t i = 0, at = 0; i < num_results; i++)
    if (i != without) types[at++] = dl_value_type(dl_result(op, i));
  for (size_t i = 0; i < num_operands; i++) operands[i] = dl_operand(op, i);
  for (size_t i = 0; i < num_successors; i++) successors[i] = dl_successor(op, i);
  attr_list inherent = attrs_of(op, true), others = attrs_of(op, false);
  dl_region **regions = take_regions(op);
  dl_op *fresh = dl_op_create(dl_op_context(op), &(dl_op_state){.def = dl_op_def_of(op),
                                                                .loc = dl_op_loc(op),
                                                                .num_operands = num_operands,
                                                                .operands = operands,
                                                                .num_results = num_results - 1,
                                                                .result_types = types,
                                                                .num_attrs = others.len,
                                                                .attrs = others.data,
                                                                .num_inherent = inherent.len,
                                                                .inherent = inherent.data,
                                                                .num_regions = dl_num_regions(op),
                                                                .regions = regions,
                                                                .num_successors = num_successors,
                                                                .successors = successors});
  free(types), free(operands), free(successors), free(regions);
  DL_VEC_FREE(&inherent);
  DL_VEC_FREE(&others);
  dl_op_insert_before(fresh, op);
  dl_shrink_segment(fresh, "resultSegmentSizes", without);
  return fresh;
}

static bool drop_result(dl_op **op, size_t without) {
  if (dl_has_uses(dl_result(*op, without))) return false;
  dl_op *fresh = rebuild(*op, without);
  for (size_t i = 0, at = 0; i < dl_num_results(*op); i++) {
    if (i == without) continue;
    dl_value_set_name(dl_result(fresh, at), dl_value_name(dl_result(*op, i)));
    dl_replace_all_uses(dl_result(*op, i), dl_result(fresh, at++));
  }
  dl_op_erase(*op);
  *op = fresh;
  return true;
}

void dl_reduce_results(dl_reduction *r, dl_op *module) {
  dl_op_list ops = {0};
  dl_collect_backwards(module, &ops);
  for (size_t i = 0; i < ops.len; i++)
    for (size_t k = dl_num_results(ops.data[i]); k-- > 0;)
      if (dl_take_target(r)) r->changed |= drop_result(&ops.data[i], k);
  DL_VEC_FREE(&ops);
}

// --- operands and attributes ---

void dl_reduce_operands(dl_reduction *r, dl_op *module) {
  dl_op_list ops = {0};
  dl_collect_backwards(module, &ops);
  for (size_t i = 0; i < ops.len; i++)
    for (size_t k = dl_num_operands(ops.data[i]); k-- > 0;) {
      if (!dl_take_target(r)) continue;
      drop_operand(ops.data[i], k);
      r->changed = true;
    }
  DL_VEC_FREE(&ops);
}

static void reduce_attrs(dl_reduction *r, dl_op *op) {
  for (size_t i = dl_num_discardable_attrs(op); i-- > 0;) {
    if (!dl_take_target(r)) continue;
    dl_set_discardable_attr(op, dl_discardable_attr(op, i).name, NULL);
    r->changed = true;
  }
  for (size_t i = dl_num_inherent_attrs(op); i-- > 0;) {
    if (!dl_take_target(r)) continue;
    dl_set_inherent_attr(op, dl_inherent_attr(op, i).name, NULL);
    r->changed = true;
  }
}

void dl_reduce_attributes(dl_reduction *r, dl_op *module) {
  dl_op_list ops = {0};
  dl_collect_backwards(module, &ops);
  for (size_t i = 0; i < ops.len; i++) reduce_attrs(r, ops.data[i]);
  reduce_attrs(r, module);
  DL_VEC_FREE(&ops);
}
