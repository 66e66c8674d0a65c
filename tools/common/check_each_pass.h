// tools/common/check_each_pass.h: --check-each-pass and --check-inputs on command lines.
#ifndef DLIR_TOOLS_COMMON_CHECK_EACH_PASS_H
#define DLIR_TOOLS_COMMON_CHECK_EACH_PASS_H

#include "dialects/check.h"
#include "tools/common/cli.h"

typedef struct dl_check_options {
  bool each_pass;
  const char *inputs;  // folder with NAME.npy for every input of @main, or NULL: seeded inputs;
                       // implies each_pass
} dl_check_options;

// Rows of an option table for the field `check` of a tool's options.
#define DL_CLI_CHECK(type)                                                \
  DL_CLI(BOOL, "check-each-pass", type, check.each_pass, NULL,            \
         "Interpret the program before and after each pass and compare"), \
      DL_CLI(TEXT, "check-inputs", type, check.inputs, "DIR",             \
             "Check with DIR/NAME.npy as inputs, instead of random ones")

// The checker that the options ask for, with its inputs, installed in `run`; *checker is NULL where
// they ask for none. It is destroyed after the passes ran. Fails with a diagnostic about the
// inputs.
dl_status dl_check_begin(const dl_check_options *options, dl_op *module, dl_instrumentation *run,
                         dl_checker **checker);

#endif
