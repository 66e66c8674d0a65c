// ir/binary_reader.h: an open binary module, shared by the reader's files.
#ifndef DLIR_IR_BINARY_READER_H
#define DLIR_IR_BINARY_READER_H

#include "ir/binary_internal.h"
#include "ir/op_info.h"

typedef struct dl_binary_form {
  const dl_op_info *info;
  dl_op_state state;       // counts, result types
  const dl_ident *names;   // of the attributes, in the order in which ops keep them
  const uint32_t *places;  // where in that order the attributes of a record go
  uint32_t num_attrs, num_inherent;
  bool isolated;
  size_t min_bytes;  // that an op's record takes after its location
} dl_binary_form;

typedef struct dl_binary {
  dl_context *ctx;
  dl_ident path;
  const uint8_t *data;  // the whole file
  size_t size;
  bool mapped;  // else allocated
  bool lazy, no_implicit_module;
  bool borrowed;  // something in the context points into the data
  dl_bytes sections[DL_NUM_SECTIONS];
  dl_arena *arena;
  uint64_t num_strings, num_types, num_attrs, num_locs, num_forms, num_bodies;
  const uint64_t *string_ends;
  const char *strings;
  _Atomic(dl_ident) *idents;       // NULL until asked for
  _Atomic uint32_t *name_numbers;  // of those that name values; 0 until asked for
  dl_type *types;
  dl_attr *attrs;
  dl_loc *locs;
  dl_binary_form *forms;
  const dl_binary_body *bodies;
  atomic_bool *claimed;  // per body: an op has it
} dl_binary;

// Emits an error that names the byte; returns DL_FAILED.
dl_status dl_binary_error(const dl_binary *file, const void *at, const char *format, ...)
    DL_PRINTF(3, 4);
// String number `index`; false after an error at `at`.
dl_status dl_binary_string(const dl_binary *file, const void *at, uint64_t index, dl_str *text);
// The same as a name, which holds no NUL byte.
dl_status dl_binary_name(dl_binary *file, const void *at, uint64_t index, dl_ident *name);
// A number that says how many things follow, each of at least `bytes` bytes.
dl_status dl_binary_count(const dl_binary *file, dl_bytes *in, size_t bytes, uint64_t *count);
// A number below `limit`, the size of the table `what`.
dl_status dl_binary_index(const dl_binary *file, dl_bytes *in, uint64_t limit, const char *what,
                          uint64_t *index);
// Fails when a section was read not to its end, or beyond.
dl_status dl_binary_end(const dl_binary *file, const dl_bytes *in, const char *what);

dl_status dl_binary_read_strings(dl_binary *file);
dl_status dl_binary_read_types(dl_binary *file);
dl_status dl_binary_read_attrs(dl_binary *file);
dl_status dl_binary_read_locs(dl_binary *file);
dl_status dl_binary_read_resources(dl_binary *file);
dl_status dl_binary_read_forms(dl_binary *file);
// The root op of the module, or NULL.
dl_op *dl_binary_read_root(dl_binary *file);
// Fills the empty regions of an isolated op; they stay empty after a failure.
dl_status dl_binary_read_body(dl_binary *file, dl_op *op, uint64_t body, unsigned depth);
void dl_binary_empty_regions(dl_op *op);
// Leaves that for later.
void dl_binary_postpone_body(dl_binary *file, dl_op *op, uint64_t body, unsigned depth);

#endif
