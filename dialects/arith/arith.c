// The pretty forms of arith ops that a format string does not cover, and constants.
#include "dialects/arith/arith.h"

#include "dialects/arith/arith_ops.h"
#include "ir/text.h"

static const char *const int_predicates[] = {"eq",  "ne",  "slt", "sle", "sgt",
                                             "sge", "ult", "ule", "ugt", "uge"};
static const char *const float_predicates[] = {"false", "oeq", "ogt", "oge", "olt", "ole",
                                               "one",   "ord", "ueq", "ugt", "uge", "ult",
                                               "ule",   "une", "uno", "true"};

const char *dl_cmpi_predicate_name(int64_t predicate) {
  bool known = predicate >= 0 && predicate < (int64_t)DL_COUNT(int_predicates);
  return known ? int_predicates[predicate] : NULL;
}

const char *dl_cmpf_predicate_name(int64_t predicate) {
  bool known = predicate >= 0 && predicate < (int64_t)DL_COUNT(float_predicates);
  return known ? float_predicates[predicate] : NULL;
}

// --- constants ---

static dl_op *build_constant(dl_builder *b, dl_attr value, dl_type type) {
  dl_named_attr attr = {dl_intern_z(b->ctx, "value"), value};
  return dl_build(b, &(dl_op_state){.def = &arith_constant,
                                    .num_results = 1,
                                    .result_types = &type,
                                    .num_attrs = 1,
                                    .attrs = &attr});
}

dl_value *dl_arith_constant(dl_builder *b, dl_attr value) {
  return dl_result(build_constant(b, value, value->type), 0);
}

static bool has_own_type(dl_attr value) {
  switch (value->kind) {
    case DL_ATTR_STRING:
    case DL_ATTR_DIALECT:
      return value->type != NULL;
    case DL_ATTR_INTEGER:
    case DL_ATTR_FLOAT:
    case DL_ATTR_DENSE:
    case DL_ATTR_SPARSE:
    case DL_ATTR_RESOURCE:
      return true;
    default:
      return false;
  }
}

dl_op *arith_materialize_constant(dl_builder *b, dl_attr value, dl_type type) {
  return has_own_type(value) && value->type == type ? build_constant(b, value, type) : NULL;
}

dl_status arith_constant_verify(dl_op *op) {
  dl_attr value = dl_get_attr(op, "value");
  if (!has_own_type(value))
    return dl_error(dl_op_loc(op),
                    "'arith.constant' value must be a number, elements, or have a type behind it");
  if (value->type != dl_value_type(dl_result(op, 0)))
    return dl_error(dl_op_loc(op), "'arith.constant' value and result have different types");
  return DL_OK;
}

dl_status arith_constant_parse(dl_parser *parser, dl_op_state *state) {
  dl_attr value;
  DL_TRY(dl_p_attr_dict(parser, state));
  dl_position at = dl_p_here(parser);
  DL_TRY(dl_p_attr(parser, &value));
  if (!has_own_type(value))
    return dl_error(dl_p_loc_at(parser, at), "expected a value with a type");
  dl_p_add_attr(parser, state, "value", value);
  dl_p_add_result(parser, state, value->type);
  return DL_OK;
}

void arith_constant_print(dl_printer *printer, const dl_op *op) {
  static const char *const omit[] = {"value", NULL};
  dl_o_attr_dict(printer, op, omit);
  dl_o_puts(printer, " ");
  dl_o_attr(printer, dl_get_attr(op, "value"));
}

// --- comparisons ---

static dl_status parse_predicate(dl_parser *parser, dl_op_state *state, size_t count,
                                 const char *const *names) {
  for (size_t i = 0; i < count; i++) {
    if (!dl_p_accept_keyword(parser, names[i])) continue;
    dl_p_add_attr(parser, state, "predicate", dl_i64_attr(dl_p_context(parser), (int64_t)i));
    return DL_OK;
  }
  return dl_p_error(parser, "expected a predicate, such as '%s'", names[1]);
}

static dl_status parse_fastmath(dl_parser *parser, dl_op_state *state) {
  if (!dl_p_accept_keyword(parser, "fastmath")) return DL_OK;
  dl_attr flags;
  DL_TRY(dl_p_dialect_attr_params(parser, "arith", "fastmath", &flags));
  dl_p_add_attr(parser, state, "fastmath", flags);
  return DL_OK;
}

