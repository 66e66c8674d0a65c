#include "targets/runtime/shares.h"

_Static_assert(sizeof(dlrt_share) == 64, "shares of different threads share no cache line");

enum { PIECES = 4 };  // the first piece is this part of a share

static uint64_t range_of(uint32_t begin, uint32_t end) { return (uint64_t)end << 32 | begin; }

static uint32_t boundary(int32_t parts, int32_t part, uint32_t count) {
  return (uint32_t)((uint64_t)count * (uint32_t)part / (uint32_t)parts);
}

void dlrt_shares_fill(dlrt_share *shares, int32_t parts, uint32_t count) {
  for (int32_t i = 0; i < parts; i++)
    atomic_store(&shares[i].range,
                 range_of(boundary(parts, i, count), boundary(parts, i + 1, count)));
}

// Takes a piece from the front of a share, or from its end.
static bool take_piece(dlrt_share *share, bool front, uint32_t *begin, uint32_t *end) {
  uint64_t range = atomic_load(&share->range);
  for (;;) {
    uint32_t first = (uint32_t)range, last = (uint32_t)(range >> 32);
    if (first == last) return false;
    uint32_t piece = (last - first + PIECES - 1) / PIECES;
    *begin = front ? first : last - piece;
    *end = *begin + piece;
    uint64_t rest = front ? range_of(*end, last) : range_of(first, *begin);
    if (atomic_compare_exchange_weak(&share->range, &range, rest)) return true;
  }
}

bool dlrt_shares_take(dlrt_share *shares, int32_t parts, int32_t part, uint32_t *begin,
                      uint32_t *end) {
  for (int32_t i = 0; i < parts; i++)
    if (take_piece(&shares[(part + i) % parts], i == 0, begin, end)) return true;
  return false;
}
