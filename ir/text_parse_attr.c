// Parsing of attributes.

#include "ir/text_internal.h"

typedef DL_VEC(dl_attr) attr_vec;

// --- numbers and strings ---

// `5`, `-5.0`, with the type known or following after `:`.
static dl_status parse_number(dl_parser *p, dl_type type, dl_attr *attr) {
  bool negative = dl_accept_punct(p, '-');
  if (p->token.kind != DL_TOK_INTEGER && p->token.kind != DL_TOK_FLOAT)
    return dl_p_error(p, "expected a number after '-'");
  bool typed = type != NULL;
  dl_checkpoint number = dl_save(p);
  if (!type) {
    bool is_float = p->token.kind == DL_TOK_FLOAT;
    dl_advance(p);
    if (dl_accept_punct(p, ':'))
      DL_TRY(dl_parse_type(p, &type));
    else
      type = is_float ? dl_float_type(p->ctx, DL_F64) : dl_int_type(p->ctx, 64);
  }
  dl_checkpoint after = dl_save(p);
  dl_restore(p, number);
  if (dl_is_float(type))
    DL_TRY(dl_float_from_token(p, type, negative, attr));
  else if (!dl_is_integer(type) && !dl_is_index(type))
    return dl_p_error(p, "a number cannot have this type");
  else if (p->token.kind == DL_TOK_FLOAT)
    return dl_p_error(p, "a floating-point number cannot have an integer type");
  else
    DL_TRY(dl_parse_integer_value(p, type, negative, attr));
  if (!typed) dl_restore(p, after);
  return DL_OK;
}

static dl_status parse_string_attr(dl_parser *p, dl_type type, dl_attr *attr) {
  dl_str text;
  DL_TRY(dl_parse_string(p, &text));
  if (!type && dl_accept_punct(p, ':')) DL_TRY(dl_parse_type(p, &type));
  bool untyped = !type || type->kind == DL_TYPE_NONE;
  *attr = untyped ? dl_string_attr(p->ctx, text) : dl_typed_string_attr(type, text);
  return DL_OK;
}

// --- containers ---

static dl_status parse_elements(dl_parser *p, attr_vec *elements) {
  if (dl_accept_punct(p, ']')) return DL_OK;
  do {
    dl_attr element;
    DL_TRY(dl_parse_attr(p, NULL, &element));
    DL_PUSH(elements, element);
  } while (dl_accept_punct(p, ','));
  return dl_expect_punct(p, ']', "after the elements of an array attribute");
}

static dl_status parse_array(dl_parser *p, dl_attr *attr) {
  attr_vec elements = {0};
  dl_advance(p);
  dl_status status = parse_elements(p, &elements);
  if (status == DL_OK) *attr = dl_array_attr(p->ctx, elements.len, elements.data);
  DL_VEC_FREE(&elements);
  return status;
}

static dl_status parse_entry_name(dl_parser *p, dl_ident *name) {
  if (p->token.kind == DL_TOK_STRING) return dl_parse_name_string(p, name);
  if (p->token.kind != DL_TOK_IDENT) return dl_p_error(p, "expected an attribute name");
  return dl_p_keyword(p, name);
}

// Names of a dictionary so far. Few are compared one by one.
typedef struct name_set {
  size_t first;
  dl_ptr_map many;
} name_set;

enum { FEW_NAMES = 16 };

static bool add_name(dl_parser *p, name_set *seen, dl_ident name) {
  const dl_named_attr *entries = p->entry_stack.data;
  size_t count = p->entry_stack.len - seen->first;
  if (count < FEW_NAMES) {
    for (size_t i = 0; i < count; i++)
      if (entries[seen->first + i].name == name) return false;
    return true;
  }
  for (size_t i = seen->many.len; i < count; i++)
    dl_ptr_map_set(&seen->many, entries[seen->first + i].name, p);
  return !dl_ptr_map_has(&seen->many, name);
}

// A value that was read before in the same words needs no parsing.
static dl_status parse_value(dl_parser *p, dl_attr *attr) {
  const char *start = p->token.text, *limit = start + DL_MAX_CACHED + 2;
  const char *end = dl_scan_nested(start, limit < p->lexer.end ? limit : p->lexer.end, false);
  if (!end || end - start > DL_MAX_CACHED) return dl_parse_attr(p, NULL, attr);
  dl_text_key key = dl_text_key_of((dl_str){start, (size_t)(end - start)});
  *attr = dl_text_cache_get(p->attrs, key);
  if (*attr) {
    p->lexer.cursor = end;
    dl_advance(p);
    return DL_OK;
  }
  DL_TRY(dl_parse_attr(p, NULL, attr));
  if (p->token.text == end) dl_text_cache_set(&p->attrs, key, *attr);
  return DL_OK;
}

