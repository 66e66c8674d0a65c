// graph-fold-constants: evaluates ops whose value is known: shape computations above all, also
// those that only ask for the static sizes of a tensor. Results of more than `max-elements`
// elements are left to tensor-partition- constants, which has them computed by compiled code.
// Contract: exact.
#include "dialects/eval/eval.h"
#include "dialects/graph/graph_ops.h"
#include "ir/pass.h"
#include "ir/steps.h"
#include "passes/graph/structure.h"

typedef DL_VEC(dl_ndarray *) array_list;

static bool is_small(const dl_op *op, int64_t max_elements) {
  for (size_t i = 0; i < dl_num_results(op); i++) {
    dl_type type = dl_value_type(dl_result(op, i));
    int64_t count = dl_is_tensor(type) && !type->unranked ? dl_num_elements(type) : -1;
    if (count < 0 || count > max_elements) return false;
  }
  return dl_num_results(op) > 0;
}

static bool operands_are_known(const dl_op *op, const dl_bound_spec *bound) {
  for (size_t i = 0; i < dl_num_operands(op); i++)
    if (!dl_constant_value(dl_operand(op, i)) && dl_depends_on(bound, i)) return false;
  return true;
}

static bool is_foldable(const dl_op *op, int64_t max_elements) {
  if (!dl_op_def_of(op)->compute || !dl_has_trait(op, DL_PURE) || !is_small(op, max_elements))
    return false;
  dl_bound_spec *bound = dl_spec_bind(op);
  bool foldable = bound && operands_are_known(op, bound);
  if (bound) dl_bound_destroy(bound);
  return foldable;
}

static bool replace_by_constants(dl_op *op, const array_list *results) {
  dl_builder b = dl_builder_before(op);
  for (size_t i = 0; i < dl_num_results(op); i++) {
    dl_ndarray *array = results->data[i];
    dl_type type = dl_value_type(dl_result(op, i));
    dl_type plain = dl_tensor_type(type->element, type->rank, type->shape, NULL);
    if (!dl_ndarray_fits(array, plain) || type->encoding) return false;
    dl_str bytes = {array->data, dl_ndarray_bytes(array)};
    dl_op *constant = graph_materialize_constant(&b, dl_dense_attr(plain, bytes, false), plain);
    dl_value_set_name(dl_result(constant, 0), dl_value_name(dl_result(op, i)));
    dl_replace_all_uses(dl_result(op, i), dl_result(constant, 0));
  }
  dl_op_erase(op);
  return true;
}

static dl_status fold(dl_op *op, bool *folded) {
  array_list operands = {0}, results = {0};
  for (size_t i = 0; i < dl_num_operands(op); i++) {
    dl_attr constant = dl_constant_value(dl_operand(op, i));
    DL_PUSH(&operands, constant ? dl_ndarray_of_attr(constant) : NULL);
  }
  for (size_t i = 0; i < dl_num_results(op); i++) DL_PUSH(&results, NULL);
  dl_status status = dl_eval_spec(op, operands.data, results.data, &(dl_eval_options){0});
  array_list *lists[] = {&operands, &results};
  if (status == DL_OK) *folded = replace_by_constants(op, &results);
  for (size_t l = 0; l < DL_COUNT(lists); l++) {
    for (size_t i = 0; i < lists[l]->len; i++) dl_ndarray_release(lists[l]->data[i]);
    DL_VEC_FREE(lists[l]);
  }
  return status;
}

static dl_status run(dl_pass *pass, dl_op *func) {
  int64_t max_elements = dl_option_int(pass, "max-elements"), count = 0;
  DL_FOR_BLOCKS(block, dl_op_region(func, 0)) {
    DL_FOR_OPS(op, block) {
      bool folded = false;
      if (is_foldable(op, max_elements) && dl_may_step(op, "fold")) DL_TRY(fold(op, &folded));
      count += folded;
    }
  }
  dl_count(pass, "folded", count);
  if (count) dl_pass_changed(pass);
  return DL_OK;
}

static const dl_option_def options[] = {
    {"max-elements", "Size of the largest result to compute here", DL_OPTION_INT, "1024"}};
static const char *const statistics[] = {"folded"};

const dl_pass_def dl_pass_graph_fold_constants = {.name = "graph-fold-constants",
                                                  .summary = "Evaluate ops on small constants",
                                                  .anchor = "func.func",
                                                  .contract = DL_EXACT,
                                                  .num_options = DL_COUNT(options),
                                                  .options = options,
                                                  .num_statistics = DL_COUNT(statistics),
                                                  .statistics = statistics,
                                                  .run = run};
