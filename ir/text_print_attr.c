// Printing of attributes.

#include <inttypes.h>
#include <stdio.h>

#include "ir/hash.h"
#include "ir/text_internal.h"

static bool printable(unsigned char c) { return c >= 0x20 && c < 0x7f; }

void dl_write_string(dl_buffer *out, dl_str text) {
  dl_buffer_putc(out, '"');
  size_t start = 0;
  for (size_t i = 0; i < text.len; i++) {
    unsigned char c = (unsigned char)text.data[i];
    if (printable(c) && c != '"' && c != '\\') continue;
    dl_buffer_append(out, text.data + start, i - start);
    start = i + 1;
    if (c == '\\')
      dl_buffer_puts(out, "\\\\");
    else
      dl_buffer_printf(out, "\\%02X", c);
  }
  dl_buffer_append(out, text.data + start, text.len - start);
  dl_buffer_putc(out, '"');
}

void dl_write_keyword_or_string(dl_buffer *out, dl_ident name) {
  dl_str text = dl_str_of(name);
  if (dl_is_bare_identifier(text))
    dl_buffer_append(out, text.data, text.len);
  else
    dl_write_string(out, text);
}

void dl_write_symbol(dl_buffer *out, dl_ident name) {
  dl_buffer_putc(out, '@');
  dl_write_keyword_or_string(out, name);
}

void dl_write_hex(dl_buffer *out, dl_str bytes) {
  static const char digits[] = "0123456789ABCDEF";
  for (size_t i = 0; i < bytes.len; i++) {
    unsigned char c = (unsigned char)bytes.data[i];
    dl_buffer_putc(out, digits[c >> 4]);
    dl_buffer_putc(out, digits[c & 15]);
  }
}

static bool all_zero(const unsigned char *bytes, size_t len) {
  for (size_t i = 0; i < len; i++)
    if (bytes[i]) return false;
  return true;
}

// Decimal digits by repeated division; widths are a few hundred bits in practice.
void dl_write_wide_int(dl_buffer *out, dl_str bits, bool is_signed) {
  unsigned char *rest = dl_malloc(bits.len ? bits.len : 1);
  memcpy(rest, bits.data, bits.len);
  if (is_signed && bits.len && rest[bits.len - 1] & 0x80) {
    dl_buffer_putc(out, '-');
    dl_negate_bytes(rest, bits.len);
  }
  dl_buffer digits = {0};
  do {
    unsigned remainder = 0;
    for (size_t i = bits.len; i-- > 0;) {
      unsigned part = remainder << 8 | rest[i];
      rest[i] = (unsigned char)(part / 10);
      remainder = part % 10;
    }
    dl_buffer_putc(&digits, (char)('0' + remainder));
  } while (!all_zero(rest, bits.len));
  while (digits.len) dl_buffer_putc(out, digits.data[--digits.len]);
  dl_buffer_free(&digits);
  free(rest);
}

// The shortest of %.6e and longer forms that reads back as the same value; bits for what is no
// number.
void dl_write_float_bits(dl_buffer *out, dl_float_kind kind, uint64_t bits) {
  double value = dl_float_decode(kind, bits);
  if (value - value != 0) {
    int digits = (int)(dl_float_width(kind) + 3) / 4;
    dl_buffer_printf(out, "0x%0*" PRIX64, digits, bits);
    return;
  }
  char text[40];
  for (int precision = 6; precision <= 17; precision++) {
    snprintf(text, sizeof text, "%.*e", precision, value);
    if (dl_float_encode(kind, strtod(text, NULL)) == bits) break;
  }
  dl_buffer_puts(out, text);
}

void dl_write_double(dl_buffer *out, double value, dl_type type) {
  dl_write_float_bits(out, type->float_kind, dl_float_encode(type->float_kind, value));
}

