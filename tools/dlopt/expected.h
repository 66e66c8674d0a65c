// tools/dlopt/expected.h: --verify-diagnostics. Comments in the input say what is to be diagnosed:
//
//   // expected-error {{text}}             on this line
//   // expected-warning@+1 {{text}}        one line below; @-2: two above
//   // expected-note@below {{text}}        the next line without such a comment; @above: the last
//   one
//   // expected-remark@unknown {{text}}    without a place
//   // expected-error-re {{a {{[0-9]+}}}}  the inner braces hold extended regular expressions
//
// A diagnostic matches when its message contains the text. Several may stand on one line.
#ifndef DLIR_TOOLS_DLOPT_EXPECTED_H
#define DLIR_TOOLS_DLOPT_EXPECTED_H

#include "ir/base.h"
#include "ir/diag.h"

typedef struct expected expected;

// Collects the comments of a text that the diagnostics' locations name `path`. Wrong comments count
// as failures and are printed to stderr.
expected *expected_create(dl_str text, const char *path);
// A dl_diag_handler; `user` is the expected. Prints what was not expected.
void expected_handle(void *user, const dl_diagnostic *diagnostic);
// Prints what did not come. Returns whether everything came as expected, and destroys it.
bool expected_finish(expected *all);

#endif
