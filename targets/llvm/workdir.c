#include "targets/llvm/workdir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ir/files.h"

static char *template_beside(const char *output, bool replaces) {
  dl_buffer text = {0};
  const char *slash = strrchr(output, '/'), *shared = getenv("TMPDIR");
  if (!replaces)
    dl_buffer_printf(&text, "%s/", shared && *shared ? shared : "/tmp");
  else if (slash)
    dl_buffer_append(&text, output, (size_t)(slash - output) + 1);
  dl_buffer_puts(&text, ".dlir-XXXXXX");
  return text.data;
}

dl_status dl_workdir_create(dl_workdir *dir, dl_loc loc, const char *output) {
  struct stat info;
  bool replaces = stat(output, &info) || S_ISREG(info.st_mode);
  if (!replaces && S_ISDIR(info.st_mode))
    return dl_error(loc, "cannot write '%s': it is a directory", output);
  *dir = (dl_workdir){.loc = loc, .output = output, .replaces = replaces};
  dir->path = template_beside(output, replaces);
  if (mkdtemp(dir->path)) {
    dl_temporaries_add(dl_get_temporaries(loc->ctx), dir->path);
    return DL_OK;
  }
  int error = errno;
  free(dir->path);
  return dl_error(loc, "cannot write '%s': %s", output, strerror(error));
}

const char *dl_workdir_file(dl_workdir *dir, const char *name) {
  dl_buffer path = {0};
  dl_buffer_printf(&path, "%s/%s", dir->path, name);
  DL_PUSH(&dir->files, path.data);
  return path.data;
}

// Says what a user knows of: the output, whatever file it was.
static dl_status cannot_write(dl_workdir *dir) {
  return dl_error(dir->loc, "cannot write '%s': %s", dir->output, strerror(errno));
}

dl_status dl_workdir_write(dl_workdir *dir, const char *file, const void *bytes, size_t size) {
  FILE *out = fopen(file, "wb");
  if (!out) return cannot_write(dir);
  bool written = size == 0 || fwrite(bytes, size, 1, out) == 1;
  if (fclose(out) || !written) return cannot_write(dir);
  return DL_OK;
}

static bool copy_through(int from, int to) {
  char buffer[1 << 16];
  ssize_t got;
  while ((got = read(from, buffer, sizeof(buffer))) > 0)
    for (ssize_t done = 0, n; done < got; done += n)
      if ((n = write(to, buffer + done, (size_t)(got - done))) < 0) return false;
  return got == 0;
}

static dl_status write_through(dl_workdir *dir, const char *file) {
  int from = open(file, O_RDONLY | O_CLOEXEC), to = open(dir->output, O_WRONLY | O_CLOEXEC);
  bool copied = from >= 0 && to >= 0 && copy_through(from, to);
  int error = errno;
  if (from >= 0) close(from);
  if (to >= 0 && close(to) && copied) copied = false, error = errno;
  errno = error;
  return copied ? DL_OK : cannot_write(dir);
}

dl_status dl_workdir_publish(dl_workdir *dir, const char *file) {
  if (!dir->replaces) return write_through(dir, file);
  return rename(file, dir->output) ? cannot_write(dir) : DL_OK;
}

dl_status dl_workdir_publish_beside(dl_workdir *dir, const char *file, const char *path) {
  if (!dir->replaces)
    return dl_error(dir->loc, "cannot write '%s' beside '%s', which is no regular file", path,
                    dir->output);
  if (!rename(file, path)) return DL_OK;
  return dl_error(dir->loc, "cannot write '%s': %s", path, strerror(errno));
}

void dl_workdir_remove(dl_workdir *dir) {
  for (size_t i = 0; i < dir->files.len; i++) free(dir->files.data[i]);
  DL_VEC_FREE(&dir->files);
  dl_remove_tree(dir->path);
  dl_temporaries_drop(dl_get_temporaries(dir->loc->ctx), dir->path);
  free(dir->path);
}
