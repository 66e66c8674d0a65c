// The functions of spec expressions.
#include <math.h>

#include "ir/spec_bind.h"

typedef struct call {
  const dl_spec_node *node;
  size_t count;
  dl_bound_value *args;
} call;

typedef dl_status (*function)(dl_binder *b, const call *c, dl_bound_value *out);

static dl_status expect_kind(dl_binder *b, const call *c, size_t i, dl_bound_value_kind kind,
                             const char *what) {
  if (c->args[i].kind == kind) return DL_OK;
  return dl_spec_fail(b, "argument %zu of %s is no %s", i + 1, c->node->name, what);
}

static dl_status expect_list(dl_binder *b, const call *c, size_t i) {
  return expect_kind(b, c, i, DL_BV_LIST, "list");
}

static dl_status const_arg(dl_binder *b, const call *c, size_t i, int64_t *out) {
  if (!dl_is_const_int(&c->args[i]))
    return dl_spec_fail(b, "argument %zu of %s must be known when the op is bound", i + 1,
                        c->node->name);
  *out = c->args[i].expr->value;
  return DL_OK;
}

static dl_bound_value const_value(dl_binder *b, int64_t value) {
  return dl_int_value(dl_expr_const(b->ctx, value));
}

static dl_bound_value *new_items(dl_binder *b, size_t count) {
  return dl_arena_alloc(b->arena, (count + 1) * sizeof(dl_bound_value));
}

// --- tensors and presence ---

static dl_status call_present(dl_binder *b, const call *c, dl_bound_value *out) {
  (void)b;
  *out = dl_bool_value(c->args[0].kind != DL_BV_ABSENT);
  return DL_OK;
}

static dl_status call_rank(dl_binder *b, const call *c, dl_bound_value *out) {
  DL_TRY(expect_kind(b, c, 0, DL_BV_TENSOR, "tensor"));
  *out = const_value(b, (int64_t)b->tensors.data[c->args[0].tensor].rank);
  return DL_OK;
}

static dl_status call_shape(dl_binder *b, const call *c, dl_bound_value *out) {
  DL_TRY(expect_kind(b, c, 0, DL_BV_TENSOR, "tensor"));
  const dl_bound_tensor *tensor = &b->tensors.data[c->args[0].tensor];
  dl_bound_value *items = new_items(b, tensor->rank);
  for (size_t i = 0; i < tensor->rank; i++) items[i] = dl_int_value(tensor->sizes[i]);
  *out = dl_list_value(b, tensor->rank, items);
  return DL_OK;
}

static dl_status call_dtype(dl_binder *b, const call *c, dl_bound_value *out) {
  const dl_bound_value *arg = &c->args[0];
  *out = (dl_bound_value){.kind = DL_BV_TYPE};
  if (arg->kind == DL_BV_TENSOR)
    out->type = b->tensors.data[arg->tensor].element;
  else if (arg->kind == DL_BV_SCALAR)
    out->type = arg->scalar->type;
  else
    return dl_spec_fail(b, "dtype of what has no type");
  return DL_OK;
}

static dl_status call_value(dl_binder *b, const call *c, dl_bound_value *out) {
  DL_TRY(expect_kind(b, c, 0, DL_BV_TENSOR, "tensor"));
  return dl_tensor_values(b, c->args[0].tensor, out);
}

// --- types ---

static dl_status type_arg(dl_binder *b, const call *c, size_t i, dl_type *type) {
  DL_TRY(expect_kind(b, c, i, DL_BV_TYPE, "type"));
  *type = c->args[i].type;
  return DL_OK;
}

// like(T, E): the shape of T with elements E.
static dl_status call_like(dl_binder *b, const call *c, dl_bound_value *out) {
  dl_type shape, element;
  DL_TRY(type_arg(b, c, 0, &shape));
  DL_TRY(type_arg(b, c, 1, &element));
  *out = (dl_bound_value){.kind = DL_BV_TYPE, .type = dl_with_element(shape, element)};
  return DL_OK;
}

static dl_status call_is_float(dl_binder *b, const call *c, dl_bound_value *out) {
  dl_type type;
  DL_TRY(type_arg(b, c, 0, &type));
  *out = dl_bool_value(dl_is_float(type));
  return DL_OK;
}