static dl_status parse_entry(dl_parser *p, name_set *seen) {
  dl_checkpoint start = dl_save(p);
  dl_named_attr entry = {0};
  DL_TRY(parse_entry_name(p, &entry.name));
  if (!add_name(p, seen, entry.name)) {
    dl_restore(p, start);
    return dl_p_error(p, "duplicate key '%s' in a dictionary attribute", entry.name);
  }
  if (dl_accept_punct(p, '='))
    DL_TRY(parse_value(p, &entry.value));
  else
    entry.value = dl_unit_attr(p->ctx);
  DL_PUSH(&p->entry_stack, entry);
  return DL_OK;
}

static dl_status parse_entries(dl_parser *p, name_set *seen) {
  DL_TRY(dl_expect_punct(p, '{', "before attributes"));
  if (dl_accept_punct(p, '}')) return DL_OK;
  do {
    DL_TRY(parse_entry(p, seen));
  } while (dl_accept_punct(p, ','));
  return dl_expect_punct(p, '}', "after attributes");
}

dl_status dl_parse_dict_entries(dl_parser *p, size_t *first) {
  name_set seen = {.first = p->entry_stack.len};
  *first = seen.first;
  dl_status status = parse_entries(p, &seen);
  dl_ptr_map_free(&seen.many);
  return status;
}

dl_status dl_parse_attr_dict(dl_parser *p, dl_attr *dict) {
  size_t first;
  DL_TRY(dl_parse_dict_entries(p, &first));
  *dict = dl_dict_attr(p->ctx, p->entry_stack.len - first, p->entry_stack.data + first);
  p->entry_stack.len = first;
  return DL_OK;
}

// --- symbols, aliases, dialect attributes ---

static dl_status parse_nested_symbols(dl_parser *p, attr_vec *nested) {
  while (dl_p_accept(p, "::")) {
    dl_ident name;
    DL_TRY(dl_parse_symbol_name(p, &name));
    DL_PUSH(nested, dl_symbol_attr(p->ctx, name));
  }
  return DL_OK;
}

static dl_status parse_symbol_attr(dl_parser *p, dl_attr *attr) {
  dl_ident root;
  attr_vec nested = {0};
  DL_TRY(dl_parse_symbol_name(p, &root));
  dl_status status = parse_nested_symbols(p, &nested);
  if (status == DL_OK)
    *attr = nested.len ? dl_nested_symbol_attr(p->ctx, root, nested.len, nested.data)
                       : dl_symbol_attr(p->ctx, root);
  DL_VEC_FREE(&nested);
  return status;
}

static dl_status parse_dialect_or_alias(dl_parser *p, dl_attr *attr) {
  dl_str name = {p->token.text + 1, p->token.len - 1};
  bool body_follows = p->lexer.cursor < p->lexer.end && *p->lexer.cursor == '<';
  if (!memchr(name.data, '.', name.len) && !body_follows) {
    *attr = dl_find_attr_alias(p, name);
    if (!*attr) return dl_p_error(p, "undefined attribute alias '#%.*s'", (int)name.len, name.data);
    dl_advance(p);
    return DL_OK;
  }
  dl_ident dialect, attr_name;
  size_t count;
  dl_attr *params;
  DL_TRY(dl_parse_dialect_symbol(p, &dialect, &attr_name, &count, &params));
  *attr = dl_dialect_attr(p->ctx, dialect, attr_name, count, params);
  // What dialects do not tell us of may have a type. Our own have none.
  if (!dl_at_punct(p, ':') || dl_find_dialect(p->ctx, dl_str_of(dialect))) return DL_OK;
  dl_type type;
  dl_advance(p);
  DL_TRY(dl_parse_type(p, &type));
  *attr = dl_typed_dialect_attr(*attr, type);
  return DL_OK;
}

// --- attributes that begin with a keyword ---

static dl_status parse_stride(dl_parser *p, int64_t *value) {
  if (!dl_accept_punct(p, '?')) return dl_parse_i64(p, value);
  *value = DL_DYNAMIC;
  return DL_OK;
}

typedef DL_VEC(int64_t) int_vec;

static dl_status parse_strided_body(dl_parser *p, int_vec *strides, int64_t *offset) {
  DL_TRY(dl_p_expect(p, "<"));
  DL_TRY(dl_p_expect(p, "["));
  if (!dl_at_punct(p, ']')) do {
      int64_t stride;
      DL_TRY(parse_stride(p, &stride));
      DL_PUSH(strides, stride);
    } while (dl_accept_punct(p, ','));
  DL_TRY(dl_p_expect(p, "]"));
  if (dl_accept_punct(p, ',')) {
    DL_TRY(dl_p_expect_keyword(p, "offset"));
    DL_TRY(dl_p_expect(p, ":"));
    DL_TRY(parse_stride(p, offset));
  }
  return dl_p_expect(p, ">");
}

