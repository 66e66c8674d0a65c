// Verifiers, folders and pretty forms of the small tensor ops.
#include "dialects/tensor/compute.h"
#include "dialects/tensor/tensor_ops.h"
#include "ir/text.h"

dl_op *tensor_materialize_constant(dl_builder *b, dl_attr value, dl_type type) {
  dl_named_attr attr = {dl_intern_z(b->ctx, "value"), value};
  if (!dl_is_tensor(type)) return NULL;
  return dl_build(b, &(dl_op_state){.def = &tensor_constant,
                                    .num_results = 1,
                                    .result_types = &type,
                                    .num_attrs = 1,
                                    .attrs = &attr});
}

// --- constant, weight ---

dl_status tensor_constant_verify(dl_op *op) {
  dl_attr value = dl_get_attr(op, "value");
  if (!value || (value->kind != DL_ATTR_DENSE && value->kind != DL_ATTR_RESOURCE))
    return dl_error(dl_op_loc(op), "'value' must be dense<…> or dense_resource<…>");
  dl_type result = dl_value_type(dl_result(op, 0));
  bool same = value->type->rank == result->rank && value->type->element == result->element &&
              (result->rank == 0 ||
               memcmp(value->type->shape, result->shape, result->rank * sizeof(int64_t)) == 0);
  return same ? DL_OK : dl_error(dl_op_loc(op), "'value' must have the shape of the result");
}

dl_status tensor_constant_parse(dl_parser *p, dl_op_state *state) {
  dl_attr value;
  DL_TRY(dl_p_attr_dict(p, state));
  dl_loc loc = dl_p_loc(p);
  DL_TRY(dl_p_attr(p, &value));
  if (!value->type || !dl_is_tensor(value->type))
    return dl_error(loc, "expected a constant tensor");
  dl_p_add_attr(p, state, "value", value);
  dl_p_add_result(p, state, value->type);
  return DL_OK;
}

void tensor_constant_print(dl_printer *o, const dl_op *op) {
  static const char *const value[] = {"value", NULL};
  dl_o_attr_dict(o, op, value);
  dl_o_puts(o, " ");
  dl_o_attr(o, dl_get_attr(op, "value"));
}

dl_status tensor_weight_parse(dl_parser *p, dl_op_state *state) {
  int64_t index;
  dl_type type;
  DL_TRY(dl_p_integer(p, &index));
  DL_TRY(dl_p_attr_dict(p, state));
  DL_TRY(dl_p_expect(p, ":"));
  DL_TRY(dl_p_type(p, &type));
  dl_p_add_attr(p, state, "index", dl_i64_attr(dl_p_context(p), index));
  dl_p_add_result(p, state, type);
  return DL_OK;
}

void tensor_weight_print(dl_printer *o, const dl_op *op) {
  static const char *const index[] = {"index", NULL};
  dl_o_printf(o, " %ld", (long)dl_get_i64(op, "index", 0));
  dl_o_attr_dict(o, op, index);
  dl_o_puts(o, " : ");
  dl_o_type(o, dl_value_type(dl_result(op, 0)));
}

// --- dim, extract, from_elements ---

static bool constant_index(const dl_value *value, int64_t *index) {
  dl_attr attr = dl_constant_value(value);
  if (!attr || attr->kind != DL_ATTR_INTEGER) return false;
  *index = attr->integer;
  return true;
}

// The size operand of a dynamic dimension of a value, where its definition names it.
static dl_value *size_operand(const dl_value *tensor, size_t dim) {
  dl_op *def = dl_value_def(tensor);
  if (!def || !dl_is(def, tensor_reinterpret)) return NULL;
  size_t operand = 1;
  for (size_t i = 0; i < dim; i++) operand += dl_value_type(tensor)->shape[i] == DL_DYNAMIC;
  return dl_operand(def, operand);
}

// The size operand of a compute whose `shape` for the dimension is a symbol itself.
static dl_value *symbol_size(const dl_value *tensor, size_t dim) {
  dl_op *def = dl_value_def(tensor);
  if (!def || !dl_is(def, tensor_compute)) return NULL;
  dl_attr shape = dl_get_attr(def, "shape");
  if (!shape || shape->map->results[dim]->kind != DL_EXPR_SYMBOL) return NULL;
  size_t first = dl_compute_num_inputs(def) + dl_compute_num_captures(def);
  return dl_operand(def, first + (size_t)shape->map->results[dim]->value);
}

