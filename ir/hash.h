// ir/hash.h: the mixing functions behind the uniquing tables and pointer maps.
#ifndef DLIR_IR_HASH_H
#define DLIR_IR_HASH_H

#include <stdint.h>
#include <string.h>

// Folds the 128-bit product of two words: every input bit reaches every output bit.
static inline uint64_t dl_hash_mix(uint64_t a, uint64_t b) {
  unsigned __int128 product =
      (unsigned __int128)(a ^ 0x9e3779b97f4a7c15u) * (b ^ 0xe7037ed1a0b428dbu);
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t dl_hash_pointer(const void *p) { return dl_hash_mix((uintptr_t)p >> 3, 1); }

static inline uint64_t dl_hash_bytes(uint64_t seed, const void *data, size_t len) {
  const unsigned char *p = data;
  uint64_t hash = dl_hash_mix(seed, len), word;
  for (; len >= 8; p += 8, len -= 8) {
    memcpy(&word, p, 8);
    hash = dl_hash_mix(hash, word);
  }
  if (!len) return hash;
  word = 0;
  memcpy(&word, p, len);
  return dl_hash_mix(hash, word);
}

#endif
