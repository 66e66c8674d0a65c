// Parsing of types.

#include "ir/text_internal.h"

enum { MAX_INTEGER_WIDTH = 16777215 };

typedef struct shape {
  DL_VEC(int64_t) dims;
  DL_VEC(bool) scalable;
  bool any_scalable, unranked;
} shape;

static void free_shape(shape *s) {
  DL_VEC_FREE(&s->dims);
  DL_VEC_FREE(&s->scalable);
}

// --- lists of types ---

static dl_status parse_types(dl_parser *p, char close) {
  if (dl_at_punct(p, close)) return DL_OK;
  do {
    dl_type type;
    DL_TRY(dl_parse_type(p, &type));
    DL_PUSH(&p->type_stack, type);
  } while (dl_accept_punct(p, ','));
  return DL_OK;
}

dl_status dl_parse_type_list_parens(dl_parser *p) {
  DL_TRY(dl_expect_punct(p, '(', "before a list of types"));
  DL_TRY(parse_types(p, ')'));
  return dl_expect_punct(p, ')', "after a list of types");
}

dl_status dl_parse_result_types(dl_parser *p) {
  if (dl_at_punct(p, '(')) return dl_parse_type_list_parens(p);
  dl_type type;
  DL_TRY(dl_parse_type(p, &type));
  DL_PUSH(&p->type_stack, type);
  return DL_OK;
}

static dl_status parse_function_body(dl_parser *p, dl_type *type) {
  size_t first = p->type_stack.len;
  DL_TRY(dl_parse_type_list_parens(p));
  size_t results = p->type_stack.len;
  if (!dl_p_accept(p, "->")) return dl_p_error(p, "expected '->' in a function type");
  DL_TRY(dl_parse_result_types(p));
  const dl_type *types = p->type_stack.data;
  *type = dl_function_type(p->ctx, results - first, types + first, p->type_stack.len - results,
                           types + results);
  return DL_OK;
}

dl_status dl_parse_function_type(dl_parser *p, dl_type *type) {
  size_t mark = p->type_stack.len;
  dl_status status = parse_function_body(p, type);
  p->type_stack.len = mark;
  return status;
}

// --- shaped types ---

static dl_status after_dim(dl_parser *p, const char *at) {
  if (at < p->lexer.end && *at == 'x') {
    dl_relex_from(p, at + 1);
    return DL_OK;
  }
  dl_relex_from(p, at);
  return dl_p_error(p, "expected 'x' in a dimension list");
}

static dl_status parse_dim_digits(dl_parser *p, const char **at, int64_t *dim) {
  int64_t value = 0;
  const char *c = p->token.text;
  for (; c < p->lexer.end && *c >= '0' && *c <= '9'; c++)
    if (__builtin_mul_overflow(value, 10, &value) ||
        __builtin_add_overflow(value, *c - '0', &value))
      return dl_p_error(p, "dimension is too large");
  *at = c;
  *dim = value;
  return DL_OK;
}

static dl_status parse_scalable_dim(dl_parser *p, int64_t *dim) {
  dl_advance(p);
  if (p->token.kind != DL_TOK_INTEGER) return dl_p_error(p, "expected a scalable size");
  DL_TRY(dl_parse_i64(p, dim));
  if (!dl_at_punct(p, ']')) return dl_p_error(p, "expected ']' after a scalable size");
  return after_dim(p, p->token.text + 1);
}

// The dimensions up to the element type: `4x?x[8]x`, or `*x`.
static dl_status parse_shape(dl_parser *p, bool vector, shape *s) {
  if (!vector && dl_at_punct(p, '*')) {
    s->unranked = true;
    return after_dim(p, p->token.text + 1);
  }
  for (;;) {
    int64_t dim = DL_DYNAMIC;
    bool scalable = vector && dl_at_punct(p, '[');
    const char *at = p->token.text + 1;
    if (scalable) {
      DL_TRY(parse_scalable_dim(p, &dim));
    } else if (!vector && dl_at_punct(p, '?')) {
      DL_TRY(after_dim(p, at));
    } else if (p->token.kind == DL_TOK_INTEGER || p->token.kind == DL_TOK_FLOAT) {
      DL_TRY(parse_dim_digits(p, &at, &dim));
      DL_TRY(after_dim(p, at));
    } else {
      return DL_OK;
    }
    if (vector && dim == 0) return dl_p_error(p, "vector sizes must be positive");
    DL_PUSH(&s->dims, dim);
    DL_PUSH(&s->scalable, scalable);
    s->any_scalable |= scalable;
  }
}

