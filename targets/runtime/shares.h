// shares.h: a range of indices divided among threads that help each other out. Each part has a
// share of its own, from whose front it takes pieces that get smaller; a part whose share is used
// up takes from the ends of others. Without locks: a share is one word, changed by compare and
// swap.
#ifndef DLIR_RUNTIME_SHARES_H
#define DLIR_RUNTIME_SHARES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct dlrt_share {
  _Alignas(64) _Atomic uint64_t range;  // its first index, and in the upper half where it ends
} dlrt_share;

// Divides [0, count) evenly. No part may be taking meanwhile.
void dlrt_shares_fill(dlrt_share *shares, int32_t parts, uint32_t count);
// Takes the next piece for a part. False when nothing is left in any share; pieces that other parts
// have taken may still be in work.
bool dlrt_shares_take(dlrt_share *shares, int32_t parts, int32_t part, uint32_t *begin,
                      uint32_t *end);

#endif
