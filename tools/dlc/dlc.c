// dlc: compiles a model.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tools/common/check_each_pass.h"
#include "tools/common/check_library.h"
#include "tools/common/cli.h"
#include "tools/common/compile.h"
#include "tools/common/interrupt.h"

typedef struct options {
  dl_cli_list inputs, shapes, exposed;
  dl_extensions extensions;
  const char *output, *emit, *target, *march, *mcpu, *prefix, *level, *report, *weights, *tolerance;
  dl_check_options check;
  bool print_pipeline, quiet;
  dl_temporaries *temporaries;
  dl_instrumentation run;
} options;

// NAME=1x3x224x224
static bool is_shape(const char *value) {
  const char *equals = strrchr(value, '=');
  if (!equals || equals == value) return false;
  const char *at = equals;
  do {
    char *end;
    errno = 0;
    if (at[1] < '0' || at[1] > '9' || strtoll(at + 1, &end, 10) <= 0 || errno) return false;
    at = end;
  } while (*at == 'x');
  return !*at;
}

static bool is_identifier(const char *value) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
  bool digit_first = *value >= '0' && *value <= '9';
  return *value && !digit_first && !value[strspn(value, letters)];
}

static bool is_kind(const char *value) {
  static const char *const kinds[] = {"graph", "tensor", "loop",  "llvm", "asm",
                                      "obj",   "so",     "spirv", "ptx"};
  for (size_t i = 0; i < DL_COUNT(kinds); i++)
    if (!strcmp(value, kinds[i])) return true;
  return false;
}

static bool is_place(const char *value) {
  return !strcmp(value, "embed") || !strcmp(value, "separate");
}

static bool is_fraction(const char *value) {
  char *end;
  double number = strtod(value, &end);
  return end != value && !*end && number >= 0 && number < 1;
}

static bool is_level(const char *value) { return value[0] >= '0' && value[0] <= '3' && !value[1]; }

static const dl_cli_option option_table[] = {
    DL_CLI(TEXT, "o", options, output, "OUT", "Write there; needed"),
    DL_CLI_VALID(TEXT, "emit", options, emit, "graph|tensor|loop|llvm|asm|spirv|ptx|obj|so",
                 "What to write (default: so)", is_kind),
    DL_CLI(TEXT, "target", options, target, "NAME", "What to compile for: cpu (default) or opencl"),
    DL_CLI(TEXT, "march", options, march, "ARCH", "x86-64 or aarch64"),
    DL_CLI(
        TEXT, "mcpu", options, mcpu, "CPU",
        "native (default), a name from targets/machines (haswell, cortex-a72, …) or a .yaml file"),
    DL_CLI_VALID(LIST, "shape", options, shapes, "NAME=1x3x224x224", "Fix the shape of an input",
                 is_shape),
    DL_CLI(LIST, "expose", options, exposed, "NAME,…",
           "Make these values outputs of the model too"),
    DL_CLI_EXTENSIONS(options),
    DL_CLI(TEXT, "report", options, report, "FILE.html",
           "Write a page about the kernels: workloads, schedules, operations"),
    DL_CLI_VALID(TEXT, "weights", options, weights, "embed|separate",
                 "Put the weights into the library or into a file beside it (default: a file from "
                 "1.5 GB on)",
                 is_place),
    DL_CLI_VALID(JOINED, "O", options, level, "0…3", "How much to optimize (default: 2)", is_level),
    DL_CLI_VALID(TEXT, "tolerance", options, tolerance, "R (0 to 1)",
                 "Allow algorithms whose error is up to R of an output's largest "
                 "magnitude; from 1e-3 on, Winograd convolution (default: 0)",
                 is_fraction),
    DL_CLI_VALID(TEXT, "prefix", options, prefix, "C-NAME",
                 "Of the exported symbol C-NAME_query (default: the output's name)", is_identifier),
    DL_CLI(BOOL, "print-pipeline", options, print_pipeline, NULL,
           "Print the passes that would run, and end"),
    DL_CLI(BOOL, "quiet", options, quiet, NULL, "No progress on a terminal"),
    DL_CLI(BOOL, "verify-each", options, run.verify_each, NULL,
           "Verify after each pass (default: true)"),
    DL_CLI_CHECK(options),
    DL_CLI(BOOL, "mlir-print-ir-after-all", options, run.print_after_all, NULL,
           "Print the IR after each pass"),
    DL_CLI(BOOL, "mlir-timing", options, run.timing, NULL, "Report time and memory per pass"),
    DL_CLI(BOOL, "mlir-pass-statistics", options, run.statistics, NULL,
           "Report the passes' counters"),
};

