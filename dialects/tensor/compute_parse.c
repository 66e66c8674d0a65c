// The pretty form of tensor.compute, in:
//
//   compute   ::= symbol `(` values `)` (`captures` `(` values `)`)? (`symbols` `(` named-values
//   `)`)?
//                 (combiner `init` attribute)? `parallel` iterators (`reduce` iterators)?
//                 `in` `[` (indices (`else` attribute)?),* `]` `out` indices (`shape` indices)?
//                 (`where` `(` (expr (`>=` | `==`) `0`),+ `)`)? attr-dict? `:` `(` types `)` `->`
//                 type region
//   iterators ::= `(` (name `:` expr),* `)`
//   indices   ::= `(` expr,* `)`
#include "dialects/tensor/compute.h"
#include "dialects/tensor/tensor_ops.h"
#include "ir/text.h"

typedef DL_VEC(dl_ident) ident_list;
typedef DL_VEC(dl_expr) expr_list;
typedef DL_VEC(dl_attr) attr_list;
typedef DL_VEC(bool) flag_list;

typedef struct header {
  dl_context *ctx;
  dl_ident label;
  dl_unresolved_list inputs, captures, symbol_values;
  ident_list iterators, symbols;
  expr_list sizes;
  size_t num_parallel;
  attr_list in_maps, in_else;
  dl_map out_map, shape;
  expr_list where;
  flag_list where_equal;
  dl_ident combiner;
  dl_attr init;
} header;

static void header_free(header *h) {
  DL_VEC_FREE(&h->inputs);
  DL_VEC_FREE(&h->captures);
  DL_VEC_FREE(&h->symbol_values);
  DL_VEC_FREE(&h->iterators);
  DL_VEC_FREE(&h->symbols);
  DL_VEC_FREE(&h->sizes);
  DL_VEC_FREE(&h->in_maps);
  DL_VEC_FREE(&h->in_else);
  DL_VEC_FREE(&h->where);
  DL_VEC_FREE(&h->where_equal);
}

static dl_status parse_values(dl_parser *p, dl_unresolved_list *values) {
  DL_TRY(dl_p_expect(p, "("));
  DL_TRY(dl_p_value_list(p, values));
  return dl_p_expect(p, ")");
}

static dl_status parse_symbols(dl_parser *p, header *h) {
  DL_TRY(dl_p_expect(p, "("));
  do {
    dl_ident name;
    dl_unresolved value;
    DL_TRY(dl_p_keyword(p, &name));
    DL_TRY(dl_p_expect(p, "="));
    DL_TRY(dl_p_value(p, &value));
    DL_PUSH(&h->symbols, name);
    DL_PUSH(&h->symbol_values, value);
  } while (dl_p_accept(p, ","));
  return dl_p_expect(p, ")");
}

// An expression over the first num_dims iterators and the symbols.
static dl_status parse_expr(dl_parser *p, const header *h, size_t num_dims, dl_expr *expr) {
  return dl_p_expr_names(p, num_dims, h->iterators.data, h->symbols.len, h->symbols.data, expr);
}

static dl_status parse_iterators(dl_parser *p, header *h) {
  DL_TRY(dl_p_expect(p, "("));
  if (dl_p_accept(p, ")")) return DL_OK;
  do {
    dl_ident name;
    dl_expr size;
    DL_TRY(dl_p_keyword(p, &name));
    DL_TRY(dl_p_expect(p, ":"));
    DL_TRY(parse_expr(p, h, 0, &size));
    DL_PUSH(&h->iterators, name);
    DL_PUSH(&h->sizes, size);
  } while (dl_p_accept(p, ","));
  return dl_p_expect(p, ")");
}

static dl_status parse_expr_list(dl_parser *p, const header *h, size_t num_dims, expr_list *exprs) {
  DL_TRY(dl_p_expect(p, "("));
  if (dl_p_accept(p, ")")) return DL_OK;
  do {
    dl_expr expr;
    DL_TRY(parse_expr(p, h, num_dims, &expr));
    DL_PUSH(exprs, expr);
  } while (dl_p_accept(p, ","));
  return dl_p_expect(p, ")");
}

