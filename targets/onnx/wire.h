// targets/onnx/wire.h: reads protobuf's wire format in place, without copying or allocating. Every
// access is checked against the end of the message.
#ifndef DLIR_TARGETS_ONNX_WIRE_H
#define DLIR_TARGETS_ONNX_WIRE_H

#include "ir/base.h"

typedef struct dl_wire {
  const uint8_t *at, *end;
} dl_wire;

typedef enum dl_wire_type {
  DL_WIRE_VARINT = 0,
  DL_WIRE_FIXED64 = 1,
  DL_WIRE_BYTES = 2,
  DL_WIRE_FIXED32 = 5,
} dl_wire_type;

typedef struct dl_wire_field {
  uint32_t number;
  dl_wire_type type;
  uint64_t scalar;  // VARINT, FIXED32, FIXED64
  dl_str bytes;     // BYTES, FIXED32, FIXED64: where they lie in the message
} dl_wire_field;

typedef enum dl_wire_step { DL_WIRE_END, DL_WIRE_FIELD, DL_WIRE_MALFORMED } dl_wire_step;

static inline dl_wire dl_wire_open(dl_str bytes) {
  const uint8_t *at = (const uint8_t *)bytes.data;
  return (dl_wire){at, at + bytes.len};
}

// Reads the next field of a message. Groups, long gone from protobuf, count as malformed.
dl_wire_step dl_wire_next(dl_wire *wire, dl_wire_field *field);

// Reads one varint; false at the end of the input or if it is longer than 64 bits.
bool dl_wire_varint(dl_wire *wire, uint64_t *value);

#endif
