#include "tools/common/compile.h"

#include "ir/binary.h"
#include "ir/files.h"
#include "ir/plugin.h"
#include "ir/spec.h"
#include "ir/text.h"
#include "tools/common/report.h"

dl_status dl_tool_register(dl_context *ctx, const dl_extensions *extensions) {
  DL_TRY(dl_register_builtin_dialects(ctx));
  DL_TRY(dl_register_builtin_passes(ctx));
  for (size_t i = 0; extensions && i < extensions->plugins.len; i++)
    DL_TRY(dl_load_plugin(ctx, extensions->plugins.data[i]));
  for (size_t i = 0; extensions && i < extensions->dialects.len; i++)
    DL_TRY(dl_load_dialect_yaml(ctx, extensions->dialects.data[i]));
  return DL_OK;
}

dl_context *dl_tool_context(const dl_extensions *extensions, dl_temporaries *temporaries) {
  dl_context *ctx = dl_context_create();
  dl_set_temporaries(ctx, temporaries);
  dl_set_diag_handler(ctx, dl_print_diagnostic, stderr);
  if (dl_tool_register(ctx, extensions) == DL_OK) return ctx;
  dl_context_destroy(ctx);
  return NULL;
}

void dl_extensions_free(dl_extensions *extensions) {
  DL_VEC_FREE(&extensions->plugins);
  DL_VEC_FREE(&extensions->dialects);
}

static void report(const dl_compile_options *options, const char *stage) {
  if (options->progress) options->progress(stage);
}

static dl_loc file_loc(dl_context *ctx, const char *path) {
  return dl_loc_file(ctx, dl_intern_z(ctx, path), 0, 0);
}

// --- reading ---

static bool ends_with(const char *text, const char *suffix) {
  size_t len = strlen(text), tail = strlen(suffix);
  return len >= tail && !strcmp(text + len - tail, suffix);
}

static dl_op *import(dl_context *ctx, const char *path, const dl_compile_options *options) {
  const dl_target_def *importer = NULL;
  if (dl_load_target(ctx, "onnx") == DL_OK) importer = dl_find_importer(ctx, path);
  if (!importer) {
    dl_error(file_loc(ctx, path),
             "no importer for this kind of file; known are .dlir, .dlbc and .onnx");
    return NULL;
  }
  DL_VEC(dl_named_text) texts = {0};
  for (size_t i = 0; i < options->num_shapes; i++)
    DL_PUSH(&texts, (dl_named_text){"shape", options->shapes[i]});
  for (size_t i = 0; i < options->num_exposed; i++)
    DL_PUSH(&texts, (dl_named_text){"expose", options->exposed[i]});
  dl_op *module = importer->import(ctx, path, texts.data, texts.len);
  DL_VEC_FREE(&texts);
  return module;
}

static bool accepts_shapes(dl_context *ctx, const char *path, const dl_compile_options *options) {
  if (!options->num_shapes && !options->num_exposed) return true;
  dl_error(file_loc(ctx, path), "--shape and --expose are for models that are imported");
  return false;
}

dl_op *dl_load_model(dl_context *ctx, const char *path, const dl_compile_options *options) {
  report(options, "reading");
  dl_op *module = NULL;
  bool is_ir = ends_with(path, ".dlir") || ends_with(path, ".dlbc") || dl_is_binary_file(path);
  if (!is_ir)
    module = import(ctx, path, options);
  else if (accepts_shapes(ctx, path, options))
    module = dl_parse_file(ctx, path);
  if (!module || dl_verify(module) == DL_OK) return module;
  dl_op_destroy_tree(module);
  return NULL;
}

// --- levels ---

static bool holds_tensors(dl_op *op) {
  for (size_t i = 0; i < dl_num_regions(op); i++) {
    dl_block *block = dl_region_first(dl_op_region(op, i));
    for (size_t j = 0; block && j < dl_num_args(block); j++)
      if (dl_is_tensor(dl_value_type(dl_arg(block, j)))) return true;
  }
  return false;
}

static bool lower_level(dl_op *op, void *user) {
  dl_level *level = user;
  const char *name = dl_op_name(op);
  if (!strncmp(name, "graph.", 6) || dl_op_def_of(op)->compute) *level = DL_LEVEL_GRAPH;
  if (*level == DL_LEVEL_LOOP && (!strncmp(name, "tensor.", 7) || holds_tensors(op)))
    *level = DL_LEVEL_TENSOR;
  return *level != DL_LEVEL_GRAPH;
}

dl_level dl_module_level(dl_op *module) {
  dl_level level = DL_LEVEL_LOOP;
  dl_walk(module, lower_level, &level);
  return level;
}