bool tensor_dim_fold(dl_op *op, const dl_attr *operand_constants, dl_folded *results) {
  dl_value *source = dl_operand(op, 0);
  dl_type type = dl_value_type(source);
  dl_attr index = operand_constants[1];
  if (!index || index->kind != DL_ATTR_INTEGER || type->unranked) return false;
  if (index->integer < 0 || (size_t)index->integer >= type->rank) return false;
  size_t dim = (size_t)index->integer;
  if (type->shape[dim] != DL_DYNAMIC) {
    results[0].constant = dl_index_attr(dl_op_context(op), type->shape[dim]);
    return true;
  }
  results[0].value = size_operand(source, dim);
  if (!results[0].value) results[0].value = symbol_size(source, dim);
  return results[0].value != NULL;
}

dl_status tensor_dim_infer(dl_op *op, dl_type *types) {
  types[0] = dl_index_type(dl_op_context(op));
  return DL_OK;
}

dl_status tensor_extract_verify(dl_op *op) {
  dl_type source = dl_value_type(dl_operand(op, 0));
  if (source->unranked || dl_num_operands(op) - 1 != source->rank)
    return dl_error(dl_op_loc(op), "needs one index per dimension of %%source");
  if (dl_value_type(dl_result(op, 0)) != dl_compute_scalar_type(source->element))
    return dl_error(dl_op_loc(op), "the result must have the type of the tensor's elements");
  return DL_OK;
}

// The row-major number of the element that constant indices name; false when unknown or out of
// range.
static bool constant_position(const dl_op *op, dl_type type, int64_t *position) {
  *position = 0;
  for (size_t i = 0; i < type->rank; i++) {
    int64_t index;
    if (!constant_index(dl_operand(op, i + 1), &index)) return false;
    if (type->shape[i] == DL_DYNAMIC || index < 0 || index >= type->shape[i]) return false;
    *position = *position * type->shape[i] + index;
  }
  return true;
}

bool tensor_extract_fold(dl_op *op, const dl_attr *operand_constants, dl_folded *results) {
  dl_type type = dl_value_type(dl_operand(op, 0));
  dl_op *def = dl_value_def(dl_operand(op, 0));
  int64_t position, value;
  double number;
  if (!def || !constant_position(op, type, &position)) return false;
  if (dl_is(def, tensor_from_elements)) {
    results[0].value = dl_operand(def, (size_t)position);
    return true;
  }
  if (!operand_constants[0]) return false;
  if (dl_is_float(type->element) && dl_dense_f64(operand_constants[0], (size_t)position, &number))
    results[0].constant = dl_float_attr(type->element, number);
  else if (dl_dense_i64(operand_constants[0], (size_t)position, &value))
    results[0].constant = dl_int_attr(dl_compute_scalar_type(type->element), value);
  return results[0].constant != NULL;
}

static dl_status parse_extract(dl_parser *p, dl_op_state *state, dl_unresolved_list *indices) {
  dl_unresolved source;
  dl_type type;
  DL_TRY(dl_p_value(p, &source));
  DL_TRY(dl_p_expect(p, "["));
  DL_TRY(dl_p_value_list(p, indices));
  DL_TRY(dl_p_expect(p, "]"));
  DL_TRY(dl_p_attr_dict(p, state));
  DL_TRY(dl_p_expect(p, ":"));
  dl_loc loc = dl_p_loc(p);
  DL_TRY(dl_p_type(p, &type));
  if (!dl_is_tensor(type)) return dl_error(loc, "expected a tensor type");
  DL_TRY(dl_p_add_operand(p, state, source, type));
  for (size_t i = 0; i < indices->len; i++)
    DL_TRY(dl_p_add_operand(p, state, indices->data[i], dl_index_type(dl_p_context(p))));
  dl_p_add_result(p, state, dl_compute_scalar_type(type->element));
  return DL_OK;
}

dl_status tensor_extract_parse(dl_parser *p, dl_op_state *state) {
  dl_unresolved_list indices = {0};
  dl_status status = parse_extract(p, state, &indices);
  DL_VEC_FREE(&indices);
  return status;
}

void tensor_extract_print(dl_printer *o, const dl_op *op) {
  dl_o_puts(o, " ");
  dl_o_value(o, dl_operand(op, 0));
  dl_o_puts(o, "[");
  dl_o_values(o, op, 1, dl_num_operands(op) - 1);
  dl_o_puts(o, "]");
  dl_o_attr_dict(o, op, NULL);
  dl_o_puts(o, " : ");
  dl_o_type(o, dl_value_type(dl_operand(op, 0)));
}

