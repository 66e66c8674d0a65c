// files.h: what lies beside this module: the runtime archive and the machine descriptions.
#ifndef DLIR_TARGETS_LLVM_FILES_H
#define DLIR_TARGETS_LLVM_FILES_H

// The path of `name` in the folder of this module (malloc'ed).
char *dl_beside_module(const char *name);
// The file that an address of this process was loaded from, or NULL.
const char *dl_file_of(const void *address);

#endif
