// Parsing of affine expressions, maps and sets, over d0… and s0…, other bare names, or SSA values.

#include "ir/affine_internal.h"
#include "ir/text_internal.h"

typedef DL_VEC(dl_ident) name_vec;
typedef DL_VEC(dl_expr) expr_vec;

typedef struct affine_parser {
  dl_parser *p;
  size_t num_dims, num_symbols;
  const dl_ident *dims, *symbols;
  dl_unresolved_list *values;  // SSA mode: the values met so far
  bool written;                // keep what is written: only constants are folded
  unsigned operators;
} affine_parser;

static dl_status parse_sum(affine_parser *a, dl_expr *expr);

// --- building: simplified, or as written ---

static bool both_const(dl_expr a, dl_expr b) {
  return a->kind == DL_EXPR_CONST && b->kind == DL_EXPR_CONST;
}

static dl_expr written_node(dl_expr_kind kind, dl_expr a, dl_expr b) {
  dl_expr node = dl_expr_node(kind, a, b);
  int64_t value;
  if (both_const(a, b) && dl_expr_eval(node, NULL, NULL, &value))
    return dl_expr_const(a->ctx, value);
  return node;
}

// A constant factor stands on the right, and there is only one.
static dl_expr written_product(dl_expr a, dl_expr b) {
  if (a->kind == DL_EXPR_CONST && b->kind != DL_EXPR_CONST) return written_product(b, a);
  if (b->kind != DL_EXPR_CONST || a->kind == DL_EXPR_CONST) return written_node(DL_EXPR_MUL, a, b);
  if (b->value == 1) return a;
  int64_t factor;
  bool scaled = a->kind == DL_EXPR_MUL && a->rhs->kind == DL_EXPR_CONST &&
                !__builtin_mul_overflow(a->rhs->value, b->value, &factor);
  return scaled ? written_product(a->lhs, dl_expr_const(a->ctx, factor))
                : dl_expr_node(DL_EXPR_MUL, a, b);
}

static dl_expr written_sum(dl_expr a, dl_expr b) {
  if (dl_expr_is_const(a, 0)) return b;
  if (dl_expr_is_const(b, 0)) return a;
  if (a->kind == DL_EXPR_CONST && b->kind != DL_EXPR_CONST) return written_sum(b, a);
  return written_node(DL_EXPR_ADD, a, b);
}

static dl_expr negate(const affine_parser *a, dl_expr expr) {
  if (!a->written) return dl_expr_mul_const(expr, -1);
  return written_product(expr, dl_expr_const(expr->ctx, -1));
}

static dl_expr add(const affine_parser *a, dl_expr lhs, dl_expr rhs) {
  return a->written ? written_sum(lhs, rhs) : dl_expr_add(lhs, rhs);
}

static dl_expr multiply_or_divide(const affine_parser *a, dl_expr_kind kind, dl_expr lhs,
                                  dl_expr rhs) {
  if (!a->written) return dl_expr_binary(kind, lhs, rhs);
  return kind == DL_EXPR_MUL ? written_product(lhs, rhs) : written_node(kind, lhs, rhs);
}

// --- parsing ---

static dl_status count_operator(affine_parser *a) {
  if (++a->operators <= DL_MAX_EXPR_OPERATORS) return DL_OK;
  return dl_p_error(a->p, "affine expression has more than %d operators", DL_MAX_EXPR_OPERATORS);
}

static dl_status parse_ssa_name(affine_parser *a, dl_expr *expr) {
  dl_unresolved value;
  DL_TRY(dl_p_value(a->p, &value));
  size_t i = 0;
  for (; i < a->values->len; i++)
    if (dl_str_equal(a->values->data[i].name, value.name) &&
        a->values->data[i].number == value.number)
      break;
  if (i == a->values->len) DL_PUSH(a->values, value);
  *expr = dl_expr_dim(a->p->ctx, (unsigned)i);
  return DL_OK;
}

static dl_status parse_name(affine_parser *a, dl_expr *expr) {
  dl_parser *p = a->p;
  dl_ident name = dl_intern(p->ctx, dl_token_str(p));
  for (size_t i = 0; i < a->num_dims; i++)
    if (a->dims[i] == name) *expr = dl_expr_dim(p->ctx, (unsigned)i);
  for (size_t i = 0; i < a->num_symbols; i++)
    if (a->symbols[i] == name) *expr = dl_expr_symbol(p->ctx, (unsigned)i);
  if (!*expr) return dl_p_error(p, "'%s' is no dimension or symbol here", name);
  dl_advance(p);
  return DL_OK;
}

