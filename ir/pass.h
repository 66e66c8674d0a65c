// ir/pass.h: passes, pipelines, and the harness that verifies, prints, times and checks them.
#ifndef DLIR_IR_PASS_H
#define DLIR_IR_PASS_H

#include "ir/analysis.h"
#include "ir/op.h"
#include "ir/op_def.h"
#include "ir/rewrite.h"

typedef struct dl_pass_manager dl_pass_manager;

// What a pass promises about the numbers the program computes (docs/design.md, "Floating point").
typedef enum dl_contract {
  DL_EXACT,         // bitwise equal
  DL_REASSOCIATES,  // sums in another order: |d| <= 4 sqrt(K) 2^-24 sum|terms|
  DL_APPROXIMATE,   // within the pass's `bound`, relative to the largest magnitude of the output
} dl_contract;

typedef enum dl_option_kind {
  DL_OPTION_BOOL,
  DL_OPTION_INT,
  DL_OPTION_STRING,
  DL_OPTION_INT_LIST
} dl_option_kind;

typedef struct dl_option_def {
  const char *name, *summary;
  dl_option_kind kind;
  const char *default_value;  // text; NULL: false, 0, empty
} dl_option_def;

typedef struct dl_pass_def {
  const char *name;     // CLI name, "graph-fold-batch-norm"
  const char *summary;  // one line
  const char *anchor;   // op it runs on: "func.func", "builtin.module"; NULL: any isolated op
  dl_contract contract;
  double bound;  // DL_APPROXIMATE
  size_t num_options;
  const dl_option_def *options;
  size_t num_statistics;
  const char *const *statistics;  // names
  size_t num_analyses;
  const dl_analysis_def *const *analyses;  // that `run` asks for
  size_t num_preserved;
  const dl_analysis_def *const *preserved;  // that hold after it, whatever it changed
  dl_status (*run)(dl_pass *pass, dl_op *root);
  // Instead of `run`: a table of patterns (with folding).
  size_t num_patterns;
  const dl_pattern *patterns;
} dl_pass_def;

// Defines the pass `symbol` (dl_pass_def dl_pass_<symbol>), whose CLI name is the symbol with
// dashes.
#define DL_PASS(symbol, cli, anchor_, summary_, contract_, run_) \
  const dl_pass_def dl_pass_##symbol = {                         \
      .name = cli, .summary = summary_, .anchor = anchor_, .contract = contract_, .run = run_}
