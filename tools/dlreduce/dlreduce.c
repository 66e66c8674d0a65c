// dlreduce: makes IR smaller while a script, or a numeric mismatch, still holds.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "ir/files.h"
#include "ir/text.h"
#include "passes/reduce/reduce.h"
#include "tools/common/cli.h"
#include "tools/common/compile.h"
#include "tools/common/interrupt.h"
#include "tools/dlreduce/test.h"

typedef struct options {
  dl_cli_list inputs;
  const char *output, *strategies;
  dl_interest test;
  bool numeric_mismatch, allow_unregistered, quiet, list_strategies;
  int64_t jobs;
  double time_limit;
  dl_extensions extensions;
  dl_temporaries *temporaries;
  dl_print_options print;
  double start;
  size_t first_ops;
} options;

static const dl_cli_option option_table[] = {
    DL_CLI(TEXT, "o", options, output, "FILE",
           "Write there instead of to standard output; already after each step (.dlbc: binary)"),
    DL_CLI(TEXT, "test", options, test.script, "SCRIPT",
           "Keep what SCRIPT ARG... FILE.dlir finds interesting, that is, exits with 0 for"),
    DL_CLI(LIST, "test-arg", options, test.arguments, "ARG",
           "Give this to the script before the file"),
    DL_CLI(BOOL, "numeric-mismatch", options, numeric_mismatch, NULL,
           "Keep what the checks of --pass-pipeline find computing something else after a pass"),
    DL_CLI(TEXT, "pass-pipeline", options, test.pipeline, "TEXT",
           "The passes to check, e.g. 'builtin.module(func.func(cse))'"),
    DL_CLI(TEXT, "check-inputs", options, test.check.inputs, "DIR",
           "Check with DIR/NAME.npy as inputs, instead of random ones"),
    DL_CLI(INT, "j", options, jobs, "N", "Run that many tests at a time (the result is the same)"),
    DL_CLI(NUMBER, "time-limit", options, time_limit, "SECONDS",
           "Stop then, with the smallest module so far"),
    DL_CLI(NUMBER, "test-timeout", options, test.timeout, "SECONDS",
           "Take tests that last longer for not interesting (default: 60; 0: wait)"),
    DL_CLI(TEXT, "strategies", options, strategies, "NAME,…", "Use only these"),
    DL_CLI(BOOL, "list-strategies", options, list_strategies, NULL, "List the strategies"),
    DL_CLI(BOOL, "allow-unregistered-dialect", options, allow_unregistered, NULL,
           "Accept ops that no dialect registers"),
    DL_CLI(BOOL, "mlir-print-op-generic", options, print.generic, NULL, "Write the generic form"),
    DL_CLI(BOOL, "mlir-print-debuginfo", options, print.locations, NULL, "Write locations"),
    DL_CLI(BOOL, "quiet", options, quiet, NULL, "Report no progress"),
    DL_CLI(BOOL, "verbose", options, test.verbose, NULL, "Let tests write to standard error"),
    DL_CLI_EXTENSIONS(options),
};

static const dl_cli cli = {
    .tool = "dlreduce",
    .usage = "FILE (--test SCRIPT | --numeric-mismatch --pass-pipeline TEXT) [options]",
    .overview =
        "Makes a module smaller as long as it stays interesting: as long as a script that is "
        "given\n"
        "it as a file exits with 0, or as long as checking a pipeline finds a numeric mismatch. "
        "Only\n"
        "valid modules are tried. Without limits of time the result is always the same.",
    .num_options = DL_COUNT(option_table),
    .options = option_table,
    .positional = offsetof(options, inputs),
    .max_positional = 1,
};

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

// --- what the reduction asks and tells ---

static size_t first_interesting(void *user, size_t count, dl_op *const *candidates) {
  options *o = user;
  return dl_first_interesting(&o->test, count, candidates);
}

static bool expired(void *user) {
  const options *o = user;
  return o->time_limit > 0 && now() - o->start > o->time_limit;
}

static bool count_op(dl_op *op, void *user) {
  (void)op;
  ++*(size_t *)user;
  return true;
}

static size_t count_ops(dl_op *module) {
  size_t count = 0;
  dl_walk(module, count_op, &count);
  return count - 1;
}

static void progress(void *user, const char *strategy, dl_op *module) {
  options *o = user;
  if (!o->quiet)
    fprintf(stderr, "dlreduce: %s: %zu of %zu ops after %zu tests, %.1f s\n", strategy,
            count_ops(module), o->first_ops, o->test.num_tests, now() - o->start);
  // Whoever stops the tool has what was reached.
  if (strcmp(o->output, "-")) (void)!dl_write_module(module, o->output, &o->print);
}

