// tools/common/check_library.h: whether a compiled library computes what its program does.
#ifndef DLIR_TOOLS_COMMON_CHECK_LIBRARY_H
#define DLIR_TOOLS_COMMON_CHECK_LIBRARY_H

#include "dialects/check.h"

// Runs the library in a child process on the checker's inputs and compares with `module`, from
// which it was made. A library for another processor is not run. DL_FAILED after a diagnostic.
dl_status dl_check_library(dl_checker *checker, dl_op *module, const char *path);

#endif