static dl_status parse_indices(dl_parser *p, const header *h, size_t num_dims, dl_map *map) {
  expr_list exprs = {0};
  dl_status status = parse_expr_list(p, h, num_dims, &exprs);
  if (status == DL_OK)
    *map =
        dl_affine_map(h->ctx, (unsigned)num_dims, (unsigned)h->symbols.len, exprs.len, exprs.data);
  DL_VEC_FREE(&exprs);
  return status;
}

static dl_status parse_inputs(dl_parser *p, header *h) {
  DL_TRY(dl_p_expect(p, "["));
  if (dl_p_accept(p, "]")) return DL_OK;
  do {
    dl_map map;
    dl_attr otherwise = dl_unit_attr(h->ctx);
    DL_TRY(parse_indices(p, h, h->iterators.len, &map));
    if (dl_p_accept_keyword(p, "else")) DL_TRY(dl_p_attr(p, &otherwise));
    DL_PUSH(&h->in_maps, dl_affine_map_attr(map));
    DL_PUSH(&h->in_else, otherwise);
  } while (dl_p_accept(p, ","));
  return dl_p_expect(p, "]");
}

static dl_status parse_where(dl_parser *p, header *h) {
  DL_TRY(dl_p_expect(p, "("));
  do {
    dl_expr expr;
    int64_t zero;
    DL_TRY(parse_expr(p, h, h->iterators.len, &expr));
    bool equal = dl_p_accept(p, "==");
    if (!equal) DL_TRY(dl_p_expect(p, ">="));
    dl_loc loc = dl_p_loc(p);
    DL_TRY(dl_p_integer(p, &zero));
    if (zero != 0) return dl_error(loc, "a condition compares with 0");
    DL_PUSH(&h->where, expr);
    DL_PUSH(&h->where_equal, equal);
  } while (dl_p_accept(p, ","));
  return dl_p_expect(p, ")");
}

static dl_status parse_combiner(dl_parser *p, header *h) {
  if (dl_p_accept_keyword(p, "parallel")) return DL_OK;
  dl_combiner combiner;
  dl_loc loc = dl_p_loc(p);
  DL_TRY(dl_p_keyword(p, &h->combiner));
  if (!dl_combiner_parse(dl_str_of(h->combiner), &combiner))
    return dl_error(loc, "'%s' is no combiner: expected sum, prod, max, min, and, or", h->combiner);
  DL_TRY(dl_p_expect_keyword(p, "init"));
  DL_TRY(dl_p_attr(p, &h->init));
  return dl_p_expect_keyword(p, "parallel");
}

static dl_status parse_header(dl_parser *p, header *h) {
  DL_TRY(dl_p_symbol(p, &h->label));
  DL_TRY(parse_values(p, &h->inputs));
  if (dl_p_accept_keyword(p, "captures")) DL_TRY(parse_values(p, &h->captures));
  if (dl_p_accept_keyword(p, "symbols")) DL_TRY(parse_symbols(p, h));
  DL_TRY(parse_combiner(p, h));
  DL_TRY(parse_iterators(p, h));
  h->num_parallel = h->iterators.len;
  if (dl_p_accept_keyword(p, "reduce")) DL_TRY(parse_iterators(p, h));
  DL_TRY(dl_p_expect_keyword(p, "in"));
  DL_TRY(parse_inputs(p, h));
  DL_TRY(dl_p_expect_keyword(p, "out"));
  DL_TRY(parse_indices(p, h, h->num_parallel, &h->out_map));
  if (dl_p_accept_keyword(p, "shape")) DL_TRY(parse_indices(p, h, 0, &h->shape));
  if (dl_p_accept_keyword(p, "where")) DL_TRY(parse_where(p, h));
  return DL_OK;
}

