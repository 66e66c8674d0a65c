// The builtin dialect's hooks.
#include "dialects/builtin/builtin_ops.h"
#include "ir/text.h"

dl_status builtin_module_parse(dl_parser *parser, dl_op_state *state) {
  dl_ident name;
  if (dl_p_peek_symbol(parser)) {
    DL_TRY(dl_p_symbol(parser, &name));
    dl_p_add_attr(parser, state, "sym_name", dl_string_attr_z(dl_p_context(parser), name));
  }
  DL_TRY(dl_p_attr_dict_with_keyword(parser, state));
  return dl_p_region(parser, state, 0, NULL, NULL, NULL);
}

void builtin_module_print(dl_printer *printer, const dl_op *op) {
  static const char *const omit[] = {"sym_name", NULL};
  dl_ident name = dl_symbol_name(op);
  if (name) {
    dl_o_puts(printer, " ");
    dl_o_symbol(printer, name);
  }
  dl_o_attr_dict_with_keyword(printer, op, omit);
  dl_o_region(printer, dl_op_region(op, 0), false, true);
}

// Attributes of the module itself belong to some dialect, whose name they begin with.
dl_status builtin_module_verify(dl_op *op) {
  dl_status status = DL_OK;
  for (size_t i = 0; i < dl_num_discardable_attrs(op); i++) {
    dl_ident name = dl_discardable_attr(op, i).name;
    if (strchr(name, '.')) continue;
    status = dl_error(dl_op_loc(op),
                      "module attribute '%s' must begin with a dialect's name and '.'", name);
  }
  return status;
}

// A cast back to the types that another cast came from is what that one was given.
bool builtin_unrealized_conversion_cast_fold(dl_op *op, const dl_attr *constants,
                                             dl_folded *results) {
  (void)constants;
  size_t count = dl_num_operands(op);
  dl_op *from = count ? dl_value_def(dl_operand(op, 0)) : NULL;
  if (!from || !dl_is(from, builtin_unrealized_conversion_cast)) return false;
  if (dl_num_results(from) != count || dl_num_operands(from) != dl_num_results(op)) return false;
  for (size_t i = 0; i < count; i++)
    if (dl_operand(op, i) != dl_result(from, i)) return false;
  for (size_t i = 0; i < dl_num_results(op); i++)
    if (dl_value_type(dl_result(op, i)) != dl_value_type(dl_operand(from, i))) return false;
  for (size_t i = 0; i < dl_num_results(op); i++) results[i].value = dl_operand(from, i);
  return true;
}
