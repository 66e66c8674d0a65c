// Verifiers of arith ops. Shapes are the business of the trait elementwise; here it is element
// types.
#include "dialects/arith/arith.h"
#include "dialects/arith/arith_ops.h"

static dl_type element_of(const dl_value *value) { return dl_element_type(dl_value_type(value)); }
static dl_type in_element(const dl_op *op) { return element_of(dl_operand(op, 0)); }
static dl_type out_element(const dl_op *op) { return element_of(dl_result(op, 0)); }

static bool is_signless(dl_type type) {
  return dl_is_integer(type) && type->signedness == DL_SIGNLESS;
}

static dl_status expected(const dl_op *op, const char *what) {
  return dl_error(dl_op_loc(op), "'%s' %s", dl_op_name(op), what);
}

dl_status arith_integer_verify(dl_op *op) {
  dl_type type = in_element(op);
  if (is_signless(type) || dl_is_index(type)) return DL_OK;
  return expected(op, "operands must be signless integers or index, or vectors or tensors of them");
}

dl_status arith_float_verify(dl_op *op) {
  if (dl_is_float(in_element(op))) return DL_OK;
  return expected(op, "operands must be floats, or vectors or tensors of them");
}

static bool is_bool_like(dl_type type) {
  dl_type element = dl_element_type(type);
  return is_signless(element) && element->width == 1;
}

static dl_status verify_comparison(dl_op *op, const char *predicate) {
  if (!predicate) return expected(op, "predicate is out of range");
  if (is_bool_like(dl_value_type(dl_result(op, 0)))) return DL_OK;
  return expected(op, "result must be i1, or a vector or tensor of it");
}

dl_status arith_cmpi_verify(dl_op *op) {
  DL_TRY(arith_integer_verify(op));
  return verify_comparison(op, dl_cmpi_predicate_name(dl_get_i64(op, "predicate", -1)));
}

dl_status arith_cmpf_verify(dl_op *op) {
  DL_TRY(arith_float_verify(op));
  return verify_comparison(op, dl_cmpf_predicate_name(dl_get_i64(op, "predicate", -1)));
}

dl_status arith_select_verify(dl_op *op) {
  dl_type type = dl_value_type(dl_result(op, 0));
  for (size_t i = 1; i < 3; i++)
    if (dl_value_type(dl_operand(op, i)) != type)
      return expected(op, "values and result must have the same type");
  if (is_bool_like(dl_value_type(dl_operand(op, 0)))) return DL_OK;
  return expected(op, "condition must be i1, or a vector or tensor of it");
}

static unsigned width_of(dl_type type) {
  return dl_is_float(type) ? dl_float_width(type->float_kind) : type->width;
}

// Both integers or both floats.
static bool same_class(dl_type a, dl_type b) {
  return (is_signless(a) && is_signless(b)) || (dl_is_float(a) && dl_is_float(b));
}

// The ops for integers have an i after their verb, those for floats an f.
static bool class_matches_name(const dl_op *op) {
  const char *name = dl_op_name(op);
  bool is_float = name[strlen(name) - 1] == 'f';
  return dl_is_float(in_element(op)) == is_float;
}

dl_status arith_extend_verify(dl_op *op) {
  dl_type in = in_element(op), out = out_element(op);
  if (!same_class(in, out) || !class_matches_name(op))
    return expected(op, "operand and result are not of the class that the op converts");
  return width_of(in) < width_of(out) ? DL_OK
                                      : expected(op, "result must be wider than the operand");
}

dl_status arith_truncate_verify(dl_op *op) {
  dl_type in = in_element(op), out = out_element(op);
  if (!same_class(in, out) || !class_matches_name(op))
    return expected(op, "operand and result are not of the class that the op converts");
  return width_of(in) > width_of(out) ? DL_OK
                                      : expected(op, "result must be narrower than the operand");
}

dl_status arith_int_to_float_verify(dl_op *op) {
  if (is_signless(in_element(op)) && dl_is_float(out_element(op))) return DL_OK;
  return expected(op, "converts signless integers to floats");
}

dl_status arith_float_to_int_verify(dl_op *op) {
  if (dl_is_float(in_element(op)) && is_signless(out_element(op))) return DL_OK;
  return expected(op, "converts floats to signless integers");
}

dl_status arith_index_cast_verify(dl_op *op) {
  dl_type in = in_element(op), out = out_element(op);
  if ((is_signless(in) && dl_is_index(out)) || (dl_is_index(in) && is_signless(out))) return DL_OK;
  return expected(op, "converts between index and signless integers");
}

dl_status arith_bitcast_verify(dl_op *op) {
  dl_type in = in_element(op), out = out_element(op);
  bool scalars = (is_signless(in) || dl_is_float(in)) && (is_signless(out) || dl_is_float(out));
  if (scalars && width_of(in) == width_of(out)) return DL_OK;
  return expected(op, "operand and result must be integers or floats of the same width");
}
