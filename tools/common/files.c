#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/common/cli.h"

bool dl_cli_read_file(const char *tool, const char *path, dl_buffer *text) {
  FILE *file = strcmp(path, "-") ? fopen(path, "rb") : stdin;
  if (!file) return dl_cli_error(tool, "cannot open '%s': %s", path, strerror(errno)), false;
  char chunk[65536];
  size_t len;
  errno = 0;
  while ((len = fread(chunk, 1, sizeof(chunk), file)) > 0) dl_buffer_append(text, chunk, len);
  bool failed = ferror(file);
  if (failed) dl_cli_error(tool, "cannot read '%s': %s", path, strerror(errno));
  if (file != stdin) fclose(file);
  return !failed;
}

static bool write_all(FILE *file, dl_str text) {
  return text.len == 0 || fwrite(text.data, 1, text.len, file) == text.len;
}

// Devices and pipes cannot be replaced by a rename.
static bool is_special(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 && !S_ISREG(info.st_mode);
}

static bool write_then_rename(const char *path, dl_str text) {
  dl_buffer temporary = {0};
  bool direct = is_special(path);
  dl_buffer_printf(&temporary, direct ? "%s" : "%s.tmp%ld", path, (long)getpid());
  FILE *file = fopen(temporary.data, "wb");
  bool ok = file && write_all(file, text);
  if (file && fclose(file) != 0) ok = false;
  int error = errno;
  if (ok && !direct && rename(temporary.data, path) != 0) ok = false, error = errno;
  if (!ok && !direct && file) unlink(temporary.data);
  dl_buffer_free(&temporary);
  errno = error;
  return ok;
}

bool dl_cli_write_file(const char *tool, const char *path, dl_str text) {
  errno = 0;
  bool standard = !strcmp(path, "-");
  bool ok =
      standard ? write_all(stdout, text) && fflush(stdout) == 0 : write_then_rename(path, text);
  if (ok) return true;
  int error = errno ? errno : EIO;
  dl_cli_error(tool, "cannot write '%s': %s", standard ? "<stdout>" : path, strerror(error));
  return false;
}
