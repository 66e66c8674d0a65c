#include "ir/files.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ir/context_internal.h"

// --- temporary files and folders ---

struct dl_temporaries {
  pthread_mutex_t lock;
  DL_VEC(char *) paths;
};

dl_temporaries *dl_temporaries_create(void) {
  dl_temporaries *list = dl_calloc(1, sizeof(*list));
  pthread_mutex_init(&list->lock, NULL);
  return list;
}

void dl_temporaries_destroy(dl_temporaries *list) {
  if (!list) return;
  for (size_t i = 0; i < list->paths.len; i++) free(list->paths.data[i]);
  DL_VEC_FREE(&list->paths);
  pthread_mutex_destroy(&list->lock);
  free(list);
}

void dl_temporaries_add(dl_temporaries *list, const char *path) {
  if (!list) return;
  pthread_mutex_lock(&list->lock);
  DL_PUSH(&list->paths, strdup(path));
  pthread_mutex_unlock(&list->lock);
}

void dl_temporaries_drop(dl_temporaries *list, const char *path) {
  if (!list) return;
  pthread_mutex_lock(&list->lock);
  for (size_t i = list->paths.len; i-- > 0;) {
    if (strcmp(list->paths.data[i], path) != 0) continue;
    free(list->paths.data[i]);
    list->paths.data[i] = list->paths.data[--list->paths.len];
    break;
  }
  pthread_mutex_unlock(&list->lock);
}

static void remove_entries(const char *path) {
  DIR *dir = opendir(path);
  for (struct dirent *entry; dir && (entry = readdir(dir));) {
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    dl_buffer inner = {0};
    dl_buffer_printf(&inner, "%s/%s", path, entry->d_name);
    dl_remove_tree(inner.data);
    dl_buffer_free(&inner);
  }
  if (dir) closedir(dir);
}

// Another thread, or a program that it started, may still be adding files.
void dl_remove_tree(const char *path) {
  enum { ATTEMPTS = 5 };
  struct stat info;
  bool is_folder = lstat(path, &info) == 0 && S_ISDIR(info.st_mode);
  if (!is_folder) {
    unlink(path);
    return;
  }
  for (int i = 0; i < ATTEMPTS; i++) {
    remove_entries(path);
    if (rmdir(path) == 0 || errno != ENOTEMPTY) return;
  }
}

// The lock is kept.
void dl_temporaries_remove_all(dl_temporaries *list) {
  if (!list) return;
  pthread_mutex_lock(&list->lock);
  for (size_t i = 0; i < list->paths.len; i++) dl_remove_tree(list->paths.data[i]);
}

void dl_set_temporaries(dl_context *ctx, dl_temporaries *list) { ctx->temporaries = list; }

dl_temporaries *dl_get_temporaries(dl_context *ctx) { return ctx->temporaries; }

// --- output files ---

bool dl_is_special_file(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 && !S_ISREG(info.st_mode);
}

static void forget_temporary(dl_output_file *out) {
  if (out->temporary) dl_temporaries_drop(out->list, out->temporary);
  free(out->temporary);
}

bool dl_output_open(dl_output_file *out, dl_temporaries *list, const char *path) {
  dl_buffer name = {0};
  if (!dl_is_special_file(path)) dl_buffer_printf(&name, "%s.%ld.tmp", path, (long)getpid());
  *out = (dl_output_file){.path = path, .temporary = name.data, .list = list};
  if (out->temporary) dl_temporaries_add(list, out->temporary);
  out->file = fopen(out->temporary ? out->temporary : path, "wb");
  if (out->file) return true;
  int error = errno;
  forget_temporary(out);
  errno = error;
  return false;
}

bool dl_output_close(dl_output_file *out, bool keep) {
  // A write that failed has just said why.
  bool whole = !ferror(out->file);
  if (whole) errno = 0;
  int error = errno;
  whole = fclose(out->file) == 0 && whole;
  if (!error) error = errno;
  if (whole && keep && out->temporary) whole = rename(out->temporary, out->path) == 0;
  if (!error) error = errno ? errno : EIO;
  if (out->temporary && !(whole && keep)) unlink(out->temporary);
  forget_temporary(out);
  errno = error;
  return whole || !keep;
}
