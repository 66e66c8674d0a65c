// The pipelines between the levels, by name: what dlc runs, and what --pass-pipeline may name.
#include "passes/pipelines.h"

#include "ir/pass.h"

static const dl_named_pipeline pipelines[] = {
    {"graph-pipeline", "Optimize at the graph level",
     "func.func(graph-infer-shapes,graph-fold-constants,graph-canonicalize,canonicalize,"
     "graph-fold-batch-norm,cse,dce,graph-infer-shapes,graph-choose-algorithms,"
     "graph-assign-layouts,graph-cancel-relayouts,cse,dce,graph-fuse)"},
    {"tensor-pipeline", "From the graph level to kernels at the tensor level",
     "func.func(convert-graph-to-tensor,canonicalize,cse,dce),tensor-partition-constants,"
     "tensor-outline-groups,func.func(tensor-fuse),canonicalize,tensor-choose-schedules"},
    {"loop-pipeline", "From the tensor level to loops that a target can emit",
     "func.func(tensor-stage-operands,tensor-materialize-padding),convert-tensor-to-loop,"
     "canonicalize,func.func(loop-expand-math,loop-form-fma),loop-outline-parallel,canonicalize,"
     "cse,loop-invariant-code-motion,loop-plan-memory"},
};

dl_status dl_register_pipelines(dl_context *ctx) {
  for (size_t i = 0; i < DL_COUNT(pipelines); i++)
    DL_TRY(dl_register_pipeline(ctx, pipelines[i].name, pipelines[i].summary, pipelines[i].text));
  return DL_OK;
}
