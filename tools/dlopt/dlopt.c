// dlopt: reads IR, runs passes on it, writes IR. The flags are mlir-opt's where that has them.
#define _GNU_SOURCE
#include "ir/binary.h"
#include "ir/context.h"
#include "ir/pass.h"
#include "ir/text.h"
#include "tools/common/check_each_pass.h"
#include "tools/common/cli.h"
#include "tools/common/compile.h"
#include "tools/common/interrupt.h"
#include "tools/dlopt/expected.h"

typedef struct pass_flag {
  dl_str name;
  const char *options;  // NULL: none
} pass_flag;

#define NO_LIMIT INT64_MIN

typedef struct options {
  dl_cli_list inputs;
  const char *output, *pipeline;
  DL_VEC(pass_flag) pass_flags;
  dl_extensions extensions;
  dl_temporaries *temporaries;
  bool split, verify_diagnostics, allow_unregistered, no_implicit_module;
  bool emit_bytecode, lazy_loading;
  dl_check_options check;
  bool assume_verified;
  bool list_passes, show_dialects, dump_pipeline, run_reproducer, disable_threading;
  int64_t elide_elements, elide_resources, threads;
  dl_print_options print;
  dl_instrumentation run;
} options;

static const dl_cli_option option_table[] = {
    DL_CLI(TEXT, "o", options, output, "FILE", "Write there instead of to standard output"),
    DL_CLI_VALID(TEXT, "pass-pipeline", options, pipeline, "TEXT",
                 "Run these passes, e.g. 'builtin.module(func.func(cse),symbol-dce)'",
                 dl_cli_is_any),
    DL_CLI(BOOL, "split-input-file", options, split, NULL,
           "Treat the parts between '// -----' lines one by one"),
    DL_CLI(BOOL, "verify-diagnostics", options, verify_diagnostics, NULL,
           "Check diagnostics against expected-error@+n {{text}} comments"),
    DL_CLI(BOOL, "allow-unregistered-dialect", options, allow_unregistered, NULL,
           "Accept ops that no dialect registers"),
    DL_CLI(BOOL, "no-implicit-module", options, no_implicit_module, NULL,
           "Take the only top-level op as it is, without wrapping it in builtin.module"),
    DL_CLI(BOOL, "emit-bytecode", options, emit_bytecode, NULL,
           "Write the binary form (so does -o FILE.dlbc); it is read wherever text is"),
    DL_CLI(BOOL, "lazy-loading", options, lazy_loading, NULL,
           "Read functions of a binary file when something looks into them"),
    DL_CLI(BOOL, "mlir-print-op-generic", options, print.generic, NULL, "Print the generic form"),
    DL_CLI(BOOL, "mlir-print-debuginfo", options, print.locations, NULL, "Print locations"),
    DL_CLI(BOOL, "mlir-print-local-scope", options, print.local_scope, NULL,
           "Print without aliases"),
    DL_CLI(BOOL, "mlir-print-skip-regions", options, print.skip_regions, NULL,
           "Print {...} for each region"),
    DL_CLI(BOOL, "mlir-print-unique-ssa-ids", options, print.unique_names, NULL,
           "Give no two values the same name"),
    DL_CLI(BOOL, "mlir-print-value-users", options, print.value_users, NULL,
           "Name the users of values in comments"),
    DL_CLI(BOOL, "mlir-print-assume-verified", options, assume_verified, NULL,
           "Print without verifying (printing never verifies)"),
    DL_CLI(INT, "mlir-elide-elementsattrs-if-larger", options, elide_elements, "N",
           "Print constants of more elements as __elided__"),
    DL_CLI(INT, "mlir-elide-resource-strings-if-larger", options, elide_resources, "N",
           "Leave resources of more characters out"),
    DL_CLI(BOOL, "mlir-print-ir-before-all", options, run.print_before_all, NULL,
           "Print the IR before each pass"),
    DL_CLI(BOOL, "mlir-print-ir-after-all", options, run.print_after_all, NULL,
           "Print the IR after each pass"),
    DL_CLI(BOOL, "mlir-print-ir-after-change", options, run.print_after_change, NULL,
           "Print the IR after each pass that changed it"),
    DL_CLI(BOOL, "mlir-print-ir-after-failure", options, run.print_after_failure, NULL,
           "Print the IR after a pass that failed"),
    DL_CLI(TEXT, "mlir-print-ir-before", options, run.print_before, "PASS,…",
           "Print the IR before these passes"),
    DL_CLI(TEXT, "mlir-print-ir-after", options, run.print_after, "PASS,…",
           "Print the IR after these passes"),
    DL_CLI(BOOL, "mlir-print-ir-module-scope", options, run.print_module_scope, NULL,
           "Print the whole module each time"),
    DL_CLI(BOOL, "mlir-timing", options, run.timing, NULL, "Report time and memory per pass"),
    DL_CLI(BOOL, "mlir-pass-statistics", options, run.statistics, NULL,
           "Report the passes' counters"),
    DL_CLI(TEXT, "mlir-pass-pipeline-crash-reproducer", options, run.reproducer, "FILE",
           "Leave input and pipeline there when a pass fails or crashes"),
    DL_CLI(BOOL, "run-reproducer", options, run_reproducer, NULL,
           "Run the pipeline that the input, a reproducer, names"),
    DL_CLI(BOOL, "mlir-disable-threading", options, disable_threading, NULL,
           "Run passes on one op after another"),
    DL_CLI(INT, "threads", options, threads, "N",
           "Run nested pipelines on N threads (default: one per processor)"),
    DL_CLI(BOOL, "verify-each", options, run.verify_each, NULL,
           "Verify after each pass (default: true)"),
    DL_CLI(BOOL, "verify-roundtrip", options, run.verify_roundtrip, NULL,
           "Check that input and results print and read back as the same"),
    DL_CLI_CHECK(options),
    DL_CLI(BOOL, "bisect-numerics", options, run.bisect, NULL,
           "Find the pass, then its step, that changes results beyond what it promises"),
    DL_CLI(TEXT, "mlir-debug-counter", options, run.debug_counter, "PASS-count=N,…",
           "Let the pass take N steps and no more"),
    DL_CLI(TEXT, "skip-passes", options, run.skip_passes, "PASS,…", "Leave these passes out"),
    DL_CLI_EXTENSIONS(options),
    DL_CLI(BOOL, "list-passes", options, list_passes, NULL,
           "List passes and pipelines with options"),
    DL_CLI(BOOL, "show-dialects", options, show_dialects, NULL, "List the dialects"),
    DL_CLI(BOOL, "dump-pass-pipeline", options, dump_pipeline, NULL,
           "Print the pipeline in its canonical form to standard error"),
};

