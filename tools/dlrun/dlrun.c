// dlrun: runs compiled models, and compiles them first where needed.
#define _GNU_SOURCE  // sched_getaffinity
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/common/arrays.h"
#include "tools/common/cli.h"
#include "tools/common/compile.h"
#include "tools/common/interrupt.h"
#include "tools/common/library.h"
#include "tools/common/tensor.h"
#include "tools/dlrun/bench.h"
#include "tools/dlrun/interpret.h"
#include "tools/dlrun/onnx_compare.h"
#include "tools/dlrun/onnx_test.h"
#include "tools/dlrun/roof.h"

typedef struct options {
  dl_cli_list models, inputs;
  dl_extensions extensions;
  const char *output_dir, *target;
  int64_t threads, seed;
  double seconds;
  bool bench, json, profile, pin, quiet, interpret, onnx_test;
  dl_temporaries *temporaries;
} options;

static bool is_thread_count(const char *value) {
  char *end;
  long count = strtol(value, &end, 10);
  return *value && !*end && count >= 1 && count <= 4096;
}

static const dl_cli_option option_table[] = {
    DL_CLI_VALID(LIST, "input", options, inputs, "NAME=FILE",
                 "An input (.npy, .pb); others are random", dl_cli_is_pair),
    DL_CLI(TEXT, "output-dir", options, output_dir, "DIR", "Write the outputs as DIR/NAME.npy"),
    DL_CLI_VALID(INT, "threads", options, threads, "1…4096",
                 "Threads to run on (default: all CPUs)", is_thread_count),
    DL_CLI(BOOL, "pin", options, pin, NULL, "Pin the threads to CPUs"),
    DL_CLI(INT, "seed", options, seed, "N", "For random inputs (default: 0)"),
    DL_CLI(BOOL, "bench", options, bench, NULL, "Measure the time of a run"),
    DL_CLI(NUMBER, "seconds", options, seconds, "S", "How long to measure (default: 2)"),
    DL_CLI(BOOL, "profile", options, profile, NULL, "Show the time of each layer"),
    DL_CLI(BOOL, "json", options, json, NULL, "End with --bench and --profile as JSON in one line"),
    DL_CLI(BOOL, "interpret", options, interpret, NULL,
           "Run .onnx or .dlir of any level in the reference interpreter"),
    DL_CLI(TEXT, "target", options, target, "NAME",
           "What to compile .onnx and .dlir for: cpu (default), opencl"),
    DL_CLI_EXTENSIONS(options),
    DL_CLI(BOOL, "onnx-test", options, onnx_test, NULL,
           "Run ONNX's backend test cases in and below the given folders"),
    DL_CLI(BOOL, "quiet", options, quiet, NULL, "Do not describe the outputs"),
};

static const dl_cli cli = {
    .tool = "dlrun",
    .usage = "MODEL.so|MODEL.onnx|MODEL.dlir|MODEL.dlbc [options]\n       dlrun --onnx-test DIR...",
    .overview = "Runs a model. One that is not compiled yet is compiled for this machine first.",
    .num_options = DL_COUNT(option_table),
    .options = option_table,
    .positional = offsetof(options, models),
};

// A model open for running, with its values.
typedef struct program {
  const options *options;
  dl_buffer scratch;  // the folder of a library made for this run; empty without
  library lib;
  dlir_session *session;
  tensor *tensors;  // per input
  dlir_value *inputs, *outputs;
} program;

static bool complain(dl_buffer *why) {
  dl_cli_error("dlrun", "%s", why->len ? why->data : "failed");
  dl_buffer_free(why);
  return false;
}

// --- loading ---

static bool ends_with(const char *text, const char *suffix) {
  size_t len = strlen(text), tail = strlen(suffix);
  return len >= tail && !strcmp(text + len - tail, suffix);
}

// The exit status.
static int compile_to(const options *o, const char *output) {
  dl_context *ctx = dl_tool_context(&o->extensions, o->temporaries);
  if (!ctx) return DL_EXIT_FAILURE;
  dl_compile_options options = {.target = o->target, .opt_level = 2, .prefix = "model"};
  int status = dl_check_machine("dlrun", ctx, &options);
  if (status == DL_EXIT_OK && dl_compile_file(ctx, o->models.data[0], output, &options) != DL_OK)
    status = DL_EXIT_FAILURE;
  dl_context_destroy(ctx);
  return status;
}