static dl_level goal_of(const dl_compile_options *options) {
  static const char *const names[] = {"graph", "tensor", "loop"};
  for (size_t i = 0; options->emit && i < DL_COUNT(names); i++)
    if (!strcmp(options->emit, names[i])) return (dl_level)i;
  return DL_LEVEL_CODE;
}

dl_status dl_compile_pipeline(dl_op *module, const dl_compile_options *options, dl_buffer *text) {
  static const char *const pipelines[] = {"graph-pipeline", "tensor-pipeline", "loop-pipeline"};
  static const char *const names[] = {"graph", "tensor", "loop"};
  dl_level from = dl_module_level(module), goal = goal_of(options);
  if (goal < from)
    return dl_error(dl_op_loc(module),
                    "the module is at the %s level already, below what --emit=%s asks for",
                    names[from], names[goal]);
  dl_buffer_puts(text, "builtin.module(");
  for (dl_level level = from; level <= goal && level <= DL_LEVEL_LOOP; level++)
    dl_buffer_printf(text, "%s%s", level > from ? "," : "", pipelines[level]);
  dl_buffer_puts(text, ")");
  return DL_OK;
}

// --- lowering ---

static const char *target_name(const dl_compile_options *options) {
  return options->target ? options->target : "cpu";
}

static dl_status load_target_module(dl_context *ctx, const char *name) {
  static const struct {
    const char *target, *module;
  } modules[] = {{"cpu", "llvm"}, {"opencl", "spirv"}};
  for (size_t i = 0; i < DL_COUNT(modules); i++)
    if (!strcmp(modules[i].target, name)) return dl_load_target(ctx, modules[i].module);
  return DL_OK;
}

static const dl_target_def *load_target(dl_op *module, const dl_compile_options *options) {
  dl_context *ctx = dl_op_context(module);
  const char *name = target_name(options);
  if (load_target_module(ctx, name) != DL_OK) return NULL;
  const dl_target_def *target = dl_find_target(ctx, name);
  if (!target) dl_error(dl_op_loc(module), "no target '%s'", name);
  return target;
}

// A module that says for which machine it was lowered keeps that, unless another one is asked for.
static dl_status describe_machine(dl_op *module, const dl_target_def *target,
                                  const dl_compile_options *options) {
  bool asked = options->march || options->mcpu;
  if (!target->describe || (dl_get_attr(module, "dlir.machine") && !asked)) return DL_OK;
  dl_named_text texts[2];
  size_t count = 0;
  if (options->march) texts[count++] = (dl_named_text){"march", options->march};
  if (options->mcpu) texts[count++] = (dl_named_text){"mcpu", options->mcpu};
  return target->describe(module, texts, count);
}

// Keeps the text of what is reported.
static void record(void *user, const dl_diagnostic *diagnostic) {
  dl_buffer *text = user;
  dl_buffer_printf(text, "%s%s", text->len ? "; " : "", diagnostic->message);
}

static int check_description(const char *tool, dl_context *ctx, const dl_target_def *target,
                             const dl_compile_options *options) {
  dl_buffer why = {0};
  dl_op *module = dl_parse_module(ctx, DL_STR(""), "command line");
  dl_set_diag_handler(ctx, record, &why);
  bool known = describe_machine(module, target, options) == DL_OK;
  dl_set_diag_handler(ctx, dl_print_diagnostic, stderr);
  dl_op_destroy_tree(module);
  const char *culprits = !options->mcpu    ? "--march"
                         : !options->march ? "--mcpu"
                                           : "--march, --mcpu";
  int status =
      known ? DL_EXIT_OK : dl_cli_usage_error(tool, "%s: %s", culprits, why.len ? why.data : "");
  dl_buffer_free(&why);
  return status;
}

int dl_check_machine(const char *tool, dl_context *ctx, const dl_compile_options *options) {
  const char *name = target_name(options);
  if (load_target_module(ctx, name) != DL_OK) return DL_EXIT_FAILURE;
  const dl_target_def *target = dl_find_target(ctx, name);
  if (!target)
    return dl_cli_usage_error(tool, "--target: no target '%s'; known are cpu and opencl", name);
  bool is_file = options->mcpu && ends_with(options->mcpu, ".yaml");
  if (is_file || !(options->march || options->mcpu)) return DL_EXIT_OK;
  return check_description(tool, ctx, target, options);
}

static void allow_error(dl_op *module, const dl_compile_options *options) {
  if (options->tolerance <= 0) return;
  dl_type f64 = dl_float_type(dl_op_context(module), DL_F64);
  dl_set_attr(module, "dlir.tolerance", dl_float_attr(f64, options->tolerance));
}

