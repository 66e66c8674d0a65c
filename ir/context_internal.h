// ir/context_internal.h: the inside of a context, for ir/ only: the uniquing tables and the
// allocator of ops.
#ifndef DLIR_IR_CONTEXT_INTERNAL_H
#define DLIR_IR_CONTEXT_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "ir/context.h"
#include "ir/diag.h"
#include "ir/hash.h"
#include "ir/op_def.h"

// A set of immutable objects found by content. Lookups take no lock: slots are published with
// release stores, and a table that was outgrown stays readable until the context goes. Inserting
// locks the shard.
typedef struct dl_unique_slot {
  _Atomic uint64_t hash;
  _Atomic(void *) object;  // NULL: free
} dl_unique_slot;

typedef struct dl_unique_table {
  size_t capacity;  // a power of two
  dl_unique_slot slots[];
} dl_unique_table;

typedef struct dl_unique_shard {
  pthread_mutex_t lock;
  _Atomic(dl_unique_table *) table;
  size_t len;
  dl_arena *arena;  // of the objects and of outgrown tables
} dl_unique_shard;

typedef enum dl_unique_class {
  DL_UNIQUE_IDENT,
  DL_UNIQUE_TYPE,
  DL_UNIQUE_ATTR,
  DL_UNIQUE_EXPR,
  DL_UNIQUE_MAP,
  DL_UNIQUE_LOC,
  DL_UNIQUE_OP_DEF,        // registered, by name
  DL_UNIQUE_UNREGISTERED,  // made up for unregistered names
  DL_UNIQUE_OP_INFO,       // by definition
  DL_NUM_UNIQUE_CLASSES,
} dl_unique_class;

enum { DL_UNIQUE_SHARDS = 8 };

typedef bool (*dl_unique_equal)(const void *key, const void *object);
// Makes the object for a key; memory from the arena (zeroed).
typedef void *(*dl_unique_make)(dl_context *ctx, dl_arena *arena, const void *key);

void *dl_unique(dl_context *ctx, dl_unique_class class, uint64_t hash, const void *key,
                dl_unique_equal equal, dl_unique_make make);
// Only looks: NULL when there is none.
void *dl_unique_find(dl_context *ctx, dl_unique_class class, uint64_t hash, const void *key,
                     dl_unique_equal equal);

// Small blocks for ops, blocks and arguments, in size classes with free lists. Several heaps, so
// that threads seldom meet; a block may be freed by another thread than allocated it.
enum {
  DL_SLAB_GRAIN = 8,
  DL_SLAB_CLASSES = 128,
  DL_SLAB_HEAPS = 8,
  DL_SLAB_CHUNK = 1 << 18,
  DL_HUGE_PAGE = 1 << 21,
  DL_SLAB_LAST_CHUNK = 4 * DL_HUGE_PAGE
};

typedef struct dl_slab_heap {
  _Alignas(64) atomic_flag busy;
  void *free_lists[DL_SLAB_CLASSES];
  char *free, *end;
  size_t size;  // of all chunks
  void *chunks;
  struct large_block *large;
} dl_slab_heap;

void *dl_slab_alloc(dl_context *ctx, size_t size);  // not zeroed
void dl_slab_free(dl_context *ctx, void *memory, size_t size);
void dl_slab_init(dl_slab_heap *heaps);
void dl_slab_release(dl_slab_heap *heaps);

typedef struct dl_owned_resource {
  dl_resource resource;
  void (*release)(void *owner);
  void *owner;
} dl_owned_resource;

typedef struct dl_cache_slot {
  const void *key;
  void *data;
  void (*destroy)(void *);
} dl_cache_slot;

typedef struct dl_source {
  dl_ident path;
  dl_str text;
  bool mapped;
} dl_source;

bool dl_is_mapped_source(dl_context *ctx, dl_str text);

// What a thread has to say while others work too, to be said in order later. A record without
// location is text for `out`.
typedef struct dl_diag_record {
  dl_severity severity;
  dl_loc loc;
  char *text;
  FILE *out;
} dl_diag_record;

typedef struct dl_diag_log {
  DL_VEC(dl_diag_record) records;
  size_t num_errors;
} dl_diag_log;

typedef struct dl_redirect {
  pthread_t thread;
  dl_diag_log *log;
} dl_redirect;

// From now on the diagnostics of this thread go to the log; NULL: no longer.
void dl_diag_redirect(dl_context *ctx, dl_diag_log *log);
// Writes text, through the log of this thread if there is one.
void dl_diag_write(dl_context *ctx, FILE *out, const char *text);
// Says all that is in the log, and empties it.
void dl_diag_replay(dl_context *ctx, dl_diag_log *log);
void dl_diag_log_free(dl_diag_log *log);

enum { DL_FIRST_NAMES = 256, DL_NAME_CHUNKS = 24 };

struct dl_context {
  dl_unique_shard unique[DL_NUM_UNIQUE_CLASSES][DL_UNIQUE_SHARDS];
  dl_slab_heap heaps[DL_SLAB_HEAPS];
  pthread_mutex_t lock;  // of what follows
  dl_arena *arena;
  DL_VEC(const dl_dialect_def *) dialects;
  DL_VEC(dl_cache_slot) caches;
  DL_VEC(dl_source) sources;
  dl_ptr_map resources;                // dl_ident -> dl_owned_resource
  struct dl_temporaries *temporaries;  // borrowed; or NULL
  dl_ptr_map lazy_bodies;              // dl_op -> where its regions are (binary_lazy.c)
  pthread_mutex_t diag_lock;           // recursive: a handler may emit
  dl_diag_handler handler;
  void *handler_user;
  DL_VEC(dl_redirect) redirects;
  atomic_size_t num_errors;
  atomic_bool allow_unregistered;
  struct dl_step_counter *steps;  // or NULL (ir/steps.h)
  // Made at creation, because everything asks for them.
  dl_loc unknown_loc;
  _Atomic(dl_ident *)
      names[DL_NAME_CHUNKS];  // numbered by dl_name_index; each twice the one before
  uint32_t num_names, num_paths;
  _Atomic(dl_ident) paths[1 << 10];  // numbered by dl_path_index
  dl_ident operand_segments, result_segments, sym_name, value_name;
};

// The length of an interned name, without counting.
size_t dl_ident_len(dl_ident ident);
// Small numbers, from 1, for the names that values have, and back.
uint32_t dl_name_index(dl_context *ctx, dl_ident ident);
dl_ident dl_name_at(const dl_context *ctx, uint32_t index);

#endif
