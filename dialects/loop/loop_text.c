// The pretty forms of the loop level (docs/dialects.md).
#include "dialects/loop/loop.h"
#include "dialects/loop/loop_ops.h"
#include "ir/text.h"

#define MAX_SEGMENTS 4

// What a pretty form has read so far: values in the order of the operand groups, and their counts.
typedef struct reading {
  dl_parser *p;
  dl_op_state *state;
  dl_unresolved_list values;
  int32_t segments[MAX_SEGMENTS];
  size_t num_segments;
} reading;

static void end_group(reading *r) {
  int32_t before = 0;
  for (size_t i = 0; i < r->num_segments; i++) before += r->segments[i];
  r->segments[r->num_segments++] = (int32_t)r->values.len - before;
}

static dl_status read_operand(reading *r) {
  dl_unresolved value;
  DL_TRY(dl_p_value(r->p, &value));
  DL_PUSH(&r->values, value);
  end_group(r);
  return DL_OK;
}

// `keyword %value`, or nothing.
static dl_status read_optional(reading *r, const char *keyword) {
  if (dl_p_accept_keyword(r->p, keyword)) return read_operand(r);
  end_group(r);
  return DL_OK;
}

static void add_map(reading *r, const char *name, size_t num_dims, size_t count,
                    const dl_expr *results) {
  dl_map map = dl_affine_map(dl_p_context(r->p), (unsigned)num_dims, 0, count, results);
  dl_p_add_attr(r->p, r->state, name, dl_affine_map_attr(map));
}

typedef DL_VEC(dl_expr) expr_list;

// Expressions with commas between them up to `close` (NULL: exactly one), over one group of
// operands.
static dl_status read_exprs(reading *r, const char *close, dl_unresolved_list *dims,
                            expr_list *exprs) {
  if (close && dl_p_accept(r->p, close)) return DL_OK;
  do {
    dl_expr expr;
    DL_TRY(dl_p_expr_ssa(r->p, dims, &expr));
    DL_PUSH(exprs, expr);
  } while (close && dl_p_accept(r->p, ","));
  return close ? dl_p_expect(r->p, close) : DL_OK;
}

static dl_status read_map(reading *r, const char *name, const char *close) {
  dl_unresolved_list dims = {0};
  expr_list exprs = {0};
  dl_status status = read_exprs(r, close, &dims, &exprs);
  if (status == DL_OK) {
    for (size_t i = 0; i < dims.len; i++) DL_PUSH(&r->values, dims.data[i]);
    end_group(r);
    add_map(r, name, dims.len, exprs.len, exprs.data);
  }
  DL_VEC_FREE(&dims);
  DL_VEC_FREE(&exprs);
  return status;
}

// `[expr]`
static dl_status read_subscript(reading *r, const char *name) {
  DL_TRY(dl_p_expect(r->p, "["));
  DL_TRY(read_map(r, name, NULL));
  return dl_p_expect(r->p, "]");
}

static dl_type index_type(reading *r) { return dl_index_type(dl_p_context(r->p)); }

// Resolves the values of group `group`, all of one type.
static dl_status resolve_group(reading *r, size_t group, dl_type type) {
  size_t first = 0;
  for (size_t i = 0; i < group; i++) first += (size_t)r->segments[i];
  for (size_t i = 0; i < (size_t)r->segments[group]; i++) {
    DL_TRY(dl_p_add_operand(r->p, r->state, r->values.data[first + i], type));
  }
  return DL_OK;
}

static void add_segments(reading *r) {
  dl_p_add_attr(r->p, r->state, "operandSegmentSizes",
                dl_i32_array_attr(dl_p_context(r->p), r->num_segments, r->segments));
}

static dl_status read_typed(reading *r, dl_type *type) {
  DL_TRY(dl_p_attr_dict(r->p, r->state));
  DL_TRY(dl_p_expect(r->p, ":"));
  return dl_p_type(r->p, type);
}

typedef dl_status (*reader)(reading *r);

static dl_status read_with(reader read, dl_parser *p, dl_op_state *state) {
  reading r = {.p = p, .state = state};
  dl_status status = read(&r);
  DL_VEC_FREE(&r.values);
  return status;
}

