// --bisect-numerics: which step of a pass changes what the program computes. The pass is run again
// on copies of the program as it was, each time for fewer steps or more.
#include "ir/pass_internal.h"

typedef struct bisection {
  dl_pass_manager *pm;
  const dl_executor *check;
  dl_op *before;    // the module as it was
  void *evaluated;  // what that gives
  dl_pass *pass;
} bisection;

static void ignore(void *user, const dl_diagnostic *diagnostic) { (void)user, (void)diagnostic; }

// Whether the program is right after the steps that the counter allows; `why` says what is not.
static bool is_right(const bisection *b, dl_step_counter *counter, dl_buffer *why) {
  dl_op *module = dl_op_clone(b->before, NULL);
  dl_count_steps(b->pm->ctx, counter);
  dl_status status = dl_run_single_pass(b->pm, b->pass, module);
  dl_count_steps(b->pm->ctx, NULL);
  if (status == DL_OK) status = dl_verify(module);
  void *after = status == DL_OK ? b->check->evaluate(b->check->user, module) : NULL;
  bool right = after && b->check->equal(b->check->user, b->evaluated, after, b->pass->def->contract,
                                        b->pass->def->bound, why);
  if (after) b->check->release(b->check->user, after);
  dl_op_destroy_tree(module);
  return right;
}

static bool is_right_after(const bisection *b, uint64_t steps) {
  dl_buffer why = {0};
  dl_step_counter counter = {.limit = steps};
  bool right = is_right(b, &counter, &why);
  dl_buffer_free(&why);
  return right;
}

// The least number of steps after which the program is wrong, given that it is after `most`.
static uint64_t first_wrong(const bisection *b, uint64_t most) {
  uint64_t right = 0, wrong = most;
  while (wrong - right > 1) {
    uint64_t middle = right + (wrong - right) / 2;
    if (is_right_after(b, middle))
      right = middle;
    else
      wrong = middle;
  }
  return wrong;
}

typedef struct finding {
  uint64_t num_steps, wrong;  // steps of the pass; the first wrong one, from 1; 0: none was counted
  bool right_without;         // steps at all
  dl_step_counter step;
  dl_buffer why;
} finding;

static void search(const bisection *b, finding *found) {
  dl_step_counter all = {.limit = UINT64_MAX};
  dl_buffer why = {0};
  is_right(b, &all, &why);
  dl_buffer_free(&why);
  found->num_steps = all.num_taken;
  if (!all.num_taken || !(found->right_without = is_right_after(b, 0))) return;
  found->wrong = first_wrong(b, all.num_taken);
  found->step = (dl_step_counter){.limit = found->wrong};
  is_right(b, &found->step, &found->why);
}

static void report(const bisection *b, const finding *found) {
  const char *name = b->pass->def->name;
  dl_loc loc = dl_op_loc(b->before);
  unsigned long long steps = found->num_steps, wrong = found->wrong;
  if (!found->num_steps) {
    dl_note(loc, "bisection: pass '%s' counts no steps; it is wrong as a whole", name);
  } else if (!found->right_without) {
    dl_note(loc, "bisection: pass '%s' is wrong already without its %llu steps", name, steps);
  } else {
    dl_note(found->step.loc,
            "bisection: step %llu of %llu of pass '%s' is the first wrong one: '%s' at "
            "'%s'; %s",
            wrong, steps, name, found->step.what, found->step.op,
            found->why.data ? found->why.data : "after it the program cannot be run");
    dl_note(loc, "bisection: --mlir-debug-counter=%s-count=%llu stops before it", name, wrong - 1);
  }
}

void dl_bisect_pass(dl_pass_manager *pm, const dl_executor *check, dl_pass *pass, dl_op *before,
                    void *evaluated) {
  bisection b = {pm, check, before, evaluated, pass};
  dl_diag_handler handler;
  void *user;
  dl_get_diag_handler(pm->ctx, &handler, &user);
  dl_set_diag_handler(pm->ctx, ignore, NULL);
  finding found = {0};
  search(&b, &found);
  dl_set_diag_handler(pm->ctx, handler, user);
  report(&b, &found);
  dl_buffer_free(&found.why);
}
