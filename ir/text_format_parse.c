// Parsing of operations by their format string.

#include "ir/text_format.h"

typedef struct format_parser {
  dl_parser *p;
  dl_op_state *state;
  const dl_op_def *def;
  dl_format_group *operands, *results;
} format_parser;

static dl_status parse_element(format_parser *f, dl_format_element e);

// --- values and types ---

static dl_status parse_operand(format_parser *f, size_t index) {
  dl_unresolved_list *values = &f->operands[index].values;
  dl_arity arity = f->def->operands[index].arity;
  if (arity == DL_VARIADIC) return dl_p_value_list(f->p, values);
  if (arity == DL_OPTIONAL && !dl_p_peek_value(f->p)) return DL_OK;
  dl_unresolved value;
  DL_TRY(dl_p_value(f->p, &value));
  DL_PUSH(values, value);
  return DL_OK;
}

static dl_status parse_types(format_parser *f, dl_format_group *g, dl_arity arity) {
  g->types_at = dl_position_of(f->p);
  do {
    dl_type type;
    DL_TRY(arity == DL_ONE ? dl_parse_type(f->p, &type) : dl_parse_optional_type(f->p, &type));
    if (!type) return DL_OK;
    DL_PUSH(&g->types, type);
  } while (arity == DL_VARIADIC && dl_accept_punct(f->p, ','));
  return DL_OK;
}

// Hands out a flat list of operands' types to the groups, by the number of values that each has.
static dl_status distribute_types(format_parser *f, dl_position at, size_t first, size_t count) {
  size_t total = 0;
  for (size_t i = 0; i < f->def->num_operands; i++) total += f->operands[i].values.len;
  if (count != total)
    return dl_error(dl_loc_at(f->p, at), "expected %zu operand types but had %zu", total, count);
  for (size_t i = 0; i < f->def->num_operands; i++)
    for (size_t k = 0; k < f->operands[i].values.len; k++)
      DL_PUSH(&f->operands[i].types, f->p->type_stack.data[first++]);
  return DL_OK;
}

static dl_status parse_signature(format_parser *f) {
  dl_parser *p = f->p;
  size_t first = p->type_stack.len;
  dl_position at = dl_position_of(p);
  DL_TRY(dl_parse_type_list_parens(p));
  size_t results = p->type_stack.len;
  DL_TRY(dl_p_expect(p, "->"));
  DL_TRY(dl_parse_result_types(p));
  DL_TRY(distribute_types(f, at, first, results - first));
  for (size_t i = results; i < p->type_stack.len; i++)
    dl_p_add_result(p, f->state, p->type_stack.data[i]);
  return DL_OK;
}

static dl_status parse_functional_type(format_parser *f) {
  size_t mark = f->p->type_stack.len;
  dl_status status = parse_signature(f);
  f->p->type_stack.len = mark;
  return status;
}

// All operands in one list: each definition's own operand takes one, a variadic last one the rest.
static dl_status parse_operands(format_parser *f) {
  for (size_t i = 0; i < f->def->num_operands; i++) {
    bool more = i > 0 && !dl_accept_punct(f->p, ',');
    if (more && f->def->operands[i].arity != DL_ONE) continue;
    if (more) return dl_p_error(f->p, "expected ','");
    DL_TRY(parse_operand(f, i));
  }
  return DL_OK;
}

// --- attributes and regions ---

static dl_type number_type(dl_context *ctx, const char *constraint) {
  if (strcmp(constraint, "i64") == 0) return dl_int_type(ctx, 64);
  if (strcmp(constraint, "i32") == 0) return dl_int_type(ctx, 32);
  if (strcmp(constraint, "index") == 0) return dl_index_type(ctx);
  if (strcmp(constraint, "f32") == 0) return dl_float_type(ctx, DL_F32);
  if (strcmp(constraint, "f64") == 0) return dl_float_type(ctx, DL_F64);
  return NULL;
}

static dl_status parse_attr(format_parser *f, size_t index) {
  const dl_attr_spec *spec = &f->def->attrs[index];
  dl_attr value;
  DL_TRY(dl_p_typed_attr(f->p, number_type(f->p->ctx, spec->constraint), &value));
  dl_p_add_attr(f->p, f->state, spec->name, value);
  return DL_OK;
}

