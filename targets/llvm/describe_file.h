// describe_file.h: the text of machine descriptions (targets/machines/*.yaml).
#ifndef DLIR_TARGETS_LLVM_DESCRIBE_FILE_H
#define DLIR_TARGETS_LLVM_DESCRIBE_FILE_H

#include <stdio.h>

#include "ir/attrs.h"

// A description while it is read: entries in the order of the file. The caller frees them.
typedef struct dl_description {
  dl_context *ctx;
  dl_loc loc;  // of diagnostics
  DL_VEC(dl_named_attr) entries;
} dl_description;

// Sets an entry, new or not, and looks one up (NULL: there is none).
void dl_describe(dl_description *d, const char *name, dl_attr value);
void dl_describe_number(dl_description *d, const char *name, int64_t value);
dl_attr dl_described(const dl_description *d, const char *name);

// Adds the entries of a YAML mapping: numbers, texts, and lists of names, which become one text,
// `+a,+b`. Errors name `path` and the line.
dl_status dl_read_description(dl_description *d, FILE *file, const char *path);

#endif