static void take_pass_flag(void *user, dl_str name, const char *value) {
  options *o = user;
  DL_PUSH(&o->pass_flags, (pass_flag){name, value});
}

static const dl_cli cli = {
    .tool = "dlopt",
    .usage = "[options] [FILE]",
    .overview =
        "Reads IR (from FILE or standard input), runs passes and writes the result.\n"
        "Every pass is also a flag: --cse, --canonicalize, --PASS='option=value …'.",
    .num_options = DL_COUNT(option_table),
    .options = option_table,
    .positional = offsetof(options, inputs),
    .max_positional = 1,
    .take_unknown = take_pass_flag,
};

// --- contexts ---

static dl_context *make_context(const options *o) {
  dl_context *ctx = dl_context_create();
  dl_set_temporaries(ctx, o->temporaries);
  dl_set_diag_handler(ctx, dl_print_diagnostic, stderr);
  dl_allow_unregistered(ctx, o->allow_unregistered);
  if (dl_tool_register(ctx, &o->extensions) == DL_OK) return ctx;
  dl_context_destroy(ctx);
  return NULL;
}

// --- listing ---

static void list_passes(dl_context *ctx) {
  for (size_t i = 0; i < dl_num_passes(ctx); i++) {
    const dl_pass_def *def = dl_get_pass(ctx, i);
    printf("%-36s %s\n", def->name, def->summary);
    for (size_t j = 0; j < def->num_options; j++) {
      const dl_option_def *option = &def->options[j];
      const char *value = option->default_value;
      printf("    %-32s %s%s%s%s\n", option->name, option->summary, value ? " (default: " : "",
             value ? value : "", value ? ")" : "");
    }
  }
  for (size_t i = 0; i < dl_num_pipelines(ctx); i++) {
    const dl_named_pipeline *named = dl_get_pipeline(ctx, i);
    printf("%-36s %s: %s\n", named->name, named->summary, named->text);
  }
}

static void show_dialects(dl_context *ctx) {
  for (size_t i = 0; i < dl_num_dialects(ctx); i++) {
    const dl_dialect_def *def = dl_get_dialect(ctx, i);
    printf("%-12s %s\n", def->name, def->summary ? def->summary : "");
  }
}

// --- the pipeline ---

