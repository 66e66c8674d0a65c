// tools/common/library.h: compiled models.
#ifndef DLIR_TOOLS_COMMON_LIBRARY_H
#define DLIR_TOOLS_COMMON_LIBRARY_H

#include "ir/base.h"
#include "targets/runtime/dlir_model.h"

typedef struct library {
  void *handle;
  const dlir_model *model;
  void (*release)(const dlir_model *model);  // of models that are in no library; or NULL
} library;

// Loads a model library and finds its one query function. False with the reason in `why`.
bool library_open(library *lib, const char *path, dl_buffer *why);
void library_close(library *lib);

#endif
