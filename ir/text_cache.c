// A cache from pieces of the text to what they stand for: types, attributes and names repeat, and a
// look at the bytes is cheaper than parsing them again. Direct-mapped and of a fixed size, with the
// text in the entry, so that a hit costs one line of memory and the source is not read again.

#include "ir/hash.h"
#include "ir/text_internal.h"

enum { CACHE_ENTRIES = 1 << 14 };

struct dl_text_cache {
  _Alignas(64) const void *object;
  uint8_t len;
  char text[DL_MAX_CACHED];
};

_Static_assert(sizeof(dl_text_cache) == 64, "an entry is one cache line");

dl_text_key dl_text_key_of(dl_str text) {
  uint64_t hash = dl_hash_bytes(0, text.data, text.len);
  return (dl_text_key){text, (uint32_t)(hash % CACHE_ENTRIES)};
}

const void *dl_text_cache_get(const dl_text_cache *cache, dl_text_key key) {
  if (!cache) return NULL;
  const dl_text_cache *entry = &cache[key.slot];
  bool hit = entry->len == key.text.len && memcmp(entry->text, key.text.data, key.text.len) == 0;
  return hit ? entry->object : NULL;
}

void dl_text_cache_set(dl_text_cache **cache, dl_text_key key, const void *object) {
  if (!*cache) {
    *cache = aligned_alloc(64, CACHE_ENTRIES * sizeof(**cache));
    if (!*cache) dl_bug(NULL, "out of memory for a cache of texts");
    for (size_t i = 0; i < CACHE_ENTRIES; i++) (*cache)[i].len = 0;
  }
  dl_text_cache *entry = &(*cache)[key.slot];
  entry->object = object;
  entry->len = (uint8_t)key.text.len;
  memcpy(entry->text, key.text.data, key.text.len);
}

// How far brackets nest after c, which stands before `next`; the > of -> and >= closes nothing.
static int bracket(char c, char before, char next) {
  switch (c) {
    case '(':
    case '[':
    case '{':
      return 1;
    case '<':
      return next == '=' ? 0 : 1;
    case ')':
    case ']':
    case '}':
      return -1;
    case '>':
      return before == '-' || next == '=' ? 0 : -1;
    default:
      return 0;
  }
}

// The end of the string literal at `at`, or NULL.
static const char *string_end(const char *at, const char *end) {
  for (at++; at < end && *at != '"' && *at != '\n'; at++)
    if (*at == '\\') at++;
  return at < end && *at == '"' ? at + 1 : NULL;
}

static const bool special[256] = {
    ['('] = true, [')'] = true, ['['] = true, [']'] = true, ['{'] = true,  ['}'] = true,
    ['<'] = true, ['>'] = true, [','] = true, ['"'] = true, ['\n'] = true, ['/'] = true};

const char *dl_scan_nested(const char *at, const char *end, bool one) {
  int depth = 0;
  for (const char *start = at; at + 1 < end; at++) {
    char c = *at;
    if (!special[(unsigned char)c]) continue;
    if (depth == 0 && !one && (c == ',' || c == '}')) return at;
    if (c == '"') {
      at = string_end(at, end);
      if (!at) return NULL;
      at--;
      continue;
    }
    if (c == '\n' || c == '/') return NULL;
    depth += bracket(c, at > start ? at[-1] : 0, at[1]);
    if (depth < 0) return NULL;
    if (depth == 0 && one) return at + 1;
  }
  return NULL;
}
