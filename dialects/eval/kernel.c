#include "dialects/eval/kernel.h"

#include "ir/floats.h"

// --- bringing results to their type ---

static void wrap_signed(int64_t *lanes, unsigned unused, size_t count) {
  for (size_t i = 0; i < count; i++) lanes[i] = (int64_t)((uint64_t)lanes[i] << unused) >> unused;
}

static void wrap_unsigned(int64_t *lanes, unsigned unused, size_t count) {
  for (size_t i = 0; i < count; i++) lanes[i] = (int64_t)((uint64_t)lanes[i] << unused >> unused);
}

static void round_lanes(dl_float_kind kind, float *lanes, size_t count) {
  for (size_t i = 0; i < count; i++) lanes[i] = (float)dl_float_round(kind, lanes[i]);
}

static void normalize(dl_type type, void *lanes, size_t count) {
  if (type->kind == DL_TYPE_FLOAT) {
    if (dl_float_width(type->float_kind) < 32) round_lanes(type->float_kind, lanes, count);
  } else if (type->kind == DL_TYPE_INTEGER && type->width < 64) {
    unsigned unused = 64 - type->width;
    if (type->signedness == DL_UNSIGNED || type->width == 1) {
      wrap_unsigned(lanes, unused, count);
    } else {
      wrap_signed(lanes, unused, count);
    }
  }
}

void dl_kernel_run(const dl_kernel *kernel, void *out, const void *const *in, size_t count) {
  kernel->run(kernel, out, in, count);
  normalize(kernel->to, out, count);
}

// --- noise ---

uint64_t dl_random(uint64_t *state) {
  uint64_t z = *state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

// -1, 0 or 1, with the probabilities 1/4, 1/2, 1/4.
static int64_t random_step(uint64_t *state) {
  uint64_t bits = dl_random(state);
  return (int64_t)(bits & 1) - (int64_t)(bits >> 1 & 1);
}

// Neighbouring numbers of one sign have neighbouring bit patterns. Zeros, and what is next to zero
// or infinity, stay.
static void perturb_f32(float *lanes, size_t count, unsigned unit, uint64_t *state) {
  for (size_t i = 0; i < count; i++) {
    int32_t bits;
    memcpy(&bits, &lanes[i], sizeof(bits));
    uint32_t magnitude = (uint32_t)bits & 0x7fffffff;
    if (magnitude < 0x00800000u + unit || magnitude > 0x7f000000u) continue;
    bits += (int32_t)(random_step(state) * (int64_t)unit);
    memcpy(&lanes[i], &bits, sizeof(bits));
  }
}

static void perturb_f64(double *lanes, size_t count, uint64_t *state) {
  for (size_t i = 0; i < count; i++) {
    int64_t bits;
    memcpy(&bits, &lanes[i], sizeof(bits));
    uint64_t magnitude = (uint64_t)bits & INT64_MAX;
    if (magnitude < 0x0010000000000001u || magnitude > 0x7fe0000000000000u) continue;
    bits += random_step(state);
    memcpy(&lanes[i], &bits, sizeof(bits));
  }
}

void dl_lanes_perturb(dl_type type, void *lanes, size_t count, uint64_t *state) {
  if (type->float_kind == DL_F64) {
    perturb_f64(lanes, count, state);
  } else {
    unsigned unit = type->float_kind == DL_F16    ? 1u << 13
                    : type->float_kind == DL_BF16 ? 1u << 16
                                                  : 1;
    perturb_f32(lanes, count, unit, state);
  }
}

// --- memory ---

#define LOAD(name, lane, stored)                                                       \
  static void load_##name(lane *restrict lanes, const stored *memory, int64_t stride,  \
                          size_t count) {                                              \
    if (stride == 1) {                                                                 \
      for (size_t i = 0; i < count; i++) lanes[i] = (lane)memory[i];                   \
    } else {                                                                           \
      for (size_t i = 0; i < count; i++) lanes[i] = (lane)memory[(int64_t)i * stride]; \
    }                                                                                  \
  }
#define STORE(name, lane, stored)                                                      \
  static void store_##name(const lane *lanes, stored *restrict memory, int64_t stride, \
                           size_t count) {                                             \
    for (size_t i = 0; i < count; i++) memory[(int64_t)i * stride] = (stored)lanes[i]; \
  }

LOAD(f32, float, float)
LOAD(f64, double, double)
LOAD(i8, int64_t, int8_t)
LOAD(u8, int64_t, uint8_t)
LOAD(i16, int64_t, int16_t)
LOAD(u16, int64_t, uint16_t)
LOAD(i32, int64_t, int32_t)
LOAD(u32, int64_t, uint32_t)
LOAD(i64, int64_t, int64_t)
STORE(f32, float, float)
STORE(f64, double, double)
STORE(i8, int64_t, int8_t)
STORE(i16, int64_t, int16_t)
STORE(i32, int64_t, int32_t)
STORE(i64, int64_t, int64_t)

