// Scalar trees of the bound form: typing and constant folding.
#include <math.h>

#include "ir/spec_bind.h"

static const char *const op_names[] = {
    "const", "read", "index", "gather", "cast",     "neg", "abs", "not",   "floor", "ceil", "round",
    "exp",   "log",  "sqrt",  "rsqrt",  "tanh",     "erf", "sin", "cos",   "tan",   "atan", "add",
    "sub",   "mul",  "div",   "rem",    "floordiv", "mod", "min", "max",   "pow",   "and",  "or",
    "xor",   "eq",   "ne",    "lt",     "le",       "gt",  "ge",  "select"};
_Static_assert(DL_COUNT(op_names) == DL_SCALAR_SELECT + 1, "a name per operation");

const char *dl_scalar_op_name(dl_scalar_op op) { return op_names[op]; }

const char *dl_combiner_name(dl_combiner combiner) {
  static const char *const names[] = {NULL, "sum", "prod", "max", "min", "and", "or"};
  return names[combiner];
}

static bool is_comparison(dl_scalar_op op) { return op >= DL_SCALAR_EQ && op <= DL_SCALAR_GE; }

// --- constants ---

static dl_attr int_constant(dl_type type, int64_t value) { return dl_int_attr(type, value); }

dl_attr dl_extreme_attr(dl_type type, bool largest) {
  if (dl_is_float(type)) return dl_float_attr(type, largest ? INFINITY : -INFINITY);
  unsigned width = dl_is_index(type) ? 64 : type->width;
  if (width == 1) return dl_int_attr(type, largest ? 1 : 0);
  if (type->signedness == DL_UNSIGNED)
    return dl_int_attr(type, largest ? (int64_t)(UINT64_MAX >> (64 - width)) : 0);
  int64_t max = (int64_t)(UINT64_MAX >> (65 - width));
  return dl_int_attr(type, largest ? max : -max - 1);
}

const dl_scalar *dl_make_const(dl_binder *b, dl_attr constant) {
  dl_scalar *s = dl_arena_alloc(b->arena, sizeof *s);
  *s = (dl_scalar){.op = DL_SCALAR_CONST, .type = constant->type, .constant = constant};
  return s;
}

const dl_scalar *dl_make_number(dl_binder *b, dl_type type, double value) {
  if (dl_is_float(type)) return dl_make_const(b, dl_float_attr(type, value));
  return dl_make_const(b, int_constant(type, (int64_t)value));
}

// --- folding ---

static bool is_unsigned(dl_type type) {
  return dl_is_integer(type) && (type->signedness == DL_UNSIGNED || type->width == 1);
}

static bool compare_folded(dl_scalar_op op, bool less, bool equal, bool ordered) {
  switch (op) {
    case DL_SCALAR_EQ:
      return equal;
    case DL_SCALAR_NE:
      return !equal;
    case DL_SCALAR_LT:
      return less;
    case DL_SCALAR_LE:
      return less || equal;
    case DL_SCALAR_GT:
      return ordered && !less && !equal;
    default:
      return ordered && !less;
  }
}

static bool fold_ints(dl_scalar_op op, dl_type type, int64_t a, int64_t b, int64_t *out) {
  uint64_t ua = (uint64_t)a, ub = (uint64_t)b;
  bool divides = b != 0 && !(a == INT64_MIN && b == -1);
  switch (op) {
    case DL_SCALAR_ADD:
      *out = (int64_t)(ua + ub);
      return true;
    case DL_SCALAR_SUB:
      *out = (int64_t)(ua - ub);
      return true;
    case DL_SCALAR_MUL:
      *out = (int64_t)(ua * ub);
      return true;
    case DL_SCALAR_DIV:
      if (divides) *out = is_unsigned(type) ? (int64_t)(ua / ub) : a / b;
      return divides;
    case DL_SCALAR_REM:
      if (divides) *out = is_unsigned(type) ? (int64_t)(ua % ub) : a % b;
      return divides;
    case DL_SCALAR_MIN:
      *out = a < b ? a : b;
      return true;
    case DL_SCALAR_MAX:
      *out = a > b ? a : b;
      return true;
    case DL_SCALAR_AND:
      *out = a & b;
      return true;
    case DL_SCALAR_OR:
      *out = a | b;
      return true;
    case DL_SCALAR_XOR:
      *out = a ^ b;
      return true;
    default:
      return false;
  }
}