static int check_pass_flags(dl_context *ctx, const options *o) {
  const char **names = dl_malloc((dl_num_passes(ctx) + 1) * sizeof(*names));
  for (size_t i = 0; i < dl_num_passes(ctx); i++) names[i] = dl_get_pass(ctx, i)->name;
  int status = DL_EXIT_OK;
  for (size_t i = 0; i < o->pass_flags.len && status == DL_EXIT_OK; i++) {
    dl_str name = o->pass_flags.data[i].name;
    if (!dl_find_pass(ctx, name) && !dl_find_pipeline(ctx, name))
      status = dl_cli_unknown_option(&cli, name, dl_num_passes(ctx), names);
  }
  free(names);
  if (status == DL_EXIT_OK && o->pipeline && o->pass_flags.len)
    status = dl_cli_usage_error("dlopt", "--pass-pipeline and pass flags exclude each other");
  return status;
}

// Names in such lists that belong to no pass would silently do nothing. With `counts` each is
// followed by "-count=N".
static int check_pass_list(dl_context *ctx, const char *option, const char *list, bool counts) {
  for (const char *at = list, *end; at; at = *end ? end + 1 : NULL) {
    end = at + strcspn(at, ",");
    dl_str name = {at, (size_t)(end - at)};
    if (counts) {
      const char key[] = "-count=";
      const char *count = memmem(name.data, name.len, key, sizeof(key) - 1);
      const char *digits = count ? count + sizeof(key) - 1 : end;
      if (digits == end || digits + strspn(digits, "0123456789") != end)
        return dl_cli_usage_error("dlopt", "--%s: '%.*s' is not of the form PASS-count=N", option,
                                  (int)name.len, name.data);
      name.len = (size_t)(count - at);
    }
    if (!dl_find_pass(ctx, name))
      return dl_cli_usage_error("dlopt",
                                "--%s: no pass is named '%.*s'; --list-passes has them all", option,
                                (int)name.len, name.data);
  }
  return DL_EXIT_OK;
}

static int check_pass_lists(dl_context *ctx, const dl_instrumentation *run) {
  int status = check_pass_list(ctx, "skip-passes", run->skip_passes, false);
  if (!status) status = check_pass_list(ctx, "mlir-print-ir-before", run->print_before, false);
  if (!status) status = check_pass_list(ctx, "mlir-print-ir-after", run->print_after, false);
  if (!status) status = check_pass_list(ctx, "mlir-debug-counter", run->debug_counter, true);
  return status;
}

// Flags become a pipeline on the module; neighbours with the same anchor share one nested pipeline.
static void pipeline_of_flags(dl_context *ctx, const options *o, dl_buffer *text) {
  const char *open = NULL;
  dl_buffer_puts(text, "builtin.module(");
  for (size_t i = 0; i < o->pass_flags.len; i++) {
    pass_flag flag = o->pass_flags.data[i];
    const dl_pass_def *def = dl_find_pass(ctx, flag.name);
    const char *anchor = def ? def->anchor : NULL;
    if (anchor && !strcmp(anchor, "builtin.module")) anchor = NULL;
    bool same = anchor && open && !strcmp(anchor, open);
    if (open && !same) dl_buffer_putc(text, ')');
    if (i) dl_buffer_putc(text, ',');
    if (anchor && !same) dl_buffer_printf(text, "%s(", anchor);
    dl_buffer_printf(text, "%.*s", (int)flag.name.len, flag.name.data);
    if (flag.options) dl_buffer_printf(text, "{%s}", flag.options);
    open = anchor;
  }
  dl_buffer_puts(text, open ? "))" : ")");
}

// The value of --pass-pipeline='…' in a reproducer's first line, or an empty string.
static dl_str pipeline_of_reproducer(dl_str text) {
  const char *end = memchr(text.data, '\n', text.len);
  dl_str line = {text.data, end ? (size_t)(end - text.data) : text.len};
  const char key[] = "--pass-pipeline='";
  const char *at = line.len ? memmem(line.data, line.len, key, sizeof(key) - 1) : NULL;
  if (!at) return DL_STR("");
  at += sizeof(key) - 1;
  // Options may hold quotes; the flag's own one is the last of the line.
  const char *close = memrchr(at, '\'', (size_t)(line.data + line.len - at));
  return close ? (dl_str){at, (size_t)(close - at)} : DL_STR("");
}

static bool pipeline_text(dl_context *ctx, const options *o, dl_str input, dl_buffer *text) {
  dl_str given = o->pipeline ? dl_str_of(o->pipeline) : DL_STR("");
  if (o->run_reproducer) {
    given = pipeline_of_reproducer(input);
    if (!given.len) return dl_cli_error("dlopt", "the input is no reproducer"), false;
  }
  if (given.data && (o->pipeline || o->run_reproducer))
    dl_buffer_append(text, given.data, given.len);
  else
    pipeline_of_flags(ctx, o, text);
  return true;
}

