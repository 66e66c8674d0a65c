// graph-infer-shapes: refines the types of values, and of the function's results, by the shape
// rules of the ops. Sizes become static or get the names of the symbolic sizes they equal.
// Contract: exact.
#include "dialects/func/func_ops.h"
#include "ir/pass.h"
#include "ir/spec.h"

// The entry `dims` of an encoding, or NULL.
static dl_attr names_of(dl_type type) {
  bool is_enc = type->encoding && dl_is_dialect_attr(type->encoding, "graph", "enc");
  return is_enc ? dl_keyed_param(type->encoding, "dims") : NULL;
}

static dl_attr name_at(dl_attr names, size_t i) {
  return names && i < names->count ? names->elements[i] : NULL;
}

static bool is_named(dl_attr name) { return name && name->name && strcmp(name->name, "_") != 0; }

// Everything in an encoding but the names of dimensions.
static size_t other_params(dl_type type, dl_attr *params) {
  size_t count = 0;
  for (size_t i = 0; type->encoding && i < type->encoding->count; i++) {
    dl_attr param = type->encoding->elements[i];
    bool dims = param->kind == DL_ATTR_KEYED && strcmp(param->name, "dims") == 0;
    if (!dims) params[count++] = param;
  }
  return count;
}

static dl_attr make_encoding(dl_type known, const int64_t *shape, dl_attr known_names,
                             dl_attr new_names) {
  dl_context *ctx = known->ctx;
  size_t old_count = known->encoding ? known->encoding->count : 0, named = 0;
  dl_attr *params = dl_malloc((old_count + 1) * sizeof(dl_attr));
  dl_attr *names = dl_malloc((known->rank + 1) * sizeof(dl_attr));
  for (size_t i = 0; i < known->rank; i++) {
    dl_attr name = name_at(known_names, i);
    if (!is_named(name)) name = name_at(new_names, i);
    bool keep = shape[i] == DL_DYNAMIC && is_named(name);
    named += keep;
    names[i] = keep ? name : dl_keyword_attr(ctx, dl_intern_z(ctx, "_"));
  }
  size_t count = 0;
  if (named)
    params[count++] =
        dl_keyed_attr(ctx, dl_intern_z(ctx, "dims"), dl_array_attr(ctx, known->rank, names));
  count += other_params(known, params + count);
  dl_attr encoding = count ? dl_dialect_attr(ctx, dl_intern_z(ctx, "graph"),
                                             dl_intern_z(ctx, "enc"), count, params)
                           : NULL;
  free(params);
  free(names);
  return encoding;
}

// What two descriptions of one tensor say together; NULL when they contradict each other.
static dl_type merge(dl_type known, dl_type inferred) {
  if (!dl_is_tensor(known) || !dl_is_tensor(inferred) || inferred->unranked) return known;
  if (known->element != inferred->element) return NULL;
  if (known->unranked) return inferred;
  if (known->rank != inferred->rank) return NULL;
  if (known->encoding && !dl_is_dialect_attr(known->encoding, "graph", "enc")) return known;
  int64_t *shape = dl_malloc((known->rank + 1) * sizeof(int64_t));
  bool fits = true;
  for (size_t i = 0; i < known->rank; i++) {
    int64_t a = known->shape[i], b = inferred->shape[i];
    fits &= a == b || a == DL_DYNAMIC || b == DL_DYNAMIC;
    shape[i] = a == DL_DYNAMIC ? b : a;
  }
  dl_attr encoding = make_encoding(known, shape, names_of(known), names_of(inferred));
  dl_type type = dl_tensor_type(known->element, known->rank, shape, encoding);
  free(shape);
  return fits ? type : NULL;
}

static dl_status report_conflict(const dl_op *op, size_t result, dl_type declared,
                                 dl_type inferred) {
  dl_buffer text = {0};
  dl_buffer_printf(&text, "result %zu is declared as ", result);
  dl_print_type(&text, declared);
  dl_buffer_puts(&text, ", but its inputs make it ");
  dl_print_type(&text, inferred);
  dl_status status = dl_error(dl_op_loc(op), "%s", text.data);
  dl_buffer_free(&text);
  return status;
}

static dl_status refine(dl_op *op, const dl_type *types, bool *changed) {
  for (size_t i = 0; i < dl_num_results(op); i++) {
    dl_value *value = dl_result(op, i);
    if (!types[i]) continue;
    dl_type merged = merge(dl_value_type(value), types[i]);
    if (!merged) return report_conflict(op, i, dl_value_type(value), types[i]);
    if (merged == dl_value_type(value)) continue;
    dl_value_set_type(value, merged);
    *changed = true;
  }
  return DL_OK;
}

static bool has_rules(const dl_op *op) {
  const dl_op_def *def = dl_op_def_of(op);
  if (def->compute) return true;
  return strncmp(def->name, "graph.", 6) == 0 && (def->num_where || def->infer);
}

static dl_status infer_op(dl_op *op, bool *changed) {
  if (!has_rules(op)) return DL_OK;
  dl_type *types = dl_calloc(dl_num_results(op) + 1, sizeof(dl_type));
  dl_status status = dl_spec_infer(op, types);
  if (status == DL_OK) status = refine(op, types, changed);
  free(types);
  return status;
}

static void update_signature(dl_op *func, bool *changed) {
  dl_block *entry = dl_region_first(dl_op_region(func, 0));
  dl_op *end = dl_block_terminator(dl_region_last(dl_op_region(func, 0)));
  if (!end || !dl_is(end, func_return)) return;
  DL_VEC(dl_type) inputs = {0};
  DL_VEC(dl_type) results = {0};
  for (size_t i = 0; i < dl_num_args(entry); i++) DL_PUSH(&inputs, dl_value_type(dl_arg(entry, i)));
  for (size_t i = 0; i < dl_num_operands(end); i++)
    DL_PUSH(&results, dl_value_type(dl_operand(end, i)));
  dl_attr type = dl_type_attr(
      dl_function_type(dl_op_context(func), inputs.len, inputs.data, results.len, results.data));
  if (type != dl_get_attr(func, "function_type")) {
    dl_set_attr(func, "function_type", type);
    *changed = true;
  }
  DL_VEC_FREE(&inputs);
  DL_VEC_FREE(&results);
}

static dl_status run(dl_pass *pass, dl_op *func) {
  bool changed = false;
  if (dl_region_empty(dl_op_region(func, 0))) return DL_OK;
  DL_FOR_BLOCKS(block, dl_op_region(func, 0))
  DL_FOR_OPS(op, block) DL_TRY(infer_op(op, &changed));
  update_signature(func, &changed);
  if (changed) dl_pass_changed(pass);
  return DL_OK;
}

DL_PASS(graph_infer_shapes, "graph-infer-shapes", "func.func",
        "Infer the shapes of graph values, with symbolic sizes", DL_EXACT, run);