// The exit status.
static int open_library(library *lib, const char *path) {
  dl_buffer why = {0};
  return library_open(lib, path, &why) || complain(&why) ? DL_EXIT_OK : DL_EXIT_FAILURE;
}

static int compile_and_open(program *p) {
  const char *shared = getenv("TMPDIR");
  dl_buffer path = {0};
  dl_buffer_printf(&p->scratch, "%s/dlrun-XXXXXX", shared && *shared ? shared : "/tmp");
  if (!mkdtemp(p->scratch.data)) {
    dl_cli_error("dlrun", "cannot make '%s': %s", p->scratch.data, strerror(errno));
    dl_buffer_free(&p->scratch);
    return DL_EXIT_FAILURE;
  }
  dl_temporaries_add(p->options->temporaries, p->scratch.data);
  dl_buffer_printf(&path, "%s/model.so", p->scratch.data);
  int status = compile_to(p->options, path.data);
  if (status == DL_EXIT_OK) status = open_library(&p->lib, path.data);
  dl_buffer_free(&path);
  return status;
}

// An open model needs its files no more.
static void remove_scratch(program *p) {
  if (!p->scratch.len) return;
  dl_remove_tree(p->scratch.data);
  dl_temporaries_drop(p->options->temporaries, p->scratch.data);
  dl_buffer_free(&p->scratch);
}

static int load_to_interpret(library *lib, const options *o) {
  const char *path = o->models.data[0];
  if (ends_with(path, ".so")) {
    dl_cli_error("dlrun", "'%s' is compiled; --interpret is for .onnx and .dlir", path);
    return DL_EXIT_FAILURE;
  }
  dl_context *ctx = dl_tool_context(&o->extensions, o->temporaries);
  return ctx && interpret_open(lib, ctx, path) ? DL_EXIT_OK : DL_EXIT_FAILURE;
}

static int load(program *p) {
  const char *path = p->options->models.data[0];
  if (p->options->interpret) return load_to_interpret(&p->lib, p->options);
  return ends_with(path, ".so") ? open_library(&p->lib, path) : compile_and_open(p);
}

static bool open_session(program *p) {
  dlir_open_options open = {.size = sizeof(open), .threads = (int32_t)p->options->threads};
  if (p->options->pin) open.flags |= DLIR_OPEN_PIN;
  if (p->options->profile) open.flags |= DLIR_OPEN_PROFILE;
  const dlir_model *model = p->lib.model;
  if (!model->open(model, &open, &p->session)) return true;
  dl_cli_error("dlrun", "%s", model->last_error(p->session));
  return false;
}

// --- inputs ---

static void print_info(dl_buffer *out, const dlir_value_info *info) {
  tensor_print_shape(out, info->dtype, info->rank, info->shape, info->symbols);
}

static bool same_dtype(DLDataType a, DLDataType b) { return a.code == b.code && a.bits == b.bits; }

static bool fits(const dlir_value_info *info, const DLTensor *t) {
  if (!same_dtype(info->dtype, t->dtype) || info->rank != t->ndim) return false;
  for (int32_t i = 0; i < t->ndim; i++)
    if (info->shape[i] >= 0 && info->shape[i] != t->shape[i]) return false;
  return true;
}

static bool read_input(const dlir_value_info *info, const char *path, tensor *t) {
  dl_buffer why = {0};
  if (!(ends_with(path, ".pb") ? pb_read : npy_read)(path, t, &why)) return complain(&why);
  if (fits(info, &t->dl)) return true;
  dl_buffer_printf(&why, "input '%s': expected ", info->name);
  print_info(&why, info);
  dl_buffer_printf(&why, ", '%s' holds ", path);
  tensor_print_shape(&why, t->dl.dtype, t->dl.ndim, t->dl.shape, NULL);
  return complain(&why);
}

// The file that `given`, NAME=FILE, has for an input of this name, or NULL.
static const char *file_in(const char *given, const char *name) {
  size_t len = strlen(name);
  return !strncmp(given, name, len) && given[len] == '=' ? given + len + 1 : NULL;
}