static void write_wide_float(dl_buffer *out, const char *at, size_t size) {
  dl_buffer_puts(out, "0x");
  for (size_t i = size; i-- > 0;) dl_write_hex(out, (dl_str){at + i, 1});
}

static void write_float(dl_printer *o, dl_attr attr) {
  if (attr->bytes.len)
    write_wide_float(o->out, attr->bytes.data, attr->bytes.len);
  else
    dl_write_double(o->out, attr->number, attr->type);
}

static bool is_bool(dl_type type) {
  return type->kind == DL_TYPE_INTEGER && type->width == 1 && type->signedness == DL_SIGNLESS;
}

static void write_integer(dl_printer *o, dl_attr attr) {
  bool is_unsigned = attr->type->kind == DL_TYPE_INTEGER && attr->type->signedness == DL_UNSIGNED;
  if (is_bool(attr->type))
    dl_buffer_puts(o->out, attr->integer ? "true" : "false");
  else if (attr->bytes.len)
    dl_write_wide_int(o->out, attr->bytes, !is_unsigned);
  else if (is_unsigned)
    dl_buffer_put_unsigned(o->out, (uint64_t)attr->integer);
  else
    dl_buffer_put_signed(o->out, attr->integer);
}

void dl_write_dict_entries(dl_printer *o, size_t count, const dl_named_attr *entries) {
  for (size_t i = 0; i < count; i++) {
    if (i) dl_buffer_puts(o->out, ", ");
    dl_write_keyword_or_string(o->out, entries[i].name);
    if (entries[i].value->kind == DL_ATTR_UNIT) continue;
    dl_buffer_puts(o->out, " = ");
    dl_write_attr(o, entries[i].value);
  }
}

static void write_stored_integer(dl_buffer *out, dl_type type, const char *at) {
  size_t size = dl_element_bytes(type);
  bool is_unsigned = type->kind == DL_TYPE_INTEGER && type->signedness == DL_UNSIGNED;
  uint64_t bits = 0;
  if (size > 8) {
    dl_write_wide_int(out, (dl_str){at, size}, !is_unsigned);
    return;
  }
  memcpy(&bits, at, size);
  unsigned width = type->kind == DL_TYPE_INDEX ? 64 : type->width, unused = 64 - width;
  if (width == 0)
    dl_buffer_putc(out, '0');
  else if (is_unsigned)
    dl_buffer_put_unsigned(out, bits << unused >> unused);
  else
    dl_buffer_put_signed(out, (int64_t)(bits << unused) >> unused);
}

void dl_write_number(dl_buffer *out, dl_type type, const char *at) {
  if (dl_is_float(type) && dl_float_width(type->float_kind) > 64) {
    write_wide_float(out, at, dl_float_width(type->float_kind) / 8);
  } else if (dl_is_float(type)) {
    uint64_t bits = 0;
    memcpy(&bits, at, dl_element_bytes(type));
    dl_write_float_bits(out, type->float_kind, bits);
  } else if (is_bool(type)) {
    dl_buffer_puts(out, *at ? "true" : "false");
  } else {
    write_stored_integer(out, type, at);
  }
}

static void write_dense_array(dl_printer *o, dl_attr attr) {
  dl_buffer_puts(o->out, "array<");
  dl_write_type(o, attr->type);
  size_t count = dl_array_len(attr), size = count ? attr->bytes.len / count : 0;
  for (size_t i = 0; i < count; i++) {
    dl_buffer_puts(o->out, i ? ", " : ": ");
    dl_write_number(o->out, attr->type, attr->bytes.data + i * size);
  }
  dl_buffer_putc(o->out, '>');
}

static void write_stride(dl_buffer *out, int64_t value) {
  if (value == DL_DYNAMIC)
    dl_buffer_putc(out, '?');
  else
    dl_buffer_put_signed(out, value);
}

