// Reads of tensors in spec expressions.
#include "ir/spec_bind.h"

static const dl_scalar *make_read(dl_binder *b, dl_bound_read read) {
  const dl_bound_tensor *tensor = &b->tensors.data[read.tensor];
  size_t bytes = tensor->rank * sizeof *read.indices, i = 0;
  size_t count = b->frame ? b->frame->reads.len : b->reads.len;
  const dl_bound_read *reads = b->frame ? b->frame->reads.data : b->reads.data;
  while (i < count && (reads[i].tensor != read.tensor || reads[i].otherwise != read.otherwise ||
                       (bytes && memcmp(reads[i].indices, read.indices, bytes) != 0)))
    i++;
  if (i == count) {
    read.indices = dl_binder_copy(b, read.indices, bytes);
    if (b->frame)
      DL_PUSH(&b->frame->reads, read);
    else
      DL_PUSH(&b->reads, read);
  }
  dl_scalar *s = dl_arena_alloc(b->arena, sizeof *s);
  *s = (dl_scalar){.op = DL_SCALAR_READ, .type = tensor->element, .read = i};
  return s;
}

// --- constants ---

static dl_attr constant_of(dl_binder *b, size_t tensor) {
  if (b->tensors.data[tensor].kind != DL_BOUND_OPERAND) return NULL;
  dl_attr constant = dl_constant_value(dl_operand(b->op, b->tensors.data[tensor].number));
  if (!constant) return NULL;
  bool dense = constant->kind == DL_ATTR_DENSE || constant->kind == DL_ATTR_RESOURCE;
  return dense ? constant : NULL;
}

static bool constant_element(dl_binder *b, size_t tensor, size_t i, dl_attr *out) {
  dl_attr dense = constant_of(b, tensor);
  dl_type element = b->tensors.data[tensor].element;
  double number;
  int64_t integer;
  if (!dense) return false;
  if (dl_is_float(element) && dl_dense_f64(dense, i, &number)) {
    *out = dl_float_attr(element, number);
    return true;
  }
  if (dl_is_float(element) || !dl_dense_i64(dense, i, &integer)) return false;
  *out = dl_int_attr(element, integer);
  return true;
}

static dl_bound_value tensor_element(dl_binder *b, size_t tensor, size_t i) {
  const dl_bound_tensor *t = &b->tensors.data[tensor];
  dl_attr constant;
  bool known = constant_element(b, tensor, i, &constant);
  if (dl_is_float(t->element) || t->element->width == 1) {
    if (known) return dl_scalar_value(dl_make_const(b, constant));
    dl_expr index = dl_expr_const(b->ctx, (int64_t)i);
    return dl_scalar_value(make_read(b, (dl_bound_read){.tensor = tensor, .indices = &index}));
  }
  if (known) return dl_int_value(dl_expr_const(b->ctx, constant->integer));
  dl_bound_symbol symbol = {.kind = DL_SYMBOL_ELEMENT, .operand = t->number, .index = i};
  return dl_int_value(dl_expr_symbol(b->ctx, (unsigned)dl_add_symbol(b, &symbol)));
}

dl_status dl_tensor_values(dl_binder *b, size_t tensor, dl_bound_value *out) {
  const dl_bound_tensor *t = &b->tensors.data[tensor];
  if (t->kind != DL_BOUND_OPERAND) return dl_spec_fail(b, "'%s' is no operand", t->name);
  if (t->rank > 1 || (t->rank == 1 && t->sizes[0]->kind != DL_EXPR_CONST))
    return dl_spec_fail(b, "the number of elements of '%s' must be known", t->name);
  int64_t count = t->rank ? t->sizes[0]->value : 1;
  if (count > 1 << 10) return dl_spec_fail(b, "'%s' has too many elements", t->name);
  dl_bound_value *items = dl_arena_alloc(b->arena, (size_t)(count + 1) * sizeof *items);
  for (int64_t i = 0; i < count; i++) items[i] = tensor_element(b, tensor, (size_t)i);
  *out = dl_list_value(b, (size_t)count, items);
  return DL_OK;
}

// --- indices ---

// The size over which an index runs when it is an iterator, or NULL.
static dl_expr iterator_extent(dl_binder *b, dl_expr index) {
  if (index->kind != DL_EXPR_DIM || !b->frame) return NULL;
  return b->frame->iterators.data[index->value].extent;
}

dl_status dl_project(dl_binder *b, size_t count, const dl_bound_value *indices, size_t rank,
                     const dl_expr *sizes, dl_bound_value *out) {
  if (count < rank) return dl_spec_fail(b, "more dimensions than what they are broadcast to");
  dl_bound_value *items = dl_arena_alloc(b->arena, (rank + 1) * sizeof *items);
  for (size_t i = 0; i < rank; i++) {
    dl_expr index;
    DL_TRY(dl_to_expr(b, &indices[count - rank + i], &index));
    bool constant = sizes[i]->kind == DL_EXPR_CONST;
    if (constant && sizes[i]->value == 1)
      index = dl_expr_const(b->ctx, 0);
    else if (!constant && iterator_extent(b, index) != sizes[i])
      index = dl_expr_mod(index, sizes[i]);
    items[i] = dl_int_value(index);
  }
  *out = dl_list_value(b, rank, items);
  return DL_OK;
}

