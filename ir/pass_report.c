#include <errno.h>

#include "ir/context_internal.h"
#include "ir/pass_internal.h"
#include "ir/text.h"

#define RULE "===-------------------------------------------------------------------------===\n"

bool dl_list_has(const char *list, const char *name) {
  size_t len = strlen(name);
  for (const char *at = list; at; at = strchr(at, ','), at = at ? at + 1 : NULL)
    if (!strncmp(at, name, len) && (at[len] == ',' || at[len] == '\0')) return true;
  return false;
}

static dl_op *root_of(dl_op *op) {
  while (dl_op_parent(op)) op = dl_op_parent(op);
  return op;
}

// A broken op may not survive its pretty printer; the generic form needs nothing of it.
static dl_print_options options_for(const dl_instrumentation *in, bool broken) {
  dl_print_options options = in->print_options ? *in->print_options : (dl_print_options){0};
  if (broken) options.generic = true;
  return options;
}

void dl_print_ir(const dl_instrumentation *in, const char *when, const dl_pass *pass, dl_op *op) {
  dl_op *shown = in->print_module_scope ? root_of(op) : op;
  dl_buffer text = {0};
  dl_buffer_printf(&text, "// -----// IR Dump %s %s", when, pass->def->name);
  dl_ident symbol = dl_symbol_name(op);
  if (shown != op) dl_buffer_printf(&text, " ('%s' operation", dl_op_name(op));
  if (shown != op) dl_buffer_printf(&text, symbol ? ": @%s)" : ")", symbol);
  dl_buffer_puts(&text, " //----- //\n");
  dl_print_options options = options_for(in, strncmp(when, "After Failure", 13) == 0);
  dl_print_op(&text, shown, &options);
  if (text.data[text.len - 1] != '\n') dl_buffer_putc(&text, '\n');
  dl_buffer_putc(&text, '\n');
  dl_diag_write(dl_op_context(op), in->out, text.data);
  dl_buffer_free(&text);
}

static void print_title(FILE *out, const char *title) {
  fputs(RULE, out);
  fprintf(out, "                         ... %s report ...\n", title);
  fputs(RULE, out);
}

typedef struct timing_report {
  FILE *out;
  double total, passes;
} timing_report;

static void print_line(const timing_report *report, double seconds, const char *memory,
                       const char *name) {
  double share = report->total > 0 ? 100 * seconds / report->total : 0;
  fprintf(report->out, "  %8.4f (%5.1f%%)  %12s  %s\n", seconds, share, memory, name);
}

static void print_pass_time(dl_pass *pass, void *user) {
  timing_report *report = user;
  report->passes += pass->seconds;
  char memory[32];
  snprintf(memory, sizeof(memory), "%lld KiB", (long long)pass->peak_memory_growth);
  print_line(report, pass->seconds, memory, pass->def->name);
}

void dl_print_timing(const dl_pass_manager *pm, double total) {
  timing_report report = {pm->instrumentation.out, total, 0};
  print_title(report.out, "Execution time");
  fprintf(report.out, "  Total Execution Time: %.4f seconds\n\n", total);
  fputs("  ---Wall Time---  --Peak Memory--  ----Name----\n", report.out);
  dl_for_each_pass(pm->root, print_pass_time, &report);
  // With threads the passes' times overlap.
  if (report.passes <= total)
    print_line(&report, total - report.passes, "", "(verifying, printing, checking)");
  print_line(&report, total, "", "Total");
}

static void print_pass_statistics(dl_pass *pass, void *user) {
  FILE *out = user;
  if (pass->def->num_statistics) fprintf(out, "%s\n", pass->def->name);
  for (size_t i = 0; i < pass->def->num_statistics; i++)
    fprintf(out, "  (S) %8lld %s\n", (long long)pass->statistics[i], pass->def->statistics[i]);
}

void dl_print_statistics(const dl_pass_manager *pm) {
  FILE *out = pm->instrumentation.out;
  print_title(out, "Pass statistics");
  dl_for_each_pass(pm->root, print_pass_statistics, out);
}

dl_status dl_write_reproducer(const dl_pass_manager *pm, dl_op *module) {
  const dl_instrumentation *in = &pm->instrumentation;
  dl_buffer text = {0};
  dl_buffer_puts(&text, "// configuration: --pass-pipeline='");
  dl_print_pipeline(&text, pm);
  dl_buffer_printf(&text, "' --verify-each=%d\n", in->verify_each);
  dl_print_options options = {.generic = true, .locations = true, .print_resources = true};
  dl_print_op(&text, module, &options);
  dl_buffer_putc(&text, '\n');
  FILE *file = fopen(in->reproducer, "wb");
  bool written = file && fwrite(text.data, 1, text.len, file) == text.len;
  if (file && fclose(file) != 0) written = false;
  int error = errno;
  dl_buffer_free(&text);
  if (written) return DL_OK;
  return dl_error(dl_op_loc(module), "cannot write the reproducer '%s': %s", in->reproducer,
                  strerror(error));
}

static void note_first_difference(dl_loc loc, const char *first, const char *second) {
  size_t line = 0;
  for (size_t i = 0; first[i] && first[i] == second[i]; i++)
    if (first[i] == '\n') line = i + 1;
  dl_note(loc, "printed: %.*s", (int)strcspn(first + line, "\n"), first + line);
  dl_note(loc, "read back and printed: %.*s", (int)strcspn(second + line, "\n"), second + line);
}

static dl_status reread(dl_op *module, dl_str text, dl_buffer *again,
                        const dl_print_options *options) {
  dl_context *ctx = dl_op_context(module);
  dl_op *copy = dl_parse_module(ctx, text, "<round-trip>");
  if (copy) {
    dl_print_op(again, copy, options);
    dl_op_destroy_tree(copy);
  }
  // The text goes away; what the context remembers of it must too.
  dl_add_source(ctx, dl_intern_z(ctx, "<round-trip>"), DL_STR(""));
  return copy ? DL_OK : DL_FAILED;
}

dl_status dl_verify_roundtrip(dl_op *module, const char *when) {
  dl_print_options options = {.locations = true};
  dl_buffer first = {0}, second = {0};
  dl_print_op(&first, module, &options);
  dl_loc loc = dl_op_loc(module);
  dl_status status = reread(module, (dl_str){first.data, first.len}, &second, &options);
  if (status != DL_OK) {
    dl_note(loc, "the text printed %s cannot be read", when);
  } else if (strcmp(first.data, second.data)) {
    status = dl_error(loc, "the text printed %s does not read back as itself", when);
    note_first_difference(loc, first.data, second.data);
  }
  dl_buffer_free(&first);
  dl_buffer_free(&second);
  return status;
}
