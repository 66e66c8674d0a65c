#include "ir/op_def.h"

#include "ir/context_internal.h"
#include "ir/op_internal.h"

// The sizes of the groups are those of the entries, where at most one is not DL_ONE, which takes
// what is left.
static size_t simple_group(const dl_value_spec *specs, size_t num_specs, size_t total, size_t i,
                           size_t *count) {
  size_t variable = 0;
  while (variable < num_specs && specs[variable].arity == DL_ONE) variable++;
  size_t fixed = num_specs - (variable < num_specs);
  size_t rest = total > fixed ? total - fixed : 0;
  size_t first = i <= variable ? i : i - 1 + rest;
  if (first > total) first = total;
  *count = i == variable ? rest : 1;
  if (*count > total - first) *count = total - first;
  return first;
}

static size_t segmented_group(size_t num_specs, size_t total, dl_attr segments, size_t i,
                              size_t *count) {
  *count = 0;
  if (!segments || segments->kind != DL_ATTR_DENSE_ARRAY || segments->count != num_specs)
    return total;
  for (size_t k = 0, first = 0;; first += *count, k++) {
    int64_t size = dl_i64_at(segments, k);
    size_t room = total - first;
    *count = size < 0 ? 0 : (uint64_t)size > room ? room : (size_t)size;
    if (k == i) return first;
  }
}

static bool is_segmented(const dl_value_spec *specs, size_t num_specs) {
  size_t variable = 0;
  for (size_t i = 0; i < num_specs; i++) variable += specs[i].arity != DL_ONE;
  return variable > 1;
}

static size_t find_group(const dl_op *op, dl_ident segments, const dl_value_spec *specs,
                         size_t num_specs, size_t total, size_t i, size_t *count) {
  *count = 0;
  if (i >= num_specs) return total;
  if (!is_segmented(specs, num_specs)) return simple_group(specs, num_specs, total, i, count);
  return segmented_group(num_specs, total, dl_get_attr_ident(op, segments), i, count);
}

size_t dl_operand_group(const dl_op *op, size_t i, size_t *count) {
  return find_group(op, dl_op_context(op)->operand_segments, op->info->def->operands,
                    op->info->def->num_operands, op->num_operands, i, count);
}

size_t dl_result_group(const dl_op *op, size_t i, size_t *count) {
  return find_group(op, dl_op_context(op)->result_segments, op->info->def->results,
                    op->info->def->num_results, op->num_results, i, count);
}

const dl_dialect_def *dl_dialect_of(const dl_op *op) { return dl_op_info_dialect(op->info); }

static void shrink_group(dl_op *op, size_t group) {
  dl_attr sizes = dl_get_attr_ident(op, dl_op_context(op)->operand_segments);
  if (!sizes) return;
  int32_t few[16], *changed = few;
  if (sizes->count > DL_COUNT(few)) changed = dl_malloc(sizes->count * sizeof(*changed));
  for (size_t k = 0; k < sizes->count; k++)
    changed[k] = (int32_t)dl_i64_at(sizes, k) - (k == group);
  dl_set_inherent_attr(op, dl_op_context(op)->operand_segments,
                       dl_i32_array_attr(dl_op_context(op), sizes->count, changed));
  if (changed != few) free(changed);
}

void dl_erase_successor_operand(dl_op *op, size_t successor, size_t i) {
  size_t first, count, kept = 0, total = dl_num_operands(op);
  if (!dl_successor_operands(op, successor, &first, &count) || i >= count)
    dl_bug(op, "successor %zu is passed no operand %zu", successor, i);
  dl_value **operands = dl_malloc((total + 1) * sizeof(*operands));
  for (size_t k = 0; k < total; k++)
    if (k != first + i) operands[kept++] = dl_operand(op, k);
  dl_set_operands(op, kept, operands);
  shrink_group(op, dl_op_def_of(op)->successors[successor].group);
  free(operands);
}

bool dl_successor_operands(const dl_op *op, size_t successor, size_t *first, size_t *count) {
  const dl_op_def *def = dl_op_def_of(op);
  *first = *count = 0;
  if (successor >= def->num_successors) return false;
  size_t group = def->successors[successor].group;
  if (group != DL_NO_GROUP) *first = dl_operand_group(op, group, count);
  return true;
}

dl_attr dl_constant_value(const dl_value *value) {
  const dl_op *op = dl_value_def(value);
  if (!op || !dl_has_trait(op, DL_CONSTANT)) return NULL;
  return dl_get_attr_ident(op, dl_op_context(op)->value_name);
}

bool dl_try_fold(dl_op *op, dl_folded *results) {
  if (!op->info->def->fold) return false;
  dl_attr few[8], *constants = few;
  if (op->num_operands > DL_COUNT(few)) constants = dl_malloc(op->num_operands * sizeof(*few));
  for (uint32_t i = 0; i < op->num_operands; i++)
    constants[i] = dl_constant_value(op->operands[i].value);
  for (uint32_t i = 0; i < op->num_results; i++) results[i] = (dl_folded){0};
  bool folded = op->info->def->fold(op, constants, results);
  if (constants != few) free(constants);
  return folded;
}
