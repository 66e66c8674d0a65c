#define _GNU_SOURCE  // pipe2
#include "targets/llvm/link.h"

#include <errno.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "targets/llvm/files.h"

extern char **environ;

static const char *linker(void) {
  const char *chosen = getenv("DLIR_LLD");
  return chosen && *chosen ? chosen : DLIR_LLD;
}

static char *runtime_archive(void) {
  const char *chosen = getenv("DLIR_RUNTIME");
  return chosen && *chosen ? strdup(chosen) : dl_beside_module("libdlir_rt.a");
}

static void read_all(int fd, dl_buffer *text) {
  char chunk[4096];
  ssize_t got;
  while ((got = read(fd, chunk, sizeof(chunk))) > 0) dl_buffer_append(text, chunk, (size_t)got);
}

// The program has no signals blocked, whatever this thread has.
static int spawn_with_output(const char *const *argv, int output, pid_t *pid) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
  int error = posix_spawnp(pid, argv[0], &actions, &attributes, (char *const *)argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return error;
}

// Runs a program and collects what it prints.
static dl_status run(dl_loc loc, const char *const *argv) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC)) return dl_error(loc, "cannot make a pipe: %s", strerror(errno));
  pid_t pid;
  int error = spawn_with_output(argv, ends[1], &pid);
  close(ends[1]);
  dl_buffer text = {0};
  int status = 0;
  if (!error) {
    read_all(ends[0], &text);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  }
  close(ends[0]);
  dl_status result = DL_OK;
  if (error)
    result = dl_error(loc, "cannot run the linker '%s': %s", argv[0], strerror(error));
  else if (WIFSIGNALED(status))
    result = dl_error(loc, "the linker '%s' ended with: %s%s", argv[0], strsignal(WTERMSIG(status)),
                      WTERMSIG(status) == SIGBUS ? ", as it does on a full disk" : "");
  else if (status)
    result = dl_error(loc, "linking failed: %s", text.len ? text.data : "without a message");
  dl_buffer_free(&text);
  return result;
}

static dl_status run_list(dl_loc loc, dl_path_list *args) {
  DL_PUSH(args, NULL);
  dl_status status = run(loc, args->data);
  DL_VEC_FREE(args);
  return status;
}

static void push_all(dl_path_list *args, const dl_path_list *more) {
  for (size_t i = 0; i < more->len; i++) DL_PUSH(args, more->data[i]);
}

// The linker writes its output through a mapping, where a full disk is a crash: makes sure that
// there is room for as much as its inputs hold, and some tables.
static dl_status check_room(dl_loc loc, const dl_path_list *objects, const char *archive,
                            const char *output) {
  enum { TABLES = 1 << 16 };
  off_t bytes = TABLES;
  struct stat info;
  if (archive && !stat(archive, &info)) bytes += info.st_size;
  for (size_t i = 0; i < objects->len; i++)
    if (!stat(objects->data[i], &info)) bytes += info.st_size;
  int file = open(output, O_WRONLY | O_CREAT | O_CLOEXEC, 0666), error = file < 0 ? errno : 0;
  if (!error) error = posix_fallocate(file, 0, bytes);
  if (file >= 0) close(file);
  unlink(output);
  return error ? dl_error(loc, "cannot write the linked file: %s", strerror(error)) : DL_OK;
}

// libc and libm are given as the files that this process uses: no development packages are needed.
dl_status dl_link_shared(dl_loc loc, const dl_path_list *objects, const char *prefix,
                         const char *output) {
  const char *libc = dl_file_of((void *)&gnu_get_libc_version), *libm = dl_file_of((void *)&cosh);
  if (!libc || !libm) return dl_error(loc, "cannot find libc and libm to link with");
  char *archive = runtime_archive();
  dl_buffer query = {0};
  dl_buffer_printf(&query, "--undefined=%s_query", prefix);
  static const char *const flags[] = {"-shared",
                                      "-z",
                                      "defs",
                                      "-z",
                                      "relro",
                                      "-z",
                                      "now",
                                      "--build-id=none",
                                      "--hash-style=gnu",
                                      "--gc-sections",
                                      "--as-needed",
                                      "--exclude-libs=ALL",
                                      "--threads=2",
                                      "--color-diagnostics=never"};
  dl_path_list args = {0};
  DL_PUSH(&args, linker());
  for (size_t i = 0; i < DL_COUNT(flags); i++) DL_PUSH(&args, flags[i]);
  DL_PUSH(&args, query.data);
  push_all(&args, objects);
  const char *const rest[] = {archive, libc, libm, "-o", output};
  for (size_t i = 0; i < DL_COUNT(rest); i++) DL_PUSH(&args, rest[i]);
  dl_status status = check_room(loc, objects, archive, output);
  if (status == DL_OK) status = run_list(loc, &args);
  DL_VEC_FREE(&args);
  dl_buffer_free(&query);
  free(archive);
  return status;
}

dl_status dl_link_relocatable(dl_loc loc, const dl_path_list *objects, const char *output) {
  dl_path_list args = {0};
  DL_TRY(check_room(loc, objects, NULL, output));
  DL_PUSH(&args, linker());
  DL_PUSH(&args, "-r");
  push_all(&args, objects);
  DL_PUSH(&args, "-o");
  DL_PUSH(&args, output);
  return run_list(loc, &args);
}
