// The func dialect: the pretty form of functions, and what calls and returns must match.
#include "dialects/func/func_ops.h"
#include "ir/text.h"

static const char *const own_attrs[] = {"sym_name",  "function_type", "sym_visibility",
                                        "arg_attrs", "res_attrs",     NULL};

// --- reading ---

// What a signature says about its arguments or its results.
typedef struct signature {
  dl_unresolved_list names;
  DL_VEC(dl_type) types;
  DL_VEC(dl_attr) attrs;
  bool any_attrs;
} signature;

static void free_signature(signature *s) {
  DL_VEC_FREE(&s->names);
  DL_VEC_FREE(&s->types);
  DL_VEC_FREE(&s->attrs);
}

static dl_status parse_typed(dl_parser *parser, signature *s) {
  dl_type type;
  dl_attr attrs = dl_dict_attr(dl_p_context(parser), 0, NULL);
  DL_TRY(dl_p_type(parser, &type));
  if (dl_p_peek(parser, "{")) DL_TRY(dl_p_attr(parser, &attrs));
  s->any_attrs |= attrs->count != 0;
  DL_PUSH(&s->types, type);
  DL_PUSH(&s->attrs, attrs);
  return DL_OK;
}

static dl_status parse_argument(dl_parser *parser, signature *s) {
  if (dl_p_peek_value(parser)) {
    dl_unresolved name;
    DL_TRY(dl_p_value(parser, &name));
    DL_TRY(dl_p_expect(parser, ":"));
    DL_PUSH(&s->names, name);
  }
  DL_TRY(parse_typed(parser, s));
  if (s->names.len == s->types.len) return dl_p_arg_loc(parser, &s->names.data[s->names.len - 1]);
  if (s->names.len == 0) return dl_p_arg_loc(parser, &(dl_unresolved){0});
  return dl_p_error(parser, "expected all arguments to have names, or none");
}

static dl_status parse_list(dl_parser *parser, signature *s, bool arguments) {
  DL_TRY(dl_p_expect(parser, "("));
  if (dl_p_accept(parser, ")")) return DL_OK;
  do {
    DL_TRY(arguments ? parse_argument(parser, s) : parse_typed(parser, s));
  } while (dl_p_accept(parser, ","));
  return dl_p_expect(parser, ")");
}

static dl_status parse_results(dl_parser *parser, signature *s) {
  if (!dl_p_accept(parser, "->")) return DL_OK;
  if (dl_p_peek(parser, "(")) return parse_list(parser, s, false);
  dl_type type;
  DL_TRY(dl_p_type(parser, &type));
  DL_PUSH(&s->types, type);
  DL_PUSH(&s->attrs, dl_dict_attr(dl_p_context(parser), 0, NULL));
  return DL_OK;
}

static void parse_visibility(dl_parser *parser, dl_op_state *state) {
  static const char *const visibilities[] = {"private", "public", "nested"};
  for (size_t i = 0; i < DL_COUNT(visibilities); i++) {
    if (!dl_p_accept_keyword(parser, visibilities[i])) continue;
    dl_p_add_attr(parser, state, "sym_visibility",
                  dl_string_attr_z(dl_p_context(parser), visibilities[i]));
    return;
  }
}

static void add_attrs(dl_parser *parser, dl_op_state *state, const char *name, const signature *s) {
  if (!s->any_attrs) return;
  dl_p_add_attr(parser, state, name,
                dl_array_attr(dl_p_context(parser), s->attrs.len, s->attrs.data));
}

static dl_status parse_body(dl_parser *parser, dl_op_state *state, const signature *args) {
  if (!dl_p_peek(parser, "{")) {
    dl_p_add_region(parser, state);
    return DL_OK;
  }
  if (args->names.len != args->types.len)
    return dl_p_error(parser, "the arguments of a function with a body need names");
  return dl_p_region(parser, state, args->types.len, args->names.data, args->types.data, NULL);
}

static dl_status parse_function(dl_parser *parser, dl_op_state *state, signature *args,
                                signature *results) {
  dl_context *ctx = dl_p_context(parser);
  dl_ident name;
  parse_visibility(parser, state);
  DL_TRY(dl_p_symbol(parser, &name));
  dl_p_add_attr(parser, state, "sym_name", dl_string_attr_z(ctx, name));
  DL_TRY(parse_list(parser, args, true));
  DL_TRY(parse_results(parser, results));
  dl_type type = dl_function_type(ctx, args->types.len, args->types.data, results->types.len,
                                  results->types.data);
  dl_p_add_attr(parser, state, "function_type", dl_type_attr(type));
  add_attrs(parser, state, "arg_attrs", args);
  add_attrs(parser, state, "res_attrs", results);
  DL_TRY(dl_p_attr_dict_with_keyword(parser, state));
  return parse_body(parser, state, args);
}

dl_status func_func_parse(dl_parser *parser, dl_op_state *state) {
  signature args = {0}, results = {0};
  dl_status status = parse_function(parser, state, &args, &results);
  free_signature(&args);
  free_signature(&results);
  return status;
}

// --- writing ---

static void print_attrs(dl_printer *printer, dl_attr list, size_t i) {
  if (!list || list->kind != DL_ATTR_ARRAY || i >= list->count || list->elements[i]->count == 0)
    return;
  dl_o_puts(printer, " ");
  dl_o_attr(printer, list->elements[i]);
}

