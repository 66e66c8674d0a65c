// What the verifier checks beyond the spec of the loop level, and its folder.
#include "dialects/loop/loop.h"
#include "dialects/loop/loop_ops.h"
#include "dialects/machine.h"

// A property that is a map over exactly the operands of a group; num_results 0: any number.
static dl_status check_map(const dl_op *op, const char *name, size_t group, size_t num_results) {
  dl_attr attr = dl_get_attr(op, name);
  size_t count;
  dl_operand_group(op, group, &count);
  if (!attr || attr->kind != DL_ATTR_MAP)
    return dl_error(dl_op_loc(op), "'%s' must be a map", name);
  if (attr->map->num_symbols || attr->map->num_dims != count) {
    return dl_error(dl_op_loc(op),
                    "map '%s' must have %zu dimensions, one per operand, and no symbols", name,
                    count);
  }
  if (num_results && attr->map->num_results != num_results) {
    return dl_error(dl_op_loc(op), "map '%s' must have %zu result%s", name, num_results,
                    num_results == 1 ? "" : "s");
  }
  return DL_OK;
}

static dl_type result_type(const dl_op *op) { return dl_value_type(dl_result(op, 0)); }
static dl_type operand_type(const dl_op *op, size_t i) { return dl_value_type(dl_operand(op, i)); }

static dl_status check_element(const dl_op *op, dl_type value, dl_type pointer) {
  if (!dl_is_loop_ptr(pointer)) return dl_error(dl_op_loc(op), "expected a '!loop.ptr'");
  if (dl_element_type(value) == dl_loop_ptr_element(pointer)) return DL_OK;
  return dl_error(dl_op_loc(op),
                  "the value's type must be the pointer's element or a vector of it");
}

static bool is_1d_vector(dl_type type) { return type->kind == DL_TYPE_VECTOR && type->rank == 1; }

// The region's only block has these argument types and yields values of the op's result types.
static dl_status check_yields(dl_op *op, dl_region *region) {
  dl_block *block = dl_region_first(region);
  dl_op *yield = block ? dl_block_terminator(block) : NULL;
  if (!yield || !dl_is(yield, loop_yield)) {
    return dl_error(dl_op_loc(op), "each region must end with loop.yield");
  }
  if (dl_num_operands(yield) != dl_num_results(op)) {
    return dl_error(dl_op_loc(yield), "yields %zu values for %zu results", dl_num_operands(yield),
                    dl_num_results(op));
  }
  for (size_t i = 0; i < dl_num_results(op); i++) {
    if (operand_type(yield, i) != dl_value_type(dl_result(op, i))) {
      return dl_error(dl_op_loc(yield), "value %zu has another type than the result", i);
    }
  }
  return DL_OK;
}

static dl_status check_indices(dl_op *op, size_t count) {
  dl_block *body = dl_region_first(dl_op_region(op, 0));
  for (size_t i = 0; body && i < count && i < dl_num_args(body); i++) {
    if (!dl_is_index(dl_value_type(dl_arg(body, i)))) {
      return dl_error(dl_op_loc(op), "induction variables must be of type index");
    }
  }
  return DL_OK;
}

dl_status loop_for_verify(dl_op *op) {
  DL_TRY(check_map(op, "lower", DL_LOOP_FOR_LOWER, 1));
  DL_TRY(check_map(op, "upper", DL_LOOP_FOR_UPPER, 1));
  if (dl_get_i64(op, "step", 1) < 1) return dl_error(dl_op_loc(op), "the step must be positive");
  size_t count, first = dl_operand_group(op, DL_LOOP_FOR_INITS, &count);
  dl_block *body = dl_region_first(dl_op_region(op, 0));
  if (!body || dl_num_args(body) != 1 + count || dl_num_results(op) != count) {
    return dl_error(dl_op_loc(op),
                    "needs an induction variable, and an argument and a result for "
                    "each carried value");
  }
  DL_TRY(check_indices(op, 1));
  for (size_t i = 0; i < count; i++) {
    dl_type type = operand_type(op, first + i);
    if (dl_value_type(dl_arg(body, 1 + i)) != type || dl_value_type(dl_result(op, i)) != type) {
      return dl_error(dl_op_loc(op), "carried value %zu changes its type", i);
    }
  }
  return check_yields(op, dl_op_region(op, 0));
}

