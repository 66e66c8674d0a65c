// tools/common/check.h: what --check-each-pass runs.
#ifndef DLIR_TOOLS_COMMON_CHECK_H
#define DLIR_TOOLS_COMMON_CHECK_H

#include "ir/pass.h"

// Runs @main, or all public functions if there is no such, in the reference interpreter, on inputs
// that depend on nothing but their position and type: floats in [-1, 1), 8- and 16-bit integers in
// [-8, 8), wider ones 0 or 1 (so that they can be indices). Unknown sizes are 2 to 4, equal for
// equal names. Functions with inputs of other types, or pointers of unknown extent, are left out.
//
// Results are compared with the pass's contract: integers, and floats after an exact pass, bit by
// bit (but any NaN equals any other); else with the largest magnitude m of the result: after a pass
// that reassociates the difference is at most 2^-16 m (4 sqrt(K) 2^-24 m for K = 4096 terms) and a
// step of the result's type, after one that approximates bound * m.
extern const dl_executor dl_interpreter_executor;

#endif
