// print-bound-specs: remarks, for each op that has a computation, what its spec comes down to:
// symbols, tensors and flat statements. For looking at; changes nothing.
#include "ir/pass.h"
#include "ir/spec.h"

static bool print_op(dl_op *op, void *user) {
  dl_status *status = user;
  if (!dl_op_def_of(op)->compute) return true;
  dl_bound_spec *bound = dl_spec_bind(op);
  if (!bound) {
    *status = DL_FAILED;
    return true;
  }
  dl_buffer text = {0};
  dl_print_bound(&text, bound);
  int64_t flops = dl_bound_flops(bound);
  if (flops >= 0) dl_buffer_printf(&text, "%lld operations\n", (long long)flops);
  dl_remark(dl_op_loc(op), "%s is\n%s", dl_op_name(op), text.data);
  dl_buffer_free(&text);
  dl_bound_destroy(bound);
  return true;
}

static dl_status run(dl_pass *pass, dl_op *root) {
  (void)pass;
  dl_status status = DL_OK;
  dl_walk(root, print_op, &status);
  return status;
}

DL_PASS(print_bound_specs, "print-bound-specs", NULL,
        "Show the computation of each op as flat statements", DL_EXACT, run);