static dl_status call_is_unsigned(dl_binder *b, const call *c, dl_bound_value *out) {
  dl_type type;
  DL_TRY(type_arg(b, c, 0, &type));
  *out =
      dl_bool_value(dl_is_integer(type) && (type->signedness == DL_UNSIGNED || type->width == 1));
  return DL_OK;
}

static dl_status call_extreme(dl_binder *b, const call *c, dl_bound_value *out) {
  dl_type type;
  if (!c->node->type) return dl_spec_fail(b, "%s<T>() needs a type", c->node->name);
  DL_TRY(dl_eval_type(b, c->node->type, &type));
  dl_attr extreme = dl_extreme_attr(type, !strcmp(c->node->name, "highest"));
  *out = dl_scalar_value(dl_make_const(b, extreme));
  return DL_OK;
}

static dl_status cast_value(dl_binder *b, const dl_bound_value *value, dl_type type,
                            dl_bound_value *out) {
  const dl_scalar *scalar;
  dl_type own = value->kind == DL_BV_SCALAR ? NULL : type;
  if (value->kind == DL_BV_FLOAT && !dl_is_float(type)) own = dl_float_type(b->ctx, DL_F64);
  DL_TRY(dl_to_scalar(b, value, own, &scalar));
  scalar = dl_make_cast(b, scalar, type);
  *out = dl_scalar_value(scalar);
  if (!dl_is_index(type) || scalar->op != DL_SCALAR_CONST) return DL_OK;
  *out = const_value(b, scalar->constant->integer);
  return DL_OK;
}

static dl_status call_cast(dl_binder *b, const call *c, dl_bound_value *out) {
  dl_type type;
  if (!c->node->type) return dl_spec_fail(b, "cast<T>(e) needs a type");
  DL_TRY(dl_eval_type(b, c->node->type, &type));
  if (c->args[0].kind != DL_BV_LIST) return cast_value(b, &c->args[0], type, out);
  dl_bound_value *items = new_items(b, c->args[0].count);
  for (size_t i = 0; i < c->args[0].count; i++)
    DL_TRY(cast_value(b, &c->args[0].items[i], type, &items[i]));
  *out = dl_list_value(b, c->args[0].count, items);
  return DL_OK;
}

// --- lists ---

static dl_status call_len(dl_binder *b, const call *c, dl_bound_value *out) {
  if (c->args[0].kind != DL_BV_LIST && c->args[0].kind != DL_BV_GROUP)
    return dl_spec_fail(b, "len of what is no list");
  *out = const_value(b, (int64_t)c->args[0].count);
  return DL_OK;
}

static dl_status fold_items(dl_binder *b, dl_scalar_op op, int64_t start,
                            const dl_bound_value *list, size_t count, dl_bound_value *out) {
  *out = const_value(b, start);
  for (size_t i = 0; i < count; i++) {
    dl_bound_value pair[2] = {*out, list->items[i]};
    DL_TRY(dl_apply(b, op, 2, pair, out));
  }
  return DL_OK;
}

static dl_status call_sum(dl_binder *b, const call *c, dl_bound_value *out) {
  DL_TRY(expect_list(b, c, 0));
  return fold_items(b, DL_SCALAR_ADD, 0, &c->args[0], c->args[0].count, out);
}

static dl_status call_prod(dl_binder *b, const call *c, dl_bound_value *out) {
  DL_TRY(expect_list(b, c, 0));
  return fold_items(b, DL_SCALAR_MUL, 1, &c->args[0], c->args[0].count, out);
}

// prefix(list, k): the sum of the first k entries.
static dl_status call_prefix(dl_binder *b, const call *c, dl_bound_value *out) {
  int64_t k = 0;
  DL_TRY(expect_list(b, c, 0));
  DL_TRY(const_arg(b, c, 1, &k));
  if (k < 0 || (size_t)k > c->args[0].count) return dl_spec_fail(b, "prefix out of range");
  return fold_items(b, DL_SCALAR_ADD, 0, &c->args[0], (size_t)k, out);
}