static void print_arguments(dl_printer *printer, const dl_op *op, dl_type type) {
  const dl_block *entry = dl_region_first(dl_op_region(op, 0));
  dl_attr attrs = dl_get_attr(op, "arg_attrs");
  dl_o_puts(printer, "(");
  for (size_t i = 0; i < type->num_inputs; i++) {
    if (i) dl_o_puts(printer, ", ");
    if (entry && i < dl_num_args(entry)) {
      dl_o_value(printer, dl_arg(entry, i));
      dl_o_puts(printer, ": ");
    }
    dl_o_type(printer, type->inputs[i]);
    print_attrs(printer, attrs, i);
    if (entry && i < dl_num_args(entry)) dl_o_loc(printer, dl_value_loc(dl_arg(entry, i)));
  }
  dl_o_puts(printer, ")");
}

static void print_results(dl_printer *printer, const dl_op *op, dl_type type) {
  dl_attr attrs = dl_get_attr(op, "res_attrs");
  if (type->num_results == 0) return;
  bool bare = type->num_results == 1 && !attrs && type->results[0]->kind != DL_TYPE_FUNCTION;
  dl_o_puts(printer, bare ? " -> " : " -> (");
  for (size_t i = 0; i < type->num_results; i++) {
    if (i) dl_o_puts(printer, ", ");
    dl_o_type(printer, type->results[i]);
    print_attrs(printer, attrs, i);
  }
  if (!bare) dl_o_puts(printer, ")");
}

void func_func_print(dl_printer *printer, const dl_op *op) {
  dl_str visibility = dl_get_str(op, "sym_visibility");
  dl_type type = dl_get_attr(op, "function_type")->type;
  dl_region *body = dl_op_region(op, 0);
  if (!dl_symbol_name(op) || !type || type->kind != DL_TYPE_FUNCTION) {
    dl_o_puts(printer, " <invalid>");
    return;
  }
  dl_o_puts(printer, " ");
  if (visibility.len) dl_o_printf(printer, "%.*s ", (int)visibility.len, visibility.data);
  dl_o_symbol(printer, dl_symbol_name(op));
  print_arguments(printer, op, type);
  print_results(printer, op, type);
  dl_o_attr_dict_with_keyword(printer, op, own_attrs);
  if (!dl_region_empty(body)) dl_o_region(printer, body, false, true);
}

// --- verification ---

static dl_status verify_attr_list(const dl_op *op, const char *name, size_t count) {
  dl_attr list = dl_get_attr(op, name);
  if (!list) return DL_OK;
  if (list->kind != DL_ATTR_ARRAY || list->count != count)
    return dl_error(dl_op_loc(op), "'func.func' %s must be an array of %zu dictionaries", name,
                    count);
  for (size_t i = 0; i < count; i++)
    if (list->elements[i]->kind != DL_ATTR_DICT)
      return dl_error(dl_op_loc(op), "'func.func' %s must hold dictionaries", name);
  return DL_OK;
}

dl_status func_func_verify(dl_op *op) {
  dl_attr attr = dl_get_attr(op, "function_type");
  if (!attr || attr->kind != DL_ATTR_TYPE || attr->type->kind != DL_TYPE_FUNCTION) return DL_FAILED;
  DL_TRY(verify_attr_list(op, "arg_attrs", attr->type->num_inputs));
  DL_TRY(verify_attr_list(op, "res_attrs", attr->type->num_results));
  bool declaration = dl_region_empty(dl_op_region(op, 0));
  dl_str visibility = dl_get_str(op, "sym_visibility");
  if (declaration && (!visibility.len || dl_str_is(visibility, "public")))
    return dl_error(dl_op_loc(op), "a function without a body must be private or nested");
  return DL_OK;
}

static dl_op *enclosing_function(dl_op *op) {
  dl_op *parent = dl_op_parent(op);
  return parent && dl_is(parent, func_func) ? parent : NULL;
}

dl_status func_return_verify(dl_op *op) {
  dl_op *function = enclosing_function(op);
  if (!function) return dl_error(dl_op_loc(op), "'func.return' must be directly in a 'func.func'");
  dl_attr attr = dl_get_attr(function, "function_type");
  if (!attr || attr->kind != DL_ATTR_TYPE || attr->type->kind != DL_TYPE_FUNCTION) return DL_OK;
  if (attr->type->num_results != dl_num_operands(op))
    return dl_error(dl_op_loc(op),
                    "has %zu operands, but the enclosing function returns %zu values",
                    dl_num_operands(op), attr->type->num_results);
  for (size_t i = 0; i < dl_num_operands(op); i++)
    if (dl_value_type(dl_operand(op, i)) != attr->type->results[i])
      return dl_error(dl_op_loc(op),
                      "type of return operand %zu does not match the function's result", i);
  return DL_OK;
}

static bool types_match(const dl_op *call, dl_type type) {
  if (dl_num_operands(call) != type->num_inputs || dl_num_results(call) != type->num_results)
    return false;
  for (size_t i = 0; i < type->num_inputs; i++)
    if (dl_value_type(dl_operand(call, i)) != type->inputs[i]) return false;
  for (size_t i = 0; i < type->num_results; i++)
    if (dl_value_type(dl_result(call, i)) != type->results[i]) return false;
  return true;
}

dl_status func_call_verify_symbols(dl_op *op) {
  dl_attr callee = dl_get_attr(op, "callee");
  if (!callee || callee->kind != DL_ATTR_SYMBOL) return DL_FAILED;
  dl_op *table = dl_enclosing_symbol_table(op);
  dl_op *function = table ? dl_symbol_lookup(table, callee->name) : NULL;
  if (!function || !dl_is(function, func_func))
    return dl_error(dl_op_loc(op), "'func.call' callee @%s is no function here", callee->name);
  dl_attr attr = dl_get_attr(function, "function_type");
  if (!attr || attr->kind != DL_ATTR_TYPE || types_match(op, attr->type)) return DL_OK;
  dl_error(dl_op_loc(op), "operands and results of the call do not match the type of @%s",
           callee->name);
  dl_note(dl_op_loc(function), "the function is here");
  return DL_FAILED;
}