static bool fold_floats(dl_scalar_op op, double a, double b, double *out) {
  switch (op) {
    case DL_SCALAR_ADD:
      *out = a + b;
      return true;
    case DL_SCALAR_SUB:
      *out = a - b;
      return true;
    case DL_SCALAR_MUL:
      *out = a * b;
      return true;
    case DL_SCALAR_DIV:
      *out = a / b;
      return true;
    case DL_SCALAR_NEG:
      *out = -a;
      return true;
    case DL_SCALAR_ABS:
      *out = fabs(a);
      return true;
    case DL_SCALAR_FLOOR:
      *out = floor(a);
      return true;
    case DL_SCALAR_CEIL:
      *out = ceil(a);
      return true;
    case DL_SCALAR_ROUND:
      *out = rint(a);
      return true;
    case DL_SCALAR_SQRT:
      *out = sqrt(a);
      return true;
    case DL_SCALAR_MIN:
      *out = isnan(a) || isnan(b) ? NAN : fmin(a, b);
      return true;
    case DL_SCALAR_MAX:
      *out = isnan(a) || isnan(b) ? NAN : fmax(a, b);
      return true;
    default:
      return false;
  }
}

static bool is_narrow(dl_type type) {
  return dl_is_float(type) ? dl_float_width(type->float_kind) <= 64
                           : dl_is_index(type) || type->width <= 64;
}

static double as_double(dl_attr constant) {
  if (dl_is_float(constant->type)) return constant->number;
  return is_unsigned(constant->type) && constant->type->width == 64
             ? (double)(uint64_t)constant->integer
             : (double)constant->integer;
}

static dl_attr fold_cast(dl_attr value, dl_type type) {
  if (dl_is_float(type)) return dl_float_attr(type, as_double(value));
  bool to_bool = dl_is_integer(type) && type->width == 1;
  if (!dl_is_float(value->type))
    return int_constant(type, to_bool ? value->integer != 0 : value->integer);
  if (to_bool) return int_constant(type, value->number != 0);
  // Out of range is left to run time, where the target defines it.
  if (!(fabs(value->number) < 0x1p62)) return NULL;
  return int_constant(type, (int64_t)value->number);
}

static dl_attr fold_binary(dl_scalar_op op, dl_type type, dl_attr x, dl_attr y) {
  bool is_float = dl_is_float(x->type);
  if (is_comparison(op)) {
    double a = as_double(x), c = as_double(y);
    bool ordered = !is_float || !(isnan(a) || isnan(c));
    bool less = is_float ? a < c : x->integer < y->integer;
    bool equal = is_float ? a == c : x->integer == y->integer;
    return int_constant(type, compare_folded(op, less, equal, ordered));
  }
  double number;
  if (is_float)
    return fold_floats(op, x->number, y->number, &number) ? dl_float_attr(type, number) : NULL;
  int64_t integer;
  return fold_ints(op, type, x->integer, y->integer, &integer) ? int_constant(type, integer) : NULL;
}

static dl_attr fold_unary(dl_scalar_op op, dl_type type, dl_attr x) {
  if (op == DL_SCALAR_CAST) return fold_cast(x, type);
  if (op == DL_SCALAR_NOT && type->width == 1) return int_constant(type, !x->integer);
  if (dl_is_float(type)) {
    double number;
    return fold_floats(op, x->number, 0, &number) ? dl_float_attr(type, number) : NULL;
  }
  if (op == DL_SCALAR_NEG && x->integer != INT64_MIN) return int_constant(type, -x->integer);
  return NULL;
}

static dl_attr fold(dl_scalar_op op, dl_type type, size_t count, const dl_scalar *const *args) {
  for (size_t i = 0; i < count; i++)
    if (!dl_folded_scalar(args[i]) || !is_narrow(args[i]->type)) return NULL;
  if (!is_narrow(type)) return NULL;
  if (count == 1) return fold_unary(op, type, args[0]->constant);
  if (count == 2) return fold_binary(op, type, args[0]->constant, args[1]->constant);
  return NULL;
}