static dl_status call_range(dl_binder *b, const call *c, dl_bound_value *out) {
  int64_t count;
  DL_TRY(const_arg(b, c, 0, &count));
  if (count < 0 || count > 1 << 16) return dl_spec_fail(b, "range out of range");
  dl_bound_value *items = new_items(b, (size_t)count);
  for (int64_t i = 0; i < count; i++) items[i] = const_value(b, i);
  *out = dl_list_value(b, (size_t)count, items);
  return DL_OK;
}

// slice(list, from, to)
static dl_status call_slice(dl_binder *b, const call *c, dl_bound_value *out) {
  int64_t from = 0, to = 0;
  DL_TRY(expect_list(b, c, 0));
  DL_TRY(const_arg(b, c, 1, &from));
  DL_TRY(const_arg(b, c, 2, &to));
  if (from < 0 || from > to || (size_t)to > c->args[0].count)
    return dl_spec_fail(b, "entries %lld to %lld of a list of %zu", (long long)from, (long long)to,
                        c->args[0].count);
  *out = dl_list_value(b, (size_t)(to - from), c->args[0].items + from);
  return DL_OK;
}

static bool same_int(const dl_bound_value *a, const dl_bound_value *b) {
  return a->kind == DL_BV_INT && b->kind == DL_BV_INT && a->expr == b->expr;
}

// find(list, v): the first position of v, or -1.
static dl_status call_find(dl_binder *b, const call *c, dl_bound_value *out) {
  DL_TRY(expect_list(b, c, 0));
  *out = const_value(b, -1);
  for (size_t i = c->args[0].count; i-- > 0;)
    if (same_int(&c->args[0].items[i], &c->args[1])) *out = const_value(b, (int64_t)i);
  return DL_OK;
}

// normalize(axes, rank): negative axes count from the end; all must be in [-rank, rank).
static dl_status normalize_axis(dl_binder *b, const dl_bound_value *axis, int64_t rank,
                                dl_bound_value *out) {
  if (!dl_is_const_int(axis))
    return dl_spec_fail(b, "axes known only at run time are not supported");
  int64_t value = axis->expr->value;
  if (value < -rank || value >= rank)
    return dl_spec_fail(b, "axis %lld is not in [%lld, %lld)", (long long)value, (long long)-rank,
                        (long long)rank);
  *out = const_value(b, value < 0 ? value + rank : value);
  return DL_OK;
}

static dl_status call_normalize(dl_binder *b, const call *c, dl_bound_value *out) {
  int64_t rank = 0;
  DL_TRY(const_arg(b, c, 1, &rank));
  if (c->args[0].kind != DL_BV_LIST) return normalize_axis(b, &c->args[0], rank, out);
  dl_bound_value *items = new_items(b, c->args[0].count);
  for (size_t i = 0; i < c->args[0].count; i++)
    DL_TRY(normalize_axis(b, &c->args[0].items[i], rank, &items[i]));
  *out = dl_list_value(b, c->args[0].count, items);
  return DL_OK;
}

// is_permutation(list): whether the list has each of 0 … len - 1 once.
static dl_status call_is_permutation(dl_binder *b, const call *c, dl_bound_value *out) {
  DL_TRY(expect_list(b, c, 0));
  const dl_bound_value *list = &c->args[0];
  bool *seen = dl_arena_alloc(b->arena, list->count + 1), ok = true;
  for (size_t i = 0; i < list->count && ok; i++) {
    int64_t v = dl_is_const_int(&list->items[i]) ? list->items[i].expr->value : -1;
    ok = v >= 0 && (size_t)v < list->count && !seen[v];
    if (ok) seen[v] = true;
  }
  *out = dl_bool_value(ok);
  return DL_OK;
}

// The size that two dimensions have together by numpy's rule. For sizes known only at run time:
// q + (q == 1) * (p - 1), with (2 floordiv (q + 1)) mod 2 as q == 1.
static dl_status broadcast_size(dl_binder *b, dl_expr p, dl_expr q, dl_expr *out) {
  bool p_one = p->kind == DL_EXPR_CONST && p->value == 1;
  bool q_one = q->kind == DL_EXPR_CONST && q->value == 1;
  bool both = p->kind == DL_EXPR_CONST && q->kind == DL_EXPR_CONST;
  if (both && p != q && !p_one && !q_one)
    return dl_spec_fail(b, "sizes %lld and %lld do not broadcast", (long long)p->value,
                        (long long)q->value);
  if (p == q || q_one || (p->kind == DL_EXPR_CONST && !p_one)) {
    *out = p;
  } else if (p_one || q->kind == DL_EXPR_CONST) {
    *out = q;
  } else {
    dl_expr two = dl_expr_const(b->ctx, 2);
    dl_expr is_one = dl_expr_mod(dl_expr_floordiv(two, dl_expr_add_const(q, 1)), two);
    *out = dl_expr_add(q, dl_expr_mul(is_one, dl_expr_add_const(p, -1)));
  }
  return DL_OK;
}

