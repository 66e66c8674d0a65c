#include "dialects/tensor/sizes.h"

#include "dialects/index_math.h"
#include "dialects/tensor/compute.h"
#include "dialects/tensor/group.h"
#include "dialects/tensor/tensor_ops.h"

// A value of a group's body as one outside: an argument is the group's operand. NULL for others.
static dl_value *outside(dl_op *group, dl_value *value) {
  if (!group) return value;
  bool argument = dl_value_block(value) == dl_group_body(group);
  return argument ? dl_operand(group, dl_value_index(value)) : NULL;
}

// The size of a compute's result, which is also that of `group` if it is not NULL; NULL if it is
// not known.
static dl_value *compute_size(dl_builder *b, dl_op *compute, dl_op *group, size_t dim) {
  dl_attr shape = dl_get_attr(compute, "shape");
  if (!shape) return NULL;
  size_t count, first = dl_operand_group(compute, 2, &count);
  dl_value **symbols = dl_malloc((count + 1) * sizeof(dl_value *));
  bool known = true;
  for (size_t i = 0; i < count; i++) {
    symbols[i] = outside(group, dl_operand(compute, first + i));
    known &= symbols[i] != NULL;
  }
  dl_value *size = known ? dl_expr_to_arith(b, shape->map->results[dim], NULL, symbols) : NULL;
  free(symbols);
  return size;
}

static dl_value *defined_size(dl_builder *b, dl_value *tensor, size_t dim) {
  dl_op *def = dl_value_def(tensor), *group = NULL;
  if (def && dl_is(def, tensor_group)) {
    group = def;
    dl_op *yield = dl_block_last(dl_group_body(group));
    def = dl_value_def(dl_operand(yield, dl_value_index(tensor)));
  }
  return def && dl_is(def, tensor_compute) ? compute_size(b, def, group, dim) : NULL;
}

static dl_value *reinterpreted_size(dl_op *reinterpret, dl_type type, size_t dim) {
  size_t operand = 1;
  for (size_t i = 0; i < dim; i++) operand += type->shape[i] == DL_DYNAMIC;
  return dl_operand(reinterpret, operand);
}

dl_value *dl_tensor_size(dl_builder *b, dl_value *tensor, size_t dim) {
  dl_type type = dl_value_type(tensor), index = dl_index_type(b->ctx);
  dl_op *def = dl_value_def(tensor);
  if (type->shape[dim] != DL_DYNAMIC) return dl_index_constant(b, type->shape[dim]);
  if (def && dl_is(def, tensor_reinterpret)) return reinterpreted_size(def, type, dim);
  dl_value *size = defined_size(b, tensor, dim);
  if (size) return size;
  dl_value *operands[] = {tensor, dl_index_constant(b, (int64_t)dim)};
  return dl_result(dl_build(b, &(dl_op_state){.def = &tensor_dim,
                                              .num_operands = 2,
                                              .operands = operands,
                                              .num_results = 1,
                                              .result_types = &index}),
                   0);
}
