// ir/binary.h: the binary form of a module (.dlbc), both ways. docs/binary.md has the layout and
// what it promises about versions.
//
// A file holds all that text can hold; text -> binary -> text gives the same bytes. Types,
// attributes and op forms are tables, ops are short records; the regions of isolated ops are bodies
// that can be read one by one, later; constants lie aligned in the file and are used where it is
// mapped.
#ifndef DLIR_IR_BINARY_H
#define DLIR_IR_BINARY_H

#include "ir/op.h"

typedef struct dl_read_options {
  // Leaves the regions of isolated ops unread until dl_op_materialize, or until something looks
  // into them; the checksums of bodies are computed then, that of constants is not.
  bool lazy;
  // Returns an op that is no builtin.module as it is, not wrapped in one.
  bool no_implicit_module;
} dl_read_options;

// Whether the bytes begin as a binary module does.
DL_API bool dl_is_binary(dl_str bytes);
// Reads a module from memory, which may be freed after. `path` names it in diagnostics. NULL after
// diagnostics; they name the byte. The module is not verified. `options` may be NULL.
DL_API dl_op *dl_read_binary(dl_context *ctx, dl_str bytes, const char *path,
                             const dl_read_options *options);
// Reads a file, which stays mapped as long as the context when constants, resources or bodies
// unread lie in it.
DL_API dl_op *dl_read_binary_file(dl_context *ctx, const char *path,
                                  const dl_read_options *options);
// Whether the file can be opened and begins as a binary module does.
DL_API bool dl_is_binary_file(const char *path);

// Appends the module and the resources that it uses. Fails with a diagnostic where an op uses a
// value from outside of the isolated op around it. The same module gives the same bytes.
DL_API dl_status dl_write_binary(dl_op *module, dl_buffer *out);

// Reads the regions of an op that was left unread and verifies them; does nothing for others. When
// they cannot be read or do not verify, which is diagnosed, they are left empty.
DL_API dl_status dl_op_materialize(dl_op *op);
DL_API bool dl_op_is_lazy(const dl_op *op);  // whether its regions are still to be read

#endif
