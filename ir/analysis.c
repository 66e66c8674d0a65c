#include "ir/analysis_internal.h"

dl_analyses *dl_analyses_create(dl_op *root) {
  dl_analyses *analyses = dl_calloc(1, sizeof(*analyses));
  analyses->root = root;
  return analyses;
}

static void drop_nested(dl_analyses *analyses) {
  for (size_t i = 0; i < analyses->nested.len; i++) dl_analyses_destroy(analyses->nested.data[i]);
  analyses->nested.len = 0;
}

void dl_analyses_destroy(dl_analyses *analyses) {
  drop_nested(analyses);
  for (size_t i = 0; i < analyses->results.len; i++)
    analyses->results.data[i].analysis->destroy(analyses->results.data[i].result);
  DL_VEC_FREE(&analyses->results);
  DL_VEC_FREE(&analyses->nested);
  DL_VEC_FREE(&analyses->changed_by);
  free(analyses);
}

dl_analyses *dl_analyses_of(dl_analyses *parent, dl_op *op) {
  for (size_t i = 0; i < parent->nested.len; i++)
    if (parent->nested.data[i]->root == op) return parent->nested.data[i];
  DL_PUSH(&parent->nested, dl_analyses_create(op));
  return parent->nested.data[parent->nested.len - 1];
}

void *dl_analyses_get(dl_analyses *analyses, const dl_analysis_def *analysis, dl_op *op) {
  for (size_t i = 0; i < analyses->results.len; i++) {
    const dl_kept_result *kept = &analyses->results.data[i];
    if (kept->analysis == analysis && kept->op == op) return kept->result;
  }
  void *result = analysis->compute(op);
  DL_PUSH(&analyses->results, (dl_kept_result){analysis, op, result});
  return result;
}

static bool is_preserved(const dl_pass_def *pass, const dl_analysis_def *analysis) {
  for (size_t i = 0; i < pass->num_preserved; i++)
    if (pass->preserved[i] == analysis) return true;
  return false;
}

static dl_status check(const dl_kept_result *kept, const dl_pass_def *pass) {
  void *fresh = kept->analysis->compute(kept->op);
  bool holds = kept->analysis->holds(kept->op, kept->result, fresh);
  kept->analysis->destroy(fresh);
  if (holds) return DL_OK;
  return dl_error(dl_op_loc(kept->op), "pass '%s' changes the %s that it says it preserves",
                  pass->name, kept->analysis->name);
}

// Drops what the pass does not preserve. What is about an op below may be about one that is gone.
static dl_status invalidate(dl_analyses *analyses, const dl_pass_def *pass, bool verify) {
  dl_status status = DL_OK;
  size_t left = 0;
  for (size_t i = 0; i < analyses->results.len; i++) {
    dl_kept_result kept = analyses->results.data[i];
    if (kept.op != analyses->root || !is_preserved(pass, kept.analysis)) {
      kept.analysis->destroy(kept.result);
      continue;
    }
    if (verify && check(&kept, pass) != DL_OK) status = DL_FAILED;
    analyses->results.data[left++] = kept;
  }
  analyses->results.len = left;
  return status;
}

dl_status dl_analyses_changed(dl_analyses *analyses, const dl_pass_def *pass, bool verify) {
  drop_nested(analyses);
  DL_PUSH(&analyses->changed_by, pass);
  return invalidate(analyses, pass, verify);
}

dl_status dl_analyses_joined(dl_analyses *analyses, bool verify) {
  dl_status status = DL_OK;
  for (size_t i = 0; i < analyses->nested.len; i++) {
    dl_analyses *nested = analyses->nested.data[i];
    for (size_t k = 0; k < nested->changed_by.len; k++) {
      const dl_pass_def *pass = nested->changed_by.data[k];
      DL_PUSH(&analyses->changed_by, pass);
      if (invalidate(analyses, pass, verify) != DL_OK) status = DL_FAILED;
    }
    nested->changed_by.len = 0;
  }
  return status;
}
