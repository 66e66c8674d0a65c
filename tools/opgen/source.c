#include <ctype.h>

#include "tools/opgen/opgen.h"

static void c_string(dl_buffer *out, const char *text) {
  if (!text) {
    dl_buffer_puts(out, "NULL");
    return;
  }
  dl_buffer_putc(out, '"');
  for (; *text; text++) {
    unsigned char c = (unsigned char)*text;
    if (c == '\n')
      dl_buffer_puts(out, "\\n");
    else if (c == '"' || c == '\\')
      dl_buffer_printf(out, "\\%c", c);
    else if (isprint(c))
      dl_buffer_putc(out, (char)c);
    else
      dl_buffer_printf(out, "\\%03o", c);
  }
  dl_buffer_putc(out, '"');
}

static void text_field(dl_buffer *out, const char *field, const char *text) {
  if (!text) return;
  dl_buffer_printf(out, "    .%s = ", field);
  c_string(out, text);
  dl_buffer_puts(out, ",\n");
}

static void value_table(dl_buffer *out, const char *op, const char *table, size_t count,
                        const dl_value_spec *specs) {
  static const char *const arities[] = {"DL_ONE", "DL_OPTIONAL", "DL_VARIADIC"};
  if (!count) return;
  dl_buffer_printf(out, "static const dl_value_spec %s__%s[] = {\n", op, table);
  for (size_t i = 0; i < count; i++) {
    dl_buffer_puts(out, "    {");
    c_string(out, specs[i].name);
    dl_buffer_puts(out, ", ");
    c_string(out, specs[i].constraint);
    dl_buffer_printf(out, ", %s, 0x%x},\n", arities[specs[i].arity], specs[i].effects);
  }
  dl_buffer_puts(out, "};\n");
}

static void attr_table(dl_buffer *out, const char *op, const dl_op_def *def) {
  if (!def->num_attrs) return;
  dl_buffer_printf(out, "static const dl_attr_spec %s__attrs[] = {\n", op);
  for (size_t i = 0; i < def->num_attrs; i++) {
    dl_buffer_puts(out, "    {");
    c_string(out, def->attrs[i].name);
    dl_buffer_puts(out, ", ");
    c_string(out, def->attrs[i].constraint);
    dl_buffer_puts(out, ", ");
    c_string(out, def->attrs[i].default_value);
    dl_buffer_printf(out, ", %s},\n", def->attrs[i].optional ? "true" : "false");
  }
  dl_buffer_puts(out, "};\n");
}

static void where_table(dl_buffer *out, const char *op, const dl_op_def *def) {
  if (!def->num_where) return;
  dl_buffer_printf(out, "static const dl_named_text %s__where[] = {\n", op);
  for (size_t i = 0; i < def->num_where; i++) {
    dl_buffer_puts(out, "    {");
    c_string(out, def->where[i].name);
    dl_buffer_puts(out, ", ");
    c_string(out, def->where[i].text);
    dl_buffer_puts(out, "},\n");
  }
  dl_buffer_puts(out, "};\n");
}

static void region_table(dl_buffer *out, const char *op, const dl_op_def *def) {
  if (!def->num_regions) return;
  dl_buffer_printf(out, "static const char *const %s__regions[] = {", op);
  for (size_t i = 0; i < def->num_regions; i++) {
    c_string(out, def->regions[i]);
    dl_buffer_puts(out, i + 1 < def->num_regions ? ", " : "");
  }
  dl_buffer_puts(out, "};\n");
}

static void successor_table(dl_buffer *out, const char *op, const dl_op_def *def) {
  if (!def->num_successors) return;
  dl_buffer_printf(out, "static const dl_successor_spec %s__successors[] = {\n", op);
  for (size_t i = 0; i < def->num_successors; i++) {
    dl_buffer_puts(out, "    {");
    c_string(out, def->successors[i].name);
    if (def->successors[i].group == DL_NO_GROUP)
      dl_buffer_puts(out, ", DL_NO_GROUP},\n");
    else
      dl_buffer_printf(out, ", %zu},\n", def->successors[i].group);
  }
  dl_buffer_puts(out, "};\n");
}