static dl_status parse_params(format_parser *f, dl_format_element e) {
  dl_attr value;
  const char *dot = memchr(e.text.data, '.', e.text.len);
  size_t prefix = (size_t)(dot - e.text.data);
  dl_ident dialect = dl_intern(f->p->ctx, (dl_str){e.text.data, prefix});
  dl_ident name = dl_intern(f->p->ctx, (dl_str){dot + 1, e.text.len - prefix - 1});
  DL_TRY(dl_p_dialect_attr_params(f->p, dialect, name, &value));
  dl_p_add_attr(f->p, f->state, f->def->attrs[e.index].name, value);
  return DL_OK;
}

static dl_status parse_successors(format_parser *f) {
  do {
    DL_TRY(dl_p_successor(f->p, f->state));
  } while (dl_accept_punct(f->p, ','));
  return DL_OK;
}

// --- elements ---

static dl_status expect_literal(dl_parser *p, dl_str text) {
  char copy[32];
  if (text.len == 0) return DL_OK;
  if (text.len >= sizeof copy) dl_bug(NULL, "literal of a format is too long");
  memcpy(copy, text.data, text.len);
  copy[text.len] = 0;
  return dl_is_bare_identifier(text) ? dl_p_expect_keyword(p, copy) : dl_p_expect(p, copy);
}

static bool at_literal(dl_parser *p, dl_str text) {
  if (!dl_is_bare_identifier(text))
    return p->token.kind == DL_TOK_PUNCT && dl_str_equal(dl_token_str(p), text);
  return p->token.kind == DL_TOK_IDENT && dl_str_equal(dl_token_str(p), text);
}

// Whether the optional group that begins with this element is there.
static bool group_begins(format_parser *f, dl_format_element first) {
  if (first.kind == DL_FORMAT_LITERAL) return at_literal(f->p, first.text);
  if (first.kind == DL_FORMAT_OPERAND) return dl_p_peek_value(f->p);
  if (first.kind == DL_FORMAT_REGION) return dl_at_punct(f->p, '{');
  return f->p->token.kind == DL_TOK_AT;
}

// Leaves *e at the end of the group.
static dl_status parse_group(format_parser *f, const dl_format_element **e) {
  bool present = group_begins(f, *++*e);
  for (; (*e)->kind != DL_FORMAT_CLOSE; ++*e)
    if (present) DL_TRY(parse_element(f, **e));
  return DL_OK;
}

static dl_status parse_element(format_parser *f, dl_format_element e) {
  switch (e.kind) {
    case DL_FORMAT_LITERAL:
      return expect_literal(f->p, e.text);
    case DL_FORMAT_OPERAND:
      return parse_operand(f, e.index);
    case DL_FORMAT_ATTR:
      return parse_attr(f, e.index);
    case DL_FORMAT_REGION:
      return dl_p_region(f->p, f->state, 0, NULL, NULL, NULL);
    case DL_FORMAT_OPERAND_TYPE:
      return parse_types(f, &f->operands[e.index], f->def->operands[e.index].arity);
    case DL_FORMAT_RESULT_TYPE:
      return parse_types(f, &f->results[e.index], f->def->results[e.index].arity);
    case DL_FORMAT_PARAMS:
      return parse_params(f, e);
    case DL_FORMAT_OPERANDS:
      return parse_operands(f);
    case DL_FORMAT_SUCCESSORS:
      return parse_successors(f);
    case DL_FORMAT_SUCCESSOR:
      return dl_p_successor(f->p, f->state);
    case DL_FORMAT_FUNCTIONAL_TYPE:
      return parse_functional_type(f);
    case DL_FORMAT_ATTR_DICT:
      return dl_p_attr_dict(f->p, f->state);
    default:
      return dl_p_attr_dict_with_keyword(f->p, f->state);
  }
}

static dl_status parse_elements(format_parser *f) {
  const dl_format *format = dl_format_of(f->def, &f->p->formats, f->p->kept);
  for (const dl_format_element *e = format->elements; e->kind != DL_FORMAT_END; e++)
    DL_TRY(e->kind == DL_FORMAT_OPEN ? parse_group(f, &e) : parse_element(f, *e));
  return DL_OK;
}

// --- types that the text leaves out ---

