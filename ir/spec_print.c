// The bound form as text, and its cost.
#include "ir/spec.h"

typedef struct names {
  dl_buffer text;
  DL_VEC(size_t) offsets;
  const char **list;
} names;

static void add_name(names *n, const char *format, ...) {
  va_list args;
  va_start(args, format);
  DL_PUSH(&n->offsets, n->text.len);
  dl_buffer_vprintf(&n->text, format, args);
  dl_buffer_putc(&n->text, 0);
  va_end(args);
}

static const char *const *finish_names(names *n) {
  n->list = dl_calloc(n->offsets.len + 1, sizeof *n->list);
  for (size_t i = 0; i < n->offsets.len; i++) n->list[i] = n->text.data + n->offsets.data[i];
  return n->list;
}

static void free_names(names *n) {
  dl_buffer_free(&n->text);
  DL_VEC_FREE(&n->offsets);
  free(n->list);
}

typedef struct printer {
  dl_buffer *out;
  const dl_bound_spec *bound;
  const dl_bound_read *reads;
  const char *const *dims, *const *symbols;
} printer;

static void print_exprs(const printer *p, size_t count, const dl_expr *exprs) {
  for (size_t i = 0; i < count; i++) {
    if (i) dl_buffer_puts(p->out, ", ");
    dl_print_expr(p->out, exprs[i], p->dims, p->symbols);
  }
}

static void print_read(const printer *p, const dl_bound_read *read) {
  const dl_bound_tensor *tensor = &p->bound->tensors[read->tensor];
  if (read->otherwise) dl_buffer_putc(p->out, '(');
  dl_buffer_printf(p->out, "%s[", tensor->name);
  print_exprs(p, tensor->rank, read->indices);
  dl_buffer_putc(p->out, ']');
  if (!read->otherwise) return;
  dl_buffer_puts(p->out, " else ");
  dl_print_attr(p->out, read->otherwise);
  dl_buffer_putc(p->out, ')');
}

static void print_scalar(const printer *p, const dl_scalar *s) {
  switch (s->op) {
    case DL_SCALAR_CONST:
      dl_print_attr(p->out, s->constant);
      return;
    case DL_SCALAR_READ:
      print_read(p, &p->reads[s->read]);
      return;
    case DL_SCALAR_INDEX:
      print_exprs(p, 1, &s->index);
      return;
    case DL_SCALAR_GATHER:
      dl_buffer_printf(p->out, "gather %s", p->bound->tensors[s->tensor].name);
      break;
    default:
      dl_buffer_puts(p->out, dl_scalar_op_name(s->op));
      break;
  }
  if (s->op == DL_SCALAR_CAST) {
    dl_buffer_putc(p->out, '<');
    dl_print_type(p->out, s->type);
    dl_buffer_putc(p->out, '>');
  }
  dl_buffer_putc(p->out, '(');
  for (size_t i = 0; i < s->num_args; i++) {
    if (i) dl_buffer_puts(p->out, ", ");
    print_scalar(p, s->args[i]);
  }
  dl_buffer_putc(p->out, ')');
}

static void name_symbols(names *n, const dl_bound_spec *bound) {
  for (size_t i = 0; i < bound->num_symbols; i++) {
    const dl_bound_symbol *s = &bound->symbols[i];
    if (s->name)
      add_name(n, "%s", s->name);
    else
      add_name(n, "s%zu", i);
  }
}

static void print_symbols(const printer *p) {
  for (size_t i = 0; i < p->bound->num_symbols; i++) {
    const dl_bound_symbol *s = &p->bound->symbols[i];
    dl_buffer_printf(p->out, "%s = ", p->symbols[i]);
    if (s->kind == DL_SYMBOL_COMPUTED)
      print_scalar(p, s->value);
    else
      dl_buffer_printf(p->out, "%s %zu of operand %zu",
                       s->kind == DL_SYMBOL_DIM ? "dimension" : "element", s->index, s->operand);
    dl_buffer_putc(p->out, '\n');
  }
}

