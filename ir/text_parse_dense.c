// Parsing of dense, sparse, dense_resource and array attributes.
//
// The type follows the elements, but decides how they read: the text is scanned up to the type
// first, then the elements are read, straight into their storage form.

#include "ir/text_internal.h"

typedef struct elements {
  dl_parser *p;
  dl_type type;    // of the whole
  dl_type scalar;  // the element type, or the part of a complex one
  bool complex;
  bool are_strings;  // the element type is no number
  size_t part_bytes;
  dl_buffer out;
  DL_VEC(dl_attr) strings;
} elements;

static bool is_number(dl_type type) {
  return dl_is_integer(type) || dl_is_index(type) || dl_is_float(type);
}

static elements elements_of(dl_parser *p, dl_type type) {
  elements e = {.p = p, .type = type, .scalar = type->element};
  e.complex = e.scalar->kind == DL_TYPE_COMPLEX;
  if (e.complex) e.scalar = e.scalar->element;
  e.are_strings = !is_number(e.scalar);
  e.part_bytes = dl_element_bytes(e.scalar);
  return e;
}

static void free_elements(elements *e) {
  dl_buffer_free(&e->out);
  DL_VEC_FREE(&e->strings);
}

// --- elements ---

// Integers of up to 64 bits in decimal, by far the most frequent, without building an attribute.
static bool fast_integer(elements *e, bool negative) {
  const dl_token *token = &e->p->token;
  unsigned width = dl_is_index(e->scalar) ? 64 : e->scalar->width;
  if (token->kind != DL_TOK_INTEGER || token->len > 18 || width < 8 || width > 64) return false;
  int64_t value = 0;
  for (size_t i = 0; i < token->len; i++) {
    if (token->text[i] > '9') return false;
    value = 10 * value + (token->text[i] - '0');
  }
  if (width < 64 && value >> (width - 1)) return false;
  if (negative && value && dl_is_integer(e->scalar) && e->scalar->signedness == DL_UNSIGNED)
    return false;
  if (negative) value = -value;
  dl_buffer_append(&e->out, &value, e->part_bytes);
  dl_advance(e->p);
  return true;
}

static void append_value(elements *e, dl_attr value) {
  if (value->bytes.len) {
    bool negative = dl_is_integer(e->scalar) && e->scalar->signedness != DL_UNSIGNED &&
                    value->bytes.data[value->bytes.len - 1] & 0x80;
    dl_buffer_append(&e->out, value->bytes.data, value->bytes.len);
    for (size_t i = value->bytes.len; i < e->part_bytes; i++)
      dl_buffer_putc(&e->out, negative ? -1 : 0);
  } else if (value->kind == DL_ATTR_FLOAT) {
    uint64_t bits = dl_float_encode(e->scalar->float_kind, value->number);
    dl_buffer_append(&e->out, &bits, e->part_bytes);
  } else {
    int64_t integer = value->integer;
    dl_buffer_append(&e->out, &integer, e->part_bytes);
  }
}

static dl_status parse_bool_part(elements *e) {
  char value = dl_at_keyword(e->p, "true");
  dl_buffer_putc(&e->out, value);
  dl_advance(e->p);
  return DL_OK;
}

static bool has_wide_float(const elements *e) {
  return dl_is_float(e->scalar) && dl_float_width(e->scalar->float_kind) > 64;
}