// --- one part of the input ---

typedef struct part {
  const options *options;
  const char *path;
  dl_str text;
  dl_str input;  // all of it
  dl_buffer *out;
  bool mapped;  // text is a mapped file
} part;

static dl_status run_passes(const part *p, dl_op *module, const char *text) {
  const options *o = p->options;
  dl_pass_manager *pm = dl_parse_pipeline(dl_op_context(module), dl_str_of(text));
  if (!pm) return DL_FAILED;
  if (o->dump_pipeline) {
    dl_buffer canonical = {0};
    dl_print_pipeline(&canonical, pm);
    fprintf(stderr, "%s\n", canonical.data);
    dl_buffer_free(&canonical);
  }
  dl_instrumentation run = o->run;
  dl_check_session check;
  dl_check_options checks = o->check;
  checks.each_pass |= run.bisect;
  dl_status status = dl_check_begin("dlopt", &checks, module, &run, &check);
  dl_set_instrumentation(pm, &run);
  if (status == DL_OK) status = dl_run_pipeline(pm, module);
  dl_check_end(&check);
  dl_pass_manager_destroy(pm);
  return status;
}

static bool has_passes(const options *o) {
  return o->pipeline || o->pass_flags.len || o->run_reproducer;
}

static dl_status transform(const part *p, dl_op *module) {
  DL_TRY(dl_verify(module));
  if (p->options->run.verify_roundtrip) DL_TRY(dl_verify_roundtrip(module, "of the input"));
  if (!has_passes(p->options) && !p->options->dump_pipeline) return DL_OK;
  dl_buffer pipeline = {0};
  bool ok = pipeline_text(dl_op_context(module), p->options, p->input, &pipeline);
  dl_status status = ok ? run_passes(p, module, pipeline.data) : DL_FAILED;
  dl_buffer_free(&pipeline);
  return status;
}

// Files get their resources beside them; a stream, and a file of several parts, has them inline.
static dl_status write_result(const part *p, dl_op *module) {
  const options *o = p->options;
  if (o->emit_bytecode) return dl_write_binary(module, p->out);
  if (!o->split) return dl_write_module(module, o->output, &o->print);
  dl_print_options print = o->print;
  print.print_resources = true;
  dl_print_op(p->out, module, &print);
  if (p->out->len && p->out->data[p->out->len - 1] != '\n') dl_buffer_putc(p->out, '\n');
  return DL_OK;
}

// Models of other formats are files for an importer, not text.
static bool is_foreign(const char *path) {
  const char *dot = strrchr(path, '.');
  return dot && !strcmp(dot, ".onnx");
}

static dl_op *read_module(const part *p, dl_context *ctx) {
  const dl_compile_options none = {0};
  if (is_foreign(p->path)) return dl_load_model(ctx, p->path, &none);
  if (dl_is_binary_file(p->path))
    return dl_read_binary_file(
        ctx, p->path, &(dl_read_options){p->options->lazy_loading, p->options->no_implicit_module});
  if (p->mapped)
    dl_add_mapped_source(ctx, dl_intern_z(ctx, p->path), p->text);
  else
    dl_add_source(ctx, dl_intern_z(ctx, p->path), p->text);
  return p->options->no_implicit_module ? dl_parse_single_op(ctx, p->text, p->path)
                                        : dl_parse_module(ctx, p->text, p->path);
}

static dl_status process(const part *p, dl_context *ctx) {
  dl_op *module = read_module(p, ctx);
  if (!module) return DL_FAILED;
  dl_status status = transform(p, module);
  if (status == DL_OK) status = write_result(p, module);
  // What is read late may turn out wrong when it is printed.
  if (p->options->lazy_loading && dl_num_errors(ctx)) status = DL_FAILED;
  return status;  // the module goes with the context
}

static bool process_part(const part *p) {
  dl_context *ctx = make_context(p->options);
  if (!ctx) return false;
  expected *all = NULL;
  if (p->options->verify_diagnostics) {
    all = expected_create(p->text, p->path);
    dl_set_diag_handler(ctx, expected_handle, all);
  }
  bool ok = process(p, ctx) == DL_OK;
  if (all) ok = expected_finish(all);
  dl_context_destroy(ctx);
  return ok;
}

// --- the whole input ---

// The end of the part that starts at `at`: a line that is "// -----" and nothing more, or the end.
static const char *part_end(const char *at, const char *end, const char **next) {
  for (const char *line = at; line < end;) {
    const char *newline = memchr(line, '\n', (size_t)(end - line));
    const char *stop = newline ? newline : end;
    const char *last = stop;
    while (last > line && strchr(" \t\r", last[-1])) last--;
    *next = newline ? newline + 1 : end;
    if (dl_str_is((dl_str){line, (size_t)(last - line)}, "// -----")) return line;
    line = *next;
  }
  *next = end;
  return end;
}

