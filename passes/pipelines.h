// passes/pipelines.h: the named pipelines that lead from one level to the next.
#ifndef DLIR_PASSES_PIPELINES_H
#define DLIR_PASSES_PIPELINES_H

#include "ir/context.h"

// Registers graph-pipeline, tensor-pipeline and loop-pipeline. Each ends at the level it is named
// after and leaves a module that is further down alone.
dl_status dl_register_pipelines(dl_context *ctx);

#endif
