// workdir.h: the temporary files of one compilation, and how its result takes its place.
#ifndef DLIR_TARGETS_LLVM_WORKDIR_H
#define DLIR_TARGETS_LLVM_WORKDIR_H

#include "ir/diag.h"

// A folder beside the output (so that the result can be renamed into place), or in TMPDIR when the
// output is no regular file.
typedef struct dl_workdir {
  dl_loc loc;
  const char *output;
  char *path;
  DL_VEC(char *) files;
  bool replaces;  // the output is renamed into place; else it is written through
} dl_workdir;

// Fails after a diagnostic when the folder cannot be made; then there is nothing to clean up.
dl_status dl_workdir_create(dl_workdir *dir, dl_loc loc, const char *output);
// The path for a file in the folder, owned by it. The name must not be in use there.
const char *dl_workdir_file(dl_workdir *dir, const char *name);
dl_status dl_workdir_write(dl_workdir *dir, const char *file, const void *bytes, size_t size);
// Makes `file` (of the folder) the output.
dl_status dl_workdir_publish(dl_workdir *dir, const char *file);
// Makes `file` another file of the same result, beside the output. Fails if the output is no
// regular file.
dl_status dl_workdir_publish_beside(dl_workdir *dir, const char *file, const char *path);
void dl_workdir_remove(dl_workdir *dir);  // with all its files

#endif
