// Checksums and numbers of the binary form.
#include "ir/binary_internal.h"

// Four words at a time, each folded into a chain of its own by the 128-bit product with a constant;
// what is left is padded with zeros, and the chains are folded together with the length.
static uint64_t fold(uint64_t a, uint64_t b) {
  unsigned __int128 product = (unsigned __int128)a * b;
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}

enum { LANES = 4, STRIP = 8 * LANES };
static const uint64_t multiplier = 0x9e3779b97f4a7c15u;

static void fold_strip(uint64_t *lanes, const unsigned char *strip) {
  for (unsigned i = 0; i < LANES; i++) {
    uint64_t word;
    memcpy(&word, strip + 8 * i, sizeof(word));
    lanes[i] = fold(lanes[i] ^ word, multiplier);
  }
}

uint64_t dl_binary_checksum(const void *bytes, size_t size) {
  uint64_t lanes[LANES] = {1, 2, 3, 4};
  const unsigned char *at = bytes;
  size_t left = size;
  for (; left >= STRIP; at += STRIP, left -= STRIP) fold_strip(lanes, at);
  if (left) {
    unsigned char last[STRIP] = {0};
    memcpy(last, at, left);
    fold_strip(lanes, last);
  }
  uint64_t sum = size + 1;
  for (unsigned i = 0; i < LANES; i++) sum = fold(sum ^ lanes[i], multiplier);
  return sum;
}

void dl_put(dl_buffer *out, uint64_t value) {
  unsigned bits = 64 - (unsigned)__builtin_clzll(value | 1), more = (bits - 1) / 7;
  unsigned char bytes[9] = {0};
  if (more >= 8) {
    memcpy(bytes + 1, &value, sizeof(value));
    more = 8;
  } else {
    uint64_t word = (value << 1 | 1) << more;
    memcpy(bytes, &word, sizeof(word));
  }
  dl_buffer_append(out, bytes, more + 1);
}