// A type that all must have: that of any operand or result whose type was written.
static dl_type shared_type(const format_parser *f) {
  for (size_t i = 0; i < f->def->num_operands; i++)
    if (f->operands[i].types.len) return f->operands[i].types.data[0];
  bool with_results = f->def->traits & DL_SAME_TYPE;
  for (size_t i = 0; i < f->def->num_results && with_results; i++)
    if (f->results[i].types.len) return f->results[i].types.data[0];
  return NULL;
}

// The type that a constraint admits, when it is only one.
static dl_type type_of_constraint(dl_context *ctx, const char *constraint) {
  dl_type number = number_type(ctx, constraint);
  if (number) return number;
  return strcmp(constraint, "i1") == 0 ? dl_int_type(ctx, 1) : NULL;
}

static dl_status resolve_group(format_parser *f, size_t i, dl_type shared) {
  dl_format_group *g = &f->operands[i];
  dl_type implied = type_of_constraint(f->p->ctx, f->def->operands[i].constraint);
  if (!implied) implied = shared;
  if (g->types.len && g->types.len != g->values.len)
    return dl_error(dl_loc_at(f->p, g->types_at), "expected %zu types for '%s' but had %zu",
                    g->values.len, f->def->operands[i].name, g->types.len);
  for (size_t k = 0; k < g->values.len; k++) {
    dl_type type = g->types.len ? g->types.data[k] : implied;
    if (!type)
      return dl_error(dl_p_loc_of(f->p, g->values.data[k]), "the operand's type is not given");
    DL_TRY(dl_p_add_operand(f->p, f->state, g->values.data[k], type));
  }
  return DL_OK;
}

static dl_status resolve_operands(format_parser *f) {
  bool same = f->def->traits & (DL_SAME_TYPE | DL_SAME_OPERANDS);
  dl_type shared = same ? shared_type(f) : NULL;
  int32_t sizes[16];
  if (f->def->num_operands > DL_COUNT(sizes)) dl_bug(NULL, "too many operands for a format");
  for (size_t i = 0; i < f->def->num_operands; i++) {
    sizes[i] = (int32_t)f->operands[i].values.len;
    DL_TRY(resolve_group(f, i, shared));
  }
  if (dl_needs_segment_sizes(f->def))
    dl_p_add_attr(f->p, f->state, "operandSegmentSizes",
                  dl_i32_array_attr(f->p->ctx, f->def->num_operands, sizes));
  return DL_OK;
}

// Results get the type written, or the one that traits or constraint imply; else the infer hook
// says it once the op exists.
static void add_results(format_parser *f) {
  dl_type shared = f->def->traits & DL_SAME_TYPE ? shared_type(f) : NULL;
  for (size_t i = 0; i < f->def->num_results; i++) {
    dl_format_group *g = &f->results[i];
    for (size_t k = 0; k < g->types.len; k++) dl_p_add_result(f->p, f->state, g->types.data[k]);
    if (g->types.len || f->def->results[i].arity != DL_ONE) continue;
    dl_type type = type_of_constraint(f->p->ctx, f->def->results[i].constraint);
    if (!type) type = shared;
    if (!type) f->p->infer_results = true;
    dl_p_add_result(f->p, f->state, type ? type : dl_none_type(f->p->ctx));
  }
}

static dl_status parse_with(format_parser *f) {
  DL_TRY(parse_elements(f));
  DL_TRY(resolve_operands(f));
  if (f->p->state->results.len == 0) add_results(f);
  return DL_OK;
}

// Empty groups of the op being read. Regions of the op may read others meanwhile, which have their
// own.
static dl_format_group *take_groups(dl_op_arrays *a, size_t count) {
  while (a->groups.len < count) DL_PUSH(&a->groups, (dl_format_group){0});
  for (size_t i = 0; i < count; i++) a->groups.data[i].values.len = a->groups.data[i].types.len = 0;
  return a->groups.data;
}

dl_status dl_parse_op_format(dl_parser *p, dl_op_state *state, const dl_op_def *def) {
  format_parser f = {.p = p, .state = state, .def = def};
  f.operands = take_groups(p->state, def->num_operands + def->num_results);
  f.results = f.operands + def->num_operands;
  return parse_with(&f);
}