dl_status loop_parallel_verify(dl_op *op) {
  DL_TRY(check_map(op, "upper", 0, 0));
  size_t count = dl_get_attr(op, "upper")->map->num_results;
  dl_block *body = dl_region_first(dl_op_region(op, 0));
  if (!body || dl_num_args(body) != count) {
    return dl_error(dl_op_loc(op), "needs %zu induction variables", count);
  }
  DL_TRY(check_indices(op, count));
  return check_yields(op, dl_op_region(op, 0));
}

dl_status loop_if_verify(dl_op *op) {
  DL_TRY(check_yields(op, dl_op_region(op, 0)));
  if (dl_region_empty(dl_op_region(op, 1))) {
    if (dl_num_results(op) == 0) return DL_OK;
    return dl_error(dl_op_loc(op), "needs an else region, because it has results");
  }
  return check_yields(op, dl_op_region(op, 1));
}

dl_status loop_load_verify(dl_op *op) {
  DL_TRY(check_map(op, "map", DL_LOOP_LOAD_INDICES, 1));
  return check_element(op, result_type(op), operand_type(op, 0));
}

dl_status loop_store_verify(dl_op *op) {
  DL_TRY(check_map(op, "map", DL_LOOP_STORE_INDICES, 1));
  return check_element(op, operand_type(op, 0), operand_type(op, 1));
}

dl_status loop_gather_verify(dl_op *op) {
  DL_TRY(check_element(op, result_type(op), operand_type(op, 0)));
  dl_type type = result_type(op), offsets = operand_type(op, 1);
  if (!is_1d_vector(type) || !is_1d_vector(offsets) || offsets->shape[0] != type->shape[0] ||
      !dl_is_index(offsets->element)) {
    return dl_error(dl_op_loc(op), "needs one index per lane");
  }
  return DL_OK;
}

dl_status loop_splat_verify(dl_op *op) {
  dl_type type = result_type(op);
  if (is_1d_vector(type) && type->element == operand_type(op, 0)) return DL_OK;
  return dl_error(dl_op_loc(op), "the result must be a vector of the operand's type");
}

bool loop_splat_fold(dl_op *op, const dl_attr *constants, dl_folded *results) {
  dl_attr scalar = constants[0];
  bool number = scalar && (scalar->kind == DL_ATTR_INTEGER || scalar->kind == DL_ATTR_FLOAT);
  if (!number || scalar->bytes.len) return false;
  results[0].constant = dl_splat_attr(result_type(op), scalar);
  return true;
}

dl_status loop_iota_verify(dl_op *op) {
  dl_type type = result_type(op);
  if (is_1d_vector(type) && dl_is_index(type->element)) return DL_OK;
  return dl_error(dl_op_loc(op), "the result must be a vector of index");
}

dl_status loop_repeat_verify(dl_op *op) {
  dl_type from = operand_type(op, 0), to = result_type(op);
  if (is_1d_vector(from) && is_1d_vector(to) && from->element == to->element &&
      to->shape[0] % from->shape[0] == 0)
    return DL_OK;
  return dl_error(dl_op_loc(op), "the result must hold a multiple of the operand's lanes");
}

static bool is_vector_of(dl_type type, dl_type element, int64_t lanes) {
  return is_1d_vector(type) && type->shape[0] == lanes && dl_is_integer(type->element) &&
         type->element->width == element->width;
}

