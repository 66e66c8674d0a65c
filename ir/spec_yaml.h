// ir/spec_yaml.h (internal): dialect specs as YAML documents, read alike by opgen and by
// dl_load_dialect_yaml.
#ifndef DLIR_IR_SPEC_YAML_H
#define DLIR_IR_SPEC_YAML_H

#include "ir/context.h"
#include "ir/op_def.h"

// C functions that a spec names; NULL where it names none.
typedef struct dl_yaml_hooks {
  const char *verify, *verify_symbols, *fold, *parse, *print, *infer, *canonicalize, *control,
      *branch;
} dl_yaml_hooks;

typedef struct dl_yaml_dialect {
  dl_dialect_def def;  // hooks not filled in
  const char *materialize_constant;
  const dl_yaml_hooks *hooks;  // one per op
} dl_yaml_dialect;

// Reads and checks a dialect. Everything read lives as long as the context. NULL after diagnostics
// located in the file.
const dl_yaml_dialect *dl_read_dialect_yaml(dl_context *ctx, const char *path);

#endif