// Defines the parse hook of an op through a reader, which may return early.
#define DEFINE_PARSE(op) \
  dl_status op##_parse(dl_parser *p, dl_op_state *state) { return read_with(read_##op, p, state); }

// --- printing ---

// Properties that the forms show in their own way.
static const char *const shown[] = {"bytes", "callee", "elements", "grid",   "index",
                                    "kind",  "lower",  "map",      "offset", "operandSegmentSizes",
                                    "step",  "upper",  "value",    NULL};

static void print_expr(dl_printer *o, const dl_op *op, dl_expr expr, size_t group) {
  size_t count, first = dl_operand_group(op, group, &count);
  DL_VEC(dl_value *) dims = {0};
  for (size_t i = 0; i < count; i++) DL_PUSH(&dims, dl_operand(op, first + i));
  dl_o_expr_ssa(o, expr, dims.data, NULL);
  DL_VEC_FREE(&dims);
}

static void print_map(dl_printer *o, const dl_op *op, const char *name, size_t group) {
  dl_map map = dl_get_attr(op, name)->map;
  for (size_t i = 0; i < map->num_results; i++) {
    if (i) dl_o_puts(o, ", ");
    print_expr(o, op, map->results[i], group);
  }
}

static void print_subscript(dl_printer *o, const dl_op *op, const char *name, size_t pointer,
                            size_t group) {
  dl_o_value(o, dl_operand(op, dl_operand_group(op, pointer, &(size_t){0})));
  dl_o_puts(o, "[");
  print_map(o, op, name, group);
  dl_o_puts(o, "]");
}

static void print_optional(dl_printer *o, const dl_op *op, const char *keyword, size_t group) {
  size_t count, first = dl_operand_group(op, group, &count);
  if (count) dl_o_printf(o, " %s %s", keyword, dl_o_value_name(o, dl_operand(op, first)));
}

static void print_typed(dl_printer *o, const dl_op *op, dl_type type) {
  dl_o_attr_dict(o, op, shown);
  dl_o_puts(o, " : ");
  dl_o_type(o, type);
}

static void print_result_types(dl_printer *o, const dl_op *op) {
  if (dl_num_results(op) == 0) return;
  dl_o_puts(o, " -> (");
  for (size_t i = 0; i < dl_num_results(op); i++) {
    if (i) dl_o_puts(o, ", ");
    dl_o_type(o, dl_value_type(dl_result(op, i)));
  }
  dl_o_puts(o, ")");
}

static dl_type result_type(const dl_op *op) { return dl_value_type(dl_result(op, 0)); }
static dl_type operand_type(const dl_op *op, size_t i) { return dl_value_type(dl_operand(op, i)); }

// --- loop.for ---

// `iter(%a = %init, …)`: names of the body's arguments after the induction variable.
static dl_status read_iter(reading *r, dl_unresolved_list *names) {
  if (dl_p_accept_keyword(r->p, "iter")) {
    DL_TRY(dl_p_expect(r->p, "("));
    do {
      dl_unresolved name, init;
      DL_TRY(dl_p_value(r->p, &name));
      DL_TRY(dl_p_expect(r->p, "="));
      DL_TRY(dl_p_value(r->p, &init));
      DL_PUSH(names, name);
      DL_PUSH(&r->values, init);
    } while (dl_p_accept(r->p, ","));
    DL_TRY(dl_p_expect(r->p, ")"));
  }
  end_group(r);
  return DL_OK;
}

// `-> (type, …)`, results of the op; nothing when there are none.
static dl_status read_result_types(reading *r) {
  if (!dl_p_accept(r->p, "->")) return DL_OK;
  DL_TRY(dl_p_expect(r->p, "("));
  do {
    dl_type type;
    DL_TRY(dl_p_type(r->p, &type));
    dl_p_add_result(r->p, r->state, type);
  } while (dl_p_accept(r->p, ","));
  return dl_p_expect(r->p, ")");
}