// The file given for an input, or NULL.
static const char *file_for(const options *o, const char *name) {
  for (size_t i = 0; i < o->inputs.len; i++)
    if (file_in(o->inputs.data[i], name)) return file_in(o->inputs.data[i], name);
  return NULL;
}

static bool complain_about_input(const dlir_model *model, const char *given) {
  dl_buffer why = {0};
  dl_buffer_printf(&why, "--input %s: no such input; the inputs are", given);
  for (size_t j = 0; j < model->num_inputs; j++) {
    dl_buffer_printf(&why, "%s '%s' ", j ? "," : "", model->inputs[j].name);
    print_info(&why, &model->inputs[j]);
  }
  return complain(&why);
}

static bool check_names(const program *p) {
  const dlir_model *model = p->lib.model;
  const dl_cli_list *given = &p->options->inputs;
  for (size_t i = 0; i < given->len; i++) {
    const char *name = NULL;
    for (size_t j = 0; j < model->num_inputs && !name; j++)
      if (file_in(given->data[i], model->inputs[j].name)) name = model->inputs[j].name;
    if (!name) return complain_about_input(model, given->data[i]);
    for (size_t j = 0; j < i; j++)
      if (file_in(given->data[j], name))
        return dl_cli_error("dlrun", "--input %s: input '%s' is given twice", given->data[i], name),
               false;
  }
  return true;
}

static bool make_random(const dlir_value_info *info, uint64_t *seed, tensor *t) {
  int64_t *shape = dl_calloc((size_t)info->rank + 1, sizeof(*shape));
  for (int32_t i = 0; i < info->rank; i++) shape[i] = info->shape[i] < 0 ? 1 : info->shape[i];
  bool ok = tensor_create(t, info->dtype, info->rank, shape);
  free(shape);
  if (!ok) {
    dl_cli_error("dlrun", "input '%s': out of memory", info->name);
    return false;
  }
  tensor_randomize(t, seed);
  dl_buffer text = {0};
  tensor_print_shape(&text, info->dtype, info->rank, t->dl.shape, NULL);
  fprintf(stderr, "dlrun: note: input '%s' is random: %s\n", info->name, text.data);
  dl_buffer_free(&text);
  return true;
}

static bool make_inputs(program *p) {
  const dlir_model *model = p->lib.model;
  p->tensors = dl_calloc(model->num_inputs + 1, sizeof(*p->tensors));
  p->inputs = dl_calloc(model->num_inputs + 1, sizeof(*p->inputs));
  p->outputs = dl_calloc(model->num_outputs + 1, sizeof(*p->outputs));
  if (!check_names(p)) return false;
  uint64_t seed = (uint64_t)p->options->seed;
  for (size_t i = 0; i < model->num_inputs; i++) {
    const char *file = file_for(p->options, model->inputs[i].name);
    if (!(file ? read_input(&model->inputs[i], file, &p->tensors[i])
               : make_random(&model->inputs[i], &seed, &p->tensors[i])))
      return false;
    p->inputs[i] = (dlir_value){.kind = DLIR_TENSOR, .u.tensor = &p->tensors[i].dl};
  }
  return true;
}

// --- running ---

static bool run_once(void *user) {
  program *p = user;
  const dlir_model *model = p->lib.model;
  if (!model->run(p->session, model->num_inputs, p->inputs, model->num_outputs, p->outputs))
    return true;
  dl_cli_error("dlrun", "%s", model->last_error(p->session));
  return false;
}

static void describe_output(const dlir_value_info *info, const DLTensor *t) {
  enum { SHOWN = 8 };
  dl_buffer text = {0};
  dl_buffer_printf(&text, "%s: ", info->name);
  tensor_print_shape(&text, t->dtype, t->ndim, t->shape, NULL);
  int64_t count = tensor_elements(t);
  dl_buffer_puts(&text, " =");
  for (int64_t i = 0; i < count && i < SHOWN; i++) {
    dl_buffer_putc(&text, ' ');
    tensor_print_element(&text, t, i);
  }
  printf("%s%s\n", text.data, count > SHOWN ? " …" : "");
  dl_buffer_free(&text);
}

