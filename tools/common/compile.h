// tools/common/compile.h: from a model file to what --emit names. dlc is a command line around
// this; dlrun uses it for models that are not compiled yet.
#ifndef DLIR_TOOLS_COMMON_COMPILE_H
#define DLIR_TOOLS_COMMON_COMPILE_H

#include "ir/pass.h"
#include "tools/common/cli.h"

typedef struct dl_compile_options {
  const char *emit;          // graph, tensor, loop, or what the target emits; NULL: so
  const char *target;        // NULL: cpu
  const char *march, *mcpu;  // NULL: the machine at hand
  const char *prefix;        // of the exported symbol; NULL: made from the output's name
  bool header;               // put a C header beside a library or an object
  const char *weights;       // "embed" or "separate"; NULL: by their size
  const char *report;        // write a page about kernels there; or NULL
  int opt_level;             // 0 to 3
  // Of approximate algorithms, relative to an output's largest magnitude; 0: none.
  double tolerance;
  size_t num_shapes;  // "NAME=1x3x224x224"
  const char *const *shapes;
  size_t num_exposed;  // values of the model to be made outputs as well
  const char *const *exposed;
  const dl_instrumentation *run;        // or NULL
  void (*progress)(const char *stage);  // called when a stage begins; may be NULL
} dl_compile_options;

// The stages, in order; a model enters at the one its ops belong to.
typedef enum dl_level { DL_LEVEL_GRAPH, DL_LEVEL_TENSOR, DL_LEVEL_LOOP, DL_LEVEL_CODE } dl_level;

// What --load-plugin and --load-dialect add to a context: files, in this order.
typedef struct dl_extensions {
  dl_cli_list plugins, dialects;
} dl_extensions;

// Rows of an option table for the field `extensions` of a tool's options.
#define DL_CLI_EXTENSIONS(type)                                                      \
  DL_CLI(LIST, "load-plugin", type, extensions.plugins, "FILE.so", "Load a plugin"), \
      DL_CLI(LIST, "load-dialect", type, extensions.dialects, "FILE.yaml",           \
             "Load a dialect's specification")

// Registers the dialects, passes and named pipelines of libdlir.so and what the files hold.
dl_status dl_tool_register(dl_context *ctx, const dl_extensions *extensions);
// A context with these (`extensions` may be NULL), which prints diagnostics to stderr and puts what
// it makes for a while on the list. NULL after a diagnostic.
dl_context *dl_tool_context(const dl_extensions *extensions, dl_temporaries *temporaries);
void dl_extensions_free(dl_extensions *extensions);

// Whether target and machine are known, before a model is read: DL_EXIT_OK, or the tool's exit
// status after a message. A machine that is a .yaml file is not read.
int dl_check_machine(const char *tool, dl_context *ctx, const dl_compile_options *options);

// Reads .dlir, or a foreign file through the importer of its suffix. Verified. NULL after
// diagnostics.
dl_op *dl_load_model(dl_context *ctx, const char *path, const dl_compile_options *options);
// The level of the least lowered op in a module.
dl_level dl_module_level(dl_op *module);
// The pipeline that brings a module from `level` to what --emit names: text for --print-pipeline.
// Owned by the caller.
dl_status dl_compile_pipeline(dl_op *module, const dl_compile_options *options, dl_buffer *text);
// Lowers the module and writes `output`.
dl_status dl_compile_module(dl_op *module, const char *output, const dl_compile_options *options);
// All of it.
dl_status dl_compile_file(dl_context *ctx, const char *input, const char *output,
                          const dl_compile_options *options);

#endif
