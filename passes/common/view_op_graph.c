// view-op-graph: writes the ops as a Graphviz graph: regions and blocks are clusters, edges go from
// values to their uses, and dotted ones from branches to blocks.
#include "ir/pass.h"

typedef struct viewer {
  dl_pass *pass;
  dl_buffer out;
  dl_buffer edges;     // after all nodes
  dl_ptr_map numbers;  // op, argument, block -> number of its node
  size_t next, depth;
} viewer;

static size_t number_of(viewer *v, const void *thing) {
  size_t number = (uintptr_t)dl_ptr_map_get(&v->numbers, thing);
  if (number) return number;
  dl_ptr_map_set(&v->numbers, thing, (void *)++v->next);
  return v->next;
}

static void indent(viewer *v) {
  for (size_t i = 0; i < v->depth; i++) dl_buffer_puts(&v->out, "  ");
}

// Escaped for a label, cut after a number of bytes.
static void put_label(viewer *v, const char *text) {
  size_t limit = (size_t)dl_option_int(v->pass, "max-label-len");
  for (size_t i = 0; text[i]; i++) {
    if (i == limit) {
      dl_buffer_puts(&v->out, "...");
      return;
    }
    if (strchr("\"\\{}<>|", text[i])) dl_buffer_putc(&v->out, '\\');
    dl_buffer_putc(&v->out, text[i]);
  }
}

static void put_attr(viewer *v, dl_named_attr attr) {
  dl_buffer text = {0};
  dl_buffer_printf(&text, "%s: ", attr.name);
  dl_print_attr(&text, attr.value);
  put_label(v, text.data);
  dl_buffer_puts(&v->out, "\\l");
  dl_buffer_free(&text);
}

static void put_attrs(viewer *v, const dl_op *op) {
  if (!dl_option_bool(v->pass, "print-attrs")) return;
  for (size_t i = 0; i < dl_num_inherent_attrs(op); i++) put_attr(v, dl_inherent_attr(op, i));
  for (size_t i = 0; i < dl_num_discardable_attrs(op); i++) put_attr(v, dl_discardable_attr(op, i));
}

static void put_types(viewer *v, const dl_op *op) {
  if (!dl_option_bool(v->pass, "print-result-types")) return;
  for (size_t i = 0; i < dl_num_results(op); i++) {
    dl_buffer type = {0};
    dl_print_type(&type, dl_value_type(dl_result(op, i)));
    dl_buffer_puts(&v->out, i ? ", " : ": ");
    put_label(v, type.data);
    dl_buffer_free(&type);
  }
}

static size_t node_of_value(viewer *v, const dl_value *value) {
  const dl_op *def = dl_value_def(value);
  return number_of(v, def ? (const void *)def : (const void *)value);
}

static void put_edges(viewer *v, const dl_op *op) {
  size_t node = number_of(v, op);
  for (size_t i = 0; i < dl_num_operands(op); i++) {
    dl_value *operand = dl_operand(op, i);
    if (!dl_option_bool(v->pass, "print-data-flow-edges")) break;
    dl_buffer_printf(&v->edges, "  v%zu -> v%zu [label = \"%zu\"];\n", node_of_value(v, operand),
                     node, i);
  }
  for (size_t i = 0; i < dl_num_successors(op); i++)
    dl_buffer_printf(&v->edges, "  v%zu -> v%zu [style = dotted];\n", node,
                     number_of(v, dl_successor(op, i)));
}

static void view_op(viewer *v, const dl_op *op);

static void put_argument(viewer *v, const dl_value *argument) {
  dl_buffer type = {0};
  dl_print_type(&type, dl_value_type(argument));
  indent(v);
  dl_buffer_printf(&v->out, "v%zu [shape = ellipse, label = \"", number_of(v, argument));
  dl_buffer_printf(&v->out, "arg%zu: ", dl_value_index(argument));
  put_label(v, type.data);
  dl_buffer_puts(&v->out, "\"];\n");
  dl_buffer_free(&type);
}

static void view_block(viewer *v, const dl_block *block) {
  size_t number = number_of(v, block);
  indent(v);
  dl_buffer_printf(&v->out, "subgraph cluster_%zu {\n", number);
  v->depth++;
  indent(v);
  dl_buffer_printf(&v->out, "v%zu [shape = point, style = invis];\n", number);
  for (size_t i = 0; i < dl_num_args(block); i++) put_argument(v, dl_arg(block, i));
  for (const dl_op *op = dl_block_first(block); op; op = dl_op_next(op)) view_op(v, op);
  v->depth--;
  indent(v);
  dl_buffer_puts(&v->out, "}\n");
}

static void view_op(viewer *v, const dl_op *op) {
  indent(v);
  dl_buffer_printf(&v->out, "v%zu [shape = box, label = \"", number_of(v, op));
  dl_buffer_puts(&v->out, dl_op_name(op));
  put_types(v, op);
  dl_buffer_puts(&v->out, "\\l");
  put_attrs(v, op);
  dl_buffer_puts(&v->out, "\"];\n");
  put_edges(v, op);
  for (size_t i = 0; i < dl_num_regions(op); i++)
    DL_FOR_BLOCKS(block, dl_op_region(op, i)) view_block(v, block);
}

static dl_status run(dl_pass *pass, dl_op *root) {
  viewer v = {.pass = pass, .depth = 1};
  if (dl_option_int(pass, "max-label-len") < 0)
    return dl_error(dl_op_loc(root), "max-label-len must not be negative");
  dl_buffer_puts(&v.out, "digraph G {\n");
  view_op(&v, root);
  dl_buffer_puts(&v.out, v.edges.data ? v.edges.data : "");
  dl_buffer_puts(&v.out, "}\n");
  dl_pass_print(pass, v.out.data);
  dl_buffer_free(&v.out);
  dl_buffer_free(&v.edges);
  dl_ptr_map_free(&v.numbers);
  return DL_OK;
}

static const dl_option_def options[] = {
    {"max-label-len", "Cut attributes and types after so many bytes", DL_OPTION_INT, "20"},
    {"print-attrs", "Show attributes", DL_OPTION_BOOL, "true"},
    {"print-data-flow-edges", "Show what uses what", DL_OPTION_BOOL, "true"},
    {"print-result-types", "Show the types of results", DL_OPTION_BOOL, "true"},
};

const dl_pass_def dl_pass_view_op_graph = {
    .name = "view-op-graph",
    .summary = "Print the ops as a Graphviz graph",
    .contract = DL_EXACT,
    .num_options = DL_COUNT(options),
    .options = options,
    .run = run,
};
