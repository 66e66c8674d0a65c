#define _GNU_SOURCE
#include "tools/dlreduce/test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ir/pass.h"
#include "ir/text.h"
#include "tools/common/interrupt.h"

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void ignore(void *user, const dl_diagnostic *diagnostic) { (void)user, (void)diagnostic; }

// --- in the child ---

static void be_quiet(const dl_interest *test) {
  int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (nowhere < 0) return;
  dup2(nowhere, STDIN_FILENO);
  dup2(test->verbose ? STDERR_FILENO : nowhere, STDOUT_FILENO);
  if (!test->verbose) dup2(nowhere, STDERR_FILENO);
}

static void run_script(const dl_interest *test, const char *path) {
  DL_VEC(const char *) words = {0};
  DL_PUSH(&words, test->script);
  for (size_t i = 0; i < test->arguments.len; i++) DL_PUSH(&words, test->arguments.data[i]);
  DL_PUSH(&words, path);
  DL_PUSH(&words, NULL);
  execvp(test->script, (char *const *)words.data);
  _exit(127);
}

// An executor around the checker's that remembers whether something was different.
typedef struct watcher {
  const dl_executor *checker;
  bool differs;
} watcher;

static void *evaluate(void *user, dl_op *module) {
  const dl_executor *checker = ((watcher *)user)->checker;
  return checker->evaluate(checker->user, module);
}

static bool equal(void *user, void *before, void *after, dl_contract contract, double bound,
                  dl_buffer *why) {
  watcher *w = user;
  bool same = w->checker->equal(w->checker->user, before, after, contract, bound, why);
  w->differs |= !same;
  return same;
}

static void release(void *user, void *result) {
  const dl_executor *checker = ((watcher *)user)->checker;
  checker->release(checker->user, result);
}

static void run_checked(const dl_interest *test, dl_op *module) {
  dl_context *ctx = dl_op_context(module);
  if (!test->verbose) dl_set_diag_handler(ctx, ignore, NULL);
  dl_instrumentation run = {.verify_each = true, .out = stderr, .threads = 1};
  dl_check_session session;
  dl_pass_manager *pm = dl_parse_pipeline(ctx, dl_str_of(test->pipeline));
  if (!pm || dl_check_begin("dlreduce", &test->check, module, &run, &session) != DL_OK) _exit(1);
  watcher w = {.checker = run.check};
  const dl_executor watching = {&w, evaluate, equal, release};
  run.check = &watching;
  dl_set_instrumentation(pm, &run);
  bool failed = dl_run_pipeline(pm, module) != DL_OK;
  dl_check_end(&session);
  _exit(failed && w.differs ? 0 : 1);
}

// --- in the parent ---

static char *candidate_path(const dl_interest *test, size_t i) {
  dl_buffer path = {0};
  dl_buffer_printf(&path, "%s/candidate-%zu.dlir", test->folder, i);
  return path.data;
}

static pid_t start(const dl_interest *test, dl_op *module, size_t i) {
  char *path = test->script ? candidate_path(test, i) : NULL;
  bool ready = !path || dl_write_module(module, path, NULL) == DL_OK;
  fflush(NULL);
  pid_t child = ready ? fork() : -1;
  if (child == 0) {
    dl_interrupts_in_child();
    setpgid(0, 0);
    be_quiet(test);
    if (path) run_script(test, path);
    run_checked(test, module);
  }
  free(path);
  return child;
}

// Whether the child ended; a test past its time is killed with what it started.
static bool has_ended(const dl_interest *test, pid_t child, double began, bool *interesting) {
  int status = 0;
  pid_t ended = waitpid(child, &status, WNOHANG);
  *interesting = ended == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (ended) return true;
  if (!test->timeout || now() - began < test->timeout) return false;
  kill(-child, SIGKILL);
  waitpid(child, &status, 0);
  return true;
}

static void stop(pid_t child) {
  int status;
  if (kill(-child, SIGKILL) != 0) kill(child, SIGKILL);
  waitpid(child, &status, 0);
}

// Waits until it is known which one is the first: the others need not be waited for.
static size_t wait_for_first(const dl_interest *test, size_t count, pid_t *children) {
  double began = now();
  size_t first = 0;
  for (size_t i = 0; i < count;) {
    bool interesting = false;
    if (children[i] > 0 && !has_ended(test, children[i], began, &interesting)) {
      nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
      continue;
    }
    children[i] = 0;
    first = ++i;
    if (interesting) return i - 1;
  }
  return first;
}

size_t dl_first_interesting(dl_interest *test, size_t count, dl_op *const *modules) {
  pid_t *children = dl_calloc(count, sizeof(*children));
  for (size_t i = 0; i < count; i++) children[i] = start(test, modules[i], i);
  test->num_tests += count;
  size_t first = wait_for_first(test, count, children);
  for (size_t i = 0; i < count; i++)
    if (children[i] > 0) stop(children[i]);
  free(children);
  return first;
}
