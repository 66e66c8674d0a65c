#include <ctype.h>
#include <stdio.h>

#include "tools/opgen/opgen.h"

const char *opgen_symbol(dl_buffer *scratch, const char *op_name) {
  scratch->len = 0;
  dl_buffer_puts(scratch, op_name);
  for (size_t i = 0; i < scratch->len; i++)
    if (scratch->data[i] == '.') scratch->data[i] = '_';
  return scratch->data;
}

static void declare_hooks(dl_buffer *out, const dl_yaml_dialect *dialect) {
  if (dialect->materialize_constant)
    dl_buffer_printf(out, "dl_op *%s(dl_builder *b, dl_attr value, dl_type type);\n",
                     dialect->materialize_constant);
  for (size_t i = 0; i < dialect->def.num_ops; i++) {
    const dl_yaml_hooks *h = &dialect->hooks[i];
    if (h->verify) dl_buffer_printf(out, "dl_status %s(dl_op *op);\n", h->verify);
    if (h->verify_symbols) dl_buffer_printf(out, "dl_status %s(dl_op *op);\n", h->verify_symbols);
    if (h->fold)
      dl_buffer_printf(out,
                       "bool %s(dl_op *op, const dl_attr *operand_constants, "
                       "dl_folded *results);\n",
                       h->fold);
    if (h->parse)
      dl_buffer_printf(out, "dl_status %s(dl_parser *parser, dl_op_state *state);\n", h->parse);
    if (h->print)
      dl_buffer_printf(out, "void %s(dl_printer *printer, const dl_op *op);\n", h->print);
    if (h->infer) dl_buffer_printf(out, "dl_status %s(dl_op *op, dl_type *types);\n", h->infer);
    if (h->canonicalize)
      dl_buffer_printf(out, "dl_outcome %s(dl_rewriter *rw, dl_op *op);\n", h->canonicalize);
    if (h->control)
      dl_buffer_printf(out,
                       "size_t %s(const dl_op *op, int from, const dl_attr *operand_constants, "
                       "dl_control_edge edges[DL_MAX_EDGES]);\n",
                       h->control);
    if (h->branch)
      dl_buffer_printf(out, "size_t %s(const dl_op *op, const dl_attr *operand_constants);\n",
                       h->branch);
  }
}

static void operand_accessor(dl_buffer *out, const char *op, const dl_value_spec *spec, size_t i) {
  if (spec->arity == DL_VARIADIC)
    dl_buffer_printf(out,
                     "static inline size_t %s_%s(const dl_op *op, size_t *count) {\n"
                     "  return dl_operand_group(op, %zu, count);\n}\n",
                     op, spec->name, i);
  else
    dl_buffer_printf(out,
                     "static inline dl_value *%s_%s(const dl_op *op) {\n"
                     "  return dl_spec_operand(op, %zu);\n}\n",
                     op, spec->name, i);
}

static void result_accessor(dl_buffer *out, const char *op, const dl_value_spec *spec, size_t i) {
  if (spec->arity == DL_VARIADIC)
    dl_buffer_printf(out,
                     "static inline size_t %s_%s(const dl_op *op, size_t *count) {\n"
                     "  return dl_result_group(op, %zu, count);\n}\n",
                     op, spec->name, i);
  else
    dl_buffer_printf(out,
                     "static inline dl_value *%s_%s(const dl_op *op) {\n"
                     "  return dl_spec_result(op, %zu);\n}\n",
                     op, spec->name, i);
}

