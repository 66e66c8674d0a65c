// ir/diag.h: source locations and diagnostics. Libraries never print: a diagnostic goes to the
// handler of its context; tools install one that prints file:line:col, the source line and a caret.
#ifndef DLIR_IR_DIAG_H
#define DLIR_IR_DIAG_H

#include <stdio.h>

#include "ir/base.h"
#include "ir/context.h"

typedef const struct dl_loc_data *dl_loc;  // uniqued; never NULL in an op
typedef const struct dl_attr_data *dl_attr;

typedef enum dl_loc_kind {
  DL_LOC_UNKNOWN,
  DL_LOC_FILE,      // "file":line:col (to :line:col or line:col)
  DL_LOC_NAME,      // "name"(child)
  DL_LOC_CALLSITE,  // callsite(callee at caller)
  DL_LOC_FUSED,     // fused<metadata>[locations]
} dl_loc_kind;

// A FILE location ends before `child`: the fields from there on must not be read.
struct dl_loc_data {
  dl_context *ctx;
  dl_loc_kind kind;
  dl_ident name;                                // FILE: path; NAME: the name
  uint64_t line, column, end_line, end_column;  // FILE, from 1; 0 when unknown
  dl_loc child, caller;                         // NAME: child or NULL; CALLSITE: callee, caller
  size_t num_locs;                              // FUSED
  const dl_loc *locs;
  dl_attr metadata;  // FUSED: NULL or an attribute
};

DL_API dl_loc dl_loc_unknown(dl_context *ctx);
DL_API dl_loc dl_loc_file(dl_context *ctx, dl_ident path, uint64_t line, uint64_t column);
DL_API dl_loc dl_loc_file_range(dl_context *ctx, dl_ident path, uint64_t line, uint64_t column,
                                uint64_t end_line, uint64_t end_column);
DL_API dl_loc dl_loc_name(dl_context *ctx, dl_ident name, dl_loc child);  // child may be NULL
DL_API dl_loc dl_loc_callsite(dl_context *ctx, dl_loc callee, dl_loc caller);
DL_API dl_loc dl_loc_fused(dl_context *ctx, size_t count, const dl_loc *locs, dl_attr metadata);
// The first name found in a location (NAME, then inside FUSED and CALLSITE), or NULL.
DL_API dl_ident dl_loc_first_name(dl_loc loc);

typedef enum dl_severity { DL_ERROR, DL_WARNING, DL_NOTE, DL_REMARK } dl_severity;

typedef struct dl_diagnostic {
  dl_severity severity;
  dl_loc loc;
  const char *message;  // borrowed for the call
} dl_diagnostic;

// A note always follows the error, warning or remark that it belongs to.
typedef void (*dl_diag_handler)(void *user, const dl_diagnostic *diagnostic);
DL_API void dl_set_diag_handler(dl_context *ctx, dl_diag_handler handler, void *user);
DL_API void dl_get_diag_handler(dl_context *ctx, dl_diag_handler *handler, void **user);
DL_API size_t dl_num_errors(dl_context *ctx);  // errors emitted so far

// Emits and returns DL_FAILED, so that `return dl_error(loc, …)` reads well.
DL_API dl_status dl_error(dl_loc loc, const char *format, ...) DL_PRINTF(2, 3);
DL_API void dl_warning(dl_loc loc, const char *format, ...) DL_PRINTF(2, 3);
DL_API void dl_note(dl_loc loc, const char *format, ...) DL_PRINTF(2, 3);
DL_API void dl_remark(dl_loc loc, const char *format, ...) DL_PRINTF(2, 3);

// Remembers a source text, so that diagnostics can show its lines. The text is borrowed.
DL_API void dl_add_source(dl_context *ctx, dl_ident path, dl_str text);
// The same for a text that is a file mapped for reading only: memory may be given back behind the
// parser, to be read again if it is needed.
DL_API void dl_add_mapped_source(dl_context *ctx, dl_ident path, dl_str text);
// The tools' handler: "path:line:col: error: message", the source line, a caret. `user` is a FILE
// *.
DL_API void dl_print_diagnostic(void *user, const dl_diagnostic *diagnostic);
// Writes a location as text (MLIR's syntax, without the surrounding loc()).
DL_API void dl_print_loc(dl_buffer *out, dl_loc loc);

#endif
