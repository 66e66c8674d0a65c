#include "tools/common/report.h"

#include <inttypes.h>

#include "ir/attrs.h"
#include "ir/op_def.h"
#include "ir/text.h"

static void put_escaped(dl_buffer *page, dl_str text) {
  for (size_t i = 0; i < text.len; i++) {
    switch (text.data[i]) {
      case '<':
        dl_buffer_puts(page, "&lt;");
        break;
      case '>':
        dl_buffer_puts(page, "&gt;");
        break;
      case '&':
        dl_buffer_puts(page, "&amp;");
        break;
      default:
        dl_buffer_putc(page, text.data[i]);
    }
  }
}

static void put_cell(dl_buffer *page, dl_str text) {
  dl_buffer_puts(page, "<td>");
  put_escaped(page, text);
  dl_buffer_puts(page, "</td>");
}

static void put_attr_cell(dl_buffer *page, dl_attr attr) {
  dl_buffer text = {0};
  if (attr && attr->kind == DL_ATTR_INTEGER)
    dl_buffer_printf(&text, "%" PRId64, attr->integer);
  else if (attr)
    dl_print_attr(&text, attr);
  put_cell(page, (dl_str){text.data ? text.data : "", text.len});
  dl_buffer_free(&text);
}

// --- kernels ---

// "conv: sum(n = 1, oc = 64; ic = 3, …)": parallel iterators, then reduce ones.
static void put_compute(dl_buffer *text, const dl_op *compute) {
  dl_str label = dl_get_str(compute, "label"), combiner = dl_get_str(compute, "combiner");
  dl_attr names = dl_get_attr(compute, "iterators"), sizes = dl_get_attr(compute, "sizes");
  int64_t parallel = dl_get_i64(compute, "parallel", 0);
  dl_buffer_printf(text, "%.*s: %.*s(", (int)label.len, label.data, (int)combiner.len,
                   combiner.data ? combiner.data : "");
  for (size_t i = 0; i < names->count; i++) {
    dl_str name = names->elements[i]->bytes;
    dl_buffer_printf(text, "%s%.*s = ",
                     i == 0                   ? ""
                     : (int64_t)i == parallel ? "; "
                                              : ", ",
                     (int)name.len, name.data);
    dl_print_expr(text, sizes->map->results[i], NULL, NULL);
  }
  dl_buffer_puts(text, ")");
}

static bool add_compute(dl_op *op, void *user) {
  dl_buffer *text = user;
  if (strcmp(dl_op_name(op), "tensor.compute")) return true;
  if (text->len) dl_buffer_puts(text, "\n");
  put_compute(text, op);
  return true;
}

static void put_kernel(dl_buffer *page, dl_op *kernel) {
  dl_buffer computes = {0};
  dl_walk(kernel, add_compute, &computes);
  dl_buffer_puts(page, "<tr>");
  put_cell(page, dl_str_of(dl_symbol_name(kernel)));
  put_cell(page, (dl_str){computes.data ? computes.data : "", computes.len});
  put_attr_cell(page, dl_get_attr(kernel, "tensor.schedule"));
  put_attr_cell(page, dl_get_attr(kernel, "function_type"));
  dl_buffer_puts(page, "</tr>\n");
  dl_buffer_free(&computes);
}

void dl_report_kernels(dl_buffer *page, dl_op *module, const char *title) {
  dl_buffer_puts(page, "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>");
  put_escaped(page, dl_str_of(title));
  dl_buffer_puts(page,
                 "</title><style>body { font-family: sans-serif } table { border-collapse: "
                 "collapse } td, th { border: 1px solid #ccc; padding: 4px; text-align: left; "
                 "vertical-align: top; white-space: pre-wrap; font-size: small }</style></head>"
                 "<body>\n<h1>");
  put_escaped(page, dl_str_of(title));
  dl_buffer_puts(page, "</h1>\n<h2>Machine</h2><p>");
  dl_buffer machine = {0};
  dl_attr description = dl_get_attr(module, "dlir.machine");
  if (description) dl_print_attr(&machine, description);
  put_escaped(page, (dl_str){machine.data ? machine.data : "", machine.len});
  dl_buffer_free(&machine);
  dl_buffer_puts(page,
                 "</p>\n<h2>Kernels</h2>\n<table><tr><th>kernel</th><th>workload</th>"
                 "<th>schedule</th><th>operands and results as stored</th></tr>\n");
  DL_FOR_OPS(op, dl_region_first(dl_op_region(module, 0)))
  if (dl_get_attr(op, "tensor.kernel")) put_kernel(page, op);
  dl_buffer_puts(page, "</table>\n");
}

// --- launches ---

static bool add_launch(dl_op *op, void *user) {
  dl_buffer *page = user;
  if (strcmp(dl_op_name(op), "loop.launch")) return true;
  dl_buffer_puts(page, "<tr>");
  put_cell(page, dl_get_str(op, "label"));
  put_cell(page, dl_str_of(dl_get_attr(op, "callee")->name));
  put_attr_cell(page, dl_get_attr(op, "grid"));
  put_attr_cell(page, dl_get_attr(op, "flops"));
  put_attr_cell(page, dl_get_attr(op, "flops_factors"));
  put_attr_cell(page, dl_get_attr(op, "bytes"));
  dl_buffer_puts(page, "</tr>\n");
  return true;
}

void dl_report_launches(dl_buffer *page, dl_op *module) {
  dl_buffer_puts(page,
                 "<h2>Launches</h2>\n<table><tr><th>layer</th><th>kernel</th><th>grid</th>"
                 "<th>operations</th><th>times arguments</th><th>bytes</th></tr>\n");
  dl_walk(module, add_launch, page);
  dl_buffer_puts(page, "</table>\n</body></html>\n");
}