static bool write_output(const options *o, const dlir_value_info *info, const DLTensor *t) {
  dl_buffer path = {0}, why = {0};
  dl_buffer_printf(&path, "%s/", o->output_dir);
  dl_append_file_name(&path, info->name);
  dl_buffer_puts(&path, ".npy");
  bool ok = npy_write(path.data, o->temporaries, t, &why) || complain(&why);
  dl_buffer_free(&path);
  return ok;
}

static bool show_outputs(program *p) {
  const options *o = p->options;
  if (o->output_dir && mkdir(o->output_dir, 0777) && errno != EEXIST) {
    dl_cli_error("dlrun", "cannot make '%s': %s", o->output_dir, strerror(errno));
    return false;
  }
  for (size_t i = 0; i < p->lib.model->num_outputs; i++) {
    const dlir_value_info *info = &p->lib.model->outputs[i];
    if (!o->quiet) describe_output(info, p->outputs[i].u.tensor);
    if (o->output_dir && !write_output(o, info, p->outputs[i].u.tensor)) return false;
  }
  return true;
}

static bool measure(program *p) {
  const options *o = p->options;
  bench_times times;
  if (!bench_measure(o->seconds, run_once, p, &times)) return false;
  int threads = (int)o->threads;
  bench_profile profile = {.runs = times.runs + BENCH_WARM_UP_RUNS + 1};  // with the one shown
  profile.count = p->lib.model->profile(p->session, &profile.entries);
  if (o->profile) profile.roof = roof_measure(threads);
  if (o->profile && !o->json) bench_print_profile(&profile, threads);
  if (o->bench && !o->json) bench_print_times(&times, threads);
  if (o->json) bench_print_json(o->bench ? &times : NULL, threads, o->profile ? &profile : NULL);
  return true;
}

static bool run_program(program *p) {
  bool opened = open_session(p);
  remove_scratch(p);
  if (!opened || !make_inputs(p) || !run_once(p) || !show_outputs(p)) return false;
  return !(p->options->bench || p->options->profile) || measure(p);
}

static void release(program *p) {
  const dlir_model *model = p->lib.model;
  for (size_t i = 0; p->tensors && i < model->num_inputs; i++) tensor_free(&p->tensors[i]);
  remove_scratch(p);
  free(p->tensors);
  free(p->inputs);
  free(p->outputs);
  if (model) model->close(p->session);
  library_close(&p->lib);
}

static int64_t cpu_count(void) {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof(set), &set) ? 1 : CPU_COUNT(&set);
}

static int run_model(options *o) {
  if (o->onnx_test && o->models.len > 0) {
    const onnx_test_options how = {o->interpret, o->target, o->temporaries};
    return onnx_test(&o->models, &how);
  }
  if (o->models.len != 1)
    return dl_cli_usage_error("dlrun", o->onnx_test ? "expected a folder" : "expected one model");
  if (o->json && !o->bench && !o->profile)
    return dl_cli_usage_error("dlrun", "--json goes with --bench or --profile");
  if (o->target && (o->interpret || ends_with(o->models.data[0], ".so")))
    return dl_cli_usage_error("dlrun", "--target is for models that are to be compiled");
  if (o->seconds < 0 || o->seconds > 1e6)
    return dl_cli_usage_error("dlrun", "--seconds: expected 0 to 1000000");
  if (!o->threads) o->threads = cpu_count();
  program p = {.options = o};
  int status = load(&p);
  if (status == DL_EXIT_OK && !run_program(&p)) status = DL_EXIT_FAILURE;
  release(&p);
  return status;
}

int main(int argc, char **argv) {
  dl_interrupts watch;
  dl_cli_start();
  dl_interrupts_begin(&watch);
  options o = {.seconds = 2, .temporaries = watch.temporaries};
  int status = dl_cli_parse(&cli, argc, argv, &o);
  if (status == DL_CLI_CONTINUE) status = run_model(&o);
  DL_VEC_FREE(&o.models);
  DL_VEC_FREE(&o.inputs);
  dl_extensions_free(&o.extensions);
  dl_interrupts_end(&watch);
  return dl_cli_finish("dlrun", status);
}
