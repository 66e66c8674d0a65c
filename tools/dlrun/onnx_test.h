// tools/dlrun/onnx_test.h: runs ONNX's backend test cases.
//
// A case is a folder with model.onnx and test_data_set_*/{input,output}_*.pb. Each is compiled and
// run in a process of its own, so that a crash is one failed case.
#ifndef DLIR_TOOLS_DLRUN_ONNX_TEST_H
#define DLIR_TOOLS_DLRUN_ONNX_TEST_H

#include "tools/common/cli.h"

typedef struct onnx_test_options {
  bool interpret;      // instead of compiling
  const char *target;  // to compile for; NULL: cpu
  dl_temporaries *temporaries;
} onnx_test_options;

// Runs every case in or below the folders, in alphabetical order. Prints a line per case (PASS,
// FAIL or UNSUPPORTED, with the reason) and the totals to standard output; returns the tool's exit
// status: DL_EXIT_FAILURE when a case failed or none was found. A case is unsupported when its
// import or compilation ends with a diagnostic that says so.
int onnx_test(const dl_cli_list *folders, const onnx_test_options *options);

#endif
