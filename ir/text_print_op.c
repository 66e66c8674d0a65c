// Printing of operations, regions and blocks, and the hooks for pretty printers.

#include "ir/text_internal.h"

static void write_op(dl_printer *o, const dl_op *op);

static void newline(dl_printer *o) {
  dl_buffer_putc(o->out, '\n');
  for (unsigned i = 0; i < o->indent; i++) dl_buffer_puts(o->out, "  ");
}

// --- values, successors, types ---

const char *dl_o_value_name(dl_printer *o, const dl_value *value) {
  const char *name = dl_ptr_map_get(&o->value_names, value);
  return name ? name : "%<unknown>";
}

static void write_value(dl_printer *o, const dl_value *value) {
  dl_buffer_puts(o->out, dl_o_value_name(o, value));
}

void dl_o_values(dl_printer *o, const dl_op *op, size_t first, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (i) dl_buffer_puts(o->out, ", ");
    write_value(o, dl_operand(op, first + i));
  }
}

static void write_block_name(dl_printer *o, const dl_block *block) {
  const char *name = dl_ptr_map_get(&o->block_names, block);
  dl_buffer_puts(o->out, name ? name : "^<unknown>");
}

void dl_o_successor(dl_printer *o, const dl_op *op, size_t i) {
  write_block_name(o, dl_successor(op, i));
}

static void write_result_types(dl_printer *o, const dl_op *op) {
  size_t count = dl_num_results(op);
  bool bare = count == 1 && dl_value_type(dl_result(op, 0))->kind != DL_TYPE_FUNCTION;
  if (!bare) dl_buffer_putc(o->out, '(');
  for (size_t i = 0; i < count; i++) {
    if (i) dl_buffer_puts(o->out, ", ");
    dl_write_type(o, dl_value_type(dl_result(op, i)));
  }
  if (!bare) dl_buffer_putc(o->out, ')');
}

void dl_o_signature(dl_printer *o, const dl_op *op) {
  dl_buffer_puts(o->out, " : (");
  for (size_t i = 0; i < dl_num_operands(op); i++) {
    if (i) dl_buffer_puts(o->out, ", ");
    dl_write_type(o, dl_value_type(dl_operand(op, i)));
  }
  dl_buffer_puts(o->out, ") -> ");
  write_result_types(o, op);
}

// --- attributes ---

static bool omitted(const char *const *omit, dl_ident name) {
  for (; omit && *omit; omit++)
    if (strcmp(*omit, name) == 0) return true;
  return false;
}

typedef DL_VEC(dl_named_attr) entry_vec;

static void collect(entry_vec *entries, const dl_op *op, bool inherent, const char *const *omit) {
  size_t count = inherent ? dl_num_inherent_attrs(op) : dl_num_discardable_attrs(op);
  for (size_t i = 0; i < count; i++) {
    dl_named_attr entry = inherent ? dl_inherent_attr(op, i) : dl_discardable_attr(op, i);
    if (!omitted(omit, entry.name)) DL_PUSH(entries, entry);
  }
}

static int compare_names(const void *a, const void *b) {
  return strcmp(((const dl_named_attr *)a)->name, ((const dl_named_attr *)b)->name);
}

static void write_entries(dl_printer *o, entry_vec *entries, const char *open, const char *close) {
  if (entries->len) {
    qsort(entries->data, entries->len, sizeof *entries->data, compare_names);
    dl_buffer_puts(o->out, open);
    dl_write_dict_entries(o, entries->len, entries->data);
    dl_buffer_puts(o->out, close);
  }
  DL_VEC_FREE(entries);
}

static void write_attr_dict(dl_printer *o, const dl_op *op, const char *const *omit,
                            const char *open) {
  entry_vec entries = {0};
  if (!o->properties_done) collect(&entries, op, true, omit);
  collect(&entries, op, false, omit);
  write_entries(o, &entries, open, "}");
}

void dl_o_attr_dict(dl_printer *o, const dl_op *op, const char *const *omit) {
  write_attr_dict(o, op, omit, " {");
}

void dl_o_attr_dict_with_keyword(dl_printer *o, const dl_op *op, const char *const *omit) {
  write_attr_dict(o, op, omit, " attributes {");
}

void dl_o_properties(dl_printer *o, const dl_op *op, const char *const *omit) {
  entry_vec entries = {0};
  collect(&entries, op, true, omit);
  write_entries(o, &entries, " <{", "}>");
  o->properties_done = true;
}

// --- locations ---

static void write_loc_suffix(dl_printer *o, dl_loc loc) {
  if (!o->options.locations) return;
  dl_buffer_puts(o->out, " loc(");
  dl_write_loc(o, loc);
  dl_buffer_putc(o->out, ')');
}

// --- regions ---