static dl_status run_pipeline(dl_op *module, const dl_compile_options *options) {
  dl_buffer text = {0};
  dl_status status = dl_compile_pipeline(module, options, &text);
  if (status == DL_OK) {
    dl_pass_manager *pm = dl_parse_pipeline(dl_op_context(module), (dl_str){text.data, text.len});
    if (pm && options->run) dl_set_instrumentation(pm, options->run);
    status = pm ? dl_run_pipeline(pm, module) : DL_FAILED;
    if (pm) dl_pass_manager_destroy(pm);
  }
  dl_buffer_free(&text);
  return status;
}

// The schedules are seen at the tensor level, the launches at the loop level.
static dl_status lower_and_report(dl_op *module, const dl_compile_options *options) {
  if (dl_module_level(module) > DL_LEVEL_TENSOR || goal_of(options) < DL_LEVEL_LOOP)
    return dl_error(dl_op_loc(module),
                    "--report needs a model above the loop level, compiled to it");
  dl_compile_options to_tensor = *options;
  to_tensor.emit = "tensor";
  dl_buffer page = {0};
  dl_status status = run_pipeline(module, &to_tensor);
  if (status == DL_OK) {
    dl_report_kernels(&page, module, options->report);
    // The tensor pipeline has nothing left to do on kernels.
    status = run_pipeline(module, options);
  }
  if (status == DL_OK) {
    dl_report_launches(&page, module);
    dl_str text = {page.data, page.len};
    dl_temporaries *temporaries = dl_get_temporaries(dl_op_context(module));
    if (!dl_cli_write_file("dlc", temporaries, options->report, text)) status = DL_FAILED;
  }
  dl_buffer_free(&page);
  return status;
}

static dl_status lower(dl_op *module, const dl_compile_options *options) {
  report(options, "lowering");
  return options->report ? lower_and_report(module, options) : run_pipeline(module, options);
}

// ".so" of "lib/model.so"; empty without one.
static const char *suffix_of(const char *path) {
  const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
  return dot ? dot : path + strlen(path);
}

// The output's name without folder and suffix, as an identifier.
static char *prefix_of(const char *output) {
  const char *slash = strrchr(output, '/'), *stem = slash ? slash + 1 : output;
  size_t len = strcspn(stem, ".");
  dl_buffer text = {0};
  if (!len || (stem[0] >= '0' && stem[0] <= '9')) dl_buffer_putc(&text, '_');
  for (size_t i = 0; i < len; i++) {
    char c = stem[i];
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    dl_buffer_putc(&text, plain ? c : '_');
  }
  return text.data;
}

static dl_status emit_code(dl_op *module, const dl_target_def *target, const char *output,
                           const dl_compile_options *options) {
  if (!target->emit)
    return dl_error(dl_op_loc(module), "the target '%s' emits no code", target->name);
  const char *kind = options->emit ? options->emit : "so";
  bool binary = !strcmp(kind, "so") || !strcmp(kind, "obj");
  char *prefix = options->prefix ? strdup(options->prefix) : prefix_of(output), level[2];
  snprintf(level, sizeof(level), "%d", options->opt_level);
  dl_buffer header = {0};
  dl_buffer_append(&header, output, strlen(output) - strlen(suffix_of(output)));
  dl_buffer_puts(&header, ".h");
  dl_named_text texts[4] = {{"prefix", prefix}, {"opt", level}};
  size_t count = 2;
  if (options->header && binary && !dl_is_special_file(output))
    texts[count++] = (dl_named_text){"header", header.data};
  if (options->weights) texts[count++] = (dl_named_text){"weights", options->weights};
  dl_status status = target->emit(module, kind, output, texts, count);
  dl_buffer_free(&header);
  free(prefix);
  return status;
}

static dl_status emit(dl_op *module, const dl_target_def *target, const char *output,
                      const dl_compile_options *options) {
  report(options, "emitting");
  if (goal_of(options) == DL_LEVEL_CODE) return emit_code(module, target, output, options);
  dl_print_options print = {.locations = true};
  return dl_write_module(module, output, &print);
}

dl_status dl_compile_module(dl_op *module, const char *output, const dl_compile_options *options) {
  const dl_target_def *target = load_target(module, options);
  if (!target) return DL_FAILED;
  DL_TRY(describe_machine(module, target, options));
  allow_error(module, options);
  DL_TRY(lower(module, options));
  return emit(module, target, output, options);
}

dl_status dl_compile_file(dl_context *ctx, const char *input, const char *output,
                          const dl_compile_options *options) {
  dl_op *module = dl_load_model(ctx, input, options);
  if (!module) return DL_FAILED;
  dl_status status = dl_compile_module(module, output, options);
  dl_op_destroy_tree(module);
  return status;
}