static dl_status parse_part(elements *e) {
  dl_parser *p = e->p;
  if (dl_at_keyword(p, "true") || dl_at_keyword(p, "false")) {
    if (e->scalar == dl_int_type(p->ctx, 1)) return parse_bool_part(e);
    return dl_p_error(p, "true and false need elements of type i1");
  }
  bool negative = dl_accept_punct(p, '-');
  if (dl_is_float(e->scalar) && p->token.kind == DL_TOK_FLOAT && !has_wide_float(e)) {
    double value = dl_token_double(p);
    uint64_t bits = dl_float_encode(e->scalar->float_kind, negative ? -value : value);
    dl_buffer_append(&e->out, &bits, e->part_bytes);
    dl_advance(p);
    return DL_OK;
  }
  dl_attr value;
  if (dl_is_float(e->scalar)) {
    if (p->token.kind != DL_TOK_FLOAT && p->token.kind != DL_TOK_INTEGER)
      return dl_p_error(p, "expected a number");
    DL_TRY(dl_float_from_token(p, e->scalar, negative, &value));
  } else {
    if (fast_integer(e, negative)) return DL_OK;
    if (p->token.kind != DL_TOK_INTEGER) return dl_p_error(p, "expected an integer element");
    DL_TRY(dl_parse_integer_value(p, e->scalar, negative, &value));
  }
  append_value(e, value);
  return DL_OK;
}

static dl_status parse_string_element(elements *e) {
  dl_str text;
  if (e->p->token.kind != DL_TOK_STRING)
    return dl_p_error(e->p, "elements of this type are given as strings");
  DL_TRY(dl_parse_string(e->p, &text));
  DL_PUSH(&e->strings, dl_string_attr(e->p->ctx, text));
  return DL_OK;
}

static dl_status parse_element(elements *e) {
  if (e->are_strings) return parse_string_element(e);
  if (!e->complex) return parse_part(e);
  DL_TRY(dl_p_expect(e->p, "("));
  DL_TRY(parse_part(e));
  DL_TRY(dl_p_expect(e->p, ","));
  DL_TRY(parse_part(e));
  return dl_p_expect(e->p, ")");
}

static dl_status wrong_count(elements *e, size_t dim, int64_t count) {
  return dl_p_error(e->p, "expected %lld elements in dimension %zu, found %s%lld",
                    (long long)e->type->shape[dim], dim,
                    count > e->type->shape[dim] ? "at least " : "", (long long)count);
}

static dl_status parse_list(elements *e, size_t dim) {
  if (dim == e->type->rank) return parse_element(e);
  DL_TRY(dl_enter(e->p));
  DL_TRY(dl_expect_punct(e->p, '[', "before the elements of a dimension"));
  int64_t count = 0;
  if (!dl_at_punct(e->p, ']')) do {
      if (count == e->type->shape[dim]) return wrong_count(e, dim, count + 1);
      DL_TRY(parse_list(e, dim + 1));
      count++;
    } while (dl_accept_punct(e->p, ','));
  if (count != e->type->shape[dim]) return wrong_count(e, dim, count);
  dl_leave(e->p);
  return dl_expect_punct(e->p, ']', "after the elements of a dimension");
}

// --- hex ---

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool dl_decode_hex(dl_str text, dl_buffer *out) {
  if (text.len < 2 || text.len % 2 || memcmp(text.data, "0x", 2) != 0) return false;
  char chunk[4096];
  size_t used = 0;
  for (size_t i = 2; i < text.len; i += 2) {
    int high = hex_digit(text.data[i]), low = hex_digit(text.data[i + 1]);
    if (high < 0 || low < 0) return false;
    chunk[used++] = (char)(high << 4 | low);
    if (used < sizeof chunk) continue;
    dl_buffer_append(out, chunk, used);
    used = 0;
  }
  dl_buffer_append(out, chunk, used);
  return true;
}

static void unpack_bits(dl_buffer *packed, dl_buffer *out, int64_t count) {
  for (int64_t i = 0; i < count; i++)
    dl_buffer_putc(out, (char)((unsigned char)packed->data[i / 8] >> i % 8 & 1));
}

size_t dl_hex_bytes(dl_type scalar) {
  if (dl_is_index(scalar)) return sizeof(int64_t);
  unsigned width = dl_is_float(scalar) ? dl_float_width(scalar->float_kind) : scalar->width;
  return width == 0 ? 1 : (width + 7) / 8;
}

