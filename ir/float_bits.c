// Conversion between double and the bits of every float type of up to 64 bits, by one table of
// formats.

#include "ir/types.h"

typedef enum specials {
  IEEE,          // all-ones exponent: infinity and NaN
  NAN_ONES,      // all ones is NaN, no infinity
  NAN_NEG_ZERO,  // the bits of -0 are the only NaN, no infinity
  FINITE,        // neither
  SCALE,         // an unsigned power of two; all ones is NaN, no zero
} specials;

typedef struct float_format {
  unsigned exponent_bits, mantissa_bits;
  int bias;
  specials specials;
} float_format;

static const float_format formats[] = {
    [DL_F16] = {5, 10, 15, IEEE},
    [DL_BF16] = {8, 7, 127, IEEE},
    [DL_F32] = {8, 23, 127, IEEE},
    [DL_F64] = {11, 52, 1023, IEEE},
    [DL_TF32] = {8, 10, 127, IEEE},
    [DL_F8E5M2] = {5, 2, 15, IEEE},
    [DL_F8E4M3] = {4, 3, 7, IEEE},
    [DL_F8E4M3FN] = {4, 3, 7, NAN_ONES},
    [DL_F8E5M2FNUZ] = {5, 2, 16, NAN_NEG_ZERO},
    [DL_F8E4M3FNUZ] = {4, 3, 8, NAN_NEG_ZERO},
    [DL_F8E4M3B11FNUZ] = {4, 3, 11, NAN_NEG_ZERO},
    [DL_F8E3M4] = {3, 4, 3, IEEE},
    [DL_F8E8M0FNU] = {8, 0, 127, SCALE},
    [DL_F6E2M3FN] = {2, 3, 1, FINITE},
    [DL_F6E3M2FN] = {3, 2, 3, FINITE},
    [DL_F4E2M1FN] = {2, 1, 1, FINITE},
};

static uint64_t ones(unsigned count) { return count == 64 ? ~0ull : (1ull << count) - 1; }

static uint64_t magnitude_ones(const float_format *f) {
  return ones(f->exponent_bits + f->mantissa_bits);
}

static uint64_t sign_bit(const float_format *f) {
  return 1ull << (f->exponent_bits + f->mantissa_bits);
}

static uint64_t encode_nan(const float_format *f, uint64_t bits, uint64_t sign) {
  switch (f->specials) {
    case IEEE: {
      uint64_t payload = (bits & ones(52)) >> (52 - f->mantissa_bits);
      if (payload == 0) payload = 1ull << (f->mantissa_bits - 1);
      return sign | ones(f->exponent_bits) << f->mantissa_bits | payload;
    }
    case NAN_ONES:
      return sign | magnitude_ones(f);
    case NAN_NEG_ZERO:
      return sign_bit(f);
    case SCALE:
      return magnitude_ones(f);
    case FINITE:
      break;
  }
  return sign | magnitude_ones(f);
}

static uint64_t encode_overflow(const float_format *f, uint64_t sign) {
  switch (f->specials) {
    case IEEE:
      return sign | ones(f->exponent_bits) << f->mantissa_bits;
    case FINITE:
      return sign | magnitude_ones(f);
    default:
      return encode_nan(f, 0, sign);
  }
}

// The largest magnitude that is a number.
static uint64_t max_finite(const float_format *f) {
  switch (f->specials) {
    case IEEE:
      return (ones(f->exponent_bits) << f->mantissa_bits) - 1;
    case NAN_ONES:
    case SCALE:
      return magnitude_ones(f) - 1;
    default:
      return magnitude_ones(f);
  }
}

static uint64_t round_shift(uint64_t value, unsigned shift) {
  if (shift == 0) return value;
  if (shift > 62) return 0;
  uint64_t half = 1ull << (shift - 1), rest = value & ones(shift);
  uint64_t result = value >> shift;
  return result + (rest > half || (rest == half && (result & 1)));
}

// A power of two without mantissa: ties go to the even exponent field, as in the general case.
static uint64_t encode_scale(const float_format *f, int exponent, uint64_t mantissa) {
  int64_t field = exponent + f->bias;
  uint64_t half = 1ull << 51;
  field += mantissa > half || (mantissa == half && (field & 1));
  if (field < 0) return 0;
  return (uint64_t)field > max_finite(f) ? magnitude_ones(f) : (uint64_t)field;
}

uint64_t dl_float_encode(dl_float_kind kind, double value) {
  const float_format *f = &formats[kind];
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  if (kind == DL_F64) return bits;
  bool negative = bits >> 63;
  uint64_t sign = negative ? sign_bit(f) : 0, mantissa = bits & ones(52);
  int exponent = (int)(bits >> 52 & 0x7ff);
  if (exponent == 0x7ff) return mantissa ? encode_nan(f, bits, sign) : encode_overflow(f, sign);
  if (f->specials == SCALE) {
    if (negative) return magnitude_ones(f);
    return encode_scale(f, exponent - 1023, mantissa);
  }
  if (exponent == 0) return f->specials == NAN_NEG_ZERO ? 0 : sign;  // far below every subnormal
  int field = exponent - 1023 + f->bias;
  unsigned drop = 52 - f->mantissa_bits;
  uint64_t magnitude;
  if (field >= 1)
    magnitude = round_shift((uint64_t)field << 52 | mantissa, drop);
  else
    magnitude = round_shift(mantissa | 1ull << 52, drop + (unsigned)(1 - field));
  if (magnitude > max_finite(f)) return encode_overflow(f, sign);
  return magnitude == 0 && f->specials == NAN_NEG_ZERO ? 0 : sign | magnitude;
}

static bool is_nan_bits(const float_format *f, uint64_t bits) {
  uint64_t magnitude = bits & magnitude_ones(f);
  switch (f->specials) {
    case IEEE:
      return magnitude > ones(f->exponent_bits) << f->mantissa_bits;
    case NAN_ONES:
    case SCALE:
      return magnitude == magnitude_ones(f);
    case NAN_NEG_ZERO:
      return bits == sign_bit(f);
    case FINITE:
      break;
  }
  return false;
}

static double from_bits(uint64_t bits) {
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

double dl_float_decode(dl_float_kind kind, uint64_t bits) {
  const float_format *f = &formats[kind];
  if (kind == DL_F64) return from_bits(bits);
  bool negative = f->specials != SCALE && (bits & sign_bit(f));
  uint64_t sign = negative ? 1ull << 63 : 0;
  uint64_t mantissa = bits & ones(f->mantissa_bits);
  uint64_t field = bits >> f->mantissa_bits & ones(f->exponent_bits);
  if (is_nan_bits(f, bits)) {
    uint64_t payload = f->specials == IEEE ? mantissa << (52 - f->mantissa_bits) : 1ull << 51;
    return from_bits(sign | 0x7ffull << 52 | payload);
  }
  if (f->specials == IEEE && field == ones(f->exponent_bits))
    return from_bits(sign | 0x7ffull << 52);
  int64_t exponent = (int64_t)field - f->bias;
  if (field == 0 && f->specials != SCALE) {
    double magnitude =
        (double)mantissa * from_bits((uint64_t)(1024 - f->bias - f->mantissa_bits) << 52);
    return negative ? -magnitude : magnitude;
  }
  return from_bits(sign | (uint64_t)(exponent + 1023) << 52 | mantissa << (52 - f->mantissa_bits));
}