static void write_block_header(dl_printer *o, const dl_block *block) {
  o->indent--;
  newline(o);
  o->indent++;
  write_block_name(o, block);
  for (size_t i = 0; i < dl_num_args(block); i++) {
    const dl_value *arg = dl_arg(block, i);
    dl_buffer_puts(o->out, i ? ", " : "(");
    write_value(o, arg);
    dl_buffer_puts(o->out, ": ");
    dl_write_type(o, dl_value_type(arg));
    write_loc_suffix(o, dl_value_loc(arg));
  }
  dl_buffer_puts(o->out, dl_num_args(block) ? "):" : ":");
}

static void write_block(dl_printer *o, const dl_block *block, bool header, bool terminator) {
  if (header) write_block_header(o, block);
  DL_FOR_OPS(op, block) {
    bool implied = !terminator && !dl_op_next(op) && dl_has_trait(op, DL_TERMINATOR) &&
                   dl_num_operands(op) == 0 && dl_num_discardable_attrs(op) == 0;
    if (implied) return;
    newline(o);
    write_op(o, op);
  }
}

// The entry block's header can be left out when it says nothing.
static bool needs_header(dl_printer *o, const dl_region *region, bool generic) {
  const dl_block *entry = dl_region_first(region);
  if (dl_num_args(entry) || dl_ptr_map_has(&o->branched, entry)) return true;
  bool more = dl_block_next(entry) != NULL;
  return (generic || more) && !dl_block_first(entry);
}

static void write_region(dl_printer *o, const dl_region *region, bool generic, bool header,
                         bool terminator) {
  dl_buffer_putc(o->out, '{');
  o->indent++;
  bool first = true;
  DL_FOR_BLOCKS(block, region) {
    bool with_header = first ? header && needs_header(o, region, generic) : true;
    write_block(o, block, with_header, terminator);
    first = false;
  }
  o->indent--;
  newline(o);
  dl_buffer_putc(o->out, '}');
}

void dl_o_region(dl_printer *o, dl_region *region, bool header, bool terminator) {
  dl_buffer_putc(o->out, ' ');
  write_region(o, region, false, header, terminator);
}

// --- operations ---

static void write_results(dl_printer *o, const dl_op *op) {
  size_t count = dl_num_results(op);
  for (size_t i = 0; i < count;) {
    size_t group = 1;
    while (i + group < count && !dl_value_name(dl_result(op, i + group))) group++;
    const char *name = dl_o_value_name(o, dl_result(op, i));
    if (i) dl_buffer_puts(o->out, ", ");
    dl_buffer_append(o->out, name, strcspn(name, "#"));
    if (group > 1) dl_buffer_printf(o->out, ":%zu", group);
    i += group;
  }
  if (count) dl_buffer_puts(o->out, " = ");
}

static bool prints_bare(const dl_op *op) {
  const char *name = dl_op_name(op);
  return strchr(name, '.') && dl_is_bare_identifier(dl_str_of(name));
}

// An op with a pretty form needs the quotes to be read as generic.
static void write_generic(dl_printer *o, const dl_op *op, bool has_form) {
  bool quoted = o->options.generic || has_form || !prints_bare(op);
  if (quoted)
    dl_write_string(o->out, dl_str_of(dl_op_name(op)));
  else
    dl_buffer_puts(o->out, dl_op_name(op));
  dl_buffer_putc(o->out, '(');
  dl_o_values(o, op, 0, dl_num_operands(op));
  dl_buffer_putc(o->out, ')');
  for (size_t i = 0; i < dl_num_successors(op); i++) {
    dl_buffer_puts(o->out, i ? ", " : "[");
    dl_o_successor(o, op, i);
  }
  if (dl_num_successors(op)) dl_buffer_putc(o->out, ']');
  dl_o_properties(o, op, NULL);
  for (size_t i = 0; i < dl_num_regions(op); i++) {
    dl_buffer_puts(o->out, i ? ", " : " (");
    write_region(o, dl_op_region(op, i), true, true, true);
  }
  if (dl_num_regions(op)) dl_buffer_putc(o->out, ')');
  o->properties_done = true;
  dl_o_attr_dict(o, op, NULL);
  dl_o_signature(o, op);
}

// At the top level, the dialect of the module goes without saying.
static const char *short_name(const dl_op *op) {
  size_t prefix = strcspn(DL_TOP_LEVEL_OP, ".") + 1;
  const char *name = dl_op_name(op);
  const dl_op *parent = dl_op_parent(op);
  bool at_top = !parent || strcmp(dl_op_name(parent), DL_TOP_LEVEL_OP) == 0;
  return at_top && strncmp(name, DL_TOP_LEVEL_OP, prefix) == 0 ? name + prefix : name;
}

static bool count_fits(size_t count, size_t num_specs, const dl_value_spec *specs) {
  size_t fixed = 0;
  for (size_t i = 0; i < num_specs; i++) fixed += specs[i].arity == DL_ONE;
  return fixed == num_specs ? count == fixed : count >= fixed;
}

