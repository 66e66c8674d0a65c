#include <stdio.h>

#include "ir/base.h"
#include "ir/hash.h"

static void out_of_memory(size_t size) {
  fprintf(stderr, "dlir: out of memory (%zu bytes asked for)\n", size);
  abort();
}

void *dl_malloc(size_t size) {
  void *memory = malloc(size ? size : 1);
  if (!memory) out_of_memory(size);
  return memory;
}

void *dl_calloc(size_t count, size_t size) {
  void *memory = calloc(count ? count : 1, size ? size : 1);
  if (!memory) out_of_memory(size);
  return memory;
}

void *dl_realloc(void *memory, size_t size) {
  void *grown = realloc(memory, size ? size : 1);
  if (!grown) out_of_memory(size);
  return grown;
}

void dl_buffer_reserve(dl_buffer *buffer, size_t extra) {
  size_t needed = buffer->len + extra + 1;
  if (needed <= buffer->capacity) return;
  size_t capacity = buffer->capacity ? 2 * buffer->capacity : 64;
  buffer->capacity = capacity > needed ? capacity : needed;
  buffer->data = dl_realloc(buffer->data, buffer->capacity);
}

void dl_buffer_put_unsigned(dl_buffer *buffer, uint64_t value) {
  char digits[20];
  size_t at = sizeof digits;
  do {
    digits[--at] = (char)('0' + value % 10);
    value /= 10;
  } while (value);
  dl_buffer_append(buffer, digits + at, sizeof digits - at);
}