// Parts keep the line numbers of the file: blank lines stand for what comes before.
static bool process_split(part p) {
  bool ok = true;
  uint64_t lines = 0;
  const char *end = p.input.data + p.input.len;
  for (const char *at = p.input.data, *next; at < end; at = next) {
    const char *stop = part_end(at, end, &next);
    dl_buffer text = {0};
    for (uint64_t i = 0; i < lines; i++) dl_buffer_putc(&text, '\n');
    dl_buffer_append(&text, at, (size_t)(stop - at));
    p.text = (dl_str){text.data, text.len};
    if (p.out->len) dl_buffer_puts(p.out, "\n// -----\n");
    ok = process_part(&p) && ok;
    dl_buffer_free(&text);
    for (; at < next; at++) lines += *at == '\n';
  }
  return ok;
}

static int process_input(const options *o) {
  const char *path = o->inputs.len ? o->inputs.data[0] : "-";
  dl_buffer out = {0};
  dl_cli_text input = {0};
  bool is_text = !is_foreign(path) && !dl_is_binary_file(path);
  if (is_text && !dl_cli_map_file("dlopt", path, &input)) return DL_EXIT_FAILURE;
  dl_str text = {input.text.data ? input.text.data : "", input.text.len};
  part p = {o, strcmp(path, "-") ? path : "<stdin>", text, text, &out, input.mapped && !o->split};
  bool ok = o->split && text.len && !dl_is_binary(text) ? process_split(p) : process_part(&p);
  if ((o->split || o->emit_bytecode) && (ok || out.len))
    ok = dl_cli_write_file("dlopt", o->temporaries, o->output, (dl_str){out.data, out.len}) && ok;
  dl_cli_unmap(&input);
  dl_buffer_free(&out);
  return ok ? DL_EXIT_OK : DL_EXIT_FAILURE;
}

// What does not depend on the input: listings, and whether the flags name passes.
static int prepare(const options *o) {
  dl_context *ctx = make_context(o);
  if (!ctx) return DL_EXIT_FAILURE;
  int status = check_pass_flags(ctx, o);
  if (status == DL_EXIT_OK) status = check_pass_lists(ctx, &o->run);
  if (status == DL_EXIT_OK && o->list_passes) list_passes(ctx);
  if (status == DL_EXIT_OK && o->show_dialects) show_dialects(ctx);
  dl_context_destroy(ctx);
  return status;
}

static bool valid_limit(int64_t limit) { return limit >= 0 || limit == NO_LIMIT; }

// The smallest size that is left out; 0: none.
static size_t limit_of(int64_t limit) { return limit == NO_LIMIT ? 0 : (size_t)limit + 1; }

static int run(options *o) {
  if (!valid_limit(o->elide_elements))
    return dl_cli_usage_error("dlopt", "--mlir-elide-elementsattrs-if-larger must not be negative");
  if (!valid_limit(o->elide_resources))
    return dl_cli_usage_error("dlopt",
                              "--mlir-elide-resource-strings-if-larger must not be negative");
  if (o->emit_bytecode && o->split)
    return dl_cli_usage_error("dlopt", "--emit-bytecode and --split-input-file exclude each other");
  if (o->threads < 0 || o->threads > 1024)
    return dl_cli_usage_error("dlopt", "--threads must be between 0 and 1024");
  o->run.threads = o->disable_threading ? 1 : (unsigned)o->threads;
  o->print.elide_elements = limit_of(o->elide_elements);
  o->print.elide_resources = limit_of(o->elide_resources);
  o->run.print_options = &o->print;
  int status = prepare(o);
  if (status != DL_EXIT_OK || o->list_passes || o->show_dialects) return status;
  return process_input(o);
}

int main(int argc, char **argv) {
  dl_interrupts watch;
  dl_cli_start();
  dl_interrupts_begin(&watch);
  options o = {.output = "-",
               .temporaries = watch.temporaries,
               .elide_elements = NO_LIMIT,
               .elide_resources = NO_LIMIT,
               .run = {.verify_each = true, .out = stderr}};
  int status = dl_cli_parse(&cli, argc, argv, &o);
  if (status == DL_CLI_CONTINUE) status = run(&o);
  DL_VEC_FREE(&o.inputs);
  DL_VEC_FREE(&o.pass_flags);
  dl_extensions_free(&o.extensions);
  dl_interrupts_end(&watch);
  return dl_cli_finish("dlopt", status);
}
