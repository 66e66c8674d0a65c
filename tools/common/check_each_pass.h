// tools/common/check_each_pass.h: --check-each-pass and --check-inputs on command lines.
#ifndef DLIR_TOOLS_COMMON_CHECK_EACH_PASS_H
#define DLIR_TOOLS_COMMON_CHECK_EACH_PASS_H

#include "dialects/check.h"
#include "dialects/engine.h"
#include "tools/common/cli.h"

typedef struct dl_check_options {
  bool each_pass;
  // Folder with NAME.npy for every input of @main, and for those outputs that are known from
  // elsewhere; or NULL: seeded inputs. Implies each_pass.
  const char *inputs;
} dl_check_options;

// Rows of an option table for the field `check` of a tool's options.
#define DL_CLI_CHECK(type)                                          \
  DL_CLI(BOOL, "check-each-pass", type, check.each_pass, NULL,      \
         "Run the program before and after each pass and compare"), \
      DL_CLI(TEXT, "check-inputs", type, check.inputs, "DIR",       \
             "Check with DIR/NAME.npy as inputs, instead of random ones")

// What runs the program; all zero where the options ask for no checks.
typedef struct dl_check_session {
  const char *tool;
  dl_checker *checker;
  dl_engine *engine;
  double start;
} dl_check_session;

// Installs in `run` the checker that the options ask for, with its inputs. What takes long is
// reported on stderr. Fails with a diagnostic about the inputs.
dl_status dl_check_begin(const char *tool, const dl_check_options *options, dl_op *module,
                         dl_instrumentation *run, dl_check_session *session);
// After the passes ran, or did not.
void dl_check_end(dl_check_session *session);

#endif