static dl_status parse_operand_types(dl_parser *p, dl_op_state *state, const header *h) {
  size_t total = h->inputs.len + h->captures.len;
  DL_TRY(dl_p_expect(p, ":"));
  DL_TRY(dl_p_expect(p, "("));
  for (size_t i = 0; i < total; i++) {
    dl_type type;
    if (i) DL_TRY(dl_p_expect(p, ","));
    DL_TRY(dl_p_type(p, &type));
    bool input = i < h->inputs.len;
    dl_unresolved value = input ? h->inputs.data[i] : h->captures.data[i - h->inputs.len];
    DL_TRY(dl_p_add_operand(p, state, value, type));
  }
  DL_TRY(dl_p_expect(p, ")"));
  for (size_t i = 0; i < h->symbol_values.len; i++)
    DL_TRY(dl_p_add_operand(p, state, h->symbol_values.data[i], dl_index_type(h->ctx)));
  return DL_OK;
}

static dl_attr iterator_names(const header *h) {
  dl_attr *names = dl_malloc((h->iterators.len + 1) * sizeof(dl_attr));
  for (size_t i = 0; i < h->iterators.len; i++)
    names[i] = dl_string_attr_z(h->ctx, h->iterators.data[i]);
  dl_attr array = dl_array_attr(h->ctx, h->iterators.len, names);
  free(names);
  return array;
}

static dl_attr where_attr(const header *h) {
  dl_map map = dl_affine_map(h->ctx, (unsigned)h->iterators.len, (unsigned)h->symbols.len,
                             h->where.len, h->where.data);
  return dl_affine_set_attr(map, h->where_equal.data);
}

static void add_attrs(dl_parser *p, dl_op_state *state, const header *h) {
  dl_context *ctx = h->ctx;
  int32_t segments[] = {(int32_t)h->inputs.len, (int32_t)h->captures.len, (int32_t)h->symbols.len};
  dl_map sizes = dl_affine_map(ctx, 0, (unsigned)h->symbols.len, h->sizes.len, h->sizes.data);
  dl_p_add_attr(p, state, "label", dl_string_attr_z(ctx, h->label));
  dl_p_add_attr(p, state, "operandSegmentSizes", dl_i32_array_attr(ctx, 3, segments));
  dl_p_add_attr(p, state, "iterators", iterator_names(h));
  dl_p_add_attr(p, state, "parallel", dl_i64_attr(ctx, (int64_t)h->num_parallel));
  dl_p_add_attr(p, state, "sizes", dl_affine_map_attr(sizes));
  dl_p_add_attr(p, state, "in_maps", dl_array_attr(ctx, h->in_maps.len, h->in_maps.data));
  dl_p_add_attr(p, state, "in_else", dl_array_attr(ctx, h->in_else.len, h->in_else.data));
  dl_p_add_attr(p, state, "out_map", dl_affine_map_attr(h->out_map));
  if (h->shape) dl_p_add_attr(p, state, "shape", dl_affine_map_attr(h->shape));
  if (h->init) {
    dl_p_add_attr(p, state, "combiner", dl_string_attr_z(ctx, h->combiner));
    dl_p_add_attr(p, state, "init", h->init);
  }
  if (h->where.len) dl_p_add_attr(p, state, "where", where_attr(h));
}

static dl_status parse_compute(dl_parser *p, dl_op_state *state, header *h) {
  dl_type result;
  DL_TRY(parse_header(p, h));
  DL_TRY(dl_p_attr_dict(p, state));
  DL_TRY(parse_operand_types(p, state, h));
  DL_TRY(dl_p_expect(p, "->"));
  DL_TRY(dl_p_type(p, &result));
  dl_p_add_result(p, state, result);
  add_attrs(p, state, h);
  return dl_p_region(p, state, 0, NULL, NULL, NULL);
}

dl_status tensor_compute_parse(dl_parser *p, dl_op_state *state) {
  header h = {.ctx = dl_p_context(p)};
  dl_status status = parse_compute(p, state, &h);
  header_free(&h);
  return status;
}
