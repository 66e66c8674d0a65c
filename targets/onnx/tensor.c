#include "targets/onnx/tensor.h"

#include "targets/onnx/wire.h"

// Fields of TensorProto; those of the same element storage share `data_field`.
enum {
  FIELD_DIMS = 1,
  FIELD_TYPE = 2,
  FIELD_SEGMENT = 3,
  FIELD_FLOATS = 4,
  FIELD_INT32S = 5,
  FIELD_INT64S = 7,
  FIELD_NAME = 8,
  FIELD_RAW = 9,
  FIELD_DOUBLES = 10,
  FIELD_UINT64S = 11,
  FIELD_EXTERNAL = 13,
  FIELD_LOCATION = 14,
};

typedef struct element_type {
  const char *name;
  uint8_t bytes;        // per element, 0: not whole bytes
  uint8_t data_field;   // where elements lie that are not raw
  uint8_t value_bytes;  // of one value there; complex elements are two values
} element_type;

static const element_type types[] = {
    [DL_ONNX_UNDEFINED] = {"undefined", 0, 0, 0},
    [DL_ONNX_FLOAT] = {"float", 4, FIELD_FLOATS, 4},
    [DL_ONNX_UINT8] = {"uint8", 1, FIELD_INT32S, 1},
    [DL_ONNX_INT8] = {"int8", 1, FIELD_INT32S, 1},
    [DL_ONNX_UINT16] = {"uint16", 2, FIELD_INT32S, 2},
    [DL_ONNX_INT16] = {"int16", 2, FIELD_INT32S, 2},
    [DL_ONNX_INT32] = {"int32", 4, FIELD_INT32S, 4},
    [DL_ONNX_INT64] = {"int64", 8, FIELD_INT64S, 8},
    [DL_ONNX_STRING] = {"string", 0, 0, 0},
    [DL_ONNX_BOOL] = {"bool", 1, FIELD_INT32S, 1},
    [DL_ONNX_FLOAT16] = {"float16", 2, FIELD_INT32S, 2},
    [DL_ONNX_DOUBLE] = {"double", 8, FIELD_DOUBLES, 8},
    [DL_ONNX_UINT32] = {"uint32", 4, FIELD_UINT64S, 4},
    [DL_ONNX_UINT64] = {"uint64", 8, FIELD_UINT64S, 8},
    [DL_ONNX_COMPLEX64] = {"complex64", 8, FIELD_FLOATS, 4},
    [DL_ONNX_COMPLEX128] = {"complex128", 16, FIELD_DOUBLES, 8},
    [DL_ONNX_BFLOAT16] = {"bfloat16", 2, FIELD_INT32S, 2},
    [DL_ONNX_FLOAT8E4M3FN] = {"float8e4m3fn", 1, FIELD_INT32S, 1},
    [DL_ONNX_FLOAT8E4M3FNUZ] = {"float8e4m3fnuz", 1, FIELD_INT32S, 1},
    [DL_ONNX_FLOAT8E5M2] = {"float8e5m2", 1, FIELD_INT32S, 1},
    [DL_ONNX_FLOAT8E5M2FNUZ] = {"float8e5m2fnuz", 1, FIELD_INT32S, 1},
    [DL_ONNX_UINT4] = {"uint4", 0, 0, 0},
    [DL_ONNX_INT4] = {"int4", 0, 0, 0},
    [DL_ONNX_FLOAT4E2M1] = {"float4e2m1", 0, 0, 0},
    [DL_ONNX_FLOAT8E8M0] = {"float8e8m0", 1, FIELD_INT32S, 1},
    [DL_ONNX_UINT2] = {"uint2", 0, 0, 0},
    [DL_ONNX_INT2] = {"int2", 0, 0, 0},
};

static const char malformed[] = "is truncated or malformed";

static bool known(int32_t type) { return type > 0 && (size_t)type < DL_COUNT(types); }

const char *dl_onnx_type_name(int32_t type) {
  return known(type) ? types[type].name : "unknown type";
}

size_t dl_onnx_type_bytes(int32_t type) { return known(type) ? types[type].bytes : 0; }

