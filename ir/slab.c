#include <sched.h>

#include "ir/context_internal.h"

void dl_slab_init(dl_slab_heap *heaps) {
  for (size_t i = 0; i < DL_SLAB_HEAPS; i++) atomic_flag_clear(&heaps[i].busy);
}

void dl_slab_release(dl_slab_heap *heaps) {
  for (size_t i = 0; i < DL_SLAB_HEAPS; i++) {
    for (void *chunk = heaps[i].chunks, *next; chunk; chunk = next) {
      next = *(void **)chunk;
      free(chunk);
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

static void *take(dl_slab_heap *heap, size_t size) {
  if (size > (size_t)(heap->end - heap->free)) {
    char *chunk = dl_malloc(DL_SLAB_CHUNK);
    *(void **)chunk = heap->chunks;
    heap->chunks = chunk;
    heap->free = chunk + DL_SLAB_GRAIN;
    heap->end = chunk + DL_SLAB_CHUNK;
  }
  void *memory = heap->free;
  heap->free += size;
  return memory;
}

void *dl_slab_alloc(dl_context *ctx, size_t size) {
  size_t class = (size + DL_SLAB_GRAIN - 1) / DL_SLAB_GRAIN;
  if (class >= DL_SLAB_CLASSES) return dl_malloc(size);
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
    free(memory);
    return;
  }
  dl_slab_heap *heap = enter(ctx);
  *(void **)memory = heap->free_lists[class];
  heap->free_lists[class] = memory;
  leave(heap);
}
