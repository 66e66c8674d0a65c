#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "ir/context_internal.h"
#include "ir/parallel.h"
#include "ir/pass_internal.h"

typedef struct run_state {
  dl_context *ctx;
  dl_pass_manager *pm;
  const dl_instrumentation *in;
  dl_op *module;
  dl_analyses *kept;    // of the op that the pipeline runs on
  bool threaded;        // other threads work on other ops
  void *evaluated;      // what the executor got from the module as it is now; NULL: not yet
  dl_op *before;        // when bisecting: a copy of the module before the pass
  const dl_pass *only;  // NULL: all passes run
  dl_op *changed;       // the first op that the pass changed since the last check, or NULL
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

static dl_status execute_pass(dl_pass *pass, dl_op *op) {
  const dl_pass_def *def = pass->def;
  if (def->run) return def->run(pass, op);
  dl_rewrite_config config = {.fold = true, .user = pass};
  bool changed = false;
  dl_status status = dl_rewrite_greedily(op, def->num_patterns, def->patterns, &config, &changed);
  if (changed) dl_pass_changed(pass);
  return status;
}

// The count that "NAME-count=N,…" gives for a pass; false where it gives none.
static bool step_limit(const char *counters, const char *name, uint64_t *limit) {
  size_t len = strlen(name);
  for (const char *at = counters; at && *at; at = strchr(at, ','), at += at != NULL) {
    if (strncmp(at, name, len) || strncmp(at + len, "-count=", 7)) continue;
    *limit = strtoull(at + len + 7, NULL, 10);
    return true;
  }
  return false;
}

// The steps on all ops that the pass runs on are counted together.
static dl_status execute(run_state *run, dl_pass *pass, dl_op *op) {
  uint64_t limit;
  if (!step_limit(run->in->debug_counter, pass->def->name, &limit)) return execute_pass(pass, op);
  dl_step_counter counter = {.limit = limit, .num_taken = pass->steps};
  dl_count_steps(run->ctx, &counter);
  dl_status status = execute_pass(pass, op);
  dl_count_steps(run->ctx, NULL);
  pass->steps = counter.num_taken;
  return status;
}

static dl_status execute_measured(run_state *run, dl_pass *pass, dl_op *op) {
  if (!run->in->timing) return execute(run, pass, op);
  int64_t peak = peak_memory();
  double start = now();
  dl_status status = execute(run, pass, op);
  pass->seconds += now() - start;
  // The peak is the process's: no thread can tell what part is its own.
  if (!run->threaded) pass->peak_memory_growth += peak_memory() - peak;
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

static void bisect(run_state *run, dl_pass *pass) {
  if (run->in->bisect) dl_bisect_pass(run->pm, run->in->check, pass, run->before, run->evaluated);
}

static dl_status check_unchanged(run_state *run, dl_pass *pass, dl_op *op) {
  const dl_executor *check = run->in->check;
  double start = now();
  void *after;
  if (evaluate(run, &after) != DL_OK) {
    dl_note(dl_op_loc(op), "after pass '%s' the program cannot be evaluated", pass->def->name);
    bisect(run, pass);
    return DL_FAILED;
  }
  dl_buffer why = {0};
  bool equal =
      check->equal(check->user, run->evaluated, after, pass->def->contract, pass->def->bound, &why);
  if (!equal)
    dl_error(dl_op_loc(op), "pass '%s' changes what the program computes: %s", pass->def->name,
             why.data ? why.data : "results differ");
  dl_buffer_free(&why);
  if (!equal) bisect(run, pass);
  release(run);
  run->evaluated = after;
  if (run->in->checked)
    run->in->checked(run->in->checked_user, pass->def->name, run->num_checked, run->num_passes,
                     now() - start);
  return equal ? DL_OK : DL_FAILED;
}

// After a pass has run on all the ops that are its business.
static dl_status check_changes(run_state *run, dl_pass *pass) {
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
  dl_context *ctx = run->ctx;
  uint64_t before = run->in->verify_each ? dl_fingerprint(op) : 0;
  size_t errors = dl_num_errors(ctx);
  if (run->in->check && !run->evaluated) DL_TRY(evaluate(run, &run->evaluated));
  pass->changed = false;
  pass->kept = run->kept;
  pass->out = run->in->out;
  if (execute_measured(run, pass, op) != DL_OK) {
    if (dl_num_errors(ctx) == errors) dl_error(dl_op_loc(op), "pass '%s' failed", pass->def->name);
    return DL_FAILED;
  }
  if (pass->changed) {
    DL_TRY(verify_after(run, pass, op));
    return dl_analyses_changed(run->kept, pass->def, run->in->verify_each);
  }
  if (run->in->verify_each && dl_fingerprint(op) != before)
    dl_bug(op, "pass '%s' changed the IR without saying so", pass->def->name);
  return DL_OK;
}

static dl_status run_pass(run_state *run, dl_pass *pass, dl_op *op) {
  const dl_instrumentation *in = run->in;
  const char *name = pass->def->name;
  if (dl_list_has(in->skip_passes, name) || (run->only && pass != run->only)) return DL_OK;
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

// An op that a pipeline runs on, with what is known about it.
typedef struct target {
  dl_op *op;
  dl_analyses *kept;
} target;

typedef DL_VEC(target) target_list;

static dl_status run_stages(run_state *run, dl_pipeline *pipeline, size_t count,
                            const target *targets);

// The ops are listed first: passes on one of them may not touch the others, but on builtin.module
// they do.
static void list_anchored(run_state *run, const dl_pipeline *pipeline, dl_op *parent,
                          target_list *targets) {
  for (size_t i = 0; i < dl_num_regions(parent); i++)
    DL_FOR_BLOCKS(block, dl_op_region(parent, i)) {
      DL_FOR_OPS(op, block) {
        bool fits = pipeline->anchor ? !strcmp(dl_op_name(op), pipeline->anchor)
                                     : dl_has_trait(op, DL_ISOLATED);
        if (fits) DL_PUSH(targets, (target){op, dl_analyses_of(run->kept, op)});
      }
    }
}

// A nested pipeline on a list of ops, by several threads.
typedef struct nested_run {
  const run_state *around;
  const target *targets;
  dl_diag_log *logs;        // per op
  dl_pipeline **pipelines;  // per worker
  atomic_size_t first_failed;
} nested_run;

static void note_failure(nested_run *nested, size_t item) {
  size_t first = atomic_load(&nested->first_failed);
  while (item < first && !atomic_compare_exchange_weak(&nested->first_failed, &first, item))
    continue;
}

// Ops after one that failed would not have been reached.
static void run_item(void *user, size_t worker, size_t item) {
  nested_run *nested = user;
  if (item > atomic_load(&nested->first_failed)) return;
  run_state run = *nested->around;
  run.threaded = true;
  dl_diag_redirect(run.ctx, &nested->logs[item]);
  if (run_stages(&run, nested->pipelines[worker], 1, &nested->targets[item]) != DL_OK)
    note_failure(nested, item);
  dl_diag_redirect(run.ctx, NULL);
}

static dl_status run_side_by_side(run_state *run, dl_pipeline *pipeline, const target_list *targets,
                                  size_t num_threads) {
  nested_run nested = {.around = run,
                       .targets = targets->data,
                       .logs = dl_calloc(targets->len, sizeof(dl_diag_log)),
                       .pipelines = dl_calloc(num_threads, sizeof(dl_pipeline *)),
                       .first_failed = SIZE_MAX};
  for (size_t i = 0; i < num_threads; i++) nested.pipelines[i] = dl_pipeline_clone(pipeline);
  dl_parallel_for(num_threads, targets->len, run_item, &nested);
  for (size_t i = 0; i < num_threads; i++) dl_pipeline_merge(pipeline, nested.pipelines[i]);
  for (size_t i = 0; i < targets->len && i <= nested.first_failed; i++)
    dl_diag_replay(run->ctx, &nested.logs[i]);
  for (size_t i = 0; i < targets->len; i++) dl_diag_log_free(&nested.logs[i]);
  free(nested.logs);
  free(nested.pipelines);
  return nested.first_failed == SIZE_MAX ? DL_OK : DL_FAILED;
}

// Threads may look at their own ops only.
static size_t threads_for(const run_state *run, size_t num_ops) {
  const dl_instrumentation *in = run->in;
  if (run->threaded || in->check || in->verify_roundtrip || in->print_module_scope) return 1;
  if (in->debug_counter) return 1;
  return dl_num_threads(in->threads, num_ops);
}

static bool anything_changed(const dl_analyses *kept) {
  for (size_t i = 0; i < kept->nested.len; i++)
    if (kept->nested.data[i]->changed_by.len) return true;
  return false;
}

// What functions say of each other is looked at when no thread works on one.
static dl_status finish_nested(run_state *run, const dl_pipeline *pipeline, dl_op *parent) {
  bool verify = run->in->verify_each && anything_changed(run->kept);
  DL_TRY(dl_analyses_joined(run->kept, run->in->verify_each));
  if (!verify || run->threaded || dl_verify_symbols(parent) == DL_OK) return DL_OK;
  dl_note(dl_op_loc(parent), "the IR is wrong after the passes on '%s'",
          pipeline->anchor ? pipeline->anchor : "any");
  return DL_FAILED;
}

static dl_status run_nested(run_state *run, dl_pipeline *pipeline, dl_op *parent) {
  dl_analyses *around = run->kept;
  target_list targets = {0};
  list_anchored(run, pipeline, parent, &targets);
  size_t num_threads = threads_for(run, targets.len);
  dl_status status = num_threads > 1 ? run_side_by_side(run, pipeline, &targets, num_threads)
                                     : run_stages(run, pipeline, targets.len, targets.data);
  DL_VEC_FREE(&targets);
  run->kept = around;
  return status == DL_OK ? finish_nested(run, pipeline, parent) : status;
}

static void keep_module(run_state *run) {
  if (!run->in->bisect || !run->in->check) return;
  if (run->before) dl_op_destroy_tree(run->before);
  run->before = dl_op_clone(run->module, NULL);
}

static dl_status run_stage(run_state *run, dl_stage stage, size_t count, const target *targets) {
  if (stage.pass) keep_module(run);
  for (size_t i = 0; i < count; i++) {
    run->kept = targets[i].kept;
    DL_TRY(stage.pass ? run_pass(run, stage.pass, targets[i].op)
                      : run_nested(run, stage.nested, targets[i].op));
  }
  return stage.pass ? check_changes(run, stage.pass) : DL_OK;
}

// One op after the other; when passes are checked, one pass after the other, since then the whole
// program runs after each. What the passes do is the same: on one op they do not see the others.
static dl_status run_stages(run_state *run, dl_pipeline *pipeline, size_t count,
                            const target *targets) {
  size_t together = run->in->check ? count : 1;
  for (size_t first = 0; first < count; first += together)
    for (size_t i = 0; i < pipeline->stages.len; i++)
      DL_TRY(run_stage(run, pipeline->stages.data[i], together, targets + first));
  return DL_OK;
}

static void count_pass(dl_pass *pass, void *count) {
  (void)pass;
  ++*(size_t *)count;
}

static dl_status run_root(run_state *run, dl_pipeline *root) {
  dl_op *module = run->module;
  if (root->anchor && strcmp(root->anchor, dl_op_name(module)))
    return dl_error(dl_op_loc(module), "the pipeline runs on '%s', but this is '%s'", root->anchor,
                    dl_op_name(module));
  return run_stages(run, root, 1, &(target){module, run->kept});
}

dl_status dl_run_single_pass(dl_pass_manager *pm, dl_pass *pass, dl_op *module) {
  const dl_instrumentation quiet = {.threads = 1};
  run_state run = {.ctx = pm->ctx,
                   .pm = pm,
                   .in = &quiet,
                   .module = module,
                   .only = pass,
                   .kept = dl_analyses_create(module)};
  dl_analyses *kept = run.kept;
  dl_status status = run_root(&run, pm->root);
  dl_analyses_destroy(kept);
  return status;
}

dl_status dl_run_pipeline(dl_pass_manager *pm, dl_op *module) {
  const dl_instrumentation *in = &pm->instrumentation;
  // Written ahead, so that it is there after a crash too.
  if (in->reproducer) DL_TRY(dl_write_reproducer(pm, module));
  run_state run = {
      .ctx = pm->ctx, .pm = pm, .in = in, .module = module, .kept = dl_analyses_create(module)};
  dl_for_each_pass(pm->root, count_pass, &run.num_passes);
  double start = now();
  dl_status status = run_root(&run, pm->root);
  double seconds = now() - start;
  dl_analyses_destroy(run.kept);
  if (in->check) release(&run);
  if (run.before) dl_op_destroy_tree(run.before);
  if (in->timing) dl_print_timing(pm, seconds);
  if (in->statistics) dl_print_statistics(pm);
  if (in->reproducer && status == DL_OK) unlink(in->reproducer);
  if (in->reproducer && status != DL_OK)
    dl_note(dl_op_loc(module), "'%s' reproduces the failure", in->reproducer);
  return status;
}