static dl_status read_for_body(reading *r, const dl_unresolved_list *names) {
  size_t inits = (size_t)r->segments[DL_LOOP_FOR_INITS];
  if (r->state->num_results != inits) {
    return dl_p_error(r->p, "expected %zu result types, one per carried value", inits);
  }
  DL_VEC(dl_type) types = {0};
  DL_PUSH(&types, index_type(r));
  for (size_t i = 0; i < inits; i++) DL_PUSH(&types, r->state->result_types[i]);
  dl_status status = resolve_group(r, DL_LOOP_FOR_LOWER, index_type(r));
  if (status == DL_OK) status = resolve_group(r, DL_LOOP_FOR_UPPER, index_type(r));
  size_t first = r->values.len - inits;
  for (size_t i = 0; i < inits && status == DL_OK; i++) {
    status = dl_p_add_operand(r->p, r->state, r->values.data[first + i], types.data[1 + i]);
  }
  if (status == DL_OK) {
    status = dl_p_region(r->p, r->state, names->len, names->data, types.data, &loop_yield);
  }
  DL_VEC_FREE(&types);
  return status;
}

static dl_status read_for(reading *r, dl_unresolved_list *names) {
  dl_unresolved variable;
  DL_TRY(dl_p_value(r->p, &variable));
  DL_PUSH(names, variable);
  DL_TRY(dl_p_expect(r->p, "="));
  DL_TRY(read_map(r, "lower", NULL));
  DL_TRY(dl_p_expect_keyword(r->p, "to"));
  DL_TRY(read_map(r, "upper", NULL));
  int64_t step = 1;
  if (dl_p_accept_keyword(r->p, "step")) DL_TRY(dl_p_integer(r->p, &step));
  dl_p_add_attr(r->p, r->state, "step", dl_i64_attr(dl_p_context(r->p), step));
  DL_TRY(read_iter(r, names));
  add_segments(r);
  DL_TRY(read_result_types(r));
  DL_TRY(read_for_body(r, names));
  return dl_p_attr_dict(r->p, r->state);
}

static dl_status read_loop_for(reading *r) {
  dl_unresolved_list names = {0};
  dl_status status = read_for(r, &names);
  DL_VEC_FREE(&names);
  return status;
}
DEFINE_PARSE(loop_for)

void loop_for_print(dl_printer *o, const dl_op *op) {
  dl_block *body = dl_region_first(dl_op_region(op, 0));
  size_t count, first = dl_operand_group(op, DL_LOOP_FOR_INITS, &count);
  dl_o_printf(o, " %s = ", dl_o_value_name(o, dl_arg(body, 0)));
  print_map(o, op, "lower", DL_LOOP_FOR_LOWER);
  dl_o_puts(o, " to ");
  print_map(o, op, "upper", DL_LOOP_FOR_UPPER);
  int64_t step = dl_get_i64(op, "step", 1);
  if (step != 1) dl_o_printf(o, " step %lld", (long long)step);
  for (size_t i = 0; i < count; i++) {
    dl_o_puts(o, i ? ", " : " iter(");
    dl_o_value(o, dl_arg(body, 1 + i));
    dl_o_puts(o, " = ");
    dl_o_value(o, dl_operand(op, first + i));
  }
  if (count) dl_o_puts(o, ")");
  print_result_types(o, op);
  dl_o_region(o, dl_op_region(op, 0), false, count > 0);
  dl_o_attr_dict(o, op, shown);
}

// --- loop.parallel, loop.if, loop.yield ---

static dl_status read_parallel(reading *r, dl_unresolved_list *names) {
  DL_TRY(dl_p_expect(r->p, "("));
  DL_TRY(dl_p_value_list(r->p, names));
  DL_TRY(dl_p_expect(r->p, ")"));
  DL_TRY(dl_p_expect(r->p, "="));
  DL_TRY(dl_p_expect_keyword(r->p, "to"));
  DL_TRY(dl_p_expect(r->p, "("));
  DL_TRY(read_map(r, "upper", ")"));
  DL_TRY(resolve_group(r, 0, index_type(r)));
  DL_VEC(dl_type) types = {0};
  for (size_t i = 0; i < names->len; i++) DL_PUSH(&types, index_type(r));
  dl_status status = dl_p_region(r->p, r->state, names->len, names->data, types.data, &loop_yield);
  DL_VEC_FREE(&types);
  DL_TRY(status);
  return dl_p_attr_dict(r->p, r->state);
}