static void load_ints(dl_type type, void *lanes, const void *memory, int64_t stride, size_t count) {
  bool is_unsigned =
      type->kind == DL_TYPE_INTEGER && (type->signedness == DL_UNSIGNED || type->width == 1);
  switch (dl_element_bytes(type)) {
    case 1:
      is_unsigned ? load_u8(lanes, memory, stride, count) : load_i8(lanes, memory, stride, count);
      break;
    case 2:
      is_unsigned ? load_u16(lanes, memory, stride, count) : load_i16(lanes, memory, stride, count);
      break;
    case 4:
      is_unsigned ? load_u32(lanes, memory, stride, count) : load_i32(lanes, memory, stride, count);
      break;
    default:
      load_i64(lanes, memory, stride, count);
  }
}

static void load_narrow_floats(dl_float_kind kind, float *lanes, const char *memory, int64_t stride,
                               size_t count) {
  int64_t bytes = dl_float_width(kind) <= 8 ? 1 : dl_float_width(kind) <= 16 ? 2 : 4;
  for (size_t i = 0; i < count; i++)
    lanes[i] = (float)dl_float_load(kind, memory + (int64_t)i * stride * bytes);
}

void dl_lanes_load(dl_type element, void *lanes, const void *memory, int64_t stride, size_t count) {
  if (element->kind != DL_TYPE_FLOAT) {
    load_ints(element, lanes, memory, stride, count);
  } else if (element->float_kind == DL_F32) {
    load_f32(lanes, memory, stride, count);
  } else if (element->float_kind == DL_F64) {
    load_f64(lanes, memory, stride, count);
  } else {
    load_narrow_floats(element->float_kind, lanes, memory, stride, count);
  }
}

static void store_ints(dl_type type, const void *lanes, void *memory, int64_t stride,
                       size_t count) {
  switch (dl_element_bytes(type)) {
    case 1:
      store_i8(lanes, memory, stride, count);
      break;
    case 2:
      store_i16(lanes, memory, stride, count);
      break;
    case 4:
      store_i32(lanes, memory, stride, count);
      break;
    default:
      store_i64(lanes, memory, stride, count);
  }
}

static void store_narrow_floats(dl_float_kind kind, const float *lanes, char *memory,
                                int64_t stride, size_t count) {
  int64_t bytes = dl_float_width(kind) <= 8 ? 1 : dl_float_width(kind) <= 16 ? 2 : 4;
  for (size_t i = 0; i < count; i++)
    dl_float_store(kind, lanes[i], memory + (int64_t)i * stride * bytes);
}

void dl_lanes_store(dl_type element, const void *lanes, void *memory, int64_t stride,
                    size_t count) {
  if (element->kind != DL_TYPE_FLOAT) {
    store_ints(element, lanes, memory, stride, count);
  } else if (element->float_kind == DL_F32) {
    store_f32(lanes, memory, stride, count);
  } else if (element->float_kind == DL_F64) {
    store_f64(lanes, memory, stride, count);
  } else {
    store_narrow_floats(element->float_kind, lanes, memory, stride, count);
  }
}

void dl_lanes_fill(dl_lane lane, void *lanes, dl_scalar_value value, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (lane == DL_LANE_F32) ((float *)lanes)[i] = value.f;
    if (lane == DL_LANE_F64) ((double *)lanes)[i] = value.d;
    if (lane == DL_LANE_INT) ((int64_t *)lanes)[i] = value.i;
  }
}

// --- attributes ---

dl_scalar_value dl_scalar_of_attr(dl_attr attr, dl_type type) {
  bool is_float = attr->kind == DL_ATTR_FLOAT;
  switch (dl_lane_of(type)) {
    case DL_LANE_F32:
      return (dl_scalar_value){.f = is_float ? (float)attr->number : (float)attr->integer};
    case DL_LANE_F64:
      return (dl_scalar_value){.d = is_float ? attr->number : (double)attr->integer};
    default:
      return (dl_scalar_value){.i = is_float ? (int64_t)attr->number : attr->integer};
  }
}

dl_attr dl_attr_of_scalar(dl_type type, dl_scalar_value value) {
  switch (dl_lane_of(type)) {
    case DL_LANE_F32:
      return dl_float_attr(type, value.f);
    case DL_LANE_F64:
      return dl_float_attr(type, value.d);
    default:
      return dl_int_attr(type, value.i);
  }
}