#define DL_REWRITE_PASS(symbol, cli, anchor_, summary_, contract_, ...)              \
  static const dl_pattern symbol##_patterns[] = {__VA_ARGS__};                       \
  const dl_pass_def dl_pass_##symbol = {.name = cli,                                 \
                                        .summary = summary_,                         \
                                        .anchor = anchor_,                           \
                                        .contract = contract_,                       \
                                        .num_patterns = DL_COUNT(symbol##_patterns), \
                                        .patterns = symbol##_patterns}

// For `run`.
DL_API const dl_pass_def *dl_pass_def_of(const dl_pass *pass);
DL_API bool dl_option_bool(const dl_pass *pass, const char *name);
DL_API int64_t dl_option_int(const dl_pass *pass, const char *name);
DL_API dl_str dl_option_str(const dl_pass *pass, const char *name);
DL_API size_t dl_option_list(const dl_pass *pass, const char *name, const int64_t **values);
DL_API void dl_count(dl_pass *pass, const char *statistic, int64_t amount);
// Writes to where the harness prints, in the order of the ops whatever the number of threads.
DL_API void dl_pass_print(dl_pass *pass, const char *text);
// To be called when the IR was changed; patterns do so themselves.
DL_API void dl_pass_changed(dl_pass *pass);

// Registering makes passes known by name in a context. The table must outlive the context.
DL_API dl_status dl_register_passes(dl_context *ctx, size_t count,
                                    const dl_pass_def *const *passes);
DL_API const dl_pass_def *dl_find_pass(dl_context *ctx, dl_str name);
DL_API size_t dl_num_passes(dl_context *ctx);
DL_API const dl_pass_def *dl_get_pass(dl_context *ctx, size_t i);  // sorted by name
// A name for a list of pipeline elements as they may stand inside `builtin.module(…)`. The strings
// are borrowed.
typedef struct dl_named_pipeline {
  const char *name, *summary, *text;
} dl_named_pipeline;
DL_API dl_status dl_register_pipeline(dl_context *ctx, const char *name, const char *summary,
                                      const char *text);
DL_API const dl_named_pipeline *dl_find_pipeline(dl_context *ctx, dl_str name);
DL_API size_t dl_num_pipelines(dl_context *ctx);
// In order of registration.
DL_API const dl_named_pipeline *dl_get_pipeline(dl_context *ctx, size_t i);

// Runs the program at its entry with inputs of the executor's choice; what tools install for
// checking. Compares two versions of a module: returns DL_FAILED after a diagnostic naming the op
// if they differ beyond the contract. `snapshot` clones/compiles/interprets as it likes.
typedef struct dl_executor {
  void *user;
  // Evaluates the module and returns an opaque result; NULL after a diagnostic.
  void *(*evaluate)(void *user, dl_op *module);
  // Compares; on a difference writes what differs into `why` and returns false.
  bool (*equal)(void *user, void *before, void *after, dl_contract contract, double bound,
                dl_buffer *why);
  void (*release)(void *user, void *result);
} dl_executor;

typedef struct dl_instrumentation {
  // For nested pipelines: that many threads work on ops side by side; 0: one per processor. What is
  // printed does not depend on it. Pipelines run one op after another when the whole module is
  // printed, read back or checked after each pass.
  unsigned threads;
  bool verify_each;       // default of tools: on
  bool verify_roundtrip;  // after each pass: print, parse, print: same text
  bool print_before_all, print_after_all, print_after_change, print_after_failure;
  const char *print_before, *print_after;  // comma-separated pass names, or NULL
  bool print_module_scope;
  bool timing, statistics;
  const char *reproducer;    // path for a crash/failure reproducer, or NULL
  const char *skip_passes;   // comma-separated names
  const dl_executor *check;  // --check-each-pass; NULL: off
  bool bisect;  // when a check fails, search for the step of the pass that is wrong (ir/steps.h)
  const char *debug_counter;  // "PASS-count=N,…": the pass takes no more than N steps; or NULL
  // Called after each check, or NULL: the pass was number `number` of `total`.
  void (*checked)(void *user, const char *pass, size_t number, size_t total, double seconds);
  void *checked_user;
  FILE *out;                               // where printing, timing and statistics go (stderr)
  struct dl_print_options *print_options;  // or NULL
} dl_instrumentation;

// Parses "builtin.module(func.func(a,b{opt=1}),c)". Errors carry a caret into the pipeline text.
DL_API dl_pass_manager *dl_parse_pipeline(dl_context *ctx, dl_str text);  // NULL after a diagnostic
DL_API void dl_pass_manager_destroy(dl_pass_manager *pm);
DL_API void dl_print_pipeline(dl_buffer *out, const dl_pass_manager *pm);  // canonical text
DL_API void dl_set_instrumentation(dl_pass_manager *pm, const dl_instrumentation *instrumentation);
// Runs on a verified module whose name is the pipeline's anchor. Nested pipelines run on several
// ops at a time, so passes on an op may not touch what is beside or around it, nor read what other
// ops hold. Stops at the first pass that fails. With verify_each a pass that changes the IR without
// calling dl_pass_changed is a bug.
DL_API dl_status dl_run_pipeline(dl_pass_manager *pm, dl_op *module);
// Whether what is printed of the module reads back as the same text; `when` ("after pass 'cse'")
// completes the diagnostic.
DL_API dl_status dl_verify_roundtrip(dl_op *module, const char *when);

#endif
