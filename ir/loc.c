#include "ir/context_internal.h"
#include "ir/diag.h"
#include "ir/op_internal.h"

static bool loc_equal(const void *key, const void *object) {
  dl_loc a = key, b = object;
  if (a->kind != b->kind || a->name != b->name || a->line != b->line || a->column != b->column ||
      a->end_line != b->end_line || a->end_column != b->end_column)
    return false;
  if (a->kind == DL_LOC_FILE) return true;
  if (a->child != b->child || a->caller != b->caller || a->num_locs != b->num_locs ||
      a->metadata != b->metadata)
    return false;
  return !a->num_locs || !memcmp(a->locs, b->locs, a->num_locs * sizeof(dl_loc));
}

// Most locations are positions in files, one for each op: those get no room for the fields after
// theirs.
static void *make_loc(dl_context *ctx, dl_arena *arena, const void *key) {
  (void)ctx;
  dl_loc from = key;
  bool is_file = from->kind == DL_LOC_FILE;
  size_t size = is_file ? offsetof(struct dl_loc_data, child) : sizeof(*from);
  struct dl_loc_data *loc = dl_arena_alloc(arena, size);
  memcpy(loc, from, size);
  if (is_file || !from->num_locs) return loc;
  dl_loc *locs = dl_arena_alloc(arena, from->num_locs * sizeof(dl_loc));
  memcpy(locs, from->locs, from->num_locs * sizeof(dl_loc));
  loc->locs = locs;
  return loc;
}

static dl_loc unique_loc(const struct dl_loc_data *key) {
  uint64_t hash = dl_hash_mix(key->kind, (uintptr_t)key->name);
  hash = dl_hash_mix(hash, key->line << 20 ^ key->column);
  if (key->end_line) hash = dl_hash_mix(hash, key->end_line << 20 ^ key->end_column);
  if (key->kind != DL_LOC_FILE) {
    hash = dl_hash_mix(hash, (uintptr_t)key->child ^ (uintptr_t)key->metadata);
    hash = dl_hash_mix(hash, (uintptr_t)key->caller);
    hash = dl_hash_bytes(hash, key->locs, key->num_locs * sizeof(dl_loc));
  }
  return dl_unique(key->ctx, DL_UNIQUE_LOC, hash, key, loc_equal, make_loc);
}

dl_loc dl_loc_unknown(dl_context *ctx) {
  if (ctx->unknown_loc) return ctx->unknown_loc;
  return unique_loc(&(struct dl_loc_data){.ctx = ctx, .kind = DL_LOC_UNKNOWN});
}

dl_loc dl_loc_file(dl_context *ctx, dl_ident path, uint64_t line, uint64_t column) {
  return dl_loc_file_range(ctx, path, line, column, 0, 0);
}

dl_loc dl_loc_file_range(dl_context *ctx, dl_ident path, uint64_t line, uint64_t column,
                         uint64_t end_line, uint64_t end_column) {
  return unique_loc(&(struct dl_loc_data){.ctx = ctx,
                                          .kind = DL_LOC_FILE,
                                          .name = path,
                                          .line = line,
                                          .column = column,
                                          .end_line = end_line,
                                          .end_column = end_column});
}

dl_loc dl_loc_name(dl_context *ctx, dl_ident name, dl_loc child) {
  if (child && child->kind == DL_LOC_UNKNOWN) child = NULL;
  return unique_loc(
      &(struct dl_loc_data){.ctx = ctx, .kind = DL_LOC_NAME, .name = name, .child = child});
}

dl_loc dl_loc_callsite(dl_context *ctx, dl_loc callee, dl_loc caller) {
  return unique_loc(&(struct dl_loc_data){
      .ctx = ctx, .kind = DL_LOC_CALLSITE, .child = callee, .caller = caller});
}

dl_loc dl_loc_fused(dl_context *ctx, size_t count, const dl_loc *locs, dl_attr metadata) {
  return unique_loc(&(struct dl_loc_data){.ctx = ctx,
                                          .kind = DL_LOC_FUSED,
                                          .num_locs = count,
                                          .locs = count ? locs : NULL,
                                          .metadata = metadata});
}

dl_ident dl_loc_first_name(dl_loc loc) {
  switch (loc->kind) {
    case DL_LOC_NAME:
      return loc->name;
    case DL_LOC_CALLSITE: {
      dl_ident name = dl_loc_first_name(loc->child);
      return name ? name : dl_loc_first_name(loc->caller);
    }
    case DL_LOC_FUSED:
      for (size_t i = 0; i < loc->num_locs; i++) {
        dl_ident name = dl_loc_first_name(loc->locs[i]);
        if (name) return name;
      }
      return NULL;
    default:
      return NULL;
  }
}

// --- places: 1 bit that is set, the path, the line, the column ---

enum { LINE_BITS = 30, COLUMN_BITS = 63 - DL_PATH_BITS - LINE_BITS };

dl_place dl_place_file(dl_context *ctx, uint32_t path, uint64_t line, uint64_t column) {
  if (line >> LINE_BITS || column >> COLUMN_BITS)
    return dl_place_of(dl_loc_file(ctx, ctx->paths[path], line, column));
  return ((column << LINE_BITS | line) << DL_PATH_BITS | path) << 1 | 1;
}

bool dl_place_position(dl_context *ctx, dl_place place, dl_ident *path, uint64_t *line,
                       uint64_t *column) {
  if (!(place & 1)) {
    dl_loc loc = (dl_loc)(uintptr_t)place;
    if (loc->kind != DL_LOC_FILE || loc->end_line || loc->end_column) return false;
    *path = loc->name;
    *line = loc->line;
    *column = loc->column;
    return true;
  }
  place >>= 1;
  *path = atomic_load_explicit(&ctx->paths[place & (DL_MAX_PATHS - 1)], memory_order_acquire);
  place >>= DL_PATH_BITS;
  *line = place & (((uint64_t)1 << LINE_BITS) - 1);
  *column = place >> LINE_BITS;
  return true;
}

dl_loc dl_place_loc(dl_context *ctx, dl_place place) {
  if (!(place & 1)) return (dl_loc)(uintptr_t)place;
  dl_ident path;
  uint64_t line, column;
  dl_place_position(ctx, place, &path, &line, &column);
  return dl_loc_file(ctx, path, line, column);
}
