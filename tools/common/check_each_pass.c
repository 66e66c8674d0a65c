#include "tools/common/check_each_pass.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "dialects/interp.h"
#include "tools/common/arrays.h"
#include "tools/common/lazy_engine.h"
#include "tools/common/tensor.h"

static dl_buffer file_of(const char *folder, dl_ident name) {
  dl_buffer path = {0};
  dl_buffer_printf(&path, "%s/", folder);
  dl_append_file_name(&path, name);
  dl_buffer_puts(&path, ".npy");
  return path;
}

static dl_ndarray *read_value(const char *folder, const dl_op *main, bool is_input, size_t i,
                              dl_type type) {
  dl_ident name = dl_entry_value_name(main, is_input, i);
  dl_buffer path = file_of(folder, name), why = {0};
  tensor read = {0};
  dl_ndarray *array = NULL;
  if (npy_read(path.data, &read, &why)) {
    array = dl_array_of_tensor(&read.dl, type);
    if (!array)
      dl_buffer_printf(&why, "'%s' has another type or shape than the %s", path.data,
                       is_input ? "input" : "output");
    tensor_free(&read);
  }
  if (!array)
    dl_error(dl_op_loc(main), "%s '%s': %s", is_input ? "input" : "output", name, why.data);
  dl_buffer_free(&path);
  dl_buffer_free(&why);
  return array;
}

static dl_status read_inputs(const char *folder, const dl_op *main, dl_checker *checker) {
  dl_type signature = dl_interp_signature(main);
  size_t count = signature->num_inputs, read = 0;
  dl_ndarray **arrays = dl_calloc(count + 1, sizeof(*arrays));
  while (read < count &&
         (arrays[read] = read_value(folder, main, true, read, signature->inputs[read])))
    read++;
  if (read == count) dl_checker_set_inputs(checker, count, arrays);
  for (size_t i = 0; i < read; i++) dl_ndarray_release(arrays[i]);
  free(arrays);
  return read == count ? DL_OK : DL_FAILED;
}

static bool is_given(const char *folder, const dl_op *main, size_t i) {
  dl_buffer path = file_of(folder, dl_entry_value_name(main, false, i));
  bool given = access(path.data, R_OK) == 0;
  dl_buffer_free(&path);
  return given;
}

// Outputs in the folder, another implementation's, say whether the program is right to begin with.
static dl_status compare_outputs(const char *folder, const dl_op *main, dl_op *module,
                                 dl_checker *checker) {
  dl_type signature = dl_interp_signature(main);
  size_t count = signature->num_results, known = 0;
  dl_ndarray **arrays = dl_calloc(count + 1, sizeof(*arrays));
  dl_status status = DL_OK;
  for (size_t i = 0; status == DL_OK && i < count; i++) {
    if (!is_given(folder, main, i)) continue;
    arrays[i] = read_value(folder, main, false, i, signature->results[i]);
    if (!arrays[i]) status = DL_FAILED;
    known++;
  }
  if (status == DL_OK && known) status = dl_checker_compare_outputs(checker, module, count, arrays);
  for (size_t i = 0; i < count; i++) dl_ndarray_release(arrays[i]);
  free(arrays);
  return status;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

// Short runs are silent.
static void report(void *user, const char *pass, size_t number, size_t total, double seconds) {
  enum { LONG = 3 };
  const dl_check_session *session = user;
  double all = now() - session->start;
  if (all < LONG) return;
  fprintf(stderr, "%s: [%zu/%zu] checked %s in %.1f s (%.0f s so far)\n", session->tool, number,
          total, pass, seconds, all);
}

dl_status dl_check_begin(const char *tool, const dl_check_options *options, dl_op *module,
                         dl_instrumentation *run, dl_check_session *session) {
  *session = (dl_check_session){.tool = tool};
  if (!options->each_pass && !options->inputs) return DL_OK;
  dl_context *ctx = dl_op_context(module);
  session->start = now();
  session->engine = dl_lazy_engine_create(ctx);
  session->checker = dl_checker_create(ctx, 0);
  dl_checker_set_engine(session->checker, session->engine);
  run->check = dl_checker_executor(session->checker);
  run->checked = report;
  run->checked_user = session;
  if (!options->inputs) return DL_OK;
  dl_op *main = dl_symbol_lookup(module, dl_intern_z(ctx, "main"));
  if (!main || !dl_interp_signature(main))
    return dl_error(dl_op_loc(module), "--check-inputs needs a function @main");
  DL_TRY(read_inputs(options->inputs, main, session->checker));
  return compare_outputs(options->inputs, main, module, session->checker);
}

void dl_check_end(dl_check_session *session) {
  dl_checker_destroy(session->checker);
  if (session->engine) session->engine->destroy(session->engine);
  *session = (dl_check_session){0};
}
