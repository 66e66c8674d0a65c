#include "targets/onnx/wire.h"

bool dl_wire_varint(dl_wire *wire, uint64_t *value) {
  uint64_t result = 0;
  for (unsigned shift = 0; shift < 64 && wire->at < wire->end; shift += 7) {
    uint8_t byte = *wire->at++;
    result |= (uint64_t)(byte & 0x7f) << shift;
    if (!(byte & 0x80)) {
      *value = result;
      return true;
    }
  }
  return false;
}

static bool take(dl_wire *wire, uint64_t len, dl_str *bytes) {
  if (len > (uint64_t)(wire->end - wire->at)) return false;
  *bytes = (dl_str){(const char *)wire->at, len};
  wire->at += len;
  return true;
}

static bool take_fixed(dl_wire *wire, size_t width, dl_wire_field *field) {
  if (!take(wire, width, &field->bytes)) return false;
  for (size_t i = 0; i < width; i++)
    field->scalar |= (uint64_t)(uint8_t)field->bytes.data[i] << (8 * i);
  return true;
}

static bool read_payload(dl_wire *wire, dl_wire_field *field) {
  uint64_t len;
  switch (field->type) {
    case DL_WIRE_VARINT:
      return dl_wire_varint(wire, &field->scalar);
    case DL_WIRE_FIXED64:
      return take_fixed(wire, 8, field);
    case DL_WIRE_FIXED32:
      return take_fixed(wire, 4, field);
    case DL_WIRE_BYTES:
      return dl_wire_varint(wire, &len) && take(wire, len, &field->bytes);
  }
  return false;
}

dl_wire_step dl_wire_next(dl_wire *wire, dl_wire_field *field) {
  uint64_t key;
  if (wire->at == wire->end) return DL_WIRE_END;
  if (!dl_wire_varint(wire, &key)) return DL_WIRE_MALFORMED;
  *field = (dl_wire_field){.number = (uint32_t)(key >> 3), .type = (dl_wire_type)(key & 7)};
  if (field->number == 0 || key >> 3 > UINT32_MAX) return DL_WIRE_MALFORMED;
  return read_payload(wire, field) ? DL_WIRE_FIELD : DL_WIRE_MALFORMED;
}