void dl_buffer_put_signed(dl_buffer *buffer, int64_t value) {
  if (value < 0) dl_buffer_putc(buffer, '-');
  dl_buffer_put_unsigned(buffer, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void dl_buffer_vprintf(dl_buffer *buffer, const char *format, va_list args) {
  va_list again;
  va_copy(again, args);
  dl_buffer_reserve(buffer, 63);
  size_t room = buffer->capacity - buffer->len;
  int len = vsnprintf(buffer->data + buffer->len, room, format, args);
  if (len > 0 && (size_t)len >= room) {
    dl_buffer_reserve(buffer, (size_t)len);
    vsnprintf(buffer->data + buffer->len, (size_t)len + 1, format, again);
  }
  if (len > 0) buffer->len += (size_t)len;
  va_end(again);
}

void dl_buffer_printf(dl_buffer *buffer, const char *format, ...) {
  va_list args;
  va_start(args, format);
  dl_buffer_vprintf(buffer, format, args);
  va_end(args);
}

void dl_buffer_free(dl_buffer *buffer) {
  free(buffer->data);
  *buffer = (dl_buffer){0};
}

enum { ARENA_ALIGN = 16, ARENA_FIRST_CHUNK = 4096, ARENA_LAST_CHUNK = 1 << 20 };

typedef struct arena_chunk {
  _Alignas(ARENA_ALIGN) struct arena_chunk *next;
  size_t size;  // of what follows
} arena_chunk;

struct dl_arena {
  arena_chunk *chunks;
  arena_chunk
      *spare;  // zeroed, or NULL: going back and forth over the end of a chunk costs nothing
  char *free, *end;
  size_t next_chunk;
};

dl_arena *dl_arena_create(void) {
  dl_arena *arena = dl_calloc(1, sizeof(dl_arena));
  arena->next_chunk = ARENA_FIRST_CHUNK;
  return arena;
}

void dl_arena_destroy(dl_arena *arena) {
  if (!arena) return;
  for (arena_chunk *chunk = arena->chunks, *next; chunk; chunk = next) {
    next = chunk->next;
    free(chunk);
  }
  free(arena->spare);
  free(arena);
}

static void *add_chunk(dl_arena *arena, size_t payload) {
  arena_chunk *chunk = arena->spare;
  if (chunk && chunk->size == payload) {
    arena->spare = NULL;
  } else {
    chunk = dl_calloc(1, sizeof(arena_chunk) + payload);
    chunk->size = payload;
  }
  chunk->next = arena->chunks;
  arena->chunks = chunk;
  return chunk + 1;
}

void *dl_arena_alloc(dl_arena *arena, size_t size) {
  size = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
  if (size > (size_t)(arena->end - arena->free)) {
    if (size > arena->next_chunk / 4) return add_chunk(arena, size);
    if (arena->spare) arena->next_chunk = arena->spare->size;
    arena->free = add_chunk(arena, arena->next_chunk);
    arena->end = arena->free + arena->next_chunk;
    if (arena->next_chunk < ARENA_LAST_CHUNK) arena->next_chunk *= 2;
  }
  void *memory = arena->free;
  arena->free += size;
  return memory;
}

dl_arena_mark dl_arena_here(const dl_arena *arena) {
  return (dl_arena_mark){arena->chunks, arena->free, arena->end};
}

// Puts the newest chunk away; `used` bytes of it are not zero.
static void drop_chunk(dl_arena *arena, size_t used) {
  arena_chunk *chunk = arena->chunks;
  arena->chunks = chunk->next;
  if (arena->spare || used > chunk->size) {
    free(chunk);
    return;
  }
  memset(chunk + 1, 0, used);
  arena->spare = chunk;
}

// The memory after a mark is handed out again, so it is zeroed.
void dl_arena_reset(dl_arena *arena, dl_arena_mark mark) {
  char *free = arena->free;
  while (arena->chunks != mark.chunk) {
    char *start = (char *)(arena->chunks + 1);
    bool current = free >= start && free <= start + arena->chunks->size;
    drop_chunk(arena, current ? (size_t)(free - start) : SIZE_MAX);
  }
  bool same = free >= mark.free && free <= mark.end;
  if (mark.free) memset(mark.free, 0, (size_t)((same ? free : mark.end) - mark.free));
  arena->free = mark.free;
  arena->end = mark.end;
}

char *dl_arena_copy_str(dl_arena *arena, dl_str text) {
  char *copy = dl_arena_alloc(arena, text.len + 1);
  if (text.len) memcpy(copy, text.data, text.len);
  return copy;
}

// Open addressing with linear probing; removal shifts the followers back, so there are no
// tombstones.
static size_t ptr_slot(const dl_ptr_map *map, const void *key) {
  size_t mask = map->capacity - 1, i = dl_hash_pointer(key) & mask;
  while (map->keys[i] && map->keys[i] != key) i = (i + 1) & mask;
  return i;
}

static void ptr_map_grow(dl_ptr_map *map) {
  dl_ptr_map bigger = {.len = map->len, .capacity = map->capacity ? 2 * map->capacity : 16};
  bigger.keys = dl_calloc(bigger.capacity, sizeof(*bigger.keys));
  bigger.values = dl_malloc(bigger.capacity * sizeof(*bigger.values));
  for (size_t i = 0; i < map->capacity; i++) {
    if (!map->keys[i]) continue;
    size_t slot = ptr_slot(&bigger, map->keys[i]);
    bigger.keys[slot] = map->keys[i];
    bigger.values[slot] = map->values[i];
  }
  dl_ptr_map_free(map);
  *map = bigger;
}

void dl_ptr_map_set(dl_ptr_map *map, const void *key, void *value) {
  if (4 * (map->len + 1) > 3 * map->capacity) ptr_map_grow(map);
  size_t slot = ptr_slot(map, key);
  if (!map->keys[slot]) map->len++;
  map->keys[slot] = key;
  map->values[slot] = value;
}

void *dl_ptr_map_get(const dl_ptr_map *map, const void *key) {
  if (!map->len) return NULL;
  size_t slot = ptr_slot(map, key);
  return map->keys[slot] ? map->values[slot] : NULL;
}

bool dl_ptr_map_has(const dl_ptr_map *map, const void *key) {
  return map->len && map->keys[ptr_slot(map, key)];
}

void dl_ptr_map_remove(dl_ptr_map *map, const void *key) {
  if (!dl_ptr_map_has(map, key)) return;
  size_t mask = map->capacity - 1, hole = ptr_slot(map, key);
  for (size_t i = (hole + 1) & mask; map->keys[i]; i = (i + 1) & mask) {
    size_t home = dl_hash_pointer(map->keys[i]) & mask;
    if (((i - home) & mask) < ((i - hole) & mask)) continue;
    map->keys[hole] = map->keys[i];
    map->values[hole] = map->values[i];
    hole = i;
  }
  map->keys[hole] = NULL;
  map->len--;
}

void dl_ptr_map_free(dl_ptr_map *map) {
  free(map->keys);
  free(map->values);
  *map = (dl_ptr_map){0};
}