dl_status tensor_from_elements_verify(dl_op *op) {
  dl_type type = dl_value_type(dl_result(op, 0));
  if (dl_num_elements(type) != (int64_t)dl_num_operands(op))
    return dl_error(dl_op_loc(op), "%zu values do not fill the result", dl_num_operands(op));
  for (size_t i = 0; i < dl_num_operands(op); i++)
    if (dl_value_type(dl_operand(op, i)) != dl_compute_scalar_type(type->element))
      return dl_error(dl_op_loc(op), "value %zu must have the type of the result's elements", i);
  return DL_OK;
}

static dl_status parse_from_elements(dl_parser *p, dl_op_state *state, dl_unresolved_list *values) {
  dl_type type;
  DL_TRY(dl_p_value_list(p, values));
  DL_TRY(dl_p_attr_dict(p, state));
  DL_TRY(dl_p_expect(p, ":"));
  dl_loc loc = dl_p_loc(p);
  DL_TRY(dl_p_type(p, &type));
  if (!dl_is_tensor(type)) return dl_error(loc, "expected a tensor type");
  dl_type element = dl_compute_scalar_type(type->element);
  for (size_t i = 0; i < values->len; i++)
    DL_TRY(dl_p_add_operand(p, state, values->data[i], element));
  dl_p_add_result(p, state, type);
  return DL_OK;
}

dl_status tensor_from_elements_parse(dl_parser *p, dl_op_state *state) {
  dl_unresolved_list values = {0};
  dl_status status = parse_from_elements(p, state, &values);
  DL_VEC_FREE(&values);
  return status;
}

void tensor_from_elements_print(dl_printer *o, const dl_op *op) {
  if (dl_num_operands(op)) dl_o_puts(o, " ");
  dl_o_values(o, op, 0, dl_num_operands(op));
  dl_o_attr_dict(o, op, NULL);
  dl_o_puts(o, " : ");
  dl_o_type(o, dl_value_type(dl_result(op, 0)));
}

// --- cast, reinterpret ---

dl_status tensor_cast_verify(dl_op *op) {
  dl_type from = dl_value_type(dl_operand(op, 0)), to = dl_value_type(dl_result(op, 0));
  bool fits =
      from->element == to->element && (from->unranked || to->unranked || from->rank == to->rank);
  for (size_t i = 0; fits && !from->unranked && !to->unranked && i < to->rank; i++)
    fits = from->shape[i] == to->shape[i] || from->shape[i] == DL_DYNAMIC ||
           to->shape[i] == DL_DYNAMIC;
  return fits ? DL_OK : dl_error(dl_op_loc(op), "the two types do not fit together");
}

bool tensor_cast_fold(dl_op *op, const dl_attr *operand_constants, dl_folded *results) {
  (void)operand_constants;
  if (dl_value_type(dl_operand(op, 0)) != dl_value_type(dl_result(op, 0))) return false;
  results[0].value = dl_operand(op, 0);
  return true;
}

dl_status tensor_reinterpret_verify(dl_op *op) {
  dl_type from = dl_value_type(dl_operand(op, 0)), to = dl_value_type(dl_result(op, 0));
  if (from->unranked || to->unranked || from->element != to->element)
    return dl_error(dl_op_loc(op), "both tensors must be ranked and have the same elements");
  size_t dynamic = 0;
  for (size_t i = 0; i < to->rank; i++) dynamic += to->shape[i] == DL_DYNAMIC;
  if (dl_num_operands(op) - 1 != dynamic)
    return dl_error(dl_op_loc(op), "needs %zu sizes, one for each dynamic dimension of the result",
                    dynamic);
  int64_t before = dl_num_elements(from), after = dl_num_elements(to);
  if (before >= 0 && after >= 0 && before != after)
    return dl_error(dl_op_loc(op), "%ld elements cannot become %ld", (long)before, (long)after);
  return DL_OK;
}

bool tensor_reinterpret_fold(dl_op *op, const dl_attr *operand_constants, dl_folded *results) {
  dl_value *source = dl_operand(op, 0);
  dl_type to = dl_value_type(dl_result(op, 0));
  dl_attr constant = operand_constants[0];
  if (dl_value_type(source) == to && dl_has_static_shape(to)) {
    results[0].value = source;
    return true;
  }
  if (!constant || constant->kind != DL_ATTR_DENSE || to->encoding || !dl_has_static_shape(to))
    return false;
  results[0].constant = dl_dense_attr(to, constant->bytes, constant->splat);
  return true;
}

