// npy.c: NumPy's file format (numpy.lib.format).
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "tools/common/tensor.h"

typedef struct npy_type {
  const char *descr;
  uint8_t code, bits;
} npy_type;

static const npy_type types[] = {
    {"<f4", kDLFloat, 32},  {"<f8", kDLFloat, 64},      {"<f2", kDLFloat, 16},
    {"|V2", kDLBfloat, 16}, {"|b1", DLIR_BOOL_CODE, 8}, {"|i1", kDLInt, 8},
    {"|u1", kDLUInt, 8},    {"<i2", kDLInt, 16},        {"<u2", kDLUInt, 16},
    {"<i4", kDLInt, 32},    {"<u4", kDLUInt, 32},       {"<i8", kDLInt, 64},
    {"<u8", kDLUInt, 64},
};

enum { MAX_RANK = 64, MAX_HEADER = 1 << 20 };

typedef struct npy_header {
  DLDataType dtype;
  bool fortran;
  int32_t rank;
  int64_t shape[MAX_RANK];
} npy_header;

static bool fail(dl_buffer *why, const char *path, const char *reason) {
  dl_buffer_printf(why, "'%s': %s", path, reason);
  return false;
}

// --- the header's dictionary: {'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), } ---

// What follows `'key':`, or NULL.
static const char *entry(const char *header, const char *key) {
  char quoted[32];
  snprintf(quoted, sizeof(quoted), "'%s'", key);
  const char *at = strstr(header, quoted);
  if (!at) return NULL;
  at += strlen(quoted);
  while (isspace((unsigned char)*at)) at++;
  if (*at++ != ':') return NULL;
  while (isspace((unsigned char)*at)) at++;
  return at;
}

static bool parse_descr(const char *at, DLDataType *dtype) {
  if (!at || *at++ != '\'') return false;
  size_t len = strcspn(at, "'");
  for (size_t i = 0; i < DL_COUNT(types); i++) {
    if (strlen(types[i].descr) != len || memcmp(types[i].descr, at, len)) continue;
    *dtype = (DLDataType){types[i].code, types[i].bits, 1};
    return true;
  }
  return false;
}

static bool parse_shape(const char *at, npy_header *h) {
  if (!at || *at++ != '(') return false;
  for (;;) {
    while (isspace((unsigned char)*at) || *at == ',') at++;
    if (*at == ')') return true;
    char *end;
    errno = 0;
    long long size = strtoll(at, &end, 10);
    if (end == at || errno || size < 0 || h->rank == MAX_RANK) return false;
    h->shape[h->rank++] = size;
    at = end;
  }
}

static bool parse_header(const char *path, const char *text, npy_header *h, dl_buffer *why) {
  *h = (npy_header){0};
  if (!parse_descr(entry(text, "descr"), &h->dtype))
    return fail(why, path, "elements of this type (or byte order) are not supported");
  const char *order = entry(text, "fortran_order");
  if (!order || !parse_shape(entry(text, "shape"), h))
    return fail(why, path, "the header is damaged");
  h->fortran = !strncmp(order, "True", 4);
  return true;
}

// --- reading ---

static char *read_header(FILE *file, const char *path, dl_buffer *why) {
  unsigned char start[12];
  if (fread(start, 1, 8, file) != 8 || memcmp(start, "\x93NUMPY", 6))
    return fail(why, path, "this is no .npy file"), NULL;
  unsigned wide = start[6] > 1 ? 4 : 2;
  if (start[6] < 1 || start[6] > 3) return fail(why, path, "a later version of .npy"), NULL;
  if (fread(start + 8, 1, wide, file) != wide) return fail(why, path, "the file ends early"), NULL;
  uint32_t len = (uint32_t)start[8] | (uint32_t)start[9] << 8;
  if (wide == 4) len |= (uint32_t)start[10] << 16 | (uint32_t)start[11] << 24;
  if (len > MAX_HEADER) return fail(why, path, "the header is damaged"), NULL;
  char *text = dl_calloc(len + 1, 1);
  if (fread(text, 1, len, file) == len) return text;
  free(text);
  return fail(why, path, "the file ends early"), NULL;
}

