// convert-tensor-to-loop: kernels become loop nests over memory, as their schedules say; @main and
// @init become host functions that call them. Contract: reassociates, because tiles and lanes of a
// reduction add up in another order.
#include "dialects/func/func_ops.h"
#include "ir/pass.h"
#include "passes/convert/tensor_to_loop_internal.h"

static bool is_kernel(const dl_op *func) { return dl_get_attr(func, "tensor.kernel") != NULL; }

static bool any_tensor(size_t count, const dl_type *types) {
  for (size_t i = 0; i < count; i++)
    if (dl_is_tensor(types[i])) return true;
  return false;
}

// Functions that take and give no tensors are at the loop level already.
static bool is_source(const dl_op *func) {
  dl_attr type = dl_get_attr(func, "function_type");
  return is_kernel(func) || any_tensor(type->type->num_inputs, type->type->inputs) ||
         any_tensor(type->type->num_results, type->type->results);
}

static dl_status convert_all(dl_block *body, dl_ptr_map *kernels) {
  DL_VEC(dl_op *) sources = {0};
  DL_FOR_OPS(op, body) {
    if (dl_is(op, func_func) && is_source(op)) DL_PUSH(&sources, op);
  }
  dl_status status = DL_OK;
  for (size_t i = 0; i < sources.len; i++) {
    dl_op *func;
    if (!is_kernel(sources.data[i])) continue;
    if (dl_convert_kernel(sources.data[i], &func) != DL_OK) status = DL_FAILED;
    dl_ptr_map_set(kernels, dl_symbol_name(sources.data[i]), sources.data[i]);
  }
  for (size_t i = 0; i < sources.len && status == DL_OK; i++) {
    if (!is_kernel(sources.data[i])) status = dl_convert_host(sources.data[i], kernels);
  }
  for (size_t i = 0; i < sources.len && status == DL_OK; i++) dl_op_erase(sources.data[i]);
  DL_VEC_FREE(&sources);
  return status;
}

static dl_status run_tensor_to_loop(dl_pass *pass, dl_op *module) {
  dl_ptr_map kernels = {0};
  dl_status status = convert_all(dl_region_first(dl_op_region(module, 0)), &kernels);
  dl_ptr_map_free(&kernels);
  dl_pass_changed(pass);
  return status;
}

DL_PASS(convert_tensor_to_loop, "convert-tensor-to-loop", "builtin.module",
        "Lower kernels to loops over memory as their schedules say", DL_REASSOCIATES,
        run_tensor_to_loop);
