// link.h: runs the linker.
#ifndef DLIR_TARGETS_LLVM_LINK_H
#define DLIR_TARGETS_LLVM_LINK_H

#include "ir/diag.h"

typedef DL_VEC(const char *) dl_path_list;

// Links objects and the runtime archive into a shared library that exports `<prefix>_query` alone.
dl_status dl_link_shared(dl_loc loc, const dl_path_list *objects, const char *prefix,
                         const char *output);
// Merges objects into one relocatable object, without the runtime.
dl_status dl_link_relocatable(dl_loc loc, const dl_path_list *objects, const char *output);

#endif
