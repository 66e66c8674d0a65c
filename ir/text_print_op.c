// Printing of operations, regions and blocks, and the hooks for pretty printers.

#include "ir/context_internal.h"
#include "ir/text_internal.h"

static void write_op(dl_printer *o, const dl_op *op);

static void newline(dl_printer *o) {
  static const char spaces[] = "\n                                                              ";
  size_t width = 2 * (size_t)o->indent;
  if (width < sizeof spaces - 1) {
    dl_buffer_append(o->out, spaces, width + 1);
    return;
  }
  dl_buffer_putc(o->out, '\n');
  for (unsigned i = 0; i < o->indent; i++) dl_buffer_puts(o->out, "  ");
}

// --- values, successors, types ---

static void write_text_name(dl_printer *o, const dl_value *value) {
  const char *name = dl_ptr_map_get(&o->value_names, value);
  dl_buffer_puts(o->out, name ? name : "%<unknown>");
}

// The name that the results of one op share, or that of an argument.
static void write_base(dl_printer *o, const dl_value *first, uint32_t number) {
  dl_buffer_putc(o->out, '%');
  if (first->name) {
    dl_ident hint = dl_name_at(o->ctx, first->name);
    dl_buffer_append(o->out, hint, dl_ident_len(hint));
    if (!number) return;
    dl_buffer_putc(o->out, '_');
    number--;
  } else if (number & DL_NAME_IS_ARG) {
    dl_buffer_puts(o->out, "arg");
    number &= ~DL_NAME_IS_ARG;
  }
  dl_buffer_put_unsigned(o->out, number);
}

static void write_value(dl_printer *o, const dl_value *value) {
  const dl_op *op = !value || dl_is_arg(value) ? NULL : dl_result_owner(value);
  uint32_t number = op ? op->number : value ? dl_as_arg(value)->number : DL_NAME_IS_TEXT;
  if (number & DL_NAME_IS_TEXT || (o->has_outside && dl_ptr_map_has(&o->value_names, value))) {
    write_text_name(o, value);
    return;
  }
  write_base(o, op ? &op->results[0] : value, number);
  if (!op || op->num_results == 1) return;
  dl_buffer_putc(o->out, '#');
  dl_buffer_put_unsigned(o->out, dl_value_position(value));
}

const char *dl_o_value_name(dl_printer *o, const dl_value *value) {
  dl_buffer name = {0}, *out = o->out;
  o->out = &name;
  write_value(o, value);
  o->out = out;
  const char *kept = dl_arena_copy_str(o->arena, (dl_str){name.data, name.len});
  dl_buffer_free(&name);
  return kept;
}

void dl_o_values(dl_printer *o, const dl_op *op, size_t first, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (i) dl_buffer_puts(o->out, ", ");
    write_value(o, op->operands[first + i].value);
  }
}

static void write_block_name(dl_printer *o, const dl_block *block) {
  dl_buffer_putc(o->out, '^');
  if (block->number & DL_NAME_IS_TEXT) {
    const char *name = dl_ptr_map_get(&o->block_names, block);
    dl_buffer_puts(o->out, name ? name : "<unknown>");
    return;
  }
  dl_buffer_puts(o->out, "bb");
  dl_buffer_put_unsigned(o->out, block->number);
}

void dl_o_successor(dl_printer *o, const dl_op *op, size_t i) {
  write_block_name(o, dl_successor(op, i));
}

static void write_result_types(dl_printer *o, const dl_op *op) {
  bool bare = op->num_results == 1 && op->results[0].type->kind != DL_TYPE_FUNCTION;
  if (!bare) dl_buffer_putc(o->out, '(');
  for (uint32_t i = 0; i < op->num_results; i++) {
    if (i) dl_buffer_puts(o->out, ", ");
    dl_write_type(o, op->results[i].type);
  }
  if (!bare) dl_buffer_putc(o->out, ')');
}