static void print_tensor(const printer *p, const dl_bound_tensor *tensor) {
  static const char *const kinds[] = {"operand", "temporary", "result"};
  dl_buffer_printf(p->out, "%s %s: ", kinds[tensor->kind], tensor->name);
  dl_print_type(p->out, tensor->element);
  dl_buffer_putc(p->out, '[');
  print_exprs(p, tensor->rank, tensor->sizes);
  dl_buffer_puts(p->out, "]\n");
}

static void print_compute(printer *p, const dl_bound_statement *s) {
  names dims = {0};
  for (size_t i = 0; i < s->num_iterators; i++) add_name(&dims, "%s", s->iterators[i].name);
  p->dims = finish_names(&dims);
  const dl_bound_tensor *target = &p->bound->tensors[s->target];
  dl_buffer_printf(p->out, "%s[", target->name);
  print_exprs(p, target->rank, s->out);
  dl_buffer_puts(p->out, "] =");
  for (size_t i = 0; i < s->num_iterators; i++) {
    if (i == 0 || i == s->num_parallel)
      dl_buffer_puts(p->out, i < s->num_parallel ? " parallel(" : " reduce(");
    dl_buffer_printf(p->out, "%s: ", s->iterators[i].name);
    print_exprs(p, 1, &s->iterators[i].extent);
    bool last = i + 1 == s->num_iterators || i + 1 == s->num_parallel;
    dl_buffer_puts(p->out, last ? ")" : ", ");
  }
  if (s->combiner) {
    dl_buffer_printf(p->out, " %s from ", dl_combiner_name(s->combiner));
    dl_print_attr(p->out, s->init);
  }
  dl_buffer_puts(p->out, " of ");
  print_scalar(p, s->body);
  p->dims = NULL;
  free_names(&dims);
}

static void print_statement(printer *p, const dl_bound_statement *s) {
  p->reads = s->reads;
  const char *target = p->bound->tensors[s->target].name;
  if (s->kind == DL_STATEMENT_COMPUTE) {
    print_compute(p, s);
  } else if (s->kind == DL_STATEMENT_RESHAPE) {
    dl_buffer_printf(p->out, "%s = reshape(%s)", target, p->bound->tensors[s->source].name);
  } else {
    dl_buffer_printf(p->out, "%s = elements(", target);
    for (size_t i = 0; i < s->num_elements; i++) {
      if (i) dl_buffer_puts(p->out, ", ");
      print_scalar(p, s->elements[i]);
    }
    dl_buffer_putc(p->out, ')');
  }
  dl_buffer_putc(p->out, '\n');
}

void dl_print_bound(dl_buffer *out, const dl_bound_spec *bound) {
  names symbols = {0};
  name_symbols(&symbols, bound);
  printer p = {.out = out, .bound = bound, .reads = bound->reads};
  p.symbols = finish_names(&symbols);
  print_symbols(&p);
  for (size_t i = 0; i < bound->num_tensors; i++) print_tensor(&p, &bound->tensors[i]);
  for (size_t i = 0; i < bound->num_statements; i++) print_statement(&p, &bound->statements[i]);
  free_names(&symbols);
}

// --- cost ---

static int64_t count_operations(const dl_scalar *s) {
  int64_t count = s->op >= DL_SCALAR_CAST && !dl_is_index(s->type) ? 1 : 0;
  for (size_t i = 0; i < s->num_args; i++) count += count_operations(s->args[i]);
  return count;
}

static bool count_points(const dl_bound_statement *s, int64_t *points) {
  *points = 1;
  for (size_t i = 0; i < s->num_iterators; i++) {
    dl_expr extent = s->iterators[i].extent;
    if (extent->kind != DL_EXPR_CONST) return false;
    if (__builtin_mul_overflow(*points, extent->value, points)) return false;
  }
  return true;
}

int64_t dl_bound_flops(const dl_bound_spec *bound) {
  int64_t total = 0, points;
  for (size_t i = 0; i < bound->num_statements; i++) {
    const dl_bound_statement *s = &bound->statements[i];
    if (s->kind != DL_STATEMENT_COMPUTE) continue;
    if (!count_points(s, &points)) return -1;
    total += points * (count_operations(s->body) + (s->combiner != DL_COMBINE_NONE));
  }
  return total;
}
