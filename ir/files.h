// ir/files.h: files that must not be left half-written or forgotten: output files, which take their
// place when they are whole, and a list of what a program has made for a while.
#ifndef DLIR_IR_FILES_H
#define DLIR_IR_FILES_H

#include <stdio.h>

#include "ir/context.h"

// --- temporary files and folders ---

// The temporary files and folders of a program, so that it can remove them when it is being
// stopped. Thread-safe. Where a list is expected NULL stands for none.
typedef struct dl_temporaries dl_temporaries;

DL_API dl_temporaries *dl_temporaries_create(void);
DL_API void dl_temporaries_destroy(dl_temporaries *list);  // removes no files
DL_API void dl_temporaries_add(dl_temporaries *list, const char *path);
DL_API void dl_temporaries_drop(dl_temporaries *list, const char *path);
// Removes everything on the list, folders with what they hold. Nothing can be added from then on:
// dl_temporaries_add does not return. For a thread that ends the process next.
DL_API void dl_temporaries_remove_all(dl_temporaries *list);

// The list that those who write files for a context are to use; NULL at first. It must outlive the
// context.
DL_API void dl_set_temporaries(dl_context *ctx, dl_temporaries *list);
DL_API dl_temporaries *dl_get_temporaries(dl_context *ctx);

// Removes a file, or a folder with what it holds.
DL_API void dl_remove_tree(const char *path);

// --- output files ---

// A file that is written beside its place and renamed there when it is whole. What is no regular
// file, such as a device or a pipe, is written directly.
typedef struct dl_output_file {
  FILE *file;  // to write to
  const char *path;
  char *temporary;  // NULL: the path itself
  dl_temporaries *list;
} dl_output_file;

// Whether the path exists and is no regular file: what is written there has no files beside it.
DL_API bool dl_is_special_file(const char *path);
// False, with errno set, when the file cannot be made; it need not be closed then. `path` must
// outlive the file.
DL_API DL_NODISCARD bool dl_output_open(dl_output_file *out, dl_temporaries *list,
                                        const char *path);
// Closes the file and moves it into place if `keep` and all writing succeeded; else leaves nothing
// behind. False, with errno set, when it was to be kept and could not be.
DL_API bool dl_output_close(dl_output_file *out, bool keep);

#endif