static dl_status broadcast_lists(dl_binder *b, const dl_bound_value *x, const dl_bound_value *y,
                                 dl_bound_value *out) {
  if (x->count < y->count) return broadcast_lists(b, y, x, out);
  dl_bound_value *items = new_items(b, x->count);
  size_t missing = x->count - y->count;
  for (size_t i = 0; i < x->count; i++) {
    items[i] = x->items[i];
    if (i < missing) continue;
    dl_expr p, q, size = NULL;
    DL_TRY(dl_to_expr(b, &x->items[i], &p));
    DL_TRY(dl_to_expr(b, &y->items[i - missing], &q));
    DL_TRY(broadcast_size(b, p, q, &size));
    items[i] = dl_int_value(size);
  }
  *out = dl_list_value(b, x->count, items);
  return DL_OK;
}

// broadcast(P, Q, …): the common shape. A variadic operand stands for the shapes of its entries.
static dl_status call_broadcast(dl_binder *b, const call *c, dl_bound_value *out) {
  *out = dl_list_value(b, 0, NULL);
  for (size_t i = 0; i < c->count; i++) {
    bool group = c->args[i].kind == DL_BV_GROUP;
    if (!group) DL_TRY(expect_list(b, c, i));
    for (size_t k = 0; k < (group ? c->args[i].count : 1); k++) {
      dl_bound_value list = c->args[i], previous = *out;
      dl_bound_value tensor = {.kind = DL_BV_TENSOR, .tensor = list.tensor + k};
      if (group) DL_TRY(call_shape(b, &(call){c->node, 1, &tensor}, &list));
      DL_TRY(broadcast_lists(b, &previous, &list, out));
    }
  }
  return DL_OK;
}

// project(indices, sizes): broadcast as indices, for the dimensions that a pack stands for.
static dl_status call_project(dl_binder *b, const call *c, dl_bound_value *out) {
  DL_TRY(expect_list(b, c, 0));
  DL_TRY(expect_list(b, c, 1));
  dl_expr *sizes = dl_arena_alloc(b->arena, (c->args[1].count + 1) * sizeof *sizes);
  for (size_t i = 0; i < c->args[1].count; i++)
    DL_TRY(dl_to_expr(b, &c->args[1].items[i], &sizes[i]));
  return dl_project(b, c->args[0].count, c->args[0].items, c->args[1].count, sizes, out);
}

// every(list): whether all conditions hold.
static dl_status call_every(dl_binder *b, const call *c, dl_bound_value *out) {
  DL_TRY(expect_list(b, c, 0));
  *out = dl_bool_value(true);
  for (size_t i = 0; i < c->args[0].count; i++) {
    dl_bound_value pair[2] = {*out, c->args[0].items[i]};
    DL_TRY(dl_apply(b, DL_SCALAR_AND, 2, pair, out));
  }
  return DL_OK;
}

// positions(list): where the conditions of the list hold.
static dl_status call_positions(dl_binder *b, const call *c, dl_bound_value *out) {
  DL_TRY(expect_list(b, c, 0));
  dl_bound_value *items = new_items(b, c->args[0].count);
  size_t count = 0;
  for (size_t i = 0; i < c->args[0].count; i++) {
    bool known, flag;
    DL_TRY(dl_truth(b, &c->args[0].items[i], &known, &flag));
    if (!known) return dl_spec_fail(b, "a condition that must be known is not");
    if (flag) items[count++] = const_value(b, (int64_t)i);
  }
  *out = dl_list_value(b, count, items);
  return DL_OK;
}

