// tensor-stage-operands: makes each stage(compute, input, space, loop) of a schedule a compute that
// copies what the compute reads, with compute_at(copy, loop) in its place; elements outside of the
// tensor become the `else` value. Without a loop, the copy is made before the compute, of all that
// it reads. Contract: exact.
#include <string.h>

#include "dialects/schedule.h"
#include "dialects/tensor/tensor_ops.h"
#include "ir/pass.h"
#include "passes/tensor/operand_copy.h"

static dl_op *find_compute(const dl_block *body, dl_ident label) {
  DL_FOR_OPS(op, body) {
    if (dl_is(op, tensor_compute) && dl_str_is(dl_get_str(op, "label"), label)) return op;
  }
  return NULL;
}

static dl_status check(dl_loc loc, const dl_primitive *p, const dl_op *compute) {
  if (!compute) return dl_error(loc, "the group has no compute @%s", p->names[0]);
  if (strcmp(p->word, "scratch")) {
    return dl_error(loc, "stage: '%s' is no memory space; there is scratch, of the thread",
                    p->word);
  }
  size_t inputs = dl_compute_num_inputs(compute);
  if (p->factor < (int64_t)inputs) return DL_OK;
  return dl_error(loc, "stage: @%s has no input %lld, it has %zu", p->names[0],
                  (long long)p->factor, inputs);
}

static dl_status stage(dl_loc loc, const dl_primitive *p, const dl_block *body, dl_attr_list *out) {
  dl_op *compute = find_compute(body, p->names[0]);
  DL_TRY(check(loc, p, compute));
  bool at_loop = p->num_names > 1;
  dl_ident label = dl_copy_operand(loc, compute, (size_t)p->factor);
  if (!label) return DL_FAILED;
  dl_ident at[] = {label, at_loop ? p->names[1] : NULL};
  if (at_loop) DL_PUSH(out, dl_prim_names(dl_op_context(compute), DL_PRIM_COMPUTE_AT, 2, at));
  dl_schedule_copy(compute, (size_t)p->factor, label, !at_loop, out);
  return DL_OK;
}

static dl_status stage_all(dl_pass *pass, dl_op *op, dl_attr attr, const dl_block *body) {
  dl_arena *arena = dl_arena_create();
  dl_loc loc = dl_op_loc(op);
  dl_schedule schedule = {0};
  dl_attr_list primitives = {0};
  int64_t staged = 0;
  dl_status status = dl_schedule_parse(loc, attr, arena, &schedule);
  for (size_t i = 0; i < schedule.count && status == DL_OK; i++) {
    if (schedule.primitives[i].kind == DL_PRIM_STAGE) {
      status = stage(loc, &schedule.primitives[i], body, &primitives);
      staged++;
    } else {
      DL_PUSH(&primitives, attr->elements[i]);
    }
  }
  if (status == DL_OK && staged) {
    dl_set_schedule(op, &primitives);
    dl_count(pass, "staged", staged);
    dl_pass_changed(pass);
  }
  DL_VEC_FREE(&primitives);
  dl_arena_destroy(arena);
  return status;
}

static dl_status run(dl_pass *pass, dl_op *func) { return dl_for_schedules(pass, func, stage_all); }

static const char *const statistics[] = {"staged"};

const dl_pass_def dl_pass_tensor_stage_operands = {
    .name = "tensor-stage-operands",
    .summary = "Make computes of the copies that schedules ask for",
    .anchor = "func.func",
    .contract = DL_EXACT,
    .num_statistics = DL_COUNT(statistics),
    .statistics = statistics,
    .run = run};
