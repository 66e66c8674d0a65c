// How much a nest computes and moves, for profiles.
#include "passes/convert/tensor_to_loop_internal.h"

// flops stand for flops * the product of the kernel's arguments `factors`.
typedef struct work {
  int64_t flops, bytes;
  bool flops_known, bytes_known;
  bool counted;  // something has been counted: the factors are settled
  DL_VEC(int64_t) factors;
  dl_ptr_map seen;  // computes
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

// The argument of the kernel that a size is; -1 if it is something else.
static int64_t argument_of(const dl_kernel *k, dl_expr size) {
  dl_value *value = size->kind == DL_EXPR_DIM ? k->e.dims.data[size->value] : NULL;
  dl_block *body = dl_region_first(dl_op_region(k->func, 0));
  for (size_t i = 0; value && i < dl_num_args(body); i++)
    if (dl_arg(body, i) == value) return (int64_t)i;
  return -1;
}

// The computes of a nest add up as long as they have the same factors in the same order.
static void take_factor(work *w, size_t position, int64_t argument) {
  if (argument < 0)
    w->flops_known = false;
  else if (!w->counted)
    DL_PUSH(&w->factors, argument);
  else
    w->flops_known &= position < w->factors.len && w->factors.data[position] == argument;
}

static void add_points(work *w, const dl_kernel *k, const dl_stage *s) {
  int64_t flops = operations(s);
  size_t num_factors = 0;
  if (!flops) return;
  for (size_t i = 0; i < s->c.num_iterators; i++) {
    if (s->extents[i]->kind == DL_EXPR_CONST)
      flops *= s->extents[i]->value;
    else
      take_factor(w, num_factors++, argument_of(k, s->extents[i]));
  }
  w->flops_known &= num_factors == w->factors.len;
  w->counted = true;
  w->flops += flops;
}

static void add_buffer(work *w, const dl_value *tensor) {
  dl_type type = dl_value_type(tensor);
  int64_t elements = dl_num_elements(type);
  if (elements < 0)
    w->bytes_known = false;
  else
    w->bytes += elements * (int64_t)dl_element_bytes(type->element);
}

static void add_stage(work *w, dl_kernel *k, dl_stage *s) {
  if (dl_ptr_map_get(&w->seen, s)) return;
  dl_ptr_map_set(&w->seen, s, s);
  add_points(w, k, s);
  for (size_t i = 0; i < s->c.num_inputs; i++) {
    dl_stage *producer = dl_kernel_ref(k, s->c.inputs[i])->stage;
    if (producer && producer->role != DL_ROLE_ROOT) {
      add_stage(w, k, producer);
    } else {
      add_buffer(w, s->c.inputs[i]);
    }
  }
}

void dl_estimate_work(dl_kernel *k, dl_stage *root, dl_op *loops) {
  work w = {.flops_known = true, .bytes_known = true};
  add_stage(&w, k, root);
  add_buffer(&w, dl_result(root->op, 0));
  if (w.flops_known) dl_set_attr(loops, "flops", dl_i64_attr(k->e.ctx, w.flops));
  if (w.flops_known && w.factors.len)
    dl_set_attr(loops, "flops_factors", dl_i64_array_attr(k->e.ctx, w.factors.len, w.factors.data));
  if (w.bytes_known) dl_set_attr(loops, "bytes", dl_i64_attr(k->e.ctx, w.bytes));
  DL_VEC_FREE(&w.factors);
  dl_ptr_map_free(&w.seen);
}
