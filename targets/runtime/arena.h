// arena.h: the memory of a session's runs: one planned block and a bump region beside it. Both keep
// what they have from run to run, so that runs with unchanged shapes allocate nothing.
#ifndef DLIR_RUNTIME_ARENA_H
#define DLIR_RUNTIME_ARENA_H

#include <stddef.h>

enum { DLRT_ALIGNMENT = 64 };

// A 64-byte aligned buffer that grows.
typedef struct dlrt_block {
  void *data;
  size_t capacity;
} dlrt_block;

// The buffer with at least `bytes` bytes; the contents are lost when it grows. NULL: out of memory.
void *dlrt_block_reserve(dlrt_block *block, size_t bytes);
void dlrt_block_free(dlrt_block *block);

// Each chunk is at least twice as large as the one before, so the number is bounded.
enum { DLRT_MAX_CHUNKS = 48 };

typedef struct dlrt_bump {
  dlrt_block chunks[DLRT_MAX_CHUNKS];
  size_t num_chunks, current, used;
} dlrt_bump;

void *dlrt_bump_alloc(dlrt_bump *bump, size_t bytes);  // NULL: out of memory
void dlrt_bump_reset(dlrt_bump *bump);                 // forgets all buffers, keeps the memory
void dlrt_bump_free(dlrt_bump *bump);

#endif
