#include "targets/runtime/arena.h"

#include <stdint.h>
#include <stdlib.h>

enum { FIRST_CHUNK = 1 << 16 };

static size_t round_up(size_t bytes) {
  return (bytes + DLRT_ALIGNMENT - 1) & ~(size_t)(DLRT_ALIGNMENT - 1);
}

void *dlrt_block_reserve(dlrt_block *block, size_t bytes) {
  if (block->data && bytes <= block->capacity) return block->data;
  dlrt_block_free(block);
  if (bytes > SIZE_MAX / 2) return NULL;
  size_t capacity = bytes ? round_up(bytes) : DLRT_ALIGNMENT;
  block->data = aligned_alloc(DLRT_ALIGNMENT, capacity);
  if (block->data) block->capacity = capacity;
  return block->data;
}

void dlrt_block_free(dlrt_block *block) {
  free(block->data);
  *block = (dlrt_block){0};
}

static size_t next_chunk_size(const dlrt_bump *bump, size_t bytes) {
  size_t least = bump->num_chunks ? 2 * bump->chunks[bump->num_chunks - 1].capacity : FIRST_CHUNK;
  return bytes > least ? bytes : least;
}

void *dlrt_bump_alloc(dlrt_bump *bump, size_t bytes) {
  if (bytes > SIZE_MAX / 4) return NULL;
  size_t size = round_up(bytes);
  while (bump->current < bump->num_chunks &&
         bump->chunks[bump->current].capacity - bump->used < size) {
    bump->current++;
    bump->used = 0;
  }
  if (bump->current == bump->num_chunks) {
    if (bump->num_chunks == DLRT_MAX_CHUNKS) return NULL;
    if (!dlrt_block_reserve(&bump->chunks[bump->current], next_chunk_size(bump, size))) return NULL;
    bump->num_chunks++;
  }
  char *result = (char *)bump->chunks[bump->current].data + bump->used;
  bump->used += size;
  return result;
}

void dlrt_bump_reset(dlrt_bump *bump) { bump->current = bump->used = 0; }

void dlrt_bump_free(dlrt_bump *bump) {
  for (size_t i = 0; i < bump->num_chunks; i++) dlrt_block_free(&bump->chunks[i]);
  *bump = (dlrt_bump){0};
}
