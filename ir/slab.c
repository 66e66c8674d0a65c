#include <sched.h>
#include <sys/mman.h>

#include "ir/context_internal.h"

// A block too large for the classes, before its memory; the heap knows them all.
typedef struct large_block {
  _Alignas(16) struct large_block *next;
  struct large_block **link;
  dl_slab_heap *heap;
} large_block;

void dl_slab_init(dl_slab_heap *heaps) {
  for (size_t i = 0; i < DL_SLAB_HEAPS; i++) atomic_flag_clear(&heaps[i].busy);
}

void dl_slab_release(dl_slab_heap *heaps) {
  for (size_t i = 0; i < DL_SLAB_HEAPS; i++) {
    for (void *chunk = heaps[i].chunks, *next; chunk; chunk = next) {
      next = *(void **)chunk;
      free(chunk);
    }
    for (large_block *block = heaps[i].large, *next; block; block = next) {
      next = block->next;
      free(block);
    }
  }
}

// Threads start at different heaps and move on when theirs is taken.
static dl_slab_heap *enter(dl_context *ctx) {
  uintptr_t self = (uintptr_t)pthread_self();
  for (size_t i = dl_hash_mix(self, 0), tries = 0;; i++) {
    dl_slab_heap *heap = &ctx->heaps[i & (DL_SLAB_HEAPS - 1)];
    if (!atomic_flag_test_and_set_explicit(&heap->busy, memory_order_acquire)) return heap;
    if (++tries % DL_SLAB_HEAPS == 0) sched_yield();
  }
}

static void leave(dl_slab_heap *heap) {
  atomic_flag_clear_explicit(&heap->busy, memory_order_release);
}

// Chunks grow with what is in use. Large ones are of whole huge pages, where the system has these:
// memory of the module's size is touched for the first time otherwise page by page.
static void *new_chunk(dl_slab_heap *heap, size_t *size) {
  *size = heap->size < DL_SLAB_LAST_CHUNK ? DL_SLAB_CHUNK : DL_SLAB_LAST_CHUNK;
  heap->size += *size;
  if (*size == DL_SLAB_CHUNK) return dl_malloc(*size);
  void *chunk = aligned_alloc(DL_HUGE_PAGE, *size);
  if (!chunk) dl_bug(NULL, "out of memory for ops");
  madvise(chunk, *size, MADV_HUGEPAGE);
  return chunk;
}

static void *take(dl_slab_heap *heap, size_t size) {
  if (size > (size_t)(heap->end - heap->free)) {
    size_t room;
    char *chunk = new_chunk(heap, &room);
    *(void **)chunk = heap->chunks;
    heap->chunks = chunk;
    heap->free = chunk + 16;
    heap->end = chunk + room;
  }
  void *memory = heap->free;
  heap->free += size;
  return memory;
}

static void *alloc_large(dl_context *ctx, size_t size) {
  large_block *block = dl_malloc(sizeof(*block) + size);
  dl_slab_heap *heap = enter(ctx);
  *block = (large_block){heap->large, &heap->large, heap};
  if (block->next) block->next->link = &block->next;
  heap->large = block;
  leave(heap);
  return block + 1;
}

static void enter_heap(dl_slab_heap *heap) {
  for (size_t tries = 1; atomic_flag_test_and_set_explicit(&heap->busy, memory_order_acquire);)
    if (++tries % DL_SLAB_HEAPS == 0) sched_yield();
}

static void free_large(void *memory) {
  large_block *block = (large_block *)memory - 1;
  dl_slab_heap *heap = block->heap;
  enter_heap(heap);
  *block->link = block->next;
  if (block->next) block->next->link = block->link;
  leave(heap);
  free(block);
}

void *dl_slab_alloc(dl_context *ctx, size_t size) {
  size_t class = (size + DL_SLAB_GRAIN - 1) / DL_SLAB_GRAIN;
  if (class >= DL_SLAB_CLASSES) return alloc_large(ctx, size);
  dl_slab_heap *heap = enter(ctx);
  void *memory = heap->free_lists[class];
  if (memory) {
    heap->free_lists[class] = *(void **)memory;
  } else {
    memory = take(heap, class * DL_SLAB_GRAIN);
  }
  leave(heap);
  return memory;
}

void dl_slab_free(dl_context *ctx, void *memory, size_t size) {
  if (!memory) return;
  size_t class = (size + DL_SLAB_GRAIN - 1) / DL_SLAB_GRAIN;
  if (class >= DL_SLAB_CLASSES) {
    free_large(memory);
    return;
  }
  dl_slab_heap *heap = enter(ctx);
  *(void **)memory = heap->free_lists[class];
  heap->free_lists[class] = memory;
  leave(heap);
}
