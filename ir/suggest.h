// ir/suggest.h: "did you mean": the candidate nearest to a misspelt word.
#ifndef DLIR_IR_SUGGEST_H
#define DLIR_IR_SUGGEST_H

#include "ir/base.h"

// Offer every candidate; `best` is then the nearest one, or NULL if none is near enough to be worth
// naming (more than a third of the word's letters differ). `best` points to the caller's text.
typedef struct dl_suggestion {
  dl_str word;
  const char *best;
  size_t distance;
} dl_suggestion;

static inline dl_suggestion dl_suggest(dl_str word) {
  return (dl_suggestion){word, NULL, word.len / 3 + 2};
}
DL_API void dl_suggest_offer(dl_suggestion *suggestion, const char *candidate);

// The number of letters to insert, delete, replace or swap with their neighbour to get from a to b
// (optimal string alignment), or `limit` if that is at least `limit`.
DL_API size_t dl_edit_distance(dl_str a, dl_str b, size_t limit);

#endif