static void table_field(dl_buffer *out, const char *op, const char *table, size_t count) {
  if (!count) return;
  dl_buffer_printf(out, "    .num_%s = %zu,\n    .%s = %s__%s,\n", table, count, table, op, table);
}

static void hook_field(dl_buffer *out, const char *field, const char *function) {
  if (function) dl_buffer_printf(out, "    .%s = %s,\n", field, function);
}

static void op_table(dl_buffer *out, const char *op, const dl_op_def *def,
                     const dl_yaml_hooks *hooks) {
  value_table(out, op, "operands", def->num_operands, def->operands);
  value_table(out, op, "results", def->num_results, def->results);
  attr_table(out, op, def);
  region_table(out, op, def);
  successor_table(out, op, def);
  where_table(out, op, def);
  dl_buffer_printf(out, "const dl_op_def %s = {\n", op);
  text_field(out, "name", def->name);
  text_field(out, "summary", def->summary);
  text_field(out, "description", def->description);
  if (def->traits) dl_buffer_printf(out, "    .traits = 0x%x,\n", def->traits);
  table_field(out, op, "operands", def->num_operands);
  table_field(out, op, "results", def->num_results);
  table_field(out, op, "attrs", def->num_attrs);
  table_field(out, op, "regions", def->num_regions);
  table_field(out, op, "successors", def->num_successors);
  table_field(out, op, "where", def->num_where);
  text_field(out, "compute", def->compute);
  text_field(out, "shape_function", def->shape_function);
  text_field(out, "format", def->format);
  hook_field(out, "verify", hooks->verify);
  hook_field(out, "verify_symbols", hooks->verify_symbols);
  hook_field(out, "fold", hooks->fold);
  hook_field(out, "parse", hooks->parse);
  hook_field(out, "print", hooks->print);
  hook_field(out, "infer", hooks->infer);
  hook_field(out, "canonicalize", hooks->canonicalize);
  hook_field(out, "control", hooks->control);
  hook_field(out, "branch", hooks->branch);
  dl_buffer_puts(out, "};\n\n");
}

static void dialect_table(dl_buffer *out, const dl_yaml_dialect *dialect) {
  const dl_dialect_def *def = &dialect->def;
  dl_buffer scratch = {0};
  dl_buffer_printf(out, "static const dl_op_def *const %s__ops[] = {\n", def->name);
  for (size_t i = 0; i < def->num_ops; i++)
    dl_buffer_printf(out, "    &%s,\n", opgen_symbol(&scratch, def->ops[i]->name));
  dl_buffer_puts(out, "    NULL,\n};\n\n");
  dl_buffer_printf(out, "const dl_dialect_def %s_dialect = {\n", def->name);
  text_field(out, "name", def->name);
  text_field(out, "summary", def->summary);
  dl_buffer_printf(out, "    .num_ops = %zu,\n    .ops = %s__ops,\n", def->num_ops, def->name);
  hook_field(out, "materialize_constant", dialect->materialize_constant);
  dl_buffer_puts(out, "};\n");
  dl_buffer_free(&scratch);
}

void opgen_source(dl_buffer *out, const dl_yaml_dialect *dialect, const char *header) {
  dl_buffer scratch = {0};
  dl_buffer_printf(out,
                   "// Generated by opgen from the op spec of the dialect %s.\n"
                   "#include \"%s\"\n\n",
                   dialect->def.name, header);
  for (size_t i = 0; i < dialect->def.num_ops; i++)
    op_table(out, opgen_symbol(&scratch, dialect->def.ops[i]->name), dialect->def.ops[i],
             &dialect->hooks[i]);
  dialect_table(out, dialect);
  dl_buffer_free(&scratch);
}