static bool valid_element(dl_type element, bool vector) {
  switch (element->kind) {
    case DL_TYPE_INTEGER:
    case DL_TYPE_FLOAT:
    case DL_TYPE_INDEX:
    case DL_TYPE_DIALECT:
      return true;
    case DL_TYPE_COMPLEX:
    case DL_TYPE_VECTOR:
    case DL_TYPE_MEMREF:
      return !vector;
    default:
      return false;
  }
}

static dl_status parse_element(dl_parser *p, bool vector, dl_type *element) {
  dl_checkpoint start = dl_save(p);
  DL_TRY(dl_parse_type(p, element));
  if (valid_element(*element, vector)) return DL_OK;
  dl_restore(p, start);
  return dl_p_error(p, "invalid element type");
}

static dl_status parse_tensor(dl_parser *p, shape *s, dl_type element, dl_type *type) {
  dl_attr encoding = NULL;
  if (dl_accept_punct(p, ',')) {
    if (s->unranked) return dl_p_error(p, "an unranked tensor has no encoding");
    DL_TRY(dl_parse_attr(p, NULL, &encoding));
  }
  *type = s->unranked ? dl_unranked_tensor_type(element)
                      : dl_tensor_type(element, s->dims.len, s->dims.data, encoding);
  return DL_OK;
}

static bool is_identity(dl_attr layout, size_t rank) {
  return layout->kind == DL_ATTR_MAP && layout->map == dl_identity_map(layout->ctx, (unsigned)rank);
}

static dl_status check_layout(dl_parser *p, dl_attr layout, size_t rank) {
  if (layout->kind == DL_ATTR_STRIDED && layout->count != rank)
    return dl_p_error(p, "the layout has %zu strides, the memref rank %zu", layout->count, rank);
  if (layout->kind == DL_ATTR_MAP && layout->map->num_dims != rank)
    return dl_p_error(p, "the layout has %u dimensions, the memref rank %zu", layout->map->num_dims,
                      rank);
  return DL_OK;
}

// A layout, then a memory space; either may be absent.
static dl_status parse_memref_attr(dl_parser *p, const shape *s, dl_attr *layout, dl_attr *space) {
  dl_attr attr;
  dl_checkpoint start = dl_save(p);
  DL_TRY(dl_parse_attr(p, NULL, &attr));
  dl_checkpoint after = dl_save(p);
  dl_restore(p, start);
  bool is_layout = attr->kind == DL_ATTR_MAP || attr->kind == DL_ATTR_STRIDED;
  if (*space || (is_layout && (*layout || s->unranked)))
    return dl_p_error(p, "unexpected attribute in a memref type");
  if (is_layout) DL_TRY(check_layout(p, attr, s->dims.len));
  dl_restore(p, after);
  *(is_layout ? layout : space) = attr;
  return DL_OK;
}

static dl_status parse_memref(dl_parser *p, shape *s, dl_type element, dl_type *type) {
  dl_attr layout = NULL, space = NULL;
  while (dl_accept_punct(p, ',')) DL_TRY(parse_memref_attr(p, s, &layout, &space));
  if (layout && is_identity(layout, s->dims.len)) layout = NULL;
  *type = s->unranked ? dl_unranked_memref_type(element, space)
                      : dl_memref_type(element, s->dims.len, s->dims.data, layout, space);
  return DL_OK;
}

