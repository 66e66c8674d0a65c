// tensor-materialize-padding: where a schedule says border(pad), what computes read outside of a
// tensor is made part of a padded copy of it, so that their loops need no code for borders.
// Contract: exact.
#include <string.h>

#include "dialects/schedule.h"
#include "dialects/tensor/tensor_ops.h"
#include "ir/pass.h"
#include "passes/tensor/operand_copy.h"

static bool is_pad(const dl_primitive *p) {
  return p->kind == DL_PRIM_BORDER && !strcmp(p->word, "pad");
}

// A compute that only moves one tensor's elements would be copied for nothing.
static bool is_copy(const dl_op *compute) {
  const dl_block *body = dl_compute_body(compute);
  return !dl_get_attr(compute, "combiner") && dl_compute_yielded(compute) == dl_arg(body, 0);
}

static dl_status pad_compute(dl_pass *pass, dl_loc loc, dl_op *compute, dl_attr_list *out) {
  for (size_t i = 0; i < dl_compute_num_inputs(compute); i++) {
    if (!dl_reads_outside(compute, i)) continue;
    dl_ident label = dl_copy_operand(loc, compute, i);
    if (!label) return DL_FAILED;
    dl_schedule_copy(compute, i, label, true, out);
    dl_count(pass, "padded", 1);
  }
  return DL_OK;
}

// The copies' primitives come first, and border(pad) vanishes.
static dl_status pad_all(dl_pass *pass, dl_op *op, dl_attr attr, const dl_block *body) {
  dl_arena *arena = dl_arena_create();
  dl_schedule schedule = {0};
  dl_attr_list primitives = {0};
  bool pads = false;
  dl_status status = dl_schedule_parse(dl_op_loc(op), attr, arena, &schedule);
  for (size_t i = 0; i < schedule.count; i++) pads |= is_pad(&schedule.primitives[i]);
  if (pads && status == DL_OK) {
    DL_FOR_OPS(compute, body) {
      if (dl_is(compute, tensor_compute) && !is_copy(compute) && status == DL_OK)
        status = pad_compute(pass, dl_op_loc(op), compute, &primitives);
    }
    for (size_t i = 0; i < schedule.count; i++)
      if (!is_pad(&schedule.primitives[i])) DL_PUSH(&primitives, attr->elements[i]);
    dl_set_schedule(op, &primitives);
    dl_pass_changed(pass);
  }
  DL_VEC_FREE(&primitives);
  dl_arena_destroy(arena);
  return status;
}

static dl_status run(dl_pass *pass, dl_op *func) { return dl_for_schedules(pass, func, pad_all); }

static const char *const statistics[] = {"padded"};

const dl_pass_def dl_pass_tensor_materialize_padding = {
    .name = "tensor-materialize-padding",
    .summary = "Copy what is read with padding where schedules say border(pad)",
    .anchor = "func.func",
    .contract = DL_EXACT,
    .num_statistics = DL_COUNT(statistics),
    .statistics = statistics,
    .run = run};