static const dl_cli cli = {
    .tool = "dlc",
    .usage = "MODEL.onnx|MODEL.dlir|MODEL.dlbc -o OUT [options]",
    .overview =
        "Compiles a model into a shared library with a C header, or shows it on the way there.",
    .num_options = DL_COUNT(option_table),
    .options = option_table,
    .positional = offsetof(options, inputs),
    .max_positional = 1,
};

static void show_progress(const char *stage) { fprintf(stderr, "\r\033[Kdlc: %s", stage); }
static void end_progress(void) { fprintf(stderr, "\r\033[K"); }

// DL_CLI_CONTINUE, or the exit status for a wrong command line.
static int check_options(const options *o, dl_compile_options *compile) {
  if (o->inputs.len != 1) return dl_cli_usage_error("dlc", "expected one model");
  if (!o->output && !o->print_pipeline) return dl_cli_usage_error("dlc", "expected -o OUT");
  *compile = (dl_compile_options){.emit = o->emit,
                                  .tolerance = o->tolerance ? strtod(o->tolerance, NULL) : 0,
                                  .target = o->target,
                                  .march = o->march,
                                  .mcpu = o->mcpu,
                                  .prefix = o->prefix,
                                  .report = o->report,
                                  .weights = o->weights,
                                  .opt_level = o->level ? o->level[0] - '0' : 2,
                                  .num_shapes = o->shapes.len,
                                  .shapes = o->shapes.data,
                                  .num_exposed = o->exposed.len,
                                  .exposed = o->exposed.data,
                                  .header = true,
                                  .run = &o->run};
  return DL_CLI_CONTINUE;
}

static dl_status print_pipeline(dl_context *ctx, const char *input,
                                const dl_compile_options *compile) {
  dl_op *module = dl_load_model(ctx, input, compile);
  if (!module) return DL_FAILED;
  dl_buffer text = {0}, canonical = {0};
  dl_status status = dl_compile_pipeline(module, compile, &text);
  dl_pass_manager *pm =
      status == DL_OK ? dl_parse_pipeline(ctx, (dl_str){text.data, text.len}) : NULL;
  if (pm) {
    dl_print_pipeline(&canonical, pm);
    printf("%s\n", canonical.data);
    dl_pass_manager_destroy(pm);
  }
  dl_buffer_free(&text);
  dl_buffer_free(&canonical);
  dl_op_destroy_tree(module);
  return pm ? DL_OK : DL_FAILED;
}

static dl_status compile_model(options *o, dl_context *ctx, const dl_compile_options *compile) {
  dl_op *module = dl_load_model(ctx, o->inputs.data[0], compile);
  if (!module) return DL_FAILED;
  dl_check_session check;
  dl_status status = dl_check_begin("dlc", &o->check, module, &o->run, &check);
  if (status == DL_OK) status = dl_compile_module(module, o->output, compile);
  bool is_library = !o->emit || !strcmp(o->emit, "so");
  bool is_for_cpu = !o->target || !strcmp(o->target, "cpu");
  if (status == DL_OK && check.checker && is_library && is_for_cpu) {
    status = dl_check_library(check.checker, module, o->output);
    if (status != DL_OK) unlink(o->output);
  }
  dl_check_end(&check);
  dl_op_destroy_tree(module);
  return status;
}

// The exit status.
static int compile(options *o, const dl_compile_options *compile) {
  dl_context *ctx = dl_tool_context(&o->extensions, o->temporaries);
  if (!ctx) return DL_EXIT_FAILURE;
  int status = dl_check_machine("dlc", ctx, compile);
  if (status == DL_EXIT_OK) {
    dl_status compiled = o->print_pipeline ? print_pipeline(ctx, o->inputs.data[0], compile)
                                           : compile_model(o, ctx, compile);
    if (compiled != DL_OK) status = DL_EXIT_FAILURE;
  }
  dl_context_destroy(ctx);
  return status;
}

int main(int argc, char **argv) {
  dl_interrupts watch;
  dl_cli_start();
  dl_interrupts_begin(&watch);
  options o = {.temporaries = watch.temporaries, .run = {.verify_each = true, .out = stderr}};
  dl_compile_options options;
  int status = dl_cli_parse(&cli, argc, argv, &o);
  if (status == DL_CLI_CONTINUE) status = check_options(&o, &options);
  if (status == DL_CLI_CONTINUE) {
    bool shows = !o.quiet && isatty(STDERR_FILENO);
    if (shows) options.progress = show_progress;
    status = compile(&o, &options);
    if (shows) end_progress();
  }
  DL_VEC_FREE(&o.inputs);
  DL_VEC_FREE(&o.shapes);
  DL_VEC_FREE(&o.exposed);
  dl_extensions_free(&o.extensions);
  dl_interrupts_end(&watch);
  return dl_cli_finish("dlc", status);
}
