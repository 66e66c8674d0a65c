// How much a nest computes and moves, for profiles.
#include "passes/convert/tensor_to_loop_internal.h"

typedef struct work {
  int64_t flops, bytes;
  bool known;
} work;

// Floating-point operations in a compute's body, with the combination of a reduction.
static int64_t operations(const dl_stage *s) {
  int64_t count = s->c.combiner != DL_COMBINE_NONE && dl_is_float(s->c.result->element);
  DL_FOR_OPS(op, dl_compute_body(s->op)) {
    bool computes = dl_num_results(op) == 1 && dl_has_trait(op, DL_ELEMENTWISE);
    count += computes && dl_is_float(dl_value_type(dl_result(op, 0)));
  }
  return count;
}

static void add_points(work *w, const dl_stage *s) {
  int64_t points = 1;
  for (size_t i = 0; i < s->c.num_iterators; i++) {
    if (s->extents[i]->kind != DL_EXPR_CONST)
      w->known = false;
    else
      points *= s->extents[i]->value;
  }
  w->flops += points * operations(s);
}

static void add_buffer(work *w, const dl_value *tensor) {
  dl_type type = dl_value_type(tensor);
  int64_t elements = dl_num_elements(type);
  if (elements < 0)
    w->known = false;
  else
    w->bytes += elements * (int64_t)dl_element_bytes(type->element);
}

static void add_stage(work *w, dl_kernel *k, const dl_stage *s) {
  add_points(w, s);
  for (size_t i = 0; i < s->c.num_inputs; i++) {
    const dl_stage *producer = dl_kernel_ref(k, s->c.inputs[i])->stage;
    if (producer && producer->role != DL_ROLE_ROOT) {
      add_stage(w, k, producer);
    } else {
      add_buffer(w, s->c.inputs[i]);
    }
  }
}

void dl_estimate_work(dl_kernel *k, const dl_stage *root, dl_op *loops) {
  work w = {.known = true};
  add_stage(&w, k, root);
  add_buffer(&w, dl_result(root->op, 0));
  if (!w.known) return;
  dl_set_attr(loops, "flops", dl_i64_attr(k->e.ctx, w.flops));
  dl_set_attr(loops, "bytes", dl_i64_attr(k->e.ctx, w.bytes));
}