static dl_expr index_expr(dl_context *ctx, const dl_scalar *s) {
  if (s->op == DL_SCALAR_INDEX) return s->index;
  if (s->op == DL_SCALAR_CONST && dl_is_index(s->type))
    return dl_expr_const(ctx, s->constant->integer);
  return NULL;
}

static const dl_scalar *make_index(dl_binder *b, dl_expr expr) {
  if (expr->kind == DL_EXPR_CONST)
    return dl_make_const(b, dl_int_attr(dl_index_type(b->ctx), expr->value));
  dl_scalar *s = dl_arena_alloc(b->arena, sizeof *s);
  *s = (dl_scalar){.op = DL_SCALAR_INDEX, .type = dl_index_type(b->ctx), .index = expr};
  return s;
}

const dl_scalar *dl_make_scalar(dl_binder *b, dl_scalar_op op, dl_type type, size_t num_args,
                                const dl_scalar *const *args) {
  if (op == DL_SCALAR_SELECT && dl_folded_scalar(args[0]))
    return args[args[0]->constant->integer ? 1 : 2];
  dl_attr folded = num_args ? fold(op, type, num_args, args) : NULL;
  if (folded) return dl_make_const(b, folded);
  dl_scalar *s = dl_arena_alloc(b->arena, sizeof *s);
  *s = (dl_scalar){.op = op, .type = type, .num_args = num_args};
  s->args = dl_binder_copy(b, args, num_args * sizeof *args);
  return s;
}

const dl_scalar *dl_make_cast(dl_binder *b, const dl_scalar *value, dl_type type) {
  if (value->type == type) return value;
  return dl_make_scalar(b, DL_SCALAR_CAST, type, 1, &value);
}

// --- typing ---

dl_status dl_to_scalar(dl_binder *b, const dl_bound_value *value, dl_type type,
                       const dl_scalar **out) {
  dl_buffer text = {0};
  switch (value->kind) {
    case DL_BV_INT:
      *out = make_index(b, value->expr);
      if (type) *out = dl_make_cast(b, *out, type);
      return DL_OK;
    case DL_BV_FLOAT:
      if (!type) return dl_spec_fail(b, "a number needs a type here: cast it");
      if (!dl_is_float(type) && value->number != floor(value->number))
        return dl_spec_fail(b, "%g is no integer", value->number);
      *out = dl_make_number(b, type, value->number);
      return DL_OK;
    case DL_BV_BOOL:
      *out = dl_make_const(b, dl_bool_attr(b->ctx, value->flag));
      if (type) *out = dl_make_cast(b, *out, type);
      return DL_OK;
    case DL_BV_SCALAR:
      *out = value->scalar;
      if (!type || value->scalar->type == type) return DL_OK;
      dl_print_type(&text, value->scalar->type);
      dl_buffer_puts(&text, " where ");
      dl_print_type(&text, type);
      dl_spec_fail(b, "found a value of type %s is expected: cast it", text.data);
      dl_buffer_free(&text);
      return DL_FAILED;
    default:
      return dl_spec_fail(b, "expected a number");
  }
}

static bool has_list(size_t count, const dl_bound_value *values, size_t *len) {
  bool found = false;
  for (size_t i = 0; i < count; i++)
    if (values[i].kind == DL_BV_LIST) {
      *len = found && *len != values[i].count ? SIZE_MAX : values[i].count;
      found = true;
    }
  return found;
}

static dl_status apply_lists(dl_binder *b, dl_scalar_op op, size_t count,
                             const dl_bound_value *values, size_t len, dl_bound_value *out) {
  if (len == SIZE_MAX) return dl_spec_fail(b, "lists of different lengths");
  dl_bound_value *items = dl_arena_alloc(b->arena, (len + 1) * sizeof *items);
  for (size_t i = 0; i < len; i++) {
    dl_bound_value args[3];
    for (size_t k = 0; k < count; k++)
      args[k] = values[k].kind == DL_BV_LIST ? values[k].items[i] : values[k];
    DL_TRY(dl_apply(b, op, count, args, &items[i]));
  }
  *out = dl_list_value(b, len, items);
  return DL_OK;
}