static bool segments_fit(const dl_op *op, const dl_op_def *def) {
  size_t open = 0;
  int64_t total = 0;
  for (size_t i = 0; i < def->num_operands; i++) open += def->operands[i].arity != DL_ONE;
  if (open < 2) return true;
  dl_attr sizes = dl_get_attr(op, "operandSegmentSizes");
  if (!sizes || sizes->kind != DL_ATTR_DENSE_ARRAY || dl_array_len(sizes) != def->num_operands)
    return false;
  for (size_t i = 0; i < def->num_operands; i++) total += dl_i64_at(sizes, i);
  return total == (int64_t)dl_num_operands(op);
}

// Pretty printers rely on the definition. An op that has not been verified, in a diagnostic for
// one, may not follow it; it prints generically.
static bool fits_definition(const dl_op *op, const dl_op_def *def) {
  for (size_t i = 0; i < def->num_attrs; i++) {
    const dl_attr_spec *spec = &def->attrs[i];
    if (!spec->optional && !spec->default_value && !dl_get_attr(op, spec->name)) return false;
  }
  return count_fits(dl_num_operands(op), def->num_operands, def->operands) &&
         count_fits(dl_num_results(op), def->num_results, def->results) && segments_fit(op, def) &&
         dl_num_regions(op) == def->num_regions;
}

static void write_form(dl_printer *o, const dl_op *op) {
  const dl_op_def *def = dl_op_def_of(op);
  bool has_form = (def->print && def->parse) || def->format;
  if (o->options.generic || !has_form || !fits_definition(op, def)) {
    write_generic(o, op, has_form);
    return;
  }
  dl_buffer_puts(o->out, short_name(op));
  if (def->print && def->parse)
    def->print(o, op);
  else
    dl_write_op_format(o, op, def);
}

static void write_op(dl_printer *o, const dl_op *op) {
  bool outer = o->properties_done;
  o->properties_done = false;
  write_results(o, op);
  write_form(o, op);
  write_loc_suffix(o, dl_op_loc(op));
  o->properties_done = outer;
}

void dl_printer_free(dl_printer *o) {
  dl_ptr_map_free(&o->value_names);
  dl_ptr_map_free(&o->block_names);
  dl_ptr_map_free(&o->branched);
  dl_ptr_map_free(&o->aliases);
  dl_ptr_map_free(&o->resource_seen);
  dl_ptr_map_free(&o->formats);
  dl_buffer_free(&o->alias_lines);
  DL_VEC_FREE(&o->resources);
  if (o->arena) dl_arena_destroy(o->arena);
}

// Aliases are found while printing, but stand before what uses them.
void dl_write_top_level(dl_printer *o, const dl_op *op) {
  dl_buffer *out = o->out, body = {0};
  o->ctx = dl_op_context(op);
  o->arena = dl_arena_create();
  o->use_aliases = !o->options.local_scope;
  dl_name_values(o, op);
  o->out = &body;
  write_op(o, op);
  o->out = out;
  dl_buffer_append(out, o->alias_lines.data, o->alias_lines.len);
  dl_buffer_append(out, body.data, body.len);
  dl_buffer_putc(out, '\n');
  dl_buffer_free(&body);
}

// --- for pretty printers ---

dl_buffer *dl_o_buffer(dl_printer *o) { return o->out; }
void dl_o_puts(dl_printer *o, const char *text) { dl_buffer_puts(o->out, text); }
void dl_o_value(dl_printer *o, const dl_value *value) { write_value(o, value); }
void dl_o_type(dl_printer *o, dl_type type) { dl_write_type(o, type); }
void dl_o_attr(dl_printer *o, dl_attr attr) { dl_write_attr(o, attr); }
void dl_o_symbol(dl_printer *o, dl_ident name) { dl_write_symbol(o->out, name); }
void dl_o_newline(dl_printer *o) { newline(o); }
void dl_o_loc(dl_printer *o, dl_loc loc) { write_loc_suffix(o, loc); }

void dl_o_printf(dl_printer *o, const char *format, ...) {
  va_list args;
  va_start(args, format);
  dl_buffer_vprintf(o->out, format, args);
  va_end(args);
}

static const char **names_of(dl_printer *o, dl_value *const *values, size_t count) {
  const char **names = dl_arena_alloc(o->arena, count * sizeof *names + 1);
  for (size_t i = 0; i < count; i++) names[i] = dl_o_value_name(o, values[i]);
  return names;
}

static void count_names(dl_expr expr, size_t *dims, size_t *symbols) {
  size_t *count = expr->kind == DL_EXPR_DIM ? dims : expr->kind == DL_EXPR_SYMBOL ? symbols : NULL;
  if (count && (size_t)expr->value >= *count) *count = (size_t)expr->value + 1;
  if (expr->kind < DL_EXPR_ADD) return;
  count_names(expr->lhs, dims, symbols);
  count_names(expr->rhs, dims, symbols);
}

void dl_o_expr_ssa(dl_printer *o, dl_expr expr, dl_value *const *dims, dl_value *const *symbols) {
  size_t num_dims = 0, num_symbols = 0;
  count_names(expr, &num_dims, &num_symbols);
  dl_print_expr(o->out, expr, names_of(o, dims, num_dims), names_of(o, symbols, num_symbols));
}
