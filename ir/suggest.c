#include "ir/suggest.h"

static size_t min3(size_t a, size_t b, size_t c) {
  size_t least = a < b ? a : b;
  return least < c ? least : c;
}

size_t dl_edit_distance(dl_str a, dl_str b, size_t limit) {
  size_t difference = a.len > b.len ? a.len - b.len : b.len - a.len;
  if (difference >= limit) return limit;
  // Three rows of the distance table: two above (for swaps), above, current.
  size_t width = b.len + 1;
  size_t *rows = dl_malloc(3 * width * sizeof(*rows));
  size_t *before = rows, *above = rows + width, *row = rows + 2 * width;
  for (size_t j = 0; j < width; j++) above[j] = j;
  for (size_t i = 1; i <= a.len; i++) {
    row[0] = i;
    for (size_t j = 1; j < width; j++) {
      size_t replace = above[j - 1] + (a.data[i - 1] != b.data[j - 1]);
      row[j] = min3(above[j] + 1, row[j - 1] + 1, replace);
      bool swapped =
          i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] && a.data[i - 2] == b.data[j - 1];
      if (swapped && before[j - 2] + 1 < row[j]) row[j] = before[j - 2] + 1;
    }
    size_t *oldest = before;
    before = above, above = row, row = oldest;
  }
  size_t distance = above[b.len];
  free(rows);
  return distance < limit ? distance : limit;
}

void dl_suggest_offer(dl_suggestion *suggestion, const char *candidate) {
  size_t distance = dl_edit_distance(suggestion->word, dl_str_of(candidate), suggestion->distance);
  if (distance >= suggestion->distance) return;
  suggestion->distance = distance;
  suggestion->best = candidate;
}