// Arithmetic on numbers that have no type yet.
static bool apply_numbers(dl_scalar_op op, size_t count, const dl_bound_value *values,
                          dl_bound_value *out) {
  double numbers[2] = {0};
  bool is_float = op == DL_SCALAR_SQRT || op == DL_SCALAR_FLOOR || op == DL_SCALAR_CEIL;
  for (size_t i = 0; i < count; i++) {
    if (values[i].kind == DL_BV_FLOAT)
      numbers[i] = values[i].number, is_float = true;
    else if (dl_is_const_int(&values[i]))
      numbers[i] = (double)values[i].expr->value;
    else
      return false;
  }
  if (!is_float || count > 2) return false;
  if (is_comparison(op)) {
    double a = numbers[0], c = numbers[1];
    *out = dl_bool_value(compare_folded(op, a < c, a == c, !isnan(a) && !isnan(c)));
    return true;
  }
  *out = (dl_bound_value){.kind = DL_BV_FLOAT};
  return fold_floats(op, numbers[0], numbers[1], &out->number);
}

// The type that the first typed argument has; NULL when none has one.
static dl_type common_type(size_t count, const dl_bound_value *values) {
  for (size_t i = 0; i < count; i++)
    if (values[i].kind == DL_BV_SCALAR) return values[i].scalar->type;
  return NULL;
}

static dl_status apply_bools(dl_binder *b, dl_scalar_op op, size_t count,
                             const dl_bound_value *values, dl_bound_value *out) {
  bool flags[2] = {0}, known[2] = {true, true};
  for (size_t i = 0; i < count; i++) DL_TRY(dl_truth(b, &values[i], &known[i], &flags[i]));
  bool is_and = op == DL_SCALAR_AND;
  for (size_t i = 0; i < count && count == 2; i++) {
    if (!known[i]) continue;
    *out = flags[i] == is_and ? values[1 - i] : dl_bool_value(!is_and);
    return DL_OK;
  }
  if (count == 1 && known[0]) {
    *out = dl_bool_value(!flags[0]);
    return DL_OK;
  }
  const dl_scalar *args[2];
  dl_type i1 = dl_int_type(b->ctx, 1);
  for (size_t i = 0; i < count; i++) DL_TRY(dl_to_scalar(b, &values[i], i1, &args[i]));
  *out = dl_scalar_value(dl_make_scalar(b, op, i1, count, args));
  return DL_OK;
}

static bool is_boolean(const dl_bound_value *v) {
  return v->kind == DL_BV_BOOL ||
         (v->kind == DL_BV_SCALAR && dl_is_integer(v->scalar->type) && v->scalar->type->width == 1);
}

static dl_status apply_select(dl_binder *b, const dl_bound_value *values, dl_bound_value *out) {
  bool known, flag;
  DL_TRY(dl_truth(b, &values[0], &known, &flag));
  if (known) {
    *out = values[flag ? 1 : 2];
    return DL_OK;
  }
  const dl_scalar *args[3];
  dl_type type = common_type(2, values + 1);
  if (!type && (values[1].kind == DL_BV_BOOL || values[2].kind == DL_BV_BOOL))
    type = dl_int_type(b->ctx, 1);
  DL_TRY(dl_to_scalar(b, &values[0], dl_int_type(b->ctx, 1), &args[0]));
  DL_TRY(dl_to_scalar(b, &values[1], type, &args[1]));
  DL_TRY(dl_to_scalar(b, &values[2], type, &args[2]));
  *out = dl_scalar_value(dl_make_scalar(b, DL_SCALAR_SELECT, args[1]->type, 3, args));
  if (type || b->frame) return DL_OK;
  dl_expr expr;
  DL_TRY(dl_to_expr(b, out, &expr));
  *out = dl_int_value(expr);
  return DL_OK;
}

// Sums and products of index trees with plain indices stay quasi-affine where both sides are.
static dl_status apply_typed(dl_binder *b, dl_scalar_op op, size_t count,
                             const dl_bound_value *values, dl_type type, dl_bound_value *out) {
  const dl_scalar *args[2] = {NULL};
  for (size_t i = 0; i < count; i++) DL_TRY(dl_to_scalar(b, &values[i], type, &args[i]));
  type = args[0]->type;
  bool is_math = op >= DL_SCALAR_FLOOR && op <= DL_SCALAR_ATAN;
  if (is_math && !dl_is_float(type))
    return dl_spec_fail(b, "'%s' needs a floating-point value", dl_scalar_op_name(op));
  if ((op == DL_SCALAR_FLOORDIV || op == DL_SCALAR_MOD) && dl_is_float(type))
    return dl_spec_fail(b, "'%s' needs integers", dl_scalar_op_name(op));
  dl_expr lhs = index_expr(b->ctx, args[0]), rhs = count == 2 ? index_expr(b->ctx, args[1]) : NULL;
  if (lhs && rhs && op != DL_SCALAR_DIV && op != DL_SCALAR_REM)
    return dl_apply_int(b, op, lhs, rhs, out);
  dl_type result = is_comparison(op) ? dl_int_type(b->ctx, 1) : type;
  *out = dl_scalar_value(dl_make_scalar(b, op, result, count, args));
  return DL_OK;
}