// Widens the scalars to their storage form; the bits of integers beyond their width become the
// sign.
static void append_scalars(elements *e, dl_str bytes) {
  size_t from = dl_hex_bytes(e->scalar);
  unsigned width = dl_is_integer(e->scalar) ? e->scalar->width : 0;
  if (from == e->part_bytes && width % 8 == 0) {
    dl_buffer_append(&e->out, bytes.data, bytes.len);
    return;
  }
  bool is_signed = width && e->scalar->signedness != DL_UNSIGNED;
  for (size_t at = 0; at < bytes.len; at += from) {
    unsigned char last = (unsigned char)bytes.data[at + from - 1];
    unsigned used = width % 8 ? width % 8 : 8;
    bool negative = is_signed && last >> (used - 1) & 1;
    unsigned char high = (unsigned char)(0xff << used);
    last = (unsigned char)(negative ? last | high : last & ~high);
    dl_buffer_append(&e->out, bytes.data + at, from - 1);
    dl_buffer_putc(&e->out, (char)last);
    for (size_t i = from; i < e->part_bytes; i++) dl_buffer_putc(&e->out, negative ? -1 : 0);
  }
}

static dl_status parse_hex(elements *e, int64_t count, bool *splat) {
  dl_parser *p = e->p;
  dl_str text = {p->token.text + 1, p->token.len - 2};
  dl_buffer bytes = {0};
  if (!dl_decode_hex(text, &bytes)) {
    dl_buffer_free(&bytes);
    return dl_p_error(p, "expected hexadecimal elements (\"0x…\", whole bytes)");
  }
  bool bits = !e->complex && e->scalar->kind == DL_TYPE_INTEGER && e->scalar->width == 1;
  size_t one = dl_hex_bytes(e->scalar) * (e->complex ? 2 : 1);
  bool ok;
  if (bits) {
    *splat = count != 1 && bytes.len == 1 && (bytes.data[0] == 0 || bytes.data[0] == -1);
    ok = *splat || bytes.len == ((size_t)count + 7) / 8;
    if (ok) unpack_bits(&bytes, &e->out, *splat ? 1 : count);
  } else {
    *splat = bytes.len == one;
    ok = *splat || bytes.len == one * (size_t)count;
    if (ok) append_scalars(e, (dl_str){bytes.data, bytes.len});
  }
  dl_buffer_free(&bytes);
  if (!ok) return dl_p_error(p, "the size of the hexadecimal elements does not fit the type");
  dl_advance(p);
  return DL_OK;
}

// --- the whole literal ---

// Equal elements are stored once, however they were written.
static bool all_equal(const dl_buffer *bytes, size_t one) {
  return bytes->len > one && bytes->len % one == 0 &&
         memcmp(bytes->data, bytes->data + one, bytes->len - one) == 0;
}

static dl_attr string_elements(elements *e, int64_t count) {
  bool splat = count > 0;
  for (size_t i = 1; i < e->strings.len; i++) splat &= e->strings.data[i] == e->strings.data[0];
  size_t kept = count == 0 ? 0 : splat ? 1 : e->strings.len;
  return dl_dense_string_attr(e->type, kept, e->strings.data, splat);
}

static dl_status parse_literal(elements *e, dl_attr *attr) {
  int64_t count = dl_num_elements(e->type);
  size_t one = e->part_bytes * (e->complex ? 2 : 1);
  bool splat = false;
  if (dl_at_punct(e->p, '>')) {
    if (count != 0) return dl_p_error(e->p, "expected elements");
  } else if (e->p->token.kind == DL_TOK_STRING && !e->are_strings) {
    DL_TRY(parse_hex(e, count, &splat));
  } else if (dl_at_punct(e->p, '[')) {
    DL_TRY(parse_list(e, 0));
  } else {
    DL_TRY(parse_element(e));
    splat = true;
  }
  if (e->are_strings) {
    *attr = string_elements(e, count);
    return DL_OK;
  }
  if (count == 0) e->out.len = 0;
  bool uniform = count > 0 && (splat || count == 1 || all_equal(&e->out, one));
  *attr = dl_dense_attr(e->type, (dl_str){e->out.data, uniform ? one : e->out.len}, uniform);
  return DL_OK;
}

