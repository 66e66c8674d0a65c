// Printing of the elements of dense attributes: nested lists, or hex for large ones.

#include <inttypes.h>

#include "ir/text_internal.h"

// As mlir-opt does by default.
enum { HEX_THRESHOLD = 100 };

typedef struct elements {
  dl_printer *o;
  dl_type scalar;  // the element type, or the part of a complex one
  bool complex;
  const char *bytes;
  size_t part_bytes;  // of a scalar
  size_t next;        // index of the next scalar
} elements;

static void write_integer_part(elements *e, const char *at) {
  dl_type type = e->scalar;
  bool is_signed = type->kind == DL_TYPE_INDEX || type->signedness != DL_UNSIGNED;
  if (type->kind == DL_TYPE_INTEGER && type->width == 1 && type->signedness == DL_SIGNLESS) {
    dl_buffer_puts(e->o->out, *at ? "true" : "false");
    return;
  }
  if (e->part_bytes > 8) {
    dl_write_wide_int(e->o->out, (dl_str){at, e->part_bytes}, is_signed);
    return;
  }
  uint64_t bits = 0;
  memcpy(&bits, at, e->part_bytes);
  unsigned width = type->kind == DL_TYPE_INDEX ? 64 : type->width, unused = 64 - width;
  if (is_signed)
    dl_buffer_printf(e->o->out, "%" PRId64, (int64_t)(bits << unused) >> unused);
  else
    dl_buffer_printf(e->o->out, "%" PRIu64, bits << unused >> unused);
}

static void write_part(elements *e) {
  const char *at = e->bytes + e->next++ * e->part_bytes;
  if (!dl_is_float(e->scalar)) {
    write_integer_part(e, at);
  } else if (e->part_bytes > 8) {
    dl_buffer_puts(e->o->out, "0x");
    for (size_t i = e->part_bytes; i-- > 0;) dl_write_hex(e->o->out, (dl_str){at + i, 1});
  } else {
    uint64_t bits = 0;
    memcpy(&bits, at, e->part_bytes);
    dl_write_float_bits(e->o->out, e->scalar->float_kind, bits);
  }
}

static void write_element(elements *e) {
  if (!e->complex) {
    write_part(e);
    return;
  }
  dl_buffer_putc(e->o->out, '(');
  write_part(e);
  dl_buffer_putc(e->o->out, ',');
  write_part(e);
  dl_buffer_putc(e->o->out, ')');
}

static void write_list(elements *e, dl_type type, size_t dim) {
  if (dim == type->rank) {
    write_element(e);
    return;
  }
  dl_buffer_putc(e->o->out, '[');
  for (int64_t i = 0; i < type->shape[dim]; i++) {
    if (i) dl_buffer_puts(e->o->out, ", ");
    write_list(e, type, dim + 1);
  }
  dl_buffer_putc(e->o->out, ']');
}

// In hex, i1 elements are packed eight to a byte, the first in the lowest bit.
static void write_packed_bits(dl_buffer *out, dl_str elements) {
  for (size_t i = 0; i < elements.len; i += 8) {
    unsigned char byte = 0;
    for (size_t bit = 0; bit < 8 && i + bit < elements.len; bit++)
      byte |= (unsigned char)((elements.data[i + bit] & 1) << bit);
    dl_write_hex(out, (dl_str){(const char *)&byte, 1});
  }
}

void dl_write_dense_body(dl_printer *o, dl_attr attr) {
  dl_type element = attr->type->element;
  elements e = {.o = o, .scalar = element, .bytes = attr->bytes.data};
  e.complex = element->kind == DL_TYPE_COMPLEX;
  if (e.complex) e.scalar = element->element;
  e.part_bytes = dl_element_bytes(e.scalar);
  int64_t count = dl_num_elements(attr->type);
  if (count == 0) return;
  if (attr->splat) {
    write_element(&e);
  } else if (count > HEX_THRESHOLD) {
    dl_buffer_puts(o->out, "\"0x");
    if (e.scalar->kind == DL_TYPE_INTEGER && e.scalar->width == 1)
      write_packed_bits(o->out, attr->bytes);
    else
      dl_write_hex(o->out, attr->bytes);
    dl_buffer_putc(o->out, '"');
  } else {
    write_list(&e, attr->type, 0);
  }
}
