#include "ir/op_def.h"

#include "ir/context_internal.h"
#include "ir/op_internal.h"

static size_t group(const dl_value_spec *specs, size_t num_specs, size_t total, dl_attr segments,
                    size_t i, size_t *count) {
  size_t first = 0, variable = 0, fixed = 0;
  for (size_t k = 0; k < num_specs; k++) *(specs[k].arity == DL_ONE ? &fixed : &variable) += 1;
  bool segmented = variable > 1;
  *count = 0;
  if (i >= num_specs || (segmented && (!segments || segments->kind != DL_ATTR_DENSE_ARRAY ||
                                       segments->count != num_specs)))
    return total;
  size_t rest = total > fixed ? total - fixed : 0;
  for (size_t k = 0;; k++) {
    int64_t size = segmented                  ? dl_i64_at(segments, k)
                   : specs[k].arity == DL_ONE ? 1
                                              : (int64_t)rest;
    size_t room = total - first;
    *count = size < 0 ? 0 : (uint64_t)size > room ? room : (size_t)size;
    if (k == i) return first;
    first += *count;
  }
}

size_t dl_operand_group(const dl_op *op, size_t i, size_t *count) {
  dl_attr segments = dl_get_attr_ident(op, op->loc->ctx->operand_segments);
  return group(op->def->operands, op->def->num_operands, op->num_operands, segments, i, count);
}

size_t dl_result_group(const dl_op *op, size_t i, size_t *count) {
  dl_attr segments = dl_get_attr_ident(op, op->loc->ctx->result_segments);
  return group(op->def->results, op->def->num_results, op->num_results, segments, i, count);
}

dl_attr dl_constant_value(const dl_value *value) {
  const dl_op *op = dl_value_def(value);
  if (!op || !dl_has_trait(op, DL_CONSTANT)) return NULL;
  return dl_get_attr_ident(op, op->loc->ctx->value_name);
}

bool dl_try_fold(dl_op *op, dl_folded *results) {
  if (!op->def->fold) return false;
  dl_attr few[8], *constants = few;
  if (op->num_operands > DL_COUNT(few)) constants = dl_malloc(op->num_operands * sizeof(*few));
  for (uint32_t i = 0; i < op->num_operands; i++)
    constants[i] = dl_constant_value(op->operands[i].value);
  for (uint32_t i = 0; i < op->num_results; i++) results[i] = (dl_folded){0};
  bool folded = op->def->fold(op, constants, results);
  if (constants != few) free(constants);
  return folded;
}
