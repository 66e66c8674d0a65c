#include "ir/context.h"

#include <stdio.h>

#include "ir/context_internal.h"
#include "ir/spec_internal.h"

static void init_recursive(pthread_mutex_t *mutex) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
  pthread_mutex_init(mutex, &attributes);
  pthread_mutexattr_destroy(&attributes);
}

static void init_shards(dl_context *ctx) {
  for (size_t class = 0; class < DL_NUM_UNIQUE_CLASSES; class ++) {
    for (size_t i = 0; i < DL_UNIQUE_SHARDS; i++) {
      dl_unique_shard *shard = &ctx->unique[class][i];
      pthread_mutex_init(&shard->lock, NULL);
      shard->arena = dl_arena_create();
    }
  }
}

dl_context *dl_context_create(void) {
  dl_context *ctx = aligned_alloc(64, (sizeof(dl_context) + 63) / 64 * 64);
  if (!ctx) dl_bug(NULL, "out of memory for a context");
  memset(ctx, 0, sizeof(*ctx));
  init_shards(ctx);
  dl_slab_init(ctx->heaps);
  pthread_mutex_init(&ctx->lock, NULL);
  init_recursive(&ctx->diag_lock);
  ctx->arena = dl_arena_create();
  ctx->unknown_loc = dl_loc_unknown(ctx);
  ctx->operand_segments = dl_intern_z(ctx, "operandSegmentSizes");
  ctx->result_segments = dl_intern_z(ctx, "resultSegmentSizes");
  ctx->sym_name = dl_intern_z(ctx, "sym_name");
  ctx->value_name = dl_intern_z(ctx, "value");
  return ctx;
}

static void release_resources(dl_context *ctx) {
  for (size_t i = 0; i < ctx->resources.capacity; i++) {
    if (!ctx->resources.keys[i]) continue;
    dl_owned_resource *owned = ctx->resources.values[i];
    if (owned->release) owned->release(owned->owner);
  }
  dl_ptr_map_free(&ctx->resources);
}

static void release_shards(dl_context *ctx) {
  for (size_t class = 0; class < DL_NUM_UNIQUE_CLASSES; class ++) {
    for (size_t i = 0; i < DL_UNIQUE_SHARDS; i++) {
      dl_unique_shard *shard = &ctx->unique[class][i];
      pthread_mutex_destroy(&shard->lock);
      dl_arena_destroy(shard->arena);
    }
  }
}

void dl_context_destroy(dl_context *ctx) {
  if (!ctx) return;
  for (size_t i = ctx->caches.len; i-- > 0;) {
    if (ctx->caches.data[i].destroy) ctx->caches.data[i].destroy(ctx->caches.data[i].data);
  }
  release_resources(ctx);
  dl_ptr_map_free(&ctx->lazy_bodies);
  DL_VEC_FREE(&ctx->caches);
  DL_VEC_FREE(&ctx->dialects);
  DL_VEC_FREE(&ctx->sources);
  DL_VEC_FREE(&ctx->redirects);
  dl_slab_release(ctx->heaps);
  release_shards(ctx);
  dl_arena_destroy(ctx->arena);
  pthread_mutex_destroy(&ctx->lock);
  pthread_mutex_destroy(&ctx->diag_lock);
  free(ctx);
}

void *dl_context_alloc(dl_context *ctx, size_t size) {
  pthread_mutex_lock(&ctx->lock);
  void *memory = dl_arena_alloc(ctx->arena, size);
  pthread_mutex_unlock(&ctx->lock);
  return memory;
}

// --- dialects and op definitions ---

static bool def_has_name(const void *key, const void *object) {
  return dl_str_is(*(const dl_str *)key, ((const dl_op_def *)object)->name);
}

static uint64_t name_hash(dl_str name) {
  return dl_hash_bytes(DL_UNIQUE_OP_DEF, name.data, name.len);
}

const dl_op_def *dl_find_op_def(dl_context *ctx, dl_str name) {
  return dl_unique_find(ctx, DL_UNIQUE_OP_DEF, name_hash(name), &name, def_has_name);
}

static void *make_unregistered(dl_context *ctx, dl_arena *arena, const void *key) {
  dl_op_def *def = dl_arena_alloc(arena, sizeof(dl_op_def));
  def->name = dl_intern(ctx, *(const dl_str *)key);
  def->summary = "an op that no dialect registers";
  def->traits = DL_UNREGISTERED;
  return def;
}

const dl_op_def *dl_unregistered_op_def(dl_context *ctx, dl_str name) {
  return dl_unique(ctx, DL_UNIQUE_UNREGISTERED, name_hash(name), &name, def_has_name,
                   make_unregistered);
}

static bool def_is(const void *key, const void *object) {
  return !strcmp(((const dl_op_def *)key)->name, ((const dl_op_def *)object)->name);
}

static void *keep_def(dl_context *ctx, dl_arena *arena, const void *key) {
  (void)ctx, (void)arena;
  return (void *)key;
}

