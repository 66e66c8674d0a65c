// Runs a program in a child process and takes its outputs from a pipe: wrong code may write
// anywhere, and must not take the compiler with it.
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dialects/check_internal.h"

static void ignore(void *user, const dl_diagnostic *diagnostic) { (void)user, (void)diagnostic; }

// --- the pipe: types and identifiers are the same pointers on both sides ---

static bool send(int fd, const void *bytes, size_t size) {
  for (const char *at = bytes; size;) {
    ssize_t sent = write(fd, at, size);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    at += sent;
    size -= (size_t)sent;
  }
  return true;
}

static bool receive(int fd, void *bytes, size_t size) {
  for (char *at = bytes; size;) {
    ssize_t got = read(fd, at, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += got;
    size -= (size_t)got;
  }
  return true;
}

static bool send_array(int fd, const dl_ndarray *array) {
  return send(fd, &array->element, sizeof(array->element)) &&
         send(fd, &array->rank, sizeof(array->rank)) &&
         send(fd, array->shape, array->rank * sizeof(int64_t)) &&
         send(fd, array->data, dl_ndarray_bytes(array));
}

static dl_ndarray *receive_array(int fd) {
  dl_type element;
  size_t rank;
  if (!receive(fd, &element, sizeof(element)) || !receive(fd, &rank, sizeof(rank))) return NULL;
  int64_t *shape = dl_calloc(rank + 1, sizeof(*shape));
  dl_ndarray *array =
      receive(fd, shape, rank * sizeof(*shape)) ? dl_ndarray_create(element, rank, shape) : NULL;
  free(shape);
  if (array && receive(fd, array->data, dl_ndarray_bytes(array))) return array;
  dl_ndarray_release(array);
  return NULL;
}

static bool send_result(int fd, const dl_check_result *result) {
  bool ok = send(fd, &result->outcomes.len, sizeof(size_t));
  for (size_t i = 0; ok && i < result->outcomes.len; i++) {
    const dl_function_outputs *outcome = &result->outcomes.data[i];
    ok = send(fd, &outcome->function, sizeof(outcome->function)) &&
         send(fd, &outcome->set, sizeof(outcome->set)) &&
         send(fd, &outcome->outputs.len, sizeof(size_t));
    for (size_t k = 0; ok && k < outcome->outputs.len; k++)
      ok = send_array(fd, outcome->outputs.data[k]);
  }
  return ok;
}

static bool receive_outcome(int fd, dl_function_outputs *outcome) {
  size_t count;
  if (!receive(fd, &outcome->function, sizeof(outcome->function)) ||
      !receive(fd, &outcome->set, sizeof(outcome->set)) || !receive(fd, &count, sizeof(count)))
    return false;
  for (size_t i = 0; i < count; i++) {
    dl_ndarray *array = receive_array(fd);
    if (!array) return false;
    DL_PUSH(&outcome->outputs, array);
  }
  return true;
}

static dl_check_result *receive_result(int fd) {
  size_t count;
  dl_check_result *result = dl_calloc(1, sizeof(*result));
  bool ok = receive(fd, &count, sizeof(count));
  for (size_t i = 0; ok && i < count; i++) {
    dl_function_outputs outcome = {0};
    ok = receive_outcome(fd, &outcome);
    DL_PUSH(&result->outcomes, outcome);
  }
  if (ok) return result;
  dl_check_free_result(result);
  return NULL;
}

// --- the child ---

static void run_child(dl_context *ctx, dl_check_result *(*run)(void *user), void *user, int fd) {
  static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
  for (size_t i = 0; i < DL_COUNT(signals); i++) signal(signals[i], SIG_DFL);
  dl_set_diag_handler(ctx, ignore, NULL);
  dl_check_result *result = run(user);
  _exit(result && send_result(fd, result) ? 0 : 1);
}

static int wait_for(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

dl_check_result *dl_check_in_child(dl_context *ctx, dl_check_result *(*run)(void *user), void *user,
                                   int *signal_number) {
  int ends[2];
  *signal_number = 0;
  if (pipe(ends)) return NULL;
  pid_t child = fork();
  if (!child) {
    close(ends[0]);
    run_child(ctx, run, user, ends[1]);
  }
  close(ends[1]);
  dl_check_result *result = child > 0 ? receive_result(ends[0]) : NULL;
  close(ends[0]);
  if (child > 0) *signal_number = wait_for(child);
  return result;
}

// --- programs ---

typedef struct program {
  dl_checker *checker;
  dl_op *module;
  const dl_interp_options *options;
} program;

static dl_check_result *run_program(void *user) {
  const program *p = user;
  return dl_check_run(p->checker, p->module, p->options);
}

// The interpreter checks every access, and says what is wrong.
static dl_check_result *interpret_instead(dl_checker *checker, dl_op *module,
                                          const dl_interp_options *options, int signal_number) {
  dl_interp_options careful = *options;
  careful.engine = NULL;
  dl_check_result *result = dl_check_run(checker, module, &careful);
  if (!result || !signal_number) return result;
  dl_check_free_result(result);
  dl_error(dl_op_loc(module),
           "native code for checking ends with signal %d, and the interpreter finds nothing wrong: "
           "the fault is in the code that the target emits",
           signal_number);
  return NULL;
}

dl_check_result *dl_check_run_forked(dl_checker *checker, dl_op *module,
                                     const dl_interp_options *options) {
  program p = {checker, module, options};
  int signal_number;
  dl_check_result *result = dl_check_in_child(checker->ctx, run_program, &p, &signal_number);
  return result ? result : interpret_instead(checker, module, options, signal_number);
}
