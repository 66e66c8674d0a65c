// Printing of affine expressions, maps and sets.

#include <inttypes.h>

#include "ir/text_internal.h"

typedef struct affine_names {
  const char *const *dims, *const *symbols;
} affine_names;

static void print_operand(dl_buffer *out, dl_expr e, const affine_names *names, bool tight);

static void print_name(dl_buffer *out, const char *const *names, char letter, int64_t position) {
  if (names)
    dl_buffer_puts(out, names[position]);
  else
    dl_buffer_printf(out, "%c%" PRId64, letter, position);
}

// `- x` instead of `+ x * -1`, `- 3` instead of `+ -3`.
static void print_sum(dl_buffer *out, dl_expr e, const affine_names *names) {
  print_operand(out, e->lhs, names, false);
  dl_expr rhs = e->rhs;
  if (rhs->kind == DL_EXPR_CONST && rhs->value < 0 && rhs->value != INT64_MIN) {
    dl_buffer_printf(out, " - %" PRId64, -rhs->value);
  } else if (rhs->kind == DL_EXPR_MUL && dl_expr_is_const(rhs->rhs, -1)) {
    dl_buffer_puts(out, " - ");
    print_operand(out, rhs->lhs, names, rhs->lhs->kind == DL_EXPR_ADD);
  } else if (rhs->kind == DL_EXPR_MUL && rhs->rhs->kind == DL_EXPR_CONST && rhs->rhs->value < 0 &&
             rhs->rhs->value != INT64_MIN) {
    dl_buffer_puts(out, " - ");
    print_operand(out, rhs->lhs, names, true);
    dl_buffer_printf(out, " * %" PRId64, -rhs->rhs->value);
  } else {
    dl_buffer_puts(out, " + ");
    print_operand(out, rhs, names, false);
  }
}

static void print_product(dl_buffer *out, dl_expr e, const affine_names *names) {
  if (e->kind == DL_EXPR_MUL && dl_expr_is_const(e->rhs, -1)) {
    dl_buffer_putc(out, '-');
    print_operand(out, e->lhs, names, true);
    return;
  }
  const char *op = e->kind == DL_EXPR_MUL        ? " * "
                   : e->kind == DL_EXPR_FLOORDIV ? " floordiv "
                   : e->kind == DL_EXPR_CEILDIV  ? " ceildiv "
                                                 : " mod ";
  print_operand(out, e->lhs, names, true);
  dl_buffer_puts(out, op);
  print_operand(out, e->rhs, names, true);
}

static void print_operand(dl_buffer *out, dl_expr e, const affine_names *names, bool tight) {
  switch (e->kind) {
    case DL_EXPR_CONST:
      dl_buffer_printf(out, "%" PRId64, e->value);
      return;
    case DL_EXPR_DIM:
      print_name(out, names->dims, 'd', e->value);
      return;
    case DL_EXPR_SYMBOL:
      print_name(out, names->symbols, 's', e->value);
      return;
    default:
      break;
  }
  if (tight) dl_buffer_putc(out, '(');
  if (e->kind == DL_EXPR_ADD)
    print_sum(out, e, names);
  else
    print_product(out, e, names);
  if (tight) dl_buffer_putc(out, ')');
}

void dl_print_expr(dl_buffer *out, dl_expr expr, const char *const *dim_names,
                   const char *const *symbol_names) {
  affine_names names = {dim_names, symbol_names};
  print_operand(out, expr, &names, false);
}

static void print_space(dl_buffer *out, dl_map map) {
  dl_buffer_putc(out, '(');
  for (unsigned i = 0; i < map->num_dims; i++) dl_buffer_printf(out, "%sd%u", i ? ", " : "", i);
  dl_buffer_putc(out, ')');
  if (map->num_symbols == 0) return;
  dl_buffer_putc(out, '[');
  for (unsigned i = 0; i < map->num_symbols; i++) dl_buffer_printf(out, "%ss%u", i ? ", " : "", i);
  dl_buffer_putc(out, ']');
}

void dl_print_map(dl_buffer *out, dl_map map) {
  print_space(out, map);
  dl_buffer_puts(out, " -> (");
  for (size_t i = 0; i < map->num_results; i++) {
    if (i) dl_buffer_puts(out, ", ");
    dl_print_expr(out, map->results[i], NULL, NULL);
  }
  dl_buffer_putc(out, ')');
}

void dl_write_set(dl_buffer *out, dl_attr set) {
  print_space(out, set->map);
  dl_buffer_puts(out, " : (");
  for (size_t i = 0; i < set->map->num_results; i++) {
    if (i) dl_buffer_puts(out, ", ");
    dl_print_expr(out, set->map->results[i], NULL, NULL);
    dl_buffer_puts(out, set->is_equality[i] ? " == 0" : " >= 0");
  }
  dl_buffer_putc(out, ')');
}
