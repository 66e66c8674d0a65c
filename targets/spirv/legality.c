#include "targets/spirv/legality.h"

#include "dialects/loop/loop.h"

static bool is_scalar(dl_type type) {
  switch (type->kind) {
    case DL_TYPE_INDEX:
      return true;
    case DL_TYPE_INTEGER:
      return type->width == 1 || type->width == 8 || type->width == 16 || type->width == 32 ||
             type->width == 64;
    case DL_TYPE_FLOAT:
      return type->float_kind == DL_F16 || type->float_kind == DL_F32 || type->float_kind == DL_F64;
    default:
      return false;
  }
}

static bool is_vector(dl_type type) {
  if (type->kind != DL_TYPE_VECTOR || type->rank != 1 || !is_scalar(type->element)) return false;
  int64_t lanes = type->shape[0];
  return lanes == 2 || lanes == 3 || lanes == 4 || lanes == 8 || lanes == 16;
}

static dl_status check_type(dl_op *op, dl_type type) {
  if (is_scalar(type) || is_vector(type) ||
      (dl_is_loop_ptr(type) && is_scalar(dl_loop_ptr_element(type))))
    return DL_OK;
  dl_buffer text = {0};
  dl_print_type(&text, type);
  dl_error(dl_op_loc(op), "'%s': the type %s is not supported by OpenCL", dl_op_name(op),
           text.data);
  dl_buffer_free(&text);
  return DL_FAILED;
}

static dl_status check_types(dl_op *op) {
  for (size_t i = 0; i < dl_num_operands(op); i++)
    DL_TRY(check_type(op, dl_value_type(dl_operand(op, i))));
  for (size_t i = 0; i < dl_num_results(op); i++)
    DL_TRY(check_type(op, dl_value_type(dl_result(op, i))));
  for (size_t r = 0; r < dl_num_regions(op); r++) {
    dl_block *block = dl_region_first(dl_op_region(op, r));
    for (size_t i = 0; block && i < dl_num_args(block); i++)
      DL_TRY(check_type(op, dl_value_type(dl_arg(block, i))));
  }
  return DL_OK;
}

static bool any_pointer(dl_op *op) {
  for (size_t i = 0; i < dl_num_operands(op); i++)
    if (dl_is_loop_ptr(dl_value_type(dl_operand(op, i)))) return true;
  return false;
}

static bool any_pointer_result(dl_op *op) {
  for (size_t i = 0; i < dl_num_results(op); i++)
    if (dl_is_loop_ptr(dl_value_type(dl_result(op, i)))) return true;
  return false;
}

// Masked accesses: the operand that says how many lanes.
static bool is_masked(dl_op *op) {
  size_t load = 0, store = 0;
  if (!strcmp(dl_op_name(op), "loop.load")) dl_operand_group(op, DL_LOOP_LOAD_COUNT, &load);
  if (!strcmp(dl_op_name(op), "loop.store")) dl_operand_group(op, DL_LOOP_STORE_COUNT, &store);
  return load || store;
}

dl_status dl_check_spirv(dl_op *op) {
  static const char *const refused[] = {"loop.gather", "loop.reduce", "loop.copy"};
  const char *name = dl_op_name(op);
  for (size_t i = 0; i < DL_COUNT(refused); i++)
    if (!strcmp(name, refused[i]))
      return dl_error(dl_op_loc(op), "'%s' is not supported by OpenCL", refused[i]);
  if (is_masked(op))
    return dl_error(dl_op_loc(op), "'%s': masked accesses are not supported by OpenCL", name);
  bool calls = !strcmp(name, "func.call");
  if ((calls && any_pointer(op)) || (dl_num_regions(op) && any_pointer_result(op)))
    return dl_error(dl_op_loc(op),
                    "'%s': a pointer here is not supported by OpenCL: it has no address space",
                    name);
  return check_types(op);
}