static dl_status parse_comparison(dl_parser *parser, dl_op_state *state, size_t count,
                                  const char *const *names, bool fastmath) {
  dl_unresolved lhs, rhs;
  dl_type type;
  DL_TRY(parse_predicate(parser, state, count, names));
  DL_TRY(dl_p_expect(parser, ","));
  DL_TRY(dl_p_value(parser, &lhs));
  DL_TRY(dl_p_expect(parser, ","));
  DL_TRY(dl_p_value(parser, &rhs));
  if (fastmath) DL_TRY(parse_fastmath(parser, state));
  DL_TRY(dl_p_attr_dict(parser, state));
  DL_TRY(dl_p_expect(parser, ":"));
  DL_TRY(dl_p_type(parser, &type));
  DL_TRY(dl_p_add_operand(parser, state, lhs, type));
  DL_TRY(dl_p_add_operand(parser, state, rhs, type));
  dl_p_add_result(parser, state, dl_with_element(type, dl_int_type(dl_p_context(parser), 1)));
  return DL_OK;
}

static void print_comparison(dl_printer *printer, const dl_op *op, const char *name) {
  static const char *const omit[] = {"predicate", "fastmath", NULL};
  dl_attr flags = dl_get_attr(op, "fastmath");
  // The text of an op that the verifier refuses is for reading only.
  dl_o_printf(printer, " %s, ", name ? name : "<invalid>");
  dl_o_values(printer, op, 0, 2);
  if (flags) {
    dl_o_puts(printer, " fastmath");
    dl_o_dialect_attr_params(printer, flags);
  }
  dl_o_attr_dict(printer, op, omit);
  dl_o_puts(printer, " : ");
  dl_o_type(printer, dl_value_type(dl_operand(op, 0)));
}

dl_status arith_cmpi_parse(dl_parser *parser, dl_op_state *state) {
  return parse_comparison(parser, state, DL_COUNT(int_predicates), int_predicates, false);
}

dl_status arith_cmpf_parse(dl_parser *parser, dl_op_state *state) {
  return parse_comparison(parser, state, DL_COUNT(float_predicates), float_predicates, true);
}

void arith_cmpi_print(dl_printer *printer, const dl_op *op) {
  print_comparison(printer, op, dl_cmpi_predicate_name(dl_get_i64(op, "predicate", -1)));
}

void arith_cmpf_print(dl_printer *printer, const dl_op *op) {
  print_comparison(printer, op, dl_cmpf_predicate_name(dl_get_i64(op, "predicate", -1)));
}

// --- select: the condition's type is written when it is not i1 ---

dl_status arith_select_parse(dl_parser *parser, dl_op_state *state) {
  dl_unresolved_list values = {0};
  dl_type condition = dl_int_type(dl_p_context(parser), 1), type;
  dl_status status = dl_p_value_list(parser, &values);
  if (status == DL_OK && values.len != 3) status = dl_p_error(parser, "expected three operands");
  if (status == DL_OK) status = dl_p_attr_dict(parser, state);
  if (status == DL_OK) status = dl_p_expect(parser, ":");
  if (status == DL_OK) status = dl_p_type(parser, &type);
  if (status == DL_OK && dl_p_accept(parser, ",")) {
    condition = type;
    status = dl_p_type(parser, &type);
  }
  for (size_t i = 0; i < 3 && status == DL_OK; i++)
    status = dl_p_add_operand(parser, state, values.data[i], i ? type : condition);
  if (status == DL_OK) dl_p_add_result(parser, state, type);
  DL_VEC_FREE(&values);
  return status;
}

void arith_select_print(dl_printer *printer, const dl_op *op) {
  dl_type condition = dl_value_type(dl_operand(op, 0));
  dl_o_puts(printer, " ");
  dl_o_values(printer, op, 0, dl_num_operands(op));
  dl_o_attr_dict(printer, op, NULL);
  dl_o_puts(printer, " : ");
  if (!dl_is_integer(condition)) {
    dl_o_type(printer, condition);
    dl_o_puts(printer, ", ");
  }
  dl_o_type(printer, dl_value_type(dl_result(op, 0)));
}
