// The table of all passes, one line each.
#include "ir/pass.h"
#include "ir/plugin.h"
#include "passes/pipelines.h"

#define PASSES(X)               \
  X(canonicalize)               \
  X(control_flow_sink)          \
  X(convert_graph_to_tensor)    \
  X(convert_tensor_to_loop)     \
  X(cse)                        \
  X(dce)                        \
  X(graph_assign_layouts)       \
  X(graph_cancel_relayouts)     \
  X(graph_choose_algorithms)    \
  X(graph_canonicalize)         \
  X(graph_fold_batch_norm)      \
  X(graph_fold_constants)       \
  X(graph_fuse)                 \
  X(graph_infer_shapes)         \
  X(inline)                     \
  X(loop_expand_math)           \
  X(loop_form_fma)              \
  X(loop_invariant_code_motion) \
  X(loop_outline_parallel)      \
  X(loop_plan_memory)           \
  X(print_bound_specs)          \
  X(print_op_stats)             \
  X(sccp)                       \
  X(strip_debuginfo)            \
  X(symbol_dce)                 \
  X(symbol_privatize)           \
  X(tensor_choose_schedules)    \
  X(tensor_fuse)                \
  X(tensor_materialize_padding) \
  X(tensor_outline_groups)      \
  X(tensor_partition_constants) \
  X(tensor_stage_operands)      \
  X(topological_sort)           \
  X(view_op_graph)

#define DECLARE(symbol) extern const dl_pass_def dl_pass_##symbol;
PASSES(DECLARE)

#define ENTRY(symbol) &dl_pass_##symbol,
static const dl_pass_def *const passes[] = {PASSES(ENTRY)};

dl_status dl_register_builtin_passes(dl_context *ctx) {
  DL_TRY(dl_register_passes(ctx, DL_COUNT(passes), passes));
  return dl_register_pipelines(ctx);
}