static dl_status parse_shaped_body(dl_parser *p, dl_type_kind kind, shape *s, dl_type *type) {
  bool vector = kind == DL_TYPE_VECTOR;
  dl_type element;
  DL_TRY(dl_expect_punct(p, '<', "before a shape"));
  DL_TRY(parse_shape(p, vector, s));
  DL_TRY(parse_element(p, vector, &element));
  if (kind == DL_TYPE_TENSOR)
    DL_TRY(parse_tensor(p, s, element, type));
  else if (kind == DL_TYPE_MEMREF)
    DL_TRY(parse_memref(p, s, element, type));
  else
    *type = dl_vector_type(element, s->dims.len, s->dims.data,
                           s->any_scalable ? s->scalable.data : NULL);
  return dl_expect_punct(p, '>', "after a shaped type");
}

static dl_status parse_shaped(dl_parser *p, dl_type_kind kind, dl_type *type) {
  shape s = {0};
  dl_advance(p);
  dl_status status = parse_shaped_body(p, kind, &s, type);
  free_shape(&s);
  return status;
}

// --- the others ---

static dl_status parse_complex(dl_parser *p, dl_type *type) {
  dl_type element;
  dl_advance(p);
  DL_TRY(dl_expect_punct(p, '<', "in a complex type"));
  dl_checkpoint start = dl_save(p);
  DL_TRY(dl_parse_type(p, &element));
  if (!dl_is_integer(element) && !dl_is_float(element)) {
    dl_restore(p, start);
    return dl_p_error(p, "invalid element type of a complex type");
  }
  *type = dl_complex_type(element);
  return dl_expect_punct(p, '>', "in a complex type");
}

static dl_status parse_tuple_body(dl_parser *p, dl_type *type) {
  size_t first = p->type_stack.len;
  dl_advance(p);
  DL_TRY(dl_expect_punct(p, '<', "in a tuple type"));
  DL_TRY(parse_types(p, '>'));
  DL_TRY(dl_expect_punct(p, '>', "in a tuple type"));
  *type = dl_tuple_type(p->ctx, p->type_stack.len - first, p->type_stack.data + first);
  return DL_OK;
}

static dl_status parse_tuple(dl_parser *p, dl_type *type) {
  size_t mark = p->type_stack.len;
  dl_status status = parse_tuple_body(p, type);
  p->type_stack.len = mark;
  return status;
}

// i32, si8, ui16. Sets *type to NULL when the name is none of these.
static dl_status parse_integer_type(dl_parser *p, dl_str name, dl_type *type) {
  size_t prefix = name.data[0] == 'i' ? 1 : 2;
  *type = NULL;
  if (name.len <= prefix || (prefix == 2 && name.data[1] != 'i')) return DL_OK;
  if (prefix == 2 && name.data[0] != 's' && name.data[0] != 'u') return DL_OK;
  uint64_t width = 0;
  for (size_t i = prefix; i < name.len; i++) {
    char c = name.data[i];
    if (c < '0' || c > '9' || (c == '0' && i == prefix && name.len > prefix + 1)) return DL_OK;
    width = width > MAX_INTEGER_WIDTH ? width : 10 * width + (uint64_t)(c - '0');
  }
  if (width > MAX_INTEGER_WIDTH)
    return dl_p_error(p, "integer width is limited to %d bits", MAX_INTEGER_WIDTH);
  dl_signedness signedness = prefix == 1           ? DL_SIGNLESS
                             : name.data[0] == 's' ? DL_SIGNED
                                                   : DL_UNSIGNED;
  *type = dl_integer_type(p->ctx, (unsigned)width, signedness);
  return DL_OK;
}

static bool find_float(dl_str name, dl_float_kind *kind) {
  for (dl_float_kind k = DL_F16; k <= DL_F4E2M1FN; k++) {
    if (!dl_str_is(name, dl_float_name(k))) continue;
    *kind = k;
    return true;
  }
  return false;
}

static dl_status parse_simple_type(dl_parser *p, dl_str name, dl_type *type) {
  dl_float_kind kind;
  if (dl_str_is(name, "index"))
    *type = dl_index_type(p->ctx);
  else if (dl_str_is(name, "none"))
    *type = dl_none_type(p->ctx);
  else if (find_float(name, &kind))
    *type = dl_float_type(p->ctx, kind);
  else
    DL_TRY(parse_integer_type(p, name, type));
  if (*type) dl_advance(p);
  return DL_OK;
}

