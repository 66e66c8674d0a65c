#include "ir/context_internal.h"
#include "ir/op_internal.h"

static void *probe(dl_unique_table *table, uint64_t hash, const void *key, dl_unique_equal equal) {
  if (!table) return NULL;
  size_t mask = table->capacity - 1;
  for (size_t i = hash & mask;; i = (i + 1) & mask) {
    void *object = atomic_load_explicit(&table->slots[i].object, memory_order_acquire);
    if (!object) return NULL;
    uint64_t slot_hash = atomic_load_explicit(&table->slots[i].hash, memory_order_relaxed);
    if (slot_hash == hash && equal(key, object)) return object;
  }
}

static void place(dl_unique_table *table, uint64_t hash, void *object) {
  size_t mask = table->capacity - 1, i = hash & mask;
  while (atomic_load_explicit(&table->slots[i].object, memory_order_relaxed)) i = (i + 1) & mask;
  atomic_store_explicit(&table->slots[i].hash, hash, memory_order_relaxed);
  atomic_store_explicit(&table->slots[i].object, object, memory_order_release);
}

static dl_unique_table *grow(dl_unique_shard *shard, dl_unique_table *old) {
  size_t capacity = old ? 2 * old->capacity : 64;
  dl_unique_table *table =
      dl_arena_alloc(shard->arena, sizeof(*table) + capacity * sizeof(dl_unique_slot));
  table->capacity = capacity;
  for (size_t i = 0; old && i < old->capacity; i++) {
    void *object = atomic_load_explicit(&old->slots[i].object, memory_order_relaxed);
    if (!object) continue;
    place(table, atomic_load_explicit(&old->slots[i].hash, memory_order_relaxed), object);
  }
  atomic_store_explicit(&shard->table, table, memory_order_release);
  return table;
}

// The low bits of the hash choose the slot, so the shard comes from the high ones.
static dl_unique_shard *shard_of(dl_context *ctx, dl_unique_class class, uint64_t hash) {
  return &ctx->unique[class][hash >> 61 & (DL_UNIQUE_SHARDS - 1)];
}

void *dl_unique_find(dl_context *ctx, dl_unique_class class, uint64_t hash, const void *key,
                     dl_unique_equal equal) {
  dl_unique_shard *shard = shard_of(ctx, class, hash);
  return probe(atomic_load_explicit(&shard->table, memory_order_acquire), hash, key, equal);
}

void *dl_unique(dl_context *ctx, dl_unique_class class, uint64_t hash, const void *key,
                dl_unique_equal equal, dl_unique_make make) {
  void *found = dl_unique_find(ctx, class, hash, key, equal);
  if (found) return found;
  dl_unique_shard *shard = shard_of(ctx, class, hash);
  pthread_mutex_lock(&shard->lock);
  dl_unique_table *table = atomic_load_explicit(&shard->table, memory_order_relaxed);
  found = probe(table, hash, key, equal);
  if (!found) {
    if (!table || 4 * (shard->len + 1) > 3 * table->capacity) table = grow(shard, table);
    found = make(ctx, shard->arena, key);
    place(table, hash, found);
    shard->len++;
  }
  pthread_mutex_unlock(&shard->lock);
  return found;
}

typedef struct interned {
  size_t len;
  _Atomic uint32_t name, path;  // 1 + its number as a value's name or a file's, 0: it has none yet
  char text[];
} interned;

static const interned *header_of(const void *text) {
  return (const interned *)((const char *)text - offsetof(interned, text));
}

size_t dl_ident_len(dl_ident ident) { return header_of(ident)->len; }

// The chunk and the place in it of name number `index`.
static size_t name_chunk(uint32_t index, size_t *at) {
  uint64_t place = (uint64_t)index - 1 + DL_FIRST_NAMES;
  unsigned chunk = 63 - (unsigned)__builtin_clzll(place / DL_FIRST_NAMES);
  *at = place - ((size_t)DL_FIRST_NAMES << chunk);
  return chunk;
}

dl_ident dl_name_at(const dl_context *ctx, uint32_t index) {
  size_t at, chunk = name_chunk(index, &at);
  return atomic_load_explicit(&ctx->names[chunk], memory_order_acquire)[at];
}

static uint32_t number_name(dl_context *ctx, dl_ident ident) {
  uint32_t index = ++ctx->num_names;
  size_t at, chunk = name_chunk(index, &at);
  dl_ident *names = atomic_load_explicit(&ctx->names[chunk], memory_order_relaxed);
  if (!names) {
    names = dl_arena_alloc(ctx->arena, ((size_t)DL_FIRST_NAMES << chunk) * sizeof(*names));
    atomic_store_explicit(&ctx->names[chunk], names, memory_order_release);
  }
  names[at] = ident;
  return index;
}

uint32_t dl_name_index(dl_context *ctx, dl_ident ident) {
  interned *header = (interned *)header_of(ident);
  uint32_t index = atomic_load_explicit(&header->name, memory_order_acquire);
  if (index) return index;
  pthread_mutex_lock(&ctx->lock);
  index = atomic_load_explicit(&header->name, memory_order_relaxed);
  if (!index) {
    index = number_name(ctx, ident);
    atomic_store_explicit(&header->name, index, memory_order_release);
  }
  pthread_mutex_unlock(&ctx->lock);
  return index;
}

uint32_t dl_path_index(dl_context *ctx, dl_ident path) {
  interned *header = (interned *)header_of(path);
  uint32_t number = atomic_load_explicit(&header->path, memory_order_acquire);
  if (number) return number - 1;
  pthread_mutex_lock(&ctx->lock);
  number = atomic_load_explicit(&header->path, memory_order_relaxed);
  if (!number && ctx->num_paths < DL_MAX_PATHS) {
    atomic_store_explicit(&ctx->paths[ctx->num_paths], path, memory_order_release);
    number = ++ctx->num_paths;
    atomic_store_explicit(&header->path, number, memory_order_release);
  }
  pthread_mutex_unlock(&ctx->lock);
  return number ? number - 1 : DL_NO_PATH;
}

static bool ident_equal(const void *key, const void *object) {
  const dl_str *text = key;
  return dl_str_equal(*text, (dl_str){object, header_of(object)->len});
}

static void *make_ident(dl_context *ctx, dl_arena *arena, const void *key) {
  (void)ctx;
  const dl_str *text = key;
  interned *ident = dl_arena_alloc(arena, sizeof(interned) + text->len + 1);
  ident->len = text->len;
  if (text->len) memcpy(ident->text, text->data, text->len);
  return ident->text;
}

dl_ident dl_intern(dl_context *ctx, dl_str text) {
  uint64_t hash = dl_hash_bytes(DL_UNIQUE_IDENT, text.data, text.len);
  return dl_unique(ctx, DL_UNIQUE_IDENT, hash, &text, ident_equal, make_ident);
}

dl_ident dl_intern_z(dl_context *ctx, const char *text) { return dl_intern(ctx, dl_str_of(text)); }

dl_ident dl_intern_f(dl_context *ctx, const char *format, ...) {
  dl_buffer buffer = {0};
  va_list args;
  va_start(args, format);
  dl_buffer_vprintf(&buffer, format, args);
  va_end(args);
  dl_ident ident = dl_intern(ctx, (dl_str){buffer.data, buffer.len});
  dl_buffer_free(&buffer);
  return ident;
}
