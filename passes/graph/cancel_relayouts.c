// graph-cancel-relayouts: a relayout of a relayout starts from the first one's operand, and one to
// the layout that a value already has vanishes. Contract: exact.
#include "dialects/graph/graph_ops.h"
#include "ir/pass.h"

static dl_outcome cancel(dl_rewriter *rw, dl_op *op) {
  dl_value *source = dl_operand(op, 0);
  if (dl_value_type(source) == dl_value_type(dl_result(op, 0))) {
    dl_replace(rw, op, source);
    return DL_CHANGED;
  }
  dl_op *first = dl_value_def(source);
  if (!first || !dl_is(first, graph_relayout)) return DL_NO_MATCH;
  dl_rw_set_operand(rw, op, 0, dl_operand(first, 0));
  return DL_CHANGED;
}

DL_REWRITE_PASS(graph_cancel_relayouts, "graph-cancel-relayouts", "func.func",
                "Remove relayouts that cancel each other", DL_EXACT,
                DL_PATTERN(graph_relayout, cancel));