static dl_status parse_parentheses(affine_parser *a, dl_expr *expr) {
  DL_TRY(dl_enter(a->p));
  dl_advance(a->p);
  DL_TRY(parse_sum(a, expr));
  dl_leave(a->p);
  return dl_p_expect(a->p, ")");
}

// After the minus.
static dl_status parse_negative(affine_parser *a, dl_expr *expr) {
  uint64_t magnitude;
  dl_checkpoint start = dl_save(a->p);
  DL_TRY(dl_parse_unsigned(a->p, &magnitude));
  if (magnitude > (uint64_t)INT64_MAX + 1) {
    dl_restore(a->p, start);
    return dl_p_error(a->p, "constant is too large");
  }
  *expr = dl_expr_const(a->p->ctx, (int64_t)(0 - magnitude));
  return DL_OK;
}

static dl_status parse_operand(affine_parser *a, dl_expr *expr) {
  dl_parser *p = a->p;
  *expr = NULL;
  if (dl_accept_punct(p, '-')) {
    if (p->token.kind == DL_TOK_INTEGER) return parse_negative(a, expr);
    DL_TRY(count_operator(a));
    DL_TRY(parse_operand(a, expr));
    *expr = negate(a, *expr);
    return DL_OK;
  }
  if (dl_at_punct(p, '(')) return parse_parentheses(a, expr);
  if (p->token.kind == DL_TOK_INTEGER) {
    int64_t value;
    DL_TRY(dl_parse_i64(p, &value));
    *expr = dl_expr_const(p->ctx, value);
    return DL_OK;
  }
  if (a->values && p->token.kind == DL_TOK_PERCENT) return parse_ssa_name(a, expr);
  if (p->token.kind == DL_TOK_IDENT && !a->values) return parse_name(a, expr);
  return dl_p_error(p, "expected an affine expression");
}

static bool accept_product(dl_parser *p, dl_expr_kind *kind) {
  *kind = dl_at_punct(p, '*')            ? DL_EXPR_MUL
          : dl_at_keyword(p, "floordiv") ? DL_EXPR_FLOORDIV
          : dl_at_keyword(p, "ceildiv")  ? DL_EXPR_CEILDIV
          : dl_at_keyword(p, "mod")      ? DL_EXPR_MOD
                                         : DL_EXPR_CONST;
  if (*kind == DL_EXPR_CONST) return false;
  dl_advance(p);
  return true;
}

static dl_status parse_product(affine_parser *a, dl_expr *expr) {
  DL_TRY(parse_operand(a, expr));
  dl_expr_kind kind;
  while (accept_product(a->p, &kind)) {
    dl_expr rhs;
    dl_checkpoint start = dl_save(a->p);
    DL_TRY(count_operator(a));
    DL_TRY(parse_operand(a, &rhs));
    bool by_const = kind != DL_EXPR_MUL && rhs->kind == DL_EXPR_CONST;
    if (by_const && rhs->value <= 0 && !a->written) {
      dl_restore(a->p, start);
      return dl_p_error(a->p, "the divisor must be positive");
    }
    *expr = multiply_or_divide(a, kind, *expr, rhs);
  }
  return DL_OK;
}

static dl_status parse_sum(affine_parser *a, dl_expr *expr) {
  DL_TRY(parse_product(a, expr));
  while (dl_at_punct(a->p, '+') || dl_at_punct(a->p, '-')) {
    bool minus = dl_at_punct(a->p, '-');
    dl_expr rhs;
    dl_advance(a->p);
    DL_TRY(count_operator(a));
    DL_TRY(parse_product(a, &rhs));
    *expr = add(a, *expr, minus ? negate(a, rhs) : rhs);
  }
  return DL_OK;
}

dl_status dl_p_expr_ssa(dl_parser *p, dl_unresolved_list *values, dl_expr *expr) {
  affine_parser a = {.p = p, .values = values};
  return parse_sum(&a, expr);
}

dl_status dl_p_expr_names(dl_parser *p, size_t num_dims, const dl_ident *dims, size_t num_symbols,
                          const dl_ident *symbols, dl_expr *expr) {
  affine_parser a = {
      .p = p, .num_dims = num_dims, .dims = dims, .num_symbols = num_symbols, .symbols = symbols};
  return parse_sum(&a, expr);
}

// --- maps and sets ---

typedef struct map_parts {
  name_vec dims, symbols;
  expr_vec results;
  DL_VEC(bool) equalities;
} map_parts;

static bool has_name(const name_vec *names, dl_ident name) {
  for (size_t i = 0; i < names->len; i++)
    if (names->data[i] == name) return true;
  return false;
}