// broadcast(r...) as the indices of a tensor: its last dimensions, index 0 where the size is 1.
static dl_status broadcast_indices(dl_binder *b, const dl_spec_node *node,
                                   const dl_bound_tensor *tensor, dl_bound_value **indices) {
  size_t count;
  dl_bound_value *values, list;
  DL_TRY(dl_eval_args(b, node->num_args, node->args, &count, &values));
  DL_TRY(dl_project(b, count, values, tensor->rank, tensor->sizes, &list));
  *indices = dl_binder_copy(b, list.items, list.count * sizeof list);
  return DL_OK;
}

static dl_status eval_indices(dl_binder *b, const dl_spec_node *node, size_t tensor,
                              dl_bound_value **indices) {
  const dl_bound_tensor *t = &b->tensors.data[tensor];
  const dl_spec_node *first = node->num_args == 2 ? node->args[1] : NULL;
  size_t count;
  if (first && first->kind == DL_NODE_CALL && !strcmp(first->name, "broadcast"))
    return broadcast_indices(b, first, t, indices);
  DL_TRY(dl_eval_args(b, node->num_args - 1, node->args + 1, &count, indices));
  if (count != t->rank)
    return dl_spec_fail(b, "%zu indices for '%s', which has %zu dimensions", count, t->name,
                        t->rank);
  return DL_OK;
}

// --- predicates ---

static dl_status add_condition(dl_binder *b, dl_scalar_op op, const dl_bound_value *lhs,
                               dl_expr rhs, dl_bound_value *all) {
  dl_bound_value pair[2] = {*lhs, dl_int_value(rhs)}, both[2] = {*all};
  DL_TRY(dl_apply(b, op, 2, pair, &both[1]));
  return dl_apply(b, DL_SCALAR_AND, 2, both, all);
}

// The largest (smallest) value of an index over the frame's iterators, in terms of symbols; NULL
// when an iterator appears in it other than linearly.
static dl_expr extreme_index(dl_binder *b, dl_expr index, bool largest) {
  size_t count = b->frame ? b->frame->iterators.len : 0;
  for (size_t i = 0; i < count; i++) {
    int64_t coefficient;
    dl_expr rest, extent = b->frame->iterators.data[i].extent;
    if (!dl_expr_uses_dim(index, (unsigned)i)) continue;
    if (extent->kind == DL_EXPR_CONST && extent->value == 1) {
      dl_expr *zero = dl_arena_alloc(b->arena, count * sizeof *zero);
      zero[i] = dl_expr_const(b->ctx, 0);
      index = dl_expr_substitute(index, count, zero, 0, NULL);
    } else if (!dl_expr_split_dim(index, (unsigned)i, &coefficient, &rest)) {
      return NULL;
    } else {
      bool at_end = (coefficient > 0) == largest;
      dl_expr last = dl_expr_mul_const(dl_expr_add_const(extent, -1), coefficient);
      index = at_end ? dl_expr_add(rest, last) : rest;
    }
  }
  return index;
}

static bool is_never_negative(dl_binder *b, dl_expr expr) {
  return expr && dl_int_range(b, expr).min >= 0;
}

static dl_status in_range(dl_binder *b, const dl_bound_tensor *tensor,
                          const dl_bound_value *indices, dl_bound_value *out) {
  *out = dl_bool_value(true);
  for (size_t i = 0; i < tensor->rank; i++) {
    dl_expr size = tensor->sizes[i], zero = dl_expr_const(b->ctx, 0);
    dl_expr low = NULL, high = NULL;
    if (indices[i].kind == DL_BV_INT) {
      low = extreme_index(b, indices[i].expr, false);
      high = extreme_index(b, indices[i].expr, true);
    }
    if (high) high = dl_expr_sub(dl_expr_add_const(size, -1), high);
    if (!is_never_negative(b, low)) DL_TRY(add_condition(b, DL_SCALAR_GE, &indices[i], zero, out));
    if (!is_never_negative(b, high)) DL_TRY(add_condition(b, DL_SCALAR_LT, &indices[i], size, out));
  }
  return DL_OK;
}

dl_status dl_eval_in(dl_binder *b, const dl_spec_node *node, dl_bound_value *out) {
  const dl_spec_node *read = node->num_args == 1 ? node->args[0] : NULL;
  dl_bound_value base = {0};
  dl_bound_value *indices;
  if (read && read->kind == DL_NODE_SUBSCRIPT) DL_TRY(dl_eval(b, read->args[0], &base));
  if (base.kind != DL_BV_TENSOR) return dl_spec_fail(b, "in(…) needs a read of a tensor");
  DL_TRY(eval_indices(b, read, base.tensor, &indices));
  return in_range(b, &b->tensors.data[base.tensor], indices, out);
}