static bool is_known(const dl_bound_value *v) {
  if (v->kind == DL_BV_SCALAR) return v->scalar->op == DL_SCALAR_CONST;
  if (v->kind != DL_BV_LIST) return v->kind != DL_BV_INT || dl_is_const_int(v);
  for (size_t i = 0; i < v->count; i++)
    if (!is_known(&v->items[i])) return false;
  return true;
}

// known(e): whether the value is known when the op is bound.
static dl_status call_known(dl_binder *b, const call *c, dl_bound_value *out) {
  (void)b;
  *out = dl_bool_value(is_known(&c->args[0]));
  return DL_OK;
}

// contains(list, v, …): whether an entry equals one of the values, also where that is decided at
// run time.
static dl_status call_contains(dl_binder *b, const call *c, dl_bound_value *out) {
  DL_TRY(expect_list(b, c, 0));
  *out = dl_bool_value(false);
  for (size_t i = 0; i < c->args[0].count; i++)
    for (size_t k = 1; k < c->count; k++) {
      dl_bound_value pair[2] = {c->args[0].items[i], c->args[k]}, either[2] = {*out};
      DL_TRY(dl_apply(b, DL_SCALAR_EQ, 2, pair, &either[1]));
      DL_TRY(dl_apply(b, DL_SCALAR_OR, 2, either, out));
    }
  return DL_OK;
}

// lookup(keys, values, k, l, otherwise): the value whose key is k or l, also where that is decided
// at run time.
static dl_status call_lookup(dl_binder *b, const call *c, dl_bound_value *out) {
  DL_TRY(expect_list(b, c, 0));
  DL_TRY(expect_list(b, c, 1));
  if (c->args[0].count != c->args[1].count)
    return dl_spec_fail(b, "%zu keys for %zu values", c->args[0].count, c->args[1].count);
  *out = c->args[4];
  for (size_t i = 0; i < c->args[0].count; i++) {
    dl_bound_value key[3] = {dl_list_value(b, 1, &c->args[0].items[i]), c->args[2], c->args[3]};
    dl_bound_value parts[3] = {{0}, c->args[1].items[i], *out};
    DL_TRY(call_contains(b, &(call){c->node, 3, key}, &parts[0]));
    DL_TRY(dl_apply(b, DL_SCALAR_SELECT, 3, parts, out));
  }
  return DL_OK;
}

// --- scalars ---

static dl_status call_extremum(dl_binder *b, const call *c, dl_bound_value *out) {
  dl_scalar_op op = !strcmp(c->node->name, "min") ? DL_SCALAR_MIN : DL_SCALAR_MAX;
  *out = c->args[0];
  for (size_t i = 1; i < c->count; i++) {
    dl_bound_value pair[2] = {*out, c->args[i]};
    DL_TRY(dl_apply(b, op, 2, pair, out));
  }
  return DL_OK;
}

static dl_status call_select(dl_binder *b, const call *c, dl_bound_value *out) {
  return dl_apply(b, DL_SCALAR_SELECT, 3, c->args, out);
}

// clamp(x, low, high) = min(max(x, low), high)
static dl_status call_clamp(dl_binder *b, const call *c, dl_bound_value *out) {
  dl_bound_value pair[2] = {c->args[0], c->args[1]};
  DL_TRY(dl_apply(b, DL_SCALAR_MAX, 2, pair, &pair[0]));
  pair[1] = c->args[2];
  return dl_apply(b, DL_SCALAR_MIN, 2, pair, out);
}

static dl_status call_exact_div(dl_binder *b, const call *c, dl_bound_value *out) {
  dl_expr p, q;
  DL_TRY(dl_to_expr(b, &c->args[0], &p));
  DL_TRY(dl_to_expr(b, &c->args[1], &q));
  if (q->kind == DL_EXPR_CONST && q->value == 0) return dl_spec_fail(b, "division by zero");
  *out = dl_int_value(dl_expr_exact_div(p, q));
  return DL_OK;
}

// at(e): marks an index that is computed; its value as a tree of type index.
static dl_status call_at(dl_binder *b, const call *c, dl_bound_value *out) {
  const dl_scalar *scalar;
  DL_TRY(dl_to_scalar(b, &c->args[0], NULL, &scalar));
  if (dl_is_float(scalar->type)) return dl_spec_fail(b, "an index is no floating-point value");
  *out = dl_scalar_value(dl_make_cast(b, scalar, dl_index_type(b->ctx)));
  return DL_OK;
}

