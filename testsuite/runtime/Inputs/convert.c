// The conversions to and from 16-bit floats, on every half and around every midpoint between two of
// them.
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "check.h"

_Float16 __truncsfbf2(float value);
_Float16 __truncsfhf2(float value);
_Float16 __truncdfbf2(double value);
_Float16 __truncdfhf2(double value);
float __extendhfsf2(_Float16 value);

static uint16_t bits_of(_Float16 value) {
  uint16_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return bits;
}

static _Float16 half_of(uint16_t bits) {
  _Float16 value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

// The value of a half, straight from the format.
static double value_of(uint16_t bits) {
  int exponent = bits >> 10 & 31, fraction = bits & 1023;
  double magnitude = exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
  return bits & 0x8000 ? -magnitude : magnitude;
}

static void check_half(uint16_t bits) {
  double value = value_of(bits), next = value_of((uint16_t)(bits + 1));
  CHECK((double)__extendhfsf2(half_of(bits)) == value);
  CHECK(bits_of(__truncsfhf2((float)value)) == bits && bits_of(__truncdfhf2(value)) == bits);
  double middle = (value + next) / 2, away = bits & 0x8000 ? -INFINITY : INFINITY;
  uint16_t even = bits + (bits & 1), above = (uint16_t)(bits + 1);
  CHECK(bits_of(__truncsfhf2((float)middle)) == even);
  CHECK(bits_of(__truncsfhf2(nextafterf((float)middle, (float)away))) == above);
  CHECK(bits_of(__truncsfhf2(nextafterf((float)middle, 0))) == bits);
  CHECK(bits_of(__truncdfhf2(middle)) == even);
  CHECK(bits_of(__truncdfhf2(nextafter(middle, away))) == above);
  CHECK(bits_of(__truncdfhf2(nextafter(middle, 0))) == bits);
}

static void check_bfloat(void) {
  CHECK(bits_of(__truncsfbf2(1.0f)) == 0x3f80);
  CHECK(bits_of(__truncsfbf2(1.00390625f)) == 0x3f80);          // a tie, to even
  CHECK(bits_of(__truncsfbf2(1.01171875f)) == 0x3f82);          // a tie, to even
  CHECK(bits_of(__truncsfbf2(1.0039063692092896f)) == 0x3f81);  // just above a tie
  CHECK(bits_of(__truncdfbf2(1.00390625 + 0x1p-40)) == 0x3f81);
  CHECK(bits_of(__truncsfbf2(3.4028235e38f)) == 0x7f80);
  CHECK(bits_of(__truncsfbf2(-INFINITY)) == 0xff80);
  CHECK((bits_of(__truncsfbf2(NAN)) & 0x7fff) > 0x7f80);
}

int main(void) {
  for (unsigned sign = 0; sign <= 0x8000; sign += 0x8000)
    for (unsigned bits = 0; bits < 0x7c00; bits++) check_half((uint16_t)(sign | bits));
  CHECK(bits_of(__truncsfhf2(INFINITY)) == 0x7c00 && bits_of(__truncdfhf2(-1e300)) == 0xfc00);
  CHECK((bits_of(__truncsfhf2(NAN)) & 0x7fff) > 0x7c00 && isnan(__extendhfsf2(half_of(0x7e00))));
  CHECK(isinf(__extendhfsf2(half_of(0x7c00))));
  check_bfloat();
  puts("convert: ok");
}
