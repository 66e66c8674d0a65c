#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "ir/pass_internal.h"

typedef struct run_state {
  dl_pass_manager *pm;
  const dl_instrumentation *in;
  dl_op *module;
  void *evaluated;  // what the executor got from the module as it is now; NULL: not yet
  dl_op *changed;   // the first op that the pass changed since the last check, or NULL
  size_t num_checked, num_passes;
} run_state;

void dl_set_instrumentation(dl_pass_manager *pm, const dl_instrumentation *instrumentation) {
  pm->instrumentation = *instrumentation;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int64_t peak_memory(void) {
  struct rusage usage;
  return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_maxrss : 0;
}

static dl_status execute(dl_pass *pass, dl_op *op) {
  const dl_pass_def *def = pass->def;
  if (def->run) return def->run(pass, op);
  dl_rewrite_config config = {.fold = true, .user = pass};
  bool changed = false;
  dl_status status = dl_rewrite_greedily(op, def->num_patterns, def->patterns, &config, &changed);
  if (changed) dl_pass_changed(pass);
  return status;
}

static dl_status execute_measured(run_state *run, dl_pass *pass, dl_op *op) {
  if (!run->in->timing) return execute(pass, op);
  int64_t peak = peak_memory();
  double start = now();
  dl_status status = execute(pass, op);
  pass->seconds += now() - start;
  pass->peak_memory_growth += peak_memory() - peak;
  return status;
}

// --- checking against an executor ---

static dl_status evaluate(run_state *run, void **result) {
  const dl_executor *check = run->in->check;
  *result = check->evaluate(check->user, run->module);
  return *result ? DL_OK : DL_FAILED;
}

static void release(run_state *run) {
  if (run->evaluated) run->in->check->release(run->in->check->user, run->evaluated);
  run->evaluated = NULL;
}

static dl_status check_unchanged(run_state *run, const dl_pass *pass, dl_op *op) {
  const dl_executor *check = run->in->check;
  double start = now();
  void *after;
  if (evaluate(run, &after) != DL_OK) {
    dl_note(dl_op_loc(op), "after pass '%s' the program cannot be evaluated", pass->def->name);
    return DL_FAILED;
  }
  dl_buffer why = {0};
  bool equal =
      check->equal(check->user, run->evaluated, after, pass->def->contract, pass->def->bound, &why);
  if (!equal)
    dl_error(dl_op_loc(op), "pass '%s' changes what the program computes: %s", pass->def->name,
             why.data ? why.data : "results differ");
  dl_buffer_free(&why);
  release(run);
  run->evaluated = after;
  if (run->in->checked)
    run->in->checked(run->in->checked_user, pass->def->name, run->num_checked, run->num_passes,
                     now() - start);
  return equal ? DL_OK : DL_FAILED;
}

// After a pass has run on all the ops that are its business.
static dl_status check_changes(run_state *run, const dl_pass *pass) {
  dl_op *changed = run->changed;
  run->changed = NULL;
  run->num_checked++;
  if (!run->in->check || !changed) return DL_OK;
  dl_status status = check_unchanged(run, pass, changed);
  if (status != DL_OK && run->in->print_after_failure)
    dl_print_ir(run->in, "After Failure of", pass, changed);
  return status;
}

// --- one pass ---

static dl_status verify_after(run_state *run, const dl_pass *pass, dl_op *op) {
  if (run->in->verify_each && dl_verify(op) != DL_OK) {
    dl_note(dl_op_loc(op), "the IR is wrong after pass '%s'", pass->def->name);
    return DL_FAILED;
  }
  if (run->in->verify_roundtrip) {
    dl_buffer when = {0};
    dl_buffer_printf(&when, "after pass '%s'", pass->def->name);
    dl_status status = dl_verify_roundtrip(run->module, when.data);
    dl_buffer_free(&when);
    DL_TRY(status);
  }
  if (!run->changed) run->changed = op;
  return DL_OK;
}

static dl_status run_and_verify(run_state *run, dl_pass *pass, dl_op *op) {
  dl_context *ctx = run->pm->ctx;
  uint64_t before = run->in->verify_each ? dl_fingerprint(op) : 0;
  size_t errors = dl_num_errors(ctx);
  if (run->in->check && !run->evaluated) DL_TRY(evaluate(run, &run->evaluated));
  pass->changed = false;
  if (execute_measured(run, pass, op) != DL_OK) {
    if (dl_num_errors(ctx) == errors) dl_error(dl_op_loc(op), "pass '%s' failed", pass->def->name);
    return DL_FAILED;
  }
  if (pass->changed) return verify_after(run, pass, op);
  if (run->in->verify_each && dl_fingerprint(op) != before)
    dl_bug(op, "pass '%s' changed the IR without saying so", pass->def->name);
  return DL_OK;
}

static dl_status run_pass(run_state *run, dl_pass *pass, dl_op *op) {
  const dl_instrumentation *in = run->in;
  const char *name = pass->def->name;
  if (dl_list_has(in->skip_passes, name)) return DL_OK;
  if (in->print_before_all || dl_list_has(in->print_before, name))
    dl_print_ir(in, "Before", pass, op);
  dl_status status = run_and_verify(run, pass, op);
  bool wanted = in->print_after_all || dl_list_has(in->print_after, name);
  if (status != DL_OK) {
    if (wanted || in->print_after_failure) dl_print_ir(in, "After Failure of", pass, op);
  } else if (in->print_after_change ? pass->changed : wanted) {
    dl_print_ir(in, "After", pass, op);
  }
  return status;
}

// --- pipelines ---

static dl_status run_stages(run_state *run, const dl_pipeline *pipeline, size_t count,
                            dl_op *const *ops);

typedef DL_VEC(dl_op *) op_list;

// The ops are listed first: passes on one of them may not touch the others, but on builtin.module
// they do.
static void list_anchored(const dl_pipeline *pipeline, dl_op *parent, op_list *ops) {
  for (size_t i = 0; i < dl_num_regions(parent); i++)
    DL_FOR_BLOCKS(block, dl_op_region(parent, i)) {
      DL_FOR_OPS(op, block) {
        bool fits = pipeline->anchor ? !strcmp(dl_op_name(op), pipeline->anchor)
                                     : dl_has_trait(op, DL_ISOLATED);
        if (fits) DL_PUSH(ops, op);
      }
    }
}

static dl_status run_nested(run_state *run, const dl_pipeline *pipeline, dl_op *parent) {
  op_list ops = {0};
  list_anchored(pipeline, parent, &ops);
  dl_status status = run_stages(run, pipeline, ops.len, ops.data);
  DL_VEC_FREE(&ops);
  return status;
}

static dl_status run_stage(run_state *run, dl_stage stage, size_t count, dl_op *const *ops) {
  for (size_t i = 0; i < count; i++)
    DL_TRY(stage.pass ? run_pass(run, stage.pass, ops[i]) : run_nested(run, stage.nested, ops[i]));
  return stage.pass ? check_changes(run, stage.pass) : DL_OK;
}

// One op after the other; when passes are checked, one pass after the other, since then the whole
// program runs after each. What the passes do is the same: on one op they do not see the others.
static dl_status run_stages(run_state *run, const dl_pipeline *pipeline, size_t count,
                            dl_op *const *ops) {
  size_t together = run->in->check ? count : 1;
  for (size_t first = 0; first < count; first += together)
    for (size_t i = 0; i < pipeline->stages.len; i++)
      DL_TRY(run_stage(run, pipeline->stages.data[i], together, ops + first));
  return DL_OK;
}

static void count_pass(dl_pass *pass, void *count) {
  (void)pass;
  ++*(size_t *)count;
}

static dl_status run_root(run_state *run) {
  const dl_pipeline *root = run->pm->root;
  dl_op *module = run->module;
  if (root->anchor && strcmp(root->anchor, dl_op_name(module)))
    return dl_error(dl_op_loc(module), "the pipeline runs on '%s', but this is '%s'", root->anchor,
                    dl_op_name(module));
  return run_stages(run, root, 1, &module);
}

dl_status dl_run_pipeline(dl_pass_manager *pm, dl_op *module) {
  const dl_instrumentation *in = &pm->instrumentation;
  run_state run = {.pm = pm, .in = in, .module = module};
  dl_for_each_pass(pm->root, count_pass, &run.num_passes);
  // Written ahead, so that it is there after a crash too.
  if (in->reproducer) DL_TRY(dl_write_reproducer(pm, module));
  double start = now();
  dl_status status = run_root(&run);
  double seconds = now() - start;
  if (in->check) release(&run);
  if (in->timing) dl_print_timing(pm, seconds);
  if (in->statistics) dl_print_statistics(pm);
  if (in->reproducer && status == DL_OK) unlink(in->reproducer);
  if (in->reproducer && status != DL_OK)
    dl_note(dl_op_loc(module), "'%s' reproduces the failure", in->reproducer);
  return status;
}