void dl_o_signature(dl_printer *o, const dl_op *op) {
  dl_buffer_puts(o->out, " : (");
  for (uint32_t i = 0; i < op->num_operands; i++) {
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

// Of two runs of attributes, each sorted by name, the one whose turn it is. *i and *k count them
// off.
static dl_named_attr next_attr(const dl_op *op, uint32_t *i, uint32_t num_inherent, uint32_t *k) {
  bool first = *k == op->num_attrs ||
               (*i < num_inherent && strcmp(op->attrs[*i].name, op->attrs[*k].name) < 0);
  return op->attrs[first ? (*i)++ : (*k)++];
}

// Writes inherent attributes, others, or both in one order, between open and close; nothing when
// none is left.
static void write_attrs(dl_printer *o, const dl_op *op, bool inherent, bool others,
                        const char *const *omit, const char *open, const char *close) {
  uint32_t num_inherent = inherent ? op->num_inherent : 0, i = 0;
  uint32_t k = others ? op->num_inherent : op->num_attrs;
  bool any = false;
  while (i < num_inherent || k < op->num_attrs) {
    dl_named_attr entry = next_attr(op, &i, num_inherent, &k);
    if (omit && omitted(omit, entry.name)) continue;
    dl_buffer_puts(o->out, any ? ", " : open);
    dl_write_dict_entries(o, 1, &entry);
    any = true;
  }
  if (any) dl_buffer_puts(o->out, close);
}

void dl_o_attr_dict(dl_printer *o, const dl_op *op, const char *const *omit) {
  if (op->num_attrs) write_attrs(o, op, !o->properties_done, true, omit, " {", "}");
}

void dl_o_attr_dict_with_keyword(dl_printer *o, const dl_op *op, const char *const *omit) {
  if (op->num_attrs) write_attrs(o, op, !o->properties_done, true, omit, " attributes {", "}");
}

void dl_o_properties(dl_printer *o, const dl_op *op, const char *const *omit) {
  if (op->num_inherent) write_attrs(o, op, true, false, omit, " <{", "}>");
  o->properties_done = true;
}

// --- locations ---

static void write_place(dl_printer *o, dl_place place) {
  dl_buffer_puts(o->out, " loc(");
  dl_write_place(o, place);
  dl_buffer_putc(o->out, ')');
}

// --- regions ---

static void write_block_header(dl_printer *o, const dl_block *block) {
  o->indent--;
  newline(o);
  o->indent++;
  write_block_name(o, block);
  for (uint32_t i = 0; i < block->num_args; i++) {
    const dl_block_arg *arg = block->args[i];
    dl_buffer_puts(o->out, i ? ", " : "(");
    write_value(o, &arg->value);
    dl_buffer_puts(o->out, ": ");
    dl_write_type(o, arg->value.type);
    if (o->options.locations) write_place(o, arg->loc);
  }
  dl_buffer_puts(o->out, block->num_args ? "):" : ":");
}

// Users by their first results, or by their names.
static void write_users(dl_printer *o, const dl_value *value) {
  if (!value->uses) dl_buffer_puts(o->out, "unused");
  for (const dl_use *use = value->uses; use; use = use->next) {
    const dl_op *user = use->owner;
    if (use != value->uses) dl_buffer_puts(o->out, ", ");
    if (user->num_results)
      write_value(o, &user->results[0]);
    else
      dl_buffer_puts(o->out, dl_op_name(user));
  }
}

static void write_arg_users(dl_printer *o, const dl_block *block) {
  for (uint32_t i = 0; i < block->num_args; i++) {
    newline(o);
    dl_buffer_puts(o->out, "// ");
    write_value(o, &block->args[i]->value);
    dl_buffer_puts(o->out, block->args[i]->value.uses ? " is used by " : " is ");
    write_users(o, &block->args[i]->value);
  }
}

static void write_result_users(dl_printer *o, const dl_op *op) {
  const dl_use *uses = op->results[0].uses;
  bool one = op->num_results == 1;
  dl_buffer_puts(o->out, !one || (uses && uses->next) ? " // users: "
                         : uses                       ? " // user: "
                                                      : " // ");
  for (uint32_t i = 0; i < op->num_results; i++) {
    dl_buffer_puts(o->out, one ? "" : i ? ", (" : "(");
    write_users(o, &op->results[i]);
    if (!one) dl_buffer_putc(o->out, ')');
  }
}

static void write_block(dl_printer *o, const dl_block *block, bool header, bool terminator) {
  if (header) write_block_header(o, block);
  if (o->options.value_users) write_arg_users(o, block);
  for (const dl_op *op = block->first; op; op = op->next) {
    bool implied = !terminator && !op->next && dl_has_trait(op, DL_TERMINATOR) &&
                   op->num_operands == 0 && op->num_attrs == op->num_inherent;
    if (implied) return;
    if (o->collecting && !op->num_regions && !dl_mentions_aliases(op)) continue;
    newline(o);
    write_op(o, op);
    if (o->flush && o->out->len >= DL_FLUSH_SIZE) o->flush(o);
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
  if (o->options.skip_regions) {
    dl_buffer_puts(o->out, "{...}");
    return;
  }
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

static void write_result_groups(dl_printer *o, const dl_op *op) {
  for (size_t i = 0, group; i < op->num_results; i += group) {
    group = 1;
    while (i + group < op->num_results && !op->results[i + group].name) group++;
    const char *name = dl_o_value_name(o, &op->results[i]);
    if (i) dl_buffer_puts(o->out, ", ");
    dl_buffer_append(o->out, name, strcspn(name, "#"));
    if (group > 1) dl_buffer_printf(o->out, ":%zu", group);
  }
}

static void write_results(dl_printer *o, const dl_op *op) {
  if (!op->num_results) return;
  if (op->number & DL_NAME_IS_TEXT) {
    write_result_groups(o, op);
  } else {
    write_base(o, &op->results[0], op->number);
    if (op->num_results > 1) dl_buffer_putc(o->out, ':');
    if (op->num_results > 1) dl_buffer_put_unsigned(o->out, op->num_results);
  }
  dl_buffer_puts(o->out, " = ");
}

// An op with a pretty form needs the quotes to be read as generic.
static void write_generic(dl_printer *o, const dl_op *op, bool has_form) {
  bool quoted = o->options.generic || has_form || !op->info->is_bare;
  dl_str name = quoted ? op->info->quoted : op->info->name;
  dl_buffer_append(o->out, name.data, name.len);
  dl_buffer_putc(o->out, '(');
  dl_o_values(o, op, 0, op->num_operands);
  dl_buffer_putc(o->out, ')');
  for (size_t i = 0; i < op->num_successors; i++) {
    dl_buffer_puts(o->out, i ? ", " : "[");
    dl_o_successor(o, op, i);
  }
  if (op->num_successors) dl_buffer_putc(o->out, ']');
  dl_o_properties(o, op, NULL);
  for (size_t i = 0; i < op->num_regions; i++) {
    dl_buffer_puts(o->out, i ? ", " : " (");
    write_region(o, dl_op_region(op, i), true, true, true);
  }
  if (op->num_regions) dl_buffer_putc(o->out, ')');
  o->properties_done = true;
  dl_o_attr_dict(o, op, NULL);
  dl_o_signature(o, op);
}

// At the top level, the dialect of the module goes without saying.
static void write_short_name(dl_printer *o, const dl_op *op) {
  dl_str name = op->info->name;
  const dl_op *parent = dl_parent(op);
  size_t prefix = sizeof DL_TOP_LEVEL_DIALECT - 1;
  bool top = name.len > prefix && memcmp(name.data, DL_TOP_LEVEL_DIALECT, prefix) == 0 &&
             (!parent || dl_str_is(parent->info->name, DL_TOP_LEVEL_OP));
  dl_buffer_append(o->out, name.data + (top ? prefix : 0), name.len - (top ? prefix : 0));
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
    if (!spec->optional && !spec->default_value && !dl_get_attr_ident(op, op->info->attr_names[i]))
      return false;
  }
  bool fixed =
      op->num_operands == op->info->num_operands && op->num_results == op->info->num_results;
  if (fixed) return op->num_regions == def->num_regions;
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
  write_short_name(o, op);
  if (def->print && def->parse)
    def->print(o, op);
  else
    dl_write_op_format(o, op, def);
}

static void write_op(dl_printer *o, const dl_op *op) {
  bool outer = o->properties_done;
  o->properties_done = false;
  write_results(o, op);
  if (op->num_regions && op->info->traits & DL_ISOLATED && !dl_names_at_once(o))
    dl_name_isolated(o, op);
  write_form(o, op);
  if (o->options.locations) write_place(o, op->loc);
  if (o->options.value_users && op->num_results) write_result_users(o, op);
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
  free(o->types.slots);
  free(o->attrs);
  DL_VEC_FREE(&o->resources);
  if (o->arena) dl_arena_destroy(o->arena);
}

static bool mentions(dl_type type) { return type->has_alias; }

bool dl_mentions_aliases(const dl_op *op) {
  dl_loc loc = op->loc & 1 ? NULL : dl_place_loc(op->info->ctx, op->loc);
  if (loc && loc->kind != DL_LOC_FILE && loc->kind != DL_LOC_UNKNOWN) return true;
  for (uint32_t i = 0; i < op->num_attrs; i++)
    if (op->attrs[i].value->has_alias) return true;
  for (uint32_t i = 0; i < op->num_results; i++)
    if (mentions(op->results[i].type)) return true;
  for (uint32_t i = 0; i < op->num_operands; i++)
    if (op->operands[i].value && mentions(op->operands[i].value->type)) return true;
  return false;
}

static void forget_text(dl_printer *o) { o->out->len = 0; }

// Aliases stand before what uses them, so they are found by writing what has any to nowhere.
static void collect_aliases(dl_printer *o, const dl_op *op) {
  dl_buffer *out = o->out, nowhere = {0};
  void (*flush)(dl_printer *) = o->flush;
  o->collecting = true;
  o->out = &nowhere;
  o->flush = forget_text;
  write_op(o, op);
  o->out = out;
  o->flush = flush;
  o->collecting = false;
  o->resources.len = 0;
  dl_ptr_map_free(&o->resource_seen);
  dl_buffer_free(&nowhere);
}

void dl_write_top_level(dl_printer *o, const dl_op *op) {
  o->ctx = dl_op_context(op);
  o->arena = dl_arena_create();
  o->use_aliases = !o->options.local_scope;
  dl_name_values(o, op);
  if (o->use_aliases) collect_aliases(o, op);
  if (o->alias_lines.len) dl_buffer_append(o->out, o->alias_lines.data, o->alias_lines.len);
  write_op(o, op);
  dl_buffer_putc(o->out, '\n');
}

// --- for pretty printers ---

dl_buffer *dl_o_buffer(dl_printer *o) { return o->out; }
void dl_o_puts(dl_printer *o, const char *text) { dl_buffer_puts(o->out, text); }
void dl_o_value(dl_printer *o, const dl_value *value) { write_value(o, value); }
void dl_o_type(dl_printer *o, dl_type type) { dl_write_type(o, type); }
void dl_o_attr(dl_printer *o, dl_attr attr) { dl_write_attr(o, attr); }
void dl_o_symbol(dl_printer *o, dl_ident name) { dl_write_symbol(o->out, name); }
void dl_o_newline(dl_printer *o) { newline(o); }
void dl_o_loc(dl_printer *o, dl_loc loc) {
  if (o->options.locations) write_place(o, dl_place_of(loc));
}

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