// Calls `each` for every scalar of a repeated field, packed or not. False when malformed or
// refused.
typedef bool (*scalar_visit)(void *user, uint64_t value);
static bool for_scalars(const dl_wire_field *field, dl_wire_type packed_as, scalar_visit each,
                        void *user) {
  if (field->type != DL_WIRE_BYTES) return each(user, field->scalar);
  dl_wire wire = dl_wire_open(field->bytes);
  size_t width = packed_as == DL_WIRE_FIXED32 ? 4 : 8;
  while (wire.at < wire.end) {
    uint64_t value = 0;
    if (packed_as == DL_WIRE_VARINT) {
      if (!dl_wire_varint(&wire, &value)) return false;
    } else {
      if ((size_t)(wire.end - wire.at) < width) return false;
      memcpy(&value, wire.at, width);
      wire.at += width;
    }
    if (!each(user, value)) return false;
  }
  return true;
}

static bool push_dim(void *user, uint64_t value) {
  dl_onnx_tensor *tensor = user;
  if (tensor->rank == DL_ONNX_MAX_RANK) return false;
  tensor->dims[tensor->rank++] = (int64_t)value;
  return true;
}

static bool read_entry(dl_str message, dl_str *key, dl_str *value) {
  dl_wire wire = dl_wire_open(message);
  dl_wire_field field;
  dl_wire_step step;
  *key = *value = (dl_str){"", 0};
  while ((step = dl_wire_next(&wire, &field)) == DL_WIRE_FIELD) {
    if (field.type == DL_WIRE_BYTES && field.number == 1) *key = field.bytes;
    if (field.type == DL_WIRE_BYTES && field.number == 2) *value = field.bytes;
  }
  return step == DL_WIRE_END;
}

static bool parse_unsigned(dl_str text, uint64_t *value) {
  uint64_t result = 0;
  for (size_t i = 0; i < text.len; i++) {
    if (text.data[i] < '0' || text.data[i] > '9' || result > (UINT64_MAX - 9) / 10) return false;
    result = 10 * result + (uint64_t)(text.data[i] - '0');
  }
  *value = result;
  return text.len > 0;
}

static bool read_external(dl_onnx_tensor *tensor, dl_str message) {
  dl_str key, value;
  if (!read_entry(message, &key, &value)) return false;
  if (dl_str_is(key, "location")) tensor->location = value;
  if (dl_str_is(key, "offset")) return parse_unsigned(value, &tensor->offset);
  if (dl_str_is(key, "length")) return parse_unsigned(value, &tensor->length);
  return true;
}

// What the first walk finds about the elements, whose type may come only later in the message.
typedef struct data_fields {
  bool has_raw;
  dl_str raw;
  dl_str last;   // the last typed field's bytes
  size_t count;  // of typed fields
  size_t bytes;  // all typed fields together
} data_fields;

static bool read_field(dl_onnx_tensor *tensor, data_fields *data, const dl_wire_field *field) {
  switch (field->number) {
    case FIELD_DIMS:
      return for_scalars(field, DL_WIRE_VARINT, push_dim, tensor);
    case FIELD_TYPE:
      tensor->type = (int32_t)field->scalar;
      break;
    case FIELD_NAME:
      tensor->name = field->bytes;
      break;
    case FIELD_LOCATION:
      tensor->external = field->scalar == 1;
      break;
    case FIELD_EXTERNAL:
      return field->type == DL_WIRE_BYTES && read_external(tensor, field->bytes);
    case FIELD_RAW:
      data->has_raw = true;
      data->raw = field->bytes;
      return field->type == DL_WIRE_BYTES;
    case FIELD_SEGMENT:
      return false;
    case FIELD_FLOATS:
    case FIELD_INT32S:
    case FIELD_INT64S:
    case FIELD_DOUBLES:
    case FIELD_UINT64S:
      data->last = field->bytes;
      data->count++;
      data->bytes += field->type == DL_WIRE_BYTES ? field->bytes.len : 8;
      break;
    default:
      break;
  }
  return true;
}