static dl_status read_loop_parallel(reading *r) {
  dl_unresolved_list names = {0};
  dl_status status = read_parallel(r, &names);
  DL_VEC_FREE(&names);
  return status;
}
DEFINE_PARSE(loop_parallel)

void loop_parallel_print(dl_printer *o, const dl_op *op) {
  dl_block *body = dl_region_first(dl_op_region(op, 0));
  dl_o_puts(o, " (");
  for (size_t i = 0; i < dl_num_args(body); i++) {
    if (i) dl_o_puts(o, ", ");
    dl_o_value(o, dl_arg(body, i));
  }
  dl_o_puts(o, ") = to (");
  print_map(o, op, "upper", 0);
  dl_o_puts(o, ")");
  dl_o_region(o, dl_op_region(op, 0), false, false);
  dl_o_attr_dict(o, op, shown);
}

static dl_status read_loop_if(reading *r) {
  DL_TRY(read_operand(r));
  DL_TRY(resolve_group(r, 0, dl_int_type(dl_p_context(r->p), 1)));
  DL_TRY(read_result_types(r));
  DL_TRY(dl_p_region(r->p, r->state, 0, NULL, NULL, &loop_yield));
  if (dl_p_accept_keyword(r->p, "else")) {
    DL_TRY(dl_p_region(r->p, r->state, 0, NULL, NULL, &loop_yield));
  } else {
    dl_p_add_region(r->p, r->state);
  }
  return dl_p_attr_dict(r->p, r->state);
}
DEFINE_PARSE(loop_if)

void loop_if_print(dl_printer *o, const dl_op *op) {
  bool yields = dl_num_results(op) > 0;
  dl_o_puts(o, " ");
  dl_o_value(o, dl_operand(op, 0));
  print_result_types(o, op);
  dl_o_region(o, dl_op_region(op, 0), false, yields);
  if (!dl_region_empty(dl_op_region(op, 1))) {
    dl_o_puts(o, " else");
    dl_o_region(o, dl_op_region(op, 1), false, yields);
  }
  dl_o_attr_dict(o, op, shown);
}

static dl_status read_loop_yield(reading *r) {
  DL_TRY(dl_p_value_list(r->p, &r->values));
  DL_TRY(dl_p_attr_dict(r->p, r->state));
  if (!dl_p_accept(r->p, ":")) return DL_OK;
  for (size_t i = 0; i < r->values.len; i++) {
    dl_type type;
    if (i) DL_TRY(dl_p_expect(r->p, ","));
    DL_TRY(dl_p_type(r->p, &type));
    DL_TRY(dl_p_add_operand(r->p, r->state, r->values.data[i], type));
  }
  return DL_OK;
}
DEFINE_PARSE(loop_yield)

static void print_operand_types(dl_printer *o, const dl_op *op, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (i) dl_o_puts(o, ", ");
    dl_o_type(o, operand_type(op, i));
  }
}

void loop_yield_print(dl_printer *o, const dl_op *op) {
  size_t count = dl_num_operands(op);
  if (count) dl_o_puts(o, " ");
  dl_o_values(o, op, 0, count);
  dl_o_attr_dict(o, op, shown);
  if (count) dl_o_puts(o, " : ");
  print_operand_types(o, op, count);
}

// --- memory ---

static dl_status read_loop_load(reading *r) {
  dl_type type;
  DL_TRY(read_operand(r));
  DL_TRY(read_subscript(r, "map"));
  DL_TRY(read_optional(r, "count"));
  DL_TRY(read_typed(r, &type));
  DL_TRY(resolve_group(r, DL_LOOP_LOAD_POINTER, dl_loop_ptr_type(dl_element_type(type))));
  DL_TRY(resolve_group(r, DL_LOOP_LOAD_INDICES, index_type(r)));
  DL_TRY(resolve_group(r, DL_LOOP_LOAD_COUNT, index_type(r)));
  add_segments(r);
  dl_p_add_result(r->p, r->state, type);
  return DL_OK;
}
DEFINE_PARSE(loop_load)