const char *dl_elements_type_problem(dl_type type) {
  if (type->kind != DL_TYPE_TENSOR && type->kind != DL_TYPE_VECTOR)
    return "elements need a tensor or vector type";
  if (!dl_has_static_shape(type)) return "elements need a static shape";
  return dl_num_elements(type) < 0 ? "the type has too many elements" : NULL;
}

static dl_status check_elements_type(dl_parser *p, dl_type type) {
  const char *problem = dl_elements_type_problem(type);
  return problem ? dl_p_error(p, "%s", problem) : DL_OK;
}

// Steps over text to the `>` that closes the bracket just read.
static dl_status skip_to_close(dl_parser *p) {
  unsigned depth = 1;
  while (p->token.kind != DL_TOK_EOF && p->token.kind != DL_TOK_ERROR) {
    if (dl_at_punct(p, '<')) depth++;
    if (dl_at_punct(p, '>') && --depth == 0) return DL_OK;
    dl_advance(p);
  }
  return dl_p_error(p, "expected '>'");
}

// Reads the type behind `…>` and comes back to the elements.
static dl_status peek_type(dl_parser *p, dl_type *type) {
  dl_checkpoint start = dl_save(p);
  DL_TRY(skip_to_close(p));
  dl_advance(p);
  DL_TRY(dl_p_expect(p, ":"));
  dl_checkpoint at_type = dl_save(p);
  DL_TRY(dl_parse_type(p, type));
  dl_restore(p, at_type);
  DL_TRY(check_elements_type(p, *type));
  dl_restore(p, start);
  return DL_OK;
}

static dl_status parse_typed_end(dl_parser *p, bool typed) {
  dl_type type;
  DL_TRY(dl_p_expect(p, ">"));
  if (typed) return DL_OK;
  DL_TRY(dl_p_expect(p, ":"));
  return dl_parse_type(p, &type);
}

dl_status dl_parse_dense(dl_parser *p, dl_type type, dl_attr *attr) {
  bool typed = type != NULL;
  DL_TRY(dl_p_expect(p, "<"));
  DL_TRY(typed ? check_elements_type(p, type) : peek_type(p, &type));
  elements e = elements_of(p, type);
  dl_status status = parse_literal(&e, attr);
  free_elements(&e);
  DL_TRY(status);
  return parse_typed_end(p, typed);
}

// --- sparse ---

// The sizes of a nested list, from its first elements: rank 0 for a scalar.
static dl_status scan_shape(dl_parser *p, int64_t shape[2], size_t *rank) {
  dl_checkpoint start = dl_save(p);
  int64_t commas[2] = {0, 0};
  unsigned depth = 0, deepest = 0;
  bool first_inner = true, empty = false;
  do {
    if (dl_at_punct(p, '[')) {
      if (++depth > 2) return dl_p_error(p, "sparse indices have at most two dimensions");
      if (depth > deepest) deepest = depth;
    } else if (dl_at_punct(p, ']')) {
      if (depth == 2) first_inner = false;
      depth--;
    } else if (dl_at_punct(p, ',') && depth) {
      if (depth == 1 || first_inner) commas[depth - 1]++;
    } else if (p->token.kind == DL_TOK_EOF || p->token.kind == DL_TOK_ERROR) {
      return dl_p_error(p, "expected ']'");
    }
    const char *before = p->token.text;
    dl_advance(p);
    if (depth == 1 && *before == '[' && dl_at_punct(p, ']')) empty = true;
  } while (depth);
  *rank = deepest;
  for (unsigned i = 0; i < deepest; i++) shape[i] = commas[i] + 1;
  if (empty && deepest == 1) shape[0] = 0;
  dl_restore(p, start);
  return DL_OK;
}

static dl_status parse_part_literal(dl_parser *p, dl_type type, dl_attr *attr) {
  elements e = elements_of(p, type);
  dl_status status = parse_literal(&e, attr);
  free_elements(&e);
  return status;
}