static dl_status apply_equality(dl_binder *b, dl_scalar_op op, const dl_bound_value *v,
                                dl_bound_value *out) {
  bool equal =
      v[0].kind == DL_BV_STRING ? dl_str_equal(v[0].text, v[1].text) : v[0].type == v[1].type;
  if (op != DL_SCALAR_EQ && op != DL_SCALAR_NE)
    return dl_spec_fail(b, "only == and != compare names");
  *out = dl_bool_value(equal == (op == DL_SCALAR_EQ));
  return DL_OK;
}

static bool is_literal(const dl_bound_value *v, double number) {
  return (v->kind == DL_BV_FLOAT && v->number == number) ||
         (dl_is_const_int(v) && (double)v->expr->value == number);
}

// A term 0 or a factor 1 that the spec or an attribute writes is none: `x + 0`, `alpha * x`, `x /
// 1`.
static bool drop_neutral(dl_scalar_op op, const dl_bound_value *v, dl_bound_value *out) {
  bool is_product = op == DL_SCALAR_MUL || op == DL_SCALAR_DIV;
  bool commutes = op == DL_SCALAR_MUL || op == DL_SCALAR_ADD;
  if (!is_product && !commutes && op != DL_SCALAR_SUB) return false;
  for (size_t i = 0; i < (commutes ? 2 : 1); i++) {
    if (v[i].kind != DL_BV_SCALAR || !is_literal(&v[1 - i], is_product)) continue;
    *out = v[i];
    return true;
  }
  return false;
}

dl_status dl_apply(dl_binder *b, dl_scalar_op op, size_t count, const dl_bound_value *values,
                   dl_bound_value *out) {
  size_t len;
  if (has_list(count, values, &len)) return apply_lists(b, op, count, values, len, out);
  if (op == DL_SCALAR_SELECT) return apply_select(b, values, out);
  bool logical = op == DL_SCALAR_AND || op == DL_SCALAR_OR || op == DL_SCALAR_NOT;
  if (logical && (is_boolean(&values[0]) || !common_type(count, values)))
    return apply_bools(b, op, count, values, out);
  bool named = values[0].kind == DL_BV_STRING || values[0].kind == DL_BV_TYPE;
  if (named && count == 2 && values[1].kind == values[0].kind)
    return apply_equality(b, op, values, out);
  if (count == 2 && drop_neutral(op, values, out)) return DL_OK;
  if (apply_numbers(op, count, values, out)) return DL_OK;
  if (count == 2 && values[0].kind == DL_BV_INT && values[1].kind == DL_BV_INT)
    return dl_apply_int(b, op, values[0].expr, values[1].expr, out);
  if (count == 1 && values[0].kind == DL_BV_INT && op == DL_SCALAR_NEG) {
    *out = dl_int_value(dl_expr_mul_const(values[0].expr, -1));
    return DL_OK;
  }
  return apply_typed(b, op, count, values, common_type(count, values), out);
}

dl_status dl_truth(dl_binder *b, const dl_bound_value *value, bool *known, bool *flag) {
  *known = true;
  *flag = false;
  if (value->kind == DL_BV_BOOL) {
    *flag = value->flag;
  } else if (dl_is_const_int(value)) {
    *flag = value->expr->value != 0;
  } else if (value->kind == DL_BV_SCALAR && value->scalar->type == dl_int_type(b->ctx, 1)) {
    *known = value->scalar->op == DL_SCALAR_CONST;
    *flag = *known && value->scalar->constant->integer != 0;
  } else {
    return dl_spec_fail(b, "expected a condition");
  }
  return DL_OK;
}
