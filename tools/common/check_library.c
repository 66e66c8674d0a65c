#include "tools/common/check_library.h"

#include "dialects/interp.h"
#include "tools/common/arrays.h"
#include "tools/common/library.h"

typedef struct code {
  const char *path;
  dl_type signature;
  size_t num_runs;
} code;

static bool open_session(library *lib, const char *path, int32_t threads, dlir_session **session) {
  const dlir_open_options options = {.size = sizeof(options), .threads = threads};
  dl_buffer why = {0};
  bool ok = library_open(lib, path, &why);
  dl_buffer_free(&why);
  return ok && lib->model->open(lib->model, &options, session) == DLIR_OK;
}

// By one thread or several, which must not matter. Not closed: the process ends after the last run.
static bool run(void *user, size_t num_inputs, dl_ndarray *const *inputs, size_t *num_outputs,
                dl_ndarray ***outputs) {
  code *c = user;
  library lib;
  dlir_session *session;
  if (!open_session(&lib, c->path, c->num_runs++ % 2 ? 3 : 1, &session)) return false;
  size_t count = c->signature->num_results;
  DLTensor *tensors = dl_calloc(num_inputs + 1, sizeof(*tensors));
  dlir_value *values = dl_calloc(num_inputs + count + 1, sizeof(*values));
  for (size_t i = 0; i < num_inputs; i++) {
    tensors[i] = dl_view_of_array(inputs[i]);
    values[i] = (dlir_value){.kind = DLIR_TENSOR, .u.tensor = &tensors[i]};
  }
  bool ok = lib.model->run(session, num_inputs, values, count, values + num_inputs) == DLIR_OK;
  *num_outputs = count;
  *outputs = dl_calloc(count + 1, sizeof(**outputs));
  for (size_t i = 0; ok && i < count; i++) {
    (*outputs)[i] = dl_array_of_tensor(values[num_inputs + i].u.tensor, c->signature->results[i]);
    ok = (*outputs)[i] != NULL;
  }
  return ok;
}

static bool can_run(const char *path) {
  library lib;
  dlir_session *session = NULL;
  bool ok = open_session(&lib, path, 1, &session);
  if (lib.model) {
    lib.model->close(session);
    library_close(&lib);
  }
  return ok;
}

dl_status dl_check_library(dl_checker *checker, dl_op *module, const char *path) {
  dl_op *main = dl_symbol_lookup(module, dl_intern_z(dl_op_context(module), "main"));
  if (!main || !can_run(path)) return DL_OK;
  code c = {path, dl_interp_signature(main), 0};
  return dl_checker_compare_code(checker, module, run, &c);
}
