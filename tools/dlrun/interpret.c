#include "tools/dlrun/interpret.h"

#include "dialects/interp.h"
#include "tools/common/arrays.h"
#include "tools/common/compile.h"
#include "tools/common/tensor.h"

typedef struct interpreted {
  dlir_model table;  // first, so that a pointer to one is a pointer to the other
  dl_op *module;
  dl_arena *arena;  // of the descriptions of values
} interpreted;

struct dlir_session {
  const interpreted *model;
  size_t num_outputs;
  dl_ndarray **outputs;  // of the last run
  DLTensor *tensors;     // views of them
  dl_buffer error;
};

// --- descriptions ---

static dlir_value_info describe(dl_arena *arena, const char *name, dl_type type) {
  bool is_tensor = dl_is_tensor(type) && !type->unranked;
  size_t rank = is_tensor ? type->rank : 0;
  int64_t *shape = dl_arena_alloc(arena, (rank + 1) * sizeof(*shape));
  for (size_t i = 0; i < rank; i++) shape[i] = type->shape[i] == DL_DYNAMIC ? -1 : type->shape[i];
  return (dlir_value_info){.name = name,
                           .kind = DLIR_TENSOR,
                           .dtype = dl_array_dtype(dl_element_type(type)),
                           .rank = (int32_t)rank,
                           .shape = shape,
                           .symbols = dl_arena_alloc(arena, (rank + 1) * sizeof(char *))};
}

static const dlir_value_info *describe_all(dl_arena *arena, const dl_op *function, bool is_input,
                                           size_t count, const dl_type *types) {
  dlir_value_info *infos = dl_arena_alloc(arena, (count + 1) * sizeof(*infos));
  for (size_t i = 0; i < count; i++)
    infos[i] = describe(arena, dl_entry_value_name(function, is_input, i), types[i]);
  return infos;
}

// --- sessions ---

static dlir_status open_session(const dlir_model *model, const dlir_open_options *options,
                                dlir_session **session) {
  (void)options;
  *session = dl_calloc(1, sizeof(**session));
  (*session)->model = (const interpreted *)model;
  return DLIR_OK;
}

static void release_outputs(dlir_session *session) {
  if (session->outputs) dl_interp_release(session->num_outputs, session->outputs);
  free(session->tensors);
  session->outputs = NULL;
  session->tensors = NULL;
}

static void close_session(dlir_session *session) {
  if (!session) return;
  release_outputs(session);
  dl_buffer_free(&session->error);
  free(session);
}

static const char *last_error(const dlir_session *session) {
  return session->error.data ? session->error.data : "";
}

static size_t no_profile(dlir_session *session, const dlir_profile_entry **entries) {
  (void)session;
  *entries = NULL;
  return 0;
}

static dlir_status no_shapes(dlir_session *session, size_t num_inputs, const dlir_value *inputs,
                             size_t num_outputs, dlir_value *outputs) {
  (void)session, (void)num_inputs, (void)inputs, (void)num_outputs, (void)outputs;
  return DLIR_UNSUPPORTED;
}

// --- runs ---

static bool make_inputs(dlir_session *session, const dlir_value *inputs, dl_ndarray **arrays) {
  const interpreted *model = session->model;
  dl_op *main = dl_symbol_lookup(model->module, dl_intern_z(dl_op_context(model->module), "main"));
  dl_type signature = dl_interp_signature(main);
  for (size_t i = 0; i < model->table.num_inputs; i++) {
    arrays[i] = dl_array_of_tensor(inputs[i].u.tensor, signature->inputs[i]);
    if (arrays[i]) continue;
    dl_buffer_printf(&session->error, "input '%s' has another type or shape than the model's",
                     model->table.inputs[i].name);
    return false;
  }
  return true;
}

static dlir_status interpret(dlir_session *session, dl_ndarray *const *inputs,
                             dlir_value *outputs) {
  const interpreted *model = session->model;
  dl_ident name = dl_intern_z(dl_op_context(model->module), "main");
  dl_status status = dl_interp_run(model->module, name, model->table.num_inputs, inputs,
                                   &session->num_outputs, &session->outputs, NULL);
  if (status != DL_OK) {
    session->outputs = NULL;
    dl_buffer_puts(&session->error, "the interpreter could not run the model");
    return DLIR_UNSUPPORTED;
  }
  session->tensors = dl_calloc(session->num_outputs + 1, sizeof(*session->tensors));
  for (size_t i = 0; i < session->num_outputs; i++) {
    session->tensors[i] = dl_view_of_array(session->outputs[i]);
    outputs[i] = (dlir_value){.kind = DLIR_TENSOR, .u.tensor = &session->tensors[i]};
  }
  return DLIR_OK;
}

static dlir_status run(dlir_session *session, size_t num_inputs, const dlir_value *inputs,
                       size_t num_outputs, dlir_value *outputs) {
  const dlir_model *table = &session->model->table;
  release_outputs(session);
  session->error.len = 0;
  if (num_inputs != table->num_inputs || num_outputs != table->num_outputs) {
    dl_buffer_printf(&session->error, "the model has %zu inputs and %zu outputs", table->num_inputs,
                     table->num_outputs);
    return DLIR_INVALID_ARGUMENT;
  }
  dl_ndarray **arrays = dl_calloc(num_inputs + 1, sizeof(*arrays));
  bool ok = make_inputs(session, inputs, arrays);
  dlir_status status = ok ? interpret(session, arrays, outputs) : DLIR_INVALID_ARGUMENT;
  for (size_t i = 0; i < num_inputs; i++) dl_ndarray_release(arrays[i]);
  free(arrays);
  return status;
}

// --- models ---

static void release(const dlir_model *table) {
  interpreted *model = (interpreted *)table;
  dl_context *ctx = dl_op_context(model->module);
  dl_op_destroy_tree(model->module);
  dl_context_destroy(ctx);
  dl_arena_destroy(model->arena);
  free(model);
}

static const dlir_model *make_model(dl_op *module, const dl_op *main) {
  interpreted *model = dl_calloc(1, sizeof(*model));
  dl_type type = dl_interp_signature(main);
  dl_arena *arena = dl_arena_create();
  model->module = module;
  model->arena = arena;
  model->table = (dlir_model){
      .size = sizeof(dlir_model),
      .version = DLIR_MODEL_VERSION,
      .name = "interpreted",
      .num_inputs = type->num_inputs,
      .num_outputs = type->num_results,
      .inputs = describe_all(arena, main, true, type->num_inputs, type->inputs),
      .outputs = describe_all(arena, main, false, type->num_results, type->results),
      .open = open_session,
      .run = run,
      .infer_shapes = no_shapes,
      .last_error = last_error,
      .profile = no_profile,
      .close = close_session,
  };
  return &model->table;
}

bool interpret_open(library *lib, dl_context *ctx, const char *path) {
  const dl_compile_options none = {0};
  dl_op *module = dl_load_model(ctx, path, &none);
  dl_op *main = module ? dl_symbol_lookup(module, dl_intern_z(ctx, "main")) : NULL;
  if (module && !main) dl_error(dl_op_loc(module), "the module has no function @main");
  *lib = (library){.release = release};
  if (main) lib->model = make_model(module, main);
  if (main) return true;
  if (module) dl_op_destroy_tree(module);
  dl_context_destroy(ctx);
  *lib = (library){0};
  return false;
}