static dl_status parse_strided(dl_parser *p, dl_attr *attr) {
  int_vec strides = {0};
  int64_t offset = 0;
  dl_status status = parse_strided_body(p, &strides, &offset);
  if (status == DL_OK) *attr = dl_strided_attr(p->ctx, offset, strides.len, strides.data);
  DL_VEC_FREE(&strides);
  return status;
}

static dl_status parse_loc_attr(dl_parser *p, dl_attr *attr) {
  dl_loc loc;
  DL_TRY(dl_p_expect(p, "("));
  DL_TRY(dl_parse_loc_instance(p, &loc));
  DL_TRY(dl_p_expect(p, ")"));
  *attr = dl_loc_attr(loc);
  return DL_OK;
}

static dl_status parse_distinct(dl_parser *p, dl_attr *attr) {
  int64_t id;
  dl_attr referenced = dl_unit_attr(p->ctx);
  DL_TRY(dl_p_expect(p, "["));
  DL_TRY(dl_parse_i64(p, &id));
  DL_TRY(dl_p_expect(p, "]"));
  DL_TRY(dl_p_expect(p, "<"));
  if (!dl_at_punct(p, '>')) DL_TRY(dl_parse_attr(p, NULL, &referenced));
  *attr = dl_distinct_attr(p->ctx, id, referenced);
  return dl_p_expect(p, ">");
}

typedef enum keyword {
  KW_NONE,
  KW_TRUE,
  KW_FALSE,
  KW_UNIT,
  KW_DENSE,
  KW_SPARSE,
  KW_RESOURCE,
  KW_ARRAY,
  KW_MAP,
  KW_SET,
  KW_STRIDED,
  KW_LOC,
  KW_DISTINCT,
} keyword;

static keyword find_keyword(dl_str name) {
  static const char *const names[] = {
      "",      "true",       "false",      "unit",    "dense", "sparse",  "dense_resource",
      "array", "affine_map", "affine_set", "strided", "loc",   "distinct"};
  for (keyword k = KW_TRUE; k <= KW_DISTINCT; k++)
    if (dl_str_is(name, names[k])) return k;
  return KW_NONE;
}

static dl_status parse_bool(dl_parser *p, dl_type type, bool value, dl_attr *attr) {
  if (type && type != dl_int_type(p->ctx, 1))
    return dl_p_error(p, "true and false have the type i1");
  *attr = dl_bool_attr(p->ctx, value);
  return DL_OK;
}

static dl_status parse_keyword_attr(dl_parser *p, keyword kw, dl_type type, dl_attr *attr) {
  dl_advance(p);
  switch (kw) {
    case KW_TRUE:
    case KW_FALSE:
      return parse_bool(p, type, kw == KW_TRUE, attr);
    case KW_DENSE:
      return dl_parse_dense(p, type, attr);
    case KW_SPARSE:
      return dl_parse_sparse(p, type, attr);
    case KW_RESOURCE:
      return dl_parse_resource(p, type, attr);
    case KW_ARRAY:
      return dl_parse_dense_array(p, attr);
    case KW_MAP:
    case KW_SET:
      return dl_parse_map_or_set(p, kw == KW_SET, attr);
    case KW_STRIDED:
      return parse_strided(p, attr);
    case KW_LOC:
      return parse_loc_attr(p, attr);
    case KW_DISTINCT:
      return parse_distinct(p, attr);
    default:
      *attr = dl_unit_attr(p->ctx);
      return DL_OK;
  }
}

static dl_status parse_type_attr(dl_parser *p, dl_attr *attr) {
  dl_type type;
  DL_TRY(dl_parse_optional_type(p, &type));
  if (!type) return dl_p_error(p, "expected an attribute");
  *attr = dl_type_attr(type);
  return DL_OK;
}

static dl_status parse_attr_here(dl_parser *p, dl_type type, dl_attr *attr) {
  switch (p->token.kind) {
    case DL_TOK_INTEGER:
    case DL_TOK_FLOAT:
      return parse_number(p, type, attr);
    case DL_TOK_STRING:
      return parse_string_attr(p, type, attr);
    case DL_TOK_AT:
      return parse_symbol_attr(p, attr);
    case DL_TOK_HASH:
      return parse_dialect_or_alias(p, attr);
    case DL_TOK_IDENT: {
      keyword kw = find_keyword(dl_token_str(p));
      return kw ? parse_keyword_attr(p, kw, type, attr) : parse_type_attr(p, attr);
    }
    case DL_TOK_PUNCT:
      if (dl_at_punct(p, '-')) return parse_number(p, type, attr);
      if (dl_at_punct(p, '[')) return parse_array(p, attr);
      if (dl_at_punct(p, '{')) return dl_parse_attr_dict(p, attr);
      return parse_type_attr(p, attr);
    default:
      return parse_type_attr(p, attr);
  }
}

dl_status dl_parse_attr(dl_parser *p, dl_type type, dl_attr *attr) {
  DL_TRY(dl_enter(p));
  dl_status status = parse_attr_here(p, type, attr);
  dl_leave(p);
  return status;
}
