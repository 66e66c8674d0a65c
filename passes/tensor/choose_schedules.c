// tensor-choose-schedules: gives each kernel without a schedule one, from an analytic model of the
// machine (dlir.machine): lanes along what is contiguous in the result, an accumulator tile that
// fits the registers and wastes least, grids with enough tasks. Knows strides and sizes only, no
// operators. Contract: exact, since a schedule is only a property.
#include "dialects/tensor/group.h"
#include "dialects/tensor/tensor_ops.h"
#include "ir/pass.h"
#include "ir/steps.h"
#include "passes/tensor/schedule_model_internal.h"

#define MAX_ROW_LOOPS 4

static dl_block *kernel_body(dl_op *op, const char **property) {
  if (dl_is(op, tensor_group)) {
    *property = "schedule";
    return dl_group_body(op);
  }
  *property = "tensor.schedule";
  bool kernel = dl_has_trait(op, DL_FUNCTION) && dl_get_attr(op, "tensor.kernel");
  return kernel ? dl_region_first(dl_op_region(op, 0)) : NULL;
}

// Row by row, for rows as short as possible.
static bool choose_rows(dl_op *op, dl_block *body, const dl_machine *machine, size_t depth,
                        dl_primitive_list *out) {
  dl_kernel k;
  dl_kernel_init(&k, op, body);
  bool found = dl_kernel_analyze(&k) == DL_OK && dl_choose_rows(&k, machine, depth, out);
  dl_kernel_free(&k);
  return found;
}

static void choose_apart(dl_op *op, dl_block *body, const dl_machine *machine,
                         dl_primitive_list *out) {
  dl_kernel k;
  dl_kernel_init(&k, op, body);
  if (dl_kernel_analyze(&k) == DL_OK) {
    for (size_t i = 0; i < k.stages.len; i++) {
      dl_stage *root = k.stages.data[i];
      if (root->role == DL_ROLE_ROOT) dl_choose_nest(&k, root, machine, out);
    }
  }
  dl_kernel_free(&k);
}

static bool has_several(const dl_block *body) {
  size_t count = 0;
  DL_FOR_OPS(op, body) count += dl_is(op, tensor_compute);
  return count > 1;
}

static void choose(dl_pass *pass, dl_op *op, dl_block *body, const char *property) {
  dl_machine machine = dl_machine_of(op);
  dl_primitive_list primitives = {0};
  bool chosen = false;
  for (size_t depth = MAX_ROW_LOOPS; depth > 0 && !chosen; depth--) {
    chosen = !machine.subgroup_size && has_several(body) &&
             choose_rows(op, body, &machine, depth, &primitives);
  }
  if (!chosen) choose_apart(op, body, &machine, &primitives);
  if (primitives.len) {
    dl_context *ctx = dl_op_context(op);
    dl_set_attr(op, property, dl_schedule_attr(ctx, primitives.len, primitives.data));
    dl_count(pass, "chosen", 1);
    dl_pass_changed(pass);
  }
  DL_VEC_FREE(&primitives);
}

static bool visit(dl_op *op, void *user) {
  const char *property;
  dl_block *body = kernel_body(op, &property);
  if (body && !dl_get_attr(op, property)) choose(user, op, body, property);
  return true;
}

static dl_status run_choose_schedules(dl_pass *pass, dl_op *module) {
  dl_walk(module, visit, pass);
  return DL_OK;
}

static const char *const statistics[] = {"chosen"};

const dl_pass_def dl_pass_tensor_choose_schedules = {
    .name = "tensor-choose-schedules",
    .summary = "Choose a schedule for each kernel from a model of the machine",
    .anchor = "builtin.module",
    .contract = DL_EXACT,
    .num_statistics = DL_COUNT(statistics),
    .statistics = statistics,
    .run = run_choose_schedules,
};
