// convert.c: the conversions between float and the 16-bit formats that LLVM calls by these names
// where the processor has no instruction. Values travel in vector registers, as _Float16 does;
// bfloat16 has the same convention. Rounding is to nearest, ties to even.
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) || defined(__aarch64__)

static uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return bits;
}

static float float_of(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

static _Float16 half_of(uint16_t bits) {
  _Float16 value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

static uint16_t round_to_bfloat(float value) {
  uint32_t bits = bits_of(value);
  if ((bits & 0x7fffffff) > 0x7f800000) return (uint16_t)(bits >> 16 | 0x40);
  return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// magnitude: the float's bits without the sign, below 2^-14: the result is a multiple of 2^-24.
static uint16_t round_to_subnormal_half(uint32_t magnitude) {
  float scaled = float_of(magnitude) + 0.5f;  // the unit in the last place of 0.5 is 2^-24
  return (uint16_t)(bits_of(scaled) - bits_of(0.5f));
}

static uint16_t round_to_half(float value) {
  uint32_t bits = bits_of(value), magnitude = bits & 0x7fffffff;
  uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
  if (magnitude > 0x7f800000) return sign | 0x7e00 | (uint16_t)(magnitude >> 13 & 0x1ff);
  if (magnitude >= 0x477ff000) return sign | 0x7c00;  // 65520 and above round to infinity
  if (magnitude < 0x38800000) return sign | round_to_subnormal_half(magnitude);
  uint32_t rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
  return sign | (uint16_t)((rounded - 0x38000000) >> 13);
}

// Rounding to odd first keeps the second rounding right: what lies between two floats stays between
// halves.
static float round_to_odd(double value) {
  float rounded = (float)value;
  if ((double)rounded == value || value != value) return rounded;
  uint32_t bits = bits_of(rounded);
  if (__builtin_fabs((double)rounded) > __builtin_fabs(value)) bits--;
  return float_of(bits | 1);
}

static float half_to_float(uint16_t half) {
  uint32_t sign = (uint32_t)(half & 0x8000) << 16, rest = half & 0x7fff;
  if (rest >= 0x7c00) return float_of(sign | 0x7f800000 | (rest & 0x3ff) << 13);
  if (rest >= 0x400) return float_of(sign | ((rest << 13) + 0x38000000));
  float magnitude = (float)rest * 0x1p-24f;
  return sign ? -magnitude : magnitude;
}

_Float16 __truncsfbf2(float value) { return half_of(round_to_bfloat(value)); }
_Float16 __truncsfhf2(float value) { return half_of(round_to_half(value)); }
_Float16 __truncdfbf2(double value) { return half_of(round_to_bfloat(round_to_odd(value))); }
_Float16 __truncdfhf2(double value) { return half_of(round_to_half(round_to_odd(value))); }

float __extendhfsf2(_Float16 value) {
  uint16_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return half_to_float(bits);
}

#endif
