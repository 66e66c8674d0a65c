#include "ir/floats.h"

#include <math.h>

typedef struct wide_format {
  unsigned width, exponent, mantissa;  // bits
  bool explicit_one;                   // the leading bit of the significand is stored
} wide_format;

static const wide_format f80 = {80, 15, 63, true}, f128 = {128, 15, 112, false};

static const struct {
  const char *name;
  unsigned width;
} kinds[] = {
    [DL_F16] = {"f16", 16},
    [DL_BF16] = {"bf16", 16},
    [DL_F32] = {"f32", 32},
    [DL_F64] = {"f64", 64},
    [DL_F80] = {"f80", 80},
    [DL_F128] = {"f128", 128},
    [DL_TF32] = {"tf32", 19},
    [DL_F8E5M2] = {"f8E5M2", 8},
    [DL_F8E4M3] = {"f8E4M3", 8},
    [DL_F8E4M3FN] = {"f8E4M3FN", 8},
    [DL_F8E5M2FNUZ] = {"f8E5M2FNUZ", 8},
    [DL_F8E4M3FNUZ] = {"f8E4M3FNUZ", 8},
    [DL_F8E4M3B11FNUZ] = {"f8E4M3B11FNUZ", 8},
    [DL_F8E3M4] = {"f8E3M4", 8},
    [DL_F8E8M0FNU] = {"f8E8M0FNU", 8},
    [DL_F6E2M3FN] = {"f6E2M3FN", 6},
    [DL_F6E3M2FN] = {"f6E3M2FN", 6},
    [DL_F4E2M1FN] = {"f4E2M1FN", 4},
};

unsigned dl_float_width(dl_float_kind kind) { return kinds[kind].width; }
const char *dl_float_name(dl_float_kind kind) { return kinds[kind].name; }

double dl_float_round(dl_float_kind kind, double value) {
  // The processor's conversion would change a signalling NaN.
  if (kind == DL_F32 && value == value) return (float)value;
  if (dl_float_width(kind) >= 64) return value;
  return dl_float_decode(kind, dl_float_encode(kind, value));
}

static uint64_t ones(unsigned bits) { return ((uint64_t)1 << bits) - 1; }

static const wide_format *wide_format_of(dl_float_kind kind) {
  return kind == DL_F80 ? &f80 : kind == DL_F128 ? &f128 : NULL;
}

static size_t storage_bytes(dl_float_kind kind) {
  unsigned width = dl_float_width(kind);
  return width <= 8 ? 1 : width <= 16 ? 2 : width <= 32 ? 4 : 8;
}

enum { WIDE_BIAS = 16383 };

// f80 and f128 hold every double exactly: only the fields are rearranged.
static unsigned __int128 wide_bits(const wide_format *f, double value) {
  unsigned __int128 sign = signbit(value) ? (unsigned __int128)1 << (f->width - 1) : 0;
  bool explicit_one = f->explicit_one;
  unsigned fraction = f->mantissa;
  unsigned __int128 top = explicit_one ? (unsigned __int128)1 << 63 : 0;
  unsigned exponent_at = explicit_one ? 64 : fraction;
  unsigned __int128 special = (unsigned __int128)ones(f->exponent) << exponent_at | top;
  if (isnan(value)) return sign | special | (unsigned __int128)1 << (fraction - 1);
  if (isinf(value)) return sign | special;
  if (value == 0) return sign;
  int exponent;
  double significand = frexp(fabs(value), &exponent);
  unsigned __int128 digits = (unsigned __int128)(uint64_t)ldexp(significand, 53);
  digits <<= fraction - 52;
  if (!explicit_one) digits &= ((unsigned __int128)1 << fraction) - 1;
  return sign | (unsigned __int128)(unsigned)(exponent - 1 + WIDE_BIAS) << exponent_at | digits;
}

static double wide_value(const wide_format *f, unsigned __int128 bits) {
  bool explicit_one = f->explicit_one, negative = bits >> (f->width - 1) & 1;
  unsigned exponent_at = explicit_one ? 64 : f->mantissa;
  uint64_t biased = (uint64_t)(bits >> exponent_at) & ones(f->exponent);
  unsigned __int128 fraction = bits & (((unsigned __int128)1 << f->mantissa) - 1);
  double value;
  if (biased == ones(f->exponent)) {
    value = fraction ? NAN : INFINITY;
  } else {
    if (biased) fraction |= (unsigned __int128)1 << f->mantissa;
    value = ldexp((double)fraction, (int)(biased ? biased : 1) - WIDE_BIAS - (int)f->mantissa);
  }
  return negative ? -value : value;
}

void dl_float_store(dl_float_kind kind, double value, void *bytes) {
  const wide_format *wide = wide_format_of(kind);
  if (wide) {
    unsigned __int128 bits = wide_bits(wide, value);
    memcpy(bytes, &bits, sizeof(bits));
    return;
  }
  uint64_t bits = dl_float_encode(kind, value);
  memcpy(bytes, &bits, storage_bytes(kind));
}

double dl_float_load(dl_float_kind kind, const void *bytes) {
  const wide_format *wide = wide_format_of(kind);
  if (wide) {
    unsigned __int128 bits = 0;
    memcpy(&bits, bytes, (wide->width + 7) / 8);
    return wide_value(wide, bits);
  }
  uint64_t bits = 0;
  memcpy(&bits, bytes, storage_bytes(kind));
  return dl_float_decode(kind, bits);
}
