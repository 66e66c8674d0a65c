// Printing of operations by their format string.

#include "ir/text_format.h"

typedef struct format_printer {
  dl_printer *o;
  const dl_op *op;
  const dl_op_def *def;
  const dl_format *format;
  bool glue;  // no space before the next element
} format_printer;

static void space(format_printer *f) {
  if (!f->glue) dl_o_puts(f->o, " ");
  f->glue = false;
}

static void print_literal(format_printer *f, dl_str text) {
  char c = text.len ? text.data[0] : 0;
  bool single = text.len == 1;
  if (!c) {
    f->glue = true;
    return;
  }
  if (single && strchr(",)]>([<", c)) f->glue = true;
  space(f);
  dl_buffer_append(dl_o_buffer(f->o), text.data, text.len);
  f->glue = single && strchr("([<", c);
}

static void print_types(format_printer *f, bool operands, size_t index) {
  size_t count;
  size_t first =
      operands ? dl_operand_group(f->op, index, &count) : dl_result_group(f->op, index, &count);
  if (count) space(f);
  for (size_t i = 0; i < count; i++) {
    if (i) dl_o_puts(f->o, ", ");
    dl_o_type(f->o,
              dl_value_type(operands ? dl_operand(f->op, first + i) : dl_result(f->op, first + i)));
  }
}

static void print_operand(format_printer *f, size_t index) {
  size_t count, first = dl_operand_group(f->op, index, &count);
  if (!count) return;
  space(f);
  dl_o_values(f->o, f->op, first, count);
}

static bool is_number(const char *constraint) {
  static const char *const numbers[] = {"i64", "i32", "index", "f32", "f64"};
  for (size_t i = 0; i < DL_COUNT(numbers); i++)
    if (strcmp(constraint, numbers[i]) == 0) return true;
  return false;
}

static void print_attr(format_printer *f, size_t index) {
  dl_attr value = dl_get_attr(f->op, f->def->attrs[index].name);
  if (!value) return;
  space(f);
  if (is_number(f->def->attrs[index].constraint))
    dl_o_attr_without_type(f->o, value);
  else
    dl_o_attr(f->o, value);
}

static void print_params(format_printer *f, size_t index) {
  dl_attr value = dl_get_attr(f->op, f->def->attrs[index].name);
  if (value) dl_o_dialect_attr_params(f->o, value);
  f->glue = false;
}

static void print_successors(format_printer *f) {
  for (size_t i = 0; i < dl_num_successors(f->op); i++) {
    if (i)
      dl_o_puts(f->o, ", ");
    else
      space(f);
    dl_o_successor(f->o, f->op, i);
  }
}

static void print_attr_dict(format_printer *f, bool keyword) {
  if (keyword)
    dl_o_attr_dict_with_keyword(f->o, f->op, f->format->named_attrs);
  else
    dl_o_attr_dict(f->o, f->op, f->format->named_attrs);
}

static void print_signature(format_printer *f) {
  dl_buffer *out = dl_o_buffer(f->o);
  space(f);
  size_t start = out->len;
  dl_o_signature(f->o, f->op);
  // The signature brings ` : ` with it, which a format writes as a literal.
  memmove(out->data + start, out->data + start + 3, out->len - start - 3);
  out->len -= 3;
  out->data[out->len] = 0;
}

static void print_element(format_printer *f, dl_format_element e) {
  switch (e.kind) {
    case DL_FORMAT_LITERAL:
      print_literal(f, e.text);
      return;
    case DL_FORMAT_OPERAND:
      print_operand(f, e.index);
      return;
    case DL_FORMAT_ATTR:
      print_attr(f, e.index);
      return;
    case DL_FORMAT_REGION:
      dl_o_region(f->o, dl_op_region(f->op, e.index), true, true);
      return;
    case DL_FORMAT_OPERAND_TYPE:
    case DL_FORMAT_RESULT_TYPE:
      print_types(f, e.kind == DL_FORMAT_OPERAND_TYPE, e.index);
      return;
    case DL_FORMAT_PARAMS:
      print_params(f, e.index);
      return;
    case DL_FORMAT_OPERANDS:
      if (dl_num_operands(f->op)) space(f);
      dl_o_values(f->o, f->op, 0, dl_num_operands(f->op));
      return;
    case DL_FORMAT_SUCCESSORS:
      print_successors(f);
      return;
    case DL_FORMAT_SUCCESSOR:
      space(f);
      dl_o_successor(f->o, f->op, e.index);
      return;
    case DL_FORMAT_FUNCTIONAL_TYPE:
      print_signature(f);
      return;
    default:
      print_attr_dict(f, e.kind == DL_FORMAT_ATTR_DICT_WITH_KEYWORD);
  }
}

static bool present(const format_printer *f, dl_format_element e) {
  size_t count = 0;
  if (e.kind == DL_FORMAT_ATTR || e.kind == DL_FORMAT_PARAMS)
    return dl_get_attr(f->op, f->def->attrs[e.index].name) != NULL;
  if (e.kind == DL_FORMAT_REGION) return !dl_region_empty(dl_op_region(f->op, e.index));
  if (e.kind == DL_FORMAT_RESULT_TYPE)
    dl_result_group(f->op, e.index, &count);
  else if (e.kind == DL_FORMAT_OPERAND || e.kind == DL_FORMAT_OPERAND_TYPE)
    dl_operand_group(f->op, e.index, &count);
  return count != 0;
}

static bool group_is_present(const format_printer *f, const dl_format_element *e) {
  for (; e->kind != DL_FORMAT_CLOSE; e++)
    if (e->anchor) return present(f, *e);
  return false;
}

// Leaves *e at the end of the group.
static void print_group(format_printer *f, const dl_format_element **e) {
  bool shown = group_is_present(f, ++*e);
  for (; (*e)->kind != DL_FORMAT_CLOSE; ++*e)
    if (shown) print_element(f, **e);
}

void dl_write_op_format(dl_printer *o, const dl_op *op, const dl_op_def *def) {
  format_printer f = {
      .o = o, .op = op, .def = def, .format = dl_format_of(def, &o->formats, o->arena)};
  for (const dl_format_element *e = f.format->elements; e->kind != DL_FORMAT_END; e++) {
    if (e->kind == DL_FORMAT_OPEN)
      print_group(&f, &e);
    else
      print_element(&f, *e);
  }
}