static void write_strided(dl_buffer *out, dl_attr attr) {
  dl_buffer_puts(out, "strided<[");
  for (size_t i = 0; i < attr->count; i++) {
    if (i) dl_buffer_puts(out, ", ");
    write_stride(out, attr->strides[i]);
  }
  dl_buffer_putc(out, ']');
  if (attr->offset != 0) {
    dl_buffer_puts(out, ", offset: ");
    write_stride(out, attr->offset);
  }
  dl_buffer_putc(out, '>');
}

static void write_nested_symbol(dl_printer *o, dl_attr attr) {
  dl_write_symbol(o->out, attr->name);
  for (size_t i = 0; i < attr->count; i++) {
    dl_buffer_puts(o->out, "::");
    dl_write_symbol(o->out, attr->elements[i]->name);
  }
}

static void write_untyped_list(dl_printer *o, size_t count, const dl_attr *elements) {
  for (size_t i = 0; i < count; i++) {
    if (i) dl_buffer_puts(o->out, ", ");
    dl_write_attr_untyped(o, elements[i]);
  }
}

void dl_write_params(dl_printer *o, dl_ident name, size_t count, const dl_attr *params) {
  if (name) dl_buffer_printf(o->out, ".%s", name);
  if (count == 0) return;
  dl_buffer_putc(o->out, '<');
  write_untyped_list(o, count, params);
  dl_buffer_putc(o->out, '>');
}

static void write_resource(dl_printer *o, dl_attr attr) {
  dl_buffer_puts(o->out, "dense_resource<");
  dl_write_keyword_or_string(o->out, attr->name);
  dl_buffer_putc(o->out, '>');
  if (dl_ptr_map_has(&o->resource_seen, attr->name)) return;
  dl_ptr_map_set(&o->resource_seen, attr->name, o);
  DL_PUSH(&o->resources, attr->name);
}

static void write_sparse(dl_printer *o, dl_attr attr) {
  dl_buffer_puts(o->out, "sparse<");
  if (dl_num_elements(attr->elements[1]->type)) {
    dl_write_dense_body(o, attr->elements[0]);
    dl_buffer_puts(o->out, ", ");
    dl_write_dense_body(o, attr->elements[1]);
  }
  dl_buffer_putc(o->out, '>');
}

static void write_keyed(dl_printer *o, dl_attr attr) {
  dl_buffer_printf(o->out, "%s = ", attr->name);
  dl_write_attr_untyped(o, attr->elements[0]);
}

static void write_call(dl_printer *o, dl_attr attr) {
  dl_buffer_printf(o->out, "%s(", attr->name);
  write_untyped_list(o, attr->count, attr->elements);
  dl_buffer_putc(o->out, ')');
}

static bool elided(const dl_printer *o, dl_attr attr) {
  return o->options.elide_elements && !attr->splat &&
         dl_num_elements(attr->type) >= (int64_t)o->options.elide_elements;
}

static void write_dense(dl_printer *o, dl_attr attr) {
  if (elided(o, attr)) {
    dl_buffer_puts(o->out, "dense_resource<__elided__>");
    return;
  }
  dl_buffer_puts(o->out, "dense<");
  dl_write_dense_body(o, attr);
  dl_buffer_putc(o->out, '>');
}

static void write_map_or_set(dl_printer *o, dl_attr attr) {
  if (attr->kind == DL_ATTR_MAP) {
    dl_buffer_puts(o->out, "affine_map<");
    dl_print_map(o->out, attr->map);
  } else {
    dl_buffer_puts(o->out, "affine_set<");
    dl_write_set(o->out, attr);
  }
  dl_buffer_putc(o->out, '>');
}

static void write_raw(dl_printer *o, dl_attr attr) {
  const char *at = attr->bytes.data, *end = at + attr->bytes.len;
  for (size_t i = 0; i < attr->count; i++) {
    const char *mark = memchr(at, DL_EMBEDDED_ATTR, (size_t)(end - at));
    dl_buffer_append(o->out, at, (size_t)(mark - at));
    dl_write_attr(o, attr->elements[i]);
    at = mark + 1;
  }
  dl_buffer_append(o->out, at, (size_t)(end - at));
}