static dl_status parse_reinterpret(dl_parser *p, dl_op_state *state, dl_unresolved_list *sizes) {
  dl_unresolved source;
  dl_type type;
  DL_TRY(dl_p_value(p, &source));
  if (dl_p_accept(p, "(")) {
    DL_TRY(dl_p_value_list(p, sizes));
    DL_TRY(dl_p_expect(p, ")"));
  }
  DL_TRY(dl_p_attr_dict(p, state));
  DL_TRY(dl_p_expect(p, ":"));
  DL_TRY(dl_p_type(p, &type));
  DL_TRY(dl_p_add_operand(p, state, source, type));
  for (size_t i = 0; i < sizes->len; i++)
    DL_TRY(dl_p_add_operand(p, state, sizes->data[i], dl_index_type(dl_p_context(p))));
  DL_TRY(dl_p_expect_keyword(p, "to"));
  DL_TRY(dl_p_type(p, &type));
  dl_p_add_result(p, state, type);
  return DL_OK;
}

dl_status tensor_reinterpret_parse(dl_parser *p, dl_op_state *state) {
  dl_unresolved_list sizes = {0};
  dl_status status = parse_reinterpret(p, state, &sizes);
  DL_VEC_FREE(&sizes);
  return status;
}

void tensor_reinterpret_print(dl_printer *o, const dl_op *op) {
  dl_o_puts(o, " ");
  dl_o_value(o, dl_operand(op, 0));
  if (dl_num_operands(op) > 1) {
    dl_o_puts(o, " (");
    dl_o_values(o, op, 1, dl_num_operands(op) - 1);
    dl_o_puts(o, ")");
  }
  dl_o_attr_dict(o, op, NULL);
  dl_o_puts(o, " : ");
  dl_o_type(o, dl_value_type(dl_operand(op, 0)));
  dl_o_puts(o, " to ");
  dl_o_type(o, dl_value_type(dl_result(op, 0)));
}

// --- iterator, yield ---

static bool has_iterator(const dl_op *compute, dl_str name) {
  dl_attr names = dl_get_attr(compute, "iterators");
  for (size_t i = 0; names && names->kind == DL_ATTR_ARRAY && i < names->count; i++)
    if (dl_str_equal(names->elements[i]->bytes, name)) return true;
  return false;
}

dl_status tensor_iterator_verify(dl_op *op) {
  dl_op *compute = dl_op_parent(op);
  while (compute && !dl_is(compute, tensor_compute)) compute = dl_op_parent(compute);
  if (!compute) return dl_error(dl_op_loc(op), "must stand in a tensor.compute");
  dl_str name = dl_get_str(op, "name");
  if (has_iterator(compute, name)) return DL_OK;
  return dl_error(dl_op_loc(op), "the compute around it has no iterator '%.*s'", (int)name.len,
                  name.data);
}

dl_status tensor_iterator_parse(dl_parser *p, dl_op_state *state) {
  dl_ident name;
  dl_type type;
  DL_TRY(dl_p_symbol(p, &name));
  DL_TRY(dl_p_attr_dict(p, state));
  DL_TRY(dl_p_expect(p, ":"));
  DL_TRY(dl_p_type(p, &type));
  dl_p_add_attr(p, state, "name", dl_string_attr_z(dl_p_context(p), name));
  dl_p_add_result(p, state, type);
  return DL_OK;
}

void tensor_iterator_print(dl_printer *o, const dl_op *op) {
  static const char *const name[] = {"name", NULL};
  dl_o_puts(o, " ");
  dl_o_symbol(o, dl_intern(dl_op_context(op), dl_get_str(op, "name")));
  dl_o_attr_dict(o, op, name);
  dl_o_puts(o, " : ");
  dl_o_type(o, dl_value_type(dl_result(op, 0)));
}

static dl_status parse_yield(dl_parser *p, dl_op_state *state, dl_unresolved_list *values) {
  DL_TRY(dl_p_value_list(p, values));
  DL_TRY(dl_p_attr_dict(p, state));
  for (size_t i = 0; i < values->len; i++) {
    dl_type type;
    DL_TRY(dl_p_expect(p, i ? "," : ":"));
    DL_TRY(dl_p_type(p, &type));
    DL_TRY(dl_p_add_operand(p, state, values->data[i], type));
  }
  return DL_OK;
}

dl_status tensor_yield_parse(dl_parser *p, dl_op_state *state) {
  dl_unresolved_list values = {0};
  dl_status status = parse_yield(p, state, &values);
  DL_VEC_FREE(&values);
  return status;
}

void tensor_yield_print(dl_printer *o, const dl_op *op) {
  if (dl_num_operands(op)) dl_o_puts(o, " ");
  dl_o_values(o, op, 0, dl_num_operands(op));
  dl_o_attr_dict(o, op, NULL);
  for (size_t i = 0; i < dl_num_operands(op); i++) {
    dl_o_puts(o, i ? ", " : " : ");
    dl_o_type(o, dl_value_type(dl_operand(op, i)));
  }
}