static const struct {
  const char *name;
  dl_scalar_op op;
  size_t count;
} operations[] = {
    {"abs", DL_SCALAR_ABS, 1},     {"floor", DL_SCALAR_FLOOR, 1}, {"ceil", DL_SCALAR_CEIL, 1},
    {"round", DL_SCALAR_ROUND, 1}, {"exp", DL_SCALAR_EXP, 1},     {"log", DL_SCALAR_LOG, 1},
    {"sqrt", DL_SCALAR_SQRT, 1},   {"rsqrt", DL_SCALAR_RSQRT, 1}, {"tanh", DL_SCALAR_TANH, 1},
    {"erf", DL_SCALAR_ERF, 1},     {"sin", DL_SCALAR_SIN, 1},     {"cos", DL_SCALAR_COS, 1},
    {"tan", DL_SCALAR_TAN, 1},     {"atan", DL_SCALAR_ATAN, 1},   {"pow", DL_SCALAR_POW, 2},
    {"rem", DL_SCALAR_REM, 2},     {"xor", DL_SCALAR_XOR, 2},     {"div", DL_SCALAR_DIV, 2},
};

static const struct {
  const char *name;
  function call;
  size_t min, max;  // arguments
} functions[] = {
    {"present", call_present, 1, 1},
    {"rank", call_rank, 1, 1},
    {"shape", call_shape, 1, 1},
    {"dtype", call_dtype, 1, 1},
    {"value", call_value, 1, 1},
    {"like", call_like, 2, 2},
    {"is_float", call_is_float, 1, 1},
    {"is_unsigned", call_is_unsigned, 1, 1},
    {"lowest", call_extreme, 0, 0},
    {"highest", call_extreme, 0, 0},
    {"cast", call_cast, 1, 1},
    {"len", call_len, 1, 1},
    {"sum", call_sum, 1, 1},
    {"prod", call_prod, 1, 1},
    {"prefix", call_prefix, 2, 2},
    {"range", call_range, 1, 1},
    {"slice", call_slice, 3, 3},
    {"find", call_find, 2, 2},
    {"normalize", call_normalize, 2, 2},
    {"is_permutation", call_is_permutation, 1, 1},
    {"broadcast", call_broadcast, 1, SIZE_MAX},
    {"project", call_project, 2, 2},
    {"every", call_every, 1, 1},
    {"positions", call_positions, 1, 1},
    {"known", call_known, 1, 1},
    {"contains", call_contains, 2, SIZE_MAX},
    {"lookup", call_lookup, 5, 5},
    {"min", call_extremum, 1, SIZE_MAX},
    {"max", call_extremum, 1, SIZE_MAX},
    {"select", call_select, 3, 3},
    {"clamp", call_clamp, 3, 3},
    {"exactdiv", call_exact_div, 2, 2},
    {"at", call_at, 1, 1},
};

static dl_status check_count(dl_binder *b, const call *c, size_t min, size_t max) {
  if (c->count >= min && c->count <= max) return DL_OK;
  return dl_spec_fail(b, "%s does not take %zu arguments", c->node->name, c->count);
}

dl_status dl_call_function(dl_binder *b, const dl_spec_node *node, dl_bound_value *out) {
  if (!strcmp(node->name, "in")) return dl_eval_in(b, node, out);
  call c = {.node = node};
  DL_TRY(dl_eval_args(b, node->num_args, node->args, &c.count, &c.args));
  for (size_t i = 0; i < DL_COUNT(functions); i++) {
    if (strcmp(functions[i].name, node->name) != 0) continue;
    DL_TRY(check_count(b, &c, functions[i].min, functions[i].max));
    return functions[i].call(b, &c, out);
  }
  for (size_t i = 0; i < DL_COUNT(operations); i++) {
    if (strcmp(operations[i].name, node->name) != 0) continue;
    DL_TRY(check_count(b, &c, operations[i].count, operations[i].count));
    return dl_apply(b, operations[i].op, c.count, c.args, out);
  }
  return dl_spec_fail(b, "unknown function '%s'", node->name);
}