// The attribute without the `: type` that follows numbers, strings and elements.
static void write_body(dl_printer *o, dl_attr attr) {
  switch (attr->kind) {
    case DL_ATTR_UNIT:
      dl_buffer_puts(o->out, "unit");
      return;
    case DL_ATTR_INTEGER:
      write_integer(o, attr);
      return;
    case DL_ATTR_FLOAT:
      write_float(o, attr);
      return;
    case DL_ATTR_STRING:
      dl_write_string(o->out, attr->bytes);
      return;
    case DL_ATTR_TYPE:
      dl_write_type(o, attr->type);
      return;
    case DL_ATTR_ARRAY:
      dl_buffer_putc(o->out, '[');
      write_untyped_list(o, attr->count, attr->elements);
      dl_buffer_putc(o->out, ']');
      return;
    case DL_ATTR_DICT:
      dl_buffer_putc(o->out, '{');
      dl_write_dict_entries(o, attr->count, attr->entries);
      dl_buffer_putc(o->out, '}');
      return;
    case DL_ATTR_DENSE:
      write_dense(o, attr);
      return;
    case DL_ATTR_SPARSE:
      write_sparse(o, attr);
      return;
    case DL_ATTR_RESOURCE:
      write_resource(o, attr);
      return;
    case DL_ATTR_DENSE_ARRAY:
      write_dense_array(o, attr);
      return;
    case DL_ATTR_MAP:
    case DL_ATTR_SET:
      write_map_or_set(o, attr);
      return;
    case DL_ATTR_STRIDED:
      write_strided(o->out, attr);
      return;
    case DL_ATTR_SYMBOL:
      write_nested_symbol(o, attr);
      return;
    case DL_ATTR_LOC:
      dl_buffer_puts(o->out, "loc(");
      dl_write_loc(o, attr->loc);
      dl_buffer_putc(o->out, ')');
      return;
    case DL_ATTR_DISTINCT:
      dl_buffer_printf(o->out, "distinct[%" PRId64 "]<", attr->integer);
      if (attr->elements[0]->kind != DL_ATTR_UNIT) dl_write_attr(o, attr->elements[0]);
      dl_buffer_putc(o->out, '>');
      return;
    case DL_ATTR_DIALECT:
      dl_buffer_printf(o->out, "#%s", attr->dialect);
      dl_write_params(o, attr->name, attr->count, attr->elements);
      return;
    case DL_ATTR_KEYWORD:
      dl_buffer_puts(o->out, attr->name);
      return;
    case DL_ATTR_CALL:
      write_call(o, attr);
      return;
    case DL_ATTR_KEYED:
      write_keyed(o, attr);
      return;
    case DL_ATTR_RAW:
      write_raw(o, attr);
      return;
  }
}

static bool has_trailing_type(dl_attr attr) {
  switch (attr->kind) {
    case DL_ATTR_INTEGER:
      return !is_bool(attr->type);
    case DL_ATTR_STRING:
    case DL_ATTR_DIALECT:
      return attr->type && attr->type->kind != DL_TYPE_NONE;
    case DL_ATTR_FLOAT:
    case DL_ATTR_DENSE:
    case DL_ATTR_SPARSE:
    case DL_ATTR_RESOURCE:
      return true;
    default:
      return false;
  }
}

// Decimal numbers are taken for i64 and f64 without a type; a number written as bits is not.
static bool type_is_default(dl_attr attr) {
  dl_type type = attr->type;
  if (attr->kind == DL_ATTR_INTEGER)
    return type->kind == DL_TYPE_INTEGER && type->width == 64 && type->signedness == DL_SIGNLESS;
  if (attr->kind == DL_ATTR_FLOAT)
    return dl_is_float(type) && type->float_kind == DL_F64 && attr->number - attr->number == 0;
  return false;
}

