#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
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

static bool map_regular(const char *path, dl_cli_text *text) {
  struct stat info;
  int file = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return false;
  void *memory = MAP_FAILED;
  if (fstat(file, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0)
    memory = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, file, 0);
  close(file);
  if (memory == MAP_FAILED) return false;
  *text = (dl_cli_text){{memory, (size_t)info.st_size}, true};
  return true;
}

bool dl_cli_map_file(const char *tool, const char *path, dl_cli_text *text) {
  if (map_regular(path, text)) return true;
  dl_buffer read = {0};
  bool ok = dl_cli_read_file(tool, path, &read);
  *text = (dl_cli_text){{read.data, read.len}, false};
  return ok;
}

void dl_cli_unmap(dl_cli_text *text) {
  if (text->mapped)
    munmap((void *)text->text.data, text->text.len);
  else
    free((void *)text->text.data);
}

static bool write_all(FILE *file, dl_str text) {
  return text.len == 0 || fwrite(text.data, 1, text.len, file) == text.len;
}

static bool write_and_close(dl_temporaries *temporaries, const char *path, dl_str text) {
  dl_output_file out;
  if (!dl_output_open(&out, temporaries, path)) return false;
  write_all(out.file, text);
  return dl_output_close(&out, true);
}

bool dl_cli_write_file(const char *tool, dl_temporaries *temporaries, const char *path,
                       dl_str text) {
  errno = 0;
  bool standard = !strcmp(path, "-");
  bool ok = standard ? write_all(stdout, text) && fflush(stdout) == 0
                     : write_and_close(temporaries, path, text);
  if (ok) return true;
  int error = errno ? errno : EIO;
  dl_cli_error(tool, "cannot write '%s': %s", standard ? "<stdout>" : path, strerror(error));
  return false;
}
