// ir/plugin.h: the one interface through which shared modules, ours (targets) and others'
// (plugins), join a context. A module exports one symbol, dl_module_query.
#ifndef DLIR_IR_PLUGIN_H
#define DLIR_IR_PLUGIN_H

#include "ir/context.h"
#include "ir/op_def.h"
#include "ir/pass.h"

#define DL_PLUGIN_VERSION 1

// What a target offers to the tools. All paths are UTF-8; every function returns DL_FAILED after
// diagnostics.
typedef struct dl_target_def {
  const char *name;  // "cpu", "opencl"
  const char *summary;
  // Reads a foreign file into a module (importers); NULL if it is none. `suffix` such as ".onnx".
  const char *suffix;
  dl_op *(*import)(dl_context *ctx, const char *path, const dl_named_text *options,
                   size_t num_options);
  // Writes what --emit=`kind` names ("llvm", "asm", "obj", "so", "spirv", "ptx") for a loop-level
  // module.
  dl_status (*emit)(dl_op *module, const char *kind, const char *path, const dl_named_text *options,
                    size_t num_options);
  // Fills a machine description for --mcpu/--march ("native" included): sets module attributes.
  dl_status (*describe)(dl_op *module, const dl_named_text *options, size_t num_options);
  // Native code for the interpreter (dialects/engine.h); NULL: none. Returns NULL after a
  // diagnostic.
  struct dl_engine *(*create_engine)(dl_context *ctx);
} dl_target_def;

typedef struct dl_module_def {
  uint32_t version;  // DL_PLUGIN_VERSION
  const char *name;
  size_t num_dialects;
  const dl_dialect_def *const *dialects;
  size_t num_passes;
  const dl_pass_def *const *passes;
  size_t num_targets;
  const dl_target_def *const *targets;
} dl_module_def;

typedef const dl_module_def *(*dl_module_query_fn)(uint32_t host_version);

// Loads a module by path. Loading the same file twice is a no-op with a remark. The reason for a
// refusal (no such file, no query symbol, other version, name taken) is in the diagnostic.
DL_API dl_status dl_load_plugin(dl_context *ctx, const char *path);
// Loads one of our own target modules by name ("llvm", "onnx", "spirv"): looked for beside
// libdlir.so, then in its lib/dlir folder; DLIR_TARGET_PATH overrides.
DL_API dl_status dl_load_target(dl_context *ctx, const char *name);
DL_API const dl_target_def *dl_find_target(dl_context *ctx, const char *name);
DL_API const dl_target_def *dl_find_importer(dl_context *ctx, const char *path);  // by suffix

// Registers what libdlir.so itself brings: all dialects (dialects/) and passes (passes/).
DL_API dl_status dl_register_builtin_dialects(dl_context *ctx);
DL_API dl_status dl_register_builtin_passes(dl_context *ctx);

#endif
