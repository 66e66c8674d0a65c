#define _GNU_SOURCE
#include "ir/plugin.h"

#include <dlfcn.h>
#include <unistd.h>

typedef struct loaded {
  DL_VEC(const dl_module_def *) modules;
} loaded;

// The address of this object tells which context slot is ours, and dladdr where libdlir lies.
static const char anchor;

static void loaded_destroy(void *data) {
  loaded *all = data;
  DL_VEC_FREE(&all->modules);
  free(all);
}

static loaded *loaded_of(dl_context *ctx) {
  loaded *all = dl_context_get_cache(ctx, &anchor);
  if (all) return all;
  all = dl_calloc(1, sizeof(*all));
  dl_context_set_cache(ctx, &anchor, all, loaded_destroy);
  return all;
}

static dl_status check_module(dl_context *ctx, const char *path, const dl_module_def *module) {
  dl_loc loc = dl_loc_unknown(ctx);
  if (!module)
    return dl_error(loc, "'%s' does not work with version %d of the plugin interface", path,
                    DL_PLUGIN_VERSION);
  if (module->version != DL_PLUGIN_VERSION)
    return dl_error(loc,
                    "'%s' was built for version %u of the plugin interface, this is version %d",
                    path, (unsigned)module->version, DL_PLUGIN_VERSION);
  const loaded *all = loaded_of(ctx);
  for (size_t i = 0; i < all->modules.len; i++)
    if (!strcmp(all->modules.data[i]->name, module->name))
      return dl_error(loc, "'%s': another module named '%s' is loaded", path, module->name);
  return DL_OK;
}

static dl_status register_module(dl_context *ctx, const dl_module_def *module) {
  for (size_t i = 0; i < module->num_targets; i++)
    if (dl_find_target(ctx, module->targets[i]->name))
      return dl_error(dl_loc_unknown(ctx), "module '%s': another target is named '%s'",
                      module->name, module->targets[i]->name);
  for (size_t i = 0; i < module->num_dialects; i++)
    DL_TRY(dl_register_dialect(ctx, module->dialects[i]));
  DL_TRY(dl_register_passes(ctx, module->num_passes, module->passes));
  DL_PUSH(&loaded_of(ctx)->modules, module);
  return DL_OK;
}

static bool is_loaded(dl_context *ctx, const dl_module_def *module) {
  const loaded *all = loaded_of(ctx);
  for (size_t i = 0; i < all->modules.len; i++)
    if (all->modules.data[i] == module) return true;
  return false;
}

// Modules stay mapped once accepted: contexts, and other contexts, hold their tables.
static dl_status load(dl_context *ctx, const char *path, bool again_is_worth_a_remark) {
  dl_loc loc = dl_loc_unknown(ctx);
  void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!handle) return dl_error(loc, "cannot load '%s': %s", path, dlerror());
  void *symbol = dlsym(handle, "dl_module_query");
  if (!symbol) {
    dlclose(handle);
    return dl_error(loc, "'%s' is no DLIR module: it exports no dl_module_query", path);
  }
  dl_module_query_fn query;
  memcpy(&query, &symbol, sizeof(query));
  const dl_module_def *module = query(DL_PLUGIN_VERSION);
  if (module && is_loaded(ctx, module)) {
    if (again_is_worth_a_remark) dl_remark(loc, "'%s' is already loaded", path);
    return DL_OK;
  }
  if (check_module(ctx, path, module) != DL_OK) {
    dlclose(handle);
    return DL_FAILED;
  }
  return register_module(ctx, module);
}

dl_status dl_load_plugin(dl_context *ctx, const char *path) {
  // Without a slash dlopen would look on the library path only.
  dl_buffer file = {0};
  dl_buffer_printf(&file, "%s%s", strchr(path, '/') ? "" : "./", path);
  dl_status status = load(ctx, file.data, true);
  dl_buffer_free(&file);
  return status;
}

static void module_path(dl_buffer *out, dl_str folder, const char *sub, const char *name) {
  out->len = 0;
  dl_buffer_printf(out, "%.*s%s/libdlir-target-%s.so", (int)folder.len, folder.data, sub, name);
}

static bool find_in_list(dl_buffer *out, const char *list, const char *name) {
  while (list && *list) {
    dl_str folder = {list, strcspn(list, ":")};
    module_path(out, folder, "", name);
    if (access(out->data, R_OK) == 0) return true;
    list += folder.len + (list[folder.len] == ':');
  }
  return false;
}

static bool find_beside_library(dl_buffer *out, const char *name) {
  Dl_info info;
  if (!dladdr(&anchor, &info) || !info.dli_fname) return false;
  const char *slash = strrchr(info.dli_fname, '/');
  dl_str folder = slash ? (dl_str){info.dli_fname, (size_t)(slash - info.dli_fname)} : DL_STR(".");
  module_path(out, folder, "", name);
  if (access(out->data, R_OK) == 0) return true;
  module_path(out, folder, "/dlir", name);
  return access(out->data, R_OK) == 0;
}

dl_status dl_load_target(dl_context *ctx, const char *name) {
  dl_buffer path = {0};
  bool found =
      find_in_list(&path, getenv("DLIR_TARGET_PATH"), name) || find_beside_library(&path, name);
  dl_status status = found ? load(ctx, path.data, false)
                           : dl_error(dl_loc_unknown(ctx),
                                      "the module of target '%s' is not installed: '%s' not found",
                                      name, path.data);
  dl_buffer_free(&path);
  return status;
}

const dl_target_def *dl_find_target(dl_context *ctx, const char *name) {
  const loaded *all = loaded_of(ctx);
  for (size_t i = 0; i < all->modules.len; i++)
    for (size_t j = 0; j < all->modules.data[i]->num_targets; j++)
      if (!strcmp(all->modules.data[i]->targets[j]->name, name))
        return all->modules.data[i]->targets[j];
  return NULL;
}

static bool ends_with(const char *text, const char *suffix) {
  size_t len = strlen(text), end = strlen(suffix);
  return len >= end && !strcmp(text + len - end, suffix);
}

const dl_target_def *dl_find_importer(dl_context *ctx, const char *path) {
  const loaded *all = loaded_of(ctx);
  for (size_t i = 0; i < all->modules.len; i++)
    for (size_t j = 0; j < all->modules.data[i]->num_targets; j++) {
      const dl_target_def *target = all->modules.data[i]->targets[j];
      if (target->import && target->suffix && ends_with(path, target->suffix)) return target;
    }
  return NULL;
}
