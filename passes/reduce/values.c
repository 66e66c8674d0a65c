// What stands for a value that goes away, and who refers to symbols.
#include "passes/reduce/reduce_internal.h"

static bool collect(dl_op *op, void *user) {
  dl_op_list *ops = user;
  DL_PUSH(ops, op);
  return true;
}

void dl_collect_backwards(dl_op *module, dl_op_list *ops) {
  dl_walk(module, collect, ops);
  for (size_t i = 0, j = ops->len - 1; i < j; i++, j--) {
    dl_op *swap = ops->data[i];
    ops->data[i] = ops->data[j];
    ops->data[j] = swap;
  }
  ops->len--;  // the module itself
}

// --- values ---

static dl_value *among_operands(dl_op *op, dl_type type) {
  for (size_t i = 0; i < dl_num_operands(op); i++) {
    dl_value *value = dl_operand(op, i);
    if (dl_value_type(value) == type && dl_value_def(value) != op) return value;
  }
  return NULL;
}

// Of the blocks around, up to the next isolated op.
static dl_value *among_arguments(dl_op *op, dl_type type) {
  for (dl_op *at = op; at && (at == op || !dl_has_trait(at, DL_ISOLATED)); at = dl_op_parent(at)) {
    dl_block *block = dl_op_block(at);
    for (size_t i = 0; block && i < dl_num_args(block); i++)
      if (dl_value_type(dl_arg(block, i)) == type) return dl_arg(block, i);
  }
  return NULL;
}

// Results of the ops just before.
static dl_value *among_results(dl_op *op, dl_type type) {
  enum { FAR = 64 };
  size_t distance = 0;
  for (dl_op *at = dl_op_prev(op); at && distance < FAR; at = dl_op_prev(at), distance++)
    for (size_t i = 0; i < dl_num_results(at); i++)
      if (dl_value_type(dl_result(at, i)) == type) return dl_result(at, i);
  return NULL;
}

dl_value *dl_other_value(dl_op *op, const dl_value *value) {
  dl_type type = dl_value_type(value);
  dl_value *other = among_operands(op, type);
  if (!other) other = among_arguments(op, type);
  return other ? other : among_results(op, type);
}

static bool is_number(dl_type type) {
  return dl_is_integer(type) || dl_is_index(type) || dl_is_float(type);
}

dl_attr dl_zero_attr(dl_type type) {
  if (dl_is_float(type)) return dl_float_attr(type, 0);
  if (dl_is_integer(type) || dl_is_index(type)) return dl_int_attr(type, 0);
  bool shaped = type->kind == DL_TYPE_TENSOR || type->kind == DL_TYPE_VECTOR;
  if (!shaped || dl_num_elements(type) < 0 || !is_number(type->element)) return NULL;
  size_t size = dl_element_bytes(type->element);
  char *zeros = dl_calloc(size, 1);
  bool splat = dl_num_elements(type) > 0;
  dl_attr attr = dl_dense_attr(type, (dl_str){zeros, splat ? size : 0}, splat);
  free(zeros);
  return attr;
}

dl_value *dl_zero_before(dl_op *op, dl_type type) {
  dl_context *ctx = dl_op_context(op);
  dl_attr zero = dl_zero_attr(type);
  dl_builder builder = dl_builder_before(op);
  for (size_t i = 0; zero && i < dl_num_dialects(ctx); i++) {
    const dl_dialect_def *dialect = dl_get_dialect(ctx, i);
    dl_op *constant =
        dialect->materialize_constant ? dialect->materialize_constant(&builder, zero, type) : NULL;
    if (constant) return dl_result(constant, 0);
  }
  return NULL;
}

// --- symbols ---

typedef struct ref_visit {
  bool (*visit)(dl_op *op, dl_attr ref, void *user);
  void *user;
} ref_visit;

static bool visit_attr(dl_op *op, dl_attr attr, const ref_visit *v) {
  if (attr->kind == DL_ATTR_SYMBOL) return v->visit(op, attr, v->user);
  for (size_t i = 0; attr->elements && i < attr->count; i++)
    if (!visit_attr(op, attr->elements[i], v)) return false;
  for (size_t i = 0; attr->entries && i < attr->count; i++)
    if (!visit_attr(op, attr->entries[i].value, v)) return false;
  return true;
}

static bool visit_op(dl_op *op, void *user) {
  for (size_t i = 0; i < dl_num_inherent_attrs(op); i++)
    if (!visit_attr(op, dl_inherent_attr(op, i).value, user)) return false;
  for (size_t i = 0; i < dl_num_discardable_attrs(op); i++)
    if (!visit_attr(op, dl_discardable_attr(op, i).value, user)) return false;
  return true;
}

bool dl_walk_symbol_refs(dl_op *module, bool (*visit)(dl_op *op, dl_attr ref, void *user),
                         void *user) {
  return dl_walk(module, visit_op, &(ref_visit){visit, user});
}

static bool names_other(dl_op *op, dl_attr ref, void *user) {
  const dl_op *symbol = user;
  return op == symbol || ref->name != dl_symbol_name(symbol);
}

bool dl_symbol_is_used(dl_op *module, const dl_op *symbol) {
  return !dl_walk_symbol_refs(module, names_other, (void *)symbol);
}

// --- attributes that count ---

dl_attr dl_without_entry(dl_attr attr, size_t i) {
  if (attr->kind != DL_ATTR_ARRAY || i >= attr->count) return attr;
  dl_attr *rest = dl_malloc(attr->count * sizeof(*rest));
  memcpy(rest, attr->elements, i * sizeof(*rest));
  memcpy(rest + i, attr->elements + i + 1, (attr->count - i - 1) * sizeof(*rest));
  dl_attr shorter = dl_array_attr(attr->ctx, attr->count - 1, rest);
  free(rest);
  return shorter;
}

void dl_shrink_segment(dl_op *op, const char *name, size_t number) {
  dl_attr sizes = dl_get_attr(op, name);
  if (!sizes || sizes->kind != DL_ATTR_DENSE_ARRAY || dl_element_bytes(sizes->type) != 4) return;
  int32_t *copy = dl_malloc(sizes->bytes.len);
  memcpy(copy, sizes->bytes.data, sizes->bytes.len);
  for (size_t i = 0, end = 0; i < sizes->count; i++) {
    end += (size_t)copy[i];
    if (number >= end) continue;
    copy[i]--;
    break;
  }
  dl_set_attr(op, name, dl_i32_array_attr(sizes->ctx, sizes->count, copy));
  free(copy);
}
