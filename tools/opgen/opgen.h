// tools/opgen/opgen.h: the two files that opgen writes.
#ifndef DLIR_TOOLS_OPGEN_OPGEN_H
#define DLIR_TOOLS_OPGEN_OPGEN_H

#include "ir/spec_yaml.h"

// Declarations of the ops, the dialect, the hooks, and accessors. Fails, with a message on stderr,
// when two of them would have the same name.
dl_status opgen_header(dl_buffer *out, const dl_yaml_dialect *dialect);
// Their definitions. `header` is what the source includes.
void opgen_source(dl_buffer *out, const dl_yaml_dialect *dialect, const char *header);

// "graph.conv2d" as a C identifier; valid until the next call with the same buffer.
const char *opgen_symbol(dl_buffer *scratch, const char *op_name);

#endif