void loop_load_print(dl_printer *o, const dl_op *op) {
  dl_o_puts(o, " ");
  print_subscript(o, op, "map", DL_LOOP_LOAD_POINTER, DL_LOOP_LOAD_INDICES);
  print_optional(o, op, "count", DL_LOOP_LOAD_COUNT);
  print_typed(o, op, result_type(op));
}

static dl_status read_loop_store(reading *r) {
  dl_type type;
  DL_TRY(read_operand(r));
  DL_TRY(dl_p_expect(r->p, ","));
  DL_TRY(read_operand(r));
  DL_TRY(read_subscript(r, "map"));
  DL_TRY(read_optional(r, "count"));
  DL_TRY(read_typed(r, &type));
  DL_TRY(resolve_group(r, DL_LOOP_STORE_VALUE, type));
  DL_TRY(resolve_group(r, DL_LOOP_STORE_POINTER, dl_loop_ptr_type(dl_element_type(type))));
  DL_TRY(resolve_group(r, DL_LOOP_STORE_INDICES, index_type(r)));
  DL_TRY(resolve_group(r, DL_LOOP_STORE_COUNT, index_type(r)));
  add_segments(r);
  return DL_OK;
}
DEFINE_PARSE(loop_store)

void loop_store_print(dl_printer *o, const dl_op *op) {
  dl_o_puts(o, " ");
  dl_o_value(o, dl_operand(op, 0));
  dl_o_puts(o, ", ");
  print_subscript(o, op, "map", DL_LOOP_STORE_POINTER, DL_LOOP_STORE_INDICES);
  print_optional(o, op, "count", DL_LOOP_STORE_COUNT);
  print_typed(o, op, operand_type(op, 0));
}

static dl_status read_loop_gather(reading *r) {
  dl_type type;
  DL_TRY(read_operand(r));
  DL_TRY(dl_p_expect(r->p, "["));
  DL_TRY(read_operand(r));
  DL_TRY(dl_p_expect(r->p, "]"));
  DL_TRY(read_optional(r, "mask"));
  DL_TRY(read_typed(r, &type));
  DL_TRY(resolve_group(r, 0, dl_loop_ptr_type(dl_element_type(type))));
  DL_TRY(resolve_group(r, 1, dl_with_element(type, index_type(r))));
  DL_TRY(resolve_group(r, 2, dl_with_element(type, dl_int_type(dl_p_context(r->p), 1))));
  dl_p_add_result(r->p, r->state, type);
  return DL_OK;
}
DEFINE_PARSE(loop_gather)

void loop_gather_print(dl_printer *o, const dl_op *op) {
  dl_o_puts(o, " ");
  dl_o_value(o, dl_operand(op, 0));
  dl_o_puts(o, "[");
  dl_o_value(o, dl_operand(op, 1));
  dl_o_puts(o, "]");
  print_optional(o, op, "mask", 2);
  print_typed(o, op, result_type(op));
}

static dl_status read_pointer_subscript(reading *r, const char *name, dl_type pointer) {
  dl_type type;
  DL_TRY(read_operand(r));
  DL_TRY(read_subscript(r, name));
  DL_TRY(read_typed(r, &type));
  DL_TRY(resolve_group(r, 0, pointer ? pointer : type));
  DL_TRY(resolve_group(r, 1, index_type(r)));
  dl_p_add_result(r->p, r->state, type);
  return DL_OK;
}

static dl_status read_loop_offset(reading *r) { return read_pointer_subscript(r, "map", NULL); }
DEFINE_PARSE(loop_offset)

static dl_status read_loop_slice(reading *r) {
  return read_pointer_subscript(r, "bytes", dl_loop_ptr_type(dl_int_type(dl_p_context(r->p), 8)));
}
DEFINE_PARSE(loop_slice)

void loop_offset_print(dl_printer *o, const dl_op *op) {
  dl_o_puts(o, " ");
  print_subscript(o, op, "map", 0, 1);
  print_typed(o, op, result_type(op));
}

void loop_slice_print(dl_printer *o, const dl_op *op) {
  dl_o_puts(o, " ");
  print_subscript(o, op, "bytes", 0, 1);
  print_typed(o, op, result_type(op));
}

