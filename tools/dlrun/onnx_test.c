#include "tools/dlrun/onnx_test.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/common/compile.h"
#include "tools/common/interrupt.h"
#include "tools/common/library.h"
#include "tools/dlrun/interpret.h"
#include "tools/dlrun/onnx_compare.h"

#define CASE_SECONDS 300  // a case that takes longer has failed
#define MAX_DEPTH 3       // how far below a folder cases are looked for

typedef enum verdict { PASS, FAIL, UNSUPPORTED } verdict;

// What says that something is not supported is no failure.
static verdict failed(const dl_buffer *why) {
  return why->data && strstr(why->data, "not supported") ? UNSUPPORTED : FAIL;
}

typedef DL_VEC(tensor) tensor_list;
typedef DL_VEC(dlir_value) value_list;

// --- folders ---

static char *join(const char *folder, const char *name) {
  dl_buffer path = {0};
  dl_buffer_printf(&path, "%s/%s", folder, name);
  return path.data;
}

static bool exists(const char *folder, const char *name) {
  char *path = join(folder, name);
  bool found = access(path, F_OK) == 0;
  free(path);
  return found;
}

static int compare_names(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

// The paths of what is in a folder and starts with `prefix`, sorted. Free with free_list.
static dl_cli_list list_folder(const char *folder, const char *prefix) {
  dl_cli_list paths = {0};
  DIR *dir = opendir(folder);
  for (struct dirent *entry; dir && (entry = readdir(dir));)
    if (entry->d_name[0] != '.' && strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
      DL_PUSH(&paths, join(folder, entry->d_name));
  if (dir) closedir(dir);
  if (paths.len) qsort(paths.data, paths.len, sizeof(*paths.data), compare_names);
  return paths;
}

static void free_list(dl_cli_list *paths) {
  for (size_t i = 0; i < paths->len; i++) free((char *)paths->data[i]);
  DL_VEC_FREE(paths);
}

// --- one data set ---

// Reads FOLDER/input_0.pb, input_1.pb and so on (or output_*) as far as they exist.
static bool read_all(const char *folder, const char *kind, tensor_list *list, dl_buffer *why) {
  for (size_t i = 0;; i++) {
    char name[64];
    snprintf(name, sizeof(name), "%s_%zu.pb", kind, i);
    if (!exists(folder, name)) return true;
    char *path = join(folder, name);
    tensor t;
    bool ok = pb_read(path, &t, why);
    free(path);
    if (!ok) return false;
    DL_PUSH(list, t);
  }
}

static void free_tensors(tensor_list *list) {
  for (size_t i = 0; i < list->len; i++) tensor_free(&list->data[i]);
  DL_VEC_FREE(list);
}

static bool compare_outputs(const dlir_model *model, const value_list *actual,
                            const tensor_list *expected, dl_buffer *why) {
  for (size_t i = 0; i < expected->len; i++) {
    dl_buffer difference = {0};
    bool equal = tensors_equal(actual->data[i].u.tensor, &expected->data[i].dl, &difference);
    if (!equal) dl_buffer_printf(why, "output '%s': %s", model->outputs[i].name, difference.data);
    dl_buffer_free(&difference);
    if (!equal) return false;
  }
  return true;
}

static bool run_and_compare(const dlir_model *model, dlir_session *session, tensor_list *inputs,
                            const tensor_list *expected, dl_buffer *why) {
  value_list values = {0}, outputs = {0};
  for (size_t i = 0; i < inputs->len; i++)
    DL_PUSH(&values, (dlir_value){.kind = DLIR_TENSOR, .u.tensor = &inputs->data[i].dl});
  for (size_t i = 0; i < model->num_outputs; i++) DL_PUSH(&outputs, (dlir_value){0});
  bool ok = model->run(session, values.len, values.data, outputs.len, outputs.data) == DLIR_OK;
  if (!ok && why->len == 0) dl_buffer_puts(why, model->last_error(session));
  ok = ok && compare_outputs(model, &outputs, expected, why);
  DL_VEC_FREE(&values);
  DL_VEC_FREE(&outputs);
  return ok;
}

static bool run_data_set(const dlir_model *model, dlir_session *session, const char *folder,
                         dl_buffer *why) {
  tensor_list inputs = {0}, expected = {0};
  bool ok = read_all(folder, "input", &inputs, why) && read_all(folder, "output", &expected, why);
  if (ok && expected.len != model->num_outputs) {
    dl_buffer_printf(why, "the model has %zu outputs, the case %zu", model->num_outputs,
                     expected.len);
    ok = false;
  }
  ok = ok && run_and_compare(model, session, &inputs, &expected, why);
  free_tensors(&inputs);
  free_tensors(&expected);
  return ok;
}

// --- one case ---

static bool has_bfloat16(const dlir_value_info *infos, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (infos[i].dtype.code == kDLBfloat) return true;
  return false;
}

static verdict run_data_sets(const dlir_model *model, const char *folder, dl_buffer *why) {
  dlir_open_options options = {.size = sizeof(options), .threads = 1};
  dlir_session *session = NULL;
  // The cases' data hold truncated bits as uint16 there, not rounded bfloat16.
  if (has_bfloat16(model->inputs, model->num_inputs) ||
      has_bfloat16(model->outputs, model->num_outputs))
    return dl_buffer_puts(why, "test data of type bfloat16 are not supported"), UNSUPPORTED;
  bool ok = model->open(model, &options, &session) == DLIR_OK;
  if (!ok) dl_buffer_puts(why, model->last_error(session));
  dl_cli_list sets = list_folder(folder, "test_data_set_");
  if (sets.len == 0) dl_buffer_puts(why, "the case has no test_data_set_*");
  ok = ok && sets.len > 0;
  for (size_t i = 0; i < sets.len && ok; i++) ok = run_data_set(model, session, sets.data[i], why);
  free_list(&sets);
  model->close(session);
  return ok ? PASS : failed(why);
}

// Keeps the first error and, of a list of notes, the first.
static void record(void *user, const dl_diagnostic *diagnostic) {
  dl_buffer *why = user;
  if (why->len == 0 && diagnostic->severity == DL_ERROR)
    dl_buffer_puts(why, diagnostic->message);
  else if (diagnostic->severity == DL_NOTE && !strstr(why->data, ": node "))
    dl_buffer_printf(why, ": %s", diagnostic->message);
}

static dl_context *make_context(dl_buffer *why) {
  dl_context *ctx = dl_tool_context(NULL, NULL);
  if (ctx) dl_set_diag_handler(ctx, record, why);
  return ctx;
}

static verdict run_interpreted(const char *folder, const char *model, dl_buffer *why) {
  library lib;
  dl_context *ctx = make_context(why);
  if (!ctx || !interpret_open(&lib, ctx, model)) return failed(why);
  verdict result = run_data_sets(lib.model, folder, why);
  library_close(&lib);
  return result;
}

static verdict compile(const char *model, const char *output, const char *target, dl_buffer *why) {
  dl_context *ctx = make_context(why);
  const dl_instrumentation run = {.verify_each = true, .out = stderr};
  dl_compile_options options = {.target = target, .opt_level = 2, .prefix = "model", .run = &run};
  if (!ctx) return FAIL;
  dl_status status = dl_compile_file(ctx, model, output, &options);
  dl_context_destroy(ctx);
  return status == DL_OK ? PASS : failed(why);
}

static verdict run_library(const char *folder, const char *path, dl_buffer *why) {
  library lib;
  if (!library_open(&lib, path, why)) return FAIL;
  verdict result = run_data_sets(lib.model, folder, why);
  library_close(&lib);
  return result;
}

static verdict run_compiled(const char *folder, const char *model, const char *target,
                            const char *scratch, dl_buffer *why) {
  char *output = join(scratch, "model.so");
  verdict result = compile(model, output, target, why);
  if (result == PASS) result = run_library(folder, output, why);
  free(output);
  return result;
}

static verdict run_case(const char *folder, const onnx_test_options *how, const char *scratch,
                        dl_buffer *why) {
  char *model = join(folder, "model.onnx");
  verdict result = how->interpret ? run_interpreted(folder, model, why)
                                  : run_compiled(folder, model, how->target, scratch, why);
  free(model);
  return result;
}

// --- one case in a process of its own ---

static void child(int out, const char *folder, const onnx_test_options *how, const char *scratch) {
  dl_buffer why = {0};
  dl_interrupts_in_child();
  alarm(CASE_SECONDS);
  verdict result = run_case(folder, how, scratch, &why);
  FILE *file = fdopen(out, "w");
  fprintf(file, "%d%s", result, why.data ? why.data : "");
  _exit(fclose(file) == 0 ? DL_EXIT_OK : DL_EXIT_FAILURE);
}

static void read_until_end(int fd, dl_buffer *text) {
  char chunk[4096];
  for (ssize_t n; (n = read(fd, chunk, sizeof(chunk))) > 0;)
    dl_buffer_append(text, chunk, (size_t)n);
}

static verdict judge(int status, const dl_buffer *answer, dl_buffer *why) {
  if (WIFSIGNALED(status)) {
    bool slow = WTERMSIG(status) == SIGALRM;
    dl_buffer_puts(why, slow ? "timed out" : "crashed: ");
    if (!slow) dl_buffer_puts(why, strsignal(WTERMSIG(status)));
    return FAIL;
  }
  if (answer->len == 0 || WEXITSTATUS(status) != DL_EXIT_OK)
    return dl_buffer_puts(why, "ended early"), FAIL;
  dl_buffer_puts(why, answer->data + 1);
  return (verdict)(answer->data[0] - '0');
}

static verdict run_isolated(const char *folder, const onnx_test_options *how, const char *scratch,
                            dl_buffer *why) {
  int ends[2], status = 0;
  dl_buffer answer = {0};
  if (pipe(ends) != 0) return dl_buffer_puts(why, "cannot make a pipe"), FAIL;
  fflush(NULL);
  pid_t pid = fork();
  if (pid == 0) {
    close(ends[0]);
    child(ends[1], folder, how, scratch);
  }
  close(ends[1]);
  if (pid > 0) {
    read_until_end(ends[0], &answer);
    waitpid(pid, &status, 0);
  }
  close(ends[0]);
  verdict result = judge(status, &answer, why);
  dl_buffer_free(&answer);
  return result;
}

// However the process ends, what it has written goes.
static verdict run_in_scratch(const char *folder, const onnx_test_options *how, dl_buffer *why) {
  const char *shared = getenv("TMPDIR");
  dl_buffer scratch = {0};
  dl_buffer_printf(&scratch, "%s/dlrun-XXXXXX", shared && *shared ? shared : "/tmp");
  verdict result = FAIL;
  if (mkdtemp(scratch.data)) {
    dl_temporaries_add(how->temporaries, scratch.data);
    result = run_isolated(folder, how, scratch.data, why);
    dl_remove_tree(scratch.data);
    dl_temporaries_drop(how->temporaries, scratch.data);
  } else {
    dl_buffer_printf(why, "cannot make '%s': %s", scratch.data, strerror(errno));
  }
  dl_buffer_free(&scratch);
  return result;
}

// --- all cases ---

static const char *base_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash && slash[1] ? slash + 1 : path;
}

static void test_case(const char *folder, const onnx_test_options *how, size_t *counts) {
  static const char *const names[] = {"PASS", "FAIL", "UNSUPPORTED"};
  dl_buffer why = {0};
  verdict result = run_in_scratch(folder, how, &why);
  counts[result]++;
  printf("%s %s", names[result], base_name(folder));
  if (result != PASS) printf(" (%s)", why.data);
  putchar('\n');
  dl_buffer_free(&why);
}

static void test_folder(const char *folder, unsigned depth, const onnx_test_options *how,
                        size_t *counts) {
  if (exists(folder, "model.onnx")) {
    test_case(folder, how, counts);
    return;
  }
  if (depth == 0) return;
  dl_cli_list paths = list_folder(folder, "");
  for (size_t i = 0; i < paths.len; i++) test_folder(paths.data[i], depth - 1, how, counts);
  free_list(&paths);
}

int onnx_test(const dl_cli_list *folders, const onnx_test_options *how) {
  size_t counts[3] = {0};
  for (size_t i = 0; i < folders->len; i++) test_folder(folders->data[i], MAX_DEPTH, how, counts);
  if (counts[PASS] + counts[FAIL] + counts[UNSUPPORTED] == 0)
    return dl_cli_error("dlrun", "no test case found in '%s'%s", (const char *)folders->data[0],
                        folders->len > 1 ? ", …" : "");
  printf("%zu passed, %zu failed, %zu skipped\n", counts[PASS], counts[FAIL], counts[UNSUPPORTED]);
  return counts[FAIL] ? DL_EXIT_FAILURE : DL_EXIT_OK;
}
