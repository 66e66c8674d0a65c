// Parsing of integer and float attributes of any width.

#include "ir/text_internal.h"

static bool is_hex(const dl_token *token) {
  return token->kind == DL_TOK_INTEGER && token->len > 2 && token->text[1] == 'x';
}

static unsigned digit_value(char c) {
  return (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

// bytes = bytes * base + digit; false when it does not fit.
static bool append_digit(unsigned char *bytes, size_t len, unsigned base, unsigned digit) {
  unsigned carry = digit;
  for (size_t i = 0; i < len; i++) {
    carry += bytes[i] * base;
    bytes[i] = (unsigned char)carry;
    carry >>= 8;
  }
  return carry == 0;
}

void dl_negate_bytes(unsigned char *bytes, size_t len) {
  unsigned carry = 1;
  for (size_t i = 0; i < len; i++) {
    carry += (unsigned char)~bytes[i];
    bytes[i] = (unsigned char)carry;
    carry >>= 8;
  }
}

static bool bit_at(const unsigned char *bytes, unsigned bit) {
  return bytes[bit / 8] >> bit % 8 & 1;
}

static bool any_bit_from(const unsigned char *bytes, size_t len, unsigned bit) {
  for (unsigned i = bit; i < 8 * len; i++)
    if (bit_at(bytes, i)) return true;
  return false;
}

// The magnitude in `len` bytes must fit in `width` bits, as MLIR has it: signless numbers may use
// the sign bit (255 : i8 is -1), signed ones may not.
static bool fits(const unsigned char *bytes, size_t len, unsigned width, bool negative,
                 bool is_signed, bool is_unsigned) {
  if (any_bit_from(bytes, len, width)) return false;
  if (width == 0) return true;
  bool top = bit_at(bytes, width - 1);
  if (!negative) return !(is_signed && top);
  if (is_unsigned) return !any_bit_from(bytes, len, 0);
  if (!top) return true;
  for (unsigned i = 0; i + 1 < width; i++)
    if (bit_at(bytes, i)) return false;
  return true;
}

static dl_attr integer_from_bytes(dl_type type, unsigned char *bytes, unsigned width,
                                  bool negative) {
  size_t len = (width + 7) / 8;
  if (negative) dl_negate_bytes(bytes, len);
  if (width > 64) {
    bool sign = type->signedness != DL_UNSIGNED && bit_at(bytes, width - 1);
    if (width % 8 && sign) bytes[len - 1] |= (unsigned char)(0xff << width % 8);
    if (width % 8 && !sign) bytes[len - 1] &= (unsigned char)(0xff >> (8 - width % 8));
    return dl_wide_attr(type, (dl_str){(const char *)bytes, len});
  }
  uint64_t value = 0;
  memcpy(&value, bytes, len);
  if (width == 0) return dl_int_attr(type, 0);
  unsigned unused = 64 - width;
  bool is_unsigned = type->kind == DL_TYPE_INTEGER && type->signedness == DL_UNSIGNED;
  return dl_int_attr(type, is_unsigned ? (int64_t)(value << unused >> unused)
                                       : (int64_t)(value << unused) >> unused);
}

dl_status dl_parse_integer_value(dl_parser *p, dl_type type, bool negative, dl_attr *attr) {
  bool is_index = dl_is_index(type), hex = is_hex(&p->token);
  unsigned width = is_index ? 64 : type->width;
  size_t len = width / 8 + 9;
  unsigned char small[32] = {0}, *bytes = len > sizeof small ? dl_calloc(len, 1) : small;
  bool ok = true;
  for (size_t i = hex ? 2 : 0; i < p->token.len && ok; i++)
    ok = append_digit(bytes, len, hex ? 16 : 10, digit_value(p->token.text[i]));
  bool is_signed = is_index || type->signedness == DL_SIGNED;
  bool is_unsigned = !is_index && type->signedness == DL_UNSIGNED;
  ok = ok && fits(bytes, len, width, negative, is_signed, is_unsigned);
  if (ok) *attr = integer_from_bytes(type, bytes, width, negative);
  if (bytes != small) free(bytes);
  if (!ok) return dl_p_error(p, "integer constant out of range for its type");
  dl_advance(p);
  return DL_OK;
}

// A hexadecimal integer stands for the bits of the float.
static dl_status float_from_bits(dl_parser *p, dl_type type, bool negative, dl_attr *attr) {
  if (negative || !is_hex(&p->token))
    return dl_p_error(p, "a float needs a decimal point (or 0x and its bits)");
  unsigned width = dl_float_width(type->float_kind);
  unsigned char bytes[32] = {0};
  bool ok = true;
  for (size_t i = 2; i < p->token.len && ok; i++)
    ok = append_digit(bytes, sizeof bytes, 16, digit_value(p->token.text[i]));
  if (!ok || any_bit_from(bytes, sizeof bytes, width))
    return dl_p_error(p, "too many bits for the float type");
  if (width > 64) {
    *attr = dl_wide_attr(type, (dl_str){(const char *)bytes, (width + 7) / 8});
  } else {
    uint64_t bits;
    memcpy(&bits, bytes, sizeof bits);
    *attr = dl_float_attr(type, dl_float_decode(type->float_kind, bits));
  }
  dl_advance(p);
  return DL_OK;
}

double dl_token_double(const dl_parser *p) {
  char small[64];
  size_t len = p->token.len;
  char *text = len < sizeof small ? small : dl_malloc(len + 1);
  memcpy(text, p->token.text, len);
  text[len] = 0;
  double value = strtod(text, NULL);
  if (text != small) free(text);
  return value;
}

dl_status dl_float_from_token(dl_parser *p, dl_type type, bool negative, dl_attr *attr) {
  if (p->token.kind == DL_TOK_INTEGER) return float_from_bits(p, type, negative, attr);
  double value = dl_token_double(p);
  *attr = dl_float_attr(type, negative ? -value : value);
  dl_advance(p);
  return DL_OK;
}
