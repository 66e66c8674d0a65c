// ir/base.h: what every header of DLIR shares: status, string views, interned names, growing
// buffers.
#ifndef DLIR_IR_BASE_H
#define DLIR_IR_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
#error "DLIR's headers are C17; wrap them in your own C file"
#endif

#define DL_API __attribute__((visibility("default")))
#define DL_NODISCARD __attribute__((warn_unused_result))
#define DL_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define DL_COUNT(array) (sizeof(array) / sizeof((array)[0]))

// The outcome of what can fail because of the user's input. A failure has already emitted its
// diagnostic.
typedef enum dl_status { DL_OK = 0, DL_FAILED = 1 } dl_status;

// Returns DL_FAILED from the calling function when `expr` fails.
#define DL_TRY(expr)                       \
  do {                                     \
    if ((expr) != DL_OK) return DL_FAILED; \
  } while (0)

typedef struct dl_context dl_context;

// A borrowed run of bytes, not necessarily NUL-terminated.
typedef struct dl_str {
  const char *data;
  size_t len;
} dl_str;

#define DL_STR(literal) ((dl_str){(literal), sizeof(literal) - 1})

static inline dl_str dl_str_of(const char *text) { return (dl_str){text, strlen(text)}; }
static inline bool dl_str_equal(dl_str a, dl_str b) {
  return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}
static inline bool dl_str_is(dl_str a, const char *text) {
  return dl_str_equal(a, dl_str_of(text));
}

// A name interned in a context: NUL-terminated, alive as long as the context, equal iff the
// pointers are.
typedef const char *dl_ident;

// Interns `text` (which may hold any byte but NUL).
DL_API dl_ident dl_intern(dl_context *ctx, dl_str text);
DL_API dl_ident dl_intern_z(dl_context *ctx, const char *text);
DL_API dl_ident dl_intern_f(dl_context *ctx, const char *format, ...) DL_PRINTF(2, 3);

// A growing, always NUL-terminated text buffer. Zero-initialize; free with dl_buffer_free.
typedef struct dl_buffer {
  char *data;
  size_t len, capacity;
} dl_buffer;

// Makes room for `extra` more bytes and the NUL.
DL_API void dl_buffer_reserve(dl_buffer *buffer, size_t extra);

static inline void dl_buffer_append(dl_buffer *buffer, const void *bytes, size_t len) {
  if (buffer->capacity - buffer->len <= len) dl_buffer_reserve(buffer, len);
  if (len) memcpy(buffer->data + buffer->len, bytes, len);
  buffer->len += len;
  buffer->data[buffer->len] = '\0';
}
static inline void dl_buffer_puts(dl_buffer *buffer, const char *text) {
  dl_buffer_append(buffer, text, strlen(text));
}
static inline void dl_buffer_putc(dl_buffer *buffer, char c) { dl_buffer_append(buffer, &c, 1); }
DL_API void dl_buffer_put_unsigned(dl_buffer *buffer, uint64_t value);  // in decimal
DL_API void dl_buffer_put_signed(dl_buffer *buffer, int64_t value);
DL_API void dl_buffer_printf(dl_buffer *buffer, const char *format, ...) DL_PRINTF(2, 3);
DL_API void dl_buffer_vprintf(dl_buffer *buffer, const char *format, va_list args);
DL_API void dl_buffer_free(dl_buffer *buffer);

// malloc and friends that abort with a message when memory runs out: running out of memory is not
// a condition that compilation recovers from.
DL_API void *dl_malloc(size_t size);
DL_API void *dl_calloc(size_t count, size_t size);
DL_API void *dl_realloc(void *memory, size_t size);

// A growing array of T. DL_VEC(int) v = {0}; DL_PUSH(&v, 3); v.data[0], v.len; dl_free_vec.
#define DL_VEC(T)         \
  struct {                \
    T *data;              \
    size_t len, capacity; \
  }
#define DL_PUSH(vec, ...)                                                            \
  do {                                                                               \
    if ((vec)->len == (vec)->capacity) {                                             \
      (vec)->capacity = (vec)->capacity ? 2 * (vec)->capacity : 8;                   \
      (vec)->data = dl_realloc((vec)->data, (vec)->capacity * sizeof(*(vec)->data)); \
    }                                                                                \
    (vec)->data[(vec)->len++] = __VA_ARGS__;                                         \
  } while (0)
#define DL_VEC_FREE(vec) (free((vec)->data), (vec)->data = NULL, (vec)->len = (vec)->capacity = 0)

// A bump allocator whose memory is freed all at once.
typedef struct dl_arena dl_arena;
DL_API dl_arena *dl_arena_create(void);
DL_API void dl_arena_destroy(dl_arena *arena);
DL_API void *dl_arena_alloc(dl_arena *arena, size_t size);  // zeroed, 16-byte aligned
// A mark, and the way back to it: what was allocated since is gone. Marks nest.
typedef struct dl_arena_mark {
  void *chunk;
  char *free, *end;
} dl_arena_mark;
DL_API dl_arena_mark dl_arena_here(const dl_arena *arena);
DL_API void dl_arena_reset(dl_arena *arena, dl_arena_mark mark);
DL_API char *dl_arena_copy_str(dl_arena *arena, dl_str text);  // NUL-terminated

// A hash map from pointers to pointers (NULL is no key). Zero-initialize; free with
// dl_ptr_map_free.
typedef struct dl_ptr_map {
  const void **keys;
  void **values;
  size_t len, capacity;
} dl_ptr_map;

DL_API void dl_ptr_map_set(dl_ptr_map *map, const void *key, void *value);
DL_API void *dl_ptr_map_get(const dl_ptr_map *map, const void *key);  // NULL when absent
DL_API bool dl_ptr_map_has(const dl_ptr_map *map, const void *key);
DL_API void dl_ptr_map_remove(dl_ptr_map *map, const void *key);
DL_API void dl_ptr_map_free(dl_ptr_map *map);

// Stops the process because of a bug in DLIR or in a plugin: prints the message and, if `op` is not
// NULL, the IR around it. Never for user errors.
struct dl_op;
DL_API void dl_bug(const struct dl_op *op, const char *format, ...) __attribute__((noreturn))
DL_PRINTF(2, 3);

#endif