static const char *count_elements(dl_onnx_tensor *tensor) {
  bool empty = false, overflow = false;
  tensor->num_elements = 1;
  for (size_t i = 0; i < tensor->rank; i++) {
    if (tensor->dims[i] < 0) return "has a negative dimension";
    empty |= tensor->dims[i] == 0;
  }
  for (size_t i = 0; i < tensor->rank && !empty && !overflow; i++)
    overflow = __builtin_mul_overflow(tensor->num_elements, tensor->dims[i], &tensor->num_elements);
  if (empty) tensor->num_elements = 0;
  if (overflow || tensor->num_elements > INT64_MAX / 16)
    return "has more elements than can be addressed";
  return NULL;
}

typedef struct decoder {
  uint8_t *at, *end;
  size_t width;
} decoder;

static bool push_value(void *user, uint64_t value) {
  decoder *d = user;
  if ((size_t)(d->end - d->at) < d->width) return false;
  memcpy(d->at, &value, d->width);
  d->at += d->width;
  return true;
}

static dl_wire_type encoding_of(uint32_t data_field) {
  if (data_field == FIELD_FLOATS) return DL_WIRE_FIXED32;
  return data_field == FIELD_DOUBLES ? DL_WIRE_FIXED64 : DL_WIRE_VARINT;
}

// Gathers the values of the typed field into memory of our own.
static const char *decode(dl_onnx_tensor *tensor, const element_type *type, dl_str message,
                          size_t size) {
  tensor->owned = dl_malloc(size);
  decoder d = {tensor->owned, (uint8_t *)tensor->owned + size, type->value_bytes};
  dl_wire wire = dl_wire_open(message);
  dl_wire_field field;
  while (dl_wire_next(&wire, &field) == DL_WIRE_FIELD)
    if (field.number == type->data_field &&
        !for_scalars(&field, encoding_of(type->data_field), push_value, &d))
      return "does not hold as many elements as its shape says";
  if (d.at != d.end) return "does not hold as many elements as its shape says";
  tensor->data = (dl_str){tensor->owned, size};
  return NULL;
}

static const char *find_elements(dl_onnx_tensor *tensor, dl_str message, const data_fields *data) {
  const element_type *type = &types[tensor->type];
  size_t size = (size_t)tensor->num_elements * type->bytes;
  bool fixed = encoding_of(type->data_field) != DL_WIRE_VARINT;
  if (data->has_raw || (fixed && data->count == 1 && data->last.len == size)) {
    tensor->data = data->has_raw ? data->raw : data->last;
    return tensor->data.len == size ? NULL
                                    : "does not hold as many bytes as its shape and type say";
  }
  if (size == 0) return NULL;
  // Every value takes a byte at least; so a wrong shape cannot make us allocate without bounds.
  if ((size_t)tensor->num_elements > data->bytes)
    return "does not hold as many elements as its shape says";
  return decode(tensor, type, message, size);
}

static const char *read_tensor(dl_str message, dl_onnx_tensor *tensor) {
  data_fields data = {0};
  dl_wire wire = dl_wire_open(message);
  dl_wire_field field;
  dl_wire_step step;
  while ((step = dl_wire_next(&wire, &field)) == DL_WIRE_FIELD)
    if (!read_field(tensor, &data, &field)) return malformed;
  if (step != DL_WIRE_END) return malformed;
  if (!known(tensor->type)) return "has an unknown element type";
  if (types[tensor->type].bytes == 0) return "has an element type that is not supported";
  const char *wrong = count_elements(tensor);
  if (wrong || tensor->external) return wrong;
  return find_elements(tensor, message, &data);
}

const char *dl_onnx_read_tensor(dl_str message, dl_onnx_tensor *tensor) {
  *tensor = (dl_onnx_tensor){.name = {"", 0}, .length = UINT64_MAX};
  const char *wrong = read_tensor(message, tensor);
  if (wrong) dl_onnx_release_tensor(tensor);
  return wrong;
}

void dl_onnx_release_tensor(dl_onnx_tensor *tensor) {
  free(tensor->owned);
  tensor->owned = NULL;
  tensor->data = (dl_str){"", 0};
}