static void set_fortran_strides(tensor *t) {
  t->dl.strides = dl_calloc((size_t)t->dl.ndim + 1, sizeof(int64_t));
  int64_t stride = 1;
  for (int32_t i = 0; i < t->dl.ndim; i++) {
    t->dl.strides[i] = stride;
    stride *= t->dl.shape[i];
  }
}

// The size is checked against the file's before memory is taken.
static bool read_elements(FILE *file, const char *path, const npy_header *h, tensor *t,
                          dl_buffer *why) {
  long start = ftell(file);
  if (start < 0 || fseek(file, 0, SEEK_END)) return fail(why, path, strerror(errno));
  int64_t available = ftell(file) - start, bytes = (int64_t)tensor_element_bytes(h->dtype);
  for (int32_t i = 0; i < h->rank; i++)
    if (__builtin_mul_overflow(bytes, h->shape[i], &bytes)) bytes = INT64_MAX;
  if (bytes > available) return fail(why, path, "the file ends early");
  if (fseek(file, start, SEEK_SET) || !tensor_create(t, h->dtype, h->rank, h->shape))
    return fail(why, path, "out of memory");
  if (fread(t->dl.data, 1, (size_t)bytes, file) != (size_t)bytes) {
    tensor_free(t);
    return fail(why, path, "cannot be read");
  }
  if (h->fortran) set_fortran_strides(t);
  return true;
}

bool npy_read(const char *path, tensor *t, dl_buffer *why) {
  FILE *file = fopen(path, "rb");
  if (!file) return fail(why, path, strerror(errno));
  npy_header header;
  char *text = read_header(file, path, why);
  bool ok =
      text && parse_header(path, text, &header, why) && read_elements(file, path, &header, t, why);
  free(text);
  fclose(file);
  return ok;
}

// --- writing ---

static const char *descr_of(DLDataType dtype) {
  for (size_t i = 0; i < DL_COUNT(types); i++)
    if (types[i].code == dtype.code && types[i].bits == dtype.bits) return types[i].descr;
  return NULL;
}

static void header_text(const DLTensor *t, dl_buffer *text) {
  enum { PREAMBLE = 10, BLOCK = 64 };
  dl_buffer_printf(text, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr_of(t->dtype));
  for (int32_t i = 0; i < t->ndim; i++)
    dl_buffer_printf(text, "%s%lld", i ? ", " : "", (long long)t->shape[i]);
  dl_buffer_puts(text, t->ndim == 1 ? ",), }" : "), }");
  while ((PREAMBLE + text->len + 1) % BLOCK) dl_buffer_putc(text, ' ');
  dl_buffer_putc(text, '\n');
}

static bool write_npy(FILE *file, const dl_buffer *header, const void *data, size_t bytes) {
  const unsigned char start[] = {0x93,
                                 'N',
                                 'U',
                                 'M',
                                 'P',
                                 'Y',
                                 1,
                                 0,
                                 (unsigned char)(header->len & 255),
                                 (unsigned char)(header->len >> 8)};
  return fwrite(start, sizeof(start), 1, file) == 1 &&
         fwrite(header->data, header->len, 1, file) == 1 &&
         (!bytes || fwrite(data, bytes, 1, file) == 1);
}

bool npy_write(const char *path, dl_temporaries *temporaries, const DLTensor *t, dl_buffer *why) {
  if (!descr_of(t->dtype)) return fail(why, path, "elements of this type have no .npy form");
  dl_buffer header = {0};
  header_text(t, &header);
  size_t bytes = (size_t)tensor_elements(t) * tensor_element_bytes(t->dtype);
  dl_output_file out;
  bool ok = dl_output_open(&out, temporaries, path);
  if (ok) {
    write_npy(out.file, &header, (const char *)t->data + t->byte_offset, bytes);
    ok = dl_output_close(&out, true);
  }
  int error = errno;
  dl_buffer_free(&header);
  return ok || fail(why, path, strerror(error));
}