static dl_status parse_named_type(dl_parser *p, dl_type *type) {
  dl_str name = dl_token_str(p);
  if (dl_str_is(name, "tensor")) return parse_shaped(p, DL_TYPE_TENSOR, type);
  if (dl_str_is(name, "memref")) return parse_shaped(p, DL_TYPE_MEMREF, type);
  if (dl_str_is(name, "vector")) return parse_shaped(p, DL_TYPE_VECTOR, type);
  if (dl_str_is(name, "complex")) return parse_complex(p, type);
  if (dl_str_is(name, "tuple")) return parse_tuple(p, type);
  return parse_simple_type(p, name, type);
}

static bool is_alias_use(const dl_parser *p) {
  dl_str text = dl_token_str(p);
  bool body_follows = p->lexer.cursor < p->lexer.end && *p->lexer.cursor == '<';
  return !memchr(text.data, '.', text.len) && !body_follows;
}

static dl_status parse_dialect_or_alias(dl_parser *p, dl_type *type) {
  if (is_alias_use(p)) {
    dl_str name = {p->token.text + 1, p->token.len - 1};
    *type = dl_ptr_map_get(&p->type_aliases, dl_intern(p->ctx, name));
    if (!*type) return dl_p_error(p, "undefined type alias '!%.*s'", (int)name.len, name.data);
    dl_advance(p);
    return DL_OK;
  }
  dl_ident dialect, name;
  size_t count;
  dl_attr *params;
  DL_TRY(dl_parse_dialect_symbol(p, &dialect, &name, &count, &params));
  *type = dl_dialect_type(p->ctx, dialect, name, count, params);
  return DL_OK;
}

static dl_status parse_type_here(dl_parser *p, dl_type *type) {
  if (p->token.kind == DL_TOK_IDENT) return parse_named_type(p, type);
  if (p->token.kind == DL_TOK_BANG) return parse_dialect_or_alias(p, type);
  if (dl_at_punct(p, '(')) return dl_parse_function_type(p, type);
  return DL_OK;
}

static dl_status parse_nested(dl_parser *p, dl_type *type) {
  *type = NULL;
  DL_TRY(dl_enter(p));
  dl_status status = parse_type_here(p, type);
  dl_leave(p);
  return status;
}

// The text of the type that begins at the next token, as far as it can be told without parsing it:
// a name, with `<…>` if that follows. Empty when it cannot.
static dl_str type_text(const dl_parser *p) {
  const char *at = p->token.text + p->token.len, *end = p->lexer.end;
  if (p->token.kind != DL_TOK_IDENT && p->token.kind != DL_TOK_BANG) return (dl_str){0};
  if (at < end && *at == '<') {
    const char *limit = p->token.text + DL_MAX_CACHED + 1;
    at = dl_scan_nested(at, limit < end ? limit : end, true);
  }
  size_t len = at ? (size_t)(at - p->token.text) : 0;
  return len <= DL_MAX_CACHED ? (dl_str){p->token.text, len} : (dl_str){0};
}

dl_status dl_parse_optional_type(dl_parser *p, dl_type *type) {
  dl_str text = type_text(p);
  if (!text.len) return parse_nested(p, type);
  dl_text_key key = dl_text_key_of(text);
  *type = dl_text_cache_get(p->types, key);
  if (*type) {
    p->lexer.cursor = text.data + text.len;
    dl_advance(p);
    return DL_OK;
  }
  DL_TRY(parse_nested(p, type));
  // Where the type ended is known by the blank or token after it.
  const char *after = text.data + text.len;
  while (after < p->token.text && (*after == ' ' || *after == '\n')) after++;
  if (*type && after == p->token.text) dl_text_cache_set(&p->types, key, *type);
  return DL_OK;
}

dl_status dl_parse_type(dl_parser *p, dl_type *type) {
  DL_TRY(dl_parse_optional_type(p, type));
  return *type ? DL_OK : dl_p_error(p, "expected a type");
}
