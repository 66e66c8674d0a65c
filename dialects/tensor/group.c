// tensor.group: pretty form and verifier.
#include "dialects/tensor/group.h"

#include "dialects/tensor/tensor_ops.h"
#include "ir/text.h"

static dl_status parse_types(dl_parser *p, dl_op_state *state, const dl_unresolved_list *operands) {
  dl_type type;
  DL_TRY(dl_p_expect(p, ":"));
  DL_TRY(dl_p_expect(p, "("));
  for (size_t i = 0; i < operands->len; i++) {
    if (i) DL_TRY(dl_p_expect(p, ","));
    DL_TRY(dl_p_type(p, &type));
    DL_TRY(dl_p_add_operand(p, state, operands->data[i], type));
  }
  DL_TRY(dl_p_expect(p, ")"));
  DL_TRY(dl_p_expect(p, "->"));
  bool several = dl_p_accept(p, "(");
  do {
    DL_TRY(dl_p_type(p, &type));
    dl_p_add_result(p, state, type);
  } while (several && dl_p_accept(p, ","));
  return several ? dl_p_expect(p, ")") : DL_OK;
}

static dl_status parse_group(dl_parser *p, dl_op_state *state, dl_unresolved_list *operands) {
  dl_ident label;
  DL_TRY(dl_p_symbol(p, &label));
  dl_p_add_attr(p, state, "label", dl_string_attr_z(dl_p_context(p), label));
  DL_TRY(dl_p_expect(p, "("));
  DL_TRY(dl_p_value_list(p, operands));
  DL_TRY(dl_p_expect(p, ")"));
  DL_TRY(dl_p_properties(p, state));
  DL_TRY(dl_p_attr_dict(p, state));
  DL_TRY(parse_types(p, state, operands));
  return dl_p_region(p, state, 0, NULL, NULL, NULL);
}

dl_status tensor_group_parse(dl_parser *p, dl_op_state *state) {
  dl_unresolved_list operands = {0};
  dl_status status = parse_group(p, state, &operands);
  DL_VEC_FREE(&operands);
  return status;
}

static void print_types(dl_printer *o, const dl_op *op) {
  dl_o_puts(o, ": (");
  for (size_t i = 0; i < dl_num_operands(op); i++) {
    if (i) dl_o_puts(o, ", ");
    dl_o_type(o, dl_value_type(dl_operand(op, i)));
  }
  bool several = dl_num_results(op) != 1;
  dl_o_puts(o, several ? ") -> (" : ") -> ");
  for (size_t i = 0; i < dl_num_results(op); i++) {
    if (i) dl_o_puts(o, ", ");
    dl_o_type(o, dl_value_type(dl_result(op, i)));
  }
  if (several) dl_o_puts(o, ")");
}

void tensor_group_print(dl_printer *o, const dl_op *op) {
  static const char *const label[] = {"label", NULL};
  dl_str name = dl_get_str(op, "label");
  dl_o_puts(o, " ");
  dl_o_symbol(o, dl_intern(dl_op_context(op), name));
  dl_o_puts(o, "(");
  dl_o_values(o, op, 0, dl_num_operands(op));
  dl_o_puts(o, ")");
  dl_o_properties(o, op, label);
  dl_o_attr_dict(o, op, label);
  dl_o_newline(o);
  dl_o_puts(o, "    ");
  print_types(o, op);
  dl_o_region(o, dl_op_region(op, 0), true, true);
}

static dl_status verify_arguments(const dl_op *op, const dl_block *body) {
  if (dl_num_args(body) != dl_num_operands(op))
    return dl_error(dl_op_loc(op), "the body has %zu arguments for %zu operands", dl_num_args(body),
                    dl_num_operands(op));
  for (size_t i = 0; i < dl_num_operands(op); i++) {
    dl_type type = dl_value_type(dl_operand(op, i));
    if (!dl_is_tensor(type) && !dl_is_index(type))
      return dl_error(dl_op_loc(op), "operand %zu must be a tensor or an index", i);
    if (dl_value_type(dl_arg(body, i)) != type)
      return dl_error(dl_op_loc(op), "body argument %zu must have the type of operand %zu", i, i);
  }
  return DL_OK;
}

static dl_status verify_yield(const dl_op *op, const dl_block *body) {
  dl_op *yield = dl_block_last(body);
  if (!yield || !dl_is(yield, tensor_yield))
    return dl_error(dl_op_loc(op), "the body must end in tensor.yield");
  if (dl_num_operands(yield) != dl_num_results(op))
    return dl_error(dl_op_loc(yield), "yields %zu values, but the group has %zu results",
                    dl_num_operands(yield), dl_num_results(op));
  for (size_t i = 0; i < dl_num_results(op); i++)
    if (dl_value_type(dl_operand(yield, i)) != dl_value_type(dl_result(op, i)))
      return dl_error(dl_op_loc(yield), "yielded value %zu must have the type of result %zu", i, i);
  return DL_OK;
}

dl_status tensor_group_verify(dl_op *op) {
  dl_block *body = dl_group_body(op);
  if (!body || dl_block_next(body)) return dl_error(dl_op_loc(op), "the body must be one block");
  DL_TRY(verify_arguments(op, body));
  return verify_yield(op, body);
}