dl_status loop_machine_op_verify(dl_op *op) {
  dl_machine_op m;
  DL_TRY(dl_machine_find_op(op, dl_get_str(op, "name"), &m));
  if (!is_vector_of(operand_type(op, 0), m.accumulator, m.lanes) ||
      result_type(op) != operand_type(op, 0))
    return dl_error(dl_op_loc(op), "accumulator and result must have %lld lanes of %u bits",
                    (long long)m.lanes, m.accumulator->width);
  if (is_vector_of(operand_type(op, 1), m.lhs, m.lanes * m.terms) &&
      is_vector_of(operand_type(op, 2), m.rhs, m.lanes * m.terms))
    return DL_OK;
  return dl_error(dl_op_loc(op), "the factors must have %lld lanes of %u and %u bits",
                  (long long)(m.lanes * m.terms), m.lhs->width, m.rhs->width);
}

dl_status loop_reduce_verify(dl_op *op) {
  static const char *const kinds[] = {"sum", "prod", "max", "min", "and", "or"};
  dl_type type = operand_type(op, 0);
  if (!is_1d_vector(type) || type->element != result_type(op)) {
    return dl_error(dl_op_loc(op), "the result must be an element of the operand");
  }
  for (size_t i = 0; i < DL_COUNT(kinds); i++) {
    if (dl_str_is(dl_get_str(op, "kind"), kinds[i])) return DL_OK;
  }
  return dl_error(dl_op_loc(op), "the kind must be sum, prod, max, min, and, or or");
}

dl_status loop_apply_verify(dl_op *op) { return check_map(op, "map", 0, 1); }
dl_status loop_alloc_verify(dl_op *op) { return check_map(op, "elements", 0, 1); }

dl_status loop_arena_verify(dl_op *op) { return check_map(op, "bytes", 0, 1); }
dl_status loop_copy_verify(dl_op *op) { return check_map(op, "elements", 2, 1); }
dl_status loop_slice_verify(dl_op *op) { return check_map(op, "bytes", 1, 1); }
dl_status loop_launch_verify(dl_op *op) { return check_map(op, "grid", DL_LOOP_LAUNCH_GRID, 0); }

dl_status loop_offset_verify(dl_op *op) {
  DL_TRY(check_map(op, "map", 1, 1));
  if (result_type(op) == operand_type(op, 0)) return DL_OK;
  return dl_error(dl_op_loc(op), "the result must have the pointer's type");
}

dl_status loop_local_verify(dl_op *op) {
  if (dl_get_i64(op, "elements", 0) > 0) return DL_OK;
  return dl_error(dl_op_loc(op), "needs a positive number of elements");
}

dl_status loop_constant_verify(dl_op *op) {
  dl_attr value = dl_get_attr(op, "value");
  dl_type pointer = result_type(op);
  if (value->kind != DL_ATTR_DENSE && value->kind != DL_ATTR_RESOURCE) {
    return dl_error(dl_op_loc(op), "the value must be dense");
  }
  if (dl_is_loop_ptr(pointer) && dl_loop_ptr_element(pointer) == value->type->element) return DL_OK;
  return dl_error(dl_op_loc(op), "the result must point to elements of the value's type");
}

// A map of constants is a constant; the identity is its operand.
bool loop_apply_fold(dl_op *op, const dl_attr *operands, dl_folded *results) {
  dl_map map = dl_get_attr(op, "map")->map;
  dl_expr expr = map->results[0];
  if (expr->kind == DL_EXPR_DIM) {
    results[0].value = dl_operand(op, (size_t)expr->value);
    return true;
  }
  DL_VEC(int64_t) dims = {0};
  bool known = true;
  for (size_t i = 0; i < map->num_dims; i++) {
    known &= operands[i] != NULL && operands[i]->kind == DL_ATTR_INTEGER;
    DL_PUSH(&dims, known ? operands[i]->integer : 0);
  }
  int64_t value;
  known = known && dl_expr_eval(expr, dims.data, NULL, &value);
  if (known) results[0].constant = dl_index_attr(dl_op_context(op), value);
  DL_VEC_FREE(&dims);
  return known;
}