// --- reads ---

static bool is_computed(const dl_bound_tensor *tensor, const dl_bound_value *indices) {
  for (size_t i = 0; i < tensor->rank; i++)
    if (indices[i].kind == DL_BV_SCALAR) return true;
  return false;
}

// A read at indices that are not quasi-affine. Where the element may be missing, the indices are
// clamped.
static dl_status make_gather(dl_binder *b, size_t tensor, const dl_bound_value *indices,
                             bool clamped, dl_bound_value *out) {
  const dl_bound_tensor *t = &b->tensors.data[tensor];
  dl_type index = dl_index_type(b->ctx);
  const dl_scalar **args = dl_arena_alloc(b->arena, (t->rank + 1) * sizeof *args);
  for (size_t i = 0; i < t->rank; i++) {
    dl_bound_value value = indices[i];
    dl_bound_value low[2] = {value, dl_int_value(dl_expr_const(b->ctx, 0))};
    if (clamped) DL_TRY(dl_apply(b, DL_SCALAR_MAX, 2, low, &value));
    dl_bound_value high[2] = {value, dl_int_value(dl_expr_add_const(t->sizes[i], -1))};
    if (clamped) DL_TRY(dl_apply(b, DL_SCALAR_MIN, 2, high, &value));
    DL_TRY(dl_to_scalar(b, &value, index, &args[i]));
  }
  dl_scalar *s = dl_arena_alloc(b->arena, sizeof *s);
  *s = (dl_scalar){.op = DL_SCALAR_GATHER,
                   .type = t->element,
                   .num_args = t->rank,
                   .args = args,
                   .tensor = tensor};
  *out = dl_scalar_value(s);
  return DL_OK;
}

// The element at constant indices of a constant operand, if it is one.
static bool read_constant(dl_binder *b, const dl_bound_read *read, dl_attr *out) {
  const dl_bound_tensor *t = &b->tensors.data[read->tensor];
  size_t linear = 0;
  for (size_t i = 0; i < t->rank; i++) {
    if (read->indices[i]->kind != DL_EXPR_CONST || t->sizes[i]->kind != DL_EXPR_CONST) return false;
    int64_t index = read->indices[i]->value, size = t->sizes[i]->value;
    if (index < 0 || index >= size) return false;
    linear = linear * (size_t)size + (size_t)index;
  }
  return constant_element(b, read->tensor, linear, out);
}

static dl_status affine_read(dl_binder *b, size_t tensor, const dl_bound_value *indices,
                             dl_attr otherwise, dl_bound_value *out) {
  const dl_bound_tensor *t = &b->tensors.data[tensor];
  dl_expr *exprs = dl_arena_alloc(b->arena, (t->rank + 1) * sizeof *exprs);
  for (size_t i = 0; i < t->rank; i++) DL_TRY(dl_to_expr(b, &indices[i], &exprs[i]));
  dl_bound_read read = {.tensor = tensor, .indices = exprs, .otherwise = otherwise};
  dl_attr constant;
  *out =
      dl_scalar_value(!otherwise && read_constant(b, &read, &constant) ? dl_make_const(b, constant)
                                                                       : make_read(b, read));
  return DL_OK;
}

dl_status dl_eval_read(dl_binder *b, const dl_spec_node *node, size_t tensor,
                       const dl_spec_node *otherwise, dl_bound_value *out) {
  dl_bound_value *indices;
  DL_TRY(eval_indices(b, node, tensor, &indices));
  dl_bound_tensor t = b->tensors.data[tensor];
  dl_bound_value inside = dl_bool_value(true), value;
  if (otherwise) DL_TRY(in_range(b, &t, indices, &inside));
  bool safe = inside.kind == DL_BV_BOOL && inside.flag, computed = is_computed(&t, indices);
  if (safe)
    return computed ? make_gather(b, tensor, indices, false, out)
                    : affine_read(b, tensor, indices, NULL, out);
  const dl_scalar *instead;
  DL_TRY(dl_eval(b, otherwise, &value));
  DL_TRY(dl_to_scalar(b, &value, t.element, &instead));
  if (!computed && instead->op == DL_SCALAR_CONST)
    return affine_read(b, tensor, indices, instead->constant, out);
  dl_bound_value select[3] = {inside, {0}, dl_scalar_value(instead)};
  dl_attr zero = dl_make_number(b, t.element, 0)->constant;
  if (computed)
    DL_TRY(make_gather(b, tensor, indices, true, &select[1]));
  else
    DL_TRY(affine_read(b, tensor, indices, zero, &select[1]));
  return dl_apply(b, DL_SCALAR_SELECT, 3, select, out);
}