static dl_status parse_names(dl_parser *p, char close, map_parts *parts, name_vec *names) {
  dl_advance(p);
  if (dl_accept_punct(p, close)) return DL_OK;
  do {
    if (p->token.kind != DL_TOK_IDENT) return dl_p_error(p, "expected a name");
    dl_ident name = dl_intern(p->ctx, dl_token_str(p));
    if (has_name(&parts->dims, name) || has_name(&parts->symbols, name))
      return dl_p_error(p, "redefinition of '%s'", name);
    DL_PUSH(names, name);
    dl_advance(p);
  } while (dl_accept_punct(p, ','));
  return dl_expect_punct(p, close, "after names");
}

static affine_parser start_expr(dl_parser *p, const map_parts *parts) {
  return (affine_parser){.p = p,
                         .written = true,
                         .num_dims = parts->dims.len,
                         .dims = parts->dims.data,
                         .num_symbols = parts->symbols.len,
                         .symbols = parts->symbols.data};
}

static dl_status parse_constraint(dl_parser *p, map_parts *parts) {
  affine_parser a = start_expr(p, parts);
  dl_expr lhs, rhs;
  DL_TRY(parse_sum(&a, &lhs));
  bool equality = dl_p_accept(p, "=="), at_least = !equality && dl_p_accept(p, ">=");
  if (!equality && !at_least && !dl_p_accept(p, "<="))
    return dl_p_error(p, "expected '>=', '<=' or '=='");
  DL_TRY(parse_sum(&a, &rhs));
  bool swap = !equality && !at_least;
  DL_PUSH(&parts->results, add(&a, swap ? rhs : lhs, negate(&a, swap ? lhs : rhs)));
  DL_PUSH(&parts->equalities, equality);
  return DL_OK;
}

static dl_status parse_results(dl_parser *p, bool set, map_parts *parts) {
  DL_TRY(dl_p_expect(p, "("));
  if (dl_accept_punct(p, ')')) return DL_OK;
  do {
    if (set) {
      DL_TRY(parse_constraint(p, parts));
      continue;
    }
    affine_parser a = start_expr(p, parts);
    dl_expr expr;
    DL_TRY(parse_sum(&a, &expr));
    DL_PUSH(&parts->results, expr);
  } while (dl_accept_punct(p, ','));
  return dl_expect_punct(p, ')', "after affine expressions");
}

static dl_status parse_map_body(dl_parser *p, bool set, map_parts *parts) {
  DL_TRY(dl_p_expect(p, "<"));
  if (!dl_at_punct(p, '(')) return dl_p_error(p, "expected '('");
  DL_TRY(parse_names(p, ')', parts, &parts->dims));
  if (dl_at_punct(p, '[')) DL_TRY(parse_names(p, ']', parts, &parts->symbols));
  DL_TRY(dl_p_expect(p, set ? ":" : "->"));
  DL_TRY(parse_results(p, set, parts));
  return dl_p_expect(p, ">");
}

static dl_map simplified_map(dl_map map) {
  dl_expr *results = dl_malloc(map->num_results * sizeof(dl_expr) + 1);
  for (size_t i = 0; i < map->num_results; i++) results[i] = dl_expr_canonical(map->results[i]);
  dl_map simplified =
      dl_affine_map(map->ctx, map->num_dims, map->num_symbols, map->num_results, results);
  free(results);
  return simplified;
}

dl_attr dl_simplified_affine(dl_attr attr) {
  if (attr->kind == DL_ATTR_MAP) return dl_affine_map_attr(simplified_map(attr->map));
  if (attr->kind == DL_ATTR_SET)
    return dl_affine_set_attr(simplified_map(attr->map), attr->is_equality);
  if (attr->kind != DL_ATTR_ARRAY || !attr->count || attr->elements[0]->kind != DL_ATTR_MAP)
    return attr;
  dl_attr *elements = dl_malloc(attr->count * sizeof(dl_attr));
  for (size_t i = 0; i < attr->count; i++) elements[i] = dl_simplified_affine(attr->elements[i]);
  dl_attr simplified = dl_array_attr(attr->ctx, attr->count, elements);
  free(elements);
  return simplified;
}

dl_status dl_parse_map_or_set(dl_parser *p, bool set, dl_attr *attr) {
  map_parts parts = {0};
  dl_status status = parse_map_body(p, set, &parts);
  if (status == DL_OK) {
    dl_map map = dl_affine_map(p->ctx, (unsigned)parts.dims.len, (unsigned)parts.symbols.len,
                               parts.results.len, parts.results.data);
    *attr = set ? dl_affine_set_attr(map, parts.equalities.data) : dl_affine_map_attr(map);
  }
  DL_VEC_FREE(&parts.dims);
  DL_VEC_FREE(&parts.symbols);
  DL_VEC_FREE(&parts.results);
  DL_VEC_FREE(&parts.equalities);
  return status;
}
