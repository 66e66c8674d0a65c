// What a context knows about op definitions.
#include "ir/op_info.h"

#include "ir/context_internal.h"
#include "ir/text_internal.h"

static bool info_is_of(const void *key, const void *object) {
  return ((const dl_op_info *)object)->def == key;
}

static dl_str quote(dl_arena *arena, const char *name) {
  dl_buffer text = {0};
  dl_write_string(&text, dl_str_of(name));
  dl_str quoted = {dl_arena_copy_str(arena, (dl_str){text.data, text.len}), text.len};
  dl_buffer_free(&text);
  return quoted;
}

static uint32_t fixed_count(size_t num_specs, const dl_value_spec *specs) {
  for (size_t i = 0; i < num_specs; i++)
    if (specs[i].arity != DL_ONE) return DL_ANY_COUNT;
  return (uint32_t)num_specs;
}

static void *make_info(dl_context *ctx, dl_arena *arena, const void *key) {
  const dl_op_def *def = key;
  dl_op_info *info = dl_arena_alloc(arena, sizeof(*info));
  dl_ident *names = dl_arena_alloc(arena, (def->num_attrs + 1) * sizeof(*names));
  for (size_t i = 0; i < def->num_attrs; i++) names[i] = dl_intern_z(ctx, def->attrs[i].name);
  *info =
      (dl_op_info){.def = def,
                   .ctx = ctx,
                   .traits = def->traits,
                   .attr_names = names,
                   .name = dl_str_of(def->name),
                   .quoted = quote(arena, def->name),
                   .is_bare = strchr(def->name, '.') && dl_is_bare_identifier(dl_str_of(def->name)),
                   .num_operands = fixed_count(def->num_operands, def->operands),
                   .num_results = fixed_count(def->num_results, def->results)};
  return info;
}

const dl_op_info *dl_op_info_of(dl_context *ctx, const dl_op_def *def) {
  return dl_unique(ctx, DL_UNIQUE_OP_INFO, dl_hash_pointer(def), def, info_is_of, make_info);
}

const dl_dialect_def *dl_op_info_dialect(const dl_op_info *info) {
  const dl_dialect_def *dialect = atomic_load_explicit(&info->dialect, memory_order_relaxed);
  const char *dot = dialect ? NULL : memchr(info->name.data, '.', info->name.len);
  if (!dot) return dialect;
  dialect = dl_find_dialect(info->ctx, (dl_str){info->name.data, (size_t)(dot - info->name.data)});
  atomic_store_explicit(&((dl_op_info *)info)->dialect, dialect, memory_order_relaxed);
  return dialect;
}
