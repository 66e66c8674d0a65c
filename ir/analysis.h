// ir/analysis.h: what is computed from the IR and kept until a pass changes it.
//
// A pass names in its table the analyses that it asks for and those that stay valid though it
// changes the IR. The pass manager keeps results by op, drops what a pass did not declare
// preserved, and, while verification is on, computes what was declared preserved anew and compares.
#ifndef DLIR_IR_ANALYSIS_H
#define DLIR_IR_ANALYSIS_H

#include "ir/op.h"

typedef struct dl_pass dl_pass;

typedef struct dl_analysis_def {
  const char *name;  // "dominance"
  void *(*compute)(dl_op *root);
  void (*destroy)(void *result);
  // Whether a result that was kept still says what a fresh one does of the IR as it is now.
  bool (*holds)(dl_op *root, void *kept, void *fresh);
} dl_analysis_def;

// The result for `op`, the op that the pass runs on or one below it. It is the pass manager's, and
// valid until the pass ends. Asking for an analysis that the pass does not declare is a bug.
DL_API void *dl_get_analysis(dl_pass *pass, const dl_analysis_def *analysis, dl_op *op);

#endif