static dl_status read_loop_copy(reading *r) {
  dl_type type;
  DL_TRY(read_operand(r));
  DL_TRY(dl_p_expect(r->p, ","));
  DL_TRY(read_operand(r));
  DL_TRY(dl_p_expect(r->p, ","));
  DL_TRY(dl_p_expect_keyword(r->p, "elements"));
  DL_TRY(dl_p_expect(r->p, "("));
  DL_TRY(read_map(r, "elements", ")"));
  DL_TRY(read_typed(r, &type));
  DL_TRY(resolve_group(r, 0, type));
  DL_TRY(resolve_group(r, 1, type));
  return resolve_group(r, 2, index_type(r));
}
DEFINE_PARSE(loop_copy)

void loop_copy_print(dl_printer *o, const dl_op *op) {
  dl_o_puts(o, " ");
  dl_o_values(o, op, 0, 2);
  dl_o_puts(o, ", elements(");
  print_map(o, op, "elements", 2);
  dl_o_puts(o, ")");
  print_typed(o, op, operand_type(op, 0));
}

static dl_status read_sized(reading *r, const char *attribute) {
  dl_type type;
  DL_TRY(dl_p_expect(r->p, "("));
  DL_TRY(read_map(r, attribute, ")"));
  DL_TRY(read_typed(r, &type));
  dl_p_add_result(r->p, r->state, type);
  return resolve_group(r, 0, index_type(r));
}

static void print_sized(dl_printer *o, const dl_op *op, const char *attribute) {
  dl_o_puts(o, " (");
  print_map(o, op, attribute, 0);
  dl_o_puts(o, ")");
  print_typed(o, op, result_type(op));
}

static dl_status read_loop_alloc(reading *r) { return read_sized(r, "elements"); }
DEFINE_PARSE(loop_alloc)

void loop_alloc_print(dl_printer *o, const dl_op *op) { print_sized(o, op, "elements"); }

static dl_status read_loop_arena(reading *r) { return read_sized(r, "bytes"); }
DEFINE_PARSE(loop_arena)

void loop_arena_print(dl_printer *o, const dl_op *op) { print_sized(o, op, "bytes"); }

// Ops without operands: properties given by `read`, attributes, the result's type.
static dl_status read_leaf(reading *r) {
  dl_type type;
  DL_TRY(read_typed(r, &type));
  dl_p_add_result(r->p, r->state, type);
  return DL_OK;
}

static dl_status read_loop_local(reading *r) {
  int64_t elements;
  DL_TRY(dl_p_integer(r->p, &elements));
  dl_p_add_attr(r->p, r->state, "elements", dl_i64_attr(dl_p_context(r->p), elements));
  return read_leaf(r);
}
DEFINE_PARSE(loop_local)

void loop_local_print(dl_printer *o, const dl_op *op) {
  dl_o_printf(o, " %lld", (long long)dl_get_i64(op, "elements", 0));
  print_typed(o, op, result_type(op));
}

static dl_status read_loop_constant(reading *r) {
  dl_attr value;
  DL_TRY(dl_p_attr(r->p, &value));
  dl_p_add_attr(r->p, r->state, "value", value);
  return read_leaf(r);
}
DEFINE_PARSE(loop_constant)

void loop_constant_print(dl_printer *o, const dl_op *op) {
  dl_o_puts(o, " ");
  dl_o_attr(o, dl_get_attr(op, "value"));
  print_typed(o, op, result_type(op));
}

static dl_status read_loop_iota(reading *r) { return read_leaf(r); }
DEFINE_PARSE(loop_iota)

void loop_iota_print(dl_printer *o, const dl_op *op) { print_typed(o, op, result_type(op)); }

static dl_status read_loop_weight(reading *r) {
  DL_TRY(dl_p_properties(r->p, r->state));
  return read_leaf(r);
}
DEFINE_PARSE(loop_weight)

void loop_weight_print(dl_printer *o, const dl_op *op) {
  dl_o_properties(o, op, NULL);
  print_typed(o, op, result_type(op));
}

// --- values ---

