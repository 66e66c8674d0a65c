// describe.h: machine descriptions, from targets/machines/*.yaml to the module's `dlir.machine`.
#ifndef DLIR_TARGETS_LLVM_DESCRIBE_H
#define DLIR_TARGETS_LLVM_DESCRIBE_H

#include "ir/plugin.h"

// Options: `march` (x86-64, aarch64; default: the host's, or that of mcpu), `mcpu` (a description's
// name, or native, the default on the host's own architecture). Sets the attribute; fails with a
// diagnostic that lists the known names.
dl_status dl_describe_machine(dl_op *module, const dl_named_text *options, size_t num_options);

// The text of an option, or `otherwise`.
const char *dl_option_text(const dl_named_text *options, size_t num_options, const char *name,
                           const char *otherwise);

#endif