// --- the run ---

static bool is_interesting(options *o, dl_op *module) {
  if (first_interesting(o, 1, &module) == 0) return true;
  if (o->test.script)
    dl_cli_error("dlreduce", "the input is not interesting: '%s' does not exit with 0 for it",
                 o->test.script);
  else
    dl_cli_error("dlreduce", "the input is not interesting: the checks find no mismatch");
  return false;
}

static int reduce_module(options *o, dl_op *module) {
  const dl_reduce_options how = {first_interesting, progress,     expired, o,
                                 (size_t)o->jobs,   o->strategies};
  o->start = now();
  o->first_ops = count_ops(module);
  if (!is_interesting(o, module)) {
    dl_op_destroy_tree(module);
    return DL_EXIT_FAILURE;
  }
  dl_op *smallest = dl_reduce(module, &how);
  if (!smallest) return DL_EXIT_FAILURE;
  int status =
      dl_write_module(smallest, o->output, &o->print) == DL_OK ? DL_EXIT_OK : DL_EXIT_FAILURE;
  if (!o->quiet)
    fprintf(stderr, "dlreduce: %zu of %zu ops are left%s; %zu tests, %.1f s\n", count_ops(smallest),
            o->first_ops, expired(o) ? " (out of time)" : "", o->test.num_tests, now() - o->start);
  dl_op_destroy_tree(smallest);
  return status;
}

static int reduce_file(options *o) {
  dl_context *ctx = dl_tool_context(&o->extensions, o->temporaries);
  if (!ctx) return DL_EXIT_FAILURE;
  dl_allow_unregistered(ctx, o->allow_unregistered);
  dl_op *module = dl_parse_file(ctx, o->inputs.data[0]);
  bool valid = module && dl_verify(module) == DL_OK;
  int status = valid ? reduce_module(o, module) : DL_EXIT_FAILURE;
  if (module && !valid) dl_op_destroy_tree(module);
  dl_context_destroy(ctx);
  return status;
}

// Candidates lie in a folder of their own.
static int run_in_folder(options *o) {
  const char *shared = getenv("TMPDIR");
  dl_buffer folder = {0};
  dl_buffer_printf(&folder, "%s/dlreduce-XXXXXX", shared && *shared ? shared : "/tmp");
  if (!mkdtemp(folder.data)) {
    dl_cli_error("dlreduce", "cannot make '%s': %s", folder.data, strerror(errno));
    dl_buffer_free(&folder);
    return DL_EXIT_FAILURE;
  }
  dl_temporaries_add(o->temporaries, folder.data);
  o->test.folder = folder.data;
  int status = reduce_file(o);
  dl_remove_tree(folder.data);
  dl_temporaries_drop(o->temporaries, folder.data);
  dl_buffer_free(&folder);
  return status;
}

static int list_strategies(void) {
  for (size_t i = 0; i < dl_num_reductions(); i++)
    printf("%-18s %s\n", dl_reduction_name(i), dl_reduction_summary(i));
  return DL_EXIT_OK;
}

static int run(options *o) {
  if (o->list_strategies) return list_strategies();
  if (!o->inputs.len) return dl_cli_usage_error("dlreduce", "a FILE is needed");
  if (!o->test.script == !o->numeric_mismatch)
    return dl_cli_usage_error("dlreduce", "one of --test and --numeric-mismatch is needed");
  if (o->numeric_mismatch != (o->test.pipeline != NULL))
    return dl_cli_usage_error("dlreduce", "--numeric-mismatch and --pass-pipeline go together");
  if (o->jobs < 1 || o->jobs > 256)
    return dl_cli_usage_error("dlreduce", "-j must be between 1 and 256");
  return run_in_folder(o);
}

int main(int argc, char **argv) {
  dl_cli_start();
  options o = {.output = "-", .jobs = 1, .test = {.timeout = 60, .check = {.each_pass = true}}};
  dl_interrupts watch;
  dl_interrupts_begin(&watch);
  o.temporaries = watch.temporaries;
  int status = dl_cli_parse(&cli, argc, argv, &o);
  if (status == DL_CLI_CONTINUE) status = run(&o);
  DL_VEC_FREE(&o.inputs);
  DL_VEC_FREE(&o.test.arguments);
  dl_extensions_free(&o.extensions);
  dl_interrupts_end(&watch);
  return dl_cli_finish("dlreduce", status);
}