dl_status dl_register_dialect(dl_context *ctx, const dl_dialect_def *def) {
  const dl_dialect_def *present = dl_find_dialect(ctx, dl_str_of(def->name));
  if (present == def) return DL_OK;
  dl_spec_prepare(ctx);
  if (present) return dl_error(ctx->unknown_loc, "dialect '%s' is already registered", def->name);
  for (size_t i = 0; i < def->num_ops; i++) {
    const dl_op_def *op = def->ops[i];
    uint64_t hash = name_hash(dl_str_of(op->name));
    if (dl_unique(ctx, DL_UNIQUE_OP_DEF, hash, op, def_is, keep_def) != op)
      return dl_error(ctx->unknown_loc, "op '%s' of dialect '%s' is already registered", op->name,
                      def->name);
  }
  pthread_mutex_lock(&ctx->lock);
  DL_PUSH(&ctx->dialects, def);
  pthread_mutex_unlock(&ctx->lock);
  return DL_OK;
}

const dl_dialect_def *dl_find_dialect(dl_context *ctx, dl_str name) {
  const dl_dialect_def *found = NULL;
  pthread_mutex_lock(&ctx->lock);
  for (size_t i = 0; i < ctx->dialects.len && !found; i++) {
    if (dl_str_is(name, ctx->dialects.data[i]->name)) found = ctx->dialects.data[i];
  }
  pthread_mutex_unlock(&ctx->lock);
  return found;
}

size_t dl_num_dialects(dl_context *ctx) {
  pthread_mutex_lock(&ctx->lock);
  size_t count = ctx->dialects.len;
  pthread_mutex_unlock(&ctx->lock);
  return count;
}

const dl_dialect_def *dl_get_dialect(dl_context *ctx, size_t i) {
  pthread_mutex_lock(&ctx->lock);
  const dl_dialect_def *def = ctx->dialects.data[i];
  pthread_mutex_unlock(&ctx->lock);
  return def;
}

void dl_allow_unregistered(dl_context *ctx, bool allow) {
  atomic_store(&ctx->allow_unregistered, allow);
}

bool dl_allows_unregistered(dl_context *ctx) { return atomic_load(&ctx->allow_unregistered); }

// --- caches ---

void *dl_context_get_cache(dl_context *ctx, const void *key) {
  void *data = NULL;
  pthread_mutex_lock(&ctx->lock);
  for (size_t i = 0; i < ctx->caches.len && !data; i++) {
    if (ctx->caches.data[i].key == key) data = ctx->caches.data[i].data;
  }
  pthread_mutex_unlock(&ctx->lock);
  return data;
}

static dl_cache_slot *cache_slot(dl_context *ctx, const void *key) {
  for (size_t i = 0; i < ctx->caches.len; i++) {
    if (ctx->caches.data[i].key == key) return &ctx->caches.data[i];
  }
  DL_PUSH(&ctx->caches, (dl_cache_slot){.key = key});
  return &ctx->caches.data[ctx->caches.len - 1];
}

void dl_context_set_cache(dl_context *ctx, const void *key, void *data, void (*destroy)(void *)) {
  pthread_mutex_lock(&ctx->lock);
  dl_cache_slot *slot = cache_slot(ctx, key);
  dl_cache_slot old = *slot;
  *slot = (dl_cache_slot){key, data, destroy};
  pthread_mutex_unlock(&ctx->lock);
  if (old.destroy && old.data != data) old.destroy(old.data);
}

// --- resources ---

static dl_owned_resource *owned_resource(dl_context *ctx, dl_ident name) {
  dl_owned_resource *owned = dl_ptr_map_get(&ctx->resources, name);
  if (owned) return owned;
  owned = dl_arena_alloc(ctx->arena, sizeof(*owned));
  dl_ptr_map_set(&ctx->resources, name, owned);
  return owned;
}

void dl_add_resource(dl_context *ctx, dl_ident name, const void *data, size_t size,
                     void (*release)(void *owner), void *owner) {
  pthread_mutex_lock(&ctx->lock);
  dl_owned_resource *owned = owned_resource(ctx, name);
  dl_owned_resource old = *owned;
  *owned = (dl_owned_resource){{name, data, size, 64}, release, owner};
  pthread_mutex_unlock(&ctx->lock);
  if (old.release) old.release(old.owner);
}

void dl_set_resource_alignment(dl_context *ctx, dl_ident name, size_t alignment) {
  pthread_mutex_lock(&ctx->lock);
  owned_resource(ctx, name)->resource.alignment = alignment;
  pthread_mutex_unlock(&ctx->lock);
}

const dl_resource *dl_find_resource(dl_context *ctx, dl_ident name) {
  pthread_mutex_lock(&ctx->lock);
  dl_owned_resource *owned = dl_ptr_map_get(&ctx->resources, name);
  pthread_mutex_unlock(&ctx->lock);
  return owned ? &owned->resource : NULL;
}

dl_ident dl_fresh_resource_name(dl_context *ctx, const char *hint) {
  dl_ident name = dl_intern_z(ctx, hint);
  for (unsigned i = 1; dl_find_resource(ctx, name); i++) name = dl_intern_f(ctx, "%s_%u", hint, i);
  return name;
}
