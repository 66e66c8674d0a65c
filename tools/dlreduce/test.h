// tools/dlreduce/test.h: whether modules are interesting, asked in child processes.
#ifndef DLIR_TOOLS_DLREDUCE_TEST_H
#define DLIR_TOOLS_DLREDUCE_TEST_H

#include <sys/types.h>

#include "ir/op.h"
#include "tools/common/check_each_pass.h"

typedef struct dl_interest {
  const char *script;     // exits with 0 when the file that it is given is interesting; or NULL:
  dl_cli_list arguments;  // before the file
  const char *pipeline;   // run this with checks; a mismatch is what is interesting
  dl_check_options check;
  double
      timeout;   // seconds; a test that takes longer does not find the module interesting; 0: none
  bool verbose;  // let tests write to stderr
  const char *folder;  // for candidates
  size_t num_tests;    // so far
} dl_interest;

// The first interesting module of `count`, which are tested at the same time; `count` when none is.
size_t dl_first_interesting(dl_interest *test, size_t count, dl_op *const *modules);

#endif