static dl_status read_loop_splat(reading *r) {
  dl_type type;
  DL_TRY(read_operand(r));
  DL_TRY(read_typed(r, &type));
  dl_p_add_result(r->p, r->state, type);
  return resolve_group(r, 0, dl_element_type(type));
}
DEFINE_PARSE(loop_splat)

void loop_splat_print(dl_printer *o, const dl_op *op) {
  dl_o_puts(o, " ");
  dl_o_value(o, dl_operand(op, 0));
  print_typed(o, op, result_type(op));
}

static dl_status read_loop_reduce(reading *r) {
  dl_ident kind;
  dl_type type;
  DL_TRY(dl_p_keyword(r->p, &kind));
  dl_p_add_attr(r->p, r->state, "kind", dl_string_attr_z(dl_p_context(r->p), kind));
  DL_TRY(read_operand(r));
  DL_TRY(read_typed(r, &type));
  dl_p_add_result(r->p, r->state, dl_element_type(type));
  return resolve_group(r, 0, type);
}
DEFINE_PARSE(loop_reduce)

void loop_reduce_print(dl_printer *o, const dl_op *op) {
  dl_str kind = dl_get_str(op, "kind");
  dl_o_printf(o, " %.*s ", (int)kind.len, kind.data);
  dl_o_value(o, dl_operand(op, 0));
  print_typed(o, op, operand_type(op, 0));
}

static dl_status read_loop_apply(reading *r) {
  DL_TRY(dl_p_expect(r->p, "("));
  DL_TRY(read_map(r, "map", NULL));
  DL_TRY(dl_p_expect(r->p, ")"));
  DL_TRY(dl_p_attr_dict(r->p, r->state));
  dl_p_add_result(r->p, r->state, index_type(r));
  return resolve_group(r, 0, index_type(r));
}
DEFINE_PARSE(loop_apply)

void loop_apply_print(dl_printer *o, const dl_op *op) {
  dl_o_puts(o, " (");
  print_map(o, op, "map", 0);
  dl_o_puts(o, ")");
  dl_o_attr_dict(o, op, shown);
}

// --- loop.launch ---

static dl_status read_loop_launch(reading *r) {
  dl_ident callee;
  DL_TRY(dl_p_symbol(r->p, &callee));
  dl_p_add_attr(r->p, r->state, "callee", dl_symbol_attr(dl_p_context(r->p), callee));
  DL_TRY(dl_p_expect(r->p, "("));
  DL_TRY(dl_p_value_list(r->p, &r->values));
  DL_TRY(dl_p_expect(r->p, ")"));
  end_group(r);
  DL_TRY(dl_p_expect_keyword(r->p, "grid"));
  DL_TRY(dl_p_expect(r->p, "("));
  DL_TRY(read_map(r, "grid", ")"));
  DL_TRY(dl_p_attr_dict(r->p, r->state));
  DL_TRY(dl_p_expect(r->p, ":"));
  DL_TRY(dl_p_expect(r->p, "("));
  for (int32_t i = 0; i < r->segments[0]; i++) {
    dl_type type;
    if (i) DL_TRY(dl_p_expect(r->p, ","));
    DL_TRY(dl_p_type(r->p, &type));
    DL_TRY(dl_p_add_operand(r->p, r->state, r->values.data[i], type));
  }
  DL_TRY(dl_p_expect(r->p, ")"));
  add_segments(r);
  return resolve_group(r, 1, index_type(r));
}
DEFINE_PARSE(loop_launch)

void loop_launch_print(dl_printer *o, const dl_op *op) {
  size_t count;
  dl_operand_group(op, DL_LOOP_LAUNCH_ARGUMENTS, &count);
  dl_o_puts(o, " ");
  dl_o_symbol(o, dl_get_attr(op, "callee")->name);
  dl_o_puts(o, "(");
  dl_o_values(o, op, 0, count);
  dl_o_puts(o, ") grid(");
  print_map(o, op, "grid", DL_LOOP_LAUNCH_GRID);
  dl_o_puts(o, ")");
  dl_o_attr_dict(o, op, shown);
  dl_o_puts(o, " : (");
  print_operand_types(o, op, count);
  dl_o_puts(o, ")");
}