static dl_status parse_sparse_parts(dl_parser *p, dl_type type, dl_attr *indices, dl_attr *values) {
  if (dl_at_punct(p, '>')) {
    int64_t none[2] = {0, (int64_t)type->rank};
    *indices =
        dl_dense_attr(dl_tensor_type(dl_int_type(p->ctx, 64), 2, none, NULL), DL_STR(""), false);
    *values = dl_dense_attr(dl_tensor_type(type->element, 1, none, NULL), DL_STR(""), false);
    return DL_OK;
  }
  int64_t shape[2] = {1, (int64_t)type->rank};
  size_t rank;
  dl_checkpoint start = dl_save(p);
  DL_TRY(scan_shape(p, shape, &rank));
  bool matches = rank == 0 || (rank == 2 ? shape[1] : shape[0]) == (int64_t)type->rank;
  dl_restore(p, start);
  if (!matches) return dl_p_error(p, "sparse indices need one number per dimension");
  DL_TRY(parse_part_literal(
      p, dl_tensor_type(dl_int_type(p->ctx, 64), rank ? rank : 2, shape, NULL), indices));
  DL_TRY(dl_p_expect(p, ","));
  int64_t count = rank == 2 ? shape[0] : 1;
  return parse_part_literal(p, dl_tensor_type(type->element, 1, &count, NULL), values);
}

dl_status dl_parse_sparse(dl_parser *p, dl_type type, dl_attr *attr) {
  bool typed = type != NULL;
  dl_attr indices, values;
  DL_TRY(dl_p_expect(p, "<"));
  DL_TRY(typed ? check_elements_type(p, type) : peek_type(p, &type));
  DL_TRY(parse_sparse_parts(p, type, &indices, &values));
  *attr = dl_sparse_attr(type, indices, values);
  return parse_typed_end(p, typed);
}

// --- resources ---

dl_status dl_parse_resource(dl_parser *p, dl_type type, dl_attr *attr) {
  dl_ident name;
  bool typed = type != NULL;
  DL_TRY(dl_p_expect(p, "<"));
  DL_TRY(p->token.kind == DL_TOK_STRING ? dl_parse_name_string(p, &name) : dl_p_keyword(p, &name));
  DL_TRY(dl_p_expect(p, ">"));
  if (!typed) {
    DL_TRY(dl_p_expect(p, ":"));
    dl_checkpoint start = dl_save(p);
    DL_TRY(dl_parse_type(p, &type));
    dl_checkpoint after = dl_save(p);
    dl_restore(p, start);
    if (dl_element_type(type) == type) return dl_p_error(p, "expected a shaped type");
    dl_restore(p, after);
  }
  *attr = dl_resource_attr(type, name);
  return DL_OK;
}

// --- array<type: …> ---

bool dl_is_array_element(dl_type type) {
  if (dl_is_float(type)) return dl_float_width(type->float_kind) % 8 == 0;
  return dl_is_integer(type) && (type->width == 1 || type->width % 8 == 0);
}

static dl_status parse_array_elements(elements *e, size_t *count) {
  *count = 0;
  if (!dl_accept_punct(e->p, ':')) return DL_OK;
  do {
    DL_TRY(parse_part(e));
    ++*count;
  } while (dl_accept_punct(e->p, ','));
  return DL_OK;
}

dl_status dl_parse_dense_array(dl_parser *p, dl_attr *attr) {
  DL_TRY(dl_p_expect(p, "<"));
  dl_checkpoint start = dl_save(p);
  elements e = {.p = p};
  DL_TRY(dl_parse_type(p, &e.scalar));
  if (!dl_is_array_element(e.scalar)) {
    dl_restore(p, start);
    return dl_p_error(p, "array<> holds integers and floats of whole bytes, or i1");
  }
  e.part_bytes = dl_element_bytes(e.scalar);
  size_t count;
  dl_status status = parse_array_elements(&e, &count);
  if (status == DL_OK) status = dl_p_expect(p, ">");
  if (status == DL_OK)
    *attr = dl_dense_array_attr(e.scalar, count, (dl_str){e.out.data, e.out.len});
  dl_buffer_free(&e.out);
  return status;
}
