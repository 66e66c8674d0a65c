// The pretty form of tensor.compute, out. compute_parse.c reads it back.
#include "dialects/tensor/compute.h"
#include "dialects/tensor/tensor_ops.h"
#include "ir/text.h"

typedef struct name_lists {
  const char **iterators, **symbols;
} name_lists;

static name_lists names_of(const dl_compute *c, dl_arena *arena) {
  name_lists names = {dl_arena_alloc(arena, (c->num_iterators + 1) * sizeof(char *)),
                      dl_arena_alloc(arena, (c->num_symbols + 1) * sizeof(char *))};
  for (size_t i = 0; i < c->num_iterators; i++) names.iterators[i] = c->iterators[i];
  for (size_t i = 0; i < c->num_symbols; i++) {
    char *name = dl_arena_alloc(arena, 24);
    snprintf(name, 24, "s%zu", i);
    names.symbols[i] = name;
  }
  return names;
}

static void print_expr(dl_printer *o, dl_expr expr, const name_lists *names) {
  dl_print_expr(dl_o_buffer(o), expr, names->iterators, names->symbols);
}

static void print_indices(dl_printer *o, dl_map map, const name_lists *names) {
  dl_o_puts(o, "(");
  for (size_t i = 0; i < map->num_results; i++) {
    if (i) dl_o_puts(o, ", ");
    print_expr(o, map->results[i], names);
  }
  dl_o_puts(o, ")");
}

static void print_iterators(dl_printer *o, const dl_compute *c, const name_lists *names,
                            size_t from, size_t to) {
  dl_o_puts(o, "(");
  for (size_t i = from; i < to; i++) {
    dl_o_printf(o, "%s%s: ", i == from ? "" : ", ", c->iterators[i]);
    print_expr(o, c->sizes->results[i], names);
  }
  dl_o_puts(o, ")");
}

static void print_values(dl_printer *o, size_t count, dl_value *const *values) {
  for (size_t i = 0; i < count; i++) {
    if (i) dl_o_puts(o, ", ");
    dl_o_value(o, values[i]);
  }
}

static void print_operands(dl_printer *o, const dl_compute *c, const name_lists *names) {
  dl_o_puts(o, "(");
  print_values(o, c->num_inputs, c->inputs);
  dl_o_puts(o, ")");
  if (c->num_captures) {
    dl_o_puts(o, " captures(");
    print_values(o, c->num_captures, c->captures);
    dl_o_puts(o, ")");
  }
  if (!c->num_symbols) return;
  dl_o_puts(o, " symbols(");
  for (size_t i = 0; i < c->num_symbols; i++) {
    dl_o_printf(o, "%s%s = ", i ? ", " : "", names->symbols[i]);
    dl_o_value(o, c->symbols[i]);
  }
  dl_o_puts(o, ")");
}

static void print_inputs(dl_printer *o, const dl_compute *c, const name_lists *names) {
  dl_o_puts(o, "in [");
  for (size_t i = 0; i < c->num_inputs; i++) {
    if (i) dl_o_puts(o, ", ");
    print_indices(o, c->in_maps[i], names);
    if (!c->in_else[i]) continue;
    dl_o_puts(o, " else ");
    dl_o_attr(o, c->in_else[i]);
  }
  dl_o_puts(o, "]");
}

static void print_where(dl_printer *o, const dl_compute *c, const name_lists *names) {
  dl_o_puts(o, " where (");
  for (size_t i = 0; i < c->where->map->num_results; i++) {
    if (i) dl_o_puts(o, ", ");
    print_expr(o, c->where->map->results[i], names);
    dl_o_puts(o, c->where->is_equality[i] ? " == 0" : " >= 0");
  }
  dl_o_puts(o, ")");
}

static void print_types(dl_printer *o, const dl_compute *c) {
  dl_o_puts(o, ": (");
  for (size_t i = 0; i < c->num_inputs + c->num_captures; i++) {
    if (i) dl_o_puts(o, ", ");
    size_t capture = i - c->num_inputs;
    dl_o_type(o, dl_value_type(i < c->num_inputs ? c->inputs[i] : c->captures[capture]));
  }
  dl_o_puts(o, ") -> ");
  dl_o_type(o, c->result);
}

// Continuation lines stand four columns inside the op.
static void continue_line(dl_printer *o) {
  dl_o_newline(o);
  dl_o_puts(o, "    ");
}

static void print_header(dl_printer *o, const dl_compute *c, const name_lists *names) {
  dl_o_puts(o, " ");
  dl_o_symbol(o, c->label);
  print_operands(o, c, names);
  if (c->combiner) {
    dl_o_printf(o, " %s init ", dl_combiner_name(c->combiner));
    dl_o_attr(o, c->init);
  }
  continue_line(o);
  dl_o_puts(o, "parallel");
  print_iterators(o, c, names, 0, c->num_parallel);
  if (c->num_iterators > c->num_parallel) {
    dl_o_puts(o, " reduce");
    print_iterators(o, c, names, c->num_parallel, c->num_iterators);
  }
  continue_line(o);
  print_inputs(o, c, names);
  dl_o_puts(o, " out ");
  print_indices(o, c->out_map, names);
  if (c->shape) {
    dl_o_puts(o, " shape ");
    print_indices(o, c->shape, names);
  }
  if (c->where) print_where(o, c, names);
}

static const char *const inherent_names[] = {"label",     "operandSegmentSizes",
                                             "iterators", "parallel",
                                             "sizes",     "in_maps",
                                             "in_else",   "out_map",
                                             "shape",     "combiner",
                                             "init",      "where",
                                             NULL};

void tensor_compute_print(dl_printer *o, const dl_op *op) {
  dl_arena *arena = dl_arena_create();
  dl_compute c = dl_compute_read(op, arena);
  name_lists names = names_of(&c, arena);
  print_header(o, &c, &names);
  dl_o_attr_dict(o, op, inherent_names);
  continue_line(o);
  print_types(o, &c);
  dl_o_region(o, dl_op_region(op, 0), true, true);
  dl_arena_destroy(arena);
}
