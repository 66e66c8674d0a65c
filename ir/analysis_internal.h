// ir/analysis_internal.h: the results that a pass manager keeps, a tree that follows the nesting of
// pipelines.
#ifndef DLIR_IR_ANALYSIS_INTERNAL_H
#define DLIR_IR_ANALYSIS_INTERNAL_H

#include "ir/analysis.h"
#include "ir/pass.h"

typedef struct dl_kept_result {
  const dl_analysis_def *analysis;
  dl_op *op;  // the root of the tree node or, for what a pass asked of an op below, that op
  void *result;
} dl_kept_result;

typedef struct dl_analyses dl_analyses;
struct dl_analyses {
  dl_op *root;
  DL_VEC(dl_kept_result) results;
  DL_VEC(dl_analyses *) nested;            // of the ops that nested pipelines ran on
  DL_VEC(const dl_pass_def *) changed_by;  // passes on root that changed it, for those around it
};

dl_analyses *dl_analyses_create(dl_op *root);
void dl_analyses_destroy(dl_analyses *analyses);
// The node of an op that a nested pipeline runs on; made when it is not there.
dl_analyses *dl_analyses_of(dl_analyses *parent, dl_op *op);
void *dl_analyses_get(dl_analyses *analyses, const dl_analysis_def *analysis, dl_op *op);
// After `pass` changed the root: drops what it does not preserve and all nested nodes. With
// `verify`, fails after a diagnostic when something is not preserved although the pass says so.
dl_status dl_analyses_changed(dl_analyses *analyses, const dl_pass_def *pass, bool verify);
// After nested pipelines ran: the same with their passes for the results about the root.
dl_status dl_analyses_joined(dl_analyses *analyses, bool verify);

#endif