// The C type and the getter with which an attribute of this constraint is read. Those that may be
// absent, and everything that is no single value, are read as attributes.
static void attr_accessor(dl_buffer *out, const char *op, const dl_attr_spec *spec) {
  static const struct {
    const char *constraint, *type, *getter;
  } kinds[] = {
      {"i64", "int64_t ", "dl_spec_i64"},   {"i32", "int64_t ", "dl_spec_i64"},
      {"index", "int64_t ", "dl_spec_i64"}, {"bool", "bool ", "dl_spec_i64"},
      {"f32", "double ", "dl_spec_f64"},    {"f64", "double ", "dl_spec_f64"},
      {"string", "dl_str ", "dl_spec_str"}, {"type", "dl_type ", "dl_spec_type"},
  };
  const char *type = "dl_attr ", *getter = "dl_spec_attr", *test = "";
  for (size_t i = 0; i < DL_COUNT(kinds) && !spec->optional; i++) {
    if (strcmp(kinds[i].constraint, spec->constraint)) continue;
    type = kinds[i].type, getter = kinds[i].getter;
    test = !strcmp(type, "bool ") ? " != 0" : "";
  }
  dl_buffer_printf(out, "static inline %s%s_%s(const dl_op *op) {\n  return %s(op, \"%s\")%s;\n}\n",
                   type, op, spec->name, getter, spec->name, test);
}

static dl_status check_names(const dl_op_def *def) {
  DL_VEC(const char *) names = {0};
  for (size_t i = 0; i < def->num_operands; i++) DL_PUSH(&names, def->operands[i].name);
  for (size_t i = 0; i < def->num_results; i++) DL_PUSH(&names, def->results[i].name);
  for (size_t i = 0; i < def->num_attrs; i++) DL_PUSH(&names, def->attrs[i].name);
  for (size_t i = 0; i < def->num_regions; i++) DL_PUSH(&names, def->regions[i]);
  dl_status status = DL_OK;
  for (size_t i = 0; i < names.len; i++)
    for (size_t j = 0; j < i; j++) {
      if (strcmp(names.data[i], names.data[j])) continue;
      fprintf(stderr, "opgen: %s: two parts are named '%s'\n", def->name, names.data[i]);
      status = DL_FAILED;
    }
  DL_VEC_FREE(&names);
  return status;
}

static void op_accessors(dl_buffer *out, const dl_op_def *def, const char *op) {
  for (size_t i = 0; i < def->num_operands; i++) operand_accessor(out, op, &def->operands[i], i);
  for (size_t i = 0; i < def->num_results; i++) result_accessor(out, op, &def->results[i], i);
  for (size_t i = 0; i < def->num_attrs; i++) attr_accessor(out, op, &def->attrs[i]);
  for (size_t i = 0; i < def->num_regions; i++)
    dl_buffer_printf(out,
                     "static inline dl_region *%s_%s(const dl_op *op) {\n"
                     "  return dl_op_region(op, %zu);\n}\n",
                     op, def->regions[i], i);
}

dl_status opgen_header(dl_buffer *out, const dl_yaml_dialect *dialect) {
  const char *name = dialect->def.name;
  dl_buffer guard = {0}, scratch = {0};
  for (const char *c = name; *c; c++) dl_buffer_putc(&guard, (char)toupper((unsigned char)*c));
  dl_buffer_printf(out,
                   "// Generated by opgen from the op spec of the dialect %s.\n"
                   "#ifndef DLIR_%s_OPS_H\n#define DLIR_%s_OPS_H\n\n#include \"ir/spec.h\"\n\n"
                   "extern DL_API const dl_dialect_def %s_dialect;\n\n",
                   name, guard.data, guard.data, name);
  declare_hooks(out, dialect);
  dl_status status = DL_OK;
  for (size_t i = 0; i < dialect->def.num_ops; i++) {
    const dl_op_def *def = dialect->def.ops[i];
    const char *op = opgen_symbol(&scratch, def->name);
    dl_buffer_printf(out, "\n// %s\nextern DL_API const dl_op_def %s;\n", def->summary, op);
    if (check_names(def)) status = DL_FAILED;
    op_accessors(out, def, op);
  }
  dl_buffer_puts(out, "\n#endif\n");
  dl_buffer_free(&guard);
  dl_buffer_free(&scratch);
  return status;
}
