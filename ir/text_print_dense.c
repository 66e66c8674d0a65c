// Printing of the elements of dense attributes: nested lists, or hex for large ones.

#include "ir/text_internal.h"

// As mlir-opt does by default.
enum { HEX_THRESHOLD = 100 };

typedef struct elements {
  dl_printer *o;
  dl_type scalar;  // the element type, or the part of a complex one
  bool complex;
  const char *bytes;
  const dl_attr *strings;  // instead of numbers
  size_t part_bytes;       // of a scalar
  size_t next;             // index of the next scalar
} elements;

static void write_part(elements *e) {
  dl_write_number(e->o->out, e->scalar, e->bytes + e->next++ * e->part_bytes);
}

static void write_element(elements *e) {
  if (e->strings) {
    dl_write_string(e->o->out, e->strings[e->next++]->bytes);
    return;
  }
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

static void write_hex_elements(elements *e, dl_str bytes) {
  size_t size = dl_hex_bytes(e->scalar);
  if (size == e->part_bytes) {
    dl_write_hex(e->o->out, bytes);
    return;
  }
  for (size_t at = 0; at < bytes.len; at += e->part_bytes)
    dl_write_hex(e->o->out, (dl_str){bytes.data + at, size});
}

void dl_write_dense_body(dl_printer *o, dl_attr attr) {
  dl_type element = attr->type->element;
  elements e = {.o = o, .scalar = element, .bytes = attr->bytes.data, .strings = attr->elements};
  e.complex = element->kind == DL_TYPE_COMPLEX;
  if (e.complex) e.scalar = element->element;
  e.part_bytes = dl_element_bytes(e.scalar);
  int64_t count = dl_num_elements(attr->type);
  if (count == 0) return;
  if (attr->splat) {
    write_element(&e);
  } else if (count > HEX_THRESHOLD && !e.strings) {
    dl_buffer_puts(o->out, "\"0x");
    if (!e.complex && e.scalar->kind == DL_TYPE_INTEGER && e.scalar->width == 1)
      write_packed_bits(o->out, attr->bytes);
    else
      write_hex_elements(&e, attr->bytes);
    dl_buffer_putc(o->out, '"');
  } else {
    write_list(&e, attr->type, 0);
  }
}
