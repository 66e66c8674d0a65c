// ir/binary_internal.h: the layout of binary modules, shared by writer and reader. docs/binary.md
// describes it for other programs; a change here is a change there, and of the version.
#ifndef DLIR_IR_BINARY_INTERNAL_H
#define DLIR_IR_BINARY_INTERNAL_H

#include "ir/binary.h"
#include "ir/context_internal.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "constants are used as they lie in the file, which is little-endian");

#define DL_BINARY_MAGIC \
  "\x89"                \
  "DLBC\r\n\x1a"

enum {
  DL_BINARY_MAJOR = 1,
  DL_BINARY_MINOR = 0,
  DL_BINARY_ALIGNMENT = 64,        // of sections and constants
  DL_BINARY_SLACK = 16,            // bytes after every section, so that numbers are read in one go
  DL_BINARY_IN_PLACE = 64,         // smaller constants lie in the attribute table
  DL_BINARY_MAX_VALUES = 1 << 24,  // operands, and results, of one op
};

typedef enum dl_section_kind {
  DL_SECTION_STRINGS = 1,
  DL_SECTION_TYPES,
  DL_SECTION_ATTRS,
  DL_SECTION_LOCS,
  DL_SECTION_FORMS,
  DL_SECTION_BODIES,  // where each body lies in CODE
  DL_SECTION_CODE,
  DL_SECTION_RESOURCES,
  DL_SECTION_DATA,
  DL_NUM_SECTIONS,  // kinds + 1
} dl_section_kind;

enum { DL_SECTION_OPTIONAL = 1 };  // flag: readers that do not know the kind step over it

typedef struct dl_binary_header {
  char magic[8];
  uint16_t major, minor;
  uint32_t num_sections;
  uint64_t file_size;
  uint64_t checksum;  // of the header with 0 here, and of the section table
  uint64_t reserved[4];
} dl_binary_header;
_Static_assert(sizeof(dl_binary_header) == 64, "part of the format");

typedef struct dl_binary_section {
  uint32_t kind, flags;
  uint64_t offset, size, checksum;  // CODE: the checksum is 0, each body has its own
} dl_binary_section;
_Static_assert(sizeof(dl_binary_section) == 32, "part of the format");

typedef struct dl_binary_body {
  uint64_t offset, size, checksum;  // the offset counts from the section's start
} dl_binary_body;

// How an attribute is stored.
typedef enum dl_attr_record {
  DL_RECORD_TEXT,  // string: as in the textual form
  DL_RECORD_UNIT,
  DL_RECORD_INTEGER,        // type, zigzag value; up to 64 bits
  DL_RECORD_FLOAT,          // type, bits of the double; up to 64 bits
  DL_RECORD_STRING,         // string
  DL_RECORD_TYPE,           // type
  DL_RECORD_ARRAY,          // count, attributes
  DL_RECORD_DICT,           // count, (string, attribute)
  DL_RECORD_SYMBOL,         // string
  DL_RECORD_DENSE,          // type, splat, size, bytes
  DL_RECORD_DENSE_IN_DATA,  // type, splat, size, offset in DATA
  DL_RECORD_DENSE_ARRAY,    // type, count, bytes
  DL_RECORD_RESOURCE,       // type, string
  DL_NUM_RECORDS,
} dl_attr_record;

// How the place of an op or an argument is given: the low two bits of a number say how, the others
// hold the rest.
typedef enum dl_place_code {
  DL_PLACE_IN_TABLE,  // a location; rest: its index
  DL_PLACE_SAME,      // the place before
  DL_PLACE_NEAR,      // a position in the file of the last position; rest: zigzag of the lines
                      // between; then the column
  DL_PLACE_FAR,       // a position; rest: string of the path; then line and column
} dl_place_code;

enum { DL_FORM_ISOLATED = 1 };  // flag: the regions are a body of their own

static inline uint64_t dl_zigzag(int64_t value) {
  return (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
}
static inline int64_t dl_unzigzag(uint64_t code) {
  return (int64_t)(code >> 1) ^ -(int64_t)(code & 1);
}

uint64_t dl_binary_checksum(const void *bytes, size_t size);

// Numbers take one to nine bytes. The zeros below the lowest one bit of the first byte say how many
// bytes follow; the bits above it, and those bytes, are the number, little-endian.
void dl_put(dl_buffer *out, uint64_t value);

typedef struct dl_bytes {
  const uint8_t *at, *end;  // DL_BINARY_SLACK bytes can be read behind the end
  bool failed;              // a number was asked for at the end
} dl_bytes;

static inline uint64_t dl_get(dl_bytes *in) {
  if (__builtin_expect(in->at >= in->end, 0)) {
    in->failed = true;
    return 0;
  }
  uint64_t word;
  memcpy(&word, in->at, sizeof(word));
  if (word & 1) {
    in->at++;
    return (word & 0xff) >> 1;
  }
  unsigned more = (unsigned)__builtin_ctz((unsigned)word | 0x100);
  in->at += more + 1;
  if (more >= 7) {
    memcpy(&word, in->at - 8, sizeof(word));
    return more == 7 ? word >> 8 : word;
  }
  return (word & (((uint64_t)1 << 8 * (more + 1)) - 1)) >> (more + 1);
}

static inline size_t dl_bytes_left(const dl_bytes *in) {
  return in->at < in->end ? (size_t)(in->end - in->at) : 0;
}

#endif