static const char *make_alias(dl_printer *o, dl_attr attr) {
  bool map = attr->kind == DL_ATTR_MAP;
  unsigned number = map ? o->num_maps++ : o->num_sets++;
  char text[32];
  int len = snprintf(text, sizeof text, number ? "#%s%u" : "#%s", map ? "map" : "set", number);
  const char *name = dl_arena_copy_str(o->arena, (dl_str){text, (size_t)len});
  dl_printer definition = {.ctx = o->ctx, .out = &o->alias_lines};
  dl_buffer_printf(&o->alias_lines, "%s = ", name);
  write_body(&definition, attr);
  dl_buffer_putc(&o->alias_lines, '\n');
  dl_ptr_map_set(&o->aliases, attr, (void *)name);
  return name;
}

static bool write_alias(dl_printer *o, dl_attr attr) {
  if (!o->use_aliases || (attr->kind != DL_ATTR_MAP && attr->kind != DL_ATTR_SET)) return false;
  const char *alias = dl_ptr_map_get(&o->aliases, attr);
  if (!alias && !o->collecting) return false;
  dl_buffer_puts(o->out, alias ? alias : make_alias(o, attr));
  return true;
}

static void write_trailing_type(dl_printer *o, dl_attr attr) {
  dl_buffer_puts(o->out, " : ");
  dl_write_type(o, attr->type);
}

// --- the texts of short attributes that were written before ---

enum { CACHED_ATTRS = 4096, CACHED_TEXT = 54 };

struct dl_printed_attr {
  _Alignas(64) dl_attr attr;
  bool typed;
  uint8_t len;
  char text[CACHED_TEXT];
};

static dl_printed_attr *cached(dl_printer *o, dl_attr attr) {
  if (!o->arena || o->collecting) return NULL;
  if (!o->attrs) {
    size_t size = CACHED_ATTRS * sizeof(*o->attrs);
    o->attrs = aligned_alloc(64, size);
    if (!o->attrs) dl_bug(NULL, "out of memory for a cache of attributes");
    memset(o->attrs, 0, size);
  }
  return &o->attrs[dl_hash_pointer(attr) % CACHED_ATTRS];
}

static void write_new(dl_printer *o, dl_attr attr, bool typed) {
  if (write_alias(o, attr)) return;
  write_body(o, attr);
  if (has_trailing_type(attr) && (typed || !type_is_default(attr))) write_trailing_type(o, attr);
}

static void write_cached(dl_printer *o, dl_attr attr, bool typed) {
  dl_printed_attr *entry = cached(o, attr);
  if (entry && entry->attr == attr && entry->typed == typed) {
    dl_buffer_append(o->out, entry->text, entry->len);
    return;
  }
  size_t start = o->out->len;
  write_new(o, attr, typed);
  size_t len = o->out->len - start;
  if (!entry || len > CACHED_TEXT) return;
  *entry = (dl_printed_attr){.attr = attr, .typed = typed, .len = (uint8_t)len};
  memcpy(entry->text, o->out->data + start, len);
}

void dl_write_attr(dl_printer *o, dl_attr attr) { write_cached(o, attr, true); }
void dl_write_attr_untyped(dl_printer *o, dl_attr attr) { write_cached(o, attr, false); }

void dl_print_attr(dl_buffer *out, dl_attr attr) {
  dl_printer o = {.ctx = attr->ctx, .out = out};
  dl_write_attr(&o, attr);
  dl_printer_free(&o);
}

void dl_o_attr_without_type(dl_printer *o, dl_attr attr) {
  if (!write_alias(o, attr)) write_body(o, attr);
}

void dl_o_dialect_attr_params(dl_printer *o, dl_attr attr) {
  if (attr->kind == DL_ATTR_DIALECT) dl_write_params(o, NULL, attr->count, attr->elements);
}
