// ir/context.h: the owner of everything uniqued (types, attributes, names, locations), of the
// loaded dialects and of the diagnostic handler. There are no mutable globals: every entry point
// takes a context or a thing that belongs to one.
#ifndef DLIR_IR_CONTEXT_H
#define DLIR_IR_CONTEXT_H

#include "ir/base.h"

typedef struct dl_op_def dl_op_def;
typedef struct dl_dialect_def dl_dialect_def;

DL_API dl_context *dl_context_create(void);
// Destroys the context with every uniqued object, and the ops that are left.
DL_API void dl_context_destroy(dl_context *ctx);

// Registers a dialect: its ops become known by name. `def` must outlive the context (a const table,
// or memory from dl_context_arena). Registering the same table twice is a no-op; another table with
// the same name fails with a diagnostic.
DL_API dl_status dl_register_dialect(dl_context *ctx, const dl_dialect_def *def);
DL_API const dl_dialect_def *dl_find_dialect(dl_context *ctx, dl_str name);  // NULL when unknown
DL_API size_t dl_num_dialects(dl_context *ctx);
DL_API const dl_dialect_def *dl_get_dialect(dl_context *ctx, size_t i);  // in order of registration

// The op definition for a full name such as "graph.conv2d", or NULL.
DL_API const dl_op_def *dl_find_op_def(dl_context *ctx, dl_str name);
// A definition for an op that no dialect registers: same name, same address. Such ops have no
// constraints.
DL_API const dl_op_def *dl_unregistered_op_def(dl_context *ctx, dl_str name);

DL_API void dl_allow_unregistered(dl_context *ctx, bool allow);
DL_API bool dl_allows_unregistered(dl_context *ctx);

// Memory that lives as long as the context. Thread-safe.
DL_API void *dl_context_alloc(dl_context *ctx, size_t size);

// One slot per key for data that a component caches in the context (parsed specs, machine
// descriptions). The key is the address of a static const object; `destroy` runs at
// dl_context_destroy.
DL_API void *dl_context_get_cache(dl_context *ctx, const void *key);
DL_API void dl_context_set_cache(dl_context *ctx, const void *key, void *data,
                                 void (*destroy)(void *));

// Resources: named runs of bytes that attributes (dense_resource<name>) refer to. The context
// borrows the bytes unless `release` is given, which is called with `owner` at destruction or
// replacement.
typedef struct dl_resource {
  dl_ident name;
  const void *data;
  size_t size;       // bytes
  size_t alignment;  // of data, as the text that defines it has it; a power of two, 64 unless set
} dl_resource;
DL_API void dl_add_resource(dl_context *ctx, dl_ident name, const void *data, size_t size,
                            void (*release)(void *owner), void *owner);
DL_API void dl_set_resource_alignment(dl_context *ctx, dl_ident name, size_t alignment);
DL_API const dl_resource *dl_find_resource(dl_context *ctx, dl_ident name);  // NULL when unknown
// A name that no resource has yet, made from `hint`.
DL_API dl_ident dl_fresh_resource_name(dl_context *ctx, const char *hint);

#endif
